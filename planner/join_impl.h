/*
 * join_impl.h - what binding, checking and laying out joins share.
 */
#ifndef PLANNER_JOIN_IMPL_H
#define PLANNER_JOIN_IMPL_H

#include "planner/planner_impl.h"

typedef struct JoinPlan {
    Draft *draft;
    uint32_t *first; /* number of each source's first column */
    uint32_t width;  /* how many numbers there are */
    uint32_t *place; /* [number]: column of the rows so far */
    ResultKey *keys; /* what may be selected as the key */
    uint32_t key_count;
    bool foreign_key;    /* `keys` are the left table's, and all needed */
    const Expr **strong; /* what equals the key of the rows so far, in every row */
    uint32_t strong_count;
    const PlanFormat *key_format; /* by which the rows so far lie in their partitions; NULL: theirs
                                     are row keys */
    uint32_t partition_count;
} JoinPlan;

typedef struct JoinShape JoinShape;

/* One JOIN ... ON left = right_expr, the sides put in order. */
typedef struct JoinClause {
    uint32_t right; /* source */
    uint32_t left_source;
    AstJoinKind kind;
    const JoinShape *shape;
    const Expr *left, *right_expr;
    const char *got; /* "L.A = R.A" for messages */
    const Expr *also; /* what else ON says; NULL: nothing */
    bool left_is_table;
    PlanWithin within; /* of streams */
    bool continues; /* the rows so far have this key already */
    bool rekey;     /* ... but may lie in other partitions */
    bool rekey_right;
    const char *note; /* for EXPLAIN: why rows move that need not in ksqlDB; NULL */
} JoinClause;

/* What the kinds of joins differ in. */
struct JoinShape {
    /* ksqlDB's rules of this kind; what is not done yet is noted (draft_unsupported). */
    ErrCode (*check)(JoinPlan *join, JoinClause *clause, Err *err);
    void (*nodes)(JoinPlan *join, const JoinClause *clause);
    void (*keys)(JoinPlan *join, const JoinClause *clause);
    bool own_key; /* the result keeps the left side's key, and nobody moves to the join's */
};

extern const JoinShape join_shape_stream, join_shape_table, join_shape_tables, join_shape_foreign;

/* -- join_check.c ------------------------------------------------------------------------------ */

/* Binds ON: one equality whose sides belong to one source each; what else must hold. */
ErrCode join_bind(JoinPlan *join, JoinClause *clause, Err *err);
/* ksqlDB's rules of who may join whom and how; chooses the shape. */
ErrCode join_check(JoinPlan *join, JoinClause *clause, Err *err);
/* Which sides move, and whether the others lie in equal partitions. */
ErrCode join_partitions(JoinPlan *join, JoinClause *clause, Err *err);
/* Whether it is the one key column of that source. */
bool join_is_key(const JoinPlan *join, uint32_t source, const Expr *expr);
const char *join_text(const JoinPlan *join, const Expr *expr);
const char *join_word(AstJoinKind kind); /* "LEFT [OUTER] JOIN" */
/* SEMANTIC at the ON clause. */
ErrCode join_fails(const JoinPlan *join, const JoinClause *clause, const char *text, Err *err);
/* join_tables.c: what all joins between tables want. */
ErrCode join_tables_check(const JoinPlan *join, const JoinClause *clause, Err *err);

/* -- join_nodes.c ------------------------------------------------------------------------------ */

typedef struct JoinInputs {
    PlanNode *left, *right;
} JoinInputs;

uint32_t join_source_width(const Source *source); /* columns and pseudo columns */
/* Fills the scope with the columns of all sources under their numbers. */
void join_scope(JoinPlan *join);
/* Numbers through become columns of the rows so far. */
const Expr *join_placed(JoinPlan *join, const Expr *expr);
/* The nodes of both sides, moved where the clause says so; places are those of the join's output:
 * its key, all of the left, all of the right. */
void join_inputs(JoinPlan *join, const JoinClause *clause, JoinInputs *inputs);
/* Further conditions, behind the join's nodes. */
ErrCode join_also(JoinPlan *join, const JoinClause *clause, Err *err);
/* The join on top of them. */
PlanNode *join_add(JoinPlan *join, const JoinClause *clause, PlanNodeKind kind,
                   const JoinInputs *inputs);

/* -- join_plan.c ------------------------------------------------------------------------------- */

/* Notes a column that may be selected as the key. */
void join_key_add(JoinPlan *join, const Expr *expr);
/* The key of the result where it is the join's. */
void join_keys(JoinPlan *join, const JoinClause *clause);

#endif
