/* reader.c - see reader.h. */
#include "kafka/reader.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "storage/log.h"

struct KafkaReader {
    Storage *storage;
    KafkaAdmin *admin;
};

ErrCode kafka_reader_open(const KafkaConfig *config, Storage *storage, KafkaTrouble *trouble,
                          KafkaAdmin *admin, KafkaReader **reader, Err *err) {
    assert(config && trouble && err);
    *reader = mem_alloc(sizeof **reader);
    **reader = (KafkaReader){storage, admin};
    return ERR_OK;
}

void kafka_reader_close(KafkaReader *reader) {
    mem_free(reader);
}

ErrCode kafka_reader_fetch(KafkaReader *reader, const char *name, TopicPartition where,
                           int64_t offset, LogBlock **block, Err *err) {
    assert(reader && block);
    (void)offset;
    *block = NULL;
    return err_set(err, ERR_UNSUPPORTED, "topic %s, partition %u cannot be read yet", name,
                   where.partition);
}

ErrCode kafka_reader_offsets(KafkaReader *reader, const char *name, TopicPartition where,
                             bool fresh, ClusterOffsets *offsets, Err *err) {
    KafkaOffsets found[PARTITIONS_MAX];
    assert(where.partition < PARTITIONS_MAX);
    (void)fresh;
    TRY(kafka_admin_offsets(reader->admin, name, where.partition + 1, found, err));
    *offsets = (ClusterOffsets){found[where.partition].start, found[where.partition].end};
    return ERR_OK;
}
