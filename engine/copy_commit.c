/*
 * copy_commit.c - rows of a COPY become durable, and how far it came with them.
 *
 * A few commits are in flight at once, so that decoding does not wait for the disk. They become
 * durable in the order they were handed over, and after one that failed none follows: the storage
 * stops, or the topic is gone for all of them. So the newest note that is durable tells the truth.
 */
#include "base/reader.h"
#include "engine/copy_impl.h"
#include "storage/store.h"

enum { COPY_FLIGHT_MAX = 4 };

void copy_commit_open(Copy *copy) {
    lock_init(&copy->flight.lock);
    signal_init(&copy->flight.changed);
    if (copy->is_stream)
        return;
    uint64_t identity = io_input_identity(copy->input);
    assert(identity != 0);
    buf_u64_be(&copy->key, identity);
    buf_u32_be(&copy->key, appender_topic_id(copy->appender));
}

void copy_commit_close(Copy *copy) {
    assert(copy->flight.count == 0);
    signal_close(&copy->flight.changed);
    lock_close(&copy->flight.lock);
    buf_free(&copy->key);
}

ErrCode copy_read_note(Copy *copy, Err *err) {
    if (copy->is_stream)
        return ERR_OK;
    Snapshot *snapshot = snapshot_open(copy->call->weir->storage);
    Bytes key = buf_view(&copy->key), value;
    ErrCode code = store_get(snapshot, STORE_COPY, &key, 1, &value, err);
    if (code == ERR_OK && value.data) {
        Reader reader = reader_of(value);
        copy->offset = reader_u64_le(&reader);
        copy->line = reader_u64_le(&reader);
        copy->rows = reader_u64_le(&reader);
        if (!reader_ok(&reader))
            code = err_set(err, ERR_CORRUPT, "the note of a COPY that was cut off is damaged");
    }
    snapshot_close(snapshot);
    return code;
}

static void copy_write_note(const Copy *copy, Commit *commit, bool last) {
    if (copy->is_stream)
        return;
    if (last) {
        commit_remove(commit, STORE_COPY, buf_view(&copy->key));
        return;
    }
    Buf value = {0};
    buf_u64_le(&value, copy->offset);
    buf_u64_le(&value, copy->line);
    buf_u64_le(&value, copy->rows);
    commit_put(commit, STORE_COPY, buf_view(&copy->key), buf_view(&value));
    buf_free(&value);
}

/* On the storage's writer thread. */
static void copy_committed(void *arg, const CommitOutcome *outcome) {
    CopyFlight *flight = arg;
    lock_take(&flight->lock);
    assert(flight->count > 0);
    if (outcome->result == COMMIT_ABORTED && flight->failure.code == ERR_OK)
        flight->failure = *outcome->err;
    flight->count--;
    signal_all(&flight->changed);
    lock_release(&flight->lock);
}

static ErrCode copy_wait_flight(CopyFlight *flight, uint32_t most, Err *err) {
    lock_take(&flight->lock);
    while (flight->count > most)
        signal_wait(&flight->changed, &flight->lock);
    ErrCode code = flight->failure.code;
    if (code != ERR_OK)
        *err = flight->failure;
    lock_release(&flight->lock);
    return code;
}

ErrCode copy_commit_wait(Copy *copy, Err *err) {
    return copy_wait_flight(&copy->flight, 0, err);
}

static ErrCode copy_submit(Copy *copy, Commit *commit, Err *err) {
    CopyFlight *flight = &copy->flight;
    lock_take(&flight->lock);
    flight->count++;
    lock_release(&flight->lock);
    ErrCode code = commit_submit(commit, copy_committed, flight, err);
    if (code == ERR_OK)
        return ERR_OK;
    lock_take(&flight->lock);
    flight->count--;
    lock_release(&flight->lock);
    return code;
}

ErrCode copy_commit(Copy *copy, bool last, Err *err) {
    Weir *weir = copy->call->weir;
    TRY(copy_wait_flight(&copy->flight, COPY_FLIGHT_MAX - 1, err));
    Commit *commit = commit_new(weir->storage, 0);
    appender_flush(copy->appender, commit);
    copy_write_note(copy, commit, last);
    if (weir->options.workers == 0)
        return commit_wait(commit, NULL, err);
    ErrCode code = copy_submit(copy, commit, err);
    if (code != ERR_OK)
        commit_drop(commit);
    return code;
}
