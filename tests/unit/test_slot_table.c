/* test_slot_table.c - slots against a model: any mix of changes, submits, settles and undos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"
#include "runtime/outbox.h"
#include "runtime/slot_table.h"
#include <stdio.h>

#include "tests/unit/storage_bench.h"

enum { KEYS = 40 };

typedef struct Model {
    bool present[KEYS];
    uint32_t value[KEYS];
    uint64_t fixed[KEYS];
} Model;

static Bytes key_of(uint32_t number, char text[16]) {
    snprintf(text, 16, "key%u", number);
    return bytes_of(text);
}

static void change(SlotTable *table, Model *model, uint64_t dice) {
    char text[16];
    uint32_t number = (uint32_t)(dice % KEYS);
    Bytes key = key_of(number, text);
    Slot *slot = slot_table_touch(table, hash_bytes(key), key);
    assert_int_equal(slot->present, model->present[number]);
    if (dice >> 20 & 3) {
        uint8_t bytes[300];
        uint32_t value = (uint32_t)(dice >> 32);
        memset(bytes, (int)(value & 0xFF), sizeof bytes);
        slot_table_set_value(table, slot, (Bytes){bytes, value % 300});
        model->value[number] = value;
        model->present[number] = true;
    } else {
        slot_table_drop_value(table, slot);
        model->present[number] = false;
        model->value[number] = 0;
    }
    slot_table_set_present(table, slot, model->present[number]);
    slot->fixed[0] += dice >> 40;
    model->fixed[number] = slot->fixed[0];
}

static void check(const SlotTable *table, const Model *model) {
    char text[16];
    uint64_t present = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        Bytes key = key_of(i, text);
        const Slot *slot = slot_table_find(table, hash_bytes(key), key);
        assert_int_equal(slot && slot->present, model->present[i]);
        present += model->present[i];
        if (!model->present[i])
            continue;
        assert_int_equal(slot->value_size, model->value[i] % 300);
        for (uint32_t k = 0; k < slot->value_size; k++)
            assert_int_equal(slot->value[k], model->value[i] & 0xFF);
        assert_int_equal(slot->fixed[0], model->fixed[i]);
    }
    assert_int_equal(present, table->present_count);
}

/* A key that was absent begins again at zero once its slot is gone. */
static void forget_absent(const SlotTable *table, Model *model) {
    char text[16];
    for (uint32_t i = 0; i < KEYS; i++) {
        Bytes key = key_of(i, text);
        if (!slot_table_find(table, hash_bytes(key), key))
            model->fixed[i] = 0;
    }
}

static void any_mix_of_epochs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        StateLog log;
        SlotTable table;
        Model now = {0}, submitted = {0}, settled = {0};
        state_log_init(&log, 8);
        slot_table_init(&table, &log);
        uint64_t dice = seed;
        for (int i = 0; i < 600; i++) {
            dice = hash_u64(dice + 1);
            uint32_t what = (uint32_t)(dice >> 10 & 31);
            if (what == 0 && !log.submitted) {
                state_log_submit(&log);
                submitted = now;
            } else if (what == 1 && log.submitted) {
                state_log_settle(&log);
                settled = submitted;
            } else if (what == 2) {
                state_log_undo(&log, false);
                now = log.submitted ? submitted : settled;
            } else if (what == 3 && log.submitted) {
                state_log_undo(&log, true);
                now = submitted = settled;
            } else if (what > 3) {
                change(&table, &now, dice);
            }
            if (what <= 3) {
                check(&table, &now);
                forget_absent(&table, &now);
            }
        }
        state_log_undo(&log, true);
        check(&table, &settled);
        slot_table_close(&table);
        state_log_close(&log);
    }
}

/* Memory that is given up is used again: a hot key does not grow the heap. */
static void dropped_memory_comes_back(void **state) {
    (void)state;
    StateLog log;
    SlotTable table;
    state_log_init(&log, 0);
    slot_table_init(&table, &log);
    uint8_t bytes[200] = {0};
    size_t used = 0;
    for (int i = 0; i < 1000; i++) {
        Bytes key = bytes_of("hot");
        Slot *slot = slot_table_touch(&table, hash_bytes(key), key);
        slot_table_set_value(&table, slot, (Bytes){bytes, (uint32_t)(100 + i % 100)});
        slot_table_set_present(&table, slot, true);
        state_log_submit(&log);
        state_log_settle(&log);
        if (i == 200)
            used = arena_used_bytes(table.heap.arena);
    }
    assert_int_equal(arena_used_bytes(table.heap.arena), used);
    slot_table_close(&table);
    state_log_close(&log);
}

/* -- Outbox ------------------------------------------------------------------------------------ */

static void put(Outbox *outbox, uint32_t target, const char *key, const char *value, bool had_old) {
    LogRecord record = {.timestamp = 5, .key = bytes_of(key)};
    if (value)
        record.value = bytes_of(value);
    outbox_put(outbox, target, 0, &record, had_old);
}

static void first_old_last_new_in_order_of_last_change(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic, plain;
    bench_topic(storage, &topic, "T", 1);
    bench_topic(storage, &plain, "U", 1);
    Outbox *outbox = outbox_new();
    for (int round = 0; round < 2; round++) {
        uint32_t target = outbox_target(outbox, topic, 1, true);
        uint32_t other = outbox_target(outbox, plain, 1, false);
        put(outbox, target, "a", "long value 1", false);
        put(outbox, target, "b", "1", false);
        put(outbox, target, "a", "2", true);
        put(outbox, target, "c", "1", false);
        put(outbox, target, "c", NULL, true); /* absent to absent */
        put(outbox, target, "d", "1", true);
        put(outbox, target, "d", NULL, true);
        put(outbox, target, "b", "a much longer value than before", true);
        put(outbox, other, "x", "1", true);
        put(outbox, other, "x", "2", true);
        assert_true(outbox_bytes(outbox) > 0);
        if (round == 0) {
            outbox_clear(outbox); /* the first round is undone */
            assert_int_equal(outbox_bytes(outbox), 0);
            continue;
        }
        Commit *commit = commit_new(storage, 1);
        outbox_save(outbox, commit);
        assert_int_equal(outbox_bytes(outbox), 0);
        CHECK_OK(commit_wait(commit, NULL, err));
    }
    assert_string_equal(bench_log(storage, (TopicPartition){topic, 0}, 0),
                        "0:2 1: 2:a much longer value than before");
    assert_string_equal(bench_log(storage, (TopicPartition){plain, 0}, 0), "0:1 1:2");
    outbox_free(outbox);
    storage_close(storage);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_mix_of_epochs),
        cmocka_unit_test(dropped_memory_comes_back),
        cmocka_unit_test(first_old_last_new_in_order_of_last_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
