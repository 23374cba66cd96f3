/*
 * lookups.c - how many lookups a second: by key, by window, over all rows; one thread or several.
 *
 *   lookups KEYS SECONDS THREADS
 *
 * An engine in memory holds a table of KEYS rows in four partitions, and as many windows; each
 * thread executes statements of SQL for SECONDS. Prints one line for each kind of lookup.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/weir.h"

typedef struct Kind {
    const char *name, *format; /* of a statement, with a key and a window's start */
} Kind;

static const Kind kinds[] = {
    {"by key", "SELECT * FROM t WHERE k = 'k%u';"},
    {"by ten keys", "SELECT * FROM t WHERE k IN ('k%u','k1','k2','k3','k4','k5','k6','k7','k8',"
                    "'k9');"},
    {"key and window", "SELECT * FROM w WHERE k = 'k%u' AND WINDOWSTART = %u;"},
    {"key, all windows", "SELECT * FROM w WHERE k = 'k%u';"},
    {"range of 100", "SELECT * FROM t WHERE k >= 'k%u' LIMIT 100;"},
    {"count of all", "SELECT COUNT(*) FROM t WHERE n > 0;"},
};

typedef struct Worker {
    Thread thread;
    Weir *weir;
    const Kind *kind;
    uint32_t keys, seed;
    int64_t until_us;
    uint64_t done, rows;
} Worker;

static void lookups_fail(const WeirError *error) {
    fprintf(stderr, "lookups: %s\n", error->message);
    exit(1);
}

static void *lookups_run(void *arg) {
    Worker *worker = arg;
    Io *io = io_posix();
    char sql[256];
    WeirError error;
    WeirResult *result;
    while (io->ops->mono_us(io) < worker->until_us) {
        worker->seed = worker->seed * 1664525 + 1013904223;
        uint32_t key = (worker->seed >> 8) % worker->keys;
        snprintf(sql, sizeof sql, worker->kind->format, key, key % 10 * 10000);
        if (weir_execute(worker->weir, sql, &result, &error) != WEIR_OK)
            lookups_fail(&error);
        while (weir_next(result, 0, &error) == WEIR_ROW)
            worker->rows++;
        weir_result_free(result);
        worker->done++;
    }
    return NULL;
}

static void lookups_kind(Weir *weir, const Kind *kind, uint32_t keys, double seconds,
                         uint32_t threads) {
    Io *io = io_posix();
    Worker workers[64] = {0};
    uint64_t done = 0, rows = 0;
    int64_t begin_us = io->ops->mono_us(io);
    for (uint32_t i = 0; i < threads; i++) {
        workers[i] = (Worker){.weir = weir, .kind = kind, .keys = keys, .seed = i + 1,
                              .until_us = begin_us + (int64_t)(seconds * 1e6)};
        thread_start(&workers[i].thread, "lookups", lookups_run, &workers[i]);
    }
    for (uint32_t i = 0; i < threads; i++) {
        thread_join(&workers[i].thread);
        done += workers[i].done;
        rows += workers[i].rows;
    }
    double taken = (double)(io->ops->mono_us(io) - begin_us) / 1e6;
    printf("%-18s %u threads %10.0f lookups/s %8.1f us each %12.0f rows/s\n", kind->name, threads,
           (double)done / taken, taken * 1e6 * threads / (double)done, (double)rows / taken);
}

static void lookups_fill(Weir *weir, uint32_t keys) {
    static const char create[] =
        "CREATE STREAM s (k STRING KEY, v INT, ts BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=4,"
        " VALUE_FORMAT='JSON', TIMESTAMP='ts');"
        "CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM s GROUP BY k;"
        "CREATE TABLE w AS SELECT k, COUNT(*) AS n FROM s"
        " WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 1 DAY) GROUP BY k;";
    WeirError error;
    char *rows = mem_array((size_t)keys * 64 + 1, 1);
    size_t size = 0;
    for (uint32_t i = 0; i < keys; i++)
        size += (size_t)snprintf(rows + size, 64, "{\"k\":\"k%u\",\"v\":%u,\"ts\":%u}\n", i, i % 7,
                                 i % 10 * 10000);
    if (weir_execute(weir, create, NULL, &error) != WEIR_OK ||
        weir_insert(weir, "s", rows, &error) != WEIR_OK ||
        weir_catch_up(weir, 600000, &error) != WEIR_OK)
        lookups_fail(&error);
    mem_free(rows);
}

int main(int argc, char **argv) {
    WeirError error;
    Weir *weir;
    uint32_t keys = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    uint32_t threads = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    if (keys == 0 || threads == 0 || threads > 64) {
        fprintf(stderr, "usage: lookups KEYS SECONDS THREADS\n");
        return 2;
    }
    if (weir_open(NULL, NULL, &weir, &error) != WEIR_OK)
        lookups_fail(&error);
    lookups_fill(weir, keys);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        lookups_kind(weir, &kinds[i], keys, strtod(argv[2], NULL), threads);
    weir_close(weir);
    return 0;
}
