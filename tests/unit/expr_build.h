/*
 * expr_build.h - for tests: columns from texts, expression trees by hand, and running both.
 *
 * A value is written as text: "5", "-1.5", "true", "abc", "null"; arrays [1,null], maps {k=v},
 * structs {a,b} in order of fields; a column is a list of values separated by '|'.
 */
#ifndef TESTS_UNIT_EXPR_BUILD_H
#define TESTS_UNIT_EXPR_BUILD_H

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "data/time_text.h"
#include "runtime/expr.h"
#include "udf/value_text.h"

static Arena *build_arena;

static __attribute__((unused)) const Type *build_decimal(int precision, int scale) {
    const Type *type;
    Err err;
    ErrCode code = type_decimal(build_arena, precision, scale, &type, &err);
    assert(code == ERR_OK);
    (void)code;
    return type;
}

/* Up to the end, `stop1` or `stop2` outside of brackets. */
static Bytes build_token(const char **text, char stop1, char stop2) {
    const char *start = *text;
    int depth = 0;
    while (**text && (depth > 0 || (**text != stop1 && **text != stop2))) {
        depth += (**text == '[' || **text == '{') - (**text == ']' || **text == '}');
        (*text)++;
    }
    return (Bytes){(const uint8_t *)start, (uint32_t)(*text - start)};
}

static void build_value(Column *column, uint32_t row, Bytes text);

/* Columns of the parts of one nested value, appended to the children. */
static void build_append(Column *child, Bytes text) {
    Column *grown = column_new(build_arena, child->type, child->length + 1);
    for (uint32_t i = 0; i < child->length; i++) {
        Buf buf = {0};
        if (!column_is_null(child, i)) {
            value_text_print(&buf, child, i);
            build_value(grown, i, arena_bytes(build_arena, buf_view(&buf)));
        }
        buf_free(&buf);
    }
    build_value(grown, child->length, text);
    *child = *grown;
}

static void build_list(Column *column, uint32_t row, const char *inner) {
    uint32_t count = column->offsets[row];
    while (*inner) {
        if (*inner == ',' || *inner == ' ') {
            inner++;
            continue;
        }
        Bytes part = build_token(&inner, ',', column->type->kind == TYPE_MAP ? '=' : ',');
        build_append(&column->children[0], part);
        if (column->type->kind == TYPE_MAP) {
            inner++;
            build_append(&column->children[1], build_token(&inner, ',', ','));
        }
        count++;
    }
    for (uint32_t i = row + 1; i <= column->length; i++)
        column->offsets[i] = count;
}

static void build_nested(Column *column, uint32_t row, Bytes text) {
    char *inner = arena_text(build_arena, (Bytes){text.data + 1, text.size - 2});
    const char *next = inner;
    if (column->type->kind != TYPE_STRUCT) {
        build_list(column, row, next);
        return;
    }
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        build_value(&column->children[i], row, build_token(&next, ',', ','));
        next += *next == ',';
    }
}

static void build_value(Column *column, uint32_t row, Bytes text) {
    if (bytes_equal(text, bytes_of("null")))
        return;
    Decimal decimal;
    int64_t number = 0;
    bool ok = true;
    column_set_present(column, row);
    switch (column->type->kind) {
    case TYPE_BOOLEAN: column->boolean[row] = text.data[0] == 't'; break;
    case TYPE_INT:
        ok = number_parse_i64(text, &number);
        column->i32[row] = (int32_t)number;
        break;
    case TYPE_BIGINT: ok = number_parse_i64(text, &column->i64[row]); break;
    case TYPE_DOUBLE: column->f64[row] = strtod(arena_text(build_arena, text), NULL); break;
    case TYPE_STRING: column->bytes[row] = arena_bytes(build_arena, text); break;
    case TYPE_BYTES: {
        uint8_t *bytes = arena_alloc(build_arena, base64_room(text.size));
        ok = base64_parse(text, bytes, &column->bytes[row].size);
        column->bytes[row].data = bytes;
        break;
    }
    case TYPE_DECIMAL:
        ok = decimal_parse_exact(text, column->type->precision, column->type->scale, &decimal);
        decimal_store((uint8_t *)column->data + (size_t)row * type_width(column->type),
                      column->type->precision, decimal);
        break;
    case TYPE_TIMESTAMP: ok = time_parse_timestamp(text, &column->i64[row]); break;
    case TYPE_DATE: ok = time_parse_date(text, &column->i32[row]); break;
    case TYPE_TIME: ok = time_parse_time(text, &column->i32[row]); break;
    case TYPE_NULL: break;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT: build_nested(column, row, text); break;
    }
    assert(ok);
    (void)ok;
}

/* A column of the values in `text`, separated by '|'. */
static Column *build_column(const Type *type, const char *text) {
    uint32_t length = 1, depth = 0;
    for (const char *next = text; *next; next++) {
        depth += (uint32_t)(*next == '[' || *next == '{');
        depth -= (uint32_t)(*next == ']' || *next == '}');
        length += *next == '|' && depth == 0;
    }
    Column *column = column_new(build_arena, type, length);
    for (uint32_t row = 0; row < length; row++) {
        build_value(column, row, build_token(&text, '|', '|'));
        text += *text == '|';
    }
    return column;
}

/* == Trees == */

static Expr *build_node(ExprKind kind, const Type *type, const char *text) {
    Expr *expr = arena_alloc(build_arena, sizeof *expr);
    *expr = (Expr){.kind = kind, .type = type, .text = text};
    return expr;
}

static Expr *build_args(Expr *expr, uint32_t count, const Expr *const *args) {
    const Expr **copy = arena_array(build_arena, count, sizeof *copy);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = args[i];
    expr->args = copy;
    expr->arg_count = count;
    return expr;
}

#define ARGS(...) \
    (uint32_t)(sizeof((const Expr *[]){__VA_ARGS__}) / sizeof(const Expr *)), \
        (const Expr *const[]){__VA_ARGS__}

static __attribute__((unused)) const Expr *literal(const Type *type, const char *text) {
    Expr *expr = build_node(EXPR_LITERAL, type, text);
    expr->literal = build_column(type, text);
    return expr;
}

static __attribute__((unused)) const Expr *column_ref(const Type *type, uint32_t index) {
    Expr *expr = build_node(EXPR_COLUMN, type, arena_printf(build_arena, "C%u", index));
    expr->column = index;
    return expr;
}

static __attribute__((unused)) const Expr *cast(const Expr *value, const Type *type) {
    if (type_equal(value->type, type))
        return value;
    return build_args(build_node(EXPR_CAST, type, "CAST"), ARGS(value));
}

static __attribute__((unused)) const Expr *call(const char *name, uint32_t count,
                                                const Expr *const *args) {
    const Type *types[16] = {0};
    const Expr *casted[16] = {0};
    FunctionMatch match;
    Err err;
    for (uint32_t i = 0; i < count; i++)
        types[i] = args[i]->type;
    if (function_resolve(name, types, count, build_arena, &match, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    for (uint32_t i = 0; i < count; i++)
        casted[i] = cast(args[i], match.cast_types[i]);
    Expr *expr = build_node(EXPR_CALL, match.result, name);
    expr->function = match.function;
    return build_args(expr, count, casted);
}

static __attribute__((unused)) const Expr *arithmetic(char op, const Expr *left,
                                                      const Expr *right) {
    static const char ops[] = "+-*/%";
    const Type *type = left->type;
    Err err;
    if (type->kind == TYPE_DECIMAL &&
        decimal_result_type(build_arena, op, left->type, right->type, &type, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    Expr *expr = build_node(EXPR_ARITHMETIC, type, "ARITHMETIC");
    expr->op = (ExprOp)(OP_ADD + (strchr(ops, op) - ops));
    return build_args(expr, ARGS(left, right));
}

static __attribute__((unused)) const Expr *compare(ExprOp op, const Expr *left,
                                                   const Expr *right) {
    Expr *expr = build_node(EXPR_COMPARE, &type_boolean, "COMPARE");
    expr->op = op;
    return build_args(expr, ARGS(left, right));
}

static __attribute__((unused)) const Expr *node(ExprKind kind, const Type *type, uint32_t count,
                                                const Expr *const *args) {
    return build_args(build_node(kind, type, "NODE"), count, args);
}

/* == Running == */

typedef struct BuildRun {
    Batch batch;
    Schema schema;
    RowErrors errors;
} BuildRun;

/* A batch over columns; selected rows are those of `selected`, or all where NULL. */
static __attribute__((unused)) BuildRun *build_batch(const Column *const *columns, uint32_t count,
                                                     const uint16_t *selected,
                                                     uint32_t selected_count) {
    BuildRun *run = arena_alloc(build_arena, sizeof *run);
    uint32_t rows = count > 0 ? columns[0]->length : 1;
    int64_t *facts = arena_array(build_arena, rows, sizeof *facts);
    for (uint32_t i = 0; i < rows; i++)
        facts[i] = i * 10;
    row_errors_init(&run->errors);
    run->schema.column_count = count;
    run->batch = (Batch){.schema = &run->schema, .columns = columns, .row_count = rows,
                         .selected_count = selected ? selected_count : rows,
                         .selected = selected ? selected : batch_all_rows(rows),
                         .rowtime = facts, .offset = facts, .partition = 3, .topic = "t",
                         .arena = build_arena, .errors = &run->errors};
    return run;
}

static __attribute__((unused)) const Column *build_run(const Expr *expr, const Batch *batch) {
    ExprProgram *program;
    const Column *result;
    Err err;
    if (expr_compile(&expr, 1, build_arena, &program, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    expr_set_io(program, io_posix());
    expr_run(program, batch, &result);
    return result;
}

/* All values of a column as text, separated by '|'. */
static __attribute__((unused)) const char *build_text(const Column *column) {
    Buf buf = {0};
    for (uint32_t i = 0; i < column->length; i++) {
        if (i > 0)
            buf_u8(&buf, '|');
        value_text_print(&buf, column, i);
    }
    char *text = arena_text(build_arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

#endif
