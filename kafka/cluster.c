/* cluster.c - ClusterOps: the table that storage calls, and the life of a service's process. */
#include <assert.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"
#include "kafka/patience.h"

static KafkaCluster *self(Cluster *cluster) {
    assert(cluster);
    return (KafkaCluster *)cluster;
}

/* Around an operation of a thread that may wait: people may give it up. */
static void wait_begin(Cluster *cluster) {
    patience_begin(self(cluster)->storage, &self(cluster)->trouble, 0);
}

static ErrCode wait_end(ErrCode code) {
    patience_end();
    return code;
}

/* == Topics =================================================================================== */

static ErrCode cluster_topic_find(Cluster *cluster, const char *name, uint32_t *partitions,
                                  Err *err) {
    wait_begin(cluster);
    return wait_end(topic_find(cluster, name, partitions, err));
}

static ErrCode cluster_topics(Cluster *cluster, Arena *arena, LogTopic **topics, uint32_t *count,
                              Err *err) {
    wait_begin(cluster);
    return wait_end(topic_all(cluster, arena, topics, count, err));
}

static ErrCode cluster_describe(Cluster *cluster, const char *const *names, uint32_t count,
                                bool readers, ClusterTopic *topics, Err *err) {
    wait_begin(cluster);
    return wait_end(topic_describe(cluster, names, count, readers, topics, err));
}

static ErrCode cluster_alter(Cluster *cluster, const char *name, uint32_t partitions,
                             const TopicConfig *config, Err *err) {
    wait_begin(cluster);
    return wait_end(topic_alter(cluster, name, partitions, config, err));
}

static ErrCode cluster_remove(Cluster *cluster, const char *name, Err *err) {
    wait_begin(cluster);
    return wait_end(topic_remove(cluster, name, err));
}

static ErrCode cluster_trouble(Cluster *cluster, int64_t *since_ms, Err *err) {
    return kafka_trouble_now(&self(cluster)->trouble, since_ms, err);
}

/* == Reading ================================================================================== */

static ErrCode cluster_fetch(Cluster *cluster, const char *name, TopicPartition where,
                             int64_t offset, LogBlock **block, Err *err) {
    return kafka_reader_fetch(self(cluster)->reader, name, where, offset, block, err);
}

static ErrCode cluster_offsets(Cluster *cluster, const char *name, TopicPartition where,
                               bool fresh, ClusterOffsets *offsets, Err *err) {
    return kafka_reader_offsets(self(cluster)->reader, name, where, fresh, offsets, err);
}

static ErrCode cluster_topic_state(Cluster *cluster, const char *name, int64_t *since_ms,
                                   Err *err) {
    return kafka_reader_topic_state(self(cluster)->reader, name, since_ms, err);
}

static ErrCode cluster_slot_state(Cluster *cluster, uint32_t slot, int64_t *since_ms, Err *err) {
    enum { SHOWN_AFTER_MS = 1000 }; /* what is over sooner is no trouble */
    Io *io = io_posix();
    assert(slot < self(cluster)->slot_count);
    ErrCode code = kafka_trouble_now(&self(cluster)->slots[slot].trouble, since_ms, err);
    return code != ERR_OK && io->ops->now_ms(io) - *since_ms > SHOWN_AFTER_MS ? code : ERR_OK;
}

static const char *cluster_retried(Cluster *cluster, ErrCode code) {
    (void)cluster;
    return kafka_trouble_retried(code);
}

/* == Owning and writing ======================================================================= */

static uint32_t cluster_slot(Cluster *cluster, const char *topic, uint32_t partition) {
    assert(self(cluster)->slot_count > 0);
    return (hash_murmur2(bytes_of(topic)) + partition) % self(cluster)->slot_count;
}

static void cluster_store_open(Cluster *cluster, const ClusterStore *store) {
    assert(store->slot < self(cluster)->slot_count);
    stores_open(&self(cluster)->stores, store);
}

static void cluster_store_close(Cluster *cluster, uint32_t store_id) {
    stores_close(&self(cluster)->stores, store_id);
}

static ErrCode cluster_take(Cluster *cluster, const uint32_t *slots, uint32_t count, Err *err) {
    if (count == 0)
        return ERR_OK;
    wait_begin(cluster);
    return wait_end(take_slots(self(cluster), slots, count, err));
}

typedef enum CommitKind { COMMIT_OF_SLOT, COMMIT_COMMAND, COMMIT_RECORDS, COMMIT_LOCAL } CommitKind;

static CommitKind commit_kind(const Commit *commit) {
    CommitKind kind = COMMIT_LOCAL;
    CommitItems items;
    CommitItem item;
    if (commit_slot_of(commit) != COMMIT_NO_SLOT)
        return COMMIT_OF_SLOT;
    commit_items(commit, &items);
    while (commit_item_next(&items, &item)) {
        if (item.kind == COMMIT_ITEM_CATALOG || item.kind == COMMIT_ITEM_TOPIC_CREATE ||
            item.kind == COMMIT_ITEM_TOPIC_DELETE)
            return COMMIT_COMMAND;
        if (item.kind == COMMIT_ITEM_APPEND)
            kind = COMMIT_RECORDS;
    }
    return kind;
}

static void cluster_submit(Cluster *base, Commit *commit) {
    KafkaCluster *cluster = self(base);
    CommitKind kind = commit_kind(commit);
    Err err;
    if (cluster_check(cluster, &err) != ERR_OK) {
        commit_reject(commit, &err);
    } else if (kind == COMMIT_LOCAL) {
        commit_accept(commit, NULL, NULL, 0);
    } else if (kind == COMMIT_COMMAND) {
        commands_submit(cluster, commit);
    } else {
        if (kind == COMMIT_RECORDS)
            append_wait(cluster, commit);
        thread_submit(cluster, commit);
    }
}

static const ClusterOps cluster_ops = {
    .topic_find = cluster_topic_find,
    .topics = cluster_topics,
    .describe = cluster_describe,
    .alter = cluster_alter,
    .remove = cluster_remove,
    .trouble = cluster_trouble,
    .topic_state = cluster_topic_state,
    .retried = cluster_retried,
    .fetch = cluster_fetch,
    .offsets = cluster_offsets,
    .slot = cluster_slot,
    .slot_state = cluster_slot_state,
    .store_open = cluster_store_open,
    .store_close = cluster_store_close,
    .take = cluster_take,
    .query = group_query,
    .submit = cluster_submit,
};

/* == Life ===================================================================================== */

static void cluster_names(KafkaCluster *cluster) {
    const char *id = cluster->config->service_id;
    (void)snprintf(cluster->commands_topic, KAFKA_NAME_SIZE, "_%s-commands", id);
    (void)snprintf(cluster->members_topic, KAFKA_NAME_SIZE, "_%s-members", id);
    (void)snprintf(cluster->positions_topic, KAFKA_NAME_SIZE, "_%s-positions", id);
}

static KafkaCluster *cluster_new(const KafkaConfig *config, Storage *storage) {
    KafkaCluster *cluster = mem_alloc(sizeof *cluster);
    Io *io = io_posix();
    cluster->cluster.ops = &cluster_ops;
    cluster->config = config;
    cluster->storage = storage;
    for (int i = 0; i < AUTHOR_SIZE; i += 8) {
        uint64_t random = io->ops->random_u64(io);
        memcpy(cluster->uuid + i, &random, sizeof random);
    }
    cluster_names(cluster);
    kafka_trouble_init(&cluster->trouble);
    stores_init(&cluster->stores);
    lock_init(&cluster->members.lock);
    lock_init(&cluster->take_lock);
    lock_init(&cluster->lock);
    signal_init(&cluster->work);
    signal_init(&cluster->changed);
    cluster->commands.applied = -1;
    return cluster;
}

static void cluster_notify(void *context, TopicPartition where) {
    KafkaCluster *cluster = context;
    storage_notify(cluster->storage, where, 0);
}

static ErrCode cluster_open(KafkaCluster *cluster, Err *err) {
    assert(!cluster->admin);
    TRY(kafka_admin_open(cluster->config, &cluster->trouble, KAFKA_ADMIN_TIMEOUT_MS,
                         &cluster->admin, err));
    TRY(commands_open(cluster, err));
    kafka_admin_hasten(cluster->admin);
    KafkaReaderOptions reading = {.admin = cluster->admin,
                                  .trouble = &cluster->trouble,
                                  .notify = cluster_notify,
                                  .context = cluster};
    TRY(kafka_reader_open(cluster->config, &reading, &cluster->reader, err));
    cluster->slots = mem_array(cluster->slot_count, sizeof *cluster->slots);
    cluster->group_seen = mem_array(cluster->slot_count, sizeof *cluster->group_seen);
    for (uint32_t i = 0; i < cluster->slot_count; i++)
        slot_init(&cluster->slots[i], cluster, i);
    control_open(cluster);
    thread_open(cluster);
    return ERR_OK;
}

ErrCode kafka_cluster_open(const KafkaConfig *config, Storage *storage, Cluster **cluster,
                           Err *err) {
    assert(config && storage);
    kill_point_arm();
    KafkaCluster *opened = cluster_new(config, storage);
    patience_begin(storage, &opened->trouble, 0);
    ErrCode code = cluster_open(opened, err);
    patience_end();
    if (code == ERR_OK)
        *cluster = &opened->cluster;
    else
        kafka_cluster_close(&opened->cluster);
    return code;
}

void kafka_cluster_stop(Cluster *base) {
    thread_close(self(base));
    control_close(self(base));
    if (self(base)->reader)
        kafka_reader_stop(self(base)->reader);
}

void kafka_cluster_close(Cluster *base) {
    if (!base)
        return;
    KafkaCluster *cluster = self(base);
    kafka_cluster_stop(base);
    members_leave(cluster);
    commands_close(cluster);
    kafka_reader_close(cluster->reader);
    kafka_admin_close(cluster->admin);
    for (uint32_t i = 0; cluster->slots && i < cluster->slot_count; i++)
        slot_free(&cluster->slots[i]);
    mem_free(cluster->slots);
    mem_free(cluster->group_seen);
    for (size_t i = 0; i < cluster->group_count; i++)
        mem_free(cluster->groups[i].group);
    mem_free(cluster->groups);
    mem_free(cluster->drops);
    stores_free(&cluster->stores);
    kafka_trouble_close(&cluster->trouble);
    signal_close(&cluster->changed);
    signal_close(&cluster->work);
    lock_close(&cluster->lock);
    lock_close(&cluster->take_lock);
    lock_close(&cluster->members.lock);
    mem_free(cluster);
}

/* == Asked by the engine ====================================================================== */

void kafka_cluster_on_end(Cluster *base, KafkaEndFn *end, void *arg) {
    KafkaCluster *cluster = self(base);
    lock_take(&cluster->lock);
    cluster->end = end;
    cluster->end_arg = arg;
    lock_release(&cluster->lock);
}

ErrCode kafka_cluster_state(Cluster *cluster, Err *err) {
    return cluster_check(self(cluster), err);
}

ErrCode kafka_cluster_trouble(Cluster *cluster, int64_t *since_ms, Err *err) {
    return kafka_trouble_now(&self(cluster)->trouble, since_ms, err);
}

KafkaAdmin *kafka_cluster_admin(Cluster *cluster) {
    return self(cluster)->admin;
}
