/*
 * mutate_folder.c - changes bytes of a whole data folder and cuts its files off: opening it gives
 * a clear error, or exactly the right rows and answers; never a crash, never a wrong row.
 *
 * usage: mutate_folder [N] [SEED]
 *
 * Two folders are made by an engine with queries of all kinds: one as a kill leaves it (a
 * checkpoint, then a journal, 100 ms idle so that its end is marked), one closed in peace. Each
 * round damages one file of one of them, opens it and asks everything: rows of each topic, tables,
 * the catalog. What answers must answer as the undamaged folder does. Some rounds go on writing,
 * close and open again. To be built with ASan and UBSan, and with shrunken limits, so that the
 * files are small and of all kinds. The last line is PROVED or FAILED why, the one before counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io_mem.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "storage/log.h"

enum { FILES_MAX = 256, PARTS_MAX = 32, PARTITIONS = 2 };

typedef struct File {
    char path[128];
    uint8_t *bytes;
    uint32_t size;
} File;

typedef struct Image {
    const char *name;
    File files[FILES_MAX];
    char folders[FILES_MAX][128];
    uint32_t file_count, folder_count;
} Image;

/* What the folder says: one text a question, NULL where it gives an error. */
typedef struct Answers {
    char *parts[PARTS_MAX];
    uint32_t count;
    char error[256]; /* the last one */
} Answers;

typedef struct Tally {
    uint64_t seed, refused, partly, right, failures;
    const char *path; /* of the damaged file */
} Tally;

static uint64_t dice(Tally *tally, uint64_t sides) {
    uint64_t *state = &tally->seed;
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % (sides > 0 ? sides : 1);
}

static void complain(Tally *tally, const char *what, const char *detail) {
    if (tally->failures++ < 10)
        printf("%s: %s %s\n", tally->path, what, detail);
}

static void give_up(const char *what, const char *why) {
    printf("FAILED %s: %s\n", what, why);
    exit(1);
}

/* == Files ==================================================================================== */

static void image_take(Io *io, const char *folder, Image *image) {
    Arena *arena = arena_new("list", 0);
    char **names;
    uint32_t count;
    Err err;
    if (io->ops->list(io, folder, arena, &names, &count, &err) != ERR_OK)
        give_up("list", err.message);
    snprintf(image->folders[image->folder_count++], 128, "%s", folder);
    for (uint32_t i = 0; i < count; i++) {
        File *file = &image->files[image->file_count];
        IoFile *open;
        uint64_t size;
        snprintf(file->path, sizeof file->path, "%s/%s", folder, names[i]);
        if (io->ops->open(io, file->path, IO_READ, &open, &err) != ERR_OK) {
            char path[128];
            memcpy(path, file->path, sizeof path);
            image_take(io, path, image);
            continue;
        }
        uint32_t got;
        if (open->ops->size(open, &size, &err) != ERR_OK)
            give_up("size", err.message);
        file->size = (uint32_t)size;
        file->bytes = mem_alloc(file->size + 1);
        if (open->ops->read(open, 0, file->bytes, file->size, &got, &err) != ERR_OK)
            give_up("read", err.message);
        open->ops->close(open);
        image->file_count++;
    }
    arena_free(arena);
}

static void image_free(Image *image) {
    for (uint32_t i = 0; i < image->file_count; i++)
        mem_free(image->files[i].bytes);
}

static void put_file(Io *io, const char *path, Bytes bytes) {
    IoFile *file;
    Err err;
    if (io->ops->open(io, path, IO_WRITE, &file, &err) != ERR_OK ||
        file->ops->write(file, 0, bytes, &err) != ERR_OK)
        give_up("write", err.message);
    file->ops->close(file);
}

/* One change: a byte, a bit, a run of zeros or ones, a copy from elsewhere, a run of chance. */
static void change(Tally *tally, uint8_t *bytes, uint32_t size) {
    uint32_t at = (uint32_t)dice(tally, size), run = 1 + (uint32_t)dice(tally, 600);
    if (run > size - at)
        run = size - at;
    switch (dice(tally, 5)) {
    case 0:
        bytes[at] = (uint8_t)dice(tally, 256);
        break;
    case 1:
        bytes[at] ^= (uint8_t)(1U << dice(tally, 8));
        break;
    case 2:
        memset(bytes + at, dice(tally, 2) ? 0 : 0xff, run);
        break;
    case 3:
        memmove(bytes + at, bytes + dice(tally, size - run + 1), run);
        break;
    default:
        for (uint32_t i = 0; i < run; i++)
            bytes[at + i] = (uint8_t)dice(tally, 256);
    }
}

/* How far into a file something was written: most of a journal file is zeros. */
static uint32_t used_size(const File *file) {
    uint32_t size = file->size;
    while (size > 0 && file->bytes[size - 1] == 0)
        size--;
    return size;
}

static Bytes damaged(Tally *tally, const File *file) {
    uint32_t size = file->size, used = used_size(file);
    uint8_t *copy = mem_alloc(size + 5000);
    memcpy(copy, file->bytes, size);
    uint64_t kind = dice(tally, 10);
    if (kind < 2)
        size = (uint32_t)dice(tally, dice(tally, 2) ? used : size);
    else if (kind == 2)
        size += 1 + (uint32_t)dice(tally, 4999);
    if (kind != 0 && kind != 2 && size > 0)
        for (uint64_t changes = 1 + dice(tally, 3); changes > 0; changes--)
            change(tally, copy, used > 0 && used < size && dice(tally, 8) ? used : size);
    return (Bytes){copy, size};
}

/* A disk with the folder on it; one file (of those that have bytes) is damaged. */
static Io *disk_of(const Image *image, Tally *tally) {
    Io *io = io_mem_new();
    Err err;
    uint32_t chosen = FILES_MAX;
    io_mem_set_clock(io, 1700000100000);
    while (tally && (chosen == FILES_MAX || image->files[chosen].size == 0))
        chosen = (uint32_t)dice(tally, image->file_count);
    for (uint32_t i = 0; i < image->folder_count; i++)
        if (io->ops->make_folder(io, image->folders[i], &err) != ERR_OK)
            give_up("folder", err.message);
    for (uint32_t i = 0; i < image->file_count; i++) {
        const File *file = &image->files[i];
        if (i != chosen) {
            put_file(io, file->path, (Bytes){file->bytes, file->size});
            continue;
        }
        tally->path = file->path;
        Bytes bytes = damaged(tally, file);
        put_file(io, file->path, bytes);
        mem_free((void *)(uintptr_t)bytes.data);
    }
    return io;
}

/* == Engines ================================================================================== */

static ErrCode open_on(Io *io, Weir **weir, Err *err) {
    EngineOptions options = {.checkpoint_bytes = 1 << 30};
    return engine_open(io, "/data", &options, weir, err);
}

static void must_run(Weir *weir, const char *sql) {
    WeirError error;
    Err err;
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK)
        give_up(sql, error.message);
    if (engine_pump(weir, &err) != ERR_OK)
        give_up("pump", err.message);
}

static bool insert_rows(Weir *weir, uint32_t from, uint32_t to) {
    Buf rows = {0};
    WeirError error;
    Err err;
    for (uint32_t i = from; i < to; i++)
        buf_printf(&rows, "{\"k\":\"key%u\",\"id\":%u,\"v\":%u,\"text\":\"%0*u\"}\n", i % 17, i,
                   i % 7, 1 + (int)(i % 300), i);
    bool good = weir_insert(weir, "ROWS", buf_cstr(&rows), &error) == WEIR_OK &&
                engine_pump(weir, &err) == ERR_OK;
    buf_free(&rows);
    return good;
}

static const char sources[] =
    "CREATE STREAM rows (k STRING KEY, id BIGINT, v INT, text STRING) WITH (KAFKA_TOPIC='rows',"
    " PARTITIONS=2, VALUE_FORMAT='JSON');"
    "CREATE TABLE names (k STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names',"
    " PARTITIONS=2, VALUE_FORMAT='JSON');"
    "INSERT INTO names VALUES ('key3', 'three'); INSERT INTO names VALUES ('key4', 'four');"
    "CREATE STREAM even AS SELECT k, id, v * 2 AS w FROM rows WHERE v % 2 = 0;"
    "CREATE STREAM named AS SELECT r.k AS k, id, name FROM rows r JOIN names n ON r.k = n.k;"
    "CREATE TABLE per_key AS SELECT k, COUNT(*) AS n, MAX(text) AS t FROM rows GROUP BY k;"
    "CREATE TABLE per_value AS SELECT v, COUNT(*) AS n, SUM(id) AS s FROM rows GROUP BY v;"
    "CREATE TABLE per_window AS SELECT k, COUNT(*) AS n FROM rows"
    " WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 HOUR) GROUP BY k;"
    "CREATE TYPE point AS STRUCT<x INT, y INT>;";

static void make_folder(Image *killed, Image *closed) {
    Io *io = io_mem_new();
    Weir *weir;
    Err err;
    io_mem_set_clock(io, 1700000000000);
    if (open_on(io, &weir, &err) != ERR_OK)
        give_up("open", err.message);
    must_run(weir, sources);
    for (uint32_t i = 0; i < 12; i++) {
        if (!insert_rows(weir, i * 20, i * 20 + 20))
            give_up("insert", "of rows");
        io_mem_advance_clock(io, 90000);
        if ((i == 3 || i == 7) && storage_checkpoint(engine_storage(weir), &err) != ERR_OK)
            give_up("checkpoint", err.message);
    }
    io_mem_advance_clock(io, 300000);
    if (engine_pump(weir, &err) != ERR_OK) /* the MARK */
        give_up("pump", err.message);
    killed->name = "killed";
    image_take(io, "/data", killed);
    weir_close(weir);
    closed->name = "closed";
    image_take(io, "/data", closed);
    io_mem_free(io);
}

/* == Asking =================================================================================== */

static void answer(Answers *answers, Buf *text, bool good, const char *error) {
    answers->parts[answers->count++] = good ? mem_strdup(buf_cstr(text)) : NULL;
    if (!good)
        snprintf(answers->error, sizeof answers->error, "%s", error);
    buf_free(text);
}

static void ask_sql(Weir *weir, const char *sql, Answers *answers) {
    WeirResult *result = NULL;
    WeirError error = {.message = ""};
    WeirStatus status = WEIR_FAILED;
    Buf text = {0};
    bool good = weir_execute(weir, sql, &result, &error) == WEIR_OK;
    while (good && (status = weir_next(result, 0, &error)) == WEIR_ROW)
        buf_printf(&text, "%s\n", weir_json_row(result));
    answer(answers, &text, good && status == WEIR_END, error.message);
    weir_result_free(result);
}

static bool put_records(LogBlock *block, int64_t *offset, Buf *text) {
    Bytes rest = log_block_bytes(block);
    RecordBatchInfo info;
    Err err;
    while (rest.size > 0) {
        RecordIter iter;
        LogRecord record;
        if (record_batch_check(rest, &info, &err) != ERR_OK)
            return false;
        record_iter_init(&iter, rest);
        while (record_iter_next(&iter, &record))
            if (record.offset >= *offset)
                buf_printf(text, "%lld %lld %016llx %016llx\n", (long long)record.offset,
                           (long long)record.timestamp,
                           (unsigned long long)hash_bytes(record.key),
                           (unsigned long long)hash_bytes(record.value));
        *offset = info.last_offset + 1;
        rest = (Bytes){rest.data + info.size, rest.size - info.size};
    }
    return true;
}

static void ask_topic(Weir *weir, const char *name, uint32_t partition, Answers *answers) {
    Storage *storage = engine_storage(weir);
    LogTopic topic;
    Buf text = {0};
    Err err;
    int64_t offset = 0;
    bool good = log_topic_find(storage, name, &topic), more = good;
    snprintf(err.message, sizeof err.message, "no topic %s", name);
    while (more) {
        LogBlock *block;
        good = log_fetch(storage, (TopicPartition){topic.id, partition}, offset, 1 << 20, &block,
                         &err) == ERR_OK;
        more = good && block;
        if (more) {
            good = more = put_records(block, &offset, &text);
            log_block_unref(block);
        }
    }
    answer(answers, &text, good, err.message);
}

static void ask(Weir *weir, Answers *answers) {
    static const char *const questions[] = {
        "SELECT * FROM per_key;", "SELECT * FROM per_value;",
        "SELECT * FROM per_window;", "SELECT * FROM per_key WHERE k = 'key3';",
        "SHOW STREAMS;", "SHOW TABLES;", "SHOW TOPICS;", "SHOW TYPES;", "SHOW QUERIES;",
    };
    static const char *const topics[] = {"rows",    "names",     "EVEN",      "NAMED",
                                         "PER_KEY", "PER_VALUE", "PER_WINDOW"};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        ask_sql(weir, questions[i], answers);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        for (uint32_t p = 0; p < PARTITIONS; p++)
            ask_topic(weir, topics[i], p, answers);
}

static void answers_free(Answers *answers) {
    for (uint32_t i = 0; i < answers->count; i++)
        mem_free(answers->parts[i]);
}

/* == Rounds =================================================================================== */

/* SHOW QUERIES may say that a query stopped at records it could not read. */
static bool part_is_states(uint32_t part) {
    return part == 8;
}

static void compare(Tally *tally, const Answers *got, const Answers *right) {
    uint32_t errors = 0;
    for (uint32_t i = 0; i < right->count; i++) {
        errors += !got->parts[i];
        if (got->parts[i] && !part_is_states(i) && strcmp(got->parts[i], right->parts[i]) != 0) {
            complain(tally, "a wrong answer:", got->parts[i]);
            return;
        }
    }
    if (errors > 0 && !got->error[0])
        complain(tally, "an error without words", "");
    else if (errors > 0)
        tally->partly++;
    else
        tally->right++;
}

/* Rows written to a folder that was damaged are there when it is opened again. */
static void go_on(Tally *tally, Io *io, Weir *weir) {
    Err err;
    bool written = insert_rows(weir, 1000, 1010);
    weir_close(weir);
    if (open_on(io, &weir, &err) != ERR_OK) {
        if (written)
            complain(tally, "cannot be opened a second time:", err.message);
        return;
    }
    Answers answers = {0};
    ask_sql(weir, "SELECT n FROM per_value WHERE v = 1;", &answers);
    const char *want = written ? "{\"N\":37}\n" : "{\"N\":35}\n";
    if (answers.parts[0] && strcmp(answers.parts[0], want) != 0)
        complain(tally, "wrong after going on:", answers.parts[0]);
    answers_free(&answers);
    weir_close(weir);
}

static void run_round(Tally *tally, const Image *image, const Answers *right) {
    Io *io = disk_of(image, tally);
    Weir *weir;
    Err err;
    ErrCode code = open_on(io, &weir, &err);
    if (code != ERR_OK) {
        tally->refused++;
        if (code == ERR_INTERNAL || !err.message[0])
            complain(tally, "an unclear error:", err.message);
    } else {
        Answers answers = {0};
        code = engine_pump(weir, &err);
        if (code == ERR_OK)
            ask(weir, &answers);
        if (code == ERR_OK)
            compare(tally, &answers, right);
        else
            tally->partly++;
        answers_free(&answers);
        if (code == ERR_OK && dice(tally, 4) == 0)
            go_on(tally, io, weir);
        else
            weir_close(weir);
    }
    io_mem_free(io);
}

static void truth(const Image *image, Answers *right) {
    Io *io = disk_of(image, NULL);
    Weir *weir;
    Err err;
    if (open_on(io, &weir, &err) != ERR_OK || engine_pump(weir, &err) != ERR_OK)
        give_up(image->name, err.message);
    ask(weir, right);
    for (uint32_t i = 0; i < right->count; i++)
        if (!right->parts[i])
            give_up(image->name, right->error);
    weir_close(weir);
    io_mem_free(io);
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    Tally tally = {.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
    static Image images[2];
    Answers right[2] = {{.count = 0}, {.count = 0}};
    tally.seed = hash_u64(tally.seed + 1) | 1;
    make_folder(&images[0], &images[1]);
    for (int i = 0; i < 2; i++)
        truth(&images[i], &right[i]);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t before = tally.failures;
        run_round(&tally, &images[i % 2], &right[i % 2]);
        if (tally.failures > before && before < 10)
            printf("  round %" PRIu64 " (%s)\n", i, images[i % 2].name);
    }
    for (int i = 0; i < 2; i++) {
        image_free(&images[i]);
        answers_free(&right[i]);
    }
    printf("%" PRIu64 " damaged folders: %" PRIu64 " refused, %" PRIu64 " with some answers, "
           "%" PRIu64 " all right, %" PRIu64 " failures\n",
           rounds, tally.refused, tally.partly, tally.right, tally.failures);
    if (tally.failures == 0 && tally.refused > rounds / 8)
        puts("PROVED");
    else
        printf("FAILED %" PRIu64 " of %" PRIu64 " rounds\n", tally.failures, rounds);
    return tally.failures > 0;
}
