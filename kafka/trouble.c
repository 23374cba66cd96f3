/*
 * trouble.c - librdkafka's errors as ours, and what is wrong now.
 */
#include "kafka/trouble.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

enum { CODES_MAX = 20 };

typedef struct TroubleRow {
    ErrCode code;
    const char *meaning, *retried;
    int codes[CODES_MAX]; /* up to the first 0 */
} TroubleRow;

static const TroubleRow rows[] = {
#define KAFKA_TROUBLE(code, meaning, retried, ...) {ERR_##code, meaning, retried, {__VA_ARGS__}},
#include "kafka/trouble.def"
#undef KAFKA_TROUBLE
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

ErrCode kafka_error_code(rd_kafka_resp_err_t code) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    for (size_t i = 0; i < ROW_COUNT; i++)
        for (size_t k = 0; k < CODES_MAX && rows[i].codes[k] != 0; k++)
            if (rows[i].codes[k] == (int)code)
                return rows[i].code;
    return ERR_RUNTIME;
}

static void report(Err *err, ErrCode code, const char *what, const char *why) {
    err_report(err, code, 0, 0, "%s: %s", what, why);
}

void kafka_error_report(Err *err, rd_kafka_resp_err_t code, const char *format, ...) {
    char what[ERR_MESSAGE_SIZE / 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    report(err, kafka_error_code(code), what, rd_kafka_err2str(code));
}

ErrCode kafka_error_take(rd_kafka_error_t *error, const char *what, Err *err) {
    if (!error)
        return ERR_OK;
    ErrCode code = kafka_error_code(rd_kafka_error_code(error));
    report(err, code, what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return code;
}

static const TroubleRow *row_of(ErrCode code) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const char *kafka_trouble_meaning(ErrCode code) {
    const TroubleRow *row = row_of(code);
    return row ? row->meaning : "";
}

const char *kafka_trouble_retried(ErrCode code) {
    const TroubleRow *row = row_of(code);
    return row ? row->retried : "";
}

bool kafka_trouble_is_of_record(ErrCode code) {
    return code == ERR_MESSAGE_TOO_LARGE || code == ERR_BAD_RECORD;
}

void kafka_trouble_init(KafkaTrouble *trouble) {
    *trouble = (KafkaTrouble){0};
    lock_init(&trouble->lock);
}

void kafka_trouble_close(KafkaTrouble *trouble) {
    lock_close(&trouble->lock);
}

void kafka_trouble_note(KafkaTrouble *trouble, ErrCode code, const char *text) {
    assert(code != ERR_OK);
    if (!trouble)
        return;
    Io *io = io_posix();
    lock_take(&trouble->lock);
    if (trouble->code != code)
        trouble->since_ms = io->ops->now_ms(io);
    trouble->code = code;
    const char *rest = strstr(text, " (after "); /* in which state of the library */
    (void)snprintf(trouble->text, sizeof trouble->text, "%.*s",
                   rest ? (int)(rest - text) : (int)strlen(text), text);
    lock_release(&trouble->lock);
}

void kafka_trouble_note_new(KafkaTrouble *trouble, ErrCode code, const char *text) {
    int64_t since_ms;
    Err now;
    if (trouble && kafka_trouble_now(trouble, &since_ms, &now) == ERR_OK)
        kafka_trouble_note(trouble, code, text);
}

void kafka_trouble_over(KafkaTrouble *trouble) {
    if (!trouble)
        return;
    lock_take(&trouble->lock);
    trouble->code = ERR_OK;
    trouble->text[0] = '\0';
    lock_release(&trouble->lock);
}

ErrCode kafka_trouble_now(KafkaTrouble *trouble, int64_t *since_ms, Err *err) {
    lock_take(&trouble->lock);
    ErrCode code = trouble->code;
    *since_ms = trouble->since_ms;
    if (code != ERR_OK)
        err_report(err, code, 0, 0, "%s", trouble->text);
    lock_release(&trouble->lock);
    return code;
}
