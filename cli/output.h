/*
 * output.h - rows of a result on standard output, in one of the formats of --format.
 *
 * Standard output gets rows and nothing else; messages go to standard error. Control characters in
 * data are escaped in tables and messages, so that a row cannot command a terminal.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <signal.h>
#include <stdbool.h>

#include "base/buf.h"
#include "engine/weir.h"

typedef enum OutputFormat {
    OUTPUT_TABLE,
    OUTPUT_EXPANDED, /* a line per column */
    OUTPUT_AUTO,     /* a table where it fits on the screen, else expanded */
    OUTPUT_CSV,
    OUTPUT_TSV,
    OUTPUT_JSON,
    OUTPUT_NDJSON,
    OUTPUT_MARKDOWN,
    OUTPUT_INSERT, /* statements that make the rows again */
    OUTPUT_LIVE,   /* a push query in place: one line per key of a table; else a table */
} OutputFormat;

/* false: no such format. */
bool output_format_find(const char *name, OutputFormat *format);
const char *output_format_name(OutputFormat format);
const char *output_format_names(void);

/* Whether values of this type are written to the right. */
bool output_type_is_number(const char *type);

typedef struct OutputOptions {
    OutputFormat format;
    bool footer;                       /* how many rows, on standard error */
    bool timing;                       /* and how long they took */
    bool paged;                        /* finite tables longer than the screen: through $PAGER */
    bool live;                         /* push queries: a line of progress, hints, keys */
    /* A push query ends when this is true and it has caught up; NULL: never by itself. */
    bool (*fed)(void *context);
    void *fed_context;
    int64_t rows_max;                  /* of a push query; 0: no limit */
    const char *source;                /* insert: whom the rows are for */
    const volatile sig_atomic_t *stop; /* set by Ctrl-C */
} OutputOptions;

typedef enum OutputEnd {
    OUTPUT_DONE,
    OUTPUT_STOPPED, /* by *stop */
    OUTPUT_FAILED,  /* the query: *error says why */
    OUTPUT_CLOSED,  /* nobody reads standard output any more */
} OutputEnd;

/* Writes the message and all rows of the result; of a push query until it ends. */
OutputEnd output_result(WeirResult *result, const OutputOptions *options, WeirError *error);

/* Appends text as a terminal may have it: control characters, invalid bytes and marks that turn
 * the direction of text as \n \t \x1b \u202e. `lines`: line ends stay. */
void output_escape(Buf *out, const char *text, bool lines);

/* A line on standard error, escaped; "" in front for nothing. */
void output_say(const char *prefix, const char *text);

#endif
