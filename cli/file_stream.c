/* file_stream.c - see file_stream.h. */
#include "cli/file_stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/output.h"

struct FileStream {
    Weir *weir;
    Buf copy; /* the statement that fills it */
    pthread_t thread;
    _Atomic bool done;
    bool failed;
    WeirError error;
};

bool file_stream_is(const char *path) {
    struct stat facts;
    return strcmp(path, "-") == 0 || (stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode));
}

static void *file_stream_fill(void *context) {
    FileStream *stream = context;
    stream->failed = weir_execute(stream->weir, buf_cstr(&stream->copy), NULL, &stream->error) !=
                     WEIR_OK;
    atomic_store(&stream->done, true);
    return NULL;
}

/* "CREATE STREAM name (..." -> COPY name FROM 'path' (...). */
static void file_stream_copy(FileStream *stream, const char *create, const char *path) {
    static const char begin[] = "CREATE STREAM ";
    const char *name = create + sizeof begin - 1;
    const char *point = strrchr(path, '.');
    bool csv = strstr(create, "VALUE_FORMAT='JSON'") == NULL ||
               (point && strcasecmp(point, ".csv") == 0);
    buf_printf(&stream->copy, "COPY %.*s FROM '", (int)strcspn(name, " "), name);
    for (const char *at = path; *at; at++)
        buf_put(&stream->copy, *at == '\'' ? "''" : at, *at == '\'' ? 2 : 1);
    buf_printf(&stream->copy, "' (FORMAT %s, ON_ERROR 'skip');", csv ? "csv" : "ndjson");
}

FileStream *file_stream_open(Weir *weir, const char *path, bool talk, WeirError *error) {
    WeirResult *suggested;
    if (weir_suggest(weir, path, NULL, &suggested, error) != WEIR_OK)
        return NULL;
    const char *create = weir_message(suggested);
    FileStream *stream = NULL;
    if (weir_execute(weir, create, NULL, error) == WEIR_OK) {
        if (talk)
            output_say("", create);
        stream = mem_alloc(sizeof *stream);
        stream->weir = weir;
        file_stream_copy(stream, create, path);
        if (pthread_create(&stream->thread, NULL, file_stream_fill, stream) != 0)
            (void)file_stream_fill(stream);
    }
    weir_result_free(suggested);
    return stream;
}

bool file_stream_is_done(void *stream) {
    return atomic_load(&((FileStream *)stream)->done);
}

bool file_stream_close(FileStream *stream, bool interrupt, WeirError *error) {
    if (interrupt)
        weir_interrupt(stream->weir);
    if (stream->thread)
        pthread_join(stream->thread, NULL);
    bool good = !stream->failed || interrupt;
    *error = stream->error;
    buf_free(&stream->copy);
    mem_free(stream);
    return good;
}
