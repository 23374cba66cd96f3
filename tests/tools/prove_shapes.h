/*
 * prove_shapes.h - what the state shapes have in common when they are set beside a model.
 *
 * A ShapeWorld holds one state on a storage in memory, and three copies of a model of it: as it is
 * now, as the last commit handed over found it, and as the last durable one did. shape_run() mixes
 * changes with commits, settles, undos of one epoch or both, and restarts; the shape's own
 * functions make the changes in both and compare them. To add a shape, write a row of `shapes`.
 *
 * A model is plain bytes without pointers.
 */
#ifndef TESTS_TOOLS_PROVE_SHAPES_H
#define TESTS_TOOLS_PROVE_SHAPES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io_mem.h"
#include "base/mem.h"
#include "runtime/state.h"
#include "runtime/store_layout.h"

enum { SHAPE_STORE = 77 };

typedef struct Shape Shape;

typedef struct ShapeWorld {
    const Shape *shape;
    Arena *arena; /* of the whole run */
    Io *io;
    Storage *storage;
    Commit *commit; /* of the submitted epoch; NULL: none waits */
    uint64_t seed;
    const char *doing;
    State *state;
    void *facts;               /* the shape's own, in the arena */
    const StoreLayout *layout; /* made once, in the way that suits the shape */
    void *now, *submitted, *settled; /* models */
    uint64_t changes, commits, undos, restarts;
} ShapeWorld;

struct Shape {
    const char *name;
    size_t model_size;
    uint32_t variants; /* sorts of layout: world->seed says which */
    const StoreLayout *(*layout)(ShapeWorld *world, uint32_t variant);
    ErrCode (*open)(ShapeWorld *world, Snapshot *snapshot, Err *err); /* sets world->state */
    void (*change)(ShapeWorld *world); /* of both, and compares what the change itself says */
    void (*check)(ShapeWorld *world);  /* everything */
};

static inline uint64_t shape_dice(ShapeWorld *world, uint64_t sides) {
    world->seed = world->seed * 6364136223846793005U + 1442695040888963407U;
    return hash_u64(world->seed) % sides;
}

static inline _Noreturn void shape_fail(const ShapeWorld *world, const char *what) {
    printf("FAILED %s: %s, while %s, after %llu changes, %llu commits, %llu undos, %llu restarts\n",
           world->shape->name, what, world->doing, (unsigned long long)world->changes,
           (unsigned long long)world->commits, (unsigned long long)world->undos,
           (unsigned long long)world->restarts);
    fflush(stdout);
    exit(1);
}

#define SHAPE_CHECK(world, condition)              \
    do {                                           \
        if (!(condition))                          \
            shape_fail(world, #condition);         \
    } while (0)

static inline void shape_open(ShapeWorld *world) {
    Err err;
    Snapshot *snapshot = snapshot_open(world->storage);
    if (world->shape->open(world, snapshot, &err) != ERR_OK)
        shape_fail(world, err.message);
    snapshot_close(snapshot);
}

static inline void shape_submit(ShapeWorld *world) {
    world->doing = "submitting";
    world->commit = commit_new(world->storage, 0);
    world->state->ops->save(world->state, world->commit);
    memcpy(world->submitted, world->now, world->shape->model_size);
    world->commits++;
}

static inline void shape_settle(ShapeWorld *world) {
    Err err;
    world->doing = "settling";
    if (commit_wait(world->commit, NULL, &err) != ERR_OK)
        shape_fail(world, err.message);
    world->commit = NULL;
    world->state->ops->settle(world->state);
    memcpy(world->settled, world->submitted, world->shape->model_size);
}

static inline void shape_undo(ShapeWorld *world, bool submitted_too) {
    world->doing = submitted_too ? "undoing both epochs" : "undoing an epoch";
    world->state->ops->undo(world->state, submitted_too);
    const void *back = world->commit && !submitted_too ? world->submitted : world->settled;
    memcpy(world->now, back, world->shape->model_size);
    if (submitted_too && world->commit) {
        commit_drop(world->commit);
        world->commit = NULL;
    }
    world->undos++;
}

/* The process ends: what was not handed over is lost, what was is durable or is not. */
static inline void shape_restart(ShapeWorld *world) {
    if (world->commit && shape_dice(world, 2) == 0)
        shape_settle(world);
    world->doing = "starting again";
    commit_drop(world->commit);
    world->commit = NULL;
    world->state->ops->close(world->state);
    memcpy(world->now, world->settled, world->shape->model_size);
    shape_open(world);
    world->restarts++;
}

static inline void shape_turn(ShapeWorld *world) {
    uint64_t what = shape_dice(world, 64);
    bool epoch = true;
    if (what == 0 && !world->commit)
        shape_submit(world);
    else if (what <= 1 && world->commit)
        shape_settle(world);
    else if (what == 2)
        shape_undo(world, false);
    else if (what == 3 && shape_dice(world, 4) == 0)
        shape_undo(world, true);
    else if (what == 4 && shape_dice(world, 8) == 0)
        shape_restart(world);
    else
        epoch = false;
    if (epoch) {
        world->shape->check(world);
        return;
    }
    world->doing = "changing";
    world->shape->change(world);
    world->changes++;
}

/* One life of a state: `count` turns from this seed on. */
static inline void shape_run(const Shape *shape, uint64_t count, uint64_t seed) {
    ShapeWorld world = {.shape = shape, .arena = arena_new("shape", 0), .io = io_mem_new(),
                        .seed = seed, .doing = "opening"};
    Err err;
    if (storage_open(world.io, "data", NULL, &world.storage, &err) != ERR_OK)
        shape_fail(&world, err.message);
    world.now = mem_alloc(shape->model_size);
    world.submitted = mem_alloc(shape->model_size);
    world.settled = mem_alloc(shape->model_size);
    world.layout = shape->layout(&world, (uint32_t)(seed % shape->variants));
    shape_open(&world);
    for (uint64_t i = 0; i < count; i++)
        shape_turn(&world);
    shape->check(&world);
    world.state->ops->close(world.state);
    commit_drop(world.commit);
    storage_close(world.storage);
    io_mem_free(world.io);
    arena_free(world.arena);
    mem_free(world.now);
    mem_free(world.submitted);
    mem_free(world.settled);
}

#endif
