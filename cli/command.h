/*
 * command.h - the shell's own commands: \d, \x, \watch and their like, one row of command.def each.
 *
 * Each is written \name or .name, by its short or its other name, on a line of its own.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Shell Shell;

/* What completion offers behind the command. */
typedef enum CommandTakes {
    COMMAND_TAKES_NOTHING,
    COMMAND_TAKES_SOURCE,
    COMMAND_TAKES_FUNCTION,
    COMMAND_TAKES_FILE,
    COMMAND_TAKES_FORMAT,
    COMMAND_TAKES_STATEMENT,
} CommandTakes;

typedef struct Command {
    const char *name, *other;
    CommandTakes takes;
    void (*run)(Shell *shell, const char *argument); /* trimmed; "" none */
    const char *arguments, *help;
} Command;

/* The index-th command; NULL behind the last. */
const Command *command_at(uint32_t index);

/* The command whose word (with its \ or .) is text[0..size); NULL: none. */
const Command *command_find(const char *text, size_t size);

/* As it is written behind '\' (short) or '.' (other name); borrowed until the next call. */
const char *command_name(const Command *command, char mark);

/* Whether the line is a command rather than SQL: its first character is \ or . */
bool command_is(const char *line);

/* Runs the line's command, or says that there is none of this name. */
void command_run(Shell *shell, const char *line);

#endif
