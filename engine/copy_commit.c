/*
 * copy_commit.c - rows of a COPY become durable, and how far it came with them.
 *
 * A few commits are in flight at once, so that decoding does not wait for the disk. They become
 * durable in the order they were handed over. Where one in flight fails, so do those behind it (the
 * storage has stopped, or the topic is gone), and none is handed over any more. So the newest note
 * that is durable tells the truth.
 */
#include "engine/copy_impl.h"
#include "storage/store.h"

enum {
#ifdef HOSTILE_LIMITS
    COPY_GATHER_BYTES_MAX = 64 << 10,
#else
    COPY_GATHER_BYTES_MAX = 32 << 20, /* half of what a commit may have */
#endif
};

ErrCode copy_commit_open(Copy *copy, Err *err) {
    if (copy->is_stream)
        return ERR_OK;
    Buf key = {0};
    uint64_t identity = io_input_identity(copy->input);
    assert(identity != 0);
    buf_u64_be(&key, identity);
    buf_u32_be(&key, appender_topic_id(copy->appender));
    const Call *call = copy->call;
    if (call->once != 0)
        buf_u64_be(&key, call->once);
    TallyOptions options = {.store_id = STORE_COPY, .key = buf_view(&key), .count = COPY_FIGURES,
                            .topic = call->once ? NULL : appender_topic(copy->appender)};
    ErrCode code = tally_open(call->weir->storage, &options, &copy->tally, err);
    buf_free(&key);
    if (code == ERR_OK && call->once != 0)
        code = engine_once_open(call->weir, call->once, &copy->once, err);
    return code;
}

void copy_commit_close(Copy *copy) {
    tally_close(&copy->tally);
    tally_close(&copy->once);
}

ErrCode copy_read_note(Copy *copy, Err *err) {
    if (copy->is_stream)
        return ERR_OK;
    uint64_t figures[COPY_FIGURES];
    TRY(tally_read(&copy->tally, figures, err));
    copy->offset = figures[COPY_OFFSET];
    copy->line = figures[COPY_LINE];
    copy->rows = figures[COPY_ROWS];
    return ERR_OK;
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
    uint64_t figures[COPY_FIGURES] = {[COPY_OFFSET] = mark->offset, [COPY_LINE] = mark->line,
                                      [COPY_ROWS] = mark->rows};
    tally_write(&copy->tally, figures, commit);
}

/* Standard input has no place to go on from: its rows are records, and no more. */
static Commit *copy_new_commit(const Copy *copy) {
    return copy->is_stream ? commit_new(copy->call->weir->storage, 0) : tally_commit(&copy->tally);
}

void copy_forget_note(Copy *copy) {
    if (copy->is_stream)
        return;
    Commit *commit = copy_new_commit(copy);
    tally_forget(&copy->tally, commit);
    if (copy->call->once != 0)
        tally_write(&copy->once, &(uint64_t){1}, commit);
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
    Commit *commit = copy_new_commit(copy);
    commit_expect(commit, appender_bytes(copy->appender));
    appender_flush(copy->appender, commit);
    CopyMark here = copy_here(copy);
    copy_write_note(copy, &here, commit);
    copy->next_ticket = (copy->next_ticket + 1) % COPY_FLIGHT_MAX;
    TRY(commit_send(commit, ticket, err));
    if (!tally_may_fail(&copy->tally))
        return ERR_OK;
    TRY(commit_ticket_wait(ticket, NULL, err)); /* one that fails has none behind it */
    copy->mark = here;
    copy->failures = 0;
    return ERR_OK;
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
        copy->commit = copy_new_commit(copy);
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
