/*
 * test_serde_json.c - JSON records to columns and back: what each type takes, which member a column
 * gets, what is refused and in which words, and that nothing depends on what is used, on the order
 * of members, or on which of the two passes read the record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/serde_json_impl.h"
#include "tests/unit/json_bed.h"
#include "tests/unit/random_column.h"

static void check_record(JsonBed *bed, const char *json, const char *expected) {
    Bytes record = bytes_of(json);
    if (!bed_decode(bed, &record, 1))
        fail_msg("%s: status depends on what is used", json);
    if (strcmp(bed_text(bed, 0), expected) != 0)
        fail_msg("%s\n  gave %s\n  not  %s", json, bed_text(bed, 0), expected);
}

static void check(const char *schema, const char *json, const char *expected) {
    JsonBed *bed = bed_open(schema);
    check_record(bed, json, expected);
    bed_close(bed);
}

/* What a bare value of that type becomes. */
static void check_value(const char *type, const char *json, const char *expected) {
    char schema[64];
    snprintf(schema, sizeof schema, "@V:%s", type);
    check(schema, json, expected);
}

static void check_misfit(const char *type, const char *json, const char *node, const char *name) {
    char text[128];
    snprintf(text, sizeof text, "Can't convert type. sourceType: %s, requiredType: %s, path: $",
             node, name);
    check_value(type, json, text);
}

/* == What each type takes == */

static void test_integers(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"i", "12", "12"}, {"i", "-0", "0"}, {"i", "2147483647", "2147483647"},
        {"i", "2147483648", "-2147483648"}, /* the low bits stay, as in Java */
        {"i", "12.99", "12"}, {"i", "-12.99", "-12"}, {"i", "1.5e1", "15"}, {"i", "0.5", "0"},
        {"i", "\"-17\"", "-17"}, {"i", "\"+17\"", "17"},
        {"l", "9223372036854775807", "9223372036854775807"},
        {"l", "-9223372036854775808", "-9223372036854775808"},
        {"l", "9223372036854775808", "-9223372036854775808"},
        {"l", "18446744073709551621", "5"}, {"l", "1234567890123456789", "1234567890123456789"},
        {"l", "1e18", "1000000000000000000"}, {"l", "1e64", "0"}, {"l", "1e999999999999", "0"},
        {"l", "1e-999999999999", "0"}, {"l", "123456789012345678901e-20", "1"},
        {"l", "12345678", "12345678"}, {"l", "123456789", "123456789"},
        {"l", "1234567890123456", "1234567890123456"},
        {"l", "12345678901234567", "12345678901234567"},
        {"t", "86399999", "86399999"}, {"t", "\"0\"", "0"}, {"a", "-40000", "-40000"},
        {"T", "1436918400000", "1436918400000"}, {"T", "\"12\"", "12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_value(cases[i][0], cases[i][1], cases[i][2]);
    check_misfit("i", "\"1.0\"", "TextNode", "INTEGER");
    check_misfit("i", "\"2147483648\"", "TextNode", "INTEGER");
    check_misfit("l", "\"\"", "TextNode", "BIGINT");
    check_misfit("l", "\" 1\"", "TextNode", "BIGINT");
    check_misfit("l", "true", "BooleanNode", "BIGINT");
    check_misfit("i", "[1]", "ArrayNode", "INTEGER");
    check_misfit("i", "{}", "ObjectNode", "INTEGER");
    check_value("t", "86400000", "Time of day is not from 0 to 86399999 ms: 86400000, path: $");
    check_value("t", "-1", "Time of day is not from 0 to 86399999 ms: -1, path: $");
    check_value("a", "2147483648", "Date is out of range: 2147483648 days, path: $");
}

static void test_doubles(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"1", "1.0"}, {"-2.5", "-2.5"}, {"0.1", "0.1"}, {"1e10", "1.0E10"}, {"-0", "0.0"},
        {"-0.0", "0.0"}, {"123456789.123456789", "1.2345678912345679E8"},
        {"9007199254740993", "9.007199254740992E15"}, {"1e400", "\"Infinity\""},
        {"-1e400", "\"-Infinity\""}, {"4.9e-324", "4.9E-324"}, {"1e-400", "0.0"},
        {"0.000000000000000000000000000001", "1.0E-30"},
        {"100000000000000000000000000000000000000000", "1.0E41"},
        {"\"1.5\"", "1.5"}, {"\" 1.5 \"", "1.5"}, {"\"NaN\"", "\"NaN\""}, {"\"-0.0\"", "-0.0"},
        {"\"-Infinity\"", "\"-Infinity\""}, {"\"1e3d\"", "1000.0"}, {"\".5\"", "0.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_value("d", cases[i][0], cases[i][1]);
    check_misfit("d", "\"1.5x\"", "TextNode", "DOUBLE");
    check_misfit("d", "\"\"", "TextNode", "DOUBLE");
    check_misfit("d", "false", "BooleanNode", "DOUBLE");
}

static void test_decimals(void **state) {
    (void)state;
    check_value("n(4.2)", "10", "10.00");
    check_value("n(4.2)", "-1.5", "-1.50");
    check_value("n(4.2)", "\"99.99\"", "99.99");
    check_value("n(4.2)", "1.25e1", "12.50");
    check_value("n(20.0)", "12345678901234567890", "12345678901234567890");
    check_value("n(76.38)", "12345678901234567890123456789012345678.123456789012345678901234567890",
                "12345678901234567890123456789012345678.12345678901234567890123456789000000000");
    check_value("n(4.2)", "1.234", "Cannot fit decimal '1.234' into DECIMAL(4, 2) without rounding."
                                   " (Requires 4,3), path: $");
    check_value("n(4.2)", "100", "Cannot fit decimal '100' into DECIMAL(4, 2) without rounding."
                                 " (Requires 3,0), path: $");
    check_value("n(4.2)", "\"x\"", "Not a decimal number: 'x', path: $");
    check_misfit("n(4.2)", "true", "BooleanNode", "DECIMAL(4, 2)");
}

static void test_strings_of_anything(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"\"", "\"\""}, {"\"a b\"", "\"a b\""}, {"true", "\"true\""}, {"false", "\"false\""},
        {"12", "\"12\""}, {"-0", "\"0\""}, {"1.50", "\"1.50\""}, {"0.50", "\"0.50\""},
        {"-0.0", "\"0.0\""}, {"1e5", "\"1E+5\""}, {"1.25E2", "\"125\""}, {"12e-4", "\"0.0012\""},
        {"0.000001", "\"0.000001\""}, {"0.0000001", "\"1E-7\""}, {"12.5e-9", "\"1.25E-8\""},
        {"-12345678901234567890.50", "\"-12345678901234567890.50\""}, {"0e5", "\"0E+5\""},
        {"[]", "\"[]\""}, {"{}", "\"{}\""},
        {"[1, \"a\\n\", null, true, [2,3], {\"x\" : \"y\"}]",
         "\"[1, a\\n, null, true, [2, 3], {\\\"x\\\":\\\"y\\\"}]\""},
        {"{ \"b\" : [1.0, \"\\u0001\\/\"] , \"a\" : {\"z\":null} }",
         "\"{\\\"b\\\":[1.0,\\\"\\\\u0001/\\\"],\\\"a\\\":{\\\"z\\\":null}}\""},
        {"{\"a\":1,\"b\":2,\"a\":1e-6}", "\"{\\\"a\\\":0.000001,\\\"b\\\":2}\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_value("s", cases[i][0], cases[i][1]);
}

static void test_escapes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u0041\\u00e9\\u6f22\"", "\"A\xc3\xa9\xe6\xbc\xa2\""},
        {"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001F\x7f\""},
        {"\"\\ud83d\\ude00!\"", "\"\xf0\x9f\x98\x80!\""},
        {"\"\\uD83D\\uDE00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\ud800\"", "\"?\""}, {"\"\\ude00x\"", "\"?x\""}, {"\"\\ud83d\\u0041\"", "\"?A\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"?\xf0\x9f\x98\x80\""},
        {"\"\xc3\xa9\xf0\x9f\x98\x80\\n\xe6\xbc\xa2\"",
         "\"\xc3\xa9\xf0\x9f\x98\x80\\n\xe6\xbc\xa2\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_value("s", cases[i][0], cases[i][1]);
}

static void test_other_types(void **state) {
    (void)state;
    check_value("b", "true", "true");
    check_value("b", "false", "false");
    check_misfit("b", "\"true\"", "TextNode", "BOOLEAN");
    check_misfit("b", "1", "IntNode", "BOOLEAN");
    check_misfit("b", "3000000000", "LongNode", "BOOLEAN");
    check_misfit("b", "30000000000000000000", "BigIntegerNode", "BOOLEAN");
    check_misfit("b", "1.0", "DecimalNode", "BOOLEAN");
    check_value("y", "\"\"", "\"\"");
    check_value("y", "\"aGk=\"", "\"aGk=\"");
    check_value("y", "\"aGk\"", "\"aGk=\"");
    check_value("y", "\"AP/+\"", "\"AP/+\"");
    check_value("y", "\"a\\u0047k=\"", "\"aGk=\"");
    check_value("y", "\"aG k\"", "Text is not base64, as BYTES must be, path: $");
    check_value("y", "\"aGkxy\"", "Text is not base64, as BYTES must be, path: $");
    check_misfit("y", "12", "IntNode", "BYTES");
    check_misfit("[i]", "{}", "ObjectNode", "ARRAY<INTEGER>");
    check_misfit("{i}", "[]", "ArrayNode", "MAP<STRING, INTEGER>");
    check_misfit("(A:i)", "\"x\"", "TextNode", "STRUCT<`A` INTEGER>");
}

static void test_nested(void **state) {
    (void)state;
    check_value("[i]", "[ 1 , null,\"3\"]", "[1,null,3]");
    check_value("[[s]]", "[[],[\"a\",1],null,[null]]", "[[],[\"a\",\"1\"],null,[null]]");
    check_value("{d}", "{\"a\":1,\"\\u0062\":null}", "{\"a\":1.0,\"b\":null}");
    check_value("{[l]}", "{\"x\":[1,2],\"y\":[],\"x\":[3]}", "{\"x\":[3],\"y\":[]}");
    check_value("(A:i,B:(C:s,D:[b]))", "{\"b\":{\"d\":[true],\"c\":\"x\",\"e\":{}},\"a\":1}",
                "{\"A\":1,\"B\":{\"C\":\"x\",\"D\":[true]}}");
    check_value("(A:i,B:(C:s))", "{}", "{\"A\":null,\"B\":null}");
    check_value("()", "{\"a\":1}", "{}");
    check_value("[(A:[{n(3.1)}])]", "[{\"a\":[{\"k\":1.5},null,{}]},{},null]",
                "[{\"A\":[{\"k\":1.5},null,{}]},{\"A\":null},null]");
    check("A:[i],M:{(X:i)}", "{\"a\":[1,2,\"x\"]}",
          "Can't convert type. sourceType: TextNode, requiredType: INTEGER, path: $.A[2]");
    check("A:[i],M:{(X:i)}", "{\"m\":{\"k\":{\"x\":1},\"q\":{\"x\":[]}}}",
          "Can't convert type. sourceType: ArrayNode, requiredType: INTEGER, path: $.M.q.value.X");
}

/* == Which member a column gets == */

static void test_names(void **state) {
    (void)state;
    check("A:i,B:s", "{\"A\":1,\"B\":\"x\"}", "{\"A\":1,\"B\":\"x\"}");
    check("A:i,B:s", "{\"b\":\"x\",\"a\":1}", "{\"A\":1,\"B\":\"x\"}");
    check("A:i,B:s", "{\"\\u0061\":1, \"b\" : \"x\"}", "{\"A\":1,\"B\":\"x\"}");
    check("A:i,B:s", "{}", "{\"A\":null,\"B\":null}");
    check("a:i", "{\"A\":1}", "{\"a\":null}"); /* a quoted name is met by itself alone */
    check("a:i", "{\"a\":1}", "{\"a\":1}");
    check("a:i,A:i", "{\"a\":1}", "{\"a\":1,\"A\":1}"); /* for both */
    check("a:i,A:i", "{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}");
    check("AB:i", "{\"AB\":1,\"ab\":2}", "{\"AB\":1}"); /* exact before any other */
    check("AB:i", "{\"ab\":2,\"AB\":null}", "{\"AB\":null}");
    check("AB:i", "{\"ab\":2,\"aB\":3}", "{\"AB\":3}"); /* of several the last */
    check("AB:i", "{\"ab\":\"x\",\"AB\":3}", "{\"AB\":3}"); /* who is not taken need not fit */
    check("AB:i", "{\"AB\":{},\"AB\":3}", "{\"AB\":3}");
    check("AB:[i]", "{\"AB\":[1,2],\"AB\":[3]}", "{\"AB\":[3]}");
    check("AB:i", "{\"AB\":3,\"AB\":[]}",
          "Can't convert type. sourceType: ArrayNode, requiredType: INTEGER, path: $.AB");
    check("X\"Y:i,\t:i", "{\"x\\\"y\":1,\"\\t\":2}", "{\"X\\\"Y\":1,\"\\t\":2}");
    check(":i", "{\"\":7}", "{\"\":7}");
    check("A:i", "{\"\":7,\"a\":1,\"\":8}", "{\"A\":1}");
    check("\xc3\x89:i", "{\"\xc3\x89\":7}", "{\"\xc3\x89\":7}");
    check("\xc3\x89:i", "{\"\xc3\xa9\":7}", "{\"\xc3\x89\":null}"); /* ASCII alone has case */
}

static void test_long_names(void **state) {
    (void)state;
    char name[80], schema[200], json[200], expected[200];
    for (size_t size = 1; size < sizeof name; size++) {
        memset(name, 'N', size);
        name[size] = '\0';
        snprintf(schema, sizeof schema, "%s:i,O:i", name);
        snprintf(expected, sizeof expected, "{\"%s\":5,\"O\":%d}", name, (int)size);
        JsonBed *bed = bed_open(schema);
        for (int round = 0; round < 3; round++) {
            snprintf(json, sizeof json, "{\"%s\":5,\"o\":%d}", name, (int)size);
            check_record(bed, json, strcmp(name, "O") == 0 ? "" : expected);
            name[size - 1] = 'n';
            snprintf(json, sizeof json, "{\"o\":%d ,\"%s\":5}", (int)size, name);
            check_record(bed, json, expected);
            name[size - 1] = 'N';
        }
        bed_close(bed);
    }
}

/* Any order and any strangers in between: the guess at what comes next is only a guess. */
static void test_any_order(void **state) {
    (void)state;
    JsonBed *bed = bed_open("A:i,B:i,C:i,D:i");
    for (int round = 0; round < 2000; round++) {
        char json[512] = "{";
        size_t size = 1;
        int order[4] = {0, 1, 2, 3};
        for (int i = 0; i < 4; i++) {
            int other = (int)chance_below(4), keep = order[i];
            order[i] = order[other];
            order[other] = keep;
            if (chance_below(3) == 0) /* far more names than are remembered */
                size += (size_t)snprintf(json + size, sizeof json - size, "\"stranger%u\":[%d],",
                                         chance_below(500), i);
        }
        for (int i = 0; i < 4; i++)
            size += (size_t)snprintf(json + size, sizeof json - size, "%s\"%c\":%d",
                                     i > 0 ? "," : "", 'a' + order[i], order[i]);
        json[size] = '}';
        json[size + 1] = '\0';
        check_record(bed, json, "{\"A\":0,\"B\":1,\"C\":2,\"D\":3}");
    }
    bed_close(bed);
}

/* == What is no JSON == */

static void test_faults(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"a\":1", "Not JSON: ',' or '}' expected where the record ends, at byte 6"},
        {"{\"a\":}", "Not JSON: value expected at byte 5"},
        {"{\"a\" 1}", "Not JSON: ':' expected at byte 5"},
        {"{a:1}", "Not JSON: member name expected at byte 1"},
        {"{\"a\":1,}", "Not JSON: member name expected at byte 7"},
        {"{\"a\":1}}", "Not JSON: more text after the value at byte 7"},
        {"{\"a\":1} x", "Not JSON: more text after the value at byte 8"},
        {" {\"a\":tru}", "Not JSON: value expected at byte 6"},
        {"{\"a\":01}", "Not JSON: number with a leading zero at byte 5"},
        {"{\"a\":1.}", "Not JSON: number without digits after the point at byte 5"},
        {"{\"a\":1e}", "Not JSON: number without digits in its exponent at byte 5"},
        {"{\"a\":-}", "Not JSON: value expected at byte 5"},
        {"{\"a\":+1}", "Not JSON: value expected at byte 5"},
        {"{\"a\":NaN}", "Not JSON: value expected at byte 5"},
        {"{\"z\":\"\\x\"}", "Not JSON: escape in a string that JSON does not know at byte 6"},
        {"{\"z\":\"\\u12g4\"}", "Not JSON: escape in a string that JSON does not know at byte 6"},
        {"{\"z\":\"\n\"}", "Not JSON: control character in a string at byte 6"},
        {"{\"z\":\"\xff\"}", "Not JSON: string that is not UTF-8 at byte 6"},
        {"{\"z\":\"\xc0\x80\"}", "Not JSON: string that is not UTF-8 at byte 6"},
        {"{\"z\":\"\xed\xa0\x80\"}", "Not JSON: string that is not UTF-8 at byte 6"},
        {"{\"z\":\"\xf4\x90\x80\x80\"}", "Not JSON: string that is not UTF-8 at byte 6"},
        {"{\"z\":[1 2]}", "Not JSON: ',' or ']' expected at byte 8"},
        {"{\"z\":[1,]}", "Not JSON: value expected at byte 8"},
        {"{\"z\":{]}", "Not JSON: member name expected at byte 6"},
        {"{\"z\":\"", "Not JSON: string without an end at byte 5"},
        {"\xef\xbb\xbf{}", "Not JSON: value expected at byte 0"},
        {"", "Can't convert type. sourceType: MissingNode, requiredType: STRUCT<`A` INTEGER>, "
             "path: $"},
        {"[]", "Can't convert type. sourceType: ArrayNode, requiredType: STRUCT<`A` INTEGER>, "
               "path: $"},
        {"null", "no value"}, {" null\n", "no value"},
        {"\t{ } \r\n", "{\"A\":null}"},
    };
    JsonBed *bed = bed_open("A:i");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_record(bed, cases[i][0], cases[i][1]);
    bed_close(bed);
}

static void test_nesting_limit(void **state) {
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        char json[400] = "{\"a\":";
        size_t size = 5, depth = ROW_NESTING_MAX - 1 + (size_t)extra;
        memset(json + size, '[', depth);
        memset(json + size + depth, ']', depth);
        memcpy(json + size + 2 * depth, "}", 2);
        check("Z:i", json, extra ? "Not JSON: nested too deep at byte 68" : "{\"Z\":null}");
        /* The same where a type goes along with it. */
        char schema[400] = "A:";
        memset(schema + 2, '[', ROW_NESTING_MAX + 2);
        schema[ROW_NESTING_MAX + 4] = 'i';
        memset(schema + ROW_NESTING_MAX + 5, ']', ROW_NESTING_MAX + 2);
        JsonBed *bed = bed_open(schema);
        Bytes record = bytes_of(json);
        assert_true(bed_decode(bed, &record, 1));
        assert_int_equal(bed->status[0], extra ? DECODE_BAD : DECODE_OK);
        bed_close(bed);
    }
}

/* == Columns == */

/* Bad records between good ones leave nothing behind, in nested columns neither. */
static void test_bad_records_leave_no_trace(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"a\":[[1,2],[3]],\"m\":{\"x\":{\"s\":[\"p\"]}},\"i\":1}",
        "{\"a\":[[4,5],[6]],\"m\":{\"x\":{\"s\":[\"q\"]},\"y\":{\"s\":[\"r\",[}",
        "{\"a\":[[7,null],null,[\"x\"]],\"i\":2}",
        "null",
        "{\"m\":{\"x\":{\"s\":[\"t\"]},\"y\":{},\"x\":{\"s\":[]}},\"i\":3,\"a\":[]}",
        "{\"i\":\"x\",\"a\":[[8]]}",
        "{\"a\":[[9]],\"a\":[[10],[11,12]],\"i\":4}",
    };
    Bytes records[7];
    for (int i = 0; i < 7; i++)
        records[i] = bytes_of(lines[i]);
    JsonBed *bed = bed_open("A:[[i]],M:{(S:[s])},I:i");
    assert_true(bed_decode(bed, records, 7));
    assert_string_equal(bed_text(bed, 0),
                        "{\"A\":[[1,2],[3]],\"M\":{\"x\":{\"S\":[\"p\"]}},\"I\":1}");
    assert_string_equal(bed_text(bed, 4),
                        "{\"A\":[],\"M\":{\"x\":{\"S\":[]},\"y\":{\"S\":null}},\"I\":3}");
    assert_string_equal(bed_text(bed, 6), "{\"A\":[[10],[11,12]],\"M\":null,\"I\":4}");
    static const uint32_t starts[] = {0, 2, 2, 2, 2, 2, 2, 4};
    const Column *a = bed->decoded[0];
    assert_memory_equal(a->offsets, starts, sizeof starts);
    assert_int_equal(a->children[0].length, 4);
    assert_int_equal(a->children[0].children[0].length, 6);
    for (uint32_t i = 0; i < 7; i++) {
        bool good = i == 0 || i == 4 || i == 6;
        assert_int_equal(bed->status[i], good ? DECODE_OK : i == 3 ? DECODE_NULL : DECODE_BAD);
        assert_int_equal(column_is_null(a, i), !good);
        static const int32_t numbers[] = {1, 0, 0, 0, 3, 0, 4};
        assert_int_equal(bed->decoded[2]->i32[i], numbers[i]);
    }
    bed_close(bed);
}

/* What random_column() makes as text must be UTF-8 to be a STRING. */
static void make_text(Column *column) {
    if (column->type->kind == TYPE_STRING)
        for (uint32_t i = 0; i < column->length; i++)
            for (uint32_t k = 0; k < column->bytes[i].size; k++) {
                uint8_t *byte = (uint8_t *)(uintptr_t)column->bytes[i].data + k;
                *byte = *byte == 0xff ? '"' : *byte;
            }
    for (uint32_t i = 0; i < column->type->field_count; i++)
        make_text(&column->children[i]);
}

/* Keys of a MAP are there, and each once. */
static void make_keys(Arena *arena, Column *column) {
    for (uint32_t i = 0; i < column->type->field_count; i++)
        make_keys(arena, &column->children[i]);
    if (column->type->kind != TYPE_MAP)
        return;
    Column *keys = &column->children[0];
    for (uint32_t i = 0; i < keys->length; i++) {
        char *key = arena_printf(arena, "%u\n\xc3\xa9", i);
        keys->bytes[i] = bytes_of(key);
        column_set_present(keys, i);
    }
}

/* The same record with its first member twice: only the slow pass reads that. */
static Bytes read_slowly(Arena *arena, Bytes record) {
    return bytes_of(arena_printf(arena, "{\"A\":[1,{}],%.*s", (int)record.size - 1,
                                 (const char *)record.data + 1));
}

enum { ROUND_ROWS = 33 };

static void round_trip(JsonBed *bed, Column *column, bool slowly) {
    Bytes records[ROUND_ROWS];
    Buf out = {0};
    for (uint32_t row = 0; row < ROUND_ROWS; row++) {
        bool is_null;
        const char *reason;
        const Column *columns[] = {column};
        buf_reset(&out);
        assert_true(format_json.encode(bed->encoder, columns, row, &out, &is_null, &reason));
        records[row] = arena_bytes(bed->arena, buf_view(&out));
        if (slowly)
            records[row] = read_slowly(bed->arena, records[row]);
    }
    buf_free(&out);
    assert_true(bed_decode(bed, records, ROUND_ROWS));
    for (uint32_t row = 0; row < ROUND_ROWS; row++) {
        if (bed->status[row] != DECODE_OK)
            fail_msg("%s: %s", (const char *)records[row].data, bed->errors[row]);
        if (!column_value_equal(column, row, bed->decoded[0], row))
            fail_msg("%s\n became %s", (const char *)records[row].data, bed_text(bed, row));
    }
}

static void test_any_column_comes_back(void **state) {
    (void)state;
    random_negative_zero = false; /* JSON numbers are decimals, which have none */
    for (int round = 0; round < 150; round++) {
        JsonBed *bed = mem_alloc(sizeof *bed);
        bed->arena = arena_new("bed", 0);
        bed->batch_arena = arena_new("batch", 0);
        bed->columns[0] = (SchemaColumn){"A", random_type(bed->arena, 3, true), COLUMN_VALUE, NULL};
        bed->spec = (SerdeSpec){.format = &format_json, .columns = bed->columns,
                                .column_count = 1};
        bed_open_spec(bed);
        Column *column = random_column(bed->arena, bed->columns[0].type, ROUND_ROWS);
        make_text(column);
        make_keys(bed->arena, column);
        round_trip(bed, column, false);
        round_trip(bed, column, true);
        bed_close(bed);
    }
}

/* More keys than the fast pass compares, some of them twice. */
static void test_large_maps(void **state) {
    (void)state;
    Buf json = {0}, expected = {0};
    buf_text(&json, "{");
    buf_text(&expected, "{");
    for (int i = 0; i < 1000; i++)
        buf_printf(&json, "%s\"k%d\":%d", i > 0 ? "," : "", i % 700, i);
    for (int i = 0; i < 700; i++)
        buf_printf(&expected, "%s\"k%d\":%d", i > 0 ? "," : "", i, i < 300 ? i + 700 : i);
    buf_text(&json, "}");
    buf_text(&expected, "}");
    check_value("{i}", buf_cstr(&json), buf_cstr(&expected));
    buf_free(&json);
    buf_free(&expected);
}

/* == Scanning == */

static bool is_special(uint8_t c) {
    return c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
}

static const uint8_t *scan_plainly(const uint8_t *at, const uint8_t *end) {
    while (at < end && !is_special(*at))
        at++;
    return at;
}

static void check_scans(const uint8_t *text, uint32_t size, uint32_t from) {
    const uint8_t *end = text + size, *expected = scan_plainly(text + from, end);
    assert_ptr_equal(json_scan_portable(text + from, end), expected);
    Decoder json = {.begin = text, .end = end, .scan_long = json_scan_best()};
    assert_ptr_equal(json_scan(&json, text + from), expected);
#ifdef JSON_SSE2
    if (from >= 32) {
        assert_ptr_equal(json_scan_sse2(text + from, end), expected);
        if (__builtin_cpu_supports("avx2"))
            assert_ptr_equal(json_scan_avx2(text + from, end), expected);
    }
#endif
    const uint8_t *wide = text + from;
    while (wide < end && (*wide >= 0x80 || !is_special(*wide)))
        wide++;
    assert_ptr_equal(json_scan_wide(text + from, end), wide);
}

static void test_scans_agree(void **state) {
    (void)state;
    for (int round = 0; round < 3000; round++) {
        uint32_t size = chance_below(140);
        uint8_t *text = mem_resize(NULL, size); /* nothing before or behind it may be read */
        uint32_t rare = 1 + chance_below(60);
        for (uint32_t i = 0; i < size; i++) {
            static const uint8_t specials[] = {'"', '\\', 0x1f, 0, 0x80, 0xff, 0xc3};
            text[i] = chance_below(rare) == 0 ? specials[chance_below(7)]
                                              : (uint8_t)(0x20 + chance_below(0x60));
        }
        check_scans(text, size, chance_below(size + 1));
        mem_free(text);
    }
}

/* Strings of every length, with every kind of byte at every place, at the record's end too. */
static void test_every_place_in_a_string(void **state) {
    (void)state;
    static const char *const inside[] = {"\\n", "\xc3\xa9", "\\u00e9", "\x01", "\xff"};
    static const char *const outside[] = {"\\n", "\xc3\xa9", "\xc3\xa9", NULL, NULL};
    JsonBed *bed = bed_open("S:s");
    char json[256], expected[256];
    for (int size = 0; size < 75; size++)
        for (int at = 0; at <= size; at += 1 + (size > 40)) {
            int kind = (size + at) % 5;
            static const char fill[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789abcdefghijklmnopqrstuvwxyz";
            snprintf(json, sizeof json, "{\"s\":\"%.*s%s%.*s\"}", at, fill, inside[kind],
                     size - at, fill);
            if (outside[kind])
                snprintf(expected, sizeof expected, "{\"S\":\"%.*s%s%.*s\"}", at, fill,
                         outside[kind], size - at, fill);
            else
                snprintf(expected, sizeof expected, "Not JSON: %s at byte %d",
                         kind == 3 ? "control character in a string" : "string that is not UTF-8",
                         at + 6);
            check_record(bed, json, expected);
        }
    bed_close(bed);
}

/* == The encoder == */

static void test_encoder(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    SchemaColumn columns[] = {{"K", type_map(arena, &type_string, &type_int), COLUMN_VALUE, NULL}};
    SerdeSpec spec = {.format = &format_json, .columns = columns, .column_count = 1,
                      .unwrapped = true};
    Encoder *encoder = format_json.encoder_new(&spec, arena);
    Column *column = column_new(arena, columns[0].type, 2);
    column->offsets[1] = column->offsets[2] = 1;
    column_init(&column->children[0], arena, &type_string, 1);
    column_init(&column->children[1], arena, &type_int, 1);
    column_set_present(column, 0);
    Buf out = {0};
    buf_text(&out, "before");
    bool is_null = false;
    const char *reason = NULL;
    const Column *const row[] = {column};
    assert_true(format_json.encode(encoder, row, 0, &out, &is_null, &reason));
    assert_string_equal(buf_cstr(&out), "before{\"null\":null}");
    out.size = strlen("before");
    assert_true(format_json.encode(encoder, row, 1, &out, &is_null, &reason));
    assert_true(is_null);
    assert_string_equal(buf_cstr(&out), "before");
    spec.column_count = 0;
    spec.unwrapped = false;
    encoder = format_json.encoder_new(&spec, arena);
    assert_true(format_json.encode(encoder, row, 0, &out, &is_null, &reason));
    assert_string_equal(buf_cstr(&out), "before{}");
    buf_free(&out);
    arena_free(arena);
}

static void test_only_string_keys(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    Err err;
    const Type *good = type_array(arena, type_map(arena, &type_string, &type_int));
    const Type *bad = type_array(arena, type_map(arena, &type_int, &type_int));
    SchemaColumn columns[] = {{"A", good, COLUMN_VALUE, NULL}, {"B", good, COLUMN_VALUE, NULL}};
    SerdeSpec spec = {.format = &format_json, .columns = columns, .column_count = 2};
    assert_int_equal(format_json.check(&spec, &err), ERR_OK);
    columns[1].type = bad;
    assert_int_equal(format_json.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message, "JSON only supports MAP types with STRING keys");
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_strings_of_anything),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_nesting_limit),
        cmocka_unit_test(test_bad_records_leave_no_trace),
        cmocka_unit_test(test_any_column_comes_back),
        cmocka_unit_test(test_large_maps),
        cmocka_unit_test(test_scans_agree),
        cmocka_unit_test(test_every_place_in_a_string),
        cmocka_unit_test(test_encoder),
        cmocka_unit_test(test_only_string_keys),
    };
    return cmocka_run_group_tests_name("serde_json", tests, NULL, NULL);
}
