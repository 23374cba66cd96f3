/*
 * tree.h - expressions of the interpreter: typed trees that are printed as SQL and evaluated row
 * by row with ksqlDB's rules.
 *
 * As in ksqlDB an operator that cannot go on throws, and what it stands in throws too, up to the
 * nearest of: CAST, an item of a constructor, an argument of a function that is itself a call or a
 * `->`, the whole expression. There it becomes NULL and an error of the row.
 */
#ifndef TESTS_INTERP_TREE_H
#define TESTS_INTERP_TREE_H

#include "tests/interp/value.h"

typedef enum RefNodeKind {
    NODE_LITERAL, /* value; text: as SQL */
    NODE_COLUMN,  /* index */
    NODE_NEGATE,
    NODE_ARITHMETIC, /* op + - * / % */
    NODE_APPEND,     /* STRING + STRING */
    NODE_COMPARE,    /* op = ! < l > g d n: = <> < <= > >= IS DISTINCT, IS NOT DISTINCT */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_BETWEEN, /* negated */
    NODE_IN,      /* negated; common: the type of all */
    NODE_LIKE,    /* negated, escape */
    NODE_IS_NULL, /* negated */
    NODE_CASE,    /* when, then, ..., [else] */
    NODE_CAST,    /* to type */
    NODE_SUBSCRIPT,
    NODE_DEREF, /* index */
    NODE_ARRAY,
    NODE_MAP,    /* key, value, ... */
    NODE_STRUCT,
    NODE_CALL, /* function, params: the types of the arguments after implicit casts */
} RefNodeKind;

typedef struct RefNode RefNode;
typedef struct RefFunction RefFunction;

struct RefNode {
    RefNodeKind kind;
    char op;
    bool negated;
    char escape;
    const RefType *type;
    const RefType *common;
    const RefNode *const *args;
    uint32_t count, index;
    RefValue value;
    const char *text;
    const RefFunction *function;
    const RefType *const *params;
};

/* The evaluation of one expression for one row. */
typedef struct RefRun {
    const RefValue *row; /* values of the columns */
    /* Out. */
    bool failed;  /* something threw: there must be an error of the row */
    bool unsure;  /* there may be one: only a NULL was in the way, or what failed was not asked */
    bool vague;   /* the reference does not say what comes out */
    /* Inside. */
    bool soft; /* what was thrown last: a NULL that is not allowed */
} RefRun;

RefValue ref_evaluate(RefRun *run, const RefNode *node);

/* Inside an evaluation: false is thrown. */
bool ref_eval(RefRun *run, const RefNode *node, RefValue *out);
bool ref_throw(RefRun *run);      /* an error of the row */
bool ref_throw_null(RefRun *run); /* a NULL where none may be */

void ref_sql(RefOut *out, const RefNode *node);

/* The value of type `from` as `to`, as CAST does it. */
bool ref_cast(RefRun *run, const RefValue *value, const RefType *from, const RefType *to,
              RefValue *out);
/* A value inside of another as text: Java's toString(). */
void ref_text_of_item(RefRun *run, RefOut *out, const RefType *type, const RefValue *value);
bool ref_castable(const RefType *from, const RefType *to);

/* == Types of results == */

/* NULL: it would have too many digits for the engine. */
const RefType *ref_arithmetic_type(char op, const RefType *left, const RefType *right);
const RefType *ref_wider(const RefType *left, const RefType *right); /* of two numbers */
/* DECIMAL(10,0) and DECIMAL(19,0) of integers. */
const RefType *ref_as_decimal(const RefType *type);

/* == Numbers and texts (number.c) == */

typedef struct RefExact {
    mpz_srcptr unscaled;
    long scale;
} RefExact;

char *ref_double_text(double value); /* Double.toString() */
bool ref_parse_exact(RefText text, RefExact *exact); /* new BigDecimal() */
RefExact ref_double_exact(double value); /* BigDecimal.valueOf(); finite */
int ref_compare_exact(RefExact left, RefExact right);
/* Half up; false: over the digits. */
bool ref_fit(RefExact exact, const RefType *type, RefValue *out);
double ref_exact_double(RefExact exact);
bool ref_parse_integer(RefText text, int64_t min, int64_t max, int64_t *value);
/* *vague: Java takes more than digits, point and exponent. */
bool ref_parse_double(RefText text, double *value, bool *vague);
RefText ref_trim(RefText text);
RefExact ref_exact_of(const RefType *type, const RefValue *value); /* any number; finite */
bool ref_decimal_arithmetic(char op, RefExact left, RefExact right, const RefType *type,
                            RefValue *out);

/* == Time (time.c) == */

bool ref_parse_timestamp(RefText text, int64_t *ms, bool *vague);
bool ref_parse_date(RefText text, int64_t *days, bool *vague);
bool ref_parse_time(RefText text, int64_t *ms, bool *vague);
/* false: a year that has not four digits. */
bool ref_date_text(int64_t days, char text[32]);
bool ref_timestamp_text(int64_t ms, char text[64]);
void ref_time_text(int64_t ms, char text[32]);
int64_t ref_floor_div(int64_t value, int64_t by);

/* == Functions (function.c) == */

typedef struct RefCall {
    RefRun *run;
    const RefType *type; /* of the result */
    const RefType *const *types;
    const RefValue *args;
    uint32_t count;
} RefCall;

/* Parameters by letters: B I L M F S Y T D W are BOOLEAN INT BIGINT DECIMAL DOUBLE STRING BYTES
 * TIME DATE TIMESTAMP, X any type, A an array of X, P a map from STRING to X, Z an ARRAY<STRING>,
 * u a unit of time as a bare word; ? behind: may be left out; * behind: any number of them, at
 * least one with +. The result has also m: the DECIMAL that holds all, w: one without a fraction,
 * y: an ARRAY<BYTES>. */
struct RefFunction {
    const char *name, *params, *result;
    bool (*call)(const RefCall *call, RefValue *out);
    bool sees_nulls;
    int weight;
};

extern const RefFunction ref_functions[];
extern const uint32_t ref_function_count;

#endif
