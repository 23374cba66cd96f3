/*
 * generate.c - random types, values and literals: extremes more often than anything else.
 */
#include "tests/interp/generate.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t chance_next(RefWorld *world) {
    world->state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = world->state;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

uint32_t ref_chance(RefWorld *world, uint32_t count) {
    return (uint32_t)(chance_next(world) >> 33) % count;
}

/* == Types == */

const RefType *ref_random_decimal(RefWorld *world) {
    static const int precisions[] = {1, 2, 4, 5, 9, 10, 17, 18, 19, 20, 28, 37, 38, 39, 50, 75, 76};
    static const int scales[] = {0, 1, 2, 3, 6, 9};
    int precision = precisions[ref_chance(world, sizeof precisions / sizeof precisions[0])];
    int scale = scales[ref_chance(world, sizeof scales / sizeof scales[0])];
    if (ref_chance(world, 3) == 0)
        precision = 1 + (int)ref_chance(world, 20);
    if (ref_chance(world, 8) == 0)
        scale = (int)ref_chance(world, (uint32_t)precision + 1);
    return ref_decimal_type(precision, scale > precision ? precision : scale);
}

static const RefType *random_scalar(RefWorld *world) {
    static const RefKind kinds[] = {
        REF_BOOLEAN, REF_INT,   REF_INT,  REF_BIGINT, REF_BIGINT, REF_DOUBLE,   REF_DOUBLE,
        REF_DECIMAL, REF_DECIMAL, REF_DECIMAL, REF_STRING, REF_STRING, REF_STRING, REF_BYTES,
        REF_TIME,    REF_DATE,  REF_TIMESTAMP,
    };
    RefKind kind = kinds[ref_chance(world, sizeof kinds / sizeof kinds[0])];
    return kind == REF_DECIMAL ? ref_random_decimal(world) : ref_scalar_type(kind);
}

const RefType *ref_random_type(RefWorld *world, int depth) {
    static const char *const names[] = {"A", "B", "C", "D"};
    if (world->column_count > 0 && ref_chance(world, 3) > 0)
        return world->columns[ref_chance(world, world->column_count)];
    uint32_t shape = ref_chance(world, 10);
    if (depth == 0 || shape < 6)
        return random_scalar(world);
    if (shape < 8)
        return ref_array_type(ref_random_type(world, depth - 1));
    if (shape == 8)
        return ref_map_type(&ref_string, ref_random_type(world, depth - 1));
    const RefType *parts[4];
    uint32_t count = 1 + ref_chance(world, 4);
    for (uint32_t i = 0; i < count; i++)
        parts[i] = ref_random_type(world, depth - 1);
    return ref_struct_type(parts, names, count);
}

void ref_world_columns(RefWorld *world) {
    static const RefKind kinds[] = {
        REF_BOOLEAN, REF_BOOLEAN, REF_INT,    REF_INT,    REF_BIGINT, REF_BIGINT,
        REF_DOUBLE,  REF_DOUBLE,  REF_STRING, REF_STRING, REF_STRING, REF_BYTES,
        REF_TIME,    REF_DATE,    REF_TIMESTAMP,
    };
    const RefType *types[WORLD_COLUMNS_MAX];
    uint32_t count = 0;
    world->column_count = 0;
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        types[count++] = ref_scalar_type(kinds[i]);
    for (uint32_t i = 0; i < 5; i++)
        types[count++] = ref_random_decimal(world);
    for (uint32_t i = 0; i < 3; i++)
        types[count++] = ref_array_type(random_scalar(world));
    types[count++] = ref_map_type(&ref_string, random_scalar(world));
    for (uint32_t i = 0; i < 5; i++)
        types[count++] = ref_random_type(world, 2);
    memcpy(world->columns, types, sizeof types);
    world->column_count = count;
}

/* == Values == */

static int64_t random_integer(RefWorld *world, int64_t min, int64_t max) {
    switch (ref_chance(world, 8)) {
    case 0: return min + (int64_t)ref_chance(world, 3);
    case 1: return max - (int64_t)ref_chance(world, 3);
    case 2: return (int64_t)(chance_next(world) >> 1) % max;
    case 3: return min + (int64_t)(chance_next(world) % (uint64_t)max);
    case 4: return (int64_t)ref_chance(world, 3) - 1 < min ? min : (int64_t)ref_chance(world, 3);
    default: break;
    }
    int64_t small = (int64_t)ref_chance(world, 41) - 20;
    return small < min ? min : small;
}

static double random_real(RefWorld *world) {
    static const double special[] = {
        0.0,  -0.0, 1.0,     -1.0,     0.1,     0.5,    -2.5,  1e7,      1e-3, 123456.789,
        NAN,  INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN, 4.9e-324, 1e23, 9007199254740993.0,
        2147483648.0, -2147483649.0, 9223372036854775808.0, 1e300, 1e-300, 3.14159265358979,
    };
    if (ref_chance(world, 2) == 0)
        return special[ref_chance(world, sizeof special / sizeof special[0])];
    if (ref_chance(world, 3) == 0) {
        uint64_t bits = chance_next(world);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return ((double)ref_chance(world, 20001) - 10000) / (ref_chance(world, 2) ? 100 : 7);
}

static RefValue random_decimal(RefWorld *world, const RefType *type) {
    mpz_ptr value = ref_mpz();
    int digits = 1 + (int)ref_chance(world, (uint32_t)type->precision);
    if (ref_chance(world, 4) == 0)
        digits = type->precision;
    mpz_set_ui(value, chance_next(world));
    while (ref_digits(value) < digits) {
        mpz_mul_2exp(value, value, 60);
        mpz_add_ui(value, value, chance_next(world) >> 4);
    }
    mpz_tdiv_r(value, value, ref_ten(digits));
    switch (ref_chance(world, 8)) {
    case 0: mpz_set_ui(value, ref_chance(world, 10)); break;
    case 1: mpz_sub_ui(value, ref_ten(type->precision), 1); break;
    case 2: mpz_set(value, ref_ten((int)ref_chance(world, (uint32_t)type->precision))); break;
    default: break;
    }
    if (ref_chance(world, 2) == 0)
        mpz_neg(value, value);
    return ref_of_decimal(value);
}

/* Texts that are something to some cast or function, and odd ones. */
static const char *const texts[] = {
    "", "", "a", "abc", "ABC", "aBc dEf", " a ", "A%b_c", "%", "_", "a_c", "a%", "\\", "!a", "'",
    "0", "1", "-1", "+7", "42", " 42 ", "007", "2147483647", "2147483648", "-2147483648",
    "9223372036854775807", "-9223372036854775809", "1.5", "-0.005", "1e3", "1E-3", ".5", "5.", ".",
    "1e", "1e400", "1e-400", "12345678901234567890.123456789", "NaN", "Infinity", "0x10", "1,5",
    "true", "TRUE", "tr", "Y", "yes", "no", "false", "f", "null", "NULL",
    "2020-02-29", "2021-02-29", "1969-12-31", "0001-01-01", "9999-12-31", "2020-13-01", "2020",
    "2020-06", "2020-02-29T12:34:56.789", "1970-01-01T00:00:00.000Z", "2020-01-01T00:00+01:00",
    "2020-01-01T25:00", "12:34", "12:34:56", "23:59:59.999", "00:00", "24:00", "12:60",
    "YWJj", "YQ==", "YWI=", "////", "not base64!", "{\"a\":1}", "[1,2]", "a,b,,c", ",", "\n",
    "a\nb", "\t", "\xC3\xA4", "\xC3\x84\xC3\x9F", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
    "a\xF0\x9F\x98\x80z", "\xF0\x9F\x98\x80\xF0\x9F\x98\x81", "\xEF\xBF\xBD", "\xEF\xBC\xA1",
    "e\xCC\x81", "\xC4\xB0", "x y  z",
};

RefValue ref_random_text(RefWorld *world) {
    enum { TEXT_COUNT = sizeof texts / sizeof texts[0] };
    RefOut out = {0};
    uint32_t pieces = ref_chance(world, 4) > 0 ? 1 : ref_chance(world, 4);
    if (ref_chance(world, 100) == 0)
        pieces = 60;
    ref_out_bytes(&out, "", 0);
    for (uint32_t i = 0; i < pieces; i++) {
        const char *piece = texts[ref_chance(world, TEXT_COUNT)];
        ref_out_bytes(&out, piece, strlen(piece));
    }
    return ref_of_utf8(out.text, out.size);
}

static RefValue random_bytes(RefWorld *world) {
    uint8_t bytes[16];
    uint32_t size = ref_chance(world, 3) == 0 ? ref_chance(world, 16) : ref_chance(world, 5);
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = ref_chance(world, 2) ? (uint8_t)chance_next(world)
                                        : (uint8_t)("\x00\xFF\x80" "a"[ref_chance(world, 4)]);
    return ref_of_bytes(bytes, size);
}

static RefValue random_map(RefWorld *world, const RefType *type) {
    RefValue items[8], *copy = ref_alloc(sizeof items);
    uint32_t size = 0, wanted = ref_chance(world, 4) * 2;
    while (size < wanted) {
        items[size] = ref_random_value(world, type->parts[0]);
        bool known = !items[size].present;
        for (uint32_t i = 0; i < size; i += 2)
            known |= ref_same(type->parts[0], &items[i], &items[size]);
        if (known)
            continue;
        items[size + 1] = ref_random_value(world, type->parts[1]);
        size += 2;
    }
    memcpy(copy, items, sizeof items);
    return ref_of_list(copy, size);
}

static RefValue random_list(RefWorld *world, const RefType *type) {
    uint32_t size = type->kind == REF_STRUCT ? type->count : ref_chance(world, 5);
    RefValue *items = ref_alloc((size + 1) * sizeof *items);
    for (uint32_t i = 0; i < size; i++)
        items[i] = ref_random_value(world, type->parts[type->kind == REF_STRUCT ? i : 0]);
    return ref_of_list(items, size);
}

static int64_t random_timestamp(RefWorld *world) {
    static const int64_t special[] = {
        0, -1, 1, 951782400000, 253402300799999, -62135596800000, 86399999, 86400000, -86400000,
        1582934400000, 1600000000123, INT64_MAX, INT64_MIN,
    };
    if (ref_chance(world, 2) == 0)
        return special[ref_chance(world, sizeof special / sizeof special[0])];
    return (int64_t)(chance_next(world) % 4000000000000u) - 1000000000000;
}

RefValue ref_random_value(RefWorld *world, const RefType *type) {
    if (ref_chance(world, 7) == 0)
        return ref_missing();
    switch (type->kind) {
    case REF_BOOLEAN: return ref_of_boolean(ref_chance(world, 2) == 0);
    case REF_INT: return ref_of_integer(random_integer(world, INT32_MIN, INT32_MAX));
    case REF_BIGINT: return ref_of_integer(random_integer(world, INT64_MIN, INT64_MAX));
    case REF_DECIMAL: return random_decimal(world, type);
    case REF_DOUBLE: return ref_of_real(random_real(world));
    case REF_STRING: return ref_random_text(world);
    case REF_BYTES: return random_bytes(world);
    case REF_TIME: return ref_of_integer(random_integer(world, 0, 86399999));
    case REF_DATE:
        return ref_of_integer(ref_chance(world, 4) == 0
                                  ? random_integer(world, INT32_MIN, INT32_MAX)
                                  : (int64_t)ref_chance(world, 60000) - 20000);
    case REF_TIMESTAMP: return ref_of_integer(random_timestamp(world));
    case REF_MAP: return random_map(world, type);
    case REF_ARRAY:
    case REF_STRUCT: return random_list(world, type);
    default: return ref_missing();
    }
}

/* == Literals == */

RefNode *ref_node(RefNodeKind kind, const RefType *type, const RefNode *const *args,
                  uint32_t count) {
    RefNode *node = ref_alloc(sizeof *node);
    const RefNode **copy = ref_alloc((count + 1) * sizeof(RefNode *));
    for (uint32_t i = 0; i < count; i++)
        copy[i] = args[i];
    *node = (RefNode){.kind = kind, .type = type, .args = copy, .count = count};
    return node;
}

static RefNode *literal(const RefType *type, RefValue value, const char *text) {
    RefNode *node = ref_node(NODE_LITERAL, type, NULL, 0);
    node->value = value;
    node->text = text;
    return node;
}

const RefNode *ref_null_literal(void) {
    return literal(&ref_null, ref_missing(), "NULL");
}

static const RefNode *text_literal(RefValue value) {
    RefOut out = {0};
    size_t size;
    bool whole;
    char *text = ref_utf8(value.text, &size, &whole);
    ref_out(&out, "'");
    for (size_t i = 0; i < size; i++)
        ref_out_bytes(&out, text[i] == '\'' ? "''" : text + i, text[i] == '\'' ? 2 : 1);
    ref_out(&out, "'");
    return literal(&ref_string, value, out.text);
}

static const RefNode *integer_literal(int64_t value) {
    RefOut out = {0};
    ref_out(&out, "%lld", (long long)value);
    return literal(value == (int32_t)value ? &ref_int : &ref_bigint, ref_of_integer(value),
                   out.text);
}

/* Digits with a point: its type follows from them. */
static const RefNode *decimal_literal(RefWorld *world) {
    static const char *const samples[] = {
        "0.0", "0.5", "-0.5", "1.0", "1.5", "2.50", "-3.75", "0.001", "10.", "99.99", "100.00",
        "-0.00", "3.0", "7.0", "0.1", "12345678901234567.89", "0.000000001",
        "99999999999999999999999999999999999999.9",
    };
    const char *text = samples[ref_chance(world, sizeof samples / sizeof samples[0])];
    RefExact exact;
    if (!ref_parse_exact(ref_of_ascii(text).text, &exact))
        abort();
    int digits = ref_digits(exact.unscaled), scale = (int)exact.scale;
    bool below_one = mpz_cmpabs(exact.unscaled, ref_ten(scale)) < 0;
    int precision = below_one ? scale + 1 : digits > scale ? digits : scale;
    return literal(ref_decimal_type(precision, scale), ref_of_decimal(exact.unscaled), text);
}

static const RefNode *real_literal(RefWorld *world) {
    static const char *const samples[] = {
        "0E0", "1E0", "-1E0", "1.5E0", "2.5E-1", "1E10", "-1E-10", "1E308", "4.9E-324", "1e2",
        "12.375e1", "1E23",
    };
    const char *text = samples[ref_chance(world, sizeof samples / sizeof samples[0])];
    return literal(&ref_double, ref_of_real(strtod(text, NULL)), text);
}

static const RefNode *number_literal(RefWorld *world, const RefType *type) {
    if (type->kind == REF_DOUBLE)
        return real_literal(world);
    if (type->kind == REF_DECIMAL)
        return decimal_literal(world);
    bool wide = type->kind == REF_BIGINT;
    return integer_literal(wide ? random_integer(world, INT64_MIN, INT64_MAX)
                                : random_integer(world, INT32_MIN, INT32_MAX));
}

static const RefNode *cast_of(const RefNode *node, const RefType *type) {
    return ref_type_equal(node->type, type) ? node : ref_node(NODE_CAST, type, &node, 1);
}

static const RefNode *nested_literal(RefWorld *world, const RefType *type) {
    const RefNode *args[8];
    uint32_t count = type->kind == REF_ARRAY ? 1 + ref_chance(world, 4)
                     : type->kind == REF_MAP ? 2 + 2 * ref_chance(world, 3)
                                             : type->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = type->kind == REF_ARRAY ? 0 : type->kind == REF_MAP ? i % 2 : i;
        args[i] = ref_random_literal(world, type->parts[part]);
    }
    return ref_node(type->kind == REF_ARRAY ? NODE_ARRAY
                    : type->kind == REF_MAP ? NODE_MAP
                                            : NODE_STRUCT,
                    type, args, count);
}

const RefNode *ref_random_literal(RefWorld *world, const RefType *type) {
    if (ref_chance(world, 20) == 0)
        return cast_of(ref_null_literal(), type);
    if (ref_is_nested(type))
        return nested_literal(world, type);
    if (ref_is_number(type))
        return cast_of(number_literal(world, type), type);
    if (type->kind == REF_STRING)
        return text_literal(ref_random_text(world));
    if (type->kind == REF_BOOLEAN) {
        bool truth = ref_chance(world, 2) == 0;
        return literal(type, ref_of_boolean(truth), truth ? "TRUE" : "FALSE");
    }
    static const char *const dates[] = {"2020-02-29", "1970-01-01", "9999-12-31", "1969-07-20"};
    static const char *const times[] = {"12:34:56", "00:00:00", "23:59:59.999", "07:00"};
    static const char *const stamps[] = {"2020-02-29T12:34:56.789", "1970-01-01T00:00:00.000",
                                         "1900-01-01", "2020-01-01T00:00:00.000+01:00"};
    static const char *const bytes[] = {"YWJj", "AP8=", "gA==", ""};
    const char *const *samples = type->kind == REF_DATE   ? dates
                                 : type->kind == REF_TIME ? times
                                 : type->kind == REF_BYTES ? bytes
                                                           : stamps;
    return cast_of(text_literal(ref_of_ascii(samples[ref_chance(world, 4)])), type);
}
