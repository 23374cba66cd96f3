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

static const Function testing_rows[] = {
#define TESTING_SCALAR(name, signature, kernel, flags, prepare) \
    {#name, signature, kernel, flags, "For tests.", prepare, NULL, NULL},
#define TESTING_TABLE(name, signature, kernel)
#define TESTING_AGGREGATE(name, signature, State, kernel, undo)
#include "udf/testing.def"
#undef TESTING_AGGREGATE
#undef TESTING_SCALAR
#undef TESTING_TABLE
};

enum {
    FUNCTION_COUNT = sizeof function_rows / sizeof function_rows[0],
    TESTING_COUNT = sizeof testing_rows / sizeof testing_rows[0],
};

static bool testing_enabled;

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

void function_enable_testing(void) {
    testing_enabled = true;
}

bool function_testing(void) {
    return testing_enabled;
}

/* The first overload, and how many there are; NULL when there are none. */
static const Function *function_find(const char *name, uint32_t *count) {
    assert(name && count);
    const Function *found =
        signature_rows(function_rows, sizeof *function_rows, FUNCTION_COUNT, name, count);
    if (found || !testing_enabled)
        return found;
    return signature_rows(testing_rows, sizeof *testing_rows, TESTING_COUNT, name, count);
}

bool function_exists(const char *name) {
    uint32_t count;
    return function_find(name, &count) != NULL;
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

/* The overloads of the name, for resolution. */
static ErrCode function_overloads(const char *name, const FunctionArgs *args, Arena *arena,
                                  SignatureCall *call, const Function **first, Err *err) {
    uint32_t count;
    *first = function_find(name, &count);
    if (count == 0 && function_is_ksqldb(name) == FUNCTION_SCALAR)
        return err_set(err, ERR_UNSUPPORTED, "Function '%s' is not supported yet.", name);
    if (count == 0)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, count, sizeof *signatures);
    for (uint32_t i = 0; i < count; i++)
        signatures[i] = (*first)[i].signature;
    *call = (SignatureCall){name, signatures, count, args->types, args->count, args->lambdas};
    return ERR_OK;
}

ErrCode function_resolve_args(const char *name, const FunctionArgs *args, Arena *arena,
                              FunctionMatch *match, Err *err) {
    assert(match);
    SignatureCall call;
    SignatureMatch found;
    const Function *first;
    TRY(function_overloads(name, args, arena, &call, &first, err));
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (FunctionMatch){&first[found.index], found.result, found.cast_types};
    return ERR_OK;
}

ErrCode function_lambda_params(const char *name, const FunctionArgs *args, uint32_t index,
                               Arena *arena, const Type **params, Err *err) {
    assert(params && args->lambdas);
    SignatureCall call;
    const Function *first;
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
    const Function *first = function_find(name, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(first[i].signature, signature) == 0)
            return &first[i];
    }
    return NULL;
}
