/*
 * test_growing.c - states with elements and blocks under epochs: any mix of updates, merges,
 * submits, settles and undos, and a store that only ever gets what the notes say.
 *
 * What an undo brings back and what a start loads is compared with the results of the moment it
 * goes back to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"
#include "runtime/slot_table.h"
#include "tests/unit/expr_build.h"
#include "udf/aggregate.h"

enum { GROUPS = 3, CALLS = 12, STATE_BYTES = 128, ENTRIES_MAX = 20000, VALUES = 12 };

static const struct {
    const char *name;
    int literal; /* 0: none */
} call_rows[CALLS] = {{"COLLECT_LIST", 0}, {"COLLECT_SET", 0},          {"COUNT_DISTINCT", 0},
                      {"ATTR", 0},         {"HISTOGRAM", 0},            {"TOPK", 3},
                      {"TOPKDISTINCT", 2}, {"LATEST_BY_OFFSET", 0},     {"EARLIEST_BY_OFFSET", 2},
                      {"MAX", 0},          {"MIN", 0},                  {"MAX", 0}};

enum { TABLE_CALLS_FROM = 10 }; /* these take values back */

static AggregateMatch matches[CALLS];
static AggregateLimits limits[CALLS];
static const Column *values;

/* What a disk would hold: groups, then elements. */
typedef struct Entry {
    uint64_t id; /* of the state; 0: a group */
    Bytes key, value;
} Entry;

typedef struct Store {
    Entry entries[ENTRIES_MAX];
    uint32_t count;
} Store;

typedef struct World {
    StateLog log;
    SlotTable table;
    Store settled, submitted;
    char *texts[GROUPS * CALLS];           /* results now */
    char *texts_settled[GROUPS * CALLS];   /* as of the last settle */
    char *texts_submitted[GROUPS * CALLS]; /* as of the last submit */
} World;

static void never_fails(void *context, uint32_t row, const char *format, ...) {
    (void)context;
    (void)row;
    fail_msg("%s", format);
}

static Bytes group_key(uint32_t group) {
    static const char *const keys[GROUPS] = {"a", "b", "c"};
    return bytes_of(keys[group]);
}

static void *state_of(Slot *slot, uint32_t call) {
    return (uint8_t *)slot->fixed + (size_t)call * STATE_BYTES;
}

static AggregateCall make_call(World *world, void **states, uint32_t call) {
    return (AggregateCall){.states = states, .count = 1, .args = &values, .arg_count = 1,
                           .limits = limits[call], .heap = &world->table.blobs,
                           .arena = build_arena, .fail = never_fails};
}

static char *result(World *world, uint32_t group, uint32_t number) {
    Bytes key = group_key(group);
    Slot *slot = slot_table_find(&world->table, hash_bytes(key), key);
    if (!slot || !slot->present)
        return arena_strdup(build_arena, "-");
    void *states[] = {state_of(slot, number)};
    AggregateCall call = make_call(world, states, number);
    call.after = column_new(build_arena, matches[number].result, 1);
    matches[number].aggregate->ops->result(&call);
    return arena_strdup(build_arena, build_text(call.after));
}

static void read_texts(World *world, char **texts) {
    for (uint32_t i = 0; i < GROUPS * CALLS; i++)
        texts[i] = result(world, i / CALLS, i % CALLS);
}

static void same_texts(char *const *left, char *const *right) {
    for (uint32_t i = 0; i < GROUPS * CALLS; i++)
        assert_string_equal(left[i], right[i]);
}

static Slot *touch(World *world, uint32_t group) {
    Bytes key = group_key(group);
    Slot *slot = slot_table_touch(&world->table, hash_bytes(key), key);
    slot_table_set_present(&world->table, slot, true);
    return slot;
}

static void update(World *world, uint64_t dice) {
    Slot *slot = touch(world, (uint32_t)(dice % GROUPS));
    uint16_t row = (uint16_t)(dice >> 8 & 0xFF) % VALUES;
    int8_t sign = (dice >> 16 & 3) == 0 ? -1 : 1;
    for (uint32_t i = 0; i < CALLS; i++) {
        void *states[] = {state_of(slot, i)};
        int8_t own = matches[i].aggregate->undo ? sign : 1;
        AggregateCall call = make_call(world, states, i);
        call.rows = &row;
        call.signs = &own;
        call.before = column_new(build_arena, matches[i].result, 1);
        matches[i].aggregate->ops->update(&call);
    }
}

/* One group takes all of another, which is at birth again. */
static void merge(World *world, uint64_t dice) {
    uint32_t into = (uint32_t)(dice % GROUPS), from = (into + 1) % GROUPS;
    Slot *target = touch(world, into), *source = touch(world, from);
    for (uint32_t i = 0; i < CALLS; i++) {
        const Type *type = values->type;
        AggregateMerge call = {.into = state_of(target, i), .from = state_of(source, i),
                               .arg_types = &type, .arg_count = 1, .limits = limits[i],
                               .heap = &world->table.blobs, .fail = never_fails};
        matches[i].aggregate->ops->merge(&call);
        memset(call.from, 0, STATE_BYTES);
    }
}

static void forget(World *world, uint64_t dice) {
    Slot *slot = touch(world, (uint32_t)(dice % GROUPS));
    for (uint32_t i = 0; i < CALLS; i++) {
        static const uint8_t zeros[STATE_BYTES];
        const AggregateOps *ops = matches[i].aggregate->ops;
        if (ops->forget)
            ops->forget(state_of(slot, i), &world->table.blobs);
        assert_memory_equal(state_of(slot, i), zeros, matches[i].aggregate->state_size);
    }
}

/* -- The store -------------------------------------------------------------------------------- */

static void store_put(Store *store, uint64_t id, Bytes key, const Bytes *value) {
    uint32_t i = 0;
    while (i < store->count &&
           (store->entries[i].id != id || !bytes_equal(store->entries[i].key, key)))
        i++;
    if (!value) {
        if (i < store->count)
            store->entries[i] = store->entries[--store->count];
        return;
    }
    assert_true(i < ENTRIES_MAX);
    store->count += i == store->count;
    store->entries[i] = (Entry){id, arena_bytes(build_arena, key),
                                arena_bytes(build_arena, *value)};
}

static void submit(World *world) {
    world->submitted = world->settled;
    size_t at = 0;
    StateNote note;
    Bytes key, value;
    while (state_log_next_note(&world->log, &at, &note, &key, &value))
        store_put(&world->submitted, note.id, key,
                  note.value_size == STATE_NOTE_GONE ? NULL : &value);
    at = 0;
    for (StateImage image; state_log_next(&world->log, &world->log.running, &at, &image);) {
        Buf buf = {0};
        for (uint32_t i = 0; i < CALLS; i++)
            matches[i].aggregate->ops->save(state_of(image.slot, i), &buf);
        Bytes saved = buf_view(&buf);
        store_put(&world->submitted, 0, (Bytes){image.slot->key, image.slot->key_size}, &saved);
        buf_free(&buf);
    }
    read_texts(world, world->texts_submitted);
    state_log_submit(&world->log);
}

static void settle(World *world) {
    world->settled = world->submitted;
    memcpy(world->texts_settled, world->texts_submitted, sizeof world->texts_settled);
    state_log_settle(&world->log);
}

static int compare_entries(const void *left_void, const void *right_void) {
    const Entry *left = left_void, *right = right_void;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    return bytes_compare(left->key, right->key);
}

static void load_element(World *world, const Entry *entry) {
    for (uint32_t i = 0; i < GROUPS * CALLS; i++) {
        Bytes key = group_key(i / CALLS);
        Slot *slot = slot_table_find(&world->table, hash_bytes(key), key);
        const AggregateOps *ops = matches[i % CALLS].aggregate->ops;
        if (!slot || !ops->id || ops->id(state_of(slot, i % CALLS)) != entry->id)
            continue;
        assert_true(ops->load_element(state_of(slot, i % CALLS), entry->key, entry->value,
                                      &world->table.blobs));
        return;
    }
    fail_msg("an element of nobody");
}

static void world_open(World *world) {
    state_log_init(&world->log, CALLS * STATE_BYTES);
    slot_table_init(&world->table, &world->log);
    Store *store = &world->settled;
    if (store->count > 0)
        qsort(store->entries, store->count, sizeof *store->entries, compare_entries);
    for (uint32_t i = 0; i < store->count; i++) {
        const Entry *entry = &store->entries[i];
        if (entry->id > 0) {
            load_element(world, entry);
            continue;
        }
        Slot *slot = slot_table_load(&world->table, hash_bytes(entry->key), entry->key);
        Reader in = reader_of(entry->value);
        for (uint32_t k = 0; k < CALLS; k++)
            assert_true(matches[k].aggregate->ops->load(&in, state_of(slot, k),
                                                        &world->table.blobs));
        assert_int_equal(reader_left(&in), 0);
    }
    state_log_loaded(&world->log);
}

static void world_close(World *world) {
    slot_table_close(&world->table);
    state_log_close(&world->log);
}

/* -- The walk --------------------------------------------------------------------------------- */

static uint64_t roll(uint64_t *seed) {
    *seed = hash_u64(*seed + 1);
    return *seed;
}

static void end_epoch(World *world, uint64_t dice) {
    if (world->log.submitted && (dice & 3) == 0) {
        settle(world);
    } else if (world->log.submitted && (dice & 3) == 1) {
        state_log_undo(&world->log, true);
        read_texts(world, world->texts);
        same_texts(world->texts, world->texts_settled);
    } else if ((dice & 3) == 2) {
        state_log_undo(&world->log, false);
        read_texts(world, world->texts);
        same_texts(world->texts,
                   world->log.submitted ? world->texts_submitted : world->texts_settled);
    } else if (!world->log.submitted) {
        submit(world);
    }
}

static void restart(World *world) {
    world_close(world);
    world_open(world);
    read_texts(world, world->texts);
    same_texts(world->texts, world->texts_settled);
}

static void epochs_and_restarts(void **state) {
    (void)state;
    World *world = arena_alloc(build_arena, sizeof *world);
    world_open(world);
    read_texts(world, world->texts_settled);
    uint64_t seed = 7;
    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t dice = roll(&seed);
        if (dice % 97 == 0)
            merge(world, dice >> 8);
        else if (dice % 89 == 0)
            forget(world, dice >> 8);
        else if (dice % 11 == 0)
            end_epoch(world, dice >> 8);
        else if (dice % 101 == 0)
            restart(world);
        else
            update(world, dice >> 8);
    }
    if (world->log.submitted)
        settle(world);
    submit(world);
    settle(world);
    restart(world);
    world_close(world);
}

/* A commit holds what changed: one value more in a long list is one note more. */
static void notes_are_changes(void **state) {
    (void)state;
    World *world = arena_alloc(build_arena, sizeof *world);
    world_open(world);
    for (uint64_t i = 0; i < 2000; i++)
        update(world, (i % VALUES) << 8 | 1 << 16);
    submit(world);
    settle(world);
    assert_true(world->settled.count > 2000);
    update(world, 3 << 8 | 1 << 16);
    assert_true(state_log_pending(&world->log) < 1000);
    size_t at = 0, lists = 0;
    StateNote note;
    Bytes key, value;
    while (state_log_next_note(&world->log, &at, &note, &key, &value))
        lists++;
    assert_true(lists >= 1 && lists <= 5);
    world_close(world);
}

static int setup(void **state) {
    (void)state;
    build_arena = arena_new("test", 0);
    values = build_column(&type_string, "a|b|null|dd|e|ff|pear|apple|z|null|fig|oak");
    for (uint32_t i = 0; i < CALLS; i++) {
        const Type *types[] = {&type_string, &type_int};
        Err err;
        uint32_t count = call_rows[i].literal ? 2 : 1;
        if (aggregate_resolve(call_rows[i].name, types, count, build_arena, &matches[i], &err) !=
            ERR_OK)
            fail_msg("%s", err.message);
        if (i >= TABLE_CALLS_FROM)
            matches[i].aggregate = aggregate_of_table(matches[i].aggregate);
        assert_true(matches[i].aggregate->state_size <= STATE_BYTES);
        Column *literal = column_new(build_arena, &type_int, 1);
        literal->i32[0] = call_rows[i].literal;
        column_set_present(literal, 0);
        const Column **literals = arena_array(build_arena, 1, sizeof *literals);
        literals[0] = literal;
        limits[i] = (AggregateLimits){literals, call_rows[i].literal ? 1 : 0, 0};
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(build_arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(epochs_and_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(notes_are_changes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
