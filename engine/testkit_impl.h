/*
 * testkit_impl.h - the inside of a test kit, shared by the testkit_*.c.
 */
#ifndef ENGINE_TESTKIT_IMPL_H
#define ENGINE_TESTKIT_IMPL_H

#include "engine/engine_impl.h"
#include "engine/testkit.h"

/* How many records of a topic were looked at. */
typedef struct TestkitCursor {
    char *topic;
    uint32_t next;
} TestkitCursor;

/* testkit_kafka.c: the cluster of a kit. */
typedef struct TestkitKafka TestkitKafka;
ErrCode testkit_kafka_new(const TestkitOptions *options, TestkitKafka **kafka, Err *err);
const EngineCluster *testkit_kafka_cluster(const TestkitKafka *kafka); /* NULL: none */
void testkit_kafka_free(TestkitKafka *kafka); /* NULL is allowed; its topics are deleted */

struct Testkit {
    TestkitOptions options;
    Io *io;
    Weir *weir;
    TestkitKafka *kafka; /* NULL: none */
    bool dies; /* testkit_die() */
    uint64_t die_items, die_change;
    QueryScriptItem *arrivals;
    size_t arrival_count, arrival_capacity;
    TestkitCursor *cursors;
    size_t cursor_count, cursor_capacity;
};

/* A record as columns of length 1, in the order of the schema; NULL: key or value is null. */
typedef struct TestkitRow {
    Arena *arena;
    bool found, is_tombstone;
    TestkitRecord record; /* its time and window */
    Column **key, **value;
} TestkitRow;

/* testkit_records.c: record number `index` of the source's topic. The arena is given. */
ErrCode testkit_row(Testkit *kit, const Source *source, uint32_t index, TestkitRow *row, Err *err);

#endif
