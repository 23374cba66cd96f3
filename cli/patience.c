/*
 * patience.c - see patience.h.
 *
 * patience_waits() may be called on several threads at once: each line is said once.
 */
#include "cli/patience.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"

enum {
    SAY_US = 700000,          /* no word about a shorter wait ... */
    SAY_UNKNOWN_US = 3000000, /* ... nor, while nothing is known to be wrong, about this one */
    OPEN_US = 5000000,        /* servers that cannot be reached are not waited for longer */
    OPEN_UNKNOWN_US = 12000000,
};

static struct {
    _Atomic int64_t begin_us; /* 0: nothing waits, or nobody is to be told */
    _Atomic PatienceKind kind;
    atomic_bool said_unknown, said_why;
} patience;

void patience_of(PatienceKind kind) {
    atomic_store(&patience.kind, kind);
    atomic_store(&patience.said_unknown, false);
    atomic_store(&patience.said_why, false);
    atomic_store(&patience.begin_us, io_posix_mono_us());
}

void patience_over(void) {
    atomic_store(&patience.begin_us, 0);
}

static void patience_say(const char *why) {
    Buf text = {0};
    bool ends = atomic_load(&patience.kind) == PATIENCE_STATEMENT && isatty(STDIN_FILENO);
    buf_printf(&text, "waiting for the cluster: %s%s", why ? why : "it has not answered yet",
               ends ? "; Ctrl-C ends the statement" : "");
    progress_clear();
    output_say("", buf_cstr(&text));
    buf_free(&text);
}

bool patience_waits(void *context, const char *why) {
    int64_t begin_us = atomic_load(&patience.begin_us);
    int64_t waited_us = io_posix_mono_us() - begin_us;
    PatienceKind kind = atomic_load(&patience.kind);
    (void)context;
    if (session_stop)
        return false;
    if (begin_us == 0)
        return true;
    bool say = why ? waited_us > SAY_US : waited_us > SAY_UNKNOWN_US;
    if (say && !atomic_exchange(why ? &patience.said_why : &patience.said_unknown, true))
        patience_say(why);
    return kind != PATIENCE_OPENING || waited_us < (why ? OPEN_US : OPEN_UNKNOWN_US);
}
