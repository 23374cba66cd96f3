/*
 * test_impl.h - what the pieces of the .test runner share: a file as commands, one run of it.
 */
#ifndef CLI_TEST_IMPL_H
#define CLI_TEST_IMPL_H

#include "engine/testkit.h"

typedef enum TestVerb {
    TEST_SQL,
    TEST_ERROR,
    TEST_HEADERS,
    TEST_IN,
    TEST_OUT,
    TEST_ROWS,
    TEST_ROW,
    TEST_CLOCK,
    TEST_ERRORS,
    TEST_RESTART,
    TEST_SECTION, /* of a script: begins anew */
    TEST_EXPECT,  /* of a script: the statements in front of it fail with this text */
} TestVerb;

typedef struct TestCommand {
    uint32_t line;
    uint32_t column; /* of the text */
    TestVerb verb;
    const char *text; /* behind the verb */
} TestCommand;

/* Lines of the file that are to be others: [line, line + count) become `text`. */
typedef struct TestEdit {
    uint32_t line, count;
    const char *text; /* whole lines */
} TestEdit;

typedef struct TestFile {
    const char *path;
    Arena *arena;
    TestCommand *commands;
    size_t count, capacity;
    bool is_script; /* of ksqlDB's testing tool: queries run after each statement */
    bool update; /* differences become edits */
    TestEdit *edits; /* in order of line */
    size_t edit_count, edit_capacity;
} TestFile;

void test_edit(TestFile *file, TestEdit edit);

/* Writes the file with its edits; says what is wrong where it cannot be. */
bool test_write(const TestFile *file);

/* How often each statement form of the manual stands in the files: one line each, then a sum. */
void test_coverage(const char *const *paths, size_t count);

/* Reads a file as commands; says what is wrong with every line that is none. */
bool test_read(TestFile *file);

/* Whether a file is one of ksqlDB's testing tool: .sql, with sections. */
bool test_has_sections(const char *path);

/* Runs the commands on a fresh engine with this step size (0: the default). The first that does not
 * hold ends the run with a message. */
bool test_run(TestFile *file, uint32_t step_rows);

/* "path:line: text" on standard output; is false. */
bool test_fault(const char *path, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Two lists of lines side by side: what both have, "- wanted", "+ got". */
typedef struct TestLines {
    const char **texts;
    size_t count, capacity;
} TestLines;

void test_lines_add(TestLines *lines, const char *text); /* borrowed */
void test_diff(const TestLines *wanted, const TestLines *got);

#endif
