-- What goes wrong.
SELECT definition, failures FROM failures_by_kind ORDER BY failures DESC;

-- Who comes.
SELECT city, clicks, bytes FROM cities ORDER BY clicks DESC, city LIMIT 6;

-- Who asks too often.
SELECT ip, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'HH:mm') AS minute, clicks
FROM busy ORDER BY clicks DESC, minute LIMIT 6;

-- The longest sessions.
SELECT userid, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'HH:mm:ss') AS since,
       (WINDOWEND - WINDOWSTART) / 1000 AS lasted, clicks
FROM sessions ORDER BY clicks DESC, since LIMIT 6;
