/*
 * test_serde_kafka.c - bare values as Kafka's serializers write them, and nothing at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/serde.h"

typedef struct Fixture {
    Arena *arena;
    SchemaColumn column;
    SerdeSpec spec;
    char errors[3][200];
} Fixture;

static void keep_error(void *context, uint32_t record, const char *text) {
    Fixture *fixture = context;
    snprintf(fixture->errors[record], sizeof fixture->errors[record], "%s", text);
}

static void fixture_open(Fixture *fixture, const Type *type) {
    Err err;
    *fixture = (Fixture){.arena = arena_new("test", 0)};
    fixture->column = (SchemaColumn){"A", type, COLUMN_VALUE, NULL};
    fixture->spec = (SerdeSpec){.format = &format_kafka, .columns = &fixture->column,
                                .column_count = 1};
    assert_int_equal(format_kafka.check(&fixture->spec, &err), ERR_OK);
}

static Column *decode(Fixture *fixture, const Bytes *records, uint32_t count, uint8_t *status) {
    bool used = true;
    Column *column;
    Decoder *decoder = format_kafka.decoder_new(&fixture->spec, &used, fixture->arena);
    DecodeInput input = {records, count, fixture->arena, keep_error, fixture};
    format_kafka.decode(decoder, &input, &column, status);
    return column;
}

static void values_come_and_go(void **state) {
    (void)state;
    static const struct {
        const Type *type;
        uint8_t bytes[8];
        uint32_t size;
    } cases[] = {
        {&type_int, {0xFF, 0xFF, 0xFF, 0xFE}, 4},
        {&type_bigint, {0, 0, 0, 0, 0, 0, 1, 2}, 8},
        {&type_double, {0x3F, 0xF8, 0, 0, 0, 0, 0, 0}, 8},
        {&type_string, {'a', 0xC3, 0xA9}, 3},
        {&type_string, {0}, 0},
        {&type_bytes, {0xFF, 0x00}, 2},
    };
    Column *column = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Fixture fixture;
        Bytes records[2] = {{cases[i].bytes, cases[i].size}, {NULL, 0}};
        uint8_t status[2];
        Buf out = {0};
        bool is_null;
        const char *reason;
        fixture_open(&fixture, cases[i].type);
        column = decode(&fixture, records, 2, status);
        assert_int_equal(status[0], DECODE_OK);
        assert_int_equal(status[1], DECODE_NULL);
        assert_true(column_is_null(column, 1));
        if (i == 0)
            assert_int_equal(column->i32[0], -2);
        if (i == 1)
            assert_int_equal(column->i64[0], 258);
        if (i == 2)
            assert_true(column->f64[0] == 1.5);
        const Column *row[] = {column};
        Encoder *encoder = format_kafka.encoder_new(&fixture.spec, fixture.arena);
        assert_true(format_kafka.encode(encoder, row, 0, &out, &is_null, &reason));
        assert_false(is_null);
        assert_true(bytes_equal(buf_view(&out), records[0]));
        assert_true(format_kafka.encode(encoder, row, 1, &out, &is_null, &reason));
        assert_true(is_null);
        assert_int_equal(out.size, cases[i].size);
        buf_free(&out);
        arena_free(fixture.arena);
    }
}

static void wrong_sizes_are_bad_records(void **state) {
    (void)state;
    const uint8_t bytes[9] = {0, 0, 0, 1, 0, 0, 0, 0, 1};
    const Bytes records[3] = {{bytes, 4}, {bytes, 5}, {bytes, 0}};
    uint8_t status[3];
    Fixture fixture;
    fixture_open(&fixture, &type_int);
    Column *column = decode(&fixture, records, 3, status);
    assert_int_equal(status[0], DECODE_OK);
    assert_int_equal(column->i32[0], 1);
    assert_int_equal(status[1], DECODE_BAD);
    assert_true(column_is_null(column, 1));
    assert_string_equal(fixture.errors[1],
                        "Error deserializing KAFKA: column `A`: INTEGER has 4 bytes, got 5");
    assert_int_equal(status[2], DECODE_BAD);
    arena_free(fixture.arena);
    fixture_open(&fixture, &type_double);
    decode(&fixture, records, 1, status);
    assert_int_equal(status[0], DECODE_BAD);
    assert_string_equal(fixture.errors[0],
                        "Error deserializing KAFKA: column `A`: DOUBLE has 8 bytes, got 4");
    arena_free(fixture.arena);
}

/* As Java reads them: each piece that is no UTF-8 becomes U+FFFD. */
static void strings_become_utf8(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"a\xFF" "b", "a\xEF\xBF\xBD" "b"},
        {"\xC3", "\xEF\xBF\xBD"},
        {"\xE2\x82" "x", "\xEF\xBF\xBD" "x"},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98", "\xF0\x9F\x98\x80\xEF\xBF\xBD"},
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80" "x", "\xEF\xBF\xBD" "x"},
        {"\xED\x9F\xBF", "\xED\x9F\xBF"},
        {"\xF5\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Fixture fixture;
        Bytes record = bytes_of(cases[i].bytes);
        uint8_t status;
        fixture_open(&fixture, &type_string);
        Column *column = decode(&fixture, &record, 1, &status);
        assert_true(bytes_equal(column->bytes[0], bytes_of(cases[i].text)));
        arena_free(fixture.arena);
    }
}

static void unused_values_are_checked(void **state) {
    (void)state;
    const uint8_t bytes[4] = {0};
    const Bytes records[2] = {{bytes, 4}, {bytes, 3}};
    uint8_t status[2];
    bool used = false;
    Column *column;
    Fixture fixture;
    fixture_open(&fixture, &type_int);
    Decoder *decoder = format_kafka.decoder_new(&fixture.spec, &used, fixture.arena);
    DecodeInput input = {records, 2, fixture.arena, keep_error, &fixture};
    format_kafka.decode(decoder, &input, &column, status);
    assert_null(column);
    assert_int_equal(status[0], DECODE_OK);
    assert_int_equal(status[1], DECODE_BAD);
    arena_free(fixture.arena);
}

static void columns_are_refused_in_ksqldbs_words(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    SchemaColumn columns[] = {{"F1", &type_int, COLUMN_KEY, NULL},
                              {"F2", type_array(arena, &type_string), COLUMN_KEY, NULL}};
    SerdeSpec spec = {.columns = columns, .column_count = 2, .is_key = true};
    Err err;
    assert_int_equal(format_kafka.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message, "The 'KAFKA' format only supports a single field. Got: "
                                     "[`F1` INTEGER KEY, `F2` ARRAY<STRING> KEY]");
    assert_int_equal(format_none.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message, "The 'NONE' format can only be used when no columns are "
                                     "defined. Got: [`F1` INTEGER KEY, `F2` ARRAY<STRING> KEY]");
    spec.columns++;
    spec.column_count = 1;
    assert_int_equal(format_kafka.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message, "The 'KAFKA' format does not support type 'ARRAY'");
    static const struct {
        TypeKind kind;
        const char *name;
    } refused[] = {{TYPE_BOOLEAN, "BOOLEAN"}, {TYPE_TIME, "TIME"}, {TYPE_DATE, "DATE"},
                   {TYPE_TIMESTAMP, "TIMESTAMP"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        columns[1].type = type_scalar(refused[i].kind);
        assert_int_equal(format_kafka.check(&spec, &err), ERR_FORMAT);
        assert_non_null(strstr(err.message, refused[i].name));
    }
    Type money = {.kind = TYPE_DECIMAL, .precision = 4, .scale = 2};
    columns[1].type = &money;
    assert_int_equal(format_kafka.check(&spec, &err), ERR_FORMAT);
    assert_string_equal(err.message, "The 'KAFKA' format does not support type 'DECIMAL'");
    arena_free(arena);
}

/* KAFKA without columns, and NONE: bytes are ignored, none are written. */
static void no_columns_carry_nothing(void **state) {
    (void)state;
    const Format *const formats[] = {&format_kafka, &format_none};
    for (int i = 0; i < 2; i++) {
        Arena *arena = arena_new("test", 0);
        SerdeSpec spec = {.format = formats[i], .is_key = true};
        const Bytes records[2] = {{(const uint8_t *)"x", 1}, {NULL, 0}};
        uint8_t status[2] = {DECODE_BAD, DECODE_BAD};
        bool is_null = false;
        const char *reason;
        Buf out = {0};
        Err err;
        assert_int_equal(formats[i]->check(&spec, &err), ERR_OK);
        Decoder *decoder = formats[i]->decoder_new(&spec, NULL, arena);
        DecodeInput input = {records, 2, arena, NULL, NULL};
        formats[i]->decode(decoder, &input, NULL, status);
        assert_int_equal(status[0], DECODE_NULL);
        assert_int_equal(status[1], DECODE_NULL);
        Encoder *encoder = formats[i]->encoder_new(&spec, arena);
        assert_true(formats[i]->encode(encoder, NULL, 0, &out, &is_null, &reason));
        assert_true(is_null);
        assert_int_equal(out.size, 0);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_and_go),
        cmocka_unit_test(wrong_sizes_are_bad_records),
        cmocka_unit_test(strings_become_utf8),
        cmocka_unit_test(unused_values_are_checked),
        cmocka_unit_test(columns_are_refused_in_ksqldbs_words),
        cmocka_unit_test(no_columns_carry_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
