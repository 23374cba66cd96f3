/*
 * test_plan_expr.c - types of expressions, implicit casts, and what does not fit.
 */
#include "tests/unit/plan_world.h"

/* Plans SELECT id, <expr> AS v FROM s; the expression of v, or NULL. */
static const Expr *bound(World *world, const char *expr) {
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT %s AS v FROM s EMIT CHANGES;", expr);
    if (world_run(world, sql) != ERR_OK)
        return NULL;
    return world->planned.plan->nodes[1]->exprs[0];
}

static void types(void **state) {
    (void)state;
    static const struct {
        const char *expr, *type;
    } cases[] = {
        {"1", "INTEGER"},
        {"2147483648", "BIGINT"},
        {"-9223372036854775808", "BIGINT"},
        {"1.23", "DECIMAL(3, 2)"},
        {"0.5", "DECIMAL(2, 1)"},
        {"-0.05", "DECIMAL(3, 2)"},
        {"12.", "DECIMAL(2, 0)"},
        {"1e3", "DOUBLE"},
        {"'x'", "STRING"},
        {"a + a", "INTEGER"},
        {"a + b", "BIGINT"},
        {"a * d", "DOUBLE"},
        {"m + 1", "DECIMAL(13, 2)"},
        {"m * m", "DECIMAL(11, 4)"},
        {"m / a", "DECIMAL(16, 13)"},
        {"m % m", "DECIMAL(5, 2)"},
        {"m * d", "DOUBLE"},
        {"t + 'x'", "STRING"},
        {"-m", "DECIMAL(5, 2)"},
        {"r->y", "STRING"},
        {"l[1]", "BIGINT"},
        {"p['k']", "INTEGER"},
        {"CASE WHEN f THEN NULL WHEN a > 1 THEN b ELSE NULL END", "BIGINT"},
        {"ARRAY[1, 2147483648]", "ARRAY<BIGINT>"},
        {"ARRAY[1, NULL, 2.5]", "ARRAY<DECIMAL(11, 1)>"},
        {"ARRAY[a, '7']", "ARRAY<INTEGER>"},
        {"ARRAY['7', a + 0, '8']", NULL},
        {"MAP('a' := 1, 'b' := d)", "MAP<STRING, DOUBLE>"},
        {"STRUCT(x := a, `y` := t)", "STRUCT<`X` INTEGER, `y` STRING>"},
        {"ARRAY[STRUCT(x := 1), STRUCT(x := 2147483648, y := 'a')]",
         "ARRAY<STRUCT<`X` BIGINT, `Y` STRING>>"},
        {"a IN (1, 2)", "BOOLEAN"},
        {"CAST(NULL AS DATE)", "DATE"},
        {"CAST(l AS ARRAY<STRING>)", "ARRAY<STRING>"},
        {"ROWTIME", "BIGINT"},
        {"ROWPARTITION", "INTEGER"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        const Expr *expr = bound(&world, cases[i].expr);
        const char *type = expr ? type_text(world.arena, expr->type) : NULL;
        if (!cases[i].type && !expr) {
            world_close(&world);
            continue;
        }
        if (!type || !cases[i].type || strcmp(type, cases[i].type) != 0)
            fail_msg("%s: %s", cases[i].expr, type ? type : world.err.message);
        world_close(&world);
    }
}

static void operands_get_one_type(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    const Expr *expr = bound(&world, "a + b");
    assert_int_equal(expr->kind, EXPR_ARITHMETIC);
    assert_int_equal(expr->args[0]->kind, EXPR_CAST);
    assert_int_equal(expr->args[0]->type->kind, TYPE_BIGINT);
    assert_int_equal(expr->args[1]->kind, EXPR_COLUMN);
    /* Literals are cast at once. */
    expr = bound(&world, "d > 1");
    assert_int_equal(expr->args[1]->kind, EXPR_LITERAL);
    assert_true(expr->args[1]->literal->f64[0] == 1.0);
    /* Decimals keep their shapes. */
    expr = bound(&world, "m > 1.5");
    assert_int_equal(expr->args[0]->kind, EXPR_COLUMN);
    assert_int_equal(expr->args[1]->type->scale, 1);
    expr = bound(&world, "m = b");
    assert_int_equal(expr->args[1]->kind, EXPR_CAST);
    assert_int_equal(expr->args[1]->type->precision, 19);
    expr = bound(&world, "ts > '2020-01-01'");
    assert_int_equal(expr->args[1]->type->kind, TYPE_TIMESTAMP);
    assert_int_equal(expr->args[1]->literal->i64[0], 1577836800000);
    expr = bound(&world, "da < ts");
    assert_int_equal(expr->args[0]->type->kind, TYPE_TIMESTAMP);
    expr = bound(&world, "a NOT BETWEEN 1 AND b");
    assert_int_equal(expr->kind, EXPR_NOT);
    assert_int_equal(expr->args[0]->kind, EXPR_AND);
    assert_int_equal(expr->args[0]->args[1]->args[0]->type->kind, TYPE_BIGINT);
    expr = bound(&world, "b IN (1, NULL, '3')");
    assert_int_equal(expr->arg_count, 3);
    assert_int_equal(expr->args[2]->literal->i64[0], 3);
    expr = bound(&world, "t IN ('a', 1)");
    assert_int_equal(expr->args[2]->type->kind, TYPE_STRING);
    expr = bound(&world, "t LIKE 'a!%' ESCAPE '!'");
    assert_int_equal(expr->escape, '!');
    expr = bound(&world, "CASE WHEN f THEN 1 END");
    assert_int_equal(expr->arg_count, 3);
    assert_int_equal(expr->args[2]->type->kind, TYPE_INT);
    world_close(&world);
}

static void times_are_read_in_conditions(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, "SELECT a FROM s WHERE ROWTIME >= '2020-01-01' EMIT CHANGES;");
    const Expr *expr = world.planned.plan->nodes[1]->predicate;
    assert_int_equal(expr->args[1]->type->kind, TYPE_BIGINT);
    assert_int_equal(expr->args[1]->literal->i64[0], 1577836800000);
    world_refuses(&world, "SELECT a FROM s WHERE ROWTIME >= 'soon' EMIT CHANGES;", ERR_TYPE,
                  "Failed to parse timestamp 'soon'");
    world_refuses(&world, "SELECT ROWTIME = '2020' FROM s EMIT CHANGES;", ERR_TYPE,
                  "Cannot compare");
    world_close(&world);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *expr;
        ErrCode code;
        const char *text;
    } cases[] = {
        {"9223372036854775808", ERR_SYNTAX, "Invalid numeric literal"},
        {"1e999", ERR_SYNTAX, "Number overflows DOUBLE"},
        {"a + t", ERR_TYPE, "Unsupported arithmetic types. INTEGER STRING"},
        {"a + NULL", ERR_TYPE, "Arithmetic on types INTEGER and null are not supported"},
        {"-t", ERR_TYPE, "Unsupported negation"},
        {"a = t", ERR_TYPE, "Cannot compare A (INTEGER) to T (STRING) with EQUAL"},
        {"r < r", ERR_TYPE, "with LESS_THAN"},
        {"a = NULL", ERR_TYPE, "Comparison with NULL not supported"},
        {"a AND f", ERR_TYPE, "Should evaluate to boolean but is A (INTEGER)"},
        {"a LIKE 'x'", ERR_TYPE, "must be VARCHAR"},
        {"t LIKE 'x!' ESCAPE '!'", ERR_SEMANTIC, "must not end with escape"},
        {"a IN (1, 'x')", ERR_TYPE, "invalid input syntax for type INTEGER: \"x\""},
        {"a IN (1, t)", ERR_TYPE, "operator does not exist: INTEGER = STRING (T)"},
        {"f IN ('maybe')", ERR_TYPE, "invalid input syntax for type BOOLEAN"},
        {"CASE WHEN a THEN 1 END", ERR_TYPE, "WHEN must be a BOOLEAN"},
        {"CASE WHEN f THEN 1 ELSE 'x' END", ERR_TYPE, "default clause"},
        {"CASE WHEN f THEN 1 WHEN f THEN 'x' END", ERR_TYPE, "all 'THEN' clauses"},
        {"CASE WHEN f THEN NULL END", ERR_TYPE, "NULL type"},
        {"CASE a WHEN 1 THEN 2 END", ERR_SEMANTIC, "CASE with an operand"},
        {"CAST(f AS INT)", ERR_TYPE, "Cast of BOOLEAN to INTEGER is not supported"},
        {"CAST(l AS MAP<STRING, INT>)", ERR_TYPE, "is not supported"},
        {"a[1]", ERR_TYPE, "neither an ARRAY nor a MAP"},
        {"r['x']", ERR_TYPE, "'->'"},
        {"p[1]", ERR_TYPE, "must be STRING"},
        {"a->x", ERR_TYPE, "Expected STRUCT"},
        {"r->z", ERR_UNKNOWN_NAME, "Could not find field 'Z'"},
        {"ARRAY[]", ERR_TYPE, "cannot be empty"},
        {"ARRAY[NULL]", ERR_TYPE, "all NULL elements"},
        {"MAP('a' := NULL)", ERR_TYPE, "all NULL values"},
        {"STRUCT(x := 1, x := 2)", ERR_SEMANTIC, "Duplicate field names"},
        {"NOSUCHTHING(a)", ERR_UNKNOWN_NAME, "Can't find any functions with the name"},
        {"TRANSFORM(l, a => a + 1)", ERR_SEMANTIC, "can't be a column name: A"},
        {"TRANSFORM(l, q => q = 1 AND v)", ERR_UNKNOWN_NAME, "column 'V' cannot be resolved"},
        {"FOO '1'", ERR_UNKNOWN_NAME, "Unknown type: FOO"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        if (bound(&world, cases[i].expr) || world.err.code != cases[i].code ||
            !strstr(world.err.message, cases[i].text))
            fail_msg("%s: %s %s", cases[i].expr, err_name(world.err.code), world.err.message);
        world_close(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(operands_get_one_type),
        cmocka_unit_test(times_are_read_in_conditions),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
