/*
 * value_text.h - a value as the text that CAST(x AS STRING) gives: what Java prints.
 *
 *   2.0   100.50   2001-02-03T04:05:06.007   [1, null]   {k=v, l=w}   Struct{F=1,G=x}
 */
#ifndef UDF_VALUE_TEXT_H
#define UDF_VALUE_TEXT_H

#include "base/buf.h"
#include "data/column.h"

/* Appends the value; a missing one as "null". Fields of a STRUCT that are missing are left out. */
void value_text_print(Buf *out, const Column *column, uint32_t row);

/* The same for a value inside of another one: decimals may have an exponent there (1E-7). */
void value_text_print_item(Buf *out, const Column *column, uint32_t row);

#endif
