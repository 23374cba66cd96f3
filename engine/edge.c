/* edge.c - see edge.h: the edges there are, and the importer. The exporter is edge_export.c. */
#include "engine/edge_impl.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kafka/kill_point.h"

enum {
    EDGE_WAIT_US = 200000,
    EDGE_LOOK_US = 20000,
    EDGE_RETRY_US = 1000000,
    EDGE_RETRY_MAX_US = 60000000,
    EDGE_BATCH_BYTES = 512 << 10,
    EDGE_COMMIT_BYTES = 4 << 20,
};

/* -- Import ------------------------------------------------------------------------------------ */

/* The records of a block from the position on, in batches of the commit; the position is behind
 * them then. */
static ErrCode import_block(Edge *edge, uint32_t partition, Bytes bytes, Commit *commit, Err *err) {
    TopicPartition where = {edge->topic_id, partition};
    RecordBatch batch = {0};
    uint32_t size;
    while (bytes.size > 0) {
        ErrCode code = record_batch_size(bytes, &size, err);
        if (code != ERR_OK) {
            record_batch_free(&batch);
            return code;
        }
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, (Bytes){bytes.data, size});
        while (record_iter_next(&iter, &record)) {
            if (record.offset < edge->next[partition])
                continue;
            uint32_t more = record_batch_record_size(&record);
            if (batch.count > 0 && batch.buf.size + more > EDGE_BATCH_BYTES) {
                record_batch_seal(&batch);
                commit_append(commit, where, &batch);
                record_batch_reset(&batch);
            }
            record_batch_add(&batch, &record);
            edge->pending++;
        }
        int64_t end = record_batch_end(bytes);
        edge->next[partition] = end > edge->next[partition] ? end : edge->next[partition];
        bytes = (Bytes){bytes.data + size, bytes.size - size};
    }
    if (batch.count > 0) {
        record_batch_seal(&batch);
        commit_append(commit, where, &batch);
    }
    record_batch_free(&batch);
    return ERR_OK;
}

/* One look at all partitions; *commit has what has come, NULL: nothing. */
static ErrCode import_collect(Edge *edge, KafkaImport *import, Commit **commit, Err *err) {
    for (uint32_t i = 0; i < edge->partitions; i++) {
        uint32_t p = (edge->turn + i) % edge->partitions;
        LogBlock *block;
        int64_t before = edge->next[p];
        TRY(kafka_import_fetch(import, p, &edge->next[p], &block, err));
        if (!block)
            continue;
        if (!*commit)
            *commit = commit_new(edge->edges->storage, 0);
        ErrCode code = import_block(edge, p, log_block_bytes(block), *commit, err);
        log_block_unref(block);
        TRY(code);
        if (edge->next[p] != before)
            commit_position(*commit, edge->topic_id, (TopicPartition){edge->topic_id, p},
                            edge->next[p]);
        if (commit_bytes(*commit) > EDGE_COMMIT_BYTES)
            break;
    }
    edge->turn++; /* with much to do the last ones have their turn too */
    return ERR_OK;
}

static void import_lag(Edge *edge, KafkaImport *import) {
    int64_t lag = 0;
    for (uint32_t p = 0; p < edge->partitions; p++) {
        int64_t end;
        Err ignored; /* the next look says it */
        if (kafka_import_end(import, p, false, &end, &ignored) == ERR_OK && end > edge->next[p])
            lag += end - edge->next[p];
    }
    atomic_store(&edge->lag, lag);
}

/* Somebody waits for what is there now. */
static ErrCode import_answer(Edge *edge, KafkaImport *import, Err *err) {
    uint64_t asked = atomic_load(&edge->asked);
    if (!edge->aims && asked == atomic_load(&edge->answered))
        return ERR_OK;
    for (uint32_t p = 0; p < edge->partitions && !edge->aims; p++)
        TRY(kafka_import_end(import, p, true, &edge->targets[p], err));
    edge->aimed = edge->aims ? edge->aimed : asked;
    edge->aims = true;
    for (uint32_t p = 0; p < edge->partitions; p++)
        if (edge->next[p] < edge->targets[p])
            return ERR_OK;
    edge->aims = false;
    lock_take(&edge->lock);
    atomic_store(&edge->answered, edge->aimed);
    signal_all(&edge->changed);
    lock_release(&edge->lock);
    return ERR_OK;
}

static void import_warn(Edge *edge, KafkaImport *import) {
    Err warning = {.code = ERR_OK};
    int64_t since_ms = 0;
    if (kafka_import_state(import, &since_ms, &warning) == ERR_OK)
        warning.code = ERR_OK;
    lock_take(&edge->lock);
    edge->warning = warning;
    edge->warning_since_ms = since_ms;
    lock_release(&edge->lock);
}

static ErrCode import_step(Edge *edge, KafkaImport *import, Err *err) {
    Commit *commit = NULL;
    TRY(import_answer(edge, import, err));
    edge->pending = 0;
    ErrCode code = import_collect(edge, import, &commit, err);
    if (code != ERR_OK || !commit) {
        commit_drop(commit);
        if (code == ERR_OK) {
            import_lag(edge, import);
            import_warn(edge, import);
            edge_well(edge);
            kafka_import_wait(import, EDGE_WAIT_US);
        }
        return code;
    }
    kill_point_pass(KILL_IMPORT_READ);
    TRY(commit_wait(commit, NULL, err));
    kill_point_pass(KILL_IMPORT_COMMITTED);
    atomic_fetch_add(&edge->records, edge->pending);
    edge_well(edge);
    return ERR_OK;
}

static ErrCode import_run(Edge *edge, Err *err) {
    KafkaImport *import;
    for (uint32_t p = 0; p < edge->partitions; p++) {
        TopicPartition where = {edge->topic_id, p};
        int64_t position = log_position(edge->edges->storage, edge->topic_id, where);
        edge->next[p] = position < 0 ? 0 : position;
    }
    edge->aims = false;
    TRY(kafka_import_open(edge->config, edge->topic, edge->next, edge->partitions, &import,
                          err));
    ErrCode code = ERR_OK;
    while (code == ERR_OK && !atomic_load(&edge->stop))
        code = import_step(edge, import, err);
    kafka_import_close(import);
    return code;
}

void edge_forget(Commit *commit, uint32_t topic_id) {
    commit_positions_drop(commit, topic_id);
}

/* -- One edge ---------------------------------------------------------------------------------- */

void edge_well(Edge *edge) {
    lock_take(&edge->lock);
    edge->retry_count = 0;
    lock_release(&edge->lock);
}

/* Its thread: a session ends with an error, or because it is to stop. */
static void *edge_run(void *arg) {
    Edge *edge = arg;
    Io *io = edge->edges->io;
    int64_t wait_us = EDGE_RETRY_US;
    while (!atomic_load(&edge->stop)) {
        Err err;
        ErrCode code = edge->exports ? edge_export_run(edge, &err) : import_run(edge, &err);
        if (code == ERR_OK)
            continue;
        lock_take(&edge->lock);
        wait_us = edge->retry_count == 0 ? EDGE_RETRY_US : wait_us * 2;
        wait_us = wait_us < EDGE_RETRY_MAX_US ? wait_us : EDGE_RETRY_MAX_US;
        if (edge->retry_count++ == 0)
            edge->since_ms = io->ops->now_ms(io);
        edge->error = err;
        edge->retry_at_us = io->ops->mono_us(io) + wait_us;
        while (!atomic_load(&edge->stop) && io->ops->mono_us(io) < edge->retry_at_us)
            (void)signal_wait_for(&edge->changed, &edge->lock, EDGE_WAIT_US);
        lock_release(&edge->lock);
    }
    return NULL;
}

static void edge_end(Edge *edge) {
    atomic_store(&edge->stop, true);
    lock_take(&edge->lock);
    signal_all(&edge->changed);
    while (edge->users > 0)
        (void)signal_wait_for(&edge->changed, &edge->lock, EDGE_LOOK_US);
    lock_release(&edge->lock);
    thread_join(&edge->thread);
    signal_close(&edge->changed);
    lock_close(&edge->lock);
    mem_free(edge->next);
    mem_free(edge->targets);
    mem_free(edge->name);
    mem_free(edge->topic);
    mem_free(edge);
}

/* -- All of them ------------------------------------------------------------------------------- */

Edges *edges_open(Io *io, Storage *storage, const KafkaConfig *config) {
    Edges *edges = mem_alloc(sizeof *edges);
    edges->io = io;
    edges->storage = storage;
    edges->config = config;
    lock_init(&edges->lock);
    return edges;
}

void edges_close(Edges *edges) {
    if (!edges)
        return;
    for (size_t i = 0; i < edges->count; i++)
        edge_end(edges->edges[i]);
    mem_free(edges->edges);
    lock_close(&edges->lock);
    mem_free(edges);
}

ErrCode edge_config(const Edges *edges, const char *broker, const KafkaConfig **config, Err *err) {
    assert(broker && config);
    *config = edges && edges->config ? kafka_config_cluster(edges->config, broker) : NULL;
    if (*config)
        return ERR_OK;
    return err_set(err, ERR_UNKNOWN_NAME,
                   "There is no cluster '%s' in the configuration: weir --config FILE with the "
                   "line broker.%s.bootstrap.servers=HOST:PORT names one.",
                   broker, broker);
}

ErrCode edge_start(Edges *edges, const Source *source, const TopicConfig *config_of_topic,
                   Err *err) {
    assert(source->broker);
    const KafkaConfig *config;
    LogTopic topic;
    TRY(edge_config(edges, source->broker, &config, err));
    TRY(log_topic_look(edges->storage, source->topic.topic, &topic, err));
    Edge *edge = mem_alloc(sizeof *edge);
    edge->edges = edges;
    edge->config = config;
    edge->name = mem_strdup(source->name);
    edge->topic = mem_strdup(source->topic.topic);
    edge->topic_id = topic.id;
    edge->partitions = topic.partition_count;
    edge->exports = source->query_id != NULL && !source->is_read_only;
    edge->next = mem_array(topic.partition_count, sizeof *edge->next);
    edge->targets = mem_array(topic.partition_count, sizeof *edge->targets);
    edge->config_of_topic = *config_of_topic;
    atomic_init(&edge->lag, -1);
    lock_init(&edge->lock);
    signal_init(&edge->changed);
    lock_take(&edges->lock);
    edges->edges = mem_grow(edges->edges, &edges->capacity, edges->count + 1,
                            sizeof *edges->edges);
    edges->edges[edges->count++] = edge;
    thread_start(&edge->thread, edge->exports ? "export" : "import", edge_run, edge);
    lock_release(&edges->lock);
    return ERR_OK;
}

/* With the lock; NULL: there is none. */
static Edge *edge_find(const Edges *edges, const char *name, size_t *at) {
    for (*at = 0; *at < edges->count; (*at)++)
        if (strcmp(edges->edges[*at]->name, name) == 0)
            return edges->edges[*at];
    return NULL;
}

void edge_stop(Edges *edges, const char *name) {
    size_t at;
    if (!edges)
        return;
    lock_take(&edges->lock);
    Edge *edge = edge_find(edges, name, &at);
    if (edge)
        edges->edges[at] = edges->edges[--edges->count];
    lock_release(&edges->lock);
    if (edge)
        edge_end(edge);
}

/* It stays until this one has gone: edge_end() waits. */
static void edge_await(Edge *edge, int64_t until_us) {
    Io *io = edge->edges->io;
    uint64_t asked = atomic_fetch_add(&edge->asked, 1) + 1;
    lock_take(&edge->lock);
    while (atomic_load(&edge->answered) < asked && edge->retry_count == 0 &&
           !atomic_load(&edge->stop) && io->ops->mono_us(io) < until_us)
        (void)signal_wait_for(&edge->changed, &edge->lock, EDGE_LOOK_US);
    edge->users--;
    lock_release(&edge->lock);
}

void edges_catch_up(Edges *edges, const char *topic, int64_t timeout_ms) {
    if (!edges)
        return;
    int64_t until_us = edges->io->ops->mono_us(edges->io) + timeout_ms * 1000;
    lock_take(&edges->lock);
    Edge *edge = NULL; /* a topic has one importer at most: it was made for it */
    for (size_t i = 0; i < edges->count && !edge; i++)
        if (!edges->edges[i]->exports && strcmp(edges->edges[i]->topic, topic) == 0)
            edge = edges->edges[i];
    if (edge) {
        lock_take(&edge->lock);
        edge->users++;
        lock_release(&edge->lock);
    }
    lock_release(&edges->lock);
    if (edge)
        edge_await(edge, until_us);
}

bool edge_figures(Edges *edges, const char *name, EdgeFigures *figures) {
    size_t at;
    if (!edges)
        return false;
    lock_take(&edges->lock);
    Edge *edge = edge_find(edges, name, &at);
    if (edge) {
        Io *io = edges->io;
        lock_take(&edge->lock);
        *figures = (EdgeFigures){.exports = edge->exports,
                                 .records = atomic_load(&edge->records),
                                 .lag = atomic_load(&edge->lag),
                                 .retry_count = edge->retry_count,
                                 .since_ms = edge->since_ms,
                                 .error = edge->error,
                                 .warning = edge->warning,
                                 .warning_since_ms = edge->warning_since_ms};
        figures->retry_in_ms = (edge->retry_at_us - io->ops->mono_us(io)) / 1000;
        lock_release(&edge->lock);
    }
    lock_release(&edges->lock);
    return edge != NULL;
}
