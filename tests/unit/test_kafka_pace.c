/* test_kafka_pace.c - transactions that are too slow become smaller and get more time; and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kafka/pace.h"

enum { BASE_MS = 10000, SECOND = 1000000 };

static void fail_after(Pace *pace, int64_t seconds) {
    pace_begin(pace, SECOND);
    pace_failed(pace, PACE_BYTES_MAX * 2, SECOND + seconds * SECOND);
}

static void commit_after(Pace *pace, int64_t seconds) {
    pace_begin(pace, SECOND);
    pace_committed(pace, SECOND + seconds * SECOND);
}

static void test_failures_in_time_change_nothing(void **state) {
    (void)state;
    Pace pace;
    pace_init(&pace, BASE_MS);
    fail_after(&pace, 7);
    commit_after(&pace, 1);
    assert_int_equal(pace.bytes, PACE_BYTES_MAX);
    assert_int_equal(pace.timeout_ms, BASE_MS);
}

static void test_late_ones_become_less_down_to_a_least(void **state) {
    (void)state;
    Pace pace;
    pace_init(&pace, BASE_MS);
    fail_after(&pace, 9);
    assert_int_equal(pace.bytes, PACE_BYTES_MAX / 4);
    assert_int_equal(pace.timeout_ms, 4 * BASE_MS);
    fail_after(&pace, 9); /* its time is longer now */
    assert_int_equal(pace.timeout_ms, 4 * BASE_MS);
    pace_begin(&pace, SECOND);
    pace_failed(&pace, 4 << 20, 100 * SECOND); /* it was less than it might have been */
    assert_int_equal(pace.bytes, 1 << 20);
    for (int i = 0; i < 20; i++)
        fail_after(&pace, 1000);
    assert_int_equal(pace.bytes, PACE_BYTES_MIN);
    assert_int_equal(pace.timeout_ms, PACE_TIMEOUT_MS_MAX);
}

static void test_one_failure_counts_once(void **state) {
    (void)state;
    Pace pace;
    pace_init(&pace, BASE_MS);
    pace_begin(&pace, 0);
    pace_failed(&pace, 1, 11 * SECOND);
    pace_failed(&pace, 1, 12 * SECOND); /* the abort failed too */
    assert_int_equal(pace.timeout_ms, 4 * BASE_MS);
}

static void test_good_time_goes_back_step_by_step(void **state) {
    (void)state;
    Pace pace;
    pace_init(&pace, BASE_MS);
    fail_after(&pace, 100);
    commit_after(&pace, 11); /* got through, in no good time */
    assert_int_equal(pace.timeout_ms, 4 * BASE_MS);
    commit_after(&pace, 9);
    assert_int_equal(pace.timeout_ms, 2 * BASE_MS);
    assert_int_equal(pace.bytes, PACE_BYTES_MAX / 2);
    commit_after(&pace, 1);
    assert_int_equal(pace.timeout_ms, BASE_MS);
    assert_int_equal(pace.bytes, PACE_BYTES_MAX);
}

static void test_a_time_that_is_refused_is_the_configurations(void **state) {
    (void)state;
    Pace pace;
    pace_init(&pace, BASE_MS);
    fail_after(&pace, 100);
    pace_refused(&pace);
    assert_int_equal(pace.timeout_ms, BASE_MS);
    assert_int_equal(pace.bytes, PACE_BYTES_MAX / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_in_time_change_nothing),
        cmocka_unit_test(test_late_ones_become_less_down_to_a_least),
        cmocka_unit_test(test_one_failure_counts_once),
        cmocka_unit_test(test_good_time_goes_back_step_by_step),
        cmocka_unit_test(test_a_time_that_is_refused_is_the_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
