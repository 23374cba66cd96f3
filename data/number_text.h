/*
 * number_text.h - numbers to text and back, exactly as Java does it.
 */
#ifndef DATA_NUMBER_TEXT_H
#define DATA_NUMBER_TEXT_H

#include "base/buf.h"

/* Decimal digits of an integer. */
void number_print_i64(Buf *out, int64_t value);

/* The same at `at`, where NUMBER_I64_ROOM bytes are writable; returns the end of the digits. */
enum { NUMBER_I64_ROOM = 32 };
uint8_t *number_put_i64(uint8_t *at, int64_t value);

/* The same of value / 10^scale, with as many digits behind its point. */
enum { NUMBER_SCALE_MAX = 8 };
uint8_t *number_put_scaled(uint8_t *at, int64_t value, uint32_t scale);

/* Shortest digits that read back as the same double, in the layout of Java's Double.toString:
 * 2.0, 1.0E10, 1.234E-5, NaN, Infinity. */
void number_print_double(Buf *out, double value);

/* Java's Integer/Long.parseLong: optional sign, digits only; false: not one, or out of range. */
bool number_parse_i64(Bytes text, int64_t *value);

/* A JSON or SQL number (sign, digits, point, exponent), correctly rounded; false: not one. */
bool number_parse_double(Bytes text, double *value);

#endif
