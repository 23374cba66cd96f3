/*
 * ast_build.c - what every part of a tree needs: names, texts, numbers, lists, types, failures.
 *
 * The grammar calls one build function a rule. All memory is the statement's arena; a list grows
 * by leaving its old copy behind, which doubles a statement's memory at worst.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

void build_fail(ParseContext *p, AstPos pos, const char *text) {
    assert(text);
    if (p->code == ERR_OK)
        p->code = parse_error_at(p->script, pos, ERR_SYNTAX, text, p->err);
}

void build_check_depth(ParseContext *p, AstPos pos, uint32_t depth) {
    if (depth <= EXPR_DEPTH_MAX || p->code != ERR_OK)
        return;
    char text[64];
    snprintf(text, sizeof text, "nested deeper than %d", EXPR_DEPTH_MAX);
    p->code = parse_error_at(p->script, pos, ERR_LIMIT, text, p->err);
}

/* What stands between quotes, each doubled quote once. */
static Bytes unquoted(Arena *arena, Bytes bytes) {
    assert(bytes.size >= 2);
    uint8_t quote = bytes.data[0];
    uint8_t *text = arena_raw(arena, bytes.size);
    uint32_t size = 0;
    for (uint32_t i = 1; i + 1 < bytes.size; i++) {
        text[size++] = bytes.data[i];
        if (bytes.data[i] == quote)
            i++;
    }
    text[size] = '\0';
    return (Bytes){text, size};
}

static bool is_quoted(Bytes bytes) {
    return bytes.size >= 2 &&
           (bytes.data[0] == '`' || bytes.data[0] == '"' || bytes.data[0] == '\'');
}

const char *build_name(ParseContext *p, Token token) {
    if (is_quoted(token.bytes) || token.kind == TK_VARIABLE)
        return build_raw_name(p, token);
    char *name = arena_text(p->arena, token.bytes);
    for (char *next = name; *next != '\0'; next++)
        if (*next >= 'a' && *next <= 'z')
            *next = (char)(*next - 'a' + 'A');
    return name;
}

const char *build_raw_name(ParseContext *p, Token token) {
    if (token.kind == TK_STRING)
        return (const char *)build_text(p, token).data;
    if (is_quoted(token.bytes))
        return (const char *)unquoted(p->arena, token.bytes).data;
    return arena_text(p->arena, token.bytes);
}

/* The value of the variable whose reference starts at `at`, and its size; NULL where there is
 * none. */
static const char *variable_at(ParseContext *p, Bytes text, uint32_t at, uint32_t *end) {
    if (text.size - at < 4 || text.data[at] != '$' || text.data[at + 1] != '{' ||
        lex_scan(text, at, end) != TK_VARIABLE)
        return NULL;
    Bytes name = {text.data + at + 2, *end - at - 3};
    return p->variables->find(p->variables->context, arena_text(p->arena, name));
}

/* Each ${x} that has a value becomes it. */
static Bytes substituted(ParseContext *p, Bytes text) {
    if (!p->variables || text.size == 0 || !memchr(text.data, '$', text.size))
        return text;
    Buf buf = {0};
    for (uint32_t at = 0, end; at < text.size; at = end) {
        const char *value = variable_at(p, text, at, &end);
        if (value) {
            buf_text(&buf, value);
        } else {
            end = at + 1;
            buf_u8(&buf, text.data[at]);
        }
    }
    if (buf.size > STATEMENT_BYTES_MAX && p->code == ERR_OK)
        p->code = err_set(p->err, ERR_LIMIT, "a string with its variables' values is longer than "
                                             "%d bytes", STATEMENT_BYTES_MAX);
    Bytes copy = arena_bytes(p->arena, buf_view(&buf));
    buf_free(&buf);
    return copy;
}

Bytes build_text(ParseContext *p, Token token) {
    assert(is_quoted(token.bytes));
    return substituted(p, unquoted(p->arena, token.bytes));
}

void *build_list_add(ParseContext *p, AstList **list, size_t item_size) {
    if (!*list)
        *list = arena_alloc(p->arena, sizeof **list);
    AstList *grown = *list;
    grown->items = arena_grow(p->arena, grown->items, &grown->capacity, grown->count + 1,
                              item_size);
    return (char *)grown->items + grown->count++ * item_size;
}

AstList *build_names(ParseContext *p, AstList *list, const char *name) {
    const char **item = build_list_add(p, &list, sizeof *item);
    *item = name;
    return list;
}

AstList *build_places(ParseContext *p, AstList *list, Token name) {
    BuildPlace *item = build_list_add(p, &list, sizeof *item);
    *item = (BuildPlace){build_name(p, name), name.pos};
    return list;
}

AstList *build_exprs(ParseContext *p, AstList *list, const AstExpr *expr) {
    const AstExpr **item = build_list_add(p, &list, sizeof *item);
    *item = expr;
    return list;
}

AstList *build_pair(ParseContext *p, AstList *list, const AstExpr *left, const AstExpr *right) {
    return build_exprs(p, build_exprs(p, list, left), right);
}

AstList *build_empty(ParseContext *p) {
    AstList *list = arena_alloc(p->arena, sizeof *list);
    list->items = arena_alloc(p->arena, 0);
    return list;
}

/* -- Numbers ---------------------------------------------------------------------------------- */

Token build_number(ParseContext *p, Token minus, Token number) {
    const char *text = arena_printf(p->arena, "-%.*s", (int)number.bytes.size,
                                    (const char *)number.bytes.data);
    number.bytes = bytes_of(text);
    number.pos = minus.pos;
    return number;
}

/* false: no integer, or one beyond `max`. */
static bool integer_value(Token token, int64_t max, int64_t *value) {
    bool negative = token.bytes.size > 0 && token.bytes.data[0] == '-';
    if (token.kind != TK_INTEGER)
        return false;
    *value = 0;
    for (uint32_t i = negative; i < token.bytes.size; i++) {
        int digit = token.bytes.data[i] - '0';
        if (*value > (max - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    *value = negative ? -*value : *value;
    return true;
}

int64_t build_integer(ParseContext *p, Token number, const char *what) {
    int64_t value = 0;
    if (number.kind != TK_INTEGER) {
        build_fail(p, number.pos,
                   arena_printf(p->arena, "Value must be integer for command: %s", what));
    } else if (!integer_value(number, INT64_MAX, &value)) {
        build_fail(p, number.pos,
                   arena_printf(p->arena, "Invalid numeric literal: %.*s",
                                (int)number.bytes.size, (const char *)number.bytes.data));
        value = 0;
    }
    return value;
}

Token build_row_count(ParseContext *p, Token number, const char *clause) {
    int64_t value = 0;
    if (number.kind == TK_VARIABLE || !integer_value(number, INT32_MAX, &value))
        build_fail(p, number.pos,
                   arena_printf(p->arena, "Value must be integer for command: %s", clause));
    return number;
}

static AstUnit unit_of(Token unit) {
    switch (unit.bytes.data[0] & ~0x20) {
    case 'D':
        return AST_UNIT_DAYS;
    case 'H':
        return AST_UNIT_HOURS;
    case 'S':
        return AST_UNIT_SECONDS;
    default: /* MINUTE, MILLISECOND */
        assert((unit.bytes.data[0] & ~0x20) == 'M');
        return (unit.bytes.data[2] & ~0x20) == 'N' ? AST_UNIT_MINUTES : AST_UNIT_MILLISECONDS;
    }
}

AstDuration build_duration(ParseContext *p, Token number, Token unit) {
    assert(unit.bytes.size >= 3);
    return (AstDuration){build_integer(p, number, "DURATION"), unit_of(unit), true};
}

int64_t ast_duration_ms(AstDuration duration) {
    static const int64_t unit_ms[] = {1, 1000, 60000, 3600000, 86400000};
    assert((size_t)duration.unit < sizeof unit_ms / sizeof unit_ms[0]);
    int64_t factor = unit_ms[duration.unit];
    if (duration.count > INT64_MAX / factor)
        return INT64_MAX;
    return duration.count < INT64_MIN / factor ? INT64_MIN : duration.count * factor;
}

/* -- Types ------------------------------------------------------------------------------------ */

AstType *build_type(ParseContext *p, AstTypeKind kind, Token token, const AstList *fields) {
    AstType *type = arena_alloc(p->arena, sizeof *type);
    type->kind = kind;
    type->pos = token.pos;
    type->depth = 1;
    if (fields) {
        type->fields = fields->items;
        type->field_count = fields->count;
    }
    for (uint32_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type->depth >= type->depth)
            type->depth = type->fields[i].type->depth + 1;
    build_check_depth(p, type->pos, type->depth);
    return type;
}

AstType *build_named_type(ParseContext *p, Token name) {
    AstType *type = build_type(p, AST_TYPE_NAMED, name, NULL);
    type->name = build_name(p, name);
    return type;
}

AstType *build_decimal_type(ParseContext *p, Token token, Token precision, Token scale) {
    AstType *type = build_type(p, AST_TYPE_DECIMAL, token, NULL);
    type->precision = build_integer(p, precision, "DECIMAL");
    type->scale = build_integer(p, scale, "DECIMAL");
    return type;
}

AstList *build_field(ParseContext *p, AstList *list, const char *name, const AstType *type) {
    AstField *field = build_list_add(p, &list, sizeof *field);
    *field = (AstField){name, type};
    return list;
}
