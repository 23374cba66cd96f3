/*
 * function_text.c - functions of texts and bytes, over UTF-16 units as in Java.
 */
#include <string.h>

#include "tests/interp/function.h"

static RefText joined(const RefCall *call, size_t width) {
    uint32_t size = 0;
    for (uint32_t i = 0; i < call->count; i++)
        size += call->args[i].present ? call->args[i].text.size : 0;
    uint8_t *memory = ref_alloc(size * width), *at = memory;
    for (uint32_t i = 0; i < call->count; i++) {
        const RefText *text = &call->args[i].text;
        if (!call->args[i].present || text->size == 0)
            continue;
        memcpy(at, width == 2 ? (const void *)text->units : text->bytes, text->size * width);
        at += text->size * width;
    }
    return (RefText){.units = (uint16_t *)memory, .bytes = memory, .size = size};
}

bool ref_text_concat(const RefCall *call, RefValue *out) {
    *out = (RefValue){.present = true, .text = joined(call, 2)};
    return true;
}

bool ref_bytes_concat(const RefCall *call, RefValue *out) {
    *out = (RefValue){.present = true, .text = joined(call, 1)};
    return true;
}

bool ref_text_len(const RefCall *call, RefValue *out) {
    *out = ref_of_integer(call->args[0].text.size);
    return true;
}

/* Where the part begins and how long it is. */
static void part_of(const RefCall *call, uint32_t *from, uint32_t *size) {
    int64_t all = call->args[0].text.size, start = call->args[1].integer, length = all;
    if (call->count > 2)
        length = call->args[2].integer < 0 ? 0 : call->args[2].integer;
    start = start < 0 ? all + start : start > 0 ? start - 1 : 0;
    start = start < 0 ? 0 : start > all ? all : start;
    *from = (uint32_t)start;
    *size = (uint32_t)(length < all - start ? length : all - start);
}

bool ref_text_substring(const RefCall *call, RefValue *out) {
    uint32_t from, size;
    part_of(call, &from, &size);
    *out = ref_of_units(call->args[0].text.units + from, size);
    return true;
}

bool ref_bytes_substring(const RefCall *call, RefValue *out) {
    uint32_t from, size;
    part_of(call, &from, &size);
    *out = ref_of_bytes(call->args[0].text.bytes + from, size);
    return true;
}

bool ref_text_trim(const RefCall *call, RefValue *out) {
    RefText text = ref_trim(call->args[0].text);
    *out = ref_of_units(text.units, text.size);
    return true;
}

/* String.replace(): an empty text is found before each unit and at the end. */
bool ref_text_replace(const RefCall *call, RefValue *out) {
    RefText text = call->args[0].text, old = call->args[1].text, new = call->args[2].text;
    uint16_t *units = ref_alloc(((size_t)text.size + 1) * (new.size + 1u) * 2);
    uint32_t count = 0;
    for (uint32_t at = 0; at <= text.size;) {
        bool found = at + old.size <= text.size &&
                     (old.size == 0 ||
                      memcmp(text.units + at, old.units, (size_t)old.size * 2) == 0);
        for (uint32_t i = 0; found && i < new.size; i++)
            units[count++] = new.units[i];
        if (at < text.size && (!found || old.size == 0))
            units[count++] = text.units[at];
        at += found && old.size > 0 ? old.size : 1;
    }
    *out = ref_of_units(units, count);
    return true;
}
