/*
 * test_serde_json_track.c - a record behind one of the same members gives what it gives alone,
 * whatever is wrong or unusual about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/serde_json_impl.h"
#include "tests/unit/json_bed.h"

#define SCHEMA "A:l,B:s,C:i,D:d,E:[l],A_NAME_OF_MANY_LETTERS:s,F:b,G:T"
#define START "{\"a\":1234567,\"b\":\"some text\",\"c\":-42,"
#define MIDDLE "\"d\":0.25,\"e\":[1,2],\"u\":{\"x\":\"y\"},"
#define FINISH "\"a_name_of_many_letters\":\"a text that goes on over a block\",\"f\":true,"
#define GOOD START MIDDLE FINISH "\"g\":1436918400000}"

/* The record behind a good one and alone; true: the same, in words too. */
static bool same_as_alone(JsonBed *tracked, Bytes record) {
    JsonBed *alone = bed_open(SCHEMA);
    const Bytes both[] = {bytes_of(GOOD), record};
    bool same = bed_decode(tracked, both, 2) && bed_decode(alone, &record, 1) &&
                tracked->status[1] == alone->status[0] &&
                strcmp(bed_text(tracked, 1), bed_text(alone, 0)) == 0;
    bed_close(alone);
    return same && strstr(bed_text(tracked, 0), "\"A\":1234567,\"B\":\"some text\",\"C\":-42");
}

static void check_alone(JsonBed *tracked, Bytes record) {
    if (!same_as_alone(tracked, record))
        fail_msg("%.*s\n  gave %s", (int)record.size, (const char *)record.data,
                 bed_text(tracked, 1));
}

static void test_odd_records(void **state) {
    (void)state;
    static const char *const records[] = {
        GOOD,
        " " GOOD "\n",
        "{ \"a\": 1234567, \"b\": \"some text\", \"c\": -42, " MIDDLE FINISH "\"g\": 1 }",
        START MIDDLE FINISH "\"g\":1436918400000,\"h\":1}",
        START MIDDLE FINISH "\"g\":1436918400000} ,",
        START MIDDLE FINISH "\"g\":1436918400000",
        START MIDDLE FINISH "\"g\":}",
        START MIDDLE FINISH "\"g\":1}}",
        START MIDDLE "\"f\":true,\"a_name_of_many_letters\":\"x\",\"g\":1436918400000,\"z\":\"\"}",
        START MIDDLE "\"a_name_of_many_letterz\":\"long enough to be\",\"f\":true,\"g\":1}",
        START MIDDLE FINISH "\"g\":\"12\"}",
        START MIDDLE FINISH "\"g\":01}",
        START MIDDLE FINISH "\"g\":-}",
        START MIDDLE FINISH "\"g\":-0}",
        START MIDDLE FINISH "\"g\":12345678901234567}",
        START MIDDLE FINISH "\"g\":9223372036854775808}",
        START MIDDLE FINISH "\"g\":1.5e3}",
        START MIDDLE FINISH "\"g\":null}",
        START MIDDLE FINISH "\"f\":false}",
        "{\"a\":1,\"b\":\"a \\\"quote\\\"\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"na\xc3\xafve \xe2\x82\xac\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"not \xff UTF-8\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"a\ttab\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"\",\"c\":999999999999," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":{\"x\":[\"y\"]},\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":null,\"c\":null," MIDDLE FINISH "\"g\":1}",
        "{\"a\":,\"b\":\"some text\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"some text\"\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,,\"b\":\"some text\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"a comma,\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"two\" \"texts\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"two\",\"texts\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\",\"c\":1," MIDDLE FINISH "\"g\":1}",
        "{\"a\":1,\"b\":\"x\",\"c\":\"," MIDDLE FINISH "\"g\":1}",
        "{}",
        "[]",
        "",
    };
    JsonBed *tracked = bed_open(SCHEMA);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        check_alone(tracked, bytes_of(records[i]));
    bed_close(tracked);
}

static void test_records_cut_off(void **state) {
    (void)state;
    static const char ends_in_text[] = START MIDDLE "\"f\":true,\"a_name_of_many_letters\":\"x\"}";
    const Bytes whole[] = {bytes_of(GOOD), bytes_of(ends_in_text)};
    JsonBed *bed = bed_open(SCHEMA);
    for (int i = 0; i < 2; i++) {
        for (uint32_t size = 0; size < whole[i].size; size++) {
            const Bytes records[] = {whole[i], {whole[i].data, size}};
            assert_true(bed_decode(bed, records, 2));
            assert_int_equal(bed->status[0], DECODE_OK);
            assert_int_equal(bed->status[1], DECODE_BAD);
        }
    }
    bed_close(bed);
}

/* Bytes replaced, left out and put in, at random. */
static void test_damaged_records(void **state) {
    (void)state;
    static const char bytes[] = "\"\\,:{}[]0123456789 -+.eEtfn\n\x01\x80\xc3";
    JsonBed *tracked = bed_open(SCHEMA);
    uint64_t chance = 1;
    for (int round = 0; round < 3000; round++) {
        char record[512];
        size_t size = strlen(GOOD);
        memcpy(record, GOOD, size);
        for (uint64_t i = 0; i <= chance >> 62; i++) {
            chance = chance * 6364136223846793005U + 1442695040888963407U;
            size_t at = (chance >> 33) % size;
            char byte = bytes[(chance >> 20) % (sizeof bytes - 1)];
            uint64_t how = (chance >> 58) % 3;
            if (how == 0)
                memmove(record + at + 1, record + at, size++ - at);
            else if (how == 1)
                memmove(record + at, record + at + 1, --size - at);
            if (how != 1)
                record[at] = byte;
        }
        check_alone(tracked, (Bytes){(const uint8_t *)record, (uint32_t)size});
    }
    bed_close(tracked);
}

/* More places than a list has, and more bytes; and a text that ends far behind its start. */
static void test_large_records(void **state) {
    (void)state;
    JsonBed *tracked = bed_open(SCHEMA);
    Buf record = {0};
    buf_text(&record, START "\"e\":[");
    for (uint32_t i = 0; i < JSON_PLACES_MAX + 10; i++)
        buf_printf(&record, "%s\"%u\"", i ? "," : "", i);
    buf_text(&record, "]," FINISH "\"g\":1}");
    check_alone(tracked, buf_view(&record));
    buf_reset(&record);
    buf_text(&record, START MIDDLE "\"a_name_of_many_letters\":\"");
    size_t begin = record.size;
    for (uint32_t size = 100; size < 2 * UINT16_MAX; size += size / 3) {
        record.size = begin;
        memset(buf_room(&record, size), 'x', size);
        record.size += size;
        buf_text(&record, "\",\"f\":true,\"g\":1436918400000}");
        check_alone(tracked, buf_view(&record));
    }
    buf_free(&record);
    bed_close(tracked);
}

/* Records that leave the track again and again, and come back to it. */
static void test_changing_records(void **state) {
    (void)state;
    enum { RECORDS = 2000 };
    static const char *const kinds[] = {
        GOOD,
        "{\"c\":5,\"b\":\"the same members in another order, or fewer\",\"g\":1436918400000}",
        "{\"g\":1436918400000,\"a\":7,\"b\":\"once more in another order than before\"}",
    };
    Bytes records[RECORDS];
    JsonBed *bed = bed_open(SCHEMA);
    for (uint32_t i = 0; i < RECORDS; i++)
        records[i] = bytes_of(kinds[i < 700 ? i % 3 : i / 100 % 3]);
    assert_true(bed_decode(bed, records, RECORDS));
    for (uint32_t i = 0; i < RECORDS; i++)
        assert_string_equal(bed_text(bed, i), bed_text(bed, i < 700 ? i % 3 : i / 100 % 3));
    bed_close(bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_records),
        cmocka_unit_test(test_records_cut_off),
        cmocka_unit_test(test_damaged_records),
        cmocka_unit_test(test_large_records),
        cmocka_unit_test(test_changing_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
