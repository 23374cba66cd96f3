/*
 * prove_kill.c - a real process under load is killed with -9 at random moments.
 *
 *   prove_kill N SEED FOLDER
 *
 * A child opens the folder and runs eight queries: a stream over a stream, a join with a table, a
 * stream by another key, tables per key, per another key (so through an internal topic) and per
 * window. Threads insert numbered rows, some with COPY from files, and note in shared memory what
 * they issued and what was acknowledged; one looks tables up, one replaces queries by others that
 * make the same (and functions of users), and adds columns to a stream. The parent kills the child
 * at a random moment, N times over; every second folder keeps unsynced bytes in process memory, so
 * that the kill loses them. Producers (perhaps none), workers, size of checkpoints and COPY (small
 * and long files, all rows or none or in portions) change from folder to folder. While it runs:
 *   - what a lookup saw, of a key, a sum over all keys, or windows, never goes backwards, also not
 *     across kills; a lookup sees every row acknowledged before it was asked.
 * Afterwards the folder is opened once more, a COPY that was cut off is repeated, and:
 *   - every acknowledged row is in the stream exactly once, no row twice, none that was not issued;
 *   - every column that was added and acknowledged is there;
 *   - the processing log has every bad row once, as an entry or in a count;
 *   - streams are, byte for byte (behind a repartition: as a bag), what an undisturbed engine makes
 *     of the same rows, and tables have the same last value per key.
 * Prints figures; the last line is PROVED or "FAILED why".
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io_hold.h"
#include "base/thread.h"
#include "tests/tools/prove_kill_check.h"

enum {
    PRODUCERS = 5, /* the last one copies files */
    COPIER = PRODUCERS - 1,
    ROWS_MAX = 1 << 20,
    KEYS = 23,
    NAMES = 15, /* keys that the table of the join has */
    VALUES = 10,
    KILLS_PER_FOLDER = 5,
    LIFE_US_MAX = 60000,
    COPY_FILES = 2,
#ifdef HOSTILE_LIMITS
    COPY_ROWS = 3000, /* a file is several commits */
#else
    COPY_ROWS = 60000,
#endif
    COPY_PAD = 300, /* bytes a row that are read and not kept: the file is a long one */
};

/* How this folder is run. */
typedef struct Variety {
    uint32_t producers, workers;
    uint64_t checkpoint_bytes;
    bool hold, copies, copies_long, copies_all; /* long files; all rows or none */
    bool replaces;
    char folder[512];
} Variety;

/* Shared by parent and children; survives every kill. */
typedef struct Shared {
    Variety variety;
    atomic_uint issued[PRODUCERS]; /* rows 0..issued-1 were handed to the engine */
    atomic_uint acked_count[PRODUCERS];
    atomic_uchar acked[PRODUCERS][ROWS_MAX];
    atomic_uint opened; /* times a child was ready */
    atomic_llong seen_key[KEYS], seen_sum, seen_windows[KEYS];
    atomic_uint columns_issued, columns_acked; /* of the stream that is altered */
    atomic_ullong lookups;
    char failure[256]; /* of a child */
} Shared;

static Shared *shared;
static uint64_t dice_state;

static uint64_t dice(uint64_t sides) {
    dice_state = dice_state * 6364136223846793005U + 1442695040888963407U;
    return (dice_state >> 33) % sides;
}

static const char *const sources[] = {
    "CREATE STREAM rows (k STRING KEY, id BIGINT, v INT, src INT) WITH (KAFKA_TOPIC='rows',"
    " PARTITIONS=3, VALUE_FORMAT='JSON');",
    "CREATE TABLE names (k STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names',"
    " PARTITIONS=3, VALUE_FORMAT='JSON');",
    "SET 'ksql.logging.processing.topic.auto.create' = 'true';",
    "SET 'weir.logging.processing.records.max' = '100000000';",
    "CREATE FUNCTION is_even(x INT) RETURNS BOOLEAN AS x % 2 = 0 AND x = x;",
    "CREATE FUNCTION twice(x INT) RETURNS INT LANGUAGE LUA AS 'return x * 2';",
    "CREATE STREAM spare (k STRING KEY) WITH (KAFKA_TOPIC='spare', VALUE_FORMAT='JSON');",
};
static const char *const queries[] = {
    "CREATE STREAM even AS SELECT k, id, twice(v) AS w FROM rows WHERE is_even(v);",
    "CREATE STREAM shares AS SELECT k, id, 1 / (v % 3) AS x FROM rows;",
    "CREATE STREAM named AS SELECT r.k AS k, id, name FROM rows r LEFT JOIN names n ON r.k = n.k;",
    "CREATE STREAM by_value AS SELECT * FROM rows PARTITION BY v;",
    "CREATE TABLE per_key AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM rows GROUP BY k;",
    "CREATE TABLE per_value AS SELECT v, COUNT(*) AS n, MAX(id) AS m FROM rows GROUP BY v;",
    "CREATE TABLE per_src AS SELECT src, COUNT(*) AS n FROM rows GROUP BY src;",
    "CREATE TABLE per_window AS SELECT k, COUNT(*) AS n, MIN(id) AS m FROM rows"
    " WINDOW TUMBLING (SIZE 20 MILLISECONDS, GRACE PERIOD 1 HOURS) GROUP BY k;",
};

/* They make what the queries of the same name make. */
static const char *const replacements[] = {
    "STREAM even AS SELECT k, id, v + v AS w FROM rows WHERE id IS NOT NULL AND v % 2 = 0;",
    "TABLE per_key AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM rows GROUP BY k"
    " HAVING COUNT(*) > 0;",
    "STREAM by_value AS SELECT * FROM rows WHERE v >= 0 PARTITION BY v;",
    "TABLE per_value AS SELECT v, COUNT(*) AS n, MAX(id) AS m FROM rows WHERE v >= 0 GROUP BY v;",
    "FUNCTION twice(x INT) RETURNS INT LANGUAGE LUA AS 'return x + x'",
    "STREAM even AS SELECT k, id, twice(v) AS w FROM rows WHERE v % 2 = 0;",
    "FUNCTION is_even(x INT) RETURNS BOOLEAN AS x - x / 2 * 2 = 0",
    "TABLE per_key AS SELECT k, COUNT(*) AS n, SUM(v) + 0 AS s FROM rows GROUP BY k;",
    "TABLE per_value AS SELECT v, COUNT(*) AS n, MAX(id) AS m FROM rows GROUP BY v;",
};
enum { REPLACEMENTS = sizeof replacements / sizeof *replacements };

/* A kill may have cut an earlier child's statements: each is as if it said IF NOT EXISTS. */
static int make(Weir *weir, const char *const *statements, size_t count) {
    WeirError error;
    for (size_t i = 0; i < count; i++)
        if (weir_execute(weir, statements[i], NULL, &error) != WEIR_OK &&
            !strstr(error.message, "already exists"))
            return failed("statement: %s", error.message, 0);
    return 0;
}

/* The table is there before the first query starts, so that every row finds it; to insert it again
 * changes nothing. */
static int open_weir(Io *io, const char *folder, Weir **weir) {
    EngineOptions options = {.workers = shared->variety.workers,
                             .checkpoint_bytes = shared->variety.checkpoint_bytes};
    WeirError error;
    Err err;
    if (engine_open(io, folder, &options, weir, &err) != ERR_OK)
        return failed("open: %s", err.message, 0);
    if (make(*weir, sources, sizeof sources / sizeof *sources) != 0)
        return 1;
    Buf names = {0};
    for (uint32_t i = 0; i < NAMES; i++)
        buf_printf(&names, "{\"k\":\"key%u\",\"name\":\"name of %u\"}\n", i, i);
    WeirStatus status = weir_insert(*weir, "NAMES", buf_cstr(&names), &error);
    buf_free(&names);
    if (status != WEIR_OK)
        return failed("names: %s", error.message, 0);
    return make(*weir, queries, sizeof queries / sizeof *queries);
}

/* -- The child --------------------------------------------------------------------------------- */

typedef struct Actor {
    Weir *weir;
    uint32_t number;
    Thread thread;
} Actor;

/* The child found something wrong: the parent tells. */
static void child_fails(const char *what, const char *why) {
    snprintf(shared->failure, sizeof shared->failure, "%s: %s", what, why);
    _exit(3);
}

static void row_put(Buf *rows, uint32_t producer, uint32_t i) {
    buf_printf(rows, "{\"k\":\"key%u\",\"id\":%llu,\"v\":%u,\"src\":%u", i * 7 % KEYS,
               (unsigned long long)i * PRODUCERS + producer, i * 13 % VALUES, producer);
    if (producer == COPIER && shared->variety.copies_long)
        buf_printf(rows, ",\"pad\":\"%0*u\"", COPY_PAD, i);
    buf_text(rows, "}\n");
}

static void acknowledged(uint32_t producer, uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++)
        atomic_store(&shared->acked[producer][i], 1);
    atomic_fetch_add(&shared->acked_count[producer], count);
}

static void *produce(void *arg) {
    const Actor *actor = arg;
    uint64_t random = actor->number * 77 + (uint64_t)getpid();
    Buf rows = {0};
    WeirError error;
    for (;;) {
        uint32_t first = atomic_load(&shared->issued[actor->number]);
        random = random * 6364136223846793005U + 1;
        uint32_t count = 1 + (uint32_t)(random >> 40) % 20;
        if (first + count >= ROWS_MAX)
            break;
        buf_reset(&rows);
        for (uint32_t i = first; i < first + count; i++)
            row_put(&rows, actor->number, i);
        atomic_store(&shared->issued[actor->number], first + count);
        if (weir_insert(actor->weir, "ROWS", buf_cstr(&rows), &error) != WEIR_OK)
            child_fails("insert", error.message);
        acknowledged(actor->number, first, count);
    }
    buf_free(&rows);
    return NULL;
}

/* The sum of the first column; the statement's failure ends the child. */
static int64_t look_up(Weir *weir, const char *sql) {
    WeirResult *result;
    WeirError error;
    int64_t sum = 0;
    if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
        child_fails(sql, error.message);
    while (weir_next(result, 0, &error) == WEIR_ROW)
        sum += weir_integer(result, 0);
    weir_result_free(result);
    atomic_fetch_add(&shared->lookups, 1);
    return sum;
}

static void must_not_fall(Weir *weir, const char *sql, atomic_llong *seen) {
    int64_t now = look_up(weir, sql);
    if (now < atomic_load(seen))
        child_fails(sql, "went backwards");
    atomic_store(seen, now);
}

static void must_see_own(Weir *weir, uint32_t producer) {
    char sql[128];
    uint32_t acked = atomic_load(&shared->acked_count[producer]);
    snprintf(sql, sizeof sql, "SELECT n FROM per_src WHERE src = %u;", producer);
    int64_t there = look_up(weir, sql);
    if (there < acked || there > atomic_load(&shared->issued[producer]))
        child_fails(sql, "fewer than acknowledged or more than issued");
}

static void *ask(void *arg) {
    const Actor *actor = arg;
    char sql[128];
    for (uint32_t turn = (uint32_t)getpid();; turn++) {
        uint32_t key = turn % KEYS;
        snprintf(sql, sizeof sql, "SELECT n FROM per_key WHERE k = 'key%u';", key);
        must_not_fall(actor->weir, sql, &shared->seen_key[key]);
        must_not_fall(actor->weir, "SELECT n FROM per_key;", &shared->seen_sum);
        snprintf(sql, sizeof sql, "SELECT n FROM per_window WHERE k = 'key%u';", key);
        must_not_fall(actor->weir, sql, &shared->seen_windows[key]);
        must_see_own(actor->weir, turn % PRODUCERS);
    }
    return NULL;
}

static void copy_name(char *name, size_t size, uint32_t file) {
    snprintf(name, size, "%s-copy%u.ndjson", shared->variety.folder, file);
}

/* Copies the files one after the other; a COPY that was not answered is repeated: it goes on where
 * it was cut off, which may be at the end. Its note is forgotten with the result. */
static void copy_files(Weir *weir) {
    char sql[700], name[600];
    uint32_t done = atomic_load(&shared->acked_count[COPIER]) / COPY_ROWS;
    for (; done < COPY_FILES; done++) {
        WeirResult *result;
        WeirError error;
        atomic_store(&shared->issued[COPIER], (done + 1) * COPY_ROWS);
        copy_name(name, sizeof name, done);
        snprintf(sql, sizeof sql, "COPY rows FROM '%s' (FORMAT ndjson, ON_ERROR '%s');", name,
                 shared->variety.copies_all ? "stop" : "skip");
        if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
            child_fails("copy", error.message);
        acknowledged(COPIER, done * COPY_ROWS, COPY_ROWS);
        weir_result_free(result);
    }
}

static void *copy(void *arg) {
    const Actor *actor = arg;
    copy_files(actor->weir);
    return NULL;
}

static void alter(Weir *weir) {
    char sql[100];
    WeirError error;
    uint32_t column = atomic_load(&shared->columns_acked);
    snprintf(sql, sizeof sql, "ALTER STREAM spare ADD COLUMN c%u INT;", column);
    atomic_store(&shared->columns_issued, column + 1);
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK && !strstr(error.message, "exists"))
        child_fails("alter", error.message);
    atomic_store(&shared->columns_acked, column + 1);
}

static void *replace(void *arg) {
    const Actor *actor = arg;
    for (uint32_t turn = (uint32_t)getpid();; turn++) {
        char sql[300];
        WeirError error;
        snprintf(sql, sizeof sql, "CREATE OR REPLACE %s", replacements[turn % REPLACEMENTS]);
        if (weir_execute(actor->weir, sql, NULL, &error) != WEIR_OK)
            child_fails(sql, error.message);
        alter(actor->weir);
        usleep(2000);
    }
    return NULL;
}

static void child(void) {
    const Variety *variety = &shared->variety;
    Weir *weir;
    if (variety->hold)
        io_posix_hold_unsynced(true);
    if (open_weir(io_posix(), variety->folder, &weir) != 0)
        _exit(2);
    atomic_fetch_add(&shared->opened, 1);
    Actor actors[PRODUCERS + 2];
    for (uint32_t i = 0; i < PRODUCERS + 2; i++) {
        bool works = i < COPIER       ? i < variety->producers
                     : i == COPIER    ? variety->copies
                     : i == PRODUCERS ? true
                                      : variety->replaces;
        actors[i] = (Actor){.weir = weir, .number = i};
        if (works)
            thread_start(&actors[i].thread, "actor",
                         i < COPIER       ? produce
                         : i == COPIER    ? copy
                         : i == PRODUCERS ? ask
                                          : replace,
                         &actors[i]);
    }
    for (;;)
        pause();
}

/* Starts a child and kills it; 0, or 1 when it failed by itself. */
static int kill_once(void) {
    uint32_t opened = atomic_load(&shared->opened);
    bool early = dice(8) == 0; /* now and then while it opens and recovers */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child();
    for (int i = 0; !early && i < 40000 && atomic_load(&shared->opened) == opened; i++)
        usleep(500);
    usleep((useconds_t)dice(early ? 8000 : LIFE_US_MAX));
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return 0;
    if (shared->failure[0])
        return failed("the child found: %s", shared->failure, 0);
    return failed("%s ended by itself with status %llu", "the child", (uint64_t)status);
}

/* -- Verifying --------------------------------------------------------------------------------- */

static bool row_id(const LogRecord *record, uint64_t *id) {
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)record->value.size, (const char *)record->value.data);
    const char *at = strstr(text, "\"ID\":");
    *id = at ? strtoull(at + 5, NULL, 10) : 0;
    return at != NULL;
}

/* Each acknowledged row once, no other row twice, nothing that was never issued. */
static int check_rows(Weir *weir, uint64_t *row_count) {
    static unsigned char seen[PRODUCERS][ROWS_MAX];
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        Records records = records_new();
        if (!records_read(weir, "rows", p, &records))
            return failed("%s partition %llu cannot be read", "rows", p);
        for (size_t i = 0; i < records.count; i++) {
            uint64_t id;
            if (!row_id(&records.list[i], &id))
                return failed("%s %llu has no id", "row", i);
            uint32_t producer = (uint32_t)(id % PRODUCERS), number = (uint32_t)(id / PRODUCERS);
            if (number >= atomic_load(&shared->issued[producer]))
                return failed("row %s%llu was never issued", "", id);
            if (seen[producer][number]++)
                return failed("row %s%llu is there twice", "", id);
        }
        *row_count += records.count;
        records_free(&records);
    }
    for (uint32_t p = 0; p < PRODUCERS; p++)
        for (uint32_t i = 0; i < atomic_load(&shared->issued[p]); i++)
            if (atomic_load(&shared->acked[p][i]) && !seen[p][i])
                return failed("acknowledged row %s%llu is lost", "", (uint64_t)i * PRODUCERS + p);
    return 0;
}

/* The same rows into a fresh engine in memory, partition by partition. */
static int copy_rows(Weir *from, Weir *to) {
    LogTopic topic;
    Err err;
    if (!log_topic_find(engine_storage(to), "rows", &topic))
        return failed("%s is missing", "rows", 0);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        Records records = records_new();
        records_read(from, "rows", p, &records);
        RecordBatch batch = {0};
        for (size_t i = 0; i < records.count; i++) {
            record_batch_add(&batch, &records.list[i]);
            if (i + 1 < records.count && batch.count < 500)
                continue;
            record_batch_seal(&batch);
            Commit *commit = commit_new(engine_storage(to), 0);
            commit_append(commit, (TopicPartition){topic.id, p}, &batch);
            record_batch_reset(&batch);
            if (commit_wait(commit, NULL, &err) != ERR_OK)
                return failed("%s", err.message, 0);
        }
        record_batch_free(&batch);
        records_free(&records);
    }
    return 0;
}

static int check_columns(Weir *weir) {
    WeirResult *result;
    WeirError error;
    uint32_t columns = 0;
    if (weir_execute(weir, "DESCRIBE spare;", &result, &error) != WEIR_OK)
        return failed("describe: %s", error.message, 0);
    while (weir_next(result, 0, &error) == WEIR_ROW)
        columns++;
    weir_result_free(result);
    columns--; /* the key */
    if (columns < atomic_load(&shared->columns_acked) ||
        columns > atomic_load(&shared->columns_issued))
        return failed("%s %llu columns", "an altered stream has", columns);
    return 0;
}

/* Rows whose share failed: as many as the processing log tells, in entries or as counts. */
static int check_log(Weir *weir) {
    static const char before[] = "\"errorMessage\":\"", more[] = " more bad rows";
    uint64_t bad = 0, logged = 0;
    Records log = records_new();
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        Records shares = records_new();
        if (!records_read(weir, "SHARES", p, &shares))
            return failed("%s partition %llu cannot be read", "SHARES", p);
        for (size_t i = 0; i < shares.count; i++)
            bad += memmem(shares.list[i].value.data, shares.list[i].value.size, "\"X\":null",
                          8) != NULL;
        records_free(&shares);
    }
    if (!records_read(weir, "default_ksql_processing_log", 0, &log))
        return failed("%s cannot be read", "the processing log", 0);
    for (size_t i = 0; i < log.count; i++) {
        Bytes value = log.list[i].value;
        const char *text = memmem(value.data, value.size, before, sizeof before - 1);
        if (!text || !memmem(value.data, value.size, "processing.CSAS_SHARES_", 23))
            return failed("%s has a strange entry %llu", "the processing log", i);
        bool counts = memmem(value.data, value.size, more, sizeof more - 1) != NULL;
        logged += counts ? strtoull(text + sizeof before - 1, NULL, 10) : 1;
    }
    records_free(&log);
    if (logged != bad)
        printf("%llu rows are bad, ", (unsigned long long)bad);
    return logged == bad ? 0 : failed("%s has %llu", "the processing log", logged);
}

static int compare(Weir *weir, Weir *calm) {
    int status = compare_stream(weir, calm, "EVEN", false);
    status = status ? status : compare_stream(weir, calm, "NAMED", false);
    status = status ? status : compare_stream(weir, calm, "BY_VALUE", true);
    status = status ? status : compare_table(weir, calm, "PER_KEY");
    status = status ? status : compare_table(weir, calm, "PER_VALUE");
    status = status ? status : compare_table(weir, calm, "PER_SRC");
    return status ? status : compare_table(weir, calm, "PER_WINDOW");
}

static int verify(uint64_t *row_count) {
    Weir *weir = NULL, *calm = NULL;
    WeirError error;
    Io *io = io_mem_new();
    int status = open_weir(io_posix(), shared->variety.folder, &weir);
    if (status == 0 && shared->variety.copies)
        copy_files(weir);
    if (status == 0 && weir_catch_up(weir, 60000, &error) != WEIR_OK)
        status = failed("catch up: %s", error.message, 0);
    status = status ? status : check_rows(weir, row_count);
    status = status ? status : check_columns(weir);
    status = status ? status : check_log(weir);
    status = status ? status : open_weir(io, "/calm", &calm);
    status = status ? status : copy_rows(weir, calm);
    if (status == 0 && weir_catch_up(calm, 60000, &error) != WEIR_OK)
        status = failed("catch up: %s", error.message, 0);
    status = status ? status : compare(weir, calm);
    weir_close(weir);
    weir_close(calm);
    io_mem_free(io);
    return status;
}

/* verify() in a process of its own: the parent never has threads, so that it may fork. */
static int verify_apart(uint64_t *row_count) {
    int fds[2];
    if (pipe(fds) != 0)
        return failed("%s", "pipe", 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t rows = 0;
        int status = verify(&rows);
        fflush(stdout);
        if (write(fds[1], &rows, sizeof rows) != (ssize_t)sizeof rows)
            status = 1;
        _exit(status);
    }
    close(fds[1]);
    uint64_t rows = 0;
    int status = 1;
    ssize_t got = read(fds[0], &rows, sizeof rows);
    close(fds[0]);
    waitpid(pid, &status, 0);
    *row_count += rows;
    if (got == (ssize_t)sizeof rows && WIFEXITED(status))
        return WEXITSTATUS(status);
    return failed(shared->failure[0] ? "the verifier found: %s" : "the verifier ended with %s%llu",
                  shared->failure, (uint64_t)status);
}

/* -- Folders ----------------------------------------------------------------------------------- */

static int remove_folder(void) {
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s' '%s'-copy*", shared->variety.folder,
             shared->variety.folder);
    return system(command) == 0 ? 0 : failed("cannot remove %s", shared->variety.folder, 0);
}

static int write_files(void) {
    Buf rows = {0};
    int status = 0;
    for (uint32_t file = 0; file < COPY_FILES && status == 0; file++) {
        char name[600];
        copy_name(name, sizeof name, file);
        buf_reset(&rows);
        for (uint32_t i = file * COPY_ROWS; i < (file + 1) * COPY_ROWS; i++)
            row_put(&rows, COPIER, i);
        FILE *out = fopen(name, "w");
        if (!out || fwrite(rows.data, 1, rows.size, out) != rows.size || fclose(out) != 0)
            status = failed("cannot write %s", name, 0);
    }
    buf_free(&rows);
    return status;
}

static int prove_folder(const char *base, uint32_t number, uint32_t kills, uint64_t *rows) {
    uint64_t lookups = atomic_load(&shared->lookups);
    memset(shared, 0, sizeof *shared);
    atomic_store(&shared->lookups, lookups);
    Variety *variety = &shared->variety;
    *variety = (Variety){.producers = 1 + (uint32_t)dice(COPIER),
                         .workers = 1 + (uint32_t)dice(3),
                         .checkpoint_bytes = (uint64_t)64 << 10 << 2 * dice(4),
                         .hold = number % 2 == 1,
                         .copies = dice(2) == 0,
                         .copies_long = dice(3) > 0,
                         .copies_all = dice(2) == 0,
                         .replaces = dice(2) == 0};
    if (variety->copies && dice(2) == 0)
        variety->producers = 0; /* nobody takes the offsets away */
    snprintf(variety->folder, sizeof variety->folder, "%s-%u", base, number);
    if (remove_folder() != 0 || (variety->copies && write_files() != 0))
        return 1;
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < kills; i++)
        status = kill_once();
    status = status ? status : verify_apart(rows);
    if (status != 0)
        printf("folder %s: %u producers, %u workers, checkpoints of %llu, hold %d, copies %d%s%s"
               "%s\n",
               variety->folder, variety->producers, variety->workers,
               (unsigned long long)variety->checkpoint_bytes, variety->hold, variety->copies,
               variety->copies_long ? " long" : "", variety->copies_all ? " whole" : "",
               variety->replaces ? ", replaces" : "");
    return status ? status : remove_folder();
}

int main(int argc, char **argv) {
    uint32_t kills = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 200;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const char *base = argc > 3 ? argv[3] : "build/prove-kill";
    uint64_t rows = 0;
    uint32_t done = 0, folders = 0;
    int status = 0;
    dice_state = seed * 2654435761U + 12345;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (; status == 0 && done < kills; folders++) {
        uint32_t count = kills - done < KILLS_PER_FOLDER ? kills - done : KILLS_PER_FOLDER;
        status = prove_folder(base, folders, count, &rows);
        done += count;
    }
    printf("kills %u, folders %u (every second one loses unsynced bytes), rows checked %llu, "
           "lookups %llu\n",
           done, folders, (unsigned long long)rows,
           (unsigned long long)atomic_load(&shared->lookups));
    if (status != 0)
        printf("FAILED see above (seed %llu)\n", (unsigned long long)seed);
    else
        printf("PROVED\n");
    return status;
}
