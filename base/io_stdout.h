/*
 * io_stdout.h - standard output for a while to somewhere else: a file, or a command that reads it.
 */
#ifndef BASE_IO_STDOUT_H
#define BASE_IO_STDOUT_H

#include <stdbool.h>

#include "base/err.h"

/* From here on standard output goes to the file, which is made anew (or continued). NOT_FOUND with
 * the path and the reason. */
ErrCode io_stdout_to_file(const char *path, bool append, Err *err);

/* ... to the standard input of a shell command. */
ErrCode io_stdout_to_command(const char *command, Err *err);

/* Back where it was; waits for the command to end. */
void io_stdout_back(void);

/* Whether it is somewhere else now. */
bool io_stdout_is_away(void);

#endif
