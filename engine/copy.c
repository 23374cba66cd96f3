/*
 * copy.c - COPY source FROM 'file' | '-' (FORMAT ndjson | csv, HEADER, ON_ERROR 'stop' | 'skip').
 *
 * 'stop' reads the whole file once before the first append. Rows go in as commits of a few MiB;
 * each carries how far the file is done, in the same frame as its rows. So a COPY that a crash cut
 * off goes on exactly there when it is repeated for the same file; at the end the note is removed.
 * Up to two commits fly while the next rows are read; they become durable in their order.
 * Standard input is taken as it comes, each chunk its own commit, so that others see rows arrive.
 */
#include <strings.h>

#include "base/reader.h"
#include "engine/appender.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"
#include "storage/store.h"

enum {
    COPY_COMMIT_BYTES = 4 << 20,
    COPY_FLIGHTS = 2, /* commits on their way while the next rows are read */
};

typedef struct Copy {
    Call *call;
    const Source *source;
    const char *path;
    RowFormat format;
    bool header, skip_errors, is_stream;
    IoInput *input;
    Appender *appender;
    uint64_t rows, offset, line;
    CommitTicket flights[COPY_FLIGHTS]; /* in turn; the oldest is flights[next_flight] */
    uint32_t next_flight;
    Buf key; /* of the progress note */
} Copy;

static const char *copy_text(const AstProperty *property) {
    return property->value && property->value->text.data ? (const char *)property->value->text.data
                                                         : "";
}

static ErrCode copy_option(Copy *copy, const AstProperty *property, Err *err) {
    const char *text = copy_text(property);
    if (strcmp(property->name, "FORMAT") == 0) {
        copy->format = strcasecmp(text, "csv") == 0 ? ROW_FORMAT_CSV : ROW_FORMAT_NDJSON;
        if (copy->format == ROW_FORMAT_CSV || strcasecmp(text, "ndjson") == 0 ||
            strcasecmp(text, "json") == 0)
            return ERR_OK;
        return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                          "COPY knows the formats ndjson and csv, not '%s'.", text);
    }
    if (strcmp(property->name, "HEADER") == 0) {
        copy->header = property->value->kind != AST_BOOLEAN || property->value->boolean;
        return ERR_OK;
    }
    if (strcmp(property->name, "ON_ERROR") == 0) {
        copy->skip_errors = strcasecmp(text, "skip") == 0;
        if (copy->skip_errors || strcasecmp(text, "stop") == 0)
            return ERR_OK;
        return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                          "ON_ERROR is 'stop' or 'skip', not '%s'.", text);
    }
    return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                      "Unknown option %s of COPY: it takes FORMAT, HEADER, ON_ERROR.",
                      property->name);
}

/* Without FORMAT the file's name tells; csv files have a header unless HEADER says otherwise. */
static ErrCode copy_options(Copy *copy, Err *err) {
    const AstStatement *statement = copy->call->statement;
    size_t size = strlen(copy->path);
    bool header_given = false;
    if (size > 4 && strcasecmp(copy->path + size - 4, ".csv") == 0)
        copy->format = ROW_FORMAT_CSV;
    for (uint32_t i = 0; i < statement->property_count; i++) {
        TRY(copy_option(copy, &statement->properties[i], err));
        header_given |= strcmp(statement->properties[i].name, "HEADER") == 0;
    }
    if (!header_given)
        copy->header = copy->format == ROW_FORMAT_CSV;
    return ERR_OK;
}

static void copy_skipped(void *context, const char *message) {
    engine_notice(context, "%s", message);
}

static ErrCode copy_reader(Copy *copy, RowReader **reader, Err *err) {
    RowReaderOptions options = {.schema = copy->source->topic.schema,
                                .format = copy->format,
                                .header = copy->header,
                                .skip_errors = copy->skip_errors,
                                .input = copy->input,
                                .name = copy->path,
                                .skipped = copy_skipped,
                                .context = copy->call->weir};
    return row_reader_new(&options, reader, err);
}

/* Reads the whole file without appending anything. */
static ErrCode copy_check(Copy *copy, Err *err) {
    RowReader *reader;
    TRY(copy_reader(copy, &reader, err));
    RowChunk chunk;
    bool more = true;
    ErrCode code = ERR_OK;
    while (code == ERR_OK && more)
        code = row_reader_next(reader, &chunk, &more, err);
    row_reader_free(reader);
    TRY(code);
    return io_input_seek(copy->input, 0, err);
}

/* -- Progress ---------------------------------------------------------------------------------- */

static void copy_note_key(Copy *copy) {
    uint64_t identity = io_input_identity(copy->input);
    buf_u64_be(&copy->key, identity);
    buf_text(&copy->key, copy->source->name);
}

/* Reads how far an earlier COPY of the same file came; offset 0: none. */
static ErrCode copy_read_note(Copy *copy, Err *err) {
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

/* -- Rows -------------------------------------------------------------------------------------- */

static ErrCode copy_commit(Copy *copy, bool last, Err *err) {
    Commit *commit = commit_new(copy->call->weir->storage, 0);
    commit_expect(commit, appender_bytes(copy->appender));
    appender_flush(copy->appender, commit);
    copy_write_note(copy, commit, last);
    CommitTicket *flight = &copy->flights[copy->next_flight];
    copy->next_flight = (copy->next_flight + 1) % COPY_FLIGHTS;
    ErrCode code = commit_ticket_wait(flight, NULL, err);
    if (code != ERR_OK) {
        commit_drop(commit);
        return code;
    }
    return commit_send(commit, flight, err);
}

/* Waits for all that fly, the oldest first: the first error is the one that counts. */
static ErrCode copy_land(Copy *copy, Err *err) {
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < COPY_FLIGHTS; i++) {
        CommitTicket *flight = &copy->flights[(copy->next_flight + i) % COPY_FLIGHTS];
        Err later;
        KEEP_FIRST(commit_ticket_wait(flight, NULL, code == ERR_OK ? err : &later));
    }
    return code;
}

static ErrCode copy_rows(Copy *copy, RowReader *reader, Err *err) {
    Io *io = copy->call->weir->io;
    RowChunk chunk;
    bool more = true;
    while (more) {
        TRY(row_reader_next(reader, &chunk, &more, err));
        int64_t now_ms = io->ops->now_ms(io);
        for (uint32_t row = 0; row < chunk.count; row++)
            TRY(appender_add(copy->appender, chunk.columns, row, now_ms, false, err));
        copy->rows += chunk.count;
        copy->offset = chunk.end_offset;
        copy->line = chunk.end_line;
        if (copy->is_stream || !more || appender_bytes(copy->appender) >= COPY_COMMIT_BYTES)
            TRY(copy_commit(copy, !more, err));
    }
    return ERR_OK;
}

static ErrCode copy_load(Copy *copy, Err *err) {
    RowReader *reader = NULL;
    ErrCode code;
    TRY_DONE(copy_read_note(copy, err));
    bool resumes = copy->offset > 0;
    if (!copy->skip_errors && !copy->is_stream && !resumes)
        TRY_DONE(copy_check(copy, err));
    TRY_DONE(copy_reader(copy, &reader, err));
    if (resumes) {
        engine_notice(copy->call->weir, "COPY goes on behind row %llu, where it was cut off.",
                      (unsigned long long)copy->rows);
        TRY_DONE(row_reader_resume(reader, copy->offset, copy->line, err));
    }
    TRY_DONE(copy_rows(copy, reader, err));
    TRY_DONE(copy_land(copy, err));
    uint64_t skipped = row_reader_skipped(reader);
    result_message(copy->call->result, "COPY %llu%s", (unsigned long long)copy->rows,
                   skipped ? arena_printf(copy->call->arena, ", %llu rows left out",
                                          (unsigned long long)skipped)
                           : "");
done:
    if (code != ERR_OK) {
        Err later;
        (void)!copy_land(copy, &later); /* tickets must not outlive their commits' flight */
    }
    row_reader_free(reader);
    return code;
}

static ErrCode copy_check_target(const Source *source, Err *err) {
    if (!source->is_read_only && source->topic.window == WINDOW_NONE)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC, "Cannot insert values into %s %s: %s",
                   source->is_read_only ? "read-only" : "windowed",
                   source->is_table ? "table" : "stream", source->name);
}

ErrCode engine_copy(Call *call, Err *err) {
    Copy copy = {.call = call, .path = arena_text(call->arena, call->statement->text)};
    TRY(engine_find_source(call->weir, call->statement->name, call->statement->name_pos,
                           &copy.source, err));
    TRY(copy_check_target(copy.source, err));
    TRY(copy_options(&copy, err));
    ErrCode code;
    TRY_DONE(io_input_open(copy.path, &copy.input, err));
    copy.is_stream = io_input_identity(copy.input) == 0;
    copy_note_key(&copy);
    TRY_DONE(appender_new(call->weir->storage, copy.source, &copy.appender, err));
    TRY_DONE(copy_load(&copy, err));
done:
    appender_free(copy.appender);
    io_input_close(copy.input);
    buf_free(&copy.key);
    return code;
}
