/*
 * output_table.c - rows as a table for people.
 *
 * The columns are sized by the rows that are kept first (of a push query, those of its first
 * moment), then the widths stay; a longer value pushes its line out and nothing is cut.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/output_impl.h"

enum { TABLE_ROWS_SEEN = 1000, PUSH_ROWS_SEEN = 50 };

static const char *table_cell(Arena *arena, const char *text) {
    Buf out = {0};
    output_escape(&out, text, false);
    const char *cell = arena_text(arena, buf_view(&out));
    buf_free(&out);
    return cell;
}

static size_t table_width(const char *text) {
    size_t width = 0;
    Bytes left = bytes_of(text);
    while (left.size > 0) {
        uint32_t size;
        width += utf8_width(utf8_decode(left, &size));
        left = (Bytes){left.data + size, left.size - size};
    }
    return width;
}

static void table_rule(const Output *output) {
    for (uint32_t i = 0; i < output->columns; i++) {
        putchar('+');
        for (size_t c = 0; c < output->widths[i] + 2; c++)
            putchar('-');
    }
    puts("+");
}

static void table_put(const Output *output, uint32_t column, const char *cell) {
    size_t width = table_width(cell);
    int pad = output->widths[column] > width ? (int)(output->widths[column] - width) : 0;
    bool right = output->is_number[column];
    printf("| %*s%s%*s ", right ? pad : 0, "", cell, right ? 0 : pad, "");
}

static const char *table_name(const Output *output, uint32_t column) {
    return table_cell(output->arena, weir_column_name(output->result, column));
}

static void table_head(const Output *output) {
    table_rule(output);
    for (uint32_t i = 0; i < output->columns; i++)
        table_put(output, i, table_name(output, i));
    puts("|");
    table_rule(output);
}

static void table_size(Output *output) {
    for (size_t i = 0; i < output->cell_count; i++) {
        size_t width = table_width(output->cells[i]);
        if (width > output->widths[i % output->columns])
            output->widths[i % output->columns] = width;
    }
    output->sized = true;
}

static void table_flush(Output *output) {
    if (!output->sized) {
        table_size(output);
        table_head(output);
    }
    for (size_t i = 0; i < output->cell_count; i++) {
        table_put(output, (uint32_t)(i % output->columns), output->cells[i]);
        if ((i + 1) % output->columns == 0)
            puts("|");
    }
    output->cell_count = 0;
    arena_reset(output->kept_arena);
}

static bool table_is_number(const char *type) {
    return strcmp(type, "INTEGER") == 0 || strcmp(type, "BIGINT") == 0 ||
           strcmp(type, "DOUBLE") == 0 || strncmp(type, "DECIMAL(", 8) == 0;
}

static void table_begin(Output *output) {
    output->kept_arena = arena_new("rows kept", 0);
    output->widths = arena_array(output->arena, output->columns, sizeof *output->widths);
    output->is_number = arena_array(output->arena, output->columns, sizeof *output->is_number);
    for (uint32_t i = 0; i < output->columns; i++) {
        output->widths[i] = table_width(table_name(output, i));
        output->is_number[i] = table_is_number(weir_column_type(output->result, i));
    }
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
    table_rule(output);
    mem_free(output->cells);
    arena_free(output->kept_arena);
}

const OutputOps output_table = {"table", table_begin, table_row, table_flush, table_end};
