/*
 * pace.h - how much a transaction of a slot may hold, and how long it may take: so that a slow link
 * or a slow cluster gets it through.
 *
 * A transaction whose time was over is made again with a quarter of its bytes and four times the
 * time, so that some size gets through soon; each that got through in good time takes a step back.
 */
#ifndef KAFKA_PACE_H
#define KAFKA_PACE_H

#include <stddef.h>
#include <stdint.h>

enum {
    PACE_BYTES_MAX = 64 << 20, /* about; one commit goes in any case */
    PACE_BYTES_MIN = 1 << 18,
    PACE_TIMEOUT_MS_MAX = 5 * 60 * 1000,
};

typedef struct Pace {
    uint32_t base_ms; /* the configuration's */
    uint32_t timeout_ms;
    size_t bytes;
    int64_t begun_us;
} Pace;

void pace_init(Pace *pace, uint32_t base_ms);
void pace_begin(Pace *pace, int64_t now_us);
void pace_committed(Pace *pace, int64_t now_us);
/* One of `size` bytes came to nothing, for whatever reason: slower, if its time was over. */
void pace_failed(Pace *pace, size_t size, int64_t now_us);
/* The cluster may not allow the time. */
void pace_refused(Pace *pace);

#endif
