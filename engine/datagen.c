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
#include "base/thread.h"
#include "engine/appender.h"
#include "engine/generator.h"
#include "engine/tally.h"
#include "storage/cluster.h"
#include "storage/store.h"

enum {
#ifdef HOSTILE_LIMITS
    ROWS_MAX = 5, /* made at once */
    TURNS_MAX = 3,
#else
    ROWS_MAX = 4096,
    TURNS_MAX = 8, /* in a transaction */
#endif
    TURN_BYTES = 4 << 20,
    PACE_US = 20 * 1000,     /* rows of less time than this are one commit */
    IDLE_US = 1000 * 1000,
    RETRY_US = 1000 * 1000, /* behind a commit that failed */
};

typedef struct DatagenJob {
    char *name, *topic;
    Generator *generator;
    Appender *appender;
    Tally tally;
    bool ready, is_new; /* the tally is open, `rows` is what it says */
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
    tally_close(&job->tally);
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
    if (!job->ready)
        return 1;
    int64_t most = tally_may_fail(&job->tally) ? ROWS_MAX * TURNS_MAX : ROWS_MAX;
    int64_t due = job->rows_max > 0 ? job->rows_max - job->rows : most;
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
    return (uint32_t)(due < most ? due : most);
}

static void job_pace(DatagenJob *job, int64_t now_us) {
    job->pace_row = job->rows;
    job->pace_us = now_us;
}

/* Where it is: *rows. */
static ErrCode job_open(DatagenJob *job, Storage *storage, int64_t *rows, Err *err) {
    assert(!job->ready);
    uint64_t figure = 0;
    TallyOptions options = {.store_id = STORE_DATAGEN, .key = bytes_of(job->name), .count = 1,
                            .topic = appender_topic(job->appender)};
    TRY(tally_open(storage, &options, &job->tally, err));
    bool forgotten = job->is_new && tally_may_fail(&job->tally);
    ErrCode code = forgotten ? ERR_OK : tally_read(&job->tally, &figure, err);
    if (code != ERR_OK)
        tally_close(&job->tally);
    *rows = (int64_t)figure;
    return code;
}

/* Makes the next rows, into the appender. */
static ErrCode job_make(DatagenJob *job, int64_t first, uint32_t count, Err *err) {
    GeneratorRows rows;
    generator_rows(job->generator, first, count, &rows);
    appender_set_round(job->appender, (uint64_t)first);
    for (uint32_t i = 0; i < rows.count; i++)
        TRY(appender_add(job->appender, rows.columns, i, rows.rowtimes[i], false, err));
    return ERR_OK;
}

/* Makes and commits up to *count rows, or as many as it says then; without the lock. */
static ErrCode job_write(DatagenJob *job, int64_t *count, Err *err) {
    assert(job->busy && *count > 0);
    int64_t made = 0;
    while (made < *count && appender_bytes(job->appender) < TURN_BYTES) {
        int64_t more = *count - made < ROWS_MAX ? *count - made : ROWS_MAX;
        ErrCode code = job_make(job, job->rows + made, (uint32_t)more, err);
        if (code != ERR_OK) {
            appender_clear(job->appender);
            return code;
        }
        made += more;
    }
    *count = made;
    Commit *commit = tally_commit(&job->tally);
    appender_flush(job->appender, commit);
    tally_write(&job->tally, &(uint64_t){(uint64_t)(job->rows + made)}, commit);
    return commit_wait(commit, NULL, err);
}

/* What there is to do: *rows more are durable. */
static ErrCode job_work(DatagenJob *job, Storage *storage, uint32_t due, int64_t *rows, Err *err) {
    *rows = due;
    return job->ready ? job_write(job, rows, err) : job_open(job, storage, rows, err);
}

/* -- All jobs ---------------------------------------------------------------------------------- */

static DatagenJob *jobs_find(const DatagenJobs *jobs, const char *name) {
    for (size_t i = 0; i < jobs->count; i++)
        if (strcmp(jobs->jobs[i]->name, name) == 0)
            return jobs->jobs[i];
    return NULL;
}

/* With the lock: a turn is over; failure NULL: `rows` more are durable. */
static void job_worked(DatagenJob *job, int64_t now_us, int64_t rows, const Err *failure) {
    job->busy = false;
    job->retry_us = failure ? now_us + RETRY_US : 0;
    if (failure) {
        job->error = *failure;
        return;
    }
    job->rows += rows;
    if (!job->ready)
        job_pace(job, now_us);
    job->ready = true;
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
        int64_t rows;
        ErrCode code = job_work(job, jobs->storage, due, &rows, &err);
        lock_take(&jobs->lock);
        job_worked(job, jobs_now_us(jobs), rows, code == ERR_OK ? NULL : &err);
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

ErrCode datagen_start(DatagenJobs *jobs, const Source *source, bool is_new, Err *err) {
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
    job->is_new = is_new;
    if (!storage_cluster(jobs->storage)) /* there it has to wait */
        TRY_DONE(job_open(job, jobs->storage, &job->rows, err));
    job->ready = !storage_cluster(jobs->storage);
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
    commit_remove(commit, STORE_DATAGEN, bytes_of(name));
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
