-- Files of ksqlDB's testing tool: sections, ASSERT statements, expected failures.
--@test: a filter
CREATE STREAM a (id INT KEY, n INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');
CREATE STREAM big AS SELECT * FROM a WHERE n > 10;
INSERT INTO a (id, n) VALUES (1, 5);
INSERT INTO a (id, n, rowtime) VALUES (2, 50, 7);
ASSERT VALUES big (id, n, rowtime) VALUES (2, 50, 7);
ASSERT STREAM big (id INT KEY, n INT) WITH (KAFKA_TOPIC='BIG', VALUE_FORMAT='JSON');

--@test: a section begins with an empty engine
--@expected.error: io.confluent.ksql.util.KsqlException
--@expected.message: A does not exist
SELECT * FROM a EMIT CHANGES;

--@test: the failure is that of the last statement
CREATE STREAM a (id INT KEY, n INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');
INSERT INTO a (id, n) VALUES (1, 5);
--@expected.error: java.lang.AssertionError
--@expected.message: Expected record does not match actual
ASSERT VALUES a (id, n) VALUES (1, 6);

--@test: rows of a table that come before and after those of the stream
CREATE TABLE t (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE STREAM s (id INT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM j AS SELECT s.id, name FROM s LEFT JOIN t ON s.id = t.id;
INSERT INTO s (id) VALUES (1);
INSERT INTO t (id, name) VALUES (1, 'one');
INSERT INTO s (id) VALUES (1);
ASSERT VALUES j (s_id, name) VALUES (1, NULL);
ASSERT VALUES j (s_id, name) VALUES (1, 'one');
