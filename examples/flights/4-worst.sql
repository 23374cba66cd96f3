SELECT origin, airport, flights, ROUND(average_delay, 1) AS average
FROM airport_delays
WHERE flights >= 100
ORDER BY average_delay DESC
LIMIT 10;
