/* test_shapes.c - the state shapes against their models, a short life of each variant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/tools/prove_shapes_session.h"

enum { TURNS = 1500 };

static const Shape shapes[] = {
    {"table", sizeof(TableModel), 1, table_layout, table_open, table_change, table_check},
    {"window", sizeof(WindowModel), 2, window_layout, window_open, window_change, window_check},
    {"session", sizeof(SessionModel), 4, session_layout, session_open, session_change,
     session_check},
};

static void run(const Shape *shape) {
    for (uint32_t variant = 0; variant < shape->variants; variant++)
        shape_run(shape, TURNS, 4000 + variant);
}

static void table_as_its_model(void **state) {
    (void)state;
    run(&shapes[0]);
}

static void window_as_its_model(void **state) {
    (void)state;
    run(&shapes[1]);
}

static void session_as_its_model(void **state) {
    (void)state;
    run(&shapes[2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_as_its_model),
        cmocka_unit_test(window_as_its_model),
        cmocka_unit_test(session_as_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
