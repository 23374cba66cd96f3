/*
 * json_text.h - the pieces of JSON texts: strings and numbers, read and written as Jackson does.
 */
#ifndef DATA_JSON_TEXT_H
#define DATA_JSON_TEXT_H

#include "base/buf.h"

/* A text in quotes; only what JSON must escape is escaped. */
void json_print_string(Buf *out, Bytes text);

/* Writes what `raw`, the inside of a string known to be JSON, stands for: never longer. Returns its
 * end. Half of a surrogate pair becomes '?'. */
uint8_t *json_text_unescape(uint8_t *target, Bytes raw);

/* A JSON number as Java prints the integer or BigDecimal that it is: the text itself where that is
 * how it is written; `target` has room for JSON_NUMBER_GROWTH more bytes than the text. */
enum { JSON_NUMBER_GROWTH = 16 };
Bytes json_text_number(uint8_t *target, Bytes text);

/* The same without an exponent, as BigDecimal.toPlainString prints it; false: it has an exponent
 * beyond JSON_PLAIN_SCALE_MAX, and nothing is written. */
enum { JSON_PLAIN_SCALE_MAX = 9999 };
bool json_print_plain(Buf *out, Bytes text);

#endif
