/*
 * user_function.c - CREATE FUNCTION, and calls of users' functions.
 *
 * A call of an SQL function becomes its body, bound over locals that stand for the parameters. A
 * parameter that is used once, or whose argument is a mere column or literal, is then replaced by
 * the argument; the others stay locals of an EXPR_LET around the body, so that each argument is
 * computed once a row whatever the body does with it: f(RANDOM()) sees one value.
 * What a body means never depends on the call, so what CREATE FUNCTION accepted binds again.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

/* -- Calls ------------------------------------------------------------------------------------- */

static void user_note(const Planner *planner, const UserFunction *function) {
    UserUses *uses = planner->uses;
    for (size_t i = 0; uses && i < uses->count; i++) {
        if (uses->functions[i] == function)
            return;
    }
    if (!uses)
        return;
    uses->functions = arena_grow(planner->arena, uses->functions, &uses->capacity,
                                 uses->count + 1, sizeof *uses->functions);
    uses->functions[uses->count++] = function;
}

static ErrCode inline_recursion(const Binder *binder, const UserFunction *function, Err *err) {
    const InlineFrame *frame = binder->frame;
    while (frame && frame->function != function)
        frame = frame->up;
    if (!frame)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC, "Function %s calls itself%s%s: recursion is not allowed.",
                   user_text(function, binder->planner->arena),
                   frame == binder->frame ? "" : " through ",
                   frame == binder->frame ? "" : binder->frame->function->name);
}

/* -- The body ---------------------------------------------------------------------------------- */

/* Binds the body over locals first, first + 1, ... for the parameters; cast to the result. */
static ErrCode body_bind(const Binder *binder, const UserFunction *function, const AstExpr *ast,
                         const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    ScopeSource self = {.alias = function->name};
    Scope scope = {.sources = &self, .source_count = 1};
    for (uint32_t i = 0; i < function->param_count; i++) {
        const UserParam *param = &function->params[i];
        Expr *local = expr_new(planner->arena, EXPR_LOCAL, param->type, NULL, 0);
        local->column = binder->local_count + i;
        local->text = param->name;
        scope_add(planner, &scope, (ScopeColumn){0, param->name, local, false});
    }
    InlineFrame frame = {function, binder->frame};
    LambdaScope outside = bind_lambda_outside(binder);
    Binder inner = {.planner = planner, .scope = &scope, .clause = "FUNCTION",
                    .depth = binder->depth, .frame = &frame, .lambda = &outside,
                    .local_count = binder->local_count + function->param_count};
    TRY(bind_expr(&inner, ast, expr, err));
    const Type *type = (*expr)->type;
    if (type->kind != TYPE_NULL && !type_implicit(type, function->result))
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "The body of function %s gives %s, but it RETURNS %s. CAST it.",
                          function->name, type_text(planner->arena, type),
                          type_text(planner->arena, function->result));
    *expr = cast_to(planner, *expr, function->result);
    return ERR_OK;
}

typedef struct BodyUses {
    uint32_t first;
    uint32_t *counts;
    uint32_t count;
} BodyUses;

static bool body_count(void *context, const Expr *expr) {
    BodyUses *uses = context;
    if (expr->kind == EXPR_LOCAL && expr->column >= uses->first &&
        expr->column < uses->first + uses->count)
        uses->counts[expr->column - uses->first]++;
    if (expr->kind == EXPR_LAMBDA) /* what stands in it is computed for each element */
        expr_find(expr->args[0], body_count, context);
    return false;
}

/* What costs nothing to compute again, and is no larger than the parameter's name. */
static bool inline_is_trivial(const Expr *expr) {
    switch (expr->kind) {
    case EXPR_LITERAL:
    case EXPR_COLUMN:
    case EXPR_PSEUDO:
    case EXPR_PARAM:
    case EXPR_LOCAL: return true;
    case EXPR_CAST: return expr->args[0]->arg_count == 0 && inline_is_trivial(expr->args[0]);
    default: return false;
    }
}

typedef struct InlineMap {
    const Expr **args; /* NULL: the local stays */
    uint32_t first, count;
} InlineMap;

static const Expr *inline_map(void *context, const Expr *expr) {
    const InlineMap *map = context;
    if (expr->kind != EXPR_LOCAL || expr->column < map->first ||
        expr->column >= map->first + map->count)
        return NULL;
    const Expr *arg = map->args[expr->column - map->first];
    return arg ? arg : expr;
}

/* Puts the arguments into the bound body. */
static const Expr *inline_args(const Binder *binder, const Expr *body, const Expr *const *args,
                               uint32_t count) {
    Arena *arena = binder->planner->arena;
    BodyUses uses = {binder->local_count, arena_array(arena, count, sizeof(uint32_t)), count};
    expr_find(body, body_count, &uses);
    InlineMap map = {arena_array(arena, count, sizeof *map.args), uses.first, count};
    for (uint32_t i = 0; i < count; i++) {
        if (uses.counts[i] <= 1 || inline_is_trivial(args[i]))
            map.args[i] = args[i];
    }
    const Expr *result = expr_map(arena, body, inline_map, &map);
    for (uint32_t i = count; i-- > 0;) {
        if (map.args[i])
            continue;
        const Expr *parts[] = {args[i], result};
        Expr *let = expr_new(arena, EXPR_LET, result->type, parts, 2);
        let->column = uses.first + i;
        let->text = result->text;
        result = let;
    }
    return result;
}

/* Counts nodes; false when there are too many, or they are nested too deeply. */
static bool inline_fits(const Expr *expr, uint32_t depth, uint32_t *nodes) {
    if (depth > INLINE_DEPTH_MAX || ++*nodes > INLINE_NODES_MAX)
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!inline_fits(expr->args[i], depth + 1, nodes))
            return false;
    }
    return true;
}

static ErrCode inline_call(const Binder *binder, const UserFunction *function,
                           const Expr *const *args, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    const AstExpr *ast;
    const Expr *body;
    TRY(inline_recursion(binder, function, err));
    TRY(parse_expression(bytes_of(function->body), planner->arena, &ast, err));
    if (body_bind(binder, function, ast, &body, err) != ERR_OK) {
        Err cause = *err;
        return err_set(err, cause.code, "In the body of function %s (line %u:%u): %s",
                       function->name, cause.line, cause.column, cause.message);
    }
    *expr = inline_args(binder, body, args, function->param_count);
    uint32_t nodes = 0;
    if (!inline_fits(*expr, 0, &nodes))
        return err_set(err, ERR_LIMIT,
                       "The call of function %s is too large once bodies stand in the place of "
                       "calls: %d parts and %d levels at most.",
                       function->name, INLINE_NODES_MAX, INLINE_DEPTH_MAX);
    return ERR_OK;
}

ErrCode bind_user_call(Binder *binder, const UserFunction *function, const Expr **args,
                       const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    assert(function->result);
    for (uint32_t i = 0; i < function->param_count; i++)
        args[i] = cast_to(planner, args[i], function->params[i].type);
    user_note(planner, function);
    if (function->language == USER_SQL)
        return inline_call(binder, function, args, expr, err);
    Expr *made = expr_new(planner->arena, EXPR_CALL, function->result, args,
                          function->param_count);
    made->function = &function->function;
    *expr = made;
    return ERR_OK;
}

/* -- CREATE FUNCTION --------------------------------------------------------------------------- */

static ErrCode function_name(const AstStatement *statement, Arena *arena, const char **name,
                             Err *err) {
    char *upper = arena_strdup(arena, statement->name);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    *name = upper;
    FunctionKind kind = function_is_ksqldb(upper);
    bool aggregate = aggregate_exists(upper) || kind == FUNCTION_AGGREGATE;
    if (!aggregate && kind != FUNCTION_TABLE)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                      "%s is %s function of the language: no other one can have its name.", upper,
                      aggregate ? "an aggregate" : "a table");
}

static ErrCode function_params(const Planner *planner, UserFunction *function, Err *err) {
    const AstStatement *statement = planner->statement;
    UserParam *params = arena_array(planner->arena, statement->column_count, sizeof *params);
    if (statement->column_count > FUNCTION_PARAMS_MAX)
        return err_set_at(err, ERR_LIMIT, statement->name_pos.line, statement->name_pos.column,
                          "A function has %d parameters at most.", FUNCTION_PARAMS_MAX);
    for (uint32_t i = 0; i < statement->column_count; i++) {
        const AstColumnDef *def = &statement->columns[i];
        if (def->role != AST_COLUMN_VALUE)
            return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                              "Parameter %s has a name and a type only: KEY and HEADERS belong to "
                              "columns.", def->name);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(params[j].name, def->name) == 0)
                return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                                  "Function %s has two parameters with the name %s.",
                                  function->name, def->name);
        }
        params[i].name = def->name;
        TRY(type_resolve(planner, def->type, &params[i].type, err));
    }
    function->params = params;
    function->param_count = statement->column_count;
    return ERR_OK;
}

static ErrCode function_body(const Planner *planner, UserFunction *function, Err *err) {
    const AstStatement *statement = planner->statement;
    AstPos pos = statement->text_pos;
    if (!statement->language) {
        function->language = USER_SQL;
        function->body = planner_expr(planner, statement->values[0]);
        return ERR_OK;
    }
    if (!user_language_find(statement->language, &function->language) ||
        function->language == USER_SQL)
        return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                          "Functions can be written in LUA and C, or as an expression: AS a + b. "
                          "There is no language %s.", statement->language);
    if ((function->language == USER_NATIVE) != (statement->symbol.data != NULL))
        return err_set_at(err, ERR_SYNTAX, pos.line, pos.column,
                          "%s", function->language == USER_NATIVE
                              ? "LANGUAGE C has two texts: AS 'library', 'symbol'."
                              : "LANGUAGE LUA has one text: AS 'body'.");
    function->body = (const char *)statement->text.data;
    function->symbol = (const char *)statement->symbol.data;
    return ERR_OK;
}

ErrCode plan_function(const PlannerHost *host, const AstStatement *statement, Arena *arena,
                      UserFunction **function, Err *err) {
    assert(statement->kind == AST_CREATE_FUNCTION && statement->type);
    Planner planner = {host, arena, statement, NULL};
    UserFunction *made = arena_alloc(arena, sizeof *made);
    made->version = 1;
    TRY(function_name(statement, arena, &made->name, err));
    TRY(function_params(&planner, made, err));
    TRY(type_resolve(&planner, statement->type, &made->result, err));
    TRY(function_body(&planner, made, err));
    user_finish(made, arena);
    *function = made;
    return ERR_OK;
}

ErrCode plan_function_check(const PlannerHost *host, const UserFunction *function,
                            const AstStatement *statement, Arena *arena, UserUses *uses,
                            Err *err) {
    Planner planner = {host, arena, statement, uses};
    Binder binder = {.planner = &planner, .clause = "FUNCTION"};
    const AstExpr *ast;
    const Expr *body;
    if (function->language != USER_SQL)
        return ERR_OK;
    if (statement)
        ast = statement->values[0];
    else
        TRY(parse_expression(bytes_of(function->body), arena, &ast, err));
    return body_bind(&binder, function, ast, &body, err);
}
