/*
 * type.c - see type.h.
 *
 * Nested types are immutable trees in the arena of their maker; they share their parts freely, so
 * only type_copy() walks them whole.
 */
#include "data/type.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "data/decimal.h"

const Type type_null = {.kind = TYPE_NULL};
const Type type_boolean = {.kind = TYPE_BOOLEAN};
const Type type_int = {.kind = TYPE_INT};
const Type type_bigint = {.kind = TYPE_BIGINT};
const Type type_double = {.kind = TYPE_DOUBLE};
const Type type_string = {.kind = TYPE_STRING};
const Type type_time = {.kind = TYPE_TIME};
const Type type_date = {.kind = TYPE_DATE};
const Type type_timestamp = {.kind = TYPE_TIMESTAMP};
const Type type_bytes = {.kind = TYPE_BYTES};

/* What a kind is called, and what a value of it takes in a column. */
static const struct TypeFact {
    const char *name;
    const Type *scalar;
    uint32_t width;
} type_facts[] = {
    [TYPE_NULL] = {"NULL", &type_null, 0},
    [TYPE_BOOLEAN] = {"BOOLEAN", &type_boolean, sizeof(uint8_t)},
    [TYPE_INT] = {"INTEGER", &type_int, sizeof(int32_t)},
    [TYPE_BIGINT] = {"BIGINT", &type_bigint, sizeof(int64_t)},
    [TYPE_DECIMAL] = {"DECIMAL", NULL, 0},
    [TYPE_DOUBLE] = {"DOUBLE", &type_double, sizeof(double)},
    [TYPE_STRING] = {"STRING", &type_string, sizeof(Bytes)},
    [TYPE_ARRAY] = {"ARRAY", NULL, 0},
    [TYPE_MAP] = {"MAP", NULL, 0},
    [TYPE_STRUCT] = {"STRUCT", NULL, 0},
    [TYPE_TIME] = {"TIME", &type_time, sizeof(int32_t)},
    [TYPE_DATE] = {"DATE", &type_date, sizeof(int32_t)},
    [TYPE_TIMESTAMP] = {"TIMESTAMP", &type_timestamp, sizeof(int64_t)},
    [TYPE_BYTES] = {"BYTES", &type_bytes, sizeof(Bytes)},
};

const Type *type_scalar(TypeKind kind) {
    assert(kind <= TYPE_BYTES);
    const Type *type = type_facts[kind].scalar;
    assert(type);
    return type;
}

ErrCode type_decimal(Arena *arena, int64_t precision, int64_t scale, const Type **type, Err *err) {
    assert(arena && type);
    const char *rule = precision < 1       ? "precision must be >= 1"
                       : scale < 0         ? "scale must be >= 0"
                       : precision < scale ? "precision must be >= scale"
                                           : NULL;
    if (rule)
        return err_set(err, ERR_TYPE, "DECIMAL %s: DECIMAL(%" PRId64 ",%" PRId64 ")", rule,
                       precision, scale);
    if (precision > DECIMAL_PRECISION_MAX)
        return err_set(err, ERR_LIMIT, "DECIMAL precision must be <= %d: DECIMAL(%" PRId64
                       ",%" PRId64 ")", DECIMAL_PRECISION_MAX, precision, scale);
    Type *made = arena_alloc(arena, sizeof *made);
    *made = (Type){.kind = TYPE_DECIMAL, .precision = (uint16_t)precision,
                   .scale = (uint16_t)scale};
    *type = made;
    return ERR_OK;
}

static Type *type_nested(Arena *arena, TypeKind kind, uint32_t field_count) {
    Type *type = arena_alloc(arena, sizeof *type);
    type->kind = kind;
    type->field_count = field_count;
    return type;
}

const Type *type_array(Arena *arena, const Type *element) {
    assert(element);
    TypeField *fields = arena_array(arena, 1, sizeof *fields);
    fields[0].type = element;
    Type *type = type_nested(arena, TYPE_ARRAY, 1);
    type->fields = fields;
    return type;
}

const Type *type_map(Arena *arena, const Type *key, const Type *value) {
    assert(key && value);
    TypeField *fields = arena_array(arena, 2, sizeof *fields);
    fields[0].type = key;
    fields[1].type = value;
    Type *type = type_nested(arena, TYPE_MAP, 2);
    type->fields = fields;
    return type;
}

const Type *type_struct(Arena *arena, const TypeField *fields, uint32_t field_count) {
    assert(fields || field_count == 0);
    TypeField *copy = arena_array(arena, field_count, sizeof *copy);
    for (uint32_t i = 0; i < field_count; i++) {
        assert(fields[i].name && fields[i].type);
        copy[i] = (TypeField){arena_strdup(arena, fields[i].name), fields[i].type};
    }
    Type *type = type_nested(arena, TYPE_STRUCT, field_count);
    type->fields = copy;
    return type;
}

const Type *type_copy(Arena *arena, const Type *type) {
    assert(type && type->kind <= TYPE_BYTES);
    if (type_facts[type->kind].scalar)
        return type_facts[type->kind].scalar;
    Type *copy = type_nested(arena, type->kind, type->field_count);
    copy->precision = type->precision;
    copy->scale = type->scale;
    TypeField *fields = arena_array(arena, type->field_count, sizeof *fields);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const char *name = type->fields[i].name;
        fields[i].name = name ? arena_strdup(arena, name) : NULL;
        fields[i].type = type_copy(arena, type->fields[i].type);
    }
    copy->fields = fields;
    return copy;
}

bool type_equal(const Type *left, const Type *right) {
    assert(left && right);
    if (left == right)
        return true;
    if (left->kind != right->kind || left->precision != right->precision ||
        left->scale != right->scale || left->field_count != right->field_count)
        return false;
    for (uint32_t i = 0; i < left->field_count; i++) {
        if (left->kind == TYPE_STRUCT && strcmp(left->fields[i].name, right->fields[i].name) != 0)
            return false;
        if (!type_equal(left->fields[i].type, right->fields[i].type))
            return false;
    }
    return true;
}

bool type_is_number(const Type *type) {
    return type->kind >= TYPE_INT && type->kind <= TYPE_DOUBLE;
}

bool type_is_nested(const Type *type) {
    return type->kind >= TYPE_ARRAY && type->kind <= TYPE_STRUCT;
}

/* `NAME`, a back quote inside doubled. */
static void type_print_name(Buf *out, const char *name) {
    buf_u8(out, '`');
    for (; *name; name++) {
        if (*name == '`')
            buf_u8(out, '`');
        buf_u8(out, (uint8_t)*name);
    }
    buf_u8(out, '`');
}

void type_print(Buf *out, const Type *type) {
    assert(type && type->kind <= TYPE_BYTES);
    buf_text(out, type_facts[type->kind].name);
    if (type->kind == TYPE_DECIMAL) {
        buf_printf(out, "(%u, %u)", type->precision, type->scale);
    } else if (type->kind == TYPE_STRUCT && type->field_count == 0) {
        buf_text(out, "< >");
    } else if (type_is_nested(type)) {
        for (uint32_t i = 0; i < type->field_count; i++) {
            buf_text(out, i == 0 ? "<" : ", ");
            if (type->fields[i].name) {
                type_print_name(out, type->fields[i].name);
                buf_u8(out, ' ');
            }
            type_print(out, type->fields[i].type);
        }
        buf_u8(out, '>');
    }
}

const char *type_text(Arena *arena, const Type *type) {
    Buf buf = {0};
    type_print(&buf, type);
    const char *text = arena_text(arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

uint32_t type_width(const Type *type) {
    assert(type && type->kind <= TYPE_BYTES);
    if (type->kind == TYPE_DECIMAL)
        return decimal_width(type->precision);
    return type_facts[type->kind].width;
}
