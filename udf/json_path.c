/*
 * json_path.c - paths into JSON: $, then .name, [0] or ["any name"], as ksqlDB reads them.
 *
 * Names without quotes are letters, digits and '_', behind a point also ':'. In an array a step
 * must be a number, in an object it is a name, however it is written.
 */
#include "base/utf8.h"
#include "data/json_text.h"
#include "udf/json_impl.h"

typedef struct PathStep {
    Bytes name;
    int64_t index; /* -1: the name is no number */
} PathStep;

struct JsonPath {
    PathStep *steps;
    size_t capacity;
    uint32_t count;
};

/* == Reading == */

typedef struct PathReader {
    Bytes rest;
    Arena *arena;
} PathReader;

static bool path_take(PathReader *reader, uint8_t byte) {
    if (reader->rest.size == 0 || reader->rest.data[0] != byte)
        return false;
    reader->rest.data++;
    reader->rest.size--;
    return true;
}

/* Java looks at UTF-16 units, so that no character above U+FFFF is a letter. */
static bool path_is_name(uint32_t character, bool colon) {
    if (character == '_' || (character == ':' && colon))
        return true;
    return character <= 0xFFFF && utf8_kind(character) != UTF8_OTHER;
}

static Bytes path_plain_name(PathReader *reader, bool colon) {
    Bytes name = {reader->rest.data, 0};
    while (name.size < reader->rest.size) {
        uint32_t size;
        Bytes rest = {name.data + name.size, reader->rest.size - name.size};
        if (!path_is_name(utf8_decode(rest, &size), colon))
            break;
        name.size += size;
    }
    reader->rest.data += name.size;
    reader->rest.size -= name.size;
    return name;
}

/* Behind the opening quote; false: broken. */
static bool path_quoted_name(PathReader *reader, Bytes *name) {
    uint8_t *target = arena_alloc(reader->arena, reader->rest.size + 1U);
    *name = (Bytes){target, 0};
    while (reader->rest.size > 0 && reader->rest.data[0] != '"') {
        bool escape = path_take(reader, '\\');
        uint8_t byte = reader->rest.size > 0 ? reader->rest.data[0] : 0;
        if (reader->rest.size == 0 || (escape && byte != '"' && byte != '\\'))
            return false;
        target[name->size++] = byte;
        path_take(reader, byte);
    }
    return path_take(reader, '"');
}

static int64_t path_index(Bytes name) {
    int64_t index = 0;
    bool number = name.size > 0;
    for (uint32_t i = 0; i < name.size && number; i++) {
        number = name.data[i] >= '0' && name.data[i] <= '9';
        index = index * 10 + (name.data[i] - '0');
        number &= index <= INT32_MAX;
    }
    return number ? index : -1;
}

static bool path_step(PathReader *reader, JsonPath *path) {
    Bytes name;
    bool good = true, any = false;
    if (path_take(reader, '.')) {
        name = path_plain_name(reader, true);
    } else if (path_take(reader, '[')) {
        any = path_take(reader, '"');
        if (any)
            good = path_quoted_name(reader, &name);
        else
            name = path_plain_name(reader, false);
        good = good && path_take(reader, ']');
    } else {
        return false;
    }
    if (!good || (name.size == 0 && !any))
        return false;
    path->steps = arena_grow(reader->arena, path->steps, &path->capacity,
                             (size_t)path->count + 1, sizeof *path->steps);
    path->steps[path->count++] = (PathStep){name, path_index(name)};
    return true;
}

const JsonPath *json_path_new(Bytes text, Arena *arena) {
    PathReader reader = {{NULL, 0}, arena};
    JsonPath *path = arena_alloc(arena, sizeof *path);
    reader.rest = arena_bytes(arena, text);
    if (!path_take(&reader, '$'))
        return NULL;
    while (reader.rest.size > 0)
        if (!path_step(&reader, path))
            return NULL;
    return path;
}

/* == Following == */

static bool path_name_is(Bytes raw, Bytes name) {
    enum { PATH_NAME_MAX = 256 };
    if (raw.size == 0 || !memchr(raw.data, '\\', raw.size))
        return bytes_equal(raw, name);
    uint8_t text[PATH_NAME_MAX];
    if (raw.size > 6 * (uint64_t)name.size) /* \u0041 is the most that a byte takes */
        return false;
    if (raw.size <= sizeof text) {
        uint8_t *end = json_text_unescape(text, raw);
        return bytes_equal((Bytes){text, (uint32_t)(end - text)}, name);
    }
    Buf buf = {0};
    uint8_t *target = buf_room(&buf, raw.size);
    uint8_t *end = json_text_unescape(target, raw);
    bool same = bytes_equal((Bytes){target, (uint32_t)(end - target)}, name);
    buf_free(&buf);
    return same;
}

/* The item of an object or array that a step means. false: none, or broken. */
static bool path_follow(const PathStep *step, Bytes value, uint32_t depth, Bytes *found,
                        bool *broken) {
    JsonWalk walk;
    JsonItem item;
    bool any = false;
    json_walk_open(&walk, value, depth);
    for (int64_t index = 0; json_walk_next(&walk, &item); index++) {
        if (walk.object ? !path_name_is(item.name, step->name) : index != step->index)
            continue;
        *found = item.value;
        any = true;
    }
    *broken = walk.broken;
    return any && !walk.broken;
}

bool json_path_find(const JsonPath *path, Bytes text, Bytes *found, bool *broken) {
    const uint8_t *at = json_walk_begin(text);
    *broken = false;
    *found = (Bytes){text.data, 0};
    if (!at)
        return path->count == 0;
    if (path->count == 0 || !json_is_container(*at)) {
        *broken = json_walk_root(text, found) != JSON_ROOT_VALUE;
        return !*broken && path->count == 0;
    }
    Bytes value = {at, (uint32_t)(text.data + text.size - at)};
    for (uint32_t i = 0; i < path->count; i++) /* the first step checks all of the text */
        if (!json_is_container(value.data[0]) ||
            !path_follow(&path->steps[i], value, i, &value, broken))
            return false;
    *found = value;
    return true;
}
