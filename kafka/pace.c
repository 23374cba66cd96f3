/* pace.c - see pace.h. */
#include "kafka/pace.h"

#include <assert.h>

enum { GOOD_TIME = 4, LATE_PERCENT = 80, SLOWER = 4 };

void pace_init(Pace *pace, uint32_t base_ms) {
    assert(base_ms > 0);
    *pace = (Pace){.base_ms = base_ms, .timeout_ms = base_ms, .bytes = PACE_BYTES_MAX};
}

void pace_begin(Pace *pace, int64_t now_us) {
    assert(pace->timeout_ms >= pace->base_ms);
    pace->begun_us = now_us;
}

void pace_committed(Pace *pace, int64_t now_us) {
    assert(now_us >= pace->begun_us);
    if (now_us - pace->begun_us > (int64_t)pace->timeout_ms * 1000 / GOOD_TIME)
        return;
    pace->bytes = pace->bytes > PACE_BYTES_MAX / 2 ? PACE_BYTES_MAX : pace->bytes * 2;
    uint32_t half_ms = pace->timeout_ms / 2;
    pace->timeout_ms = half_ms > pace->base_ms ? half_ms : pace->base_ms;
}

void pace_failed(Pace *pace, size_t size, int64_t now_us) {
    assert(now_us >= pace->begun_us);
    int64_t took_us = now_us - pace->begun_us;
    pace->begun_us = now_us; /* what else is said of this transaction does not count */
    if (took_us < (int64_t)pace->timeout_ms * 10 * LATE_PERCENT)
        return;
    size_t less = (size < pace->bytes ? size : pace->bytes) / SLOWER;
    pace->bytes = less > PACE_BYTES_MIN ? less : PACE_BYTES_MIN;
    if (pace->timeout_ms < PACE_TIMEOUT_MS_MAX)
        pace->timeout_ms = pace->timeout_ms < PACE_TIMEOUT_MS_MAX / SLOWER
                               ? pace->timeout_ms * SLOWER
                               : PACE_TIMEOUT_MS_MAX;
}

void pace_refused(Pace *pace) {
    assert(pace->base_ms > 0);
    pace->timeout_ms = pace->base_ms;
}
