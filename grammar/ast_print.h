/*
 * ast_print.h - syntax tree back to text.
 *
 * Parsing the text gives the same tree (positions aside). Expressions are printed the way ksqlDB
 * prints them in its messages: binary operators and predicates in parentheses, names quoted only
 * where they must be.
 */
#ifndef GRAMMAR_AST_PRINT_H
#define GRAMMAR_AST_PRINT_H

#include "base/buf.h"
#include "grammar/ast.h"

void ast_print_statement(Buf *out, const AstStatement *statement); /* without ';' */
void ast_print_query(Buf *out, const AstQuery *query);
void ast_print_expr(Buf *out, const AstExpr *expr);
void ast_print_type(Buf *out, const AstType *type);

/* A name as it must be written: `my-name` with backquotes where needed. */
void ast_print_name(Buf *out, const char *name);

/* A string literal: 'it''s'. */
void ast_print_string(Buf *out, const char *text);

/* "+", "IS DISTINCT FROM". */
const char *ast_op_text(AstOp op);

/* Whether two trees are the same, positions aside. */
bool ast_equal_statement(const AstStatement *left, const AstStatement *right);

#endif
