/*
 * ast_print.c - names, types and expressions back to text.
 *
 * What is no primary of the grammar stands in parentheses, so no precedence is needed here. A
 * word is quoted where the parser would take it for something else than a name.
 */
#include "grammar/ast_print.h"

#include <assert.h>
#include <string.h>

#include "grammar/parse.h"

static void print_quoted(Buf *out, const char *text, char quote) {
    buf_u8(out, (uint8_t)quote);
    for (const char *next = text; *next != '\0'; next++) {
        if (*next == quote)
            buf_u8(out, (uint8_t)quote);
        buf_u8(out, (uint8_t)*next);
    }
    buf_u8(out, (uint8_t)quote);
}

void ast_print_string(Buf *out, const char *text) {
    print_quoted(out, text, '\'');
}

void ast_print_name(Buf *out, const char *name) {
    assert(name);
    if (parse_name_is_plain(name))
        buf_text(out, name);
    else
        print_quoted(out, name, '`');
}

/* A name that is quoted also where it is one of these words. */
static void print_name_but(Buf *out, const char *name, const char *const *words) {
    for (uint32_t i = 0; words[i]; i++) {
        if (strcmp(name, words[i]) == 0) {
            print_quoted(out, name, '`');
            return;
        }
    }
    ast_print_name(out, name);
}

static const char *const constructor_words[] = {"ARRAY", "MAP", "STRUCT", NULL};
static const char *const unit_words[] = {"DAY", "HOUR", "MINUTE", "SECOND", NULL};

/* -- Types ------------------------------------------------------------------------------------ */

static void print_fields(Buf *out, const AstType *type) {
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0)
            buf_text(out, ", ");
        if (type->kind == AST_TYPE_STRUCT) {
            ast_print_name(out, type->fields[i].name);
            buf_u8(out, ' ');
        }
        ast_print_type(out, type->fields[i].type);
    }
}

void ast_print_type(Buf *out, const AstType *type) {
    switch (type->kind) {
    case AST_TYPE_NAMED:
        print_name_but(out, type->name, constructor_words);
        break;
    case AST_TYPE_DECIMAL:
        buf_printf(out, "DECIMAL(%lld, %lld)", (long long)type->precision,
                   (long long)type->scale);
        break;
    case AST_TYPE_ARRAY:
    case AST_TYPE_MAP:
    case AST_TYPE_STRUCT:
        buf_text(out, constructor_words[type->kind - AST_TYPE_ARRAY]);
        buf_text(out, type->field_count > 0 ? "<" : "< ");
        print_fields(out, type);
        buf_u8(out, '>');
        break;
    }
}

/* -- Expressions ------------------------------------------------------------------------------ */

const char *ast_op_text(AstOp op) {
    static const char *const texts[] = {
        [AST_OP_NONE] = "",
        [AST_OP_ADD] = "+",
        [AST_OP_SUBTRACT] = "-",
        [AST_OP_MULTIPLY] = "*",
        [AST_OP_DIVIDE] = "/",
        [AST_OP_MODULUS] = "%",
        [AST_OP_CONCAT] = "||",
        [AST_OP_EQUAL] = "=",
        [AST_OP_NOT_EQUAL] = "<>",
        [AST_OP_LESS] = "<",
        [AST_OP_LESS_EQUAL] = "<=",
        [AST_OP_GREATER] = ">",
        [AST_OP_GREATER_EQUAL] = ">=",
        [AST_OP_DISTINCT] = "IS DISTINCT FROM",
        [AST_OP_NOT_DISTINCT] = "IS NOT DISTINCT FROM",
    };
    assert((size_t)op < sizeof texts / sizeof texts[0]);
    return texts[op];
}

static bool is_number(const AstExpr *expr) {
    return expr->kind == AST_INTEGER || expr->kind == AST_DECIMAL || expr->kind == AST_DOUBLE;
}

static bool starts_with_minus(const AstExpr *expr) {
    return expr->kind == AST_NEGATE || (is_number(expr) && expr->text.data[0] == '-');
}

static void print_in_parens(Buf *out, const AstExpr *expr) {
    buf_u8(out, '(');
    ast_print_expr(out, expr);
    buf_u8(out, ')');
}

/* What -> or [ may follow. */
static void print_base(Buf *out, const AstExpr *base) {
    if (starts_with_minus(base) || base->kind == AST_PLUS || base->kind == AST_AT_ZONE)
        print_in_parens(out, base);
    else if (base->kind == AST_COLUMN && !base->qualifier)
        print_name_but(out, base->name, constructor_words);
    else
        ast_print_expr(out, base);
}

static void print_sign(Buf *out, char sign, const AstExpr *operand) {
    buf_u8(out, (uint8_t)sign);
    if (starts_with_minus(operand)) {
        buf_u8(out, ' '); /* two minus signs would start a comment */
        ast_print_expr(out, operand);
    } else if (sign == '-' && is_number(operand)) {
        print_in_parens(out, operand);
    } else {
        ast_print_expr(out, operand);
    }
}

static void print_list(Buf *out, const AstExpr *const *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_text(out, ", ");
        ast_print_expr(out, items[i]);
    }
}

static void print_call(Buf *out, const AstExpr *expr) {
    print_name_but(out, expr->name, constructor_words);
    buf_text(out, expr->star ? "(*" : "(");
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const AstExpr *arg = expr->args[i];
        if (i > 0)
            buf_text(out, ", ");
        if (arg->kind == AST_COLUMN && !arg->qualifier)
            print_name_but(out, arg->name, unit_words);
        else
            ast_print_expr(out, arg);
    }
    buf_u8(out, ')');
}

static void print_lambda(Buf *out, const AstExpr *expr) {
    bool many = expr->name_count > 1;
    buf_text(out, many ? "(" : "");
    for (uint32_t i = 0; i < expr->name_count; i++) {
        buf_text(out, i > 0 ? ", " : "");
        ast_print_name(out, expr->names[i]);
    }
    buf_text(out, many ? ") => " : " => ");
    ast_print_expr(out, expr->args[0]);
}

static void print_case(Buf *out, const AstExpr *expr) {
    buf_text(out, "(CASE");
    uint32_t next = 0;
    if (expr->has_operand) {
        buf_u8(out, ' ');
        ast_print_expr(out, expr->args[next++]);
    }
    uint32_t end = expr->arg_count - expr->has_else;
    for (; next < end; next += 2) {
        buf_text(out, " WHEN ");
        ast_print_expr(out, expr->args[next]);
        buf_text(out, " THEN ");
        ast_print_expr(out, expr->args[next + 1]);
    }
    if (expr->has_else) {
        buf_text(out, " ELSE ");
        ast_print_expr(out, expr->args[end]);
    }
    buf_text(out, " END)");
}

static void print_map(Buf *out, const AstExpr *expr) {
    buf_text(out, "MAP(");
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        buf_text(out, i == 0 ? "" : i % 2 == 1 ? ":=" : ", ");
        ast_print_expr(out, expr->args[i]);
    }
    buf_u8(out, ')');
}

static void print_struct(Buf *out, const AstExpr *expr) {
    assert(expr->name_count == expr->arg_count);
    buf_text(out, "STRUCT(");
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        buf_text(out, i > 0 ? ", " : "");
        ast_print_name(out, expr->names[i]);
        buf_text(out, ":=");
        ast_print_expr(out, expr->args[i]);
    }
    buf_u8(out, ')');
}

/* (a op b) */
static void print_binary(Buf *out, const AstExpr *expr, const char *op) {
    buf_u8(out, '(');
    ast_print_expr(out, expr->args[0]);
    buf_printf(out, " %s ", op);
    ast_print_expr(out, expr->args[1]);
    buf_u8(out, ')');
}

/* (a [NOT] BETWEEN b AND c) and its like */
static void print_predicate(Buf *out, const AstExpr *expr) {
    buf_u8(out, '(');
    ast_print_expr(out, expr->args[0]);
    if (expr->negated && expr->kind != AST_IS_NULL)
        buf_text(out, " NOT");
    if (expr->kind == AST_IS_NULL) {
        buf_text(out, expr->negated ? " IS NOT NULL" : " IS NULL");
    } else if (expr->kind == AST_BETWEEN) {
        buf_text(out, " BETWEEN ");
        ast_print_expr(out, expr->args[1]);
        buf_text(out, " AND ");
        ast_print_expr(out, expr->args[2]);
    } else if (expr->kind == AST_IN) {
        buf_text(out, " IN (");
        print_list(out, expr->args + 1, expr->arg_count - 1);
        buf_u8(out, ')');
    } else {
        assert(expr->kind == AST_LIKE);
        buf_text(out, " LIKE ");
        ast_print_expr(out, expr->args[1]);
        buf_text(out, expr->has_escape ? " ESCAPE " : "");
        if (expr->has_escape)
            ast_print_string(out, (const char *)expr->text.data);
    }
    buf_u8(out, ')');
}

static void print_cast(Buf *out, const AstExpr *expr) {
    buf_text(out, "CAST(");
    ast_print_expr(out, expr->args[0]);
    buf_text(out, " AS ");
    ast_print_type(out, expr->type);
    buf_u8(out, ')');
}

static void print_literal(Buf *out, const AstExpr *expr) {
    const char *text = (const char *)expr->text.data;
    switch ((int)expr->kind) {
    case AST_NULL:
        buf_text(out, "NULL");
        break;
    case AST_BOOLEAN:
        buf_text(out, expr->boolean ? "TRUE" : "FALSE");
        break;
    case AST_STRING:
        ast_print_string(out, text);
        break;
    case AST_TYPED:
        if (strcmp(expr->name, "DECIMAL") == 0)
            buf_text(out, expr->name);
        else
            ast_print_name(out, expr->name);
        buf_u8(out, ' ');
        ast_print_string(out, text);
        break;
    case AST_VARIABLE:
        buf_printf(out, "${%s}", expr->name);
        break;
    default:
        assert(is_number(expr));
        buf_text(out, text);
        break;
    }
}

/* A column, or what hangs on another expression. */
static void print_reference(Buf *out, const AstExpr *expr) {
    if (expr->kind == AST_COLUMN) {
        if (expr->qualifier) {
            ast_print_name(out, expr->qualifier);
            buf_u8(out, '.');
        }
        ast_print_name(out, expr->name);
        return;
    }
    print_base(out, expr->args[0]);
    if (expr->kind == AST_DEREF) {
        buf_text(out, "->");
        ast_print_name(out, expr->name);
    } else if (expr->kind == AST_ALL_FIELDS) {
        buf_text(out, "->*");
    } else {
        assert(expr->kind == AST_SUBSCRIPT);
        buf_u8(out, '[');
        ast_print_expr(out, expr->args[1]);
        buf_u8(out, ']');
    }
}

static void print_at_zone(Buf *out, const AstExpr *expr) {
    const AstExpr *value = expr->args[0];
    if (starts_with_minus(value) || value->kind == AST_PLUS)
        print_in_parens(out, value);
    else
        ast_print_expr(out, value);
    buf_text(out, " AT TIME ZONE ");
    ast_print_string(out, (const char *)expr->text.data);
}

static void print_operator(Buf *out, const AstExpr *expr) {
    switch ((int)expr->kind) {
    case AST_NEGATE:
    case AST_PLUS:
        print_sign(out, expr->kind == AST_NEGATE ? '-' : '+', expr->args[0]);
        break;
    case AST_NOT:
        buf_text(out, "(NOT ");
        ast_print_expr(out, expr->args[0]);
        buf_u8(out, ')');
        break;
    case AST_AND:
        print_binary(out, expr, "AND");
        break;
    case AST_OR:
        print_binary(out, expr, "OR");
        break;
    default:
        assert(expr->kind == AST_BINARY || expr->kind == AST_COMPARE);
        print_binary(out, expr, ast_op_text(expr->op));
        break;
    }
}

void ast_print_expr(Buf *out, const AstExpr *expr) {
    switch (expr->kind) {
    case AST_NULL:
    case AST_BOOLEAN:
    case AST_INTEGER:
    case AST_DECIMAL:
    case AST_DOUBLE:
    case AST_STRING:
    case AST_TYPED:
    case AST_VARIABLE:
        print_literal(out, expr);
        break;
    case AST_COLUMN:
    case AST_DEREF:
    case AST_SUBSCRIPT:
    case AST_ALL_FIELDS:
        print_reference(out, expr);
        break;
    case AST_CALL:
        print_call(out, expr);
        break;
    case AST_LAMBDA:
        print_lambda(out, expr);
        break;
    case AST_UNIT:
        buf_text(out, expr->name);
        break;
    case AST_CAST:
        print_cast(out, expr);
        break;
    case AST_CASE:
        print_case(out, expr);
        break;
    case AST_ARRAY:
        buf_text(out, "ARRAY[");
        print_list(out, expr->args, expr->arg_count);
        buf_u8(out, ']');
        break;
    case AST_MAP:
        print_map(out, expr);
        break;
    case AST_STRUCT:
        print_struct(out, expr);
        break;
    case AST_NEGATE:
    case AST_PLUS:
    case AST_BINARY:
    case AST_COMPARE:
    case AST_AND:
    case AST_OR:
    case AST_NOT:
        print_operator(out, expr);
        break;
    case AST_BETWEEN:
    case AST_IN:
    case AST_LIKE:
    case AST_IS_NULL:
        print_predicate(out, expr);
        break;
    case AST_AT_ZONE:
        print_at_zone(out, expr);
        break;
    }
}
