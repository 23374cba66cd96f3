/*
 * admin_impl.h - the inside of admin: a request, and its answer on a queue of its own.
 */
#ifndef KAFKA_ADMIN_IMPL_H
#define KAFKA_ADMIN_IMPL_H

#include "kafka/admin.h"

struct KafkaAdmin {
    KafkaClient *client;
    rd_kafka_t *handle; /* the client's */
    int timeout_ms;
    bool hasty; /* what is asked while no broker answers is given up soon */
};

typedef struct AdminRequest {
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event; /* the answer; NULL: none yet */
} AdminRequest;

/* begin, librdkafka's call with options and queue, wait, read the event, end (in any case). */
ErrCode kafka_admin_begin(KafkaAdmin *admin, rd_kafka_admin_op_t op, AdminRequest *request,
                          Err *err);
ErrCode kafka_admin_wait(KafkaAdmin *admin, AdminRequest *request, const char *what, Err *err);
void kafka_admin_end(AdminRequest *request);

/* When a call that begins now has had its time; and whether it is worth asking again: the
 * connection broke, or another broker is to be asked. Pauses before it says so. */
int64_t kafka_admin_end_us(int timeout_ms);
bool kafka_admin_again(KafkaAdmin *admin, ErrCode code, int64_t end_us);

#endif
