/*
 * copy_bulk.c - rows of a long COPY as whole segments, past the journal.
 *
 *   rows -> batch per partition --queue--> segment per partition -> one commit adds them all
 *
 * Bytes are written once instead of twice, and where all rows are wanted or none, the file needs to
 * be read only once: nothing of it is there before that one commit. A thread of its own writes, so
 * that decoding does not wait for the disk. Each commit carries the mark up to which the file is
 * done, together with the rows.
 *
 * Where others append to the same partitions their offsets are taken away, and the COPY goes on by
 * commits from its mark (copy.c). Invariant: copy->mark is behind the last rows that are durable.
 */
#include "engine/copy_impl.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

enum {
#ifdef HOSTILE_LIMITS
    BULK_FILE_BYTES = 16 << 10,
    BULK_BATCH_BYTES = 1 << 10,
    BULK_PARTITION_BYTES = 4 << 10,
    BULK_JOBS = 3,
#else
    BULK_FILE_BYTES = 16 << 20,      /* a smaller file is not worth its syncs */
    BULK_BATCH_BYTES = 240 << 10,    /* what is read at once, and a row more */
    BULK_PARTITION_BYTES = 16 << 20, /* half of what stays in memory for those who read along */
    BULK_JOBS = 64,                  /* batches on their way: what a slow sync takes to decode */
#endif
    BULK_PORTION = 4,                /* as many partitions' bytes are committed together */
    BULK_PARTITIONS_MAX = 64,        /* each has a file and a buffer open */
};

/* A batch for a partition, or (without rows) a commit. */
typedef struct BulkJob {
    RecordBatch batch;
    uint32_t partition;
    CopyMark mark;
} BulkJob;

struct CopyBulk {
    Copy *copy;
    SegmentAdd **adds;  /* per partition; NULL: not open. The writing thread's */
    uint64_t *given;    /* per partition: bytes handed over since the last commit */
    uint64_t given_all;
    bool is_full;
    bool has_thread;
    Thread thread;
    Lock lock; /* guards all below */
    Signal changed;
    BulkJob jobs[BULK_JOBS]; /* a ring */
    Buf empty[BULK_JOBS];    /* memory of batches that were written, for new ones */
    uint32_t empty_count;
    uint32_t first, count;
    bool is_busy; /* with a job that is out of the ring */
    bool stop;
    Err failure; /* code OK: none; nothing is written after it */
};

bool copy_bulk_suits(const Copy *copy) {
    return !copy->is_stream && !engine_has_cluster(copy->call->weir) &&
           io_input_size(copy->input) >= copy->offset + BULK_FILE_BYTES &&
           appender_partitions(copy->appender) <= BULK_PARTITIONS_MAX;
}

/* -- The thread that writes -------------------------------------------------------------------- */

static ErrCode bulk_write(CopyBulk *bulk, BulkJob *job, Err *err) {
    SegmentAdd **add = &bulk->adds[job->partition];
    const Copy *copy = bulk->copy;
    TopicPartition where = {appender_topic_id(copy->appender), job->partition};
    if (!*add)
        TRY(segment_add_open(copy->call->weir->storage, where, add, err));
    return segment_add_batch(*add, &job->batch, err);
}

static ErrCode bulk_add_segments(CopyBulk *bulk, Commit *commit, Err *err) {
    for (uint32_t i = 0; i < appender_partitions(bulk->copy->appender); i++) {
        SegmentAdd *add = bulk->adds[i];
        bulk->adds[i] = NULL;
        if (add)
            TRY(commit_segment(commit, add, err));
    }
    return ERR_OK;
}

static ErrCode bulk_commit(CopyBulk *bulk, const BulkJob *job, Err *err) {
    Commit *commit = commit_new(bulk->copy->call->weir->storage, 0);
    ErrCode code = bulk_add_segments(bulk, commit, err);
    if (code != ERR_OK) {
        commit_drop(commit);
        return code;
    }
    copy_write_note(bulk->copy, &job->mark, commit);
    TRY(commit_wait(commit, NULL, err));
    bulk->copy->mark = job->mark;
    return ERR_OK;
}

static ErrCode bulk_do(CopyBulk *bulk, BulkJob *job, Err *err) {
    return job->batch.count > 0 ? bulk_write(bulk, job, err) : bulk_commit(bulk, job, err);
}

/* With the lock held, which is given up in between. */
static void bulk_next(CopyBulk *bulk) {
    assert(bulk->count > 0);
    BulkJob job = bulk->jobs[bulk->first];
    bulk->first = (bulk->first + 1) % BULK_JOBS;
    bulk->count--;
    bulk->is_busy = true;
    bool failed = bulk->stop || bulk->failure.code != ERR_OK;
    lock_release(&bulk->lock);
    Err err;
    ErrCode code = failed ? ERR_OK : bulk_do(bulk, &job, &err);
    lock_take(&bulk->lock);
    bulk->is_busy = false;
    if (job.batch.buf.capacity > 0 && bulk->empty_count < BULK_JOBS)
        bulk->empty[bulk->empty_count++] = job.batch.buf;
    else
        record_batch_free(&job.batch);
    if (code != ERR_OK)
        bulk->failure = err;
    signal_all(&bulk->changed);
}

static void *bulk_thread(void *arg) {
    CopyBulk *bulk = arg;
    lock_take(&bulk->lock);
    while (bulk->count > 0 || !bulk->stop) {
        if (bulk->count > 0)
            bulk_next(bulk);
        else
            signal_wait(&bulk->changed, &bulk->lock);
    }
    lock_release(&bulk->lock);
    return NULL;
}

/* -- The thread that decodes ------------------------------------------------------------------- */

static CopyBulk *bulk_new(Copy *copy) {
    CopyBulk *bulk = mem_alloc(sizeof *bulk);
    uint32_t partitions = appender_partitions(copy->appender);
    bulk->copy = copy;
    bulk->adds = mem_array(partitions, sizeof(SegmentAdd *));
    bulk->given = mem_array(partitions, sizeof *bulk->given);
    bulk->failure.code = ERR_OK;
    lock_init(&bulk->lock);
    signal_init(&bulk->changed);
    bulk->has_thread = copy->call->weir->options.workers > 0;
    if (bulk->has_thread)
        thread_start(&bulk->thread, "copy", bulk_thread, bulk);
    return bulk;
}

/* Hands the job over: its memory is taken, and other given for the next. */
static ErrCode bulk_push(Copy *copy, BulkJob *job, Err *err) {
    if (!copy->bulk)
        copy->bulk = bulk_new(copy);
    CopyBulk *bulk = copy->bulk;
    lock_take(&bulk->lock);
    while (bulk->count == BULK_JOBS)
        signal_wait(&bulk->changed, &bulk->lock);
    bulk->jobs[(bulk->first + bulk->count++) % BULK_JOBS] = *job;
    if (bulk->has_thread)
        signal_all(&bulk->changed);
    else
        bulk_next(bulk);
    job->batch = (RecordBatch){0};
    if (bulk->empty_count > 0)
        job->batch.buf = bulk->empty[--bulk->empty_count];
    buf_reset(&job->batch.buf);
    Err failure = bulk->failure;
    lock_release(&bulk->lock);
    if (failure.code != ERR_OK)
        *err = failure;
    return failure.code;
}

static ErrCode bulk_give(Copy *copy, uint32_t partition, Err *err) {
    RecordBatch *batch = appender_seal(copy->appender, partition);
    if (!batch)
        return ERR_OK;
    size_t size = batch->buf.size;
    BulkJob job = {.batch = *batch, .partition = partition};
    ErrCode code = bulk_push(copy, &job, err);
    *batch = job.batch;
    TRY(code);
    CopyBulk *bulk = copy->bulk;
    bulk->given[partition] += size;
    bulk->given_all += size;
    bulk->is_full |= bulk->given[partition] >= BULK_PARTITION_BYTES ||
                     bulk->given_all >= (uint64_t)BULK_PARTITION_BYTES * BULK_PORTION;
    return ERR_OK;
}

ErrCode copy_bulk_row(Copy *copy, Err *err) {
    assert(copy->way == COPY_BULK);
    uint32_t partition;
    if (appender_last(copy->appender, &partition) < BULK_BATCH_BYTES)
        return ERR_OK;
    return bulk_give(copy, partition, err);
}

bool copy_bulk_full(const Copy *copy) {
    assert(copy->way == COPY_BULK);
    return !copy->is_whole && copy->bulk && copy->bulk->is_full;
}

ErrCode copy_bulk_commit(Copy *copy, Err *err) {
    assert(copy->way == COPY_BULK);
    uint32_t partitions = appender_partitions(copy->appender);
    for (uint32_t i = 0; i < partitions; i++)
        TRY(bulk_give(copy, i, err));
    BulkJob job = {.mark = copy_here(copy)};
    ErrCode code = bulk_push(copy, &job, err);
    record_batch_free(&job.batch);
    TRY(code);
    CopyBulk *bulk = copy->bulk;
    memset(bulk->given, 0, partitions * sizeof *bulk->given);
    bulk->given_all = 0;
    bulk->is_full = false;
    return ERR_OK;
}

ErrCode copy_bulk_wait(Copy *copy, Err *err) {
    CopyBulk *bulk = copy->bulk;
    if (!bulk)
        return ERR_OK;
    lock_take(&bulk->lock);
    while (bulk->count > 0 || bulk->is_busy)
        signal_wait(&bulk->changed, &bulk->lock);
    Err failure = bulk->failure;
    lock_release(&bulk->lock);
    if (failure.code != ERR_OK)
        *err = failure;
    return failure.code;
}

void copy_bulk_drop(Copy *copy) {
    CopyBulk *bulk = copy->bulk;
    if (!bulk)
        return;
    lock_take(&bulk->lock);
    bulk->stop = true;
    signal_all(&bulk->changed);
    lock_release(&bulk->lock);
    if (bulk->has_thread)
        thread_join(&bulk->thread);
    assert(bulk->count == 0);
    while (bulk->empty_count > 0)
        buf_free(&bulk->empty[--bulk->empty_count]);
    for (uint32_t i = 0; i < appender_partitions(copy->appender); i++)
        segment_add_drop(bulk->adds[i]);
    signal_close(&bulk->changed);
    lock_close(&bulk->lock);
    mem_free(bulk->adds);
    mem_free(bulk->given);
    mem_free(bulk);
    copy->bulk = NULL;
}
