/*
 * mutate_files.c - changes bytes of files and cuts them off: the answer is right, or an error that
 * names the damage; never a crash, never a wrong record.
 *
 * usage: mutate_files [N] [SEED]
 *
 * Each of the N rounds damages one subject (a row of `subjects`), tries to use it and mends it. To
 * be built with ASan and UBSan. The last line is PROVED or FAILED why, the one before it counts.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io_mem.h"
#include "base/limits.h"
#include "base/mem.h"
#include "storage/partition_impl.h"

typedef struct Tally {
    uint64_t seed;
    uint64_t refused, right; /* what the damage came to */
    uint64_t failures;
} Tally;

static uint64_t dice(Tally *tally) {
    uint64_t *state = &tally->seed;
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint32_t below(Tally *tally, uint64_t limit) {
    return (uint32_t)(dice(tally) % (limit > 0 ? limit : 1));
}

__attribute__((format(printf, 2, 3))) static void complain(Tally *tally, const char *format, ...) {
    tally->failures++;
    if (tally->failures > 10)
        return;
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* == Damage =================================================================================== */

/* One change: bytes, bits, a run of zeros, a copy from elsewhere (a misdirected write). */
static void change(Tally *tally, uint8_t *bytes, uint32_t size) {
    uint32_t at = below(tally, size), run = 1 + below(tally, 600);
    if (run > size - at)
        run = size - at;
    switch (below(tally, 5)) {
    case 0:
        bytes[at] = (uint8_t)dice(tally);
        break;
    case 1:
        bytes[at] ^= (uint8_t)(1U << below(tally, 8));
        break;
    case 2:
        memset(bytes + at, below(tally, 2) ? 0 : 0xff, run);
        break;
    case 3:
        memmove(bytes + at, bytes + below(tally, size - run + 1), run);
        break;
    default:
        for (uint32_t i = 0; i < run; i++)
            bytes[at + i] = (uint8_t)dice(tally);
    }
}

/* A damaged copy in memory of exactly its size, so that ASan sees any step outside. */
static uint8_t *damaged(Tally *tally, Bytes bytes, uint32_t *size) {
    *size = bytes.size;
    uint32_t kind = below(tally, 10);
    if (kind < 2)
        *size = below(tally, bytes.size);
    else if (kind == 2)
        *size += 1 + below(tally, 5000);
    uint8_t *copy = mem_alloc(*size);
    memcpy(copy, bytes.data, *size < bytes.size ? *size : bytes.size);
    if (kind != 0 && kind != 2 && *size > 0)
        for (uint32_t changes = 1 + below(tally, 3); changes > 0; changes--)
            change(tally, copy, *size);
    return copy;
}

/* == Record batches =========================================================================== */

static void fill_batch(Tally *tally, RecordBatch *batch, uint32_t value_max) {
    static uint8_t pool[4096];
    Buf headers = {0};
    RecordHeader pair = {{pool, 3}, {pool + 5, 9}};
    record_headers_put(&headers, &pair, 1);
    for (uint32_t count = 1 + below(tally, 12); count > 0; count--) {
        pool[below(tally, sizeof pool)] = (uint8_t)dice(tally);
        LogRecord record = {.timestamp = 1700000000000 + below(tally, 10000)};
        if (below(tally, 4))
            record.key = (Bytes){pool + below(tally, 90), below(tally, 20)};
        if (below(tally, 8))
            record.value = (Bytes){pool + below(tally, 90), below(tally, value_max)};
        if (below(tally, 4) == 0)
            record.headers = buf_view(&headers);
        record_batch_add(batch, &record);
    }
    record_batch_seal(batch);
    buf_free(&headers);
}

/* Reads everything there is to read; what it says does not matter here. */
static uint32_t walk(Bytes batch) {
    RecordIter iter;
    LogRecord record;
    RecordHeader headers[4];
    uint32_t sum = 0;
    record_iter_init(&iter, batch);
    while (record_iter_next(&iter, &record)) {
        sum += (uint32_t)hash_bytes(record.key) + (uint32_t)hash_bytes(record.value);
        for (uint32_t i = record_headers_get(record.headers, headers, 4); i > 0; i--)
            sum += (uint32_t)hash_bytes(headers[i - 1].key) +
                   (uint32_t)hash_bytes(headers[i - 1].value);
    }
    return sum;
}

static void mutate_batch(Tally *tally) {
    RecordBatch batch = {0};
    RecordBatchInfo info;
    Err err;
    uint32_t size;
    fill_batch(tally, &batch, 200);
    uint8_t *copy = damaged(tally, buf_view(&batch.buf), &size);
    if (record_batch_check((Bytes){copy, size}, &info, &err) == ERR_OK) {
        record_batch_patch(copy, 0, 0); /* these fields are the writer's: a frame's sum has them */
        if (info.size != batch.buf.size || memcmp(copy, batch.buf.data, info.size) != 0)
            complain(tally, "record batch: damage was not seen");
        tally->right++;
    } else {
        tally->refused++;
    }
    mem_free(copy);
    record_batch_free(&batch);
}

/* Damage under a right sum, as a hostile client can send it. */
static void mutate_sealed_batch(Tally *tally) {
    RecordBatch batch = {0};
    RecordBatchInfo info;
    Err err;
    fill_batch(tally, &batch, 200);
    uint32_t size = (uint32_t)batch.buf.size;
    uint8_t *copy = mem_alloc(size);
    memcpy(copy, batch.buf.data, size);
    change(tally, copy + 21, size - 21);
    uint32_t crc = hash_crc32c(0, (Bytes){copy + 21, size - 21});
    for (uint32_t i = 0; i < 4; i++)
        copy[17 + i] = (uint8_t)(crc >> (24 - 8 * i));
    Bytes bytes = {copy, size};
    if (record_batch_check(bytes, &info, &err) != ERR_OK) {
        tally->refused++;
    } else {
        uint32_t sum = walk(bytes);
        bool same = memcmp(copy, batch.buf.data, size) == 0;
        if (same && sum != walk(buf_view(&batch.buf)))
            complain(tally, "record batch: the same bytes gave other records");
        bool good = record_batch_check_records(bytes, &info, &err) == ERR_OK;
        tally->right += good;
        tally->refused += !good;
    }
    mem_free(copy);
    record_batch_free(&batch);
}

/* == Segments ================================================================================= */

enum { TRUE_BATCHES_MAX = 4000 };

/* A partition of several segments, its files, and what must come out of it. */
typedef struct Truth {
    Io *io;
    Buf bytes; /* of all batches */
    struct {
        int64_t base, last;
        size_t at;
    } batches[TRUE_BATCHES_MAX + 1];
    uint32_t count;
    Buf saved; /* its part of the checkpoint */
    Arena *arena;
    char **names;
    Buf *files;
    uint32_t file_count;
} Truth;

static const char *const truth_folder = "data/topics/1/0";

static Partition *truth_partition(const Truth *truth) {
    Partition *partition = partition_new(truth->io, truth_folder, (TopicPartition){1, 0});
    partition_set_segment_bytes(partition, 2 * SEGMENT_CHUNK_BYTES);
    return partition;
}

static void must(ErrCode code, const Err *err) {
    if (code == ERR_OK)
        return;
    printf("FAILED to prepare: %s\n", err->message);
    exit(1);
}

static const char *truth_path(const Truth *truth, const char *name) {
    return arena_printf(truth->arena, "%s/%s", truth_folder, name);
}

static void read_file(const Truth *truth, const char *path, Buf *out) {
    IoFile *file;
    Err err;
    uint64_t size;
    uint32_t got;
    must(truth->io->ops->open(truth->io, path, IO_READ, &file, &err), &err);
    must(file->ops->size(file, &size, &err), &err);
    must(file->ops->read(file, 0, buf_room(out, size + 1), (uint32_t)size, &got, &err), &err);
    out->size = got;
    file->ops->close(file);
}

static void write_file(const Truth *truth, const char *path, Bytes bytes) {
    IoFile *file;
    Err err;
    must(truth->io->ops->open(truth->io, path, IO_WRITE, &file, &err), &err);
    must(file->ops->resize(file, bytes.size, &err), &err);
    must(file->ops->write(file, 0, bytes, &err), &err);
    file->ops->close(file);
}

/* A third of the bytes a segment can hold each: three sealed segments, a growing one, a tail. */
static void truth_grow(Tally *tally, Truth *truth, Partition *partition) {
    int64_t offset = 0;
    Err err;
    while (truth->bytes.size < 7 * (size_t)SEGMENT_CHUNK_BYTES) {
        RecordBatch batch = {0};
        fill_batch(tally, &batch, SEGMENT_CHUNK_BYTES / 32);
        record_batch_patch(batch.buf.data, offset, 5);
        uint32_t size = (uint32_t)batch.buf.size, count = truth->count++;
        uint8_t *copy = mem_alloc(size);
        memcpy(copy, batch.buf.data, size);
        LogBlock *block = log_block_take(copy, size);
        RecordBatchInfo info;
        must(record_batch_check((Bytes){copy, size}, &info, &err), &err);
        partition_append(partition, block, (Bytes){copy, size}, &info);
        log_block_unref(block);
        truth->batches[count].base = offset;
        truth->batches[count].last = info.last_offset;
        truth->batches[count].at = truth->bytes.size;
        buf_bytes(&truth->bytes, buf_view(&batch.buf));
        offset = info.last_offset + 1;
        record_batch_free(&batch);
        if (truth->count == TRUE_BATCHES_MAX)
            break;
    }
    truth->batches[truth->count].at = truth->bytes.size;
}

static Truth *truth_new(Tally *tally) {
    Truth *truth = mem_alloc(sizeof *truth);
    Err err;
    truth->io = io_mem_new();
    truth->arena = arena_new("truth", 0);
    Partition *partition = truth_partition(truth);
    truth_grow(tally, truth, partition);
    partition_freeze(partition);
    must(partition_write(partition, &err), &err);
    partition_save(partition, &truth->saved);
    partition_free(partition);
    Io *io = truth->io;
    must(io->ops->list(io, truth_folder, truth->arena, &truth->names, &truth->file_count, &err),
         &err);
    truth->files = arena_array(truth->arena, truth->file_count, sizeof *truth->files);
    for (uint32_t i = 0; i < truth->file_count; i++)
        read_file(truth, truth_path(truth, truth->names[i]), &truth->files[i]);
    return truth;
}

static void truth_free(Truth *truth) {
    for (uint32_t i = 0; i < truth->file_count; i++)
        buf_free(&truth->files[i]);
    arena_free(truth->arena);
    io_mem_free(truth->io);
    buf_free(&truth->bytes);
    buf_free(&truth->saved);
    mem_free(truth);
}

/* The block is the true batches from `item` on. */
static bool block_is_true(const Truth *truth, uint32_t item, const LogBlock *block) {
    Bytes bytes = log_block_bytes(block);
    size_t at = truth->batches[item].at;
    return bytes.size > 0 && bytes.size <= truth->bytes.size - at &&
           memcmp(bytes.data, truth->bytes.data + at, bytes.size) == 0;
}

/* Fetches some batches. false: one of them was refused. */
static bool truth_fetch(Tally *tally, const Truth *truth, Partition *partition, size_t near) {
    bool all = true;
    for (int i = 0; i < 4; i++) {
        uint32_t item = below(tally, truth->count);
        while (i < 2 && item + 1 < truth->count && truth->batches[item + 1].at <= near)
            item++; /* two at, or right before, the damage */
        while (i < 2 && item > 0 && truth->batches[item].at > near)
            item--;
        LogBlock *block = NULL;
        Err err;
        ErrCode code = partition_fetch(partition, truth->batches[item].base, below(tally, 9000),
                                       &block, &err);
        if (code == ERR_OK) {
            if (!block || !block_is_true(truth, item, block))
                complain(tally, "a wrong batch at offset %" PRId64, truth->batches[item].base);
        } else if (code != ERR_CORRUPT || !strstr(err.message, truth_folder)) {
            complain(tally, "not a clear error: %s", err.message);
        }
        all = all && code == ERR_OK;
        log_block_unref(block);
    }
    return all;
}

/* Loads and reads. `cache`: damage to it may cost time, but no answer. */
static void truth_try(Tally *tally, const Truth *truth, Bytes saved, bool cache, size_t near) {
    Partition *partition = truth_partition(truth);
    Err err;
    ErrCode code = partition_load(partition, saved, &err);
    bool all = false;
    if (code == ERR_OK) {
        int64_t start, end;
        partition_offsets(partition, &start, &end);
        if (start != 0 || end != truth->batches[truth->count - 1].last + 1)
            complain(tally, "loaded with wrong offsets %" PRId64 "..%" PRId64, start, end);
        else
            all = truth_fetch(tally, truth, partition, near);
    } else if (code != ERR_CORRUPT) {
        complain(tally, "not a clear error: %s", err.message);
    }
    if (cache && !all)
        complain(tally, "a damaged index was not made again: %s", err.message);
    tally->right += all;
    tally->refused += !all;
    partition_free(partition);
}

static Truth *truth;

static void mutate_file_like(Tally *tally, const char *ending) {
    uint32_t first = below(tally, truth->file_count), i = first;
    while (!strstr(truth->names[i], ending))
        i = (i + 1) % truth->file_count;
    uint32_t size;
    Bytes whole = buf_view(&truth->files[i]);
    uint8_t *copy = damaged(tally, whole, &size);
    uint32_t differs = 0;
    while (differs < size && differs < whole.size && copy[differs] == whole.data[differs])
        differs++;
    char path[200];
    snprintf(path, sizeof path, "%s/%s", truth_folder, truth->names[i]);
    write_file(truth, path, (Bytes){copy, size});
    /* Segment files begin with their base offset: where that batch lies among all. */
    int64_t base = strtoll(truth->names[i], NULL, 10);
    size_t at = 0;
    for (uint32_t item = 0; item < truth->count && truth->batches[item].base <= base; item++)
        at = truth->batches[item].at;
    truth_try(tally, truth, buf_view(&truth->saved), strcmp(ending, ".seg") != 0, at + differs);
    write_file(truth, path, whole);
    mem_free(copy);
}

static void mutate_segment(Tally *tally) {
    mutate_file_like(tally, ".seg");
}

static void mutate_index(Tally *tally) {
    mutate_file_like(tally, below(tally, 2) ? ".idx" : ".tix");
}

static void mutate_saved(Tally *tally) {
    uint32_t size;
    uint8_t *copy = damaged(tally, buf_view(&truth->saved), &size);
    truth_try(tally, truth, (Bytes){copy, size}, false, 0);
    mem_free(copy);
}

/* == All of them ============================================================================== */

typedef struct Subject {
    const char *name;
    void (*mutate)(Tally *tally);
} Subject;

static const Subject subjects[] = {
    {"batches", mutate_batch},
    {"batches with right sums", mutate_sealed_batch},
    {"segments", mutate_segment},
    {"indexes", mutate_index},
    {"checkpoints of partitions", mutate_saved},
};

enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
    Tally tally = {.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
    tally.seed = hash_u64(tally.seed + 1) | 1;
    truth = truth_new(&tally);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t before = tally.failures;
        subjects[i % SUBJECTS].mutate(&tally);
        if (tally.failures > before && before < 10)
            printf("  round %" PRIu64 " (%s)\n", i, subjects[i % SUBJECTS].name);
    }
    truth_free(truth);
    printf("%" PRIu64 " damaged: %" PRIu64 " refused, %" PRIu64 " answered right, %" PRIu64
           " failures\n",
           rounds, tally.refused, tally.right, tally.failures);
    if (tally.failures == 0 && tally.refused > rounds / 4)
        puts("PROVED");
    else
        printf("FAILED %" PRIu64 " of %" PRIu64 " rounds\n", tally.failures, rounds);
    return tally.failures > 0;
}
