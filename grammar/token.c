/*
 * token.c - the stream of tokens: positions, UTF-8, variables, words told apart.
 *
 * lexer_next() = lex_scan() + what one token cannot know: where it stands (columns count
 * characters), whether ${x} has a value, and whether a word is a keyword here. The grammar lets
 * most words fall back to names by itself; lexer_settle() handles those that it would misread,
 * by the token that follows.
 */
#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

/* Bytes of the UTF-8 character at `at`; 0 where there is none. */
static uint32_t utf8_size(Bytes text, uint32_t at) {
    uint8_t first = text.data[at];
    if (first < 0x80)
        return first == 0 ? 0 : 1;
    uint32_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size - at < size)
        return 0;
    for (uint32_t i = 1; i < size; i++)
        if ((text.data[at + i] & 0xC0) != 0x80)
            return 0;
    uint8_t second = text.data[at + 1];
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
        return 0; /* longer than needed, half a surrogate pair, or behind the last character */
    return size;
}

static void lexer_pass(Lexer *lexer, uint32_t size) {
    bool line_ends = lexer->text.data[lexer->pos.offset] == '\n';
    lexer->pos.offset += size;
    lexer->pos.line += line_ends;
    lexer->pos.column = line_ends ? 1 : lexer->pos.column + 1;
}

/* Moves to `end`, character by character. */
static ErrCode lexer_advance(Lexer *lexer, uint32_t end, Err *err) {
    assert(end <= lexer->text.size);
    while (lexer->pos.offset < end) {
        uint32_t size = utf8_size(lexer->text, lexer->pos.offset);
        if (size > 0) {
            lexer_pass(lexer, size);
            continue;
        }
        AstPos pos = lexer->pos;
        unsigned byte = lexer->text.data[pos.offset];
        lexer_pass(lexer, 1);
        char text[64];
        snprintf(text, sizeof text,
                 byte == 0 ? "The text has a zero byte" : "The text is not UTF-8: byte 0x%02x",
                 byte);
        return parse_error_at(lexer->text, pos, ERR_SYNTAX, text, err);
    }
    return ERR_OK;
}

/* What cannot start a token; the lexer stands at it. */
static ErrCode lexer_refuse(Lexer *lexer, int kind, uint32_t end, Err *err) {
    AstPos pos = lexer->pos;
    TRY(lexer_advance(lexer, end, err));
    char text[64];
    switch (kind) {
    case LEX_OPEN_COMMENT:
        snprintf(text, sizeof text, "The comment is not closed: */ is missing");
        break;
    case LEX_OPEN_STRING:
        snprintf(text, sizeof text, "The string is not closed: ' is missing");
        break;
    case LEX_OPEN_DOUBLE:
        snprintf(text, sizeof text, "The name is not closed: \" is missing");
        break;
    case LEX_OPEN_BACK:
        snprintf(text, sizeof text, "The name is not closed: ` is missing");
        break;
    default:
        snprintf(text, sizeof text, "Unexpected character \"%.*s\"",
                 (int)(lexer->pos.offset - pos.offset),
                 (const char *)lexer->text.data + pos.offset);
        break;
    }
    return parse_error_at(lexer->text, pos, ERR_SYNTAX, text, err);
}

static int word_kind(const Lexer *lexer, Bytes word) {
    const Keyword *keyword = keyword_find(word);
    if (!keyword || (keyword->class == KEYWORD_EXTENSION && !lexer->extensions))
        return TK_NAME;
    return keyword->token;
}

/* What a variable's value is: a name, a literal, or 0. */
static int value_kind(Bytes value) {
    bool negative = value.size > 0 && value.data[0] == '-';
    uint32_t end;
    int kind = lex_scan(value, negative, &end);
    if (end != value.size || value.size == 0)
        return 0;
    bool number = kind == TK_INTEGER || kind == TK_DECIMAL || kind == TK_DOUBLE;
    if (negative)
        return number ? kind : 0;
    if (kind == LEX_WORD) {
        const Keyword *keyword = keyword_find(value);
        bool boolean = keyword && (keyword->token == TK_TRUE || keyword->token == TK_FALSE);
        return boolean ? keyword->token : TK_NAME;
    }
    return number || kind == TK_NAME || kind == TK_STRING ? kind : 0;
}

/* Puts the value of ${x} in its place. */
static ErrCode lexer_substitute(const Lexer *lexer, Token *token, Err *err) {
    const ParseVariables *variables = lexer->variables;
    if (!variables || token->bytes.size - 3 > NAME_BYTES_MAX)
        return ERR_OK;
    char name[NAME_BYTES_MAX + 1];
    uint32_t size = token->bytes.size - 3;
    memcpy(name, token->bytes.data + 2, size);
    name[size] = '\0';
    const char *value = variables->find(variables->context, name);
    if (!value)
        return ERR_OK;
    int kind = value_kind(bytes_of(value));
    char text[NAME_BYTES_MAX + 120];
    if (kind == 0) {
        snprintf(text, sizeof text, "The value of ${%s} can stand in a string only: "
                                    "it is neither a name nor a literal", name);
        return parse_error_at(lexer->text, token->pos, ERR_SYNTAX, text, err);
    }
    token->kind = kind;
    token->bytes = bytes_of(value);
    return ERR_OK;
}

/* The next token without a look at what surrounds it. */
static ErrCode lexer_take(Lexer *lexer, Token *token, Err *err) {
    *token = (Token){0};
    for (;;) {
        uint32_t end;
        int kind = lex_scan(lexer->text, lexer->pos.offset, &end);
        token->pos = lexer->pos;
        token->bytes = (Bytes){lexer->text.data + lexer->pos.offset, end - lexer->pos.offset};
        token->end = end;
        if (kind == LEX_END)
            return ERR_OK;
        if (kind == LEX_OTHER || kind <= LEX_OPEN_COMMENT) {
            uint32_t size = utf8_size(lexer->text, lexer->pos.offset);
            return lexer_refuse(lexer, kind, kind == LEX_OTHER && size > 0
                                                 ? lexer->pos.offset + size : end, err);
        }
        TRY(lexer_advance(lexer, end, err));
        if (kind == LEX_BLANK || kind == LEX_LINE_COMMENT)
            continue;
        token->kind = kind == LEX_WORD ? word_kind(lexer, token->bytes) : kind;
        return kind == TK_VARIABLE ? lexer_substitute(lexer, token, err) : ERR_OK;
    }
}

/* The kind of the token `skip` tokens ahead; 0 at the end or where there is none. */
static int lexer_peek(const Lexer *lexer, uint32_t skip) {
    Lexer ahead = *lexer;
    Token token;
    Err err;
    do {
        if (lexer_take(&ahead, &token, &err) != ERR_OK)
            return 0;
    } while (skip-- > 0);
    return token.kind;
}

/* Whether a token of this kind may be a name. */
static bool may_be_name(int kind) {
    if (kind == TK_NAME || kind == TK_VARIABLE || kind == TK_UNIT)
        return true;
    const Keyword *keyword = keyword_of_token(kind);
    return keyword && keyword->class != KEYWORD_RESERVED;
}

/* Whether the word, a keyword of this kind, is one before `next`. */
static bool word_is_keyword(const Lexer *lexer, int kind, int next) {
    switch (kind) {
    case TK_EMIT: /* FROM s emit WHERE: an alias. Misspelled words may follow a keyword. */
        return may_be_name(next);
    case TK_PARTITION:
        return next == TK_BY || may_be_name(next);
    case TK_IF: /* CREATE STREAM if (...) */
        return next == TK_NOT || next == TK_EXISTS;
    case TK_FUNCTION: /* DESCRIBE function; */
        return may_be_name(next);
    case TK_ESCAPE: /* SELECT a LIKE 'x' escape FROM s */
        return next == TK_STRING;
    case TK_COLUMN: { /* ADD column INT: a column of that name */
        int type = lexer_peek(lexer, 1);
        return may_be_name(next) && (may_be_name(type) || type == TK_DECIMAL_TYPE);
    }
    case TK_ORDER:
        return next == TK_BY;
    case TK_OFFSET:
        return next == TK_INTEGER || next == TK_DECIMAL || next == TK_DOUBLE;
    default:
        return true;
    }
}

/* Words that start a statement behind EXPLAIN are query ids where nothing follows. */
static int lexer_settle(const Lexer *lexer, LexerPlace place, int kind) {
    if (kind == TK_NAME || !may_be_name(kind))
        return kind;
    int next = lexer_peek(lexer, 0);
    if (place == LEXER_EXPLAINED && (next == TK_SEMI || next == 0))
        return TK_NAME;
    if (kind == TK_ARRAY && next == TK_LB)
        return TK_ARRAY_OF;
    if (kind == TK_MAP && next == TK_LP)
        return TK_MAP_OF;
    if (kind == TK_STRUCT && next == TK_LP)
        return TK_STRUCT_OF;
    return word_is_keyword(lexer, kind, next) ? kind : TK_NAME;
}

static LexerPlace lexer_place_after(LexerPlace place, int kind) {
    if (place == LEXER_INSIDE || place == LEXER_DEFINED)
        return LEXER_INSIDE;
    if (kind == TK_EXPLAIN || (kind == TK_ANALYZE && place == LEXER_EXPLAINED))
        return LEXER_EXPLAINED;
    return kind == TK_DEFINE || kind == TK_UNDEFINE ? LEXER_DEFINED : LEXER_INSIDE;
}

static bool is_word(Bytes bytes) {
    uint32_t end;
    return bytes.size > 0 && lex_scan(bytes, 0, &end) == LEX_WORD;
}

ErrCode lexer_next(Lexer *lexer, Token *token, Err *err) {
    TRY(lexer_take(lexer, token, err));
    if (lexer->place == LEXER_DEFINED && is_word(token->bytes))
        token->kind = TK_WORD;
    else if (token->kind > 0)
        token->kind = lexer_settle(lexer, lexer->place, token->kind);
    lexer->place = lexer_place_after(lexer->place, token->kind);
    return ERR_OK;
}

bool parse_is_complete(Bytes text, char *open) {
    assert(open);
    static const char quotes[] = {'*', '\'', '"', '`'};
    uint32_t depth = 0;
    bool complete = false;
    *open = '-';
    for (uint32_t at = 0, end;; at = end) {
        int kind = lex_scan(text, at, &end);
        if (kind == LEX_END)
            break;
        if (kind <= LEX_OPEN_COMMENT) {
            *open = quotes[LEX_OPEN_COMMENT - kind];
            return false;
        }
        if (kind == LEX_BLANK || kind == LEX_LINE_COMMENT)
            continue;
        complete = kind == TK_SEMI;
        depth = complete ? 0 : depth + (kind == TK_LP);
        if (kind == TK_RP && depth > 0)
            depth--;
    }
    if (!complete && depth > 0)
        *open = '(';
    return complete;
}
