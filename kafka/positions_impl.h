/*
 * positions_impl.h - how far the tasks of a slot have read, as `_<id>-positions` has it.
 *
 * Partition s of that topic is slot s. A record is one task; the last of each key counts:
 *
 *   key := owner id u32 be, task id u32 be                       both 0: of a slot without tasks
 *   value := version u8 = 1, commit_seq u64 le, author (16 bytes), count varint,
 *            {topic id u32 le, partition u32 le, next offset u64 le}[count]
 *   null: the task is dropped
 *
 * A key of another size, or with ids that are never drawn, is nobody's. A value that is none is
 * damage, unless a later record of its key makes it good.
 *
 * commit_seq is the transaction's, the same in all its records, and grows by 1 in each slot; with
 * its author it says whether a transaction without an answer took effect.
 */
#ifndef KAFKA_POSITIONS_IMPL_H
#define KAFKA_POSITIONS_IMPL_H

#include "base/buf.h"
#include "storage/commit.h"

enum { AUTHOR_SIZE = 16, POSITION_KEY_SIZE = 8 };

typedef struct SourcePosition {
    TopicPartition where;
    int64_t next;
} SourcePosition;

typedef struct TaskPositions {
    uint32_t owner_id, task_id;
    bool dropped; /* a tombstone, in a table of changes */
    const char *damage;   /* what is wrong with its last record; NULL: nothing */
    int64_t damage_offset;
    SourcePosition *items;
    size_t count, capacity;
} TaskPositions;

/* Tasks in order of id. Zeroed is empty and ready. */
typedef struct PositionTable {
    TaskPositions *tasks;
    size_t count, capacity;
} PositionTable;

/* Which transaction was the last in a slot; seq 0: none yet. */
typedef struct SlotMark {
    uint64_t seq;
    uint8_t author[AUTHOR_SIZE];
} SlotMark;

void positions_free(PositionTable *table); /* empty and ready again */
TaskPositions *positions_find(const PositionTable *table, uint32_t task_id); /* may be NULL */

/* The task, added with what `known` (may be NULL) has of it when it is not there yet. Valid until
 * the next call that adds. */
TaskPositions *positions_task(PositionTable *table, const PositionTable *known, uint32_t owner_id,
                              uint32_t task_id);
/* next below 0: forgotten. */
void positions_set(TaskPositions *task, TopicPartition where, int64_t next);
void positions_drop(TaskPositions *task);

/* Puts the changes in; they are empty afterwards. */
void positions_merge(PositionTable *table, PositionTable *changes);

/* As the folder notes it. */
enum { NOTE_MARK_KEY_SIZE = 5, NOTE_MARK_SIZE = 8 + AUTHOR_SIZE };
typedef struct NoteMark {
    uint8_t key[NOTE_MARK_KEY_SIZE], value[NOTE_MARK_SIZE];
} NoteMark;
void note_mark(uint32_t slot, const SlotMark *mark, NoteMark *note); /* note.c */

bool slot_mark_equal(const SlotMark *left, const SlotMark *right);

/* The record of a task (not of a dropped one). */
void positions_key(uint32_t owner_id, uint32_t task_id, uint8_t key[POSITION_KEY_SIZE]);
void positions_encode(const TaskPositions *task, const SlotMark *mark, Buf *value);

/* Takes a record that was read; *mark becomes its transaction's where that is later. false: it is
 * nobody's. */
bool positions_read(PositionTable *table, SlotMark *mark, const LogRecord *record);

/* When all are read. BAD_RECORD: the last record of some task is damaged. */
ErrCode positions_verdict(const PositionTable *table, const char *topic, uint32_t partition,
                          Err *err);

#endif
