/*
 * colour.h - SQL text in colours, and what is open at each line's begin.
 */
#ifndef CLI_COLOUR_H
#define CLI_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* styles[0..size): an EditStyle for each byte. opens: for each '\n' what is open behind it, as
 * weir_is_complete() says it; both must have room for `size`. */
void colour_sql(const char *text, size_t size, uint8_t *styles, char *opens);

/* Whether colours are wanted on this file: NO_COLOR, CLICOLOR_FORCE, TERM, and `choice` ("auto",
 * "always", "never") in their order of strength. */
bool colour_is_wanted(const char *choice, int fd);

#endif
