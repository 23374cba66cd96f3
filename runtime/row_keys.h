/*
 * row_keys.h - the keys of a batch's selected rows as bytes, with their hashes.
 */
#ifndef RUNTIME_ROW_KEYS_H
#define RUNTIME_ROW_KEYS_H

#include "data/batch.h"
#include "data/row_key.h"

typedef struct RowKeys {
    const Batch *batch; /* whose selection it follows */
    Bytes *keys;        /* [selected index]; data NULL: the row has no key */
    uint64_t *hashes;
    struct RowKeys *next;
} RowKeys;

/* What makes a key. */
typedef enum RowKeysFlags {
    ROW_KEYS_PLAIN = 0,    /* a NULL component: the row has no key (GROUP BY, joins) */
    ROW_KEYS_PARTIAL = 1,  /* only if all are NULL (tables) */
    ROW_KEYS_WINDOWED = 2, /* each begins with the row's window start */
    ROW_KEYS_BOUNDS = 4,   /* ... with start and end */
} RowKeysFlags;

/* Row keys of columns[0..count) in the batch's arena; flags are RowKeysFlags. `scratch` is the
 * caller's. */
RowKeys *row_keys_new(const Batch *batch, const Column *const *columns, uint32_t count,
                      uint32_t flags, Buf *scratch);

/* In a list of them, the one of this batch. */
RowKeys *row_keys_find(RowKeys *list, const Batch *batch);

#endif
