/*
 * retention.c - see retention.h.
 *
 * A look is cheap (lists in memory), a commit is not: a topic kept by age is looked at sixteen
 * times in its age, at most once a minute or so, so its records live up to a sixteenth longer. So
 * that something can be dropped as a whole, the growing segment is ended eight times in that age,
 * and when it has an eighth of the bytes to be kept.
 */
#include "engine/retention.h"

#include <assert.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
    LOOK_US = 1000000,
    LOOKS_OF_AGE = 16,
    ROLLS_OF_AGE = 8,
    LOOK_MS_MAX = 60000,
};

typedef struct RetentionTopic {
    CatalogTopic kept;
    int64_t looked_us, rolled_us;
} RetentionTopic;

struct Retention {
    Io *io;
    Storage *storage;
    bool threaded, running;
    Thread thread;
    Lock lock; /* guards what follows; held during a look */
    Signal signal;
    bool closing;
    RetentionTopic *topics;
    size_t count;
};

Retention *retention_open(Io *io, Storage *storage, bool threaded) {
    assert(io && storage);
    Retention *retention = mem_alloc(sizeof *retention);
    retention->io = io;
    retention->storage = storage;
    retention->threaded = threaded;
    lock_init(&retention->lock);
    signal_init(&retention->signal);
    return retention;
}

void retention_close(Retention *retention) {
    if (!retention)
        return;
    if (retention->running) {
        lock_take(&retention->lock);
        retention->closing = true;
        signal_all(&retention->signal);
        lock_release(&retention->lock);
        thread_join(&retention->thread);
    }
    mem_free(retention->topics);
    signal_close(&retention->signal);
    lock_close(&retention->lock);
    mem_free(retention);
}

/* -- A look ------------------------------------------------------------------------------------ */

/* Whether it is time to look at the topic, or without a thread always. */
static bool topic_is_due(const Retention *retention, const RetentionTopic *topic, int64_t now_us) {
    int64_t ms = topic->kept.retention.ms / LOOKS_OF_AGE;
    if (topic->kept.retention.bytes >= 0 || !retention->threaded || topic->looked_us == 0)
        return true;
    return now_us - topic->looked_us >= 1000 * (ms < LOOK_MS_MAX ? ms : LOOK_MS_MAX);
}

/* Ends the growing segment where it is old or large enough to be dropped by itself one day. */
static void topic_roll(Retention *retention, RetentionTopic *topic, TopicPartition where,
                       bool aged) {
    const LogRetention *kept = &topic->kept.retention;
    uint64_t growing;
    Err ignored;
    bool large = kept->bytes >= 0 &&
                 log_bytes_growing(retention->storage, where, &growing, &ignored) == ERR_OK &&
                 growing > (uint64_t)kept->bytes / ROLLS_OF_AGE;
    if (aged || large)
        (void)!log_roll(retention->storage, where, &ignored);
}

static void topic_look(Retention *retention, RetentionTopic *topic, Commit **commit) {
    LogTopic found;
    Io *io = retention->io;
    int64_t now_ms = io->ops->now_ms(io), now_us = io->ops->mono_us(io);
    if (!topic_is_due(retention, topic, now_us) ||
        !log_topic_get(retention->storage, topic->kept.id, &found))
        return;
    const LogRetention *kept = &topic->kept.retention;
    bool aged = kept->ms >= 0 && (now_us - topic->rolled_us) / 1000 >= kept->ms / ROLLS_OF_AGE;
    for (uint32_t i = 0; i < found.partition_count; i++) {
        TopicPartition where = {found.id, i};
        int64_t from, to;
        Err ignored; /* the topic goes just now */
        topic_roll(retention, topic, where, aged);
        if (log_offsets(retention->storage, where, &from, &to, &ignored) != ERR_OK ||
            log_retention_start(retention->storage, where, kept, now_ms, &to, &ignored) !=
                ERR_OK ||
            to <= from)
            continue;
        if (!*commit)
            *commit = commit_new(retention->storage, 0);
        commit_log_start(*commit, where, to);
    }
    topic->looked_us = now_us;
    if (aged)
        topic->rolled_us = now_us;
}

/* With the lock held. */
static ErrCode retention_look(Retention *retention, Err *err) {
    Commit *commit = NULL;
    for (size_t i = 0; i < retention->count; i++)
        topic_look(retention, &retention->topics[i], &commit);
    return commit ? commit_wait(commit, NULL, err) : ERR_OK;
}

ErrCode retention_check(Retention *retention, Err *err) {
    lock_take(&retention->lock);
    ErrCode code = retention_look(retention, err);
    lock_release(&retention->lock);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static void *retention_run(void *arg) {
    Retention *retention = arg;
    lock_take(&retention->lock);
    while (!retention->closing) {
        Err ignored; /* a topic that went, no space, a storage that failed: others say so */
        (void)!retention_look(retention, &ignored);
        signal_wait_for(&retention->signal, &retention->lock, LOOK_US);
    }
    lock_release(&retention->lock);
    return NULL;
}

/* -- What is kept ------------------------------------------------------------------------------ */

static const RetentionTopic *retention_find(const Retention *retention, uint32_t id) {
    for (size_t i = 0; i < retention->count; i++)
        if (retention->topics[i].kept.id == id)
            return &retention->topics[i];
    return NULL;
}

void retention_set(Retention *retention, const CatalogTopic *topics, size_t count) {
    lock_take(&retention->lock);
    RetentionTopic *fresh = mem_array(count, sizeof *fresh);
    for (size_t i = 0; i < count; i++) {
        const RetentionTopic *old = retention_find(retention, topics[i].id);
        if (old)
            fresh[i] = *old;
        else
            fresh[i].rolled_us = retention->io->ops->mono_us(retention->io);
        fresh[i].kept = topics[i];
        fresh[i].looked_us = 0;
    }
    mem_free(retention->topics);
    retention->topics = fresh;
    retention->count = count;
    bool start = retention->threaded && !retention->running && count > 0;
    retention->running |= start;
    signal_all(&retention->signal);
    lock_release(&retention->lock);
    if (start)
        thread_start(&retention->thread, "retention", retention_run, retention);
}
