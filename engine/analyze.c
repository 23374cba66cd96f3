/*
 * analyze.c - EXPLAIN ANALYZE: the plan's steps with what their operators did.
 *
 * A persistent query is looked at where it is: figures since its start. A SELECT ... EMIT CHANGES
 * is run over what its sources hold now (or to its LIMIT), its rows are dropped where they come
 * into being; a lookup is run once. The rows of the answer are made when they are asked for:
 * weir_next() waits for a statement to end, weir_refresh() shows how far it is.
 */
#include "base/mem.h"
#include "engine/analyze_impl.h"
#include "engine/cause.h"
#include "planner/explain.h"

struct Analyze {
    char *query_id; /* of a persistent query; NULL: a statement */
    const Plan *plan; /* of a lookup, with its figures; in `arena` */
    OpFigures *ops;
    Arena *arena, *lines; /* lines: of the rows */
    int64_t until_us; /* of a statement: how long weir_next() waits */
    int64_t taken_us; /* up to now, or its end */
    bool ended;       /* the figures are the last */
    bool built;       /* rows were made since weir_next() began */
};

enum { COLUMN_IN = 1, COLUMN_OUT, COLUMN_RATE, COLUMN_TIME, COLUMN_SHARE };

static int64_t analyze_now_us(const WeirResult *result) {
    Io *io = result->weir->io;
    return io->ops->mono_us(io);
}

static Analyze *analyze_new(WeirResult *result) {
    Analyze *analyze = mem_alloc(sizeof *analyze);
    analyze->arena = arena_new("analyze", 0);
    analyze->lines = arena_new("analyze lines", 0);
    result->analyze = analyze;
    return analyze;
}

void analyze_free(Analyze *analyze) {
    if (!analyze)
        return;
    arena_free(analyze->arena);
    arena_free(analyze->lines);
    mem_free(analyze->query_id);
    mem_free(analyze);
}

/* -- Rows -------------------------------------------------------------------------------------- */

static void analyze_columns(WeirResult *result) {
    static const char *const names[] = {"Step", "In", "Out", "Rows/s", "ms", "%", "State", "Notes"};
    result_columns(result, names, 8);
    for (uint32_t i = COLUMN_IN; i <= COLUMN_SHARE; i++)
        result_numbers(result, i);
    result_fractions(result, COLUMN_TIME);
}

/* What the lines are made from. */
typedef struct AnalyzeLines {
    WeirResult *result;
    Causes causes;
    uint64_t time_us; /* of all nodes */
    bool has_lag;     /* of a running query */
} AnalyzeLines;

static void analyze_put_number(WeirResult *result, uint64_t number) {
    result_cell_printf(result, "%llu", (unsigned long long)number);
}

static void analyze_put_state(WeirResult *result, bool has_state, uint64_t rows, uint64_t bytes) {
    Buf text = {0};
    if (has_state) {
        buf_printf(&text, "%llu row%s, ", (unsigned long long)rows, rows == 1 ? "" : "s");
        cause_put_bytes(&text, bytes);
    }
    result_cell(result, buf_cstr(&text));
    buf_free(&text);
}

static void analyze_put_time(WeirResult *result, uint64_t time_us, uint64_t all_us) {
    result_cell_printf(result, time_us < 10000 ? "%.2f" : "%.1f", (double)time_us / 1000);
    analyze_put_number(result, all_us > 0 ? (time_us * 100 + all_us / 2) / all_us : 0);
}

/* A statement's over its whole time. */
static uint64_t analyze_rate(const Analyze *analyze, uint64_t rows, uint64_t lately) {
    if (analyze->query_id)
        return lately;
    return analyze->taken_us > 0
               ? (uint64_t)((double)rows * 1e6 / (double)analyze->taken_us)
               : 0;
}

static void analyze_put_notes(const AnalyzeLines *lines, const PlanNode *node) {
    Buf notes = {0};
    int64_t lag = lines->causes.ops[node->id].lag;
    if (lines->has_lag && (node->kind == PLAN_SOURCE || lag > 0))
        buf_printf(&notes, "lag %lld", (long long)lag);
    size_t begin = notes.size;
    buf_text(&notes, begin > 0 ? ", " : "");
    size_t separated = notes.size;
    cause_put_node(&notes, &lines->causes, node);
    if (notes.size == separated)
        notes.size = begin;
    result_cell(lines->result, buf_cstr(&notes));
    buf_free(&notes);
}

static void analyze_put_node(void *context, const PlanNode *node, uint32_t depth) {
    const AnalyzeLines *lines = context;
    WeirResult *result = lines->result;
    const OpFigures *op = &lines->causes.ops[node->id];
    Buf step = {0};
    explain_short(&step, lines->causes.plan, node, depth);
    result_cell(result, buf_cstr(&step));
    buf_free(&step);
    bool reads = node->input_count == 0;
    analyze_put_number(result, reads ? op->rows_out + op->row_errors : op->rows_in);
    analyze_put_number(result, op->rows_out);
    analyze_put_number(result, analyze_rate(result->analyze, op->rows_out, op->rate));
    analyze_put_time(result, op->time_us, lines->time_us);
    analyze_put_state(result, op->has_state, op->state_rows, op->state_bytes);
    analyze_put_notes(lines, node);
}

/* The first line: the query as a whole. */
static void analyze_put_query(const AnalyzeLines *lines, const CatalogQuery *query,
                              const QueryFigures *figures) {
    WeirResult *result = lines->result;
    const Analyze *analyze = result->analyze;
    result_cell(result, analyze->query_id ? query->id : "SELECT");
    analyze_put_number(result, figures->rows_in);
    analyze_put_number(result, figures->rows_out);
    analyze_put_number(result, analyze_rate(analyze, figures->rows_in, figures->rate));
    analyze_put_time(result, lines->time_us, lines->time_us);
    analyze_put_state(result, figures->state_bytes > 0, figures->state_rows, figures->state_bytes);
    Buf notes = {0};
    if (analyze->query_id)
        buf_printf(&notes, "%s for ", show_query_state(query, figures));
    else
        buf_text(&notes, analyze->ended ? "done in " : "running for ");
    cause_put_time(&notes, analyze->taken_us);
    if (query && query->running)
        buf_printf(&notes, ", lag %lld", (long long)figures->lag);
    result_cell(result, buf_cstr(&notes));
    buf_free(&notes);
}

static void analyze_lines(WeirResult *result, const Plan *plan, const OpFigures *ops,
                          const CatalogQuery *query, const QueryFigures *figures) {
    AnalyzeLines lines = {.result = result,
                          .causes = {&result->weir->catalog, query, plan, ops},
                          .has_lag = query && query->running};
    for (uint32_t i = 0; i < plan->node_count; i++)
        lines.time_us += ops[i].time_us;
    analyze_put_query(&lines, query, figures);
    explain_walk(plan, analyze_put_node, &lines);
}

static void analyze_lookup_lines(WeirResult *result) {
    const Analyze *analyze = result->analyze;
    QueryFigures figures = {0};
    for (uint32_t i = 0; i < analyze->plan->node_count; i++) {
        if (analyze->plan->nodes[i]->input_count == 0)
            figures.rows_in = analyze->ops[i].rows_out;
        figures.rows_out = analyze->ops[i].rows_out; /* the last one's */
    }
    analyze_lines(result, analyze->plan, analyze->ops, NULL, &figures);
}

static void analyze_query_lines(WeirResult *result, const CatalogQuery *query) {
    Arena *arena = arena_new("figures", 0);
    OpFigures *ops = arena_array(arena, query->plan->node_count, sizeof *ops);
    QueryFigures figures = {0};
    if (query->running) {
        query_op_figures(query->running, ops);
        query_figures(query->running, &figures);
    }
    result->analyze->ended |= !result->analyze->query_id && figures.state != QUERY_RUNNING;
    result->analyze->taken_us = figures.running_us;
    analyze_lines(result, query->plan, ops, query, &figures);
    arena_free(arena);
}

const CatalogQuery *analyze_query(const WeirResult *result) {
    const char *query_id = result->analyze->query_id;
    return query_id ? catalog_query(&result->weir->catalog, query_id) : result->push;
}

/* Everything anew: what the result had so far goes. */
static void analyze_build(WeirResult *result) {
    Analyze *analyze = result->analyze;
    Arena *own = result->arena;
    arena_reset(analyze->lines);
    result->arena = analyze->lines;
    result->cell_count = 0;
    analyze_columns(result);
    shared_lock_read(&result->weir->lock);
    const CatalogQuery *query = analyze_query(result);
    if (query)
        analyze_query_lines(result, query);
    else if (analyze->ops)
        analyze_lookup_lines(result);
    else
        analyze->ended = true; /* dropped meanwhile */
    shared_lock_release(&result->weir->lock);
    result_done(result);
    result->arena = own;
    analyze->built = true;
}

/* -- Asking ------------------------------------------------------------------------------------ */

WeirStatus analyze_next(WeirResult *result, int64_t timeout_ms, WeirError *error) {
    Analyze *analyze = result->analyze;
    Err err;
    if (analyze->built)
        return WEIR_OK;
    if (result->push && !analyze->ended) {
        int64_t left_ms = (analyze->until_us - analyze_now_us(result)) / 1000;
        if (timeout_ms < 0 || timeout_ms > left_ms)
            timeout_ms = left_ms > 0 ? left_ms : 0;
        ErrCode code = query_catch_up(result->push->running, timeout_ms, &err);
        if (code == ERR_LIMIT && timeout_ms < left_ms)
            return WEIR_WAITING;
        if (code != ERR_OK && code != ERR_LIMIT) {
            result_error(error, &err, 0);
            return WEIR_FAILED;
        }
        analyze->ended = code == ERR_OK;
    }
    analyze_build(result);
    return WEIR_OK;
}

bool weir_is_live(const WeirResult *result) {
    return result->analyze && !result->analyze->ended;
}

WeirStatus weir_refresh(WeirResult *result, WeirError *error) {
    (void)error;
    if (!result->analyze)
        return WEIR_END;
    analyze_build(result);
    return WEIR_OK;
}

/* -- The statement ----------------------------------------------------------------------------- */

static ErrCode analyze_lookup(Call *call, const Planned *planned, Err *err) {
    Analyze *analyze = analyze_new(call->result);
    EngineLookup lookup;
    TRY(engine_lookup_prepare(call, planned, analyze->arena, &lookup, err));
    analyze->plan = lookup.plan;
    analyze->ops = arena_array(analyze->arena, lookup.plan->node_count, sizeof *analyze->ops);
    int64_t begin_us = analyze_now_us(call->result);
    TRY(lookup_analyze(call->weir->runtime, lookup.plan, lookup.has_store ? &lookup.store : NULL,
                       analyze->arena, analyze->ops, err));
    analyze->taken_us = analyze_now_us(call->result) - begin_us;
    analyze->ended = true;
    return ERR_OK;
}

static ErrCode analyze_statement(Call *call, Err *err) {
    Call inner = *call;
    PlannerHost host = engine_host(call->weir);
    Planned planned = {0};
    inner.statement = call->statement->inner;
    if (inner.statement->kind != AST_SELECT)
        return err_set_at(err, ERR_SEMANTIC, inner.statement->pos.line,
                          inner.statement->pos.column,
                          "EXPLAIN ANALYZE runs the statement, so it takes a SELECT only. EXPLAIN "
                          "ANALYZE with the id of a query shows how that one runs.");
    TRY(plan_statement(&host, inner.statement, call->arena, &planned, err));
    if (planned.kind == PLANNED_PULL) {
        TRY(analyze_lookup(&inner, &planned, err));
    } else {
        TRY(engine_push_start(&inner, &planned, true, err));
        Analyze *analyze = analyze_new(call->result);
        int64_t wait_ms = settings_number(&call->weir->settings, "weir.analyze.wait.ms");
        analyze->until_us = analyze_now_us(call->result) + wait_ms * 1000;
        result_queue_discard(call->result->queue);
    }
    analyze_columns(call->result);
    return ERR_OK;
}

ErrCode engine_analyze(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    if (statement->inner)
        return analyze_statement(call, err);
    if (!catalog_query(&call->weir->catalog, statement->name))
        return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line,
                          statement->name_pos.column,
                          "Query with id:%s does not exist, use SHOW QUERIES to view the full set "
                          "of queries.",
                          statement->name);
    analyze_new(call->result)->query_id = mem_strdup(statement->name);
    analyze_columns(call->result);
    return ERR_OK;
}
