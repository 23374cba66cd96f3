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

/* The LET that the meaning of the tree hangs on. */
static uint32_t compile_let_of(const Compile *compile, const Expr *expr) {
    return compile->let != 0 && expr_tree_has_local(expr) ? compile->let : 0;
}

static uint32_t compile_known(const Compile *compile, const Expr *expr, uint64_t hash) {
    uint32_t let = compile_let_of(compile, expr);
    for (const CompileKnown *known = compile->known[hash % COMPILE_BUCKETS]; known;
         known = known->next) {
        if (known->hash == hash && known->let == let &&
            compile_within(compile, compile->selection, known->selection) &&
            expr_tree_equal(known->expr, expr))
            return known->reg;
    }
    return EXPR_NONE;
}

static void compile_remember(Compile *compile, const Expr *expr, uint64_t hash, uint32_t reg) {
    CompileKnown *known = arena_alloc(compile->arena, sizeof *known);
    *known = (CompileKnown){.next = compile->known[hash % COMPILE_BUCKETS], .expr = expr,
                            .let = compile_let_of(compile, expr), .hash = hash, .reg = reg,
                            .selection = compile->selection};
    compile->known[hash % COMPILE_BUCKETS] = known;
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
    uint32_t reg = compile_expr(compile, expr->args[0]);
    return compile_convert(compile, reg, expr->type);
}

static uint32_t compile_is_null(Compile *compile, const Expr *expr) {
    ExprOpcode op = expr->negated ? EXPR_OP_IS_NOT_NULL : EXPR_OP_IS_NULL;
    return compile_unary(compile, op, &type_boolean, compile_expr(compile, expr->args[0]));
}

static uint32_t compile_subscript(Compile *compile, const Expr *expr) {
    uint32_t value = compile_expr(compile, expr->args[0]);
    uint32_t index = compile_expr(compile, expr->args[1]);
    bool array = compile_type(compile, value)->kind == TYPE_ARRAY;
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

/* The value is computed for all rows of the present selection, then the body. */
static uint32_t compile_let(Compile *compile, const Expr *expr) {
    uint32_t outer = compile->let;
    CompileLocal local = {.number = expr->column, .up = compile->local};
    local.reg = compile_expr(compile, expr->args[0]);
    compile->local = &local;
    compile->let = ++compile->let_count;
    uint32_t reg = compile_expr(compile, expr->args[1]);
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

static uint32_t compile_call(Compile *compile, const Expr *expr) {
    const Function *function = expr->function;
    if (function->flags & FUNCTION_IDENTITY)
        return compile_expr(compile, expr->args[0]);
    ExprInst inst = {.op = EXPR_OP_CALL, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE};
    inst.list = compile_args(compile, expr, type_is_nested(expr->type));
    inst.list_count = expr->arg_count;
    ExprCall *call = arena_alloc(compile->arena, sizeof *call);
    call->function = function;
    if (function->prepare) {
        const Column **constants =
            arena_array(compile->arena, expr->arg_count, sizeof *constants);
        for (uint32_t i = 0; i < expr->arg_count; i++)
            constants[i] = compile_constant_of(compile, inst.list[i]);
        call->state = function->prepare(constants, expr->arg_count, compile->arena);
    }
    inst.extra = call;
    return compile_emit(compile, expr->type, inst);
}

/* Constants of the list are one set; the others are compared one by one. NULL items count for
 * nothing. */
static uint32_t compile_in(Compile *compile, const Expr *expr) {
    uint32_t value = compile_expr(compile, expr->args[0]);
    const Column **constants = arena_array(compile->arena, expr->arg_count, sizeof *constants);
    uint32_t constant_count = 0, result = EXPR_NONE;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const Column *constant = compile_fold(compile, expr->args[i]);
        if (constant && (constant->type->kind == TYPE_NULL || column_is_null(constant, 0)))
            continue;
        if (constant) {
            constants[constant_count++] = constant;
            continue;
        }
        uint32_t item = compile_expr(compile, expr->args[i]);
        uint32_t equal = compile_compare(compile, OP_EQUAL, value, item);
        result = result == EXPR_NONE ? equal
                                     : compile_binary(compile, EXPR_OP_OR, &type_boolean, result,
                                                      equal);
    }
    uint32_t found = EXPR_NONE;
    if (constant_count == 1) {
        found = compile_compare(compile, OP_EQUAL, value,
                                compile_constant(compile, constants[0]));
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
    if (constant && !column_is_null(constant, 0)) {
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
    switch (expr->kind) {
    case EXPR_ARITHMETIC: return compile_arithmetic(compile, expr->op, expr->type, a, b);
    case EXPR_COMPARE: return compile_compare(compile, expr->op, a, b);
    default: return compile_binary(compile, EXPR_OP_CONCAT, expr->type, a, b);
    }
}

static uint32_t compile_kind(Compile *compile, const Expr *expr) {
    switch (expr->kind) {
    case EXPR_LITERAL: break; /* was folded */
    case EXPR_COLUMN:
    case EXPR_PSEUDO: break;
    case EXPR_CALL: return compile_call(compile, expr);
    case EXPR_CAST: return compile_cast(compile, expr);
    case EXPR_CASE: return compile_case(compile, expr);
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT:
    case EXPR_COMPARE: return compile_pair(compile, expr);
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
    case EXPR_LET: return compile_let(compile, expr);
    case EXPR_LOCAL: return compile_local(compile, expr);
    }
    assert(expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO);
    return compile_column(compile, expr);
}

uint32_t compile_expr(Compile *compile, const Expr *expr) {
    assert(expr && expr->type);
    const char *outer = compile->text;
    const Column *constant = compile_fold(compile, expr);
    if (constant)
        return compile_constant(compile, constant);
    uint64_t hash = expr_tree_hash(expr);
    uint32_t reg = compile_known(compile, expr, hash);
    if (reg != EXPR_NONE)
        return reg;
    compile->text = expr->text;
    reg = compile_kind(compile, expr);
    compile->text = outer;
    if (expr_tree_is_pure(expr))
        compile_remember(compile, expr, hash, reg);
    return reg;
}

/* == Whole programs == */

ErrCode expr_compile_program(const Expr *const *exprs, uint32_t count, bool fold, Arena *arena,
                             ExprProgram **program, Err *err) {
    assert(exprs && program);
    Compile *compile = arena_alloc(arena, sizeof *compile);
    ExprProgram *made = arena_alloc(arena, sizeof *made);
    *compile = (Compile){.program = made, .arena = arena, .fold = fold};
    made->arena = arena;
    made->selections = arena_grow(arena, NULL, &compile->selection_capacity, 1,
                                  sizeof *made->selections);
    made->selections[0].parent = EXPR_NONE;
    made->selection_count = 1;
    made->results = arena_array(arena, count, sizeof *made->results);
    made->result_count = count;
    for (uint32_t i = 0; i < count; i++)
        made->results[i] = compile_expr(compile, exprs[i]);
    if (made->reg_count > EXPR_REGISTERS_MAX)
        return err_set(err, ERR_LIMIT, "The expressions need %u registers, over the limit of %d.",
                       made->reg_count, EXPR_REGISTERS_MAX);
    expr_storage_assign(made);
    made->columns = arena_array(arena, made->reg_count, sizeof *made->columns);
    *program = made;
    return ERR_OK;
}

ErrCode expr_compile(const Expr *const *exprs, uint32_t count, Arena *arena, ExprProgram **program,
                     Err *err) {
    return expr_compile_program(exprs, count, true, arena, program, err);
}
