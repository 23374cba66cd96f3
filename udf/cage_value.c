/*
 * cage_value.c - SQL values to Lua and back.
 *
 *   BOOLEAN boolean · INTEGER, BIGINT integer · DOUBLE float · DECIMAL text with all its digits
 *   STRING, BYTES string · TIMESTAMP, TIME integer milliseconds · DATE integer days since 1970
 *   ARRAY table with elements 1 to n, and n · MAP table · STRUCT table by field name · NULL nil
 *
 * Back the same; what is no value of the type is refused with its place: a float is an integer
 * only where it is whole, a text is never a number, a field that the type lacks is a mistake.
 * Nested results are written as row_value.h has them and become columns at the end of the batch.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "data/decimal.h"
#include "data/row_value.h"
#include "udf/cage_impl.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

const char *cage_name(const char *name, char *out) {
    size_t size = strlen(name);
    bool plain = true;
    assert(size < CAGE_NAME_MAX);
    for (size_t i = 0; i < size; i++)
        plain = plain && ((name[i] >= 'A' && name[i] <= 'Z') || name[i] == '_' || name[i] == '@' ||
                          (name[i] >= '0' && name[i] <= '9'));
    for (size_t i = 0; i <= size; i++)
        out[i] = plain && name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    return out;
}

/* -- To Lua ------------------------------------------------------------------------------------ */

static void push_decimal(Cage *cage, const Column *column, uint32_t row) {
    Buf *text = &cage->text;
    uint32_t precision = column->type->precision;
    const uint8_t *data = column->data;
    buf_reset(text);
    decimal_print(text, decimal_load(data + (size_t)row * decimal_width(precision), precision),
                  column->type->scale);
    lua_pushlstring(cage->lua, (const char *)text->data, text->size);
}

static void push_array(Cage *cage, const Column *column, uint32_t row) {
    lua_State *lua = cage->lua;
    uint32_t first = column->offsets[row], count = column->offsets[row + 1] - first;
    cage_charge(lua, count);
    lua_createtable(lua, (int)count, 1);
    for (uint32_t i = 0; i < count; i++) {
        cage_push_value(cage, &column->children[0], first + i);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(lua, count);
    lua_setfield(lua, -2, "n");
}

static void push_map(Cage *cage, const Column *column, uint32_t row) {
    lua_State *lua = cage->lua;
    uint32_t first = column->offsets[row], end = column->offsets[row + 1];
    cage_charge(lua, end - first);
    lua_createtable(lua, 0, (int)(end - first));
    for (uint32_t i = first; i < end; i++) {
        if (column_is_null(&column->children[0], i))
            continue;
        cage_push_value(cage, &column->children[0], i);
        cage_push_value(cage, &column->children[1], i);
        lua_rawset(lua, -3);
    }
}

static void push_struct(Cage *cage, const Column *column, uint32_t row) {
    lua_State *lua = cage->lua;
    char name[CAGE_NAME_MAX];
    cage_charge(lua, column->type->field_count);
    lua_createtable(lua, 0, (int)column->type->field_count);
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        cage_push_value(cage, &column->children[i], row);
        lua_setfield(lua, -2, cage_name(column->type->fields[i].name, name));
    }
}

void cage_push_value(Cage *cage, const Column *column, uint32_t row) {
    lua_State *lua = cage->lua;
    luaL_checkstack(lua, 4, "nested values");
    if (column->type->kind == TYPE_NULL || column_is_null(column, row)) {
        lua_pushnil(lua);
        return;
    }
    switch (column->type->kind) {
    case TYPE_NULL: break;
    case TYPE_BOOLEAN: lua_pushboolean(lua, column->boolean[row]); break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: lua_pushinteger(lua, column->i32[row]); break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: lua_pushinteger(lua, column->i64[row]); break;
    case TYPE_DOUBLE: lua_pushnumber(lua, column->f64[row]); break;
    case TYPE_DECIMAL: push_decimal(cage, column, row); break;
    case TYPE_STRING:
    case TYPE_BYTES:
        lua_pushlstring(lua, (const char *)column->bytes[row].data, column->bytes[row].size);
        break;
    case TYPE_ARRAY: push_array(cage, column, row); break;
    case TYPE_MAP: push_map(cage, column, row); break;
    case TYPE_STRUCT: push_struct(cage, column, row); break;
    }
}

/* -- From Lua: single values ------------------------------------------------------------------- */

typedef union Single {
    bool boolean;
    int64_t i64;
    double f64;
    Bytes bytes;
    Decimal decimal;
} Single;

static bool take_fails(Cage *cage, const char *format, const char *left, const char *right) {
    snprintf(cage->reason, sizeof cage->reason, format, left, right);
    return false;
}

static bool take_wrong_type(Cage *cage, const Type *type) {
    Arena *scratch = arena_new("type name", 0);
    take_fails(cage, "a %s where %s is wanted", luaL_typename(cage->lua, -1),
               type_text(scratch, type));
    arena_free(scratch);
    return false;
}

/* Puts the place in front of the reason. */
static bool take_in(Cage *cage, const char *what, const char *name) {
    char reason[CAGE_REASON_MAX];
    snprintf(reason, sizeof reason, "%s", cage->reason);
    snprintf(cage->reason, sizeof cage->reason, "%s%.60s: %.160s", what, name, reason);
    return false;
}

static void take_bounds(TypeKind kind, int64_t *min, int64_t *max) {
    *min = INT64_MIN;
    *max = INT64_MAX;
    if (kind == TYPE_INT || kind == TYPE_DATE) {
        *min = INT32_MIN;
        *max = INT32_MAX;
    } else if (kind == TYPE_TIME) {
        *min = 0;
        *max = DAY_MS - 1;
    }
}

static bool take_integer(Cage *cage, const Type *type, Single *single) {
    int64_t min, max;
    int whole;
    char number[64];
    if (lua_type(cage->lua, -1) != LUA_TNUMBER)
        return take_wrong_type(cage, type);
    single->i64 = lua_tointegerx(cage->lua, -1, &whole);
    take_bounds(type->kind, &min, &max);
    if (whole && single->i64 >= min && single->i64 <= max)
        return true;
    if (whole)
        snprintf(number, sizeof number, "%lld", (long long)single->i64);
    else
        snprintf(number, sizeof number, "%.17g", lua_tonumber(cage->lua, -1));
    Arena *scratch = arena_new("type name", 0);
    take_fails(cage, "%s is no %s", number, type_text(scratch, type));
    arena_free(scratch);
    return false;
}

static bool take_bytes(Cage *cage, const Type *type, Single *single) {
    size_t size;
    if (lua_type(cage->lua, -1) != LUA_TSTRING)
        return take_wrong_type(cage, type);
    const char *text = lua_tolstring(cage->lua, -1, &size);
    if (size > VALUE_BYTES_MAX)
        return take_fails(cage, "%s", "a text of over 4 MiB", "");
    single->bytes = (Bytes){(const uint8_t *)text, (uint32_t)size};
    if (type->kind == TYPE_STRING && !utf8_valid(single->bytes))
        return take_fails(cage, "%s", "a STRING that is not UTF-8", "");
    return true;
}

/* A text, integer or float, rounded half up to the scale. */
static bool take_decimal(Cage *cage, const Type *type, Single *single) {
    lua_State *lua = cage->lua;
    uint32_t precision = type->precision, scale = type->scale;
    bool good;
    if (lua_type(lua, -1) == LUA_TSTRING) {
        size_t size;
        const char *text = lua_tolstring(lua, -1, &size);
        Bytes bytes = {(const uint8_t *)text, (uint32_t)size};
        good = size <= NAME_BYTES_MAX && decimal_parse_round(bytes, precision, scale,
                                                             &single->decimal);
    } else if (lua_isinteger(lua, -1)) {
        good = decimal_rescale_round(decimal_from_i64(lua_tointeger(lua, -1)), 0, scale, precision,
                                     &single->decimal);
    } else if (lua_type(lua, -1) == LUA_TNUMBER) {
        double number = lua_tonumber(lua, -1);
        good = isfinite(number) && decimal_from_double(number, precision, scale,
                                                       &single->decimal);
    } else {
        return take_wrong_type(cage, type);
    }
    if (good)
        return true;
    Arena *scratch = arena_new("type name", 0);
    take_fails(cage, "a number that is no %s", type_text(scratch, type), "");
    arena_free(scratch);
    return false;
}

/* The value on the top, which is not nil, as one of a type that is not nested. */
static bool take_single(Cage *cage, const Type *type, Single *single) {
    lua_State *lua = cage->lua;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        single->boolean = lua_toboolean(lua, -1);
        return lua_isboolean(lua, -1) || take_wrong_type(cage, type);
    case TYPE_DOUBLE:
        single->f64 = lua_tonumber(lua, -1);
        return lua_type(lua, -1) == LUA_TNUMBER || take_wrong_type(cage, type);
    case TYPE_DECIMAL: return take_decimal(cage, type, single);
    case TYPE_STRING:
    case TYPE_BYTES: return take_bytes(cage, type, single);
    default: return take_integer(cage, type, single);
    }
}

static void put_single(const Column *column, uint32_t row, const Single *single, Arena *arena) {
    uint32_t precision = column->type->precision;
    switch (column->type->kind) {
    case TYPE_BOOLEAN: column->boolean[row] = single->boolean; break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: column->i32[row] = (int32_t)single->i64; break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: column->i64[row] = single->i64; break;
    case TYPE_DOUBLE: column->f64[row] = single->f64; break;
    case TYPE_DECIMAL:
        decimal_store((uint8_t *)column->data + (size_t)row * decimal_width(precision), precision,
                      single->decimal);
        break;
    case TYPE_STRING:
    case TYPE_BYTES: column->bytes[row] = arena_bytes(arena, single->bytes); break;
    default: assert(0 && "a nested value");
    }
}

/* -- From Lua: nested values ------------------------------------------------------------------- */

static void write_single(Buf *out, const Type *type, const Single *single) {
    uint8_t decimal[32];
    uint64_t bits;
    switch (type->kind) {
    case TYPE_BOOLEAN: buf_u8(out, single->boolean); break;
    case TYPE_DOUBLE:
        memcpy(&bits, &single->f64, sizeof bits);
        buf_u64_le(out, bits);
        break;
    case TYPE_DECIMAL:
        decimal_store(decimal, type->precision, single->decimal);
        buf_put(out, decimal, decimal_width(type->precision));
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
        buf_varint(out, single->bytes.size);
        buf_bytes(out, single->bytes);
        break;
    default: buf_zigzag(out, single->i64); break;
    }
}

static bool write_value(Cage *cage, const Type *type, bool *present);

/* Zeroed bytes for `count` bits; the place in the Buf, which may move. */
static size_t write_bitmap(Buf *out, uint64_t count) {
    size_t at = out->size, size = (size_t)(count + 7) / 8;
    memset(buf_room(out, size), 0, size);
    out->size += size;
    return at;
}

static void bitmap_set(const Buf *out, size_t at, uint64_t index) {
    out->data[at + index / 8] |= (uint8_t)(1 << (index % 8));
}

/* The length of the table on the top: its field n, else its border. */
static bool array_length_of(Cage *cage, lua_Integer *length) {
    lua_State *lua = cage->lua;
    lua_pushliteral(lua, "n");
    lua_rawget(lua, -2);
    int whole = 1;
    *length = lua_isnil(lua, -1) ? (lua_Integer)lua_rawlen(lua, -2)
                                 : lua_tointegerx(lua, -1, &whole);
    lua_pop(lua, 1);
    if (!whole || *length < 0)
        return take_fails(cage, "%s", "its n is no length", "");
    if (*length > cage->values_left)
        return take_fails(cage, "%s", "too many values", "");
    cage->values_left -= (uint32_t)*length;
    return true;
}

static bool write_array(Cage *cage, const Type *type) {
    lua_Integer length;
    char place[32];
    if (!array_length_of(cage, &length))
        return false;
    buf_varint(&cage->text, (uint64_t)length);
    size_t bitmap = write_bitmap(&cage->text, (uint64_t)length);
    for (lua_Integer i = 0; i < length; i++) {
        bool present;
        lua_rawgeti(cage->lua, -1, i + 1);
        if (!write_value(cage, type->fields[0].type, &present)) {
            snprintf(place, sizeof place, "%lld", (long long)i + 1);
            return take_in(cage, "element ", place);
        }
        if (present)
            bitmap_set(&cage->text, bitmap, (uint64_t)i);
        lua_pop(cage->lua, 1);
    }
    return true;
}

static bool write_struct(Cage *cage, const Type *type) {
    lua_State *lua = cage->lua;
    char name[CAGE_NAME_MAX];
    size_t bitmap = write_bitmap(&cage->text, type->field_count);
    uint32_t found = 0, keys = 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        bool present;
        lua_pushstring(lua, cage_name(type->fields[i].name, name));
        lua_rawget(lua, -2);
        if (!write_value(cage, type->fields[i].type, &present))
            return take_in(cage, "field ", name);
        if (present)
            bitmap_set(&cage->text, bitmap, i);
        found += present;
        lua_pop(lua, 1);
    }
    for (lua_pushnil(lua); lua_next(lua, -2) != 0 && keys <= found; keys++)
        lua_pop(lua, 1);
    return keys <= found || take_fails(cage, "%s", "it has a field that the type has not", "");
}

/* Entries in order of their keys, so that equal tables make equal bytes. */
static bool write_map(Cage *cage, const Type *type) {
    lua_State *lua = cage->lua;
    lua_Integer count = cage_push_sorted_keys(lua, -1);
    if (count > cage->values_left)
        return take_fails(cage, "%s", "too many values", "");
    cage->values_left -= (uint32_t)count;
    buf_varint(&cage->text, (uint64_t)count);
    for (uint32_t part = 0; part < 2; part++) { /* the keys, then the values */
        size_t bitmap = write_bitmap(&cage->text, (uint64_t)count);
        for (lua_Integer i = 0; i < count; i++) {
            bool present;
            lua_rawgeti(lua, -1, i + 1);
            if (part == 1)
                lua_rawget(lua, -3);
            if (!write_value(cage, type->fields[part].type, &present))
                return take_in(cage, part == 0 ? "a key" : "a value", "");
            if (present)
                bitmap_set(&cage->text, bitmap, (uint64_t)i);
            lua_pop(lua, 1);
        }
    }
    lua_pop(lua, 1);
    return true;
}

static bool write_nested(Cage *cage, const Type *type) {
    if (!lua_istable(cage->lua, -1))
        return take_wrong_type(cage, type);
    luaL_checkstack(cage->lua, 8, "nested values");
    cage_charge(cage->lua, type->field_count);
    return type->kind == TYPE_STRUCT  ? write_struct(cage, type)
           : type->kind == TYPE_ARRAY ? write_array(cage, type)
                                      : write_map(cage, type);
}

/* The value on the top, which stays there. */
static bool write_value(Cage *cage, const Type *type, bool *present) {
    Single single;
    *present = !lua_isnil(cage->lua, -1);
    if (!*present)
        return true;
    if (type_is_nested(type))
        return write_nested(cage, type);
    if (!take_single(cage, type, &single))
        return false;
    write_single(&cage->text, type, &single);
    return true;
}

/* -- The result of a row ----------------------------------------------------------------------- */

void cage_start_result(CageResult *result, const FunctionCall *call) {
    *result = (CageResult){.column = call->result, .arena = call->arena};
    if (type_is_nested(call->result->type))
        result->rows = arena_array(call->arena, call->result->length, sizeof *result->rows);
}

bool cage_take_result(Cage *cage, CageResult *result) {
    const Type *type = cage->function->result;
    Single single;
    bool present;
    assert(cage->row < result->column->length);
    if (result->rows) {
        buf_reset(&cage->text);
        buf_varint(&cage->text, 1);
        buf_u8(&cage->text, 1);
        if (!write_value(cage, type, &present))
            return false;
        if (present && cage->text.size > VALUE_BYTES_MAX)
            return take_fails(cage, "%s", "a value of over 4 MiB", "");
        if (present)
            result->rows[cage->row] = arena_bytes(result->arena, buf_view(&cage->text));
        return true;
    }
    if (lua_isnil(cage->lua, -1))
        return true;
    if (!take_single(cage, type, &single))
        return false;
    put_single(result->column, cage->row, &single, result->arena);
    column_set_present(result->column, cage->row);
    return true;
}

void cage_finish_result(CageResult *result, const FunctionCall *call) {
    if (!result->rows)
        return;
    Column *column;
    Err err;
    RowLayout layout = {&call->result->type, 1};
    ErrCode code = row_value_get(result->rows, call->result->length, &layout, call->arena,
                                 &column, &err);
    if (code == ERR_OK) {
        *call->result = *column;
        return;
    }
    /* Only the memory of the step can have ended: what was written above is well-formed. */
    for (uint32_t i = 0; i < call->row_count; i++)
        call->fail(call->context, call->rows[i], "%s", err.message);
}
