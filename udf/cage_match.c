/*
 * cage_match.c - string.find, match, gmatch and gsub over pattern.h, on the call's budget.
 */
#include <assert.h>
#include <string.h>

#include "udf/cage_impl.h"
#include "udf/pattern.h"

/* A pattern and its subject, ready to be tried at each place. */
typedef struct Search {
    Pattern pattern;
    bool anchored;
} Search;

static Bytes match_text(lua_State *lua, int index) {
    size_t size;
    const char *text = luaL_checklstring(lua, index, &size);
    return (Bytes){(const uint8_t *)text, (uint32_t)size};
}

static void search_init(Search *search, Bytes subject, Bytes pattern) {
    memset(search, 0, sizeof *search);
    search->anchored = pattern.size > 0 && pattern.data[0] == '^';
    search->pattern.subject = subject;
    search->pattern.pattern = (Bytes){pattern.data + search->anchored,
                                      pattern.size - search->anchored};
}

/* Tries at `at` only. */
static bool search_here(lua_State *lua, Search *search, uint32_t at, uint32_t *end) {
    Pattern *pattern = &search->pattern;
    Cage *cage = cage_of(lua);
    int64_t before = cage->left < 0 ? 0 : cage->left;
    pattern->steps = before;
    bool found = pattern_match(pattern, at, end);
    cage_charge(lua, (uint64_t)(before - pattern->steps));
    if (pattern->error)
        luaL_error(lua, "%s", pattern->error);
    return found;
}

/* From `at` on; *start is where the match begins. */
static bool search_from(lua_State *lua, Search *search, uint32_t at, uint32_t *start,
                        uint32_t *end) {
    for (*start = at; *start <= search->pattern.subject.size; ++*start) {
        if (search_here(lua, search, *start, end))
            return true;
        if (search->anchored)
            break;
    }
    return false;
}

static void push_range(lua_State *lua, Bytes subject, uint32_t start, uint32_t size) {
    lua_pushlstring(lua, (const char *)subject.data + start, size);
}

static void push_capture(lua_State *lua, const Search *search, uint32_t index) {
    const PatternCapture *capture = &search->pattern.captures[index];
    if (capture->position)
        lua_pushinteger(lua, (lua_Integer)capture->start + 1);
    else
        push_range(lua, search->pattern.subject, capture->start, capture->size);
}

/* All captures; without any the whole match, where that is wanted. */
static int push_captures(lua_State *lua, const Search *search, bool whole, uint32_t start,
                         uint32_t end) {
    uint32_t count = search->pattern.capture_count;
    luaL_checkstack(lua, (int)count + 1, "too many captures");
    if (count == 0 && whole) {
        push_range(lua, search->pattern.subject, start, end - start);
        return 1;
    }
    for (uint32_t i = 0; i < count; i++)
        push_capture(lua, search, i);
    return (int)count;
}

/* -- find and match ---------------------------------------------------------------------------- */

/* Where argument 3 says to begin; false: behind the end. */
static bool match_start(lua_State *lua, Bytes subject, uint32_t *at) {
    lua_Integer start = luaL_optinteger(lua, 3, 1);
    lua_Integer size = subject.size;
    if (start < 0)
        start = start < -size ? 1 : size + start + 1;
    if (start == 0)
        start = 1;
    *at = start > size + 1 ? 0 : (uint32_t)(start - 1);
    return start <= size + 1;
}

static int find_plain(lua_State *lua, Bytes subject, Bytes wanted, uint32_t at) {
    cage_charge(lua, 1 + (subject.size - at + wanted.size) / 8);
    const uint8_t *found = wanted.size == 0
                               ? subject.data + at
                               : memmem(subject.data + at, subject.size - at, wanted.data,
                                        wanted.size);
    if (!found) {
        lua_pushnil(lua);
        return 1;
    }
    lua_Integer start = found - subject.data + 1;
    lua_pushinteger(lua, start);
    lua_pushinteger(lua, start + wanted.size - 1);
    return 2;
}

static int string_search(lua_State *lua, bool find) {
    Bytes subject = match_text(lua, 1), text = match_text(lua, 2);
    uint32_t at, end;
    if (!match_start(lua, subject, &at)) {
        lua_pushnil(lua);
        return 1;
    }
    if (find && lua_toboolean(lua, 4))
        return find_plain(lua, subject, text, at);
    Search search;
    search_init(&search, subject, text);
    uint32_t start;
    if (!search_from(lua, &search, at, &start, &end)) {
        lua_pushnil(lua);
        return 1;
    }
    if (!find)
        return push_captures(lua, &search, true, start, end);
    lua_pushinteger(lua, (lua_Integer)start + 1);
    lua_pushinteger(lua, end);
    return 2 + push_captures(lua, &search, false, start, end);
}

int cage_string_find(lua_State *lua) {
    return string_search(lua, true);
}

int cage_string_match(lua_State *lua) {
    return string_search(lua, false);
}

/* -- gmatch ------------------------------------------------------------------------------------ */

/* Upvalues: subject, pattern, where to go on, the end of the last match (-1: none). */
static int gmatch_step(lua_State *lua) {
    Bytes subject = match_text(lua, lua_upvalueindex(1));
    lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));
    Search search;
    uint32_t start = (uint32_t)lua_tointeger(lua, lua_upvalueindex(3)), end;
    search_init(&search, subject, match_text(lua, lua_upvalueindex(2)));
    /* A '^' has no meaning here: it matches itself. */
    search.pattern.pattern.data -= search.anchored;
    search.pattern.pattern.size += search.anchored;
    search.anchored = false;
    for (; search_from(lua, &search, start, &start, &end); start++) {
        if ((lua_Integer)end == last)
            continue; /* an empty match where the last one ended */
        lua_pushinteger(lua, end);
        lua_copy(lua, -1, lua_upvalueindex(3));
        lua_replace(lua, lua_upvalueindex(4));
        return push_captures(lua, &search, true, start, end);
    }
    return 0;
}

int cage_string_gmatch(lua_State *lua) {
    Bytes subject = match_text(lua, 1);
    uint32_t at;
    match_text(lua, 2);
    if (!match_start(lua, subject, &at))
        at = subject.size + 1;
    lua_settop(lua, 2);
    lua_pushinteger(lua, at);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, gmatch_step, 4);
    return 1;
}

/* -- gsub -------------------------------------------------------------------------------------- */

/* Argument 3 as a text: %0 the match, %1 to %9 captures, %% a percent sign. */
static void replace_by_text(lua_State *lua, luaL_Buffer *out, const Search *search,
                            uint32_t start, uint32_t end) {
    Bytes text = match_text(lua, 3);
    cage_charge(lua, text.size / 8);
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte != '%') {
            luaL_addchar(out, (char)byte);
            continue;
        }
        byte = ++i < text.size ? text.data[i] : 0;
        uint32_t index = (uint32_t)byte - '1';
        if (byte == '%') {
            luaL_addchar(out, '%');
        } else if (byte == '0' || (index == 0 && search->pattern.capture_count == 0)) {
            luaL_addlstring(out, (const char *)search->pattern.subject.data + start, end - start);
        } else if (byte >= '1' && byte <= '9') {
            if (index >= search->pattern.capture_count)
                luaL_error(lua, "invalid capture index %%%d in replacement string",
                           (int)index + 1);
            push_capture(lua, search, index);
            luaL_addvalue(out);
        } else {
            luaL_error(lua, "invalid use of '%%' in replacement string");
        }
    }
}

/* A function or table: what it gives for the first capture; false and nil keep the match. */
static void replace_by_value(lua_State *lua, luaL_Buffer *out, const Search *search,
                             uint32_t start, uint32_t end) {
    if (lua_type(lua, 3) == LUA_TFUNCTION) {
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, search, true, start, end), 1);
    } else {
        if (search->pattern.capture_count > 0)
            push_capture(lua, search, 0);
        else
            push_range(lua, search->pattern.subject, start, end - start);
        lua_gettable(lua, 3);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        push_range(lua, search->pattern.subject, start, end - start);
    } else if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    }
    luaL_addvalue(out);
}

int cage_string_gsub(lua_State *lua) {
    Bytes subject = match_text(lua, 1), text = match_text(lua, 2);
    int type = lua_type(lua, 3);
    lua_Integer limit = luaL_optinteger(lua, 4, (lua_Integer)subject.size + 1), count = 0;
    bool by_text = type == LUA_TNUMBER || type == LUA_TSTRING;
    luaL_argexpected(lua, by_text || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                     "string/function/table");
    Search search;
    search_init(&search, subject, text);
    luaL_Buffer out;
    luaL_buffinit(lua, &out);
    uint32_t at = 0, end, last = UINT32_MAX;
    while (count < limit) {
        if (search_here(lua, &search, at, &end) && end != last) {
            count++;
            if (by_text)
                replace_by_text(lua, &out, &search, at, end);
            else
                replace_by_value(lua, &out, &search, at, end);
            at = last = end;
        } else if (at < subject.size) {
            luaL_addchar(&out, (char)subject.data[at++]);
        } else {
            break;
        }
        if (search.anchored)
            break;
    }
    luaL_addlstring(&out, (const char *)subject.data + at, subject.size - at);
    luaL_pushresult(&out);
    lua_pushinteger(lua, count);
    return 2;
}
