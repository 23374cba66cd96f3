/*
 * json.c - EXTRACTJSONFIELD, IS_JSON_STRING, and the functions JSON_...
 *
 * A text that is no JSON is an error of the row; one without any value gives NULL.
 */
#include "base/mem.h"
#include "data/json_text.h"
#include "data/number_text.h"
#include "udf/json_impl.h"
#include "udf/text_list.h"

static void json_fail(const FunctionCall *call, uint32_t row, Bytes text) {
    call->fail(call->context, row, "Invalid JSON format: %.*s",
               text.size > 100 ? 100 : (int)text.size, (const char *)text.data);
}

/* The value of a row's text; false: it has none, and a broken text is reported. */
static bool json_row(const FunctionCall *call, uint32_t row, Bytes *value) {
    Bytes text = call->args[0]->bytes[row];
    JsonRoot root = json_walk_root(text, value);
    if (root == JSON_ROOT_BROKEN)
        json_fail(call, row, text);
    return root == JSON_ROOT_VALUE;
}

/* A value written anew: in the room, or where it stands. NULL data: reported. */
static Bytes json_written(const FunctionCall *call, uint32_t row, JsonText *text,
                          FunctionRoom *room, Bytes value) {
    Bytes none = {0};
    buf_reset(&text->out);
    if (!json_text_put(text, value)) {
        call->fail(call->context, row, "a number's exponent is too large to write it out");
        return none;
    }
    if (text->out.size == value.size && memcmp(text->out.data, value.data, value.size) == 0)
        return value;
    if (function_too_long(call, row, text->out.size))
        return none;
    return function_room_copy(room, buf_view(&text->out));
}

/* A string's text, or any other value written anew. */
static Bytes json_as_text(const FunctionCall *call, uint32_t row, JsonText *text,
                          FunctionRoom *room, Bytes value) {
    if (value.size >= 2 && value.data[0] == '"')
        return json_text_inside(room, (Bytes){value.data + 1, value.size - 2});
    return json_written(call, row, text, room, value);
}

/* == Paths == */

/* The compiled path of the row at hand. */
typedef struct JsonPathState {
    Bytes text;
    const JsonPath *path;
    bool known;
} JsonPathState;

void *json_prepare_path(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arg_count == 2);
    if (!args[1] || args[1]->type->kind != TYPE_STRING || column_is_null(args[1], 0))
        return NULL;
    JsonPathState *state = arena_alloc(arena, sizeof *state);
    state->path = json_path_new(args[1]->bytes[0], arena);
    return state;
}

/* NULL: reported. */
static const JsonPath *json_row_path(const FunctionCall *call, uint32_t row,
                                     JsonPathState *own) {
    const JsonPathState *state = call->state;
    Bytes text = call->args[1]->bytes[row];
    if (!state) {
        if (!own->known || !bytes_equal(own->text, text))
            *own = (JsonPathState){text, json_path_new(text, call->arena), true};
        state = own;
    }
    if (!state->path)
        call->fail(call->context, row, "Invalid JSON path: '%.*s'",
                   text.size > 100 ? 100 : (int)text.size, (const char *)text.data);
    return state->path;
}

void json_extract(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    JsonPathState own = {0};
    JsonText text = {0};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const JsonPath *path = json_row_path(call, row, &own);
        Bytes found;
        bool broken;
        if (!path)
            continue;
        if (json_path_find(path, call->args[0]->bytes[row], &found, &broken)) {
            found = found.size ? json_as_text(call, row, &text, &room, found) : found;
            if (found.data || found.size == 0)
                function_put_bytes(call, row, found);
        } else if (broken) {
            json_fail(call, row, call->args[0]->bytes[row]);
        }
    }
    json_text_free(&text);
}

/* == Questions == */

void json_is_json(const FunctionCall *call) {
    const Column *column = call->args[0];
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes value;
        bool missing = column->type->kind == TYPE_NULL || column_is_null(column, row);
        function_put_boolean(call, row,
                             !missing &&
                                 json_walk_root(column->bytes[row], &value) == JSON_ROOT_VALUE);
    }
}

void json_array_length(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes value;
        JsonWalk walk;
        JsonItem item;
        int32_t count = 0;
        if (!json_row(call, call->rows[i], &value) || value.data[0] != '[')
            continue;
        json_walk_open(&walk, value, 0);
        while (json_walk_next(&walk, &item))
            count++;
        function_put_i32(call, call->rows[i], count);
    }
}

static bool json_is_float(Bytes number) {
    for (uint32_t i = 0; i < number.size; i++)
        if (number.data[i] == '.' || (number.data[i] | 0x20) == 'e')
            return true;
    return false;
}

typedef enum JsonMatch {
    JSON_MATCH_NO,
    JSON_MATCH_YES,
    JSON_MATCH_ERROR, /* an integer that the type cannot hold: the search ends */
} JsonMatch;

static JsonMatch json_integer_matches(Bytes item, const Column *column, uint32_t row) {
    int64_t number;
    bool small = column->type->kind == TYPE_INT;
    if (json_is_float(item))
        return JSON_MATCH_NO;
    if (!number_parse_i64(item, &number) || (small && (int32_t)number != number))
        return JSON_MATCH_ERROR;
    int64_t wanted = small ? column->i32[row] : column->i64[row];
    return number == wanted ? JSON_MATCH_YES : JSON_MATCH_NO;
}

static bool json_string_matches(Bytes item, Bytes wanted, FunctionRoom *room) {
    Bytes inside = {item.data + 1, item.size - 2};
    return bytes_equal(json_text_inside(room, inside), wanted);
}

/* Types must agree: integers are found by INT and BIGINT, other numbers by DOUBLE. */
static JsonMatch json_matches(Bytes item, const Column *column, uint32_t row,
                              FunctionRoom *room) {
    uint8_t first = item.data[0];
    bool number = first == '-' || (first >= '0' && first <= '9');
    double value;
    if (column->type->kind == TYPE_NULL || column_is_null(column, row))
        return first == 'n' ? JSON_MATCH_YES : JSON_MATCH_NO;
    switch (column->type->kind) {
    case TYPE_INT:
    case TYPE_BIGINT: return number ? json_integer_matches(item, column, row) : JSON_MATCH_NO;
    case TYPE_DOUBLE:
        if (!number || !json_is_float(item) || !number_parse_double(item, &value))
            return JSON_MATCH_NO;
        return memcmp(&value, &column->f64[row], sizeof value) == 0 ? JSON_MATCH_YES
                                                                    : JSON_MATCH_NO;
    case TYPE_STRING:
        return first == '"' && json_string_matches(item, column->bytes[row], room)
                   ? JSON_MATCH_YES
                   : JSON_MATCH_NO;
    case TYPE_BOOLEAN:
        return first == (column->boolean[row] ? 't' : 'f') ? JSON_MATCH_YES : JSON_MATCH_NO;
    default: return JSON_MATCH_NO;
    }
}

static Bytes json_rest(Bytes text, const uint8_t *at) {
    assert(at >= text.data && at <= text.data + text.size);
    return (Bytes){at, (uint32_t)(text.data + text.size - at)};
}

void json_array_contains(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    const Column *array = call->args[0];
    assert(call->arg_count == 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        JsonMatch match = JSON_MATCH_NO;
        bool missing = array->type->kind == TYPE_NULL || column_is_null(array, row);
        Bytes text = missing ? (Bytes){0} : array->bytes[row];
        const uint8_t *at = json_walk_begin(text);
        if (at && *at == '[') {
            JsonWalk walk;
            JsonItem item;
            json_walk_open(&walk, json_rest(text, at), 0);
            while (match == JSON_MATCH_NO && json_walk_next(&walk, &item))
                match = json_matches(item.value, call->args[1], row, &room);
        }
        function_put_boolean(call, row, match == JSON_MATCH_YES);
    }
}

/* == Parts == */

void json_items(const FunctionCall *call) {
    TextList list = {.result = call->result, .arena = call->arena};
    FunctionRoom room = {.arena = call->arena};
    JsonText text = {0};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes value;
        JsonWalk walk;
        JsonItem item;
        if (json_walk_root(call->args[0]->bytes[row], &value) != JSON_ROOT_VALUE ||
            value.data[0] != '[') {
            json_fail(call, row, call->args[0]->bytes[row]);
            continue;
        }
        text_list_row(&list, row);
        json_walk_open(&walk, value, 0);
        bool good = true;
        while (good && json_walk_next(&walk, &item)) {
            Bytes written = json_written(call, row, &text, &room, item.value);
            good = written.data != NULL;
            text_list_add(&list, written);
        }
        if (!good)
            text_list_undo(&list, row);
    }
    text_list_finish(&list);
    json_text_free(&text);
}

/* The members of an object, each name once. */
typedef struct JsonMembers {
    Bytes *names;
    Bytes *values;
    size_t capacity, value_capacity;
    uint32_t count;
    JsonNames equal;
} JsonMembers;

static void json_members_free(JsonMembers *members) {
    mem_free(members->names);
    mem_free(members->values);
    json_names_free(&members->equal);
}

/* Adds those of an object; names with escapes go to the room. */
static void json_members_add(JsonMembers *members, Bytes object, FunctionRoom *room) {
    JsonWalk walk;
    JsonItem item;
    json_walk_open(&walk, object, 0);
    while (json_walk_next(&walk, &item)) {
        size_t needed = (size_t)members->count + 1;
        members->names = mem_grow(members->names, &members->capacity, needed,
                                  sizeof *members->names);
        members->values = mem_grow(members->values, &members->value_capacity, needed,
                                   sizeof *members->values);
        members->names[members->count] = json_text_inside(room, item.name);
        members->values[members->count++] = item.value;
    }
    assert(!walk.broken);
}

/* Gives each first name the last value; members->equal.first tells which are the first. */
static void json_members_merge(JsonMembers *members) {
    json_names_merge(&members->equal, members->names, members->count);
    for (uint32_t i = 0; i < members->count; i++)
        members->values[members->equal.first[i]] = members->values[i];
}

void json_keys(const FunctionCall *call) {
    TextList list = {.result = call->result, .arena = call->arena};
    FunctionRoom room = {.arena = call->arena};
    JsonMembers members = {0};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes value;
        if (!json_row(call, call->rows[i], &value) || value.data[0] != '{')
            continue;
        members.count = 0;
        json_members_add(&members, value, &room);
        json_members_merge(&members);
        text_list_row(&list, call->rows[i]);
        for (uint32_t k = 0; k < members.count; k++)
            if (members.equal.first[k] == k)
                text_list_add(&list, members.names[k]);
    }
    text_list_finish(&list);
    json_members_free(&members);
}

void json_records(const FunctionCall *call) {
    TextList keys = {.result = call->result, .arena = call->arena};
    TextList values = {.result = call->result, .arena = call->arena};
    FunctionRoom room = {.arena = call->arena};
    JsonMembers members = {0};
    JsonText text = {0};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes value;
        bool good = true;
        if (!json_row(call, row, &value) || value.data[0] != '{')
            continue;
        members.count = 0;
        json_members_add(&members, value, &room);
        json_members_merge(&members);
        text_list_row(&keys, row);
        for (uint32_t k = 0; k < members.count && good; k++) {
            if (members.equal.first[k] != k)
                continue;
            Bytes written = json_as_text(call, row, &text, &room, members.values[k]);
            good = written.data != NULL;
            text_list_add(&keys, members.names[k]);
            text_list_add(&values, written);
        }
        if (!good) {
            text_list_undo(&keys, row);
            values.count = keys.count;
        }
    }
    text_list_finish(&keys);
    text_list_column(&values, &call->result->children[1]);
    json_text_free(&text);
    json_members_free(&members);
}

/* == JSON_CONCAT == */

typedef struct JsonConcat {
    Bytes *values; /* one of each argument */
    JsonMembers members;
    JsonText text;
    FunctionRoom room; /* for names with escapes */
} JsonConcat;

/* The values of all arguments; false: one has none. */
static bool json_concat_values(const FunctionCall *call, uint32_t row, JsonConcat *concat,
                               bool *objects) {
    *objects = true;
    for (uint32_t arg = 0; arg < call->arg_count; arg++) {
        const Column *column = call->args[arg];
        if (column->type->kind == TYPE_NULL || column_is_null(column, row))
            return false;
        JsonRoot root = json_walk_root(column->bytes[row], &concat->values[arg]);
        if (root == JSON_ROOT_BROKEN)
            json_fail(call, row, column->bytes[row]);
        if (root != JSON_ROOT_VALUE)
            return false;
        *objects &= concat->values[arg].data[0] == '{';
    }
    return call->arg_count > 0;
}

static bool json_concat_objects(JsonConcat *concat, uint32_t count) {
    JsonMembers *members = &concat->members;
    Buf *out = &concat->text.out;
    bool good = true;
    members->count = 0;
    for (uint32_t i = 0; i < count; i++)
        json_members_add(members, concat->values[i], &concat->room);
    json_members_merge(members);
    buf_u8(out, '{');
    for (uint32_t i = 0; i < members->count && good; i++) {
        if (members->equal.first[i] != i)
            continue;
        if (i > 0)
            buf_u8(out, ',');
        json_print_string(out, members->names[i]);
        buf_u8(out, ':');
        good = json_text_put(&concat->text, members->values[i]);
    }
    buf_u8(out, '}');
    return good;
}

static bool json_concat_arrays(JsonConcat *concat, uint32_t count) {
    Buf *out = &concat->text.out;
    bool good = true, started = false;
    buf_u8(out, '[');
    for (uint32_t i = 0; i < count && good; i++) {
        Bytes value = concat->values[i];
        JsonWalk walk = {.broken = true};
        JsonItem item = {.value = value};
        bool array = value.data[0] == '[';
        if (array)
            json_walk_open(&walk, value, 0);
        for (bool more = !array || json_walk_next(&walk, &item); more && good;
             more = array && json_walk_next(&walk, &item)) {
            if (started)
                buf_u8(out, ',');
            started = true;
            good = json_text_put(&concat->text, item.value);
        }
    }
    buf_u8(out, ']');
    return good;
}

void json_concat(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    JsonConcat concat = {.text = {.plain = true}, .room = {.arena = call->arena}};
    concat.values = arena_array(call->arena, call->arg_count, sizeof *concat.values);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        bool objects;
        if (!json_concat_values(call, row, &concat, &objects))
            continue;
        buf_reset(&concat.text.out);
        bool good = call->arg_count == 1 ? json_text_put(&concat.text, concat.values[0])
                    : objects            ? json_concat_objects(&concat, call->arg_count)
                                         : json_concat_arrays(&concat, call->arg_count);
        if (!good)
            call->fail(call->context, row, "a number's exponent is too large to write it out");
        else if (!function_too_long(call, row, concat.text.out.size))
            function_put_bytes(call, row, function_room_copy(&room, buf_view(&concat.text.out)));
    }
    json_text_free(&concat.text);
    json_members_free(&concat.members);
}
