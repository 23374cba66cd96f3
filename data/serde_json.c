/*
 * serde_json.c - the JSON format: what it can carry, and the way of a record.
 *
 * A decoder is a tree of fields beside the tree of types. A record goes through the fast pass; when
 * that gives up, what it left in the columns is cleared, the record is checked to be JSON, and the
 * slow pass runs. Both write into columns that begin with each decode() in the arena of its input.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "data/serde_json_impl.h"

/* == What JSON carries == */

static bool json_can_carry(const Type *type) {
    assert(type);
    if (type->kind == TYPE_MAP && type->fields[0].type->kind != TYPE_STRING)
        return false;
    for (uint32_t i = 0; i < type->field_count; i++)
        if (!json_can_carry(type->fields[i].type))
            return false;
    return true;
}

static ErrCode json_check(const SerdeSpec *spec, Err *err) {
    assert(spec && (spec->columns || spec->column_count == 0));
    for (uint32_t i = 0; i < spec->column_count; i++)
        if (!json_can_carry(spec->columns[i].type))
            return err_set(err, ERR_FORMAT, "JSON only supports MAP types with STRING keys");
    return ERR_OK;
}

/* == Compiling == */

static void json_field_init(JsonField *field, Arena *arena, const Type *type, const char *name,
                            bool used) {
    assert(field && type);
    *field = (JsonField){.type = type, .kind = type->kind, .used = used};
    field->width = type_width(type);
    field->name = name ? bytes_of(name) : (Bytes){NULL, 0};
    field->child_count = type->field_count;
    field->children = arena_array(arena, type->field_count, sizeof *field->children);
    for (uint32_t i = 0; i < type->field_count; i++)
        json_field_init(&field->children[i], arena, type->fields[i].type, type->fields[i].name,
                        used);
    if (type->kind == TYPE_STRUCT)
        field->shape = json_shape_new(arena, field);
}

/* The record as a STRUCT of its columns, of which only the used ones are. */
static void json_root_init(JsonField *root, const SerdeSpec *spec, const bool *used,
                           Arena *arena) {
    assert(spec->columns || spec->column_count == 0);
    TypeField *fields = arena_array(arena, spec->column_count, sizeof *fields);
    for (uint32_t i = 0; i < spec->column_count; i++)
        fields[i] = (TypeField){spec->columns[i].name, spec->columns[i].type};
    json_field_init(root, arena, type_struct(arena, fields, spec->column_count), NULL, false);
    for (uint32_t i = 0; i < spec->column_count; i++)
        if (used[i])
            json_field_init(&root->children[i], arena, root->children[i].type,
                            spec->columns[i].name, true);
}

static Decoder *json_decoder_new(const SerdeSpec *spec, const bool *used, Arena *arena) {
    assert(spec && arena && (used || spec->column_count == 0));
    Decoder *json = arena_alloc(arena, sizeof *json);
    json->scan_long = json_scan_best();
    json_track_init(&json->track);
    json->bare = spec->unwrapped;
    if (json->bare) {
        assert(spec->column_count == 1);
        json_field_init(&json->root, arena, spec->columns[0].type, NULL, used[0]);
    } else {
        json_root_init(&json->root, spec, used, arena);
    }
    return json;
}

/* == Columns == */

static void json_begin(Decoder *json, const DecodeInput *input) {
    assert(input->arena);
    json->input = input;
    json->room = json->room_end = NULL;
    json->room_size = 0;
    if (json->bare)
        json_column_begin(json, &json->root, input->count);
    else
        for (uint32_t i = 0; i < json->root.child_count; i++)
            json_column_begin(json, &json->root.children[i], input->count);
    json_track_begin(json);
}

static void json_clear(Decoder *json, uint32_t record) {
    assert(record < json->input->count);
    if (json->bare)
        json_column_clear(&json->root, record);
    else
        for (uint32_t i = 0; i < json->root.child_count; i++)
            json_column_clear(&json->root.children[i], record);
}

static void json_finish(Decoder *json, Column **columns) {
    assert(columns);
    uint32_t count = json->bare ? 1 : json->root.child_count;
    for (uint32_t i = 0; i < count; i++) {
        JsonField *field = json->bare ? &json->root : &json->root.children[i];
        columns[i] = field->used ? json_column_finish(json, field, json->input->count) : NULL;
    }
}

/* == A record == */

/* Text that is no JSON: what is wrong, and at which byte of the record. */
static void json_fault_text(Decoder *json) {
    assert(json->fault && json->fault_at >= json->record);
    size_t at = (size_t)(json->fault_at - json->record);
    if (json->fault_at == json->end)
        snprintf(json->error, sizeof json->error, "Not JSON: %s where the record ends, at byte %zu",
                 json->fault, at);
    else
        snprintf(json->error, sizeof json->error, "Not JSON: %s at byte %zu", json->fault, at);
}

static bool json_slow_record(Decoder *json, uint32_t record) {
    assert(record < json->input->count);
    json->path_size = 0;
    if (json->begin == json->end)
        return json_value_misfit(json, &json->root, "MissingNode");
    const uint8_t *end = json_skip(json, json->begin, 0);
    if (end && end != json->end)
        end = json_fault(json, "more text after the value", json_space(end, json->end));
    if (!end) {
        json_fault_text(json);
        return false;
    }
    return json_slow_value(json, &json->root, record, json->begin);
}

static void json_set_record(Decoder *json, Bytes bytes) {
    assert(bytes.data);
    json->record = json->begin = bytes.data;
    json->end = bytes.data + bytes.size;
    while (json->begin < json->end && json_is_space(*json->begin))
        json->begin++;
    while (json->end > json->begin && json_is_space(json->end[-1]))
        json->end--;
}

/* The fast ways; false: the record must be looked at with care. */
static bool json_fast_record(Decoder *json, uint32_t record) {
    assert(json->begin < json->end);
    if (json_track_record(json, record))
        return true;
    bool whole = json_fast_value(json, &json->root, record, json->begin, 0) == json->end;
    if (json->track.learning)
        json_track_noted(json, whole);
    return whole;
}

static DecodeStatus json_decode_record(Decoder *json, uint32_t record) {
    assert(record < json->input->count);
    Bytes bytes = json->input->records[record];
    if (!bytes.data)
        return DECODE_NULL;
    json_set_record(json, bytes);
    ptrdiff_t size = json->end - json->begin;
    if (size == 4 && memcmp(json->begin, "null", 4) == 0)
        return DECODE_NULL;
    if (size > 0 && json_fast_record(json, record))
        return DECODE_OK;
    json_clear(json, record);
    if (json_slow_record(json, record))
        return DECODE_OK;
    json_clear(json, record);
    if (json->input->error)
        json->input->error(json->input->error_context, record, json->error);
    return DECODE_BAD;
}

static void json_decode(Decoder *json, const DecodeInput *input, Column **columns,
                        uint8_t *status) {
    assert(json && input && columns && (status || input->count == 0));
    json_begin(json, input);
    for (uint32_t i = 0; i < input->count; i++)
        status[i] = (uint8_t)json_decode_record(json, i);
    json_finish(json, columns);
    json->input = NULL;
}

const Format format_json = {
    .name = "JSON",
    .can_wrap = true,
    .can_unwrap = true,
    .multi_column = true,
    .check = json_check,
    .decoder_new = json_decoder_new,
    .decode = json_decode,
    .encoder_new = json_encoder_new,
    .encode = json_encode,
};
