/*
 * testkit_impl.h - the inside of a test kit, shared by testkit.c and testkit_records.c.
 */
#ifndef ENGINE_TESTKIT_IMPL_H
#define ENGINE_TESTKIT_IMPL_H

#include "engine/engine_impl.h"
#include "engine/testkit.h"

struct Testkit {
    TestkitOptions options;
    Io *io;
    Weir *weir;
    QueryScriptItem *arrivals;
    size_t arrival_count, arrival_capacity;
};

#endif
