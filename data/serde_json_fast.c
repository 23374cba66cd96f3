/*
 * serde_json_fast.c - one pass over the bytes that guesses that all is well.
 *
 * The next member is the one that followed last time; a value has the form that its type suggests;
 * no field comes twice. What does not fit the guess but is simple is done on the way, anything else
 * ends the pass with NULL, and the slow one looks at the record from the start: only it decides
 * that a record is bad. So this code may be strict where that is cheaper, never lax.
 */
#include <assert.h>

#include "data/number_impl.h"
#include "data/serde_json_impl.h"

#define JSON_LIKELY(condition) __builtin_expect(!!(condition), 1)

enum {
    JSON_DIGITS_SURE = 18, /* so many always fit 63 bits */
    JSON_MAP_COMPARED = 64, /* keys of a MAP that are compared with each other */
};

/* == Digits == */

static const uint64_t json_powers[JSON_DIGITS_SURE + 1] = {
    1U, 10U, 100U, 1000U, 10000U, 100000U, 1000000U, 10000000U, 100000000U, 1000000000U,
    10000000000U, 100000000000U, 1000000000000U, 10000000000000U, 100000000000000U,
    1000000000000000U, 10000000000000000U, 100000000000000000U, 1000000000000000000U,
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Eight digits, the first in the lowest byte: neighbours are joined to pairs, fours, eight. */
static inline uint64_t json_eight_digits(uint64_t digits) {
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ffU;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffffU;
    return (digits * 10000 + (digits >> 32)) & 0xffffffffU;
}

/* Up to eight digits at `at`, which has eight readable bytes. */
static inline uint32_t json_some_digits(const uint8_t *at, uint64_t *value) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word ^= 0x3030303030303030U;
    /* The first byte over 9 has its top bit set; later ones may be wrong by its carry. */
    uint64_t others = ((word + 0x7676767676767676U) | word) & 0x8080808080808080U;
    if (others == 0) {
        *value = json_eight_digits(word);
        return 8;
    }
    uint32_t bits = (uint32_t)__builtin_ctzll(others) & 0x38U; /* 8 for each digit before it */
    *value = bits ? json_eight_digits(word << (64 - bits)) : 0;
    return bits / 8;
}
#endif

/* The digits from `at` on; *value is right for JSON_DIGITS_SURE of them. Returns their end. */
static inline const uint8_t *json_digits(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    uint64_t sum = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (int i = 0; i < 2 && end - at >= 8; i++) {
        uint64_t part;
        uint32_t count = json_some_digits(at, &part);
        sum = sum * json_powers[count] + part;
        at += count;
        if (JSON_LIKELY(count < 8)) {
            *value = sum;
            return at;
        }
    }
#endif
    for (; at < end && (uint8_t)(*at - '0') <= 9; at++)
        sum = sum * 10 + (uint64_t)(*at - '0');
    *value = sum;
    return at;
}

/* == Scalars == */

/* Whatever is not in the form that its type suggests. */
static const uint8_t *json_fast_other(Decoder *json, JsonField *field, uint32_t slot,
                                      const uint8_t *at, uint32_t depth) {
    assert(at < json->end);
    const uint8_t *start = at;
    bool escaped, ok = true;
    switch (*at) {
    case 'n':
    case 't':
    case 'f':
        at = json_literal(json, at);
        ok = at && (*start == 'n' || json_value_boolean(json, field, slot, *start == 't'));
        break;
    case '"':
        at = json_string(json, at + 1, &escaped);
        if (!at)
            return NULL;
        ok = json_value_string(json, field, slot, (Bytes){start + 1, (uint32_t)(at - start - 1)},
                               escaped);
        at++;
        break;
    case '{':
    case '[':
        at = field->kind == TYPE_STRING ? json_skip(json, at, depth) : NULL;
        ok = at && json_value_nested_text(json, field, slot,
                                          (Bytes){start, (uint32_t)(at - start)});
        break;
    default:
        at = json_number(json, at);
        ok = at && json_value_number(json, field, slot, (Bytes){start, (uint32_t)(at - start)});
    }
    return ok ? at : NULL;
}

static inline bool json_goes_on(const uint8_t *at, const uint8_t *end) {
    return at < end && (*at == '.' || (*at | 0x20) == 'e');
}

static inline const uint8_t *json_fast_integer(Decoder *json, JsonField *field, uint32_t slot,
                                               const uint8_t *at) {
    const uint8_t *first = at + (*at == '-');
    uint64_t magnitude;
    const uint8_t *next = json_digits(first, json->end, &magnitude);
    ptrdiff_t count = next - first;
    if (!JSON_LIKELY(count > 0 && count <= JSON_DIGITS_SURE && (*first != '0' || count == 1) &&
                     !json_goes_on(next, json->end)))
        return json_fast_other(json, field, slot, at, 0);
    int64_t value = first == at ? (int64_t)magnitude : -(int64_t)magnitude;
    if (JSON_LIKELY(field->kind == TYPE_BIGINT)) {
        if (field->used) {
            field->i64[slot] = value;
            json_column_present(field, slot);
        }
        return next;
    }
    return json_value_i64(json, field, slot, value) ? next : NULL;
}

static inline const uint8_t *json_fast_double(Decoder *json, JsonField *field, uint32_t slot,
                                              const uint8_t *at) {
    const uint8_t *first = at + (*at == '-'), *end = json->end;
    uint64_t mantissa, fraction = 0;
    const uint8_t *next = json_digits(first, end, &mantissa);
    ptrdiff_t count = next - first, places = 0;
    bool ok = count > 0 && (*first != '0' || count == 1);
    if (next < end && *next == '.') {
        const uint8_t *point = next + 1;
        next = json_digits(point, end, &fraction);
        places = next - point;
        ok = ok && places > 0;
    }
    if (!JSON_LIKELY(ok && count + places <= JSON_DIGITS_SURE && !json_goes_on(next, end)))
        return json_fast_other(json, field, slot, at, 0);
    if (field->used) {
        NumberParts parts = {mantissa * json_powers[places] + fraction, -(int32_t)places, false};
        double value = number_to_double(&parts, (Bytes){NULL, 0});
        field->f64[slot] = first == at || parts.mantissa == 0 ? value : -value;
        json_column_present(field, slot);
    }
    return next;
}

static inline const uint8_t *json_fast_string(Decoder *json, JsonField *field, uint32_t slot,
                                              const uint8_t *at, uint32_t depth) {
    if (!JSON_LIKELY(*at == '"'))
        return json_fast_other(json, field, slot, at, depth);
    bool escaped;
    const uint8_t *close = json_string(json, at + 1, &escaped);
    if (!close)
        return NULL;
    if (field->used) {
        Bytes raw = {at + 1, (uint32_t)(close - at - 1)};
        field->bytes[slot] = escaped ? json_text_string(json, raw, escaped) : raw;
        json_column_present(field, slot);
    }
    return close + 1;
}

/* == Objects and arrays == */

/* Reads the name of a member: the guess where it is right. */
static inline const uint8_t *json_fast_name(Decoder *json, JsonField *object, const uint8_t *at,
                                            uint32_t *guess, JsonMember **member) {
    assert(*guess < object->shape->count);
    JsonShape *shape = object->shape;
    JsonMember *guessed = &shape->members[*guess];
    if (JSON_LIKELY(json_member_is(guessed, at, json->end))) {
        *member = guessed;
        return at + guessed->size;
    }
    at = json_shape_learn(json, object, at, member);
    if (at && *member != &shape->other)
        *guess = (uint32_t)(*member - shape->members);
    return at;
}

static const uint8_t *json_fast_struct(Decoder *json, JsonField *object, uint32_t slot,
                                       const uint8_t *at, uint32_t depth) {
    assert(at < json->end && object->kind == TYPE_STRUCT);
    const uint8_t *end = json->end;
    if (*at != '{' || depth >= ROW_NESTING_MAX)
        return *at == 'n' ? json_fast_other(json, object, slot, at, depth) : NULL;
    uint64_t stamp = ++json->stamp;
    uint32_t *guess = &object->shape->first;
    if (object->used)
        json_column_present(object, slot);
    at = json_space(at + 1, end);
    if (at < end && *at == '}')
        return at + 1;
    for (;;) {
        JsonMember *member;
        at = json_fast_name(json, object, at, guess, &member);
        if (!at)
            return NULL;
        at = json_space(at, end);
        if (depth == 0 && json->track.learning)
            json_track_note(json, member,
                            member->field < 0 ? NULL : &object->children[member->field]);
        if (member->field == JSON_UNKNOWN) {
            at = json_skip(json, at, depth + 1);
        } else {
            if (member->field == JSON_SHARED || at == end)
                return NULL;
            JsonField *field = &object->children[member->field];
            if (field->stamp == stamp)
                return NULL;
            field->stamp = stamp;
            at = json_fast_value(json, field, slot, at, depth + 1);
        }
        if (!at)
            return NULL;
        at = json_space(at, end);
        if (at == end)
            return NULL;
        if (*at != ',')
            return *at == '}' ? at + 1 : NULL;
        at = json_space(at + 1, end);
        guess = &member->next;
    }
}

static const uint8_t *json_fast_array(Decoder *json, JsonField *field, uint32_t slot,
                                      const uint8_t *at, uint32_t depth) {
    assert(at < json->end && field->child_count == 1);
    const uint8_t *end = json->end;
    if (*at != '[' || depth >= ROW_NESTING_MAX)
        return *at == 'n' ? json_fast_other(json, field, slot, at, depth) : NULL;
    JsonField *element = &field->children[0];
    uint32_t from = element->length;
    at = json_space(at + 1, end);
    bool more = at < end && *at != ']';
    while (more) {
        if (at == end)
            return NULL;
        at = json_fast_value(json, element, json_column_append(json, element), at, depth + 1);
        if (!at)
            return NULL;
        at = json_space(at, end);
        more = at < end && *at == ',';
        if (more)
            at = json_space(at + 1, end);
    }
    if (at == end || *at != ']')
        return NULL;
    if (field->used)
        json_column_range(field, slot, from);
    return at + 1;
}

/* Whether a key is there twice, or there are too many to say. */
static bool json_fast_key_again(const JsonField *key, uint32_t from, Bytes name) {
    assert(from < key->length && key->used);
    if (key->length - from > JSON_MAP_COMPARED)
        return true;
    for (uint32_t i = from; i + 1 < key->length; i++)
        if (bytes_equal(key->bytes[i], name))
            return true;
    return false;
}

/* One key, colon and all, into its column. */
static const uint8_t *json_fast_key(Decoder *json, JsonField *key, uint32_t from,
                                    const uint8_t *at) {
    assert(key->kind == TYPE_STRING);
    const uint8_t *end = json->end;
    if (at == end || *at != '"')
        return NULL;
    uint32_t slot = json_column_append(json, key);
    bool escaped;
    const uint8_t *close = json_string(json, at + 1, &escaped);
    if (!close)
        return NULL;
    if (key->used) {
        Bytes raw = {at + 1, (uint32_t)(close - at - 1)};
        Bytes name = json_text_string(json, raw, escaped);
        if (json_fast_key_again(key, from, name))
            return NULL;
        key->bytes[slot] = name;
        json_column_present(key, slot);
    }
    at = json_space(close + 1, end);
    return at < end && *at == ':' ? json_space(at + 1, end) : NULL;
}

static const uint8_t *json_fast_map(Decoder *json, JsonField *field, uint32_t slot,
                                    const uint8_t *at, uint32_t depth) {
    assert(at < json->end && field->child_count == 2);
    const uint8_t *end = json->end;
    if (*at != '{' || depth >= ROW_NESTING_MAX)
        return *at == 'n' ? json_fast_other(json, field, slot, at, depth) : NULL;
    JsonField *key = &field->children[0], *value = &field->children[1];
    uint32_t from = key->length;
    at = json_space(at + 1, end);
    bool more = at < end && *at != '}';
    while (more) {
        at = json_fast_key(json, key, from, at);
        if (!at || at == end)
            return NULL;
        at = json_fast_value(json, value, json_column_append(json, value), at, depth + 1);
        if (!at)
            return NULL;
        at = json_space(at, end);
        more = at < end && *at == ',';
        if (more)
            at = json_space(at + 1, end);
    }
    if (at == end || *at != '}')
        return NULL;
    if (field->used)
        json_column_range(field, slot, from);
    return at + 1;
}

const uint8_t *json_fast_value(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at,
                               uint32_t depth) {
    assert(at < json->end);
    switch (field->kind) {
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return json_fast_integer(json, field, slot, at);
    case TYPE_DOUBLE:
        return json_fast_double(json, field, slot, at);
    case TYPE_STRING:
        return json_fast_string(json, field, slot, at, depth);
    case TYPE_STRUCT:
        return json_fast_struct(json, field, slot, at, depth);
    case TYPE_ARRAY:
        return json_fast_array(json, field, slot, at, depth);
    case TYPE_MAP:
        return json_fast_map(json, field, slot, at, depth);
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_DECIMAL:
    case TYPE_BYTES:
        break;
    }
    return json_fast_other(json, field, slot, at, depth);
}
