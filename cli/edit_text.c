/* edit_text.c - see edit_text.h. */
#include "cli/edit_text.h"

#include <assert.h>

#include "base/mem.h"
#include "base/utf8.h"

/* -- Undo -------------------------------------------------------------------------------------- */

static void edit_text_save(EditText *text) {
    if (text->undo_count == EDIT_UNDO_MAX) {
        mem_free(text->undo[0].text);
        memmove(text->undo, text->undo + 1, sizeof text->undo - sizeof text->undo[0]);
        text->undo_count--;
    }
    EditUndo *undo = &text->undo[text->undo_count++];
    undo->text = mem_strdup(buf_cstr(&text->bytes));
    undo->cursor = text->cursor;
    text->typing = false;
}

static void edit_text_forget(EditText *text) {
    while (text->undo_count > 0)
        mem_free(text->undo[--text->undo_count].text);
    text->typing = false;
}

static void edit_text_put(EditText *text, const char *value) {
    buf_reset(&text->bytes);
    buf_text(&text->bytes, value);
}

void edit_text_undo(EditText *text) {
    if (text->undo_count == 0)
        return;
    EditUndo *undo = &text->undo[--text->undo_count];
    edit_text_put(text, undo->text);
    text->cursor = undo->cursor;
    text->typing = false;
    mem_free(undo->text);
}

/* -- The whole --------------------------------------------------------------------------------- */

void edit_text_free(EditText *text) {
    edit_text_forget(text);
    buf_free(&text->bytes);
    buf_free(&text->killed);
}

void edit_text_set(EditText *text, const char *value) {
    edit_text_forget(text);
    edit_text_put(text, value);
    text->cursor = text->bytes.size;
}

const char *edit_text_cstr(EditText *text) {
    return buf_cstr(&text->bytes);
}

/* -- Places ------------------------------------------------------------------------------------ */

static bool is_inside(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

static uint32_t character_at(const EditText *text, size_t at, uint32_t *size) {
    return utf8_decode((Bytes){text->bytes.data + at, (uint32_t)(text->bytes.size - at)}, size);
}

static bool is_mark(const EditText *text, size_t at) {
    uint32_t size, character = character_at(text, at, &size);
    return character >= 0x80 && utf8_width(character) == 0;
}

size_t edit_text_before(const EditText *text, size_t at) {
    assert(at <= text->bytes.size);
    while (at > 0) {
        do
            at--;
        while (at > 0 && is_inside(text->bytes.data[at]));
        if (!is_mark(text, at))
            break;
    }
    return at;
}

size_t edit_text_after(const EditText *text, size_t at) {
    assert(at <= text->bytes.size);
    bool first = true;
    while (at < text->bytes.size && (first || is_mark(text, at))) {
        uint32_t size;
        (void)character_at(text, at, &size);
        at += size;
        first = false;
    }
    return at;
}

static bool is_word(const EditText *text, size_t at) {
    uint8_t byte = text->bytes.data[at];
    return byte >= 0x80 || byte == '_' || (byte >= '0' && byte <= '9') ||
           ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

size_t edit_text_word_before(const EditText *text, size_t at) {
    while (at > 0 && !is_word(text, at - 1))
        at--;
    while (at > 0 && is_word(text, at - 1))
        at--;
    return at;
}

size_t edit_text_word_after(const EditText *text, size_t at) {
    while (at < text->bytes.size && !is_word(text, at))
        at++;
    while (at < text->bytes.size && is_word(text, at))
        at++;
    return at;
}

size_t edit_text_line_begin(const EditText *text, size_t at) {
    while (at > 0 && text->bytes.data[at - 1] != '\n')
        at--;
    return at;
}

size_t edit_text_line_end(const EditText *text, size_t at) {
    while (at < text->bytes.size && text->bytes.data[at] != '\n')
        at++;
    return at;
}

/* -- Lines up and down ------------------------------------------------------------------------- */

static size_t characters_between(const EditText *text, size_t from, size_t to) {
    size_t count = 0;
    for (; from < to; from = edit_text_after(text, from))
        count++;
    return count;
}

static void edit_text_go(EditText *text, size_t line, size_t characters) {
    size_t end = edit_text_line_end(text, line);
    while (line < end && characters-- > 0)
        line = edit_text_after(text, line);
    text->cursor = line;
}

bool edit_text_up(EditText *text) {
    size_t begin = edit_text_line_begin(text, text->cursor);
    if (begin == 0)
        return false;
    edit_text_go(text, edit_text_line_begin(text, begin - 1),
                 characters_between(text, begin, text->cursor));
    return true;
}

bool edit_text_down(EditText *text) {
    size_t end = edit_text_line_end(text, text->cursor);
    if (end == text->bytes.size)
        return false;
    size_t begin = edit_text_line_begin(text, text->cursor);
    edit_text_go(text, end + 1, characters_between(text, begin, text->cursor));
    return true;
}

/* -- Changes ----------------------------------------------------------------------------------- */

static void edit_text_insert(EditText *text, const void *bytes, size_t size) {
    (void)buf_room(&text->bytes, size);
    uint8_t *at = text->bytes.data + text->cursor;
    memmove(at + size, at, text->bytes.size - text->cursor);
    memcpy(at, bytes, size);
    text->bytes.size += size;
    text->cursor += size;
}

void edit_text_type(EditText *text, const void *bytes, size_t size) {
    if (size == 0)
        return;
    if (!text->typing)
        edit_text_save(text);
    edit_text_insert(text, bytes, size);
    text->typing = true;
}

void edit_text_paste(EditText *text, const void *bytes, size_t size) {
    if (size == 0)
        return;
    edit_text_save(text);
    edit_text_insert(text, bytes, size);
}

void edit_text_remove(EditText *text, size_t to, bool kill) {
    size_t from = to < text->cursor ? to : text->cursor;
    to = to < text->cursor ? text->cursor : to;
    assert(to <= text->bytes.size);
    if (from == to)
        return;
    edit_text_save(text);
    uint8_t *data = text->bytes.data;
    if (kill) {
        buf_reset(&text->killed);
        buf_put(&text->killed, data + from, to - from);
    }
    memmove(data + from, data + to, text->bytes.size - to);
    text->bytes.size -= to - from;
    text->cursor = from;
}

void edit_text_replace(EditText *text, size_t from, const char *with) {
    assert(from <= text->cursor);
    edit_text_save(text);
    uint8_t *data = text->bytes.data;
    memmove(data + from, data + text->cursor, text->bytes.size - text->cursor);
    text->bytes.size -= text->cursor - from;
    text->cursor = from;
    edit_text_insert(text, with, strlen(with));
}

void edit_text_yank(EditText *text) {
    edit_text_paste(text, text->killed.data, text->killed.size);
}

void edit_text_swap(EditText *text) {
    if (text->cursor == text->bytes.size)
        text->cursor = edit_text_before(text, text->cursor);
    size_t left = edit_text_before(text, text->cursor), middle = text->cursor;
    size_t right = edit_text_after(text, middle);
    if (left == middle || middle == right)
        return;
    edit_text_save(text);
    Buf first = {0};
    buf_put(&first, text->bytes.data + left, middle - left);
    memmove(text->bytes.data + left, text->bytes.data + middle, right - middle);
    memcpy(text->bytes.data + left + (right - middle), first.data, first.size);
    buf_free(&first);
    text->cursor = right;
}
