/*
 * expr_disassemble.c - a program as text.
 *
 *   r0 = constant 5
 *   r1 = COLUMN 2
 *   r2 = GT_I64 r1 r0
 *   s1 = NARROW_TRUE r2        rows that later lines marked @s1 work on
 *   r4 = CALL r3 LEN @s1
 *   result r4
 */
#include "runtime/expr_impl.h"
#include "udf/value_text.h"

static const struct {
    const char *name;
    const char *operands;
} disassemble_ops[] = {
#define X(name, kernel, operands, meaning) [EXPR_OP_##name] = {#name, operands},
#include "runtime/expr_op.def"
#undef X
};

static void disassemble_reg(Buf *out, uint32_t reg) {
    if (reg != EXPR_NONE)
        buf_printf(out, " r%u", reg);
}

static void disassemble_inst(Buf *out, const ExprInst *inst) {
    assert(inst->op < EXPR_OP_COUNT);
    buf_printf(out, "%c%u = %s", expr_op_narrows(inst->op) ? 's' : 'r', inst->target,
               disassemble_ops[inst->op].name);
    disassemble_reg(out, inst->a);
    disassemble_reg(out, inst->b);
    disassemble_reg(out, inst->c);
    for (uint32_t i = 0; i < inst->list_count; i++) {
        bool selection = inst->op == EXPR_OP_PICK && i % 2 == 1;
        if (inst->list[i] == EXPR_NONE) { /* a lambda */
            buf_text(out, " =>");
            continue;
        }
        buf_printf(out, " %c%u", selection ? 's' : 'r', inst->list[i]);
    }
    if (inst->op == EXPR_OP_COLUMN || inst->op == EXPR_OP_PSEUDO || inst->op == EXPR_OP_DEREF)
        buf_printf(out, " %u", inst->index);
    if (inst->op == EXPR_OP_CALL)
        buf_printf(out, " %s", ((const ExprCall *)inst->extra)->function->name);
    if (inst->selection > 0)
        buf_printf(out, " @s%u", inst->selection);
    buf_u8(out, '\n');
}

void expr_disassemble(Buf *out, const ExprProgram *program) {
    assert(out && program);
    for (uint32_t i = 0; i < program->reg_count; i++) {
        if (!program->regs[i].constant)
            continue;
        buf_printf(out, "r%u = constant ", i);
        value_text_print(out, program->regs[i].constant, 0);
        buf_u8(out, '\n');
    }
    for (uint32_t i = 0; i < program->inst_count; i++)
        disassemble_inst(out, &program->insts[i]);
    for (uint32_t i = 0; i < program->result_count; i++)
        buf_printf(out, "result r%u\n", program->results[i]);
}
