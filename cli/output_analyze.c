/*
 * output_analyze.c - EXPLAIN ANALYZE on a terminal: the table of steps, drawn anew every second
 * over the one before, until the query ends or q or Ctrl-C is pressed. The last picture stays.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output_impl.h"

enum {
    ANALYZE_FIRST_US = 100000,
    ANALYZE_EVERY_US = 1000000,
    ANALYZE_LINES_AROUND = 4,
    SCREEN_LINES = 24,
};

bool output_analyze_suits(const WeirResult *result, const OutputOptions *options) {
    bool table = options->format <= OUTPUT_AUTO || options->format == OUTPUT_LIVE;
    return table && options->live && weir_is_live(result) && output_screen_width() > 0;
}

static uint32_t screen_lines(void) {
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return SCREEN_LINES;
    return size.ws_row;
}

/* Takes a picture of so many lines away; one higher than the screen, with what is above it. */
static void analyze_clear(uint32_t lines) {
    if (lines == 0)
        return;
    if (lines < screen_lines())
        printf("\x1b[%uA\r\x1b[J", lines);
    else
        fputs("\x1b[H\x1b[J", stdout);
}

/* Returns its lines. */
static uint32_t analyze_draw(Output *output, WeirError *error) {
    uint32_t rows = 0;
    const OutputOps *ops = &output_table;
    ops->begin(output);
    for (; weir_next(output->result, 0, error) == WEIR_ROW; rows++)
        ops->row(output);
    ops->end(output);
    fflush(stdout);
    return rows + ANALYZE_LINES_AROUND;
}

OutputEnd output_analyze(WeirResult *result, const OutputOptions *options, WeirError *error) {
    Live live;
    uint32_t lines = 0;
    OutputEnd end = OUTPUT_DONE;
    live_begin(&live, true);
    bool more = live_wait(&live, ANALYZE_FIRST_US, options->stop); /* most statements end sooner */
    do {
        if (weir_refresh(result, error) == WEIR_FAILED) {
            end = OUTPUT_FAILED;
            break;
        }
        Output output = {.result = result, .columns = weir_column_count(result),
                         .arena = arena_new("output", 0)};
        live_clear(&live);
        analyze_clear(lines);
        lines = analyze_draw(&output, error);
        arena_free(output.arena);
        if (!weir_is_live(result))
            break;
        if (live.wanted)
            live_line("every second; q ends");
        live.shown = live.wanted;
        more = more && live_wait(&live, ANALYZE_EVERY_US, options->stop);
    } while (more);
    live_end(&live);
    const char *warnings = weir_warnings(result); /* whole: in the table they may be cut */
    if (*warnings)
        output_say("warning: ", warnings);
    return options->stop && *options->stop ? OUTPUT_STOPPED : end;
}
