/*
 * function.h - scalar functions: one row of udf/scalar.def each, one vectorised kernel.
 *
 * UDF_SCALAR(NAME, "signature", kernel, flags, prepare, "help"); several rows of one name are
 * overloads. A signature is "(STRING, INTEGER, [INTEGER]) -> STRING": [T] optional, T... variadic,
 * single letters A-Z generic types that must bind to one type, ARRAY<T>, MAP<K, V>, DECIMAL any
 * decimal (as a result: the first DECIMAL argument's type), UNIT an interval unit given as text;
 * LAMBDA a lambda; signature.h has the whole of it. Names are looked up in any case.
 */
#ifndef UDF_FUNCTION_H
#define UDF_FUNCTION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "data/column.h"
#include "udf/signature.h"

/* One evaluation over a batch. Physical rows rows[0..row_count) are wanted; the others must not be
 * touched. `result` has its type set, is all missing and of the batch's length: the kernel writes
 * values and marks them present. Strings it makes live in `arena`; it may also point into args. */
typedef struct FunctionCall FunctionCall;

/* Elements that a lambda is applied to: element i is value i of each of params[]. */
typedef struct FunctionElements {
    const Column *const *params; /* one for each parameter of the lambda */
    const uint32_t *rows; /* physical row that element i belongs to: what is captured is there */
    uint32_t count;
    Arena *arena;
} FunctionElements;

struct FunctionCall {
    const Column *const *args; /* of a lambda: NULL */
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
    /* Applies lambda argument number `arg`: fills *result with a column of elements->count values
     * in elements->arena. *failed: a byte for each, not 0 where it threw; NULL: none did. */
    void (*apply)(const FunctionCall *call, uint32_t arg, const FunctionElements *elements,
                  Column *result, const uint8_t **failed);
};

typedef enum FunctionFlags {
    FUNCTION_PLAIN = 0,
    FUNCTION_SEES_NULLS = 1,      /* called for rows with NULL arguments too; otherwise those rows
                                     are left out and their result is NULL */
    FUNCTION_NOT_CONSTANT = 2,    /* never folded: RANDOM, UNIX_TIMESTAMP */
    FUNCTION_IDENTITY = 4,        /* AS_VALUE: the planner looks through it */
    FUNCTION_TAKES_LAMBDAS = 8,   /* TRANSFORM, FILTER, REDUCE */
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

/* The types of a call's arguments. */
typedef struct FunctionArgs {
    const Type *const *types;
    const SignatureLambda *lambdas; /* NULL: none of them is one */
    uint32_t count;
} FunctionArgs;

/* The same for a call with lambdas, and what the parameters of lambda `index` are, as far as the
 * arguments before it say. */
ErrCode function_resolve_args(const char *name, const FunctionArgs *args, Arena *arena,
                              FunctionMatch *match, Err *err);
ErrCode function_lambda_params(const char *name, const FunctionArgs *args, uint32_t index,
                               Arena *arena, const Type **params, Err *err);

ErrCode function_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                         FunctionMatch *match, Err *err);

/* From now on the functions of udf/testing.def exist as well: for conformance cases. */
void function_enable_testing(void);
bool function_testing(void);

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
