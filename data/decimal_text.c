/*
 * decimal_text.c - decimals to text and back.
 *
 * A text is scanned once into its first 77 significant digits, where the last one lies, and whether
 * what was dropped behind them was all zeros. 77 digits are one more than any type has, so the
 * scan still decides every rounding half up.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/decimal_impl.h"
#include "data/number_text.h"

enum {
    SCAN_DIGITS_MAX = DECIMAL_PRECISION_MAX + 1,
    CHUNK_DIGITS = 19,             /* in a 64-bit word */
    EXPONENT_MAX = 1 << 30,        /* larger ones overflow, or vanish, just the same */
    PRINT_DIGITS_MAX = 78,         /* of 2^255 */
};

/* magnitude * 10^-scale, and a bit more where digits were dropped. */
typedef struct DecimalScan {
    bool negative;
    Decimal magnitude;
    uint32_t digit_count; /* significant ones in magnitude, 0 for zero */
    int64_t scale;        /* below 0: zeros are missing at the end */
    bool dropped;         /* non-zero digits behind the magnitude */
} DecimalScan;

/* Digits on their way into a scan, a word at a time. */
typedef struct DigitSink {
    DecimalScan *scan;
    uint64_t chunk;
    uint32_t chunk_digits;
} DigitSink;

static void sink_flush(DigitSink *sink) {
    if (sink->chunk_digits == 0)
        return;
    decimal_magnitude_step(&sink->scan->magnitude, decimal_power[sink->chunk_digits].word[0],
                           sink->chunk);
    sink->chunk = 0;
    sink->chunk_digits = 0;
}

/* Takes one digit; `fraction`: it stands behind the point. */
static void sink_put(DigitSink *sink, uint8_t digit, bool fraction) {
    DecimalScan *scan = sink->scan;
    if (scan->digit_count >= SCAN_DIGITS_MAX) {
        scan->dropped |= digit != 0;
        scan->scale -= !fraction;
        return;
    }
    scan->scale += fraction;
    if (scan->digit_count == 0 && digit == 0)
        return;
    scan->digit_count++;
    sink->chunk = sink->chunk * 10 + digit;
    if (++sink->chunk_digits == CHUNK_DIGITS)
        sink_flush(sink);
}

static const uint8_t *scan_digits(DigitSink *sink, const uint8_t *next, const uint8_t *end,
                                  bool fraction) {
    for (; next < end && *next >= '0' && *next <= '9'; next++)
        sink_put(sink, (uint8_t)(*next - '0'), fraction);
    return next;
}

/* Optional e, sign, digits. NULL: an e without digits. */
static const uint8_t *scan_exponent(DecimalScan *scan, const uint8_t *next, const uint8_t *end) {
    if (next == end || (*next != 'e' && *next != 'E'))
        return next;
    next++;
    bool negative = next < end && *next == '-';
    if (next < end && (*next == '-' || *next == '+'))
        next++;
    const uint8_t *first = next;
    int64_t exponent = 0;
    for (; next < end && *next >= '0' && *next <= '9'; next++) {
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*next - '0');
    }
    scan->scale += negative ? exponent : -exponent;
    return next == first ? NULL : next;
}

static bool decimal_scan(Bytes text, DecimalScan *scan) {
    const uint8_t *next = text.data;
    const uint8_t *end = next + text.size;
    *scan = (DecimalScan){0};
    if (next < end && (*next == '-' || *next == '+')) {
        scan->negative = *next == '-';
        next++;
    }
    DigitSink sink = {.scan = scan};
    const uint8_t *whole = next;
    next = scan_digits(&sink, next, end, false);
    ptrdiff_t digits = next - whole;
    if (next < end && *next == '.') {
        const uint8_t *fraction = ++next;
        next = scan_digits(&sink, next, end, true);
        digits += next - fraction;
    }
    sink_flush(&sink);
    return digits > 0 && scan_exponent(scan, next, end) == end;
}

/* Drops the 77th digit where it is a zero behind the point. */
static void scan_trim(DecimalScan *scan) {
    if (scan->digit_count <= DECIMAL_PRECISION_MAX || scan->scale <= 0)
        return;
    Decimal shorter = scan->magnitude;
    if (decimal_magnitude_divide(&shorter, 10) != 0)
        return;
    scan->magnitude = shorter;
    scan->digit_count--;
    scan->scale--;
}

static Decimal scan_value(const DecimalScan *scan) {
    return scan->negative ? decimal_negate(scan->magnitude) : scan->magnitude;
}

/* Writes the zeros that a negative scale leaves out. */
static bool scan_raise(DecimalScan *scan) {
    if (scan->digit_count == 0)
        scan->scale = scan->scale < 0 ? 0 : scan->scale;
    if (scan->scale >= 0)
        return true;
    if (scan->scale < -DECIMAL_PRECISION_MAX ||
        scan->digit_count - scan->scale > DECIMAL_PRECISION_MAX)
        return false;
    for (; scan->scale < 0; scan->scale++, scan->digit_count++)
        decimal_magnitude_step(&scan->magnitude, 10, 0);
    return true;
}

bool decimal_parse(Bytes text, Decimal *value, uint32_t *precision, uint32_t *scale) {
    DecimalScan scan;
    if (!decimal_scan(text, &scan) || scan.dropped)
        return false;
    scan_trim(&scan);
    if (!scan_raise(&scan) || scan.digit_count > DECIMAL_PRECISION_MAX)
        return false;
    if (scan.scale > DECIMAL_PARSE_SCALE_MAX)
        return false;
    *value = scan_value(&scan);
    *precision = scan.digit_count == 0 ? 1 : scan.digit_count;
    *scale = (uint32_t)scan.scale;
    return true;
}

/* The number at that scale; false: too large, or (unless half_up) not exactly there. */
static bool scan_fit(const DecimalScan *scan, uint32_t precision, uint32_t scale, bool half_up,
                     Decimal *value) {
    DecimalWide number = decimal_wide_of(scan->magnitude);
    int64_t places = scan->scale - scale; /* to be dropped */
    if (places > DECIMAL_PLACES_MAX)
        places = DECIMAL_PLACES_MAX; /* nothing is left after so many */
    if (places < -DECIMAL_PLACES_MAX)
        places = -DECIMAL_PLACES_MAX; /* too large, unless zero, after so many */
    if (places > 0 && !decimal_wide_lower(&number, (uint32_t)places, half_up) && !half_up)
        return false;
    if (places < 0 && !decimal_wide_raise(&number, (uint32_t)-places))
        return false;
    return decimal_wide_narrow(&number, scan->negative, precision, value);
}

bool decimal_parse_exact(Bytes text, uint32_t precision, uint32_t scale, Decimal *value) {
    DecimalScan scan;
    return decimal_scan(text, &scan) && !scan.dropped &&
           scan_fit(&scan, precision, scale, false, value);
}

bool decimal_parse_round(Bytes text, uint32_t precision, uint32_t scale, Decimal *value) {
    DecimalScan scan;
    return decimal_scan(text, &scan) && scan_fit(&scan, precision, scale, true, value);
}

/* Digits of a magnitude, at the end of `target`; returns the first. None of zero. */
static uint8_t *print_digits(uint8_t target[PRINT_DIGITS_MAX], Decimal magnitude) {
    uint8_t *first = target + PRINT_DIGITS_MAX;
    bool small = !(magnitude.word[1] | magnitude.word[2] | magnitude.word[3]);
    if (small && magnitude.word[0] > 0 && magnitude.word[0] <= INT64_MAX) {
        uint8_t digits[NUMBER_I64_ROOM];
        size_t count = (size_t)(number_put_i64(digits, (int64_t)magnitude.word[0]) - digits);
        return memcpy(first - count, digits, count);
    }
    while (magnitude.word[1] | magnitude.word[2] | magnitude.word[3]) {
        uint64_t chunk = decimal_magnitude_divide(&magnitude, decimal_power[CHUNK_DIGITS].word[0]);
        for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10)
            *--first = (uint8_t)('0' + chunk % 10);
    }
    for (uint64_t chunk = magnitude.word[0]; chunk > 0; chunk /= 10)
        *--first = (uint8_t)('0' + chunk % 10);
    return first;
}

void decimal_print(Buf *out, Decimal value, uint32_t scale) {
    int64_t small;
    if (scale <= NUMBER_SCALE_MAX && decimal_load_i64(value.word, DECIMAL_PRECISION_MAX, &small)) {
        uint8_t *to = buf_room(out, NUMBER_I64_ROOM);
        out->size += (size_t)(number_put_scaled(to, small, scale) - to);
        return;
    }
    uint8_t digits[PRINT_DIGITS_MAX];
    const uint8_t *first = print_digits(digits, decimal_magnitude(value));
    uint32_t count = (uint32_t)(digits + PRINT_DIGITS_MAX - first);
    uint32_t whole = count > scale ? count - scale : 0;
    uint8_t *next = buf_room(out, (size_t)PRINT_DIGITS_MAX + scale + 3);
    const uint8_t *start = next;
    if (decimal_is_negative(value))
        *next++ = '-';
    if (whole == 0)
        *next++ = '0';
    memcpy(next, first, whole);
    next += whole;
    if (scale > 0) {
        uint32_t zeros = scale - (count - whole);
        *next++ = '.';
        memset(next, '0', zeros);
        memcpy(next + zeros, first + whole, count - whole);
        next += scale;
    }
    out->size += (size_t)(next - start);
}

void decimal_print_short(Buf *out, Decimal value, uint32_t scale) {
    uint8_t digits[PRINT_DIGITS_MAX];
    const uint8_t *first = print_digits(digits, decimal_magnitude(value));
    if (decimal_is_zero(value))
        first = memcpy(digits + PRINT_DIGITS_MAX - 1, "0", 1);
    int exponent = (int)(digits + PRINT_DIGITS_MAX - first) - 1 - (int)scale;
    if (exponent >= -6) {
        decimal_print(out, value, scale);
        return;
    }
    if (decimal_is_negative(value))
        buf_u8(out, '-');
    buf_u8(out, *first++);
    if (first < digits + PRINT_DIGITS_MAX)
        buf_u8(out, '.');
    buf_bytes(out, (Bytes){first, (uint32_t)(digits + PRINT_DIGITS_MAX - first)});
    buf_printf(out, "E%d", exponent);
}

/* The number in plain notation, or as it was written where it is too long for us. */
static void print_plain(Buf *out, Bytes text, uint32_t *precision, uint32_t *scale) {
    enum { TEXT_SHOWN_MAX = 100 };
    Decimal value;
    if (decimal_parse(text, &value, precision, scale)) {
        decimal_print(out, value, *scale);
        return;
    }
    *precision = 0;
    bool cut = text.size > TEXT_SHOWN_MAX;
    buf_put(out, text.data, cut ? utf8_whole((Bytes){text.data, TEXT_SHOWN_MAX}) : text.size);
    buf_text(out, cut ? "..." : "");
}

void decimal_print_misfit(Buf *out, Bytes text, uint32_t precision, uint32_t scale, bool rounded) {
    uint32_t needed, needed_scale;
    DecimalScan scan;
    assert(precision >= scale);
    if (!decimal_scan(text, &scan)) {
        buf_text(out, "Not a decimal number: '");
        print_plain(out, text, &needed, &needed_scale);
        buf_text(out, "'");
    } else if (rounded) {
        buf_printf(out, "Numeric field overflow: A field with precision %u and scale %u must round"
                   " to an absolute value less than 10^%u. Got ", precision, scale,
                   precision - scale);
        print_plain(out, text, &needed, &needed_scale);
    } else {
        buf_text(out, "Cannot fit decimal '");
        print_plain(out, text, &needed, &needed_scale);
        buf_printf(out, "' into DECIMAL(%u, %u) without rounding.", precision, scale);
        if (needed > 0)
            buf_printf(out, " (Requires %u,%u)", needed, needed_scale);
    }
}
