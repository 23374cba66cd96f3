SELECT origin, airport, destination, delay
FROM named_flights
WHERE delay >= 180
EMIT CHANGES
LIMIT 5;
