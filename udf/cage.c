/*
 * cage.c - see cage.h: the state, its memory and budgets, and the rows of a batch.
 */
#include "udf/cage_impl.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

Cage *cage_of(lua_State *lua) {
    void *cage;
    lua_getallocf(lua, &cage);
    return cage;
}

/* -- Budgets ----------------------------------------------------------------------------------- */

static void cage_hook(lua_State *lua, lua_Debug *event) {
    (void)event;
    Cage *cage = cage_of(lua);
    int64_t each = 1 + (int64_t)(cage->text_bytes / CAGE_TEXT_PER_STEP) +
                   (int64_t)(cage->stack_bytes / CAGE_STACK_PER_STEP);
    if (!cage->over)
        cage->left -= each * CAGE_TICK;
    if (cage->left >= 0)
        return;
    cage->over = true;
    lua_sethook(lua, cage_hook, LUA_MASKCOUNT, 1);
    luaL_error(lua, "the budget is used up");
}

/* May be called from the allocator, where nothing can be raised: the hook does that. */
static void cage_take(Cage *cage, uint64_t steps) {
    if (!cage->open)
        return;
    cage->left = steps > INT64_MAX / 2 ? -1 : cage->left - (int64_t)steps;
    if (cage->left >= 0 || cage->over)
        return;
    cage->over = true;
    lua_sethook(cage->lua, cage_hook, LUA_MASKCOUNT, 1);
}

void cage_charge(lua_State *lua, uint64_t steps) {
    Cage *cage = cage_of(lua);
    cage_take(cage, steps);
    if (cage->over)
        luaL_error(lua, "the budget is used up");
}

/* The block that was made last is Lua's stack. */
static void cage_note_stack(Cage *cage) {
    cage->stack = cage->last;
    cage->stack_bytes = cage->last_bytes;
}

static void *cage_allocate(void *context, void *memory, size_t old_size, size_t size) {
    Cage *cage = context;
    size_t old = memory ? old_size : 0;
    assert(cage->used_bytes >= old);
    if (size == 0) {
        /* Lua makes a new stack, copies the old one and frees it. */
        if (memory && memory == cage->stack)
            cage_note_stack(cage);
        mem_free(memory);
        cage->used_bytes -= old;
        return NULL;
    }
    if (size > old) {
        cage_take(cage, size / CAGE_BYTES_PER_STEP);
        if (!memory && old_size == LUA_TSTRING && size > cage->text_bytes)
            cage->text_bytes = size;
        if (cage->used_bytes - old + size > (size_t)cage->function->memory_max) {
            /* Lua collects all garbage and asks once more: a second refusal is not free. */
            if (cage->refused++ > 0)
                cage_take(cage, cage->used_bytes / CAGE_BYTES_PER_STEP);
            return NULL;
        }
    }
    cage->used_bytes += size - old;
    void *moved = memory ? mem_resize(memory, size) : mem_alloc(size);
    cage->last = moved;
    cage->last_bytes = size;
    if (memory && memory == cage->stack)
        cage_note_stack(cage);
    return moved;
}

/* -- Making ------------------------------------------------------------------------------------ */

/* "local a, b = ...;" on the first line of the body, so that lines count as the user counts. */
static void cage_prelude(const UserFunction *function, Buf *out) {
    char name[CAGE_NAME_MAX];
    for (uint32_t i = 0; i < function->param_count; i++)
        buf_printf(out, "%s%s", i == 0 ? "local " : ", ",
                   cage_name(function->params[i].name, name));
    buf_text(out, function->param_count > 0 ? " = ...; " : "");
    buf_text(out, function->body);
}

/* Leaves the compiled body as the only value, with our globals. */
static int cage_setup(lua_State *lua) {
    Cage *cage = cage_of(lua);
    char name[CAGE_NAME_MAX + 2];
    snprintf(name, sizeof name, "=%s", cage->function->name);
    Bytes text = buf_view(&cage->text);
    if (luaL_loadbufferx(lua, (const char *)text.data, text.size, name, "t") != LUA_OK)
        return lua_error(lua);
    cage_push_globals(lua);
    const char *upvalue = lua_setupvalue(lua, -2, 1);
    assert(upvalue && strcmp(upvalue, "_ENV") == 0);
    (void)upvalue;
    return 1;
}

/* An empty state whose stack is known; false: its memory does not hold one. */
static bool cage_new_state(Cage *cage) {
    cage->lua = lua_newstate(cage_allocate, cage);
    if (!cage->lua)
        return false;
    if (!lua_checkstack(cage->lua, CAGE_STACK_FIRST))
        return false;
    cage_note_stack(cage);
    return true;
}

static bool cage_build(Cage *cage) {
    if (!cage_new_state(cage)) {
        snprintf(cage->reason, sizeof cage->reason, "its memory does not hold an empty Lua");
        return false;
    }
    buf_reset(&cage->text);
    cage_prelude(cage->function, &cage->text);
    lua_pushcfunction(cage->lua, cage_setup);
    if (lua_pcall(cage->lua, 0, 1, 0) == LUA_OK) {
        cage->open = true;
        return true;
    }
    const char *text = lua_tostring(cage->lua, -1);
    snprintf(cage->reason, sizeof cage->reason, "%s", text ? text : "it cannot be loaded");
    return false;
}

static void cage_close(void *object) {
    Cage *cage = object;
    cage->open = false;
    if (cage->lua)
        lua_close(cage->lua);
    cage->lua = NULL;
    assert(cage->used_bytes == 0);
    buf_free(&cage->text);
}

/* The state itself is made by the first call: many programs never get to it. */
void *cage_open(const UserFunction *function, Arena *arena) {
    assert(function->language == USER_LUA);
    Cage *cage = arena_alloc(arena, sizeof *cage);
    cage->function = function;
    arena_defer(arena, cage_close, cage);
    return cage;
}

/* The line in "NAME:12: text". */
static uint32_t cage_error_line(const Cage *cage, const char **text) {
    size_t size = strlen(cage->function->name);
    unsigned line = 0;
    int read = 0;
    *text = cage->reason;
    if (strncmp(cage->reason, cage->function->name, size) != 0 ||
        sscanf(cage->reason + size, ":%u: %n", &line, &read) != 1)
        return 0;
    *text += size + (size_t)read;
    return line;
}

/* A parameter that cannot be a local of Lua: its name has other characters, or is a word of Lua. */
static ErrCode cage_check_names(const UserFunction *function, Err *err) {
    static const char *const words[] = {
        "and",   "break", "do",  "else", "elseif", "end",    "false", "for",  "function", "goto",
        "if",    "in",    "local", "nil", "not",   "or",     "repeat", "return", "then",  "true",
        "until", "while"};
    char name[CAGE_NAME_MAX];
    for (uint32_t i = 0; i < function->param_count; i++) {
        bool good = !isdigit((unsigned char)*cage_name(function->params[i].name, name)) && *name;
        for (const char *at = name; *at; at++)
            good = good && (isalnum((unsigned char)*at) || *at == '_');
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            good = good && strcmp(words[w], name) != 0;
        if (!good)
            return err_set(err, ERR_SEMANTIC, "Parameter %s cannot be a local variable of Lua: "
                           "give it another name.", function->params[i].name);
    }
    return ERR_OK;
}

ErrCode cage_check(const UserFunction *function, Err *err) {
    TRY(cage_check_names(function, err));
    Arena *arena = arena_new("cage check", 0);
    Cage *cage = cage_open(function, arena);
    ErrCode code = ERR_OK;
    if (!cage_build(cage)) {
        const char *text;
        uint32_t line = cage_error_line(cage, &text);
        code = err_set_at(err, line > 0 ? ERR_SYNTAX : ERR_LIMIT, line, 0,
                          "The body of function %s is no Lua: %s", function->name, text);
    }
    arena_free(arena);
    return code;
}

/* -- Calling ----------------------------------------------------------------------------------- */

/* Runs in protected mode: pushes the arguments, calls the body (value 1), takes its result. */
static int cage_run(lua_State *lua) {
    Cage *cage = cage_of(lua);
    const FunctionCall *call = cage->call;
    luaL_checkstack(lua, (int)call->arg_count + LUA_MINSTACK, "arguments");
    for (uint32_t i = 0; i < call->arg_count; i++)
        cage_push_value(cage, call->args[i], cage->row);
    lua_call(lua, (int)call->arg_count, 1);
    if (!cage->over && !cage_take_result(cage, cage->result))
        return luaL_error(lua, "it returned %s", cage->reason);
    return 0;
}

/* "NAME:12: text" as "line 12: text". */
static void cage_explain_text(Cage *cage, const char *text) {
    char copy[CAGE_REASON_MAX];
    snprintf(copy, sizeof copy, "%s", text);
    snprintf(cage->reason, sizeof cage->reason, "%s", text);
    uint32_t line = cage_error_line(cage, &text);
    if (line > 0)
        snprintf(cage->reason, sizeof cage->reason, "line %u: %s", line,
                 copy + (text - cage->reason));
}

/* Why the call failed, in cage->reason; the error is on the top of the stack. */
static void cage_explain(Cage *cage, int status) {
    lua_State *lua = cage->lua;
    size_t size = sizeof cage->reason;
    if (cage->over && cage->batch_left < cage->function->steps_max)
        snprintf(cage->reason, size, "the calls of this batch took more than %lld instructions",
                 (long long)cage->function->batch_steps_max);
    else if (cage->over)
        snprintf(cage->reason, size, "it took more than %lld instructions",
                 (long long)cage->function->steps_max);
    else if (status == LUA_ERRMEM)
        snprintf(cage->reason, size, "it needs more than %lld bytes of memory",
                 (long long)cage->function->memory_max);
    else if (lua_type(lua, -1) == LUA_TSTRING)
        cage_explain_text(cage, lua_tostring(lua, -1));
    else
        snprintf(cage->reason, size, "it raised %s", luaL_typename(lua, -1));
}

static void cage_call_row(Cage *cage) {
    lua_State *lua = cage->lua;
    int64_t steps = cage->function->steps_max;
    if (cage->batch_left < steps)
        steps = cage->batch_left;
    cage->left = steps;
    cage->over = false;
    cage->text_bytes = 0;
    cage->refused = 0;
    cage->values_left = CAGE_VALUES_MAX;
    lua_sethook(lua, cage_hook, LUA_MASKCOUNT, steps < CAGE_TICK ? (int)steps + 1 : CAGE_TICK);
    assert(lua_gettop(lua) == 1);
    lua_pushcfunction(lua, cage_run);
    lua_pushvalue(lua, 1);
    int status = lua_pcall(lua, 1, 0, 0);
    lua_sethook(lua, NULL, 0, 0);
    if (status != LUA_OK || cage->over)
        cage_explain(cage, status);
    if (status != LUA_OK || cage->over)
        cage->call->fail(cage->call->context, cage->row, "Function %s: %s",
                         cage->function->name, cage->reason);
    cage->batch_left -= steps - (cage->left < 0 ? 0 : cage->left);
    lua_settop(lua, 1);
    if (cage->used_bytes > (size_t)cage->function->memory_max / 2)
        lua_gc(lua, LUA_GCCOLLECT, 0);
}

void cage_kernel(const FunctionCall *call) {
    Cage *cage = call->state;
    CageResult result;
    assert(cage);
    if (!cage->lua && !cage->broken)
        cage->broken = !cage_build(cage);
    cage->call = call;
    cage->batch_left = cage->function->batch_steps_max;
    cage->result = &result;
    cage_start_result(&result, call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        cage->row = call->rows[i];
        if (cage->broken)
            call->fail(call->context, cage->row, "Function %s: %s", cage->function->name,
                       cage->reason);
        else if (cage->batch_left <= 0)
            call->fail(call->context, cage->row, "Function %s: the calls of this batch took more "
                       "than %lld instructions", cage->function->name,
                       (long long)cage->function->batch_steps_max);
        else
            cage_call_row(cage);
    }
    cage_finish_result(&result, call);
}
