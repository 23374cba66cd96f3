/*
 * prove_threads.c - many threads use one engine at once.
 *
 *   prove_threads ROUNDS SEED FOLDER
 *
 * A round opens an engine (in memory and on FOLDER by turns, with 1 to 3 workers) and for a while
 * lets threads insert rows, look tables and windows up, run push queries to a LIMIT, cancel push
 * queries of other threads, interrupt what is being executed, make and drop streams and tables,
 * pause and resume a query, and ask and set this and that. Then:
 *   - no statement failed but for the reasons it may fail;
 *   - what one reader saw of a count never went backwards, and push queries gave what they must;
 *   - the tables hold each inserted row once.
 * A watchdog ends a round that hangs. Built with -fsanitize=thread it finds races too. Prints
 * figures; the last line is PROVED or "FAILED why".
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "engine/engine.h"

enum { ROUND_MS = 700, HANG_SECONDS = 120, KEYS = 23, ACTORS = 15, FILE_ROWS = 5000 };

typedef struct Round {
    Weir *weir;
    Io *io;
    atomic_bool stop;
    atomic_uint playing; /* actors that have not ended */
    atomic_ullong rows, lookups, pushed, made, cancelled, copied, interrupted;
    char file[600];     /* for COPY */
    Lock lock;          /* of `target` */
    WeirResult *target; /* what the canceller may cancel */
} Round;

typedef struct Actor {
    Round *round;
    uint32_t number;
    uint64_t dice_state;
    Thread thread;
} Actor;

static uint64_t dice(Actor *actor, uint64_t sides) {
    actor->dice_state = actor->dice_state * 6364136223846793005U + 1442695040888963407U;
    return (actor->dice_state >> 33) % sides;
}

static void fail(const char *what, const char *why) {
    printf("FAILED %s: %s\n", what, why);
    fflush(stdout);
    _exit(1);
}

static void hangs(int number) {
    static const char text[] = "FAILED a round hangs\n";
    (void)number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    abort();
}

/* Statements that were interrupted are given again: they have done nothing. */
static void execute(Round *round, const char *sql, WeirResult **result) {
    WeirError error;
    while (weir_execute(round->weir, sql, result, &error) != WEIR_OK) {
        if (strcmp(error.code, "cancelled") != 0) {
            printf("statement: %s\n", sql);
            fail("a statement", error.message);
        }
        atomic_fetch_add(&round->interrupted, 1);
    }
}

static void run(Round *round, const char *sql) {
    execute(round, sql, NULL);
}

/* -- What the threads do ----------------------------------------------------------------------- */

static void insert_rows(Actor *actor) {
    Round *round = actor->round;
    Buf rows = {0};
    WeirError error;
    uint64_t count = 1 + dice(actor, 30);
    for (uint64_t i = 0; i < count; i++)
        buf_printf(&rows, "{\"k\":\"key%llu\",\"id\":%llu,\"v\":%llu}\n",
                   (unsigned long long)dice(actor, KEYS), (unsigned long long)dice(actor, 1 << 20),
                   (unsigned long long)dice(actor, 10));
    if (weir_insert(round->weir, "ROWS", buf_cstr(&rows), &error) != WEIR_OK)
        fail("an insert", error.message);
    atomic_fetch_add(&round->rows, count);
    buf_free(&rows);
}

/* The only row's first column; -1: no row. */
static int64_t look_up(Round *round, const char *sql) {
    WeirResult *result;
    WeirError error;
    execute(round, sql, &result);
    int64_t number = -1;
    if (weir_next(result, 0, &error) == WEIR_ROW)
        number = weir_integer(result, 0);
    weir_result_free(result);
    atomic_fetch_add(&round->lookups, 1);
    return number;
}

static void look_up_often(Actor *actor) {
    char sql[128];
    uint64_t key = dice(actor, KEYS);
    snprintf(sql, sizeof sql, "SELECT n FROM per_key WHERE k = 'key%llu';",
             (unsigned long long)key);
    int64_t before = -1;
    for (int i = 0; i < 5; i++) {
        int64_t now = look_up(actor->round, sql);
        if (now < before)
            fail(sql, "the count went backwards");
        before = now;
    }
}

static void read_to_limit(Actor *actor) {
    Round *round = actor->round;
    static const char *const queries[] = {
        "SELECT k, v FROM rows WHERE v > 3 EMIT CHANGES LIMIT 20;",
        "SELECT k, n FROM per_key EMIT CHANGES LIMIT 5;",
        "SELECT v, COUNT(*) FROM rows GROUP BY v EMIT CHANGES LIMIT 20;",
        "SELECT r.k, n.name FROM rows r JOIN names n ON r.k = n.k EMIT CHANGES LIMIT 20;",
        "SELECT k, WINDOWSTART, n FROM per_window EMIT CHANGES LIMIT 20;",
        "SELECT v, COUNT(*) FROM rows WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY v EMIT CHANGES "
        "LIMIT 20;",
    };
    uint64_t chosen = dice(actor, 6);
    WeirResult *result;
    WeirError error;
    WeirStatus status;
    uint32_t rows = 0;
    execute(round, queries[chosen], &result);
    while ((status = weir_next(result, 60000, &error)) == WEIR_ROW)
        rows++;
    if (status != WEIR_END || rows != (chosen == 1 ? 5 : 20))
        fail(queries[chosen], status == WEIR_FAILED ? error.message : "too few rows in a minute");
    weir_result_free(result);
    atomic_fetch_add(&round->pushed, rows);
}

/* All windows of a key: together they hold all of its rows, and no fewer than before. */
static void look_up_windows(Actor *actor) {
    Round *round = actor->round;
    char sql[160];
    int64_t before = 0;
    snprintf(sql, sizeof sql,
             "SELECT WINDOWSTART, WINDOWEND, n FROM per_window WHERE k = 'key%llu'%s;",
             (unsigned long long)dice(actor, KEYS),
             dice(actor, 2) ? " AND WINDOWSTART >= '2020-01-01'" : "");
    for (int i = 0; i < 4; i++) {
        WeirResult *result;
        WeirError error;
        int64_t sum = 0, last = -1;
        execute(round, sql, &result);
        while (weir_next(result, 0, &error) == WEIR_ROW) {
            int64_t start = weir_integer(result, 0);
            if (start <= last || weir_integer(result, 1) <= start)
                fail(sql, "windows are not in order");
            last = start;
            sum += weir_integer(result, 2);
        }
        weir_result_free(result);
        atomic_fetch_add(&round->lookups, 1);
        if (sum < before)
            fail(sql, "rows of windows have gone");
        before = sum;
    }
}

/* Whatever is being executed just now ends, and nothing else. */
static void interrupt(Actor *actor) {
    usleep((useconds_t)dice(actor, 15000));
    weir_interrupt(actor->round->weir);
}

static void pause_and_resume(Actor *actor) {
    Round *round = actor->round;
    WeirResult *result;
    WeirError error;
    char id[64] = "", sql[128];
    execute(round, "SHOW QUERIES;", &result);
    while (weir_next(result, 0, &error) == WEIR_ROW) {
        const char *name = weir_text(result, 0);
        if (name && strncmp(name, "CSAS_COPIED", 11) == 0)
            snprintf(id, sizeof id, "%s", name);
    }
    weir_result_free(result);
    if (!id[0])
        fail("SHOW QUERIES", "does not show CSAS_COPIED");
    snprintf(sql, sizeof sql, "PAUSE %s;", id);
    run(round, sql);
    usleep((useconds_t)dice(actor, 5000));
    snprintf(sql, sizeof sql, "RESUME %s;", id);
    run(round, sql);
}

/* Reads until another thread cancels. */
static void read_until_cancelled(Actor *actor) {
    Round *round = actor->round;
    WeirResult *result;
    WeirError error;
    WeirStatus status;
    execute(round, "SELECT * FROM rows EMIT CHANGES;", &result);
    lock_take(&round->lock);
    round->target = result;
    lock_release(&round->lock);
    while ((status = weir_next(result, 60000, &error)) == WEIR_ROW)
        atomic_fetch_add(&round->pushed, 1);
    if (status != WEIR_FAILED || strcmp(error.code, "cancelled") != 0)
        fail("a cancelled push query", "it ended otherwise");
    lock_take(&round->lock);
    round->target = NULL;
    lock_release(&round->lock);
    weir_result_free(result);
}

static void cancel_target(Actor *actor) {
    Round *round = actor->round;
    usleep((useconds_t)dice(actor, 20000));
    lock_take(&round->lock);
    if (round->target) {
        weir_cancel(round->target);
        round->target = NULL;
        atomic_fetch_add(&round->cancelled, 1);
    }
    lock_release(&round->lock);
}

static void make_and_drop(Actor *actor) {
    static const char *const queries[] = {
        "CREATE STREAM m%u AS SELECT * FROM rows WHERE v > 5;",
        "CREATE TABLE m%u AS SELECT v, COUNT(*) AS n FROM rows GROUP BY v;",
        "CREATE TABLE m%u AS SELECT k, SUM(v) AS n FROM rows WINDOW TUMBLING (SIZE 1 SECOND)"
        " GROUP BY k;",
        "CREATE STREAM m%u AS SELECT r.k, n.name FROM rows r JOIN names n ON r.k = n.k;",
        "CREATE STREAM m%u WITH (PARTITIONS=2) AS SELECT * FROM rows PARTITION BY v;",
    };
    char sql[256];
    uint64_t chosen = dice(actor, 5);
    bool table = chosen == 1 || chosen == 2;
    snprintf(sql, sizeof sql, queries[chosen], actor->number);
    run(actor->round, sql);
    if (table && dice(actor, 2)) {
        snprintf(sql, sizeof sql, "SELECT n FROM m%u;", actor->number);
        look_up(actor->round, sql);
    }
    usleep((useconds_t)dice(actor, 10000));
    snprintf(sql, sizeof sql, "DROP %s m%u%s;", table ? "TABLE" : "STREAM", actor->number,
             dice(actor, 2) ? " DELETE TOPIC" : "");
    run(actor->round, sql);
    if (!strstr(sql, "DELETE")) { /* the next one may need another number of partitions */
        snprintf(sql, sizeof sql,
                 "CREATE STREAM m%u (a INT) WITH (KAFKA_TOPIC='M%u', VALUE_FORMAT='JSON');"
                 "DROP STREAM m%u DELETE TOPIC;",
                 actor->number, actor->number, actor->number);
        run(actor->round, sql);
    }
    atomic_fetch_add(&actor->round->made, 1);
}

static void ask_this_and_that(Actor *actor) {
    static const char *const statements[] = {
        "SHOW QUERIES;", "SHOW STREAMS;", "SHOW TABLES;", "SHOW TOPICS;",
        "DESCRIBE rows EXTENDED;", "DESCRIBE per_key EXTENDED;",
        "SET 'auto.offset.reset'='earliest';", "SET 'weir.lookup.wait.ms'='60000';",
        "EXPLAIN SELECT * FROM per_key;", "DEFINE x = 'key1';", "SHOW VARIABLES;",
        "SELECT * FROM per_key WHERE k = '${x}';", "INSERT INTO names VALUES ('key1', 'a name');",
        "SHOW PROPERTIES;",
    };
    run(actor->round, statements[dice(actor, sizeof statements / sizeof *statements)]);
}

/* Names are made of nothing else, so that the file may be cut off and copied again. */
static void copy_file(Actor *actor) {
    char sql[700];
    WeirError error;
    snprintf(sql, sizeof sql, "COPY names FROM '%s' (FORMAT ndjson);", actor->round->file);
    if (weir_execute(actor->round->weir, sql, NULL, &error) == WEIR_OK)
        atomic_fetch_add(&actor->round->copied, 1);
    else if (strcmp(error.code, "cancelled") != 0)
        fail("a COPY", error.message);
}

static void wait_for_all(Actor *actor) {
    WeirError error;
    if (weir_catch_up(actor->round->weir, 60000, &error) != WEIR_OK &&
        strcmp(error.code, "cancelled") != 0)
        fail("catching up", error.message);
}

static void *act(void *arg) {
    static void (*const roles[])(Actor *) = {
        insert_rows,   look_up_often,     read_to_limit, read_until_cancelled, cancel_target,
        make_and_drop, ask_this_and_that, insert_rows,   make_and_drop,        copy_file,
        wait_for_all,  look_up_windows,   interrupt,     pause_and_resume,     read_to_limit};
    Actor *actor = arg;
    Round *round = actor->round;
    while (!atomic_load(&round->stop))
        roles[actor->number % ACTORS](actor);
    atomic_fetch_sub(&round->playing, 1);
    return NULL;
}

/* -- A round ----------------------------------------------------------------------------------- */

static const char sources[] =
    "CREATE STREAM rows (k STRING KEY, id BIGINT, v INT) WITH (KAFKA_TOPIC='rows', PARTITIONS=3,"
    " VALUE_FORMAT='JSON');"
    "CREATE TABLE names (k STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names',"
    " PARTITIONS=3, VALUE_FORMAT='JSON');"
    "INSERT INTO names VALUES ('key1', 'one'); INSERT INTO names VALUES ('key2', 'two');"
    "CREATE TABLE per_key AS SELECT k, COUNT(*) AS n FROM rows GROUP BY k;"
    "CREATE TABLE per_window AS SELECT k, COUNT(*) AS n FROM rows WINDOW TUMBLING (SIZE 250 "
    "MILLISECONDS) GROUP BY k;"
    "CREATE STREAM copied AS SELECT * FROM rows WHERE v > 4;"
    "CREATE TABLE total AS SELECT 1 AS one, COUNT(*) AS n FROM rows GROUP BY 1;"
    "DEFINE x = 'key0';";

/* At the end rows come and queries are cancelled until every push query has ended. */
static void play(Round *round, uint64_t seed) {
    Actor actors[ACTORS], last = {.round = round, .dice_state = seed};
    atomic_store(&round->playing, ACTORS);
    for (uint32_t i = 0; i < ACTORS; i++) {
        actors[i] = (Actor){.round = round, .number = i, .dice_state = seed * 31 + i * 977};
        thread_start(&actors[i].thread, "actor", act, &actors[i]);
    }
    usleep(ROUND_MS * 1000);
    atomic_store(&round->stop, true);
    while (atomic_load(&round->playing) > 0) {
        insert_rows(&last);
        cancel_target(&last);
    }
    for (uint32_t i = 0; i < ACTORS; i++)
        thread_join(&actors[i].thread);
}

static int64_t sum_of(Round *round, const char *sql) {
    WeirResult *result;
    WeirError error;
    int64_t sum = 0;
    execute(round, sql, &result);
    while (weir_next(result, 0, &error) == WEIR_ROW)
        sum += weir_integer(result, 0);
    weir_result_free(result);
    return sum;
}

static void check(Round *round) {
    int64_t total = look_up(round, "SELECT n FROM total;");
    if (total != (int64_t)atomic_load(&round->rows))
        fail("the total", "is not the number of rows inserted");
    if (sum_of(round, "SELECT n FROM per_key;") != total)
        fail("the counts per key", "are not the number of rows inserted");
    if (sum_of(round, "SELECT n FROM per_window;") != total)
        fail("the counts per window", "are not the number of rows inserted");
}

static void write_file(const char *folder) {
    char name[600];
    snprintf(name, sizeof name, "%s.ndjson", folder);
    FILE *file = fopen(name, "w");
    for (uint32_t i = 0; file && i < FILE_ROWS; i++)
        fprintf(file, "{\"k\":\"key%u\",\"name\":\"name %u\"}\n", i % KEYS, i);
    if (!file || fclose(file) != 0)
        fail(name, "cannot be written");
}

static void play_round(uint32_t number, uint64_t seed, const char *folder, uint64_t *figures) {
    Round *round = mem_alloc(sizeof *round);
    EngineOptions options = {.workers = 1 + number % 3, .checkpoint_bytes = 128 << 10};
    Err err;
    bool disk = number % 2 == 1;
    char command[600];
    snprintf(round->file, sizeof round->file, "%s.ndjson", folder);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fail("the folder", "cannot be removed");
    round->io = disk ? io_posix() : io_mem_new();
    lock_init(&round->lock);
    if (engine_open(round->io, disk ? folder : "/memory", &options, &round->weir, &err) != ERR_OK)
        fail("opening", err.message);
    run(round, sources);
    play(round, seed + number);
    check(round);
    weir_close(round->weir);
    figures[0] += atomic_load(&round->rows);
    figures[1] += atomic_load(&round->lookups);
    figures[2] += atomic_load(&round->pushed);
    figures[3] += atomic_load(&round->made);
    figures[4] += atomic_load(&round->cancelled);
    figures[5] += atomic_load(&round->copied);
    figures[6] += atomic_load(&round->interrupted);
    if (!disk)
        io_mem_free(round->io);
    lock_close(&round->lock);
    mem_free(round);
}

int main(int argc, char **argv) {
    uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const char *folder = argc > 3 ? argv[3] : "build/prove-threads-data";
    uint64_t figures[7] = {0};
    signal(SIGALRM, hangs);
    write_file(folder);
    for (uint32_t i = 0; i < rounds; i++) {
        alarm(HANG_SECONDS);
        play_round(i, seed, folder, figures);
    }
    printf("rounds %u: rows %llu, lookups %llu, pushed %llu, made and dropped %llu, cancelled "
           "%llu, copied %llu, interrupted %llu\nPROVED\n",
           rounds, (unsigned long long)figures[0], (unsigned long long)figures[1],
           (unsigned long long)figures[2], (unsigned long long)figures[3],
           (unsigned long long)figures[4], (unsigned long long)figures[5],
           (unsigned long long)figures[6]);
    return 0;
}
