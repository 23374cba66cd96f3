/*
 * crash_bench.h - queries whose machine stops anywhere: what the crash tests of runtime/ share.
 *
 * Rows come a few at a time, the query runs, and the nth change of the disk that it makes stops the
 * machine; then everything begins again from the disk.
 */
#ifndef TESTS_UNIT_CRASH_BENCH_H
#define TESTS_UNIT_CRASH_BENCH_H

#include "tests/unit/query_bench.h"

/* A disk with faults; checkpoints come often, so the machine stops inside of some. */
static inline void crash_open(Bench *bench, uint64_t seed) {
    *bench = (Bench){.io = io_mem_new(), .arena = arena_new("bench", 0)};
    io_mem_start_faults(bench->io, seed);
    bench->options.step_rows = (uint32_t)(seed % 9);
    bench->storage = bench_open(bench->io, &(StorageOptions){.checkpoint_bytes = 6000});
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
}

/* After the crash: everything again from the disk. */
static inline void crash_reopen(Bench *bench, uint64_t seed) {
    if (bench->query)
        bench_stop(bench);
    runtime_free(bench->runtime);
    storage_close(bench->storage);
    io_mem_crash(bench->io, seed, NULL);
    bench->storage = bench_open(bench->io, NULL);
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
}

/* false: the machine stopped. */
static inline bool crash_start_and_pump(Bench *bench) {
    QueryOptions options = bench->query_options;
    options.plan = &bench->plan;
    options.first_id = bench->first_id;
    options.partitions = bench->partitions;
    options.internal_topics = bench->internal_topics;
    Err err;
    if (!bench->query && query_start(bench->runtime, &options, &bench->query, &err) != ERR_OK)
        return false;
    return runtime_pump(bench->runtime, &err) == ERR_OK && !io_mem_stopped(bench->io);
}

typedef struct CrashRun {
    int rows, turn_rows; /* in all, and before each time that the query runs */
    void (*put)(Bench *bench, void *context, int number);
    void *context;
    uint64_t nth; /* change of the disk; 0: none stops the machine */
    uint64_t seed; /* of what the crash does to the disk */
} CrashRun;

/* false: it never came to the nth change. */
static inline bool crash_run(Bench *bench, const CrashRun *run) {
    uint64_t left = run->nth;
    bool stopped = false;
    for (int number = 0; number < run->rows; number += run->turn_rows) {
        for (int i = number; i < number + run->turn_rows; i++)
            run->put(bench, run->context, i);
        uint64_t before = io_mem_changes(bench->io);
        if (run->nth > 0 && !stopped)
            io_mem_crash_at(bench->io, left);
        if (!crash_start_and_pump(bench)) {
            assert_false(stopped);
            stopped = true;
            crash_reopen(bench, run->seed);
            assert_true(crash_start_and_pump(bench));
        }
        left -= stopped ? 0 : io_mem_changes(bench->io) - before;
        io_mem_crash_at(bench->io, 0);
    }
    return stopped;
}

#endif
