/*
 * test_zone.c - ids of zones, the clocks of places, and files of rules that are damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "data/time_text.h"
#include "data/zone_impl.h"

static void ids_are_javas(void **state) {
    (void)state;
    static const struct {
        const char *id, *printed; /* NULL: refused */
        int32_t offset;
    } cases[] = {
        {"Z", "Z", 0},
        {"+2", "+02:00", 7200},
        {"+02", "+02:00", 7200},
        {"-0230", "-02:30", -9000},
        {"+02:30", "+02:30", 9000},
        {"+023045", "+02:30:45", 9045},
        {"-02:30:45", "-02:30:45", -9045},
        {"+18:00", "+18:00", 64800},
        {"+00:00", "Z", 0},
        {"UTC", "UTC", 0},
        {"GMT+2", "GMT+02:00", 7200},
        {"UT-0130", "UT-01:30", -5400},
        {"GMT+0", "GMT", 0},
        {"Etc/GMT+5", "Etc/GMT+5", -18000},
        {"GMT0", "GMT0", 0},
        {"+18:01", NULL, 0},
        {"+2:00", NULL, 0},
        {"+02:3", NULL, 0},
        {"+02:0030", NULL, 0},
        {"+0260", NULL, 0},
        {"+", NULL, 0},
        {"", NULL, 0},
        {"z", NULL, 0},
        {"utc", NULL, 0},
        {"UTC+", NULL, 0},
        {"PST", NULL, 0},
        {"EST", NULL, 0},
        {"Europe", NULL, 0},
        {"Europe/Nowhere", NULL, 0},
        {"europe/london", NULL, 0},
        {"Europe/../Europe/Rome", NULL, 0},
        {"posix/Europe/Rome", NULL, 0},
        {"tzdata.zi", NULL, 0},
        {"America/Argentina/Buenos_Aires/And/Further/Down/The/Road", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Zone zone;
        Err err;
        if (!cases[i].printed) {
            assert_int_not_equal(zone_of(bytes_of(cases[i].id), &zone, &err), ERR_OK);
            continue;
        }
        assert_int_equal(zone_of(bytes_of(cases[i].id), &zone, &err), ERR_OK);
        assert_string_equal(zone.id, cases[i].printed);
        assert_int_equal(zone_offset(&zone, 0), cases[i].offset);
    }
}

/* Seconds since 1970 of a text like 2020-03-29T02:30. */
static int64_t seconds_of(const char *text) {
    int64_t ms;
    assert_true(time_parse_timestamp(bytes_of(text), &ms));
    return ms / 1000;
}

static Zone place(const char *id) {
    Zone zone;
    Err err;
    assert_int_equal(zone_of(bytes_of(id), &zone, &err), ERR_OK);
    return zone;
}

static void clocks_of_places(void **state) {
    (void)state;
    static const struct {
        const char *id, *utc;
        int32_t offset;
        bool summer;
    } cases[] = {
        {"Europe/Berlin", "2020-03-29T00:59:59", 3600, false},
        {"Europe/Berlin", "2020-03-29T01:00:00", 7200, true},
        {"Europe/Berlin", "2020-10-25T00:59:59", 7200, true},
        {"Europe/Berlin", "2020-10-25T01:00:00", 3600, false},
        {"Europe/Berlin", "1850-01-01", 3208, false}, /* local mean time */
        {"Europe/Berlin", "9999-07-01", 7200, true},
        {"Europe/Berlin", "9999-12-31", 3600, false},
        {"America/New_York", "2007-03-11T06:59:59", -18000, false},
        {"America/New_York", "2007-03-11T07:00:00", -14400, true},
        {"America/New_York", "2100-11-07T05:59:59", -14400, true},
        {"America/New_York", "2100-11-07T06:00:00", -18000, false},
        {"Australia/Lord_Howe", "2050-01-01", 39600, true},
        {"Australia/Lord_Howe", "2050-07-01", 37800, false},
        {"Asia/Kolkata", "2050-01-01", 19800, false},
        {"Asia/Kathmandu", "1985-12-31", 19800, false},
        {"Asia/Kathmandu", "1986-01-02", 20700, false},
        {"America/Santiago", "2060-01-15", -10800, true},
        {"America/Santiago", "2060-06-15", -14400, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Zone zone = place(cases[i].id);
        int64_t at = seconds_of(cases[i].utc);
        assert_int_equal(zone_offset(&zone, at), cases[i].offset);
        assert_int_equal(zone_is_summer(&zone, at), cases[i].summer);
    }
}

static void local_times_that_are_not_or_twice(void **state) {
    (void)state;
    static const struct {
        const char *id, *local;
        ZoneLocalKind kind;
        int32_t before, after;
    } cases[] = {
        {"Europe/Berlin", "2020-03-29T01:59:59", ZONE_LOCAL_ONCE, 3600, 3600},
        {"Europe/Berlin", "2020-03-29T02:00:00", ZONE_LOCAL_GAP, 3600, 7200},
        {"Europe/Berlin", "2020-03-29T02:59:59", ZONE_LOCAL_GAP, 3600, 7200},
        {"Europe/Berlin", "2020-03-29T03:00:00", ZONE_LOCAL_ONCE, 7200, 7200},
        {"Europe/Berlin", "2020-10-25T01:59:59", ZONE_LOCAL_ONCE, 7200, 7200},
        {"Europe/Berlin", "2020-10-25T02:00:00", ZONE_LOCAL_OVERLAP, 7200, 3600},
        {"Europe/Berlin", "2020-10-25T02:59:59", ZONE_LOCAL_OVERLAP, 7200, 3600},
        {"Europe/Berlin", "2020-10-25T03:00:00", ZONE_LOCAL_ONCE, 3600, 3600},
        {"Europe/Berlin", "2345-03-25T02:30:00", ZONE_LOCAL_GAP, 3600, 7200},
        {"Pacific/Apia", "2011-12-29T23:59:59", ZONE_LOCAL_ONCE, -36000, -36000},
        {"Pacific/Apia", "2011-12-30T12:00:00", ZONE_LOCAL_GAP, -36000, 50400},
        {"Pacific/Apia", "2011-12-31T00:00:00", ZONE_LOCAL_ONCE, 50400, 50400},
        {"Asia/Kolkata", "2020-10-25T02:30:00", ZONE_LOCAL_ONCE, 19800, 19800},
        {"GMT+3", "2020-10-25T02:30:00", ZONE_LOCAL_ONCE, 10800, 10800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Zone zone = place(cases[i].id);
        ZoneLocal local = zone_local(&zone, seconds_of(cases[i].local));
        assert_int_equal(local.kind, cases[i].kind);
        assert_int_equal(local.before, cases[i].before);
        assert_int_equal(local.after, cases[i].after);
    }
}

/* A file with two changes and a rule for what follows. */
static void put_file(Buf *file, const char *footer) {
    static const uint32_t counts[] = {0, 0, 0, 2, 2, 8};
    for (int block = 0; block < 2; block++) {
        buf_text(file, "TZif2");
        for (int i = 0; i < 15; i++)
            buf_u8(file, 0);
        for (int i = 0; i < 6; i++)
            buf_u32_be(file, block == 0 ? 0 : counts[i]);
    }
    buf_u64_be(file, 1000);
    buf_u64_be(file, 2000);
    buf_u8(file, 1);
    buf_u8(file, 0);
    buf_u32_be(file, 3600);
    buf_u8(file, 0);
    buf_u8(file, 0);
    buf_u32_be(file, 7200);
    buf_u8(file, 1);
    buf_u8(file, 4);
    buf_put(file, "CET\0CES", 8);
    buf_text(file, footer);
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    const ZoneRules *rules;
    Buf file = {0};
    Err err;
    put_file(&file, "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    assert_int_equal(zone_rules_read(buf_view(&file), arena, &rules, &err), ERR_OK);
    assert_int_equal(zone_rules_at(rules, 999).offset, 3600);
    assert_int_equal(zone_rules_at(rules, 1000).offset, 7200);
    assert_int_equal(zone_rules_at(rules, 2000).offset, 3600);
    for (uint32_t size = 0; size < file.size; size++)
        assert_int_equal(zone_rules_read((Bytes){file.data, size}, arena, &rules, &err),
                         ERR_CORRUPT);
    for (uint32_t at = 0; at < file.size; at++) { /* any answer but a crash */
        file.data[at] ^= 0xFF;
        if (zone_rules_read(buf_view(&file), arena, &rules, &err) == ERR_OK)
            zone_rules_at(rules, 1700000000);
        file.data[at] ^= 0xFF;
    }
    static const char *const footers[] = {"\nCET-1CEST,M3.5.0,M10.5.7/3\n", "\nCET-1CEST\n",
                                          "\n-1\n", "\nCET-1CEST,J0,J100\n", "\n<+1\n"};
    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++) {
        buf_reset(&file);
        put_file(&file, footers[i]);
        assert_int_equal(zone_rules_read(buf_view(&file), arena, &rules, &err), ERR_CORRUPT);
    }
    buf_reset(&file);
    put_file(&file, "\n<-02>2<-01>,J60/-1,300/26:30:15\n"); /* days of the year */
    assert_int_equal(zone_rules_read(buf_view(&file), arena, &rules, &err), ERR_OK);
    assert_int_equal(zone_rules_at(rules, seconds_of("2020-03-01T00:59:59")).offset, -7200);
    assert_int_equal(zone_rules_at(rules, seconds_of("2020-03-01T01:00:00")).offset, -3600);
    assert_int_equal(zone_rules_at(rules, seconds_of("2020-10-28T03:30:14")).offset, -3600);
    assert_int_equal(zone_rules_at(rules, seconds_of("2020-10-28T03:30:15")).offset, -7200);
    buf_free(&file);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_javas),
        cmocka_unit_test(clocks_of_places),
        cmocka_unit_test(local_times_that_are_not_or_twice),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
