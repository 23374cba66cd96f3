/*
 * regexp.c - REGEXP_EXTRACT, REGEXP_EXTRACT_ALL, REGEXP_REPLACE, REGEXP_SPLIT_TO_ARRAY.
 *
 * Constant patterns are compiled when the query starts, others are kept in the call's cache. What
 * is found points into the text.
 */
#include "base/utf8.h"
#include "udf/regexp_impl.h"
#include "udf/text_list.h"

static void *regexp_prepare_at(const Column *const *args, uint32_t index, Arena *arena) {
    RegexpCache *cache = regexp_cache_new(arena);
    const Column *pattern = args[index];
    const char *error;
    if (pattern && pattern->type->kind == TYPE_STRING && !column_is_null(pattern, 0))
        regexp_cache_get(cache, pattern->bytes[0], &error);
    return cache;
}

void *regexp_prepare_first(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arg_count >= 1);
    return regexp_prepare_at(args, 0, arena);
}

void *regexp_prepare_second(const Column *const *args, uint32_t arg_count, Arena *arena) {
    assert(arg_count >= 2);
    return regexp_prepare_at(args, 1, arena);
}

/* The search of a row; false: reported. */
static bool regexp_start(const FunctionCall *call, uint32_t row, uint32_t pattern_arg,
                         RegexpSearch *search) {
    const char *error;
    Bytes pattern = call->args[pattern_arg]->bytes[row];
    Bytes text = call->args[1 - pattern_arg]->bytes[row];
    assert(call->state && pattern_arg < 2);
    Regexp *regexp = regexp_cache_get(call->state, pattern, &error);
    if (regexp && regexp_search_start(search, regexp, text))
        return true;
    call->fail(call->context, row, "%s", regexp ? search->error : error);
    return false;
}

/* Whether the search was given up; if so, the row failed. */
static bool regexp_gave_up(const FunctionCall *call, uint32_t row, const RegexpSearch *search) {
    if (search->error)
        call->fail(call->context, row, "%s", search->error);
    return search->error != NULL;
}

/* == Extracting == */

/* The group in the third argument, 0 without one; false: there is no such group. */
static bool regexp_group(const FunctionCall *call, uint32_t row, const RegexpSearch *search,
                         uint32_t *group) {
    int32_t wanted = call->arg_count > 2 ? call->args[2]->i32[row] : 0;
    *group = (uint32_t)wanted;
    return wanted < 0 || *group <= regexp_group_count(search->regexp);
}

static bool regexp_group_fails(const FunctionCall *call, uint32_t row, uint32_t group) {
    if (group <= INT32_MAX)
        return false;
    call->fail(call->context, row, "no group %d", (int32_t)group);
    return true;
}

void regexp_extract(const FunctionCall *call) {
    assert(call->arg_count >= 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        RegexpSearch search;
        uint32_t row = call->rows[i], group;
        Bytes found;
        if (!regexp_start(call, row, 0, &search) || !regexp_group(call, row, &search, &group))
            continue;
        if (!regexp_search_next(&search))
            regexp_gave_up(call, row, &search);
        else if (!regexp_group_fails(call, row, group) &&
                 regexp_search_group(&search, group, &found))
            function_put_bytes(call, row, found);
    }
}

void regexp_extract_all(const FunctionCall *call) {
    TextList list = {.result = call->result, .arena = call->arena};
    assert(call->arg_count >= 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        RegexpSearch search;
        uint32_t row = call->rows[i], group;
        bool failed = false;
        if (!regexp_start(call, row, 0, &search) || !regexp_group(call, row, &search, &group))
            continue;
        text_list_row(&list, row);
        while (!failed && regexp_search_next(&search)) {
            Bytes found;
            failed = regexp_group_fails(call, row, group);
            if (failed)
                break;
            if (regexp_search_group(&search, group, &found))
                text_list_add(&list, found);
            else
                text_list_add_null(&list);
        }
        if (failed || regexp_gave_up(call, row, &search))
            text_list_undo(&list, row);
    }
    text_list_finish(&list);
}

/* == Replacing == */

/* Behind a '$' in a replacement: the group meant by digits or {name}; NULL or what is wrong. */
static const char *replace_group(const Regexp *regexp, Bytes with, uint32_t *at,
                                 uint32_t *group) {
    uint32_t next = *at, count = regexp_group_count(regexp);
    uint8_t byte = next < with.size ? with.data[next] : 0;
    if (byte == '{') {
        const uint8_t *name = with.data + next + 1;
        const uint8_t *end = memchr(name, '}', with.size - next - 1);
        if (!end)
            return "a group reference is missing its '}'";
        *group = regexp_group_by_name(regexp, (Bytes){name, (uint32_t)(end - name)});
        *at = (uint32_t)(end - with.data) + 1;
        return *group == UINT32_MAX ? "there is no group of the name in the replacement" : NULL;
    }
    if (byte < '0' || byte > '9')
        return "illegal group reference in the replacement";
    *group = byte - '0';
    if (*group > count)
        return "there is no group of the number in the replacement";
    for (next++; next < with.size && with.data[next] >= '0' && with.data[next] <= '9'; next++) {
        uint32_t longer = *group * 10 + (with.data[next] - '0');
        if (longer > count)
            break;
        *group = longer;
    }
    *at = next;
    return NULL;
}

/* Appends what the match at hand is replaced by; NULL or what is wrong. */
static const char *replace_append(Buf *out, const RegexpSearch *search, Bytes with) {
    for (uint32_t at = 0; at < with.size;) {
        uint8_t byte = with.data[at++];
        if (byte == '\\') {
            if (at == with.size)
                return "a character is missing behind the backslash in the replacement";
            buf_u8(out, with.data[at++]);
        } else if (byte == '$') {
            uint32_t group;
            Bytes found;
            const char *error = replace_group(search->regexp, with, &at, &group);
            if (error)
                return error;
            if (regexp_search_group(search, group, &found))
                buf_bytes(out, found);
        } else {
            buf_u8(out, byte);
        }
    }
    return NULL;
}

static void regexp_replace_row(const FunctionCall *call, uint32_t row, Buf *out,
                               FunctionRoom *room) {
    RegexpSearch search;
    const char *error = NULL;
    size_t done = 0;
    bool any = false;
    Bytes text = call->args[0]->bytes[row], with = call->args[2]->bytes[row];
    if (!regexp_start(call, row, 1, &search))
        return;
    buf_reset(out);
    while (!error && out->size <= VALUE_BYTES_MAX && regexp_search_next(&search)) {
        any = true;
        buf_put(out, search.text.data + done, search.groups[0] - done);
        done = search.groups[1];
        error = replace_append(out, &search, with);
    }
    if (error) {
        call->fail(call->context, row, "%s", error);
        return;
    }
    if (regexp_gave_up(call, row, &search))
        return;
    if (!any) {
        function_put_bytes(call, row, text);
        return;
    }
    buf_put(out, search.text.data + done, text.size - done);
    if (!function_too_long(call, row, out->size))
        function_put_bytes(call, row, function_room_copy(room, buf_view(out)));
}

void regexp_replace(const FunctionCall *call) {
    FunctionRoom room = {.arena = call->arena};
    Buf out = {0};
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++)
        regexp_replace_row(call, call->rows[i], &out, &room);
    buf_free(&out);
}

/* == Splitting == */

static Bytes split_part(const RegexpSearch *search, size_t from, size_t to) {
    assert(from <= to && to <= search->text.size);
    return (Bytes){search->text.data + from, (uint32_t)(to - from)};
}

/* Whether the pattern is one that fits the empty text as a whole. */
static bool split_fits_empty(Regexp *regexp) {
    RegexpSearch search;
    return regexp_search_start(&search, regexp, (Bytes){0}) && regexp_search_next(&search);
}

/* As Java's Pattern.split(): nothing before an empty match at the start, no empty parts at the
 * end. */
static void split_java(RegexpSearch *search, TextList *list) {
    size_t from = 0;
    uint32_t kept = list->count;
    while (regexp_search_next(search)) {
        size_t begin = search->groups[0], end = search->groups[1];
        if (from == 0 && end == 0)
            continue;
        text_list_add(list, split_part(search, from, begin));
        if (begin > from)
            kept = list->count;
        from = end;
    }
    if (from < search->text.size || from == 0) {
        text_list_add(list, split_part(search, from, search->text.size));
        kept = list->count;
    }
    list->count = kept;
}

/* As Guava's Splitter: all parts, and an empty match right where a part begins does not end it. */
static void split_all(RegexpSearch *search, TextList *list) {
    size_t from = 0;
    while (regexp_search_next(search)) {
        size_t begin = search->groups[0], end = search->groups[1];
        if (end == from) { /* the next search is one place further, the part goes on */
            uint32_t size = 1;
            if (end < search->text.size)
                utf8_decode(split_part(search, end, search->text.size), &size);
            regexp_search_from(search, (uint32_t)end + size);
            continue;
        }
        text_list_add(list, split_part(search, from, begin));
        from = end;
        regexp_search_from(search, (uint32_t)end);
    }
    text_list_add(list, split_part(search, from, search->text.size));
}

void regexp_split_to_array(const FunctionCall *call) {
    TextList list = {.result = call->result, .arena = call->arena};
    assert(call->arg_count == 2);
    for (uint32_t i = 0; i < call->row_count; i++) {
        RegexpSearch search;
        uint32_t row = call->rows[i];
        if (!regexp_start(call, row, 1, &search))
            continue;
        text_list_row(&list, row);
        if (split_fits_empty(search.regexp))
            split_java(&search, &list);
        else
            split_all(&search, &list);
        if (regexp_gave_up(call, row, &search))
            text_list_undo(&list, row);
    }
    text_list_finish(&list);
}
