/*
 * output_impl.h - what the writers of rows share; see output.c.
 */
#ifndef CLI_OUTPUT_IMPL_H
#define CLI_OUTPUT_IMPL_H

#include "base/arena.h"
#include "cli/output.h"

typedef struct Output {
    WeirResult *result;
    uint32_t columns;
    uint64_t rows;
    Arena *arena;       /* of the result */
    Arena *kept_arena;  /* table: of the rows kept */
    size_t *widths;     /* table */
    bool *is_number;    /* table */
    const char **cells; /* table: rows kept until the widths are known */
    size_t cell_count, cell_capacity;
    bool sized;
} Output;

typedef struct OutputOps {
    const char *name;
    void (*begin)(Output *output);
    void (*row)(Output *output);
    void (*flush)(Output *output); /* show what is kept; may be NULL */
    void (*end)(Output *output);
} OutputOps;

extern const OutputOps output_table;

#endif
