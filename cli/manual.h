/*
 * manual.h - texts made from the engine's own tables: --help, the reference of the language, the
 * manual page, completion for bash and zsh.
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdio.h>

/* What --help says. */
void manual_usage(FILE *out);

/* Writes the text `name` (sql, functions, settings, extensions, man, bash, zsh) to standard output.
 * Exit status: 2 where there is none of this name. */
int manual_write(const char *name);

#endif
