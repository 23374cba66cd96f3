/*
 * entity.c - see entity.h.
 *
 * What is needed of the statement is noted in the result while the statement is there.
 */
#include "engine/entity.h"

#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "engine/value_text.h"

/* The type and the action of the command's id; NULL: the statement is no command. */
static const char *entity_command(const AstStatement *statement, const char **action) {
    *action = "create";
    switch (statement->kind) {
    case AST_CREATE_STREAM:
    case AST_INSERT_SELECT:
        return "stream";
    case AST_CREATE_TABLE:
        return "table";
    case AST_CREATE_TYPE:
        return "type";
    case AST_DROP_STREAM:
    case AST_DROP_TABLE:
        *action = "drop";
        return statement->kind == AST_DROP_STREAM ? "stream" : "table";
    case AST_DROP_TYPE:
        *action = "drop";
        return "type";
    case AST_ALTER_SOURCE:
        *action = "alter";
        return statement->is_table ? "table" : "stream";
    case AST_TERMINATE:
    case AST_PAUSE:
    case AST_RESUME:
        *action = "execute";
        return statement->kind == AST_TERMINATE ? "terminate"
               : statement->kind == AST_PAUSE   ? "pause"
                                                : "resume";
    default:
        return NULL;
    }
}

void entity_note(Call *call) {
    const AstStatement *statement = call->statement;
    WeirResult *result = call->result;
    const char *action, *type = entity_command(statement, &action);
    if (!type)
        return;
    bool quoted = strcmp(action, "execute") != 0 && strcmp(type, "type") != 0;
    const char *name = statement->name ? statement->name : "all";
    result->statement_text = arena_printf(result->arena, "%.*s;", (int)statement->source.size,
                                          (const char *)statement->source.data);
    result->command_id = arena_printf(result->arena, quoted ? "%s/`%s`/%s" : "%s/%s/%s", type,
                                      name, action);
}

static void entity_member(Buf *out, const char *name, const char *text) {
    buf_printf(out, ",\"%s\":", name);
    if (text)
        value_json_string(out, bytes_of(text));
    else
        buf_text(out, "null");
}

bool entity_put(Buf *out, WeirResult *result) {
    if (!result->command_id)
        return false;
    buf_text(out, "{\"@type\":\"currentStatus\"");
    entity_member(out, "statementText", result->statement_text);
    entity_member(out, "commandId", result->command_id);
    buf_text(out, ",\"commandStatus\":{\"status\":\"SUCCESS\"");
    entity_member(out, "message", weir_message(result));
    entity_member(out, "queryId", result->query_id);
    buf_text(out, "},\"commandSequenceNumber\":-1,\"warnings\":[]}");
    return true;
}

static ErrCode entity_code(const char *name) {
    for (int code = 0; code <= ERR_STORAGE_FAILED; code++)
        if (strcmp(err_name((ErrCode)code), name) == 0)
            return (ErrCode)code;
    return ERR_INTERNAL;
}

void entity_error_put(Buf *out, const WeirError *error, const char *statement) {
    buf_printf(out, "{\"@type\":\"%s\",\"error_code\":%d",
               statement ? "statement_error" : "generic_error",
               err_ksql_code(entity_code(error->code)));
    entity_member(out, "message", error->message);
    if (statement) {
        entity_member(out, "statementText", statement);
        buf_text(out, ",\"entities\":[]");
    }
    buf_u8(out, '}');
}
