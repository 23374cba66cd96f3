/*
 * ast_print_statement.c - queries and statements back to text.
 *
 * One space between words, one line, all optional words written that make the text clearer (AS,
 * OUTER, COLUMN).
 */
#include <assert.h>
#include <string.h>

#include "grammar/ast_print.h"
#include "grammar/parse.h"

static void print_when(Buf *out, bool condition, const char *text) {
    if (condition)
        buf_text(out, text);
}

static void print_spaced_name(Buf *out, const char *name) {
    buf_u8(out, ' ');
    ast_print_name(out, name);
}

static void print_values(Buf *out, const AstExpr *const *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        print_when(out, i > 0, ", ");
        ast_print_expr(out, values[i]);
    }
}

static void print_duration(Buf *out, const char *before, AstDuration duration) {
    static const char *const units[] = {"MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"};
    assert((size_t)duration.unit < sizeof units / sizeof units[0]);
    if (duration.present)
        buf_printf(out, "%s%lld %s", before, (long long)duration.count, units[duration.unit]);
}

/* -- Queries ---------------------------------------------------------------------------------- */

static void print_item(Buf *out, const AstItem *item) {
    switch (item->kind) {
    case AST_ITEM_ALL:
        buf_u8(out, '*');
        break;
    case AST_ITEM_ALL_OF:
        ast_print_name(out, item->qualifier);
        buf_text(out, ".*");
        break;
    case AST_ITEM_ALL_FIELDS: {
        AstExpr all = {.kind = AST_ALL_FIELDS, .args = &item->expr, .arg_count = 1};
        ast_print_expr(out, &all);
        break;
    }
    case AST_ITEM_EXPR:
        ast_print_expr(out, item->expr);
        break;
    }
    if (item->alias) {
        buf_text(out, " AS ");
        ast_print_name(out, item->alias);
    }
}

static bool same_duration(AstDuration left, AstDuration right) {
    return left.count == right.count && left.unit == right.unit;
}

static void print_within(Buf *out, const AstSource *source) {
    bool same = same_duration(source->before, source->after);
    print_duration(out, same ? " WITHIN " : " WITHIN (", source->before);
    if (!same) {
        print_duration(out, ", ", source->after);
        buf_u8(out, ')');
    }
    print_duration(out, " GRACE PERIOD ", source->grace);
}

static void print_source(Buf *out, const AstSource *source) {
    static const char *const joins[] = {" FROM", " INNER JOIN", " LEFT OUTER JOIN",
                                        " RIGHT OUTER JOIN", " FULL OUTER JOIN"};
    buf_text(out, joins[source->join]);
    print_spaced_name(out, source->name);
    if (source->alias) {
        buf_text(out, " AS");
        print_spaced_name(out, source->alias);
    }
    if (source->has_within)
        print_within(out, source);
    if (source->on) {
        buf_text(out, " ON ");
        ast_print_expr(out, source->on);
    }
}

static void print_window(Buf *out, const AstWindow *window) {
    static const char *const starts[] = {"", " WINDOW TUMBLING (SIZE ", " WINDOW HOPPING (SIZE ",
                                         " WINDOW SESSION ("};
    if (window->kind == AST_WINDOW_NONE)
        return;
    print_duration(out, starts[window->kind], window->size);
    print_duration(out, ", ADVANCE BY ", window->advance);
    print_duration(out, ", RETENTION ", window->retention);
    print_duration(out, ", GRACE PERIOD ", window->grace);
    buf_u8(out, ')');
}

static void print_condition(Buf *out, const char *word, const AstExpr *condition) {
    if (condition) {
        buf_text(out, word);
        ast_print_expr(out, condition);
    }
}

static void print_grouping(Buf *out, const char *word, const AstExpr *const *values,
                           uint32_t count) {
    if (!values)
        return;
    buf_text(out, word);
    print_when(out, count == 0, "()");
    print_values(out, values, count);
}

static void print_order(Buf *out, const AstQuery *query) {
    for (uint32_t i = 0; i < query->order_by_count; i++) {
        buf_text(out, i == 0 ? " ORDER BY " : ", ");
        ast_print_expr(out, query->order_by[i].expr);
        print_when(out, query->order_by[i].descending, " DESC");
    }
}

void ast_print_query(Buf *out, const AstQuery *query) {
    buf_text(out, "SELECT ");
    for (uint32_t i = 0; i < query->item_count; i++) {
        print_when(out, i > 0, ", ");
        print_item(out, &query->items[i]);
    }
    for (uint32_t i = 0; i < query->source_count; i++)
        print_source(out, &query->sources[i]);
    print_window(out, &query->window);
    print_condition(out, " WHERE ", query->where);
    print_grouping(out, " GROUP BY ", query->group_by, query->group_by_count);
    print_grouping(out, " PARTITION BY ", query->partition_by, query->partition_by_count);
    print_condition(out, " HAVING ", query->having);
    print_order(out, query);
    print_when(out, query->emit == AST_EMIT_CHANGES, " EMIT CHANGES");
    print_when(out, query->emit == AST_EMIT_FINAL, " EMIT FINAL");
    print_when(out, query->has_limit, " LIMIT ");
    buf_bytes(out, query->limit);
    print_when(out, query->has_offset, " OFFSET ");
    buf_bytes(out, query->offset);
}

/* -- Parts of statements ---------------------------------------------------------------------- */

static void print_column(Buf *out, const AstColumnDef *column) {
    ast_print_name(out, column->name);
    buf_u8(out, ' ');
    ast_print_type(out, column->type);
    print_when(out, column->role == AST_COLUMN_KEY, " KEY");
    print_when(out, column->role == AST_COLUMN_PRIMARY_KEY, " PRIMARY KEY");
    if (column->role != AST_COLUMN_HEADERS)
        return;
    print_when(out, !column->header, " HEADERS");
    if (column->header) {
        buf_text(out, " HEADER(");
        ast_print_string(out, column->header);
        buf_u8(out, ')');
    }
}

static void print_elements(Buf *out, const AstStatement *statement) {
    for (uint32_t i = 0; i < statement->column_count; i++) {
        buf_text(out, i == 0 ? " (" : ", ");
        print_column(out, &statement->columns[i]);
    }
    print_when(out, statement->column_count > 0, ")");
}

static void print_properties(Buf *out, const AstStatement *statement, const char *word) {
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        buf_text(out, i == 0 ? word : ", ");
        if (parse_name_is_plain(property->name))
            buf_text(out, property->name);
        else
            ast_print_string(out, property->name);
        buf_text(out, " = ");
        ast_print_expr(out, property->value);
    }
    print_when(out, statement->property_count > 0, ")");
}

static void print_row(Buf *out, const char *word, const AstStatement *statement) {
    if (statement->has_columns) {
        buf_text(out, " (");
        for (uint32_t i = 0; i < statement->name_count; i++) {
            print_when(out, i > 0, ", ");
            ast_print_name(out, statement->names[i]);
        }
        buf_u8(out, ')');
    }
    buf_text(out, word);
    buf_text(out, " (");
    print_values(out, statement->values, statement->value_count);
    buf_u8(out, ')');
}

static void print_text(Buf *out, const char *before, Bytes text) {
    buf_text(out, before);
    ast_print_string(out, (const char *)text.data);
}

/* -- Statements ------------------------------------------------------------------------------- */

static void print_definition(Buf *out, const AstStatement *statement, const char *word) {
    print_when(out, statement->or_replace, " OR REPLACE");
    print_when(out, statement->is_source, " SOURCE");
    buf_text(out, word);
    print_when(out, statement->if_not_exists, " IF NOT EXISTS");
    print_spaced_name(out, statement->name);
    print_elements(out, statement);
    print_properties(out, statement, " WITH (");
    if (statement->query) {
        buf_text(out, " AS ");
        ast_print_query(out, statement->query);
    }
}

static void print_create(Buf *out, const AstStatement *statement) {
    buf_text(out, "CREATE");
    if (statement->kind == AST_CREATE_TYPE) {
        print_definition(out, statement, " TYPE");
        buf_text(out, " AS ");
        ast_print_type(out, statement->type);
    } else if (statement->kind == AST_CREATE_CONNECTOR) {
        print_definition(out, statement, statement->is_sink ? " SINK CONNECTOR"
                                                            : " SOURCE CONNECTOR");
    } else {
        print_definition(out, statement,
                         statement->kind == AST_CREATE_STREAM ? " STREAM" : " TABLE");
    }
}

static void print_drop(Buf *out, const AstStatement *statement, const char *word) {
    buf_text(out, word);
    print_when(out, statement->if_exists, " IF EXISTS");
    print_spaced_name(out, statement->name);
    print_when(out, statement->delete_topic, " DELETE TOPIC");
    print_when(out, statement->cascade, " CASCADE");
}

static void print_create_function(Buf *out, const AstStatement *statement) {
    buf_text(out, "CREATE");
    print_when(out, statement->or_replace, " OR REPLACE");
    buf_text(out, " FUNCTION");
    print_when(out, statement->if_not_exists, " IF NOT EXISTS");
    print_spaced_name(out, statement->name);
    if (statement->column_count == 0)
        buf_text(out, " ()");
    print_elements(out, statement);
    buf_text(out, " RETURNS ");
    ast_print_type(out, statement->type);
    if (!statement->language) {
        buf_text(out, " AS ");
        ast_print_expr(out, statement->values[0]);
        return;
    }
    buf_text(out, " LANGUAGE ");
    ast_print_name(out, statement->language);
    print_text(out, " AS ", statement->text);
    if (statement->symbol.data)
        print_text(out, ", ", statement->symbol);
}

static void print_drop_function(Buf *out, const AstStatement *statement) {
    print_drop(out, statement, "DROP FUNCTION");
    print_when(out, statement->has_columns, " (");
    for (uint32_t i = 0; i < statement->column_count; i++) {
        print_when(out, i > 0, ", ");
        ast_print_type(out, statement->columns[i].type);
    }
    print_when(out, statement->has_columns, ")");
}

/* CREATE, ALTER, DROP and DESCRIBE TOPIC */
static void print_topic(Buf *out, const AstStatement *statement) {
    AstStatementKind kind = statement->kind;
    buf_text(out, kind == AST_CREATE_TOPIC  ? "CREATE"
                  : kind == AST_ALTER_TOPIC ? "ALTER"
                  : kind == AST_DROP_TOPIC  ? "DROP"
                                            : "DESCRIBE");
    buf_text(out, " TOPIC");
    print_when(out, statement->if_not_exists, " IF NOT EXISTS");
    print_when(out, statement->if_exists, " IF EXISTS");
    print_spaced_name(out, statement->name);
    print_properties(out, statement, kind == AST_ALTER_TOPIC ? " SET (" : " WITH (");
}

static void print_insert(Buf *out, const AstStatement *statement) {
    buf_text(out, "INSERT INTO");
    print_spaced_name(out, statement->name);
    if (statement->kind == AST_INSERT_VALUES) {
        print_row(out, " VALUES", statement);
        return;
    }
    print_properties(out, statement, " WITH (");
    buf_u8(out, ' ');
    ast_print_query(out, statement->query);
}

static void print_alter(Buf *out, const AstStatement *statement) {
    buf_text(out, statement->is_table ? "ALTER TABLE" : "ALTER STREAM");
    print_spaced_name(out, statement->name);
    for (uint32_t i = 0; i < statement->column_count; i++) {
        buf_text(out, i == 0 ? " ADD COLUMN " : ", ADD COLUMN ");
        print_column(out, &statement->columns[i]);
    }
}

static const char *show_text(AstShow show) {
    static const char *const texts[] = {
        [AST_SHOW_PROPERTIES] = " PROPERTIES",
        [AST_SHOW_TOPICS] = " TOPICS",
        [AST_SHOW_STREAMS] = " STREAMS",
        [AST_SHOW_TABLES] = " TABLES",
        [AST_SHOW_FUNCTIONS] = " FUNCTIONS",
        [AST_SHOW_CONNECTORS] = " CONNECTORS",
        [AST_SHOW_CONNECTOR_PLUGINS] = " CONNECTOR PLUGINS",
        [AST_SHOW_TYPES] = " TYPES",
        [AST_SHOW_VARIABLES] = " VARIABLES",
        [AST_SHOW_QUERIES] = " QUERIES",
        [AST_SHOW_EXTENSIONS] = " EXTENSIONS",
        [AST_SHOW_QUICKSTARTS] = " QUICKSTARTS",
        [AST_SHOW_ERRORS] = " ERRORS FOR",
    };
    assert((size_t)show < sizeof texts / sizeof texts[0]);
    return texts[show];
}

static void print_show(Buf *out, const AstStatement *statement) {
    buf_text(out, statement->kind == AST_SHOW ? "SHOW" : "DESCRIBE");
    print_when(out, statement->all, " ALL");
    print_when(out, statement->is_source, " SOURCE");
    print_when(out, statement->is_sink, " SINK");
    buf_text(out, show_text(statement->show));
    print_when(out, statement->extended, " EXTENDED");
    if (statement->show == AST_SHOW_ERRORS)
        print_spaced_name(out, statement->name);
}

static void print_describe(Buf *out, const AstStatement *statement) {
    buf_text(out, "DESCRIBE");
    print_when(out, statement->kind == AST_DESCRIBE_FUNCTION, " FUNCTION");
    print_when(out, statement->kind == AST_DESCRIBE_CONNECTOR, " CONNECTOR");
    if (strcmp(statement->name, "TABLES") == 0)
        buf_text(out, " `TABLES`"); /* bare it means all of them */
    else
        print_spaced_name(out, statement->name);
    print_when(out, statement->extended, " EXTENDED");
}

static void print_explain(Buf *out, const AstStatement *statement) {
    buf_text(out, statement->analyze ? "EXPLAIN ANALYZE" : "EXPLAIN");
    if (statement->inner) {
        buf_u8(out, ' ');
        ast_print_statement(out, statement->inner);
    } else {
        print_spaced_name(out, statement->name);
    }
}

/* TERMINATE, PAUSE, RESUME */
static void print_command(Buf *out, const AstStatement *statement, const char *word) {
    buf_text(out, word);
    if (statement->all)
        buf_text(out, " ALL");
    else
        print_spaced_name(out, statement->name);
}

static void print_setting(Buf *out, const AstStatement *statement, const char *word) {
    print_text(out, word, bytes_of(statement->name));
    if (statement->kind != AST_UNSET)
        print_text(out, " = ", statement->text);
}

static void print_define(Buf *out, const AstStatement *statement) {
    bool defines = statement->kind == AST_DEFINE;
    buf_printf(out, "%s %s", defines ? "DEFINE" : "UNDEFINE", statement->name);
    if (defines)
        print_text(out, " = ", statement->text);
}

static void print_print(Buf *out, const AstStatement *statement) {
    buf_text(out, "PRINT");
    print_spaced_name(out, statement->name);
    print_when(out, statement->from_beginning, " FROM BEGINNING");
    if (statement->has_interval)
        buf_printf(out, " INTERVAL %lld", (long long)statement->interval);
    if (statement->has_limit)
        buf_printf(out, " LIMIT %lld", (long long)statement->limit);
}

static void print_assert(Buf *out, const AstStatement *statement) {
    buf_text(out, "ASSERT");
    print_when(out, statement->not_exists, " NOT EXISTS");
    bool schema = statement->kind == AST_ASSERT_SCHEMA;
    buf_text(out, schema ? " SCHEMA" : " TOPIC");
    print_when(out, schema && statement->name, " SUBJECT");
    if (statement->name)
        print_spaced_name(out, statement->name);
    if (statement->has_id)
        buf_printf(out, " ID %lld", (long long)statement->id);
    print_properties(out, statement, " WITH (");
    print_duration(out, " TIMEOUT ", statement->timeout);
}

static void print_assert_values(Buf *out, const AstStatement *statement) {
    bool null = statement->kind == AST_ASSERT_NULL_VALUES;
    buf_text(out, null ? "ASSERT NULL VALUES" : "ASSERT VALUES");
    print_spaced_name(out, statement->name);
    print_row(out, null ? " KEY" : " VALUES", statement);
}

static void print_copy(Buf *out, const AstStatement *statement) {
    buf_text(out, "COPY");
    if (statement->query) {
        buf_text(out, " (");
        ast_print_query(out, statement->query);
        buf_u8(out, ')');
    } else {
        print_spaced_name(out, statement->name);
    }
    print_text(out, statement->is_sink ? " TO " : " FROM ", statement->text);
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        buf_text(out, i == 0 ? " (" : ", ");
        ast_print_name(out, property->name);
        buf_u8(out, ' ');
        ast_print_expr(out, property->value);
    }
    print_when(out, statement->property_count > 0, ")");
}

/* What runs nothing over streams and tables. */
static void print_other(Buf *out, const AstStatement *statement) {
    switch ((int)statement->kind) {
    case AST_TERMINATE:
        print_command(out, statement, "TERMINATE");
        break;
    case AST_PAUSE:
        print_command(out, statement, "PAUSE");
        break;
    case AST_RESUME:
        print_command(out, statement, "RESUME");
        break;
    case AST_ALTER_QUERY:
        print_command(out, statement, "ALTER QUERY");
        buf_printf(out, " SKIP %lld", (long long)statement->limit);
        break;
    case AST_SET:
        print_setting(out, statement, "SET ");
        break;
    case AST_UNSET:
        print_setting(out, statement, "UNSET ");
        break;
    case AST_ALTER_SYSTEM:
        print_setting(out, statement, "ALTER SYSTEM ");
        break;
    case AST_DEFINE:
    case AST_UNDEFINE:
        print_define(out, statement);
        break;
    case AST_PRINT:
        print_print(out, statement);
        break;
    case AST_ASSERT_TOPIC:
    case AST_ASSERT_SCHEMA:
        print_assert(out, statement);
        break;
    case AST_ASSERT_VALUES:
    case AST_ASSERT_NULL_VALUES:
        print_assert_values(out, statement);
        break;
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE:
        buf_text(out, "ASSERT");
        print_definition(out, statement,
                         statement->kind == AST_ASSERT_STREAM ? " STREAM" : " TABLE");
        break;
    case AST_RUN_SCRIPT:
        print_text(out, "RUN SCRIPT ", statement->text);
        break;
    default:
        assert(statement->kind == AST_COPY);
        print_copy(out, statement);
        break;
    }
}

void ast_print_statement(Buf *out, const AstStatement *statement) {
    switch (statement->kind) {
    case AST_SELECT:
        ast_print_query(out, statement->query);
        break;
    case AST_CREATE_STREAM:
    case AST_CREATE_TABLE:
    case AST_CREATE_TYPE:
    case AST_CREATE_CONNECTOR:
        print_create(out, statement);
        break;
    case AST_INSERT_SELECT:
    case AST_INSERT_VALUES:
        print_insert(out, statement);
        break;
    case AST_DROP_STREAM:
        print_drop(out, statement, "DROP STREAM");
        break;
    case AST_DROP_TABLE:
        print_drop(out, statement, "DROP TABLE");
        break;
    case AST_DROP_TYPE:
        print_drop(out, statement, "DROP TYPE");
        break;
    case AST_CREATE_FUNCTION:
        print_create_function(out, statement);
        break;
    case AST_DROP_FUNCTION:
        print_drop_function(out, statement);
        break;
    case AST_DROP_CONNECTOR:
        print_drop(out, statement, "DROP CONNECTOR");
        break;
    case AST_CREATE_TOPIC:
    case AST_ALTER_TOPIC:
    case AST_DROP_TOPIC:
    case AST_DESCRIBE_TOPIC:
        print_topic(out, statement);
        break;
    case AST_ALTER_SOURCE:
        print_alter(out, statement);
        break;
    case AST_SHOW:
    case AST_DESCRIBE_ALL:
        print_show(out, statement);
        break;
    case AST_DESCRIBE:
    case AST_DESCRIBE_FUNCTION:
    case AST_DESCRIBE_CONNECTOR:
        print_describe(out, statement);
        break;
    case AST_EXPLAIN:
        print_explain(out, statement);
        break;
    default:
        print_other(out, statement);
        break;
    }
}
