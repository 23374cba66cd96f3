/*
 * flat_map.c - the table functions of a select list become one node in front of the projection.
 *
 * The binder left columns past all real ones in their place. The node's rows are the input's
 * columns and one column a call; the select items then read those.
 */
#include <assert.h>

#include "planner/planner_impl.h"

static ErrCode flat_map_allowed(const Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    if (draft->aggregates.count > 0 || ast->group_by_count > 0)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Table functions cannot be used with aggregations.");
    if (draft->top->is_table)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Table source is not supported with table functions");
    return ERR_OK;
}

static const Schema *flat_map_schema(const Draft *draft) {
    Arena *arena = draft->planner->arena;
    const Schema *input = draft->top->schema;
    Schema *schema = arena_alloc(arena, sizeof *schema);
    uint32_t count = input->column_count + (uint32_t)draft->tables.count;
    SchemaColumn *columns = arena_array(arena, count, sizeof *columns);
    for (uint32_t i = 0; i < input->column_count; i++)
        columns[i] = input->columns[i];
    for (uint32_t i = input->column_count; i < count; i++) {
        uint32_t number = i - input->column_count;
        columns[i] = (SchemaColumn){.name = arena_printf(arena, "KSQL_SYNTH_%u", number),
                                    .type = draft->tables.calls[number].type,
                                    .role = COLUMN_VALUE};
    }
    *schema = (Schema){columns, count, input->key_count};
    return schema;
}

typedef struct FlatMapColumns {
    Arena *arena;
    uint32_t first; /* column of call number 0 */
} FlatMapColumns;

static const Expr *flat_map_column(void *context, const Expr *expr) {
    const FlatMapColumns *columns = context;
    if (expr->kind != EXPR_COLUMN || expr->column < TABLE_COLUMN)
        return NULL;
    return expr_column(columns->arena, columns->first + expr->column - TABLE_COLUMN, expr->type,
                       expr->text);
}

ErrCode draft_flat_map(Draft *draft, Err *err) {
    Arena *arena = draft->planner->arena;
    const TableCalls *tables = &draft->tables;
    if (tables->count == 0)
        return ERR_OK;
    TRY(flat_map_allowed(draft, err));
    FlatMapColumns columns = {arena, draft->top->schema->column_count};
    PlanTableCall *calls = arena_array(arena, tables->count, sizeof *calls);
    for (size_t i = 0; i < tables->count; i++)
        calls[i] = tables->calls[i].call;
    const Schema *schema = flat_map_schema(draft);
    PlanNode *node = draft_add(draft, PLAN_FLAT_MAP, "FlatMap", draft->top);
    node->schema = schema;
    node->table_calls = calls;
    node->table_call_count = (uint32_t)tables->count;
    for (size_t i = 0; i < draft->item_count; i++)
        draft->items[i].expr = expr_map(arena, draft->items[i].expr, flat_map_column, &columns);
    return ERR_OK;
}
