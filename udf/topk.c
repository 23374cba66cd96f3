/*
 * topk.c - TOPK and TOPKDISTINCT: the K largest values, descending; NULL is left out.
 *
 * With more columns the rows of the K largest: structs of the sort column and the others. Of equal
 * ones the earlier stay in front. A block holds all K entries and is replaced when they change.
 * Saved: varint count, then for each varint sizes and bytes of its order and of its value.
 */
#include "udf/aggregate_impl.h"

typedef struct TopkEntry {
    Bytes order, value;
} TopkEntry;

static bool topk_read(Reader *in, Bytes *bytes) {
    uint64_t size = reader_varint(in);
    if (!reader_ok(in) || size > reader_left(in))
        return false;
    *bytes = reader_bytes(in, (uint32_t)size);
    return reader_ok(in);
}

static bool topk_next(Reader *in, TopkEntry *entry) {
    return reader_left(in) > 0 && topk_read(in, &entry->order) && topk_read(in, &entry->value);
}

static Bytes topk_block(const EntriesState *state) {
    return (Bytes){state->block, state->size};
}

static uint32_t topk_k(const AggregateLimits *limits) {
    assert(limits->literal_count == 1);
    return (uint32_t)limits->literals[0]->i32[0];
}

/* Where an entry goes in a block, and what stays of the block behind it. */
typedef struct TopkPlace {
    uint32_t at, end;
    uint32_t count; /* of entries afterwards */
} TopkPlace;

/* false: it changes nothing. */
static bool topk_find(const EntriesState *state, Bytes order, uint32_t k, bool distinct,
                      TopkPlace *place) {
    Bytes block = topk_block(state);
    Reader in = reader_of(block);
    bool found = false;
    assert(k > 0);
    for (uint32_t i = 0;; i++) {
        TopkEntry entry;
        uint32_t begin = block.size - reader_left(&in);
        if (!topk_next(&in, &entry)) {
            *place = (TopkPlace){found ? place->at : begin, begin, i + 1};
            return true;
        }
        int compared = found ? 0 : bytes_compare(entry.order, order);
        if (distinct && compared == 0 && !found)
            return false;
        if (compared < 0) {
            place->at = begin;
            found = true;
        }
        if (i + 1 == k) {
            place->end = begin;
            place->count = k;
            return found;
        }
    }
}

static uint32_t topk_bytes_size(Bytes bytes) {
    uint32_t size = bytes.size + 1;
    for (uint32_t left = bytes.size; left >= 0x80; left >>= 7)
        size++;
    return size;
}

static uint8_t *topk_write(uint8_t *next, Bytes bytes) {
    uint32_t left = bytes.size;
    for (; left >= 0x80; left >>= 7)
        *next++ = (uint8_t)(left | 0x80);
    *next++ = (uint8_t)left;
    if (bytes.size > 0)
        memcpy(next, bytes.data, bytes.size);
    return next + bytes.size;
}

static void topk_insert(EntriesState *state, AggregateHeap *heap, const TopkPlace *place,
                        const TopkEntry *added) {
    assert(place->at <= place->end && place->end <= state->size);
    const uint8_t *old = state->block;
    uint32_t size = place->end + topk_bytes_size(added->order) + topk_bytes_size(added->value);
    uint8_t *block = heap->ops->reserve(heap, size), *next = block;
    if (place->at > 0)
        memcpy(next, old, place->at);
    next = topk_write(next + place->at, added->order);
    next = topk_write(next, added->value);
    if (place->end > place->at)
        memcpy(next, old + place->at, place->end - place->at);
    assert(next + (place->end - place->at) == block + size);
    heap->ops->drop(heap, state->block);
    state->block = block;
    state->size = size;
    state->count = place->count;
}

static void topk_add(EntriesState *state, AggregateHeap *heap, const TopkEntry *added, uint32_t k,
                     bool distinct) {
    TopkPlace place;
    if (topk_find(state, added->order, k, distinct, &place))
        topk_insert(state, heap, &place, added);
}

/* `source`: what is kept of a row. Its bytes are made only of rows that are among the largest. */
static void topk_step(const AggregateCall *call, uint32_t i, const Column *source, bool distinct,
                      Buf *scratch) {
    uint32_t row = call->rows[i];
    TopkPlace place;
    if (column_is_null(call->args[0], row))
        return;
    element_order_put(scratch, call->args[0], row);
    uint32_t order_size = (uint32_t)scratch->size;
    if (!topk_find(call->states[i], buf_view(scratch), topk_k(&call->limits), distinct, &place))
        return;
    element_put(scratch, source, row, call->arena);
    TopkEntry added = {{scratch->data, order_size},
                       {scratch->data + order_size, (uint32_t)scratch->size - order_size}};
    topk_insert(call->states[i], aggregate_heap(call, i), &place, &added);
}

static void topk_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    Reader in = reader_of(topk_block(memory));
    (void)call;
    for (TopkEntry entry; topk_next(&in, &entry);)
        element_column_item(target, entry.value, 0);
}

static void topk_save(const void *memory, Buf *out) {
    const EntriesState *state = memory;
    buf_varint(out, state->count);
    buf_put(out, state->block, state->size);
}

static bool topk_load(Reader *in, void *memory, AggregateHeap *heap) {
    EntriesState *state = memory;
    uint64_t count = reader_varint(in);
    const uint8_t *from = in->next;
    TopkEntry entry;
    for (uint64_t i = 0; i < count; i++) {
        if (!topk_next(in, &entry))
            return false;
    }
    if (count == 0)
        return reader_ok(in);
    state->size = (uint32_t)(in->next - from);
    state->block = heap->ops->put(heap, (Bytes){from, state->size});
    state->count = (uint32_t)count;
    return true;
}

static void topk_forget(void *memory, AggregateHeap *heap) {
    EntriesState *state = memory;
    heap->ops->drop(heap, state->block);
    *state = (EntriesState){0};
}

static void topk_unite(const AggregateMerge *merge, bool distinct) {
    EntriesState *from = merge->from;
    Reader in = reader_of(topk_block(from));
    for (TopkEntry entry; topk_next(&in, &entry);)
        topk_add(merge->into, merge->heap, &entry, topk_k(&merge->limits), distinct);
    topk_forget(from, merge->heap);
}

static void topk_merge(const AggregateMerge *merge) {
    topk_unite(merge, false);
}

static const char *topk_check(const AggregateLimits *limits) {
    const Column *k = limits->literals[0];
    return column_is_null(k, 0) || k->i32[0] < 1 ? "K of TOPK must be 1 or greater" : NULL;
}

/* -- TOPK(value, K) --------------------------------------------------------------------------- */

static void topk_plain_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    assert(memory == call->states[i]);
    (void)memory;
    topk_step(call, i, call->args[0], false, scratch);
}

#define topk_plain_put topk_put
ELEMENT_LOOPS(topk_plain, false)

const AggregateOps topk_plain_ops = {
    .update = topk_plain_update,
    .result = topk_plain_result,
    .save = topk_save,
    .load = topk_load,
    .merge = topk_merge,
    .forget = topk_forget,
    .check = topk_check,
};

/* -- TOPK(value, other, ..., K) ---------------------------------------------------------------- */

static const Type *topk_rows_type(const Type *const *types, uint32_t count, Arena *arena) {
    TypeField *fields = arena_array(arena, count, sizeof *fields);
    assert(count > 1);
    fields[0] = (TypeField){"sort_col", types[0]};
    for (uint32_t i = 1; i < count; i++)
        fields[i] = (TypeField){arena_printf(arena, "col%u", i - 1), types[i]};
    return type_array(arena, type_struct(arena, fields, count));
}

/* A row of all arguments is a struct; the column lies behind the states' own arguments. */
static void topk_rows_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    assert(memory == call->states[i]);
    (void)memory;
    topk_step(call, i, call->args[call->arg_count], false, scratch);
}

#define topk_rows_put topk_put
static const ElementKernel topk_rows_kernel = {topk_rows_step, topk_rows_put, false};

static void topk_rows_update(const AggregateCall *call) {
    Arena *arena = call->arena;
    uint32_t count = call->arg_count;
    const Type **types = arena_array(arena, count, sizeof *types);
    Column *children = arena_array(arena, count, sizeof *children);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = call->args[i]->type;
        children[i] = *call->args[i];
    }
    Column rows = {.type = topk_rows_type(types, count, arena)->fields[0].type,
                   .length = children[0].length, .children = children};
    const Column **args = arena_array(arena, count + 1, sizeof *args);
    memcpy(args, call->args, count * sizeof *args);
    args[count] = &rows;
    AggregateCall with_rows = *call;
    with_rows.args = args;
    element_update(&with_rows, &topk_rows_kernel);
}

static void topk_rows_result(const AggregateCall *call) {
    element_result(call, &topk_rows_kernel);
}

const AggregateOps topk_rows_ops = {
    .update = topk_rows_update,
    .result = topk_rows_result,
    .save = topk_save,
    .load = topk_load,
    .merge = topk_merge,
    .forget = topk_forget,
    .check = topk_check,
    .type = topk_rows_type,
};

/* -- TOPKDISTINCT ------------------------------------------------------------------------------ */

static void topk_distinct_step(const AggregateCall *call, uint32_t i, void *memory,
                               Buf *scratch) {
    assert(memory == call->states[i]);
    (void)memory;
    topk_step(call, i, call->args[0], true, scratch);
}

static void topk_distinct_merge(const AggregateMerge *merge) {
    topk_unite(merge, true);
}

#define topk_distinct_put topk_put
ELEMENT_LOOPS(topk_distinct, false)

const AggregateOps topk_distinct_ops = {
    .update = topk_distinct_update,
    .result = topk_distinct_result,
    .save = topk_save,
    .load = topk_load,
    .merge = topk_distinct_merge,
    .forget = topk_forget,
    .check = topk_check,
};
