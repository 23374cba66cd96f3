/*
 * prove_model.h - the oracle of prove_journal: what a data folder must hold, in arrays.
 *
 * It shares nothing with the storage: keys are indexes, values and records are numbers from which
 * their bytes follow. A history is a list of operations, each with the number of its commit; the
 * model after commit n is the fold of all operations up to n.
 */
#ifndef TESTS_TOOLS_PROVE_MODEL_H
#define TESTS_TOOLS_PROVE_MODEL_H

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
    MODEL_STORES = 3,
    MODEL_KEYS = 12,
    MODEL_TASKS = 2,
    MODEL_TOPICS = 4, /* slots; a slot's topic can be deleted and made anew */
    MODEL_PARTITIONS = 3,
    MODEL_CATALOG = 5,
    MODEL_STORE_FIRST = 1000, /* ids of stores and tasks */
    MODEL_TASK_FIRST = 2000,
};

typedef struct ModelPartition {
    uint64_t *records; /* [offset]: the number of its value */
    size_t count, capacity;
    int64_t start;
} ModelPartition;

typedef struct ModelTopic {
    uint32_t id; /* 0: the slot is empty */
    uint32_t partition_count;
    ModelPartition partitions[MODEL_PARTITIONS];
} ModelTopic;

typedef struct Model {
    uint64_t commit; /* state after this commit */
    uint64_t values[MODEL_STORES][MODEL_KEYS]; /* 0: absent */
    int64_t positions[MODEL_TASKS][MODEL_TOPICS][MODEL_PARTITIONS]; /* -1: none; by slot */
    uint32_t position_topics[MODEL_TASKS][MODEL_TOPICS][MODEL_PARTITIONS]; /* id it was set for */
    uint64_t catalog[MODEL_CATALOG];
    ModelTopic topics[MODEL_TOPICS];
} Model;

typedef enum OpKind {
    OP_PUT,          /* store a, key b: number */
    OP_REMOVE,       /* store a, key b */
    OP_REMOVE_RANGE, /* store a, keys [b, c) */
    OP_POSITION,     /* task a, slot b, partition c: number */
    OP_DROP_TASK,    /* task a */
    OP_APPEND,       /* slot a, partition b: number */
    OP_START,        /* slot a, partition b: number */
    OP_CREATE,       /* slot a, c partitions: number is the id */
    OP_DELETE,       /* slot a */
    OP_CATALOG,      /* key a: number; 0: removed */
} OpKind;

typedef struct Op {
    OpKind kind;
    uint32_t a, b, c;
    uint64_t number;
    uint64_t commit;
} Op;

static inline void model_init(Model *model) {
    *model = (Model){0};
    memset(model->positions, 0xff, sizeof model->positions);
}

static inline void model_free_topic(ModelTopic *topic) {
    for (uint32_t i = 0; i < MODEL_PARTITIONS; i++)
        mem_free(topic->partitions[i].records);
    *topic = (ModelTopic){0};
}

static inline void model_free(Model *model) {
    for (uint32_t i = 0; i < MODEL_TOPICS; i++)
        model_free_topic(&model->topics[i]);
}

static inline void model_append(Model *model, const Op *op) {
    ModelPartition *partition = &model->topics[op->a].partitions[op->b];
    partition->records = mem_grow(partition->records, &partition->capacity, partition->count + 1,
                                  sizeof *partition->records);
    partition->records[partition->count++] = op->number;
}

static inline void model_apply(Model *model, const Op *op) {
    ModelTopic *topic = &model->topics[op->kind >= OP_APPEND && op->kind < OP_CATALOG ? op->a : 0];
    assert(op->commit >= model->commit);
    model->commit = op->commit;
    switch (op->kind) {
    case OP_PUT:
        model->values[op->a][op->b] = op->number;
        break;
    case OP_REMOVE:
        model->values[op->a][op->b] = 0;
        break;
    case OP_REMOVE_RANGE:
        for (uint32_t key = op->b; key < op->c; key++)
            model->values[op->a][key] = 0;
        break;
    case OP_POSITION:
        model->positions[op->a][op->b][op->c] = (int64_t)op->number;
        model->position_topics[op->a][op->b][op->c] = model->topics[op->b].id;
        break;
    case OP_DROP_TASK:
        memset(model->positions[op->a], 0xff, sizeof model->positions[op->a]);
        break;
    case OP_APPEND:
        model_append(model, op);
        break;
    case OP_START:
        topic->partitions[op->b].start = (int64_t)op->number;
        break;
    case OP_CREATE:
        assert(topic->id == 0);
        topic->id = (uint32_t)op->number;
        topic->partition_count = op->c;
        break;
    case OP_DELETE:
        model_free_topic(topic);
        break;
    case OP_CATALOG:
        model->catalog[op->a] = op->number;
        break;
    }
}

/* The bytes of a value, record or catalog entry. */
static inline void model_bytes(uint64_t number, Buf *target) {
    buf_reset(target);
    uint64_t mixed = number * 0x9e3779b97f4a7c15U;
    uint32_t size = 8 + (uint32_t)(mixed >> 40) % (mixed >> 60 == 0 ? 400 : 60);
    buf_u64_le(target, number);
    for (uint32_t i = 8; i < size; i++)
        buf_u8(target, (uint8_t)(mixed >> i % 57));
}

static inline void model_topic_name(uint32_t id, Buf *target) {
    buf_reset(target);
    buf_printf(target, "topic-%u", id);
}

static inline void model_key(uint32_t key, Buf *target) {
    buf_reset(target);
    buf_printf(target, "key-%02u", key);
}

#endif
