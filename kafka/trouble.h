/*
 * trouble.h - what is wrong with a cluster now, as a state with a name; and the one place where
 * librdkafka's errors become ours.
 *
 * Names and meanings: trouble.def. Retriable ones are ErrCodes whose action is RETRY, so that the
 * runtime waits them out.
 */
#ifndef KAFKA_TROUBLE_H
#define KAFKA_TROUBLE_H

#include <librdkafka/rdkafka.h>

#include "base/err.h"
#include "base/thread.h"

/* RUNTIME for a code that no row names. */
ErrCode kafka_error_code(rd_kafka_resp_err_t code);

/* The code as ours, and in *err what was tried ("Topic orders") with librdkafka's words. */
#define kafka_error(err, code, ...)             \
    ((code) == RD_KAFKA_RESP_ERR_NO_ERROR       \
         ? ERR_OK                               \
         : (kafka_error_report((err), (code), __VA_ARGS__), kafka_error_code(code)))
void kafka_error_report(Err *err, rd_kafka_resp_err_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of an error object, which is destroyed; NULL: ERR_OK. */
ErrCode kafka_error_take(rd_kafka_error_t *error, const char *what, Err *err);

/* "" for a code without a row. Static strings. */
const char *kafka_trouble_meaning(ErrCode code);
const char *kafka_trouble_retried(ErrCode code);

/* Whether a record is the cause, not the cluster: others can be written. */
bool kafka_trouble_is_of_record(ErrCode code);

/* What is wrong now with one cluster; safe from any thread. */
typedef struct KafkaTrouble {
    Lock lock;
    ErrCode code;     /* OK: nothing */
    int64_t since_ms; /* wall clock */
    char text[256];
} KafkaTrouble;

void kafka_trouble_init(KafkaTrouble *trouble);
void kafka_trouble_close(KafkaTrouble *trouble);

/* `since` stays while the code does. NULL for trouble is allowed: nothing is noted. */
void kafka_trouble_note(KafkaTrouble *trouble, ErrCode code, const char *text);
void kafka_trouble_note_new(KafkaTrouble *trouble, ErrCode code, const char *text); /* if none is */
void kafka_trouble_over(KafkaTrouble *trouble);

/* A copy of what is wrong: in *err, with *since_ms; OK: nothing is. */
ErrCode kafka_trouble_now(KafkaTrouble *trouble, int64_t *since_ms, Err *err);

#endif
