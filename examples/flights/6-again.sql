-- The same flights again and again, and a query that counts them.
CREATE STREAM again (origin STRING KEY, destination STRING, delay INT)
  WITH (KAFKA_TOPIC='again', PARTITIONS=3, VALUE_FORMAT='JSON');
CREATE TABLE counted AS SELECT 'all' AS which, COUNT(*) AS flights FROM again GROUP BY 'all';
