/*
 * output_table.c - rows as a table for people, or a line per column (expanded).
 *
 * The columns are sized by the rows that are kept first (of a push query, those of its first
 * moment), then the widths stay. On a terminal the widest columns give way until the table fits
 * and what they cut ends in dots; elsewhere nothing is cut and a long value pushes its line out.
 * When the terminal is resized the columns are sized anew and the head is written again.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/output_impl.h"

enum { TABLE_ROWS_SEEN = 1000, PUSH_ROWS_SEEN = 50, COLUMN_WIDTH_MIN = 8, SCREEN_WIDTH_MIN = 20,
       TABLE_LINES_AROUND = 4 };

uint32_t output_screen_width(void) {
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    return size.ws_col > SCREEN_WIDTH_MIN ? size.ws_col : SCREEN_WIDTH_MIN;
}

static const char *table_cell(Arena *arena, const char *text) {
    Buf out = {0};
    output_escape(&out, text, false);
    const char *cell = arena_text(arena, buf_view(&out));
    buf_free(&out);
    return cell;
}

/* Bytes of the beginning that takes at most `width` columns; *taken: the columns it takes. */
static size_t table_fit(const char *text, size_t width, size_t *taken) {
    Bytes left = bytes_of(text);
    for (*taken = 0; left.size > 0;) {
        uint32_t size, cells = utf8_width(utf8_decode(left, &size));
        if (*taken + cells > width)
            break;
        *taken += cells;
        left = (Bytes){left.data + size, left.size - size};
    }
    return (size_t)((const char *)left.data - text);
}

static const char *table_name(const Output *output, uint32_t column) {
    return table_cell(output->arena, weir_column_name(output->result, column));
}

/* -- Widths ------------------------------------------------------------------------------------ */

static size_t table_total(const Output *output) {
    size_t total = 1;
    for (uint32_t i = 0; i < output->columns; i++)
        total += output->widths[i] + 3;
    return total;
}

/* The widest columns give, down to the next narrower one, until the table fits or none can. */
static void table_shrink(Output *output) {
    size_t total;
    while ((total = table_total(output)) > output->screen) {
        uint32_t widest = 0;
        size_t next = COLUMN_WIDTH_MIN, over = total - output->screen;
        for (uint32_t i = 1; i < output->columns; i++)
            if (output->widths[i] > output->widths[widest])
                widest = i;
        for (uint32_t i = 0; i < output->columns; i++)
            if (i != widest && output->widths[i] > next)
                next = output->widths[i];
        size_t width = output->widths[widest];
        if (width <= COLUMN_WIDTH_MIN)
            return;
        size_t give = width > next ? width - next : 1; /* alike: by turns */
        output->widths[widest] = width - (give < over ? give : over);
    }
}

static void table_size(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        output->widths[i] = utf8_columns(bytes_of(table_name(output, i)));
    for (size_t i = 0; i < output->cell_count; i++) {
        size_t width = utf8_columns(bytes_of(output->cells[i]));
        if (width > output->widths[i % output->columns])
            output->widths[i % output->columns] = width;
    }
    output->sized = true;
    output->screen = output_screen_width();
    if (output->automatic)
        output->expanded = output->screen > 0 && table_total(output) > output->screen;
    if (output->screen > 0 && !output->expanded)
        table_shrink(output);
}

/* -- Lines ------------------------------------------------------------------------------------- */

void output_table_rule(const Output *output) {
    for (uint32_t i = 0; i < output->columns; i++) {
        putchar('+');
        for (size_t c = 0; c < output->widths[i] + 2; c++)
            putchar('-');
    }
    puts("+");
}

static void table_put(const Output *output, uint32_t column, const char *cell) {
    size_t width = output->widths[column], size = strlen(cell);
    size_t taken = utf8_columns(bytes_of(cell));
    bool cut = output->screen > 0 && taken > width;
    if (cut)
        size = table_fit(cell, width - 1, &taken);
    taken += cut;
    int pad = width > taken ? (int)(width - taken) : 0;
    bool right = output->is_number[column];
    printf("| %*s%.*s%s%*s ", right ? pad : 0, "", (int)size, cell, cut ? "…" : "",
           right ? 0 : pad, "");
}

static void table_head(const Output *output) {
    output_table_rule(output);
    for (uint32_t i = 0; i < output->columns; i++)
        table_put(output, i, table_name(output, i));
    puts("|");
    output_table_rule(output);
}

void output_table_put_row(const Output *output, const char *const *cells) {
    for (uint32_t i = 0; i < output->columns; i++)
        table_put(output, i, cells[i]);
    puts("|");
}

void output_table_head(Output *output) {
    table_size(output);
    table_head(output);
}

static void expanded_put_row(Output *output, const char *const *cells) {
    size_t widest = 0;
    for (uint32_t i = 0; i < output->columns; i++) {
        size_t width = utf8_columns(bytes_of(table_name(output, i)));
        widest = width > widest ? width : widest;
    }
    printf("-[ row %llu ]-\n", (unsigned long long)output->shown + 1);
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *name = table_name(output, i);
        printf("%s%*s | %s\n", name, (int)(widest - utf8_columns(bytes_of(name))), "", cells[i]);
    }
}

/* -- Rows -------------------------------------------------------------------------------------- */

/* Begins the pager where a finite result is longer than the screen. Through it lines may be as long
 * as they are. */
static void table_page(Output *output) {
    size_t rows = output->cell_count / output->columns;
    size_t lines = output->expanded ? rows * (output->columns + 1) : rows + TABLE_LINES_AROUND;
    if (!output->paged || output->shown > 0 || weir_is_push(output->result) ||
        !pager_is_wanted(lines) || !pager_begin(&output->pager))
        return;
    table_size(output);
}

static void table_flush(Output *output) {
    uint32_t screen = output_screen_width();
    if (!output->sized || (output->screen > 0 && screen != output->screen)) {
        table_size(output);
        table_page(output);
        if (!output->expanded)
            table_head(output);
    }
    for (size_t i = 0; i < output->cell_count; i += output->columns, output->shown++) {
        if (output->expanded)
            expanded_put_row(output, output->cells + i);
        else
            output_table_put_row(output, output->cells + i);
    }
    output->cell_count = 0;
    arena_reset(output->kept_arena);
}

static void table_begin(Output *output) {
    output->kept_arena = arena_new("rows kept", 0);
    output->widths = arena_array(output->arena, output->columns, sizeof *output->widths);
    output->is_number = arena_array(output->arena, output->columns, sizeof *output->is_number);
    for (uint32_t i = 0; i < output->columns; i++)
        output->is_number[i] = output_type_is_number(weir_column_type(output->result, i));
}

static void expanded_begin(Output *output) {
    output->expanded = true;
    table_begin(output);
}

static void auto_begin(Output *output) {
    output->automatic = true;
    table_begin(output);
}

static void table_row(Output *output) {
    output->cells = mem_grow(output->cells, &output->cell_capacity,
                             output->cell_count + output->columns, sizeof *output->cells);
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *text = weir_text(output->result, i);
        if (!text)
            text = weir_is_delete(output->result) ? "<TOMBSTONE>" : "NULL";
        output->cells[output->cell_count++] = table_cell(output->kept_arena, text);
    }
    bool push = weir_is_push(output->result);
    size_t most = !push ? TABLE_ROWS_SEEN : output->sized ? 1 : PUSH_ROWS_SEEN;
    if (output->cell_count / output->columns >= most)
        table_flush(output);
}

static void table_end(Output *output) {
    table_flush(output);
    if (!output->expanded)
        output_table_rule(output);
    mem_free(output->cells);
    arena_free(output->kept_arena);
}

const OutputOps output_table = {"table", table_begin, table_row, table_flush, table_end};
const OutputOps output_expanded = {"expanded", expanded_begin, table_row, table_flush, table_end};
const OutputOps output_auto = {"auto", auto_begin, table_row, table_flush, table_end};
