/*
 * serde_json_slow.c - the pass that takes its time.
 *
 * Runs over records that the fast pass gave up on, after the whole record was found to be JSON. An
 * object's members are looked through first, so that each field gets the one that ksqlDB would
 * give it: the exact name before any other spelling, and of several the last. Then fields are
 * converted in the order of the type, and the first that does not fit is what is wrong.
 */
#include <assert.h>

#include "data/serde_json_impl.h"

static void json_step_in(Decoder *json, JsonStep step) {
    assert(json->path_size < sizeof json->path / sizeof *json->path);
    json->path[json->path_size++] = step;
}

/* One step deeper, named for messages. */
static bool json_slow_inner(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at,
                            JsonStep step) {
    assert(slot < UINT32_MAX && at < json->end);
    json_step_in(json, step);
    bool ok = json_slow_value(json, field, slot, at);
    if (ok) /* else the path has been printed, and the record is over */
        json->path_size--;
    return ok;
}

/* A value of that name: the exact one counts more than any other, the last more than the first. */
static void json_slow_note(JsonField *object, int32_t index, const uint8_t *at, bool exactly) {
    assert(index < (int32_t)object->child_count);
    if (index == JSON_UNKNOWN)
        return;
    JsonField *field = &object->children[index];
    if (!field->found || exactly || !field->found_exactly) {
        field->found = at;
        field->found_exactly = exactly;
    }
}

/* Notes at each field where the value is that it gets. */
static void json_slow_find(Decoder *json, JsonField *object, const uint8_t *at) {
    assert(*at == '{' && object->shape);
    const uint8_t *end = json->end;
    for (uint32_t i = 0; i < object->child_count; i++)
        object->children[i].found = NULL;
    at = json_space(at + 1, end);
    while (*at != '}') {
        bool escaped;
        const uint8_t *close = json_string(json, at + 1, &escaped);
        Bytes raw = {at + 1, (uint32_t)(close - at - 1)};
        Bytes name = json_text_string(json, raw, escaped);
        at = json_space(json_space(close + 1, end) + 1, end);
        JsonMeaning meaning = json_shape_meaning(object, name);
        json_slow_note(object, meaning.exact, at, true);
        json_slow_note(object, meaning.upper, at, false);
        at = json_space(json_skip(json, at, 0), end);
        if (*at == ',')
            at = json_space(at + 1, end);
    }
}

static bool json_slow_struct(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at) {
    assert(field->kind == TYPE_STRUCT);
    json_slow_find(json, field, at);
    if (field->used)
        json_column_present(field, slot);
    for (uint32_t i = 0; i < field->child_count; i++) {
        JsonField *child = &field->children[i];
        JsonStep step = {"", child->name, 0};
        if (child->found && !json_slow_inner(json, child, slot, child->found, step))
            return false;
    }
    return true;
}

static bool json_slow_array(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at) {
    assert(*at == '[' && field->child_count == 1);
    const uint8_t *end = json->end;
    JsonField *element = &field->children[0];
    uint32_t from = element->length;
    at = json_space(at + 1, end);
    for (uint32_t i = 0; *at != ']'; i++) {
        uint32_t place = json_column_append(json, element);
        if (!json_slow_inner(json, element, place, at, (JsonStep){"", {NULL, 0}, i}))
            return false;
        at = json_space(json_skip(json, at, 0), end);
        if (*at == ',')
            at = json_space(at + 1, end);
    }
    if (field->used)
        json_column_range(field, slot, from);
    return true;
}

static bool json_slow_map(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at) {
    assert(*at == '{' && field->child_count == 2);
    JsonField *key = &field->children[0], *value = &field->children[1];
    uint32_t from = key->length, count;
    JsonEntry *entries = json_text_members(json, at, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = json_column_append(json, key);
        json_column_append(json, value);
        if (key->used) {
            key->bytes[place] = entries[i].name;
            json_column_present(key, place);
        }
        JsonStep step = {".value", entries[i].name, 0};
        if (!json_slow_inner(json, value, place, entries[i].value, step))
            return false;
    }
    if (field->used)
        json_column_range(field, slot, from);
    return true;
}

static bool json_slow_string(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at) {
    assert(*at == '"');
    bool escaped;
    const uint8_t *close = json_string(json, at + 1, &escaped);
    Bytes raw = {at + 1, (uint32_t)(close - at - 1)};
    return json_value_string(json, field, slot, raw, escaped);
}

bool json_slow_value(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at) {
    assert(at < json->end);
    switch (*at) {
    case 'n':
        return true;
    case 't':
    case 'f':
        return json_value_boolean(json, field, slot, *at == 't');
    case '"':
        return json_slow_string(json, field, slot, at);
    case '{':
        if (field->kind == TYPE_STRUCT)
            return json_slow_struct(json, field, slot, at);
        if (field->kind == TYPE_MAP)
            return json_slow_map(json, field, slot, at);
        break;
    case '[':
        if (field->kind == TYPE_ARRAY)
            return json_slow_array(json, field, slot, at);
        break;
    default:
        break;
    }
    const uint8_t *end = json_skip(json, at, 0);
    Bytes text = {at, (uint32_t)(end - at)};
    if (*at == '{' || *at == '[')
        return json_value_nested_text(json, field, slot, text);
    return json_value_number(json, field, slot, text);
}
