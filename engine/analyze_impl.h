/*
 * analyze_impl.h - a result of EXPLAIN ANALYZE, whose rows are made anew whenever it is looked at.
 */
#ifndef ENGINE_ANALYZE_IMPL_H
#define ENGINE_ANALYZE_IMPL_H

#include "engine/engine_impl.h"
#include "engine/result_impl.h"

void analyze_free(Analyze *analyze);

/* The query whose figures it shows; NULL: a lookup, or it is gone. Under the engine's lock. */
const CatalogQuery *analyze_query(const WeirResult *result);

/* Before the first row: waits up to timeout_ms (-1: for ever) for a statement to end, and makes the
 * rows. OK; WAITING: it goes on; FAILED. */
WeirStatus analyze_next(WeirResult *result, int64_t timeout_ms, WeirError *error);

#endif
