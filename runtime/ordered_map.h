/*
 * ordered_map.h - byte keys in order, with one value each, changed in place and taken back.
 *
 *   put, remove ... submit -> settle
 *                         \-> undo
 *
 * Epochs are those of slot_table.h: what the running one changed can be undone, and then what the
 * submitted one changed; memory that is given up stays until the epoch that gave it up has
 * settled, so batches of the running step may point into it. A node never moves and never changes:
 * a new value of a key is a new node.
 */
#ifndef RUNTIME_ORDERED_MAP_H
#define RUNTIME_ORDERED_MAP_H

#include "base/buf.h"
#include "runtime/blob_heap.h"
#include "storage/commit.h"

enum { ORDERED_LEVELS = 12 };

typedef struct OrderedNode OrderedNode;

struct OrderedNode {
    uint32_t key_size, value_size; /* the bytes lie behind next[] */
    uint8_t level_count;
    bool linked;              /* not removed */
    bool saved;               /* a submitted epoch has put it */
    OrderedNode *next[]; /* [level] */
};

typedef struct OrderedChange {
    OrderedNode *node;
    bool removed; /* else: put */
} OrderedChange;

typedef struct OrderedChanges {
    OrderedChange *items;
    size_t count, capacity;
} OrderedChanges;

typedef struct OrderedMap {
    BlobHeap heap;
    OrderedNode *first[ORDERED_LEVELS];
    uint64_t count;
    bool submitted; /* `earlier` waits for its commit */
    OrderedChanges running, earlier;
} OrderedMap;

void ordered_map_init(OrderedMap *map);
void ordered_map_close(OrderedMap *map);

static inline Bytes ordered_key(const OrderedNode *node) {
    return (Bytes){(const uint8_t *)&node->next[node->level_count], node->key_size};
}

static inline Bytes ordered_value(const OrderedNode *node) {
    Bytes key = ordered_key(node);
    return (Bytes){key.data + key.size, node->value_size};
}

/* The first node whose key is not before `key`; a key without bytes: the first of all. NULL: there
 * is none. */
OrderedNode *ordered_map_seek(const OrderedMap *map, Bytes key);
static inline OrderedNode *ordered_next(const OrderedNode *node) {
    return node->next[0];
}

/* A new node, in the place of one with the same key. */
OrderedNode *ordered_map_put(OrderedMap *map, Bytes key, Bytes value);
/* The node must be linked; its next[0] leads on until the epoch has settled. */
void ordered_map_remove(OrderedMap *map, OrderedNode *node);

/* While loading: as put, but nobody's change. */
void ordered_map_load(OrderedMap *map, Bytes key, Bytes value);

/* Encodes what the running epoch changed, under `prefix`; the epoch then waits. commit NULL:
 * nothing is kept. */
void ordered_map_save(OrderedMap *map, Commit *commit, uint32_t store_id, Bytes prefix);
void ordered_map_settle(OrderedMap *map);
void ordered_map_undo(OrderedMap *map, bool submitted_too);

#endif
