/*
 * reader_wake.c - keeps librdkafka fetching.
 *
 * Before version 2.2 its thread of a broker that has found all queues full looks at them again when
 * something else wakes it, or after a second: a reader that empties a queue in less would wait. So
 * a queue that was full and is only a quarter full now is a reason to wake all threads of brokers,
 * by the smallest request that goes to each: the list of consumer groups, whose answer nobody
 * reads.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/io.h"
#include "kafka/reader_impl.h"

enum { WAKE_SPAN_US = 10 * 1000, QUEUE_KBYTES = 8192 };

static size_t queue_bytes_max(const KafkaConfig *config) {
    const char *own = kafka_config_property(config, "queued.max.messages.kbytes");
    return (own ? strtoul(own, NULL, 10) : QUEUE_KBYTES) << 10;
}

/* false: not so soon again. */
static bool client_wake(KafkaReader *reader, uint32_t index) {
    int64_t now_us = io_posix_mono_us(), due_us = atomic_load(&reader->wake_us[index]);
    rd_kafka_queue_t *queue = reader->wake_queues[index];
    assert(queue);
    int64_t since_ms;
    Err why;
    if (kafka_trouble_now(reader->options.trouble, &since_ms, &why) != ERR_OK)
        return false; /* a request that waits for a broker: see kafka_admin_begin() */
    if (now_us < due_us ||
        !atomic_compare_exchange_strong(&reader->wake_us[index], &due_us, now_us + WAKE_SPAN_US))
        return false;
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(queue, 0)) != NULL;)
        rd_kafka_event_destroy(event);
    rd_kafka_ListConsumerGroups(reader->clients[index]->handle, NULL, queue);
    return true;
}

void stream_wake(Part *part, uint32_t index) {
    Stream *stream = &part->streams[index];
    if (!kafka_client_fills_late())
        return;
    size_t most = queue_bytes_max(part->reader->config);
    size_t left = rd_kafka_queue_length(stream->queue) * stream->record_bytes;
    if (left > most / 2)
        stream->was_full = true;
    else if (stream->was_full && left < most / 4 && client_wake(part->reader, index))
        stream->was_full = left > most / 8; /* else once more: it may have come too early */
}
