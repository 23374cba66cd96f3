/* insert.c - INSERT INTO ... VALUES, and rows given by the C API. */
#include "engine/appender.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"
#include "runtime/expr.h"

static ErrCode insert_row(Weir *weir, const Source *target, const Column *const *columns,
                          int64_t rowtime, Err *err) {
    Appender *appender;
    TRY(appender_new(weir->storage, target, &appender, err));
    Commit *commit = NULL;
    ErrCode code;
    TRY_DONE(appender_add(appender, columns, 0, rowtime, false, err));
    commit = commit_new(weir->storage, 0);
    appender_flush(appender, commit);
    TRY_DONE(commit_wait(commit, NULL, err));
done:
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
    }
    return insert_row(weir, target, columns, rowtime, err);
}

/* Adds the rows of `text` to the appender; the reader stops at the first bad one. */
static ErrCode insert_add_rows(Appender *appender, RowReader *reader, int64_t now_ms, Err *err) {
    RowChunk chunk;
    bool more = true;
    while (more) {
        TRY(row_reader_next(reader, &chunk, &more, err));
        for (uint32_t row = 0; row < chunk.count; row++)
            TRY(appender_add(appender, chunk.columns, row, now_ms, false, err));
    }
    return ERR_OK;
}

static ErrCode insert_json(Weir *weir, const char *name, const char *json_rows, Err *err) {
    const Source *target;
    TRY(engine_find_source(weir, name, (AstPos){0}, &target, err));
    if (target->is_read_only || target->topic.window != WINDOW_NONE)
        return err_set(err, ERR_SEMANTIC, "Cannot insert values into %s %s: %s",
                       target->is_read_only ? "read-only" : "windowed",
                       target->is_table ? "table" : "stream", name);
    RowReaderOptions options = {.schema = target->topic.schema,
                                .format = ROW_FORMAT_NDJSON,
                                .text = bytes_of(json_rows),
                                .name = "row"};
    Appender *appender = NULL;
    RowReader *reader = NULL;
    ErrCode code;
    TRY_DONE(appender_new(weir->storage, target, &appender, err));
    TRY_DONE(row_reader_new(&options, &reader, err));
    TRY_DONE(insert_add_rows(appender, reader, weir->io->ops->now_ms(weir->io), err));
    Commit *commit = commit_new(weir->storage, 0);
    appender_flush(appender, commit);
    TRY_DONE(commit_wait(commit, NULL, err));
done:
    row_reader_free(reader);
    appender_free(appender);
    return code;
}

WeirStatus weir_insert(Weir *weir, const char *source, const char *json_rows, WeirError *error) {
    Err err;
    lock_take(&weir->lock);
    ErrCode code = insert_json(weir, source, json_rows, &err);
    lock_release(&weir->lock);
    if (code == ERR_OK)
        return WEIR_OK;
    result_error(error, &err, 0);
    return WEIR_FAILED;
}
