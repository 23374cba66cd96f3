/*
 * main.c - the `weir` command: what was asked, handed to the one who does it.
 *
 *   weir [DIR] [-e SQL]... [-f FILE]... [--workers N] [--format F] [--os-durability]
 *   weir test FILE|DIR... [--steps N]      weir test --cases FILE [--steps N] [--only PREFIX]
 *
 * Exit status: 0 done, 1 a statement or test failed, 2 wrong usage, 3 the data cannot be opened,
 * 4 the time was over, 130 interrupted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io_stdout.h"
#include "cli/session.h"
#include "cli/test_cases.h"
#include "cli/test_files.h"

enum { EXIT_USAGE = 2, EXIT_OPEN = 3 };
enum { SCRIPTS_MAX = 256, WORKERS_MAX = 1024, SECONDS_MAX = 1000000 };

static const char usage[] =
    "usage: weir [DIR] [-e SQL] [-f FILE] [--workers N] [--format F]\n"
    "       weir test FILE|DIR... [--steps N]\n"
    "       weir test --cases FILE [--steps N] [--only PREFIX]\n"
    "\n"
    "Without DIR everything lives in memory. Without -e or -f: a shell, or the statements of\n"
    "standard input where that is no terminal. Rows go to standard output, all else to standard\n"
    "error.\n"
    "\n"
    "  -e SQL             runs these statements and ends (may be given several times)\n"
    "  -f FILE            runs the statements of a file (-: standard input) and ends\n"
    "  --workers N        threads that run queries (default: one per core)\n"
    "  --format F         how rows are written: table (default), expanded, auto, csv, tsv, json,\n"
    "                     ndjson, markdown, insert\n"
    "  --output FILE      rows go to this file\n"
    "  --rows N           a push query ends behind N rows\n"
    "  --timeout SECONDS  everything ends then\n"
    "  --on-error WHAT    stop (default) or continue behind a statement that failed\n"
    "  -v NAME=VALUE      defines a variable for ${NAME}\n"
    "  --color WHEN       auto (default), always, never\n"
    "  --no-rc            does not run the shell's start file\n"
    "  --latest           new queries start at the end of their topics\n"
    "  --os-durability    write without waiting for the disk: survives kill -9, not a power cut\n"
    "  --version, --help\n"
    "\n"
    "Exit status: 0 done, 1 a statement or test failed, 2 wrong usage, 3 the data cannot be\n"
    "opened, 4 the time was over, 130 interrupted.\n";

typedef struct Script {
    const char *text; /* -e */
    const char *path; /* -f */
} Script;

typedef struct Options {
    const char *folder;
    Script scripts[SCRIPTS_MAX];
    uint32_t script_count;
    OutputFormat format;
    const char *colour;
    bool no_start_file;
    const char *output;
    const char *variables[SCRIPTS_MAX];
    uint32_t variable_count;
    uint32_t rows_max;
    double timeout_s; /* 0: none */
    bool go_on;
    WeirOptions weir;
} Options;

static int main_usage(const char *why, const char *what) {
    fprintf(stderr, "weir: %s%s\n\n%s", why, what, usage);
    return EXIT_USAGE;
}

static bool main_number(const char *text, uint32_t most, uint32_t *number) {
    char *end;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    if (!text || *text < '0' || *text > '9' || *end || value < 1 || value > most)
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool main_script(Options *options, Script script) {
    if (options->script_count == SCRIPTS_MAX || (!script.text && !script.path))
        return false;
    options->scripts[options->script_count++] = script;
    return true;
}

/* --name=value or --name value at argv[*at]; moves *at to the last word used. */
static const char *main_value(char **argv, int *at, const char *name) {
    size_t size = strlen(name);
    if (argv[*at][size] == '=')
        return argv[*at] + size + 1;
    return argv[++*at];
}

static bool main_is(const char *word, const char *name) {
    size_t size = strlen(name);
    return strncmp(word, name, size) == 0 &&
           (word[size] == '\0' || (word[size] == '=' && name[1] == '-'));
}

static bool main_seconds(const char *text, double *seconds) {
    char *end;
    *seconds = text && *text ? strtod(text, &end) : 0;
    return *seconds > 0 && *seconds < SECONDS_MAX && *end == '\0';
}

/* One of three words. */
static bool main_choice(const char *value, const char *one, const char *two, const char *three) {
    return value && (strcmp(value, one) == 0 || strcmp(value, two) == 0 ||
                     strcmp(value, three) == 0);
}

static bool main_on_error(Options *options, const char *value) {
    options->go_on = value && strcmp(value, "continue") == 0;
    return options->go_on || (value && strcmp(value, "stop") == 0);
}

static bool main_variable(Options *options, const char *value) {
    if (!value || !strchr(value, '=') || options->variable_count == SCRIPTS_MAX)
        return false;
    options->variables[options->variable_count++] = value;
    return true;
}

/* Options without a value; false: it is none of them. */
static bool main_flag(Options *options, const char *name) {
    bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    bool os = strcmp(name, "--os-durability") == 0, latest = strcmp(name, "--latest") == 0;
    bool no_rc = strcmp(name, "--no-rc") == 0;
    if (help) {
        fputs(usage, stdout);
        exit(0);
    }
    options->weir.os_durability |= os;
    options->weir.from_latest |= latest;
    options->no_start_file |= no_rc;
    return os || latest || no_rc;
}

/* How rows are shown; *good: the value is right. false: it is none of these options. */
static bool main_option_output(Options *options, char **argv, int *at, bool *good) {
    const char *name = argv[*at], *value;
    if (main_is(name, "--format")) {
        value = main_value(argv, at, "--format");
        *good = value && output_format_find(value, &options->format);
    } else if (main_is(name, "--color")) {
        options->colour = main_value(argv, at, "--color");
        *good = main_choice(options->colour, "auto", "always", "never");
    } else if (main_is(name, "--output")) {
        *good = (options->output = main_value(argv, at, "--output")) != NULL;
    } else if (main_is(name, "--rows")) {
        *good = main_number(main_value(argv, at, "--rows"), UINT32_MAX, &options->rows_max);
    } else {
        return false;
    }
    return true;
}

/* One option at argv[*at]; moves *at to its last word. 0: understood. */
static int main_option(Options *options, char **argv, int *at) {
    const char *name = argv[*at];
    bool good;
    if (main_flag(options, name) || (main_option_output(options, argv, at, &good) && good))
        return 0;
    if (main_is(name, "-e"))
        good = main_script(options, (Script){main_value(argv, at, "-e"), NULL});
    else if (main_is(name, "-f"))
        good = main_script(options, (Script){NULL, main_value(argv, at, "-f")});
    else if (main_is(name, "-v"))
        good = main_variable(options, main_value(argv, at, "-v"));
    else if (main_is(name, "--workers"))
        good = main_number(main_value(argv, at, "--workers"), WORKERS_MAX,
                           &options->weir.workers);
    else if (main_is(name, "--timeout"))
        good = main_seconds(main_value(argv, at, "--timeout"), &options->timeout_s);
    else if (main_is(name, "--on-error"))
        good = main_on_error(options, main_value(argv, at, "--on-error"));
    else if (!main_is(name, "--format") && !main_is(name, "--color") &&
             !main_is(name, "--output") && !main_is(name, "--rows"))
        return main_usage("unknown option ", name);
    else
        good = false;
    return good ? 0 : main_usage("a value is missing or wrong for ", name);
}

/* Words that will mean more than a folder, and are not to become one by mistake. */
static int main_check_folder(const char *folder) {
    static const char *const later[] = {"server", "check", "repair", "backup"};
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (strcmp(folder, later[i]) == 0)
            return main_usage("not supported yet (a folder of this name is ./NAME): ", folder);
    if (strstr(folder, "://"))
        return main_usage("addresses are not supported yet: ", folder);
    return *folder ? 0 : main_usage("DIR is empty", "");
}

static int main_parse(Options *options, int argc, char **argv) {
    for (int at = 1; at < argc; at++) {
        int status = 0;
        if (argv[at][0] == '-' && argv[at][1] != '\0')
            status = main_option(options, argv, &at);
        else if (options->folder)
            status = main_usage("more than one DIR: ", argv[at]);
        else
            status = main_check_folder(options->folder = argv[at]);
        if (status != 0)
            return status;
    }
    return 0;
}

static void main_notice(void *context, const char *text) {
    (void)context;
    output_say("", text);
}

/* The variables of -v, as if they had been defined. */
static int main_define(const Options *options, Session *session) {
    for (uint32_t i = 0; i < options->variable_count; i++) {
        const char *name = options->variables[i], *value = strchr(name, '=');
        Buf sql = {0};
        buf_printf(&sql, "DEFINE %.*s = '", (int)(value - name), name);
        for (value++; *value; value++)
            buf_put(&sql, *value == '\'' ? "''" : value, *value == '\'' ? 2 : 1);
        buf_text(&sql, "';");
        WeirScript script = {.sql = buf_cstr(&sql)};
        int status = session_run(session, &script);
        buf_free(&sql);
        if (status != 0)
            return EXIT_USAGE;
    }
    return 0;
}

/* Where rows go, and how long all may take. */
static int main_prepare(const Options *options, Session *session) {
    Err err;
    double seconds = options->timeout_s;
    struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};
    timer.it_value.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6);
    if (seconds > 0)
        (void)setitimer(ITIMER_REAL, &timer, NULL);
    if (options->output && io_stdout_to_file(options->output, false, &err) != ERR_OK) {
        output_say("weir: ", err.message);
        return 1;
    }
    return main_define(options, session);
}

static int main_statements(const Options *options, Session *session) {
    int status = main_prepare(options, session);
    for (uint32_t i = 0; status == 0 && i < options->script_count; i++) {
        const Script *script = &options->scripts[i];
        WeirScript text = {.sql = script->text};
        status = script->text ? session_run(session, &text)
                              : session_run_file(session, script->path);
    }
    if (options->script_count > 0)
        return status == 0 && session->failed ? 1 : status;
    if (status != 0)
        return status;
    session->interactive = isatty(STDIN_FILENO);
    return session->interactive ? session_shell(session, options->folder)
                                : session_run_file(session, "-");
}

/* A closed standard stream would give its number to a file of ours. */
static void main_hold_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR);
}

static int main_weir(int argc, char **argv) {
    Options options = {.format = OUTPUT_TABLE, .colour = "auto", .weir = {.notice = main_notice}};
    int status = main_parse(&options, argc, argv);
    if (status != 0)
        return status;
    Session session = {.format = options.format,
                       .timing = true,
                       .colour = options.colour,
                       .rows_max = options.rows_max,
                       .go_on = options.go_on,
                       .no_start_file = options.no_start_file};
    WeirError error;
    session_catch_signals(&session);
    if (weir_open(options.folder, &options.weir, &session.weir, &error) != WEIR_OK) {
        output_say("weir: ", error.message);
        return EXIT_OPEN;
    }
    session_catch_signals(&session);
    status = main_statements(&options, &session);
    Weir *weir = session.weir;
    session.weir = NULL;
    session_catch_signals(&session);
    weir_close(weir);
    return status;
}

static int main_test(int argc, char **argv) {
    TestCasesOptions cases = {0};
    TestFilesOptions files = {.paths = argv + 2};
    for (int at = 2; at < argc; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : NULL;
        if (strcmp(argv[at], "--cases") == 0 && value) {
            cases.path = argv[++at];
        } else if (strcmp(argv[at], "--only") == 0 && value) {
            cases.only = argv[++at];
        } else if (strcmp(argv[at], "--steps") == 0 &&
                   main_number(value, 1 << 20, &cases.step_rows)) {
            at++;
        } else if (argv[at][0] == '-') {
            return main_usage("unknown option, or its value is missing: ", argv[at]);
        } else {
            files.paths[files.count++] = argv[at];
        }
    }
    if (cases.path)
        return test_cases_run(&cases);
    files.step_rows = cases.step_rows;
    return files.count > 0 ? test_files_run(&files) : main_usage("no test file was named", "");
}

int main(int argc, char **argv) {
    main_hold_streams();
    if (argc > 1 && strcmp(argv[1], "test") == 0)
        return main_test(argc, argv);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("weir " WEIR_VERSION);
        return 0;
    }
    return main_weir(argc, argv);
}
