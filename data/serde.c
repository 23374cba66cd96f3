/*
 * serde.c - see serde.h: formats by name.
 */
#include "data/serde.h"

#include <assert.h>
#include <strings.h>

/* ksqlDB's eight names; those without a table are known, but not done here. */
static const struct SerdeName {
    const char *name;
    const Format *format;
} serde_names[] = {
    {"JSON", &format_json},   {"DELIMITED", &format_delimited}, {"KAFKA", &format_kafka},
    {"NONE", &format_none},   {"AVRO", NULL},                   {"JSON_SR", NULL},
    {"PROTOBUF", NULL},       {"PROTOBUF_NOSR", NULL},
};

enum { SERDE_NAMES = sizeof serde_names / sizeof *serde_names };

static const struct SerdeName *serde_find(const char *name) {
    assert(name);
    for (int i = 0; i < SERDE_NAMES; i++)
        if (strcasecmp(serde_names[i].name, name) == 0)
            return &serde_names[i];
    return NULL;
}

const Format *format_find(const char *name) {
    const struct SerdeName *found = serde_find(name);
    return found ? found->format : NULL;
}

bool format_is_known_name(const char *name) {
    return serde_find(name) != NULL;
}
