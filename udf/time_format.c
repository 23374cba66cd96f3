/*
 * time_format.c - functions that print and read dates and times by patterns, in zones.
 *
 * A pattern and a zone are looked up when the query starts where they are constant, else when they
 * change from one row to the next. Without a zone the clocks are those of UTC.
 */
#include "data/time_lenient.h"
#include "data/time_pattern.h"
#include "data/time_text.h"
#include "udf/function_impl.h"

enum { TIME_DAY_MS = 86400000, TIME_ERROR_SIZE = 160 };

/* A compiled pattern: one of both, as the function wants it. */
typedef struct TimeFormat {
    const TimePattern *pattern;
    const TimeLenient *lenient;
    bool good; /* else: `error` says why */
    Bytes text;
    char error[TIME_ERROR_SIZE];
} TimeFormat;

typedef struct TimeZone {
    Zone zone;
    Bytes id;
    bool known; /* else: `error` says why */
    char error[TIME_ERROR_SIZE];
} TimeZone;

/* What prepare() found constant: the other is NULL. */
typedef struct TimeConstants {
    TimeFormat *format;
    TimeZone *zone;
} TimeConstants;

/* What a kernel is at: the constants, or what the last row had. */
typedef struct TimeContext {
    const FunctionCall *call;
    bool lenient; /* patterns are those of PARSE_DATE */
    const TimeFormat *format;
    const TimeZone *zone;
    TimeFormat own_format;
    TimeZone own_zone;
} TimeContext;

static void copy_error(char target[TIME_ERROR_SIZE], const Err *err) {
    memcpy(target, err->message, TIME_ERROR_SIZE - 1);
    target[TIME_ERROR_SIZE - 1] = '\0';
}

static void compile_format(TimeFormat *format, Bytes text, bool lenient, Arena *arena) {
    Err err;
    format->text = text;
    ErrCode code = lenient ? time_lenient_new(text, arena, &format->lenient, &err)
                           : time_pattern_new(text, arena, &format->pattern, &err);
    format->good = code == ERR_OK;
    if (!format->good)
        copy_error(format->error, &err);
}

static void find_zone(TimeZone *zone, Bytes id) {
    Err err;
    zone->id = id;
    zone->known = zone_of(id, &zone->zone, &err) == ERR_OK;
    if (!zone->known)
        copy_error(zone->error, &err);
}

static bool is_constant(const Column *const *args, uint32_t arg_count, uint32_t index) {
    return index < arg_count && args[index] && !column_is_null(args[index], 0);
}

static void *prepare(const Column *const *args, uint32_t arg_count, bool lenient, Arena *arena) {
    assert(arg_count >= 2);
    TimeConstants *constants = arena_alloc(arena, sizeof *constants);
    if (is_constant(args, arg_count, 1)) {
        constants->format = arena_alloc(arena, sizeof *constants->format);
        compile_format(constants->format, args[1]->bytes[0], lenient, arena);
    }
    if (is_constant(args, arg_count, 2)) {
        constants->zone = arena_alloc(arena, sizeof *constants->zone);
        find_zone(constants->zone, args[2]->bytes[0]);
    }
    return constants;
}

void *time_prepare(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arena);
    return prepare(args, arg_count, false, arena);
}

void *time_prepare_lenient(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arena);
    return prepare(args, arg_count, true, arena);
}

static void begin(TimeContext *context, const FunctionCall *call) {
    const TimeConstants *constants = call->state;
    context->call = call;
    context->lenient = false;
    context->format = constants ? constants->format : NULL;
    context->zone = constants ? constants->zone : NULL;
    context->own_format.text = context->own_zone.id = (Bytes){NULL, 0};
    if (call->arg_count < 3) {
        context->own_zone.zone = zone_utc();
        context->own_zone.known = true;
        context->zone = &context->own_zone;
    }
}

/* The pattern for this row, in the second argument; NULL: reported. */
static const TimeFormat *row_format(TimeContext *context, uint32_t row) {
    const TimeFormat *format = context->format;
    if (!format) {
        Bytes text = context->call->args[1]->bytes[row];
        format = &context->own_format;
        if (!format->text.data || !bytes_equal(format->text, text))
            compile_format(&context->own_format, text, context->lenient, context->call->arena);
    }
    if (!format->good)
        context->call->fail(context->call->context, row, "%s", format->error);
    return format->good ? format : NULL;
}

static const TimePattern *row_pattern(TimeContext *context, uint32_t row) {
    assert(!context->lenient);
    const TimeFormat *format = row_format(context, row);
    return format ? format->pattern : NULL;
}

static const Zone *argument_zone(const FunctionCall *call, uint32_t arg, uint32_t row,
                                 TimeZone *own) {
    Bytes id = call->args[arg]->bytes[row];
    if (!own->id.data || !bytes_equal(own->id, id))
        find_zone(own, id);
    if (!own->known)
        call->fail(call->context, row, "%s", own->error);
    return own->known ? &own->zone : NULL;
}

/* The zone for this row, in the third argument; NULL: reported. */
static const Zone *row_zone(TimeContext *context, uint32_t row) {
    if (!context->zone)
        return argument_zone(context->call, 2, row, &context->own_zone);
    if (!context->zone->known)
        context->call->fail(context->call->context, row, "%s", context->zone->error);
    return context->zone->known ? &context->zone->zone : NULL;
}

/* == Printing == */

/* Prints the value of a row; false: reported. */
static bool print_row(TimeContext *context, uint32_t row, Buf *out) {
    const FunctionCall *call = context->call;
    const Column *value = call->args[0];
    const TimePattern *pattern = row_pattern(context, row);
    const Zone *zone = pattern ? row_zone(context, row) : NULL;
    const char *reason = NULL;
    if (!zone)
        return false;
    TypeKind kind = value->type->kind;
    bool printed = kind == TYPE_TIME ? time_pattern_print_time(out, pattern, value->i32[row],
                                                               &reason)
                   : kind == TYPE_DATE || kind == TYPE_INT
                       ? time_pattern_print_date(out, pattern, value->i32[row], &reason)
                       : time_pattern_print(out, pattern, zone, value->i64[row], &reason);
    if (!printed)
        call->fail(call->context, row, "%s", reason);
    return printed;
}

void time_format(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    TimeContext context;
    Buf buf = {0};
    assert(call->result->type->kind == TYPE_STRING);
    begin(&context, call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        buf_reset(&buf);
        if (print_row(&context, row, &buf))
            function_put_bytes(call, row, function_room_copy(&room, buf_view(&buf)));
    }
    buf_free(&buf);
}

/* == Reading == */

static void parse_failed(const FunctionCall *call, uint32_t row, const char *reason) {
    Bytes text = call->args[0]->bytes[row], pattern = call->args[1]->bytes[row];
    call->fail(call->context, row, "'%.*s' by the pattern '%.*s': %s",
               text.size > 60 ? 60 : (int)text.size, (const char *)text.data,
               pattern.size > 60 ? 60 : (int)pattern.size, (const char *)pattern.data, reason);
}

void time_parse_ms(const FunctionCall *call) {
    TimeContext context;
    assert(type_width(call->result->type) == 8);
    begin(&context, call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const char *reason;
        int64_t ms;
        const TimePattern *pattern = row_pattern(&context, row);
        const Zone *zone = pattern ? row_zone(&context, row) : NULL;
        if (!zone)
            continue;
        if (time_pattern_timestamp(pattern, call->args[0]->bytes[row], zone, &ms, &reason))
            function_put_i64(call, row, ms);
        else
            parse_failed(call, row, reason);
    }
}

/* Functions whose result is 4 bytes wide: days or milliseconds of a day. */
typedef bool ParseSmall(const TimePattern *pattern, Bytes text, int32_t *value,
                        const char **reason);

static void parse_small(const FunctionCall *call, ParseSmall *parse) {
    TimeContext context;
    assert(type_width(call->result->type) == 4);
    begin(&context, call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const char *reason;
        int32_t value;
        const TimePattern *pattern = row_pattern(&context, row);
        if (!pattern)
            continue;
        if (parse(pattern, call->args[0]->bytes[row], &value, &reason))
            function_put_i32(call, row, value);
        else
            parse_failed(call, row, reason);
    }
}

/* The year that the century of two-digit years follows from. */
static int64_t this_year(const FunctionCall *call) {
    enum { NO_CLOCK_YEAR = 2026 };
    if (!call->io)
        return NO_CLOCK_YEAR;
    int64_t year;
    uint32_t month, day;
    time_civil_from_days(call->io->ops->now_ms(call->io) / TIME_DAY_MS, &year, &month, &day);
    return year;
}

void time_parse_days(const FunctionCall *call) {
    TimeContext context;
    assert(call->result->type->kind == TYPE_DATE);
    begin(&context, call);
    context.lenient = true;
    int64_t year = this_year(call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const char *reason;
        int32_t days;
        const TimeFormat *format = row_format(&context, row);
        if (!format)
            continue;
        if (time_lenient_date(format->lenient, call->args[0]->bytes[row], year, &days, &reason))
            function_put_i32(call, row, days);
        else
            parse_failed(call, row, reason);
    }
}

/* STRINGTODATE: what the text says of the time of day is left out. */
void time_parse_day(const FunctionCall *call) {
    assert(call->result->type->kind == TYPE_INT);
    parse_small(call, time_pattern_date);
}

void time_parse_time_of_day(const FunctionCall *call) {
    assert(call->result->type->kind == TYPE_TIME);
    parse_small(call, time_pattern_time);
}

/* == Zones == */

void time_convert_zone(const FunctionCall *call) {
    TimeZone from_own = {.known = false}, to_own = {.known = false};
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const Zone *to = argument_zone(call, 2, row, &to_own);
        const Zone *from = to ? argument_zone(call, 1, row, &from_own) : NULL;
        if (!from)
            continue;
        int64_t ms = call->args[0]->i64[row], seconds = ms / 1000 - (ms % 1000 < 0);
        int64_t shift = zone_offset(to, seconds) - zone_offset(from, seconds);
        function_put_i64(call, row, (int64_t)((uint64_t)ms + (uint64_t)(shift * 1000)));
    }
}
