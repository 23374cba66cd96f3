/*
 * test_expr_sieve.c - predicates that begin with comparisons: expr_select() against the truth that
 * expr_run() gives row by row, whose program has no shortcut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"
#include "tests/unit/expr_build.h"

enum { ROWS = 200, ROUNDS = 600 };

static const char *const values[3][8] = {
    {"0", "1", "-1", "7", "2147483647", "-2147483648", "3", "null"},
    {"0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808", "3", "null"},
    {"0.0", "-0.0", "1.5", "nan", "inf", "-inf", "-7", "null"},
};

static uint64_t chance_state = 1;

static uint32_t chance(uint32_t below) {
    return (uint32_t)(hash_u64(chance_state++) >> 33) % below;
}

static const Type *type_of(uint32_t column) {
    static const Type *const types[] = {&type_int, &type_bigint, &type_double};
    return types[column];
}

static const Column *random_column(uint32_t column, bool nulls) {
    Buf text = {0};
    for (uint32_t i = 0; i < ROWS; i++) {
        buf_text(&text, values[column][chance(nulls ? 8 : 7)]);
        buf_u8(&text, '|');
    }
    const char *all = arena_text(build_arena, (Bytes){text.data, (uint32_t)text.size - 1});
    buf_free(&text);
    Column *made = build_column(type_of(column), all);
    if (!nulls)
        made->validity = NULL;
    return made;
}

static const Expr *random_comparison(void) {
    static const ExprOp ops[] = {OP_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL};
    uint32_t column = chance(3);
    const Expr *left = column_ref(type_of(column), column);
    const Expr *right = literal(type_of(column), values[column][chance(8)]);
    ExprOp op = chance(20) == 0 ? OP_NOT_EQUAL : ops[chance(5)];
    return chance(2) ? compare(op, left, right) : compare(op, right, left);
}

/* Fails for rows where the first column is 0. */
static const Expr *failing(void) {
    return compare(OP_GREATER, arithmetic('/', literal(&type_int, "7"), column_ref(&type_int, 0)),
                   literal(&type_int, "1"));
}

static const Expr *random_predicate(void) {
    const Expr *predicate = chance(6) == 0 ? failing() : random_comparison();
    for (uint32_t i = chance(4); i > 0; i--)
        predicate = node(EXPR_AND, &type_boolean,
                         ARGS(predicate, chance(6) == 0 ? failing() : random_comparison()));
    return chance(8) == 0 ? node(EXPR_NOT, &type_boolean, ARGS(predicate)) : predicate;
}

static uint32_t random_rows(uint16_t *rows) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++)
        if (chance(3) > 0)
            rows[count++] = (uint16_t)i;
    return count;
}

static uint32_t check_round(void) {
    const Column *columns[3];
    for (uint32_t i = 0; i < 3; i++)
        columns[i] = random_column(i, chance(2));
    uint16_t rows[ROWS], selected[ROWS + 1];
    uint32_t row_count = random_rows(rows);
    bool all = chance(2);
    const Expr *predicate = random_predicate();
    BuildRun *ours = build_batch(columns, 3, all ? NULL : rows, row_count);
    BuildRun *theirs = build_batch(columns, 3, all ? NULL : rows, row_count);
    ExprProgram *program;
    const Column *truth = build_run(predicate, &theirs->batch);
    Err err;
    assert_int_equal(expr_compile(&predicate, 1, build_arena, &program, &err), ERR_OK);
    uint32_t count = expr_select(program, &ours->batch, selected), at = 0;
    for (uint32_t i = 0; i < ours->batch.selected_count; i++) {
        uint16_t row = ours->batch.selected[i];
        if (column_is_null(truth, row) || truth->boolean[row] != 1)
            continue;
        assert_true(at < count);
        assert_int_equal(selected[at++], row);
    }
    assert_int_equal(at, count);
    assert_int_equal(ours->errors.count, theirs->errors.count);
    return count;
}

static void test_select_is_truth(void **state) {
    (void)state;
    uint32_t passed = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        build_arena = arena_new("test", 0);
        passed += check_round();
        arena_free(build_arena);
    }
    assert_true(passed > ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select_is_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
