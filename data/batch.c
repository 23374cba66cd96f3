/*
 * batch.c - see batch.h.
 *
 * The identity selection is one constant table that every batch of the process shares: 128 KiB of
 * the binary, of which a batch touches the first 2 KiB.
 */
#include "data/batch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void batch_copy_text(char *target, size_t size, const char *text) {
    snprintf(target, size, "%s", text ? text : "");
}

/* What was too long for its place still ends with a whole character. */
static void batch_end_text(char *text, int length, size_t size) {
    if (length >= 0 && (size_t)length < size)
        return;
    text[utf8_whole((Bytes){(const uint8_t *)text, (uint32_t)strlen(text)})] = '\0';
}

__attribute__((format(printf, 4, 0))) static RowError
batch_error_of(const Batch *batch, uint32_t row, const char *kind, const char *format,
               va_list args) {
    assert(batch && batch->errors && row < batch->row_count);
    RowError error = {.partition = batch->partition};
    error.offset = batch->offset ? batch->offset[row] : -1;
    error.rowtime = batch->rowtime ? batch->rowtime[row] : -1;
    batch_copy_text(error.kind, sizeof error.kind, kind);
    batch_copy_text(error.topic, sizeof error.topic, batch->topic);
    int length = vsnprintf(error.text, sizeof error.text, format, args);
    batch_end_text(error.text, length, sizeof error.text);
    return error;
}

void batch_row_error(const Batch *batch, uint32_t row, const char *kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    RowError error = batch_error_of(batch, row, kind, format, args);
    va_end(args);
    row_errors_add(batch->errors, &error);
}

void batch_row_note(const Batch *batch, uint32_t row, const char *kind, const char *format, ...) {
    if (!row_errors_has_room(batch->errors)) {
        batch->errors->pending_more += batch->errors->logs;
        return;
    }
    va_list args;
    va_start(args, format);
    RowError error = batch_error_of(batch, row, kind, format, args);
    va_end(args);
    row_errors_note(batch->errors, &error);
}

#define BATCH_ROWS_4(n) (n), (n) + 1, (n) + 2, (n) + 3
#define BATCH_ROWS_16(n) \
    BATCH_ROWS_4(n), BATCH_ROWS_4((n) + 4), BATCH_ROWS_4((n) + 8), BATCH_ROWS_4((n) + 12)
#define BATCH_ROWS_64(n) \
    BATCH_ROWS_16(n), BATCH_ROWS_16((n) + 16), BATCH_ROWS_16((n) + 32), BATCH_ROWS_16((n) + 48)
#define BATCH_ROWS_256(n) \
    BATCH_ROWS_64(n), BATCH_ROWS_64((n) + 64), BATCH_ROWS_64((n) + 128), BATCH_ROWS_64((n) + 192)
#define BATCH_ROWS_1K(n)                                                       \
    BATCH_ROWS_256(n), BATCH_ROWS_256((n) + 256), BATCH_ROWS_256((n) + 512),   \
        BATCH_ROWS_256((n) + 768)
#define BATCH_ROWS_4K(n)                                                       \
    BATCH_ROWS_1K(n), BATCH_ROWS_1K((n) + 1024), BATCH_ROWS_1K((n) + 2048),    \
        BATCH_ROWS_1K((n) + 3072)
#define BATCH_ROWS_16K(n)                                                      \
    BATCH_ROWS_4K(n), BATCH_ROWS_4K((n) + 4096), BATCH_ROWS_4K((n) + 8192),    \
        BATCH_ROWS_4K((n) + 12288)

static const uint16_t batch_rows[] = {
    BATCH_ROWS_16K(0),
    BATCH_ROWS_16K(16384),
    BATCH_ROWS_16K(32768),
    BATCH_ROWS_16K(49152),
};

_Static_assert(sizeof batch_rows / sizeof *batch_rows == 65536, "every uint16_t once");

const uint64_t batch_first_seq[] = {BATCH_ROWS_1K(0)};

_Static_assert(sizeof batch_first_seq / sizeof *batch_first_seq >= BATCH_ROWS_MAX, "for any step");

const uint16_t *batch_all_rows(uint32_t count) {
    assert(count <= UINT16_MAX);
    (void)count;
    return batch_rows;
}
