/*
 * test_case.h - one conformance case, run.
 */
#ifndef CLI_TEST_CASE_H
#define CLI_TEST_CASE_H

#include "base/buf.h"
#include "cli/test_cases.h"
#include "engine/json_tree.h"

/* The result line of a case, without its end. What the case expects is not looked at. */
void test_case_result(const TestCasesOptions *options, const JsonNode *test, Arena *arena,
                      Buf *out);

#endif
