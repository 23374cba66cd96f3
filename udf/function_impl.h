/*
 * function_impl.h - the inside of the scalar functions: their kernels, and what kernels share.
 *
 * A kernel is a loop over call->rows. Rows where an argument is NULL are not among them unless the
 * function SEES_NULLS.
 */
#ifndef UDF_FUNCTION_IMPL_H
#define UDF_FUNCTION_IMPL_H

#include "base/limits.h"
#include "udf/function.h"

#define UDF_SCALAR(name, signature, kernel, flags, prepare, help) \
    void kernel(const FunctionCall *call);
#include "udf/scalar.def"
#undef UDF_SCALAR

#define TESTING_SCALAR(name, signature, kernel, flags, prepare) \
    void kernel(const FunctionCall *call);
#define TESTING_TABLE(name, signature, kernel)
#define TESTING_AGGREGATE(name, signature, State, kernel, undo)
#include "udf/testing.def"
#undef TESTING_AGGREGATE
#undef TESTING_SCALAR
#undef TESTING_TABLE

void *testing_count_calls(const Column *const *args, uint32_t arg_count, Arena *arena);

/* Compiles the constant pattern and zone in arguments two and three (time_format.c). */
void *time_prepare(const Column *const *args, uint32_t arg_count, Arena *arena);
void *time_prepare_lenient(const Column *const *args, uint32_t arg_count, Arena *arena);

/* Makes the call's cache of patterns, with the constant one in the first or second argument
 * (regexp.c). */
void *regexp_prepare_first(const Column *const *args, uint32_t arg_count, Arena *arena);
void *regexp_prepare_second(const Column *const *args, uint32_t arg_count, Arena *arena);

/* Compiles the constant path in the second argument (json.c). */
void *json_prepare_path(const Column *const *args, uint32_t arg_count, Arena *arena);

static inline void function_put_i32(const FunctionCall *call, uint32_t row, int32_t value) {
    call->result->i32[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_i64(const FunctionCall *call, uint32_t row, int64_t value) {
    call->result->i64[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_f64(const FunctionCall *call, uint32_t row, double value) {
    call->result->f64[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_boolean(const FunctionCall *call, uint32_t row, bool value) {
    call->result->boolean[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_bytes(const FunctionCall *call, uint32_t row, Bytes value) {
    call->result->bytes[row] = value;
    column_set_present(call->result, row);
}

/* A text that no record could carry: the row fails. Nested calls could double a text at
 * each level otherwise. */
static inline bool function_too_long(const FunctionCall *call, uint32_t row, uint64_t size) {
    if (size <= VALUE_BYTES_MAX)
        return false;
    call->fail(call->context, row, "a value of over %d bytes", VALUE_BYTES_MAX);
    return true;
}

/* Memory for texts that a kernel makes, one after the other in large blocks of the arena. */
typedef struct FunctionRoom {
    Arena *arena;
    uint8_t *next;
    size_t left;
} FunctionRoom;

enum { FUNCTION_ROOM_BYTES = 2048 };

/* Room for at least `size` bytes; function_room_take() says how many were used. */
static inline uint8_t *function_room(FunctionRoom *room, size_t size) {
    if (room->left < size) {
        room->left = size > FUNCTION_ROOM_BYTES ? size : FUNCTION_ROOM_BYTES;
        room->next = arena_raw(room->arena, room->left);
    }
    return room->next;
}

static inline Bytes function_room_take(FunctionRoom *room, size_t size) {
    assert(size <= room->left && size <= UINT32_MAX);
    Bytes bytes = {room->next, (uint32_t)size};
    room->next += size;
    room->left -= size;
    return bytes;
}

/* Copies into the room. */
static inline Bytes function_room_copy(FunctionRoom *room, Bytes bytes) {
    uint8_t *target = function_room(room, bytes.size);
    if (bytes.size > 0)
        memcpy(target, bytes.data, bytes.size);
    return function_room_take(room, bytes.size);
}

#endif
