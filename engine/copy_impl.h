/*
 * copy_impl.h - one COPY under way: what copy.c, copy_options.c, copy_commit.c, copy_bulk.c share.
 */
#ifndef ENGINE_COPY_IMPL_H
#define ENGINE_COPY_IMPL_H

#include "engine/appender.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"
#include "engine/tally.h"
#include "storage/segment_add.h"

enum { COPY_FLIGHT_MAX = 4 }; /* commits handed over and not yet durable */

/* What the tally says. */
typedef enum CopyFigure { COPY_OFFSET, COPY_LINE, COPY_ROWS, COPY_FIGURES } CopyFigure;

/* How rows become durable. */
typedef enum CopyWay {
    COPY_COMMITS, /* commits of some MiB, a few in flight */
    COPY_ONCE,    /* one commit for all: a small file of which all rows are wanted or none */
    COPY_BULK,    /* segments beside the journal: portions of some 10 MiB, or one for all */
} CopyWay;

typedef struct CopyBulk CopyBulk;

/* A point of the file to go back to, or to go on from after a crash. */
typedef struct CopyMark {
    uint64_t rows, offset, line;
    uint64_t skipped, notices;
} CopyMark;

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
    RowReader *reader;
    Appender *appender;
    uint64_t rows;          /* added, earlier runs included */
    uint64_t offset, line;  /* behind the last of them */
    uint64_t notice_count;
    Tally tally; /* how far it is; not open for a stream */
    Tally once; /* call->once: that it is done */
    uint32_t failures; /* transactions in a row */
    CommitTicket tickets[COPY_FLIGHT_MAX]; /* a ring */
    uint32_t next_ticket;
    bool is_broken; /* a commit failed: no more of them */
    CopyWay way;
    bool is_whole;   /* all rows or none: the file is not known to be good yet */
    bool is_checked; /* it is: every row of it was read */
    CopyMark mark;   /* behind the last rows that are durable, or begun with */
    uint64_t notices_again, skipped_again; /* of rows read a second time */
    Commit *commit;    /* ONCE */
    CopyBulk *bulk;    /* BULK; NULL: nothing handed over yet */
    int64_t told_us;   /* when progress was told */
    const char *what;  /* as which */
} Copy;

/* An option's word or text, "" where it is missing; what is said of a wrong one; true or false, and
 * true where nothing is said. */
const char *copy_text(const AstProperty *property);
ErrCode copy_bad_value(const AstProperty *property, const char *want, Err *err);
ErrCode copy_flag(const AstProperty *property, bool *flag, Err *err);

/* FORMAT, HEADER, ON_ERROR; what is not said is guessed from the file's name. */
ErrCode copy_options(Copy *copy, Err *err);

ErrCode copy_commit_open(Copy *copy, Err *err);
void copy_commit_close(Copy *copy);

/* Reads how far an earlier COPY of the same file into the same topic came: rows, offset, line. */
ErrCode copy_read_note(Copy *copy, Err *err);

/* Hands over what the appender has, with the note of how far it reaches. Does not wait until it is
 * durable. Not after a failure. */
ErrCode copy_commit(Copy *copy, Err *err);

/* Adds what the appender has to the commit that holds all. BUSY: they are too many for one. */
ErrCode copy_gather(Copy *copy, Err *err);

/* The same for the last time: hands it over and waits. */
ErrCode copy_gather_commit(Copy *copy, Err *err);

CopyMark copy_here(const Copy *copy); /* behind the last row added */
void copy_write_note(const Copy *copy, const CopyMark *mark, Commit *commit);

/* At the end: the note goes when the one who asked has the answer. Until then a COPY that is
 * repeated, because nobody heard that it was done, adds nothing. */
void copy_forget_note(Copy *copy);

/* Waits for all commits handed over; the first failure among them. */
ErrCode copy_commit_wait(Copy *copy, Err *err);

/* == Segments (copy_bulk.c) =================================================================== */

/* Whether the file is worth it. */
bool copy_bulk_suits(const Copy *copy);

/* Call after each row: hands over the batch that is full. Here and below, BUSY: others append, and
 * nothing behind the mark is loaded. */
ErrCode copy_bulk_row(Copy *copy, Err *err);

/* A portion is complete; never where all rows are wanted or none. */
bool copy_bulk_full(const Copy *copy);

/* What there is will be committed, without waiting for it. */
ErrCode copy_bulk_commit(Copy *copy, Err *err);
ErrCode copy_bulk_wait(Copy *copy, Err *err);

void copy_bulk_drop(Copy *copy); /* what is not committed; ends the writing thread */

#endif
