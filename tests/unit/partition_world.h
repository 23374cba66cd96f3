/*
 * partition_world.h - a partition, a disk that can fail, and the list of batches that both must
 * agree with; for the tests of partitions.
 */
#ifndef TESTS_UNIT_PARTITION_WORLD_H
#define TESTS_UNIT_PARTITION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io_mem.h"
#include "base/limits.h"
#include "base/mem.h"
#include "storage/partition_impl.h"

static inline uint64_t dice(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

enum { WORLD_SEGMENT_BYTES = 4 * SEGMENT_CHUNK_BYTES };

/* == The model: every batch ever appended ===================================================== */

typedef struct ModelBatch {
    int64_t base, last, time;
    size_t at;
    uint32_t size;
} ModelBatch;

typedef struct World {
    Io *io;
    Partition *partition;
    uint64_t seed;
    Buf bytes; /* of all batches, one after the other */
    ModelBatch *batches;
    size_t count, capacity;
    int64_t start;
    Buf saved; /* the valid checkpoint; empty: none */
    int64_t saved_end, saved_start;
    uint32_t value_max;
} World;

static const char *const folder = "data/topics/7/0";

static inline Partition *world_partition(Io *io) {
    Partition *partition = partition_new(io, folder, (TopicPartition){7, 0});
    partition_set_segment_bytes(partition, WORLD_SEGMENT_BYTES);
    return partition;
}

/* The folders that an engine makes durable before its first partition. */
static inline void make_data_folders(Io *io) {
    Err err;
    assert_int_equal(io->ops->make_folder(io, "data", &err), ERR_OK);
    assert_int_equal(io->ops->make_folder(io, "data/topics", &err), ERR_OK);
    assert_int_equal(io->ops->sync_folder(io, ".", &err), ERR_OK);
    assert_int_equal(io->ops->sync_folder(io, "data", &err), ERR_OK);
}

static inline World world_new(uint64_t seed, uint32_t value_max) {
    World world = {.io = io_mem_new(), .seed = seed, .value_max = value_max};
    make_data_folders(world.io);
    io_mem_start_faults(world.io, seed);
    world.partition = world_partition(world.io);
    return world;
}

static inline void world_free(World *world) {
    partition_free(world->partition);
    io_mem_free(world->io);
    buf_free(&world->bytes);
    buf_free(&world->saved);
    mem_free(world->batches);
}

static inline int64_t model_end(const World *world) {
    return world->count > 0 ? world->batches[world->count - 1].last + 1 : 0;
}

static inline void model_batch(World *world) {
    static uint8_t value[100000];
    assert_true(world->value_max <= sizeof value);
    RecordBatch batch = {0};
    uint32_t records = 1 + (uint32_t)(dice(&world->seed) % 20);
    for (uint32_t i = 0; i < records; i++) {
        uint32_t size = (uint32_t)(dice(&world->seed) % (world->value_max + 1));
        for (uint32_t at = 0; at < size; at += 97)
            value[at] = (uint8_t)dice(&world->seed);
        LogRecord record = {.timestamp = 1000 + (int64_t)world->count * 10 +
                                         (int64_t)(dice(&world->seed) % 50),
                            .value = {value, size}};
        record_batch_add(&batch, &record);
    }
    record_batch_seal(&batch);
    int64_t base = model_end(world);
    record_batch_patch(batch.buf.data, base, 3);
    world->batches = mem_grow(world->batches, &world->capacity, world->count + 1,
                              sizeof *world->batches);
    world->batches[world->count++] =
        (ModelBatch){base, base + records - 1, batch.max_timestamp, world->bytes.size,
                     (uint32_t)batch.buf.size};
    buf_bytes(&world->bytes, buf_view(&batch.buf));
    record_batch_free(&batch);
}

/* Gives the partition the model's batches [first, first + count) in one frame buffer. */
static inline void give(World *world, size_t first, size_t count) {
    const ModelBatch *batch = &world->batches[first], *last = &batch[count - 1];
    uint32_t size = (uint32_t)(last->at + last->size - batch->at), gap = 24;
    uint8_t *frame = mem_alloc((size_t)size + gap * count);
    LogBlock *block = log_block_take(frame, (uint32_t)(size + gap * count));
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (dice(&world->seed) % 3 == 0) /* as another entry of the frame would */
            at += gap;
        memcpy(frame + at, world->bytes.data + batch[i].at, batch[i].size);
        RecordBatchInfo info;
        Err err;
        Bytes bytes = {frame + at, batch[i].size};
        assert_int_equal(record_batch_check(bytes, &info, &err), ERR_OK);
        partition_append(world->partition, block, bytes, &info);
        at += batch[i].size;
    }
    log_block_unref(block);
}

static inline void append(World *world) {
    size_t first = world->count, count = 1 + dice(&world->seed) % 6;
    for (size_t i = 0; i < count; i++)
        model_batch(world);
    give(world, first, count);
}

static inline size_t model_find(const World *world, int64_t offset) {
    size_t low = 0, high = world->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (world->batches[middle].last < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The block is the model's batches from the one with `offset` on. Returns how many. */
static inline size_t expect_block(const World *world, int64_t offset, const LogBlock *block) {
    size_t item = model_find(world, offset), count = 0;
    Bytes bytes = log_block_bytes(block);
    uint32_t at = 0;
    while (at < bytes.size) {
        assert_true(item + count < world->count);
        const ModelBatch *batch = &world->batches[item + count++];
        assert_true(batch->size <= bytes.size - at);
        assert_memory_equal(bytes.data + at, world->bytes.data + batch->at, batch->size);
        at += batch->size;
    }
    assert_true(count > 0);
    return count;
}

static inline LogBlock *fetch(World *world, int64_t offset, uint32_t bytes_max) {
    LogBlock *block;
    Err err;
    if (partition_fetch(world->partition, offset, bytes_max, &block, &err) != ERR_OK)
        fail_msg("%s", err.message);
    return block;
}

static inline void fetch_some(World *world) {
    int64_t start, end;
    partition_offsets(world->partition, &start, &end);
    assert_int_equal(start, world->start);
    assert_int_equal(end, model_end(world));
    if (start == end)
        return;
    static const uint32_t sizes[] = {0, 1, 1000, 100000, SEGMENT_READ_BYTES, UINT32_MAX};
    int64_t offset = start + (int64_t)(dice(&world->seed) % (uint64_t)(end - start));
    uint32_t bytes_max = sizes[dice(&world->seed) % 6];
    LogBlock *block = fetch(world, offset, bytes_max);
    assert_non_null(block);
    size_t count = expect_block(world, offset, block);
    if (count > 1)
        assert_true(log_block_bytes(block).size <= bytes_max);
    log_block_unref(block);
}

/* From block to block, each with the one before; now and then past the beginning of the next, or
 * back to any place, which the block before has nothing to do with. */
static inline void read_on(World *world) {
    int64_t offset = world->start, end = model_end(world);
    LogBlock *before = NULL, *block;
    Err err;
    while (offset < end) {
        if (partition_fetch_on(world->partition, offset, before, &block, &err) != ERR_OK)
            fail_msg("%s", err.message);
        size_t count = expect_block(world, offset, block);
        offset = world->batches[model_find(world, offset) + count - 1].last + 1;
        offset += dice(&world->seed) % 4 == 0;
        if (dice(&world->seed) % 8 == 0)
            offset = world->start +
                     (int64_t)(dice(&world->seed) % (uint64_t)(end - world->start));
        if (before)
            log_block_unref(before);
        before = block;
    }
    if (before)
        log_block_unref(before);
}

static inline void read_all(World *world) {
    read_on(world);
    int64_t offset = world->start, end = model_end(world);
    while (offset < end) {
        LogBlock *block = fetch(world, offset, 1 + (uint32_t)(dice(&world->seed) % 300000));
        size_t count = expect_block(world, offset, block);
        offset = world->batches[model_find(world, offset) + count - 1].last + 1;
        log_block_unref(block);
    }
    assert_null(fetch(world, end, 1000));
}

/* == Checkpoints and crashes ================================================================== */

static inline ErrCode write_tail(World *world) {
    Err err = {0};
    ErrCode code = partition_write(world->partition, &err);
    if (code != ERR_OK && !io_mem_stopped(world->io))
        fail_msg("%s", err.message);
    return code;
}

/* `appends` happen between its steps, as in a running engine. */
static inline void checkpoint(World *world, bool appends) {
    partition_freeze(world->partition);
    int64_t end = model_end(world), start = world->start;
    if (appends)
        append(world);
    if (write_tail(world) != ERR_OK)
        return;
    if (appends)
        append(world);
    Buf saved = {0};
    buf_text(&saved, "before");
    partition_save(world->partition, &saved);
    buf_free(&world->saved);
    buf_put(&world->saved, saved.data + 6, saved.size - 6);
    buf_free(&saved);
    world->saved_end = end;
    world->saved_start = start;
    partition_settle(world->partition);
}

static inline void load(World *world) {
    Err err;
    world->partition = world_partition(world->io);
    if (world->saved.size > 0 &&
        partition_load(world->partition, buf_view(&world->saved), &err) != ERR_OK)
        fail_msg("%s", err.message);
    int64_t start, end;
    partition_offsets(world->partition, &start, &end);
    assert_int_equal(start, world->saved_start);
    assert_int_equal(end, world->saved_end);
    /* What the journal gives back. */
    size_t first = world->saved_end > 0 ? model_find(world, world->saved_end) : 0;
    if (first < world->count)
        give(world, first, world->count - first);
    partition_set_start(world->partition, world->start);
}

static inline void crash(World *world) {
    partition_free(world->partition);
    io_mem_crash(world->io, dice(&world->seed), NULL);
    load(world);
}

static inline uint32_t count_files(const World *world, const char *ending) {
    Arena *arena = arena_new("test", 0);
    char **names;
    uint32_t count = 0, found = 0;
    Err err;
    if (world->io->ops->list(world->io, folder, arena, &names, &count, &err) != ERR_OK)
        count = 0;
    for (uint32_t i = 0; i < count; i++)
        found += strstr(names[i], ending) != NULL;
    arena_free(arena);
    return found;
}

static inline void grow_segments(World *world, uint32_t segments) {
    while (count_files(world, ".seg") < segments) {
        size_t before = world->bytes.size;
        while (world->bytes.size - before < WORLD_SEGMENT_BYTES / 4)
            append(world);
        checkpoint(world, false);
    }
}

#endif
