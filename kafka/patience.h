/*
 * patience.h - whoever waits for the cluster's answer to a statement, or while the service is
 * opened, asks now and then whether it is to go on (storage_wait_on()): people see what is waited
 * for, and may give up.
 *
 * A thread says so around what it does; without, nothing here stops it. What may not be given up
 * (a command that is being written, deciding) is done without.
 */
#ifndef KAFKA_PATIENCE_H
#define KAFKA_PATIENCE_H

#include "kafka/trouble.h"
#include "storage/cluster.h"

/* This thread's waits are a statement's, until patience_end(). `memory`: 0, or what the statement's
 * own thread began with. Not to be nested. */
void patience_begin(Storage *storage, KafkaTrouble *trouble, uint32_t memory);
void patience_end(void);

/* CANCELLED: it is to end. For each turn of a loop that waits. */
ErrCode patience_check(Err *err);

/* The next turn of a call that cannot be stopped: how long it may take, of what is left of
 * `end_us`; longer each time, for a cluster that is slow. 0: the time is over. *slice_ms: 0 at
 * first. */
int patience_slice(int64_t end_us, int *slice_ms);

#endif
