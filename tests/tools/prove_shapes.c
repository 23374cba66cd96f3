/*
 * prove_shapes.c - each state shape against a model: changes, commits, undos, expiry, restarts.
 *
 *   prove_shapes N SEED [SHAPE]
 *
 * N changes for each shape, in lives of 5,000 turns each, every one with its own seed and another
 * variant of the shape. Prints a line for each shape; the last line is PROVED or "FAILED why".
 */
#include "tests/tools/prove_shapes_join.h"
#include "tests/tools/prove_shapes_session.h"

static const Shape shapes[] = {
    {"table", sizeof(TableModel), 1, table_layout, table_open, table_change, table_check},
    {"window", sizeof(WindowModel), 2, window_layout, window_open, window_change, window_check},
    {"session", sizeof(SessionModel), 4, session_layout, session_open, session_change,
     session_check},
    {"join", sizeof(JoinModel), 1, join_layout, join_open, join_change, join_check},
    {"pair", sizeof(PairModel), 1, pair_layout, pair_open, pair_change, pair_check},
    {"foreign", sizeof(ForeignModel), 1, pair_layout, foreign_open, foreign_change,
     foreign_check},
};

enum { LIFE_TURNS = 5000 };

int main(int argc, char **argv) {
    uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc > 3 && strcmp(argv[3], shapes[i].name) != 0)
            continue;
        uint64_t lives = 0;
        for (uint64_t done = 0; done < wanted; done += LIFE_TURNS, lives++)
            shape_run(&shapes[i], wanted - done < LIFE_TURNS ? wanted - done : LIFE_TURNS,
                      seed * 1000003 + lives);
        printf("%-12s %llu turns in %llu lives\n", shapes[i].name, (unsigned long long)wanted,
               (unsigned long long)lives);
    }
    printf("PROVED\n");
    return 0;
}
