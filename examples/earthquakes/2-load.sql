COPY earthquakes FROM 'examples/earthquakes/earthquakes.ndjson';
