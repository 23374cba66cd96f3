/*
 * prove_shapes_join.h - the shapes of joins: "join" (rows of two streams, rows that wait) beside
 * lists of rows, "pair" (two tables under one key) and "foreign" (left rows under the key of a
 * right one) beside arrays.
 */
#ifndef TESTS_TOOLS_PROVE_SHAPES_JOIN_H
#define TESTS_TOOLS_PROVE_SHAPES_JOIN_H

#include "runtime/state_foreign.h"
#include "runtime/state_join.h"
#include "runtime/state_pair.h"
#include "tests/tools/prove_shapes_group.h"

/* -- Streams ---------------------------------------------------------------------------------- */

enum { JOIN_ROWS = 1200, JOIN_WAITING = 40, JOIN_SPAN = 50, JOIN_RETENTION = 400 };

typedef struct JoinModelRow {
    uint32_t key, value;
    int64_t rowtime;
} JoinModelRow;

typedef struct JoinModel {
    JoinModelRow rows[2][JOIN_ROWS]; /* in order of arrival */
    uint32_t row_count[2];
    JoinTimes times;
    uint32_t waiting[JOIN_WAITING]; /* value; 0: not there */
    int64_t clock;
    uint32_t next_value;
} JoinModel;

static inline StateJoin *join_of(const ShapeWorld *world) {
    return (StateJoin *)world->state;
}

static inline const StoreLayout *join_layout(ShapeWorld *world, uint32_t variant) {
    (void)variant;
    ((JoinModel *)world->now)->times = (JoinTimes){{INT64_MIN, INT64_MIN}, INT64_MIN, INT64_MAX};
    memcpy(world->settled, world->now, world->shape->model_size);
    return NULL;
}

static inline ErrCode join_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateJoinSpec spec = {SHAPE_STORE, snapshot, JOIN_SPAN, JOIN_RETENTION, -1};
    StateJoin *join;
    TRY(state_join_new(&spec, &join, err));
    world->state = &join->state;
    return ERR_OK;
}

static inline void join_row(ShapeWorld *world) {
    JoinModel *model = world->now;
    uint8_t bytes[40];
    uint32_t side = (uint32_t)shape_dice(world, 2);
    uint32_t number = (uint32_t)shape_dice(world, SHAPE_KEYS);
    uint64_t dice = shape_dice(world, 100);
    model->clock += dice < 2 ? 300 : (int64_t)(dice % 7);
    int64_t late = dice < 60 ? 0 : (int64_t)shape_dice(world, JOIN_RETENTION + 100);
    int64_t rowtime = model->clock > late ? model->clock - late : 0;
    if (dice > 90 && model->times.side[side] > JOIN_RETENTION) /* at the edge of what is kept */
        rowtime = model->times.side[side] - JOIN_RETENTION + (int64_t)(dice % 3);
    uint32_t value = ++model->next_value;
    memset(bytes, (int)(value & 0xFF), sizeof bytes);
    memcpy(bytes, &value, sizeof value);
    if (rowtime > model->times.side[side])
        model->times.side[side] = rowtime;
    GroupKey key = group_keys(world)[number];
    bool kept = state_join_add(join_of(world), side, key.hash, key.key, rowtime,
                               (Bytes){bytes, 4 + value % 30});
    SHAPE_CHECK(world, kept == (rowtime > model->times.side[side] - JOIN_RETENTION));
    if (!kept)
        return;
    if (model->row_count[side] == JOIN_ROWS) { /* the older half went long ago */
        memmove(model->rows[side], &model->rows[side][JOIN_ROWS / 2],
                JOIN_ROWS / 2 * sizeof(JoinModelRow));
        model->row_count[side] = JOIN_ROWS / 2;
    }
    model->rows[side][model->row_count[side]++] = (JoinModelRow){number, value, rowtime};
}

static inline void join_waiting(ShapeWorld *world) {
    JoinModel *model = world->now;
    char text[16];
    uint32_t number = (uint32_t)shape_dice(world, JOIN_WAITING);
    snprintf(text, sizeof text, "w%02u", number);
    OrderedMap *pending = &join_of(world)->pending;
    if (shape_dice(world, 2) == 0) {
        uint32_t value = ++model->next_value;
        ordered_map_put(pending, bytes_of(text), (Bytes){(const uint8_t *)&value, sizeof value});
        model->waiting[number] = value;
        return;
    }
    OrderedNode *node = ordered_map_seek(pending, bytes_of(text));
    bool there = node && bytes_equal(ordered_key(node), bytes_of(text));
    SHAPE_CHECK(world, there == (model->waiting[number] != 0));
    if (there)
        ordered_map_remove(pending, node);
    model->waiting[number] = 0;
}

static inline const JoinModelRow *join_model_next(const JoinModel *model, uint32_t side,
                                                  uint32_t key, const JoinModelRow *last,
                                                  const int64_t range[2]) {
    const JoinModelRow *best = NULL;
    for (uint32_t i = 0; i < model->row_count[side]; i++) {
        const JoinModelRow *row = &model->rows[side][i];
        bool in = row->key == key && row->rowtime >= range[0] && row->rowtime <= range[1] &&
                  row->rowtime > model->times.side[side] - JOIN_RETENTION;
        bool behind = !last || row->rowtime > last->rowtime ||
                      (row->rowtime == last->rowtime && row > last);
        if (in && behind && (!best || row->rowtime < best->rowtime))
            best = row;
    }
    return best;
}

static inline void join_find(ShapeWorld *world) {
    const JoinModel *model = world->now;
    uint32_t side = (uint32_t)shape_dice(world, 2);
    uint32_t number = (uint32_t)shape_dice(world, SHAPE_KEYS);
    int64_t from = model->clock - (int64_t)shape_dice(world, JOIN_RETENTION * 2);
    int64_t range[2] = {from, from + (int64_t)shape_dice(world, JOIN_SPAN * 3)};
    GroupKey key = group_keys(world)[number];
    JoinFind find = state_join_find(join_of(world), side, key.hash, key.key, range[0], range[1]);
    const JoinModelRow *want = NULL;
    do {
        want = join_model_next(model, side, number, want, range);
        const JoinRow *row = state_join_next(&find);
        SHAPE_CHECK(world, (row != NULL) == (want != NULL));
        if (!row)
            continue;
        uint32_t value;
        memcpy(&value, row->bytes, sizeof value);
        SHAPE_CHECK(world, value == want->value && row->rowtime == want->rowtime);
        SHAPE_CHECK(world, row->size == 4 + value % 30);
    } while (want);
}

static inline void join_change(ShapeWorld *world) {
    JoinModel *model = world->now;
    uint64_t dice = shape_dice(world, 100);
    if (dice < 60) {
        join_row(world);
    } else if (dice < 80) {
        join_waiting(world);
    } else if (dice < 97) {
        join_find(world);
    } else {
        int64_t stream = (int64_t)shape_dice(world, 1000);
        join_of(world)->times.stream = model->times.stream = stream;
        join_of(world)->times.pending_min = model->times.pending_min = stream / 2;
    }
}

static inline void join_check(ShapeWorld *world) {
    const JoinModel *model = world->now;
    const OrderedNode *node = ordered_map_seek(&join_of(world)->pending, (Bytes){0});
    for (uint32_t i = 0; i < JOIN_WAITING; i++) {
        char text[16];
        if (model->waiting[i] == 0)
            continue;
        snprintf(text, sizeof text, "w%02u", i);
        SHAPE_CHECK(world, node && bytes_equal(ordered_key(node), bytes_of(text)));
        SHAPE_CHECK(world, memcmp(ordered_value(node).data, &model->waiting[i], 4) == 0);
        node = ordered_next(node);
    }
    SHAPE_CHECK(world, !node);
    SHAPE_CHECK(world, memcmp(&join_of(world)->times, &model->times, sizeof model->times) == 0);
    for (uint32_t i = 0; i < SHAPE_KEYS; i++)
        join_find(world);
}

/* -- Two tables ------------------------------------------------------------------------------- */

typedef struct PairModel {
    struct {
        bool present;
        uint32_t value;
        int64_t rowtime;
    } sides[SHAPE_KEYS][2];
} PairModel;

static inline StatePair *pair_of(const ShapeWorld *world) {
    return (StatePair *)world->state;
}

static inline const StoreLayout *pair_layout(ShapeWorld *world, uint32_t variant) {
    (void)world;
    (void)variant;
    return NULL;
}

static inline ErrCode pair_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateSpec spec = {NULL, SHAPE_STORE, snapshot};
    StatePair *pair;
    TRY(state_pair_new(&spec, 1, &pair, err));
    world->state = &pair->state;
    return ERR_OK;
}

static inline void pair_change(ShapeWorld *world) {
    PairModel *model = world->now;
    uint32_t number = (uint32_t)shape_dice(world, SHAPE_KEYS);
    uint32_t side = (uint32_t)shape_dice(world, 2);
    GroupKey key = group_keys(world)[number];
    StatePair *pair = pair_of(world);
    Slot *slot = slot_table_touch(&pair->slots, key.hash, key.key);
    SHAPE_CHECK(world, state_pair_side(slot, side)->present == model->sides[number][side].present);
    bool put = shape_dice(world, 3) > 0;
    uint32_t value = (uint32_t)shape_dice(world, 1000000);
    int64_t rowtime = (int64_t)shape_dice(world, 1000);
    uint8_t bytes[64];
    memset(bytes, (int)(value & 0xFF), sizeof bytes);
    memcpy(bytes, &value, sizeof value);
    if (put)
        state_pair_set(pair, slot, side, (Bytes){bytes, 4 + value % 60}, rowtime);
    else if (model->sides[number][side].present)
        state_pair_drop(pair, slot, side);
    model->sides[number][side].present = put;
    model->sides[number][side].value = put ? value : 0;
    model->sides[number][side].rowtime = put ? rowtime : 0;
}

static inline void pair_check(ShapeWorld *world) {
    const PairModel *model = world->now;
    for (uint32_t i = 0; i < SHAPE_KEYS * 2; i++) {
        GroupKey key = group_keys(world)[i / 2];
        Slot *slot = slot_table_find(&pair_of(world)->slots, key.hash, key.key);
        bool there = slot && slot->present && state_pair_side(slot, i % 2)->present;
        SHAPE_CHECK(world, there == model->sides[i / 2][i % 2].present);
        if (!there)
            continue;
        const PairSide *side = state_pair_side(slot, i % 2);
        uint32_t value;
        memcpy(&value, side->value, sizeof value);
        SHAPE_CHECK(world, value == model->sides[i / 2][i % 2].value);
        SHAPE_CHECK(world, side->value_size == 4 + value % 60);
        SHAPE_CHECK(world, side->rowtime == model->sides[i / 2][i % 2].rowtime);
    }
}

/* -- A foreign key ---------------------------------------------------------------------------- */

typedef struct ForeignModelRow {
    bool present;
    uint32_t value;
    int64_t rowtime, version;
} ForeignModelRow;

typedef struct ForeignModel {
    ForeignModelRow rights[SHAPE_KEYS], lefts[SHAPE_KEYS][SHAPE_KEYS]; /* [foreign key][key] */
} ForeignModel;

static inline StateForeign *foreign_of(const ShapeWorld *world) {
    return (StateForeign *)world->state;
}

static inline ErrCode foreign_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateSpec spec = {NULL, SHAPE_STORE, snapshot};
    StateForeign *foreign;
    TRY(state_foreign_new(&spec, &foreign, err));
    world->state = &foreign->state;
    return ERR_OK;
}

static inline ForeignModelRow foreign_row(ShapeWorld *world, uint8_t bytes[64]) {
    ForeignModelRow row = {true, (uint32_t)shape_dice(world, 1000000),
                           (int64_t)shape_dice(world, 1000), (int64_t)shape_dice(world, 50)};
    memset(bytes, (int)(row.value & 0xFF), 64);
    memcpy(bytes, &row.value, sizeof row.value);
    return row;
}

static inline void foreign_right(ShapeWorld *world, uint32_t number) {
    ForeignModel *model = world->now;
    SlotTable *rights = &foreign_of(world)->rights;
    GroupKey key = group_keys(world)[number];
    uint8_t bytes[64];
    ForeignModelRow row = foreign_row(world, bytes);
    row.present = shape_dice(world, 3) > 0;
    Slot *slot = slot_table_touch(rights, key.hash, key.key);
    SHAPE_CHECK(world, slot->present == model->rights[number].present);
    if (row.present)
        slot_table_set_value(rights, slot, (Bytes){bytes, 4 + row.value % 60});
    else
        slot_table_drop_value(rights, slot);
    slot->rowtime = row.rowtime;
    slot_table_set_present(rights, slot, row.present);
    model->rights[number] = row;
}

static inline void foreign_left(ShapeWorld *world, uint32_t foreign, uint32_t number) {
    ForeignModel *model = world->now;
    GroupKey outer = group_keys(world)[foreign], inner = group_keys(world)[number];
    Buf buf = {0};
    buf_bytes(&buf, outer.key);
    buf_bytes(&buf, inner.key);
    ForeignKey key = {buf_view(&buf), hash_bytes(buf_view(&buf)), outer.key.size, outer.hash};
    uint8_t bytes[64];
    ForeignModelRow row = foreign_row(world, bytes);
    row.present = shape_dice(world, 3) > 0;
    ForeignLeft left = {.value = {bytes, 4 + row.value % 60}, .rowtime = row.rowtime,
                        .version = row.version};
    if (row.present) {
        Bytes kept = state_foreign_put(foreign_of(world), &key, &left);
        SHAPE_CHECK(world, bytes_equal(kept, left.value));
    } else if (model->lefts[foreign][number].present) {
        state_foreign_remove(foreign_of(world), &key);
    }
    model->lefts[foreign][number] = row;
    buf_free(&buf);
}

static inline void foreign_change(ShapeWorld *world) {
    uint32_t foreign = (uint32_t)shape_dice(world, SHAPE_KEYS);
    if (shape_dice(world, 4) == 0)
        foreign_right(world, foreign);
    else
        foreign_left(world, foreign, (uint32_t)shape_dice(world, SHAPE_KEYS));
}

static inline void foreign_check(ShapeWorld *world) {
    const ForeignModel *model = world->now;
    for (uint32_t i = 0; i < SHAPE_KEYS; i++) {
        GroupKey key = group_keys(world)[i];
        const ForeignModelRow *right = &model->rights[i];
        Slot *slot = slot_table_find(&foreign_of(world)->rights, key.hash, key.key);
        SHAPE_CHECK(world, (slot && slot->present) == right->present);
        SHAPE_CHECK(world, !right->present || (slot->rowtime == right->rowtime &&
                                               slot->value_size == 4 + right->value % 60 &&
                                               memcmp(slot->value, &right->value, 4) == 0));
        size_t count, at = 0;
        const ForeignLeft *lefts =
            state_foreign_lefts(foreign_of(world), key.key, key.hash, &count);
        for (uint32_t k = 0; k < SHAPE_KEYS; k++) {
            const ForeignModelRow *row = &model->lefts[i][k];
            if (!row->present)
                continue;
            SHAPE_CHECK(world, at < count && bytes_equal(lefts[at].key,
                                                         group_keys(world)[k].key));
            SHAPE_CHECK(world, memcmp(lefts[at].value.data, &row->value, 4) == 0);
            SHAPE_CHECK(world, lefts[at].rowtime == row->rowtime);
            SHAPE_CHECK(world, lefts[at++].version == row->version);
        }
        SHAPE_CHECK(world, at == count);
    }
}

#endif
