/*
 * prove_expressions_world.h - a random schema, rows and statements, run by both sides.
 *
 * A statement's text goes through the parser and the planner; its expressions are compiled,
 * together or each for itself, and run over each batch. Every value of every selected row must be
 * what tests/interp/ makes of its own tree, and a row that fails must be reported, others not. A
 * difference is shrunk to the smallest part of the expression that still differs. Who includes
 * this must be linked with --wrap=row_errors_add.
 */
#ifndef TESTS_TOOLS_PROVE_EXPRESSIONS_WORLD_H
#define TESTS_TOOLS_PROVE_EXPRESSIONS_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/expr.h"
#include "tests/interp/generate.h"
#include "tests/tools/prove_expressions_bridge.h"

enum { STATEMENT_TREES = 24, WORLD_STATEMENTS = 6, WORLD_BATCHES = 4 };

typedef struct Rows {
    RefValue *values; /* row by row */
    uint32_t count, selected_count;
    uint16_t *selected;
    const Column **columns;
} Rows;

typedef struct Prover {
    RefWorld world;
    Arena *arena; /* of the schema and its rows */
    const Source *source;
    Rows rows[WORLD_BATCHES];
    uint64_t expressions, evaluated, values, failed, vague, refused;
    unsigned long world_number, seed;
} Prover;

/* What came out of one expression over one batch. */
typedef struct Finding {
    const char *what; /* NULL: nothing is wrong */
    uint32_t row;
    RefValue wanted, got;
    char text[ERR_MESSAGE_SIZE];
} Finding;

/* -- Errors of rows --------------------------------------------------------------------------- */

enum { ERROR_WANTED = 1, ERROR_ALLOWED = 2, ERROR_SEEN = 4 };

static uint8_t errors_of[1024]; /* by row of the batch that runs */
static char error_text[ROW_ERROR_TEXT_SIZE];
static bool errors_open;

void __wrap_row_errors_add(RowErrors *errors, const RowError *error);

void __wrap_row_errors_add(RowErrors *errors, const RowError *error) {
    errors->count++;
    errors->last[0] = *error;
    if (!errors_open)
        return;
    errors_of[error->offset] |= ERROR_SEEN;
    memcpy(error_text, error->text, sizeof error_text);
}

/* -- Worlds ----------------------------------------------------------------------------------- */

static inline void make_source(Prover *prover) {
    RefOut sql = {0};
    Planned planned;
    Err err;
    ref_world_columns(&prover->world);
    ref_out(&sql, "CREATE STREAM S (");
    for (uint32_t i = 0; i < prover->world.column_count; i++) {
        ref_out(&sql, "%sC%u ", i > 0 ? ", " : "", i);
        ref_type_print(&sql, prover->world.columns[i]);
    }
    ref_out(&sql, ") WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);");
    if (bridge_statement(NULL, sql.text, prover->arena, &planned, &err) != ERR_OK) {
        printf("%s\n%s\nFAILED no stream\n", sql.text, err.message);
        exit(1);
    }
    prover->source = planned.source;
}

static inline void make_rows(Prover *prover, Rows *rows) {
    static const uint32_t limits[] = {1, 3, 17, 40, 64, 65, 130, 1024};
    RefWorld *world = &prover->world;
    uint32_t limit = limits[ref_chance(world, 5)], share = ref_chance(world, 4);
    if (ref_chance(world, 12) == 0)
        limit = limits[5 + ref_chance(world, 3)];
    rows->count = 1 + ref_chance(world, limit);
    rows->values = ref_alloc((size_t)rows->count * world->column_count * sizeof(RefValue));
    for (uint32_t i = 0; i < rows->count * world->column_count; i++)
        rows->values[i] = ref_random_value(world, world->columns[i % world->column_count]);
    rows->selected = ref_alloc(rows->count * sizeof(uint16_t));
    rows->selected_count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (ref_chance(world, 4) >= share)
            rows->selected[rows->selected_count++] = (uint16_t)i;
    }
    rows->columns = arena_array(prover->arena, world->column_count, sizeof *rows->columns);
    for (uint32_t i = 0; i < world->column_count; i++) {
        BridgeRows column = {rows->values + i, rows->count, world->column_count};
        rows->columns[i] = bridge_column(prover->arena,
                                         prover->source->topic.schema->columns[i].type, column);
    }
}

/* -- Statements ------------------------------------------------------------------------------- */

static inline const char *select_of(const RefNode *const *trees, uint32_t count) {
    RefOut sql = {0};
    ref_out(&sql, "SELECT ");
    for (uint32_t i = 0; i < count; i++) {
        ref_out(&sql, "%s", i > 0 ? ", " : "");
        ref_sql(&sql, trees[i]);
        ref_out(&sql, " AS E%u", i);
    }
    ref_out(&sql, " FROM S EMIT CHANGES;");
    return sql.text;
}

/* The node that computes the trees; NULL: refused. */
static inline const PlanNode *plan_trees(Prover *prover, const RefNode *const *trees,
                                         uint32_t count, Arena *arena, Err *err) {
    Planned planned;
    if (bridge_statement(prover->source, select_of(trees, count), arena, &planned, err) != ERR_OK)
        return NULL;
    const PlanNode *project = bridge_project(planned.plan);
    if (!project || project->schema->column_count != count) {
        printf("%s\nFAILED a plan without a projection\n", select_of(trees, count));
        exit(1);
    }
    return project;
}

static inline bool type_is(Prover *prover, const RefNode *tree, const Type *type,
                           Finding *finding) {
    Buf got = {0};
    RefOut wanted = {0};
    (void)prover;
    type_print(&got, type);
    ref_type_print(&wanted, tree->type);
    bool same = strcmp(buf_cstr(&got), wanted.text) == 0;
    if (!same) {
        finding->what = "type";
        snprintf(finding->text, sizeof finding->text, "wanted %s\n  got    %s", wanted.text,
                 buf_cstr(&got));
    }
    buf_free(&got);
    return same;
}

/* -- One expression over one batch ------------------------------------------------------------ */

static inline void check_row(Prover *prover, const RefNode *tree, const RefRun *run,
                             const Column *column, Finding *finding) {
    uint32_t row = finding->row;
    prover->values++;
    prover->vague += run->vague;
    prover->failed += run->failed;
    if (run->failed && !run->vague)
        errors_of[row] |= ERROR_WANTED;
    if (run->failed || run->unsure || run->vague)
        errors_of[row] |= ERROR_ALLOWED;
    if (run->vague)
        return;
    finding->got = bridge_value(column, row);
    if (!ref_same(tree->type, &finding->wanted, &finding->got))
        finding->what = "value";
}

static inline void check_column(Prover *prover, const RefNode *tree, const Rows *rows,
                                const Column *column, Finding *finding) {
    prover->evaluated++;
    for (uint32_t i = 0; i < rows->selected_count && !finding->what; i++) {
        RefMark mark = ref_mark();
        finding->row = rows->selected[i];
        RefRun run = {.row = rows->values + (size_t)finding->row * prover->world.column_count};
        finding->wanted = ref_evaluate(&run, tree);
        check_row(prover, tree, &run, column, finding);
        if (!finding->what)
            ref_reset(mark);
    }
}

static inline void check_errors(const Rows *rows, Finding *finding) {
    for (uint32_t i = 0; i < rows->selected_count && !finding->what; i++) {
        uint8_t error = errors_of[rows->selected[i]];
        finding->row = rows->selected[i];
        if ((error & ERROR_WANTED) && !(error & ERROR_SEEN))
            finding->what = "error of the row: wanted one";
        else if ((error & ERROR_SEEN) && !(error & ERROR_ALLOWED))
            finding->what = "error of the row: wanted none";
        snprintf(finding->text, sizeof finding->text, "%s", error_text);
    }
}

/* As a predicate: the rows where the value is TRUE pass. */
static inline void check_select(ExprProgram *program, const Batch *batch, const Column *truth,
                                Finding *finding) {
    uint16_t passed[1024];
    uint32_t count = expr_select(program, batch, passed), wanted = 0;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint16_t row = batch->selected[i];
        if (column_is_null(truth, row) || truth->boolean[row] != 1)
            continue;
        if (wanted >= count || passed[wanted] != row) {
            finding->what = "predicate: a row does not pass";
            finding->row = row;
            return;
        }
        wanted++;
    }
    if (wanted != count)
        finding->what = "predicate: too many rows pass";
}

/* Runs a program of `count` expressions over the batch; the index of the one that is wrong. */
static inline uint32_t check_program(Prover *prover, const RefNode *const *trees,
                                     const Expr *const *exprs, uint32_t count, const Rows *rows,
                                     Finding *finding) {
    Arena *arena = arena_new("batch", 0);
    const Column *results[STATEMENT_TREES];
    ExprProgram *program;
    RowErrors errors = {0};
    Err err;
    int64_t facts[1024];
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < rows->count; i++)
        facts[i] = i;
    Batch batch = {.schema = prover->source->topic.schema, .columns = rows->columns,
                   .row_count = rows->count, .selected_count = rows->selected_count,
                   .selected = rows->selected, .rowtime = facts, .offset = facts, .topic = "s",
                   .arena = arena, .errors = &errors};
    memset(errors_of, 0, sizeof errors_of);
    if (expr_compile(exprs, count, arena, &program, &err) != ERR_OK) {
        finding->what = "does not compile";
        snprintf(finding->text, sizeof finding->text, "%s", err.message);
    } else {
        errors_open = true;
        expr_run(program, &batch, results);
        errors_open = false;
        for (uint32_t i = 0; i < count && !finding->what; i++) {
            check_column(prover, trees[i], rows, results[i], finding);
            wrong = i;
        }
        check_errors(rows, finding);
        if (count == 1 && trees[0]->type->kind == REF_BOOLEAN && !finding->what)
            check_select(program, &batch, results[0], finding);
    }
    arena_free(arena);
    return wrong;
}

/* -- Shrinking -------------------------------------------------------------------------------- */

static inline bool wrong_alone(Prover *prover, const RefNode *tree, const Rows *rows,
                               Finding *finding) {
    Arena *arena = arena_new("statement", 0);
    Err err;
    *finding = (Finding){0};
    const PlanNode *project = plan_trees(prover, &tree, 1, arena, &err);
    if (!project) {
        if (err.code != ERR_LIMIT) {
            finding->what = "refused";
            snprintf(finding->text, sizeof finding->text, "%s", err.message);
        }
    } else if (type_is(prover, tree, project->schema->columns[0].type, finding)) {
        check_program(prover, &tree, project->exprs, 1, rows, finding);
    }
    arena_free(arena);
    return finding->what != NULL;
}

/* The smallest part of a tree that is wrong by itself. */
static inline const RefNode *shrink(Prover *prover, const RefNode *tree, const Rows *rows,
                                    Finding *finding) {
    for (uint32_t i = 0; i < tree->count; i++) {
        Finding smaller;
        if (tree->args[i]->type->kind == REF_NULL ||
            !wrong_alone(prover, tree->args[i], rows, &smaller))
            continue;
        *finding = smaller;
        return shrink(prover, tree->args[i], rows, finding);
    }
    return tree;
}

static inline void print_columns(Prover *prover, const RefNode *tree, const RefValue *row) {
    for (uint32_t i = 0; i < tree->count; i++)
        print_columns(prover, tree->args[i], row);
    if (tree->kind != NODE_COLUMN)
        return;
    RefOut out = {0};
    ref_out(&out, "  C%u ", tree->index);
    ref_type_print(&out, tree->type);
    ref_out(&out, " = ");
    ref_print(&out, tree->type, &row[tree->index]);
    printf("%s\n", out.text);
}

static inline void report(Prover *prover, const RefNode *tree, const Rows *rows, Finding finding) {
    Finding alone;
    if (wrong_alone(prover, tree, rows, &alone)) {
        finding = alone;
        tree = shrink(prover, tree, rows, &finding);
    } else {
        printf("(only together with the other expressions of its statement)\n");
    }
    RefOut sql = {0}, wanted = {0}, got = {0};
    ref_sql(&sql, tree);
    ref_print(&wanted, tree->type, &finding.wanted);
    ref_print(&got, tree->type, &finding.got);
    printf("seed %lu, world %lu, row %u: %s\n  %s\n", prover->seed, prover->world_number,
           finding.row, finding.what, sql.text);
    print_columns(prover, tree, rows->values + (size_t)finding.row * prover->world.column_count);
    if (strcmp(finding.what, "value") == 0)
        printf("  wanted %s\n  got    %s\n", wanted.text, got.text);
    else
        printf("  %s\n", finding.text);
}

/* -- All -------------------------------------------------------------------------------------- */

/* A statement is refused as a whole: which expression is it? */
static inline bool check_refused(Prover *prover, const RefNode *const *trees, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        Finding finding;
        if (wrong_alone(prover, trees[i], &prover->rows[0], &finding)) {
            report(prover, trees[i], &prover->rows[0], finding);
            return false;
        }
    }
    prover->refused++;
    return true;
}

static inline bool check_statement(Prover *prover, const RefNode *const *trees, uint32_t count) {
    Arena *arena = arena_new("statement", 0);
    Err err;
    const PlanNode *project = plan_trees(prover, trees, count, arena, &err);
    bool good = project || check_refused(prover, trees, count);
    Finding finding = {0};
    for (uint32_t i = 0; project && good && i < count; i++) {
        good = type_is(prover, trees[i], project->schema->columns[i].type, &finding);
        if (!good)
            report(prover, trees[i], &prover->rows[0], finding);
    }
    uint32_t together = ref_chance(&prover->world, 3) == 0 ? count : 1;
    for (uint32_t batch = 0; project && good && batch < WORLD_BATCHES; batch++) {
        for (uint32_t i = 0; i < count && good; i += together) {
            uint32_t wrong = check_program(prover, trees + i, project->exprs + i, together,
                                           &prover->rows[batch], &finding);
            good = !finding.what;
            if (!good)
                report(prover, trees[i + wrong], &prover->rows[batch], finding);
        }
    }
    prover->expressions += count;
    arena_free(arena);
    return good;
}

static inline bool check_world(Prover *prover) {
    bool good = true;
    RefMark start = ref_mark();
    prover->world.state = prover->seed * 1000003 + prover->world_number;
    prover->arena = arena_new("world", 0);
    make_source(prover);
    for (uint32_t i = 0; i < WORLD_BATCHES; i++)
        make_rows(prover, &prover->rows[i]);
    for (uint32_t i = 0; i < WORLD_STATEMENTS && good; i++) {
        const RefNode *trees[STATEMENT_TREES];
        RefMark mark = ref_mark();
        prover->world.pool_count = 0;
        for (uint32_t j = 0; j < STATEMENT_TREES; j++)
            trees[j] = ref_random_tree(&prover->world);
        good = check_statement(prover, trees, STATEMENT_TREES);
        ref_reset(mark);
    }
    arena_free(prover->arena);
    ref_reset(start);
    return good;
}

#endif
