/*
 * prove_kill.c - a real process under load is killed with -9 at random moments.
 *
 *   prove_kill N SEED FOLDER
 *
 * A child opens the folder, runs three queries (a stream over a stream, a table per key, a table
 * over another key, so through an internal topic) and two threads that insert numbered rows and
 * note in shared memory what they issued and what was acknowledged. The parent kills it at a random
 * moment, N times over; every second folder keeps unsynced bytes in process memory, so that the
 * kill loses them. Afterwards the folder is opened once more, and:
 *   - every acknowledged row is in the stream exactly once, no row twice, none that was not issued;
 *   - the stream of the first query is, byte for byte, what an undisturbed engine makes of the same
 *     rows, and both tables have the same last value per key.
 * Prints figures; the last line is PROVED or "FAILED why".
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io_hold.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/engine.h"
#include "storage/log.h"

enum {
    PRODUCERS = 2,
    ROWS_MAX = 1 << 20,
    PARTITIONS = 3,
    KILLS_PER_FOLDER = 5,
    LIFE_US_MAX = 60000,
};

/* Shared by parent and children; survives every kill. */
typedef struct Shared {
    atomic_uint issued[PRODUCERS]; /* rows 0..issued-1 were handed to the engine */
    atomic_uchar acked[PRODUCERS][ROWS_MAX];
    atomic_uint opened; /* times a child was ready */
} Shared;

static Shared *shared;
static uint64_t dice_state;

static uint64_t dice(uint64_t sides) {
    dice_state = dice_state * 6364136223846793005U + 1442695040888963407U;
    return (dice_state >> 33) % sides;
}

static int failed(const char *format, const char *text, uint64_t number) {
    printf("FAILED ");
    printf(format, text, (unsigned long long)number);
    printf("\n");
    return 1;
}

static const char statements[] =
    "CREATE STREAM rows (k STRING KEY, id BIGINT, v INT) WITH (KAFKA_TOPIC='rows', PARTITIONS=3,"
    " VALUE_FORMAT='JSON');"
    "CREATE STREAM even AS SELECT k, id, v * 2 AS w FROM rows WHERE v % 2 = 0;"
    "CREATE TABLE per_key AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM rows GROUP BY k;"
    "CREATE TABLE per_value AS SELECT v, COUNT(*) AS n, MAX(id) AS m FROM rows GROUP BY v;";

static int open_weir(Io *io, const char *folder, Weir **weir) {
    EngineOptions options = {.workers = 2, .checkpoint_bytes = 256 << 10};
    WeirResult *sources;
    WeirError error;
    Err err;
    if (engine_open(io, folder, &options, weir, &err) != ERR_OK)
        return failed("open: %s", err.message, 0);
    if (weir_execute(*weir, "SHOW STREAMS;", &sources, &error) != WEIR_OK)
        return failed("%s", error.message, 0);
    bool fresh = weir_next(sources, 0, &error) != WEIR_ROW;
    weir_result_free(sources);
    /* A kill may have cut the first script in the middle: IF NOT EXISTS in effect. */
    WeirScript script = {.sql = statements};
    WeirResult *result;
    WeirStatus status;
    while ((status = weir_execute_next(*weir, &script, &result, &error)) != WEIR_END) {
        if (status == WEIR_OK)
            weir_result_free(result);
        else if (fresh || !strstr(error.message, "already exists"))
            return failed("statement: %s", error.message, 0);
    }
    return 0;
}

/* -- The child --------------------------------------------------------------------------------- */

typedef struct Producer {
    Weir *weir;
    uint32_t number;
} Producer;

static void *produce(void *arg) {
    const Producer *producer = arg;
    uint64_t random = producer->number * 77 + (uint64_t)getpid();
    Buf rows = {0};
    WeirError error;
    for (;;) {
        uint32_t first = atomic_load(&shared->issued[producer->number]);
        random = random * 6364136223846793005U + 1;
        uint32_t count = 1 + (uint32_t)(random >> 40) % 20;
        if (first + count >= ROWS_MAX)
            break;
        buf_reset(&rows);
        for (uint32_t i = first; i < first + count; i++)
            buf_printf(&rows, "{\"k\":\"key%u\",\"id\":%llu,\"v\":%u}\n", i * 7 % 23,
                       (unsigned long long)i * PRODUCERS + producer->number, i * 13 % 10);
        atomic_store(&shared->issued[producer->number], first + count);
        if (weir_insert(producer->weir, "ROWS", buf_cstr(&rows), &error) != WEIR_OK)
            _exit(3);
        for (uint32_t i = first; i < first + count; i++)
            atomic_store(&shared->acked[producer->number][i], 1);
    }
    buf_free(&rows);
    return NULL;
}

static void child(const char *folder, bool hold) {
    Weir *weir;
    Thread threads[PRODUCERS];
    Producer producers[PRODUCERS];
    if (hold)
        io_posix_hold_unsynced(true);
    if (open_weir(io_posix(), folder, &weir) != 0)
        _exit(2);
    atomic_fetch_add(&shared->opened, 1);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (Producer){weir, i};
        thread_start(&threads[i], "producer", produce, &producers[i]);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        thread_join(&threads[i]);
    _exit(0);
}

/* Starts a child and kills it; 0, or 1 when it failed by itself. */
static int kill_once(const char *folder, bool hold) {
    uint32_t opened = atomic_load(&shared->opened);
    bool early = dice(8) == 0; /* now and then while it opens and recovers */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child(folder, hold);
    for (int i = 0; !early && i < 20000 && atomic_load(&shared->opened) == opened; i++)
        usleep(500);
    usleep((useconds_t)dice(early ? 8000 : LIFE_US_MAX));
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return 0;
    return failed("%s ended by itself with status %llu", "the child", (uint64_t)status);
}

/* -- Verifying --------------------------------------------------------------------------------- */

typedef struct Records {
    Arena *arena;
    LogRecord *list;
    size_t count, capacity;
} Records;

static bool read_partition(Weir *weir, const char *name, uint32_t partition, Records *records) {
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
        Bytes rest = log_block_bytes(block);
        RecordBatchInfo info;
        while (rest.size > 0 && record_batch_check(rest, &info, &err) == ERR_OK) {
            RecordIter iter;
            LogRecord record;
            record_iter_init(&iter, rest);
            while (record_iter_next(&iter, &record)) {
                if (record.offset < offset)
                    continue;
                record.key = arena_bytes(records->arena, record.key);
                record.value = record.value.data ? arena_bytes(records->arena, record.value)
                                                 : record.value;
                records->list = mem_grow(records->list, &records->capacity, records->count + 1,
                                         sizeof *records->list);
                records->list[records->count++] = record;
            }
            offset = info.last_offset + 1;
            rest = (Bytes){rest.data + info.size, rest.size - info.size};
        }
        log_block_unref(block);
    }
}

static void records_free(Records *records) {
    mem_free(records->list);
    arena_free(records->arena);
}

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
    memset(seen, 0, sizeof seen);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        Records records = {.arena = arena_new("records", 0)};
        if (!read_partition(weir, "rows", p, &records))
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
        Records records = {.arena = arena_new("records", 0)};
        read_partition(from, "rows", p, &records);
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

static bool record_same(const LogRecord *left, const LogRecord *right) {
    return left->timestamp == right->timestamp && left->offset == right->offset &&
           bytes_equal(left->key, right->key) && bytes_equal(left->value, right->value) &&
           (left->value.data == NULL) == (right->value.data == NULL);
}

static int compare_stream(Weir *left, Weir *right, const char *topic) {
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        Records a = {.arena = arena_new("records", 0)}, b = {.arena = arena_new("records", 0)};
        read_partition(left, topic, p, &a);
        read_partition(right, topic, p, &b);
        if (a.count != b.count)
            return failed("%s has another number of records than undisturbed (%llu)", topic,
                          a.count);
        for (size_t i = 0; i < a.count; i++)
            if (!record_same(&a.list[i], &b.list[i]))
                return failed("%s record %llu differs", topic, i);
        records_free(&a);
        records_free(&b);
    }
    return 0;
}

static const LogRecord *last_of_key(const Records *records, Bytes key) {
    for (size_t i = records->count; i > 0; i--)
        if (bytes_equal(records->list[i - 1].key, key))
            return &records->list[i - 1];
    return NULL;
}

static int compare_table(Weir *left, Weir *right, const char *topic) {
    Records a = {.arena = arena_new("records", 0)}, b = {.arena = arena_new("records", 0)};
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        read_partition(left, topic, p, &a);
        read_partition(right, topic, p, &b);
    }
    for (size_t i = 0; i < b.count; i++) {
        const LogRecord *mine = last_of_key(&a, b.list[i].key);
        const LogRecord *theirs = last_of_key(&b, b.list[i].key);
        if (!mine || !bytes_equal(mine->value, theirs->value))
            return failed("table %s: the last value of a key differs (record %llu)", topic, i);
    }
    for (size_t i = 0; i < a.count; i++)
        if (!last_of_key(&b, a.list[i].key))
            return failed("table %s has a key too many (record %llu)", topic, i);
    records_free(&a);
    records_free(&b);
    return 0;
}

static int verify(const char *folder, uint64_t *row_count) {
    Weir *weir = NULL, *calm = NULL;
    WeirError error;
    Io *io = io_mem_new();
    int status = open_weir(io_posix(), folder, &weir);
    if (status == 0 && weir_catch_up(weir, 60000, &error) != WEIR_OK)
        status = failed("catch up: %s", error.message, 0);
    status = status ? status : check_rows(weir, row_count);
    status = status ? status : open_weir(io, "/calm", &calm);
    status = status ? status : copy_rows(weir, calm);
    if (status == 0 && weir_catch_up(calm, 60000, &error) != WEIR_OK)
        status = failed("catch up: %s", error.message, 0);
    status = status ? status : compare_stream(weir, calm, "EVEN");
    status = status ? status : compare_table(weir, calm, "PER_KEY");
    status = status ? status : compare_table(weir, calm, "PER_VALUE");
    weir_close(weir);
    weir_close(calm);
    io_mem_free(io);
    return status;
}

/* verify() in a process of its own: the parent never has threads, so that it may fork. */
static int verify_apart(const char *folder, uint64_t *row_count) {
    int fds[2];
    if (pipe(fds) != 0)
        return failed("%s", "pipe", 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t rows = 0;
        int status = verify(folder, &rows);
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
    return failed("%s ended with %llu", "the verifier", (uint64_t)status);
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
        char folder[512], command[600];
        memset(shared, 0, sizeof *shared);
        snprintf(folder, sizeof folder, "%s-%u", base, folders);
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        if (system(command) != 0)
            return failed("cannot remove %s", folder, 0);
        for (uint32_t i = 0; status == 0 && i < KILLS_PER_FOLDER && done < kills; i++, done++)
            status = kill_once(folder, folders % 2 == 1);
        status = status ? status : verify_apart(folder, &rows);
        if (status == 0 && system(command) != 0)
            status = failed("cannot remove %s", folder, 0);
    }
    printf("kills %u, folders %u (every second one loses unsynced bytes), rows checked %llu\n",
           done, folders, (unsigned long long)rows);
    if (status != 0)
        printf("FAILED see above (seed %llu)\n", (unsigned long long)seed);
    else
        printf("PROVED\n");
    return status;
}
