/*
 * expressions.c - how fast expression programs go over columns that are decoded already.
 *
 *   expressions [ROUNDS]
 *
 * Batches of 1,024 rows, as in a step. Bytes of an expression are those of the columns that it
 * reads and of its result; times are CPU times, of the best of five runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "runtime/expr.h"
#include "tests/unit/expr_build.h"

enum { ROWS = 1024, COLUMNS = 7, RUNS = 5 };

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double best_seconds(ExprProgram *program, Batch *batch, Arena *arena, int rounds) {
    double best = 1e9;
    batch->arena = arena;
    for (int run = 0; run < RUNS; run++) {
        double begin = cpu_seconds();
        for (int i = 0; i < rounds; i++) {
            const Column *result;
            arena_reset(arena);
            expr_run(program, batch, &result);
        }
        double seconds = cpu_seconds() - begin;
        best = seconds < best ? seconds : best;
    }
    return best;
}

static uint64_t columns_read(const Expr *expr) {
    uint64_t seen = expr->kind == EXPR_COLUMN ? 1U << expr->column : 0;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        seen |= columns_read(expr->args[i]);
    return seen;
}

static uint32_t row_bytes(const Expr *expr, const Column *const *columns) {
    uint32_t bytes = type_width(expr->type);
    for (uint32_t i = 0; i < COLUMNS; i++)
        if (columns_read(expr) >> i & 1)
            bytes += type_width(columns[i]->type);
    return bytes;
}

static const Column **make_columns(void) {
    static const Type *const types[COLUMNS] = {&type_bigint, &type_bigint, &type_double,
                                               &type_double, &type_int, &type_int, &type_string};
    const Column **columns = arena_array(build_arena, COLUMNS, sizeof *columns);
    uint64_t chance = 1;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        Column *column = column_new(build_arena, types[c], ROWS);
        for (uint32_t row = 0; row < ROWS; row++) {
            chance = chance * 6364136223846793005U + 1442695040888963407U;
            uint32_t value = (uint32_t)(chance >> 40) + 1;
            switch (types[c]->kind) {
            case TYPE_BIGINT: column->i64[row] = value; break;
            case TYPE_DOUBLE: column->f64[row] = value / 16.0; break;
            case TYPE_INT: column->i32[row] = (int32_t)value; break;
            default: column->bytes[row] = bytes_of(arena_printf(build_arena,
                         "channel-%u of the market, item %u", value % 10000, value)); break;
            }
        }
        column->validity = NULL;
        columns[c] = column;
    }
    return columns;
}

typedef struct Case {
    const char *text;
    const Expr *expr;
} Case;

/* Prints each expression; returns bytes a second over all of them. */
static double run_cases(const Case *cases, size_t count, const Column *const *columns,
                        int rounds) {
    Arena *arena = arena_new("run", 0);
    double all_bytes = 0, all_seconds = 0;
    for (size_t i = 0; i < count; i++) {
        BuildRun *run = build_batch(columns, COLUMNS, NULL, 0);
        ExprProgram *program;
        Err err;
        if (expr_compile(&cases[i].expr, 1, build_arena, &program, &err) != ERR_OK) {
            fprintf(stderr, "%s: %s\n", cases[i].text, err.message);
            exit(1);
        }
        double seconds = best_seconds(program, &run->batch, arena, rounds);
        double rows = (double)rounds * ROWS, bytes = rows * row_bytes(cases[i].expr, columns);
        all_bytes += bytes;
        all_seconds += seconds;
        printf("%-36s %9.1f M values/s %7.2f GB/s\n", cases[i].text, rows / seconds / 1e6,
               bytes / seconds / 1e9);
    }
    arena_free(arena);
    return all_bytes / all_seconds;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2000;
    build_arena = arena_new("bench", 0);
    const Column *const *columns = make_columns();
    const Expr *a = column_ref(&type_bigint, 0), *b = column_ref(&type_bigint, 1);
    const Expr *x = column_ref(&type_double, 2), *y = column_ref(&type_double, 3);
    const Expr *i = column_ref(&type_int, 4), *j = column_ref(&type_int, 5);
    const Expr *s = column_ref(&type_string, 6);
    const Expr *part =
        call("SUBSTRING", ARGS(s, literal(&type_int, "3"), literal(&type_int, "12")));
    const Expr *upper = call("UCASE", ARGS(part));
    const Case numbers[] = {
        {"a + b", arithmetic('+', a, b)},
        {"a * 3 - b", arithmetic('-', arithmetic('*', a, literal(&type_bigint, "3")), b)},
        {"a > b", compare(OP_GREATER, a, b)},
        {"a = 1000", compare(OP_EQUAL, a, literal(&type_bigint, "1000"))},
        {"a % 123 = 0", compare(OP_EQUAL, arithmetic('%', a, literal(&type_bigint, "123")),
                                literal(&type_bigint, "0"))},
        {"x * y", arithmetic('*', x, y)},
        {"x / y + 1.0", arithmetic('+', arithmetic('/', x, y), literal(&type_double, "1"))},
        {"x < y", compare(OP_LESS, x, y)},
        {"i + j", arithmetic('+', i, j)},
        {"i <= j", compare(OP_LESS_EQUAL, i, j)},
    };
    const Case texts[] = {
        {"SUBSTRING(s, 3, 12)", part},
        {"UCASE(SUBSTRING(s, 3, 12))", upper},
        {"s LIKE '%item%'", node(EXPR_LIKE, &type_boolean,
                                 ARGS(s, literal(&type_string, "%item%")))},
        {"UCASE(SUBSTRING(s, 3, 12)) LIKE 'AN%'",
         node(EXPR_LIKE, &type_boolean, ARGS(upper, literal(&type_string, "AN%")))},
    };
    double rate = run_cases(numbers, sizeof numbers / sizeof *numbers, columns, rounds);
    printf("all %.2f GB/s\n", rate / 1e9);
    run_cases(texts, sizeof texts / sizeof *texts, columns, rounds / 4 + 1);
    arena_free(build_arena);
    return 0;
}
