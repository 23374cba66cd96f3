/*
 * parse.c - the driver: feeds tokens to the tables, statement by statement.
 *
 * Tokens are cut as they are needed, so a script of any size costs the memory of one statement.
 * After a failure the rest of the statement is only cut, not understood: a ';' in quotes or in a
 * comment does not end it.
 */
#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

/* Stack entries of the tables. A level of nesting takes 8 at most (a lambda in a call), so what
 * is over this is nested too deep, whatever it is. */
enum { PARSE_STACK_MAX = EXPR_DEPTH_MAX * 16 };

typedef struct Machine {
    void *tables; /* lemon's parser */
    ParseContext context;
    SyntaxError error;
} Machine;

static ErrCode machine_feed(Machine *machine, Token token) {
    ParseContext *context = &machine->context;
    Sql(machine->tables, token.kind, token);
    if (context->code != ERR_OK)
        return context->code;
    if (context->unexpected)
        return parse_error_report(&machine->error, context->err);
    if (sql_depth(machine->tables) > PARSE_STACK_MAX)
        build_check_depth(context, token.pos, UINT32_MAX);
    if (arena_over(context->arena))
        return err_set(context->err, ERR_LIMIT, "the statement needs more memory than it may use");
    if (token.kind != TK_SEMI)
        context->end_offset = token.end;
    return context->code;
}

/* Feeds tokens up to the end token; `open_end`: the end of the text stands for it. */
static ErrCode machine_run(Machine *machine, Lexer *lexer, bool open_end) {
    SyntaxError *error = &machine->error;
    Err *err = machine->context.err;
    error->start = *lexer;
    TRY(machine_feed(machine, (Token){.kind = error->start_token, .pos = lexer->pos}));
    for (;; error->token_index++) {
        TRY(lexer_next(lexer, &error->token, err));
        AstPos start = error->start.pos;
        if (lexer->pos.offset - start.offset > STATEMENT_BYTES_MAX)
            return err_set_at(err, ERR_LIMIT, start.line, start.column,
                              "a statement is longer than %d bytes", STATEMENT_BYTES_MAX);
        Token token = error->token;
        if (token.kind == 0 && open_end) {
            token.kind = error->end_token;
            token.end = machine->context.end_offset;
        }
        if (token.kind == 0)
            return parse_error_report(error, err);
        TRY(machine_feed(machine, token));
        if (token.kind == error->end_token)
            return machine_feed(machine, (Token){0});
    }
}

/* `machine` is closed again at the end; its context keeps the result. */
static ErrCode machine_parse(Machine *machine, Lexer *lexer, Arena *arena, bool open_end,
                             Err *err) {
    machine->context = (ParseContext){
        .arena = arena, .err = err, .variables = lexer->variables, .script = lexer->text};
    machine->tables = SqlAlloc(mem_alloc, &machine->context);
    ErrCode code = machine_run(machine, lexer, open_end);
    SqlFree(machine->tables, mem_free);
    return code;
}

/* An empty text may come without an address. */
static Bytes addressed(Bytes text) {
    return text.data ? text : bytes_of("");
}

static Lexer parser_lexer(const Parser *parser) {
    Lexer lexer = {.text = addressed(parser->script), .variables = parser->variables};
    lexer.extensions = parser->extensions;
    lexer.pos = (AstPos){parser->line, parser->column, parser->offset};
    if (parser->line == 0)
        lexer.pos = (AstPos){1, 1, 0};
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF}; /* some editors' first bytes */
    if (lexer.pos.offset == 0 && lexer.text.size >= 3 && memcmp(lexer.text.data, mark, 3) == 0)
        lexer.pos.offset = 3;
    return lexer;
}

static void parser_move(Parser *parser, const Lexer *lexer) {
    parser->offset = lexer->pos.offset;
    parser->line = lexer->pos.line;
    parser->column = lexer->pos.column;
}

/* Past blanks, comments and lone ';'; whether a statement follows. */
static bool parser_find(Lexer *lexer) {
    for (;;) {
        Lexer ahead = *lexer;
        Token token;
        Err err;
        if (lexer_next(&ahead, &token, &err) != ERR_OK)
            return true;
        lexer->pos = token.kind == TK_SEMI ? ahead.pos : token.pos;
        if (token.kind != TK_SEMI)
            return token.kind != 0;
    }
}

/* Past the ';' of a statement that failed at `token`. */
static void parser_skip(Lexer *lexer, Token token) {
    Err err;
    while (token.kind != TK_SEMI) {
        ErrCode code = lexer_next(lexer, &token, &err);
        if (code == ERR_OK && token.kind == 0)
            break;
    }
}

ErrCode parse_next(Parser *parser, Arena *arena, const AstStatement **statement, Err *err) {
    assert(parser && arena);
    Lexer lexer = parser_lexer(parser);
    *statement = NULL;
    bool found = parser_find(&lexer);
    parser_move(parser, &lexer);
    if (!found)
        return ERR_OK;
    Machine machine = {.error = {.start_token = TK_START_STATEMENT, .end_token = TK_SEMI}};
    ErrCode code = machine_parse(&machine, &lexer, arena, parser->last_may_lack_semicolon, err);
    if (code == ERR_OK)
        *statement = machine.context.statement;
    else
        parser_skip(&lexer, machine.error.token);
    parser_move(parser, &lexer);
    return code;
}

/* A text that is one expression, type, ... */
static ErrCode parse_fragment(Bytes text, int start_token, Arena *arena, ParseContext *result,
                              Err *err) {
    Lexer lexer = {.text = addressed(text), .pos = {1, 1, 0}, .place = LEXER_INSIDE};
    Machine machine = {.error = {.start_token = start_token, .end_token = TK_END}};
    TRY(machine_parse(&machine, &lexer, arena, true, err));
    *result = machine.context;
    return ERR_OK;
}

ErrCode parse_expression(Bytes text, Arena *arena, const AstExpr **expr, Err *err) {
    ParseContext result;
    TRY(parse_fragment(text, TK_START_EXPR, arena, &result, err));
    *expr = result.expr;
    return ERR_OK;
}

ErrCode parse_type(Bytes text, Arena *arena, const AstType **type, Err *err) {
    ParseContext result;
    TRY(parse_fragment(text, TK_START_TYPE, arena, &result, err));
    *type = result.type;
    return ERR_OK;
}

ErrCode parse_columns(Bytes text, Arena *arena, const AstColumnDef **columns, uint32_t *count,
                      Err *err) {
    ParseContext result;
    TRY(parse_fragment(text, TK_START_COLUMNS, arena, &result, err));
    *columns = result.columns->items;
    *count = result.columns->count;
    return ERR_OK;
}
