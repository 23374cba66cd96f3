/* test_result_queue.c - rows of a push query between worker and client. */
#include "tests/unit/query_bench.h"

#include "data/column.h"
#include "runtime/result_impl.h"

typedef struct Rows {
    Arena *arena;
    Batch batch;
    SchemaColumn column;
    Schema schema;
} Rows;

/* `count` rows of one INT: 0, 1, 2, ... */
static void rows_make(Rows *rows, uint32_t count) {
    rows->arena = arena_new("rows", 0);
    rows->column = (SchemaColumn){"V", &type_int, COLUMN_VALUE, NULL};
    rows->schema = (Schema){&rows->column, 1, 0};
    Column *column = column_new(rows->arena, &type_int, count);
    uint16_t *selected = arena_array(rows->arena, count, sizeof *selected);
    for (uint32_t i = 0; i < count; i++) {
        column->i32[i] = (int32_t)i;
        column_set_present(column, i);
        selected[i] = (uint16_t)i;
    }
    const Column **columns = arena_array(rows->arena, 1, sizeof *columns);
    columns[0] = column;
    rows->batch = (Batch){.schema = &rows->schema,
                          .arena = rows->arena,
                          .columns = columns,
                          .row_count = count,
                          .selected = selected,
                          .selected_count = count,
                          .kind = arena_array(rows->arena, count, 1),
                          .rowtime = arena_array(rows->arena, count, sizeof(int64_t))};
}

static void test_rows_come_out_as_put(void **state) {
    (void)state;
    Rows rows;
    rows_make(&rows, 5);
    ResultQueue *queue = result_queue_new(8);
    result_queue_open(queue, &rows.schema);
    result_queue_put(queue, &rows.batch, 1, 4);
    assert_int_equal(result_queue_room(queue), 5);
    ResultRows taken;
    bool ended;
    Err err;
    assert_int_equal(result_queue_take(queue, 0, &taken, &ended, &err), ERR_OK);
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.columns[0]->i32[0], 1);
    assert_int_equal(taken.columns[0]->i32[2], 3);
    assert_int_equal(result_queue_room(queue), 8);
    result_queue_free(queue);
    arena_free(rows.arena);
}

/* Without a reader: there is always room, and nothing waits. */
static void test_rows_without_a_reader_are_dropped(void **state) {
    (void)state;
    Rows rows;
    rows_make(&rows, 5);
    ResultQueue *queue = result_queue_new(8);
    result_queue_open(queue, &rows.schema);
    result_queue_put(queue, &rows.batch, 0, 5);
    result_queue_discard(queue);
    assert_int_equal(result_queue_room(queue), 8);
    result_queue_put(queue, &rows.batch, 0, 5);
    assert_int_equal(result_queue_room(queue), 8);
    ResultRows taken;
    bool ended;
    Err err;
    assert_int_equal(result_queue_take(queue, 0, &taken, &ended, &err), ERR_OK);
    assert_int_equal(taken.count, 0);
    assert_false(ended);
    result_queue_free(queue);
    arena_free(rows.arena);
}

/* query_stop() ends the queue while a worker may be in the middle of a step. */
static void test_rows_after_the_end_are_dropped(void **state) {
    (void)state;
    Rows rows;
    rows_make(&rows, 5);
    ResultQueue *queue = result_queue_new(8);
    result_queue_open(queue, &rows.schema);
    result_queue_put(queue, &rows.batch, 0, 2);
    result_queue_end(queue, NULL);
    result_queue_put(queue, &rows.batch, 2, 5);
    ResultRows taken;
    bool ended;
    Err err;
    assert_int_equal(result_queue_take(queue, 0, &taken, &ended, &err), ERR_OK);
    assert_int_equal(taken.count, 2);
    assert_int_equal(result_queue_take(queue, 0, &taken, &ended, &err), ERR_OK);
    assert_int_equal(taken.count, 0);
    assert_true(ended);
    result_queue_free(queue);
    arena_free(rows.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_out_as_put),
        cmocka_unit_test(test_rows_without_a_reader_are_dropped),
        cmocka_unit_test(test_rows_after_the_end_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
