/*
 * plan_json_function.c - users' functions as JSON, in the catalog and in the plans that use them.
 *
 * A plan holds the definitions it was made with, so that OR REPLACE changes no query that runs,
 * and a restart finds all it needs in the plan itself.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "planner/plan_json_impl.h"
#include "planner/planner_impl.h"

/* -- Writing ----------------------------------------------------------------------------------- */

static json_t *function_type(const Type *type) {
    Buf buf = {0};
    type_print(&buf, type);
    json_t *text = json_stringn((const char *)buf.data, buf.size);
    buf_free(&buf);
    return text;
}

static json_t *function_json(const UserFunction *function) {
    json_t *params = json_array();
    for (uint32_t i = 0; i < function->param_count; i++)
        json_array_append_new(params, json_pack("{s:s, s:o}", "name", function->params[i].name,
                                                "type", function_type(function->params[i].type)));
    json_t *object = json_pack("{s:s, s:i, s:s, s:o, s:o, s:s}", "name", function->name, "version",
                               (int)function->version, "language",
                               user_language_text(function->language), "params", params,
                               "returns", function_type(function->result), "body",
                               function->body);
    assert(object); /* all texts are UTF-8: they came through the parser */
    if (function->language == USER_LUA) {
        json_object_set_new(object, "memory", json_integer(function->memory_max));
        json_object_set_new(object, "instructions", json_integer(function->steps_max));
        json_object_set_new(object, "batchInstructions",
                            json_integer(function->batch_steps_max));
    }
    if (function->symbol)
        json_object_set_new(object, "symbol", json_string(function->symbol));
    return object;
}

json_t *plan_json_functions(const Plan *plan) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < plan->function_count; i++)
        json_array_append_new(array, function_json(plan->functions[i]));
    return array;
}

void function_json_put(Buf *out, const UserFunction *function) {
    json_t *object = function_json(function);
    char *text = json_dumps(object, JSON_COMPACT);
    buf_text(out, text);
    mem_free(text);
    json_decref(object);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static ErrCode function_corrupt(const char *member, Err *err) {
    return err_set(err, ERR_CORRUPT, "stored function: member '%s' is missing or damaged", member);
}

static ErrCode function_get_text(const json_t *object, const char *member, Arena *arena,
                                 const char **text, Err *err) {
    const char *value = json_string_value(json_object_get(object, member));
    *text = value ? arena_strdup(arena, value) : NULL;
    return value ? ERR_OK : function_corrupt(member, err);
}

static ErrCode function_get_type(const json_t *object, const char *member, Arena *arena,
                                 const Type **type, Err *err) {
    const char *text;
    const AstType *ast;
    PlannerHost host = {0};
    Err cause;
    TRY(function_get_text(object, member, arena, &text, err));
    if (parse_type(bytes_of(text), arena, &ast, &cause) != ERR_OK ||
        plan_type(&host, ast, arena, type, &cause) != ERR_OK)
        return function_corrupt(member, err);
    return ERR_OK;
}

static ErrCode function_get_params(const json_t *object, Arena *arena, UserFunction *function,
                                   Err *err) {
    const json_t *array = json_object_get(object, "params");
    if (!json_is_array(array) || json_array_size(array) > FUNCTION_PARAMS_MAX)
        return function_corrupt("params", err);
    function->param_count = (uint32_t)json_array_size(array);
    UserParam *params = arena_array(arena, function->param_count, sizeof *params);
    for (uint32_t i = 0; i < function->param_count; i++) {
        const json_t *param = json_array_get(array, i);
        TRY(function_get_text(param, "name", arena, &params[i].name, err));
        TRY(function_get_type(param, "type", arena, &params[i].type, err));
    }
    function->params = params;
    return ERR_OK;
}

static ErrCode function_get_limit(const json_t *object, const char *member, int64_t *limit,
                                  Err *err) {
    *limit = json_integer_value(json_object_get(object, member));
    return *limit > 0 ? ERR_OK : function_corrupt(member, err);
}

static ErrCode function_get_limits(const json_t *object, UserFunction *function, Err *err) {
    TRY(function_get_limit(object, "memory", &function->memory_max, err));
    TRY(function_get_limit(object, "instructions", &function->steps_max, err));
    return function_get_limit(object, "batchInstructions", &function->batch_steps_max, err);
}

static ErrCode function_get(const json_t *object, Arena *arena, const UserFunction **result,
                            Err *err) {
    UserFunction *function = arena_alloc(arena, sizeof *function);
    const char *language;
    json_int_t version = json_integer_value(json_object_get(object, "version"));
    TRY(function_get_text(object, "name", arena, &function->name, err));
    TRY(function_get_text(object, "language", arena, &language, err));
    TRY(function_get_text(object, "body", arena, &function->body, err));
    if (!user_language_find(language, &function->language))
        return err_set(err, ERR_UNSUPPORTED,
                       "stored function: language '%s' is not known: it was written by a newer "
                       "Weir", language);
    if (version < 1 || version > UINT32_MAX)
        return function_corrupt("version", err);
    function->version = (uint32_t)version;
    if (function->language == USER_LUA)
        TRY(function_get_limits(object, function, err));
    if (function->language == USER_NATIVE)
        TRY(function_get_text(object, "symbol", arena, &function->symbol, err));
    TRY(function_get_params(object, arena, function, err));
    TRY(function_get_type(object, "returns", arena, &function->result, err));
    user_finish(function, arena);
    *result = function;
    return ERR_OK;
}

ErrCode plan_json_functions_get(json_t *array, Arena *arena, Plan *plan, Err *err) {
    if (array && !json_is_array(array))
        return function_corrupt("functions", err);
    plan->function_count = (uint32_t)json_array_size(array);
    const UserFunction **functions = arena_array(arena, plan->function_count, sizeof *functions);
    for (uint32_t i = 0; i < plan->function_count; i++)
        TRY(function_get(json_array_get(array, i), arena, &functions[i], err));
    plan->functions = functions;
    return ERR_OK;
}

const Function *plan_json_function(const Plan *plan, const char *name, const char *signature) {
    for (uint32_t i = 0; i < plan->function_count; i++) {
        const UserFunction *function = plan->functions[i];
        if (function->language != USER_SQL && strcmp(function->name, name) == 0 &&
            strcmp(function->function.signature, signature) == 0)
            return &function->function;
    }
    return NULL;
}

ErrCode function_json_get(Bytes json, Arena *arena, const UserFunction **function, Err *err) {
    assert(arena && function);
    json_error_t cause;
    json_t *object = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &cause);
    if (!object)
        return err_set(err, ERR_CORRUPT, "stored function is no JSON: %s", cause.text);
    ErrCode code = function_get(object, arena, function, err);
    json_decref(object);
    return code;
}
