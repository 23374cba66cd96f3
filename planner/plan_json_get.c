/*
 * plan_json_get.c - reads plans and sources back, and trusts nothing.
 *
 * Through Getters (plan_json_getter.c). What comes out holds every promise of plan.h that the
 * runtime counts on: indexes in range, counts that fit kinds.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/plan_json_impl.h"
#include "planner/planner_impl.h"

enum { EXPR_JSON_DEPTH_MAX = 4 * EXPR_DEPTH_MAX };

static ErrCode get_type(Getter *getter, const char *name, const Type **type, Err *err) {
    const char *text;
    const AstType *ast;
    Err cause;
    Planner planner = {.host = &(PlannerHost){0}, .arena = getter->arena};
    TRY(get_text(getter, name, true, &text, err));
    if (parse_type(bytes_of(text), getter->arena, &ast, &cause) != ERR_OK ||
        type_resolve(&planner, ast, type, &cause) != ERR_OK)
        return get_corrupt(getter, name, err);
    return ERR_OK;
}

/* -- Schemas and topics ------------------------------------------------------------------------ */

static ErrCode get_column(json_t *object, Arena *arena, SchemaColumn *column, Err *err) {
    Getter getter;
    int role;
    TRY(getter_open(object, arena, "column", &getter, err));
    TRY(get_text(&getter, "name", true, &column->name, err));
    TRY(get_type(&getter, "type", &column->type, err));
    TRY(get_word(&getter, "role", plan_json_roles, COLUMN_VALUE, &role, err));
    TRY(get_text(&getter, "header", false, &column->header, err));
    column->role = (ColumnRole)role;
    return getter_close(&getter, err);
}

static ErrCode get_schema(Getter *getter, const Schema **result, Err *err) {
    json_t *array;
    Schema *schema = arena_alloc(getter->arena, sizeof *schema);
    TRY(get_array(getter, "schema", UINT16_MAX, &array, &schema->column_count, err));
    TRY(get_u32(getter, "keys", 0, &schema->key_count, err));
    if (!array || schema->key_count > schema->column_count)
        return get_corrupt(getter, "schema", err);
    SchemaColumn *columns = arena_array(getter->arena, schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        TRY(get_column(json_array_get(array, i), getter->arena, &columns[i], err));
        if (i < schema->key_count && columns[i].role != COLUMN_KEY)
            return get_corrupt(getter, "keys", err);
    }
    schema->columns = columns;
    *result = schema;
    return ERR_OK;
}

static ErrCode get_format(Getter *parent, const char *name, PlanFormat *format, Err *err) {
    Getter getter;
    const char *text;
    uint32_t delimiter;
    TRY(getter_open(getter_member(parent, name), parent->arena, "format", &getter, err));
    TRY(get_text(&getter, "format", true, &text, err));
    TRY(get_flag(&getter, "unwrapped", &format->unwrapped, err));
    TRY(get_u32(&getter, "delimiter", 0, &delimiter, err));
    format->format = format_find(text);
    format->delimiter = (char)delimiter;
    if (!format->format)
        return err_set(err, ERR_UNSUPPORTED, "stored format '%s' is not known", text);
    return delimiter > UINT8_MAX ? get_corrupt(&getter, "delimiter", err)
                                 : getter_close(&getter, err);
}

static ErrCode get_topic(json_t *object, Arena *arena, PlanTopic *topic, Err *err) {
    Getter getter;
    int window;
    int64_t column;
    TRY(getter_open(object, arena, "topic", &getter, err));
    TRY(get_text(&getter, "topic", true, &topic->topic, err));
    TRY(get_schema(&getter, &topic->schema, err));
    TRY(get_format(&getter, "key", &topic->key, err));
    TRY(get_format(&getter, "value", &topic->value, err));
    TRY(get_word(&getter, "window", plan_json_windows, WINDOW_NONE, &window, err));
    TRY(get_i64(&getter, "window_size_ms", 0, &topic->window_size_ms, err));
    TRY(get_i64(&getter, "timestamp_column", -1, &column, err));
    TRY(get_text(&getter, "timestamp_format", false, &topic->timestamp_format, err));
    if (column < -1 || column >= (int64_t)topic->schema->column_count)
        return get_corrupt(&getter, "timestamp_column", err);
    topic->timestamp_column = (int32_t)column;
    topic->window = (WindowKind)window;
    return getter_close(&getter, err);
}

/* -- Expressions ------------------------------------------------------------------------------- */

/* A local that is known where an expression stands. */
typedef struct ExprLocal {
    uint32_t number;
    const Type *type;
    const struct ExprLocal *up;
} ExprLocal;

/* What an expression stands over. */
typedef struct ExprPlace {
    const Schema *input; /* NULL: constants only */
    Arena *arena;
    const Plan *plan; /* its functions are read */
    uint32_t depth;
    const ExprLocal *local; /* the innermost */
    uint32_t slots; /* parameters of the lambdas around */
    bool in_call;   /* the expression is an argument of a call */
} ExprPlace;

static ErrCode get_expr(json_t *object, ExprPlace place, const Expr **result, Err *err);

static ErrCode get_exprs(json_t *array, uint32_t count, ExprPlace place,
                         const Expr *const **result, Err *err) {
    const Expr **exprs = arena_array(place.arena, count, sizeof *exprs);
    for (uint32_t i = 0; i < count; i++)
        TRY(get_expr(json_array_get(array, i), place, &exprs[i], err));
    *result = exprs;
    return ERR_OK;
}

/* How many arguments each kind has: at least, and at most. */
static bool expr_args_fit(const Expr *expr) {
    static const struct {
        uint32_t min, max;
    } rules[] = {
        [EXPR_LITERAL] = {0, 0},    [EXPR_COLUMN] = {0, 0},        [EXPR_PSEUDO] = {0, 0},
        [EXPR_CALL] = {0, 1 << 20}, [EXPR_CAST] = {1, 1},          [EXPR_CASE] = {3, 1 << 20},
        [EXPR_ARITHMETIC] = {2, 2}, [EXPR_CONCAT] = {2, 2},        [EXPR_NEGATE] = {1, 1},
        [EXPR_COMPARE] = {2, 2},    [EXPR_AND] = {2, 1 << 20},     [EXPR_OR] = {2, 1 << 20},
        [EXPR_NOT] = {1, 1},        [EXPR_IN] = {1, 1 << 20},      [EXPR_LIKE] = {2, 2},
        [EXPR_IS_NULL] = {1, 1},    [EXPR_SUBSCRIPT] = {2, 2},     [EXPR_DEREF] = {1, 1},
        [EXPR_ARRAY] = {1, 1 << 20}, [EXPR_MAP] = {2, 1 << 20},    [EXPR_STRUCT] = {0, 1 << 20},
        [EXPR_LET] = {2, 2},        [EXPR_LOCAL] = {0, 0},         [EXPR_LAMBDA] = {1, 1},
        [EXPR_PARAM] = {0, 0},
    };
    uint32_t count = expr->arg_count;
    if (count < rules[expr->kind].min || count > rules[expr->kind].max)
        return false;
    if (expr->kind == EXPR_CASE)
        return count % 2 == 1;
    if (expr->kind == EXPR_MAP)
        return count % 2 == 0;
    return expr->kind != EXPR_STRUCT ||
           (expr->type->kind == TYPE_STRUCT && count == expr->type->field_count);
}

static bool expr_types_fit(const Expr *expr, Arena *arena) {
    const Type *first = expr->arg_count > 0 ? expr->args[0]->type : NULL;
    switch (expr->kind) {
    case EXPR_ARITHMETIC: return expr->op >= OP_ADD && expr->op <= OP_MODULUS;
    case EXPR_COMPARE:
        return expr->op >= OP_EQUAL &&
               (first->kind == expr->args[1]->type->kind ||
                (type_is_number(first) && type_is_number(expr->args[1]->type)));
    case EXPR_DEREF:
        return first->kind == TYPE_STRUCT && expr->column < first->field_count &&
               type_equal(first->fields[expr->column].type, expr->type);
    case EXPR_SUBSCRIPT: return first->kind == TYPE_ARRAY || first->kind == TYPE_MAP;
    case EXPR_ARRAY: return expr->type->kind == TYPE_ARRAY;
    case EXPR_MAP: return expr->type->kind == TYPE_MAP;
    case EXPR_CALL: return expr->function != NULL && plan_json_lambdas_fit(expr, arena);
    case EXPR_LAMBDA: return type_equal(first, expr->type);
    case EXPR_LET: return type_equal(expr->type, expr->args[1]->type);
    default: return true;
    }
}

static bool expr_column_fits(const Expr *expr, const Schema *input) {
    if (expr->kind == EXPR_PSEUDO)
        return input != NULL;
    return expr->kind != EXPR_COLUMN ||
           (input && expr->column < input->column_count &&
            type_equal(input->columns[expr->column].type, expr->type));
}

static bool expr_local_fits(const Expr *expr, const ExprLocal *local) {
    while (local && local->number != expr->column)
        local = local->up;
    return expr->kind != EXPR_LOCAL || (local && type_equal(local->type, expr->type));
}

/* Lambdas stand in calls, and parameters in lambdas; `place` becomes that of the arguments. */
static bool expr_lambda_fits(const Expr *expr, ExprPlace *place) {
    bool in_call = place->in_call;
    place->in_call = expr->kind == EXPR_CALL;
    if (expr->kind == EXPR_PARAM)
        return expr->column < place->slots;
    if (expr->kind != EXPR_LAMBDA)
        return expr->param_count == 0;
    bool fits = in_call && expr->column == place->slots && expr->param_count > 0 &&
                expr->param_count <= UINT8_MAX;
    place->slots += expr->param_count;
    return fits;
}

static ErrCode get_call(Getter *getter, const Plan *plan, Expr *expr, Err *err) {
    const char *name, *signature;
    bool user;
    TRY(get_text(getter, "function", true, &name, err));
    TRY(get_text(getter, "signature", true, &signature, err));
    TRY(get_flag(getter, "user", &user, err));
    expr->function = user ? plan_json_function(plan, name, signature)
                          : function_by_signature(name, signature);
    if (expr->function)
        return ERR_OK;
    return err_set(err, ERR_UNSUPPORTED, "stored expression: function %s%s is not known", name,
                   signature);
}

static ErrCode get_expr_members(Getter *getter, const Plan *plan, Expr *expr, Err *err) {
    int word;
    uint32_t escape;
    TRY(get_word(getter, "kind", plan_json_expr_kinds, -1, &word, err));
    expr->kind = (ExprKind)word;
    TRY(get_type(getter, "type", &expr->type, err));
    TRY(get_word(getter, "op", plan_json_ops, OP_NONE, &word, err));
    expr->op = (ExprOp)word;
    TRY(get_word(getter, "pseudo", plan_json_pseudos, PSEUDO_ROWTIME, &word, err));
    expr->pseudo = (ExprPseudo)word;
    TRY(get_u32(getter, "column", 0, &expr->column, err));
    TRY(get_u32(getter, "params", 0, &expr->param_count, err));
    TRY(get_flag(getter, "negated", &expr->negated, err));
    TRY(get_flag(getter, "open", &expr->open, err));
    TRY(get_u32(getter, "escape", 0, &escape, err));
    expr->escape = (char)escape;
    TRY(get_text(getter, "text", true, &expr->text, err));
    if (expr->kind == EXPR_LITERAL)
        TRY(plan_json_literal(getter, expr, err));
    return expr->kind == EXPR_CALL ? get_call(getter, plan, expr, err) : ERR_OK;
}

/* The body of a LET knows its local, the value does not. */
static ErrCode get_let(json_t *array, ExprPlace place, Expr *expr, Err *err) {
    const Expr **args = arena_array(place.arena, 2, sizeof *args);
    expr->args = args;
    TRY(get_expr(json_array_get(array, 0), place, &args[0], err));
    ExprLocal local = {expr->column, args[0]->type, place.local};
    place.local = &local;
    return get_expr(json_array_get(array, 1), place, &args[1], err);
}

static ErrCode get_expr(json_t *object, ExprPlace place, const Expr **result, Err *err) {
    Getter getter;
    json_t *args;
    Expr *expr = arena_alloc(place.arena, sizeof *expr);
    if (place.depth++ > EXPR_JSON_DEPTH_MAX)
        return err_set(err, ERR_CORRUPT, "stored expression: nested too deeply");
    TRY(getter_open(object, place.arena, "expression", &getter, err));
    TRY(get_expr_members(&getter, place.plan, expr, err));
    if (!expr_lambda_fits(expr, &place))
        return get_corrupt(&getter, plan_json_expr_kinds[expr->kind], err);
    TRY(get_array(&getter, "args", 1 << 20, &args, &expr->arg_count, err));
    ErrCode code = expr->kind == EXPR_LET && expr->arg_count == 2
                       ? get_let(args, place, expr, err)
                       : get_exprs(args, expr->arg_count, place, &expr->args, err);
    TRY(code);
    if (!expr_args_fit(expr) || !expr_types_fit(expr, place.arena) ||
        !expr_column_fits(expr, place.input) || !expr_local_fits(expr, place.local))
        return get_corrupt(&getter, plan_json_expr_kinds[expr->kind], err);
    *result = expr;
    return getter_close(&getter, err);
}

/* -- Nodes ------------------------------------------------------------------------------------- */

static ErrCode get_window(Getter *parent, PlanWindow *window, Err *err) {
    Getter getter;
    int kind, final;
    TRY(getter_open(getter_member(parent, "window"), parent->arena, "window", &getter, err));
    TRY(get_word(&getter, "kind", plan_json_windows, -1, &kind, err));
    TRY(get_i64(&getter, "size_ms", 0, &window->size_ms, err));
    TRY(get_i64(&getter, "advance_ms", 0, &window->advance_ms, err));
    TRY(get_i64(&getter, "grace_ms", 0, &window->grace_ms, err));
    TRY(get_i64(&getter, "retention_ms", 0, &window->retention_ms, err));
    TRY(get_word(&getter, "final", plan_json_finals, FINAL_NONE, &final, err));
    TRY(get_i64(&getter, "idle_timeout_ms", 0, &window->idle_timeout_ms, err));
    window->kind = (WindowKind)kind;
    window->final = (WindowFinal)final;
    if (kind != WINDOW_NONE && (window->size_ms <= 0 || window->size_ms > WINDOW_MS_MAX ||
                                window->grace_ms < 0 || window->grace_ms > WINDOW_MS_MAX ||
                                window->retention_ms < 0 || window->idle_timeout_ms < 0 ||
                                window->advance_ms <= 0))
        return get_corrupt(&getter, "size_ms", err);
    return getter_close(&getter, err);
}

static ErrCode get_limits_literal(json_t *object, Arena *arena, const Column **column, Err *err) {
    Getter getter;
    Expr expr = {0};
    TRY(getter_open(object, arena, "literal", &getter, err));
    TRY(get_type(&getter, "type", &expr.type, err));
    TRY(plan_json_literal(&getter, &expr, err));
    *column = expr.literal;
    return getter_close(&getter, err);
}

static ErrCode get_limits(json_t *object, Arena *arena, AggregateLimits *limits, Err *err) {
    Getter getter;
    json_t *array;
    if (!object)
        return ERR_OK;
    TRY(getter_open(object, arena, "limits", &getter, err));
    TRY(get_array(&getter, "literals", UINT16_MAX, &array, &limits->literal_count, err));
    const Column **literals = arena_array(arena, limits->literal_count, sizeof *literals);
    for (uint32_t i = 0; i < limits->literal_count; i++)
        TRY(get_limits_literal(json_array_get(array, i), arena, &literals[i], err));
    limits->literals = literals;
    TRY(get_u32(&getter, "elements_max", 0, &limits->element_count_max, err));
    return getter_close(&getter, err);
}

static ErrCode get_aggregate(json_t *object, Arena *arena, const Schema *input,
                             PlanAggregate *aggregate, Err *err) {
    Getter getter;
    json_t *array;
    const char *name, *signature;
    TRY(getter_open(object, arena, "aggregate", &getter, err));
    TRY(get_text(&getter, "function", true, &name, err));
    TRY(get_text(&getter, "signature", true, &signature, err));
    TRY(get_type(&getter, "type", &aggregate->type, err));
    TRY(get_array(&getter, "args", UINT16_MAX, &array, &aggregate->arg_count, err));
    bool of_table;
    TRY(get_flag(&getter, "of_table", &of_table, err));
    aggregate->aggregate = aggregate_by_signature(name, signature);
    if (aggregate->aggregate && of_table)
        aggregate->aggregate = aggregate_of_table(aggregate->aggregate);
    if (!aggregate->aggregate)
        return err_set(err, ERR_UNSUPPORTED, "stored aggregate: %s%s is not known", name,
                       signature);
    uint32_t *args = arena_array(arena, aggregate->arg_count, sizeof *args);
    for (uint32_t i = 0; i < aggregate->arg_count; i++) {
        int64_t column, last = (int64_t)input->column_count - 1;
        if (!plan_json_integer(json_array_get(array, i), 0, last, &column))
            return get_corrupt(&getter, "args", err);
        args[i] = (uint32_t)column;
    }
    aggregate->args = args;
    TRY(get_limits(getter_member(&getter, "limits"), arena, &aggregate->limits, err));
    return getter_close(&getter, err);
}

static ErrCode get_aggregates(Getter *getter, const Schema *input, PlanNode *node, Err *err) {
    json_t *array;
    TRY(get_window(getter, &node->window, err));
    TRY(get_array(getter, "aggregates", UINT16_MAX, &array, &node->aggregate_count, err));
    if (node->schema->column_count != input->key_count + node->aggregate_count)
        return get_corrupt(getter, "aggregates", err);
    PlanAggregate *aggregates = arena_array(getter->arena, node->aggregate_count,
                                            sizeof *aggregates);
    for (uint32_t i = 0; i < node->aggregate_count; i++)
        TRY(get_aggregate(json_array_get(array, i), getter->arena, input, &aggregates[i], err));
    node->aggregates = aggregates;
    return ERR_OK;
}

/* The function takes these arguments as they are, and makes values of this type. */
static bool table_call_fits(const PlanTableCall *call, const Type *type, Arena *arena) {
    TableMatch match;
    Err err;
    const Type **types = arena_array(arena, call->arg_count, sizeof *types);
    for (uint32_t i = 0; i < call->arg_count; i++)
        types[i] = call->args[i]->type;
    if (table_resolve(call->function->name, types, call->arg_count, arena, &match, &err) != ERR_OK)
        return false;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (!type_equal(match.cast_types[i], types[i]))
            return false;
    }
    return match.function == call->function && type_equal(match.result, type);
}

static ErrCode get_table_call(json_t *object, ExprPlace place, const Type *type,
                              PlanTableCall *call, Err *err) {
    Getter getter;
    json_t *args;
    const char *name, *signature;
    TRY(getter_open(object, place.arena, "table function", &getter, err));
    TRY(get_text(&getter, "function", true, &name, err));
    TRY(get_text(&getter, "signature", true, &signature, err));
    TRY(get_text(&getter, "text", true, &call->text, err));
    call->function = table_by_signature(name, signature);
    if (!call->function)
        return err_set(err, ERR_UNSUPPORTED, "stored table function: %s%s is not known", name,
                       signature);
    TRY(get_array(&getter, "args", UINT16_MAX, &args, &call->arg_count, err));
    TRY(get_exprs(args, call->arg_count, place, &call->args, err));
    if (!table_call_fits(call, type, place.arena))
        return get_corrupt(&getter, "args", err);
    return getter_close(&getter, err);
}

static ErrCode get_table_calls(Getter *getter, ExprPlace place, PlanNode *node, Err *err) {
    json_t *array;
    TRY(get_array(getter, "table_calls", UINT16_MAX, &array, &node->table_call_count, err));
    if (node->table_call_count == 0 ||
        node->schema->column_count != place.input->column_count + node->table_call_count)
        return get_corrupt(getter, "table_calls", err);
    const SchemaColumn *columns = node->schema->columns;
    uint32_t first = place.input->column_count;
    for (uint32_t i = 0; i < first; i++) {
        if (!type_equal(columns[i].type, place.input->columns[i].type))
            return get_corrupt(getter, "schema", err);
    }
    PlanTableCall *calls = arena_array(getter->arena, node->table_call_count, sizeof *calls);
    for (uint32_t i = 0; i < node->table_call_count; i++)
        TRY(get_table_call(json_array_get(array, i), place, columns[first + i].type, &calls[i],
                           err));
    node->table_calls = calls;
    return ERR_OK;
}

static ErrCode get_used(Getter *getter, PlanNode *node, Err *err) {
    json_t *array;
    uint32_t count;
    TRY(get_array(getter, "used", UINT16_MAX, &array, &count, err));
    if (count != node->schema->column_count)
        return get_corrupt(getter, "used", err);
    bool *used = arena_array(getter->arena, count, sizeof *used);
    for (uint32_t i = 0; i < count; i++)
        used[i] = json_is_true(json_array_get(array, i));
    node->used = used;
    return ERR_OK;
}

static ErrCode get_node_exprs(Getter *getter, ExprPlace place, PlanNode *node, Err *err) {
    json_t *array;
    uint32_t count;
    TRY(get_array(getter, "exprs", UINT16_MAX, &array, &count, err));
    if (count != node->schema->column_count)
        return get_corrupt(getter, "exprs", err);
    TRY(get_exprs(array, count, place, &node->exprs, err));
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(node->exprs[i]->type, node->schema->columns[i].type))
            return get_corrupt(getter, "exprs", err);
    }
    return ERR_OK;
}

static ErrCode get_predicate(Getter *getter, ExprPlace place, PlanNode *node, Err *err) {
    TRY(get_expr(getter_member(getter, "predicate"), place, &node->predicate, err));
    return node->predicate->type->kind == TYPE_BOOLEAN ? ERR_OK
                                                       : get_corrupt(getter, "predicate", err);
}

/* Of an outer join, over what comes out of it. */
static ErrCode get_join_predicate(Getter *getter, ExprPlace place, PlanNode *node, Err *err) {
    place.input = node->schema;
    if (!getter_member(getter, "predicate"))
        return ERR_OK;
    return get_predicate(getter, place, node, err);
}

/* Members that only some kinds have. */
static ErrCode get_node_inside(Getter *getter, const Plan *plan, PlanNode *node, Err *err) {
    const PlanNode *const *nodes = plan->nodes;
    const Schema *input = node->input_count > 0 ? nodes[node->inputs[0]]->schema : NULL;
    ExprPlace place = {.input = input, .arena = getter->arena, .plan = plan};
    if (node->kind == PLAN_SOURCE || node->kind == PLAN_SINK || node->kind == PLAN_STORE) {
        PlanTopic *topic = arena_alloc(getter->arena, sizeof *topic);
        TRY(get_topic(getter_member(getter, "topic"), getter->arena, topic, err));
        node->topic = topic;
    }
    switch (node->kind) {
    case PLAN_SOURCE: return get_used(getter, node, err);
    case PLAN_STORE:
        TRY(get_text(getter, "store_query", true, &node->store_query, err));
        return get_text(getter, "store_path", true, &node->store_path, err);
    case PLAN_FILTER: return get_predicate(getter, place, node, err);
    case PLAN_PROJECT:
    case PLAN_REPARTITION: return get_node_exprs(getter, place, node, err);
    case PLAN_FLAT_MAP: return get_table_calls(getter, place, node, err);
    case PLAN_JOIN_TABLE:
        TRY(plan_json_join_get(getter, nodes, node, err));
        return get_expr(getter_member(getter, "join_key"), place, &node->join_key, err);
    case PLAN_SUBSCRIBE:
        TRY(plan_json_join_get(getter, nodes, node, err));
        TRY(get_expr(getter_member(getter, "join_key"), place, &node->join_key, err));
        return type_equal(node->join_key->type, node->schema->columns[0].type)
                   ? ERR_OK
                   : get_corrupt(getter, "join_key", err);
    case PLAN_JOIN_STREAM:
        TRY(plan_json_join_get(getter, nodes, node, err));
        return get_join_predicate(getter, place, node, err);
    case PLAN_JOIN_TABLES:
    case PLAN_JOIN_FOREIGN:
    case PLAN_RESOLVE: return plan_json_join_get(getter, nodes, node, err);
    case PLAN_AGGREGATE: return get_aggregates(getter, input, node, err);
    default: return ERR_OK;
    }
}

static ErrCode get_inputs(Getter *getter, PlanNode *node, Err *err) {
    json_t *array;
    TRY(get_array(getter, "inputs", 2, &array, &node->input_count, err));
    bool first = node->kind == PLAN_SOURCE || node->kind == PLAN_STORE || node->kind == PLAN_ROW;
    bool two = plan_is_join(node->kind) || node->kind == PLAN_JOIN_FOREIGN;
    uint32_t wanted = first ? 0 : two ? 2 : 1;
    if (node->input_count != wanted)
        return get_corrupt(getter, "inputs", err);
    for (uint32_t i = 0; i < wanted; i++) {
        int64_t input;
        if (!plan_json_integer(json_array_get(array, i), 0, (int64_t)node->id - 1, &input))
            return get_corrupt(getter, "inputs", err);
        node->inputs[i] = (uint32_t)input;
    }
    return ERR_OK;
}

static ErrCode get_node(json_t *object, Arena *arena, const Plan *plan, uint32_t id,
                        const PlanNode **result, Err *err) {
    Getter getter;
    int kind;
    PlanNode *node = arena_alloc(arena, sizeof *node);
    TRY(getter_open(object, arena, "node", &getter, err));
    TRY(get_word(&getter, "kind", plan_json_node_kinds, -1, &kind, err));
    TRY(get_u32(&getter, "version", 0, &node->version, err));
    node->kind = (PlanNodeKind)kind;
    node->id = id;
    if (node->version == 0 || node->version > PLAN_JSON_NODE_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "stored node: version %u of %s is not known",
                       node->version, plan_json_node_kinds[kind]);
    TRY(get_text(&getter, "path", true, &node->path, err));
    TRY(get_text(&getter, "note", false, &node->note, err));
    TRY(get_inputs(&getter, node, err));
    TRY(get_schema(&getter, &node->schema, err));
    TRY(get_flag(&getter, "is_table", &node->is_table, err));
    TRY(get_flag(&getter, "old_known", &node->old_known, err));
    TRY(get_flag(&getter, "windowed", &node->windowed, err));
    TRY(get_node_inside(&getter, plan, node, err));
    *result = node;
    return getter_close(&getter, err);
}

/* -- The whole --------------------------------------------------------------------------------- */

static ErrCode get_bound(Getter *getter, const char *name, ExprPlace place,
                         const Expr *const **bound, uint32_t *count, Err *err) {
    json_t *array;
    TRY(get_array(getter, name, place.plan->nodes[0]->schema->key_count, &array, count, err));
    return get_exprs(array, *count, place, bound, err);
}

static ErrCode get_lookup(Getter *parent, Plan *plan, Err *err) {
    Getter getter;
    json_t *keys;
    uint32_t count;
    PlanLookup *lookup = &plan->lookup;
    TRY(getter_open(getter_member(parent, "lookup"), parent->arena, "lookup", &getter, err));
    TRY(get_flag(&getter, "by_key", &lookup->by_key, err));
    TRY(get_u32(&getter, "key_count", 0, &lookup->key_count, err));
    TRY(get_array(&getter, "keys", 1 << 20, &keys, &count, err));
    if (count != (uint64_t)lookup->key_count * plan->nodes[0]->schema->key_count)
        return get_corrupt(&getter, "keys", err);
    ExprPlace place = {.arena = parent->arena, .plan = plan};
    TRY(get_exprs(keys, count, place, &lookup->keys, err));
    TRY(get_bound(&getter, "min", place, &lookup->min, &lookup->min_count, err));
    TRY(get_bound(&getter, "max", place, &lookup->max, &lookup->max_count, err));
    TRY(get_i64(&getter, "window_start_min", INT64_MIN, &lookup->window_start_min, err));
    TRY(get_i64(&getter, "window_start_max", INT64_MAX, &lookup->window_start_max, err));
    return getter_close(&getter, err);
}

static ErrCode get_order(Getter *parent, Plan *plan, Err *err) {
    json_t *array;
    uint32_t columns = plan->nodes[plan->node_count - 1]->schema->column_count;
    TRY(get_array(parent, "order", UINT16_MAX, &array, &plan->order_count, err));
    PlanOrder *order = arena_array(parent->arena, plan->order_count, sizeof *order);
    for (uint32_t i = 0; i < plan->order_count; i++) {
        Getter getter;
        TRY(getter_open(json_array_get(array, i), parent->arena, "order", &getter, err));
        TRY(get_u32(&getter, "column", UINT32_MAX, &order[i].column, err));
        TRY(get_flag(&getter, "descending", &order[i].descending, err));
        if (order[i].column >= columns)
            return get_corrupt(&getter, "column", err);
        TRY(getter_close(&getter, err));
    }
    plan->order = order;
    return ERR_OK;
}

static ErrCode get_nodes(Getter *getter, Plan *plan, Err *err) {
    json_t *array;
    int64_t materialized;
    TRY(get_array(getter, "nodes", UINT16_MAX, &array, &plan->node_count, err));
    TRY(get_i64(getter, "materialized", -1, &materialized, err));
    if (plan->node_count == 0 || materialized < -1 || materialized >= plan->node_count)
        return get_corrupt(getter, "nodes", err);
    plan->materialized = (int32_t)materialized;
    const PlanNode **nodes = arena_array(getter->arena, plan->node_count, sizeof *nodes);
    plan->nodes = nodes;
    for (uint32_t i = 0; i < plan->node_count; i++)
        TRY(get_node(json_array_get(array, i), getter->arena, plan, i, &nodes[i], err));
    return ERR_OK;
}

static ErrCode get_version(Getter *getter, Err *err) {
    uint32_t version;
    TRY(get_u32(getter, "version", 0, &version, err));
    if (version == PLAN_JSON_VERSION)
        return ERR_OK;
    return err_set(err, ERR_UNSUPPORTED, "stored %s: version %u is not known", getter->what,
                   version);
}

static ErrCode get_plan(json_t *object, Arena *arena, Plan *plan, Err *err) {
    Getter getter;
    int kind;
    TRY(getter_open(object, arena, "plan", &getter, err));
    TRY(get_version(&getter, err));
    TRY(get_word(&getter, "kind", plan_json_plan_kinds, -1, &kind, err));
    plan->kind = (PlanKind)kind;
    TRY(get_text(&getter, "query_id", false, &plan->query_id, err));
    TRY(get_text(&getter, "statement", false, &plan->statement, err));
    TRY(get_text(&getter, "sink_source", false, &plan->sink_source, err));
    TRY(get_u32(&getter, "partition_count", 0, &plan->partition_count, err));
    TRY(get_i64(&getter, "limit", -1, &plan->limit, err));
    TRY(get_i64(&getter, "offset", 0, &plan->offset, err));
    TRY(get_u32(&getter, "visible_count", 0, &plan->visible_count, err));
    TRY(get_flag(&getter, "one_group", &plan->one_group, err));
    TRY(plan_json_functions_get(getter_member(&getter, "functions"), arena, plan, err));
    TRY(get_nodes(&getter, plan, err));
    TRY(get_order(&getter, plan, err));
    plan->lookup.window_start_min = INT64_MIN;
    plan->lookup.window_start_max = INT64_MAX;
    if (plan->kind == PLAN_PULL)
        TRY(get_lookup(&getter, plan, err));
    if (plan->visible_count > plan->nodes[plan->node_count - 1]->schema->column_count)
        return get_corrupt(&getter, "visible_count", err);
    return getter_close(&getter, err);
}

static ErrCode get_reads(Getter *getter, Source *source, Err *err) {
    json_t *array;
    TRY(get_array(getter, "reads", SOURCES_MAX, &array, &source->read_count, err));
    const char **names = arena_array(getter->arena, source->read_count, sizeof *names);
    for (uint32_t i = 0; i < source->read_count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name)
            return get_corrupt(getter, "reads", err);
        names[i] = arena_strdup(getter->arena, name);
    }
    source->reads = names;
    return ERR_OK;
}

static ErrCode get_datagen(json_t *object, Arena *arena, const Datagen **datagen, Err *err) {
    Getter getter;
    Datagen *made = arena_alloc(arena, sizeof *made);
    TRY(getter_open(object, arena, "datagen", &getter, err));
    TRY(get_text(&getter, "kind", false, &made->kind, err));
    TRY(get_i64(&getter, "rows", 0, &made->rows, err));
    TRY(get_i64(&getter, "rows_per_second", 0, &made->rows_per_second, err));
    TRY(get_i64(&getter, "seed", 0, &made->seed, err));
    TRY(get_i64(&getter, "start_ms", 0, &made->start_ms, err));
    TRY(get_i64(&getter, "step_ms", 0, &made->step_ms, err));
    TRY(get_i64(&getter, "per_second", 0, &made->per_second, err));
    TRY(get_flag(&getter, "paused", &made->paused, err));
    *datagen = made;
    return getter_close(&getter, err);
}

static ErrCode get_source(json_t *object, Arena *arena, Source *source, Err *err) {
    Getter getter;
    TRY(getter_open(object, arena, "source", &getter, err));
    TRY(get_version(&getter, err));
    TRY(get_text(&getter, "name", true, &source->name, err));
    TRY(get_flag(&getter, "is_table", &source->is_table, err));
    TRY(get_flag(&getter, "is_read_only", &source->is_read_only, err));
    TRY(get_topic(getter_member(&getter, "topic"), arena, &source->topic, err));
    TRY(get_text(&getter, "statement", false, &source->statement, err));
    TRY(get_text(&getter, "query_id", false, &source->query_id, err));
    TRY(get_text(&getter, "broker", false, &source->broker, err));
    TRY(get_u32(&getter, "partition_count", 0, &source->partition_count, err));
    TRY(get_reads(&getter, source, err));
    json_t *datagen = getter_member(&getter, "datagen");
    if (datagen)
        TRY(get_datagen(datagen, arena, &source->datagen, err));
    return getter_close(&getter, err);
}

static ErrCode get_document(Bytes json, const char *what, json_t **object, Err *err) {
    json_error_t cause;
    *object = json_loadb((const char *)json.data, json.size,
                         JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
    if (*object)
        return ERR_OK;
    return err_set(err, ERR_CORRUPT, "stored %s is no JSON: %s", what, cause.text);
}

ErrCode plan_json_get(Bytes json, Arena *arena, const Plan **plan, Err *err) {
    assert(arena && plan);
    json_t *object;
    Plan *made = arena_alloc(arena, sizeof *made);
    TRY(get_document(json, "plan", &object, err));
    ErrCode code = get_plan(object, arena, made, err);
    json_decref(object);
    *plan = made;
    return code;
}

ErrCode source_json_get(Bytes json, Arena *arena, const Source **source, Err *err) {
    assert(arena && source);
    json_t *object;
    Source *made = arena_alloc(arena, sizeof *made);
    TRY(get_document(json, "source", &object, err));
    ErrCode code = get_source(object, arena, made, err);
    json_decref(object);
    *source = made;
    return code;
}
