/*
 * ast.h - the syntax tree of a statement: what was written, nothing looked up.
 *
 * Every node lives in the statement arena and carries the position of its first token. Names are
 * stored as SQL means them: unquoted ones in upper case, quoted ones as written (`quoted` false or
 * true is not kept: the printer quotes where it must). Lists are arrays with a count. A tree is
 * immutable once parsed; ast_print.h turns it back into text that parses to the same tree.
 */
#ifndef GRAMMAR_AST_H
#define GRAMMAR_AST_H

#include "base/bytes.h"

typedef struct AstPos {
    uint32_t line;   /* 1-based */
    uint32_t column; /* in characters, 1-based */
    uint32_t offset; /* in bytes from the start of the script */
} AstPos;

/* -- Types ------------------------------------------------------------------------------------ */

typedef enum AstTypeKind {
    AST_TYPE_NAMED,   /* name: a built-in or a custom type; parameters are kept for DECIMAL only */
    AST_TYPE_DECIMAL, /* precision, scale */
    AST_TYPE_ARRAY,   /* fields[0].type */
    AST_TYPE_MAP,     /* fields[0].type key, fields[1].type value */
    AST_TYPE_STRUCT,  /* fields */
} AstTypeKind;

typedef struct AstType AstType;

typedef struct AstField {
    const char *name; /* STRUCT only */
    const AstType *type;
} AstField;

struct AstType {
    AstTypeKind kind;
    AstPos pos;
    const char *name; /* upper case unless quoted */
    int64_t precision;
    int64_t scale;
    const AstField *fields;
    uint32_t field_count;
    uint32_t depth; /* 1 + the deepest field's; at most EXPR_DEPTH_MAX */
};

/* -- Expressions ------------------------------------------------------------------------------ */

typedef enum AstExprKind {
    AST_NULL,
    AST_BOOLEAN,   /* boolean */
    AST_INTEGER,   /* text: digits (INT or BIGINT by value; the binder decides) */
    AST_DECIMAL,   /* text: digits with a point: 1. 1.5 .5 */
    AST_DOUBLE,    /* text: with an exponent; each of the three has its '-' if one was written */
    AST_STRING,    /* text: unescaped */
    AST_TYPED,     /* name '...': DECIMAL '1.23'; name, text */
    AST_VARIABLE,  /* ${name}: what is left where no substitution took place */
    AST_COLUMN,    /* [qualifier.]name */
    AST_DEREF,     /* args[0] -> name */
    AST_SUBSCRIPT, /* args[0] [ args[1] ] */
    AST_CALL,      /* name(args): `star` for f(*) */
    AST_LAMBDA,    /* (names) => args[0] */
    AST_UNIT,      /* DAY, HOURS, ... as an argument: name */
    AST_CAST,      /* CAST(args[0] AS type) */
    AST_CASE,      /* args: [operand if has_operand] {when, then}... [else if has_else] */
    AST_ARRAY,     /* ARRAY[args] */
    AST_MAP,       /* MAP(args: key, value, key, value...) */
    AST_STRUCT,    /* STRUCT(names[i] := args[i]) */
    AST_NEGATE,    /* - args[0] */
    AST_PLUS,      /* + args[0] */
    AST_BINARY,    /* args[0] op args[1]: + - * / % || */
    AST_COMPARE,   /* args[0] op args[1]: = <> < <= > >= IS DISTINCT FROM, IS NOT DISTINCT FROM */
    AST_AND,       /* args[0], args[1] */
    AST_OR,
    AST_NOT,       /* args[0] */
    AST_BETWEEN,   /* args[0] [NOT] BETWEEN args[1] AND args[2] */
    AST_IN,        /* args[0] [NOT] IN (args[1]...) */
    AST_LIKE,      /* args[0] [NOT] LIKE args[1] [ESCAPE text] */
    AST_IS_NULL,   /* args[0] IS [NOT] NULL */
    AST_AT_ZONE,   /* args[0] AT TIME ZONE text */
    AST_ALL_FIELDS, /* args[0] -> *; the parser makes an AST_ITEM_ALL_FIELDS instead */
} AstExprKind;

typedef enum AstOp {
    AST_OP_NONE,
    AST_OP_ADD,
    AST_OP_SUBTRACT,
    AST_OP_MULTIPLY,
    AST_OP_DIVIDE,
    AST_OP_MODULUS,
    AST_OP_CONCAT,
    AST_OP_EQUAL,
    AST_OP_NOT_EQUAL,
    AST_OP_LESS,
    AST_OP_LESS_EQUAL,
    AST_OP_GREATER,
    AST_OP_GREATER_EQUAL,
    AST_OP_DISTINCT,     /* IS DISTINCT FROM */
    AST_OP_NOT_DISTINCT, /* IS NOT DISTINCT FROM */
} AstOp;

typedef struct AstExpr AstExpr;

struct AstExpr {
    AstExprKind kind;
    AstOp op;
    AstPos pos;
    bool boolean;    /* AST_BOOLEAN */
    bool negated;    /* NOT BETWEEN, NOT IN, NOT LIKE, IS NOT NULL */
    bool star;       /* f(*) */
    bool has_operand;
    bool has_else;
    bool has_escape;
    uint32_t depth; /* 1 + the deepest argument's or type's; at most EXPR_DEPTH_MAX */
    const char *qualifier; /* AST_COLUMN: NULL where none was written */
    const char *name;
    Bytes text; /* literals; AST_LIKE: the escape if has_escape; NUL-terminated */
    const AstType *type;
    const char *const *names; /* AST_STRUCT: field names; AST_LAMBDA: parameters */
    const AstExpr *const *args;
    uint32_t name_count;
    uint32_t arg_count;
};

/* -- Queries ---------------------------------------------------------------------------------- */

typedef enum AstUnit {
    AST_UNIT_MILLISECONDS,
    AST_UNIT_SECONDS,
    AST_UNIT_MINUTES,
    AST_UNIT_HOURS,
    AST_UNIT_DAYS,
} AstUnit;

typedef struct AstDuration {
    int64_t count;
    AstUnit unit;
    bool present;
} AstDuration;

/* Milliseconds; saturates at INT64_MAX. */
int64_t ast_duration_ms(AstDuration duration);

typedef enum AstItemKind {
    AST_ITEM_EXPR,       /* expr [AS alias] */
    AST_ITEM_ALL,        /* * */
    AST_ITEM_ALL_OF,     /* qualifier.* */
    AST_ITEM_ALL_FIELDS, /* expr -> *: expr is the struct */
} AstItemKind;

typedef struct AstItem {
    AstItemKind kind;
    AstPos pos;
    const char *qualifier;
    const AstExpr *expr;
    const char *alias; /* NULL: none written */
} AstItem;

typedef enum AstJoinKind {
    AST_JOIN_NONE,
    AST_JOIN_INNER,
    AST_JOIN_LEFT,
    AST_JOIN_RIGHT,
    AST_JOIN_FULL,
} AstJoinKind;

/* sources[0] has kind AST_JOIN_NONE; each later one joins all before it. */
typedef struct AstSource {
    AstJoinKind join;
    AstPos pos;
    const char *name;
    const char *alias; /* NULL: the name */
    bool has_within;
    AstDuration before; /* WITHIN n: before and after are the same */
    AstDuration after;
    AstDuration grace;
    const AstExpr *on; /* NULL for the first */
} AstSource;

typedef enum AstWindowKind {
    AST_WINDOW_NONE,
    AST_WINDOW_TUMBLING,
    AST_WINDOW_HOPPING,
    AST_WINDOW_SESSION,
} AstWindowKind;

typedef struct AstWindow {
    AstWindowKind kind;
    AstPos pos;
    const char *name;    /* ignored by ksqlDB; NULL */
    AstDuration size;    /* SESSION: the gap */
    AstDuration advance; /* HOPPING */
    AstDuration retention;
    AstDuration grace;
} AstWindow;

typedef enum AstEmit { AST_EMIT_NONE, AST_EMIT_CHANGES, AST_EMIT_FINAL } AstEmit;

typedef struct AstOrder {
    const AstExpr *expr;
    bool descending;
} AstOrder;

typedef struct AstQuery {
    AstPos pos;
    const AstItem *items;
    uint32_t item_count;
    const AstSource *sources; /* source_count 0: SELECT without FROM (an addition) */
    uint32_t source_count;
    AstWindow window;
    const AstExpr *where;
    const AstExpr *const *group_by; /* NULL: no clause; GROUP BY (): not NULL, count 0 */
    uint32_t group_by_count;
    const AstExpr *const *partition_by; /* the same */
    uint32_t partition_by_count;
    const AstExpr *having;
    const AstOrder *order_by; /* an addition */
    uint32_t order_by_count;
    AstEmit emit;
    bool has_limit, has_offset; /* OFFSET is an addition */
    AstPos limit_pos;
    Bytes limit; /* digits as written, with a '-' if one was; fits an INT */
    Bytes offset;
} AstQuery;

/* -- Statements ------------------------------------------------------------------------------- */

typedef struct AstProperty {
    AstPos pos;
    const char *name; /* upper case; of SET and connectors: as written */
    const AstExpr *value; /* a literal */
} AstProperty;

typedef enum AstColumnRole {
    AST_COLUMN_VALUE,
    AST_COLUMN_KEY,
    AST_COLUMN_PRIMARY_KEY,
    AST_COLUMN_HEADERS,
} AstColumnRole;

typedef struct AstColumnDef {
    AstPos pos;
    const char *name;
    const AstType *type;
    AstColumnRole role;
    const char *header; /* HEADER('k'): k; HEADERS: NULL */
} AstColumnDef;

typedef enum AstStatementKind {
    AST_SELECT,          /* query */
    AST_CREATE_STREAM,   /* name, columns, properties; as_query: CSAS */
    AST_CREATE_TABLE,    /* the same; as_query: CTAS */
    AST_INSERT_SELECT,   /* name, properties, query */
    AST_INSERT_VALUES,   /* name, names (may be 0), values */
    AST_DROP_STREAM,     /* name, if_exists, delete_topic; cascade: an addition */
    AST_DROP_TABLE,
    AST_ALTER_SOURCE,    /* is_table, name, columns */
    AST_ALTER_SYSTEM,    /* name, text */
    AST_SHOW,            /* what, extended, all */
    AST_DESCRIBE,        /* name, extended */
    AST_DESCRIBE_ALL,    /* what = STREAMS | TABLES, extended */
    AST_DESCRIBE_FUNCTION,
    AST_DESCRIBE_CONNECTOR,
    AST_EXPLAIN,         /* inner, or name: a query id; analyze */
    AST_TERMINATE,       /* name, or all */
    AST_PAUSE,
    AST_RESUME,
    AST_SET,             /* name, text */
    AST_UNSET,           /* name */
    AST_DEFINE,          /* name, text */
    AST_UNDEFINE,        /* name */
    AST_CREATE_TYPE,     /* name, type, if_not_exists */
    AST_DROP_TYPE,
    AST_CREATE_CONNECTOR, /* name, is_sink, properties, if_not_exists */
    AST_DROP_CONNECTOR,
    AST_PRINT,           /* name: topic; from_beginning, interval, limit */
    AST_ASSERT_TOPIC,    /* name, not_exists, properties, timeout */
    AST_ASSERT_SCHEMA,   /* name: subject or NULL; has_id, id; not_exists, timeout */
    AST_ASSERT_VALUES,   /* name, names, values */
    AST_ASSERT_NULL_VALUES, /* name, names, values: the key */
    AST_ASSERT_STREAM,   /* as CREATE */
    AST_ASSERT_TABLE,
    AST_RUN_SCRIPT,      /* text: file */
    AST_CREATE_FUNCTION, /* name, columns: parameters, type: result; values[0], or language, text
                            and symbol; or_replace, if_not_exists: an addition */
    AST_DROP_FUNCTION,   /* name, columns: types only (has_columns: given), if_exists */
    AST_COPY,            /* COPY name FROM text|'-' (properties): an addition; is_sink: COPY name
                            or query TO text|'-' */
    AST_CREATE_TOPIC,    /* name, properties, if_not_exists: an addition, as the next three */
    AST_ALTER_TOPIC,     /* name, properties */
    AST_DROP_TOPIC,      /* name, if_exists */
    AST_DESCRIBE_TOPIC,  /* name */
    AST_ALTER_QUERY,     /* name, limit: records to skip; an addition */
} AstStatementKind;

typedef enum AstShow {
    AST_SHOW_PROPERTIES,
    AST_SHOW_TOPICS,
    AST_SHOW_STREAMS,
    AST_SHOW_TABLES,
    AST_SHOW_FUNCTIONS,
    AST_SHOW_CONNECTORS,
    AST_SHOW_CONNECTOR_PLUGINS,
    AST_SHOW_TYPES,
    AST_SHOW_VARIABLES,
    AST_SHOW_QUERIES,
    AST_SHOW_EXTENSIONS, /* an addition */
    AST_SHOW_QUICKSTARTS, /* an addition */
    AST_SHOW_ERRORS,     /* FOR name: an addition */
} AstShow;

typedef struct AstStatement AstStatement;

struct AstStatement {
    AstStatementKind kind;
    AstPos pos;
    Bytes source; /* the statement's own text without the final ';', in the script's memory */
    const char *name;
    AstPos name_pos;
    Bytes text;
    AstPos text_pos;      /* of a function's code */
    const char *language; /* of a function; NULL: an expression */
    Bytes symbol;         /* data NULL: none written */
    AstShow show;
    /* Flags as written. */
    bool or_replace, if_not_exists, if_exists, not_exists, delete_topic, cascade, extended, all;
    bool analyze;
    bool is_source, is_table, is_sink, has_columns, has_id, from_beginning, has_limit, has_interval;
    int64_t id, limit, interval;
    AstDuration timeout;
    const AstColumnDef *columns;
    uint32_t column_count;
    const AstProperty *properties;
    uint32_t property_count;
    const char *const *names; /* columns named by INSERT */
    const AstPos *name_poses; /* theirs */
    uint32_t name_count;
    const AstExpr *const *values;
    uint32_t value_count;
    const AstType *type;
    const AstQuery *query; /* CSAS and CTAS have one, plain CREATE has none */
    const AstStatement *inner;
};

#endif
