/* print_format.c - see print_format.h. */
#include "engine/print_format.h"

#include <assert.h>

#include "base/reader.h"
#include "base/utf8.h"
#include "data/number_text.h"
#include "udf/json_check.h"

/* Bit 4 * base + window of PrintFormat.possible: the order in which they are shown. */
typedef enum PrintBase {
    PRINT_JSON,
    PRINT_INT,
    PRINT_BIGINT,
    PRINT_DOUBLE,
    PRINT_STRING,
    PRINT_BASE_COUNT,
} PrintBase;

typedef enum PrintWindow {
    PRINT_SESSION,
    PRINT_HOPPING,
    PRINT_TUMBLING,
    PRINT_PLAIN,
    PRINT_WINDOW_COUNT,
} PrintWindow;

enum { BOUND_SIZE = 8, PLAIN_BITS = 0x88888 };

static const char *const base_names[] = {"JSON", "KAFKA_INT", "KAFKA_BIGINT", "KAFKA_DOUBLE",
                                         "KAFKA_STRING"};
static const char *const window_names[] = {"SESSION", "HOPPING", "TUMBLING", ""};

static uint32_t format_bit(PrintBase base, PrintWindow window) {
    return 1U << (base * PRINT_WINDOW_COUNT + window);
}

PrintFormat print_format_new(bool is_key) {
    uint32_t all = (1U << (PRINT_BASE_COUNT * PRINT_WINDOW_COUNT)) - 1;
    return (PrintFormat){.possible = is_key ? all : PLAIN_BITS};
}

/* Text in which U+FFFD stands is no text: something that was none was made one. */
static bool format_is_text(Bytes value) {
    static const uint8_t replaced[] = {0xEF, 0xBF, 0xBD};
    return value.size > 0 && utf8_valid(value) &&
           utf8_find(value, (Bytes){replaced, sizeof replaced}, 0) == UINT32_MAX;
}

static bool format_reads(PrintBase base, Bytes value) {
    switch (base) {
    case PRINT_JSON:
        return format_is_text(value) && json_check_text(value);
    case PRINT_INT:
        return value.size == 4;
    case PRINT_BIGINT:
    case PRINT_DOUBLE:
        return value.size == 8;
    case PRINT_STRING:
        return format_is_text(value);
    default:
        assert(base < PRINT_BASE_COUNT);
        return false;
    }
}

static uint64_t format_u64(Bytes value, uint32_t at) {
    assert(at + 8 <= value.size);
    Reader reader = reader_of((Bytes){value.data + at, 8});
    return reader_u64_be(&reader);
}

/* What stands in front of the window; false: the bytes end in no such window. */
static bool format_split(PrintWindow window, Bytes value, Bytes *key) {
    uint32_t bounds = window == PRINT_PLAIN ? 0 : window == PRINT_SESSION ? 2 : 1;
    if (value.size < bounds * BOUND_SIZE)
        return false;
    *key = (Bytes){value.data, value.size - bounds * BOUND_SIZE};
    if (bounds == 0)
        return true;
    int64_t start = (int64_t)format_u64(value, value.size - BOUND_SIZE);
    if (window == PRINT_SESSION)
        return start >= 0 && (int64_t)format_u64(value, key->size) >= start;
    return start >= 0 && start < INT64_MAX;
}

static bool format_fits(PrintBase base, PrintWindow window, Bytes value) {
    Bytes key;
    return format_split(window, value, &key) && format_reads(base, key);
}

void print_format_see(PrintFormat *format, Bytes value) {
    if (!value.data)
        return;
    format->seen = true;
    for (PrintBase base = 0; base < PRINT_BASE_COUNT; base++)
        for (PrintWindow window = 0; window < PRINT_WINDOW_COUNT; window++)
            if (format->possible & format_bit(base, window) && !format_fits(base, window, value))
                format->possible &= ~format_bit(base, window);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void format_put_text(Bytes value, Buf *out) {
    for (uint32_t i = 0; i < value.size; i++) {
        if (value.data[i] == 0)
            buf_text(out, "\\x00");
        else
            buf_u8(out, value.data[i]);
    }
}

static void format_put_bytes(Bytes value, Buf *out) {
    for (uint32_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '\\')
            buf_u8(out, byte);
        else
            buf_printf(out, "\\x%02X", byte);
    }
}

static void format_put_base(PrintBase base, Bytes value, Buf *out) {
    Reader reader = reader_of(value);
    double number;
    uint64_t bits;
    switch (base) {
    case PRINT_INT:
        number_print_i64(out, (int32_t)reader_u32_be(&reader));
        return;
    case PRINT_BIGINT:
        number_print_i64(out, (int64_t)reader_u64_be(&reader));
        return;
    case PRINT_DOUBLE:
        bits = reader_u64_be(&reader);
        memcpy(&number, &bits, sizeof number);
        number_print_double(out, number);
        return;
    default:
        format_put_text(value, out);
    }
}

static void format_put_window(PrintBase base, PrintWindow window, Bytes value, Buf *out) {
    Bytes key;
    bool fits = format_split(window, value, &key);
    assert(fits);
    (void)fits;
    buf_u8(out, '[');
    format_put_base(base, key, out);
    buf_u8(out, '@');
    number_print_i64(out, (int64_t)format_u64(value, value.size - BOUND_SIZE));
    buf_u8(out, '/');
    if (window == PRINT_SESSION)
        number_print_i64(out, (int64_t)format_u64(value, key.size));
    else
        buf_u8(out, '-');
    buf_u8(out, ']');
}

void print_format_put(const PrintFormat *format, Bytes value, Buf *out) {
    if (!value.data) {
        buf_text(out, "<null>");
        return;
    }
    for (PrintBase base = 0; base < PRINT_BASE_COUNT; base++) {
        for (PrintWindow window = 0; window < PRINT_WINDOW_COUNT; window++) {
            if (!(format->possible & format_bit(base, window)))
                continue;
            if (window == PRINT_PLAIN)
                format_put_base(base, value, out);
            else
                format_put_window(base, window, value, out);
            return;
        }
    }
    format_put_bytes(value, out);
}

void print_format_names(const PrintFormat *format, Buf *out) {
    if (!format->seen) {
        buf_text(out, "\xC2\xAF\\_(\xE3\x83\x84)_/\xC2\xAF - no data processed");
        return;
    }
    if (format->possible == 0)
        buf_text(out, "no format that is known fits all");
    bool first = true;
    for (PrintBase base = 0; base < PRINT_BASE_COUNT; base++) {
        for (PrintWindow window = 0; window < PRINT_WINDOW_COUNT; window++) {
            if (!(format->possible & format_bit(base, window)))
                continue;
            bool plain = window == PRINT_PLAIN;
            buf_printf(out, "%s%s%s%s%s", first ? "" : " or ", window_names[window],
                       plain ? "" : "(", base_names[base], plain ? "" : ")");
            first = false;
        }
    }
}
