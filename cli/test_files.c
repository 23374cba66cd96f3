/*
 * test_files.c - see test_files.h.
 *
 * A file is cut into commands first, then run once per step size, each time on a fresh engine.
 * The first command that does not hold ends that file with a message that shows both sides.
 */
#include "cli/test_files.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io_input.h"
#include "base/mem.h"
#include "engine/testkit.h"

typedef struct Command {
    uint32_t line;
    const char *verb;
    char *text; /* behind the verb */
} Command;

typedef struct TopicCursor {
    const char *topic;
    uint32_t next;
} TopicCursor;

typedef struct TestFile {
    const char *path;
    Arena *arena;
    Command *commands;
    size_t count, capacity;
} TestFile;

/* One run of a file. */
typedef struct TestRun {
    const TestFile *file;
    Testkit *kit;
    Arena *arena;
    TopicCursor *cursors;
    size_t cursor_count, cursor_capacity;
    const Command *command;
    Err sql_error;
    bool sql_failed;
    bool quiet_failure; /* an `error` line is expected next */
    WeirResult *rows;
} TestRun;

/* -- Reading ----------------------------------------------------------------------------------- */

static const char *const test_verbs[] = {"sql",   "error",  "in",      "out", "rows",
                                         "row",   "clock",  "restart", "errors"};

static const char *test_verb(const char *line, char **rest) {
    size_t size = strcspn(line, " \t");
    for (size_t i = 0; i < sizeof test_verbs / sizeof test_verbs[0]; i++) {
        if (strlen(test_verbs[i]) != size || strncmp(test_verbs[i], line, size) != 0)
            continue;
        *rest = (char *)line + size + strspn(line + size, " \t");
        return test_verbs[i];
    }
    return NULL;
}

static bool test_fault(const char *path, uint32_t line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:%u: ", path, line);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return false;
}

/* A comment behind two blanks and '#' ends a line of records, never one of SQL. */
static void test_cut_comment(char *line) {
    if (strncmp(line, "sql", 3) == 0 || strncmp(line, "rows", 4) == 0 || *line == ' ')
        return;
    char *comment = strstr(line, "  #");
    if (comment)
        *comment = '\0';
}

static void test_cut_tail(char *line) {
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r", line[size - 1]))
        line[--size] = '\0';
}

static bool test_add_line(TestFile *file, char *line, uint32_t number) {
    test_cut_comment(line);
    test_cut_tail(line);
    if (*line == '\0' || *line == '#')
        return true;
    if (*line == ' ' && file->count > 0) {
        Command *last = &file->commands[file->count - 1];
        last->text = arena_printf(file->arena, "%s\n%s", last->text, line);
        return true;
    }
    Command command = {.line = number};
    command.verb = test_verb(line, &command.text);
    if (!command.verb)
        return test_fault(file->path, number, "unknown command: %s", line);
    file->commands =
        mem_grow(file->commands, &file->capacity, file->count + 1, sizeof *file->commands);
    file->commands[file->count++] = command;
    return true;
}

static bool test_read(TestFile *file) {
    IoInput *input;
    Err err;
    Buf text = {0};
    uint32_t got = 1;
    if (io_input_open(file->path, &input, &err) != ERR_OK)
        return test_fault(file->path, 0, "%s", err.message);
    while (got > 0) {
        if (io_input_read(input, buf_room(&text, 1 << 16), 1 << 16, &got, &err) != ERR_OK)
            got = 0;
        text.size += got;
    }
    io_input_close(input);
    char *next = arena_text(file->arena, buf_view(&text));
    buf_free(&text);
    bool good = true;
    for (uint32_t number = 1; next && good; number++) {
        char *end = strchr(next, '\n');
        if (end)
            *end = '\0';
        good = test_add_line(file, next, number);
        next = end ? end + 1 : NULL;
    }
    return good;
}

/* -- Records ----------------------------------------------------------------------------------- */

static bool test_failed(const TestRun *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:%u: ", run->file->path, run->command->line);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return false;
}

static Bytes test_side(const char *text) {
    return strcmp(text, "-") == 0 ? (Bytes){NULL, 0} : bytes_of(text);
}

/* "TOPIC [@TIME] KEY [@ START..END] | VALUE [@TIME]" -> record. *has_time: a time was given. */
static bool test_parse_record(const TestRun *run, bool output, TestkitRecord *record,
                              bool *has_time) {
    char *text = arena_strdup(run->arena, run->command->text);
    char *bar = strstr(text, " | ");
    if (!bar)
        return test_failed(run, "'KEY | VALUE' is wanted");
    *bar = '\0';
    char *value = bar + 3, *key = text + strcspn(text, " ");
    *record = (TestkitRecord){.topic = text};
    *has_time = false;
    if (*key)
        *key++ = '\0';
    key += strspn(key, " ");
    if (!output && *key == '@') {
        record->timestamp = strtoll(key + 1, &key, 10);
        key += strspn(key, " ");
    }
    char *at = output ? strstr(key, " @ ") : NULL;
    if (at) {
        char *dots;
        *at = '\0';
        record->window_start = strtoll(at + 3, &dots, 10);
        record->window_end = strtoll(dots + strspn(dots, "."), NULL, 10);
        record->window = 't';
    }
    char *time = output ? strstr(value, " @") : NULL;
    if (time && time[2] >= '0' && time[2] <= '9' && !strpbrk(time + 2, "\"} ")) {
        *time = '\0';
        record->timestamp = strtoll(time + 2, NULL, 10);
        *has_time = true;
    }
    test_cut_tail(key);
    record->key = test_side(key);
    record->value = test_side(value);
    return true;
}

static bool test_in(TestRun *run) {
    TestkitRecord record;
    bool has_time;
    Err err;
    if (!test_parse_record(run, false, &record, &has_time))
        return false;
    if (testkit_append(run->kit, &record, true, &err) != ERR_OK)
        return test_failed(run, "%s", err.message);
    return true;
}

static TopicCursor *test_cursor(TestRun *run, const char *topic) {
    for (size_t i = 0; i < run->cursor_count; i++)
        if (strcmp(run->cursors[i].topic, topic) == 0)
            return &run->cursors[i];
    run->cursors =
        mem_grow(run->cursors, &run->cursor_capacity, run->cursor_count + 1, sizeof *run->cursors);
    TopicCursor *cursor = &run->cursors[run->cursor_count++];
    *cursor = (TopicCursor){arena_strdup(run->arena, topic), 0};
    return cursor;
}

static bool test_same(Bytes left, Bytes right) {
    return (left.data == NULL) == (right.data == NULL) && bytes_equal(left, right);
}

static const char *test_record_text(TestRun *run, const TestkitRecord *record) {
    Buf text = {0};
    buf_bytes(&text, record->key.data ? record->key : bytes_of("-"));
    if (record->window)
        buf_printf(&text, " @ %lld..%lld", (long long)record->window_start,
                   (long long)record->window_end);
    buf_text(&text, " | ");
    buf_bytes(&text, record->value.data ? record->value : bytes_of("-"));
    buf_printf(&text, " @%lld", (long long)record->timestamp);
    const char *copy = arena_text(run->arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

static bool test_out(TestRun *run) {
    TestkitRecord want, got;
    bool has_time, found;
    Err err;
    if (!test_parse_record(run, true, &want, &has_time))
        return false;
    if (testkit_run(run->kit, &err) != ERR_OK)
        return test_failed(run, "%s", err.message);
    TopicCursor *cursor = test_cursor(run, want.topic);
    TestkitRead read = {want.topic, cursor->next, true, run->arena};
    if (testkit_read(run->kit, &read, &got, &found, &err) != ERR_OK)
        return test_failed(run, "%s", err.message);
    if (!found)
        return test_failed(run, "%s has no record %u\n  wanted  %s", want.topic, cursor->next,
                           test_record_text(run, &want));
    cursor->next++;
    bool same = test_same(want.key, got.key) && test_same(want.value, got.value) &&
                (!has_time || want.timestamp == got.timestamp) && want.window == got.window &&
                (!want.window || (want.window_start == got.window_start &&
                                  want.window_end == got.window_end));
    if (same)
        return true;
    return test_failed(run, "%s record %u\n  wanted  %s%s\n  got     %s", want.topic,
                       cursor->next - 1, test_record_text(run, &want),
                       has_time ? "" : " (any time)", test_record_text(run, &got));
}

/* -- Statements -------------------------------------------------------------------------------- */

static bool test_sql(TestRun *run) {
    ErrCode code = testkit_execute(run->kit, run->command->text, NULL, &run->sql_error);
    run->sql_failed = code != ERR_OK;
    if (!run->sql_failed || run->quiet_failure)
        return true;
    return test_failed(run, "error (%s): %s", err_name(run->sql_error.code),
                       run->sql_error.message);
}

static bool test_error(TestRun *run) {
    const char *text = run->command->text;
    size_t size = strcspn(text, " ");
    const char *name = run->sql_failed ? err_name(run->sql_error.code) : "";
    const char *message = text + size + strspn(text + size, " ");
    if (!run->sql_failed)
        return test_failed(run, "the statements were accepted");
    run->sql_failed = false;
    if (strlen(name) == size && strncmp(name, text, size) == 0 &&
        strstr(run->sql_error.message, message))
        return true;
    return test_failed(run, "wanted  %s\n  got     %s %s", text, name, run->sql_error.message);
}

static bool test_rows_end(TestRun *run) {
    WeirError error;
    bool extra = run->rows && weir_next(run->rows, 0, &error) == WEIR_ROW;
    if (extra)
        test_failed(run, "there are more rows: %s", weir_json_row(run->rows));
    weir_result_free(run->rows);
    run->rows = NULL;
    return !extra;
}

static bool test_rows(TestRun *run) {
    WeirError error;
    Err err;
    if (testkit_run(run->kit, &err) != ERR_OK)
        return test_failed(run, "%s", err.message);
    WeirStatus status =
        weir_execute(testkit_weir(run->kit), run->command->text, &run->rows, &error);
    run->sql_failed = status != WEIR_OK;
    if (status == WEIR_OK)
        return testkit_run(run->kit, &err) == ERR_OK || test_failed(run, "%s", err.message);
    return test_failed(run, "error (%s): %s", error.code, error.message);
}

static bool test_row(TestRun *run) {
    WeirError error;
    if (!run->rows)
        return test_failed(run, "'row' needs a 'rows' before it");
    WeirStatus status = weir_next(run->rows, 0, &error);
    if (status == WEIR_FAILED)
        return test_failed(run, "error (%s): %s", error.code, error.message);
    if (status != WEIR_ROW)
        return test_failed(run, "no row\n  wanted  %s", run->command->text);
    Buf text = {0};
    for (uint32_t i = 0; i < weir_column_count(run->rows); i++) {
        const char *cell = weir_text(run->rows, i);
        buf_printf(&text, "%s%s", i ? " | " : "", cell ? cell : "NULL");
    }
    bool same = strcmp(buf_cstr(&text), run->command->text) == 0;
    if (!same)
        test_failed(run, "row\n  wanted  %s\n  got     %s", run->command->text, buf_cstr(&text));
    buf_free(&text);
    return same;
}

static bool test_errors(TestRun *run) {
    char *count;
    char *id = arena_strdup(run->arena, run->command->text);
    Err err;
    count = id + strcspn(id, " ");
    if (*count)
        *count++ = '\0';
    if (testkit_run(run->kit, &err) != ERR_OK)
        return test_failed(run, "%s", err.message);
    uint64_t got;
    if (!testkit_row_errors(run->kit, id, &got))
        return test_failed(run, "no query %s", id);
    if (got == strtoull(count, NULL, 10))
        return true;
    return test_failed(run, "%s has counted %llu bad rows", id, (unsigned long long)got);
}

static bool test_restart(TestRun *run) {
    Err err;
    if (testkit_run(run->kit, &err) == ERR_OK && testkit_restart(run->kit, &err) == ERR_OK)
        return true;
    return test_failed(run, "%s", err.message);
}

static bool test_clock(TestRun *run) {
    testkit_set_clock(run->kit, strtoll(run->command->text, NULL, 10));
    return true;
}

typedef struct VerbRow {
    const char *verb;
    bool (*run)(TestRun *run);
} VerbRow;

static const VerbRow verb_rows[] = {
    {"sql", test_sql},     {"error", test_error}, {"in", test_in},
    {"out", test_out},     {"rows", test_rows},   {"row", test_row},
    {"clock", test_clock}, {"errors", test_errors}, {"restart", test_restart},
};

static bool test_command(TestRun *run) {
    if (run->rows && strcmp(run->command->verb, "row") != 0 && !test_rows_end(run))
        return false;
    for (size_t i = 0; i < sizeof verb_rows / sizeof verb_rows[0]; i++)
        if (strcmp(verb_rows[i].verb, run->command->verb) == 0)
            return verb_rows[i].run(run);
    return test_failed(run, "unknown command %s", run->command->verb);
}

static bool test_nothing_unread(TestRun *run) {
    for (size_t i = 0; i < run->cursor_count; i++) {
        TestkitRecord record;
        bool found;
        Err err;
        TestkitRead read = {run->cursors[i].topic, run->cursors[i].next, true, run->arena};
        if (testkit_read(run->kit, &read, &record, &found, &err) == ERR_OK && found)
            return test_failed(run, "%s has one record more: %s", run->cursors[i].topic,
                               test_record_text(run, &record));
    }
    return true;
}

static bool test_run_once(const TestFile *file, uint32_t step_rows) {
    TestkitOptions options = {.step_rows = step_rows};
    TestRun run = {.file = file, .arena = arena_new("test run", 0), .command = file->commands};
    Err err;
    bool good = testkit_new(&options, &run.kit, &err) == ERR_OK;
    if (!good)
        test_failed(&run, "%s", err.message);
    for (size_t i = 0; good && i < file->count; i++) {
        run.command = &file->commands[i];
        run.quiet_failure =
            i + 1 < file->count && strcmp(file->commands[i + 1].verb, "error") == 0;
        good = test_command(&run);
    }
    if (good && run.rows)
        good = test_rows_end(&run);
    good = good && testkit_run(run.kit, &err) == ERR_OK && test_nothing_unread(&run);
    weir_result_free(run.rows);
    testkit_free(run.kit);
    mem_free(run.cursors);
    arena_free(run.arena);
    if (!good && step_rows)
        printf("  (with steps of %u)\n", step_rows);
    return good;
}

/* -- Files and folders ------------------------------------------------------------------------- */

typedef struct Tally {
    uint32_t passed, failed;
} Tally;

static void test_one(const char *path, uint32_t step_rows, Tally *tally) {
    static const uint32_t sizes[] = {1, 7, 1024};
    TestFile file = {.path = path, .arena = arena_new("test file", 0)};
    bool good = test_read(&file);
    if (good && file.count == 0)
        good = test_fault(path, 1, "the file has no commands");
    if (good && step_rows)
        good = test_run_once(&file, step_rows);
    for (size_t i = 0; good && !step_rows && i < sizeof sizes / sizeof sizes[0]; i++)
        good = test_run_once(&file, sizes[i]);
    if (good)
        tally->passed++;
    else
        tally->failed++;
    mem_free(file.commands);
    arena_free(file.arena);
}

static bool test_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static void test_path(const char *path, uint32_t step_rows, Tally *tally) {
    if (!test_is_folder(path)) {
        test_one(path, step_rows, tally);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t size = strlen(name);
        char child[4096];
        snprintf(child, sizeof child, "%s/%s", path, name);
        if (name[0] != '.' &&
            ((size > 5 && strcmp(name + size - 5, ".test") == 0) || test_is_folder(child)))
            test_path(child, step_rows, tally);
        mem_free(entries[i]);
    }
    if (count >= 0)
        mem_free(entries);
}

int test_files_run(const TestFilesOptions *options) {
    Tally tally = {0};
    for (uint32_t i = 0; i < options->count; i++)
        test_path(options->paths[i], options->step_rows, &tally);
    printf("%u passed, %u failed, 0 skipped\n", tally.passed, tally.failed);
    return tally.failed > 0 || tally.passed == 0;
}
