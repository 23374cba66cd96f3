/* live.c - see live.h. */
#include "cli/live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cli/output.h"

enum {
    TELL_US = 250000,
    HINT_US = 3000000,
    KEY_LOOK_ROWS = 64,
    PAUSE_MS = 100,
    LINE_COLUMNS = 80,
};

void live_begin(Live *live, bool wanted) {
    const char *term = getenv("TERM");
    *live = (Live){.wanted = wanted && isatty(STDERR_FILENO) && isatty(STDIN_FILENO) && term &&
                             strcmp(term, "dumb") != 0};
    if (!live->wanted)
        return;
    live->begin_us = live->told_us = io_posix_mono_us();
    if (tcgetattr(STDIN_FILENO, &live->before) != 0)
        return;
    struct termios raw = live->before;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    live->keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void live_end(Live *live) {
    live_clear(live);
    if (live->keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &live->before);
    live->keys = false;
}

void live_clear(Live *live) {
    if (!live->shown)
        return;
    fputs("\r\x1b[K", stderr);
    live->shown = false;
}

void live_line(const char *text) {
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = LINE_COLUMNS;
    fprintf(stderr, "\r\x1b[K\x1b[90m%.*s\x1b[0m", size.ws_col - 1, text);
    fflush(stderr);
}

static void live_put_count(Buf *out, uint64_t count, const char *what) {
    if (count > 0)
        buf_printf(out, ", %llu %s", (unsigned long long)count, what);
}

static void live_draw(Live *live, WeirResult *result, uint64_t rows, double rate) {
    WeirProgress progress = {0};
    Buf line = {0};
    (void)weir_progress(result, &progress);
    buf_printf(&line, "%llu row%s, %.0f/s, lag %lld", (unsigned long long)rows,
               rows == 1 ? "" : "s", rate, (long long)progress.lag);
    live_put_count(&line, progress.late_rows, "late");
    live_put_count(&line, progress.no_match, "without a match");
    live_put_count(&line, progress.row_errors, progress.row_errors == 1 ? "error" : "errors");
    buf_printf(&line, "%s  (space pauses, q ends)", live->paused ? ", paused" : "");
    live_line(buf_cstr(&line));
    buf_free(&line);
    live->shown = true;
}

void live_tell(Live *live, WeirResult *result, uint64_t rows) {
    int64_t now_us = io_posix_mono_us();
    if (!live->wanted || now_us - live->told_us < TELL_US)
        return;
    if (rows == 0 && !live->hinted && now_us - live->begin_us >= HINT_US) {
        live_clear(live);
        output_say("", weir_hint(result));
        live->hinted = true;
    }
    double seconds = (double)(now_us - live->told_us) / 1e6;
    live_draw(live, result, rows, (double)(rows - live->told_rows) / seconds);
    live->told_us = now_us;
    live->told_rows = rows;
}

static void live_take_keys(Live *live, int wait_ms) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char key;
    while (poll(&in, 1, wait_ms) > 0 && read(STDIN_FILENO, &key, 1) == 1) {
        live->paused ^= key == ' ';
        live->left |= key == 'q' || key == 'Q' || key == 4; /* Ctrl-D */
        wait_ms = 0;
    }
}

bool live_pause(Live *live, WeirResult *result, uint64_t rows) {
    if (!live->keys || (rows % KEY_LOOK_ROWS != 0 && !live->paused && !live->shown))
        return false;
    live_take_keys(live, live->paused ? PAUSE_MS : 0);
    if (live->paused)
        live_tell(live, result, rows);
    return live->paused;
}

bool live_is_left(const Live *live) {
    return live->left;
}

bool live_wait(Live *live, int64_t timeout_us, const volatile sig_atomic_t *stop) {
    int64_t until_us = io_posix_mono_us() + timeout_us;
    while (!live->left && !(stop && *stop) && io_posix_mono_us() < until_us)
        live_take_keys(live, PAUSE_MS);
    return !live->left && !(stop && *stop);
}
