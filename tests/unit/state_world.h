/*
 * state_world.h - a shape of state beside its model: what the model tests of runtime/state_* share.
 *
 * The test changes both; epochs are submitted, settled and undone, and the state is loaded anew.
 * The model is three copies of the test's own struct: as it is, as submitted, as settled.
 */
#ifndef TESTS_UNIT_STATE_WORLD_H
#define TESTS_UNIT_STATE_WORLD_H

#include "base/hash.h"
#include "runtime/state.h"
#include "tests/unit/storage_bench.h"

enum { WORLD_VALUE_BYTES = 40 };

typedef struct StateWorld StateWorld;
struct StateWorld {
    Io *io;
    Storage *storage;
    State *state;
    Commit *commit; /* of the submitted epoch; NULL: none waits */
    void (*open)(StateWorld *world); /* loads what the storage has: sets `state` */
    void *now, *submitted, *settled; /* the model */
    size_t model_size;
    uint64_t seed;
    uint32_t next_value;
};

static inline void world_begin(StateWorld *world, uint64_t seed) {
    world->seed = seed;
    world->io = io_mem_new();
    world->storage = bench_open(world->io, NULL);
    world->open(world);
}

static inline void world_end(StateWorld *world) {
    world->state->ops->close(world->state);
    if (world->commit)
        commit_drop(world->commit);
    storage_close(world->storage);
    io_mem_free(world->io);
}

static inline uint64_t world_roll(StateWorld *world) {
    world->seed = world->seed * 6364136223846793005U + 1442695040888963407U;
    return hash_u64(world->seed);
}

/* Of a size that follows from the number. */
static inline Bytes world_value(uint32_t value, uint8_t bytes[WORLD_VALUE_BYTES]) {
    memset(bytes, (int)(value & 0xFF), WORLD_VALUE_BYTES);
    memcpy(bytes, &value, sizeof value);
    return (Bytes){bytes, 4 + value % 30};
}

static inline void world_submit(StateWorld *world) {
    if (world->commit)
        return;
    world->commit = commit_new(world->storage, 1);
    world->state->ops->save(world->state, world->commit);
    assert_int_equal(world->state->ops->pending(world->state), 0);
    memcpy(world->submitted, world->now, world->model_size);
}

static inline void world_settle(StateWorld *world) {
    if (!world->commit)
        return;
    CHECK_OK(commit_wait(world->commit, NULL, err));
    world->commit = NULL;
    world->state->ops->settle(world->state);
    memcpy(world->settled, world->submitted, world->model_size);
}

static inline void world_undo(StateWorld *world, bool submitted_too) {
    world->state->ops->undo(world->state, submitted_too);
    if (world->commit && submitted_too) {
        commit_drop(world->commit);
        world->commit = NULL;
        memcpy(world->submitted, world->settled, world->model_size);
    }
    memcpy(world->now, world->submitted, world->model_size);
}

static inline void world_restart(StateWorld *world) {
    world_settle(world);
    world->state->ops->close(world->state);
    world->open(world);
    memcpy(world->now, world->settled, world->model_size);
    memcpy(world->submitted, world->settled, world->model_size);
}

#endif
