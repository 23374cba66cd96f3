/*
 * store_layout.c - see store_layout.h.
 */
#include "runtime/store_layout.h"

#include <assert.h>

static const Type **column_types(Arena *arena, const Schema *schema, uint32_t from, uint32_t to) {
    assert(from <= to);
    assert(to <= schema->column_count);
    const Type **types = arena_array(arena, to - from, sizeof *types);
    for (uint32_t i = from; i < to; i++)
        types[i - from] = schema->columns[i].type;
    return types;
}

bool session_split(Bytes key, SessionBounds *bounds) {
    assert(bounds);
    if (key.size <= SESSION_BOUNDS_SIZE)
        return false;
    bounds->row_key = (Bytes){key.data, key.size - SESSION_BOUNDS_SIZE};
    Reader in = reader_of((Bytes){key.data + bounds->row_key.size, SESSION_BOUNDS_SIZE});
    bounds->end = (int64_t)reader_u64_be(&in);
    bounds->start = (int64_t)reader_u64_be(&in);
    return bounds->start >= 0 && bounds->start <= bounds->end;
}

static void layout_states(StoreLayout *layout, const PlanNode *node, Arena *arena) {
    assert(layout->fixed_size == 0);
    layout->fixed_size = layout->sessions ? SESSION_FIXED_SIZE : 0;
    uint32_t *offsets = arena_array(arena, node->aggregate_count, sizeof *offsets);
    for (uint32_t i = 0; i < node->aggregate_count; i++) {
        offsets[i] = layout->fixed_size;
        layout->fixed_size += (node->aggregates[i].aggregate->state_size + 7) / 8 * 8;
    }
    layout->state_offsets = offsets;
}

const StoreLayout *store_layout_new(const Plan *plan, const PlanNode *node, Arena *arena) {
    assert(node->kind == PLAN_MATERIALIZE || node->kind == PLAN_JOIN_TABLE ||
           node->kind == PLAN_AGGREGATE);
    StoreLayout *layout = arena_alloc(arena, sizeof *layout);
    const PlanNode *stored = node->kind == PLAN_JOIN_TABLE ? plan->nodes[node->inputs[1]] : node;
    const Schema *schema = stored->schema;
    layout->node = node;
    layout->schema = schema;
    layout->windowed = stored->windowed;
    layout->is_aggregate = node->kind == PLAN_AGGREGATE;
    layout->sessions = layout->is_aggregate && node->window.kind == WINDOW_SESSION;
    layout->keys = (RowLayout){column_types(arena, schema, 0, schema->key_count),
                               schema->key_count};
    layout->values =
        (RowLayout){column_types(arena, schema, schema->key_count, schema->column_count),
                    schema->column_count - schema->key_count};
    if (layout->is_aggregate) {
        assert(node->aggregate_count == layout->values.column_count);
        layout_states(layout, node, arena);
    }
    return layout;
}

static void *state_of(const StoreLayout *layout, Slot *slot, uint32_t index) {
    assert(index < layout->node->aggregate_count);
    return (uint8_t *)slot->fixed + layout->state_offsets[index];
}

void store_layout_put(const StoreLayout *layout, const Slot *slot, Buf *out) {
    assert(slot->present);
    buf_zigzag(out, slot->rowtime);
    if (!layout->is_aggregate) {
        buf_put(out, slot->value, slot->value_size);
        return;
    }
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        const uint8_t *state = (const uint8_t *)slot->fixed + layout->state_offsets[i];
        layout->node->aggregates[i].aggregate->ops->save(state, out);
    }
}

ErrCode store_layout_get(const StoreLayout *layout, SlotTable *table, Slot *slot, Bytes value,
                         Err *err) {
    assert(slot->present);
    Reader in = reader_of(value);
    slot->rowtime = reader_zigzag(&in);
    if (!layout->is_aggregate) {
        slot_table_set_value(table, slot, reader_bytes(&in, reader_left(&in)));
        return reader_ok(&in) ? ERR_OK : err_set(err, ERR_CORRUPT, "a stored row is cut short");
    }
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        const Aggregate *aggregate = layout->node->aggregates[i].aggregate;
        if (!aggregate->ops->load(&in, state_of(layout, slot, i), &table->blobs) || !reader_ok(&in))
            return err_set(err, ERR_CORRUPT, "the stored state of %s does not fit",
                           aggregate->name);
    }
    return ERR_OK;
}

void store_layout_forget(const StoreLayout *layout, SlotTable *table, Slot *slot) {
    assert(layout->is_aggregate);
    assert(slot->present);
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        const AggregateOps *ops = layout->node->aggregates[i].aggregate->ops;
        if (ops->forget)
            ops->forget(state_of(layout, slot, i), &table->blobs);
    }
}
