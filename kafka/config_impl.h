/*
 * config_impl.h - the inside of the configuration: lines of the file, and errors that name them.
 */
#ifndef KAFKA_CONFIG_IMPL_H
#define KAFKA_CONFIG_IMPL_H

#include "kafka/config.h"

typedef struct ConfigLine {
    const char *where; /* the file, "environment", "command line" */
    uint32_t line;     /* 0: none */
    const char *key, *value;
} ConfigLine;

typedef ErrCode ConfigLineFn(void *context, const ConfigLine *line, Err *err);

/* Hands each `key=value` of the file on; what was read is wiped. */
ErrCode kafka_config_read(const char *path, ConfigLineFn *take, void *context, Err *err);

/* SEMANTIC: "where:line: key " and what is wrong with it. */
#define kafka_config_bad(line, err, ...) \
    (kafka_config_report((line), (err), __VA_ARGS__), (ErrCode)ERR_SEMANTIC)
void kafka_config_report(const ConfigLine *line, Err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool kafka_config_is_bootstrap(const char *text);

/* Frees a text whose bytes nobody is to find again; NULL is allowed. */
void kafka_config_wipe(char *text);

#endif
