/*
 * edit_key.h - bytes of a terminal as keys.
 *
 * The escape sequences of xterm and its many children, the Linux console and bracketed paste.
 * What is not known is read to its end and ignored.
 */
#ifndef CLI_EDIT_KEY_H
#define CLI_EDIT_KEY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum KeyKind {
    KEY_NONE,
    KEY_TEXT,    /* `bytes`: one character */
    KEY_CONTROL, /* `letter`: 'A' for Ctrl-A */
    KEY_ALT,     /* `letter`, as typed */
    KEY_ENTER,
    KEY_TAB,
    KEY_BACK_TAB,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_ESCAPE,
    KEY_PASTE,   /* what follows until KEY_PASTED was not typed */
    KEY_PASTED,
    KEY_SIGNAL,  /* one came: look at the flags */
    KEY_CLOSED,  /* the terminal has gone */
} KeyKind;

typedef struct Key {
    KeyKind kind;
    char letter;
    uint8_t bytes[4];
    uint8_t size;
} Key;

enum { KEYS_BYTES = 4096 };

/* Bytes that were read and not yet used. */
typedef struct Keys {
    int fd;
    bool (*is_over)(void *context); /* asked while no key comes; true: the terminal is closed */
    void *context;
    uint8_t bytes[KEYS_BYTES];
    uint32_t next, count;
} Keys;

/* Waits for a key. */
Key keys_next(Keys *keys);

/* Whether more is there already: then there is no need to draw. */
bool keys_waiting(const Keys *keys);

#endif
