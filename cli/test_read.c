/*
 * test_read.c - the text of a .test file as commands.
 *
 * Every line is looked at before any is run, so one look shows all that are wrong. A file of
 * ksqlDB's testing tool (.sql) has statements only: "--@test: NAME" opens a section, which runs on
 * an engine of its own; "--@expected.error: CLASS" and "--@expected.message: TEXT" stand in front
 * of the statement that ends it.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/io_input.h"
#include "base/mem.h"
#include "cli/test_impl.h"

static const char *const test_verbs[] = {
    [TEST_SQL] = "sql",     [TEST_ERROR] = "error",   [TEST_IN] = "in",
    [TEST_OUT] = "out",     [TEST_ROWS] = "rows",     [TEST_ROW] = "row",
    [TEST_CLOCK] = "clock", [TEST_ERRORS] = "errors", [TEST_RESTART] = "restart",
    [TEST_HEADERS] = "headers",
};

enum { TEST_VERB_COUNT = sizeof test_verbs / sizeof test_verbs[0] };

bool test_fault(const char *path, uint32_t line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:", path);
    if (line > 0)
        printf("%u:", line);
    putchar(' ');
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return false;
}

/* -1: none of the verbs. */
static int test_find_verb(const char *line) {
    size_t size = strcspn(line, " \t");
    for (int i = 0; i < TEST_VERB_COUNT; i++)
        if (strlen(test_verbs[i]) == size && strncmp(test_verbs[i], line, size) == 0)
            return i;
    return -1;
}

static bool test_is_sql(TestVerb verb) {
    return verb == TEST_SQL || verb == TEST_ROWS;
}

static void test_cut_tail(char *line) {
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r", line[size - 1]))
        line[--size] = '\0';
}

/* A comment behind two blanks and '#' ends a line of records, never one of SQL. */
static void test_cut_comment(char *line) {
    char *comment = strstr(line, "  #");
    if (comment)
        *comment = '\0';
}

static TestCommand *test_last(const TestFile *file) {
    return file->count > 0 ? &file->commands[file->count - 1] : NULL;
}

/* What must stand in front of a command, or behind it on its line. */
static bool test_check(const TestFile *file, const TestCommand *command) {
    const TestCommand *last = test_last(file);
    bool failable = last && test_is_sql(last->verb);
    bool listed = last && (last->verb == TEST_ROWS || last->verb == TEST_ROW);
    bool empty = *command->text == '\0';
    const char *verb = test_verbs[command->verb];
    if (command->verb == TEST_ERROR && !failable)
        return test_fault(file->path, command->line, "'error' stands behind a 'sql' or 'rows'");
    if (command->verb == TEST_ROW && !listed)
        return test_fault(file->path, command->line, "'row' stands behind a 'rows' or 'row'");
    if (empty && command->verb != TEST_RESTART && command->verb != TEST_ROW)
        return test_fault(file->path, command->line, "'%s' needs more on its line", verb);
    if ((command->verb == TEST_IN || command->verb == TEST_OUT) && !strstr(command->text, " | "))
        return test_fault(file->path, command->line, "'%s TOPIC KEY | VALUE' is wanted: %s", verb,
                          command->text);
    if (command->verb == TEST_CLOCK &&
        command->text[strspn(command->text, "0123456789")] != '\0')
        return test_fault(file->path, command->line, "'clock MILLISECONDS' is wanted: %s",
                          command->text);
    return true;
}

static bool test_add_command(TestFile *file, char *line, uint32_t number) {
    int verb = test_find_verb(line);
    if (verb < 0)
        return test_fault(file->path, number, "unknown command '%.*s'; there are: sql error "
                          "headers in out rows row clock errors restart",
                          (int)strcspn(line, " \t"), line);
    if (!test_is_sql((TestVerb)verb))
        test_cut_comment(line);
    test_cut_tail(line);
    size_t size = strlen(test_verbs[verb]);
    size += strspn(line + size, " \t");
    TestCommand command = {number, (uint32_t)size + 1, (TestVerb)verb, line + size};
    if (!test_check(file, &command))
        return false;
    file->commands =
        mem_grow(file->commands, &file->capacity, file->count + 1, sizeof *file->commands);
    file->commands[file->count++] = command;
    return true;
}

static bool test_add_line(TestFile *file, char *line, uint32_t number) {
    TestCommand *last = test_last(file);
    test_cut_tail(line);
    if (*line == '\0' || *line == '#')
        return true;
    if (*line != ' ' && *line != '\t')
        return test_add_command(file, line, number);
    if (!last || !test_is_sql(last->verb))
        return test_fault(file->path, number, "only SQL goes on in a line that begins with a "
                          "blank");
    last->text = arena_printf(file->arena, "%s\n%s", last->text, line);
    return true;
}

static bool test_load(TestFile *file, Buf *text) {
    IoInput *input;
    Err err;
    uint32_t got = 1;
    if (io_input_open(file->path, &input, &err) != ERR_OK)
        return test_fault(file->path, 0, "%s", err.message);
    ErrCode code = ERR_OK;
    while (code == ERR_OK && got > 0) {
        code = io_input_read(input, buf_room(text, 1 << 16), 1 << 16, &got, &err);
        text->size += code == ERR_OK ? got : 0;
    }
    io_input_close(input);
    return code == ERR_OK || test_fault(file->path, 0, "%s", err.message);
}

/* -- Files of ksqlDB's testing tool ------------------------------------------------------------ */

static void test_add(TestFile *file, TestVerb verb, const char *text, uint32_t line) {
    file->commands =
        mem_grow(file->commands, &file->capacity, file->count + 1, sizeof *file->commands);
    file->commands[file->count++] = (TestCommand){line, 1, verb, text};
}

/* The text behind a directive's name; NULL: the line is another one. */
static const char *script_directive(const char *line, const char *name) {
    size_t size = strlen(name);
    return strncmp(line, name, size) == 0 ? line + size + strspn(line + size, " \t") : NULL;
}

/* What a directive in front of the last statement asks of its failure; goes behind the statement
 * when that is over. */
typedef struct ScriptReader {
    TestFile *file;
    const char *expected; /* NULL: nothing */
    uint32_t expected_line;
} ScriptReader;

static void script_end_section(ScriptReader *reader) {
    if (reader->expected)
        test_add(reader->file, TEST_EXPECT, reader->expected, reader->expected_line);
    reader->expected = NULL;
}

static void script_add_line(ScriptReader *reader, const char *line, uint32_t number) {
    TestFile *file = reader->file;
    const char *name = script_directive(line, "--@test:");
    const char *message = script_directive(line, "--@expected.message:");
    if (name) {
        script_end_section(reader);
        test_add(file, TEST_SECTION, name, number);
    } else if (message || script_directive(line, "--@expected.error:")) {
        if (!reader->expected)
            test_add(file, TEST_SQL, "", number); /* what follows is on its own */
        reader->expected = message ? message : reader->expected ? reader->expected : "";
        reader->expected_line = number;
    } else if (file->count > 0 && test_last(file)->verb == TEST_SQL) {
        TestCommand *last = test_last(file);
        last->text = arena_printf(file->arena, "%s\n%s", last->text, line);
    } else if (file->count > 0 && line[strspn(line, " \t")] != '\0') {
        test_add(file, TEST_SQL, line, number);
    }
}

static bool test_read_script(TestFile *file, char *next) {
    ScriptReader reader = {.file = file};
    file->is_script = true;
    for (uint32_t number = 1; next; number++) {
        char *end = strchr(next, '\n');
        if (end)
            *end = '\0';
        test_cut_tail(next);
        script_add_line(&reader, next, number);
        next = end ? end + 1 : NULL;
    }
    script_end_section(&reader);
    return file->count > 0 ||
           test_fault(file->path, 1, "no section: \"--@test: NAME\" opens one");
}

/* -- Both -------------------------------------------------------------------------------------- */

static bool test_is_script(const char *path) {
    size_t size = strlen(path);
    return size > 4 && strcmp(path + size - 4, ".sql") == 0;
}

bool test_has_sections(const char *path) {
    TestFile file = {.path = path};
    Buf text = {0};
    bool found = test_is_script(path) && test_load(&file, &text) &&
                 strstr(buf_cstr(&text), "--@test:") != NULL;
    buf_free(&text);
    return found;
}

bool test_read(TestFile *file) {
    Buf text = {0};
    bool good = test_load(file, &text);
    char *next = arena_text(file->arena, buf_view(&text));
    buf_free(&text);
    if (good && test_is_script(file->path))
        return test_read_script(file, next);
    for (uint32_t number = 1; next; number++) {
        char *end = strchr(next, '\n');
        if (end)
            *end = '\0';
        good = test_add_line(file, next, number) && good;
        next = end ? end + 1 : NULL;
    }
    if (good && file->count == 0)
        return test_fault(file->path, 1, "the file has no commands");
    return good;
}
