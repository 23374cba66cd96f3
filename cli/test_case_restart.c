/*
 * test_case_restart.c - a case that is killed in its middle, and goes on.
 *
 * First it runs undisturbed: a case that fails gives its error. Then a child runs it in a folder
 * and ends by SIGKILL at a random record, or a random change of a file behind it; another engine
 * goes on with the folder, and what it ends with is the result. The child tells through a pipe
 * where the records are that it appended.
 *
 * Push queries die with their engine, so where they are asked before the inputs come the child dies
 * before that.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/test_case_impl.h"
#include "engine/value_text.h"

enum { RESTART_ARRIVALS_MAX = 100000, RESTART_CHANGES_MAX = 24 };

typedef struct Restart {
    const TestCasesOptions *options;
    const JsonNode *test;
    Arena *arena;
    TestkitOptions kit;
    uint64_t chance;
} Restart;

static uint64_t restart_draw(Restart *restart, uint64_t below) {
    restart->chance = hash_u64(restart->chance + 0x9e3779b97f4a7c15U);
    return below == 0 ? 0 : restart->chance % below;
}

static ErrCode restart_clear(const char *folder, Err *err) {
    Io *io = io_posix();
    Arena *arena = arena_new("clear", 0);
    char **names;
    uint32_t count;
    ErrCode code = io->ops->list(io, folder, arena, &names, &count, err);
    for (uint32_t i = 0; code == ERR_OK && i < count; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, names[i]);
        Err ignored;
        if (io->ops->remove(io, path, &ignored) != ERR_OK)
            code = restart_clear(path, err);
    }
    if (code == ERR_OK)
        code = io->ops->remove(io, folder, err);
    arena_free(arena);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* In the child; comes back only when the case fails before it dies. */
static ErrCode restart_child(Restart *restart, int arrivals_fd, Err *err) {
    CaseRun run = {.test = restart->test, .arena = restart->arena};
    TRY(case_open(&run, &restart->kit, err));
    TRY(case_prepare(&run, err));
    if (case_asks_first(restart->test))
        kill(getpid(), SIGKILL);
    TRY(case_feed(&run, err));
    size_t count;
    const QueryScriptItem *items = testkit_arrivals(run.kit, &count);
    if (count > 0 && write(arrivals_fd, items, count * sizeof *items) < 0)
        return err_set(err, ERR_IO, "the pipe is closed");
    uint64_t at = restart_draw(restart, testkit_item_count(run.kit) + 1);
    testkit_die(run.kit, at, restart_draw(restart, RESTART_CHANGES_MAX));
    return case_finish(&run, err);
}

/* Forks the child, and reads what it tells until it is dead. */
static ErrCode restart_kill(Restart *restart, QueryScriptItem **items, size_t *count, Err *err) {
    int fds[2], status = 0;
    size_t size = 0, room = RESTART_ARRIVALS_MAX * sizeof **items;
    if (pipe(fds) != 0)
        return err_set(err, ERR_IO, "no pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return err_set(err, ERR_IO, "no child");
    if (child == 0) {
        Err own = {0};
        close(fds[0]);
        ErrCode code = restart_child(restart, fds[1], &own);
        fprintf(stderr, "weir test: a case was not killed: %s\n",
                code == ERR_OK ? "it ended" : own.message);
        _exit(1);
    }
    close(fds[1]);
    *items = arena_raw(restart->arena, room);
    ssize_t got;
    while (size < room && (got = read(fds[0], (uint8_t *)*items + size, room - size)) > 0)
        size += (size_t)got;
    close(fds[0]);
    waitpid(child, &status, 0);
    *count = size / sizeof **items;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return ERR_OK;
    return err_set(err, ERR_INTERNAL, "the child of a restarted case was not killed (status %d)",
                   status);
}

/* The folder's engine goes on: what was answered before is the undisturbed run's. */
static ErrCode restart_go_on(Restart *restart, CaseRun *run, const Buf *answered, Err *err) {
    QueryScriptItem *items;
    size_t count;
    TRY(restart_kill(restart, &items, &count, err));
    TRY(case_open(run, &restart->kit, err));
    TRY(case_begin(run, err));
    if (answered->size > 0)
        buf_put(&run->responses, answered->data, answered->size);
    if (case_asks_first(restart->test))
        TRY(case_feed(run, err));
    else
        testkit_set_arrivals(run->kit, items, count);
    return case_finish(run, err);
}

void test_case_restarted(const TestCasesOptions *options, const JsonNode *test, Arena *arena,
                         Buf *out) {
    TestkitOptions plain = {.step_rows = options->step_rows, .conformance = true};
    Restart restart = {.options = options, .test = test, .arena = arena, .kit = plain};
    const JsonNode *id = json_node_member(test, "id");
    Buf answered = {0};
    CaseRun run = {.test = test, .arena = arena}, again = {.test = test, .arena = arena};
    Err err;
    ErrCode code, own = ERR_OK;
    restart.kit.folder = options->restart_folder;
    restart.chance = options->seed ^ hash_bytes(id ? id->raw : bytes_of(""));
    TRY_DONE(case_open(&run, &plain, &err));
    TRY_DONE(case_prepare(&run, &err));
    buf_put(&answered, run.responses.data, run.responses.size);
    TRY_DONE(case_feed(&run, &err));
    TRY_DONE(case_finish(&run, &err));
    TRY_DONE(restart_clear(options->restart_folder, &err));
    own = restart_go_on(&restart, &again, &answered, &err);
    case_put(&again, own, &err, out);
done:
    if (code != ERR_OK)
        case_put(&run, code, &err, out);
    case_close(&run);
    case_close(&again);
    buf_free(&answered);
}
