/*
 * mutate_state.c - state of queries as a damaged changelog would restore it: a clear error of the
 * query, or rows that are wrong in what was damaged; never a crash, never an endless loop.
 *
 *   mutate_state [N] [SEED]
 *
 * Over a Kafka cluster the state of a query comes back from a topic that others can write. Here an
 * engine in memory runs queries of all kinds with state; each round changes, cuts, lengthens,
 * doubles or swaps a few keys and values of its stores, feeds rows, asks everything, and may open
 * the folder again. To be built with ASan and UBSan. The last line is PROVED or FAILED why, the one
 * before counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io_mem.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "storage/commit.h"
#include "storage/store.h"
#include "tests/tools/mutate.h"
#include "tests/unit/dice.h"

enum { ROUNDS_PER_ENGINE = 6, ENTRIES_MAX = 4096, ROUND_SECONDS_MAX = 20 };

static const char statements[] =
    "SET 'weir.table.first' = 'true';"
    "CREATE STREAM rows (k STRING KEY, id BIGINT, v INT, text STRING)"
    " WITH (KAFKA_TOPIC='rows', PARTITIONS=1, VALUE_FORMAT='JSON');"
    "CREATE STREAM others (k STRING KEY, id BIGINT, x DOUBLE)"
    " WITH (KAFKA_TOPIC='others', PARTITIONS=1, VALUE_FORMAT='JSON');"
    "CREATE TABLE names (k STRING PRIMARY KEY, name STRING, other STRING)"
    " WITH (KAFKA_TOPIC='names', PARTITIONS=1, VALUE_FORMAT='JSON');"
    "CREATE TABLE towns (k STRING PRIMARY KEY, town STRING)"
    " WITH (KAFKA_TOPIC='towns', PARTITIONS=1, VALUE_FORMAT='JSON');"
    "CREATE TABLE t_count AS SELECT k, COUNT(*) AS n, SUM(v) AS s, AVG(v) AS a, MIN(text) AS lo,"
    " MAX(text) AS hi FROM rows GROUP BY k;"
    "CREATE TABLE t_lists AS SELECT v, COLLECT_LIST(text) AS l, COLLECT_SET(id) AS c,"
    " HISTOGRAM(k) AS h, TOPK(id, 3) AS t, LATEST_BY_OFFSET(text, 2) AS last,"
    " COUNT_DISTINCT(k) AS d FROM rows GROUP BY v;"
    "CREATE TABLE t_hop AS SELECT k, COUNT(*) AS n, STDDEV_SAMP(v) AS d FROM rows"
    " WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 1 HOUR) GROUP BY k;"
    "CREATE TABLE t_tumble AS SELECT k, MAX(text) AS n FROM rows"
    " WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 5 SECONDS) GROUP BY k EMIT FINAL;"
    "CREATE TABLE t_session AS SELECT k, COUNT(*) AS n, COLLECT_LIST(v) AS l FROM rows"
    " WINDOW SESSION (3 SECONDS, GRACE PERIOD 1 HOUR) GROUP BY k;"
    "CREATE TABLE t_names AS SELECT * FROM names;"
    "CREATE STREAM s_named AS SELECT r.k AS k, id, name FROM rows r LEFT JOIN names n ON r.k = n.k;"
    "CREATE STREAM s_both AS SELECT ROWKEY AS k, r.id AS i, o.x AS x FROM rows r"
    " FULL OUTER JOIN others o WITHIN 5 SECONDS GRACE PERIOD 10 SECONDS ON r.k = o.k;"
    "CREATE TABLE t_both AS SELECT ROWKEY AS k, name, town FROM names n"
    " FULL OUTER JOIN towns t ON n.k = t.k;"
    "CREATE TABLE t_foreign AS SELECT n.k AS k, name, town FROM names n"
    " LEFT JOIN towns t ON n.other = t.k;"
    "CREATE TABLE t_towns AS SELECT town, COUNT(*) AS n FROM towns GROUP BY town;";

static const char *const questions[] = {
    "SELECT * FROM t_count;", "SELECT * FROM t_count WHERE k = 'key3';", "SELECT * FROM t_lists;",
    "SELECT * FROM t_hop;", "SELECT * FROM t_hop WHERE k = 'key1';", "SELECT * FROM t_session;",
    "SELECT * FROM t_tumble;", "SELECT * FROM t_names;", "SELECT * FROM t_both;",
    "SELECT * FROM t_foreign;", "SELECT * FROM t_towns;", "SHOW QUERIES;",
};

typedef struct Entry {
    uint32_t store_id;
    Bytes key, value;
} Entry;

typedef struct Tally {
    uint64_t changes, refused, answered, over;
} Tally;

static void give_up(const char *what, const char *why) {
    printf("FAILED %s: %s\n", what, why);
    exit(1);
}

/* NULL: a query that cannot start keeps all from starting, where the folder is all there is. */
static Weir *open_on(Io *io) {
    Weir *weir = NULL;
    Err err;
    EngineOptions options = {.checkpoint_bytes = 1 << 30};
    ErrCode code = engine_open(io, "/data", &options, &weir, &err);
    if (code != ERR_OK && code != ERR_CORRUPT)
        give_up("open", err.message);
    return weir;
}

/* Queries may end with an error: that is what is to be seen. */
static void feed(Weir *weir, uint32_t from, uint32_t to, Tally *tally) {
    Buf rows = {0}, others = {0}, names = {0}, towns = {0};
    WeirError error;
    Err err;
    for (uint32_t i = from; i < to; i++) {
        uint32_t key = below(9);
        buf_printf(&rows, "{\"k\":\"key%u\",\"id\":%u,\"v\":%u,\"text\":\"%0*u\"}\n", key, i, i % 7,
                   1 + (int)below(30), i);
        buf_printf(&others, "{\"k\":\"key%u\",\"id\":%u,\"x\":%u.5}\n", below(9), i, i);
        buf_printf(&names, "{\"k\":\"key%u\",\"name\":\"n%u\",\"other\":\"town%u\"}\n", below(9), i,
                   below(4));
        buf_printf(&towns, "{\"k\":\"town%u\",\"town\":\"t%u\"}\n", below(4), below(3));
    }
    if (weir_insert(weir, "TOWNS", buf_cstr(&towns), &error) != WEIR_OK ||
        weir_insert(weir, "NAMES", buf_cstr(&names), &error) != WEIR_OK ||
        weir_insert(weir, "ROWS", buf_cstr(&rows), &error) != WEIR_OK ||
        weir_insert(weir, "OTHERS", buf_cstr(&others), &error) != WEIR_OK)
        tally->refused++;
    (void)!engine_pump(weir, &err);
    buf_free(&rows);
    buf_free(&others);
    buf_free(&names);
    buf_free(&towns);
}

static void ask(Weir *weir, Tally *tally) {
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        WeirResult *result = NULL;
        WeirError error;
        WeirStatus status = weir_execute(weir, questions[i], &result, &error);
        while (status == WEIR_OK || status == WEIR_ROW)
            status = weir_next(result, 0, &error);
        tally->refused += status == WEIR_FAILED;
        tally->answered += status == WEIR_END;
        weir_result_free(result);
    }
}

/* -- Damage ------------------------------------------------------------------------------------ */

static uint32_t entries_of(Weir *weir, Arena *arena, Entry *entries) {
    Storage *storage = engine_storage(weir);
    Snapshot *snapshot = snapshot_open(storage);
    uint32_t count = 0, last = storage_new_id(storage);
    Err err;
    for (uint32_t id = STORE_FIRST_FREE; id < last; id++) {
        StoreIter *iter;
        Bytes key, value;
        if (store_scan(snapshot, id, (Bytes){NULL, 0}, (Bytes){NULL, 0}, &iter, &err) != ERR_OK)
            give_up("scan", err.message);
        while (count < ENTRIES_MAX && store_iter_next(iter, &key, &value))
            entries[count++] = (Entry){id, arena_bytes(arena, key), arena_bytes(arena, value)};
        if (store_iter_close(iter, &err) != ERR_OK)
            give_up("scan", err.message);
    }
    snapshot_close(snapshot);
    return count;
}

static void damage(Weir *weir, Arena *arena, Tally *tally) {
    Entry *entries = arena_array(arena, ENTRIES_MAX, sizeof *entries);
    uint32_t count = entries_of(weir, arena, entries);
    Commit *commit = commit_new(engine_storage(weir), 0);
    Buf changed = {0};
    Err err;
    for (uint32_t left = 1 + below(6); left > 0 && count > 0; left--) {
        const Entry *entry = &entries[below(count)], *other = &entries[below(count)];
        bool of_key = below(5) == 0;
        mutate_bytes(&changed, of_key ? entry->key : entry->value,
                     of_key ? other->key : other->value);
        if (below(8) == 0)
            commit_remove(commit, entry->store_id, entry->key);
        else if (of_key)
            commit_put(commit, entry->store_id, buf_view(&changed), entry->value);
        else
            commit_put(commit, entry->store_id, entry->key, buf_view(&changed));
        tally->changes++;
    }
    if (commit_wait(commit, NULL, &err) != ERR_OK)
        give_up("commit", err.message);
    buf_free(&changed);
}

/* One engine; what was damaged stays. */
static void run_engine(uint32_t rounds, Tally *tally) {
    Io *io = io_mem_new();
    WeirError error;
    io_mem_set_clock(io, 1700000000000);
    Weir *weir = open_on(io);
    if (weir_execute(weir, statements, NULL, &error) != WEIR_OK)
        give_up("statements", error.message);
    feed(weir, 0, 60, tally);
    for (uint32_t round = 0; round < rounds; round++) {
        Arena *arena = arena_new("damage", 0);
        damage(weir, arena, tally);
        arena_free(arena);
        if (below(3) == 0) { /* as a restore does it: nothing of the state is in memory */
            weir_close(weir);
            weir = open_on(io);
            tally->over += !weir;
            if (!weir)
                break;
        }
        io_mem_advance_clock(io, (int64_t)below(4000));
        feed(weir, 100 * round, 100 * round + 20, tally);
        ask(weir, tally);
    }
    weir_close(weir);
    io_mem_free(io);
}

int main(int argc, char **argv) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    Tally tally = {0};
    for (uint64_t done = 0; done < count; done += ROUNDS_PER_ENGINE) {
        mutate_deadline(ROUND_SECONDS_MAX * ROUNDS_PER_ENGINE);
        dice_state = seed * 1000003 + done;
        run_engine(ROUNDS_PER_ENGINE, &tally);
    }
    printf("%llu changes of state; %llu questions answered, %llu refused; %llu engines ended\n",
           (unsigned long long)tally.changes, (unsigned long long)tally.answered,
           (unsigned long long)tally.refused, (unsigned long long)tally.over);
    printf("PROVED\n");
    return 0;
}
