/* drop.c - DROP STREAM/TABLE (EXPLAIN too), TERMINATE, PAUSE, RESUME, ALTER QUERY, CREATE and DROP
 * TYPE. */
#include "engine/drop_set.h"
#include "engine/engine_query_impl.h"
#include "grammar/parse.h"
#include "engine/result_impl.h"

/* "[A, B]" of the queries that read (or write) the source, but the one that made it. */
static uint32_t drop_list(const Weir *weir, const Source *source, Buf *readers, Buf *writers) {
    uint32_t count = 0;
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        const CatalogQuery *query = weir->catalog.queries[i];
        bool own = source->query_id && strcmp(source->query_id, query->id) == 0;
        if (engine_query_reads(query, source->name) && !own) {
            buf_printf(readers, "%s%s", readers->size ? ", " : "", query->id);
            count++;
        } else if (engine_query_writes(query, source->name) && !own) {
            buf_printf(writers, "%s%s", writers->size ? ", " : "", query->id);
            count++;
        }
    }
    return count;
}

/* The first id of the two lists. */
static const char *drop_first(Buf *readers, Buf *writers, Arena *arena) {
    const char *ids = readers->size > 0 ? buf_cstr(readers) : buf_cstr(writers);
    return arena_text(arena, (Bytes){(const uint8_t *)ids, (uint32_t)strcspn(ids, ",")});
}

/* The way to drop it with all that; "" without additions. */
static const char *drop_hint(Call *call, const Source *source) {
    if (!settings_is_true(&call->weir->settings, "weir.extensions"))
        return "";
    return arena_printf(call->arena,
                        "\nEXPLAIN DROP %s %s CASCADE; shows all that goes if they are dropped "
                        "together.",
                        source->is_table ? "TABLE" : "STREAM", source->name);
}

static ErrCode drop_check_unused(Call *call, const AstStatement *statement,
                                 const Source *source, Err *err) {
    Buf readers = {0}, writers = {0};
    ErrCode code = ERR_OK;
    if (drop_list(call->weir, source, &readers, &writers) > 0)
        code = err_set_at(err, ERR_SEMANTIC, statement->name_pos.line,
                          statement->name_pos.column,
                          "Cannot drop %s.\nThe following queries read from this source: [%s].\n"
                          "The following queries write into this source: [%s].\n"
                          "You need to terminate them before dropping %s: TERMINATE %s;%s",
                          source->name, buf_cstr(&readers), buf_cstr(&writers), source->name,
                          drop_first(&readers, &writers, call->arena), drop_hint(call, source));
    buf_free(&readers);
    buf_free(&writers);
    return code;
}

/* A source that was made from this one stands in the way even when its query is gone. */
static ErrCode drop_check_unread(Call *call, const AstStatement *statement,
                                 const Source *source, Err *err) {
    const Catalog *catalog = &call->weir->catalog;
    AstPos pos = statement->name_pos;
    Buf names = {0};
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *other = catalog->sources[i].source;
        if (other != source && engine_source_reads(other, source->name))
            buf_printf(&names, "%s%s", names.size ? ", " : "", other->name);
    }
    ErrCode code = ERR_OK;
    if (names.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot drop %s.\nThe following streams and/or tables read from this "
                          "source: [%s].\nYou need to drop them before dropping %s.%s",
                          source->name, buf_cstr(&names), source->name, drop_hint(call, source));
    buf_free(&names);
    return code;
}

/* "A, B": the sources over the topic that stay. */
static void drop_sharers(const Catalog *catalog, const DropSet *set, const char *topic,
                         Buf *names) {
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *other = catalog->sources[i].source;
        bool goes = false;
        for (uint32_t s = 0; s < set->source_count; s++)
            goes = goes || set->sources[s].source == other;
        if (!goes && strcmp(other->topic.topic, topic) == 0)
            buf_printf(names, "%s%s", names->size ? ", " : "", other->name);
    }
}

static ErrCode drop_check_topic(Call *call, const AstStatement *statement, const DropSet *set,
                                Err *err) {
    const Source *source = set->sources[0].source;
    AstPos pos = statement->name_pos;
    if (!statement->delete_topic)
        return ERR_OK;
    if (source->is_read_only)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot delete topic for read-only source: %s", source->name);
    if (plan_topic_is_internal(source->topic.topic))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot delete read-only topic: %s", source->topic.topic);
    Buf names = {0};
    drop_sharers(&call->weir->catalog, set, source->topic.topic, &names);
    ErrCode code = ERR_OK;
    if (names.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Refusing to delete topic. Found other data sources (%s) using topic %s",
                          buf_cstr(&names), source->topic.topic);
    buf_free(&names);
    return code;
}

static ErrCode drop_kind_error(const AstStatement *statement, const Source *source, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                      "Incompatible data source type is %s, but statement was DROP %s\n"
                      "DROP %s %s; is the right one.",
                      source->is_table ? "table" : "stream",
                      source->is_table ? "stream" : "table",
                      source->is_table ? "TABLE" : "STREAM", source->name);
}

static ErrCode drop_missing(Call *call, const AstStatement *statement, Err *err) {
    if (statement->if_exists) {
        result_message(call->result, "Source `%s` does not exist.", statement->name);
        return ERR_OK;
    }
    PlannerHost host = engine_host(call->weir);
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "%s %s does not exist.%s",
                      statement->kind == AST_DROP_TABLE ? "Table" : "Stream", statement->name,
                      plan_source_hint(&host, statement->name, call->arena));
}

/* What the statement, which may be explained only, would drop. *set without sources: there is
 * nothing of the name, and IF EXISTS. */
static ErrCode drop_find(Call *call, const AstStatement *statement, DropSet *set, Err *err) {
    const Source *source = catalog_source(&call->weir->catalog, statement->name);
    *set = (DropSet){0};
    if (!source)
        return drop_missing(call, statement, err);
    if (source->is_table != (statement->kind == AST_DROP_TABLE))
        return drop_kind_error(statement, source, err);
    if (!statement->cascade) {
        TRY(drop_check_unused(call, statement, source, err));
        TRY(drop_check_unread(call, statement, source, err));
    }
    *set = drop_set_find(call, source, statement->cascade, statement->delete_topic);
    return drop_check_topic(call, statement, set, err);
}

/* With CASCADE, what went besides the source. */
static void drop_tell(Call *call, const DropSet *set) {
    for (uint32_t i = 0; i < set->query_count && call->statement->cascade; i++)
        result_message(call->result, "Query %s was terminated.", set->queries[i].query->id);
    for (uint32_t i = set->source_count; i-- > 0;)
        result_message(call->result, "Source `%s` (topic: %s) was dropped.",
                       set->sources[i].source->name, set->sources[i].source->topic.topic);
    for (uint32_t i = 0; i < set->topic_count && call->statement->cascade; i++)
        result_message(call->result, "Topic %s was deleted.", set->topics[i].topic.name);
}

ErrCode engine_drop(Call *call, Err *err) {
    DropSet set;
    TRY(drop_find(call, call->statement, &set, err));
    if (set.source_count == 0)
        return ERR_OK;
    WeirResult *result = call->result;
    size_t before = result->message.size;
    drop_tell(call, &set); /* now: the names go with what they name */
    ErrCode code = drop_set_carry_out(call, &set, err);
    if (code != ERR_OK)
        result->message.size = before;
    return code;
}

ErrCode engine_explain_drop(Call *call, const AstStatement *statement, Err *err) {
    DropSet set;
    TRY(drop_find(call, statement, &set, err));
    if (set.source_count > 0)
        drop_set_show(call, &set);
    return ERR_OK;
}

/* -- Queries ----------------------------------------------------------------------------------- */

static ErrCode drop_find_query(Call *call, CatalogQuery **query, Err *err) {
    const AstStatement *statement = call->statement;
    *query = catalog_query(&call->weir->catalog, statement->name);
    if (*query)
        return ERR_OK;
    const Catalog *catalog = &call->weir->catalog;
    const char **ids = arena_array(call->arena, catalog->query_count, sizeof *ids);
    for (size_t i = 0; i < catalog->query_count; i++)
        ids[i] = catalog->queries[i]->id;
    const char *near = parse_nearest(statement->name, ids, (uint32_t)catalog->query_count);
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "Unknown queryId: %s\n%s%s%sSHOW QUERIES lists the running ones.",
                      statement->name, near ? "Did you mean " : "", near ? near : "",
                      near ? "? " : "");
}

/* It lives and dies with its SOURCE TABLE. */
static bool drop_is_of_table(const CatalogQuery *query) {
    return strncmp(query->id, "CST_", 4) == 0;
}

static ErrCode drop_query(Call *call, CatalogQuery *query, Err *err) {
    return engine_end_query(call->weir, query, engine_commit(call), err);
}

ErrCode engine_terminate(Call *call, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    if (call->statement->all) {
        for (size_t i = catalog->query_count; i-- > 0;) {
            if (!drop_is_of_table(catalog->queries[i]))
                TRY(drop_query(call, catalog->queries[i], err));
        }
        (void)push_cancel(call->weir, NULL);
        result_message(call->result, "All queries terminated.");
        return ERR_OK;
    }
    CatalogQuery *query;
    if (push_cancel(call->weir, call->statement->name)) {
        result_message(call->result, "Query terminated.");
        return ERR_OK;
    }
    TRY(drop_find_query(call, &query, err));
    if (drop_is_of_table(query))
        return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Cannot terminate query '%s' because it is linked to a source table.",
                          query->id);
    TRY(drop_query(call, query, err));
    result_message(call->result, "Query terminated.");
    return ERR_OK;
}

/* RESUME starts a query again that has stopped by an error, from where it stopped. */
static ErrCode drop_restart(Weir *weir, CatalogQuery *query, Err *err) {
    QueryFigures figures = {.state = QUERY_ERROR};
    if (query->running)
        query_figures(query->running, &figures);
    if (figures.state != QUERY_ERROR)
        return ERR_OK;
    if (query->running)
        query_stop(query->running);
    query->running = NULL;
    query_release(weir->runtime, query->plan, query->first_id, query->partitions);
    return engine_start_query(weir, query, err);
}

/* One commit for all of them, so that queries of one topic go on together: who is left behind
 * decodes by itself what the others shared. */
static ErrCode drop_pause(Call *call, CatalogQuery *const *queries, size_t count, bool paused,
                          Err *err) {
    Weir *weir = call->weir;
    if (count == 0)
        return ERR_OK;
    Commit *commit = engine_commit(call);
    for (size_t i = 0; i < count; i++) {
        queries[i]->paused = paused;
        if (!paused)
            queries[i]->fail_on = engine_query_fail_on(&weir->settings);
        catalog_put_query(commit, queries[i]);
    }
    TRY(commit_wait(commit, NULL, err));
    for (size_t i = 0; i < count; i++)
        if (queries[i]->running)
            query_pause(queries[i]->running, paused);
    for (size_t i = 0; i < count && !paused; i++)
        TRY(drop_restart(weir, queries[i], err));
    return ERR_OK;
}

/* Whether PAUSE names a generated source, not a query. */
static bool drop_is_generated(const Call *call) {
    const Catalog *catalog = &call->weir->catalog;
    const Source *source = catalog_source(catalog, call->statement->name);
    return source && source->datagen && !catalog_query(catalog, call->statement->name);
}

static ErrCode drop_pause_generator(Call *call, bool paused, Err *err) {
    Weir *weir = call->weir;
    Source source = *catalog_source(&weir->catalog, call->statement->name);
    Datagen datagen = *source.datagen;
    datagen.paused = paused;
    source.datagen = &datagen;
    Commit *commit = engine_commit(call);
    catalog_put_source(commit, &source);
    TRY(commit_wait(commit, NULL, err));
    datagen_pause(weir->datagen, source.name, paused);
    result_message(call->result, "Generator of %s %s.", source.name, paused ? "paused" : "resumed");
    return catalog_show_source(&weir->catalog, &source, err);
}

/* The first offset behind the records; *count: how many there are. */
static ErrCode drop_skip_to(Weir *weir, const QueryStop *stop, int64_t *count, int64_t *offset,
                            Err *err) {
    int64_t start, end;
    TRY(log_offsets_now(weir->storage, stop->where, &start, &end, err));
    if (*count > end - stop->offset)
        *count = end - stop->offset;
    *offset = stop->offset + *count;
    return ERR_OK;
}

enum { DROP_SKIP_WAIT_MS = 5000 };

/* A query that waits at a record: until what is before it is committed. Then it is stopped, so that
 * it cannot get over the record by itself after all; if it has, that is an error. */
static ErrCode drop_stop_waiting(Weir *weir, CatalogQuery *query, const QueryStop *stop,
                                 Err *err) {
    bool there = query_await_stop(query->running, stop, DROP_SKIP_WAIT_MS);
    query_stop(query->running);
    query->running = NULL;
    if (there && log_position(weir->storage, stop->task_id, stop->lane) == stop->position)
        return ERR_OK;
    TRY(engine_start_query(weir, query, err));
    return err_set(err, ERR_SEMANTIC, "Query %s is not at offset %lld of topic %s, partition %u, "
                   "any more: it goes on by itself.", query->id, (long long)stop->offset,
                   stop->topic, stop->where.partition);
}

/* As a commit of the query's own, so that a cluster has it too. */
static ErrCode drop_skip_commit(Weir *weir, const QueryStop *stop, int64_t offset, Err *err) {
    bool slotted = engine_has_cluster(weir) && stop->slot != COMMIT_NO_SLOT;
    Commit *commit = commit_new(weir->storage, slotted ? stop->owner_id : 0);
    if (slotted)
        commit_slot(commit, (uint32_t)stop->slot);
    commit_position(commit, stop->task_id, stop->lane, offset);
    return commit_wait(commit, NULL, err);
}

/* The position alone moves: all before it is committed, and nothing of the record is. */
static ErrCode drop_skip(Call *call, Err *err) {
    Weir *weir = call->weir;
    int64_t count = call->statement->limit, offset;
    CatalogQuery *query;
    QueryStop stop = {0};
    TRY(drop_find_query(call, &query, err));
    if (query->running)
        query_stopped_at(query->running, &stop);
    if (!stop.known)
        return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Query %s has not stopped at a record.\n"
                          "SKIP is for queries that stop or wait at one; SHOW QUERIES tells it.",
                          query->id);
    if (count < 1)
        return err_set_at(err, ERR_SEMANTIC, call->statement->pos.line, call->statement->pos.column,
                          "SKIP needs a number of records above 0.");
    TRY(drop_skip_to(weir, &stop, &count, &offset, err));
    if (stop.waits)
        TRY(drop_stop_waiting(weir, query, &stop, err));
    ErrCode code = drop_skip_commit(weir, &stop, offset, err);
    if (code != ERR_OK && stop.waits) {
        Err kept_in_query;
        (void)!engine_start_query(weir, query, &kept_in_query);
    }
    TRY(code);
    TRY(drop_restart(weir, query, err));
    result_message(call->result, "Query %s goes on behind %lld record%s of topic %s, partition %u, "
                   "from offset %lld.", query->id, (long long)count, count == 1 ? "" : "s",
                   stop.topic, stop.where.partition, (long long)offset);
    return ERR_OK;
}

ErrCode engine_pause(Call *call, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    bool paused = call->statement->kind == AST_PAUSE;
    if (call->statement->kind == AST_ALTER_QUERY)
        return drop_skip(call, err);
    if (call->statement->all) {
        TRY(drop_pause(call, catalog->queries, catalog->query_count, paused, err));
    } else if (drop_is_generated(call)) {
        return drop_pause_generator(call, paused, err);
    } else {
        CatalogQuery *query;
        TRY(drop_find_query(call, &query, err));
        TRY(drop_pause(call, &query, 1, paused, err));
    }
    result_message(call->result, paused ? "Query paused." : "Query resumed.");
    return ERR_OK;
}

/* -- Types ------------------------------------------------------------------------------------- */

static ErrCode drop_type(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    if (!catalog_type(&call->weir->catalog, statement->name)) {
        if (!statement->if_exists)
            return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line,
                              statement->name_pos.column, "Type %s does not exist.",
                              statement->name);
        result_message(call->result, "Type '%s' does not exist", statement->name);
        return ERR_OK;
    }
    Commit *commit = engine_commit(call);
    catalog_remove_type(commit, statement->name);
    TRY(commit_wait(commit, NULL, err));
    catalog_hide_type(&call->weir->catalog, statement->name);
    result_message(call->result, "Dropped type '%s'", statement->name);
    return ERR_OK;
}

ErrCode engine_type(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    if (statement->kind == AST_DROP_TYPE)
        return drop_type(call, err);
    const CatalogType *present = catalog_type(&call->weir->catalog, statement->name);
    if (present) {
        const char *text = type_text(call->arena, present->type);
        if (!statement->if_not_exists)
            return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line,
                              statement->name_pos.column,
                              "Cannot register custom type '%s' since it is already registered "
                              "with type: %s",
                              statement->name, text);
        result_message(call->result, "%s is already registered with type %s", statement->name,
                       text);
        return ERR_OK;
    }
    PlannerHost host = engine_host(call->weir);
    const Type *type;
    TRY(plan_type(&host, statement->type, call->arena, &type, err));
    Commit *commit = engine_commit(call);
    catalog_put_type(commit, statement->name, type);
    TRY(commit_wait(commit, NULL, err));
    TRY(catalog_show_type(&call->weir->catalog, statement->name, type, err));
    result_message(call->result, "Registered custom type with name '%s' and SQL type %s",
                   statement->name, type_text(call->arena, type));
    return ERR_OK;
}
