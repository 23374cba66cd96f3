/*
 * function.c - CREATE FUNCTION and DROP FUNCTION.
 *
 * A new definition is first shown in the catalog, under the engine's lock, so that it is checked
 * as it will be seen: a body that calls itself is found, and so is any other function that would
 * no longer bind. Then it is made durable, or taken back.
 * Queries keep the definitions in their plans: OR REPLACE changes what later statements call.
 */
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "udf/cage.h"
#include "udf/native.h"

/* -- Who uses a function ----------------------------------------------------------------------- */

static bool function_is_same(const UserFunction *left, const UserFunction *right) {
    return strcmp(left->name, right->name) == 0 &&
           user_has_types(left, right->param_types, right->param_count);
}

static bool plan_uses(const Plan *plan, const UserFunction *function) {
    for (uint32_t i = 0; i < plan->function_count; i++)
        if (function_is_same(plan->functions[i], function))
            return true;
    return false;
}

/* Whether the body of `user` calls it, or something that does. */
static bool body_uses(Weir *weir, const UserFunction *user, const UserFunction *function) {
    Arena *scratch = arena_new("uses", 0);
    PlannerHost host = engine_host(weir);
    UserUses uses = {0};
    Err ignored;
    bool found = false;
    if (plan_function_check(&host, user, NULL, scratch, &uses, &ignored) == ERR_OK)
        for (size_t i = 0; i < uses.count; i++)
            found = found || uses.functions[i] == function;
    arena_free(scratch);
    return found;
}

bool engine_function_users(Weir *weir, const UserFunction *function, Buf *out) {
    const Catalog *catalog = &weir->catalog;
    Arena *scratch = arena_new("users", 0);
    size_t before = out->size;
    for (size_t i = 0; i < catalog->query_count; i++)
        if (plan_uses(catalog->queries[i]->plan, function))
            buf_printf(out, "%s%s", out->size > before ? ", " : "", catalog->queries[i]->id);
    for (size_t i = 0; i < catalog->function_count; i++)
        if (body_uses(weir, catalog->functions[i], function))
            buf_printf(out, "%s%s", out->size > before ? ", " : "",
                       user_text(catalog->functions[i], scratch));
    arena_free(scratch);
    return out->size > before;
}

/* -- CREATE FUNCTION --------------------------------------------------------------------------- */

/* The others must still bind: an overload more may make a call ambiguous. */
static ErrCode function_check_others(Call *call, const UserFunction *shown, Err *err) {
    const Catalog *catalog = &call->weir->catalog;
    PlannerHost host = engine_host(call->weir);
    UserUses uses = {0};
    for (size_t i = 0; i < catalog->function_count; i++) {
        const UserFunction *other = catalog->functions[i];
        if (other == shown ||
            plan_function_check(&host, other, NULL, call->arena, &uses, err) == ERR_OK)
            continue;
        Err cause = *err;
        return err_set_at(err, ERR_SEMANTIC, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Function %s would no longer be right: %s",
                          user_text(other, call->arena), cause.message);
    }
    return ERR_OK;
}

static ErrCode function_check(Call *call, const UserFunction *shown, Err *err) {
    PlannerHost host = engine_host(call->weir);
    UserUses uses = {0};
    TRY(plan_function_check(&host, shown, call->statement, call->arena, &uses, err));
    return function_check_others(call, shown, err);
}

static ErrCode function_limits(Call *call, const UserFunction *function, bool is_new, Err *err) {
    const Settings *settings = &call->weir->settings;
    AstPos pos = call->statement->name_pos;
    int64_t body_max = settings_number(settings, "weir.function.body.max.bytes");
    int64_t count_max = settings_number(settings, "weir.function.max");
    if ((int64_t)strlen(function->body) > body_max)
        return err_set_at(err, ERR_LIMIT, pos.line, pos.column,
                          "The body of function %s is longer than %lld bytes "
                          "(weir.function.body.max.bytes).", function->name, (long long)body_max);
    if (is_new && (int64_t)call->weir->catalog.function_count >= count_max)
        return err_set_at(err, ERR_LIMIT, pos.line, pos.column,
                          "There are %lld functions of users already (weir.function.max).",
                          (long long)count_max);
    return ERR_OK;
}

/* What a Lua function may use, and whether it is Lua at all. */
static ErrCode function_check_lua(Call *call, UserFunction *function, Err *err) {
    const Settings *settings = &call->weir->settings;
    AstPos pos = call->statement->text_pos;
    function->memory_max = settings_number(settings, "weir.function.memory.max.bytes");
    function->steps_max = settings_number(settings, "weir.function.instructions.max");
    function->batch_steps_max =
        settings_number(settings, "weir.function.batch.instructions.max");
    if (function->memory_max < 1 || function->steps_max < 1 || function->batch_steps_max < 1)
        return err_set(err, ERR_SEMANTIC, "The budgets weir.function.... must be positive.");
    if (cage_check(function, err) == ERR_OK)
        return ERR_OK;
    err->column = err->line > 1 ? 1 : pos.column;
    err->line = pos.line + (err->line > 0 ? err->line - 1 : 0);
    return err->code;
}

static ErrCode function_check_code(Call *call, UserFunction *function, Err *err) {
    if (function->language == USER_LUA)
        return function_check_lua(call, function, err);
    return function->language == USER_NATIVE ? native_check(function, err) : ERR_OK;
}

static ErrCode function_carry_out(Call *call, const UserFunction *function, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    const UserFunction *old;
    const UserFunction *shown = catalog_show_function(catalog, function, &old);
    ErrCode code = function_check(call, shown, err);
    if (code == ERR_OK) {
        Commit *commit = engine_commit(call);
        catalog_put_function(commit, shown);
        code = commit_wait(commit, NULL, err);
    }
    if (code == ERR_OK)
        catalog_function_free(old);
    else
        catalog_unshow_function(catalog, shown, old);
    return code;
}

ErrCode engine_create_function(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    PlannerHost host = engine_host(call->weir);
    UserFunction *function;
    TRY(plan_function(&host, statement, call->arena, &function, err));
    const char *text = user_text(function, call->arena);
    const UserFunction *present = catalog_function(&call->weir->catalog, function);
    if (present && statement->if_not_exists) {
        result_message(call->result, "Function %s already exists.", text);
        return ERR_OK;
    }
    if (present && !statement->or_replace)
        return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Cannot add function %s: it already exists. CREATE OR REPLACE FUNCTION "
                          "changes it.", text);
    if (present)
        function->version = present->version + 1;
    TRY(function_limits(call, function, !present, err));
    if (function_check_code(call, function, err) != ERR_OK) {
        if (err->line == 0) {
            err->line = statement->text_pos.line;
            err->column = statement->text_pos.column;
        }
        return err->code;
    }
    TRY(function_carry_out(call, function, err));
    if (present)
        result_message(call->result, "Function %s replaced by version %u. Queries that run keep "
                       "theirs.", text, function->version);
    else
        result_message(call->result, "Function %s created.", text);
    return ERR_OK;
}

/* -- DROP FUNCTION ----------------------------------------------------------------------------- */

static ErrCode drop_find_types(Call *call, const UserFunction *const *functions, uint32_t count,
                               const UserFunction **found, Err *err) {
    const AstStatement *statement = call->statement;
    PlannerHost host = engine_host(call->weir);
    const Type **types = arena_array(call->arena, statement->column_count, sizeof *types);
    for (uint32_t i = 0; i < statement->column_count; i++)
        TRY(plan_type(&host, statement->columns[i].type, call->arena, &types[i], err));
    for (uint32_t i = 0; i < count; i++)
        if (user_has_types(functions[i], types, statement->column_count))
            *found = functions[i];
    return ERR_OK;
}

/* *found is NULL where there is no such function. */
static ErrCode drop_find(Call *call, const UserFunction **found, Err *err) {
    const AstStatement *statement = call->statement;
    uint32_t count;
    const UserFunction *const *functions =
        catalog_functions(&call->weir->catalog, statement->name, &count);
    *found = NULL;
    if (statement->has_columns)
        return drop_find_types(call, functions, count, found, err);
    if (count > 1)
        return err_set_at(err, ERR_AMBIGUOUS, statement->name_pos.line,
                          statement->name_pos.column,
                          "There are %u functions %s: say which one by its types, as in "
                          "DROP FUNCTION %s.", count, functions[0]->name,
                          user_text(functions[0], call->arena));
    if (count == 1)
        *found = functions[0];
    return ERR_OK;
}

static ErrCode drop_missing_function(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    if (statement->if_exists) {
        result_message(call->result, "Function %s does not exist.", statement->name);
        return ERR_OK;
    }
    const char *note = function_exists(statement->name) || aggregate_exists(statement->name)
                           ? " Functions of the language cannot be dropped."
                           : "";
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "No user made a function %s%s.%s", statement->name,
                      statement->has_columns ? " with these parameters" : "", note);
}

ErrCode engine_drop_function(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const UserFunction *function;
    TRY(drop_find(call, &function, err));
    if (!function)
        return drop_missing_function(call, err);
    const char *text = user_text(function, call->arena);
    Buf users = {0};
    ErrCode code = ERR_OK;
    if (engine_function_users(call->weir, function, &users))
        code = err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Cannot drop function %s: it is used by %s.", text, buf_cstr(&users));
    buf_free(&users);
    TRY(code);
    Commit *commit = engine_commit(call);
    catalog_remove_function(commit, function);
    TRY(commit_wait(commit, NULL, err));
    catalog_hide_function(&call->weir->catalog, function);
    result_message(call->result, "Function %s was dropped.", text);
    return ERR_OK;
}
