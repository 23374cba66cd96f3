/*
 * table.c - the table of table functions, made of udf/table.def.
 *
 * The rows lie in order of name, so that the overloads of one name are neighbours.
 */
#include "udf/table.h"

#include <string.h>
#include <strings.h>

#include "udf/signature.h"
#include "udf/table_impl.h"

static const TableFunction table_rows[] = {
#define UDF_TABLE(name, signature, kernel, help) \
    {#name, signature, kernel##_count, kernel##_values, help},
#include "udf/table.def"
#undef UDF_TABLE
};

static const TableFunction table_testing_rows[] = {
#define TESTING_SCALAR(name, signature, kernel, flags, prepare)
#define TESTING_TABLE(name, signature, kernel) \
    {#name, signature, kernel##_count, kernel##_values, "For tests."},
#define TESTING_AGGREGATE(name, signature, State, kernel, undo)
#include "udf/testing.def"
#undef TESTING_AGGREGATE
#undef TESTING_SCALAR
#undef TESTING_TABLE
};

enum {
    TABLE_COUNT = sizeof table_rows / sizeof table_rows[0],
    TABLE_TESTING_COUNT = sizeof table_testing_rows / sizeof table_testing_rows[0],
};

const TableFunction *table_at(uint32_t index) {
    return index < TABLE_COUNT ? &table_rows[index] : NULL;
}

static const TableFunction *table_find(const char *name, uint32_t *count) {
    assert(name && count);
    const TableFunction *found =
        signature_rows(table_rows, sizeof *table_rows, TABLE_COUNT, name, count);
    if (found || !function_testing())
        return found;
    return signature_rows(table_testing_rows, sizeof *table_testing_rows, TABLE_TESTING_COUNT, name,
                          count);
}

bool table_exists(const char *name) {
    uint32_t count;
    return table_find(name, &count) != NULL;
}

ErrCode table_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                      TableMatch *match, Err *err) {
    assert(match);
    uint32_t overload_count;
    const TableFunction *first = table_find(name, &overload_count);
    if (!first)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, overload_count, sizeof *signatures);
    for (uint32_t i = 0; i < overload_count; i++)
        signatures[i] = first[i].signature;
    SignatureCall call = {name, signatures, overload_count, types, count, NULL};
    SignatureMatch found;
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (TableMatch){&first[found.index], found.result, found.cast_types};
    return ERR_OK;
}

const TableFunction *table_by_signature(const char *name, const char *signature) {
    uint32_t count;
    const TableFunction *first = table_find(name, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(first[i].signature, signature) == 0)
            return &first[i];
    }
    return NULL;
}
