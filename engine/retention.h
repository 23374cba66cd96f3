/*
 * retention.h - drops what topics need not keep any longer, beside all that the engine does.
 *
 * Who changes what is kept tells it by retention_set(); a thread of its own (there from the first
 * topic with a limit on) looks every second and raises the starts of partitions in one commit.
 * Nothing asks what queries have still to read: as with Kafka they go on at the new start and count
 * what they missed as a bad row ("gone"). Segments below the start are deleted by the next
 * checkpoint.
 */
#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H

#include "engine/catalog.h"

typedef struct Retention Retention;

/* `threaded` false: retention_check() is called by who drives the engine. */
Retention *retention_open(Io *io, Storage *storage, bool threaded);
void retention_close(Retention *retention); /* NULL is allowed */

/* All topics with limits from now on; copied. */
void retention_set(Retention *retention, const CatalogTopic *topics, size_t count);

/* One look at all of them, at once. */
ErrCode retention_check(Retention *retention, Err *err);

#endif
