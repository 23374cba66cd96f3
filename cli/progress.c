/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/live.h"

enum { FIRST_US = 400000, AGAIN_US = 200000, KEY_WAIT_MS = 100, TEXT_SIZE = 32 };

/* The line, and the work it is of. */
static struct {
    bool shown;
    int64_t begin_us, told_us;
    uint64_t begin_rows;
    char what[256];
} progress;

static bool progress_is_wanted(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && isatty(STDIN_FILENO) && term && strcmp(term, "dumb") != 0;
}

void progress_clear(void) {
    if (progress.shown)
        fputs("\r\x1b[K", stderr);
    progress.shown = false;
}

static void put_count(Buf *out, double count) {
    static const char *const units[] = {"", " k", " M", " G"};
    size_t unit = 0;
    for (; count >= 1000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        count /= 1000;
    buf_printf(out, unit > 0 && count < 10 ? "%.1f%s" : "%.0f%s", count, units[unit]);
}

static void put_left(Buf *out, double seconds) {
    if (seconds < 90)
        buf_printf(out, ", ~%.0f s left", seconds < 1 ? 1 : seconds);
    else if (seconds < 5400)
        buf_printf(out, ", ~%.0f min left", seconds / 60);
    else
        buf_printf(out, ", ~%.1f h left", seconds / 3600);
}

void progress_put(Buf *out, uint64_t done, uint64_t total, double rate, double seconds_left) {
    size_t begin = out->size;
    if (total > 0)
        buf_printf(out, "%.0f %%", (double)done * 100 / (double)total);
    if (rate >= 1) {
        buf_text(out, out->size > begin ? ", " : "");
        put_count(out, rate);
        buf_text(out, " rows/s");
    }
    if (total > 0 && rate >= 1 && done < total)
        put_left(out, seconds_left);
}

static void progress_show(const char *what, const Buf *state, const char *keys) {
    Buf line = {0};
    buf_printf(&line, "%s: %.*s%s", what, (int)state->size, (const char *)state->data, keys);
    live_line(buf_cstr(&line));
    buf_free(&line);
    progress.shown = true;
}

void progress_work(void *context, const WeirWork *work) {
    (void)context;
    int64_t now_us = io_posix_mono_us();
    if (work->done == 0 || strcmp(work->what, progress.what) != 0) {
        progress.begin_us = now_us;
        progress.begin_rows = work->rows;
        progress.told_us = now_us + FIRST_US - AGAIN_US;
        snprintf(progress.what, sizeof progress.what, "%s", work->what);
    }
    if (work->over) {
        progress_clear();
        progress.what[0] = '\0';
    }
    if (work->over || now_us - progress.told_us < AGAIN_US || !progress_is_wanted())
        return;
    progress.told_us = now_us;
    double seconds = (double)(now_us - progress.begin_us) / 1e6;
    double share = work->total > 0 ? (double)work->done / (double)work->total : 0;
    Buf state = {0};
    if (work->total == 0)
        buf_printf(&state, "%llu rows, ", (unsigned long long)work->rows);
    progress_put(&state, work->done, work->total,
                 (double)(work->rows - progress.begin_rows) / seconds,
                 share > 0 ? seconds * (1 - share) / share : 0);
    progress_show(work->what, &state, "  (Ctrl-C stops it)");
    buf_free(&state);
}

/* -- New queries ------------------------------------------------------------------------------- */

/* false: a key was pressed. */
static bool wait_for_key(void) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, KEY_WAIT_MS) == 0;
}

void progress_catch_up(WeirResult *result, const volatile sig_atomic_t *stop) {
    WeirProgress at;
    if (!progress_is_wanted() || !weir_made_query(result) || !weir_progress(result, &at))
        return;
    uint64_t target = at.rows_in + (uint64_t)at.lag;
    int64_t begin_us = io_posix_mono_us();
    Live live;
    live_begin(&live, true);
    while (at.lag > 0 && at.rows_in < target && !*stop && wait_for_key() &&
           weir_progress(result, &at)) {
        double rate = (double)at.rate;
        if (io_posix_mono_us() - begin_us < FIRST_US)
            continue;
        char what[sizeof progress.what];
        Buf state = {0};
        snprintf(what, sizeof what, "%s catches up", weir_made_query(result));
        progress_put(&state, at.rows_in, at.rows_in + (uint64_t)at.lag, rate,
                     rate >= 1 ? (double)at.lag / rate : 0);
        progress_show(what, &state, "  (any key: it goes on behind the prompt)");
        buf_free(&state);
    }
    progress_clear();
    live_end(&live);
}
