/*
 * shell.c - the interactive shell: lines from libedit, statements to session_run().
 *
 * A statement may take several lines; the prompt of a continued one says what is still open. Ctrl-C
 * at the prompt drops what was typed, during a query it stops the query; Ctrl-D leaves.
 */
#include <errno.h>
#include <histedit.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/session.h"

enum { SHELL_HISTORY_LINES = 1000, SHELL_PATH_SIZE = 4096 };

typedef struct Shell {
    Session *session;
    EditLine *edit;
    History *history;
    HistEvent event;
    Buf statement; /* typed so far */
    char path[SHELL_PATH_SIZE]; /* of the history; empty: none is kept */
    char prompt[16];
} Shell;

static char *shell_prompt(EditLine *edit) {
    void *shell = NULL;
    el_get(edit, EL_CLIENTDATA, &shell);
    return ((Shell *)shell)->prompt;
}

/* $XDG_STATE_HOME/weir/history, ~/.local/state/weir/history; folders are made for this user. */
static void shell_find_history(Shell *shell) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[SHELL_PATH_SIZE - 32];
    if (state && *state)
        snprintf(folder, sizeof folder, "%s", state);
    else if (home && *home)
        snprintf(folder, sizeof folder, "%s/.local/state", home);
    else
        return;
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
    mkdir(folder, 0700);
    snprintf(shell->path, sizeof shell->path, "%s/weir", folder);
    mkdir(shell->path, 0700);
    snprintf(shell->path, sizeof shell->path, "%s/weir/history", folder);
}

static void shell_open(Shell *shell) {
    shell->edit = el_init("weir", stdin, stdout, stderr);
    shell->history = history_init();
    history(shell->history, &shell->event, H_SETSIZE, SHELL_HISTORY_LINES);
    history(shell->history, &shell->event, H_SETUNIQUE, 1);
    el_set(shell->edit, EL_CLIENTDATA, shell);
    el_set(shell->edit, EL_PROMPT, shell_prompt);
    el_set(shell->edit, EL_EDITOR, "emacs");
    el_set(shell->edit, EL_SIGNAL, 0);
    el_set(shell->edit, EL_HIST, history, shell->history);
    el_set(shell->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    shell_find_history(shell);
    if (shell->path[0])
        history(shell->history, &shell->event, H_LOAD, shell->path);
}

static void shell_close(Shell *shell) {
    if (shell->path[0] &&
        history(shell->history, &shell->event, H_SAVE, shell->path) >= 0)
        chmod(shell->path, 0600);
    history_end(shell->history);
    el_end(shell->edit);
    buf_free(&shell->statement);
}

static void shell_set_prompt(Shell *shell) {
    char open = '-';
    if (shell->statement.size == 0)
        snprintf(shell->prompt, sizeof shell->prompt, "weir> ");
    else if (weir_is_complete(buf_cstr(&shell->statement), &open))
        snprintf(shell->prompt, sizeof shell->prompt, "weir> ");
    else
        snprintf(shell->prompt, sizeof shell->prompt, "    %c> ", open);
}

/* Passwords must not be kept; statements without them are. */
static void shell_remember(Shell *shell) {
    const char *text = buf_cstr(&shell->statement);
    if (!strcasestr(text, "password") && !strcasestr(text, "secret"))
        history(shell->history, &shell->event, H_ENTER, text);
}

static bool shell_is_blank(const char *line) {
    return line[strspn(line, " \t\r\n")] == '\0';
}

static const char shell_help[] =
    "A statement ends with ';' and may take several lines. Some to begin with:\n"
    "  CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');\n"
    "  INSERT INTO s (id, v) VALUES ('a', 1);\n"
    "  SELECT * FROM s EMIT CHANGES;                    Ctrl-C ends it\n"
    "  CREATE TABLE t AS SELECT id, SUM(v) AS total FROM s GROUP BY id;\n"
    "  SELECT * FROM t WHERE id = 'a';\n"
    "  COPY s FROM 'rows.ndjson';\n"
    "  SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TOPICS; SHOW FUNCTIONS; DESCRIBE s;\n"
    "Leave with \\q or Ctrl-D.\n";

/* false: the shell is to end. */
static bool shell_line(Shell *shell, const char *line) {
    if (shell->statement.size == 0 && shell_is_blank(line))
        return true;
    if (shell->statement.size == 0 && line[0] == '\\') {
        if (line[1] == 'q')
            return false;
        fputs(shell_help, stderr);
        return true;
    }
    if (shell->statement.size == 0 &&
        (strncasecmp(line, "exit", 4) == 0 || strncasecmp(line, "quit", 4) == 0) &&
        shell_is_blank(line + 4 + strspn(line + 4, ";")))
        return false;
    if (shell->statement.size == 0 && strncasecmp(line, "help", 4) == 0) {
        fputs(shell_help, stderr);
        return true;
    }
    char open;
    buf_text(&shell->statement, line);
    if (!weir_is_complete(buf_cstr(&shell->statement), &open))
        return true;
    shell_remember(shell);
    session_run(shell->session, buf_cstr(&shell->statement));
    buf_reset(&shell->statement);
    return true;
}

int session_shell(Session *session, const char *folder) {
    Shell shell = {.session = session};
    bool going = true;
    shell_open(&shell);
    if (folder)
        fprintf(stderr, "Weir 0.1.0 on %s. \\? for help.\n", folder);
    else
        fprintf(stderr, "Weir 0.1.0 in memory: nothing is kept. `weir DIR` keeps data in a "
                        "folder. \\? for help.\n");
    fprintf(stderr, "New queries read their topics from the beginning "
                    "(auto.offset.reset=earliest).\n");
    while (going) {
        int count = 0;
        session_stop = 0;
        shell_set_prompt(&shell);
        const char *line = el_gets(shell.edit, &count);
        if (!line && (session_stop || errno == EINTR)) {
            buf_reset(&shell.statement);
            fputc('\n', stderr);
            el_reset(shell.edit);
            continue;
        }
        going = line && count > 0 && shell_line(&shell, line);
    }
    shell_close(&shell);
    return 0;
}
