/*
 * mutate_kafka.c - records of a service's own topics, damaged: what decodes them says so, or takes
 * them for what they say; never a crash, never a read beyond the record.
 *
 *   mutate_kafka [N] [SEED]
 *
 * N records each of positions, commands, changelogs and exports are made as Weir writes them, a
 * few bytes of key or value are changed, and they are decoded from memory of their exact size.
 *   1. an untouched record gives what was written
 *   2. positions, commands and exports that are taken are written again to the same bytes
 *   3. what a command or a change would do to a folder is done; the folder opens again
 * To be built with ASan and UBSan. The last line is PROVED or FAILED why, the one before counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io_mem.h"
#include "base/mem.h"
#include "kafka/command_impl.h"
#include "kafka/export.h"
#include "kafka/stores_impl.h"
#include "storage/cluster.h"
#include "storage/log.h"
#include "storage/storage.h"
#include "tests/tools/mutate.h"

enum { FOLDER_RECORDS = 200, STORE_ID = STORE_FIRST_FREE + 3, SECONDS_MAX = 600 };

static uint64_t taken, refused, strangers;

static void give_up(const char *what) {
    printf("FAILED %s\n", what);
    exit(1);
}

/* A record in memory of its own, so that a read beyond it is seen. */
typedef struct Sample {
    Buf key, value, other;
    uint8_t *key_memory, *value_memory;
    bool touched;
    LogRecord record;
} Sample;

static Bytes exact(const Buf *buf, uint8_t **memory) {
    *memory = mem_resize(NULL, buf->size + 1);
    uint8_t *end = mem_resize(*memory, buf->size > 0 ? buf->size : 1);
    *memory = end;
    if (buf->size > 0)
        memcpy(end, buf->data, buf->size);
    return (Bytes){end, (uint32_t)buf->size};
}

/* After key and value are written: damages one in three of four, and places them. */
static void sample_damage(Sample *sample) {
    Buf changed = {0};
    sample->touched = below(4) > 0;
    if (sample->touched) {
        Buf *part = below(4) == 0 ? &sample->key : &sample->value;
        mutate_bytes(&changed, buf_view(part), buf_view(&sample->other));
        buf_free(part);
        *part = changed;
    }
    sample->record = (LogRecord){.offset = 1000};
    sample->record.key = exact(&sample->key, &sample->key_memory);
    sample->record.value = exact(&sample->value, &sample->value_memory);
    if (below(50) == 0)
        sample->record.value = (Bytes){NULL, 0};
    if (below(50) == 0)
        sample->record.key = (Bytes){NULL, 0};
    sample->touched |= !sample->record.value.data || !sample->record.key.data;
}

static void sample_free(Sample *sample) {
    buf_free(&sample->other);
    buf_reset(&sample->key);
    buf_put(&sample->key, sample->value.data, sample->value.size);
    sample->other = sample->key; /* for the next one to take a part of */
    sample->key = (Buf){0};
    buf_free(&sample->value);
    mem_free(sample->key_memory);
    mem_free(sample->value_memory);
}

/* == Positions ================================================================================ */

static void positions_write(const PositionTable *table, uint32_t task_id, const SlotMark *mark,
                            Sample *sample) {
    uint8_t key[POSITION_KEY_SIZE];
    const TaskPositions *task = positions_find(table, task_id);
    positions_key(task->owner_id, task_id, key);
    buf_put(&sample->key, key, sizeof key);
    positions_encode(task, mark, &sample->value);
}

static void positions_round(Sample *sample) {
    PositionTable table = {0}, read = {0};
    SlotMark mark = {1 + below(1000), "fifteen letters"}, found = {0};
    Sample again = {0};
    Err err;
    TaskPositions *task = positions_task(&table, NULL, 1 + below(50), 77);
    for (uint32_t i = below(6); i > 0; i--)
        positions_set(task, (TopicPartition){1 + below(90), below(16)}, below(1 << 20));
    positions_write(&table, 77, &mark, sample);
    sample_damage(sample);
    bool ours = positions_read(&read, &found, &sample->record);
    bool good = ours && positions_verdict(&read, "t", 0, &err) == ERR_OK;
    if (!sample->touched && (!good || !slot_mark_equal(&found, &mark)))
        give_up("good positions were refused");
    strangers += !ours;
    refused += ours && !good;
    taken += good;
    if (good && read.count == 1) {
        positions_write(&read, read.tasks[0].task_id, &found, &again);
        if (!bytes_equal(buf_view(&again.key), sample->record.key))
            give_up("a key of positions is written otherwise");
        if (read.tasks[0].count == positions_find(&table, 77)->count && !sample->touched &&
            !bytes_equal(buf_view(&again.value), sample->record.value))
            give_up("positions are written otherwise");
    }
    buf_free(&again.key);
    buf_free(&again.value);
    positions_free(&table);
    positions_free(&read);
}

/* == Commands ================================================================================= */

static const uint8_t author[] = "sixteen letters";

/* A change as an engine makes it: a topic, entries of the catalog, a task that is dropped. */
static void change_write(Storage *storage, Buf *target) {
    Commit *commit = commit_new(storage, below(3));
    char name[32];
    if (below(2)) {
        (void)snprintf(name, sizeof name, "topic%u", below(1000));
        commit_topic_create(commit, storage_new_id(storage), name, 1 + below(8));
    }
    if (below(2))
        commit_catalog_remove(commit, bytes_of("source/B"));
    if (below(2))
        commit_positions_drop(commit, 16 + below(100));
    if (below(2))
        commit_remove_range(commit, STORE_ID, (Bytes){NULL, 0}, (Bytes){NULL, 0});
    commit_catalog_put(commit, bytes_of("source/A"), bytes_of("{\"name\":\"A\",\"columns\":[]}"));
    commit_save(commit, target);
    commit_drop(commit);
}

static void command_do(Storage *storage, const Command *command) {
    Err err;
    Commit *commit = commit_load(storage, command->change, &err);
    refused += !commit;
    if (commit && commit_wait(commit, NULL, &err) == ERR_OK)
        taken++;
}

static void command_round(Storage *storage, Sample *sample) {
    Buf change = {0}, again = {0};
    Command command = {.kind = below(5) == 0 ? COMMAND_SERVICE : COMMAND_CHANGE,
                       .based_on = (int64_t)below(1000) - 1,
                       .author = {author, AUTHOR_SIZE},
                       .nonce = 1 + below(1U << 31),
                       .slots = 1 + below(64),
                       .statement = bytes_of("CREATE STREAM a (b INT) WITH (kafka_topic='a');")};
    Command read;
    uint8_t key[COMMAND_KEY_SIZE];
    Err err;
    change_write(storage, &change);
    command.change = buf_view(&change);
    command_record_key(command.nonce, key);
    buf_put(&sample->key, key, sizeof key);
    command_record_encode(&command, &sample->value);
    sample_damage(sample);
    bool ours = command_record_is(&sample->record);
    bool good = ours && command_record_decode("t", &sample->record, &read, &err) == ERR_OK;
    if (!sample->touched && !good)
        give_up("a good command was refused");
    strangers += !ours;
    refused += ours && !good;
    if (good) {
        command_record_encode(&read, &again);
        if (!sample->touched && !bytes_equal(buf_view(&again), sample->record.value))
            give_up("a command is written otherwise");
        if (read.kind == COMMAND_CHANGE)
            command_do(storage, &read);
    }
    buf_free(&change);
    buf_free(&again);
}

/* == Changelogs =============================================================================== */

static void changelog_round(Storage *storage, Sample *sample) {
    Commit *commit = commit_new(storage, 0);
    Err err;
    uint8_t bytes[40];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)below(256);
    Bytes key = {bytes, 1 + below(20)}, max = {bytes + 20, below(20)};
    if (below(3) == 0)
        changelog_range(&sample->key, key, max);
    else
        changelog_key(&sample->key, key);
    buf_put(&sample->value, bytes, below(sizeof bytes));
    sample_damage(sample);
    ChangelogVerdict verdict = changelog_apply(commit, STORE_ID, &sample->record);
    if (!sample->touched && verdict != CHANGELOG_APPLIED)
        give_up("a good change was refused");
    strangers += verdict == CHANGELOG_STRANGER;
    refused += verdict == CHANGELOG_DAMAGED;
    taken += verdict == CHANGELOG_APPLIED;
    if (commit_wait(commit, NULL, &err) != ERR_OK && err.code != ERR_LIMIT)
        give_up(err.message);
}

/* == Exports ================================================================================== */

static void export_round(Sample *sample) {
    int64_t next[8];
    uint32_t partitions = 1 + below(8);
    buf_text(&sample->key, "SOURCE-17");
    buf_u8(&sample->value, 1);
    buf_u32_le(&sample->value, partitions);
    for (uint32_t i = 0; i < partitions; i++)
        buf_u64_le(&sample->value, 100 + i);
    sample_damage(sample);
    if (!sample->record.value.data)
        return;
    bool good = export_position_decode(sample->record.value, partitions, next);
    if (!sample->touched && !good)
        give_up("a good position of an export was refused");
    for (uint32_t i = 0; good && i < partitions; i++)
        if (next[i] < 0)
            give_up("an export begins below 0");
    taken += good;
    refused += !good;
}

/* == All of it ================================================================================ */

static Storage *folder_open(Io *io) {
    StorageOptions options = {.durability = DURABILITY_OS};
    Storage *storage;
    Err err;
    if (storage_open(io, "/data", &options, &storage, &err) != ERR_OK)
        give_up(err.message);
    return storage;
}

static void folder_rounds(uint64_t count, Sample *sample) {
    Io *io = io_mem_new();
    Storage *storage = folder_open(io);
    for (uint64_t i = 0; i < count; i++) {
        positions_round(sample);
        sample_free(sample);
        command_round(storage, sample);
        sample_free(sample);
        changelog_round(storage, sample);
        sample_free(sample);
        export_round(sample);
        sample_free(sample);
    }
    storage_close(storage);
    storage = folder_open(io); /* what was taken can be read again */
    storage_close(storage);
    io_mem_free(io);
}

int main(int argc, char **argv) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    Sample sample = {0};
    for (uint64_t done = 0; done < count; done += FOLDER_RECORDS) {
        mutate_deadline(SECONDS_MAX);
        dice_state = seed * 1000003 + done;
        folder_rounds(count - done < FOLDER_RECORDS ? count - done : FOLDER_RECORDS, &sample);
    }
    buf_free(&sample.other);
    printf("%llu records of each kind: %llu taken, %llu refused, %llu nobody's\n",
           (unsigned long long)count, (unsigned long long)taken, (unsigned long long)refused,
           (unsigned long long)strangers);
    printf("PROVED\n");
    return 0;
}
