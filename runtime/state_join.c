/*
 * state_join.c - see state_join.h.
 *
 * Buckets are as wide as the window, or a 64th of the retention where that is more: a lookup meets
 * two or three, and what lives longer than it must is little. Rows mostly come in order of time,
 * so chains are searched from their ends.
 */
#include "runtime/state_join.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { JOIN_PENDING = 2, BUCKET_MIN = 16, BUCKETS_ABOUT = 64 };

static const StateOps state_join_ops;
static const uint8_t TIMES_KEY[] = {0xFF};
static const uint8_t PENDING_PREFIX[] = {JOIN_PENDING};

/* -- Buckets ----------------------------------------------------------------------------------- */

static void bucket_free(JoinBucket *bucket) {
    assert(bucket);
    blob_heap_close(&bucket->heap);
    mem_free(bucket->entries);
    mem_free(bucket);
}

static JoinBucket *bucket_new(int64_t start) {
    JoinBucket *bucket = mem_alloc(sizeof *bucket);
    assert(start >= 0);
    bucket->start = start;
    bucket->mask = BUCKET_MIN - 1;
    bucket->entries = mem_array(BUCKET_MIN, sizeof *bucket->entries);
    blob_heap_init(&bucket->heap);
    return bucket;
}

static void buckets_insert(JoinBuckets *buckets, size_t index, JoinBucket *bucket) {
    assert(index <= buckets->count);
    buckets->items = mem_grow(buckets->items, &buckets->capacity, buckets->count + 1,
                              sizeof *buckets->items);
    memmove(&buckets->items[index + 1], &buckets->items[index],
            (buckets->count - index) * sizeof *buckets->items);
    buckets->items[index] = bucket;
    buckets->count++;
}

/* Index of the first bucket that begins at `start` or later. Rows come in about the order of
 * their times: the search begins at the end. */
static size_t buckets_find(const JoinBuckets *buckets, int64_t start) {
    assert(buckets->items || buckets->count == 0);
    size_t index = buckets->count;
    while (index > 0 && buckets->items[index - 1]->start >= start)
        index--;
    return index;
}

static void buckets_clear(JoinBuckets *buckets) {
    for (size_t i = 0; i < buckets->count; i++)
        bucket_free(buckets->items[i]);
    buckets->count = 0;
}

static JoinBucket *bucket_of(StateJoin *join, uint32_t side, int64_t start) {
    JoinBuckets *buckets = &join->sides[side].buckets;
    size_t index = buckets_find(buckets, start);
    assert(start % join->bucket_ms == 0);
    if (index == buckets->count || buckets->items[index]->start != start)
        buckets_insert(buckets, index, bucket_new(start));
    return buckets->items[index];
}

/* -- Chains ------------------------------------------------------------------------------------ */

static JoinChain *chain_find(const JoinBucket *bucket, uint64_t hash, Bytes key, uint32_t *at) {
    assert(key.size > 0);
    for (*at = (uint32_t)hash & bucket->mask; bucket->entries[*at];
         *at = (*at + 1) & bucket->mask) {
        JoinChain *chain = bucket->entries[*at];
        if (chain->hash == hash && bytes_equal((Bytes){chain->key, chain->key_size}, key))
            return chain;
    }
    return NULL;
}

static void bucket_grow(JoinBucket *bucket) {
    uint32_t size = (bucket->mask + 1) * 2;
    assert(size > BUCKET_MIN);
    JoinChain **entries = mem_array(size, sizeof *entries);
    for (uint32_t i = 0; i <= bucket->mask; i++) {
        JoinChain *chain = bucket->entries[i];
        if (!chain)
            continue;
        uint32_t at = (uint32_t)chain->hash & (size - 1);
        while (entries[at])
            at = (at + 1) & (size - 1);
        entries[at] = chain;
    }
    mem_free(bucket->entries);
    bucket->entries = entries;
    bucket->mask = size - 1;
}

static JoinChain *chain_of(JoinBucket *bucket, uint64_t hash, Bytes key) {
    uint32_t at;
    JoinChain *chain = chain_find(bucket, hash, key, &at);
    if (chain)
        return chain;
    if (bucket->chain_count >= (bucket->mask + 1) / 2) {
        bucket_grow(bucket);
        chain_find(bucket, hash, key, &at);
    }
    assert(!bucket->entries[at]);
    chain = blob_heap_alloc(&bucket->heap, sizeof *chain);
    uint8_t *copy = blob_heap_alloc(&bucket->heap, key.size);
    memcpy(copy, key.data, key.size);
    *chain = (JoinChain){.hash = hash, .key = copy, .key_size = key.size};
    bucket->entries[at] = chain;
    bucket->chain_count++;
    return chain;
}

static bool row_after(const JoinRow *left, const JoinRow *right) {
    assert(left && right);
    return left->rowtime != right->rowtime ? left->rowtime > right->rowtime
                                           : left->arrival > right->arrival;
}

static void chain_link(JoinChain *chain, JoinRow *row) {
    JoinRow *before = chain->last;
    assert(row && row != before);
    while (before && row_after(before, row))
        before = before->earlier;
    row->earlier = before;
    row->later = before ? before->later : chain->first;
    *(before ? &before->later : &chain->first) = row;
    *(row->later ? &row->later->earlier : &chain->last) = row;
}

static void chain_unlink(JoinChain *chain, JoinRow *row) {
    assert(chain->first && chain->last);
    *(row->earlier ? &row->earlier->later : &chain->first) = row->later;
    *(row->later ? &row->later->earlier : &chain->last) = row->earlier;
}

/* -- Rows -------------------------------------------------------------------------------------- */

static int64_t bucket_start(const StateJoin *join, int64_t rowtime) {
    assert(rowtime >= 0);
    return rowtime - rowtime % join->bucket_ms;
}

/* The last time that cannot be seen any more. */
static int64_t side_horizon(const StateJoin *join, uint32_t side) {
    assert(side < 2);
    int64_t time = join->times.side[side];
    return time < 0 ? INT64_MIN : time - join->retention_ms;
}

static JoinChange put_row(StateJoin *join, uint32_t side, uint64_t hash, Bytes key,
                          const JoinRow *head, Bytes value) {
    JoinBucket *bucket = bucket_of(join, side, bucket_start(join, head->rowtime));
    assert(!bucket->expired);
    JoinChain *chain = chain_of(bucket, hash, key);
    JoinRow *row = blob_heap_alloc(&bucket->heap, (uint32_t)sizeof *row + value.size);
    *row = *head;
    row->size = value.size;
    if (value.size > 0)
        memcpy(row->bytes, value.data, value.size);
    chain_link(chain, row);
    bucket->row_count++;
    bucket->met_count += row->met;
    return (JoinChange){bucket, chain, row};
}

/* Buckets whose last row cannot be seen are put aside. */
static void expire(StateJoin *join, uint32_t side) {
    JoinSide *rows = &join->sides[side];
    int64_t horizon = side_horizon(join, side);
    size_t gone = 0;
    while (gone < rows->buckets.count &&
           rows->buckets.items[gone]->start <= horizon - (join->bucket_ms - 1))
        gone++;
    if (gone == 0)
        return;
    for (size_t i = 0; i < gone; i++) {
        JoinBucket *bucket = rows->buckets.items[i];
        assert(!bucket->expired);
        bucket->expired = true;
        if (side == 0 && join->alone_ms >= 0)
            join->unmatched.now += bucket->row_count - bucket->met_count;
        buckets_insert(&rows->running.expired, rows->running.expired.count, bucket);
    }
    rows->buckets.count -= gone;
    memmove(rows->buckets.items, &rows->buckets.items[gone],
            rows->buckets.count * sizeof *rows->buckets.items);
}

const JoinRow *state_join_add(StateJoin *join, uint32_t side, uint64_t hash, Bytes key,
                              int64_t rowtime, Bytes value) {
    assert(side < 2 && rowtime >= 0);
    JoinChanges *added = &join->sides[side].running.added;
    if (rowtime > join->times.side[side]) {
        join->times.side[side] = rowtime;
        expire(join, side);
    }
    if (rowtime <= side_horizon(join, side))
        return NULL;
    JoinRow head = {.rowtime = rowtime, .arrival = join->arrival++};
    added->items = mem_grow(added->items, &added->capacity, added->count + 1,
                            sizeof *added->items);
    added->items[added->count] = put_row(join, side, hash, key, &head, value);
    return added->items[added->count++].row;
}

void state_join_met(StateJoin *join, const JoinRow *row) {
    assert(join->alone_ms >= 0);
    if (row->met)
        return;
    bucket_of(join, 0, bucket_start(join, row->rowtime))->met_count++;
    ((JoinRow *)(uintptr_t)row)->met = 1; /* a row of this state */
}

/* Of the left side, in buckets whose rows meet nobody any more, if rows come in order. */
static uint64_t unmatched_now(const StateJoin *join) {
    const JoinBuckets *buckets = &join->sides[0].buckets;
    uint64_t count = join->unmatched.now;
    if (join->alone_ms < 0 || join->times.stream < 0)
        return count;
    int64_t last = join->times.stream - join->bucket_ms - join->alone_ms;
    for (size_t i = 0; i < buckets->count; i++) {
        const JoinBucket *bucket = buckets->items[i];
        assert(bucket->met_count <= bucket->row_count);
        if (bucket->start < last)
            count += bucket->row_count - bucket->met_count;
    }
    return count;
}

void state_join_prefetch(const StateJoin *join, uint64_t hash, int64_t rowtime) {
    assert(rowtime >= 0);
    for (uint32_t side = 0; side < 2; side++) {
        const JoinBuckets *buckets = &join->sides[side].buckets;
        size_t index = buckets_find(buckets, bucket_start(join, rowtime));
        if (index < buckets->count) {
            const JoinBucket *bucket = buckets->items[index];
            __builtin_prefetch(&bucket->entries[(uint32_t)hash & bucket->mask]);
        }
    }
}

JoinFind state_join_find(const StateJoin *join, uint32_t side, uint64_t hash, Bytes key,
                         int64_t from, int64_t to) {
    int64_t horizon = side_horizon(join, side);
    JoinFind find = {.join = join, .side = side, .hash = hash, .key = key, .from = from, .to = to};
    if (from <= horizon)
        find.from = horizon + 1;
    if (find.from < 0)
        find.from = 0;
    assert(find.from >= 0);
    find.bucket = buckets_find(&join->sides[side].buckets, bucket_start(join, find.from));
    return find;
}

/* The first row of a chain in [from, to]. */
static const JoinRow *chain_first(const JoinChain *chain, int64_t from, int64_t to) {
    assert(from >= 0);
    const JoinRow *row = chain->last, *first = NULL;
    while (row && row->rowtime > to)
        row = row->earlier;
    for (; row && row->rowtime >= from; row = row->earlier)
        first = row;
    return first;
}

const JoinRow *state_join_next(JoinFind *find) {
    const JoinBuckets *buckets = &find->join->sides[find->side].buckets;
    if (find->row) {
        find->row = find->row->later;
        if (find->row && find->row->rowtime <= find->to)
            return find->row;
        find->row = NULL;
    }
    while (find->bucket < buckets->count && buckets->items[find->bucket]->start <= find->to) {
        const JoinBucket *bucket = buckets->items[find->bucket++];
        uint32_t at;
        const JoinChain *chain = chain_find(bucket, find->hash, find->key, &at);
        if (chain)
            find->row = chain_first(chain, find->from, find->to);
        if (find->row)
            return find->row;
    }
    assert(!find->row);
    return NULL;
}

/* -- Saving ------------------------------------------------------------------------------------ */

static void put_bucket_key(Buf *key, uint32_t side, int64_t start) {
    assert(side < 2 && start >= 0);
    buf_reset(key);
    buf_u8(key, (uint8_t)side);
    buf_u64_be(key, (uint64_t)start);
}

static void save_side(const StateJoin *join, uint32_t side, Commit *commit, Buf *key, Buf *max) {
    const JoinEpoch *epoch = &join->sides[side].running;
    assert(commit);
    for (size_t i = 0; i < epoch->added.count; i++) {
        const JoinChange *change = &epoch->added.items[i];
        if (change->bucket->expired)
            continue;
        put_bucket_key(key, side, change->bucket->start);
        buf_u64_be(key, change->row->arrival);
        buf_u64_be(key, (uint64_t)change->row->rowtime);
        buf_put(key, change->chain->key, change->chain->key_size);
        commit_put(commit, join->store_id, buf_view(key),
                   (Bytes){change->row->bytes, change->row->size});
    }
    for (size_t i = 0; i < epoch->expired.count; i++) {
        put_bucket_key(key, side, epoch->expired.items[i]->start);
        put_bucket_key(max, side, epoch->expired.items[i]->start + 1);
        commit_remove_range(commit, join->store_id, buf_view(key), buf_view(max));
    }
}

static void save_times(const StateJoin *join, Commit *commit, Buf *value) {
    const JoinTimes *times = &join->times;
    assert(commit && value->size == 0);
    if (memcmp(times, &join->times_submitted, sizeof *times) == 0)
        return;
    buf_zigzag(value, times->side[0]);
    buf_zigzag(value, times->side[1]);
    buf_zigzag(value, times->stream);
    buf_zigzag(value, times->pending_min);
    commit_put(commit, join->store_id, (Bytes){TIMES_KEY, sizeof TIMES_KEY}, buf_view(value));
}

static void join_save(State *state, Commit *commit) {
    assert(state->ops == &state_join_ops);
    StateJoin *join = (StateJoin *)state;
    Buf key = {0}, other = {0};
    for (uint32_t side = 0; side < 2; side++) {
        JoinSide *rows = &join->sides[side];
        assert(rows->earlier.added.count == 0 && rows->earlier.expired.count == 0);
        if (commit)
            save_side(join, side, commit, &key, &other);
        JoinEpoch swap = rows->earlier;
        rows->earlier = rows->running;
        rows->running = swap;
    }
    ordered_map_save(&join->pending, commit, join->store_id,
                     (Bytes){PENDING_PREFIX, sizeof PENDING_PREFIX});
    buf_reset(&other);
    if (commit)
        save_times(join, commit, &other);
    join->times_submitted = join->times;
    state_count_submit(&join->unmatched);
    join->submitted = true;
    buf_free(&key);
    buf_free(&other);
}

static void join_settle(State *state) {
    assert(state->ops == &state_join_ops);
    StateJoin *join = (StateJoin *)state;
    assert(join->submitted);
    for (uint32_t side = 0; side < 2; side++) {
        join->sides[side].earlier.added.count = 0;
        buckets_clear(&join->sides[side].earlier.expired);
    }
    ordered_map_settle(&join->pending);
    join->times_settled = join->times_submitted;
    state_count_settle(&join->unmatched);
    join->submitted = false;
}

/* Expired buckets come back first: rows of the epoch may lie in them. */
static void undo_epoch(JoinSide *side, JoinEpoch *epoch) {
    assert(epoch == &side->running || epoch == &side->earlier);
    for (size_t i = 0; i < epoch->expired.count; i++) {
        JoinBucket *bucket = epoch->expired.items[i];
        bucket->expired = false;
        buckets_insert(&side->buckets, buckets_find(&side->buckets, bucket->start), bucket);
    }
    epoch->expired.count = 0;
    while (epoch->added.count > 0) {
        JoinChange change = epoch->added.items[--epoch->added.count];
        chain_unlink(change.chain, change.row);
        change.bucket->row_count--;
        change.bucket->met_count -= change.row->met;
        blob_heap_free(&change.bucket->heap, change.row,
                       (uint32_t)sizeof *change.row + change.row->size);
    }
}

static void join_undo(State *state, bool submitted_too) {
    assert(state->ops == &state_join_ops);
    StateJoin *join = (StateJoin *)state;
    for (uint32_t side = 0; side < 2; side++) {
        undo_epoch(&join->sides[side], &join->sides[side].running);
        if (submitted_too)
            undo_epoch(&join->sides[side], &join->sides[side].earlier);
    }
    ordered_map_undo(&join->pending, submitted_too);
    state_count_undo(&join->unmatched, submitted_too);
    if (submitted_too) {
        join->times_submitted = join->times_settled;
        join->submitted = false;
    }
    join->times = join->times_submitted;
}

static size_t join_pending(const State *state) {
    assert(state->ops == &state_join_ops);
    const StateJoin *join = (const StateJoin *)state;
    size_t count = join->pending.running.count;
    for (uint32_t side = 0; side < 2; side++)
        count += join->sides[side].running.added.count + join->sides[side].running.expired.count;
    return count * STATE_ENTRY_BYTES;
}

static void join_figures(const State *state, StateFigures *figures) {
    const StateJoin *join = (const StateJoin *)state;
    assert(figures);
    *figures = (StateFigures){join->pending.count, join->pending.heap.used_bytes,
                              unmatched_now(join)};
    for (uint32_t side = 0; side < 2; side++) {
        const JoinBuckets *buckets = &join->sides[side].buckets;
        for (size_t i = 0; i < buckets->count; i++) {
            figures->rows += buckets->items[i]->row_count;
            figures->bytes += buckets->items[i]->heap.used_bytes;
        }
    }
}

static void join_close(State *state) {
    StateJoin *join = (StateJoin *)state;
    for (uint32_t i = 0; i < 2; i++) {
        JoinSide *side = &join->sides[i];
        JoinBuckets *lists[] = {&side->buckets, &side->running.expired, &side->earlier.expired};
        for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
            buckets_clear(lists[k]);
            mem_free(lists[k]->items);
        }
        mem_free(side->running.added.items);
        mem_free(side->earlier.added.items);
    }
    ordered_map_close(&join->pending);
    mem_free(join);
}

static const StateOps state_join_ops = {
    .name = "join",
    .save = join_save,
    .settle = join_settle,
    .undo = join_undo,
    .pending = join_pending,
    .figures = join_figures,
    .close = join_close,
};

/* -- Loading ----------------------------------------------------------------------------------- */

static ErrCode load_times(StateJoin *join, Bytes value, Err *err) {
    Reader in = reader_of(value);
    join->times.side[0] = reader_zigzag(&in);
    join->times.side[1] = reader_zigzag(&in);
    join->times.stream = reader_zigzag(&in);
    join->times.pending_min = reader_zigzag(&in);
    return reader_ok(&in) ? ERR_OK : err_set(err, ERR_CORRUPT, "a join's times are cut short");
}

static ErrCode load_row(StateJoin *join, Bytes key, Bytes value, Err *err) {
    assert(key.size > 0);
    Reader in = reader_of(key);
    uint32_t side = reader_u8(&in);
    int64_t start = (int64_t)reader_u64_be(&in);
    JoinRow head = {.arrival = reader_u64_be(&in)};
    head.rowtime = (int64_t)reader_u64_be(&in);
    Bytes inner = {in.next, reader_left(&in)};
    if (!reader_ok(&in) || inner.size == 0 || side > 1 || head.rowtime < 0 ||
        bucket_start(join, head.rowtime) != start)
        return err_set(err, ERR_CORRUPT, "a stored row of a join does not fit");
    head.met = side == 0; /* what it was is not kept */
    put_row(join, side, hash_bytes(inner), inner, &head, value);
    if (head.arrival >= join->arrival)
        join->arrival = head.arrival + 1;
    return ERR_OK;
}

static ErrCode load_entry(StateJoin *join, Bytes key, Bytes value, Err *err) {
    assert(key.size > 0);
    if (key.size == sizeof TIMES_KEY && key.data[0] == TIMES_KEY[0])
        return load_times(join, value, err);
    if (key.data[0] != JOIN_PENDING)
        return load_row(join, key, value, err);
    if (key.size == 1)
        return err_set(err, ERR_CORRUPT, "a stored row of a join does not fit");
    ordered_map_load(&join->pending, (Bytes){key.data + 1, key.size - 1}, value);
    return ERR_OK;
}

static ErrCode join_load(StateJoin *join, Snapshot *snapshot, Err *err) {
    assert(snapshot);
    StoreIter *iter;
    TRY(store_scan(snapshot, join->store_id, (Bytes){0}, (Bytes){0}, &iter, err));
    ErrCode code = ERR_OK;
    Bytes key, value;
    while (code == ERR_OK && store_iter_next(iter, &key, &value))
        code = load_entry(join, key, value, err);
    if (code != ERR_OK) {
        Err ignored;
        KEEP_FIRST(store_iter_close(iter, &ignored));
        return code;
    }
    return store_iter_close(iter, err);
}

ErrCode state_join_new(const StateJoinSpec *spec, StateJoin **target, Err *err) {
    assert(spec->span_ms >= 0 && spec->retention_ms >= spec->span_ms);
    StateJoin *join = mem_alloc(sizeof *join);
    join->state.ops = &state_join_ops;
    join->store_id = spec->store_id;
    join->retention_ms = spec->retention_ms;
    join->alone_ms = spec->alone_ms;
    join->bucket_ms = spec->retention_ms / BUCKETS_ABOUT;
    if (join->bucket_ms < spec->span_ms)
        join->bucket_ms = spec->span_ms;
    if (join->bucket_ms == 0)
        join->bucket_ms = 1;
    join->times = (JoinTimes){{INT64_MIN, INT64_MIN}, INT64_MIN, INT64_MAX};
    ordered_map_init(&join->pending);
    ErrCode code = spec->snapshot ? join_load(join, spec->snapshot, err) : ERR_OK;
    if (code != ERR_OK) {
        join_close(&join->state);
        return code;
    }
    join->times_submitted = join->times_settled = join->times;
    *target = join;
    return ERR_OK;
}
