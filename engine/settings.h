/*
 * settings.h - what SET and UNSET change: names and values of one session.
 *
 * Defaults and kinds are rows of config.def. ksqlDB's names that Weir gives no meaning are kept,
 * so that scripts run, but a name that neither knows is refused.
 */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef struct SettingPair {
    char *name;
    char *value;
} SettingPair;

typedef struct Settings {
    SettingPair *pairs;
    size_t count, capacity;
} Settings;

void settings_close(Settings *settings);

/* UNKNOWN_NAME with the nearest name. */
ErrCode settings_check_name(const char *name, Err *err);
/* The same; SEMANTIC where the value does not fit. */
ErrCode settings_set(Settings *settings, const char *name, const char *value, Err *err);
/* What only the start of Weir can say (kind STARTUP). */
void settings_start(Settings *settings, const char *name, const char *value);
void settings_unset(Settings *settings, const char *name);

/* The value in force; the default where it is not set; NULL: neither. */
const char *settings_get(const Settings *settings, const char *name);
bool settings_is_true(const Settings *settings, const char *name);
int64_t settings_number(const Settings *settings, const char *name);

/* Rows for SHOW PROPERTIES: false behind the last. */
bool settings_row(const Settings *settings, uint32_t index, const char **name, const char **value,
                  const char **help);

#endif
