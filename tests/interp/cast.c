/*
 * cast.c - CAST of the interpreter, pair by pair as the reference lists them.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/interp/tree.h"

enum { DAY_MS = 86400000 };

bool ref_castable(const RefType *from, const RefType *to) {
    if (ref_type_equal(from, to))
        return true;
    bool number = ref_is_number(to);
    switch (from->kind) {
    case REF_NULL: return true;
    case REF_BOOLEAN:
    case REF_TIME: return to->kind == REF_STRING;
    case REF_INT:
    case REF_BIGINT:
    case REF_DECIMAL:
    case REF_DOUBLE: return number || to->kind == REF_STRING;
    case REF_STRING:
        return number || to->kind == REF_BOOLEAN || to->kind == REF_BYTES ||
               to->kind == REF_TIME || to->kind == REF_DATE || to->kind == REF_TIMESTAMP;
    case REF_BYTES: return false;
    case REF_DATE: return to->kind == REF_STRING || to->kind == REF_TIMESTAMP;
    case REF_TIMESTAMP:
        return to->kind == REF_STRING || to->kind == REF_TIME || to->kind == REF_DATE;
    default: break;
    }
    if (to->kind == REF_STRING)
        return true;
    if (to->kind != from->kind)
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        for (uint32_t j = 0; j < to->count; j++) {
            bool pair = from->kind == REF_STRUCT ? strcmp(from->names[i], to->names[j]) == 0
                                                 : i == j;
            if (pair && !ref_castable(from->parts[i], to->parts[j]))
                return false;
        }
    }
    return true;
}

/* == To text == */

static void text_of(RefRun *run, RefOut *out, const RefType *type, const RefValue *value,
                    bool inside);

static void text_list(RefRun *run, RefOut *out, const RefType *type, const RefValue *value) {
    bool array = type->kind == REF_ARRAY, first = true;
    ref_out(out, array ? "[" : type->kind == REF_MAP ? "{" : "Struct{");
    for (uint32_t i = 0; i < value->list.size; i++) {
        uint32_t part = array ? 0 : type->kind == REF_MAP ? i % 2 : i;
        const RefValue *item = &value->list.items[i];
        if (type->kind == REF_STRUCT && !item->present)
            continue;
        if (type->kind == REF_STRUCT)
            ref_out(out, "%s%s=", first ? "" : ",", type->names[i]);
        else if (i > 0)
            ref_out(out, type->kind == REF_MAP && part == 1 ? "=" : ", ");
        first = false;
        text_of(run, out, type->parts[part], item, true);
    }
    ref_out(out, array ? "]" : "}");
}

/* BigDecimal.toString(): an exponent where the first digit is far behind the point. */
static void text_decimal(RefOut *out, const RefType *type, const RefValue *value, bool inside) {
    char *digits = mpz_get_str(NULL, 10, value->decimal);
    bool negative = digits[0] == '-';
    digits += negative;
    int count = (int)strlen(digits), scale = type->scale;
    if (negative)
        ref_out(out, "-");
    if (inside && count - 1 - scale < -6) {
        ref_out(out, "%c%s%sE%d", digits[0], count > 1 ? "." : "", digits + 1, count - 1 - scale);
        return;
    }
    if (count <= scale)
        ref_out(out, "0");
    for (int i = 0; i < count - scale; i++)
        ref_out(out, "%c", digits[i]);
    if (scale > 0)
        ref_out(out, ".");
    for (int i = count; i < scale; i++)
        ref_out(out, "0");
    for (int i = count > scale ? count - scale : 0; i < count; i++)
        ref_out(out, "%c", digits[i]);
}

static void text_time(RefRun *run, RefOut *out, const RefType *type, int64_t value) {
    char text[64];
    if (type->kind == REF_TIME)
        ref_time_text(value, text);
    else if (!(type->kind == REF_DATE ? ref_date_text(value, text)
                                      : ref_timestamp_text(value, text)))
        run->vague = true;
    if (!run->vague)
        ref_out(out, "%s", text);
}

static void text_of(RefRun *run, RefOut *out, const RefType *type, const RefValue *value,
                    bool inside) {
    size_t size;
    bool whole;
    if (!value->present) {
        ref_out(out, "null");
        return;
    }
    switch (type->kind) {
    case REF_NULL: break;
    case REF_BOOLEAN: ref_out(out, value->boolean ? "true" : "false"); break;
    case REF_INT:
    case REF_BIGINT: ref_out(out, "%lld", (long long)value->integer); break;
    case REF_DOUBLE: ref_out(out, "%s", ref_double_text(value->real)); break;
    case REF_DECIMAL: text_decimal(out, type, value, inside); break;
    case REF_STRING: {
        char *text = ref_utf8(value->text, &size, &whole);
        ref_out_bytes(out, text, size);
        run->vague |= !whole;
        break;
    }
    case REF_TIME:
    case REF_DATE:
    case REF_TIMESTAMP:
        run->vague |= inside; /* texts of Java's own classes */
        text_time(run, out, type, value->integer);
        break;
    case REF_BYTES: run->vague = true; break;
    case REF_ARRAY:
    case REF_MAP:
    case REF_STRUCT: text_list(run, out, type, value); break;
    }
}

void ref_text_of_item(RefRun *run, RefOut *out, const RefType *type, const RefValue *value) {
    text_of(run, out, type, value, true);
}

/* == From text == */

static RefValue boolean_of(RefText text) {
    static const char *const words[] = {"true", "yes"};
    for (int word = 0; word < 2; word++) {
        uint32_t same = 0;
        while (same < text.size && words[word][same] &&
               (text.units[same] == (uint16_t)words[word][same] ||
                text.units[same] == (uint16_t)(words[word][same] - 32)))
            same++;
        if (same > 0 && same == text.size)
            return ref_of_boolean(true);
    }
    return ref_of_boolean(false);
}

/* Base64 with padding; vague where Java is lenient or not is not told. */
static bool bytes_of(RefRun *run, RefText text, RefValue *out) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *bytes = ref_alloc(text.size + 4u);
    uint32_t count = 0, bits = 0, held = 0, size = text.size;
    while (size > 0 && text.size - size < 2 && text.units[size - 1] == '=')
        size--;
    run->vague |= text.size % 4 != 0;
    for (uint32_t i = 0; i < size; i++) {
        uint16_t unit = text.units[i];
        const char *letter = unit > 0 && unit < 128 ? strchr(letters, unit) : NULL;
        if (!letter)
            return ref_throw(run);
        held = held << 6 | (uint32_t)(letter - letters);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (uint8_t)(held >> bits);
        }
    }
    run->vague |= (held & ((1U << bits) - 1)) != 0;
    *out = ref_of_bytes(bytes, count);
    return true;
}

/* Where exponents end is not told. */
static bool has_large_exponent(RefText text) {
    uint32_t at = 0;
    while (at < text.size && (text.units[at] | 0x20) != 'e')
        at++;
    return text.size > at + 9;
}

static bool cast_text(RefRun *run, RefText text, const RefType *to, RefValue *out) {
    RefExact exact;
    bool fits = false;
    text = ref_trim(text);
    *out = ref_of_integer(0);
    switch (to->kind) {
    case REF_BOOLEAN: *out = boolean_of(text); return true;
    case REF_INT: fits = ref_parse_integer(text, INT32_MIN, INT32_MAX, &out->integer); break;
    case REF_BIGINT: fits = ref_parse_integer(text, INT64_MIN, INT64_MAX, &out->integer); break;
    case REF_DOUBLE:
        run->vague |= has_large_exponent(text);
        fits = ref_parse_double(text, &out->real, &run->vague); break;
    case REF_DECIMAL:
        run->vague |= has_large_exponent(text);
        fits = ref_parse_exact(text, &exact) && ref_fit(exact, to, out); break;
    case REF_TIMESTAMP: fits = ref_parse_timestamp(text, &out->integer, &run->vague); break;
    case REF_DATE: fits = ref_parse_date(text, &out->integer, &run->vague); break;
    case REF_TIME: fits = ref_parse_time(text, &out->integer, &run->vague); break;
    case REF_BYTES: return bytes_of(run, text, out);
    default: break;
    }
    return fits || ref_throw(run);
}

/* == Numbers == */

static int64_t saturated(double value, double low, double high, int64_t min, int64_t max) {
    if (isnan(value))
        return 0;
    return value <= low ? min : value >= high ? max : (int64_t)value;
}

static int64_t wrapped(RefExact exact) {
    mpz_ptr whole = ref_mpz();
    mpz_tdiv_q(whole, exact.unscaled, ref_ten((int)exact.scale));
    mpz_fdiv_r_2exp(whole, whole, 64);
    return (int64_t)mpz_get_ui(whole);
}

static bool cast_number(RefRun *run, const RefValue *value, const RefType *from,
                        const RefType *to, RefValue *out) {
    bool real = from->kind == REF_DOUBLE, decimal = from->kind == REF_DECIMAL;
    if (to->kind == REF_DOUBLE) {
        *out = ref_of_real(decimal ? ref_exact_double(ref_exact_of(from, value))
                                   : (double)value->integer);
        return true;
    }
    if (to->kind == REF_DECIMAL) {
        if (real && !isfinite(value->real))
            return ref_throw(run);
        return ref_fit(ref_exact_of(from, value), to, out) || ref_throw(run);
    }
    int64_t number = decimal ? wrapped(ref_exact_of(from, value)) : value->integer;
    if (real && to->kind == REF_INT)
        number = saturated(value->real, -2147483648.0, 2147483647.0, INT32_MIN, INT32_MAX);
    else if (real)
        number = saturated(value->real, -9223372036854775808.0, 9223372036854775808.0, INT64_MIN,
                           INT64_MAX);
    *out = ref_of_integer(to->kind == REF_INT ? (int32_t)(uint32_t)(uint64_t)number : number);
    return true;
}

static bool cast_time(RefRun *run, int64_t value, const RefType *from, const RefType *to,
                      RefValue *out) {
    int64_t days = ref_floor_div(value, DAY_MS);
    if (from->kind == REF_DATE)
        *out = ref_of_integer(value * DAY_MS);
    else if (to->kind == REF_DATE)
        *out = ref_of_integer((int32_t)days);
    else
        *out = ref_of_integer((value % DAY_MS + DAY_MS) % DAY_MS);
    run->vague |= to->kind == REF_DATE && days != (int32_t)days;
    return true;
}

/* == Nested == */

static bool cast_struct(RefRun *run, const RefValue *value, const RefType *from,
                        const RefType *to, RefValue *items) {
    for (uint32_t i = 0; i < to->count; i++) {
        items[i] = ref_missing();
        for (uint32_t j = 0; j < from->count; j++) {
            if (strcmp(from->names[j], to->names[i]) == 0 &&
                !ref_cast(run, &value->list.items[j], from->parts[j], to->parts[i], &items[i]))
                return false;
        }
    }
    return true;
}

static bool cast_nested(RefRun *run, const RefValue *value, const RefType *from,
                        const RefType *to, RefValue *out) {
    uint32_t size = from->kind == REF_STRUCT ? to->count : value->list.size;
    RefValue *items = ref_alloc(size * sizeof *items);
    *out = ref_of_list(items, size);
    if (from->kind == REF_STRUCT)
        return cast_struct(run, value, from, to, items);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t part = from->kind == REF_ARRAY ? 0 : i % 2;
        if (!ref_cast(run, &value->list.items[i], from->parts[part], to->parts[part], &items[i]))
            return false;
        /* Keys that become equal: which one stays is not told. */
        for (uint32_t j = 0; from->kind == REF_MAP && part == 0 && j < i; j += 2)
            run->vague |= ref_same(to->parts[0], &items[j], &items[i]);
    }
    return true;
}

bool ref_cast(RefRun *run, const RefValue *value, const RefType *from, const RefType *to,
              RefValue *out) {
    if (!value->present || ref_type_equal(from, to)) {
        *out = *value;
        return true;
    }
    if (to->kind == REF_STRING) {
        RefOut text = {0};
        ref_out_bytes(&text, "", 0);
        text_of(run, &text, from, value, false);
        *out = ref_of_utf8(text.text, text.size);
        return true;
    }
    if (from->kind == REF_STRING)
        return cast_text(run, value->text, to, out);
    if (ref_is_nested(from))
        return cast_nested(run, value, from, to, out);
    if (ref_is_number(from))
        return cast_number(run, value, from, to, out);
    return cast_time(run, value->integer, from, to, out);
}
