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

#include "base/base64.h"
#include "base/io_input.h"
#include "base/mem.h"
#include "engine/testkit.h"
#include "engine/value_text.h"
#include "storage/record_batch.h"

enum { CASE_SECONDS_MAX = 20 };

/* -- One case ---------------------------------------------------------------------------------- */

static void case_put_error(Buf *out, uint32_t statement, const Err *err) {
    buf_printf(out, "{\"statement\":%u,\"code\":\"%s\",\"message\":", statement,
               err_name(err->code));
    value_json_string(out, bytes_of(err->message));
    buf_u8(out, '}');
}

static ErrCode case_settings(Testkit *kit, const JsonNode *test, Err *err) {
    const JsonNode *properties = json_node_member(test, "properties");
    for (const JsonNode *p = properties ? properties->first : NULL; p; p = p->next) {
        Err ignored; /* unknown properties and odd values of a case are ignored */
        Buf value = {0};
        buf_bytes(&value, p->kind == JSON_STRING ? p->text : p->raw);
        ErrCode code = engine_set(testkit_weir(kit), p->name, buf_cstr(&value), &ignored);
        buf_free(&value);
        if (code == ERR_STORAGE_FAILED)
            return err_set(err, code, "%s", ignored.message);
    }
    return ERR_OK;
}

static ErrCode case_topics(Testkit *kit, const JsonNode *test, Err *err) {
    const JsonNode *topics = json_node_member(test, "topics");
    for (const JsonNode *t = topics ? topics->first : NULL; t; t = t->next) {
        int64_t partitions = json_node_integer(json_node_member(t, "partitions"), 1);
        const char *name = json_node_text(json_node_member(t, "name"));
        if (name)
            TRY(testkit_topic(kit, name, (uint32_t)partitions, err));
    }
    return ERR_OK;
}

static Bytes case_base64(Bytes text, Arena *arena) {
    uint32_t size;
    uint8_t *bytes = arena_raw(arena, base64_room(text.size));
    return base64_parse(text, bytes, &size) ? (Bytes){bytes, size} : (Bytes){NULL, 0};
}

static Bytes case_headers(const JsonNode *list, Arena *arena) {
    RecordHeader headers[64];
    uint32_t count = 0;
    if (!list || list->kind != JSON_ARRAY)
        return (Bytes){NULL, 0};
    for (const JsonNode *h = list->first; h && count < 64; h = h->next) {
        const JsonNode *key = json_node_member(h, "KEY"), *value = json_node_member(h, "VALUE");
        headers[count].key = key && key->kind == JSON_STRING ? key->text : (Bytes){NULL, 0};
        headers[count].value = (Bytes){NULL, 0};
        if (value && value->kind == JSON_STRING)
            headers[count].value = case_base64(value->text, arena);
        count++;
    }
    Buf encoded = {0};
    record_headers_put(&encoded, headers, count);
    Bytes copy = arena_bytes(arena, buf_view(&encoded));
    buf_free(&encoded);
    return copy;
}

static Bytes case_tree(const JsonNode *node) {
    return node && node->kind != JSON_NULL ? node->raw : (Bytes){NULL, 0};
}

static int64_t case_integer(const JsonNode *object, const char *name) {
    return json_node_integer(json_node_member(object, name), 0);
}

static ErrCode case_inputs(Testkit *kit, const JsonNode *test, Arena *arena, Err *err) {
    const JsonNode *inputs = json_node_member(test, "inputs");
    for (const JsonNode *i = inputs ? inputs->first : NULL; i; i = i->next) {
        const JsonNode *window = json_node_member(i, "window");
        const char *type = json_node_text(json_node_member(window, "type"));
        TestkitRecord record = {.topic = json_node_text(json_node_member(i, "topic")),
                                .key = case_tree(json_node_member(i, "key")),
                                .value = case_tree(json_node_member(i, "value")),
                                .timestamp = case_integer(i, "timestamp"),
                                .window_start = case_integer(window, "start"),
                                .window_end = case_integer(window, "end"),
                                .headers = case_headers(json_node_member(i, "headers"), arena)};
        record.window = !type ? '\0' : type[0] == 's' || type[0] == 'S' ? 's' : 't';
        if (!record.topic)
            return err_set(err, ERR_INTERNAL, "an input has no topic");
        TRY(testkit_append(kit, &record, false, err));
    }
    return ERR_OK;
}

static ErrCode case_statements(Testkit *kit, const JsonNode *test, uint32_t *failed, Err *err) {
    const JsonNode *statements = json_node_member(test, "statements");
    *failed = 0;
    for (const JsonNode *s = statements ? statements->first : NULL; s; s = s->next, ++*failed)
        TRY(testkit_execute(kit, (const char *)s->text.data, NULL, err));
    *failed = *failed > 0 ? *failed - 1 : 0;
    return ERR_OK;
}

static ErrCode case_run(Testkit *kit, const JsonNode *test, Arena *arena, uint32_t *statement,
                        Err *err) {
    uint32_t query;
    *statement = 0;
    TRY(case_settings(kit, test, err));
    TRY(case_topics(kit, test, err));
    TRY(case_statements(kit, test, statement, err));
    TRY(case_inputs(kit, test, arena, err));
    return testkit_run_queries(kit, &query, err);
}

static bool case_is_query(const JsonNode *test) {
    const char *suite = json_node_text(json_node_member(test, "suite"));
    return suite && strcmp(suite, "query") == 0;
}

/* The result line of a case, without its end. */
static void case_result(const TestCasesOptions *options, const JsonNode *test, Arena *arena,
                        Buf *out) {
    TestkitOptions kit_options = {.step_rows = options->step_rows, .conformance = true};
    Testkit *kit = NULL;
    Err err;
    uint32_t statement = 0;
    Buf topics = {0};
    buf_text(out, "{\"id\":");
    const JsonNode *id = json_node_member(test, "id");
    buf_bytes(out, id ? id->raw : bytes_of("null"));
    ErrCode code = ERR_OK;
    if (!case_is_query(test))
        code = err_set(&err, ERR_UNSUPPORTED, "cases of this suite are not run yet");
    if (code == ERR_OK)
        code = testkit_new(&kit_options, &kit, &err);
    if (code == ERR_OK)
        code = case_run(kit, test, arena, &statement, &err);
    if (code == ERR_OK)
        code = testkit_topics_json(kit, &topics, &err);
    buf_text(out, ",\"error\":");
    if (code != ERR_OK) {
        case_put_error(out, statement, &err);
    } else {
        buf_text(out, "null,\"topics\":");
        buf_bytes(out, buf_view(&topics));
        buf_text(out, ",\"sources\":");
        testkit_sources_json(kit, out);
    }
    buf_u8(out, '}');
    buf_free(&topics);
    testkit_free(kit);
}

/* -- All cases --------------------------------------------------------------------------------- */

typedef struct CaseList {
    Buf text;
    Bytes *lines;
    size_t count, capacity;
} CaseList;

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
        alarm(CASE_SECONDS_MAX);
        if (json_tree_parse(list->lines[i], arena, &test, &err) == ERR_OK &&
            case_is_wanted(options, test))
            case_result(options, test, arena, &out);
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
        status = cases_run_all(options, &list);
    } else {
        fprintf(stderr, "weir test: %s\n", err.message);
        status = 2;
    }
    buf_free(&list.text);
    mem_free(list.lines);
    return status;
}
