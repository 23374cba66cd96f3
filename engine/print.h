/*
 * print.h - PRINT: the records of a topic as they are, as rows of a result that may go on for ever.
 *
 *   new -> take* -> free
 *
 * Records of several partitions come in order of their times as far as they are there. A Print
 * belongs to one thread; print_cancel() may come from any, or from a signal's handler.
 */
#ifndef ENGINE_PRINT_H
#define ENGINE_PRINT_H

#include "engine/print_format.h"
#include "runtime/runtime.h"

typedef struct Print Print;

typedef struct PrintOptions {
    LogTopic topic;
    bool from_beginning; /* else from the present ends */
    int64_t interval;    /* every so many-th record; 1: all */
    int64_t limit;       /* -1: none */
} PrintOptions;

ErrCode print_new(Storage *storage, const PrintOptions *options, Print **print, Err *err);
void print_free(Print *print);

/* The next rows, as result_queue_take() gives them. Formats are those that fit all records so far,
 * these included. */
ErrCode print_take(Print *print, int64_t timeout_us, ResultRows *rows, bool *ended, Err *err);
void print_cancel(Print *print);

const Schema *print_schema(const Print *print);
uint64_t print_polled(const Print *print); /* records read */
int64_t print_lag(const Print *print);     /* records not read yet */
bool print_began_at_end(const Print *print);
const char *print_topic(const Print *print);

/* "Key format: ..." and "Value format: ...": only what was not told before; "" for nothing. */
void print_formats(Print *print, Buf *out);

/* A row of the last take as ksqlDB writes it, with headers where there are some. */
void print_line(const Print *print, uint32_t row, Buf *out);

#endif
