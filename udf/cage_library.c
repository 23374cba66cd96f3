/*
 * cage_library.c - what a caged function may call: basics, mathematics, and the globals.
 *
 * Every library is a table that nobody can reach, behind an empty one that reads from it and
 * refuses to be written: what one row's call did cannot be seen by the next.
 */
#include <assert.h>
#include <string.h>

#include "udf/cage_impl.h"

/* -- Text of a value --------------------------------------------------------------------------- */

const char *cage_push_text(lua_State *lua, int index, size_t *size) {
    int type = lua_type(lua, index);
    bool has_address = type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TNUMBER &&
                       type != LUA_TSTRING;
    if (has_address && luaL_getmetafield(lua, index, "__tostring") == LUA_TNIL) {
        lua_pushstring(lua, lua_typename(lua, type));
        return lua_tolstring(lua, -1, size);
    }
    if (has_address)
        lua_pop(lua, 1);
    return luaL_tolstring(lua, index, size);
}

static int cage_tostring(lua_State *lua) {
    luaL_checkany(lua, 1);
    cage_push_text(lua, 1, NULL);
    return 1;
}

/* -- Basics ------------------------------------------------------------------------------------ */

/* A finalizer would run where no budget is kept. */
static int cage_setmetatable(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_argexpected(lua, lua_isnil(lua, 2) || lua_istable(lua, 2), 2, "nil or table");
    if (lua_istable(lua, 2)) {
        lua_pushliteral(lua, "__gc");
        if (lua_rawget(lua, 2) != LUA_TNIL)
            return luaL_error(lua, "a metatable cannot have __gc here");
    }
    if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL)
        return luaL_error(lua, "cannot change a protected metatable");
    lua_settop(lua, 2);
    lua_setmetatable(lua, 1);
    return 1;
}

static int cage_pcall(lua_State *lua) {
    luaL_checkany(lua, 1);
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    if (lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0) == LUA_OK)
        return lua_gettop(lua);
    lua_pushboolean(lua, 0);
    lua_insert(lua, -2);
    return 2;
}

/* The handler is called when the error is over: hooks do not see what it does within. */
static int cage_xpcall(lua_State *lua) {
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushboolean(lua, 1);
    lua_pushvalue(lua, 1);
    lua_rotate(lua, 3, 2);
    if (lua_pcall(lua, lua_gettop(lua) - 4, LUA_MULTRET, 0) == LUA_OK)
        return lua_gettop(lua) - 2;
    lua_pushboolean(lua, 0);
    lua_pushvalue(lua, 2);
    lua_rotate(lua, -3, 2);
    lua_call(lua, 1, LUA_MULTRET);
    return lua_gettop(lua) - 3;
}

static const char *const basic_names[] = {"assert", "error", "getmetatable", "ipairs", "rawequal",
                                          "rawget", "rawlen", "select", "tonumber", "type"};
static const luaL_Reg basic_functions[] = {{"pcall", cage_pcall},
                                           {"setmetatable", cage_setmetatable},
                                           {"tostring", cage_tostring},
                                           {"xpcall", cage_xpcall},
                                           {NULL, NULL}};

/* -- Mathematics and UTF-8 --------------------------------------------------------------------- */

static const char *const math_names[] = {
    "abs",   "acos", "asin", "atan", "ceil", "cos",    "deg",        "exp",        "floor",
    "fmod",  "huge", "log",  "max",  "maxinteger", "min", "mininteger", "modf",    "pi",
    "rad",   "sin",  "sqrt", "tan",  "tointeger",  "type", "ult"};

static const char *const utf8_names[] = {"char", "charpattern", "codepoint", "codes", "len",
                                         "offset"};

/* Upvalue 1: a library function whose time goes with the length of its texts. */
static int cage_charged(lua_State *lua) {
    int count = lua_gettop(lua);
    uint64_t bytes = 0;
    for (int i = 1; i <= count; i++)
        if (lua_type(lua, i) == LUA_TSTRING)
            bytes += lua_rawlen(lua, i);
    cage_charge(lua, 1 + bytes / 4);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, LUA_MULTRET);
    return lua_gettop(lua);
}

/* -- Globals ----------------------------------------------------------------------------------- */

static int cage_refuse_write(lua_State *lua) {
    return luaL_error(lua, "globals and libraries cannot be changed: use a local variable");
}

/* Replaces the table on the top by an empty one that reads from it. */
static void cage_protect(lua_State *lua) {
    assert(lua_istable(lua, -1));
    lua_createtable(lua, 0, 0);
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, cage_refuse_write);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

/* Copies members of the library below the top into the table on the top. */
static void cage_copy(lua_State *lua, const char *const *names, size_t count, bool charged) {
    for (size_t i = 0; i < count; i++) {
        int type = lua_getfield(lua, -2, names[i]);
        assert(type != LUA_TNIL);
        if (charged && type == LUA_TFUNCTION)
            lua_pushcclosure(lua, cage_charged, 1);
        lua_setfield(lua, -2, names[i]);
    }
}

/* Pushes a protected table with these members of a library of Lua. */
static void cage_push_part(lua_State *lua, lua_CFunction open, const char *const *names,
                           size_t count, bool charged) {
    lua_pushcfunction(lua, open);
    lua_call(lua, 0, 1);
    lua_createtable(lua, 0, (int)count);
    cage_copy(lua, names, count, charged);
    lua_remove(lua, -2);
    cage_protect(lua);
}

/* What texts answer to methods with: s:upper(). */
static void cage_set_string_methods(lua_State *lua) {
    lua_pushliteral(lua, "");
    lua_createtable(lua, 0, 2);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_pop(lua, 1);
}

void cage_push_globals(lua_State *lua) {
    lua_pushcfunction(lua, luaopen_base);
    lua_call(lua, 0, 1);
    lua_createtable(lua, 0, 24);
    cage_copy(lua, basic_names, sizeof basic_names / sizeof *basic_names, false);
    luaL_setfuncs(lua, basic_functions, 0);
    cage_add_pairs(lua);
    lua_remove(lua, -2);
    cage_push_part(lua, luaopen_math, math_names, sizeof math_names / sizeof *math_names, false);
    lua_setfield(lua, -2, "math");
    cage_push_part(lua, luaopen_utf8, utf8_names, sizeof utf8_names / sizeof *utf8_names, true);
    lua_setfield(lua, -2, "utf8");
    cage_push_table(lua);
    cage_protect(lua);
    lua_setfield(lua, -2, "table");
    cage_push_string(lua);
    cage_protect(lua);
    cage_set_string_methods(lua);
    lua_setfield(lua, -2, "string");
    lua_pushliteral(lua, LUA_VERSION);
    lua_setfield(lua, -2, "_VERSION");
    cage_protect(lua);
    /* The library's own globals go: nothing can reach what is not in ours. */
    lua_createtable(lua, 0, 0);
    lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
