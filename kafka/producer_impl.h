/*
 * producer_impl.h - commits become records of a producer: what is sent together, and what came of
 * it.
 *
 *   bundle_add()...  bundle_produce() until all is handed over  rd_kafka_poll()  bundle_clear()
 *
 * Records are not copied: their values lie in the commits, which therefore live until every record
 * is answered for (waiting == 0) or its producer is closed. The order within a partition is that of
 * the commits and of the items in them.
 *
 * Reports are of each append, and of each store in each commit: where its records came to lie.
 */
#ifndef KAFKA_PRODUCER_IMPL_H
#define KAFKA_PRODUCER_IMPL_H

#include "kafka/client.h"
#include "kafka/positions_impl.h"
#include "kafka/stores_impl.h"
#include "storage/cluster.h"

typedef struct Bundle Bundle;

typedef struct BundleReport {
    Bundle *bundle;
    uint32_t commit;      /* index in the bundle */
    uint32_t store_id;    /* STORE_SYSTEM: of an append, or of positions */
    TopicPartition where; /* a store's changelog */
    uint32_t records;     /* produced */
    uint32_t answered;
    int64_t base_offset, last_offset; /* -1: not known */
} BundleReport;

struct Bundle {
    Commit **commits;
    size_t count, capacity;
    size_t bytes;

    Arena *arena; /* reports, encoded positions */
    BundleReport **reports; /* in order of commit, then of item */
    size_t report_count, report_capacity;

    const PositionTable *known; /* before it; NULL: none */
    PositionTable changes;      /* of the commits handed over so far */
    size_t changes_sent;
    SlotMark mark;         /* what its positions say; seq 0: they are not sent */
    uint32_t slot;         /* whose mark that is */

    /* Where bundle_produce() is. */
    size_t commit_at;
    CommitItems items;
    CommitItem item;
    RecordIter records;
    LogRecord record;
    bool walking, has_item, has_record;
    BundleReport *report;

    uint64_t waiting; /* records without an answer */
    bool failed;      /* a record was refused: nothing of the bundle is to count */
    uint32_t failed_commit;
    Err error;        /* why, the first */
};

/* Topics by id, as a producer knows them. */
typedef struct ProducerTopic {
    uint32_t id;
    rd_kafka_topic_t *topic;
} ProducerTopic;

typedef struct Producer {
    KafkaClient *client; /* NULL: closed */
    uint32_t timeout_ms; /* of transactions; 0: the configuration's */
    Storage *storage;
    StoreTable *stores;
    ProducerTopic *topics;
    size_t topic_count, topic_capacity;
    size_t topic_last; /* used last */
    const char *positions_topic;
    int32_t positions_partition;
    rd_kafka_topic_t *positions;
    Buf key;
} Producer;

/* transactional_id NULL: idempotent only. */
ErrCode producer_open(Producer *producer, const KafkaConfig *config, KafkaTrouble *trouble,
                      const char *transactional_id, Err *err);
/* Whatever is under way is dropped, and no commit is looked at afterwards. */
void producer_close(Producer *producer);

void bundle_add(Bundle *bundle, Commit *commit);

/* Hands over about `budget` records; *done: all are. BUSY: the library's queue is full, poll and
 * call again. Any other error: bundle->failed is set. */
ErrCode bundle_produce(Bundle *bundle, Producer *producer, uint32_t budget, bool *done, Err *err);

/* The same of the positions: after the rest. bundle->mark says which transaction. */
ErrCode bundle_produce_positions(Bundle *bundle, Producer *producer, bool *done, Err *err);

/* Ends each commit. accept: with the offsets that are known. Afterwards the bundle is empty. */
void bundle_accept(Bundle *bundle);
void bundle_reject(Bundle *bundle, const Err *cause);
void bundle_free(Bundle *bundle);

/* One record; BUSY: the library's queue is full. */
typedef struct Outgoing {
    rd_kafka_topic_t *topic;
    uint32_t partition;
    const LogRecord *record;
    void *report; /* for the delivery */
    bool is_now;  /* its time is that of its writing */
    bool copied;  /* its bytes are the caller's again */
} Outgoing;
ErrCode outgoing_produce(rd_kafka_t *handle, const Outgoing *out, Err *err);

/* KafkaDeliveredFn of every producer. */
void bundle_delivered(void *context, const rd_kafka_message_t *message);

#endif
