/*
 * output_impl.h - what the writers of rows share; see output.c.
 */
#ifndef CLI_OUTPUT_IMPL_H
#define CLI_OUTPUT_IMPL_H

#include "base/arena.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/pager.h"

typedef struct OutputView OutputView;

typedef struct Output {
    WeirResult *result;
    uint32_t columns;
    uint64_t rows;
    const char *source; /* insert: whom the rows are for */
    bool automatic;     /* expanded where a table is too wide for the terminal */
    bool expanded;
    Arena *arena;       /* of the result */
    Arena *kept_arena;  /* table: of the rows kept */
    size_t *widths;     /* table */
    bool *is_number;    /* table */
    const char **cells; /* table: rows kept until the widths are known */
    size_t cell_count, cell_capacity;
    uint64_t shown;     /* table: rows written */
    uint32_t screen;    /* columns of the terminal for which the widths were made; 0: no terminal */
    bool sized;
    bool waited;        /* nothing came at once since it was last looked at */
    int64_t wait_ms;
    bool paged; /* long tables go through the pager */
    Pager pager;
    OutputView *view; /* live */
    Live live;
} Output;

typedef struct OutputOps {
    const char *name;
    void (*begin)(Output *output);
    void (*row)(Output *output);
    void (*flush)(Output *output); /* show what is kept; may be NULL */
    void (*end)(Output *output);
} OutputOps;

extern const OutputOps output_table, output_expanded, output_auto;              /* output_table.c */
extern const OutputOps output_csv, output_tsv, output_json, output_ndjson;      /* output_text.c */
extern const OutputOps output_markdown, output_insert, output_print;            /* output_text.c */

extern const OutputOps output_live;                                             /* output_live.c */

/* Parts of a table: the widths for the rows kept, and its head; a row; the line around it. */
void output_table_head(Output *output);
void output_table_put_row(const Output *output, const char *const *cells);
void output_table_rule(const Output *output);

/* EXPLAIN ANALYZE in front of a person, in place (output_analyze.c). */
bool output_analyze_suits(const WeirResult *result, const OutputOptions *options);
OutputEnd output_analyze(WeirResult *result, const OutputOptions *options, WeirError *error);

/* Columns of the terminal that standard output is; 0: it is none. */
uint32_t output_screen_width(void);

#endif
