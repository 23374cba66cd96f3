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

enum { TABLE_COUNT = sizeof table_rows / sizeof table_rows[0] };

const TableFunction *table_at(uint32_t index) {
    return index < TABLE_COUNT ? &table_rows[index] : NULL;
}

/* Index of the first overload, TABLE_COUNT when there is none; *count of them. */
static uint32_t table_find(const char *name, uint32_t *count) {
    assert(name);
    uint32_t first = 0;
    while (first < TABLE_COUNT && strcasecmp(table_rows[first].name, name) != 0)
        first++;
    uint32_t end = first;
    while (end < TABLE_COUNT && strcasecmp(table_rows[end].name, name) == 0)
        end++;
    *count = end - first;
    return first;
}

bool table_exists(const char *name) {
    uint32_t count;
    table_find(name, &count);
    return count > 0;
}

ErrCode table_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                      TableMatch *match, Err *err) {
    assert(match);
    uint32_t overload_count;
    uint32_t first = table_find(name, &overload_count);
    if (overload_count == 0)
        return err_set(err, ERR_UNKNOWN_NAME, "Can't find any functions with the name '%s'", name);
    const char **signatures = arena_array(arena, overload_count, sizeof *signatures);
    for (uint32_t i = 0; i < overload_count; i++)
        signatures[i] = table_rows[first + i].signature;
    SignatureCall call = {name, signatures, overload_count, types, count, NULL};
    SignatureMatch found;
    TRY(signature_resolve(&call, arena, &found, err));
    *match = (TableMatch){&table_rows[first + found.index], found.result, found.cast_types};
    return ERR_OK;
}

const TableFunction *table_by_signature(const char *name, const char *signature) {
    uint32_t count;
    uint32_t first = table_find(name, &count);
    for (uint32_t i = first; i < first + count; i++) {
        if (strcmp(table_rows[i].signature, signature) == 0)
            return &table_rows[i];
    }
    return NULL;
}
