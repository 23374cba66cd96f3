/*
 * test_serde_delimited.c - lines of fields to columns and back, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/serde.h"
#include "tests/unit/random_column.h"

enum { COLUMN_COUNT = 10 };

static Type money = {.kind = TYPE_DECIMAL, .precision = 6, .scale = 2};

static const SchemaColumn columns[COLUMN_COUNT] = {
    {"S", &type_string, COLUMN_VALUE, NULL}, {"I", &type_int, COLUMN_VALUE, NULL},
    {"L", &type_bigint, COLUMN_VALUE, NULL}, {"D", &type_double, COLUMN_VALUE, NULL},
    {"B", &type_boolean, COLUMN_VALUE, NULL}, {"M", &money, COLUMN_VALUE, NULL},
    {"Y", &type_bytes, COLUMN_VALUE, NULL}, {"T", &type_time, COLUMN_VALUE, NULL},
    {"A", &type_date, COLUMN_VALUE, NULL}, {"P", &type_timestamp, COLUMN_VALUE, NULL},
};

typedef struct Fixture {
    Arena *arena;
    SerdeSpec spec;
    Decoder *decoder;
    Encoder *encoder;
    Column *read[COLUMN_COUNT];
    uint8_t status;
    char error[400];
} Fixture;

static void keep_error(void *context, uint32_t record, const char *text) {
    Fixture *fixture = context;
    assert_int_equal(record, 0);
    snprintf(fixture->error, sizeof fixture->error, "%s", text);
}

/* Columns from..from + count of the list above. */
static void fixture_open(Fixture *fixture, uint32_t from, uint32_t count, char delimiter) {
    static const bool used[COLUMN_COUNT] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    Err err;
    *fixture = (Fixture){.arena = arena_new("test", 0)};
    fixture->spec = (SerdeSpec){.format = &format_delimited, .columns = columns + from,
                                .column_count = count, .delimiter = delimiter};
    assert_int_equal(format_delimited.check(&fixture->spec, &err), ERR_OK);
    fixture->decoder = format_delimited.decoder_new(&fixture->spec, used, fixture->arena);
    fixture->encoder = format_delimited.encoder_new(&fixture->spec, fixture->arena);
}

static void fixture_decode_bytes(Fixture *fixture, Bytes record) {
    fixture->error[0] = 0;
    DecodeInput input = {&record, 1, fixture->arena, keep_error, fixture};
    format_delimited.decode(fixture->decoder, &input, fixture->read, &fixture->status);
}

static void fixture_decode(Fixture *fixture, const char *record) {
    fixture_decode_bytes(fixture, record ? bytes_of(record) : (Bytes){0});
}

static void assert_encodes(Fixture *fixture, const Column *const *row, const char *expected) {
    Buf out = {0};
    bool is_null;
    const char *reason;
    assert_true(format_delimited.encode(fixture->encoder, row, 0, &out, &is_null, &reason));
    assert_false(is_null);
    assert_string_equal(buf_cstr(&out), expected);
    buf_free(&out);
}

static void every_type_comes_and_goes(void **state) {
    (void)state;
    Fixture fixture;
    const char *line = "abc,-12,9007199254740993,1.0E10,true,-0.50,AAH/,86399999,-1,981173106007";
    fixture_open(&fixture, 0, COLUMN_COUNT, ',');
    fixture_decode(&fixture, line);
    assert_string_equal(fixture.error, "");
    assert_int_equal(fixture.status, DECODE_OK);
    Column **read = fixture.read;
    assert_true(bytes_equal(read[0]->bytes[0], bytes_of("abc")));
    assert_int_equal(read[1]->i32[0], -12);
    assert_int_equal(read[2]->i64[0], 9007199254740993);
    assert_true(read[3]->f64[0] == 1e10);
    assert_int_equal(read[4]->boolean[0], 1);
    assert_int_equal(read[5]->i64[0], -50);
    assert_true(bytes_equal(read[6]->bytes[0], (Bytes){(const uint8_t *)"\0\1\xff", 3}));
    assert_int_equal(read[7]->i32[0], 86399999);
    assert_int_equal(read[8]->i32[0], -1);
    assert_int_equal(read[9]->i64[0], 981173106007);
    assert_encodes(&fixture, (const Column *const *)read, line);
    arena_free(fixture.arena);
}

static void empty_fields_are_missing(void **state) {
    (void)state;
    Fixture fixture;
    fixture_open(&fixture, 0, COLUMN_COUNT, ',');
    fixture_decode(&fixture, "\"\",,,,,,,,,");
    assert_int_equal(fixture.status, DECODE_OK);
    for (int i = 0; i < COLUMN_COUNT; i++)
        assert_true(column_is_null(fixture.read[i], 0));
    assert_encodes(&fixture, (const Column *const *)fixture.read, ",,,,,,,,,");
    fixture_decode(&fixture, NULL);
    assert_int_equal(fixture.status, DECODE_NULL);
    arena_free(fixture.arena);
}

static void lines_are_split_as_by_commons_csv(void **state) {
    (void)state;
    static const struct {
        const char *record;
        const char *fields[3]; /* columns S: a STRING each; NULL: the record is bad */
    } cases[] = {
        {"a,b,c", {"a", "b", "c"}},
        {"\"a,\"\"b\",c,d", {"a,\"b", "c", "d"}},
        {"a\"b, c ,\"d\" \t", {"a\"b", " c ", "d"}},
        {"\r\n\na,b,c\r\nrest", {"a", "b", "c"}},
        {"a,b,\"c\nd\"\n", {"a", "b", "c\nd"}},
        {"\"\"\"\",b,c", {"\"", "b", "c"}},
        {"a,b,\xff", {"a", "b", "\xEF\xBF\xBD"}},
        {"a,b", {NULL}},
        {"a,b,c,d", {NULL}},
        {"", {NULL}},
        {"\n", {NULL}},
        {"\"a\"x,b,c", {NULL}},
        {"a,b,\"c", {NULL}},
        {"a,b,c\n\"d", {NULL}},
    };
    static const SchemaColumn texts[] = {{"A", &type_string, COLUMN_VALUE, NULL},
                                         {"B", &type_string, COLUMN_VALUE, NULL},
                                         {"C", &type_string, COLUMN_VALUE, NULL}};
    Fixture fixture;
    fixture_open(&fixture, 0, 3, ',');
    fixture.spec.columns = texts;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_decode(&fixture, cases[i].record);
        bool good = cases[i].fields[0] != NULL;
        assert_int_equal(fixture.status, good ? DECODE_OK : DECODE_BAD);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(column_is_null(fixture.read[k], 0), !good);
            if (good)
                assert_true(bytes_equal(fixture.read[k]->bytes[0], bytes_of(cases[i].fields[k])));
        }
    }
    arena_free(fixture.arena);
}

static void bad_fields_say_why(void **state) {
    (void)state;
    static const struct {
        uint32_t column;
        const char *field, *error;
    } cases[] = {
        {1, "1.5", "column `I`: '1.5' is not an INTEGER"},
        {1, " 1", "column `I`: ' 1' is not an INTEGER"},
        {1, "2147483648", "column `I`: '2147483648' is not an INTEGER"},
        {2, "9223372036854775808", "is not a BIGINT"},
        {3, "one", "column `D`: 'one' is not a DOUBLE"},
        {5, "1.234", "Cannot fit decimal '1.234' into DECIMAL(6, 2) without rounding. "
                     "(Requires 4,3)"},
        {5, "12345.0", "Cannot fit decimal '12345.0' into DECIMAL(6, 2)"},
        {5, "x", "Not a decimal number: 'x'"},
        {6, "?", "column `Y`: '?' is not base64"},
        {7, "86400000", "is not a TIME (milliseconds of a day, 0 to 86399999)"},
        {7, "-1", "is not a TIME"},
        {8, "2001-02-03", "is not a DATE (days since 1970-01-01)"},
        {9, "now", "is not a TIMESTAMP (milliseconds since 1970-01-01)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Fixture fixture;
        fixture_open(&fixture, cases[i].column, 1, ',');
        fixture_decode(&fixture, cases[i].field);
        assert_int_equal(fixture.status, DECODE_BAD);
        assert_true(column_is_null(fixture.read[0], 0));
        assert_true(strstr(fixture.error, "Error deserializing delimited: ") == fixture.error);
        if (!strstr(fixture.error, cases[i].error))
            fail_msg("%s", fixture.error);
        arena_free(fixture.arena);
    }
    Fixture fixture;
    fixture_open(&fixture, 0, 2, ',');
    fixture_decode(&fixture, "1,2,3");
    assert_string_equal(fixture.error, "Error deserializing delimited: column count mismatch, "
                                       "expected: 2, got: 3");
    arena_free(fixture.arena);
}

static void doubles_are_read_as_in_java(void **state) {
    (void)state;
    static const struct {
        const char *field;
        double value;
    } cases[] = {{"1", 1}, {"-1.5e3", -1500}, {" 1.5 ", 1.5}, {"1f", 1}, {".5", 0.5}, {"5.", 5},
                 {"+2D", 2}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}};
    static const char *const bad[] = {"infinity", "nan", "d", "1fd", "1_0", "0x", "--1"};
    Fixture fixture;
    fixture_open(&fixture, 3, 1, ',');
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_decode(&fixture, cases[i].field);
        assert_int_equal(fixture.status, DECODE_OK);
        assert_true(fixture.read[0]->f64[0] == cases[i].value);
    }
    fixture_decode(&fixture, "NaN");
    assert_true(fixture.read[0]->f64[0] != fixture.read[0]->f64[0]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fixture_decode(&fixture, bad[i]);
        assert_int_equal(fixture.status, DECODE_BAD);
    }
    arena_free(fixture.arena);
}

static void booleans_are_true_or_false(void **state) {
    (void)state;
    Fixture fixture;
    fixture_open(&fixture, 4, 1, ',');
    static const char *const texts[] = {"true", "TRUE", "tRue", "false", "yes", "truex", "1"};
    for (int i = 0; i < 7; i++) {
        fixture_decode(&fixture, texts[i]);
        assert_int_equal(fixture.status, DECODE_OK);
        assert_int_equal(fixture.read[0]->boolean[0], i < 3);
    }
    arena_free(fixture.arena);
}

/* Columns nobody uses are not made, but checked all the same. */
static void unused_columns_are_checked(void **state) {
    (void)state;
    static const bool used[COLUMN_COUNT] = {0, 1};
    Fixture fixture;
    fixture_open(&fixture, 0, COLUMN_COUNT, ',');
    fixture.decoder = format_delimited.decoder_new(&fixture.spec, used, fixture.arena);
    fixture_decode(&fixture, "abc,7,1,1,true,1,AAA=,1,1,1");
    assert_int_equal(fixture.status, DECODE_OK);
    assert_null(fixture.read[0]);
    assert_int_equal(fixture.read[1]->i32[0], 7);
    static const char *const bad[] = {
        "abc,7,x,1,true,1,AAA=,1,1,1", "abc,7,1,x,true,1,AAA=,1,1,1",
        "abc,7,1,1,true,x,AAA=,1,1,1", "abc,7,1,1,true,1,A,1,1,1",
        "abc,7,1,1,true,1,AAA=,x,1,1", "abc,7,1,1,true,1,AAA=,1,1,x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fixture_decode(&fixture, bad[i]);
        assert_int_equal(fixture.status, DECODE_BAD);
        assert_true(column_is_null(fixture.read[1], 0));
        assert_int_equal(fixture.read[1]->i32[0], 0);
    }
    arena_free(fixture.arena);
}

/* First in a line: anything that does not begin with a letter or digit is quoted. */
static void fields_are_quoted_as_by_commons_csv(void **state) {
    (void)state;
    static const struct {
        const char *text, *first, *second;
    } cases[] = {
        {"abc", "abc", "abc"}, {"", "\"\"", ""}, {"-1", "\"-1\"", "-1"},
        {"a,b", "\"a,b\"", "\"a,b\""},
        {"a\"b", "\"a\"\"b\"", "\"a\"\"b\""}, {"\"", "\"\"\"\"", "\"\"\"\""},
        {"a\nb", "\"a\nb\"", "\"a\nb\""}, {"a\rb", "\"a\rb\"", "\"a\rb\""},
        {" a", "\" a\"", "\" a\""}, {"a ", "\"a \"", "\"a \""}, {"a\t", "\"a\t\"", "\"a\t\""},
        {"a b", "a b", "a b"}, {"#", "\"#\"", "\"#\""}, {"$", "\"$\"", "$"},
        {"!", "\"!\"", "\"!\""},
        {"_a", "\"_a\"", "_a"}, {"\xC3\xA9", "\"\xC3\xA9\"", "\xC3\xA9"}, {"0", "0", "0"},
        {"Z", "Z", "Z"}, {"[", "\"[\"", "["},
    };
    static const SchemaColumn texts[] = {{"A", &type_string, COLUMN_VALUE, NULL},
                                         {"B", &type_string, COLUMN_VALUE, NULL}};
    Fixture fixture;
    fixture_open(&fixture, 0, 2, ',');
    fixture.spec.columns = texts;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Column *column = column_new(fixture.arena, &type_string, 1);
        const Column *row[2] = {column, column};
        char expected[64];
        column_set_present(column, 0);
        column->bytes[0] = bytes_of(cases[i].text);
        snprintf(expected, sizeof expected, "%s,%s", cases[i].first, cases[i].second);
        assert_encodes(&fixture, row, expected);
        fixture_decode(&fixture, expected);
        assert_true(bytes_equal(fixture.read[1]->bytes[0], bytes_of(cases[i].text)));
    }
    arena_free(fixture.arena);
}

static void numbers_are_quoted_by_the_same_rules(void **state) {
    (void)state;
    Fixture fixture;
    fixture_open(&fixture, 1, 2, '-');
    fixture_decode(&fixture, "\"-5\"-\"-6\"");
    assert_int_equal(fixture.status, DECODE_OK);
    assert_int_equal(fixture.read[0]->i32[0], -5);
    assert_encodes(&fixture, (const Column *const *)fixture.read, "\"-5\"-\"-6\"");
    arena_free(fixture.arena);
    fixture_open(&fixture, 1, 2, '\t');
    fixture_decode(&fixture, "5\t-6");
    assert_encodes(&fixture, (const Column *const *)fixture.read, "5\t-6");
    arena_free(fixture.arena);
}

static void keys_of_one_missing_column_are_null(void **state) {
    (void)state;
    Fixture fixture;
    Buf out = {0};
    bool is_null;
    const char *reason;
    fixture_open(&fixture, 0, 1, ',');
    Column *column = column_new(fixture.arena, &type_string, 1);
    const Column *row[] = {column};
    assert_true(format_delimited.encode(fixture.encoder, row, 0, &out, &is_null, &reason));
    assert_false(is_null);
    assert_int_equal(out.size, 0);
    fixture.spec.is_key = true;
    assert_true(format_delimited.encode(fixture.encoder, row, 0, &out, &is_null, &reason));
    assert_true(is_null);
    fixture.spec.column_count = 0;
    assert_true(format_delimited.encode(fixture.encoder, row, 0, &out, &is_null, &reason));
    assert_true(is_null);
    fixture_decode(&fixture, "whatever");
    assert_int_equal(fixture.status, DECODE_NULL);
    buf_free(&out);
    arena_free(fixture.arena);
}

static void nested_types_and_odd_delimiters_are_refused(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    SchemaColumn column = {"A", type_array(arena, &type_int), COLUMN_VALUE, NULL};
    SerdeSpec spec = {.format = &format_delimited, .columns = &column, .column_count = 1};
    Err err;
    assert_int_equal(format_delimited.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message,
                        "The 'DELIMITED' format does not support type 'ARRAY', column: `A`");
    TypeField field = {"F", &type_int};
    column.type = type_struct(arena, &field, 1);
    assert_int_equal(format_delimited.check(&spec, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "does not support type 'STRUCT', column: `A`"));
    column.type = &type_int;
    assert_int_equal(format_delimited.check(&spec, &err), ERR_OK); /* no delimiter: a comma */
    spec.delimiter = '"';
    assert_int_equal(format_delimited.check(&spec, &err), ERR_FORMAT);
    arena_free(arena);
}

/* Any value that is written is read again; an empty STRING comes back as missing. */
static void random_rows_come_back(void **state) {
    (void)state;
    static const char delimiters[] = {',', '\t', ' ', '|', '0', 'a'};
    for (int round = 0; round < 300; round++) {
        Fixture fixture;
        Column *row[COLUMN_COUNT];
        Buf out = {0};
        bool is_null;
        const char *reason;
        fixture_open(&fixture, 0, COLUMN_COUNT, delimiters[round % 6]);
        for (int i = 0; i < COLUMN_COUNT; i++)
            row[i] = random_column(fixture.arena, columns[i].type, 1);
        if (!column_is_null(row[0], 0)) /* random bytes are not UTF-8 */
            row[0]->bytes[0] = bytes_of(round % 2 ? "\"a,\t\r\n| 0\"" : " \"\"");
        assert_true(format_delimited.encode(fixture.encoder, (const Column *const *)row, 0, &out,
                                            &is_null, &reason));
        fixture_decode_bytes(&fixture, buf_view(&out));
        assert_string_equal(fixture.error, "");
        for (int i = 0; i < COLUMN_COUNT; i++) {
            if (column_is_null(row[i], 0) || i != 6 || row[i]->bytes[0].size > 0)
                assert_true(column_value_equal(fixture.read[i], 0, row[i], 0));
        }
        buf_free(&out);
        arena_free(fixture.arena);
    }
}

static void damaged_lines_do_no_harm(void **state) {
    (void)state;
    const char *line = "\"a\"\"bc\",-12,9007199,1.0E10,true,-0.50,AAH/,86399999,-1,981\r\n";
    for (int round = 0; round < 2000; round++) {
        Fixture fixture;
        fixture_open(&fixture, 0, COLUMN_COUNT, ',');
        fixture_decode_bytes(&fixture, random_damage(fixture.arena, bytes_of(line)));
        assert_int_equal(fixture.status == DECODE_BAD, fixture.error[0] != 0);
        arena_free(fixture.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_and_goes),
        cmocka_unit_test(empty_fields_are_missing),
        cmocka_unit_test(lines_are_split_as_by_commons_csv),
        cmocka_unit_test(bad_fields_say_why),
        cmocka_unit_test(doubles_are_read_as_in_java),
        cmocka_unit_test(booleans_are_true_or_false),
        cmocka_unit_test(unused_columns_are_checked),
        cmocka_unit_test(fields_are_quoted_as_by_commons_csv),
        cmocka_unit_test(numbers_are_quoted_by_the_same_rules),
        cmocka_unit_test(keys_of_one_missing_column_are_null),
        cmocka_unit_test(nested_types_and_odd_delimiters_are_refused),
        cmocka_unit_test(random_rows_come_back),
        cmocka_unit_test(damaged_lines_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
