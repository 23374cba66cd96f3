/*
 * user.h - functions of users: what one is, and which overload a call means.
 *
 * A UserFunction is a definition: name, typed parameters, result, language and body. Those of SQL
 * are inlined by the planner; the others are called through `function`, whose kernel runs the
 * language (lua.h, native.h). Definitions are immutable: OR REPLACE makes a new one with the next
 * version, and plans keep the one they were made with.
 */
#ifndef UDF_USER_H
#define UDF_USER_H

#include "udf/function.h"

typedef enum UserLanguage { USER_SQL, USER_LUA, USER_NATIVE } UserLanguage;

typedef struct UserParam {
    const char *name;
    const Type *type;
} UserParam;

struct UserFunction {
    const char *name; /* in upper case: names of functions have no case */
    uint32_t version; /* 1, then one more for each OR REPLACE */
    UserLanguage language;
    const UserParam *params;
    const Type *const *param_types; /* the same ones; made by user_finish() */
    uint32_t param_count;
    const Type *result;
    const char *body;   /* SQL: an expression; LUA: a chunk; NATIVE: the library's file name */
    const char *symbol; /* NATIVE; NULL otherwise */
    /* LUA: bytes of one cage; instructions of one call and of all calls of a batch. In force when
     * it was made, so that a function does the same wherever it runs. */
    int64_t memory_max, steps_max, batch_steps_max;
    Function function;  /* made by user_finish() */
    Arena *owner;       /* of one in the catalog: all of it lives there; NULL: in something else */
};

/* Fills in `function` and `param_types` of a definition whose other fields are set. */
void user_finish(UserFunction *function, Arena *arena);

/* A deep copy. */
UserFunction *user_copy(const UserFunction *function, Arena *arena);

/* "(INTEGER, STRING)" and "F(INTEGER, STRING)". */
const char *user_types_text(const UserFunction *function, Arena *arena);
const char *user_text(const UserFunction *function, Arena *arena);

/* Whether the parameters have exactly these types. */
bool user_has_types(const UserFunction *function, const Type *const *types, uint32_t count);

/* "SQL", "LUA", "C"; false: there is no such language. */
const char *user_language_text(UserLanguage language);
bool user_language_find(const char *text, UserLanguage *language);

/* The overloads of one name, and the types it is called with; TYPE_NULL fits anything. */
typedef struct UserCall {
    const char *name; /* as the user wrote it, for messages */
    const UserFunction *const *overloads;
    uint32_t overload_count;
    const Type *const *types;
    uint32_t type_count;
} UserCall;

/* The overload that needs the fewest and shortest casts: INTEGER to BIGINT to DECIMAL to DOUBLE,
 * texts to times and bytes as for built-in functions. TYPE: none fits, with the alternatives;
 * AMBIGUOUS: two fit equally well. */
ErrCode user_resolve(const UserCall *call, const UserFunction **function, Err *err);

#endif
