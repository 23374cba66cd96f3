/*
 * catalog.h - what exists: streams, tables, persistent queries, custom types, users' functions.
 *
 * The truth is in the storage's catalog entries (JSON, one per thing); this is their form in
 * memory. A change is first made durable (catalog_put_* add to a Commit that the caller submits),
 * then shown here (catalog_show_*, catalog_hide_*): replay after a crash starts with
 * catalog_load(). Whoever reads holds the engine's lock for reading, whoever changes for writing.
 */
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include "planner/source.h"
#include "runtime/runtime.h"

typedef struct CatalogSource {
    Arena *arena;
    const Source *source;
} CatalogSource;

typedef struct CatalogQuery {
    Arena *arena;
    const char *id;
    const Plan *plan;
    uint32_t number;
    uint32_t first_id;    /* of its group, tasks and stores */
    uint32_t partitions;
    const uint32_t *internal_topics; /* by node id; 0: none */
    const uint32_t *changelogs;      /* likewise; NULL: there is no cluster */
    const char *const *reads;        /* names of the sources in its FROM */
    uint32_t read_count;
    bool consolidate;
    uint32_t step_rows;         /* as in QueryOptions */
    int64_t commit_interval_ms; /* likewise */
    bool from_end;
    uint32_t fail_on; /* QueryFailOn */
    bool paused;
    bool is_insert;
    Query *running; /* NULL: could not be started; start_error says why */
    Err start_error;
    const char *grown; /* with a cluster: a source that had got more partitions at the start */
} CatalogQuery;

typedef struct CatalogType {
    Arena *arena;
    const char *name;
    const Type *type;
} CatalogType;

/* A topic of which not everything is kept for ever. */
typedef struct CatalogTopic {
    uint32_t id;
    LogRetention retention;
} CatalogTopic;

typedef struct Catalog {
    CatalogSource *sources; /* in order of name */
    size_t source_count, source_capacity;
    CatalogQuery **queries; /* in order of creation */
    size_t query_count, query_capacity;
    CatalogType *types;
    size_t type_count, type_capacity;
    const UserFunction **functions; /* in order of name, then types */
    size_t function_count, function_capacity;
    CatalogTopic *topics; /* in order of id */
    size_t topic_count, topic_capacity;
    uint64_t next_query_number;
} Catalog;

void catalog_close(Catalog *catalog);

/* Reads everything from the storage; starts no queries. */
ErrCode catalog_load(Catalog *catalog, Storage *storage, Err *err);

const Source *catalog_source(const Catalog *catalog, const char *name); /* NULL: none */
CatalogQuery *catalog_query(const Catalog *catalog, const char *id);    /* NULL: none */
const CatalogType *catalog_type(const Catalog *catalog, const char *name);

/* Adds the entry to a commit. */
void catalog_put_source(Commit *commit, const Source *source);
void catalog_put_query(Commit *commit, const CatalogQuery *query);
void catalog_put_type(Commit *commit, const char *name, const Type *type);
void catalog_put_number(Commit *commit, uint64_t next_query_number);
void catalog_remove_source(Commit *commit, const char *name);
void catalog_remove_query(Commit *commit, const char *id);
void catalog_remove_type(Commit *commit, const char *name);

/* Shows or hides it here; show copies. The query is taken. */
ErrCode catalog_show_source(Catalog *catalog, const Source *source, Err *err);
void catalog_hide_source(Catalog *catalog, const char *name);
void catalog_show_query(Catalog *catalog, CatalogQuery *query);
void catalog_hide_query(Catalog *catalog, const char *id); /* frees it */
void catalog_swap_query(Catalog *catalog, CatalogQuery *query); /* frees the one of its id */
ErrCode catalog_show_type(Catalog *catalog, const char *name, const Type *type, Err *err);
void catalog_hide_type(Catalog *catalog, const char *name);

/* Users' functions (catalog_function.c). The overloads of a name, in any case: *count in a row; and
 * the one with the name and parameter types of `like`, NULL: none. */
const UserFunction *const *catalog_functions(const Catalog *catalog, const char *name,
                                             uint32_t *count);
const UserFunction *catalog_function(const Catalog *catalog, const UserFunction *like);
void catalog_put_function(Commit *commit, const UserFunction *function);
void catalog_remove_function(Commit *commit, const UserFunction *function);

/* Shows a copy, and returns it. *old is the one in whose place it is (NULL: none): to be freed, or
 * given back by unshow, which makes it as it was. */
const UserFunction *catalog_show_function(Catalog *catalog, const UserFunction *function,
                                          const UserFunction **old);
void catalog_unshow_function(Catalog *catalog, const UserFunction *shown,
                             const UserFunction *old);
void catalog_hide_function(Catalog *catalog, const UserFunction *function); /* frees it */
void catalog_function_free(const UserFunction *function);

/* Topics with retention (catalog_topic.c). */
const CatalogTopic *catalog_topic(const Catalog *catalog, uint32_t id); /* NULL: it keeps all */
void catalog_put_topic(Commit *commit, const CatalogTopic *topic); /* or removes: it keeps all */
void catalog_remove_topic(Commit *commit, uint32_t id);
void catalog_show_topic(Catalog *catalog, const CatalogTopic *topic);
void catalog_hide_topic(Catalog *catalog, uint32_t id); /* if it is there */

/* A new, empty query object with its own arena. */
CatalogQuery *catalog_query_new(const char *id);
void catalog_query_free(CatalogQuery *query);

#endif
