/*
 * print_format.h - what format the keys or values of a topic may have, told from their bytes.
 *
 * Every format that ksqlDB knows without a schema is possible at first; each value that a format
 * cannot read rules it out for good. What is left is what ksqlDB's PRINT shows, in its order, and
 * the first of them is how values are written. Keys may also have a window behind them: SESSION(f)
 * has its end and start, HOPPING(f) and TUMBLING(f) have its start (which of the two is not in the
 * bytes).
 */
#ifndef ENGINE_PRINT_FORMAT_H
#define ENGINE_PRINT_FORMAT_H

#include <stdbool.h>

#include "base/buf.h"

typedef struct PrintFormat {
    uint32_t possible; /* one bit a format: print_format.c */
    bool seen;         /* some value that is not null */
} PrintFormat;

PrintFormat print_format_new(bool is_key);

/* Rules out what cannot read these bytes; data NULL: nothing. */
void print_format_see(PrintFormat *format, Bytes value);

/* The value as the first possible format writes it, null as <null>; where none is possible its
 * printable characters, the others as \xFF. A NUL is always \x00. */
void print_format_put(const PrintFormat *format, Bytes value, Buf *out);

/* "JSON or KAFKA_STRING". */
void print_format_names(const PrintFormat *format, Buf *out);

#endif
