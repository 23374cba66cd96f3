/*
 * result_queue.c - rows of a push query on their way from a worker to the client.
 *
 * Rows wait as row value bytes (data/row_value.h) in one buffer, which copies them out of the
 * step's arena whatever their types are; the reader decodes what it takes. Two buffers swap: the
 * worker fills one, the reader has the other.
 *
 * Locks: everything but `cancelled` and the reader's side is guarded by `lock`.
 */
#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "data/row_value.h"
#include "runtime/result_impl.h"

/* A signal's handler may cancel, so a waiting reader looks at the flag itself now and then. */
enum { RESULT_LOOK_US = 20000 };

typedef struct ResultBuffer {
    Buf bytes;
    uint32_t *sizes;
    uint8_t *kinds;
    int64_t *rowtimes;
    uint32_t count;
} ResultBuffer;

struct ResultQueue {
    Lock lock;
    Signal signal; /* worker -> reader: rows or the end */
    uint32_t rows_max;
    const Schema *schema;
    ResultBuffer filling;
    bool discards; /* rows are dropped as they come */
    bool ended;
    Err reason; /* code OK: the end */
    void (*wake)(void *context);
    void *wake_context;
    _Atomic bool cancelled;

    ResultBuffer taken; /* the reader's */
    uint32_t taken_next;
    size_t taken_bytes;
    Arena *arena; /* columns of the last take */
    Arena *own;   /* of the schema */
    const Type **types;
};

static void buffer_init(ResultBuffer *buffer, uint32_t rows_max) {
    assert(rows_max > 0);
    assert(rows_max > 0);
    buffer->sizes = mem_array(rows_max, sizeof *buffer->sizes);
    buffer->kinds = mem_array(rows_max, sizeof *buffer->kinds);
    buffer->rowtimes = mem_array(rows_max, sizeof *buffer->rowtimes);
}

static void buffer_close(ResultBuffer *buffer) {
    buf_free(&buffer->bytes);
    mem_free(buffer->sizes);
    mem_free(buffer->kinds);
    mem_free(buffer->rowtimes);
}

ResultQueue *result_queue_new(uint32_t rows_max) {
    assert(rows_max > 0);
    ResultQueue *queue = mem_alloc(sizeof *queue);
    queue->rows_max = rows_max;
    lock_init(&queue->lock);
    signal_init(&queue->signal);
    buffer_init(&queue->filling, rows_max);
    buffer_init(&queue->taken, rows_max);
    queue->arena = arena_new("result", 0);
    queue->own = arena_new("result schema", 0);
    return queue;
}

void result_queue_free(ResultQueue *queue) {
    if (!queue)
        return;
    buffer_close(&queue->filling);
    buffer_close(&queue->taken);
    arena_free(queue->arena);
    arena_free(queue->own);
    signal_close(&queue->signal);
    lock_close(&queue->lock);
    mem_free(queue);
}

void result_queue_open(ResultQueue *queue, const Schema *schema) {
    assert(schema);
    lock_take(&queue->lock);
    assert(!queue->schema);
    queue->schema = schema_copy(queue->own, schema);
    queue->types = arena_array(queue->own, schema->column_count, sizeof *queue->types);
    for (uint32_t i = 0; i < schema->column_count; i++)
        queue->types[i] = queue->schema->columns[i].type;
    lock_release(&queue->lock);
}

void result_queue_on_room(ResultQueue *queue, void (*wake)(void *context), void *context) {
    assert(wake);
    lock_take(&queue->lock);
    queue->wake = wake;
    queue->wake_context = context;
    lock_release(&queue->lock);
}

uint32_t result_queue_room(ResultQueue *queue) {
    lock_take(&queue->lock);
    assert(queue->filling.count <= queue->rows_max);
    uint32_t room = queue->rows_max - queue->filling.count;
    lock_release(&queue->lock);
    return room;
}

void result_queue_put(ResultQueue *queue, const Batch *batch, uint32_t from, uint32_t to) {
    assert(from <= to);
    lock_take(&queue->lock);
    ResultBuffer *buffer = &queue->filling;
    assert(to - from <= queue->rows_max - buffer->count);
    /* A query is stopped while its worker is in a step: nobody will read these rows. */
    bool wanted = !queue->ended && !queue->discards;
    for (uint32_t i = from; wanted && i < to; i++) {
        uint32_t row = batch->selected[i];
        size_t before = buffer->bytes.size;
        row_value_put(&buffer->bytes, batch->columns, batch->schema->column_count, row);
        buffer->sizes[buffer->count] = (uint32_t)(buffer->bytes.size - before);
        buffer->kinds[buffer->count] = batch->kind[row];
        buffer->rowtimes[buffer->count++] = batch->rowtime[row];
    }
    signal_all(&queue->signal);
    lock_release(&queue->lock);
}

void result_queue_end(ResultQueue *queue, const Err *err) {
    lock_take(&queue->lock);
    if (!queue->ended && err)
        queue->reason = *err;
    queue->ended = true;
    queue->wake = NULL;
    signal_all(&queue->signal);
    lock_release(&queue->lock);
}

void result_queue_discard(ResultQueue *queue) {
    lock_take(&queue->lock);
    assert(queue->filling.count <= queue->rows_max);
    queue->discards = true;
    buf_reset(&queue->filling.bytes);
    queue->filling.count = 0;
    if (queue->wake)
        queue->wake(queue->wake_context);
    lock_release(&queue->lock);
}

bool result_queue_cancelled(ResultQueue *queue) {
    return atomic_load(&queue->cancelled);
}

void result_queue_cancel(ResultQueue *queue) {
    atomic_store(&queue->cancelled, true);
}

/* Waits until there are rows or an end; both locks' sides swap. */
static void refill(ResultQueue *queue, int64_t timeout_us) {
    assert(queue->taken_next == queue->taken.count);
    assert(timeout_us >= 0);
    lock_take(&queue->lock);
    while (queue->filling.count == 0 && !queue->ended && timeout_us > 0 &&
           !atomic_load(&queue->cancelled)) {
        int64_t slice_us = timeout_us < RESULT_LOOK_US ? timeout_us : RESULT_LOOK_US;
        signal_wait_for(&queue->signal, &queue->lock, slice_us);
        timeout_us -= slice_us;
    }
    ResultBuffer swap = queue->taken;
    queue->taken = queue->filling;
    queue->filling = swap;
    buf_reset(&queue->filling.bytes);
    queue->filling.count = 0;
    queue->taken_next = 0;
    queue->taken_bytes = 0;
    /* Called with the lock held, so that it cannot outlive the query: see result_queue_end(). */
    if (queue->taken.count > 0 && queue->wake)
        queue->wake(queue->wake_context);
    lock_release(&queue->lock);
}

static ErrCode decode_rows(ResultQueue *queue, ResultRows *rows, Err *err) {
    assert(rows);
    ResultBuffer *taken = &queue->taken;
    uint32_t count = taken->count - queue->taken_next;
    if (count > BATCH_ROWS_MAX)
        count = BATCH_ROWS_MAX;
    const Schema *schema = queue->schema;
    Bytes *bytes = arena_array(queue->arena, count, sizeof *bytes);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = taken->sizes[queue->taken_next + i];
        bytes[i] = (Bytes){taken->bytes.data + queue->taken_bytes, size};
        queue->taken_bytes += size;
    }
    assert(queue->taken_bytes <= taken->bytes.size);
    RowLayout layout = {queue->types, schema->column_count};
    Column **columns = arena_array(queue->arena, schema->column_count, sizeof *columns);
    TRY(row_value_get(bytes, count, &layout, queue->arena, columns, err));
    *rows = (ResultRows){.schema = schema, .columns = (const Column *const *)columns,
                         .count = count, .kinds = taken->kinds + queue->taken_next,
                         .rowtimes = taken->rowtimes + queue->taken_next};
    queue->taken_next += count;
    return ERR_OK;
}

/* Nothing was there: whether nothing will be. */
static ErrCode take_end(ResultQueue *queue, bool *ended, Err *err) {
    if (atomic_load(&queue->cancelled)) {
        *ended = true;
        return err_set(err, ERR_CANCELLED, "cancelled");
    }
    lock_take(&queue->lock);
    *ended = queue->ended && queue->filling.count == 0;
    ErrCode code = *ended ? queue->reason.code : ERR_OK;
    if (code != ERR_OK)
        *err = queue->reason;
    lock_release(&queue->lock);
    return code;
}

ErrCode result_queue_take(ResultQueue *queue, int64_t timeout_us, ResultRows *rows, bool *ended,
                          Err *err) {
    assert(rows);
    assert(ended);
    *rows = (ResultRows){0};
    *ended = false;
    arena_reset(queue->arena);
    if (queue->taken_next == queue->taken.count && !atomic_load(&queue->cancelled))
        refill(queue, timeout_us);
    if (atomic_load(&queue->cancelled) || queue->taken_next == queue->taken.count)
        return take_end(queue, ended, err);
    return decode_rows(queue, rows, err);
}
