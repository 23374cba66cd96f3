/*
 * text_list.c - see text_list.h.
 */
#include "udf/text_list.h"

void text_list_row(TextList *list, uint32_t row) {
    assert(row >= list->next_row && row < list->result->length);
    while (list->next_row <= row) /* rows between the last and this one are empty and missing */
        list->result->offsets[list->next_row++] = list->count;
    list->start = list->count;
    column_set_present(list->result, row);
}

void text_list_undo(TextList *list, uint32_t row) {
    assert(row + 1 == list->next_row);
    for (uint32_t i = list->start; list->validity && i < list->count; i++)
        list->validity[i / 64] &= ~((uint64_t)1 << (i % 64));
    list->count = list->start;
    column_set_null(list->result, row);
}

static void text_list_present(TextList *list, uint32_t index) {
    list->validity = arena_grow(list->arena, list->validity, &list->word_capacity,
                                index / 64 + 1U, sizeof *list->validity);
    list->validity[index / 64] |= (uint64_t)1 << (index % 64);
}

/* The first room is for eight texts a row: what has more doubles it. */
static void text_list_put(TextList *list, Bytes text) {
    size_t needed = list->texts ? (size_t)list->count + 1 : 8 * (size_t)list->result->length;
    list->texts = arena_grow(list->arena, list->texts, &list->capacity, needed ? needed : 1,
                             sizeof *list->texts);
    list->texts[list->count++] = text;
}

void text_list_add_grow(TextList *list, Bytes text) {
    if (list->validity)
        text_list_present(list, list->count);
    text_list_put(list, text);
}

void text_list_add_null(TextList *list) {
    if (!list->validity) { /* the first one: all before it are there */
        list->validity = arena_grow(list->arena, NULL, &list->word_capacity,
                                    list->count / 64 + 1U, sizeof *list->validity);
        for (uint32_t i = 0; i < list->count; i++)
            text_list_present(list, i);
    }
    text_list_put(list, (Bytes){0});
    list->validity = arena_grow(list->arena, list->validity, &list->word_capacity,
                                list->count / 64 + 1U, sizeof *list->validity);
}

void text_list_column(TextList *list, Column *target) {
    const Type *type = target->type;
    assert(type->kind == TYPE_STRING || type->kind == TYPE_BYTES);
    *target = (Column){.type = type, .length = list->count, .bytes = list->texts,
                       .validity = list->validity};
}

void text_list_finish(TextList *list) {
    Column *result = list->result;
    while (list->next_row <= result->length)
        result->offsets[list->next_row++] = list->count;
    text_list_column(list, &result->children[0]);
}
