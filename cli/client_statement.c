/* client_statement.c - see client_statement.h. */
#include "cli/client_statement.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/io_stdout.h"

enum { SCRIPT_DEPTH_MAX = 16, PATH_SIZE = 4096 };

typedef struct Pieces {
    const char *sql;
    size_t size, next;
} Pieces;

/* The next piece that is neither blank nor comment; false: there is none. */
static bool pieces_next(Pieces *pieces, WeirToken *token, const char **text, size_t *size) {
    do {
        *text = pieces->sql + pieces->next;
        if (!weir_token(pieces->sql, pieces->size, pieces->next, token))
            return false;
        *size = token->end - pieces->next;
        pieces->next = token->end;
    } while (token->kind == WEIR_TOKEN_BLANK || token->kind == WEIR_TOKEN_COMMENT);
    return true;
}

static bool pieces_word(Pieces *pieces, const char *word) {
    WeirToken token;
    const char *text;
    size_t size;
    return pieces_next(pieces, &token, &text, &size) && size == strlen(word) &&
           strncasecmp(text, word, size) == 0;
}

/* A quoted text without its quotes, or a word. */
static bool pieces_text(Pieces *pieces, char target[PATH_SIZE]) {
    WeirToken token;
    const char *text;
    size_t size, out = 0;
    if (!pieces_next(pieces, &token, &text, &size) || size >= PATH_SIZE || token.open)
        return false;
    bool quoted = token.kind == WEIR_TOKEN_STRING;
    for (size_t i = quoted; i < size - quoted; i++) {
        target[out++] = text[i];
        i += quoted && text[i] == '\'';
    }
    target[out] = '\0';
    return out > 0 && token.kind != WEIR_TOKEN_SYMBOL;
}

/* The ';', which may be missing at the end of the text. */
static bool pieces_end(Pieces *pieces) {
    WeirToken token;
    const char *text;
    size_t size;
    return !pieces_next(pieces, &token, &text, &size) || *text == ';';
}

static int client_run_script(Session *session, const char *path) {
    if (session->depth == SCRIPT_DEPTH_MAX) {
        fprintf(stderr, "error (limit): scripts run scripts, %d deep\n", SCRIPT_DEPTH_MAX);
        return 1;
    }
    const char *file = session->file;
    session->depth++;
    int status = session_run_file(session, path);
    session->depth--;
    session->file = file;
    return status;
}

/* Rows to the screen and into the file. */
static int client_spool(const char *path) {
    Err err;
    Buf command = {0};
    io_stdout_back();
    if (strcasecmp(path, "OFF") == 0)
        return 0;
    buf_text(&command, "exec tee -- '");
    for (const char *at = path; *at; at++)
        buf_put(&command, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
    buf_text(&command, "'");
    ErrCode code = io_stdout_to_command(buf_cstr(&command), &err);
    buf_free(&command);
    if (code != ERR_OK)
        output_say("", err.message);
    return code == ERR_OK ? 0 : 1;
}

static void script_pass(WeirScript *script, size_t end) {
    for (; script->next < end; script->next++) {
        bool line_ends = script->sql[script->next] == '\n';
        script->line += line_ends;
        script->column = line_ends ? 1 : script->column + 1;
    }
    script->executed++;
}

bool client_statement(Session *session, WeirScript *script, int *status) {
    char path[PATH_SIZE];
    size_t size = script->size > 0 ? script->size : strlen(script->sql);
    Pieces run = {script->sql, size, script->next}, spool = run;
    bool runs = pieces_word(&run, "RUN") && pieces_word(&run, "SCRIPT");
    bool spools = !runs && pieces_word(&spool, "SPOOL");
    Pieces *rest = runs ? &run : &spool;
    if ((!runs && !spools) || !pieces_text(rest, path) || !pieces_end(rest))
        return false;
    script_pass(script, rest->next);
    *status = runs ? client_run_script(session, path) : client_spool(path);
    return true;
}

/* Whether the word stands before the end of the statement. */
static bool pieces_has(Pieces *pieces, const char *word) {
    WeirToken token;
    const char *text;
    size_t size;
    while (pieces_next(pieces, &token, &text, &size) && *text != ';')
        if (size == strlen(word) && strncasecmp(text, word, size) == 0)
            return true;
    return false;
}

bool client_looks_once(const WeirScript *script) {
    const char *sql = script->sql + script->next;
    const Pieces begin = {.sql = sql, .size = script->size ? script->size - script->next
                                                           : strlen(sql)};
    Pieces explain = begin, copy = begin, select = begin;
    return (pieces_word(&explain, "EXPLAIN") && pieces_word(&explain, "ANALYZE")) ||
           (pieces_word(&copy, "COPY") && pieces_has(&copy, "TO")) ||
           (pieces_word(&select, "SELECT") && !pieces_has(&select, "EMIT"));
}
