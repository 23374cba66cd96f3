/* test_spare_memory.c - memory that commits and blocks hand on: what is kept, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "storage/spare_memory_impl.h"

enum { MIB = 1 << 20 };

static void test_used_again(void **state) {
    (void)state;
    SpareMemory spare;
    spare_memory_init(&spare);
    size_t capacity, again;
    uint8_t *memory = spare_memory_take(&spare, 2 * MIB + 1, &capacity);
    assert_true(capacity > 2 * MIB && capacity % SPARE_MEMORY_STEP == 0);
    memory[capacity - 1] = 7;
    spare_memory_give(&spare, memory, capacity);
    assert_int_equal(spare.count, 1);
    assert_ptr_equal(spare_memory_take(&spare, 2 * MIB, &again), memory);
    assert_int_equal(again, capacity);
    assert_int_equal(spare.bytes, 0);
    spare_memory_give(&spare, memory, capacity);
    spare_memory_close(&spare);
}

static void test_only_what_fits(void **state) {
    (void)state;
    SpareMemory spare;
    spare_memory_init(&spare);
    size_t large, small, capacity;
    uint8_t *memory = spare_memory_take(&spare, 4 * MIB, &large);
    spare_memory_give(&spare, memory, large);
    uint8_t *other = spare_memory_take(&spare, MIB, &small);
    assert_int_equal(spare.count, 1); /* 4 MiB are too many for one */
    uint8_t *larger = spare_memory_take(&spare, 4 * MIB + 1, &capacity);
    assert_int_equal(spare.count, 1); /* and too few */
    assert_true(capacity > 4 * MIB);
    mem_free(other);
    mem_free(larger);
    spare_memory_clear(&spare);
    assert_int_equal(spare.count, 0);
    spare_memory_close(&spare);
}

static void test_limits(void **state) {
    (void)state;
    SpareMemory spare;
    spare_memory_init(&spare);
    spare_memory_give(&spare, mem_alloc(100), 100); /* not worth keeping */
    spare_memory_give(&spare, NULL, 0);
    spare_memory_give(NULL, mem_alloc(100), MIB); /* nobody keeps it */
    assert_int_equal(spare.count, 0);
    for (int i = 0; i < SPARE_MEMORY_BYTES_MAX / (8 * MIB) + 1; i++)
        spare_memory_give(&spare, mem_resize(NULL, 8 * MIB), 8 * MIB);
    assert_int_equal(spare.bytes, SPARE_MEMORY_BYTES_MAX);
    spare_memory_close(&spare);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_again),
        cmocka_unit_test(test_only_what_fits),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
