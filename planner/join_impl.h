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
    const Format *key_format; /* by which the rows so far lie in their partitions */
    uint32_t partition_count;
} JoinPlan;

/* One JOIN ... ON left = right_expr, the sides put in order. */
typedef struct JoinClause {
    uint32_t right; /* source */
    uint32_t left_source;
    AstJoinKind kind;
    const Expr *left, *right_expr;
    const char *got; /* "L.A = R.A" for messages */
    bool left_is_table;
    bool foreign_key;
    bool continues; /* the rows so far have this key already */
    bool rekey;     /* ... but may lie in other partitions */
} JoinClause;

const char *join_text(const JoinPlan *join, const Expr *expr);
/* Binds ON: one equality whose sides belong to one source each. */
ErrCode join_bind(JoinPlan *join, JoinClause *clause, Err *err);
/* ksqlDB's rules of who may join whom and how; what is not done yet is noted. */
ErrCode join_check(JoinPlan *join, JoinClause *clause, Err *err);
ErrCode join_check_partitions(const JoinPlan *join, const JoinClause *clause, Err *err);

#endif
