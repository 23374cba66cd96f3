-- 20,000 readings of a hundred sensors, one every five seconds of rowtime. What a column holds
-- follows from its name and type: temperatures rise and fall with the day, with a peak now and then.
CREATE STREAM readings (sensor STRING KEY, temperature DOUBLE, humidity DOUBLE)
  WITH (SOURCE='datagen', ROWS=20000, SEED=42, START='2024-06-01', STEP_MS=5000, PARTITIONS=4);

-- Where they are. The key of a generated table counts: sensor_1, sensor_2, ...
CREATE TABLE sensors (sensor STRING PRIMARY KEY, city STRING)
  WITH (SOURCE='datagen', ROWS=100, SEED=42, PARTITIONS=4);

CREATE STREAM located AS
  SELECT r.sensor AS sensor, s.city AS city, r.temperature AS temperature,
         r.humidity AS humidity
  FROM readings r JOIN sensors s ON r.sensor = s.sensor;

-- Far out of what is usual.
CREATE STREAM alarms AS
  SELECT sensor, city, temperature, FORMAT_TIMESTAMP(FROM_UNIXTIME(ROWTIME), 'HH:mm:ss') AS clock
  FROM located WHERE temperature > 30;
CREATE TABLE alarms_by_city AS
  SELECT city, COUNT(*) AS alarms, MAX(temperature) AS highest FROM alarms GROUP BY city;

-- Averages of six hours.
CREATE TABLE climate AS
  SELECT city, COUNT(*) AS readings, ROUND(AVG(temperature), 1) AS temperature,
         ROUND(AVG(humidity), 1) AS humidity
  FROM located WINDOW TUMBLING (SIZE 6 HOURS, RETENTION 7 DAYS) GROUP BY city;
