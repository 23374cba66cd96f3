/*
 * test_plan_json.c - stored plans: what is read is what was written, and damage is told, not used.
 * (That every plan survives the way there and back is checked by plan_world.h in all plan tests.)
 */
#include "tests/unit/plan_world.h"

static const char *const everything =
    "CREATE STREAM s (k INT KEY, a INT, b BIGINT, t STRING, h BYTES HEADER('q')) "
    "WITH (kafka_topic='s', value_format='DELIMITED', value_delimiter='|', partitions=3);";

/* Plans of all kinds of nodes and expressions, as JSON; freed by the caller. */
static void plan_to_json(World *world, const char *sql, Buf *json) {
    world_ok(world, world_streams);
    world_ok(world, sql);
    buf_reset(json);
    plan_json_put(json, world->planned.plan);
}

static const char *const statements[] = {
    "CREATE STREAM o AS SELECT s.a, n, -b AS x, CASE WHEN t LIKE 'a%' THEN 1.5 END AS c, "
    "CAST(m AS STRING) AS d, a IN (1, 2) AS e, t + 'x' AS g, f IS NOT NULL AS h, "
    "ARRAY[1, 2] AS i, MAP('a' := 1e3) AS j, STRUCT(q := TRUE) AS l2, l[1] AS p1, r->x AS q1, "
    "NOT f OR a > 1 AND a <> 3 AS z, ts > '2020-01-01' AS y, y.rowtime AS w "
    "FROM s JOIN u y ON s.a = y.k WHERE s.b > 1;",
    "CREATE TABLE o AS SELECT t, AVG(b) AS n FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY t "
    "HAVING COUNT(*) > 2;",
    "CREATE TABLE o AS SELECT k, w FROM u WHERE n = 'x';"
    "SELECT w FROM o WHERE k IN (1, 2) ORDER BY w DESC, k LIMIT 3 OFFSET 1;",
};

enum { STATEMENTS = sizeof statements / sizeof *statements };

static void every_byte_may_be_wrong(void **state) {
    (void)state;
    for (size_t s = 0; s < STATEMENTS; s++) {
        World world;
        Buf json = {0};
        world_open(&world);
        plan_to_json(&world, statements[s], &json);
        const Plan *plan;
        for (size_t i = 0; i < json.size; i += 17) {
            Arena *arena = arena_new("damaged", 0);
            uint8_t was = json.data[i];
            json.data[i] = (uint8_t)(i % 2 ? was + 1 : 'x');
            ErrCode code = plan_json_get(buf_view(&json), arena, &plan, &world.err);
            json.data[i] = was;
            assert_true(code == ERR_OK || code == ERR_CORRUPT || code == ERR_UNSUPPORTED);
            arena_free(arena);
        }
        Bytes cut = {json.data, (uint32_t)json.size / 2};
        assert_int_equal(plan_json_get(cut, world.arena, &plan, &world.err), ERR_CORRUPT);
        buf_free(&json);
        world_close(&world);
    }
}

/* The first plan's JSON with `from` replaced by `to`. */
static void replaced(size_t statement, const char *from, const char *to, ErrCode code) {
    World world;
    Buf json = {0}, changed = {0};
    world_open(&world);
    plan_to_json(&world, statements[statement], &json);
    const char *text = buf_cstr(&json);
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("%s is not in %s", from, text);
    buf_put(&changed, text, (size_t)(at - text));
    buf_text(&changed, to);
    buf_text(&changed, at + strlen(from));
    const Plan *plan;
    ErrCode got = plan_json_get(buf_view(&changed), world.arena, &plan, &world.err);
    if (got != code)
        fail_msg("%s -> %s: %s", from, to, got == ERR_OK ? "ok" : world.err.message);
    buf_free(&json);
    buf_free(&changed);
    world_close(&world);
}

static void what_is_not_known_is_unsupported(void **state) {
    (void)state;
    replaced(0, "{\"version\":1", "{\"version\":2", ERR_UNSUPPORTED);
    replaced(0, "\"kind\":\"source\",\"version\":1", "\"kind\":\"source\",\"version\":9",
             ERR_UNSUPPORTED);
    replaced(0, "\"kind\":\"source\"", "\"kind\":\"sauce\"", ERR_UNSUPPORTED);
    replaced(0, "\"path\":", "\"colour\":1,\"path\":", ERR_UNSUPPORTED);
    replaced(0, "\"format\":\"JSON\"", "\"format\":\"AVRO\"", ERR_UNSUPPORTED);
    replaced(1, "\"function\":\"AVG\"", "\"function\":\"AVGG\"", ERR_UNSUPPORTED);
}

static void what_does_not_fit_is_corrupt(void **state) {
    (void)state;
    replaced(0, "\"inputs\":[0]", "\"inputs\":[7]", ERR_CORRUPT);
    replaced(0, "\"inputs\":[0]", "\"inputs\":[]", ERR_CORRUPT);
    replaced(0, "\"column\":1", "\"column\":999", ERR_CORRUPT);
    replaced(0, "\"kind\":\"column\",\"type\":\"INTEGER\"", "\"kind\":\"column\",\"type\":\"DATE\"",
             ERR_CORRUPT);
    replaced(0, "\"keys\":1", "\"keys\":99", ERR_CORRUPT);
    replaced(0, "\"type\":\"INTEGER\"", "\"type\":\"INTEGERS\"", ERR_CORRUPT);
}

static void sources_are_checked_too(void **state) {
    (void)state;
    World world;
    Buf json = {0};
    const Source *source;
    world_open(&world);
    world_ok(&world, everything);
    source_json_put(&json, world.planned.source);
    for (size_t i = 0; i < json.size; i++) {
        Arena *arena = arena_new("damaged", 0);
        uint8_t was = json.data[i];
        json.data[i] = '}';
        ErrCode code = source_json_get(buf_view(&json), arena, &source, &world.err);
        json.data[i] = was;
        assert_true(code == ERR_OK || code == ERR_CORRUPT || code == ERR_UNSUPPORTED);
        arena_free(arena);
    }
    buf_free(&json);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_may_be_wrong),
        cmocka_unit_test(what_is_not_known_is_unsupported),
        cmocka_unit_test(what_does_not_fit_is_corrupt),
        cmocka_unit_test(sources_are_checked_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
