/*
 * output.c - see output.h.
 *
 * One small table of functions per format: begin, row, flush, end. Rows are written as they come
 * and handed to the reader whenever none is waiting, so that a slow query is seen row by row and a
 * fast one goes out in large pieces.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utf8.h"
#include "cli/output_impl.h"

enum { WAIT_MS = 100, FED_WAIT_MS = 2, SIZE_WAIT_MS = 100 };

/* -- Text for terminals ------------------------------------------------------------------------ */

static bool escape_is_needed(uint32_t character) {
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0x200E && character <= 0x200F) ||
           (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069);
}

static void escape_put(Buf *out, uint32_t character) {
    if (character == '\n')
        buf_text(out, "\\n");
    else if (character == '\t')
        buf_text(out, "\\t");
    else if (character == '\r')
        buf_text(out, "\\r");
    else if (character < 0x80)
        buf_printf(out, "\\x%02x", character);
    else
        buf_printf(out, "\\u%04x", character);
}

void output_escape(Buf *out, const char *text, bool lines) {
    Bytes left = bytes_of(text);
    while (left.size > 0) {
        uint32_t size, character = utf8_decode(left, &size);
        if (character == 0xFFFD && size == 1)
            buf_printf(out, "\\x%02x", left.data[0]);
        else if (escape_is_needed(character) && !(lines && character == '\n'))
            escape_put(out, character);
        else
            buf_put(out, left.data, size);
        left = (Bytes){left.data + size, left.size - size};
    }
}

void output_say(const char *prefix, const char *text) {
    Buf out = {0};
    buf_text(&out, prefix);
    output_escape(&out, text, true);
    fprintf(stderr, "%s\n", buf_cstr(&out));
    buf_free(&out);
}

/* -- Formats --------------------------------------------------------------------------------- */

static const OutputOps *const output_ops[] = {
    [OUTPUT_TABLE] = &output_table,       [OUTPUT_EXPANDED] = &output_expanded,
    [OUTPUT_AUTO] = &output_auto,         [OUTPUT_CSV] = &output_csv,
    [OUTPUT_TSV] = &output_tsv,           [OUTPUT_JSON] = &output_json,
    [OUTPUT_NDJSON] = &output_ndjson,     [OUTPUT_MARKDOWN] = &output_markdown,
    [OUTPUT_INSERT] = &output_insert,     [OUTPUT_LIVE] = &output_live,
};

const char *output_format_name(OutputFormat format) {
    return output_ops[format]->name;
}

const char *output_format_names(void) {
    return "table, expanded, auto, csv, tsv, json, ndjson, markdown, insert, live";
}

bool output_type_is_number(const char *type) {
    return strcmp(type, "INTEGER") == 0 || strcmp(type, "BIGINT") == 0 ||
           strcmp(type, "DOUBLE") == 0 || strncmp(type, "DECIMAL(", 8) == 0;
}

bool output_format_find(const char *name, OutputFormat *format) {
    for (size_t i = 0; i < sizeof output_ops / sizeof output_ops[0]; i++) {
        if (strcasecmp(output_ops[i]->name, name) != 0)
            continue;
        *format = (OutputFormat)i;
        return true;
    }
    return false;
}

/* -- Rows as they come ------------------------------------------------------------------------- */

/* Whether the one who read standard output has gone, or the disk behind it is full. */
static bool output_is_closed(void) {
    struct pollfd out = {.fd = STDOUT_FILENO};
    return ferror(stdout) || (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLNVAL));
}

/* Nothing has come at once: shows what there is, and waits. A table of a push query waits a moment
 * longer for the rows that size its columns. */
static WeirStatus output_wait(Output *output, const OutputOps *ops, WeirError *error) {
    if (output->cell_count > 0 && !output->sized) {
        WeirStatus status = weir_next(output->result, SIZE_WAIT_MS, error);
        if (status != WEIR_WAITING)
            return status;
    }
    if (ops->flush && output->cell_count > 0) {
        live_clear(&output->live);
        ops->flush(output);
    }
    fflush(stdout);
    live_tell(&output->live, output->result, output->rows);
    output->waited = true;
    return weir_next(output->result, output->wait_ms, error);
}

/* Whether a limit of the options has been reached. */
static bool output_is_over(const Output *output, const OutputOptions *options, OutputEnd *end) {
    bool push = weir_is_push(output->result);
    *end = OUTPUT_DONE;
    if (options->stop && *options->stop)
        *end = OUTPUT_STOPPED;
    else if (live_is_left(&output->live))
        *end = OUTPUT_STOPPED;
    else
        return push && options->rows_max > 0 && output->rows >= (uint64_t)options->rows_max;
    return true;
}

/* Whether all that will ever come has been processed; looked at only where nothing came at once. */
static bool output_is_fed(Output *output, const OutputOptions *options) {
    if (!options->fed || !output->waited || !weir_is_push(output->result))
        return false;
    output->waited = false;
    return options->fed(options->fed_context) && weir_is_caught_up(output->result);
}

static OutputEnd output_rows(Output *output, const OutputOps *ops, const OutputOptions *options,
                             WeirError *error) {
    OutputEnd end;
    while (!output_is_over(output, options, &end)) {
        if (live_pause(&output->live, output->result, output->rows))
            continue;
        bool last = output_is_fed(output, options);
        WeirStatus status = weir_next(output->result, 0, error);
        if (status == WEIR_WAITING && last)
            return OUTPUT_DONE;
        if (status == WEIR_WAITING)
            status = output_wait(output, ops, error);
        if (status == WEIR_FAILED)
            return OUTPUT_FAILED;
        if (status == WEIR_END)
            return OUTPUT_DONE;
        if (status == WEIR_ROW) {
            live_clear(&output->live);
            output->rows++;
            ops->row(output);
        }
        if (status == WEIR_WAITING ? output_is_closed() : ferror(stdout) != 0)
            return OUTPUT_CLOSED;
    }
    return end;
}

static void output_footer(const Output *output, bool timing, int64_t taken_us) {
    fprintf(stderr, "%llu row%s", (unsigned long long)output->rows, output->rows == 1 ? "" : "s");
    if (timing)
        fprintf(stderr, " (%.1f ms)", (double)taken_us / 1000.0);
    fputc('\n', stderr);
}

OutputEnd output_result(WeirResult *result, const OutputOptions *options, WeirError *error) {
    const char *message = weir_message(result);
    if (*message)
        output_say("", message);
    if (weir_column_count(result) == 0)
        return OUTPUT_DONE;
    if (output_analyze_suits(result, options))
        return output_analyze(result, options, error);
    int64_t begin_us = io_posix_mono_us();
    Output output = {.result = result,
                     .columns = weir_column_count(result),
                     .wait_ms = options->fed ? FED_WAIT_MS : WAIT_MS,
                     .source = options->source ? options->source : "RESULT",
                     .paged = options->paged,
                     .arena = arena_new("output", 0)};
    bool push = weir_is_push(result);
    OutputFormat format = options->format == OUTPUT_LIVE && !push ? OUTPUT_TABLE : options->format;
    bool prints = weir_is_print(result) &&
                  (format <= OUTPUT_AUTO || format == OUTPUT_LIVE);
    const OutputOps *ops = prints ? &output_print : output_ops[format];
    live_begin(&output.live, options->live && weir_is_push(result));
    ops->begin(&output);
    OutputEnd end = output_rows(&output, ops, options, error);
    live_end(&output.live);
    if (end == OUTPUT_STOPPED && options->footer) { /* behind the ^C of the terminal */
        fflush(stdout);
        fputc('\n', stderr);
    }
    ops->end(&output);
    if (output.pager.child && end == OUTPUT_CLOSED)
        end = OUTPUT_DONE; /* enough was seen */
    pager_end(&output.pager);
    if (fflush(stdout) != 0 || ferror(stdout))
        end = OUTPUT_CLOSED;
    if (options->footer)
        output_footer(&output, options->timing, io_posix_mono_us() - begin_us);
    const char *warnings = weir_is_push(result) ? weir_warnings(result) : "";
    if (*warnings)
        output_say("warning: ", warnings);
    arena_free(output.arena);
    return end;
}
