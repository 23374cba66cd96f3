-- Where the earth shook most often.
SELECT region, quakes, strongest, shallowest FROM regions ORDER BY quakes DESC, region LIMIT 8;

-- Which day, and how many people felt it.
SELECT weekday, quakes, reports FROM weekdays ORDER BY weekday;

-- Who measures.
SELECT network, quakes, strongest FROM networks ORDER BY quakes DESC, network LIMIT 6;

-- How the days of Hualien went.
SELECT FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'yyyy-MM-dd HH:mm') AS utc, shocks, strongest,
       earliest_clock
FROM hualien WHERE place = 'Hualien';
