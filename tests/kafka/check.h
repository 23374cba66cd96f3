/*
 * check.h - what a program over a real broker counts: checks that hold and those that fail.
 */
#ifndef TESTS_KAFKA_CHECK_H
#define TESTS_KAFKA_CHECK_H

#include <stdio.h>

#include "base/err.h"

static uint32_t passed, failed;

static void check(bool good, const char *what) {
    if (good)
        passed++;
    else
        failed++;
    if (!good)
        fprintf(stderr, "FAILED: %s\n", what);
}

static void check_ok(ErrCode code, const Err *err, const char *what) {
    check(code == ERR_OK, what);
    if (code != ERR_OK)
        fprintf(stderr, "        %s: %s\n", err_name(code), err->message);
}

#endif
