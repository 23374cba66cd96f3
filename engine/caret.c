/* caret.c - the line of the script that an error means, with a caret under the place. */
#include "engine/engine_impl.h"

static Bytes caret_line(Bytes script, uint32_t line) {
    uint32_t from = 0;
    for (uint32_t at = 1; at < line; at++) {
        const uint8_t *end = from < script.size
                                 ? memchr(script.data + from, '\n', script.size - from)
                                 : NULL;
        if (!end)
            return (Bytes){NULL, 0};
        from = (uint32_t)(end - script.data) + 1;
    }
    const uint8_t *end = from < script.size ? memchr(script.data + from, '\n', script.size - from)
                                            : NULL;
    uint32_t to = end ? (uint32_t)(end - script.data) : script.size;
    return (Bytes){script.data + from, to - from};
}

void engine_add_caret(Err *err, Bytes script) {
    enum { CARET_COLUMNS_MAX = 160 };
    if (err->line == 0 || strstr(err->message, "^"))
        return;
    Bytes line = caret_line(script, err->line);
    if (line.size == 0 || err->column == 0 || err->column > CARET_COLUMNS_MAX)
        return;
    Buf text = {0};
    buf_printf(&text, "line %u:%u: %s\n  %.*s\n  %*s", err->line, err->column, err->message,
               (int)(line.size < CARET_COLUMNS_MAX ? line.size : CARET_COLUMNS_MAX),
               (const char *)line.data, (int)err->column, "^");
    if (text.size < sizeof err->message)
        memcpy(err->message, buf_cstr(&text), text.size + 1);
    buf_free(&text);
}
