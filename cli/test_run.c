/*
 * test_run.c - one run of a .test file: its commands, in order, on a fresh engine.
 *
 * `out` and `row` lines are compared in blocks (all that stand together), so that a difference can
 * be shown among its neighbours.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/test_impl.h"

typedef struct TestRun {
    TestFile *file;
    uint32_t step_rows;
    Testkit *kit;
    Arena *arena;
    size_t at; /* the present command */
    Bytes headers; /* of the next record; data NULL: none */
    Err failure;
    bool failed; /* the last SQL, as an `error` line wants */
} TestRun;

static const TestCommand *run_command(const TestRun *run) {
    return &run->file->commands[run->at];
}

static bool run_next_is(const TestRun *run, TestVerb verb) {
    return run->at + 1 < run->file->count && run->file->commands[run->at + 1].verb == verb;
}

static bool run_fault(const TestRun *run, const char *format, ...) {
    Buf text = {0};
    va_list args;
    char line[2048];
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_text(&text, line);
    test_fault(run->file->path, run_command(run)->line, "%s", buf_cstr(&text));
    buf_free(&text);
    return false;
}

static bool run_err(const TestRun *run, const Err *err) {
    return run_fault(run, "error (%s): %s", err_name(err->code), err->message);
}

static bool run_settle(TestRun *run) {
    Err err;
    return testkit_run(run->kit, &err) == ERR_OK || run_err(run, &err);
}

/* -- Records ----------------------------------------------------------------------------------- */

static Bytes run_side(const char *text) {
    return strcmp(text, "-") == 0 ? (Bytes){NULL, 0} : bytes_of(text);
}

/* Takes " @DIGITS" off the end of a value: its rowtime. */
static bool run_cut_time(char *value, int64_t *time) {
    char *found = NULL;
    for (char *at = strstr(value, " @"); at; at = strstr(at + 1, " @"))
        found = at;
    if (!found || found[2] == '\0' || found[2 + strspn(found + 2, "-0123456789")] != '\0')
        return false;
    *time = strtoll(found + 2, NULL, 10);
    *found = '\0';
    return true;
}

static void run_cut_blanks(char *text) {
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
}

/* "TOPIC [@TIME] KEY [@ START..END] | VALUE [@TIME]" -> record. Whether a window is a session's is
 * the source's to say. *has_time: a time was given. */
static void run_parse(TestRun *run, const TestCommand *command, TestkitRecord *record,
                      bool *has_time) {
    char *text = arena_strdup(run->arena, command->text);
    char *bar = strstr(text, " | ");
    char *value = bar + 3, *key = text + strcspn(text, " ");
    *bar = '\0';
    *record = (TestkitRecord){.topic = text};
    *has_time = false;
    if (*key)
        *key++ = '\0';
    key += strspn(key, " ");
    if (command->verb == TEST_IN && *key == '@') {
        record->timestamp = strtoll(key + 1, &key, 10);
        key += strspn(key, " ");
    }
    char *at = strstr(key, " @ ");
    if (at) {
        char *dots;
        *at = '\0';
        record->window_start = strtoll(at + 3, &dots, 10);
        record->window_end = strtoll(dots + strspn(dots, "."), NULL, 10);
        record->window = 't';
    }
    if (command->verb == TEST_OUT)
        *has_time = run_cut_time(value, &record->timestamp);
    run_cut_blanks(key);
    record->key = run_side(key);
    record->value = run_side(value + strspn(value, " "));
}

/* "a=text b= c": the value of b is empty, c has none. They go with the next record. */
static bool run_headers(TestRun *run) {
    RecordHeader headers[64];
    uint32_t count = 0;
    char *next = arena_strdup(run->arena, run_command(run)->text);
    while (*next && count < 64) {
        char *word = next;
        next += strcspn(next, " ");
        if (*next)
            *next++ = '\0';
        char *value = strchr(word, '=');
        headers[count].value = value ? bytes_of(value + 1) : (Bytes){NULL, 0};
        if (value)
            *value = '\0';
        headers[count++].key = bytes_of(word);
    }
    Buf encoded = {0};
    record_headers_put(&encoded, headers, count);
    run->headers = arena_bytes(run->arena, buf_view(&encoded));
    buf_free(&encoded);
    return true;
}

static bool run_in(TestRun *run) {
    TestkitRecord record;
    bool has_time;
    Err err;
    run_parse(run, run_command(run), &record, &has_time);
    record.headers = run->headers;
    run->headers = (Bytes){NULL, 0};
    return testkit_append(run->kit, &record, true, &err) == ERR_OK || run_err(run, &err);
}

static const char *run_record_text(TestRun *run, const TestkitRecord *record, bool time) {
    Buf text = {0};
    buf_bytes(&text, record->key.data ? record->key : bytes_of("-"));
    if (record->window)
        buf_printf(&text, " @ %lld..%lld", (long long)record->window_start,
                   (long long)record->window_end);
    buf_text(&text, " | ");
    buf_bytes(&text, record->value.data ? record->value : bytes_of("-"));
    if (time)
        buf_printf(&text, " @%lld", (long long)record->timestamp);
    const char *copy = arena_text(run->arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

static bool run_read(TestRun *run, const char *topic, uint32_t index, TestkitRecord *record,
                     bool *found) {
    Err err;
    TestkitRead read = {topic, index, true, run->arena};
    return testkit_read(run->kit, &read, record, found, &err) == ERR_OK || run_err(run, &err);
}

/* The records from number `index` on, as many as there are. */
static bool run_show_rest(TestRun *run, const char *topic, uint32_t index, bool times,
                          TestLines *got) {
    bool found = true;
    for (; found; index++) {
        TestkitRecord record;
        if (!run_read(run, topic, index, &record, &found))
            return false;
        if (found)
            test_lines_add(got, run_record_text(run, &record, times));
    }
    return true;
}

/* -- Updating ---------------------------------------------------------------------------------- */

/* Replaces the lines of the commands [from, to) by others; an empty range is behind `from` - 1. */
static void run_edit(TestRun *run, size_t from, size_t to, const Buf *text) {
    const TestCommand *commands = run->file->commands;
    uint32_t line;
    if (from < to) {
        line = commands[from].line;
    } else {
        line = commands[from - 1].line + 1;
        for (const char *at = commands[from - 1].text; *at; at++)
            line += *at == '\n';
    }
    uint32_t count = from < to ? commands[to - 1].line + 1 - line : 0;
    test_edit(run->file, (TestEdit){line, count, arena_text(run->arena, buf_view(text))});
}

/* Where the block of `out` lines that the present command begins ends. */
static size_t run_out_end(const TestRun *run) {
    size_t end = run->at;
    while (end < run->file->count && run->file->commands[end].verb == TEST_OUT)
        end++;
    return end;
}

/* The block becomes what its topics have now, topic by topic. */
static bool run_out_update(TestRun *run) {
    size_t end = run_out_end(run);
    Buf text = {0};
    bool good = true, times;
    const char *seen = "\n";
    for (size_t i = run->at; good && i < end; i++) {
        TestkitRecord record;
        TestLines got = {0};
        run_parse(run, &run->file->commands[i], &record, &times);
        const char *mark = arena_printf(run->arena, "\n%s\n", record.topic);
        if (strstr(seen, mark))
            continue;
        seen = arena_printf(run->arena, "%s%s", seen, mark);
        uint32_t *unread = testkit_unread(run->kit, record.topic);
        good = run_show_rest(run, record.topic, *unread, times, &got);
        for (size_t row = 0; row < got.count; row++)
            buf_printf(&text, "out    %s %s\n", record.topic, got.texts[row]);
        *unread += (uint32_t)got.count;
        mem_free(got.texts);
    }
    if (good)
        run_edit(run, run->at, end, &text);
    run->at = end - 1;
    buf_free(&text);
    return good;
}

/* How many `out` lines of this topic stand in the block before the command. */
static uint32_t run_out_before(TestRun *run, size_t command, const char *topic) {
    uint32_t count = 0;
    for (size_t i = run->at; i < command; i++) {
        TestkitRecord record;
        bool has_time;
        run_parse(run, &run->file->commands[i], &record, &has_time);
        count += strcmp(record.topic, topic) == 0;
    }
    return count;
}

/* Whether the block's records come as it says; what is unread stays so. */
static bool run_out_holds(TestRun *run) {
    size_t end = run_out_end(run);
    bool good = true;
    for (size_t i = run->at; good && i < end; i++) {
        TestkitRecord want, got = {0};
        bool has_time, found;
        run_parse(run, &run->file->commands[i], &want, &has_time);
        uint32_t index = *testkit_unread(run->kit, want.topic) + run_out_before(run, i, want.topic);
        good = run_read(run, want.topic, index, &got, &found) && found &&
               strcmp(run_record_text(run, &want, has_time),
                      run_record_text(run, &got, has_time)) == 0;
    }
    return good;
}

/* The `out` lines of this topic in this block against the topic from the first of them on. */
static bool run_out_differs(TestRun *run, const char *topic, uint32_t index) {
    TestLines wanted = {0}, got = {0};
    bool has_time, times = false;
    const TestFile *file = run->file;
    for (size_t i = run->at; i < file->count && file->commands[i].verb == TEST_OUT; i++) {
        TestkitRecord record;
        run_parse(run, &file->commands[i], &record, &has_time);
        if (strcmp(record.topic, topic) != 0)
            continue;
        times |= has_time;
        test_lines_add(&wanted, run_record_text(run, &record, has_time));
    }
    if (run_show_rest(run, topic, index, times, &got)) {
        run_fault(run, "topic %s from its record %u on (- wanted, + got)", topic, index);
        test_diff(&wanted, &got);
    }
    mem_free(wanted.texts);
    mem_free(got.texts);
    return false;
}

static bool run_out(TestRun *run) {
    TestkitRecord want, got = {0};
    bool has_time, found;
    run_parse(run, run_command(run), &want, &has_time);
    if (!run_settle(run))
        return false;
    bool begins = run->at == 0 || run->file->commands[run->at - 1].verb != TEST_OUT;
    if (run->file->update && begins && !run_out_holds(run))
        return run_out_update(run);
    uint32_t *unread = testkit_unread(run->kit, want.topic);
    if (!run_read(run, want.topic, *unread, &got, &found))
        return false;
    if (!found || strcmp(run_record_text(run, &want, has_time),
                         run_record_text(run, &got, has_time)) != 0)
        return run_out_differs(run, want.topic, *unread);
    ++*unread;
    return true;
}

/* -- Statements -------------------------------------------------------------------------------- */

/* Executes the statements of a command, whose positions are the file's; *result is the last one's
 * and may be NULL. */
static ErrCode run_execute(TestRun *run, WeirResult **result, Err *err) {
    const TestCommand *command = run_command(run);
    WeirScript script = {.sql = command->text, .line = command->line, .column = command->column};
    bool done = false;
    *result = NULL;
    while (!done) {
        WeirResult *next;
        ErrCode code =
            engine_execute_next(testkit_weir(run->kit), &script, &next, &done, err);
        if (code == ERR_OK && done)
            break;
        weir_result_free(*result);
        *result = next;
        TRY(code);
        if (run->file->is_script)
            TRY(testkit_run(run->kit, err));
    }
    return ERR_OK;
}

/* Whether the run goes on after SQL that ended with `code`: an `error` line may want a failure. */
static bool run_after(TestRun *run, ErrCode code) {
    run->failed = code != ERR_OK;
    if (run->failed && !run_next_is(run, TEST_ERROR) && !run_next_is(run, TEST_EXPECT))
        return run_err(run, &run->failure);
    return true;
}

static bool run_sql(TestRun *run) {
    WeirResult *result;
    ErrCode code = run_execute(run, &result, &run->failure);
    weir_result_free(result);
    return run_after(run, code);
}

static bool run_error(TestRun *run) {
    const char *text = run_command(run)->text;
    size_t size = strcspn(text, " ");
    if (!run->failed)
        return run_fault(run, "the statements were accepted");
    const char *name = err_name(run->failure.code);
    const char *message = text + size + strspn(text + size, " ");
    run->failed = false;
    if (strlen(name) == size && strncmp(name, text, size) == 0 &&
        strstr(run->failure.message, message))
        return true;
    return run_fault(run, "the error is another one\n  - %s\n  + %s %s", text, name,
                     run->failure.message);
}

static bool run_expect(TestRun *run) {
    const char *text = run_command(run)->text;
    if (!run->failed)
        return run_fault(run, "the statements were accepted");
    run->failed = false;
    return strstr(run->failure.message, text) ||
           run_fault(run, "the error is another one\n  - %s\n  + %s", text, run->failure.message);
}

static const char *run_row_text(TestRun *run, WeirResult *rows) {
    Buf text = {0};
    for (uint32_t i = 0; i < weir_column_count(rows); i++) {
        const char *cell = weir_text(rows, i);
        buf_printf(&text, "%s%s", i ? " | " : "", cell ? cell : "NULL");
    }
    const char *copy = arena_text(run->arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

static bool run_same_lines(const TestLines *wanted, const TestLines *got) {
    for (size_t i = 0; i < wanted->count && i < got->count; i++)
        if (strcmp(wanted->texts[i], got->texts[i]) != 0)
            return false;
    return wanted->count == got->count;
}

static bool run_compare_rows(TestRun *run, WeirResult *rows) {
    TestLines wanted = {0}, got = {0};
    WeirError error;
    WeirStatus status;
    size_t line = run->at;
    while (run_next_is(run, TEST_ROW))
        test_lines_add(&wanted, run->file->commands[++run->at].text);
    while ((status = weir_next(rows, 0, &error)) == WEIR_ROW)
        test_lines_add(&got, run_row_text(run, rows));
    bool same = status != WEIR_FAILED && run_same_lines(&wanted, &got);
    if (run->file->update && !same && status != WEIR_FAILED) {
        Buf text = {0};
        for (size_t i = 0; i < got.count; i++)
            buf_printf(&text, "row    %s\n", got.texts[i]);
        run_edit(run, line + 1, run->at + 1, &text);
        buf_free(&text);
        same = true;
    }
    run->at = same ? run->at : line;
    if (status == WEIR_FAILED) {
        run_fault(run, "error (%s): %s", error.code, error.message);
    } else if (!same) {
        run_fault(run, "the rows are others (- wanted, + got)");
        test_diff(&wanted, &got);
    }
    mem_free(wanted.texts);
    mem_free(got.texts);
    return same;
}

static bool run_rows(TestRun *run) {
    WeirResult *rows;
    if (!run_settle(run))
        return false;
    ErrCode code = run_execute(run, &rows, &run->failure);
    bool good = run_after(run, code);
    if (good && code == ERR_OK && !rows)
        good = run_fault(run, "there is no statement");
    good = good && (code != ERR_OK || (run_settle(run) && run_compare_rows(run, rows)));
    weir_result_free(rows);
    return good;
}

/* -- The rest ---------------------------------------------------------------------------------- */

static bool run_errors(TestRun *run) {
    char *id = arena_strdup(run->arena, run_command(run)->text);
    char *count = id + strcspn(id, " ");
    uint64_t got;
    if (*count)
        *count++ = '\0';
    if (!run_settle(run))
        return false;
    if (!testkit_row_errors(run->kit, id, &got))
        return run_fault(run, "there is no running query %s", id);
    if (got == strtoull(count, NULL, 10))
        return true;
    return run_fault(run, "%s has counted %llu bad rows", id, (unsigned long long)got);
}

static bool run_restart(TestRun *run) {
    Err err;
    return run_settle(run) &&
           (testkit_restart(run->kit, &err) == ERR_OK || run_err(run, &err));
}

/* What came before belongs to the time before. */
static bool run_clock(TestRun *run) {
    if (!run_settle(run))
        return false;
    testkit_set_clock(run->kit, strtoll(run_command(run)->text, NULL, 10));
    return true;
}

static bool run_open(TestRun *run) {
    TestkitOptions options = {.step_rows = run->step_rows};
    Err err;
    testkit_free(run->kit);
    run->kit = NULL;
    return testkit_new(&options, &run->kit, &err) == ERR_OK || run_err(run, &err);
}

static bool run_one(TestRun *run) {
    static bool (*const verbs[])(TestRun *run) = {
        [TEST_SQL] = run_sql,     [TEST_ERROR] = run_error,   [TEST_IN] = run_in,
        [TEST_OUT] = run_out,     [TEST_ROWS] = run_rows,     [TEST_CLOCK] = run_clock,
        [TEST_ERRORS] = run_errors, [TEST_RESTART] = run_restart, [TEST_HEADERS] = run_headers,
        [TEST_SECTION] = run_open,  [TEST_EXPECT] = run_expect,
    };
    assert(run_command(run)->verb != TEST_ROW); /* taken by its `rows` */
    return verbs[run_command(run)->verb](run);
}

/* What no `out` line names goes to the end of the file. */
static void run_add_out(TestRun *run, const char *topic, const TestLines *records) {
    Buf text = {0};
    for (size_t i = 0; i < records->count; i++)
        buf_printf(&text, "out    %s %s\n", topic, records->texts[i]);
    if (records->count > 0)
        test_edit(run->file, (TestEdit){UINT32_MAX, 0, buf_cstr(&text)});
    buf_free(&text);
}

/* Whether an `out` line names the topic: ASSERT VALUES may leave records unread. */
static bool run_has_out(const TestRun *run, const char *topic) {
    size_t size = strlen(topic);
    for (size_t i = 0; i < run->file->count; i++) {
        const TestCommand *command = &run->file->commands[i];
        if (command->verb == TEST_OUT && strncmp(command->text, topic, size) == 0 &&
            command->text[size] == ' ')
            return true;
    }
    return false;
}

/* No topic of an `out` line has more than the file names. */
static bool run_nothing_unread(TestRun *run) {
    const char *topic;
    for (size_t i = 0; (topic = testkit_looked_at(run->kit, i)); i++) {
        if (!run_has_out(run, topic))
            continue;
        TestLines wanted = {0}, got = {0};
        bool good = run_show_rest(run, topic, *testkit_unread(run->kit, topic), true, &got);
        if (good && run->file->update) {
            run_add_out(run, topic, &got);
        } else if (good && got.count > 0) {
            good = run_fault(run, "topic %s has more records than 'out' lines (+ got)", topic);
            test_diff(&wanted, &got);
        }
        mem_free(got.texts);
        if (!good)
            return false;
    }
    return true;
}

bool test_run(TestFile *file, uint32_t step_rows) {
    TestRun run = {.file = file, .step_rows = step_rows, .arena = arena_new("test run", 0)};
    bool good = run_open(&run);
    for (; good && run.at < file->count; run.at++)
        good = run_one(&run);
    if (good) {
        run.at = file->count - 1;
        good = run_settle(&run) && run_nothing_unread(&run);
    }
    testkit_free(run.kit);
    arena_free(run.arena);
    if (!good && step_rows)
        printf("  (with steps of %u)\n", step_rows);
    return good;
}
