/*
 * function.h - scalar functions: one row of udf/scalar.def each, one vectorised kernel.
 *
 * UDF_SCALAR(NAME, "signature", kernel, flags, prepare, "help"); several rows of one name are
 * overloads. A signature is "(STRING, INTEGER, [INTEGER]) -> STRING": [T] optional, T... variadic,
 * single letters A-Z generic types that must bind to one type, ARRAY<T>, MAP<K, V>, DECIMAL any
 * decimal (as a result: the first DECIMAL argument's type), UNIT an interval unit given as text;
 * signature.h has the whole of it. Names are looked up in any case.
 */
#ifndef UDF_FUNCTION_H
#define UDF_FUNCTION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "data/column.h"

/* One evaluation over a batch. Physical rows rows[0..row_count) are wanted; the others must not be
 * touched. `result` has its type set, is all missing and of the batch's length: the kernel writes
 * values and marks them present. Strings it makes live in `arena`; it may also point into args. */
typedef struct FunctionCall {
    const Column *const *args;
    uint32_t arg_count;
    const uint16_t *rows;
    uint32_t row_count;
    Column *result;
    Arena *arena;
    void *state; /* made by prepare(); NULL without */
    Io *io;      /* clock and chance; NULL: this program has none, such functions fail */
    /* Reports that one row failed; its result stays missing. */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} FunctionCall;

typedef enum FunctionFlags {
    FUNCTION_PLAIN = 0,
    FUNCTION_SEES_NULLS = 1,      /* called for rows with NULL arguments too; otherwise those rows
                                     are left out and their result is NULL */
    FUNCTION_NOT_CONSTANT = 2,    /* never folded: RANDOM, UNIX_TIMESTAMP */
    FUNCTION_IDENTITY = 4,        /* AS_VALUE: the planner looks through it */
} FunctionFlags;

typedef struct UserFunction UserFunction; /* user.h */

typedef struct Function {
    const char *name;
    const char *signature;
    void (*kernel)(const FunctionCall *call);
    uint32_t flags;
    const char *help;
    /* Compiles constant arguments once per query (patterns, formats): args[i] NULL where argument i
     * is not constant, else a column of length 1. May be NULL. Result lives in arena. */
    void *(*prepare)(const Column *const *args, uint32_t arg_count, Arena *arena);
    const UserFunction *user; /* NULL: a built-in one */
    /* Makes call->state of a user's function, one per call in a program, in `arena`; the kernel
     * has it to itself. NULL: prepare() does. */
    void *(*open)(const UserFunction *user, Arena *arena);
} Function;

/* What a call of `name` with these argument types means. types[i] TYPE_NULL matches anything.
 * *cast_types[i] is what argument i must be cast to first (the same type where nothing is to be
 * done). Errors: UNKNOWN_NAME "Can't find any functions with the name 'X'"; UNSUPPORTED for a
 * function of ksqlDB that is not done yet; TYPE with ksqlDB's "Function 'f' does not accept
 * parameters (A, B)." and the valid alternatives; AMBIGUOUS. */
typedef struct FunctionMatch {
    const Function *function;
    const Type *result;
    const Type **cast_types;
} FunctionMatch;

ErrCode function_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                         FunctionMatch *match, Err *err);

/* Walks all overloads of all functions in order of name; NULL at the end. */
const Function *function_at(uint32_t index);
bool function_exists(const char *name);

/* ksqlDB has a function of this name, done here or not. */
typedef enum FunctionKind {
    FUNCTION_NONE,
    FUNCTION_SCALAR,
    FUNCTION_AGGREGATE,
    FUNCTION_TABLE,
} FunctionKind;
FunctionKind function_is_ksqldb(const char *name);

/* Index of an overload in the table, for stored plans: by name and signature. NULL: none. */
const Function *function_by_signature(const char *name, const char *signature);

#endif
