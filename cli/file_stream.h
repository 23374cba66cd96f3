/*
 * file_stream.h - `weir FILE`: a file (ndjson, csv, "-" for standard input) as a stream.
 *
 * The stream is made by guessing types from the first rows, and filled by a thread of its own while
 * queries run over it; rows that cannot be read are left out with a hint.
 */
#ifndef CLI_FILE_STREAM_H
#define CLI_FILE_STREAM_H

#include <stdbool.h>

#include "engine/weir.h"

typedef struct FileStream FileStream;

/* Whether the word names a file, or standard input. */
bool file_stream_is(const char *path);

/* Makes the stream and begins to fill it. Says what was made if `talk`. NULL: it cannot be, and
 * *error says why. */
FileStream *file_stream_open(Weir *weir, const char *path, bool talk, WeirError *error);

/* Whether the whole file is in the stream (or reading it failed). `stream` is a FileStream. */
bool file_stream_is_done(void *stream);

/* Waits for the end of the file, unless `interrupt`; false: it failed, and *error says why. */
bool file_stream_close(FileStream *stream, bool interrupt, WeirError *error);

#endif
