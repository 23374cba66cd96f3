/* drop.c - DROP STREAM/TABLE, TERMINATE, PAUSE, RESUME, DROP TYPE, CREATE TYPE. */
#include "engine/engine_impl.h"
#include "grammar/parse.h"
#include "engine/result_impl.h"

static bool drop_reads(const CatalogQuery *query, const char *name) {
    for (uint32_t i = 0; i < query->read_count; i++)
        if (strcmp(query->reads[i], name) == 0)
            return true;
    return false;
}

static bool drop_writes(const CatalogQuery *query, const char *name) {
    return query->plan->sink_source && strcmp(query->plan->sink_source, name) == 0;
}

/* "[A, B]" of the queries that read (or write) the source, but the one that made it. */
static uint32_t drop_list(const Weir *weir, const Source *source, Buf *readers, Buf *writers) {
    uint32_t count = 0;
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        const CatalogQuery *query = weir->catalog.queries[i];
        bool own = source->query_id && strcmp(source->query_id, query->id) == 0;
        if (drop_reads(query, source->name) && !own) {
            buf_printf(readers, "%s%s", readers->size ? ", " : "", query->id);
            count++;
        } else if (drop_writes(query, source->name) && !own) {
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

static ErrCode drop_check_unused(Call *call, const Source *source, Err *err) {
    Buf readers = {0}, writers = {0};
    ErrCode code = ERR_OK;
    if (drop_list(call->weir, source, &readers, &writers) > 0)
        code = err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Cannot drop %s.\nThe following queries read from this source: [%s].\n"
                          "The following queries write into this source: [%s].\n"
                          "You need to terminate them before dropping %s: TERMINATE %s;",
                          source->name, buf_cstr(&readers), buf_cstr(&writers), source->name,
                          drop_first(&readers, &writers, call->arena));
    buf_free(&readers);
    buf_free(&writers);
    return code;
}

/* A source that was made from this one stands in the way even when its query is gone. */
static ErrCode drop_check_unread(Call *call, const Source *source, Err *err) {
    const Catalog *catalog = &call->weir->catalog;
    AstPos pos = call->statement->name_pos;
    Buf names = {0};
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *other = catalog->sources[i].source;
        bool reads = false;
        for (uint32_t r = 0; r < other->read_count && other != source; r++)
            reads = reads || strcmp(other->reads[r], source->name) == 0;
        if (reads)
            buf_printf(&names, "%s%s", names.size ? ", " : "", other->name);
    }
    ErrCode code = ERR_OK;
    if (names.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot drop %s.\nThe following streams and/or tables read from this "
                          "source: [%s].\nYou need to drop them before dropping %s.",
                          source->name, buf_cstr(&names), source->name);
    buf_free(&names);
    return code;
}

/* "A, B": the other sources over the topic. */
static void drop_sharers(const Catalog *catalog, const Source *source, Buf *names) {
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *other = catalog->sources[i].source;
        if (other != source && strcmp(other->topic.topic, source->topic.topic) == 0)
            buf_printf(names, "%s%s", names->size ? ", " : "", other->name);
    }
}

static ErrCode drop_check_topic(Call *call, const Source *source, Err *err) {
    AstPos pos = call->statement->name_pos;
    if (!call->statement->delete_topic)
        return ERR_OK;
    if (source->is_read_only)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot delete topic for read-only source: %s", source->name);
    if (plan_topic_is_internal(source->topic.topic))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot delete read-only topic: %s", source->topic.topic);
    Buf names = {0};
    drop_sharers(&call->weir->catalog, source, &names);
    ErrCode code = ERR_OK;
    if (names.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Refusing to delete topic. Found other data sources (%s) using topic %s",
                          buf_cstr(&names), source->topic.topic);
    buf_free(&names);
    return code;
}

static ErrCode drop_kind_error(Call *call, const Source *source, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                      call->statement->name_pos.column,
                      "Incompatible data source type is %s, but statement was DROP %s\n"
                      "DROP %s %s; is the right one.",
                      source->is_table ? "table" : "stream",
                      source->is_table ? "stream" : "table",
                      source->is_table ? "TABLE" : "STREAM", source->name);
}

static ErrCode drop_missing(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
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

static ErrCode drop_source(Call *call, const Source *source, Err *err) {
    Weir *weir = call->weir;
    CatalogQuery *own = source->query_id ? catalog_query(&weir->catalog, source->query_id) : NULL;
    Commit *commit = commit_new(weir->storage, 0);
    catalog_remove_source(commit, source->name);
    if (source->datagen) {
        datagen_stop(weir->datagen, source->name);
        datagen_forget(commit, source->name);
    }
    LogTopic topic;
    if (call->statement->delete_topic && log_topic_find(weir->storage, source->topic.topic, &topic))
        commit_topic_delete(commit, topic.id);
    ErrCode code = own ? engine_end_query(weir, own, commit, err)
                       : commit_wait(commit, NULL, err);
    if (code != ERR_OK && source->datagen) {
        Err ignored;
        (void)!datagen_start(weir->datagen, source, &ignored); /* it is still there */
    }
    TRY(code);
    result_message(call->result, "Source `%s` (topic: %s) was dropped.", source->name,
                   source->topic.topic);
    catalog_hide_source(&weir->catalog, source->name);
    return ERR_OK;
}

ErrCode engine_drop(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const Source *source = catalog_source(&call->weir->catalog, statement->name);
    if (!source)
        return drop_missing(call, err);
    if (source->is_table != (statement->kind == AST_DROP_TABLE))
        return drop_kind_error(call, source, err);
    TRY(drop_check_unused(call, source, err));
    TRY(drop_check_unread(call, source, err));
    TRY(drop_check_topic(call, source, err));
    return drop_source(call, source, err);
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

static ErrCode drop_query(Weir *weir, CatalogQuery *query, Err *err) {
    return engine_end_query(weir, query, commit_new(weir->storage, 0), err);
}

ErrCode engine_terminate(Call *call, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    if (call->statement->all) {
        for (size_t i = catalog->query_count; i-- > 0;) {
            if (!drop_is_of_table(catalog->queries[i]))
                TRY(drop_query(call->weir, catalog->queries[i], err));
        }
        result_message(call->result, "All queries terminated.");
        return ERR_OK;
    }
    CatalogQuery *query;
    TRY(drop_find_query(call, &query, err));
    if (drop_is_of_table(query))
        return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Cannot terminate query '%s' because it is linked to a source table.",
                          query->id);
    TRY(drop_query(call->weir, query, err));
    result_message(call->result, "Query terminated.");
    return ERR_OK;
}

static ErrCode drop_pause_one(Weir *weir, CatalogQuery *query, bool paused, Err *err) {
    query->paused = paused;
    Commit *commit = commit_new(weir->storage, 0);
    catalog_put_query(commit, query);
    TRY(commit_wait(commit, NULL, err));
    if (query->running)
        query_pause(query->running, paused);
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
    Commit *commit = commit_new(weir->storage, 0);
    catalog_put_source(commit, &source);
    TRY(commit_wait(commit, NULL, err));
    datagen_pause(weir->datagen, source.name, paused);
    result_message(call->result, "Generator of %s %s.", source.name, paused ? "paused" : "resumed");
    return catalog_show_source(&weir->catalog, &source, err);
}

ErrCode engine_pause(Call *call, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    bool paused = call->statement->kind == AST_PAUSE;
    if (call->statement->all) {
        for (size_t i = 0; i < catalog->query_count; i++)
            TRY(drop_pause_one(call->weir, catalog->queries[i], paused, err));
    } else if (drop_is_generated(call)) {
        return drop_pause_generator(call, paused, err);
    } else {
        CatalogQuery *query;
        TRY(drop_find_query(call, &query, err));
        TRY(drop_pause_one(call->weir, query, paused, err));
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
    Commit *commit = commit_new(call->weir->storage, 0);
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
    Commit *commit = commit_new(call->weir->storage, 0);
    catalog_put_type(commit, statement->name, type);
    TRY(commit_wait(commit, NULL, err));
    TRY(catalog_show_type(&call->weir->catalog, statement->name, type, err));
    result_message(call->result, "Registered custom type with name '%s' and SQL type %s",
                   statement->name, type_text(call->arena, type));
    return ERR_OK;
}
