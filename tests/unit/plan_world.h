/*
 * plan_world.h - a small catalog for tests of the planner: statements are planned, and what they
 * would create is there for the next one. Every plan and source goes through its JSON.
 */
#ifndef TESTS_UNIT_PLAN_WORLD_H
#define TESTS_UNIT_PLAN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "grammar/parse.h"
#include "planner/explain.h"
#include "planner/plan_json.h"
#include "planner/planner.h"

enum { WORLD_MAX = 32 };

typedef struct World {
    Arena *arena;
    const Source *sources[WORLD_MAX];
    uint32_t source_count;
    const Plan *plans[WORLD_MAX];
    uint32_t plan_count;
    const char *setting_name, *setting_value;
    Planned planned; /* of the last statement */
    Err err;
} World;

static inline const Source *world_find(void *context, const char *name) {
    const World *world = context;
    for (uint32_t i = 0; i < world->source_count; i++) {
        if (strcmp(world->sources[i]->name, name) == 0)
            return world->sources[i];
    }
    return NULL;
}

static inline uint32_t world_count(void *context) {
    return ((const World *)context)->source_count;
}

static inline const Source *world_at(void *context, uint32_t index) {
    return ((const World *)context)->sources[index];
}

static inline ErrCode world_partitions(void *context, const char *topic, uint32_t *partitions,
                                       Err *err) {
    const World *world = context;
    (void)err;
    *partitions = 0;
    for (uint32_t i = 0; i < world->source_count && *partitions == 0; i++)
        if (strcmp(world->sources[i]->topic.topic, topic) == 0)
            *partitions = world->sources[i]->partition_count;
    return ERR_OK;
}

static inline const char *world_setting(void *context, const char *name) {
    const World *world = context;
    bool set = world->setting_name && strcmp(world->setting_name, name) == 0;
    return set ? world->setting_value : NULL;
}

static inline const Type *world_type(void *context, const char *name) {
    (void)context;
    return strcmp(name, "SMALL") == 0 ? &type_int : NULL;
}

static inline const Plan *world_plan(void *context, const char *query_id) {
    const World *world = context;
    for (uint32_t i = 0; i < world->plan_count; i++) {
        if (strcmp(world->plans[i]->query_id, query_id) == 0)
            return world->plans[i];
    }
    return NULL;
}

static inline bool world_query(void *context, const char *query_id) {
    return world_plan(context, query_id) != NULL;
}

static inline const char *world_sink_query(void *context, const char *source, uint32_t index) {
    const World *world = context;
    for (uint32_t i = 0; i < world->plan_count; i++) {
        if (strcmp(world->plans[i]->sink_source, source) == 0 && index-- == 0)
            return world->plans[i]->query_id;
    }
    return NULL;
}

static inline uint64_t world_number(void *context) {
    return ((const World *)context)->plan_count;
}

static inline void world_open(World *world) {
    *world = (World){.arena = arena_new("world", 0)};
}

static inline void world_close(World *world) {
    arena_free(world->arena);
}

/* The same plan after its JSON, which must be the same JSON again. */
static inline const Plan *world_stored(World *world, const Plan *plan) {
    Buf first = {0}, second = {0};
    const Plan *stored;
    plan_json_put(&first, plan);
    if (plan_json_get(buf_view(&first), world->arena, &stored, &world->err) != ERR_OK)
        fail_msg("%s\n%s", world->err.message, buf_cstr(&first));
    plan_json_put(&second, stored);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    buf_free(&first);
    buf_free(&second);
    return stored;
}

static inline const Source *world_stored_source(World *world, const Source *source) {
    Buf first = {0}, second = {0};
    const Source *stored;
    source_json_put(&first, source);
    assert_int_equal(source_json_get(buf_view(&first), world->arena, &stored, &world->err), ERR_OK);
    source_json_put(&second, stored);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    buf_free(&first);
    buf_free(&second);
    return stored;
}

static inline void world_apply(World *world) {
    Planned *planned = &world->planned;
    if (planned->plan)
        planned->plan = world_stored(world, planned->plan);
    if (planned->plan && planned->plan->query_id)
        world->plans[world->plan_count++] = planned->plan;
    if (!planned->source)
        return;
    planned->source = world_stored_source(world, planned->source);
    uint32_t at = 0;
    while (at < world->source_count &&
           strcmp(world->sources[at]->name, planned->source->name) != 0)
        at++;
    world->sources[at] = planned->source;
    world->source_count += at == world->source_count;
}

/* Plans the statements of a script; stops at the first that fails. */
static inline ErrCode world_run(World *world, const char *script) {
    PlannerHost host = {.context = world,
                        .find_source = world_find,
                        .source_count = world_count,
                        .source_at = world_at,
                        .topic_partitions = world_partitions,
                        .setting = world_setting,
                        .custom_type = world_type,
                        .query_exists = world_query,
                        .query_plan = world_plan,
                        .sink_query = world_sink_query,
                        .next_query_number = world_number};
    Parser parser = {.script = bytes_of(script), .line = 1, .column = 1, .extensions = true,
                     .last_may_lack_semicolon = true};
    for (;;) {
        const AstStatement *statement;
        ErrCode code = parse_next(&parser, world->arena, &statement, &world->err);
        if (code != ERR_OK || !statement)
            return code;
        code = plan_statement(&host, statement, world->arena, &world->planned, &world->err);
        if (code != ERR_OK)
            return code;
        world_apply(world);
    }
}

static inline void world_ok(World *world, const char *script) {
    if (world_run(world, script) != ERR_OK)
        fail_msg("%s\n%s", script, world->err.message);
}

/* The script's last statement is refused so, and the text says it. */
static inline void world_refuses(World *world, const char *script, ErrCode code, const char *text) {
    ErrCode got = world_run(world, script);
    if (got != code || !strstr(world->err.message, text))
        fail_msg("%s\nwanted %s: %s\ngot %s: %s", script, err_name(code), text, err_name(got),
                 got == ERR_OK ? "" : world->err.message);
}

/* The last plan as EXPLAIN prints it. */
static inline void world_explains(World *world, const char *wanted) {
    Buf buf = {0};
    assert_non_null(world->planned.plan);
    explain_plan(&buf, world->planned.plan);
    if (strcmp(buf_cstr(&buf), wanted) != 0)
        fail_msg("wanted\n%s\ngot\n%s", wanted, buf_cstr(&buf));
    buf_free(&buf);
}

static inline void world_schema_is(World *world, const char *name, const char *wanted) {
    Buf buf = {0};
    const Source *source = world_find(world, name);
    assert_non_null(source);
    schema_print(&buf, source->topic.schema);
    assert_string_equal(buf_cstr(&buf), wanted);
    buf_free(&buf);
}

/* The type of an expression over the columns of stream S of world_streams(). */
static const char *const world_streams =
    "CREATE STREAM s (id INT KEY, a INT, b BIGINT, d DOUBLE, m DECIMAL(5,2), t STRING, f BOOLEAN, "
    "r STRUCT<x INT, y STRING>, l ARRAY<BIGINT>, p MAP<STRING, INT>, ts TIMESTAMP, da DATE) "
    "WITH (kafka_topic='s', value_format='JSON', partitions=3);"
    "CREATE TABLE u (k INT PRIMARY KEY, n STRING, w BIGINT) "
    "WITH (kafka_topic='u', value_format='JSON', partitions=3);";

#endif
