/*
 * lookup.c - what a lookup's WHERE says about the key: which rows are to be read at all.
 *
 * A condition becomes a list of partial keys: AND merges two lists pair by pair, OR joins them,
 * everything that is no equality of a key column with a constant is "all rows". Only when each
 * entry names every key column are rows read by key; the FILTER behind decides in any case.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

enum { LOOKUP_KEYS_MAX = 1024 }; /* more keys than that: reading all rows is as good */

typedef struct LookupKeys {
    bool all;            /* nothing is known */
    const Expr **values; /* count rows of `width`; NULL: any */
    uint32_t count;
} LookupKeys;

typedef struct LookupWalk {
    const Planner *planner;
    const Schema *schema; /* of the table; keys first */
    uint32_t width;
    bool *twice; /* set: a key column stands in two conditions of one AND */
} LookupWalk;

static const LookupKeys lookup_all = {.all = true};

static bool has_input(void *context, const Expr *expr) {
    assert(expr);
    (void)context;
    return expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO;
}

static LookupKeys lookup_none(const LookupWalk *walk, uint32_t room) {
    return (LookupKeys){.values = arena_array(walk->planner->arena, (size_t)room * walk->width + 1,
                                              sizeof(Expr *))};
}

/* Adds column = value; false where the value is no constant of the column's very type. */
static bool lookup_add(const LookupWalk *walk, LookupKeys *keys, const Expr *column,
                       const Expr *value) {
    assert(keys);
    const Type *type = walk->schema->columns[column->column].type;
    if (expr_find(value, has_input, NULL))
        return false;
    if (!type_equal(value->type, type))
        value = value->kind == EXPR_LITERAL ? coerce_expr(walk->planner, value, type, COERCE_STRICT)
                                            : NULL;
    if (!value || !type_equal(value->type, type))
        return false;
    if (expr_is_null(value))
        return true; /* equals nothing */
    keys->values[(size_t)keys->count++ * walk->width + column->column] = value;
    return true;
}

static bool is_key(const LookupWalk *walk, const Expr *expr) {
    assert(expr);
    return expr->kind == EXPR_COLUMN && expr->column < walk->width;
}

static LookupKeys lookup_equal(const LookupWalk *walk, const Expr *expr) {
    assert(expr);
    if (expr->op != OP_EQUAL)
        return lookup_all;
    for (uint32_t i = 0; i < 2; i++) {
        const Expr *column = expr->args[i];
        LookupKeys keys = lookup_none(walk, 1);
        if (is_key(walk, column) && lookup_add(walk, &keys, column, expr->args[1 - i]))
            return keys;
    }
    return lookup_all;
}

static LookupKeys lookup_in(const LookupWalk *walk, const Expr *expr) {
    assert(expr);
    LookupKeys keys = lookup_none(walk, expr->arg_count);
    if (!is_key(walk, expr->args[0]) || expr->arg_count > LOOKUP_KEYS_MAX)
        return lookup_all;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        if (!lookup_add(walk, &keys, expr->args[0], expr->args[i]))
            return lookup_all;
    }
    return keys;
}

static LookupKeys lookup_or(const LookupWalk *walk, LookupKeys left, LookupKeys right) {
    if (left.all || right.all || left.count + right.count > LOOKUP_KEYS_MAX)
        return lookup_all;
    LookupKeys keys = lookup_none(walk, left.count + right.count);
    size_t size = walk->width * sizeof *keys.values;
    memcpy(keys.values, left.values, left.count * size);
    memcpy(keys.values + (size_t)left.count * walk->width, right.values, right.count * size);
    keys.count = left.count + right.count;
    return keys;
}

static LookupKeys lookup_and(const LookupWalk *walk, LookupKeys left, LookupKeys right) {
    if (left.all || right.all)
        return left.all ? right : left;
    if ((uint64_t)left.count * right.count > LOOKUP_KEYS_MAX)
        return left.count < right.count ? left : right;
    LookupKeys keys = lookup_none(walk, left.count * right.count);
    for (uint32_t i = 0; i < left.count; i++) {
        for (uint32_t j = 0; j < right.count; j++) {
            const Expr **row = keys.values + (size_t)keys.count++ * walk->width;
            for (uint32_t k = 0; k < walk->width; k++) {
                const Expr *value = left.values[(size_t)i * walk->width + k];
                const Expr *other = right.values[(size_t)j * walk->width + k];
                row[k] = value ? value : other;
                *walk->twice = *walk->twice || (value && other);
            }
        }
    }
    return keys;
}

static LookupKeys lookup_walk(const LookupWalk *walk, const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_COMPARE)
        return lookup_equal(walk, expr);
    if (expr->kind == EXPR_IN)
        return lookup_in(walk, expr);
    if (expr->kind != EXPR_AND && expr->kind != EXPR_OR)
        return lookup_all;
    LookupKeys keys = lookup_walk(walk, expr->args[0]);
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        LookupKeys next = lookup_walk(walk, expr->args[i]);
        keys = expr->kind == EXPR_AND ? lookup_and(walk, keys, next) : lookup_or(walk, keys, next);
    }
    return keys;
}

static bool row_equal(const Expr *const *left, const Expr *const *right, uint32_t width) {
    for (uint32_t i = 0; i < width; i++) {
        if (!expr_equal(left[i], right[i]))
            return false;
    }
    return true;
}

/* Complete rows, each once; false where one is not complete. */
static bool lookup_unique(const LookupWalk *walk, LookupKeys *keys) {
    assert(keys);
    uint32_t count = 0, width = walk->width;
    for (uint32_t i = 0; i < keys->count; i++) {
        const Expr **row = keys->values + (size_t)i * width;
        bool seen = false;
        for (uint32_t k = 0; k < width; k++) {
            if (!row[k])
                return false;
        }
        for (uint32_t j = 0; j < count && !seen; j++)
            seen = row_equal(keys->values + (size_t)j * width, row, width);
        if (!seen)
            memmove(keys->values + (size_t)count++ * width, row, width * sizeof *row);
    }
    keys->count = count;
    return true;
}

/* -- Bounds of the key ------------------------------------------------------------------------- */

/* Whether bytes of row keys are in the order of SQL: texts above U+D7FF are not. */
static bool is_in_key_order(const Expr *value) {
    if (value->type->kind != TYPE_STRING)
        return true;
    if (value->kind != EXPR_LITERAL || column_is_null(value->literal, 0))
        return false;
    Bytes text = value->literal->bytes[0];
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] >= 0xED)
            return false;
    return true;
}

static bool is_bound(const Expr *expr) {
    return expr->kind == EXPR_COMPARE && expr->op >= OP_EQUAL && expr->op <= OP_GREATER_EQUAL &&
           expr->op != OP_NOT_EQUAL;
}

/* `b op a` for `a op b`. */
static ExprOp op_turned(ExprOp op) {
    static const ExprOp turned[] = {[OP_EQUAL] = OP_EQUAL,
                                    [OP_LESS] = OP_GREATER,
                                    [OP_LESS_EQUAL] = OP_GREATER_EQUAL,
                                    [OP_GREATER] = OP_LESS,
                                    [OP_GREATER_EQUAL] = OP_LESS_EQUAL};
    assert(op >= OP_EQUAL && op <= OP_GREATER_EQUAL && op != OP_NOT_EQUAL);
    return turned[op];
}

/* `column op value` of the key column `number`, either way round; false: it is no such thing. */
static bool bound_of_key(const LookupWalk *walk, const Expr *expr, uint32_t number, ExprOp *op,
                         const Expr **value) {
    if (!is_bound(expr))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        LookupKeys keys = lookup_none(walk, 1);
        const Expr *column = expr->args[i];
        if (!is_key(walk, column) || column->column != number ||
            !lookup_add(walk, &keys, column, expr->args[1 - i]) || keys.count == 0)
            continue;
        *op = i == 0 ? expr->op : op_turned(expr->op);
        *value = keys.values[number];
        return is_in_key_order(*value);
    }
    return false;
}

/* The first bounds that an AND gives for one key column; NULL: none. */
static void bound_find(const LookupWalk *walk, const Expr *expr, uint32_t number,
                       const Expr **min, const Expr **max) {
    ExprOp op;
    const Expr *value;
    if (expr->kind == EXPR_AND) {
        for (uint32_t i = 0; i < expr->arg_count; i++)
            bound_find(walk, expr->args[i], number, min, max);
        return;
    }
    if (!bound_of_key(walk, expr, number, &op, &value))
        return;
    if (op == OP_EQUAL) {
        *min = *max = value;
        return;
    }
    const Expr **side = op == OP_GREATER || op == OP_GREATER_EQUAL ? min : max;
    if (!*side)
        *side = value;
}

/* Equalities of leading key columns, then bounds of the next one: a range of row keys. */
static void bound_keys(const LookupWalk *walk, const Expr *where, PlanLookup *lookup) {
    const Expr **mins = arena_array(walk->planner->arena, walk->width, sizeof *mins);
    const Expr **maxs = arena_array(walk->planner->arena, walk->width, sizeof *maxs);
    lookup->min = mins;
    lookup->max = maxs;
    bool equal = true;
    for (uint32_t i = 0; i < walk->width && equal; i++) {
        const Expr *min = NULL, *max = NULL;
        bound_find(walk, where, i, &min, &max);
        if (min)
            mins[lookup->min_count++] = min;
        if (max)
            maxs[lookup->max_count++] = max;
        equal = min && min == max;
    }
    assert(lookup->min_count <= walk->width && lookup->max_count <= walk->width);
}

/* -- Window bounds ----------------------------------------------------------------------------- */

static bool bound_compare(const Expr *expr, ExprPseudo *pseudo, ExprOp *op, int64_t *value) {
    if (!is_bound(expr))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        const Expr *side = expr->args[i], *other = expr->args[1 - i];
        if (side->kind != EXPR_PSEUDO || other->kind != EXPR_LITERAL || expr_is_null(other) ||
            other->type->kind != TYPE_BIGINT)
            continue;
        *pseudo = side->pseudo;
        *op = i == 0 ? expr->op : op_turned(expr->op);
        *value = other->literal->i64[0];
        return true;
    }
    return false;
}

/* Narrows the starts to be read by one condition; WINDOWEND is a start plus the size. */
static void bound_narrow(const Expr *expr, int64_t size_ms, PlanLookup *lookup) {
    assert(size_ms > 0);
    ExprPseudo pseudo;
    ExprOp op;
    int64_t value;
    if (expr->kind == EXPR_AND) {
        for (uint32_t i = 0; i < expr->arg_count; i++)
            bound_narrow(expr->args[i], size_ms, lookup);
        return;
    }
    if (!bound_compare(expr, &pseudo, &op, &value) ||
        (pseudo != PSEUDO_WINDOWSTART && pseudo != PSEUDO_WINDOWEND))
        return;
    if (pseudo == PSEUDO_WINDOWEND) {
        if (value < INT64_MIN + size_ms)
            return;
        value -= size_ms;
    }
    if (op == OP_EQUAL || op == OP_GREATER || op == OP_GREATER_EQUAL)
        lookup->window_start_min = value > lookup->window_start_min ? value
                                                                    : lookup->window_start_min;
    if (op == OP_EQUAL || op == OP_LESS || op == OP_LESS_EQUAL)
        lookup->window_start_max = value < lookup->window_start_max ? value
                                                                    : lookup->window_start_max;
}

/* -- Without scans ----------------------------------------------------------------------------- */

/* Conditions of the key's order in an AND: how many. */
static uint32_t range_count(const LookupWalk *walk, const Expr *expr) {
    uint32_t count = 0;
    if (expr->kind == EXPR_AND) {
        for (uint32_t i = 0; i < expr->arg_count; i++)
            count += range_count(walk, expr->args[i]);
        return count;
    }
    return expr->kind == EXPR_COMPARE && expr->op >= OP_LESS && expr->op <= OP_GREATER_EQUAL &&
           ((is_key(walk, expr->args[0]) && !expr_find(expr->args[1], has_input, NULL)) ||
            (is_key(walk, expr->args[1]) && !expr_find(expr->args[0], has_input, NULL)));
}

/* Where scans are turned off, a lookup needs keys, or one bound of a key of text. */
static ErrCode lookup_allowed(const LookupWalk *walk, const Source *table, const Expr *where,
                              bool by_key, Err *err) {
    if (planner_setting_on(walk->planner, "ksql.query.pull.table.scan.enabled", true))
        return ERR_OK;
    if (by_key && *walk->twice)
        return err_set(err, ERR_SEMANTIC,
                       "A comparison condition on the key column cannot be combined with other "
                       "comparisons such as an IN predicate. Query requires table scan to be "
                       "enabled.");
    TypeKind kind = walk->schema->columns[0].type->kind;
    bool range = where && walk->width == 1 && (kind == TYPE_STRING || kind == TYPE_BYTES) &&
                 table->topic.window == WINDOW_NONE && range_count(walk, where) == 1 &&
                 planner_setting_on(walk->planner, "ksql.query.pull.range.scan.enabled", true);
    if (by_key || range)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC,
                   "WHERE clause missing key column for disjunct: %s. Query requires table scan to "
                   "be enabled (ksql.query.pull.table.scan.enabled).",
                   where ? where->text : "(none)");
}

ErrCode lookup_conditions(const Planner *planner, const Source *table, const Expr *where,
                          PlanLookup *lookup, Err *err) {
    assert(lookup);
    const Schema *schema = table->topic.schema;
    bool twice = false;
    LookupWalk walk = {planner, schema, schema->key_count, &twice};
    *lookup = (PlanLookup){.window_start_min = INT64_MIN, .window_start_max = INT64_MAX};
    assert(walk.width > 0);
    LookupKeys keys = where ? lookup_walk(&walk, where) : lookup_all;
    if (!keys.all && lookup_unique(&walk, &keys)) {
        lookup->by_key = true;
        lookup->keys = keys.values;
        lookup->key_count = keys.count;
    }
    if (where && !lookup->by_key && table->topic.window == WINDOW_NONE)
        bound_keys(&walk, where, lookup);
    if (where && table->topic.window != WINDOW_NONE && table->topic.window != WINDOW_SESSION)
        bound_narrow(where, table->topic.window_size_ms, lookup);
    return lookup_allowed(&walk, table, where, lookup->by_key, err);
}
