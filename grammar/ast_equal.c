/*
 * ast_equal.c - whether two trees say the same, positions and the statements' own text aside.
 */
#include <string.h>

#include "grammar/ast_print.h"

static bool same_text(const char *left, const char *right) {
    return left && right ? strcmp(left, right) == 0 : left == right;
}

static bool same_names(const char *const *left, const char *const *right, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!same_text(left[i], right[i]))
            return false;
    return true;
}

static bool same_type(const AstType *left, const AstType *right) {
    if (!left || !right)
        return left == right;
    if (left->kind != right->kind || !same_text(left->name, right->name) ||
        left->precision != right->precision || left->scale != right->scale ||
        left->field_count != right->field_count)
        return false;
    for (uint32_t i = 0; i < left->field_count; i++)
        if (!same_text(left->fields[i].name, right->fields[i].name) ||
            !same_type(left->fields[i].type, right->fields[i].type))
            return false;
    return true;
}

static bool same_exprs(const AstExpr *const *left, const AstExpr *const *right, uint32_t count);

static bool same_expr(const AstExpr *left, const AstExpr *right) {
    if (!left || !right)
        return left == right;
    return left->kind == right->kind && left->op == right->op &&
           left->boolean == right->boolean && left->negated == right->negated &&
           left->star == right->star && left->has_operand == right->has_operand &&
           left->has_else == right->has_else && left->has_escape == right->has_escape &&
           left->depth == right->depth && same_text(left->qualifier, right->qualifier) &&
           same_text(left->name, right->name) && bytes_equal(left->text, right->text) &&
           same_type(left->type, right->type) && left->name_count == right->name_count &&
           same_names(left->names, right->names, left->name_count) &&
           left->arg_count == right->arg_count &&
           same_exprs(left->args, right->args, left->arg_count);
}

static bool same_exprs(const AstExpr *const *left, const AstExpr *const *right, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!same_expr(left[i], right[i]))
            return false;
    return true;
}

static bool same_duration(AstDuration left, AstDuration right) {
    return left.count == right.count && left.unit == right.unit && left.present == right.present;
}

static bool same_item(const AstItem *left, const AstItem *right) {
    return left->kind == right->kind && same_text(left->qualifier, right->qualifier) &&
           same_expr(left->expr, right->expr) && same_text(left->alias, right->alias);
}

static bool same_source(const AstSource *left, const AstSource *right) {
    return left->join == right->join && same_text(left->name, right->name) &&
           same_text(left->alias, right->alias) && left->has_within == right->has_within &&
           same_duration(left->before, right->before) &&
           same_duration(left->after, right->after) && same_duration(left->grace, right->grace) &&
           same_expr(left->on, right->on);
}

static bool same_window(const AstWindow *left, const AstWindow *right) {
    return left->kind == right->kind && same_text(left->name, right->name) &&
           same_duration(left->size, right->size) &&
           same_duration(left->advance, right->advance) &&
           same_duration(left->retention, right->retention) &&
           same_duration(left->grace, right->grace);
}

static bool same_query_lists(const AstQuery *left, const AstQuery *right) {
    if (left->item_count != right->item_count || left->source_count != right->source_count ||
        left->order_by_count != right->order_by_count)
        return false;
    for (uint32_t i = 0; i < left->item_count; i++)
        if (!same_item(&left->items[i], &right->items[i]))
            return false;
    for (uint32_t i = 0; i < left->source_count; i++)
        if (!same_source(&left->sources[i], &right->sources[i]))
            return false;
    for (uint32_t i = 0; i < left->order_by_count; i++)
        if (left->order_by[i].descending != right->order_by[i].descending ||
            !same_expr(left->order_by[i].expr, right->order_by[i].expr))
            return false;
    return true;
}

static bool same_query(const AstQuery *left, const AstQuery *right) {
    if (!left || !right)
        return left == right;
    return same_query_lists(left, right) && same_window(&left->window, &right->window) &&
           same_expr(left->where, right->where) && same_expr(left->having, right->having) &&
           !left->group_by == !right->group_by && !left->partition_by == !right->partition_by &&
           left->group_by_count == right->group_by_count &&
           same_exprs(left->group_by, right->group_by, left->group_by_count) &&
           left->partition_by_count == right->partition_by_count &&
           same_exprs(left->partition_by, right->partition_by, left->partition_by_count) &&
           left->emit == right->emit && left->has_limit == right->has_limit &&
           left->has_offset == right->has_offset && bytes_equal(left->limit, right->limit) &&
           bytes_equal(left->offset, right->offset);
}

static bool same_parts(const AstStatement *left, const AstStatement *right) {
    if (left->column_count != right->column_count ||
        left->property_count != right->property_count || left->name_count != right->name_count ||
        left->value_count != right->value_count)
        return false;
    for (uint32_t i = 0; i < left->column_count; i++) {
        const AstColumnDef *a = &left->columns[i];
        const AstColumnDef *b = &right->columns[i];
        if (!same_text(a->name, b->name) || !same_type(a->type, b->type) || a->role != b->role ||
            !same_text(a->header, b->header))
            return false;
    }
    for (uint32_t i = 0; i < left->property_count; i++)
        if (!same_text(left->properties[i].name, right->properties[i].name) ||
            !same_expr(left->properties[i].value, right->properties[i].value))
            return false;
    return same_names(left->names, right->names, left->name_count) &&
           same_exprs(left->values, right->values, left->value_count);
}

static bool same_flags(const AstStatement *left, const AstStatement *right) {
    return left->or_replace == right->or_replace && left->if_not_exists == right->if_not_exists &&
           left->if_exists == right->if_exists && left->not_exists == right->not_exists &&
           left->delete_topic == right->delete_topic && left->cascade == right->cascade &&
           left->extended == right->extended &&
           left->all == right->all && left->analyze == right->analyze &&
           left->is_source == right->is_source && left->is_table == right->is_table &&
           left->is_sink == right->is_sink && left->has_columns == right->has_columns &&
           left->has_id == right->has_id && left->from_beginning == right->from_beginning &&
           left->has_limit == right->has_limit && left->has_interval == right->has_interval &&
           left->id == right->id && left->limit == right->limit &&
           left->interval == right->interval && same_duration(left->timeout, right->timeout);
}

bool ast_equal_statement(const AstStatement *left, const AstStatement *right) {
    if (!left || !right)
        return left == right;
    return left->kind == right->kind && left->show == right->show &&
           same_text(left->name, right->name) && bytes_equal(left->text, right->text) &&
           same_flags(left, right) && same_parts(left, right) &&
           same_type(left->type, right->type) && same_text(left->language, right->language) &&
           bytes_equal(left->symbol, right->symbol) && same_query(left->query, right->query) &&
           ast_equal_statement(left->inner, right->inner);
}
