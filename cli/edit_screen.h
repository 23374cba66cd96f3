/*
 * edit_screen.h - what is typed, on the terminal: prompts, colours, wrapped rows, the cursor.
 *
 * A drawing replaces the one before it, and is one write. Text that has more rows than the screen
 * is shown around the cursor. Control characters in the text are shown as ^X and never sent.
 */
#ifndef CLI_EDIT_SCREEN_H
#define CLI_EDIT_SCREEN_H

#include <stdbool.h>

#include "base/buf.h"

typedef enum EditStyle {
    STYLE_PLAIN,
    STYLE_KEYWORD,
    STYLE_FUNCTION,
    STYLE_STRING,
    STYLE_NUMBER,
    STYLE_COMMENT,
    STYLE_VARIABLE,
    STYLE_MATCH, /* the bracket that belongs to the one at the cursor */
    STYLE_BAD,
    STYLE_HINT,
    STYLE_PROMPT,
    STYLE_COUNT,
} EditStyle;

typedef struct EditView {
    const char *text;
    size_t size, cursor;   /* bytes */
    const uint8_t *styles; /* an EditStyle for each byte */
    const char *opens;     /* for each line behind the first: what is open at its begin */
    const char *prompt;    /* in front of the first line */
    const char *hint;      /* behind the text, if the cursor is there; "" none */
} EditView;

typedef struct EditScreen {
    int fd;
    bool colours;
    uint32_t width, height;
    uint32_t cursor_row; /* of the last drawing, from its first row */
    Buf out;
} EditScreen;

/* Asks the terminal for its size. */
void edit_screen_measure(EditScreen *screen);

/* `last`: the drawing that stays; the cursor goes below it. */
void edit_screen_draw(EditScreen *screen, const EditView *view, bool last);

/* Takes the drawing away, for text that goes above the next one. */
void edit_screen_clear(EditScreen *screen);

void edit_screen_write(EditScreen *screen, const char *text);
void edit_screen_free(EditScreen *screen);

#endif
