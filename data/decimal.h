/*
 * decimal.h - exact decimal numbers up to 76 digits.
 *
 * A Decimal is a 256-bit two's complement integer (unscaled); precision and scale are its type's.
 * Columns store it in 8, 16 or 32 bytes by precision: decimal_load() and decimal_store() convert.
 * Operations follow ksqlDB: results that need rounding, or more digits than the result type has,
 * are errors of the row (false); CAST rounds half up.
 */
#ifndef DATA_DECIMAL_H
#define DATA_DECIMAL_H

#include "base/buf.h"
#include "data/type.h"

typedef struct Decimal {
    uint64_t word[4]; /* little-endian two's complement */
} Decimal;

uint32_t decimal_width(uint32_t precision); /* 8, 16 or 32 */
Decimal decimal_load(const void *source, uint32_t precision);

/* The stored value as one of 64 bits; false: it does not fit. */
static inline bool decimal_load_i64(const void *source, uint32_t precision, int64_t *value) {
    int64_t words[4];
    memcpy(words, source, 8);
    *value = words[0];
    int64_t sign = words[0] >> 63;
    if (precision <= 18)
        return true;
    if (precision <= 38) {
        memcpy(words, source, 16);
        return words[1] == sign;
    }
    memcpy(words, source, 32);
    return words[1] == sign && words[2] == sign && words[3] == sign;
}

void decimal_store(void *target, uint32_t precision, Decimal value);

Decimal decimal_from_i64(int64_t value);
int decimal_sign(Decimal value); /* -1, 0, 1 */
int decimal_compare(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale);
bool decimal_fits(Decimal value, uint32_t precision); /* at most that many digits */

/* Fits, or has the one digit more that ROUND and CEIL may add to 9.9: columns have room for it. */
bool decimal_storable(Decimal value, uint32_t precision);

/* -2.50, 100.00: plain notation with exactly `scale` digits after the point. */
void decimal_print(Buf *out, Decimal value, uint32_t scale);

/* The same, but 1.2E-7 where the first digit is more than six places behind the point: what
 * BigDecimal.toString() gives. */
void decimal_print_short(Buf *out, Decimal value, uint32_t scale);

/* Text such as "-12.5", "+.5", "1e3": the exact value; false: not a number, over 76 digits, or over
 * DECIMAL_PARSE_SCALE_MAX of them behind the point. *precision counts the digits of the unscaled
 * value: 1 for 0.05, 4 for 1e3 (whose scale is 0). */
bool decimal_parse(Bytes text, Decimal *value, uint32_t *precision, uint32_t *scale);
enum { DECIMAL_PARSE_SCALE_MAX = 400 }; /* the smallest DOUBLE's text needs 341 */

/* The same text, any number of digits, right away as DECIMAL(precision, scale): exact (ensure fit)
 * or half up (CAST). false: not a number, or it does not fit. */
bool decimal_parse_exact(Bytes text, uint32_t precision, uint32_t scale, Decimal *value);
bool decimal_parse_round(Bytes text, uint32_t precision, uint32_t scale, Decimal *value);

/* Why a text is no DECIMAL(precision, scale), in ksqlDB's words: one that decimal_parse_exact()
 * or, with `rounded`, decimal_parse_round() refused. */
void decimal_print_misfit(Buf *out, Bytes text, uint32_t precision, uint32_t scale, bool rounded);

/* To another scale: exact or false (ensure fit) / half up (CAST). false where it would overflow
 * `precision`. */
bool decimal_rescale_exact(Decimal value, uint32_t from, uint32_t to, uint32_t precision,
                           Decimal *result);
bool decimal_rescale_round(Decimal value, uint32_t from, uint32_t to, uint32_t precision,
                           Decimal *result);

/* Arithmetic under the rules of the head comment: `type` is the result's. */
bool decimal_add(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                 const Type *type, Decimal *result);
bool decimal_subtract(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                      const Type *type, Decimal *result);
bool decimal_multiply(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                      const Type *type, Decimal *result);
bool decimal_divide(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                    const Type *type, Decimal *result);
bool decimal_modulus(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                     const Type *type, Decimal *result);
Decimal decimal_negate(Decimal value);

double decimal_to_double(Decimal value, uint32_t scale); /* correctly rounded */
int64_t decimal_to_i64(Decimal value, uint32_t scale);   /* truncates, then wraps */
/* Half up to `scale`, from the shortest decimal text of the double (BigDecimal.valueOf). */
bool decimal_from_double(double value, uint32_t precision, uint32_t scale, Decimal *result);
/* Against that text; finite. <0, 0, >0. */
int decimal_compare_double(Decimal left, uint32_t scale, double right);

/* Result types of ksqlDB's arithmetic; both operands DECIMAL, or INT = (10,0), BIGINT = (19,0).
 * LIMIT error over 76 digits. op: one of + - * / % */
ErrCode decimal_result_type(Arena *arena, char op, const Type *left, const Type *right,
                            const Type **type, Err *err);
/* DECIMAL(p,s) that an integer type stands for; a DECIMAL is itself. */
void decimal_shape(const Type *type, uint32_t *precision, uint32_t *scale);
/* The DECIMAL that holds both: of lists, CASE, GREATEST. LIMIT error likewise. */
ErrCode decimal_common_type(Arena *arena, const Type *left, const Type *right, const Type **type,
                            Err *err);
/* A literal's precision from decimal_parse() becomes its type's: 0.5 is DECIMAL(2, 1). */
void decimal_literal_shape(uint32_t *precision, uint32_t scale);

#endif
