/*
 * test_parse_expr.c - how expressions bind: each text beside its tree, in parentheses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "grammar/ast_print.h"
#include "grammar/parse.h"

static const char *const trees[][2] = {
    /* Precedence, tightest last. */
    {"a or b and not c = d || e + f * - g at time zone 'z'",
     "(A OR (B AND (NOT (C = (D || (E + (F * -G AT TIME ZONE 'z')))))))"},
    {"a and b or c and d", "((A AND B) OR (C AND D))"},
    {"a or b or c", "((A OR B) OR C)"},
    {"a and b and c", "((A AND B) AND C)"},
    {"not a and not not b", "((NOT A) AND (NOT (NOT B)))"},
    {"not a = b", "(NOT (A = B))"},
    {"(a or b) and c", "((A OR B) AND C)"},
    {"a - b - c + d", "(((A - B) - C) + D)"},
    {"a * b / c % d", "(((A * B) / C) % D)"},
    {"a + b * c - d / e", "((A + (B * C)) - (D / E))"},
    {"a || b || c", "((A || B) || C)"},
    {"a + b || c - d", "((A + B) || (C - D))"},
    {"-a * b", "(-A * B)"},
    {"- a[1] + -b->c", "(-A[1] + -B->C)"},
    {"a[1][2]->b[3]->c", "A[1][2]->B[3]->C"},
    {"(a + b)[1]", "(A + B)[1]"},
    {"a[b + c]", "A[(B + C)]"},
    /* Predicates. */
    {"a = b", "(A = B)"},
    {"a <> b", "(A <> B)"},
    {"a != b", "(A <> B)"},
    {"a < b and c <= d or e > f and g >= h", "(((A < B) AND (C <= D)) OR ((E > F) AND (G >= H)))"},
    {"(a = b) = c", "((A = B) = C)"},
    {"a + 1 = b || c", "((A + 1) = (B || C))"},
    {"a is null or b is not null", "((A IS NULL) OR (B IS NOT NULL))"},
    {"a is distinct from b + 1", "(A IS DISTINCT FROM (B + 1))"},
    {"a is not distinct from b", "(A IS NOT DISTINCT FROM B)"},
    {"a between 1 and 2 and b", "((A BETWEEN 1 AND 2) AND B)"},
    {"a not between b + 1 and c", "(A NOT BETWEEN (B + 1) AND C)"},
    {"a in (1, b or c) and d not in ('x')", "((A IN (1, (B OR C))) AND (D NOT IN ('x')))"},
    {"a like 'x%' escape '!' or a not like b || 'c'",
     "((A LIKE 'x%' ESCAPE '!') OR (A NOT LIKE (B || 'c')))"},
    {"not a in (1)", "(NOT (A IN (1)))"},
    /* Literals. */
    {"null", "NULL"},
    {"TRUE = false", "(TRUE = FALSE)"},
    {"1 + 1. + .5 + 1.50", "(((1 + 1.) + .5) + 1.50)"},
    {"1e3 + 1.E-4 + .5e+1", "((1e3 + 1.E-4) + .5e+1)"},
    {"'it''s' || ''", "('it''s' || '')"},
    {"decimal '1.20' + time '1'", "(DECIMAL '1.20' + TIME '1')"},
    {"${a} + ${A_1}", "(${a} + ${A_1})"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"1r0 + 2_a", "(`1R0` + `2_A`)"},
    {"`a``b` + \"c\"\"d\" + \"E\"", "((`a``b` + `c\"d`) + E)"},
    {"_a1@b", "_A1@B"},
    {"1--2\n+ 3 /* * / ** */ - 4/**/", "((1 + 3) - 4)"},
    /* Constructors and calls. */
    {"array[]", "ARRAY[]"},
    {"array[1, a or b, array[2]]", "ARRAY[1, (A OR B), ARRAY[2]]"},
    {"map()", "MAP()"},
    {"map('a' := 1, b := c + 1)", "MAP('a':=1, B:=(C + 1))"},
    {"struct()", "STRUCT()"},
    {"struct(a := 1, `b` := null)", "STRUCT(A:=1, `b`:=NULL)"},
    {"cast(a or b as decimal(4,2))", "CAST((A OR B) AS DECIMAL(4, 2))"},
    {"cast(a as array<map<string, int>>)", "CAST(A AS ARRAY<MAP<STRING, INT>>)"},
    {"f()", "F()"},
    {"count(*)", "COUNT(*)"},
    {"f(a, g(b), 1 + 2)", "F(A, G(B), (1 + 2))"},
    {"dateadd(days, 1, date)", "DATEADD(DAYS, 1, DATE)"},
    {"transform(a, x => x + 1)", "TRANSFORM(A, X => (X + 1))"},
    {"transform(a, (x) => x, (x, y) => x or y)", "TRANSFORM(A, X => X, (X, Y) => (X OR Y))"},
    {"reduce(a, (b), x => f(x, y => y))", "REDUCE(A, B, X => F(X, Y => Y))"},
    {"replace(a, 'b')[1]", "REPLACE(A, 'b')[1]"},
    {"if(a, b, c)", "IF(A, B, C)"},
    {"case when a then b when c or d then e end", "(CASE WHEN A THEN B WHEN (C OR D) THEN E END)"},
    {"case a + 1 when 1 then b else c end + 1", "((CASE (A + 1) WHEN 1 THEN B ELSE C END) + 1)"},
    {"array[1]", "ARRAY[1]"},
    {"map", "MAP"},
    {"array < struct", "(ARRAY < STRUCT)"},
};

static const char *const refused[] = {
    "a = b = c", "a < b < c", "a is null is null", "a in (1) in (2)", "a like b like c",
    "a between 1 and 2 between 3 and 4", "not", "a +", "+", "a b", "(a", "a)", "a[", "a[]",
    "a[b or c]", "in (1)", "a in ()", "a in 1", "a not b", "case end", "case when a end",
    "case a else b end", "f(a,)", "f(,)", "f(x => x)", "f(a, x => x, b)", "f(a, (b, 1) => b)",
    "f(a, (1) => b)", "f(a, ((x)) => x)", "f(a, (x.y) => x)", "a.b.c", "a.*", "*", "a->*", "a->",
    "cast(a)", "cast(a as)", "cast(a as 1)", "map(1, 2)", "map(a := )", "struct(1 := 2)",
    "array[1,]", "x => x", "(a, b)", "()", "1 2", "'a' 'b'", "select", "a as b", "a = = b", "1 .",
    "days", "f(days + 1)", "a at time zone b", "a at", "a like 'b' escape c", "from + 1", "a;",
    "${}", "${a", "$", "\\", "a ! b", "a & b", "a | b", "'a", "`a", "\"a", "/* a", "{", "a::b",
};

static ErrCode parse(const char *text, Arena *arena, const AstExpr **expr, Err *err) {
    return parse_expression(bytes_of(text), arena, expr, err);
}

static void test_trees(void **state) {
    (void)state;
    Buf out = {0};
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        Arena *statement_arena = arena_new("statement", 0);
        const AstExpr *expr = NULL;
        Err err;
        if (parse(trees[i][0], statement_arena, &expr, &err) != ERR_OK)
            fail_msg("%s\n%s", trees[i][0], err.message);
        buf_reset(&out);
        ast_print_expr(&out, expr);
        assert_string_equal(buf_cstr(&out), trees[i][1]);
        arena_free(statement_arena);
    }
    buf_free(&out);
}

static void test_refused(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const AstExpr *expr = NULL;
        Err err;
        if (parse(refused[i], statement_arena, &expr, &err) != ERR_SYNTAX)
            fail_msg("not refused: %s", refused[i]);
        assert_true(err.line == 1 && err.column >= 1);
    }
    arena_free(statement_arena);
}

static void repeat(Buf *out, const char *text, int count) {
    for (int i = 0; i < count; i++)
        buf_text(out, text);
}

/* `count` times `open`, then 1, then `count` times `close`. */
static ErrCode parse_nested(const char *open, const char *close, int count, uint32_t *depth,
                            Err *err) {
    Arena *statement_arena = arena_new("statement", 0);
    Buf text = {0};
    Buf out = {0};
    repeat(&text, open, count);
    buf_text(&text, "1");
    repeat(&text, close, count);
    const AstExpr *expr = NULL;
    ErrCode code = parse(buf_cstr(&text), statement_arena, &expr, err);
    if (code == ERR_OK) {
        *depth = expr->depth;
        ast_print_expr(&out, expr);
        const AstExpr *again = NULL;
        assert_int_equal(parse(buf_cstr(&out), statement_arena, &again, err), ERR_OK);
        assert_int_equal(again->depth, expr->depth);
    }
    buf_free(&text);
    buf_free(&out);
    arena_free(statement_arena);
    return code;
}

static void test_depth(void **state) {
    (void)state;
    static const char *const nests[][2] = {
        {"not ", ""}, {"- - ", ""}, {"+ ", ""}, {"f(", ")"}, {"array[", "]"}, {"1 + (", ")"},
        {"", " + 1"}, {"", " or 1"}, {"", "[1]"}, {"", "->a"}, {"case when a then b else ", " end"},
        {"f(1, (x, y) => ", ")"}, {"cast(", " as int)"}, {"a in (1, ", ")"}, {"map(1 := ", ")"},
        {"struct(a := 1, b := ", ")"}, {"case 1 when ", " then 1 end"}, {"", " at time zone 'z'"},
    };
    Err err;
    for (size_t i = 0; i < sizeof nests / sizeof nests[0]; i++) {
        uint32_t depth = 0;
        int least = EXPR_DEPTH_MAX / 2 - 1;
        assert_int_equal(parse_nested(nests[i][0], nests[i][1], least, &depth, &err), ERR_OK);
        assert_true(depth > (uint32_t)least && depth <= EXPR_DEPTH_MAX);
        assert_int_equal(parse_nested(nests[i][0], nests[i][1], EXPR_DEPTH_MAX, &depth, &err),
                         ERR_LIMIT);
        assert_non_null(strstr(err.message, "nested deeper than 200"));
        assert_int_equal(parse_nested(nests[i][0], nests[i][1], 20000, &depth, &err), ERR_LIMIT);
    }
    uint32_t depth = 0;
    assert_int_equal(parse_nested("(", ")", 1000, &depth, &err), ERR_OK);
    assert_int_equal(depth, 1);
    assert_int_equal(parse_nested("(", ")", 300000, &depth, &err), ERR_LIMIT);
}

static void test_type_depth(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    const AstType *type = NULL;
    Buf text = {0};
    Err err;
    repeat(&text, "ARRAY<", EXPR_DEPTH_MAX - 1);
    buf_text(&text, "INT");
    repeat(&text, ">", EXPR_DEPTH_MAX - 1);
    assert_int_equal(parse_type(buf_view(&text), statement_arena, &type, &err), ERR_OK);
    assert_int_equal(type->depth, EXPR_DEPTH_MAX);
    buf_text(&text, " ARRAY");
    assert_int_equal(parse_type(buf_view(&text), statement_arena, &type, &err), ERR_LIMIT);
    buf_free(&text);
    arena_free(statement_arena);
}

static void test_arguments(void **state) {
    (void)state;
    Arena *statement_arena = arena_new("statement", 0);
    const AstExpr *expr = NULL;
    Err err;
    const char *text = "f(day, Hours, `DAY`, (DAY), day.x, (x, y) => x)";
    assert_int_equal(parse(text, statement_arena, &expr, &err), ERR_OK);
    static const AstExprKind kinds[] = {AST_UNIT, AST_UNIT, AST_COLUMN, AST_COLUMN, AST_COLUMN,
                                        AST_LAMBDA};
    assert_int_equal(expr->arg_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(expr->args[i]->kind, kinds[i]);
    assert_string_equal(expr->args[1]->name, "HOURS");
    assert_string_equal(expr->args[4]->qualifier, "DAY");
    assert_int_equal(expr->args[5]->name_count, 2);
    arena_free(statement_arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),      cmocka_unit_test(test_type_depth),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
