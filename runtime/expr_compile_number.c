/*
 * expr_compile_number.c - arithmetic, comparison and conversion by the types of their operands.
 *
 * A DECIMAL of up to 18 (38) digits is an integer of 64 (128) bits: here operands are brought to
 * one scale and width whenever the digits of both have room there, and only then compared or added
 * as integers.
 */
#include "runtime/expr_compile_impl.h"

enum { DIGITS_64 = 18, DIGITS_128 = 38 };

/* == DECIMAL operands == */

static ExprI128 number_power(uint32_t exponent) {
    ExprI128 power = 1;
    assert(exponent <= DIGITS_128);
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static const Type *number_decimal(Compile *compile, uint32_t precision, uint32_t scale) {
    Type *type = arena_alloc(compile->arena, sizeof *type);
    *type = (Type){.kind = TYPE_DECIMAL, .precision = (uint16_t)precision,
                   .scale = (uint16_t)scale};
    return type;
}

static uint32_t number_scale_constant(Compile *compile, const Column *constant, uint32_t by,
                                      const Type *type) {
    Column *column = column_new(compile->arena, type, 1);
    if (!column_is_null(constant, 0)) {
        Decimal value = constant->type->kind == TYPE_DECIMAL
                            ? decimal_load(constant->data, constant->type->precision)
                            : decimal_from_i64(constant->i64[0]);
        bool fits = decimal_rescale_exact(value, 0, by, type->precision + 1U, &value);
        assert(fits && decimal_storable(value, type->precision)); /* ROUND may add a digit */
        (void)fits;
        decimal_store(column->data, type->precision, value);
        column_set_present(column, 0);
    }
    return compile_constant(compile, column);
}

/* The register times 10^by as `type`, which has room for it. Also of BIGINT. */
static uint32_t number_scale(Compile *compile, uint32_t reg, uint32_t by, const Type *type) {
    const Column *constant = compile_constant_of(compile, reg);
    if (constant)
        return number_scale_constant(compile, constant, by, type);
    ExprScale *scale = arena_alloc(compile->arena, sizeof *scale);
    scale->factor = number_power(by);
    ExprInst inst = {.op = type_width(type) == 8 ? EXPR_OP_SCALE_D64 : EXPR_OP_SCALE_D128,
                     .a = reg, .b = EXPR_NONE, .c = EXPR_NONE, .extra = scale};
    return compile_emit(compile, type, inst);
}

/* A decimal operand at `scale` in 8 (16) bytes: itself where it is that already. */
static uint32_t number_align(Compile *compile, uint32_t reg, uint32_t scale, bool wide) {
    const Type *type = compile_type(compile, reg);
    if (type->scale == scale && type_width(type) == (wide ? 16U : 8U))
        return reg;
    return number_scale(compile, reg, scale - type->scale,
                        number_decimal(compile, wide ? DIGITS_128 : DIGITS_64, scale));
}

/* Digits that hold both operands at the larger of their scales. */
static uint32_t number_common(const Type *a, const Type *b, uint32_t *scale) {
    uint32_t whole_a = (uint32_t)a->precision - a->scale;
    uint32_t whole_b = (uint32_t)b->precision - b->scale;
    *scale = a->scale > b->scale ? a->scale : b->scale;
    return (whole_a > whole_b ? whole_a : whole_b) + *scale;
}

static uint32_t number_sum(Compile *compile, ExprOp op, const Type *type, uint32_t a, uint32_t b) {
    bool add = op == OP_ADD;
    if (type->precision > DIGITS_128)
        return compile_binary(compile, add ? EXPR_OP_ADD_DECIMAL : EXPR_OP_SUB_DECIMAL, type, a,
                              b);
    bool wide = type->precision > DIGITS_64;
    uint32_t left = number_align(compile, a, type->scale, wide);
    uint32_t right = number_align(compile, b, type->scale, wide);
    if (wide)
        return compile_binary(compile, add ? EXPR_OP_ADD_I128 : EXPR_OP_SUB_I128, type, left,
                              right);
    return compile_binary(compile, add ? EXPR_OP_ADD_I64 : EXPR_OP_SUB_I64, type, left, right);
}

static uint32_t number_product(Compile *compile, const Type *type, uint32_t a, uint32_t b) {
    if (type->precision > DIGITS_128)
        return compile_binary(compile, EXPR_OP_MUL_DECIMAL, type, a, b);
    bool wide = type->precision > DIGITS_64;
    uint32_t left = number_align(compile, a, compile_type(compile, a)->scale, wide);
    uint32_t right = number_align(compile, b, compile_type(compile, b)->scale, wide);
    return compile_binary(compile, wide ? EXPR_OP_MUL_I128 : EXPR_OP_MUL_I64, type, left, right);
}

static uint32_t number_quotient(Compile *compile, const Type *type, uint32_t a, uint32_t b) {
    const Type *left = compile_type(compile, a), *right = compile_type(compile, b);
    assert(type->scale + right->scale >= left->scale);
    uint32_t by = (uint32_t)type->scale + right->scale - left->scale;
    if (left->precision + by > DIGITS_128 || right->precision > DIGITS_128 ||
        type->precision > DIGITS_128)
        return compile_binary(compile, EXPR_OP_DIV_DECIMAL, type, a, b);
    uint32_t dividend = number_scale(compile, a, by, number_decimal(compile, DIGITS_128,
                                                                    left->scale));
    uint32_t divisor = number_align(compile, b, right->scale, true);
    return compile_binary(compile, EXPR_OP_DIV_D128, type, dividend, divisor);
}

static uint32_t number_remainder(Compile *compile, const Type *type, uint32_t a, uint32_t b) {
    uint32_t scale;
    uint32_t digits = number_common(compile_type(compile, a), compile_type(compile, b), &scale);
    if (digits > DIGITS_128 || type->scale != scale)
        return compile_binary(compile, EXPR_OP_MOD_DECIMAL, type, a, b);
    uint32_t left = number_align(compile, a, scale, true);
    uint32_t right = number_align(compile, b, scale, true);
    return compile_binary(compile, EXPR_OP_MOD_D128, type, left, right);
}

static uint32_t number_decimals(Compile *compile, ExprOp op, const Type *type, uint32_t a,
                                uint32_t b) {
    switch (op) {
    case OP_MULTIPLY: return number_product(compile, type, a, b);
    case OP_DIVIDE: return number_quotient(compile, type, a, b);
    case OP_MODULUS: return number_remainder(compile, type, a, b);
    default: return number_sum(compile, op, type, a, b);
    }
}

/* == Arithmetic == */

static const ExprOpcode number_i32[] = {
    [OP_ADD] = EXPR_OP_ADD_I32,      [OP_SUBTRACT] = EXPR_OP_SUB_I32,
    [OP_MULTIPLY] = EXPR_OP_MUL_I32, [OP_DIVIDE] = EXPR_OP_DIV_I32,
    [OP_MODULUS] = EXPR_OP_MOD_I32,
};
static const ExprOpcode number_i64[] = {
    [OP_ADD] = EXPR_OP_ADD_I64,      [OP_SUBTRACT] = EXPR_OP_SUB_I64,
    [OP_MULTIPLY] = EXPR_OP_MUL_I64, [OP_DIVIDE] = EXPR_OP_DIV_I64,
    [OP_MODULUS] = EXPR_OP_MOD_I64,
};
static const ExprOpcode number_f64[] = {
    [OP_ADD] = EXPR_OP_ADD_F64,      [OP_SUBTRACT] = EXPR_OP_SUB_F64,
    [OP_MULTIPLY] = EXPR_OP_MUL_F64, [OP_DIVIDE] = EXPR_OP_DIV_F64,
    [OP_MODULUS] = EXPR_OP_MOD_F64,
};

uint32_t compile_arithmetic(Compile *compile, ExprOp op, const Type *type, uint32_t a,
                            uint32_t b) {
    assert(op >= OP_ADD && op <= OP_MODULUS);
    if (type->kind == TYPE_DECIMAL)
        return number_decimals(compile, op, type, a, b);
    bool commutes = op == OP_ADD || op == OP_MULTIPLY;
    if (commutes && compile_constant_of(compile, a)) {
        uint32_t constant = a;
        a = b;
        b = constant;
    }
    const ExprOpcode *codes = type->kind == TYPE_INT      ? number_i32
                              : type->kind == TYPE_BIGINT ? number_i64
                                                          : number_f64;
    assert(compile_type(compile, a)->kind == type->kind);
    return compile_binary(compile, codes[op], type, a, b);
}

uint32_t compile_negate(Compile *compile, const Type *type, uint32_t a) {
    uint32_t width = type_width(type);
    ExprOpcode op = width == 4    ? EXPR_OP_NEG_I32
                    : width == 8  ? EXPR_OP_NEG_I64
                    : width == 16 ? EXPR_OP_NEG_I128
                                  : EXPR_OP_NEG_DECIMAL;
    assert(type_is_number(type));
    return compile_unary(compile, type->kind == TYPE_DOUBLE ? EXPR_OP_NEG_F64 : op, type, a);
}

/* == Comparison == */

/* Opcodes of a family in the order = <> < <= > >=; EXPR_OP_COUNT: exchange the sides. */
static const ExprOpcode number_families[][6] = {
    {EXPR_OP_EQ_BOOLEAN, EXPR_OP_NE_BOOLEAN, EXPR_OP_COUNT, EXPR_OP_COUNT, EXPR_OP_COUNT,
     EXPR_OP_COUNT},
    {EXPR_OP_EQ_I32, EXPR_OP_NE_I32, EXPR_OP_LT_I32, EXPR_OP_LE_I32, EXPR_OP_GT_I32,
     EXPR_OP_GE_I32},
    {EXPR_OP_EQ_I64, EXPR_OP_NE_I64, EXPR_OP_LT_I64, EXPR_OP_LE_I64, EXPR_OP_GT_I64,
     EXPR_OP_GE_I64},
    {EXPR_OP_EQ_F64, EXPR_OP_NE_F64, EXPR_OP_LT_F64, EXPR_OP_LE_F64, EXPR_OP_GT_F64,
     EXPR_OP_GE_F64},
    {EXPR_OP_EQ_I128, EXPR_OP_NE_I128, EXPR_OP_LT_I128, EXPR_OP_LE_I128, EXPR_OP_GT_I128,
     EXPR_OP_GE_I128},
    {EXPR_OP_EQ_DECIMAL, EXPR_OP_NE_DECIMAL, EXPR_OP_LT_DECIMAL, EXPR_OP_LE_DECIMAL,
     EXPR_OP_COUNT, EXPR_OP_COUNT},
    {EXPR_OP_EQ_BYTES, EXPR_OP_NE_BYTES, EXPR_OP_LT_BYTES, EXPR_OP_LE_BYTES, EXPR_OP_COUNT,
     EXPR_OP_COUNT},
    {EXPR_OP_EQ_BYTES, EXPR_OP_NE_BYTES, EXPR_OP_LT_STRING, EXPR_OP_LE_STRING, EXPR_OP_COUNT,
     EXPR_OP_COUNT},
    {EXPR_OP_EQ_NESTED, EXPR_OP_NE_NESTED, EXPR_OP_COUNT, EXPR_OP_COUNT, EXPR_OP_COUNT,
     EXPR_OP_COUNT},
};

enum {
    FAMILY_BOOLEAN,
    FAMILY_I32,
    FAMILY_I64,
    FAMILY_F64,
    FAMILY_I128,
    FAMILY_DECIMAL,
    FAMILY_BYTES,
    FAMILY_STRING,
    FAMILY_NESTED,
};

static uint32_t number_family(TypeKind kind) {
    switch (kind) {
    case TYPE_BOOLEAN: return FAMILY_BOOLEAN;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: return FAMILY_I32;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: return FAMILY_I64;
    case TYPE_DOUBLE: return FAMILY_F64;
    case TYPE_STRING: return FAMILY_STRING;
    case TYPE_BYTES: return FAMILY_BYTES;
    case TYPE_DECIMAL: return FAMILY_DECIMAL;
    default: return FAMILY_NESTED;
    }
}

static ExprOp number_exchanged(ExprOp op) {
    switch (op) {
    case OP_LESS: return OP_GREATER;
    case OP_LESS_EQUAL: return OP_GREATER_EQUAL;
    case OP_GREATER: return OP_LESS;
    case OP_GREATER_EQUAL: return OP_LESS_EQUAL;
    default: return op;
    }
}

static uint32_t number_compare(Compile *compile, uint32_t family, ExprOp op, uint32_t a,
                               uint32_t b) {
    if (compile_constant_of(compile, a) && !compile_constant_of(compile, b)) {
        uint32_t constant = a;
        a = b;
        b = constant;
        op = number_exchanged(op);
    }
    ExprOpcode code = number_families[family][op - OP_EQUAL];
    if (code == EXPR_OP_COUNT) {
        code = number_families[family][number_exchanged(op) - OP_EQUAL];
        uint32_t left = a;
        a = b;
        b = left;
    }
    assert(code != EXPR_OP_COUNT);
    return compile_binary(compile, code, &type_boolean, a, b);
}

static uint32_t number_compare_decimals(Compile *compile, ExprOp op, uint32_t a, uint32_t b) {
    uint32_t scale;
    uint32_t digits = number_common(compile_type(compile, a), compile_type(compile, b), &scale);
    if (digits > DIGITS_128)
        return number_compare(compile, FAMILY_DECIMAL, op, a, b);
    bool wide = digits > DIGITS_64;
    uint32_t left = number_align(compile, a, scale, wide);
    uint32_t right = number_align(compile, b, scale, wide);
    return number_compare(compile, wide ? FAMILY_I128 : FAMILY_I64, op, left, right);
}

/* One side is NULL without a type. */
static uint32_t number_compare_null(Compile *compile, ExprOp op, uint32_t a, uint32_t b) {
    uint32_t other = compile_type(compile, a)->kind == TYPE_NULL ? b : a;
    if (op != OP_DISTINCT && op != OP_NOT_DISTINCT)
        return compile_boolean(compile, false);
    if (compile_type(compile, other)->kind == TYPE_NULL)
        return compile_boolean(compile, op == OP_NOT_DISTINCT);
    return compile_unary(compile, op == OP_DISTINCT ? EXPR_OP_IS_NOT_NULL : EXPR_OP_IS_NULL,
                         &type_boolean, other);
}

uint32_t compile_compare(Compile *compile, ExprOp op, uint32_t a, uint32_t b) {
    assert(op >= OP_EQUAL && op <= OP_NOT_DISTINCT);
    TypeKind kind = compile_type(compile, a)->kind;
    if (kind == TYPE_NULL || compile_type(compile, b)->kind == TYPE_NULL)
        return number_compare_null(compile, op, a, b);
    if (op == OP_DISTINCT || op == OP_NOT_DISTINCT) {
        uint32_t differ = compile_compare(compile, OP_NOT_EQUAL, a, b);
        ExprInst inst = {.op = op == OP_DISTINCT ? EXPR_OP_DISTINCT : EXPR_OP_NOT_DISTINCT,
                         .a = a, .b = b, .c = differ};
        return compile_emit(compile, &type_boolean, inst);
    }
    if (kind == TYPE_DECIMAL && compile_type(compile, b)->kind == TYPE_DECIMAL)
        return number_compare_decimals(compile, op, a, b);
    assert(kind == compile_type(compile, b)->kind);
    return number_compare(compile, number_family(kind), op, a, b);
}

/* == Conversion == */

/* EXPR_OP_CAST where no faster instruction does it. */
static ExprOpcode number_convert_op(TypeKind from, TypeKind to) {
    switch (from) {
    case TYPE_INT:
        return to == TYPE_BIGINT   ? EXPR_OP_I32_TO_I64
               : to == TYPE_DOUBLE ? EXPR_OP_I32_TO_F64
                                   : EXPR_OP_CAST;
    case TYPE_BIGINT:
        return to == TYPE_INT      ? EXPR_OP_I64_TO_I32
               : to == TYPE_DOUBLE ? EXPR_OP_I64_TO_F64
                                   : EXPR_OP_CAST;
    case TYPE_DOUBLE:
        return to == TYPE_INT      ? EXPR_OP_F64_TO_I32
               : to == TYPE_BIGINT ? EXPR_OP_F64_TO_I64
                                   : EXPR_OP_CAST;
    default: return EXPR_OP_CAST;
    }
}

/* To a DECIMAL that has room for every value, at no smaller scale. */
static bool number_only_scales(const Type *from, const Type *to) {
    if (to->kind != TYPE_DECIMAL || to->precision > DIGITS_128)
        return false;
    if (from->kind != TYPE_INT && from->kind != TYPE_BIGINT && from->kind != TYPE_DECIMAL)
        return false;
    uint32_t precision, scale;
    decimal_shape(from, &precision, &scale);
    return to->scale >= scale && to->precision - to->scale >= (int32_t)(precision - scale);
}

uint32_t compile_convert(Compile *compile, uint32_t reg, const Type *type) {
    const Type *from = compile_type(compile, reg);
    if (type_equal(from, type))
        return reg;
    if (from->kind == TYPE_NULL)
        return compile_constant(compile, column_new(compile->arena, type, 1));
    if (number_only_scales(from, type)) {
        uint32_t scale = from->kind == TYPE_DECIMAL ? from->scale : 0;
        if (from->kind == TYPE_INT)
            reg = compile_convert(compile, reg, &type_bigint);
        return number_scale(compile, reg, type->scale - scale, type);
    }
    return compile_unary(compile, number_convert_op(from->kind, type->kind), type, reg);
}
