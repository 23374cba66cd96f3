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

enum { AGGREGATE_COUNT = sizeof aggregate_rows / sizeof aggregate_rows[0] };

const Aggregate *aggregate_at(uint32_t index) {
    return index < AGGREGATE_COUNT ? &aggregate_rows[index] : NULL;
}

bool aggregate_exists(const char *name) {
    return function_is_ksqldb(name) == FUNCTION_AGGREGATE;
}

static uint32_t aggregate_find(const char *name, uint32_t *count) {
    assert(name);
    uint32_t first = 0;
    while (first < AGGREGATE_COUNT && strcasecmp(aggregate_rows[first].name, name) != 0)
        first++;
    uint32_t end = first;
    while (end < AGGREGATE_COUNT && strcasecmp(aggregate_rows[end].name, name) == 0)
        end++;
    *count = end - first;
    return first;
}

ErrCode aggregate_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                          AggregateMatch *match, Err *err) {
    assert(match);
    uint32_t overload_count;
    uint32_t first = aggregate_find(name, &overload_count);
    if (overload_count == 0 && aggregate_exists(name))
        return err_set(err, ERR_UNSUPPORTED, "Aggregate function '%s' is not supported yet.", name);
    if (overload_count == 0)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, overload_count, sizeof *signatures);
    for (uint32_t i = 0; i < overload_count; i++)
        signatures[i] = aggregate_rows[first + i].signature;
    SignatureCall call = {name, signatures, overload_count, types, count, NULL};
    SignatureMatch found;
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (AggregateMatch){&aggregate_rows[first + found.index], found.result, found.cast_types,
                              found.literal_count};
    const AggregateOps *ops = match->aggregate->ops;
    if (ops->type)
        match->result = ops->type(found.cast_types, count - found.literal_count, arena);
    return ERR_OK;
}

const Aggregate *aggregate_by_signature(const char *name, const char *signature) {
    uint32_t count;
    uint32_t first = aggregate_find(name, &count);
    for (uint32_t i = first; i < first + count; i++) {
        if (strcmp(aggregate_rows[i].signature, signature) == 0)
            return &aggregate_rows[i];
    }
    return NULL;
}
