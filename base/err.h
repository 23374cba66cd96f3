/*
 * err.h - how a failure is named, carried and classified.
 *
 * A function that can fail returns ErrCode and takes `Err *err` as its last parameter.
 * On ERR_OK it has not touched *err. Otherwise it has filled *err once, at the place where the
 * cause was known; callers pass it up unread. Err is a plain value of fixed size, so reporting
 * "out of memory" needs no memory and nobody frees an error.
 *
 * Four kinds of trouble travel four roads:
 *
 *   a bug in this program   assert()              the process stops here
 *   a bad statement         ErrCode, up the C stack       engine/ answers the client
 *   a bad record            RowErrors, with the batch     data/row_error.h; never up the C stack
 *   a bad environment       ErrCode, up to the task       err_action() says: retry, restart, fail
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

typedef enum ErrAction {
    ERR_ACTION_NONE,           /* not an error */
    ERR_ACTION_FAIL_STATEMENT, /* tell the client; nothing has changed */
    ERR_ACTION_RETRY,          /* transient: back off and call again */
    ERR_ACTION_FAIL_QUERY,     /* the query goes to state ERROR; others keep running */
    ERR_ACTION_STOP_ENGINE,    /* nothing more can be promised durable: every call returns this */
} ErrAction;

/* The one list of codes is base/err.def. */

/* Ignoring an ErrCode is a build error. C11 cannot mark a type, so gcc checks this in `make tidy`
 * (-std=c2x -fsyntax-only); it also sees calls through OpOps and its like. */
#if defined(__clang__)
#define ERR_MUST_CHECK __attribute__((warn_unused_result))
#elif __STDC_VERSION__ > 201710L
#define ERR_MUST_CHECK [[nodiscard]]
#else
#define ERR_MUST_CHECK
#endif

typedef enum ERR_MUST_CHECK ErrCode {
#define ERR_CODE(name, text, action, http, ksql) ERR_##name,
#include "base/err.def"
#undef ERR_CODE
} ErrCode;

/* Room for a caret line and a list of alternatives; longer texts end in "...". */
enum { ERR_MESSAGE_SIZE = 1008 };

typedef struct Err {
    ErrCode code;
    uint32_t line;   /* position in the statement text, 1-based; 0: no position */
    uint32_t column; /* in characters, 1-based */
    char message[ERR_MESSAGE_SIZE];
} Err;

_Static_assert(sizeof(Err) <= 1024, "an Err must stay cheap to keep on the stack");

/* err_set() fills *err (without a position) and is `code`, so that a caller can write
 * `return err_set(err, ERR_TYPE, "...", ...)`. A message too long for Err is cut and ends in "...".
 * A macro, because a compiler that sees the code knows that it is not ERR_OK. */
#define err_set(err, code, ...) (err_report((err), (code), 0, 0, __VA_ARGS__), (ErrCode)(code))

/* The same with a position: line and column are 1-based. */
#define err_set_at(err, code, line, column, ...) \
    (err_report((err), (code), (line), (column), __VA_ARGS__), (ErrCode)(code))

void err_report(Err *err, ErrCode code, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* What the one who gets this code must do about it. */
ErrAction err_action(ErrCode code);
const char *err_name(ErrCode code); /* "unknown_name"; static string */
int err_http_status(ErrCode code);
int err_ksql_code(ErrCode code);

/* The only three control-flow macros of the code base. */

/* Hand the failure straight to our caller. Use where there is nothing to clean up. */
#define TRY(call)                   \
    do {                            \
        ErrCode try_code_ = (call); \
        if (try_code_ != ERR_OK)    \
            return try_code_;       \
    } while (0)

/* Go to the clean-up label `done`; needs a local `ErrCode code`. */
#define TRY_DONE(call)      \
    do {                    \
        code = (call);      \
        if (code != ERR_OK) \
            goto done;      \
    } while (0)

/* In clean-up: remember this failure only if it is the first. */
#define KEEP_FIRST(call)             \
    do {                             \
        ErrCode keep_code_ = (call); \
        if (code == ERR_OK)          \
            code = keep_code_;       \
    } while (0)

#endif
