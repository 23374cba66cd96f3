/*
 * string_find.c - functions that look for text in text: INSTR, SPLIT, FIELD, ELT.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"
#include "udf/text_list.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* == INSTR == */

/* The last place of `part` that begins at or before byte `from`; UINT32_MAX: none. */
static uint32_t find_last(Bytes text, Bytes part, uint32_t from) {
    if (part.size > text.size)
        return UINT32_MAX;
    if (from > text.size - part.size)
        from = text.size - part.size;
    for (uint32_t at = from + 1; at-- > 0;)
        if (part.size == 0 || memcmp(text.data + at, part.data, part.size) == 0)
            return at;
    return UINT32_MAX;
}

/* Byte offset of the n-th occurrence from unit `position` on, counted from 1; below 0: from the
 * end back, of those that end there or before. UINT32_MAX: none. */
static uint32_t find_occurrence(Bytes text, Bytes part, int64_t position, int32_t occurrence) {
    bool back = position < 0;
    int64_t unit = back ? utf8_length(text) + position + 1 : position - 1;
    uint32_t at = utf8_offset(text, (uint32_t)unit);
    if (back)
        text.size = at;
    at = back ? find_last(text, part, at) : utf8_find(text, part, at);
    for (int32_t i = 1; i < occurrence && at != UINT32_MAX; i++) {
        if (back)
            at = at == 0 ? UINT32_MAX : find_last(text, part, at - 1);
        else
            at = utf8_find(text, part, at + 1);
    }
    return at;
}

/* The answer for texts that are there. */
static int32_t find_position(Bytes text, Bytes part, int64_t position, int32_t occurrence) {
    int64_t length = utf8_length(text);
    if (position == 0 || position > length || -position > length || occurrence <= 0)
        return 0;
    if (part.size == 0) /* found where the search begins */
        return (int32_t)(position < 0 ? length + position + 2 : position);
    uint32_t at = find_occurrence(text, part, position, occurrence);
    return at == UINT32_MAX ? 0 : (int32_t)utf8_length((Bytes){text.data, at}) + 1;
}

void string_instr(const FunctionCall *call) {
    assert(call->arg_count >= 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if ((call->arg_count > 2 && column_is_null(call->args[2], row)) ||
            (call->arg_count > 3 && column_is_null(call->args[3], row)))
            continue;
        int32_t position = call->arg_count > 2 ? call->args[2]->i32[row] : 1;
        int32_t occurrence = call->arg_count > 3 ? call->args[3]->i32[row] : 1;
        Bytes text = call->args[0]->bytes[row], part = call->args[1]->bytes[row];
        bool missing = column_is_null(call->args[0], row) || column_is_null(call->args[1], row);
        function_put_i32(call, row,
                         missing ? 0 : find_position(text, part, position, occurrence));
    }
}

/* == SPLIT == */

/* Without a delimiter: character by character (byte by byte of BYTES). */
static void find_split_each(TextList *list, Bytes text, bool bytes) {
    for (uint32_t at = 0, size = 1; at < text.size; at += size) {
        if (!bytes)
            utf8_decode((Bytes){text.data + at, text.size - at}, &size);
        text_list_add(list, (Bytes){text.data + at, size});
    }
    if (text.size == 0)
        text_list_add(list, text);
}

#ifdef __SSE2__
static inline uint64_t find_mask_16(const uint8_t *at, uint8_t wanted) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i same = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)wanted));
    return (uint64_t)(uint32_t)_mm_movemask_epi8(same);
}
#endif

/* One bit for each of up to 64 bytes that is `wanted`. */
static inline uint64_t find_mask(const uint8_t *at, uint32_t size, uint8_t wanted) {
    uint64_t mask = 0;
    uint32_t i = 0;
    assert(size <= 64);
#ifdef __SSE2__
    for (; i + 16 <= size; i += 16)
        mask |= find_mask_16(at + i, wanted) << i;
    if (size >= 16 && i < size) /* the last 16 bytes, some of them once more */
        return mask | find_mask_16(at + size - 16, wanted) << (size - 16);
#endif
    for (; i < size; i++)
        mask |= (uint64_t)(at[i] == wanted) << i;
    return mask;
}

/* The texts of 64 bytes, the first from `from` on, where there is room for all of them. Returns
 * where the next one begins. */
static inline uint32_t find_put_texts(TextList *list, const uint8_t *text, uint32_t from,
                                      uint32_t at, uint64_t found) {
    Bytes *to = list->texts + list->count;
    for (; found != 0; found &= found - 1) {
        uint32_t end = at + (uint32_t)__builtin_ctzll(found);
        *to++ = (Bytes){text + from, end - from};
        from = end + 1;
    }
    list->count = (uint32_t)(to - list->texts);
    return from;
}

/* Each byte that is the delimiter ends a text. */
static void find_split_byte(TextList *list, Bytes text, uint8_t delimiter) {
    uint32_t from = 0;
    assert(text.data || text.size == 0);
    for (uint32_t at = 0; at < text.size; at += 64) {
        uint32_t left = text.size - at;
        uint64_t found = find_mask(text.data + at, left < 64 ? left : 64, delimiter);
        if (text_list_has_room(list, 64)) {
            from = find_put_texts(list, text.data, from, at, found);
            continue;
        }
        for (; found != 0; found &= found - 1) {
            uint32_t end = at + (uint32_t)__builtin_ctzll(found);
            text_list_add(list, (Bytes){text.data + from, end - from});
            from = end + 1;
        }
    }
    text_list_add(list, (Bytes){text.data ? text.data + from : NULL, text.size - from});
}

static void find_split(TextList *list, Bytes text, Bytes delimiter) {
    uint32_t from = 0, at;
    assert(delimiter.size > 0);
    if (delimiter.size == 1) {
        find_split_byte(list, text, delimiter.data[0]);
        return;
    }
    while ((at = utf8_find(text, delimiter, from)) != UINT32_MAX) {
        text_list_add(list, (Bytes){text.data + from, at - from});
        from = at + delimiter.size;
    }
    text_list_add(list, (Bytes){text.data ? text.data + from : NULL, text.size - from});
}

void string_split(const FunctionCall *call) {
    TextList list = {.result = call->result, .arena = call->arena};
    bool bytes = call->args[0]->type->kind == TYPE_BYTES;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Bytes text = call->args[0]->bytes[row], delimiter = call->args[1]->bytes[row];
        text_list_row(&list, row);
        if (delimiter.size == 0)
            find_split_each(&list, text, bytes);
        else
            find_split(&list, text, delimiter);
    }
    text_list_finish(&list);
}

/* == FIELD, ELT == */

void string_field(const FunctionCall *call) {
    assert(call->arg_count > 0);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        int32_t found = 0;
        for (uint32_t arg = 1; arg < call->arg_count && found == 0; arg++) {
            const Column *column = call->args[arg];
            if (!column_is_null(call->args[0], row) && column->type->kind != TYPE_NULL &&
                !column_is_null(column, row) &&
                bytes_equal(call->args[0]->bytes[row], column->bytes[row]))
                found = (int32_t)arg;
        }
        function_put_i32(call, row, found);
    }
}

void string_elt(const FunctionCall *call) {
    assert(call->arg_count > 0);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(call->args[0], row))
            continue;
        int64_t wanted = call->args[0]->i32[row];
        if (wanted < 1 || wanted >= call->arg_count)
            continue;
        const Column *column = call->args[wanted];
        if (column->type->kind != TYPE_NULL && !column_is_null(column, row))
            function_put_bytes(call, row, column->bytes[row]);
    }
}
