/*
 * json_print.c - TO_JSON_STRING: a value of any type as JSON.
 *
 * Fields and keys come in the order of their names, as Java orders strings. The order of a
 * STRUCT's fields is found once for all rows of a call.
 */
#include <math.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "data/decimal.h"
#include "data/json_text.h"
#include "data/number_text.h"
#include "data/time_text.h"
#include "udf/json_impl.h"
#include "udf/value_text.h"

/* Beside each type: how its fields are ordered. */
typedef struct PrintPart PrintPart;

struct PrintPart {
    uint32_t *order;
    PrintPart *children;
};

typedef struct PrintJson {
    Buf out;
    Buf key;       /* of a MAP, where it is no text */
    Arena *arena;  /* for the order of a MAP's entries */
} PrintJson;

/* Sorts numbers so that before(context, left, right) holds: a heap, for no row needs memory. */
static void print_sift(uint32_t *items, uint32_t from, uint32_t count,
                       bool (*before)(const void *, uint32_t, uint32_t), const void *context) {
    for (uint32_t at = from, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(context, items[child], items[child + 1]))
            child++;
        if (!before(context, items[at], items[child]))
            return;
        uint32_t item = items[at];
        items[at] = items[child];
        items[child] = item;
    }
}

static void print_sort(uint32_t *items, uint32_t count,
                       bool (*before)(const void *, uint32_t, uint32_t), const void *context) {
    for (uint32_t from = count / 2; from-- > 0;)
        print_sift(items, from, count, before, context);
    for (uint32_t end = count; end-- > 1;) {
        uint32_t item = items[0];
        items[0] = items[end];
        items[end] = item;
        print_sift(items, 0, end, before, context);
    }
}

static bool print_field_before(const void *context, uint32_t left, uint32_t right) {
    const Type *type = context;
    return utf8_compare(bytes_of(type->fields[left].name), bytes_of(type->fields[right].name)) < 0;
}

static bool print_key_before(const void *context, uint32_t left, uint32_t right) {
    const Column *keys = context;
    return utf8_compare(keys->bytes[left], keys->bytes[right]) < 0;
}

static void print_part_init(PrintPart *part, const Type *type, Arena *arena) {
    uint32_t count = type->field_count;
    part->children = arena_array(arena, count, sizeof *part->children);
    for (uint32_t i = 0; i < count; i++)
        print_part_init(&part->children[i], type->fields[i].type, arena);
    if (type->kind != TYPE_STRUCT)
        return;
    part->order = arena_array(arena, count, sizeof *part->order);
    for (uint32_t i = 0; i < count; i++)
        part->order[i] = i;
    print_sort(part->order, count, print_field_before, type);
}

/* == Values == */

static void print_value(PrintJson *print, const PrintPart *part, const Column *column,
                        uint32_t row);

static void print_array(PrintJson *print, const PrintPart *part, const Column *column,
                        uint32_t row) {
    buf_u8(&print->out, '[');
    for (uint32_t at = column->offsets[row]; at < column->offsets[row + 1]; at++) {
        if (at > column->offsets[row])
            buf_u8(&print->out, ',');
        print_value(print, &part->children[0], &column->children[0], at);
    }
    buf_u8(&print->out, ']');
}

static void print_key(PrintJson *print, const Column *keys, uint32_t at) {
    if (keys->type->kind == TYPE_STRING && !column_is_null(keys, at)) {
        json_print_string(&print->out, keys->bytes[at]);
        return;
    }
    buf_reset(&print->key);
    value_text_print(&print->key, keys, at);
    json_print_string(&print->out, buf_view(&print->key));
}

static void print_map(PrintJson *print, const PrintPart *part, const Column *column,
                      uint32_t row) {
    const Column *keys = &column->children[0];
    uint32_t count = column->offsets[row + 1] - column->offsets[row];
    uint32_t *entries = arena_raw(print->arena, count * sizeof *entries);
    for (uint32_t i = 0; i < count; i++)
        entries[i] = column->offsets[row] + i;
    if (keys->type->kind == TYPE_STRING)
        print_sort(entries, count, print_key_before, keys);
    buf_u8(&print->out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_u8(&print->out, ',');
        print_key(print, keys, entries[i]);
        buf_u8(&print->out, ':');
        print_value(print, &part->children[1], &column->children[1], entries[i]);
    }
    buf_u8(&print->out, '}');
}

static void print_struct(PrintJson *print, const PrintPart *part, const Column *column,
                         uint32_t row) {
    const Type *type = column->type;
    buf_u8(&print->out, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        uint32_t field = part->order[i];
        if (i > 0)
            buf_u8(&print->out, ',');
        json_print_string(&print->out, bytes_of(type->fields[field].name));
        buf_u8(&print->out, ':');
        print_value(print, &part->children[field], &column->children[field], row);
    }
    buf_u8(&print->out, '}');
}

/* What is a text in JSON too, whatever it holds. */
static void print_quoted(Buf *out, const Column *column, uint32_t row) {
    buf_u8(out, '"');
    switch (column->type->kind) {
    case TYPE_BYTES: base64_print(out, column->bytes[row]); break;
    case TYPE_TIMESTAMP: time_print_timestamp(out, column->i64[row]); break;
    case TYPE_DATE: time_print_date(out, column->i32[row]); break;
    case TYPE_TIME: time_print_time(out, column->i32[row]); break;
    default: number_print_double(out, column->f64[row]); break; /* NaN, Infinity */
    }
    buf_u8(out, '"');
}

static void print_value(PrintJson *print, const PrintPart *part, const Column *column,
                        uint32_t row) {
    Buf *out = &print->out;
    if (column->type->kind == TYPE_NULL || column_is_null(column, row)) {
        buf_text(out, "null");
        return;
    }
    switch (column->type->kind) {
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_DECIMAL: value_text_print(out, column, row); break;
    case TYPE_DOUBLE:
        if (isfinite(column->f64[row]))
            number_print_double(out, column->f64[row]);
        else
            print_quoted(out, column, row);
        break;
    case TYPE_STRING: json_print_string(out, column->bytes[row]); break;
    case TYPE_BYTES:
    case TYPE_TIMESTAMP:
    case TYPE_DATE:
    case TYPE_TIME: print_quoted(out, column, row); break;
    case TYPE_ARRAY: print_array(print, part, column, row); break;
    case TYPE_MAP: print_map(print, part, column, row); break;
    case TYPE_STRUCT: print_struct(print, part, column, row); break;
    }
}

void json_to_string(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    PrintJson print = {.arena = call->arena};
    PrintPart part = {0};
    assert(call->arg_count == 1);
    print_part_init(&part, call->args[0]->type, call->arena);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        buf_reset(&print.out);
        print_value(&print, &part, call->args[0], row);
        if (!function_too_long(call, row, print.out.size))
            function_put_bytes(call, row, function_room_copy(&room, buf_view(&print.out)));
    }
    buf_free(&print.out);
    buf_free(&print.key);
}
