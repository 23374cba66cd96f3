/*
 * server.c - see server.h.
 *
 * Nobody can ask a server, so what changes is a line on standard error: the cluster's trouble, and
 * states of queries; and that it is over. What has just been well is in trouble again without a
 * word for SERVER_QUIET_US, so that an outage, or a query that stumbles on and on, is a few lines.
 */
#include "cli/server.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/mem.h"

enum {
    SERVER_LOOK_MS = 200,
    SERVER_QUERIES_US = 2000000, /* between two looks at them */
    SERVER_QUIET_US = 30000000,
};

/* What was said last of the cluster (id ""), or of a query. */
typedef struct Subject {
    char id[128], state[32];
    int64_t said_us;
    bool known; /* it is still there */
} Subject;

typedef struct ServerLog {
    Subject *subjects;
    size_t count, capacity;
    int64_t looked_us;
} ServerLog;

static void log_line(const char *what, const char *state, const char *why) {
    Buf text = {0};
    char when[32];
    time_t now = (time_t)(io_posix()->ops->now_ms(io_posix()) / 1000);
    struct tm parts;
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ ", gmtime_r(&now, &parts));
    buf_printf(&text, "%s%s%s%s", what, state, *why ? ": " : "", why);
    output_say(when, buf_cstr(&text));
    buf_free(&text);
}

static Subject *log_subject(ServerLog *log, const char *id, const char *state) {
    for (size_t i = 0; i < log->count; i++)
        if (strcmp(log->subjects[i].id, id) == 0)
            return &log->subjects[i];
    log->subjects = mem_grow(log->subjects, &log->capacity, log->count + 1, sizeof *log->subjects);
    Subject *subject = &log->subjects[log->count++];
    *subject = (Subject){0};
    (void)snprintf(subject->id, sizeof subject->id, "%s", id);
    (void)snprintf(subject->state, sizeof subject->state, "%s", state);
    return subject;
}

/* `normal`: the state that a subject is in when nothing has been said of it. */
static void log_state(ServerLog *log, const char *id, const char *normal, const char *state,
                      const char *why) {
    Subject *subject = log_subject(log, id, normal);
    int64_t now_us = io_posix_mono_us();
    assert(state && why);
    subject->known = true;
    bool waits = subject->said_us > 0 && now_us - subject->said_us < SERVER_QUIET_US &&
                 strcmp(state, normal) != 0;
    if (strcmp(subject->state, state) == 0 || waits)
        return;
    (void)snprintf(subject->state, sizeof subject->state, "%s", state);
    subject->said_us = now_us;
    Buf what = {0};
    buf_printf(&what, "%s%s ", *id ? "query " : "the cluster", *id ? id : ":");
    log_line(buf_cstr(&what), state, why);
    buf_free(&what);
}

static uint32_t column_of(const WeirResult *result, const char *name) {
    uint32_t column = 0, count = weir_column_count(result);
    while (column < count && strcmp(weir_column_name(result, column), name) != 0)
        column++;
    assert(column < count);
    return column;
}

static const char *cell(WeirResult *result, const char *name) {
    const char *text = weir_text(result, column_of(result, name));
    return text ? text : "";
}

static void log_queries(ServerLog *log, Weir *weir) {
    WeirResult *result;
    WeirError error;
    if (weir_execute(weir, "SHOW QUERIES;", &result, &error) != WEIR_OK)
        return; /* weir_state() says why, or it was interrupted */
    for (size_t i = 0; i < log->count; i++)
        log->subjects[i].known = log->subjects[i].id[0] == '\0';
    while (weir_next(result, 0, &error) == WEIR_ROW) {
        Buf id = {0}, state = {0};
        buf_text(&id, cell(result, "Query ID"));
        buf_text(&state, cell(result, "Status"));
        bool well = strcmp(buf_cstr(&state), "RUNNING") == 0;
        log_state(log, buf_cstr(&id), "RUNNING", buf_cstr(&state),
                  well ? "" : cell(result, "Warnings"));
        buf_free(&id);
        buf_free(&state);
    }
    weir_result_free(result);
    for (size_t i = log->count; i-- > 0;)
        if (!log->subjects[i].known)
            log->subjects[i] = log->subjects[--log->count];
}

static void log_look(ServerLog *log, Weir *weir) {
    WeirError error;
    int64_t now_us = io_posix_mono_us();
    if (now_us - log->looked_us < SERVER_QUERIES_US)
        return;
    log->looked_us = now_us;
    if (weir_trouble(weir, &error) == WEIR_OK)
        log_state(log, "", "answers", "answers", "");
    else
        log_state(log, "", "answers", error.code, error.message);
    log_queries(log, weir);
}

int server_run(Session *session) {
    WeirError error;
    ServerLog log = {0};
    int status = 0;
    assert(session->weir);
    printf("ready\n");
    (void)fflush(stdout);
    while (!session_stop && status == 0) {
        if (weir_state(session->weir, &error) != WEIR_OK) {
            bool fenced = strcmp(error.code, "fenced") == 0;
            output_say(fenced ? "weir: fenced: " : "weir: ", error.message);
            status = fenced ? SESSION_EXIT_FENCED : 1;
        } else {
            log_look(&log, session->weir);
            (void)poll(NULL, 0, SERVER_LOOK_MS); /* a signal ends it */
        }
    }
    mem_free(log.subjects);
    return status;
}
