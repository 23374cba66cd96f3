/*
 * regexp_impl.h - the inside of the REGEXP functions: patterns of java.util.regex run by PCRE2.
 *
 *   Java pattern --regexp_translate.c--> PCRE2 pattern --regexp_match.c--> machine code, matches
 *                  regexp_escape.c     \n \x41 \1 \b ...
 *                  regexp_class.c      [a-z&&[^b]]
 *                  regexp_property.c   \p{Lu} \p{IsGreek} \d
 *                  regexp_behind.c     (?<=a{1,3}|b)
 *   regexp.c       the functions
 *
 * Everything a Java pattern can say is written out for PCRE2: it never sees the user's own text
 * but as quoted characters, and runs without options that would change what is written.
 */
#ifndef UDF_REGEXP_IMPL_H
#define UDF_REGEXP_IMPL_H

#include "base/buf.h"
#include "udf/function_impl.h"

enum {
    REGEXP_PATTERN_BYTES_MAX = 16 << 10,
    REGEXP_DEPTH_MAX = 100, /* groups and classes in each other: bounds the C stack */
    REGEXP_REPEAT_MAX = 65535, /* PCRE2's */
    REGEXP_ERROR_SIZE = 160,
};

/* == Translation == */

typedef struct RegexpName {
    Bytes text; /* in the pattern's own text */
    uint32_t group;
} RegexpName;

typedef struct RegexpTranslation {
    Buf text; /* PCRE2's pattern */
    Buf prefix; /* what every match begins with */
    uint32_t group_count;
    RegexpName *names; /* mem */
    size_t name_capacity;
    uint32_t name_count;
    char error[REGEXP_ERROR_SIZE]; /* empty: none */
} RegexpTranslation;

/* Borrows `pattern` for the names. false: `error` says why. Free it in either case. */
bool regexp_translate(Bytes pattern, RegexpTranslation *translation);
void regexp_translation_free(RegexpTranslation *translation);

/* == The parser: regexp_translate.c and what it is made of == */

enum {
    REGEXP_CASELESS = 1,     /* i */
    REGEXP_MULTILINE = 2,    /* m */
    REGEXP_DOTALL = 4,       /* s */
    REGEXP_UNICODE_CASE = 8, /* u */
    REGEXP_COMMENTS = 16,    /* x */
    REGEXP_UNIX_LINES = 32,  /* d */
    REGEXP_UNICODE = 64,     /* U: predefined classes by Unicode */
};

#define REGEXP_END UINT32_MAX
#define REGEXP_QUOTED 0x80000000U /* a character out of \Q...\E: nothing but itself */

typedef struct RegexpParse {
    const uint32_t *chars; /* the pattern's characters, without \Q and \E */
    const uint32_t *offsets; /* of each in its text, and of the end */
    Bytes pattern;
    uint32_t count;
    uint32_t at;
    uint32_t flags;
    uint32_t depth;
    uint32_t behind_depth; /* where the look-behind began whose start is at hand */
    uint32_t reference_max; /* highest group that is referred to by number */
    bool caseless; /* PCRE2's own flag at the end of what is written */
    bool in_prefix; /* what has been read so far is all literal */
    bool failed;
    Buf *out;
    RegexpTranslation *translation;
} RegexpParse;

/* The character at hand, in comment mode the next one that counts; REGEXP_END behind the last. */
uint32_t regexp_peek(RegexpParse *parse);
/* The one behind it: as peek, and as it is. */
uint32_t regexp_next(RegexpParse *parse);
uint32_t regexp_skip(RegexpParse *parse);
static inline uint32_t regexp_raw(const RegexpParse *parse, uint32_t ahead) {
    uint32_t at = parse->at + ahead;
    return at < parse->count ? parse->chars[at] : REGEXP_END;
}

/* Keeps the first error; from there on the pattern has ended. Returns false. */
bool regexp_fail(RegexpParse *parse, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets PCRE2's own flag for what is written next. */
void regexp_set_caseless(RegexpParse *parse, bool caseless);

/* An atom that begins with `ch`, written to parse->out; false: it takes no quantifier. */
bool regexp_atom(RegexpParse *parse, uint32_t ch);

/* -- Groups -- */

typedef enum RegexpGroupKind {
    REGEXP_GROUP_PLAIN,   /* (?:...) (?i:...) */
    REGEXP_GROUP_CAPTURE, /* (...) (?<name>...) */
    REGEXP_GROUP_ATOMIC,  /* (?>...) */
    REGEXP_GROUP_LOOK,    /* (?=...) (?!...) */
    REGEXP_GROUP_BEHIND,  /* (?<=...) (?<!...) */
} RegexpGroupKind;

typedef struct RegexpGroup {
    RegexpGroupKind kind;
    const char *open; /* what PCRE2 begins it with */
    uint32_t flags;   /* of what surrounds it */
} RegexpGroup;

/* From '(' to where the inside begins; false: only flags, or failed. */
bool regexp_group_open(RegexpParse *parse, RegexpGroup *group);
/* Writes all of it, and reads behind the ')'. */
void regexp_group_body(RegexpParse *parse, const RegexpGroup *group);
/* Reads the ')' and gives the flags back. */
void regexp_group_close(RegexpParse *parse, uint32_t flags);

/* -- Quantifiers -- */

typedef struct RegexpRepeat {
    uint32_t low, high; /* high REGEXP_REPEAT_MAX + 1: any number */
    bool lazy, possessive;
} RegexpRepeat;

bool regexp_repeat(RegexpParse *parse, RegexpRepeat *repeat); /* false: there is none */

/* The inside of a look-behind, up to its ')'. */
void regexp_behind(RegexpParse *parse);

/* -- Sets of characters (regexp_class.c) -- */

/* A union: items stand in [...], others are patterns of one character, each behind a '|'. */
typedef struct RegexpSet {
    Buf items;
    Buf folded; /* items that fold by Unicode */
    Buf others;
} RegexpSet;

void regexp_set_free(RegexpSet *set);
void regexp_set_range(RegexpSet *set, uint32_t flags, uint32_t low, uint32_t high);
void regexp_set_items(RegexpSet *set, Bytes items, bool negated);
/* Writes it as a pattern of one character, which a quantifier may follow. */
void regexp_set_write(Buf *out, const RegexpSet *set, bool negated);

/* From '[' to behind ']'. */
void regexp_class(RegexpParse *parse, RegexpSet *set);

/* A character in [...] or by itself: \x{1F600} or the letter or digit that it is. */
void regexp_write_char(Buf *out, uint32_t character);

/* -- Escapes (regexp_escape.c) -- */

/* At the letter behind a backslash: one that stands for a character. REGEXP_END and no failure:
 * it does not stand for one, and nothing has been read. A surrogate stands for nothing: it is
 * returned as such. */
uint32_t regexp_escape_char(RegexpParse *parse);

/* \d \w \p{...} and so on, likewise; false: none. */
bool regexp_escape_set(RegexpParse *parse, RegexpSet *set);

/* Any escape outside [...], from the backslash on; written to parse->out. */
void regexp_escape(RegexpParse *parse);
void regexp_literal(RegexpParse *parse, uint32_t character);

/* -- Properties (regexp_property.c) -- */

typedef struct RegexpProperty {
    const char *items; /* for [...] */
    bool negated;
    char own[64]; /* what items may point to */
} RegexpProperty;

/* What is between the braces of \p{...}. false: Java knows no such property. */
bool regexp_property(Bytes name, uint32_t flags, RegexpProperty *property);

/* One of d h s v w; small letters only. */
const char *regexp_predefined(uint32_t letter, uint32_t flags);

/* == Matching: regexp_match.c == */

typedef struct Regexp Regexp;             /* a compiled pattern */
typedef struct RegexpCache RegexpCache;   /* of one call in a query: used by one thread */

/* Lives as long as `arena`. */
RegexpCache *regexp_cache_new(Arena *arena);

/* The pattern, compiled now or before; NULL: `*error` says why, until the next call. */
Regexp *regexp_cache_get(RegexpCache *cache, Bytes pattern, const char **error);

uint32_t regexp_group_count(const Regexp *regexp);
/* UINT32_MAX: none. */
uint32_t regexp_group_by_name(const Regexp *regexp, Bytes name);

/* The search in one text: matches from left to right as Matcher.find() gives them. */
typedef struct RegexpSearch {
    Regexp *regexp;
    Bytes text;
    uint32_t next;      /* where the next search begins; UINT32_MAX: there is none */
    const size_t *groups; /* of the match at hand: begin and end of each */
    bool past_empty;    /* `next` is not where the last match ended */
    uint64_t steps;
    size_t last_step; /* where it was taken */
    const char *error;  /* the search was given up; NULL: not */
} RegexpSearch;

/* false: the text cannot be searched, search->error says why. */
bool regexp_search_start(RegexpSearch *search, Regexp *regexp, Bytes text);
/* The next match; false: there is none, or search->error is set. */
bool regexp_search_next(RegexpSearch *search);
/* Searches on from this byte offset, as Matcher.find(int) does. */
void regexp_search_from(RegexpSearch *search, uint32_t offset);

/* Whether a group took part in the match, and what it holds. */
bool regexp_search_group(const RegexpSearch *search, uint32_t group, Bytes *text);

#endif
