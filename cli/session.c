/* session.c - see session.h. */
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

volatile sig_atomic_t session_stop;

static void session_on_interrupt(int number) {
    (void)number;
    session_stop = 1;
}

void session_catch_interrupts(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = session_on_interrupt; /* no SA_RESTART: a waiting read ends */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void session_error(const WeirError *error) {
    fprintf(stderr, "error (%s): %s\n", error->code, error->message);
}

int session_run(Session *session, const char *sql) {
    WeirScript script = {.sql = sql};
    WeirResult *result = NULL;
    WeirError error;
    OutputOptions options = {
        .format = session->format, .footer = session->interactive, .stop = &session_stop};
    session_stop = 0;
    for (;;) {
        WeirStatus status = weir_execute_next(session->weir, &script, &result, &error);
        if (status == WEIR_END)
            return 0;
        if (status == WEIR_OK)
            status = output_result(result, &options, &error);
        weir_result_free(result);
        result = NULL;
        if (status == WEIR_FAILED) {
            session_error(&error);
            return 1;
        }
        if (session_stop)
            return 130;
    }
}
