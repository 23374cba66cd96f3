-- Flights are a stream of three partitions, keyed by the airport they leave from; airports are a
-- table. Rowtime is the flight's own date.
CREATE STREAM flights (
    origin STRING KEY, destination STRING, date STRING, delay INT, distance INT
  ) WITH (KAFKA_TOPIC='flights', PARTITIONS=3, VALUE_FORMAT='JSON',
          TIMESTAMP='date', TIMESTAMP_FORMAT='yyyy/MM/dd HH:mm');

CREATE TABLE airports (
    iata STRING PRIMARY KEY, name STRING, city STRING, state STRING, country STRING,
    latitude DOUBLE, longitude DOUBLE
  ) WITH (KAFKA_TOPIC='airports', PARTITIONS=3, VALUE_FORMAT='JSON');
