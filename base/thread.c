/* thread.c - see thread.h. */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void thread_must(int failure, const char *what) {
    if (failure) {
        fprintf(stderr, "weir: %s failed (error %d)\n", what, failure);
        abort();
    }
}

void thread_start(Thread *thread, const char *name, void *(*run)(void *), void *arg) {
    assert(thread);
    assert(run);
    thread_must(pthread_create(&thread->handle, NULL, run, arg), "pthread_create");
    pthread_setname_np(thread->handle, name);
}

void thread_join(Thread *thread) {
    thread_must(pthread_join(thread->handle, NULL), "pthread_join");
}

void lock_init(Lock *lock) {
    thread_must(pthread_mutex_init(&lock->mutex, NULL), "pthread_mutex_init");
}

void lock_close(Lock *lock) {
    thread_must(pthread_mutex_destroy(&lock->mutex), "pthread_mutex_destroy");
}

void lock_take(Lock *lock) {
    thread_must(pthread_mutex_lock(&lock->mutex), "pthread_mutex_lock");
}

void lock_release(Lock *lock) {
    thread_must(pthread_mutex_unlock(&lock->mutex), "pthread_mutex_unlock");
}

void shared_lock_init(SharedLock *lock) {
    pthread_rwlockattr_t attributes;
    thread_must(pthread_rwlockattr_init(&attributes), "pthread_rwlockattr_init");
    thread_must(pthread_rwlockattr_setkind_np(&attributes,
                                              PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP),
                "setkind");
    thread_must(pthread_rwlock_init(&lock->lock, &attributes), "pthread_rwlock_init");
    pthread_rwlockattr_destroy(&attributes);
}

void shared_lock_close(SharedLock *lock) {
    thread_must(pthread_rwlock_destroy(&lock->lock), "pthread_rwlock_destroy");
}

void shared_lock_read(SharedLock *lock) {
    thread_must(pthread_rwlock_rdlock(&lock->lock), "pthread_rwlock_rdlock");
}

void shared_lock_write(SharedLock *lock) {
    thread_must(pthread_rwlock_wrlock(&lock->lock), "pthread_rwlock_wrlock");
}

void shared_lock_release(SharedLock *lock) {
    thread_must(pthread_rwlock_unlock(&lock->lock), "pthread_rwlock_unlock");
}

void signal_init(Signal *signal) {
    pthread_condattr_t attributes;
    thread_must(pthread_condattr_init(&attributes), "pthread_condattr_init");
    thread_must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "setclock");
    thread_must(pthread_cond_init(&signal->condition, &attributes), "pthread_cond_init");
    pthread_condattr_destroy(&attributes);
}

void signal_close(Signal *signal) {
    thread_must(pthread_cond_destroy(&signal->condition), "pthread_cond_destroy");
}

void signal_one(Signal *signal) {
    thread_must(pthread_cond_signal(&signal->condition), "pthread_cond_signal");
}

void signal_all(Signal *signal) {
    thread_must(pthread_cond_broadcast(&signal->condition), "pthread_cond_broadcast");
}

void signal_wait(Signal *signal, Lock *lock) {
    thread_must(pthread_cond_wait(&signal->condition, &lock->mutex), "pthread_cond_wait");
}

bool signal_wait_for(Signal *signal, Lock *lock, int64_t timeout_us) {
    assert(timeout_us >= 0);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += (time_t)(timeout_us / 1000000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    int failure = pthread_cond_timedwait(&signal->condition, &lock->mutex, &until);
    if (failure == ETIMEDOUT)
        return false;
    thread_must(failure, "pthread_cond_timedwait");
    return true;
}

uint32_t thread_core_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}
