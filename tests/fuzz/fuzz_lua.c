/*
 * fuzz_lua.c - any text as the body of a Lua function: it ends, and gives the same each time.
 *
 * Each input is run twice, in two cages of its own, over three rows. However it ends, it must end
 * soon, keep to its memory, and both runs must give the same values and the same errors: a function
 * that could see an address, a clock or chance would not. The first byte chooses the result's type.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "udf/cage.h"
#include "udf/value_text.h"

enum { ROWS = 3, PARAMS = 5, BODY_MAX = 4096, STEPS_MAX = 20000, MEMORY_MAX = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

static void must(bool good, const char *text) {
    if (good)
        return;
    fprintf(stderr, "fuzz_lua: %s\n", text);
    abort();
}

/* -- Arguments --------------------------------------------------------------------------------- */

static Column *column_of(Arena *arena, const Type *type, uint32_t length) {
    Column *column = column_new(arena, type, length);
    for (uint32_t i = 0; i < length; i++)
        column_set_present(column, i);
    return column;
}

static Column *ints(Arena *arena, uint32_t length) {
    Column *column = column_of(arena, &type_int, length);
    for (uint32_t i = 0; i < length; i++)
        column->i32[i] = (int32_t)i - 1;
    return column;
}

static Column *texts(Arena *arena, uint32_t length) {
    static const char *const words[] = {"hello world", "a1b22c", "", "key = value", "((x)y)", "k"};
    Column *column = column_of(arena, &type_string, length);
    for (uint32_t i = 0; i < length; i++)
        column->bytes[i] = bytes_of(words[i % 6]);
    return column;
}

static void make_args(Arena *arena, UserParam *params, const Column **args) {
    static const char *const names[] = {"A", "S", "XS", "M", "R"};
    static const TypeField fields[] = {{"CITY", &type_string}, {"N", &type_int}};
    Column *xs = column_of(arena, type_array(arena, &type_int), ROWS);
    Column *map = column_of(arena, type_map(arena, &type_string, &type_int), ROWS);
    Column *record = column_of(arena, type_struct(arena, fields, 2), ROWS);
    for (uint32_t i = 0; i <= ROWS; i++)
        xs->offsets[i] = map->offsets[i] = 2 * i;
    xs->children[0] = *ints(arena, 2 * ROWS);
    map->children[0] = *texts(arena, 2 * ROWS);
    map->children[1] = *ints(arena, 2 * ROWS);
    record->children[0] = *texts(arena, ROWS);
    record->children[1] = *ints(arena, ROWS);
    args[0] = ints(arena, ROWS);
    args[1] = texts(arena, ROWS);
    args[2] = xs;
    args[3] = map;
    args[4] = record;
    column_set_null(&xs->children[0], 1);
    column_set_null((Column *)(uintptr_t)args[1], 2);
    for (uint32_t i = 0; i < PARAMS; i++)
        params[i] = (UserParam){names[i], args[i]->type};
}

static const Type *result_type(Arena *arena, uint8_t choice) {
    static const TypeField fields[] = {{"A", &type_int}, {"B", &type_string}};
    const Type *record = type_struct(arena, fields, 2), *decimal;
    Err err;
    must(type_decimal(arena, 30, 4, &decimal, &err) == ERR_OK, "a decimal type");
    switch (choice % 8) {
    case 0: return &type_int;
    case 1: return &type_string;
    case 2: return &type_double;
    case 3: return decimal;
    case 4: return type_array(arena, &type_string);
    case 5: return type_map(arena, &type_string, &type_bigint);
    case 6: return record;
    default: return type_array(arena, record);
    }
}

/* -- Running ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void note_failure(void *context, uint32_t row,
                                                               const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    buf_printf(context, "%u: %s\n", row, text);
}

/* What came out, as text: values and errors. */
static void run(uint8_t choice, const char *body, Buf *out) {
    static const uint16_t rows[ROWS] = {0, 1, 2};
    Arena *arena = arena_new("fuzz", 0);
    UserParam params[PARAMS];
    const Column *args[PARAMS];
    make_args(arena, params, args);
    UserFunction function = {.name = "F", .version = 1, .language = USER_LUA, .params = params,
                             .param_count = PARAMS, .result = result_type(arena, choice),
                             .body = body, .memory_max = MEMORY_MAX, .steps_max = STEPS_MAX,
                             .batch_steps_max = (int64_t)STEPS_MAX * 2};
    user_finish(&function, arena);
    FunctionCall call = {.args = args, .arg_count = PARAMS, .rows = rows, .row_count = ROWS,
                         .result = column_new(arena, function.result, ROWS), .arena = arena,
                         .fail = note_failure, .context = out};
    call.state = function.function.open(&function, arena);
    function.function.kernel(&call);
    for (uint32_t i = 0; i < ROWS; i++) {
        value_text_print(out, call.result, i);
        buf_u8(out, '\n');
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char body[BODY_MAX + 1];
    if (size < 1 || size > BODY_MAX || memchr(data, 0, size))
        return 0;
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0';
    Buf first = {0}, second = {0};
    run(data[0], body, &first);
    run(data[0], body, &second);
    bool same = first.size == second.size && memcmp(first.data, second.data, first.size) == 0;
    if (!same)
        fprintf(stderr, "first:\n%s\nsecond:\n%s\n", buf_cstr(&first), buf_cstr(&second));
    must(same, "two runs differ");
    buf_free(&first);
    buf_free(&second);
    return 0;
}

/* -- Mutating: pieces of programs rather than bytes -------------------------------------------- */

static const char *const pieces[] = {
    "while true do ", " end ", "for i = 1, 1e9 do ", "repeat ", " until false ", "goto l ::l:: ",
    "local function f(...) ", "return ", "return f(...) ", "pcall(", "xpcall(", ")", "(",
    "function() ", "error(", "assert(", "select('#', ...)", "tostring(", "tonumber(", "type(",
    "next(", "pairs(", "ipairs(", "setmetatable({}, {", "__index = ", "__call = ", "__close = ",
    "__gc = ", "__len = ", "__lt = ", "__concat = ", "__tostring = ", "__pairs = ",
    "__metatable = ", "})", "getmetatable(", "local x <close> = ", "local t = {} ",
    "t[#t + 1] = ", "t.n = ", "string.rep(", "string.format(", "string.find(", "string.gsub(",
    "string.gmatch(", "string.match(", "string.byte(", "string.char(", "string.sub(",
    "string.upper(", "table.concat(", "table.insert(", "table.remove(", "table.sort(",
    "table.unpack(", "table.move(", "table.pack(", "math.maxinteger", "math.mininteger",
    "math.huge", "math.floor(", "utf8.char(", "utf8.codes(", "utf8.len(", "utf8.codepoint(",
    "utf8.offset(", "rawget(", "rawlen(", "rawequal(", "'", "\"", "[[", "]]", "'%a+'", "'(a*)*b'",
    "'%b()'", "'%f[%w]'", "'%1'", "'.-'", "'^'", "'$'", "'%s%d'", "{", "}", ",", ";", "..", "#",
    "//", "%", "<<", ">>", "~=", "==", "<", " and ", " or ", " not ", "nil", "true", "1 << 62",
    "0x7fffffff", "-1", "0/0", "1e308", "a", "s", "xs", "m", "r.city", "xs.n", "...", "_ENV",
    " = ", "string", "t", "f", "x", " local ", " if ", " then ", " else ", " break ", " in ",
    "\n", " "
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
    const char *piece = pieces[seed / 4 % (sizeof pieces / sizeof *pieces)];
    size_t length = strlen(piece), at = size > 1 ? 1 + (seed >> 10) % size : size;
    if (at > size)
        at = size;
    if (seed % 4 == 0 || size == 0)
        return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, size_max) : size;
    size_t cut = seed % 4 == 1 ? (seed >> 7) % 8 : 0; /* bytes that the piece replaces */
    if (cut > size - at)
        cut = size - at;
    if (size - cut + length > size_max)
        return size;
    memmove(data + at + length, data + at + cut, size - at - cut);
    memcpy(data + at, piece, length);
    return size - cut + length;
}
