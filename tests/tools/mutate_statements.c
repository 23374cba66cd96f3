/*
 * mutate_statements.c - the engine answers every statement, whatever it says, and what it keeps can
 * be opened again.
 *
 * usage: mutate_statements [N] [SEED]
 *
 * Executes N statements on engines in memory: of a table of its own, with words swapped, left out,
 * doubled, or taken from other statements, so that most of them parse and many are nearly right.
 * Rows are inserted in between, queries run, and the engine is closed and opened on the same bytes.
 * Each statement must succeed, or fail with a text and a code that is not "internal", at a place
 * inside of it; opening must always succeed. Built with sanitizers, that is the proof. The last
 * line is PROVED or FAILED why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/testkit.h"

enum { WORDS_MAX = 400, LIFE = 60 }; /* words of a statement; statements of one engine */

static const char *const world[] = {
    "CREATE STREAM s (k STRING KEY, a INT, b STRING, d DECIMAL(4, 2), m MAP<STRING, INT>,"
    " r ARRAY<INT>, u STRUCT<f INT, g STRING>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
    "CREATE STREAM h (k INT KEY, v INT, x ARRAY<STRUCT<key STRING, value BYTES>> HEADERS)"
    " WITH (KAFKA_TOPIC='h', VALUE_FORMAT='DELIMITED', PARTITIONS=2);",
    "CREATE TABLE t (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
    "CREATE STREAM w (k STRING KEY, v INT)"
    " WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 MINUTE');",
};

static const char *const seeds[] = {
    "CREATE STREAM o AS SELECT k , a + 1 AS a , b FROM s WHERE a > 1 EMIT CHANGES ;",
    "CREATE OR REPLACE STREAM o AS SELECT k , a * 2 AS a , b , d FROM s WHERE b IS NOT NULL ;",
    "CREATE OR REPLACE STREAM o WITH ( KEY_FORMAT = 'JSON' ) AS SELECT * FROM s PARTITION BY a ,"
    " b ;",
    "CREATE TABLE c AS SELECT k , COUNT ( * ) AS n , SUM ( a ) AS a FROM s GROUP BY k ;",
    "CREATE OR REPLACE TABLE c AS SELECT k , COUNT ( * ) AS n , SUM ( a ) AS a FROM s WHERE a > 0"
    " GROUP BY k HAVING COUNT ( * ) > 1 ;",
    "CREATE TABLE v AS SELECT a , COUNT ( * ) AS n FROM s WINDOW TUMBLING ( SIZE 1 MINUTE )"
    " GROUP BY a ;",
    "CREATE TABLE t2 AS SELECT k , v + 1 AS v FROM t WHERE v > 0 ;",
    "CREATE OR REPLACE TABLE t2 AS SELECT k , v , v * 2 AS z FROM t ;",
    "CREATE STREAM j AS SELECT s . k AS k , a , v FROM s LEFT JOIN t ON s . k = t . k ;",
    "CREATE STREAM wo AS SELECT k , v , WINDOWSTART AS ws FROM w WHERE WINDOWEND > '2020-01-01' ;",
    "CREATE STREAM hh AS SELECT k , v , x [ 1 ] -> key AS y FROM h ;",
    "CREATE STREAM x ( k INT KEY , v BIGINT , p price ) WITH ( KAFKA_TOPIC = 'x' , VALUE_FORMAT ="
    " 'JSON' , PARTITIONS = 1 , TIMESTAMP = 'v' ) ;",
    "CREATE OR REPLACE STREAM x ( k INT KEY , v BIGINT , p price , q STRING )"
    " WITH ( KAFKA_TOPIC = 'x' , VALUE_FORMAT = 'JSON' ) ;",
    "CREATE SOURCE TABLE st ( k STRING PRIMARY KEY , v INT ) WITH ( KAFKA_TOPIC = 't' ,"
    " VALUE_FORMAT = 'JSON' ) ;",
    "CREATE SOURCE STREAM IF NOT EXISTS ss ( k STRING KEY ) WITH ( KAFKA_TOPIC = 's' , FORMAT ="
    " 'KAFKA' ) ;",
    "ALTER STREAM s ADD COLUMN n1 INT , ADD n2 STRUCT < a INT , b ARRAY < STRING > > ;",
    "ALTER TABLE t ADD n1 DOUBLE ;",
    "INSERT INTO s ( k , a , b ) VALUES ( 'x' , 1 , UCASE ( 'y' ) ) ;",
    "INSERT INTO t ( ROWTIME , k , v ) VALUES ( 5 , 'x' , 1 ) ;",
    "INSERT INTO h ( k , v ) VALUES ( 1 , 2 ) ;",
    "INSERT INTO o WITH ( QUERY_ID = 'q1' ) SELECT k , v AS a , 'x' AS b FROM w ;",
    "INSERT INTO o SELECT k , a , b FROM s WHERE a IN ( 1 , 2 , 3 ) ;",
    "SELECT * FROM c WHERE k = 'x' ;",
    "SELECT n , k FROM v WHERE a = 1 AND WINDOWSTART >= 0 ORDER BY n DESC LIMIT 3 ;",
    "SELECT k , CASE WHEN a > 1 THEN 'x' ELSE b END AS y FROM s EMIT CHANGES LIMIT 1 ;",
    "EXPLAIN SELECT k , r [ 1 ] , m [ 'x' ] , u -> f FROM s EMIT CHANGES ;",
    "EXPLAIN CSAS_O_0 ;",
    "CREATE TYPE price AS DECIMAL ( 8 , 2 ) ;",
    "CREATE TYPE IF NOT EXISTS price AS STRUCT < a INT > ;",
    "DROP TYPE IF EXISTS price ;",
    "DROP STREAM IF EXISTS o DELETE TOPIC ;",
    "DROP TABLE c ;",
    "DROP STREAM x ;",
    "TERMINATE CSAS_O_0 ;",
    "TERMINATE ALL ;",
    "PAUSE CTAS_C_1 ;",
    "RESUME ALL ;",
    "DEFINE name = 'o' ;",
    "CREATE STREAM ${name} AS SELECT k , '${name}' AS n FROM s ;",
    "UNDEFINE name ;",
    "SET 'ksql.create.or.replace.enabled' = 'true' ;",
    "SET 'auto.offset.reset' = 'latest' ;",
    "UNSET 'auto.offset.reset' ;",
    "ASSERT NOT EXISTS TOPIC o WITH ( PARTITIONS = 1 ) TIMEOUT 1 SECONDS ;",
    "DESCRIBE s EXTENDED ;",
    "SHOW QUERIES ;",
};

enum { SEEDS = sizeof seeds / sizeof *seeds, WORLD = sizeof world / sizeof *world };

/* xorshift64: the same run for the same seed on every machine. */
static uint64_t state;

static size_t pick(size_t count) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return count == 0 ? 0 : (size_t)(state % count);
}

static uint32_t split(char *text, char **words) {
    uint32_t count = 0;
    for (char *word = strtok(text, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
        words[count++] = word;
    return count;
}

/* One change of the words of a statement by those of another. */
static void change(char **words, uint32_t *count, char *const *others, uint32_t other_count) {
    size_t at = pick(*count), from = pick(other_count), size = 1 + pick(3);
    switch (pick(4)) {
    case 0: /* another word */
        words[at] = others[from];
        break;
    case 1: /* some left out */
        if (*count <= size + at)
            break;
        memmove(words + at, words + at + size, (*count - at - size) * sizeof *words);
        *count -= (uint32_t)size;
        break;
    case 2: /* some put in */
        if (from + size > other_count || *count + size > WORDS_MAX)
            break;
        memmove(words + at + size, words + at, (*count - at) * sizeof *words);
        memcpy(words + at, others + from, size * sizeof *words);
        *count += (uint32_t)size;
        break;
    default: { /* two swapped */
        size_t second = pick(*count);
        char *word = words[at];
        words[at] = words[second];
        words[second] = word;
    }
    }
}

static void make_statement(Buf *out) {
    char first[2000], second[2000];
    char *words[WORDS_MAX], *others[WORDS_MAX];
    snprintf(first, sizeof first, "%s", seeds[pick(SEEDS)]);
    snprintf(second, sizeof second, "%s", seeds[pick(SEEDS)]);
    uint32_t count = split(first, words), other_count = split(second, others);
    for (size_t changes = pick(4); changes > 0 && count > 0; changes--)
        change(words, &count, others, other_count);
    buf_reset(out);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

typedef struct Tally {
    unsigned long good, refused, restarts;
    const char *failure;
} Tally;

static void check(Tally *tally, ErrCode code, const Err *err, const Buf *text) {
    tally->good += code == ERR_OK;
    tally->refused += code != ERR_OK;
    if (code == ERR_OK)
        return;
    if (code == ERR_INTERNAL || err->code != code)
        tally->failure = "a statement met an internal error";
    else if (err->message[0] == '\0')
        tally->failure = "an error has no text";
    else if (err->line > 1 || err->column > text->size + 1)
        tally->failure = "the place of an error is not in the statement";
}

/* One engine's life. */
static void live(Tally *tally, Buf *text) {
    Testkit *kit = NULL;
    Err err = {0};
    if (testkit_new(&(TestkitOptions){0}, &kit, &err) != ERR_OK)
        tally->failure = "an engine does not open";
    for (uint32_t i = 0; i < WORLD && !tally->failure; i++)
        if (testkit_execute(kit, world[i], NULL, &err) != ERR_OK)
            tally->failure = "the first statements fail";
    for (uint32_t i = 0; i < LIFE && !tally->failure; i++) {
        make_statement(text);
        err = (Err){0};
        check(tally, testkit_execute(kit, buf_cstr(text), NULL, &err), &err, text);
        if (!tally->failure && pick(8) == 0 && testkit_run(kit, &err) != ERR_OK)
            tally->failure = "the queries do not run";
        if (!tally->failure && pick(20) == 0) {
            tally->restarts++;
            if (testkit_restart(kit, &err) != ERR_OK)
                tally->failure = "the engine does not open again";
        }
    }
    if (tally->failure)
        printf("%s\n%s: %s\n", buf_cstr(text), err_name(err.code), err.message);
    testkit_free(kit);
}

int main(int argc, char **argv) {
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    Tally tally = {0};
    Buf text = {0};
    state = seed * 0x9E3779B97F4A7C15u + 1;
    while (tally.good + tally.refused < count && !tally.failure)
        live(&tally, &text);
    buf_free(&text);
    printf("%lu statements, %lu executed, %lu refused, %lu restarts\n", tally.good + tally.refused,
           tally.good, tally.refused, tally.restarts);
    printf("%s%s\n", tally.failure ? "FAILED " : "PROVED", tally.failure ? tally.failure : "");
    return tally.failure ? 1 : 0;
}
