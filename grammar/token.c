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
#include "base/utf8.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

/* Bytes of the UTF-8 character at `at`; 0 where there is none. */
static uint32_t character_size(Bytes text, uint32_t at) {
    if (text.data[at] < 0x80)
        return text.data[at] != 0;
    uint32_t size;
    uint32_t character = utf8_decode((Bytes){text.data + at, text.size - at}, &size);
    return character == 0xFFFD && size == 1 ? 0 : size;
}

static void lexer_pass(Lexer *lexer, uint32_t size) {
    bool line_ends = lexer->text.data[lexer->pos.offset] == '\n';
    lexer->pos.offset += size;
    lexer->pos.line += line_ends;
    lexer->pos.column = line_ends ? 1 : lexer->pos.column + 1;
}

/* Moves to `end`, character by character; the first byte that is none is the error. */
static ErrCode lexer_advance(Lexer *lexer, uint32_t end, Err *err) {
    assert(end <= lexer->text.size);
    ErrCode code = ERR_OK;
    while (lexer->pos.offset < end) {
        uint32_t size = character_size(lexer->text, lexer->pos.offset);
        if (size == 0 && code == ERR_OK) {
            unsigned byte = lexer->text.data[lexer->pos.offset];
            char text[64];
            snprintf(text, sizeof text,
                     byte == 0 ? "The text has a zero byte" : "The text is not UTF-8: byte 0x%02x",
                     byte);
            code = parse_error_at(lexer->text, lexer->pos, ERR_SYNTAX, text, err);
        }
        lexer_pass(lexer, size > 0 ? size : 1);
    }
    return code;
}

/* What cannot start a token; the lexer stands at it. */
static ErrCode lexer_refuse(Lexer *lexer, int kind, uint32_t end, Err *err) {
    AstPos pos = lexer->pos;
    uint8_t byte = lexer->text.data[pos.offset];
    uint32_t size = character_size(lexer->text, pos.offset);
    TRY(lexer_advance(lexer, kind == LEX_OTHER && size > 0 ? pos.offset + size : end, err));
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
    case LEX_OPEN_DOLLARS:
        snprintf(text, sizeof text, "The text is not closed: $$ is missing");
        break;
    default:
        if (byte < 0x20 || byte == 0x7F)
            snprintf(text, sizeof text, "Unexpected control character 0x%02x", byte);
        else
            snprintf(text, sizeof text, "Unexpected character \"%.*s\"", (int)size,
                     (const char *)lexer->text.data + pos.offset);
        break;
    }
    return parse_error_at(lexer->text, pos, ERR_SYNTAX, text, err);
}

/* Tells a bare word apart: a name or a keyword. */
static void lexer_classify(const Lexer *lexer, Token *token) {
    const Keyword *keyword = keyword_find(token->bytes);
    if (keyword && keyword->class == KEYWORD_EXTENSION && !lexer->extensions)
        keyword = NULL;
    token->keyword = keyword;
    token->kind = keyword ? keyword->token : TK_NAME;
    if (token->kind == TK_SELECT && lexer->extensions)
        token->kind = TK_SELECT_BARE;
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
    char text[NAME_BYTES_MAX + 200];
    if (kind == 0) {
        snprintf(text, sizeof text,
                 "Illegal argument: the value of ${%s} is neither a literal nor a name. Identifier "
                 "names cannot start with '@' and may only contain alphanumeric values and '_'. It "
                 "can stand in a string",
                 name);
        return parse_error_at(lexer->text, token->pos, ERR_SYNTAX, text, err);
    }
    token->kind = kind;
    token->bytes = bytes_of(value);
    return ERR_OK;
}

/* The next token without a look at what surrounds it. */
static ErrCode lexer_take(Lexer *lexer, Token *token, Err *err) {
    int kind;
    do {
        uint32_t end;
        kind = lex_scan(lexer->text, lexer->pos.offset, &end);
        if ((kind == TK_DOLLARS || kind == LEX_OPEN_DOLLARS) && !lexer->extensions)
            kind = LEX_OTHER;
        Bytes bytes = {lexer->text.data + lexer->pos.offset, end - lexer->pos.offset};
        *token = (Token){.pos = lexer->pos, .end = end, .bytes = bytes};
        if (kind == LEX_OTHER || kind <= LEX_OPEN_COMMENT)
            return lexer_refuse(lexer, kind, end, err);
        TRY(lexer_advance(lexer, end, err));
    } while (kind == LEX_BLANK || kind == LEX_LINE_COMMENT);
    token->kind = kind;
    if (kind == LEX_WORD)
        lexer_classify(lexer, token);
    return kind == TK_VARIABLE ? lexer_substitute(lexer, token, err) : ERR_OK;
}

/* The token `skip` tokens ahead; kind 0 at the end or where there is none. */
static Token lexer_peek(const Lexer *lexer, uint32_t skip) {
    Lexer ahead = *lexer;
    Token token;
    Err err;
    do {
        if (lexer_take(&ahead, &token, &err) != ERR_OK)
            return (Token){0};
    } while (skip-- > 0);
    return token;
}

static bool may_be_name(Token token) {
    if (token.keyword)
        return token.keyword->class != KEYWORD_RESERVED;
    return token.kind == TK_NAME || token.kind == TK_VARIABLE;
}

/* Whether the word, a keyword of this kind, is one before `next`. */
static bool word_is_keyword(const Lexer *lexer, int kind, Token next) {
    switch (kind) {
    case TK_EMIT: /* FROM s emit WHERE: an alias. Misspelled words may follow a keyword. */
        return may_be_name(next);
    case TK_PARTITION:
        return next.kind == TK_BY || may_be_name(next);
    case TK_IF: /* CREATE STREAM if (...) */
        return next.kind == TK_NOT || next.kind == TK_EXISTS;
    case TK_FUNCTION: /* DESCRIBE function; */
        return may_be_name(next);
    case TK_ESCAPE: /* SELECT a LIKE 'x' escape FROM s */
        return next.kind == TK_STRING;
    case TK_COLUMN: { /* ADD column INT: a column of that name */
        Token type = lexer_peek(lexer, 1);
        return may_be_name(next) && (may_be_name(type) || type.kind == TK_DECIMAL_TYPE);
    }
    case TK_ORDER:
        return next.kind == TK_BY;
    case TK_OFFSET:
        return next.kind == TK_INTEGER || next.kind == TK_DECIMAL || next.kind == TK_DOUBLE;
    default:
        return true;
    }
}

/* What a keyword that may also be a name is, seen together with the next token. */
static int lexer_settle(const Lexer *lexer, int kind) {
    Token next = lexer_peek(lexer, 0);
    if (kind == TK_FUNCTION && lexer->place == LEXER_MADE && lexer->extensions)
        return TK_FUNCTION_MADE;
    if (lexer->place == LEXER_EXPLAINED && (next.kind == TK_SEMI || next.kind == 0))
        return TK_NAME; /* EXPLAIN show; is about a query of that name */
    if (kind == TK_ARRAY && next.kind == TK_LB)
        return TK_ARRAY_OF;
    if (kind == TK_MAP && next.kind == TK_LP)
        return TK_MAP_OF;
    if (kind == TK_STRUCT && next.kind == TK_LP)
        return TK_STRUCT_OF;
    return word_is_keyword(lexer, kind, next) ? kind : TK_NAME;
}

static LexerPlace lexer_place_after(LexerPlace place, int kind) {
    if (place == LEXER_INSIDE || place == LEXER_DEFINED || place == LEXER_DESCRIBED)
        return LEXER_INSIDE;
    if (place == LEXER_MADE)
        return kind == TK_OR || kind == TK_REPLACE ? LEXER_MADE : LEXER_INSIDE;
    if (kind == TK_CREATE || kind == TK_ALTER || kind == TK_DROP)
        return LEXER_MADE;
    if (kind == TK_DESCRIBE)
        return LEXER_DESCRIBED;
    if (kind == TK_EXPLAIN || (kind == TK_ANALYZE && place == LEXER_EXPLAINED))
        return LEXER_EXPLAINED;
    return kind == TK_DEFINE || kind == TK_UNDEFINE ? LEXER_DEFINED : LEXER_INSIDE;
}

bool token_is_word(Token token) {
    uint32_t end;
    return token.bytes.size > 0 && lex_scan(token.bytes, 0, &end) == LEX_WORD;
}

ErrCode lexer_next(Lexer *lexer, Token *token, Err *err) {
    TRY(lexer_take(lexer, token, err));
    if (lexer->place == LEXER_DEFINED && token_is_word(*token))
        token->kind = TK_WORD;
    else if (token->keyword && token->keyword->class != KEYWORD_RESERVED)
        token->kind = lexer_settle(lexer, token->kind);
    bool made = lexer->place == LEXER_MADE || lexer->place == LEXER_DESCRIBED;
    if (token->kind == TK_TOPIC && made && lexer->extensions)
        token->kind = TK_TOPIC_MADE;
    if (token->kind == TK_RESERVED && lexer->place == LEXER_MADE && lexer->extensions &&
        strcmp(token->keyword->text, "QUERY") == 0)
        token->kind = TK_QUERY_MADE;
    if (token->kind == TK_DISTINCT && lexer->opened && lexer->extensions)
        token->kind = TK_DISTINCT_OF;
    lexer->opened = token->kind == TK_LP;
    lexer->place = lexer_place_after(lexer->place, token->kind);
    return ERR_OK;
}

bool parse_is_complete(Bytes text, char *open) {
    assert(open);
    static const char quotes[] = {'*', '\'', '"', '`', '$'};
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

/* -- Pieces ------------------------------------------------------------------------------------ */

static PieceKind piece_of_name(Bytes text, uint32_t from) {
    bool quoted = text.data[from] == '"' || text.data[from] == '`';
    return quoted ? PIECE_QUOTED : PIECE_NAME;
}

static PieceKind piece_kind(Bytes text, uint32_t from, int kind, uint32_t end) {
    switch (kind) {
    case LEX_BLANK:
        return text.data[from] == '/' ? PIECE_COMMENT : PIECE_BLANK;
    case LEX_LINE_COMMENT:
    case LEX_OPEN_COMMENT:
        return PIECE_COMMENT;
    case LEX_WORD:
        return keyword_find((Bytes){text.data + from, end - from}) ? PIECE_KEYWORD : PIECE_NAME;
    case LEX_OPEN_STRING:
    case LEX_OPEN_DOLLARS:
    case TK_DOLLARS:
    case TK_STRING:
        return PIECE_STRING;
    case LEX_OPEN_DOUBLE:
    case LEX_OPEN_BACK:
        return PIECE_QUOTED;
    case TK_NAME:
        return piece_of_name(text, from);
    case TK_INTEGER:
    case TK_DECIMAL:
    case TK_DOUBLE:
        return PIECE_NUMBER;
    case TK_VARIABLE:
        return PIECE_VARIABLE;
    default:
        return kind == LEX_OTHER ? PIECE_BAD : PIECE_SYMBOL;
    }
}

bool parse_piece(Bytes text, uint32_t from, Piece *piece) {
    assert(from <= text.size);
    uint32_t end;
    int kind = lex_scan(text, from, &end);
    if (kind == LEX_END)
        return false;
    *piece = (Piece){piece_kind(text, from, kind, end), end, kind <= LEX_OPEN_COMMENT};
    return true;
}

const char *parse_keyword(uint32_t index) {
    uint32_t count;
    const Keyword *all = keyword_all(&count);
    return index < count ? all[index].text : NULL;
}
