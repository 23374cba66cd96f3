/*
 * main.c - the `weir` command: what was asked, handed to the one who does it.
 *
 *   weir [DIR] [-e SQL]... [-f FILE]... [--workers N] [--format F] [--os-durability]
 *   weir test FILE|DIR... [--steps N]      weir test --cases FILE [--steps N] [--only PREFIX]
 *
 * Exit status: 0 done, 1 a statement or test failed, 2 wrong usage, 3 the data cannot be opened,
 * 130 interrupted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io_input.h"
#include "base/mem.h"
#include "cli/session.h"
#include "cli/test_cases.h"
#include "cli/test_files.h"

enum { EXIT_USAGE = 2, EXIT_OPEN = 3, SCRIPTS_MAX = 256 };

static const char usage[] =
    "usage: weir [DIR] [-e SQL] [-f FILE] [--workers N] [--format table|csv|json|ndjson]\n"
    "       weir test FILE|DIR... [--steps N]\n"
    "       weir test --cases FILE [--steps N] [--only PREFIX]\n"
    "\n"
    "Without DIR everything lives in memory. Without -e or -f: a shell, or the statements of\n"
    "standard input where that is no terminal. Rows go to standard output, all else to standard\n"
    "error.\n"
    "\n"
    "  -e SQL             runs these statements and ends (may be given several times)\n"
    "  -f FILE            runs the statements of a file and ends\n"
    "  --workers N        threads that run queries (default: one per core)\n"
    "  --format F         how rows are written (default: table)\n"
    "  --latest           new queries start at the end of their topics\n"
    "  --os-durability    write without waiting for the disk: survives kill -9, not a power cut\n"
    "  --version, --help\n";

typedef struct Script {
    const char *text; /* -e */
    const char *path; /* -f */
} Script;

typedef struct Options {
    const char *folder;
    Script scripts[SCRIPTS_MAX];
    uint32_t script_count;
    OutputFormat format;
    WeirOptions weir;
} Options;

static int main_usage(const char *why, const char *what) {
    fprintf(stderr, "weir: %s%s\n%s", why, what, usage);
    return EXIT_USAGE;
}

static bool main_number(const char *text, uint32_t *number) {
    char *end;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    if (!text || *text < '0' || *text > '9' || *end || value > 1u << 20)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* One option at argv[*at]; moves *at over its value. 0: understood. */
static int main_option(Options *options, char **argv, int *at) {
    const char *name = argv[*at], *value = argv[*at + 1];
    Script *script = &options->scripts[options->script_count];
    bool takes_value = true, good = value != NULL;
    if (strcmp(name, "-e") == 0 || strcmp(name, "-f") == 0) {
        if (options->script_count == SCRIPTS_MAX)
            return main_usage("too many -e and -f", "");
        *script = name[1] == 'e' ? (Script){value, NULL} : (Script){NULL, value};
        options->script_count += value != NULL;
    } else if (strcmp(name, "--workers") == 0) {
        good = main_number(value, &options->weir.workers) && options->weir.workers > 0;
    } else if (strcmp(name, "--format") == 0) {
        good = value && output_format_find(value, &options->format);
    } else if (strcmp(name, "--os-durability") == 0) {
        options->weir.os_durability = true;
        takes_value = false;
    } else if (strcmp(name, "--latest") == 0) {
        options->weir.from_latest = true;
        takes_value = false;
    } else {
        return main_usage("unknown option ", name);
    }
    if (takes_value && !good)
        return main_usage("a value is missing or wrong for ", name);
    *at += takes_value;
    return 0;
}

static int main_parse(Options *options, int argc, char **argv) {
    for (int at = 1; at < argc; at++) {
        if (argv[at][0] == '-' && argv[at][1] != '\0') {
            int status = main_option(options, argv, &at);
            if (status != 0)
                return status;
        } else if (!options->folder) {
            options->folder = argv[at];
        } else {
            return main_usage("more than one DIR: ", argv[at]);
        }
    }
    return 0;
}

static void main_notice(void *context, const char *text) {
    (void)context;
    fprintf(stderr, "%s\n", text);
}

/* The whole of a file (or standard input: "-") as a text; NULL: said why. */
static char *main_read(const char *path) {
    IoInput *input;
    Err err;
    Buf text = {0};
    uint32_t got = 1;
    if (io_input_open(path, &input, &err) != ERR_OK) {
        fprintf(stderr, "weir: %s\n", err.message);
        return NULL;
    }
    while (got > 0) {
        if (io_input_read(input, buf_room(&text, 1 << 16), 1 << 16, &got, &err) != ERR_OK) {
            fprintf(stderr, "weir: %s\n", err.message);
            got = 0;
        }
        text.size += got;
    }
    io_input_close(input);
    buf_cstr(&text);
    return (char *)text.data;
}

static int main_file(Session *session, const char *path) {
    char *text = main_read(path);
    if (!text)
        return 1;
    int status = session_run(session, text);
    mem_free(text);
    return status;
}

static int main_statements(const Options *options, Session *session) {
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < options->script_count; i++) {
        const Script *script = &options->scripts[i];
        status = script->text ? session_run(session, script->text)
                              : main_file(session, script->path);
    }
    if (options->script_count > 0)
        return status;
    session->interactive = isatty(STDIN_FILENO);
    return session->interactive ? session_shell(session, options->folder)
                                : main_file(session, "-");
}

static int main_weir(int argc, char **argv) {
    Options options = {.format = OUTPUT_TABLE, .weir = {.notice = main_notice}};
    int status = main_parse(&options, argc, argv);
    if (status != 0)
        return status;
    Session session = {.format = options.format};
    WeirError error;
    session_catch_interrupts();
    if (weir_open(options.folder, &options.weir, &session.weir, &error) != WEIR_OK) {
        fprintf(stderr, "weir: %s\n", error.message);
        return EXIT_OPEN;
    }
    status = main_statements(&options, &session);
    weir_close(session.weir);
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
        } else if (strcmp(argv[at], "--steps") == 0 && main_number(value, &cases.step_rows)) {
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
    if (argc > 1 && strcmp(argv[1], "test") == 0)
        return main_test(argc, argv);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("weir 0.1.0");
        return 0;
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    return main_weir(argc, argv);
}
