/*
 * output.c - see output.h.
 *
 * One small table of functions per format: begin, row, end. The table format looks at the first
 * rows (all of a finite result up to TABLE_ROWS_SEEN, those of the first moment of a push query) to
 * size its columns, then keeps the widths; a longer value pushes its line out and nothing is cut.
 */
#include "cli/output.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"

enum { TABLE_ROWS_SEEN = 1000, PUSH_ROWS_SEEN = 50, WAIT_MS = 100, FIRST_WAIT_MS = 100 };

typedef struct Output {
    WeirResult *result;
    uint32_t columns;
    uint64_t rows;
    size_t *widths; /* table */
    bool *is_number;
    char **cells; /* rows kept until the widths are known */
    size_t cell_count, cell_capacity;
    bool sized;
} Output;

typedef struct OutputOps {
    const char *name;
    void (*begin)(Output *output);
    void (*row)(Output *output);
    void (*pause)(Output *output); /* no row for a moment: show what is kept; may be NULL */
    void (*end)(Output *output);
} OutputOps;

/* -- table ------------------------------------------------------------------------------------- */

/* Escapes what would move a cursor; the result is mem.h memory. */
static char *table_cell(const char *text) {
    Buf out = {0};
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '\n')
            buf_text(&out, "\\n");
        else if (*at == '\t')
            buf_text(&out, "\\t");
        else if (*at == '\r')
            buf_text(&out, "\\r");
        else if (*at < 0x20 || *at == 0x7F)
            buf_printf(&out, "\\x%02x", *at);
        else if (*at == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
            buf_printf(&out, "\\x%02x", *++at); /* C1 controls */
        else
            buf_u8(&out, *at);
    }
    char *cell = mem_strdup(buf_cstr(&out));
    buf_free(&out);
    return cell;
}

static size_t table_width(const char *text) {
    size_t width = 0;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t left = (utf8proc_ssize_t)strlen(text);
    while (left > 0) {
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate(at, left, &code);
        if (used <= 0) {
            used = 1;
            code = '?';
        }
        width += (size_t)utf8proc_charwidth(code);
        at += used;
        left -= used;
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

static void table_put(const Output *output, uint32_t column, const char *cell, bool right) {
    size_t width = table_width(cell);
    size_t pad = output->widths[column] > width ? output->widths[column] - width : 0;
    printf("| %*s%s%*s ", right ? (int)pad : 0, "", cell, right ? 0 : (int)pad, "");
}

static void table_line(const Output *output, char *const *cells) {
    for (uint32_t i = 0; i < output->columns; i++)
        table_put(output, i, cells[i], output->is_number[i]);
    puts("|");
}

static void table_head(const Output *output) {
    table_rule(output);
    for (uint32_t i = 0; i < output->columns; i++)
        table_put(output, i, weir_column_name(output->result, i), false);
    puts("|");
    table_rule(output);
}

/* Sizes the columns by what is kept, and writes it. */
static void table_flush(Output *output) {
    if (!output->sized) {
        for (size_t i = 0; i < output->cell_count; i++) {
            size_t width = table_width(output->cells[i]);
            if (width > output->widths[i % output->columns])
                output->widths[i % output->columns] = width;
        }
        output->sized = true;
        table_head(output);
    }
    for (size_t i = 0; i < output->cell_count; i += output->columns)
        table_line(output, output->cells + i);
    for (size_t i = 0; i < output->cell_count; i++)
        mem_free(output->cells[i]);
    output->cell_count = 0;
    fflush(stdout);
}

static void table_begin(Output *output) {
    static const char *const numbers[] = {"INTEGER", "BIGINT", "DOUBLE", "DECIMAL"};
    output->widths = mem_array(output->columns, sizeof *output->widths);
    output->is_number = mem_array(output->columns, sizeof *output->is_number);
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *type = weir_column_type(output->result, i);
        output->widths[i] = table_width(weir_column_name(output->result, i));
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++)
            output->is_number[i] |= strncmp(type, numbers[n], strlen(numbers[n])) == 0;
    }
}

static void table_row(Output *output) {
    output->cells = mem_grow(output->cells, &output->cell_capacity,
                             output->cell_count + output->columns, sizeof *output->cells);
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *text = weir_text(output->result, i);
        if (!text)
            text = weir_is_delete(output->result) ? "<TOMBSTONE>" : "NULL";
        output->cells[output->cell_count++] = table_cell(text);
    }
    size_t seen = output->cell_count / output->columns;
    bool push = weir_is_push(output->result);
    if ((output->sized && push) || seen >= (push ? PUSH_ROWS_SEEN : TABLE_ROWS_SEEN))
        table_flush(output);
}

static void table_pause(Output *output) {
    if (output->cell_count > 0)
        table_flush(output);
}

static void table_end(Output *output) {
    table_flush(output);
    table_rule(output);
    mem_free(output->cells);
    mem_free(output->widths);
    mem_free(output->is_number);
}

/* -- csv --------------------------------------------------------------------------------------- */

static void csv_put(uint32_t column, const char *text) {
    if (column > 0)
        putchar(',');
    if (!text)
        return;
    if (*text && !strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_begin(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        csv_put(i, weir_column_name(output->result, i));
    putchar('\n');
}

static void csv_row(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        csv_put(i, weir_text(output->result, i));
    putchar('\n');
}

/* -- json: one array; ndjson: one object a line ------------------------------------------------ */

static void json_row(Output *output) {
    printf("%s%s", output->rows > 1 ? ",\n " : "[", weir_json_row(output->result));
}

static void json_end(Output *output) {
    puts(output->rows > 0 ? "]" : "[]");
}

static void ndjson_row(Output *output) {
    puts(weir_json_row(output->result));
}

static void no_begin(Output *output) {
    (void)output;
}

static const OutputOps output_ops[] = {
    [OUTPUT_TABLE] = {"table", table_begin, table_row, table_pause, table_end},
    [OUTPUT_CSV] = {"csv", csv_begin, csv_row, NULL, no_begin},
    [OUTPUT_JSON] = {"json", no_begin, json_row, NULL, json_end},
    [OUTPUT_NDJSON] = {"ndjson", no_begin, ndjson_row, NULL, no_begin},
};

bool output_format_find(const char *name, OutputFormat *format) {
    for (size_t i = 0; i < sizeof output_ops / sizeof output_ops[0]; i++) {
        if (strcasecmp(output_ops[i].name, name) != 0)
            continue;
        *format = (OutputFormat)i;
        return true;
    }
    return false;
}

static WeirStatus output_rows(Output *output, const OutputOps *ops, const OutputOptions *options,
                              WeirError *error) {
    for (;;) {
        if (options->stop && *options->stop)
            return WEIR_END;
        WeirStatus status = weir_next(output->result, WAIT_MS, error);
        if (status == WEIR_ROW) {
            output->rows++;
            ops->row(output);
            continue;
        }
        if (status != WEIR_WAITING)
            return status;
        if (ops->pause)
            ops->pause(output);
        fflush(stdout);
    }
}

WeirStatus output_result(WeirResult *result, const OutputOptions *options, WeirError *error) {
    const char *message = weir_message(result);
    if (*message)
        fprintf(stderr, "%s\n", message);
    if (weir_column_count(result) == 0)
        return WEIR_OK;
    Io *io = io_posix();
    int64_t begin_us = io->ops->mono_us(io);
    Output output = {.result = result, .columns = weir_column_count(result)};
    const OutputOps *ops = &output_ops[options->format];
    ops->begin(&output);
    WeirStatus status = output_rows(&output, ops, options, error);
    ops->end(&output);
    fflush(stdout);
    if (options->footer)
        fprintf(stderr, "%llu row%s (%.1f ms)\n", (unsigned long long)output.rows,
                output.rows == 1 ? "" : "s",
                (double)(io->ops->mono_us(io) - begin_us) / 1000.0);
    return status == WEIR_FAILED ? WEIR_FAILED : WEIR_OK;
}
