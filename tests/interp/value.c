/*
 * value.c - see value.h.
 */
#include "tests/interp/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* == Memory == */

enum { BLOCK_SIZE = 1 << 20, BLOCKS_MAX = 4096 };

static char *blocks[BLOCKS_MAX];
static size_t block_sizes[BLOCKS_MAX];
static size_t block_at, block_used;

static void *ref_take(size_t size) {
    size = (size + 15) / 16 * 16;
    while (block_at < BLOCKS_MAX && blocks[block_at] &&
           block_used + size > block_sizes[block_at]) {
        block_at++;
        block_used = 0;
    }
    if (block_at == BLOCKS_MAX)
        abort();
    if (!blocks[block_at]) {
        block_sizes[block_at] = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        blocks[block_at] = malloc(block_sizes[block_at]);
        if (!blocks[block_at])
            abort();
    }
    void *memory = blocks[block_at] + block_used;
    block_used += size;
    return memory;
}

void *ref_alloc(size_t size) {
    return memset(ref_take(size), 0, size);
}

RefMark ref_mark(void) {
    return (RefMark){block_at, block_used};
}

void ref_reset(RefMark mark) {
    block_at = mark.block;
    block_used = mark.used;
}

static void *gmp_resize(void *memory, size_t old_size, size_t new_size) {
    if (new_size <= old_size)
        return memory;
    return memcpy(ref_take(new_size), memory, old_size);
}

static void gmp_free(void *memory, size_t size) {
    (void)memory;
    (void)size;
}

enum { TEN_MAX = 1200 };

static mpz_t tens[TEN_MAX + 1];

void ref_open(void) {
    for (int i = 0; i <= TEN_MAX; i++) {
        mpz_init(tens[i]);
        mpz_ui_pow_ui(tens[i], 10, (unsigned long)i);
    }
    mp_set_memory_functions(ref_take, gmp_resize, gmp_free);
}

mpz_ptr ref_mpz(void) {
    mpz_ptr value = ref_alloc(sizeof *value);
    mpz_init(value);
    return value;
}

mpz_srcptr ref_ten(int power) {
    if (power < 0)
        abort();
    if (power <= TEN_MAX)
        return tens[power];
    mpz_ptr value = ref_mpz();
    mpz_ui_pow_ui(value, 10, (unsigned long)power);
    return value;
}

int ref_digits(mpz_srcptr value) {
    int digits = (int)mpz_sizeinbase(value, 10); /* exact or one too many */
    return digits > 1 && mpz_cmpabs(value, ref_ten(digits - 1)) < 0 ? digits - 1 : digits;
}

/* == Output == */

void ref_out_bytes(RefOut *out, const void *bytes, size_t size) {
    if (out->size + size + 1 > out->room) {
        out->room = (out->size + size + 64) * 2;
        char *text = ref_take(out->room);
        if (out->size > 0)
            memcpy(text, out->text, out->size);
        out->text = text;
    }
    memcpy(out->text + out->size, bytes, size);
    out->size += size;
    out->text[out->size] = 0;
}

void ref_out(RefOut *out, const char *format, ...) {
    char piece[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    bool cut = size >= (int)sizeof piece;
    ref_out_bytes(out, piece, cut ? sizeof piece - 1 : (size_t)size);
}

/* == Types == */

const RefType ref_null = {.kind = REF_NULL};
const RefType ref_boolean = {.kind = REF_BOOLEAN};
const RefType ref_int = {.kind = REF_INT};
const RefType ref_bigint = {.kind = REF_BIGINT};
const RefType ref_double = {.kind = REF_DOUBLE};
const RefType ref_string = {.kind = REF_STRING};
const RefType ref_bytes = {.kind = REF_BYTES};
const RefType ref_time = {.kind = REF_TIME};
const RefType ref_date = {.kind = REF_DATE};
const RefType ref_timestamp = {.kind = REF_TIMESTAMP};

const RefType *ref_scalar_type(RefKind kind) {
    static const RefType *const all[] = {
        [REF_NULL] = &ref_null,     [REF_BOOLEAN] = &ref_boolean, [REF_INT] = &ref_int,
        [REF_BIGINT] = &ref_bigint, [REF_DOUBLE] = &ref_double,   [REF_STRING] = &ref_string,
        [REF_BYTES] = &ref_bytes,   [REF_TIME] = &ref_time,       [REF_DATE] = &ref_date,
        [REF_TIMESTAMP] = &ref_timestamp,
    };
    return all[kind];
}

const RefType *ref_decimal_type(int precision, int scale) {
    RefType *type = ref_alloc(sizeof *type);
    *type = (RefType){.kind = REF_DECIMAL, .precision = precision, .scale = scale};
    return type;
}

const RefType *ref_struct_type(const RefType *const *parts, const char *const *names,
                               uint32_t count) {
    RefType *type = ref_alloc(sizeof *type);
    const RefType **copy = ref_alloc(count * sizeof *copy);
    const char **name_copy = ref_alloc(count * sizeof *name_copy);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = parts[i];
        name_copy[i] = names ? names[i] : NULL;
    }
    *type = (RefType){.kind = REF_STRUCT, .count = count, .parts = copy, .names = name_copy};
    return type;
}

const RefType *ref_array_type(const RefType *item) {
    RefType *type = (RefType *)ref_struct_type(&item, NULL, 1);
    type->kind = REF_ARRAY;
    return type;
}

const RefType *ref_map_type(const RefType *key, const RefType *value) {
    const RefType *parts[] = {key, value};
    RefType *type = (RefType *)ref_struct_type(parts, NULL, 2);
    type->kind = REF_MAP;
    return type;
}

bool ref_type_equal(const RefType *left, const RefType *right) {
    if (left->kind != right->kind || left->precision != right->precision ||
        left->scale != right->scale || left->count != right->count)
        return false;
    for (uint32_t i = 0; i < left->count; i++) {
        if (!ref_type_equal(left->parts[i], right->parts[i]) ||
            (left->kind == REF_STRUCT && strcmp(left->names[i], right->names[i]) != 0))
            return false;
    }
    return true;
}

bool ref_is_number(const RefType *type) {
    return type->kind >= REF_INT && type->kind <= REF_DOUBLE;
}

bool ref_is_nested(const RefType *type) {
    return type->kind >= REF_ARRAY;
}

void ref_type_print(RefOut *out, const RefType *type) {
    static const char *const names[] = {
        "NULL", "BOOLEAN", "INTEGER", "BIGINT", "DECIMAL",   "DOUBLE", "STRING",
        "BYTES", "TIME",    "DATE",    "TIMESTAMP", "ARRAY", "MAP",    "STRUCT",
    };
    ref_out(out, "%s", names[type->kind]);
    if (type->kind == REF_DECIMAL)
        ref_out(out, "(%d, %d)", type->precision, type->scale);
    if (!ref_is_nested(type))
        return;
    ref_out(out, "<");
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0)
            ref_out(out, ", ");
        if (type->kind == REF_STRUCT)
            ref_out(out, "`%s` ", type->names[i]);
        ref_type_print(out, type->parts[i]);
    }
    ref_out(out, ">");
}

/* == Making values == */

RefValue ref_missing(void) {
    return (RefValue){.present = false};
}

RefValue ref_of_boolean(bool value) {
    return (RefValue){.present = true, .boolean = value};
}

RefValue ref_of_integer(int64_t value) {
    return (RefValue){.present = true, .integer = value};
}

RefValue ref_of_real(double value) {
    return (RefValue){.present = true, .real = value};
}

RefValue ref_of_decimal(mpz_srcptr value) {
    mpz_ptr copy = ref_mpz();
    mpz_set(copy, value);
    return (RefValue){.present = true, .decimal = copy};
}

RefValue ref_of_units(const uint16_t *units, uint32_t size) {
    uint16_t *copy = ref_alloc((size_t)size * 2);
    for (uint32_t i = 0; i < size; i++)
        copy[i] = units[i];
    return (RefValue){.present = true, .text = {.units = copy, .size = size}};
}

RefValue ref_of_utf8(const void *text, size_t size) {
    const uint8_t *from = text, *end = from + size;
    uint16_t *units = ref_alloc(size * 2);
    uint32_t count = 0;
    while (from < end) {
        uint32_t character = *from++;
        int more = character >= 0xF0 ? 3 : character >= 0xE0 ? 2 : character >= 0xC0 ? 1 : 0;
        if (more > 0)
            character &= 0x3FU >> more;
        for (; more > 0 && from < end; more--)
            character = character << 6 | (*from++ & 0x3FU);
        if (character >= 0x10000) {
            units[count++] = (uint16_t)(0xD800 + ((character - 0x10000) >> 10));
            units[count++] = (uint16_t)(0xDC00 + ((character - 0x10000) & 0x3FF));
        } else {
            units[count++] = (uint16_t)character;
        }
    }
    return (RefValue){.present = true, .text = {.units = units, .size = count}};
}

RefValue ref_of_ascii(const char *text) {
    return ref_of_utf8(text, strlen(text));
}

RefValue ref_of_bytes(const void *bytes, uint32_t size) {
    uint8_t *copy = ref_alloc(size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return (RefValue){.present = true, .text = {.bytes = copy, .size = size}};
}

RefValue ref_of_list(const RefValue *items, uint32_t size) {
    RefValue value = {.present = true};
    value.list.items = items;
    value.list.size = size;
    return value;
}

/* == Text == */

char *ref_utf8(RefText text, size_t *size, bool *whole) {
    char *start = ref_alloc((size_t)text.size * 3 + 1), *at = start;
    *whole = true;
    for (uint32_t i = 0; i < text.size; i++) {
        uint32_t unit = text.units[i];
        bool high = unit >= 0xD800 && unit < 0xDC00, low = unit >= 0xDC00 && unit < 0xE000;
        if (high && i + 1 < text.size && text.units[i + 1] >= 0xDC00 &&
            text.units[i + 1] < 0xE000) {
            uint32_t character = 0x10000 + ((unit - 0xD800) << 10) + (text.units[++i] - 0xDC00U);
            *at++ = (char)(0xF0 | character >> 18);
            *at++ = (char)(0x80 | (character >> 12 & 0x3F));
            *at++ = (char)(0x80 | (character >> 6 & 0x3F));
            *at++ = (char)(0x80 | (character & 0x3F));
            continue;
        }
        if (high || low) {
            *whole = false;
            unit = '?';
        }
        if (unit < 0x80) {
            *at++ = (char)unit;
        } else if (unit < 0x800) {
            *at++ = (char)(0xC0 | unit >> 6);
            *at++ = (char)(0x80 | (unit & 0x3F));
        } else {
            *at++ = (char)(0xE0 | unit >> 12);
            *at++ = (char)(0x80 | (unit >> 6 & 0x3F));
            *at++ = (char)(0x80 | (unit & 0x3F));
        }
    }
    *size = (size_t)(at - start);
    return start;
}

int ref_compare_text(RefText left, RefText right) {
    for (uint32_t i = 0; i < left.size && i < right.size; i++) {
        if (left.units[i] != right.units[i])
            return left.units[i] < right.units[i] ? -1 : 1;
    }
    return (left.size > right.size) - (left.size < right.size);
}

int ref_compare_bytes(RefText left, RefText right) {
    for (uint32_t i = 0; i < left.size && i < right.size; i++) {
        if (left.bytes[i] != right.bytes[i])
            return left.bytes[i] < right.bytes[i] ? -1 : 1;
    }
    return (left.size > right.size) - (left.size < right.size);
}

/* == Comparing results == */

static bool same_map(const RefType *type, const RefValue *left, const RefValue *right) {
    for (uint32_t i = 0; i < left->list.size; i += 2) {
        bool found = false;
        for (uint32_t j = 0; j < right->list.size && !found; j += 2)
            found = ref_same(type->parts[0], &left->list.items[i], &right->list.items[j]) &&
                    ref_same(type->parts[1], &left->list.items[i + 1], &right->list.items[j + 1]);
        if (!found)
            return false;
    }
    return true;
}

static bool same_list(const RefType *type, const RefValue *left, const RefValue *right) {
    if (left->list.size != right->list.size)
        return false;
    if (type->kind == REF_MAP)
        return same_map(type, left, right);
    for (uint32_t i = 0; i < left->list.size; i++) {
        const RefType *part = type->parts[type->kind == REF_ARRAY ? 0 : i];
        if (!ref_same(part, &left->list.items[i], &right->list.items[i]))
            return false;
    }
    return true;
}

bool ref_same(const RefType *type, const RefValue *left, const RefValue *right) {
    if (!left->present || !right->present)
        return left->present == right->present;
    switch (type->kind) {
    case REF_NULL: return true;
    case REF_BOOLEAN: return left->boolean == right->boolean;
    case REF_DOUBLE:
        return memcmp(&left->real, &right->real, sizeof left->real) == 0 ||
               (isnan(left->real) && isnan(right->real));
    case REF_DECIMAL: return mpz_cmp(left->decimal, right->decimal) == 0;
    case REF_STRING: return ref_compare_text(left->text, right->text) == 0;
    case REF_BYTES: return ref_compare_bytes(left->text, right->text) == 0;
    case REF_ARRAY:
    case REF_MAP:
    case REF_STRUCT: return same_list(type, left, right);
    default: return left->integer == right->integer;
    }
}

/* == For people == */

static void print_text(RefOut *out, const RefType *type, RefText text) {
    bool string = type->kind == REF_STRING;
    ref_out(out, string ? "'" : "x'");
    for (uint32_t i = 0; i < text.size && i < 200; i++) {
        unsigned unit = string ? text.units[i] : text.bytes[i];
        if (string && unit >= ' ' && unit < 127)
            ref_out(out, "%c", unit);
        else
            ref_out(out, string ? "\\u%04x" : "%02x", unit);
    }
    ref_out(out, text.size > 200 ? "...'" : "'");
}

static void print_list(RefOut *out, const RefType *type, const RefValue *value) {
    ref_out(out, type->kind == REF_ARRAY ? "[" : "{");
    for (uint32_t i = 0; i < value->list.size && i < 100; i++) {
        uint32_t part = type->kind == REF_ARRAY ? 0 : type->kind == REF_MAP ? i % 2 : i;
        if (i > 0)
            ref_out(out, type->kind == REF_MAP && part == 1 ? "=" : ", ");
        if (type->kind == REF_STRUCT)
            ref_out(out, "%s:", type->names[i]);
        ref_print(out, type->parts[part], &value->list.items[i]);
    }
    ref_out(out, type->kind == REF_ARRAY ? "]" : "}");
}

void ref_print(RefOut *out, const RefType *type, const RefValue *value) {
    if (!value->present) {
        ref_out(out, "NULL");
        return;
    }
    switch (type->kind) {
    case REF_NULL: ref_out(out, "NULL"); break;
    case REF_BOOLEAN: ref_out(out, value->boolean ? "true" : "false"); break;
    case REF_DOUBLE: ref_out(out, "%.17g", value->real); break;
    case REF_DECIMAL:
        ref_out(out, "%se-%d", mpz_get_str(NULL, 10, value->decimal), type->scale);
        break;
    case REF_STRING:
    case REF_BYTES: print_text(out, type, value->text); break;
    case REF_ARRAY:
    case REF_MAP:
    case REF_STRUCT: print_list(out, type, value); break;
    default: ref_out(out, "%lld", (long long)value->integer); break;
    }
}
