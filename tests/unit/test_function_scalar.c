/* test_function_scalar.c - what each scalar function gives for a column of arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/io_mem.h"
#include "tests/unit/expr_build.h"

static uint64_t error_count;

/* The call's results over all rows; the arguments are columns of one length. */
static const char *apply(const char *name, uint32_t count, const Column *const *columns) {
    const Expr *args[8];
    for (uint32_t i = 0; i < count; i++)
        args[i] = column_ref(columns[i]->type, i);
    BuildRun *made = build_batch(columns, count, NULL, 0);
    const char *text = build_text(build_run(call(name, count, args), &made->batch));
    error_count = made->errors.count;
    return text;
}

#define APPLY(name, ...)                                                     \
    apply(name, sizeof((const Column *[]){__VA_ARGS__}) / sizeof(Column *), \
          (const Column *[]){__VA_ARGS__})

static const Column *ints(const char *text) {
    return build_column(&type_int, text);
}

static const Column *bigints(const char *text) {
    return build_column(&type_bigint, text);
}

static const Column *doubles(const char *text) {
    return build_column(&type_double, text);
}

static const Column *texts(const char *text) {
    return build_column(&type_string, text);
}

static const Column *bytes(const char *text) {
    return build_column(&type_bytes, text);
}

static const Column *int_arrays(const char *text) {
    return build_column(type_array(build_arena, &type_int), text);
}

static const Column *text_arrays(const char *text) {
    return build_column(type_array(build_arena, &type_string), text);
}

static const Column *maps(const char *text) {
    return build_column(type_map(build_arena, &type_string, &type_int), text);
}

static const Column *stamps(const char *text) {
    return build_column(&type_timestamp, text);
}

static const Column *dates(const char *text) {
    return build_column(&type_date, text);
}

static const Column *times(const char *text) {
    return build_column(&type_time, text);
}

static void test_numbers(void **state) {
    (void)state;
    assert_string_equal(APPLY("ABS", ints("-3|3|null|-2147483648")), "3|3|null|-2147483648");
    assert_string_equal(APPLY("ABS", bigints("-3|0")), "3|0");
    assert_string_equal(APPLY("ABS", doubles("-3.5|0")), "3.5|0.0");
    assert_string_equal(APPLY("SIGN", doubles("-3.5|0|2|NaN")), "-1|0|1|0");
    assert_string_equal(APPLY("SIGN", ints("-3|0|2")), "-1|0|1");
    assert_string_equal(APPLY("SQRT", ints("9|-1|null")), "3.0|NaN|null");
    assert_string_equal(APPLY("EXP", ints("0|1")), "1.0|2.718281828459045");
    assert_string_equal(APPLY("LN", doubles("1|0|-1")), "0.0|-Infinity|NaN");
    assert_string_equal(APPLY("LOG", ints("2|1|0|-1"), ints("8|8|8|8")), "3.0|NaN|NaN|NaN");
    assert_string_equal(APPLY("POWER", doubles("2|2"), doubles("10|-1")), "1024.0|0.5");
    assert_string_equal(APPLY("COT", ints("0")), "Infinity");
    assert_string_equal(APPLY("DEGREES", doubles("3.141592653589793")), "180.0");
    const Expr *pi = call("PI", 0, NULL);
    assert_string_equal(build_text(build_run(pi, &build_batch(NULL, 0, NULL, 0)->batch)),
                        "3.141592653589793");
    assert_string_equal(APPLY("CEIL", doubles("1.2|-1.2|null")), "2.0|-1.0|null");
    assert_string_equal(APPLY("FLOOR", doubles("1.2|-1.2|null")), "1.0|-2.0|null");
    assert_string_equal(APPLY("CEIL", ints("7")), "7");
}

static void test_rounding_of_doubles(void **state) {
    (void)state;
    assert_string_equal(APPLY("ROUND", doubles("1.5|-1.5|2.5|-2.5|1.49|null|1e300|NaN|-1.51")),
                        "2|-1|3|-2|1|null|9223372036854775807|0|-2");
    assert_string_equal(APPLY("ROUND", ints("7|null")), "7|null");
    assert_string_equal(APPLY("ROUND", doubles("1.005|-1.005|1.004|12345.678|1e300|0.05|1.5"),
                              ints("2|2|2|-2|2|0|-5")),
                        "1.01|-1.0|1.0|12300.0|1.0E300|0.0|0.0");
    assert_string_equal(APPLY("ROUND", doubles("100.5|100.5"), ints("-2147483648|2147483647")),
                        "0.0|100.5");
    assert_string_equal(APPLY("TRUNC", doubles("1.99|-1.99|null")), "1|-1|null");
    assert_string_equal(APPLY("TRUNC", doubles("1.999|-1.999|199|199"), ints("2|1|-2|-3")),
                        "1.99|-1.9|100.0|0.0");
}

#define ZEROS                                \
    "0000000000000000000000000000000000000000" \
    "000000000000000000000000000000000000"

static void test_rounding_of_decimals(void **state) {
    (void)state;
    static const int precision[] = {6, 30, 60};
    for (uint32_t i = 0; i < 3; i++) {
        const Column *values =
            build_column(build_decimal(precision[i], 2), "1.50|-1.50|1.49|-1.51|0.00|null");
        assert_string_equal(APPLY("ROUND", values), "2|-1|1|-2|0|null");
        assert_string_equal(APPLY("TRUNC", values), "1|-1|1|-1|0|null");
        assert_string_equal(APPLY("CEIL", values), "2.00|-1.00|2.00|-1.00|0.00|null");
        assert_string_equal(APPLY("FLOOR", values), "1.00|-2.00|1.00|-2.00|0.00|null");
        assert_string_equal(APPLY("ABS", values), "1.50|1.50|1.49|1.51|0.00|null");
        assert_string_equal(APPLY("ROUND", values, ints("1|1|1|1|1|1")),
                            "1.50|-1.50|1.50|-1.50|0.00|null");
        assert_string_equal(APPLY("TRUNC", values, ints("1|0|5|1|1|1")),
                            "1.50|-1.00|1.49|-1.50|0.00|null");
        assert_string_equal(APPLY("ROUND", values, ints("-1|-2|-90|2|1|1")),
                            "0.00|0.00|0.00|-1.51|0.00|null");
    }
    assert_string_equal(APPLY("CEIL", build_column(build_decimal(2, 1), "9.5|9.0")), "10.0|9.0");
    assert_string_equal(APPLY("ROUND", build_column(build_decimal(2, 1), "9.5|-9.6")), "10|-10");
    assert_int_equal(error_count, 0);
    assert_string_equal(APPLY("CEIL", build_column(build_decimal(76, 76), "0.1|0")),
                        "null|0." ZEROS);
    assert_int_equal(error_count, 1);
}

static void test_extremes(void **state) {
    (void)state;
    assert_string_equal(APPLY("GREATEST", ints("1|null|null"), ints("2|5|null"), ints("0|1|null")),
                        "2|5|null");
    assert_string_equal(APPLY("LEAST", doubles("1|NaN"), doubles("2|3")), "1.0|3.0");
    assert_string_equal(APPLY("GREATEST", texts("a|\xEF\xBD\x9E"), texts("b|\xF0\x9F\x98\x80")),
                        "b|\xEF\xBD\x9E");
    assert_string_equal(APPLY("LEAST", build_column(build_decimal(4, 2), "1.25|-3.00"),
                              build_column(build_decimal(3, 0), "1|7")),
                        "1.00|-3.00");
}

static void test_nulls(void **state) {
    (void)state;
    assert_string_equal(APPLY("COALESCE", ints("null|1|null"), ints("2|3|null")), "2|1|null");
    assert_string_equal(APPLY("IFNULL", texts("null|a"), texts("x|y")), "x|a");
    assert_string_equal(APPLY("NULLIF", ints("1|1|null|1"), ints("1|2|1|null")), "null|1|null|1");
    assert_string_equal(APPLY("COALESCE", int_arrays("null|[1,null]|null"),
                              int_arrays("[]|[2]|null")),
                        "[]|[1, null]|null");
    assert_string_equal(APPLY("AS_VALUE", ints("1|null")), "1|null");
}

static void test_case_of_letters(void **state) {
    (void)state;
    assert_string_equal(APPLY("LCASE", texts("AbC|\xC3\x89T\xC3\x89|null|")),
                        "abc|\xC3\xA9t\xC3\xA9|null|");
    assert_string_equal(APPLY("UCASE", texts("AbC|\xC3\xA9t\xC3\xA9|null|")),
                        "ABC|\xC3\x89T\xC3\x89|null|");
    assert_string_equal(APPLY("INITCAP", texts("  the quick  bROWN|x|null|\xC3\xA9T")),
                        "The Quick  Brown|X|null|\xC3\x89t");
    assert_string_equal(APPLY("TRIM", texts(" \t a b \n||null")), "a b||null");
    assert_string_equal(APPLY("LEN", texts("abc||\xC3\xA9|\xF0\x9F\x98\x80|null")),
                        "3|0|1|2|null");
    assert_string_equal(APPLY("LEN", bytes("AAEC|null")), "3|null");
}

static void test_substring(void **state) {
    (void)state;
    assert_string_equal(APPLY("SUBSTRING", texts("hello|hello|hello|hello|hello|null"),
                              ints("2|0|-3|9|-9|1")),
                        "ello|hello|llo||hello|null");
    assert_string_equal(APPLY("SUBSTRING", texts("hello|hello|hello|hello|hello"),
                              ints("2|1|-3|5|2"), ints("2|99|2|2|-1")),
                        "el|hello|ll|o|");
    assert_string_equal(APPLY("SUBSTRING", texts("a\xF0\x9F\x98\x80z|\xC3\xA9\xC3\xA8"),
                              ints("4|2"), ints("1|1")),
                        "z|\xC3\xA8");
    assert_string_equal(APPLY("SUBSTRING", bytes("AAECAw=="), ints("2"), ints("2")), "AQI=");
}

static void test_joining(void **state) {
    (void)state;
    assert_string_equal(APPLY("CONCAT", texts("a|null|null"), texts("b|c|null")), "ab|c|");
    assert_string_equal(APPLY("CONCAT_WS", texts("-|-|null|-"), texts("a|null|a|null"),
                              texts("b|c|b|null")),
                        "a-b|c|null|");
    assert_string_equal(APPLY("CONCAT_WS", texts("-")), "null");
    assert_int_equal(error_count, 1);
    assert_string_equal(APPLY("REPLACE", texts("anaconda|aaa|abc|abc"), texts("a|aa|x|"),
                              texts("o|b|y|-")),
                        "onocondo|ba|abc|-a-b-c-");
    assert_string_equal(APPLY("LPAD", texts("foo|foo|foo|foo|foo|\xC3\xA9"), ints("7|2|-1|5|3|3"),
                              texts("Bar|Bar|Bar||x|\xC3\xA8")),
                        "BarBfoo|fo|null|null|foo|\xC3\xA8\xC3\xA8\xC3\xA9");
    assert_string_equal(APPLY("RPAD", texts("foo|"), ints("7|4"), texts("Bar|Bar")),
                        "fooBarB|BarB");
    assert_string_equal(APPLY("LPAD", texts("x"), ints("2147483647"), texts("y")), "null");
    assert_int_equal(error_count, 1);
}

static void test_finding(void **state) {
    (void)state;
    assert_string_equal(APPLY("INSTR", texts("corporate floor|abc|null|"), texts("or|x|a|a")),
                        "2|0|0|0");
    assert_string_equal(APPLY("INSTR", texts("corporate floor|corporate floor|ab|ab"),
                              texts("or|or|a|a"), ints("4|-4|9|null")),
                        "5|5|0|null");
    assert_string_equal(APPLY("INSTR", texts("corporate floor|corporate floor|aaa"),
                              texts("or|or|aa"), ints("4|-4|1"), ints("2|2|2")),
                        "14|2|2");
    assert_string_equal(APPLY("INSTR", texts("\xF0\x9F\x98\x80" "ab"), texts("b")), "4");
    assert_string_equal(APPLY("SPLIT", texts("a,b,,c|abc||null|,"), texts(",||,|,|,")),
                        "[a, b, , c]|[a, b, c]|[]|null|[, ]");
    assert_string_equal(APPLY("FIELD", texts("b|x|null"), texts("a|a|a"), texts("b|b|b")),
                        "2|0|0");
    assert_string_equal(APPLY("ELT", ints("2|0|3|null|1"), texts("a|a|a|a|null"),
                              texts("b|b|b|b|b")),
                        "b|null|null|null|null");
    assert_string_equal(APPLY("CHR", ints("75|128512|-1|1114112|null")),
                        "K|\xF0\x9F\x98\x80|null|null|null");
    assert_string_equal(APPLY("CHR", texts("\\u004b|\\ud83d\\ude00|75|\\u00|\\u00zz|null")),
                        "K|\xF0\x9F\x98\x80|null|null|null|null");
}

static void test_arrays(void **state) {
    (void)state;
    const Column *arrays = int_arrays("[3,1,null,2,1]|[]|null|[null]");
    assert_string_equal(APPLY("ARRAY_LENGTH", arrays), "5|0|null|1");
    assert_string_equal(APPLY("ARRAY_MAX", arrays), "3|null|null|null");
    assert_string_equal(APPLY("ARRAY_MIN", arrays), "1|null|null|null");
    assert_string_equal(APPLY("ARRAY_SORT", arrays), "[1, 1, 2, 3, null]|[]|null|[null]");
    assert_string_equal(APPLY("ARRAY_SORT", arrays, texts("desc|ASC|asc|x")),
                        "[3, 2, 1, 1, null]|[]|null|null");
    assert_string_equal(APPLY("ARRAY_DISTINCT", arrays), "[3, 1, null, 2]|[]|null|[null]");
    assert_string_equal(APPLY("ARRAY_CONTAINS", arrays, ints("2|2|2|null")),
                        "true|false|false|true");
    assert_string_equal(APPLY("ARRAY_REMOVE", arrays, ints("1|1|1|null")),
                        "[3, null, 2]|[]|null|[]");
    assert_string_equal(APPLY("ARRAY_JOIN", arrays), "3,1,null,2,1||null|null");
    assert_string_equal(APPLY("ARRAY_JOIN", arrays, texts("-|-|-|null")),
                        "3-1-null-2-1||null|null");
    assert_string_equal(APPLY("SLICE", arrays, ints("2|1|1|null"), ints("3|1|1|null")),
                        "[1, null]|null|null|[null]");
    const Column *others = int_arrays("[1,5]|[1,1]|[1]|null");
    assert_string_equal(APPLY("ARRAY_UNION", arrays, others),
                        "[3, 1, null, 2, 5]|[1]|null|null");
    assert_string_equal(APPLY("ARRAY_EXCEPT", arrays, others), "[3, null, 2]|[]|null|null");
    assert_string_equal(APPLY("ARRAY_INTERSECT", arrays, others), "[1]|[]|null|null");
    assert_string_equal(APPLY("ARRAY_CONCAT", arrays, others),
                        "[3, 1, null, 2, 1, 1, 5]|[1, 1]|[1]|[null]");
    assert_string_equal(APPLY("ARRAY_SORT", text_arrays("[b,a,C]|[x]")), "[C, a, b]|[x]");
}

static void test_maps(void **state) {
    (void)state;
    const Column *values = maps("{a=1,b=null}|{}|null");
    assert_string_equal(APPLY("MAP_KEYS", values), "[a, b]|[]|null");
    assert_string_equal(APPLY("MAP_VALUES", values), "[1, null]|[]|null");
    assert_string_equal(APPLY("MAP_UNION", values, maps("{b=2,c=3}|null|null")),
                        "{a=1, b=2, c=3}|{}|null");
    assert_string_equal(APPLY("AS_MAP", text_arrays("[a,b,a]|[a,b]|null"),
                              int_arrays("[1,2,3]|[1]|[1]")),
                        "{a=3, b=2}|{a=1, b=null}|null");
}

static void test_time_texts(void **state) {
    (void)state;
    assert_string_equal(APPLY("FORMAT_TIMESTAMP", stamps("2001-02-03T04:05:06.007|null"),
                              texts("yyyy-MM-dd HH:mm:ss.SSS|yyyy")),
                        "2001-02-03 04:05:06.007|null");
    assert_string_equal(APPLY("FORMAT_TIMESTAMP", stamps("2001-02-03T23:00|2001-02-03T23:00"),
                              texts("yyyy-MM-dd HH|yyyy"), texts("+02:00|Nowhere")),
                        "2001-02-04 01|null");
    assert_int_equal(error_count, 1);
    assert_string_equal(APPLY("PARSE_TIMESTAMP", texts("2001-02-03 04|x|2001-02-03 04"),
                              texts("yyyy-MM-dd HH|yyyy|~~bad~~")),
                        "2001-02-03T04:00:00.000|null|null");
    assert_int_equal(error_count, 2);
    assert_string_equal(APPLY("STRINGTOTIMESTAMP", texts("1970-01-02"), texts("yyyy-MM-dd"),
                              texts("UTC+1")),
                        "82800000");
    assert_string_equal(APPLY("STRINGTOTIMESTAMP", texts("1970-01-02"), texts("yyyy-MM-dd"),
                              texts("+01")),
                        "82800000");
    assert_string_equal(APPLY("TIMESTAMPTOSTRING", bigints("86400000"), texts("yyyy-MM-dd")),
                        "1970-01-02");
    assert_string_equal(APPLY("PARSE_DATE", texts("2001-02-03|2001-02-03 04|2001-02-03-xyz|2001"),
                              texts("yyyy-MM-dd|yyyy-MM-dd HH|yyyy-MM-dd|yyyy-MM-dd")),
                        "2001-02-03|null|2001-02-03|null");
    assert_string_equal(APPLY("FORMAT_DATE", dates("2001-02-03"), texts("dd.MM.yyyy")),
                        "03.02.2001");
    assert_string_equal(APPLY("PARSE_TIME", texts("04:05:06|2001 04"), texts("HH:mm:ss|yyyy HH")),
                        "04:05:06|null");
    assert_string_equal(APPLY("FORMAT_TIME", times("04:05"), texts("HHmm")), "0405");
    assert_string_equal(APPLY("STRINGTODATE", texts("1970-01-03"), texts("yyyy-MM-dd")), "2");
    assert_string_equal(APPLY("DATETOSTRING", ints("2"), texts("yyyy-MM-dd")), "1970-01-03");
}

static void test_constant_pattern(void **state) {
    (void)state;
    const Column *columns[] = {stamps("2001-02-03|1969-12-31T23:59:59")};
    BuildRun *made = build_batch(columns, 1, NULL, 0);
    const Expr *good = call("FORMAT_TIMESTAMP", ARGS(column_ref(&type_timestamp, 0),
                                                     literal(&type_string, "yyyy")));
    assert_string_equal(build_text(build_run(good, &made->batch)), "2001|1969");
    const Expr *bad = call("FORMAT_TIMESTAMP", ARGS(column_ref(&type_timestamp, 0),
                                                    literal(&type_string, "~~bad~~")));
    assert_string_equal(build_text(build_run(bad, &made->batch)), "null|null");
    assert_int_equal(made->errors.count, 2);
}

static void test_time_numbers(void **state) {
    (void)state;
    assert_string_equal(APPLY("FROM_UNIXTIME", bigints("1000|null")),
                        "1970-01-01T00:00:01.000|null");
    assert_string_equal(APPLY("UNIX_TIMESTAMP", stamps("1970-01-01T00:00:02")), "2000");
    assert_string_equal(APPLY("FROM_DAYS", ints("-1|31")), "1969-12-31|1970-02-01");
    assert_string_equal(APPLY("UNIX_DATE", dates("1970-02-01")), "31");
    assert_string_equal(APPLY("TIMESTAMPADD", texts("DAYS|hour|x"), ints("1|-1|1"),
                              stamps("2001-01-01|2001-01-01|2001-01-01")),
                        "2001-01-02T00:00:00.000|2000-12-31T23:00:00.000|null");
    assert_string_equal(APPLY("DATESUB", texts("DAY|HOURS"), ints("1|1"),
                              dates("2001-01-01|2001-01-01")),
                        "2000-12-31|2000-12-31");
    assert_string_equal(APPLY("TIMEADD", texts("HOURS|MINUTE"), ints("2|-1"),
                              times("23:30|00:00")),
                        "01:30|23:59");
}

/* The clock and chance come from the Io of the program. */
static void test_outside_world(void **state) {
    (void)state;
    const Column *columns[] = {ints("1|2")};
    BuildRun *made = build_batch(columns, 1, NULL, 0);
    const Expr *exprs[] = {call("UNIX_TIMESTAMP", 0, NULL), call("RANDOM", 0, NULL),
                           call("RANDOM", 0, NULL)};
    ExprProgram *program;
    const Column *results[3];
    Err err;
    Io *io = io_mem_new();
    io_mem_set_clock(io, 1234);
    assert_int_equal(expr_compile(exprs, 3, build_arena, &program, &err), ERR_OK);
    expr_set_io(program, io);
    expr_run(program, &made->batch, results);
    assert_string_equal(build_text(results[0]), "1234|1234");
    assert_true(results[1]->f64[0] >= 0 && results[1]->f64[0] < 1);
    assert_true(results[1]->f64[0] != results[2]->f64[0]);
    io_mem_free(io);
    expr_set_io(program, NULL);
    expr_run(program, &made->batch, results);
    assert_string_equal(build_text(results[0]), "null|null");
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
        T(test_numbers), T(test_rounding_of_doubles), T(test_rounding_of_decimals),
        T(test_extremes), T(test_nulls), T(test_case_of_letters), T(test_substring),
        T(test_joining), T(test_finding), T(test_arrays), T(test_maps), T(test_time_texts),
        T(test_constant_pattern), T(test_time_numbers), T(test_outside_world),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
