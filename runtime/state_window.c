/*
 * state_window.c - the shape "window": one hash per window start, in order of start.
 *
 * A bucket expires when its start plus the retention is before the last window's start, as in Kafka
 * Streams; its entries go by one range removal, its memory when that is durable. Late rows are
 * refused before they come here, so an expired bucket never comes back.
 */
#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/state.h"

static const StateOps state_window_ops;
static const uint8_t TIME_KEY[] = {0xFF}; /* behind every window: starts are not negative */

static void list_add(BucketList *list, WindowBucket *bucket) {
    assert(bucket);
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = bucket;
}

/* Index of the first bucket whose start is not before `start`. */
static size_t list_find(const BucketList *list, int64_t start) {
    assert(list->items || list->count == 0);
    assert(start >= 0);
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list->items[middle]->start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void list_insert(BucketList *list, size_t index, WindowBucket *bucket) {
    assert(index <= list->count);
    assert(index <= list->count);
    list_add(list, bucket);
    memmove(&list->items[index + 1], &list->items[index],
            (list->count - 1 - index) * sizeof *list->items);
    list->items[index] = bucket;
}

static void bucket_free(WindowBucket *bucket) {
    slot_table_close(&bucket->slots);
    mem_free(bucket);
}

static void list_free_buckets(BucketList *list) {
    for (size_t i = 0; i < list->count; i++)
        bucket_free(list->items[i]);
    list->count = 0;
}

WindowBucket *state_window_bucket(StateWindow *window, int64_t start) {
    assert(start >= 0);
    BucketList *buckets = &window->buckets;
    if (window->last < buckets->count && buckets->items[window->last]->start == start)
        return buckets->items[window->last];
    if (window->last + 1 < buckets->count && buckets->items[window->last + 1]->start == start)
        return buckets->items[++window->last];
    size_t index = list_find(buckets, start);
    if (index == buckets->count || buckets->items[index]->start != start) {
        WindowBucket *bucket = mem_alloc(sizeof *bucket);
        bucket->start = start;
        slot_table_init(&bucket->slots, &window->log);
        list_insert(buckets, index, bucket);
    }
    window->last = index;
    return buckets->items[index];
}

int64_t state_window_next(const StateWindow *window, int64_t start) {
    if (start == INT64_MAX)
        return INT64_MAX;
    assert(start >= -1);
    size_t index = list_find(&window->buckets, start + 1);
    return index < window->buckets.count ? window->buckets.items[index]->start : INT64_MAX;
}

static bool is_final(const StateWindow *window) {
    return window->spec.layout->node->window.final != FINAL_NONE;
}

/* The start of the last window that holds something; -1: none. */
static int64_t last_start(const BucketList *buckets) {
    size_t count = buckets->count;
    while (count > 0 && buckets->items[count - 1]->slots.present_count == 0)
        count--;
    return count > 0 ? buckets->items[count - 1]->start : -1;
}

void state_window_expire(StateWindow *window) {
    assert(window->retention_ms > 0);
    BucketList *buckets = &window->buckets;
    int64_t until = last_start(buckets) - window->retention_ms;
    size_t gone = 0;
    if (is_final(window) && until > window->given.now.until + 1)
        until = window->given.now.until + 1;
    while (gone < buckets->count && buckets->items[gone]->start < until)
        gone++;
    if (gone == 0)
        return;
    for (size_t i = 0; i < gone; i++) {
        buckets->items[i]->expired = true;
        list_add(&window->expired, buckets->items[i]);
    }
    buckets->count -= gone;
    memmove(buckets->items, &buckets->items[gone], buckets->count * sizeof *buckets->items);
    window->last = 0;
}

static void put_start(uint8_t key[WINDOW_START_SIZE], int64_t start) {
    assert(start >= 0);
    for (int i = 0; i < WINDOW_START_SIZE; i++)
        key[i] = (uint8_t)((uint64_t)start >> (56 - 8 * i));
}

static void save_expired(const StateWindow *window, Commit *commit) {
    for (size_t i = 0; i < window->expired.count; i++) {
        uint8_t min[WINDOW_START_SIZE], max[WINDOW_START_SIZE];
        int64_t start = window->expired.items[i]->start;
        assert(start < INT64_MAX);
        put_start(min, start);
        put_start(max, start + 1);
        commit_remove_range(commit, window->spec.store_id, (Bytes){min, sizeof min},
                            (Bytes){max, sizeof max});
    }
}

/* The stream time, and with EMIT FINAL what was given out. */
static void save_time(const StateWindow *window, Commit *commit) {
    if (window->stream_time == window->stream_time_submitted &&
        !state_given_changed(&window->given))
        return;
    Buf value = {0};
    buf_zigzag(&value, window->stream_time);
    if (is_final(window))
        state_given_put(&window->given, &value);
    commit_put(commit, window->spec.store_id, (Bytes){TIME_KEY, sizeof TIME_KEY},
               buf_view(&value));
    buf_free(&value);
}

static void window_save(State *state, Commit *commit) {
    StateWindow *window = (StateWindow *)state;
    if (commit) {
        state_save_images(&window->spec, &window->log, commit, true);
        save_expired(window, commit);
        save_time(window, commit);
    }
    state_given_submit(&window->given);
    window->stream_time_submitted = window->stream_time;
    assert(window->expired_earlier.count == 0);
    BucketList swap = window->expired_earlier;
    window->expired_earlier = window->expired;
    window->expired = swap;
    state_log_submit(&window->log);
}

static void window_settle(State *state) {
    assert(state->ops == &state_window_ops);
    StateWindow *window = (StateWindow *)state;
    state_log_settle(&window->log);
    list_free_buckets(&window->expired_earlier);
    state_given_settle(&window->given);
    window->stream_time_settled = window->stream_time_submitted;
}

static void take_back(StateWindow *window, BucketList *expired) {
    assert(expired != &window->buckets);
    for (size_t i = 0; i < expired->count; i++) {
        WindowBucket *bucket = expired->items[i];
        bucket->expired = false;
        list_insert(&window->buckets, list_find(&window->buckets, bucket->start), bucket);
    }
    expired->count = 0;
}

static void window_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_window_ops);
    StateWindow *window = (StateWindow *)state;
    take_back(window, &window->expired);
    window->stream_time = window->stream_time_submitted;
    if (submitted_too) {
        take_back(window, &window->expired_earlier);
        window->stream_time = window->stream_time_submitted = window->stream_time_settled;
    }
    state_log_undo(&window->log, submitted_too);
    window->last = 0;
    state_given_undo(&window->given, submitted_too);
}

static size_t window_pending(const State *state) {
    assert(state->ops == &state_window_ops);
    const StateWindow *window = (const StateWindow *)state;
    return state_log_pending(&window->log) + window->expired.count * STATE_ENTRY_BYTES;
}

static void window_figures(const State *state, StateFigures *figures) {
    assert(figures);
    const StateWindow *window = (const StateWindow *)state;
    *figures = (StateFigures){0};
    for (size_t i = 0; i < window->buckets.count; i++) {
        figures->rows += window->buckets.items[i]->slots.present_count;
        figures->bytes += window->buckets.items[i]->slots.heap.used_bytes;
    }
}

static void window_close(State *state) {
    StateWindow *window = (StateWindow *)state;
    list_free_buckets(&window->buckets);
    list_free_buckets(&window->expired);
    list_free_buckets(&window->expired_earlier);
    mem_free(window->buckets.items);
    mem_free(window->expired.items);
    mem_free(window->expired_earlier.items);
    state_log_close(&window->log);
    state_given_close(&window->given);
    mem_free(window);
}

static const StateOps state_window_ops = {
    .name = "window",
    .save = window_save,
    .settle = window_settle,
    .undo = window_undo,
    .pending = window_pending,
    .figures = window_figures,
    .close = window_close,
};

static ErrCode load_entry(StateWindow *window, ElementOwners *owners, Bytes key, Bytes value,
                          Err *err) {
    assert(key.data);
    if (key.size == sizeof TIME_KEY && key.data[0] == TIME_KEY[0]) {
        Reader in = reader_of(value);
        window->stream_time = reader_zigzag(&in);
        if (is_final(window) && !state_given_get(&window->given, &in))
            return err_set(err, ERR_CORRUPT, "a mark of what was given out does not fit");
        return reader_ok(&in) ? ERR_OK : err_set(err, ERR_CORRUPT, "a stream time is cut short");
    }
    Reader in = reader_of(key);
    int64_t start = (int64_t)reader_u64_be(&in);
    Bytes inner = reader_bytes(&in, reader_left(&in));
    if (!reader_ok(&in) || start < 0 || inner.size == 0)
        return err_set(err, ERR_CORRUPT, "a stored window key does not fit");
    if (element_is(inner))
        return element_owners_load(owners, inner, value, err);
    SlotTable *slots = &state_window_bucket(window, start)->slots;
    Slot *slot = slot_table_load(slots, hash_bytes(inner), inner);
    TRY(store_layout_get(window->spec.layout, slots, slot, value, err));
    element_owners_add(owners, window->spec.layout, slots, slot);
    return ERR_OK;
}

static ErrCode window_load(StateWindow *window, Err *err) {
    assert(window->buckets.count == 0);
    StoreIter *iter;
    TRY(store_scan(window->spec.snapshot, window->spec.store_id, (Bytes){0}, (Bytes){0}, &iter,
                   err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    ElementOwners owners = {0};
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(window, &owners, key, value, err);
    element_owners_free(&owners);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    state_log_loaded(&window->log);
    window->stream_time_submitted = window->stream_time_settled = window->stream_time;
    return store_iter_close(iter, err);
}

ErrCode state_window_new(const StateSpec *spec, StateWindow **target, Err *err) {
    assert(spec && target);
    const PlanWindow *plan = &spec->layout->node->window;
    assert(plan->size_ms > 0);
    StateWindow *window = mem_alloc(sizeof *window);
    window->state.ops = &state_window_ops;
    window->spec = *spec;
    int64_t kept_ms = plan->size_ms + plan->grace_ms;
    window->retention_ms = plan->retention_ms > kept_ms ? plan->retention_ms : kept_ms;
    window->stream_time = window->stream_time_submitted = window->stream_time_settled = INT64_MIN;
    state_given_init(&window->given, -1);
    state_log_init(&window->log, spec->layout->fixed_size);
    ErrCode code = spec->snapshot ? window_load(window, err) : ERR_OK;
    window->spec.snapshot = NULL;
    if (code != ERR_OK) {
        window_close(&window->state);
        return code;
    }
    *target = window;
    return ERR_OK;
}
