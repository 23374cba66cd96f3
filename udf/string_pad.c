/*
 * string_pad.c - LPAD and RPAD: to exactly n units, cutting at the right or filling up.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

/* A run of `units` units made of whole paddings and the beginning of one. */
typedef struct PadRun {
    Bytes padding;
    uint32_t whole;
    Bytes rest;
} PadRun;

static PadRun pad_run(Bytes padding, uint32_t units, bool bytes) {
    uint32_t length = bytes ? padding.size : utf8_length(padding);
    assert(length > 0);
    PadRun run = {.padding = padding, .whole = units / length};
    run.rest = bytes ? (Bytes){padding.data, units % length}
                     : utf8_slice(padding, 0, units % length);
    return run;
}

static uint8_t *pad_write(const PadRun *run, uint8_t *target) {
    for (uint32_t i = 0; i < run->whole; i++) {
        memcpy(target, run->padding.data, run->padding.size);
        target += run->padding.size;
    }
    if (run->rest.size > 0)
        memcpy(target, run->rest.data, run->rest.size);
    return target + run->rest.size;
}

static Bytes pad_one(FunctionRoom *room, Bytes text, const PadRun *run, bool left) {
    size_t padded = (size_t)run->whole * run->padding.size + run->rest.size;
    uint8_t *target = function_room(room, text.size + padded);
    assert(padded + text.size <= UINT32_MAX);
    if (left)
        target = pad_write(run, target);
    if (text.size > 0)
        memcpy(target, text.data, text.size);
    if (!left)
        pad_write(run, target + text.size);
    return function_room_take(room, text.size + padded);
}

static void pad_all(const FunctionCall *call, bool left) {
    FunctionRoom room = {.arena = call->arena};
    bool bytes = call->result->type->kind == TYPE_BYTES;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes text = call->args[0]->bytes[row], padding = call->args[2]->bytes[row];
        int32_t wanted = call->args[1]->i32[row];
        if (wanted < 0 || padding.size == 0)
            continue;
        if (function_too_long(call, row, (uint64_t)wanted))
            continue;
        uint32_t length = bytes ? text.size : utf8_length(text);
        if (length >= (uint32_t)wanted) {
            Bytes cut = bytes ? (Bytes){text.data, (uint32_t)wanted}
                              : utf8_slice(text, 0, (uint32_t)wanted);
            function_put_bytes(call, row, cut);
            continue;
        }
        PadRun run = pad_run(padding, (uint32_t)wanted - length, bytes);
        function_put_bytes(call, row, pad_one(&room, text, &run, left));
    }
}

void string_lpad(const FunctionCall *call) {
    assert(call->arg_count == 3);
    pad_all(call, true);
}

void string_rpad(const FunctionCall *call) {
    assert(call->arg_count == 3);
    pad_all(call, false);
}
