/*
 * test_row_key.c - keys: their bytes order as SQL does, they read back, and damage is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/row_key.h"
#include "tests/unit/random_column.h"

enum { ROUNDS = 60, ROWS = 24, COLUMNS_MAX_TRIED = 3 };

typedef struct Keys {
    const Type *types[COLUMNS_MAX_TRIED];
    Column *columns[COLUMNS_MAX_TRIED];
    RowLayout layout;
    Bytes bytes[ROWS];
} Keys;

static Bytes key_of(Arena *arena, Column *const *columns, uint32_t count, uint32_t row) {
    Buf out = {0};
    row_key_put(&out, (const Column *const *)columns, count, row);
    Bytes copy = arena_bytes(arena, buf_view(&out));
    buf_free(&out);
    return copy;
}

static void keys_of(Arena *arena, Keys *keys) {
    for (uint32_t row = 0; row < ROWS; row++)
        keys->bytes[row] = key_of(arena, keys->columns, keys->layout.column_count, row);
}

static void random_keys(Arena *arena, Keys *keys) {
    uint32_t count = 1 + chance_below(COLUMNS_MAX_TRIED);
    for (uint32_t i = 0; i < count; i++) {
        keys->types[i] = random_type(arena, 2, false);
        keys->columns[i] = random_column(arena, keys->types[i], ROWS);
    }
    keys->layout = (RowLayout){keys->types, count};
    keys_of(arena, keys);
}

static int row_order(const Keys *keys, uint32_t left, uint32_t right) {
    int order = 0;
    for (uint32_t i = 0; i < keys->layout.column_count && order == 0; i++)
        order = sql_order(keys->columns[i], left, keys->columns[i], right);
    return order;
}

static int sign_of(int order) {
    return order_of(order < 0, order > 0);
}

static void bytes_order_as_sql_does(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < ROUNDS; round++) {
        Keys keys;
        random_keys(arena, &keys);
        for (uint32_t i = 0; i < ROWS; i++) {
            for (uint32_t k = 0; k < ROWS; k++) {
                int order = sign_of(bytes_compare(keys.bytes[i], keys.bytes[k]));
                assert_int_equal(order, sign_of(row_order(&keys, i, k)));
            }
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void every_scalar_orders(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < 12 * 8; round++) {
        Keys keys;
        keys.types[0] = random_scalar(arena);
        keys.columns[0] = random_column(arena, keys.types[0], ROWS);
        keys.layout = (RowLayout){keys.types, 1};
        keys_of(arena, &keys);
        for (uint32_t i = 1; i < ROWS; i++)
            assert_int_equal(sign_of(bytes_compare(keys.bytes[i - 1], keys.bytes[i])),
                             sign_of(row_order(&keys, i - 1, i)));
        arena_reset(arena);
    }
    arena_free(arena);
}

static void no_key_begins_another(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < ROUNDS; round++) {
        Keys keys;
        random_keys(arena, &keys);
        for (uint32_t i = 0; i < ROWS; i++) {
            for (uint32_t k = 0; k < ROWS; k++) {
                Bytes one = keys.bytes[i], other = keys.bytes[k];
                if (one.size < other.size)
                    assert_memory_not_equal(one.data, other.data, one.size);
            }
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void keys_read_back(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < ROUNDS; round++) {
        Keys keys;
        Column *columns[COLUMNS_MAX_TRIED];
        Err err;
        random_keys(arena, &keys);
        assert_int_equal(row_key_get(keys.bytes, ROWS, &keys.layout, arena, columns, &err), 0);
        for (uint32_t i = 0; i < keys.layout.column_count; i++) {
            assert_int_equal(columns[i]->length, ROWS);
            for (uint32_t row = 0; row < ROWS; row++)
                assert_int_equal(sql_order(columns[i], row, keys.columns[i], row), 0);
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

/* What is still read after damage is another value, and that has exactly these bytes. */
static void damage_is_refused_or_another_key(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    uint32_t refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        Keys keys;
        Column *columns[COLUMNS_MAX_TRIED];
        Err err;
        random_keys(arena, &keys);
        for (uint32_t row = 0; row < ROWS; row++) {
            Bytes damaged = random_damage(arena, keys.bytes[row]);
            if (row_key_get(&damaged, 1, &keys.layout, arena, columns, &err) == ERR_OK) {
                Bytes again = key_of(arena, columns, keys.layout.column_count, 0);
                assert_true(bytes_equal(again, damaged));
            } else {
                assert_int_equal(err.code, ERR_CORRUPT);
                refused++;
            }
        }
        arena_reset(arena);
    }
    assert_in_range(refused, ROUNDS, ROUNDS * ROWS);
    arena_free(arena);
}

/* The worked example of docs/formats/row_key.md. */
static void the_worked_example_holds(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        0x01, 'a', 0x00, 0xFF, 'b', 0x00, 0x01,                         /* 'a\0b' */
        0x01, 0x7F, 0xFF, 0xFF, 0xFE,                                   /* -2 */
        0x00,                                                           /* NULL */
        0x01, 0xBF, 0xF8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,           /* 1.5 */
        0x01, 0x02, 0x01, 0x01, 0x02, 0x00, 0x01,                       /* ARRAY[true, NULL] */
    };
    Arena *arena = arena_new("test", 0);
    const Type *flags = type_array(arena, &type_boolean);
    const Type *types[] = {&type_string, &type_int, &type_bigint, &type_double, flags};
    Column *columns[5], *read[5];
    for (int i = 0; i < 5; i++) {
        columns[i] = column_new(arena, types[i], 1);
        if (i != 2)
            column_set_present(columns[i], 0);
    }
    columns[0]->bytes[0] = (Bytes){(const uint8_t *)"a\0b", 3};
    columns[1]->i32[0] = -2;
    columns[3]->f64[0] = 1.5;
    columns[4]->offsets[1] = 2;
    column_init(&columns[4]->children[0], arena, &type_boolean, 2);
    column_set_present(&columns[4]->children[0], 0);
    columns[4]->children[0].boolean[0] = 1;
    Bytes key = key_of(arena, columns, 5, 0);
    assert_int_equal(key.size, sizeof expected);
    assert_memory_equal(key.data, expected, sizeof expected);
    Err err;
    RowLayout layout = {types, 5};
    assert_int_equal(row_key_get(&key, 1, &layout, arena, read, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_true(column_value_equal(read[i], 0, columns[i], 0));
    arena_free(arena);
}

static void only_canonical_keys_are_read(void **state) {
    (void)state;
    static const struct {
        const Type *type;
        uint8_t bytes[10];
        uint32_t size;
    } bad[] = {
        {&type_boolean, {0x01, 0x02}, 2},
        {&type_boolean, {0x02, 0x01}, 2},
        {&type_boolean, {0x00, 0x00}, 2}, /* a byte too many */
        {&type_boolean, {0x01}, 1},
        {&type_boolean, {0}, 0},
        {&type_double, {0x01, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, 9}, /* -0.0 */
        {&type_double, {0x01, 0xFF, 0xF8, 0, 0, 0, 0, 0, 0x01}, 9}, /* another NaN */
        {&type_string, {0x01, 'a'}, 2},
        {&type_string, {0x01, 'a', 0x00}, 3},
        {&type_string, {0x01, 'a', 0x00, 0x02}, 4},
    };
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        RowLayout layout = {&bad[i].type, 1};
        Bytes key = {bad[i].bytes, bad[i].size};
        Column *column;
        Err err;
        assert_int_equal(row_key_get(&key, 1, &layout, arena, &column, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.message, "key 0 does not fit its types at byte"));
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_order_as_sql_does),
        cmocka_unit_test(every_scalar_orders),
        cmocka_unit_test(no_key_begins_another),
        cmocka_unit_test(keys_read_back),
        cmocka_unit_test(damage_is_refused_or_another_key),
        cmocka_unit_test(the_worked_example_holds),
        cmocka_unit_test(only_canonical_keys_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
