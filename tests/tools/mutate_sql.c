/*
 * mutate_sql.c - the parser never crashes, whatever the text, and what it reads it can print.
 *
 * usage: mutate_sql [N] [SEED]
 *
 * Takes N times a statement of its own table and changes it: bytes flipped, cut, copied, swapped,
 * words of the language put in, quotes and zero bytes. Each text is parsed as a script with and
 * without additions; every statement that is read must go round through its printed text, every
 * error must have a code, a position and a text, and the parser must get on. Built with
 * sanitizers, that is the proof. The last line is PROVED or FAILED why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "grammar/ast_print.h"
#include "grammar/parse.h"

static const char *const seeds[] = {
    "SELECT * FROM s;",
    "SELECT a, b AS c, s.*, d->*, COUNT(*) FROM s x LEFT JOIN t AS y WITHIN (1 HOUR, 2 DAYS) GRACE "
    "PERIOD 3 MINUTES ON x.a = y.a WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 5 MINUTES, RETENTION 1 "
    "DAY, GRACE PERIOD 0 SECONDS) WHERE a > 1.5e3 AND NOT b IS NULL GROUP BY (a, b->c[1]) "
    "PARTITION BY a HAVING SUM(a) <> -1 EMIT CHANGES LIMIT 10;",
    "SELECT CASE WHEN a = 1 THEN 'x''y' ELSE `q``r` END, ARRAY[1, 2][-1], MAP('a' := 1.), "
    "STRUCT(a := TRUE, \"b\" := NULL) FROM s WHERE a NOT IN (1, 2) OR b LIKE '%' ESCAPE '!' OR c "
    "NOT BETWEEN .5 AND 1e9 OR d IS NOT DISTINCT FROM e AT TIME ZONE 'utc';",
    "SELECT TRANSFORM(m, (k, v) => k || '!', (k, v) => v * 2 % 3), REDUCE(a, 0, (s, x) => s + x), "
    "DATEADD(DAYS, 1, d), CAST(a AS DECIMAL(10, 2)), DECIMAL '1.20', ${var}, 1r0 FROM `my-s`;",
    "CREATE OR REPLACE STREAM IF NOT EXISTS s (k STRING KEY, a ARRAY<STRUCT<x INT, y MAP<STRING, "
    "DECIMAL(4, 2)>>>, b VARCHAR(10), h BYTES HEADER('k'), t DOUBLE ARRAY) WITH (kafka_topic = "
    "'t', 'partitions' = 3, x = -1.5, y = NULL, z = false);",
    "CREATE TABLE t WITH (a = 1) AS SELECT k, COUNT(*) n FROM s WINDOW SESSION (1 HOUR) GROUP BY "
    "k;",
    "CREATE SOURCE TABLE t (k INT PRIMARY KEY) WITH (kafka_topic='t');",
    "INSERT INTO s (a, b) VALUES (1, -(2), 'c');  INSERT INTO s WITH (q='1') SELECT * FROM t;",
    "CREATE TYPE t AS STRUCT<a INT>; DROP TYPE IF EXISTS t; CREATE SINK CONNECTOR c WITH ('a'=1);",
    "DROP STREAM IF EXISTS s DELETE TOPIC; ALTER TABLE t ADD COLUMN a INT, ADD b STRUCT<>;",
    "SHOW ALL TOPICS EXTENDED; LIST QUERIES; DESCRIBE FUNCTION f; DESCRIBE TABLES EXTENDED;",
    "EXPLAIN ANALYZE SELECT 1; EXPLAIN q; TERMINATE ALL; PAUSE q; RESUME q; PRINT 'a' FROM "
    "BEGINNING INTERVAL 2 LIMIT 3;",
    "SET 'a'='b'; UNSET 'a'; DEFINE x = 'it''s'; UNDEFINE select; ALTER SYSTEM 'a'='b';",
    "ASSERT NOT EXISTS TOPIC t WITH (a=1) TIMEOUT 3 SECONDS; ASSERT SCHEMA SUBJECT s ID 3;",
    "ASSERT VALUES s (a) VALUES (1); ASSERT NULL VALUES s (k) KEY (1); RUN SCRIPT 'f';",
    "SELECT a FROM s ORDER BY a DESC, b LIMIT 1 OFFSET 2; COPY s FROM '-' (FORMAT csv, HEADER);",
    "CREATE OR REPLACE FUNCTION f(a INT, b MAP<STRING, INT>) RETURNS INT AS a + b['x'];"
    "CREATE FUNCTION IF NOT EXISTS g() RETURNS STRING LANGUAGE LUA AS $$ return '$;' $$;"
    "DROP FUNCTION IF EXISTS f(INT, MAP<STRING, INT>);",
    "-- comment\n/* another\n */ SELECT 'a\nb', \"\xC3\xA4\xF0\x9F\x98\x80\" -- end\n FROM s;\n",
    "SELECT ((((((((((a)))))))))), f(f(f(f(f(1))))), - - - +1, NOT NOT NOT a FROM s;",
};

static const char *const words[] = {
#define KEYWORD(word, token, class) #word,
#include "grammar/keyword.def"
#undef KEYWORD
    "'", "\"", "`", "(", ")", "[", "]", "<", ">", ",", ";", "->", "=>", ":=", "--", "/*", "*/",
    "${", "${x}", "$$", "$", "1", "1.5", "1e9", "''", "a", "*", "-", "=", "\n", "\xC3", "((((",
    "ARRAY<", ".",
};

enum { SEED_COUNT = sizeof seeds / sizeof seeds[0], WORD_COUNT = sizeof words / sizeof words[0] };

/* xorshift64: the same run for the same seed on every machine. */
static uint64_t chance(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t pick(uint64_t *state, size_t count) {
    return count == 0 ? 0 : (size_t)(chance(state) % count);
}

/* Puts `size` bytes in at `at`. */
static void insert(Buf *text, size_t at, const void *bytes, size_t size) {
    buf_room(text, size);
    memmove(text->data + at + size, text->data + at, text->size - at);
    memcpy(text->data + at, bytes, size);
    text->size += size;
}

static void cut(Buf *text, size_t at, size_t size) {
    if (size > text->size - at)
        size = text->size - at;
    memmove(text->data + at, text->data + at + size, text->size - at - size);
    text->size -= size;
}

static void mutate_once(Buf *text, uint64_t *state) {
    size_t at = pick(state, text->size + 1);
    char copy[64];
    size_t size = pick(state, sizeof copy);
    const char *word = words[pick(state, WORD_COUNT)];
    switch (pick(state, 8)) {
    case 0:
        if (at < text->size)
            text->data[at] ^= (uint8_t)(1u << pick(state, 8));
        break;
    case 1:
        if (at < text->size)
            text->data[at] = (uint8_t)chance(state);
        break;
    case 2:
        cut(text, at, size);
        break;
    case 3:
        text->size = at;
        break;
    case 4: /* a piece of the text once more, somewhere else */
        if (size > text->size - at)
            size = text->size - at;
        memcpy(copy, text->data + at, size);
        insert(text, pick(state, text->size + 1), copy, size);
        break;
    case 5:
        insert(text, at, " ", 1);
        insert(text, at, word, strlen(word));
        insert(text, at, " ", 1);
        break;
    case 6: /* a word in the place of another */
        while (at < text->size && text->data[at] != ' ')
            at++;
        cut(text, at, 1 + pick(state, 8));
        insert(text, at, word, strlen(word));
        break;
    default:
        insert(text, at, word, strlen(word));
        break;
    }
}

typedef struct Tally {
    unsigned long texts, statements, errors;
    const char *failure;
} Tally;

static void check_round(Tally *tally, const AstStatement *statement, bool extensions,
                        Arena *arena) {
    Buf out = {0};
    ast_print_statement(&out, statement);
    Parser parser = {
        .script = buf_view(&out), .extensions = extensions, .last_may_lack_semicolon = true};
    const AstStatement *again = NULL;
    Err err = {0};
    if (parse_next(&parser, arena, &again, &err) != ERR_OK || !again)
        tally->failure = "a printed statement does not parse";
    else if (!ast_equal_statement(statement, again))
        tally->failure = "a printed statement is another one";
    if (tally->failure)
        printf("%s\n%s\n", buf_cstr(&out), err.message);
    buf_free(&out);
}

static void check_text(Tally *tally, Bytes text, bool extensions) {
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = text, .extensions = extensions};
    char open;
    (void)parse_is_complete(text, &open);
    tally->texts++;
    while (!tally->failure) {
        uint32_t before = parser.offset;
        const AstStatement *statement = NULL;
        Err err = {0};
        ErrCode code = parse_next(&parser, statement_arena, &statement, &err);
        if (code == ERR_OK && !statement)
            break;
        if (parser.offset <= before)
            tally->failure = "the parser does not get on";
        tally->statements += code == ERR_OK;
        tally->errors += code != ERR_OK;
        if (code == ERR_OK)
            check_round(tally, statement, extensions, statement_arena);
        else if (code != err.code || err.message[0] == '\0' || err.line == 0 || err.column == 0 ||
                 (code != ERR_SYNTAX && code != ERR_LIMIT))
            tally->failure = "an error without a code, a place or a text";
    }
    if (!tally->failure && parser.offset != text.size)
        tally->failure = "the parser ends before the text";
    arena_free(statement_arena);
}

int main(int argc, char **argv) {
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    Tally tally = {0};
    Buf text = {0};
    for (unsigned long i = 0; i < count && !tally.failure; i++) {
        buf_reset(&text);
        buf_text(&text, seeds[pick(&state, SEED_COUNT)]);
        for (size_t changes = pick(&state, 5); changes > 0; changes--)
            mutate_once(&text, &state);
        /* The end of the memory is the end of the text: reading on is seen. */
        Buf exact = {0};
        exact.data = malloc(text.size + (text.size == 0));
        if (!exact.data)
            return 2;
        if (text.size > 0)
            memcpy(exact.data, text.data, text.size);
        check_text(&tally, (Bytes){exact.data, (uint32_t)text.size}, i % 2 == 0);
        free(exact.data);
        if (tally.failure)
            printf("text %lu of seed %lu: %s\n%.*s\n", i, seed, tally.failure, (int)text.size,
                   (const char *)text.data);
    }
    buf_free(&text);
    printf("%lu texts, %lu statements read and printed, %lu errors\n", tally.texts,
           tally.statements, tally.errors);
    if (tally.failure)
        printf("FAILED %s\n", tally.failure);
    else
        puts("PROVED");
    return tally.failure != NULL;
}
