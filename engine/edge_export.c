/*
 * edge_export.c - the exporter of a source with BROKER='name': see edge.h.
 *
 * Where it is, the cluster knows: the position goes there in the transaction of the records. Our
 * topic is only read.
 */
#include <assert.h>

#include "base/mem.h"
#include "engine/edge_impl.h"
#include "kafka/export.h"

enum {
    EXPORT_NAP_US = 20000,
    EXPORT_FETCH_BYTES = 1 << 20,
    EXPORT_COMMIT_BYTES = 4 << 20,
};

/* The records of a block from the position on; the position is behind them then. */
static ErrCode export_block(Edge *edge, KafkaExport *export, uint32_t partition, Bytes bytes,
                            Err *err) {
    assert(partition < edge->partitions);
    while (bytes.size > 0) {
        RecordIter iter;
        LogRecord record;
        uint32_t size;
        TRY(record_batch_size(bytes, &size, err));
        record_iter_init(&iter, (Bytes){bytes.data, size});
        while (record_iter_next(&iter, &record)) {
            if (record.offset < edge->next[partition])
                continue;
            TRY(kafka_export_send(export, partition, &record, err));
            edge->pending++;
        }
        int64_t end = record_batch_end(bytes);
        edge->next[partition] = end > edge->next[partition] ? end : edge->next[partition];
        bytes = (Bytes){bytes.data + size, bytes.size - size};
    }
    return ERR_OK;
}

static void export_nap(Edge *edge) {
    lock_take(&edge->lock);
    if (!atomic_load(&edge->stop))
        (void)signal_wait_for(&edge->changed, &edge->lock, EXPORT_NAP_US);
    lock_release(&edge->lock);
}

/* One look at all partitions, one transaction. */
static ErrCode export_step(Edge *edge, KafkaExport *export, Err *err) {
    Storage *storage = edge->edges->storage;
    uint64_t bytes = 0;
    int64_t lag = 0;
    edge->pending = 0;
    for (uint32_t i = 0; i < edge->partitions; i++) {
        uint32_t p = (edge->turn + i) % edge->partitions;
        TopicPartition where = {edge->topic_id, p};
        LogBlock *block = NULL;
        int64_t start, end;
        TRY(log_offsets(storage, where, &start, &end, err));
        if (edge->next[p] < start)
            edge->next[p] = start;
        if (bytes < EXPORT_COMMIT_BYTES)
            TRY(log_fetch(storage, where, edge->next[p], EXPORT_FETCH_BYTES, &block, err));
        if (block) {
            bytes += log_block_bytes(block).size;
            ErrCode code = export_block(edge, export, p, log_block_bytes(block), err);
            log_block_unref(block);
            TRY(code);
        }
        lag += end > edge->next[p] ? end - edge->next[p] : 0;
    }
    if (edge->pending == 0) {
        atomic_store(&edge->lag, lag);
        export_nap(edge);
        return ERR_OK;
    }
    edge->turn++; /* with much to do the last ones have their turn too */
    TRY(kafka_export_commit(export, edge->next, err));
    atomic_fetch_add(&edge->records, edge->pending);
    atomic_store(&edge->lag, lag);
    edge_well(edge);
    return ERR_OK;
}

/* More cannot have been given than there is, unless the folder is an old copy of itself. */
static ErrCode export_check(Edge *edge, Err *err) {
    for (uint32_t p = 0; p < edge->partitions; p++) {
        TopicPartition where = {edge->topic_id, p};
        int64_t start, end;
        TRY(log_offsets(edge->edges->storage, where, &start, &end, err));
        if (edge->next[p] > end)
            return err_set(err, ERR_CLUSTER_CHANGED,
                           "topic %s, partition %u ends at offset %lld, and the cluster was "
                           "given all to %lld: this folder is older than what it has written",
                           edge->topic, p, (long long)end, (long long)edge->next[p]);
    }
    return ERR_OK;
}

ErrCode edge_export_run(Edge *edge, Err *err) {
    KafkaExport *export;
    Storage *storage = edge->edges->storage;
    Buf name = {0}; /* a topic made anew begins anew, and so does one of another folder */
    buf_printf(&name, "%s-%u-%.8s", edge->name, edge->topic_id, storage_uuid(storage));
    KafkaExportOptions options = {.topic = edge->topic, .partitions = edge->partitions,
                                  .name = buf_cstr(&name), .config = edge->config_of_topic,
                                  .stop = &edge->stop};
    ErrCode code = kafka_export_open(edge->config, &options, edge->next, &export, err);
    buf_free(&name);
    TRY(code);
    code = export_check(edge, err);
    if (code == ERR_OK)
        edge_well(edge);
    while (code == ERR_OK && !atomic_load(&edge->stop))
        code = export_step(edge, export, err);
    kafka_export_close(export);
    return code;
}
