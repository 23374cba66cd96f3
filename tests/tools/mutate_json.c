/*
 * mutate_json.c - damaged records through the JSON decoder: the right answer or a clear refusal.
 *
 *   mutate_json [N] [SEED]
 *
 * N records are made from a few good ones by changed, lost, doubled and moved bytes and by cuts,
 * and go through decoders of several schemas, in batches, each record in memory of its exact size.
 * Built with the sanitizers this is where a read too many would show. Besides:
 *   1. whether a record is good does not depend on the columns in use
 *   2. what jansson refuses is refused by every decoder, and what it takes is never "Not JSON"
 *   3. over a BIGINT, a STRING and a DOUBLE the values are those of jansson's tree
 * Where jansson is stricter than ksqlDB (numbers out of its range, lone surrogates, NUL in a name)
 * or laxer (NUL bytes), and where more digits count than it keeps, it is not asked. The last line
 * is PROVED or FAILED.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "tests/unit/json_bed.h"

enum { MUTATE_BATCH = 16, MUTATE_SIZE_MAX = 2048, MUTATE_SCHEMAS = 6 };

static const char *const mutate_schemas[MUTATE_SCHEMAS] = {
    "A:l,B:s,C:d", /* the plain one, compared with jansson's tree */
    "A:s,B:[s],C:{s},D:(X:i,Y:[d])",
    "A:n(10.2),B:b,C:y,D:t,e:a,F:T",
    "D:(X:l,Y:{[(Z:s)]}),A:i",
    "@V:(A:s,B:[l],C:d)",
    "@V:s",
};

static const char *const mutate_seeds[] = {
    "{\"a\":12345678901,\"b\":\"some text\",\"c\":1.5}",
    "{\"A\":-7,\"B\":\"caf\xc3\xa9 \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80\",\"C\":-2.5e-3}",
    "{ \"a\" : \"42\" , \"b\" : \"line\\nbreak \\u0041\\ud83d\\ude00\\\"\" , \"c\" : \"3.25\" }",
    "{\"c\":0.1,\"b\":null,\"a\":9223372036854775807,\"unknown\":[1,{\"x\":[]},\"y\"]}",
    "{\"a\":1,\"b\":[\"p\",2,null,[true]],\"c\":{\"k\":\"v\"},\"d\":{\"x\":1,\"y\":[0.5,2]}}",
    "{\"a\":99.5,\"b\":true,\"c\":\"aGVsbG8=\",\"d\":3600000,\"e\":19000,\"f\":1600000000000}",
    "{\"d\":{\"x\":5,\"y\":{\"m\":[{\"z\":\"one\"},null],\"n\":[]}},\"a\":0}",
    "{\"a_long_name_that_nobody_asked_for_and_that_goes_on_and_on_and_on\":0,\"a\":1}",
    "{\"b\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"a\":10}",
    "{}", "null", "[1,2,3]", "\"bare\"", "-12.75e2",
    "{\"a\":0,\"a\":1,\"A\":2,\"B\":\"x\",\"b\":\"y\",\"c\":100000000000000000000}",
};

static uint64_t mutate_state;

static uint64_t dice(void) {
    mutate_state ^= mutate_state << 13;
    mutate_state ^= mutate_state >> 7;
    mutate_state ^= mutate_state << 17;
    return mutate_state * 0x9e3779b97f4a7c15U;
}

static size_t dice_below(size_t limit) {
    return (size_t)(dice() >> 33) % limit;
}

/* == Damage == */

typedef struct Text {
    uint8_t data[MUTATE_SIZE_MAX];
    size_t size;
} Text;

static void text_insert(Text *text, size_t at, const void *source, size_t size) {
    if (text->size + size > MUTATE_SIZE_MAX)
        return;
    memmove(text->data + at + size, text->data + at, text->size - at);
    memcpy(text->data + at, source, size);
    text->size += size;
}

static void text_remove(Text *text, size_t at, size_t size) {
    size = size < text->size - at ? size : text->size - at;
    memmove(text->data + at, text->data + at + size, text->size - at - size);
    text->size -= size;
}

/* A digit by a digit, a letter by a letter: mostly still JSON. */
static void text_replace(Text *text, size_t at) {
    static const char letters[] = "abcdefABCDEFlnrtuv";
    while (at < text->size && !isalnum(text->data[at]))
        at++;
    if (at == text->size)
        return;
    bool digit = isdigit(text->data[at]) != 0;
    text->data[at] = digit ? (uint8_t)('0' + dice_below(10))
                           : (uint8_t)letters[dice_below(sizeof letters - 1)];
}

static void text_damage(Text *text) {
    static const char *const pieces[] = {
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\u0000", "0", "-", ".",
        "e5", "1e400", "null", "true", " ", "\n", "\x01", "\xc3", "\xa9", "\xed\xa0\x80", "\xff",
        "\"a\":", "\"B\":", "99999999999999999999", "{\"a\":[", "1.0000000000000000000000001",
        "2.2250738585072011e-308", "\xf0\x9f\x98\x80",
    };
    size_t at = dice_below(text->size + 1);
    const char *piece = pieces[dice_below(sizeof pieces / sizeof *pieces)];
    uint8_t copy[32];
    size_t size = 1 + dice_below(sizeof copy);
    switch (text->size == at ? 0 : dice_below(12)) {
    case 0: text_insert(text, at, piece, strlen(piece)); break;
    case 1: text->data[at] = (uint8_t)dice(); break;
    case 2: text->data[at] ^= (uint8_t)(1U << dice_below(8)); break;
    case 3: text_remove(text, at, 1 + dice_below(3)); break;
    case 4: text->size = at; break;
    case 5: text_remove(text, at, size); break;
    case 6:
    case 7:
    case 8:
    case 9: text_replace(text, at); break;
    default: /* a piece of it again, elsewhere */
        size = size < text->size - at ? size : text->size - at;
        memcpy(copy, text->data + at, size);
        text_insert(text, dice_below(text->size + 1), copy, size);
    }
}

static void text_make(Text *text) {
    const char *seed = mutate_seeds[dice_below(sizeof mutate_seeds / sizeof *mutate_seeds)];
    text->size = strlen(seed);
    memcpy(text->data, seed, text->size);
    for (size_t left = dice_below(4); left > 0; left--)
        text_damage(text);
}

/* == What jansson says == */

typedef enum Verdict { JUDGED_GOOD, JUDGED_BAD, NOT_JUDGED } Verdict;

static Verdict judge(const Text *text, json_t **tree) {
    json_error_t error;
    *tree = json_loadb((const char *)text->data, text->size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                       &error);
    if (*tree) /* a NUL byte ends the text for it */
        return memchr(text->data, 0, text->size) ? NOT_JUDGED : JUDGED_GOOD;
    enum json_error_code code = json_error_code(&error);
    if (code == json_error_numeric_overflow || code == json_error_null_byte_in_key)
        return NOT_JUDGED;
    return strstr(error.text, "invalid Unicode") ? NOT_JUDGED : JUDGED_BAD;
}

/* The member that a column gets; *doubt: several spellings, of which jansson keeps no order. */
static json_t *member_of(json_t *object, const char *name, bool *doubt) {
    json_t *found = json_object_get(object, name), *value;
    if (found)
        return found;
    const char *key;
    json_object_foreach(object, key, value) {
        if (strlen(key) != 1 || toupper((unsigned char)*key) != *name)
            continue;
        *doubt |= found != NULL;
        found = value;
    }
    return found;
}

typedef enum Fit { FITS, MISFITS, FIT_UNKNOWN } Fit;

static Fit fit_bigint(const json_t *value, int64_t *expected) {
    if (json_is_integer(value)) {
        *expected = json_integer_value(value);
        return FITS;
    }
    if (json_is_real(value)) { /* cut off, where the double cannot have crossed an integer */
        double number = json_real_value(value), rest = fabs(number - trunc(number));
        *expected = fabs(number) < 1e15 ? (int64_t)number : 0;
        return fabs(number) < 1e12 && rest > 0.01 && rest < 0.99 ? FITS : FIT_UNKNOWN;
    }
    if (!json_is_string(value))
        return MISFITS;
    const char *text = json_string_value(value);
    size_t size = json_string_length(value), digits = strspn(text, "0123456789");
    if (size == 0 || size > 18 || digits != size)
        return digits == 0 && size > 0 && *text != '-' && *text != '+' ? MISFITS : FIT_UNKNOWN;
    *expected = strtoll(text, NULL, 10);
    return FITS;
}

static Fit fit_double(const json_t *value, double *expected) {
    *expected = json_number_value(value);
    if (json_is_number(value))
        return FITS;
    return json_is_string(value) ? FIT_UNKNOWN : MISFITS;
}

static Fit fit_string(const json_t *value, Bytes *expected) {
    if (json_is_boolean(value))
        *expected = bytes_of(json_is_true(value) ? "true" : "false");
    else if (json_is_string(value))
        *expected = (Bytes){(const uint8_t *)json_string_value(value),
                            (uint32_t)json_string_length(value)};
    else
        return FIT_UNKNOWN;
    return FITS;
}

/* == Checks == */

static const char *check_presence(const Column *column, uint32_t row, const json_t *value) {
    bool missing = !value || json_is_null(value);
    return column_is_null(column, row) == missing ? NULL : "a value is missing, or made up";
}

static const char *check_values(JsonBed *bed, uint32_t row, json_t *tree) {
    bool doubt = false;
    json_t *members[3];
    static const char *const names[] = {"A", "B", "C"};
    for (int i = 0; i < 3; i++)
        members[i] = member_of(tree, names[i], &doubt);
    if (doubt)
        return NULL;
    int64_t bigint = 0;
    double number = 0;
    Bytes string = {NULL, 0};
    Fit fits[3] = {FITS, FITS, FITS};
    if (members[0] && !json_is_null(members[0]))
        fits[0] = fit_bigint(members[0], &bigint);
    if (members[1] && !json_is_null(members[1]))
        fits[1] = fit_string(members[1], &string);
    if (members[2] && !json_is_null(members[2]))
        fits[2] = fit_double(members[2], &number);
    bool good = bed->status[row] == DECODE_OK;
    if (fits[0] == MISFITS || fits[2] == MISFITS)
        return good ? "a value of a wrong type was taken" : NULL;
    if (!good)
        return fits[0] == FITS && fits[2] == FITS ? "a good record was refused" : NULL;
    for (int i = 0; i < 3; i++) {
        const char *why = check_presence(bed->decoded[i], row, members[i]);
        if (why)
            return why;
    }
    if (fits[0] == FITS && bed->decoded[0]->i64[row] != bigint)
        return "a BIGINT is wrong";
    if (fits[1] == FITS && !bytes_equal(bed->decoded[1]->bytes[row], string))
        return "a STRING is wrong";
    if (fits[2] == FITS && !(bed->decoded[2]->f64[row] == number))
        return "a DOUBLE is wrong";
    return NULL;
}

static const char *check_record(JsonBed *bed, bool plain, uint32_t row, Verdict verdict,
                                json_t *tree) {
    bool bad = bed->status[row] == DECODE_BAD;
    if (bad && (!bed->errors[row] || !*bed->errors[row]))
        return "refused without a word";
    if (verdict == JUDGED_BAD)
        return bad ? NULL : "what is no JSON was taken";
    if (verdict == JUDGED_GOOD && bad && strncmp(bed->errors[row], "Not JSON", 8) == 0)
        return "what is JSON was called none";
    if (verdict == JUDGED_GOOD && json_is_null(tree))
        return bed->status[row] == DECODE_NULL ? NULL : "null is not no value";
    if (plain && verdict == JUDGED_GOOD && json_is_object(tree))
        return check_values(bed, row, tree);
    return NULL;
}

typedef struct Tally {
    uint64_t records, json, refused;
} Tally;

static int fail(const char *why, const char *schema, const Text *text) {
    printf("schema %s\nrecord ", schema);
    for (size_t i = 0; text && i < text->size; i++) {
        uint8_t c = text->data[i];
        printf(c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    printf("\nFAILED %s\n", why);
    return 1;
}

static int run_batch(JsonBed **beds, Tally *tally) {
    static Text texts[MUTATE_BATCH];
    Bytes records[MUTATE_BATCH];
    json_t *trees[MUTATE_BATCH];
    Verdict verdicts[MUTATE_BATCH];
    int result = 0;
    for (int i = 0; i < MUTATE_BATCH; i++) {
        text_make(&texts[i]);
        records[i] = (Bytes){texts[i].data, (uint32_t)texts[i].size};
        verdicts[i] = judge(&texts[i], &trees[i]);
        tally->json += verdicts[i] == JUDGED_GOOD;
    }
    for (int k = 0; k < MUTATE_SCHEMAS && result == 0; k++) {
        if (!bed_decode(beds[k], records, MUTATE_BATCH))
            result = fail("a status depends on the columns in use", mutate_schemas[k], NULL);
        for (uint32_t i = 0; i < MUTATE_BATCH && result == 0; i++) {
            const char *why = check_record(beds[k], k == 0, i, verdicts[i], trees[i]);
            if (why)
                result = fail(why, mutate_schemas[k], &texts[i]);
            bed_text(beds[k], i); /* what was taken can be written again */
            tally->refused += k == 0 && beds[k]->status[i] == DECODE_BAD;
        }
    }
    for (int i = 0; i < MUTATE_BATCH; i++)
        json_decref(trees[i]);
    tally->records += MUTATE_BATCH;
    return result;
}

int main(int argc, char **argv) {
    uint64_t count = argc > 1 && *argv[1] ? strtoull(argv[1], NULL, 10) : 100000;
    mutate_state = argc > 2 && *argv[2] ? strtoull(argv[2], NULL, 10) : 1;
    mutate_state = mutate_state * 0x9e3779b97f4a7c15U | 1;
    JsonBed *beds[MUTATE_SCHEMAS];
    for (int k = 0; k < MUTATE_SCHEMAS; k++)
        beds[k] = bed_open(mutate_schemas[k]);
    Tally tally = {0};
    int result = 0;
    while (tally.records < count && result == 0)
        result = run_batch(beds, &tally);
    for (int k = 0; k < MUTATE_SCHEMAS; k++)
        bed_close(beds[k]);
    if (result == 0)
        printf("%" PRIu64 " records, %" PRIu64 " of them JSON, %" PRIu64 " refused by %s\nPROVED\n",
               tally.records, tally.json, tally.refused, mutate_schemas[0]);
    return result;
}
