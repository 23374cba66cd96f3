/*
 * string_case.c - LCASE, UCASE, INITCAP: as Java's toLowerCase and toUpperCase.
 *
 * A capital may be several characters (the table of string_special.def); a small sigma has another
 * form at the end of a word. ASCII goes its own way, which needs no table.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

enum {
    CASE_GROWTH = 3, /* bytes that a byte may become: three characters of two for one of two */
    CASE_DOTTED_I = 0x130,
    CASE_SIGMA = 0x3A3,
    CASE_SMALL_SIGMA = 0x3C3,
    CASE_FINAL_SIGMA = 0x3C2,
};

static const struct {
    uint32_t character;
    uint32_t capitals[3];
} case_special[] = {
#define STRING_SPECIAL(character, first, second, third) {character, {first, second, third}},
#include "udf/string_special.def"
#undef STRING_SPECIAL
};

enum { CASE_SPECIALS = sizeof case_special / sizeof case_special[0] };

/* The table is in order of the characters. */
static uint32_t case_put_upper(uint8_t *target, uint32_t character) {
    uint32_t low = 0, high = CASE_SPECIALS, size = 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (case_special[middle].character < character)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == CASE_SPECIALS || case_special[low].character != character)
        return utf8_encode(target, utf8_upper(character));
    for (uint32_t i = 0; i < 3 && case_special[low].capitals[i]; i++)
        size += utf8_encode(target + size, case_special[low].capitals[i]);
    return size;
}

/* == The last sigma of a word == */

static bool case_is_cased(uint32_t character) {
    Utf8Kind kind = utf8_kind(character);
    return kind == UTF8_UPPER || kind == UTF8_LOWER || utf8_upper(character) != character ||
           utf8_lower(character) != character;
}

/* What belongs to a word but is no letter with cases: marks and the like, digits. */
static bool case_is_passed(uint32_t character) {
    return utf8_kind(character) == UTF8_DIGIT || (character > 0x7F && utf8_width(character) == 0);
}

/* What joins two letters to one word. */
static bool case_joins(uint32_t character) {
    return character == '.' || character == '-' || character == '_' || character == '\'' ||
           character == 0x2019;
}

/* The next character that can tell, going back from `at`, or going on; 0: there is none. */
static uint32_t case_neighbour(Bytes text, uint32_t *at, bool back) {
    uint32_t size;
    if (*at == (back ? 0 : text.size))
        return 0;
    if (back) {
        do
            (*at)--;
        while (*at > 0 && (text.data[*at] & 0xC0) == 0x80);
    }
    uint32_t character = utf8_decode((Bytes){text.data + *at, text.size - *at}, &size);
    *at += back ? 0 : size;
    return character;
}

/* Whether the word goes on with a letter that has cases. */
static bool case_letter_follows(Bytes text, uint32_t at, bool back) {
    uint32_t character;
    do
        character = case_neighbour(text, &at, back);
    while (character && case_is_passed(character));
    if (character && case_joins(character))
        character = case_neighbour(text, &at, back);
    return character && case_is_cased(character);
}

/* At a capital sigma of `size` bytes. */
static uint32_t case_small_sigma(Bytes text, uint32_t at, uint32_t size) {
    bool last = case_letter_follows(text, at, true) &&
                !case_letter_follows(text, at + size, false);
    return last ? CASE_FINAL_SIGMA : CASE_SMALL_SIGMA;
}

static uint32_t case_put_lower(uint8_t *target, Bytes text, uint32_t at, uint32_t size,
                               uint32_t character) {
    if (character == CASE_SIGMA)
        return utf8_encode(target, case_small_sigma(text, at, size));
    uint32_t written = utf8_encode(target, utf8_lower(character));
    if (character == CASE_DOTTED_I) { /* an i and its dot */
        target[0] = 'i';
        written = 1 + utf8_encode(target + 1, 0x307);
    }
    return written;
}

/* == Functions == */

static uint8_t case_ascii(uint8_t byte, bool upper) {
    uint8_t first = upper ? 'a' : 'A';
    return byte >= first && byte < first + 26 ? (uint8_t)(byte ^ 0x20) : byte;
}

/* Writes one character in the wanted case; *at moves behind it. */
static uint32_t case_put(uint8_t *target, Bytes text, uint32_t *at, bool upper) {
    uint32_t from = *at, size;
    if (text.data[from] < 0x80) {
        target[0] = case_ascii(text.data[from], upper);
        (*at)++;
        return 1;
    }
    uint32_t character = utf8_decode((Bytes){text.data + from, text.size - from}, &size);
    *at += size;
    return upper ? case_put_upper(target, character)
                 : case_put_lower(target, text, from, size, character);
}

static size_t case_room(Bytes text) {
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] >= 0x80)
            return (size_t)text.size * CASE_GROWTH + 4;
    return text.size;
}

/* Eight bytes of ASCII in the wanted case: the bit 0x20 of letters of the other one is turned. */
static inline uint64_t case_word(uint64_t word, bool upper) {
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t first = upper ? 'a' : 'A', last = upper ? 'z' : 'Z';
    assert(!(word & tops));
    uint64_t from = word + ones * (0x80 - first), past = word + ones * (0x7f - last);
    return word ^ (from & ~past & tops) >> 2;
}

/* The ASCII that the text begins with, in whole words; returns its size. */
static inline uint32_t case_put_ascii(uint8_t *target, Bytes text, bool upper) {
    uint32_t at = 0;
    for (uint64_t word; text.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        if (word & 0x8080808080808080U)
            break;
        word = case_word(word, upper);
        memcpy(target + at, &word, sizeof word);
    }
    assert(at <= text.size);
    return at;
}

static void case_all(const FunctionCall *call, bool upper) {
    FunctionRoom room = {.arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        uint8_t *target = function_room(&room, case_room(text));
        uint32_t at = case_put_ascii(target, text, upper);
        size_t size = at;
        while (at < text.size)
            size += case_put(target + size, text, &at, upper);
        function_put_bytes(call, call->rows[i], function_room_take(&room, size));
    }
}

void string_lcase(const FunctionCall *call) {
    assert(call->arg_count == 1);
    case_all(call, false);
}

void string_ucase(const FunctionCall *call) {
    assert(call->arg_count == 1);
    case_all(call, true);
}

/* What Java's \s means. */
static bool case_is_blank(uint8_t byte) {
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0D);
}

/* Small letters, of which the first of each word becomes a capital; Java takes the first UTF-16
 * unit of a word, so that a character of two is left. */
static size_t case_put_word_start(uint8_t *target, Bytes text, uint32_t *at) {
    size_t size = case_put(target, text, at, false);
    uint8_t first[8];
    uint32_t taken;
    if (size > sizeof first || target[0] >= 0xF0)
        return size;
    memcpy(first, target, size);
    uint32_t character = utf8_decode((Bytes){first, (uint32_t)size}, &taken);
    uint32_t written = case_put_upper(target, character);
    memcpy(target + written, first + taken, size - taken);
    return written + size - taken;
}

void string_initcap(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        Bytes text = call->args[0]->bytes[call->rows[i]];
        while (text.size > 0 && case_is_blank(text.data[0])) {
            text.data++;
            text.size--;
        }
        uint8_t *target = function_room(&room, case_room(text));
        size_t size = 0;
        bool start = true;
        for (uint32_t at = 0; at < text.size;) {
            bool blank = case_is_blank(text.data[at]);
            size += start ? case_put_word_start(target + size, text, &at)
                          : case_put(target + size, text, &at, false);
            start = blank;
        }
        function_put_bytes(call, call->rows[i], function_room_take(&room, size));
    }
}
