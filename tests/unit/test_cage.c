/*
 * test_cage.c - Lua functions of users: values both ways, what the cage lacks, and programs that
 * want to break out of it, stay for ever or take all memory.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "data/decimal.h"
#include "udf/cage.h"
#include "udf/value_text.h"

enum { STEPS_MAX = 500000, MEMORY_MAX = 1 << 20, ROWS = 3 };

static Arena *arena;
static char failure[1024]; /* of the last row that failed */
static uint32_t failures;

__attribute__((format(printf, 3, 4))) static void fail_row(void *context, uint32_t row,
                                                           const char *format, ...) {
    (void)context;
    (void)row;
    va_list args;
    va_start(args, format);
    vsnprintf(failure, sizeof failure, format, args);
    va_end(args);
    failures++;
}

/* -- Arguments: each column has ROWS equal values ---------------------------------------------- */

static Column *column_of(const Type *type) {
    Column *column = column_new(arena, type, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        column_set_present(column, i);
    return column;
}

static Column *ints(uint32_t length, int32_t first) {
    Column *column = column_new(arena, &type_int, length);
    for (uint32_t i = 0; i < length; i++) {
        column->i32[i] = first + (int32_t)i;
        column_set_present(column, i);
    }
    return column;
}

static Column *texts(uint32_t length, const char *const *values) {
    Column *column = column_new(arena, &type_string, length);
    for (uint32_t i = 0; i < length; i++) {
        column->bytes[i] = bytes_of(values[i]);
        column_set_present(column, i);
    }
    return column;
}

/* Ranges of two elements a row. */
static void pairs_of(Column *column) {
    for (uint32_t i = 0; i <= ROWS; i++)
        column->offsets[i] = 2 * i;
}

enum { ARGS = 9 };
static UserParam params[ARGS];
static const Column *args[ARGS];

static void add(uint32_t index, const char *name, const Column *column) {
    params[index] = (UserParam){name, column->type};
    args[index] = column;
}

static void make_args(void) {
    static const char *const keys[] = {"k", "z", "k", "z", "k", "z"};
    static const char *const words[] = {"Hello, W\xC3\xB6rld", "Hello, W\xC3\xB6rld",
                                        "Hello, W\xC3\xB6rld"};
    const Type *decimal, *record;
    Err err;
    assert_int_equal(type_decimal(arena, 6, 2, &decimal, &err), ERR_OK);
    static const TypeField fields[] = {{"CITY", &type_string}, {"Zip", &type_int}};
    record = type_struct(arena, fields, 2);
    Column *a = column_of(&type_int), *d = column_of(decimal), *t = column_of(&type_timestamp);
    Column *xs = column_of(type_array(arena, &type_int));
    Column *m = column_of(type_map(arena, &type_string, &type_int)), *r = column_of(record);
    Column *b = column_of(&type_boolean);
    for (uint32_t i = 0; i < ROWS; i++) {
        a->i32[i] = 7;
        b->boolean[i] = true;
        t->i64[i] = 1700000000000;
        decimal_store(&d->i64[i], 6, decimal_from_i64(1250));
    }
    pairs_of(xs);
    xs->children[0] = *ints(2 * ROWS, 1);
    column_set_null(&xs->children[0], 1);
    pairs_of(m);
    m->children[0] = *texts(2 * ROWS, keys);
    m->children[1] = *ints(2 * ROWS, 10);
    r->children[0] = *texts(ROWS, words);
    r->children[1] = *ints(ROWS, 100);
    add(0, "A", a);
    add(1, "S", texts(ROWS, words));
    add(2, "NONE", column_new(arena, &type_double, ROWS));
    add(3, "XS", xs);
    add(4, "M", m);
    add(5, "R", r);
    add(6, "D", d);
    add(7, "TS", t);
    add(8, "B", b);
}

static int setup(void **state) {
    (void)state;
    arena = arena_new("test", 0);
    make_args();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

/* -- Running ----------------------------------------------------------------------------------- */

static UserFunction *function_of(const Type *result, const char *body) {
    UserFunction *function = arena_alloc(arena, sizeof *function);
    *function = (UserFunction){.name = "F", .version = 1, .language = USER_LUA, .params = params,
                               .param_count = ARGS, .result = result, .body = body,
                               .memory_max = MEMORY_MAX, .steps_max = STEPS_MAX,
                               .batch_steps_max = (int64_t)STEPS_MAX * ROWS};
    user_finish(function, arena);
    return function;
}

static Column *run_rows(const UserFunction *function, uint32_t row_count) {
    static const uint16_t rows[ROWS] = {0, 1, 2};
    FunctionCall call = {.args = args, .arg_count = ARGS, .rows = rows, .row_count = row_count,
                         .result = column_new(arena, function->result, ROWS), .arena = arena,
                         .fail = fail_row};
    call.state = function->function.open(function, arena);
    failures = 0;
    function->function.kernel(&call);
    return call.result;
}

/* The result of the first row as text, or "! reason". */
static const char *run(const Type *result, const char *body) {
    Column *column = run_rows(function_of(result, body), 1);
    if (failures > 0)
        return arena_printf(arena, "! %s", failure);
    Buf text = {0};
    value_text_print(&text, column, 0);
    const char *copy = arena_strdup(arena, buf_cstr(&text));
    buf_free(&text);
    return copy;
}

typedef struct Case {
    const Type *result;
    const char *body;
    const char *wanted; /* "! x": fails with x in the reason */
} Case;

static void check(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *got = run(cases[i].result, cases[i].body);
        const char *wanted = cases[i].wanted;
        bool fails = *wanted == '!';
        bool good = fails ? *got == '!' && strstr(got, wanted[1] ? wanted + 2 : "")
                          : strcmp(got, wanted) == 0;
        if (!good)
            fail_msg("%s\n  wanted %s\n  got    %s", cases[i].body, wanted, got);
    }
}

#define CHECK(cases) check(cases, sizeof cases / sizeof *cases)

/* -- Values ------------------------------------------------------------------------------------ */

static void test_arguments(void **state) {
    (void)state;
    const Case cases[] = {
        {&type_int, "return a", "7"},
        {&type_string, "return s", "Hello, W\xC3\xB6rld"},
        {&type_boolean, "return none == nil and b == true", "true"},
        {&type_string, "return xs[1] .. ' ' .. tostring(xs[2]) .. ' ' .. xs.n", "1 null 2"},
        {&type_string, "local t = {} for k, v in pairs(m) do t[#t + 1] = k .. v end "
                       "return table.concat(t, ' ')", "k10 z11"},
        {&type_string, "return r.city .. r.Zip", "Hello, W\xC3\xB6rld100"},
        {&type_string, "return d .. ' ' .. math.type(ts) .. ' ' .. ts", "12.50 integer "
                                                                        "1700000000000"},
        {&type_int, "return select('#', ...)", "9"},
        {&type_double, "return none", "null"},
        {&type_string, "", "null"},
    };
    /* nil prints as Lua's "nil": the SQL text of a missing value is ours. */
    Case fixed[sizeof cases / sizeof *cases];
    memcpy(fixed, cases, sizeof cases);
    fixed[3].wanted = "1 nil 2";
    CHECK(fixed);
}

static void test_results(void **state) {
    (void)state;
    const Type *decimal;
    Err err;
    assert_int_equal(type_decimal(arena, 4, 2, &decimal, &err), ERR_OK);
    static const TypeField fields[] = {{"A", &type_int}, {"b c", &type_string}};
    const Type *record = type_struct(arena, fields, 2);
    const Type *array = type_array(arena, &type_int), *nested = type_array(arena, record);
    const Type *map = type_map(arena, &type_string, array);
    const Case cases[] = {
        {&type_int, "return 2147483647", "2147483647"},
        {&type_int, "return 2147483648", "! it returned 2147483648 is no INTEGER"},
        {&type_int, "return 3.0", "3"},
        {&type_int, "return 3.5", "! it returned 3.5 is no INTEGER"},
        {&type_int, "return '3'", "! it returned a string where INTEGER is wanted"},
        {&type_bigint, "return math.maxinteger", "9223372036854775807"},
        {&type_bigint, "return 2.0^63", "! is no BIGINT"},
        {&type_double, "return 1", "1.0"},
        {&type_double, "return 0/0", "NaN"},
        {&type_boolean, "return 1", "! a number where BOOLEAN is wanted"},
        {&type_string, "return 1", "! a number where STRING is wanted"},
        {&type_string, "return '\\xff'", "! a STRING that is not UTF-8"},
        {&type_string, "return '\\0x'", NULL},
        {&type_time, "return 86399999", "23:59:59"},
        {&type_time, "return 86400000", "! is no TIME"},
        {&type_date, "return 1", "1970-01-02"},
        {&type_timestamp, "return ts", "2023-11-14T22:13:20.000"},
        {decimal, "return '12.345'", "12.35"},
        {decimal, "return 1", "1.00"},
        {decimal, "return 0.1 + 0.2", "0.30"},
        {decimal, "return 100", "! a number that is no DECIMAL(4, 2)"},
        {decimal, "return 'x'", "! a number that is no DECIMAL(4, 2)"},
        {decimal, "return 1/0", "! a number that is no"},
        {array, "return {1, 2, 3}", "[1, 2, 3]"},
        {array, "return {1, nil, 3, n = 4}", "[1, null, 3, null]"},
        {array, "return xs", "[1, null]"},
        {array, "return {}", "[]"},
        {array, "return {1, 'x'}", "! element 2: a string where INTEGER is wanted"},
        {array, "return {n = -1}", "! its n is no length"},
        {array, "return {n = 1 << 40}", "! too many values"},
        {record, "return {a = 1, ['b c'] = 'x'}", "Struct{A=1,b c=x}"},
        {record, "return {}", "Struct{}"},
        {record, "return {a = 1, B = 2}", "! it has a field that the type has not"},
        {record, "return {a = {}}", "! field a: a table where INTEGER is wanted"},
        {nested, "return {{a = 1}, nil, {a = 'x'}, n = 3}", "! element 3: field a: a string"},
        {nested, "return {{a = 1}, nil, {a = 2}, n = 3}",
         "[Struct{A=1}, null, Struct{A=2}]"},
        {map, "return {z = {1}, a = {}, m = {2, 3}}", "{a=[], m=[2, 3], z=[1]}"},
        {map, "return {[1] = {1}}", "! a key: a number where STRING is wanted"},
        {map, "local t = {} t.t = t return t", "{t=[]}"},
    };
    Case fixed[sizeof cases / sizeof *cases];
    memcpy(fixed, cases, sizeof cases);
    fixed[12].wanted = "! ";
    fixed[12].body = "error({})";
    CHECK(fixed);
}

/* -- What there is, and what there is not ------------------------------------------------------ */

static void test_library(void **state) {
    (void)state;
    const Case cases[] = {
        {&type_string, "return ('x'):rep(3, '-')", "x-x-x"},
        {&type_string, "return string.format('%5.1f|%d|%s|%q', 1.25, 3, {}, 'a')",
         "  1.2|3|table|\"a\""},
        {&type_string, "return tostring({}) .. tostring(print) .. tostring(string.len)",
         "tablenilfunction"},
        {&type_string, "return ('a1b22c'):gsub('%d+', function(x) return '<' .. x .. '>' end)",
         "a<1>b<22>c"},
        {&type_string, "return (('hello world'):gsub('o', {o = '0'}))", "hell0 w0rld"},
        {&type_string, "return (('abc'):gsub('', '-'))", "-a-b-c-"},
        {&type_string, "return (('abc'):gsub('%w', '%0%0'))", "aabbcc"},
        {&type_string, "return (('hello world'):gsub('(%w+) (%w+)', '%2 %1'))", "world hello"},
        {&type_string, "local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do "
                       "t[#t + 1] = k .. v end return table.concat(t, ',')", "a1,b2"},
        {&type_string, "return table.concat({('key = value'):match('^(%w+)%s*=%s*(%w+)$')}, '|')",
         "key|value"},
        {&type_string, "return table.concat({('THE (quick) fox'):find('%((%a+)%)')}, ' ')",
         "5 11 quick"},
        {&type_string, "return (('THE (quick) fox'):gsub('%f[%a]%a+', string.lower))",
         "the (quick) fox"},
        {&type_string, "return ('f(a(b)c)d'):match('%b()')", "(a(b)c)"},
        {&type_string, "return ('abcabc'):match('(abc)%1') .. ('x]y'):match('[]]')", "abc]"},
        {&type_string, "return table.concat({('abc'):byte(1, -1)}, ' ')", "97 98 99"},
        {&type_string, "return table.concat({('a.b'):find('.', 1, true)}, ' ')", "2 2"},
        {&type_string, "return ('abc'):sub(-2) .. ('\xC3\xA4x'):upper() .. ('AbC'):lower()",
         "bc\xC3\xA4Xabc"},
        {&type_string, "local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) "
                       "table.insert(t, 1, 9) table.insert(t, 0) table.remove(t, 2) "
                       "return table.concat(t, ' ')", "9 2 1 0"},
        {&type_string, "local t = table.move({1, 2, 3}, 1, 3, 2) return table.concat(t, ' ')",
         "1 1 2 3"},
        {&type_int, "return select('#', table.unpack({1, 2, nil, 4}, 1, 4))", "4"},
        {&type_string, "local t = {} for k in pairs({[3] = 1, x = 1, [1] = 1, a = 1, [true] = 1}) "
                       "do t[#t + 1] = tostring(k) end return table.concat(t, ' ')",
         "1 3 a x true"},
        {&type_string, "local k, v = next({b = 2, a = 1}) return k .. v", "a1"},
        {&type_boolean, "return next({}) == nil", "true"},
        {&type_int, "return math.floor(2.7) + math.tointeger(3.0)", "5"},
        {&type_int, "return utf8.len(s)", "12"},
        {&type_string, "local ok, e = pcall(error, 'x', 0) return tostring(ok) .. e", "falsex"},
        {&type_string, "local ok, e = xpcall(error, function(e) return e .. '!' end, 'x', 0) "
                       "return e", "x!"},
        {&type_int, "local t = setmetatable({}, {__index = function(_, k) return k * 2 end}) "
                    "return t[21]", "42"},
    };
    CHECK(cases);
}

static void test_missing(void **state) {
    (void)state;
    static const char *const names[] = {
        "io", "os", "debug", "load", "loadstring", "loadfile", "dofile", "require", "package",
        "collectgarbage", "coroutine", "print", "rawset", "_G", "warn", "string.dump",
        "string.pack", "string.unpack", "string.packsize", "math.random", "math.randomseed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *body = arena_printf(arena, "return %s == nil", names[i]);
        if (strcmp(run(&type_boolean, body), "true") != 0)
            fail_msg("%s is there", names[i]);
    }
}

static void test_syntax(void **state) {
    (void)state;
    Err err;
    assert_int_equal(cage_check(function_of(&type_int, "return a\n+\n"), &err), ERR_SYNTAX);
    assert_int_equal(err.line, 3);
    assert_non_null(strstr(err.message, "unexpected symbol near <eof>"));
    assert_int_equal(cage_check(function_of(&type_int, "\x1bLua"), &err), ERR_SYNTAX);
    params[0].name = "END";
    assert_int_equal(cage_check(function_of(&type_int, "return 1"), &err), ERR_SEMANTIC);
    params[0].name = "my-name";
    assert_int_equal(cage_check(function_of(&type_int, "return 1"), &err), ERR_SEMANTIC);
    params[0].name = "A";
    UserFunction *small = function_of(&type_int, "return 1");
    ErrCode code = ERR_LIMIT;
    for (small->memory_max = 100; code == ERR_LIMIT; small->memory_max += 100)
        code = cage_check(small, &err);
    assert_int_equal(code, ERR_OK);
    assert_in_range(small->memory_max, 8000, 40000);
    assert_int_equal(cage_check(function_of(&type_int, "return 1"), &err), ERR_OK);
}

/* -- Hostile programs -------------------------------------------------------------------------- */

#define STEPS "! it took more than 500000 instructions"
#define MEMORY "! it needs more than 1048576 bytes of memory"

static const Case hostile[] = {
    {&type_int, "while true do end", STEPS},
    {&type_int, "repeat until false", STEPS},
    {&type_int, "::top:: goto top", STEPS},
    {&type_int, "local function f() return f() end return f()", STEPS},
    {&type_int, "while true do pcall(function() while true do end end) end", STEPS},
    {&type_int, "local function f() pcall(f) pcall(f) f() end f()", STEPS},
    {&type_int, "while true do xpcall(function() while true do end end, "
                "function() while true do end end) end", STEPS},
    {&type_int, "pcall(function() while true do end end) return 1", STEPS},
    {&type_int, "local t <close> = setmetatable({}, {__close = function() while true do end end}) "
                "while true do end", STEPS},
    {&type_int, "local t = setmetatable({}, {__close = function() while true do end end}) "
                "while true do local x <close> = t end", STEPS},
    {&type_int, "setmetatable({}, {__gc = function() while true do end end})",
     "! a metatable cannot have __gc here"},
    {&type_int, "for _ in setmetatable({}, {__call = function() return 1 end}) do end", STEPS},
    {&type_int, "for i = 1, math.huge do end", STEPS},
    {&type_int, "for i in ipairs(setmetatable({}, {__index = function() return 1 end})) do end",
     STEPS},
    {&type_int, "local s = string.rep('a', 30) return s:find(string.rep('a*', 30) .. 'b')", STEPS},
    {&type_int, "return (('a'):rep(1000)):find(('.-'):rep(100) .. 'b')", STEPS},
    {&type_int, "return ('('):rep(10000):find('%b()')", STEPS},
    {&type_int, "return ('x'):rep(1000000):gsub('.', '%0%0%0%0')", "!"},
    {&type_int, "return #('x'):rep(100000):gsub('', ('y'):rep(1000))", "!"},
    {&type_int, "return ('a'):rep(300):match(('(a'):rep(40) .. (')'):rep(40))",
     "! too many captures"},
    {&type_int, "return ('a'):rep(300):match(('a?'):rep(300) .. ('a'):rep(300))", "!"},
    {&type_int, "for _ in ('a'):rep(100000):gmatch('a*b') do end", STEPS},
    {&type_int, "return #string.rep('x', 1 << 40)", "! resulting string too large"},
    {&type_int, "return #string.rep('', 1 << 60)", "0"},
    {&type_int, "return #string.rep('x', 1 << 62, 'yy')", "! resulting string too large"},
    {&type_int, "while true do pcall(string.rep, 'x', 2000000) end", STEPS},
    {&type_int, "local s = 'x' while true do s = s .. s end", "!"},
    {&type_int, "local s = ('x'):rep(200000) while true do local t = s .. 'y' end", STEPS},
    {&type_int, "local t = {} while true do t[#t + 1] = {} end", MEMORY},
    {&type_int, "local t = {} for i = 1, 1e9 do t[i] = i end", MEMORY},
    {&type_int, "local t = {} while true do pcall(function() while true do t[#t + 1] = t end end) "
                "end", "!"},
    {&type_int, "local function f(n) return 1 + f(n + 1) end return f(1)", "!"},
    {&type_int, "local function f(...) return f(1, ...) end return f()", "!"},
    {&type_int, "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
     "! loop"},
    {&type_int, "local f f = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
                "return f[1]", "!"},
    {&type_int, "return tostring(setmetatable({}, {__tostring = function(t) return tostring(t) "
                "end}))", "!"},
    {&type_int, "local t = {} for i = 1, 1000 do t = {t} end local function f(x) return x[1] and "
                "f(x[1]) or 7 end return f(t)", "7"},
    {&type_int, "return ('x'):rep(100, ','):gsub('x', function() while true do end end)", STEPS},
    {&type_int, "table.sort({3, 2, 1}, function() while true do end end)", STEPS},
    {&type_int, "local t = {} for i = 1, 1000 do t[i] = i % 7 end "
                "table.sort(t, function() return true end) return #t", "1000"},
    {&type_int, "table.concat(setmetatable({}, {__len = function() return 1 << 60 end}))", "null"},
    {&type_int, "table.concat({}, '', 1, 1 << 60)", STEPS},
    {&type_int, "table.unpack({}, 1, 1 << 60)", STEPS},
    {&type_int, "table.unpack({}, math.mininteger, math.maxinteger)", STEPS},
    {&type_int, "while true do select('#', table.unpack({}, 1, 10000)) end", STEPS},
    {&type_int, "table.move({}, 1, 1 << 60, 2)", STEPS},
    {&type_int, "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)",
     "null"},
    {&type_int, "local s = ('x'):rep(300000) while true do s:byte(1, -1) end", "!"},
    {&type_int, "local s = ('x'):rep(300000) while true do utf8.len(s) end", STEPS},
    {&type_int, "local s, t = ('x'):rep(300000), ('x'):rep(300000) "
                "while true do local b = s < t end", STEPS},
    {&type_int, "local s = ('x'):rep(300000) while true do s:upper() end", STEPS},
    {&type_int, "local s = (' '):rep(300000) while true do tonumber(s) end", STEPS},
    {&type_int, "while true do string.format('%99.99f', 1e300) end", STEPS},
    {&type_int, "return string.format(('%s'):rep(100000), 1)", "!"},
    {&type_int, "x = 1", "! globals and libraries cannot be changed"},
    {&type_int, "string.rep = nil", "! globals and libraries cannot be changed"},
    {&type_int, "_ENV.pairs = nil", "! globals and libraries cannot be changed"},
    {&type_int, "table.insert(string, 1)", "! a protected table"},
    {&type_int, "table.move({1, 2}, 1, 2, 1, math)", "! a protected table"},
    {&type_int, "getmetatable('').__index.x = 1", "!"},
    {&type_int, "setmetatable(string, {})", "! cannot change a protected metatable"},
    {&type_boolean, "return getmetatable(string) == false and getmetatable('') == false", "true"},
    {&type_int, "local _ENV = {} return x", "null"},
    {&type_int, "local _ENV = {} x = 5 return x", "5"},
    {&type_int, "error()", "! it raised nil"},
    {&type_int, "error({})", "! it raised table"},
    {&type_int, "error(setmetatable({}, {__tostring = function() while true do end end}))",
     "! it raised table"},
    {&type_int, "error(('x'):rep(100000))", "! xxxx"},
    {&type_int, "error('\\xff\\0\\27[2J')", "!"},
    {&type_int, "error(error)", "! it raised function"},
    {&type_int, "return string.format('%p', {})", "! invalid conversion '%p'"},
    {&type_int, "return #tostring(string.format('%s', pairs))", "8"},
    {&type_int, "local t = {[{}] = 1, [{}] = 2} for k in pairs(t) do end",
     "! keys must be numbers, texts or booleans"},
    {&type_int, "return pairs({1})('x')", "! table expected"},
    {&type_int, "return (pairs(m))(nil)", "! table expected"},
    {&type_int, "return ('x'):gmatch('.')(1, 2)", "! a string where"},
    {&type_int, "pcall(pcall, pcall, pcall, error)", "null"},
    {&type_int, "local f = pcall for i = 1, 190 do local g = f f = function() return pcall(g) end "
                "end f() return 1", "1"},
    {&type_int, "local s = 'return ' .. ('('):rep(1000) return s", "! a string where"},
    {&type_int, "nosuch.field = 1", "! line 1: attempt to index a nil value (global 'nosuch')"},
    {&type_int, "\n\nreturn nosuch()", "! line 3: attempt to call a nil value (global 'nosuch')"},
};

/* None may take long either: the slowest is a matter of milliseconds without sanitizers. */
static void test_hostile(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        clock_t start = clock();
        check(&hostile[i], 1);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (seconds > 2.0)
            fail_msg("%s\n  took %.1f s", hostile[i].body, seconds);
    }
}

/* What one row did is not seen by the next, and a runaway row leaves the others alone. */
static void test_rows_apart(void **state) {
    (void)state;
    UserFunction *function = function_of(&type_int, "local x <const> = a return x * 2");
    Column *column = run_rows(function, ROWS);
    assert_int_equal(failures, 0);
    for (uint32_t i = 0; i < ROWS; i++)
        assert_int_equal(column->i32[i], 14);
    column = run_rows(function_of(&type_int, "while r.Zip == 101 do end return r.Zip"), ROWS);
    assert_int_equal(failures, 1);
    assert_int_equal(column->i32[0], 100);
    assert_true(column_is_null(column, 1));
    assert_int_equal(column->i32[2], 102);
}

static void test_batch_budget(void **state) {
    (void)state;
    UserFunction *function = function_of(&type_int, "while true do end");
    function->batch_steps_max = STEPS_MAX + STEPS_MAX / 2;
    run_rows(function, ROWS);
    assert_int_equal(failures, ROWS);
    assert_non_null(strstr(failure, "the calls of this batch took more than 750000"));
    function->batch_steps_max = 1;
    run_rows(function, ROWS);
    assert_int_equal(failures, ROWS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_results, setup, teardown),
        cmocka_unit_test_setup_teardown(test_library, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_syntax, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch_budget, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
