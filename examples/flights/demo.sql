-- 20,000 real flights in a stream of three partitions, 3,376 airports in a table.
CREATE STREAM flights (origin STRING KEY, `date` STRING, delay INT, distance INT, destination STRING)
  WITH (KAFKA_TOPIC='flights', PARTITIONS=3, VALUE_FORMAT='JSON',
        TIMESTAMP='date', TIMESTAMP_FORMAT='yyyy/MM/dd HH:mm');
