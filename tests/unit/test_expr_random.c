/*
 * test_expr_random.c - random expressions over random columns and selections, against a slow
 * evaluator that walks the tree row by row.
 *
 * Rows that are not selected hold pointers to nowhere and zeros to divide by: they must not
 * matter. Every tree runs twice, as one program of several results and alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "base/utf8.h"
#include "tests/unit/expr_build.h"

enum { RANDOM_COLUMNS = 14, RANDOM_ROWS_MAX = 200, RANDOM_DEPTH = 5 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit) {
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) % limit;
}

/* == Random columns == */

static const Type *random_types[RANDOM_COLUMNS];

static void random_setup_types(void) {
    const Type *types[RANDOM_COLUMNS] = {
        &type_boolean, &type_int, &type_int, &type_bigint, &type_bigint, &type_double,
        &type_string, &type_string, build_decimal(5, 2), build_decimal(12, 4),
        build_decimal(20, 3), build_decimal(38, 10), build_decimal(60, 5), &type_boolean,
    };
    memcpy(random_types, types, sizeof types);
}

static int64_t random_integer(void) {
    static const int64_t special[] = {0, 1, -1, 2, 7, 10, INT32_MAX, INT32_MIN, INT64_MAX,
                                      INT64_MIN};
    uint32_t kind = random_below(4);
    if (kind == 0)
        return special[random_below(10)];
    return kind == 1 ? (int64_t)random_below(1000) - 500 : (int64_t)random_below(20) - 10;
}

static const char *random_text(void) {
    static const char *const texts[] = {"",   "a",  "ab", "abc", "12", "-7", "true", " 3 ",
                                        "x1", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xEF\xBD\x9E"};
    return texts[random_below(12)];
}

/* A value of the type in a column that is all missing. */
static void random_value(Column *column, uint32_t row) {
    const Type *type = column->type;
    static const double special[] = {0.0, -0.0, 1.5, -2.25, 1e300, NAN, INFINITY, 1e18, -3};
    if (random_below(6) == 0)
        return;
    column_set_present(column, row);
    switch (type->kind) {
    case TYPE_BOOLEAN: column->boolean[row] = random_below(2) == 1; break;
    case TYPE_INT: column->i32[row] = (int32_t)(uint32_t)random_integer(); break;
    case TYPE_BIGINT: column->i64[row] = random_integer(); break;
    case TYPE_DOUBLE: column->f64[row] = special[random_below(9)]; break;
    case TYPE_STRING: column->bytes[row] = bytes_of(random_text()); break;
    default: {
        Decimal value = decimal_from_i64(random_integer());
        if (!decimal_fits(value, type->precision))
            value = decimal_from_i64((int64_t)random_below(1000) - 500);
        decimal_store((uint8_t *)column->data + (size_t)row * type_width(type), type->precision,
                      value);
    }
    }
}

static Column *random_column(const Type *type, uint32_t length) {
    Column *column = column_new(build_arena, type, length);
    for (uint32_t row = 0; row < length; row++)
        random_value(column, row);
    bool whole = true;
    for (uint32_t row = 0; row < length; row++)
        whole = whole && !column_is_null(column, row);
    if (whole)
        column->validity = NULL;
    return column;
}

/* What no program may look at. */
static void random_poison(Column *column, uint32_t row) {
    if (column->validity)
        column_set_present(column, row);
    if (column->type->kind == TYPE_STRING)
        column->bytes[row] = (Bytes){(const uint8_t *)(uintptr_t)16, 1 << 20};
    else
        memset((uint8_t *)column->data + (size_t)row * type_width(column->type), 0,
               type_width(column->type));
}

/* == Random trees == */

static const Expr *random_tree(const Type *type, int depth);

static const Expr *random_leaf(const Type *type) {
    uint32_t start = random_below(RANDOM_COLUMNS);
    if (random_below(4) > 0) {
        for (uint32_t i = 0; i < RANDOM_COLUMNS; i++) {
            uint32_t column = (start + i) % RANDOM_COLUMNS;
            if (type_equal(random_types[column], type))
                return column_ref(random_types[column], column);
        }
    }
    Expr *expr = build_node(EXPR_LITERAL, type, "literal");
    Column *literal_column = column_new(build_arena, type, 1);
    random_value(literal_column, 0);
    expr->literal = literal_column;
    return expr;
}

static const Type *random_number_type(void) {
    return random_types[1 + random_below(12)];
}

static const Expr *random_arithmetic(const Type *type, int depth) {
    if (type->kind != TYPE_DECIMAL)
        return arithmetic("+-*/%"[random_below(5)], random_tree(type, depth),
                          random_tree(type, depth));
    const Type *left = random_types[8 + random_below(2)];
    const Type *right = random_types[8 + random_below(2)];
    return cast(arithmetic("+-*/%"[random_below(5)], random_tree(left, depth),
                           random_tree(right, depth)), type);
}

static const Expr *random_number(const Type *type, int depth) {
    switch (random_below(4)) {
    case 0: return node(EXPR_NEGATE, type, ARGS(random_tree(type, depth)));
    case 1: return cast(random_tree(random_number_type(), depth), type);
    default: return random_arithmetic(type, depth);
    }
}

static const Expr *random_string(int depth) {
    switch (random_below(3)) {
    case 0:
        return node(EXPR_CONCAT, &type_string,
                    ARGS(random_leaf(&type_string), random_leaf(&type_string)));
    case 1: return cast(random_tree(random_types[random_below(6)], depth), &type_string);
    default: return call("TRIM", ARGS(random_tree(&type_string, depth)));
    }
}

static const Expr *random_comparison(int depth) {
    const Type *left = random_types[random_below(RANDOM_COLUMNS)];
    const Type *right = left->kind == TYPE_DECIMAL ? random_types[8 + random_below(5)] : left;
    uint32_t op = random_below(left->kind == TYPE_BOOLEAN ? 2 : 8);
    return compare((ExprOp)(OP_EQUAL + op), random_tree(left, depth), random_tree(right, depth));
}

static const Expr *random_in(int depth) {
    const Type *type = random_types[random_below(RANDOM_COLUMNS)];
    const Expr *args[20];
    uint32_t count = 2 + random_below(18);
    for (uint32_t i = 0; i < count; i++)
        args[i] = random_below(12) == 0 ? random_tree(type, depth) : random_leaf(type);
    args[0] = random_tree(type, depth);
    return node(EXPR_IN, &type_boolean, count, args);
}

static const Expr *random_boolean(int depth) {
    const Expr *args[3];
    uint32_t count = 2 + random_below(2);
    Expr *is_null = build_node(EXPR_IS_NULL, &type_boolean, "null?");
    switch (random_below(6)) {
    case 0:
    case 1:
        for (uint32_t i = 0; i < count; i++)
            args[i] = random_tree(&type_boolean, depth);
        return node(random_below(2) ? EXPR_AND : EXPR_OR, &type_boolean, count, args);
    case 2: return node(EXPR_NOT, &type_boolean, ARGS(random_tree(&type_boolean, depth)));
    case 3:
        is_null->negated = random_below(2) == 1;
        return build_args(is_null, ARGS(random_tree(random_number_type(), depth)));
    case 4: return random_in(depth);
    default: return random_comparison(depth);
    }
}

static const Expr *random_case(const Type *type, int depth) {
    const Expr *args[7];
    uint32_t count = 1 + 2 * (1 + random_below(3));
    for (uint32_t i = 0; i < count; i++)
        args[i] = random_tree(i % 2 == 0 && i + 1 < count ? &type_boolean : type, depth);
    return node(EXPR_CASE, type, count, args);
}

static const Expr *random_choice(const Type *type, int depth) {
    return call("COALESCE", ARGS(random_tree(type, depth), random_tree(type, depth)));
}

static const Expr *random_tree(const Type *type, int depth) {
    if (depth == 0 || random_below(5) == 0)
        return random_leaf(type);
    if (random_below(6) == 0)
        return random_case(type, depth - 1);
    if (random_below(8) == 0)
        return random_choice(type, depth - 1);
    if (type->kind == TYPE_BOOLEAN)
        return random_boolean(depth - 1);
    return type->kind == TYPE_STRING ? random_string(depth - 1) : random_number(type, depth - 1);
}

/* == The slow evaluator == */

/* Something threw: all up to what catches it is NULL. */
static bool slow_threw;

/* One value: a column of length 1. */
static Column *slow(const Expr *expr, const Batch *batch, uint32_t row);

/* The same, NULL where it throws. */
static Column *slow_caught(const Expr *expr, const Batch *batch, uint32_t row) {
    bool outer = slow_threw;
    slow_threw = false;
    Column *value = slow(expr, batch, row);
    if (slow_threw)
        value = column_new(build_arena, expr->type, 1);
    slow_threw = outer;
    return value;
}

static bool slow_null(const Column *value) {
    return column_is_null(value, 0);
}

static void slow_boolean(Column *result, bool value) {
    result->boolean[0] = value;
    column_set_present(result, 0);
}

static Decimal slow_decimal(const Column *value) {
    return decimal_load(value->data, value->type->precision);
}

static void slow_integer(Column *result, ExprOp op, int64_t a, int64_t b, bool narrow) {
    uint64_t x = (uint64_t)a, y = (uint64_t)b, value = 0;
    if (op >= OP_DIVIDE && b == 0)
        return;
    switch (op) {
    case OP_ADD: value = x + y; break;
    case OP_SUBTRACT: value = x - y; break;
    case OP_MULTIPLY: value = x * y; break;
    case OP_DIVIDE: value = b == -1 ? 0 - x : (uint64_t)(a / b); break;
    default: value = b == -1 ? 0 : (uint64_t)(a % b); break;
    }
    if (narrow)
        result->i32[0] = (int32_t)(uint32_t)value;
    else
        result->i64[0] = (int64_t)value;
    column_set_present(result, 0);
}

static double slow_double(ExprOp op, double a, double b) {
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUBTRACT: return a - b;
    case OP_MULTIPLY: return a * b;
    case OP_DIVIDE: return a / b;
    default: return fmod(a, b);
    }
}

static void slow_decimals(Column *result, ExprOp op, const Column *a, const Column *b) {
    Decimal left = slow_decimal(a), right = slow_decimal(b), value;
    uint32_t left_scale = a->type->scale, right_scale = b->type->scale;
    bool fits = false;
    if (op >= OP_DIVIDE && decimal_sign(right) == 0)
        return;
    switch (op) {
    case OP_ADD:
        fits = decimal_add(left, left_scale, right, right_scale, result->type, &value);
        break;
    case OP_SUBTRACT:
        fits = decimal_subtract(left, left_scale, right, right_scale, result->type, &value);
        break;
    case OP_MULTIPLY:
        fits = decimal_multiply(left, left_scale, right, right_scale, result->type, &value);
        break;
    case OP_DIVIDE:
        fits = decimal_divide(left, left_scale, right, right_scale, result->type, &value);
        break;
    default:
        fits = decimal_modulus(left, left_scale, right, right_scale, result->type, &value);
        break;
    }
    if (!fits)
        return;
    decimal_store(result->data, result->type->precision, value);
    column_set_present(result, 0);
}

static void slow_arithmetic(Column *result, ExprOp op, const Column *a, const Column *b) {
    if (slow_null(a) || slow_null(b))
        return;
    switch (a->type->kind) {
    case TYPE_INT: slow_integer(result, op, a->i32[0], b->i32[0], true); break;
    case TYPE_BIGINT: slow_integer(result, op, a->i64[0], b->i64[0], false); break;
    case TYPE_DOUBLE:
        result->f64[0] = slow_double(op, a->f64[0], b->f64[0]);
        column_set_present(result, 0);
        break;
    default: slow_decimals(result, op, a, b); break;
    }
}

/* -2: not comparable (NaN). */
static int slow_order(const Column *a, const Column *b) {
    switch (a->type->kind) {
    case TYPE_BOOLEAN: return a->boolean[0] - b->boolean[0];
    case TYPE_INT: return (a->i32[0] > b->i32[0]) - (a->i32[0] < b->i32[0]);
    case TYPE_BIGINT: return (a->i64[0] > b->i64[0]) - (a->i64[0] < b->i64[0]);
    case TYPE_DOUBLE:
        if (isnan(a->f64[0]) || isnan(b->f64[0]))
            return -2;
        return (a->f64[0] > b->f64[0]) - (a->f64[0] < b->f64[0]);
    case TYPE_STRING: {
        int order = utf8_compare(a->bytes[0], b->bytes[0]);
        return (order > 0) - (order < 0);
    }
    default:
        return decimal_compare(slow_decimal(a), a->type->scale, slow_decimal(b), b->type->scale);
    }
}

static bool slow_compare(ExprOp op, const Column *a, const Column *b) {
    bool missing = slow_null(a) || slow_null(b);
    if (op == OP_DISTINCT || op == OP_NOT_DISTINCT) {
        bool same = missing ? slow_null(a) && slow_null(b) : slow_order(a, b) == 0;
        return same == (op == OP_NOT_DISTINCT);
    }
    if (missing)
        return false;
    int order = slow_order(a, b);
    switch (op) {
    case OP_EQUAL: return order == 0;
    case OP_NOT_EQUAL: return order != 0;
    case OP_LESS: return order == -1;
    case OP_LESS_EQUAL: return order == -1 || order == 0;
    case OP_GREATER: return order == 1;
    default: return order == 1 || order == 0;
    }
}

static void slow_logic(Column *result, const Expr *expr, const Batch *batch, uint32_t row) {
    bool decisive = expr->kind == EXPR_OR;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const Column *value = slow(expr->args[i], batch, row);
        if (slow_null(value))
            return;
        if (value->boolean[0] == decisive) {
            slow_boolean(result, decisive);
            return;
        }
    }
    slow_boolean(result, !decisive);
}

static Column *slow_case(const Expr *expr, const Batch *batch, uint32_t row) {
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        const Column *condition = slow(expr->args[i], batch, row);
        slow_threw = slow_threw || slow_null(condition);
        if (!slow_null(condition) && condition->boolean[0])
            return slow(expr->args[i + 1], batch, row);
    }
    return slow(expr->args[expr->arg_count - 1], batch, row);
}

static bool slow_in(const Expr *expr, const Batch *batch, uint32_t row) {
    const Column *value = slow(expr->args[0], batch, row);
    bool found = false;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const Column *item = slow(expr->args[i], batch, row);
        found = found || (!slow_null(value) && column_value_same(value, 0, item, 0));
    }
    return found;
}

/* The right side is looked at only where there is a left one. */
static void slow_comparison(Column *result, const Expr *expr, const Batch *batch, uint32_t row) {
    const Column *a = slow(expr->args[0], batch, row);
    if (slow_null(a) && expr->op < OP_DISTINCT)
        slow_boolean(result, false);
    else
        slow_boolean(result, slow_compare(expr->op, a, slow(expr->args[1], batch, row)));
}

static int64_t slow_saturate(double value, int64_t least, int64_t most) {
    if (isnan(value))
        return 0;
    if (value <= (double)least)
        return least;
    return value >= (double)most ? most : (int64_t)value;
}

static void slow_cast_integer(Column *result, const Column *a) {
    int64_t value = 0;
    bool narrow = result->type->kind == TYPE_INT;
    switch (a->type->kind) {
    case TYPE_INT: value = a->i32[0]; break;
    case TYPE_BIGINT: value = a->i64[0]; break;
    case TYPE_DOUBLE:
        value = slow_saturate(a->f64[0], narrow ? INT32_MIN : INT64_MIN,
                              narrow ? INT32_MAX : INT64_MAX);
        break;
    case TYPE_STRING:
        if (!number_parse_i64(utf8_trim(a->bytes[0]), &value) ||
            (narrow && value != (int32_t)value))
            return;
        break;
    default: value = decimal_to_i64(slow_decimal(a), a->type->scale); break;
    }
    slow_integer(result, OP_ADD, value, 0, narrow);
}

static void slow_cast_decimal(Column *result, const Column *a) {
    const Type *type = result->type;
    Decimal value = {{0}};
    bool fits;
    if (a->type->kind == TYPE_DOUBLE)
        fits = decimal_from_double(a->f64[0], type->precision, type->scale, &value);
    else if (a->type->kind == TYPE_STRING)
        fits = decimal_parse_round(utf8_trim(a->bytes[0]), type->precision, type->scale, &value);
    else if (a->type->kind == TYPE_DECIMAL)
        fits = decimal_rescale_round(slow_decimal(a), a->type->scale, type->scale,
                                     type->precision, &value);
    else
        fits = decimal_rescale_round(
            decimal_from_i64(a->type->kind == TYPE_INT ? a->i32[0] : a->i64[0]), 0, type->scale,
            type->precision, &value);
    if (!fits)
        return;
    decimal_store(result->data, type->precision, value);
    column_set_present(result, 0);
}

static void slow_cast_double(Column *result, const Column *a) {
    switch (a->type->kind) {
    case TYPE_INT: result->f64[0] = a->i32[0]; break;
    case TYPE_BIGINT: result->f64[0] = (double)a->i64[0]; break;
    case TYPE_STRING:
        if (!number_parse_double(utf8_trim(a->bytes[0]), result->f64))
            return;
        break;
    default: result->f64[0] = decimal_to_double(slow_decimal(a), a->type->scale); break;
    }
    column_set_present(result, 0);
}

static void slow_cast(Column *result, const Column *a) {
    Buf buf = {0};
    if (slow_null(a))
        return;
    switch (result->type->kind) {
    case TYPE_INT:
    case TYPE_BIGINT: slow_cast_integer(result, a); break;
    case TYPE_DOUBLE: slow_cast_double(result, a); break;
    case TYPE_DECIMAL: slow_cast_decimal(result, a); break;
    default:
        value_text_print(&buf, a, 0);
        result->bytes[0] = arena_bytes(build_arena, buf_view(&buf));
        column_set_present(result, 0);
    }
    buf_free(&buf);
}

static void slow_negate(Column *result, const Column *a) {
    if (slow_null(a))
        return;
    switch (a->type->kind) {
    case TYPE_INT: result->i32[0] = (int32_t)(0 - (uint32_t)a->i32[0]); break;
    case TYPE_BIGINT: result->i64[0] = (int64_t)(0 - (uint64_t)a->i64[0]); break;
    case TYPE_DOUBLE: result->f64[0] = -a->f64[0]; break;
    default:
        decimal_store(result->data, a->type->precision, decimal_negate(slow_decimal(a)));
        break;
    }
    column_set_present(result, 0);
}

static Column *slow_call(const Expr *expr, Column *result, const Batch *batch, uint32_t row) {
    Column *args[2];
    for (uint32_t i = 0; i < expr->arg_count; i++)
        args[i] = expr->args[i]->kind == EXPR_CALL ? slow_caught(expr->args[i], batch, row)
                                                   : slow(expr->args[i], batch, row);
    const Column *value = args[0];
    if (strcmp(expr->function->name, "COALESCE") == 0)
        return slow_null(value) ? args[1] : args[0];
    if (!slow_null(value)) {
        result->bytes[0] = utf8_trim(value->bytes[0]);
        column_set_present(result, 0);
    }
    return result;
}

static void slow_concat(Column *result, const Column *a, const Column *b) {
    if (slow_null(a) || slow_null(b))
        return;
    result->bytes[0] = bytes_of(arena_printf(
        build_arena, "%.*s%.*s", (int)a->bytes[0].size, (const char *)a->bytes[0].data,
        (int)b->bytes[0].size, (const char *)b->bytes[0].data));
    column_set_present(result, 0);
}

static Column *slow(const Expr *expr, const Batch *batch, uint32_t row) {
    Column *result = column_new(build_arena, expr->type, 1);
    uint16_t place = (uint16_t)row;
    switch (expr->kind) {
    case EXPR_LITERAL: return column_repeat(build_arena, expr->literal, 0, 1);
    case EXPR_COLUMN: return column_gather(build_arena, batch->columns[expr->column], &place, 1);
    case EXPR_AND:
    case EXPR_OR:
        slow_logic(result, expr, batch, row);
        slow_threw = slow_threw || slow_null(result);
        return result;
    case EXPR_CASE: return slow_case(expr, batch, row);
    case EXPR_CALL: return slow_call(expr, result, batch, row);
    case EXPR_IN: slow_boolean(result, slow_in(expr, batch, row)); return result;
    case EXPR_COMPARE: slow_comparison(result, expr, batch, row); return result;
    case EXPR_CAST: slow_cast(result, slow_caught(expr->args[0], batch, row)); return result;
    default: break;
    }
    const Column *a = slow(expr->args[0], batch, row);
    const Column *b = expr->arg_count > 1 ? slow(expr->args[1], batch, row) : NULL;
    switch (expr->kind) {
    case EXPR_ARITHMETIC: slow_arithmetic(result, expr->op, a, b); break;
    case EXPR_NEGATE: slow_negate(result, a); break;
    case EXPR_CONCAT: slow_concat(result, a, b); break;
    case EXPR_IS_NULL: slow_boolean(result, slow_null(a) != expr->negated); break;
    default:
        if (!slow_null(a))
            slow_boolean(result, !a->boolean[0]);
    }
    slow_threw = slow_threw || slow_null(result);
    return result;
}

/* == The comparison == */

static uint16_t random_selected[RANDOM_ROWS_MAX];

static uint32_t random_selection(uint32_t rows) {
    uint32_t count = 0, chance = random_below(5); /* 0: none, 4: all */
    for (uint32_t row = 0; row < rows; row++)
        if (random_below(4) < chance)
            random_selected[count++] = (uint16_t)row;
    return count;
}

static bool same_at(const Expr *expr, const Column *got, const Batch *whole, uint32_t row) {
    const Column *expected = slow_caught(expr, whole, row);
    assert_true(type_equal(expected->type, got->type));
    return column_value_equal(got, row, expected, 0);
}

/* Descends to the smallest tree that is wrong by itself, and says all about it. */
static void report(const Expr *expr, const Batch *whole, uint32_t row) {
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!same_at(expr->args[i], build_run(expr->args[i], whole), whole, row))
            report(expr->args[i], whole, row);
    ExprProgram *program;
    Buf buf = {0};
    Err err;
    assert_int_equal(expr_compile(&expr, 1, build_arena, &program, &err), ERR_OK);
    expr_disassemble(&buf, program);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        buf_printf(&buf, "argument %s ", type_text(build_arena, expr->args[i]->type));
        value_text_print(&buf, slow_caught(expr->args[i], whole, row), 0);
        buf_u8(&buf, '\n');
    }
    buf_printf(&buf, "as %s, expected ", type_text(build_arena, expr->type));
    value_text_print(&buf, slow_caught(expr, whole, row), 0);
    buf_text(&buf, ", alone ");
    value_text_print(&buf, build_run(expr, whole), row);
    fail_msg("row %u:\n%s", row, buf_cstr(&buf));
}

static void check_rows(const Expr *expr, const Column *got, const Column *const *clean,
                       const Batch *batch) {
    Batch whole = *batch;
    whole.columns = clean;
    for (uint32_t i = 0; i < batch->selected_count; i++)
        if (!same_at(expr, got, &whole, batch->selected[i]))
            report(expr, &whole, batch->selected[i]);
}

static void check_missing_is_zero(const Column *column, const Batch *batch) {
    uint32_t width = type_width(column->type);
    static const uint8_t zero[32];
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];
        if (column_is_null(column, row))
            assert_memory_equal((uint8_t *)column->data + (size_t)row * width, zero, width);
    }
}

static void check_round(uint64_t seed) {
    random_state = seed;
    uint32_t rows = 1 + random_below(RANDOM_ROWS_MAX - 1);
    const Column *clean[RANDOM_COLUMNS], *poisoned[RANDOM_COLUMNS];
    uint32_t selected = random_selection(rows);
    for (uint32_t i = 0; i < RANDOM_COLUMNS; i++) {
        Column *column = random_column(random_types[i], rows);
        clean[i] = column;
        Column *copy = column_gather(build_arena, column, batch_all_rows(rows), rows);
        for (uint32_t row = 0, next = 0; row < rows; row++) {
            if (next < selected && random_selected[next] == row)
                next++;
            else
                random_poison(copy, row);
        }
        poisoned[i] = copy;
    }
    BuildRun *made = build_batch(poisoned, RANDOM_COLUMNS, random_selected, selected);
    const Expr *exprs[3];
    for (uint32_t i = 0; i < 3; i++)
        exprs[i] = random_tree(random_types[random_below(RANDOM_COLUMNS)], RANDOM_DEPTH);
    ExprProgram *program;
    const Column *results[3];
    Err err;
    assert_int_equal(expr_compile(exprs, 3, build_arena, &program, &err), ERR_OK);
    for (uint32_t again = 0; again < 2; again++) {
        expr_run(program, &made->batch, results);
        for (uint32_t i = 0; i < 3; i++) {
            check_rows(exprs[i], results[i], clean, &made->batch);
            check_missing_is_zero(results[i], &made->batch);
        }
    }
    check_rows(exprs[0], build_run(exprs[0], &made->batch), clean, &made->batch);
}

static void test_random_programs(void **state) {
    (void)state;
    const char *count_text = getenv("N"), *seed_text = getenv("SEED");
    uint64_t count = count_text ? strtoull(count_text, NULL, 10) : 60;
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    for (uint64_t i = 0; i < count; i++) {
        build_arena = arena_new("test", 0);
        random_setup_types();
        check_round(seed + i);
        arena_free(build_arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
