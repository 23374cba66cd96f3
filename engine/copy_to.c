/*
 * copy_to.c - COPY {source | (query)} TO 'file' | '-' (FORMAT word, HEADER, OVERWRITE).
 *
 * The query ends: it is a lookup, or one over a stream, which then reads up to where its topic ends
 * at the start. Rows of a stream flow through a bounded queue, as those of a push query do, so the
 * topic may be larger than memory. The file gets its name at the end (io_output.h): it has all
 * rows, or it is not there.
 *
 * The catalog is locked while the query is planned and started, not while rows flow.
 */
#include <strings.h>

#include "base/io_output.h"
#include "engine/copy_impl.h"
#include "engine/row_writer.h"
#include "grammar/parse.h"

enum {
    COPY_TO_BYTES = 64 << 10, /* written at once */
    COPY_TO_WAIT_MS = 100,
};

typedef struct CopyTo {
    Call *call;
    Call inner; /* the query's: its result has the rows */
    const char *path;
    RowWriter writer;
    bool overwrite;
    IoOutput *output;
    Buf text;
    int64_t told_us; /* when progress was told */
} CopyTo;

/* -- Options ----------------------------------------------------------------------------------- */

static ErrCode to_option(CopyTo *copy, const AstProperty *property, Err *err) {
    static const char *const names[] = {"FORMAT", "HEADER", "OVERWRITE"};
    if (strcmp(property->name, "FORMAT") == 0)
        return row_text_find(copy_text(property), &copy->writer.text)
                   ? ERR_OK
                   : copy_bad_value(property, "one of " ROW_TEXT_NAMES, err);
    if (strcmp(property->name, "HEADER") == 0)
        return copy_flag(property, &copy->writer.header, err);
    if (strcmp(property->name, "OVERWRITE") == 0)
        return copy_flag(property, &copy->overwrite, err);
    const char *near = parse_nearest(property->name, names, 3);
    return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                      "Unknown option %s of COPY ... TO: it takes FORMAT, HEADER, OVERWRITE.%s%s%s",
                      property->name, near ? "\nDid you mean " : "", near ? near : "",
                      near ? "?" : "");
}

static ErrCode to_options(CopyTo *copy, Err *err) {
    const AstStatement *statement = copy->call->statement;
    copy->writer.text = row_text_guess(copy->path);
    copy->writer.header = true;
    for (uint32_t i = 0; i < statement->property_count; i++)
        TRY(to_option(copy, &statement->properties[i], err));
    return ERR_OK;
}

/* -- The query --------------------------------------------------------------------------------- */

/* SELECT * FROM name. */
static const AstQuery *to_query_of(CopyTo *copy) {
    const AstStatement *statement = copy->call->statement;
    Arena *arena = copy->call->arena;
    AstItem *item = arena_alloc(arena, sizeof *item);
    AstSource *source = arena_alloc(arena, sizeof *source);
    AstQuery *query = arena_alloc(arena, sizeof *query);
    *item = (AstItem){.kind = AST_ITEM_ALL, .pos = statement->name_pos};
    *source = (AstSource){.pos = statement->name_pos, .name = statement->name};
    *query = (AstQuery){.pos = statement->pos,
                        .items = item,
                        .item_count = 1,
                        .sources = source,
                        .source_count = 1};
    return query;
}

static ErrCode to_select(CopyTo *copy, Err *err) {
    const AstStatement *statement = copy->call->statement;
    AstStatement *select = arena_alloc(copy->call->arena, sizeof *select);
    const AstQuery *query = statement->query ? statement->query : to_query_of(copy);
    if (query->emit != AST_EMIT_NONE)
        return err_set_at(err, ERR_SEMANTIC, query->pos.line, query->pos.column,
                          "COPY writes a query that ends: leave EMIT %s out, and it takes what "
                          "there is now.",
                          query->emit == AST_EMIT_CHANGES ? "CHANGES" : "FINAL");
    *select = (AstStatement){.kind = AST_SELECT,
                             .pos = query->pos,
                             .source = statement->source,
                             .query = query};
    copy->inner = *copy->call;
    copy->inner.statement = select;
    copy->inner.result = result_new(copy->call->weir);
    return ERR_OK;
}

/* Whether the rows of a lookup are those of a stream as they come, which need not be in memory. */
static bool to_flows(const Planned *planned, const AstQuery *query) {
    const Plan *plan = planned->plan;
    bool ordered = query->order_by_count > 0 || query->has_offset;
    for (uint32_t i = 0; i < plan->node_count && !ordered; i++)
        if (plan->nodes[i]->kind == PLAN_SOURCE)
            return true;
    return false;
}

/* With the lock held to look: a lookup is answered; of a stream it is made sure that what feeds it
 * is done. */
static ErrCode to_look(CopyTo *copy, bool *flows, Err *err) {
    Weir *weir = copy->call->weir;
    Call *inner = &copy->inner;
    PlannerHost host = engine_host(weir);
    Planned planned = {0};
    const AstStatement *statement = copy->call->statement;
    const Source *source;
    if (!statement->query)
        TRY(engine_find_source(weir, statement->name, statement->name_pos, &source, err));
    TRY(plan_statement(&host, inner->statement, inner->arena, &planned, err));
    assert(planned.kind == PLANNED_PULL);
    *flows = to_flows(&planned, inner->statement->query);
    if (!*flows)
        return engine_pull(inner, &planned, err);
    source = catalog_source(&weir->catalog, inner->statement->query->sources[0].name);
    assert(source); /* it was planned */
    return engine_catch_up_topic(weir, source->topic.topic,
                                 settings_number(&weir->settings, "weir.lookup.wait.ms"), err);
}

/* With the lock held to change: a query that ends at the present ends. */
static ErrCode to_flow(CopyTo *copy, Err *err) {
    Call *inner = &copy->inner;
    PlannerHost host = engine_host(copy->call->weir);
    Planned planned = {0};
    AstStatement *statement = arena_alloc(inner->arena, sizeof *statement);
    AstQuery *query = arena_alloc(inner->arena, sizeof *query);
    *query = *inner->statement->query;
    query->emit = AST_EMIT_CHANGES;
    *statement = *inner->statement;
    statement->query = query;
    inner->statement = statement;
    TRY(plan_statement(&host, statement, inner->arena, &planned, err));
    assert(planned.kind == PLANNED_PUSH);
    return engine_push_start(inner, &planned, true, err);
}

static ErrCode to_start(CopyTo *copy, Err *err) {
    SharedLock *lock = &copy->call->weir->lock;
    bool flows = false;
    shared_lock_read(lock);
    ErrCode code = to_look(copy, &flows, err);
    shared_lock_release(lock);
    if (code != ERR_OK || !flows)
        return code;
    shared_lock_write(lock);
    code = to_flow(copy, err);
    shared_lock_release(lock);
    return code;
}

/* -- Rows -------------------------------------------------------------------------------------- */

static ErrCode to_flush(CopyTo *copy, Err *err) {
    ErrCode code = io_output_write(copy->output, buf_view(&copy->text), err);
    buf_reset(&copy->text);
    return code;
}

static ErrCode to_failed(const WeirError *error, Err *err) {
    static const ErrCode codes[] = {
#define ERR_CODE(name, text, action, http, ksql) ERR_##name,
#include "base/err.def"
#undef ERR_CODE
    };
    for (size_t i = 1; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(err_name(codes[i]), error->code) == 0)
            return err_set(err, codes[i], "%s", error->message);
    return err_set(err, ERR_INTERNAL, "%s", error->message);
}

static void to_progress(CopyTo *copy, bool over) {
    WeirProgress progress = {0};
    if (!engine_tells(copy->call->weir, over, &copy->told_us))
        return;
    (void)weir_progress(copy->inner.result, &progress);
    WeirWork work = {.what = "COPY", .rows = copy->writer.rows, .done = progress.rows_in,
                     .total = progress.rows_in + (uint64_t)progress.lag, .over = over};
    engine_tell(copy->call->weir, &work);
}

static ErrCode to_rows(CopyTo *copy, Err *err) {
    Weir *weir = copy->call->weir;
    WeirResult *rows = copy->inner.result;
    bool pumps = weir->options.workers == 0;
    row_writer_begin(&copy->writer, rows, &copy->text);
    for (;;) {
        WeirError error;
        WeirStatus status = weir_next(rows, pumps ? 0 : COPY_TO_WAIT_MS, &error);
        if (status == WEIR_END)
            break;
        if (status == WEIR_FAILED)
            return to_failed(&error, err);
        if (status == WEIR_ROW)
            row_writer_row(&copy->writer, rows, &copy->text);
        else if (pumps)
            TRY(engine_pump(weir, err));
        if (status == WEIR_WAITING || copy->text.size >= COPY_TO_BYTES) {
            TRY(engine_interrupted(copy->call, err));
            TRY(to_flush(copy, err));
            to_progress(copy, false);
        }
    }
    row_writer_end(&copy->writer, &copy->text);
    return to_flush(copy, err);
}

/* Records that could not be used are not in the file: who reads it should know. */
static void to_tell(const CopyTo *copy) {
    WeirProgress progress;
    result_message(copy->call->result, "COPY %llu", (unsigned long long)copy->writer.rows);
    if (weir_progress(copy->inner.result, &progress) && progress.row_errors > 0)
        result_message(copy->call->result, "%llu record%s could not be used",
                       (unsigned long long)progress.row_errors,
                       progress.row_errors == 1 ? "" : "s");
}

ErrCode engine_copy_to(Call *call, Err *err) {
    CopyTo copy = {.call = call, .path = arena_text(call->arena, call->statement->text)};
    ErrCode code;
    TRY(to_options(&copy, err));
    TRY(to_select(&copy, err));
    TRY_DONE(io_output_open(copy.path, copy.overwrite, &copy.output, err));
    TRY_DONE(to_start(&copy, err));
    TRY_DONE(to_rows(&copy, err));
    IoOutput *output = copy.output;
    copy.output = NULL;
    TRY_DONE(io_output_finish(output, err));
    to_tell(&copy);
done:
    if (copy.told_us != 0)
        to_progress(&copy, true);
    io_output_drop(copy.output);
    weir_result_free(copy.inner.result);
    buf_free(&copy.text);
    return code;
}
