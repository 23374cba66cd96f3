/* insert.c - INSERT INTO ... VALUES, and rows given by the C API. */
#include "base/mem.h"
#include "engine/appender.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"
#include "runtime/expr.h"

/* The same as an INSERT that is remembered, or not at all. */
static ErrCode insert_once(Call *call, Appender *appender, Err *err) {
    Tally tally;
    TRY(engine_once_open(call->weir, call->once, &tally, err));
    Commit *commit = tally_commit(&tally);
    appender_flush(appender, commit);
    tally_write(&tally, &(uint64_t){1}, commit);
    tally_close(&tally);
    return commit_wait(commit, NULL, err);
}

static ErrCode insert_row(Call *call, const Source *target, const Column *const *columns,
                          int64_t rowtime, Err *err) {
    Storage *storage = call->weir->storage;
    Appender *appender;
    TRY(appender_new(storage, target, &appender, err));
    ErrCode code = appender_add(appender, columns, 0, rowtime, false, err);
    if (code == ERR_OK && call->once != 0) {
        code = insert_once(call, appender, err);
    } else if (code == ERR_OK) {
        Commit *commit = commit_new(storage, 0);
        appender_flush(appender, commit);
        code = commit_wait(commit, NULL, err);
    }
    appender_free(appender);
    return code;
}

ErrCode engine_insert_values(Call *call, const Planned *planned, Err *err) {
    Weir *weir = call->weir;
    const Source *target = planned->target;
    uint32_t count = target->topic.schema->column_count;
    const Column **columns = arena_array(call->arena, count, sizeof *columns);
    TRY(expr_constant(planned->values, count, call->arena, columns, err));
    int64_t rowtime = weir->io->ops->now_ms(weir->io);
    if (planned->rowtime) {
        const Column *given;
        TRY(expr_constant(&planned->rowtime, 1, call->arena, &given, err));
        if (!column_is_null(given, 0))
            rowtime = given->i64[0];
        if (rowtime < 0)
            return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                              call->statement->name_pos.column,
                              "Failed to insert values into '%s'. Invalid timestamp: %lld. "
                              "Timestamp should always be non-negative or null.",
                              target->name, (long long)rowtime);
    }
    return insert_row(call, target, columns, rowtime, err);
}

/* A commit may have several batches of a partition; none may be too long. */
enum { INSERT_BATCH_BYTES = 4 << 20 };

typedef struct InsertRows {
    Appender *appender;
    RowReader *reader;
    Commit *commit;
    int64_t now_ms;
} InsertRows;

/* Adds all rows to the commit; the reader stops at the first bad one. */
static ErrCode insert_add_rows(InsertRows *insert, Err *err) {
    RowChunk chunk;
    bool more = true;
    while (more) {
        TRY(row_reader_next(insert->reader, &chunk, &more, err));
        for (uint32_t row = 0; row < chunk.count; row++) {
            Err why;
            if (appender_add(insert->appender, chunk.columns, row, insert->now_ms, false, &why) !=
                ERR_OK)
                return row_reader_reject(insert->reader, chunk.places[row].line, err, "%s",
                                         why.message);
            if (appender_bytes(insert->appender) >= INSERT_BATCH_BYTES)
                appender_flush(insert->appender, insert->commit);
        }
    }
    appender_flush(insert->appender, insert->commit);
    return ERR_OK;
}

/* A name as it stands in the catalog, or as SQL would write it without quotes. */
static ErrCode insert_target(Weir *weir, const char *name, const Source **target, Err *err) {
    *target = catalog_source(&weir->catalog, name);
    if (*target)
        return ERR_OK;
    char *upper = mem_strdup(name);
    for (char *at = upper; *at; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    ErrCode code = engine_find_source(weir, upper, (AstPos){0}, target, err);
    mem_free(upper);
    return code;
}

static ErrCode insert_json(Weir *weir, const char *name, const char *json_rows, Err *err) {
    const Source *target;
    TRY(insert_target(weir, name, &target, err));
    if (target->is_read_only || target->topic.window != WINDOW_NONE)
        return err_set(err, ERR_SEMANTIC, "Cannot insert values into %s %s: %s",
                       target->is_read_only ? "read-only" : "windowed",
                       target->is_table ? "table" : "stream", name);
    RowReaderOptions options = {.schema = target->topic.schema,
                                .format = ROW_FORMAT_NDJSON,
                                .text = bytes_of(json_rows),
                                .name = "row"};
    InsertRows insert = {.now_ms = weir->io->ops->now_ms(weir->io)};
    ErrCode code;
    TRY_DONE(appender_new(weir->storage, target, &insert.appender, err));
    TRY_DONE(row_reader_new(&options, &insert.reader, err));
    insert.commit = commit_new(weir->storage, 0);
    code = insert_add_rows(&insert, err);
    if (code == ERR_OK)
        code = commit_wait(insert.commit, NULL, err);
    else
        commit_drop(insert.commit);
done:
    row_reader_free(insert.reader);
    appender_free(insert.appender);
    return code;
}

WeirStatus weir_insert(Weir *weir, const char *source, const char *json_rows, WeirError *error) {
    Err err;
    shared_lock_read(&weir->lock);
    ErrCode code = storage_state(weir->storage, &err);
    if (code == ERR_OK)
        code = insert_json(weir, source, json_rows, &err);
    shared_lock_release(&weir->lock);
    if (code == ERR_OK)
        return WEIR_OK;
    result_error(error, &err, 0);
    return WEIR_FAILED;
}
