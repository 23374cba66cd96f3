/*
 * memtable_impl.h - the state of all stores: one ordered map in memory, with snapshots for nothing.
 *
 * A B+tree whose nodes are counted references. A snapshot is one reference to the root; the writer
 * changes a node in place while it holds the only reference and copies it otherwise, so what a
 * snapshot can reach never changes, and an old value lives exactly as long as a snapshot needs it.
 *
 *   root --> [ sep | sep | sep ] --> leaf [ key value | key value | ... ]
 *
 * Keys are ordered as unsigned bytes. The first bytes that all keys of a node share are looked at
 * once; of the next eight each slot keeps a copy (`hint`), so a search touches one cell, not six.
 * A node without keys does not exist; nodes are not merged otherwise.
 *
 * Checkpoints write what changed. Time is cut into intervals with numbers: every entry carries
 * the number of the interval in which it was put, every node the greatest below it, and what was
 * removed is noted beside the tree. What is in the tree now = what was in it at the end of
 * interval n, less all that was removed since, and then the entries put since: in this order.
 *
 * Threads: one writer; memtable_share() needs the writer's lock, reading a shared root needs none.
 */
#ifndef STORAGE_MEMTABLE_IMPL_H
#define STORAGE_MEMTABLE_IMPL_H

#include "storage/removed_impl.h"

typedef struct MemNode MemNode;

typedef struct Memtable {
    MemNode *root; /* NULL: empty */
    uint64_t entries;
    uint64_t bytes; /* keys and values */
    uint32_t interval; /* 0: removals are not noted */
    Removed removed;   /* in this interval */
} Memtable;

void memtable_put(Memtable *table, Bytes key, Bytes value);
bool memtable_remove(Memtable *table, Bytes key); /* false: it was not there */
/* Everything in [key_min, key_max); key_max of size 0: to the end. */
void memtable_remove_range(Memtable *table, Bytes key_min, Bytes key_max);
void memtable_clear(Memtable *table);

/* A reference to what the map is now; NULL when it is empty. */
MemNode *memtable_share(Memtable *table);
void mem_node_unref(MemNode *root); /* NULL is allowed; any thread */

/* *value is borrowed as long as the root is. */
bool mem_node_get(const MemNode *root, Bytes key, Bytes *value);

enum { MEM_DEPTH_MAX = 40 };

/* Walks a root from a key on. Keys and values are borrowed as long as the root is. */
typedef struct MemIter {
    const MemNode *nodes[MEM_DEPTH_MAX];
    uint32_t at[MEM_DEPTH_MAX];
    uint32_t depth; /* nodes in use; 0: at the end */
    uint32_t since;
} MemIter;

void mem_iter_seek(MemIter *iter, const MemNode *root, Bytes key_min);
bool mem_iter_next(MemIter *iter, Bytes *key, Bytes *value);

/* Only entries that were put after interval `since`. */
void mem_iter_seek_changed(MemIter *iter, const MemNode *root, uint32_t since);
bool mem_iter_next_changed(MemIter *iter, Bytes *key, Bytes *value);

#endif
