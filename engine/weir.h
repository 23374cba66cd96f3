/*
 * weir.h - Weir inside your program.
 *
 *   Weir *weir;
 *   WeirError error;
 *   if (weir_open("./data", NULL, &weir, &error) != WEIR_OK) ...      NULL: in memory
 *   WeirResult *result;
 *   weir_execute(weir, "SELECT * FROM scores WHERE id = 'a';", &result, &error);
 *   while (weir_next(result, -1, &error) == WEIR_ROW)
 *       printf("%s\n", weir_text(result, 0));
 *   weir_result_free(result);
 *   weir_close(weir);
 *
 * Conventions. Functions that can fail return a WeirStatus and fill *error (which may be NULL).
 * Texts are UTF-8, end in NUL, and are borrowed: until the next weir_next() on the same result, or
 * as said. One Weir may be used by several threads; one WeirResult by one thread, except that
 * weir_cancel() may come from any thread or a signal handler. Settings (SET) and variables (DEFINE)
 * belong to the Weir, not to a thread.
 */
#ifndef ENGINE_WEIR_H
#define ENGINE_WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VERSION "0.1.0"

typedef struct Weir Weir;
typedef struct WeirResult WeirResult;

typedef enum WeirStatus {
    WEIR_OK,
    WEIR_ROW,     /* weir_next: a row is there */
    WEIR_END,     /* weir_next: there are no more */
    WEIR_WAITING, /* weir_next: none came in time; ask again */
    WEIR_FAILED,  /* *error says why */
} WeirStatus;

typedef struct WeirError {
    char code[24];      /* "syntax", "unknown_name", ... */
    uint32_t line;      /* 1-based position in the text; 0: none */
    uint32_t column;
    uint32_t statement; /* 0-based index of the statement in the script */
    char message[1008];
} WeirError;

/* How far a statement is that takes long: COPY. */
typedef struct WeirWork {
    const char *what;     /* "COPY flights" */
    uint64_t rows;        /* so far */
    uint64_t done, total; /* bytes or records; total 0: not known */
    bool over;            /* the last call of this statement */
} WeirWork;

typedef struct WeirOptions {
    uint32_t workers;   /* threads that run queries; 0: one per core */
    bool os_durability; /* write without sync: survives kill -9, not a power cut */
    bool from_latest;   /* new queries start at the end of their topics, not at the beginning */
    const char *udf_dir; /* folder of shared objects for functions in C (udf/weir_udf.h); one for
                            the whole process. NULL: there are none */
    /* HOST:PORT,...: topics are this Kafka cluster's, and the folder keeps the local state; "": the
     * configuration says which cluster. NULL: topics are the folder's. */
    const char *kafka;
    const char *kafka_config; /* a file of properties (docs/kafka.md); may be NULL */
    /* Hints and warnings, on the thread of the call that gives rise to them; may be NULL. It must
     * not call back into the Weir. */
    void (*notice)(void *context, const char *text);
    void *notice_context;
    /* Some times a second while a statement, or weir_open(), waits for a Kafka cluster: `why` is
     * what is wrong with it, in words; NULL: nothing that is known. On any thread. false: it is to
     * wait no longer. May be NULL: then weir_interrupt() ends it. */
    bool (*waits)(void *context, const char *why);
    void *waits_context;
    /* Some times a second while a statement takes long, likewise; may be NULL. */
    void (*progress)(void *context, const WeirWork *work);
    void *progress_context;
} WeirOptions;

/* Opens or makes the data folder (one process at a time); NULL: everything in memory. Queries that
 * ran before go on where their last commit was. options may be NULL. */
WeirStatus weir_open(const char *folder, const WeirOptions *options, Weir **weir,
                     WeirError *error);

/* OK, or why nothing can be done any more: a disk that failed; code "fenced": a newer process of
 * the service runs over the same Kafka cluster. To be asked now and then by who waits. */
WeirStatus weir_state(Weir *weir, WeirError *error);

/* OK, or what is wrong with the Kafka cluster now: the code has its name, the message since when
 * and why. Never waits. */
WeirStatus weir_trouble(Weir *weir, WeirError *error);

/* Stops all queries at their last commit and closes. All results must have been freed. */
void weir_close(Weir *weir);

/* Executes the statements of a script one after the other; *result (result may be NULL) is the
 * last one's. Stops at the first that fails. The last ';' may be missing. */
WeirStatus weir_execute(Weir *weir, const char *sql, WeirResult **result, WeirError *error);

/* The same, one statement at a time: executes the statement at `next` and moves `next` behind it.
 * WEIR_END: there was none left. Zero everything but `sql` at the start. */
typedef struct WeirScript {
    const char *sql;
    size_t size;           /* bytes; 0: up to its NUL */
    size_t next;           /* bytes */
    uint32_t line, column; /* of `next` */
    uint32_t executed;     /* statements so far */
    uint64_t once;         /* of weir_skip_executed() */
} WeirScript;

WeirStatus weir_execute_next(Weir *weir, WeirScript *script, WeirResult **result,
                             WeirError *error);

/* Moves the script behind its next statement if the service of the Kafka cluster has executed that
 * one before, and the process did not give it itself: for scripts that say what is to be there.
 * *skipped: it has. INSERT and COPY too: one that was asked about is remembered together with its
 * rows; where a script has the same one twice, each. */
WeirStatus weir_skip_executed(Weir *weir, WeirScript *script, bool *skipped, WeirError *error);

/* The version of librdkafka. */
const char *weir_kafka_version(void);

/* Ends the statements that are being executed now, with code "cancelled": a COPY, a lookup that
 * waits. What they committed stays. From any thread or a signal handler. Rows of a push query are
 * ended by weir_cancel(). */
void weir_interrupt(Weir *weir);

/* Whether the text ends a statement (its last token is ';'). Otherwise *open is what is still open:
 * one of ' " ` ( * (a comment) or '-' (just the ';' is missing). For prompts. */
bool weir_is_complete(const char *sql, char *open);

/* A ready CREATE STREAM for a topic or a file (ndjson, csv; "-": standard input, whose bytes are
 * kept for the next reader), its types guessed from the first 1,000 rows: the result's message.
 * `name` of the stream; NULL: made from `what`. */
WeirStatus weir_suggest(Weir *weir, const char *what, const char *name, WeirResult **result,
                        WeirError *error);

/* A piece of SQL text, for colours and completion; the text may be incomplete. */
typedef enum WeirTokenKind {
    WEIR_TOKEN_BLANK,
    WEIR_TOKEN_COMMENT,
    WEIR_TOKEN_KEYWORD,
    WEIR_TOKEN_NAME,
    WEIR_TOKEN_QUOTED, /* a name in quotes */
    WEIR_TOKEN_STRING,
    WEIR_TOKEN_NUMBER,
    WEIR_TOKEN_VARIABLE, /* ${name} */
    WEIR_TOKEN_SYMBOL,
    WEIR_TOKEN_BAD, /* a character that starts nothing */
} WeirTokenKind;

typedef struct WeirToken {
    WeirTokenKind kind;
    size_t end; /* bytes, behind it */
    bool open;  /* a quote or a comment that is not closed */
} WeirToken;

/* The piece that begins at byte `from`; false at the end of the text. */
bool weir_token(const char *sql, size_t size, size_t from, WeirToken *token);

/* How statements are written; false behind the last. */
typedef struct WeirStatement {
    const char *name, *help, *syntax, *example;
} WeirStatement;
bool weir_statement(uint32_t index, WeirStatement *statement);

/* The keywords in alphabetical order; NULL behind the last. */
const char *weir_keyword(uint32_t index);

/* -- Results -------------------------------------------------------------------------------- */

/* What was done, in words ("Stream created"); "" where the rows say it. Until the result is
 * freed. */
const char *weir_message(const WeirResult *result);

/* Whether rows may go on for ever (a push query, PRINT). */
bool weir_is_push(const WeirResult *result);

uint32_t weir_column_count(const WeirResult *result); /* 0: the statement has no rows */
const char *weir_column_name(const WeirResult *result, uint32_t column);
const char *weir_column_type(const WeirResult *result, uint32_t column); /* "BIGINT" */

/* Moves to the next row; waits up to timeout_ms for a push query's (-1: for ever). */
WeirStatus weir_next(WeirResult *result, int64_t timeout_ms, WeirError *error);

bool weir_is_null(const WeirResult *result, uint32_t column);
bool weir_boolean(const WeirResult *result, uint32_t column);
int64_t weir_integer(const WeirResult *result, uint32_t column); /* also TIME DATE TIMESTAMP */
double weir_double(const WeirResult *result, uint32_t column);   /* any number */

/* The value as people read it; NULL for NULL. Nested values as JSON. */
const char *weir_text(WeirResult *result, uint32_t column);
/* The value as JSON. */
const char *weir_json(WeirResult *result, uint32_t column);
/* The present row as one JSON object keyed by column name. */
const char *weir_json_row(WeirResult *result);

/* Whether the column is of the key under which a push query's table has one row each. */
bool weir_is_key(const WeirResult *result, uint32_t column);

/* PRINT: its rows also come as the lines that ksqlDB prints. weir_print_formats() says what formats
 * fit the keys and values so far, in one line each, as far as it was not said before: to be shown
 * in front of the present row. */
bool weir_is_print(const WeirResult *result);
const char *weir_print_formats(WeirResult *result);
const char *weir_print_line(WeirResult *result);

/* Whether the present row says that its key was deleted (push queries on tables). */
bool weir_is_delete(const WeirResult *result);

/* Runs a push query, to which nobody has listened yet, over all that its sources hold now, and
 * drops its rows where they come into being: what the query itself costs. *rows: how many. */
WeirStatus weir_discard(WeirResult *result, int64_t timeout_ms, uint64_t *rows, WeirError *error);

/* The id of the query that the statement has made; NULL: none. */
const char *weir_made_query(const WeirResult *result);

/* How far a push query is, or the query that the statement has made; false: there is none. */
typedef struct WeirProgress {
    uint64_t rows_in;    /* records read */
    uint64_t row_errors; /* of them could not be used */
    uint64_t late_rows;  /* came too late for their windows */
    uint64_t no_match;   /* rows that found no other side in a join */
    int64_t lag;         /* records not read yet */
    uint64_t rate;       /* records read in the last second */
} WeirProgress;
bool weir_progress(const WeirResult *result, WeirProgress *progress);

/* EXPLAIN ANALYZE: whether the figures of its rows may still change. weir_next() gives the rows
 * once; for a statement it waits until that has ended. */
bool weir_is_live(const WeirResult *result);

/* The figures of now: the result's rows are made anew, without waiting, and weir_next() begins at
 * the first. Names and types of columns are to be asked for again. END: not such a result. */
WeirStatus weir_refresh(WeirResult *result, WeirError *error);

/* What a push query (or the one that EXPLAIN ANALYZE shows) left out, or gave NULLs for, so far and
 * why, in words; "" for nothing. */
const char *weir_warnings(WeirResult *result);

/* Whether a push query has processed all that its sources hold. weir_next() has all rows of that
 * already: when it finds none now, there are none. */
bool weir_is_caught_up(WeirResult *result);

/* In words, for a push query that has given no rows: what its topics hold and where it began. */
const char *weir_hint(WeirResult *result);

/* Makes a waiting or later weir_next() fail with code "cancelled". */
void weir_cancel(WeirResult *result);
void weir_result_free(WeirResult *result); /* NULL is allowed */

/* -- Inserting ------------------------------------------------------------------------------ */

/* Appends rows given as JSON objects, one a line, to a stream or table: all of them durable, or
 * none. Member names are column names, in any case; so is `source`, where no other has exactly this
 * name. The error of a bad row names its line. */
WeirStatus weir_insert(Weir *weir, const char *source, const char *json_rows, WeirError *error);

/* Waits until every query has processed what its sources hold now. */
WeirStatus weir_catch_up(Weir *weir, int64_t timeout_ms, WeirError *error);

#ifdef __cplusplus
}
#endif

#endif
