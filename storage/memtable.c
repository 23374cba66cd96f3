/* memtable.c - see memtable_impl.h. */
#include "storage/memtable_impl.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/mem.h"

enum {
#ifdef HOSTILE_LIMITS
    MEM_SLOTS = 4, /* (h) */
    MEM_NODE_BYTES = 256, /* (h) */
#else
    MEM_SLOTS = 64,        /* one more level every 64 times; a slot array of 1 KiB */
    MEM_NODE_BYTES = 8192, /* what a snapshot makes the writer copy per touched node */
#endif
    MEM_NODE_BYTES_MIN = 128,
};

typedef struct MemSlot {
    uint64_t hint; /* 8 bytes of the key after the shared ones, big-endian, zeros after its end */
    uint32_t cell; /* where in cells */
    uint32_t key_size;
} MemSlot;

/* A leaf's cell: value size u32, interval u32, key, value. An inner node's: child pointer,
 * separator. No key below a child is less than its separator. */
struct MemNode {
    atomic_uint refs;
    uint32_t level; /* 0: leaf */
    uint32_t count; /* before an insert less than MEM_SLOTS */
    uint32_t capacity, used, dead; /* bytes of cells; dead: of those no slot points to */
    uint32_t prefix;               /* bytes that all keys share */
    uint32_t interval;             /* no entry below was put in a later one */
    uint32_t last;                 /* the slot inserted last: keys may come in order */
    MemSlot slots[MEM_SLOTS];
    uint8_t cells[];
};

/* The right half of a node that was split; its separator is its first key. */
typedef struct MemSplit {
    MemNode *right; /* NULL: not split */
} MemSplit;

enum { CELL_HEAD = 8 };
_Static_assert(sizeof(MemNode *) <= CELL_HEAD, "a pointer fits");

static Bytes slot_key(const MemNode *node, uint32_t index) {
    assert(node->slots[index].cell <= node->used);
    assert(index < node->count);
    const MemSlot *slot = &node->slots[index];
    return (Bytes){node->cells + slot->cell + CELL_HEAD, slot->key_size};
}

static Bytes slot_value(const MemNode *node, uint32_t index) {
    assert(index < node->count);
    assert(node->slots[index].cell <= node->used);
    assert(node->level == 0);
    const MemSlot *slot = &node->slots[index];
    uint32_t size;
    memcpy(&size, node->cells + slot->cell, sizeof size);
    return (Bytes){node->cells + slot->cell + CELL_HEAD + slot->key_size, size};
}

static uint32_t slot_interval(const MemNode *node, uint32_t index) {
    assert(index < node->count);
    assert(node->level == 0);
    uint32_t interval;
    memcpy(&interval, node->cells + node->slots[index].cell + 4, sizeof interval);
    return interval;
}

static MemNode *slot_child(const MemNode *node, uint32_t index) {
    assert(node->level > 0);
    assert(index < node->count);
    MemNode *child;
    memcpy(&child, node->cells + node->slots[index].cell, sizeof child);
    return child;
}

static void slot_set_child(MemNode *node, uint32_t index, MemNode *child) {
    assert(index < node->count);
    assert(node->level > 0);
    assert(child);
    memcpy(node->cells + node->slots[index].cell, &child, sizeof child);
}

static uint32_t slot_cell_size(const MemNode *node, uint32_t index) {
    assert(index < node->count);
    uint32_t size = CELL_HEAD + node->slots[index].key_size;
    return node->level == 0 ? size + slot_value(node, index).size : size;
}

/* == Nodes ==================================================================================== */

static MemNode *node_new(uint32_t level, uint32_t capacity) {
    assert(level < MEM_DEPTH_MAX);
    assert(capacity >= MEM_NODE_BYTES_MIN);
    MemNode *node = mem_resize(NULL, sizeof *node + capacity);
    memset(node, 0, offsetof(MemNode, slots));
    atomic_init(&node->refs, 1);
    node->level = level;
    node->capacity = capacity;
    return node;
}

void mem_node_unref(MemNode *root) {
    assert(!root || root->count <= MEM_SLOTS);
    if (!root || atomic_fetch_sub_explicit(&root->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (root->level > 0)
        for (uint32_t i = 0; i < root->count; i++)
            mem_node_unref(slot_child(root, i));
    mem_free(root);
}

static bool node_shared(const MemNode *node) {
    assert(atomic_load_explicit(&node->refs, memory_order_relaxed) > 0);
    return atomic_load_explicit(&node->refs, memory_order_acquire) > 1;
}

/* Makes *where a node that no snapshot reaches. */
static MemNode *node_own(MemNode **where) {
    MemNode *node = *where;
    assert(node);
    if (!node_shared(node))
        return node;
    MemNode *copy = node_new(node->level, node->capacity);
    memcpy((uint8_t *)copy + offsetof(MemNode, count), (uint8_t *)node + offsetof(MemNode, count),
           sizeof *node + node->used - offsetof(MemNode, count));
    if (node->level > 0)
        for (uint32_t i = 0; i < node->count; i++)
            atomic_fetch_add_explicit(&slot_child(node, i)->refs, 1, memory_order_relaxed);
    mem_node_unref(node);
    *where = copy;
    return copy;
}

/* The slots [from, to) of a node in one of their own, without prefix, its cells one after the
 * other. */
static MemNode *node_copy(const MemNode *node, uint32_t from, uint32_t to, uint32_t capacity) {
    assert(from <= to && to <= node->count);
    MemNode *copy = node_new(node->level, capacity);
    copy->count = to - from;
    copy->interval = node->interval;
    for (uint32_t i = from; i < to; i++) {
        uint32_t bytes = slot_cell_size(node, i);
        memcpy(copy->cells + copy->used, node->cells + node->slots[i].cell, bytes);
        copy->slots[i - from] = node->slots[i];
        copy->slots[i - from].cell = copy->used;
        copy->used += bytes;
    }
    assert(copy->used <= capacity);
    return copy;
}

/* Makes room for `size` more bytes of cells, throwing dead ones away. Half as much again: all of
 * the state lies in nodes, and what they have to spare is memory that nobody uses. */
static MemNode *node_reserve(MemNode **where, uint32_t size) {
    MemNode *node = *where;
    assert(!node_shared(node));
    if (node->capacity - node->used >= size)
        return node;
    uint32_t needed = node->used - node->dead + size;
    uint32_t capacity = needed + needed / 2;
    if (capacity < MEM_NODE_BYTES_MIN)
        capacity = MEM_NODE_BYTES_MIN;
    MemNode *grown = node_copy(node, 0, node->count, capacity);
    grown->prefix = node->prefix;
    grown->last = node->last;
    mem_free(node);
    *where = grown;
    return grown;
}

/* == Searching ================================================================================ */

static uint64_t key_hint(Bytes key, uint32_t prefix) {
    uint64_t hint = 0;
    if (key.size >= prefix + 8) {
        for (uint32_t i = 0; i < 8; i++)
            hint = hint << 8 | key.data[prefix + i];
        return hint;
    }
    for (uint32_t i = prefix; i < prefix + 8; i++)
        hint = hint << 8 | (i < key.size ? key.data[i] : 0U);
    return hint;
}

static uint32_t shared_size(Bytes left, Bytes right, uint32_t limit) {
    uint32_t size = left.size < right.size ? left.size : right.size;
    if (size > limit)
        size = limit;
    uint32_t i = 0;
    while (i < size && left.data[i] == right.data[i])
        i++;
    return i;
}

static void node_set_prefix(MemNode *node, uint32_t prefix) {
    assert(node->count > 0);
    assert(prefix <= slot_key(node, 0).size);
    node->prefix = prefix;
    for (uint32_t i = 0; i < node->count; i++)
        node->slots[i].hint = key_hint(slot_key(node, i), prefix);
}

/* The first slot whose key is not less than `key`; *exact: it is equal. */
static uint32_t node_find(const MemNode *node, Bytes key, bool *exact) {
    *exact = false;
    assert(node->count > 0);
    if (node->prefix > 0) {
        Bytes first = slot_key(node, 0);
        Bytes head = {key.data, key.size < node->prefix ? key.size : node->prefix};
        int order = bytes_compare(head, (Bytes){first.data, node->prefix});
        if (order != 0)
            return order < 0 ? 0 : node->count;
    }
    uint64_t hint = key_hint(key, node->prefix);
    uint32_t low = 0, high = node->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t other = node->slots[middle].hint;
        int order = other < hint ? -1 : other > hint;
        if (order == 0) {
            order = bytes_compare(slot_key(node, middle), key);
            if (order == 0) {
                *exact = true;
                return middle;
            }
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Which child of an inner node covers `key`. */
static uint32_t node_child(const MemNode *node, Bytes key) {
    assert(node->level > 0);
    bool exact;
    uint32_t index = node_find(node, key, &exact);
    return exact || index == 0 ? index : index - 1;
}

bool mem_node_get(const MemNode *root, Bytes key, Bytes *value) {
    assert(value);
    if (!root)
        return false;
    while (root->level > 0)
        root = slot_child(root, node_child(root, key));
    bool exact;
    uint32_t index = node_find(root, key, &exact);
    if (exact)
        *value = slot_value(root, index);
    return exact;
}

/* == Changing ================================================================================= */

/* Opens slot `index` for `key`, whose cell starts at node->used and is not counted yet. */
static void node_open_slot(MemNode *node, uint32_t index, Bytes key) {
    assert(index <= node->count);
    assert(node->used <= node->capacity);
    assert(node->count < MEM_SLOTS);
    memmove(node->slots + index + 1, node->slots + index,
            (node->count - index) * sizeof *node->slots);
    node->count++;
    node->slots[index] = (MemSlot){0, node->used, key.size};
    if (node->count == 1)
        node->prefix = 0;
    uint32_t prefix = node->count == 1 ? 0 : node->prefix;
    uint32_t other = index == 0 ? 1 : 0;
    if (prefix > 0)
        prefix = shared_size(key, slot_key(node, other), prefix);
    if (prefix < node->prefix)
        node_set_prefix(node, prefix);
    else
        node->slots[index].hint = key_hint(key, prefix);
}

static void node_close_slots(MemNode *node, uint32_t from, uint32_t to) {
    assert(from <= to);
    assert(to <= node->count);
    for (uint32_t i = from; i < to; i++)
        node->dead += slot_cell_size(node, i);
    memmove(node->slots + from, node->slots + to, (node->count - to) * sizeof *node->slots);
    node->count -= to - from;
}

/* Of a leaf that has the interval of the entry already. */
static void cell_put_head(const MemNode *node, uint8_t *cell, uint32_t size) {
    assert(node->level == 0);
    memcpy(cell, &size, sizeof size);
    memcpy(cell + sizeof size, &node->interval, sizeof node->interval);
}

static void leaf_insert(MemNode **where, uint32_t index, Bytes key, Bytes value) {
    assert((*where)->level == 0);
    assert(index <= (*where)->count);
    uint32_t size = CELL_HEAD + key.size + value.size;
    MemNode *node = node_reserve(where, size);
    uint8_t *cell = node->cells + node->used;
    cell_put_head(node, cell, value.size);
    if (key.size > 0)
        memcpy(cell + CELL_HEAD, key.data, key.size);
    if (value.size > 0)
        memcpy(cell + CELL_HEAD + key.size, value.data, value.size);
    node_open_slot(node, index, key);
    node->used += size;
}

static void leaf_replace(MemNode **where, uint32_t index, Bytes key, Bytes value) {
    assert((*where)->level == 0);
    assert((*where)->slots[index].key_size == key.size);
    MemNode *node = *where;
    Bytes old = slot_value(node, index);
    uint8_t *cell = node->cells + node->slots[index].cell;
    if (value.size <= old.size) {
        cell_put_head(node, cell, value.size);
        if (value.size > 0)
            memmove(cell + CELL_HEAD + key.size, value.data, value.size);
        node->dead += old.size - value.size;
        return;
    }
    node_close_slots(node, index, index + 1);
    leaf_insert(where, index, key, value);
}

static void inner_insert(MemNode **where, uint32_t index, Bytes key, MemNode *child) {
    assert(child);
    assert(index <= (*where)->count);
    uint32_t size = CELL_HEAD + key.size;
    MemNode *node = node_reserve(where, size);
    assert(node->level == child->level + 1);
    memcpy(node->cells + node->used, &child, sizeof child);
    if (key.size > 0)
        memcpy(node->cells + node->used + CELL_HEAD, key.data, key.size);
    node_open_slot(node, index, key);
    node->used += size;
}

/* A new smallest key becomes the first separator. */
static void inner_lower(MemNode **where, Bytes key) {
    assert((*where)->level > 0);
    MemNode *child = slot_child(*where, 0);
    if (bytes_compare(slot_key(*where, 0), key) <= 0)
        return;
    node_close_slots(*where, 0, 1);
    inner_insert(where, 0, key, child);
    assert(slot_child(*where, 0) == child);
}

/* The longest prefix of all keys, from the first and the last: the keys are sorted. */
static void node_find_prefix(MemNode *node) {
    assert(node->count > 0);
    Bytes first = slot_key(node, 0), last = slot_key(node, node->count - 1);
    node_set_prefix(node, node->count == 1 ? 0 : shared_size(first, last, UINT32_MAX));
}

/* Where to split: after an append at the end almost everything stays left, so that keys that come
 * in order fill their nodes; where they come in order inside, behind the inserted one, so that it
 * is the end of a node from then on; else in the middle of the bytes. */
static uint32_t node_middle(const MemNode *node, uint32_t inserted, uint32_t before) {
    assert(inserted < node->count);
    assert(node->count >= 2);
    if (inserted == node->count - 1)
        return node->count - 1;
    if (inserted == before + 1)
        return inserted + 1;
    uint32_t live = node->used - node->dead, sum = 0, index = 0;
    while (index < node->count - 1 && sum < live / 2)
        sum += slot_cell_size(node, index++);
    return index == 0 ? 1 : index;
}

static uint32_t cells_size(const MemNode *node, uint32_t from, uint32_t to) {
    assert(from <= to && to <= node->count);
    uint32_t bytes = 0;
    for (uint32_t i = from; i < to; i++)
        bytes += slot_cell_size(node, i);
    return bytes < MEM_NODE_BYTES_MIN ? MEM_NODE_BYTES_MIN : bytes;
}

static void node_split(MemNode **where, uint32_t inserted, MemSplit *split) {
    MemNode *node = *where;
    assert(node->dead <= node->used);
    assert(!split->right);
    uint32_t before = node->last;
    node->last = inserted;
    if (node->count < MEM_SLOTS && (node->count < 2 || node->used - node->dead <= MEM_NODE_BYTES))
        return;
    uint32_t middle = node_middle(node, inserted, before);
    MemNode *left = node_copy(node, 0, middle, cells_size(node, 0, middle));
    uint32_t size = cells_size(node, middle, node->count);
    if (node->level == 0 && middle == node->count - 1 && size < left->used)
        size = left->used + left->used / 8; /* keys come in order: soon it holds as much */
    MemNode *right = node_copy(node, middle, node->count, size);
    node_find_prefix(left);
    node_find_prefix(right);
    mem_free(node);
    *where = left;
    split->right = right;
}

static void node_put(Memtable *table, MemNode **where, Bytes key, Bytes value, MemSplit *split) {
    assert(table->entries > 0);
    assert(!split->right);
    MemNode *node = node_own(where);
    uint32_t index;
    node->interval = table->interval;
    if (node->level == 0) {
        bool exact;
        index = node_find(node, key, &exact);
        if (exact) {
            table->bytes -= slot_value(node, index).size;
            leaf_replace(where, index, key, value);
        } else {
            table->entries++;
            table->bytes += key.size;
            leaf_insert(where, index, key, value);
        }
        table->bytes += value.size;
    } else {
        index = node_child(node, key);
        if (index == 0)
            inner_lower(where, key);
        node = *where;
        MemSplit below = {NULL};
        MemNode *child = slot_child(node, index);
        node_put(table, &child, key, value, &below);
        slot_set_child(node, index, child);
        if (!below.right)
            return;
        inner_insert(where, ++index, slot_key(below.right, 0), below.right);
    }
    node_split(where, index, split);
}

void memtable_put(Memtable *table, Bytes key, Bytes value) {
    assert(!table->root == (table->entries == 0));
    assert(table);
    if (!table->root) {
        table->root = node_new(0, MEM_NODE_BYTES_MIN);
        table->root->interval = table->interval;
        table->entries = 1;
        table->bytes = key.size + value.size;
        leaf_insert(&table->root, 0, key, value);
        return;
    }
    MemSplit split = {NULL};
    node_put(table, &table->root, key, value, &split);
    if (!split.right)
        return;
    MemNode *left = table->root;
    table->root = node_new(left->level + 1, MEM_NODE_BYTES_MIN);
    assert(table->root->level < MEM_DEPTH_MAX);
    table->root->interval = table->interval;
    inner_insert(&table->root, 0, slot_key(left, 0), left);
    inner_insert(&table->root, 1, slot_key(split.right, 0), split.right);
}

/* After a removal below: a node without slots is gone. */
static void node_settle(MemNode **where) {
    assert(*where);
    if ((*where)->count > 0)
        return;
    mem_node_unref(*where);
    *where = NULL;
}

/* Takes [from, to) out of a node; children must be given back already. */
static void node_cut(MemNode **where, uint32_t from, uint32_t to) {
    assert(from <= to);
    assert(to <= (*where)->count);
    if (from < to)
        node_close_slots(*where, from, to);
    node_settle(where);
}

/* A root with one child is a level too much. */
static void memtable_settle(Memtable *table) {
    while (table->root && table->root->level > 0 && table->root->count == 1) {
        MemNode *root = table->root;
        MemNode *child = slot_child(root, 0);
        atomic_fetch_add_explicit(&child->refs, 1, memory_order_relaxed);
        mem_node_unref(root);
        table->root = child;
    }
    assert(table->root || table->entries == 0);
}

static void node_remove(MemNode **where, Bytes key) {
    assert(*where);
    assert((*where)->count > 0);
    MemNode *node = node_own(where);
    if (node->level == 0) {
        bool exact;
        uint32_t index = node_find(node, key, &exact);
        assert(exact);
        node_cut(where, index, index + 1);
        return;
    }
    uint32_t index = node_child(node, key);
    MemNode *child = slot_child(node, index);
    node_remove(&child, key);
    if (child)
        slot_set_child(node, index, child);
    else
        node_cut(where, index, index + 1);
}

bool memtable_remove(Memtable *table, Bytes key) {
    assert(!table->root == (table->entries == 0));
    assert(table);
    Bytes value;
    if (!mem_node_get(table->root, key, &value))
        return false;
    if (table->interval > 0)
        removed_add(&table->removed, key);
    table->entries--;
    table->bytes -= key.size + value.size;
    node_remove(&table->root, key);
    memtable_settle(table);
    return true;
}

/* Subtracts what slots [from, to) of a node hold. */
static void node_uncount(Memtable *table, const MemNode *node, uint32_t from, uint32_t to) {
    assert(from <= to);
    assert(to <= node->count);
    for (uint32_t i = from; i < to; i++) {
        if (node->level > 0) {
            const MemNode *child = slot_child(node, i);
            node_uncount(table, child, 0, child->count);
            continue;
        }
        assert(table->entries > 0);
        table->entries--;
        table->bytes -= slot_key(node, i).size + slot_value(node, i).size;
    }
}

static void node_remove_range(Memtable *table, MemNode **where, Bytes key_min, Bytes key_max) {
    assert(*where);
    assert((*where)->count > 0);
    MemNode *node = node_own(where);
    bool exact;
    if (node->level == 0) {
        uint32_t from = node_find(node, key_min, &exact);
        uint32_t to = key_max.size == 0 ? node->count : node_find(node, key_max, &exact);
        node_uncount(table, node, from, to);
        node_cut(where, from, to);
        return;
    }
    uint32_t first = node_child(node, key_min);
    uint32_t last = key_max.size == 0 ? node->count - 1 : node_child(node, key_max);
    uint32_t kept = first;
    for (uint32_t i = first; i <= last; i++) {
        MemNode *child = slot_child(node, i);
        if (i == first || i == last) {
            node_remove_range(table, &child, key_min, key_max);
        } else {
            node_uncount(table, child, 0, child->count);
            mem_node_unref(child);
            child = NULL;
        }
        if (child) { /* slots of those that stay move together */
            MemSlot slot = node->slots[i];
            node->slots[i] = node->slots[kept];
            node->slots[kept] = slot;
            slot_set_child(node, kept++, child);
        }
    }
    node_cut(where, kept, last + 1);
}

void memtable_remove_range(Memtable *table, Bytes key_min, Bytes key_max) {
    assert(!table->root == (table->entries == 0));
    assert(table);
    if (!table->root || (key_max.size > 0 && bytes_compare(key_min, key_max) >= 0))
        return;
    if (table->interval > 0)
        removed_add_range(&table->removed, key_min, key_max);
    node_remove_range(table, &table->root, key_min, key_max);
    memtable_settle(table);
}

void memtable_clear(Memtable *table) {
    assert(table);
    mem_node_unref(table->root);
    removed_free(&table->removed);
    *table = (Memtable){0};
}

MemNode *memtable_share(Memtable *table) {
    assert(table);
    assert(!table->root == (table->entries == 0));
    if (table->root)
        atomic_fetch_add_explicit(&table->root->refs, 1, memory_order_relaxed);
    return table->root;
}

/* == Walking ================================================================================== */

static void iter_push(MemIter *iter, const MemNode *node, uint32_t at) {
    assert(node);
    assert(at <= node->count);
    assert(iter->depth < MEM_DEPTH_MAX);
    iter->nodes[iter->depth] = node;
    iter->at[iter->depth++] = at;
}

void mem_iter_seek(MemIter *iter, const MemNode *root, Bytes key_min) {
    assert(iter);
    iter->depth = 0;
    if (!root)
        return;
    while (root->level > 0) {
        uint32_t index = node_child(root, key_min);
        iter_push(iter, root, index);
        root = slot_child(root, index);
    }
    bool exact;
    iter_push(iter, root, node_find(root, key_min, &exact));
}

/* At the end of a leaf: on to the first slot of the next one. */
static void iter_next_leaf(MemIter *iter) {
    assert(iter->depth > 0);
    do {
        iter->depth--;
    } while (iter->depth > 0 &&
             iter->at[iter->depth - 1] + 1 >= iter->nodes[iter->depth - 1]->count);
    if (iter->depth == 0)
        return;
    const MemNode *node = iter->nodes[iter->depth - 1];
    node = slot_child(node, ++iter->at[iter->depth - 1]);
    for (; node->level > 0; node = slot_child(node, 0))
        iter_push(iter, node, 0);
    iter_push(iter, node, 0);
}

bool mem_iter_next(MemIter *iter, Bytes *key, Bytes *value) {
    assert(iter->depth <= MEM_DEPTH_MAX);
    if (iter->depth > 0 && iter->at[iter->depth - 1] >= iter->nodes[iter->depth - 1]->count)
        iter_next_leaf(iter);
    if (iter->depth == 0)
        return false;
    const MemNode *leaf = iter->nodes[iter->depth - 1];
    uint32_t index = iter->at[iter->depth - 1]++;
    assert(leaf->level == 0);
    *key = slot_key(leaf, index);
    *value = slot_value(leaf, index);
    return true;
}

/* == What changed ============================================================================= */

/* From where the iterator stands on: the next node that has changes, down to a leaf. */
static void iter_find_changed(MemIter *iter) {
    assert(iter->depth <= MEM_DEPTH_MAX);
    while (iter->depth > 0) {
        const MemNode *node = iter->nodes[iter->depth - 1];
        uint32_t *at = &iter->at[iter->depth - 1];
        if (node->level == 0)
            return;
        while (*at < node->count && slot_child(node, *at)->interval <= iter->since)
            ++*at;
        if (*at < node->count)
            iter_push(iter, slot_child(node, (*at)++), 0);
        else
            iter->depth--;
    }
}

void mem_iter_seek_changed(MemIter *iter, const MemNode *root, uint32_t since) {
    assert(iter);
    iter->depth = 0;
    iter->since = since;
    if (root && root->interval > since)
        iter_push(iter, root, 0);
    iter_find_changed(iter);
}

bool mem_iter_next_changed(MemIter *iter, Bytes *key, Bytes *value) {
    assert(key && value);
    while (iter->depth > 0) {
        const MemNode *leaf = iter->nodes[iter->depth - 1];
        uint32_t *at = &iter->at[iter->depth - 1];
        assert(leaf->level == 0);
        while (*at < leaf->count && slot_interval(leaf, *at) <= iter->since)
            ++*at;
        if (*at < leaf->count) {
            *key = slot_key(leaf, *at);
            *value = slot_value(leaf, (*at)++);
            return true;
        }
        iter->depth--;
        iter_find_changed(iter);
    }
    return false;
}
