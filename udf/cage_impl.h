/*
 * cage_impl.h - the inside of the cage.
 *
 *   cage.c           the state: memory, budgets, calls
 *   cage_library.c   what a function may call: basics, mathematics, the read-only globals
 *   cage_table.c     table.*, pairs and next in order of keys
 *   cage_string.c    string.*; cage_match.c: those with patterns
 *   cage_value.c     SQL values to Lua and back
 *
 * How time is bounded: a count hook sees Lua's instructions, and each counts as more the larger
 * the largest text and the stack are, since one instruction may compare all of the one or copy all
 * of the other. The allocator charges bytes. Library functions that loop in C are ours or wrapped,
 * and charge what they do before they do it. When the budget is used up the hook fires at each
 * instruction, so that pcall() catches the error once and fails again at once: the call unwinds to
 * its end. What runs where hooks cannot see it does not exist here: finalizers (__gc), handlers of
 * xpcall inside the error, coroutines.
 */
#ifndef UDF_CAGE_IMPL_H
#define UDF_CAGE_IMPL_H

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>

#include "base/buf.h"
#include "udf/cage.h"

enum {
    CAGE_TICK = 1000,            /* instructions between two looks */
    CAGE_BYTES_PER_STEP = 16,    /* allocated bytes that count as an instruction */
    CAGE_TEXT_PER_STEP = 4096,   /* ... and bytes of the largest text, per instruction */
    CAGE_STACK_PER_STEP = 16384, /* ... and bytes of the stack, per instruction */
    CAGE_STACK_FIRST = 200,      /* more than Lua begins with: growing shows where its stack is */
    CAGE_VALUES_MAX = 1 << 20,   /* elements of one result, at all depths */
    CAGE_REASON_MAX = 256,
};

typedef struct Cage {
    lua_State *lua; /* NULL: not made yet, or it could not be made */
    const UserFunction *function;
    bool broken;    /* could not be made: `reason` says why */
    bool open;      /* budgets count */
    bool over;      /* the call's budget is used up */
    size_t used_bytes;
    size_t text_bytes;    /* of the largest text of this call */
    void *stack;          /* of Lua, and its size; NULL: not known yet */
    size_t stack_bytes;
    void *last;           /* the last block made or moved, and its size */
    size_t last_bytes;
    uint32_t refused;     /* allocations in this call */
    int64_t left;         /* instructions of this call */
    int64_t batch_left;
    /* The call that runs. */
    const FunctionCall *call;
    struct CageResult *result;
    uint32_t row;
    uint32_t values_left;
    Buf text;  /* scratch: decimals, nested results */
    char reason[CAGE_REASON_MAX];
} Cage;

Cage *cage_of(lua_State *lua);

/* Takes `steps` off the budget: raises a Lua error when it is used up. */
void cage_charge(lua_State *lua, uint64_t steps);

/* Pushes the table of globals (cage_library.c). */
void cage_push_globals(lua_State *lua);

/* Push a table with functions: string, table, and `pairs`, `next` (in the table on the top). */
void cage_push_string(lua_State *lua);
void cage_push_table(lua_State *lua);
void cage_add_pairs(lua_State *lua);

/* Pushes an array of the keys of the table at `index`, in order; returns how many. */
lua_Integer cage_push_sorted_keys(lua_State *lua, int index);

/* find, match, gmatch, gsub (cage_match.c). */
int cage_string_find(lua_State *lua);
int cage_string_match(lua_State *lua);
int cage_string_gmatch(lua_State *lua);
int cage_string_gsub(lua_State *lua);

/* tostring() of the value at `index`, without addresses; pushes it. */
const char *cage_push_text(lua_State *lua, int index, size_t *size);

/* -- Values (cage_value.c) --------------------------------------------------------------------- */

/* All of these run in protected mode and may raise a Lua error. */

void cage_push_value(Cage *cage, const Column *column, uint32_t row);

/* The value on the top of the stack as result of cage->row; false: cage->reason says why not.
 * cage_finish_result() once after the last row. */
typedef struct CageResult {
    Column *column;
    Arena *arena;
    Bytes *rows; /* nested results as bytes of row_value.h; NULL: not nested */
} CageResult;

void cage_start_result(CageResult *result, const FunctionCall *call);
bool cage_take_result(Cage *cage, CageResult *result);
void cage_finish_result(CageResult *result, const FunctionCall *call);

/* A name of SQL as Lua sees it: plain ones in lower case. `out` has room for CAGE_NAME_MAX. */
enum { CAGE_NAME_MAX = 256 };
const char *cage_name(const char *name, char *out);

#endif
