/* catalog.c - see catalog.h. Keys of entries: "s/NAME", "q/ID", "t/NAME", "n" (next query number);
 * in files of their own "f/NAME(TYPES)" and "o/TOPIC ID". */
#include "engine/catalog_impl.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "grammar/parse.h"
#include "planner/plan_json.h"
#include "planner/planner.h"
#include "storage/store.h"

static size_t catalog_source_slot(const Catalog *catalog, const char *name, bool *found) {
    size_t low = 0, high = catalog->source_count;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(catalog->sources[middle].source->name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const Source *catalog_source(const Catalog *catalog, const char *name) {
    assert(name);
    bool found;
    size_t slot = catalog_source_slot(catalog, name, &found);
    return found ? catalog->sources[slot].source : NULL;
}

CatalogQuery *catalog_query(const Catalog *catalog, const char *id) {
    assert(id);
    for (size_t i = 0; i < catalog->query_count; i++)
        if (strcmp(catalog->queries[i]->id, id) == 0)
            return catalog->queries[i];
    return NULL;
}

const CatalogType *catalog_type(const Catalog *catalog, const char *name) {
    assert(name);
    for (size_t i = 0; i < catalog->type_count; i++)
        if (strcmp(catalog->types[i].name, name) == 0)
            return &catalog->types[i];
    return NULL;
}

/* -- Durable form ------------------------------------------------------------------------------ */

static void catalog_put(Commit *commit, char kind, const char *name, Bytes value) {
    Buf key = {0};
    buf_u8(&key, (uint8_t)kind);
    buf_u8(&key, '/');
    buf_text(&key, name);
    commit_catalog_put(commit, buf_view(&key), value);
    buf_free(&key);
}

static void catalog_remove(Commit *commit, char kind, const char *name) {
    Buf key = {0};
    buf_u8(&key, (uint8_t)kind);
    buf_u8(&key, '/');
    buf_text(&key, name);
    commit_catalog_remove(commit, buf_view(&key));
    buf_free(&key);
}

void catalog_put_source(Commit *commit, const Source *source) {
    Buf json = {0};
    source_json_put(&json, source);
    catalog_put(commit, 's', source->name, buf_view(&json));
    buf_free(&json);
}

static json_t *json_topics(const CatalogQuery *query, const uint32_t *topics) {
    json_t *ids = json_array();
    for (uint32_t i = 0; i < query->plan->node_count; i++)
        json_array_append_new(ids, json_integer(topics[i]));
    return ids;
}

static json_t *catalog_query_head(const CatalogQuery *query) {
    json_t *internal = json_topics(query, query->internal_topics);
    json_t *reads = json_array();
    for (uint32_t i = 0; i < query->read_count; i++)
        json_array_append_new(reads, json_string(query->reads[i]));
    json_t *head = json_pack(
        "{s:i, s:i, s:i, s:i, s:i, s:I, s:b, s:b, s:b, s:b, s:o, s:o}", "failOn",
        (int)query->fail_on, "number", (int)query->number, "firstId", (int)query->first_id,
        "partitions", (int)query->partitions, "stepRows", (int)query->step_rows, "commitMs",
        (json_int_t)query->commit_interval_ms, "consolidate", query->consolidate, "fromEnd",
        query->from_end, "paused", query->paused, "isInsert", query->is_insert,
        "internalTopics", internal, "reads", reads);
    if (query->changelogs)
        json_object_set_new(head, "changelogs", json_topics(query, query->changelogs));
    return head;
}

/* value := u32 size of the head, head as JSON, plan as JSON. */
void catalog_put_query(Commit *commit, const CatalogQuery *query) {
    json_t *head = catalog_query_head(query);
    char *text = json_dumps(head, JSON_COMPACT);
    Buf value = {0};
    buf_u32_le(&value, (uint32_t)strlen(text));
    buf_text(&value, text);
    plan_json_put(&value, query->plan);
    catalog_put(commit, 'q', query->id, buf_view(&value));
    buf_free(&value);
    mem_free(text);
    json_decref(head);
}

void catalog_put_type(Commit *commit, const char *name, const Type *type) {
    Buf text = {0};
    type_print(&text, type);
    catalog_put(commit, 't', name, buf_view(&text));
    buf_free(&text);
}

void catalog_put_number(Commit *commit, uint64_t next_query_number) {
    Buf value = {0};
    buf_u64_le(&value, next_query_number);
    catalog_put(commit, 'n', "", buf_view(&value));
    buf_free(&value);
}

void catalog_remove_source(Commit *commit, const char *name) {
    catalog_remove(commit, 's', name);
}

void catalog_remove_query(Commit *commit, const char *id) {
    catalog_remove(commit, 'q', id);
}

void catalog_remove_type(Commit *commit, const char *name) {
    catalog_remove(commit, 't', name);
}

/* -- Form in memory ---------------------------------------------------------------------------- */

ErrCode catalog_show_source_json(Catalog *catalog, Bytes json, Err *err) {
    Arena *arena = arena_new("source", 0);
    const Source *source = NULL;
    ErrCode code = source_json_get(json, arena, &source, err);
    if (code != ERR_OK) {
        arena_free(arena);
        return code;
    }
    bool found;
    size_t slot = catalog_source_slot(catalog, source->name, &found);
    if (found) {
        arena_free(catalog->sources[slot].arena);
    } else {
        catalog->sources = mem_grow(catalog->sources, &catalog->source_capacity,
                                    catalog->source_count + 1, sizeof *catalog->sources);
        memmove(catalog->sources + slot + 1, catalog->sources + slot,
                (catalog->source_count - slot) * sizeof *catalog->sources);
        catalog->source_count++;
    }
    catalog->sources[slot] = (CatalogSource){arena, source};
    return ERR_OK;
}

ErrCode catalog_show_source(Catalog *catalog, const Source *source, Err *err) {
    Buf json = {0};
    source_json_put(&json, source);
    ErrCode code = catalog_show_source_json(catalog, buf_view(&json), err);
    buf_free(&json);
    return code;
}

void catalog_hide_source(Catalog *catalog, const char *name) {
    bool found;
    size_t slot = catalog_source_slot(catalog, name, &found);
    assert(found);
    arena_free(catalog->sources[slot].arena);
    catalog->source_count--;
    memmove(catalog->sources + slot, catalog->sources + slot + 1,
            (catalog->source_count - slot) * sizeof *catalog->sources);
}

CatalogQuery *catalog_query_new(const char *id) {
    Arena *arena = arena_new("query", 0);
    CatalogQuery *query = arena_alloc(arena, sizeof *query);
    query->arena = arena;
    query->id = arena_strdup(arena, id);
    return query;
}

void catalog_query_free(CatalogQuery *query) {
    assert(!query->running);
    arena_free(query->arena);
}

void catalog_show_query(Catalog *catalog, CatalogQuery *query) {
    assert(!catalog_query(catalog, query->id));
    catalog->queries = mem_grow(catalog->queries, &catalog->query_capacity,
                                catalog->query_count + 1, sizeof(CatalogQuery *));
    size_t slot = catalog->query_count;
    while (slot > 0 && catalog->queries[slot - 1]->number > query->number) {
        catalog->queries[slot] = catalog->queries[slot - 1];
        slot--;
    }
    catalog->queries[slot] = query;
    catalog->query_count++;
}

void catalog_hide_query(Catalog *catalog, const char *id) {
    for (size_t i = 0; i < catalog->query_count; i++) {
        if (strcmp(catalog->queries[i]->id, id) != 0)
            continue;
        catalog_query_free(catalog->queries[i]);
        catalog->query_count--;
        memmove(catalog->queries + i, catalog->queries + i + 1,
                (catalog->query_count - i) * sizeof(CatalogQuery *));
        return;
    }
    assert(0 && "no such query");
}

void catalog_swap_query(Catalog *catalog, CatalogQuery *query) {
    for (size_t i = 0; i < catalog->query_count; i++) {
        if (strcmp(catalog->queries[i]->id, query->id) != 0)
            continue;
        assert(catalog->queries[i] != query && catalog->queries[i]->number == query->number);
        catalog_query_free(catalog->queries[i]);
        catalog->queries[i] = query;
        return;
    }
    assert(0 && "no such query");
}

static CatalogType *catalog_add_type(Catalog *catalog, const char *name) {
    catalog->types = mem_grow(catalog->types, &catalog->type_capacity, catalog->type_count + 1,
                              sizeof *catalog->types);
    CatalogType *type = &catalog->types[catalog->type_count++];
    type->arena = arena_new("type", 0);
    type->name = arena_strdup(type->arena, name);
    return type;
}

ErrCode catalog_show_type(Catalog *catalog, const char *name, const Type *type, Err *err) {
    if (catalog_type(catalog, name))
        return err_set(err, ERR_SEMANTIC, "Type %s already exists.", name);
    CatalogType *added = catalog_add_type(catalog, name);
    added->type = type_copy(added->arena, type);
    return ERR_OK;
}

/* Types are stored as text: "STRUCT<`A` INTEGER>". */
ErrCode catalog_show_type_text(Catalog *catalog, Bytes name, Bytes text, Err *err) {
    Arena *arena = arena_new("type", 0);
    const AstType *ast;
    const Type *type;
    PlannerHost host = {0};
    ErrCode code;
    TRY_DONE(parse_type(text, arena, &ast, err));
    TRY_DONE(plan_type(&host, ast, arena, &type, err));
    TRY_DONE(catalog_show_type(catalog, arena_text(arena, name), type, err));
done:
    arena_free(arena);
    return code;
}

void catalog_hide_type(Catalog *catalog, const char *name) {
    for (size_t i = 0; i < catalog->type_count; i++) {
        if (strcmp(catalog->types[i].name, name) != 0)
            continue;
        arena_free(catalog->types[i].arena);
        catalog->types[i] = catalog->types[--catalog->type_count];
        return;
    }
}

void catalog_close(Catalog *catalog) {
    while (catalog->query_count > 0)
        catalog_hide_query(catalog, catalog->queries[catalog->query_count - 1]->id);
    while (catalog->source_count > 0)
        catalog_hide_source(catalog, catalog->sources[catalog->source_count - 1].source->name);
    while (catalog->type_count > 0)
        catalog_hide_type(catalog, catalog->types[0].name);
    while (catalog->function_count > 0)
        catalog_hide_function(catalog, catalog->functions[catalog->function_count - 1]);
    mem_free(catalog->functions);
    mem_free(catalog->topics);
    mem_free(catalog->queries);
    mem_free(catalog->sources);
    mem_free(catalog->types);
    *catalog = (Catalog){0};
}
