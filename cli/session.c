/* session.c - see session.h. */
#include "cli/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io_input.h"
#include "cli/client_statement.h"
#include "cli/patience.h"
#include "cli/progress.h"

enum {
    SESSION_READ_BYTES = 1 << 16,
    SESSION_STATEMENT_BYTES_MAX = 4 << 20, /* more without a ';' is not kept: the engine says why */
    SESSION_WAIT_MS = 100,
    SESSION_FILE_WAIT_MS = 2,
    SESSION_STOPS_MAX = 3, /* Ctrl-C again and again: somebody really means it */
    EXIT_TIMEOUT = 4,
    EXIT_INTERRUPTED = 130,
};

volatile sig_atomic_t session_stop;
volatile sig_atomic_t session_end;
static Weir *session_weir; /* for the handler */

static void session_on_signal(int number) {
    if (number == SIGINT && ++session_stop >= SESSION_STOPS_MAX)
        _exit(EXIT_INTERRUPTED);
    if (number != SIGINT) {
        session_end = number;
        session_stop = session_stop + 1;
    }
    if (session_weir)
        weir_interrupt(session_weir);
}

void session_catch_signals(const Session *session) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = session_on_signal; /* no SA_RESTART: a waiting read ends */
    sigemptyset(&action.sa_mask);
    session_weir = session->weir;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int session_stop_status(void) {
    if (session_end == SIGALRM)
        return EXIT_TIMEOUT;
    return session_end ? 128 + session_end : EXIT_INTERRUPTED;
}

/* Says it; the exit status. */
static int session_error(Session *session, const WeirError *error) {
    Buf text = {0};
    buf_printf(&text, "error (%s)%s%s: %s", error->code, session->file ? " in " : "",
               session->file ? session->file : "", error->message);
    output_say("", buf_cstr(&text));
    buf_free(&text);
    if (strcmp(error->code, "fenced") != 0)
        return 1;
    session->said_fenced = true;
    return SESSION_EXIT_FENCED;
}

/* Shows one result; 0: go on. */
static int session_show(Session *session, WeirResult *result) {
    OutputOptions options = {
        .format = session->format, .footer = session->interactive, .timing = session->timing,
        .paged = session->interactive && !session->no_pager,
        .live = session->interactive, .rows_max = session->rows_max,
        .fed = session->file_stream && !session->interactive ? file_stream_is_done : NULL,
        .fed_context = session->file_stream, .stop = &session_stop};
    WeirError error;
    OutputEnd end = output_result(result, &options, &error);
    if (end == OUTPUT_FAILED)
        return session_error(session, &error);
    return end == OUTPUT_DONE ? 0 : end == OUTPUT_STOPPED ? session_stop_status() : 1;
}

/* The next statement: 0, the exit status of its failure, or -1: there is none. */
static int session_step(Session *session, WeirScript *script) {
    WeirResult *result = NULL;
    WeirError error;
    int own;
    if (session_stop)
        return session_stop_status();
    if (client_statement(session, script, &own))
        return own;
    bool waits = session->file_stream && !session->interactive && client_looks_once(script);
    while (waits && !file_stream_is_done(session->file_stream)) {
        if (session_stop)
            return session_stop_status();
        (void)poll(NULL, 0, SESSION_FILE_WAIT_MS);
    }
    bool skipped = false;
    WeirStatus status = WEIR_OK;
    patience_of(PATIENCE_STATEMENT);
    if (session->only_new)
        status = weir_skip_executed(session->weir, script, &skipped, &error);
    if (status == WEIR_OK && !skipped)
        status = weir_execute_next(session->weir, script, &result, &error);
    patience_over();
    if (skipped)
        return 0;
    if (status == WEIR_END)
        return -1;
    if (status == WEIR_FAILED) {
        int failed = session_error(session, &error);
        return session_stop ? session_stop_status() : failed;
    }
    int end = session_show(session, result);
    if (session->interactive)
        progress_catch_up(result, &session_stop);
    weir_result_free(result);
    return end;
}

int session_run(Session *session, WeirScript *script) {
    for (;;) {
        int status = session_step(session, script);
        if (status < 0)
            return 0;
        if (status == 1 && session->go_on)
            session->failed = true;
        else if (status != 0)
            return status;
    }
}

/* Adds what has come to the feed; *more false: that was all. */
static int session_read(Session *session, IoInput *input, Feed *feed, bool *more) {
    static uint8_t bytes[SESSION_READ_BYTES];
    uint32_t got;
    Err err;
    WeirError over;
    while (!io_input_ready(input, SESSION_WAIT_MS)) {
        if (session_stop)
            return session_stop_status();
        if (weir_state(session->weir, &over) != WEIR_OK)
            return session_error(session, &over);
    }
    if (io_input_read(input, bytes, sizeof bytes, &got, &err) != ERR_OK) {
        WeirError error = {.code = "not_found"};
        snprintf(error.message, sizeof error.message, "%s", err.message);
        return session_error(session, &error);
    }
    feed_add(feed, bytes, got);
    *more = got > 0;
    return 0;
}

static int session_run_input(Session *session, IoInput *input) {
    Feed feed = {0};
    bool more = true;
    int status = 0;
    while (status == 0 && more) {
        status = session_read(session, input, &feed, &more);
        while (status == 0 && feed_next(&feed))
            status = session_run(session, &feed.script);
        more &= feed.text.size - feed.script.next < SESSION_STATEMENT_BYTES_MAX;
    }
    if (status == 0) {
        feed_rest(&feed);
        status = session_run(session, &feed.script);
    }
    feed_close(&feed);
    return status;
}

int session_run_file(Session *session, const char *path) {
    IoInput *input;
    Err err;
    if (io_input_open(path, &input, &err) != ERR_OK) {
        output_say("weir: ", err.message);
        return 1;
    }
    session->file = strcmp(path, "-") == 0 ? NULL : path;
    int status = session_run_input(session, input);
    session->file = NULL;
    io_input_close(input);
    return status;
}
