/* test_lambda.c - lambdas over many elements: chunks, captures, states of REDUCE, row errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/expr_build.h"

/* -- Trees ------------------------------------------------------------------------------------- */

static const Expr *param(const Type *type, uint32_t slot) {
    Expr *expr = build_node(EXPR_PARAM, type, "p");
    expr->column = slot;
    return expr;
}

static const Expr *lambda(uint32_t first_slot, uint32_t count, const Expr *body) {
    Expr *expr = build_node(EXPR_LAMBDA, body->type, "lambda");
    expr->column = first_slot;
    expr->param_count = count;
    return build_args(expr, ARGS(body));
}

static const Expr *call_of(const char *name, const char *signature, const Type *type,
                           uint32_t count, const Expr *const *args) {
    Expr *expr = build_node(EXPR_CALL, type, name);
    expr->function = function_by_signature(name, signature);
    assert_non_null(expr->function);
    return build_args(expr, count, args);
}

static const Expr *transform(const Expr *array, const Expr *lambda_expr) {
    return call_of("TRANSFORM", "(ARRAY<T>, LAMBDA (T) => R) -> ARRAY<R>",
                   type_array(build_arena, lambda_expr->type), ARGS(array, lambda_expr));
}

static const Expr *filter(const Expr *array, const Expr *lambda_expr) {
    return call_of("FILTER", "(ARRAY<T>, LAMBDA (T) => BOOLEAN) -> ARRAY<T>", array->type,
                   ARGS(array, lambda_expr));
}

static const Expr *reduce(const Expr *array, const Expr *start, const Expr *lambda_expr) {
    return call_of("REDUCE", "(ARRAY<T>, S, LAMBDA (S, T) => S) -> S", start->type,
                   ARGS(array, start, lambda_expr));
}

/* -- Columns ----------------------------------------------------------------------------------- */

/* Row i has sizes[i % count] elements: i, i + 1, ... */
static Column *arrays(uint32_t rows, const uint32_t *sizes, uint32_t count) {
    Column *column = column_new(build_arena, type_array(build_arena, &type_int), rows);
    for (uint32_t i = 0; i < rows; i++)
        column->offsets[i + 1] = column->offsets[i] + sizes[i % count];
    column_init(&column->children[0], build_arena, &type_int, column->offsets[rows]);
    for (uint32_t i = 0; i < rows; i++) {
        column_set_present(column, i);
        for (uint32_t at = column->offsets[i]; at < column->offsets[i + 1]; at++) {
            column->children[0].i32[at] = (int32_t)(i + at - column->offsets[i]);
            column_set_present(&column->children[0], at);
        }
    }
    return column;
}

static Column *numbers(uint32_t rows) {
    Column *column = column_new(build_arena, &type_int, rows);
    for (uint32_t i = 0; i < rows; i++) {
        column->i32[i] = (int32_t)i * 3;
        column_set_present(column, i);
    }
    return column;
}

static const uint32_t sizes[] = {3, 0, 700, 1, 2500};
enum { ROWS = 40 };

static BuildRun *many_rows(void) {
    const Column **columns = arena_array(build_arena, 2, sizeof *columns);
    columns[0] = arrays(ROWS, sizes, 5);
    columns[1] = numbers(ROWS);
    return build_batch(columns, 2, NULL, 0);
}

static const Type *int_array(void) {
    return type_array(build_arena, &type_int);
}

static void expect(const Column *column, const char *text) {
    assert_string_equal(build_text(column), text);
}

/* -- Tests ------------------------------------------------------------------------------------- */

/* 25,000 elements are more than one chunk; every other row is selected. */
static void test_transform_many(void **state) {
    (void)state;
    Batch batch = many_rows()->batch;
    uint16_t selected[ROWS / 2];
    for (uint16_t i = 0; i < ROWS / 2; i++)
        selected[i] = (uint16_t)(i * 2);
    batch.selected = selected;
    batch.selected_count = ROWS / 2;
    const Expr *body = arithmetic('+', param(&type_int, 0), column_ref(&type_int, 1));
    const Column *result = build_run(transform(column_ref(int_array(), 0), lambda(0, 1, body)),
                                     &batch);
    for (uint32_t i = 0; i < ROWS; i += 2) {
        uint32_t start = result->offsets[i], size = result->offsets[i + 1] - start;
        assert_int_equal(size, sizes[i % 5]);
        for (uint32_t k = 0; k < size; k++)
            assert_int_equal(result->children[0].i32[start + k], (int32_t)(i + k + 3 * i));
    }
    for (uint32_t i = 1; i < ROWS; i += 2)
        assert_int_equal(result->offsets[i], result->offsets[i + 1]);
}

static void test_filter_many(void **state) {
    (void)state;
    Batch batch = many_rows()->batch;
    const Expr *odd = arithmetic('%', param(&type_int, 0), literal(&type_int, "2"));
    const Expr *body = compare(OP_EQUAL, odd, literal(&type_int, "1"));
    const Column *result = build_run(filter(column_ref(int_array(), 0), lambda(0, 1, body)),
                                     &batch);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t start = result->offsets[i], size = result->offsets[i + 1] - start;
        uint32_t first = i % 2 == 1 ? i : i + 1, wanted = (sizes[i % 5] + i % 2) / 2;
        assert_int_equal(size, wanted);
        for (uint32_t k = 0; k < size; k++)
            assert_int_equal(result->children[0].i32[start + k], (int32_t)(first + 2 * k));
    }
}

static void test_reduce_many(void **state) {
    (void)state;
    Batch batch = many_rows()->batch;
    const Expr *body = arithmetic('+', param(&type_int, 0), param(&type_int, 1));
    const Column *result = build_run(
        reduce(column_ref(int_array(), 0), column_ref(&type_int, 1), lambda(0, 2, body)), &batch);
    for (uint32_t i = 0; i < ROWS; i++) {
        int32_t size = (int32_t)sizes[i % 5], sum = (int32_t)i * 3;
        for (int32_t k = 0; k < size; k++)
            sum += (int32_t)i + k;
        assert_int_equal(result->i32[i], sum);
    }
}

/* A state that is a text lives in memory that is used again: what is left must be its own. */
static void test_reduce_texts(void **state) {
    (void)state;
    const Column *columns[] = {
        build_column(type_array(build_arena, &type_string), "[ab,c,,d]|[]|null|[x,null,y]|[q]"),
        build_column(&type_string, ">|>|>|>|null")};
    Batch batch = build_batch(columns, 2, NULL, 0)->batch;
    const Expr *body = node(EXPR_CONCAT, &type_string,
                            ARGS(param(&type_string, 0), param(&type_string, 1)));
    const Expr *expr = reduce(column_ref(columns[0]->type, 0), column_ref(&type_string, 1),
                              lambda(0, 2, body));
    expect(build_run(expr, &batch), ">abcd|>|>|null|null");
    /* Where every step keeps the state as it is, the text is still the first one's. */
    expr = reduce(column_ref(columns[0]->type, 0), column_ref(&type_string, 1),
                  lambda(0, 2, param(&type_string, 0)));
    expect(build_run(expr, &batch), ">|>|>|>|null");
}

/* x => FILTER(c, y => y > x): the inner lambda captures a column and the outer one's parameter. */
static void test_captures(void **state) {
    (void)state;
    const Column *columns[] = {build_column(int_array(), "[1,2]|[]|[5,null]|[0]"),
                               build_column(int_array(), "[1,2,3]|[1]|[5,6]|null")};
    Batch batch = build_batch(columns, 2, NULL, 0)->batch;
    const Expr *inner = compare(OP_GREATER, param(&type_int, 1), param(&type_int, 0));
    const Expr *body = filter(column_ref(int_array(), 1), lambda(1, 1, inner));
    expect(build_run(transform(column_ref(int_array(), 0), lambda(0, 1, body)), &batch),
           "[[2, 3], [3]]|[]|[[6], []]|[null]");
}

/* 12 / x fails for 0, and for NULL without an error of its own; the whole value is NULL. */
static void test_failures(void **state) {
    (void)state;
    const Column *columns[] = {build_column(int_array(), "[1,2]|[3,0]|[4,null]|[6]|[0,0]")};
    Batch batch = build_batch(columns, 1, NULL, 0)->batch;
    const Expr *body = arithmetic('/', literal(&type_int, "12"), param(&type_int, 0));
    expect(build_run(transform(column_ref(int_array(), 0), lambda(0, 1, body)), &batch),
           "[12, 6]|null|null|[2]|null");
    const Expr *large = compare(OP_GREATER, body, literal(&type_int, "5"));
    expect(build_run(filter(column_ref(int_array(), 0), lambda(0, 1, large)), &batch),
           "[1, 2]|null|null|[]|null");
    const Expr *sum = arithmetic('+', param(&type_int, 0),
                                 arithmetic('/', literal(&type_int, "12"), param(&type_int, 1)));
    expect(build_run(reduce(column_ref(int_array(), 0), literal(&type_int, "0"),
                            lambda(0, 2, sum)), &batch),
           "18|null|null|2|null");
}

static void test_map_keys_must_differ(void **state) {
    (void)state;
    const Type *type = type_map(build_arena, &type_string, &type_int);
    const Column *columns[] = {build_column(type, "{a=1,b=2}|{a=1,b=1}|{}|{a=null}|null")};
    Batch batch = build_batch(columns, 1, NULL, 0)->batch;
    const Expr *key = cast(param(&type_int, 1), &type_string);
    const Expr *value = arithmetic('*', param(&type_int, 1), literal(&type_int, "2"));
    const Expr *expr = call_of(
        "TRANSFORM", "(MAP<K, V>, LAMBDA (K, V) => R, LAMBDA (K, V) => S) -> MAP<R, S>", type,
        ARGS(column_ref(type, 0), lambda(0, 2, key), lambda(0, 2, value)));
    expect(build_run(expr, &batch), "{1=2, 2=4}|null|{}|null|null");
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
        cmocka_unit_test_setup_teardown(test_transform_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reduce_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reduce_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_captures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_keys_must_differ, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
