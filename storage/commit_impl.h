/*
 * commit_impl.h - a commit while it is built, waits, and is written.
 *
 * `body` holds all entries one after the other; `frames` cut it, at entry boundaries, into what one
 * frame may hold. Nearly every commit has one frame. In a larger one every frame ends with a PART
 * entry, and all but the last have the flag MORE: nothing is applied before the last is there.
 *
 * With a cluster (cluster.h) record batches are kept apart, in `records`: they never come into a
 * frame, and `body` is what is left for the folder.
 */
#ifndef STORAGE_COMMIT_IMPL_H
#define STORAGE_COMMIT_IMPL_H

#include "storage/commit.h"
#include "storage/frame_impl.h"
#include "storage/topic_impl.h"

typedef struct CommitFrame {
    uint32_t start, size; /* in body */
    uint32_t entry_count;
    uint32_t append_first, append_count;
    uint64_t hash; /* hash_bytes() of its entries */
} CommitFrame;

typedef struct CommitAppend {
    uint32_t entry; /* in its frame */
    uint32_t count; /* records */
} CommitAppend;

typedef struct CommitTopic {
    uint8_t kind; /* ENTRY_CREATE, ENTRY_DELETE */
    uint32_t id, partitions;
    char *name;      /* of a created one */
    char *gone_name; /* of a deleted one, with a cluster; NULL: it is only forgotten */
    const struct TopicConfig *config; /* commit_topic_config(): owned; NULL: nothing said */
    size_t appended; /* how many appends come before it */
} CommitTopic;

typedef struct CommitSegment {
    TopicPartition where;
    int64_t base, end;
    struct SegmentAdd *add; /* owned */
} CommitSegment;

struct Commit {
    Storage *storage;
    uint32_t owner_id;
    uint64_t seq; /* of this commit, unique within the epoch */
    Buf body;
    CommitFrame *frames;
    size_t frame_count, frame_capacity;
    CommitAppend *appends;
    CommitAppended *appended; /* beside appends: where, and later the offsets */
    int64_t *base_offsets;    /* beside appends: what apply_commit() takes */
    size_t append_count, append_capacity, appended_capacity, offsets_capacity;
    CommitTopic *topics;
    size_t topic_count, topic_capacity;
    CommitSegment *segments;
    size_t segment_count, segment_capacity;

    /* The frame and the entry that are being filled. */
    uint32_t frame_start, frame_entries, frame_append_first;
    uint32_t open_at;   /* head of the open entry in body; COMMIT_NONE_OPEN */
    uint32_t open_id;   /* its store or task */
    uint8_t open_type;
    uint32_t frame_bytes_max;
    Err error; /* the first addition that cannot be: commit_submit() returns it */

    /* With a cluster: commit_remote.c. */
    bool apart;        /* records are kept apart */
    bool local;        /* goes straight to the folder */
    bool remote;       /* has been handed to the cluster */
    int32_t slot;      /* COMMIT_NO_SLOT */
    Buf records;       /* topic u32, partition u32, size u32, record batch; for each append */
    Buf statement;
    uint32_t state_entries; /* opened in body: how many notes may come */
    uint64_t reserved_bytes; /* journal space, until journal_bytes is known */

    bool adds, removes; /* what its entries do with the space they need in the end */
    uint64_t journal_bytes; /* reserved */
    CommitDoneFn *done;
    void *arg;
    CommitResult result;
    uint64_t lsn;
    Commit *next;
};

static const uint32_t COMMIT_NONE_OPEN = UINT32_MAX;

/* commit.c, for commit_remote.c: closes the last frame, hashes them all, and adds up what they take
 * in the journal. */
void commit_seal(Commit *commit);
/* Takes that much space in the journal. */
ErrCode commit_reserve(Commit *commit, uint64_t bytes, Err *err);
/* Whether the topics of its appends are there. */
ErrCode commit_check(Commit *commit, Err *err);

/* commit_remote.c: whether the cluster must have it first; and gives it to it. */
bool commit_is_remote(const Commit *commit);
bool commit_is_records(const Commit *commit); /* for the cluster, and nothing else */
void commit_append_apart(Commit *commit, TopicPartition where, Bytes batch);
ErrCode commit_submit_remote(Commit *commit, CommitDoneFn *done, void *arg, Err *err);

/* commit.c, for segment_add.c: makes room for `size` bytes in an entry of that type and id, or
 * refuses the commit; and the end of such an entry. */
bool commit_begin(Commit *commit, uint8_t type, uint32_t id, size_t size);
void commit_close_entry(Commit *commit);
bool commit_refuse(Commit *commit, ErrCode code, const char *text);

/* segment_add.c: the commit's entries are applied: what was kept in memory serves readers. */
void segment_add_publish(struct SegmentAdd *add);

/* segment_add.c: the commit is over; the files stay or go. */
void segment_add_end(struct SegmentAdd *add, bool keep);

/* Calls done and frees the commit. */
void commit_finish(Commit *commit);

/* A MARK, ready to be written. */
Commit *commit_new_mark(Storage *storage);

#endif
