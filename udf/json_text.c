/*
 * json_text.c - JSON values written anew, as Jackson writes what it has read: without white space,
 * strings with the fewest escapes, numbers as Java prints them, each member once.
 *
 * A member that comes again takes the place of the first and the value of the last. That is found
 * out when an object closes; only then is it written a second time.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "udf/json_impl.h"

/* Where it stands in `out`. */
struct JsonFrame {
    size_t start;
    uint32_t first_member;
    bool object;
};

struct JsonMember {
    size_t name, value, end; /* "name":value */
};

/* == Names == */

enum { JSON_NAMES_FEW = 12 }; /* so many are compared with each other, more go through a table */

static bool names_merge_few(JsonNames *names, const Bytes *texts, uint32_t count) {
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        names->first[i] = i;
        for (uint32_t k = 0; k < i && names->first[i] == i; k++)
            if (bytes_equal(texts[k], texts[i]))
                names->first[i] = k;
        any |= names->first[i] != i;
    }
    return any;
}

static bool names_merge_many(JsonNames *names, const Bytes *texts, uint32_t count) {
    bool any = false;
    uint32_t mask = 31;
    while (mask < 2 * count)
        mask = mask * 2 + 1;
    names->table = mem_grow(names->table, &names->table_capacity, (size_t)mask + 1,
                            sizeof *names->table);
    memset(names->table, 0, ((size_t)mask + 1) * sizeof *names->table);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)hash_bytes(texts[i]) & mask;
        while (names->table[at] && !bytes_equal(texts[names->table[at] - 1], texts[i]))
            at = (at + 1) & mask;
        names->first[i] = names->table[at] ? names->table[at] - 1 : i;
        any |= names->first[i] != i;
        names->table[at] = names->first[i] + 1;
    }
    return any;
}

bool json_names_merge(JsonNames *names, const Bytes *texts, uint32_t count) {
    names->first = mem_grow(names->first, &names->capacity, count, sizeof *names->first);
    return count <= JSON_NAMES_FEW ? names_merge_few(names, texts, count)
                                   : names_merge_many(names, texts, count);
}

void json_names_free(JsonNames *names) {
    mem_free(names->first);
    mem_free(names->table);
    *names = (JsonNames){0};
}

void json_text_free(JsonText *text) {
    buf_free(&text->out);
    buf_free(&text->scratch);
    mem_free(text->frames);
    mem_free(text->members);
    mem_free(text->texts);
    json_names_free(&text->names);
    *text = (JsonText){0};
}

/* == Objects == */

/* Writes the object that closes anew: names->first is set. */
static void text_rewrite(JsonText *text, const JsonFrame *frame, uint32_t count) {
    JsonMember *members = text->members + frame->first_member;
    const uint32_t *first = text->names.first;
    for (uint32_t i = 0; i < count; i++) { /* the last value of each */
        members[first[i]].value = members[i].value;
        members[first[i]].end = members[i].end;
    }
    buf_reset(&text->scratch);
    for (uint32_t i = 0; i < count; i++) {
        if (first[i] != i)
            continue;
        if (i > 0)
            buf_u8(&text->scratch, ',');
        buf_bytes(&text->scratch, text->texts[i]);
        buf_u8(&text->scratch, ':');
        buf_put(&text->scratch, text->out.data + members[i].value,
                members[i].end - members[i].value);
    }
    text->out.size = frame->start + 1;
    buf_bytes(&text->out, buf_view(&text->scratch));
}

static void text_close_object(JsonText *text, const JsonFrame *frame) {
    uint32_t count = text->member_count - frame->first_member;
    const JsonMember *members = text->members + frame->first_member;
    if (count > 1) {
        text->texts = mem_grow(text->texts, &text->text_capacity, count, sizeof *text->texts);
        for (uint32_t i = 0; i < count; i++) {
            size_t size = members[i].value - 1 - members[i].name;
            text->texts[i] = (Bytes){text->out.data + members[i].name, (uint32_t)size};
        }
        if (json_names_merge(&text->names, text->texts, count))
            text_rewrite(text, frame, count);
    }
    text->member_count = frame->first_member;
}

/* == Pieces == */

Bytes json_text_inside(FunctionRoom *room, Bytes inside) {
    if (inside.size == 0 || !memchr(inside.data, '\\', inside.size))
        return inside;
    uint8_t *target = function_room(room, inside.size);
    return function_room_take(room, (size_t)(json_text_unescape(target, inside) - target));
}

static const uint8_t *text_string_end(const uint8_t *at) {
    while (*at != '"')
        at += *at == '\\' ? 2 : 1;
    return at;
}

/* From an opening quote to behind the closing one. */
static const uint8_t *text_put_string(JsonText *text, const uint8_t *at) {
    const uint8_t *stop = text_string_end(at + 1);
    Bytes inside = {at + 1, (uint32_t)(stop - at - 1)};
    if (!memchr(at, '\\', (size_t)(stop - at))) {
        buf_put(&text->out, at, (size_t)(stop - at) + 1);
        return stop + 1;
    }
    buf_reset(&text->scratch);
    uint8_t *target = buf_room(&text->scratch, inside.size);
    uint8_t *end = json_text_unescape(target, inside);
    json_print_string(&text->out, (Bytes){target, (uint32_t)(end - target)});
    return stop + 1;
}

static const uint8_t *text_word_end(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at != ',' && *at != ']' && *at != '}' && *at > ' ')
        at++;
    return at;
}

/* A number, true, false or null; NULL: it has no plain form. */
static const uint8_t *text_put_word(JsonText *text, const uint8_t *at, const uint8_t *end) {
    const uint8_t *stop = text_word_end(at, end);
    Bytes word = {at, (uint32_t)(stop - at)};
    assert(word.size > 0);
    if (*at >= 'a') {
        buf_bytes(&text->out, word);
    } else if (text->plain) {
        if (!json_print_plain(&text->out, word))
            return NULL;
    } else {
        uint8_t *target = buf_room(&text->out, (size_t)word.size + JSON_NUMBER_GROWTH);
        Bytes number = json_text_number(target, word);
        memmove(target, number.data, number.size);
        text->out.size += number.size;
    }
    return stop;
}

/* == Values == */

static void text_open(JsonText *text, bool object) {
    text->frames = mem_grow(text->frames, &text->frame_capacity, (size_t)text->frame_count + 1,
                            sizeof *text->frames);
    text->frames[text->frame_count++] = (JsonFrame){text->out.size, text->member_count, object};
    buf_u8(&text->out, object ? '{' : '[');
}

static void text_close(JsonText *text) {
    assert(text->frame_count > 0);
    JsonFrame *frame = &text->frames[--text->frame_count];
    if (frame->object)
        text_close_object(text, frame);
    buf_u8(&text->out, frame->object ? '}' : ']');
}

/* A member's name and colon; its value comes next. */
static const uint8_t *text_name(JsonText *text, const uint8_t *at) {
    text->members = mem_grow(text->members, &text->member_capacity,
                             (size_t)text->member_count + 1, sizeof *text->members);
    JsonMember *member = &text->members[text->member_count++];
    member->name = text->out.size;
    at = text_put_string(text, at);
    while (*at != ':')
        at++;
    buf_u8(&text->out, ':');
    member->value = text->out.size;
    return at + 1;
}

/* Behind a value inside an object. */
static void text_value_ends(JsonText *text) {
    const JsonFrame *frame =
        text->frame_count > 0 ? &text->frames[text->frame_count - 1] : NULL;
    if (frame && frame->object) {
        assert(text->member_count > frame->first_member);
        text->members[text->member_count - 1].end = text->out.size;
    }
}

bool json_text_put(JsonText *text, Bytes value) {
    const uint8_t *at = value.data, *end = at + value.size;
    bool name = false; /* a member's name comes next */
    text->frame_count = text->member_count = 0;
    while (at && at < end) {
        uint8_t byte = *at;
        if (byte <= ' ') {
            at++;
        } else if (byte == ',') {
            buf_u8(&text->out, ',');
            name = text->frames[text->frame_count - 1].object;
            at++;
        } else if (json_is_container(byte)) {
            text_open(text, byte == '{');
            name = byte == '{';
            at++;
        } else if (byte == '}' || byte == ']') {
            text_close(text);
            text_value_ends(text);
            at++;
        } else if (name) {
            at = text_name(text, at);
            name = false;
        } else {
            at = byte == '"' ? text_put_string(text, at) : text_put_word(text, at, end);
            text_value_ends(text);
        }
    }
    return at != NULL;
}
