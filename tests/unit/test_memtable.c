/* test_memtable.c - the ordered map against a sorted array, with snapshots held across changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "storage/memtable_impl.h"
#include "tests/unit/dice.h"

enum { KEYS = 600, STEPS = 12000, SNAPSHOTS = 4 };

typedef struct Expected {
    uint32_t values[KEYS]; /* 0: absent */
} Expected;

/* Keys of different lengths, with long shared beginnings; in the order of their index. */
static Bytes make_key(uint32_t index, Buf *buf) {
    static const char *const heads[] = {"", "a", "aaaaaaaaaaaaaaaaaaaaaaaa", "b"};
    buf_reset(buf);
    uint32_t head = index / (KEYS / 4), rest = index % (KEYS / 4);
    buf_text(buf, heads[head]);
    if (head == 0) {
        buf_u8(buf, 0);
        buf_u8(buf, (uint8_t)rest);
    } else if (head == 1) {
        buf_u8(buf, (uint8_t)(rest / 2)); /* below 'a', so before the third head */
        if (rest % 2 == 1)
            buf_u8(buf, 0);
    } else {
        buf_u32_be(buf, rest);
    }
    return buf_view(buf);
}

static Bytes make_value(uint32_t number, Buf *buf) {
    buf_reset(buf);
    buf_u32_le(buf, number);
    for (uint32_t i = 0; i < number % 97; i++)
        buf_u8(buf, (uint8_t)number);
    return buf_view(buf);
}

static void check(const MemNode *root, const Expected *expected) {
    Buf key = {0}, value = {0};
    MemIter iter;
    uint32_t from = below(KEYS);
    mem_iter_seek(&iter, root, make_key(from, &key));
    for (uint32_t i = from; i < KEYS; i++) {
        Bytes found_key, found;
        if (expected->values[i] == 0)
            continue;
        assert_true(mem_iter_next(&iter, &found_key, &found));
        assert_true(bytes_equal(found_key, make_key(i, &key)));
        assert_true(bytes_equal(found, make_value(expected->values[i], &value)));
    }
    Bytes rest_key, rest;
    assert_false(mem_iter_next(&iter, &rest_key, &rest));
    for (uint32_t i = 0; i < KEYS; i += 1 + below(9)) {
        Bytes found;
        bool there = mem_node_get(root, make_key(i, &key), &found);
        assert_int_equal(there, expected->values[i] != 0);
        if (there)
            assert_true(bytes_equal(found, make_value(expected->values[i], &value)));
    }
    buf_free(&key);
    buf_free(&value);
}

static void change(Memtable *table, Expected *expected, uint32_t step) {
    Buf key = {0}, value = {0};
    uint32_t index = below(KEYS), kind = below(40);
    if (kind < 24) {
        memtable_put(table, make_key(index, &key), make_value(step + 1, &value));
        expected->values[index] = step + 1;
    } else if (kind < 38) {
        bool there = memtable_remove(table, make_key(index, &key));
        assert_int_equal(there, expected->values[index] != 0);
        expected->values[index] = 0;
    } else {
        uint32_t end = index + below(below(10) == 0 ? KEYS : 20);
        Bytes key_max = {NULL, 0};
        if (end < KEYS)
            key_max = make_key(end, &value);
        memtable_remove_range(table, make_key(index, &key), key_max);
        for (uint32_t i = index; i < end && i < KEYS; i++)
            expected->values[i] = 0;
    }
    buf_free(&key);
    buf_free(&value);
}

static void equals_sorted_array(void **state) {
    (void)state;
    dice_state = 7;
    Memtable table = {0};
    Expected expected = {{0}}, held[SNAPSHOTS];
    MemNode *roots[SNAPSHOTS] = {NULL};
    bool taken[SNAPSHOTS] = {false};
    for (uint32_t step = 0; step < STEPS; step++) {
        change(&table, &expected, step);
        if (step % 61 != 0)
            continue;
        uint32_t slot = below(SNAPSHOTS);
        if (taken[slot]) {
            check(roots[slot], &held[slot]);
            mem_node_unref(roots[slot]);
        }
        roots[slot] = memtable_share(&table);
        held[slot] = expected;
        taken[slot] = true;
        check(table.root, &expected);
        uint64_t count = 0;
        for (uint32_t i = 0; i < KEYS; i++)
            count += expected.values[i] != 0;
        assert_int_equal(table.entries, count);
    }
    for (uint32_t i = 0; i < SNAPSHOTS; i++)
        mem_node_unref(roots[i]);
    memtable_remove_range(&table, (Bytes){NULL, 0}, (Bytes){NULL, 0});
    assert_null(table.root);
    assert_int_equal(table.bytes, 0);
    memtable_clear(&table);
}

static void sorted_keys_fill_nodes(void **state) {
    (void)state;
    Memtable table = {0};
    Buf key = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        buf_reset(&key);
        buf_u32_be(&key, i);
        memtable_put(&table, buf_view(&key), (Bytes){NULL, 0});
    }
    assert_int_equal(table.entries, 20000);
    assert_int_equal(table.bytes, 80000);
    MemIter iter;
    Bytes found, value;
    mem_iter_seek(&iter, table.root, (Bytes){NULL, 0});
    for (uint32_t i = 0; i < 20000; i++) {
        buf_reset(&key);
        buf_u32_be(&key, i);
        assert_true(mem_iter_next(&iter, &found, &value));
        assert_true(bytes_equal(found, buf_view(&key)));
    }
    memtable_clear(&table);
    buf_free(&key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_sorted_array),
        cmocka_unit_test(sorted_keys_fill_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
