/*
 * output.h - rows of a result on standard output, in one of the formats of --format.
 *
 * Standard output gets rows and nothing else; messages go to standard error. Control characters in
 * data are escaped, so that a row cannot command a terminal.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <signal.h>
#include <stdbool.h>

#include "engine/weir.h"

typedef enum OutputFormat { OUTPUT_TABLE, OUTPUT_CSV, OUTPUT_JSON, OUTPUT_NDJSON } OutputFormat;

/* false: no such format. */
bool output_format_find(const char *name, OutputFormat *format);

/* Writes all rows of the result; for a push query until it ends or *stop is set (then *stopped).
 * `footer`: how many rows and how long, on standard error. */
typedef struct OutputOptions {
    OutputFormat format;
    bool footer;
    const volatile sig_atomic_t *stop;
} OutputOptions;

WeirStatus output_result(WeirResult *result, const OutputOptions *options, WeirError *error);

#endif
