/*
 * reader_stream.c - one position in a partition: librdkafka's queue, and what was taken from it.
 *
 * Any error ends the stream: it is started again where it stopped, so that nothing is skipped (
 * librdkafka itself goes on behind a batch that it cannot read).
 */
#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/reader_impl.h"

enum {
    BLOCK_BYTES = 256 << 10, /* of one step's share; half of a core's L2 */
    BLOCK_RECORDS_MIN = 64,
    START_WAIT_MS = 5000,
};

static void stream_event(rd_kafka_t *handle, void *opaque) {
    Part *part = opaque;
    (void)handle;
    uint64_t where = atomic_load_explicit(&part->where, memory_order_relaxed);
    part->reader->options.notify(part->reader->options.context,
                                 (TopicPartition){(uint32_t)(where >> 32), (uint32_t)where});
}

ErrCode stream_start(Part *part, uint32_t index, int64_t offset, Err *err) {
    Stream *stream = &part->streams[index];
    rd_kafka_t *handle = part->reader->clients[index]->handle;
    assert(!stream->queue && offset >= 0);
    stream->topic = rd_kafka_topic_new(handle, part->name, NULL);
    stream->queue = rd_kafka_queue_new(handle);
    rd_kafka_queue_cb_event_enable(stream->queue, stream_event, part);
    if (rd_kafka_consume_start_queue(stream->topic, (int32_t)part->partition, offset,
                                     stream->queue) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        rd_kafka_queue_destroy(stream->queue);
        rd_kafka_topic_destroy(stream->topic);
        stream->queue = NULL;
        return kafka_error(err, code, "Topic %s, partition %u", part->name, part->partition);
    }
    stream->next = offset;
    return ERR_OK;
}

void stream_stop(Part *part, uint32_t index) {
    Stream *stream = &part->streams[index];
    if (!stream->queue)
        return;
    rd_kafka_queue_cb_event_enable(stream->queue, NULL, NULL);
    (void)rd_kafka_consume_stop(stream->topic, (int32_t)part->partition);
    rd_kafka_queue_destroy(stream->queue);
    rd_kafka_topic_destroy(stream->topic);
    stream->queue = NULL;
    stream->topic = NULL;
}

/* -- The window -------------------------------------------------------------------------------- */

static WindowBlock *window_at(const Stream *stream, uint32_t index) {
    assert(index < stream->count);
    return (WindowBlock *)&stream->window[(stream->first + index) % WINDOW_BLOCKS];
}

static void window_drop(Stream *stream) {
    WindowBlock *oldest = window_at(stream, 0);
    stream->bytes -= log_block_bytes(oldest->block).size;
    log_block_unref(oldest->block);
    stream->first = (stream->first + 1) % WINDOW_BLOCKS;
    stream->count--;
}

void stream_forget(Stream *stream) {
    while (stream->count > 0)
        window_drop(stream);
}

/* The window has a share of what all may keep, and at least the last block. */
static void window_add(Part *part, Stream *stream, WindowBlock added) {
    size_t share = READER_WINDOW_BYTES / atomic_load(&part->reader->part_count);
    if (stream->count > 0 && window_at(stream, stream->count - 1)->to != added.from)
        stream_forget(stream);
    while (stream->count == WINDOW_BLOCKS || (stream->count > 0 && stream->bytes > share))
        window_drop(stream);
    log_block_ref(added.block);
    stream->window[(stream->first + stream->count++) % WINDOW_BLOCKS] = added;
    stream->bytes += log_block_bytes(added.block).size;
}

LogBlock *stream_find(const Stream *stream, int64_t offset) {
    uint32_t low = 0, high = stream->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (window_at(stream, middle)->to <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stream->count || window_at(stream, low)->from > offset)
        return NULL;
    return window_at(stream, low)->block;
}

/* -- Taking ------------------------------------------------------------------------------------ */

static Scratch *scratch_take(KafkaReader *reader) {
    lock_take(&reader->scratch_lock);
    Scratch *scratch = reader->scratch;
    if (scratch)
        reader->scratch = scratch->next;
    lock_release(&reader->scratch_lock);
    return scratch ? scratch : mem_alloc(sizeof *scratch);
}

static void scratch_give(KafkaReader *reader, Scratch *scratch) {
    lock_take(&reader->scratch_lock);
    scratch->next = reader->scratch;
    reader->scratch = scratch;
    lock_release(&reader->scratch_lock);
}

/* The offset asked for is not there: is it gone, or is this another topic? */
static ErrCode stream_out_of_range(Part *part, int64_t offset, Err *err) {
    rd_kafka_t *handle = kafka_admin_client(part->reader->options.admin)->handle;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        handle, part->name, (int32_t)part->partition, &part->start, &part->end, START_WAIT_MS);
    part->seen = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    TRY(kafka_error(err, code, "Topic %s, partition %u", part->name, part->partition));
    if (offset > part->end)
        return err_set(err, ERR_TOPIC_DELETED,
                       "Topic %s, partition %u ends at %lld, and offset %lld was read before: it "
                       "was deleted and made anew, or has lost records",
                       part->name, part->partition, (long long)part->end, (long long)offset);
    if (offset < part->start)
        return err_set(err, ERR_NOT_FOUND, "Topic %s, partition %u begins at %lld now, not %lld",
                       part->name, part->partition, (long long)part->start, (long long)offset);
    return kafka_error(err, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, "Topic %s, partition %u",
                       part->name, part->partition);
}

static ErrCode stream_failed(Part *part, Stream *stream, const rd_kafka_message_t *message,
                             Err *err) {
    const char *text = rd_kafka_message_errstr(message);
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        return stream_out_of_range(part, stream->next, err);
    ErrCode code = kafka_error_code(message->err);
    return err_set(err, code, "Topic %s, partition %u, offset %lld: %s", part->name,
                   part->partition, (long long)stream->next,
                   text ? text : rd_kafka_err2str(message->err));
}

/* The messages up to the first error, which is the return. */
static ErrCode stream_encode(Part *part, Stream *stream, Scratch *scratch, size_t count,
                             Err *err) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += scratch->messages[i]->key_len + scratch->messages[i]->len + 24;
    if (count > 0)
        stream->record_bytes = bytes / count + 1;
    kafka_block_begin(&scratch->writer, bytes);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_message_t *message = scratch->messages[i];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (message->offset < stream->next)
                continue;
            kafka_block_add(&scratch->writer, message);
            stream->next = message->offset + 1;
        } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            if (message->offset > stream->next) {
                kafka_block_cover(&scratch->writer, message->offset - 1);
                stream->next = message->offset;
            }
        } else {
            return stream_failed(part, stream, message, err);
        }
    }
    return ERR_OK;
}

ErrCode stream_take(Part *part, uint32_t index, LogBlock **block, Err *err) {
    Stream *stream = &part->streams[index];
    int64_t from = stream->next;
    size_t wanted = stream->record_bytes > 0 ? BLOCK_BYTES / stream->record_bytes : 1024;
    if (wanted < BLOCK_RECORDS_MIN)
        wanted = BLOCK_RECORDS_MIN;
    if (wanted > READER_MESSAGES)
        wanted = READER_MESSAGES;
    Scratch *scratch = scratch_take(part->reader);
    ssize_t got = rd_kafka_consume_batch_queue(stream->queue, 0, scratch->messages, wanted);
    size_t count = got > 0 ? (size_t)got : 0;
    ErrCode code = count > 0 ? stream_encode(part, stream, scratch, count, err) : ERR_OK;
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(scratch->messages[i]);
    *block = count > 0 ? kafka_block_end(&scratch->writer) : NULL;
    scratch_give(part->reader, scratch);
    if (stream->next > part->end)
        part->end = stream->next;
    if (*block)
        window_add(part, stream, (WindowBlock){*block, from, stream->next});
    if (code == ERR_OK && (count == wanted || stream->was_full))
        stream_wake(part, index);
    if (code != ERR_OK)
        stream_stop(part, index);
    else if (count > 0)
        kafka_trouble_over(part->reader->options.trouble);
    return *block ? ERR_OK : code; /* an error behind records comes again */
}
