/*
 * state_table.c - the shape "table": one hash of slots, loaded whole when its query starts.
 */
#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/state.h"

static const StateOps state_table_ops;

static void table_save(State *state, Commit *commit) {
    assert(state->ops == &state_table_ops);
    StateTable *table = (StateTable *)state;
    if (commit)
        state_save_images(&table->spec, &table->log, commit, false);
    state_log_submit(&table->log);
}

static void table_settle(State *state) {
    assert(state->ops == &state_table_ops);
    StateTable *table = (StateTable *)state;
    state_log_settle(&table->log);
}

static void table_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_table_ops);
    StateTable *table = (StateTable *)state;
    state_log_undo(&table->log, submitted_too);
}

static size_t table_pending(const State *state) {
    assert(state->ops == &state_table_ops);
    const StateTable *table = (const StateTable *)state;
    return state_log_pending(&table->log);
}

static void table_figures(const State *state, StateFigures *figures) {
    const StateTable *table = (const StateTable *)state;
    assert(table->slots.present_count <= table->slots.count);
    *figures = (StateFigures){.rows = table->slots.present_count,
                              .bytes = table->slots.heap.used_bytes};
}

static void table_close(State *state) {
    StateTable *table = (StateTable *)state;
    slot_table_close(&table->slots);
    state_log_close(&table->log);
    mem_free(table);
}

static const StateOps state_table_ops = {
    .name = "table",
    .save = table_save,
    .settle = table_settle,
    .undo = table_undo,
    .pending = table_pending,
    .figures = table_figures,
    .close = table_close,
};

static ErrCode table_load(StateTable *table, Err *err) {
    StoreIter *iter;
    TRY(store_scan(table->spec.snapshot, table->spec.store_id, (Bytes){0}, (Bytes){0}, &iter, err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    ElementOwners owners = {0};
    while (code == ERR_OK && store_iter_next(iter, &key, &value)) {
        if (key.size == 0) { /* foreign: over a cluster it comes from a changelog */
            code = err_set(err, ERR_CORRUPT, "a stored key does not fit");
            break;
        }
        if (table->spec.layout->is_aggregate && element_is(key)) {
            code = element_owners_load(&owners, key, value, err);
            continue;
        }
        Slot *slot = slot_table_load(&table->slots, hash_bytes(key), key);
        code = store_layout_get(table->spec.layout, &table->slots, slot, value, err);
        if (code == ERR_OK)
            element_owners_add(&owners, table->spec.layout, &table->slots, slot);
    }
    element_owners_free(&owners);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    state_log_loaded(&table->log);
    return store_iter_close(iter, err);
}

ErrCode state_table_new(const StateSpec *spec, StateTable **target, Err *err) {
    assert(!spec->layout->windowed || !spec->layout->is_aggregate);
    StateTable *table = mem_alloc(sizeof *table);
    table->state.ops = &state_table_ops;
    table->spec = *spec;
    state_log_init(&table->log, spec->layout->fixed_size);
    slot_table_init(&table->slots, &table->log);
    ErrCode code = spec->snapshot ? table_load(table, err) : ERR_OK;
    table->spec.snapshot = NULL;
    if (code != ERR_OK) {
        table_close(&table->state);
        return code;
    }
    *target = table;
    return ERR_OK;
}
