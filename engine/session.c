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

ErrCode engine_session(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const char *text = arena_text(call->arena, statement->text);
    switch (statement->kind) {
    case AST_SET:
        TRY(settings_set(&call->weir->settings, statement->name, text, err));
        result_message(call->result, "Successfully changed local property '%s' to '%s'.",
                       statement->name, text);
        return ERR_OK;
    case AST_UNSET:
        settings_unset(&call->weir->settings, statement->name);
        result_message(call->result, "Successfully unset local property '%s'.", statement->name);
        return ERR_OK;
    case AST_DEFINE:
        session_define(call->weir, statement->name, text);
        return ERR_OK;
    case AST_UNDEFINE:
        return session_undefine(call, err);
    default:
        return err_set(err, ERR_INTERNAL, "not a statement of the session");
    }
}
