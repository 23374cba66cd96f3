/*
 * test_plan_query.c - queries become plans: what EXPLAIN shows of them.
 */
#include "tests/unit/plan_world.h"

static void explains(const char *sql, const char *wanted) {
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, sql);
    world_explains(&world, wanted);
    world_close(&world);
}

static void filter_and_project_read_only_what_they_need(void **state) {
    (void)state;
    explains("CREATE STREAM o AS SELECT id, a + b AS total, r->y FROM s WHERE d > 1.5;",
             "Sink [Sink] O (KAFKA, JSON)\n"
             "   <- Project [Project] ID KEY := ID, TOTAL := (A + B), Y := R->Y\n"
             "      <- Filter [WhereFilter] (D > 1.5)\n"
             "         <- Source [KsqlTopic] s (KAFKA, JSON) reads ID, A, B, D, R\n");
}

static void group_by_another_column_moves_rows(void **state) {
    (void)state;
    explains("CREATE TABLE o AS SELECT t, COUNT(*) AS n, SUM(a + 1) AS s1, SUM(a + 1) * 2 AS s2 "
             "FROM s GROUP BY t HAVING COUNT(*) > 1;",
             "Sink [Sink] table O (KAFKA, JSON)\n"
             "   <- Project [Project] table T KEY := T, N := COUNT(*), S1 := SUM((A + 1)), "
             "S2 := (SUM((A + 1)) * 2)\n"
             "      <- Filter [HavingFilter] table (COUNT(*) > 1)\n"
             "         <- Aggregate [Aggregate] table COUNT(), SUM(KSQL_INTERNAL_COL_0) BY T\n"
             "            <- Repartition [Aggregate-GroupBy] T KEY := T, "
             "KSQL_INTERNAL_COL_0 := (A + 1)\n"
             "               <- Source [KsqlTopic] s (KAFKA, JSON) reads A, T\n");
}

static void group_by_the_key_stays_in_place(void **state) {
    (void)state;
    explains("CREATE TABLE o AS SELECT id AS k, COUNT(b) AS n, WINDOWSTART AS w FROM s "
             "WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 5 SECONDS) GROUP BY id;",
             "Sink [Sink] table O (KAFKA, JSON)\n"
             "   <- Project [Project] table K KEY := ID, N := COUNT(B), W := WINDOWSTART\n"
             "      <- Aggregate [Aggregate] table COUNT(KSQL_INTERNAL_COL_0) BY K TUMBLING 60000 "
             "ms, grace 5000 ms\n"
             "         <- Project [Aggregate-GroupBy] K KEY := ID, KSQL_INTERNAL_COL_0 := B\n"
             "            <- Source [KsqlTopic] s (KAFKA, JSON) reads ID, B\n");
}

static void join_on_the_key_needs_no_move(void **state) {
    (void)state;
    explains("CREATE STREAM o AS SELECT s.id, t, n FROM s JOIN u ON s.id = u.k;",
             "Sink [Sink] O (KAFKA, JSON)\n"
             "   <- Project [Project] ID KEY := S.ID, T := T, N := N\n"
             "      <- JoinTable [Join] INNER ON S.ID\n"
             "         <- Project [PrependAliasLeft] S_ID KEY := ID, S_T := T\n"
             "            <- Source [KafkaTopic_Left] s (KAFKA, JSON) reads ID, T\n"
             "         <- Project [PrependAliasRight] table U_K KEY := K, U_N := N\n"
             "            <- Source [KafkaTopic_Right] table u (KAFKA, JSON) reads K, N\n");
}

static void join_on_another_column_moves_the_stream(void **state) {
    (void)state;
    explains("CREATE STREAM o AS SELECT x.a, y.n, y.rowtime AS seen FROM s x LEFT JOIN u y "
             "ON y.k = x.a WHERE x.b > y.w;",
             "Sink [Sink] O (KAFKA, JSON)\n"
             "   <- Project [Project] A KEY := X.A, N := Y.N, SEEN := Y.ROWTIME\n"
             "      <- Filter [WhereFilter] (X.B > Y.W)\n"
             "         <- JoinTable [Join] LEFT ON X.A\n"
             "            <- Repartition [LeftSourceKeyed] KSQL_JOIN_KEY KEY := X.A, "
             "X_B := B\n"
             "               <- Source [KafkaTopic_Left] s (KAFKA, JSON) reads A, B\n"
             "            <- Project [PrependAliasRight] table Y_K KEY := K, Y_N := N, Y_W := W, "
             "Y_ROWTIME := ROWTIME\n"
             "               <- Source [KafkaTopic_Right] table u (KAFKA, JSON) reads K, N, W\n");
}

static void joins_chain(void **state) {
    (void)state;
    explains("CREATE TABLE v (q INT PRIMARY KEY, z STRING) WITH (kafka_topic='v', "
             "value_format='JSON', partitions=3);"
             "CREATE STREAM o AS SELECT s.id, u.n, v.z FROM s JOIN u ON s.id = u.k "
             "JOIN v ON s.id = v.q;",
             "Sink [Sink] O (KAFKA, JSON)\n"
             "   <- Project [Project] ID KEY := S.ID, N := U.N, Z := V.Z\n"
             "      <- JoinTable [Join_1] INNER ON S.ID\n"
             "         <- JoinTable [Join] INNER ON S.ID\n"
             "            <- Project [PrependAliasLeft] S_ID KEY := ID\n"
             "               <- Source [KafkaTopic_Left] s (KAFKA, JSON) reads ID\n"
             "            <- Project [PrependAliasRight] table U_K KEY := K, U_N := N\n"
             "               <- Source [KafkaTopic_Right] table u (KAFKA, JSON) reads K, N\n"
             "         <- Project [PrependAliasRight_1] table V_Q KEY := Q, V_Z := Z\n"
             "            <- Source [KafkaTopic_Right_1] table v (KAFKA, JSON) reads Q, Z\n");
}

static void tables_know_their_old_rows(void **state) {
    (void)state;
    explains("CREATE TABLE o AS SELECT k, w * 2 AS w2 FROM u WHERE w > 5;",
             "Sink [Sink] table O (KAFKA, JSON)\n"
             "   <- Project [Project] table K KEY := K, W2 := (W * 2)\n"
             "      <- Filter [WhereFilter] table (W > 5)\n"
             "         <- Materialize [KsqlTopic-Reduce] table\n"
             "            <- Source [KsqlTopic] table u (KAFKA, JSON) reads K, W\n");
}

static void push_queries_end_in_a_result(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, "SELECT b, id FROM s EMIT CHANGES LIMIT 3;");
    world_explains(&world, "Result [Result]\n"
                           "   <- Project [Project] B := B, ID := ID\n"
                           "      <- Source [KsqlTopic] s (KAFKA, JSON) reads ID, B\n");
    assert_int_equal(world.planned.kind, PLANNED_PUSH);
    assert_int_equal(world.planned.plan->limit, 3);
    assert_int_equal(world.planned.plan->visible_count, 2);
    world_ok(&world, "SELECT COUNT(*) FROM s EMIT CHANGES;");
    world_explains(&world, "Result [Result] table\n"
                           "   <- Project [Project] table KSQL_COL_0 := COUNT(*)\n"
                           "      <- Aggregate [Aggregate] table COUNT() BY KSQL_COL_0\n"
                           "         <- Repartition [Aggregate-GroupBy] KSQL_COL_0 KEY := 1\n"
                           "            <- Source [KsqlTopic] s (KAFKA, JSON)\n");
    world_close(&world);
}

/* -- The result's schema: keys and names ------------------------------------------------------- */

static void schemas(void **state) {
    (void)state;
    static const struct {
        const char *query, *schema;
    } cases[] = {
        {"STREAM o AS SELECT id AS x, a FROM s", "`X` INTEGER KEY, `A` INTEGER"},
        {"STREAM o AS SELECT AS_VALUE(id) AS v, id FROM s", "`ID` INTEGER KEY, `V` INTEGER"},
        {"STREAM o AS SELECT a + 1, id, b * m, r->x, r->x FROM s",
         "`ID` INTEGER KEY, `KSQL_COL_0` INTEGER, `KSQL_COL_1` DECIMAL(25, 2), `X` INTEGER, "
         "`X_1` INTEGER"},
        {"STREAM o AS SELECT id, r->* FROM s", "`ID` INTEGER KEY, `X` INTEGER, `Y` STRING"},
        {"STREAM o AS SELECT id, a, b FROM s PARTITION BY a",
         "`A` INTEGER KEY, `ID` INTEGER, `B` BIGINT"},
        {"STREAM o AS SELECT * FROM c PARTITION BY v",
         "`V` STRING KEY, `W` BIGINT, `K` STRING"},
        {"STREAM o AS SELECT * FROM c PARTITION BY w + 1",
         "`KSQL_COL_0` BIGINT KEY, `V` STRING, `W` BIGINT, `K` STRING"},
        {"STREAM o AS SELECT w + 1 AS next, v FROM c PARTITION BY w + 1",
         "`NEXT` BIGINT KEY, `V` STRING"},
        {"STREAM o AS SELECT * FROM c PARTITION BY k", "`K` STRING KEY, `V` STRING, `W` BIGINT"},
        {"STREAM o AS SELECT * FROM c PARTITION BY NULL", "`V` STRING, `W` BIGINT, `K` STRING"},
        {"STREAM o WITH (key_format='JSON') AS SELECT * FROM c PARTITION BY v, w",
         "`V` STRING KEY, `W` BIGINT KEY, `K` STRING"},
        {"TABLE o WITH (key_format='JSON') AS SELECT w, COUNT(*) AS n, v FROM c GROUP BY v, w",
         "`V` STRING KEY, `W` BIGINT KEY, `N` BIGINT"},
        {"TABLE o AS SELECT w / 2, COUNT(*) FROM c GROUP BY w / 2",
         "`KSQL_COL_0` BIGINT KEY, `KSQL_COL_1` BIGINT"},
        {"STREAM o AS SELECT * FROM c JOIN e ON c.k = e.k",
         "`C_K` STRING KEY, `C_V` STRING, `C_W` BIGINT, `E_K` STRING, `E_N` INTEGER"},
        {"STREAM o AS SELECT e.k, n, v FROM c JOIN e ON c.k = e.k",
         "`E_K` STRING KEY, `N` INTEGER, `V` STRING"},
        {"STREAM o AS SELECT c.*, n FROM c LEFT JOIN e ON c.v = e.k",
         "`C_V` STRING KEY, `C_K` STRING, `C_W` BIGINT, `N` INTEGER"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        world_ok(&world, "CREATE STREAM c (v STRING, k STRING KEY, w BIGINT) WITH "
                         "(kafka_topic='c', value_format='JSON', partitions=1);"
                         "CREATE TABLE e (k STRING PRIMARY KEY, n INT) WITH (kafka_topic='e', "
                         "value_format='JSON', partitions=1);");
        char sql[256];
        snprintf(sql, sizeof sql, "CREATE %s;", cases[i].query);
        world_ok(&world, sql);
        world_schema_is(&world, "O", cases[i].schema);
        world_close(&world);
    }
}

/* -- Refusals ---------------------------------------------------------------------------------- */

static const struct {
    const char *sql;
    ErrCode code;
    const char *text;
} refused[] = {
    {"CREATE STREAM o AS SELECT a FROM s", ERR_SEMANTIC, "must include the key column ID"},
    {"CREATE STREAM o AS SELECT id FROM s", ERR_SEMANTIC, "contains no value columns"},
    {"CREATE STREAM o AS SELECT id, id AS i2, a FROM s", ERR_SEMANTIC, "aliased as: ID and I2"},
    {"CREATE STREAM o AS SELECT id, a, b AS a FROM s", ERR_SEMANTIC, "Duplicate value columns"},
    {"CREATE STREAM o AS SELECT id, a AS rowtime FROM s", ERR_SEMANTIC, "reserved column name"},
    {"CREATE STREAM o AS SELECT id, rowtime FROM s", ERR_SEMANTIC, "Reserved column name"},
    {"CREATE STREAM o AS SELECT id, NULL FROM s", ERR_TYPE, "Can't infer a type of null"},
    {"CREATE STREAM o AS SELECT id, nme FROM s", ERR_UNKNOWN_NAME, "cannot be resolved"},
    {"CREATE STREAM o AS SELECT z.* FROM s", ERR_UNKNOWN_NAME, "'Z' is not a valid"},
    {"CREATE STREAM o AS SELECT * FROM nowhere", ERR_UNKNOWN_NAME, "NOWHERE does not exist"},
    {"CREATE TABLE o AS SELECT id, a FROM s", ERR_SEMANTIC, "produces a STREAM"},
    {"CREATE STREAM o AS SELECT t, COUNT(*) FROM s GROUP BY t", ERR_SEMANTIC,
     "produces a TABLE"},
    {"CREATE STREAM o AS SELECT id, a FROM s LIMIT 1", ERR_SEMANTIC, "LIMIT"},
    {"CREATE TABLE o AS SELECT a, t, COUNT(*) FROM s GROUP BY t", ERR_SEMANTIC,
     "not part of GROUP BY: A\n"},
    {"CREATE TABLE o AS SELECT t, a FROM s GROUP BY t", ERR_SEMANTIC,
     "GROUP BY requires aggregate functions"},
    {"CREATE TABLE o AS SELECT t, SUM(COUNT(*)) FROM s GROUP BY t", ERR_SEMANTIC,
     "can not be nested: SUM(COUNT(*))"},
    {"CREATE TABLE o AS SELECT COUNT(*) FROM s", ERR_SEMANTIC, "without a GROUP BY clause"},
    {"CREATE TABLE o AS SELECT COUNT(*) FROM s GROUP BY t, t", ERR_SEMANTIC,
     "Duplicate GROUP BY expression: T"},
    {"CREATE TABLE o AS SELECT COUNT(*) FROM s GROUP BY SUM(a)", ERR_SEMANTIC,
     "GROUP BY does not support aggregate functions"},
    {"CREATE TABLE o AS SELECT t, MIN(windowstart) FROM s WINDOW TUMBLING (SIZE 1 HOUR) "
     "GROUP BY t",
     ERR_SEMANTIC, "Window bounds column WINDOWSTART"},
    {"CREATE TABLE o AS SELECT t, COUNT(*) FROM s GROUP BY t EMIT FINAL", ERR_SEMANTIC,
     "EMIT FINAL is only supported"},
    {"CREATE TABLE o AS SELECT k, COLLECT_SET(w) FROM u GROUP BY k", ERR_SEMANTIC,
     "COLLECT_SET cannot be applied to a table source"},
    {"CREATE STREAM o AS SELECT id, a FROM s PARTITION BY a, NULL", ERR_SEMANTIC,
     "including NULL"},
    {"CREATE TABLE o AS SELECT k, w FROM u PARTITION BY w", ERR_SEMANTIC,
     "Cannot repartition a TABLE"},
    {"CREATE TABLE o AS SELECT a, b, COUNT(*) FROM s GROUP BY a, b", ERR_FORMAT,
     "The 'KAFKA' format only supports a single field"},
    {"CREATE STREAM o WITH (key_format='NONE') AS SELECT * FROM s", ERR_FORMAT, "'NONE'"},
    {"CREATE STREAM o WITH (value_format='DELIMITED') AS SELECT id, l FROM s", ERR_FORMAT,
     "does not support type 'ARRAY'"},
    {"CREATE STREAM o WITH (wrap_single_value=false) AS SELECT id, a, b FROM s", ERR_SEMANTIC,
     "only valid for single-field"},
    {"CREATE STREAM o WITH (timestamp='zz') AS SELECT id, a FROM s", ERR_UNKNOWN_NAME, "'ZZ'"},
    {"CREATE STREAM o WITH (timestamp='t') AS SELECT id, t FROM s", ERR_SEMANTIC,
     "should be LONG(INT64)"},
    {"CREATE STREAM o WITH (partition=1) AS SELECT id, t FROM s", ERR_UNKNOWN_NAME,
     "Did you mean PARTITIONS?"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s JOIN u ON s.t = u.k", ERR_TYPE,
     "S.T{STRING} = U.K{INTEGER}"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s JOIN u ON s.a = u.k OR s.b = u.w",
     ERR_SEMANTIC, "multiple conditions"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s JOIN u ON s.a > u.k", ERR_SEMANTIC,
     "Only equality"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s JOIN u ON s.b = u.w", ERR_SEMANTIC,
     "table's primary key. Got S.B = U.W"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s FULL JOIN u ON s.id = u.k", ERR_SEMANTIC,
     "full-outer join not supported"},
    {"CREATE STREAM o AS SELECT s.id, n FROM s JOIN u WITHIN 1 HOUR ON s.id = u.k",
     ERR_SEMANTIC, "WITHIN clause"},
    {"CREATE STREAM o AS SELECT u.k, n FROM u JOIN s ON s.id = u.k", ERR_SEMANTIC,
     "table-stream joins are not supported"},
    {"CREATE STREAM o AS SELECT * FROM s JOIN s s2 ON s.id = s2.id", ERR_SEMANTIC,
     "must have a WITHIN clause"},
    {"CREATE STREAM o AS SELECT s.t, n FROM s JOIN u ON s.id = u.k", ERR_SEMANTIC,
     "join expressions S.ID or U.K"},
    {"CREATE STREAM o AS SELECT id, EXPLODE(EXPLODE(l)) FROM s", ERR_SEMANTIC, "nested"},
    {"CREATE STREAM o AS SELECT id, EXPLODE(a) FROM s", ERR_TYPE, "does not accept"},
    {"SELECT id FROM s WHERE COUNT(*) > 1 EMIT CHANGES", ERR_SEMANTIC,
     "WHERE does not support aggregate functions"},
    {"SELECT id FROM s EMIT CHANGES LIMIT 3000000000", ERR_SYNTAX, "must be integer"},
};

static void refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        world_ok(&world, "CREATE TABLE w (k INT PRIMARY KEY, n STRING) WITH (kafka_topic='w', "
                         "value_format='JSON', partitions=2);");
        world_refuses(&world, refused[i].sql, refused[i].code, refused[i].text);
        world_close(&world);
    }
}

static void errors_have_places(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_refuses(&world, "CREATE STREAM o AS\n  SELECT id,\n    bb FROM s;", ERR_UNKNOWN_NAME,
                  "SELECT column 'BB' cannot be resolved");
    assert_int_equal(world.err.line, 3);
    assert_int_equal(world.err.column, 5);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_and_project_read_only_what_they_need),
        cmocka_unit_test(group_by_another_column_moves_rows),
        cmocka_unit_test(group_by_the_key_stays_in_place),
        cmocka_unit_test(join_on_the_key_needs_no_move),
        cmocka_unit_test(join_on_another_column_moves_the_stream),
        cmocka_unit_test(joins_chain),
        cmocka_unit_test(tables_know_their_old_rows),
        cmocka_unit_test(push_queries_end_in_a_result),
        cmocka_unit_test(schemas),
        cmocka_unit_test(refusals),
        cmocka_unit_test(errors_have_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
