/*
 * store_layout.h - what a store of a plan node holds, as slots and as bytes.
 *
 *   key   := [window start, 8 bytes big-endian] row key of the key columns (data/row_key.h)
 *            of sessions: row key, end, start (8 bytes big-endian each)
 *   value := zig-zag rowtime, then
 *            a table's row:   [varint window size] row value of the value columns (row_value.h)
 *            an aggregate's:  each state as its function saves it
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

enum { WINDOW_START_SIZE = 8, SESSION_BOUNDS_SIZE = 16 };
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

/* What a lookup reads: entries of a store... */
typedef struct StoreEntries {
    const Bytes *keys, *values;
    uint32_t count;
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
