/*
 * shell.c - the interactive shell: texts from the editor, statements to session_run().
 *
 * Ctrl-C at the prompt drops what was typed, during a query it stops the query; Ctrl-D leaves.
 * Prompt and echo go to standard error where that is a terminal, so that standard output has rows
 * only. What stands in the start file ($XDG_CONFIG_HOME/weir/shellrc) runs first.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io_stdout.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/shell_impl.h"

enum { SHELL_PATH_SIZE = 4096 };

/* Set by signals that mean the terminal; the handler only ends a wait. */
static void shell_on_signal(int number) {
    (void)number;
}

/* -- What the editor asks ---------------------------------------------------------------------- */

/* Words that need no ';'. */
static bool shell_is_word(const char *line, const char *word) {
    size_t size = strlen(word);
    line += strspn(line, " \t");
    return strncasecmp(line, word, size) == 0 &&
           line[size + strspn(line + size, " \t\r\n;")] == '\0';
}

static bool shell_is_leave(const char *text) {
    return shell_is_word(text, "exit") || shell_is_word(text, "quit");
}

static bool shell_is_complete(void *context, const char *text) {
    (void)context;
    char open;
    return text[strspn(text, " \t\r\n")] == '\0' || command_is(text) || shell_is_leave(text) ||
           shell_is_word(text, "help") || shell_is_word(text, "?") ||
           weir_is_complete(text, &open);
}

static void shell_colour(void *context, const char *text, size_t size, uint8_t *styles,
                         char *opens) {
    (void)context;
    if (!command_is(text))
        colour_sql(text, size, styles, opens);
}

static void shell_complete(void *context, const char *text, size_t cursor, EditChoices *choices) {
    const Shell *shell = context;
    complete_sql(shell->session->weir, text, cursor, choices);
}

/* A newer process may take the service while nobody types. */
static bool shell_is_over(void *context) {
    const Shell *shell = context;
    WeirError error;
    return weir_state(shell->session->weir, &error) != WEIR_OK;
}

/* -- Opening and closing ----------------------------------------------------------------------- */

static void shell_open(Shell *shell) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = shell_on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    int echo = isatty(STDERR_FILENO) ? STDERR_FILENO : STDOUT_FILENO;
    shell->history = history_open();
    EditOptions options = {.prompt = shell->prompt,
                           .colours = colour_is_wanted(shell->session->colour, echo),
                           .history = shell->history,
                           .context = shell,
                           .is_complete = shell_is_complete,
                           .colour = shell_colour,
                           .complete = shell_complete,
                           .is_over = shell_is_over};
    snprintf(shell->prompt, sizeof shell->prompt, "weir> ");
    shell->edit = edit_open(STDIN_FILENO, echo, &options);
}

static void shell_close(Shell *shell) {
    io_stdout_back();
    edit_close(shell->edit);
    history_close(shell->history);
    buf_free(&shell->last);
    buf_free(&shell->begin);
}

/* -- Texts ------------------------------------------------------------------------------------- */

int shell_run(Shell *shell, const char *sql) {
    WeirScript script = {.sql = sql};
    return session_run(shell->session, &script);
}

static void shell_text(Shell *shell, const char *text) {
    if (text[strspn(text, " \t\r\n")] == '\0')
        return;
    history_add(shell->history, text);
    if (shell_is_leave(text)) {
        shell->leave = true;
    } else if (shell_is_word(text, "help") || shell_is_word(text, "?")) {
        command_run(shell, "\\?");
    } else if (command_is(text)) {
        command_run(shell, text);
    } else {
        buf_reset(&shell->last);
        buf_text(&shell->last, text);
        (void)shell_run(shell, buf_cstr(&shell->last));
    }
}

static void shell_start_file(Shell *shell) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char path[SHELL_PATH_SIZE];
    struct stat facts;
    if (config && *config)
        snprintf(path, sizeof path, "%s/weir/shellrc", config);
    else
        snprintf(path, sizeof path, "%s/.config/weir/shellrc", home ? home : "");
    if (!shell->session->no_start_file && stat(path, &facts) == 0)
        (void)session_run_file(shell->session, path);
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

/* A newer process has the service: there is nothing left to do here. */
static bool shell_is_fenced(const Session *session) {
    WeirError error;
    if (weir_state(session->weir, &error) == WEIR_OK || strcmp(error.code, "fenced") != 0)
        return false;
    if (!session->said_fenced)
        output_say("weir: fenced: ", error.message);
    return true;
}

int session_shell(Session *session, const char *folder) {
    Shell shell = {.session = session};
    bool fenced = false;
    shell_open(&shell);
    shell_banner(folder);
    shell_start_file(&shell);
    while (!(fenced = shell_is_fenced(session)) && !shell.leave && !session_end) {
        const char *text;
        session_stop = 0;
        EditEnd end = edit_read(shell.edit, buf_cstr(&shell.begin), &text);
        buf_reset(&shell.begin);
        if (end == EDIT_CLOSED)
            shell.leave = true;
        else if (end == EDIT_INTERRUPTED)
            session_stop = 0;
        else
            shell_text(&shell, text);
    }
    shell_close(&shell);
    if (fenced)
        return SESSION_EXIT_FENCED;
    return session_end ? 128 + session_end : 0;
}
