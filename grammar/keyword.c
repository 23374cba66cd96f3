/*
 * keyword.c - the words that mean something, and what is near to them.
 *
 * keyword.def is the one list: the lexer's lookup, the check for reserved names, the names of
 * tokens in messages and the guesses at misspelled words all read it. It is in alphabetical
 * order, so a word is found by halving.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/nearest.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

static const Keyword keywords[] = {
#define KEYWORD(word, token, class) {#word, TK_##token, KEYWORD_##class},
#include "grammar/keyword.def"
#undef KEYWORD
};

enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0] };

static uint8_t upper(uint8_t byte) {
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
}

/* <0, 0, >0, ignoring the case of `word`. */
static int keyword_compare(Bytes word, const char *text) {
    for (uint32_t i = 0; i < word.size; i++) {
        int order = upper(word.data[i]) - (uint8_t)text[i];
        if (order != 0 || text[i] == '\0')
            return order;
    }
    return text[word.size] == '\0' ? 0 : -1;
}

const Keyword *keyword_find(Bytes word) {
    size_t low = 0;
    size_t high = KEYWORD_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = keyword_compare(word, keywords[middle].text);
        if (order == 0)
            return &keywords[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const Keyword *keyword_all(uint32_t *count) {
    *count = KEYWORD_COUNT;
    return keywords;
}

const Keyword *keyword_of_token(int token) {
    if (token == TK_NAME || token == TK_RESERVED || token == TK_UNIT || token == TK_UNITS)
        return NULL;
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (keywords[i].token == token)
            return &keywords[i];
    return NULL;
}

const StatementHelp *parse_statement_help(uint32_t index) {
    static const StatementHelp statements[] = {
#define STATEMENT(name, help, syntax, example) {name, help, syntax, example},
#include "grammar/statement.def"
#undef STATEMENT
    };
    return index < sizeof statements / sizeof statements[0] ? &statements[index] : NULL;
}

bool parse_name_is_plain(const char *name) {
    assert(name);
    if (!(name[0] == '_' || (name[0] >= 'A' && name[0] <= 'Z')))
        return false;
    for (const char *next = name; *next != '\0'; next++) {
        bool fits = (*next >= 'A' && *next <= 'Z') || (*next >= '0' && *next <= '9') ||
                    *next == '_' || *next == '@';
        if (!fits)
            return false;
    }
    const Keyword *keyword = keyword_find(bytes_of(name));
    return !keyword || keyword->class != KEYWORD_RESERVED;
}

const char *parse_nearest(const char *word, const char *const *names, uint32_t count) {
    return nearest_name(word, names, count);
}
