/*
 * test_expr_interp.c - some worlds of random expressions: the engine against the interpreter of
 * tests/interp/. `make prove-expressions` runs many more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/tools/prove_expressions_world.h"

enum { WORLDS = 6 };

static void test_engine_agrees_with_interpreter(void **state) {
    static Prover prover = {.seed = 7};
    (void)state;
    ref_open();
    for (; prover.world_number < WORLDS; prover.world_number++)
        assert_true(check_world(&prover));
    assert_true(prover.values > 100 && prover.failed > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_agrees_with_interpreter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
