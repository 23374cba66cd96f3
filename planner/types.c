/*
 * types.c - types as written to types, and what may become what.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

static const struct TypeName {
    const char *name;
    TypeKind kind;
} type_names[] = {
    {"BOOLEAN", TYPE_BOOLEAN}, {"INT", TYPE_INT},       {"INTEGER", TYPE_INT},
    {"BIGINT", TYPE_BIGINT},   {"DOUBLE", TYPE_DOUBLE}, {"STRING", TYPE_STRING},
    {"VARCHAR", TYPE_STRING},  {"BYTES", TYPE_BYTES},   {"TIME", TYPE_TIME},
    {"DATE", TYPE_DATE},       {"TIMESTAMP", TYPE_TIMESTAMP},
};

enum { TYPE_NAMES = sizeof type_names / sizeof *type_names };

static ErrCode type_resolve_named(const Planner *planner, const AstType *ast, const Type **type,
                                  Err *err) {
    for (int i = 0; i < TYPE_NAMES; i++) {
        if (strcmp(type_names[i].name, ast->name) == 0) {
            *type = type_scalar(type_names[i].kind);
            return ERR_OK;
        }
    }
    const PlannerHost *host = planner->host;
    *type = host->custom_type ? host->custom_type(host->context, ast->name) : NULL;
    if (*type)
        return ERR_OK;
    const char *names[TYPE_NAMES];
    for (int i = 0; i < TYPE_NAMES; i++)
        names[i] = type_names[i].name;
    return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                      "Cannot resolve unknown type: %s.%s", planner_name(planner, ast->name),
                      planner_nearest(planner, ast->name, names, TYPE_NAMES));
}

static ErrCode type_resolve_depth(const Planner *planner, const AstType *ast, uint32_t depth,
                                  const Type **type, Err *err);

static ErrCode type_resolve_fields(const Planner *planner, const AstType *ast, uint32_t depth,
                                   const Type **type, Err *err) {
    assert(ast->kind != AST_TYPE_NAMED && ast->kind != AST_TYPE_DECIMAL);
    if (ast->field_count > COLUMNS_MAX)
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "A STRUCT has %d fields at most.", COLUMNS_MAX);
    TypeField *fields = arena_array(planner->arena, ast->field_count, sizeof *fields);
    for (uint32_t i = 0; i < ast->field_count; i++) {
        fields[i].name = ast->fields[i].name;
        TRY(type_resolve_depth(planner, ast->fields[i].type, depth + 1, &fields[i].type, err));
        for (uint32_t j = 0; j < i && ast->kind == AST_TYPE_STRUCT; j++) {
            if (strcmp(fields[j].name, fields[i].name) == 0)
                return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                                  "Duplicate field names found in STRUCT: %s",
                                  planner_name(planner, fields[i].name));
        }
    }
    if (ast->kind == AST_TYPE_ARRAY)
        *type = type_array(planner->arena, fields[0].type);
    else if (ast->kind == AST_TYPE_MAP)
        *type = type_map(planner->arena, fields[0].type, fields[1].type);
    else
        *type = type_struct(planner->arena, fields, ast->field_count);
    return ERR_OK;
}

static ErrCode type_resolve_depth(const Planner *planner, const AstType *ast, uint32_t depth,
                                  const Type **type, Err *err) {
    if (depth > ROW_NESTING_MAX)
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "Types may be nested %d deep at most.", ROW_NESTING_MAX);
    if (ast->kind == AST_TYPE_NAMED)
        return type_resolve_named(planner, ast, type, err);
    if (ast->kind != AST_TYPE_DECIMAL)
        return type_resolve_fields(planner, ast, depth, type, err);
    ErrCode code = type_decimal(planner->arena, ast->precision, ast->scale, type, err);
    if (code != ERR_OK) {
        err->line = ast->pos.line;
        err->column = ast->pos.column;
    }
    return code;
}

ErrCode type_resolve(const Planner *planner, const AstType *ast, const Type **type, Err *err) {
    assert(ast);
    return type_resolve_depth(planner, ast, 0, type, err);
}

const char *type_base_name(const Type *type) {
    static const char *const names[] = {
        [TYPE_NULL] = "null",      [TYPE_BOOLEAN] = "BOOLEAN", [TYPE_INT] = "INTEGER",
        [TYPE_BIGINT] = "BIGINT",  [TYPE_DECIMAL] = "DECIMAL", [TYPE_DOUBLE] = "DOUBLE",
        [TYPE_STRING] = "STRING",  [TYPE_ARRAY] = "ARRAY",     [TYPE_MAP] = "MAP",
        [TYPE_STRUCT] = "STRUCT",  [TYPE_TIME] = "TIME",       [TYPE_DATE] = "DATE",
        [TYPE_TIMESTAMP] = "TIMESTAMP", [TYPE_BYTES] = "BYTES",
    };
    assert(type->kind < sizeof names / sizeof *names);
    return names[type->kind];
}

bool type_contains(const Type *type, TypeKind kind) {
    if (type->kind == kind)
        return true;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type_contains(type->fields[i].type, kind))
            return true;
    }
    return false;
}

static bool type_castable_struct(const Type *from, const Type *to) {
    for (uint32_t i = 0; i < to->field_count; i++) {
        for (uint32_t j = 0; j < from->field_count; j++) {
            if (strcmp(to->fields[i].name, from->fields[j].name) == 0 &&
                !type_castable(from->fields[j].type, to->fields[i].type))
                return false;
        }
    }
    return true;
}

bool type_castable(const Type *from, const Type *to) {
#define TO(kind) (1U << TYPE_##kind)
    static const unsigned allowed[] = {
        [TYPE_NULL] = ~0U,
        [TYPE_BOOLEAN] = TO(STRING),
        [TYPE_INT] = TO(BIGINT) | TO(DECIMAL) | TO(DOUBLE) | TO(STRING),
        [TYPE_BIGINT] = TO(INT) | TO(DECIMAL) | TO(DOUBLE) | TO(STRING),
        [TYPE_DECIMAL] = TO(INT) | TO(BIGINT) | TO(DECIMAL) | TO(DOUBLE) | TO(STRING),
        [TYPE_DOUBLE] = TO(INT) | TO(BIGINT) | TO(DECIMAL) | TO(STRING),
        [TYPE_STRING] = TO(BOOLEAN) | TO(INT) | TO(BIGINT) | TO(DECIMAL) | TO(DOUBLE) |
                        TO(TIMESTAMP) | TO(TIME) | TO(DATE) | TO(BYTES),
        [TYPE_ARRAY] = TO(ARRAY) | TO(STRING),
        [TYPE_MAP] = TO(MAP) | TO(STRING),
        [TYPE_STRUCT] = TO(STRUCT) | TO(STRING),
        [TYPE_TIME] = TO(STRING),
        [TYPE_DATE] = TO(TIMESTAMP) | TO(STRING),
        [TYPE_TIMESTAMP] = TO(STRING) | TO(TIME) | TO(DATE),
        [TYPE_BYTES] = 0,
    };
#undef TO
    if (type_equal(from, to))
        return true;
    if (!(allowed[from->kind] >> to->kind & 1))
        return false;
    if (from->kind == TYPE_STRUCT && to->kind == TYPE_STRUCT)
        return type_castable_struct(from, to);
    if (type_is_nested(from) && from->kind == to->kind) {
        for (uint32_t i = 0; i < to->field_count; i++) {
            if (!type_castable(from->fields[i].type, to->fields[i].type))
                return false;
        }
    }
    return true;
}

bool type_implicit(const Type *from, const Type *to) {
    if (from->kind == TYPE_NULL || type_equal(from, to))
        return true;
    if (from->kind == TYPE_DECIMAL && to->kind == TYPE_DECIMAL)
        return from->scale <= to->scale &&
               from->precision - from->scale <= to->precision - to->scale;
    if (type_is_number(from) && type_is_number(to))
        return from->kind < to->kind;
    if (from->kind == TYPE_STRING)
        return to->kind == TYPE_TIME || to->kind == TYPE_DATE || to->kind == TYPE_TIMESTAMP ||
               to->kind == TYPE_BYTES;
    return false;
}

const Type *type_wider(const Planner *planner, const Type *left, const Type *right) {
    if (!type_is_number(left) || !type_is_number(right))
        return NULL;
    if (left->kind != TYPE_DECIMAL && right->kind != TYPE_DECIMAL)
        return left->kind >= right->kind ? left : right;
    if (left->kind == TYPE_DOUBLE || right->kind == TYPE_DOUBLE)
        return &type_double;
    uint32_t left_precision, left_scale, right_precision, right_scale;
    decimal_shape(left, &left_precision, &left_scale);
    decimal_shape(right, &right_precision, &right_scale);
    uint32_t whole = left_precision - left_scale > right_precision - right_scale
                         ? left_precision - left_scale
                         : right_precision - right_scale;
    uint32_t scale = left_scale > right_scale ? left_scale : right_scale;
    const Type *type;
    Err err;
    return type_decimal(planner->arena, whole + scale, scale, &type, &err) == ERR_OK ? type : NULL;
}
