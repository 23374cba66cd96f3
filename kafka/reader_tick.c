/*
 * reader_tick.c - what is looked after once a second: errors, streams that nobody reads, topics
 * that are not what they were.
 */
#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/reader_impl.h"

enum {
    UNREAD_US = 10 * 1000 * 1000, /* a stream with records that nobody takes is stopped */
    LOOK_US = 3 * 1000 * 1000,    /* between two looks at the topics */
    PROBE_MS = 200,
    PROBE_MS_MAX = 2000,
};

/* Calls for each part; the list does not change meanwhile. */
static void each_part(KafkaReader *reader, void (*call)(Part *part)) {
    shared_lock_read(&reader->lock);
    for (uint32_t i = 0; i < PART_BUCKETS; i++)
        for (Part *part = reader->buckets[i]; part; part = part->next)
            call(part);
    shared_lock_release(&reader->lock);
}

static void part_notify(Part *part) {
    uint64_t where = atomic_load_explicit(&part->where, memory_order_relaxed);
    if (where != 0)
        part->reader->options.notify(part->reader->options.context,
                                     (TopicPartition){(uint32_t)(where >> 32), (uint32_t)where});
}

/* Its reader was told and did not come: it is gone, or waits for something else. */
static void part_stop_unread(Part *part) {
    int64_t now_us = io_posix_mono_us();
    lock_take(&part->lock);
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        Stream *stream = &part->streams[i];
        if (stream->queue && now_us - stream->used_us > UNREAD_US &&
            rd_kafka_queue_length(stream->queue) > 0) {
            stream_stop(part, i);
            stream_forget(stream);
        }
    }
    lock_release(&part->lock);
}

/* -- Trouble ----------------------------------------------------------------------------------- */

/* Whether the cluster answers again. */
static void reader_probe(KafkaReader *reader) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *handle = kafka_admin_client(reader->options.admin)->handle;
    /* Longer each time: a late answer is none, and a cluster may be slow. */
    reader->probe_ms = reader->probe_ms == 0                   ? PROBE_MS
                       : reader->probe_ms * 2 < PROBE_MS_MAX ? reader->probe_ms * 2
                                                               : PROBE_MS_MAX;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, NULL, &metadata, reader->probe_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    reader->probe_ms = 0;
    rd_kafka_metadata_destroy(metadata);
    kafka_trouble_over(reader->options.trouble);
}

static void reader_look_at_trouble(KafkaReader *reader) {
    int64_t since_ms;
    Err why;
    for (uint32_t i = 0; i < READER_STREAMS; i++)
        if (reader->clients[i])
            (void)rd_kafka_poll(reader->clients[i]->handle, 0);
    (void)rd_kafka_poll(kafka_admin_client(reader->options.admin)->handle, 0);
    bool troubled = kafka_trouble_now(reader->options.trouble, &since_ms, &why) != ERR_OK;
    if (troubled)
        reader_probe(reader);
    if (troubled || reader->troubled)
        each_part(reader, part_notify); /* they are to see it, and that it is over */
    reader->troubled = troubled;
}

/* -- Topics ------------------------------------------------------------------------------------ */

static ReadTopic *topic_find(KafkaReader *reader, const char *name) {
    for (size_t i = 0; i < reader->topic_count; i++)
        if (strcmp(reader->topics[i].name, name) == 0)
            return &reader->topics[i];
    return NULL;
}

static void topic_state(ReadTopic *topic, ErrCode state) {
    Io *io = io_posix();
    if (topic->state != state)
        topic->since_ms = io->ops->now_ms(io);
    topic->state = state;
}

/* librdkafka says nothing of a partition that nobody leads: it waits. */
static bool topic_is_led(const struct rd_kafka_metadata_topic *found) {
    for (int i = 0; i < found->partition_cnt; i++)
        if (found->partitions[i].leader < 0)
            return false;
    return true;
}

static void topic_look(KafkaReader *reader, const struct rd_kafka_metadata_topic *found) {
    lock_take(&reader->topic_lock);
    ReadTopic *topic = topic_find(reader, found->topic);
    bool missing = found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!topic && (missing || found->partition_cnt > 0)) {
        reader->topics = mem_grow(reader->topics, &reader->topic_capacity,
                                  reader->topic_count + 1, sizeof *reader->topics);
        topic = &reader->topics[reader->topic_count++];
        *topic = (ReadTopic){.name = mem_strdup(found->topic),
                             .partitions = (uint32_t)found->partition_cnt};
    }
    if (topic && missing)
        topic_state(topic, ERR_TOPIC_DELETED);
    else if (topic && found->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        topic_state(topic, !topic_is_led(found) ? ERR_LEADER_MOVED
                           : (uint32_t)found->partition_cnt > topic->partitions
                               ? ERR_PARTITIONS_GROWN
                               : ERR_OK);
    lock_release(&reader->topic_lock);
}

/* The topics that the first handle knows are those that are read. */
static void reader_look_at_topics(KafkaReader *reader) {
    const struct rd_kafka_metadata *metadata;
    int64_t now_us = io_posix_mono_us();
    if (now_us - reader->looked_us < LOOK_US || atomic_load(&reader->part_count) == 0)
        return;
    reader->looked_us = now_us;
    if (rd_kafka_metadata(reader->clients[0]->handle, 0, NULL, &metadata, PROBE_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (int i = 0; i < metadata->topic_cnt; i++)
        topic_look(reader, &metadata->topics[i]);
    rd_kafka_metadata_destroy(metadata);
    uint32_t deleted = 0;
    for (size_t i = 0; i < reader->topic_count; i++)
        deleted += reader->topics[i].state == ERR_TOPIC_DELETED;
    if (deleted != atomic_exchange(&reader->deleted_count, deleted))
        each_part(reader, part_notify); /* its readers are to see it */
}

ErrCode kafka_reader_topic_state(KafkaReader *reader, const char *name, int64_t *since_ms,
                                 Err *err) {
    lock_take(&reader->topic_lock);
    const ReadTopic *topic = topic_find(reader, name);
    ErrCode code = topic ? topic->state : ERR_OK;
    *since_ms = topic ? topic->since_ms : 0;
    lock_release(&reader->topic_lock);
    if (code == ERR_OK)
        return code;
    return err_set(err, code, "Topic %s: %s", name, kafka_trouble_meaning(code));
}

void kafka_reader_tick(KafkaReader *reader) {
    reader_look_at_trouble(reader);
    reader_look_at_topics(reader);
    each_part(reader, part_stop_unread);
}
