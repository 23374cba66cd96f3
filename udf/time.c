/*
 * time.c - functions of dates and times and their texts.
 *
 * Patterns are compiled when the query starts if they are constant, else when they change from one
 * row to the next, and so are zones.
 */
#include "base/utf8.h"
#include "data/time_text.h"
#include "data/zone.h"
#include "udf/function_impl.h"

enum { TIME_DAY_MS = 86400000 };

/* The compiled pattern of the row at hand. */
typedef struct TimeFormat {
    const TimePattern *pattern; /* NULL: `error` says why */
    Bytes text;
    char error[160];
} TimeFormat;

static void time_compile(TimeFormat *format, Bytes text, Arena *arena) {
    Err err;
    format->text = text;
    format->pattern = NULL;
    if (time_pattern_new(text, arena, &format->pattern, &err) != ERR_OK) {
        format->pattern = NULL;
        memcpy(format->error, err.message, sizeof format->error - 1);
        format->error[sizeof format->error - 1] = '\0';
    }
}

void *time_prepare(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arg_count >= 2);
    if (!args[1] || column_is_null(args[1], 0))
        return NULL;
    TimeFormat *format = arena_alloc(arena, sizeof *format);
    time_compile(format, args[1]->bytes[0], arena);
    return format;
}

/* The pattern for this row, in the second argument; NULL: reported. */
static const TimePattern *time_pattern(const FunctionCall *call, TimeFormat *own, uint32_t row) {
    const TimeFormat *format = call->state ? call->state : own;
    Bytes text = call->args[1]->bytes[row];
    if (!call->state && (!own->text.data || !bytes_equal(own->text, text)))
        time_compile(own, text, call->arena);
    if (!format->pattern)
        call->fail(call->context, row, "%s", format->error);
    return format->pattern;
}

/* == Zones == */

/* The zone of the row at hand: looked up when its id changes. */
typedef struct TimeZone {
    Zone zone;
    Bytes id;
    bool known;
} TimeZone;

/* The zone in an argument, GMT where there is no such argument. NULL: reported. */
static const Zone *time_zone(const FunctionCall *call, uint32_t arg, uint32_t row, TimeZone *own) {
    Err err;
    if (arg >= call->arg_count)
        return &zone_gmt;
    Bytes id = call->args[arg]->bytes[row];
    if (own->known && bytes_equal(own->id, id))
        return &own->zone;
    own->id = id;
    own->known = zone_of(id, &own->zone, &err) == ERR_OK;
    if (!own->known)
        call->fail(call->context, row, "%s", err.message);
    return own->known ? &own->zone : NULL;
}

static int64_t time_floor_second(int64_t ms) {
    return ms / 1000 - (ms % 1000 < 0);
}

static int64_t time_shifted(int64_t ms, int32_t seconds) {
    return (int64_t)((uint64_t)ms + (uint64_t)((int64_t)seconds * 1000));
}

void time_convert_zone(const FunctionCall *call) {
    TimeZone from_own = {.known = false}, to_own = {.known = false};
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const Zone *to = time_zone(call, 2, row, &to_own);
        const Zone *from = to ? time_zone(call, 1, row, &from_own) : NULL;
        if (!from)
            continue;
        int64_t ms = call->args[0]->i64[row], second = time_floor_second(ms);
        function_put_i64(call, row,
                         time_shifted(ms, zone_offset(to, second) - zone_offset(from, second)));
    }
}

/* == Texts == */

/* The value of the first argument as milliseconds since 1970. */
static int64_t time_value(const Column *column, uint32_t row) {
    switch (column->type->kind) {
    case TYPE_TIME: return column->i32[row];
    case TYPE_DATE:
    case TYPE_INT: return (int64_t)column->i32[row] * TIME_DAY_MS;
    default: return column->i64[row];
    }
}

void time_format(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    TimeFormat own = {0};
    TimeZone own_zone = {.known = false};
    Buf buf = {0};
    assert(call->result->type->kind == TYPE_STRING);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const TimePattern *pattern = time_pattern(call, &own, row);
        const Zone *zone = pattern ? time_zone(call, 2, row, &own_zone) : NULL;
        if (!zone)
            continue;
        int64_t ms = time_value(call->args[0], row);
        buf_reset(&buf);
        time_pattern_print(&buf, pattern,
                           time_shifted(ms, zone_offset(zone, time_floor_second(ms))));
        function_put_bytes(call, row, function_room_copy(&room, buf_view(&buf)));
    }
    buf_free(&buf);
}

/* What stands behind the pattern is ignored: Java's SimpleDateFormat, which PARSE_DATE uses. */
static bool time_parse_prefix(const TimePattern *pattern, Bytes text, int64_t *ms) {
    enum { TIME_TEXT_MAX = 128 };
    if (text.size > TIME_TEXT_MAX)
        text.size = TIME_TEXT_MAX;
    while (!time_pattern_parse(pattern, text, ms)) {
        if (text.size == 0)
            return false;
        text.size--;
    }
    return true;
}

/* Parses the text of a row; false: reported. */
static bool time_parse(const FunctionCall *call, TimeFormat *own, uint32_t row, int64_t *ms) {
    TimeZone own_zone = {.known = false};
    const TimePattern *pattern = time_pattern(call, own, row);
    const Zone *zone = pattern ? time_zone(call, 2, row, &own_zone) : NULL;
    if (!zone)
        return false;
    Bytes text = call->args[0]->bytes[row];
    bool prefix = call->result->type->kind == TYPE_DATE;
    if (prefix ? !time_parse_prefix(pattern, text, ms) : !time_pattern_parse(pattern, text, ms)) {
        call->fail(call->context, row, "the text '%.*s' does not fit the pattern '%.*s'",
                   text.size > 60 ? 60 : (int)text.size, (const char *)text.data,
                   (int)call->args[1]->bytes[row].size,
                   (const char *)call->args[1]->bytes[row].data);
        return false;
    }
    *ms = time_shifted(*ms, -zone_local(zone, time_floor_second(*ms)).before);
    return true;
}

void time_parse_ms(const FunctionCall *call) {
    TimeFormat own = {0};
    assert(type_width(call->result->type) == 8);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int64_t ms;
        if (time_parse(call, &own, call->rows[i], &ms))
            function_put_i64(call, call->rows[i], ms);
    }
}

void time_parse_days(const FunctionCall *call) {
    TimeFormat own = {0};
    assert(type_width(call->result->type) == 4);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int64_t ms;
        if (!time_parse(call, &own, call->rows[i], &ms))
            continue;
        if (ms % TIME_DAY_MS != 0)
            call->fail(call->context, call->rows[i], "the text has a time of day");
        else
            function_put_i32(call, call->rows[i], (int32_t)(ms / TIME_DAY_MS));
    }
}

/* STRINGTODATE: what the text says of the time of day is left out. */
void time_parse_day(const FunctionCall *call) {
    TimeFormat own = {0};
    assert(call->result->type->kind == TYPE_INT);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int64_t ms;
        if (time_parse(call, &own, call->rows[i], &ms))
            function_put_i32(call, call->rows[i],
                             (int32_t)(ms / TIME_DAY_MS - (ms % TIME_DAY_MS < 0)));
    }
}

void time_parse_time_of_day(const FunctionCall *call) {
    TimeFormat own = {0};
    assert(call->result->type->kind == TYPE_TIME);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int64_t ms;
        if (!time_parse(call, &own, call->rows[i], &ms))
            continue;
        if (ms < 0 || ms >= TIME_DAY_MS)
            call->fail(call->context, call->rows[i], "the text has a date");
        else
            function_put_i32(call, call->rows[i], (int32_t)ms);
    }
}

/* == Numbers == */

static bool time_now(const FunctionCall *call, int64_t *ms) {
    assert(call->arg_count == 0);
    for (uint32_t i = 0; !call->io && i < call->row_count; i++)
        call->fail(call->context, call->rows[i], "the clock is not at hand here");
    if (call->io)
        *ms = call->io->ops->now_ms(call->io);
    return call->io != NULL;
}

void time_now_ms(const FunctionCall *call) {
    int64_t ms;
    if (!time_now(call, &ms))
        return;
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i64(call, call->rows[i], ms);
}

void time_now_days(const FunctionCall *call) {
    int64_t ms;
    if (!time_now(call, &ms))
        return;
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i32(call, call->rows[i], (int32_t)(ms / TIME_DAY_MS - (ms % TIME_DAY_MS < 0)));
}

/* The same number with another type. */
void time_same(const FunctionCall *call) {
    const Column *from = call->args[0];
    uint32_t width = type_width(from->type);
    assert(width == type_width(call->result->type));
    uint8_t *to = call->result->data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        size_t at = (size_t)call->rows[i] * width;
        memcpy(to + at, (const uint8_t *)from->data + at, width);
        column_set_present(call->result, call->rows[i]);
    }
}

/* == Units == */

static int64_t time_unit_ms(Bytes unit) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"MILLISECOND", 1},  {"SECOND", 1000},     {"MINUTE", 60000},
        {"HOUR", 3600000},   {"DAY", TIME_DAY_MS},
    };
    Bytes name = unit;
    if (name.size > 0 && (name.data[name.size - 1] | 0x20) == 's')
        name.size--;
    for (uint32_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint32_t at = 0;
        while (at < name.size && units[i].name[at] &&
               (name.data[at] & 0xDF) == (uint8_t)units[i].name[at])
            at++;
        if (at == name.size && !units[i].name[at])
            return units[i].ms;
    }
    return 0;
}

/* value + sign * n units, in milliseconds; false: reported. */
static bool time_shift(const FunctionCall *call, uint32_t row, int64_t sign, int64_t *ms) {
    int64_t unit = time_unit_ms(call->args[0]->bytes[row]);
    int64_t shift = sign * unit * call->args[1]->i32[row];
    int64_t value = time_value(call->args[2], row);
    if (unit == 0)
        call->fail(call->context, row, "not a unit of time");
    *ms = (int64_t)((uint64_t)value + (uint64_t)shift);
    return unit != 0;
}

static void time_shift_all(const FunctionCall *call, int64_t sign) {
    TypeKind kind = call->result->type->kind;
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        int64_t ms;
        if (!time_shift(call, row, sign, &ms))
            continue;
        if (kind == TYPE_TIMESTAMP)
            function_put_i64(call, row, ms);
        else if (kind == TYPE_DATE)
            function_put_i32(call, row, (int32_t)(ms / TIME_DAY_MS));
        else
            function_put_i32(call, row,
                             (int32_t)((ms % TIME_DAY_MS + TIME_DAY_MS) % TIME_DAY_MS));
    }
}

void time_add(const FunctionCall *call) {
    assert(call->arg_count == 3);
    time_shift_all(call, 1);
}

void time_subtract(const FunctionCall *call) {
    assert(call->arg_count == 3);
    time_shift_all(call, -1);
}
