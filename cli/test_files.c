/*
 * test_files.c - see test_files.h.
 *
 * A file is cut into commands (test_read.c), then run once per step size, each time on a fresh
 * engine (test_run.c). Each file has a child process of its own, so that a crash or an endless loop
 * costs one file and not the run.
 */
#include "cli/test_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/test_impl.h"

enum { FILE_SECONDS_MAX = 120, PATH_SIZE = 4096 };

typedef struct Tally {
    uint32_t passed, failed;
} Tally;

static bool test_file(const char *path, uint32_t step_rows) {
    static const uint32_t sizes[] = {1, 7, 1024};
    TestFile file = {.path = path, .arena = arena_new("test file", 0)};
    bool good = test_read(&file);
    if (good && step_rows)
        good = test_run(&file, step_rows);
    for (size_t i = 0; good && !step_rows && i < sizeof sizes / sizeof sizes[0]; i++)
        good = test_run(&file, sizes[i]);
    mem_free(file.commands);
    arena_free(file.arena);
    return good;
}

static bool test_in_child(const char *path, uint32_t step_rows) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return test_file(path, step_rows);
    if (child == 0) {
        alarm(FILE_SECONDS_MAX);
        exit(test_file(path, step_rows) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return test_fault(path, 1, "ended by signal %d%s", WTERMSIG(status),
                          WTERMSIG(status) == SIGALRM ? " (it took too long)" : "");
    if (WEXITSTATUS(status) > 1)
        return test_fault(path, 1, "ended with status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status) == 0;
}

static void test_one(const char *path, uint32_t step_rows, Tally *tally) {
    if (test_in_child(path, step_rows))
        tally->passed++;
    else
        tally->failed++;
}

static bool test_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool test_is_wanted(const char *name, const char *path) {
    size_t size = strlen(name);
    bool is_test = size > 5 && strcmp(name + size - 5, ".test") == 0;
    return name[0] != '.' && (is_test || test_is_folder(path));
}

static void test_path(const char *path, uint32_t step_rows, Tally *tally) {
    if (!test_is_folder(path)) {
        test_one(path, step_rows, tally);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_SIZE];
        int size = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        if (size < PATH_SIZE && test_is_wanted(entries[i]->d_name, child))
            test_path(child, step_rows, tally);
        mem_free(entries[i]);
    }
    if (count >= 0)
        mem_free(entries);
}

int test_files_run(const TestFilesOptions *options) {
    Tally tally = {0};
    for (uint32_t i = 0; i < options->count; i++)
        test_path(options->paths[i], options->step_rows, &tally);
    printf("%u passed, %u failed, 0 skipped\n", tally.passed, tally.failed);
    return tally.failed > 0 || tally.passed == 0;
}
