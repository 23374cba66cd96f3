/*
 * coerce.c - ksqlDB's two sets of silent conversions, and the one type of a list.
 *
 * STRICT is for INSERT VALUES, key literals and expressions in lists, LAX for literals in lists.
 * The type of a list is folded from left to right: each item either becomes the type so far, or
 * what came before becomes the item's.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "data/number_text.h"
#include "planner/planner_impl.h"

/* BOOLEAN from text: a prefix of true, yes, false or no in any case; NULL for others. */
static const Expr *coerce_text_boolean(const Planner *planner, Bytes text) {
    static const char *const words[] = {"true", "yes", "false", "no"};
    for (uint32_t i = 0; i < 4 && text.size > 0; i++) {
        if (text.size <= strlen(words[i]) &&
            strncasecmp((const char *)text.data, words[i], text.size) == 0)
            return expr_boolean(planner->arena, i < 2);
    }
    return NULL;
}

/* A decimal literal only where it fits without rounding. */
static const Expr *coerce_decimal(const Planner *planner, const Column *from, const Type *type) {
    Decimal value;
    if (!decimal_rescale_exact(decimal_load(from->data, from->type->precision), from->type->scale,
                               type->scale, type->precision, &value))
        return NULL;
    Expr *expr = expr_literal(planner->arena, type);
    decimal_store(expr->literal->data, type->precision, value);
    return expr;
}

static bool coerce_strict_allowed(TypeKind from, TypeKind to) {
    if (from == TYPE_INT || from == TYPE_BIGINT || from == TYPE_DECIMAL)
        return to <= TYPE_DOUBLE && to >= from && to > TYPE_INT;
    if (from == TYPE_STRING)
        return to == TYPE_TIMESTAMP || to == TYPE_TIME || to == TYPE_DATE || to == TYPE_BYTES;
    return false;
}

static bool coerce_lax_allowed(TypeKind from, TypeKind to) {
    if (to == TYPE_STRING)
        return from != TYPE_ARRAY && from != TYPE_MAP && from != TYPE_STRUCT && from != TYPE_BYTES;
    return from == TYPE_STRING && (to == TYPE_BOOLEAN || (to >= TYPE_INT && to <= TYPE_DOUBLE));
}

static const Expr *coerce_literal(const Planner *planner, const Expr *expr, const Type *type,
                                  CoerceMode mode) {
    TypeKind from = expr->type->kind;
    bool lax = mode == COERCE_LAX && coerce_lax_allowed(from, type->kind);
    if (!lax && !coerce_strict_allowed(from, type->kind))
        return NULL;
    if (lax && type->kind == TYPE_BOOLEAN)
        return coerce_text_boolean(planner, expr->literal->bytes[0]);
    if (from == TYPE_DECIMAL && type->kind == TYPE_DECIMAL)
        return coerce_decimal(planner, expr->literal, type);
    if (type->kind == TYPE_BYTES)
        return cast_to(planner, expr, type);
    return cast_literal(planner, expr, type);
}

/* A constructor item by item; fields of a STRUCT by name, missing ones NULL. */
static const Expr *coerce_items(const Planner *planner, const Expr *expr, const Type *type,
                                CoerceMode mode) {
    Arena *arena = planner->arena;
    uint32_t count = expr->kind == EXPR_STRUCT ? type->field_count : expr->arg_count;
    const Expr **args = arena_array(arena, count, sizeof *args);
    for (uint32_t i = 0; i < count; i++) {
        const Expr *arg = expr->kind == EXPR_STRUCT ? NULL : expr->args[i];
        uint32_t field = expr->kind == EXPR_ARRAY ? 0 : expr->kind == EXPR_MAP ? i % 2 : i;
        const Type *to = type->fields[field].type;
        for (uint32_t j = 0; expr->kind == EXPR_STRUCT && j < expr->arg_count; j++) {
            if (strcmp(expr->type->fields[j].name, type->fields[i].name) == 0)
                arg = expr->args[j];
        }
        args[i] = arg ? coerce_expr(planner, arg, to, mode) : expr_null(arena, to);
        if (!args[i])
            return NULL;
    }
    Expr *made = expr_new(arena, expr->kind, type, args, count);
    made->text = expr->text;
    return made;
}

static bool coerce_type_allowed(const Type *from, const Type *to) {
    if (type_equal(from, to))
        return true;
    if (from->kind == TYPE_STRUCT && to->kind == TYPE_STRUCT) {
        for (uint32_t i = 0; i < from->field_count; i++) {
            for (uint32_t j = 0; j < to->field_count; j++) {
                if (strcmp(from->fields[i].name, to->fields[j].name) == 0 &&
                    !coerce_type_allowed(from->fields[i].type, to->fields[j].type))
                    return false;
            }
        }
        return true;
    }
    if (from->kind == to->kind && (from->kind == TYPE_ARRAY || from->kind == TYPE_MAP)) {
        for (uint32_t i = 0; i < from->field_count; i++) {
            if (!coerce_type_allowed(from->fields[i].type, to->fields[i].type))
                return false;
        }
        return true;
    }
    return coerce_strict_allowed(from->kind, to->kind);
}

const Expr *coerce_expr(const Planner *planner, const Expr *expr, const Type *type,
                        CoerceMode mode) {
    assert(expr && type);
    if (expr_is_null(expr))
        return expr_null(planner->arena, type);
    if (type_equal(expr->type, type))
        return expr;
    const Expr *result = NULL;
    if (expr->kind == EXPR_LITERAL)
        result = coerce_literal(planner, expr, type, mode);
    else if ((expr->kind == EXPR_ARRAY || expr->kind == EXPR_MAP || expr->kind == EXPR_STRUCT) &&
             expr->type->kind == type->kind)
        result = coerce_items(planner, expr, type, mode);
    else if (coerce_type_allowed(expr->type, type))
        result = cast_to(planner, expr, type);
    if (result && result->text != expr->text) {
        Expr *copy = arena_alloc(planner->arena, sizeof *copy);
        *copy = *result;
        copy->text = expr->text;
        result = copy;
    }
    return result;
}

/* -- The type of a list ------------------------------------------------------------------------ */

/* The narrowest number that a text is. */
static const Type *common_number_text(const Planner *planner, Bytes text) {
    int64_t integer;
    if (number_parse_i64(text, &integer))
        return integer >= INT32_MIN && integer <= INT32_MAX ? &type_int : &type_bigint;
    Decimal value;
    uint32_t precision, scale;
    const Type *type;
    Err ignored;
    if (!decimal_parse(text, &value, &precision, &scale) ||
        type_decimal(planner->arena, precision > scale ? precision : scale, scale, &type,
                     &ignored) != ERR_OK)
        return NULL;
    return type;
}

static ErrCode common_fails(const Planner *planner, const Type *type, const Expr *expr, Err *err) {
    return err_set(err, ERR_TYPE,
                   "operator does not exist: %s = %s (%s)\n"
                   "Hint: You might need to add explicit type casts.",
                   type_text(planner->arena, type), type_text(planner->arena, expr->type),
                   expr->text);
}

/* A part of a constructor does not fit: a text that does not read says so itself, else it is the
 * whole that does not. */
static ErrCode common_part_fails(const Planner *planner, const Type *type, const Expr *expr,
                                 Err *err) {
    bool text = strncmp(err->message, "invalid", 7) == 0;
    return text ? err->code : common_fails(planner, type, expr, err);
}

static ErrCode common_with(const Planner *planner, const Expr *expr, const Type **type, Err *err);

/* A text among numbers or truth values: the text must read as one. */
static ErrCode common_with_text(const Planner *planner, const Expr *expr, const Type **type,
                                Err *err) {
    Bytes text = expr->literal->bytes[0];
    const Type *found = (*type)->kind == TYPE_BOOLEAN
                            ? (coerce_text_boolean(planner, text) ? &type_boolean : NULL)
                            : common_number_text(planner, text);
    if (!found)
        return err_set(err, ERR_TYPE, "invalid input syntax for type %s: \"%.*s\".",
                       type_base_name(*type), (int)text.size, (const char *)text.data);
    if (found->kind != TYPE_BOOLEAN)
        *type = type_wider(planner, *type, found);
    return *type ? ERR_OK : err_set(err, ERR_LIMIT, "%s has too many digits.", expr->text);
}

/* Constructors: the types of their items, one by one. */
static ErrCode common_with_items(const Planner *planner, const Expr *expr, const Type **type,
                                 Err *err) {
    const Type *part[2] = {(*type)->fields[0].type,
                           (*type)->field_count > 1 ? (*type)->fields[1].type : NULL};
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const Expr *arg = expr->args[i];
        if (!expr_is_null(arg))
            TRY(common_with(planner, arg, &part[expr->kind == EXPR_MAP ? i % 2 : 0], err));
    }
    *type = expr->kind == EXPR_ARRAY ? type_array(planner->arena, part[0])
                                     : type_map(planner->arena, part[0], part[1]);
    return ERR_OK;
}

static ErrCode common_with_fields(const Planner *planner, const Expr *expr, const Type **type,
                                  Err *err) {
    const Type *into = *type;
    TypeField *fields = arena_array(planner->arena, into->field_count + expr->arg_count,
                                    sizeof *fields);
    uint32_t count = into->field_count;
    memcpy(fields, into->fields, count * sizeof *fields);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const TypeField *field = &expr->type->fields[i];
        uint32_t at = 0;
        while (at < count && strcmp(fields[at].name, field->name) != 0)
            at++;
        if (at == count)
            fields[count++] = *field;
        else if (!expr_is_null(expr->args[i]) &&
                 common_with(planner, expr->args[i], &fields[at].type, err) != ERR_OK)
            return common_part_fails(planner, into, expr, err);
    }
    *type = type_struct(planner->arena, fields, count);
    return ERR_OK;
}

/* *type becomes one that also `expr` can become. */
static ErrCode common_with(const Planner *planner, const Expr *expr, const Type **type, Err *err) {
    const Type *into = *type;
    if (type_equal(into, expr->type))
        return ERR_OK;
    if (expr->kind == EXPR_STRUCT && into->kind == TYPE_STRUCT)
        return common_with_fields(planner, expr, type, err);
    if ((expr->kind == EXPR_ARRAY && into->kind == TYPE_ARRAY) ||
        (expr->kind == EXPR_MAP && into->kind == TYPE_MAP)) {
        ErrCode code = common_with_items(planner, expr, type, err);
        return code == ERR_OK ? code : common_part_fails(planner, into, expr, err);
    }
    bool literal = expr->kind == EXPR_LITERAL;
    if (literal && expr->type->kind == TYPE_STRING &&
        (type_is_number(into) || into->kind == TYPE_BOOLEAN))
        return common_with_text(planner, expr, type, err);
    const Type *wider = type_wider(planner, into, expr->type);
    if (wider) {
        *type = wider;
        return ERR_OK;
    }
    if (coerce_type_allowed(expr->type, into) ||
        (literal && coerce_lax_allowed(expr->type->kind, into->kind)))
        return ERR_OK;
    if (!coerce_type_allowed(into, expr->type))
        return common_fails(planner, into, expr, err);
    *type = expr->type;
    return ERR_OK;
}

ErrCode coerce_list(const Planner *planner, const Expr **exprs, uint32_t count, const Type **type,
                    Err *err) {
    *type = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (exprs[i]->type->kind == TYPE_NULL)
            continue;
        if (!*type)
            *type = exprs[i]->type;
        else
            TRY(common_with(planner, exprs[i], type, err));
    }
    for (uint32_t i = 0; *type && i < count; i++) {
        const Expr *item = coerce_expr(planner, exprs[i], *type, COERCE_LAX);
        if (!item && exprs[i]->kind == EXPR_LITERAL && exprs[i]->type->kind == TYPE_STRING)
            return err_set(err, ERR_TYPE, "invalid input syntax for type %s: \"%.*s\".",
                           type_base_name(*type), (int)exprs[i]->literal->bytes[0].size,
                           (const char *)exprs[i]->literal->bytes[0].data);
        if (!item)
            return common_fails(planner, *type, exprs[i], err);
        exprs[i] = item;
    }
    return ERR_OK;
}
