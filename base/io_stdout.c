/* io_stdout.c - see io_stdout.h. */
#include "base/io_stdout.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int stdout_kept = -1; /* where it was */
static pid_t stdout_reader;  /* the command; 0: none */

static ErrCode stdout_take(int fd, const char *what, Err *err) {
    fflush(stdout);
    stdout_kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    bool good = stdout_kept >= 0 && dup2(fd, STDOUT_FILENO) >= 0;
    close(fd);
    if (!good)
        return err_set(err, ERR_NOT_FOUND, "Cannot write to '%s': %s.", what, strerror(errno));
    return ERR_OK;
}

ErrCode io_stdout_to_file(const char *path, bool append, Err *err) {
    assert(path && !io_stdout_is_away());
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC);
    int fd = open(path, how, 0666);
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "Cannot write to '%s': %s.", path, strerror(errno));
    return stdout_take(fd, path, err);
}

/* In the child: the command reads what we write, and Ctrl-C is its own. */
static void stdout_become(const char *command, int in) {
    dup2(in, STDIN_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

ErrCode io_stdout_to_command(const char *command, Err *err) {
    assert(command && !io_stdout_is_away());
    int ends[2];
    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_NOT_FOUND, "Cannot run '%s': %s.", command, strerror(errno));
    pid_t child = fork();
    if (child == 0)
        stdout_become(command, ends[0]);
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return err_set(err, ERR_NOT_FOUND, "Cannot run '%s': %s.", command, strerror(errno));
    }
    stdout_reader = child;
    return stdout_take(ends[1], command, err);
}

void io_stdout_back(void) {
    if (stdout_kept < 0)
        return;
    fflush(stdout);
    clearerr(stdout);
    dup2(stdout_kept, STDOUT_FILENO);
    close(stdout_kept);
    stdout_kept = -1;
    while (stdout_reader > 0 && waitpid(stdout_reader, NULL, 0) < 0 && errno == EINTR)
        ;
    stdout_reader = 0;
}

bool io_stdout_is_away(void) {
    return stdout_kept >= 0;
}
