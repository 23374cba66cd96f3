/*
 * copy_impl.h - one COPY under way: what copy.c, copy_options.c and copy_commit.c share.
 */
#ifndef ENGINE_COPY_IMPL_H
#define ENGINE_COPY_IMPL_H

#include "engine/appender.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"

enum { COPY_FLIGHT_MAX = 4 }; /* commits handed over and not yet durable */

typedef struct Copy {
    Call *call;
    const char *path;
    const char *name;     /* of the source */
    const Schema *schema; /* the call's own copy: the source may be dropped meanwhile */
    bool is_table;
    RowFormat format;
    bool header, skip_errors;
    bool is_stream; /* standard input, a pipe: cannot be read twice */
    bool quiet;     /* hints were given by the check */
    IoInput *input;
    Appender *appender;
    uint64_t rows;          /* added, earlier runs included */
    uint64_t offset, line;  /* behind the last of them */
    uint64_t notice_count;
    Buf key; /* of the progress note; empty for a stream */
    CommitTicket tickets[COPY_FLIGHT_MAX]; /* a ring */
    uint32_t next_ticket;
    bool is_broken; /* a commit failed: no more of them */
} Copy;

/* FORMAT, HEADER, ON_ERROR; what is not said is guessed from the file's name. */
ErrCode copy_options(Copy *copy, Err *err);

void copy_commit_open(Copy *copy);
void copy_commit_close(Copy *copy);

/* Reads how far an earlier COPY of the same file into the same topic came: rows, offset, line. */
ErrCode copy_read_note(Copy *copy, Err *err);

/* Hands over what the appender has, with the note of how far it reaches. Does not wait until it is
 * durable. Not after a failure. */
ErrCode copy_commit(Copy *copy, Err *err);

/* At the end: the note goes when the one who asked has the answer. Until then a COPY that is
 * repeated, because nobody heard that it was done, adds nothing. */
void copy_forget_note(Copy *copy);

/* Waits for all commits handed over; the first failure among them. */
ErrCode copy_commit_wait(Copy *copy, Err *err);

#endif
