/* catalog_load.c - the catalog as it was at the last commit, read back at the start. */
#include <jansson.h>

#include "engine/catalog_impl.h"
#include "planner/plan_json.h"
#include "storage/store.h"

static ErrCode load_damaged(Bytes key, const char *why, Err *err) {
    return err_set(err, ERR_CORRUPT, "catalog entry '%.*s' is damaged: %s", (int)key.size,
                   (const char *)key.data, why);
}

static void load_head_flags(const json_t *head, CatalogQuery *query) {
    query->number = (uint32_t)json_integer_value(json_object_get(head, "number"));
    query->first_id = (uint32_t)json_integer_value(json_object_get(head, "firstId"));
    query->partitions = (uint32_t)json_integer_value(json_object_get(head, "partitions"));
    query->step_rows = (uint32_t)json_integer_value(json_object_get(head, "stepRows"));
    query->commit_interval_ms = json_integer_value(json_object_get(head, "commitMs"));
    query->consolidate = json_is_true(json_object_get(head, "consolidate"));
    query->from_end = json_is_true(json_object_get(head, "fromEnd"));
    query->fail_on = (uint32_t)json_integer_value(json_object_get(head, "failOn"));
    query->paused = json_is_true(json_object_get(head, "paused"));
    query->is_insert = json_is_true(json_object_get(head, "isInsert"));
}

static const uint32_t *load_topics(const json_t *topics, const CatalogQuery *query) {
    uint32_t *ids = arena_array(query->arena, query->plan->node_count, sizeof *ids);
    for (uint32_t i = 0; i < query->plan->node_count; i++)
        ids[i] = (uint32_t)json_integer_value(json_array_get(topics, i));
    return ids;
}

static bool load_head_lists(const json_t *head, CatalogQuery *query) {
    const json_t *topics = json_object_get(head, "internalTopics");
    const json_t *reads = json_object_get(head, "reads");
    const json_t *changelogs = json_object_get(head, "changelogs"); /* NULL: no cluster */
    if (json_array_size(topics) != query->plan->node_count || query->partitions == 0 ||
        (changelogs && json_array_size(changelogs) != query->plan->node_count))
        return false;
    query->internal_topics = load_topics(topics, query);
    if (changelogs)
        query->changelogs = load_topics(changelogs, query);
    query->read_count = (uint32_t)json_array_size(reads);
    const char **names = arena_array(query->arena, query->read_count, sizeof *names);
    for (uint32_t i = 0; i < query->read_count; i++) {
        const char *name = json_string_value(json_array_get(reads, i));
        if (!name)
            return false;
        names[i] = arena_strdup(query->arena, name);
    }
    query->reads = names;
    return true;
}

static ErrCode load_query_parts(CatalogQuery *query, Bytes key, Bytes value, Err *err) {
    Reader reader = reader_of(value);
    uint32_t head_size = reader_u32_le(&reader);
    Bytes head_text = reader_bytes(&reader, head_size);
    if (!reader_ok(&reader))
        return load_damaged(key, "it ends early", err);
    Bytes plan_text = reader_bytes(&reader, reader_left(&reader));
    TRY(plan_json_get(plan_text, query->arena, &query->plan, err));
    json_t *head = json_loadb((const char *)head_text.data, head_text.size, 0, NULL);
    if (!head)
        return load_damaged(key, "its head is no JSON", err);
    load_head_flags(head, query);
    bool ok = load_head_lists(head, query);
    json_decref(head);
    return ok ? ERR_OK : load_damaged(key, "its head does not fit its plan", err);
}

static ErrCode load_query(Catalog *catalog, Bytes key, Bytes value, Err *err) {
    Arena *scratch = arena_new("catalog key", 0);
    const char *id = arena_text(scratch, (Bytes){key.data + 2, key.size - 2});
    CatalogQuery *query = catalog_query_new(id);
    arena_free(scratch);
    ErrCode code = load_query_parts(query, key, value, err);
    if (code != ERR_OK) {
        catalog_query_free(query);
        return code;
    }
    catalog_show_query(catalog, query);
    return ERR_OK;
}

static ErrCode load_entry(Catalog *catalog, Bytes key, Bytes value, Err *err) {
    if (key.size < 2 || key.data[1] != '/')
        return load_damaged(key, "its key is unknown", err);
    switch (key.data[0]) {
    case 's':
        return catalog_show_source_json(catalog, value, err);
    case 'q':
        return load_query(catalog, key, value, err);
    case 't':
        return catalog_show_type_text(catalog, (Bytes){key.data + 2, key.size - 2}, value, err);
    case 'o':
        return catalog_show_topic_bytes(catalog, (Bytes){key.data + 2, key.size - 2}, value, err);
    case 'f':
        return catalog_show_function_json(catalog, value, err);
    case 'n': {
        Reader reader = reader_of(value);
        catalog->next_query_number = reader_u64_le(&reader);
        return ERR_OK;
    }
    default:
        return load_damaged(key, "its kind is unknown (written by a newer Weir?)", err);
    }
}

ErrCode catalog_load(Catalog *catalog, Storage *storage, Err *err) {
    assert(catalog);
    ErrCode code;
    Snapshot *snapshot = snapshot_open(storage);
    StoreIter *iter = NULL;
    TRY_DONE(catalog_scan(snapshot, &iter, err));
    Bytes key, value;
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(catalog, key, value, err);
    KEEP_FIRST(store_iter_close(iter, err));
done:
    snapshot_close(snapshot);
    return code;
}
