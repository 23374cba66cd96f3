/*
 * result_impl.h - how statements fill a WeirResult: a message, a finite table, or a push query.
 */
#ifndef ENGINE_RESULT_IMPL_H
#define ENGINE_RESULT_IMPL_H

#include "base/buf.h"
#include "engine/catalog.h"
#include "engine/print.h"
#include "engine/weir.h"

typedef struct Analyze Analyze; /* analyze_impl.h */

struct WeirResult {
    Weir *weir;
    Arena *arena;
    Arena *row_arena; /* texts of the present row */
    Buf message;
    const Schema *schema; /* NULL: no rows */
    uint32_t visible_count;
    const char **type_names; /* made as they are asked for */
    ResultRows rows;      /* the present chunk */
    uint32_t row;         /* the present row; rows.count before the first */
    bool started;
    Commit *farewell;   /* handed over when the result is freed; NULL: none */
    CatalogQuery *push; /* a transient query of its own; not in the catalog */
    ResultQueue *queue;
    Analyze *analyze; /* EXPLAIN ANALYZE; NULL: something else */
    Print *print; /* PRINT: takes the place of push and queue */
    Bytes *cells; /* a table of texts under construction */
    size_t cell_count, cell_capacity;
    Buf text;

    /* What entity.c and streamed_row.c tell of it; NULL where it does not apply. */
    const char *statement_text, *command_id, *query_id;
    bool scans_stream, limit_reached; /* a lookup: of a stream; has as many rows as LIMIT says */
};

WeirResult *result_new(Weir *weir);

void result_message(WeirResult *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is to be tidied away when the answer has been taken: the commit is handed over, and nobody
 * waits for it, when the result is freed. */
void result_farewell(WeirResult *result, Commit *commit);

/* A finite table of texts: columns first, then cells row by row (NULL: NULL), then done. */
void result_columns(WeirResult *result, const char *const *names, uint32_t count);
void result_numbers(WeirResult *result, uint32_t column); /* its cells are whole numbers */
void result_fractions(WeirResult *result, uint32_t column); /* numbers with a point */
void result_cell(WeirResult *result, const char *text);
void result_cell_printf(WeirResult *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void result_done(WeirResult *result);

/* A finite table that is there already; lives in result->arena. */
void result_rows(WeirResult *result, const ResultRows *rows, uint32_t visible_count);

/* An Err as the C API gives it. */
void result_error(WeirError *target, const Err *err, uint32_t statement);

#endif
