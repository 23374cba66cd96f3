/*
 * caret.c - the line of the script that an error means, with a caret under the place.
 *
 * The parser draws its own; everything behind it knows a place as line and column only. Both give
 * the same picture, once: what begins with "line L:C: " has it.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "engine/engine_impl.h"
#include "grammar/parse.h"

static bool caret_is_there(const Err *err) {
    char head[48];
    snprintf(head, sizeof head, "line %u:%u: ", err->line, err->column);
    return strncmp(err->message, head, strlen(head)) == 0;
}

/* The byte of a line and column, which are not in front of `start`. false: not in the script. */
static bool caret_find(Bytes script, AstPos start, AstPos *pos) {
    uint32_t at = start.offset, line = start.line, column = start.column;
    if (at > script.size || pos->line < line || (pos->line == line && pos->column < column))
        return false;
    for (; line < pos->line; line++, column = 1) {
        const uint8_t *end = at < script.size ? memchr(script.data + at, '\n', script.size - at)
                                              : NULL;
        if (!end)
            return false;
        at = (uint32_t)(end - script.data) + 1;
    }
    for (; column < pos->column && at < script.size && script.data[at] != '\n'; column++) {
        uint32_t size;
        utf8_decode((Bytes){script.data + at, script.size - at}, &size);
        at += size;
    }
    pos->offset = at;
    return true;
}

void engine_add_caret(Err *err, Bytes script, AstPos start) {
    AstPos pos = {.line = err->line, .column = err->column};
    if (err->line == 0 || err->column == 0 || caret_is_there(err) ||
        !caret_find(script, start, &pos))
        return;
    Err why = *err, picture;
    char *rest = strchr(why.message, '\n'); /* hints stand below the picture */
    if (rest)
        *rest++ = '\0';
    (void)!parse_error_at(script, pos, why.code, why.message, &picture);
    (void)err_set_at(err, why.code, why.line, why.column, "%s%s%s", picture.message,
                     rest ? "\n" : "", rest ? rest : "");
}
