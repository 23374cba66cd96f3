/* settings.c - see settings.h. */
#include "engine/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/number_text.h"
#include "grammar/parse.h"

typedef struct ConfigRow {
    const char *name;
    const char *value;
    const char *kind;
    const char *help;
} ConfigRow;

static const ConfigRow config_rows[] = {
#define CONFIG(name, value, kind, help) {name, value, kind, help},
#include "engine/config.def"
#undef CONFIG
};

enum { CONFIG_COUNT = sizeof config_rows / sizeof config_rows[0] };

static const ConfigRow *config_find(const char *name) {
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        if (strcmp(config_rows[i].name, name) == 0)
            return &config_rows[i];
    return NULL;
}

/* Names of Kafka's clients and ksqlDB's server that mean nothing here but stand in scripts. */
static bool config_is_foreign(const char *name) {
    static const char *const prefixes[] = {"ksql.",     "consumer.",  "producer.", "streams.",
                                           "ksql_",     "num.stream", "max.poll",  "fetch.",
                                           "topology.", "buffered.",  "default.",  "state."};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static ErrCode config_unknown(const char *name, Err *err) {
    const char *names[CONFIG_COUNT];
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        names[i] = config_rows[i].name;
    const char *near = parse_nearest(name, names, CONFIG_COUNT);
    return err_set(err, ERR_UNKNOWN_NAME, "Unknown property: %s%s%s%s", name,
                   near ? "\nDid you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ksqlDB lets names of Kafka's clients stand behind its prefix. */
static const char *config_name(const char *name) {
    static const char prefix[] = "ksql.streams.";
    const char *rest = name + sizeof prefix - 1;
    bool prefixed = strncmp(name, prefix, sizeof prefix - 1) == 0;
    return prefixed && config_find(rest) ? rest : name;
}

/* Whether `value` is one of the words of "a|b|c". */
static bool config_in_list(const char *list, const char *value) {
    size_t size = strlen(value);
    for (const char *word = list; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
        if (strncmp(word, value, size) == 0 && (word[size] == '|' || word[size] == '\0'))
            return size > 0;
    return false;
}

static ErrCode config_check(const ConfigRow *row, const char *value, Err *err) {
    int64_t number;
    bool good = true;
    const char *want = row->kind;
    if (strcmp(row->kind, "STARTUP") == 0)
        return err_set(err, ERR_SEMANTIC, "Property %s is said when Weir is started.", row->name);
    if (strcmp(row->kind, "NUMBER") == 0) {
        good = number_parse_i64(bytes_of(value), &number) && number >= 0;
        want = "a number that is not negative";
    } else if (strcmp(row->kind, "BOOLEAN") == 0) {
        good = strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0;
        want = "true or false";
    } else if (strchr(row->kind, '|')) {
        good = config_in_list(row->kind, value);
    }
    if (good)
        return ERR_OK;
    if (strcmp(row->name, "auto.offset.reset") == 0 && strcmp(value, "none") == 0)
        return err_set(err, ERR_SEMANTIC, "'none' is not valid for this property within KSQL");
    return err_set(err, ERR_SEMANTIC, "Invalid value '%s' for property %s: it takes %s.", value,
                   row->name, want);
}

static SettingPair *settings_find(const Settings *settings, const char *name) {
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].name, name) == 0)
            return &settings->pairs[i];
    return NULL;
}

ErrCode settings_check_name(const char *name, Err *err) {
    assert(name);
    return config_find(config_name(name)) || config_is_foreign(name) ? ERR_OK
                                                                     : config_unknown(name, err);
}

ErrCode settings_set(Settings *settings, const char *name, const char *value, Err *err) {
    assert(name && value);
    TRY(settings_check_name(name, err));
    name = config_name(name);
    const ConfigRow *row = config_find(name);
    if (row)
        TRY(config_check(row, value, err));
    settings_start(settings, name, value);
    return ERR_OK;
}

void settings_start(Settings *settings, const char *name, const char *value) {
    SettingPair *pair = settings_find(settings, name);
    if (!pair) {
        settings->pairs = mem_grow(settings->pairs, &settings->capacity, settings->count + 1,
                                   sizeof *settings->pairs);
        pair = &settings->pairs[settings->count++];
        *pair = (SettingPair){mem_strdup(name), NULL};
    }
    mem_free(pair->value);
    pair->value = mem_strdup(value);
}

void settings_unset(Settings *settings, const char *name) {
    SettingPair *pair = settings_find(settings, config_name(name));
    if (!pair)
        return;
    mem_free(pair->name);
    mem_free(pair->value);
    *pair = settings->pairs[--settings->count];
}

void settings_close(Settings *settings) {
    while (settings->count > 0)
        settings_unset(settings, settings->pairs[0].name);
    mem_free(settings->pairs);
    *settings = (Settings){0};
}

const char *settings_get(const Settings *settings, const char *name) {
    const SettingPair *pair = settings_find(settings, name);
    if (pair)
        return pair->value;
    const ConfigRow *row = config_find(name);
    return row ? row->value : NULL;
}

bool settings_is_true(const Settings *settings, const char *name) {
    const char *value = settings_get(settings, name);
    return value && strcasecmp(value, "true") == 0;
}

int64_t settings_number(const Settings *settings, const char *name) {
    const char *value = settings_get(settings, name);
    int64_t number = 0;
    return value && number_parse_i64(bytes_of(value), &number) ? number : 0;
}

bool settings_row(const Settings *settings, uint32_t index, const char **name, const char **value,
                  const char **help) {
    if (index >= CONFIG_COUNT)
        return false;
    *name = config_rows[index].name;
    *value = settings_get(settings, config_rows[index].name);
    *help = config_rows[index].help;
    return true;
}
