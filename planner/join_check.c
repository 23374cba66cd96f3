/*
 * join_check.c - ON clauses, and ksqlDB's rules of who may join whom.
 *
 *   left \ right   STREAM                   TABLE
 *   STREAM         WITHIN; all four kinds   INNER, LEFT; on the table's key
 *   TABLE          never                    key = key: all four; else = right key: INNER, LEFT
 */
#include <assert.h>
#include <string.h>

#include "planner/join_impl.h"

const char *join_word(AstJoinKind kind) {
    static const char *const words[] = {[AST_JOIN_NONE] = "",
                                        [AST_JOIN_INNER] = "[INNER] JOIN",
                                        [AST_JOIN_LEFT] = "LEFT [OUTER] JOIN",
                                        [AST_JOIN_RIGHT] = "RIGHT [OUTER] JOIN",
                                        [AST_JOIN_FULL] = "[FULL] OUTER JOIN"};
    assert(kind <= AST_JOIN_FULL);
    return words[kind];
}

ErrCode join_fails(const JoinPlan *join, const JoinClause *clause, const char *text,
                   Err *err) {
    const AstExpr *on = join->draft->ast->sources[clause->right].on;
    return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column, "%s", text);
}

/* -- ON ---------------------------------------------------------------------------------------- */

typedef struct JoinSides {
    const JoinPlan *join;
    uint32_t source; /* of the columns met; UINT32_MAX none */
    bool several;
} JoinSides;

static bool join_source_visit(void *context, const Expr *expr) {
    JoinSides *sides = context;
    if (expr->kind != EXPR_COLUMN)
        return false;
    uint32_t source = sides->join->draft->scope.columns[expr->column].source;
    sides->several = sides->several || (sides->source != UINT32_MAX && sides->source != source);
    sides->source = source;
    return false;
}

static ErrCode join_side(const JoinPlan *join, const AstExpr *on, const AstExpr *side,
                         const Expr *expr, uint32_t *source, Err *err) {
    const Planner *planner = join->draft->planner;
    JoinSides sides = {join, UINT32_MAX, false};
    expr_find(expr, join_source_visit, &sides);
    *source = sides.source;
    if (sides.source != UINT32_MAX && !sides.several)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, side->pos.line, side->pos.column,
                      "Invalid comparison expression '%s' in join '%s'. Each side of the join "
                      "comparision must contain references from exactly one source.",
                      planner_expr(planner, side), planner_expr(planner, on));
}

static bool is_equality(const AstExpr *ast) {
    assert(ast);
    return ast->kind == AST_COMPARE && ast->op == AST_OP_EQUAL;
}

/* The first equality among conditions that all must hold; NULL: there is none. */
static const AstExpr *first_equality(const AstExpr *on) {
    if (on->kind != AST_AND)
        return is_equality(on) ? on : NULL;
    const AstExpr *found = NULL;
    for (uint32_t i = 0; i < on->arg_count && !found; i++)
        found = first_equality(on->args[i]);
    return found;
}

/* *key: the condition that gives the join its key. */
static ErrCode join_criteria(const Planner *planner, const AstExpr *on, const AstExpr **key,
                             Err *err) {
    assert(on && key);
    *key = first_equality(on);
    if (*key == on || (*key && planner_extensions_on(planner)))
        return ERR_OK;
    if (on->kind == AST_AND || on->kind == AST_OR)
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "Invalid join condition: joins on multiple conditions are not yet "
                          "supported. Got %s.",
                          planner_expr(planner, on));
    if (on->kind != AST_COMPARE)
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "Unsupported join expression: %s", planner_expr(planner, on));
    return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                      "Only equality join criteria is supported.");
}

/* -- Further conditions ------------------------------------------------------------------------ */

static bool is_later_visit(void *context, const Expr *expr) {
    const JoinSides *sides = context;
    return expr->kind == EXPR_COLUMN &&
           sides->join->draft->scope.columns[expr->column].source > sides->source;
}

static const Expr *both_hold(Arena *arena, const Expr *left, const Expr *right) {
    assert(right);
    if (!left)
        return right;
    const Expr **args = arena_array(arena, 2, sizeof *args);
    args[0] = left;
    args[1] = right;
    Expr *both = expr_new(arena, EXPR_AND, &type_boolean, args, 2);
    both->text = arena_printf(arena, "(%s AND %s)", left->text, right->text);
    return both;
}

/* All conditions but the one that is the key: over the joined rows. */
static ErrCode join_bind_also(JoinPlan *join, JoinClause *clause, const AstExpr *on,
                              const AstExpr *key, Err *err) {
    if (on == key)
        return ERR_OK;
    if (on->kind == AST_AND) {
        for (uint32_t i = 0; i < on->arg_count; i++)
            TRY(join_bind_also(join, clause, on->args[i], key, err));
        return ERR_OK;
    }
    Draft *draft = join->draft;
    Binder binder = draft_binder(draft, "JOIN ON");
    JoinSides sides = {join, clause->right, false};
    const Expr *expr;
    TRY(bind_predicate(&binder, on, &expr, err));
    if (expr_find(expr, is_later_visit, &sides))
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "The condition %s reads a source that is joined later.", expr->text);
    clause->also = both_hold(draft->planner->arena, clause->also, expr);
    return ERR_OK;
}

static ErrCode join_wrong_source(const JoinPlan *join, const JoinClause *clause, uint32_t left,
                                 uint32_t right, Err *err) {
    const ScopeSource *sources = join->draft->scope.sources;
    Arena *arena = join->draft->planner->arena;
    if (left == right)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Each side of the join must reference exactly one source "
                                       "and not the same source. Left side references `%s` and "
                                       "right references `%s`",
                                       sources[left].alias, sources[right].alias),
                          err);
    return join_fails(join, clause,
                      arena_printf(arena,
                                   "A join criteria is expected to reference the source (`%s`) in "
                                   "the FROM clause, instead the right source references `%s` and "
                                   "the left source references `%s`",
                                   sources[clause->right].alias, sources[right].alias,
                                   sources[left].alias),
                      err);
}

ErrCode join_bind(JoinPlan *join, JoinClause *clause, Err *err) {
    assert(clause);
    Draft *draft = join->draft;
    const Planner *planner = draft->planner;
    const AstExpr *all = draft->ast->sources[clause->right].on, *on;
    Binder binder = draft_binder(draft, "JOIN ON");
    const Expr *sides[2];
    uint32_t sources[2];
    TRY(join_criteria(planner, all, &on, err));
    TRY(join_bind_also(join, clause, all, on, err));
    for (uint32_t i = 0; i < 2; i++)
        TRY(bind_expr(&binder, on->args[i], &sides[i], err));
    for (uint32_t i = 0; i < 2; i++)
        TRY(join_side(join, on, on->args[i], sides[i], &sources[i], err));
    uint32_t right = sources[1] == clause->right ? 1 : 0;
    if (sources[right] != clause->right || sources[1 - right] >= clause->right)
        return join_wrong_source(join, clause, sources[0], sources[1], err);
    clause->left = sides[1 - right];
    clause->right_expr = sides[right];
    clause->left_source = sources[1 - right];
    clause->got = arena_printf(planner->arena, "%s = %s", join_text(join, sides[0]),
                               join_text(join, sides[1]));
    if (type_equal(clause->left->type, clause->right_expr->type))
        return ERR_OK;
    return err_set_at(err, ERR_TYPE, on->pos.line, on->pos.column,
                      "Invalid join condition: types don't match. Got %s{%s} = %s{%s}.",
                      join_text(join, sides[0]), type_text(planner->arena, sides[0]->type),
                      join_text(join, sides[1]), type_text(planner->arena, sides[1]->type));
}

/* A column with its source, whether that was written or not. */
const char *join_text(const JoinPlan *join, const Expr *expr) {
    assert(expr);
    return expr->kind == EXPR_COLUMN ? join->draft->scope.columns[expr->column].expr->text
                                     : expr->text;
}

static const char *const join_repartition_windowed =
    "Implicit repartitioning of windowed sources is not supported. See "
    "https://github.com/confluentinc/ksql/issues/4385.";

/* -- Windows ----------------------------------------------------------------------------------- */

static const char *window_word(WindowKind kind) {
    static const char *const words[] = {"not", "TUMBLING", "HOPPING", "SESSION"};
    return words[kind];
}

static ErrCode join_windows(const JoinPlan *join, const JoinClause *clause, Err *err) {
    const ScopeSource *sources = join->draft->scope.sources;
    const ScopeSource *left = &sources[clause->left_source], *right = &sources[clause->right];
    WindowKind left_window = left->source->topic.window, right_window = right->source->topic.window;
    Arena *arena = join->draft->planner->arena;
    if ((left_window == WINDOW_NONE) != (right_window == WINDOW_NONE))
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Can not join windowed source to non-windowed source.\n"
                                       "`%s` is %s windowed\n`%s` is %s windowed",
                                       left->alias, window_word(left_window), right->alias,
                                       window_word(right_window)),
                          err);
    if ((left_window == WINDOW_SESSION) != (right_window == WINDOW_SESSION))
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Incompatible windowed sources.\nLeft source: %s\n"
                                       "Right source: %s\nSession windowed sources can only be "
                                       "joined to other session windowed sources, and may still "
                                       "not result in expected behaviour as session bounds must be "
                                       "an exact match for the join to work.",
                                       window_word(left_window), window_word(right_window)),
                          err);
    if (left_window != WINDOW_NONE && (left_window != right_window ||
                                       left->source->topic.window_size_ms !=
                                           right->source->topic.window_size_ms))
        return join_fails(join, clause, join_repartition_windowed, err);
    return ERR_OK;
}

/* -- Kinds ------------------------------------------------------------------------------------- */

bool join_is_key(const JoinPlan *join, uint32_t source, const Expr *expr) {
    assert(expr);
    const Schema *schema = join->draft->scope.sources[source].source->topic.schema;
    return expr->kind == EXPR_COLUMN && schema->key_count == 1 &&
           expr->column == join->first[source];
}

static const JoinShape *join_shape(const JoinPlan *join, const JoinClause *clause) {
    const Source *right = join->draft->scope.sources[clause->right].source;
    if (!clause->left_is_table)
        return right->is_table ? &join_shape_table : &join_shape_stream;
    return join_is_key(join, clause->left_source, clause->left) ? &join_shape_tables
                                                                : &join_shape_foreign;
}

ErrCode join_check(JoinPlan *join, JoinClause *clause, Err *err) {
    assert(clause);
    const Draft *draft = join->draft;
    const Scope *scope = &draft->scope;
    clause->left_is_table = clause->right == 1 ? scope->sources[0].source->is_table
                                               : draft->top->is_table;
    TRY(format_map_key(draft->planner, clause->left->text, clause->left->type, err));
    if (clause->left_is_table && !scope->sources[clause->right].source->is_table)
        return join_fails(join, clause,
                          arena_printf(draft->planner->arena,
                                       "Invalid join order: table-stream joins are not supported; "
                                       "only stream-table joins. Got %s %s %s.",
                                       scope->sources[clause->left_source].source->name,
                                       join_word(clause->kind),
                                       scope->sources[clause->right].source->name),
                          err);
    TRY(join_windows(join, clause, err));
    clause->shape = join_shape(join, clause);
    return clause->shape->check(join, clause, err);
}

/* -- Partitions -------------------------------------------------------------------------------- */

static bool same_format(const PlanFormat *left, const PlanFormat *right) {
    assert(right);
    return left && left->format == right->format && left->unwrapped == right->unwrapped &&
           left->delimiter == right->delimiter;
}

/* Which sides move to the join's key, and how the joined rows lie in their partitions then: as the
 * side that stays; where none does, by row keys. Tables stay. */
static void join_moves(JoinPlan *join, JoinClause *clause) {
    const Source *right = join->draft->scope.sources[clause->right].source;
    assert(!clause->rekey && !clause->rekey_right);
    for (uint32_t i = 0; i < join->strong_count; i++)
        clause->continues = clause->continues || expr_equal(join->strong[i], clause->left);
    bool same = same_format(join->key_format, &right->topic.key);
    if (clause->shape->own_key)
        return;
    if (right->is_table) {
        clause->rekey = !clause->continues || !same;
    } else {
        bool is_key = join_is_key(join, clause->right, clause->right_expr);
        clause->rekey = !clause->continues;
        clause->rekey_right = !is_key || (clause->continues && !same);
    }
}

/* Sides of different partitions: a stream moves, the right one where both are. */
static void join_even(const JoinPlan *join, JoinClause *clause) {
    const ScopeSource *right = &join->draft->scope.sources[clause->right];
    uint32_t left_count = join->partition_count, right_count = right->source->partition_count;
    if (clause->rekey || clause->rekey_right || clause->shape->own_key ||
        left_count == right_count || clause->left_is_table)
        return;
    clause->rekey = right->source->is_table;
    clause->rekey_right = !clause->rekey;
    clause->note = arena_printf(join->draft->planner->arena,
                                "the sides of the join have %u and %u partitions", left_count,
                                right_count);
}

ErrCode join_partitions(JoinPlan *join, JoinClause *clause, Err *err) {
    assert(clause && clause->shape);
    const Draft *draft = join->draft;
    const ScopeSource *left = &draft->scope.sources[clause->left_source];
    const ScopeSource *right = &draft->scope.sources[clause->right];
    join_moves(join, clause);
    if (planner_extensions_on(draft->planner))
        join_even(join, clause);
    bool moved = clause->rekey || clause->rekey_right;
    if (left->source->topic.window != WINDOW_NONE && moved)
        return join_fails(join, clause, join_repartition_windowed, err);
    if (!moved && !clause->shape->own_key &&
        join->partition_count != right->source->partition_count)
        return join_fails(
            join, clause,
            arena_printf(draft->planner->arena,
                         "Can't join `%s` with `%s` since the number of partitions don't match. "
                         "`%s` partitions = %u; `%s` partitions = %u. Please repartition either "
                         "one so that the number of partitions match.",
                         left->alias, right->alias, left->alias, join->partition_count,
                         right->alias, right->source->partition_count),
            err);
    if (clause->rekey) {
        join->key_format = clause->rekey_right ? NULL : &right->source->topic.key;
        if (!clause->rekey_right)
            join->partition_count = right->source->partition_count;
    }
    return ERR_OK;
}
