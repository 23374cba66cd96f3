/*
 * prove_shapes_group.h - shapes of groups: COUNT(*) and MAX of a text for each key, without
 * windows, in time windows, in sessions.
 */
#ifndef TESTS_TOOLS_PROVE_SHAPES_GROUP_H
#define TESTS_TOOLS_PROVE_SHAPES_GROUP_H

#include "runtime/state_session.h"
#include "tests/tools/prove_shapes.h"

enum { SHAPE_KEYS = 7, SHAPE_TEXT = 24 };

/* -- What a group holds ----------------------------------------------------------------------- */

typedef struct GroupModel {
    int64_t count, rowtime;
    char max[SHAPE_TEXT]; /* "": nothing yet */
} GroupModel;

typedef struct GroupKey {
    Bytes key;
    uint64_t hash;
} GroupKey;

/* Row keys as the operator makes them: of very different sizes. */
static inline GroupKey group_key(ShapeWorld *world, uint32_t number) {
    Column *column = column_new(world->arena, &type_string, 1);
    char text[80];
    memset(text, 'a' + (int)number, sizeof text);
    column->bytes[0] = (Bytes){(const uint8_t *)text, 1 + number * number};
    column_set_present(column, 0);
    Buf buf = {0};
    row_key_put(&buf, (const Column *const *)&column, 1, 0);
    GroupKey key = {arena_bytes(world->arena, buf_view(&buf)), 0};
    key.hash = hash_bytes(key.key);
    buf_free(&buf);
    return key;
}

static inline const GroupKey *group_keys(ShapeWorld *world) {
    if (world->facts)
        return world->facts;
    GroupKey *keys = arena_array(world->arena, SHAPE_KEYS, sizeof *keys);
    for (uint32_t i = 0; i < SHAPE_KEYS; i++)
        keys[i] = group_key(world, i);
    world->facts = keys;
    return keys;
}

static inline void group_fail(void *context, uint32_t row, const char *format, ...) {
    (void)context;
    (void)row;
    printf("FAILED an aggregate: %s\n", format);
    exit(1);
}

/* One row's value into a group. */
static inline void group_row(ShapeWorld *world, AggregateHeap *heap, Slot *slot,
                             GroupModel *model) {
    char text[SHAPE_TEXT];
    uint64_t number = shape_dice(world, 1000000000);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(number >> shape_dice(world, 30)));
    Arena *arena = arena_new("row", 0);
    Column *column = column_new(arena, &type_string, 1);
    column->bytes[0] = bytes_of(text);
    column_set_present(column, 0);
    const Column *args[] = {column};
    for (uint32_t i = 0; i < world->layout->node->aggregate_count; i++) {
        void *state = (uint8_t *)slot->fixed + world->layout->state_offsets[i];
        AggregateCall call = {.states = &state, .rows = batch_all_rows(1), .count = 1,
                              .args = args, .arg_count = i, .heap = heap, .arena = arena,
                              .fail = group_fail};
        world->layout->node->aggregates[i].aggregate->ops->update(&call);
    }
    arena_free(arena);
    model->count++;
    if (strcmp(text, model->max) > 0)
        memcpy(model->max, text, sizeof text);
}

static inline void group_merge(ShapeWorld *world, AggregateHeap *heap, Slot *into, Slot *from) {
    for (uint32_t i = 0; i < world->layout->node->aggregate_count; i++) {
        uint32_t offset = world->layout->state_offsets[i];
        const Type *type = &type_string;
        AggregateMerge merge = {.into = (uint8_t *)into->fixed + offset,
                                .from = (uint8_t *)from->fixed + offset, .arg_types = &type,
                                .arg_count = i, .heap = heap, .fail = group_fail};
        world->layout->node->aggregates[i].aggregate->ops->merge(&merge);
    }
}

static inline void group_check(ShapeWorld *world, Slot *slot, const GroupModel *model) {
    Arena *arena = arena_new("check", 0);
    Column *results[2];
    for (uint32_t i = 0; i < 2; i++) {
        const PlanAggregate *plan = &world->layout->node->aggregates[i];
        void *state = (uint8_t *)slot->fixed + world->layout->state_offsets[i];
        results[i] = column_new(arena, plan->type, 1);
        AggregateCall call = {.states = &state, .rows = batch_all_rows(1), .count = 1,
                              .after = results[i], .arena = arena, .fail = group_fail};
        plan->aggregate->ops->result(&call);
    }
    SHAPE_CHECK(world, slot->present && slot->rowtime == model->rowtime);
    SHAPE_CHECK(world, results[0]->i64[0] == model->count);
    SHAPE_CHECK(world, !column_is_null(results[1], 0) &&
                           bytes_equal(results[1]->bytes[0], bytes_of(model->max)));
    arena_free(arena);
}

/* -- The plan's node -------------------------------------------------------------------------- */

static inline const StoreLayout *group_layout(ShapeWorld *world, PlanWindow window) {
    Arena *arena = world->arena;
    static const SchemaColumn columns[] = {
        {.name = "K", .type = &type_string, .role = COLUMN_KEY},
        {.name = "N", .type = &type_bigint, .role = COLUMN_VALUE},
        {.name = "M", .type = &type_string, .role = COLUMN_VALUE}};
    static const Schema schema = {columns, 3, 1};
    static const uint32_t arg = 1;
    PlanAggregate *aggregates = arena_array(arena, 2, sizeof *aggregates);
    aggregates[0] = (PlanAggregate){.aggregate = aggregate_by_signature("COUNT", "() -> BIGINT"),
                                    .type = &type_bigint, .args = &arg};
    aggregates[1] = (PlanAggregate){
        .aggregate = aggregate_by_signature("MAX", "(STRING) -> STRING"), .type = &type_string,
        .args = &arg, .arg_count = 1};
    PlanNode *node = arena_alloc(arena, sizeof *node);
    *node = (PlanNode){.kind = PLAN_AGGREGATE, .path = "Aggregate", .schema = &schema,
                       .is_table = true, .windowed = window.kind != WINDOW_NONE,
                       .window = window, .aggregates = aggregates, .aggregate_count = 2};
    return store_layout_new(NULL, node, arena);
}

/* -- Table ------------------------------------------------------------------------------------ */

typedef struct TableModel {
    GroupModel groups[SHAPE_KEYS];
} TableModel;

static inline const StoreLayout *table_layout(ShapeWorld *world, uint32_t variant) {
    (void)variant;
    return group_layout(world, (PlanWindow){.kind = WINDOW_NONE});
}

static inline StateTable *table_of(const ShapeWorld *world) {
    return (StateTable *)world->state;
}

static inline ErrCode table_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateSpec spec = {world->layout, SHAPE_STORE, snapshot};
    StateTable *table;
    TRY(state_table_new(&spec, &table, err));
    world->state = &table->state;
    return ERR_OK;
}

static inline void table_change(ShapeWorld *world) {
    TableModel *model = world->now;
    uint32_t number = (uint32_t)shape_dice(world, SHAPE_KEYS);
    GroupKey key = group_keys(world)[number];
    SlotTable *slots = &table_of(world)->slots;
    Slot *slot = slot_table_touch(slots, key.hash, key.key);
    SHAPE_CHECK(world, slot->present == (model->groups[number].count > 0));
    slot_table_set_present(slots, slot, true);
    group_row(world, &slots->blobs, slot, &model->groups[number]);
    slot->rowtime = model->groups[number].rowtime = (int64_t)shape_dice(world, 100000);
}

static inline void table_check(ShapeWorld *world) {
    const TableModel *model = world->now;
    const SlotTable *slots = &table_of(world)->slots;
    uint64_t present = 0;
    for (uint32_t i = 0; i < SHAPE_KEYS; i++) {
        GroupKey key = group_keys(world)[i];
        Slot *slot = slot_table_find(slots, key.hash, key.key);
        present += model->groups[i].count > 0;
        if (model->groups[i].count > 0)
            group_check(world, slot, &model->groups[i]);
        else
            SHAPE_CHECK(world, !slot || !slot->present);
    }
    SHAPE_CHECK(world, slots->present_count == present);
}

/* -- Time windows ----------------------------------------------------------------------------- */

enum { WINDOW_SIZE = 10, WINDOW_STEP = 4, WINDOW_GRACE = 7, WINDOW_MODELS = 40 };

typedef struct WindowModel {
    int64_t stream_time, last_start;
    struct {
        int64_t start; /* -1: none */
        GroupModel groups[SHAPE_KEYS];
    } windows[WINDOW_MODELS]; /* at the number of their start, modulo */
    bool there[WINDOW_MODELS];
} WindowModel;

static inline StateWindow *window_of(const ShapeWorld *world) {
    return (StateWindow *)world->state;
}

static inline const StoreLayout *window_layout(ShapeWorld *world, uint32_t variant) {
    ((WindowModel *)world->now)->stream_time = INT64_MIN;
    memcpy(world->settled, world->now, world->shape->model_size);
    return group_layout(world, (PlanWindow){
        .kind = WINDOW_HOPPING, .size_ms = WINDOW_SIZE, .advance_ms = WINDOW_STEP,
        .grace_ms = WINDOW_GRACE, .retention_ms = variant == 0 ? 0 : 60});
}

static inline ErrCode window_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateSpec spec = {world->layout, SHAPE_STORE, snapshot};
    StateWindow *window;
    TRY(state_window_new(&spec, &window, err));
    world->state = &window->state;
    return ERR_OK;
}

static inline void window_row(ShapeWorld *world, int64_t start, int64_t rowtime) {
    WindowModel *model = world->now;
    uint32_t number = (uint32_t)shape_dice(world, SHAPE_KEYS);
    uint32_t at = (uint32_t)(start / WINDOW_STEP) % WINDOW_MODELS;
    if (!model->there[at]) {
        model->there[at] = true;
        model->windows[at].start = start;
        memset(model->windows[at].groups, 0, sizeof model->windows[at].groups);
    }
    SHAPE_CHECK(world, model->windows[at].start == start);
    if (start > model->last_start)
        model->last_start = start;
    GroupModel *group = &model->windows[at].groups[number];
    GroupKey key = group_keys(world)[number];
    SlotTable *slots = &state_window_bucket(window_of(world), start)->slots;
    Slot *slot = slot_table_touch(slots, key.hash, key.key);
    SHAPE_CHECK(world, slot->present == (group->count > 0));
    slot_table_set_present(slots, slot, true);
    group_row(world, &slots->blobs, slot, group);
    slot->rowtime = group->rowtime = rowtime;
}

static inline void window_change(ShapeWorld *world) {
    WindowModel *model = world->now;
    StateWindow *window = window_of(world);
    SHAPE_CHECK(world, window->stream_time == model->stream_time);
    int64_t now = model->stream_time < 0 ? 0 : model->stream_time;
    int64_t rowtime = now + (int64_t)shape_dice(world, 5) -
                      (int64_t)(shape_dice(world, 2) * shape_dice(world, 30));
    rowtime = rowtime < 0 ? 0 : shape_dice(world, 200) == 0 ? now + 50 : rowtime;
    if (rowtime > model->stream_time)
        window->stream_time = model->stream_time = rowtime;
    int64_t first = rowtime < WINDOW_SIZE ? 0 : rowtime - WINDOW_SIZE + WINDOW_STEP;
    for (int64_t start = first / WINDOW_STEP * WINDOW_STEP; start <= rowtime;
         start += WINDOW_STEP) {
        if (start + WINDOW_SIZE > rowtime &&
            start + WINDOW_SIZE > model->stream_time - WINDOW_GRACE)
            window_row(world, start, rowtime);
    }
    state_window_expire(window);
    int64_t gone = model->last_start - window->retention_ms;
    for (uint32_t i = 0; i < WINDOW_MODELS; i++)
        model->there[i] = model->there[i] && model->windows[i].start >= gone;
}

static inline void window_check(ShapeWorld *world) {
    const WindowModel *model = world->now;
    const BucketList *buckets = &window_of(world)->buckets;
    SHAPE_CHECK(world, window_of(world)->stream_time == model->stream_time);
    uint64_t groups = 0, present = 0;
    for (size_t b = 0; b < buckets->count; b++) {
        const WindowBucket *bucket = buckets->items[b];
        SHAPE_CHECK(world, b == 0 || buckets->items[b - 1]->start < bucket->start);
        present += bucket->slots.present_count;
        uint32_t at = (uint32_t)(bucket->start / WINDOW_STEP) % WINDOW_MODELS;
        for (uint32_t i = 0; bucket->slots.present_count > 0 && i < SHAPE_KEYS; i++) {
            SHAPE_CHECK(world, model->there[at] && model->windows[at].start == bucket->start);
            GroupKey key = group_keys(world)[i];
            Slot *slot = slot_table_find(&bucket->slots, key.hash, key.key);
            const GroupModel *group = &model->windows[at].groups[i];
            SHAPE_CHECK(world, (slot && slot->present) == (group->count > 0));
            if (group->count > 0)
                group_check(world, slot, group);
        }
    }
    for (uint32_t w = 0; w < WINDOW_MODELS; w++)
        for (uint32_t i = 0; model->there[w] && i < SHAPE_KEYS; i++)
            groups += model->windows[w].groups[i].count > 0;
    SHAPE_CHECK(world, groups == present);
}

#endif
