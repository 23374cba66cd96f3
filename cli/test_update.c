/* test_update.c - `weir test --update`: a .test file written anew with what came. */
#include <stdio.h>

#include "base/io_input.h"
#include "base/io_stdout.h"
#include "base/mem.h"
#include "cli/test_impl.h"

void test_edit(TestFile *file, TestEdit edit) {
    assert(file->edit_count == 0 || file->edits[file->edit_count - 1].line <= edit.line);
    edit.text = arena_strdup(file->arena, edit.text);
    file->edits = mem_grow(file->edits, &file->edit_capacity, file->edit_count + 1,
                           sizeof *file->edits);
    file->edits[file->edit_count++] = edit;
}

static ErrCode update_load(const char *path, Buf *text, Err *err) {
    IoInput *input;
    uint32_t got = 1;
    TRY(io_input_open(path, &input, err));
    ErrCode code = ERR_OK;
    while (code == ERR_OK && got > 0) {
        code = io_input_read(input, buf_room(text, 1 << 16), 1 << 16, &got, err);
        text->size += code == ERR_OK ? got : 0;
    }
    io_input_close(input);
    return code;
}

/* Edits behind the last line, and those at UINT32_MAX, come at the end. */
static void update_put(const TestFile *file, const char *text) {
    size_t next = 0;
    for (uint32_t line = 1; *text; line++) {
        for (; next < file->edit_count && file->edits[next].line == line; next++) {
            fputs(file->edits[next].text, stdout);
            for (uint32_t i = 0; i < file->edits[next].count && *text; i++, line++)
                text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
        }
        size_t size = strcspn(text, "\n");
        if (*text)
            printf("%.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
    for (; next < file->edit_count; next++)
        fputs(file->edits[next].text, stdout);
}

bool test_write(const TestFile *file) {
    Buf text = {0};
    Err err;
    ErrCode code = update_load(file->path, &text, &err);
    if (code == ERR_OK)
        code = io_stdout_to_file(file->path, false, &err);
    if (code == ERR_OK) {
        update_put(file, buf_cstr(&text));
        io_stdout_back();
        printf("%s: %zu place%s updated\n", file->path, file->edit_count,
               file->edit_count == 1 ? "" : "s");
    }
    buf_free(&text);
    return code == ERR_OK || test_fault(file->path, 0, "%s", err.message);
}
