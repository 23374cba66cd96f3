/*
 * message.h - a message of librdkafka as a record of the log.
 */
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include <librdkafka/rdkafka.h>

#include "storage/record_batch.h"

/* Bytes are the message's, headers are written to `headers` (which is emptied): borrowed until
 * either goes. */
void kafka_message_record(const rd_kafka_message_t *message, Buf *headers, LogRecord *record);

#endif
