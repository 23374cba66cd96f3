/* edit_key.c - see edit_key.h. */
#include "cli/edit_key.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/session.h"

enum { ESCAPE_WAIT_MS = 50, SIGNAL_LOOK_MS = 100, SEQUENCE_SIZE_MAX = 16 };
enum { ESCAPE = 27, RUBOUT = 127 };

bool keys_waiting(const Keys *keys) {
    struct pollfd in = {.fd = keys->fd, .events = POLLIN};
    return keys->next < keys->count || poll(&in, 1, 0) > 0;
}

/* As poll(). A signal may come just before the wait, or to another thread: it is looked for. */
static int keys_wait(const Keys *keys, int timeout_ms) {
    struct pollfd in = {.fd = keys->fd, .events = POLLIN};
    int ready = poll(&in, 1, timeout_ms < 0 ? SIGNAL_LOOK_MS : timeout_ms);
    while (ready == 0 && timeout_ms < 0 && !session_stop) {
        if (keys->is_over && keys->is_over(keys->context))
            return errno = 0, -1;
        ready = poll(&in, 1, SIGNAL_LOOK_MS);
    }
    return ready;
}

/* The next byte; -1: none within the time (-1: no limit), -2: a signal, -3: the end. */
static int keys_byte(Keys *keys, int timeout_ms) {
    if (keys->next < keys->count)
        return keys->bytes[keys->next++];
    int ready = keys_wait(keys, timeout_ms);
    if (ready == 0)
        return timeout_ms < 0 ? -2 : -1;
    if (ready < 0)
        return errno == EINTR ? -2 : -3;
    ssize_t got = read(keys->fd, keys->bytes, sizeof keys->bytes);
    if (got < 0 && errno == EINTR)
        return -2;
    if (got <= 0)
        return -3;
    keys->next = 1;
    keys->count = (uint32_t)got;
    return keys->bytes[0];
}

static Key key_of(KeyKind kind) {
    return (Key){.kind = kind};
}

/* ESC [ number ~ */
static KeyKind key_of_number(int number) {
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 3:
        return KEY_DELETE;
    case 4:
    case 8:
        return KEY_END;
    case 5:
        return KEY_PAGE_UP;
    case 6:
        return KEY_PAGE_DOWN;
    case 200:
        return KEY_PASTE;
    case 201:
        return KEY_PASTED;
    default:
        return KEY_NONE;
    }
}

/* ESC [ letter, ESC O letter; `word`: with Ctrl or Alt. */
static KeyKind key_of_letter(char letter, bool word) {
    switch (letter) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return word ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D':
        return word ? KEY_WORD_LEFT : KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case 'Z':
        return KEY_BACK_TAB;
    default:
        return KEY_NONE;
    }
}

/* Behind ESC [ or ESC O: numbers cut by ';', then a letter or '~'. */
static Key keys_sequence(Keys *keys) {
    int numbers[2] = {0, 0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < SEQUENCE_SIZE_MAX; i++) {
        int byte = keys_byte(keys, ESCAPE_WAIT_MS);
        if (byte < 0)
            return key_of(KEY_ESCAPE);
        if (byte >= '0' && byte <= '9' && numbers[at] < 1000)
            numbers[at] = numbers[at] * 10 + byte - '0';
        else if (byte == ';')
            at = 1;
        else if (byte == '~')
            return key_of(key_of_number(numbers[0]));
        else if (byte >= 0x40)
            return key_of(key_of_letter((char)byte, numbers[1] >= 3));
    }
    return key_of(KEY_NONE);
}

static Key keys_escape(Keys *keys) {
    int byte = keys_byte(keys, ESCAPE_WAIT_MS);
    if (byte < 0)
        return key_of(KEY_ESCAPE);
    if (byte == '[' || byte == 'O')
        return keys_sequence(keys);
    if (byte == ESCAPE)
        return key_of(KEY_ESCAPE);
    return (Key){.kind = KEY_ALT, .letter = (char)byte};
}

/* A character of several bytes; one that is broken is left out. */
static Key keys_character(Keys *keys, uint8_t first) {
    Key key = {.kind = KEY_TEXT, .bytes = {first}, .size = 1};
    uint32_t wanted = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    while (key.size < wanted) {
        int byte = keys_byte(keys, ESCAPE_WAIT_MS);
        if (byte < 0)
            return key_of(KEY_NONE);
        key.bytes[key.size++] = (uint8_t)byte;
    }
    return utf8_valid((Bytes){key.bytes, key.size}) ? key : key_of(KEY_NONE);
}

Key keys_next(Keys *keys) {
    int byte = keys_byte(keys, -1);
    if (byte < 0)
        return key_of(byte == -3 ? KEY_CLOSED : KEY_SIGNAL);
    if (byte == '\r' || byte == '\n')
        return key_of(KEY_ENTER);
    if (byte == '\t')
        return key_of(KEY_TAB);
    if (byte == RUBOUT || byte == '\b')
        return key_of(KEY_BACKSPACE);
    if (byte == ESCAPE)
        return keys_escape(keys);
    if (byte < 0x20)
        return (Key){.kind = KEY_CONTROL, .letter = (char)(byte + '@')};
    return keys_character(keys, (uint8_t)byte);
}
