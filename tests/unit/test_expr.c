/* test_expr.c - expression programs: each kind of tree over small columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/expr_build.h"

static const Column *columns[4];

/* Two columns of a type, as C0 and C1. */
static void use(const Type *type, const char *left, const char *right) {
    columns[0] = build_column(type, left);
    columns[1] = build_column(type, right);
}

static uint64_t error_count;

/* The result over all rows of the columns in use. */
static const char *run(const Expr *expr) {
    BuildRun *made = build_batch(columns, 2, NULL, 0);
    const char *text = build_text(build_run(expr, &made->batch));
    error_count = made->errors.count;
    return text;
}

static const Expr *ref(uint32_t index) {
    return column_ref(columns[index]->type, index);
}

static const char *arith(char op) {
    return run(arithmetic(op, ref(0), ref(1)));
}

static void test_integers_wrap(void **state) {
    (void)state;
    use(&type_int, "2147483647|-2147483648|7|null", "1|-1|-2|1");
    assert_string_equal(arith('+'), "-2147483648|2147483647|5|null");
    assert_string_equal(arith('-'), "2147483646|-2147483647|9|null");
    assert_string_equal(arith('*'), "2147483647|-2147483648|-14|null");
    assert_string_equal(arith('/'), "2147483647|-2147483648|-3|null");
    assert_string_equal(arith('%'), "0|0|1|null");
    use(&type_bigint, "9223372036854775807|-9223372036854775808|-7", "1|-1|2");
    assert_string_equal(arith('+'), "-9223372036854775808|9223372036854775807|-5");
    assert_string_equal(arith('/'), "9223372036854775807|-9223372036854775808|-3");
    assert_string_equal(arith('%'), "0|0|-1");
    assert_string_equal(run(node(EXPR_NEGATE, &type_bigint, ARGS(ref(0)))),
                        "-9223372036854775807|-9223372036854775808|7");
}

static void test_division_by_zero(void **state) {
    (void)state;
    use(&type_int, "1|2|null", "0|1|0");
    assert_string_equal(arith('/'), "null|2|null");
    assert_int_equal(error_count, 1);
    assert_string_equal(arith('%'), "null|0|null");
    use(&type_double, "1|-1|0|5.5", "0|0|0|2");
    assert_string_equal(arith('/'), "Infinity|-Infinity|NaN|2.75");
    assert_int_equal(error_count, 0);
    assert_string_equal(arith('%'), "NaN|NaN|NaN|1.5");
}

static void test_row_error_text(void **state) {
    (void)state;
    use(&type_int, "1|2", "1|0");
    BuildRun *made = build_batch(columns, 2, NULL, 0);
    Expr *expr = build_node(EXPR_ARITHMETIC, &type_int, "A / B");
    expr->op = OP_DIVIDE;
    build_run(build_args(expr, ARGS(ref(0), ref(1))), &made->batch);
    assert_int_equal(made->errors.count, 1);
    assert_string_equal(made->errors.last[0].text, "A / B: division by zero");
    assert_string_equal(made->errors.last[0].kind, "expression");
    assert_int_equal(made->errors.last[0].offset, 10);
    assert_int_equal(made->errors.last[0].partition, 3);
}

static void test_decimals(void **state) {
    (void)state;
    columns[0] = build_column(build_decimal(4, 2), "10.10|1.00|-7.50|null|1.00");
    columns[1] = build_column(build_decimal(3, 1), "2.0|3.0|-2.0|1.0|0.0");
    assert_string_equal(arith('+'), "12.10|4.00|-9.50|null|1.00");
    assert_string_equal(arith('-'), "8.10|-2.00|-5.50|null|1.00");
    assert_string_equal(arith('*'), "20.200|3.000|15.000|null|0.000");
    assert_string_equal(arith('/'), "5.050000|null|3.750000|null|null");
    assert_int_equal(error_count, 2);
    assert_string_equal(arith('%'), "0.10|1.00|-1.50|null|null");
    columns[0] = build_column(build_decimal(30, 5), "1234567890123456789012345.00001|-1.00000");
    columns[1] = build_column(build_decimal(4, 2), "1.50|0.25");
    assert_string_equal(arith('+'), "1234567890123456789012346.50001|-0.75000");
    assert_string_equal(arith('*'), "1851851835185185183518517.5000150|-0.2500000");
    assert_string_equal(run(node(EXPR_NEGATE, columns[0]->type, ARGS(ref(0)))),
                        "-1234567890123456789012345.00001|1.00000");
    columns[0] = build_column(build_decimal(60, 5), "1234567890123456789012345.00001|-1.00000");
    assert_string_equal(arith('-'), "1234567890123456789012343.50001|-1.25000");
    assert_string_equal(run(node(EXPR_NEGATE, columns[0]->type, ARGS(ref(0)))),
                        "-1234567890123456789012345.00001|1.00000");
}

static void test_decimal_widths_agree(void **state) {
    (void)state;
    static const int precision[] = {9, 18, 19, 30, 38, 39, 60};
    for (uint32_t i = 0; i < 7; i++) {
        columns[0] = build_column(build_decimal(precision[i], 2), "12345.67|-0.01|99.90");
        columns[1] = build_column(build_decimal(6, 3), "1.250|-100.000|99.900");
        assert_string_equal(arith('+'), "12346.920|-100.010|199.800");
        assert_string_equal(arith('%'), "0.670|-0.010|0.000");
        assert_string_equal(run(compare(OP_LESS, ref(0), ref(1))), "false|false|false");
        assert_string_equal(run(compare(OP_EQUAL, ref(0), ref(1))), "false|false|true");
        assert_string_equal(run(compare(OP_GREATER_EQUAL, ref(0), ref(1))), "true|true|true");
        assert_string_equal(run(compare(OP_GREATER, ref(1), ref(0))), "false|false|false");
    }
}

static const char *comp(ExprOp op) {
    return run(compare(op, ref(0), ref(1)));
}

static void test_comparison_is_two_valued(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        const Type *type = i == 0   ? &type_int
                           : i == 1 ? &type_bigint
                           : i == 2 ? &type_double
                           : i == 3 ? build_decimal(20, 1)
                                    : &type_string;
        use(type, "1|2|3|null|1|null", "2|2|2|1|null|null");
        assert_string_equal(comp(OP_EQUAL), "false|true|false|false|false|false");
        assert_string_equal(comp(OP_NOT_EQUAL), "true|false|true|false|false|false");
        assert_string_equal(comp(OP_LESS), "true|false|false|false|false|false");
        assert_string_equal(comp(OP_LESS_EQUAL), "true|true|false|false|false|false");
        assert_string_equal(comp(OP_GREATER), "false|false|true|false|false|false");
        assert_string_equal(comp(OP_GREATER_EQUAL), "false|true|true|false|false|false");
        assert_string_equal(comp(OP_DISTINCT), "true|false|true|true|true|false");
        assert_string_equal(comp(OP_NOT_DISTINCT), "false|true|false|false|false|true");
        assert_string_equal(run(node(EXPR_NOT, &type_boolean,
                                     ARGS(compare(OP_EQUAL, ref(0), ref(1))))),
                            "true|false|true|true|true|true");
    }
}

static void test_constants_on_either_side(void **state) {
    (void)state;
    use(&type_bigint, "1|5|9|null", "0|0|0|0");
    const Expr *five = literal(&type_bigint, "5");
    assert_string_equal(run(compare(OP_LESS, five, ref(0))), "false|false|true|false");
    assert_string_equal(run(compare(OP_GREATER_EQUAL, ref(0), five)), "false|true|true|false");
    assert_string_equal(run(compare(OP_EQUAL, ref(0), literal(&type_bigint, "null"))),
                        "false|false|false|false");
    assert_string_equal(run(arithmetic('-', five, ref(0))), "4|0|-4|null");
    assert_string_equal(run(arithmetic('+', five, ref(0))), "6|10|14|null");
    assert_string_equal(run(arithmetic('+', ref(0), literal(&type_bigint, "null"))),
                        "null|null|null|null");
    assert_string_equal(run(compare(OP_DISTINCT, ref(0), literal(&type_null, "null"))),
                        "true|true|true|false");
}

static void test_string_order_is_utf16(void **state) {
    (void)state;
    /* U+1F600 is a pair beginning D83D, which comes before U+FF5E. */
    use(&type_string, "\xF0\x9F\x98\x80|a|ab|\xEF\xBD\x9E", "\xEF\xBD\x9E|b|a|\xF0\x9F\x98\x80");
    assert_string_equal(comp(OP_LESS), "true|true|false|false");
    assert_string_equal(comp(OP_GREATER), "false|false|true|true");
    use(&type_bytes, "/w==|AA==", "AA==|AAA=");
    assert_string_equal(comp(OP_GREATER), "true|false");
    assert_string_equal(comp(OP_LESS), "false|true");
}

static void test_logic(void **state) {
    (void)state;
    use(&type_boolean, "true|true|true|false|false|false|null|null|null",
        "true|false|null|true|false|null|true|false|null");
    assert_string_equal(run(node(EXPR_AND, &type_boolean, ARGS(ref(0), ref(1)))),
                        "true|false|null|false|false|false|null|null|null");
    assert_string_equal(run(node(EXPR_OR, &type_boolean, ARGS(ref(0), ref(1)))),
                        "true|true|true|true|false|null|null|null|null");
    assert_string_equal(run(node(EXPR_NOT, &type_boolean, ARGS(ref(1)))),
                        "false|true|null|false|true|null|false|true|null");
    Expr *missing = build_node(EXPR_IS_NULL, &type_boolean, "");
    assert_string_equal(run(build_args(missing, ARGS(ref(1)))),
                        "false|false|true|false|false|true|false|false|true");
    missing->negated = true;
    assert_string_equal(run(missing), "true|true|false|true|true|false|true|true|false");
}

/* What the left side decides is not evaluated: no error of a division. */
static void test_short_circuit(void **state) {
    (void)state;
    use(&type_int, "6|6|6", "0|2|3");
    const Expr *zero = literal(&type_int, "0");
    const Expr *safe = compare(OP_NOT_EQUAL, ref(1), zero);
    const Expr *three = compare(OP_EQUAL, arithmetic('/', ref(0), ref(1)), literal(&type_int, "3"));
    assert_string_equal(run(node(EXPR_AND, &type_boolean, ARGS(safe, three))), "false|true|false");
    assert_int_equal(error_count, 0);
    const Expr *unsafe = compare(OP_EQUAL, ref(1), zero);
    assert_string_equal(run(node(EXPR_OR, &type_boolean, ARGS(unsafe, three))), "true|true|false");
    assert_int_equal(error_count, 0);
    assert_string_equal(run(node(EXPR_CASE, &type_int,
                                 ARGS(safe, arithmetic('/', ref(0), ref(1)),
                                      literal(&type_int, "-1")))),
                        "-1|3|2");
    assert_int_equal(error_count, 0);
}

static void test_case(void **state) {
    (void)state;
    use(&type_int, "1|2|3|null", "10|20|30|40");
    const Expr *one = compare(OP_EQUAL, ref(0), literal(&type_int, "1"));
    const Expr *two = compare(OP_LESS_EQUAL, ref(0), literal(&type_int, "2"));
    const Expr *null = literal(&type_string, "null");
    assert_string_equal(run(node(EXPR_CASE, &type_string,
                                 ARGS(one, literal(&type_string, "one"), two,
                                      cast(ref(1), &type_string), null))),
                        "one|20|null|null");
    assert_string_equal(run(node(EXPR_CASE, &type_int,
                                 ARGS(one, null, two, ref(0), ref(1)))),
                        "null|2|30|40");
    const Type *ints = type_array(build_arena, &type_int);
    assert_string_equal(run(node(EXPR_CASE, ints,
                                 ARGS(one, node(EXPR_ARRAY, ints, ARGS(ref(0), ref(1))), two,
                                      literal(ints, "null"),
                                      node(EXPR_ARRAY, ints, ARGS(ref(1)))))),
                        "[1, 10]|null|[30]|[40]");
}

static void test_in(void **state) {
    (void)state;
    use(&type_int, "1|2|3|null", "1|7|3|4");
    const Expr *one = literal(&type_int, "1"), *null = literal(&type_int, "null");
    assert_string_equal(run(node(EXPR_IN, &type_boolean, ARGS(ref(0), one))),
                        "true|false|false|false");
    assert_string_equal(run(node(EXPR_IN, &type_boolean, ARGS(ref(0), null))),
                        "false|false|false|false");
    assert_string_equal(run(node(EXPR_IN, &type_boolean,
                                 ARGS(ref(0), one, null, literal(&type_int, "2")))),
                        "true|true|false|false");
    assert_string_equal(run(node(EXPR_IN, &type_boolean,
                                 ARGS(ref(0), ref(1), literal(&type_int, "2")))),
                        "true|true|true|false");
    use(&type_string, "a|bb||null", "x|x|x|x");
    assert_string_equal(run(node(EXPR_IN, &type_boolean,
                                 ARGS(ref(0), literal(&type_string, "bb"),
                                      literal(&type_string, "")))),
                        "false|true|true|false");
}

/* Every number from 0 to 39 is looked for in the even ones: above the limit for scans. */
static void test_in_many(void **state) {
    (void)state;
    Column *numbers = column_new(build_arena, &type_bigint, 40);
    const Expr *args[21];
    for (uint32_t i = 0; i < 40; i++) {
        numbers->i64[i] = i;
        column_set_present(numbers, i);
    }
    columns[0] = columns[1] = numbers;
    args[0] = ref(0);
    for (uint32_t i = 0; i < 20; i++)
        args[i + 1] = literal(&type_bigint, arena_printf(build_arena, "%u", i * 2));
    BuildRun *made = build_batch(columns, 2, NULL, 0);
    const Column *found = build_run(node(EXPR_IN, &type_boolean, 21, args), &made->batch);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(found->boolean[i], i % 2 == 0);
}

static const char *like(const char *pattern, char escape) {
    Expr *expr = build_node(EXPR_LIKE, &type_boolean, "LIKE");
    expr->escape = escape;
    return run(build_args(expr, ARGS(ref(0), literal(&type_string, pattern))));
}

static void test_like(void **state) {
    (void)state;
    use(&type_string, "abc|ab|abab|a%c|null|", "a|b|c|d|e|f");
    assert_string_equal(like("ab%", 0), "true|true|true|false|null|false");
    assert_string_equal(like("%ab", 0), "false|true|true|false|null|false");
    assert_string_equal(like("%b%", 0), "true|true|true|false|null|false");
    assert_string_equal(like("ab", 0), "false|true|false|false|null|false");
    assert_string_equal(like("a%b", 0), "false|true|true|false|null|false");
    assert_string_equal(like("a_c", 0), "true|false|false|true|null|false");
    assert_string_equal(like("a!%c", '!'), "false|false|false|true|null|false");
    assert_string_equal(like("%", 0), "true|true|true|true|null|true");
    assert_string_equal(like("_%_", 0), "true|true|true|true|null|false");
    assert_string_equal(like("%a_%", 0), "true|true|true|true|null|false");
    assert_string_equal(like("", 0), "false|false|false|false|null|true");
    use(&type_string, "\xC3\xA9t|\xF0\x9F\x98\x80|xx", "__|_|x%x");
    assert_string_equal(like("_t", 0), "true|false|false");
    assert_string_equal(run(node(EXPR_LIKE, &type_boolean, ARGS(ref(0), ref(1)))),
                        "true|true|true");
}

static void test_casts_of_numbers(void **state) {
    (void)state;
    use(&type_double, "1.5|-1.5|1e300|-1e300|NaN|null|1e10", "0|0|0|0|0|0|0");
    assert_string_equal(run(cast(ref(0), &type_int)),
                        "1|-1|2147483647|-2147483648|0|null|2147483647");
    assert_string_equal(run(cast(ref(0), &type_bigint)),
                        "1|-1|9223372036854775807|-9223372036854775808|0|null|10000000000");
    assert_string_equal(run(cast(ref(0), &type_string)),
                        "1.5|-1.5|1.0E300|-1.0E300|NaN|null|1.0E10");
    assert_string_equal(run(cast(ref(0), build_decimal(3, 0))), "2|-2|null|null|null|null|null");
    assert_int_equal(error_count, 4);
    use(&type_bigint, "4294967301|null|-1", "1|2|3");
    assert_string_equal(run(cast(ref(0), &type_int)), "5|null|-1");
    assert_string_equal(run(cast(ref(0), &type_double)), "4.294967301E9|null|-1.0");
    assert_string_equal(run(cast(ref(0), build_decimal(12, 2))), "4294967301.00|null|-1.00");
    assert_string_equal(run(cast(ref(0), build_decimal(5, 2))), "null|null|-1.00");
    assert_string_equal(run(cast(ref(0), build_decimal(30, 2))), "4294967301.00|null|-1.00");
    columns[0] = build_column(build_decimal(5, 2), "1.55|-1.45|999.99|null");
    assert_string_equal(run(cast(ref(0), build_decimal(4, 1))), "1.6|-1.5|null|null");
    assert_string_equal(run(cast(ref(0), build_decimal(8, 4))), "1.5500|-1.4500|999.9900|null");
    assert_string_equal(run(cast(ref(0), build_decimal(50, 4))), "1.5500|-1.4500|999.9900|null");
    assert_string_equal(run(cast(ref(0), &type_int)), "1|-1|999|null");
    assert_string_equal(run(cast(ref(0), &type_double)), "1.55|-1.45|999.99|null");
    assert_string_equal(run(cast(ref(0), &type_string)), "1.55|-1.45|999.99|null");
    use(&type_int, "-5|null", "1|1");
    assert_string_equal(run(cast(ref(0), &type_bigint)), "-5|null");
    assert_string_equal(run(cast(ref(0), build_decimal(12, 1))), "-5.0|null");
    assert_string_equal(run(cast(ref(0), &type_double)), "-5.0|null");
}

static void test_casts_of_text(void **state) {
    (void)state;
    use(&type_string, " 12 |+7|1.5|x||null|2147483648", "||||||");
    assert_string_equal(run(cast(ref(0), &type_int)), "12|7|null|null|null|null|null");
    assert_int_equal(error_count, 4);
    assert_string_equal(run(cast(ref(0), &type_bigint)), "12|7|null|null|null|null|2147483648");
    assert_string_equal(run(cast(ref(0), &type_double)),
                        "12.0|7.0|1.5|null|null|null|2.147483648E9");
    assert_string_equal(run(cast(ref(0), build_decimal(3, 1))),
                        "12.0|7.0|1.5|null|null|null|null");
    use(&type_string, "T|yes|tru|false|yesno| TRUE |", "||||||");
    assert_string_equal(run(cast(ref(0), &type_boolean)),
                        "true|true|true|false|false|true|false");
    use(&type_string, "2001-02-03T04:05:06.007|2001|x", "||");
    assert_string_equal(run(cast(ref(0), &type_timestamp)),
                        "2001-02-03T04:05:06.007|2001-01-01T00:00:00.000|null");
    use(&type_string, "2001-02-03|2001-02-30|04:05", "||");
    assert_string_equal(run(cast(ref(0), &type_date)), "2001-02-03|null|null");
    assert_string_equal(run(cast(ref(0), &type_time)), "null|null|04:05");
    use(&type_string, "AAE=|!", "|");
    assert_string_equal(run(cast(ref(0), &type_bytes)), "AAE=|null");
}

static void test_casts_of_times(void **state) {
    (void)state;
    use(&type_timestamp, "2001-02-03T04:05:06.007|1969-12-31T23:59:59.999|null", "2001|2001|2001");
    assert_string_equal(run(cast(ref(0), &type_date)), "2001-02-03|1969-12-31|null");
    assert_string_equal(run(cast(ref(0), &type_time)), "04:05:06|23:59:59|null");
    assert_string_equal(run(cast(cast(ref(0), &type_date), &type_timestamp)),
                        "2001-02-03T00:00:00.000|1969-12-31T00:00:00.000|null");
}

static void test_casts_of_nested(void **state) {
    (void)state;
    const Type *ints = type_array(build_arena, &type_int);
    const Type *texts = type_array(build_arena, &type_string);
    use(texts, "[1,2]|[x,3]|null|[]|[null,4]", "null|null|null|null|null");
    assert_string_equal(run(cast(ref(0), ints)), "[1, 2]|null|null|[]|[null, 4]");
    assert_int_equal(error_count, 1);
    assert_string_equal(run(cast(cast(ref(0), ints), &type_string)),
                        "[1, 2]|null|null|[]|[null, 4]");
    const Type *map = type_map(build_arena, &type_string, &type_int);
    use(map, "{a=1,b=null}|{}|null", "null|null|null");
    assert_string_equal(run(cast(ref(0), type_map(build_arena, &type_string, &type_string))),
                        "{a=1, b=null}|{}|null");
    const TypeField from[] = {{"A", &type_int}, {"B", &type_string}};
    const TypeField to[] = {{"B", &type_int}, {"C", &type_int}, {"A", &type_double}};
    use(type_struct(build_arena, from, 2), "{1,2}|{3,x}|null|{null,5}", "null|null|null|null");
    assert_string_equal(run(cast(ref(0), type_struct(build_arena, to, 3))),
                        "Struct{B=2,A=1.0}|null|null|Struct{B=5}");
}

static void test_nested(void **state) {
    (void)state;
    const Type *ints = type_array(build_arena, &type_int);
    columns[0] = build_column(ints, "[1,2,3]|[4]|null|[null,5]");
    columns[1] = build_column(&type_int, "1|-1|1|-2");
    const Expr *element = node(EXPR_SUBSCRIPT, &type_int, ARGS(ref(0), ref(1)));
    assert_string_equal(run(element), "1|4|null|null");
    assert_string_equal(run(node(EXPR_SUBSCRIPT, &type_int, ARGS(ref(0), literal(&type_int, "2")))),
                        "2|null|null|5");
    assert_string_equal(run(node(EXPR_SUBSCRIPT, &type_int, ARGS(ref(0), literal(&type_int, "0")))),
                        "null|null|null|null");
    const Type *map = type_map(build_arena, &type_string, ints);
    columns[0] = build_column(map, "{a=[1],b=[2,3]}|{}|null|{b=null}");
    assert_string_equal(run(node(EXPR_SUBSCRIPT, ints, ARGS(ref(0), literal(&type_string, "b")))),
                        "[2, 3]|null|null|null");
    const TypeField fields[] = {{"N", &type_int}, {"L", ints}};
    const Type *record = type_struct(build_arena, fields, 2);
    columns[0] = build_column(record, "{1,[7,8]}|null|{null,null}|{3,[]}");
    Expr *deref = build_args(build_node(EXPR_DEREF, ints, ""), ARGS(ref(0)));
    deref->column = 1;
    assert_string_equal(run(deref), "[7, 8]|null|null|[]");
    assert_string_equal(run(node(EXPR_SUBSCRIPT, &type_int, ARGS(deref, ref(1)))),
                        "7|null|null|null");
    const Expr *made = node(EXPR_STRUCT, record, ARGS(arithmetic('+', ref(1), ref(1)), deref));
    assert_string_equal(run(made), "Struct{N=2,L=[7, 8]}|Struct{N=-2}|Struct{N=2}|"
                                   "Struct{N=-4,L=[]}");
    Expr *inner = build_args(build_node(EXPR_DEREF, &type_int, ""), ARGS(made));
    assert_string_equal(run(arithmetic('*', inner, inner)), "4|4|4|16");
    assert_string_equal(run(compare(OP_EQUAL, made, made)), "true|true|true|true");
}

static void test_make_map(void **state) {
    (void)state;
    use(&type_string, "a|b|null", "b|b|x");
    const Type *map = type_map(build_arena, &type_string, &type_string);
    assert_string_equal(run(node(EXPR_MAP, map, ARGS(ref(0), literal(&type_string, "1"), ref(1),
                                                     ref(0)))),
                        "{a=1, b=a}|{b=b}|{null=1, x=null}");
}

static void test_concat(void **state) {
    (void)state;
    use(&type_string, "a||null|x", "b||c|null");
    assert_string_equal(run(node(EXPR_CONCAT, &type_string, ARGS(ref(0), ref(1)))),
                        "ab||null|null");
}

static void test_pseudo_columns(void **state) {
    (void)state;
    use(&type_int, "1|2", "1|2");
    Expr *pseudo = build_node(EXPR_PSEUDO, &type_bigint, "ROWTIME");
    assert_string_equal(run(arithmetic('+', pseudo, literal(&type_bigint, "1"))), "1|11");
    Expr *window = build_node(EXPR_PSEUDO, &type_bigint, "WINDOWSTART");
    window->pseudo = PSEUDO_WINDOWSTART;
    assert_string_equal(run(window), "null|null");
    Expr *partition = build_node(EXPR_PSEUDO, &type_int, "ROWPARTITION");
    partition->pseudo = PSEUDO_ROWPARTITION;
    assert_string_equal(run(partition), "3|3");
}

static const char *disassemble(const Expr *const *exprs, uint32_t count) {
    ExprProgram *program;
    Err err;
    assert_int_equal(expr_compile(exprs, count, build_arena, &program, &err), ERR_OK);
    Buf buf = {0};
    expr_disassemble(&buf, program);
    const char *text = arena_text(build_arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

static void test_common_parts_once(void **state) {
    (void)state;
    use(&type_bigint, "1", "2");
    const Expr *sum = arithmetic('+', ref(0), ref(1));
    const Expr *again = arithmetic('+', ref(0), ref(1));
    const Expr *exprs[] = {arithmetic('*', sum, sum), again};
    assert_string_equal(disassemble(exprs, 2), "r0 = COLUMN 0\nr1 = COLUMN 1\n"
                                               "r2 = ADD_I64 r0 r1\nr3 = MUL_I64 r2 r2\n"
                                               "result r3\nresult r2\n");
}

/* A part computed for some rows only is not taken for others. */
static void test_common_parts_by_selection(void **state) {
    (void)state;
    use(&type_int, "6|6", "0|2");
    const Expr *quotient = arithmetic('/', ref(0), ref(1));
    const Expr *safe = compare(OP_GREATER, ref(1), literal(&type_int, "0"));
    const Expr *nine = literal(&type_int, "9");
    const Expr *branches = node(EXPR_CASE, &type_int, ARGS(safe, quotient, nine));
    const Expr *exprs[] = {branches, arithmetic('/', ref(0), ref(1))};
    BuildRun *made = build_batch(columns, 2, NULL, 0);
    ExprProgram *program;
    const Column *results[2];
    Err err;
    assert_int_equal(expr_compile(exprs, 2, build_arena, &program, &err), ERR_OK);
    expr_run(program, &made->batch, results);
    assert_string_equal(build_text(results[0]), "9|3");
    assert_string_equal(build_text(results[1]), "null|3");
    assert_int_equal(made->errors.count, 1);
}

static void test_constants_are_folded(void **state) {
    (void)state;
    use(&type_bigint, "1", "2");
    const Expr *five = arithmetic('+', literal(&type_bigint, "2"), literal(&type_bigint, "3"));
    const Expr *sum = arithmetic('+', five, ref(0));
    assert_string_equal(disassemble(&sum, 1), "r0 = constant 5\nr1 = COLUMN 0\n"
                                              "r2 = ADD_I64 r1 r0\nresult r2\n");
    const Expr *fails = arithmetic('/', literal(&type_bigint, "2"), literal(&type_bigint, "0"));
    assert_string_equal(run(fails), "null");
    assert_int_equal(error_count, 1);
}

static void test_constant(void **state) {
    (void)state;
    const Column *result;
    Err err;
    const Expr *five = arithmetic('+', literal(&type_int, "2"), literal(&type_int, "3"));
    assert_int_equal(expr_constant(&five, 1, build_arena, &result, &err), ERR_OK);
    assert_string_equal(build_text(result), "5");
    const Expr *fails = cast(literal(&type_string, "x"), &type_int);
    assert_int_equal(expr_constant(&fails, 1, build_arena, &result, &err), ERR_RUNTIME);
    assert_string_equal(err.message, "CAST: the text is not an INTEGER");
}

static void test_select(void **state) {
    (void)state;
    use(&type_int, "1|2|3|4|null", "0|1|0|1|1");
    const Expr *predicate = node(EXPR_AND, &type_boolean,
                                 ARGS(compare(OP_GREATER, ref(0), literal(&type_int, "1")),
                                      compare(OP_EQUAL, arithmetic('/', ref(0), ref(1)), ref(0))));
    static const uint16_t rows[] = {1, 2, 3};
    BuildRun *made = build_batch(columns, 2, rows, 3);
    ExprProgram *program;
    uint16_t selected[5];
    Err err;
    assert_int_equal(expr_compile(&predicate, 1, build_arena, &program, &err), ERR_OK);
    assert_int_equal(expr_select(program, &made->batch, selected), 2);
    assert_int_equal(selected[0], 1);
    assert_int_equal(selected[1], 3);
    assert_int_equal(made->errors.count, 1);
    made->batch.selected_count = 0;
    assert_int_equal(expr_select(program, &made->batch, selected), 0);
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
        T(test_integers_wrap), T(test_division_by_zero), T(test_row_error_text), T(test_decimals),
        T(test_decimal_widths_agree), T(test_comparison_is_two_valued),
        T(test_constants_on_either_side), T(test_string_order_is_utf16), T(test_logic),
        T(test_short_circuit), T(test_case), T(test_in), T(test_in_many), T(test_like),
        T(test_casts_of_numbers), T(test_casts_of_text), T(test_casts_of_times),
        T(test_casts_of_nested), T(test_nested), T(test_make_map), T(test_concat),
        T(test_pseudo_columns), T(test_common_parts_once), T(test_common_parts_by_selection),
        T(test_constants_are_folded), T(test_constant), T(test_select),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
