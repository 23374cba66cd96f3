/*
 * prove_expressions_bridge.h - between the interpreter and the engine: values to columns and back,
 * and statements to bound expressions.
 */
#ifndef TESTS_TOOLS_PROVE_EXPRESSIONS_BRIDGE_H
#define TESTS_TOOLS_PROVE_EXPRESSIONS_BRIDGE_H

#include <stdlib.h>

#include "data/column.h"
#include "grammar/parse.h"
#include "planner/planner.h"
#include "tests/interp/value.h"

/* Value i is values[i * step]. */
typedef struct BridgeRows {
    const RefValue *values;
    uint32_t count, step;
} BridgeRows;

/* -- Values to columns ------------------------------------------------------------------------ */

/* Two's complement, little-endian. */
static inline void bridge_put_decimal(uint8_t *data, uint32_t width, mpz_srcptr value) {
    mpz_ptr wrapped = ref_mpz();
    mpz_fdiv_r_2exp(wrapped, value, width * 8);
    memset(data, 0, width);
    mpz_export(data, NULL, -1, 1, -1, 0, wrapped);
}

static inline Bytes bridge_bytes(Arena *arena, const RefValue *value, bool text) {
    size_t size = value->text.size;
    bool whole = true;
    const void *data = text ? (void *)ref_utf8(value->text, &size, &whole)
                            : (const void *)value->text.bytes;
    if (!whole)
        abort();
    return arena_bytes(arena, (Bytes){data, (uint32_t)size});
}

static inline void bridge_put(Arena *arena, Column *column, uint32_t row, const RefValue *value) {
    switch (column->type->kind) {
    case TYPE_BOOLEAN: column->boolean[row] = value->boolean; break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: column->i32[row] = (int32_t)value->integer; break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: column->i64[row] = value->integer; break;
    case TYPE_DOUBLE: column->f64[row] = value->real; break;
    case TYPE_STRING:
    case TYPE_BYTES:
        column->bytes[row] = bridge_bytes(arena, value, column->type->kind == TYPE_STRING);
        break;
    case TYPE_DECIMAL: {
        uint32_t width = type_width(column->type);
        bridge_put_decimal((uint8_t *)column->data + (size_t)row * width, width, value->decimal);
        break;
    }
    default: break;
    }
}

static inline const Column *bridge_column(Arena *arena, const Type *type, BridgeRows rows);

/* Child number `part` of nested values. */
static inline void bridge_child(Arena *arena, Column *column, uint32_t part, BridgeRows rows) {
    const Type *type = column->type->fields[part].type;
    bool record = column->type->kind == TYPE_STRUCT;
    uint32_t step = column->type->kind == TYPE_MAP ? 2 : 1, count = 0;
    uint32_t total = record ? rows.count : column->offsets[rows.count];
    RefValue *items = ref_alloc((total + 1) * sizeof *items);
    for (uint32_t i = 0; i < rows.count; i++) {
        const RefValue *value = &rows.values[(size_t)i * rows.step];
        if (record)
            items[count++] = value->present ? value->list.items[part] : ref_missing();
        for (uint32_t j = part; !record && value->present && j < value->list.size; j += step)
            items[count++] = value->list.items[j];
    }
    column->children[part] = *bridge_column(arena, type, (BridgeRows){items, total, 1});
}

static inline const Column *bridge_column(Arena *arena, const Type *type, BridgeRows rows) {
    Column *column = column_new(arena, type, rows.count);
    uint32_t step = type->kind == TYPE_MAP ? 2 : 1;
    for (uint32_t i = 0; i < rows.count; i++) {
        const RefValue *value = &rows.values[(size_t)i * rows.step];
        if (value->present) {
            column_set_present(column, i);
            bridge_put(arena, column, i, value);
        }
        if (column->offsets)
            column->offsets[i + 1] =
                column->offsets[i] + (value->present ? value->list.size / step : 0);
    }
    for (uint32_t part = 0; part < type->field_count; part++)
        bridge_child(arena, column, part, rows);
    return column;
}

/* -- Columns to values ------------------------------------------------------------------------ */

static inline RefValue bridge_decimal(const Column *column, uint32_t row) {
    uint32_t width = type_width(column->type);
    const uint8_t *data = (const uint8_t *)column->data + (size_t)row * width;
    mpz_ptr value = ref_mpz(), one = ref_mpz();
    mpz_import(value, width, -1, 1, -1, 0, data);
    if (data[width - 1] & 0x80) {
        mpz_setbit(one, width * 8);
        mpz_sub(value, value, one);
    }
    return (RefValue){.present = true, .decimal = value};
}

static inline RefValue bridge_value(const Column *column, uint32_t row);

static inline RefValue bridge_list(const Column *column, uint32_t row) {
    bool record = column->type->kind == TYPE_STRUCT;
    uint32_t step = column->type->field_count;
    uint32_t from = record ? row : column->offsets[row];
    uint32_t count = record ? 1 : column->offsets[row + 1] - from;
    RefValue *items = ref_alloc((count * step + 1) * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t part = 0; part < step; part++)
            items[i * step + part] = bridge_value(&column->children[part], from + i);
    }
    return ref_of_list(items, count * step);
}

static inline RefValue bridge_value(const Column *column, uint32_t row) {
    if (column->type->kind == TYPE_NULL || column_is_null(column, row))
        return ref_missing();
    switch (column->type->kind) {
    case TYPE_BOOLEAN: return ref_of_boolean(column->boolean[row] == 1);
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: return ref_of_integer(column->i32[row]);
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: return ref_of_integer(column->i64[row]);
    case TYPE_DOUBLE: return ref_of_real(column->f64[row]);
    case TYPE_STRING: return ref_of_utf8(column->bytes[row].data, column->bytes[row].size);
    case TYPE_BYTES: return ref_of_bytes(column->bytes[row].data, column->bytes[row].size);
    case TYPE_DECIMAL: return bridge_decimal(column, row);
    default: return bridge_list(column, row);
    }
}

/* -- Statements ------------------------------------------------------------------------------- */

static inline const Source *bridge_find(void *context, const char *name) {
    const Source *source = context;
    return source && strcmp(name, source->name) == 0 ? source : NULL;
}

static inline uint32_t bridge_count(void *context) {
    return context != NULL;
}

static inline const Source *bridge_at(void *context, uint32_t index) {
    (void)index;
    return context;
}

static inline ErrCode bridge_partitions(void *context, const char *topic, uint32_t *partitions,
                                        Err *err) {
    (void)context;
    (void)topic;
    (void)err;
    *partitions = 1;
    return ERR_OK;
}

static inline const char *bridge_setting(void *context, const char *name) {
    (void)context;
    (void)name;
    return NULL;
}

static inline const Type *bridge_type(void *context, const char *name) {
    (void)context;
    (void)name;
    return NULL;
}

static inline bool bridge_query(void *context, const char *query_id) {
    (void)context;
    (void)query_id;
    return false;
}

static inline const Plan *bridge_plan(void *context, const char *query_id) {
    (void)context;
    (void)query_id;
    return NULL;
}

static inline uint64_t bridge_number(void *context) {
    (void)context;
    return 0;
}

/* Plans a statement over one source (NULL: none). */
static inline ErrCode bridge_statement(const Source *source, const char *sql, Arena *arena,
                                       Planned *planned, Err *err) {
    PlannerHost host = {.context = (void *)(uintptr_t)source,
                        .find_source = bridge_find,
                        .source_count = bridge_count,
                        .source_at = bridge_at,
                        .topic_partitions = bridge_partitions,
                        .setting = bridge_setting,
                        .custom_type = bridge_type,
                        .query_exists = bridge_query,
                        .query_plan = bridge_plan,
                        .next_query_number = bridge_number};
    Parser parser = {.script = bytes_of(sql), .line = 1, .column = 1, .extensions = true};
    const AstStatement *statement;
    TRY(parse_next(&parser, arena, &statement, err));
    return plan_statement(&host, statement, arena, planned, err);
}

static inline const PlanNode *bridge_project(const Plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i]->kind == PLAN_PROJECT)
            return plan->nodes[i];
    }
    return NULL;
}

#endif
