/*
 * state_foreign.c - see state_foreign.h.
 */
#include "runtime/state_foreign.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/reader.h"
#include "runtime/state_impl.h"

enum { ENTRY_RIGHT = 0, ENTRY_LEFT = 1 };

static const StateOps state_foreign_ops;

/* -- Left rows -------------------------------------------------------------------------------- */

/* The node with exactly this key. */
static OrderedNode *find_left(const StateForeign *foreign, Bytes key) {
    assert(key.size > 0);
    OrderedNode *node = ordered_map_seek(&foreign->lefts, key);
    return node && bytes_equal(ordered_key(node), key) ? node : NULL;
}

/* What a node's value holds. */
static void left_of(const OrderedNode *node, uint32_t foreign_size, ForeignLeft *left) {
    Bytes key = ordered_key(node);
    assert(key.size >= foreign_size);
    Reader in = reader_of(ordered_value(node));
    left->key = (Bytes){key.data + foreign_size, key.size - foreign_size};
    left->rowtime = reader_zigzag(&in);
    left->version = reader_zigzag(&in);
    left->value = reader_bytes(&in, reader_left(&in));
    assert(reader_ok(&in)); /* checked when it was loaded */
}

Bytes state_foreign_put(StateForeign *foreign, Bytes key, const ForeignLeft *left) {
    assert(left->value.data && key.size > 0);
    buf_reset(&foreign->scratch);
    buf_zigzag(&foreign->scratch, left->rowtime);
    buf_zigzag(&foreign->scratch, left->version);
    buf_bytes(&foreign->scratch, left->value);
    Bytes kept =
        ordered_value(ordered_map_put(&foreign->lefts, key, buf_view(&foreign->scratch)));
    return (Bytes){kept.data + kept.size - left->value.size, left->value.size};
}

void state_foreign_remove(StateForeign *foreign, Bytes key) {
    assert(key.data);
    OrderedNode *node = find_left(foreign, key);
    if (node)
        ordered_map_remove(&foreign->lefts, node);
}

bool state_foreign_next(const StateForeign *foreign, Bytes foreign_key, const OrderedNode **node,
                        ForeignLeft *left) {
    assert(foreign_key.size > 0);
    *node = *node ? ordered_next(*node) : ordered_map_seek(&foreign->lefts, foreign_key);
    if (!*node)
        return false;
    Bytes key = ordered_key(*node);
    /* No row key is the beginning of another: equal so far, and this is its foreign key. */
    if (key.size < foreign_key.size ||
        memcmp(key.data, foreign_key.data, foreign_key.size) != 0)
        return false;
    left_of(*node, foreign_key.size, left);
    return true;
}

/* -- StateOps --------------------------------------------------------------------------------- */

static void save_rights(const StateForeign *foreign, Commit *commit) {
    assert(commit);
    Buf out = {0};
    size_t count;
    DirtySlot *dirty = state_sort_images(&foreign->log, false, &count);
    for (size_t i = 0; i < count; i++) {
        const Slot *slot = dirty[i].image.slot;
        buf_reset(&out);
        buf_u8(&out, ENTRY_RIGHT);
        buf_put(&out, slot->key, slot->key_size);
        Bytes key = {NULL, (uint32_t)out.size};
        buf_zigzag(&out, slot->rowtime);
        buf_put(&out, slot->value, slot->value_size);
        key.data = out.data;
        Bytes value = {out.data + key.size, (uint32_t)(out.size - key.size)};
        if (slot->present)
            commit_put(commit, foreign->spec.store_id, key, value);
        else
            commit_remove(commit, foreign->spec.store_id, key);
    }
    mem_free(dirty);
    buf_free(&out);
}

static void foreign_save(State *state, Commit *commit) {
    static const uint8_t prefix[] = {ENTRY_LEFT};
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    if (commit)
        save_rights(foreign, commit);
    ordered_map_save(&foreign->lefts, commit, foreign->spec.store_id,
                     (Bytes){prefix, sizeof prefix});
    state_log_submit(&foreign->log);
}

static void foreign_settle(State *state) {
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    state_log_settle(&foreign->log);
    ordered_map_settle(&foreign->lefts);
}

static void foreign_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    state_log_undo(&foreign->log, submitted_too);
    ordered_map_undo(&foreign->lefts, submitted_too);
}

static size_t foreign_pending(const State *state) {
    assert(state->ops == &state_foreign_ops);
    const StateForeign *foreign = (const StateForeign *)state;
    return (state_log_count(&foreign->log) + foreign->lefts.running.count) * STATE_ENTRY_BYTES;
}

static void foreign_figures(const State *state, StateFigures *figures) {
    const StateForeign *foreign = (const StateForeign *)state;
    assert(foreign->rights.present_count <= foreign->rights.count);
    *figures = (StateFigures){foreign->rights.present_count + foreign->lefts.count,
                              foreign->rights.heap.used_bytes + foreign->lefts.heap.used_bytes};
}

static void foreign_close(State *state) {
    StateForeign *foreign = (StateForeign *)state;
    slot_table_close(&foreign->rights);
    state_log_close(&foreign->log);
    ordered_map_close(&foreign->lefts);
    buf_free(&foreign->scratch);
    mem_free(foreign);
}

static const StateOps state_foreign_ops = {
    .name = "foreign",
    .save = foreign_save,
    .settle = foreign_settle,
    .undo = foreign_undo,
    .pending = foreign_pending,
    .figures = foreign_figures,
    .close = foreign_close,
};

/* -- Loading ---------------------------------------------------------------------------------- */

static ErrCode load_entry(StateForeign *foreign, Bytes key, Bytes value, Err *err) {
    assert(foreign->log.epoch == 1);
    if (key.size < 2 || key.data[0] > ENTRY_LEFT)
        return err_set(err, ERR_CORRUPT, "a stored key of a foreign-key join does not fit");
    Bytes inner = {key.data + 1, key.size - 1};
    Reader in = reader_of(value);
    int64_t rowtime = reader_zigzag(&in);
    if (key.data[0] == ENTRY_LEFT)
        reader_zigzag(&in);
    Bytes row = reader_bytes(&in, reader_left(&in));
    if (!reader_ok(&in))
        return err_set(err, ERR_CORRUPT, "a stored row of a foreign-key join is cut short");
    if (key.data[0] == ENTRY_LEFT) {
        ordered_map_load(&foreign->lefts, inner, value);
        return ERR_OK;
    }
    Slot *slot = slot_table_load(&foreign->rights, hash_bytes(inner), inner);
    slot->rowtime = rowtime;
    slot_table_set_value(&foreign->rights, slot, row);
    return ERR_OK;
}

static ErrCode foreign_load(StateForeign *foreign, Err *err) {
    assert(foreign->spec.snapshot);
    StoreIter *iter;
    TRY(store_scan(foreign->spec.snapshot, foreign->spec.store_id, (Bytes){0}, (Bytes){0}, &iter,
                   err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(foreign, key, value, err);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    state_log_loaded(&foreign->log);
    return store_iter_close(iter, err);
}

ErrCode state_foreign_new(const StateSpec *spec, StateForeign **target, Err *err) {
    assert(spec && target);
    StateForeign *foreign = mem_alloc(sizeof *foreign);
    foreign->state.ops = &state_foreign_ops;
    foreign->spec = *spec;
    state_log_init(&foreign->log, 0);
    slot_table_init(&foreign->rights, &foreign->log);
    ordered_map_init(&foreign->lefts);
    ErrCode code = spec->snapshot ? foreign_load(foreign, err) : ERR_OK;
    foreign->spec.snapshot = NULL;
    if (code != ERR_OK) {
        foreign_close(&foreign->state);
        return code;
    }
    *target = foreign;
    return ERR_OK;
}
