/*
 * signature.h - the little language of parameter lists, and which overload a call means.
 *
 *   signature := "(" [param {", " param}] ") -> " result
 *   param     := type | "[" type "]" | type "..."      optional ones last; one variadic at most
 *                "LITERAL " before any of them: the argument must be a constant
 *   type      := BOOLEAN INTEGER BIGINT DOUBLE STRING TIME DATE TIMESTAMP BYTES, or
 *                DECIMAL            any precision and scale; INTEGER and BIGINT are cast to it
 *                UNIT               an interval unit, given as text
 *                ANY                any type, each argument its own
 *                A .. Z             generic: binds to one type in the whole call
 *                ARRAY<type>  MAP<type, type>  STRUCT<NAME type {", " NAME type}>
 *                LAMBDA (type {", " type}) => type      a function over the elements of another
 *   result    := type, STRUCT without fields where the function itself says which,
 *                where DECIMAL is the type of the first DECIMAL argument, or
 *                DECIMAL(p, s)      just this one
 *                DECIMAL_WIDEST     holds every DECIMAL argument; they are cast to it
 *                DECIMAL_WHOLE      the first one's without its fraction: DECIMAL(p-s, 0)
 *
 * Rules, as ksqlDB's: exact types are tried first, then with implicit casts; NULL fits anything.
 * Among several that fit: without variadic before with, more parameters, fewer generic ones, the
 * variadic one later. Two equally good ones are an AMBIGUOUS error.
 */
#ifndef UDF_SIGNATURE_H
#define UDF_SIGNATURE_H

#include "base/arena.h"
#include "base/err.h"
#include "data/type.h"

/* An argument that is a lambda. */
typedef struct SignatureLambda {
    uint32_t param_count; /* 0: this argument is none */
    const Type *const *params; /* NULL: not known yet */
    const Type *result;        /* NULL: not known yet */
} SignatureLambda;

/* The overloads of one name, and the types it is called with. */
typedef struct SignatureCall {
    const char *name; /* as the user wrote it, for messages */
    const char *const *signatures;
    uint32_t signature_count;
    const Type *const *types; /* of a lambda: anything */
    uint32_t type_count;
    const SignatureLambda *lambdas; /* [type_count]; NULL: no argument is one */
} SignatureCall;

typedef struct SignatureMatch {
    uint32_t index; /* of the overload */
    const Type *result;
    const Type **cast_types; /* type_count of them; of a lambda: what its body must be */
    uint32_t literal_count;  /* of the arguments, the last ones: go to a LITERAL parameter */
} SignatureMatch;

/* The overloads of a name in a table of functions: rows one behind the other, each of row_size
 * bytes, its name (const char *) its first member. NULL, and *count 0, when there are none. */
const void *signature_rows(const void *rows, size_t row_size, uint32_t row_count, const char *name,
                           uint32_t *count);

/* TYPE "Function 'f' does not accept parameters (A, B)." with the alternatives; AMBIGUOUS; LIMIT
 * for a decimal result that is too wide. */
ErrCode signature_resolve(const SignatureCall *call, Arena *arena, SignatureMatch *match, Err *err);

/* The types of the parameters of lambda argument number `index`, as the arguments before it say,
 * with room for its param_count. Errors as signature_resolve(). */
ErrCode signature_lambda(const SignatureCall *call, uint32_t index, Arena *arena,
                         const Type **params, Err *err);

/* Whether a value of one type is silently taken for another: ksqlDB's implicit casts. */
bool signature_implicit_cast(const Type *from, TypeKind to);

#endif
