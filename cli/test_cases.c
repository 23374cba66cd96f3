/*
 * test_cases.c - see test_cases.h.
 *
 * One child works through the cases and writes a result line for each; the parent copies what
 * comes. When a child dies, the case it was at is reported as `internal` and a new child goes on
 * behind it. What a case expects is never read here.
 */
#include "cli/test_cases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io_input.h"
#include "base/mem.h"
#include "cli/test_case.h"

enum { CASE_SECONDS_MAX = 20, CASE_KAFKA_SECONDS_MAX = 180 };

/* -- All cases --------------------------------------------------------------------------------- */

typedef struct CaseList {
    Buf text;
    Bytes *lines;
    size_t count, capacity;
    uint64_t draw_max; /* a sample: the cases whose draw is not greater */
} CaseList;

static uint64_t case_draw(const TestCasesOptions *options, size_t at) {
    return hash_u64(hash_u64(options->seed + 1) + at);
}

static int compare_draws(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void cases_sample(const TestCasesOptions *options, CaseList *list) {
    list->draw_max = UINT64_MAX;
    if (options->sample == 0 || options->sample >= list->count)
        return;
    uint64_t *draws = mem_array(list->count, sizeof *draws);
    for (size_t i = 0; i < list->count; i++)
        draws[i] = case_draw(options, i);
    qsort(draws, list->count, sizeof *draws, compare_draws);
    list->draw_max = draws[options->sample - 1];
    mem_free(draws);
}

static ErrCode cases_read(const char *path, CaseList *list, Err *err) {
    IoInput *input;
    uint32_t got = 1;
    TRY(io_input_open(path, &input, err));
    while (got > 0) {
        ErrCode code = io_input_read(input, buf_room(&list->text, 1 << 20), 1 << 20, &got, err);
        if (code != ERR_OK) {
            io_input_close(input);
            return code;
        }
        list->text.size += got;
    }
    io_input_close(input);
    const uint8_t *next = list->text.data, *end = next + list->text.size;
    while (next < end) {
        const uint8_t *stop = memchr(next, '\n', (size_t)(end - next));
        stop = stop ? stop : end;
        list->lines = mem_grow(list->lines, &list->capacity, list->count + 1, sizeof(Bytes));
        if (stop > next)
            list->lines[list->count++] = (Bytes){next, (uint32_t)(stop - next)};
        next = stop + 1;
    }
    return ERR_OK;
}

static bool case_is_wanted(const TestCasesOptions *options, const JsonNode *test) {
    const char *id = json_node_text(json_node_member(test, "id"));
    return id && (!options->only || strncmp(id, options->only, strlen(options->only)) == 0);
}

/* The child: results to `fd` from case `from` on, one line each (an empty one for a case that is
 * not wanted, so that the parent can count). */
static void cases_work(const TestCasesOptions *options, const CaseList *list, size_t from, int fd) {
    Arena *arena = arena_new("case", 0);
    Buf out = {0};
    for (size_t i = from; i < list->count; i++) {
        const JsonNode *test;
        Err err;
        arena_reset(arena);
        buf_reset(&out);
        alarm(options->kafka ? CASE_KAFKA_SECONDS_MAX : CASE_SECONDS_MAX);
        if (case_draw(options, i) <= list->draw_max &&
            json_tree_parse(list->lines[i], arena, &test, &err) == ERR_OK &&
            case_is_wanted(options, test))
            test_case_result(options, test, arena, &out);
        buf_u8(&out, '\n');
        for (size_t at = 0; at < out.size;) {
            ssize_t written = write(fd, out.data + at, out.size - at);
            if (written <= 0)
                _exit(1);
            at += (size_t)written;
        }
    }
    buf_free(&out);
    arena_free(arena);
}

static void cases_report_crash(const CaseList *list, size_t at, int status) {
    Arena *arena = arena_new("case", 0);
    const JsonNode *test;
    Err err;
    if (json_tree_parse(list->lines[at], arena, &test, &err) == ERR_OK) {
        const JsonNode *id = json_node_member(test, "id");
        Bytes raw = id ? id->raw : bytes_of("null");
        printf("{\"id\":%.*s,\"error\":{\"statement\":0,\"code\":\"internal\",\"message\":"
               "\"the case ended with signal %d\"}}\n",
               (int)raw.size, (const char *)raw.data, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        fflush(stdout);
    }
    arena_free(arena);
}

/* Copies whole result lines to standard output (a line that a crash cut off is dropped); returns
 * how many cases the child finished. */
static size_t cases_copy(int fd) {
    static uint8_t chunk[1 << 16];
    Buf line = {0};
    size_t lines = 0;
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        for (const uint8_t *at = chunk, *end = chunk + got; at < end;) {
            const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
            buf_put(&line, at, (size_t)((stop ? stop : end) - at));
            at = stop ? stop + 1 : end;
            if (!stop)
                continue;
            lines++;
            if (line.size > 0)
                printf("%s\n", buf_cstr(&line));
            buf_reset(&line);
        }
        fflush(stdout);
    }
    buf_free(&line);
    return lines;
}

static int cases_run_all(const TestCasesOptions *options, const CaseList *list) {
    size_t done = 0;
    while (done < list->count) {
        int pipe_fds[2];
        if (pipe(pipe_fds) != 0)
            return 2;
        fflush(stdout);
        pid_t child = fork();
        if (child < 0)
            return 2;
        if (child == 0) {
            close(pipe_fds[0]);
            cases_work(options, list, done, pipe_fds[1]);
            _exit(0);
        }
        close(pipe_fds[1]);
        done += cases_copy(pipe_fds[0]);
        close(pipe_fds[0]);
        int status = 0;
        waitpid(child, &status, 0);
        if (done < list->count)
            cases_report_crash(list, done++, status);
    }
    return 0;
}

int test_cases_run(const TestCasesOptions *options) {
    CaseList list = {0};
    Err err;
    int status;
    if (cases_read(options->path, &list, &err) == ERR_OK) {
        cases_sample(options, &list);
        status = cases_run_all(options, &list);
    } else {
        fprintf(stderr, "weir test: %s\n", err.message);
        status = 2;
    }
    buf_free(&list.text);
    mem_free(list.lines);
    return status;
}
