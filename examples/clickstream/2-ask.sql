SELECT definition, failures FROM failures_by_kind ORDER BY failures DESC;

SELECT city, clicks, bytes FROM cities ORDER BY clicks DESC, city LIMIT 6;

SELECT ip, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'HH:mm') AS minute, clicks
FROM busy ORDER BY clicks DESC, minute LIMIT 6;
