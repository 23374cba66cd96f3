/*
 * test_plan.c - CREATE, INSERT and lookups: what they ask the engine to do.
 */
#include "tests/unit/plan_world.h"

/* -- CREATE ------------------------------------------------------------------------------------ */

static void create_makes_a_source(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE STREAM s (a INT, k STRING KEY, t TIMESTAMP, h BYTES HEADER('x'), "
                     "z SMALL) WITH (kafka_topic='topic1', value_format='DELIMITED', "
                     "value_delimiter='TAB', timestamp='t', partitions=4);");
    const Source *source = world.planned.source;
    world_schema_is(&world, "S", "`K` STRING KEY, `A` INTEGER, `T` TIMESTAMP, `H` BYTES "
                                 "HEADER('x'), `Z` INTEGER");
    assert_int_equal(world.planned.kind, PLANNED_CREATE_SOURCE);
    assert_true(world.planned.create_topic);
    assert_false(world.planned.notice_partitions);
    assert_int_equal(source->partition_count, 4);
    assert_string_equal(source->topic.topic, "topic1");
    assert_ptr_equal(source->topic.key.format, &format_kafka);
    assert_true(source->topic.key.unwrapped);
    assert_ptr_equal(source->topic.value.format, &format_delimited);
    assert_int_equal(source->topic.value.delimiter, '\t');
    assert_int_equal(source->topic.timestamp_column, 2);
    world_close(&world);
}

static void missing_partitions_are_noted(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE STREAM s (a INT) WITH (kafka_topic='t', value_format='JSON');");
    assert_true(world.planned.create_topic && world.planned.notice_partitions);
    assert_int_equal(world.planned.source->partition_count, 1);
    assert_ptr_equal(world.planned.source->topic.key.format, &format_none);
    /* Over the same topic: it is there now. */
    world_ok(&world, "CREATE STREAM s2 (a INT) WITH (kafka_topic='t', value_format='JSON');");
    assert_false(world.planned.create_topic || world.planned.notice_partitions);
    world_ok(&world, "CREATE STREAM IF NOT EXISTS s (a INT) WITH (kafka_topic='t', "
                     "value_format='JSON');");
    assert_int_equal(world.planned.kind, PLANNED_NOTHING);
    assert_non_null(strstr(world.planned.message, "same name already exists"));
    world_close(&world);
}

static void single_values_are_wrapped_as_told(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE STREAM a (v INT) WITH (kafka_topic='a', value_format='JSON');");
    assert_false(world.planned.source->topic.value.unwrapped);
    world_ok(&world, "CREATE STREAM b (v INT) WITH (kafka_topic='b', value_format='JSON', "
                     "wrap_single_value=false);");
    assert_true(world.planned.source->topic.value.unwrapped);
    world_ok(&world, "CREATE STREAM c (v INT) WITH (kafka_topic='c', value_format='KAFKA');");
    assert_true(world.planned.source->topic.value.unwrapped);
    world.setting_name = "ksql.persistence.wrap.single.values";
    world.setting_value = "false";
    world_ok(&world, "CREATE STREAM d (v INT) WITH (kafka_topic='d', value_format='JSON');");
    assert_true(world.planned.source->topic.value.unwrapped);
    world_ok(&world, "CREATE STREAM e (v INT, w INT) WITH (kafka_topic='e', value_format='JSON');");
    assert_false(world.planned.source->topic.value.unwrapped);
    world_close(&world);
}

static void create_refusals(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        ErrCode code;
        const char *text;
    } cases[] = {
        {"CREATE TABLE t (k INT, v INT) WITH (kafka_topic='t', value_format='JSON')", ERR_SEMANTIC,
         "Tables require a PRIMARY KEY"},
        {"CREATE TABLE t (k INT KEY, v INT) WITH (kafka_topic='t', value_format='JSON')",
         ERR_SEMANTIC, "please use 'PRIMARY KEY' for tables"},
        {"CREATE STREAM t (k INT PRIMARY KEY) WITH (kafka_topic='t', value_format='JSON')",
         ERR_SEMANTIC, "please use 'KEY' for streams"},
        {"CREATE STREAM t (rowtime BIGINT) WITH (kafka_topic='t', value_format='JSON')",
         ERR_SEMANTIC, "reserved column name"},
        {"CREATE STREAM t (a INT, a INT) WITH (kafka_topic='t', value_format='JSON')",
         ERR_SEMANTIC, "Duplicate value columns"},
        {"CREATE STREAM t (a INTT) WITH (kafka_topic='t', value_format='JSON')", ERR_UNKNOWN_NAME,
         "Did you mean INT?"},
        {"CREATE STREAM t WITH (kafka_topic='t', value_format='JSON')", ERR_SEMANTIC,
         "does not define any columns"},
        {"CREATE STREAM t WITH (kafka_topic='t', value_format='AVRO')", ERR_UNSUPPORTED, "AVRO"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t', value_format='JSN')", ERR_UNKNOWN_NAME,
         "Unknown format: JSN. Did you mean JSON?"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t')", ERR_SEMANTIC,
         "missing the 'VALUE_FORMAT'"},
        {"CREATE STREAM t (a INT) WITH (value_format='JSON')", ERR_SEMANTIC, "KAFKA_TOPIC"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='a b', value_format='JSON')", ERR_SEMANTIC,
         "no name of a topic"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t', format='JSON', value_format='JSON')",
         ERR_SEMANTIC, "Cannot supply both"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t', value_format='JSON', partitions=0)",
         ERR_SEMANTIC, "at least 1"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t', value_format='JSON', partitions=9999)",
         ERR_LIMIT, "1024"},
        {"CREATE STREAM t (a INT, b INT) WITH (kafka_topic='t', value_format='KAFKA')", ERR_FORMAT,
         "Value format does not support schema"},
        {"CREATE STREAM t (k MAP<STRING, INT> KEY) WITH (kafka_topic='t', format='JSON')",
         ERR_FORMAT, "Map keys"},
        {"CREATE STREAM t (h INT HEADERS) WITH (kafka_topic='t', value_format='JSON')", ERR_TYPE,
         "Invalid type for HEADERS column"},
        {"CREATE STREAM t (a INT) WITH (kafka_topic='t', value_format='JSON', "
         "window_type='TUMBLING', window_size='1 HOUR')",
         ERR_SEMANTIC, "require a key column"},
        {"CREATE STREAM t (k INT KEY) WITH (kafka_topic='t', value_format='JSON', "
         "window_type='TUMBLING', window_size='1 HOUSE')",
         ERR_SEMANTIC, "Unknown time unit: 'HOUSE'"},
        {"CREATE STREAM t (a STRING) WITH (kafka_topic='t', value_format='JSON', timestamp='a', "
         "timestamp_format='yyyy-bb')",
         ERR_FORMAT, "letter"},
        {"CREATE STREAM `a b` (a INT) WITH (kafka_topic='t', value_format='JSON')", ERR_SYNTAX,
         "alphanumeric"},
        {"CREATE STREAM s (a INT) WITH (kafka_topic='s', value_format='JSON')", ERR_SEMANTIC,
         "already exists"},
        {"CREATE OR REPLACE STREAM s (id INT KEY, b INT) WITH (kafka_topic='s', "
         "value_format='JSON')",
         ERR_SEMANTIC, "not upgradeable"},
        {"CREATE OR REPLACE SOURCE STREAM s (a INT) WITH (kafka_topic='s', value_format='JSON')",
         ERR_SEMANTIC, "not supported on source streams"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        world_refuses(&world, cases[i].sql, cases[i].code, cases[i].text);
        world_close(&world);
    }
}

static void create_or_replace_adds_columns(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE STREAM s (k INT KEY, a INT) WITH (kafka_topic='t', "
                     "value_format='JSON');"
                     "CREATE OR REPLACE STREAM s (k INT KEY, a INT, b INT) WITH "
                     "(kafka_topic='t', value_format='JSON');");
    assert_int_equal(world.planned.kind, PLANNED_CREATE_SOURCE);
    world_schema_is(&world, "S", "`K` INTEGER KEY, `A` INTEGER, `B` INTEGER");
    world_close(&world);
}

static void source_tables_are_kept(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE SOURCE TABLE q (k INT PRIMARY KEY, v INT) WITH (kafka_topic='q', "
                     "value_format='JSON');");
    assert_true(world.planned.source->is_read_only);
    assert_string_equal(world.planned.source->query_id, "CST_Q_0");
    assert_int_equal(world.planned.plan->materialized, 1);
    world_explains(&world, "Materialize [KsqlTopic-Reduce] table\n"
                           "   <- Source [KsqlTopic] table q (KAFKA, JSON) reads K, V\n");
    world_ok(&world, "SELECT v FROM q WHERE k = 3;");
    world_explains(&world, "Result [Result]\n"
                           "   <- Project [Project] V := V\n"
                           "      <- Filter [WhereFilter] (K = 3)\n"
                           "         <- Store [Store] of CST_Q_0/KsqlTopic-Reduce, 1 key\n");
    world_close(&world);
}

/* -- CREATE AS --------------------------------------------------------------------------------- */

static void create_as_inherits(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, "CREATE STREAM s (k STRING KEY, a INT) WITH (kafka_topic='s', "
                     "format='DELIMITED', key_delimiter=';', value_delimiter='|', partitions=5);"
                     "CREATE STREAM o AS SELECT * FROM s;");
    const Source *source = world.planned.source;
    assert_int_equal(source->partition_count, 5);
    assert_int_equal(source->topic.key.delimiter, ';');
    assert_int_equal(source->topic.value.delimiter, '|');
    assert_string_equal(source->topic.topic, "O");
    assert_string_equal(source->query_id, "CSAS_O_0");
    assert_string_equal(world.planned.plan->sink_source, "O");
    world.setting_name = "ksql.output.topic.name.prefix";
    world.setting_value = "pre_";
    world_ok(&world, "CREATE TABLE n WITH (partitions=2, value_format='json') AS "
                     "SELECT k, COUNT(*) AS c FROM s GROUP BY k;");
    assert_string_equal(world.planned.source->topic.topic, "pre_N");
    assert_string_equal(world.planned.source->query_id, "CTAS_N_1");
    assert_int_equal(world.planned.source->partition_count, 2);
    assert_ptr_equal(world.planned.source->topic.value.format, &format_json);
    assert_int_equal(world.planned.plan->materialized, 2);
    world_close(&world);
}

static void windows_reach_the_sink(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, "CREATE TABLE o AS SELECT t, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 "
                     "HOUR) GROUP BY t;");
    assert_int_equal(world.planned.source->topic.window, WINDOW_TUMBLING);
    assert_int_equal(world.planned.source->topic.window_size_ms, 3600000);
    const PlanNode *node = world.planned.plan->nodes[2];
    assert_int_equal(node->kind, PLAN_AGGREGATE);
    assert_true(node->windowed);
    assert_int_equal(node->window.grace_ms, 23 * 3600000);
    assert_int_equal(node->window.retention_ms, 24 * 3600000);
    world_refuses(&world, "CREATE TABLE p AS SELECT o.k FROM o JOIN t ON o.k = t.k;",
                  ERR_SEMANTIC,
                  "persistent queries on windowed tables");
    world_close(&world);
}

/* -- INSERT ------------------------------------------------------------------------------------ */

static void insert_select_casts(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, "CREATE STREAM o (id INT KEY, a DOUBLE) WITH (kafka_topic='o', "
                     "value_format='JSON', partitions=1);"
                     "INSERT INTO o SELECT id, a FROM s;");
    assert_int_equal(world.planned.kind, PLANNED_INSERT_SELECT);
    const PlanNode *project = world.planned.plan->nodes[1];
    assert_int_equal(project->exprs[1]->kind, EXPR_CAST);
    assert_int_equal(project->exprs[1]->type->kind, TYPE_DOUBLE);
    assert_string_equal(world.planned.plan->query_id, "INSERTQUERY_0");
    world_ok(&world, "INSERT INTO o WITH (query_id='mine') SELECT id, a FROM s;");
    assert_string_equal(world.planned.plan->query_id, "MINE");
    world_refuses(&world, "INSERT INTO o WITH (query_id='mine') SELECT id, a FROM s;", ERR_SEMANTIC,
                  "already exists");
    world_refuses(&world, "INSERT INTO o WITH (query_id='csas_x') SELECT id, a FROM s;",
                  ERR_SEMANTIC, "reserved");
    world_refuses(&world, "INSERT INTO o SELECT id, t AS a FROM s;", ERR_SEMANTIC,
                  "Incompatible schema");
    world_refuses(&world, "INSERT INTO o SELECT id, a AS b FROM s;", ERR_SEMANTIC,
                  "Incompatible schema");
    world_refuses(&world, "INSERT INTO u SELECT id, a FROM s;", ERR_SEMANTIC,
                  "INSERT INTO can only be used");
    world_close(&world);
}

static void insert_values_have_the_columns_types(void **state) {
    (void)state;
    World world;
    world_open(&world);
    world_ok(&world, world_streams);
    world_ok(&world, "INSERT INTO s (id, b, m, l, r, p, ts, ROWTIME) VALUES (1, 2, 3.5, ARRAY[4], "
                     "STRUCT(y := 'a'), MAP('k' := 1), '2020-01-02T03:04:05', 77);");
    const Planned *planned = &world.planned;
    const Schema *schema = planned->target->topic.schema;
    assert_int_equal(planned->kind, PLANNED_INSERT_VALUES);
    for (uint32_t i = 0; i < schema->column_count; i++)
        assert_true(type_equal(planned->values[i]->type, schema->columns[i].type));
    assert_int_equal(planned->values[2]->literal->i64[0], 2);
    assert_int_equal(planned->values[10]->literal->i64[0], 1577934245000);
    assert_int_equal(planned->rowtime->literal->i64[0], 77);
    assert_true(column_is_null(planned->values[1]->literal, 0));
    world_ok(&world, "INSERT INTO u VALUES (1 + 2, 'a' || 'b', NULL);");
    assert_null(world.planned.rowtime);
    world_close(&world);
}

static void insert_values_refusals(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        ErrCode code;
        const char *text;
    } cases[] = {
        {"INSERT INTO u VALUES (1, 'a')", ERR_SEMANTIC, "Expected a value for each column"},
        {"INSERT INTO u (k, n) VALUES (1)", ERR_SEMANTIC, "to match: 2, 1"},
        {"INSERT INTO u (k, k) VALUES (1, 2)", ERR_SEMANTIC, "given twice"},
        {"INSERT INTO u (k, x) VALUES (1, 2)", ERR_UNKNOWN_NAME, "Column name X does not exist"},
        {"INSERT INTO u (n) VALUES ('a')", ERR_SEMANTIC, "primary key column(s) K is required"},
        {"INSERT INTO u (k, n) VALUES (NULL, 'a')", ERR_SEMANTIC, "primary key column(s) K"},
        {"INSERT INTO u (k, n) VALUES ('1', 'a')", ERR_TYPE,
         "Expected type INTEGER for field `K` but got STRING('1')"},
        {"INSERT INTO u (k, n) VALUES (1, 2)", ERR_TYPE, "Expected type STRING for field `N`"},
        {"INSERT INTO u (k, w) VALUES (1, 2.5)", ERR_TYPE, "DECIMAL(2, 1)"},
        {"INSERT INTO u (k, n) VALUES (3000000000, 'a')", ERR_TYPE, "BIGINT"},
        {"INSERT INTO s (m) VALUES (1.234)", ERR_TYPE, "DECIMAL(5, 2)"},
        {"INSERT INTO u (k, n) VALUES (a, 'a')", ERR_SEMANTIC, "Unsupported column reference"},
        {"INSERT INTO u (k, ROWOFFSET) VALUES (1, 2)", ERR_SEMANTIC, "is not allowed"},
        {"INSERT INTO nope VALUES (1)", ERR_UNKNOWN_NAME, "unknown stream/table: `NOPE`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        World world;
        world_open(&world);
        world_ok(&world, world_streams);
        world_refuses(&world, cases[i].sql, cases[i].code, cases[i].text);
        world_close(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_makes_a_source),
        cmocka_unit_test(missing_partitions_are_noted),
        cmocka_unit_test(single_values_are_wrapped_as_told),
        cmocka_unit_test(create_refusals),
        cmocka_unit_test(create_or_replace_adds_columns),
        cmocka_unit_test(source_tables_are_kept),
        cmocka_unit_test(create_as_inherits),
        cmocka_unit_test(windows_reach_the_sink),
        cmocka_unit_test(insert_select_casts),
        cmocka_unit_test(insert_values_have_the_columns_types),
        cmocka_unit_test(insert_values_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
