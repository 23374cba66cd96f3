/*
 * serde_json_track.c - records that look as the one before: along the list of their quotes.
 *
 * Blocks of 64 bytes of the record become masks of their quotes, and the masks a list of places.
 * A string then ends at the next place, an integer before the comma in front of it, and nothing is
 * searched. The members must come as noted: a record of others leaves the track, the fast pass
 * reads it and notes them. Invariants: the columns are those that the fast pass makes; before a
 * value, `quote` is the first one at or behind it.
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
    if (!whole)
        track->count = 0;
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

static inline uint64_t list_quotes(const uint8_t *at, __m256i *others) {
    __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"'));
    __m256i backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'));
    __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), block); /* or not ASCII */
    *others = _mm256_or_si256(*others, _mm256_or_si256(backslash, low));
    return (uint32_t)_mm256_movemask_epi8(quote);
}

static inline uint64_t list_place(uint16_t *place, uint64_t mask, uint32_t at) {
    *place = (uint16_t)(at + (uint32_t)_tzcnt_u64(mask));
    return _blsr_u64(mask);
}

/* Four places at a time, though there be fewer: what is too much is written over. */
static inline uint16_t *list_put(uint16_t *next, uint64_t mask, uint32_t at) {
    uint16_t *after = next + __builtin_popcountll(mask);
    while (next < after) {
        mask = list_place(next, mask, at);
        mask = list_place(next + 1, mask, at);
        mask = list_place(next + 2, mask, at);
        mask = list_place(next + 3, mask, at);
        next += 4;
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

/* false: there are too many, or the record holds escapes, control characters or no text. */
static bool list_make(uint16_t *quotes, const uint8_t *begin, uint32_t size) {
    assert(size >= LIST_BLOCK && size < UINT16_MAX);
    __m256i others = _mm256_setzero_si256();
    uint16_t *next = quotes;
    for (uint32_t at = 0; at < size;) {
        uint32_t from = size - at >= LIST_BLOCK ? at : size - LIST_BLOCK;
        uint64_t mask = list_quotes(begin + from, &others);
        mask |= list_quotes(begin + from + LIST_BLOCK / 2, &others) << 32;
        if (next > quotes + JSON_QUOTES_MAX - LIST_BLOCK)
            return false;
        next = list_put(next, mask >> (at - from), at);
        at = from + LIST_BLOCK;
    }
    for (uint32_t i = 0; i < JSON_QUOTES_BEYOND; i++)
        next[i] = (uint16_t)size;
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
    const uint16_t *quote;
    uint32_t slot;
} Walk;

/* Reads a value from its text alone, and finds its place in the list again. */
static __attribute__((noinline)) const uint8_t *walk_other(Walk *walk, const JsonMark *mark,
                                                           const uint8_t *at) {
    Decoder *json = walk->json;
    assert(at < walk->end);
    at = mark->field ? json_fast_value(json, mark->field, walk->slot, at, 1)
                     : json_skip(json, at, 1);
    while (at && *walk->quote < at - walk->begin)
        walk->quote++;
    return at;
}

static inline void walk_present(const Walk *walk, const JsonMark *mark) {
    mark->validity[walk->slot / 64] |= (uint64_t)1 << (walk->slot % 64);
}

static inline const uint8_t *walk_string(Walk *walk, const JsonMark *mark, const uint8_t *at) {
    if (!JSON_LIKELY(*at == '"'))
        return walk_other(walk, mark, at);
    const uint8_t *close = walk->begin + walk->quote[1];
    if (close == walk->end)
        return NULL;
    walk->quote += 2;
    if (mark->used) {
        mark->bytes[walk->slot] = (Bytes){at + 1, (uint32_t)(close - at - 1)};
        walk_present(walk, mark);
    }
    return close + 1;
}

static inline const uint8_t *walk_integer(Walk *walk, const JsonMark *mark, const uint8_t *at) {
    /* Behind the last number stands the record's last brace, and no quote. */
    const uint8_t *stop = walk->begin + *walk->quote - 1;
    stop -= stop[-1] == ','; /* a blank between comma and quote */
    const uint8_t *first = at + (*at == '-');
    ptrdiff_t count = stop - first;
    uint64_t magnitude;
    if (!JSON_LIKELY(count >= 1 && count <= 16 &&
                     track_digits(first, (uint32_t)count, walk->end, &magnitude) &&
                     (*first != '0' || count == 1)))
        return walk_other(walk, mark, at);
    int64_t value = first == at ? (int64_t)magnitude : -(int64_t)magnitude;
    if (!JSON_LIKELY(mark->kind == TYPE_BIGINT))
        return json_value_i64(walk->json, mark->field, walk->slot, value) ? stop : NULL;
    if (mark->used) {
        mark->i64[walk->slot] = value;
        walk_present(walk, mark);
    }
    return stop;
}

static inline const uint8_t *walk_value(Walk *walk, const JsonMark *mark, const uint8_t *at) {
    switch (mark->kind) {
    case TYPE_STRING:
        return walk_string(walk, mark, at);
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return walk_integer(walk, mark, at);
    default:
        return walk_other(walk, mark, at);
    }
}

/* Whether this member's name is at `at`, and something follows. */
static inline bool walk_name(const Walk *walk, const JsonMark *mark, const uint8_t *at) {
    if (!JSON_LIKELY(walk->end - at > 16))
        return json_member_is(mark->member, at, walk->end);
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)mark->text);
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, text));
    return (same | mark->ignored) == 0xffff &&
           (mark->size <= 16 || json_member_is(mark->member, at, walk->end));
}

/* The members as noted; false: they are others. */
static bool walk_record(Walk *walk, const JsonTrack *track) {
    const uint8_t *at = walk->begin, *end = walk->end;
    const JsonMark *mark = track->marks, *last = mark + track->count - 1;
    assert(track->count > 0 && *at == '{');
    for (;; mark++) {
        at = json_space(at + 1, end);
        if (!JSON_LIKELY(walk_name(walk, mark, at)))
            return false;
        walk->quote += 2;
        at = json_space(at + mark->size, end);
        if (at == end)
            return false;
        at = walk_value(walk, mark, at);
        if (!at)
            return false;
        at = json_space(at, end);
        if (mark == last)
            return at + 1 == end && *at == '}';
        if (at == end || *at != ',')
            return false;
    }
}

static bool track_follow(Decoder *json, uint32_t record) {
    JsonTrack *track = &json->track;
    ptrdiff_t size = json->end - json->begin;
    assert(track->count > 0);
    if (size < LIST_BLOCK || size >= UINT16_MAX || *json->begin != '{' ||
        !list_make(track->quotes, json->begin, (uint32_t)size))
        return false;
    Walk walk = {json, json->begin, json->end, track->quotes, record};
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
