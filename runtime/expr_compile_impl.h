/*
 * expr_compile_impl.h - the inside of the compiler: what its files share.
 *
 *   expr_compile.c          trees: selections, branches, common parts, constants
 *   expr_compile_lambda.c   lambdas become programs of their own
 *   expr_compile_number.c   arithmetic, comparison and conversion by type
 */
#ifndef RUNTIME_EXPR_COMPILE_IMPL_H
#define RUNTIME_EXPR_COMPILE_IMPL_H

#include "runtime/expr_impl.h"

enum { COMPILE_BUCKETS = 256 };

/* A tree that has a register already, for rows of `selection`. */
typedef struct CompileKnown {
    struct CompileKnown *next;
    const Expr *expr;
    uint64_t hash;
    uint32_t reg;
    uint32_t thrown; /* of a call: where it threw; EXPR_NONE: not noted */
    uint32_t selection;
} CompileKnown;

typedef struct Compile {
    ExprProgram *program;
    Arena *arena;
    bool fold;
    uint32_t selection; /* the present one */
    uint32_t thrown;    /* the register that notes rows that threw; EXPR_NONE: not needed */
    Err *err;           /* the first thing that went wrong; code OK: nothing */
    const char *text;   /* of the tree at hand */
    size_t reg_capacity, inst_capacity, selection_capacity;
    CompileKnown *known[COMPILE_BUCKETS];
} Compile;

/* The register that holds the tree's value under the present selection. */
uint32_t compile_expr(Compile *compile, const Expr *expr);

/* The same for an expression whose failures end here: it is NULL where it threw. */
uint32_t compile_caught(Compile *compile, const Expr *expr);
/* The register for rows that throw from here on, if any may; restore with compile->thrown = outer.
 * compile_throw_end() gives the register of the value that is missing where they did. */
void compile_throw_begin(Compile *compile, bool needed);
uint32_t compile_throw_end(Compile *compile, uint32_t reg, uint32_t outer);

/* Lambdas (expr_compile_lambda.c): a call's programs, and registers of what they capture. */
const ExprLambda *compile_lambdas(Compile *compile, const Expr *call, uint32_t **list,
                                  uint32_t *list_count);

uint32_t compile_emit(Compile *compile, const Type *type, ExprInst inst);
uint32_t compile_unary(Compile *compile, ExprOpcode op, const Type *type, uint32_t a);
uint32_t compile_binary(Compile *compile, ExprOpcode op, const Type *type, uint32_t a, uint32_t b);
uint32_t compile_constant(Compile *compile, const Column *value); /* of length 1 */
uint32_t compile_boolean(Compile *compile, bool value);
const Type *compile_type(const Compile *compile, uint32_t reg);
const Column *compile_constant_of(const Compile *compile, uint32_t reg); /* NULL: none */

/* By type of the operands (expr_compile_number.c). */
uint32_t compile_arithmetic(Compile *compile, ExprOp op, const Type *type, uint32_t a, uint32_t b);
uint32_t compile_negate(Compile *compile, const Type *type, uint32_t a);
uint32_t compile_compare(Compile *compile, ExprOp op, uint32_t a, uint32_t b);
/* Operands of two types: both as a time, as DOUBLE, or their order and 0. */
void compile_unify(Compile *compile, uint32_t a, uint32_t b, uint32_t *left, uint32_t *right);
uint32_t compile_convert(Compile *compile, uint32_t reg, const Type *type);

/* Constant operands made ready. */
typedef struct ExprSet ExprSet;
typedef struct ExprLike ExprLike;
const ExprSet *expr_in_build(const Column *const *items, uint32_t count, Arena *arena);
/* NULL: the pattern ends with the escape character. */
const ExprLike *expr_like_build(Bytes pattern, char escape, Arena *arena);

#endif
