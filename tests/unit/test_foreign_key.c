/* test_foreign_key.c - tables joined by a foreign key over several partitions: what is there at the
 * end is the join of the final rows, also if the machine stops anywhere. */
#include "base/hash.h"
#include "tests/unit/crash_bench.h"

enum { ROWS = 64, KEYS = 6, LEFT_PARTITIONS = 2, RIGHT_PARTITIONS = 3 };

typedef struct Model {
    int left_foreign[KEYS]; /* -1: no left row; KEYS: NULL */
    int left_value[KEYS];
    int right[KEYS]; /* -1: none */
    uint64_t dice;
} Model;

static uint32_t identity(Bench *bench, uint32_t input, const char *path, const char *schema) {
    const Schema *columns = bench->nodes[input]->schema;
    const Expr *exprs[8];
    for (uint32_t i = 0; i < columns->column_count; i++)
        exprs[i] = bench_column(bench, input, columns->columns[i].name);
    uint32_t node = bench_project(bench, PLAN_REPARTITION, input, schema, exprs);
    bench->nodes[node]->path = path;
    return node;
}

static void plan_foreign(Bench *bench, PlanJoinKind kind) {
    uint32_t left = bench_source(bench, "L", "K STRING KEY, F STRING, A INT", true);
    uint32_t right = bench_source(bench, "R", "F STRING KEY, B INT", true);
    PlanNode *subscribe = bench_node_on(bench, PLAN_SUBSCRIBE, "Subscribe", left);
    const char *sent = "FK STRING KEY, K STRING, F STRING, A INT, NOTE BIGINT";
    subscribe->schema = bench_schema(bench, sent);
    subscribe->join_key = bench_column(bench, left, "F");
    subscribe->join = kind;
    subscribe->is_table = false;
    uint32_t moved = identity(bench, subscribe->id, "There", sent);
    PlanNode *join = bench_node_on(bench, PLAN_JOIN_FOREIGN, "Join", moved);
    const char *found = "K STRING KEY, F STRING, A INT, RF STRING, B INT, NOTE BIGINT";
    join->schema = bench_schema(bench, found);
    join->inputs[1] = right;
    join->input_count = 2;
    join->join = kind;
    uint32_t back = identity(bench, join->id, "Back", found);
    PlanNode *resolve = bench_node_on(bench, PLAN_RESOLVE, "Resolve", back);
    resolve->schema = bench_schema(bench, "K STRING KEY, F STRING, A INT, RF STRING, B INT");
    resolve->is_table = true;
    resolve->join = kind;
    bench_sink(bench, resolve->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static void open_world(Bench *bench, uint64_t seed, PlanJoinKind kind) {
    crash_open(bench, seed);
    bench_make_topic(bench, "L", LEFT_PARTITIONS);
    bench_make_topic(bench, "R", RIGHT_PARTITIONS);
    bench_make_topic(bench, "OUT", LEFT_PARTITIONS);
    plan_foreign(bench, kind);
    bench_prepare(bench, RIGHT_PARTITIONS);
}

static void put_row(Bench *bench, void *context, int number) {
    Model *model = context;
    uint64_t *dice = &model->dice;
    char key[16], value[64];
    number++;
    *dice = hash_u64(*dice + 1);
    int at = (int)(*dice % KEYS), foreign = (int)((*dice >> 16) % (KEYS + 1));
    bool gone = *dice >> 32 & 1 && *dice >> 33 & 1;
    int64_t time = number * 10 + (int64_t)(*dice >> 44) % 200; /* out of order: results overtake */
    if (*dice >> 40 & 1) {
        snprintf(key, sizeof key, "\"k%d\"", at);
        if (foreign < KEYS)
            snprintf(value, sizeof value, "{\"F\": \"f%d\", \"A\": %d}", foreign, number);
        else
            snprintf(value, sizeof value, "{\"F\": null, \"A\": %d}", number);
        bench_put(bench, "L", hash_partition(bytes_of(key), LEFT_PARTITIONS), key,
                  gone ? NULL : value, time);
        model->left_foreign[at] = gone ? -1 : foreign;
        model->left_value[at] = number;
    } else {
        snprintf(key, sizeof key, "\"f%d\"", at);
        snprintf(value, sizeof value, "{\"B\": %d}", number);
        bench_put(bench, "R", hash_partition(bytes_of(key), RIGHT_PARTITIONS), key,
                  gone ? NULL : value, time);
        model->right[at] = gone ? -1 : number;
    }
}

/* The last value of a key without its time; "-": none, or a tombstone. */
static const char *last_value(Bench *bench, int number) {
    char key[16];
    const char *last = "-";
    snprintf(key, sizeof key, "\"k%d\"", number);
    for (uint32_t i = 0; i < LEFT_PARTITIONS; i++) {
        char *records = arena_strdup(bench->arena, bench_records(bench, "OUT", i, false));
        for (char *record = strtok(records, " "); record; record = strtok(NULL, " ")) {
            if (strncmp(record, key, strlen(key)) != 0)
                continue;
            *strrchr(record, '@') = '\0';
            last = strchr(record, '|') + 1;
        }
    }
    return last;
}

static const char *wanted(Bench *bench, const Model *model, PlanJoinKind kind, int number) {
    int foreign = model->left_foreign[number];
    int right = foreign >= 0 && foreign < KEYS ? model->right[foreign] : -1;
    if (foreign < 0 || (kind == JOIN_INNER && right < 0))
        return "-";
    const char *name =
        foreign < KEYS ? arena_printf(bench->arena, "\"f%d\"", foreign) : "null";
    if (right < 0)
        return arena_printf(bench->arena, "{\"F\":%s,\"A\":%d,\"RF\":null,\"B\":null}", name,
                            model->left_value[number]);
    return arena_printf(bench->arena, "{\"F\":%s,\"A\":%d,\"RF\":%s,\"B\":%d}", name,
                        model->left_value[number], name, right);
}

/* What is joined by key again keeps nothing of rows that are not there. */
static void check_resolve(Bench *bench, const Model *model, PlanJoinKind kind) {
    enum { RESOLVE = 6 };
    uint64_t there = 0;
    for (int i = 0; i < KEYS; i++)
        there += model->left_foreign[i] >= 0 &&
                 (kind == JOIN_LEFT || model->left_foreign[i] < KEYS);
    OpFigures figures[BENCH_NODES_MAX];
    assert_int_equal(bench->nodes[RESOLVE]->kind, PLAN_RESOLVE);
    query_op_figures(bench->query, figures);
    assert_int_equal(figures[RESOLVE].state_rows, there);
}

static bool run_once(uint64_t nth, PlanJoinKind kind) {
    Bench bench;
    Model model;
    memset(&model, -1, sizeof model);
    open_world(&bench, 500 + nth, kind);
    uint64_t seed = 1 + nth % 7;
    model.dice = seed * 977;
    bool stopped = crash_run(&bench, &(CrashRun){ROWS, 8, put_row, &model, nth, seed});
    for (int i = 0; i < KEYS; i++)
        assert_string_equal(last_value(&bench, i), wanted(&bench, &model, kind, i));
    check_resolve(&bench, &model, kind);
    bench_end(&bench);
    return stopped;
}

static void the_join_of_the_final_rows(void **state) {
    (void)state;
    for (uint64_t round = 0; round < 14; round++)
        run_once(0, round % 2 ? JOIN_INNER : JOIN_LEFT);
    uint64_t nth = 1;
    while (nth < 300 && run_once(nth, nth % 2 ? JOIN_INNER : JOIN_LEFT))
        nth += 3;
    assert_true(nth > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_join_of_the_final_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
