/*
 * regexp_property.c - \p{...}, \d and their like as the items of a [...] of PCRE2.
 *
 * Java has four kinds of names: categories and POSIX classes (\p{Lu}, \p{Alpha}), its own tests
 * (\p{javaLowerCase}), what begins with Is (a property, a category or a script, in any case) and
 * what begins with In (a block of regexp_block.def). POSIX classes are ASCII, but Unicode under the
 * flag U and behind Is.
 */
#include <stdio.h>

#include "udf/regexp_impl.h"

typedef struct PropertyName {
    const char *name;
    const char *items;
} PropertyName;

#define PROPERTY_ASSIGNED "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}"
#define PROPERTY_CONTROL "\\x{0}-\\x{1f}\\x{7f}-\\x{9f}"
#define PROPERTY_GRAPH "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}"
#define PROPERTY_IGNORABLE "\\x{0}-\\x{8}\\x{e}-\\x{1b}\\x{7f}-\\x{9f}\\p{Cf}"
#define PROPERTY_IDENTIFIER "\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}"
/* The second part is what PCRE2 leaves out: signs without a mirrored one. */
#define PROPERTY_MIRRORED \
    "\\p{Bidi_Mirrored}\\x{2140}\\x{2201}-\\x{2204}\\x{2211}\\x{2216}\\x{221a}-\\x{221d}\\x{2226}" \
    "\\x{222b}-\\x{2233}\\x{2239}\\x{223b}-\\x{224c}\\x{225f}\\x{2260}\\x{2262}\\x{228c}\\x{22a7}" \
    "\\x{22aa}\\x{22ac}-\\x{22af}\\x{22be}\\x{22bf}\\x{22f5}\\x{22f8}\\x{22f9}\\x{22ff}\\x{2320}" \
    "\\x{2321}\\x{27c0}\\x{27cc}\\x{27d3}\\x{27d4}\\x{299c}-\\x{299f}\\x{29a2}-\\x{29a7}\\x{29c2}" \
    "\\x{29c3}\\x{29c9}\\x{29ce}\\x{29d2}\\x{29dc}\\x{29e1}\\x{29e3}-\\x{29e5}\\x{29f4}\\x{29f6}" \
    "\\x{29f7}\\x{2a0a}-\\x{2a1c}\\x{2a1e}-\\x{2a21}\\x{2a24}\\x{2a26}\\x{2a29}\\x{2a3e}\\x{2a57}" \
    "\\x{2a58}\\x{2a6a}-\\x{2a6d}\\x{2a6f}\\x{2a70}\\x{2a73}\\x{2a74}\\x{2aa3}\\x{2adc}" \
    "\\x{2ae2}-\\x{2ae6}\\x{2aee}\\x{2af3}\\x{2afb}\\x{2afd}\\x{1d6db}\\x{1d715}\\x{1d74f}" \
    "\\x{1d789}\\x{1d7c3}"
/* Written twice, for without regard to case it is not what \p{Lt} is. */
#define PROPERTY_TITLE "\\p{Lt}\\p{Lt}"
#define PROPERTY_ALL "\\x{0}-\\x{10ffff}"
#define PROPERTY_WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"

/* Two-letter categories are PCRE2's own; these are the others that Java calls properties. */
static const PropertyName property_plain[] = {
    {"LC", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"LD", "\\p{L}\\p{Nd}"},
    {"L1", "\\x{0}-\\x{ff}"},
    {"all", PROPERTY_ALL},
    {"ASCII", "\\x{0}-\\x{7f}"},
    {"Alnum", "a-zA-Z0-9"},
    {"Alpha", "a-zA-Z"},
    {"Blank", "\\x{20}\\t"},
    {"Cntrl", "\\x{0}-\\x{1f}\\x{7f}"},
    {"Digit", "0-9"},
    {"Graph", "\\x{21}-\\x{7e}"},
    {"Lower", "a-z"},
    {"Print", "\\x{20}-\\x{7e}"},
    {"Punct", "\\x{21}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{60}\\x{7b}-\\x{7e}"},
    {"Space", "\\x{20}\\x{9}-\\x{d}"},
    {"Upper", "A-Z"},
    {"XDigit", "0-9a-fA-F"},
    {"javaLowerCase", "\\p{Lowercase}"},
    {"javaUpperCase", "\\p{Uppercase}"},
    {"javaAlphabetic", "\\p{Alphabetic}"},
    {"javaIdeographic", "\\p{Ideographic}"},
    {"javaTitleCase", PROPERTY_TITLE},
    {"javaDigit", "\\p{Nd}"},
    {"javaDefined", PROPERTY_ASSIGNED},
    {"javaLetter", "\\p{L}"},
    {"javaLetterOrDigit", "\\p{L}\\p{Nd}"},
    {"javaJavaIdentifierStart", PROPERTY_IDENTIFIER},
    {"javaJavaIdentifierPart",
     PROPERTY_IDENTIFIER "\\p{Nd}\\p{Mc}\\p{Mn}" PROPERTY_IGNORABLE},
    {"javaUnicodeIdentifierStart", "\\p{ID_Start}\\x{2e2f}"},
    {"javaUnicodeIdentifierPart", "\\p{ID_Continue}\\x{2e2f}" PROPERTY_IGNORABLE},
    {"javaIdentifierIgnorable", PROPERTY_IGNORABLE},
    {"javaSpaceChar", "\\p{Z}"},
    {"javaWhitespace", "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{1680}\\x{2000}-\\x{2006}"
                       "\\x{2008}-\\x{200a}\\x{2028}\\x{2029}\\x{205f}\\x{3000}"},
    {"javaISOControl", PROPERTY_CONTROL},
    {"javaMirrored", PROPERTY_MIRRORED},
};

/* Behind Is, in any case, and the POSIX ones under the flag U. */
static const PropertyName property_unicode[] = {
    {"Alpha", "\\p{Alphabetic}"},
    {"Lower", "\\p{Lowercase}"},
    {"Upper", "\\p{Uppercase}"},
    {"Space", "\\p{White_Space}"},
    {"Punct", "\\p{P}"},
    {"XDigit", "\\p{Nd}\\p{Hex_Digit}"},
    {"Alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"Cntrl", "\\p{Cc}"},
    {"Digit", "\\p{Nd}"},
    {"Blank", "\\p{Zs}\\t"},
    {"Graph", PROPERTY_GRAPH},
    {"Print", PROPERTY_GRAPH "\\p{Zs}"},
    {"Alphabetic", "\\p{Alphabetic}"},
    {"Letter", "\\p{L}"},
    {"Ideographic", "\\p{Ideographic}"},
    {"Lowercase", "\\p{Lowercase}"},
    {"Uppercase", "\\p{Uppercase}"},
    {"Titlecase", PROPERTY_TITLE},
    {"White_Space", "\\p{White_Space}"},
    {"WhiteSpace", "\\p{White_Space}"},
    {"Control", "\\p{Cc}"},
    {"Punctuation", "\\p{P}"},
    {"Hex_Digit", "\\p{Nd}\\p{Hex_Digit}"},
    {"HexDigit", "\\p{Nd}\\p{Hex_Digit}"},
    {"Assigned", PROPERTY_ASSIGNED},
    {"Noncharacter_Code_Point", "\\p{Noncharacter_Code_Point}"},
    {"NoncharacterCodePoint", "\\p{Noncharacter_Code_Point}"},
    {"Join_Control", "\\p{Join_Control}"},
    {"JoinControl", "\\p{Join_Control}"},
    {"Word", PROPERTY_WORD},
};

enum {
    PROPERTY_PLAIN_COUNT = sizeof property_plain / sizeof property_plain[0],
    PROPERTY_UNICODE_COUNT = sizeof property_unicode / sizeof property_unicode[0],
    PROPERTY_POSIX_COUNT = 12, /* the first ones of property_unicode */
};

static const char *property_find(const PropertyName *names, uint32_t count, Bytes name,
                                 bool any_case) {
    for (uint32_t i = 0; i < count; i++) {
        if (any_case ? bytes_is_word(name, names[i].name)
                     : bytes_equal(name, bytes_of(names[i].name)))
            return names[i].items;
    }
    return NULL;
}

/* One of Unicode's general categories, as Java writes them. */
static bool property_category(Bytes name, RegexpProperty *property) {
    static const char categories[] =
        " Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi "
        "Pf L M N Z C P S ";
    char word[8];
    if (name.size < 1 || name.size > 2)
        return false;
    snprintf(word, sizeof word, " %.*s ", (int)name.size, (const char *)name.data);
    if (!strstr(categories, word))
        return false;
    snprintf(property->own, sizeof property->own, "\\p{%.*s}", (int)name.size,
             (const char *)name.data);
    property->items = property->own;
    return true;
}

/* PCRE2 knows the scripts; a name that it does not know either fails when it compiles. */
static bool property_script(Bytes name, RegexpProperty *property) {
    enum { PROPERTY_NAME_MAX = 40 };
    if (name.size == 0 || name.size > PROPERTY_NAME_MAX)
        return false;
    for (uint32_t i = 0; i < name.size; i++) {
        uint8_t letter = name.data[i] | 0x20;
        if (name.data[i] != '_' && !(letter >= 'a' && letter <= 'z'))
            return false;
    }
    snprintf(property->own, sizeof property->own, "\\p{sc:%.*s}", (int)name.size,
             (const char *)name.data);
    property->items = property->own;
    return true;
}

static const struct {
    const char *name;
    uint32_t first, last;
} property_blocks[] = {
#define REGEXP_BLOCK(name, first, last) {name, first, last},
#include "udf/regexp_block.def"
#undef REGEXP_BLOCK
};

/* Names are equal in any case, with '_', '-' or blanks between the words or without. */
static bool property_block(Bytes name, RegexpProperty *property) {
    enum { PROPERTY_BLOCKS = sizeof property_blocks / sizeof property_blocks[0] };
    char text[64];
    uint32_t size = 0, block = 0;
    if (name.size >= sizeof text)
        return false;
    for (uint32_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte != '_' && byte != '-' && byte != ' ')
            text[size++] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    text[size] = '\0';
    while (block < PROPERTY_BLOCKS && strcmp(property_blocks[block].name, text) != 0)
        block++;
    if (block == PROPERTY_BLOCKS)
        return false;
    property->negated = property_blocks[block].first == 0xD800 ||
                        property_blocks[block].last == 0xDFFF || /* no text holds one */
                        property_blocks[block].last == 0xDBFF;
    snprintf(property->own, sizeof property->own, "\\x{%x}-\\x{%x}",
             property_blocks[block].first, property_blocks[block].last);
    property->items = property->negated ? PROPERTY_ALL : property->own;
    return true;
}

/* Letters of one case mean those of each case when case does not count. */
static void property_fold(RegexpProperty *property, uint32_t flags) {
    static const char *const cased[] = {"\\p{Lu}", "\\p{Ll}", "\\p{Lt}", "\\p{Lowercase}",
                                        "\\p{Uppercase}", PROPERTY_TITLE};
    if (!(flags & REGEXP_CASELESS))
        return;
    if (strcmp(property->items, "a-z") == 0 || strcmp(property->items, "A-Z") == 0)
        property->items = "a-zA-Z";
    for (uint32_t i = 0; i < sizeof cased / sizeof cased[0]; i++) {
        if (strcmp(property->items, cased[i]) != 0)
            continue;
        property->items =
            i < 3 ? "\\p{Lu}\\p{Ll}\\p{Lt}" : "\\p{Lowercase}\\p{Uppercase}\\p{Lt}";
        return;
    }
}

static bool property_plain_name(Bytes name, uint32_t flags, RegexpProperty *property) {
    if (flags & REGEXP_UNICODE) {
        property->items = property_find(property_unicode, PROPERTY_POSIX_COUNT, name, true);
        if (property->items)
            return true;
    }
    property->items = property_find(property_plain, PROPERTY_PLAIN_COUNT, name, false);
    return property->items || property_category(name, property);
}

static bool property_is_name(Bytes name, RegexpProperty *property) {
    property->items = property_find(property_unicode, PROPERTY_UNICODE_COUNT, name, true);
    if (!property->items)
        property->items = property_find(property_plain, PROPERTY_PLAIN_COUNT, name, false);
    return property->items || property_category(name, property) ||
           property_script(name, property);
}

static bool property_key_value(Bytes key, Bytes value, RegexpProperty *property) {
    if (bytes_is_word(key, "sc") || bytes_is_word(key, "script"))
        return property_script(value, property);
    if (bytes_is_word(key, "blk") || bytes_is_word(key, "block"))
        return property_block(value, property);
    if (!bytes_is_word(key, "gc") && !bytes_is_word(key, "general_category"))
        return false;
    property->items = property_find(property_plain, PROPERTY_PLAIN_COUNT, value, false);
    return property->items || property_category(value, property);
}

bool regexp_property(Bytes name, uint32_t flags, RegexpProperty *property) {
    bool known;
    const uint8_t *equals = name.size ? memchr(name.data, '=', name.size) : NULL;
    assert(property);
    if (equals) {
        uint32_t size = (uint32_t)(equals - name.data);
        known = property_key_value((Bytes){name.data, size},
                                   (Bytes){equals + 1, name.size - size - 1}, property);
    } else if (name.size > 2 && memcmp(name.data, "Is", 2) == 0) {
        known = property_is_name((Bytes){name.data + 2, name.size - 2}, property);
    } else if (name.size > 2 && memcmp(name.data, "In", 2) == 0) {
        known = property_block((Bytes){name.data + 2, name.size - 2}, property);
    } else {
        known = property_plain_name(name, flags, property);
    }
    if (known)
        property_fold(property, flags);
    return known;
}

const char *regexp_predefined(uint32_t letter, uint32_t flags) {
    bool unicode = flags & REGEXP_UNICODE;
    switch (letter) {
    case 'd': return unicode ? "\\p{Nd}" : "0-9";
    case 'w': return unicode ? PROPERTY_WORD : "a-zA-Z0-9_";
    case 's': return unicode ? "\\p{White_Space}" : "\\x{20}\\x{9}-\\x{d}";
    case 'h':
        return "\\x{20}\\t\\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}";
    case 'v': return "\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}";
    default: return NULL;
    }
}
