-- The log of a web server, its users, and what its status codes mean: ksqlDB's quickstarts.
CREATE STREAM clickstream
  WITH (SOURCE='datagen', QUICKSTART='clickstream', ROWS=20000, SEED=3, PARTITIONS=4);
CREATE TABLE users WITH (SOURCE='datagen', QUICKSTART='clickstream_users', SEED=3, PARTITIONS=4);
CREATE TABLE codes WITH (SOURCE='datagen', QUICKSTART='clickstream_codes', PARTITIONS=4);

-- Numbers where the log has texts, and the page without GET and HTTP.
CREATE STREAM clicks AS
  SELECT userid, ip, CAST(status AS INT) AS status, CAST(bytes AS BIGINT) AS bytes,
         SPLIT(request, ' ')[2] AS page, agent LIKE '%Bot%' AS is_bot
  FROM clickstream PARTITION BY userid;

-- What goes wrong, in words.
CREATE STREAM failures AS
  SELECT c.status AS status, d.definition AS definition, c.page AS page
  FROM clicks c JOIN codes d ON c.status = d.code WHERE c.status >= 400;
CREATE TABLE failures_by_kind AS
  SELECT definition, COUNT(*) AS failures FROM failures GROUP BY definition;

-- Who they are.
CREATE STREAM visits AS
  SELECT c.userid AS userid, u.username AS username, u.city AS city, u.level AS level,
         c.bytes AS bytes, c.status AS status
  FROM clicks c JOIN users u ON c.userid = u.user_id WHERE NOT c.is_bot;
CREATE TABLE cities AS
  SELECT city, COUNT(*) AS clicks, SUM(bytes) AS bytes FROM visits GROUP BY city;

-- The minutes in which one address asked for more than 40 pages.
CREATE TABLE busy AS
  SELECT ip, COUNT(*) AS clicks
  FROM clickstream WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY ip HAVING COUNT(*) > 40;

-- What a user does without resting for ten seconds is one session.
CREATE TABLE sessions AS
  SELECT userid, COUNT(*) AS clicks, SUM(bytes) AS bytes
  FROM clicks WINDOW SESSION (10 SECONDS) GROUP BY userid;
