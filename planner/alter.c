/*
 * alter.c - ALTER STREAM and ALTER TABLE: value columns added at the end.
 *
 * Only what a CREATE declared can be altered. Queries keep the columns they were made with.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

static ErrCode alter_fails(const Planner *planner, Err *err, const char *text) {
    AstPos pos = planner->statement->name_pos;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column, "%s", text);
}

static ErrCode alter_target(const Planner *planner, const Source **target, Err *err) {
    const AstStatement *statement = planner->statement;
    const char *asked = statement->is_table ? "table" : "stream";
    TRY(planner_source(planner, statement->name, statement->name_pos, target, err));
    const Source *source = *target;
    const char *kind = source->is_table ? "table" : "stream";
    if (source->is_table != statement->is_table)
        return alter_fails(planner, err,
                           arena_printf(planner->arena,
                                        "Incompatible data source type is %s, but statement was "
                                        "ALTER %s",
                                        kind, asked));
    if (source->is_read_only)
        return alter_fails(planner, err,
                           arena_printf(planner->arena,
                                        "Cannot alter %s '%s': ALTER operations are not supported "
                                        "on source %ss.",
                                        kind, source->name, kind));
    if (source->datagen)
        return alter_fails(planner, err,
                           "Columns cannot be added to a generated source: DROP it, and CREATE it "
                           "with them.");
    if (source->query_id)
        return alter_fails(planner, err,
                           "ALTER command is not supported for CREATE ... AS statements.");
    return ERR_OK;
}

static ErrCode alter_add(const Planner *planner, const AstColumnDef *def, Schema *schema,
                         SchemaColumn *columns, Err *err) {
    TRY(create_column_name(def, err));
    if (schema_find(schema, def->name) >= 0)
        return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                          "Cannot add column `%s` to schema. A column with the same name already "
                          "exists.",
                          def->name);
    if (schema->column_count >= COLUMNS_MAX)
        return err_set_at(err, ERR_LIMIT, def->pos.line, def->pos.column,
                          "A source has %d columns at most.", COLUMNS_MAX);
    SchemaColumn *column = &columns[schema->column_count];
    *column = (SchemaColumn){.name = def->name, .role = COLUMN_VALUE};
    TRY(type_resolve(planner, def->type, &column->type, err));
    schema->column_count++;
    return ERR_OK;
}

static ErrCode alter_schema(const Planner *planner, const Schema *old, const Schema **schema,
                            Err *err) {
    const AstStatement *statement = planner->statement;
    assert(statement->column_count > 0);
    Schema *made = arena_alloc(planner->arena, sizeof *made);
    SchemaColumn *columns = arena_array(planner->arena,
                                        old->column_count + statement->column_count,
                                        sizeof *columns);
    memcpy(columns, old->columns, old->column_count * sizeof *columns);
    *made = (Schema){columns, old->column_count, old->key_count};
    for (uint32_t i = 0; i < statement->column_count; i++)
        TRY(alter_add(planner, &statement->columns[i], made, columns, err));
    *schema = made;
    return ERR_OK;
}

ErrCode plan_alter(Planner *planner, Planned *planned, Err *err) {
    const Source *target;
    TRY(alter_target(planner, &target, err));
    Source *source = arena_alloc(planner->arena, sizeof *source);
    *source = *target;
    TRY(alter_schema(planner, target->topic.schema, &source->topic.schema, err));
    TRY(formats_recheck(planner, &source->topic, err));
    source->statement = arena_printf(planner->arena, "%s;\n%s", target->statement,
                                     planner_statement(planner));
    planned->kind = PLANNED_ALTER;
    planned->source = source;
    return ERR_OK;
}
