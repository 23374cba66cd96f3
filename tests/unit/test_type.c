/*
 * test_type.c - types, schemas, row errors and batches: what they print, when they are equal, and
 * that a copy needs nothing of its source.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "data/batch.h"
#include "data/serde.h"

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

static const Type *decimal(int64_t precision, int64_t scale) {
    const Type *type = NULL;
    Err err;
    assert_int_equal(type_decimal(arena, precision, scale, &type, &err), ERR_OK);
    return type;
}

/* STRUCT<`A` INTEGER, `b``c` ARRAY<MAP<STRING, DECIMAL(4, 2)>>> */
static const Type *nested(Arena *home) {
    const Type *map = type_map(home, &type_string, decimal(4, 2));
    TypeField fields[] = {{"A", &type_int}, {"b`c", type_array(home, map)}};
    return type_struct(home, fields, 2);
}

static void test_names(void **state) {
    (void)state;
    static const char *const names[] = {
        [TYPE_NULL] = "NULL",     [TYPE_BOOLEAN] = "BOOLEAN",     [TYPE_INT] = "INTEGER",
        [TYPE_BIGINT] = "BIGINT", [TYPE_DOUBLE] = "DOUBLE",       [TYPE_STRING] = "STRING",
        [TYPE_TIME] = "TIME",     [TYPE_DATE] = "DATE",           [TYPE_TIMESTAMP] = "TIMESTAMP",
        [TYPE_BYTES] = "BYTES",
    };
    for (TypeKind kind = TYPE_NULL; kind <= TYPE_BYTES; kind++)
        if (names[kind])
            assert_string_equal(type_text(arena, type_scalar(kind)), names[kind]);
    assert_string_equal(type_text(arena, decimal(76, 0)), "DECIMAL(76, 0)");
    assert_string_equal(type_text(arena, type_struct(arena, NULL, 0)), "STRUCT< >");
    assert_string_equal(type_text(arena, nested(arena)),
                        "STRUCT<`A` INTEGER, `b``c` ARRAY<MAP<STRING, DECIMAL(4, 2)>>>");
}

static void refused(int64_t precision, int64_t scale, ErrCode code, const char *text) {
    const Type *type = NULL;
    Err err;
    assert_int_equal(type_decimal(arena, precision, scale, &type, &err), code);
    assert_string_equal(err.message, text);
    assert_null(type);
}

static void test_decimal_limits(void **state) {
    (void)state;
    refused(0, 0, ERR_TYPE, "DECIMAL precision must be >= 1: DECIMAL(0,0)");
    refused(4, -1, ERR_TYPE, "DECIMAL scale must be >= 0: DECIMAL(4,-1)");
    refused(4, 5, ERR_TYPE, "DECIMAL precision must be >= scale: DECIMAL(4,5)");
    refused(77, 2, ERR_LIMIT, "DECIMAL precision must be <= 76: DECIMAL(77,2)");
    refused(INT64_MAX, INT64_MAX, ERR_LIMIT,
            "DECIMAL precision must be <= 76: DECIMAL(9223372036854775807,9223372036854775807)");
    assert_int_equal(type_width(decimal(18, 3)), 8);
    assert_int_equal(type_width(decimal(19, 3)), 16);
    assert_int_equal(type_width(decimal(38, 3)), 16);
    assert_int_equal(type_width(decimal(39, 3)), 32);
    assert_int_equal(type_width(nested(arena)), 0);
    assert_int_equal(type_width(&type_string), sizeof(Bytes));
}

static void test_equality_and_copies(void **state) {
    (void)state;
    Arena *source = arena_new("source", 0);
    const Type *type = nested(source);
    const Type *copy = type_copy(arena, type);
    assert_true(type_equal(type, copy));
    const char *text = type_text(arena, type);
    arena_free(source); /* under the sanitizers a copy that kept a pointer fails below */
    assert_string_equal(type_text(arena, copy), text);
    assert_true(type_equal(copy, nested(arena)));
    assert_false(type_equal(decimal(4, 2), decimal(4, 1)));
    assert_false(type_equal(decimal(5, 2), decimal(4, 2)));
    assert_false(type_equal(&type_time, &type_date));
    TypeField left = {"A", &type_int}, right = {"a", &type_int}, other = {"A", &type_bigint};
    assert_false(type_equal(type_struct(arena, &left, 1), type_struct(arena, &right, 1)));
    assert_false(type_equal(type_struct(arena, &left, 1), type_struct(arena, &other, 1)));
    assert_false(type_equal(type_struct(arena, &left, 1), type_struct(arena, NULL, 0)));
    assert_false(type_equal(type_array(arena, &type_int), type_array(arena, &type_bigint)));
}

static void test_kinds(void **state) {
    (void)state;
    assert_true(type_is_number(&type_int) && type_is_number(&type_bigint) &&
                type_is_number(decimal(1, 0)) && type_is_number(&type_double));
    assert_false(type_is_number(&type_string) || type_is_number(&type_boolean) ||
                 type_is_number(&type_time));
    assert_true(type_is_nested(nested(arena)) && type_is_nested(type_array(arena, &type_int)));
    assert_false(type_is_nested(&type_string) || type_is_nested(&type_time));
}

static void test_schema(void **state) {
    (void)state;
    SchemaColumn columns[] = {
        {"ID", &type_int, COLUMN_KEY, NULL},
        {"A`", &type_string, COLUMN_VALUE, NULL},
        {"H", &type_bytes, COLUMN_HEADERS, "k"},
        {"ALL", type_array(arena, &type_bytes), COLUMN_HEADERS, NULL},
    };
    Schema schema = {columns, 4, 1};
    Buf text = {0};
    schema_print(&text, &schema);
    assert_string_equal(buf_cstr(&text), "`ID` INTEGER KEY, `A``` STRING, `H` BYTES HEADER('k'), "
                                         "`ALL` ARRAY<BYTES> HEADERS");
    buf_free(&text);
    assert_int_equal(schema_find(&schema, "H"), 2);
    assert_int_equal(schema_find(&schema, "h"), -1);
    const Schema *copy = schema_copy(arena, &schema);
    assert_true(schema_equal(&schema, copy));
    columns[2].header = "K";
    assert_false(schema_equal(&schema, copy));
    columns[2].header = "k";
    columns[0].role = COLUMN_VALUE;
    assert_false(schema_equal(&schema, copy));
    columns[0].role = COLUMN_KEY;
    columns[0].name = "id";
    assert_false(schema_equal(&schema, copy));
    assert_string_equal(copy->columns[0].name, "ID");
}

static void test_row_errors_keep_the_last(void **state) {
    (void)state;
    RowErrors errors;
    row_errors_init(&errors);
    int64_t offsets[40], rowtimes[40];
    for (int i = 0; i < 40; i++) {
        offsets[i] = 1000 + i;
        rowtimes[i] = 5000 + i;
    }
    Batch batch = {.row_count = 40, .offset = offsets, .rowtime = rowtimes, .partition = 3,
                   .topic = "a topic", .errors = &errors};
    RowError last[ROW_ERRORS_KEPT];
    uint64_t count;
    assert_int_equal(row_errors_last(&errors, last, &count), 0);
    assert_int_equal(count, 0);
    for (uint32_t row = 0; row < 37; row++)
        batch_row_error(&batch, row, "expression", "row %u", row);
    assert_int_equal(row_errors_last(&errors, last, &count), ROW_ERRORS_KEPT);
    assert_int_equal(count, 37);
    for (int i = 0; i < ROW_ERRORS_KEPT; i++) {
        char text[32];
        snprintf(text, sizeof text, "row %d", 36 - i);
        assert_string_equal(last[i].text, text);
        assert_int_equal(last[i].offset, 1036 - i);
        assert_int_equal(last[i].rowtime, 5036 - i);
        assert_int_equal(last[i].partition, 3);
        assert_string_equal(last[i].topic, "a topic");
        assert_string_equal(last[i].kind, "expression");
    }
    row_errors_close(&errors);
}

/* A text too long for its place is cut between characters. */
static void test_row_error_is_cut_at_a_character(void **state) {
    (void)state;
    RowErrors errors;
    row_errors_init(&errors);
    Batch batch = {.row_count = 1, .errors = &errors};
    char text[ROW_ERROR_TEXT_SIZE * 2];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', sizeof text);
        for (size_t at = shift; at + 3 < sizeof text; at += 3)
            memcpy(text + at, "\xe6\xbc\xa2", 3);
        text[sizeof text - 1] = '\0';
        batch_row_error(&batch, 0, "deserialization", "%s", text);
        RowError last[ROW_ERRORS_KEPT];
        uint64_t count;
        row_errors_last(&errors, last, &count);
        size_t size = strlen(last[0].text);
        assert_true(size > ROW_ERROR_TEXT_SIZE - 4 && (size - shift) % 3 == 0);
        assert_memory_equal(last[0].text, text, size);
    }
    row_errors_close(&errors);
}

static void test_all_rows(void **state) {
    (void)state;
    const uint16_t *rows = batch_all_rows(UINT16_MAX);
    for (uint32_t i = 0; i < UINT16_MAX; i++)
        assert_int_equal(rows[i], i);
}

static void test_formats_by_name(void **state) {
    (void)state;
    assert_ptr_equal(format_find("json"), &format_json);
    assert_ptr_equal(format_find("Delimited"), &format_delimited);
    assert_ptr_equal(format_find("KAFKA"), &format_kafka);
    assert_ptr_equal(format_find("none"), &format_none);
    assert_null(format_find("AVRO"));
    assert_true(format_is_known_name("avro") && format_is_known_name("PROTOBUF_NOSR"));
    assert_false(format_is_known_name("XML") || format_is_known_name(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decimal_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equality_and_copies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema, setup, teardown),
        cmocka_unit_test(test_row_errors_keep_the_last),
        cmocka_unit_test(test_row_error_is_cut_at_a_character),
        cmocka_unit_test(test_all_rows),
        cmocka_unit_test(test_formats_by_name),
    };
    return cmocka_run_group_tests_name("type", tests, NULL, NULL);
}
