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

static const char *join_word(AstJoinKind kind) {
    static const char *const words[] = {[AST_JOIN_NONE] = "",
                                        [AST_JOIN_INNER] = "[INNER] JOIN",
                                        [AST_JOIN_LEFT] = "LEFT [OUTER] JOIN",
                                        [AST_JOIN_RIGHT] = "RIGHT [OUTER] JOIN",
                                        [AST_JOIN_FULL] = "[FULL] OUTER JOIN"};
    assert(kind <= AST_JOIN_FULL);
    return words[kind];
}

static ErrCode join_fails(const JoinPlan *join, const JoinClause *clause, const char *text,
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

static ErrCode join_criteria(const Planner *planner, const AstExpr *on, Err *err) {
    assert(on);
    if (on->kind == AST_AND || on->kind == AST_OR)
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "Invalid join condition: joins on multiple conditions are not yet "
                          "supported. Got %s.",
                          planner_expr(planner, on));
    if (on->kind != AST_COMPARE)
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "Unsupported join expression: %s", planner_expr(planner, on));
    if (on->op != AST_OP_EQUAL)
        return err_set_at(err, ERR_SEMANTIC, on->pos.line, on->pos.column,
                          "Only equality join criteria is supported.");
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
    const AstExpr *on = draft->ast->sources[clause->right].on;
    Binder binder = draft_binder(draft, "JOIN ON");
    const Expr *sides[2];
    uint32_t sources[2];
    TRY(join_criteria(planner, on, err));
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

static bool is_key_column(const JoinPlan *join, uint32_t source, const Expr *expr) {
    assert(expr);
    const Schema *schema = join->draft->scope.sources[source].source->topic.schema;
    return expr->kind == EXPR_COLUMN && schema->key_count == 1 &&
           expr->column == join->first[source];
}

static ErrCode join_stream_stream(JoinPlan *join, JoinClause *clause, Err *err) {
    const AstSource *ast = &join->draft->ast->sources[clause->right];
    if (!ast->has_within)
        return join_fails(join, clause,
                          "Stream-Stream joins must have a WITHIN clause specified. None was "
                          "provided.",
                          err);
    draft_unsupported(join->draft, "Stream-stream joins are not supported yet.");
    return ERR_OK;
}

static ErrCode join_stream_table(JoinPlan *join, JoinClause *clause, Err *err) {
    const Draft *draft = join->draft;
    const AstSource *ast = &draft->ast->sources[clause->right];
    Arena *arena = draft->planner->arena;
    if (ast->has_within)
        return join_fails(join, clause,
                          "A window definition was provided for a Stream-Table join. These joins "
                          "are not windowed. Please drop the window definition (ie. the WITHIN "
                          "clause) and try to execute your join again.",
                          err);
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join type: full-outer join not supported for "
                                       "stream-table join. Got %s %s %s.",
                                       draft->scope.sources[clause->left_source].source->name,
                                       join_word(clause->kind),
                                       draft->scope.sources[clause->right].source->name),
                          err);
    if (clause->kind == AST_JOIN_RIGHT)
        return join_fails(join, clause, "Invalid join type encountered: RIGHT", err);
    if (!is_key_column(join, clause->right, clause->right_expr))
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join condition: stream-table joins require to join "
                                       "on the table's primary key. Got %s.",
                                       clause->got),
                          err);
    return ERR_OK;
}

static ErrCode join_foreign_key(const JoinPlan *join, JoinClause *clause, Err *err) {
    const Scope *scope = &join->draft->scope;
    Arena *arena = join->draft->planner->arena;
    const Source *left = scope->sources[clause->left_source].source;
    const Source *right = scope->sources[clause->right].source;
    clause->foreign_key = true;
    if (clause->right > 1)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join condition: foreign-key table-table joins are "
                                       "not supported as part of n-way joins. Got %s.",
                                       clause->got),
                          err);
    if (left->topic.window != WINDOW_NONE || right->topic.window != WINDOW_NONE)
        return join_fails(join, clause,
                          "Foreign-key table-table joins are not supported on windowed tables.",
                          err);
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join type: full-outer join not supported for "
                                       "foreign-key table-table join. Got %s %s %s.",
                                       left->name, join_word(clause->kind), right->name),
                          err);
    if (clause->kind == AST_JOIN_RIGHT)
        return join_fails(join, clause, "RIGHT OUTER JOIN on a foreign key is not supported", err);
    return ERR_OK;
}

static ErrCode join_table_table(JoinPlan *join, JoinClause *clause, Err *err) {
    const AstSource *ast = &join->draft->ast->sources[clause->right];
    if (ast->has_within)
        return join_fails(join, clause,
                          "A window definition was provided for a Table-Table join. These joins "
                          "are not windowed. Please drop the window definition (ie. the WITHIN "
                          "clause) and try to execute your join again.",
                          err);
    if (!is_key_column(join, clause->right, clause->right_expr))
        return join_fails(join, clause,
                          arena_printf(join->draft->planner->arena,
                                       "Invalid join condition: table-table joins require to join "
                                       "on the primary key of the right input table. Got %s.",
                                       clause->got),
                          err);
    bool key = is_key_column(join, clause->left_source, clause->left);
    if (!key)
        TRY(join_foreign_key(join, clause, err));
    draft_unsupported(join->draft, "%s joins are not supported yet.",
                      key ? "Table-table" : "Foreign-key table-table");
    return ERR_OK;
}

ErrCode join_check(JoinPlan *join, JoinClause *clause, Err *err) {
    assert(clause);
    const Draft *draft = join->draft;
    const Scope *scope = &draft->scope;
    clause->left_is_table = clause->right == 1 ? scope->sources[0].source->is_table
                                               : draft->top->is_table;
    bool right_is_table = scope->sources[clause->right].source->is_table;
    TRY(format_map_key(draft->planner, clause->left->text, clause->left->type, err));
    if (clause->left_is_table && !right_is_table)
        return join_fails(join, clause,
                          arena_printf(draft->planner->arena,
                                       "Invalid join order: table-stream joins are not supported; "
                                       "only stream-table joins. Got %s %s %s.",
                                       scope->sources[clause->left_source].source->name,
                                       join_word(clause->kind),
                                       scope->sources[clause->right].source->name),
                          err);
    TRY(join_windows(join, clause, err));
    if (clause->left_is_table)
        return join_table_table(join, clause, err);
    return right_is_table ? join_stream_table(join, clause, err)
                          : join_stream_stream(join, clause, err);
}

/* -- Partitions -------------------------------------------------------------------------------- */

ErrCode join_check_partitions(const JoinPlan *join, const JoinClause *clause, Err *err) {
    assert(clause);
    const Draft *draft = join->draft;
    const ScopeSource *left = &draft->scope.sources[clause->left_source];
    const ScopeSource *right = &draft->scope.sources[clause->right];
    bool stream = !right->source->is_table;
    bool right_rekey = stream && !is_key_column(join, clause->right, clause->right_expr);
    bool left_rekey = clause->rekey && !clause->foreign_key;
    bool windowed = left->source->topic.window != WINDOW_NONE;
    if (windowed && (right_rekey || left_rekey))
        return join_fails(join, clause, join_repartition_windowed, err);
    if (left_rekey || right_rekey || clause->foreign_key ||
        join->partition_count == right->source->partition_count)
        return ERR_OK;
    return join_fails(join, clause,
                      arena_printf(draft->planner->arena,
                                   "Can't join `%s` with `%s` since the number of partitions don't "
                                   "match. `%s` partitions = %u; `%s` partitions = %u. Please "
                                   "repartition either one so that the number of partitions match.",
                                   left->alias, right->alias, left->alias, join->partition_count,
                                   right->alias, right->source->partition_count),
                      err);
}
