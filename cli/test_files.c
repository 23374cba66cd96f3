/*
 * test_files.c - see test_files.h.
 *
 * A file is cut into commands (test_read.c), then run once per step size, each time on a fresh
 * engine (test_run.c). Each file has a child process of its own, so that a crash or an endless loop
 * costs one file and not the run; several run at once and are reported in order.
 */
#include "cli/test_files.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/test_impl.h"

enum { FILE_SECONDS_MAX = 120, PATH_SIZE = 4096, JOBS_MAX = 64 };

typedef struct TestJob {
    char *path;
    pid_t child;
    int fd;   /* what the child says */
    Buf text; /* said so far */
    int64_t begin_us, taken_us;
    bool started, ended, passed;
} TestJob;

typedef struct TestJobs {
    TestJob *jobs;
    size_t count, capacity;
    size_t reported;
    uint32_t passed, failed;
    const TestFilesOptions *options;
} TestJobs;

/* -- One file ---------------------------------------------------------------------------------- */

static bool test_update(TestFile *file) {
    file->update = true;
    bool good = test_run(file, 0) && (file->edit_count == 0 || test_write(file));
    file->update = false;
    return good;
}

static bool test_file(const char *path, const TestFilesOptions *options) {
    static const uint32_t sizes[] = {1, 7, 1024};
    TestFile file = {.path = path, .arena = arena_new("test file", 0)};
    bool good = test_read(&file);
    if (good && options->update)
        good = test_update(&file);
    if (good && file.edit_count > 0) { /* once more, as it is now */
        file.count = 0;
        good = test_read(&file);
    }
    if (good && options->step_rows)
        good = test_run(&file, options->step_rows);
    for (size_t i = 0; good && !options->step_rows && i < sizeof sizes / sizeof sizes[0]; i++)
        good = test_run(&file, sizes[i]);
    mem_free(file.commands);
    mem_free(file.edits);
    arena_free(file.arena);
    return good;
}

/* -- Reports ----------------------------------------------------------------------------------- */

static void report_xml(const char *text) {
    for (; *text; text++) {
        uint8_t byte = (uint8_t)*text;
        if (*text == '<')
            fputs("&lt;", stdout);
        else if (*text == '&')
            fputs("&amp;", stdout);
        else if (*text == '"')
            fputs("&quot;", stdout);
        else if (byte >= 0x20 || *text == '\n' || *text == '\t')
            putchar(*text);
    }
}

static void report_tap(const TestJob *job, size_t number) {
    printf("%s %zu - %s\n", job->passed ? "ok" : "not ok", number, job->path);
    const char *text = (const char *)job->text.data;
    for (size_t size; text && *text; text += size + (text[size] == '\n')) {
        size = strcspn(text, "\n");
        printf("# %.*s\n", (int)size, text);
    }
}

static void report_junit(const TestJob *job) {
    fputs("  <testcase classname=\"weir\" name=\"", stdout);
    report_xml(job->path);
    printf("\" time=\"%.3f\"", (double)job->taken_us / 1e6);
    if (job->passed) {
        puts("/>");
        return;
    }
    fputs("><failure>", stdout);
    report_xml(job->text.data ? (const char *)job->text.data : "");
    puts("</failure></testcase>");
}

static void report_begin(const TestJobs *jobs) {
    if (jobs->options->report == TEST_REPORT_TAP)
        printf("TAP version 13\n1..%zu\n", jobs->count);
    if (jobs->options->report == TEST_REPORT_JUNIT)
        puts("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"weir\">");
}

/* The jobs that have ended, in order, as far as there is no gap. */
static void report_ended(TestJobs *jobs) {
    for (; jobs->reported < jobs->count && jobs->jobs[jobs->reported].ended; jobs->reported++) {
        TestJob *job = &jobs->jobs[jobs->reported];
        (void)buf_cstr(&job->text);
        jobs->passed += job->passed;
        jobs->failed += !job->passed;
        if (jobs->options->report == TEST_REPORT_TAP)
            report_tap(job, jobs->reported + 1);
        else if (jobs->options->report == TEST_REPORT_JUNIT)
            report_junit(job);
        else
            fputs((const char *)job->text.data, stdout);
        buf_free(&job->text);
    }
    fflush(stdout);
}

static void report_end(const TestJobs *jobs) {
    if (jobs->options->report == TEST_REPORT_JUNIT)
        puts("</testsuite>");
    else
        printf("%s%u passed, %u failed, 0 skipped\n",
               jobs->options->report == TEST_REPORT_TAP ? "# " : "", jobs->passed, jobs->failed);
}

/* -- Jobs -------------------------------------------------------------------------------------- */

/* In the child: what the file says goes into the pipe. */
static void job_child(const TestJob *job, const TestFilesOptions *options, const int ends[2]) {
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    alarm(FILE_SECONDS_MAX);
    exit(test_file(job->path, options) ? 0 : 1);
}

static bool job_start(TestJob *job, const TestFilesOptions *options) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        return false;
    job->begin_us = io_posix_mono_us();
    job->child = fork();
    if (job->child == 0)
        job_child(job, options, ends);
    close(ends[1]);
    if (job->child < 0)
        close(ends[0]);
    job->fd = ends[0];
    job->started = job->child > 0;
    return job->started;
}

static void job_end(TestJob *job) {
    int status = 0;
    close(job->fd);
    waitpid(job->child, &status, 0);
    if (WIFSIGNALED(status))
        buf_printf(&job->text, "%s:1: ended by signal %d%s\n", job->path, WTERMSIG(status),
                   WTERMSIG(status) == SIGALRM ? " (it took too long)" : "");
    else if (WEXITSTATUS(status) > 1)
        buf_printf(&job->text, "%s:1: ended with status %d\n", job->path, WEXITSTATUS(status));
    job->taken_us = io_posix_mono_us() - job->begin_us;
    job->passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    job->ended = true;
}

static void job_listen(TestJob *job) {
    ssize_t got = read(job->fd, buf_room(&job->text, 4096), 4096);
    if (got > 0)
        job->text.size += (size_t)got;
    else
        job_end(job);
}

/* Waits until one of the running jobs says something or ends. */
static void jobs_listen(TestJobs *jobs) {
    struct pollfd fds[JOBS_MAX];
    TestJob *running[JOBS_MAX];
    nfds_t count = 0;
    for (size_t i = jobs->reported; i < jobs->count && count < JOBS_MAX; i++) {
        if (!jobs->jobs[i].started || jobs->jobs[i].ended)
            continue;
        fds[count] = (struct pollfd){.fd = jobs->jobs[i].fd, .events = POLLIN};
        running[count++] = &jobs->jobs[i];
    }
    if (poll(fds, count, -1) <= 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].revents)
            job_listen(running[i]);
}

static void jobs_run(TestJobs *jobs, uint32_t most) {
    size_t next = 0;
    report_begin(jobs);
    while (jobs->reported < jobs->count) {
        size_t running = 0;
        for (size_t i = jobs->reported; i < next; i++)
            running += !jobs->jobs[i].ended;
        for (; running < most && next < jobs->count; next++, running++) {
            TestJob *job = &jobs->jobs[next];
            job->ended = !job_start(job, jobs->options);
            if (job->ended)
                buf_printf(&job->text, "%s:1: no process could be started\n", job->path);
        }
        if (running > 0)
            jobs_listen(jobs);
        report_ended(jobs);
    }
    report_end(jobs);
}

/* -- Files ------------------------------------------------------------------------------------- */

static bool test_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool test_is_wanted(const char *name, const char *path) {
    size_t size = strlen(name);
    bool is_test = size > 5 && strcmp(name + size - 5, ".test") == 0;
    return name[0] != '.' && (is_test || test_is_folder(path) || test_has_sections(path));
}

static void jobs_add(TestJobs *jobs, const char *path) {
    if (!test_is_folder(path)) {
        jobs->jobs = mem_grow(jobs->jobs, &jobs->capacity, jobs->count + 1, sizeof *jobs->jobs);
        jobs->jobs[jobs->count++] = (TestJob){.path = mem_strdup(path)};
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_SIZE];
        int size = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        if (size < PATH_SIZE && test_is_wanted(entries[i]->d_name, child))
            jobs_add(jobs, child);
        mem_free(entries[i]);
    }
    if (count >= 0)
        mem_free(entries);
}

int test_files_run(const TestFilesOptions *options) {
    TestJobs jobs = {.options = options};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t most = options->jobs ? options->jobs : cores > 0 ? (uint32_t)cores : 1;
    for (uint32_t i = 0; i < options->count; i++)
        jobs_add(&jobs, options->paths[i]);
    if (options->coverage) {
        const char **paths = mem_array(jobs.count, sizeof *paths);
        for (size_t i = 0; i < jobs.count; i++)
            paths[i] = jobs.jobs[i].path;
        test_coverage(paths, jobs.count);
        mem_free(paths);
    }
    jobs_run(&jobs, most < JOBS_MAX ? most : JOBS_MAX);
    for (size_t i = 0; i < jobs.count; i++)
        mem_free(jobs.jobs[i].path);
    mem_free(jobs.jobs);
    return jobs.failed > 0 || jobs.passed == 0;
}
