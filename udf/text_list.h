/*
 * text_list.h - the texts of a column ARRAY<STRING> or ARRAY<BYTES>, collected row by row; also
 * the keys or values of a MAP.
 *
 * Call text_list_row() for each row that gets a list, in ascending order, then text_list_add()
 * for its texts; text_list_undo() takes that row back; text_list_finish() once, at the end.
 */
#ifndef UDF_TEXT_LIST_H
#define UDF_TEXT_LIST_H

#include "data/column.h"

typedef struct TextList {
    Column *result; /* ARRAY, or MAP where these are the keys */
    Arena *arena;
    Bytes *texts;
    uint64_t *validity; /* NULL: none is missing */
    size_t capacity, word_capacity;
    uint32_t count;
    uint32_t start;    /* of the row at hand */
    uint32_t next_row; /* offsets[0, next_row) are written */
} TextList;

void text_list_row(TextList *list, uint32_t row);
void text_list_undo(TextList *list, uint32_t row);
void text_list_add_grow(TextList *list, Bytes text); /* text_list_add() where there is no room */
static inline void text_list_add(TextList *list, Bytes text) {
    if (__builtin_expect(list->count < list->capacity && !list->validity, 1))
        list->texts[list->count++] = text;
    else
        text_list_add_grow(list, text);
}
/* That many may be put behind texts[count] without asking. */
static inline bool text_list_has_room(const TextList *list, uint32_t count) {
    return list->capacity - list->count >= count && !list->validity;
}
void text_list_add_null(TextList *list);
void text_list_finish(TextList *list);

/* The texts as the column of elements, without offsets: a MAP's values. */
void text_list_column(TextList *list, Column *target);

#endif
