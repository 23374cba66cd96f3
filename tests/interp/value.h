/*
 * value.h - types and values of the interpreter: what the vector engine is checked against.
 *
 * The folder tests/interp/ shares no line with the engine: values of its own, one row at a time,
 * decimals by GMP, texts as UTF-16 as Java has them, doubles by printf. Slow and plain on purpose.
 * Memory comes from one heap that is emptied as a whole.
 */
#ifndef TESTS_INTERP_VALUE_H
#define TESTS_INTERP_VALUE_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum RefKind {
    REF_NULL, /* the literal NULL */
    REF_BOOLEAN,
    REF_INT,
    REF_BIGINT,
    REF_DECIMAL,
    REF_DOUBLE,
    REF_STRING,
    REF_BYTES,
    REF_TIME,
    REF_DATE,
    REF_TIMESTAMP,
    REF_ARRAY,
    REF_MAP,
    REF_STRUCT,
} RefKind;

typedef struct RefType RefType;

struct RefType {
    RefKind kind;
    int precision, scale;
    uint32_t count;              /* ARRAY 1, MAP 2, STRUCT n */
    const RefType *const *parts;
    const char *const *names;    /* STRUCT */
};

typedef struct RefText {
    const uint16_t *units; /* STRING: UTF-16 */
    const uint8_t *bytes;  /* BYTES */
    uint32_t size;
} RefText;

typedef struct RefValue RefValue;

struct RefValue {
    bool present;
    union {
        bool boolean;
        int64_t integer; /* INT BIGINT TIME DATE TIMESTAMP */
        double real;
        mpz_srcptr decimal; /* unscaled */
        RefText text;
        struct {
            const RefValue *items; /* MAP: key, value, key, value, ... */
            uint32_t size;         /* items; of a MAP twice its entries */
        } list;
    };
};

/* Zeroed; until the heap is set back to a mark taken before. */
void *ref_alloc(size_t size);
typedef struct RefMark {
    size_t block, used;
} RefMark;
RefMark ref_mark(void);
void ref_reset(RefMark mark);
/* Makes GMP take its memory from here. Once, before anything else. */
void ref_open(void);

/* Text that grows in the heap; always ends in NUL. */
typedef struct RefOut {
    char *text;
    size_t size, room;
} RefOut;

void ref_out(RefOut *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ref_out_bytes(RefOut *out, const void *bytes, size_t size);

extern const RefType ref_null, ref_boolean, ref_int, ref_bigint, ref_double, ref_string, ref_bytes,
    ref_time, ref_date, ref_timestamp;

const RefType *ref_decimal_type(int precision, int scale);
const RefType *ref_array_type(const RefType *item);
const RefType *ref_map_type(const RefType *key, const RefType *value);
const RefType *ref_struct_type(const RefType *const *parts, const char *const *names,
                               uint32_t count);
const RefType *ref_scalar_type(RefKind kind); /* but DECIMAL */
bool ref_type_equal(const RefType *left, const RefType *right);
bool ref_is_number(const RefType *type);
bool ref_is_nested(const RefType *type);
/* As in DDL. */
void ref_type_print(RefOut *out, const RefType *type);

RefValue ref_missing(void);
RefValue ref_of_boolean(bool value);
RefValue ref_of_integer(int64_t value);
RefValue ref_of_real(double value);
RefValue ref_of_decimal(mpz_srcptr value); /* copied */
RefValue ref_of_utf8(const void *text, size_t size); /* of valid UTF-8 */
RefValue ref_of_units(const uint16_t *units, uint32_t size); /* copied */
RefValue ref_of_ascii(const char *text);
RefValue ref_of_bytes(const void *bytes, uint32_t size); /* copied */
RefValue ref_of_list(const RefValue *items, uint32_t size); /* borrowed */

/* The text as UTF-8 with a NUL; *whole is false where a half of a pair stands alone. */
char *ref_utf8(RefText text, size_t *size, bool *whole);

/* The same value to the last bit: NaN is NaN, 0.0 is not -0.0; maps in any order. */
bool ref_same(const RefType *type, const RefValue *left, const RefValue *right);

/* For people. */
void ref_print(RefOut *out, const RefType *type, const RefValue *value);

int ref_compare_text(RefText left, RefText right);  /* by UTF-16 unit */
int ref_compare_bytes(RefText left, RefText right); /* unsigned */

mpz_ptr ref_mpz(void); /* a new zero */
/* 10 to a power. */
mpz_srcptr ref_ten(int power);
int ref_digits(mpz_srcptr value); /* of 0: 1 */

#endif
