/*
 * io_output.h - a file of the user's, written from front to back: all of it is there, or nothing.
 *
 *   open -> write* -> finish or drop
 *
 * A regular file is written beside its name and gets it at the end, synced; until then, and when
 * dropped, what had the name before stays. Standard output, pipes and devices get the bytes as they
 * come.
 */
#ifndef BASE_IO_OUTPUT_H
#define BASE_IO_OUTPUT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

typedef struct IoOutput IoOutput;

/* path "-": standard output. A file that is there is not replaced unless `overwrite`: SEMANTIC.
 * NOT_FOUND with path and reason for what fails here and below: it is the statement's failure, not
 * the engine's. */
ErrCode io_output_open(const char *path, bool overwrite, IoOutput **output, Err *err);

ErrCode io_output_write(IoOutput *output, Bytes bytes, Err *err);

/* Both free it, whatever they return. After ERR_OK of finish() the file is there for good. */
ErrCode io_output_finish(IoOutput *output, Err *err);
void io_output_drop(IoOutput *output); /* NULL is allowed */

#endif
