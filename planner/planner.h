/*
 * planner.h - syntax tree and catalog to an immutable, typed plan.
 *
 * Binds names, types expressions, applies ksqlDB's rules of keys, projections, aggregation, joins
 * and formats, and lays out the nodes. Nothing is changed: what the statement means comes back as
 * a Planned, and the engine carries it out.
 */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include "grammar/ast.h"
#include "planner/source.h"

/* How long a topic keeps its records. */
enum { PLANNED_KEEPS_ALL = -1 };
typedef struct PlannedRetention {
    int64_t ms;    /* those not older; PLANNED_KEEPS_ALL: all */
    int64_t bytes; /* of each partition; PLANNED_KEEPS_ALL: all */
} PlannedRetention;

/* What the planner asks about the world; the engine fills it in. All calls come from the thread
 * that plans; what they return lives as long as the catalog snapshot behind `context`. */
typedef struct PlannerHost {
    void *context;
    const Source *(*find_source)(void *context, const char *name);
    uint32_t (*source_count)(void *context);
    const Source *(*source_at)(void *context, uint32_t index); /* for "did you mean" */
    /* 0: there is no such topic. */
    ErrCode (*topic_partitions)(void *context, const char *topic, uint32_t *partitions, Err *err);
    /* The value in force of a setting, NULL where it is not set. Names as ksqlDB's. */
    const char *(*setting)(void *context, const char *name);
    const Type *(*custom_type)(void *context, const char *name); /* CREATE TYPE; NULL */
    bool (*query_exists)(void *context, const char *query_id);
    /* The plan of a running persistent query; NULL. For lookups. */
    const Plan *(*query_plan)(void *context, const char *query_id);
    /* The id of the index-th query that writes into a source; NULL: there are not so many. */
    const char *(*sink_query)(void *context, const char *source, uint32_t index);
    /* "CSAS_OUTPUT_0": the id that a query with this prefix would get now. */
    uint64_t (*next_query_number)(void *context);
    int64_t (*now_ms)(void *context); /* the wall clock */
    /* How many partitions a topic of a named cluster has; topic NULL: only whether there is such a
     * cluster. UNKNOWN_NAME, TOPIC_MISSING, UNSUPPORTED. May be NULL: there are no others. */
    ErrCode (*broker_topic)(void *context, const char *broker, const char *topic,
                            uint32_t *partitions, Err *err);
    /* Of a topic that is there; false: not known. *replicas 0: it has none. May wait. May be NULL:
     * topics keep everything. */
    bool (*topic_retention)(void *context, const char *topic, PlannedRetention *retention,
                            int32_t *replicas);
    /* Overloads of a user's function of this name, in any case; *count 0: none. May be NULL. */
    const UserFunction *const *(*user_functions)(void *context, const char *name,
                                                 uint32_t *count);
} PlannerHost;

typedef enum PlannedKind {
    PLANNED_CREATE_SOURCE, /* source; create_topic */
    PLANNED_ALTER,         /* source, in place of the one of its name */
    PLANNED_CREATE_AS,     /* source, plan; create_topic */
    PLANNED_INSERT_SELECT, /* plan */
    PLANNED_INSERT_VALUES, /* target, values, rowtime */
    PLANNED_ASSERT_VALUES, /* target, values, rowtime, window_start, window_end */
    PLANNED_ASSERT_SOURCE, /* target, source: as it is wanted */
    PLANNED_PUSH,          /* plan */
    PLANNED_PULL,          /* plan */
    PLANNED_NOTHING,       /* IF NOT EXISTS and it does: message says so */
} PlannedKind;

typedef struct Planned {
    PlannedKind kind;
    const Source *source;
    const Plan *plan;
    bool create_topic; /* the topic is missing and to be made with source->partition_count */
    PlannedRetention retention; /* ... and this */
    bool says_ms, says_bytes;   /* by WITH or its source's topic: -1 is meant, too */
    int32_t replicas; /* ... and so many copies, where there is a cluster; 0: not said */
    bool replaces; /* CREATE_AS: plan->query_id is running and gives place to it ... */
    bool rebuild;  /* ... but not its positions and state */
    bool notice_partitions; /* ... with one partition because none were given: say so */
    const Source *target;
    /* One per column of target's schema; a NULL literal where missing, ASSERT: no expression. */
    const Expr *const *values;
    const Expr *rowtime; /* BIGINT; NULL: now; ASSERT: any */
    const Expr *window_start, *window_end; /* ASSERT; BIGINT; NULL: any */
    const char *message;
} Planned;

/* Plans CREATE STREAM/TABLE [AS], ALTER STREAM/TABLE, INSERT, SELECT and, for tests, ASSERT of
 * values and sources. Other kinds are the engine's: INTERNAL. Everything in *planned lives in
 * `arena`. Errors carry the position where it can be known. */
ErrCode plan_statement(const PlannerHost *host, const AstStatement *statement, Arena *arena,
                       Planned *planned, Err *err);

/* Whether an expression of the plan asks for ROWPARTITION or ROWOFFSET. */
bool plan_reads_place(const Plan *plan);

/* Topics of queries' own and of Kafka's: only read by others. */
bool plan_topic_is_internal(const char *topic);
#define PLAN_TOPIC_RESERVED                                                                        \
    "The names of queries' own topics begin with '_weir-' and '_confluent': %s cannot be made."

/* What may have been meant by a name that no source has, with a line feed in front; or "". */
const char *plan_source_hint(const PlannerHost *host, const char *name, Arena *arena);

/* A type as written, with custom types resolved. */
ErrCode plan_type(const PlannerHost *host, const AstType *ast, Arena *arena, const Type **type,
                  Err *err);

/* Checks CREATE FUNCTION and makes the definition: names, types, limits; that an expression binds
 * and gives the result's type. What calls itself is refused when host->user_functions already
 * knows the new definition: plan_function_check(). */
ErrCode plan_function(const PlannerHost *host, const AstStatement *statement, Arena *arena,
                      UserFunction **function, Err *err);

/* The users' functions that were called, each once. */
typedef struct UserUses {
    const UserFunction **functions;
    size_t count, capacity;
} UserUses;

/* Binds the body of a definition against the present functions. `statement` is the one that makes
 * it, for positions; NULL: positions are those of the body. Adds what it calls, and what that
 * calls, to *uses. */
ErrCode plan_function_check(const PlannerHost *host, const UserFunction *function,
                            const AstStatement *statement, Arena *arena, UserUses *uses, Err *err);

#endif
