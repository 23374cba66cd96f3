/*
 * cage_string.c - string.*: those of Lua whose cost is what they allocate, and our own for the
 * others. Letters are those of ASCII, whatever the locale.
 */
#include <assert.h>
#include <string.h>

#include "udf/cage_impl.h"

static Bytes string_check(lua_State *lua, int index) {
    size_t size;
    const char *text = luaL_checklstring(lua, index, &size);
    return (Bytes){(const uint8_t *)text, (uint32_t)size};
}

/* Lua's own would count to 2^60 for a text of no bytes. */
static int string_rep(lua_State *lua) {
    Bytes text = string_check(lua, 1);
    lua_Integer count = luaL_checkinteger(lua, 2);
    size_t separator_size;
    const char *separator = luaL_optlstring(lua, 3, "", &separator_size);
    size_t size = text.size + separator_size;
    if (count <= 0 || size == 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    if ((uint64_t)count > (size_t)cage_of(lua)->function->memory_max / size)
        return luaL_error(lua, "resulting string too large");
    luaL_Buffer out;
    luaL_buffinit(lua, &out);
    for (lua_Integer i = 0; i < count; i++) {
        luaL_addlstring(&out, (const char *)text.data, text.size);
        if (i + 1 < count)
            luaL_addlstring(&out, separator, separator_size);
    }
    cage_charge(lua, (uint64_t)count);
    luaL_pushresult(&out);
    return 1;
}

static int string_map(lua_State *lua, char first, char last) {
    Bytes text = string_check(lua, 1);
    luaL_Buffer out;
    char *target = luaL_buffinitsize(lua, &out, text.size);
    for (uint32_t i = 0; i < text.size; i++) {
        char byte = (char)text.data[i];
        target[i] = byte >= first && byte <= last ? (char)(byte ^ 32) : byte;
    }
    luaL_pushresultsize(&out, text.size);
    return 1;
}

static int string_upper(lua_State *lua) {
    return string_map(lua, 'a', 'z');
}

static int string_lower(lua_State *lua) {
    return string_map(lua, 'A', 'Z');
}

/* byte(text [, first [, last]]): as numbers. */
static int string_byte(lua_State *lua) {
    Bytes text = string_check(lua, 1);
    lua_Integer size = text.size;
    lua_Integer first = luaL_optinteger(lua, 2, 1);
    lua_Integer last = luaL_optinteger(lua, 3, first);
    first = first < 0 ? (first < -size ? 1 : size + first + 1) : first == 0 ? 1 : first;
    last = last > size ? size : last < 0 ? (last < -size ? 0 : size + last + 1) : last;
    if (first > last)
        return 0;
    cage_charge(lua, (uint64_t)(last - first));
    luaL_checkstack(lua, (int)(last - first + 1), "string slice too long");
    for (lua_Integer i = first; i <= last; i++)
        lua_pushinteger(lua, text.data[i - 1]);
    return (int)(last - first + 1);
}

/* Upvalue 1: Lua's format. Tables and functions are shown without their addresses. */
static int string_format(lua_State *lua) {
    int count = lua_gettop(lua);
    Bytes format = string_check(lua, 1);
    cage_charge(lua, 1 + format.size / 4);
    for (uint32_t i = 0; i + 1 < format.size; i++) {
        if (format.data[i] != '%')
            continue;
        while (++i < format.size && strchr("-+ #0123456789.", format.data[i]) &&
               format.data[i] != '\0')
            continue;
        if (i < format.size && format.data[i] == 'p')
            return luaL_error(lua, "invalid conversion '%%p' to 'format'");
    }
    for (int i = 2; i <= count; i++) {
        int type = lua_type(lua, i);
        if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) {
            cage_push_text(lua, i, NULL);
            lua_replace(lua, i);
        }
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, 1);
    return 1;
}

static const char *const own_names[] = {"char", "len", "reverse", "sub"};
static const luaL_Reg string_functions[] = {
    {"byte", string_byte},       {"find", cage_string_find}, {"gmatch", cage_string_gmatch},
    {"gsub", cage_string_gsub},  {"lower", string_lower},    {"match", cage_string_match},
    {"rep", string_rep},         {"upper", string_upper},    {NULL, NULL}};

void cage_push_string(lua_State *lua) {
    lua_pushcfunction(lua, luaopen_string);
    lua_call(lua, 0, 1);
    lua_createtable(lua, 0, 16);
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++) {
        lua_getfield(lua, -2, own_names[i]);
        assert(lua_isfunction(lua, -1));
        lua_setfield(lua, -2, own_names[i]);
    }
    lua_getfield(lua, -2, "format");
    lua_pushcclosure(lua, string_format, 1);
    lua_setfield(lua, -2, "format");
    luaL_setfuncs(lua, string_functions, 0);
    lua_remove(lua, -2);
}
