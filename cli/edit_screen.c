/*
 * edit_screen.c - see edit_screen.h.
 *
 * The text is first cut into rows of the screen's width; then the rows of the window are written.
 * The cursor's place comes from the same rows, so that what is drawn and where the cursor stands
 * cannot disagree.
 */
#include "cli/edit_screen.h"

#include <assert.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { WIDTH_MIN = 20, TAB_WIDTH = 4 };

/* Colours of the 16 that every terminal has. */
static const char *const style_codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "0",    [STYLE_KEYWORD] = "1;34", [STYLE_FUNCTION] = "35",
    [STYLE_STRING] = "32",  [STYLE_NUMBER] = "36",    [STYLE_COMMENT] = "90",
    [STYLE_VARIABLE] = "33", [STYLE_MATCH] = "1;4",   [STYLE_BAD] = "31",
    [STYLE_HINT] = "90",    [STYLE_PROMPT] = "1",
};

/* A row of the screen: bytes [begin, end) of the text behind `indent` columns of prompt. */
typedef struct ScreenRow {
    size_t begin, end;
    uint32_t line;   /* of the text */
    bool first;      /* of its line: the prompt is shown */
} ScreenRow;

typedef struct ScreenRows {
    ScreenRow *rows;
    size_t count, capacity;
    size_t cursor_row;
    uint32_t cursor_column;
} ScreenRows;

void edit_screen_measure(EditScreen *screen) {
    struct winsize size = {0};
    (void)ioctl(screen->fd, TIOCGWINSZ, &size);
    screen->width = size.ws_col >= WIDTH_MIN ? size.ws_col : size.ws_col > 0 ? WIDTH_MIN : 80;
    screen->height = size.ws_row >= 2 ? size.ws_row : 24;
}

/* -- Rows -------------------------------------------------------------------------------------- */

static uint32_t character_width(uint32_t character) {
    if (character == '\t')
        return TAB_WIDTH;
    return character < 0x20 || character == 0x7F ? 2 : utf8_width(character);
}

static void rows_add(ScreenRows *rows, ScreenRow row) {
    rows->rows = mem_grow(rows->rows, &rows->capacity, rows->count + 1, sizeof *rows->rows);
    rows->rows[rows->count++] = row;
}

/* Cuts the text; the cursor's place falls out. */
static void rows_make(ScreenRows *rows, const EditView *view, uint32_t width, uint32_t indent) {
    uint32_t column = indent, line = 0;
    rows_add(rows, (ScreenRow){.first = true});
    for (size_t at = 0;;) {
        ScreenRow *row = &rows->rows[rows->count - 1];
        uint32_t size = 1, cells = 0;
        bool end = at == view->size, line_ends = !end && view->text[at] == '\n';
        if (!end && !line_ends)
            cells = character_width(utf8_decode(
                (Bytes){(const uint8_t *)view->text + at, (uint32_t)(view->size - at)}, &size));
        if (column + cells > width || (column == width && (end || line_ends))) {
            row->end = at;
            rows_add(rows, (ScreenRow){.begin = at, .line = line});
            row = &rows->rows[rows->count - 1];
            column = indent;
        }
        if (at == view->cursor) {
            rows->cursor_row = rows->count - 1;
            rows->cursor_column = column;
        }
        row->end = at;
        if (end)
            return;
        at += size;
        column += cells;
        if (line_ends) {
            rows_add(rows, (ScreenRow){.begin = at, .line = ++line, .first = true});
            column = indent;
        }
    }
}

/* -- Drawing ----------------------------------------------------------------------------------- */

static void screen_style(EditScreen *screen, EditStyle style) {
    if (screen->colours)
        buf_printf(&screen->out, "\x1b[0;%sm", style_codes[style]);
}

static void screen_character(EditScreen *screen, const char *text, size_t size) {
    uint8_t byte = (uint8_t)*text;
    if (byte == '\t')
        buf_printf(&screen->out, "%*s", TAB_WIDTH, "");
    else if (byte < 0x20 || byte == 0x7F)
        buf_printf(&screen->out, "^%c", byte ^ 0x40);
    else
        buf_put(&screen->out, text, size);
}

static void screen_prompt(EditScreen *screen, const EditView *view, const ScreenRow *row,
                          uint32_t indent) {
    screen_style(screen, STYLE_PROMPT);
    if (row->first && row->line == 0)
        buf_text(&screen->out, view->prompt);
    else if (row->first && indent >= 3)
        buf_printf(&screen->out, "%*s%c> ", (int)indent - 3, "", view->opens[row->line - 1]);
    else
        buf_printf(&screen->out, "%*s", (int)indent, "");
}

static void screen_row(EditScreen *screen, const EditView *view, const ScreenRow *row) {
    int style = -1;
    for (size_t at = row->begin; at < row->end;) {
        uint32_t size;
        (void)utf8_decode((Bytes){(const uint8_t *)view->text + at, (uint32_t)(row->end - at)},
                          &size);
        if (view->styles[at] != style)
            screen_style(screen, (EditStyle)(style = view->styles[at]));
        screen_character(screen, view->text + at, size);
        at += size;
    }
}

/* As much of the hint as the last row has room for. */
static void screen_hint(EditScreen *screen, const EditView *view, uint32_t room) {
    if (!screen->colours || view->cursor != view->size)
        return;
    screen_style(screen, STYLE_HINT);
    Bytes left = bytes_of(view->hint);
    while (left.size > 0 && *left.data != '\n') {
        uint32_t size, cells = character_width(utf8_decode(left, &size));
        if (cells >= room)
            return;
        screen_character(screen, (const char *)left.data, size);
        room -= cells;
        left = (Bytes){left.data + size, left.size - size};
    }
}

static void screen_send(EditScreen *screen) {
    size_t at = 0;
    while (at < screen->out.size) {
        ssize_t sent = write(screen->fd, screen->out.data + at, screen->out.size - at);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    buf_reset(&screen->out);
}

static void screen_home(EditScreen *screen) {
    if (screen->cursor_row > 0)
        buf_printf(&screen->out, "\x1b[%uA", screen->cursor_row);
    buf_text(&screen->out, "\r\x1b[J");
    screen->cursor_row = 0;
}

static void screen_place(EditScreen *screen, size_t up, uint32_t column) {
    if (up > 0)
        buf_printf(&screen->out, "\x1b[%zuA", up);
    buf_text(&screen->out, "\r");
    if (column > 0)
        buf_printf(&screen->out, "\x1b[%uC", column);
}

void edit_screen_draw(EditScreen *screen, const EditView *view, bool last) {
    uint32_t indent = utf8_columns(bytes_of(view->prompt));
    if (indent + 4 > screen->width)
        indent = 0;
    ScreenRows rows = {0};
    rows_make(&rows, view, screen->width, indent);
    size_t from = 0, to = rows.count;
    if (!last && rows.count > screen->height) {
        from = rows.cursor_row >= screen->height ? rows.cursor_row - screen->height + 1 : 0;
        to = from + screen->height;
    }
    screen_home(screen);
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_text(&screen->out, "\r\n");
        if (indent > 0)
            screen_prompt(screen, view, &rows.rows[i], indent);
        screen_row(screen, view, &rows.rows[i]);
    }
    if (last) {
        screen_style(screen, STYLE_PLAIN);
        buf_text(&screen->out, "\r\n");
    } else {
        if (to == rows.count)
            screen_hint(screen, view, screen->width - rows.cursor_column);
        screen_style(screen, STYLE_PLAIN);
        screen_place(screen, to - 1 - rows.cursor_row, rows.cursor_column);
        screen->cursor_row = (uint32_t)(rows.cursor_row - from);
    }
    screen_send(screen);
    mem_free(rows.rows);
}

void edit_screen_clear(EditScreen *screen) {
    screen_home(screen);
    screen_send(screen);
}

void edit_screen_write(EditScreen *screen, const char *text) {
    buf_text(&screen->out, text);
    screen_send(screen);
}

void edit_screen_free(EditScreen *screen) {
    buf_free(&screen->out);
}
