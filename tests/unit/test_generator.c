/*
 * test_generator.c - rows of generated sources: the same however they are asked for, within what
 * datagen.def says, and Nexmark's as its reference generator writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_impl.h"
#include "engine/generator.h"

enum { ROWS = 600 };

typedef struct World {
    Weir *weir;
    Generator *generator;
} World;

/* A generator of the stream (or table) S that a CREATE makes. */
static World open_world(const char *sql) {
    WeirOptions options = {.workers = 1};
    World world;
    WeirError error;
    assert_int_equal(weir_open(NULL, &options, &world.weir, &error), WEIR_OK);
    if (weir_execute(world.weir, sql, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
    const Source *source = catalog_source(&world.weir->catalog, "S");
    assert_non_null(source);
    world.generator = generator_new(source);
    return world;
}

static void close_world(World *world) {
    generator_free(world->generator);
    weir_close(world->weir);
}

#define ALL_TYPES                                                                              \
    "(id BIGINT KEY, b BOOLEAN, i INT, d DOUBLE, m DECIMAL(4, 1), t STRING, y BYTES,"          \
    " ts TIMESTAMP, da DATE, ti TIME, ar ARRAY<STRUCT<x INT, city STRING>>,"                   \
    " ma MAP<STRING, DOUBLE>, mi MAP<STRING, ARRAY<INT>>,"                                     \
    " st STRUCT<lat DOUBLE, e STRUCT<email STRING>>, name STRING, temperature DOUBLE,"         \
    " country STRING, created_time STRING)"

static void same_rows_in_any_pieces(void **state) {
    (void)state;
    const char *sql = "CREATE STREAM s " ALL_TYPES " WITH (SOURCE='datagen', ROWS=1, SEED=5);";
    World whole = open_world(sql), pieces = open_world(sql);
    GeneratorRows all, part;
    generator_rows(whole.generator, 0, ROWS, &all);
    for (uint32_t from = 0; from < ROWS; from += part.count) {
        uint32_t count = from % 11 + 1 < ROWS - from ? from % 11 + 1 : ROWS - from;
        generator_rows(pieces.generator, from, count, &part);
        for (uint32_t i = 0; i < part.count; i++) {
            assert_int_equal(part.rowtimes[i], all.rowtimes[from + i]);
            for (uint32_t c = 0; c < 18; c++)
                assert_true(column_value_equal(part.columns[c], i, all.columns[c], from + i));
        }
    }
    close_world(&whole);
    close_world(&pieces);
}

static void another_seed_other_rows(void **state) {
    (void)state;
    World left = open_world("CREATE STREAM s (t STRING) WITH (SOURCE='datagen', ROWS=1, SEED=5);");
    World right = open_world("CREATE STREAM s (t STRING) WITH (SOURCE='datagen', ROWS=1, SEED=6);");
    GeneratorRows one, other;
    uint32_t same = 0;
    generator_rows(left.generator, 0, ROWS, &one);
    generator_rows(right.generator, 0, ROWS, &other);
    for (uint32_t i = 0; i < ROWS; i++)
        same += bytes_equal(one.columns[0]->bytes[i], other.columns[0]->bytes[i]);
    assert_in_range(same, 1, ROWS / 10);
    close_world(&left);
    close_world(&right);
}

static uint32_t count_of(const Column *column, const char *text) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < column->length; i++)
        count += bytes_equal(column->bytes[i], bytes_of(text));
    return count;
}

static void values_look_as_they_should(void **state) {
    (void)state;
    World world = open_world("CREATE STREAM s (sensor STRING KEY, temperature DOUBLE,"
                             " amount DOUBLE, status STRING, seq INT, small DECIMAL(2, 1))"
                             " WITH (SOURCE='datagen', ROWS=1, STEP_MS=600000);");
    GeneratorRows rows;
    uint32_t peaks = 0, small = 0;
    generator_rows(world.generator, 0, ROWS, &rows);
    for (uint32_t i = 0; i < ROWS; i++) {
        double temperature = rows.columns[1]->f64[i], amount = rows.columns[2]->f64[i];
        assert_true(temperature > 10 && temperature < 38);
        peaks += temperature > 28;
        assert_true(amount >= 1 && amount <= 5000);
        small += amount < 100;
        assert_int_equal(rows.columns[4]->i32[i], i);
    }
    assert_in_range(peaks, 1, ROWS / 50);
    assert_in_range(small, ROWS / 3, ROWS * 2 / 3);
    assert_in_range(count_of(rows.columns[3], "OK"), ROWS * 8 / 10, ROWS - 1);
    assert_in_range(count_of(rows.columns[0], "sensor_1"), ROWS / 20, ROWS / 5);
    assert_int_equal(rows.rowtimes[1] - rows.rowtimes[0], 600000);
    close_world(&world);
}

/* What a key has in one source it has in another. */
static void keys_have_their_own(void **state) {
    (void)state;
    World table = open_world("CREATE TABLE s (card STRING PRIMARY KEY, name STRING, country STRING)"
                             " WITH (SOURCE='datagen', ROWS=200);");
    World stream = open_world("CREATE STREAM s (card STRING KEY, name STRING, country STRING)"
                              " WITH (SOURCE='datagen', ROWS=1, SEED=9);");
    GeneratorRows cards, payments;
    uint32_t abroad = 0;
    generator_rows(table.generator, 0, 200, &cards);
    generator_rows(stream.generator, 0, ROWS, &payments);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t card = 0;
        while (card < 200 && !column_value_equal(cards.columns[0], card, payments.columns[0], i))
            card++;
        assert_true(card < 200);
        assert_true(column_value_equal(cards.columns[1], card, payments.columns[1], i));
        abroad += !column_value_equal(cards.columns[2], card, payments.columns[2], i);
    }
    assert_in_range(abroad, 1, ROWS / 8);
    close_world(&table);
    close_world(&stream);
}

/* A text of a row, NUL-terminated. */
static const char *text_at(const GeneratorRows *rows, uint32_t column, uint32_t row) {
    static char text[512];
    Bytes bytes = rows->columns[column]->bytes[row];
    snprintf(text, sizeof text, "%.*s", (int)bytes.size, (const char *)bytes.data);
    return text;
}

/* As the canonical generator of the project's benchmarks gives them for seed 7. */
static void nexmark_is_nexmark(void **state) {
    (void)state;
    World world = open_world("CREATE STREAM s WITH (SOURCE='datagen', QUICKSTART='nexmark_bid',"
                             " ROWS=1, SEED=7);");
    GeneratorRows rows;
    generator_rows(world.generator, 1000, 1, &rows);
    assert_int_equal(rows.columns[0]->i64[0], 1058);
    assert_int_equal(rows.columns[1]->i64[0], 1001);
    assert_int_equal(rows.columns[2]->i64[0], 1213);
    assert_string_equal(text_at(&rows, 3, 0), "Apple");
    assert_string_equal(text_at(&rows, 4, 0),
                        "https://www.nexmark.com/td_s/_ojx/c_ez/item.htm?query=1");
    assert_int_equal(rows.columns[5]->i64[0], 1436918400108);
    assert_int_equal(rows.rowtimes[0], 1436918400108);
    assert_string_equal(text_at(&rows, 6, 0),
                        "lkheckprjuvqhvfquyhpejjysquqkareaziugnakssvvz"
                        "gnwcjkivvypjspdidqcohpybalgftl");
    close_world(&world);
    world = open_world("CREATE STREAM s WITH (SOURCE='datagen', QUICKSTART='nexmark_auction',"
                       " ROWS=1, SEED=7);");
    generator_rows(world.generator, 29, 1, &rows);
    assert_int_equal(rows.columns[0]->i64[0], 1029);
    assert_string_equal(text_at(&rows, 1, 0), "avgxvomyrlsqu");
    assert_int_equal(rows.columns[4]->i64[0], 20394045);
    assert_int_equal(rows.columns[6]->i64[0], 1436918400237);
    close_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_rows_in_any_pieces), cmocka_unit_test(another_seed_other_rows),
        cmocka_unit_test(values_look_as_they_should), cmocka_unit_test(keys_have_their_own),
        cmocka_unit_test(nexmark_is_nexmark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
