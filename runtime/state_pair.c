/*
 * state_pair.c - see state_pair.h.
 */
#include "runtime/state_pair.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/state_impl.h"

static const StateOps state_pair_ops;

/* -- Changes ---------------------------------------------------------------------------------- */

static void side_put(SlotTable *slots, PairSide *side, Bytes value, int64_t rowtime) {
    assert(value.data || value.size == 0);
    slot_table_drop_blob(slots, side->value);
    *side = (PairSide){slot_table_put_blob(slots, value), rowtime, value.size, true};
    assert(side->value);
}

static bool is_unmatched(const StatePair *pair, Slot *slot) {
    bool left = state_pair_side(slot, 0)->present, right = state_pair_side(slot, 1)->present;
    return left != right && (pair->wanting & (left ? 1 : 2));
}

void state_pair_set(StatePair *pair, Slot *slot, uint32_t side, Bytes value, int64_t rowtime) {
    assert(slot->epoch == pair->log.epoch);
    bool before = is_unmatched(pair, slot);
    side_put(&pair->slots, state_pair_side(slot, side), value, rowtime);
    slot_table_set_present(&pair->slots, slot, true);
    pair->unmatched.now += (uint64_t)is_unmatched(pair, slot) - before;
}

void state_pair_drop(StatePair *pair, Slot *slot, uint32_t side) {
    assert(slot->epoch == pair->log.epoch);
    PairSide *gone = state_pair_side(slot, side);
    bool before = is_unmatched(pair, slot);
    slot_table_drop_blob(&pair->slots, gone->value);
    *gone = (PairSide){0};
    slot_table_set_present(&pair->slots, slot, state_pair_side(slot, 1 - side)->present);
    pair->unmatched.now += (uint64_t)is_unmatched(pair, slot) - before;
}

/* -- StateOps --------------------------------------------------------------------------------- */

static const PairSide *side_of(const Slot *slot, uint32_t side) {
    assert(side < 2);
    return (const PairSide *)(const void *)slot->fixed + side;
}

static void save_side(const StatePair *pair, const StateImage *image, uint32_t side, Buf *out,
                      Commit *commit) {
    assert(image->slot->key_size > 0);
    const PairSide *now = side_of(image->slot, side), *before = side_of(image->before, side);
    if (now->value == before->value && now->rowtime == before->rowtime)
        return; /* blobs of an epoch are not used again within it */
    buf_reset(out);
    buf_put(out, image->slot->key, image->slot->key_size);
    buf_u8(out, (uint8_t)side);
    size_t key_size = out->size;
    if (!now->present) {
        commit_remove(commit, pair->spec.store_id, buf_view(out));
        return;
    }
    buf_zigzag(out, now->rowtime);
    buf_bytes(out, pair_side_bytes(now));
    Bytes key = {out->data, (uint32_t)key_size};
    Bytes value = {out->data + key_size, (uint32_t)(out->size - key_size)};
    commit_put(commit, pair->spec.store_id, key, value);
}

static void pair_save(State *state, Commit *commit) {
    assert(state->ops == &state_pair_ops);
    StatePair *pair = (StatePair *)state;
    if (commit) {
        Buf out = {0};
        size_t count;
        DirtySlot *dirty = state_sort_images(&pair->log, false, &count);
        for (size_t i = 0; i < count; i++) {
            save_side(pair, &dirty[i].image, 0, &out, commit);
            save_side(pair, &dirty[i].image, 1, &out, commit);
        }
        mem_free(dirty);
        buf_free(&out);
    }
    state_count_submit(&pair->unmatched);
    state_log_submit(&pair->log);
}

static void pair_settle(State *state) {
    assert(state->ops == &state_pair_ops);
    state_count_settle(&((StatePair *)state)->unmatched);
    state_log_settle(&((StatePair *)state)->log);
}

static void pair_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_pair_ops);
    state_count_undo(&((StatePair *)state)->unmatched, submitted_too);
    state_log_undo(&((StatePair *)state)->log, submitted_too);
}

static size_t pair_pending(const State *state) {
    assert(state->ops == &state_pair_ops);
    return state_log_count(&((const StatePair *)state)->log) * STATE_ENTRY_BYTES;
}

static void pair_figures(const State *state, StateFigures *figures) {
    const StatePair *pair = (const StatePair *)state;
    assert(pair->slots.present_count <= pair->slots.count);
    *figures = (StateFigures){pair->slots.present_count, pair->slots.heap.used_bytes,
                              pair->unmatched.now};
}

static void pair_close(State *state) {
    StatePair *pair = (StatePair *)state;
    slot_table_close(&pair->slots);
    state_log_close(&pair->log);
    mem_free(pair);
}

static const StateOps state_pair_ops = {
    .name = "pair",
    .save = pair_save,
    .settle = pair_settle,
    .undo = pair_undo,
    .pending = pair_pending,
    .figures = pair_figures,
    .close = pair_close,
};

/* -- Loading ---------------------------------------------------------------------------------- */

static ErrCode load_entry(StatePair *pair, Bytes key, Bytes value, Err *err) {
    assert(pair->log.epoch == 1);
    if (key.size < 2 || key.data[key.size - 1] > 1)
        return err_set(err, ERR_CORRUPT, "the key of a stored pair does not fit");
    uint32_t side = key.data[--key.size];
    uint64_t hash = hash_bytes(key);
    Slot *slot = slot_table_find(&pair->slots, hash, key);
    if (!slot)
        slot = slot_table_load(&pair->slots, hash, key);
    Reader in = reader_of(value);
    int64_t rowtime = reader_zigzag(&in);
    Bytes row = reader_bytes(&in, reader_left(&in));
    if (!reader_ok(&in))
        return err_set(err, ERR_CORRUPT, "a stored row of a pair is cut short");
    bool before = is_unmatched(pair, slot);
    side_put(&pair->slots, state_pair_side(slot, side), row, rowtime);
    pair->unmatched.now += (uint64_t)is_unmatched(pair, slot) - before;
    return ERR_OK;
}

static ErrCode pair_load(StatePair *pair, Err *err) {
    assert(pair->spec.snapshot);
    StoreIter *iter;
    TRY(store_scan(pair->spec.snapshot, pair->spec.store_id, (Bytes){0}, (Bytes){0}, &iter, err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(pair, key, value, err);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    state_count_submit(&pair->unmatched);
    state_count_settle(&pair->unmatched);
    state_log_loaded(&pair->log);
    return store_iter_close(iter, err);
}

ErrCode state_pair_new(const StateSpec *spec, uint8_t wanting, StatePair **target, Err *err) {
    assert(spec && target);
    StatePair *pair = mem_alloc(sizeof *pair);
    pair->state.ops = &state_pair_ops;
    pair->spec = *spec;
    pair->wanting = wanting;
    state_log_init(&pair->log, 2 * sizeof(PairSide));
    slot_table_init(&pair->slots, &pair->log);
    ErrCode code = spec->snapshot ? pair_load(pair, err) : ERR_OK;
    pair->spec.snapshot = NULL;
    if (code != ERR_OK) {
        pair_close(&pair->state);
        return code;
    }
    *target = pair;
    return ERR_OK;
}
