/* pager.c - see pager.h. */
#include "cli/pager.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* What less does unless LESS says otherwise: colours as they are, long lines are cut and can be
 * scrolled to, the screen is left as it was. */
static const char less_options[] = "SRX";

static bool pager_less_is_there(void) {
    const char *folder = getenv("PATH");
    while (folder && *folder) {
        char path[PATH_SIZE];
        int size = (int)strcspn(folder, ":");
        if (snprintf(path, sizeof path, "%.*s/less", size, folder) < PATH_SIZE &&
            access(path, X_OK) == 0)
            return true;
        folder += size + (folder[size] == ':');
    }
    return false;
}

/* NULL: none. */
static const char *pager_command(void) {
    const char *command = getenv("PAGER");
    if (command)
        return *command ? command : NULL;
    return pager_less_is_there() ? "less" : NULL;
}

bool pager_is_wanted(unsigned long lines) {
    struct winsize size = {0};
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term && strcmp(term, "dumb") != 0 &&
           ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
           lines >= size.ws_row && pager_command();
}

static void pager_child(const int ends[2]) {
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
    setenv("LESS", less_options, 0);
    execl("/bin/sh", "sh", "-c", pager_command(), (char *)NULL);
    _exit(127);
}

bool pager_begin(Pager *pager) {
    int ends[2];
    *pager = (Pager){0};
    fflush(NULL);
    if (pipe(ends) != 0)
        return false;
    pager->terminal = dup(STDOUT_FILENO);
    pager->child = pager->terminal < 0 ? -1 : fork();
    if (pager->child == 0)
        pager_child(ends);
    if (pager->child > 0)
        dup2(ends[1], STDOUT_FILENO);
    else if (pager->terminal >= 0)
        close(pager->terminal);
    close(ends[0]);
    close(ends[1]);
    if (pager->child > 0)
        return true;
    pager->child = 0;
    return false;
}

void pager_end(Pager *pager) {
    if (pager->child == 0)
        return;
    (void)fflush(stdout); /* the pager may have been left before the end */
    clearerr(stdout);
    dup2(pager->terminal, STDOUT_FILENO);
    close(pager->terminal);
    while (waitpid(pager->child, NULL, 0) < 0)
        ;
    pager->child = 0;
}
