/*
 * timestamp.h - records of the first millisecond of 1970.
 *
 * librdkafka takes a record's timestamp 0 for "now" and has no call that says otherwise. So such a
 * record is produced with a time that nobody has, and an interceptor, which the library calls
 * before anything looks at the record, puts 0 in its place. Where in the library's record the time
 * lies is found by looking for that very time, and believed only if the library then says 0.
 */
#ifndef KAFKA_TIMESTAMP_H
#define KAFKA_TIMESTAMP_H

#include <librdkafka/rdkafka.h>

/* For a producer's configuration, before rd_kafka_new(). */
void kafka_timestamp_hook(rd_kafka_conf_t *conf);

/* What to give the library so that the record gets `timestamp`. */
int64_t kafka_timestamp_given(int64_t timestamp);

#endif
