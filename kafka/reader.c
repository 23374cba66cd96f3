/*
 * reader.c - which stream serves whom, offsets, and the second hand: tick().
 */
#include <assert.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "kafka/admin_impl.h"
#include "kafka/reader_impl.h"
#include "kafka/watermark.h"

enum {
    IDLE_US = 3 * 1000 * 1000, /* a stream that was not used for it may be moved */
    TROUBLE_SHOWN_MS = 1000,   /* a shorter one is nobody's business */
};

static ErrCode reader_client(KafkaReader *reader, uint32_t index, Err *err) {
    KafkaClientOptions options = {.role = KAFKA_READ, .trouble = reader->options.trouble};
    KafkaClient *client;
    ErrCode code = ERR_OK;
    lock_take(&reader->client_lock);
    if (!atomic_load(&reader->clients[index])) {
        code = kafka_client_open(reader->config, &options, &client, err);
        if (code == ERR_OK) {
            reader->wake_queues[index] = rd_kafka_queue_new(client->handle);
            atomic_store(&reader->clients[index], client);
        }
    }
    lock_release(&reader->client_lock);
    return code;
}

ErrCode kafka_reader_open(const KafkaConfig *config, const KafkaReaderOptions *options,
                          KafkaReader **reader, Err *err) {
    assert(options->notify && options->trouble && options->admin);
    KafkaReader *opened = mem_alloc(sizeof *opened);
    opened->config = config;
    opened->options = *options;
    shared_lock_init(&opened->lock);
    lock_init(&opened->client_lock);
    lock_init(&opened->scratch_lock);
    lock_init(&opened->topic_lock);
    ErrCode code = reader_client(opened, 0, err);
    if (code != ERR_OK)
        kafka_reader_close(opened);
    else
        *reader = opened;
    return code;
}

void kafka_reader_stop(KafkaReader *reader) {
    atomic_store(&reader->stopped, true);
    shared_lock_read(&reader->lock);
    for (uint32_t i = 0; i < PART_BUCKETS; i++)
        for (Part *part = reader->buckets[i]; part; part = part->next) {
            lock_take(&part->lock);
            for (uint32_t k = 0; k < READER_STREAMS; k++)
                stream_stop(part, k);
            lock_release(&part->lock);
        }
    shared_lock_release(&reader->lock);
}

static void part_free(Part *part) {
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        stream_stop(part, i);
        stream_forget(&part->streams[i]);
    }
    lock_close(&part->lock);
    mem_free(part->name);
    mem_free(part);
}

void kafka_reader_close(KafkaReader *reader) {
    if (!reader)
        return;
    for (uint32_t i = 0; i < PART_BUCKETS; i++)
        while (reader->buckets[i]) {
            Part *part = reader->buckets[i];
            reader->buckets[i] = part->next;
            part_free(part);
        }
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        if (reader->wake_queues[i])
            rd_kafka_queue_destroy(reader->wake_queues[i]);
        kafka_client_close(reader->clients[i]);
    }
    while (reader->scratch) {
        Scratch *scratch = reader->scratch;
        reader->scratch = scratch->next;
        kafka_block_free(&scratch->writer);
        mem_free(scratch);
    }
    for (size_t i = 0; i < reader->topic_count; i++)
        mem_free(reader->topics[i].name);
    mem_free(reader->topics);
    lock_close(&reader->topic_lock);
    lock_close(&reader->scratch_lock);
    lock_close(&reader->client_lock);
    shared_lock_close(&reader->lock);
    mem_free(reader);
}

/* -- Parts ------------------------------------------------------------------------------------- */

static Part **part_bucket(KafkaReader *reader, const char *name, uint32_t partition) {
    return &reader->buckets[(hash_bytes(bytes_of(name)) + partition) % PART_BUCKETS];
}

static Part *part_look(KafkaReader *reader, const char *name, uint32_t partition) {
    Part *part = *part_bucket(reader, name, partition);
    while (part && (part->partition != partition || strcmp(part->name, name) != 0))
        part = part->next;
    return part;
}

static Part *part_find(KafkaReader *reader, const char *name, uint32_t partition) {
    shared_lock_read(&reader->lock);
    Part *part = part_look(reader, name, partition);
    shared_lock_release(&reader->lock);
    if (part)
        return part;
    shared_lock_write(&reader->lock);
    part = part_look(reader, name, partition);
    if (!part) {
        Part **bucket = part_bucket(reader, name, partition);
        part = mem_alloc(sizeof *part);
        lock_init(&part->lock);
        part->reader = reader;
        part->name = mem_strdup(name);
        part->partition = partition;
        part->next = *bucket;
        *bucket = part;
        atomic_fetch_add(&reader->part_count, 1);
    }
    shared_lock_release(&reader->lock);
    return part;
}

/* The ids that the listener is told. Another id: the topic was made anew. With the lock. */
static void part_asked_as(Part *part, TopicPartition where) {
    uint64_t now = (uint64_t)where.topic_id << 32 | where.partition;
    uint64_t before = atomic_exchange_explicit(&part->where, now, memory_order_relaxed);
    if (before == 0 || before == now)
        return;
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        stream_stop(part, i);
        stream_forget(&part->streams[i]);
    }
    part->seen = false;
    part->start = part->end = 0;
}

/* -- Fetching ---------------------------------------------------------------------------------- */

/* Which stream is to be moved to another place: one that is stopped, one that nobody needs, a new
 * one, and at last the one that was not used for longest. */
static uint32_t part_free_stream(Part *part, int64_t now_us) {
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        const Stream *stream = &part->streams[i];
        if (part->reader->clients[i] && (!stream->queue || now_us - stream->used_us > IDLE_US))
            return i;
        if (!part->reader->clients[i])
            return i;
        if (stream->used_us < part->streams[oldest].used_us)
            oldest = i;
    }
    return oldest;
}

static ErrCode part_move(Part *part, uint32_t index, int64_t offset, Err *err) {
    KafkaReader *reader = part->reader;
    TRY(reader_client(reader, index, err));
    stream_stop(part, index);
    stream_forget(&part->streams[index]);
    return stream_start(part, index, offset, err);
}

/* Nothing is there: because nothing was written, or because the cluster cannot be asked, or has no
 * such topic any more? librdkafka says nothing of the latter: the stream begins again, and asks. */
static ErrCode part_nothing(Part *part, uint32_t index, Err *err) {
    int64_t since_ms;
    Err why;
    if (atomic_load(&part->reader->deleted_count) > 0 &&
        kafka_reader_topic_state(part->reader, part->name, &since_ms, err) == ERR_TOPIC_DELETED) {
        stream_stop(part, index);
        return ERR_TOPIC_DELETED;
    }
    ErrCode code = kafka_trouble_now(part->reader->options.trouble, &since_ms, &why);
    Io *io = io_posix();
    if (code == ERR_OK || io->ops->now_ms(io) - since_ms < TROUBLE_SHOWN_MS ||
        err_action(code) != ERR_ACTION_RETRY)
        return ERR_OK;
    return err_set(err, code, "Topic %s: %.700s", part->name, why.message);
}

static ErrCode part_fetch(Part *part, int64_t offset, LogBlock **block, Err *err) {
    int64_t now_us = io_posix_mono_us();
    uint32_t index = READER_STREAMS;
    for (uint32_t i = 0; i < READER_STREAMS; i++) {
        Stream *stream = &part->streams[i];
        if ((*block = stream_find(stream, offset)) != NULL) {
            log_block_ref(*block);
            stream->used_us = now_us;
            return ERR_OK;
        }
        if (stream->queue && stream->next == offset)
            index = i;
    }
    if (index == READER_STREAMS) {
        index = part_free_stream(part, now_us);
        TRY(part_move(part, index, offset, err));
    }
    part->streams[index].used_us = now_us;
    TRY(stream_take(part, index, block, err));
    return *block ? ERR_OK : part_nothing(part, index, err);
}

ErrCode kafka_reader_fetch(KafkaReader *reader, const char *name, TopicPartition where,
                           int64_t offset, LogBlock **block, Err *err) {
    assert(offset >= 0);
    Part *part = part_find(reader, name, where.partition);
    *block = NULL;
    lock_take(&part->lock);
    part_asked_as(part, where);
    ErrCode code = atomic_load(&reader->stopped)
                       ? err_set(err, ERR_CANCELLED, "the connection to the cluster is closed")
                       : part_fetch(part, offset, block, err);
    lock_release(&part->lock);
    return code;
}

/* -- Offsets ----------------------------------------------------------------------------------- */

enum { OFFSETS_WAIT_MS = 10 * 1000, OFFSETS_LEADER_MS = 3 * 1000, OFFSETS_SLICE_MS = 300 };

/* A partition that is new, or has just moved: who leads it is asked for anew. */
static bool reader_ask_leader(KafkaReader *reader, const char *name, ErrCode code,
                              int64_t begin_us) {
    KafkaTopic topic;
    Err ignored;
    if (!kafka_admin_again(reader->options.admin, code,
                           begin_us + OFFSETS_LEADER_MS * (int64_t)1000))
        return false;
    (void)!kafka_admin_topic(reader->options.admin, name, &topic, &ignored);
    return true;
}

/* Who asks is not to wait for a broker that is known to be gone. */
static ErrCode reader_ask_offsets(KafkaReader *reader, const char *name, uint32_t partition,
                                  ClusterOffsets *offsets, Err *err) {
    rd_kafka_t *handle = kafka_admin_client(reader->options.admin)->handle;
    int64_t begin_us = io_posix_mono_us(), since_ms;
    int64_t end_us = begin_us + OFFSETS_WAIT_MS * (int64_t)1000;
    int slice_ms = OFFSETS_SLICE_MS;
    for (;;) {
        Err why;
        rd_kafka_resp_err_t theirs = kafka_watermarks(handle, name, partition, &offsets->start,
                                                      &offsets->end, slice_ms);
        (void)rd_kafka_poll(handle, 0);
        ErrCode code = kafka_error(err, theirs, "Topic %s, partition %u", name, partition);
        if (code == ERR_OK)
            kafka_trouble_over(reader->options.trouble);
        if (code == ERR_LEADER_MOVED && reader_ask_leader(reader, name, code, begin_us))
            continue;
        if (theirs != RD_KAFKA_RESP_ERR__TIMED_OUT || io_posix_mono_us() >= end_us ||
            kafka_trouble_now(reader->options.trouble, &since_ms, &why) != ERR_OK)
            return code;
        slice_ms *= 2; /* for one that is slow */
    }
}

ErrCode kafka_reader_offsets(KafkaReader *reader, const char *name, TopicPartition where,
                             bool fresh, ClusterOffsets *offsets, Err *err) {
    Part *part = part_find(reader, name, where.partition);
    lock_take(&part->lock);
    part_asked_as(part, where);
    *offsets = (ClusterOffsets){part->start, part->end};
    bool seen = part->seen;
    lock_release(&part->lock);
    if (seen && !fresh)
        return ERR_OK;
    TRY(reader_ask_offsets(reader, name, where.partition, offsets, err));
    lock_take(&part->lock);
    part->seen = true;
    if (offsets->start > part->start)
        part->start = offsets->start;
    if (offsets->end > part->end)
        part->end = offsets->end;
    lock_release(&part->lock);
    return ERR_OK;
}
