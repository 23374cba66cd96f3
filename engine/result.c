/*
 * result.c - see result_impl.h and weir.h.
 *
 * Invariant: `row` is a row of `rows` exactly when the last weir_next() said WEIR_ROW.
 */
#include "engine/result_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "data/batch.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "engine/analyze_impl.h"
#include "engine/value_text.h"

WeirResult *result_new(Weir *weir) {
    WeirResult *result = mem_alloc(sizeof *result);
    result->weir = weir;
    result->arena = arena_new("result", 0);
    result->row_arena = arena_new("row", 0);
    return result;
}

void result_farewell(WeirResult *result, Commit *commit) {
    assert(!result->farewell);
    result->farewell = commit;
}

static void result_say_farewell(WeirResult *result) {
    Err ignored; /* what it tidies away would be tidied another time */
    bool in_slot = commit_slot_of(result->farewell) != COMMIT_NO_SLOT; /* that takes a while */
    if (result->weir->options.workers == 0 || in_slot)
        (void)!commit_wait(result->farewell, NULL, &ignored);
    else if (commit_submit(result->farewell, NULL, NULL, &ignored) != ERR_OK)
        commit_drop(result->farewell);
    result->farewell = NULL;
}

void weir_result_free(WeirResult *result) {
    if (!result)
        return;
    if (result->farewell)
        result_say_farewell(result);
    if (result->push) {
        push_forget(result);
        if (result->push->running)
            query_stop(result->push->running);
        result->push->running = NULL;
        catalog_query_free(result->push);
    }
    if (result->queue)
        result_queue_free(result->queue);
    analyze_free(result->analyze);
    print_free(result->print);
    buf_free(&result->message);
    buf_free(&result->text);
    mem_free(result->cells);
    arena_free(result->arena);
    arena_free(result->row_arena);
    mem_free(result);
}

static void result_format(Buf *out, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(size >= 0);
    vsnprintf((char *)buf_room(out, (size_t)size + 1), (size_t)size + 1, format, args);
    out->size += (size_t)size;
}

void result_message(WeirResult *result, const char *format, ...) {
    va_list args;
    if (result->message.size > 0)
        buf_u8(&result->message, '\n');
    va_start(args, format);
    result_format(&result->message, format, args);
    va_end(args);
}

void result_columns(WeirResult *result, const char *const *names, uint32_t count) {
    assert(count > 0);
    SchemaColumn *columns = arena_array(result->arena, count, sizeof *columns);
    for (uint32_t i = 0; i < count; i++)
        columns[i] = (SchemaColumn){arena_strdup(result->arena, names[i]), &type_string,
                                    COLUMN_VALUE, NULL};
    Schema *schema = arena_alloc(result->arena, sizeof *schema);
    *schema = (Schema){columns, count, 0};
    result->schema = schema;
    result->visible_count = count;
}

void result_numbers(WeirResult *result, uint32_t column) {
    assert(column < result->schema->column_count && result->cell_count == 0);
    SchemaColumn *columns = (SchemaColumn *)result->schema->columns; /* made above, ours */
    columns[column].type = &type_bigint;
}

void result_fractions(WeirResult *result, uint32_t column) {
    assert(column < result->schema->column_count && result->cell_count == 0);
    SchemaColumn *columns = (SchemaColumn *)result->schema->columns;
    columns[column].type = &type_double;
}

void result_cell(WeirResult *result, const char *text) {
    result->cells = mem_grow(result->cells, &result->cell_capacity, result->cell_count + 1,
                             sizeof *result->cells);
    result->cells[result->cell_count++] =
        text ? arena_bytes(result->arena, bytes_of(text)) : (Bytes){NULL, 0};
}

void result_cell_printf(WeirResult *result, const char *format, ...) {
    Buf text = {0};
    va_list args;
    va_start(args, format);
    result_format(&text, format, args);
    va_end(args);
    result_cell(result, buf_cstr(&text));
    buf_free(&text);
}

static Column *result_text_column(WeirResult *result, uint32_t at, uint32_t count) {
    uint32_t width = result->schema->column_count;
    const Type *type = result->schema->columns[at].type;
    Column *column = column_new(result->arena, type, count);
    for (uint32_t row = 0; row < count; row++) {
        Bytes cell = result->cells[(size_t)row * width + at];
        if (!cell.data)
            continue;
        if (type->kind == TYPE_STRING)
            column->bytes[row] = cell;
        else if (type->kind == TYPE_DOUBLE ? !number_parse_double(cell, &column->f64[row])
                                           : !number_parse_i64(cell, &column->i64[row]))
            continue;
        column_set_present(column, row);
    }
    return column;
}

void result_done(WeirResult *result) {
    uint32_t width = result->schema->column_count;
    assert(result->cell_count % width == 0);
    uint32_t count = (uint32_t)(result->cell_count / width);
    const Column **columns = arena_array(result->arena, width, sizeof *columns);
    for (uint32_t i = 0; i < width; i++)
        columns[i] = result_text_column(result, i, count);
    ResultRows rows = {.schema = result->schema, .columns = columns, .count = count};
    result_rows(result, &rows, width);
}

void result_rows(WeirResult *result, const ResultRows *rows, uint32_t visible_count) {
    result->rows = *rows;
    result->schema = rows->schema;
    result->visible_count = visible_count;
    result->started = false;
}

void result_error(WeirError *target, const Err *err, uint32_t statement) {
    if (!target)
        return;
    snprintf(target->code, sizeof target->code, "%s", err_name(err->code));
    target->line = err->line;
    target->column = err->column;
    target->statement = statement;
    snprintf(target->message, sizeof target->message, "%s", err->message);
}

/* -- Reading ---------------------------------------------------------------------------------- */

const char *weir_message(const WeirResult *result) {
    return result->message.size ? buf_cstr((Buf *)&result->message) : "";
}

bool weir_is_push(const WeirResult *result) {
    return (result->push && !result->analyze) || result->print;
}

bool weir_is_print(const WeirResult *result) {
    return result->print != NULL;
}

const char *weir_print_formats(WeirResult *result) {
    assert(result->print);
    buf_reset(&result->text);
    print_formats(result->print, &result->text);
    return buf_cstr(&result->text);
}

const char *weir_print_line(WeirResult *result) {
    assert(result->print && result->row < result->rows.count);
    buf_reset(&result->text);
    print_line(result->print, result->row, &result->text);
    return buf_cstr(&result->text);
}

uint32_t weir_column_count(const WeirResult *result) {
    return result->schema ? result->visible_count : 0;
}

const char *weir_column_name(const WeirResult *result, uint32_t column) {
    assert(column < weir_column_count(result));
    return result->schema->columns[column].name;
}

const char *weir_column_type(const WeirResult *result, uint32_t column) {
    assert(column < weir_column_count(result));
    WeirResult *own = (WeirResult *)result; /* the text is made when first asked for */
    if (!own->type_names)
        own->type_names = arena_array(own->arena, own->schema->column_count, sizeof(char *));
    if (!own->type_names[column])
        own->type_names[column] = type_text(own->arena, own->schema->columns[column].type);
    return own->type_names[column];
}

/* Takes the next chunk of a push query. */
static WeirStatus result_wait(WeirResult *result, int64_t timeout_ms, WeirError *error) {
    Err err;
    const int64_t slice_us = 100000; /* for ever is many short waits: a cancelled one ends */
    int64_t left_us = timeout_ms < 0 ? slice_us : timeout_ms * 1000;
    for (;;) {
        bool ended = false;
        ErrCode code =
            result->print ? print_take(result->print, left_us, &result->rows, &ended, &err)
                          : result_queue_take(result->queue, left_us, &result->rows, &ended, &err);
        result->row = 0;
        if (code != ERR_OK) {
            result->rows.count = 0;
            result_error(error, &err, 0);
            return WEIR_FAILED;
        }
        if (result->rows.count > 0)
            return WEIR_ROW;
        if (ended)
            return WEIR_END;
        if (timeout_ms >= 0)
            return WEIR_WAITING;
    }
}

WeirStatus weir_next(WeirResult *result, int64_t timeout_ms, WeirError *error) {
    if (!result->schema)
        return WEIR_END;
    arena_reset(result->row_arena);
    if (result->analyze) {
        WeirStatus status = analyze_next(result, timeout_ms, error);
        if (status != WEIR_OK)
            return status;
    }
    if (!result->started) {
        result->started = true;
        result->row = 0;
    } else if (result->row < result->rows.count) {
        result->row++;
    }
    if (result->row < result->rows.count)
        return WEIR_ROW;
    bool waits = (result->queue && !result->analyze) || result->print;
    return waits ? result_wait(result, timeout_ms, error) : WEIR_END;
}

static const Column *result_column(const WeirResult *result, uint32_t column) {
    assert(column < weir_column_count(result));
    assert(result->row < result->rows.count);
    return result->rows.columns[column];
}

bool weir_is_null(const WeirResult *result, uint32_t column) {
    return column_is_null(result_column(result, column), result->row);
}

bool weir_is_key(const WeirResult *result, uint32_t column) {
    assert(column < weir_column_count(result));
    if (!result->push)
        return false;
    const Plan *plan = result->push->plan;
    const PlanNode *project = plan->nodes[plan->nodes[plan->node_count - 1]->inputs[0]];
    if (!project->is_table || project->kind != PLAN_PROJECT)
        return false;
    const Expr *shown = project->exprs[column];
    const Schema *below = plan->nodes[project->inputs[0]]->schema;
    bool window = shown->kind == EXPR_PSEUDO && (shown->pseudo == PSEUDO_WINDOWSTART ||
                                                  shown->pseudo == PSEUDO_WINDOWEND);
    return window ||
           (shown->kind == EXPR_COLUMN && below->columns[shown->column].role == COLUMN_KEY);
}

bool weir_is_delete(const WeirResult *result) {
    return result->rows.kinds && result->rows.kinds[result->row] == ROW_DELETE;
}

bool weir_boolean(const WeirResult *result, uint32_t column) {
    const Column *values = result_column(result, column);
    return values->type->kind == TYPE_BOOLEAN && !column_is_null(values, result->row) &&
           values->boolean[result->row];
}

/* Towards zero; what does not fit is the nearest that does, NaN is 0. */
static int64_t result_whole(double value) {
    if (value >= 0x1p63)
        return INT64_MAX;
    if (value <= -0x1p63)
        return INT64_MIN;
    return isnan(value) ? 0 : (int64_t)value;
}

static Decimal result_load(const Column *values, uint32_t row) {
    const uint8_t *data = values->data;
    return decimal_load(data + (size_t)type_width(values->type) * row, values->type->precision);
}

static int64_t result_decimal(const Column *values, uint32_t row) {
    Decimal value = result_load(values, row);
    double about = decimal_to_double(value, values->type->scale);
    return fabs(about) < 0x1p62 ? decimal_to_i64(value, values->type->scale)
                                : result_whole(about);
}

int64_t weir_integer(const WeirResult *result, uint32_t column) {
    const Column *values = result_column(result, column);
    if (column_is_null(values, result->row))
        return 0;
    switch (values->type->kind) {
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        return values->i32[result->row];
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        return values->i64[result->row];
    case TYPE_BOOLEAN:
        return values->boolean[result->row];
    case TYPE_DECIMAL:
        return result_decimal(values, result->row);
    default:
        return result_whole(weir_double(result, column));
    }
}

double weir_double(const WeirResult *result, uint32_t column) {
    const Column *values = result_column(result, column);
    if (column_is_null(values, result->row))
        return 0;
    const Type *type = values->type;
    switch (type->kind) {
    case TYPE_INT:
        return values->i32[result->row];
    case TYPE_BIGINT:
        return (double)values->i64[result->row];
    case TYPE_DOUBLE:
        return values->f64[result->row];
    case TYPE_DECIMAL:
        return decimal_to_double(result_load(values, result->row), type->scale);
    default:
        return 0;
    }
}

const char *weir_text(WeirResult *result, uint32_t column) {
    const Column *values = result_column(result, column);
    if (column_is_null(values, result->row))
        return NULL;
    Buf text = {0};
    value_text_put(&text, values, result->row);
    const char *copy = arena_text(result->row_arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

const char *weir_json(WeirResult *result, uint32_t column) {
    Buf text = {0};
    value_json_put(&text, result_column(result, column), result->row);
    const char *copy = arena_text(result->row_arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

const char *weir_json_row(WeirResult *result) {
    Buf *text = &result->text;
    buf_reset(text);
    buf_u8(text, '{');
    for (uint32_t i = 0; i < weir_column_count(result); i++) {
        if (i > 0)
            buf_u8(text, ',');
        value_json_string(text, bytes_of(weir_column_name(result, i)));
        buf_u8(text, ':');
        value_json_put(text, result_column(result, i), result->row);
    }
    buf_u8(text, '}');
    return buf_cstr(text);
}

WeirStatus weir_discard(WeirResult *result, int64_t timeout_ms, uint64_t *rows, WeirError *error) {
    assert(result->push && result->queue);
    Err err;
    result_queue_discard(result->queue);
    if (query_catch_up(result->push->running, timeout_ms, &err) != ERR_OK) {
        result_error(error, &err, 0);
        return WEIR_FAILED;
    }
    QueryFigures figures;
    query_figures(result->push->running, &figures);
    *rows = figures.rows_out;
    return WEIR_OK;
}

void weir_cancel(WeirResult *result) {
    if (result->queue)
        result_queue_cancel(result->queue);
    if (result->print)
        print_cancel(result->print);
}
