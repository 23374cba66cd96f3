/*
 * url.c - the parts of a URL, and what forms write for a text.
 *
 * Paths, queries and fragments come without their %XX; hosts and schemes as they are written.
 */
#include "base/utf8.h"
#include "udf/url_impl.h"

/* A run of %XX at `at` as bytes at `target`; returns how many. In forms Java reads "%+A" too: it
 * takes XX for a number that may have a sign. */
static uint32_t url_percent_run(Bytes text, uint32_t at, uint8_t *target) {
    uint32_t count = 0;
    for (; text.size - at >= 3 && text.data[at] == '%'; at += 3) {
        int32_t high = bytes_hex_digit(text.data[at + 1]), low = bytes_hex_digit(text.data[at + 2]);
        if (text.data[at + 1] == '+')
            high = 0;
        if (high < 0 || low < 0)
            break;
        target[count++] = (uint8_t)(high * 16 + low);
    }
    return count;
}

/* Without its %XX; a byte of a run may become three. */
static Bytes url_decoded(FunctionRoom *room, Bytes text) {
    if (text.size == 0 || !memchr(text.data, '%', text.size))
        return text;
    uint8_t *target = function_room(room, (size_t)text.size * 2);
    uint8_t *next = target, *run = target + text.size;
    for (uint32_t at = 0; at < text.size;) {
        uint32_t count = text.data[at] == '%' ? url_percent_run(text, at, run) : 0;
        if (count == 0)
            *next++ = text.data[at++];
        else
            next += utf8_repair(next, (Bytes){run, count});
        at += count * 3;
    }
    return function_room_take(room, (size_t)(next - target));
}

/* == Parts == */

typedef enum UrlPart {
    URL_PART_SCHEME,
    URL_PART_HOST,
    URL_PART_PATH,
    URL_PART_QUERY,
    URL_PART_FRAGMENT,
} UrlPart;

/* The parts of a row's URL; false: reported. */
static bool url_row(const FunctionCall *call, uint32_t row, Url *url) {
    Bytes text = call->args[0]->bytes[row];
    if (!text.data)
        text.data = (const uint8_t *)"";
    if (url_parse(text, url))
        return true;
    call->fail(call->context, row, "URL input has invalid syntax: %.*s",
               text.size > 100 ? 100 : (int)text.size, (const char *)text.data);
    return false;
}

static Bytes url_part(const Url *url, UrlPart part) {
    switch (part) {
    case URL_PART_SCHEME: return url->scheme;
    case URL_PART_HOST: return url->host;
    case URL_PART_PATH: return url->path;
    case URL_PART_QUERY: return url->query;
    case URL_PART_FRAGMENT: return url->fragment;
    }
    return (Bytes){0};
}

static void url_extract(const FunctionCall *call, UrlPart part) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Url url;
        if (!url_row(call, call->rows[i], &url))
            continue;
        Bytes found = url_part(&url, part);
        if (found.data && part >= URL_PART_PATH)
            found = url_decoded(&room, found);
        if (found.data)
            function_put_bytes(call, call->rows[i], found);
    }
}

void url_extract_protocol(const FunctionCall *call) {
    assert(call->arg_count == 1);
    url_extract(call, URL_PART_SCHEME);
}

void url_extract_host(const FunctionCall *call) {
    assert(call->arg_count == 1);
    url_extract(call, URL_PART_HOST);
}

void url_extract_path(const FunctionCall *call) {
    assert(call->arg_count == 1);
    url_extract(call, URL_PART_PATH);
}

void url_extract_query(const FunctionCall *call) {
    assert(call->arg_count == 1);
    url_extract(call, URL_PART_QUERY);
}

void url_extract_fragment(const FunctionCall *call) {
    assert(call->arg_count == 1);
    url_extract(call, URL_PART_FRAGMENT);
}

void url_extract_port(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Url url;
        if (url_row(call, call->rows[i], &url) && url.port >= 0)
            function_put_i32(call, call->rows[i], url.port);
    }
}

/* The value of the first parameter of this name in a decoded query; data NULL: none. */
static Bytes url_find_parameter(Bytes query, Bytes name) {
    for (uint32_t from = 0; from <= query.size;) {
        const uint8_t *start = query.data + from;
        uint32_t left = query.size - from;
        const uint8_t *end = left ? memchr(start, '&', left) : NULL;
        uint32_t size = end ? (uint32_t)(end - start) : left;
        const uint8_t *equals = size ? memchr(start, '=', size) : NULL;
        uint32_t name_size = equals ? (uint32_t)(equals - start) : size;
        if (bytes_equal((Bytes){start, name_size}, name))
            return equals ? (Bytes){equals + 1, size - name_size - 1} : (Bytes){start, 0};
        from += size + 1;
    }
    return (Bytes){0};
}

void url_extract_parameter(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Url url;
        if (!url_row(call, call->rows[i], &url) || !url.query.data)
            continue;
        Bytes found = url_find_parameter(url_decoded(&room, url.query),
                                         call->args[1]->bytes[call->rows[i]]);
        if (found.data)
            function_put_bytes(call, call->rows[i], found);
    }
}

/* == Forms == */

static bool url_is_safe(uint8_t byte) {
    uint8_t letter = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (letter >= 'a' && letter <= 'z') || byte == '-' ||
           byte == '_' || byte == '.' || byte == '*';
}

static Bytes url_encoded(FunctionRoom *room, Bytes text) {
    static const char digits[] = "0123456789ABCDEF";
    uint8_t *target = function_room(room, (size_t)text.size * 3);
    size_t size = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (url_is_safe(byte) || byte == ' ') {
            target[size++] = byte == ' ' ? '+' : byte;
            continue;
        }
        target[size++] = '%';
        target[size++] = (uint8_t)digits[byte >> 4];
        target[size++] = (uint8_t)digits[byte & 15];
    }
    return function_room_take(room, size);
}

void url_encode_param(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        if (!function_too_long(call, call->rows[i], (uint64_t)text.size * 3))
            function_put_bytes(call, call->rows[i], url_encoded(&room, text));
    }
}

void url_decode_param(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        uint8_t *target = function_room(&room, (size_t)text.size * 2);
        uint8_t *next = target, *run = target + text.size;
        uint32_t at = 0;
        while (at < text.size) {
            uint32_t count = text.data[at] == '%' ? url_percent_run(text, at, run) : 0;
            if (count > 0) {
                next += utf8_repair(next, (Bytes){run, count});
                at += count * 3;
            } else if (text.data[at] != '%') {
                *next++ = text.data[at] == '+' ? ' ' : text.data[at];
                at++;
            } else {
                break;
            }
        }
        if (at < text.size)
            call->fail(call->context, call->rows[i], "no two hexadecimal digits behind a %%");
        else
            function_put_bytes(call, call->rows[i],
                               function_room_take(&room, (size_t)(next - target)));
    }
}
