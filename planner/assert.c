/*
 * assert.c - ASSERT VALUES and ASSERT NULL VALUES: what the next record of a source is to hold.
 *
 * Values are bound as INSERT VALUES binds them. Unlike there a column may be left out, which means
 * any value, and the pseudo columns ROWTIME, WINDOWSTART and WINDOWEND may be named.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

/* The expression of a pseudo column; NULL: `name` is none. */
static const Expr **assert_pseudo(Planned *planned, const char *name) {
    assert(planned && name);
    return strcmp(name, "ROWTIME") == 0       ? &planned->rowtime
           : strcmp(name, "WINDOWSTART") == 0 ? &planned->window_start
           : strcmp(name, "WINDOWEND") == 0   ? &planned->window_end
                                              : NULL;
}

/* Binds value `index` to the column that is named for it, or stands in its place. */
static ErrCode assert_value(const Planner *planner, uint32_t index, Planned *planned,
                            const Expr **values, Err *err) {
    const AstStatement *statement = planner->statement;
    const Schema *schema = planned->target->topic.schema;
    bool named = statement->name_count > 0;
    const char *name = named ? statement->names[index] : schema->columns[index].name;
    AstPos pos = named ? statement->name_poses[index] : statement->name_pos;
    const Expr **value = assert_pseudo(planned, name);
    const Type *type = &type_bigint;
    if (!value) {
        int32_t column = schema_find(schema, name);
        if (column < 0)
            return values_column_unknown(planner, schema, name, pos, err);
        if (statement->kind == AST_ASSERT_NULL_VALUES && (uint32_t)column >= schema->key_count)
            return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                              "ASSERT NULL VALUES takes key columns only: %s is none.",
                              planner_name(planner, name));
        value = &values[column];
        type = schema->columns[column].type;
    }
    if (*value)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column, "Column %s is given twice.",
                          planner_name(planner, name));
    return values_bind(planner, statement->values[index], name, type, value, err);
}

ErrCode plan_assert_values(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    const AstStatement *statement = planner->statement;
    TRY(planner_source(planner, statement->name, statement->name_pos, &planned->target, err));
    const Schema *schema = planned->target->topic.schema;
    bool named = statement->name_count > 0, keys = statement->kind == AST_ASSERT_NULL_VALUES;
    uint32_t count = named  ? statement->name_count
                     : keys ? schema->key_count
                            : schema->column_count;
    if (count != statement->value_count)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Expected number columns and values to match: %u, %u", count,
                          statement->value_count);
    const Expr **values = arena_array(planner->arena, schema->column_count, sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        TRY(assert_value(planner, i, planned, values, err));
    planned->kind = PLANNED_ASSERT_VALUES;
    planned->values = values;
    return ERR_OK;
}
