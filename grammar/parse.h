/*
 * parse.h - text to syntax tree.
 *
 * parse_script() splits and parses a whole script; parse_next() takes one statement at a time, for
 * the shell, which must run a statement before it looks at the next.
 */
#ifndef GRAMMAR_PARSE_H
#define GRAMMAR_PARSE_H

#include "base/arena.h"
#include "base/err.h"
#include "grammar/ast.h"

/* Values of DEFINE, for ${name}. `find` returns NULL for a name that is not defined. */
typedef struct ParseVariables {
    const char *(*find)(void *context, const char *name);
    void *context;
} ParseVariables;

typedef struct Parser {
    Bytes script;
    uint32_t offset; /* of the next statement */
    uint32_t line;   /* position of that offset */
    uint32_t column;
    const ParseVariables *variables; /* NULL: ${x} stays as it is */
    bool extensions;                 /* additions to ksqlDB's grammar are understood */
    bool last_may_lack_semicolon;    /* -e 'SELECT ...' */
} Parser;

/* Parses the next statement into `arena`; *statement is NULL at the end of the script. A syntax
 * error (ERR_SYNTAX, with position) reads
 *
 *   line 2:15: Syntax error at or near "FORM"
 *     SELECT id FORM s;
 *               ^
 *   Expecting FROM, ',' or AS. Did you mean FROM?
 *
 * and leaves the parser after that statement's ';', so that a caller may go on. The tree borrows
 * the script's bytes. */
ErrCode parse_next(Parser *parser, Arena *arena, const AstStatement **statement, Err *err);

/* "line L:C: text", then the line of the position and a caret under it, as above. `pos` is whole:
 * its offset is a byte of the script. Returns `code`. */
ErrCode parse_error_at(Bytes script, AstPos pos, ErrCode code, const char *text, Err *err);

/* One expression, for tests and tools. */
ErrCode parse_expression(Bytes text, Arena *arena, const AstExpr **expr, Err *err);

/* One type as it stands in DDL, e.g. "STRUCT<A INT, B ARRAY<STRING>>"; also a whole element list
 * "K STRING KEY, A INT" for schemas written as text. */
ErrCode parse_type(Bytes text, Arena *arena, const AstType **type, Err *err);
ErrCode parse_columns(Bytes text, Arena *arena, const AstColumnDef **columns, uint32_t *count,
                      Err *err);

/* Whether `text` ends a statement: its last token outside quotes and comments is ';'. What is
 * still open otherwise (for a continuation prompt) is one of ' " ` ( * (a comment) or '-'. */
bool parse_is_complete(Bytes text, char *open);

/* A piece of text as the lexer cuts it: for colours and completion, where the text may still be
 * incomplete. `open`: a quote or a comment that is not closed. */
typedef enum PieceKind {
    PIECE_BLANK,
    PIECE_COMMENT,
    PIECE_KEYWORD,
    PIECE_NAME,
    PIECE_QUOTED, /* a name in quotes */
    PIECE_STRING,
    PIECE_NUMBER,
    PIECE_VARIABLE,
    PIECE_SYMBOL,
    PIECE_BAD, /* a byte that starts nothing */
} PieceKind;

typedef struct Piece {
    PieceKind kind;
    uint32_t end; /* offset behind it */
    bool open;
} Piece;

/* The piece that begins at `from`; false at the end of the text. */
bool parse_piece(Bytes text, uint32_t from, Piece *piece);

/* How statements are written: rows of statement.def; NULL behind the last. */
typedef struct StatementHelp {
    const char *name, *help, *syntax, *example;
} StatementHelp;

const StatementHelp *parse_statement_help(uint32_t index);

/* The index-th keyword in alphabetical order; NULL behind the last. */
const char *parse_keyword(uint32_t index);

/* Whether a name can stand unquoted: [A-Z_][A-Z0-9_@]* in upper case and not reserved. */
bool parse_name_is_plain(const char *name);

/* The nearest of `count` names to `word` by edit distance, ignoring case, or NULL when none is
 * near: used for every "Did you mean". */
const char *parse_nearest(const char *word, const char *const *names, uint32_t count);

#endif
