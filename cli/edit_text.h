/*
 * edit_text.h - the text that is being typed: a cursor, motions, kills and undo.
 *
 * Bytes are UTF-8 and the cursor stands between characters: a character is a code point with the
 * marks of no width that follow it. Lines are cut by '\n'.
 */
#ifndef CLI_EDIT_TEXT_H
#define CLI_EDIT_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

enum { EDIT_UNDO_MAX = 100 };

typedef struct EditUndo {
    char *text;
    size_t cursor;
} EditUndo;

typedef struct EditText {
    Buf bytes;
    size_t cursor; /* bytes */
    Buf killed;    /* what Ctrl-Y brings back */
    EditUndo undo[EDIT_UNDO_MAX];
    uint32_t undo_count;
    bool typing; /* the last change was a typed character: they are undone together */
} EditText;

void edit_text_free(EditText *text);

/* Another text, cursor at its end; the undo of the old one is forgotten. */
void edit_text_set(EditText *text, const char *value);
const char *edit_text_cstr(EditText *text);

void edit_text_type(EditText *text, const void *bytes, size_t size); /* undone as one run */
void edit_text_paste(EditText *text, const void *bytes, size_t size);

/* Replaces [from, cursor). */
void edit_text_replace(EditText *text, size_t from, const char *with);

/* Offsets of the characters, words and lines around `at`. */
size_t edit_text_before(const EditText *text, size_t at);
size_t edit_text_after(const EditText *text, size_t at);
size_t edit_text_word_before(const EditText *text, size_t at);
size_t edit_text_word_after(const EditText *text, size_t at);
size_t edit_text_line_begin(const EditText *text, size_t at);
size_t edit_text_line_end(const EditText *text, size_t at);

/* One line up or down, in the same place of the line as far as there is one; false: there is no
 * such line. */
bool edit_text_up(EditText *text);
bool edit_text_down(EditText *text);

/* Removes what is between the cursor and `to`; with `kill` it can be brought back. */
void edit_text_remove(EditText *text, size_t to, bool kill);
void edit_text_yank(EditText *text);
void edit_text_swap(EditText *text); /* the characters around the cursor */
void edit_text_undo(EditText *text);

#endif
