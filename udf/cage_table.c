/*
 * cage_table.c - table.*, pairs and next: raw access, counted, in order.
 *
 * Lua's own walk over a table follows addresses and a seed of the day; here keys come in order
 * (numbers, then texts, then false and true), so that a function gives the same today and
 * tomorrow. Metamethods are not asked: a __len of 2^60 would keep a loop in C busy.
 */
#include <assert.h>

#include "base/mem.h"
#include "udf/cage_impl.h"

/* The table at `index`, not one of the library; its length. */
static lua_Integer table_check(lua_State *lua, int index) {
    luaL_checktype(lua, index, LUA_TTABLE);
    if (luaL_getmetafield(lua, index, "__metatable") != LUA_TNIL)
        luaL_error(lua, "a protected table cannot be used here");
    return (lua_Integer)lua_rawlen(lua, index);
}

/* Elements from `first` to `last`, charged. */
static lua_Integer table_span(lua_State *lua, lua_Integer first, lua_Integer last) {
    if (first > last)
        return 0;
    uint64_t count = (uint64_t)last - (uint64_t)first;
    cage_charge(lua, count);
    if (count >= INT32_MAX)
        luaL_error(lua, "too many elements");
    return (lua_Integer)count + 1;
}

static int table_insert(lua_State *lua) {
    lua_Integer length = table_check(lua, 1);
    lua_settop(lua, lua_gettop(lua) - (lua_gettop(lua) > 3));
    int count = lua_gettop(lua);
    if (count == 2) {
        lua_rawseti(lua, 1, length + 1);
        return 0;
    }
    if (count != 3)
        return luaL_error(lua, "wrong number of arguments to 'insert'");
    lua_Integer place = luaL_checkinteger(lua, 2);
    luaL_argcheck(lua, place >= 1 && place <= length + 1, 2, "position out of bounds");
    table_span(lua, place, length);
    for (lua_Integer i = length; i >= place; i--) {
        lua_rawgeti(lua, 1, i);
        lua_rawseti(lua, 1, i + 1);
    }
    lua_rawseti(lua, 1, place);
    return 0;
}

static int table_remove(lua_State *lua) {
    lua_Integer length = table_check(lua, 1);
    lua_Integer place = luaL_optinteger(lua, 2, length);
    if (!lua_isnoneornil(lua, 2) && length + 1 != place)
        luaL_argcheck(lua, place >= 1 && place <= length + 1, 2, "position out of bounds");
    table_span(lua, place, length);
    lua_settop(lua, 1);
    lua_rawgeti(lua, 1, place);
    for (; place < length; place++) {
        lua_rawgeti(lua, 1, place + 1);
        lua_rawseti(lua, 1, place);
    }
    if (place <= length) {
        lua_pushnil(lua);
        lua_rawseti(lua, 1, place);
    }
    return 1;
}

static int table_concat(lua_State *lua) {
    lua_Integer length = table_check(lua, 1);
    size_t separator_size;
    const char *separator = luaL_optlstring(lua, 2, "", &separator_size);
    lua_Integer first = luaL_optinteger(lua, 3, 1), last = luaL_optinteger(lua, 4, length);
    lua_Integer count = table_span(lua, first, last);
    lua_settop(lua, 2);
    luaL_Buffer out;
    luaL_buffinit(lua, &out);
    for (lua_Integer i = 0; i < count; i++) {
        if (lua_rawgeti(lua, 1, first + i) != LUA_TSTRING && !lua_isnumber(lua, -1))
            return luaL_error(lua, "invalid value (at index %I) in table for 'concat'", first + i);
        luaL_addvalue(&out);
        if (i + 1 < count)
            luaL_addlstring(&out, separator, separator_size);
    }
    luaL_pushresult(&out);
    return 1;
}

static int table_unpack(lua_State *lua) {
    lua_Integer length = table_check(lua, 1);
    lua_Integer first = luaL_optinteger(lua, 2, 1), last = luaL_optinteger(lua, 3, length);
    lua_Integer count = table_span(lua, first, last);
    if (count > LUAI_MAXSTACK || !lua_checkstack(lua, (int)count))
        return luaL_error(lua, "too many results to unpack");
    for (lua_Integer i = 0; i < count; i++)
        lua_rawgeti(lua, 1, first + i);
    return (int)count;
}

static int table_pack(lua_State *lua) {
    int count = lua_gettop(lua);
    cage_charge(lua, (uint64_t)count);
    lua_createtable(lua, count, 1);
    lua_insert(lua, 1);
    for (int i = count; i >= 1; i--)
        lua_rawseti(lua, 1, i);
    lua_pushinteger(lua, count);
    lua_setfield(lua, 1, "n");
    return 1;
}

/* move(from, first, last, place [, to]) */
static int table_move(lua_State *lua) {
    int target = lua_isnoneornil(lua, 5) ? 1 : 5;
    table_check(lua, 1);
    table_check(lua, target);
    lua_Integer first = luaL_checkinteger(lua, 2), last = luaL_checkinteger(lua, 3);
    lua_Integer place = luaL_checkinteger(lua, 4);
    lua_Integer count = table_span(lua, first, last);
    luaL_argcheck(lua, place <= LUA_MAXINTEGER - count, 4, "destination wrap around");
    bool backwards = target == 1 && place > first;
    for (lua_Integer i = 0; i < count; i++) {
        lua_Integer at = backwards ? count - 1 - i : i;
        lua_rawgeti(lua, 1, first + at);
        lua_rawseti(lua, target, place + at);
    }
    lua_pushvalue(lua, target);
    return 1;
}

/* -- Sorting ----------------------------------------------------------------------------------- */

/* Whether element `left` of the table at `table` comes before `right`: by the function at 2, or <.
 */
static bool sort_before(lua_State *lua, int table, lua_Integer left, lua_Integer right) {
    bool by_function = !lua_isnil(lua, 2);
    cage_charge(lua, 2);
    if (by_function)
        lua_pushvalue(lua, 2);
    lua_rawgeti(lua, table, left);
    lua_rawgeti(lua, table, right);
    bool before;
    if (by_function) {
        lua_call(lua, 2, 1);
        before = lua_toboolean(lua, -1);
        lua_pop(lua, 1);
        return before;
    }
    before = lua_compare(lua, -2, -1, LUA_OPLT);
    lua_pop(lua, 2);
    return before;
}

static void sort_copy(lua_State *lua, int from, lua_Integer at, int to, lua_Integer place) {
    lua_rawgeti(lua, from, at);
    lua_rawseti(lua, to, place);
}

/* Merges two sorted neighbours of at most `run` elements from one table into the other; of equal
 * elements the left one comes first. */
static void sort_merge(lua_State *lua, int from, int to, lua_Integer start, lua_Integer run,
                       lua_Integer length) {
    lua_Integer left = start, right = start + run, place = start;
    lua_Integer left_end = right <= length ? right : length + 1;
    lua_Integer right_end = right + run <= length ? right + run : length + 1;
    while (left < left_end || right < right_end) {
        bool take_right = left >= left_end ||
                          (right < right_end && sort_before(lua, from, right, left));
        sort_copy(lua, from, take_right ? right++ : left++, to, place++);
    }
}

/* A stable merge sort between the table (1) and a spare one (3). */
static int table_sort(lua_State *lua) {
    lua_Integer length = table_check(lua, 1);
    if (!lua_isnoneornil(lua, 2))
        luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_settop(lua, 2);
    table_span(lua, 1, length);
    lua_createtable(lua, (int)length, 0);
    int from = 1, to = 3;
    for (lua_Integer run = 1; run < length; run *= 2) {
        cage_charge(lua, (uint64_t)length);
        for (lua_Integer start = 1; start <= length; start += 2 * run)
            sort_merge(lua, from, to, start, run, length);
        from = 4 - from;
        to = 4 - to;
    }
    for (lua_Integer i = 1; from == 3 && i <= length; i++)
        sort_copy(lua, 3, i, 1, i);
    return 0;
}

static const luaL_Reg table_functions[] = {{"concat", table_concat}, {"insert", table_insert},
                                           {"move", table_move},     {"pack", table_pack},
                                           {"remove", table_remove}, {"sort", table_sort},
                                           {"unpack", table_unpack}, {NULL, NULL}};

void cage_push_table(lua_State *lua) {
    lua_createtable(lua, 0, 8);
    luaL_setfuncs(lua, table_functions, 0);
}

/* -- Keys in order ----------------------------------------------------------------------------- */

/* 0 numbers, 1 texts, 2 booleans, -1: has no order. */
static int key_class(lua_State *lua, int index) {
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER: return 0;
    case LUA_TSTRING: return 1;
    case LUA_TBOOLEAN: return 2;
    default: return -1;
    }
}

static int key_compare_texts(lua_State *lua, int left, int right) {
    size_t left_size, right_size;
    const char *left_text = lua_tolstring(lua, left, &left_size);
    const char *right_text = lua_tolstring(lua, right, &right_size);
    return bytes_compare((Bytes){(const uint8_t *)left_text, (uint32_t)left_size},
                         (Bytes){(const uint8_t *)right_text, (uint32_t)right_size});
}

static bool key_before(lua_State *lua, int left, int right) {
    int left_class = key_class(lua, left), right_class = key_class(lua, right);
    if (left_class < 0 || right_class < 0)
        luaL_error(lua, "keys must be numbers, texts or booleans to be walked over");
    if (left_class != right_class)
        return left_class < right_class;
    if (left_class == 0)
        return lua_compare(lua, left, right, LUA_OPLT);
    if (left_class == 2)
        return !lua_toboolean(lua, left) && lua_toboolean(lua, right);
    return key_compare_texts(lua, left, right) < 0;
}

/* next(table [, key]): the smallest key after `key`, and its value. */
static int cage_next(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    bool first = lua_isnil(lua, 2);
    bool found = false;
    lua_pushnil(lua); /* 3: the best key */
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        cage_charge(lua, 1);
        bool later = first || key_before(lua, 2, 4);
        if (later && (!found || key_before(lua, 4, 3))) {
            lua_pushvalue(lua, 4);
            lua_replace(lua, 3);
            found = true;
        }
    }
    if (!found) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushvalue(lua, 3);
    lua_pushvalue(lua, 3);
    lua_rawget(lua, 1);
    return 2;
}

/* The comparison that sorts keys. */
static int cage_key_before(lua_State *lua) {
    lua_pushboolean(lua, key_before(lua, 1, 2));
    return 1;
}

/* Upvalues: the sorted keys, how many were given. Keys that are gone by now are left out. */
static int cage_pairs_step(lua_State *lua) {
    lua_Integer place = lua_tointeger(lua, lua_upvalueindex(2));
    luaL_checktype(lua, 1, LUA_TTABLE); /* the step is a value like others: s(1) may call it */
    lua_settop(lua, 1);
    for (;;) {
        cage_charge(lua, 1);
        if (lua_rawgeti(lua, lua_upvalueindex(1), ++place) == LUA_TNIL)
            return 1;
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, 1) != LUA_TNIL)
            break;
        lua_pop(lua, 2);
    }
    lua_pushinteger(lua, place);
    lua_replace(lua, lua_upvalueindex(2));
    return 2;
}

lua_Integer cage_push_sorted_keys(lua_State *lua, int index) {
    lua_Integer count = 0;
    int table = lua_absindex(lua, index);
    luaL_checkstack(lua, 6, "keys");
    lua_createtable(lua, 0, 0);
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        lua_pop(lua, 1);
        cage_charge(lua, 1);
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, ++count);
    }
    lua_pushcfunction(lua, table_sort);
    lua_pushvalue(lua, -2);
    lua_pushcfunction(lua, cage_key_before);
    lua_call(lua, 2, 0);
    return count;
}

static int cage_pairs(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    cage_push_sorted_keys(lua, 1);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, cage_pairs_step, 2);
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

void cage_add_pairs(lua_State *lua) {
    assert(lua_istable(lua, -1));
    lua_pushcfunction(lua, cage_pairs);
    lua_setfield(lua, -2, "pairs");
    lua_pushcfunction(lua, cage_next);
    lua_setfield(lua, -2, "next");
}
