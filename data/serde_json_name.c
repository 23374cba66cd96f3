/*
 * serde_json_name.c - which field a member name means, and which name will come next.
 *
 * Records of a topic mostly have the same members in the same order. Each object therefore keeps
 * the member texts that it met ("name": with quotes and colon), each with the one that followed it
 * last time; a right guess costs one comparison of 16 bytes. A wrong one is looked up by hash among
 * the known texts, and only a new text is resolved: first the exact name, then its upper case.
 * Upper case is that of ASCII letters: names beyond them are matched exactly or not at all.
 * What is remembered is bounded, so that names made up for each record cost time but no memory.
 */
#include <assert.h>

#include "base/hash.h"
#include "data/serde_json_impl.h"

/* == Fields by name == */

static uint32_t json_power_of_two(uint32_t least) {
    assert(least <= UINT32_MAX / 2);
    uint32_t size = 4;
    while (size < least)
        size *= 2;
    return size;
}

static int32_t json_shape_find(const JsonField *object, Bytes name) {
    assert(object->shape && (name.data || name.size == 0));
    const JsonShape *shape = object->shape;
    uint32_t at = (uint32_t)hash_bytes(name) & shape->names_mask;
    for (; shape->names[at]; at = (at + 1) & shape->names_mask) {
        uint32_t field = shape->names[at] - 1U;
        if (bytes_equal(object->children[field].name, name))
            return (int32_t)field;
    }
    return JSON_UNKNOWN;
}

static void json_shape_add_field(JsonField *object, JsonShape *shape, uint32_t field) {
    assert(field < object->child_count);
    uint32_t at = (uint32_t)hash_bytes(object->children[field].name) & shape->names_mask;
    while (shape->names[at])
        at = (at + 1) & shape->names_mask;
    shape->names[at] = (uint16_t)(field + 1);
}

JsonMeaning json_shape_meaning(const JsonField *object, Bytes name) {
    assert(object->kind == TYPE_STRUCT);
    JsonMeaning meaning = {json_shape_find(object, name), JSON_UNKNOWN};
    if (name.size > NAME_BYTES_MAX)
        return meaning;
    uint8_t upper[NAME_BYTES_MAX];
    bool other = false;
    for (uint32_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool lower = c >= 'a' && c <= 'z';
        upper[i] = lower ? (uint8_t)(c - 'a' + 'A') : c;
        other |= lower;
    }
    if (other)
        meaning.upper = json_shape_find(object, (Bytes){upper, name.size});
    return meaning;
}

/* What the fast pass makes of it. */
static int32_t json_shape_field(const JsonField *object, Bytes name) {
    JsonMeaning meaning = json_shape_meaning(object, name);
    if (meaning.exact == JSON_UNKNOWN)
        return meaning.upper;
    return meaning.upper == JSON_UNKNOWN ? meaning.exact : JSON_SHARED;
}

/* == Members by text == */

static uint32_t json_shape_slot(const JsonShape *shape, Bytes text) {
    assert(text.size > 0);
    uint32_t at = (uint32_t)hash_bytes(text) & shape->table_mask;
    for (; shape->table[at]; at = (at + 1) & shape->table_mask) {
        const JsonMember *member = &shape->members[shape->table[at] - 1];
        if (bytes_equal((Bytes){member->text, member->size}, text))
            break;
    }
    return at;
}

/* NULL: there is no room for it. */
static JsonMember *json_shape_add(const JsonField *object, JsonShape *shape, Bytes text,
                                  int32_t field) {
    uint32_t known = shape->count - shape->unknown_count;
    bool full = field == JSON_UNKNOWN ? shape->unknown_count >= JSON_UNKNOWN_MEMBERS
                                      : known >= 2 * object->child_count;
    if (full || text.size > JSON_MEMBER_TEXT)
        return NULL;
    uint32_t slot = json_shape_slot(shape, text);
    assert(!shape->table[slot]);
    JsonMember *member = &shape->members[shape->count++];
    memcpy(member->text, text.data, text.size);
    member->size = (uint16_t)text.size;
    member->care = (uint16_t)(text.size >= 16 ? 0xffffU : (1U << text.size) - 1);
    member->field = field;
    member->next = shape->count - 1;
    shape->unknown_count += field == JSON_UNKNOWN;
    shape->table[slot] = (uint16_t)shape->count;
    return member;
}

/* The empty name is the first member of all: there is always one to guess. */
JsonShape *json_shape_new(Arena *arena, const JsonField *object) {
    uint32_t fields = object->child_count, members = 2 * fields + JSON_UNKNOWN_MEMBERS + 1;
    assert(members < UINT16_MAX);
    JsonShape *shape = arena_alloc(arena, sizeof *shape);
    shape->members = arena_array(arena, members, sizeof *shape->members);
    shape->table_mask = json_power_of_two(2 * members) - 1;
    shape->table = arena_array(arena, (size_t)shape->table_mask + 1, sizeof *shape->table);
    shape->names_mask = json_power_of_two(2 * fields) - 1;
    shape->names = arena_array(arena, (size_t)shape->names_mask + 1, sizeof *shape->names);
    JsonField named = *object;
    named.shape = shape;
    for (uint32_t i = 0; i < fields; i++)
        json_shape_add_field(&named, shape, i);
    json_shape_add(&named, shape, bytes_of("\"\":"), json_shape_field(&named, bytes_of("")));
    assert(shape->count == 1);
    return shape;
}

/* == Learning == */

/* The member whose name is raw[0..size) between quotes; `text` is what it is remembered by. */
static JsonMember *json_shape_resolve(Decoder *json, JsonField *object, Bytes text, Bytes raw,
                                      bool escaped) {
    assert(object->shape && raw.data);
    JsonShape *shape = object->shape;
    Bytes name = raw;
    if (escaped) {
        uint8_t *room = json_room(json, raw.size);
        name = (Bytes){room, (uint32_t)(json_text_unescape(room, raw) - room)};
    }
    int32_t field = json_shape_field(object, name);
    JsonMember *member = text.data ? json_shape_add(object, shape, text, field) : NULL;
    if (!member) {
        member = &shape->other;
        member->field = field;
    }
    return member;
}

const uint8_t *json_shape_learn(Decoder *json, JsonField *object, const uint8_t *at,
                                JsonMember **member) {
    assert(at <= json->end && object->shape);
    const uint8_t *end = json->end, *start = at;
    if (at == end || *at != '"')
        return json_fault(json, "member name expected", at);
    bool escaped;
    at = json_string(json, at + 1, &escaped);
    if (!at)
        return NULL;
    Bytes raw = {start + 1, (uint32_t)(at - start - 1)};
    at++;
    Bytes text = {NULL, 0}; /* a colon that stands apart is not remembered */
    if (at < end && *at == ':')
        text = (Bytes){start, (uint32_t)(at + 1 - start)};
    at = json_space(at, end);
    if (at == end || *at != ':')
        return json_fault(json, "':' expected", at);
    JsonShape *shape = object->shape;
    uint16_t known = text.data && text.size <= JSON_MEMBER_TEXT
                         ? shape->table[json_shape_slot(shape, text)]
                         : 0;
    *member = known ? &shape->members[known - 1]
                    : json_shape_resolve(json, object, text, raw, escaped);
    return at + 1;
}
