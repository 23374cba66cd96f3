/*
 * test_record_batch.c - Kafka's record batch: the bytes are Kafka's own, whatever comes in is
 * either the records that were put in or an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "storage/record_batch.h"

static uint64_t dice(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static Bytes text(const char *value) {
    return value ? bytes_of(value) : (Bytes){NULL, 0};
}

static void add(RecordBatch *batch, int64_t timestamp, const char *key, const char *value) {
    LogRecord record = {.timestamp = timestamp, .key = text(key), .value = text(value)};
    record_batch_add(batch, &record);
}

/* Two records written by an independent encoder (Python, from Kafka's protocol guide). */
static const uint8_t golden[] = {
#include "tests/unit/record_batch_golden.inc"
};

static void fill_golden(RecordBatch *batch) {
    Buf headers = {0};
    RecordHeader pairs[] = {{text("h1"), text("x")}, {text(""), {NULL, 0}}};
    record_headers_put(&headers, pairs, 2);
    LogRecord first = {.timestamp = 1700000000123, .key = text("key"), .value = text("value"),
                       .headers = buf_view(&headers)};
    record_batch_add(batch, &first);
    add(batch, 1700000000000, NULL, NULL);
    add(batch, 1700000009999, "", "");
    record_batch_seal(batch);
    record_batch_patch(batch->buf.data, 4294967301, 7);
    buf_free(&headers);
}

static void test_bytes_are_kafkas(void **state) {
    (void)state;
    RecordBatch batch = {0};
    fill_golden(&batch);
    assert_int_equal(batch.buf.size, sizeof golden);
    assert_memory_equal(batch.buf.data, golden, sizeof golden);
    record_batch_free(&batch);
}

static void test_golden_is_read(void **state) {
    (void)state;
    Err err;
    RecordBatchInfo info;
    Bytes bytes = {golden, sizeof golden};
    assert_int_equal(record_batch_check(bytes, &info, &err), ERR_OK);
    assert_int_equal(record_batch_check_records(bytes, &info, &err), ERR_OK);
    assert_int_equal(info.base_offset, 4294967301);
    assert_int_equal(info.last_offset, 4294967303);
    assert_int_equal(info.count, 3);
    assert_int_equal(info.size, sizeof golden);
    assert_int_equal(info.base_timestamp, 1700000000123);
    assert_int_equal(info.max_timestamp, 1700000009999);
    RecordIter iter;
    LogRecord record;
    record_iter_init(&iter, bytes);
    assert_true(record_iter_next(&iter, &record));
    assert_int_equal(record.offset, 4294967301);
    assert_int_equal(record.timestamp, 1700000000123);
    assert_true(bytes_equal(record.key, text("key")));
    assert_true(bytes_equal(record.value, text("value")));
    RecordHeader headers[4];
    assert_int_equal(record_headers_get(record.headers, headers, 4), 2);
    assert_true(bytes_equal(headers[0].key, text("h1")));
    assert_true(bytes_equal(headers[0].value, text("x")));
    assert_non_null(headers[1].key.data);
    assert_null(headers[1].value.data);
    assert_int_equal(record_headers_get(record.headers, headers, 1), 1);
    assert_true(record_iter_next(&iter, &record));
    assert_int_equal(record.timestamp, 1700000000000);
    assert_null(record.key.data);
    assert_null(record.value.data);
    assert_null(record.headers.data);
    assert_true(record_iter_next(&iter, &record));
    assert_non_null(record.key.data);
    assert_int_equal(record.key.size, 0);
    assert_non_null(record.value.data);
    assert_false(record_iter_next(&iter, &record));
    assert_true(reader_ok(&iter.reader));
}

enum { MANY = 300 };

static void random_bytes(uint64_t *seed, Bytes *bytes, uint8_t *pool) {
    uint64_t roll = dice(seed) % 8;
    uint32_t size = roll == 0 ? 0 : (uint32_t)(dice(seed) % (roll == 1 ? 20000 : 150));
    *bytes = roll == 2 ? (Bytes){NULL, 0} : (Bytes){pool + dice(seed) % 1000, size};
}

static void round_trip(uint64_t seed) {
    static uint8_t pool[21000];
    static LogRecord in[MANY];
    RecordBatch batch = {0};
    RecordBatchInfo info;
    Err err;
    for (size_t i = 0; i < sizeof pool; i++)
        pool[i] = (uint8_t)dice(&seed);
    uint32_t count = 1 + (uint32_t)(dice(&seed) % MANY);
    for (uint32_t i = 0; i < count; i++) {
        random_bytes(&seed, &in[i].key, pool);
        random_bytes(&seed, &in[i].value, pool);
        in[i].timestamp = dice(&seed) % 3 ? (int64_t)(dice(&seed) % 1000) : (int64_t)dice(&seed);
        size_t before = batch.buf.size ? batch.buf.size : RECORD_BATCH_HEAD_SIZE;
        record_batch_add(&batch, &in[i]);
        assert_true(batch.buf.size - before <= record_batch_record_size(&in[i]));
    }
    record_batch_seal(&batch);
    record_batch_patch(batch.buf.data, 1000, 0);
    Bytes bytes = buf_view(&batch.buf);
    assert_int_equal(record_batch_check(bytes, &info, &err), ERR_OK);
    assert_int_equal(record_batch_check_records(bytes, &info, &err), ERR_OK);
    assert_int_equal(info.last_offset, 1000 + count - 1);
    RecordIter iter;
    LogRecord out;
    record_iter_init(&iter, bytes);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(record_iter_next(&iter, &out));
        assert_int_equal(out.offset, 1000 + i);
        assert_int_equal(out.timestamp, in[i].timestamp);
        assert_true(bytes_equal(out.key, in[i].key) && !out.key.data == !in[i].key.data);
        assert_true(bytes_equal(out.value, in[i].value) && !out.value.data == !in[i].value.data);
    }
    assert_false(record_iter_next(&iter, &out));
    record_batch_free(&batch);
}

static void test_what_goes_in_comes_out(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        round_trip(seed);
}

/* A run of records in a fresh buffer of exactly its size, so that ASan sees every step outside. */
static uint8_t *copy_of(Bytes bytes, uint32_t size) {
    uint8_t *copy = mem_resize(NULL, size);
    memcpy(copy, bytes.data, size);
    return copy;
}

static void test_any_flipped_bit_is_seen(void **state) {
    (void)state;
    Err err;
    RecordBatchInfo info;
    for (uint32_t bit = 0; bit < 8 * sizeof golden; bit++) {
        uint32_t byte = bit / 8;
        if (byte < 8 || (byte >= 12 && byte < 16)) /* the two fields outside the sum */
            continue;
        uint8_t *copy = copy_of((Bytes){golden, sizeof golden}, sizeof golden);
        copy[byte] ^= (uint8_t)(1U << bit % 8);
        Bytes bytes = {copy, sizeof golden};
        assert_int_equal(record_batch_check(bytes, &info, &err), ERR_CORRUPT);
        mem_free(copy);
    }
}

static void test_any_cut_is_seen(void **state) {
    (void)state;
    Err err;
    RecordBatchInfo info;
    for (uint32_t size = 0; size < sizeof golden; size++) {
        uint8_t *copy = copy_of((Bytes){golden, sizeof golden}, size);
        assert_int_equal(record_batch_check((Bytes){copy, size}, &info, &err), ERR_CORRUPT);
        mem_free(copy);
    }
}

static void seal_again(uint8_t *batch, uint32_t size) {
    uint32_t crc = hash_crc32c(0, (Bytes){batch + 21, size - 21});
    for (int i = 0; i < 4; i++)
        batch[17 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Whoever writes a right sum over wrong records: walking stays inside and says so. */
static void test_lies_under_a_right_sum(void **state) {
    (void)state;
    Err err;
    RecordBatchInfo info;
    uint64_t seed = 99;
    uint32_t refused = 0, damaged = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t *copy = copy_of((Bytes){golden, sizeof golden}, sizeof golden);
        for (uint64_t changes = 1 + dice(&seed) % 3; changes > 0; changes--)
            copy[21 + dice(&seed) % (sizeof golden - 21)] = (uint8_t)dice(&seed);
        seal_again(copy, sizeof golden);
        Bytes bytes = {copy, sizeof golden};
        if (record_batch_check(bytes, &info, &err) != ERR_OK) {
            refused++;
        } else {
            bool good = record_batch_check_records(bytes, &info, &err) == ERR_OK;
            damaged += !good;
            RecordIter iter;
            LogRecord record;
            RecordHeader headers[8];
            record_iter_init(&iter, bytes);
            uint32_t count = 0;
            while (record_iter_next(&iter, &record)) {
                assert_in_range(record.offset, info.base_offset, INT64_MAX);
                uint32_t got = record_headers_get(record.headers, headers, 8);
                if (good && record.headers.size > 0) /* a one-byte zig-zag count is enough here */
                    assert_int_equal(got, record.headers.data[0] / 2);
                count++;
            }
            if (good)
                assert_int_equal(count, info.count);
        }
        mem_free(copy);
    }
    assert_true(refused > 1000);
    assert_true(damaged > 1000);
}

static void test_a_batch_is_used_again(void **state) {
    (void)state;
    RecordBatch batch = {0};
    add(&batch, 5, "a", "b");
    record_batch_reset(&batch);
    fill_golden(&batch);
    assert_memory_equal(batch.buf.data, golden, sizeof golden);
    record_batch_free(&batch);
    assert_null(batch.buf.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_kafkas),
        cmocka_unit_test(test_golden_is_read),
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_any_flipped_bit_is_seen),
        cmocka_unit_test(test_any_cut_is_seen),
        cmocka_unit_test(test_lies_under_a_right_sum),
        cmocka_unit_test(test_a_batch_is_used_again),
    };
    return cmocka_run_group_tests_name("record_batch", tests, NULL, NULL);
}
