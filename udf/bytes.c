/*
 * bytes.c - numbers out of bytes, UUID, MD5.
 */
#include <md5.h>

#include "udf/function_impl.h"

/* == Numbers == */

/* The number in the bytes of a row, of exactly `size`; false: reported. */
static bool bytes_number(const FunctionCall *call, uint32_t row, uint32_t size,
                         uint64_t *number) {
    Bytes bytes = call->args[0]->bytes[row];
    Bytes order = call->arg_count > 1 ? call->args[1]->bytes[row] : bytes_of("BIG_ENDIAN");
    bool big = bytes_is_word(order, "BIG_ENDIAN");
    if (!big && !bytes_is_word(order, "LITTLE_ENDIAN")) {
        call->fail(call->context, row,
                   "Byte order must be BIG_ENDIAN or LITTLE_ENDIAN. Unknown byte order '%.*s'.",
                   order.size > 60 ? 60 : (int)order.size, (const char *)order.data);
        return false;
    }
    if (bytes.size != size) {
        call->fail(call->context, row, "Number of bytes must be equal to %u, but found %u", size,
                   bytes.size);
        return false;
    }
    *number = 0;
    for (uint32_t i = 0; i < size; i++)
        *number = *number << 8 | bytes.data[big ? i : size - 1 - i];
    return true;
}

void bytes_to_int(const FunctionCall *call) {
    assert(call->arg_count >= 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint64_t number;
        if (bytes_number(call, call->rows[i], 4, &number))
            function_put_i32(call, call->rows[i], (int32_t)(uint32_t)number);
    }
}

void bytes_to_bigint(const FunctionCall *call) {
    assert(call->arg_count >= 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint64_t number;
        if (bytes_number(call, call->rows[i], 8, &number))
            function_put_i64(call, call->rows[i], (int64_t)number);
    }
}

void bytes_to_double(const FunctionCall *call) {
    assert(call->arg_count >= 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint64_t number;
        double value;
        if (!bytes_number(call, call->rows[i], 8, &number))
            continue;
        memcpy(&value, &number, sizeof value);
        function_put_f64(call, call->rows[i], value);
    }
}

/* == Hexadecimal texts == */

static uint8_t *bytes_put_hex(uint8_t *target, const uint8_t *bytes, uint32_t size) {
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < size; i++) {
        *target++ = (uint8_t)digits[bytes[i] >> 4];
        *target++ = (uint8_t)digits[bytes[i] & 15];
    }
    return target;
}

void bytes_md5(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        uint8_t digest[MD5_DIGEST_LENGTH];
        MD5_CTX context;
        MD5Init(&context);
        MD5Update(&context, text.data, text.size);
        MD5Final(digest, &context);
        bytes_put_hex(function_room(&room, sizeof digest * 2), digest, sizeof digest);
        function_put_bytes(call, call->rows[i], function_room_take(&room, sizeof digest * 2));
    }
}

enum { UUID_BYTES = 16, UUID_TEXT = 36 };

static Bytes bytes_uuid_text(FunctionRoom *room, const uint8_t bytes[UUID_BYTES]) {
    static const uint8_t parts[] = {4, 2, 2, 2, 6};
    uint8_t *target = function_room(room, UUID_TEXT);
    for (uint32_t i = 0; i < sizeof parts; i++) {
        if (i > 0)
            *target++ = '-';
        target = bytes_put_hex(target, bytes, parts[i]);
        bytes += parts[i];
    }
    return function_room_take(room, UUID_TEXT);
}

void bytes_uuid(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes bytes = call->args[0]->bytes[call->rows[i]];
        if (bytes.size == UUID_BYTES)
            function_put_bytes(call, call->rows[i], bytes_uuid_text(&room, bytes.data));
    }
}

/* Version 4 of RFC 4122: chance, but for six bits. */
void bytes_uuid_random(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 0);
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (!call->io) {
            call->fail(call->context, call->rows[i], "chance is not at hand here");
            continue;
        }
        uint64_t words[2] = {call->io->ops->random_u64(call->io),
                             call->io->ops->random_u64(call->io)};
        uint8_t bytes[UUID_BYTES];
        memcpy(bytes, words, sizeof bytes);
        bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
        function_put_bytes(call, call->rows[i], bytes_uuid_text(&room, bytes));
    }
}
