/*
 * encode.c - texts of bytes and bytes of texts: TO_BYTES, FROM_BYTES, ENCODE.
 *
 * Every conversion goes from a text over bytes to a text: a reader and a writer for each of the
 * encodings hex, utf8, ascii and base64. ENCODE is more forgiving than TO_BYTES where it reads:
 * it knows 0x41 and X'41', and base64 with gaps and for URLs.
 */
#include "base/base64.h"
#include "base/utf8.h"
#include "udf/function_impl.h"

typedef enum Encoding {
    ENCODING_HEX,
    ENCODING_UTF8,
    ENCODING_ASCII,
    ENCODING_BASE64,
    ENCODING_COUNT,
} Encoding;

static Encoding encode_by_name(Bytes name) {
    static const char *const names[] = {"hex", "utf8", "ascii", "base64"};
    for (uint32_t i = 0; i < ENCODING_COUNT; i++)
        if (bytes_is_word(name, names[i]))
            return (Encoding)i;
    return ENCODING_COUNT;
}

/* == Reading: the bytes that a text stands for == */

/* `odd`: a digit 0 is thought before an odd number of them. */
static bool encode_read_hex(FunctionRoom *room, Bytes text, bool odd, Bytes *bytes) {
    uint32_t size = 0, at = 0;
    uint8_t *target = function_room(room, text.size / 2U + 1);
    if (text.size % 2 == 1) {
        if (!odd || bytes_hex_digit(text.data[0]) < 0)
            return false;
        target[size++] = (uint8_t)bytes_hex_digit(text.data[at++]);
    }
    for (; at < text.size; at += 2) {
        int32_t high = bytes_hex_digit(text.data[at]), low = bytes_hex_digit(text.data[at + 1]);
        if (high < 0 || low < 0)
            return false;
        target[size++] = (uint8_t)(high * 16 + low);
    }
    *bytes = function_room_take(room, size);
    return true;
}

/* Each character that is none of ASCII is one '?'. */
static Bytes encode_read_ascii(FunctionRoom *room, Bytes text) {
    uint32_t size = 0, step;
    uint8_t *target = function_room(room, text.size);
    for (uint32_t at = 0; at < text.size; at += step) {
        uint32_t character = utf8_decode((Bytes){text.data + at, text.size - at}, &step);
        target[size++] = character < 0x80 ? (uint8_t)character : '?';
    }
    return function_room_take(room, size);
}

static bool encode_read(FunctionRoom *room, Bytes text, Encoding encoding, Bytes *bytes) {
    *bytes = text;
    if (encoding == ENCODING_HEX)
        return encode_read_hex(room, text, false, bytes);
    if (encoding == ENCODING_ASCII) {
        *bytes = encode_read_ascii(room, text);
        return true;
    }
    if (encoding == ENCODING_UTF8)
        return true;
    uint32_t size;
    if (!base64_parse(text, function_room(room, base64_room(text.size)), &size))
        return false;
    *bytes = function_room_take(room, size);
    return true;
}

/* == Writing: bytes as a text == */

static Bytes encode_write_hex(FunctionRoom *room, Bytes bytes, bool upper) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    uint8_t *target = function_room(room, (size_t)bytes.size * 2);
    for (uint32_t i = 0; i < bytes.size; i++) {
        target[2 * i] = (uint8_t)digits[bytes.data[i] >> 4];
        target[2 * i + 1] = (uint8_t)digits[bytes.data[i] & 15];
    }
    return function_room_take(room, (size_t)bytes.size * 2);
}

static Bytes encode_write_utf8(FunctionRoom *room, Bytes bytes) {
    if (utf8_valid(bytes))
        return bytes;
    uint8_t *target = function_room(room, (size_t)bytes.size * UTF8_REPAIR_GROWTH);
    return function_room_take(room, utf8_repair(target, bytes));
}

/* Each byte over 127 becomes U+FFFD. */
static Bytes encode_write_ascii(FunctionRoom *room, Bytes bytes) {
    uint8_t *target = function_room(room, (size_t)bytes.size * 3);
    uint32_t size = 0;
    for (uint32_t i = 0; i < bytes.size; i++)
        size += utf8_encode(target + size, bytes.data[i] < 0x80 ? bytes.data[i] : 0xFFFD);
    return function_room_take(room, size);
}

static Bytes encode_write_base64(FunctionRoom *room, Bytes bytes) {
    size_t size = ((size_t)bytes.size + 2) / 3 * 4;
    Buf target = {function_room(room, size), 0, size};
    base64_print(&target, bytes);
    assert(target.size == size && target.capacity == size);
    return function_room_take(room, size);
}

static Bytes encode_write(FunctionRoom *room, Bytes bytes, Encoding encoding, bool upper) {
    switch (encoding) {
    case ENCODING_HEX: return encode_write_hex(room, bytes, upper);
    case ENCODING_ASCII: return encode_write_ascii(room, bytes);
    case ENCODING_BASE64: return encode_write_base64(room, bytes);
    default: return encode_write_utf8(room, bytes);
    }
}

/* == TO_BYTES, FROM_BYTES == */

static Encoding encode_argument(const FunctionCall *call, uint32_t row, uint32_t arg) {
    Bytes name = call->args[arg]->bytes[row];
    Encoding encoding = encode_by_name(name);
    if (encoding == ENCODING_COUNT)
        call->fail(call->context, row,
                   "Unknown encoding type '%.*s'. "
                   "Supported formats are 'hex', 'utf8', 'ascii', and 'base64'.",
                   name.size > 60 ? 60 : (int)name.size, (const char *)name.data);
    return encoding;
}

void encode_to_bytes(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Encoding encoding = encode_argument(call, row, 1);
        Bytes bytes;
        if (encoding == ENCODING_COUNT)
            continue;
        if (encode_read(&room, call->args[0]->bytes[row], encoding, &bytes))
            function_put_bytes(call, row, bytes);
        else
            call->fail(call->context, row, "the text is not %s",
                       encoding == ENCODING_HEX ? "hexadecimal" : "base64");
    }
}

void encode_from_bytes(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Encoding encoding = encode_argument(call, row, 1);
        Bytes bytes = call->args[0]->bytes[row];
        if (encoding != ENCODING_COUNT &&
            !function_too_long(call, row, (uint64_t)bytes.size * 3))
            function_put_bytes(call, row, encode_write(&room, bytes, encoding, true));
    }
}

/* == ENCODE == */

/* Without 0x before it or X'' around it. */
static bool encode_loose_hex(FunctionRoom *room, Bytes text, Bytes *bytes) {
    bool zero_x = text.size >= 2 && text.data[0] == '0' && text.data[1] == 'x';
    bool quoted = text.size >= 3 && (text.data[0] | 0x20) == 'x' && text.data[1] == '\'' &&
                  text.data[text.size - 1] == '\'';
    if (zero_x || quoted) {
        text.data += 2;
        text.size -= quoted ? 3 : 2;
    }
    return encode_read_hex(room, text, zero_x, bytes);
}

static int32_t encode_base64_value(uint8_t byte) {
    uint8_t letter = byte | 0x20;
    if (letter >= 'a' && letter <= 'z' && byte >= 'A')
        return byte >= 'a' ? byte - 'a' + 26 : byte - 'A';
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == '+' || byte == '-' ? 62 : byte == '/' || byte == '_' ? 63 : -1;
}

/* Up to the first '='; what is of neither alphabet is passed over. */
static Bytes encode_loose_base64(FunctionRoom *room, Bytes text) {
    uint8_t *target = function_room(room, base64_room(text.size));
    uint32_t size = 0, group = 0, count = 0;
    for (uint32_t at = 0; at < text.size && text.data[at] != '='; at++) {
        int32_t value = encode_base64_value(text.data[at]);
        if (value < 0)
            continue;
        group = group << 6 | (uint32_t)value;
        if (++count % 4 != 0)
            continue;
        target[size++] = (uint8_t)(group >> 16);
        target[size++] = (uint8_t)(group >> 8);
        target[size++] = (uint8_t)group;
    }
    if (count % 4 >= 2)
        target[size++] = (uint8_t)(count % 4 == 2 ? group >> 4 : group >> 10);
    if (count % 4 == 3)
        target[size++] = (uint8_t)(group >> 2);
    return function_room_take(room, size);
}

void encode_text(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Encoding from = encode_by_name(call->args[1]->bytes[row]);
        Encoding to = encode_by_name(call->args[2]->bytes[row]);
        Bytes text = call->args[0]->bytes[row], bytes;
        if (from == to || from == ENCODING_COUNT || to == ENCODING_COUNT) {
            call->fail(call->context, row,
                       "Supported input and output encodings are: hex, utf8, ascii and base64");
            continue;
        }
        if (function_too_long(call, row, (uint64_t)text.size * 3))
            continue;
        if (from == ENCODING_BASE64)
            bytes = encode_loose_base64(&room, text);
        else if (from != ENCODING_HEX)
            encode_read(&room, text, from, &bytes);
        else if (!encode_loose_hex(&room, text, &bytes)) {
            call->fail(call->context, row, "the text is not hexadecimal");
            continue;
        }
        function_put_bytes(call, row, encode_write(&room, bytes, to, false));
    }
}
