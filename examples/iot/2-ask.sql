-- Alarms, where they are most.
SELECT city, alarms, highest FROM alarms_by_city ORDER BY alarms DESC, city;

-- The days of Berlin.
SELECT FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'yyyy-MM-dd HH:mm') AS since, readings,
       temperature, humidity
FROM climate WHERE city = 'Berlin';
