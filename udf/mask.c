/*
 * mask.c - MASK, MASK_LEFT, MASK_RIGHT, MASK_KEEP_LEFT, MASK_KEEP_RIGHT.
 *
 * Upper case, lower case, digits and all else each become one character, or stay where their mask
 * is NULL. Masks work on UTF-16 units: the second half of a pair counts as "all else" by itself,
 * and a half that is left over is written as '?', as Java does.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

enum { MASK_KINDS = UTF8_OTHER + 1, MASK_CHARACTER_BYTES = 4 };

/* By Utf8Kind: what is written; data NULL: the character itself. */
typedef struct Mask {
    Bytes with[MASK_KINDS];
} Mask;

/* Which units are masked: [from, to). */
typedef struct MaskRange {
    uint32_t from, to;
} MaskRange;

static Utf8Kind mask_kind(uint32_t character) {
    Utf8Kind kind = utf8_kind(character);
    return kind == UTF8_LETTER ? UTF8_OTHER : kind;
}

static Mask mask_default(void) {
    static const uint8_t characters[MASK_KINDS] = {'X', 'x', 'n', '-'};
    Mask mask;
    for (uint32_t i = 0; i < MASK_KINDS; i++)
        mask.with[i] = (Bytes){&characters[i], 1};
    return mask;
}

/* The masks in the last four arguments; false: reported. */
static bool mask_arguments(const FunctionCall *call, uint32_t row, uint32_t first, Mask *mask) {
    assert(first + MASK_KINDS == call->arg_count);
    for (uint32_t i = 0; i < MASK_KINDS; i++) {
        const Column *column = call->args[first + i];
        mask->with[i] = (Bytes){0};
        if (column->type->kind == TYPE_NULL || column_is_null(column, row))
            continue;
        mask->with[i] = column->bytes[row];
        if (utf8_length(column->bytes[row]) == 1)
            continue;
        call->fail(call->context, row,
                   "Invalid mask character. Must be only single character, but was '%.*s'",
                   column->bytes[row].size > 60 ? 60 : (int)column->bytes[row].size,
                   (const char *)column->bytes[row].data);
        return false;
    }
    return true;
}

static uint8_t *mask_put(uint8_t *target, Bytes with) {
    memcpy(target, with.data, with.size);
    return target + with.size;
}

/* A pair, of which the halves are masked or not. */
static uint8_t *mask_pair(uint8_t *target, const Mask *mask, Bytes pair, bool first,
                          bool second) {
    static const Bytes half = {(const uint8_t *)"?", 1};
    uint32_t size;
    uint32_t character = utf8_decode(pair, &size);
    Utf8Kind kind = first && second ? mask_kind(character) : UTF8_OTHER;
    Bytes with[2] = {first ? mask->with[kind] : (Bytes){0},
                     second ? mask->with[UTF8_OTHER] : (Bytes){0}};
    if (!with[0].data && !with[1].data) {
        target = mask_put(target, pair);
        /* Java goes on with the second half, which is no character of its own */
        return first && second ? mask_put(target, half) : target;
    }
    target = mask_put(target, with[0].data ? with[0] : first && second ? pair : half);
    return mask_put(target, with[1].data ? with[1] : half);
}

static Bytes mask_text(FunctionRoom *room, Bytes text, const Mask *mask, MaskRange range) {
    uint8_t *start = function_room(room, (size_t)text.size * MASK_CHARACTER_BYTES * 2);
    uint8_t *target = start;
    uint32_t unit = 0;
    for (uint32_t at = 0, size; at < text.size; at += size) {
        Bytes rest = {text.data + at, text.size - at};
        uint32_t character = utf8_decode(rest, &size);
        bool first = unit >= range.from && unit < range.to;
        if (character > 0xFFFF) {
            bool second = unit + 1 >= range.from && unit + 1 < range.to;
            target = mask_pair(target, mask, (Bytes){rest.data, size}, first, second);
            unit += 2;
            continue;
        }
        Bytes with = first ? mask->with[mask_kind(character)] : (Bytes){0};
        target = mask_put(target, with.data ? with : (Bytes){rest.data, size});
        unit++;
    }
    return function_room_take(room, (size_t)(target - start));
}

typedef enum MaskForm {
    MASK_ALL,
    MASK_LEFT,
    MASK_RIGHT,
    MASK_KEEP_LEFT,
    MASK_KEEP_RIGHT,
} MaskForm;

static MaskRange mask_range(MaskForm form, uint32_t length, uint32_t count) {
    count = count < length ? count : length;
    switch (form) {
    case MASK_LEFT: return (MaskRange){0, count};
    case MASK_RIGHT: return (MaskRange){length - count, length};
    case MASK_KEEP_LEFT: return (MaskRange){count, length};
    case MASK_KEEP_RIGHT: return (MaskRange){0, length - count};
    case MASK_ALL: break;
    }
    return (MaskRange){0, length};
}

static bool mask_is_missing(const Column *column, uint32_t row) {
    return column->type->kind == TYPE_NULL || column_is_null(column, row);
}

static void mask_run(const FunctionCall *call, MaskForm form) {
    FunctionRoom room = {.arena = call->arena};
    uint32_t first = form == MASK_ALL ? 1 : 2;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Mask mask = mask_default();
        int32_t count = 0;
        if (mask_is_missing(call->args[0], row) ||
            (form != MASK_ALL && mask_is_missing(call->args[1], row)))
            continue;
        if (call->arg_count > first && !mask_arguments(call, row, first, &mask))
            continue;
        if (form != MASK_ALL)
            count = call->args[1]->i32[row];
        if (count < 0) {
            call->fail(call->context, row, "the number of characters to mask or keep is negative");
            continue;
        }
        Bytes text = call->args[0]->bytes[row];
        MaskRange range = mask_range(form, utf8_length(text), (uint32_t)count);
        if (!function_too_long(call, row, (uint64_t)text.size * 2))
            function_put_bytes(call, row, mask_text(&room, text, &mask, range));
    }
}

void mask_all(const FunctionCall *call) {
    assert(call->arg_count == 1 || call->arg_count == 5);
    mask_run(call, MASK_ALL);
}

void mask_left(const FunctionCall *call) {
    assert(call->arg_count == 2 || call->arg_count == 6);
    mask_run(call, MASK_LEFT);
}

void mask_right(const FunctionCall *call) {
    assert(call->arg_count == 2 || call->arg_count == 6);
    mask_run(call, MASK_RIGHT);
}

void mask_keep_left(const FunctionCall *call) {
    assert(call->arg_count == 2 || call->arg_count == 6);
    mask_run(call, MASK_KEEP_LEFT);
}

void mask_keep_right(const FunctionCall *call) {
    assert(call->arg_count == 2 || call->arg_count == 6);
    mask_run(call, MASK_KEEP_RIGHT);
}
