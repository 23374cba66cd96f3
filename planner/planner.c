/*
 * planner.c - see planner.h: the way in, and what every file asks of the world.
 */
#include "planner/planner.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "planner/planner_impl.h"

const char *planner_setting(const Planner *planner, const char *name, const char *otherwise) {
    assert(name);
    const PlannerHost *host = planner->host;
    const char *value = host->setting ? host->setting(host->context, name) : NULL;
    return value ? value : otherwise;
}

bool planner_setting_on(const Planner *planner, const char *name, bool otherwise) {
    const char *value = planner_setting(planner, name, NULL);
    return value ? strcasecmp(value, "true") == 0 || strcasecmp(value, "on") == 0 : otherwise;
}

/* What was printed, as a text of the arena. */
static const char *buf_to_text(const Planner *planner, Buf *buf) {
    const char *text = arena_text(planner->arena, buf_view(buf));
    buf_free(buf);
    return text;
}

bool planner_extensions_on(const Planner *planner) {
    return planner_setting_on(planner, "weir.extensions", true);
}

const char *planner_name(const Planner *planner, const char *name) {
    Buf buf = {0};
    ast_print_name(&buf, name);
    return buf_to_text(planner, &buf);
}

const char *planner_expr(const Planner *planner, const AstExpr *expr) {
    Buf buf = {0};
    ast_print_expr(&buf, expr);
    return buf_to_text(planner, &buf);
}

const char *planner_list(const Planner *planner, const char *const *names, uint32_t count,
                         const char *last) {
    assert(names || count == 0);
    Buf buf = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && i + 1 == count && last)
            buf_printf(&buf, " %s ", last);
        else if (i > 0)
            buf_text(&buf, ", ");
        buf_text(&buf, names[i]);
    }
    return buf_to_text(planner, &buf);
}

const char *planner_nearest(const Planner *planner, const char *word, const char *const *names,
                            uint32_t count) {
    const char *nearest = parse_nearest(word, names, count);
    if (!nearest || strcmp(nearest, word) == 0)
        return "";
    return arena_printf(planner->arena, " Did you mean %s?", planner_name(planner, nearest));
}

bool plan_topic_is_internal(const char *topic) {
    static const char *const begins[] = {"_weir-", "_confluent", "__confluent"};
    static const char *const names[] = {
        "_schemas",        "__consumer_offsets", "__transaction_state", "connect-configs",
        "connect-offsets", "connect-status",     "connect-statuses"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(topic, begins[i], strlen(begins[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(topic, names[i]) == 0)
            return true;
    return false;
}

static bool is_upper_case(const char *name) {
    while (*name && !islower((unsigned char)*name))
        name++;
    return !*name;
}

const char *plan_source_hint(const PlannerHost *host, const char *name, Arena *arena) {
    Planner planner = {.host = host, .arena = arena};
    uint32_t count = host->source_count(host->context);
    const char **names = arena_array(arena, count, sizeof *names);
    for (uint32_t i = 0; i < count; i++) {
        const Source *source = host->source_at(host->context, i);
        names[i] = source->name;
        if (strcasecmp(source->name, name) != 0 || strcmp(source->name, name) == 0)
            continue;
        if (is_upper_case(source->name))
            return arena_printf(arena, "\nDid you mean %s? Hint: try removing double quotes from "
                                "the source name.", source->name);
        return arena_printf(arena, "\nDid you mean \"%s\" (%s)? Hint: wrap the source name in "
                            "double quotes to make it case-sensitive.", source->name,
                            source->is_table ? "TABLE" : "STREAM");
    }
    const char *nearest = planner_nearest(&planner, name, names, count);
    return *nearest ? arena_printf(arena, "\n%s", nearest + 1) : "";
}

ErrCode planner_source(const Planner *planner, const char *name, AstPos pos, const Source **source,
                       Err *err) {
    assert(source);
    assert(name);
    const PlannerHost *host = planner->host;
    *source = host->find_source(host->context, name);
    if (*source)
        return ERR_OK;
    return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column, "%s does not exist.%s",
                      planner_name(planner, name), plan_source_hint(host, name, planner->arena));
}

const char *planner_statement(const Planner *planner) {
    const AstStatement *statement = planner->statement;
    if (!statement)
        return "";
    const char *text = arena_text(planner->arena, statement->source);
    if (!strstr(text, "${"))
        return text;
    Buf buf = {0};
    ast_print_statement(&buf, statement);
    return buf_to_text(planner, &buf);
}

bool planner_reserved_name(const char *name) {
    static const char *const reserved[] = {"ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART",
                                           "WINDOWEND"};
    for (uint32_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(reserved[i], name) == 0)
            return true;
    }
    return false;
}

ErrCode plan_type(const PlannerHost *host, const AstType *ast, Arena *arena, const Type **type,
                  Err *err) {
    Planner planner = {host, arena, NULL, NULL};
    return type_resolve(&planner, ast, type, err);
}

ErrCode plan_statement(const PlannerHost *host, const AstStatement *statement, Arena *arena,
                       Planned *planned, Err *err) {
    assert(host && statement && planned);
    UserUses uses = {0};
    Planner planner = {host, arena, statement, &uses};
    *planned = (Planned){0};
    switch (statement->kind) {
    case AST_CREATE_STREAM:
    case AST_CREATE_TABLE:
        return statement->query ? plan_create_as(&planner, planned, err)
                                : plan_create(&planner, planned, err);
    case AST_ALTER_SOURCE:
        return plan_alter(&planner, planned, err);
    case AST_INSERT_SELECT:
        return plan_insert_select(&planner, planned, err);
    case AST_INSERT_VALUES:
        return plan_insert_values(&planner, planned, err);
    case AST_ASSERT_VALUES:
    case AST_ASSERT_NULL_VALUES:
        return plan_assert_values(&planner, planned, err);
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE:
        return plan_assert_source(&planner, planned, err);
    case AST_SELECT:
        return statement->query->emit == AST_EMIT_NONE ? plan_pull(&planner, planned, err)
                                                       : plan_push(&planner, planned, err);
    default:
        return err_set(err, ERR_INTERNAL, "The planner does not plan this kind of statement.");
    }
}
