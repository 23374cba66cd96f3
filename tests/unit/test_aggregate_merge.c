/* test_aggregate_merge.c - two states become one: as if one had seen the rows of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/aggregate_heap.h"

static uint32_t fail_count;

static void on_fail(void *context, uint32_t row, const char *format, ...) {
    (void)context;
    (void)format;
    assert_int_equal(row, 7);
    fail_count++;
}

/* A state that has seen rows [from, to) of the column. */
static void *seen(const AggregateMatch *match, const Column *column, uint32_t from, uint32_t to) {
    void *state = arena_alloc(build_arena, match->aggregate->state_size);
    void **states = arena_array(build_arena, to - from, sizeof *states);
    for (uint32_t i = 0; i < to - from; i++)
        states[i] = state;
    AggregateCall call = {.states = states, .rows = batch_all_rows(to) + from, .count = to - from,
                          .args = &column, .arg_count = 1, .heap = &test_heap.heap,
                          .arena = build_arena, .fail = on_fail};
    match->aggregate->ops->update(&call);
    return state;
}

static const char *result(const AggregateMatch *match, void *state) {
    AggregateCall call = {.states = &state, .count = 1,
                          .after = column_new(build_arena, match->result, 1),
                          .heap = &test_heap.heap, .arena = build_arena, .fail = on_fail};
    match->aggregate->ops->result(&call);
    return build_text(call.after);
}

static void merge(const AggregateMatch *match, const Type *type, void *into, void *from) {
    assert_non_null(match->aggregate->ops->merge);
    AggregateMerge call = {.into = into, .from = from, .arg_types = &type, .arg_count = 1,
                           .heap = &test_heap.heap, .row = 7, .fail = on_fail};
    match->aggregate->ops->merge(&call);
}

static AggregateMatch find(const char *name, const Type *type) {
    AggregateMatch match;
    Err err;
    if (aggregate_resolve(name, &type, 1, build_arena, &match, &err) != ERR_OK)
        fail_msg("%s", err.message);
    return match;
}

/* Cut anywhere, also in front of everything and behind it: what a state at birth brings. */
static void check(const char *name, const Type *type, const char *rows, uint32_t count) {
    AggregateMatch match = find(name, type);
    const Column *column = build_column(type, rows);
    test_heap.alive = 0;
    const char *whole = result(&match, seen(&match, column, 0, count));
    int alive = test_heap.alive;
    for (uint32_t cut = 0; cut <= count; cut++) {
        test_heap.alive = 0;
        void *into = arena_alloc(build_arena, match.aggregate->state_size);
        merge(&match, type, into, seen(&match, column, 0, cut));
        merge(&match, type, into, seen(&match, column, cut, count));
        assert_string_equal(result(&match, into), whole);
        assert_int_equal(test_heap.alive, alive);
    }
}

static void merged_is_whole(void **state) {
    (void)state;
    check("COUNT", &type_string, "a|null|b", 3);
    check("SUM", &type_int, "2147483647|null|1|-5", 4);
    check("SUM", &type_bigint, "9223372036854775807|1|2", 3);
    check("SUM", &type_double, "1.5|null|0.25", 3);
    check("SUM", build_decimal(6, 2), "10.25|null|5.50", 3);
    check("AVG", &type_int, "2147483647|1|null", 3);
    check("AVG", &type_bigint, "7|null|2", 3);
    check("AVG", &type_double, "1.5|0.25", 2);
    static const char *const extremes[] = {"MIN", "MAX"};
    for (uint32_t i = 0; i < 2; i++) {
        check(extremes[i], &type_int, "3|null|-4|9", 4);
        check(extremes[i], &type_bigint, "3|-4|9", 3);
        check(extremes[i], &type_double, "1.5|-0.0|0.0", 3);
        check(extremes[i], build_decimal(20, 2), "10.25|null|5.50|11.00", 4);
        check(extremes[i], &type_string, "pear|null|apple|zoo", 4);
        check(extremes[i], &type_string, "null|null", 2);
        check(extremes[i], &type_bytes, "YQ==|Yg==|YQ==", 3);
    }
}

/* Elements are taken over, and none is left behind. */
static void growing_merged_is_whole(void **state) {
    (void)state;
    static const char *const names[] = {"COLLECT_LIST", "COLLECT_SET", "COUNT_DISTINCT", "ATTR",
                                        "HISTOGRAM", "EARLIEST_BY_OFFSET", "LATEST_BY_OFFSET"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        check(names[i], &type_string, "pear|null|apple|pear|zoo", 5);
        check(names[i], &type_string, "a|a|a", 3);
        check(names[i], &type_string, "null|null", 2);
    }
    check("COLLECT_SET", build_decimal(6, 2), "10.25|null|10.25", 3);
    check("COUNT_DISTINCT", &type_double, "0.0|-0.0|1.5|1.5", 4);
    check("SUM_LIST", type_array(build_arena, &type_int), "[1,null,2]|null|[2147483647]", 3);
    check("STDDEV_SAMP", &type_int, "2|4|4|null|6", 5);
    check("STDDEV_SAMPLE", &type_double, "1.0|3.0|5.0", 3);
}

static void sum_too_large(void **state) {
    (void)state;
    const Type *type = build_decimal(4, 2);
    AggregateMatch match = find("SUM", type);
    const Column *column = build_column(type, "60.00|50.00");
    void *into = seen(&match, column, 0, 1), *from = seen(&match, column, 1, 2);
    fail_count = 0;
    merge(&match, type, into, from);
    assert_int_equal(fail_count, 1);
    assert_string_equal(result(&match, into), "60.00");
}

static int setup(void **state) {
    (void)state;
    build_arena = arena_new("test", 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(build_arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_is_whole),
        cmocka_unit_test(growing_merged_is_whole),
        cmocka_unit_test(sum_too_large),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
