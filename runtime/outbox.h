/*
 * outbox.h - the records that a commit group will append with its next commit.
 *
 * Per target topic and partition an open record batch. A consolidating target keeps, until the
 * commit, one record per key instead: whether the key had a value before the first change, and the
 * last change; they go out in order of their last change, and a key that was absent and is absent
 * again emits nothing.
 */
#ifndef RUNTIME_OUTBOX_H
#define RUNTIME_OUTBOX_H

#include "storage/commit.h"

typedef struct Outbox Outbox;

Outbox *outbox_new(void);
void outbox_free(Outbox *outbox);

/* A number for records to this topic; the same one for the same topic. */
uint32_t outbox_target(Outbox *outbox, uint32_t topic_id, uint32_t partitions, bool consolidate);

/* Copies the record. had_old: its key had a value before this change (streams: any). */
void outbox_put(Outbox *outbox, uint32_t target, uint32_t partition, const LogRecord *record,
                bool had_old);

/* Seals everything into `commit` and is empty again. */
void outbox_save(Outbox *outbox, Commit *commit);

/* Forgets everything: the group rolls back. */
void outbox_clear(Outbox *outbox);

/* Bytes that wait; 0: nothing to append. */
size_t outbox_bytes(const Outbox *outbox);

#endif
