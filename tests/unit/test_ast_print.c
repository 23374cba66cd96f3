/*
 * test_ast_print.c - a tree's text parses to the same tree, whatever its names are.
 *
 * Each word of keyword.def is written in backquotes in every place where a name may stand; the
 * printer leaves the quotes out where it may, so the text without them must mean the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "grammar/ast_print.h"
#include "grammar/parse.h"

static const AstStatement *parse_one(Bytes text, bool extensions, Arena *arena) {
    Parser parser = {
        .script = text, .extensions = extensions, .last_may_lack_semicolon = true};
    const AstStatement *statement = NULL;
    Err err;
    if (parse_next(&parser, arena, &statement, &err) != ERR_OK)
        fail_msg("%.*s\n%s", (int)text.size, (const char *)text.data, err.message);
    return statement;
}

/* Parses, prints, parses. */
static void check_round(const char *text, bool extensions) {
    Arena *statement_arena = arena_new("statement", 0);
    Buf out = {0};
    const AstStatement *first = parse_one(bytes_of(text), extensions, statement_arena);
    ast_print_statement(&out, first);
    const AstStatement *again = parse_one(buf_view(&out), extensions, statement_arena);
    if (!ast_equal_statement(first, again))
        fail_msg("%s\nbecame\n%s", text, buf_cstr(&out));
    buf_free(&out);
    arena_free(statement_arena);
}

/* @ is the name. */
static const char *const name_places[] = {
    "SELECT @, @.@, @ @, @ AS @, @.* FROM @",
    "SELECT 1 @, @->@, @[1], @[1]->@, @->* FROM @ @ WHERE @",
    "SELECT @(@), @(@, 1), @(*), @(), f(@.@, (@), @, @ => @, (@, B) => @ + B) FROM @ EMIT CHANGES",
    "SELECT @ LIKE 'x', @ LIKE 'x' ESCAPE '!' @, @ '1', - @, -@[1] FROM @ PARTITION BY @",
    "SELECT CAST(@ AS @), CAST(@ AS STRUCT<@ INT, B @>), CAST(@ AS MAP<@, @>) FROM @",
    "SELECT STRUCT(@ := 1, B := @), MAP(@ := @), ARRAY[@], ARRAY[@[1]] FROM @ GROUP BY @, @",
    "SELECT CASE @ WHEN @ THEN @ ELSE @ END, CASE WHEN @ THEN @ END @ FROM @ GROUP BY (@, @)",
    "SELECT * FROM @ JOIN @ WITHIN 1 DAY GRACE PERIOD 1 HOUR ON @ = @ LEFT JOIN @ @ ON @.@ = 1",
    "SELECT * FROM @ AS @ WINDOW @ TUMBLING (SIZE 1 DAY) WHERE @ IS NULL GROUP BY @ HAVING @",
    "SELECT @ FROM @ WINDOW SESSION (1 DAY, GRACE PERIOD 2 DAYS) PARTITION BY @ HAVING @ LIMIT 1",
    "SELECT @ FROM @ WHERE @ AND @ IN (@, @) OR @ BETWEEN @ AND @ EMIT FINAL LIMIT 3",
    "CREATE STREAM @ (@ @ KEY, B @, C ARRAY<@>, D STRUCT<@ @>, E @ HEADERS) WITH (@ = 1, B = 2)",
    "CREATE OR REPLACE TABLE IF NOT EXISTS @ (@ INT PRIMARY KEY, B BYTES HEADER('k'))",
    "CREATE SOURCE TABLE @ (@ @ PRIMARY KEY)",
    "CREATE TABLE @ AS SELECT @ FROM @ @ WHERE @ GROUP BY @ EMIT CHANGES",
    "CREATE TYPE @ AS @",
    "CREATE TYPE IF NOT EXISTS @ AS ARRAY<@>",
    "CREATE SOURCE CONNECTOR @ WITH (@ = 'x')",
    "CREATE SINK CONNECTOR IF NOT EXISTS @ WITH ('a.b' = 'x')",
    "INSERT INTO @ (@, B) VALUES (1, @)",
    "INSERT INTO @ WITH (@ = 'x') SELECT @ FROM @",
    "DROP STREAM @ DELETE TOPIC",
    "DROP TABLE IF EXISTS @",
    "DROP TYPE @",
    "DROP CONNECTOR @",
    "ALTER STREAM @ ADD @ @, ADD COLUMN @ @, ADD @ ARRAY<@>, ADD @ DECIMAL(1, 2)",
    "DESCRIBE @",
    "DESCRIBE @ EXTENDED",
    "DESCRIBE FUNCTION @",
    "DESCRIBE CONNECTOR @",
    "EXPLAIN @",
    "EXPLAIN SELECT @ FROM @",
    "TERMINATE @",
    "PAUSE @",
    "RESUME @",
    "PRINT @",
    "PRINT @ FROM BEGINNING INTERVAL 2 LIMIT 3",
    "ASSERT TOPIC @ WITH (@ = 1) TIMEOUT 3 SECONDS",
    "ASSERT NOT EXISTS SCHEMA SUBJECT @ ID 3 TIMEOUT 1 DAY",
    "ASSERT VALUES @ (@, B) VALUES (1, @)",
    "ASSERT NULL VALUES @ (@) KEY (@)",
    "ASSERT STREAM @ (@ @ KEY) WITH (@ = 1)",
};

static const char *const extension_places[] = {
    "ALTER QUERY @ SKIP 3",
    "SELECT @ ORDER BY @ DESC, @ LIMIT 3 OFFSET 2",
    "SELECT @ FROM @ @ ORDER BY @, @ ASC, @ DESC EMIT CHANGES LIMIT 1 OFFSET 1",
    "SELECT @ @, @ FROM @ WHERE @ ORDER BY @ + 1 OFFSET 4",
    "COPY @ FROM 'f' (@, B 'x', C TRUE, D = 3)",
    "CREATE FUNCTION @ (@ @, B @) RETURNS @ AS @",
    "CREATE OR REPLACE FUNCTION @ () RETURNS @ LANGUAGE @ AS 'x', $$y$$",
    "DROP FUNCTION @ (@, ARRAY<@>)",
    "DROP STREAM @ DELETE TOPIC CASCADE",
    "DROP TABLE IF EXISTS @ CASCADE",
    "EXPLAIN DROP TABLE @ CASCADE",
    "CREATE TOPIC IF NOT EXISTS @ WITH (@ = 1, B = 'x')",
    "ALTER TOPIC @ SET (@ = 1)",
    "DROP TOPIC IF EXISTS @",
    "DESCRIBE TOPIC @",
    "COPY @ TO 'f' (@, B 'x')",
    "COPY (SELECT @ FROM @ WHERE @) TO '-'",
    "EXPLAIN ANALYZE @",
    "EXPLAIN ANALYZE SELECT @",
};

static const char *const words[] = {
#define KEYWORD(word, token, class) #word,
#include "grammar/keyword.def"
#undef KEYWORD
    "PLAIN", "small", "Mixed", "with space", "with``tick", "1R0", "9", "", "A@B", "@A", "\xC3\xA4",
    "a\nb", "it's", "KSQL_COL_0",
};

static void check_place(const char *place, const char *word, bool extensions) {
    Buf text = {0};
    for (const char *next = place; *next != '\0'; next++) {
        if (*next == '@')
            buf_printf(&text, "`%s`", word);
        else
            buf_u8(&text, (uint8_t)*next);
    }
    check_round(buf_cstr(&text), extensions);
    buf_free(&text);
}

static void test_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t j = 0; j < sizeof name_places / sizeof name_places[0]; j++) {
            check_place(name_places[j], words[i], false);
            check_place(name_places[j], words[i], true);
        }
        for (size_t j = 0; j < sizeof extension_places / sizeof extension_places[0]; j++)
            check_place(extension_places[j], words[i], true);
    }
}

static void check_printed(const char *text, const char *expected) {
    Arena *statement_arena = arena_new("statement", 0);
    Buf out = {0};
    ast_print_statement(&out, parse_one(bytes_of(text), true, statement_arena));
    assert_string_equal(buf_cstr(&out), expected);
    check_round(text, true);
    buf_free(&out);
    arena_free(statement_arena);
}

static void test_quoting(void **state) {
    (void)state;
    check_printed("select `A`, `a`, `SELECT`, `ORDER`, `1A`, `A-B`, \"x`y\" as `_z@1`",
                  "SELECT A, `a`, `SELECT`, ORDER, `1A`, `A-B`, `x``y` AS `_z@1`");
    check_printed("select f(DAY), f(`DAY`), f((day)), f(DAYS), f(day + 1), `ARRAY`[1]",
                  "SELECT F(DAY), F(`DAY`), F(`DAY`), F(DAYS), F((DAY + 1)), `ARRAY`[1]");
    check_printed("describe `TABLES`", "DESCRIBE `TABLES`");
    check_printed("describe tables", "DESCRIBE TABLES");
    check_printed("select 'it''s', 'a\"b`c', ''", "SELECT 'it''s', 'a\"b`c', ''");
    check_printed("create sink connector c with ('A.b' = 1, Cd = 2)",
                  "CREATE SINK CONNECTOR C WITH ('A.b' = 1, 'Cd' = 2)");
    check_printed("create stream s with ('a.b' = -1.50, c = null)",
                  "CREATE STREAM S WITH ('A.B' = -1.50, C = NULL)");
    check_printed("print Mixed", "PRINT `Mixed`");
}

static void test_types(void **state) {
    (void)state;
    check_printed("create type t as struct<a int, `b` map<string, array<decimal(10, 2)>>>",
                  "CREATE TYPE T AS STRUCT<A INT, `b` MAP<STRING, ARRAY<DECIMAL(10, 2)>>>");
    check_printed("create type t as int array array", "CREATE TYPE T AS ARRAY<ARRAY<INT>>");
    check_printed("create type t as struct<>", "CREATE TYPE T AS STRUCT< >");
    check_printed("create type t as struct< >", "CREATE TYPE T AS STRUCT< >");
    check_printed("create type t as varchar(10, string)", "CREATE TYPE T AS VARCHAR");
}

static const char *printed_expr(Buf *out, const char *text) {
    Arena *statement_arena = arena_new("statement", 0);
    const AstExpr *expr = NULL;
    Err err;
    assert_int_equal(parse_expression(bytes_of(text), statement_arena, &expr, &err), ERR_OK);
    buf_reset(out);
    ast_print_expr(out, expr);
    arena_free(statement_arena);
    return buf_cstr(out);
}

/* Trees that are the same but for one thing. */
static void test_equal_sees(void **state) {
    (void)state;
    static const char *const texts[] = {
        "SELECT A FROM S", "SELECT B FROM S", "SELECT A AS A FROM S", "SELECT A FROM S T",
        "SELECT A FROM S LIMIT 1", "SELECT A FROM S LIMIT 2", "SELECT A FROM S EMIT CHANGES",
        "SELECT A FROM S EMIT FINAL", "SELECT A FROM S GROUP BY ()", "SELECT A FROM S GROUP BY A",
        "SELECT A FROM S PARTITION BY A", "SELECT A FROM S WHERE A", "SELECT A FROM S HAVING A",
        "SELECT A FROM S JOIN T ON A", "SELECT A FROM S LEFT JOIN T ON A",
        "SELECT A FROM S JOIN T WITHIN 1 DAY ON A", "SELECT A FROM S JOIN T WITHIN 2 DAYS ON A",
        "SELECT A FROM S JOIN T WITHIN 1 DAY GRACE PERIOD 1 DAY ON A", "SELECT S.A FROM S",
        "SELECT A FROM S WINDOW TUMBLING (SIZE 1 DAY)", "SELECT A FROM S WINDOW SESSION (1 DAY)",
        "SELECT A FROM S WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 1 DAY)",
        "SELECT A FROM S WINDOW TUMBLING (SIZE 1 DAY, RETENTION 1 DAY)",
        "SELECT A FROM S ORDER BY A", "SELECT A FROM S ORDER BY A DESC", "SELECT F(*) FROM S",
        "SELECT F() FROM S", "SELECT A IS NULL FROM S", "SELECT A IS NOT NULL FROM S",
        "SELECT A LIKE 'x' FROM S", "SELECT A LIKE 'x' ESCAPE '' FROM S", "SELECT TRUE FROM S",
        "SELECT FALSE FROM S", "SELECT 1 FROM S", "SELECT 1.0 FROM S", "SELECT 1.00 FROM S",
        "SELECT -1 FROM S", "SELECT -(1) FROM S", "SELECT CAST(A AS INT) FROM S",
        "SELECT CAST(A AS DECIMAL(1, 1)) FROM S", "SELECT CAST(A AS DECIMAL(1, 0)) FROM S",
        "SELECT CASE WHEN A THEN B END FROM S", "SELECT CASE WHEN A THEN B ELSE C END FROM S",
        "SELECT CASE A WHEN A THEN B END FROM S", "SELECT F(DAY) FROM S", "SELECT F(`DAY`) FROM S",
        "SHOW TOPICS", "SHOW ALL TOPICS", "SHOW STREAMS", "SHOW STREAMS EXTENDED", "DROP STREAM A",
        "DROP STREAM IF EXISTS A", "DROP STREAM A DELETE TOPIC", "DROP TABLE A",
        "CREATE STREAM A (A INT)", "CREATE STREAM A (A INT KEY)", "CREATE STREAM A (A BIGINT)",
        "CREATE STREAM A (A B HEADERS)", "CREATE STREAM A (A B HEADER('k'))", "CREATE STREAM A",
        "CREATE STREAM A WITH (A = 1)", "CREATE STREAM A WITH (A = 2)",
        "CREATE SOURCE STREAM A", "CREATE OR REPLACE STREAM A", "CREATE STREAM IF NOT EXISTS A",
        "CREATE STREAM A AS SELECT A FROM S", "INSERT INTO A VALUES (1)",
        "INSERT INTO A (A) VALUES (1)", "INSERT INTO A VALUES (1, 2)", "EXPLAIN SELECT A FROM S",
        "EXPLAIN ANALYZE SELECT A FROM S", "EXPLAIN A", "SET 'a' = 'b'", "SET 'a' = 'c'",
        "PRINT A", "PRINT A FROM BEGINNING", "PRINT A INTERVAL 1", "PRINT A LIMIT 1",
        "ASSERT TOPIC A", "ASSERT NOT EXISTS TOPIC A", "ASSERT TOPIC A TIMEOUT 1 DAY",
        "ASSERT SCHEMA ID 1", "ASSERT SCHEMA ID 2", "ASSERT SCHEMA SUBJECT A",
    };
    enum { COUNT = sizeof texts / sizeof texts[0] };
    Arena *statement_arena = arena_new("statement", 0);
    const AstStatement *trees[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        trees[i] = parse_one(bytes_of(texts[i]), true, statement_arena);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            if (ast_equal_statement(trees[i], trees[j]) != (i == j))
                fail_msg("%s\n%s", texts[i], texts[j]);
    arena_free(statement_arena);
}

static void test_signs(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"-1", "-1"},           {"- 1", "-1"},         {"-(1)", "-(1)"},     {"- -1", "- -1"},
        {"-(-1)", "- -1"},      {"- - - a", "- - -A"}, {"-a", "-A"},         {"+1", "+1"},
        {"+ -1", "+ -1"},       {"- +1", "-+1"},       {"-1[2]", "-1[2]"},   {"(-1)[2]", "(-1)[2]"},
        {"(-a)[2]", "(-A)[2]"}, {"a-1", "(A - 1)"},    {"a - -1", "(A - -1)"}, {"1.e1", "1.e1"},
        {"-9223372036854775808", "-9223372036854775808"},
    };
    Buf out = {0};
    Buf again = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(printed_expr(&out, texts[i][0]), texts[i][1]);
        assert_string_equal(printed_expr(&again, buf_cstr(&out)), texts[i][1]);
    }
    buf_free(&out);
    buf_free(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_types),      cmocka_unit_test(test_signs),
        cmocka_unit_test(test_equal_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
