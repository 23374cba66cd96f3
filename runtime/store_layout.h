/*
 * store_layout.h - what a store of a plan node holds, as slots and as bytes.
 *
 *   key   := [window start, 8 bytes big-endian] row key of the key columns (data/row_key.h)
 *            of sessions: row key, end, start (8 bytes big-endian each)
 *   value := zig-zag rowtime, then
 *            a table's row:   [varint window size] row value of the value columns (row_value.h)
 *            an aggregate's:  each state as its function saves it
 *
 * Elements of growing states (udf/aggregate.h) are entries of their own, behind the groups of
 * their table or window:
 *
 *   key   := [window start] 0xFE, id of the state, 8 bytes big-endian, key of the element
 *   value := as the function notes it
 *
 * Window start and size are there when the node's rows have windows (an aggregate's size is its
 * plan's). The key 0xFF of a window store holds its stream time, zig-zag.
 */
#ifndef RUNTIME_STORE_LAYOUT_H
#define RUNTIME_STORE_LAYOUT_H

#include "data/batch.h"
#include "data/row_key.h"
#include "data/row_value.h"
#include "planner/plan.h"
#include "runtime/slot_table.h"
#include "storage/store.h"

enum { WINDOW_START_SIZE = 8, SESSION_BOUNDS_SIZE = 16, ELEMENT_MARK = 0xFE };
enum { SESSION_FIXED_SIZE = 56 }; /* of a session's slot, before its states: state_session.h */

/* A session's key: the row key, then end and start. */
typedef struct SessionBounds {
    Bytes row_key;
    int64_t start, end;
} SessionBounds;

/* false: the key is no session's. */
bool session_split(Bytes key, SessionBounds *bounds);

typedef struct StoreLayout {
    const PlanNode *node;
    const Schema *schema; /* keys first: of what is stored */
    RowLayout keys, values;
    bool windowed;
    bool sessions; /* keys are those of sessions */
    bool is_aggregate;
    uint32_t fixed_size;           /* of all aggregates' states */
    const uint32_t *state_offsets; /* into Slot.fixed, in bytes */
} StoreLayout;

/* Of a MATERIALIZE, JOIN_TABLE (its right side) or AGGREGATE node; lives in `arena`. */
const StoreLayout *store_layout_new(const Plan *plan, const PlanNode *node, Arena *arena);

/* Appends the value bytes of a present slot. */
void store_layout_put(const StoreLayout *layout, const Slot *slot, Buf *out);

/* Fills a slot that was just loaded from value bytes. CORRUPT when they do not fit. */
ErrCode store_layout_get(const StoreLayout *layout, SlotTable *table, Slot *slot, Bytes value,
                         Err *err);

/* Whose elements follow: collected while groups are loaded, in one table or window. */
typedef struct ElementOwner {
    uint64_t id;
    void *state;
    const Aggregate *aggregate;
    AggregateHeap *heap;
} ElementOwner;

typedef struct ElementOwners {
    ElementOwner *items;
    size_t count, capacity;
    bool sorted;
} ElementOwners;

/* The growing states of a group that was just loaded. */
void element_owners_add(ElementOwners *owners, const StoreLayout *layout, SlotTable *table,
                        Slot *slot);
/* A key without its window's start is an element's. */
static inline bool element_is(Bytes key) {
    return key.size > 0 && key.data[0] == ELEMENT_MARK;
}
/* Gives an element to its state; CORRUPT when there is none or it does not fit. */
ErrCode element_owners_load(ElementOwners *owners, Bytes key, Bytes value, Err *err);
void element_owners_free(ElementOwners *owners);

/* Appends a key's part in front of the element's own. */
void element_key_put(Buf *out, uint64_t id);

/* A slot's states give up their blocks and elements. */
void store_layout_forget(const StoreLayout *layout, SlotTable *table, Slot *slot);

/* A heap for states that live as long as an arena and in no store. */
typedef struct ArenaHeap {
    AggregateHeap heap; /* must be first */
    Arena *arena;
} ArenaHeap;

void arena_heap_init(ArenaHeap *heap, Arena *arena);

/* What a lookup reads: entries of a store... */
typedef struct StoreEntries {
    const Bytes *keys, *values;
    uint32_t count;
    Snapshot *snapshot;        /* where elements are; NULL: nowhere */
    const uint32_t *store_ids; /* of each entry */
} StoreEntries;

/* ... as rows. */
typedef struct StoreRows {
    Column **columns; /* of the layout's schema */
    int64_t *rowtime;
    int64_t *window_start, *window_end; /* NULL: no windows */
    uint32_t count;
} StoreRows;

/* Decodes entries into columns; everything lives in `arena` or in the bytes. */
ErrCode store_layout_read(const StoreLayout *layout, const StoreEntries *entries, Arena *arena,
                          StoreRows *rows, Err *err);

#endif
