/*
 * prove_kill_check.h - records of a topic, read back and compared, for prove_kill.c.
 *
 * Three ways to be the same as in an undisturbed run: a stream byte for byte and offset by offset,
 * a stream as a bag of records (behind a repartition only the order within a source partition is
 * fixed), a table by the last value of each key.
 */
#ifndef TESTS_TOOLS_PROVE_KILL_CHECK_H
#define TESTS_TOOLS_PROVE_KILL_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "storage/log.h"

enum { PARTITIONS = 3 };

static int failed(const char *format, const char *text, uint64_t number) {
    printf("FAILED ");
    printf(format, text, (unsigned long long)number);
    printf("\n");
    return 1;
}

typedef struct Records {
    Arena *arena;
    LogRecord *list;
    size_t count, capacity;
} Records;

static inline void records_add(Records *records, LogRecord record) {
    record.key = record.key.data ? arena_bytes(records->arena, record.key) : record.key;
    record.value = record.value.data ? arena_bytes(records->arena, record.value) : record.value;
    records->list = mem_grow(records->list, &records->capacity, records->count + 1,
                             sizeof *records->list);
    records->list[records->count++] = record;
}

static inline void records_add_block(Records *records, LogBlock *block, int64_t *offset) {
    Bytes rest = log_block_bytes(block);
    RecordBatchInfo info;
    Err err;
    while (rest.size > 0 && record_batch_check(rest, &info, &err) == ERR_OK) {
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, rest);
        while (record_iter_next(&iter, &record))
            if (record.offset >= *offset)
                records_add(records, record);
        *offset = info.last_offset + 1;
        rest = (Bytes){rest.data + info.size, rest.size - info.size};
    }
}

static inline bool records_read(Weir *weir, const char *name, uint32_t partition,
                                Records *records) {
    LogTopic topic;
    Err err;
    int64_t offset = 0;
    Storage *storage = engine_storage(weir);
    if (!log_topic_find(storage, name, &topic))
        return false;
    for (;;) {
        LogBlock *block;
        if (log_fetch(storage, (TopicPartition){topic.id, partition}, offset, 1 << 20, &block,
                      &err) != ERR_OK)
            return false;
        if (!block)
            return true;
        records_add_block(records, block, &offset);
        log_block_unref(block);
    }
}

static inline Records records_new(void) {
    return (Records){.arena = arena_new("records", 0)};
}

static inline void records_free(Records *records) {
    mem_free(records->list);
    arena_free(records->arena);
}

static inline bool record_same(const LogRecord *left, const LogRecord *right) {
    return left->timestamp == right->timestamp && bytes_equal(left->key, right->key) &&
           bytes_equal(left->value, right->value) &&
           (left->value.data == NULL) == (right->value.data == NULL);
}

static inline int bytes_order(Bytes left, Bytes right) {
    uint32_t size = left.size < right.size ? left.size : right.size;
    int order = size ? memcmp(left.data, right.data, size) : 0;
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

/* By key; records of one key keep the order of the log (all of them are in one partition). */
static inline int by_key(const void *left, const void *right) {
    const LogRecord *a = left, *b = right;
    int order = bytes_order(a->key, b->key);
    return order != 0 ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static inline int by_content(const void *left, const void *right) {
    const LogRecord *a = left, *b = right;
    int order = bytes_order(a->key, b->key);
    if (order == 0)
        order = bytes_order(a->value, b->value);
    return order != 0 ? order : (a->timestamp > b->timestamp) - (a->timestamp < b->timestamp);
}

/* -- Comparing --------------------------------------------------------------------------------- */

static inline int compare_records(const Records *a, const Records *b, const char *topic,
                                  bool offsets) {
    if (a->count != b->count)
        return failed("%s has %lld records more than undisturbed", topic, a->count - b->count);
    for (size_t i = 0; i < a->count; i++)
        if (!record_same(&a->list[i], &b->list[i]) ||
            (offsets && a->list[i].offset != b->list[i].offset))
            return failed("%s record %llu differs", topic, i);
    return 0;
}

static inline int compare_stream(Weir *left, Weir *right, const char *topic, bool as_bag) {
    int status = 0;
    for (uint32_t p = 0; p < PARTITIONS && status == 0; p++) {
        Records a = records_new(), b = records_new();
        if (!records_read(left, topic, p, &a) || !records_read(right, topic, p, &b))
            status = failed("%s partition %llu cannot be read", topic, p);
        if (as_bag) {
            qsort(a.list, a.count, sizeof *a.list, by_content);
            qsort(b.list, b.count, sizeof *b.list, by_content);
        }
        status = status ? status : compare_records(&a, &b, topic, !as_bag);
        records_free(&a);
        records_free(&b);
    }
    return status;
}

/* The last record of each key, in order of key. */
static inline void records_keep_last(Records *records) {
    qsort(records->list, records->count, sizeof *records->list, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < records->count; i++) {
        bool last = i + 1 == records->count ||
                    !bytes_equal(records->list[i].key, records->list[i + 1].key);
        if (last)
            records->list[kept++] = records->list[i];
    }
    records->count = kept;
}

static inline int compare_last(const Records *a, const Records *b, const char *topic) {
    if (a->count != b->count)
        return failed("table %s has %lld keys more than undisturbed", topic, a->count - b->count);
    for (size_t i = 0; i < a->count; i++)
        if (!bytes_equal(a->list[i].key, b->list[i].key) ||
            !bytes_equal(a->list[i].value, b->list[i].value))
            return failed("table %s: the last value of key %llu differs", topic, i);
    return 0;
}

static inline int compare_table(Weir *left, Weir *right, const char *topic) {
    int status = 0;
    Records a = records_new(), b = records_new();
    for (uint32_t p = 0; p < PARTITIONS && status == 0; p++)
        if (!records_read(left, topic, p, &a) || !records_read(right, topic, p, &b))
            status = failed("%s partition %llu cannot be read", topic, p);
    if (a.list && b.list) {
        records_keep_last(&a);
        records_keep_last(&b);
    }
    status = status ? status : compare_last(&a, &b, topic);
    records_free(&a);
    records_free(&b);
    return status;
}

#endif
