/*
 * aggregate.c - the table of aggregate functions, made of udf/aggregate.def.
 */
#include "udf/aggregate.h"

#include <string.h>
#include <strings.h>

#include "udf/aggregate_impl.h"
#include "udf/signature.h"

static const Aggregate aggregate_rows[] = {
#define UDF_AGGREGATE(name, signature, State, kernel, undo, help) \
    {#name, signature, sizeof(State), undo, &kernel##_ops, help},
#include "udf/aggregate.def"
#undef UDF_AGGREGATE
};

static const Aggregate testing_rows[] = {
#define TESTING_SCALAR(name, signature, kernel, flags, prepare)
#define TESTING_TABLE(name, signature, kernel)
#define TESTING_AGGREGATE(name, signature, State, kernel, undo) \
    {#name, signature, sizeof(State), undo, &kernel##_ops, "For tests."},
#include "udf/testing.def"
#undef TESTING_SCALAR
#undef TESTING_TABLE
#undef TESTING_AGGREGATE
};

enum {
    AGGREGATE_COUNT = sizeof aggregate_rows / sizeof aggregate_rows[0],
    TESTING_COUNT = sizeof testing_rows / sizeof testing_rows[0],
};

const Aggregate *aggregate_at(uint32_t index) {
    return index < AGGREGATE_COUNT ? &aggregate_rows[index] : NULL;
}

/* The overloads of a name; NULL: none. */
static const Aggregate *aggregate_find(const char *name, uint32_t *count) {
    assert(name && count);
    const Aggregate *found =
        signature_rows(aggregate_rows, sizeof *aggregate_rows, AGGREGATE_COUNT, name, count);
    if (found || !function_testing())
        return found;
    return signature_rows(testing_rows, sizeof *testing_rows, TESTING_COUNT, name, count);
}

bool aggregate_exists(const char *name) {
    uint32_t count;
    return function_is_ksqldb(name) == FUNCTION_AGGREGATE || aggregate_find(name, &count) != NULL;
}

ErrCode aggregate_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                          AggregateMatch *match, Err *err) {
    assert(match);
    uint32_t overload_count;
    const Aggregate *rows = aggregate_find(name, &overload_count);
    if (!rows)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, overload_count, sizeof *signatures);
    for (uint32_t i = 0; i < overload_count; i++)
        signatures[i] = rows[i].signature;
    SignatureCall call = {name, signatures, overload_count, types, count, NULL};
    SignatureMatch found;
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (AggregateMatch){&rows[found.index], found.result, found.cast_types,
                              found.literal_count};
    const AggregateOps *ops = match->aggregate->ops;
    if (ops->type)
        match->result = ops->type(found.cast_types, count - found.literal_count, arena);
    return ERR_OK;
}

const Aggregate *aggregate_by_signature(const char *name, const char *signature) {
    uint32_t count;
    const Aggregate *rows = aggregate_find(name, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(rows[i].signature, signature) == 0)
            return &rows[i];
    }
    return NULL;
}

/* -- On tables --------------------------------------------------------------------------------- */

/* One for each of the rows above, where that has a twin. */
static const Aggregate table_rows[] = {
#define TABLE_TWIN(name, type, kernel) \
    {name, "(" type ") -> " type, sizeof(ExtremeTreeState), true, &kernel##_ops, "On tables."}
#define TABLE_TWINS(name, kernel)                                                        \
    TABLE_TWIN(name, "INTEGER", kernel), TABLE_TWIN(name, "BIGINT", kernel),             \
    TABLE_TWIN(name, "DOUBLE", kernel), TABLE_TWIN(name, "DECIMAL", kernel),             \
    TABLE_TWIN(name, "DATE", kernel), TABLE_TWIN(name, "TIME", kernel),                  \
    TABLE_TWIN(name, "TIMESTAMP", kernel), TABLE_TWIN(name, "STRING", kernel),           \
    TABLE_TWIN(name, "BYTES", kernel)
    TABLE_TWINS("MIN", extreme_tree_min),
    TABLE_TWINS("MAX", extreme_tree_max),
#undef TABLE_TWIN
#undef TABLE_TWINS
};

const Aggregate *aggregate_of_table(const Aggregate *aggregate) {
    assert(aggregate);
    if (aggregate->undo)
        return aggregate;
    for (uint32_t i = 0; i < sizeof table_rows / sizeof *table_rows; i++) {
        if (strcmp(table_rows[i].name, aggregate->name) == 0 &&
            strcmp(table_rows[i].signature, aggregate->signature) == 0)
            return &table_rows[i];
    }
    return NULL;
}
