/*
 * value_text.h - one value as text for people and programs.
 *
 * Human text: strings bare, times in ISO form, bytes in base64, nested values as JSON. JSON: times
 * as ISO strings at any depth (a client of JSON cannot guess what a number of days is), numbers
 * with all digits, bytes in base64.
 */
#ifndef ENGINE_VALUE_TEXT_H
#define ENGINE_VALUE_TEXT_H

#include "base/buf.h"
#include "data/column.h"

void value_text_put(Buf *out, const Column *column, uint32_t row); /* not NULL */
void value_json_put(Buf *out, const Column *column, uint32_t row);
void value_json_string(Buf *out, Bytes text); /* "..." with escapes */

#endif
