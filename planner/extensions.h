/*
 * extensions.h - the table of additions to ksqlDB's language (extensions.def).
 *
 * None changes the meaning of a text that ksqlDB accepts; the setting weir.extensions turns all of
 * them off.
 */
#ifndef PLANNER_EXTENSIONS_H
#define PLANNER_EXTENSIONS_H

#include <stdint.h>

typedef struct ExtensionRow {
    const char *name;
    const char *refusal;
    const char *help;
} ExtensionRow;

extern const ExtensionRow extension_rows[];
extern const uint32_t extension_count;

#endif
