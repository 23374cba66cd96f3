/* kill_point.c - see kill_point.h. */
#include "kafka/kill_point.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const struct KillPointRow {
    const char *name, *text;
} rows[KILL_POINT_COUNT] = {
    {"NONE", ""},
#define KILL_POINT(name, text) {#name, text},
#include "kafka/kill_point.def"
#undef KILL_POINT
};

static atomic_int armed_point = KILL_NONE;
static atomic_long passes_left;

void kill_point_arm(void) {
    const char *text = getenv("WEIR_KILL_POINT");
    const char *colon = text ? strchr(text, ':') : NULL;
    long passes = colon ? strtol(colon + 1, NULL, 10) : 1;
    if (!text || passes < 1)
        return;
    Bytes name = {(const uint8_t *)text, (uint32_t)(colon ? (size_t)(colon - text) : strlen(text))};
    for (int i = KILL_NONE + 1; i < KILL_POINT_COUNT; i++) {
        if (!bytes_is_word(name, rows[i].name))
            continue;
        atomic_store(&passes_left, passes);
        atomic_store(&armed_point, i);
    }
}

void kill_point_pass(KillPoint point) {
    assert(point > KILL_NONE && point < KILL_POINT_COUNT);
    if (atomic_load_explicit(&armed_point, memory_order_relaxed) != (int)point)
        return;
    if (atomic_fetch_sub(&passes_left, 1) == 1)
        (void)raise(SIGKILL);
}

const char *kill_point_name(KillPoint point) {
    assert(point < KILL_POINT_COUNT);
    return rows[point].name;
}

const char *kill_point_text(KillPoint point) {
    assert(point < KILL_POINT_COUNT);
    return rows[point].text;
}
