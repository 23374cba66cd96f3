/*
 * output_live.c - a push query seen in place: on a terminal, the present rows instead of all
 * changes.
 *
 * Of a table one line per key, in order of the keys, which changes when the key does and goes with
 * its tombstone; of a stream the last rows. The picture is drawn over the one before, some times a
 * second and when nothing more comes at once; what has changed since is bright. What does not fit
 * the screen is counted. Elsewhere than on a terminal only the last picture is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/output_impl.h"

enum { VIEW_DRAW_US = 100000, VIEW_LINES_AROUND = 6, VIEW_LINES_MIN = 1, VIEW_LINES_PLAIN = 1000 };

typedef struct ViewRow {
    char *key;    /* the cells of its key columns */
    char **cells; /* one per column */
    bool changed; /* since the picture was drawn */
} ViewRow;

struct OutputView {
    ViewRow *rows;
    size_t count, capacity;
    bool keyed;
    bool is_terminal;
    uint64_t forgotten; /* rows of a stream that have left the picture */
    uint32_t drawn;     /* lines of the picture on the screen */
    int64_t drawn_us;
};

/* Rows that fit the screen. */
static size_t view_lines(const OutputView *view) {
    struct winsize size = {0};
    if (!view->is_terminal)
        return VIEW_LINES_PLAIN;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return 24 - VIEW_LINES_AROUND;
    return size.ws_row > VIEW_LINES_AROUND + VIEW_LINES_MIN ? size.ws_row - VIEW_LINES_AROUND
                                                             : VIEW_LINES_MIN;
}

static void view_begin(Output *output) {
    output_table.begin(output);
    OutputView *view = mem_alloc(sizeof *view);
    *view = (OutputView){.is_terminal = output_screen_width() > 0};
    for (uint32_t i = 0; i < output->columns; i++)
        view->keyed |= weir_is_key(output->result, i);
    output->view = view;
}

/* -- Rows -------------------------------------------------------------------------------------- */

static char *view_key(const Output *output) {
    Buf key = {0};
    for (uint32_t i = 0; i < output->columns; i++) {
        if (!weir_is_key(output->result, i))
            continue;
        const char *text = weir_text(output->result, i);
        buf_text(&key, text ? text : "");
        buf_u8(&key, '\n');
    }
    char *copy = mem_strdup(buf_cstr(&key));
    buf_free(&key);
    return copy;
}

/* Numbers by value, in front of texts. */
static int view_compare(const char *left, const char *right) {
    char *left_end, *right_end;
    double a = strtod(left, &left_end), b = strtod(right, &right_end);
    if (*left_end == '\n' && *right_end == '\n' && left_end > left && right_end > right && a != b)
        return a < b ? -1 : 1;
    return strcmp(left, right);
}

/* Where the key is, or belongs. */
static size_t view_place(const OutputView *view, const char *key, bool *found) {
    size_t low = 0, high = view->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = (low + high) / 2;
        int order = view_compare(view->rows[middle].key, key);
        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

static void view_free_row(const Output *output, ViewRow *row) {
    for (uint32_t i = 0; row->cells && i < output->columns; i++)
        mem_free(row->cells[i]);
    mem_free(row->cells);
    mem_free(row->key);
}

static void view_remove(Output *output, size_t at) {
    OutputView *view = output->view;
    view_free_row(output, &view->rows[at]);
    memmove(&view->rows[at], &view->rows[at + 1], (view->count - at - 1) * sizeof *view->rows);
    view->count--;
}

static void view_insert(OutputView *view, size_t at, char *key) {
    view->rows = mem_grow(view->rows, &view->capacity, view->count + 1, sizeof *view->rows);
    memmove(&view->rows[at + 1], &view->rows[at], (view->count - at) * sizeof *view->rows);
    view->rows[at] = (ViewRow){.key = key};
    view->count++;
}

static void view_fill(const Output *output, ViewRow *row) {
    char **cells = mem_array(output->columns, sizeof *cells);
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *text = weir_text(output->result, i);
        Buf cell = {0};
        output_escape(&cell, text ? text : "NULL", false);
        cells[i] = mem_strdup(buf_cstr(&cell));
        buf_free(&cell);
    }
    char *key = row->key;
    row->key = NULL;
    view_free_row(output, row);
    *row = (ViewRow){.key = key, .cells = cells, .changed = true};
}

static void view_keyed_row(Output *output) {
    OutputView *view = output->view;
    bool found;
    char *key = view_key(output);
    size_t at = view_place(view, key, &found);
    if (weir_is_delete(output->result)) {
        if (found)
            view_remove(output, at);
        mem_free(key);
        return;
    }
    if (found)
        mem_free(key);
    else
        view_insert(view, at, key);
    view_fill(output, &view->rows[at]);
}

static void view_last_row(Output *output) {
    OutputView *view = output->view;
    while (view->count >= view_lines(view)) {
        view_remove(output, 0);
        view->forgotten++;
    }
    view_insert(view, view->count, mem_strdup(""));
    view_fill(output, &view->rows[view->count - 1]);
}

/* -- The picture ------------------------------------------------------------------------------- */

static void view_clear(OutputView *view) {
    if (view->drawn > 0)
        printf("\x1b[%uA\r\x1b[J", view->drawn);
    view->drawn = 0;
}

static void view_draw(Output *output) {
    OutputView *view = output->view;
    size_t shown = view->count < view_lines(view) ? view->count : view_lines(view);
    live_clear(&output->live);
    view_clear(view);
    output->cell_count = 0;
    for (size_t i = 0; i < shown; i++)
        for (uint32_t c = 0; c < output->columns; c++) {
            output->cells = mem_grow(output->cells, &output->cell_capacity, output->cell_count + 1,
                                     sizeof *output->cells);
            output->cells[output->cell_count++] = view->rows[i].cells[c];
        }
    output_table_head(output);
    for (size_t i = 0; i < shown; i++) {
        bool bright = view->rows[i].changed && view->is_terminal;
        fputs(bright ? "\x1b[1m" : "", stdout);
        output_table_put_row(output, output->cells + i * output->columns);
        fputs(bright ? "\x1b[0m" : "", stdout);
        view->rows[i].changed = false;
    }
    output->cell_count = 0;
    output_table_rule(output);
    uint64_t more = view->count - shown + view->forgotten;
    if (more > 0)
        printf("and %llu more\n", (unsigned long long)more);
    view->drawn = view->is_terminal ? (uint32_t)shown + 4 + (more > 0) : 0;
    view->drawn_us = io_posix_mono_us();
    fflush(stdout);
}

static void view_flush(Output *output) {
    bool changed = false;
    for (size_t i = 0; i < output->view->count; i++)
        changed |= output->view->rows[i].changed;
    if (output->view->is_terminal && changed)
        view_draw(output);
}

static void view_row(Output *output) {
    if (output->view->keyed)
        view_keyed_row(output);
    else
        view_last_row(output);
    if (io_posix_mono_us() - output->view->drawn_us >= VIEW_DRAW_US)
        view_flush(output);
    output->cell_count = output->columns; /* something waits for a flush */
}

static void view_end(Output *output) {
    OutputView *view = output->view;
    view_draw(output);
    while (view->count > 0)
        view_remove(output, view->count - 1);
    mem_free(view->rows);
    mem_free(view);
    mem_free(output->cells);
    arena_free(output->kept_arena);
}

const OutputOps output_live = {"live", view_begin, view_row, view_flush, view_end};
