/*
 * ast_build_statement.c - statements and queries of the tree.
 *
 * A statement is made by its first words, then the rule adds what it read. Its own text is cut
 * from the script at the end, when the last token is known.
 */
#include <assert.h>

#include "base/limits.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

/* -- Queries ---------------------------------------------------------------------------------- */

static void set_exprs(const AstList *list, const AstExpr *const **items, uint32_t *count) {
    *items = list ? list->items : NULL;
    *count = list ? list->count : 0;
}

AstQuery *build_query(ParseContext *p, Token token, const AstList *items,
                      const BuildQuery *parts) {
    assert(items);
    AstQuery *query = arena_alloc(p->arena, sizeof *query);
    query->pos = token.pos;
    query->items = items->items;
    query->item_count = items->count;
    query->sources = parts->sources ? parts->sources->items : NULL;
    query->source_count = parts->sources ? parts->sources->count : 0;
    if (parts->window)
        query->window = *parts->window;
    query->where = parts->where;
    set_exprs(parts->group_by, &query->group_by, &query->group_by_count);
    set_exprs(parts->partition_by, &query->partition_by, &query->partition_by_count);
    query->having = parts->having;
    query->order_by = parts->order_by ? parts->order_by->items : NULL;
    query->order_by_count = parts->order_by ? parts->order_by->count : 0;
    query->emit = parts->emit;
    query->has_limit = parts->limit.kind != 0;
    query->has_offset = parts->offset.kind != 0;
    query->limit_pos = parts->limit.pos;
    query->limit = arena_bytes(p->arena, parts->limit.bytes);
    query->offset = arena_bytes(p->arena, parts->offset.bytes);
    return query;
}

AstItem *build_item(ParseContext *p, AstItemKind kind, AstPos pos, const AstExpr *expr) {
    AstItem *item = arena_alloc(p->arena, sizeof *item);
    item->kind = kind;
    item->pos = pos;
    item->expr = expr;
    return item;
}

AstList *build_items(ParseContext *p, AstList *list, const AstItem *item) {
    *(AstItem *)build_list_add(p, &list, sizeof *item) = *item;
    return list;
}

AstSource *build_source(ParseContext *p, Token name, const char *alias) {
    AstSource *source = arena_alloc(p->arena, sizeof *source);
    source->pos = name.pos;
    source->name = build_name(p, name);
    source->alias = alias;
    return source;
}

AstList *build_sources(ParseContext *p, AstList *list, const AstSource *source) {
    *(AstSource *)build_list_add(p, &list, sizeof *source) = *source;
    return list;
}

AstList *build_join(ParseContext *p, AstList *list, AstJoinKind join, AstSource *source,
                    const AstExpr *on) {
    assert(join != AST_JOIN_NONE);
    source->join = join;
    source->on = on;
    return build_sources(p, list, source);
}

AstSource *build_within(AstSource *source, AstDuration before, AstDuration after,
                        AstDuration grace) {
    source->has_within = true;
    source->before = before;
    source->after = after;
    source->grace = grace;
    return source;
}

AstWindow *build_window(ParseContext *p, AstWindowKind kind, Token token, BuildSizes sizes,
                        BuildTail tail) {
    AstWindow *window = arena_alloc(p->arena, sizeof *window);
    window->kind = kind;
    window->pos = token.pos;
    window->size = sizes.size;
    window->advance = sizes.advance;
    window->retention = tail.retention;
    window->grace = tail.grace;
    return window;
}

AstList *build_order(ParseContext *p, AstList *list, const AstExpr *expr, bool descending) {
    AstOrder *order = build_list_add(p, &list, sizeof *order);
    *order = (AstOrder){expr, descending};
    return list;
}

/* -- Statements ------------------------------------------------------------------------------- */

AstStatement *build_statement(ParseContext *p, AstStatementKind kind, Token token) {
    AstStatement *statement = arena_alloc(p->arena, sizeof *statement);
    statement->kind = kind;
    statement->pos = token.pos;
    return statement;
}

AstStatement *build_named(ParseContext *p, AstStatementKind kind, Token token, Token name) {
    AstStatement *statement = build_statement(p, kind, token);
    assert(name.kind != 0);
    statement->name = build_name(p, name);
    statement->name_pos = name.pos;
    return statement;
}

AstStatement *build_resource(ParseContext *p, AstStatementKind kind, Token token, Token name) {
    AstStatement *statement = build_statement(p, kind, token);
    statement->name = build_raw_name(p, name);
    statement->name_pos = name.pos;
    return statement;
}

AstStatement *build_texts(ParseContext *p, AstStatementKind kind, Token token, Token name,
                          Token text) {
    AstStatement *statement = build_statement(p, kind, token);
    if (name.kind != 0) {
        statement->name = build_raw_name(p, name);
        statement->name_pos = name.pos;
    }
    if (text.kind != 0)
        statement->text = build_text(p, text);
    return statement;
}

AstStatement *build_show(ParseContext *p, Token token, AstShow show, bool all, bool extended) {
    AstStatement *statement = build_statement(p, AST_SHOW, token);
    statement->show = show;
    statement->all = all;
    statement->extended = extended;
    return statement;
}

AstStatement *build_select(ParseContext *p, const AstQuery *query) {
    AstStatement *statement = build_statement(p, AST_SELECT, (Token){.pos = query->pos});
    statement->query = query;
    return statement;
}

AstStatement *build_definition(AstStatement *statement, const AstList *columns,
                               const AstList *properties, const AstQuery *query) {
    assert(statement);
    statement->has_columns = columns != NULL;
    statement->columns = columns ? columns->items : NULL;
    statement->column_count = columns ? columns->count : 0;
    statement->properties = properties ? properties->items : NULL;
    statement->property_count = properties ? properties->count : 0;
    statement->query = query;
    return statement;
}

AstStatement *build_values(ParseContext *p, AstStatement *statement, const AstList *names,
                           const AstList *values) {
    const BuildPlace *places = names ? names->items : NULL;
    uint32_t count = names ? names->count : 0;
    const char **texts = arena_array(p->arena, count, sizeof *texts);
    AstPos *name_poses = arena_array(p->arena, count, sizeof *name_poses);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = places[i].name;
        name_poses[i] = places[i].pos;
    }
    statement->has_columns = names != NULL;
    statement->names = texts;
    statement->name_poses = name_poses;
    statement->name_count = count;
    set_exprs(values, &statement->values, &statement->value_count);
    return statement;
}

AstStatement *build_function_expr(ParseContext *p, AstStatement *statement, const AstExpr *body) {
    const AstList *values = build_exprs(p, NULL, body);
    set_exprs(values, &statement->values, &statement->value_count);
    return statement;
}

/* 'text' with its quotes doubled, or $$text$$ as it stands. */
static Bytes build_code(ParseContext *p, Token token) {
    if (token.kind == TK_STRING)
        return build_text(p, token);
    assert(token.kind == TK_DOLLARS && token.bytes.size >= 4);
    Bytes inside = {token.bytes.data + 2, token.bytes.size - 4};
    return (Bytes){(const uint8_t *)arena_text(p->arena, inside), inside.size};
}

AstStatement *build_function_code(ParseContext *p, AstStatement *statement, Token language,
                                  Token body, Token symbol) {
    statement->language = build_name(p, language);
    statement->text = build_code(p, body);
    statement->text_pos = body.pos;
    if (symbol.kind != 0)
        statement->symbol = build_code(p, symbol);
    return statement;
}

static uint32_t explained_depth(const AstStatement *statement) {
    uint32_t depth = 1;
    for (; statement->inner; statement = statement->inner)
        depth++;
    return depth;
}

AstStatement *build_explain(ParseContext *p, Token token, bool analyze, AstStatement *inner) {
    AstStatement *statement = build_statement(p, AST_EXPLAIN, token);
    statement->analyze = analyze;
    statement->inner = build_finish(p, inner);
    build_check_depth(p, token.pos, explained_depth(statement));
    return statement;
}

AstStatement *build_print_parts(ParseContext *p, AstStatement *statement, bool from_beginning,
                                Token interval, Token limit) {
    statement->from_beginning = from_beginning;
    statement->has_interval = interval.kind != 0;
    statement->has_limit = limit.kind != 0;
    if (statement->has_interval)
        statement->interval = build_integer(p, interval, "INTERVAL");
    if (statement->has_limit)
        statement->limit = build_integer(p, limit, "LIMIT");
    return statement;
}

AstStatement *build_schema_parts(ParseContext *p, AstStatement *statement, Token subject,
                                 Token id) {
    if (subject.kind != 0) {
        statement->name = build_raw_name(p, subject);
        statement->name_pos = subject.pos;
    }
    statement->has_id = id.kind != 0;
    if (statement->has_id)
        statement->id = build_integer(p, id, "ID");
    return statement;
}

AstStatement *build_finish(ParseContext *p, AstStatement *statement) {
    uint32_t start = statement->pos.offset;
    assert(p->end_offset >= start);
    statement->source = (Bytes){p->script.data + start, p->end_offset - start};
    return statement;
}

/* -- Their parts ------------------------------------------------------------------------------ */

static AstExpr *true_at(ParseContext *p, Token token) {
    token.kind = TK_TRUE;
    return build_literal(p, AST_BOOLEAN, token);
}

AstList *build_property(ParseContext *p, AstList *list, Token name, const AstExpr *value) {
    assert(name.kind != 0);
    AstProperty *property = build_list_add(p, &list, sizeof *property);
    Token unquoted = name;
    if (name.kind == TK_STRING || name.kind == TK_NAME) {
        unquoted.kind = 0;
        unquoted.bytes = bytes_of(build_raw_name(p, name));
    }
    *property = (AstProperty){name.pos, build_name(p, unquoted),
                              value ? value : true_at(p, name)};
    return list;
}

AstList *build_option(ParseContext *p, AstList *list, Token name, const AstExpr *value) {
    AstProperty *property = build_list_add(p, &list, sizeof *property);
    *property = (AstProperty){name.pos, build_raw_name(p, name), value};
    return list;
}

AstExpr *build_option_word(ParseContext *p, Token word) {
    AstExpr *expr = build_literal(p, AST_NULL, word);
    expr->kind = AST_STRING;
    expr->text = bytes_of(build_raw_name(p, word));
    return expr;
}

AstList *build_element(ParseContext *p, AstList *list, Token name, const AstType *type,
                       BuildRole role) {
    assert(type);
    AstColumnDef *column = build_list_add(p, &list, sizeof *column);
    *column = (AstColumnDef){name.pos, build_name(p, name), type, role.role, role.header};
    return list;
}

AstList *build_param(ParseContext *p, AstList *list, const AstType *type) {
    AstColumnDef *column = build_list_add(p, &list, sizeof *column);
    *column = (AstColumnDef){.pos = type->pos, .name = "", .type = type};
    return list;
}
