/*
 * client.h - handles of librdkafka, made from the configuration.
 *
 * All of them are opened here, so that what Weir's promises rest on (read_committed, manual
 * partitions, idempotence, sums checked) cannot be forgotten in one place. What librdkafka logs
 * becomes trouble (trouble.h), never a line on standard error.
 */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include "kafka/config.h"
#include "kafka/trouble.h"

typedef enum KafkaRole {
    KAFKA_READ,    /* consumer for what comes: waits for records at the broker */
    KAFKA_CATCH_UP, /* consumer for what is there, and admin calls: short waits */
    KAFKA_WRITE,   /* producer */
} KafkaRole;

typedef struct KafkaClient KafkaClient;

/* A record was written, or not (message->err). From rd_kafka_poll() or flush() of the handle. */
typedef void KafkaDeliveredFn(void *context, const rd_kafka_message_t *message);

typedef struct KafkaClientOptions {
    KafkaRole role;
    const char *transactional_id; /* of a producer; NULL: idempotent without transactions */
    uint32_t transaction_timeout_ms; /* 0: the configuration's */
    KafkaDeliveredFn *delivered;  /* of a producer; NULL: nobody asks */
    void *context;
    KafkaTrouble *trouble; /* outlives the client; NULL: it has its own */
} KafkaClientOptions;

struct KafkaClient {
    rd_kafka_t *handle;
    KafkaTrouble *trouble, own;
    KafkaDeliveredFn *delivered;
    void *context;
};

/* Connects to nothing yet. SEMANTIC: a property is wrong, without its value if it is secret. */
ErrCode kafka_client_open(const KafkaConfig *config, const KafkaClientOptions *options,
                          KafkaClient **client, Err *err);

/* Whether this librdkafka looks at a queue that was full only a second later. */
bool kafka_client_fills_late(void);

/* May take as long as a request under way. What is not yet delivered is dropped. */
void kafka_client_close(KafkaClient *client); /* NULL is allowed */

/* Waits for an answer of the cluster; its id in `cluster_id`. The error says why there is none. */
enum { KAFKA_CLUSTER_ID_SIZE = 64 };
ErrCode kafka_client_connect(KafkaClient *client, const KafkaConfig *config, int timeout_ms,
                             char cluster_id[KAFKA_CLUSTER_ID_SIZE], Err *err);

#endif
