/*
 * test_column.c - columns made from parts of others: every value of every type, nested too, is the
 * one it was taken from, and equality looks at values, not at where they lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random_column.h"

enum { ROWS = 70 };

static Arena *arena;

static int setup(void **state) {
    (void)state;
    arena = arena_new("test", 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

/* What column.h promises of missing values: zeros, empty ranges. */
static void check_missing(const Column *column) {
    uint32_t width = type_width(column->type);
    for (uint32_t row = 0; row < column->length; row++) {
        if (!column_is_null(column, row))
            continue;
        static const uint8_t zeros[32];
        if (width > 0)
            assert_memory_equal((const uint8_t *)column->data + (size_t)row * width, zeros, width);
        if (column->offsets)
            assert_int_equal(column->offsets[row], column->offsets[row + 1]);
    }
    for (uint32_t i = 0; i < column->type->field_count; i++)
        check_missing(&column->children[i]);
}

static void test_gather_takes_each_value(void **state) {
    (void)state;
    for (int round = 0; round < 60; round++) {
        const Type *type = random_type(arena, 3, true);
        Column *source = random_column(arena, type, ROWS);
        uint16_t rows[2 * ROWS];
        uint32_t count = chance_below(2 * ROWS + 1);
        for (uint32_t i = 0; i < count; i++)
            rows[i] = (uint16_t)chance_below(ROWS);
        Column *column = column_gather(arena, source, rows, count);
        assert_int_equal(column->length, count);
        for (uint32_t i = 0; i < count; i++)
            assert_true(column_value_equal(column, i, source, rows[i]));
        check_missing(column);
    }
}

static void test_repeat(void **state) {
    (void)state;
    for (int round = 0; round < 40; round++) {
        const Type *type = random_type(arena, 2, true);
        Column *source = random_column(arena, type, ROWS);
        uint32_t row = chance_below(ROWS), length = chance_below(100);
        Column *column = column_repeat(arena, source, row, length);
        assert_int_equal(column->length, length);
        for (uint32_t i = 0; i < length; i++)
            assert_true(column_value_equal(column, i, source, row));
    }
}

static void test_a_new_column_is_missing(void **state) {
    (void)state;
    TypeField fields[] = {{"A", &type_string}, {"B", type_array(arena, &type_int)}};
    const Type *type = type_struct(arena, fields, 2);
    Column *column = column_new(arena, type, 65);
    for (uint32_t row = 0; row < 65; row++)
        assert_true(column_is_null(column, row) && column_is_null(&column->children[0], row) &&
                    column_is_null(&column->children[1], row));
    assert_int_equal(column->children[1].children[0].length, 0);
    check_missing(column);
    column_set_present(column, 64);
    assert_false(column_is_null(column, 64));
    assert_true(column_is_null(column, 63));
    column_set_null(column, 64);
    assert_true(column_is_null(column, 64));
}

static Column *doubles(const double *values, uint32_t count) {
    Column *column = column_new(arena, &type_double, count);
    for (uint32_t i = 0; i < count; i++) {
        column->f64[i] = values[i];
        column_set_present(column, i);
    }
    return column;
}

static void test_equality_of_doubles(void **state) {
    (void)state;
    double values[] = {0.0, -0.0, NAN, 1.0, -NAN};
    Column *column = doubles(values, 5);
    assert_false(column_value_equal(column, 0, column, 1)); /* as Java's Double.equals() */
    assert_true(column_value_equal(column, 2, column, 4));
    assert_false(column_value_equal(column, 2, column, 3));
    column_set_null(column, 3);
    assert_false(column_value_equal(column, 3, column, 0));
    assert_true(column_value_equal(column, 3, column, 3));
}

/* {a: 1, b: 2}, {b: 2, a: 1}, {a: 1, b: 3}, {a: 1} */
static void test_equality_of_maps(void **state) {
    (void)state;
    static const char *const keys[] = {"a", "b", "b", "a", "a", "b", "a"};
    static const int32_t numbers[] = {1, 2, 2, 1, 1, 3, 1};
    static const uint32_t offsets[] = {0, 2, 4, 6, 7};
    Column *column = column_new(arena, type_map(arena, &type_string, &type_int), 4);
    memcpy(column->offsets, offsets, sizeof offsets);
    column_init(&column->children[0], arena, &type_string, 7);
    column_init(&column->children[1], arena, &type_int, 7);
    for (uint32_t i = 0; i < 7; i++) {
        column->children[0].bytes[i] = bytes_of(keys[i]);
        column->children[1].i32[i] = numbers[i];
        column_set_present(&column->children[0], i);
        column_set_present(&column->children[1], i);
    }
    for (uint32_t row = 0; row < 4; row++)
        column_set_present(column, row);
    assert_true(column_value_equal(column, 0, column, 1));
    assert_false(column_value_equal(column, 0, column, 2));
    assert_false(column_value_equal(column, 0, column, 3));
    assert_false(column_value_equal(column, 3, column, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gather_takes_each_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_new_column_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equality_of_doubles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equality_of_maps, setup, teardown),
    };
    return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
