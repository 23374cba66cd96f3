/*
 * config_file.c - files of properties, as Java writes them.
 *
 *   # comment   ! comment          key=value   key: value   key value
 *   a line that ends in \ goes on in the next; \t \n \\ \= \: \# stand for themselves
 *
 * Invariant: nothing that was read stays in memory that was freed.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io_input.h"
#include "base/mem.h"
#include "kafka/config_impl.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

void kafka_config_wipe(char *text) {
    if (!text)
        return;
    explicit_bzero(text, strlen(text));
    mem_free(text);
}

static void wipe_buf(Buf *buf) {
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    buf_free(buf);
}

void kafka_config_report(const ConfigLine *line, Err *err, const char *format, ...) {
    char text[ERR_MESSAGE_SIZE / 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line->line > 0)
        err_report(err, ERR_SEMANTIC, 0, 0, "%s:%u: %s %s", line->where, line->line, line->key,
                   text);
    else
        err_report(err, ERR_SEMANTIC, 0, 0, "%s: %s %s", line->where, line->key, text);
}

/* One HOST:PORT; an IPv6 address is in brackets. */
static bool is_address(const char *text, size_t size) {
    const char *end = text + size, *colon = end;
    while (colon > text && colon[-1] != ':')
        colon--;
    if (colon - text < 2 || colon == end || end - colon > 5)
        return false;
    for (const char *digit = colon; digit < end; digit++)
        if (*digit < '0' || *digit > '9')
            return false;
    for (const char *next = text; next < colon - 1; next++)
        if (*next <= ' ' || *next == '/' || (*next == ':' && *text != '['))
            return false;
    return strtoul(colon, NULL, 10) <= 65535;
}

bool kafka_config_is_bootstrap(const char *text) {
    for (;;) {
        size_t size = strcspn(text, ",");
        if (!is_address(text, size))
            return false;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

static bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\f' || letter == '\r';
}

/* The next letter of a key or value, unescaped; moves *at behind it. */
static char next_letter(const char **at, uint32_t *line) {
    char letter = *(*at)++;
    if (letter != '\\' || **at == '\0')
        return letter;
    letter = *(*at)++;
    if (letter == 't')
        return '\t';
    if (letter == 'n')
        return '\n';
    if (letter == '\r' && **at == '\n')
        letter = *(*at)++;
    if (letter == '\n') {
        ++*line;
        while (is_blank(**at))
            ++*at;
        return '\0'; /* nothing: the line goes on */
    }
    return letter;
}

/* One `key=value` at *at, which is moved behind its line. */
static ErrCode read_line(const char **at, ConfigLine *line, ConfigLineFn *take, void *context,
                         Err *err) {
    Buf key = {0}, value = {0};
    uint32_t last = line->line;
    while (**at && **at != '\n' && **at != '=' && **at != ':' && !is_blank(**at)) {
        char letter = next_letter(at, &last);
        if (letter)
            buf_u8(&key, (uint8_t)letter);
    }
    while (is_blank(**at))
        ++*at;
    bool assigned = **at == '=' || **at == ':';
    if (assigned)
        ++*at;
    while (is_blank(**at))
        ++*at;
    while (**at && **at != '\n') {
        char letter = next_letter(at, &last);
        if (letter)
            buf_u8(&value, (uint8_t)letter);
    }
    while (value.size > 0 && is_blank((char)value.data[value.size - 1]))
        value.size--;
    line->key = buf_cstr(&key);
    line->value = buf_cstr(&value);
    ErrCode code = assigned ? take(context, line, err)
                            : kafka_config_bad(line, err, "is not followed by '=' and a value");
    line->line = last;
    wipe_buf(&key);
    wipe_buf(&value);
    return code;
}

static ErrCode read_lines(const char *path, const char *text, ConfigLineFn *take, void *context,
                          Err *err) {
    ConfigLine line = {.where = path, .line = 1};
    while (*text) {
        if (is_blank(*text)) {
            text++;
        } else if (*text == '\n') {
            text++;
            line.line++;
        } else if (*text == '#' || *text == '!') {
            text += strcspn(text, "\n");
        } else {
            TRY(read_line(&text, &line, take, context, err));
        }
    }
    return ERR_OK;
}

static ErrCode read_text(IoInput *input, const char *path, Buf *text, Err *err) {
    for (uint32_t got = 1; got > 0;) {
        TRY(io_input_read(input, buf_room(text, 4096), 4096, &got, err));
        text->size += got;
        if (text->size > (size_t)CONFIG_BYTES_MAX)
            return err_set(err, ERR_LIMIT, "%s is no configuration: it is over %d bytes", path,
                           CONFIG_BYTES_MAX);
    }
    if (text->size > 0 && memchr(text->data, 0, text->size))
        return err_set(err, ERR_SEMANTIC, "%s is no configuration: it has zero bytes", path);
    return ERR_OK;
}

ErrCode kafka_config_read(const char *path, ConfigLineFn *take, void *context, Err *err) {
    assert(path);
    IoInput *input;
    Buf text = {0};
    TRY(io_input_open(path, &input, err));
    buf_grow(&text, 64 << 10); /* so that a file of usual size leaves no copies behind */
    ErrCode code = read_text(input, path, &text, err);
    io_input_close(input);
    if (code == ERR_OK)
        code = read_lines(path, buf_cstr(&text), take, context, err);
    wipe_buf(&text);
    return code;
}
