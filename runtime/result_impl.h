/*
 * result_impl.h - the worker's side of a result queue.
 */
#ifndef RUNTIME_RESULT_IMPL_H
#define RUNTIME_RESULT_IMPL_H

#include "data/batch.h"
#include "runtime/runtime.h"

/* Before the first row: what the rows are. */
void result_queue_open(ResultQueue *queue, const Schema *schema);

/* Called (by the reader's thread) after rows were taken: there is room again. */
void result_queue_on_room(ResultQueue *queue, void (*wake)(void *context), void *context);

/* Rows that fit now. */
uint32_t result_queue_room(ResultQueue *queue);

/* Copies selected[from, to); after the end it drops them. */
void result_queue_put(ResultQueue *queue, const Batch *batch, uint32_t from, uint32_t to);

/* No more rows come: err NULL for the end, otherwise the reason. The first call counts. After it
 * nothing of the query is used any more. */
void result_queue_end(ResultQueue *queue, const Err *err);

/* The reader gave up. */
bool result_queue_cancelled(ResultQueue *queue);

#endif
