/*
 * function.c - the table of scalar functions, made of udf/scalar.def.
 *
 * The rows lie in order of name, so that the overloads of one name are neighbours.
 */
#include "udf/function.h"

#include <string.h>
#include <strings.h>

#include "udf/function_impl.h"

static const Function function_rows[] = {
#define UDF_SCALAR(name, signature, kernel, flags, prepare, help) \
    {#name, signature, kernel, flags, help, prepare, NULL, NULL},
#include "udf/scalar.def"
#undef UDF_SCALAR
};

enum { FUNCTION_COUNT = sizeof function_rows / sizeof function_rows[0] };

static const struct {
    FunctionKind kind;
    const char *name;
} function_ksql_names[] = {
#define KSQL_NAME(kind, name) {FUNCTION_##kind, #name},
#include "udf/ksql_names.def"
#undef KSQL_NAME
};

const Function *function_at(uint32_t index) {
    return index < FUNCTION_COUNT ? &function_rows[index] : NULL;
}

/* Index of the first overload, FUNCTION_COUNT when there is none; *count of them. */
static uint32_t function_find(const char *name, uint32_t *count) {
    assert(name);
    uint32_t first = 0;
    while (first < FUNCTION_COUNT && strcasecmp(function_rows[first].name, name) != 0)
        first++;
    uint32_t end = first;
    while (end < FUNCTION_COUNT && strcasecmp(function_rows[end].name, name) == 0)
        end++;
    *count = end - first;
    return first;
}

bool function_exists(const char *name) {
    uint32_t count;
    function_find(name, &count);
    return count > 0;
}

FunctionKind function_is_ksqldb(const char *name) {
    assert(name);
    uint32_t count = sizeof function_ksql_names / sizeof function_ksql_names[0];
    for (uint32_t i = 0; i < count; i++) {
        if (strcasecmp(function_ksql_names[i].name, name) == 0)
            return function_ksql_names[i].kind;
    }
    return FUNCTION_NONE;
}

/* The overloads of the name, for resolution; *first: index of the first. */
static ErrCode function_overloads(const char *name, const FunctionArgs *args, Arena *arena,
                                  SignatureCall *call, uint32_t *first, Err *err) {
    uint32_t count;
    *first = function_find(name, &count);
    if (count == 0 && function_is_ksqldb(name) == FUNCTION_SCALAR)
        return err_set(err, ERR_UNSUPPORTED, "Function '%s' is not supported yet.", name);
    if (count == 0)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, count, sizeof *signatures);
    for (uint32_t i = 0; i < count; i++)
        signatures[i] = function_rows[*first + i].signature;
    *call = (SignatureCall){name, signatures, count, args->types, args->count, args->lambdas};
    return ERR_OK;
}

ErrCode function_resolve_args(const char *name, const FunctionArgs *args, Arena *arena,
                              FunctionMatch *match, Err *err) {
    assert(match);
    SignatureCall call;
    SignatureMatch found;
    uint32_t first;
    TRY(function_overloads(name, args, arena, &call, &first, err));
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (FunctionMatch){&function_rows[first + found.index], found.result, found.cast_types};
    return ERR_OK;
}

ErrCode function_lambda_params(const char *name, const FunctionArgs *args, uint32_t index,
                               Arena *arena, const Type **params, Err *err) {
    assert(params && args->lambdas);
    SignatureCall call;
    uint32_t first;
    TRY(function_overloads(name, args, arena, &call, &first, err));
    return signature_lambda(&call, index, arena, params, err);
}

ErrCode function_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                         FunctionMatch *match, Err *err) {
    FunctionArgs args = {types, NULL, count};
    return function_resolve_args(name, &args, arena, match, err);
}

const Function *function_by_signature(const char *name, const char *signature) {
    uint32_t count;
    uint32_t first = function_find(name, &count);
    for (uint32_t i = first; i < first + count; i++) {
        if (strcmp(function_rows[i].signature, signature) == 0)
            return &function_rows[i];
    }
    return NULL;
}
