/*
 * engine.c - one Weir: opened, given statements, closed.
 *
 * A statement's way: parse (statement arena) -> one function per kind (engine_impl.h), which plans
 * against the catalog, makes the change durable, then carries it out. Replay after a crash starts
 * at "carry out": weir_open() loads the catalog and starts its queries by the same functions.
 */
#include "engine/engine_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/io_library.h"
#include "base/mem.h"
#include "base/buf.h"
#include "engine/kafka.h"
#include "engine/result_impl.h"
#include "grammar/parse.h"

enum {
    STATEMENT_ARENA_BYTES = 64 << 20,
    ENGINE_CONFLICTS_MAX = 10, /* times that other processes of the service may come first */
    ENGINE_TRIAL_MS = 10000, /* the rows of a step take milliseconds */
};

void engine_notice(Weir *weir, const char *format, ...) {
    if (!weir->options.notice)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    weir->options.notice(weir->options.notice_context, text);
}

void weir_interrupt(Weir *weir) {
    atomic_fetch_add(&weir->interrupts, 1);
}

ErrCode engine_interrupted(const Call *call, Err *err) {
    if (atomic_load(&call->weir->interrupts) == call->interrupts)
        return ERR_OK;
    return err_set(err, ERR_CANCELLED, "The statement was interrupted.");
}

Storage *engine_storage(Weir *weir) {
    return weir->storage;
}

Runtime *engine_runtime(Weir *weir) {
    return weir->runtime;
}

/* -- Opening and closing ----------------------------------------------------------------------- */

static ErrCode engine_restart_query(Weir *weir, CatalogQuery *query, Err *err) {
    if (engine_start_query(weir, query, err) == ERR_OK)
        return ERR_OK;
    if (err_action(err->code) == ERR_ACTION_STOP_ENGINE)
        return err->code;
    engine_notice(weir, "Query %s could not be started: %s", query->id, err->message);
    return ERR_OK;
}

/* Those in which the last process ended come first, one after the other. */
static ErrCode engine_start_queries(Weir *weir, Err *err) {
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        CatalogQuery *query = weir->catalog.queries[i];
        if (!query_is_suspect(weir->runtime, query->plan, query->first_id, query->partitions))
            continue;
        TRY(engine_restart_query(weir, query, err));
        if (query->running && !query->paused)
            TRY(query_await_trial(query->running, ENGINE_TRIAL_MS, err));
    }
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        CatalogQuery *query = weir->catalog.queries[i];
        if (!query->running && query->start_error.code == ERR_OK)
            TRY(engine_restart_query(weir, query, err));
    }
    return ERR_OK;
}

static ErrCode engine_start_generators(Weir *weir, Err *err) {
    for (size_t i = 0; i < weir->catalog.source_count; i++) {
        const Source *source = weir->catalog.sources[i].source;
        if (!source->datagen || datagen_start(weir->datagen, source, false, err) == ERR_OK)
            continue;
        if (err_action(err->code) == ERR_ACTION_STOP_ENGINE)
            return err->code;
        engine_notice(weir, "No rows are generated for %s: %s", source->name, err->message);
    }
    return ERR_OK;
}

/* A configuration may have lost a name: the rest goes on. */
static void engine_start_edges(Weir *weir) {
    for (size_t i = 0; i < weir->catalog.source_count; i++) {
        const Source *source = weir->catalog.sources[i].source;
        Err err;
        if (source->broker && engine_start_edge(weir, source, 0, &err) != ERR_OK)
            engine_notice(weir, "%s is cut off from its cluster: %s", source->name, err.message);
    }
}

/* Without it a record that ends the process ends every next one: worth a word, not a refusal. */
static void engine_open_note(Weir *weir, const char *folder) {
    Err err;
    Buf path = {0};
    buf_printf(&path, "%s/running", folder);
    if (note_open(weir->io, buf_cstr(&path), &weir->note, &err) != ERR_OK)
        engine_notice(weir, "What queries are at is not noted: %s", err.message);
    buf_free(&path);
}

enum { ENGINE_MEMORY_BYTES = 2 << 20 }; /* journal of an engine in memory */

ErrCode engine_open(Io *io, const char *folder, const EngineOptions *options, Weir **weir,
                    Err *err) {
    assert(io && folder && options);
    Weir *opened = mem_alloc(sizeof *opened);
    ErrCode code;
    opened->io = io;
    opened->options = *options;
    shared_lock_init(&opened->lock);
    lock_init(&opened->push_lock);
    bool can_be_lost = options->os_durability || options->cluster; /* the cluster has it all */
    Durability durability = can_be_lost ? DURABILITY_OS : DURABILITY_SYNC;
    StorageOptions storage = {.durability = durability,
                              .threads = options->workers > 0,
                              .checkpoint_bytes = options->checkpoint_bytes};
    if (options->in_memory) {
        storage.checkpoint_bytes_min = ENGINE_MEMORY_BYTES;
        storage.journal_file_bytes = ENGINE_MEMORY_BYTES;
    }
    TRY_DONE(storage_open(io, folder, &storage, &opened->storage, err));
    if (!options->in_memory)
        engine_open_note(opened, folder);
    TRY_DONE(engine_cluster_open(opened, err));
    RuntimeOptions runtime = {.workers = options->workers,
                              .step_rows = options->step_rows,
                              .single_partition = options->single_partition,
                              .interrupts = &opened->interrupts,
                              .note = opened->note};
    opened->runtime = runtime_new(io, opened->storage, &runtime);
    if (options->udf_dir) {
        TRY_DONE(io_library_allow(options->udf_dir, err));
        settings_start(&opened->settings, "weir.udf.dir", options->udf_dir);
    }
    if (options->from_latest)
        TRY_DONE(settings_set(&opened->settings, "auto.offset.reset", "latest", err));
    TRY_DONE(catalog_load(&opened->catalog, opened->storage, err));
    engine_log_refresh(opened);
    if (!opened->cluster)
        opened->retention = retention_open(io, opened->storage, options->workers > 0);
    engine_retention_refresh(opened);
    opened->datagen = datagen_open(io, opened->storage, options->workers > 0,
                                   &opened->interrupts);
    TRY_DONE(engine_start_queries(opened, err));
    TRY_DONE(engine_start_generators(opened, err));
    if (options->edges)
        opened->edges = edges_open(io, opened->storage, options->edges);
    engine_start_edges(opened);
    engine_cluster_notice(opened);
    *weir = opened;
done:
    if (code != ERR_OK)
        weir_close(opened);
    return code;
}

WeirStatus engine_status(ErrCode code, const Err *err, WeirError *error) {
    if (code == ERR_OK)
        return WEIR_OK;
    result_error(error, err, 0);
    return WEIR_FAILED;
}

WeirStatus weir_open(const char *folder, const WeirOptions *options, Weir **weir,
                     WeirError *error) {
    static const WeirOptions defaults = {0};
    if (!options)
        options = &defaults;
    EngineOptions engine = {.workers = options->workers ? options->workers : thread_core_count(),
                            .os_durability = options->os_durability,
                            .from_latest = options->from_latest,
                            .udf_dir = options->udf_dir,
                            .in_memory = folder == NULL,
                            .notice = options->notice,
                            .notice_context = options->notice_context,
                            .progress = options->progress,
                            .progress_context = options->progress_context,
                            .waits = options->waits,
                            .waits_context = options->waits_context};
    Err err;
    EngineKafka *kafka = NULL;
    bool any = options->kafka || options->kafka_config;
    if (any && engine_kafka_new(options, &kafka, &err) != ERR_OK)
        return engine_status(err.code, &err, error);
    engine.cluster = engine_kafka_cluster(kafka);
    engine.edges = engine_kafka_edges(kafka);
    Io *io = folder ? io_posix() : io_mem_new();
    ErrCode code = engine_open(io, folder ? folder : "/memory", &engine, weir, &err);
    if (code == ERR_OK) {
        (*weir)->owns_io = folder == NULL;
        (*weir)->kafka = kafka;
    } else {
        engine_kafka_free(kafka);
        if (!folder)
            io_mem_free(io);
    }
    return engine_status(code, &err, error);
}

WeirStatus weir_state(Weir *weir, WeirError *error) {
    Err err;
    if (storage_state(weir->storage, &err) == ERR_OK)
        engine_revive(weir);
    engine_cluster_notice(weir);
    return engine_status(storage_state(weir->storage, &err), &err, error);
}

void weir_close(Weir *weir) {
    if (!weir)
        return;
    datagen_close(weir->datagen);
    edges_close(weir->edges);
    retention_close(weir->retention);
    for (size_t i = 0; i < weir->catalog.query_count; i++)
        if (weir->catalog.queries[i]->running)
            query_stop(weir->catalog.queries[i]->running);
    for (size_t i = 0; i < weir->catalog.query_count; i++)
        weir->catalog.queries[i]->running = NULL;
    catalog_close(&weir->catalog);
    if (weir->runtime)
        runtime_free(weir->runtime);
    engine_cluster_stop(weir);
    note_close(weir->note);
    if (weir->storage)
        storage_close(weir->storage);
    engine_cluster_close(weir);
    engine_kafka_free(weir->kafka);
    settings_close(&weir->settings);
    for (size_t i = 0; i < weir->variable_count; i++) {
        mem_free(weir->variables[i].name);
        mem_free(weir->variables[i].value);
    }
    mem_free(weir->variables);
    assert(weir->push_open == 0);
    mem_free(weir->pushes);
    lock_close(&weir->push_lock);
    shared_lock_close(&weir->lock);
    if (weir->owns_io)
        io_mem_free(weir->io);
    mem_free(weir);
}

/* -- Executing --------------------------------------------------------------------------------- */

/* What ksqlDB knows in files of its test runner and its shell only: a server refuses it. */
static ErrCode engine_not_here(const AstStatement *statement, const char *what, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                      "%s is not a statement that can be executed here", what);
}

static ErrCode engine_unsupported(const AstStatement *statement, const char *what, Err *err) {
    return err_set_at(err, ERR_UNSUPPORTED, statement->pos.line, statement->pos.column,
                      "%s is not supported by Weir yet", what);
}

static ErrCode engine_dispatch(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    switch (statement->kind) {
    case AST_SELECT:
        return engine_select(call, err);
    case AST_CREATE_STREAM:
    case AST_CREATE_TABLE:
    case AST_INSERT_SELECT:
    case AST_INSERT_VALUES:
    case AST_ALTER_SOURCE:
        return engine_create(call, err);
    case AST_DROP_STREAM:
    case AST_DROP_TABLE:
        return engine_drop(call, err);
    case AST_TERMINATE:
        return engine_terminate(call, err);
    case AST_PAUSE:
    case AST_RESUME:
    case AST_ALTER_QUERY:
        return engine_pause(call, err);
    case AST_CREATE_TYPE:
    case AST_DROP_TYPE:
        return engine_type(call, err);
    case AST_CREATE_FUNCTION:
        return engine_create_function(call, err);
    case AST_DROP_FUNCTION:
        return engine_drop_function(call, err);
    case AST_SET:
    case AST_UNSET:
    case AST_DEFINE:
    case AST_UNDEFINE:
        return engine_session(call, err);
    case AST_SHOW:
        return engine_show(call, err);
    case AST_DESCRIBE:
    case AST_DESCRIBE_ALL:
    case AST_DESCRIBE_FUNCTION:
        return engine_describe(call, err);
    case AST_EXPLAIN:
        return engine_explain(call, err);
    case AST_COPY:
        return engine_copy(call, err);
    case AST_ALTER_SYSTEM:
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Cannot alter system configs when KSQL_SHARED_RUNTIME_ENABLED is turned "
                          "off.");
    case AST_PRINT:
        return engine_print(call, err);
    case AST_CREATE_TOPIC:
    case AST_ALTER_TOPIC:
    case AST_DROP_TOPIC:
    case AST_DESCRIBE_TOPIC:
        return engine_topic(call, err);
    case AST_RUN_SCRIPT:
        return engine_not_here(statement, "RUN SCRIPT", err);
    case AST_CREATE_CONNECTOR:
    case AST_DROP_CONNECTOR:
    case AST_DESCRIBE_CONNECTOR:
        return engine_unsupported(statement, "A connector", err);
    case AST_ASSERT_TOPIC:
    case AST_ASSERT_SCHEMA:
        return engine_assert(call, err);
    case AST_ASSERT_VALUES:
    case AST_ASSERT_NULL_VALUES:
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE:
        return engine_not_here(statement, "ASSERT of values and sources", err);
    }
    return ERR_INTERNAL; /* unknown */
}

static const char *engine_find_variable(void *context, const char *name) {
    const Weir *weir = context;
    for (size_t i = 0; i < weir->variable_count; i++)
        if (strcmp(weir->variables[i].name, name) == 0)
            return weir->variables[i].value;
    return NULL;
}

/* Statements that change nothing but topics of the log. */
static bool engine_only_looks(const AstStatement *statement) {
    switch (statement->kind) {
    case AST_SELECT:
        return statement->query->emit == AST_EMIT_NONE; /* a push query draws ids */
    case AST_EXPLAIN:
        return !statement->analyze || !statement->inner || engine_only_looks(statement->inner);
    case AST_INSERT_VALUES:
    case AST_PRINT:
    case AST_SHOW:
    case AST_DESCRIBE:
    case AST_DESCRIBE_ALL:
    case AST_DESCRIBE_FUNCTION:
    case AST_DESCRIBE_TOPIC:
        return true;
    default:
        return false;
    }
}

static bool engine_is_for_tests(const AstStatement *statement) {
    return statement->kind == AST_ASSERT_VALUES || statement->kind == AST_ASSERT_NULL_VALUES ||
           statement->kind == AST_ASSERT_STREAM || statement->kind == AST_ASSERT_TABLE;
}

static ErrCode engine_run_statement(Call *call, Err *err) {
    Weir *weir = call->weir;
    TRY(storage_state(weir->storage, err));
    engine_revive(weir);
    if (call->statement->kind == AST_COPY)
        return call->statement->is_sink ? engine_copy_to(call, err) : engine_copy(call, err);
    if (call->statement->kind == AST_ASSERT_TOPIC || call->statement->kind == AST_ASSERT_SCHEMA)
        return engine_assert(call, err);
    if (weir->kit && engine_is_for_tests(call->statement))
        return testkit_assert(call, err);
    if (engine_only_looks(call->statement))
        shared_lock_read(&weir->lock);
    else
        shared_lock_write(&weir->lock);
    ErrCode code = engine_dispatch(call, err);
    for (uint32_t i = 0; code == ERR_CONFLICT && i < ENGINE_CONFLICTS_MAX; i++) {
        code = engine_catalog_refresh(weir, err);
        weir_result_free(call->result);
        call->result = result_new(weir);
        if (code == ERR_OK)
            code = engine_dispatch(call, err);
    }
    if (!engine_only_looks(call->statement))
        engine_log_refresh(weir);
    shared_lock_release(&weir->lock);
    engine_cluster_notice(weir);
    return code;
}

/* Under the lock, since ${variables} and settings are read. */
static ErrCode engine_parse(Call *call, Bytes text, WeirScript *script, Err *err) {
    Weir *weir = call->weir;
    ParseVariables variables = {engine_find_variable, weir};
    Parser parser = {.script = text,
                     .offset = (uint32_t)script->next,
                     .line = script->line ? script->line : 1,
                     .column = script->column ? script->column : 1};
    shared_lock_read(&weir->lock);
    parser.extensions = settings_is_true(&weir->settings, "weir.extensions");
    parser.last_may_lack_semicolon = parser.extensions;
    if (settings_is_true(&weir->settings, "ksql.variable.substitution.enable"))
        parser.variables = &variables;
    ErrCode code = parse_next(&parser, call->arena, &call->statement, err);
    shared_lock_release(&weir->lock);
    script->next = parser.offset;
    script->line = parser.line;
    script->column = parser.column;
    return code;
}

/* Without what is around it. */
static Bytes engine_text_of(Bytes script, size_t from, size_t to) {
    assert(from <= to && to <= script.size);
    while (from < to && isspace(script.data[from]))
        from++;
    while (to > from && isspace(script.data[to - 1]))
        to--;
    return (Bytes){script.data + from, (uint32_t)(to - from)};
}

ErrCode engine_execute_next(Weir *weir, WeirScript *script, WeirResult **result, bool *done,
                            Err *err) {
    if (script->size == 0)
        script->size = strlen(script->sql);
    Bytes text = {(const uint8_t *)script->sql, (uint32_t)script->size};
    AstPos start = {script->line ? script->line : 1, script->column ? script->column : 1,
                    (uint32_t)script->next};
    Arena *arena = arena_new("statement", STATEMENT_ARENA_BYTES);
    Call call = {.weir = weir,
                 .arena = arena,
                 .result = result_new(weir),
                 .once = script->once,
                 .interrupts = atomic_load(&weir->interrupts)};
    *result = NULL;
    script->once = 0;
    ErrCode code = engine_parse(&call, text, script, err);
    *done = code == ERR_OK && !call.statement;
    if (code == ERR_OK && !*done) {
        call.text = engine_text_of(text, start.offset, script->next);
        code = engine_run_statement(&call, err);
    }
    if (code != ERR_OK)
        engine_add_caret(err, text, start);
    if (code == ERR_OK && !*done) {
        entity_note(&call);
        *result = call.result;
        script->executed++;
    } else {
        weir_result_free(call.result);
    }
    arena_free(arena);
    return code;
}

WeirStatus weir_execute_next(Weir *weir, WeirScript *script, WeirResult **result,
                             WeirError *error) {
    Err err;
    bool done;
    ErrCode code = engine_execute_next(weir, script, result, &done, &err);
    if (code != ERR_OK) {
        result_error(error, &err, script->executed);
        return WEIR_FAILED;
    }
    return done ? WEIR_END : WEIR_OK;
}

WeirStatus weir_execute(Weir *weir, const char *sql, WeirResult **result, WeirError *error) {
    WeirScript script = {.sql = sql};
    WeirResult *last = NULL, *next;
    WeirStatus status;
    while ((status = weir_execute_next(weir, &script, &next, error)) == WEIR_OK) {
        weir_result_free(last);
        last = next;
    }
    if (status == WEIR_END && result) {
        *result = last ? last : result_new(weir);
        return WEIR_OK;
    }
    weir_result_free(last);
    return status == WEIR_END ? WEIR_OK : status;
}

bool weir_is_complete(const char *sql, char *open) {
    return parse_is_complete(bytes_of(sql), open);
}

_Static_assert((int)WEIR_TOKEN_BAD == (int)PIECE_BAD, "the kinds are the parser's");

bool weir_token(const char *sql, size_t size, size_t from, WeirToken *token) {
    Piece piece;
    if (!parse_piece((Bytes){(const uint8_t *)sql, (uint32_t)size}, (uint32_t)from, &piece))
        return false;
    *token = (WeirToken){(WeirTokenKind)piece.kind, piece.end, piece.open};
    return true;
}

bool weir_statement(uint32_t index, WeirStatement *statement) {
    const StatementHelp *help = parse_statement_help(index);
    if (help)
        *statement = (WeirStatement){help->name, help->help, help->syntax, help->example};
    return help != NULL;
}

const char *weir_keyword(uint32_t index) {
    return parse_keyword(index);
}

ErrCode engine_set(Weir *weir, const char *name, const char *value, Err *err) {
    return settings_set(&weir->settings, name, value, err);
}

ErrCode engine_pump(Weir *weir, Err *err) {
    assert(weir->options.workers == 0);
    TRY(datagen_pump(weir->datagen, err));
    TRY(runtime_pump(weir->runtime, err));
    return weir->retention ? retention_check(weir->retention, err) : ERR_OK;
}

WeirStatus weir_catch_up(Weir *weir, int64_t timeout_ms, WeirError *error) {
    Err err;
    shared_lock_read(&weir->lock);
    ErrCode code = datagen_catch_up(weir->datagen, NULL, timeout_ms, &err);
    for (size_t i = 0; code == ERR_OK && i < weir->catalog.query_count; i++)
        if (weir->catalog.queries[i]->running && !weir->catalog.queries[i]->paused)
            code = query_catch_up(weir->catalog.queries[i]->running, timeout_ms, &err);
    shared_lock_release(&weir->lock);
    return engine_status(code, &err, error);
}
