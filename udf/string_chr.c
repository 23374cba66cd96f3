/*
 * string_chr.c - CHR: a character by number, or by Java's \u004B text.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

/* Half of a pair is '?': what Java writes for it in UTF-8. */
static uint32_t chr_put(uint8_t *target, uint32_t character) {
    return utf8_encode(target, character >= 0xD800 && character <= 0xDFFF ? '?' : character);
}

void string_chr_number(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int32_t number = call->args[0]->i32[call->rows[i]];
        if (number < 0 || number > 0x10FFFF)
            continue;
        uint32_t size = chr_put(function_room(&room, 4), (uint32_t)number);
        function_put_bytes(call, call->rows[i], function_room_take(&room, size));
    }
}

/* At \u, \uu, \u+ and so on: the four hexadecimal digits behind; *at goes past them. -1: they are
 * not there. */
static int32_t chr_unit(Bytes text, uint32_t *at) {
    int32_t unit = 0;
    uint32_t next = *at + 1;
    if (text.size - *at < 2 || text.data[*at] != '\\' || text.data[next] != 'u')
        return -1;
    while (next < text.size && text.data[next] == 'u')
        next++;
    next += next < text.size && text.data[next] == '+';
    for (uint32_t end = next + 4; next < end; next++) {
        int32_t digit = next < text.size ? bytes_hex_digit(text.data[next]) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    *at = next;
    return unit;
}

/* At a \u; returns bytes written, UINT32_MAX for a broken one. */
static uint32_t chr_unescape_unit(uint8_t *target, Bytes text, uint32_t *at) {
    int32_t unit = chr_unit(text, at);
    uint32_t behind = *at;
    if (unit < 0)
        return UINT32_MAX;
    int32_t low = unit >= 0xD800 && unit < 0xDC00 ? chr_unit(text, &behind) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return chr_put(target, (uint32_t)unit);
    *at = behind;
    return utf8_encode(target, 0x10000U + (uint32_t)((unit - 0xD800) << 10 | (low - 0xDC00)));
}

/* Up to three octal digits behind a backslash, at most 377. */
static uint32_t chr_unescape_octal(uint8_t *target, Bytes text, uint32_t *at) {
    uint32_t value = 0, next = *at + 1;
    for (uint32_t count = 0; count < 3 && next < text.size; count++, next++) {
        uint32_t digit = (uint32_t)text.data[next] - '0';
        if (digit > 7 || (count == 2 && value > 037))
            break;
        value = value * 8 + digit;
    }
    *at = next;
    return utf8_encode(target, value);
}

/* One escape or character at *at; returns bytes written, UINT32_MAX for a broken escape. */
static uint32_t chr_unescape_one(uint8_t *target, Bytes text, uint32_t *at) {
    static const char names[] = "btnfr", values[] = "\b\t\n\f\r";
    uint8_t byte = text.data[*at];
    uint8_t name = *at + 1 < text.size ? text.data[*at + 1] : 0;
    if (byte == '\\' && name == 'u')
        return chr_unescape_unit(target, text, at);
    if (byte == '\\' && name >= '0' && name <= '7')
        return chr_unescape_octal(target, text, at);
    if (byte != '\\') {
        *target = byte;
        (*at)++;
        return 1;
    }
    const char *found = name ? strchr(names, name) : NULL;
    bool quoted = found || name == '\\' || name == '"' || name == '\'';
    *at += quoted ? 2 : 1; /* before anything else a backslash goes away */
    *target = found ? (uint8_t)values[found - names] : name;
    return quoted;
}

void string_chr_text(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        if (text.size < 6 || text.data[0] != '\\' || text.data[1] != 'u')
            continue;
        uint8_t *target = function_room(&room, text.size);
        uint32_t size = 0, at = 0;
        while (at < text.size) {
            uint32_t written = chr_unescape_one(target + size, text, &at);
            if (written == UINT32_MAX)
                break;
            size += written;
        }
        if (at < text.size)
            call->fail(call->context, call->rows[i], "an escape needs four hexadecimal digits");
        else
            function_put_bytes(call, call->rows[i], function_room_take(&room, size));
    }
}
