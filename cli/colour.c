/* colour.c - see colour.h. */
#include "cli/colour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/edit_screen.h"
#include "engine/weir.h"

static EditStyle style_of(const WeirToken *token, bool called) {
    switch (token->kind) {
    case WEIR_TOKEN_COMMENT:
        return STYLE_COMMENT;
    case WEIR_TOKEN_KEYWORD:
        return STYLE_KEYWORD;
    case WEIR_TOKEN_NAME:
        return called ? STYLE_FUNCTION : STYLE_PLAIN;
    case WEIR_TOKEN_STRING:
        return STYLE_STRING;
    case WEIR_TOKEN_NUMBER:
        return STYLE_NUMBER;
    case WEIR_TOKEN_VARIABLE:
        return STYLE_VARIABLE;
    case WEIR_TOKEN_BAD:
        return STYLE_BAD;
    default:
        return STYLE_PLAIN;
    }
}

/* What is open inside a piece; '\0': nothing, the brackets count. */
static char open_in(const char *text, size_t from, WeirTokenKind kind) {
    if (kind == WEIR_TOKEN_COMMENT)
        return text[from] == '/' ? '*' : '\0';
    return kind == WEIR_TOKEN_STRING || kind == WEIR_TOKEN_QUOTED ? text[from] : '\0';
}

void colour_sql(const char *text, size_t size, uint8_t *styles, char *opens) {
    WeirToken token;
    size_t lines = 0, depth = 0;
    for (size_t from = 0; from < size && weir_token(text, size, from, &token); from = token.end) {
        assert(token.end > from && token.end <= size);
        bool called = token.end < size && text[token.end] == '(';
        memset(styles + from, (int)style_of(&token, called), token.end - from);
        char open = open_in(text, from, token.kind);
        if (token.kind == WEIR_TOKEN_SYMBOL) {
            depth += text[from] == '(';
            depth -= text[from] == ')' && depth > 0;
            depth = text[from] == ';' ? 0 : depth;
        }
        for (size_t at = from; at < token.end; at++)
            if (text[at] == '\n')
                opens[lines++] = open ? open : depth > 0 ? '(' : '-';
    }
}

bool colour_is_wanted(const char *choice, int fd) {
    const char *never = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
    const char *term = getenv("TERM");
    if (strcmp(choice, "always") == 0 || strcmp(choice, "never") == 0)
        return *choice == 'a';
    if (never && *never)
        return false;
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}
