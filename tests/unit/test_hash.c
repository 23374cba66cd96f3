/*
 * test_hash.c - the hashes are the ones that Kafka, iSCSI and xxHash mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

/* RFC 3720 B.4 and the usual check value. */
static void test_crc32c_is_castagnoli(void **state) {
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(hash_crc32c(0, bytes_of("123456789")), 0xe3069283);
    assert_int_equal(hash_crc32c(0, (Bytes){bytes, 32}), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(hash_crc32c(0, (Bytes){bytes, 32}), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(hash_crc32c(0, (Bytes){bytes, 32}), 0x46dd794e);
    assert_int_equal(hash_crc32c(0, (Bytes){bytes, 0}), 0);
}

static void test_crc32c_goes_on_anywhere(void **state) {
    (void)state;
    uint8_t bytes[100];
    for (uint8_t i = 0; i < 100; i++)
        bytes[i] = (uint8_t)(i * 37);
    uint32_t whole = hash_crc32c(0, (Bytes){bytes, 100});
    for (uint32_t cut = 0; cut <= 100; cut++) {
        uint32_t crc = hash_crc32c(0, (Bytes){bytes, cut});
        assert_int_equal(hash_crc32c(crc, (Bytes){bytes + cut, 100 - cut}), whole);
    }
}

static uint32_t crc_bit_by_bit(Bytes bytes) {
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
    }
    return ~crc;
}

/* Sizes around what the lanes take; at odd addresses, too. */
static void test_crc32c_of_long_runs(void **state) {
    (void)state;
    static uint8_t bytes[3 * 2048 + 3 * 256 + 40];
    static const uint32_t sizes[] = {767, 768, 769, 1536, 6143, 6144, 6145, 6912, 6943};
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i >> 3 ^ i * 131);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Bytes run = {bytes + i % 8, sizes[i]};
        assert_int_equal(hash_crc32c(0, run), crc_bit_by_bit(run));
    }
}

/* Values that Kafka's own tests use (signed there). */
static void test_murmur2_is_kafkas(void **state) {
    (void)state;
    assert_int_equal((int32_t)hash_murmur2(bytes_of("21")), -973932308);
    assert_int_equal((int32_t)hash_murmur2(bytes_of("foobar")), -790332482);
    assert_int_equal((int32_t)hash_murmur2(bytes_of("a-little-bit-long-string")), -985981536);
    assert_int_equal((int32_t)hash_murmur2(bytes_of("a-little-bit-longer-string")), -1486304829);
    assert_int_equal((int32_t)hash_murmur2(
                         bytes_of("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
                     -58897971);
    assert_int_equal((int32_t)hash_murmur2(bytes_of("abc")), 479470107);
    assert_int_equal(hash_partition(bytes_of("21"), 10),
                     ((uint32_t)-973932308 & 0x7fffffff) % 10);
}

static void test_xxh3_is_xxh3(void **state) {
    (void)state;
    assert_true(hash_bytes((Bytes){(const uint8_t *)"", 0}) == 0x2d06800538d394c2U);
    assert_true(hash_bytes(bytes_of("a")) == 0xe6c632b61e964e1fU);
}

/* Long runs go another way on some CPUs, to the same sums. */
static void test_xxh3_of_long_runs(void **state) {
    (void)state;
    static uint8_t bytes[5000];
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (uint32_t size = 200; size < sizeof bytes; size += 97)
        assert_true(hash_bytes((Bytes){bytes + size % 4, size - 4}) ==
                    XXH3_64bits(bytes + size % 4, size - 4));
}

/* Every bit of the input moves about half of the output's bits. */
static void test_an_integer_is_mixed(void **state) {
    (void)state;
    for (uint64_t value = 0; value < 200; value++) {
        for (int bit = 0; bit < 64; bit++) {
            uint64_t change = hash_u64(value) ^ hash_u64(value ^ 1ULL << bit);
            assert_in_range(__builtin_popcountll(change), 8, 56);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c_is_castagnoli),
        cmocka_unit_test(test_crc32c_goes_on_anywhere),
        cmocka_unit_test(test_crc32c_of_long_runs),
        cmocka_unit_test(test_murmur2_is_kafkas),
        cmocka_unit_test(test_xxh3_is_xxh3),
        cmocka_unit_test(test_xxh3_of_long_runs),
        cmocka_unit_test(test_an_integer_is_mixed),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
