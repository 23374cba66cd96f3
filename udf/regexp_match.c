/*
 * regexp_match.c - compiled patterns, and searches that cannot hang.
 *
 * A pattern is compiled to machine code. PCRE2's match limit counts for each place of the text
 * anew, so it is set by the text's size such that all places together stay within
 * REGEXP_QUICK_WORK. Texts that are too long for that, and searches that reach the limit, go on
 * with a second program of the same pattern that calls back at each item: search_count() adds up
 * what is done, and gives up after REGEXP_STEPS_MAX a row. Memory for backtracking is bounded too.
 * What a search finds does not depend on the machine's speed.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "udf/regexp_impl.h"

enum {
    REGEXP_CACHE_SIZE = 16,
    REGEXP_QUICK_BYTES = 8 << 10,  /* longer texts are counted from the start */
    REGEXP_QUICK_WORK = 20000000,  /* about 0.1 s if all of it is used */
    REGEXP_STEPS_MAX = 10000000,   /* of one row: about half a second */
    REGEXP_HEAP_KIB_MAX = 16 << 10,
    /* Without its search for where a match may begin: in 10.42 the JIT's misses matches of
     * (?:ab|a)c*bx, and the least length is wrong for (a|\\1?b); later ones had such faults too. */
    REGEXP_OPTIONS = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C |
                     PCRE2_NO_START_OPTIMIZE,
};

struct Regexp {
    Bytes pattern; /* Java's; own copy */
    uint64_t used; /* when, in calls of the cache */
    RegexpCache *cache;
    RegexpTranslation translation;
    pcre2_code *quick;   /* NULL: the translation's error says why */
    pcre2_code *counted; /* NULL: not needed yet */
    pcre2_match_data *match;
};

struct RegexpCache {
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *limited; /* for quick programs */
    pcre2_match_context *counting;
    uint64_t calls;
    Regexp entries[REGEXP_CACHE_SIZE];
};

/* == The cache == */

static void *cache_alloc(size_t size, void *context) {
    (void)context;
    return mem_alloc(size);
}

static void cache_release(void *memory, void *context) {
    (void)context;
    mem_free(memory);
}

static void regexp_close(Regexp *regexp) {
    pcre2_match_data_free(regexp->match);
    pcre2_code_free(regexp->quick);
    pcre2_code_free(regexp->counted);
    regexp_translation_free(&regexp->translation);
    mem_free((void *)(uintptr_t)regexp->pattern.data);
    *regexp = (Regexp){0};
}

static void cache_close(void *object) {
    RegexpCache *cache = object;
    for (uint32_t i = 0; i < REGEXP_CACHE_SIZE; i++)
        regexp_close(&cache->entries[i]);
    pcre2_match_context_free(cache->limited);
    pcre2_match_context_free(cache->counting);
    pcre2_compile_context_free(cache->compile);
    pcre2_general_context_free(cache->general);
}

/* At \G of either program; and at each item of the one that counts: one step, and more where much
 * text has been passed. */
static int search_count(pcre2_callout_block *block, void *context) {
    RegexpSearch *search = context;
    if (block->callout_number == 1)
        return search->past_empty;
    size_t at = block->current_position, last = search->last_step;
    search->steps += 1 + (at > last ? at - last : last - at) / 64;
    search->last_step = at;
    return search->steps > REGEXP_STEPS_MAX ? PCRE2_ERROR_CALLOUT : 0;
}

RegexpCache *regexp_cache_new(Arena *arena) {
    RegexpCache *cache = arena_alloc(arena, sizeof *cache);
    cache->general = pcre2_general_context_create(cache_alloc, cache_release, NULL);
    cache->compile = pcre2_compile_context_create(cache->general);
    cache->limited = pcre2_match_context_create(cache->general);
    cache->counting = pcre2_match_context_create(cache->general);
    pcre2_set_heap_limit(cache->limited, REGEXP_HEAP_KIB_MAX);
    pcre2_set_heap_limit(cache->counting, REGEXP_HEAP_KIB_MAX);
    arena_defer(arena, cache_close, cache);
    return cache;
}

static pcre2_code *regexp_compile(Regexp *regexp, uint32_t options) {
    const Buf *text = &regexp->translation.text;
    char *error = regexp->translation.error;
    int code;
    PCRE2_SIZE offset;
    static const uint8_t nothing[1];
    pcre2_code *program = pcre2_compile(text->size ? text->data : nothing, text->size,
                                        REGEXP_OPTIONS | options, &code, &offset,
                                        regexp->cache->compile);
    if (!program)
        pcre2_get_error_message(code, (PCRE2_UCHAR *)error, REGEXP_ERROR_SIZE);
    else
        pcre2_jit_compile(program, PCRE2_JIT_COMPLETE); /* where it fails, it is interpreted */
    return program;
}

static void regexp_open(Regexp *regexp, RegexpCache *cache, Bytes pattern) {
    uint8_t *copy = mem_alloc(pattern.size + 1U);
    memcpy(copy, pattern.size ? pattern.data : copy, pattern.size);
    regexp->pattern = (Bytes){copy, pattern.size};
    regexp->cache = cache;
    if (!regexp_translate(regexp->pattern, &regexp->translation))
        return;
    regexp->quick = regexp_compile(regexp, 0);
    if (regexp->quick)
        regexp->match = pcre2_match_data_create_from_pattern(regexp->quick, cache->general);
}

Regexp *regexp_cache_get(RegexpCache *cache, Bytes pattern, const char **error) {
    Regexp *oldest = &cache->entries[0], *found = NULL;
    assert(error);
    for (uint32_t i = 0; i < REGEXP_CACHE_SIZE && !found; i++) {
        Regexp *entry = &cache->entries[i];
        if (entry->pattern.data && bytes_equal(entry->pattern, pattern))
            found = entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    if (!found) {
        found = oldest;
        regexp_close(found);
        regexp_open(found, cache, pattern);
    }
    found->used = ++cache->calls;
    *error = found->translation.error;
    return found->quick ? found : NULL;
}

uint32_t regexp_group_count(const Regexp *regexp) {
    return regexp->translation.group_count;
}

uint32_t regexp_group_by_name(const Regexp *regexp, Bytes name) {
    for (uint32_t i = 0; i < regexp->translation.name_count; i++)
        if (bytes_equal(regexp->translation.names[i].text, name))
            return regexp->translation.names[i].group;
    return UINT32_MAX;
}

/* == Searching == */

bool regexp_search_start(RegexpSearch *search, Regexp *regexp, Bytes text) {
    static const uint8_t nothing[1];
    *search = (RegexpSearch){.regexp = regexp, .text = text};
    if (!text.data)
        search->text.data = nothing;
    if (!utf8_valid(text))
        search->error = "the text is not valid UTF-8";
    search->groups = pcre2_get_ovector_pointer(regexp->match);
    return !search->error;
}

void regexp_search_from(RegexpSearch *search, uint32_t offset) {
    search->past_empty = false;
    search->next = offset <= search->text.size ? offset : UINT32_MAX;
}

/* What one place of the text may cost so that all places together are bounded. A single step may
 * run over the whole text: far cheaper than a step, but it counts for long ones. */
static uint32_t search_limit(uint32_t size) {
    uint32_t places = size + 1;
    return REGEXP_QUICK_WORK / places / (1 + size / 256) + 1;
}

static int search_quick(RegexpSearch *search) {
    Regexp *regexp = search->regexp;
    const Buf *prefix = &regexp->translation.prefix;
    if (prefix->size > 0)
        search->next = utf8_find(search->text, buf_view(prefix), search->next);
    if (search->next == UINT32_MAX)
        return PCRE2_ERROR_NOMATCH;
    pcre2_set_callout(regexp->cache->limited, search_count, search);
    pcre2_set_match_limit(regexp->cache->limited, search_limit(search->text.size));
    return pcre2_match(regexp->quick, search->text.data, search->text.size, search->next,
                       PCRE2_NO_UTF_CHECK, regexp->match, regexp->cache->limited);
}

static int search_counted(RegexpSearch *search) {
    Regexp *regexp = search->regexp;
    pcre2_match_context *counting = regexp->cache->counting;
    if (!regexp->counted)
        regexp->counted = regexp_compile(regexp, PCRE2_AUTO_CALLOUT);
    if (!regexp->counted)
        return PCRE2_ERROR_HEAPLIMIT; /* too large with its calls */
    pcre2_set_callout(counting, search_count, search);
    pcre2_set_match_limit(counting, UINT32_MAX);
    int code = pcre2_match(regexp->counted, search->text.data, search->text.size, search->next,
                           PCRE2_NO_UTF_CHECK, regexp->match, counting);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT)
        code = pcre2_match(regexp->counted, search->text.data, search->text.size, search->next,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, regexp->match, counting);
    return code;
}

static void search_fail(RegexpSearch *search, int code) {
    assert(code < PCRE2_ERROR_NOMATCH);
    search->error = code == PCRE2_ERROR_CALLOUT || code == PCRE2_ERROR_MATCHLIMIT
                        ? "the pattern takes too many steps on this text"
                        : "the pattern takes too much memory on this text";
}

bool regexp_search_next(RegexpSearch *search) {
    if (search->next == UINT32_MAX || search->error)
        return false;
    int code = PCRE2_ERROR_MATCHLIMIT;
    if (search->text.size <= REGEXP_QUICK_BYTES)
        code = search_quick(search);
    if (code < PCRE2_ERROR_NOMATCH)
        code = search_counted(search);
    if (code < PCRE2_ERROR_NOMATCH)
        search_fail(search, code);
    if (code <= 0) {
        search->next = UINT32_MAX;
        return false;
    }
    uint32_t begin = (uint32_t)search->groups[0], end = (uint32_t)search->groups[1];
    regexp_search_from(search, end);
    if (begin == end) { /* not the same place again */
        uint32_t size = 1;
        if (end < search->text.size)
            utf8_decode((Bytes){search->text.data + end, search->text.size - end}, &size);
        regexp_search_from(search, end + size);
        search->past_empty = true;
    }
    return true;
}

bool regexp_search_group(const RegexpSearch *search, uint32_t group, Bytes *text) {
    assert(group <= regexp_group_count(search->regexp));
    size_t begin = search->groups[2 * group], end = search->groups[2 * group + 1];
    if (begin == PCRE2_UNSET)
        return false;
    *text = (Bytes){search->text.data + begin, (uint32_t)(end - begin)};
    return true;
}
