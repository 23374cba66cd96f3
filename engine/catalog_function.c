/*
 * catalog_function.c - users' functions in the catalog. Keys of entries: "f/NAME(TYPES)".
 *
 * In memory they lie in order of name, overloads in order of their types, so that the overloads of
 * a name are one run of the array, which the planner is handed as it stands.
 */
#include <strings.h>

#include "base/mem.h"
#include "engine/catalog_impl.h"
#include "planner/plan_json.h"

static int function_order(const UserFunction *left, const UserFunction *right) {
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->function.signature, right->function.signature);
}

const UserFunction *const *catalog_functions(const Catalog *catalog, const char *name,
                                             uint32_t *count) {
    assert(name);
    size_t first = 0;
    while (first < catalog->function_count &&
           strcasecmp(catalog->functions[first]->name, name) != 0)
        first++;
    size_t end = first;
    while (end < catalog->function_count && strcasecmp(catalog->functions[end]->name, name) == 0)
        end++;
    *count = (uint32_t)(end - first);
    return *count > 0 ? catalog->functions + first : NULL;
}

const UserFunction *catalog_function(const Catalog *catalog, const UserFunction *like) {
    for (size_t i = 0; i < catalog->function_count; i++) {
        const UserFunction *function = catalog->functions[i];
        if (strcmp(function->name, like->name) == 0 &&
            user_has_types(function, like->param_types, like->param_count))
            return function;
    }
    return NULL;
}

/* -- Durable form ------------------------------------------------------------------------------ */

static Bytes function_key(Buf *key, const UserFunction *function) {
    Arena *scratch = arena_new("function key", 0);
    buf_printf(key, "f/%s", user_text(function, scratch));
    arena_free(scratch);
    return buf_view(key);
}

void catalog_put_function(Commit *commit, const UserFunction *function) {
    Buf key = {0}, json = {0};
    function_json_put(&json, function);
    commit_catalog_put(commit, function_key(&key, function), buf_view(&json));
    buf_free(&key);
    buf_free(&json);
}

void catalog_remove_function(Commit *commit, const UserFunction *function) {
    Buf key = {0};
    commit_catalog_remove(commit, function_key(&key, function));
    buf_free(&key);
}

/* -- Form in memory ---------------------------------------------------------------------------- */

static void function_insert(Catalog *catalog, const UserFunction *function) {
    catalog->functions = mem_grow(catalog->functions, &catalog->function_capacity,
                                  catalog->function_count + 1, sizeof *catalog->functions);
    size_t slot = catalog->function_count++;
    while (slot > 0 && function_order(catalog->functions[slot - 1], function) > 0) {
        catalog->functions[slot] = catalog->functions[slot - 1];
        slot--;
    }
    catalog->functions[slot] = function;
}

static void function_take_out(Catalog *catalog, const UserFunction *function) {
    size_t slot = 0;
    while (slot < catalog->function_count && catalog->functions[slot] != function)
        slot++;
    assert(slot < catalog->function_count);
    catalog->function_count--;
    memmove(catalog->functions + slot, catalog->functions + slot + 1,
            (catalog->function_count - slot) * sizeof *catalog->functions);
}

const UserFunction *catalog_show_function(Catalog *catalog, const UserFunction *function,
                                          const UserFunction **old) {
    Arena *arena = arena_new("function", 0);
    UserFunction *shown = user_copy(function, arena);
    shown->owner = arena;
    *old = catalog_function(catalog, function);
    if (*old)
        function_take_out(catalog, *old);
    function_insert(catalog, shown);
    return shown;
}

void catalog_unshow_function(Catalog *catalog, const UserFunction *shown,
                             const UserFunction *old) {
    catalog_hide_function(catalog, shown);
    if (old)
        function_insert(catalog, old);
}

void catalog_hide_function(Catalog *catalog, const UserFunction *function) {
    function_take_out(catalog, function);
    catalog_function_free(function);
}

void catalog_function_free(const UserFunction *function) {
    if (function)
        arena_free(function->owner);
}

ErrCode catalog_show_function_json(Catalog *catalog, Bytes json, Err *err) {
    Arena *arena = arena_new("function", 0);
    const UserFunction *function, *old;
    ErrCode code = function_json_get(json, arena, &function, err);
    if (code == ERR_OK) {
        catalog_show_function(catalog, function, &old);
        catalog_function_free(old);
    }
    arena_free(arena);
    return code;
}
