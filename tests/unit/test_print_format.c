/* test_print_format.c - what formats PRINT finds in bytes, and how it writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/print_format.h"

#define BYTES(text) ((Bytes){(const uint8_t *)(text), sizeof(text) - 1})
#define CASE(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define NO_DATA "\xC2\xAF\\_(\xE3\x83\x84)_/\xC2\xAF - no data processed"

static void assert_names(const PrintFormat *format, const char *wanted) {
    Buf names = {0};
    print_format_names(format, &names);
    assert_string_equal(buf_cstr(&names), wanted);
    buf_free(&names);
}

static void assert_written(const PrintFormat *format, Bytes value, const char *wanted) {
    Buf text = {0};
    print_format_put(format, value, &text);
    assert_string_equal(buf_cstr(&text), wanted);
    buf_free(&text);
}

static void values(void **state) {
    (void)state;
    static const struct {
        Bytes value;
        const char *names, *text;
    } cases[] = {
        {CASE("{\"a\":1}"), "JSON or KAFKA_STRING", "{\"a\":1}"},
        {CASE("\"x\""), "JSON or KAFKA_STRING", "\"x\""},
        {CASE("1540254243183,User_9"), "KAFKA_STRING", "1540254243183,User_9"},
        {CASE("{\"a\":"), "KAFKA_STRING", "{\"a\":"},
        {CASE("true"), "JSON or KAFKA_INT or KAFKA_STRING", "true"},
        {CASE("\0\0\0\x18"), "KAFKA_INT or KAFKA_STRING", "24"},
        {CASE("\xFF\xFF\xFF\xFE"), "KAFKA_INT", "-2"},
        {CASE("\0\0\0\0\0\0\0\xC7"), "KAFKA_BIGINT or KAFKA_DOUBLE", "199"},
        {CASE("Die Hard"), "KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING", "4929582456461423204"},
        {CASE("\xCE\xBA\xCF\x8C"), "KAFKA_INT or KAFKA_STRING", "-826617972"},
        {CASE("a\0b"), "KAFKA_STRING", "a\\x00b"},
        {CASE("\xFF is \\none\n"), "no format that is known fits all", "\\xFF is \\x5Cnone\\x0A"},
        {CASE("\xEF\xBF\xBD"), "no format that is known fits all", "\\xEF\\xBF\\xBD"},
        {CASE(""), "no format that is known fits all", ""},
        {{NULL, 0}, NO_DATA, "<null>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PrintFormat format = print_format_new(false);
        print_format_see(&format, cases[i].value);
        assert_names(&format, cases[i].names);
        assert_written(&format, cases[i].value, cases[i].text);
    }
}

static void formats_narrow(void **state) {
    (void)state;
    PrintFormat format = print_format_new(false);
    print_format_see(&format, (Bytes){NULL, 0});
    assert_names(&format, NO_DATA);
    print_format_see(&format, BYTES("Die Hard"));
    assert_names(&format, "KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING");
    print_format_see(&format, (Bytes){NULL, 0});
    assert_names(&format, "KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING");
    print_format_see(&format, BYTES("Lethal Weapon"));
    assert_names(&format, "KAFKA_STRING");
    assert_written(&format, BYTES("Die Hard"), "Die Hard");
    print_format_see(&format, BYTES("1234"));
    assert_names(&format, "KAFKA_STRING");
}

static void windowed_keys(void **state) {
    (void)state;
    PrintFormat format = print_format_new(true);
    Bytes tumbling = BYTES("k\0\0\0\0\0\0\x4E\x20");
    print_format_see(&format, tumbling);
    assert_names(&format, "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING");
    assert_written(&format, tumbling, "[k@20000/-]");

    format = print_format_new(true);
    Bytes session = BYTES("\0\0\0\x07\0\0\0\0\0\0\x50\x14\0\0\0\0\0\0\x4E\x20");
    print_format_see(&format, session);
    assert_names(&format, "SESSION(KAFKA_INT) or SESSION(KAFKA_STRING) or "
                          "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING");
    assert_written(&format, session, "[7@20000/20500]");

    /* It ends before it begins: no session. 12 bytes in front of the start: no number either. */
    format = print_format_new(true);
    Bytes wrong = BYTES("\0\0\0\x07\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\x4E\x20");
    print_format_see(&format, wrong);
    assert_names(&format, "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING");

    /* A start before 1970. */
    format = print_format_new(true);
    print_format_see(&format, BYTES("k\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    assert_names(&format, "no format that is known fits all");

    /* The address with a JSON number in front of what may be a time, as ksqlDB's examples show. */
    format = print_format_new(true);
    print_format_see(&format, BYTES("222.90.225.227"));
    assert_names(&format, "HOPPING(JSON) or TUMBLING(JSON) or HOPPING(KAFKA_STRING) or "
                          "TUMBLING(KAFKA_STRING) or KAFKA_STRING");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(formats_narrow),
        cmocka_unit_test(windowed_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
