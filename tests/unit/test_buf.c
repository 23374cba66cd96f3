/*
 * test_buf.c - what is put into a Buf is what a Reader takes out, and a Reader never believes more
 * than is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/reader.h"

static void test_integers_have_their_order(void **state) {
    (void)state;
    Buf buf = {0};
    buf_u8(&buf, 0x01);
    buf_u16_be(&buf, 0x0203);
    buf_u32_be(&buf, 0x04050607);
    buf_u64_be(&buf, 0x08090a0b0c0d0e0f);
    buf_u16_le(&buf, 0x0203);
    buf_u32_le(&buf, 0x04050607);
    buf_u64_le(&buf, 0x08090a0b0c0d0e0f);
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                   3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8};
    assert_int_equal(buf.size, sizeof want);
    assert_memory_equal(buf.data, want, sizeof want);
    Reader reader = reader_of(buf_view(&buf));
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_u16_be(&reader), 0x0203);
    assert_int_equal(reader_u32_be(&reader), 0x04050607);
    assert_true(reader_u64_be(&reader) == 0x08090a0b0c0d0e0f);
    assert_int_equal(reader_u16_le(&reader), 0x0203);
    assert_int_equal(reader_u32_le(&reader), 0x04050607);
    assert_true(reader_u64_le(&reader) == 0x08090a0b0c0d0e0f);
    assert_true(reader_ok(&reader));
    assert_int_equal(reader_left(&reader), 0);
    buf_free(&buf);
}

static void test_varints_of_every_length(void **state) {
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int change = -1; change <= 1; change++) {
            uint64_t value = ((uint64_t)1 << shift) + (uint64_t)change;
            Buf buf = {0};
            buf_varint(&buf, value);
            buf_zigzag(&buf, (int64_t)value);
            buf_zigzag(&buf, -(int64_t)(value >> 1));
            Reader reader = reader_of(buf_view(&buf));
            assert_true(reader_varint(&reader) == value);
            assert_true(reader_zigzag(&reader) == (int64_t)value);
            assert_true(reader_zigzag(&reader) == -(int64_t)(value >> 1));
            assert_true(reader_ok(&reader));
            assert_int_equal(reader_left(&reader), 0);
            buf_free(&buf);
        }
    }
}

/* Ten bytes are 70 bits: what does not fit 64 is refused, and so is an end in the middle. */
static void test_varints_that_lie(void **state) {
    (void)state;
    uint8_t bytes[11];
    memset(bytes, 0xff, sizeof bytes);
    for (uint32_t size = 0; size <= 11; size++) {
        Reader reader = reader_of((Bytes){bytes, size});
        assert_int_equal(reader_varint(&reader), 0);
        assert_false(reader_ok(&reader));
    }
    bytes[9] = 1;
    Reader reader = reader_of((Bytes){bytes, 10});
    assert_true(reader_varint(&reader) == UINT64_MAX);
    assert_true(reader_ok(&reader));
    bytes[9] = 2;
    reader = reader_of((Bytes){bytes, 10});
    reader_varint(&reader);
    assert_false(reader_ok(&reader));
}

/* The first read past the end fails the reader for good, and every later one gives zero. */
static void test_a_reader_is_sticky(void **state) {
    (void)state;
    uint8_t *bytes = mem_alloc(6); /* its own, so that ASan sees a step outside */
    memset(bytes, 7, 6);
    Reader reader = reader_of((Bytes){bytes, 6});
    assert_int_equal(reader_u32_le(&reader), 0x07070707);
    assert_int_equal(reader_u32_le(&reader), 0);
    assert_false(reader_ok(&reader));
    assert_int_equal(reader_u8(&reader), 0);
    assert_null(reader_bytes(&reader, 1).data);
    assert_int_equal(reader_count(&reader, 1, 5), 0);
    reader = reader_of((Bytes){bytes, 6});
    assert_int_equal(reader_bytes(&reader, 6).size, 6);
    assert_int_equal(reader_bytes(&reader, 0).size, 0);
    assert_true(reader_ok(&reader));
    assert_null(reader_bytes(&reader, UINT32_MAX).data);
    assert_false(reader_ok(&reader));
    reader = reader_of((Bytes){bytes, 6});
    assert_int_equal(reader_count(&reader, 5, 5), 5);
    assert_true(reader_ok(&reader));
    assert_int_equal(reader_count(&reader, 6, 5), 0);
    assert_false(reader_ok(&reader));
    mem_free(bytes);
}

static void test_a_buf_grows_and_prints(void **state) {
    (void)state;
    Buf buf = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(buf.data, "0,1,2,", 6);
    assert_string_equal(buf_cstr(&buf) + buf.size - 5, ",999,");
    buf_reset(&buf);
    buf_text(&buf, "text");
    buf_bytes(&buf, (Bytes){NULL, 0});
    assert_string_equal(buf_cstr(&buf), "text");
    assert_int_equal(buf_view(&buf).size, 4);
    buf_free(&buf);
    assert_null(buf.data);
    buf_u8(&buf, 1);
    buf_free(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_have_their_order),
        cmocka_unit_test(test_varints_of_every_length),
        cmocka_unit_test(test_varints_that_lie),
        cmocka_unit_test(test_a_reader_is_sticky),
        cmocka_unit_test(test_a_buf_grows_and_prints),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
