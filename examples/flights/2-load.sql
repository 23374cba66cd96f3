COPY airports FROM 'examples/flights/airports.csv' (FORMAT csv, HEADER);
COPY flights FROM 'examples/flights/flights.ndjson' (FORMAT ndjson);
