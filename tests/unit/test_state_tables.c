/* test_state_tables.c - the shapes "pair" and "foreign" against models: any mix of changes, epochs,
 * undo and restarts. */
#include "runtime/state_foreign.h"
#include "runtime/state_pair.h"
#include "tests/unit/state_world.h"

enum { KEYS = 12, STORE = 88 };

typedef struct Row {
    uint32_t value; /* 0: absent */
    int64_t rowtime;
} Row;

/* Of a pair: by side and key. Of a foreign: rights by key, lefts by foreign key and left key. */
typedef struct Model {
    Row sides[2][KEYS];
    Row lefts[KEYS][KEYS];
} Model;

typedef struct World {
    StateWorld base; /* must be first */
    bool is_pair;
    StatePair *pair;       /* one of them is base.state */
    StateForeign *foreign;
    Model now, submitted, settled;
} World;

static uint64_t roll(World *world) {
    return world_roll(&world->base);
}

static Bytes key_of(const char *prefix, uint32_t number, char text[16]) {
    snprintf(text, 16, "%s%02u", prefix, number);
    return bytes_of(text);
}

static void open_state(StateWorld *base) {
    World *world = (World *)base;
    Snapshot *snapshot = snapshot_open(base->storage);
    StateSpec spec = {NULL, STORE, snapshot};
    if (world->is_pair) {
        CHECK_OK(state_pair_new(&spec, 1, &world->pair, err));
        base->state = &world->pair->state;
    } else {
        CHECK_OK(state_foreign_new(&spec, &world->foreign, err));
        base->state = &world->foreign->state;
    }
    snapshot_close(snapshot);
}

/* -- Changes, to both -------------------------------------------------------------------------- */

static Row next_row(World *world) {
    if (roll(world) % 3 == 0)
        return (Row){0, 0};
    uint32_t value = ++world->base.next_value;
    return (Row){value, (int64_t)(roll(world) % 1000)};
}

static void check_bytes(Bytes bytes, Row want) {
    uint8_t expected[WORLD_VALUE_BYTES];
    Bytes value = world_value(want.value, expected);
    assert_int_equal(bytes.size, value.size);
    assert_memory_equal(bytes.data, value.data, value.size);
}

static void change_pair(World *world) {
    char text[16];
    uint8_t bytes[WORLD_VALUE_BYTES];
    uint32_t side = roll(world) % 2, number = (uint32_t)(roll(world) % KEYS);
    Row row = next_row(world), *model = &world->now.sides[side][number];
    Bytes key = key_of("k", number, text);
    Slot *slot = slot_table_touch(&world->pair->slots, hash_bytes(key), key);
    const PairSide *there = state_pair_side(slot, side);
    assert_int_equal(there->present, model->value != 0);
    Bytes before = pair_side_bytes(there);
    Row was = *model;
    if (row.value)
        state_pair_set(world->pair, slot, side, world_value(row.value, bytes), row.rowtime);
    else
        state_pair_drop(world->pair, slot, side);
    *model = row;
    if (was.value) /* still readable */
        check_bytes(before, was);
}

static void change_right(World *world) {
    char text[16];
    uint8_t bytes[WORLD_VALUE_BYTES];
    uint32_t number = (uint32_t)(roll(world) % KEYS);
    Row row = next_row(world);
    Bytes key = key_of("f", number, text);
    SlotTable *rights = &world->foreign->rights;
    Slot *slot = slot_table_touch(rights, hash_bytes(key), key);
    assert_int_equal(slot->present, world->now.sides[0][number].value != 0);
    if (row.value)
        slot_table_set_value(rights, slot, world_value(row.value, bytes));
    else
        slot_table_drop_value(rights, slot);
    state_foreign_set_right(world->foreign, slot, row.value != 0);
    slot->rowtime = row.rowtime;
    world->now.sides[0][number] = row;
}

static void change_left(World *world) {
    char foreign_text[16], text[16], both[32];
    uint8_t bytes[WORLD_VALUE_BYTES];
    uint32_t number = (uint32_t)(roll(world) % KEYS), left = (uint32_t)(roll(world) % KEYS);
    Row row = next_row(world);
    Bytes foreign_key = key_of("f", number, foreign_text);
    key_of("p", left, text);
    snprintf(both, sizeof both, "%s%s", foreign_text, text);
    ForeignKey key = {bytes_of(both), hash_bytes(bytes_of(both)), foreign_key.size,
                      hash_bytes(foreign_key)};
    ForeignLeft change = {.value = world_value(row.value, bytes), .rowtime = row.rowtime,
                          .version = row.value};
    if (row.value)
        check_bytes(state_foreign_put(world->foreign, &key, &change), row);
    else
        state_foreign_remove(world->foreign, &key);
    world->now.lefts[number][left] = row;
}

/* -- Comparing --------------------------------------------------------------------------------- */

static void check_pair(const World *world) {
    char text[16];
    uint64_t present = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        Bytes key = key_of("k", i, text);
        Slot *slot = slot_table_find(&world->pair->slots, hash_bytes(key), key);
        bool any = world->now.sides[0][i].value || world->now.sides[1][i].value;
        assert_int_equal(slot && slot->present, any);
        present += any;
        for (uint32_t side = 0; any && side < 2; side++) {
            const PairSide *there = state_pair_side(slot, side);
            Row want = world->now.sides[side][i];
            assert_int_equal(there->present, want.value != 0);
            if (!want.value)
                continue;
            check_bytes(pair_side_bytes(there), want);
            assert_int_equal(there->rowtime, want.rowtime);
        }
    }
    assert_int_equal(present, world->pair->slots.present_count);
}

static void check_lefts(const World *world, uint32_t number) {
    char text[16], foreign_text[16];
    size_t count, at = 0;
    Bytes foreign_key = key_of("f", number, foreign_text);
    const ForeignLeft *lefts =
        state_foreign_lefts(world->foreign, foreign_key, hash_bytes(foreign_key), &count);
    for (uint32_t i = 0; i < KEYS; i++) {
        Row want = world->now.lefts[number][i];
        if (!want.value)
            continue;
        assert_true(at < count);
        assert_true(bytes_equal(lefts[at].key, key_of("p", i, text)));
        check_bytes(lefts[at].value, want);
        assert_int_equal(lefts[at].rowtime, want.rowtime);
        assert_int_equal(lefts[at++].version, want.value);
    }
    assert_int_equal(at, count);
}

static void check_foreign(const World *world) {
    char text[16];
    for (uint32_t i = 0; i < KEYS; i++) {
        Bytes key = key_of("f", i, text);
        const Slot *slot = slot_table_find(&world->foreign->rights, hash_bytes(key), key);
        Row want = world->now.sides[0][i];
        assert_int_equal(slot && slot->present, want.value != 0);
        if (want.value) {
            check_bytes((Bytes){slot->value, slot->value_size}, want);
            assert_int_equal(slot->rowtime, want.rowtime);
        }
        check_lefts(world, i);
    }
}

/* Left rows without a right one. */
static void check_unmatched(const World *world) {
    StateFigures figures;
    uint64_t want = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        const Row *left = &world->now.sides[0][i], *right = &world->now.sides[1][i];
        if (world->is_pair)
            want += left->value && !right->value;
        for (uint32_t k = 0; !world->is_pair && k < KEYS && !left->value; k++)
            want += world->now.lefts[i][k].value != 0;
    }
    world->base.state->ops->figures(world->base.state, &figures);
    assert_int_equal(figures.unmatched, want);
}

/* -- Epochs ------------------------------------------------------------------------------------ */

static void step(World *world) {
    uint64_t dice = roll(world) % 100;
    if (dice < 84 && world->is_pair)
        change_pair(world);
    else if (dice < 24)
        change_right(world);
    else if (dice < 84)
        change_left(world);
    else if (dice < 90)
        world_submit(&world->base);
    else if (dice < 94)
        world_settle(&world->base);
    else if (dice < 97)
        world_undo(&world->base, dice == 94);
    else if (dice == 97)
        world_restart(&world->base);
    if (world->is_pair)
        check_pair(world);
    else
        check_foreign(world);
    check_unmatched(world);
}

static void like_the_model(bool is_pair) {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        World *world = mem_alloc(sizeof *world);
        world->is_pair = is_pair;
        world->base = (StateWorld){.open = open_state, .now = &world->now,
                                   .submitted = &world->submitted, .settled = &world->settled,
                                   .model_size = sizeof(Model)};
        world_begin(&world->base, seed);
        for (int i = 0; i < 700; i++)
            step(world);
        world_restart(&world->base);
        step(world);
        world_end(&world->base);
        mem_free(world);
    }
}

static void pairs_are_like_the_model(void **state) {
    (void)state;
    like_the_model(true);
}

static void foreigns_are_like_the_model(void **state) {
    (void)state;
    like_the_model(false);
}

/* Bytes of foreign entries that are no such entries do not load. */
static void damage_is_seen(void **state) {
    static const struct {
        const char *key;
        uint32_t size;
    } keys[] = {{"\x02zz", 3}, {"\x01", 1}, {"\x01kk", 3}};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        Io *io = io_mem_new();
        Storage *storage = bench_open(io, NULL);
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, STORE, (Bytes){(const uint8_t *)keys[i].key, keys[i].size},
                   (Bytes){(const uint8_t *)"\x02", 1});
        CHECK_OK(commit_wait(commit, NULL, err));
        Snapshot *snapshot = snapshot_open(storage);
        StateSpec spec = {NULL, STORE, snapshot};
        StateForeign *foreign;
        CHECK_CODE(ERR_CORRUPT, state_foreign_new(&spec, &foreign, err));
        if (i < 2) {
            StatePair *pair;
            CHECK_CODE(ERR_CORRUPT, state_pair_new(&spec, 1, &pair, err));
        }
        snapshot_close(snapshot);
        storage_close(storage);
        io_mem_free(io);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_like_the_model),
        cmocka_unit_test(foreigns_are_like_the_model),
        cmocka_unit_test(damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
