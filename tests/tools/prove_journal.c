/*
 * prove_journal.c - the real storage on a disk that forgets, tears and lies, against an oracle.
 *
 *   prove_journal CRASHES SEED      until that many crashes were recovered from
 *   prove_journal --run SEED        one run again, as it was
 *
 * A run is one data folder. It draws which faults exist, then repeats: open (often cut off by
 * another crash), compare everything with the oracle, work (commits of records, state, positions,
 * topics and catalog, beside checkpoints), until the machine stops at the n-th change, a write or
 * sync fails, space ends, or it closes. After some crashes a bit on the disk flips.
 *
 * Every commit puts its number into the state, so recovery says itself which prefix it found: it
 * must hold every acknowledged commit, no commit that was not issued, and exactly the fold of the
 * operations up to that commit: values, positions, topics, offsets, records, catalog.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/tools/prove_sim.h"

enum {
    SIM_CYCLES_MAX = 12,  /* of one run */
    SIM_STEPS_MAX = 70,   /* of one cycle */
    SIM_OPEN_TRIES = 200, /* crashes inside recovery in a row */
    SIM_NOW_MS = 2000000000, /* for retention */
};

/* == The history ============================================================================== */

/* The model goes on to `commit`. */
static void sim_fold(Sim *sim, uint64_t commit) {
    size_t used = 0;
    while (used < sim->op_count && sim->ops[used].commit <= commit)
        model_apply(&sim->model, &sim->ops[used++]);
    sim->op_count -= used;
    if (used > 0 && sim->op_count > 0)
        memmove(sim->ops, sim->ops + used, sim->op_count * sizeof *sim->ops);
    assert(sim->model.commit <= commit);
    sim->model.commit = commit;
}

/* What the next commits may build on. */
static void sim_plan(Sim *sim) {
    for (uint32_t slot = 0; slot < MODEL_TOPICS; slot++) {
        const ModelTopic *topic = &sim->model.topics[slot];
        sim->topic_ids[slot] = topic->id;
        sim->topic_partitions[slot] = topic->partition_count;
        for (uint32_t i = 0; i < MODEL_PARTITIONS; i++) {
            sim->appended[slot][i] = (int64_t)topic->partitions[i].count;
            sim->started[slot][i] = topic->partitions[i].start;
        }
    }
}

static void sim_op(Sim *sim, Op op) {
    op.commit = sim->issued + 1;
    sim->ops = mem_grow(sim->ops, &sim->op_capacity, sim->op_count + 1, sizeof *sim->ops);
    sim->ops[sim->op_count++] = op;
}

/* == Commits ================================================================================== */

static void sim_put_seq(Sim *sim, Commit *commit) {
    Buf value = {0};
    buf_u64_le(&value, sim->issued + 1);
    commit_put(commit, MODEL_STORE_FIRST, bytes_of("seq"), buf_view(&value));
    buf_free(&value);
}

static void sim_change_state(Sim *sim, Commit *commit) {
    Buf key = {0}, value = {0};
    uint32_t store = sim_below(sim, MODEL_STORES), from = sim_below(sim, MODEL_KEYS);
    uint32_t kind = sim_below(sim, 8);
    model_key(from, &key);
    if (kind == 0) {
        commit_remove(commit, MODEL_STORE_FIRST + store, buf_view(&key));
        sim_op(sim, (Op){.kind = OP_REMOVE, .a = store, .b = from});
    } else if (kind == 1) {
        uint32_t to = from + sim_below(sim, MODEL_KEYS - from + 1);
        model_key(to, &value);
        commit_remove_range(commit, MODEL_STORE_FIRST + store, buf_view(&key), buf_view(&value));
        sim_op(sim, (Op){.kind = OP_REMOVE_RANGE, .a = store, .b = from, .c = to});
    } else {
        model_bytes(++sim->number, &value);
        commit_put(commit, MODEL_STORE_FIRST + store, buf_view(&key), buf_view(&value));
        sim_op(sim, (Op){.kind = OP_PUT, .a = store, .b = from, .number = sim->number});
    }
    buf_free(&key);
    buf_free(&value);
}

/* Of a record: rising, with steps back. */
static int64_t sim_time(uint64_t number) {
    return (int64_t)(number - number * 0x9e3779b97f4a7c15U % 40) + 1000;
}

static void sim_fill_batch(Sim *sim, RecordBatch *batch, uint32_t slot, uint32_t partition) {
    Buf value = {0};
    for (uint32_t count = 1 + sim_below(sim, 5); count > 0; count--) {
        model_bytes(++sim->number, &value);
        record_batch_add(batch, &(LogRecord){.timestamp = sim_time(sim->number),
                                             .value = buf_view(&value)});
        sim_op(sim, (Op){.kind = OP_APPEND, .a = slot, .b = partition, .number = sim->number});
        sim->appended[slot][partition]++;
    }
    record_batch_seal(batch);
    buf_free(&value);
}

static void sim_append(Sim *sim, Commit *commit, uint32_t slot, uint32_t partition) {
    RecordBatch batch = {0};
    sim_fill_batch(sim, &batch, slot, partition);
    commit_append(commit, (TopicPartition){sim->topic_ids[slot], partition}, &batch);
    record_batch_free(&batch);
}

static void sim_change_log(Sim *sim, Commit *commit) {
    uint32_t slot = sim_below(sim, MODEL_TOPICS), task = sim_below(sim, MODEL_TASKS);
    if (sim->topic_ids[slot] == 0 || sim->model.topics[slot].id != sim->topic_ids[slot])
        return; /* a topic can be used once its commit is acknowledged */
    uint32_t partition = sim_below(sim, sim->topic_partitions[slot]);
    TopicPartition where = {sim->topic_ids[slot], partition};
    int64_t end = sim->appended[slot][partition];
    uint32_t kind = sim_below(sim, 20);
    if (kind < 14) {
        sim_append(sim, commit, slot, partition);
    } else if (kind < 18) {
        int64_t position = sim_below(sim, (uint32_t)end + 1);
        commit_position(commit, MODEL_TASK_FIRST + task, where, position);
        sim_op(sim, (Op){.kind = OP_POSITION, .a = task, .b = slot, .c = partition,
                         .number = (uint64_t)position});
    } else if (kind == 18) {
        commit_positions_drop(commit, MODEL_TASK_FIRST + task);
        sim_op(sim, (Op){.kind = OP_DROP_TASK, .a = task});
    } else {
        int64_t start = sim->started[slot][partition];
        start += sim_below(sim, (uint32_t)(end - start) + 1);
        sim->started[slot][partition] = start;
        commit_log_start(commit, where, start);
        sim_op(sim, (Op){.kind = OP_START, .a = slot, .b = partition, .number = (uint64_t)start});
    }
}

static void sim_change_topics(Sim *sim, Commit *commit) {
    uint32_t slot = sim_below(sim, MODEL_TOPICS);
    if (sim->topic_ids[slot] != 0) {
        if (sim_below(sim, 3) == 0) {
            commit_topic_delete(commit, sim->topic_ids[slot]);
            sim_op(sim, (Op){.kind = OP_DELETE, .a = slot});
            sim->topic_ids[slot] = 0;
        }
        return;
    }
    Buf name = {0};
    uint32_t id = storage_new_id(sim->storage);
    for (uint32_t i = 0; i < MODEL_TOPICS; i++)
        if (sim->topic_ids[i] == id)
            sim_wrong(sim, "an id was given twice");
    model_topic_name(id, &name);
    sim->topic_ids[slot] = id;
    sim->topic_partitions[slot] = 1 + sim_below(sim, MODEL_PARTITIONS);
    memset(sim->appended[slot], 0, sizeof sim->appended[slot]);
    memset(sim->started[slot], 0, sizeof sim->started[slot]);
    commit_topic_create(commit, id, buf_cstr(&name), sim->topic_partitions[slot]);
    sim_op(sim, (Op){.kind = OP_CREATE, .a = slot, .c = sim->topic_partitions[slot], .number = id});
    if (sim_below(sim, 2) == 0) /* and used by the commit that makes it */
        sim_append(sim, commit, slot, 0);
    buf_free(&name);
}

static void sim_change_catalog(Sim *sim, Commit *commit) {
    uint8_t key = (uint8_t)sim_below(sim, MODEL_CATALOG);
    Buf value = {0};
    if (sim_below(sim, 3) == 0) {
        commit_catalog_remove(commit, (Bytes){&key, 1});
        sim_op(sim, (Op){.kind = OP_CATALOG, .a = key});
    } else {
        model_bytes(++sim->number, &value);
        commit_catalog_put(commit, (Bytes){&key, 1}, buf_view(&value));
        sim_op(sim, (Op){.kind = OP_CATALOG, .a = key, .number = sim->number});
    }
    buf_free(&value);
}

/* Acknowledged: from now on it must be there. */
static void sim_done(void *arg, const CommitOutcome *outcome) {
    Sim *sim = arg;
    if (outcome->result == COMMIT_ABORTED) {
        if (!storage_failed(sim->storage))
            sim_wrong(sim, outcome->err->message);
        return;
    }
    sim->acked++;
    figures.acked++;
    if (!sim->without_sync)
        sim_fold(sim, sim->safe = sim->acked);
}

/* What the next commits may build on, after a commit that was refused: it did not happen. */
static void sim_plan_again(Sim *sim) {
    sim_plan(sim);
    for (size_t i = 0; i < sim->op_count; i++) {
        const Op *op = &sim->ops[i];
        if (op->kind == OP_APPEND)
            sim->appended[op->a][op->b]++;
        else if (op->kind == OP_START)
            sim->started[op->a][op->b] = (int64_t)op->number;
        else if (op->kind == OP_DELETE)
            sim->topic_ids[op->a] = 0;
        if (op->kind != OP_CREATE)
            continue;
        sim->topic_ids[op->a] = (uint32_t)op->number;
        sim->topic_partitions[op->a] = op->c;
        memset(sim->appended[op->a], 0, sizeof sim->appended[op->a]);
        memset(sim->started[op->a], 0, sizeof sim->started[op->a]);
    }
}

static void sim_refused(Sim *sim, size_t ops, ErrCode code, const Err *err) {
    sim->op_count = ops;
    figures.no_space += code == ERR_NO_SPACE;
    if (code != ERR_NO_SPACE && code != ERR_STORAGE_FAILED && !io_mem_stopped(sim->io))
        sim_wrong(sim, err->message);
    sim_plan_again(sim);
}

static void sim_submit(Sim *sim, Commit *commit, size_t ops) {
    Err err;
    ErrCode code = commit_submit(commit, sim_done, sim, &err);
    if (code != ERR_OK) {
        commit_drop(commit);
        sim_refused(sim, ops, code, &err);
        return;
    }
    sim->issued++;
    figures.commits++;
}

static void sim_commit(Sim *sim) {
    Commit *commit = commit_new(sim->storage, 1 + sim_below(sim, 3));
    size_t ops = sim->op_count;
    sim_put_seq(sim, commit);
    bool large = sim_below(sim, 16) == 0; /* more than a frame holds */
    for (uint32_t left = sim_below(sim, large ? 80 : 5); left > 0; left--)
        sim_change_state(sim, commit);
    for (uint32_t left = sim_below(sim, large ? 20 : 4); left > 0; left--)
        sim_change_log(sim, commit);
    if (sim_below(sim, 12) == 0)
        sim_change_topics(sim, commit);
    if (sim_below(sim, 12) == 0)
        sim_change_catalog(sim, commit);
    sim_submit(sim, commit, ops);
}

static ErrCode sim_fill_segment(Sim *sim, SegmentAdd *add, uint32_t slot, uint32_t partition,
                                Err *err) {
    if (segment_add_base(add) != sim->appended[slot][partition])
        sim_wrong(sim, "a segment begins elsewhere");
    ErrCode code = ERR_OK;
    for (uint32_t left = 1 + sim_below(sim, 40); left > 0 && code == ERR_OK; left--) {
        RecordBatch batch = {0};
        sim_fill_batch(sim, &batch, slot, partition);
        code = segment_add_batch(add, &batch, err);
        record_batch_free(&batch);
    }
    return code;
}

/* Records as a whole segment. What waits goes first, so that the offsets are free. */
static void sim_load(Sim *sim) {
    uint32_t slot = sim_below(sim, MODEL_TOPICS);
    Err err;
    SegmentAdd *add;
    if (storage_pump(sim->storage, &err) != ERR_OK || sim->topic_ids[slot] == 0)
        return;
    uint32_t partition = sim_below(sim, sim->topic_partitions[slot]);
    TopicPartition where = {sim->topic_ids[slot], partition};
    size_t ops = sim->op_count;
    ErrCode code = segment_add_open(sim->storage, where, &add, &err);
    if (code != ERR_OK) {
        sim_refused(sim, ops, code, &err);
        return;
    }
    code = sim_fill_segment(sim, add, slot, partition, &err);
    Commit *commit = commit_new(sim->storage, 0);
    sim_put_seq(sim, commit);
    if (code != ERR_OK)
        segment_add_drop(add);
    else
        code = commit_segment(commit, add, &err);
    figures.segments++;
    if (code == ERR_OK) {
        sim_submit(sim, commit, ops);
        return;
    }
    commit_drop(commit);
    sim_refused(sim, ops, code, &err);
}

/* Records [from, to) are too old, or what follows is large enough; false: one is not. */
static bool sim_may_go(Sim *sim, TopicPartition where, const LogRetention *retention, int64_t from,
                       int64_t to) {
    int64_t end, start;
    uint64_t left = 0;
    bool old = true;
    Err err;
    if (log_offsets(sim->storage, where, &start, &end, &err) != ERR_OK || start != from)
        return false; /* everything was applied */
    while (from < end) {
        LogBlock *block;
        if (log_fetch(sim->storage, where, from, 1 << 20, &block, &err) != ERR_OK)
            return sim->flipped;
        Bytes bytes = log_block_bytes(block);
        RecordBatchInfo info;
        for (; record_batch_peek(bytes, &info); from = info.last_offset + 1) {
            RecordIter iter;
            LogRecord record;
            record_iter_init(&iter, (Bytes){bytes.data, info.size});
            while (record_iter_next(&iter, &record))
                old &= record.offset < start || record.offset >= to ||
                       record.timestamp < SIM_NOW_MS - retention->ms;
            left += info.base_offset >= to ? info.size : 0;
            bytes = (Bytes){bytes.data + info.size, bytes.size - info.size};
        }
        log_block_unref(block);
    }
    return (retention->ms >= 0 && old) ||
           (retention->bytes >= 0 && left >= (uint64_t)retention->bytes);
}

/* Retention, as the engine does it: from time to time, in commits of its own. */
static void sim_retain(Sim *sim) {
    uint32_t slot = sim_below(sim, MODEL_TOPICS);
    Err err;
    if (storage_pump(sim->storage, &err) != ERR_OK || sim->topic_ids[slot] == 0)
        return;
    uint32_t partition = sim_below(sim, sim->topic_partitions[slot]);
    TopicPartition where = {sim->topic_ids[slot], partition};
    bool by_age = sim_below(sim, 2) == 0;
    uint64_t newest = sim->number + 1000;
    LogRetention retention = {by_age ? SIM_NOW_MS - (int64_t)newest + sim_below(sim, 60) : -1,
                              by_age ? -1 : (int64_t)sim_below(sim, 20000)};
    int64_t from = sim->started[slot][partition], to;
    if (log_retention_start(sim->storage, where, &retention, SIM_NOW_MS, &to, &err) != ERR_OK ||
        log_roll(sim->storage, where, &err) != ERR_OK || to < from) {
        sim_wrong(sim, "retention fails, or goes back");
        return;
    }
    if (to == from)
        return;
    if (!sim_may_go(sim, where, &retention, from, to))
        sim_wrong(sim, "retention drops what is to stay");
    size_t ops = sim->op_count;
    Commit *commit = commit_new(sim->storage, 0);
    sim_put_seq(sim, commit);
    commit_log_start(commit, where, to);
    sim->started[slot][partition] = to;
    sim_op(sim, (Op){.kind = OP_START, .a = slot, .b = partition, .number = (uint64_t)to});
    figures.retained++;
    sim_submit(sim, commit, ops);
}

/* == Work ===================================================================================== */

/* A reader looks: what it sees must stay. */
static void sim_look(Sim *sim) {
    if (sim->held || sim->without_sync) {
        sim_release(sim);
        return;
    }
    Snapshot *snapshot = snapshot_open(sim->storage);
    if (sim_seq(snapshot) != sim->acked) {
        sim_wrong(sim, "a reader sees what is not acknowledged, or misses what is");
        snapshot_close(snapshot);
        return;
    }
    memcpy(sim->held_values, sim->model.values, sizeof sim->held_values);
    sim->held = snapshot;
}

static void sim_note_covered(Sim *sim) {
    const Journal *journal = &sim->storage->journal;
    uint64_t lsn = journal->covered_lsn;
    if (sim->storage->checkpoint.last.redo_lsn > lsn)
        lsn = sim->storage->checkpoint.last.redo_lsn;
    if (lsn < sim->storage->last_commit_lsn)
        return;
    sim->covered = sim->acked;
    if (sim->without_sync)
        sim_fold(sim, sim->safe = sim->covered);
}

static void sim_pump(Sim *sim) {
    Err err;
    ErrCode code = storage_pump(sim->storage, &err);
    if (code != ERR_OK && code != ERR_STORAGE_FAILED)
        sim_wrong(sim, err.message);
    sim_note_covered(sim);
}

static void sim_step(Sim *sim) {
    uint32_t kind = sim_below(sim, 100);
    if (kind < sim->commit_share) {
        sim_commit(sim);
    } else if (kind < sim->commit_share + 3) {
        sim_load(sim);
    } else if (kind < sim->commit_share + 6) {
        sim_retain(sim);
    } else if (kind < 88) {
        sim_pump(sim);
    } else if (kind < 92) {
        io_mem_advance_clock(sim->io, 1000 * (1 + (int64_t)sim_below(sim, 150)));
        sim_pump(sim);
    } else if (kind < 95) {
        checkpoint_request(sim->storage);
    } else if (kind < 98 || !sim->with_space) {
        sim_look(sim);
    } else if (sim_below(sim, 2) == 0) {
        io_mem_set_space(sim->io, io_mem_used(sim->io) + sim_below(sim, 60000));
    } else {
        bool finite = sim_below(sim, 2) == 0; /* then there is a reserve */
        io_mem_set_space(sim->io, finite ? io_mem_used(sim->io) + (8 << 20) : UINT64_MAX);
        io_mem_advance_clock(sim->io, 1100000);
    }
}

static void sim_work(Sim *sim) {
    static const uint32_t shares[] = {20, 47, 47, 80};
    uint32_t steps = sim_below(sim, SIM_STEPS_MAX);
    sim->commit_share = shares[sim_below(sim, 4)]; /* small: one frame a group */
    if (sim->short_lives) { /* few frames in a file that has old ones */
        checkpoint_request(sim->storage);
        for (uint32_t i = 0; i < 20; i++)
            sim_pump(sim);
        steps = sim_below(sim, 12);
    }
    for (uint32_t i = 0; i < steps && !sim->wrong[0]; i++) {
        if (storage_failed(sim->storage) || io_mem_stopped(sim->io))
            return;
        sim_step(sim);
    }
}

/* == Faults =================================================================================== */

static void sim_no_faults(Sim *sim) {
    io_mem_crash_at(sim->io, 0);
    for (int call = 0; call < IO_MEM_CALLS; call++)
        io_mem_fail(sim->io, (IoMemCall)call, 0, false);
    io_mem_set_space(sim->io, UINT64_MAX);
}

static void sim_list(Sim *sim, Arena *arena, const char *folder, char **paths, uint32_t *count) {
    char **names;
    uint32_t name_count;
    Err err;
    if (sim->io->ops->list(sim->io, folder, arena, &names, &name_count, &err) != ERR_OK)
        return;
    for (uint32_t i = 0; i < name_count && *count < 200; i++) {
        char *path = arena_printf(arena, "%s/%s", folder, names[i]);
        IoFile *file;
        if (sim->io->ops->open(sim->io, path, IO_READ, &file, &err) != ERR_OK) {
            sim_list(sim, arena, path, paths, count);
            continue;
        }
        file->ops->close(file);
        paths[(*count)++] = path;
    }
}

/* A bit of some file, journal files more often, their filled part most often. Or its end is lost,
 * which cannot be mended. */
static void sim_damage(Sim *sim, const char *path) {
    IoFile *file;
    Err err;
    uint64_t size = 0;
    sim_no_faults(sim);
    if (sim->io->ops->open(sim->io, path, IO_WRITE, &file, &err) != ERR_OK)
        return;
    if (file->ops->size(file, &size, &err) == ERR_OK && size > 0) {
        sim->flip_offset = sim_random(sim) % (sim_below(sim, 2) && size > 16384 ? 16384 : size);
        sim->flip_bit = sim_below(sim, 8);
        sim->cut = sim_below(sim, 8) == 0;
        sim->flipped = sim->cut ? file->ops->resize(file, sim->flip_offset, &err) == ERR_OK
                                : io_mem_flip(sim->io, path, sim->flip_offset, sim->flip_bit);
        snprintf(sim->flip_path, sizeof sim->flip_path, "%s", path);
        figures.flips += sim->flipped;
    }
    file->ops->close(file);
}

static void sim_flip(Sim *sim) {
    Arena *arena = arena_new("flip", 0);
    char *paths[200];
    uint32_t count = 0;
    sim_list(sim, arena, sim_below(sim, 3) ? "data/journal" : "data", paths, &count);
    if (count > 0)
        sim_damage(sim, paths[sim_below(sim, count)]);
    arena_free(arena);
}

static void sim_plan_faults(Sim *sim) {
    uint32_t nth = 1 + sim_below(sim, sim_below(sim, 8) == 0 ? 8 : sim->change_max);
    io_mem_crash_at(sim->io, nth);
    if (sim->with_errors && sim_below(sim, 3) == 0) {
        static const IoMemCall calls[] = {IO_MEM_WRITE, IO_MEM_SYNC, IO_MEM_SYNC, IO_MEM_NAME};
        io_mem_fail(sim->io, calls[sim_below(sim, 4)], 1 + sim_below(sim, 40),
                    sim_below(sim, 2) == 0);
    }
}

static void sim_close(Sim *sim) {
    sim_release(sim);
    if (sim->storage)
        storage_close(sim->storage);
    sim->storage = NULL;
}

/* == Recovering =============================================================================== */

/* After a successful open: which prefix is it, and is it right? */
static bool sim_verify(Sim *sim) {
    Snapshot *snapshot = snapshot_open(sim->storage);
    uint64_t found = sim_seq(snapshot);
    snapshot_close(snapshot);
    if (found > sim->issued)
        return sim_wrong_at(sim, "recovered a commit that was never issued:", found);
    if (found < (sim->flipped ? sim->covered : sim->safe) || (!sim->flipped && found < sim->kept))
        return sim_wrong_at(sim, sim->flipped ? "a flipped bit lost marked commits after"
                                              : "lost acknowledged commits after", found);
    if (found < sim->safe) /* a flip in the last group, which nothing marks yet */
        return false;
    sim_fold(sim, found);
    sim->op_count = 0;
    sim->kept = 0;
    sim->issued = sim->acked = sim->covered = sim->safe = found;
    sim_plan(sim);
    return sim_check_all(sim);
}

/* Power fails, or only the process is killed: then everything written is still there. */
static void sim_crash(Sim *sim) {
    static const IoMemDamage none = {0, 0, 0, 0};
    bool killed = sim_below(sim, 4) == 0;
    if (sim->storage && sim->storage->checkpoint.stage != CHECKPOINT_IDLE)
        figures.in_checkpoint++;
    if (sim->storage && (!storage_failed(sim->storage) || io_mem_stopped(sim->io)))
        sim->kept = sim->acked;
    sim_close(sim);
    if (!killed)
        sim->kept = 0;
    io_mem_crash(sim->io, sim_random(sim), killed ? &none : NULL);
    figures.crashes++;
    figures.kills += killed;
}

/* CORRUPT after a flip: with the bit turned back, everything must still be there. */
static bool sim_mend(Sim *sim) {
    Err err;
    sim_no_faults(sim);
    if (sim->cut || !io_mem_flip(sim->io, sim->flip_path, sim->flip_offset, sim->flip_bit))
        return false; /* an earlier recovery that a crash cut off has moved the file */
    sim->flipped = false;
    if (storage_open(sim->io, "data", &sim->options, &sim->storage, &err) != ERR_OK)
        return sim_wrong(sim, err.message);
    figures.mended++;
    return sim_verify(sim);
}

/* false: the run is over. */
static bool sim_open(Sim *sim) {
    for (uint32_t tries = 0; tries < SIM_OPEN_TRIES; tries++) {
        Err err;
        if (tries < 20 && sim_below(sim, 2) == 0)
            sim_plan_faults(sim);
        else
            sim_no_faults(sim);
        ErrCode code = storage_open(sim->io, "data", &sim->options, &sim->storage, &err);
        figures.opens++;
        if (code == ERR_OK)
            return sim_verify(sim);
        sim->storage = NULL;
        if (io_mem_stopped(sim->io)) {
            figures.in_recovery++;
            sim_crash(sim);
            continue;
        }
        if (code == ERR_CORRUPT && sim->flipped) {
            figures.refused++;
            return sim_mend(sim);
        }
        if ((code != ERR_IO || !sim->with_errors) && (code != ERR_NO_SPACE || !sim->with_space))
            return sim_wrong(sim, err.message);
        if (code == ERR_NO_SPACE)
            io_mem_set_space(sim->io, UINT64_MAX);
        sim_no_faults(sim);
        figures.failures++;
    }
    return sim_wrong(sim, "recovery does not end");
}

/* Without faults it goes on: commits are taken, a checkpoint is written, closing keeps all. */
static void sim_finish(Sim *sim) {
    Err err;
    sim_no_faults(sim);
    io_mem_advance_clock(sim->io, 2000000);
    if (!sim->storage &&
        storage_open(sim->io, "data", &sim->options, &sim->storage, &err) != ERR_OK) {
        sim_wrong(sim, err.message);
        return;
    }
    if (!sim_verify(sim))
        return;
    uint64_t issued = sim->issued;
    for (uint32_t i = 0; i < 3; i++)
        sim_commit(sim);
    if (sim->issued != issued + 3 || storage_checkpoint(sim->storage, &err) != ERR_OK ||
        sim->acked != sim->issued)
        sim_wrong(sim, "without faults it does not go on");
}

/* == Runs ===================================================================================== */

static void sim_init(Sim *sim, uint64_t seed) {
    *sim = (Sim){.seed = seed, .random = seed};
    sim_random(sim);
    sim->io = io_mem_new();
    io_mem_set_clock(sim->io, 1700000000000);
    io_mem_start_faults(sim->io, sim_random(sim));
    model_init(&sim->model);
    static const uint32_t changes[] = {20, 60, 150, 400};
    sim->short_lives = sim_below(sim, 8) == 0;
    sim->without_sync = sim->short_lives || sim_below(sim, 3) == 0;
    sim->change_max = sim->short_lives ? 1000 : changes[sim_below(sim, 4)];
    sim->with_errors = sim_below(sim, 2) == 0;
    sim->with_space = sim_below(sim, 4) == 0;
    sim->with_flips = sim_below(sim, 2) == 0;
    sim->options = (StorageOptions){
        .durability = sim->without_sync ? DURABILITY_OS : DURABILITY_SYNC,
        .checkpoint_bytes = 8192U << sim_below(sim, 4),
        .checkpoint_ms = 1 + sim_below(sim, 2000),
        .journal_file_bytes = 16384U << sim_below(sim, 3),
        .frame_bytes_max = 2500U << sim_below(sim, 4),
        .segment_bytes_max = 1000U << sim_below(sim, 5),
        .tail_bytes_max = 4096U << sim_below(sim, 6),
    };
}

static void sim_free(Sim *sim) {
    sim_close(sim);
    model_free(&sim->model);
    mem_free(sim->ops);
    io_mem_free(sim->io);
}

/* One more life of the folder; false: the run is over. */
static bool sim_cycle(Sim *sim) {
    if (!sim_open(sim))
        return false;
    sim_plan_faults(sim);
    sim_work(sim);
    if (sim->wrong[0])
        return false;
    figures.checkpoints += sim->storage->checkpoint.finished;
    figures.groups += atomic_load(&sim->storage->journal.groups);
    figures.frames += atomic_load(&sim->storage->journal.frames);
    uint32_t end = sim_below(sim, 10);
    if (storage_failed(sim->storage) && !io_mem_stopped(sim->io))
        figures.failures++;
    if (end == 0 && !io_mem_stopped(sim->io)) { /* a clean end; it may fail on the way */
        sim_close(sim);
        figures.clean++;
    } else if (storage_failed(sim->storage) && end < 5 && !io_mem_stopped(sim->io)) {
        sim_close(sim); /* the process starts again on the same machine */
        figures.restarts++;
    } else {
        sim_crash(sim);
    }
    if (sim->with_flips && !sim->flipped && !io_mem_stopped(sim->io) && sim_below(sim, 6) == 0)
        sim_flip(sim);
    if (io_mem_stopped(sim->io))
        sim_crash(sim);
    io_mem_set_space(sim->io, UINT64_MAX);
    return true;
}

static bool sim_run(uint64_t seed) {
    Sim sim;
    sim_init(&sim, seed);
    uint32_t cycles = 1 + sim_below(&sim, SIM_CYCLES_MAX);
    bool more = true;
    for (uint32_t i = 0; i < cycles && more; i++)
        more = sim_cycle(&sim);
    if (more && !sim.flipped)
        sim_finish(&sim);
    sim_close(&sim);
    figures.runs++;
    bool good = !sim.wrong[0];
    if (!good)
        printf("  run %llu: %s\n", (unsigned long long)seed, sim.wrong);
    sim_free(&sim);
    return good;
}

static void print_figures(double seconds) {
    const Figures *f = &figures;
    printf("  runs %llu, opens %llu, crashes %llu (%llu in recovery, %llu in a checkpoint, "
           "%llu of the process alone), %.0f crashes/s\n",
           (unsigned long long)f->runs, (unsigned long long)f->opens,
           (unsigned long long)f->crashes, (unsigned long long)f->in_recovery,
           (unsigned long long)f->in_checkpoint, (unsigned long long)f->kills,
           (double)f->crashes / seconds);
    printf("  commits %llu, acknowledged %llu, frames %llu, groups %llu, checkpoints %llu, "
           "clean ends %llu, "
           "segments %llu, retained %llu\n",
           (unsigned long long)f->commits, (unsigned long long)f->acked,
           (unsigned long long)f->frames, (unsigned long long)f->groups,
           (unsigned long long)f->checkpoints, (unsigned long long)f->clean,
           (unsigned long long)f->segments, (unsigned long long)f->retained);
    printf("  failed calls %llu (%llu restarts), no space %llu, flips %llu: refused %llu, "
           "mended %llu\n",
           (unsigned long long)f->failures, (unsigned long long)f->restarts,
           (unsigned long long)f->no_space, (unsigned long long)f->flips,
           (unsigned long long)f->refused, (unsigned long long)f->mended);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--run") == 0)
        return sim_run(strtoull(argv[2], NULL, 0)) ? 0 : 1;
    if (argc != 3) {
        fprintf(stderr, "usage: prove_journal CRASHES SEED | prove_journal --run SEED\n");
        return 2;
    }
    uint64_t wanted = strtoull(argv[1], NULL, 0), seed = strtoull(argv[2], NULL, 0) << 32;
    clock_t begin = clock();
    bool good = true;
    while (good && figures.crashes < wanted)
        good = sim_run(++seed);
    print_figures((double)(clock() - begin) / CLOCKS_PER_SEC);
    return good ? 0 : 1;
}
