/*
 * expr_storage.c - which registers share a buffer.
 *
 * A register lives from its first instruction to the last that reads it (or moves into it). One
 * pass in program order hands out buffers by width and takes them back after the last use, so a
 * target never shares with an operand of its own instruction. Registers that escape into results
 * or nested values get fresh memory from the batch's arena at each run instead.
 */
#include "runtime/expr_impl.h"

typedef struct Storage {
    ExprProgram *program;
    uint32_t *last_use;   /* per register: index of an instruction */
    uint32_t *free_next;  /* per buffer: chain of free ones */
    uint32_t free_first[33]; /* by width */
    size_t buffer_capacity;
} Storage;

static void storage_use(Storage *storage, uint32_t reg, uint32_t inst) {
    if (reg == EXPR_NONE)
        return;
    assert(reg < storage->program->reg_count);
    storage->last_use[reg] = inst;
}

static void storage_uses(Storage *storage) {
    const ExprProgram *program = storage->program;
    for (uint32_t i = 0; i < program->inst_count; i++) {
        const ExprInst *inst = &program->insts[i];
        if (!expr_op_narrows(inst->op))
            storage_use(storage, inst->target, i);
        storage_use(storage, inst->a, i);
        storage_use(storage, inst->b, i);
        storage_use(storage, inst->c, i);
        uint32_t step = inst->op == EXPR_OP_PICK ? 2 : 1;
        for (uint32_t k = 0; k < inst->list_count; k += step)
            storage_use(storage, inst->list[k], i);
    }
}

static uint32_t storage_take(Storage *storage, uint32_t width) {
    ExprProgram *program = storage->program;
    uint32_t buffer = storage->free_first[width];
    if (buffer != EXPR_NONE) {
        storage->free_first[width] = storage->free_next[buffer];
        return buffer;
    }
    buffer = program->buffer_count++;
    assert(buffer < program->reg_count);
    program->buffers[buffer].width = width;
    return buffer;
}

/* Gives back the buffer of a register whose last use is over. */
static void storage_release(Storage *storage, uint32_t reg, uint32_t inst) {
    if (reg == EXPR_NONE || storage->last_use[reg] != inst)
        return;
    uint32_t buffer = storage->program->regs[reg].buffer;
    if (buffer == EXPR_NONE)
        return;
    uint32_t width = storage->program->buffers[buffer].width;
    storage->free_next[buffer] = storage->free_first[width];
    storage->free_first[width] = buffer;
    storage->last_use[reg] = EXPR_NONE; /* once, also when it is read twice */
}

static bool storage_wants_buffer(const ExprReg *reg) {
    return !reg->constant && !reg->escapes && !reg->borrowed && reg->buffer == EXPR_NONE &&
           type_width(reg->type) > 0;
}

static void storage_walk(Storage *storage) {
    ExprProgram *program = storage->program;
    for (uint32_t i = 0; i < program->inst_count; i++) {
        const ExprInst *inst = &program->insts[i];
        if (!expr_op_narrows(inst->op) && storage_wants_buffer(&program->regs[inst->target]))
            program->regs[inst->target].buffer =
                storage_take(storage, type_width(program->regs[inst->target].type));
        storage_release(storage, inst->a, i);
        storage_release(storage, inst->b, i);
        storage_release(storage, inst->c, i);
        uint32_t step = inst->op == EXPR_OP_PICK ? 2 : 1;
        for (uint32_t k = 0; k < inst->list_count; k += step)
            storage_release(storage, inst->list[k], i);
    }
}

void expr_storage_assign(ExprProgram *program) {
    assert(program && program->arena);
    Storage storage = {.program = program};
    storage.last_use = arena_array(program->arena, program->reg_count, sizeof(uint32_t));
    storage.free_next = arena_array(program->arena, program->reg_count, sizeof(uint32_t));
    program->buffers = arena_array(program->arena, program->reg_count, sizeof *program->buffers);
    for (uint32_t i = 0; i < 33; i++)
        storage.free_first[i] = EXPR_NONE;
    for (uint32_t i = 0; i < program->result_count; i++)
        program->regs[program->results[i]].escapes = true;
    storage_uses(&storage);
    storage_walk(&storage);
}
