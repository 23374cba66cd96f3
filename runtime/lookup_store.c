/*
 * lookup_store.c - a lookup's rows out of the store of the query that keeps the table.
 *
 * With keys: a store without windows is asked for each key, first in the partition where it is
 * expected; a key lies in one partition, so the others are only asked when it is not there. In a
 * store of windows (start, then key) each window's start is sought, and the keys asked for under
 * it, so that rows of other keys are stepped over. Without keys a range is read.
 * The sessions of a key (key, end, start) follow each other.
 * Rows come in order of row key, then window: sorted, or merged as they are read (lookup_merge.c).
 */
#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/expr.h"
#include "runtime/ids.h"
#include "runtime/lookup_impl.h"
#include "runtime/worker.h"

enum { MERGE_ROWS_FIRST = 64 };

typedef struct LookupKeys {
    Bytes *keys; /* in order, each once */
    uint32_t count;
    Bytes min, max; /* of row keys that are read without keys; max of size 0: no end */
} LookupKeys;

static uint32_t store_id(const Lookup *lookup, uint32_t partition) {
    assert(partition < lookup->store->partitions);
    const LookupStore *store = lookup->store;
    return ids_store(store->plan, store->first_id, store->partitions, lookup->owner_node,
                     partition);
}

bool lookup_entry_init(const Lookup *lookup, uint32_t partition, Bytes key, Bytes value,
                       LookupEntry *entry) {
    assert(key.data);
    assert(value.data);
    if (lookup->layout->windowed && key.size < WINDOW_START_SIZE)
        return false; /* the store's stream time */
    *entry = (LookupEntry){.key = key, .value = value, .row_key = key,
                           .store_id = store_id(lookup, partition)};
    if (lookup->layout->sessions && element_is(key))
        return false; /* read with its session */
    if (lookup->layout->sessions) {
        SessionBounds bounds;
        if (!session_split(key, &bounds))
            return false;
        entry->start = bounds.start;
        entry->row_key = bounds.row_key;
    } else if (lookup->layout->windowed) {
        Reader in = reader_of(key);
        entry->start = (int64_t)reader_u64_be(&in);
        entry->row_key = reader_bytes(&in, reader_left(&in));
    }
    /* An element is read with its group. */
    return !lookup->layout->is_aggregate || !element_is(entry->row_key);
}

static void add_entry(Lookup *lookup, uint32_t partition, Bytes key, Bytes value) {
    LookupEntry entry;
    if (!lookup_entry_init(lookup, partition, key, value, &entry))
        return;
    lookup->entries = mem_grow(lookup->entries, &lookup->entry_capacity, lookup->entry_count + 1,
                               sizeof *lookup->entries);
    lookup->entries[lookup->entry_count++] = entry;
}

/* -- Keys ------------------------------------------------------------------------------------- */

static int compare_bytes(const void *left, const void *right) {
    return bytes_compare(*(const Bytes *)left, *(const Bytes *)right);
}

static void sort_keys(LookupKeys *keys) {
    if (keys->count > 0)
        qsort(keys->keys, keys->count, sizeof *keys->keys, compare_bytes);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (kept == 0 || !bytes_equal(keys->keys[kept - 1], keys->keys[i]))
            keys->keys[kept++] = keys->keys[i];
    }
    assert(kept <= keys->count);
    keys->count = kept;
}

/* `count` row keys of `width` columns each. */
static ErrCode make_row_keys(Lookup *lookup, const Expr *const *exprs, uint32_t count,
                             uint32_t width, Bytes **keys, Err *err) {
    assert(width <= lookup->layout->keys.column_count);
    const Column **columns = arena_array(lookup->arena, (size_t)count * width, sizeof *columns);
    TRY(expr_constant(exprs, count * width, lookup->arena, columns, err));
    *keys = arena_array(lookup->arena, count, sizeof **keys);
    Buf key = {0};
    for (uint32_t i = 0; i < count; i++) {
        buf_reset(&key);
        row_key_put(&key, columns + (size_t)i * width, width, 0);
        (*keys)[i] = arena_bytes(lookup->arena, buf_view(&key));
    }
    buf_free(&key);
    return ERR_OK;
}

/* The first bytes behind all that begin with `prefix`; size 0: there are none. */
static Bytes behind_prefix(Arena *arena, Bytes prefix) {
    uint8_t *bytes = (uint8_t *)(uintptr_t)arena_bytes(arena, prefix).data;
    uint32_t size = prefix.size;
    while (size > 0 && bytes[size - 1] == 0xFF)
        size--;
    if (size > 0)
        bytes[size - 1]++;
    return (Bytes){bytes, size};
}

static ErrCode make_keys(Lookup *lookup, LookupKeys *keys, Err *err) {
    const PlanLookup *plan = &lookup->plan->lookup;
    Bytes *bound;
    *keys = (LookupKeys){0};
    if (plan->by_key) {
        keys->count = plan->key_count;
        TRY(make_row_keys(lookup, plan->keys, plan->key_count, lookup->layout->keys.column_count,
                          &keys->keys, err));
        sort_keys(keys);
        return ERR_OK;
    }
    if (plan->min_count > 0) {
        TRY(make_row_keys(lookup, plan->min, 1, plan->min_count, &bound, err));
        keys->min = bound[0];
    }
    if (plan->max_count > 0) {
        TRY(make_row_keys(lookup, plan->max, 1, plan->max_count, &bound, err));
        keys->max = behind_prefix(lookup->arena, bound[0]);
    }
    return ERR_OK;
}

/* -- Reading ---------------------------------------------------------------------------------- */

/* Keys that were not found yet move to the front of `keys`. */
static ErrCode get_partition(Lookup *lookup, uint32_t partition, Bytes *keys, uint32_t *count,
                             Err *err) {
    assert(*count > 0);
    assert(!lookup->layout->windowed);
    Bytes *values = arena_array(lookup->arena, *count, sizeof *values);
    TRY(store_get(lookup->snapshot, store_id(lookup, partition), keys, *count, values, err));
    uint32_t left = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (values[i].data)
            add_entry(lookup, partition, keys[i], values[i]);
        else
            keys[left++] = keys[i];
    }
    *count = left;
    return ERR_OK;
}

/* Where the task that groups by this key is, when its rows were repartitioned. */
static uint32_t expected_partition(const Lookup *lookup, Bytes key) {
    assert(key.data);
    return hash_partition(key, lookup->store->partitions);
}

static ErrCode get_keys(Lookup *lookup, const LookupKeys *keys, Err *err) {
    uint32_t partitions = lookup->store->partitions;
    for (uint32_t i = 0; i < keys->count; i++) {
        Bytes key = keys->keys[i];
        uint32_t left = 1, expected = expected_partition(lookup, key);
        for (uint32_t k = 0; k < partitions && left > 0; k++)
            TRY(get_partition(lookup, (expected + k) % partitions, &key, &left, err));
    }
    return ERR_OK;
}

static Bytes window_key(Arena *arena, int64_t start, Bytes row_key) {
    assert(start >= 0);
    uint8_t *bytes = arena_raw(arena, WINDOW_START_SIZE + row_key.size);
    for (uint32_t i = 0; i < WINDOW_START_SIZE; i++)
        bytes[i] = (uint8_t)((uint64_t)start >> (56 - 8 * i));
    if (row_key.size > 0)
        memcpy(bytes + WINDOW_START_SIZE, row_key.data, row_key.size);
    return (Bytes){bytes, WINDOW_START_SIZE + row_key.size};
}

/* The first window's start at or after `from`; INT64_MAX: there is none up to `to`. */
static ErrCode next_start(Lookup *lookup, uint32_t partition, int64_t from, int64_t to,
                          int64_t *start, Err *err) {
    assert(from >= 0);
    StoreIter *iter;
    Bytes key, value;
    Bytes min = window_key(lookup->arena, from, (Bytes){0});
    TRY(store_scan(lookup->snapshot, store_id(lookup, partition), min, (Bytes){0}, &iter, err));
    *start = INT64_MAX;
    if (store_iter_next(iter, &key, &value) && key.size >= WINDOW_START_SIZE) {
        Reader in = reader_of(key);
        int64_t found = (int64_t)reader_u64_be(&in);
        if (found >= 0 && found <= to) /* elements of groups come behind all windows */
            *start = found;
    }
    return store_iter_close(iter, err);
}

static ErrCode get_windows(Lookup *lookup, uint32_t partition, const LookupKeys *keys, Err *err) {
    const PlanLookup *plan = &lookup->plan->lookup;
    int64_t start = plan->window_start_min > 0 ? plan->window_start_min : 0;
    Bytes *wanted = arena_array(lookup->arena, keys->count, sizeof *wanted);
    Bytes *values = arena_array(lookup->arena, keys->count, sizeof *values);
    for (;;) {
        TRY(next_start(lookup, partition, start, plan->window_start_max, &start, err));
        if (start == INT64_MAX)
            return ERR_OK;
        for (uint32_t i = 0; i < keys->count; i++)
            wanted[i] = window_key(lookup->arena, start, keys->keys[i]);
        TRY(store_get(lookup->snapshot, store_id(lookup, partition), wanted, keys->count, values,
                      err));
        for (uint32_t i = 0; i < keys->count; i++)
            if (values[i].data)
                add_entry(lookup, partition, wanted[i], values[i]);
        start++;
    }
}

static ErrCode scan_range(Lookup *lookup, uint32_t partition, Bytes min, Bytes max, Err *err) {
    assert(lookup->snapshot);
    StoreIter *iter;
    TRY(store_scan(lookup->snapshot, store_id(lookup, partition), min, max, &iter, err));
    Bytes key, value;
    while (store_iter_next(iter, &key, &value))
        add_entry(lookup, partition, key, value);
    return store_iter_close(iter, err);
}

/* No row key is the beginning of another: what begins with one are its sessions. */
static ErrCode get_sessions(Lookup *lookup, uint32_t partition, const LookupKeys *keys, Err *err) {
    assert(lookup->layout->sessions);
    for (uint32_t i = 0; i < keys->count; i++)
        TRY(scan_range(lookup, partition, keys->keys[i],
                       behind_prefix(lookup->arena, keys->keys[i]), err));
    return ERR_OK;
}

/* All entries of one partition of a windowed store within the bounds. */
static ErrCode scan_windows(Lookup *lookup, uint32_t partition, Err *err) {
    assert(lookup->layout->windowed);
    const PlanLookup *plan = &lookup->plan->lookup;
    if (lookup->layout->sessions)
        return scan_range(lookup, partition, (Bytes){0}, (Bytes){0}, err);
    Bytes min = {0}, max = {0};
    if (plan->window_start_min > 0)
        min = window_key(lookup->arena, plan->window_start_min, (Bytes){0});
    if (plan->window_start_max < 0)
        return ERR_OK;
    if (plan->window_start_max != INT64_MAX)
        max = window_key(lookup->arena, plan->window_start_max + 1, (Bytes){0});
    return scan_range(lookup, partition, min, max, err);
}

/* Without keys or windows: entries come in order out of each partition, and are merged. */
static ErrCode open_merge(Lookup *lookup, const LookupKeys *keys, Err *err) {
    static const uint8_t element_mark = ELEMENT_MARK;
    Bytes max = keys->max;
    if (max.size == 0 && lookup->layout->is_aggregate)
        max = (Bytes){&element_mark, 1};
    uint32_t partitions = lookup->store->partitions;
    lookup->merge = lookup_merge_new(lookup, partitions);
    for (uint32_t partition = 0; partition < partitions; partition++) {
        StoreIter *iter;
        TRY(store_scan(lookup->snapshot, store_id(lookup, partition), keys->min, max, &iter,
                       err));
        lookup_merge_add(lookup->merge, partition, iter);
    }
    return ERR_OK;
}

static int compare_entries(const void *left_void, const void *right_void) {
    const LookupEntry *left = left_void, *right = right_void;
    int order = bytes_compare(left->row_key, right->row_key);
    return order != 0 ? order : (left->start > right->start) - (left->start < right->start);
}

static ErrCode read_entries(Lookup *lookup, Err *err) {
    assert(lookup->snapshot);
    LookupKeys keys;
    bool by_key = lookup->plan->lookup.by_key;
    TRY(make_keys(lookup, &keys, err));
    if (!by_key && !lookup->layout->windowed)
        return open_merge(lookup, &keys, err);
    if (by_key && !lookup->layout->windowed)
        TRY(get_keys(lookup, &keys, err));
    for (uint32_t partition = 0; partition < lookup->store->partitions; partition++) {
        if (!by_key)
            TRY(scan_windows(lookup, partition, err));
        else if (lookup->layout->sessions)
            TRY(get_sessions(lookup, partition, &keys, err));
        else if (lookup->layout->windowed && keys.count > 0)
            TRY(get_windows(lookup, partition, &keys, err));
    }
    if (lookup->entry_count > 1)
        qsort(lookup->entries, lookup->entry_count, sizeof *lookup->entries, compare_entries);
    return ERR_OK;
}

ErrCode lookup_store_open(Lookup *lookup, Err *err) {
    assert(!lookup->layout && lookup->store->partitions > 0);
    const Plan *owner = lookup->store->plan;
    for (uint32_t i = 0; i < owner->node_count && !lookup->layout; i++) {
        const PlanNode *node = owner->nodes[i];
        if ((node->kind == PLAN_AGGREGATE || node->kind == PLAN_MATERIALIZE) &&
            strcmp(node->path, lookup->first_node->store_path) == 0) {
            lookup->owner_node = i;
            lookup->layout = store_layout_new(owner, node, lookup->arena);
        }
    }
    if (!lookup->layout)
        return err_set(err, ERR_INTERNAL, "query %s has no store '%s'",
                       owner->query_id ? owner->query_id : "?", lookup->first_node->store_path);
    lookup->snapshot = snapshot_open(lookup->runtime->storage);
    return read_entries(lookup, err);
}

/* -- Batches ---------------------------------------------------------------------------------- */

/* Entries as a batch of the STORE node. */
static ErrCode make_batch(Lookup *lookup, const LookupEntry *from, uint32_t count, Batch **target,
                          Err *err) {
    assert(count > 0);
    assert(count <= BATCH_ROWS_MAX);
    Arena *arena = lookup->env.step_arena;
    Bytes *keys = arena_array(arena, count, sizeof *keys);
    Bytes *values = arena_array(arena, count, sizeof *values);
    uint32_t *store_ids = arena_array(arena, count, sizeof *store_ids);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = from[i].key;
        values[i] = from[i].value;
        store_ids[i] = from[i].store_id;
    }
    StoreRows rows;
    StoreEntries entries = {keys, values, count, lookup->snapshot, store_ids};
    TRY(store_layout_read(lookup->layout, &entries, arena, &rows, err));
    Batch *batch = arena_alloc(arena, sizeof *batch);
    *batch = (Batch){.schema = lookup->first_node->schema,
                     .columns = (const Column *const *)rows.columns, .row_count = count,
                     .selected_count = count, .selected = batch_all_rows(count),
                     .rowtime = rows.rowtime, .window_start = rows.window_start,
                     .window_end = rows.window_end, .partition = -1, .topic = "",
                     .arena = arena, .errors = &lookup->errors};
    batch->seq = arena_array(arena, count, sizeof *batch->seq);
    batch->kind = arena_alloc(arena, count);
    batch->offset = arena_array(arena, count, sizeof *batch->offset);
    *target = batch;
    return ERR_OK;
}

static ErrCode run_entries(Lookup *lookup, const LookupEntry *entries, uint32_t count, Err *err) {
    Batch *batch;
    assert(!lookup->enough);
    arena_reset(lookup->env.step_arena);
    TRY(make_batch(lookup, entries, count, &batch, err));
    return lookup_run_batch(lookup, batch, err);
}

/* Small batches first: LIMIT may be content with them. */
static ErrCode run_merge(Lookup *lookup, Err *err) {
    LookupEntry *entries = arena_array(lookup->arena, BATCH_ROWS_MAX, sizeof *entries);
    uint32_t room = lookup->plan->limit >= 0 ? MERGE_ROWS_FIRST : BATCH_ROWS_MAX;
    if (room > BATCH_ROWS_MAX)
        room = BATCH_ROWS_MAX;
    while (!lookup->enough) {
        uint32_t count = lookup_merge_take(lookup->merge, entries, room);
        if (count == 0)
            return ERR_OK;
        TRY(run_entries(lookup, entries, count, err));
        room = room < BATCH_ROWS_MAX / 2 ? room * 2 : BATCH_ROWS_MAX;
    }
    return ERR_OK;
}

ErrCode lookup_store_run(Lookup *lookup, Err *err) {
    if (lookup->merge)
        return run_merge(lookup, err);
    for (size_t from = 0; from < lookup->entry_count && !lookup->enough;) {
        size_t left = lookup->entry_count - from;
        uint32_t count = left < BATCH_ROWS_MAX ? (uint32_t)left : BATCH_ROWS_MAX;
        TRY(run_entries(lookup, lookup->entries + from, count, err));
        from += count;
    }
    return ERR_OK;
}
