/*
 * parse_roundtrip.c - parses, prints and parses again every statement of conformance cases.
 *
 * usage: parse_roundtrip CASES.ndjson...
 *
 * Both trees must be equal, and both printed texts too. A case's last statement may fail to parse
 * if the case must be refused; these are listed with -v. The last line is PROVED or FAILED why.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/ast_print.h"
#include "grammar/parse.h"

typedef struct Tally {
    unsigned cases, statements, refused, failed;
    bool verbose;
} Tally;

static void complain(Tally *tally, const char *id, const char *what, const char *text) {
    tally->failed++;
    printf("%s: %s\n  %s\n", id, what, text);
}

/* Prints `statement`, parses that, prints again. */
static void check_statement(Tally *tally, const char *id, const AstStatement *statement,
                            Arena *arena) {
    Buf first = {0};
    Buf second = {0};
    Err err;
    ast_print_statement(&first, statement);
    Parser parser = {.script = buf_view(&first), .last_may_lack_semicolon = true};
    const AstStatement *again = NULL;
    if (parse_next(&parser, arena, &again, &err) != ERR_OK) {
        complain(tally, id, "the printed text does not parse", err.message);
    } else {
        ast_print_statement(&second, again);
        if (!ast_equal_statement(statement, again))
            complain(tally, id, "the trees differ", buf_cstr(&first));
        else if (!bytes_equal(buf_view(&first), buf_view(&second)))
            complain(tally, id, "the texts differ", buf_cstr(&second));
    }
    buf_free(&first);
    buf_free(&second);
}

static void check_text(Tally *tally, const char *id, const char *text, bool may_fail) {
    Arena *statement_arena = arena_new("statement", 0);
    Parser parser = {.script = bytes_of(text)};
    Err err;
    for (;;) {
        const AstStatement *statement = NULL;
        ErrCode code = parse_next(&parser, statement_arena, &statement, &err);
        if (code == ERR_OK && !statement)
            break;
        tally->statements++;
        if (code == ERR_OK) {
            check_statement(tally, id, statement, statement_arena);
            if (tally->verbose) {
                Buf out = {0};
                ast_print_statement(&out, statement);
                printf("%s: %s;\n", id, buf_cstr(&out));
                buf_free(&out);
            }
        } else if (may_fail) {
            tally->refused++;
            if (tally->verbose)
                printf("%s: refused: %s\n", id, err.message);
        } else {
            complain(tally, id, "does not parse", err.message);
        }
    }
    arena_free(statement_arena);
}

static void check_case(Tally *tally, const json_t *root) {
    const char *id = json_string_value(json_object_get(root, "id"));
    const json_t *statements = json_object_get(root, "statements");
    bool refused = json_object_get(root, "error") != NULL;
    size_t count = json_array_size(statements);
    tally->cases++;
    for (size_t i = 0; i < count; i++)
        check_text(tally, id, json_string_value(json_array_get(statements, i)),
                   refused && i + 1 == count);
}

static bool check_file(Tally *tally, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    json_t *root;
    while ((root = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        check_case(tally, root);
        json_decref(root);
    }
    bool ended = feof(file) != 0;
    fclose(file);
    return ended;
}

int main(int argc, char **argv) {
    Tally tally = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            tally.verbose = true;
        } else if (!check_file(&tally, argv[i])) {
            printf("FAILED %s cannot be read\n", argv[i]);
            return 1;
        }
    }
    printf("%u cases, %u statements, %u refused as they should be, %u failures\n", tally.cases,
           tally.statements, tally.refused, tally.failed);
    if (tally.failed == 0 && tally.statements > 0)
        puts("PROVED");
    else
        printf("FAILED %u of %u statements\n", tally.failed, tally.statements);
    return tally.failed > 0 || tally.statements == 0;
}
