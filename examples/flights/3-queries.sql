-- Each flight with the name of its airport, for ever.
CREATE STREAM named_flights AS
  SELECT f.origin AS origin, a.name AS airport, f.destination AS destination, f.delay AS delay
  FROM flights f LEFT JOIN airports a ON f.origin = a.iata;

-- Count and average delay per airport, always up to date.
CREATE TABLE airport_delays AS
  SELECT origin, MAX(airport) AS airport, COUNT(*) AS flights, AVG(delay) AS average_delay
  FROM named_flights
  GROUP BY origin;
