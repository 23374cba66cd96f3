/*
 * expr_compile.c - expression trees to instructions.
 *
 * Every tree is compiled under a selection. A tree that was compiled before under the same or a
 * wider selection is not compiled again; constant trees are run at once and become constants,
 * unless they fail: then they fail anew for each row, as ksqlDB has it.
 */
#include "base/limits.h"
#include "runtime/expr_compile_impl.h"

/* == Registers and instructions == */

static uint32_t compile_reg(Compile *compile, const Type *type) {
    ExprProgram *program = compile->program;
    program->regs = arena_grow(compile->arena, program->regs, &compile->reg_capacity,
                               (size_t)program->reg_count + 1, sizeof *program->regs);
    program->regs[program->reg_count] = (ExprReg){.type = type, .buffer = EXPR_NONE};
    return program->reg_count++;
}

static void compile_append(Compile *compile, ExprInst inst) {
    ExprProgram *program = compile->program;
    program->insts = arena_grow(compile->arena, program->insts, &compile->inst_capacity,
                                (size_t)program->inst_count + 1, sizeof *program->insts);
    inst.selection = compile->selection;
    inst.text = compile->text;
    program->insts[program->inst_count++] = inst;
}

uint32_t compile_emit(Compile *compile, const Type *type, ExprInst inst) {
    inst.target = compile_reg(compile, type);
    compile_append(compile, inst);
    return inst.target;
}

static uint32_t compile_narrow(Compile *compile, ExprOpcode op, uint32_t truth) {
    ExprProgram *program = compile->program;
    assert(expr_op_narrows(op));
    program->selections =
        arena_grow(compile->arena, program->selections, &compile->selection_capacity,
                   (size_t)program->selection_count + 1, sizeof *program->selections);
    program->selections[program->selection_count] = (ExprSelection){.parent = compile->selection};
    compile_append(compile, (ExprInst){.op = op, .target = program->selection_count, .a = truth,
                                       .b = EXPR_NONE, .c = EXPR_NONE});
    return program->selection_count++;
}

uint32_t compile_unary(Compile *compile, ExprOpcode op, const Type *type, uint32_t a) {
    return compile_emit(compile, type, (ExprInst){.op = op, .a = a, .b = EXPR_NONE,
                                                  .c = EXPR_NONE});
}

uint32_t compile_binary(Compile *compile, ExprOpcode op, const Type *type, uint32_t a,
                        uint32_t b) {
    return compile_emit(compile, type, (ExprInst){.op = op, .a = a, .b = b, .c = EXPR_NONE});
}

uint32_t compile_constant(Compile *compile, const Column *value) {
    assert(value->length == 1);
    uint32_t reg = compile_reg(compile, value->type);
    compile->program->regs[reg].constant = value;
    return reg;
}

uint32_t compile_boolean(Compile *compile, bool value) {
    Column *column = column_new(compile->arena, &type_boolean, 1);
    column->boolean[0] = value;
    column_set_present(column, 0);
    return compile_constant(compile, column);
}

const Column *compile_constant_of(const Compile *compile, uint32_t reg) {
    assert(reg < compile->program->reg_count);
    return compile->program->regs[reg].constant;
}

const Type *compile_type(const Compile *compile, uint32_t reg) {
    assert(reg < compile->program->reg_count);
    return compile->program->regs[reg].type;
}

/* == Common parts == */

/* Whether rows of `inner` are all rows of `outer` as well. */
static bool compile_within(const Compile *compile, uint32_t inner, uint32_t outer) {
    while (inner != outer && inner != EXPR_NONE)
        inner = compile->program->selections[inner].parent;
    return inner == outer;
}

/* `noted`: only where it is known for which rows it threw. */
static const CompileKnown *compile_known(const Compile *compile, const Expr *expr, uint64_t hash,
                                         bool noted) {
    for (const CompileKnown *known = compile->known[hash % COMPILE_BUCKETS]; known;
         known = known->next) {
        if (known->hash == hash && (!noted || known->thrown != EXPR_NONE) &&
            compile_within(compile, compile->selection, known->selection) &&
            expr_tree_equal(known->expr, expr))
            return known;
    }
    return NULL;
}

static void compile_remember(Compile *compile, CompileKnown known) {
    CompileKnown *kept = arena_alloc(compile->arena, sizeof *kept);
    CompileKnown **bucket = &compile->known[known.hash % COMPILE_BUCKETS];
    *kept = known;
    kept->selection = compile->selection;
    kept->next = *bucket;
    *bucket = kept;
}

/* == Throwing == */

/* Rows of the present selection where `reg` is missing (or TRUE: THROWN_TOO) threw. */
static void compile_thrown(Compile *compile, ExprOpcode op, uint32_t reg) {
    if (compile->thrown == EXPR_NONE)
        return;
    compile_append(compile, (ExprInst){.op = op, .target = compile->thrown, .a = reg,
                                       .b = EXPR_NONE, .c = EXPR_NONE});
}

/* What is computed next is asked for only where `reg` is present; restore compile->selection. */
static void compile_where_present(Compile *compile, uint32_t reg) {
    uint32_t present = compile_unary(compile, EXPR_OP_IS_NOT_NULL, &type_boolean, reg);
    compile->selection = compile_narrow(compile, EXPR_OP_NARROW_TRUE, present);
}

static bool compile_notes(const Compile *compile, const Expr *expr) {
    return compile->thrown != EXPR_NONE && expr_tree_can_throw(expr);
}

void compile_throw_begin(Compile *compile, bool needed) {
    compile->thrown = EXPR_NONE;
    if (needed)
        compile->thrown = compile_unary(compile, EXPR_OP_NOT_THROWN, &type_boolean, EXPR_NONE);
}

uint32_t compile_throw_end(Compile *compile, uint32_t reg, uint32_t outer) {
    if (compile->thrown != EXPR_NONE)
        reg = compile_binary(compile, EXPR_OP_UNLESS_THROWN, compile_type(compile, reg), reg,
                             compile->thrown);
    compile->thrown = outer;
    return reg;
}

/* == Kinds of trees == */

/* The value of a constant tree; NULL: not constant, or it fails. */
static const Column *compile_fold(Compile *compile, const Expr *expr) {
    char reason[ROW_ERROR_TEXT_SIZE];
    if (expr->kind == EXPR_LITERAL)
        return expr->literal;
    if (!compile->fold || !expr_tree_is_constant(expr))
        return NULL;
    return expr_constant_value(expr, false, compile->arena, NULL, reason);
}

static uint32_t compile_column(Compile *compile, const Expr *expr) {
    bool pseudo = expr->kind == EXPR_PSEUDO;
    ExprInst inst = {.op = pseudo ? EXPR_OP_PSEUDO : EXPR_OP_COLUMN,
                     .index = pseudo ? (uint32_t)expr->pseudo : expr->column,
                     .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE};
    uint32_t reg = compile_emit(compile, expr->type, inst);
    compile->program->regs[reg].borrowed = true;
    return reg;
}

static uint32_t compile_not(Compile *compile, const Expr *expr) {
    return compile_unary(compile, EXPR_OP_NOT, &type_boolean,
                         compile_expr(compile, expr->args[0]));
}

/* Left to right. The right side is computed where the left one does not decide, or everywhere
 * where that costs less than finding out. */
static uint32_t compile_logic(Compile *compile, const Expr *expr, bool conjunction) {
    uint32_t outer = compile->selection;
    uint32_t reg = compile_expr(compile, expr->args[0]);
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        if (compile_notes(compile, expr->args[i]) || !expr_tree_is_cheap(expr->args[i]))
            compile->selection = compile_narrow(
                compile, conjunction ? EXPR_OP_NARROW_TRUE : EXPR_OP_NARROW_FALSE, reg);
        uint32_t right = compile_expr(compile, expr->args[i]);
        compile->selection = outer;
        reg = compile_binary(compile, conjunction ? EXPR_OP_AND : EXPR_OP_OR, &type_boolean, reg,
                             right);
    }
    return reg;
}

/* A nested value is picked at the end from the registers of all branches; others are moved into
 * the target branch by branch. */
typedef struct CompileBranches {
    uint32_t target; /* EXPR_NONE: picks */
    uint32_t *list;
    uint32_t count;
} CompileBranches;

static void compile_branch(Compile *compile, CompileBranches *branches, const Expr *value) {
    if (value->kind == EXPR_LITERAL && column_is_null(value->literal, 0))
        return;
    uint32_t reg = compile_expr(compile, value);
    if (branches->target == EXPR_NONE) {
        branches->list[branches->count++] = reg;
        branches->list[branches->count++] = compile->selection;
        return;
    }
    compile_append(compile, (ExprInst){.op = EXPR_OP_MOVE, .target = branches->target, .a = reg,
                                       .b = EXPR_NONE, .c = EXPR_NONE});
}

static uint32_t compile_case(Compile *compile, const Expr *expr) {
    assert(expr->arg_count % 2 == 1);
    uint32_t outer = compile->selection;
    CompileBranches branches = {.target = EXPR_NONE};
    branches.list = arena_array(compile->arena, (size_t)expr->arg_count + 1, sizeof(uint32_t));
    if (!type_is_nested(expr->type))
        branches.target = compile_unary(compile, EXPR_OP_BLANK, expr->type, EXPR_NONE);
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        uint32_t condition = compile_expr(compile, expr->args[i]);
        if (expr_tree_is_nullable(expr->args[i]))
            compile_thrown(compile, EXPR_OP_THROWN, condition);
        uint32_t rest = compile_narrow(compile, EXPR_OP_NARROW_NOT_TRUE, condition);
        compile->selection = compile_narrow(compile, EXPR_OP_NARROW_TRUE, condition);
        compile_branch(compile, &branches, expr->args[i + 1]);
        compile->selection = rest;
    }
    compile_branch(compile, &branches, expr->args[expr->arg_count - 1]);
    compile->selection = outer;
    if (branches.target != EXPR_NONE)
        return branches.target;
    ExprInst pick = {.op = EXPR_OP_PICK, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE,
                     .list = branches.list, .list_count = branches.count};
    return compile_emit(compile, expr->type, pick);
}

static uint32_t compile_cast(Compile *compile, const Expr *expr) {
    uint32_t reg = expr->implicit ? compile_expr(compile, expr->args[0])
                                  : compile_caught(compile, expr->args[0]);
    return compile_convert(compile, reg, expr->type);
}

static uint32_t compile_is_null(Compile *compile, const Expr *expr) {
    ExprOpcode op = expr->negated ? EXPR_OP_IS_NOT_NULL : EXPR_OP_IS_NULL;
    return compile_unary(compile, op, &type_boolean, compile_expr(compile, expr->args[0]));
}

static uint32_t compile_subscript(Compile *compile, const Expr *expr) {
    uint32_t outer = compile->selection;
    uint32_t value = compile_expr(compile, expr->args[0]);
    bool array = compile_type(compile, value)->kind == TYPE_ARRAY;
    if (compile_notes(compile, expr))
        compile_where_present(compile, value);
    uint32_t index = compile_expr(compile, expr->args[1]);
    if (array)
        compile_thrown(compile, EXPR_OP_THROWN, index);
    compile->selection = outer;
    if (array && compile_type(compile, index)->kind == TYPE_BIGINT)
        index = compile_convert(compile, index, &type_int);
    return compile_binary(compile, array ? EXPR_OP_SUBSCRIPT_ARRAY : EXPR_OP_SUBSCRIPT_MAP,
                          expr->type, value, index);
}

static uint32_t compile_deref(Compile *compile, const Expr *expr) {
    ExprInst inst = {.op = EXPR_OP_DEREF, .index = expr->column, .b = EXPR_NONE, .c = EXPR_NONE};
    inst.a = compile_expr(compile, expr->args[0]);
    assert(compile_type(compile, inst.a)->kind == TYPE_STRUCT);
    uint32_t reg = compile_emit(compile, expr->type, inst);
    compile->program->regs[reg].borrowed = true;
    return reg;
}

/* A constructor: each item catches what it throws. */
static uint32_t compile_make(Compile *compile, const Expr *expr, ExprOpcode op) {
    ExprInst inst = {.op = op, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE};
    uint32_t *list = arena_array(compile->arena, expr->arg_count, sizeof *list);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        list[i] = compile_caught(compile, expr->args[i]);
        compile->program->regs[list[i]].escapes |= op == EXPR_OP_MAKE_STRUCT;
    }
    inst.list = list;
    inst.list_count = expr->arg_count;
    return compile_emit(compile, expr->type, inst);
}

static uint32_t compile_arg(Compile *compile, const Expr *arg) {
    return expr_tree_is_caught(arg) ? compile_caught(compile, arg) : compile_expr(compile, arg);
}

/* Registers of the arguments; EXPR_NONE for lambdas. */
static uint32_t *compile_args(Compile *compile, const Expr *expr) {
    uint32_t *list = arena_array(compile->arena, expr->arg_count, sizeof *list);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        list[i] = EXPR_NONE;
        if (expr->args[i]->kind == EXPR_LAMBDA)
            continue;
        list[i] = compile_arg(compile, expr->args[i]);
        compile->program->regs[list[i]].escapes |= type_is_nested(expr->type);
    }
    return list;
}

static void *compile_prepare(Compile *compile, const Expr *expr, const uint32_t *list) {
    const Column **constants = arena_array(compile->arena, expr->arg_count, sizeof *constants);
    if (!expr->function->prepare)
        return NULL;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        constants[i] = compile_constant_of(compile, list[i]);
    return expr->function->prepare(constants, expr->arg_count, compile->arena);
}

/* *thrown: the register that notes where it threw, if somebody wants to know. */
static uint32_t compile_call(Compile *compile, const Expr *expr, uint32_t *thrown) {
    const Function *function = expr->function;
    *thrown = EXPR_NONE;
    if (function->flags & FUNCTION_IDENTITY)
        return compile_arg(compile, expr->args[0]);
    uint32_t outer = compile->thrown;
    bool hides = expr_tree_hides_throw(expr);
    compile_throw_begin(compile, hides || outer != EXPR_NONE);
    ExprInst inst = {.op = EXPR_OP_CALL, .a = EXPR_NONE, .b = EXPR_NONE, .c = compile->thrown,
                     .index = expr->arg_count, .list_count = expr->arg_count};
    uint32_t *list = compile_args(compile, expr);
    ExprCall *call = arena_alloc(compile->arena, sizeof *call);
    call->function = function;
    if (function->flags & FUNCTION_TAKES_LAMBDAS)
        call->lambdas = compile_lambdas(compile, expr, &list, &inst.list_count);
    else
        call->state = compile_prepare(compile, expr, list);
    inst.list = list;
    inst.extra = call;
    uint32_t reg = compile_emit(compile, expr->type, inst);
    *thrown = compile->thrown;
    if (hides)
        return compile_throw_end(compile, reg, outer);
    compile->thrown = outer;
    return reg;
}

/* Equality as IN has it: that of column_value_same(), where = is another for DOUBLE. */
static uint32_t compile_same(Compile *compile, uint32_t value, uint32_t item) {
    if (compile_type(compile, value)->kind == TYPE_DOUBLE &&
        compile_type(compile, item)->kind == TYPE_DOUBLE)
        return compile_binary(compile, EXPR_OP_EQ_NESTED, &type_boolean, value, item);
    return compile_compare(compile, OP_EQUAL, value, item);
}

/* Constants of the list are one set; the others are compared one by one. NULL items count for
 * nothing. */
static uint32_t compile_in(Compile *compile, const Expr *expr) {
    uint32_t value = compile_expr(compile, expr->args[0]);
    const Column **constants = arena_array(compile->arena, expr->arg_count, sizeof *constants);
    uint32_t constant_count = 0, result = EXPR_NONE;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const Column *constant =
            compile_notes(compile, expr->args[i]) ? NULL : compile_fold(compile, expr->args[i]);
        if (constant && (constant->type->kind == TYPE_NULL || column_is_null(constant, 0)))
            continue;
        if (constant) {
            constants[constant_count++] = constant;
            continue;
        }
        uint32_t item = compile_expr(compile, expr->args[i]);
        uint32_t equal = compile_same(compile, value, item);
        result = result == EXPR_NONE ? equal
                                     : compile_binary(compile, EXPR_OP_OR, &type_boolean, result,
                                                      equal);
    }
    uint32_t found = EXPR_NONE;
    if (constant_count == 1) {
        found = compile_same(compile, value, compile_constant(compile, constants[0]));
    } else if (constant_count > 1) {
        found = compile_emit(compile, &type_boolean,
                             (ExprInst){.op = EXPR_OP_IN_SET, .a = value, .b = EXPR_NONE,
                                        .c = EXPR_NONE,
                                        .extra = expr_in_build(constants, constant_count,
                                                               compile->arena)});
    }
    if (found == EXPR_NONE || result == EXPR_NONE)
        return found != EXPR_NONE    ? found
               : result != EXPR_NONE ? result
                                     : compile_boolean(compile, false);
    return compile_binary(compile, EXPR_OP_OR, &type_boolean, found, result);
}

static uint32_t compile_like(Compile *compile, const Expr *expr) {
    uint32_t value = compile_expr(compile, expr->args[0]);
    uint32_t pattern = compile_expr(compile, expr->args[1]);
    const Column *constant = compile_constant_of(compile, pattern);
    ExprInst inst = {.op = EXPR_OP_LIKE, .a = value, .b = EXPR_NONE, .c = EXPR_NONE,
                     .index = (uint8_t)expr->escape};
    if (constant && !column_is_null(constant, 0))
        inst.extra = expr_like_build(constant->bytes[0], expr->escape, compile->arena);
    if (!inst.extra) {
        inst.op = EXPR_OP_LIKE_DYNAMIC;
        inst.b = pattern;
    }
    return compile_emit(compile, &type_boolean, inst);
}

static uint32_t compile_pair(Compile *compile, const Expr *expr) {
    uint32_t a = compile_expr(compile, expr->args[0]);
    uint32_t b = compile_expr(compile, expr->args[1]);
    return expr->kind == EXPR_ARITHMETIC
               ? compile_arithmetic(compile, expr->op, expr->type, a, b)
               : compile_binary(compile, EXPR_OP_CONCAT, expr->type, a, b);
}

/* Operands of two types, brought to one (or to their order and 0) where both are there; what fails
 * has thrown. */
static uint32_t compile_mixed(Compile *compile, const Expr *expr, uint32_t a, uint32_t b) {
    uint32_t outer = compile->selection;
    compile_where_present(compile, a);
    compile_where_present(compile, b);
    uint32_t left, right;
    compile_unify(compile, a, b, &left, &right);
    if (!compile_constant_of(compile, left))
        compile_thrown(compile, EXPR_OP_THROWN, left);
    if (!compile_constant_of(compile, right))
        compile_thrown(compile, EXPR_OP_THROWN, right);
    compile->selection = outer;
    if (expr->op < OP_DISTINCT)
        return compile_compare(compile, expr->op, left, right);
    ExprInst inst = {.op = expr->op == OP_DISTINCT ? EXPR_OP_DISTINCT : EXPR_OP_NOT_DISTINCT,
                     .a = a, .b = b, .c = compile_compare(compile, OP_NOT_EQUAL, left, right)};
    return compile_emit(compile, &type_boolean, inst);
}

static uint32_t compile_comparison(Compile *compile, const Expr *expr) {
    uint32_t outer = compile->selection;
    uint32_t a = compile_expr(compile, expr->args[0]);
    if (expr->op < OP_DISTINCT && compile_notes(compile, expr->args[1]))
        compile_where_present(compile, a);
    uint32_t b = compile_expr(compile, expr->args[1]);
    compile->selection = outer;
    return expr_tree_converts(expr) ? compile_mixed(compile, expr, a, b)
                                    : compile_compare(compile, expr->op, a, b);
}

static uint32_t compile_kind(Compile *compile, const Expr *expr) {
    switch (expr->kind) {
    case EXPR_LITERAL: break; /* was folded */
    case EXPR_COLUMN:
    case EXPR_PSEUDO: break;
    case EXPR_LAMBDA: /* compile_lambdas() */
    case EXPR_PARAM: break; /* became a column */
    case EXPR_CALL: break; /* compile_new_value() */
    case EXPR_CAST: return compile_cast(compile, expr);
    case EXPR_CASE: return compile_case(compile, expr);
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT: return compile_pair(compile, expr);
    case EXPR_COMPARE: return compile_comparison(compile, expr);
    case EXPR_NEGATE:
        return compile_negate(compile, expr->type, compile_expr(compile, expr->args[0]));
    case EXPR_AND: return compile_logic(compile, expr, true);
    case EXPR_OR: return compile_logic(compile, expr, false);
    case EXPR_NOT: return compile_not(compile, expr);
    case EXPR_IN: return compile_in(compile, expr);
    case EXPR_LIKE: return compile_like(compile, expr);
    case EXPR_IS_NULL: return compile_is_null(compile, expr);
    case EXPR_SUBSCRIPT: return compile_subscript(compile, expr);
    case EXPR_DEREF: return compile_deref(compile, expr);
    case EXPR_ARRAY: return compile_make(compile, expr, EXPR_OP_MAKE_ARRAY);
    case EXPR_MAP: return compile_make(compile, expr, EXPR_OP_MAKE_MAP);
    case EXPR_STRUCT: return compile_make(compile, expr, EXPR_OP_MAKE_STRUCT);
    }
    assert(expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO);
    return compile_column(compile, expr);
}

/* Kinds that throw where an operand is missing, and are then missing themselves. */
static bool compile_is_thrower(ExprKind kind) {
    return kind == EXPR_ARITHMETIC || kind == EXPR_NEGATE || kind == EXPR_CONCAT ||
           kind == EXPR_LIKE || kind == EXPR_AND || kind == EXPR_OR || kind == EXPR_NOT;
}

static uint32_t compile_new_value(Compile *compile, const Expr *expr, uint64_t hash) {
    const char *outer = compile->text;
    CompileKnown known = {.expr = expr, .hash = hash, .thrown = EXPR_NONE};
    compile->text = expr->text;
    known.reg = expr->kind == EXPR_CALL ? compile_call(compile, expr, &known.thrown)
                                        : compile_kind(compile, expr);
    if (expr->kind == EXPR_CALL && known.thrown != EXPR_NONE)
        compile_thrown(compile, EXPR_OP_THROWN_TOO, known.thrown);
    compile->text = outer;
    if (expr_tree_is_pure(expr))
        compile_remember(compile, known);
    return known.reg;
}

/* What may throw here is neither folded nor taken from elsewhere, unless what is there says for
 * which rows it threw. */
uint32_t compile_expr(Compile *compile, const Expr *expr) {
    assert(expr && expr->type);
    bool throws = compile_notes(compile, expr);
    bool marks = throws && compile_is_thrower(expr->kind);
    bool noted = throws && expr->kind == EXPR_CALL;
    const Column *constant = throws ? NULL : compile_fold(compile, expr);
    if (constant)
        return compile_constant(compile, constant);
    uint64_t hash = expr_tree_hash(expr);
    const CompileKnown *known = NULL;
    if (!throws || noted || (marks && !expr_tree_hides_throw(expr)))
        known = compile_known(compile, expr, hash, noted);
    if (known && noted)
        compile_thrown(compile, EXPR_OP_THROWN_TOO, known->thrown);
    uint32_t reg = known ? known->reg : compile_new_value(compile, expr, hash);
    if (marks)
        compile_thrown(compile, EXPR_OP_THROWN, reg);
    return reg;
}

uint32_t compile_caught(Compile *compile, const Expr *expr) {
    uint32_t outer = compile->thrown;
    compile_throw_begin(compile, expr_tree_hides_throw(expr));
    return compile_throw_end(compile, compile_expr(compile, expr), outer);
}

/* == Whole programs == */

static Compile *compile_new(bool fold, Arena *arena, uint32_t result_count, Err *err) {
    Compile *compile = arena_alloc(arena, sizeof *compile);
    ExprProgram *made = arena_alloc(arena, sizeof *made);
    err->code = ERR_OK;
    *compile = (Compile){.program = made, .arena = arena, .fold = fold, .thrown = EXPR_NONE,
                         .err = err};
    made->arena = arena;
    made->selections = arena_grow(arena, NULL, &compile->selection_capacity, 1,
                                  sizeof *made->selections);
    made->selections[0].parent = EXPR_NONE;
    made->selection_count = 1;
    made->results = arena_array(arena, result_count, sizeof *made->results);
    made->result_count = result_count;
    return compile;
}

static ErrCode compile_finish(Compile *compile, ExprProgram **program) {
    ExprProgram *made = compile->program;
    if (compile->err->code != ERR_OK)
        return compile->err->code;
    if (made->reg_count > EXPR_REGISTERS_MAX)
        return err_set(compile->err, ERR_LIMIT,
                       "The expressions need %u registers, over the limit of %d.",
                       made->reg_count, EXPR_REGISTERS_MAX);
    expr_storage_assign(made);
    made->columns = arena_array(made->arena, made->reg_count, sizeof *made->columns);
    *program = made;
    return ERR_OK;
}

ErrCode expr_compile_program(const Expr *const *exprs, uint32_t count, bool fold, Arena *arena,
                             ExprProgram **program, Err *err) {
    assert(exprs && program);
    Compile *compile = compile_new(fold, arena, count, err);
    for (uint32_t i = 0; i < count; i++)
        compile->program->results[i] = compile_caught(compile, exprs[i]);
    return compile_finish(compile, program);
}

ErrCode expr_compile_lambda(const Expr *body, bool fold, Arena *arena, ExprLambda *lambda,
                            Err *err) {
    assert(body && lambda);
    Compile *compile = compile_new(fold, arena, 2, err);
    ExprProgram *made = compile->program;
    lambda->throws = expr_tree_can_throw(body);
    compile_throw_begin(compile, lambda->throws);
    made->results[0] = compile_expr(compile, body);
    made->results[1] = compile->thrown;
    made->result_count = lambda->throws ? 2 : 1;
    return compile_finish(compile, &lambda->program);
}

ErrCode expr_compile(const Expr *const *exprs, uint32_t count, Arena *arena, ExprProgram **program,
                     Err *err) {
    return expr_compile_program(exprs, count, true, arena, program, err);
}
