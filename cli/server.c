/* server.c - see server.h. */
#include "cli/server.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { SERVER_LOOK_MS = 200 };

int server_run(Session *session) {
    WeirError error;
    assert(session->weir);
    printf("ready\n");
    (void)fflush(stdout);
    while (!session_stop) {
        if (weir_state(session->weir, &error) != WEIR_OK) {
            bool fenced = strcmp(error.code, "fenced") == 0;
            output_say(fenced ? "weir: fenced: " : "weir: ", error.message);
            return fenced ? SESSION_EXIT_FENCED : 1;
        }
        (void)poll(NULL, 0, SERVER_LOOK_MS); /* a signal ends it */
    }
    return 0;
}
