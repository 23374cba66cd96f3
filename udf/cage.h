/*
 * cage.h - Lua functions of users, each in a cage of its own.
 *
 * A cage is one Lua 5.4 state that runs one function: made once per call in an expression program,
 * so that no two threads share it. The function sees its arguments and a small library (strings,
 * tables, mathematics) that it cannot change; it has no files, no clock, no chance, no loading of
 * code, nothing that lives on from row to row. Same arguments, same result.
 * Budgets: memory of the state; instructions of a call and of a batch, where everything that takes
 * time counts as instructions: allocated bytes, steps of patterns, elements moved by a library
 * function. What goes over a budget, fails or returns the wrong type is an error of its row.
 */
#ifndef UDF_CAGE_H
#define UDF_CAGE_H

#include "udf/user.h"

/* The kernel of Lua functions; call->state is what cage_open() made. */
void cage_kernel(const FunctionCall *call);

/* A cage for the function; closed with the arena. */
void *cage_open(const UserFunction *function, Arena *arena);

/* Whether the body compiles. SYNTAX with the line of the body in err->line; LIMIT where the
 * function's memory does not even hold the library. */
ErrCode cage_check(const UserFunction *function, Err *err);

#endif
