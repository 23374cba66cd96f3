/*
 * io_input.h - a file or standard input read from front to back, as the user names it.
 */
#ifndef BASE_IO_INPUT_H
#define BASE_IO_INPUT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

typedef struct IoInput IoInput;

/* path "-": standard input, which one at a time may have open. NOT_FOUND with the path and the
 * reason: a user's file that cannot be read is the statement's failure, not the engine's. All calls
 * below fail the same way. */
ErrCode io_input_open(const char *path, IoInput **input, Err *err);
void io_input_close(IoInput *input); /* NULL is allowed */

/* Whether io_input_read() would not wait; looks for up to timeout_ms, less when a signal comes. */
bool io_input_ready(IoInput *input, int64_t timeout_ms);

/* Waits until some bytes are there; *got 0: the end. */
ErrCode io_input_read(IoInput *input, void *target, uint32_t size, uint32_t *got, Err *err);

/* Goes to a byte of a regular file. Fails on a pipe. */
ErrCode io_input_seek(IoInput *input, uint64_t offset, Err *err);

/* A number that stays the same while the file is the same (device, inode, size, time of change);
 * 0: not a regular file, or standard input. */
uint64_t io_input_identity(const IoInput *input);
uint64_t io_input_size(const IoInput *input); /* 0: not a regular file */

/* Bytes read from standard input that who opens it next is to read again; copied. */
void io_input_give_back(Bytes bytes);

#endif
