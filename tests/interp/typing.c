/*
 * typing.c - types of results, and the text of expressions as SQL.
 */
#include <string.h>

#include "tests/interp/tree.h"

enum { DIGITS_MAX = 76 };

static int larger(int left, int right) {
    return left > right ? left : right;
}

const RefType *ref_as_decimal(const RefType *type) {
    if (type->kind == REF_DECIMAL)
        return type;
    return ref_decimal_type(type->kind == REF_INT ? 10 : 19, 0);
}

const RefType *ref_wider(const RefType *left, const RefType *right) {
    if (left->kind != REF_DECIMAL && right->kind != REF_DECIMAL)
        return left->kind > right->kind ? left : right;
    if (left->kind == REF_DOUBLE || right->kind == REF_DOUBLE)
        return &ref_double;
    left = ref_as_decimal(left);
    right = ref_as_decimal(right);
    int scale = larger(left->scale, right->scale);
    int whole = larger(left->precision - left->scale, right->precision - right->scale);
    return whole + scale > DIGITS_MAX ? NULL : ref_decimal_type(whole + scale, scale);
}

const RefType *ref_arithmetic_type(char op, const RefType *left, const RefType *right) {
    bool decimal = left->kind == REF_DECIMAL || right->kind == REF_DECIMAL;
    if (!decimal || left->kind == REF_DOUBLE || right->kind == REF_DOUBLE)
        return ref_wider(left, right);
    left = ref_as_decimal(left);
    right = ref_as_decimal(right);
    int p1 = left->precision, s1 = left->scale, p2 = right->precision, s2 = right->scale;
    int scale = larger(s1, s2), precision = scale + larger(p1 - s1, p2 - s2) + 1;
    if (op == '*') {
        scale = s1 + s2;
        precision = p1 + p2 + 1;
    } else if (op == '/') {
        scale = larger(6, s1 + p2 + 1);
        precision = p1 - s1 + s2 + scale;
    } else if (op == '%') {
        precision = (p1 - s1 < p2 - s2 ? p1 - s1 : p2 - s2) + scale;
    }
    return precision > DIGITS_MAX || precision < 1 ? NULL : ref_decimal_type(precision, scale);
}

/* == SQL == */

static const char *operator_of(char op) {
    switch (op) {
    case '=': return "=";
    case '!': return "<>";
    case '<': return "<";
    case 'l': return "<=";
    case '>': return ">";
    case 'g': return ">=";
    case 'd': return "IS DISTINCT FROM";
    case 'n': return "IS NOT DISTINCT FROM";
    default: break;
    }
    static const char ops[] = "+\0-\0*\0/\0%";
    for (size_t i = 0; i < sizeof ops; i += 2) {
        if (ops[i] == op)
            return ops + i;
    }
    return "?";
}

static void sql_list(RefOut *out, const RefNode *node, uint32_t from, const char *separator) {
    for (uint32_t i = from; i < node->count; i++) {
        if (i > from)
            ref_out(out, "%s", separator);
        ref_sql(out, node->args[i]);
    }
}

/* (a op b op c) */
static void sql_between(RefOut *out, const RefNode *node, const char *separator) {
    ref_out(out, "(");
    sql_list(out, node, 0, separator);
    ref_out(out, ")");
}

static void sql_case(RefOut *out, const RefNode *node) {
    ref_out(out, "CASE");
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        ref_out(out, " WHEN ");
        ref_sql(out, node->args[i]);
        ref_out(out, " THEN ");
        ref_sql(out, node->args[i + 1]);
    }
    if (node->count % 2 == 1) {
        ref_out(out, " ELSE ");
        ref_sql(out, node->args[node->count - 1]);
    }
    ref_out(out, " END");
}

static void sql_make(RefOut *out, const RefNode *node) {
    bool array = node->kind == NODE_ARRAY;
    ref_out(out, array ? "ARRAY[" : node->kind == NODE_MAP ? "MAP(" : "STRUCT(");
    for (uint32_t i = 0; i < node->count; i++) {
        bool value = node->kind == NODE_MAP && i % 2 == 1;
        if (i > 0)
            ref_out(out, value ? " := " : ", ");
        if (node->kind == NODE_STRUCT)
            ref_out(out, "%s := ", node->type->names[i]);
        ref_sql(out, node->args[i]);
    }
    ref_out(out, array ? "]" : ")");
}

static void sql_predicate(RefOut *out, const RefNode *node) {
    const char *not = node->negated ? "NOT " : "";
    ref_out(out, "(");
    ref_sql(out, node->args[0]);
    if (node->kind == NODE_IS_NULL) {
        ref_out(out, " IS %sNULL", not);
    } else if (node->kind == NODE_LIKE) {
        ref_out(out, " %sLIKE ", not);
        ref_sql(out, node->args[1]);
        if (node->escape)
            ref_out(out, " ESCAPE '%c'", node->escape);
    } else {
        ref_out(out, node->kind == NODE_IN ? " %sIN (" : " %sBETWEEN ", not);
        sql_list(out, node, 1, node->kind == NODE_IN ? ", " : " AND ");
        ref_out(out, node->kind == NODE_IN ? ")" : "");
    }
    ref_out(out, ")");
}

static void sql_one(RefOut *out, const RefNode *node) {
    ref_out(out, node->kind == NODE_CAST     ? "CAST("
                 : node->kind == NODE_NOT    ? "(NOT "
                 : node->kind == NODE_NEGATE ? "(- "
                                             : "(");
    ref_sql(out, node->args[0]);
    if (node->kind == NODE_CAST) {
        ref_out(out, " AS ");
        ref_type_print(out, node->type);
    } else if (node->kind == NODE_DEREF) {
        ref_out(out, "->%s", node->args[0]->type->names[node->index]);
    } else if (node->kind == NODE_SUBSCRIPT) {
        ref_out(out, "[");
        ref_sql(out, node->args[1]);
        ref_out(out, "]");
    }
    ref_out(out, ")");
}

void ref_sql(RefOut *out, const RefNode *node) {
    switch (node->kind) {
    case NODE_LITERAL: ref_out_bytes(out, node->text, strlen(node->text)); break;
    case NODE_COLUMN: ref_out(out, "C%u", node->index); break;
    case NODE_ARITHMETIC:
    case NODE_COMPARE:
    case NODE_APPEND: {
        char separator[32];
        RefOut text = {.text = separator, .room = sizeof separator};
        ref_out(&text, " %s ", operator_of(node->op));
        sql_between(out, node, separator);
        break;
    }
    case NODE_AND: sql_between(out, node, " AND "); break;
    case NODE_OR: sql_between(out, node, " OR "); break;
    case NODE_BETWEEN:
    case NODE_IN:
    case NODE_LIKE:
    case NODE_IS_NULL: sql_predicate(out, node); break;
    case NODE_CASE: sql_case(out, node); break;
    case NODE_NEGATE:
    case NODE_NOT:
    case NODE_CAST:
    case NODE_SUBSCRIPT:
    case NODE_DEREF: sql_one(out, node); break;
    case NODE_ARRAY:
    case NODE_MAP:
    case NODE_STRUCT: sql_make(out, node); break;
    case NODE_CALL:
        ref_out(out, "%s(", node->function->name);
        sql_list(out, node, 0, ", ");
        ref_out(out, ")");
        break;
    }
}
