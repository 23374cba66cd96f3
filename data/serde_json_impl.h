/*
 * serde_json_impl.h - the inside of the JSON format.
 *
 *   serde_json.c         the Format; a record's way: fast, and where that gives up, careful
 *   serde_json_track.c   records that look as the one before: their members are followed
 *   serde_json_fast.c    one pass that guesses that all is well: types fit, no member comes twice
 *   serde_json_slow.c    the pass that takes its time: who of several members wins, what is wrong
 *   serde_json_name.c    which field a member name means, and which name will come next
 *   serde_json_value.c   one scalar into its column
 *   serde_json_column.c  columns that grow, forget and become final
 *   serde_json_skip.c    is it JSON? strings, numbers, whole values
 *   serde_json_scan.c    the next byte of a string that needs a look
 *   serde_json_text.c    JSON values as text: unescaping, numbers, objects and arrays
 *   serde_json_write.c   the encoder
 *
 * Invariant: both passes give the same columns for a record that the fast one accepts; the fast
 * pass never decides that a record is bad.
 */
#ifndef DATA_SERDE_JSON_IMPL_H
#define DATA_SERDE_JSON_IMPL_H

#include "base/limits.h"
#include "data/json_text.h"
#include "data/serde.h"

#if defined(__SSE2__) && !defined(JSON_PORTABLE)
#include <emmintrin.h>
#define JSON_SSE2 1
#if defined(__x86_64__)
#define JSON_AVX2 1 /* compiled; used where the CPU has it */
#endif
#endif

/* == What a decoder is made of == */

enum {
    JSON_UNKNOWN = -1,         /* a member that no field wants */
    JSON_SHARED = -2,          /* one that two want: "ab" for `ab` and for `AB` */
    JSON_MEMBER_TEXT = 52,     /* longer names are looked up each time */
    JSON_UNKNOWN_MEMBERS = 64, /* unknown names remembered for each object */
};

/* A member name as records write it: "name": with its quotes and colon. */
typedef struct JsonMember {
    uint8_t text[JSON_MEMBER_TEXT]; /* zero-padded */
    uint16_t size;
    uint16_t care; /* which of the first 16 bytes count, one bit each */
    int32_t field; /* index among the fields, JSON_UNKNOWN or JSON_SHARED */
    uint32_t next; /* the member that followed it last time */
} JsonMember;

/* The members of one kind of object: those that were met, and the fields by name. */
typedef struct JsonShape {
    JsonMember *members;
    uint32_t count;
    uint32_t unknown_count;
    uint32_t first; /* the member that the last object began with */
    uint32_t table_mask;
    uint16_t *table; /* hash of the text to 1 + index in members; 0: free */
    uint32_t names_mask;
    uint16_t *names; /* hash of the field's name to 1 + its index */
    JsonMember other; /* for a name that is not kept in members */
} JsonShape;

/* A declared value: a column, a field of a STRUCT, an element, a key or a value of a MAP. */
typedef struct JsonField JsonField;

struct JsonField {
    const Type *type;
    TypeKind kind; /* the type's */
    bool used;
    Bytes name; /* of a column or STRUCT field */
    JsonField *children; /* one for each of type->fields; of the record itself: the columns */
    uint32_t child_count;
    JsonShape *shape; /* STRUCT only */

    /* The column that this decode() fills; nothing of it is set where the field is not used. */
    union {
        void *data;
        uint8_t *boolean;
        int32_t *i32;
        int64_t *i64;
        double *f64;
        Bytes *bytes;
    };
    uint64_t *validity;
    uint32_t *offsets;  /* ARRAY, MAP: set up to offsets[filled] */
    uint32_t filled;
    uint32_t length;    /* elements so far; of fields with slots of their own only */
    uint32_t capacity;  /* slots that data, validity and offsets have room for */
    uint32_t width;     /* type_width() */

    uint64_t stamp;        /* of the object in which it was last met */
    const uint8_t *found;  /* the slow pass: where its value begins */
    bool found_exactly;
};

/* How the slow pass came to a value, for messages: .NAME, [12] or .key.value */
typedef struct JsonStep {
    const char *suffix; /* ".value" of a MAP, "" otherwise */
    Bytes name;
    uint32_t index; /* of an ARRAY's element, where name.data is NULL */
} JsonStep;

/* == The track: serde_json_track.c == */

enum {
    JSON_TRACK_MAX = 64,    /* members of a record that can be followed */
    JSON_PLACES_MAX = 1024, /* a record with more places to look at is not */
    JSON_PLACES_BEYOND = 2, /* entries behind the last place */
};

/* A member as the last record had it, with all that following it needs in one place. */
typedef struct JsonMark {
    uint8_t text[16]; /* the beginning of member->text */
    uint32_t ignored; /* bits of the bytes of `text` that do not count, and above */
    uint32_t size;
    const JsonMember *member;
    JsonField *field; /* NULL: nobody wants it */
    TypeKind kind;
    bool whole; /* an integer's */
    bool used;
    union { /* the field's column in this decode() */
        void *data;
        int64_t *i64;
        Bytes *bytes;
    };
    uint64_t *validity;
} JsonMark;

typedef struct JsonTrack {
    bool can;        /* the CPU has what it takes */
    bool learning;   /* the fast pass notes its members */
    uint32_t count;  /* marks; 0: no record was noted */
    uint32_t misses; /* records off the track in this decode() */
    uint32_t pause;  /* records that are not tried */
    JsonMark marks[JSON_TRACK_MAX];
    uint32_t gap;    /* blanks between a comma and a name: 0 or 1 */
    /* Of the record at hand. */
    uint32_t quotes;
    uint16_t places[JSON_PLACES_MAX + JSON_PLACES_BEYOND];
} JsonTrack;

typedef const uint8_t *JsonScan(const uint8_t *at, const uint8_t *end);

enum { JSON_ERROR_SIZE = 512 };

struct Decoder {
    JsonField root; /* a STRUCT of the columns, or the column itself where it is bare */
    bool bare;
    JsonScan *scan_long; /* json_scan_avx2 where the CPU has it */
    uint64_t stamp;      /* one for each object */

    const DecodeInput *input;
    const uint8_t *begin; /* the record without white space around it */
    const uint8_t *end;
    const uint8_t *record; /* the whole record, for positions in messages */
    uint8_t *room; /* for unescaped strings, in input->arena */
    uint8_t *room_end;
    size_t room_size;

    const char *fault; /* what is no JSON, and where */
    const uint8_t *fault_at;
    JsonStep path[ROW_NESTING_MAX + 1];
    uint32_t path_size;
    char error[JSON_ERROR_SIZE];
    JsonTrack track;
};

/* == Scanning: serde_json_scan.c == */

/* The first byte of [at, end) that is a quote, a backslash, a control character or not ASCII; end
 * where there is none. The portable one reads nothing outside; for the other two, 32 bytes before
 * `at` are readable. */
const uint8_t *json_scan_portable(const uint8_t *at, const uint8_t *end);
JsonScan *json_scan_best(void);
#ifdef JSON_SSE2
const uint8_t *json_scan_sse2(const uint8_t *at, const uint8_t *end);
const uint8_t *json_scan_avx2(const uint8_t *at, const uint8_t *end); /* where the CPU has it */
#endif

/* The same, passing over bytes that are not ASCII. */
const uint8_t *json_scan_wide(const uint8_t *at, const uint8_t *end);

/* Copies [at, end) up to the first byte that a JSON string must escape, which it returns; *target
 * moves along. At least end - at bytes there are writable. */
const uint8_t *json_copy(uint8_t **target, const uint8_t *at, const uint8_t *end);

#ifdef JSON_SSE2
/* One bit for each of 16 bytes that json_scan stops at: below 0x20 as a signed byte is a control
 * character or not ASCII. */
static inline uint32_t json_scan_mask(const uint8_t *at) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i other = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
    __m128i any = _mm_or_si128(_mm_or_si128(quote, backslash), other);
    return (uint32_t)_mm_movemask_epi8(any);
}

/* The last bytes of a record: the block that ends with it, without what lies before `at`. */
static inline const uint8_t *json_scan_end(const Decoder *json, const uint8_t *at) {
    const uint8_t *end = json->end;
    if (end - json->begin < 16)
        return json_scan_portable(at, end);
    uint32_t mask = json_scan_mask(end - 16) >> (16 - (end - at));
    return mask ? at + __builtin_ctz(mask) : end;
}

static inline const uint8_t *json_scan(const Decoder *json, const uint8_t *at) {
    if (json->end - at < 16)
        return json_scan_end(json, at);
    uint32_t mask = json_scan_mask(at);
    if (mask)
        return at + __builtin_ctz(mask);
    at += 16;
    if (json->end - at < 16)
        return json_scan_end(json, at);
    mask = json_scan_mask(at);
    if (mask)
        return at + __builtin_ctz(mask);
    return json->scan_long(at + 16, json->end);
}
#else
static inline const uint8_t *json_scan(const Decoder *json, const uint8_t *at) {
    return json_scan_portable(at, json->end);
}
#endif

static inline bool json_is_space(uint8_t c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Most records have no white space, or one blank. */
static inline const uint8_t *json_space(const uint8_t *at, const uint8_t *end) {
    if (at < end && __builtin_expect(*at <= ' ', 0)) {
        at += *at == ' ';
        while (at < end && *at <= ' ' && json_is_space(*at))
            at++;
    }
    return at;
}

/* == Syntax: serde_json_skip.c. All return what follows, or NULL with fault and fault_at set. == */

/* From behind the opening quote to the closing one; escapes are checked, and that it is UTF-8. */
const uint8_t *json_string_rest(Decoder *json, const uint8_t *at, const uint8_t *stop,
                                bool *escaped);

static inline const uint8_t *json_string(Decoder *json, const uint8_t *at, bool *escaped) {
    const uint8_t *stop = json_scan(json, at);
    *escaped = false;
    if (__builtin_expect(stop < json->end && *stop == '"', 1))
        return stop;
    return json_string_rest(json, at, stop, escaped);
}

const uint8_t *json_number(Decoder *json, const uint8_t *at);
const uint8_t *json_literal(Decoder *json, const uint8_t *at); /* true, false, null */

/* A whole value; `depth` objects and arrays are open around it. */
const uint8_t *json_skip(Decoder *json, const uint8_t *at, uint32_t depth);
const uint8_t *json_fault(Decoder *json, const char *fault, const uint8_t *at); /* NULL */

/* == Names: serde_json_name.c == */

JsonShape *json_shape_new(Arena *arena, const JsonField *object);

/* The fields that a member name means, JSON_UNKNOWN: none. */
typedef struct JsonMeaning {
    int32_t exact; /* letter by letter */
    int32_t upper; /* as the upper case of it */
} JsonMeaning;

JsonMeaning json_shape_meaning(const JsonField *object, Bytes name);

/* Reads a member name that was not foretold, colon and all, and remembers it where it can. NULL:
 * fault. The member is valid until the next call. */
const uint8_t *json_shape_learn(Decoder *json, JsonField *object, const uint8_t *at,
                                JsonMember **member);

/* Whether `at` begins with this member's text, and something follows. */
static inline bool json_member_is(const JsonMember *member, const uint8_t *at,
                                  const uint8_t *end) {
    if (end - at <= (ptrdiff_t)member->size)
        return false;
#ifdef JSON_SSE2
    if (__builtin_expect(end - at >= 16, 1)) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)member->text);
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
        uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, text));
        if ((same & member->care) != member->care)
            return false;
        return member->size <= 16 || memcmp(at + 16, member->text + 16, member->size - 16U) == 0;
    }
#endif
    return memcmp(at, member->text, member->size) == 0;
}

/* == Columns: serde_json_column.c == */

void json_column_begin(Decoder *json, JsonField *field, uint32_t capacity);
void json_column_grow(Decoder *json, JsonField *field, uint32_t slot); /* room for that slot */
void json_column_clear(JsonField *field, uint32_t slot); /* missing again, and what is in it */
Column *json_column_finish(Decoder *json, JsonField *field, uint32_t length);

static inline void json_column_present(JsonField *field, uint32_t slot) {
    field->validity[slot / 64] |= (uint64_t)1 << (slot % 64);
}

/* A new element's slot. */
static inline uint32_t json_column_append(Decoder *json, JsonField *field) {
    uint32_t slot = field->length++;
    if (__builtin_expect(slot >= field->capacity, 0) && field->used)
        json_column_grow(json, field, slot);
    return slot;
}

/* The elements from `from` on are those of this slot. */
void json_column_range(JsonField *field, uint32_t slot, uint32_t from);

/* == Values: serde_json_value.c. false: does not fit, json->error says why. == */

bool json_value_i64(Decoder *json, JsonField *field, uint32_t slot, int64_t value);
bool json_value_number(Decoder *json, JsonField *field, uint32_t slot, Bytes text);
bool json_value_string(Decoder *json, JsonField *field, uint32_t slot, Bytes raw, bool escaped);
bool json_value_boolean(Decoder *json, JsonField *field, uint32_t slot, bool value);
bool json_value_fail(Decoder *json, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool json_value_misfit(Decoder *json, const JsonField *field, const char *source_type);

/* An object or array at [at, end), known to be JSON, as the text of a STRING. */
bool json_value_nested_text(Decoder *json, JsonField *field, uint32_t slot, Bytes text);

/* == Text: serde_json_text.c. The input is known to be JSON. == */

/* Room for `size` bytes in the arena; what is taken of it is said afterwards. */
uint8_t *json_room(Decoder *json, size_t size);
static inline void json_room_take(Decoder *json, const uint8_t *end) {
    json->room = (uint8_t *)(uintptr_t)end;
}

/* A string's inside, in the record or unescaped in the arena. */
Bytes json_text_string(Decoder *json, Bytes raw, bool escaped);

Bytes json_text_nested(Decoder *json, Bytes text);

/* The members of an object, each name once: where it came first, with what came last. */
typedef struct JsonEntry {
    Bytes name;           /* unescaped */
    Bytes raw;            /* as written, without quotes */
    const uint8_t *value; /* where it begins */
} JsonEntry;

JsonEntry *json_text_members(Decoder *json, const uint8_t *at, uint32_t *count);

/* == The passes == */

/* A record of the same members in the same order as the one noted last; false: it is another, or
 * must be looked at with more care. */
bool json_track_record(Decoder *json, uint32_t record);

void json_track_init(JsonTrack *track);
void json_track_begin(Decoder *json); /* the columns are new */

/* The fast pass met this member of the record itself; and came to its end. */
void json_track_note(Decoder *json, const JsonMember *member, JsonField *field);
void json_track_noted(Decoder *json, bool whole);

/* One value of `field` at `at` into `slot`; NULL: the slow pass must look at it. */
const uint8_t *json_fast_value(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at,
                               uint32_t depth);

/* The same for a record known to be JSON; false: it does not fit, json->error says why. */
bool json_slow_value(Decoder *json, JsonField *field, uint32_t slot, const uint8_t *at);

/* == Encoder: serde_json_write.c == */

Encoder *json_encoder_new(const SerdeSpec *spec, Arena *arena);
bool json_encode(Encoder *encoder, const Column *const *columns, uint32_t row, Buf *out,
                 bool *is_null, const char **reason);

#endif
