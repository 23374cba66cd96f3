/*
 * bind_operator.c - arithmetic, comparison, logic, lists and patterns.
 */
#include <assert.h>
#include <string.h>

#include "data/time_text.h"
#include "planner/planner_impl.h"

static const char *type_or_null(const Planner *planner, const Expr *expr) {
    return expr->type->kind == TYPE_NULL ? "null" : type_text(planner->arena, expr->type);
}

/* -- Arithmetic -------------------------------------------------------------------------------- */

static ErrCode arithmetic_fails(Binder *binder, const AstExpr *ast, const Expr *const *args,
                                Err *err) {
    const Planner *planner = binder->planner;
    const char *left = type_or_null(planner, args[0]), *right = type_or_null(planner, args[1]);
    const char *text = planner_expr(planner, ast);
    if (args[0]->type->kind == TYPE_NULL || args[1]->type->kind == TYPE_NULL)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Error processing expression: %s. Arithmetic on types %s and %s are not "
                          "supported.",
                          text, left, right);
    return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                      "Error processing expression: %s. Unsupported arithmetic types. %s %s", text,
                      left, right);
}

static const Expr *to_decimal(const Planner *planner, const Expr *expr) {
    if (expr->type->kind == TYPE_DECIMAL)
        return expr;
    uint32_t precision, scale;
    decimal_shape(expr->type, &precision, &scale);
    const Type *type;
    Err ignored;
    ErrCode code = type_decimal(planner->arena, precision, scale, &type, &ignored);
    assert(code == ERR_OK);
    return code == ERR_OK ? cast_to(planner, expr, type) : expr;
}

ErrCode bind_arithmetic(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_BINARY && ast->arg_count == 2);
    const Planner *planner = binder->planner;
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    TypeKind left = args[0]->type->kind, right = args[1]->type->kind;
    if (left == TYPE_STRING && right == TYPE_STRING && ast->op == AST_OP_ADD) {
        *expr = expr_new(planner->arena, EXPR_CONCAT, &type_string, args, 2);
        return ERR_OK;
    }
    const Type *type = type_wider(planner, args[0]->type, args[1]->type);
    if (!type_is_number(args[0]->type) || !type_is_number(args[1]->type))
        return arithmetic_fails(binder, ast, args, err);
    if (left != TYPE_DOUBLE && right != TYPE_DOUBLE &&
        (left == TYPE_DECIMAL || right == TYPE_DECIMAL)) {
        static const char ops[] = {[AST_OP_ADD] = '+', [AST_OP_SUBTRACT] = '-',
                                   [AST_OP_MULTIPLY] = '*', [AST_OP_DIVIDE] = '/',
                                   [AST_OP_MODULUS] = '%'};
        TRY(decimal_result_type(planner->arena, ops[ast->op], args[0]->type, args[1]->type, &type,
                                err));
        args[0] = to_decimal(planner, args[0]);
        args[1] = to_decimal(planner, args[1]);
    } else {
        args[0] = cast_to(planner, args[0], type);
        args[1] = cast_to(planner, args[1], type);
    }
    Expr *made = expr_new(planner->arena, EXPR_ARITHMETIC, type, args, 2);
    made->op = (ExprOp)(OP_ADD + (ast->op - AST_OP_ADD));
    *expr = made;
    return ERR_OK;
}

_Static_assert(OP_MODULUS - OP_ADD == AST_OP_MODULUS - AST_OP_ADD, "operators in the same order");

/* -9223372036854775808 is a BIGINT, though its digits alone are none. */
static ErrCode bind_negative_integer(Binder *binder, const AstExpr *digits, const Expr **expr,
                                     Err *err) {
    AstExpr negative = *digits;
    assert(digits->kind == AST_INTEGER && digits->text.data[0] != '-');
    const char *text = arena_printf(binder->planner->arena, "-%.*s", (int)digits->text.size,
                                    (const char *)digits->text.data);
    negative.text = bytes_of(text);
    return bind_literal(binder, &negative, expr, err);
}

/* Literals are negated now. */
static const Expr *negate_literal(const Planner *planner, const Expr *literal) {
    assert(literal->kind == EXPR_LITERAL && type_is_number(literal->type));
    Expr *expr = expr_literal(planner->arena, literal->type);
    if (literal->type->kind == TYPE_DOUBLE)
        expr->literal->f64[0] = -literal->literal->f64[0];
    else if (literal->type->kind == TYPE_DECIMAL)
        decimal_store(expr->literal->data, literal->type->precision,
                      decimal_negate(decimal_load(literal->literal->data,
                                                  literal->type->precision)));
    else
        return NULL;
    return expr;
}

ErrCode bind_negate(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_NEGATE && ast->arg_count == 1);
    const Planner *planner = binder->planner;
    if (ast->args[0]->kind == AST_INTEGER && ast->args[0]->text.data[0] != '-')
        return bind_negative_integer(binder, ast->args[0], expr, err);
    const Expr *arg;
    TRY(bind_expr(binder, ast->args[0], &arg, err));
    if (!type_is_number(arg->type))
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Error processing expression: %s. Unsupported negation of %s",
                          planner_expr(planner, ast), type_or_null(planner, arg));
    *expr = arg->kind == EXPR_LITERAL && !expr_is_null(arg) ? negate_literal(planner, arg) : NULL;
    if (!*expr)
        *expr = expr_new(planner->arena, EXPR_NEGATE, arg->type, &arg, 1);
    return ERR_OK;
}

/* -- Comparison -------------------------------------------------------------------------------- */

static const char *const compare_names[] = {
    [AST_OP_EQUAL] = "EQUAL",
    [AST_OP_NOT_EQUAL] = "NOT_EQUAL",
    [AST_OP_LESS] = "LESS_THAN",
    [AST_OP_LESS_EQUAL] = "LESS_THAN_OR_EQUAL",
    [AST_OP_GREATER] = "GREATER_THAN",
    [AST_OP_GREATER_EQUAL] = "GREATER_THAN_OR_EQUAL",
    [AST_OP_DISTINCT] = "IS_DISTINCT_FROM",
    [AST_OP_NOT_DISTINCT] = "IS_NOT_DISTINCT_FROM",
};

_Static_assert(OP_NOT_DISTINCT - OP_EQUAL == AST_OP_NOT_DISTINCT - AST_OP_EQUAL,
               "operators in the same order");

static bool is_time(TypeKind kind) {
    return kind == TYPE_TIME || kind == TYPE_DATE || kind == TYPE_TIMESTAMP;
}

/* The type that both are compared as; NULL where they cannot be. */
static const Type *compare_type(const Planner *planner, const Type *left, const Type *right,
                                AstOp op) {
    bool equality = op == AST_OP_EQUAL || op == AST_OP_NOT_EQUAL || op >= AST_OP_DISTINCT;
    if (type_is_number(left) && type_is_number(right)) {
        /* Decimals keep their shapes, also beside doubles; integers beside them get theirs. */
        if (left->kind == TYPE_DECIMAL && right->kind != TYPE_DOUBLE)
            return left;
        if (right->kind == TYPE_DECIMAL && left->kind != TYPE_DOUBLE)
            return right;
        return type_wider(planner, left, right);
    }
    if (left->kind == TYPE_STRING && is_time(right->kind))
        return right;
    if (right->kind == TYPE_STRING && is_time(left->kind))
        return left;
    if ((left->kind == TYPE_DATE && right->kind == TYPE_TIMESTAMP) ||
        (left->kind == TYPE_TIMESTAMP && right->kind == TYPE_DATE))
        return &type_timestamp;
    if (left->kind == TYPE_BOOLEAN || type_is_nested(left))
        return equality && type_equal(left, right) ? left : NULL;
    return left->kind == right->kind ? left : NULL;
}

/* ROWTIME >= '2020-01-01': the text becomes milliseconds. */
static ErrCode compare_time_text(Binder *binder, const Expr **args, Err *err) {
    for (uint32_t i = 0; i < 2 && binder->time_texts; i++) {
        const Expr *other = args[1 - i];
        bool pseudo = args[i]->kind == EXPR_PSEUDO && args[i]->type->kind == TYPE_BIGINT &&
                      args[i]->pseudo != PSEUDO_ROWOFFSET;
        if (!pseudo || other->kind != EXPR_LITERAL || other->type->kind != TYPE_STRING)
            continue;
        int64_t ms;
        Bytes text = other->literal->bytes[0];
        if (!time_parse_timestamp(text, &ms))
            return err_set(err, ERR_TYPE,
                           "Failed to parse timestamp '%.*s': Required format is: "
                           "\"yyyy-MM-dd'T'HH:mm:ss.SSS\", with an optional numeric timezone",
                           (int)text.size, (const char *)text.data);
        Expr *literal = expr_bigint(binder->planner->arena, ms);
        literal->text = other->text;
        args[1 - i] = literal;
    }
    return ERR_OK;
}

static ErrCode compare_fails(Binder *binder, const Expr *const *args, AstOp op, Err *err) {
    const Planner *planner = binder->planner;
    if (args[0]->type->kind == TYPE_NULL || args[1]->type->kind == TYPE_NULL)
        return err_set(err, ERR_TYPE,
                       "Comparison with NULL not supported: %s = %s\n"
                       "Use 'IS NULL' or 'IS NOT NULL' instead.",
                       type_or_null(planner, args[0]), type_or_null(planner, args[1]));
    return err_set(err, ERR_TYPE, "Error in %s expression: Cannot compare %s (%s) to %s (%s) with "
                   "%s.", binder->clause, args[0]->text, type_or_null(planner, args[0]),
                   args[1]->text, type_or_null(planner, args[1]), compare_names[op]);
}

/* The operand as the type of the comparison. */
static const Expr *compare_operand(const Planner *planner, const Expr *expr, const Type *type) {
    if (type->kind == TYPE_DOUBLE && expr->type->kind == TYPE_DECIMAL)
        return expr;
    const Expr *operand =
        type->kind == TYPE_DECIMAL ? to_decimal(planner, expr) : cast_to(planner, expr, type);
    if (operand == expr || operand->kind != EXPR_CAST)
        return operand;
    Expr *open = arena_alloc(planner->arena, sizeof *open);
    *open = *operand;
    open->open = true;
    return open;
}

static ErrCode make_compare(Binder *binder, AstOp op, const Expr *left, const Expr *right,
                            const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    assert(op >= AST_OP_EQUAL && op <= AST_OP_NOT_DISTINCT);
    const Expr *args[2] = {left, right};
    TRY(compare_time_text(binder, args, err));
    if (op >= AST_OP_DISTINCT) {
        /* IS DISTINCT FROM NULL is sound. */
        for (uint32_t i = 0; i < 2; i++) {
            const Type *other = args[1 - i]->type;
            if (args[i]->type->kind == TYPE_NULL)
                args[i] = expr_null(planner->arena,
                                    other->kind == TYPE_NULL ? &type_string : other);
        }
    }
    const Type *type = args[0]->type->kind == TYPE_NULL || args[1]->type->kind == TYPE_NULL
                           ? NULL
                           : compare_type(planner, args[0]->type, args[1]->type, op);
    if (!type)
        return compare_fails(binder, args, op, err);
    for (uint32_t i = 0; i < 2; i++)
        args[i] = compare_operand(planner, args[i], type);
    Expr *made = expr_new(planner->arena, EXPR_COMPARE, &type_boolean, args, 2);
    made->op = (ExprOp)(OP_EQUAL + (op - AST_OP_EQUAL));
    *expr = made;
    return ERR_OK;
}

ErrCode bind_compare(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_COMPARE && ast->arg_count == 2);
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    return make_compare(binder, ast->op, args[0], args[1], expr, err);
}

static const Expr *negated(const Planner *planner, const Expr *expr) {
    Expr *made = expr_new(planner->arena, EXPR_NOT, &type_boolean, &expr, 1);
    return made;
}

ErrCode bind_between(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_BETWEEN && ast->arg_count == 3);
    const Planner *planner = binder->planner;
    const Expr **args, *both[2];
    TRY(bind_args(binder, ast, &args, err));
    TRY(make_compare(binder, AST_OP_GREATER_EQUAL, args[0], args[1], &both[0], err));
    TRY(make_compare(binder, AST_OP_LESS_EQUAL, args[0], args[2], &both[1], err));
    *expr = expr_new(planner->arena, EXPR_AND, &type_boolean, both, 2);
    if (ast->negated)
        *expr = negated(planner, *expr);
    return ERR_OK;
}

/* -- Logic ------------------------------------------------------------------------------------- */

ErrCode bind_logic(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->arg_count >= 1);
    const Planner *planner = binder->planner;
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    if (ast->kind == AST_IS_NULL) {
        if (args[0]->type->kind == TYPE_NULL)
            args[0] = expr_null(planner->arena, &type_string);
        Expr *made = expr_new(planner->arena, EXPR_IS_NULL, &type_boolean, args, 1);
        made->negated = ast->negated;
        *expr = made;
        return ERR_OK;
    }
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        if (args[i]->type->kind == TYPE_NULL)
            args[i] = expr_null(planner->arena, &type_boolean);
        if (args[i]->type->kind != TYPE_BOOLEAN)
            return err_set_at(err, ERR_TYPE, ast->args[i]->pos.line, ast->args[i]->pos.column,
                              "Type error in %s expression: Should evaluate to boolean but is %s "
                              "(%s) instead.",
                              binder->clause, args[i]->text,
                              type_text(planner->arena, args[i]->type));
    }
    ExprKind kind = ast->kind == AST_AND ? EXPR_AND : ast->kind == AST_OR ? EXPR_OR : EXPR_NOT;
    *expr = expr_new(planner->arena, kind, &type_boolean, args, ast->arg_count);
    return ERR_OK;
}

ErrCode bind_in(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_IN && ast->arg_count >= 2);
    const Planner *planner = binder->planner;
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    uint32_t count = 1; /* NULLs in the list never match */
    for (uint32_t i = 1; i < ast->arg_count; i++) {
        if (!expr_is_null(args[i]))
            args[count++] = args[i];
    }
    const Type *type;
    ErrCode code = coerce_list(planner, args, count, &type, err);
    if (code != ERR_OK) {
        Err cause = *err;
        return err_set(err, code, "Invalid Predicate: %s", cause.message);
    }
    if (!type) {
        *expr = expr_boolean(planner->arena, ast->negated);
        return ERR_OK;
    }
    if (args[0]->type->kind == TYPE_NULL)
        args[0] = expr_null(planner->arena, type);
    *expr = expr_new(planner->arena, EXPR_IN, &type_boolean, args, count);
    if (ast->negated)
        *expr = negated(planner, *expr);
    return ERR_OK;
}

/* The escape, where one is written: one character, and not the last of the pattern. */
static ErrCode like_escape(const AstExpr *ast, const Expr *pattern, char *escape, Err *err) {
    *escape = 0;
    if (!ast->text.data)
        return ERR_OK;
    if (ast->text.size != 1)
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "Expected single character escape but got: %.*s", (int)ast->text.size,
                          (const char *)ast->text.data);
    *escape = (char)ast->text.data[0];
    if (pattern->kind != EXPR_LITERAL || expr_is_null(pattern))
        return ERR_OK;
    Bytes text = pattern->literal->bytes[0];
    bool open = false;
    for (uint32_t i = 0; i < text.size; i++)
        open = !open && text.data[i] == (uint8_t)*escape;
    return open ? err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                             "LIKE pattern must not end with escape character.")
                : ERR_OK;
}

ErrCode bind_like(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_LIKE && ast->arg_count == 2);
    const Planner *planner = binder->planner;
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    for (uint32_t i = 0; i < 2; i++) {
        if (args[i]->type->kind == TYPE_NULL)
            args[i] = expr_null(planner->arena, &type_string);
        if (args[i]->type->kind != TYPE_STRING)
            return err_set(err, ERR_TYPE,
                           "The column type for Like condition must be VARCHAR. The column type "
                           "is %s",
                           type_text(planner->arena, args[i]->type));
    }
    Expr *made = expr_new(planner->arena, EXPR_LIKE, &type_boolean, args, 2);
    TRY(like_escape(ast, args[1], &made->escape, err));
    *expr = made;
    if (ast->negated)
        *expr = negated(planner, *expr);
    return ERR_OK;
}
