/*
 * test_parse_error.c - what errors say, word for word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "grammar/parse.h"

typedef struct Case {
    const char *text;
    const char *message;
} Case;

static const Case cases[] = {
    {"SELECT *\nFROM s;\n", NULL},
    {"-- one\nSELECT id FORM s;",
     "line 2:11: Syntax error at or near \"FORM\"\n"
     "  SELECT id FORM s;\n"
     "            ^\n"
     "  Expecting FROM, ',' or AS. Did you mean FROM?"},
    {"SELECT * FROM s WEHRE x = 1;",
     "line 1:17: Syntax error at or near \"WEHRE\"\n"
     "  SELECT * FROM s WEHRE x = 1;\n"
     "                  ^\n"
     "  Expecting AS, JOIN, WINDOW, WHERE, GROUP, PARTITION, HAVING, EMIT, LIMIT or ';'. "
     "Did you mean WHERE?"},
    {"SELECT a FROM s GRUOP BY a;",
     "line 1:17: Syntax error at or near \"GRUOP\"\n"
     "  SELECT a FROM s GRUOP BY a;\n"
     "                  ^\n"
     "  Expecting AS, JOIN, WINDOW, WHERE, GROUP, PARTITION, HAVING, EMIT, LIMIT or ';'. "
     "Did you mean GROUP?"},
    {"SELECT * FROM s EMIT CHANGE;",
     "line 1:22: Syntax error at or near \"CHANGE\"\n"
     "  SELECT * FROM s EMIT CHANGE;\n"
     "                       ^\n"
     "  Expecting CHANGES or FINAL. Did you mean CHANGES?"},
    {"SELCT 1;",
     "line 1:1: Unknown statement \"SELCT\"\n"
     "  SELCT 1;\n"
     "  ^\n"
     "  Did you mean SELECT?"},
    {"HELLO;",
     "line 1:1: Unknown statement \"HELLO\"\n"
     "  HELLO;\n"
     "  ^"},
    {"(1);",
     "line 1:1: Syntax error at or near \"(\"\n"
     "  (1);\n"
     "  ^"},
    {"CREATE STREM s (a INT);",
     "line 1:8: Syntax error at or near \"STREM\"\n"
     "  CREATE STREM s (a INT);\n"
     "         ^\n"
     "  Expecting SINK, SOURCE, TYPE, OR, STREAM or TABLE. Did you mean STREAM?"},
    {"SELECT size FROM s;",
     "line 1:8: \"size\" is a reserved word: as a name it is written `SIZE`\n"
     "  SELECT size FROM s;\n"
     "         ^"},
    {"CREATE STREAM from (a INT);",
     "line 1:15: \"from\" is a reserved word: as a name it is written `FROM`\n"
     "  CREATE STREAM from (a INT);\n"
     "                ^"},
    {"CREATE STREAM select (a INT",
     "line 1:15: \"select\" is a reserved word: as a name it is written `SELECT`\n"
     "  CREATE STREAM select (a INT\n"
     "                ^"},
    {"SELECT id, FROM s;",
     "line 1:12: Syntax error at or near \"FROM\"\n"
     "  SELECT id, FROM s;\n"
     "             ^\n"
     "  Expecting '*' or an expression."},
    {"SELECT a = b = c FROM s;",
     "line 1:14: Syntax error at or near \"=\"\n"
     "  SELECT a = b = c FROM s;\n"
     "               ^\n"
     "  Expecting FROM, ',', AS or a name."},
    {"SELECT (a FROM s;",
     "line 1:11: Syntax error at or near \"FROM\"\n"
     "  SELECT (a FROM s;\n"
     "            ^\n"
     "  Expecting ')' or an operator."},
    {"SELECT a FROM s",
     "line 1:16: Syntax error: the text ends too early\n"
     "  SELECT a FROM s\n"
     "                 ^\n"
     "  Expecting AS, JOIN, WINDOW, WHERE, GROUP, PARTITION, HAVING, EMIT, LIMIT, ';', ..."},
    {"SELECT a,\nb -- c\n\n",
     "line 2:2: Syntax error: the text ends too early\n"
     "  b -- c\n"
     "   ^\n"
     "  Expecting FROM, ',', AS or a name."},
    {"SELECT a FROM s WHERE a WHERE b;",
     "line 1:25: Syntax error at or near \"WHERE\"\n"
     "  SELECT a FROM s WHERE a WHERE b;\n"
     "                          ^\n"
     "  Expecting GROUP, PARTITION, HAVING, EMIT, LIMIT, ';' or an operator."},
    {"SELECT a FROM s LIMIT x;",
     "line 1:23: Value must be integer for command: LIMIT\n"
     "  SELECT a FROM s LIMIT x;\n"
     "                        ^"},
    {"SELECT a FROM s LIMIT 2147483648;",
     "line 1:23: Value must be integer for command: LIMIT\n"
     "  SELECT a FROM s LIMIT 2147483648;\n"
     "                        ^"},
    {"SELECT a FROM s WINDOW TUMBLING (SIZE 9223372036854775808 DAYS);",
     "line 1:39: Invalid numeric literal: 9223372036854775808\n"
     "  SELECT a FROM s WINDOW TUMBLING (SIZE 9223372036854775808 DAYS);\n"
     "                                        ^"},
    {"SELECT a FROM s WINDOW TUMBLING (SIZE 1 HUOR);",
     "line 1:41: Syntax error at or near \"HUOR\"\n"
     "  SELECT a FROM s WINDOW TUMBLING (SIZE 1 HUOR);\n"
     "                                          ^\n"
     "  Expecting a time unit (SECONDS, MINUTES, HOURS, DAYS, ...). Did you mean HOUR?"},
    {"SELECT CAST(a AS NULL) FROM s;",
     "line 1:18: Syntax error at or near \"NULL\"\n"
     "  SELECT CAST(a AS NULL) FROM s;\n"
     "                   ^\n"
     "  Expecting a type."},
    {"CREATE STREAM s (k STRING (KEY));",
     "line 1:28: Syntax error at or near \"KEY\"\n"
     "  CREATE STREAM s (k STRING (KEY));\n"
     "                             ^\n"
     "  Expecting STRING or a whole number."},
    {"CREATE STREAM s WITH (a = b);",
     "line 1:27: Syntax error at or near \"b\"\n"
     "  CREATE STREAM s WITH (a = b);\n"
     "                            ^\n"
     "  Expecting a literal."},
    {"SELECT 'a FROM s;",
     "line 1:8: The string is not closed: ' is missing\n"
     "  SELECT 'a FROM s;\n"
     "         ^"},
    {"SELECT a /* FROM s;",
     "line 1:10: The comment is not closed: */ is missing\n"
     "  SELECT a /* FROM s;\n"
     "           ^"},
    {"SELECT `a FROM s;",
     "line 1:8: The name is not closed: ` is missing\n"
     "  SELECT `a FROM s;\n"
     "         ^"},
    {"SELECT '\xC3\xA4\xE2\x82\xAC' # FROM s;",
     "line 1:13: Unexpected character \"#\"\n"
     "  SELECT '\xC3\xA4\xE2\x82\xAC' # FROM s;\n"
     "              ^"},
    {"SELECT \xC3\xA4 FROM s;",
     "line 1:8: Unexpected character \"\xC3\xA4\"\n"
     "  SELECT \xC3\xA4 FROM s;\n"
     "         ^"},
    {"SELECT 'a\xFF' FROM s;",
     "line 1:10: The text is not UTF-8: byte 0xff\n"
     "  SELECT 'a?' FROM s;\n"
     "           ^"},
    {"SELECT '\xED\xA0\x80' FROM s;",
     "line 1:9: The text is not UTF-8: byte 0xed\n"
     "  SELECT '?" "?" "?' FROM s;\n"
     "          ^"},
    {"SELECT \x01 FROM s;",
     "line 1:8: Unexpected control character 0x01\n"
     "  SELECT   FROM s;\n"
     "         ^"},
    {"SELECT\t'\t\x1B[2J' 'b' FROM s;",
     "line 1:16: Syntax error at or near \"'b'\"\n"
     "  SELECT '  [2J' 'b' FROM s;\n"
     "                 ^\n"
     "  Expecting FROM, ',', AS or a name."},
    {"SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, c d e, "
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff FROM s;",
     "line 1:76: Syntax error at or near \"e\"\n"
     "  ...aaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, c d e, "
     "fffffffffffffffffffffffffffffffff\n"
     "                                                                 ^\n"
     "  Expecting FROM or ','."},
};

static void test_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena *statement_arena = arena_new("statement", 0);
        Parser parser = {.script = bytes_of(cases[i].text)};
        const AstStatement *statement = NULL;
        Err err = {0};
        ErrCode code = parse_next(&parser, statement_arena, &statement, &err);
        assert_int_equal(code, cases[i].message ? ERR_SYNTAX : ERR_OK);
        assert_int_equal(code, err.code);
        assert_true((statement != NULL) == (code == ERR_OK));
        if (cases[i].message)
            assert_string_equal(err.message, cases[i].message);
        arena_free(statement_arena);
    }
}

/* Clauses in the wrong order or twice, and the like: refused, and where. */
typedef struct Place {
    const char *text;
    uint32_t column;
} Place;

static const Place places[] = {
    {"SELECT a FROM s EMIT CHANGES EMIT CHANGES;", 30},
    {"SELECT a FROM s LIMIT 1 LIMIT 2;", 25},
    {"SELECT a FROM s LIMIT 1 EMIT CHANGES;", 25},
    {"SELECT a FROM s HAVING a GROUP BY b;", 26},
    {"SELECT a FROM s GROUP BY a, (b, c);", 31},
    {"SELECT a FROM s GROUP BY a AND b;", 28},
    {"SELECT a FROM s PARTITION BY a = b;", 32},
    {"SELECT a FROM s WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 1 DAY, RETENTION 1 DAY);", 64},
    {"SELECT a FROM s WINDOW TUMBLING (SIZE 1 YEAR);", 41},
    {"SELECT a FROM s JOIN t;", 23},
    {"SELECT a FROM s, t;", 16},
    {"SELECT a FROM (SELECT b FROM s);", 15},
    {"SELECT DISTINCT a FROM s;", 8},
    {"SELECT a FROM s ORDER BY a;", 23},
    {"SELECT a FROM s LIMIT 1 OFFSET 2;", 25},
    {"SELECT a FROM s UNION SELECT b FROM t;", 23},
    {"SELECT 1;", 9},
    {"SELECT a FROM;", 14},
    {"CREATE STREAM s (a INT) AS SELECT b FROM t;", 25},
    {"CREATE SOURCE STREAM s AS SELECT b FROM t;", 24},
    {"CREATE SOURCE CONNECTOR c;", 26},
    {"CREATE STREAM s ();", 18},
    {"CREATE STREAM s (a INT,);", 24},
    {"CREATE STREAM s (a DECIMAL);", 27},
    {"CREATE STREAM s (a DECIMAL(1));", 29},
    {"CREATE STREAM s (a INT KEY KEY);", 28},
    {"CREATE STREAM s (a INT HEADER);", 30},
    {"CREATE STREAM s WITH ();", 23},
    {"CREATE STREAM s WITH (a = 1) WITH (b = 2);", 30},
    {"CREATE STREAM IF EXISTS s;", 18},
    {"CREATE TYPE t INT;", 15},
    {"INSERT INTO s;", 14},
    {"INSERT INTO s () VALUES (1);", 16},
    {"INSERT INTO s VALUES (1), (2);", 25},
    {"INSERT INTO s VALUES (a = 1);", 25},
    {"DROP STREAM IF NOT EXISTS s;", 16},
    {"DROP s;", 6},
    {"TERMINATE;", 10},
    {"SET a = 'b';", 5},
    {"SET 'a' = 1;", 11},
    {"DEFINE `a` = 'b';", 8},
    {"DEFINE a = 1;", 12},
    {"PRINT t LIMIT 1 FROM BEGINNING;", 17},
    {"PRINT t LIMIT 1.5;", 15},
    {"ALTER STREAM s ADD a;", 21},
    {"ALTER STREAM s ADD a INT KEY;", 26},
    {"SHOW EXTENSIONS;", 6},
    {"EXPLAIN ANALYZE SELECT a FROM s;", 17},
    {"COPY s FROM 'f';", 1},
    {"CREATE FUNCTION f() RETURNS INT AS 1;", 8},
    {"CREATE OR REPLACE FUNCTION f() RETURNS INT AS 1;", 19},
    {"DROP FUNCTION f;", 6},
    {"SELECT $$a$$ FROM s;", 8},
    {"EXPLAIN;", 8},
    {"ASSERT TOPIC;", 13},
    {"ASSERT SCHEMA ID x;", 18},
    {"RUN 'a';", 5},
    {"SELECT a FROM s;\x7F;", 17},
};

static void test_places(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        Arena *statement_arena = arena_new("statement", 0);
        Parser parser = {.script = bytes_of(places[i].text)};
        const AstStatement *statement = NULL;
        Err err = {0};
        ErrCode code = ERR_OK;
        do {
            code = parse_next(&parser, statement_arena, &statement, &err);
        } while (statement);
        if (code != ERR_SYNTAX || err.line != 1 || err.column != places[i].column)
            fail_msg("%s\n%u: %s", places[i].text, err.column, err.message);
        arena_free(statement_arena);
    }
}

static void test_long_and_wide(void **state) {
    (void)state;
    Buf text = {0};
    buf_text(&text, "SELECT 1 FROM s WHERE a IN (1");
    while (text.size < STATEMENT_BYTES_MAX - 20)
        buf_text(&text, ", 123456");
    buf_text(&text, ");");
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = buf_view(&text)};
    const AstStatement *statement = NULL;
    Err err;
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    assert_true(statement->query->where->arg_count > 100000);
    text.size -= 2;
    while (text.size < STATEMENT_BYTES_MAX)
        buf_text(&text, ", 123456");
    buf_text(&text, "); SHOW TOPICS;");
    parser = (Parser){.script = buf_view(&text)};
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "1048576"));
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    assert_int_equal(statement->kind, AST_SHOW);
    arena_free(statement_arena);
    Arena *small_arena = arena_new("statement", 10000);
    parser = (Parser){.script = {text.data, 100000}};
    assert_int_equal(parse_next(&parser, small_arena, &statement, &err), ERR_LIMIT);
    arena_free(small_arena);
    buf_free(&text);
}

/* After a bad byte the quotes are still understood. */
static void test_recovery(void **state) {
    (void)state;
    static const char script[] = "SELECT 'a\0;b' FROM s; SHOW TOPICS; SELECT '\xC3;' ; SHOW TYPES; "
                                 "SELECT \0 ';' FROM; SHOW TABLES; SELECT 'x";
    static const ErrCode codes[] = {ERR_SYNTAX, ERR_OK, ERR_SYNTAX, ERR_OK,
                                    ERR_SYNTAX, ERR_OK, ERR_SYNTAX};
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = {(const uint8_t *)script, sizeof script - 1}};
    const AstStatement *statement = NULL;
    Err err;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), codes[i]);
        assert_true((statement != NULL) == (codes[i] == ERR_OK));
        if (i == 0)
            assert_string_equal(err.message, "line 1:10: The text has a zero byte\n"
                                             "  SELECT 'a ;b' FROM s; SHOW TOPICS; SELECT '?;\n"
                                             "           ^");
    }
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    assert_null(statement);
    arena_free(statement_arena);
}

/* -- Words ------------------------------------------------------------------------------------ */

static void test_complete(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool complete;
        char open;
    } texts[] = {
        {"SELECT 1;", true, 0},      {"SELECT 1; -- ;", true, 0}, {"SELECT 1", false, '-'},
        {"SELECT 1 -- ;", false, '-'}, {"SELECT ';", false, '\''}, {"SELECT \";", false, '"'},
        {"SELECT `;", false, '`'},   {"SELECT (1", false, '('},  {"SELECT (1)", false, '-'},
        {"SELECT /* ;", false, '*'}, {"", false, '-'},           {"a; b", false, '-'},
        {"';';", true, 0},           {"/* ' */;", true, 0},      {"-- '\n;", true, 0},
        {"(;", true, 0},             {"'a''", false, '\''},      {") (", false, '('},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char open = 0;
        assert_int_equal(parse_is_complete(bytes_of(texts[i].text), &open), texts[i].complete);
        if (!texts[i].complete)
            assert_int_equal(open, texts[i].open);
    }
}

static void test_plain_names(void **state) {
    (void)state;
    static const char *const plain[] = {"A", "_", "A1@_", "ORDER", "ID", "KEY", "KSQL_COL_0"};
    static const char *const quoted[] = {"",     "a",  "1A",  "A B", "SELECT",
                                         "SIZE", "@A", "A-B", "\xC3"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_true(parse_name_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++)
        assert_false(parse_name_is_plain(quoted[i]));
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const names[] = {"SELECT", "INSERT", "FROM", "BY", "DESCRIBE"};
    static const char *const pairs[][2] = {
        {"selct", "SELECT"}, {"SLEECT", "SELECT"}, {"form", "FROM"},     {"FRM", "FROM"},
        {"yb", NULL},        {"x", NULL},          {"by", "BY"},         {"desribbe", "DESCRIBE"},
        {"DESC", NULL},      {"", NULL},           {"SELECTION", "SELECT"}, {"INSETR", "INSERT"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *nearest = parse_nearest(pairs[i][0], names, 5);
        if (pairs[i][1])
            assert_string_equal(nearest, pairs[i][1]);
        else
            assert_null(nearest);
    }
    char longest[400];
    memset(longest, 'A', sizeof longest);
    longest[399] = '\0';
    assert_null(parse_nearest(longest, names, 5));
    assert_null(parse_nearest("FROM", names, 0));
}

static void test_keywords_in_order(void **state) {
    (void)state;
    static const char *const words[] = {
#define KEYWORD(word, token, class) #word,
#include "grammar/keyword.def"
#undef KEYWORD
    };
    unsigned reserved = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_true(i == 0 || strcmp(words[i - 1], words[i]) < 0);
        reserved += !parse_name_is_plain(words[i]);
    }
    assert_int_equal(reserved, 88);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_long_and_wide), cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_complete),      cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_nearest),       cmocka_unit_test(test_keywords_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
