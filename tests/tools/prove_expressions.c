/*
 * prove_expressions.c - the vector engine against a plain interpreter, on random expressions.
 *
 * usage: prove_expressions [N] [SEED] [WORLD] [FUNCTION]
 *
 * N counts expressions run over a batch (prove_expressions_world.h); WORLD: only that one;
 * FUNCTION: most calls are of it. The last line is PROVED or FAILED why.
 */
#include <time.h>

#include "tests/tools/prove_expressions_world.h"

int main(int argc, char **argv) {
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    static Prover prover;
    clock_t begin = clock();
    bool good = true;
    prover.seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    prover.world_number = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    prover.world.only = argc > 4 ? argv[4] : NULL;
    ref_open();
    while (good && prover.evaluated < count) {
        good = check_world(&prover);
        if (argc == 4)
            break;
        prover.world_number++;
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("%llu expressions over batches, %llu values, %llu of them failed, %llu not told by the "
           "reference; %.0f expressions over batches a second\n",
           (unsigned long long)prover.evaluated, (unsigned long long)prover.values,
           (unsigned long long)prover.failed, (unsigned long long)prover.vague,
           (double)prover.evaluated / seconds);
    puts(good ? "PROVED" : "FAILED a difference");
    return !good;
}
