/*
 * state_foreign_epoch.c - the shape "foreign": what commits write, undo restores and a start loads.
 *
 * Undoing takes every slot that the epoch touched out of its chain, restores the slots, and links
 * those that are there again: links in images are of another time.
 */
#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/reader.h"
#include "runtime/state_foreign_impl.h"
#include "runtime/state_impl.h"

enum { ENTRY_RIGHT = 0, ENTRY_LEFT = 1 };

static const StateOps state_foreign_ops;

/* -- Commits ---------------------------------------------------------------------------------- */

static void save_slot(const StateForeign *foreign, Slot *slot, uint8_t kind, Buf *out,
                      Commit *commit) {
    assert(slot->key_size > 0);
    buf_reset(out);
    buf_u8(out, kind);
    buf_put(out, slot->key, slot->key_size);
    uint32_t key_size = (uint32_t)out->size;
    if (!slot->present) {
        commit_remove(commit, foreign->spec.store_id, buf_view(out));
        return;
    }
    buf_zigzag(out, slot->rowtime);
    if (kind == ENTRY_LEFT) {
        buf_zigzag(out, foreign_link_of(slot)->version);
        buf_varint(out, foreign_link_of(slot)->foreign_size);
    }
    buf_put(out, slot->value, slot->value_size);
    Bytes key = {out->data, key_size};
    Bytes value = {out->data + key_size, (uint32_t)(out->size - key_size)};
    commit_put(commit, foreign->spec.store_id, key, value);
}

static void save_log(const StateForeign *foreign, const StateLog *log, uint8_t kind,
                     Commit *commit) {
    assert(commit);
    Buf out = {0};
    size_t count;
    DirtySlot *dirty = state_sort_images(log, false, &count);
    for (size_t i = 0; i < count; i++)
        save_slot(foreign, dirty[i].image.slot, kind, &out, commit);
    mem_free(dirty);
    buf_free(&out);
}

static void foreign_save(State *state, Commit *commit) {
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    if (commit) {
        save_log(foreign, &foreign->right_log, ENTRY_RIGHT, commit);
        save_log(foreign, &foreign->left_log, ENTRY_LEFT, commit);
    }
    state_count_submit(&foreign->unmatched);
    state_log_submit(&foreign->right_log);
    state_log_submit(&foreign->left_log);
}

static void foreign_settle(State *state) {
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    state_count_settle(&foreign->unmatched);
    state_log_settle(&foreign->right_log);
    state_log_settle(&foreign->left_log);
}

/* -- Undo ------------------------------------------------------------------------------------- */

typedef struct SlotList {
    Slot **items;
    size_t count, capacity;
} SlotList;

/* Takes what an epoch touched out of the chains; what will be there again goes to `back`. Of a slot
 * in both epochs the earlier image is met first, and is the one that counts. */
static void unlink_epoch(StateForeign *foreign, const StateEpoch *epoch, SlotList *back) {
    assert(foreign->left_log.slot_size > sizeof(Slot));
    size_t at = 0;
    for (StateImage image; state_log_next(&foreign->left_log, epoch, &at, &image);) {
        ForeignLink *link = foreign_link_of(image.slot);
        if (link->linked)
            foreign_unlink(foreign, image.slot);
        if (link->marked)
            continue;
        link->marked = true;
        if (!image.before->present)
            continue;
        back->items = mem_grow(back->items, &back->capacity, back->count + 1, sizeof *back->items);
        back->items[back->count++] = image.slot;
    }
}

static void foreign_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_foreign_ops);
    StateForeign *foreign = (StateForeign *)state;
    SlotList back = {0};
    if (submitted_too && foreign->left_log.submitted)
        unlink_epoch(foreign, &foreign->left_log.earlier, &back);
    unlink_epoch(foreign, &foreign->left_log.running, &back);
    state_count_undo(&foreign->unmatched, submitted_too);
    state_log_undo(&foreign->right_log, submitted_too);
    state_log_undo(&foreign->left_log, submitted_too); /* the marks go with it */
    for (size_t i = 0; i < back.count; i++) {
        foreign_link_of(back.items[i])->linked = false; /* it was, when the image was made */
        foreign_link(foreign, back.items[i]);
    }
    mem_free(back.items);
}

/* -- StateOps --------------------------------------------------------------------------------- */

static size_t foreign_pending(const State *state) {
    assert(state->ops == &state_foreign_ops);
    const StateForeign *foreign = (const StateForeign *)state;
    return (state_log_count(&foreign->right_log) + state_log_count(&foreign->left_log)) *
           STATE_ENTRY_BYTES;
}

static void foreign_figures(const State *state, StateFigures *figures) {
    const StateForeign *foreign = (const StateForeign *)state;
    assert(foreign->rights.present_count <= foreign->rights.count);
    *figures = (StateFigures){foreign->rights.present_count + foreign->lefts.present_count,
                              foreign->rights.heap.used_bytes + foreign->lefts.heap.used_bytes,
                              foreign->unmatched.now};
}

static void foreign_close(State *state) {
    assert(state->ops == &state_foreign_ops);
    foreign_free((StateForeign *)state);
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

static ErrCode load_left(StateForeign *foreign, Bytes key, Reader *in, Slot **slot, Err *err) {
    assert(key.size > 0);
    int64_t version = reader_zigzag(in);
    uint64_t foreign_size = reader_varint(in);
    if (!reader_ok(in) || foreign_size == 0 || foreign_size >= key.size ||
        !foreign_version_fits(version))
        return err_set(err, ERR_CORRUPT, "the foreign key of a stored row does not fit");
    *slot = slot_table_load(&foreign->lefts, hash_bytes(key), key);
    ForeignLink *link = foreign_link_of(*slot);
    link->version = version;
    link->foreign_size = (uint32_t)foreign_size;
    link->foreign_hash = hash_bytes((Bytes){key.data, (uint32_t)foreign_size});
    foreign_link(foreign, *slot);
    /* Right rows lie in front of all left ones. */
    foreign->unmatched.now += !slot_table_find(&foreign->rights, link->foreign_hash,
                                               (Bytes){key.data, link->foreign_size});
    return ERR_OK;
}

static ErrCode load_entry(StateForeign *foreign, Bytes key, Bytes value, Err *err) {
    assert(foreign->left_log.epoch == 1);
    if (key.size < 2 || key.data[0] > ENTRY_LEFT)
        return err_set(err, ERR_CORRUPT, "a stored key of a foreign-key join does not fit");
    bool is_left = key.data[0] == ENTRY_LEFT;
    Bytes inner = {key.data + 1, key.size - 1};
    Reader in = reader_of(value);
    int64_t rowtime = reader_zigzag(&in);
    Slot *slot;
    if (is_left)
        TRY(load_left(foreign, inner, &in, &slot, err));
    else
        slot = slot_table_load(&foreign->rights, hash_bytes(inner), inner);
    slot->rowtime = rowtime;
    slot_table_set_value(is_left ? &foreign->lefts : &foreign->rights, slot,
                         reader_bytes(&in, reader_left(&in)));
    return reader_ok(&in) ? ERR_OK
                          : err_set(err, ERR_CORRUPT,
                                    "a stored row of a foreign-key join is cut short");
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
    state_count_submit(&foreign->unmatched);
    state_count_settle(&foreign->unmatched);
    state_log_loaded(&foreign->right_log);
    state_log_loaded(&foreign->left_log);
    return store_iter_close(iter, err);
}

ErrCode state_foreign_new(const StateSpec *spec, StateForeign **target, Err *err) {
    assert(spec && target);
    StateForeign *foreign = mem_alloc(sizeof *foreign);
    foreign->state.ops = &state_foreign_ops;
    foreign->spec = *spec;
    foreign_init(foreign);
    ErrCode code = spec->snapshot ? foreign_load(foreign, err) : ERR_OK;
    foreign->spec.snapshot = NULL;
    if (code != ERR_OK) {
        foreign_close(&foreign->state);
        return code;
    }
    *target = foreign;
    return ERR_OK;
}
