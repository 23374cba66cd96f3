/*
 * shell.c - the interactive shell: lines from libedit, statements to session_run().
 *
 * A statement may take several lines; the prompt of a continued one says what is still open. Ctrl-C
 * at the prompt drops what was typed, during a query it stops the query; Ctrl-D leaves. Prompt and
 * echo go to standard error where that is a terminal, so that standard output has rows only.
 *
 * libedit asks us for each character: we wait for it ourselves, and so see signals as they come.
 */
#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/session.h"

enum { SHELL_HISTORY_LINES = 1000, SHELL_PATH_SIZE = 4096, SHELL_WAIT_MS = 200 };

typedef struct Shell {
    Session *session;
    EditLine *edit;
    History *history;
    HistEvent event;
    Feed feed;
    Buf typed;                  /* since the last complete statement: for the history */
    char path[SHELL_PATH_SIZE]; /* of the history; empty: none is kept */
    char prompt[16];
} Shell;

/* Set by signals that mean the terminal. */
static volatile sig_atomic_t shell_resized, shell_continued;

static void shell_on_signal(int number) {
    if (number == SIGWINCH)
        shell_resized = 1;
    else
        shell_continued = 1;
}

static char *shell_prompt(EditLine *edit) {
    void *shell = NULL;
    el_get(edit, EL_CLIENTDATA, &shell);
    return ((Shell *)shell)->prompt;
}

/* -- Characters -------------------------------------------------------------------------------- */

/* Waits for a byte of the terminal. false: the wait is over without one (a signal). */
static bool shell_wait(EditLine *edit) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        int count = poll(&in, 1, SHELL_WAIT_MS);
        if (session_stop)
            return false;
        if (shell_resized)
            el_resize(edit);
        if (shell_continued) {
            el_set(edit, EL_PREP_TERM, 0); /* libedit believes it is still prepared */
            el_set(edit, EL_PREP_TERM, 1);
            el_set(edit, EL_REFRESH);
        }
        shell_resized = shell_continued = 0;
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
    }
}

/* One character for libedit: 1, or 0 at the end or after a signal. */
static int shell_read(EditLine *edit, wchar_t *character) {
    mbstate_t state;
    memset(&state, 0, sizeof state);
    while (shell_wait(edit)) {
        char byte;
        if (read(STDIN_FILENO, &byte, 1) != 1)
            return 0;
        size_t size = mbrtowc(character, &byte, 1, &state);
        if (size == 0 || size == 1)
            return 1;
        if (size != (size_t)-2) { /* no character: forget it */
            memset(&state, 0, sizeof state);
            continue;
        }
    }
    return 0;
}

/* -- History ----------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/weir/history, ~/.local/state/weir/history; folders are made for this user. */
static void shell_find_history(Shell *shell) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[SHELL_PATH_SIZE - 32];
    int size;
    if (state && *state)
        size = snprintf(folder, sizeof folder, "%s/weir", state);
    else if (home && *home)
        size = snprintf(folder, sizeof folder, "%s/.local/state/weir", home);
    else
        return;
    if (size < 0 || (size_t)size >= sizeof folder)
        return;
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
    mkdir(folder, 0700);
    snprintf(shell->path, sizeof shell->path, "%s/history", folder);
}

static bool shell_is_secret(const char *text) {
    static const char *const words[] = {"password", "passwd", "secret", "credential", "api.key"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

/* What was typed as one line, where that means the same: nothing is quoted over a line end, and no
 * comment ends with one. */
static void shell_join(char *text) {
    if (strstr(text, "--"))
        return;
    char quote = '\0';
    for (char *at = text; *at; at++) {
        if (quote == '\0' && strchr("'\"`", *at))
            quote = *at;
        else if (*at == quote)
            quote = '\0';
        else if (*at == '\n' && quote == '\0')
            *at = ' ';
    }
}

/* Kept at once, so that a shell that is killed forgets nothing; for this user's eyes. */
static void shell_remember(Shell *shell) {
    while (shell->typed.size > 0 && shell->typed.data[shell->typed.size - 1] == '\n')
        shell->typed.size--;
    buf_cstr(&shell->typed);
    char *text = (char *)shell->typed.data;
    if (*text && !shell_is_secret(text)) {
        shell_join(text);
        history(shell->history, &shell->event, H_ENTER, text);
        if (shell->path[0]) {
            mode_t before = umask(077);
            if (history(shell->history, &shell->event, H_SAVE, shell->path) >= 0)
                chmod(shell->path, 0600);
            umask(before);
        }
    }
    buf_reset(&shell->typed);
}

/* -- Opening and closing ----------------------------------------------------------------------- */

static void shell_open(Shell *shell) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = shell_on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    FILE *echo = isatty(STDERR_FILENO) ? stderr : stdout;
    shell->edit = el_init("weir", stdin, echo, stderr);
    shell->history = history_init();
    history(shell->history, &shell->event, H_SETSIZE, SHELL_HISTORY_LINES);
    history(shell->history, &shell->event, H_SETUNIQUE, 1);
    el_set(shell->edit, EL_CLIENTDATA, shell);
    el_set(shell->edit, EL_PROMPT, shell_prompt);
    el_set(shell->edit, EL_EDITOR, "emacs");
    el_set(shell->edit, EL_SIGNAL, 0);
    el_set(shell->edit, EL_HIST, history, shell->history);
    el_set(shell->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(shell->edit, EL_GETCFN, shell_read);
    el_source(shell->edit, NULL); /* ~/.editrc */
    shell_find_history(shell);
    if (shell->path[0])
        history(shell->history, &shell->event, H_LOAD, shell->path);
}

static void shell_close(Shell *shell) {
    history_end(shell->history);
    el_end(shell->edit);
    feed_close(&shell->feed);
    buf_free(&shell->typed);
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void shell_set_prompt(Shell *shell) {
    char open = '-';
    if (feed_is_blank(&shell->feed)) {
        snprintf(shell->prompt, sizeof shell->prompt, "weir> ");
        return;
    }
    (void)weir_is_complete(feed_pending(&shell->feed), &open);
    snprintf(shell->prompt, sizeof shell->prompt, "   %c> ", open);
}

static void shell_drop(Shell *shell) {
    feed_reset(&shell->feed);
    buf_reset(&shell->typed);
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
    "Ctrl-R searches what was typed before. Leave with \\q or Ctrl-D.\n";

/* Whether the line is this word alone, perhaps with a ';'. */
static bool shell_is_word(const char *line, const char *word) {
    size_t size = strlen(word);
    line += strspn(line, " \t");
    return strncasecmp(line, word, size) == 0 &&
           line[size + strspn(line + size, " \t\r\n;")] == '\0';
}

/* Lines that are the shell's own. false: a part of a statement. */
static bool shell_command(const char *line, bool *leave) {
    *leave = shell_is_word(line, "\\q") || shell_is_word(line, "exit") ||
             shell_is_word(line, "quit");
    if (*leave)
        return true;
    bool help = shell_is_word(line, "help") || shell_is_word(line, "\\?") ||
                shell_is_word(line, "\\h") || shell_is_word(line, "?");
    if (help)
        fputs(shell_help, stderr);
    else if (line[strspn(line, " \t")] == '\\')
        fputs("\\q leaves, \\? helps.\n", stderr);
    else
        return false;
    return true;
}

/* Takes a line; true: the shell is to end. */
static bool shell_line(Shell *shell, const char *line) {
    bool leave;
    if (feed_is_blank(&shell->feed)) {
        shell_drop(shell);
        if (shell_command(line, &leave))
            return leave;
    }
    feed_add(&shell->feed, line, strlen(line));
    buf_text(&shell->typed, line);
    bool good = true, ran = false;
    while (good && feed_next(&shell->feed)) {
        if (!ran)
            shell_remember(shell);
        ran = true;
        session_stop = 0;
        good = session_run(shell->session, &shell->feed.script) == 0;
    }
    if (!good)
        shell_drop(shell);
    return session_end != 0;
}

static void shell_banner(const char *folder) {
    if (folder)
        fprintf(stderr, "Weir " WEIR_VERSION " on %s. \\? for help.\n", folder);
    else
        fprintf(stderr, "Weir " WEIR_VERSION " in memory: nothing is kept. `weir DIR` keeps data "
                        "in a folder. \\? for help.\n");
    fprintf(stderr, "New queries read their topics from the beginning "
                    "(auto.offset.reset=earliest).\n");
}

int session_shell(Session *session, const char *folder) {
    Shell shell = {.session = session};
    bool leave = false;
    shell_open(&shell);
    shell_banner(folder);
    while (!leave && !session_end) {
        int count = 0;
        session_stop = shell_continued = 0;
        shell_set_prompt(&shell);
        const char *line = el_gets(shell.edit, &count);
        if (session_stop) {
            fputs("^C\n", stderr);
            shell_drop(&shell);
            el_reset(shell.edit);
        } else if (!line || count <= 0) {
            fputc('\n', stderr);
            leave = true;
        } else {
            leave = shell_line(&shell, line);
        }
    }
    shell_close(&shell);
    return session_end ? 128 + session_end : 0;
}
