/*
 * edit.c - see edit.h: one key after the other, each an action on the text.
 *
 * The terminal is raw only while edit_read() runs, so that whatever else writes to it finds it as
 * the user left it. Signals that mean the shell are seen between keys.
 */
#include "cli/edit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/edit_key.h"
#include "cli/edit_screen.h"
#include "cli/edit_text.h"
#include "cli/session.h"

enum { EDIT_CHOICES_SHOWN_MAX = 200, EDIT_PROMPT_SIZE = 256 };

struct Edit {
    EditOptions options;
    bool capable;
    bool raw;
    struct termios before;
    Keys keys;
    EditScreen screen;
    EditText text;
    uint32_t back;       /* entry of the history that is shown; UINT32_MAX: none */
    char *draft;         /* what was typed before the history was entered */
    Buf styles, opens;
    bool searching, pasting;
    bool list_next;      /* the last key was a Tab that changed nothing: the next one lists */
    Buf query;           /* of the search */
    bool missed;         /* nothing has the query in it */
    bool ended;
    EditEnd end;
};

/* -- The terminal ------------------------------------------------------------------------------ */

static void edit_raw(Edit *edit) {
    if (edit->raw || tcgetattr(edit->keys.fd, &edit->before) != 0)
        return;
    struct termios raw = edit->before;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(edit->keys.fd, TCSADRAIN, &raw);
    edit_screen_write(&edit->screen, "\x1b[?2004h");
    edit->raw = true;
}

static void edit_cooked(Edit *edit) {
    if (!edit->raw)
        return;
    edit_screen_write(&edit->screen, "\x1b[?2004l");
    tcsetattr(edit->keys.fd, TCSADRAIN, &edit->before);
    edit->raw = false;
}

static void edit_suspend(Edit *edit) {
    edit_screen_clear(&edit->screen);
    edit_cooked(edit);
    raise(SIGTSTP);
    edit_raw(edit);
    edit_screen_measure(&edit->screen);
}

Edit *edit_open(int in, int out, const EditOptions *options) {
    const char *term = getenv("TERM");
    Edit *edit = mem_alloc(sizeof *edit);
    edit->options = *options;
    edit->capable = isatty(in) && isatty(out) && term && *term && strcmp(term, "dumb") != 0;
    edit->keys.fd = in;
    edit->keys.is_over = options->is_over;
    edit->keys.context = options->context;
    edit->screen.fd = out;
    edit->screen.colours = options->colours;
    return edit;
}

void edit_close(Edit *edit) {
    edit_cooked(edit);
    edit_text_free(&edit->text);
    edit_screen_free(&edit->screen);
    buf_free(&edit->styles);
    buf_free(&edit->opens);
    buf_free(&edit->query);
    mem_free(edit->draft);
    mem_free(edit);
}

bool edit_is_capable(const Edit *edit) {
    return edit->capable;
}

/* -- Drawing ----------------------------------------------------------------------------------- */

static void edit_colour(Edit *edit, const char *text, size_t size) {
    memset(buf_room(&edit->styles, size + 1), STYLE_PLAIN, size + 1);
    memset(buf_room(&edit->opens, size + 1), '-', size + 1);
    edit->options.colour(edit->options.context, text, size, edit->styles.data,
                         (char *)edit->opens.data);
}

/* The bracket at the cursor and its other half. */
static void edit_match(Edit *edit, const char *text, size_t size) {
    static const char begins[] = "([", ends[] = ")]";
    size_t at = edit->text.cursor;
    const char *end = at > 0 ? strchr(ends, text[at - 1]) : NULL;
    if (!end || !text[at - 1] || edit->styles.data[at - 1] != STYLE_PLAIN || size == 0)
        return;
    int depth = 0;
    for (size_t i = at; i-- > 0;) {
        if (edit->styles.data[i] != STYLE_PLAIN)
            continue;
        depth += (text[i] == *end) - (text[i] == begins[end - ends]);
        if (depth == 0) {
            edit->styles.data[i] = edit->styles.data[at - 1] = STYLE_MATCH;
            return;
        }
    }
    edit->styles.data[at - 1] = STYLE_BAD;
}

static const char *edit_hint(const Edit *edit, const char *text) {
    if (edit->searching || edit->ended || !edit->options.history || !*text)
        return "";
    return history_rest(edit->options.history, text);
}

static void edit_draw(Edit *edit) {
    const char *text = edit_text_cstr(&edit->text);
    size_t size = edit->text.bytes.size;
    char prompt[EDIT_PROMPT_SIZE];
    const char *query = buf_cstr(&edit->query);
    snprintf(prompt, sizeof prompt, "(%s`%.*s') ", edit->missed ? "nothing has " : "search ",
             EDIT_PROMPT_SIZE / 2, query);
    edit_colour(edit, text, size);
    if (!edit->ended)
        edit_match(edit, text, size);
    EditView view = {.text = text, .size = size, .cursor = edit->text.cursor,
                     .styles = edit->styles.data, .opens = (const char *)edit->opens.data,
                     .prompt = edit->searching ? prompt : edit->options.prompt,
                     .hint = edit_hint(edit, text)};
    edit_screen_draw(&edit->screen, &view, edit->ended);
}

/* -- History ----------------------------------------------------------------------------------- */

static void edit_show_entry(Edit *edit, uint32_t back) {
    const char *entry = back == UINT32_MAX ? edit->draft : history_at(edit->options.history, back);
    if (!entry)
        return;
    edit->back = back;
    edit_text_set(&edit->text, entry);
}

static void edit_older(Edit *edit) {
    if (edit->back == UINT32_MAX) {
        mem_free(edit->draft);
        edit->draft = mem_strdup(edit_text_cstr(&edit->text));
    }
    edit_show_entry(edit, edit->back + 1); /* UINT32_MAX + 1: the newest */
}

static void edit_newer(Edit *edit) {
    if (edit->back != UINT32_MAX)
        edit_show_entry(edit, edit->back == 0 ? UINT32_MAX : edit->back - 1);
}

/* -- Search ------------------------------------------------------------------------------------ */

static void edit_search_on(Edit *edit, uint32_t back) {
    uint32_t found = history_search(edit->options.history, buf_cstr(&edit->query), back);
    edit->missed = found == UINT32_MAX;
    if (!edit->missed) {
        edit->back = found;
        edit_text_set(&edit->text, history_at(edit->options.history, found));
    }
}

static void edit_search_begin(Edit *edit) {
    mem_free(edit->draft);
    edit->draft = mem_strdup(edit_text_cstr(&edit->text));
    edit->searching = true;
    edit->missed = false;
    buf_reset(&edit->query);
}

static void edit_search_end(Edit *edit, bool taken) {
    edit->searching = false;
    buf_reset(&edit->query);
    if (!taken)
        edit_show_entry(edit, UINT32_MAX);
}

/* false: the key ends the search and is still to be done. */
static bool edit_search_key(Edit *edit, const Key *key) {
    if (key->kind == KEY_TEXT) {
        buf_put(&edit->query, key->bytes, key->size);
        edit_search_on(edit, edit->back == UINT32_MAX ? 0 : edit->back);
    } else if (key->kind == KEY_BACKSPACE) {
        while (edit->query.size > 0 && (edit->query.data[--edit->query.size] & 0xC0) == 0x80)
            ;
        edit_search_on(edit, 0);
    } else if (key->kind == KEY_CONTROL && key->letter == 'R') {
        edit_search_on(edit, edit->back == UINT32_MAX ? 0 : edit->back + 1);
    } else if (key->kind == KEY_CONTROL && (key->letter == 'G' || key->letter == 'C')) {
        edit_search_end(edit, false);
    } else {
        edit_search_end(edit, true);
        return key->kind == KEY_ESCAPE;
    }
    return true;
}

/* -- Completion -------------------------------------------------------------------------------- */

void edit_choices_add(EditChoices *choices, const char *word, const char *note) {
    choices->words = arena_grow(choices->arena, choices->words, &choices->capacity,
                                choices->count + 1, sizeof *choices->words);
    choices->notes = arena_grow(choices->arena, choices->notes, &choices->note_capacity,
                                choices->count + 1, sizeof *choices->notes);
    choices->words[choices->count] = arena_text(choices->arena, bytes_of(word));
    choices->notes[choices->count] = note ? arena_text(choices->arena, bytes_of(note)) : NULL;
    choices->count++;
}

static size_t common_size(const EditChoices *choices) {
    size_t size = strlen(choices->words[0]);
    for (size_t i = 1; i < choices->count; i++) {
        size_t same = 0;
        while (same < size && choices->words[i][same] == choices->words[0][same])
            same++;
        size = same;
    }
    return size;
}

/* The choices in columns, or a line each where they have notes and are few. */
static void edit_list(Edit *edit, const EditChoices *choices) {
    size_t widest = 0, shown = choices->count;
    bool noted = false;
    if (shown > EDIT_CHOICES_SHOWN_MAX)
        shown = EDIT_CHOICES_SHOWN_MAX;
    for (size_t i = 0; i < shown; i++) {
        size_t width = utf8_columns(bytes_of(choices->words[i]));
        widest = width > widest ? width : widest;
        noted |= choices->notes[i] != NULL;
    }
    size_t columns = noted && shown <= 20 ? 1 : edit->screen.width / (widest + 2);
    Buf out = {0};
    for (size_t i = 0; i < shown; i++) {
        bool last = columns <= 1 || (i + 1) % columns == 0 || i + 1 == shown;
        int pad = (int)(widest + 2 - utf8_columns(bytes_of(choices->words[i])));
        const char *note = columns == 1 ? choices->notes[i] : NULL;
        buf_printf(&out, "%s%*s%s%s", choices->words[i], last && !note ? 0 : pad, "",
                   note ? note : "", last ? "\r\n" : "");
    }
    if (shown < choices->count)
        buf_printf(&out, "... and %zu more\r\n", choices->count - shown);
    edit->ended = true; /* what is typed stays above the list */
    edit_draw(edit);
    edit->ended = false;
    edit_screen_write(&edit->screen, buf_cstr(&out));
    edit->screen.cursor_row = 0;
    buf_free(&out);
}

static void edit_complete(Edit *edit) {
    EditChoices choices = {.arena = arena_new("completion", 0), .from = edit->text.cursor};
    edit->options.complete(edit->options.context, edit_text_cstr(&edit->text), edit->text.cursor,
                           &choices);
    assert(choices.from <= edit->text.cursor);
    size_t typed = edit->text.cursor - choices.from;
    bool list = edit->list_next;
    edit->list_next = false;
    if (choices.count > 0) {
        Bytes common = {(const uint8_t *)choices.words[0], (uint32_t)common_size(&choices)};
        const char *word = arena_text(choices.arena, common);
        bool longer = common.size > typed ||
                      (common.size == typed &&
                       memcmp(edit->text.bytes.data + choices.from, word, typed) != 0);
        if (longer)
            edit_text_replace(&edit->text, choices.from, word);
        else if (list)
            edit_list(edit, &choices);
        edit->list_next = choices.count > 1;
    }
    arena_free(choices.arena);
}

/* -- Keys -------------------------------------------------------------------------------------- */

static void edit_end(Edit *edit, EditEnd end) {
    edit->ended = true;
    edit->end = end;
}

static void edit_enter(Edit *edit) {
    if (edit->options.is_complete(edit->options.context, edit_text_cstr(&edit->text)))
        edit_end(edit, EDIT_TEXT);
    else
        edit_text_type(&edit->text, "\n", 1);
}

/* Ctrl-D: at the end of nothing it leaves, else it deletes. */
static void edit_delete(Edit *edit, bool leaves) {
    EditText *text = &edit->text;
    if (leaves && text->bytes.size == 0)
        edit_end(edit, EDIT_CLOSED);
    else
        edit_text_remove(text, edit_text_after(text, text->cursor), false);
}

/* To the right, or at the end of the text: what the hint says. */
static void edit_right(Edit *edit, size_t to) {
    EditText *text = &edit->text;
    if (text->cursor < text->bytes.size) {
        text->cursor = to;
        return;
    }
    const char *rest = edit_hint(edit, edit_text_cstr(text));
    Buf hint = {0};
    buf_text(&hint, rest);
    edit_text_paste(text, hint.data, hint.size);
    buf_free(&hint);
}

static void edit_control(Edit *edit, char letter) {
    EditText *text = &edit->text;
    switch (letter) {
    case 'A':
        text->cursor = edit_text_line_begin(text, text->cursor);
        break;
    case 'B':
        text->cursor = edit_text_before(text, text->cursor);
        break;
    case 'C':
        edit_end(edit, EDIT_INTERRUPTED);
        break;
    case 'D':
        edit_delete(edit, true);
        break;
    case 'E':
        edit_right(edit, edit_text_line_end(text, text->cursor));
        break;
    case 'F':
        edit_right(edit, edit_text_after(text, text->cursor));
        break;
    case 'K':
        edit_text_remove(text, edit_text_line_end(text, text->cursor), true);
        break;
    case 'L':
        edit_screen_write(&edit->screen, "\x1b[H\x1b[2J");
        edit->screen.cursor_row = 0;
        break;
    case 'N':
        edit_newer(edit);
        break;
    case 'P':
        edit_older(edit);
        break;
    case 'R':
        if (edit->options.history)
            edit_search_begin(edit);
        break;
    case 'T':
        edit_text_swap(text);
        break;
    case 'U':
        edit_text_remove(text, edit_text_line_begin(text, text->cursor), true);
        break;
    case 'W':
        edit_text_remove(text, edit_text_word_before(text, text->cursor), true);
        break;
    case 'Y':
        edit_text_yank(text);
        break;
    case 'Z':
        edit_suspend(edit);
        break;
    case '_':
        edit_text_undo(text);
        break;
    default:
        break;
    }
}

static void edit_alt(Edit *edit, char letter) {
    EditText *text = &edit->text;
    switch (letter) {
    case 'b':
        text->cursor = edit_text_word_before(text, text->cursor);
        break;
    case 'f':
        edit_right(edit, edit_text_word_after(text, text->cursor));
        break;
    case 'd':
        edit_text_remove(text, edit_text_word_after(text, text->cursor), true);
        break;
    case 127:
        edit_text_remove(text, edit_text_word_before(text, text->cursor), true);
        break;
    case '<':
        text->cursor = 0;
        break;
    case '>':
        text->cursor = text->bytes.size;
        break;
    case '\r':
    case '\n':
        edit_text_type(text, "\n", 1);
        break;
    default:
        break;
    }
}

static void edit_move(Edit *edit, KeyKind kind) {
    EditText *text = &edit->text;
    switch (kind) {
    case KEY_LEFT:
        text->cursor = edit_text_before(text, text->cursor);
        break;
    case KEY_RIGHT:
        edit_right(edit, edit_text_after(text, text->cursor));
        break;
    case KEY_WORD_LEFT:
        text->cursor = edit_text_word_before(text, text->cursor);
        break;
    case KEY_WORD_RIGHT:
        edit_right(edit, edit_text_word_after(text, text->cursor));
        break;
    case KEY_HOME:
        text->cursor = edit_text_line_begin(text, text->cursor);
        break;
    case KEY_END:
        edit_right(edit, edit_text_line_end(text, text->cursor));
        break;
    case KEY_UP:
        if (!edit_text_up(text))
            edit_older(edit);
        break;
    case KEY_DOWN:
        if (!edit_text_down(text))
            edit_newer(edit);
        break;
    case KEY_PAGE_UP:
        edit_older(edit);
        break;
    case KEY_PAGE_DOWN:
        edit_newer(edit);
        break;
    default:
        break;
    }
}

static void edit_signal(Edit *edit) {
    if (session_stop)
        edit_end(edit, session_end ? EDIT_CLOSED : EDIT_INTERRUPTED);
    edit_screen_measure(&edit->screen);
}

static void edit_key(Edit *edit, const Key *key) {
    EditText *text = &edit->text;
    text->typing &= key->kind == KEY_TEXT;
    edit->list_next &= key->kind == KEY_TAB;
    switch (key->kind) {
    case KEY_TEXT:
        edit_text_type(text, key->bytes, key->size);
        break;
    case KEY_CONTROL:
        edit_control(edit, key->letter);
        break;
    case KEY_ALT:
        edit_alt(edit, key->letter);
        break;
    case KEY_ENTER:
        edit_enter(edit);
        break;
    case KEY_TAB:
        edit_complete(edit);
        break;
    case KEY_BACKSPACE:
        edit_text_remove(text, edit_text_before(text, text->cursor), false);
        break;
    case KEY_DELETE:
        edit_delete(edit, false);
        break;
    case KEY_PASTE:
        edit->pasting = true;
        break;
    case KEY_SIGNAL:
        edit_signal(edit);
        break;
    case KEY_CLOSED:
        edit_end(edit, EDIT_CLOSED);
        break;
    default:
        edit_move(edit, key->kind);
        break;
    }
}

/* A key of a paste: only its end means something. */
static void edit_paste_key(Edit *edit, const Key *key) {
    if (key->kind == KEY_PASTED || key->kind == KEY_CLOSED)
        edit->pasting = false;
    if (key->kind == KEY_CLOSED)
        edit_end(edit, EDIT_CLOSED);
    else if (key->kind == KEY_TEXT)
        edit_text_type(&edit->text, key->bytes, key->size);
    else if (key->kind == KEY_ENTER)
        edit_text_type(&edit->text, "\n", 1);
    else if (key->kind == KEY_TAB)
        edit_text_type(&edit->text, "\t", 1);
    else if (key->kind == KEY_SIGNAL)
        edit_signal(edit);
}

static void edit_step(Edit *edit) {
    Key key = keys_next(&edit->keys);
    if (edit->pasting)
        edit_paste_key(edit, &key);
    else if (!edit->searching || key.kind == KEY_SIGNAL || !edit_search_key(edit, &key))
        edit_key(edit, &key);
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* A line as it comes, where there is nothing to edit on. */
static EditEnd edit_read_line(Edit *edit) {
    edit_screen_write(&edit->screen, edit->options.prompt);
    for (;;) {
        Key key = keys_next(&edit->keys);
        if (key.kind == KEY_SIGNAL && session_stop)
            return session_end ? EDIT_CLOSED : EDIT_INTERRUPTED;
        if (key.kind == KEY_CLOSED || (key.kind == KEY_CONTROL && key.letter == 'D'))
            return EDIT_CLOSED;
        if (key.kind == KEY_ENTER && edit->options.is_complete(edit->options.context,
                                                               edit_text_cstr(&edit->text)))
            return EDIT_TEXT;
        edit_paste_key(edit, &key);
    }
}

EditEnd edit_read(Edit *edit, const char *begin, const char **text) {
    edit_text_set(&edit->text, begin);
    edit->back = UINT32_MAX;
    edit->searching = edit->pasting = edit->ended = edit->list_next = false;
    if (!edit->capable) {
        edit->end = edit_read_line(edit);
        *text = edit_text_cstr(&edit->text);
        return edit->end;
    }
    edit_screen_measure(&edit->screen);
    edit_raw(edit);
    while (!edit->ended) {
        if (!keys_waiting(&edit->keys))
            edit_draw(edit);
        edit_step(edit);
    }
    if (edit->end == EDIT_CLOSED)
        edit_screen_clear(&edit->screen);
    edit->text.cursor = edit->text.bytes.size;
    edit_draw(edit);
    edit_cooked(edit);
    *text = edit_text_cstr(&edit->text);
    return edit->end;
}
