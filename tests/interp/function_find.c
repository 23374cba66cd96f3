/*
 * function_find.c - functions that look for texts in texts, cut, pad and join them.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/interp/function.h"

static bool text_equal(RefText left, RefText right) {
    return ref_compare_text(left, right) == 0;
}

static RefText part(RefText text, uint32_t from, uint32_t size) {
    return (RefText){.units = text.units + from, .size = size};
}

/* Where `wanted` stands in `text` from `from` on; -1: nowhere. */
static int64_t find(RefText text, RefText wanted, uint32_t from) {
    for (uint32_t at = from; at + wanted.size <= text.size; at++) {
        if (text_equal(part(text, at, wanted.size), wanted))
            return at;
    }
    return -1;
}

static RefText reversed(RefText text) {
    uint16_t *units = ref_alloc((size_t)text.size * 2);
    for (uint32_t i = 0; i < text.size; i++)
        units[i] = text.units[text.size - 1 - i];
    return (RefText){.units = units, .size = text.size};
}

/* The n-th occurrence, which may overlap the one before, counted from a place that is counted from
 * the end where it is negative. */
bool ref_text_instr(const RefCall *call, RefValue *out) {
    int64_t position = 1, wanted = 1;
    *out = ref_of_integer(0);
    for (uint32_t i = 2; i < call->count; i++) {
        if (!call->args[i].present) /* a primitive parameter */
            return ref_null_argument(call);
        *(i == 2 ? &position : &wanted) = call->args[i].integer;
    }
    if (!call->args[0].present || !call->args[1].present)
        return true;
    RefText text = call->args[0].text, inner = call->args[1].text;
    if (llabs(position) > text.size)
        return true;
    call->run->vague |= position == INT32_MIN;
    /* What ordinalIndexOf() makes of an empty text, of place 0 and of the 0th is its own affair. */
    call->run->vague |= inner.size == 0 || position == 0 || wanted <= 0;
    bool back = position < 0;
    if (back) {
        text = reversed(text);
        inner = reversed(inner);
        position = -position;
        /* Pairs of surrogates are kept whole when a text is turned round. */
        for (uint32_t i = 0; i < text.size; i++)
            call->run->vague |= text.units[i] >= 0xD800 && text.units[i] < 0xE000;
    }
    int64_t at = position - 2;
    for (int64_t i = 0; i < wanted && !call->run->vague; i++) {
        at = find(text, inner, (uint32_t)(at + 1));
        if (at < 0)
            return true;
    }
    *out = ref_of_integer(back ? (int64_t)text.size - at - inner.size + 1 : at + 1);
    return true;
}

bool ref_text_field(const RefCall *call, RefValue *out) {
    *out = ref_of_integer(0);
    for (uint32_t i = 1; i < call->count && call->args[0].present; i++) {
        if (call->args[i].present && text_equal(call->args[0].text, call->args[i].text)) {
            out->integer = i;
            break;
        }
    }
    return true;
}

bool ref_text_elt(const RefCall *call, RefValue *out) {
    if (!call->args[0].present)
        return ref_null_argument(call);
    int64_t index = call->args[0].integer;
    if (index >= 1 && index < call->count)
        *out = call->args[index];
    return true;
}

static bool is_white(uint16_t unit) {
    return unit == ' ' || (unit >= 9 && unit <= 13);
}

/* Letters whose other case is one letter, for sure. */
static uint16_t other_case(RefRun *run, uint16_t unit, bool upper) {
    if (unit < 128) {
        bool letter = upper ? unit >= 'a' && unit <= 'z' : unit >= 'A' && unit <= 'Z';
        return (uint16_t)(letter ? unit ^ 0x20 : unit);
    }
    if (unit == 0xE4 || unit == 0xE9)
        return (uint16_t)(upper ? unit - 0x20 : unit);
    if (unit == 0xC4 || unit == 0xC9)
        return (uint16_t)(upper ? unit : unit + 0x20);
    if (unit == 0xFF21 || unit == 0xFF41)
        return upper ? 0xFF21 : 0xFF41;
    bool caseless = unit == 0x20AC || (unit >= 0xD800 && unit < 0xE000) || unit == 0xFFFD ||
                    unit == 0x301;
    run->vague |= !caseless;
    return unit;
}

static bool text_case(const RefCall *call, bool upper, RefValue *out) {
    RefText text = call->args[0].text;
    uint16_t *units = ref_alloc((size_t)text.size * 2);
    for (uint32_t i = 0; i < text.size; i++)
        units[i] = other_case(call->run, text.units[i], upper);
    *out = ref_of_units(units, text.size);
    return true;
}

bool ref_text_ucase(const RefCall *call, RefValue *out) {
    return text_case(call, true, out);
}

bool ref_text_lcase(const RefCall *call, RefValue *out) {
    return text_case(call, false, out);
}

bool ref_text_initcap(const RefCall *call, RefValue *out) {
    RefText text = call->args[0].text;
    uint16_t *units = ref_alloc((size_t)text.size * 2);
    uint32_t size = 0;
    bool start = true;
    for (uint32_t i = 0; i < text.size; i++) {
        bool white = is_white(text.units[i]);
        uint16_t unit = other_case(call->run, text.units[i], start && !white);
        start = white;
        if (!white || size > 0)
            units[size++] = unit;
    }
    *out = ref_of_units(units, size);
    return true;
}

/* == Pads == */

static bool pad(const RefCall *call, bool left, RefValue *out) {
    RefText text = call->args[0].text, fill = call->args[2].text;
    int64_t wanted = call->args[1].integer;
    bool bytes = call->type->kind == REF_BYTES;
    if (fill.size == 0 || wanted < 0)
        return true;
    call->run->vague |= wanted > 10000; /* memory */
    wanted = wanted > 10000 ? 10000 : wanted;
    uint16_t *units = ref_alloc((size_t)wanted * 2);
    int64_t more = wanted > text.size ? wanted - text.size : 0;
    for (int64_t i = 0; i < wanted; i++) {
        int64_t in_fill = left ? i : i - text.size, in_text = left ? i - more : i;
        bool padded = left ? i < more : i >= text.size;
        RefText from = padded ? fill : text;
        int64_t at = padded ? in_fill % fill.size : in_text;
        units[i] = bytes ? from.bytes[at] : from.units[at];
    }
    if (!bytes) {
        *out = ref_of_units(units, (uint32_t)wanted);
        return true;
    }
    uint8_t *narrow = ref_alloc((size_t)wanted);
    for (int64_t i = 0; i < wanted; i++)
        narrow[i] = (uint8_t)units[i];
    *out = ref_of_bytes(narrow, (uint32_t)wanted);
    return true;
}

bool ref_text_lpad(const RefCall *call, RefValue *out) {
    return pad(call, true, out);
}

bool ref_text_rpad(const RefCall *call, RefValue *out) {
    return pad(call, false, out);
}

/* == Lists of texts == */

bool ref_text_split(const RefCall *call, RefValue *out) {
    RefText text = call->args[0].text, mark = call->args[1].text;
    RefValue *items = ref_alloc((text.size + 1u) * sizeof *items);
    uint32_t count = 0, from = 0;
    if (mark.size == 0) {
        /* Java's split("") leaves an empty text whole and cuts pairs of surrogates nowhere. */
        for (uint32_t i = 0; i < text.size; i++)
            items[count++] = ref_of_units(text.units + i, 1);
        if (text.size == 0)
            items[count++] = call->args[0];
        *out = ref_of_list(items, count);
        return true;
    }
    for (;;) {
        int64_t at = find(text, mark, from);
        uint32_t end = at < 0 ? text.size : (uint32_t)at;
        items[count++] = ref_of_units(text.units + from, end - from);
        if (at < 0)
            break;
        from = end + mark.size;
    }
    *out = ref_of_list(items, count);
    return true;
}

bool ref_text_concat_ws(const RefCall *call, RefValue *out) {
    bool bytes = call->type->kind == REF_BYTES;
    size_t width = bytes ? 1 : 2, size = 0;
    if (!call->args[0].present)
        return true;
    for (uint32_t i = 0; i < call->count; i++)
        size += call->args[i].present ? call->args[i].text.size + call->args[0].text.size : 0;
    uint8_t *memory = ref_alloc(size * width), *at = memory;
    bool first = true;
    for (uint32_t i = 1; i < call->count; i++) {
        RefText pieces[] = {call->args[0].text, call->args[i].text};
        for (int j = first ? 1 : 0; call->args[i].present && j < 2; j++) {
            memcpy(at, bytes ? (const void *)pieces[j].bytes : pieces[j].units,
                   pieces[j].size * width);
            at += pieces[j].size * width;
        }
        first &= !call->args[i].present;
    }
    uint32_t units = (uint32_t)((size_t)(at - memory) / width);
    *out = bytes ? ref_of_bytes(memory, units) : ref_of_units((uint16_t *)(void *)memory, units);
    return true;
}

/* == Masks == */

typedef struct Masks {
    int32_t masks[4]; /* upper, lower, digit, other; -1: as it is */
} Masks;

/* Mask arguments from `from` on. */
static bool masks_of(const RefCall *call, uint32_t from, Masks *masks) {
    static const Masks usual = {{'X', 'x', 'n', '-'}};
    *masks = usual;
    for (uint32_t i = 0; i < 4 && from < call->count; i++) {
        const RefValue *value = &call->args[from + i];
        masks->masks[i] = -1;
        if (value->present && value->text.size != 1)
            return ref_throw(call->run);
        if (value->present)
            masks->masks[i] = value->text.units[0];
    }
    return true;
}

static uint16_t masked(RefRun *run, const Masks *masks, uint16_t unit) {
    int kind = 3;
    if (unit < 128)
        kind = unit >= 'A' && unit <= 'Z'   ? 0
               : unit >= 'a' && unit <= 'z' ? 1
               : unit >= '0' && unit <= '9' ? 2
                                            : 3;
    else if (unit == 0xC4 || unit == 0x130 || unit == 0xFF21)
        kind = 0;
    else if (unit == 0xE4 || unit == 0xE9 || unit == 0xDF || unit == 0xFF41)
        kind = 1;
    run->vague |= unit >= 0xD800 && unit < 0xE000; /* one unit or two? */
    return masks->masks[kind] < 0 ? unit : (uint16_t)masks->masks[kind];
}

/* Units [from, to) are masked. */
static bool mask_range(const RefCall *call, int64_t from, int64_t to, RefValue *out) {
    Masks masks;
    RefText text = call->args[0].text;
    uint32_t first = call->count == 1 || call->count == 5 ? 1 : 2;
    call->run->vague |= !call->args[0].present; /* bad masks throw, or are not looked at */
    if (!masks_of(call, first, &masks))
        return false;
    if (!call->args[0].present)
        return true;
    uint16_t *units = ref_alloc((size_t)text.size * 2);
    for (uint32_t i = 0; i < text.size; i++)
        units[i] = i >= from && i < to ? masked(call->run, &masks, text.units[i]) : text.units[i];
    *out = ref_of_units(units, text.size);
    return true;
}

bool ref_text_mask(const RefCall *call, RefValue *out) {
    return mask_range(call, 0, INT64_MAX, out);
}

/* Both must be there, and the number not below 0. */
static bool mask_count(const RefCall *call, int64_t *count) {
    *count = call->args[1].integer;
    call->run->vague |= !call->args[1].present || !call->args[0].present;
    return *count >= 0 || ref_throw(call->run);
}

bool ref_text_mask_left(const RefCall *call, RefValue *out) {
    int64_t count = 0;
    return mask_count(call, &count) && mask_range(call, 0, count, out);
}

bool ref_text_mask_right(const RefCall *call, RefValue *out) {
    int64_t count = 0;
    return mask_count(call, &count) &&
           mask_range(call, (int64_t)call->args[0].text.size - count, INT64_MAX, out);
}

bool ref_text_mask_keep_left(const RefCall *call, RefValue *out) {
    int64_t count = 0;
    return mask_count(call, &count) && mask_range(call, count, INT64_MAX, out);
}

bool ref_text_mask_keep_right(const RefCall *call, RefValue *out) {
    int64_t count = 0;
    return mask_count(call, &count) &&
           mask_range(call, 0, (int64_t)call->args[0].text.size - count, out);
}
