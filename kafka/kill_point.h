/*
 * kill_point.h - where tests end this process on purpose: WEIR_KILL_POINT=after_produce:3 sends
 * SIGKILL at the third pass of that place. Without the variable a pass costs one comparison.
 */
#ifndef KAFKA_KILL_POINT_H
#define KAFKA_KILL_POINT_H

typedef enum KillPoint {
    KILL_NONE,
#define KILL_POINT(name, text) KILL_##name,
#include "kafka/kill_point.def"
#undef KILL_POINT
    KILL_POINT_COUNT,
} KillPoint;

/* Reads the variable; a name that is none, or a number below 1, arms nothing. */
void kill_point_arm(void);

/* Returns, or does not. */
void kill_point_pass(KillPoint point);

/* "after_begin"; what has happened there. Static strings. */
const char *kill_point_name(KillPoint point);
const char *kill_point_text(KillPoint point);

#endif
