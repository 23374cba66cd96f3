/*
 * expr_compile_impl.h - the inside of the compiler: what its files share.
 *
 *   expr_compile.c          trees: selections, branches, common parts, constants
 *   expr_compile_number.c   arithmetic, comparison and conversion by type
 *   expr_compile_lambda.c   lambdas become programs of their own
 *   expr_compile_fail.c     where operators fail, and what fails with them (plan.h)
 */
#ifndef RUNTIME_EXPR_COMPILE_IMPL_H
#define RUNTIME_EXPR_COMPILE_IMPL_H

#include "runtime/expr_impl.h"

enum { COMPILE_BUCKETS = 256 };

/* A tree that has a register already, for rows of `selection`. */
typedef struct CompileKnown {
    struct CompileKnown *next;
    uint32_t let; /* the tree has locals and means this only inside of this LET; 0: anywhere */
    const Expr *expr;
    uint64_t hash;
    uint32_t reg;
    uint32_t selection;
    const struct CompileFail *fail; /* NULL: was not asked for */
} CompileKnown;

/* Where a tree fails: its value is NULL there. */
typedef struct CompileFail {
    enum { FAIL_NOWHERE, FAIL_WHERE_NULL, FAIL_WHERE_TRUE } where;
    uint32_t reg; /* FAIL_WHERE_TRUE: of this BOOLEAN register, which is never missing */
} CompileFail;

/* What a local is, inside the body of its LET. */
typedef struct CompileLocal CompileLocal;
struct CompileLocal {
    uint32_t number;
    uint32_t reg;
    const CompileLocal *up;
};

typedef struct Compile {
    Err *err; /* the first thing that went wrong; code OK: nothing */
    ExprProgram *program;
    Arena *arena;
    bool fold;
    uint32_t selection; /* the present one */
    const char *text;   /* of the tree at hand */
    const CompileLocal *local; /* the innermost */
    uint32_t let, let_count;   /* the LET whose body this is, 0: none; LETs so far */
    size_t reg_capacity, inst_capacity, selection_capacity;
    CompileKnown *known[COMPILE_BUCKETS];
} Compile;

/* The register that holds the tree's value under the present selection. */
uint32_t compile_expr(Compile *compile, const Expr *expr);

/* The same for an operand of an operator that is not NULL where the operand is: says where the
 * operand fails. `fail` NULL: not asked. */
uint32_t compile_open(Compile *compile, const Expr *expr, CompileFail *fail);

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
uint32_t compile_convert(Compile *compile, uint32_t reg, const Type *type);

/* Where trees of this kind fail unless something else is known: at their NULLs, or nowhere. */
CompileFail compile_fail_of(const Expr *expr);
/* Rows where a tree with value `reg` fails, as a BOOLEAN register; EXPR_NONE: nowhere. */
uint32_t compile_failed(Compile *compile, uint32_t reg, CompileFail fail);
uint32_t compile_either(Compile *compile, uint32_t left, uint32_t right); /* EXPR_NONE: none */
CompileFail compile_fail_at(uint32_t failed); /* EXPR_NONE: nowhere */
/* `truth` made NULL where the operand fails; `only`: where this register is there; EXPR_NONE. */
uint32_t compile_guard(Compile *compile, uint32_t truth, uint32_t operand, CompileFail fail,
                       uint32_t only);
/* The kinds of trees that fail in ways of their own. */
uint32_t compile_compare_tree(Compile *compile, const Expr *expr, CompileFail *fail);
uint32_t compile_is_null(Compile *compile, const Expr *expr, CompileFail *fail);
uint32_t compile_subscript(Compile *compile, const Expr *expr, CompileFail *fail);
uint32_t compile_call(Compile *compile, const Expr *expr, CompileFail *fail);

/* A call's lambdas; registers of what they capture join its list (expr_compile_lambda.c). */
const ExprLambda *compile_lambdas(Compile *compile, const Expr *call, uint32_t **list,
                                  uint32_t *list_count);

uint32_t compile_narrow(Compile *compile, ExprOpcode op, uint32_t truth);
uint32_t compile_borrowed(Compile *compile, const Type *type); /* a register without memory */

/* Constant operands made ready. */
typedef struct ExprSet ExprSet;
typedef struct ExprLike ExprLike;
const ExprSet *expr_in_build(const Column *const *items, uint32_t count, Arena *arena);
/* Ends in an escape that has nothing to escape: such a pattern fails for each row. */
bool expr_like_is_open(Bytes pattern, char escape);
const ExprLike *expr_like_build(Bytes pattern, char escape, Arena *arena);

#endif
