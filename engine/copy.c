/*
 * copy.c - COPY source FROM 'file' | '-' (FORMAT ndjson | csv, HEADER, ON_ERROR 'stop' | 'skip').
 *
 * 'stop' loads all rows or none: one commit for the whole file (CopyWay says of what kind). 'skip'
 * loads in portions; each commit carries how far the file is done, together with its rows. So a
 * COPY that a crash cut off goes on exactly there when it is repeated for the same file; after its
 * end the note goes. Standard input is taken as it comes: what is there is committed before more is
 * waited for, so that others see rows arrive, and the rows in front of a bad one stay.
 *
 * A way may turn out to lead nowhere (ERR_BUSY): rows too many for one commit, a partition others
 * append to. Then the file is read again from the last durable row and goes in by commits, for
 * 'stop' after a pass that only checks the rest.
 *
 * The catalog is locked only while the source is looked up: a COPY may last for ever.
 */
#include "engine/copy_impl.h"

#include "base/limits.h"

enum {
#ifdef HOSTILE_LIMITS
    COPY_COMMIT_BYTES = 2048,
    COPY_TRANSACTION_BYTES = 4096,
#else
    COPY_COMMIT_BYTES = 2 << 20, /* long enough for the disk, short enough to overlap with it */
    COPY_TRANSACTION_BYTES = 8 << 20, /* one at a time, and a cluster takes a while */
#endif
    COPY_FAILURES_MAX = 10,      /* transactions in a row */
    COPY_PAUSE_US = 1000 * 1000, /* behind each */
    COPY_NOTICES_MAX = 100,      /* rows left out that are named; more are only counted */
    COPY_JSON_GROWTH_MAX = 6,    /* \u0001 for one byte */
};

static void copy_notice(void *context, const char *message) {
    Copy *copy = context;
    if (copy->quiet || copy->notices_again > 0) {
        copy->notices_again -= !copy->quiet;
        return;
    }
    copy->notice_count++;
    if (copy->notice_count <= COPY_NOTICES_MAX)
        engine_notice(copy->call->weir, "%s", message);
    if (copy->notice_count == COPY_NOTICES_MAX)
        engine_notice(copy->call->weir, "COPY: further rows left out are counted, not named.");
}

/* Nothing to read yet: what was read is made durable meanwhile. */
static ErrCode copy_waiting(void *context, Err *err) {
    Copy *copy = context;
    TRY(engine_interrupted(copy->call, err));
    if (appender_bytes(copy->appender) == 0)
        return ERR_OK;
    return copy_commit(copy, err);
}

static ErrCode copy_reader(Copy *copy, const bool *used, RowReader **reader, Err *err) {
    RowReaderOptions options = {.schema = copy->schema,
                                .used = used,
                                .format = copy->format,
                                .header = copy->header,
                                .skip_errors = copy->skip_errors,
                                .input = copy->input,
                                .name = copy->is_stream ? "standard input" : copy->path,
                                .notice = copy_notice,
                                .waiting = copy->is_stream ? copy_waiting : NULL,
                                .context = copy};
    return row_reader_new(&options, reader, err);
}

/* -- Rows -------------------------------------------------------------------------------------- */

static bool copy_all_missing(const Column *column, uint32_t count) {
    for (uint32_t row = 0; row < count; row++)
        if (!column_is_null(column, row))
            return false;
    return true;
}

/* ndjson whose members all have other names would load as rows of NULLs. */
static ErrCode copy_check_names(const Copy *copy, const RowChunk *chunk, Err *err) {
    for (uint32_t i = 0; i < copy->schema->column_count; i++)
        if (chunk->columns[i] && !copy_all_missing(chunk->columns[i], chunk->count))
            return ERR_OK;
    Buf names = {0};
    for (uint32_t i = 0; i < copy->schema->column_count; i++)
        if (chunk->columns[i])
            buf_printf(&names, "%s%s", names.size ? ", " : "", copy->schema->columns[i].name);
    ErrCode code = err_set(err, ERR_FORMAT,
                           "%s:%llu: no row has a value for a column of %s, which has: %s",
                           copy->path, (unsigned long long)chunk->places[0].line, copy->name,
                           buf_cstr(&names));
    buf_free(&names);
    return code;
}

/* Whether some row of the chunk may be one that cannot be written: too long, without its key. */
static bool copy_is_doubtful(const Copy *copy, const RowChunk *chunk) {
    if (chunk->count == 0)
        return false;
    size_t bytes = (size_t)chunk->bytes_max * COPY_JSON_GROWTH_MAX;
    for (uint32_t i = 0; i < copy->schema->column_count; i++)
        bytes += strlen(copy->schema->columns[i].name) * COPY_JSON_GROWTH_MAX + 16;
    if (bytes > RECORD_BYTES_MAX)
        return true;
    for (uint32_t i = 0; copy->is_table && i < copy->schema->key_count; i++)
        if (chunk->columns[i]->validity)
            return true;
    return false;
}

static ErrCode copy_check_rows(Copy *copy, RowReader *reader, const RowChunk *chunk, Err *err) {
    for (uint32_t row = 0; row < chunk->count; row++) {
        Err why;
        if (appender_check(copy->appender, chunk->columns, row, &why) != ERR_OK)
            TRY(row_reader_reject(reader, chunk->places[row].line, err, "%s", why.message));
    }
    return ERR_OK;
}

/* Reads the file to its end; *doubtful: for some rows the values are needed to tell. With all
 * columns (`used` NULL) they are told. */
static ErrCode copy_check_pass(Copy *copy, const bool *used, bool *doubtful, Err *err) {
    RowReader *reader;
    TRY(io_input_seek(copy->input, 0, err)); /* where a COPY by segments stopped */
    TRY(copy_reader(copy, used, &reader, err));
    RowChunk chunk;
    bool more = true;
    ErrCode code;
    *doubtful = false;
    while (more && !*doubtful) {
        TRY_DONE(engine_interrupted(copy->call, err));
        TRY_DONE(row_reader_next(reader, &chunk, &more, err));
        if (!copy_is_doubtful(copy, &chunk))
            continue;
        *doubtful = used != NULL;
        if (!used)
            TRY_DONE(copy_check_rows(copy, reader, &chunk, err));
    }
    copy->quiet = true; /* hints have been given */
    code = io_input_seek(copy->input, 0, err);
done:
    row_reader_free(reader);
    return code;
}

/* Checks the whole file without appending anything. Rows are checked whether their values are used
 * or not; of most files, only keys of tables are. */
static ErrCode copy_check(Copy *copy, Err *err) {
    bool *used = arena_array(copy->call->arena, copy->schema->column_count, sizeof *used);
    bool doubtful;
    for (uint32_t i = 0; copy->is_table && i < copy->schema->key_count; i++)
        used[i] = true;
    TRY(copy_check_pass(copy, used, &doubtful, err));
    return doubtful ? copy_check_pass(copy, NULL, &doubtful, err) : ERR_OK;
}

/* After each row. */
static ErrCode copy_move(Copy *copy, Err *err) {
    if (copy->way == COPY_BULK)
        return copy_bulk_row(copy, err);
    size_t most = tally_may_fail(&copy->tally) ? COPY_TRANSACTION_BYTES : COPY_COMMIT_BYTES;
    if (appender_bytes(copy->appender) < most)
        return ERR_OK;
    return copy->way == COPY_ONCE ? copy_gather(copy, err) : copy_commit(copy, err);
}

static ErrCode copy_add(Copy *copy, const RowChunk *chunk, Err *err) {
    Io *io = copy->call->weir->io;
    int64_t now_ms = io->ops->now_ms(io);
    for (uint32_t row = 0; row < chunk->count; row++) {
        const RowPlace *place = &chunk->places[row];
        Err why;
        if (appender_add(copy->appender, chunk->columns, row, now_ms, false, &why) == ERR_OK)
            copy->rows++;
        else
            TRY(row_reader_reject(copy->reader, place->line, err, "%s", why.message));
        copy->offset = place->end_offset;
        copy->line = place->end_line;
        TRY(copy_move(copy, err));
    }
    if (copy->skip_errors) /* behind the rows left out */
        row_reader_place(copy->reader, &copy->offset, &copy->line);
    if (copy->way == COPY_BULK && copy_bulk_full(copy))
        return copy_bulk_commit(copy, err);
    return ERR_OK;
}

static void copy_tell(Copy *copy, bool over) {
    WeirWork work = {.rows = copy->rows, .done = copy->offset,
                     .total = copy->is_stream ? 0 : io_input_size(copy->input), .over = over};
    if (!engine_tells(copy->call->weir, over, &copy->told_us))
        return;
    if (!copy->what)
        copy->what = arena_printf(copy->call->arena, "COPY %s", copy->name);
    work.what = copy->what;
    engine_tell(copy->call->weir, &work);
}

static ErrCode copy_rows(Copy *copy, Err *err) {
    RowChunk chunk;
    bool more = true, first = copy->rows == 0;
    while (more) {
        TRY(engine_interrupted(copy->call, err));
        copy_tell(copy, false);
        TRY(row_reader_next(copy->reader, &chunk, &more, err));
        if (first && chunk.count > 0)
            TRY(copy_check_names(copy, &chunk, err));
        first &= chunk.count == 0;
        TRY(copy_add(copy, &chunk, err));
    }
    copy->is_checked = true;
    return ERR_OK;
}

/* -- The statement ----------------------------------------------------------------------------- */

/* What stays of a COPY that failed on the way, in words, behind the reason. */
static void copy_explain(const Copy *copy, Err *err) {
    Err why = *err;
    unsigned long long rows = copy->rows;
    if (rows == 0)
        return;
    (void)err_set(err, why.code, "%s\n%llu row%s in front of it %s loaded%s", why.message, rows,
                  rows == 1 ? "" : "s", rows == 1 ? "is" : "are",
                  copy->is_stream ? "." : "; the same COPY goes on behind them.");
}

/* Commits what is pending and waits. */
static ErrCode copy_land(Copy *copy, Err *err) {
    if (copy->way == COPY_BULK) {
        TRY(copy_bulk_commit(copy, err));
        return copy_bulk_wait(copy, err);
    }
    if (copy->way == COPY_ONCE)
        return copy_gather_commit(copy, err);
    Err landing;
    ErrCode code = copy->is_broken ? ERR_OK : copy_commit(copy, err);
    ErrCode landed = copy_commit_wait(copy, &landing);
    if (code != ERR_OK || landed == ERR_OK)
        return code;
    *err = landing;
    return landed;
}

static void copy_drop(Copy *copy) {
    appender_clear(copy->appender);
    copy_bulk_drop(copy);
    commit_drop(copy->commit);
    copy->commit = NULL;
}

/* Rows read in front of a failure stay, unless all are wanted or none. */
static void copy_fail(Copy *copy, Err *err) {
    Err other;
    bool broken = copy->is_broken || copy->is_whole;
    ErrCode code = copy->is_whole ? ERR_OK : copy_land(copy, &other);
    if (copy->way == COPY_BULK && code != ERR_OK && copy->mark.rows > 0) {
        copy->rows = copy->mark.rows;
        code = ERR_OK;
    }
    if (code == ERR_OK && !broken)
        copy_explain(copy, err);
}

/* To the mark; from there by commits, or the same way again. */
static ErrCode copy_go_back(Copy *copy, bool again, Err *err) {
    copy_drop(copy);
    copy->is_broken = false;
    copy->quiet |= !copy->skip_errors; /* hints have been given */
    if (copy->is_whole && !copy->is_checked)
        TRY(copy_check(copy, err));
    const CopyMark *mark = &copy->mark;
    copy->rows = mark->rows;
    copy->offset = mark->offset;
    copy->line = mark->line;
    copy->skipped_again += row_reader_skipped(copy->reader) - mark->skipped;
    copy->notices_again = copy->notice_count - mark->notices;
    if (!again) {
        copy->way = COPY_COMMITS;
        copy->is_whole = false;
    }
    return row_reader_resume(copy->reader, mark->offset, mark->line, err);
}

/* Whether a transaction has failed that may be made again. */
static bool copy_may_repeat(Copy *copy, ErrCode code) {
    return tally_may_fail(&copy->tally) && err_action(code) == ERR_ACTION_RETRY &&
           code != ERR_BUSY && ++copy->failures <= COPY_FAILURES_MAX;
}

static ErrCode copy_pause(const Copy *copy, Err *err) {
    Io *io = copy->call->weir->io;
    int64_t now_us, until_us = io->ops->mono_us(io) + COPY_PAUSE_US;
    while ((now_us = io->ops->mono_us(io)) < until_us) {
        TRY(engine_interrupted(copy->call, err));
        storage_await(copy->call->weir->storage, until_us - now_us);
    }
    return ERR_OK;
}

static ErrCode copy_run(Copy *copy, Err *err) {
    for (;;) {
        ErrCode code = copy_rows(copy, err);
        bool landing = code == ERR_OK;
        if (landing)
            code = copy_land(copy, err);
        bool again = copy_may_repeat(copy, code);
        if (!landing && !again && code != ERR_BUSY)
            copy_fail(copy, err);
        if (!again && (code != ERR_BUSY || copy->way == COPY_COMMITS))
            return code;
        if (again)
            TRY(copy_pause(copy, err));
        TRY(copy_go_back(copy, again, err));
    }
}

/* Where to begin, and how. */
static ErrCode copy_begin(Copy *copy, Err *err) {
    bool resumes = copy->offset > 0;
    TRY(copy_reader(copy, NULL, &copy->reader, err));
    if (resumes) {
        engine_notice(copy->call->weir, "COPY goes on behind row %llu, where it was cut off.",
                      (unsigned long long)copy->rows);
        TRY(row_reader_resume(copy->reader, copy->offset, copy->line, err));
    } else {
        row_reader_place(copy->reader, &copy->offset, &copy->line);
    }
    copy->is_whole = !copy->skip_errors && !copy->is_stream && !resumes;
    copy->way = copy_bulk_suits(copy) ? COPY_BULK : copy->is_whole ? COPY_ONCE : COPY_COMMITS;
    copy->mark = copy_here(copy);
    return ERR_OK;
}

static ErrCode copy_load(Copy *copy, Err *err) {
    TRY(copy_read_note(copy, err));
    TRY(copy_begin(copy, err));
    TRY(copy_run(copy, err));
    copy_forget_note(copy);
    uint64_t skipped = row_reader_skipped(copy->reader) - copy->skipped_again;
    result_message(copy->call->result, "COPY %llu", (unsigned long long)copy->rows);
    if (skipped > 0)
        result_message(copy->call->result, "%llu row%s left out", (unsigned long long)skipped,
                       skipped == 1 ? "" : "s");
    return ERR_OK;
}

static ErrCode copy_check_target(const Source *source, Err *err) {
    if (!source->is_read_only && source->topic.window == WINDOW_NONE)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC, "Cannot insert values into %s %s: %s",
                   source->is_read_only ? "read-only" : "windowed",
                   source->is_table ? "table" : "stream", source->name);
}

/* Under the lock: what is needed of the catalog. */
static ErrCode copy_bind(Copy *copy, Err *err) {
    const AstStatement *statement = copy->call->statement;
    Weir *weir = copy->call->weir;
    const Source *source;
    TRY(engine_find_source(weir, statement->name, statement->name_pos, &source, err));
    TRY(copy_check_target(source, err));
    TRY(copy_options(copy, err));
    copy->name = arena_strdup(copy->call->arena, source->name);
    copy->schema = schema_copy(copy->call->arena, source->topic.schema);
    copy->is_table = source->is_table;
    return appender_new(weir->storage, source, &copy->appender, err);
}

ErrCode engine_copy(Call *call, Err *err) {
    Copy copy = {.call = call, .path = arena_text(call->arena, call->statement->text)};
    shared_lock_read(&call->weir->lock);
    ErrCode code = copy_bind(&copy, err);
    shared_lock_release(&call->weir->lock);
    if (code != ERR_OK)
        goto done;
    TRY_DONE(io_input_open(copy.path, &copy.input, err));
    copy.is_stream = io_input_identity(copy.input) == 0;
    code = copy_commit_open(&copy, err);
    if (code == ERR_OK)
        code = copy_load(&copy, err);
    copy_tell(&copy, true);
    copy_commit_close(&copy);
    copy_drop(&copy);
done:
    row_reader_free(copy.reader);
    appender_free(copy.appender);
    io_input_close(copy.input);
    return code;
}
