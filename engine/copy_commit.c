/*
 * copy_commit.c - rows of a COPY become durable, and how far it came with them.
 *
 * A few commits are in flight at once, so that decoding does not wait for the disk. They become
 * durable in the order they were handed over. Where one in flight fails, so do those behind it (the
 * storage has stopped, or the topic is gone), and none is handed over any more. So the newest note
 * that is durable tells the truth.
 */
#include "base/reader.h"
#include "engine/copy_impl.h"
#include "storage/store.h"

enum {
#ifdef HOSTILE_LIMITS
    COPY_GATHER_BYTES_MAX = 64 << 10,
#else
    COPY_GATHER_BYTES_MAX = 32 << 20, /* half of what a commit may have */
#endif
};

void copy_commit_open(Copy *copy) {
    if (copy->is_stream)
        return;
    uint64_t identity = io_input_identity(copy->input);
    assert(identity != 0);
    buf_u64_be(&copy->key, identity);
    buf_u32_be(&copy->key, appender_topic_id(copy->appender));
}

void copy_commit_close(Copy *copy) {
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

CopyMark copy_here(const Copy *copy) {
    return (CopyMark){.rows = copy->rows,
                      .offset = copy->offset,
                      .line = copy->line,
                      .skipped = row_reader_skipped(copy->reader),
                      .notices = copy->notice_count};
}

void copy_write_note(const Copy *copy, const CopyMark *mark, Commit *commit) {
    if (copy->is_stream)
        return;
    Buf value = {0};
    buf_u64_le(&value, mark->offset);
    buf_u64_le(&value, mark->line);
    buf_u64_le(&value, mark->rows);
    commit_put(commit, STORE_COPY, buf_view(&copy->key), buf_view(&value));
    buf_free(&value);
}

void copy_forget_note(Copy *copy) {
    if (copy->is_stream)
        return;
    Commit *commit = commit_new(copy->call->weir->storage, 0);
    commit_remove(commit, STORE_COPY, buf_view(&copy->key));
    result_farewell(copy->call->result, commit);
}

ErrCode copy_commit_wait(Copy *copy, Err *err) {
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < COPY_FLIGHT_MAX; i++) {
        Err later;
        CommitTicket *ticket = &copy->tickets[(copy->next_ticket + i) % COPY_FLIGHT_MAX];
        ErrCode landed = commit_ticket_wait(ticket, NULL, code == ERR_OK ? err : &later);
        if (code == ERR_OK)
            code = landed;
    }
    return code;
}

static ErrCode copy_send(Copy *copy, Err *err) {
    CommitTicket *ticket = &copy->tickets[copy->next_ticket];
    TRY(commit_ticket_wait(ticket, NULL, err));
    Commit *commit = commit_new(copy->call->weir->storage, 0);
    commit_expect(commit, appender_bytes(copy->appender));
    appender_flush(copy->appender, commit);
    CopyMark here = copy_here(copy);
    copy_write_note(copy, &here, commit);
    copy->next_ticket = (copy->next_ticket + 1) % COPY_FLIGHT_MAX;
    return commit_send(commit, ticket, err);
}

ErrCode copy_commit(Copy *copy, Err *err) {
    assert(!copy->is_broken);
    ErrCode code = copy_send(copy, err);
    copy->is_broken = code != ERR_OK; /* a later note would hide the rows that are missing */
    return code;
}

ErrCode copy_gather(Copy *copy, Err *err) {
    assert(copy->way == COPY_ONCE);
    if (!copy->commit)
        copy->commit = commit_new(copy->call->weir->storage, 0);
    appender_flush(copy->appender, copy->commit);
    if (commit_bytes(copy->commit) <= COPY_GATHER_BYTES_MAX)
        return ERR_OK;
    return err_set(err, ERR_BUSY, "the rows are too many for one commit");
}

ErrCode copy_gather_commit(Copy *copy, Err *err) {
    TRY(copy_gather(copy, err));
    Commit *commit = copy->commit;
    copy->commit = NULL;
    CopyMark here = copy_here(copy);
    copy_write_note(copy, &here, commit);
    return commit_wait(commit, NULL, err);
}
