/*
 * type.h - SQL types.
 *
 * A Type is immutable; scalars are static singletons, the others live in the arena of who made
 * them. Two types are the same type when type_equal() says so, never by pointer.
 */
#ifndef DATA_TYPE_H
#define DATA_TYPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* In ksqlDB's order of base types; numbers widen to the right. */
typedef enum TypeKind {
    TYPE_NULL, /* the literal NULL before something gives it a type; never a column's */
    TYPE_BOOLEAN,
    TYPE_INT,
    TYPE_BIGINT,
    TYPE_DECIMAL,
    TYPE_DOUBLE,
    TYPE_STRING,
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_STRUCT,
    TYPE_TIME,
    TYPE_DATE,
    TYPE_TIMESTAMP,
    TYPE_BYTES,
} TypeKind;

typedef struct Type Type;

typedef struct TypeField {
    const char *name; /* STRUCT only, NULL otherwise */
    const Type *type;
} TypeField;

struct Type {
    TypeKind kind;
    uint16_t precision; /* DECIMAL: 1 to DECIMAL_PRECISION_MAX */
    uint16_t scale;
    uint32_t field_count; /* ARRAY 1: element; MAP 2: key, value; STRUCT n */
    const TypeField *fields;
};

extern const Type type_null, type_boolean, type_int, type_bigint, type_double, type_string,
    type_time, type_date, type_timestamp, type_bytes;

/* The static singleton of a scalar kind other than DECIMAL. */
const Type *type_scalar(TypeKind kind);

/* TYPE or LIMIT error where precision and scale do not fit ksqlDB's rules or ours. */
ErrCode type_decimal(Arena *arena, int64_t precision, int64_t scale, const Type **type, Err *err);
const Type *type_array(Arena *arena, const Type *element);
const Type *type_map(Arena *arena, const Type *key, const Type *value);
const Type *type_struct(Arena *arena, const TypeField *fields, uint32_t field_count);

const Type *type_copy(Arena *arena, const Type *type); /* deep */
bool type_equal(const Type *left, const Type *right);
bool type_is_number(const Type *type); /* INT BIGINT DECIMAL DOUBLE */
bool type_is_nested(const Type *type); /* ARRAY MAP STRUCT */

/* As ksqlDB prints it: INTEGER, DECIMAL(4, 2), STRUCT<`A` INTEGER, `B` ARRAY<STRING>>. */
void type_print(Buf *out, const Type *type);
const char *type_text(Arena *arena, const Type *type);

/* Bytes per value in a column: see column.h. ARRAY and MAP: 0 (offsets instead). STRUCT: 0. */
uint32_t type_width(const Type *type);

#endif
