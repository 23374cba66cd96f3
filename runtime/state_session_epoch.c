/*
 * state_session_epoch.c - the shape "session": what commits write, undo restores and a start loads.
 *
 * A commit removes the old keys of all sessions that changed their bounds or went, then puts the
 * present ones: a key that one session left may be another's now. What was only closed is not
 * written again.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/state_session_impl.h"

static const StateOps state_session_ops;
static const uint8_t TIME_KEY[] = {0xFF}; /* behind every row key */

static StateSession *session_state(State *state) {
    assert(state->ops == &state_session_ops);
    return (StateSession *)state;
}

/* -- Commits ---------------------------------------------------------------------------------- */

static void put_key(Buf *key, Slot *slot, const Session *session) {
    assert(session->start >= 0);
    assert(session->start <= session->end);
    Bytes row_key = session_row_key(slot);
    buf_reset(key);
    buf_put(key, row_key.data, row_key.size);
    buf_u64_be(key, (uint64_t)session->end);
    buf_u64_be(key, (uint64_t)session->start);
}

static bool same_bounds(const StateImage *image) {
    const Session *now = session_of(image->slot);
    const Session *before = (const Session *)(const void *)image->before->fixed;
    assert(image->slot);
    return image->slot->present && image->before->present && now->start == before->start &&
           now->end == before->end;
}

static int compare_images(const void *left_void, const void *right_void) {
    const StateImage *left = left_void, *right = right_void;
    return bytes_compare((Bytes){left->slot->key, left->slot->key_size},
                         (Bytes){right->slot->key, right->slot->key_size});
}

static StateImage *sorted_images(const StateLog *log, size_t *count) {
    StateImage *images = mem_array(state_log_count(log), sizeof *images);
    size_t at = 0;
    assert(*count == 0);
    for (StateImage image; state_log_next(log, &log->running, &at, &image);) {
        if (image.slot->present || image.before->present)
            images[(*count)++] = image;
    }
    qsort(images, *count, sizeof *images, compare_images);
    return images;
}

static void save_images(const StateSession *sessions, Commit *commit) {
    assert(!sessions->log.submitted);
    Buf key = {0}, value = {0};
    size_t count = 0;
    StateImage *images = sorted_images(&sessions->log, &count);
    for (size_t i = 0; i < count; i++) {
        if (!images[i].before->present || same_bounds(&images[i]))
            continue;
        put_key(&key, images[i].slot,
                (const Session *)(const void *)images[i].before->fixed);
        commit_remove(commit, sessions->spec.store_id, buf_view(&key));
    }
    for (size_t i = 0; i < count; i++) {
        if (!images[i].slot->present ||
            session_of(images[i].slot)->changed != sessions->log.epoch)
            continue;
        put_key(&key, images[i].slot, session_of(images[i].slot));
        buf_reset(&value);
        store_layout_put(sessions->spec.layout, images[i].slot, &value);
        assert(value.size > 0);
        commit_put(commit, sessions->spec.store_id, buf_view(&key), buf_view(&value));
    }
    mem_free(images);
    buf_free(&key);
    buf_free(&value);
}

static void session_save(State *state, Commit *commit) {
    StateSession *sessions = session_state(state);
    if (commit) {
        save_images(sessions, commit);
        state_save_elements(&sessions->spec, &sessions->log, commit, false);
        if (sessions->stream_time != sessions->stream_time_submitted ||
            state_given_changed(&sessions->given)) {
            Buf value = {0};
            buf_zigzag(&value, sessions->stream_time);
            if (sessions->final != FINAL_NONE)
                state_given_put(&sessions->given, &value);
            commit_put(commit, sessions->spec.store_id, (Bytes){TIME_KEY, sizeof TIME_KEY},
                       buf_view(&value));
            buf_free(&value);
        }
    }
    sessions->stream_time_submitted = sessions->stream_time;
    state_given_submit(&sessions->given);
    state_log_submit(&sessions->log);
}

static void session_settle(State *state) {
    StateSession *sessions = session_state(state);
    assert(sessions->log.submitted);
    state_log_settle(&sessions->log);
    sessions->stream_time_settled = sessions->stream_time_submitted;
    state_given_settle(&sessions->given);
}

/* -- Undo ------------------------------------------------------------------------------------- */

/* Takes what an epoch touched out of chains and heaps; what will be there again goes to `back`.
 * Marked slots are in the list already, or will be absent. */
static void undo_epoch(StateSession *sessions, const StateEpoch *epoch, SessionList *back) {
    assert(sessions->log.slot_size > sizeof(Slot));
    size_t at = 0;
    for (StateImage image; state_log_next(&sessions->log, epoch, &at, &image);) {
        Session *session = session_of(image.slot);
        if (session->place > 0)
            session_unlink(sessions, image.slot);
        if (session->marked)
            continue;
        session->marked = true;
        if (!image.before->present)
            continue;
        back->slots = mem_grow(back->slots, &back->capacity, back->count + 1, sizeof *back->slots);
        back->slots[back->count++] = image.slot;
    }
}

static void session_undo(State *state, bool submitted_too) {
    StateSession *sessions = session_state(state);
    SessionList back = {0};
    if (submitted_too && sessions->log.submitted)
        undo_epoch(sessions, &sessions->log.earlier, &back);
    undo_epoch(sessions, &sessions->log.running, &back);
    state_log_undo(&sessions->log, submitted_too); /* the marks go with it */
    for (size_t i = 0; i < back.count; i++) {
        assert(!session_of(back.slots[i])->marked);
        session_link(sessions, back.slots[i]);
    }
    mem_free(back.slots);
    state_given_undo(&sessions->given, submitted_too);
    sessions->stream_time = sessions->stream_time_submitted;
    if (submitted_too)
        sessions->stream_time = sessions->stream_time_submitted = sessions->stream_time_settled;
}

/* -- The rest --------------------------------------------------------------------------------- */

static size_t session_pending(const State *state) {
    assert(state->ops == &state_session_ops);
    return state_log_pending(&((const StateSession *)state)->log);
}

static void session_figures(const State *state, StateFigures *figures) {
    const StateSession *sessions = (const StateSession *)state;
    assert(sessions->slots.present_count <= sessions->slots.count);
    *figures = (StateFigures){.rows = sessions->slots.present_count,
                              .bytes = sessions->slots.heap.used_bytes};
}

static void session_close(State *state) {
    StateSession *sessions = session_state(state);
    slot_table_close(&sessions->slots);
    state_log_close(&sessions->log);
    for (uint32_t i = 0; i < SESSION_WAITS; i++)
        mem_free(sessions->heaps[i].slots);
    mem_free(sessions->chains);
    state_given_close(&sessions->given);
    mem_free(sessions);
}

static const StateOps state_session_ops = {
    .name = "session",
    .save = session_save,
    .settle = session_settle,
    .undo = session_undo,
    .pending = session_pending,
    .figures = session_figures,
    .close = session_close,
};

static ErrCode load_entry(StateSession *sessions, ElementOwners *owners, Bytes key, Bytes value,
                          Err *err) {
    assert(key.data);
    if (element_is(key))
        return element_owners_load(owners, key, value, err);
    if (key.size == sizeof TIME_KEY && key.data[0] == TIME_KEY[0]) {
        Reader in = reader_of(value);
        sessions->stream_time = reader_zigzag(&in);
        if (sessions->final != FINAL_NONE && !state_given_get(&sessions->given, &in))
            return err_set(err, ERR_CORRUPT, "a mark of what was given out does not fit");
        return reader_ok(&in) ? ERR_OK : err_set(err, ERR_CORRUPT, "a stream time is cut short");
    }
    SessionBounds bounds;
    if (!session_split(key, &bounds))
        return err_set(err, ERR_CORRUPT, "a stored session key does not fit");
    SessionKey inner = {bounds.row_key, hash_bytes(bounds.row_key)};
    Slot *slot = session_load(sessions, inner, bounds.start, bounds.end);
    TRY(store_layout_get(sessions->spec.layout, &sessions->slots, slot, value, err));
    element_owners_add(owners, sessions->spec.layout, &sessions->slots, slot);
    return ERR_OK;
}

/* What was closed before is not closed again. */
static void link_loaded(StateSession *sessions) {
    assert(sessions->chain_count == 0);
    for (uint32_t i = 0; i <= sessions->slots.mask; i++) {
        Slot *slot = sessions->slots.entries[i].slot;
        if (!slot)
            continue;
        bool open = sessions->final != FINAL_NONE &&
                    session_of(slot)->end > sessions->given.now.until;
        session_of(slot)->wait = open ? SESSION_OPEN : SESSION_KEPT;
        session_link(sessions, slot);
    }
}

static ErrCode session_load_all(StateSession *sessions, Err *err) {
    assert(sessions->slots.count == 0);
    StoreIter *iter;
    TRY(store_scan(sessions->spec.snapshot, sessions->spec.store_id, (Bytes){0}, (Bytes){0}, &iter,
                   err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    ElementOwners owners = {0};
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(sessions, &owners, key, value, err);
    element_owners_free(&owners);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    link_loaded(sessions);
    state_log_loaded(&sessions->log);
    sessions->stream_time_submitted = sessions->stream_time_settled = sessions->stream_time;
    return store_iter_close(iter, err);
}

ErrCode state_session_new(const StateSpec *spec, StateSession **target, Err *err) {
    assert(spec && target);
    StateSession *sessions = mem_alloc(sizeof *sessions);
    sessions->state.ops = &state_session_ops;
    sessions->spec = *spec;
    session_init(sessions);
    ErrCode code = spec->snapshot ? session_load_all(sessions, err) : ERR_OK;
    sessions->spec.snapshot = NULL;
    if (code != ERR_OK) {
        session_close(&sessions->state);
        return code;
    }
    *target = sessions;
    return ERR_OK;
}
