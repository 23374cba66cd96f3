/*
 * thread.h - threads, locks and signals between them; a thin skin over POSIX.
 *
 * A failure of these calls is a bug or a machine without resources: it stops the process.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Thread {
    pthread_t handle;
} Thread;

typedef struct Lock {
    pthread_mutex_t mutex;
} Lock;

/* Any number of readers, or one writer; one who waits to write goes before new readers. */
typedef struct SharedLock {
    pthread_rwlock_t lock;
} SharedLock;

typedef struct Signal {
    pthread_cond_t condition;
} Signal;

/* `name` (at most 15 characters) shows in debuggers. The thread ignores no signals of its own. */
void thread_start(Thread *thread, const char *name, void *(*run)(void *), void *arg);
void thread_join(Thread *thread);

void lock_init(Lock *lock);
void lock_close(Lock *lock);
void lock_take(Lock *lock);
void lock_release(Lock *lock);

/* Not to be taken twice by one thread, not even to read. */
void shared_lock_init(SharedLock *lock);
void shared_lock_close(SharedLock *lock);
void shared_lock_read(SharedLock *lock);
void shared_lock_write(SharedLock *lock);
void shared_lock_release(SharedLock *lock);

void signal_init(Signal *signal);
void signal_close(Signal *signal);
void signal_one(Signal *signal);
void signal_all(Signal *signal);

/* With the lock held. Wakes up for no reason at times: wait in a loop. */
void signal_wait(Signal *signal, Lock *lock);

/* false: the time was over. timeout_us is relative. */
bool signal_wait_for(Signal *signal, Lock *lock, int64_t timeout_us);

/* Cores this process may use; at least 1. */
uint32_t thread_core_count(void);

#endif
