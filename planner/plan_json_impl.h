/*
 * plan_json_impl.h - the names that plans are stored with, for writing and reading.
 *
 * Enumerators go by name, never by number: the order of an enum is not part of the format.
 */
#ifndef PLANNER_PLAN_JSON_IMPL_H
#define PLANNER_PLAN_JSON_IMPL_H

#include <jansson.h>

#include "planner/plan_json.h"

enum {
    PLAN_JSON_VERSION = 1,      /* of the whole */
    PLAN_JSON_NODE_VERSION = 1, /* of each kind of node, so far */
};

/* Lists end in NULL; index = enumerator. */
extern const char *const plan_json_expr_kinds[], *const plan_json_ops[], *const plan_json_pseudos[],
    *const plan_json_windows[], *const plan_json_finals[], *const plan_json_node_kinds[],
    *const plan_json_joins[], *const plan_json_plan_kinds[], *const plan_json_roles[];

/* -- plan_json_getter.c ----------------------------------------------------------------------- */

enum { GETTER_MEMBERS_MAX = 32 };

typedef struct Getter {
    json_t *object;
    Arena *arena;
    const char *what; /* "plan", "node", ... for messages */
    const char *asked[GETTER_MEMBERS_MAX];
    uint32_t asked_count;
    uint32_t depth;
} Getter;

ErrCode getter_open(json_t *object, Arena *arena, const char *what, Getter *getter, Err *err);
json_t *getter_member(Getter *getter, const char *name); /* NULL: not there */
/* UNSUPPORTED where there are members that were not asked for. */
ErrCode getter_close(const Getter *getter, Err *err);

ErrCode get_corrupt(const Getter *getter, const char *member, Err *err);
ErrCode get_text(Getter *getter, const char *name, bool required, const char **text, Err *err);
ErrCode get_flag(Getter *getter, const char *name, bool *flag, Err *err);
ErrCode get_i64(Getter *getter, const char *name, int64_t otherwise, int64_t *number, Err *err);
ErrCode get_u32(Getter *getter, const char *name, int64_t otherwise, uint32_t *number, Err *err);
/* A word of a list: its index. `otherwise` < 0: it must be there. */
ErrCode get_word(Getter *getter, const char *name, const char *const *words, int otherwise,
                 int *index, Err *err);
ErrCode get_array(Getter *getter, const char *name, uint32_t max, json_t **array, uint32_t *count,
                  Err *err);

/* plan_json_literal.c: an integer within bounds; "value" of an expression whose type is known. */
bool plan_json_integer(json_t *value, int64_t min, int64_t max, int64_t *number);
ErrCode plan_json_literal(Getter *getter, Expr *expr, Err *err);

/* plan_json_function.c: "functions" of a plan. `array` NULL: none. */
json_t *plan_json_functions(const Plan *plan);
ErrCode plan_json_functions_get(json_t *array, Arena *arena, Plan *plan, Err *err);
/* What a stored call of a user's function means; NULL: nothing. */
const Function *plan_json_function(const Plan *plan, const char *name, const char *signature);

/* plan_json_lambda.c: whether the lambdas among a call's arguments are what its function takes:
 * their parameters' types and their results'. */
bool plan_json_lambdas_fit(const Expr *call, Arena *arena);

/* plan_json_join.c: kind and columns of a join's node, but no expressions. */
ErrCode plan_json_join_get(Getter *getter, const PlanNode *const *nodes, PlanNode *node, Err *err);

#endif
