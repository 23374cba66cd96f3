/*
 * base64.c - see base64.h. Three bytes, four characters; the last group may be shorter.
 */
#include "base/base64.h"

#include <assert.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(Buf *out, Bytes bytes) {
    assert(out && (bytes.data || bytes.size == 0));
    uint8_t *at = buf_room(out, ((size_t)bytes.size + 2) / 3 * 4);
    uint32_t i = 0;
    for (; i < bytes.size; i += 3) {
        uint32_t left = bytes.size - i, group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        *at++ = (uint8_t)base64_alphabet[group >> 18];
        *at++ = (uint8_t)base64_alphabet[group >> 12 & 63];
        *at++ = left > 1 ? (uint8_t)base64_alphabet[group >> 6 & 63] : '=';
        *at++ = left > 2 ? (uint8_t)base64_alphabet[group & 63] : '=';
    }
    out->size += ((size_t)bytes.size + 2) / 3 * 4;
}

/* 0 to 63, or over it: not of the alphabet. */
static uint32_t base64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_parse(Bytes text, uint8_t *target, uint32_t *size) {
    assert(size);
    uint32_t length = text.size, written = 0;
    if (length > 0 && length % 4 == 0 && text.data[length - 1] == '=')
        length -= text.data[length - 2] == '=' ? 2 : 1;
    if (length % 4 == 1)
        return false;
    for (uint32_t i = 0; i < length; i += 4) {
        uint32_t count = length - i < 4 ? length - i : 4, group = 0;
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t value = k < count ? base64_value(text.data[i + k]) : 0;
            if (value > 63)
                return false;
            group = group << 6 | value;
        }
        for (uint32_t k = 0; k < count - 1; k++, written++)
            if (target)
                target[written] = (uint8_t)(group >> (16 - 8 * k));
    }
    *size = written;
    return true;
}
