/*
 * prove_sim.h - one simulated life of a data folder, and how it is compared with the oracle.
 *
 * Included by prove_journal.c alone.
 */
#ifndef TESTS_TOOLS_PROVE_SIM_H
#define TESTS_TOOLS_PROVE_SIM_H

#include <stdio.h>

#include "base/io_mem.h"
#include "storage/segment_add.h"
#include "storage/storage_impl.h"
#include "tests/tools/prove_model.h"

typedef struct Figures {
    uint64_t runs, crashes, kills, in_recovery, in_checkpoint, clean, restarts, failures;
    uint64_t no_space, flips, segments, retained;
    uint64_t refused, mended, commits, acked, checkpoints, frames, groups, opens;
} Figures;

static Figures figures;

typedef struct Sim {
    uint64_t seed, random;
    Io *io;
    Storage *storage;
    StorageOptions options;
    Model model; /* after the last commit that no crash may take: `safe` */
    Op *ops;     /* of commits issued after that */
    size_t op_count, op_capacity;
    uint64_t issued;  /* number of the last commit handed over */
    uint64_t acked;   /* what must be there: acknowledged, or seen by a reader */
    uint64_t covered; /* what must be there whatever bit flips: marked durable by a later frame */
    uint64_t safe;    /* what must be there after a crash: acked, or covered without syncs */
    uint64_t kept;    /* what must be there while only processes end, not the machine */
    bool without_sync; /* DURABILITY_OS */
    uint64_t number;  /* of the last value */
    uint32_t topic_ids[MODEL_TOPICS], topic_partitions[MODEL_TOPICS]; /* after what is issued */
    int64_t appended[MODEL_TOPICS][MODEL_PARTITIONS], started[MODEL_TOPICS][MODEL_PARTITIONS];
    bool with_errors, with_space, with_flips, short_lives;
    uint32_t commit_share; /* percent of steps that hand a commit over */
    unsigned change_max; /* crashes come at a change up to that */
    /* A snapshot that lives for a while, and what it must show. */
    Snapshot *held;
    uint64_t held_values[MODEL_STORES][MODEL_KEYS];
    /* Of the last flip. */
    bool flipped, cut; /* cut: it was the end of the file */
    char flip_path[512];
    uint64_t flip_offset;
    unsigned flip_bit;
    char wrong[ERR_MESSAGE_SIZE + 64]; /* empty: nothing found yet */
} Sim;

static uint64_t sim_random(Sim *sim) {
    uint64_t value = sim->random += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31;
}

static uint32_t sim_below(Sim *sim, uint32_t limit) {
    assert(limit > 0);
    return (uint32_t)(sim_random(sim) >> 33) % limit;
}

static bool sim_wrong(Sim *sim, const char *text) {
    if (!sim->wrong[0])
        snprintf(sim->wrong, sizeof sim->wrong, "%s", text);
    return false;
}

static bool sim_wrong_at(Sim *sim, const char *text, uint64_t number) {
    char line[300];
    snprintf(line, sizeof line, "%s %llu", text, (unsigned long long)number);
    return sim_wrong(sim, line);
}

/* == Comparing ================================================================================ */

/* The bytes are those of `number`; 0: there are none. */
static bool sim_is(Bytes found, uint64_t number, Buf *scratch) {
    if (number == 0)
        return !found.data;
    model_bytes(number, scratch);
    return found.data && bytes_equal(found, buf_view(scratch));
}

static uint64_t sim_seq(Snapshot *snapshot) {
    Bytes key = bytes_of("seq"), value;
    Err err;
    if (store_get(snapshot, MODEL_STORE_FIRST, &key, 1, &value, &err) != ERR_OK || !value.data)
        return 0;
    Reader reader = reader_of(value);
    return reader_u64_le(&reader);
}

static bool sim_check_values(Sim *sim, Snapshot *snapshot,
                             uint64_t values[MODEL_STORES][MODEL_KEYS]) {
    Buf key = {0}, scratch = {0};
    Err err;
    bool good = true;
    for (uint32_t store = 0; store < MODEL_STORES && good; store++) {
        uint32_t expected = store == 0 && sim_seq(snapshot) > 0, seen = 0;
        for (uint32_t i = 0; i < MODEL_KEYS && good; i++) {
            Bytes value, wanted;
            model_key(i, &key);
            wanted = buf_view(&key);
            good = store_get(snapshot, MODEL_STORE_FIRST + store, &wanted, 1, &value, &err) ==
                       ERR_OK && sim_is(value, values[store][i], &scratch);
            expected += values[store][i] != 0;
        }
        StoreIter *iter;
        Bytes none = {NULL, 0}, found, value;
        good = good && store_scan(snapshot, MODEL_STORE_FIRST + store, none, none, &iter, &err) ==
                           ERR_OK;
        while (good && store_iter_next(iter, &found, &value))
            seen++;
        good = good && store_iter_close(iter, &err) == ERR_OK && seen == expected;
    }
    buf_free(&key);
    buf_free(&scratch);
    return good || sim_wrong(sim, "state is not the fold of the commits");
}

static bool sim_check_catalog(Sim *sim, Snapshot *snapshot) {
    uint32_t expected = 0, seen = 0;
    StoreIter *iter;
    Bytes key, value;
    Buf scratch = {0};
    Err err;
    for (uint32_t i = 0; i < MODEL_CATALOG; i++)
        expected += sim->model.catalog[i] != 0;
    bool good = catalog_scan(snapshot, &iter, &err) == ERR_OK;
    while (good && store_iter_next(iter, &key, &value)) {
        good = key.size == 1 && key.data[0] < MODEL_CATALOG && value.size > 0 &&
               sim_is(value, sim->model.catalog[key.data[0]], &scratch);
        seen++;
    }
    good = store_iter_close(iter, &err) == ERR_OK && good && seen == expected;
    buf_free(&scratch);
    return good || sim_wrong(sim, "catalog is not the fold of the commits");
}

/* The records of one fetched block, from *offset on. */
static bool sim_check_block(const ModelPartition *partition, Bytes left, int64_t *offset,
                            Buf *scratch) {
    while (left.size > 0) {
        RecordBatchInfo info;
        RecordIter iter;
        LogRecord record;
        Err err;
        if (record_batch_check(left, &info, &err) != ERR_OK)
            return false;
        record_iter_init(&iter, (Bytes){left.data, info.size});
        while (record_iter_next(&iter, &record)) {
            if (record.offset < *offset)
                continue;
            if (record.offset != *offset || (size_t)record.offset >= partition->count ||
                !sim_is(record.value, partition->records[record.offset], scratch))
                return false;
            ++*offset;
        }
        left = (Bytes){left.data + info.size, left.size - info.size};
    }
    return true;
}

static bool sim_check_partition(Sim *sim, TopicPartition where, const ModelPartition *partition) {
    int64_t start, end;
    Err err;
    Buf scratch = {0};
    bool good = log_offsets(sim->storage, where, &start, &end, &err) == ERR_OK &&
                start == partition->start && end == (int64_t)partition->count;
    if (!good)
        return sim_wrong_at(sim, "offsets are not those given: topic", where.topic_id);
    while (good && start < end) {
        LogBlock *block;
        ErrCode code = log_fetch(sim->storage, where, start, 4096, &block, &err);
        if (code == ERR_CORRUPT && sim->flipped) {
            figures.refused++;
            break;
        }
        if (code != ERR_OK || !block) {
            buf_free(&scratch);
            return sim_wrong(sim, code != ERR_OK ? err.message : "a fetch gives nothing");
        }
        good = sim_check_block(partition, log_block_bytes(block), &start, &scratch);
        log_block_unref(block);
    }
    buf_free(&scratch);
    return good || sim_wrong_at(sim, "wrong or missing records: topic", where.topic_id);
}

static bool sim_check_topics(Sim *sim) {
    uint32_t expected = 0, count;
    LogTopic *topics, topic;
    Arena *arena = arena_new("topics", 0);
    Buf name = {0};
    log_topics(sim->storage, arena, &topics, &count);
    bool good = true;
    for (uint32_t i = 0; i < MODEL_TOPICS && good; i++) {
        const ModelTopic *model = &sim->model.topics[i];
        if (model->id == 0)
            continue;
        expected++;
        model_topic_name(model->id, &name);
        good = log_topic_find(sim->storage, buf_cstr(&name), &topic) && topic.id == model->id &&
               topic.partition_count == model->partition_count;
        for (uint32_t j = 0; j < model->partition_count && good; j++)
            good = sim_check_partition(sim, (TopicPartition){model->id, j}, &model->partitions[j]);
    }
    arena_free(arena);
    buf_free(&name);
    return (good && count == expected) || sim_wrong(sim, "topics are not the fold of the commits");
}

static bool sim_check_positions(Sim *sim) {
    for (uint32_t task = 0; task < MODEL_TASKS; task++)
        for (uint32_t slot = 0; slot < MODEL_TOPICS; slot++)
            for (uint32_t i = 0; i < MODEL_PARTITIONS; i++) {
                int64_t expected = sim->model.positions[task][slot][i];
                TopicPartition where = {sim->model.position_topics[task][slot][i], i};
                if (expected >= 0 &&
                    log_position(sim->storage, MODEL_TASK_FIRST + task, where) != expected)
                    return sim_wrong(sim, "positions are not the fold of the commits");
            }
    return true;
}

/* Everything, with the model at the commit that the storage shows. */
static bool sim_check_all(Sim *sim) {
    Snapshot *snapshot = snapshot_open(sim->storage);
    bool good = sim_check_values(sim, snapshot, sim->model.values) &&
                sim_check_catalog(sim, snapshot);
    snapshot_close(snapshot);
    return good && sim_check_topics(sim) && sim_check_positions(sim);
}

static void sim_release(Sim *sim) {
    if (sim->held && !sim->wrong[0])
        sim_check_values(sim, sim->held, sim->held_values);
    snapshot_close(sim->held);
    sim->held = NULL;
}

#endif
