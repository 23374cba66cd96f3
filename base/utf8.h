/*
 * utf8.h - text as the SQL language sees it: UTF-8 bytes, counted and ordered in UTF-16 units.
 *
 * Positions and lengths in SQL are UTF-16 code units (a character above U+FFFF is two), and so is
 * the order of strings. Text is not trusted to be valid: a byte that begins no character counts as
 * one unit and stands for U+FFFD.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/bytes.h"

/* Whether all of it is UTF-8: no overlong forms, no surrogates, nothing over U+10FFFF. */
bool utf8_valid(Bytes text);

/* Copies the text, each piece of it that is no character as U+FFFD; returns the size. `target` has
 * room for text.size * UTF8_REPAIR_GROWTH bytes. */
enum { UTF8_REPAIR_GROWTH = 3 };
uint32_t utf8_repair(uint8_t *target, Bytes text);

/* Size of a text that was cut at a limit, without the character that the cut went through. */
uint32_t utf8_whole(Bytes text);

/* Length in UTF-16 units. */
uint32_t utf8_length(Bytes text);

/* Byte offset of the character that holds UTF-16 unit `index` (0-based), text.size when the text
 * is not longer than that. In the middle of a pair: the offset behind the whole character. */
uint32_t utf8_offset(Bytes text, uint32_t index);

/* The part [from, to) in UTF-16 units, from <= to; borrowed. */
Bytes utf8_slice(Bytes text, uint32_t from, uint32_t to);

/* Order of UTF-16 code units: <0, 0, >0. */
int utf8_compare(Bytes left, Bytes right);

/* Decodes the character at the start of `text` (size > 0); *size is its bytes. */
uint32_t utf8_decode(Bytes text, uint32_t *size);

/* Writes a character (at most 4 bytes); returns its bytes. A surrogate or a number over U+10FFFF
 * is written as U+FFFD. */
uint32_t utf8_encode(uint8_t target[4], uint32_t character);

/* Without leading and trailing characters up to U+0020. */
Bytes utf8_trim(Bytes text);

/* Simple case mapping of one character. */
uint32_t utf8_upper(uint32_t character);
uint32_t utf8_lower(uint32_t character);

/* What a character is, by its general category: Lu, Ll, Nd, all else, and the other letters. */
typedef enum Utf8Kind {
    UTF8_UPPER,
    UTF8_LOWER,
    UTF8_DIGIT,
    UTF8_OTHER,
    UTF8_LETTER, /* Lt Lm Lo */
} Utf8Kind;
Utf8Kind utf8_kind(uint32_t character);

/* Columns that a character takes on a terminal: 0, 1 or 2; and a whole text. */
uint32_t utf8_width(uint32_t character);
uint32_t utf8_columns(Bytes text);

/* Where `part` first occurs in text at or after byte `from`; UINT32_MAX: nowhere. */
uint32_t utf8_find(Bytes text, Bytes part, uint32_t from);

#endif
