/*
 * datagen.c - see datagen.h.
 *
 * The lock guards the list and every job's figures. A job is `busy` while its rows are made and
 * committed, without the lock: who ends it waits for that. Only the one who set `busy` touches its
 * generator and appender.
 */
#include "engine/datagen.h"

#include <string.h>

#include "base/mem.h"
#include "base/reader.h"
#include "base/thread.h"
#include "engine/appender.h"
#include "engine/generator.h"
#include "storage/store.h"

enum {
#ifdef HOSTILE_LIMITS
    ROWS_MAX = 5, /* of a commit */
#else
    ROWS_MAX = 4096,
#endif
    PACE_US = 20 * 1000,     /* rows of less time than this are one commit */
    IDLE_US = 1000 * 1000,
    RETRY_US = 1000 * 1000, /* behind a commit that failed */
};

typedef struct DatagenJob {
    char *name, *topic;
    Generator *generator;
    Appender *appender;
    int64_t rows_max, rows_per_second; /* 0: without */
    int64_t rows;                      /* durable */
    int64_t pace_row, pace_us;         /* row `pace_row` was due then */
    int64_t retry_us;                  /* not before; 0: it did not fail */
    bool paused, busy;
    bool ending; /* no turn any more */
    Err error;
} DatagenJob;

struct DatagenJobs {
    Io *io;
    Storage *storage;
    const _Atomic uint32_t *interrupts;
    bool threads, started, stop;
    Thread thread;
    Lock lock;
    Signal changed; /* of any job, and `stop` */
    DatagenJob **jobs;
    size_t count, capacity;
    size_t turn; /* whose it is next */
};

/* A clock by hand moves the time of the day only. */
static int64_t jobs_now_us(const DatagenJobs *jobs) {
    Io *io = jobs->io;
    return jobs->threads ? io->ops->mono_us(io) : io->ops->now_ms(io) * 1000;
}

/* -- One job ----------------------------------------------------------------------------------- */

static void job_free(DatagenJob *job) {
    generator_free(job->generator);
    appender_free(job->appender);
    mem_free(job->topic);
    mem_free(job->name);
    mem_free(job);
}

static bool job_finished(const DatagenJob *job) {
    return job->rows_max > 0 && job->rows >= job->rows_max;
}

/* How many rows it may write now. *wait_us: otherwise, until it may; INT64_MAX: not by time. */
static uint32_t job_due(const DatagenJob *job, int64_t now_us, int64_t *wait_us) {
    *wait_us = INT64_MAX;
    if (job->paused || job->busy || job->ending || job_finished(job))
        return 0;
    if (now_us < job->retry_us) {
        *wait_us = job->retry_us - now_us;
        return 0;
    }
    int64_t due = job->rows_max > 0 ? job->rows_max - job->rows : ROWS_MAX;
    if (job->rows_per_second > 0) {
        int64_t passed_us = now_us - job->pace_us, rate = job->rows_per_second;
        int64_t paced = passed_us / 1000000 * rate + passed_us % 1000000 * rate / 1000000;
        int64_t present = job->pace_row + paced + 1 - job->rows;
        due = present < due ? present : due;
    }
    if (due <= 0) {
        int64_t each_us = 1000000 / job->rows_per_second;
        *wait_us = each_us < PACE_US ? PACE_US : each_us;
        return 0;
    }
    return due < ROWS_MAX ? (uint32_t)due : ROWS_MAX;
}

static void job_pace(DatagenJob *job, int64_t now_us) {
    job->pace_row = job->rows;
    job->pace_us = now_us;
}

static Bytes job_key(const char *name) {
    return bytes_of(name);
}

static ErrCode job_read_note(DatagenJob *job, Storage *storage, Err *err) {
    Snapshot *snapshot = snapshot_open(storage);
    Bytes key = job_key(job->name), value;
    ErrCode code = store_get(snapshot, STORE_DATAGEN, &key, 1, &value, err);
    if (code == ERR_OK && value.data) {
        Reader reader = reader_of(value);
        job->rows = (int64_t)reader_u64_le(&reader);
        if (!reader_ok(&reader))
            code = err_set(err, ERR_CORRUPT, "the note of a generator is damaged");
    }
    snapshot_close(snapshot);
    return code;
}

static void job_write_note(const DatagenJob *job, int64_t rows, Commit *commit) {
    Buf value = {0};
    buf_u64_le(&value, (uint64_t)rows);
    commit_put(commit, STORE_DATAGEN, job_key(job->name), buf_view(&value));
    buf_free(&value);
}

/* Makes and commits the next rows; without the lock. */
static ErrCode job_write(DatagenJob *job, Storage *storage, uint32_t count, Err *err) {
    assert(job->busy && count > 0);
    GeneratorRows rows;
    generator_rows(job->generator, job->rows, count, &rows);
    appender_set_round(job->appender, (uint64_t)job->rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        ErrCode code = appender_add(job->appender, rows.columns, i, rows.rowtimes[i], false, err);
        if (code != ERR_OK) {
            appender_clear(job->appender);
            return code;
        }
    }
    Commit *commit = commit_new(storage, 0);
    appender_flush(job->appender, commit);
    job_write_note(job, job->rows + count, commit);
    return commit_wait(commit, NULL, err);
}

/* -- All jobs ---------------------------------------------------------------------------------- */

static DatagenJob *jobs_find(const DatagenJobs *jobs, const char *name) {
    for (size_t i = 0; i < jobs->count; i++)
        if (strcmp(jobs->jobs[i]->name, name) == 0)
            return jobs->jobs[i];
    return NULL;
}

/* With the lock: lets the next job that has rows to write do so. false: none has, for *wait_us. */
static bool jobs_turn(DatagenJobs *jobs, int64_t *wait_us) {
    int64_t now_us = jobs_now_us(jobs);
    *wait_us = INT64_MAX;
    for (size_t i = 0; i < jobs->count; i++) {
        DatagenJob *job = jobs->jobs[(jobs->turn + i) % jobs->count];
        int64_t job_wait_us;
        uint32_t due = job_due(job, now_us, &job_wait_us);
        *wait_us = job_wait_us < *wait_us ? job_wait_us : *wait_us;
        if (due == 0)
            continue;
        Err err;
        jobs->turn = (jobs->turn + i + 1) % jobs->count;
        job->busy = true;
        lock_release(&jobs->lock);
        ErrCode code = job_write(job, jobs->storage, due, &err);
        lock_take(&jobs->lock);
        job->busy = false;
        job->retry_us = code == ERR_OK ? 0 : jobs_now_us(jobs) + RETRY_US;
        if (code == ERR_OK)
            job->rows += due;
        else
            job->error = err;
        signal_all(&jobs->changed);
        return true;
    }
    return false;
}

static void *jobs_run(void *arg) {
    DatagenJobs *jobs = arg;
    lock_take(&jobs->lock);
    while (!jobs->stop) {
        int64_t wait_us;
        if (!jobs_turn(jobs, &wait_us))
            signal_wait_for(&jobs->changed, &jobs->lock, wait_us < IDLE_US ? wait_us : IDLE_US);
    }
    lock_release(&jobs->lock);
    return NULL;
}

DatagenJobs *datagen_open(Io *io, Storage *storage, bool threads,
                          const _Atomic uint32_t *interrupts) {
    DatagenJobs *jobs = mem_alloc(sizeof *jobs);
    jobs->io = io;
    jobs->storage = storage;
    jobs->threads = threads;
    jobs->interrupts = interrupts;
    lock_init(&jobs->lock);
    signal_init(&jobs->changed);
    return jobs;
}

void datagen_close(DatagenJobs *jobs) {
    if (!jobs)
        return;
    if (jobs->started) {
        lock_take(&jobs->lock);
        jobs->stop = true;
        signal_all(&jobs->changed);
        lock_release(&jobs->lock);
        thread_join(&jobs->thread);
    }
    for (size_t i = 0; i < jobs->count; i++)
        job_free(jobs->jobs[i]);
    mem_free(jobs->jobs);
    signal_close(&jobs->changed);
    lock_close(&jobs->lock);
    mem_free(jobs);
}

static void jobs_add(DatagenJobs *jobs, DatagenJob *job) {
    lock_take(&jobs->lock);
    assert(!jobs_find(jobs, job->name));
    job_pace(job, jobs_now_us(jobs));
    jobs->jobs = mem_grow(jobs->jobs, &jobs->capacity, jobs->count + 1, sizeof *jobs->jobs);
    jobs->jobs[jobs->count++] = job;
    if (jobs->threads && !jobs->started) {
        jobs->started = true;
        thread_start(&jobs->thread, "datagen", jobs_run, jobs);
    }
    signal_all(&jobs->changed);
    lock_release(&jobs->lock);
}

ErrCode datagen_start(DatagenJobs *jobs, const Source *source, Err *err) {
    const Datagen *datagen = source->datagen;
    assert(datagen);
    DatagenJob *job = mem_alloc(sizeof *job);
    job->name = mem_strdup(source->name);
    job->topic = mem_strdup(source->topic.topic);
    job->rows_max = datagen->rows;
    job->rows_per_second = datagen->rows_per_second;
    job->paused = datagen->paused;
    ErrCode code;
    TRY_DONE(appender_new(jobs->storage, source, &job->appender, err));
    TRY_DONE(job_read_note(job, jobs->storage, err));
    job->generator = generator_new(source);
    jobs_add(jobs, job);
done:
    if (code != ERR_OK)
        job_free(job);
    return code;
}

void datagen_stop(DatagenJobs *jobs, const char *name) {
    lock_take(&jobs->lock);
    DatagenJob *job = jobs_find(jobs, name);
    if (job)
        job->ending = true;
    while (job && job->busy)
        signal_wait(&jobs->changed, &jobs->lock);
    for (size_t i = 0; job && i < jobs->count; i++) {
        if (jobs->jobs[i] != job)
            continue;
        jobs->jobs[i] = jobs->jobs[--jobs->count];
        jobs->turn = 0;
        job_free(job);
        break;
    }
    lock_release(&jobs->lock);
}

void datagen_pause(DatagenJobs *jobs, const char *name, bool paused) {
    lock_take(&jobs->lock);
    DatagenJob *job = jobs_find(jobs, name);
    if (job && job->paused != paused) {
        job->paused = paused;
        job_pace(job, jobs_now_us(jobs));
        signal_all(&jobs->changed);
    }
    lock_release(&jobs->lock);
}

void datagen_forget(Commit *commit, const char *name) {
    commit_remove(commit, STORE_DATAGEN, job_key(name));
}

bool datagen_figures(DatagenJobs *jobs, const char *name, DatagenFigures *figures) {
    lock_take(&jobs->lock);
    const DatagenJob *job = jobs_find(jobs, name);
    if (job) {
        *figures = (DatagenFigures){.rows = job->rows};
        figures->state = job_finished(job)       ? DATAGEN_FINISHED
                         : job->retry_us > 0     ? DATAGEN_ERROR
                         : job->paused           ? DATAGEN_PAUSED
                                                 : DATAGEN_RUNNING;
        if (figures->state == DATAGEN_ERROR)
            figures->error = job->error;
    }
    lock_release(&jobs->lock);
    return job != NULL;
}

/* -- Waiting ----------------------------------------------------------------------------------- */

ErrCode datagen_pump(DatagenJobs *jobs, Err *err) {
    assert(!jobs->threads);
    int64_t wait_us;
    lock_take(&jobs->lock);
    while (jobs_turn(jobs, &wait_us)) {
    }
    lock_release(&jobs->lock);
    return storage_state(jobs->storage, err);
}

/* With the lock: a job of the topic that is to come to its end and has not; NULL: none. */
static DatagenJob *jobs_waited_for(const DatagenJobs *jobs, const char *topic) {
    for (size_t i = 0; i < jobs->count; i++) {
        DatagenJob *job = jobs->jobs[i];
        if ((!topic || strcmp(job->topic, topic) == 0) && job->rows_max > 0 &&
            job->rows_per_second == 0 && !job->paused && !job_finished(job))
            return job;
    }
    return NULL;
}

ErrCode datagen_catch_up(DatagenJobs *jobs, const char *topic, int64_t timeout_ms, Err *err) {
    if (!jobs->threads)
        TRY(datagen_pump(jobs, err));
    Io *io = jobs->io;
    uint32_t interrupts = atomic_load(jobs->interrupts);
    int64_t until_us = io->ops->mono_us(io) + timeout_ms * 1000;
    const DatagenJob *job;
    ErrCode code = ERR_OK;
    lock_take(&jobs->lock);
    while (code == ERR_OK && (job = jobs_waited_for(jobs, topic)) != NULL) {
        int64_t left_us = until_us - io->ops->mono_us(io);
        if (job->retry_us > 0 && !job->busy)
            code = err_set(err, job->error.code, "%s", job->error.message);
        else if (atomic_load(jobs->interrupts) != interrupts)
            code = err_set(err, ERR_CANCELLED, "The statement was interrupted.");
        else if (left_us <= 0 || !jobs->threads)
            code = err_set(err, ERR_LIMIT,
                           "%s has been given %lld of its %lld generated rows after %lld ms.\n"
                           "SET 'weir.lookup.wait.ms' waits longer; PAUSE %s; does without them.",
                           job->name, (long long)job->rows, (long long)job->rows_max,
                           (long long)timeout_ms, job->name);
        else
            signal_wait_for(&jobs->changed, &jobs->lock, left_us < PACE_US ? left_us : PACE_US);
    }
    lock_release(&jobs->lock);
    return code;
}
