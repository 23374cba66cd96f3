/* watermark.c - see watermark.h. */
#include "kafka/watermark.h"

#include <assert.h>

#include "base/io.h"

static rd_kafka_resp_err_t watermark(rd_kafka_t *handle, const char *topic, uint32_t partition,
                                     int64_t *offset, int timeout_ms) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset = *offset;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, list, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *handle, const char *topic, uint32_t partition,
                                     int64_t *start, int64_t *end, int timeout_ms) {
    int64_t end_us = io_posix_mono_us() + timeout_ms * (int64_t)1000;
    int64_t first = RD_KAFKA_OFFSET_BEGINNING, last = RD_KAFKA_OFFSET_END;
    assert(timeout_ms > 0);
    rd_kafka_resp_err_t code = watermark(handle, topic, partition, &first, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    timeout_ms = (int)((end_us - io_posix_mono_us()) / 1000);
    if (timeout_ms <= 0)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    code = watermark(handle, topic, partition, &last, timeout_ms);
    *start = first;
    *end = last;
    return code;
}
