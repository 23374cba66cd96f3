/* guess.c - see guess.h. */
#include "engine/guess.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar/parse.h"

enum { GUESS_DEPTH_MAX = 16, GUESS_MEMBERS_MAX = 256, NUMBER_SIZE = 64 };

/* Milliseconds of 2000-01-01 and 2100-01-01: whole numbers in between are taken for times. */
static const int64_t age_begin_ms = 946684800000, age_end_ms = 4102444800000;

/* In order: a later kind holds what an earlier one of its family does. */
typedef enum GuessKind {
    GUESS_NOTHING, /* only NULLs so far */
    GUESS_BOOLEAN,
    GUESS_TIME, /* BIGINT that looks like milliseconds */
    GUESS_BIGINT,
    GUESS_DOUBLE,
    GUESS_ARRAY,
    GUESS_STRUCT,
    GUESS_STRING,
} GuessKind;

struct Guess {
    Arena *arena;
    const char *name;
    GuessKind kind;
    const char *layout; /* STRING: of its times; NULL: none, or they differ */
    bool seen, missing; /* values, NULLs */
    uint32_t rows;      /* taken: of a whole row */
    uint32_t depth, member_count;
    Guess *first, *last; /* STRUCT: members; ARRAY: the element alone */
    Guess *next;
};

/* -- Times as text ----------------------------------------------------------------------------- */

typedef struct TimeLayout {
    const char *shape; /* 9: a digit, else the character itself */
    const char *pattern;
} TimeLayout;

static const TimeLayout time_layouts[] = {
    {"9999-99-99T99:99:99.999Z", "yyyy-MM-dd''T''HH:mm:ss.SSSX"},
    {"9999-99-99T99:99:99Z", "yyyy-MM-dd''T''HH:mm:ssX"},
    {"9999-99-99T99:99:99.999", "yyyy-MM-dd''T''HH:mm:ss.SSS"},
    {"9999-99-99T99:99:99", "yyyy-MM-dd''T''HH:mm:ss"},
    {"9999-99-99 99:99:99.999", "yyyy-MM-dd HH:mm:ss.SSS"},
    {"9999-99-99 99:99:99", "yyyy-MM-dd HH:mm:ss"},
    {"9999-99-99 99:99", "yyyy-MM-dd HH:mm"},
    {"9999/99/99 99:99:99", "yyyy/MM/dd HH:mm:ss"},
    {"9999/99/99 99:99", "yyyy/MM/dd HH:mm"},
    {"9999-99-99", "yyyy-MM-dd"},
};

static bool layout_fits(const char *shape, Bytes text) {
    for (uint32_t i = 0; i < text.size; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (shape[i] == '9' ? !digit : shape[i] != (char)text.data[i])
            return false; /* the shape's end is no character of the text */
    }
    return shape[text.size] == '\0';
}

static const char *layout_of(Bytes text) {
    for (size_t i = 0; i < sizeof time_layouts / sizeof time_layouts[0]; i++)
        if (text.size == strlen(time_layouts[i].shape) && layout_fits(time_layouts[i].shape, text))
            return time_layouts[i].pattern;
    return NULL;
}

/* -- Values ------------------------------------------------------------------------------------ */

static Guess *guess_child(Guess *guess, const char *name) {
    for (Guess *child = guess->first; child; child = child->next)
        if (!name || strcmp(child->name, name) == 0)
            return child;
    if (guess->member_count == GUESS_MEMBERS_MAX)
        return NULL;
    Guess *child = arena_alloc(guess->arena, sizeof *child);
    child->arena = guess->arena;
    child->name = name ? arena_text(guess->arena, bytes_of(name)) : "";
    child->depth = guess->depth + 1;
    child->missing = guess->rows > 1;
    if (guess->last)
        guess->last->next = child;
    else
        guess->first = child;
    guess->last = child;
    guess->member_count++;
    return child;
}

static bool kind_is_number(GuessKind kind) {
    return kind == GUESS_TIME || kind == GUESS_BIGINT || kind == GUESS_DOUBLE;
}

/* The narrowest kind that holds both. */
static GuessKind kind_merge(GuessKind left, GuessKind right) {
    if (left == GUESS_NOTHING || left == right)
        return right;
    if (kind_is_number(left) && kind_is_number(right))
        return left > right ? left : right;
    return GUESS_STRING;
}

static GuessKind kind_of_number(Bytes text) {
    char copy[NUMBER_SIZE];
    if (text.size >= sizeof copy)
        return GUESS_DOUBLE;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (copy[strspn(copy, "-0123456789")] != '\0' || text.size > 19)
        return GUESS_DOUBLE;
    long long value = strtoll(copy, NULL, 10);
    return value >= age_begin_ms && value < age_end_ms ? GUESS_TIME : GUESS_BIGINT;
}

static void guess_take(Guess *guess, GuessKind kind) {
    guess->kind = kind_merge(guess->kind, kind);
    guess->seen = true;
}

static void guess_string(Guess *guess, Bytes text) {
    const char *layout = layout_of(text);
    guess->layout = guess->seen && guess->layout != layout ? NULL : layout;
    guess_take(guess, GUESS_STRING);
}

static void guess_value(Guess *guess, const JsonNode *value);

static void guess_children(Guess *guess, const JsonNode *value, bool named) {
    guess->rows++;
    for (const JsonNode *child = value->first; child; child = child->next) {
        Guess *target = guess_child(guess, named ? child->name : NULL);
        if (target)
            guess_value(target, child);
    }
}

static void guess_value(Guess *guess, const JsonNode *value) {
    bool nested = value->kind == JSON_ARRAY || value->kind == JSON_OBJECT;
    if (nested && guess->depth >= GUESS_DEPTH_MAX) {
        guess_string(guess, value->raw);
        return;
    }
    switch (value->kind) {
    case JSON_NULL:
        guess->missing = true;
        break;
    case JSON_BOOLEAN:
        guess_take(guess, GUESS_BOOLEAN);
        break;
    case JSON_NUMBER:
        guess_take(guess, kind_of_number(value->raw));
        break;
    case JSON_STRING:
        guess_string(guess, value->text);
        break;
    case JSON_ARRAY:
        guess_take(guess, GUESS_ARRAY);
        guess_children(guess, value, false);
        break;
    case JSON_OBJECT:
        guess_take(guess, GUESS_STRUCT);
        guess_children(guess, value, true);
        break;
    }
}

Guess *guess_new(Arena *arena) {
    Guess *guess = arena_alloc(arena, sizeof *guess);
    guess->arena = arena;
    return guess;
}

void guess_row(Guess *guess, const JsonNode *row) {
    if (row->kind == JSON_OBJECT)
        guess_value(guess, row);
}

uint32_t guess_rows(const Guess *guess) {
    return guess->rows;
}

/* What the csv reader would take the text for. */
static void guess_text(Guess *guess, Bytes text) {
    static const char *const words[] = {"true", "false"};
    const char *word = (const char *)text.data;
    bool number = text.size > 0;
    for (uint32_t i = 0, points = 0; i < text.size; i++) {
        points += word[i] == '.';
        number &= (word[i] >= '0' && word[i] <= '9') ||
                  (word[i] == '-' && i == 0 && text.size > 1) ||
                  (word[i] == '.' && points == 1 && i > 0 && i + 1 < text.size);
    }
    if (!text.data || text.size == 0)
        guess->missing = true;
    else if (number)
        guess_take(guess, kind_of_number(text));
    else if ((text.size == 4 && strncasecmp(word, words[0], 4) == 0) ||
             (text.size == 5 && strncasecmp(word, words[1], 5) == 0))
        guess_take(guess, GUESS_BOOLEAN);
    else
        guess_string(guess, text);
}

void guess_texts(Guess *guess, const char *const *names, const Bytes *texts, uint32_t count) {
    guess->rows++;
    guess->kind = GUESS_STRUCT;
    for (uint32_t i = 0; i < count; i++) {
        Guess *child = guess_child(guess, names[i]);
        if (child)
            guess_text(child, texts[i]);
    }
}

/* -- The statement ----------------------------------------------------------------------------- */

/* The name as it must be written: any case where that finds the member, else in back-ticks. */
static void print_name(const char *name, Buf *out) {
    char upper[GUESS_MEMBERS_MAX];
    size_t size = strlen(name);
    for (size_t i = 0; i <= size && i < sizeof upper; i++)
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
    if (size < sizeof upper && parse_name_is_plain(upper)) {
        buf_text(out, name);
        return;
    }
    buf_u8(out, '`');
    for (; *name; name++)
        buf_put(out, *name == '`' ? "``" : name, *name == '`' ? 2 : 1);
    buf_u8(out, '`');
}

static void print_type(const Guess *guess, bool is_text, Buf *out) {
    switch (guess->kind) {
    case GUESS_BOOLEAN:
        buf_text(out, "BOOLEAN");
        break;
    case GUESS_TIME:
        buf_text(out, is_text ? "BIGINT" : "TIMESTAMP");
        break;
    case GUESS_BIGINT:
        buf_text(out, "BIGINT");
        break;
    case GUESS_DOUBLE:
        buf_text(out, "DOUBLE");
        break;
    case GUESS_ARRAY:
        buf_text(out, "ARRAY<");
        if (guess->first)
            print_type(guess->first, is_text, out);
        else
            buf_text(out, "STRING");
        buf_text(out, ">");
        break;
    case GUESS_STRUCT:
        buf_text(out, guess->first ? "STRUCT<" : "MAP<STRING, STRING>");
        for (const Guess *child = guess->first; child; child = child->next) {
            print_name(child->name, out);
            buf_u8(out, ' ');
            print_type(child, is_text, out);
            buf_text(out, child->next ? ", " : ">");
        }
        break;
    default:
        buf_text(out, "STRING");
        break;
    }
}

/* The column that can be the rows' time: always there, and a time. */
static const Guess *guess_time(const Guess *guess) {
    for (const Guess *child = guess->first; child; child = child->next) {
        bool time = child->kind == GUESS_TIME || (child->kind == GUESS_STRING && child->layout);
        if (time && !child->missing && child->seen)
            return child;
    }
    return NULL;
}

void guess_print(const Guess *guess, const GuessStatement *statement, Buf *out) {
    assert(guess->depth == 0);
    const Guess *time = guess_time(guess);
    buf_text(out, "CREATE STREAM ");
    print_name(statement->name, out);
    buf_text(out, " (");
    for (const Guess *child = guess->first; child; child = child->next) {
        print_name(child->name, out);
        buf_u8(out, ' ');
        print_type(child, statement->is_text, out);
        buf_text(out, child->next ? ", " : "");
    }
    buf_printf(out, ")\n  WITH (KAFKA_TOPIC='%s', PARTITIONS=1, VALUE_FORMAT='%s'",
               statement->topic, statement->format);
    if (time) {
        buf_text(out, ", TIMESTAMP='");
        print_name(time->name, out);
        buf_text(out, "'");
    }
    if (time && time->kind == GUESS_STRING)
        buf_printf(out, ", TIMESTAMP_FORMAT='%s'", time->layout);
    buf_text(out, ");");
}
