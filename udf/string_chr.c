/*
 * string_chr.c - CHR: a character by number, or by Java's \u004B text.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

void string_chr_number(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int32_t number = call->args[0]->i32[call->rows[i]];
        if (number < 0 || number > 0x10FFFF)
            continue;
        uint32_t size = utf8_encode(function_room(&room, 4), (uint32_t)number);
        function_put_bytes(call, call->rows[i], function_room_take(&room, size));
    }
}

static int32_t chr_hex(uint8_t byte) {
    uint8_t letter = byte | 0x20;
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Four hexadecimal digits behind a \u at `at`; -1: they are not. */
static int32_t chr_unit(Bytes text, uint32_t at) {
    int32_t unit = 0;
    if (text.size - at < 6 || text.data[at] != '\\' || text.data[at + 1] != 'u')
        return -1;
    for (uint32_t i = at + 2; i < at + 6; i++) {
        int32_t digit = chr_hex(text.data[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* One escape or character at *at; returns bytes written, UINT32_MAX for a broken escape. */
static uint32_t chr_unescape_one(uint8_t *target, Bytes text, uint32_t *at) {
    static const char names[] = "btnfr", values[] = "\b\t\n\f\r";
    if (text.data[*at] != '\\' || *at + 1 == text.size) {
        *target = text.data[(*at)++];
        return 1;
    }
    uint8_t name = text.data[*at + 1];
    if (name == 'u') {
        int32_t unit = chr_unit(text, *at);
        if (unit < 0)
            return UINT32_MAX;
        *at += 6;
        int32_t low = unit >= 0xD800 && unit < 0xDC00 && *at < text.size ? chr_unit(text, *at) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return utf8_encode(target, (uint32_t)unit);
        *at += 6;
        return utf8_encode(target, 0x10000U + (uint32_t)((unit - 0xD800) << 10 | (low - 0xDC00)));
    }
    const char *found = strchr(names, name);
    *at += 2;
    *target = found && name ? (uint8_t)values[found - names] : name;
    return 1;
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
