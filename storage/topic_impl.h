/*
 * topic_impl.h - the topics that exist, with their partitions.
 *
 * A Topic is a counted reference: the table holds one, each reader one while it looks, the
 * checkpoint one for every topic it writes. Deleted topics wait in `dropped` until a checkpoint has
 * passed the frame that deleted them; only then their files go.
 */
#ifndef STORAGE_TOPIC_IMPL_H
#define STORAGE_TOPIC_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "storage/commit.h"
#include "storage/log.h"
#include "storage/partition_impl.h"

typedef struct Topic Topic;

struct Topic {
    atomic_uint refs;
    uint32_t id, partition_count;
    char *name;
    Partition **partitions;
    int64_t *next_offsets; /* writer: to be given next */
    _Atomic int64_t *seen_ends; /* with a cluster: storage_seen_end() */
    atomic_bool *adding;   /* a SegmentAdd is open */
    uint64_t dropped_lsn;
    Topic *next_dropped;
    bool has_folder; /* checkpoint */
};

typedef struct TopicTable {
    Lock lock;
    Topic **topics; /* in order of id */
    size_t count, capacity;
    Topic *dropped;
    uint64_t tail_bytes_max;
} TopicTable;

void topics_init(TopicTable *table);
void topics_close(TopicTable *table);

Topic *topic_new(Io *io, const char *folder, uint32_t id, const char *name, uint32_t partitions);
/* From the value that store 0 keeps: partitions u32, name; checked by topic_valid(). */
Topic *topic_new_from(Io *io, const char *folder, uint32_t id, Bytes value);
bool topic_valid(Bytes name, uint32_t partitions);
void topic_unref(Topic *topic);

/* NULL: no such topic. The caller gets a reference. */
Topic *topics_find(TopicTable *table, uint32_t id);
Topic *topics_find_name(TopicTable *table, const char *name);
void topics_add(TopicTable *table, Topic *topic); /* takes the reference */
void topics_drop(TopicTable *table, uint32_t id, uint64_t lsn);

/* All topics, each with a reference, in order of id; the array is the caller's (mem_free). */
Topic **topics_all(TopicTable *table, size_t *count);

/* Topics whose drop is at or before `lsn`, as a list with the references. */
Topic *topics_take_dropped(TopicTable *table, uint64_t lsn);

/* <folder>/topics/<id>: mem_free(). */
char *topic_folder(const char *folder, uint32_t id);

#endif
