/*
 * sql_expression.y - the second half of sql_grammar.y: expressions and types, and what each one builds.
 *
 * Put behind it for lemon (Makefile); how to read it is said there. What binds tighter stands further
 * down: each level is made of the one below it.
 */

/* == Expressions, loosest first ================================================================ */

%type expr {AstExpr *}
expr(E) ::= conjunction(E).
expr(E) ::= expr(L) OR conjunction(R).
    { E = build_binary(p, AST_OR, AST_OP_NONE, L, R); }

%type conjunction {AstExpr *}
conjunction(E) ::= negation(E).
conjunction(E) ::= conjunction(L) AND negation(R).
    { E = build_binary(p, AST_AND, AST_OP_NONE, L, R); }

%type negation {AstExpr *}
negation(E) ::= predicate(E).
negation(E) ::= NOT(T) negation(R). { E = build_unary(p, AST_NOT, T, R); }

/* At most one predicate a value: a = b = c is no expression. */
%type predicate {AstExpr *}
predicate(E) ::= value(E).
predicate(E) ::= value(L) comparison(O) value(R).
    { E = build_binary(p, AST_COMPARE, O, L, R); }
predicate(E) ::= value(L) IS DISTINCT FROM value(R).
    { E = build_binary(p, AST_COMPARE, AST_OP_DISTINCT, L, R); }
predicate(E) ::= value(L) IS NOT DISTINCT FROM value(R).
    { E = build_binary(p, AST_COMPARE, AST_OP_NOT_DISTINCT, L, R); }
predicate(E) ::= value(V) IS NULL.
    { E = build_predicate(p, AST_IS_NULL, false, V, NULL); }
predicate(E) ::= value(V) IS NOT NULL.
    { E = build_predicate(p, AST_IS_NULL, true, V, NULL); }
predicate(E) ::= value(V) not(N) BETWEEN value(L) AND value(H).
    { E = build_predicate(p, AST_BETWEEN, N, V, build_pair(p, NULL, L, H)); }
predicate(E) ::= value(V) not(N) IN LP exprs(L) RP.
    { E = build_predicate(p, AST_IN, N, V, L); }
predicate(E) ::= value(V) not(N) LIKE value(P) escape(S).
    { E = build_like(p, N, V, P, S); }
%type not {bool}
not(B) ::= .    { B = false; }
not(B) ::= NOT. { B = true; }
escape(T) ::= .                 { T = NONE; }
escape(T) ::= ESCAPE STRING(S). { T = S; }

%type comparison {AstOp}
comparison(O) ::= EQ. { O = AST_OP_EQUAL; }
comparison(O) ::= NE. { O = AST_OP_NOT_EQUAL; }
comparison(O) ::= LT. { O = AST_OP_LESS; }
comparison(O) ::= LE. { O = AST_OP_LESS_EQUAL; }
comparison(O) ::= GT. { O = AST_OP_GREATER; }
comparison(O) ::= GE. { O = AST_OP_GREATER_EQUAL; }

%type value {AstExpr *}
value(E) ::= sum(E).
value(E) ::= value(L) CONCAT sum(R).
    { E = build_binary(p, AST_BINARY, AST_OP_CONCAT, L, R); }

%type sum {AstExpr *}
sum(E) ::= product(E).
sum(E) ::= sum(L) PLUS product(R).  { E = build_binary(p, AST_BINARY, AST_OP_ADD, L, R); }
sum(E) ::= sum(L) MINUS product(R). { E = build_binary(p, AST_BINARY, AST_OP_SUBTRACT, L, R); }

%type product {AstExpr *}
product(E) ::= factor(E).
product(E) ::= product(L) STAR factor(R).
    { E = build_binary(p, AST_BINARY, AST_OP_MULTIPLY, L, R); }
product(E) ::= product(L) SLASH factor(R).
    { E = build_binary(p, AST_BINARY, AST_OP_DIVIDE, L, R); }
product(E) ::= product(L) PERCENT factor(R).
    { E = build_binary(p, AST_BINARY, AST_OP_MODULUS, L, R); }

%type factor {AstExpr *}
factor(E) ::= zoned(E).
factor(E) ::= MINUS(T) factor(R). { E = build_sign(p, T, R); }
factor(E) ::= PLUS(T) factor(R).  { E = build_unary(p, AST_PLUS, T, R); }

%type zoned {AstExpr *}
zoned(E) ::= primary(E).
zoned(E) ::= zoned(V) AT TIME ZONE STRING(Z). { E = build_at_zone(p, V, Z); }

%type primary {AstExpr *}
primary(E) ::= NULL(T).                { E = build_literal(p, AST_NULL, T); }
primary(E) ::= TRUE(T).                { E = build_literal(p, AST_BOOLEAN, T); }
primary(E) ::= FALSE(T).               { E = build_literal(p, AST_BOOLEAN, T); }
primary(E) ::= STRING(T).              { E = build_literal(p, AST_STRING, T); }
primary(E) ::= unsigned(T).            { E = build_number_literal(p, T); }
primary(E) ::= identifier(N) STRING(T). { E = build_typed(p, N, T); }
primary(E) ::= DECIMAL_TYPE(N) STRING(T). { E = build_typed(p, N, T); }
primary(E) ::= identifier(N).          { E = build_column(p, NONE, N); }
primary(E) ::= identifier(Q) DOT identifier(N). { E = build_column(p, Q, N); }
primary(E) ::= primary(B) DEREF identifier(N).  { E = build_deref(p, B, N); }
primary(E) ::= primary(B) LB value(I) RB.
    { E = build_predicate(p, AST_SUBSCRIPT, false, B, build_exprs(p, NULL, I)); }
primary(E) ::= LP expr(X) RP.          { E = build_paren(p, X); }
primary(E) ::= CAST(T) LP expr(V) AS type(D) RP. { E = build_cast(p, T, V, D); }
primary(E) ::= CASE(T) whens(W) otherwise(O) END_CASE.
    { E = build_case(p, T, NULL, W, O); }
primary(E) ::= CASE(T) value(V) whens(W) otherwise(O) END_CASE.
    { E = build_case(p, T, V, W, O); }
primary(E) ::= ARRAY_OF(T) LB RB.           { E = build_constructor(p, AST_ARRAY, T, NULL); }
primary(E) ::= ARRAY_OF(T) LB exprs(L) RB.  { E = build_constructor(p, AST_ARRAY, T, L); }
primary(E) ::= MAP_OF(T) LP RP.             { E = build_constructor(p, AST_MAP, T, NULL); }
primary(E) ::= MAP_OF(T) LP entries(L) RP.  { E = build_constructor(p, AST_MAP, T, L); }
primary(E) ::= STRUCT_OF(T) LP RP.          { E = build_struct(p, T, NULL); }
primary(E) ::= STRUCT_OF(T) LP members(L) RP. { E = build_struct(p, T, L); }
primary(E) ::= identifier(N) LP RP.         { E = build_call(p, N, NULL, false); }
primary(E) ::= identifier(N) LP STAR RP.    { E = build_call(p, N, NULL, true); }
primary(E) ::= identifier(N) LP arguments(A) RP. { E = build_call(p, N, A, false); }
primary(E) ::= identifier(N) LP DISTINCT_OF expr(X) RP. { E = build_distinct(p, N, X); }

%type whens {AstList *}
whens(L) ::= WHEN expr(C) THEN expr(R).          { L = build_pair(p, NULL, C, R); }
whens(L) ::= whens(K) WHEN expr(C) THEN expr(R). { L = build_pair(p, K, C, R); }
%type otherwise {AstExpr *}
otherwise(E) ::= .             { E = NULL; }
otherwise(E) ::= ELSE expr(V). { E = V; }

%type entries {AstList *}
entries(L) ::= expr(A) ASSIGN expr(V).                  { L = build_pair(p, NULL, A, V); }
entries(L) ::= entries(K) COMMA expr(A) ASSIGN expr(V). { L = build_pair(p, K, A, V); }
%type members {AstList *}
members(L) ::= identifier(N) ASSIGN expr(V).
    { L = build_member(p, NULL, N, V); }
members(L) ::= members(K) COMMA identifier(N) ASSIGN expr(V).
    { L = build_member(p, K, N, V); }

/* f(a, DAY, x => x + 1): lambdas come last */
%type arguments {AstList *}
arguments(L) ::= argument_list(L).
arguments(L) ::= lambdas(L).
%type lambdas {AstList *}
lambdas(L) ::= argument_list(K) COMMA lambda(E). { L = build_exprs(p, K, E); }
lambdas(L) ::= lambdas(K) COMMA lambda(E).       { L = build_exprs(p, K, E); }
%type argument_list {AstList *}
argument_list(L) ::= argument(A).                        { L = build_exprs(p, NULL, A); }
argument_list(L) ::= argument_list(K) COMMA argument(A). { L = build_exprs(p, K, A); }
%type argument {AstExpr *}
argument(E) ::= expr(V).  { E = build_argument(p, V); }
argument(E) ::= UNITS(T). { E = build_unit(p, T); }

/* x => e; (x) => e; (x, y) => e */
%type lambda {AstExpr *}
lambda(E) ::= identifier(N) ARROW expr(B).
    { E = build_lambda(p, N, build_names(p, NULL, build_name(p, N)), B); }
lambda(E) ::= LP(T) expr(N) RP ARROW expr(B).
    { E = build_lambda(p, T, build_names(p, NULL, build_lambda_name(p, N)), B); }
lambda(E) ::= LP(T) lambda_names(L) RP ARROW expr(B).
    { E = build_lambda(p, T, L, B); }
%type lambda_names {AstList *}
lambda_names(L) ::= expr(A) COMMA name(B).
    { L = build_names(p, build_names(p, NULL, build_lambda_name(p, A)), B); }
lambda_names(L) ::= lambda_names(K) COMMA name(N). { L = build_names(p, K, N); }

%type exprs {AstList *}
exprs(L) ::= expr(E).                { L = build_exprs(p, NULL, E); }
exprs(L) ::= exprs(K) COMMA expr(E). { L = build_exprs(p, K, E); }
%type values {AstList *}
values(L) ::= value(E).                 { L = build_exprs(p, NULL, E); }
values(L) ::= values(K) COMMA value(E). { L = build_exprs(p, K, E); }

/* A literal with its sign: properties. */
%type literal {AstExpr *}
literal(E) ::= NULL(T).   { E = build_literal(p, AST_NULL, T); }
literal(E) ::= TRUE(T).   { E = build_literal(p, AST_BOOLEAN, T); }
literal(E) ::= FALSE(T).  { E = build_literal(p, AST_BOOLEAN, T); }
literal(E) ::= STRING(T). { E = build_literal(p, AST_STRING, T); }
literal(E) ::= number(T). { E = build_number_literal(p, T); }
literal(E) ::= VARIABLE(T). { E = build_literal(p, AST_VARIABLE, T); }

number(T) ::= unsigned(T).
number(T) ::= MINUS(M) unsigned(N). { T = build_number(p, M, N); }
unsigned(T) ::= INTEGER(T).
unsigned(T) ::= DECIMAL(T).
unsigned(T) ::= DOUBLE(T).

/* == Types ===================================================================================== */

%type type {AstType *}
type(T) ::= identifier(N).                        { T = build_named_type(p, N); }
type(T) ::= identifier(N) LP type_parameters RP.  { T = build_named_type(p, N); }
type(T) ::= DECIMAL_TYPE(K) LP number(P) COMMA number(S) RP.
    { T = build_decimal_type(p, K, P, S); }
type(T) ::= ARRAY(K) LT type(E) GT.
    { T = build_type(p, AST_TYPE_ARRAY, K, build_field(p, NULL, NULL, E)); }
type(T) ::= type(E) ARRAY(K).
    { T = build_type(p, AST_TYPE_ARRAY, K, build_field(p, NULL, NULL, E)); }
type(T) ::= MAP(K) LT type(A) COMMA type(B) GT.
    { T = build_type(p, AST_TYPE_MAP, K, build_field(p, build_field(p, NULL, NULL, A), NULL, B)); }
type(T) ::= STRUCT(K) NE.        { T = build_type(p, AST_TYPE_STRUCT, K, NULL); }
type(T) ::= STRUCT(K) LT GT.     { T = build_type(p, AST_TYPE_STRUCT, K, NULL); }
type(T) ::= STRUCT(K) LT fields(F) GT. { T = build_type(p, AST_TYPE_STRUCT, K, F); }

%type fields {AstList *}
fields(L) ::= name(N) type(T).                { L = build_field(p, NULL, N, T); }
fields(L) ::= fields(K) COMMA name(N) type(T). { L = build_field(p, K, N, T); }

/* VARCHAR(10), VARCHAR(STRING): read and forgotten */
type_parameters ::= type_parameter.
type_parameters ::= type_parameters COMMA type_parameter.
type_parameter ::= INTEGER.
type_parameter ::= STRING_TYPE.
