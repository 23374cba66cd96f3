/* test_state_join.c - the shape "join" against a model: rows of two sides, rows that wait, epochs,
 * undo, expiry, restarts. */
#include "runtime/state_join.h"

#include "tests/unit/state_world.h"

enum { KEYS = 5, ROWS = 600, WAITING = 40, SPAN = 50, RETENTION = 400, STORE = 77 };

typedef struct ModelRow {
    uint32_t key, value;
    int64_t rowtime;
} ModelRow;

typedef struct Model {
    ModelRow rows[2][ROWS]; /* in order of arrival */
    uint32_t row_count[2];
    JoinTimes times;
    uint32_t waiting[WAITING]; /* value; 0: not there */
} Model;

typedef struct World {
    StateWorld base; /* must be first */
    StateJoin *join;
    Model now, submitted, settled;
    int64_t clock;
} World;

static uint64_t roll(World *world) {
    return world_roll(&world->base);
}

static Bytes key_of(uint32_t number, char text[16]) {
    snprintf(text, 16, "key%u", number);
    return bytes_of(text);
}

static void open_state(StateWorld *base) {
    World *world = (World *)base;
    Snapshot *snapshot = snapshot_open(base->storage);
    StateJoinSpec spec = {STORE, snapshot, SPAN, RETENTION, SPAN};
    CHECK_OK(state_join_new(&spec, &world->join, err));
    base->state = &world->join->state;
    snapshot_close(snapshot);
}

/* -- Changes, to both -------------------------------------------------------------------------- */

static void add_row(World *world) {
    char text[16];
    uint8_t bytes[WORLD_VALUE_BYTES];
    uint32_t side = roll(world) % 2, key = (uint32_t)(roll(world) % KEYS);
    uint64_t dice = roll(world) % 100;
    world->clock += dice < 2 ? 300 : (int64_t)(dice % 7);
    int64_t rowtime = world->clock - (int64_t)(dice < 60 ? 0 : roll(world) % (RETENTION + 100));
    if (dice > 90 && world->now.times.side[side] > 0) /* at the edge of what is kept */
        rowtime = world->now.times.side[side] - RETENTION + (int64_t)(dice % 3);
    if (rowtime < 0)
        rowtime = 0;
    uint32_t value = ++world->base.next_value;
    Model *now = &world->now;
    if (rowtime > now->times.side[side])
        now->times.side[side] = rowtime;
    Bytes name = key_of(key, text);
    bool kept = state_join_add(world->join, side, hash_bytes(name), name, rowtime,
                               world_value(value, bytes)) != NULL;
    assert_int_equal(kept, rowtime > now->times.side[side] - RETENTION);
    if (!kept)
        return;
    if (now->row_count[side] == ROWS) { /* the older half went long ago */
        memmove(now->rows[side], &now->rows[side][ROWS / 2], ROWS / 2 * sizeof(ModelRow));
        now->row_count[side] = ROWS / 2;
    }
    now->rows[side][now->row_count[side]++] = (ModelRow){key, value, rowtime};
}

static void change_waiting(World *world) {
    char text[16];
    uint32_t number = (uint32_t)(roll(world) % WAITING);
    snprintf(text, sizeof text, "w%02u", number);
    OrderedMap *pending = &world->join->pending;
    if (roll(world) % 2 == 0) {
        uint32_t value = ++world->base.next_value;
        ordered_map_put(pending, bytes_of(text), (Bytes){(const uint8_t *)&value, sizeof value});
        world->now.waiting[number] = value;
        return;
    }
    OrderedNode *node = ordered_map_seek(pending, bytes_of(text));
    bool there = node && bytes_equal(ordered_key(node), bytes_of(text));
    assert_int_equal(there, world->now.waiting[number] != 0);
    if (there)
        ordered_map_remove(pending, node);
    world->now.waiting[number] = 0;
}

static void change_times(World *world) {
    int64_t stream = (int64_t)(roll(world) % 1000);
    world->join->times.stream = world->now.times.stream = stream;
    world->join->times.pending_min = world->now.times.pending_min = stream / 2;
}

/* -- Comparing --------------------------------------------------------------------------------- */

static const ModelRow *model_next(const Model *model, uint32_t side, uint32_t key,
                                  const ModelRow *last, int64_t from, int64_t to) {
    const ModelRow *best = NULL;
    for (uint32_t i = 0; i < model->row_count[side]; i++) {
        const ModelRow *row = &model->rows[side][i];
        if (row->key != key || row->rowtime < from || row->rowtime > to ||
            row->rowtime <= model->times.side[side] - RETENTION)
            continue;
        if (last && (row->rowtime < last->rowtime ||
                     (row->rowtime == last->rowtime && row <= last)))
            continue;
        if (!best || row->rowtime < best->rowtime)
            best = row;
    }
    return best;
}

static void check_find(World *world) {
    char text[16];
    uint32_t side = roll(world) % 2, key = (uint32_t)(roll(world) % KEYS);
    int64_t from = world->clock - (int64_t)(roll(world) % (RETENTION * 2));
    int64_t to = from + (int64_t)(roll(world) % (SPAN * 3));
    if (roll(world) % 3 == 0 && world->now.times.side[side] > 0) /* the edge moves */
        from = world->now.times.side[side] - RETENTION;
    Bytes name = key_of(key, text);
    JoinFind find = state_join_find(world->join, side, hash_bytes(name), name, from, to);
    const ModelRow *want = NULL;
    do {
        want = model_next(&world->now, side, key, want, from, to);
        const JoinRow *row = state_join_next(&find);
        assert_int_equal(row != NULL, want != NULL);
        if (!row)
            continue;
        uint32_t value;
        memcpy(&value, row->bytes, sizeof value);
        assert_int_equal(value, want->value);
        assert_int_equal(row->rowtime, want->rowtime);
        assert_int_equal(row->size, 4 + value % 30);
        if (side == 0 && value % 3 == 0)
            state_join_met(world->join, row);
    } while (want);
}

static void check_waiting(const World *world) {
    char text[16];
    const OrderedNode *node = ordered_map_seek(&world->join->pending, (Bytes){0});
    for (uint32_t i = 0; i < WAITING; i++) {
        if (world->now.waiting[i] == 0)
            continue;
        snprintf(text, sizeof text, "w%02u", i);
        assert_non_null(node);
        assert_true(bytes_equal(ordered_key(node), bytes_of(text)));
        assert_memory_equal(ordered_value(node).data, &world->now.waiting[i], 4);
        node = ordered_next(node);
    }
    assert_null(node);
    assert_memory_equal(&world->join->times, &world->now.times, sizeof world->now.times);
}

/* The rows that met somebody are counted in their buckets, whatever was undone. */
static void check_met(const World *world) {
    const JoinBuckets *buckets = &world->join->sides[0].buckets;
    for (size_t i = 0; i < buckets->count; i++) {
        const JoinBucket *bucket = buckets->items[i];
        uint64_t met = 0, rows = 0;
        for (uint32_t k = 0; k <= bucket->mask; k++) {
            const JoinRow *row = bucket->entries[k] ? bucket->entries[k]->first : NULL;
            for (; row; row = row->later) {
                met += row->met;
                rows++;
            }
        }
        assert_int_equal(bucket->met_count, met);
        assert_int_equal(bucket->row_count, rows);
    }
}

static void step(World *world) {
    uint64_t dice = roll(world) % 100;
    if (dice < 55)
        add_row(world);
    else if (dice < 70)
        change_waiting(world);
    else if (dice < 85)
        check_find(world);
    else if (dice < 88)
        change_times(world);
    else if (dice < 92)
        world_submit(&world->base);
    else if (dice < 95)
        world_settle(&world->base);
    else if (dice < 98)
        world_undo(&world->base, dice == 95);
    else if (dice == 98)
        world_restart(&world->base);
    check_waiting(world);
    check_met(world);
}

static World *new_world(uint64_t seed) {
    World *world = mem_alloc(sizeof *world);
    world->now.times = (JoinTimes){{INT64_MIN, INT64_MIN}, INT64_MIN, INT64_MAX};
    world->submitted = world->settled = world->now;
    world->base = (StateWorld){.open = open_state, .now = &world->now,
                               .submitted = &world->submitted, .settled = &world->settled,
                               .model_size = sizeof(Model)};
    world_begin(&world->base, seed);
    return world;
}

static void any_mix_is_like_the_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        World *world = new_world(seed);
        for (int i = 0; i < 1500; i++)
            step(world);
        world_restart(&world->base);
        for (int i = 0; i < 50; i++)
            check_find(world);
        world_end(&world->base);
        mem_free(world);
    }
}

/* -- By hand ----------------------------------------------------------------------------------- */

static uint32_t stored_count(Storage *storage) {
    Snapshot *snapshot = snapshot_open(storage);
    StoreIter *iter;
    Bytes key, value;
    uint32_t count = 0;
    CHECK_OK(store_scan(snapshot, STORE, (Bytes){0}, (Bytes){0}, &iter, err));
    while (store_iter_next(iter, &key, &value))
        count++;
    CHECK_OK(store_iter_close(iter, err));
    snapshot_close(snapshot);
    return count;
}

static void buckets_go_as_a_whole(void **state) {
    (void)state;
    World *world = new_world(1);
    State *shape = &world->join->state;
    Bytes key = bytes_of("k"), value = bytes_of("v");
    for (int64_t time = 0; time < 300; time++)
        assert_non_null(state_join_add(world->join, 0, hash_bytes(key), key, time, value));
    world_submit(&world->base);
    world_settle(&world->base);
    assert_int_equal(stored_count(world->base.storage), 301);
    StateFigures figures;
    shape->ops->figures(shape, &figures);
    assert_int_equal(figures.rows, 300);
    const JoinRow *kept = state_join_add(world->join, 0, hash_bytes(key), key, 100000, value);
    assert_non_null(kept);
    assert_null(state_join_add(world->join, 0, hash_bytes(key), key, 100000 - RETENTION, value));
    shape->ops->figures(shape, &figures);
    assert_int_equal(figures.rows, 1);
    assert_int_equal(figures.unmatched, 300); /* nobody was said to have met */
    state_join_met(world->join, kept);
    state_join_met(world->join, kept);
    world->join->times.stream = 1000000;
    shape->ops->figures(shape, &figures);
    assert_int_equal(figures.unmatched, 300);
    world_submit(&world->base);
    world_settle(&world->base);
    assert_int_equal(stored_count(world->base.storage), 2);
    world_end(&world->base);
    mem_free(world);
}

static void damaged_entries_are_refused(void **state) {
    (void)state;
    static const char *const keys[] = {"", "\x05", "\x02", "shorter than it must be"};
    for (size_t i = 1; i < sizeof keys / sizeof *keys; i++) {
        Io *io = io_mem_new();
        Storage *storage = bench_open(io, NULL);
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, STORE, bytes_of(keys[i]), bytes_of("x"));
        CHECK_OK(commit_wait(commit, NULL, err));
        Snapshot *snapshot = snapshot_open(storage);
        StateJoinSpec spec = {STORE, snapshot, SPAN, RETENTION, SPAN};
        StateJoin *join;
        CHECK_CODE(ERR_CORRUPT, state_join_new(&spec, &join, err));
        snapshot_close(snapshot);
        storage_close(storage);
        io_mem_free(io);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_mix_is_like_the_model),
        cmocka_unit_test(buckets_go_as_a_whole),
        cmocka_unit_test(damaged_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
