/*
 * watermark.h - where a partition begins and where its committed records end.
 *
 * rd_kafka_query_watermark_offsets() does not keep to its time-out: a request that a broker which
 * has just gone was to answer is waited for as long as the socket's, a minute.
 */
#ifndef KAFKA_WATERMARK_H
#define KAFKA_WATERMARK_H

#include <librdkafka/rdkafka.h>

#include <stdint.h>

rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *handle, const char *topic, uint32_t partition,
                                     int64_t *start, int64_t *end, int timeout_ms);

#endif
