/* positions.c - see positions_impl.h. */
#include "kafka/positions_impl.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "storage/log.h"

enum { POSITIONS_VERSION = 1, POSITION_SIZE = 16, POSITIONS_PER_TASK_MAX = 1 << 20 };

/* Far beyond what a slot can come to; it still grows by 1. */
static const uint64_t POSITIONS_SEQ_MAX = (uint64_t)1 << 62;

void positions_free(PositionTable *table) {
    assert(table);
    for (size_t i = 0; i < table->count; i++)
        mem_free(table->tasks[i].items);
    mem_free(table->tasks);
    *table = (PositionTable){0};
}

/* Where the task is, or would be. */
static size_t positions_place(const PositionTable *table, uint32_t task_id) {
    assert(table);
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->tasks[middle].task_id < task_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

TaskPositions *positions_find(const PositionTable *table, uint32_t task_id) {
    size_t at = positions_place(table, task_id);
    bool there = at < table->count && table->tasks[at].task_id == task_id;
    return there ? &table->tasks[at] : NULL;
}

TaskPositions *positions_task(PositionTable *table, const PositionTable *known, uint32_t owner_id,
                              uint32_t task_id) {
    size_t at = positions_place(table, task_id);
    if (at < table->count && table->tasks[at].task_id == task_id)
        return &table->tasks[at];
    table->tasks = mem_grow(table->tasks, &table->capacity, table->count + 1,
                            sizeof *table->tasks);
    memmove(&table->tasks[at + 1], &table->tasks[at], (table->count - at) * sizeof *table->tasks);
    table->count++;
    TaskPositions *task = &table->tasks[at];
    const TaskPositions *before = known ? positions_find(known, task_id) : NULL;
    *task = (TaskPositions){.owner_id = owner_id, .task_id = task_id};
    if (before && before->count > 0) {
        task->items = mem_grow(NULL, &task->capacity, before->count, sizeof *task->items);
        memcpy(task->items, before->items, before->count * sizeof *task->items);
        task->count = before->count;
    }
    assert(positions_find(table, task_id) == task);
    return task;
}

static bool is_same_partition(TopicPartition left, TopicPartition right) {
    return left.topic_id == right.topic_id && left.partition == right.partition;
}

void positions_set(TaskPositions *task, TopicPartition where, int64_t next) {
    assert(task);
    size_t at = 0;
    while (at < task->count && !is_same_partition(task->items[at].where, where))
        at++;
    if (next < 0) {
        if (at < task->count)
            task->items[at] = task->items[--task->count];
        return;
    }
    task->dropped = false;
    if (at == task->count) {
        task->items = mem_grow(task->items, &task->capacity, at + 1, sizeof *task->items);
        task->count++;
    }
    task->items[at] = (SourcePosition){where, next};
}

void positions_drop(TaskPositions *task) {
    assert(task);
    task->count = 0;
    task->dropped = true;
}

static void positions_remove(PositionTable *table, uint32_t task_id) {
    size_t at = positions_place(table, task_id);
    if (at == table->count || table->tasks[at].task_id != task_id)
        return;
    mem_free(table->tasks[at].items);
    table->count--;
    memmove(&table->tasks[at], &table->tasks[at + 1], (table->count - at) * sizeof *table->tasks);
}

void positions_merge(PositionTable *table, PositionTable *changes) {
    assert(table != changes);
    for (size_t i = 0; i < changes->count; i++) {
        TaskPositions *change = &changes->tasks[i];
        if (change->dropped) {
            positions_remove(table, change->task_id);
            continue;
        }
        TaskPositions *task = positions_task(table, NULL, change->owner_id, change->task_id);
        mem_free(task->items);
        *task = *change;
        change->items = NULL; /* moved */
    }
    positions_free(changes);
}

bool slot_mark_equal(const SlotMark *left, const SlotMark *right) {
    return left->seq == right->seq &&
           (left->seq == 0 || memcmp(left->author, right->author, AUTHOR_SIZE) == 0);
}

void positions_key(uint32_t owner_id, uint32_t task_id, uint8_t key[POSITION_KEY_SIZE]) {
    for (int i = 0; i < 4; i++) {
        key[i] = (uint8_t)(owner_id >> (24 - 8 * i));
        key[4 + i] = (uint8_t)(task_id >> (24 - 8 * i));
    }
}

void positions_encode(const TaskPositions *task, const SlotMark *mark, Buf *value) {
    assert(!task->dropped);
    assert(mark->seq > 0);
    buf_u8(value, POSITIONS_VERSION);
    buf_u64_le(value, mark->seq);
    buf_put(value, mark->author, AUTHOR_SIZE);
    buf_varint(value, task->count);
    for (size_t i = 0; i < task->count; i++) {
        buf_u32_le(value, task->items[i].where.topic_id);
        buf_u32_le(value, task->items[i].where.partition);
        buf_u64_le(value, (uint64_t)task->items[i].next);
    }
}

/* What is wrong with a value; NULL: nothing. The task's positions are what it says. */
static const char *positions_items(TaskPositions *task, Reader *reader) {
    uint64_t said = reader_varint(reader);
    assert(task->count == 0);
    if (!reader_ok(reader) || said > POSITIONS_PER_TASK_MAX ||
        reader_left(reader) != said * POSITION_SIZE)
        return "of a wrong size";
    for (uint64_t i = 0; i < said; i++) {
        TopicPartition where;
        where.topic_id = reader_u32_le(reader);
        where.partition = reader_u32_le(reader);
        uint64_t next = reader_u64_le(reader);
        if (where.topic_id == 0 || where.topic_id >= LOG_TOPIC_BORROWED ||
            where.partition >= PARTITIONS_MAX || next > INT64_MAX)
            return "of places that cannot be";
        positions_set(task, where, (int64_t)next);
    }
    return NULL;
}

static const char *positions_value(TaskPositions *task, SlotMark *mark, Bytes value) {
    Reader reader = reader_of(value);
    uint8_t version = reader_u8(&reader);
    assert(value.data);
    mark->seq = reader_u64_le(&reader);
    Bytes author = reader_bytes(&reader, AUTHOR_SIZE);
    if (!reader_ok(&reader))
        return "cut off";
    if (version != POSITIONS_VERSION)
        return "of another version";
    if (mark->seq == 0 || mark->seq > POSITIONS_SEQ_MAX)
        return "of no transaction";
    memcpy(mark->author, author.data, AUTHOR_SIZE);
    return positions_items(task, &reader);
}

bool positions_read(PositionTable *table, SlotMark *mark, const LogRecord *record) {
    assert(table && mark);
    Reader key = reader_of(record->key);
    uint32_t owner_id = reader_u32_be(&key), task_id = reader_u32_be(&key);
    if (!reader_ok(&key) || reader_left(&key) > 0 || owner_id >= LOG_TOPIC_BORROWED ||
        task_id >= LOG_TOPIC_BORROWED)
        return false;
    if (!record->value.data) {
        positions_remove(table, task_id);
        return true;
    }
    SlotMark read;
    TaskPositions *task = positions_task(table, NULL, owner_id, task_id);
    task->count = 0;
    task->damage = positions_value(task, &read, record->value);
    task->damage_offset = record->offset;
    bool good = !task->damage;
    if (good && task_id == 0) /* of a transaction in which no task moved */
        positions_remove(table, task_id);
    if (good && read.seq >= mark->seq)
        *mark = read;
    return true;
}

ErrCode positions_verdict(const PositionTable *table, const char *topic, uint32_t partition,
                          Err *err) {
    for (size_t i = 0; i < table->count; i++) {
        const TaskPositions *task = &table->tasks[i];
        if (task->damage)
            return err_set(err, ERR_BAD_RECORD,
                           "Topic %s, partition %u, offset %lld: the position of task %u is %s; it "
                           "was written by a newer Weir, or not by Weir", topic, partition,
                           (long long)task->damage_offset, task->task_id, task->damage);
    }
    return ERR_OK;
}
