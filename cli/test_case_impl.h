/*
 * test_case_impl.h - the parts of a case's run, shared by test_case.c and test_case_restart.c.
 *
 *   open -> prepare (settings, topics, statements) -> feed (inputs) -> finish (queries, answers)
 *        -> put -> close
 */
#ifndef CLI_TEST_CASE_IMPL_H
#define CLI_TEST_CASE_IMPL_H

#include "cli/test_case.h"
#include "engine/testkit.h"

typedef struct CaseRun {
    Testkit *kit;
    const JsonNode *test;
    Arena *arena;
    uint32_t statement; /* the one that is at work: where an error comes from */
    uint32_t statement_count;
    WeirResult **results; /* by statement: asked, not answered yet */
    Buf responses;        /* rest: answers, with a comma between */
} CaseRun;

ErrCode case_open(CaseRun *run, const TestkitOptions *options, Err *err);
void case_close(CaseRun *run); /* also after a failed open */

/* Settings, topics: the first part of prepare. */
ErrCode case_begin(CaseRun *run, Err *err);
ErrCode case_prepare(CaseRun *run, Err *err);
ErrCode case_feed(CaseRun *run, Err *err);
ErrCode case_finish(CaseRun *run, Err *err);

/* Whether its push queries are begun before the inputs come. */
bool case_asks_first(const JsonNode *test);

/* The result line, of what finish left or of the error. */
void case_put(const CaseRun *run, ErrCode code, const Err *err, Buf *out);

/* The result of a case that was killed in its middle and went on. */
void test_case_restarted(const TestCasesOptions *options, const JsonNode *test, Arena *arena,
                         Buf *out);

#endif
