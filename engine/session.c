/* session.c - SET, UNSET, DEFINE, UNDEFINE: what belongs to the one who types. */
#include "base/mem.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"

static Variable *session_find(const Weir *weir, const char *name) {
    for (size_t i = 0; i < weir->variable_count; i++)
        if (strcmp(weir->variables[i].name, name) == 0)
            return &weir->variables[i];
    return NULL;
}

static void session_define(Weir *weir, const char *name, const char *value) {
    Variable *variable = session_find(weir, name);
    if (!variable) {
        weir->variables = mem_grow(weir->variables, &weir->variable_capacity,
                                   weir->variable_count + 1, sizeof *weir->variables);
        variable = &weir->variables[weir->variable_count++];
        *variable = (Variable){mem_strdup(name), NULL};
    }
    mem_free(variable->value);
    variable->value = mem_strdup(value);
}

static ErrCode session_undefine(Call *call, Err *err) {
    Weir *weir = call->weir;
    Variable *variable = session_find(weir, call->statement->name);
    if (!variable)
        return err_set_at(err, ERR_UNKNOWN_NAME, call->statement->name_pos.line,
                          call->statement->name_pos.column,
                          "Cannot find defined variable with name '%s'", call->statement->name);
    mem_free(variable->name);
    mem_free(variable->value);
    *variable = weir->variables[--weir->variable_count];
    return ERR_OK;
}

/* What belongs to the one who runs the server. */
static ErrCode session_may_change(const char *name, Err *err) {
    static const char *const fixed[] = {"bootstrap.servers",
                                        "ksql.extension.dir",
                                        "ksql.headers.columns.enabled",
                                        "ksql.hidden.topics",
                                        "ksql.pull.queries.enable",
                                        "ksql.query.persistent.active.limit",
                                        "ksql.readonly.topics",
                                        "ksql.source.table.materialization.enabled"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(fixed[i], name) == 0)
            return err_set(err, ERR_SEMANTIC, "Cannot override property '%s'", name);
    return ERR_OK;
}

static ErrCode session_set(Call *call, Err *err) {
    const char *name = call->statement->name;
    const char *text = arena_text(call->arena, call->statement->text);
    ErrCode code = session_may_change(name, err);
    if (code == ERR_OK)
        code = settings_set(&call->weir->settings, name, text, err);
    if (code == ERR_OK && strncmp(name, "ksql.logging.processing.", 24) == 0)
        code = engine_log_make(call, err);
    if (code != ERR_OK) {
        err->line = call->statement->name_pos.line;
        err->column = call->statement->name_pos.column;
        return code;
    }
    result_message(call->result,
                   "Successfully changed local property '%s' to '%s'. Use the UNSET command to "
                   "revert your change.",
                   name, text);
    return ERR_OK;
}

static ErrCode session_unset(Call *call, Err *err) {
    const char *name = call->statement->name;
    TRY(settings_check_name(name, err));
    const char *value = settings_get(&call->weir->settings, name);
    result_message(call->result, "Successfully unset local property '%s' (value was '%s').", name,
                   value ? value : "");
    settings_unset(&call->weir->settings, name);
    return ERR_OK;
}

ErrCode engine_session(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    switch (statement->kind) {
    case AST_SET:
        return session_set(call, err);
    case AST_UNSET:
        return session_unset(call, err);
    case AST_DEFINE:
        session_define(call->weir, statement->name, arena_text(call->arena, statement->text));
        return ERR_OK;
    case AST_UNDEFINE:
        return session_undefine(call, err);
    default:
        return err_set(err, ERR_INTERNAL, "not a statement of the session");
    }
}
