/*
 * planner_impl.h - the inside of the planner: what its files share.
 *
 *   plan_statement --> create.c       CREATE STREAM/TABLE
 *                  --> create_as.c    CSAS, CTAS    \
 *                  --> insert.c       INSERT         > draft_query(): bind and lay out the nodes
 *                  --> select.c       push, lookups /
 *
 * A Draft is a plan while it is laid out: the scope (what names mean), the select items bound over
 * the rows of FROM, and the nodes so far. Rules that ksqlDB checks are checked in full before
 * anything is refused as not done yet: draft_unsupported() only remembers.
 */
#ifndef PLANNER_PLANNER_IMPL_H
#define PLANNER_PLANNER_IMPL_H

#include "data/decimal.h"
#include "grammar/ast_print.h"
#include "grammar/parse.h"
#include "planner/planner.h"

typedef struct Planner {
    const PlannerHost *host;
    Arena *arena;
    const AstStatement *statement;
    UserUses *uses; /* NULL: nobody asks */
} Planner;

/* -- planner.c --------------------------------------------------------------------------------- */

/* The value in force, or `otherwise` where it is not set. */
const char *planner_setting(const Planner *planner, const char *name, const char *otherwise);
bool planner_setting_on(const Planner *planner, const char *name, bool otherwise);
/* Whether what ksqlDB refuses is allowed: weir.extensions. */
bool planner_extensions_on(const Planner *planner);

/* Texts in the arena, for messages: a name with backquotes where it needs them, an expression as
 * ksqlDB prints it, "A, B and C" (or "or"; NULL: "A, B, C"). */
const char *planner_name(const Planner *planner, const char *name);
const char *planner_expr(const Planner *planner, const AstExpr *expr);
const char *planner_list(const Planner *planner, const char *const *names, uint32_t count,
                         const char *last);
/* " Did you mean X?" or "". */
const char *planner_nearest(const Planner *planner, const char *word, const char *const *names,
                            uint32_t count);

/* UNKNOWN_NAME with ksqlDB's hints where there is no such source. */
ErrCode planner_source(const Planner *planner, const char *name, AstPos pos, const Source **source,
                       Err *err);

/* The statement's text, with the values of its ${variables}. */
const char *planner_statement(const Planner *planner);

/* ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART, WINDOWEND: no column may be called so. */
bool planner_reserved_name(const char *name);

/* -- expr_build.c: bound expressions ----------------------------------------------------------- */

Expr *expr_new(Arena *arena, ExprKind kind, const Type *type, const Expr *const *args,
               uint32_t arg_count);
Expr *expr_column(Arena *arena, uint32_t column, const Type *type, const char *text);
Expr *expr_pseudo(Arena *arena, ExprPseudo pseudo, const char *text);
Expr *expr_null(Arena *arena, const Type *type); /* type_null: not known yet */
Expr *expr_literal(Arena *arena, const Type *type); /* a present zero, to be filled in */
Expr *expr_boolean(Arena *arena, bool value);
Expr *expr_bigint(Arena *arena, int64_t value);
Expr *expr_string(Arena *arena, Bytes text);
bool expr_is_null(const Expr *expr); /* the literal NULL */
bool expr_equal(const Expr *left, const Expr *right); /* texts aside */

/* A tree with every node replaced by what `map` makes of it: NULL goes on into its arguments. */
typedef const Expr *ExprMapFn(void *context, const Expr *expr);
const Expr *expr_map(Arena *arena, const Expr *expr, ExprMapFn *map, void *context);

/* Calls `visit` for each node, outside in; stops and returns the node where it returns true. */
typedef bool ExprVisitFn(void *context, const Expr *expr);
const Expr *expr_find(const Expr *expr, ExprVisitFn *visit, void *context);
/* ROWPARTITION or ROWOFFSET in it; NULL: neither. */
const Expr *expr_find_place(const Expr *expr);

/* -- types.c, cast.c, coerce.c ----------------------------------------------------------------- */

ErrCode type_resolve(const Planner *planner, const AstType *ast, const Type **type, Err *err);
bool type_castable(const Type *from, const Type *to);          /* CAST's matrix */
bool type_implicit(const Type *from, const Type *to);          /* INSERT ... SELECT */
bool type_contains(const Type *type, TypeKind kind);           /* at any depth */
const char *type_base_name(const Type *type);                  /* "ARRAY", "DECIMAL" */
/* The narrower number widened to the other: NULL where they are not both numbers. */
const Type *type_wider(const Planner *planner, const Type *left, const Type *right);

/* `expr` as `type`: itself, a literal converted now, or an EXPR_CAST. The cast must be allowed. */
const Expr *cast_to(const Planner *planner, const Expr *expr, const Type *type);
/* The literal as `type` exactly, as CAST does it; NULL where that fails or is left to run time. */
const Expr *cast_literal(const Planner *planner, const Expr *expr, const Type *type);

/* ksqlDB's STRICT and LAX coercion: *result is NULL where `expr` cannot become `type`. */
typedef enum CoerceMode { COERCE_STRICT, COERCE_LAX } CoerceMode;
const Expr *coerce_expr(const Planner *planner, const Expr *expr, const Type *type,
                        CoerceMode mode);
/* One type for a list (IN, ARRAY[], MAP()), and the items as that type. *type is NULL where all
 * are NULL. */
ErrCode coerce_list(const Planner *planner, const Expr **exprs, uint32_t count, const Type **type,
                    Err *err);

/* -- scope.c: what names mean ------------------------------------------------------------------ */

typedef struct ScopeSource {
    const Source *source;
    const char *alias;
    AstPos pos;
} ScopeSource;

typedef struct ScopeColumn {
    uint32_t source;  /* index in Scope.sources */
    const char *name; /* as that source calls it */
    const Expr *expr; /* over the rows that FROM makes */
    bool pseudo;
} ScopeColumn;

typedef struct Scope {
    ScopeSource *sources;
    uint32_t source_count;
    ScopeColumn *columns;
    size_t column_count, column_capacity;
} Scope;

void scope_add(const Planner *planner, Scope *scope, ScopeColumn column);
/* Index of the source an alias names; UNKNOWN_NAME. */
ErrCode scope_find_source(const Planner *planner, const Scope *scope, const char *alias,
                          AstPos pos, uint32_t *index, Err *err);
/* NULL: none, or (count > 1) several. `qualifier` may be NULL. */
const ScopeColumn *scope_find(const Scope *scope, const char *qualifier, const char *name,
                              uint32_t *count);
ErrCode scope_ambiguous(const Planner *planner, const Scope *scope, const AstExpr *ast, Err *err);

/* -- bind_*.c: syntax tree to bound expression ------------------------------------------------- */

typedef struct AggregateCallRef {
    const Aggregate *aggregate;
    const Type *type;
    const char *text;
    const Expr **args; /* over the rows of FROM; without the constant ones */
    uint32_t arg_count;
    AggregateLimits limits;
} AggregateCallRef;

/* Aggregate call number i is bound to column AGGREGATE_COLUMN + i until the aggregation is laid
 * out: no source has that many columns. */
enum { AGGREGATE_COLUMN = 1 << 24 };

typedef struct AggregateCalls {
    AggregateCallRef *calls;
    size_t count, capacity;
} AggregateCalls;

/* A function of a user whose body is being bound; the chain tells what would call itself. */
typedef struct InlineFrame InlineFrame;
struct InlineFrame {
    const UserFunction *function;
    const InlineFrame *up;
};

/* Calls of table functions; number i is column TABLE_COLUMN + i until they are laid out. */
typedef struct TableCallRef {
    PlanTableCall call;
    const Type *type; /* of its column */
} TableCallRef;

enum { TABLE_COLUMN = 1 << 25 };

typedef struct TableCalls {
    TableCallRef *calls; /* equal ones once */
    size_t count, capacity;
    size_t met;
} TableCalls;

/* The parameters of a lambda while its body is bound. */
typedef struct LambdaScope {
    const struct LambdaScope *outer;
    const char *const *names;
    const Type *const *types;
    uint32_t count;
    uint32_t first_slot;
} LambdaScope;

typedef struct Binder {
    const Planner *planner;
    const Scope *scope;         /* NULL: constants only */
    const char *clause;         /* "SELECT", "WHERE", "GROUP BY", ... for messages */
    AggregateCalls *aggregates; /* NULL: not allowed here */
    const LambdaScope *lambda;  /* the innermost around; NULL: none */
    TableCalls *tables;         /* NULL: table functions are not allowed here */
    const char *inside;         /* the aggregate around, for messages; NULL: none */
    bool window_bounds;         /* WINDOWSTART and WINDOWEND of a windowed aggregation */
    bool flat_state;            /* the source's format cannot carry nested values */
    bool time_texts;            /* ROWTIME and window bounds compare with texts (WHERE, HAVING) */
    uint32_t depth;
    const InlineFrame *frame;   /* NULL: not in the body of a function */
    uint32_t local_count;       /* numbers of locals that are taken around here */
    bool in_table_function;     /* inside of one: they cannot be nested */
} Binder;

ErrCode bind_expr(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
/* WHERE, HAVING: must be BOOLEAN. */
ErrCode bind_predicate(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);

/* The kinds, by file; `ast` is of the fitting kind. */
ErrCode bind_args(Binder *binder, const AstExpr *ast, const Expr ***args, Err *err);
ErrCode bind_literal(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_column(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_call(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_user_call(Binder *binder, const UserFunction *function, const Expr **args,
                       const Expr **expr, Err *err); /* user_function.c; casts the arguments */
/* A call of which an argument is a lambda. */
ErrCode bind_lambda_call(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
/* The parameter of a lambda around that has this name; NULL: none. */
const Expr *bind_lambda_param(const Binder *binder, const char *name);
/* The scope in which a body of its own is bound: it sees no parameters of lambdas around it, but
 * may stand inside of them. */
LambdaScope bind_lambda_outside(const Binder *binder);
ErrCode bind_concat(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_arithmetic(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_negate(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_compare(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_between(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_in(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_like(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_logic(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_case(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_cast(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_subscript(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_deref(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_array(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_map(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);
ErrCode bind_struct(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err);

/* -- properties.c: the WITH clause ------------------------------------------------------------- */

typedef struct Properties {
    const AstProperty *set[40]; /* by PropertyId; NULL: not given */
} Properties;

typedef enum PropertyId {
#define PROPERTY(name, kind, where) PROPERTY_##name,
#include "planner/property.def"
#undef PROPERTY
    PROPERTY_COUNT
} PropertyId;

enum {
    PROPERTY_IN_CREATE = 1,
    PROPERTY_IN_CREATE_AS = 2,
    PROPERTY_IN_INSERT = 4,
    PROPERTY_IN_EXTENSION = 8,
    PROPERTY_IN_EXTENSION_AS = 16,
};

ErrCode properties_read(const Planner *planner, unsigned where, Properties *properties, Err *err);
/* Values of the kind in property.def; NULL for a text that is not given, the others must be. */
const char *properties_text(const Properties *properties, PropertyId id);
int64_t properties_i64(const Properties *properties, PropertyId id);
bool properties_on(const Properties *properties, PropertyId id);
AstPos properties_pos(const Properties *properties, PropertyId id);

/* -- formats.c --------------------------------------------------------------------------------- */

/* Whether all formats that the WITH clause names are known, and done here. */
ErrCode formats_names(const Planner *planner, const Properties *properties, Err *err);
/* Formats, wrapping and delimiters of a source or sink: from the WITH clause, else `inherited`
 * (NULL for DDL), else the settings. The schema must be complete. */
ErrCode formats_choose(const Planner *planner, const Properties *properties,
                       const PlanTopic *inherited, PlanTopic *topic, Err *err);
/* FORMAT error for a key with a map at any depth: it has no one form. */
ErrCode format_map_key(const Planner *planner, const char *name, const Type *type, Err *err);
/* Formats that are chosen, against a schema that has changed; wrapping follows. */
ErrCode formats_recheck(const Planner *planner, PlanTopic *topic, Err *err);
/* TIMESTAMP and TIMESTAMP_FORMAT against topic->schema. */
ErrCode formats_timestamp(const Planner *planner, const Properties *properties, PlanTopic *topic,
                          Err *err);
/* VALUE_SCHEMA_ID and KEY_SCHEMA_ID of a CREATE: none of our formats has schemas elsewhere. */
ErrCode formats_schema_ids(const Planner *planner, const Properties *properties, Err *err);
/* retention.c: how long the topic keeps its records, of planned->source and plan; `left`: whose
 * topic it is made from, NULL: none. */
ErrCode retention_plan(const Planner *planner, const Properties *properties, const Source *left,
                       Planned *planned, Err *err);
/* RETENTION_MS and RETENTION_BYTES are not for tables without windows. */
ErrCode formats_retention(const Properties *properties, const Source *source, Err *err);
/* Partitions of a topic to be made or found; sets planned->create_topic and the notice. */
ErrCode formats_partitions(const Planner *planner, const Properties *properties, Source *source,
                           Planned *planned, Err *err);

/* -- datagen.c --------------------------------------------------------------------------------- */

/* *datagen NULL: not SOURCE='datagen' (then its options must not be there either). */
ErrCode datagen_read(const Planner *planner, const Properties *properties,
                     const Datagen **datagen, Err *err);
/* The columns of its kind, for a statement that declares none. */
ErrCode datagen_schema(const Planner *planner, const Datagen *datagen, const Schema **schema,
                       Err *err);
/* Whether the declared columns can be generated. */
ErrCode datagen_check(const Planner *planner, const Properties *properties,
                      const Source *source, Err *err);

/* -- draft.c: a plan while it is laid out ------------------------------------------------------ */

typedef struct SelectItem {
    const char *name;
    const char *written; /* NULL: from a star */
    const Expr *expr;
    AstPos pos;
    bool aliased;
} SelectItem;

/* A key column of the result before its name is known. */
typedef struct ResultKey {
    const Expr *expr;  /* over the rows of FROM: the items that are this key column */
    const char *name;  /* where no item renames it */
    const char *text;  /* for messages */
    const Expr *value; /* what it is computed of; NULL: expr */
} ResultKey;

typedef struct Draft {
    const Planner *planner;
    const AstQuery *ast;
    PlanKind kind;
    const char *sink_name; /* PERSISTENT: of the stream or table written into */
    Scope scope;
    PlanNode **nodes;
    size_t node_count, node_capacity;
    PlanNode *top; /* whose rows come out so far */
    SelectItem *items;
    size_t item_count, item_capacity;
    ResultKey *keys;
    uint32_t key_count;
    const char *key_word;  /* "key column", "grouping expression", ... for messages */
    bool key_synthetic;    /* ROWKEY of a join on expressions */
    const char *foreign_table; /* whose key a join on a foreign key keeps; NULL */
    bool any_key;          /* one of `keys` is enough: they are equal by a join */
    const Expr **row_keys; /* each equals the one key column of the rows of FROM */
    uint32_t row_key_count;
    bool partitioned;      /* PARTITION BY another key */
    uint32_t source_key_count; /* key columns of the rows before PARTITION BY */
    const char **made_names;   /* given to expressions without an alias */
    size_t made_name_capacity;
    uint32_t made_name_count;
    int64_t limit;
    const PlanNode *materialized;
    WindowKind window; /* of the result */
    int64_t window_size_ms;
    AggregateCalls aggregates;
    TableCalls tables;
    const char *unsupported; /* the first thing met that is not done yet */
} Draft;

PlanNode *draft_add(Draft *draft, PlanNodeKind kind, const char *path, const PlanNode *input);
void draft_unsupported(Draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
Binder draft_binder(Draft *draft, const char *clause);

/* Binds FROM to HAVING and lays out everything up to the final projection, whose schema has the
 * result's key columns first for a persistent query, and the columns as selected otherwise. */
ErrCode draft_query(Draft *draft, Err *err);
/* The same for a lookup's WHERE and items, behind the node already on top. */
ErrCode draft_items(Draft *draft, Err *err);
ErrCode draft_where(Draft *draft, Err *err);
/* The nodes that read a source; a table's rows come out with their old values. */
void draft_source_nodes(Draft *draft, const Source *source, const char *path);
/* Source names, joins: nodes, scope and keys of FROM. */
ErrCode draft_from(Draft *draft, Err *err);
ErrCode draft_join(Draft *draft, Err *err);
/* Whether the select list may have aggregates: in lookups that is an addition, and needs a FROM. */
bool draft_may_aggregate(const Draft *draft);
ErrCode draft_aggregate(Draft *draft, Err *err);
ErrCode draft_window(Draft *draft, PlanWindow *window, Err *err);
ErrCode draft_partition_by(Draft *draft, Err *err);
/* Lays out the table functions of the items, if there are any. */
ErrCode draft_flat_map(Draft *draft, Err *err);
/* Binds the expressions of PARTITION BY or GROUP BY: they become draft->keys. */
ErrCode draft_key_exprs(Draft *draft, Binder *binder, const AstExpr *const *asts, uint32_t count,
                        Err *err);
/* The name of a select item or key without an alias. */
const char *draft_default_name(Draft *draft, const AstExpr *ast);
/* FORMAT error where a source has the KAFKA value format. */
ErrCode draft_kafka_sources(const Draft *draft, const char *what, Err *err);
ErrCode draft_limit(Draft *draft, Err *err);
ErrCode draft_item(Draft *draft, const char *name, const Expr *expr, Err *err);
/* SOURCE nodes learn which of their columns are read. */
void draft_used(Draft *draft);
/* The final projection: keys and values out of items. */
ErrCode draft_project_keyed(Draft *draft, Err *err);
ErrCode draft_project_plain(Draft *draft, Err *err);
PlanNode *draft_project(Draft *draft, const char *path, const Schema *schema,
                        const Expr *const *exprs);

/* Turns it into a Plan: topological order, ids, used columns. */
ErrCode draft_finish(Draft *draft, Plan *plan, Err *err);

/* -- Statements -------------------------------------------------------------------------------- */

/* create.c: the name, the topic's, and what stands in the way; kind NOTHING for IF NOT EXISTS. */
ErrCode create_name(const Planner *planner, Err *err);
ErrCode create_topic_name(const char *topic, Err *err);
ErrCode create_existing(const Planner *planner, const Source **old, Planned *planned, Err *err);
/* Reserved column names. */
ErrCode create_column_name(const AstColumnDef *def, Err *err);

/* upgrade.c: what CREATE OR REPLACE may change. `source` takes the place of `old`. */
ErrCode upgrade_source(const Planner *planner, const Source *old, const Source *source, Err *err);
/* upgrade_plan.c: the same for queries. *rebuild: positions and state cannot be taken over. */
ErrCode upgrade_plan(const Planner *planner, const Plan *old, const Plan *plan, bool *rebuild,
                     Err *err);

/* What WHERE says about the key of a table: narrows what is read. SEMANTIC where it says too
 * little and scans are turned off. */
ErrCode lookup_conditions(const Planner *planner, const Source *table, const Expr *where,
                          PlanLookup *lookup, Err *err);

/* insert.c: one value as its column's type, by the STRICT rules; what no column is called. */
ErrCode values_bind(const Planner *planner, const AstExpr *ast, const char *name, const Type *type,
                    const Expr **value, Err *err);
ErrCode values_column_unknown(const Planner *planner, const Schema *schema, const char *name,
                              AstPos pos, Err *err);

/* broker.c: WITH (BROKER='name') of a source, whose topic is of another cluster too. `reads`: it is
 * read from there; else it is written by us, and goes there. Before formats_partitions(). */
ErrCode broker_plan(const Planner *planner, const Properties *properties, Source *source,
                    bool reads, Err *err);

ErrCode plan_create(Planner *planner, Planned *planned, Err *err);
ErrCode plan_alter(Planner *planner, Planned *planned, Err *err);
ErrCode plan_create_as(Planner *planner, Planned *planned, Err *err);
ErrCode plan_insert_select(Planner *planner, Planned *planned, Err *err);
ErrCode plan_insert_values(Planner *planner, Planned *planned, Err *err);
ErrCode plan_assert_values(Planner *planner, Planned *planned, Err *err); /* and NULL VALUES */
ErrCode plan_assert_source(Planner *planner, Planned *planned, Err *err);
ErrCode plan_push(Planner *planner, Planned *planned, Err *err);
ErrCode plan_pull(Planner *planner, Planned *planned, Err *err);

#endif
