/*
 * bind_nested.c - CASE, CAST, and what makes and opens nested values.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

/* -- CASE -------------------------------------------------------------------------------------- */

static ErrCode case_fails(const AstExpr *ast, const char *text, Err *err) {
    return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column, "Invalid Case expression. %s",
                      text);
}

/* The one type of all branches; branches of NULL take it. */
static ErrCode case_type(const AstExpr *ast, const Expr *const *args, uint32_t count,
                         const Type **type, Err *err) {
    *type = NULL;
    for (uint32_t i = 1; i <= count; i += 2) {
        bool otherwise = i == count; /* the last one is ELSE */
        const Type *branch = args[otherwise ? count - 1 : i]->type;
        if (branch->kind == TYPE_NULL)
            continue;
        if (*type && !type_equal(*type, branch))
            return case_fails(ast,
                              otherwise ? "Type for the default clause should be the same as for "
                                          "'THEN' clauses."
                                        : "Type for all 'THEN' clauses should be the same.",
                              err);
        *type = branch;
    }
    return *type ? ERR_OK : case_fails(ast, "All case branches have NULL type", err);
}

ErrCode bind_case(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_CASE && ast->arg_count >= 2);
    const Planner *planner = binder->planner;
    if (ast->has_operand)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "CASE with an operand is not part of the language: write CASE WHEN x = "
                          "1 THEN ... END.");
    size_t table_count = binder->tables ? binder->tables->met : 0;
    const Expr **bound;
    TRY(bind_args(binder, ast, &bound, err));
    if (binder->tables && binder->tables->met > table_count)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Table functions cannot be used in CASE: %s",
                          planner_expr(planner, ast));
    uint32_t count = ast->arg_count + (ast->has_else ? 0 : 1);
    const Expr **args = arena_array(planner->arena, count, sizeof *args);
    memcpy(args, bound, ast->arg_count * sizeof *args);
    if (!ast->has_else)
        args[count - 1] = expr_null(planner->arena, &type_null);
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        if (args[i]->type->kind == TYPE_NULL)
            args[i] = expr_null(planner->arena, &type_boolean);
        if (args[i]->type->kind != TYPE_BOOLEAN)
            return case_fails(ast, "WHEN must be a BOOLEAN.", err);
    }
    const Type *type;
    TRY(case_type(ast, args, count, &type, err));
    for (uint32_t i = 1; i <= count; i += 2)
        args[i == count ? count - 1 : i] = cast_to(planner, args[i == count ? count - 1 : i], type);
    *expr = expr_new(planner->arena, EXPR_CASE, type, args, count);
    return ERR_OK;
}

/* -- CAST -------------------------------------------------------------------------------------- */

ErrCode bind_cast(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_CAST && ast->type);
    const Planner *planner = binder->planner;
    const Expr *arg;
    const Type *type;
    TRY(bind_expr(binder, ast->args[0], &arg, err));
    TRY(type_resolve(planner, ast->type, &type, err));
    if (!type_castable(arg->type, type))
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Cast of %s to %s is not supported", type_text(planner->arena, arg->type),
                          type_text(planner->arena, type));
    *expr = cast_to(planner, arg, type);
    return ERR_OK;
}

/* -- Opening ----------------------------------------------------------------------------------- */

ErrCode bind_subscript(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_SUBSCRIPT && ast->arg_count == 2);
    const Planner *planner = binder->planner;
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    const Type *type = args[0]->type;
    if (type->kind == TYPE_STRUCT)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "%s is a STRUCT: its fields are read with '->', not with '[]'.",
                          args[0]->text);
    if (type->kind != TYPE_ARRAY && type->kind != TYPE_MAP)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "UnsupportedSubscript: %s (%s) is neither an ARRAY nor a MAP.",
                          args[0]->text, type_text(planner->arena, type));
    const Type *index = type->kind == TYPE_MAP ? type->fields[0].type : &type_int;
    bool number = type->kind == TYPE_ARRAY && args[1]->type->kind == TYPE_BIGINT;
    if (!number && args[1]->type->kind != TYPE_NULL && !type_equal(args[1]->type, index))
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "The index of %s must be %s, but %s is %s.", args[0]->text,
                          type_text(planner->arena, index), args[1]->text,
                          type_text(planner->arena, args[1]->type));
    args[1] = cast_to(planner, args[1], index);
    *expr = expr_new(planner->arena, EXPR_SUBSCRIPT, type->fields[type->field_count - 1].type,
                     args, 2);
    return ERR_OK;
}

static ErrCode deref_fails(const Planner *planner, const AstExpr *ast, const Type *type, Err *err) {
    const char **names = arena_array(planner->arena, type->field_count, sizeof *names);
    for (uint32_t i = 0; i < type->field_count; i++)
        names[i] = type->fields[i].name;
    return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                      "Could not find field '%s' in '%s'.%s", ast->name,
                      planner_expr(planner, ast->args[0]),
                      planner_nearest(planner, ast->name, names, type->field_count));
}

ErrCode bind_deref(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_DEREF && ast->name);
    const Planner *planner = binder->planner;
    const Expr *arg;
    TRY(bind_expr(binder, ast->args[0], &arg, err));
    if (arg->type->kind != TYPE_STRUCT)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Expected STRUCT type for '->', but %s is %s.", arg->text,
                          type_text(planner->arena, arg->type));
    uint32_t field = 0;
    while (field < arg->type->field_count &&
           strcmp(arg->type->fields[field].name, ast->name) != 0)
        field++;
    if (field == arg->type->field_count)
        return deref_fails(planner, ast, arg->type, err);
    Expr *made = expr_new(planner->arena, EXPR_DEREF, arg->type->fields[field].type, &arg, 1);
    made->column = field;
    *expr = made;
    return ERR_OK;
}

/* -- Constructors ------------------------------------------------------------------------------ */

ErrCode bind_array(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_ARRAY);
    const Planner *planner = binder->planner;
    const Expr **args;
    const Type *type;
    TRY(bind_args(binder, ast, &args, err));
    if (ast->arg_count == 0)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Array constructor cannot be empty. Please supply at least one element "
                          "(see https://github.com/confluentinc/ksql/issues/4239).");
    TRY(coerce_list(planner, args, ast->arg_count, &type, err));
    if (!type)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Cannot construct an array with all NULL elements (see "
                          "https://github.com/confluentinc/ksql/issues/4239). As a workaround, "
                          "you may cast a NULL value to the desired type.");
    *expr = expr_new(planner->arena, EXPR_ARRAY, type_array(planner->arena, type), args,
                     ast->arg_count);
    return ERR_OK;
}

/* Every second argument of MAP() from `first`, brought to one type. */
static ErrCode map_side(const Planner *planner, const AstExpr *ast, const Expr **args,
                        const Type **type, uint32_t first, Err *err) {
    uint32_t count = ast->arg_count / 2;
    const Expr **side = arena_array(planner->arena, count, sizeof *side);
    for (uint32_t i = 0; i < count; i++)
        side[i] = args[2 * i + first];
    assert(first < 2);
    TRY(coerce_list(planner, side, count, type, err));
    if (!*type)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Cannot construct a map with all NULL %s (see "
                          "https://github.com/confluentinc/ksql/issues/4239). As a workaround, "
                          "you may cast a NULL %s to the desired type.",
                          first == 0 ? "keys" : "values", first == 0 ? "key" : "value");
    for (uint32_t i = 0; i < count; i++)
        args[2 * i + first] = side[i];
    return ERR_OK;
}

ErrCode bind_map(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_MAP);
    const Planner *planner = binder->planner;
    const Expr **args;
    const Type *key, *value;
    TRY(bind_args(binder, ast, &args, err));
    if (ast->arg_count == 0)
        return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                          "Map constructor cannot be empty. Please supply at least one key value "
                          "pair (see https://github.com/confluentinc/ksql/issues/4239).");
    assert(ast->arg_count % 2 == 0);
    TRY(map_side(planner, ast, args, &key, 0, err));
    TRY(map_side(planner, ast, args, &value, 1, err));
    *expr = expr_new(planner->arena, EXPR_MAP, type_map(planner->arena, key, value), args,
                     ast->arg_count);
    return ERR_OK;
}

ErrCode bind_struct(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    const Expr **args;
    assert(ast->kind == AST_STRUCT && ast->name_count == ast->arg_count);
    if (ast->name_count > COLUMNS_MAX)
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "A STRUCT has %d fields at most.", COLUMNS_MAX);
    for (uint32_t i = 0; i < ast->name_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(ast->names[i], ast->names[j]) == 0)
                return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                                  "Duplicate field names found in STRUCT: '%s'",
                                  planner_expr(planner, ast));
        }
    }
    TRY(bind_args(binder, ast, &args, err));
    TypeField *fields = arena_array(planner->arena, ast->arg_count, sizeof *fields);
    for (uint32_t i = 0; i < ast->arg_count; i++)
        fields[i] = (TypeField){ast->names[i], args[i]->type};
    *expr = expr_new(planner->arena, EXPR_STRUCT,
                     type_struct(planner->arena, fields, ast->arg_count), args, ast->arg_count);
    return ERR_OK;
}
