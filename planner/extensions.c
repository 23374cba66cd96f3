/* extensions.c - see extensions.h. */
#include "planner/extensions.h"

const ExtensionRow extension_rows[] = {
#define EXTENSION(name, refusal, help) {name, refusal, help},
#include "planner/extensions.def"
#undef EXTENSION
};

const uint32_t extension_count = sizeof extension_rows / sizeof extension_rows[0];
