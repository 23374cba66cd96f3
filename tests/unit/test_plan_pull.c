/*
 * test_plan_pull.c - lookups: which rows are read, in which order they come.
 */
#include "tests/unit/plan_world.h"

static const char *const tables =
    "CREATE STREAM s (k STRING KEY, a INT, b BIGINT) WITH (kafka_topic='s', format='JSON', "
    "partitions=2);"
    "CREATE TABLE one AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;"
    "CREATE TABLE two AS SELECT a, b, SUM(a) * 2 AS n FROM s GROUP BY a, b HAVING COUNT(*) > 1;"
    "CREATE TABLE win AS SELECT a, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY "
    "a;"
    "CREATE TABLE plain (k INT PRIMARY KEY, v INT) WITH (kafka_topic='p', value_format='JSON');";

static void a_lookup_repeats_the_steps_behind_the_store(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, tables);
    world_ok(&world, "SELECT n + 1 AS m, a FROM two WHERE a = 1 AND b = 2;");
    world_explains(&world, "Result [Result]\n"
                           "   <- Project [Project_1] M := (N + 1), A KEY := A\n"
                           "      <- Filter [WhereFilter] ((A = 1) AND (B = 2))\n"
                           "         <- Project [Project] A KEY := A, B KEY := B, N := "
                           "(SUM(A) * 2)\n"
                           "            <- Filter [HavingFilter] (COUNT(*) > 1)\n"
                           "               <- Store [Store] of CTAS_TWO_1/Aggregate, 1 key\n");
    const Schema *schema = world.planned.plan->nodes[5]->schema;
    assert_int_equal(schema->columns[0].role, COLUMN_VALUE);
    assert_int_equal(schema->columns[1].role, COLUMN_KEY);
    assert_int_equal(world.planned.kind, PLANNED_PULL);
    world_close(&world);
}

static void keys_are_found_in_conditions(void **state) {
    (void)state;
    static const struct {
        const char *query;
        bool by_key;
        uint32_t key_count;
    } cases[] = {
        {"one", false, 0},
        {"one WHERE a = 1", true, 1},
        {"one WHERE 1 = a", true, 1},
        {"one WHERE a = 1 OR a = 2 OR a = 1", true, 2},
        {"one WHERE a IN (1, 2, 3, NULL)", true, 3},
        {"one WHERE a IN (1, 2) AND n > 3", true, 2},
        {"one WHERE a = 1 OR n > 3", false, 0},
        {"one WHERE a > 1", false, 0},
        {"one WHERE a = n", false, 0},
        {"one WHERE NOT a = 1", false, 0},
        {"one WHERE a = 1 AND a = 2", true, 1}, /* the filter finds nothing */
        {"one WHERE a = 3000000000", false, 0},
        {"two WHERE a = 1", false, 0},
        {"two WHERE a = 1 AND b = 2", true, 1},
        {"two WHERE a IN (1, 2) AND b IN (3, 4)", true, 4},
        {"two WHERE (a = 1 AND b = 2) OR (b = 4 AND a = 3)", true, 2},
        {"two WHERE a = 1 OR (a = 1 AND b = 2)", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, tables);
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT * FROM %s;", cases[i].query);
        world_ok(&world, sql);
        const PlanLookup *lookup = &world.planned.plan->lookup;
        if (lookup->by_key != cases[i].by_key || lookup->key_count != cases[i].key_count)
            fail_msg("%s: by_key %d, %u keys", cases[i].query, lookup->by_key, lookup->key_count);
        world_close(&world);
    }
}

static void window_bounds_narrow(void **state) {
    (void)state;
    static const struct {
        const char *where;
        int64_t min, max;
    } cases[] = {
        {"a = 1", INT64_MIN, INT64_MAX},
        {"WINDOWSTART = 20000", 20000, 20000},
        {"a = 1 AND WINDOWSTART >= 20000 AND WINDOWSTART < 50000", 20000, 50000},
        {"'1970-01-01T00:00:20' <= WINDOWSTART", 20000, INT64_MAX},
        {"WINDOWEND <= 50000 AND WINDOWEND > 30000", 20000, 40000},
        {"a = 1 OR WINDOWSTART = 20000", INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, tables);
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT * FROM win WHERE %s;", cases[i].where);
        world_ok(&world, sql);
        const PlanLookup *lookup = &world.planned.plan->lookup;
        assert_int_equal(lookup->window_start_min, cases[i].min);
        assert_int_equal(lookup->window_start_max, cases[i].max);
        world_close(&world);
    }
}

static void stars_show_window_bounds(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, tables);
    world_ok(&world, "SELECT * FROM win;");
    Buf buf = {0};
    const Plan *plan = world.planned.plan;
    schema_print(&buf, plan->nodes[plan->node_count - 1]->schema);
    assert_string_equal(buf_cstr(&buf), "`A` INTEGER KEY, `WINDOWSTART` BIGINT KEY, `WINDOWEND` "
                                        "BIGINT KEY, `N` BIGINT");
    buf_free(&buf);
    world_close(&world);
}

static void scans_may_be_turned_off(void **state) {
    (void)state;
    static const struct {
        const char *query;
        bool allowed;
    } cases[] = {
        {"one WHERE a = 1", true},
        {"one WHERE a IN (1, 2) AND n > 1", true},
        {"one", false},
        {"one WHERE n = 1", false},
        {"one WHERE a > 1", false}, /* no key of text */
        {"one WHERE a = 1 AND a = 2", false},
        {"two WHERE a = 1", false},
        {"texts WHERE k > 'b'", true},
        {"texts WHERE k > 'b' AND n > 1", true},
        {"texts WHERE k > 'b' AND k < 'd'", false},
        {"texts WHERE k > 'b' OR k < 'd'", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, tables);
        world_ok(&world, "CREATE TABLE texts AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;");
        world.setting_name = "ksql.query.pull.table.scan.enabled";
        world.setting_value = "false";
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT * FROM %s;", cases[i].query);
        if (cases[i].allowed)
            world_ok(&world, sql);
        else
            world_refuses(&world, sql, ERR_SEMANTIC, "requires table scan to be enabled");
        world_close(&world);
    }
}

static void rows_are_put_in_order(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, tables);
    world_ok(&world, "SELECT a, n AS x FROM one ORDER BY x DESC, 1, n * 2 LIMIT 5 OFFSET 2;");
    const Plan *plan = world.planned.plan;
    assert_int_equal(plan->order_count, 3);
    assert_int_equal(plan->order[0].column, 1);
    assert_true(plan->order[0].descending);
    assert_int_equal(plan->order[1].column, 0);
    assert_int_equal(plan->order[2].column, 2);
    assert_int_equal(plan->visible_count, 2);
    assert_int_equal(plan->nodes[plan->node_count - 1]->schema->column_count, 3);
    assert_int_equal(plan->limit, 5);
    assert_int_equal(plan->offset, 2);
    world_close(&world);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        ErrCode code;
        const char *text;
    } cases[] = {
        {"SELECT * FROM plain", ERR_SEMANTIC, "The `PLAIN` table isn't queryable"},
        {"SELECT * FROM s WHERE nope = 1", ERR_UNKNOWN_NAME, "WHERE column 'NOPE'"},
        {"SELECT * FROM one JOIN two ON one.a = two.a", ERR_SEMANTIC, "don't support JOIN"},
        {"SELECT * FROM one PARTITION BY n", ERR_SEMANTIC, "don't support PARTITION BY"},
        {"SELECT ROWOFFSET FROM one", ERR_SEMANTIC, "in SELECT clauses: `ROWOFFSET`"},
        {"SELECT a FROM one WHERE ROWPARTITION = 1", ERR_SEMANTIC, "in WHERE clauses"},
        {"SELECT WINDOWSTART FROM one", ERR_UNKNOWN_NAME, "cannot be resolved"},
        {"SELECT * FROM one WHERE a = 'x'", ERR_TYPE, "Cannot compare A (INTEGER) to 'x'"},
        {"SELECT * FROM one WHERE a = NULL", ERR_TYPE, "Comparison with NULL"},
        {"SELECT * FROM one ORDER BY 3", ERR_SEMANTIC, "there are 2 columns"},
        {"SELECT * FROM one ORDER BY ARRAY[a]", ERR_TYPE, "ORDER BY needs values"},
        {"SELECT a FROM one LIMIT 99999999999", ERR_SYNTAX, "must be integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, tables);
        world_refuses(&world, cases[i].sql, cases[i].code, cases[i].text);
        world_close(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lookup_repeats_the_steps_behind_the_store),
        cmocka_unit_test(keys_are_found_in_conditions),
        cmocka_unit_test(window_bounds_narrow),
        cmocka_unit_test(stars_show_window_bounds),
        cmocka_unit_test(scans_may_be_turned_off),
        cmocka_unit_test(rows_are_put_in_order),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
