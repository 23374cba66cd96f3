/* drop_set.c - see drop_set.h. */
#include "engine/drop_set.h"

#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"

/* -- Finding ----------------------------------------------------------------------------------- */

static void set_add_source(DropSet *set, const Source *source, const char *of) {
    for (uint32_t i = 0; i < set->source_count; i++)
        if (set->sources[i].source == source)
            return;
    set->sources[set->source_count++] = (DropSource){source, of};
}

static void set_add_query(DropSet *set, CatalogQuery *query, const char *of, bool writes) {
    for (uint32_t i = 0; i < set->query_count; i++)
        if (set->queries[i].query == query)
            return;
    set->queries[set->query_count++] = (DropQuery){query, of, writes};
}

bool engine_query_reads(const CatalogQuery *query, const char *source) {
    for (uint32_t i = 0; i < query->read_count; i++)
        if (strcmp(query->reads[i], source) == 0)
            return true;
    return false;
}

bool engine_query_writes(const CatalogQuery *query, const char *source) {
    return query->plan->sink_source && strcmp(query->plan->sink_source, source) == 0;
}

bool engine_source_reads(const Source *source, const char *other) {
    for (uint32_t i = 0; i < source->read_count; i++)
        if (strcmp(source->reads[i], other) == 0)
            return true;
    return false;
}

static bool set_is_own(const Source *source, const CatalogQuery *query) {
    return source->query_id && strcmp(source->query_id, query->id) == 0;
}

/* What stands in the way of one source going. */
static void set_add_users(DropSet *set, const Catalog *catalog, const Source *source) {
    for (size_t i = 0; i < catalog->query_count; i++) {
        CatalogQuery *query = catalog->queries[i];
        bool writes = engine_query_writes(query, source->name);
        if (!writes && !engine_query_reads(query, source->name))
            continue;
        set_add_query(set, query, source->name, writes);
        const Source *sink =
            query->plan->sink_source ? catalog_source(catalog, query->plan->sink_source) : NULL;
        if (sink && set_is_own(sink, query))
            set_add_source(set, sink, source->name);
    }
    for (size_t i = 0; i < catalog->source_count; i++)
        if (engine_source_reads(catalog->sources[i].source, source->name))
            set_add_source(set, catalog->sources[i].source, source->name);
}

static bool set_has_source(const DropSet *set, const Source *source) {
    for (uint32_t i = 0; i < set->source_count; i++)
        if (set->sources[i].source == source)
            return true;
    return false;
}

static bool set_has_topic(const DropSet *set, uint32_t id) {
    for (uint32_t i = 0; i < set->topic_count; i++)
        if (set->topics[i].topic.id == id)
            return true;
    return false;
}

/* Whether a source that stays is over the topic. */
static bool set_leaves_topic(const DropSet *set, const Catalog *catalog, const char *topic) {
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *source = catalog->sources[i].source;
        if (strcmp(source->topic.topic, topic) == 0 && !set_has_source(set, source))
            return true;
    }
    return false;
}

static void set_add_topic(DropSet *set, const Weir *weir, const Source *source) {
    LogTopic topic;
    const char *name = source->topic.topic;
    if (source->is_read_only || plan_topic_is_internal(name) ||
        !log_topic_find(weir->storage, name, &topic) || set_has_topic(set, topic.id) ||
        set_leaves_topic(set, &weir->catalog, name))
        return;
    set->topics[set->topic_count++] = (DropTopic){topic, source->name};
}

DropSet drop_set_find(Call *call, const Source *source, bool cascade, bool delete_topics) {
    const Catalog *catalog = &call->weir->catalog;
    size_t sources = catalog->source_count, queries = catalog->query_count;
    DropSet set = {.sources = arena_array(call->arena, sources, sizeof *set.sources),
                   .queries = arena_array(call->arena, queries, sizeof *set.queries),
                   .topics = arena_array(call->arena, sources, sizeof *set.topics)};
    set_add_source(&set, source, NULL);
    for (uint32_t i = 0; i < set.source_count; i++) {
        const Source *next = set.sources[i].source;
        CatalogQuery *own = next->query_id ? catalog_query(catalog, next->query_id) : NULL;
        if (own)
            set_add_query(&set, own, next->name, true);
        if (cascade)
            set_add_users(&set, catalog, next);
    }
    for (uint32_t i = 0; delete_topics && i < set.source_count; i++)
        set_add_topic(&set, call->weir, set.sources[i].source);
    return set;
}

/* -- Carrying out ------------------------------------------------------------------------------ */

static void set_stop(Call *call, const DropSet *set) {
    for (uint32_t i = 0; i < set->query_count; i++) {
        CatalogQuery *query = set->queries[i].query;
        if (query->running)
            query_stop(query->running);
        query->running = NULL;
    }
    for (uint32_t i = 0; i < set->source_count; i++)
        edge_stop(call->weir->edges, set->sources[i].source->name);
    for (uint32_t i = 0; i < set->source_count; i++)
        datagen_stop(call->weir->datagen, set->sources[i].source->name);
}

static void set_start_again(Call *call, const DropSet *set) {
    for (uint32_t i = 0; i < set->query_count; i++) {
        Err kept_in_query;
        (void)!engine_start_query(call->weir, set->queries[i].query, &kept_in_query);
    }
    for (uint32_t i = 0; i < set->source_count; i++) {
        Err ignored; /* it was started before */
        const Source *source = set->sources[i].source;
        if (source->broker)
            (void)!engine_start_edge(call->weir, source, 0, &ignored);
        if (source->datagen)
            (void)!datagen_start(call->weir->datagen, source, false, &ignored);
    }
}

static void set_hide(Call *call, const DropSet *set) {
    Catalog *catalog = &call->weir->catalog;
    for (uint32_t i = 0; i < set->query_count; i++)
        catalog_hide_query(catalog, set->queries[i].query->id);
    for (uint32_t i = 0; i < set->source_count; i++)
        catalog_hide_source(catalog, set->sources[i].source->name);
    for (uint32_t i = 0; i < set->topic_count; i++)
        engine_topic_hide(call->weir, &set->topics[i].topic);
}

static void set_remove_source(Weir *weir, Commit *commit, const Source *source) {
    LogTopic topic;
    catalog_remove_source(commit, source->name);
    if (source->broker && log_topic_find(weir->storage, source->topic.topic, &topic))
        edge_forget(commit, topic.id);
    if (source->datagen)
        datagen_forget(commit, source->name);
}

static bool set_ends_query(const DropSet *set, const CatalogQuery *query) {
    for (uint32_t i = 0; i < set->query_count; i++)
        if (set->queries[i].query == query)
            return true;
    return false;
}

/* Whether a query that stays reads or writes it, or it is the log of bad records. */
static bool set_leaves_user(const DropSet *set, const Weir *weir, const LogTopic *topic) {
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        const CatalogQuery *query = weir->catalog.queries[i];
        if (!set_ends_query(set, query) && engine_query_uses(query, topic->name))
            return true;
    }
    return engine_log_is(weir, topic->name);
}

/* A cluster keeps the topics of sources that go: the service forgets those that nobody here uses,
 * so that who declares one again sees it as it is then. */
static void set_forget_topics(Call *call, const DropSet *set, Commit *commit) {
    const Weir *weir = call->weir;
    for (uint32_t i = 0; i < set->source_count; i++) {
        LogTopic topic;
        const char *name = set->sources[i].source->topic.topic;
        bool known = log_topic_find(weir->storage, name, &topic) && !log_topic_is_borrowed(&topic);
        bool seen = false;
        for (uint32_t k = 0; k < i; k++)
            seen = seen || strcmp(set->sources[k].source->topic.topic, name) == 0;
        if (known && !seen && !set_has_topic(set, topic.id) && !plan_topic_is_internal(name) &&
            !set_leaves_topic(set, &weir->catalog, name) && !set_leaves_user(set, weir, &topic))
            commit_topic_forget(commit, topic.id);
    }
}

ErrCode drop_set_carry_out(Call *call, const DropSet *set, Err *err) {
    Commit *commit = engine_commit(call);
    set_stop(call, set);
    for (uint32_t i = 0; i < set->query_count; i++)
        engine_query_remove(set->queries[i].query, commit);
    for (uint32_t i = set->source_count; i-- > 0;)
        set_remove_source(call->weir, commit, set->sources[i].source);
    for (uint32_t i = 0; i < set->topic_count; i++)
        engine_topic_delete(call->weir, &set->topics[i].topic, commit);
    if (engine_has_cluster(call->weir))
        set_forget_topics(call, set, commit);
    ErrCode code = commit_wait(commit, NULL, err);
    if (code == ERR_OK)
        set_hide(call, set);
    else
        set_start_again(call, set);
    return code;
}

/* -- Showing ----------------------------------------------------------------------------------- */

static int64_t set_records(Weir *weir, const LogTopic *topic) {
    int64_t records = 0;
    for (uint32_t i = 0; i < topic->partition_count; i++) {
        int64_t start, end;
        Err ignored;
        TopicPartition where = {topic->id, i};
        if (log_offsets_now(weir->storage, where, &start, &end, &ignored) == ERR_OK)
            records += end - start;
    }
    return records;
}

void drop_set_show(Call *call, const DropSet *set) {
    static const char *const names[] = {"Kind", "Name", "Why"};
    WeirResult *result = call->result;
    result_columns(result, names, 3);
    for (uint32_t i = 0; i < set->query_count; i++) {
        const DropQuery *query = &set->queries[i];
        result_cell(result, "QUERY");
        result_cell(result, query->query->id);
        result_cell_printf(result, "%s %s", query->writes ? "writes" : "reads", query->of);
    }
    for (uint32_t i = set->source_count; i-- > 0;) {
        const DropSource *source = &set->sources[i];
        result_cell(result, source->source->is_table ? "TABLE" : "STREAM");
        result_cell(result, source->source->name);
        result_cell_printf(result, "%s%s", source->of ? "is made from " : "is to be dropped",
                           source->of ? source->of : "");
    }
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const DropTopic *topic = &set->topics[i];
        int64_t records = set_records(call->weir, &topic->topic);
        result_cell(result, "TOPIC");
        result_cell(result, topic->topic.name);
        result_cell_printf(result, "of %s: %lld record%s", topic->of, (long long)records,
                           records == 1 ? "" : "s");
    }
    result_done(result);
}
