/*
 * insert.c - INSERT INTO ... SELECT and INSERT INTO ... VALUES.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "planner/planner_impl.h"

/* -- INSERT INTO ... SELECT -------------------------------------------------------------------- */

static bool insert_has_headers(const Schema *schema) {
    assert(schema);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == COLUMN_HEADERS)
            return true;
    }
    return false;
}

static ErrCode insert_target(const Planner *planner, const Source **target, Err *err) {
    assert(target);
    const AstStatement *statement = planner->statement;
    AstPos pos = statement->name_pos;
    if (planner_source(planner, statement->name, pos, target, err) != ERR_OK) {
        Err cause = *err;
        return err_set_at(err, cause.code, pos.line, pos.column, "Source %s", cause.message);
    }
    if ((*target)->is_table)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "INSERT INTO can only be used to insert into a stream. %s is a table.",
                          (*target)->name);
    if ((*target)->is_read_only)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert into read-only stream: %s", (*target)->name);
    if (plan_topic_is_internal((*target)->topic.topic))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert into read-only topic: %s", (*target)->topic.topic);
    if (insert_has_headers((*target)->topic.schema))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert into %s because it has header columns", (*target)->name);
    return ERR_OK;
}

/* The id that WITH (QUERY_ID = '...') gives, in upper case, or the next number. */
static ErrCode insert_query_id(const Planner *planner, const Properties *properties,
                               const char **id, Err *err) {
    assert(id);
    static const char *const reserved[] = {"INSERTQUERY_", "CTAS_", "CSAS_", "CST_"};
    const PlannerHost *host = planner->host;
    const char *text = properties_text(properties, PROPERTY_QUERY_ID);
    AstPos pos = properties_pos(properties, PROPERTY_QUERY_ID);
    if (!text) {
        *id = arena_printf(planner->arena, "INSERTQUERY_%llu",
                           (unsigned long long)host->next_query_number(host->context));
        return ERR_OK;
    }
    char *upper = arena_strdup(planner->arena, text);
    bool good = *upper != 0;
    for (char *at = upper; *at; at++) {
        *at = (char)toupper((unsigned char)*at);
        good = good && (isalnum((unsigned char)*at) || *at == '_');
    }
    if (!good)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Query IDs may contain only alphanumeric characters and '_'. Got: '%s'",
                          text);
    for (uint32_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strncmp(upper, reserved[i], strlen(reserved[i])) == 0)
            return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                              "Query IDs must not start with a reserved query ID prefix "
                              "(INSERTQUERY_, CTAS_, CSAS_, CST_). Got: '%s'",
                              upper);
    }
    if (host->query_exists(host->context, upper))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Query ID '%s' already exists.", upper);
    *id = upper;
    return ERR_OK;
}

static const char *schema_text(const Planner *planner, const Schema *schema) {
    Buf buf = {0};
    schema_print(&buf, schema);
    const char *text = arena_text(planner->arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

static bool insert_compatible(const Schema *result, const Schema *target) {
    assert(result && target);
    if (result->column_count != target->column_count || result->key_count != target->key_count)
        return false;
    for (uint32_t i = 0; i < result->column_count; i++) {
        const SchemaColumn *left = &result->columns[i], *right = &target->columns[i];
        if (strcmp(left->name, right->name) != 0 || left->role != right->role ||
            !type_implicit(left->type, right->type))
            return false;
    }
    return true;
}

/* The projection's columns as the target has them. */
static ErrCode insert_cast(Draft *draft, const Source *target, Err *err) {
    assert(target);
    const Planner *planner = draft->planner;
    const Schema *schema = target->topic.schema;
    PlanNode *project = draft->top;
    assert(project->kind == PLAN_PROJECT);
    AstPos pos = planner->statement->name_pos;
    if (!insert_compatible(project->schema, schema))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Incompatible schema between results and sink.\nResult schema is %s\n"
                          "Sink schema is %s",
                          schema_text(planner, project->schema), schema_text(planner, schema));
    const Expr **exprs = arena_array(planner->arena, schema->column_count, sizeof *exprs);
    for (uint32_t i = 0; i < schema->column_count; i++)
        exprs[i] = cast_to(planner, project->exprs[i], schema->columns[i].type);
    project->exprs = exprs;
    project->schema = schema;
    return ERR_OK;
}

ErrCode plan_insert_select(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    const AstStatement *statement = planner->statement;
    Properties properties;
    const Source *target;
    TRY(properties_read(planner, PROPERTY_IN_INSERT, &properties, err));
    TRY(insert_target(planner, &target, err));
    if (statement->query->has_limit)
        return err_set_at(err, ERR_SEMANTIC, statement->query->limit_pos.line,
                          statement->query->limit_pos.column,
                          "INSERT INTO statements don't support LIMIT clause.");
    Draft draft = {.planner = planner, .ast = statement->query, .kind = PLAN_PERSISTENT,
                   .sink_name = target->name, .limit = -1};
    TRY(draft_query(&draft, err));
    if (draft.top->is_table)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "INSERT INTO can only be used to insert into a stream. The SELECT "
                          "produces a TABLE.");
    TRY(insert_cast(&draft, target, err));
    if (draft.window != target->topic.window)
        return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Incompatible windows between results and sink.");
    PlanTopic *topic = arena_alloc(planner->arena, sizeof *topic);
    *topic = target->topic;
    topic->timestamp_column = -1; /* records keep the time of what they were made of */
    topic->timestamp_format = NULL;
    PlanNode *sink = draft_add(&draft, PLAN_SINK, "Sink", draft.top);
    sink->topic = topic;
    draft.materialized = NULL;
    Plan *plan = arena_alloc(planner->arena, sizeof *plan);
    TRY(insert_query_id(planner, &properties, &plan->query_id, err));
    plan->sink_source = target->name;
    plan->partition_count = target->partition_count;
    TRY(draft_finish(&draft, plan, err));
    planned->kind = PLANNED_INSERT_SELECT;
    planned->plan = plan;
    planned->target = target;
    return ERR_OK;
}

/* -- INSERT INTO ... VALUES -------------------------------------------------------------------- */

static ErrCode values_target(const Planner *planner, const Source **target, Err *err) {
    assert(target);
    const AstStatement *statement = planner->statement;
    const PlannerHost *host = planner->host;
    AstPos pos = statement->name_pos;
    *target = host->find_source(host->context, statement->name);
    if (!*target)
        return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                          "Cannot insert values into an unknown stream/table: `%s`%s",
                          statement->name,
                          plan_source_hint(host, statement->name, planner->arena));
    if (!planner_setting_on(planner, "ksql.insert.into.values.enabled", true))
        return err_set(err, ERR_SEMANTIC, "INSERT VALUES is turned off: "
                       "ksql.insert.into.values.enabled is false.");
    if ((*target)->is_read_only)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert values into read-only %s: %s",
                          (*target)->is_table ? "table" : "stream", (*target)->name);
    if ((*target)->topic.window != WINDOW_NONE)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert values into windowed stream/table!");
    return ERR_OK;
}

ErrCode values_column_unknown(const Planner *planner, const Schema *schema, const char *name,
                              AstPos pos, Err *err) {
    const char **names = arena_array(planner->arena, schema->column_count, sizeof *names);
    for (uint32_t i = 0; i < schema->column_count; i++)
        names[i] = schema->columns[i].name;
    return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                      "Column name %s does not exist.%s", planner_name(planner, name),
                      planner_nearest(planner, name, names, schema->column_count));
}

/* Where value i goes: a column, or -1: the record's time. */
static ErrCode values_column(const Planner *planner, const Schema *schema, uint32_t index,
                             int32_t *column, Err *err) {
    assert(column);
    const AstStatement *statement = planner->statement;
    bool named = statement->name_count > 0;
    const char *name = named ? statement->names[index] : schema->columns[index].name;
    AstPos pos = named ? statement->name_poses[index] : statement->name_pos;
    *column = -1;
    if (strcmp(name, "ROWTIME") == 0)
        return ERR_OK;
    if (planner_reserved_name(name))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Inserting into column `%s` is not allowed.", name);
    *column = schema_find(schema, name);
    if (*column < 0)
        return values_column_unknown(planner, schema, name, pos, err);
    if (schema->columns[*column].role == COLUMN_HEADERS)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot insert into HEADER columns: %s", name);
    return ERR_OK;
}

static ErrCode values_columns(const Planner *planner, const Schema *schema, int32_t *columns,
                              Err *err) {
    const AstStatement *statement = planner->statement;
    bool named = statement->name_count > 0;
    uint32_t count = named ? statement->name_count : schema->column_count;
    for (uint32_t i = 0; i < count; i++) {
        int32_t column;
        TRY(values_column(planner, schema, i, &column, err));
        for (uint32_t j = 0; j < i && j < statement->value_count; j++) {
            if (columns[j] == column)
                return err_set_at(err, ERR_SEMANTIC, statement->name_poses[i].line,
                                  statement->name_poses[i].column, "Column %s is given twice.",
                                  statement->names[i]);
        }
        if (i < statement->value_count)
            columns[i] = column;
    }
    if (count == statement->value_count)
        return ERR_OK;
    if (named)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Expected number columns and values to match: %u, %u", count,
                          statement->value_count);
    const char **values = arena_array(planner->arena, statement->value_count, sizeof *values);
    for (uint32_t i = 0; i < statement->value_count; i++)
        values[i] = planner_expr(planner, statement->values[i]);
    return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                      "Expected a value for each column. Expected Columns: [%s]. Got [%s]",
                      schema_text(planner, schema),
                      planner_list(planner, values, statement->value_count, NULL));
}

ErrCode values_bind(const Planner *planner, const AstExpr *ast, const char *name, const Type *type,
                    const Expr **value, Err *err) {
    assert(value);
    bool inserts = planner->statement->kind == AST_INSERT_VALUES;
    Binder binder = {.planner = planner, .clause = inserts ? "INSERT VALUES" : "ASSERT"};
    const Expr *bound;
    TRY(bind_expr(&binder, ast, &bound, err));
    *value = coerce_expr(planner, bound, type, COERCE_STRICT);
    if (*value)
        return ERR_OK;
    return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                      "Expected type %s for field `%s` but got %s(%s)",
                      type_text(planner->arena, type), name, type_text(planner->arena, bound->type),
                      bound->text);
}

static ErrCode values_key(const Planner *planner, const Source *target, const bool *given,
                          Err *err) {
    const Schema *schema = target->topic.schema;
    const char **names = arena_array(planner->arena, schema->key_count, sizeof *names);
    uint32_t count = 0;
    for (uint32_t i = 0; i < schema->key_count; i++) {
        if (!given[i])
            names[count++] = schema->columns[i].name;
    }
    if (count == 0 || !target->is_table)
        return ERR_OK;
    AstPos pos = planner->statement->name_pos;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Failed to insert values into '%s'. Value for primary key column(s) %s is "
                      "required for tables",
                      target->name, planner_list(planner, names, count, NULL));
}

ErrCode plan_insert_values(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    const AstStatement *statement = planner->statement;
    const Source *target;
    TRY(values_target(planner, &target, err));
    const Schema *schema = target->topic.schema;
    int32_t *columns = arena_array(planner->arena, statement->value_count, sizeof *columns);
    TRY(values_columns(planner, schema, columns, err));
    const Expr **values = arena_array(planner->arena, schema->column_count, sizeof *values);
    bool *given = arena_array(planner->arena, schema->column_count, sizeof *given);
    for (uint32_t i = 0; i < schema->column_count; i++)
        values[i] = expr_null(planner->arena, schema->columns[i].type);
    for (uint32_t i = 0; i < statement->value_count; i++) {
        static const SchemaColumn rowtime = {.name = "ROWTIME", .type = &type_bigint};
        int32_t at = columns[i];
        const SchemaColumn *column = at < 0 ? &rowtime : &schema->columns[at];
        const Expr **value = at < 0 ? &planned->rowtime : &values[at];
        TRY(values_bind(planner, statement->values[i], column->name, column->type, value, err));
        if (at >= 0)
            given[at] = !expr_is_null(*value);
    }
    TRY(values_key(planner, target, given, err));
    planned->kind = PLANNED_INSERT_VALUES;
    planned->target = target;
    planned->values = values;
    return ERR_OK;
}
