/*
 * test_cases.h - `weir test --cases FILE`: conformance cases in, results out.
 *
 * Each line of FILE is a case; each result is a line on standard output, flushed as it comes. Cases
 * run in a child process, so that a crash costs one case ("internal") and not the run.
 */
#ifndef CLI_TEST_CASES_H
#define CLI_TEST_CASES_H

#include <stdint.h>

typedef struct TestCasesOptions {
    const char *path;
    uint32_t step_rows;   /* 0: the default */
    const char *only;     /* prefix of ids; NULL: all */
    uint32_t sample, seed; /* so many cases, drawn by the seed; 0: all */
    const char *kafka; /* HOST:PORT: topics are there, and nobody else uses it; NULL: ours */
    const char *restart_folder; /* each case is killed in its middle and goes on; NULL: not */
} TestCasesOptions;

/* The exit status of the program. */
int test_cases_run(const TestCasesOptions *options);

#endif
