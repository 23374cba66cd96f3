/*
 * sql_grammar.y - the language: every statement and clause, with what each one builds. Expressions
 * and types are in sql_expression.y.
 *
 * Read it as the reference. Words in capitals are tokens (sql_lexer.re, keyword.def); each rule
 * makes one call. Words that may also be names are listed under %fallback: where the word itself
 * cannot stand, it is taken for a NAME. Where a word could be both, token.c decides by the next
 * token. Marked (addition): not ksqlDB's, understood when additions are on.
 *
 * Made with `lemon -c`: without default actions an error is seen before anything is reduced, so
 * that what was expected is known, and a word falls back to a name only where it really must.
 */
%name Sql
%token_prefix TK_
%token_type {Token}
%extra_context {ParseContext *p}
%stack_size 0
%start_symbol input

%include {
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

#define YYNOERRORRECOVERY 1
#define malloc(size) mem_alloc(size)
#define realloc(memory, size) mem_resize(memory, size)
#define free(memory) mem_free(memory)

#define NONE ((Token){0})
}

%syntax_error { p->unexpected = true; }

/* The order is the one of messages that list what was expected. */
%token FROM COMMA AS JOIN WITHIN ON WINDOW WHERE GROUP PARTITION HAVING ORDER EMIT LIMIT OFFSET
    WITH VALUES KEY PRIMARY WHEN THEN ELSE END_CASE RP RB GT SEMI.

%fallback NAME
    ADD ALTER ANALYZE ARRAY ARRAY_OF ASC ASSERT CASCADE CHANGES COLUMN COPY DEFINE DESC EMIT ERRORS ESCAPE
    EXPLAIN EXTENSIONS FINAL FOR FUNCTION FUNCTIONS GRACE HEADER HEADERS ID IF INTERVAL KEY
    LANGUAGE MAP MAP_OF OFFSET ORDER PARTITION PERIOD PLUGINS PRIMARY QUICKSTARTS REPLACE RETURNS SCHEMA
    SESSION SET SHOW SINK SKIP SOURCE STRING_TYPE STRUCT STRUCT_OF SUBJECT SYSTEM TABLES TIME TIMEOUT
    TYPE TYPES UNDEFINE UNIT VARIABLES ZONE.

/* Reserved, but used by nothing. */
%token RESERVED.

/* == Entry: the driver's first token says what the text is ===================================== */

input ::= START_STATEMENT statement(S) SEMI. { p->statement = build_finish(p, S); }
input ::= START_EXPR expr(E) END.            { p->expr = E; }
input ::= START_TYPE type(T) END.            { p->type = T; }
input ::= START_COLUMNS elements(L) END.     { p->columns = L; }
/* END is the end of the text. */

/* == Names ===================================================================================== */

/* An identifier as written: word, `Word`, "Word", 1word. */
%type name {const char *}
name(N) ::= identifier(T). { N = build_name(p, T); }

/* The Token itself, where case matters or the position does. */
identifier(T) ::= NAME(T).
identifier(T) ::= VARIABLE(T).

/* Topics and subjects keep their case. */
resource(T) ::= identifier(T).
resource(T) ::= STRING(T).

%type names {AstList *}
names(L) ::= identifier(N).                { L = build_places(p, NULL, N); }
names(L) ::= names(K) COMMA identifier(N). { L = build_places(p, K, N); }

/* == Statements ================================================================================ */

%type statement {AstStatement *}

/* SELECT ...; a lookup, or with EMIT a query that goes on. */
statement(S) ::= query(Q). { S = build_select(p, Q); }

/* {LIST | SHOW} what */
show(T) ::= LIST(T).
show(T) ::= SHOW(T).
statement(S) ::= show(T) PROPERTIES.
    { S = build_show(p, T, AST_SHOW_PROPERTIES, false, false); }
statement(S) ::= show(T) TOPICS extended(E).
    { S = build_show(p, T, AST_SHOW_TOPICS, false, E); }
statement(S) ::= show(T) ALL TOPICS extended(E).
    { S = build_show(p, T, AST_SHOW_TOPICS, true, E); }
statement(S) ::= show(T) STREAMS extended(E).
    { S = build_show(p, T, AST_SHOW_STREAMS, false, E); }
statement(S) ::= show(T) TABLES extended(E).
    { S = build_show(p, T, AST_SHOW_TABLES, false, E); }
statement(S) ::= show(T) FUNCTIONS.
    { S = build_show(p, T, AST_SHOW_FUNCTIONS, false, false); }
statement(S) ::= show(T) CONNECTORS.
    { S = build_show(p, T, AST_SHOW_CONNECTORS, false, false); }
statement(S) ::= show(T) SOURCE CONNECTORS.
    { S = build_show(p, T, AST_SHOW_CONNECTORS, false, false); S->is_source = true; }
statement(S) ::= show(T) SINK CONNECTORS.
    { S = build_show(p, T, AST_SHOW_CONNECTORS, false, false); S->is_sink = true; }
statement(S) ::= show(T) CONNECTOR PLUGINS.
    { S = build_show(p, T, AST_SHOW_CONNECTOR_PLUGINS, false, false); }
statement(S) ::= show(T) TYPES.
    { S = build_show(p, T, AST_SHOW_TYPES, false, false); }
statement(S) ::= show(T) VARIABLES.
    { S = build_show(p, T, AST_SHOW_VARIABLES, false, false); }
statement(S) ::= show(T) QUERIES extended(E).
    { S = build_show(p, T, AST_SHOW_QUERIES, false, E); }
/* (addition) */
statement(S) ::= show(T) QUICKSTARTS.
    { S = build_show(p, T, AST_SHOW_QUICKSTARTS, false, false); }
statement(S) ::= show(T) EXTENSIONS.
    { S = build_show(p, T, AST_SHOW_EXTENSIONS, false, false); }
/* SHOW ERRORS FOR query (addition) */
statement(S) ::= show(T) ERRORS FOR identifier(N).
    { S = build_named(p, AST_SHOW, T, N); S->show = AST_SHOW_ERRORS; }

/* DESCRIBE name [EXTENDED]; DESCRIBE {STREAMS | TABLES} [EXTENDED]; FUNCTION or CONNECTOR name */
statement(S) ::= DESCRIBE(T) identifier(N) extended(E).
    { S = build_named(p, AST_DESCRIBE, T, N); S->extended = E; }
statement(S) ::= DESCRIBE(T) STREAMS extended(E).
    { S = build_show(p, T, AST_SHOW_STREAMS, false, E); S->kind = AST_DESCRIBE_ALL; }
statement(S) ::= DESCRIBE(T) TABLES extended(E).
    { S = build_show(p, T, AST_SHOW_TABLES, false, E); S->kind = AST_DESCRIBE_ALL; }
statement(S) ::= DESCRIBE(T) FUNCTION identifier(N).
    { S = build_named(p, AST_DESCRIBE_FUNCTION, T, N); }
statement(S) ::= DESCRIBE(T) CONNECTOR identifier(N).
    { S = build_named(p, AST_DESCRIBE_CONNECTOR, T, N); }

/* EXPLAIN {statement | query id}; EXPLAIN ANALYZE ... (addition) */
statement(S) ::= EXPLAIN(T) statement(I).         { S = build_explain(p, T, false, I); }
statement(S) ::= EXPLAIN(T) ANALYZE statement(I). { S = build_explain(p, T, true, I); }
statement(S) ::= EXPLAIN(T) identifier(N).
    { S = build_named(p, AST_EXPLAIN, T, N); }
statement(S) ::= EXPLAIN(T) ANALYZE identifier(N).
    { S = build_named(p, AST_EXPLAIN, T, N); S->analyze = true; }

/* PRINT topic [FROM BEGINNING] [{INTERVAL | SAMPLE} n] [LIMIT n] */
statement(S) ::= PRINT(T) resource(N) from_beginning(B) interval(I) limit(L).
    { S = build_print_parts(p, build_resource(p, AST_PRINT, T, N), B, I, L); }

/* TERMINATE, PAUSE, RESUME {query id | ALL} */
statement(S) ::= TERMINATE(T) identifier(N). { S = build_named(p, AST_TERMINATE, T, N); }
statement(S) ::= TERMINATE(T) ALL.
    { S = build_statement(p, AST_TERMINATE, T); S->all = true; }
statement(S) ::= PAUSE(T) identifier(N).     { S = build_named(p, AST_PAUSE, T, N); }
statement(S) ::= PAUSE(T) ALL.
    { S = build_statement(p, AST_PAUSE, T); S->all = true; }
statement(S) ::= RESUME(T) identifier(N).    { S = build_named(p, AST_RESUME, T, N); }
statement(S) ::= RESUME(T) ALL.
    { S = build_statement(p, AST_RESUME, T); S->all = true; }

/* ALTER QUERY query id SKIP n (addition) */
statement(S) ::= ALTER(T) QUERY_MADE identifier(N) SKIP INTEGER(C).
    { S = build_named(p, AST_ALTER_QUERY, T, N); S->limit = build_integer(p, C, "SKIP"); }

/* SET 'property' = 'value'; UNSET 'property'; ALTER SYSTEM 'property' = 'value' */
statement(S) ::= SET(T) STRING(N) EQ STRING(V).
    { S = build_texts(p, AST_SET, T, N, V); }
statement(S) ::= UNSET(T) STRING(N).
    { S = build_texts(p, AST_UNSET, T, N, NONE); }
statement(S) ::= ALTER(T) SYSTEM STRING(N) EQ STRING(V).
    { S = build_texts(p, AST_ALTER_SYSTEM, T, N, V); }

/* DEFINE name = 'value'; UNDEFINE name: any word, as written */
statement(S) ::= DEFINE(T) WORD(N) EQ STRING(V).
    { S = build_texts(p, AST_DEFINE, T, N, V); }
statement(S) ::= UNDEFINE(T) WORD(N).
    { S = build_texts(p, AST_UNDEFINE, T, N, NONE); }

/* CREATE [OR REPLACE] [SOURCE] {STREAM | TABLE} [IF NOT EXISTS] name [(elements)] [WITH (...)] */
statement(S) ::= definition(D) with(W).
    { S = build_definition(D, NULL, W, NULL); }
statement(S) ::= definition(D) LP elements(C) RP with(W).
    { S = build_definition(D, C, W, NULL); }
statement(S) ::= source_definition(D) with(W).
    { S = build_definition(D, NULL, W, NULL); }
statement(S) ::= source_definition(D) LP elements(C) RP with(W).
    { S = build_definition(D, C, W, NULL); }

/* CREATE [OR REPLACE] {STREAM | TABLE} [IF NOT EXISTS] name [WITH (...)] AS query */
statement(S) ::= definition(D) with(W) AS query(Q).
    { S = build_definition(D, NULL, W, Q); }

%type definition {AstStatement *}
definition(S) ::= create(T) source_kind(K) if_not_exists(I) identifier(N).
    { S = build_named(p, K, T, N); S->if_not_exists = I; S->or_replace = T.kind == TK_REPLACE; }
%type source_definition {AstStatement *}
source_definition(S) ::= create_source(T) source_kind(K) if_not_exists(I) identifier(N).
    { S = build_named(p, K, T, N); S->if_not_exists = I; S->is_source = true;
      S->or_replace = T.kind == TK_REPLACE; }

create(T) ::= CREATE(T).
create(T) ::= CREATE(C) OR REPLACE.        { T = C; T.kind = TK_REPLACE; }
create_source(T) ::= CREATE(T) SOURCE.
create_source(T) ::= CREATE(C) OR REPLACE SOURCE. { T = C; T.kind = TK_REPLACE; }

%type source_kind {AstStatementKind}
source_kind(K) ::= STREAM. { K = AST_CREATE_STREAM; }
source_kind(K) ::= TABLE.  { K = AST_CREATE_TABLE; }

/* CREATE {SOURCE | SINK} CONNECTOR [IF NOT EXISTS] name WITH (...); DROP CONNECTOR */
statement(S) ::= CREATE(T) SOURCE CONNECTOR if_not_exists(I) identifier(N) WITH options(W).
    { S = build_definition(build_named(p, AST_CREATE_CONNECTOR, T, N), NULL, W, NULL);
      S->if_not_exists = I; }
statement(S) ::= CREATE(T) SINK CONNECTOR if_not_exists(I) identifier(N) WITH options(W).
    { S = build_definition(build_named(p, AST_CREATE_CONNECTOR, T, N), NULL, W, NULL);
      S->if_not_exists = I; S->is_sink = true; }
statement(S) ::= DROP(T) CONNECTOR if_exists(I) identifier(N).
    { S = build_named(p, AST_DROP_CONNECTOR, T, N); S->if_exists = I; }

/* INSERT INTO name [WITH (...)] query; INSERT INTO name [(columns)] VALUES (...) */
statement(S) ::= INSERT(T) INTO identifier(N) with(W) query(Q).
    { S = build_definition(build_named(p, AST_INSERT_SELECT, T, N), NULL, W, Q); }
statement(S) ::= INSERT(T) INTO identifier(N) columns(C) VALUES row(V).
    { S = build_values(p, build_named(p, AST_INSERT_VALUES, T, N), C, V); }

/* DROP {STREAM | TABLE} [IF EXISTS] name [DELETE TOPIC]; CASCADE behind it is an addition */
statement(S) ::= DROP(T) STREAM if_exists(I) identifier(N) delete_topic(D) cascade(C).
    { S = build_named(p, AST_DROP_STREAM, T, N); S->if_exists = I; S->delete_topic = D;
      S->cascade = C; }
statement(S) ::= DROP(T) TABLE if_exists(I) identifier(N) delete_topic(D) cascade(C).
    { S = build_named(p, AST_DROP_TABLE, T, N); S->if_exists = I; S->delete_topic = D;
      S->cascade = C; }
%type cascade {bool}
cascade(B) ::= .        { B = false; }
cascade(B) ::= CASCADE. { B = true; }

/* CREATE TOPIC [IF NOT EXISTS] name [WITH (...)]; ALTER TOPIC name SET (...);
 * DROP TOPIC [IF EXISTS] name; DESCRIBE TOPIC name (addition) */
statement(S) ::= CREATE(T) TOPIC_MADE if_not_exists(I) resource(N) with(W).
    { S = build_definition(build_resource(p, AST_CREATE_TOPIC, T, N), NULL, W, NULL);
      S->if_not_exists = I; }
statement(S) ::= ALTER(T) TOPIC_MADE resource(N) SET LP properties(P) RP.
    { S = build_definition(build_resource(p, AST_ALTER_TOPIC, T, N), NULL, P, NULL); }
statement(S) ::= DROP(T) TOPIC_MADE if_exists(I) resource(N).
    { S = build_resource(p, AST_DROP_TOPIC, T, N); S->if_exists = I; }
statement(S) ::= DESCRIBE(T) TOPIC_MADE resource(N).
    { S = build_resource(p, AST_DESCRIBE_TOPIC, T, N); }

/* ALTER {STREAM | TABLE} name ADD [COLUMN] column type, ... */
statement(S) ::= ALTER(T) STREAM identifier(N) alterations(C).
    { S = build_definition(build_named(p, AST_ALTER_SOURCE, T, N), C, NULL, NULL); }
statement(S) ::= ALTER(T) TABLE identifier(N) alterations(C).
    { S = build_definition(build_named(p, AST_ALTER_SOURCE, T, N), C, NULL, NULL);
      S->is_table = true; }
%type alterations {AstList *}
alterations(L) ::= ADD column identifier(N) type(T).
    { L = build_element(p, NULL, N, T, (BuildRole){0}); }
alterations(L) ::= alterations(K) COMMA ADD column identifier(N) type(T).
    { L = build_element(p, K, N, T, (BuildRole){0}); }
column ::= .
column ::= COLUMN.

/* CREATE TYPE [IF NOT EXISTS] name AS type; DROP TYPE [IF EXISTS] name */
statement(S) ::= CREATE(T) TYPE if_not_exists(I) identifier(N) AS type(D).
    { S = build_named(p, AST_CREATE_TYPE, T, N); S->if_not_exists = I; S->type = D; }
statement(S) ::= DROP(T) TYPE if_exists(I) identifier(N).
    { S = build_named(p, AST_DROP_TYPE, T, N); S->if_exists = I; }

/* CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name (param type, ...) RETURNS type AS expr, or
 * LANGUAGE LUA AS 'body', or LANGUAGE C AS 'library', 'symbol' (addition) */
statement(S) ::= function(F) AS expr(E). { S = build_function_expr(p, F, E); }
statement(S) ::= function(F) LANGUAGE identifier(L) AS code(B).
    { S = build_function_code(p, F, L, B, NONE); }
statement(S) ::= function(F) LANGUAGE identifier(L) AS code(B) COMMA code(C).
    { S = build_function_code(p, F, L, B, C); }
%type function {AstStatement *}
function(S) ::= create(T) FUNCTION_MADE if_not_exists(I) identifier(N) params(P) RETURNS type(R).
    { S = build_definition(build_named(p, AST_CREATE_FUNCTION, T, N), P, NULL, NULL);
      S->if_not_exists = I; S->or_replace = T.kind == TK_REPLACE; S->type = R; }
%type params {AstList *}
params(L) ::= LP RP.             { L = build_empty(p); }
params(L) ::= LP elements(E) RP. { L = E; }
code(T) ::= STRING(T).
code(T) ::= DOLLARS(T).

/* DROP FUNCTION [IF EXISTS] name [(type, ...)] (addition) */
statement(S) ::= DROP(T) FUNCTION_MADE if_exists(I) identifier(N) signature(G).
    { S = build_definition(build_named(p, AST_DROP_FUNCTION, T, N), G, NULL, NULL);
      S->if_exists = I; }
%type signature {AstList *}
signature(L) ::= .                { L = NULL; }
signature(L) ::= LP RP.           { L = build_empty(p); }
signature(L) ::= LP types(K) RP.  { L = K; }
%type types {AstList *}
types(L) ::= type(T).                { L = build_param(p, NULL, T); }
types(L) ::= types(K) COMMA type(T). { L = build_param(p, K, T); }

/* ASSERT [NOT EXISTS] TOPIC name [WITH (...)] [TIMEOUT n unit] */
statement(S) ::= ASSERT(T) not_exists(X) TOPIC resource(N) with(W) timeout(D).
    { S = build_definition(build_resource(p, AST_ASSERT_TOPIC, T, N), NULL, W, NULL);
      S->not_exists = X; S->timeout = D; }

/* ASSERT [NOT EXISTS] SCHEMA [SUBJECT name] [ID n] [TIMEOUT n unit] */
statement(S) ::= ASSERT(T) not_exists(X) SCHEMA subject(N) schema_id(I) timeout(D).
    { S = build_schema_parts(p, build_statement(p, AST_ASSERT_SCHEMA, T), N, I);
      S->not_exists = X; S->timeout = D; }
subject(T) ::= .                    { T = NONE; }
subject(T) ::= SUBJECT resource(N). { T = N; }
schema_id(T) ::= .                  { T = NONE; }
schema_id(T) ::= ID number(N).      { T = N; }
%type timeout {AstDuration}
timeout(D) ::= .                    { D = (AstDuration){0}; }
timeout(D) ::= TIMEOUT duration(E). { D = E; }

/* For tests: ASSERT VALUES, ASSERT NULL VALUES, ASSERT {STREAM | TABLE}, RUN SCRIPT 'file' */
statement(S) ::= ASSERT(T) VALUES identifier(N) columns(C) VALUES row(V).
    { S = build_values(p, build_named(p, AST_ASSERT_VALUES, T, N), C, V); }
statement(S) ::= ASSERT(T) NULL VALUES identifier(N) columns(C) KEY row(V).
    { S = build_values(p, build_named(p, AST_ASSERT_NULL_VALUES, T, N), C, V); }
statement(S) ::= ASSERT(T) asserted(K) identifier(N) with(W).
    { S = build_definition(build_named(p, K, T, N), NULL, W, NULL); }
statement(S) ::= ASSERT(T) asserted(K) identifier(N) LP elements(C) RP with(W).
    { S = build_definition(build_named(p, K, T, N), C, W, NULL); }
%type asserted {AstStatementKind}
asserted(K) ::= STREAM. { K = AST_ASSERT_STREAM; }
asserted(K) ::= TABLE.  { K = AST_ASSERT_TABLE; }
statement(S) ::= RUN(T) SCRIPT STRING(F). { S = build_texts(p, AST_RUN_SCRIPT, T, NONE, F); }

/* COPY name FROM 'file' (FORMAT word, HEADER, ON_ERROR 'word');
 * COPY {name | (query)} TO 'file' (FORMAT word, HEADER, OVERWRITE) (addition) */
statement(S) ::= COPY(T) identifier(N) FROM STRING(F) copy_options(O).
    { S = build_definition(build_named(p, AST_COPY, T, N), NULL, O, NULL);
      S->text = build_text(p, F); }
%type copy_options {AstList *}
statement(S) ::= COPY(T) identifier(N) TO STRING(F) copy_options(O).
    { S = build_definition(build_named(p, AST_COPY, T, N), NULL, O, NULL);
      S->text = build_text(p, F); S->is_sink = true; }
statement(S) ::= COPY(T) LP query(Q) RP TO STRING(F) copy_options(O).
    { S = build_definition(build_statement(p, AST_COPY, T), NULL, O, Q);
      S->text = build_text(p, F); S->is_sink = true; }
copy_options(L) ::= .                        { L = NULL; }
copy_options(L) ::= LP copy_list(K) RP.      { L = K; }
copy_options(L) ::= WITH LP copy_list(K) RP. { L = K; }
%type copy_list {AstList *}
copy_list(L) ::= identifier(N) copy_value(V).
    { L = build_property(p, NULL, N, V); }
copy_list(L) ::= copy_list(K) COMMA identifier(N) copy_value(V).
    { L = build_property(p, K, N, V); }
%type copy_value {AstExpr *}
copy_value(E) ::= .                  { E = NULL; }
copy_value(E) ::= literal(E).
copy_value(E) ::= EQ literal(V).     { E = V; }
copy_value(E) ::= NAME(T).           { E = build_option_word(p, T); }
copy_value(E) ::= EQ NAME(T).        { E = build_option_word(p, T); }

/* -- Parts of statements ----------------------------------------------------------------------- */

%type extended {bool}
extended(B) ::= .             { B = false; }
extended(B) ::= EXTENDED.     { B = true; }
%type if_exists {bool}
if_exists(B) ::= .            { B = false; }
if_exists(B) ::= IF EXISTS.   { B = true; }
%type if_not_exists {bool}
if_not_exists(B) ::= .        { B = false; }
if_not_exists(B) ::= IF NOT EXISTS. { B = true; }
%type not_exists {bool}
not_exists(B) ::= .           { B = false; }
not_exists(B) ::= NOT EXISTS. { B = true; }
%type delete_topic {bool}
delete_topic(B) ::= .         { B = false; }
delete_topic(B) ::= DELETE TOPIC. { B = true; }
%type from_beginning {bool}
from_beginning(B) ::= .       { B = false; }
from_beginning(B) ::= FROM BEGINNING. { B = true; }

interval(T) ::= .                   { T = NONE; }
interval(T) ::= INTERVAL number(N). { T = build_row_count(p, N, "INTERVAL"); }
interval(T) ::= SAMPLE number(N).   { T = build_row_count(p, N, "SAMPLE"); }

/* (name type [role], ...) */
%type elements {AstList *}
elements(L) ::= identifier(N) type(T) role(R).
    { L = build_element(p, NULL, N, T, R); }
elements(L) ::= elements(K) COMMA identifier(N) type(T) role(R).
    { L = build_element(p, K, N, T, R); }
%type role {BuildRole}
role(R) ::= .            { R = (BuildRole){AST_COLUMN_VALUE, NULL}; }
role(R) ::= KEY.         { R = (BuildRole){AST_COLUMN_KEY, NULL}; }
role(R) ::= PRIMARY KEY. { R = (BuildRole){AST_COLUMN_PRIMARY_KEY, NULL}; }
role(R) ::= HEADERS.     { R = (BuildRole){AST_COLUMN_HEADERS, NULL}; }
role(R) ::= HEADER LP STRING(K) RP.
    { R = (BuildRole){AST_COLUMN_HEADERS, (const char *)build_text(p, K).data}; }

/* (a, b) */
%type columns {AstList *}
columns(L) ::= .               { L = NULL; }
columns(L) ::= LP names(N) RP. { L = N; }

/* (1, 'a', ...) */
%type row {AstList *}
row(L) ::= LP RP.           { L = build_empty(p); }
row(L) ::= LP values(V) RP. { L = V; }

/* WITH (NAME = literal, ...) */
%type with {AstList *}
with(L) ::= .                { L = NULL; }
with(L) ::= WITH LP properties(P) RP. { L = P; }
%type properties {AstList *}
properties(L) ::= resource(N) EQ literal(V).
    { L = build_property(p, NULL, N, V); }
properties(L) ::= properties(K) COMMA resource(N) EQ literal(V).
    { L = build_property(p, K, N, V); }

/* The same for connectors, whose names keep their case. */
%type options {AstList *}
options(L) ::= LP option_list(O) RP. { L = O; }
%type option_list {AstList *}
option_list(L) ::= resource(N) EQ literal(V).
    { L = build_option(p, NULL, N, V); }
option_list(L) ::= option_list(K) COMMA resource(N) EQ literal(V).
    { L = build_option(p, K, N, V); }

/* == Queries =================================================================================== */

%type query {AstQuery *}
query(Q) ::= SELECT(T) items(I) from(B).      { Q = build_query(p, T, I, &B); }
/* What SELECT is when additions are on: it needs no FROM. */
query(Q) ::= SELECT_BARE(T) items(I) from(B). { Q = build_query(p, T, I, &B); }
query(Q) ::= SELECT_BARE(T) items(I) where(W) order_by(O) limit(L) offset(F).
    { BuildQuery B = {.where = W, .order_by = O, .limit = L, .offset = F};
      Q = build_query(p, T, I, &B); }

%type from {BuildQuery}
from(B) ::= FROM sources(S) window(W) where(C) group_by(G) partition_by(P) having(H) order_by(O)
            emit(E) limit(L) offset(F).
    { B = (BuildQuery){S, W, C, G, P, H, O, E, L, F}; }

/* expr [[AS] alias], *, source.*, expr->* */
%type items {AstList *}
items(L) ::= item(I).                { L = build_items(p, NULL, I); }
items(L) ::= items(K) COMMA item(I). { L = build_items(p, K, I); }
%type item {AstItem *}
item(I) ::= STAR(T).               { I = build_item(p, AST_ITEM_ALL, T.pos, NULL); }
item(I) ::= identifier(Q) DOT STAR.
    { I = build_item(p, AST_ITEM_ALL_OF, Q.pos, NULL); I->qualifier = build_name(p, Q); }
item(I) ::= primary(E) DEREF STAR. { I = build_item(p, AST_ITEM_ALL_FIELDS, E->pos, E); }
item(I) ::= expr(E).               { I = build_item(p, AST_ITEM_EXPR, E->pos, E); }
item(I) ::= expr(E) name(N).
    { I = build_item(p, AST_ITEM_EXPR, E->pos, E); I->alias = N; }
item(I) ::= expr(E) AS name(N).
    { I = build_item(p, AST_ITEM_EXPR, E->pos, E); I->alias = N; }

/* source [join source [WITHIN ...] ON condition]... */
%type sources {AstList *}
sources(L) ::= source(S). { L = build_sources(p, NULL, S); }
sources(L) ::= sources(K) join(J) JOIN within(S) ON expr(E).
    { L = build_join(p, K, J, S, E); }
%type source {AstSource *}
source(S) ::= identifier(N).            { S = build_source(p, N, NULL); }
source(S) ::= identifier(N) name(A).    { S = build_source(p, N, A); }
source(S) ::= identifier(N) AS name(A). { S = build_source(p, N, A); }
%type join {AstJoinKind}
join(J) ::= .            { J = AST_JOIN_INNER; }
join(J) ::= INNER.       { J = AST_JOIN_INNER; }
join(J) ::= LEFT.        { J = AST_JOIN_LEFT; }
join(J) ::= LEFT OUTER.  { J = AST_JOIN_LEFT; }
join(J) ::= RIGHT.       { J = AST_JOIN_RIGHT; }
join(J) ::= RIGHT OUTER. { J = AST_JOIN_RIGHT; }
join(J) ::= FULL.        { J = AST_JOIN_FULL; }
join(J) ::= FULL OUTER.  { J = AST_JOIN_FULL; }

/* WITHIN 1 HOUR; WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 1 DAY */
%type within {AstSource *}
within(S) ::= source(S).
within(S) ::= source(R) WITHIN duration(D) join_grace(G).
    { S = build_within(R, D, D, G); }
within(S) ::= source(R) WITHIN LP duration(B) COMMA duration(A) RP join_grace(G).
    { S = build_within(R, B, A, G); }
%type join_grace {AstDuration}
join_grace(D) ::= .                         { D = (AstDuration){0}; }
join_grace(D) ::= GRACE PERIOD duration(E). { D = E; }

/* WINDOW [name] TUMBLING (...), HOPPING (...), SESSION (...) */
%type window {AstWindow *}
window(W) ::= .                                     { W = NULL; }
window(W) ::= WINDOW window_kind(K).                { W = K; }
window(W) ::= WINDOW NAME window_kind(K).           { W = K; }
%type window_kind {AstWindow *}
window_kind(W) ::= TUMBLING(T) LP SIZE duration(S) window_tail(R) RP.
    { W = build_window(p, AST_WINDOW_TUMBLING, T, (BuildSizes){S, {0}}, R); }
window_kind(W) ::= HOPPING(T) LP SIZE duration(S) COMMA ADVANCE BY duration(A) window_tail(R) RP.
    { W = build_window(p, AST_WINDOW_HOPPING, T, (BuildSizes){S, A}, R); }
window_kind(W) ::= SESSION(T) LP duration(S) window_tail(R) RP.
    { W = build_window(p, AST_WINDOW_SESSION, T, (BuildSizes){S, {0}}, R); }
%type window_tail {BuildTail}
window_tail(T) ::= .                      { T = (BuildTail){{0}, {0}}; }
window_tail(T) ::= retention(R).          { T = (BuildTail){R, {0}}; }
window_tail(T) ::= grace(G).              { T = (BuildTail){{0}, G}; }
window_tail(T) ::= retention(R) grace(G). { T = (BuildTail){R, G}; }
%type retention {AstDuration}
retention(D) ::= COMMA RETENTION duration(E). { D = E; }
%type grace {AstDuration}
grace(D) ::= COMMA GRACE PERIOD duration(E).  { D = E; }
%type duration {AstDuration}
duration(D) ::= number(N) unit(U).            { D = build_duration(p, N, U); }
unit(T) ::= UNIT(T).
unit(T) ::= UNITS(T).

%type where {AstExpr *}
where(E) ::= .               { E = NULL; }
where(E) ::= WHERE expr(C).  { E = C; }
%type having {AstExpr *}
having(E) ::= .              { E = NULL; }
having(E) ::= HAVING expr(C). { E = C; }

/* GROUP BY a, b; GROUP BY (a, b); GROUP BY () */
%type group_by {AstList *}
group_by(L) ::= .                        { L = NULL; }
group_by(L) ::= GROUP BY grouping(G).    { L = G; }
%type partition_by {AstList *}
partition_by(L) ::= .                    { L = NULL; }
partition_by(L) ::= PARTITION BY grouping(G). { L = G; }
%type grouping {AstList *}
grouping(L) ::= values(L).
grouping(L) ::= LP RP.                   { L = build_empty(p); }
grouping(L) ::= LP value_pair(K) RP.     { L = K; }
%type value_pair {AstList *}
value_pair(L) ::= value(A) COMMA value(B).
    { L = build_exprs(p, build_exprs(p, NULL, A), B); }
value_pair(L) ::= value_pair(K) COMMA value(E). { L = build_exprs(p, K, E); }

/* ORDER BY a, b DESC (addition) */
%type order_by {AstList *}
order_by(L) ::= .                         { L = NULL; }
order_by(L) ::= ORDER BY orders(O).       { L = O; }
%type orders {AstList *}
orders(L) ::= expr(E) direction(D).                 { L = build_order(p, NULL, E, D); }
orders(L) ::= orders(K) COMMA expr(E) direction(D). { L = build_order(p, K, E, D); }
%type direction {bool}
direction(D) ::= .     { D = false; }
direction(D) ::= ASC.  { D = false; }
direction(D) ::= DESC. { D = true; }

/* EMIT CHANGES, EMIT FINAL */
%type emit {AstEmit}
emit(E) ::= .             { E = AST_EMIT_NONE; }
emit(E) ::= EMIT CHANGES. { E = AST_EMIT_CHANGES; }
emit(E) ::= EMIT FINAL.   { E = AST_EMIT_FINAL; }

/* LIMIT n, OFFSET n (addition) */
limit(T) ::= .                   { T = NONE; }
limit(T) ::= LIMIT row_count(N). { T = build_row_count(p, N, "LIMIT"); }
offset(T) ::= .                  { T = NONE; }
offset(T) ::= OFFSET number(N).  { T = build_row_count(p, N, "OFFSET"); }
row_count(T) ::= number(T).
row_count(T) ::= resource(T).

/* == Running the tables without building ======================================================= */

%code {
uint32_t sql_depth(const void *machine) {
    const yyParser *parser = machine;
    return (uint32_t)(parser->yytos - parser->yystack);
}

static void probe_push(Probe *probe, YYACTIONTYPE state) {
    if (probe->depth == probe->capacity) {
        probe->capacity = probe->capacity ? probe->capacity * 2 : 64;
        probe->states = mem_resize(probe->states, probe->capacity * sizeof *probe->states);
    }
    probe->states[probe->depth++] = state;
}

int sql_token_count(void) {
    return YYNTOKEN;
}

void probe_start(Probe *probe, int kind) {
    probe->depth = 0;
    probe_push(probe, 0); /* the first state, as SqlInit() sets it */
    probe_feed(probe, kind, false);
}

void probe_assign(Probe *probe, const Probe *source) {
    probe->depth = 0;
    for (uint32_t i = 0; i < source->depth; i++)
        probe_push(probe, source->states[i]);
}

void probe_free(Probe *probe) {
    mem_free(probe->states);
    *probe = (Probe){0};
}

/* The tables' answer for a token in the topmost state. */
static YYACTIONTYPE probe_action(const Probe *probe, int kind, bool as_name) {
    YYACTIONTYPE state = probe->states[probe->depth - 1];
    if (state > YY_MAX_SHIFT)
        return state;
    int at = yy_shift_ofst[state] + kind;
    if (yy_lookahead[at] == kind)
        return yy_action[at];
    if (as_name && yyFallback[kind] != 0) {
        at = yy_shift_ofst[state] + yyFallback[kind];
        if (yy_lookahead[at] == yyFallback[kind])
            return yy_action[at];
    }
    return yy_default[state];
}

bool probe_feed(Probe *probe, int kind, bool as_name) {
    for (;;) {
        YYACTIONTYPE action = probe_action(probe, kind, as_name);
        if (action >= YY_MIN_REDUCE) {
            int rule = action - YY_MIN_REDUCE;
            probe->depth -= (uint32_t)-yyRuleInfoNRhs[rule];
            probe_push(probe, yy_find_reduce_action(probe->states[probe->depth - 1],
                                                    yyRuleInfoLhs[rule]));
        } else if (action <= YY_MAX_SHIFTREDUCE) {
            if (action > YY_MAX_SHIFT)
                action += YY_MIN_REDUCE - YY_MIN_SHIFTREDUCE;
            probe_push(probe, action);
            return true;
        } else {
            return action == YY_ACCEPT_ACTION;
        }
    }
}
}
