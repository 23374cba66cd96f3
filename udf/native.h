/*
 * native.h - functions of users in C: weir_udf.h's side of Weir.
 */
#ifndef UDF_NATIVE_H
#define UDF_NATIVE_H

#include "udf/user.h"

/* The kernel; call->state is what native_open() made. */
void native_kernel(const FunctionCall *call);

/* Loads the library on the first call; where that fails every row does. Closed with the arena. */
void *native_open(const UserFunction *function, Arena *arena);

/* Whether the library has the function, and its signature is what the definition says. */
ErrCode native_check(const UserFunction *function, Err *err);

#endif
