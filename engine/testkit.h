/*
 * testkit.h - the engine on a memory log and a clock that stands still: what tests are made of.
 *
 * A kit is an engine without threads. Topics are filled and read as text: JSON trees for
 * conformance cases, the format's own text for .test files. Nothing here knows expected results.
 */
#ifndef ENGINE_TESTKIT_H
#define ENGINE_TESTKIT_H

#include "base/buf.h"
#include "engine/engine.h"
#include "engine/json_tree.h"

typedef struct Testkit Testkit;

typedef struct TestkitOptions {
    uint32_t step_rows;    /* 0: BATCH_ROWS_MAX */
    bool conformance;      /* one partition, no additions, queries run one after the other */
    bool consolidate;      /* one output per key and commit (the default of running engines) */
    const char *folder;    /* on disk, for kits that are killed; NULL: in memory */
    const char *kafka;     /* HOST:PORT of the cluster that has the topics; NULL: the log is ours */
    const char *kafka_service; /* ksql.service.id there */
} TestkitOptions;

ErrCode testkit_new(const TestkitOptions *options, Testkit **kit, Err *err);
void testkit_free(Testkit *kit); /* NULL is allowed */

Weir *testkit_weir(Testkit *kit);

/* Closes the engine and opens it again on the same bytes. */
ErrCode testkit_restart(Testkit *kit, Err *err);

void testkit_set_clock(Testkit *kit, int64_t now_ms);

/* Makes a topic where there is none. */
ErrCode testkit_topic(Testkit *kit, const char *name, uint32_t partitions, Err *err);

/* Executes every statement of the text; *failed (may be NULL) is the index of the one that did. */
ErrCode testkit_execute(Testkit *kit, const char *sql, uint32_t *failed, Err *err);

/* A record of a source's topic. Key and value are JSON (tree or text of the format) or none. */
typedef struct TestkitRecord {
    const char *topic;
    Bytes key;     /* JSON text; data NULL: null */
    Bytes value;
    int64_t timestamp;
    int64_t window_start, window_end; /* of a windowed key */
    char window;                      /* 0 none, 't' time, 's' session */
    Bytes headers;                    /* encoded; data NULL: none */
} TestkitRecord;

/* Turns JSON into bytes in the formats of the source over that topic, and appends. `text`: key and
 * value are not JSON but already what a person would write in that format ("one,101"). */
ErrCode testkit_append(Testkit *kit, const TestkitRecord *record, bool text, Err *err);

/* Runs until there is nothing left to do (not for conformance kits). */
ErrCode testkit_run(Testkit *kit, Err *err);

/* Bad rows that a query has counted; false: no such query. */
bool testkit_row_errors(Testkit *kit, const char *query_id, uint64_t *count);

/* Conformance: gives each query, in statement order, the appended records of its topics, in the
 * order of testkit_append(), each processed to the end. *failed: the query's number. */
ErrCode testkit_run_queries(Testkit *kit, uint32_t *failed, Err *err);

/* -- Conformance kits in a folder: killed and opened again --------------------------------- */

/* The records appended, in order: what a kit that goes on with the folder must be given. It gives
 * each query what the positions in the folder say was not processed yet. */
const QueryScriptItem *testkit_arrivals(const Testkit *kit, size_t *count);
void testkit_set_arrivals(Testkit *kit, const QueryScriptItem *items, size_t count);

/* How many records the queries will be given, each one's added. */
uint64_t testkit_item_count(const Testkit *kit);

/* testkit_run_queries() ends the process by SIGKILL: at the nth change of a file after so many
 * records, or at its end. */
void testkit_die(Testkit *kit, uint64_t items, uint64_t nth_change);

/* -- Answers as JSON: cases of ksqlDB's REST interface ------------------------------------- */

/* Whether a statement is answered with rows. */
bool testkit_is_query(const char *sql);

/* Executes one statement; a push query begins, and its rows wait. */
ErrCode testkit_ask(Testkit *kit, const char *sql, WeirResult **result, Err *err);

/* {"admin":entity}; false: the statement has none, and nothing was put. */
bool testkit_answer_admin(WeirResult *result, Buf *out);

/* {"query":[header,row,...,finalMessage]}: what there is, and for a push query what comes of what
 * its sources hold. */
ErrCode testkit_answer_query(Testkit *kit, WeirResult *result, Buf *out, Err *err);

/* Record number `index` (over all partitions, by partition) of a topic as JSON text in `arena`;
 * *found false: there are not so many. With `text`, keys and values are in .test notation. */
typedef struct TestkitRead {
    const char *topic;
    uint32_t index;
    bool text;
    Arena *arena;
} TestkitRead;

ErrCode testkit_read(Testkit *kit, const TestkitRead *read, TestkitRecord *record, bool *found,
                     Err *err);

/* The number of the topic's first record that no test has looked at yet, to be moved on by whoever
 * looks: `out` lines and ASSERT VALUES. The pointer is valid until the next call. */
uint32_t *testkit_unread(Testkit *kit, const char *topic);
/* Topic number `index` of those that were asked for above; NULL: there are not so many. */
const char *testkit_looked_at(const Testkit *kit, size_t index);

/* {"TOPIC":[{"key":..},...],...} of every topic that a query writes, or INSERT VALUES. */
ErrCode testkit_topics_json(Testkit *kit, Buf *out, Err *err);
/* [{"name":..,"type":..,"schema":..,"keyFormat":{..},"valueFormat":{..}},...] */
void testkit_sources_json(Testkit *kit, Buf *out);

#endif
