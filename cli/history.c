/* history.c - see history.h. */
#include "cli/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { HISTORY_ENTRIES_MAX = 1000, HISTORY_PATH_SIZE = 4096, HISTORY_FILE_BYTES_MAX = 16 << 20 };

struct History {
    char path[HISTORY_PATH_SIZE]; /* empty: no file */
    char **entries;               /* oldest first */
    size_t count, capacity;
    size_t file_lines;
};

/* -- The file ---------------------------------------------------------------------------------- */

static void history_make_folders(char *folder) {
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
    mkdir(folder, 0700);
}

static void history_find(History *history) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[HISTORY_PATH_SIZE - 32];
    int size = -1;
    if (state && *state)
        size = snprintf(folder, sizeof folder, "%s/weir", state);
    else if (home && *home)
        size = snprintf(folder, sizeof folder, "%s/.local/state/weir", home);
    if (size < 0 || (size_t)size >= sizeof folder)
        return;
    history_make_folders(folder);
    snprintf(history->path, sizeof history->path, "%s/history", folder);
}

static void entry_escape(Buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\n')
            buf_text(out, "\\n");
        else if (*text == '\\')
            buf_text(out, "\\\\");
        else
            buf_u8(out, (uint8_t)*text);
    }
    buf_u8(out, '\n');
}

static void entry_unescape(Buf *out, const char *line, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool escaped = line[i] == '\\' && i + 1 < size;
        char next = escaped ? line[++i] : line[i];
        buf_u8(out, escaped && next == 'n' ? '\n' : (uint8_t)next);
    }
}

/* All of `bytes`, or as much as the disk takes: a history is no reason to stop. */
static void history_write(const History *history, const Buf *bytes, int flags) {
    int fd = open(history->path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return;
    (void)fchmod(fd, 0600);
    (void)!write(fd, bytes->data, bytes->size);
    close(fd);
}

static void history_rewrite(History *history) {
    Buf bytes = {0};
    for (size_t i = 0; i < history->count; i++)
        entry_escape(&bytes, history->entries[i]);
    history_write(history, &bytes, O_TRUNC);
    history->file_lines = history->count;
    buf_free(&bytes);
}

/* -- Entries ----------------------------------------------------------------------------------- */

static void history_remove(History *history, size_t index) {
    mem_free(history->entries[index]);
    history->count--;
    memmove(history->entries + index, history->entries + index + 1,
            (history->count - index) * sizeof *history->entries);
}

/* An entry that is there already moves to the end. */
static void history_keep(History *history, const char *text) {
    size_t same = 0;
    while (same < history->count && strcmp(history->entries[same], text) != 0)
        same++;
    if (same < history->count)
        history_remove(history, same);
    else if (history->count == HISTORY_ENTRIES_MAX)
        history_remove(history, 0);
    history->entries = mem_grow(history->entries, &history->capacity, history->count + 1,
                                sizeof *history->entries);
    history->entries[history->count++] = mem_strdup(text);
}

static void history_load(History *history) {
    int fd = open(history->path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0)
        return;
    Buf bytes = {0}, entry = {0};
    if (fstat(fd, &facts) == 0 && facts.st_size < HISTORY_FILE_BYTES_MAX) {
        ssize_t got;
        while ((got = read(fd, buf_room(&bytes, 65536), 65536)) > 0)
            bytes.size += (size_t)got;
    }
    close(fd);
    const char *at = buf_cstr(&bytes), *end;
    for (; (end = strchr(at, '\n')) != NULL; at = end + 1, history->file_lines++) {
        buf_reset(&entry);
        entry_unescape(&entry, at, (size_t)(end - at));
        if (entry.size > 0)
            history_keep(history, buf_cstr(&entry));
    }
    buf_free(&bytes);
    buf_free(&entry);
}

History *history_open(void) {
    History *history = mem_alloc(sizeof *history);
    history_find(history);
    if (history->path[0])
        history_load(history);
    return history;
}

void history_close(History *history) {
    for (size_t i = 0; i < history->count; i++)
        mem_free(history->entries[i]);
    mem_free(history->entries);
    mem_free(history);
}

static bool history_is_secret(const char *text) {
    static const char *const words[] = {"password", "passwd", "secret", "credential",
                                        "api.key",  "jaas"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

void history_add(History *history, const char *text) {
    if (!*text || history_is_secret(text))
        return;
    bool again = history->count > 0 && strcmp(history->entries[history->count - 1], text) == 0;
    if (again)
        return;
    history_keep(history, text);
    if (!history->path[0])
        return;
    if (++history->file_lines > 2 * HISTORY_ENTRIES_MAX) {
        history_rewrite(history);
        return;
    }
    Buf line = {0};
    entry_escape(&line, text);
    history_write(history, &line, O_APPEND);
    buf_free(&line);
}

/* -- Looking back ------------------------------------------------------------------------------ */

const char *history_at(const History *history, uint32_t back) {
    return back < history->count ? history->entries[history->count - 1 - back] : NULL;
}

uint32_t history_search(const History *history, const char *part, uint32_t back) {
    for (; back < history->count; back++)
        if (strcasestr(history_at(history, back), part))
            return back;
    return UINT32_MAX;
}

const char *history_rest(const History *history, const char *begin) {
    size_t size = strlen(begin);
    for (uint32_t back = 0; size > 0 && back < history->count; back++) {
        const char *entry = history_at(history, back);
        if (strncmp(entry, begin, size) == 0)
            return entry + size;
    }
    return "";
}
