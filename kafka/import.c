/* import.c - see import.h. */
#include "kafka/import.h"

#include <assert.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kafka/kill_point.h"
#include "kafka/reader.h"

enum { IMPORT_TIMEOUT_MS = 10000, IMPORT_CONNECT_MS = 3000 };

struct KafkaImport {
    const KafkaConfig *config;
    const char *topic;
    KafkaTrouble trouble;
    KafkaAdmin *admin;
    KafkaReader *reader;
    uint32_t partitions;
    int64_t grown_ms; /* since when it is known to have more; 0: it has not */
    Lock lock;
    Signal signal;
    bool arrived;
};

/* On a thread of librdkafka. */
static void import_arrived(void *context, TopicPartition where) {
    (void)where;
    kafka_import_wake(context);
}

void kafka_import_wake(KafkaImport *import) {
    assert(import);
    lock_take(&import->lock);
    import->arrived = true;
    signal_all(&import->signal);
    lock_release(&import->lock);
}

static TopicPartition import_where(uint32_t partition) {
    return (TopicPartition){1, partition}; /* the reader has one topic */
}

/* Whether it can be the topic that was read before. */
static ErrCode import_check(KafkaImport *import, const int64_t *next, uint32_t partitions,
                            Err *err) {
    KafkaTopic found;
    KafkaOffsets offsets[PARTITIONS_MAX];
    char cluster_id[KAFKA_CLUSTER_ID_SIZE];
    TRY(kafka_client_connect(kafka_admin_client(import->admin), import->config,
                             IMPORT_CONNECT_MS, cluster_id, err)); /* says why it cannot */
    TRY(kafka_admin_topic(import->admin, import->topic, &found, err));
    if (found.partitions < partitions)
        return err_set(err, ERR_TOPIC_DELETED, "topic %s has %u partitions now, and had %u",
                       import->topic, found.partitions, partitions);
    import->partitions = partitions;
    if (found.partitions > partitions)
        import->grown_ms = io_posix()->ops->now_ms(io_posix());
    TRY(kafka_admin_offsets(import->admin, import->topic, partitions, offsets, err));
    for (uint32_t p = 0; p < partitions; p++)
        if (next[p] > offsets[p].end)
            return err_set(err, ERR_TOPIC_DELETED,
                           "topic %s, partition %u ends at offset %lld, and was read to %lld",
                           import->topic, p, (long long)offsets[p].end, (long long)next[p]);
    return ERR_OK;
}

static ErrCode import_begin(KafkaImport *import, const KafkaConfig *config, const int64_t *next,
                            uint32_t partitions, Err *err) {
    TRY(kafka_admin_open(config, &import->trouble, IMPORT_TIMEOUT_MS, &import->admin, err));
    TRY(import_check(import, next, partitions, err));
    KafkaReaderOptions options = {.admin = import->admin, .trouble = &import->trouble,
                                  .notify = import_arrived, .context = import};
    return kafka_reader_open(config, &options, &import->reader, err);
}

ErrCode kafka_import_open(const KafkaConfig *config, const char *topic, const int64_t *next,
                          uint32_t partitions, KafkaImport **import, Err *err) {
    assert(config && topic && next);
    assert(partitions > 0 && partitions <= PARTITIONS_MAX);
    kill_point_arm();
    KafkaImport *opened = mem_alloc(sizeof *opened);
    opened->config = config;
    opened->topic = topic;
    lock_init(&opened->lock);
    signal_init(&opened->signal);
    kafka_trouble_init(&opened->trouble);
    ErrCode code = import_begin(opened, config, next, partitions, err);
    if (code != ERR_OK)
        kafka_import_close(opened);
    else
        *import = opened;
    return code;
}

void kafka_import_close(KafkaImport *import) {
    if (!import)
        return;
    if (import->reader) {
        kafka_reader_stop(import->reader);
        kafka_reader_close(import->reader);
    }
    kafka_admin_close(import->admin);
    kafka_trouble_close(&import->trouble);
    signal_close(&import->signal);
    lock_close(&import->lock);
    mem_free(import);
}

ErrCode kafka_import_state(KafkaImport *import, int64_t *since_ms, Err *err) {
    assert(import->reader);
    TRY(kafka_reader_topic_state(import->reader, import->topic, since_ms, err));
    if (import->grown_ms == 0)
        return ERR_OK;
    *since_ms = import->grown_ms;
    return err_set(err, ERR_PARTITIONS_GROWN, "topic %s has more partitions than the %u that are "
                   "copied: DROP and CREATE it to have all", import->topic, import->partitions);
}

ErrCode kafka_import_fetch(KafkaImport *import, uint32_t partition, int64_t *offset,
                           LogBlock **block, Err *err) {
    assert(offset && block);
    ClusterOffsets offsets;
    *block = NULL;
    ErrCode code = kafka_reader_fetch(import->reader, import->topic, import_where(partition),
                                      *offset, block, err);
    if (code != ERR_NOT_FOUND)
        return code;
    TRY(kafka_reader_offsets(import->reader, import->topic, import_where(partition), true,
                             &offsets, err));
    if (*offset < offsets.start)
        *offset = offsets.start;
    return ERR_OK;
}

ErrCode kafka_import_end(KafkaImport *import, uint32_t partition, bool fresh, int64_t *end,
                         Err *err) {
    assert(end);
    ClusterOffsets offsets;
    TRY(kafka_reader_offsets(import->reader, import->topic, import_where(partition), fresh,
                             &offsets, err));
    *end = offsets.end;
    return ERR_OK;
}

void kafka_import_wait(KafkaImport *import, int64_t timeout_us) {
    assert(timeout_us > 0);
    lock_take(&import->lock);
    if (!import->arrived)
        (void)signal_wait_for(&import->signal, &import->lock, timeout_us);
    bool idle = !import->arrived;
    import->arrived = false;
    lock_release(&import->lock);
    if (idle)
        kafka_reader_tick(import->reader);
}

ErrCode kafka_topic_partitions(const KafkaConfig *config, const char *topic, uint32_t *partitions,
                               Err *err) {
    assert(partitions);
    KafkaTrouble trouble;
    KafkaAdmin *admin;
    KafkaTopic found;
    kafka_trouble_init(&trouble);
    ErrCode code = kafka_admin_open(config, &trouble, IMPORT_TIMEOUT_MS, &admin, err);
    if (code == ERR_OK) {
        code = kafka_admin_topic(admin, topic, &found, err);
        kafka_admin_close(admin);
    }
    if (code == ERR_OK)
        *partitions = found.partitions;
    kafka_trouble_close(&trouble);
    return code;
}
