/*
 * edit.h - the shell's own editor: a whole statement over several lines, with history, search,
 * completion, colours and hints.
 *
 * Keys are those of emacs and readline, arrows and their like. Enter ends the text where it is
 * complete and adds a line where it is not; Alt-Enter always adds one. What is pasted is text and
 * ends nothing. Without a capable terminal (TERM=dumb) lines are read as they come.
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "base/arena.h"
#include "cli/history.h"

/* Words that may stand at the cursor instead of [from, cursor). */
typedef struct EditChoices {
    size_t from;
    const char **words; /* sorted, in the arena */
    const char **notes; /* what each is, shown in lists; NULL where nothing is to be said */
    size_t count, capacity, note_capacity;
    Arena *arena;
} EditChoices;

/* Adds a word; word and note are copied. note may be NULL. */
void edit_choices_add(EditChoices *choices, const char *word, const char *note);

typedef struct EditOptions {
    const char *prompt;
    bool colours;
    History *history;
    void *context;
    /* Whether Enter ends this text. */
    bool (*is_complete)(void *context, const char *text);
    /* Fills styles[0..size) and, for each '\n', opens[]: what is open behind it. */
    void (*colour)(void *context, const char *text, size_t size, uint8_t *styles, char *opens);
    void (*complete)(void *context, const char *text, size_t cursor, EditChoices *choices);
    /* Asked some times a second while nobody types; true: reading ends. NULL: never. */
    bool (*is_over)(void *context);
} EditOptions;

typedef enum EditEnd {
    EDIT_TEXT,        /* a text is there */
    EDIT_INTERRUPTED, /* Ctrl-C */
    EDIT_CLOSED,      /* Ctrl-D, or the terminal has gone */
} EditEnd;

typedef struct Edit Edit;

/* Reads from `in`, draws on `out`. The options' strings must live as long as the editor. */
Edit *edit_open(int in, int out, const EditOptions *options);
void edit_close(Edit *edit);

/* Whether colours and cursor motions are used on this terminal. */
bool edit_is_capable(const Edit *edit);

/* Reads a text; *text is borrowed until the next call. `begin`: what is there already. */
EditEnd edit_read(Edit *edit, const char *begin, const char **text);

#endif
