/*
 * string.c - functions of text: lengths, parts, replacing, joining.
 *
 * Positions and lengths are UTF-16 code units (base/utf8.h). Results that are a part of an
 * argument point into it.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

void string_len(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        function_put_i32(call, row, (int32_t)utf8_length(call->args[0]->bytes[row]));
    }
}

void string_len_bytes(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        function_put_i32(call, row, (int32_t)call->args[0]->bytes[row].size);
    }
}

void string_trim(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_bytes(call, call->rows[i], utf8_trim(call->args[0]->bytes[call->rows[i]]));
}

/* == Parts == */

/* [from, to) of SUBSTRING for a value of `length` units; `size` counts from there. */
static void string_range(int64_t length, int64_t position, int64_t size, uint32_t *from,
                         uint32_t *to) {
    int64_t start = position < 0 ? length + position : position - 1;
    start = start < 0 ? 0 : start > length ? length : start;
    size = size < 0 ? 0 : size;
    int64_t end = size > length - start ? length : start + size;
    assert(start <= end);
    *from = (uint32_t)start;
    *to = (uint32_t)end;
}

static int64_t string_size_argument(const FunctionCall *call, uint32_t row) {
    return call->arg_count > 2 ? call->args[2]->i32[row] : INT32_MAX;
}

void string_substring(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], from, to;
        Bytes text = call->args[0]->bytes[row];
        uint32_t length = utf8_length(text);
        string_range(length, call->args[1]->i32[row], string_size_argument(call, row), &from, &to);
        function_put_bytes(call, row,
                           length == text.size && length > 0
                               ? (Bytes){text.data + from, to - from} /* one byte a unit */
                               : utf8_slice(text, from, to));
    }
}

void string_substring_bytes(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], from, to;
        Bytes bytes = call->args[0]->bytes[row];
        string_range(bytes.size, call->args[1]->i32[row], string_size_argument(call, row), &from,
                     &to);
        function_put_bytes(call, row, (Bytes){bytes.data ? bytes.data + from : NULL, to - from});
    }
}

/* == Replacing == */

/* Java's replace("", x): between all characters, and at both ends. */
static Bytes string_interleave(FunctionRoom *room, Bytes text, Bytes insert) {
    uint8_t *target = function_room(room, text.size + ((size_t)text.size + 1) * insert.size);
    size_t size = 0;
    for (uint32_t at = 0; at <= text.size;) {
        if (insert.size > 0)
            memcpy(target + size, insert.data, insert.size);
        size += insert.size;
        uint32_t step = 1;
        if (at < text.size) {
            utf8_decode((Bytes){text.data + at, text.size - at}, &step);
            memcpy(target + size, text.data + at, step);
            size += step;
        }
        at += step;
    }
    return function_room_take(room, size);
}

static uint32_t string_occurrences(Bytes text, Bytes part) {
    uint32_t count = 0;
    for (uint32_t at = 0; (at = utf8_find(text, part, at)) != UINT32_MAX; at += part.size)
        count++;
    return count;
}

static Bytes string_replace_all(FunctionRoom *room, Bytes text, Bytes part, Bytes with) {
    uint32_t count = string_occurrences(text, part);
    assert(part.size > 0);
    if (count == 0)
        return text;
    uint8_t *target = function_room(room, text.size + (size_t)count * with.size);
    size_t size = 0;
    uint32_t from = 0;
    for (uint32_t at = 0; (at = utf8_find(text, part, from)) != UINT32_MAX;) {
        memcpy(target + size, text.data + from, at - from);
        size += at - from;
        if (with.size > 0)
            memcpy(target + size, with.data, with.size);
        size += with.size;
        from = at + part.size;
    }
    memcpy(target + size, text.data + from, text.size - from);
    return function_room_take(room, size + text.size - from);
}

void string_replace(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes text = call->args[0]->bytes[row], part = call->args[1]->bytes[row];
        Bytes with = call->args[2]->bytes[row];
        uint64_t places = part.size == 0 ? text.size + 1U : string_occurrences(text, part);
        if (function_too_long(call, row, text.size + places * with.size))
            continue;
        function_put_bytes(call, row,
                           part.size == 0 ? string_interleave(&room, text, with)
                                          : string_replace_all(&room, text, part, with));
    }
}

/* == Joining == */

/* Puts the arguments from `first` on that are there, one after the other, `separator` between. */
static void string_join(const FunctionCall *call, FunctionRoom *room, uint32_t row,
                        uint32_t first, Bytes separator) {
    uint64_t total = 0, size = 0;
    for (uint32_t arg = first; arg < call->arg_count; arg++) {
        const Column *column = call->args[arg];
        if (column->type->kind != TYPE_NULL && !column_is_null(column, row))
            total += (uint64_t)column->bytes[row].size + separator.size;
    }
    if (function_too_long(call, row, total))
        return;
    uint8_t *target = function_room(room, total);
    bool started = false;
    for (uint32_t arg = first; arg < call->arg_count; arg++) {
        const Column *column = call->args[arg];
        if (column->type->kind == TYPE_NULL || column_is_null(column, row))
            continue;
        if (started && separator.size > 0) {
            memcpy(target + size, separator.data, separator.size);
            size += separator.size;
        }
        started = true;
        if (column->bytes[row].size > 0)
            memcpy(target + size, column->bytes[row].data, column->bytes[row].size);
        size += column->bytes[row].size;
    }
    function_put_bytes(call, row, function_room_take(room, size));
}

void string_concat(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    Bytes none = {0};
    for (uint32_t i = 0; i < call->row_count; i++)
        string_join(call, &room, call->rows[i], 0, none);
}

void string_concat_ws(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count > 0);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(call->args[0], row))
            continue;
        if (call->arg_count < 2)
            call->fail(call->context, row, "CONCAT_WS needs values behind the separator");
        else
            string_join(call, &room, row, 1, call->args[0]->bytes[row]);
    }
}
