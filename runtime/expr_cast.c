/*
 * expr_cast.c - CAST.
 *
 * Between INTEGER, BIGINT and DOUBLE in one loop; everything else value by value, chosen once per
 * batch by the pair of types. Of nested values the children are cast as columns, and a value with
 * a part that fails fails as a whole.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "base/base64.h"
#include "data/number_text.h"
#include "data/time_text.h"
#include "runtime/expr_impl.h"
#include "udf/pick.h"
#include "udf/value_text.h"

/* == Numbers in one loop == */

/* Java's (int) and (long): toward zero, NaN is 0, what is too large ends at the limit. */
static inline int32_t cast_to_i32(double value) {
    if (!(value > -2147483649.0))
        return value < 0 ? INT32_MIN : 0;
    return value < 2147483648.0 ? (int32_t)value : INT32_MAX;
}

static inline int64_t cast_to_i64(double value) {
    if (!(value >= -9223372036854775808.0))
        return value < 0 ? INT64_MIN : 0;
    return value < 9223372036854775808.0 ? (int64_t)value : INT64_MAX;
}

#define CAST_NUMBER(name, from, to, expression)                                                  \
    VECTOR_LOOP static void cast_##name(to *restrict r, const from *restrict a,                  \
                                        uint32_t count) {                                        \
        for (uint32_t i = 0; i < count; i++) {                                                   \
            from x = a[i];                                                                       \
            r[i] = expression;                                                                   \
        }                                                                                        \
    }                                                                                            \
    void expr_cast_##name(ExprProgram *program, const ExprInst *inst) {                          \
        const Column *a = expr_operand(program, inst->a);                                        \
        Column *target = expr_target(program, inst);                                             \
        cast_##name(target->data, a->data, program->row_count);                                  \
        expr_strict(program, inst, target);                                                      \
    }

CAST_NUMBER(i32_i64, int32_t, int64_t, (int64_t)x)
CAST_NUMBER(i32_f64, int32_t, double, (double)x)
CAST_NUMBER(i64_i32, int64_t, int32_t, (int32_t)(uint32_t)x)
CAST_NUMBER(i64_f64, int64_t, double, (double)x)
CAST_NUMBER(f64_i32, double, int32_t, cast_to_i32(x))
CAST_NUMBER(f64_i64, double, int64_t, cast_to_i64(x))

/* == One value == */

/* Writes value `row` of *source as value `row` of *target, which has its type set; NULL, or why
 * it fails. */
typedef const char *CastOne(const Column *source, uint32_t row, Column *target, Arena *arena);

static const char cast_overflow[] = "the value has more digits than the type";

static Decimal cast_decimal(const Column *source, uint32_t row) {
    const uint8_t *data = source->data;
    assert(source->type->kind == TYPE_DECIMAL);
    return decimal_load(data + (size_t)row * type_width(source->type), source->type->precision);
}

static const char *cast_put_decimal(Column *target, uint32_t row, bool fits, Decimal value) {
    if (!fits)
        return cast_overflow;
    uint8_t *data = target->data;
    decimal_store(data + (size_t)row * type_width(target->type), target->type->precision, value);
    return NULL;
}

static const char *cast_i64_decimal(int64_t number, uint32_t row, Column *target) {
    const Type *type = target->type;
    Decimal value;
    bool fits = decimal_rescale_exact(decimal_from_i64(number), 0, type->scale, type->precision,
                                      &value);
    return cast_put_decimal(target, row, fits, value);
}

static const char *cast_int_to_decimal(const Column *source, uint32_t row, Column *target,
                                       Arena *arena) {
    (void)arena;
    return cast_i64_decimal(source->i32[row], row, target);
}

static const char *cast_bigint_to_decimal(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    return cast_i64_decimal(source->i64[row], row, target);
}

static const char *cast_double_to_decimal(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    Decimal value;
    bool fits = decimal_from_double(source->f64[row], target->type->precision,
                                    target->type->scale, &value);
    return cast_put_decimal(target, row, fits, value);
}

static const char *cast_decimal_to_decimal(const Column *source, uint32_t row, Column *target,
                                           Arena *arena) {
    (void)arena;
    Decimal value;
    bool fits = decimal_rescale_round(cast_decimal(source, row), source->type->scale,
                                      target->type->scale, target->type->precision, &value);
    return cast_put_decimal(target, row, fits, value);
}

static const char *cast_decimal_to_int(const Column *source, uint32_t row, Column *target,
                                       Arena *arena) {
    (void)arena;
    target->i32[row] =
        (int32_t)(uint32_t)decimal_to_i64(cast_decimal(source, row), source->type->scale);
    return NULL;
}

static const char *cast_decimal_to_bigint(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    target->i64[row] = decimal_to_i64(cast_decimal(source, row), source->type->scale);
    return NULL;
}

static const char *cast_decimal_to_double(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    target->f64[row] = decimal_to_double(cast_decimal(source, row), source->type->scale);
    return NULL;
}

/* A prefix of "true" or "yes", any case. */
static const char *cast_text_to_boolean(const Column *source, uint32_t row, Column *target,
                                        Arena *arena) {
    static const char *const words[] = {"true", "yes"};
    (void)arena;
    Bytes text = utf8_trim(source->bytes[row]);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t same = 0;
        while (same < text.size && same < strlen(words[i]) &&
               (text.data[same] | 0x20) == (uint8_t)words[i][same])
            same++;
        if (text.size > 0 && same == text.size)
            target->boolean[row] = 1;
    }
    return NULL;
}

static const char *cast_text_to_int(const Column *source, uint32_t row, Column *target,
                                    Arena *arena) {
    (void)arena;
    int64_t value;
    if (!number_parse_i64(utf8_trim(source->bytes[row]), &value) || value < INT32_MIN ||
        value > INT32_MAX)
        return "the text is not an INTEGER";
    target->i32[row] = (int32_t)value;
    return NULL;
}

static const char *cast_text_to_bigint(const Column *source, uint32_t row, Column *target,
                                       Arena *arena) {
    (void)arena;
    bool parsed = number_parse_i64(utf8_trim(source->bytes[row]), &target->i64[row]);
    return parsed ? NULL : "the text is not a BIGINT";
}

static const char *cast_text_to_double(const Column *source, uint32_t row, Column *target,
                                       Arena *arena) {
    (void)arena;
    bool parsed = number_parse_double(utf8_trim(source->bytes[row]), &target->f64[row]);
    return parsed ? NULL : "the text is not a DOUBLE";
}

static const char *cast_text_to_decimal(const Column *source, uint32_t row, Column *target,
                                        Arena *arena) {
    (void)arena;
    Decimal value;
    bool parsed = decimal_parse_round(utf8_trim(source->bytes[row]), target->type->precision,
                                      target->type->scale, &value);
    if (!parsed)
        return "the text is not a DECIMAL of this type";
    return cast_put_decimal(target, row, true, value);
}

static const char *cast_text_to_timestamp(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    bool parsed = time_parse_timestamp(utf8_trim(source->bytes[row]), &target->i64[row]);
    return parsed ? NULL
                  : "Failed to parse timestamp. Required format is: "
                    "\"yyyy-MM-dd'T'HH:mm:ss.SSS\", with an optional numeric timezone";
}

static const char *cast_text_to_date(const Column *source, uint32_t row, Column *target,
                                     Arena *arena) {
    (void)arena;
    bool parsed = time_parse_date(utf8_trim(source->bytes[row]), &target->i32[row]);
    return parsed ? NULL : "Failed to parse date. Required format is: \"yyyy-MM-dd\"";
}

static const char *cast_text_to_time(const Column *source, uint32_t row, Column *target,
                                     Arena *arena) {
    (void)arena;
    bool parsed = time_parse_time(utf8_trim(source->bytes[row]), &target->i32[row]);
    return parsed ? NULL : "Failed to parse time. Required format is: \"HH:mm:ss.SSS\"";
}

static const char *cast_text_to_bytes(const Column *source, uint32_t row, Column *target,
                                      Arena *arena) {
    Bytes text = utf8_trim(source->bytes[row]);
    uint8_t *bytes = arena_raw(arena, base64_room(text.size));
    uint32_t size;
    if (!base64_parse(text, bytes, &size))
        return "the text is not base64";
    target->bytes[row] = (Bytes){bytes, size};
    return NULL;
}

enum { CAST_DAY_MS = 86400000 };

static const char *cast_date_to_timestamp(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    target->i64[row] = (int64_t)source->i32[row] * CAST_DAY_MS;
    return NULL;
}

static int64_t cast_days(int64_t ms) {
    return ms / CAST_DAY_MS - (ms % CAST_DAY_MS < 0);
}

static const char *cast_timestamp_to_date(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    target->i32[row] = (int32_t)cast_days(source->i64[row]);
    return NULL;
}

static const char *cast_timestamp_to_time(const Column *source, uint32_t row, Column *target,
                                          Arena *arena) {
    (void)arena;
    int64_t of_day = source->i64[row] % CAST_DAY_MS;
    target->i32[row] = (int32_t)(of_day < 0 ? of_day + CAST_DAY_MS : of_day);
    return NULL;
}

/* The pairs that have loops of their own, for parts of nested values. */
#define CAST_PAIR(name, from, to, expression)                                                    \
    static const char *cast_##name(const Column *source, uint32_t row, Column *target,           \
                                   Arena *arena) {                                               \
        (void)arena;                                                                             \
        target->to[row] = expression(source->from[row]);                                         \
        return NULL;                                                                             \
    }

CAST_PAIR(int_to_bigint, i32, i64, (int64_t))
CAST_PAIR(int_to_double, i32, f64, (double))
CAST_PAIR(bigint_to_int, i64, i32, (int32_t)(uint32_t))
CAST_PAIR(bigint_to_double, i64, f64, (double))
CAST_PAIR(double_to_int, f64, i32, cast_to_i32)
CAST_PAIR(double_to_bigint, f64, i64, cast_to_i64)

static const struct {
    TypeKind from, to;
    CastOne *one;
} cast_pairs[] = {
    {TYPE_INT, TYPE_DECIMAL, cast_int_to_decimal},
    {TYPE_BIGINT, TYPE_DECIMAL, cast_bigint_to_decimal},
    {TYPE_DOUBLE, TYPE_DECIMAL, cast_double_to_decimal},
    {TYPE_DECIMAL, TYPE_DECIMAL, cast_decimal_to_decimal},
    {TYPE_DECIMAL, TYPE_INT, cast_decimal_to_int},
    {TYPE_DECIMAL, TYPE_BIGINT, cast_decimal_to_bigint},
    {TYPE_DECIMAL, TYPE_DOUBLE, cast_decimal_to_double},
    {TYPE_STRING, TYPE_BOOLEAN, cast_text_to_boolean},
    {TYPE_STRING, TYPE_INT, cast_text_to_int},
    {TYPE_STRING, TYPE_BIGINT, cast_text_to_bigint},
    {TYPE_STRING, TYPE_DOUBLE, cast_text_to_double},
    {TYPE_STRING, TYPE_DECIMAL, cast_text_to_decimal},
    {TYPE_STRING, TYPE_TIMESTAMP, cast_text_to_timestamp},
    {TYPE_STRING, TYPE_DATE, cast_text_to_date},
    {TYPE_STRING, TYPE_TIME, cast_text_to_time},
    {TYPE_STRING, TYPE_BYTES, cast_text_to_bytes},
    {TYPE_DATE, TYPE_TIMESTAMP, cast_date_to_timestamp},
    {TYPE_TIMESTAMP, TYPE_DATE, cast_timestamp_to_date},
    {TYPE_TIMESTAMP, TYPE_TIME, cast_timestamp_to_time},
    {TYPE_INT, TYPE_BIGINT, cast_int_to_bigint},
    {TYPE_INT, TYPE_DOUBLE, cast_int_to_double},
    {TYPE_BIGINT, TYPE_INT, cast_bigint_to_int},
    {TYPE_BIGINT, TYPE_DOUBLE, cast_bigint_to_double},
    {TYPE_DOUBLE, TYPE_INT, cast_double_to_int},
    {TYPE_DOUBLE, TYPE_BIGINT, cast_double_to_bigint},
};

static CastOne *cast_find(TypeKind from, TypeKind to) {
    uint32_t count = sizeof cast_pairs / sizeof cast_pairs[0];
    uint32_t found = 0;
    while (found < count && (cast_pairs[found].from != from || cast_pairs[found].to != to))
        found++;
    assert(found < count); /* the planner knows which casts there are */
    return cast_pairs[found].one;
}

/* == Columns == */

/* Rows of a column that are to be cast, and why each failed (by row; NULL: it did not). */
typedef struct CastRows {
    const uint32_t *rows;
    uint32_t count;
    const char **reasons;
    Arena *arena;
} CastRows;

static void cast_column(const CastRows *cast, const Column *source, Column *target);

static void cast_flat(const CastRows *cast, const Column *source, Column *target) {
    CastOne *one = cast_find(source->type->kind, target->type->kind);
    for (uint32_t i = 0; i < cast->count; i++) {
        uint32_t row = cast->rows[i];
        if (!expr_present(source->validity, row))
            continue;
        const char *reason = one(source, row, target, cast->arena);
        if (reason)
            cast->reasons[row] = reason;
        else
            column_set_present(target, row);
    }
    expr_zero_missing(target);
}

static void cast_same(const CastRows *cast, const Column *source, Column *target) {
    const Type *type = target->type;
    assert(type_equal(source->type, type));
    (void)cast;
    *target = *source;
    target->type = type;
}

/* All texts into one buffer, then as one block into the arena. */
static void cast_text(const CastRows *cast, const Column *source, Column *target) {
    Buf buf = {0};
    for (uint32_t i = 0; i < cast->count; i++) {
        uint32_t row = cast->rows[i];
        if (!expr_present(source->validity, row))
            continue;
        size_t start = buf.size;
        value_text_print(&buf, source, row);
        target->bytes[row].size = (uint32_t)(buf.size - start);
        column_set_present(target, row);
    }
    uint8_t *block = arena_raw(cast->arena, buf.size);
    if (buf.size > 0)
        memcpy(block, buf.data, buf.size);
    buf_free(&buf);
    for (uint32_t i = 0; i < cast->count; i++) {
        uint32_t row = cast->rows[i];
        if (!expr_present(target->validity, row))
            continue;
        target->bytes[row].data = block;
        block += target->bytes[row].size;
    }
}

/* The elements of the wanted rows, as rows of the child. */
static CastRows cast_elements(const CastRows *cast, const Column *source) {
    uint32_t total = 0, length = source->children[0].length;
    for (uint32_t i = 0; i < cast->count; i++)
        total += source->offsets[cast->rows[i] + 1] - source->offsets[cast->rows[i]];
    uint32_t *rows = arena_raw(cast->arena, (size_t)total * sizeof *rows);
    uint32_t *next = rows;
    for (uint32_t i = 0; i < cast->count; i++)
        for (uint32_t at = source->offsets[cast->rows[i]]; at < source->offsets[cast->rows[i] + 1];
             at++)
            *next++ = at;
    return (CastRows){rows, total, arena_array(cast->arena, length, sizeof(char *)), cast->arena};
}

/* ARRAY and MAP: the same ranges over cast children. */
static void cast_list(const CastRows *cast, const Column *source, Column *target) {
    const Type *type = target->type;
    CastRows inner = cast_elements(cast, source);
    target->offsets = source->offsets;
    for (uint32_t child = 0; child < type->field_count; child++) {
        column_init(&target->children[child], cast->arena, type->fields[child].type,
                    source->children[child].length);
        cast_column(&inner, &source->children[child], &target->children[child]);
    }
    for (uint32_t i = 0; i < cast->count; i++) {
        uint32_t row = cast->rows[i];
        if (!expr_present(source->validity, row))
            continue;
        for (uint32_t at = source->offsets[row]; at < source->offsets[row + 1]; at++)
            if (inner.reasons[at])
                cast->reasons[row] = inner.reasons[at];
        if (!cast->reasons[row])
            column_set_present(target, row);
    }
}

/* Fields by name; one that the source has not is missing. */
static void cast_struct(const CastRows *cast, const Column *source, Column *target) {
    const Type *from = source->type, *type = target->type;
    for (uint32_t field = 0; field < type->field_count; field++) {
        for (uint32_t i = 0; i < from->field_count; i++) {
            if (strcmp(from->fields[i].name, type->fields[field].name) == 0)
                cast_column(cast, &source->children[i], &target->children[field]);
        }
    }
    for (uint32_t i = 0; i < cast->count; i++) {
        uint32_t row = cast->rows[i];
        if (expr_present(source->validity, row) && !cast->reasons[row])
            column_set_present(target, row);
    }
}

/* *target is all missing, of the length of *source. */
static void cast_column(const CastRows *cast, const Column *source, Column *target) {
    TypeKind from = source->type->kind, to = target->type->kind;
    if (from == TYPE_NULL)
        return;
    if (type_equal(source->type, target->type))
        cast_same(cast, source, target);
    else if (to == TYPE_STRING)
        cast_text(cast, source, target);
    else if (to == TYPE_ARRAY || to == TYPE_MAP)
        cast_list(cast, source, target);
    else if (to == TYPE_STRUCT)
        cast_struct(cast, source, target);
    else
        cast_flat(cast, source, target);
}

/* Parts of values that failed are still there: made anew without them. */
static void cast_clear_failed(const CastRows *cast, Column *target) {
    uint32_t *rows = arena_raw(cast->arena, target->length * sizeof *rows);
    for (uint32_t row = 0; row < target->length; row++)
        rows[row] = cast->reasons[row] ? PICK_MISSING : row;
    Column *all = arena_alloc(cast->arena, sizeof *all);
    *all = *target;
    const Column *source = all;
    Pick pick = {&source, 1, NULL, rows, target->length};
    assert(type_is_nested(target->type));
    pick_values(&pick, target->type, cast->arena, target);
}

void expr_cast_any(ExprProgram *program, const ExprInst *inst) {
    const Column *source = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Arena *arena = program->batch->arena;
    Column *target = expr_target_missing(program, inst);
    uint32_t *rows = arena_raw(arena, selection->count * sizeof *rows);
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        rows[count] = selection->rows[i];
        count += expr_present(source->validity, selection->rows[i]);
    }
    CastRows cast = {rows, count, arena_array(arena, program->row_count, sizeof(char *)), arena};
    cast_column(&cast, source, target);
    uint32_t failed = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!cast.reasons[rows[i]])
            continue;
        expr_row_error(program, inst, rows[i], cast.reasons[rows[i]]);
        failed++;
    }
    if (failed > 0 && type_is_nested(target->type))
        cast_clear_failed(&cast, target);
    assert(target->length == program->row_count);
}
