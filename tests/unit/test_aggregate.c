/* test_aggregate.c - aggregates: values, undo, results before and after, states as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/aggregate_heap.h"

static uint32_t fail_count;

static void on_fail(void *context, uint32_t row, const char *format, ...) {
    (void)context;
    (void)row;
    (void)format;
    fail_count++;
}

/* One state and what was done to it. */
typedef struct TestAggregate {
    AggregateMatch match;
    void *state;
    const char *before, *after;
} TestAggregate;

static TestAggregate start(const char *name, const Type *type) {
    TestAggregate made = {0};
    Err err;
    const Type *types[] = {type};
    if (aggregate_resolve(name, types, type ? 1 : 0, build_arena, &made.match, &err) != ERR_OK)
        fail_msg("%s", err.message);
    made.state = arena_alloc(build_arena, made.match.aggregate->state_size);
    return made;
}

/* Updates the one state with every row of the column; signs as text: "++-". */
static void update(TestAggregate *test, const Column *column, const char *signs) {
    uint32_t count = (uint32_t)strlen(signs);
    void **states = arena_array(build_arena, count, sizeof *states);
    int8_t *sign = arena_alloc(build_arena, count);
    for (uint32_t i = 0; i < count; i++) {
        states[i] = test->state;
        sign[i] = signs[i] == '-' ? -1 : 1;
    }
    const Column *args[] = {column};
    AggregateCall call = {.states = states, .signs = sign, .rows = batch_all_rows(count),
                          .count = count, .args = args, .arg_count = column ? 1 : 0,
                          .before = column_new(build_arena, test->match.result, count),
                          .after = column_new(build_arena, test->match.result, count),
                          .heap = &test_heap.heap, .arena = build_arena, .fail = on_fail};
    test->match.aggregate->ops->update(&call);
    test->before = build_text(call.before);
    test->after = build_text(call.after);
}

static const char *result(const TestAggregate *test) {
    void *states[] = {test->state};
    AggregateCall call = {.states = states, .count = 1,
                          .after = column_new(build_arena, test->match.result, 1),
                          .heap = &test_heap.heap, .arena = build_arena, .fail = on_fail};
    test->match.aggregate->ops->result(&call);
    return build_text(call.after);
}

static void test_count(void **state) {
    (void)state;
    TestAggregate rows = start("COUNT", NULL);
    assert_string_equal(result(&rows), "0");
    update(&rows, NULL, "+++-");
    assert_string_equal(rows.before, "0|1|2|3");
    assert_string_equal(rows.after, "1|2|3|2");
    TestAggregate values = start("COUNT", &type_string);
    update(&values, build_column(&type_string, "a|null|b|a"), "+++-");
    assert_string_equal(values.after, "1|1|2|1");
}

static void test_sum(void **state) {
    (void)state;
    TestAggregate sum = start("SUM", &type_int);
    update(&sum, build_column(&type_int, "2147483647|1|null|1"), "+++-");
    assert_string_equal(sum.before, "0|2147483647|-2147483648|-2147483648");
    assert_string_equal(sum.after, "2147483647|-2147483648|-2147483648|2147483647");
    sum = start("SUM", &type_bigint);
    update(&sum, build_column(&type_bigint, "9223372036854775807|1|2"), "++-");
    assert_string_equal(sum.after,
                        "9223372036854775807|-9223372036854775808|9223372036854775806");
    sum = start("SUM", &type_double);
    update(&sum, build_column(&type_double, "1.5|null|0.25"), "++-");
    assert_string_equal(sum.after, "1.5|1.5|1.25");
}

static void test_sum_of_decimals(void **state) {
    (void)state;
    static const int precision[] = {4, 20, 50};
    for (uint32_t i = 0; i < 3; i++) {
        const Type *type = build_decimal(precision[i], 2);
        TestAggregate sum = start("SUM", type);
        update(&sum, build_column(type, "10.25|null|5.50"), "++-");
        assert_string_equal(sum.before, "0.00|10.25|10.25");
        assert_string_equal(sum.after, "10.25|10.25|4.75");
    }
    const Type *type = build_decimal(4, 2);
    TestAggregate sum = start("SUM", type);
    fail_count = 0;
    update(&sum, build_column(type, "99.99|0.01|-0.99"), "+++");
    assert_string_equal(sum.after, "99.99|99.99|99.00");
    assert_int_equal(fail_count, 1);
}

static void test_avg(void **state) {
    (void)state;
    TestAggregate avg = start("AVG", &type_int);
    assert_string_equal(result(&avg), "0.0");
    update(&avg, build_column(&type_int, "1|2|null|1|2"), "+++--");
    assert_string_equal(avg.after, "1.0|1.5|1.5|2.0|0.0");
    avg = start("AVG", &type_int);
    update(&avg, build_column(&type_int, "2147483647|1"), "++");
    assert_string_equal(avg.after, "2.147483647E9|-1.073741824E9");
    avg = start("AVG", &type_bigint);
    update(&avg, build_column(&type_bigint, "1|2"), "++");
    assert_string_equal(avg.after, "1.0|1.5");
    avg = start("AVG", &type_double);
    update(&avg, build_column(&type_double, "0.5|1"), "++");
    assert_string_equal(avg.after, "0.5|0.75");
}

static void test_extremes_of_all_types(void **state) {
    (void)state;
    static const char *const values[] = {"3|null|1|5|4", "null|null|null|null|null"};
    const Type *types[] = {&type_int, &type_bigint, build_decimal(5, 0), build_decimal(30, 0),
                           build_decimal(70, 0), &type_string};
    for (uint32_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        TestAggregate max = start("MAX", types[i]), min = start("MIN", types[i]);
        update(&max, build_column(types[i], values[0]), "+++++");
        assert_string_equal(max.before, "null|3|3|3|5");
        assert_string_equal(max.after, "3|3|3|5|5");
        update(&min, build_column(types[i], values[0]), "+++++");
        assert_string_equal(min.after, "3|3|1|1|1");
        min = start("MIN", types[i]);
        update(&min, build_column(types[i], values[1]), "+++++");
        assert_string_equal(min.after, values[1]);
        assert_false(min.match.aggregate->undo);
    }
}

static void test_extremes_of_some_types(void **state) {
    (void)state;
    TestAggregate max = start("MAX", &type_double);
    update(&max, build_column(&type_double, "-0.0|0.0|NaN|1"), "++++");
    assert_string_equal(max.after, "-0.0|0.0|NaN|NaN");
    max = start("MAX", &type_date);
    update(&max, build_column(&type_date, "2001-02-03|1999-01-01"), "++");
    assert_string_equal(max.after, "2001-02-03|2001-02-03");
    TestAggregate min = start("MIN", &type_timestamp);
    update(&min, build_column(&type_timestamp, "2001|1999"), "++");
    assert_string_equal(min.after, "2001-01-01T00:00:00.000|1999-01-01T00:00:00.000");
    min = start("MIN", &type_time);
    update(&min, build_column(&type_time, "10:00|09:00"), "++");
    assert_string_equal(min.after, "10:00|09:00");
    max = start("MAX", &type_bytes);
    update(&max, build_column(&type_bytes, "AA==|/w==|AAA="), "+++");
    assert_string_equal(max.after, "AA==|/w==|/w==");
    min = start("MIN", &type_string);
    update(&min, build_column(&type_string, "\xEF\xBD\x9E|\xF0\x9F\x98\x80|"), "+++");
    assert_string_equal(min.after, "\xEF\xBD\x9E|\xF0\x9F\x98\x80|");
}

static void test_heap_holds_one_block_a_state(void **state) {
    (void)state;
    test_heap.alive = 0;
    TestAggregate max = start("MAX", &type_string);
    update(&max, build_column(&type_string, "a|b|c|b"), "++++");
    assert_int_equal(test_heap.alive, 1);
}

/* Saved bytes give the same result again; every cut and every changed byte is read without harm. */
static void check_bytes(const TestAggregate *test, const char *expected) {
    const Aggregate *aggregate = test->match.aggregate;
    Buf buf = {0};
    aggregate->ops->save(test->state, &buf);
    TestAggregate copy = *test;
    copy.state = arena_alloc(build_arena, aggregate->state_size);
    Reader in = reader_of(buf_view(&buf));
    assert_true(aggregate->ops->load(&in, copy.state, &test_heap.heap));
    assert_int_equal(reader_left(&in), 0);
    assert_string_equal(result(&copy), expected);
    for (uint32_t cut = 0; cut < buf.size; cut++) {
        uint8_t *bytes = mem_alloc(cut);
        memcpy(bytes, buf.data, cut);
        in = reader_of((Bytes){bytes, cut});
        memset(copy.state, 0, aggregate->state_size);
        assert_false(aggregate->ops->load(&in, copy.state, &test_heap.heap));
        mem_free(bytes);
    }
    for (uint32_t i = 0; i < buf.size * 8; i++) {
        buf.data[i / 8] ^= (uint8_t)(1 << i % 8);
        in = reader_of(buf_view(&buf));
        memset(copy.state, 0, aggregate->state_size);
        if (aggregate->ops->load(&in, copy.state, &test_heap.heap))
            result(&copy);
        buf.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    buf_free(&buf);
}

static void test_states_as_bytes(void **state) {
    (void)state;
    static const char *const names[] = {"COUNT", "SUM", "AVG", "MIN", "MAX"};
    const Type *types[] = {&type_int, &type_bigint, &type_double, build_decimal(9, 2),
                           build_decimal(40, 2), &type_string, &type_date, &type_timestamp};
    static const char *const values[] = {"-5|7", "-5|7", "-5.5|7", "-5.50|7", "-5.50|7", "ab|c",
                                         "2001-02-03|1999-01-01", "2001|1999"};
    for (uint32_t i = 0; i < 5; i++) {
        for (uint32_t k = 0; k < sizeof types / sizeof types[0]; k++) {
            if ((i == 1 && k > 4) || (i == 2 && k > 2))
                continue;
            TestAggregate test = start(names[i], types[k]);
            check_bytes(&test, result(&test));
            update(&test, build_column(types[k], values[k]), "++");
            check_bytes(&test, result(&test));
        }
    }
}

/* Undoing everything in any order leads back to nothing. */
static void test_undo_leads_back(void **state) {
    (void)state;
    static const char *const names[] = {"COUNT", "SUM", "AVG"};
    for (uint32_t i = 0; i < 3; i++) {
        TestAggregate test = start(names[i], &type_bigint);
        const char *nothing = result(&test);
        assert_true(test.match.aggregate->undo);
        update(&test, build_column(&type_bigint, "7|null|-3|9|9|7|null|-3"), "++++----");
        assert_string_equal(result(&test), nothing);
    }
}

/* Undo takes back what was added, in any order: the result is that of what is left. */
static void test_moments(void **state) {
    (void)state;
    TestAggregate variance = start("STDDEV_SAMP", &type_int);
    update(&variance, build_column(&type_int, "2|4|null|9|9|4"), "++++--");
    assert_string_equal(variance.before, "0.0|0.0|2.0|2.0|13.0|2.0");
    assert_string_equal(variance.after, "0.0|2.0|2.0|13.0|2.0|0.0");
    TestAggregate deviation = start("STDDEV_SAMPLE", &type_double);
    update(&deviation, build_column(&type_double, "1.0|3.0|5.0"), "+++");
    assert_string_equal(deviation.after, "0.0|1.4142135623730951|2.0");
    const Type *type = type_array(build_arena, &type_bigint);
    TestAggregate lists = start("SUM_LIST", type);
    update(&lists, build_column(type, "[1,null,2]|[]|null|[1,null,2]"), "+++-");
    assert_string_equal(lists.after, "3|3|3|0");
}

static void test_collections(void **state) {
    (void)state;
    TestAggregate list = start("COLLECT_LIST", &type_int);
    update(&list, build_column(&type_int, "1|2|1|null|1|7|null"), "++++---");
    assert_string_equal(list.after, "[1]|[1, 2]|[1, 2, 1]|[1, 2, 1, null]|[1, 2, null]|"
                                    "[1, 2, null]|[1, 2]");
    TestAggregate only = start("ATTR", &type_int);
    update(&only, build_column(&type_int, "1|1|null|null|1|1"), "+++---");
    assert_string_equal(only.after, "1|1|null|1|1|null");
    TestAggregate counts = start("HISTOGRAM", &type_string);
    update(&counts, build_column(&type_string, "b|a|b|null|b|b|c"), "++++---");
    assert_string_equal(counts.after,
                        "{b=1}|{a=1, b=1}|{a=1, b=2}|{a=1, b=2}|{a=1, b=1}|{a=1}|{a=1}");
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

#define T(test) cmocka_unit_test(test)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_count), T(test_sum), T(test_sum_of_decimals), T(test_avg),
        T(test_extremes_of_all_types), T(test_extremes_of_some_types),
        T(test_heap_holds_one_block_a_state), T(test_states_as_bytes), T(test_undo_leads_back),
        T(test_moments), T(test_collections),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
