/*
 * serde_json_track.c - records that look as the one before: their members are followed.
 *
 * Blocks of 64 bytes of the record become masks of its quotes and commas, and these a list of the
 * quotes behind commas: there members begin. No end of a string or number is searched for, and no
 * member waits for the one before it. The members must come as noted: a record of others leaves the
 * track, the fast pass reads it and notes them. Invariant: the columns are those that the fast pass
 * makes.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/serde_json_impl.h"

#define JSON_LIKELY(condition) __builtin_expect(!!(condition), 1)

enum { TRACK_MISSES_MAX = 8, TRACK_PAUSE = 512 };

/* == Noting == */

void json_track_init(JsonTrack *track) {
    assert(track->count == 0);
#ifdef JSON_AVX2
    __builtin_cpu_init();
    track->can = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                 __builtin_cpu_supports("popcnt");
#endif
}

void json_track_begin(Decoder *json) {
    JsonTrack *track = &json->track;
    assert(track->count <= JSON_TRACK_MAX);
    track->misses = 0;
    track->learning = track->can && !json->bare && track->count == 0;
    for (uint32_t i = 0; i < track->count; i++) {
        JsonMark *mark = &track->marks[i];
        mark->data = mark->used ? mark->field->data : NULL;
        mark->validity = mark->used ? mark->field->validity : NULL;
    }
}

/* Written as an integer. */
static bool track_is_whole(TypeKind kind) {
    return kind == TYPE_INT || kind == TYPE_BIGINT || kind == TYPE_TIME || kind == TYPE_DATE ||
           kind == TYPE_TIMESTAMP;
}

void json_track_note(Decoder *json, const JsonMember *member, JsonField *field) {
    JsonTrack *track = &json->track;
    assert(track->learning);
    if (track->count == JSON_TRACK_MAX || member == &json->root.shape->other) {
        track->learning = false; /* not this one */
        track->count = 0;
        return;
    }
    JsonMark *mark = &track->marks[track->count++];
    *mark = (JsonMark){.member = member, .size = member->size,
                       .ignored = 0xffffU & ~(uint32_t)member->care, .field = field};
    memcpy(mark->text, member->text, sizeof mark->text);
    mark->kind = field ? field->kind : TYPE_NULL;
    mark->whole = field && track_is_whole(field->kind);
    mark->used = field && field->used;
    if (mark->used) {
        mark->data = field->data;
        mark->validity = field->validity;
    }
}

void json_track_noted(Decoder *json, bool whole) {
    JsonTrack *track = &json->track;
    assert(track->learning);
    track->learning = false;
    if (!whole || track->count == 0) {
        track->count = 0;
        return;
    }
    const JsonMember *second = track->marks[track->count > 1].member;
    const uint8_t *name = memmem(json->begin, (size_t)(json->end - json->begin), second->text,
                                 second->size);
    track->gap = name && name > json->begin && name[-1] == ' ';
}

/* The record is another one than was noted: the next pass notes it, if that does not go on. */
static void track_left(JsonTrack *track) {
    assert(track->can);
    track->count = 0;
    if (++track->misses < TRACK_MISSES_MAX) {
        track->learning = true;
    } else {
        track->misses = 0;
        track->pause = TRACK_PAUSE;
    }
}

#ifdef JSON_AVX2
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,popcnt")
#endif

/* == The list == */

enum { LIST_BLOCK = 64 };

/* What 64 bytes of a record are: bits for its quotes and commas. */
typedef struct ListMasks {
    uint64_t quotes, commas;
} ListMasks;

static inline ListMasks list_masks(const uint8_t *at, __m256i *others) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
    __m256i quote = _mm256_set1_epi8('"'), comma = _mm256_set1_epi8(',');
    __m256i backslash = _mm256_set1_epi8('\\'), blank = _mm256_set1_epi8(0x20);
    __m256i escapes = _mm256_or_si256(_mm256_cmpeq_epi8(low, backslash),
                                      _mm256_cmpeq_epi8(high, backslash));
    /* Below a blank as signed bytes are control characters and what is not ASCII. */
    __m256i strange = _mm256_cmpgt_epi8(blank, _mm256_min_epi8(low, high));
    *others = _mm256_or_si256(*others, _mm256_or_si256(escapes, strange));
    return (ListMasks){
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, quote)) |
            (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, quote)) << 32,
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, comma)) |
            (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, comma)) << 32,
    };
}

static inline uint64_t list_place(uint16_t *place, uint64_t mask, uint32_t at) {
    *place = (uint16_t)(at + (uint32_t)_tzcnt_u64(mask));
    return _blsr_u64(mask);
}

/* Two places at a time, though there be fewer: what is too much is written over. */
static inline uint16_t *list_put(uint16_t *next, uint64_t mask, uint32_t at) {
    uint16_t *after = next + __builtin_popcountll(mask);
    while (next < after) {
        mask = list_place(next, mask, at);
        mask = list_place(next + 1, mask, at);
        next += 2;
    }
    return after;
}

/* Whether nothing but bytes that are no ASCII was found in a record, and they are UTF-8. */
static bool list_is_text(Bytes record) {
    __m256i others = _mm256_setzero_si256();
    assert(record.size >= LIST_BLOCK);
    for (uint32_t at = 0; at < record.size;) {
        uint32_t from = record.size - at >= 32 ? at : record.size - 32;
        __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(record.data + from));
        __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1f)), block);
        __m256i backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'));
        others = _mm256_or_si256(others, _mm256_or_si256(control, backslash));
        at = from + 32;
    }
    return _mm256_testz_si256(others, others) && utf8_valid(record);
}

/* The quotes behind a comma and `gap` blanks: where members begin, and rarely a text ends. false:
 * there are too many, or the record holds escapes, control characters or no text. */
static inline bool list_make(JsonTrack *track, const uint8_t *begin, uint32_t size) {
    assert(size >= LIST_BLOCK && size < UINT16_MAX - LIST_BLOCK && track->gap <= 1);
    __m256i others = _mm256_setzero_si256();
    uint16_t *next = track->places;
    uint32_t shift = 1 + track->gap, quotes = 0;
    uint64_t carry = 0; /* commas of the block before that belong to quotes of this one */
    for (uint32_t at = 0; at < size; at += LIST_BLOCK) {
        uint32_t left = size - at, from = left >= LIST_BLOCK ? at : size - LIST_BLOCK;
        ListMasks masks = list_masks(begin + from, &others);
        masks.quotes >>= at - from;
        masks.commas >>= at - from;
        if (next > track->places + JSON_PLACES_MAX - LIST_BLOCK)
            return false;
        quotes += (uint32_t)__builtin_popcountll(masks.quotes);
        next = list_put(next, masks.quotes & (masks.commas << shift | carry), at);
        carry = masks.commas >> (64 - shift);
    }
    next[0] = next[1] = (uint16_t)(size + track->gap); /* as behind the last brace */
    track->quotes = quotes;
    return _mm256_testz_si256(others, others) || list_is_text((Bytes){begin, size});
}

/* == Integers == */

/* From byte `count` on: how `count` bytes are moved to the end of 16, zeros before them. */
static const uint8_t track_moves[32] = {
    128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
    0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
};

/* The `count` digits at `first`, at most 16, in a record that is longer; false: some are none. */
static inline bool track_digits(const uint8_t *first, uint32_t count, const uint8_t *end,
                                uint64_t *value) {
    const uint8_t *at = end - first >= 16 ? first : end - 16;
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i moves = _mm_loadu_si128((const __m128i *)(const void *)(track_moves + count));
    moves = _mm_add_epi8(moves, _mm_set1_epi8((char)(first - at)));
    __m128i digits = _mm_shuffle_epi8(_mm_sub_epi8(text, _mm_set1_epi8('0')), moves);
    __m128i good = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 | 1 << 16));
    fours = _mm_packus_epi32(fours, fours);
    __m128i eights = _mm_madd_epi16(fours, _mm_set1_epi32(10000 | 1 << 16));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    *value = (both & UINT32_MAX) * 100000000U + (both >> 32);
    return _mm_movemask_epi8(good) == 0xffff;
}

/* == Following == */

typedef struct Walk {
    Decoder *json;
    const uint8_t *begin, *end;
    uint64_t bit;  /* of the record in a word of validity */
    uint32_t word; /* that one */
    uint32_t slot;
} Walk;

static inline bool walk_string(const Walk *walk, const JsonMark *mark, const uint8_t *at,
                               const uint8_t *stop) {
    if (!JSON_LIKELY(stop - at >= 2 && *at == '"' && stop[-1] == '"'))
        return false;
    if (mark->used) {
        Bytes *target = &mark->bytes[walk->slot];
        target->data = at + 1;
        target->size = (uint32_t)(stop - at - 2);
        mark->validity[walk->word] |= walk->bit;
    }
    return true;
}

static inline bool walk_integer(const Walk *walk, const JsonMark *mark, const uint8_t *at,
                                const uint8_t *stop) {
    const uint8_t *first = at + (*at == '-');
    ptrdiff_t count = stop - first;
    uint64_t magnitude;
    if (!JSON_LIKELY(count >= 1 && count <= 16 &&
                     track_digits(first, (uint32_t)count, walk->end, &magnitude) &&
                     (*first != '0' || count == 1)))
        return false;
    int64_t value = first == at ? (int64_t)magnitude : -(int64_t)magnitude;
    if (!JSON_LIKELY(mark->kind == TYPE_BIGINT))
        return json_value_i64(walk->json, mark->field, walk->slot, value);
    if (mark->used) {
        mark->i64[walk->slot] = value;
        mark->validity[walk->word] |= walk->bit;
    }
    return true;
}

/* Reads a value from its text alone; *quotes: how many of them are in it. */
static __attribute__((noinline)) const uint8_t *walk_other(const Walk *walk, const JsonMark *mark,
                                                           const uint8_t *at, uint32_t *quotes) {
    Decoder *json = walk->json;
    assert(at > walk->begin);
    const uint8_t *next = mark->field ? json_fast_value(json, mark->field, walk->slot, at, 1)
                                      : json_skip(json, at, 1);
    for (; next && at < next; at++)
        *quotes += *at == '"';
    return next ? json_space(next, walk->end) : NULL;
}

/* Whether this member's name is at `at`, and something follows. */
static inline bool walk_name(const Walk *walk, const JsonMark *mark, const uint8_t *at) {
    if (!JSON_LIKELY(walk->end - at > 16))
        return at < walk->end && json_member_is(mark->member, at, walk->end);
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)mark->text);
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, text));
    return (same | mark->ignored) == 0xffff &&
           (mark->size <= 16 || json_member_is(mark->member, at, walk->end));
}

/* The members as noted; false: they are others. All quotes of the record must have been met: there
 * are none inside of texts. */
static inline bool walk_record(const Walk *walk, const JsonTrack *track) {
    const uint8_t *at = walk->begin + 1, *end = walk->end;
    const uint16_t *place = track->places;
    const JsonMark *mark = track->marks, *last = mark + track->count - 1;
    uint32_t quotes = 2 * track->count, gap = track->gap;
    assert(track->count > 0 && end[-1] == '}');
    for (;; mark++) {
        if (!JSON_LIKELY(walk_name(walk, mark, at)))
            return false;
        at += mark->size;
        at += *at == ' ';
        const uint8_t *next = walk->begin + *place, *stop = next - 1 - gap;
        bool is_text = mark->kind == TYPE_STRING;
        if (JSON_LIKELY(is_text ? walk_string(walk, mark, at, stop)
                                : mark->whole && walk_integer(walk, mark, at, stop))) {
            quotes += is_text ? 2 : 0;
        } else {
            stop = at < end ? walk_other(walk, mark, at, &quotes) : NULL;
            if (!stop || stop >= end)
                return false;
            while (*place < stop - walk->begin)
                place++;
            next = stop + 1 + gap;
        }
        if (mark == last)
            return stop + 1 == end && quotes == track->quotes;
        if (*stop != ',' || (gap && stop[1] != ' '))
            return false;
        place++;
        at = next;
    }
}

static bool track_follow(Decoder *json, uint32_t record) {
    JsonTrack *track = &json->track;
    ptrdiff_t size = json->end - json->begin;
    assert(track->count > 0);
    if (size < LIST_BLOCK || size >= UINT16_MAX - LIST_BLOCK || *json->begin != '{' ||
        json->end[-1] != '}' || !list_make(track, json->begin, (uint32_t)size))
        return false;
    Walk walk = {.json = json, .begin = json->begin, .end = json->end,
                 .bit = (uint64_t)1 << (record % 64), .word = record / 64, .slot = record};
    if (walk_record(&walk, track))
        return true;
    for (uint32_t i = 0; i < json->root.child_count; i++)
        json_column_clear(&json->root.children[i], record);
    track_left(track);
    return false;
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

bool json_track_record(Decoder *json, uint32_t record) {
    JsonTrack *track = &json->track;
    assert(json->input && record < json->input->count);
    if (track->count > 0)
        return track_follow(json, record);
    if (track->pause > 0)
        track->learning = --track->pause == 0;
    return false;
}
#else
bool json_track_record(Decoder *json, uint32_t record) {
    assert(!json->track.can && record < json->input->count);
    (void)json;
    (void)record;
    (void)track_left;
    return false;
}
#endif
