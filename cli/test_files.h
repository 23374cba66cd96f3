/*
 * test_files.h - `weir test FILE...`: .test files of SQL, inputs and expected records.
 *
 * A file opens with "# name.test - what it shows". Each line is a command; SQL goes on in lines
 * that begin with a blank:
 *
 *   sql    CREATE STREAM ...;            statements
 *   error  CODE text                     the `sql` or `rows` in front of it fails so: this code,
 *                                        and this text somewhere in the message
 *   in     TOPIC KEY | VALUE             appends a record: text of the topic's format, `-` is null
 *   in     TOPIC @TIME KEY | VALUE       ... with its rowtime (default 0)
 *   out    TOPIC KEY | VALUE             the next record of the topic, compared byte for byte
 *   out    TOPIC KEY @ START..END | VALUE @TIME     ... with its window and its rowtime
 *   rows   SELECT ...;                   a lookup or SHOW; the `row` lines behind it are its rows
 *   row    CELL | CELL                   ... as text, NULL for NULL
 *   clock  MILLISECONDS                  sets the wall clock
 *   errors QUERY N                       the query has counted N bad rows
 *   restart                              closes the engine and opens it again
 *
 * Behind two blanks and '#' stands a comment (not in SQL, which has "--"). Unread records of a
 * topic named by an `out` line fail the file. Without --steps each file runs with steps of 1, 7 and
 * 1,024 records, which must give the same bytes. A .sql file is one of ksqlDB's testing tool, with
 * its "--@test: NAME" and "--@expected.message: TEXT" lines; ASSERT VALUES works in both.
 * docs/testing.md tells the same with examples.
 */
#ifndef CLI_TEST_FILES_H
#define CLI_TEST_FILES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum TestReport { TEST_REPORT_TEXT, TEST_REPORT_TAP, TEST_REPORT_JUNIT } TestReport;

typedef struct TestFilesOptions {
    char **paths; /* files or folders */
    uint32_t count;
    uint32_t step_rows; /* 0: 1, 7 and 1,024 */
    uint32_t jobs;      /* files at once; 0: one per core */
    TestReport report;
    bool update;   /* writes what came into the files, where it is not what they want */
    bool coverage; /* also says which statements no file has */
} TestFilesOptions;

/* The exit status; the last line of text is "N passed, N failed, N skipped". */
int test_files_run(const TestFilesOptions *options);

#endif
