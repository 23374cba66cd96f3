/*
 * guess.h - the types of data that nobody has described: a file or a topic becomes a CREATE STREAM.
 *
 * Values are seen one by one; what a column is, is the narrowest type that holds all of them:
 * BOOLEAN, BIGINT, DOUBLE, TIMESTAMP (whole numbers that are milliseconds of this age), arrays and
 * structs of these, else STRING. A text column whose values are all times of one layout, and the
 * first TIMESTAMP, can be the rows' own time.
 */
#ifndef ENGINE_GUESS_H
#define ENGINE_GUESS_H

#include "base/buf.h"
#include "engine/json_tree.h"

typedef struct Guess Guess;

enum { GUESS_ROWS_MAX = 1000 };

/* A guess at a whole row; lives in `arena`. */
Guess *guess_new(Arena *arena);

/* Takes a row: an object. Anything else is left out and counted. */
void guess_row(Guess *guess, const JsonNode *row);

/* Takes a row of texts (csv), one per name; "" is NULL. */
void guess_texts(Guess *guess, const char *const *names, const Bytes *texts, uint32_t count);

/* How many rows were taken. */
uint32_t guess_rows(const Guess *guess);

/* Prints "CREATE STREAM name (columns) WITH (KAFKA_TOPIC='topic', VALUE_FORMAT='format' ...);".
 * For csv (is_text) the times of text columns can be read as TIMESTAMP themselves. */
typedef struct GuessStatement {
    const char *name, *topic, *format;
    bool is_text;
} GuessStatement;
void guess_print(const Guess *guess, const GuessStatement *statement, Buf *out);

#endif
