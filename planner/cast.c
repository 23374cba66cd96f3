/*
 * cast.c - casts of bound expressions; those of literals are done now where the result is plain.
 *
 * What a literal becomes is what EXPR_CAST would make of it at run time; where that fails, or is
 * long-winded (nested types, BYTES), the cast stays in the plan.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "data/number_text.h"
#include "data/time_text.h"
#include "planner/planner_impl.h"

static Decimal literal_decimal(const Column *column) {
    return decimal_load(column->data, column->type->precision);
}

static const Expr *decimal_literal(const Planner *planner, Decimal value, const Type *type) {
    Expr *expr = expr_literal(planner->arena, type);
    decimal_store(expr->literal->data, type->precision, value);
    return expr;
}

/* An integer as any number. */
static const Expr *cast_integer(const Planner *planner, int64_t value, const Type *type) {
    Decimal decimal;
    Expr *expr;
    switch (type->kind) {
    case TYPE_INT:
        expr = expr_literal(planner->arena, type);
        expr->literal->i32[0] = (int32_t)(uint32_t)(uint64_t)value;
        return expr;
    case TYPE_BIGINT:
        expr = expr_literal(planner->arena, type);
        expr->literal->i64[0] = value;
        return expr;
    case TYPE_DOUBLE:
        expr = expr_literal(planner->arena, type);
        expr->literal->f64[0] = (double)value;
        return expr;
    case TYPE_DECIMAL:
        if (!decimal_rescale_round(decimal_from_i64(value), 0, type->scale, type->precision,
                                   &decimal))
            return NULL;
        return decimal_literal(planner, decimal, type);
    default:
        return NULL;
    }
}

static const Expr *cast_decimal(const Planner *planner, const Column *from, const Type *type) {
    Decimal value = literal_decimal(from), result;
    if (type->kind == TYPE_INT || type->kind == TYPE_BIGINT)
        return cast_integer(planner, decimal_to_i64(value, from->type->scale), type);
    if (type->kind == TYPE_DECIMAL)
        return decimal_rescale_round(value, from->type->scale, type->scale, type->precision,
                                     &result)
                   ? decimal_literal(planner, result, type)
                   : NULL;
    if (type->kind != TYPE_DOUBLE)
        return NULL;
    Expr *expr = expr_literal(planner->arena, type);
    expr->literal->f64[0] = decimal_to_double(value, from->type->scale);
    return expr;
}

static const Expr *cast_double(const Planner *planner, double value, const Type *type) {
    Decimal decimal;
    if (type->kind != TYPE_DECIMAL || !isfinite(value) ||
        !decimal_from_double(value, type->precision, type->scale, &decimal))
        return NULL;
    return decimal_literal(planner, decimal, type);
}

static Bytes text_trimmed(Bytes text) {
    while (text.size > 0 && text.data[0] <= ' ')
        text = (Bytes){text.data + 1, text.size - 1};
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    return text;
}

static const Expr *cast_text_number(const Planner *planner, Bytes text, const Type *type) {
    Expr *expr = expr_literal(planner->arena, type);
    Decimal value, rescaled;
    uint32_t precision, scale;
    int64_t integer;
    switch (type->kind) {
    case TYPE_INT:
        if (!number_parse_i64(text, &integer) || integer < INT32_MIN || integer > INT32_MAX)
            return NULL;
        expr->literal->i32[0] = (int32_t)integer;
        return expr;
    case TYPE_BIGINT:
        return number_parse_i64(text, &expr->literal->i64[0]) ? expr : NULL;
    case TYPE_DOUBLE:
        return number_parse_double(text, &expr->literal->f64[0]) ? expr : NULL;
    default:
        if (!decimal_parse(text, &value, &precision, &scale) ||
            !decimal_rescale_round(value, scale, type->scale, type->precision, &rescaled))
            return NULL;
        return decimal_literal(planner, rescaled, type);
    }
}

static const Expr *cast_text(const Planner *planner, Bytes text, const Type *type) {
    text = text_trimmed(text);
    if (type_is_number(type))
        return cast_text_number(planner, text, type);
    if (type->kind != TYPE_TIMESTAMP && type->kind != TYPE_DATE && type->kind != TYPE_TIME)
        return NULL;
    Expr *expr = expr_literal(planner->arena, type);
    bool fits = type->kind == TYPE_TIMESTAMP ? time_parse_timestamp(text, expr->literal->i64)
                : type->kind == TYPE_DATE    ? time_parse_date(text, expr->literal->i32)
                                             : time_parse_time(text, expr->literal->i32);
    return fits ? expr : NULL;
}

/* Any scalar literal as text. */
static const Expr *cast_to_text(const Planner *planner, const Column *from) {
    Buf buf = {0};
    switch (from->type->kind) {
    case TYPE_BOOLEAN: buf_text(&buf, from->boolean[0] ? "true" : "false"); break;
    case TYPE_INT: number_print_i64(&buf, from->i32[0]); break;
    case TYPE_BIGINT: number_print_i64(&buf, from->i64[0]); break;
    case TYPE_DOUBLE: number_print_double(&buf, from->f64[0]); break;
    case TYPE_DECIMAL: decimal_print(&buf, literal_decimal(from), from->type->scale); break;
    case TYPE_TIMESTAMP: time_print_timestamp(&buf, from->i64[0]); break;
    case TYPE_DATE: time_print_date(&buf, from->i32[0]); break;
    case TYPE_TIME: time_print_time(&buf, from->i32[0]); break;
    default: return NULL;
    }
    const Expr *expr = expr_string(planner->arena, buf_view(&buf));
    buf_free(&buf);
    return expr;
}

const Expr *cast_literal(const Planner *planner, const Expr *expr, const Type *type) {
    assert(expr->kind == EXPR_LITERAL);
    if (expr_is_null(expr))
        return expr_null(planner->arena, type);
    const Column *from = expr->literal;
    if (type_equal(from->type, type))
        return expr;
    if (type->kind == TYPE_STRING)
        return cast_to_text(planner, from);
    switch (from->type->kind) {
    case TYPE_INT: return cast_integer(planner, from->i32[0], type);
    case TYPE_BIGINT: return cast_integer(planner, from->i64[0], type);
    case TYPE_DECIMAL: return cast_decimal(planner, from, type);
    case TYPE_DOUBLE: return cast_double(planner, from->f64[0], type);
    case TYPE_STRING: return cast_text(planner, from->bytes[0], type);
    default: return NULL;
    }
}

const Expr *cast_to(const Planner *planner, const Expr *expr, const Type *type) {
    assert(type->kind != TYPE_NULL);
    if (type_equal(expr->type, type))
        return expr;
    if (expr->kind == EXPR_LITERAL) {
        const Expr *literal = cast_literal(planner, expr, type);
        if (literal) {
            Expr *copy = arena_alloc(planner->arena, sizeof *copy);
            *copy = *literal;
            copy->text = expr->text;
            return copy;
        }
    }
    Expr *cast = expr_new(planner->arena, EXPR_CAST, type, &expr, 1);
    cast->text = expr->text;
    return cast;
}
