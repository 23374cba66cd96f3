/*
 * plan.h - what is to be done, typed and immutable: the only thing of planner/ that runtime/ sees.
 *
 * A Plan is a DAG of nodes in topological order (inputs before users). It lives in one arena, is
 * stored as JSON with a version per node (plan_json.h), printed by EXPLAIN, and read by the
 * runtime, which keeps what changes in its operators.
 *
 * Column order of every node's output: keys first, then values (Schema). Expressions name columns
 * of their node's input by index.
 */
#ifndef PLANNER_PLAN_H
#define PLANNER_PLAN_H

#include "data/column.h"
#include "data/schema.h"
#include "data/serde.h"
#include "udf/aggregate.h"
#include "udf/function.h"
#include "udf/table.h"
#include "udf/user.h"

/* -- Expressions ------------------------------------------------------------------------------- */

/* What fails, and where. A division by zero, arithmetic on NULL, a NULL where AND, OR, NOT, LIKE or
 * WHEN need a truth value: such an operator fails, and with it the operators around it, up to the
 * nearest written CAST, item of a constructor, or argument of a function that is itself a call or
 * a field; there, or at last as a whole, the value is NULL. So NOT (a + 1 > 5) is NULL where `a`
 * is, while NOT (a > 5) is TRUE. What fails in a lambda fails its call. All but NULLs where none
 * may be are row errors too. */
typedef enum ExprKind {
    EXPR_LITERAL,   /* literal: a column of length 1 (missing: NULL of that type) */
    EXPR_COLUMN,    /* column: index into the input's schema */
    EXPR_PSEUDO,    /* pseudo */
    EXPR_CALL,      /* function(args) */
    EXPR_CAST,      /* args[0] to type; `open`: what fails in it fails around it too */
    EXPR_CASE,      /* args: when, then, when, then, ..., else (always there, maybe NULL) */
    EXPR_ARITHMETIC, /* args[0] op args[1] for + - * / %; operands already of fitting types: both
                        INT, both BIGINT, both DOUBLE, or both DECIMAL (any p,s) */
    EXPR_CONCAT,    /* STRING + STRING: NULL where either is */
    EXPR_NEGATE,
    EXPR_COMPARE,   /* op: = <> < <= > >= and IS [NOT] DISTINCT FROM; operands of one type, except
                       that DECIMALs may differ in precision and scale, and may stand beside a
                       DOUBLE */
    EXPR_AND,       /* two or more args, left to right */
    EXPR_OR,
    EXPR_NOT,
    EXPR_IN,        /* args[0] in (args[1]...), all of one type */
    EXPR_LIKE,      /* args[0] like args[1]; escape: a character or 0 */
    EXPR_IS_NULL,   /* `negated`: IS NOT NULL */
    EXPR_SUBSCRIPT, /* args[0][args[1]]: ARRAY (1-based) or MAP */
    EXPR_DEREF,     /* args[0] -> field number `column` */
    EXPR_ARRAY,     /* ARRAY[args] */
    EXPR_MAP,       /* MAP(key, value, ...) */
    EXPR_STRUCT,    /* STRUCT: args in the order of type's fields */
    EXPR_LET,       /* args[1], in which local number `column` is args[0], computed once a row */
    EXPR_LOCAL,     /* local number `column` of the nearest EXPR_LET around that has it */
    EXPR_LAMBDA,    /* (p0, p1, ...) => args[0]: an argument of a CALL only; type: its result's.
                       Its parameters are slots [column, column + param_count) */
    EXPR_PARAM,     /* column: a slot of the lambda around. Slots count from the outermost lambda
                       of an expression inwards, so that equal lambdas are equal trees */
} ExprKind;

typedef enum ExprOp {
    OP_NONE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_MODULUS,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_DISTINCT,
    OP_NOT_DISTINCT,
} ExprOp;

typedef enum ExprPseudo {
    PSEUDO_ROWTIME,
    PSEUDO_ROWPARTITION,
    PSEUDO_ROWOFFSET,
    PSEUDO_WINDOWSTART,
    PSEUDO_WINDOWEND,
} ExprPseudo;

typedef struct Expr Expr;

struct Expr {
    ExprKind kind;
    ExprOp op;
    ExprPseudo pseudo;
    const Type *type; /* of the result */
    uint32_t column;
    uint32_t param_count; /* LAMBDA */
    bool negated;
    bool open;   /* CAST: put in by the planner for an operator, not written by a person */
    char escape; /* LIKE: 0 none */
    const Column *literal;
    const Function *function;
    const Expr *const *args;
    uint32_t arg_count;
    const char *text; /* as the user would write it, for messages of row errors and EXPLAIN */
};

/* -- Topics as the plan reads and writes them -------------------------------------------------- */

typedef enum WindowKind { WINDOW_NONE, WINDOW_TUMBLING, WINDOW_HOPPING, WINDOW_SESSION } WindowKind;

typedef struct PlanFormat {
    const Format *format;
    bool unwrapped;
    char delimiter; /* DELIMITED */
} PlanFormat;

typedef struct PlanTopic {
    const char *topic;
    const Schema *schema; /* keys, values, header columns */
    PlanFormat key, value;
    WindowKind window; /* the key on the wire ends in window bounds */
    int64_t window_size_ms;
    int32_t timestamp_column;     /* -1: the record's own time */
    const char *timestamp_format; /* NULL: the column is BIGINT or TIMESTAMP */
} PlanTopic;

/* -- Nodes ------------------------------------------------------------------------------------- */

typedef enum PlanNodeKind {
    PLAN_SOURCE,      /* topic -> rows. is_table: nothing more; who needs old values or lookups
                         puts a MATERIALIZE behind it */
    PLAN_MATERIALIZE, /* table rows -> table changes with old values; a table store */
    PLAN_ROW,         /* lookups only: one row without columns, for SELECT without FROM */
    PLAN_STORE,       /* lookups only: reads the store of another query's node */
    PLAN_FILTER,      /* predicate; on tables: by pairs */
    PLAN_PROJECT,     /* exprs[i] makes column i of schema */
    PLAN_FLAT_MAP,    /* streams: table functions; output: the input's columns, then one per call.
                         A row becomes as many as its longest call makes; shorter ones end in NULL;
                         none at all: the row is gone */
    PLAN_REPARTITION, /* to another key: exprs as PROJECT, then an internal topic unless both sides
                         are one task; a table keeps its key, and only moves */
    PLAN_JOIN_TABLE,  /* inputs[0] a stream, inputs[1] a table: the table's rows are kept in a table
                         store; output columns: the key expr of the join, then all columns of the
                         left input, then all of the right one, as schema names them */
    PLAN_JOIN_STREAM, /* both inputs streams, each with the join's key as its one key column: rows
                         of equal keys, and equal windows, whose times are `within` each other.
                         Join store; output columns as JOIN_TABLE */
    PLAN_JOIN_TABLES, /* two tables with one key column each, of one type: both are kept, in one
                         store; output columns: the key, all of the left input, all of the right */
    PLAN_SUBSCRIBE,   /* a table's rows as a stream under a foreign key: join_key over the input;
                         output columns: that key, all of the input, a note (BIGINT). Table store */
    PLAN_JOIN_FOREIGN, /* inputs[0] such a stream, inputs[1] the table with that key: a stream of
                         results under the left table's key; output columns: the left table's, all
                         of the right input, a note. Foreign store */
    PLAN_RESOLVE,     /* those results, moved to their key, as a table: its input's columns without
                         the note. Table store */
    PLAN_AGGREGATE,   /* input: a stream keyed by the group (key columns of its schema), values: the
                         columns aggregated; output: group key columns, then one column per call.
                         With a window the output rows have window bounds. Table or window store */
    PLAN_SINK,        /* rows -> topic */
    PLAN_RESULT,      /* rows -> the client of a push query or a lookup */
} PlanNodeKind;

/* Two inputs; output: the key of the join, then the columns of the left one, then of the right. */
static inline bool plan_is_join(PlanNodeKind kind) {
    return kind == PLAN_JOIN_TABLE || kind == PLAN_JOIN_STREAM || kind == PLAN_JOIN_TABLES;
}

/* The nodes of a join on a foreign key, whose columns are their inputs' and a note. */
static inline bool plan_is_foreign(PlanNodeKind kind) {
    return kind == PLAN_SUBSCRIBE || kind == PLAN_JOIN_FOREIGN || kind == PLAN_RESOLVE;
}

typedef struct PlanAggregate {
    const Aggregate *aggregate;
    const Type *type;       /* of the result */
    const uint32_t *args;   /* columns of the input */
    uint32_t arg_count;
    AggregateLimits limits;
} PlanAggregate;

/* A table function's call. */
typedef struct PlanTableCall {
    const TableFunction *function;
    const Expr *const *args; /* over the input */
    uint32_t arg_count;
    const char *text;
} PlanTableCall;

/* EMIT FINAL: one row a window, when it is closed. */
typedef enum WindowFinal {
    FINAL_NONE,     /* EMIT CHANGES */
    FINAL_COMPLETE, /* every window */
    FINAL_KSQLDB,   /* not those that were over before the first one that was closed */
} WindowFinal;

#define WINDOW_MS_MAX (INT64_MAX / 8) /* of each span: sums of some do not overflow */

typedef struct PlanWindow {
    WindowKind kind;
    /* advance = size for TUMBLING; of a session, size is the gap that ends it */
    int64_t size_ms, advance_ms, grace_ms, retention_ms;
    WindowFinal final;
    int64_t idle_timeout_ms; /* FINAL: then the wall clock goes on where rows do not; 0: never */
} PlanWindow;

typedef enum PlanJoinKind { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL } PlanJoinKind;

#define WITHIN_MS_MAX INT64_C(315360000000000) /* 10,000 years: sums of several fit */

/* A left row at t meets the right rows in [t - before, t + after]. */
typedef struct PlanWithin {
    int64_t before_ms, after_ms, grace_ms;
    bool eager; /* no GRACE PERIOD was given: a row without a partner comes out at once */
} PlanWithin;

typedef struct PlanNode PlanNode;

struct PlanNode {
    PlanNodeKind kind;
    uint32_t version; /* of this kind's meaning; plan_json.c knows the present ones */
    uint32_t id;      /* its index in the plan */
    const char *path; /* ties state to the step: "Aggregate", "KafkaTopic_Right", ... unique */
    uint32_t input_count;
    uint32_t inputs[2]; /* ids */
    const Schema *schema;
    bool is_table;  /* rows are changes of a table: kinds VALUE and DELETE */
    bool old_known; /* rows come with old values (Batch.old) */
    bool windowed;  /* rows have window bounds */

    const PlanTopic *topic;      /* SOURCE, SINK; STORE: of the table, for its name */
    const bool *used;            /* SOURCE: columns that are converted */
    const char *store_query;     /* STORE: query id and node path whose store is read */
    const char *store_path;
    const Expr *predicate;       /* FILTER; an outer JOIN_STREAM: over its output, or NULL */
    const Expr *const *exprs;    /* PROJECT, REPARTITION: schema->column_count of them */
    const char *note;            /* for EXPLAIN: why the planner put it there; NULL */
    const PlanTableCall *table_calls; /* FLAT_MAP */
    uint32_t table_call_count;
    PlanJoinKind join;           /* JOIN_TABLE, those by foreign key: INNER or LEFT; others: all */
    const Expr *join_key;        /* JOIN_TABLE, SUBSCRIBE: over inputs[0] */
    PlanWithin within;           /* JOIN_STREAM */
    PlanWindow window;           /* AGGREGATE */
    const PlanAggregate *aggregates;
    uint32_t aggregate_count;
};

/* A lookup's condition on the key: all rows, these keys, and bounds on windows. The FILTER behind
 * it still checks the whole WHERE: this only narrows what is read. */
typedef struct PlanLookup {
    bool by_key;
    const Expr *const *keys; /* key_count rows of key columns each, constant expressions */
    uint32_t key_count;
    /* Without keys: constants that the leading key columns are not below or above. */
    const Expr *const *min, *const *max;
    uint32_t min_count, max_count;
    int64_t window_start_min, window_start_max; /* INT64_MIN, INT64_MAX: open */
} PlanLookup;

typedef struct PlanOrder {
    uint32_t column; /* of the RESULT's schema; hidden columns come after visible_count */
    bool descending;
} PlanOrder;

typedef enum PlanKind { PLAN_PERSISTENT, PLAN_PUSH, PLAN_PULL } PlanKind;

typedef struct Plan {
    PlanKind kind;
    const char *query_id; /* set by the engine for transient queries */
    const PlanNode *const *nodes;
    uint32_t node_count;
    const char *sink_source; /* PERSISTENT: name of the stream or table it writes into */
    int32_t materialized;    /* node whose store holds the result table; -1: none */
    uint32_t partition_count; /* of the sink */
    PlanLookup lookup;       /* PULL */
    int64_t limit;           /* PUSH, PULL; -1: none */
    int64_t offset;          /* PULL; 0 */
    const PlanOrder *order;
    uint32_t order_count;
    uint32_t visible_count;  /* RESULT: columns the client sees */
    bool one_group;          /* PULL: aggregates without GROUP BY: a result even over no rows */
    const char *statement;   /* its text */
    /* The users' functions it was made with, inlined ones too: it keeps these definitions. */
    const UserFunction *const *functions;
    uint32_t function_count;
} Plan;

#endif
