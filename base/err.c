/* err.c - see err.h. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct ErrRow {
    const char *text;
    ErrAction action;
    int http_status;
    int ksql_code;
} ErrRow;

static const ErrRow err_rows[] = {
#define ERR_CODE(name, text, action, http, ksql) {text, ERR_ACTION_##action, http, ksql},
#include "base/err.def"
#undef ERR_CODE
};

void err_report(Err *err, ErrCode code, uint32_t line, uint32_t column, const char *format, ...) {
    assert(err);
    assert(code != ERR_OK);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (size >= (int)sizeof err->message)
        memcpy(err->message + sizeof err->message - 4, "...", 4);
    err->line = line;
    err->column = column;
    err->code = code;
}

static const ErrRow *err_row(ErrCode code) {
    assert((unsigned)code < sizeof err_rows / sizeof err_rows[0]);
    return &err_rows[code];
}

ErrAction err_action(ErrCode code) {
    return err_row(code)->action;
}

const char *err_name(ErrCode code) {
    return err_row(code)->text;
}

int err_http_status(ErrCode code) {
    return err_row(code)->http_status;
}

int err_ksql_code(ErrCode code) {
    return err_row(code)->ksql_code;
}
