/*
 * test_parse.c - every statement of the language, read and shown as the tree says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grammar/ast_print.h"
#include "grammar/parse.h"

typedef struct Case {
    const char *text;
    AstStatementKind kind;
    const char *printed; /* NULL: the text itself */
} Case;

static const Case cases[] = {
    {"SELECT * FROM S", AST_SELECT, NULL},
    {"select a, S.b c, s.* , a->b->*, 1 as `x` from s emit changes", AST_SELECT,
     "SELECT A, S.B AS C, S.*, A->B->*, 1 AS `x` FROM S EMIT CHANGES"},
    {"SELECT A FROM S WINDOW TUMBLING (SIZE 1 HOUR) WHERE A > 1 GROUP BY A PARTITION BY B "
     "HAVING COUNT(*) > 1 EMIT FINAL LIMIT 10",
     AST_SELECT,
     "SELECT A FROM S WINDOW TUMBLING (SIZE 1 HOURS) WHERE (A > 1) GROUP BY A PARTITION BY B "
     "HAVING (COUNT(*) > 1) EMIT FINAL LIMIT 10"},
    {"SELECT A FROM S WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECOND, RETENTION 1 DAY, "
     "GRACE PERIOD 5 MINUTES) GROUP BY (A, B)",
     AST_SELECT,
     "SELECT A FROM S WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, RETENTION 1 DAYS, "
     "GRACE PERIOD 5 MINUTES) GROUP BY A, B"},
    {"SELECT A FROM S WINDOW W SESSION (1 MILLISECOND, GRACE PERIOD 0 MILLISECONDS) GROUP BY ()",
     AST_SELECT,
     "SELECT A FROM S WINDOW SESSION (1 MILLISECONDS, GRACE PERIOD 0 MILLISECONDS) GROUP BY ()"},
    {"SELECT A FROM S A JOIN T AS B WITHIN 1 HOUR ON A.X = B.X INNER JOIN U WITHIN (1 DAYS, 2 "
     "DAYS) GRACE PERIOD 1 DAY ON A.X = U.X LEFT JOIN V ON 1 RIGHT OUTER JOIN W ON 2 FULL JOIN Z "
     "ON TRUE",
     AST_SELECT,
     "SELECT A FROM S AS A INNER JOIN T AS B WITHIN 1 HOURS ON (A.X = B.X) INNER JOIN U WITHIN "
     "(1 DAYS, 2 DAYS) GRACE PERIOD 1 DAYS ON (A.X = U.X) LEFT OUTER JOIN V ON 1 RIGHT OUTER "
     "JOIN W ON 2 FULL OUTER JOIN Z ON TRUE"},
    {"SHOW PROPERTIES", AST_SHOW, NULL},
    {"LIST TOPICS", AST_SHOW, "SHOW TOPICS"},
    {"SHOW ALL TOPICS EXTENDED", AST_SHOW, NULL},
    {"list streams extended", AST_SHOW, "SHOW STREAMS EXTENDED"},
    {"SHOW TABLES", AST_SHOW, NULL},
    {"SHOW FUNCTIONS", AST_SHOW, NULL},
    {"SHOW CONNECTORS", AST_SHOW, NULL},
    {"SHOW SOURCE CONNECTORS", AST_SHOW, NULL},
    {"SHOW SINK CONNECTORS", AST_SHOW, NULL},
    {"SHOW CONNECTOR PLUGINS", AST_SHOW, NULL},
    {"SHOW TYPES", AST_SHOW, NULL},
    {"SHOW VARIABLES", AST_SHOW, NULL},
    {"SHOW QUERIES EXTENDED", AST_SHOW, NULL},
    {"DESCRIBE S", AST_DESCRIBE, NULL},
    {"DESCRIBE S EXTENDED", AST_DESCRIBE, NULL},
    {"DESCRIBE STREAMS EXTENDED", AST_DESCRIBE_ALL, NULL},
    {"DESCRIBE TABLES", AST_DESCRIBE_ALL, NULL},
    {"DESCRIBE FUNCTION substring", AST_DESCRIBE_FUNCTION, "DESCRIBE FUNCTION SUBSTRING"},
    {"DESCRIBE function", AST_DESCRIBE, "DESCRIBE FUNCTION"},
    {"DESCRIBE CONNECTOR C", AST_DESCRIBE_CONNECTOR, NULL},
    {"PRINT 'my-topic'", AST_PRINT, "PRINT `my-topic`"},
    {"PRINT Orders FROM BEGINNING SAMPLE 2 LIMIT 3", AST_PRINT,
     "PRINT `Orders` FROM BEGINNING INTERVAL 2 LIMIT 3"},
    {"TERMINATE CSAS_x_1", AST_TERMINATE, "TERMINATE CSAS_X_1"},
    {"TERMINATE ALL", AST_TERMINATE, NULL},
    {"PAUSE Q", AST_PAUSE, NULL},
    {"PAUSE ALL", AST_PAUSE, NULL},
    {"RESUME Q", AST_RESUME, NULL},
    {"RESUME ALL", AST_RESUME, NULL},
    {"SET 'auto.offset.reset' = 'earliest'", AST_SET, NULL},
    {"SET 'a'='it''s'", AST_SET, "SET 'a' = 'it''s'"},
    {"UNSET 'auto.offset.reset'", AST_UNSET, NULL},
    {"ALTER SYSTEM 'a'='b'", AST_ALTER_SYSTEM, "ALTER SYSTEM 'a' = 'b'"},
    {"DEFINE Name = 'v'", AST_DEFINE, NULL},
    {"DEFINE select = 'v'", AST_DEFINE, NULL},
    {"UNDEFINE from", AST_UNDEFINE, NULL},
    {"CREATE STREAM S", AST_CREATE_STREAM, NULL},
    {"CREATE STREAM S (K STRING KEY, A INT, H BYTES HEADER('h'), "
     "HS ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS) WITH (kafka_topic='t', \"Partitions\"=3, "
     "wrap_single_value=false)",
     AST_CREATE_STREAM,
     "CREATE STREAM S (K STRING KEY, A INT, H BYTES HEADER('h'), "
     "HS ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS) WITH (KAFKA_TOPIC = 't', PARTITIONS = 3, "
     "WRAP_SINGLE_VALUE = FALSE)"},
    {"CREATE OR REPLACE SOURCE STREAM IF NOT EXISTS S (A INT)", AST_CREATE_STREAM, NULL},
    {"CREATE OR REPLACE STREAM S AS SELECT * FROM T", AST_CREATE_STREAM, NULL},
    {"CREATE STREAM IF NOT EXISTS S WITH (A = 1) AS SELECT * FROM T", AST_CREATE_STREAM, NULL},
    {"CREATE TABLE T (K DECIMAL(4, 2) PRIMARY KEY, V VARCHAR(10)) WITH (A = 1.5)",
     AST_CREATE_TABLE, "CREATE TABLE T (K DECIMAL(4, 2) PRIMARY KEY, V VARCHAR) WITH (A = 1.5)"},
    {"CREATE SOURCE TABLE T (K INT PRIMARY KEY)", AST_CREATE_TABLE, NULL},
    {"CREATE OR REPLACE TABLE T AS SELECT A, COUNT(*) AS N FROM S GROUP BY A", AST_CREATE_TABLE,
     NULL},
    {"CREATE SOURCE CONNECTOR C WITH ('connector.class' = 'x')", AST_CREATE_CONNECTOR, NULL},
    {"CREATE SINK CONNECTOR IF NOT EXISTS C WITH ('A' = 1)", AST_CREATE_CONNECTOR,
     "CREATE SINK CONNECTOR IF NOT EXISTS C WITH (A = 1)"},
    {"DROP CONNECTOR IF EXISTS C", AST_DROP_CONNECTOR, NULL},
    {"INSERT INTO S SELECT * FROM T", AST_INSERT_SELECT, NULL},
    {"INSERT INTO S WITH (QUERY_ID = 'q') SELECT * FROM T", AST_INSERT_SELECT, NULL},
    {"INSERT INTO S VALUES (1, -2.5, 'a', NULL, TRUE, ARRAY[1], F(1) + 2)", AST_INSERT_VALUES,
     "INSERT INTO S VALUES (1, -2.5, 'a', NULL, TRUE, ARRAY[1], (F(1) + 2))"},
    {"INSERT INTO S (A, B) VALUES (1, 2)", AST_INSERT_VALUES, NULL},
    {"INSERT INTO S VALUES ()", AST_INSERT_VALUES, NULL},
    {"DROP STREAM S", AST_DROP_STREAM, NULL},
    {"DROP STREAM CASCADE", AST_DROP_STREAM, NULL},
    {"DROP STREAM IF EXISTS S DELETE TOPIC", AST_DROP_STREAM, NULL},
    {"DROP TABLE IF EXISTS T", AST_DROP_TABLE, NULL},
    {"DROP TABLE T DELETE TOPIC", AST_DROP_TABLE, NULL},
    {"EXPLAIN SELECT * FROM S", AST_EXPLAIN, NULL},
    {"EXPLAIN CSAS_1", AST_EXPLAIN, NULL},
    {"EXPLAIN CREATE STREAM S AS SELECT * FROM T", AST_EXPLAIN, NULL},
    {"CREATE TYPE IF NOT EXISTS ADDRESS AS STRUCT<STREET STRING, NUMBER INT>", AST_CREATE_TYPE,
     NULL},
    {"DROP TYPE IF EXISTS ADDRESS", AST_DROP_TYPE, NULL},
    {"ALTER STREAM S ADD A INT, ADD COLUMN B MAP<STRING, INT>", AST_ALTER_SOURCE,
     "ALTER STREAM S ADD COLUMN A INT, ADD COLUMN B MAP<STRING, INT>"},
    {"ALTER TABLE T ADD COLUMN column INT", AST_ALTER_SOURCE,
     "ALTER TABLE T ADD COLUMN COLUMN INT"},
    {"ASSERT TOPIC T", AST_ASSERT_TOPIC, NULL},
    {"ASSERT NOT EXISTS TOPIC 't.1' WITH (PARTITIONS = 1) TIMEOUT 10 SECONDS", AST_ASSERT_TOPIC,
     "ASSERT NOT EXISTS TOPIC `t.1` WITH (PARTITIONS = 1) TIMEOUT 10 SECONDS"},
    {"ASSERT SCHEMA SUBJECT subject ID 3 TIMEOUT 1 MINUTE", AST_ASSERT_SCHEMA,
     "ASSERT SCHEMA SUBJECT `subject` ID 3 TIMEOUT 1 MINUTES"},
    {"ASSERT NOT EXISTS SCHEMA ID -1", AST_ASSERT_SCHEMA, NULL},
    {"ASSERT VALUES S (A, B) VALUES (1, 2)", AST_ASSERT_VALUES, NULL},
    {"ASSERT VALUES S VALUES (1)", AST_ASSERT_VALUES, NULL},
    {"ASSERT NULL VALUES S (A) KEY (1)", AST_ASSERT_NULL_VALUES, NULL},
    {"ASSERT STREAM S (A INT) WITH (B = 1)", AST_ASSERT_STREAM, NULL},
    {"ASSERT TABLE S WITH (B = 1)", AST_ASSERT_TABLE, NULL},
    {"RUN SCRIPT 'a.sql'", AST_RUN_SCRIPT, NULL},
};

static const Case extension_cases[] = {
    {"SELECT 1 + 1", AST_SELECT, "SELECT (1 + 1)"},
    {"SELECT 1 A WHERE TRUE LIMIT 1 OFFSET 2", AST_SELECT,
     "SELECT 1 AS A WHERE TRUE LIMIT 1 OFFSET 2"},
    {"SELECT A FROM S ORDER BY A, B DESC, C + 1 ASC LIMIT 3 OFFSET 4", AST_SELECT,
     "SELECT A FROM S ORDER BY A, B DESC, (C + 1) LIMIT 3 OFFSET 4"},
    {"SHOW EXTENSIONS", AST_SHOW, NULL},
    {"SHOW QUICKSTARTS", AST_SHOW, NULL},
    {"EXPLAIN ANALYZE SELECT * FROM S", AST_EXPLAIN, NULL},
    {"COPY S FROM '-'", AST_COPY, NULL},
    {"COPY S FROM 'f.csv' (format csv, header, ON_ERROR = 'skip', X = -1)", AST_COPY,
     "COPY S FROM 'f.csv' (FORMAT 'csv', HEADER TRUE, ON_ERROR 'skip', X -1)"},
    {"copy s to 'f.csv' with (format = csv, overwrite)", AST_COPY,
     "COPY S TO 'f.csv' (FORMAT 'csv', OVERWRITE TRUE)"},
    {"copy (select * from t where k = 1) to '-'", AST_COPY,
     "COPY (SELECT * FROM T WHERE (K = 1)) TO '-'"},
    {"create topic if not exists Clicks with (partitions = 3, 'retention.ms' = 5)",
     AST_CREATE_TOPIC,
     "CREATE TOPIC IF NOT EXISTS `Clicks` WITH (PARTITIONS = 3, 'RETENTION.MS' = 5)"},
    {"alter topic T set (RETENTION_MS = -1)", AST_ALTER_TOPIC,
     "ALTER TOPIC T SET (RETENTION_MS = -1)"},
    {"drop topic if exists 'a-b'", AST_DROP_TOPIC, "DROP TOPIC IF EXISTS `a-b`"},
    {"DESCRIBE TOPIC T", AST_DESCRIBE_TOPIC, NULL},
    {"drop stream cascade cascade", AST_DROP_STREAM, "DROP STREAM CASCADE CASCADE"},
    {"drop table t delete topic cascade", AST_DROP_TABLE, "DROP TABLE T DELETE TOPIC CASCADE"},
    {"create function f (a int, b array<string>) returns decimal(4, 2) as a + 1",
     AST_CREATE_FUNCTION,
     "CREATE FUNCTION F (A INT, B ARRAY<STRING>) RETURNS DECIMAL(4, 2) AS (A + 1)"},
    {"CREATE OR REPLACE FUNCTION IF NOT EXISTS F () RETURNS STRING LANGUAGE LUA AS 'it''s; ok'",
     AST_CREATE_FUNCTION, NULL},
    {"CREATE FUNCTION F (LANGUAGE INT) RETURNS RETURNS LANGUAGE LANGUAGE AS $$ '$x' ; $$",
     AST_CREATE_FUNCTION,
     "CREATE FUNCTION F (LANGUAGE INT) RETURNS RETURNS LANGUAGE LANGUAGE AS ' ''$x'' ; '"},
    {"CREATE FUNCTION F (A INT) RETURNS INT LANGUAGE C AS 'lib.so', 'f'", AST_CREATE_FUNCTION,
     NULL},
    {"DROP FUNCTION F", AST_DROP_FUNCTION, NULL},
    {"DROP FUNCTION IF EXISTS F ()", AST_DROP_FUNCTION, NULL},
    {"DROP FUNCTION F (INT, DECIMAL(4, 2), ARRAY<STRING>)", AST_DROP_FUNCTION, NULL},
};

/* What additions must not take away. */
static const Case unchanged_cases[] = {
    {"SELECT order, offset, asc, copy desc FROM order offset", AST_SELECT,
     "SELECT ORDER, OFFSET, ASC, COPY AS DESC FROM ORDER AS OFFSET"},
    {"SELECT a offset, b order FROM s order WHERE desc LIMIT 1", AST_SELECT,
     "SELECT A AS OFFSET, B AS ORDER FROM S AS ORDER WHERE DESC LIMIT 1"},
    {"SELECT offset - 1, order(1), offset 'x' FROM extensions analyze", AST_SELECT,
     "SELECT (OFFSET - 1), ORDER(1), OFFSET 'x' FROM EXTENSIONS AS ANALYZE"},
    {"SELECT returns, language(1), function FROM language returns", AST_SELECT,
     "SELECT RETURNS, LANGUAGE(1), FUNCTION FROM LANGUAGE AS RETURNS"},
    {"CREATE STREAM function (language INT, returns INT, function INT)", AST_CREATE_STREAM,
     "CREATE STREAM FUNCTION (LANGUAGE INT, RETURNS INT, FUNCTION INT)"},
    {"DROP STREAM function", AST_DROP_STREAM, "DROP STREAM FUNCTION"},
    {"DESCRIBE function", AST_DESCRIBE, "DESCRIBE FUNCTION"},
    {"EXPLAIN analyze", AST_EXPLAIN, "EXPLAIN ANALYZE"},
    {"EXPLAIN copy", AST_EXPLAIN, "EXPLAIN COPY"},
    {"DESCRIBE extensions", AST_DESCRIBE, "DESCRIBE EXTENSIONS"},
};

static void check_cases(const Case *list, size_t count, bool extensions) {
    for (size_t i = 0; i < count; i++) {
        Arena *statement_arena = arena_new("statement", 0);
        Parser parser = {.script = bytes_of(list[i].text),
                         .extensions = extensions,
                         .last_may_lack_semicolon = true};
        const AstStatement *statement = NULL;
        Err err;
        if (parse_next(&parser, statement_arena, &statement, &err) != ERR_OK)
            fail_msg("%s\n%s", list[i].text, err.message);
        Buf out = {0};
        ast_print_statement(&out, statement);
        assert_string_equal(buf_cstr(&out), list[i].printed ? list[i].printed : list[i].text);
        assert_int_equal(statement->kind, list[i].kind);
        assert_true(bytes_equal(statement->source, bytes_of(list[i].text)));
        assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
        assert_null(statement);
        buf_free(&out);
        arena_free(statement_arena);
    }
}

static void test_statements(void **state) {
    (void)state;
    check_cases(cases, sizeof cases / sizeof cases[0], false);
    check_cases(cases, sizeof cases / sizeof cases[0], true);
}

static void test_extensions(void **state) {
    (void)state;
    check_cases(extension_cases, sizeof extension_cases / sizeof extension_cases[0], true);
    check_cases(unchanged_cases, sizeof unchanged_cases / sizeof unchanged_cases[0], true);
    check_cases(unchanged_cases, sizeof unchanged_cases / sizeof unchanged_cases[0], false);
}

/* With additions off they are what they are to ksqlDB. */
static void test_extensions_off(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    for (size_t i = 0; i < sizeof extension_cases / sizeof extension_cases[0]; i++) {
        Parser parser = {.script = bytes_of(extension_cases[i].text),
                         .last_may_lack_semicolon = true};
        const AstStatement *statement = NULL;
        Err err;
        assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_SYNTAX);
        assert_null(strstr(err.message, "ORDER,"));
    }
    arena_free(statement_arena);
}

/* -- Scripts ---------------------------------------------------------------------------------- */

static void test_script(void **state) {
    (void)state;
    static const char script[] = "-- first\nSHOW TOPICS;; /* ; */\n"
                                 "  SELECT ';' FROM s -- ;\n;\n"
                                 "SELECT FROM ';' -- ; it's\n `;` /* ; */ x; PRINT T ;"
                                 "SET 'a' = ';'; \n-- the end";
    static const char *const expected[] = {"SHOW TOPICS", "SELECT ';' FROM S", NULL, "PRINT T",
                                           "SET 'a' = ';'"};
    static const uint32_t lines[] = {2, 3, 5, 6, 6};
    static const uint32_t columns[] = {1, 3, 8, 17, 26};
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = bytes_of(script), .line = 1, .column = 1};
    const AstStatement *statement = NULL;
    Err err;
    Buf out = {0};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ErrCode code = parse_next(&parser, statement_arena, &statement, &err);
        assert_int_equal(code, expected[i] ? ERR_OK : ERR_SYNTAX);
        assert_int_equal(statement ? statement->pos.line : err.line, lines[i]);
        assert_int_equal(statement ? statement->pos.column : err.column, columns[i]);
        if (!statement)
            continue;
        buf_reset(&out);
        ast_print_statement(&out, statement);
        assert_string_equal(buf_cstr(&out), expected[i]);
    }
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    assert_null(statement);
    assert_int_equal(parser.offset, sizeof script - 1);
    buf_free(&out);
    arena_free(statement_arena);
}

static void test_empty(void **state) {
    (void)state;
    static const char *const texts[] = {"", " \n", "-- a", "/* a */ ; ;;", "\xEF\xBB\xBF"};
    Arena *statement_arena = arena_new("statement", 0);
    for (size_t i = 0; i <= sizeof texts / sizeof texts[0]; i++) {
        Parser parser = {.script = i > 0 ? bytes_of(texts[i - 1]) : (Bytes){0}};
        const AstStatement *statement = NULL;
        const AstExpr *expr = NULL;
        Err err;
        assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
        assert_null(statement);
        assert_int_equal(parser.offset, parser.script.size);
        assert_int_equal(parse_expression(parser.script, statement_arena, &expr, &err),
                         ERR_SYNTAX);
    }
    arena_free(statement_arena);
}

static void test_positions(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBFSELECT '\xC3\xA4\xF0\x9F\x98\x80', aa,\r\n\tb.c, f(1)\n"
                               "FROM s LIMIT 5";
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = bytes_of(text), .last_may_lack_semicolon = true};
    const AstStatement *statement = NULL;
    Err err;
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    const AstQuery *query = statement->query;
    assert_int_equal(statement->pos.offset, 3);
    assert_int_equal(query->items[1].pos.column, 14);
    assert_int_equal(query->items[1].pos.offset, 20);
    assert_int_equal(query->items[2].pos.line, 2);
    assert_int_equal(query->items[2].pos.column, 2);
    assert_int_equal(query->items[3].expr->args[0]->pos.column, 9);
    assert_int_equal(query->sources[0].pos.line, 3);
    assert_int_equal(query->limit_pos.column, 14);
    arena_free(statement_arena);
}

static void test_inner_source(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = bytes_of("EXPLAIN  SELECT * FROM s /* all */ ;")};
    const AstStatement *statement = NULL;
    Err err;
    assert_int_equal(parse_next(&parser, statement_arena, &statement, &err), ERR_OK);
    assert_true(bytes_equal(statement->source, bytes_of("EXPLAIN  SELECT * FROM s")));
    assert_true(bytes_equal(statement->inner->source, bytes_of("SELECT * FROM s")));
    assert_int_equal(statement->inner->pos.column, 10);
    arena_free(statement_arena);
}

static const char *find_variable(void *context, const char *name) {
    static const char *const values[][2] = {
        {"name", "Orders"}, {"quoted", "`Mixed Case`"}, {"text", "'it''s'"}, {"five", "5"},
        {"minus", "-2.5"},  {"yes", "true"},            {"raw", "it's; --"}, {"empty", ""},
    };
    ++*(int *)context;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    return NULL;
}

static ErrCode print_with_variables(const char *text, Buf *out, Err *err) {
    int calls = 0;
    ParseVariables variables = {find_variable, &calls};
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = bytes_of(text),
                     .variables = &variables,
                     .last_may_lack_semicolon = true};
    const AstStatement *statement = NULL;
    ErrCode code = parse_next(&parser, statement_arena, &statement, err);
    buf_reset(out);
    if (statement)
        ast_print_statement(out, statement);
    assert_true(calls > 0);
    arena_free(statement_arena);
    return code;
}

static void test_variables(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"SELECT ${name}, ${quoted}.a, ${text}, ${five} + ${minus}, ${yes}, '${name} ${raw}' "
         "FROM ${name} ${quoted} LIMIT ${five}",
         "SELECT ORDERS, `Mixed Case`.A, 'it''s', (5 + -2.5), TRUE, 'Orders it''s; --' FROM ORDERS "
         "AS `Mixed Case` LIMIT 5"},
        {"PRINT ${name}", "PRINT `Orders`"},
        {"SET '${name}' = '${none}${'", "SET 'Orders' = '${none}${'"},
        {"DEFINE x = '${raw}'", "DEFINE x = 'it''s; --'"},
        {"SELECT ${None}, `${name}` FROM ${none}", "SELECT ${None}, `${name}` FROM `${none}`"},
        {"CREATE STREAM ${name} (${name} INT) WITH (A = ${minus}, B = ${none})",
         "CREATE STREAM ORDERS (ORDERS INT) WITH (A = -2.5, B = ${none})"},
    };
    Buf out = {0};
    Err err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(print_with_variables(texts[i][0], &out, &err), ERR_OK);
        assert_string_equal(buf_cstr(&out), texts[i][1]);
    }
    assert_int_equal(print_with_variables("SELECT 1 FROM ${raw}", &out, &err), ERR_SYNTAX);
    assert_int_equal(err.column, 15);
    assert_int_equal(print_with_variables("SELECT ${empty} FROM a", &out, &err), ERR_SYNTAX);
    buf_free(&out);
}

static void test_fragments(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    const AstType *type = NULL;
    const AstColumnDef *columns = NULL;
    uint32_t count = 0;
    Err err;
    Buf out = {0};
    assert_int_equal(parse_type(bytes_of("map<string, t>"), statement_arena, &type, &err), ERR_OK);
    ast_print_type(&out, type);
    assert_string_equal(buf_cstr(&out), "MAP<STRING, T>");
    assert_int_equal(parse_type(bytes_of("int;"), statement_arena, &type, &err), ERR_SYNTAX);
    Bytes text = bytes_of("K string key, `v` int headers");
    assert_int_equal(parse_columns(text, statement_arena, &columns, &count, &err), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(columns[1].name, "v");
    assert_int_equal(columns[0].role, AST_COLUMN_KEY);
    assert_int_equal(parse_columns(bytes_of(""), statement_arena, &columns, &count, &err),
                     ERR_SYNTAX);
    buf_free(&out);
    arena_free(statement_arena);
}

static void test_durations(void **state) {
    (void)state;
    assert_int_equal(ast_duration_ms((AstDuration){3, AST_UNIT_MINUTES, true}), 180000);
    assert_int_equal(ast_duration_ms((AstDuration){-1, AST_UNIT_DAYS, true}), -86400000);
    assert_true(ast_duration_ms((AstDuration){INT64_MAX / 2, AST_UNIT_HOURS, true}) == INT64_MAX);
    assert_true(ast_duration_ms((AstDuration){7, AST_UNIT_MILLISECONDS, true}) == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),     cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_extensions_off), cmocka_unit_test(test_script),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_positions),      cmocka_unit_test(test_inner_source),
        cmocka_unit_test(test_variables),      cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
