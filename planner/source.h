/*
 * source.h - a stream or table of the catalog.
 */
#ifndef PLANNER_SOURCE_H
#define PLANNER_SOURCE_H

#include "planner/datagen.h"
#include "planner/plan.h"

typedef struct Source {
    const char *name;
    bool is_table;
    bool is_read_only;     /* CREATE SOURCE STREAM/TABLE */
    PlanTopic topic;
    const char *statement; /* that created it */
    const char *query_id;  /* of the CSAS/CTAS that created it, or of the SOURCE TABLE; NULL */
    uint32_t partition_count;
    const char *const *reads; /* names of the sources that its AS SELECT reads: not to be dropped */
    uint32_t read_count;
    const char *broker; /* a named cluster that has, or gets, the same records; NULL: none */
    const Datagen *datagen; /* who fills its topic; NULL: nobody of ours */
} Source;

#endif
