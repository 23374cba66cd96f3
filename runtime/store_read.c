/*
 * store_read.c - entries of a store as rows, for lookups.
 *
 * States come to life in the lookup's arena, with their elements, and say their results.
 */
#include <assert.h>

#include "runtime/store_layout.h"

static Arena *arena_of(AggregateHeap *heap) {
    assert(heap && ((ArenaHeap *)heap)->arena);
    return ((ArenaHeap *)heap)->arena;
}

static void *arena_heap_put(AggregateHeap *heap, Bytes bytes) {
    return (void *)(uintptr_t)arena_bytes(arena_of(heap), bytes).data;
}

static void arena_heap_drop(AggregateHeap *heap, void *block) {
    assert(heap);
    (void)block;
}

static void *arena_heap_reserve(AggregateHeap *heap, uint32_t size) {
    return arena_alloc(arena_of(heap), size);
}

static void arena_heap_keep(AggregateHeap *heap, void *memory, uint32_t size) {
    assert(heap && memory && size > 0);
    (void)heap;
    (void)memory;
    (void)size;
}

static uint64_t arena_heap_number(AggregateHeap *heap) {
    assert(heap);
    (void)heap;
    return 1; /* nothing is stored */
}

static void arena_heap_seen(AggregateHeap *heap, uint64_t number) {
    assert(heap);
    (void)heap;
    (void)number;
}

static void arena_heap_note(AggregateHeap *heap, uint64_t id, Bytes key, const Bytes *value) {
    assert(heap);
    (void)heap;
    (void)id;
    (void)key;
    (void)value;
}

static const AggregateHeapOps arena_heap_ops = {
    .put = arena_heap_put,
    .drop = arena_heap_drop,
    .reserve = arena_heap_reserve,
    .keep = arena_heap_keep,
    .number = arena_heap_number,
    .seen = arena_heap_seen,
    .note = arena_heap_note,
};

void arena_heap_init(ArenaHeap *heap, Arena *arena) {
    assert(heap);
    assert(arena);
    *heap = (ArenaHeap){{&arena_heap_ops}, arena};
}

/* The elements of a state, from the store. */
static ErrCode read_elements(const ElementOwner *owner, const StoreEntries *entries,
                             uint32_t index, Bytes start, Err *err) {
    assert(owner->id > 0);
    if (!entries->snapshot)
        return err_set(err, ERR_INTERNAL, "elements of %s cannot be read here",
                       owner->aggregate->name);
    Buf min = {0}, max = {0};
    buf_bytes(&min, start);
    element_key_put(&min, owner->id);
    buf_bytes(&max, start);
    element_key_put(&max, owner->id + 1);
    StoreIter *iter;
    ErrCode code = store_scan(entries->snapshot, entries->store_ids[index], buf_view(&min),
                              buf_view(&max), &iter, err);
    Bytes key, value;
    bool fits = true;
    while (code == ERR_OK && fits && store_iter_next(iter, &key, &value)) {
        Bytes own = {key.data + min.size, key.size - (uint32_t)min.size};
        fits = owner->aggregate->ops->load_element(owner->state, own, value, owner->heap);
    }
    if (code == ERR_OK)
        code = store_iter_close(iter, err);
    buf_free(&min);
    buf_free(&max);
    if (code == ERR_OK && !fits)
        code = err_set(err, ERR_CORRUPT, "a stored element of %s does not fit",
                       owner->aggregate->name);
    return code;
}

static void no_failure(void *context, uint32_t row, const char *format, ...) {
    assert(format);
    (void)context;
    (void)row;
}

/* Entries whose rows are being made. */
typedef struct ReadStates {
    const StoreLayout *layout;
    const StoreEntries *entries;
    Reader *readers; /* of the values, each behind the states read so far */
    ArenaHeap heap;
} ReadStates;

static ErrCode read_state(ReadStates *read, const Aggregate *aggregate, uint32_t index,
                          void *state, Err *err) {
    assert(index < read->entries->count);
    if (!aggregate->ops->load(&read->readers[index], state, &read->heap.heap) ||
        !reader_ok(&read->readers[index]))
        return err_set(err, ERR_CORRUPT, "the stored state of %s does not fit", aggregate->name);
    uint64_t id = aggregate->ops->id ? aggregate->ops->id(state) : 0;
    if (id == 0)
        return ERR_OK;
    ElementOwner owner = {id, state, aggregate, &read->heap.heap};
    Bytes start = {read->entries->keys[index].data,
                   read->layout->windowed && !read->layout->sessions ? WINDOW_START_SIZE : 0};
    return read_elements(&owner, read->entries, index, start, err);
}

static ErrCode read_aggregate(ReadStates *read, uint32_t number, Column *result, Err *err) {
    assert(result->length == read->entries->count);
    const PlanAggregate *plan = &read->layout->node->aggregates[number];
    const Aggregate *aggregate = plan->aggregate;
    uint32_t count = read->entries->count;
    Arena *arena = read->heap.arena;
    size_t state_size = (aggregate->state_size + 7u) / 8 * 8;
    uint8_t *bytes = arena_alloc(arena, state_size * count);
    void **states = arena_array(arena, count, sizeof *states);
    for (uint32_t i = 0; i < count; i++) {
        states[i] = bytes + i * state_size;
        TRY(read_state(read, aggregate, i, states[i], err));
    }
    AggregateCall call = {.states = states, .rows = batch_all_rows(count), .count = count,
                          .limits = plan->limits, .after = result, .heap = &read->heap.heap,
                          .arena = arena, .fail = no_failure};
    aggregate->ops->result(&call);
    return ERR_OK;
}

static ErrCode read_keys(const StoreLayout *layout, const Bytes *keys, Arena *arena,
                         StoreRows *rows, Err *err) {
    assert(rows->count > 0);
    uint32_t count = rows->count;
    if (!layout->windowed)
        return row_key_get(keys, count, &layout->keys, arena, rows->columns, err);
    Bytes *inner = arena_array(arena, count, sizeof *inner);
    rows->window_start = arena_array(arena, count, sizeof *rows->window_start);
    rows->window_end = arena_array(arena, count, sizeof *rows->window_end);
    for (uint32_t i = 0; i < count; i++) {
        SessionBounds bounds;
        if (layout->sessions && !session_split(keys[i], &bounds))
            return err_set(err, ERR_CORRUPT, "a stored session key does not fit");
        if (layout->sessions) {
            rows->window_start[i] = bounds.start;
            rows->window_end[i] = bounds.end;
            inner[i] = bounds.row_key;
            continue;
        }
        Reader in = reader_of(keys[i]);
        rows->window_start[i] = (int64_t)reader_u64_be(&in);
        rows->window_end[i] = rows->window_start[i] + layout->node->window.size_ms;
        inner[i] = reader_bytes(&in, reader_left(&in));
        if (!reader_ok(&in))
            return err_set(err, ERR_CORRUPT, "a stored window key is cut short");
    }
    return row_key_get(inner, count, &layout->keys, arena, rows->columns, err);
}

ErrCode store_layout_read(const StoreLayout *layout, const StoreEntries *entries, Arena *arena,
                          StoreRows *rows, Err *err) {
    uint32_t count = entries->count;
    assert(count > 0);
    *rows = (StoreRows){.count = count};
    rows->columns = arena_array(arena, layout->schema->column_count, sizeof *rows->columns);
    TRY(read_keys(layout, entries->keys, arena, rows, err));
    rows->rowtime = arena_array(arena, count, sizeof *rows->rowtime);
    Reader *readers = arena_array(arena, count, sizeof *readers);
    Bytes *bodies = arena_array(arena, count, sizeof *bodies);
    for (uint32_t i = 0; i < count; i++) {
        readers[i] = reader_of(entries->values[i]);
        rows->rowtime[i] = reader_zigzag(&readers[i]);
        if (layout->is_aggregate)
            continue;
        if (layout->windowed)
            rows->window_end[i] = rows->window_start[i] + (int64_t)reader_varint(&readers[i]);
        bodies[i] = reader_bytes(&readers[i], reader_left(&readers[i]));
        if (!reader_ok(&readers[i]))
            return err_set(err, ERR_CORRUPT, "a stored row is cut short");
    }
    Column **columns = rows->columns + layout->keys.column_count;
    if (!layout->is_aggregate)
        return row_value_get(bodies, count, &layout->values, arena, columns, err);
    ReadStates read = {.layout = layout, .entries = entries, .readers = readers};
    arena_heap_init(&read.heap, arena);
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        columns[i] = column_new(arena, layout->values.types[i], count);
        TRY(read_aggregate(&read, i, columns[i], err));
    }
    return ERR_OK;
}
