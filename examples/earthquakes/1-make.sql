-- A week of earthquakes: nested JSON as it comes, with the time of the quake as the time of the row.
CREATE STREAM earthquakes (
    id STRING KEY, time BIGINT, updated BIGINT, mag DOUBLE, mag_type STRING, place STRING,
    status STRING, tsunami INT, felt INT, sources ARRAY<STRING>,
    location STRUCT<lon DOUBLE, lat DOUBLE, depth_km DOUBLE>
  ) WITH (KAFKA_TOPIC='earthquakes', PARTITIONS=3, VALUE_FORMAT='JSON', TIMESTAMP='time');

-- "24km SW of Hawthorne, Nevada": the region is what stands behind the last comma.
CREATE STREAM quakes AS
  SELECT id, mag, felt, sources,
         CASE WHEN place LIKE '%, CA' THEN 'California' ELSE SPLIT(place, ', ')[-1] END AS region,
         location->depth_km AS depth_km,
         FORMAT_TIMESTAMP(FROM_UNIXTIME(time), 'EEEE') AS weekday,
         FORMAT_TIMESTAMP(FROM_UNIXTIME(time), 'HH:mm', 'Asia/Taipei') AS taipei,
         GEO_DISTANCE(location->lat, location->lon, 24.0, 121.6) AS km_to_hualien
  FROM earthquakes;

CREATE TABLE regions AS
  SELECT region, COUNT(*) AS quakes, MAX(mag) AS strongest, MIN(depth_km) AS shallowest
  FROM quakes GROUP BY region HAVING COUNT(*) >= 20;

CREATE TABLE weekdays AS
  SELECT weekday, COUNT(*) AS quakes, SUM(felt) AS reports FROM quakes GROUP BY weekday;

-- One row per network that has measured it.
CREATE STREAM measured AS SELECT id, EXPLODE(sources) AS network, mag FROM quakes;
CREATE TABLE networks AS
  SELECT network, COUNT(*) AS quakes, MAX(mag) AS strongest FROM measured GROUP BY network;

-- The shocks of Hualien in February 2018, in windows of six hours, and when the clocks there showed it.
-- A week comes in a second here: no row is too late, however far partitions run ahead of each other.
CREATE TABLE hualien AS
  SELECT 'Hualien' AS place, COUNT(*) AS shocks, MAX(mag) AS strongest, MIN(taipei) AS earliest_clock
  FROM quakes WINDOW TUMBLING (SIZE 6 HOURS, RETENTION 31 DAYS, GRACE PERIOD 30 DAYS)
  WHERE km_to_hualien < 100 GROUP BY 'Hualien';
