/*
 * ast_build_expr.c - expressions of the tree.
 *
 * Every node knows its depth, and none is deeper than EXPR_DEPTH_MAX: what walks a tree by
 * recursion needs no check of its own.
 */
#include <assert.h>
#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

static AstExpr *expr_new(ParseContext *p, AstExprKind kind, AstPos pos) {
    assert(pos.line > 0);
    AstExpr *expr = arena_alloc(p->arena, sizeof *expr);
    expr->kind = kind;
    expr->pos = pos;
    expr->depth = 1;
    return expr;
}

static AstExpr *expr_set_args(ParseContext *p, AstExpr *expr, const AstList *args) {
    if (args) {
        expr->args = args->items;
        expr->arg_count = args->count;
    }
    assert(expr->depth > 0);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->depth >= expr->depth)
            expr->depth = expr->args[i]->depth + 1;
    build_check_depth(p, expr->pos, expr->depth);
    return expr;
}

static AstExpr *expr_set_names(AstExpr *expr, const AstList *names) {
    if (names) {
        expr->names = names->items;
        expr->name_count = names->count;
    }
    return expr;
}

AstExpr *build_literal(ParseContext *p, AstExprKind kind, Token token) {
    AstExpr *expr = expr_new(p, kind, token.pos);
    expr->boolean = kind == AST_BOOLEAN && token.kind == TK_TRUE;
    if (kind == AST_STRING)
        expr->text = build_text(p, token);
    if (kind == AST_VARIABLE)
        expr->name = arena_text(p->arena, (Bytes){token.bytes.data + 2, token.bytes.size - 3});
    return expr;
}

AstExpr *build_number_literal(ParseContext *p, Token number) {
    assert(number.bytes.size > 0);
    AstExprKind kind = number.kind == TK_INTEGER   ? AST_INTEGER
                       : number.kind == TK_DECIMAL ? AST_DECIMAL
                                                   : AST_DOUBLE;
    AstExpr *expr = expr_new(p, kind, number.pos);
    expr->text = arena_bytes(p->arena, number.bytes);
    return expr;
}

AstExpr *build_typed(ParseContext *p, Token name, Token text) {
    assert(text.kind == TK_STRING);
    AstExpr *expr = expr_new(p, AST_TYPED, name.pos);
    expr->name = build_name(p, name);
    expr->text = build_text(p, text);
    return expr;
}

AstExpr *build_column(ParseContext *p, Token qualifier, Token name) {
    if (qualifier.kind == 0 && name.kind == TK_VARIABLE)
        return build_literal(p, AST_VARIABLE, name);
    AstExpr *expr = expr_new(p, AST_COLUMN, qualifier.kind != 0 ? qualifier.pos : name.pos);
    expr->qualifier = qualifier.kind != 0 ? build_name(p, qualifier) : NULL;
    expr->name = build_name(p, name);
    return expr;
}

AstExpr *build_deref(ParseContext *p, const AstExpr *base, Token name) {
    AstExpr *expr = expr_new(p, AST_DEREF, base->pos);
    expr->name = build_name(p, name);
    return expr_set_args(p, expr, build_exprs(p, NULL, base));
}

AstExpr *build_unary(ParseContext *p, AstExprKind kind, Token token, const AstExpr *operand) {
    return expr_set_args(p, expr_new(p, kind, token.pos), build_exprs(p, NULL, operand));
}

static bool is_unsigned_number(const AstExpr *expr) {
    return (expr->kind == AST_INTEGER || expr->kind == AST_DECIMAL || expr->kind == AST_DOUBLE) &&
           expr->text.data[0] != '-';
}

AstExpr *build_sign(ParseContext *p, Token sign, AstExpr *operand) {
    /* -1 is a literal, -(1) is not. */
    if (!is_unsigned_number(operand) || operand == p->paren)
        return build_unary(p, AST_NEGATE, sign, operand);
    operand->text = bytes_of(arena_printf(p->arena, "-%s", (const char *)operand->text.data));
    operand->pos = sign.pos;
    return operand;
}

AstExpr *build_binary(ParseContext *p, AstExprKind kind, AstOp op, const AstExpr *left,
                      const AstExpr *right) {
    AstExpr *expr = expr_new(p, kind, left->pos);
    expr->op = op;
    return expr_set_args(p, expr, build_pair(p, NULL, left, right));
}

AstExpr *build_predicate(ParseContext *p, AstExprKind kind, bool negated, const AstExpr *value,
                         const AstList *rest) {
    AstExpr *expr = expr_new(p, kind, value->pos);
    expr->negated = negated;
    AstList *args = build_exprs(p, NULL, value);
    const AstExpr *const *items = rest ? rest->items : NULL;
    for (uint32_t i = 0; rest && i < rest->count; i++)
        args = build_exprs(p, args, items[i]);
    return expr_set_args(p, expr, args);
}

AstExpr *build_like(ParseContext *p, bool negated, const AstExpr *value, const AstExpr *pattern,
                    Token escape) {
    AstExpr *expr = build_predicate(p, AST_LIKE, negated, value, build_exprs(p, NULL, pattern));
    expr->has_escape = escape.kind != 0;
    if (expr->has_escape)
        expr->text = build_text(p, escape);
    return expr;
}

AstExpr *build_at_zone(ParseContext *p, const AstExpr *value, Token zone) {
    AstExpr *expr = expr_new(p, AST_AT_ZONE, value->pos);
    expr->text = build_text(p, zone);
    return expr_set_args(p, expr, build_exprs(p, NULL, value));
}

AstExpr *build_constructor(ParseContext *p, AstExprKind kind, Token token, const AstList *args) {
    return expr_set_args(p, expr_new(p, kind, token.pos), args);
}

AstList *build_member(ParseContext *p, AstList *list, Token name, const AstExpr *value) {
    BuildMember *member = build_list_add(p, &list, sizeof *member);
    *member = (BuildMember){build_name(p, name), value};
    return list;
}

AstExpr *build_struct(ParseContext *p, Token token, const AstList *members) {
    AstExpr *expr = expr_new(p, AST_STRUCT, token.pos);
    AstList *names = NULL;
    AstList *args = NULL;
    const BuildMember *items = members ? members->items : NULL;
    for (uint32_t i = 0; members && i < members->count; i++) {
        names = build_names(p, names, items[i].name);
        args = build_exprs(p, args, items[i].value);
    }
    return expr_set_args(p, expr_set_names(expr, names), args);
}

AstExpr *build_cast(ParseContext *p, Token token, const AstExpr *value, const AstType *type) {
    AstExpr *expr = expr_new(p, AST_CAST, token.pos);
    expr->type = type;
    expr->depth = type->depth + 1;
    return expr_set_args(p, expr, build_exprs(p, NULL, value));
}

AstExpr *build_case(ParseContext *p, Token token, const AstExpr *operand, const AstList *whens,
                    const AstExpr *otherwise) {
    AstExpr *expr = expr_new(p, AST_CASE, token.pos);
    expr->has_operand = operand != NULL;
    expr->has_else = otherwise != NULL;
    AstList *args = operand ? build_exprs(p, NULL, operand) : NULL;
    assert(whens->count >= 2 && whens->count % 2 == 0);
    const AstExpr *const *items = whens->items;
    for (uint32_t i = 0; i < whens->count; i++)
        args = build_exprs(p, args, items[i]);
    if (otherwise)
        args = build_exprs(p, args, otherwise);
    return expr_set_args(p, expr, args);
}

AstExpr *build_call(ParseContext *p, Token name, const AstList *args, bool star) {
    AstExpr *expr = expr_new(p, AST_CALL, name.pos);
    expr->name = build_name(p, name);
    expr->star = star;
    return expr_set_args(p, expr, args);
}

/* COUNT(DISTINCT x): an aggregate of its own. */
AstExpr *build_distinct(ParseContext *p, Token name, const AstExpr *expr) {
    AstExpr *call = build_call(p, name, build_exprs(p, NULL, expr), false);
    if (strcmp(call->name, "COUNT") != 0)
        build_fail(p, name.pos, "DISTINCT inside a function is for COUNT(DISTINCT x) only");
    call->name = "COUNT_DISTINCT";
    return call;
}

/* DAY, HOUR, MINUTE and SECOND may be names; alone and bare as an argument they are units. */
AstExpr *build_argument(ParseContext *p, AstExpr *expr) {
    if (expr->kind != AST_COLUMN || expr->qualifier || expr == p->paren)
        return expr;
    const Keyword *keyword = keyword_find(bytes_of(expr->name));
    uint8_t first = p->script.data[expr->pos.offset];
    if (keyword && keyword->token == TK_UNIT && first != '`' && first != '"')
        expr->kind = AST_UNIT;
    return expr;
}

AstExpr *build_unit(ParseContext *p, Token unit) {
    AstExpr *expr = expr_new(p, AST_UNIT, unit.pos);
    expr->name = build_name(p, unit);
    return expr;
}

AstExpr *build_lambda(ParseContext *p, Token first, const AstList *names, const AstExpr *body) {
    assert(names->count > 0);
    AstExpr *expr = expr_set_names(expr_new(p, AST_LAMBDA, first.pos), names);
    return expr_set_args(p, expr, build_exprs(p, NULL, body));
}

const char *build_lambda_name(ParseContext *p, const AstExpr *expr) {
    if (expr->kind == AST_COLUMN && !expr->qualifier && expr != p->paren)
        return expr->name;
    build_fail(p, expr->pos, "A lambda's parameter must be a name");
    return "";
}

AstExpr *build_paren(ParseContext *p, AstExpr *expr) {
    p->paren = expr;
    return expr;
}
