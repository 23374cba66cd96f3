/*
 * sql_lexer.re - the words of the language.
 *
 * One call cuts one token, blank or comment off the text; the longest match wins, then the first
 * rule. Text is bytes: everything from 0x80 up may stand in quotes and comments only, and whether
 * it is UTF-8 is checked by who counts the columns (token.c). To the rules the end of the text is
 * a zero byte, and a zero byte in the text is a one.
 */
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

static unsigned char lex_peek(Bytes text, uint32_t at) {
    if (at >= text.size)
        return 0;
    return text.data[at] == 0 ? 1 : text.data[at];
}

int lex_scan(Bytes text, uint32_t from, uint32_t *end) {
    uint32_t at = from;
    uint32_t marker = from;
    int token = LEX_END;

    /*!re2c
    re2c:api = custom;
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYPEEK = "lex_peek(text, at)";
    re2c:define:YYSKIP = "at++;";
    re2c:define:YYBACKUP = "marker = at;";
    re2c:define:YYRESTORE = "at = marker;";
    re2c:yyfill:enable = 0;

    digit    = [0-9];
    letter   = [A-Za-z];
    exponent = [eE] [+-]? digit+;

    // A quote inside quotes is written twice.
    string   = "'" ([^'\x00] | "''")*;
    double   = ["] ([^"\x00] | ["]["])*;
    back     = "`" ([^`\x00] | "``")*;
    dollars  = "$$" ([^$\x00] | "$" [^$\x00])*;
    comment  = "/" "*" ([^*\x00] | "*"+ [^*/\x00])*;

    [ \t\r\n]+                        { token = LEX_BLANK; goto done; }
    "--" [^\r\n\x00]*                 { token = LEX_LINE_COMMENT; goto done; }
    comment "*"+ "/"                  { token = LEX_BLANK; goto done; }
    comment "*"*                      { token = LEX_OPEN_COMMENT; goto done; }

    digit+                            { token = TK_INTEGER; goto done; }
    digit+ "." digit*                 { token = TK_DECIMAL; goto done; }
    "." digit+                        { token = TK_DECIMAL; goto done; }
    digit+ ("." digit*)? exponent     { token = TK_DOUBLE; goto done; }
    "." digit+ exponent               { token = TK_DOUBLE; goto done; }

    (letter | "_") (letter | digit | [_@])* { token = LEX_WORD; goto done; }
    digit (letter | digit | [_@])+    { token = TK_NAME; goto done; }
    double ["]                        { token = TK_NAME; goto done; }
    back "`"                          { token = TK_NAME; goto done; }
    string "'"                        { token = TK_STRING; goto done; }
    dollars "$"? "$$"                 { token = TK_DOLLARS; goto done; }
    dollars "$"?                      { token = LEX_OPEN_DOLLARS; goto done; }
    double                            { token = LEX_OPEN_DOUBLE; goto done; }
    back                              { token = LEX_OPEN_BACK; goto done; }
    string                            { token = LEX_OPEN_STRING; goto done; }
    "${" (letter | "_") (letter | digit | [_@])* "}" { token = TK_VARIABLE; goto done; }

    ";"                               { token = TK_SEMI; goto done; }
    ","                               { token = TK_COMMA; goto done; }
    "."                               { token = TK_DOT; goto done; }
    "("                               { token = TK_LP; goto done; }
    ")"                               { token = TK_RP; goto done; }
    "["                               { token = TK_LB; goto done; }
    "]"                               { token = TK_RB; goto done; }
    "="                               { token = TK_EQ; goto done; }
    "<>" | "!="                       { token = TK_NE; goto done; }
    "<"                               { token = TK_LT; goto done; }
    "<="                              { token = TK_LE; goto done; }
    ">"                               { token = TK_GT; goto done; }
    ">="                              { token = TK_GE; goto done; }
    "+"                               { token = TK_PLUS; goto done; }
    "-"                               { token = TK_MINUS; goto done; }
    "*"                               { token = TK_STAR; goto done; }
    "/"                               { token = TK_SLASH; goto done; }
    "%"                               { token = TK_PERCENT; goto done; }
    "||"                              { token = TK_CONCAT; goto done; }
    ":="                              { token = TK_ASSIGN; goto done; }
    "->"                              { token = TK_DEREF; goto done; }
    "=>"                              { token = TK_ARROW; goto done; }

    "\x00"                            { token = LEX_END; goto done; }
    *                                 { token = LEX_OTHER; goto done; }
    */
done:
    *end = at > text.size ? text.size : at;
    return token;
}
