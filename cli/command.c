/* command.c - see command.h. */
#include "cli/command.h"

#include <assert.h>
#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/io_input.h"
#include "base/io_stdout.h"
#include "base/mem.h"
#include "cli/shell_impl.h"

enum { COMMAND_NAME_SIZE = 32, WATCH_SECONDS = 2, WATCH_SECONDS_MAX = 86400, SQL_SIZE = 1024 };

#define COMMAND(name, other, takes, run, arguments, help) \
    static void run(Shell *shell, const char *argument);
#include "cli/command.def"
#undef COMMAND

static const Command commands[] = {
#define COMMAND(name, other, takes, run, arguments, help) \
    {name, other, takes, run, arguments, help},
#include "cli/command.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

const Command *command_at(uint32_t index) {
    return index < COMMAND_COUNT ? &commands[index] : NULL;
}

bool command_is(const char *line) {
    return *line == '\\' || *line == '.';
}

const Command *command_find(const char *text, size_t size) {
    if (size < 2 || !command_is(text))
        return NULL;
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        const Command *command = &commands[i];
        bool shorter = strlen(command->name) == size - 1 &&
                       strncmp(command->name, text + 1, size - 1) == 0;
        bool other = strlen(command->other) == size - 1 &&
                     strncasecmp(command->other, text + 1, size - 1) == 0;
        if (shorter || other)
            return command;
    }
    return NULL;
}

const char *command_name(const Command *command, char mark) {
    static char name[COMMAND_NAME_SIZE];
    snprintf(name, sizeof name, "%c%s", mark, mark == '.' ? command->other : command->name);
    return name;
}

void command_run(Shell *shell, const char *line) {
    assert(command_is(line));
    char *text = mem_strdup(line);
    size_t size = strcspn(text, " \t\r\n;");
    const Command *command = command_find(text, size);
    char *argument = text + size + strspn(text + size, " \t\r\n;");
    size_t end = strlen(argument);
    while (end > 0 && strchr(" \t\r\n;", argument[end - 1]))
        argument[--end] = '\0';
    if (command)
        command->run(shell, argument);
    else
        fprintf(stderr, "No command %.*s. \\? lists them.\n", (int)size, text);
    mem_free(text);
}

/* -- Lists ------------------------------------------------------------------------------------- */

/* `with` has one %s for the argument. */
static void command_show(Shell *shell, const char *with, const char *without,
                         const char *argument) {
    char sql[SQL_SIZE];
    if (*argument)
        snprintf(sql, sizeof sql, "%s %s;", with, argument);
    else
        snprintf(sql, sizeof sql, "%s", without);
    (void)shell_run(shell, sql);
}

static void command_describe(Shell *shell, const char *argument) {
    command_show(shell, "DESCRIBE", "SHOW STREAMS; SHOW TABLES;", argument);
}

static void command_functions(Shell *shell, const char *argument) {
    command_show(shell, "DESCRIBE FUNCTION", "SHOW FUNCTIONS;", argument);
}

static void command_queries(Shell *shell, const char *argument) {
    command_show(shell, "EXPLAIN", "SHOW QUERIES;", argument);
}

static void command_streams(Shell *shell, const char *argument) {
    command_show(shell, "DESCRIBE", "SHOW STREAMS;", argument);
}

static void command_tables(Shell *shell, const char *argument) {
    command_show(shell, "DESCRIBE", "SHOW TABLES;", argument);
}

static void command_topics(Shell *shell, const char *argument) {
    command_show(shell, "PRINT", "SHOW TOPICS;", argument);
}

static void command_help(Shell *shell, const char *argument) {
    (void)shell;
    (void)argument;
    fputs("A statement ends with ';' and may take several lines. Commands of the shell:\n", stderr);
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        char name[COMMAND_NAME_SIZE * 2];
        snprintf(name, sizeof name, "\\%s %s", commands[i].name, commands[i].arguments);
        fprintf(stderr, "  %-22s .%-10s %s\n", name, commands[i].other, commands[i].help);
    }
    fputs("Tab completes, Ctrl-R searches what was typed before, Ctrl-C ends a query.\n"
          "To begin with:\n"
          "  CREATE STREAM s (id STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');\n"
          "  INSERT INTO s (id, v) VALUES ('a', 1);\n"
          "  CREATE TABLE t AS SELECT id, SUM(v) AS total FROM s GROUP BY id;\n"
          "  SELECT * FROM t WHERE id = 'a';\n", stderr);
}

/* All words of the argument are in the name, in their order. */
static bool statement_fits(const char *name, const char *argument) {
    char word[COMMAND_NAME_SIZE];
    for (const char *at = argument; *at;) {
        size_t size = strcspn(at, " \t");
        snprintf(word, sizeof word, "%.*s", (int)size, at);
        name = strcasestr(name, word);
        if (!name)
            return false;
        name += size < sizeof word ? size : sizeof word - 1;
        at += size + strspn(at + size, " \t");
    }
    return true;
}

static void command_syntax(Shell *shell, const char *argument) {
    WeirStatement statement;
    uint32_t found = 0, last = 0;
    (void)shell;
    for (uint32_t i = 0; weir_statement(i, &statement); i++) {
        if (!statement_fits(statement.name, argument))
            continue;
        found++;
        last = i;
        if (!*argument)
            fprintf(stderr, "  %-24s %s\n", statement.name, statement.help);
        else
            fprintf(stderr, "%s: %s\n  %s\n", statement.name, statement.help, statement.syntax);
    }
    if (found == 0)
        fprintf(stderr, "No statement '%s'. \\h lists them.\n", argument);
    else if (found == 1 && weir_statement(last, &statement))
        fprintf(stderr, "For example:\n  %s\n", statement.example);
}

/* -- Settings of the shell --------------------------------------------------------------------- */

static void command_quit(Shell *shell, const char *argument) {
    (void)argument;
    shell->leave = true;
}

static void command_timing(Shell *shell, const char *argument) {
    (void)argument;
    shell->session->timing = !shell->session->timing;
    fprintf(stderr, "Timing is %s.\n", shell->session->timing ? "on" : "off");
}

static void command_pager(Shell *shell, const char *argument) {
    shell->session->no_pager = strcasecmp(argument, "on") != 0 &&
                               (strcasecmp(argument, "off") == 0 || !shell->session->no_pager);
    fprintf(stderr, "The pager is %s.\n", shell->session->no_pager ? "off" : "on");
}

static void command_expanded(Shell *shell, const char *argument) {
    OutputFormat format = shell->session->format;
    if (strcasecmp(argument, "auto") == 0)
        format = OUTPUT_AUTO;
    else if (strcasecmp(argument, "on") == 0 || (!*argument && format != OUTPUT_EXPANDED))
        format = OUTPUT_EXPANDED;
    else
        format = OUTPUT_TABLE;
    shell->session->format = format;
    fprintf(stderr, "Expanded display is %s.\n", format == OUTPUT_EXPANDED ? "on"
                                                 : format == OUTPUT_AUTO  ? "automatic"
                                                                          : "off");
}

static void command_format(Shell *shell, const char *argument) {
    if (*argument && !output_format_find(argument, &shell->session->format))
        fprintf(stderr, "No format '%s'. There are: %s.\n", argument, output_format_names());
    else
        fprintf(stderr, "Rows are written as %s.\n", output_format_name(shell->session->format));
}

static void command_set(Shell *shell, const char *argument) {
    char sql[SQL_SIZE];
    size_t name = strcspn(argument, " \t");
    const char *value = argument + name + strspn(argument + name, " \t");
    if (!*argument) {
        (void)shell_run(shell, "SHOW VARIABLES;");
        return;
    }
    Buf quoted = {0};
    for (; *value; value++)
        buf_put(&quoted, *value == '\'' ? "''" : value, *value == '\'' ? 2 : 1);
    snprintf(sql, sizeof sql, "DEFINE %.*s = '%s';", (int)name, argument, buf_cstr(&quoted));
    (void)shell_run(shell, sql);
    buf_free(&quoted);
}

/* -- Files ------------------------------------------------------------------------------------- */

/* Sends standard output where the argument says; false: it cannot be, and was said. */
static bool command_send(const char *argument) {
    Err err;
    ErrCode code;
    io_stdout_back();
    if (*argument == '|')
        code = io_stdout_to_command(argument + 1, &err);
    else
        code = io_stdout_to_file(argument, false, &err);
    if (code != ERR_OK)
        output_say("", err.message);
    return code == ERR_OK;
}

static void command_output(Shell *shell, const char *argument) {
    (void)shell;
    if (*argument)
        (void)command_send(argument);
    else
        io_stdout_back();
}

static void command_go(Shell *shell, const char *argument) {
    Buf again = {0};
    buf_text(&again, buf_cstr(&shell->last));
    if (*argument && !command_send(argument)) {
        buf_free(&again);
        return;
    }
    (void)shell_run(shell, buf_cstr(&again));
    if (*argument)
        io_stdout_back();
    buf_free(&again);
}

static void command_read(Shell *shell, const char *argument) {
    if (*argument)
        (void)session_run_file(shell->session, argument);
    else
        fputs("\\i needs the name of a file.\n", stderr);
}

static void command_history(Shell *shell, const char *argument) {
    const char *entry;
    uint32_t count = 0;
    if (*argument && !command_send(argument))
        return;
    while (history_at(shell->history, count))
        count++;
    while (count-- > 0 && (entry = history_at(shell->history, count)) != NULL)
        puts(entry);
    fflush(stdout);
    if (*argument)
        io_stdout_back();
}

/* What the file has; false: it cannot be read, and was said. */
static bool command_load(const char *path, Buf *text) {
    IoInput *input;
    Err err;
    uint32_t got = 1;
    ErrCode code = io_input_open(path, &input, &err);
    while (code == ERR_OK && got > 0) {
        code = io_input_read(input, buf_room(text, 4096), 4096, &got, &err);
        text->size += code == ERR_OK ? got : 0;
    }
    if (code != ERR_OK)
        output_say("", err.message);
    else
        io_input_close(input);
    return code == ERR_OK;
}

/* The statement stands at the prompt, to be changed or run. */
static void command_suggest(Shell *shell, const char *argument) {
    WeirResult *result;
    WeirError error;
    if (weir_suggest(shell->session->weir, argument, NULL, &result, &error) != WEIR_OK) {
        output_say("", error.message);
        return;
    }
    buf_reset(&shell->begin);
    buf_text(&shell->begin, weir_message(result));
    weir_result_free(result);
}

static void command_edit(Shell *shell, const char *argument) {
    const char *editor = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
    char path[] = "/tmp/weir-.......sql", call[SQL_SIZE];
    memset(path + sizeof "/tmp/weir-" - 1, 'X', 6); /* what mkstemps() fills in */
    int fd = *argument ? -1 : mkstemps(path, 4);
    if (!*argument && fd < 0) {
        fputs("Cannot make a file in /tmp.\n", stderr);
        return;
    }
    if (fd >= 0) {
        (void)!write(fd, shell->last.data, shell->last.size);
        close(fd);
    }
    snprintf(call, sizeof call, "%s '%s'", editor && *editor ? editor : "vi",
             *argument ? argument : path);
    buf_reset(&shell->begin);
    if (strchr(argument, '\''))
        fputs("The name of the file has a quote.\n", stderr);
    else if (system(call) != 0)
        fputs("The editor failed.\n", stderr);
    else
        (void)command_load(*argument ? argument : path, &shell->begin);
    if (!*argument)
        unlink(path);
    while (shell->begin.size > 0 && shell->begin.data[shell->begin.size - 1] == '\n')
        shell->begin.size--;
}

/* -- Again and again --------------------------------------------------------------------------- */

static void command_watch(Shell *shell, const char *argument) {
    double seconds = *argument ? strtod(argument, NULL) : WATCH_SECONDS;
    if (!(seconds >= 0.1 && seconds <= WATCH_SECONDS_MAX)) {
        fputs("\\watch takes seconds, from 0.1 to a day.\n", stderr);
        return;
    }
    Buf again = {0};
    buf_text(&again, buf_cstr(&shell->last));
    while (!session_stop && again.size > 0) {
        if (shell_run(shell, buf_cstr(&again)) != 0)
            break;
        (void)poll(NULL, 0, (int)(seconds * 1000));
    }
    if (again.size == 0)
        fputs("There is no statement to repeat yet.\n", stderr);
    buf_free(&again);
}
