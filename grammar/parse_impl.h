/*
 * parse_impl.h - what the pieces of the parser share.
 *
 *   text --lex_scan()--> tokens --token.c--> Tokens with positions, words told apart
 *        --sql_grammar.y--> calls of build_...() --> tree in the arena
 *        --on error--> parse_error.c: one dry run of the same tables says what was expected
 *
 * Invariant: a build function never fails the C way. It reports by build_fail(), returns any
 * value, and the driver stops before the next token.
 */
#ifndef GRAMMAR_PARSE_IMPL_H
#define GRAMMAR_PARSE_IMPL_H

#include "grammar/parse.h"

/* -- Tokens (token.c, sql_lexer.re) ------------------------------------------------------------ */

/* What lex_scan() finds that is no token of the grammar; tokens are positive. */
enum {
    LEX_END = 0,
    LEX_BLANK = -1, /* or a closed comment */
    LEX_LINE_COMMENT = -2,
    LEX_WORD = -3, /* a name or a keyword */
    LEX_OTHER = -4, /* a byte that starts nothing */
    LEX_OPEN_COMMENT = -5,
    LEX_OPEN_STRING = -6,
    LEX_OPEN_DOUBLE = -7,
    LEX_OPEN_BACK = -8,
    LEX_OPEN_DOLLARS = -9,
};

/* Cuts the piece that starts at `from`; *end is where it stops. */
int lex_scan(Bytes text, uint32_t from, uint32_t *end);

typedef struct Token {
    int kind;    /* TK_... of sql_grammar.h; 0: the end, or "none written" */
    AstPos pos;
    uint32_t end; /* offset behind it */
    Bytes bytes;  /* as written, or the value of a variable */
    const struct Keyword *keyword; /* of a bare word that is one, else NULL */
} Token;

typedef enum LexerPlace {
    LEXER_START,     /* the next token starts a statement */
    LEXER_EXPLAINED, /* behind EXPLAIN: a statement or a query id */
    LEXER_MADE,      /* behind CREATE [OR REPLACE], ALTER or DROP: FUNCTION may be what is made */
    LEXER_DESCRIBED, /* behind DESCRIBE: TOPIC may be what is described */
    LEXER_DEFINED,   /* behind DEFINE: any word is a variable */
    LEXER_INSIDE,
} LexerPlace;

typedef struct Lexer {
    Bytes text;
    AstPos pos; /* of the next byte */
    const ParseVariables *variables;
    bool extensions; /* words of additions are keywords */
    LexerPlace place;
    bool opened; /* the last token was a "(" */
} Lexer;

/* The next token, past blanks and comments; kind 0 at the end. A keyword that cannot be one where
 * it stands comes as NAME; ARRAY, MAP, STRUCT before their bracket come as ARRAY_OF, ... Bytes
 * that are no text of the language are an error at their position, and the lexer stands behind
 * them. */
ErrCode lexer_next(Lexer *lexer, Token *token, Err *err);

/* Whether the token is a bare word: a keyword or an unquoted name. */
bool token_is_word(Token token);

/* -- Words (keyword.c, keyword.def) ------------------------------------------------------------ */

typedef enum KeywordClass {
    KEYWORD_RESERVED,
    KEYWORD_NON_RESERVED,
    KEYWORD_EXTENSION,
} KeywordClass;

typedef struct Keyword {
    const char *text;
    int token;
    KeywordClass class;
} Keyword;

/* Ignoring case; NULL where the word is none. */
const Keyword *keyword_find(Bytes word);

/* All words, in alphabetical order. */
const Keyword *keyword_all(uint32_t *count);

/* The word of a token, or NULL where the token has no word of its own. */
const Keyword *keyword_of_token(int token);

/* -- Building (ast_build_*.c) ------------------------------------------------------------------ */

/* A list that grows in the arena; `items` is the finished array. */
typedef struct AstList {
    void *items;
    size_t capacity;
    uint32_t count;
} AstList;

/* A name and where it stands. */
typedef struct BuildPlace {
    const char *name;
    AstPos pos;
} BuildPlace;

typedef struct ParseContext {
    Arena *arena;
    Err *err;
    ErrCode code;        /* the first failure of a build function */
    bool unexpected;     /* the grammar refused the token */
    const ParseVariables *variables;
    Bytes script;
    uint32_t end_offset; /* behind the last token that the grammar took */
    const AstExpr *paren; /* the expression that was last put in parentheses */
    /* The result, by start token. */
    const AstStatement *statement;
    const AstExpr *expr;
    const AstType *type;
    const AstList *columns;
} ParseContext;

/* Reports the first failure. */
void build_fail(ParseContext *p, AstPos pos, const char *text);
void build_check_depth(ParseContext *p, AstPos pos, uint32_t depth);

/* Names: unquoted in upper case, quoted as written; or all as written. */
const char *build_name(ParseContext *p, Token token);
const char *build_raw_name(ParseContext *p, Token token);

/* The text of a string literal. */
Bytes build_text(ParseContext *p, Token token);

/* Each adds to `list` (NULL: a new one) and returns it. */
AstList *build_names(ParseContext *p, AstList *list, const char *name);
AstList *build_places(ParseContext *p, AstList *list, Token name); /* of BuildPlace */
AstList *build_exprs(ParseContext *p, AstList *list, const AstExpr *expr);
AstList *build_pair(ParseContext *p, AstList *list, const AstExpr *left, const AstExpr *right);
void *build_list_add(ParseContext *p, AstList **list, size_t item_size);

Token build_number(ParseContext *p, Token minus, Token number);
int64_t build_integer(ParseContext *p, Token number, const char *what);
AstDuration build_duration(ParseContext *p, Token number, Token unit);

/* Expressions. */
AstExpr *build_literal(ParseContext *p, AstExprKind kind, Token token);
AstExpr *build_number_literal(ParseContext *p, Token number);
AstExpr *build_typed(ParseContext *p, Token name, Token text);
AstExpr *build_column(ParseContext *p, Token qualifier, Token name);
AstExpr *build_deref(ParseContext *p, const AstExpr *base, Token name);
AstExpr *build_unary(ParseContext *p, AstExprKind kind, Token token, const AstExpr *operand);
AstExpr *build_sign(ParseContext *p, Token sign, AstExpr *operand);
AstExpr *build_binary(ParseContext *p, AstExprKind kind, AstOp op, const AstExpr *left,
                      const AstExpr *right);
AstExpr *build_predicate(ParseContext *p, AstExprKind kind, bool negated, const AstExpr *value,
                         const AstList *rest);
AstExpr *build_like(ParseContext *p, bool negated, const AstExpr *value, const AstExpr *pattern,
                    Token escape);
AstExpr *build_at_zone(ParseContext *p, const AstExpr *value, Token zone);
AstExpr *build_constructor(ParseContext *p, AstExprKind kind, Token token, const AstList *args);
AstExpr *build_struct(ParseContext *p, Token token, const AstList *members);
AstExpr *build_cast(ParseContext *p, Token token, const AstExpr *value, const AstType *type);
AstExpr *build_case(ParseContext *p, Token token, const AstExpr *operand, const AstList *whens,
                    const AstExpr *otherwise);
AstExpr *build_distinct(ParseContext *p, Token name, const AstExpr *expr);
AstExpr *build_call(ParseContext *p, Token name, const AstList *args, bool star);
AstExpr *build_argument(ParseContext *p, AstExpr *expr);
AstExpr *build_unit(ParseContext *p, Token unit);
AstExpr *build_lambda(ParseContext *p, Token first, const AstList *names, const AstExpr *body);
const char *build_lambda_name(ParseContext *p, const AstExpr *expr);
AstExpr *build_paren(ParseContext *p, AstExpr *expr);

/* One member of STRUCT(name := value). */
typedef struct BuildMember {
    const char *name;
    const AstExpr *value;
} BuildMember;

AstList *build_member(ParseContext *p, AstList *list, Token name, const AstExpr *value);

/* Types. */
AstType *build_type(ParseContext *p, AstTypeKind kind, Token token, const AstList *fields);
AstType *build_named_type(ParseContext *p, Token name);
AstType *build_decimal_type(ParseContext *p, Token token, Token precision, Token scale);
AstList *build_field(ParseContext *p, AstList *list, const char *name, const AstType *type);

/* Queries. */
typedef struct BuildQuery {
    const AstList *sources;
    const AstWindow *window;
    const AstExpr *where;
    const AstList *group_by;
    const AstList *partition_by;
    const AstExpr *having;
    const AstList *order_by;
    AstEmit emit;
    Token limit;
    Token offset;
} BuildQuery;

typedef struct BuildSizes {
    AstDuration size;
    AstDuration advance;
} BuildSizes;

typedef struct BuildTail {
    AstDuration retention;
    AstDuration grace;
} BuildTail;

AstQuery *build_query(ParseContext *p, Token token, const AstList *items,
                      const BuildQuery *parts);
AstItem *build_item(ParseContext *p, AstItemKind kind, AstPos pos, const AstExpr *expr);
AstList *build_items(ParseContext *p, AstList *list, const AstItem *item);
AstSource *build_source(ParseContext *p, Token name, const char *alias);
AstList *build_sources(ParseContext *p, AstList *list, const AstSource *source);
AstList *build_join(ParseContext *p, AstList *list, AstJoinKind join, AstSource *source,
                    const AstExpr *on);
AstSource *build_within(AstSource *source, AstDuration before, AstDuration after,
                        AstDuration grace);
AstWindow *build_window(ParseContext *p, AstWindowKind kind, Token token, BuildSizes sizes,
                        BuildTail tail);
AstList *build_order(ParseContext *p, AstList *list, const AstExpr *expr, bool descending);
Token build_row_count(ParseContext *p, Token number, const char *clause);
AstList *build_empty(ParseContext *p);

/* Statements: a new one, then what the rule adds to it. */
AstStatement *build_statement(ParseContext *p, AstStatementKind kind, Token token);
AstStatement *build_named(ParseContext *p, AstStatementKind kind, Token token, Token name);
AstStatement *build_resource(ParseContext *p, AstStatementKind kind, Token token, Token name);
AstStatement *build_texts(ParseContext *p, AstStatementKind kind, Token token, Token name,
                          Token text);
AstStatement *build_show(ParseContext *p, Token token, AstShow show, bool all, bool extended);
AstStatement *build_select(ParseContext *p, const AstQuery *query);
AstStatement *build_definition(AstStatement *statement, const AstList *columns,
                               const AstList *properties, const AstQuery *query);
AstStatement *build_values(ParseContext *p, AstStatement *statement, const AstList *names,
                           const AstList *values);
AstStatement *build_explain(ParseContext *p, Token token, bool analyze, AstStatement *inner);
AstStatement *build_function_expr(ParseContext *p, AstStatement *statement, const AstExpr *body);
AstStatement *build_function_code(ParseContext *p, AstStatement *statement, Token language,
                                  Token body, Token symbol);
AstStatement *build_print_parts(ParseContext *p, AstStatement *statement, bool from_beginning,
                                Token interval, Token limit);
AstStatement *build_schema_parts(ParseContext *p, AstStatement *statement, Token subject,
                                 Token id);
/* Gives the statement its own text, up to the last token taken. */
AstStatement *build_finish(ParseContext *p, AstStatement *statement);
/* Without a value it is TRUE. */
AstList *build_property(ParseContext *p, AstList *list, Token name, const AstExpr *value);
AstList *build_option(ParseContext *p, AstList *list, Token name, const AstExpr *value);
AstExpr *build_option_word(ParseContext *p, Token word);
/* A parameter of which only the type is known. */
AstList *build_param(ParseContext *p, AstList *list, const AstType *type);

/* The role of a column and, for HEADER('k'), its key. */
typedef struct BuildRole {
    AstColumnRole role;
    const char *header;
} BuildRole;

AstList *build_element(ParseContext *p, AstList *list, Token name, const AstType *type,
                       BuildRole role);

/* -- Running the tables (end of sql_grammar.y) ------------------------------------------------- */

void *SqlAlloc(void *(*allocate)(size_t), ParseContext *p);
void SqlFree(void *machine, void (*release)(void *));
void Sql(void *machine, int kind, Token token);
uint32_t sql_depth(const void *machine); /* entries on its stack */
int sql_token_count(void);               /* tokens are 1 ... count - 1 */

/* A dry run of the same tables: nothing is built. */
typedef struct Probe {
    uint16_t *states;
    uint32_t depth;
    uint32_t capacity;
} Probe;

/* The state behind the start token. */
void probe_start(Probe *probe, int kind);
void probe_assign(Probe *probe, const Probe *source);
void probe_free(Probe *probe);

/* Whether the token would be taken; as_name: also as the name it falls back to. */
bool probe_feed(Probe *probe, int kind, bool as_name);

/* -- Errors (parse_error.c) -------------------------------------------------------------------- */

typedef struct SyntaxError {
    Lexer start;          /* at the first token of the text */
    int start_token;      /* of the grammar's input rule */
    int end_token;
    uint32_t token_index; /* of the token that was refused; 0: the first */
    Token token;
} SyntaxError;

/* Fills *err with the text that parse.h shows. */
ErrCode parse_error_report(const SyntaxError *error, Err *err);

#endif
