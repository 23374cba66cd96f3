/*
 * test_row_value.c - rows as bytes: they read back, old ones too, and damage is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/row_value.h"
#include "tests/unit/random_column.h"

enum { ROUNDS = 100, ROWS = 20, COLUMNS_MAX_TRIED = 10 };

typedef struct Rows {
    const Type *types[COLUMNS_MAX_TRIED];
    Column *columns[COLUMNS_MAX_TRIED];
    RowLayout layout;
    Bytes bytes[ROWS];
} Rows;

static Bytes row_of(Arena *arena, Column *const *columns, uint32_t count, uint32_t row) {
    Buf out = {0};
    row_value_put(&out, (const Column *const *)columns, count, row);
    Bytes copy = arena_bytes(arena, buf_view(&out));
    buf_free(&out);
    return copy;
}

static void random_rows(Arena *arena, Rows *rows) {
    uint32_t count = 1 + chance_below(COLUMNS_MAX_TRIED);
    for (uint32_t i = 0; i < count; i++) {
        rows->types[i] = random_type(arena, 2, true);
        rows->columns[i] = random_column(arena, rows->types[i], ROWS);
    }
    rows->layout = (RowLayout){rows->types, count};
    for (uint32_t row = 0; row < ROWS; row++)
        rows->bytes[row] = row_of(arena, rows->columns, count, row);
}

static void rows_read_back(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < ROUNDS; round++) {
        Rows rows;
        Column *columns[COLUMNS_MAX_TRIED];
        Err err;
        random_rows(arena, &rows);
        rows.bytes[3] = (Bytes){0}; /* no row at all */
        assert_int_equal(row_value_get(rows.bytes, ROWS, &rows.layout, arena, columns, &err), 0);
        for (uint32_t i = 0; i < rows.layout.column_count; i++) {
            assert_int_equal(columns[i]->length, ROWS);
            assert_true(column_is_null(columns[i], 3));
            for (uint32_t row = 0; row < ROWS; row++)
                if (row != 3)
                    assert_true(column_value_equal(columns[i], row, rows.columns[i], row));
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void columns_may_be_added_at_the_end(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < ROUNDS; round++) {
        Rows rows;
        Column *columns[COLUMNS_MAX_TRIED];
        Err err;
        random_rows(arena, &rows);
        uint32_t before = chance_below(rows.layout.column_count + 1);
        for (uint32_t row = 0; row < ROWS; row++)
            rows.bytes[row] = row_of(arena, rows.columns, before, row);
        assert_int_equal(row_value_get(rows.bytes, ROWS, &rows.layout, arena, columns, &err), 0);
        for (uint32_t i = 0; i < rows.layout.column_count; i++)
            for (uint32_t row = 0; row < ROWS; row++)
                assert_true(i < before
                                ? column_value_equal(columns[i], row, rows.columns[i], row)
                                : column_is_null(columns[i], row));
        RowLayout shorter = {rows.types, rows.layout.column_count - 1};
        Bytes whole = row_of(arena, rows.columns, rows.layout.column_count, 0);
        assert_int_equal(row_value_get(&whole, 1, &shorter, arena, columns, &err), ERR_CORRUPT);
        arena_reset(arena);
    }
    arena_free(arena);
}

/* What is still read after damage is a row: it can be written and read again. */
static void damage_is_refused_or_another_row(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    uint32_t refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        Rows rows;
        Column *columns[COLUMNS_MAX_TRIED], *again[COLUMNS_MAX_TRIED];
        Err err;
        random_rows(arena, &rows);
        for (uint32_t row = 0; row < ROWS; row++) {
            Bytes damaged = random_damage(arena, rows.bytes[row]);
            if (row_value_get(&damaged, 1, &rows.layout, arena, columns, &err) != ERR_OK) {
                assert_int_equal(err.code, ERR_CORRUPT);
                refused++;
                continue;
            }
            Bytes bytes = row_of(arena, columns, rows.layout.column_count, 0);
            assert_int_equal(row_value_get(&bytes, 1, &rows.layout, arena, again, &err), 0);
            for (uint32_t i = 0; i < rows.layout.column_count; i++)
                assert_true(column_value_equal(again[i], 0, columns[i], 0));
        }
        arena_reset(arena);
    }
    assert_in_range(refused, ROUNDS, ROUNDS * ROWS);
    arena_free(arena);
}

/* A few bytes that claim millions of missing structs end at the arena's budget. */
static void claims_end_at_the_budget(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    Arena *small = arena_new("small", 4 << 20);
    TypeField fields[] = {{"A", &type_string}, {"B", &type_string}, {"C", &type_string}};
    const Type *type = type_array(arena, type_struct(arena, fields, 3));
    RowLayout layout = {&type, 1};
    Column *column;
    Err err;
    uint8_t *bytes = arena_alloc(arena, 200000);
    const uint8_t head[] = {0x01, 0x01, 0x80, 0xB5, 0x18}; /* 400,000 elements */
    memcpy(bytes, head, sizeof head);
    Bytes row = {bytes, sizeof head + 50000};
    assert_int_equal(row_value_get(&row, 1, &layout, arena, &column, &err), ERR_OK);
    assert_int_equal(column->children[0].length, 400000);
    assert_int_equal(row_value_get(&row, 1, &layout, small, &column, &err), ERR_LIMIT);
    row.size--;
    assert_int_equal(row_value_get(&row, 1, &layout, arena, &column, &err), ERR_CORRUPT);
    arena_free(small);
    arena_free(arena);
}

/* The worked example of docs/formats/row_value.md. */
static void the_worked_example_holds(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        0x04, 0x0D,                               /* four columns, the second is missing */
        0x02, 'h', 'i',                           /* 'hi' */
        0xD7, 0x04,                               /* -300 */
        0x02, 0x03, 0x01, 'x', 0x01, 'y', 0x02, 0x01, /* MAP(x := NULL, y := true) */
    };
    Arena *arena = arena_new("test", 0);
    const Type *map = type_map(arena, &type_string, &type_boolean);
    const Type *types[] = {&type_string, &type_double, &type_bigint, map};
    Column *columns[4], *read[4];
    for (int i = 0; i < 4; i++) {
        columns[i] = column_new(arena, types[i], 1);
        if (i != 1)
            column_set_present(columns[i], 0);
    }
    columns[0]->bytes[0] = bytes_of("hi");
    columns[2]->i64[0] = -300;
    columns[3]->offsets[1] = 2;
    column_init(&columns[3]->children[0], arena, &type_string, 2);
    column_init(&columns[3]->children[1], arena, &type_boolean, 2);
    for (uint32_t i = 0; i < 2; i++)
        column_set_present(&columns[3]->children[0], i);
    columns[3]->children[0].bytes[0] = bytes_of("x");
    columns[3]->children[0].bytes[1] = bytes_of("y");
    column_set_present(&columns[3]->children[1], 1);
    columns[3]->children[1].boolean[1] = 1;
    Bytes row = row_of(arena, columns, 4, 0);
    assert_int_equal(row.size, sizeof expected);
    assert_memory_equal(row.data, expected, sizeof expected);
    Err err;
    RowLayout layout = {types, 4};
    assert_int_equal(row_value_get(&row, 1, &layout, arena, read, &err), 0);
    for (int i = 0; i < 4; i++)
        assert_true(column_value_equal(read[i], 0, columns[i], 0));
    arena_free(arena);
}

static void values_out_of_range_are_corrupt(void **state) {
    (void)state;
    static const struct {
        const Type *type;
        uint8_t bytes[14];
        uint32_t size;
    } bad[] = {
        {&type_int, {0x01, 0x01, 0x80, 0x80, 0x80, 0x80, 0x20}, 7}, /* 2^32 */
        {&type_boolean, {0x01, 0x01, 0x02}, 3},
        {&type_boolean, {0x01, 0x03, 0x01}, 3},    /* a bit behind the last column */
        {&type_boolean, {0x01, 0x00, 0x00}, 3},    /* a byte behind the last value */
        {&type_string, {0x01, 0x01, 0x02, 'a'}, 4}, /* shorter than it says */
        {&type_string, {0x01, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 'a'}, 9},
        {&type_int, {0}, 0},
    };
    Arena *arena = arena_new("test", 0);
    Column *column;
    Err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        RowLayout layout = {&bad[i].type, 1};
        Bytes row = {bad[i].bytes, bad[i].size};
        assert_int_equal(row_value_get(&row, 1, &layout, arena, &column, &err), ERR_CORRUPT);
    }
    const Type *type;
    assert_int_equal(type_decimal(arena, 2, 1, &type, &err), 0);
    const uint8_t thousand[] = {0x01, 0x01, 0xE8, 3, 0, 0, 0, 0, 0, 0};
    RowLayout layout = {&type, 1};
    Bytes row = {thousand, sizeof thousand};
    assert_int_equal(row_value_get(&row, 1, &layout, arena, &column, &err), ERR_CORRUPT);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_read_back),
        cmocka_unit_test(columns_may_be_added_at_the_end),
        cmocka_unit_test(damage_is_refused_or_another_row),
        cmocka_unit_test(claims_end_at_the_budget),
        cmocka_unit_test(the_worked_example_holds),
        cmocka_unit_test(values_out_of_range_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
