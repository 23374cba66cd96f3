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

uint32_t compile_narrow(Compile *compile, ExprOpcode op, uint32_t truth) {
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

/* The LET that the meaning of the tree hangs on. */
static uint32_t compile_let_of(const Compile *compile, const Expr *expr) {
    return compile->let != 0 && expr_tree_has_local(expr) ? compile->let : 0;
}

static uint32_t compile_known(const Compile *compile, const Expr *expr, uint64_t hash,
                              CompileFail *fail) {
    uint32_t let = compile_let_of(compile, expr);
    for (const CompileKnown *known = compile->known[hash % COMPILE_BUCKETS]; known;
         known = known->next) {
        if (known->hash == hash && known->let == let &&
            compile_within(compile, compile->selection, known->selection) &&
            (!fail || known->fail) && expr_tree_equal(known->expr, expr)) {
            if (fail)
                *fail = *known->fail;
            return known->reg;
        }
    }
    return EXPR_NONE;
}

static void compile_remember(Compile *compile, CompileKnown entry) {
    CompileKnown *known = arena_alloc(compile->arena, sizeof *known);
    CompileKnown **first = &compile->known[entry.hash % COMPILE_BUCKETS];
    entry.next = *first;
    entry.selection = compile->selection;
    entry.let = compile_let_of(compile, entry.expr);
    *known = entry;
    *first = known;
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

uint32_t compile_borrowed(Compile *compile, const Type *type) {
    uint32_t reg = compile_reg(compile, type);
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
        if (!expr_tree_is_cheap(expr->args[i]))
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
    uint32_t failed; /* BOOLEAN: where a branch fails; missing where there is none. EXPR_NONE: not
                        asked */
    uint32_t *list;
    uint32_t count;
} CompileBranches;

static void compile_move(Compile *compile, uint32_t target, uint32_t reg) {
    compile_append(compile, (ExprInst){.op = EXPR_OP_MOVE, .target = target, .a = reg,
                                       .b = EXPR_NONE, .c = EXPR_NONE});
}

static void compile_branch(Compile *compile, CompileBranches *branches, const Expr *value) {
    bool null = value->kind == EXPR_LITERAL && column_is_null(value->literal, 0);
    CompileFail fail = {FAIL_NOWHERE, EXPR_NONE};
    uint32_t reg = EXPR_NONE;
    if (!null)
        reg = compile_open(compile, value, branches->failed == EXPR_NONE ? NULL : &fail);
    if (branches->failed != EXPR_NONE) {
        uint32_t failed = null ? EXPR_NONE : compile_failed(compile, reg, fail);
        if (failed == EXPR_NONE)
            failed = compile_boolean(compile, false);
        compile_move(compile, branches->failed, failed);
    }
    if (null)
        return;
    if (branches->target != EXPR_NONE) {
        compile_move(compile, branches->target, reg);
        return;
    }
    branches->list[branches->count++] = reg;
    branches->list[branches->count++] = compile->selection;
}

/* Rows whose condition is NULL have no branch: the whole fails. */
static uint32_t compile_case(Compile *compile, const Expr *expr, CompileFail *fail) {
    assert(expr->arg_count % 2 == 1);
    uint32_t outer = compile->selection;
    CompileBranches branches = {.target = EXPR_NONE, .failed = EXPR_NONE};
    branches.list = arena_array(compile->arena, (size_t)expr->arg_count + 1, sizeof(uint32_t));
    if (!type_is_nested(expr->type))
        branches.target = compile_unary(compile, EXPR_OP_BLANK, expr->type, EXPR_NONE);
    if (fail)
        branches.failed = compile_unary(compile, EXPR_OP_BLANK, &type_boolean, EXPR_NONE);
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        uint32_t condition = compile_expr(compile, expr->args[i]);
        uint32_t rest = compile_narrow(compile, EXPR_OP_NARROW_FALSE, condition);
        compile->selection = compile_narrow(compile, EXPR_OP_NARROW_TRUE, condition);
        compile_branch(compile, &branches, expr->args[i + 1]);
        compile->selection = rest;
    }
    compile_branch(compile, &branches, expr->args[expr->arg_count - 1]);
    compile->selection = outer;
    if (fail) {
        uint32_t none = compile_unary(compile, EXPR_OP_IS_NULL, &type_boolean, branches.failed);
        *fail = compile_fail_at(compile_either(compile, none, branches.failed));
    }
    if (branches.target != EXPR_NONE)
        return branches.target;
    ExprInst pick = {.op = EXPR_OP_PICK, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE,
                     .list = branches.list, .list_count = branches.count};
    return compile_emit(compile, expr->type, pick);
}

static uint32_t compile_deref(Compile *compile, const Expr *expr, CompileFail *fail) {
    ExprInst inst = {.op = EXPR_OP_DEREF, .index = expr->column, .b = EXPR_NONE, .c = EXPR_NONE};
    inst.a = compile_open(compile, expr->args[0], fail);
    assert(compile_type(compile, inst.a)->kind == TYPE_STRUCT);
    uint32_t reg = compile_emit(compile, expr->type, inst);
    compile->program->regs[reg].borrowed = true;
    return reg;
}

/* The value is computed for all rows of the present selection, then the body. */
static uint32_t compile_let(Compile *compile, const Expr *expr, CompileFail *fail) {
    uint32_t outer = compile->let;
    CompileLocal local = {.number = expr->column, .up = compile->local};
    local.reg = compile_expr(compile, expr->args[0]);
    compile->local = &local;
    compile->let = ++compile->let_count;
    uint32_t reg = compile_open(compile, expr->args[1], fail);
    compile->local = local.up;
    compile->let = outer;
    return reg;
}

static uint32_t compile_local(const Compile *compile, const Expr *expr) {
    const CompileLocal *local = compile->local;
    while (local && local->number != expr->column)
        local = local->up;
    assert(local && type_equal(compile_type(compile, local->reg), expr->type));
    return local->reg;
}

/* Registers of all arguments from `first` on. */
static uint32_t *compile_args(Compile *compile, const Expr *expr, bool escape) {
    uint32_t *list = arena_array(compile->arena, expr->arg_count, sizeof *list);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        list[i] = compile_expr(compile, expr->args[i]);
        compile->program->regs[list[i]].escapes |= escape;
    }
    return list;
}

static uint32_t compile_make(Compile *compile, const Expr *expr, ExprOpcode op) {
    ExprInst inst = {.op = op, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE};
    inst.list = compile_args(compile, expr, op == EXPR_OP_MAKE_STRUCT);
    inst.list_count = expr->arg_count;
    return compile_emit(compile, expr->type, inst);
}

/* What is compared one by one, and where any of it fails. */
typedef struct CompileList {
    const Column **constants;
    uint32_t constant_count;
    uint32_t result, failed; /* EXPR_NONE: nothing yet */
} CompileList;

/* As values of a list: 0.0 and -0.0 are two, NaN is one. */
static uint32_t compile_same(Compile *compile, uint32_t a, uint32_t b) {
    if (compile_type(compile, a)->kind == TYPE_DOUBLE)
        return compile_binary(compile, EXPR_OP_EQ_NESTED, &type_boolean, a, b);
    return compile_compare(compile, OP_EQUAL, a, b);
}

static void compile_in_item(Compile *compile, CompileList *list, uint32_t value,
                            const Expr *item) {
    const Column *constant = compile_fold(compile, item);
    CompileFail fail;
    if (constant && constant->type->kind != TYPE_NULL && !column_is_null(constant, 0)) {
        list->constants[list->constant_count++] = constant;
        return;
    }
    if (item->kind == EXPR_LITERAL)
        return;
    uint32_t reg = compile_open(compile, item, &fail);
    list->failed = compile_either(compile, list->failed, compile_failed(compile, reg, fail));
    list->result = compile_either(compile, list->result,
                                  compile_same(compile, value, reg));
}

/* Constants of the list are one set; the others are compared one by one. NULL items count for
 * nothing. */
static uint32_t compile_in(Compile *compile, const Expr *expr, CompileFail *fail) {
    CompileFail value_fail;
    uint32_t value = compile_open(compile, expr->args[0], &value_fail);
    CompileList list = {.result = EXPR_NONE};
    list.failed = compile_failed(compile, value, value_fail);
    list.constants = arena_array(compile->arena, expr->arg_count, sizeof *list.constants);
    for (uint32_t i = 1; i < expr->arg_count; i++)
        compile_in_item(compile, &list, value, expr->args[i]);
    uint32_t found = EXPR_NONE;
    if (list.constant_count == 1) {
        found = compile_same(compile, value, compile_constant(compile, list.constants[0]));
    } else if (list.constant_count > 1) {
        found = compile_emit(compile, &type_boolean,
                             (ExprInst){.op = EXPR_OP_IN_SET, .a = value, .b = EXPR_NONE,
                                        .c = EXPR_NONE,
                                        .extra = expr_in_build(list.constants,
                                                               list.constant_count,
                                                               compile->arena)});
    }
    found = compile_either(compile, found, list.result);
    if (found == EXPR_NONE)
        found = compile_boolean(compile, false);
    CompileFail failed = compile_fail_at(list.failed);
    found = compile_guard(compile, found, EXPR_NONE, failed, EXPR_NONE);
    if (fail)
        fail->where = failed.where == FAIL_NOWHERE ? FAIL_NOWHERE : FAIL_WHERE_NULL;
    return found;
}

static uint32_t compile_like(Compile *compile, const Expr *expr) {
    uint32_t value = compile_expr(compile, expr->args[0]);
    uint32_t pattern = compile_expr(compile, expr->args[1]);
    const Column *constant = compile_constant_of(compile, pattern);
    ExprInst inst = {.op = EXPR_OP_LIKE, .a = value, .b = EXPR_NONE, .c = EXPR_NONE,
                     .index = (uint8_t)expr->escape};
    if (constant && !column_is_null(constant, 0) &&
        !expr_like_is_open(constant->bytes[0], expr->escape)) {
        inst.extra = expr_like_build(constant->bytes[0], expr->escape, compile->arena);
    } else {
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

static uint32_t compile_kind(Compile *compile, const Expr *expr, CompileFail *fail) {
    switch (expr->kind) {
    case EXPR_LITERAL: break; /* was folded */
    case EXPR_COLUMN:
    case EXPR_PSEUDO: break;
    case EXPR_CALL: return compile_call(compile, expr, fail);
    case EXPR_CAST: /* an open one is part of its comparison and does not come here */
        return compile_convert(compile, compile_expr(compile, expr->args[0]), expr->type);
    case EXPR_CASE: return compile_case(compile, expr, fail);
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT: return compile_pair(compile, expr);
    case EXPR_COMPARE: return compile_compare_tree(compile, expr, fail);
    case EXPR_NEGATE:
        return compile_negate(compile, expr->type, compile_expr(compile, expr->args[0]));
    case EXPR_AND: return compile_logic(compile, expr, true);
    case EXPR_OR: return compile_logic(compile, expr, false);
    case EXPR_NOT: return compile_not(compile, expr);
    case EXPR_IN: return compile_in(compile, expr, fail);
    case EXPR_LIKE: return compile_like(compile, expr);
    case EXPR_IS_NULL: return compile_is_null(compile, expr, fail);
    case EXPR_SUBSCRIPT: return compile_subscript(compile, expr, fail);
    case EXPR_DEREF: return compile_deref(compile, expr, fail);
    case EXPR_ARRAY: return compile_make(compile, expr, EXPR_OP_MAKE_ARRAY);
    case EXPR_MAP: return compile_make(compile, expr, EXPR_OP_MAKE_MAP);
    case EXPR_STRUCT: return compile_make(compile, expr, EXPR_OP_MAKE_STRUCT);
    case EXPR_LET: return compile_let(compile, expr, fail);
    case EXPR_LOCAL: return compile_local(compile, expr);
    case EXPR_LAMBDA: /* see compile_lambdas() */
    case EXPR_PARAM: break; /* became a column */
    }
    assert(expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO);
    return compile_column(compile, expr);
}

uint32_t compile_expr(Compile *compile, const Expr *expr) {
    return compile_open(compile, expr, NULL);
}

/* A constant NULL does not say whether the tree fails there; the kind must. */
static const Column *compile_fold_open(Compile *compile, const Expr *expr, CompileFail *fail) {
    const Column *constant = compile_fold(compile, expr);
    if (!constant || !fail)
        return constant;
    if (constant->type->kind != TYPE_NULL && !column_is_null(constant, 0))
        fail->where = FAIL_NOWHERE;
    else if (fail->where == FAIL_WHERE_TRUE)
        return NULL;
    return constant;
}

uint32_t compile_open(Compile *compile, const Expr *expr, CompileFail *fail) {
    assert(expr && expr->type);
    const char *outer = compile->text;
    if (fail)
        *fail = compile_fail_of(expr);
    const Column *constant = compile_fold_open(compile, expr, fail);
    if (constant)
        return compile_constant(compile, constant);
    CompileKnown known = {.expr = expr, .hash = expr_tree_hash(expr), .fail = fail};
    known.reg = compile_known(compile, expr, known.hash, fail);
    if (known.reg != EXPR_NONE)
        return known.reg;
    compile->text = expr->text;
    known.reg = compile_kind(compile, expr, fail);
    compile->text = outer;
    if (fail)
        known.fail = memcpy(arena_alloc(compile->arena, sizeof *fail), fail, sizeof *fail);
    if (expr_tree_is_pure(expr))
        compile_remember(compile, known);
    return known.reg;
}

/* == Whole programs == */

static Compile *compile_new(bool fold, Arena *arena, uint32_t result_count, Err *err) {
    Compile *compile = arena_alloc(arena, sizeof *compile);
    ExprProgram *made = arena_alloc(arena, sizeof *made);
    err->code = ERR_OK;
    *compile = (Compile){.program = made, .arena = arena, .fold = fold, .err = err};
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
    made->sieve = expr_sieve_build(made);
    *program = made;
    return ERR_OK;
}

ErrCode expr_compile_program(const Expr *const *exprs, uint32_t count, bool fold, Arena *arena,
                             ExprProgram **program, Err *err) {
    assert(exprs && program);
    Compile *compile = compile_new(fold, arena, count, err);
    for (uint32_t i = 0; i < count; i++)
        compile->program->results[i] = compile_expr(compile, exprs[i]);
    return compile_finish(compile, program);
}

ErrCode expr_compile_lambda(const Expr *body, bool fold, Arena *arena, ExprLambda *lambda,
                            Err *err) {
    assert(body && lambda);
    Compile *compile = compile_new(fold, arena, 2, err);
    ExprProgram *made = compile->program;
    CompileFail fail;
    made->results[0] = compile_open(compile, body, &fail);
    made->results[1] = compile_failed(compile, made->results[0], fail);
    lambda->fails = made->results[1] != EXPR_NONE;
    made->result_count = lambda->fails ? 2 : 1;
    return compile_finish(compile, &lambda->program);
}

ErrCode expr_compile(const Expr *const *exprs, uint32_t count, Arena *arena, ExprProgram **program,
                     Err *err) {
    return expr_compile_program(exprs, count, true, arena, program, err);
}
