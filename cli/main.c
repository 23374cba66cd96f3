/*
 * main.c - the `weir` command: what was asked, handed to the one who does it.
 *
 *   weir [DIR|FILE] [-e SQL]... [-f FILE]... [option.def]
 *   weir kafka://HOST:PORT[,...] [DIR] ... the same over a Kafka cluster
 *   weir server --kafka HOST:PORT[,...] --data DIR [-f FILE] [--config FILE]
 *   weir test FILE|DIR... [--steps N] [--jobs N] [--report F] [--update] [--coverage]
 *   weir test --cases FILE [--steps N] [--only PREFIX] [--sample N] [--seed N] [--restart DIR]
 *             [--kafka HOST:PORT]
 *   weir manual NAME                       texts made from the tables (manual.h)
 *
 * Exit status: 0 done, 1 a statement or test failed, 2 wrong usage, 3 the data cannot be opened,
 * 4 the time was over, 5 fenced (a newer process has the service), 130 interrupted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io_stdout.h"
#include "cli/manual.h"
#include "cli/patience.h"
#include "cli/progress.h"
#include "cli/server.h"
#include "cli/session.h"
#include "cli/test_cases.h"
#include "cli/test_files.h"

enum { EXIT_USAGE = 2, EXIT_OPEN = 3 };
enum { SCRIPTS_MAX = 256, WORKERS_MAX = 1024, JOBS_MAX = 64, SECONDS_MAX = 1000000 };

typedef struct Script {
    const char *text; /* -e */
    const char *path; /* -f */
} Script;

typedef struct Options {
    bool server;
    const char *folder;
    const char *file; /* a stream of its own */
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
    fprintf(stderr, "weir: %s%s\n\n", why, what);
    manual_usage(stderr);
    return EXIT_USAGE;
}

/* -- Options ----------------------------------------------------------------------------------- */

/* Each takes its value (NULL: none was given) and says whether it is right. */

static bool number_of(const char *text, uint32_t most, uint32_t *number) {
    char *end;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    if (!text || *text < '0' || *text > '9' || *end || value < 1 || value > most)
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool option_script(Options *options, Script script) {
    if (options->script_count == SCRIPTS_MAX || (!script.text && !script.path))
        return false;
    options->scripts[options->script_count++] = script;
    return true;
}

static bool option_sql(Options *options, const char *value) {
    return option_script(options, (Script){value, NULL});
}

static bool option_file(Options *options, const char *value) {
    return option_script(options, (Script){NULL, value});
}

static bool option_variable(Options *options, const char *value) {
    if (!value || !strchr(value, '=') || options->variable_count == SCRIPTS_MAX)
        return false;
    options->variables[options->variable_count++] = value;
    return true;
}

static bool option_color(Options *options, const char *value) {
    options->colour = value;
    return value && (strcmp(value, "auto") == 0 || strcmp(value, "always") == 0 ||
                     strcmp(value, "never") == 0);
}

static bool option_config(Options *options, const char *value) {
    return (options->weir.kafka_config = value) != NULL;
}

static bool option_data(Options *options, const char *value) {
    if (!value || !*value || (options->folder && strcmp(options->folder, value) != 0))
        return false;
    options->folder = value;
    return true;
}

static bool option_format(Options *options, const char *value) {
    return value && output_format_find(value, &options->format);
}

static bool option_help(Options *options, const char *value) {
    (void)options;
    (void)value;
    manual_usage(stdout);
    exit(0);
}

static bool option_kafka(Options *options, const char *value) {
    if (!value || !*value || (options->weir.kafka && *options->weir.kafka))
        return false;
    options->weir.kafka = value;
    return true;
}

static bool option_latest(Options *options, const char *value) {
    (void)value;
    return options->weir.from_latest = true;
}

static bool option_live(Options *options, const char *value) {
    (void)value;
    options->format = OUTPUT_LIVE;
    return true;
}

static bool option_no_rc(Options *options, const char *value) {
    (void)value;
    return options->no_start_file = true;
}

static bool option_on_error(Options *options, const char *value) {
    options->go_on = value && strcmp(value, "continue") == 0;
    return options->go_on || (value && strcmp(value, "stop") == 0);
}

static bool option_os_durability(Options *options, const char *value) {
    (void)value;
    return options->weir.os_durability = true;
}

static bool option_output(Options *options, const char *value) {
    return (options->output = value) != NULL;
}

static bool option_rows(Options *options, const char *value) {
    return number_of(value, UINT32_MAX, &options->rows_max);
}

static bool option_timeout(Options *options, const char *value) {
    char *end;
    options->timeout_s = value && *value ? strtod(value, &end) : 0;
    return options->timeout_s > 0 && options->timeout_s < SECONDS_MAX && *end == '\0';
}

static bool option_udf_dir(Options *options, const char *value) {
    return (options->weir.udf_dir = value) != NULL;
}

static bool option_version(Options *options, const char *value) {
    (void)options;
    (void)value;
    printf("weir " WEIR_VERSION " (librdkafka %s)\n", weir_kafka_version());
    exit(0);
}

static bool option_workers(Options *options, const char *value) {
    return number_of(value, WORKERS_MAX, &options->weir.workers);
}

typedef struct Option {
    const char *name, *value;
    bool (*take)(Options *options, const char *value);
} Option;

static const Option main_options[] = {
#define OPTION(name, value, take, help) {name, value, take},
#include "cli/option.def"
#undef OPTION
};

/* Whether the word is the option, alone or as --name=value. */
static bool option_is(const Option *option, const char *word) {
    size_t size = strlen(option->name);
    return strncmp(word, option->name, size) == 0 &&
           (word[size] == '\0' || (word[size] == '=' && word[1] == '-'));
}

/* One option at argv[*at]; moves *at to its last word. 0: understood. */
static int main_option(Options *options, char **argv, int *at) {
    const char *word = argv[*at];
    for (size_t i = 0; i < sizeof main_options / sizeof main_options[0]; i++) {
        const Option *option = &main_options[i];
        const char *value = NULL;
        if (!option_is(option, word))
            continue;
        if (word[strlen(option->name)] == '=')
            value = word + strlen(option->name) + 1;
        else if (*option->value)
            value = argv[++*at];
        return option->take(options, value)
                   ? 0
                   : main_usage("a value is missing or wrong for ", word);
    }
    return main_usage("unknown option ", word);
}

/* Words that will mean more than a folder, and are not to become one by mistake. */
static int main_check_folder(const char *folder) {
    static const char *const later[] = {"manual", "check", "repair", "backup"};
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (strcmp(folder, later[i]) == 0)
            return main_usage("not supported yet (a folder of this name is ./NAME): ", folder);
    if (strstr(folder, "://"))
        return main_usage("addresses are not supported yet: ", folder);
    return *folder ? 0 : main_usage("DIR is empty", "");
}

/* kafka://HOST:PORT,..., DIR, or a file of rows. */
static int main_place(Options *options, const char *word) {
    static const char kafka[] = "kafka://";
    if (strncmp(word, kafka, sizeof kafka - 1) == 0)
        return option_kafka(options, word + sizeof kafka - 1)
                   ? 0
                   : main_usage("more than one cluster, or no HOST:PORT: ", word);
    if (options->folder || options->file)
        return main_usage("more than one DIR or FILE: ", word);
    if (options->server)
        return main_usage("a server's folder is given by --data: ", word);
    if (!file_stream_is(word))
        return main_check_folder(options->folder = word);
    options->file = word;
    return 0;
}

static int main_check_server(const Options *options) {
    if (!options->folder)
        return main_usage("a server needs --data DIR", "");
    if (!*options->weir.kafka && !options->weir.kafka_config &&
        !getenv("WEIR_KAFKA_BOOTSTRAP_SERVERS"))
        return main_usage("a server needs --kafka HOST:PORT, or --config FILE", "");
    for (uint32_t i = 0; i < options->script_count; i++)
        if (options->scripts[i].text || strcmp(options->scripts[i].path, "-") == 0)
            return main_usage("a server's statements come from files: ", "-f FILE");
        else if (access(options->scripts[i].path, R_OK) != 0) /* before another one is fenced */
            return output_say("weir: cannot read ", options->scripts[i].path), EXIT_USAGE;
    return 0;
}

static int main_parse(Options *options, int argc, char **argv) {
    options->server = argc > 1 && strcmp(argv[1], "server") == 0;
    if (options->server)
        options->weir.kafka = ""; /* the configuration says it, if the command line does not */
    for (int at = options->server ? 2 : 1; at < argc; at++) {
        bool is_option = argv[at][0] == '-' && argv[at][1] != '\0';
        int status = is_option ? main_option(options, argv, &at) : main_place(options, argv[at]);
        if (status != 0)
            return status;
    }
    return options->server ? main_check_server(options) : 0;
}

static void main_notice(void *context, const char *text) {
    (void)context;
    progress_clear();
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

/* How long all may take. */
static void main_limit(const Options *options) {
    double seconds = options->timeout_s;
    struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};
    timer.it_value.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6);
    if (seconds > 0)
        (void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* Where rows go. */
static int main_prepare(const Options *options, Session *session) {
    Err err;
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
    if (options->server)
        return status == 0 ? server_run(session) : status;
    if (options->script_count > 0)
        return status == 0 && session->failed ? 1 : status;
    if (status != 0)
        return status;
    session->interactive = isatty(STDIN_FILENO);
    if (options->file && strcmp(options->file, "-") == 0)
        return main_usage("standard input has rows, so statements come by -e or -f", "");
    const char *kafka = options->weir.kafka, *place = kafka && *kafka ? kafka : options->folder;
    return session->interactive ? session_shell(session, place)
                                : session_run_file(session, "-");
}

/* A closed standard stream would give its number to a file of ours. */
static void main_hold_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR);
}

/* `weir FILE`: the stream. */
static int main_file(const Options *options, Session *session) {
    WeirError error;
    if (!options->file)
        return 0;
    session->file_stream = file_stream_open(session->weir, options->file,
                                            options->script_count == 0, &error);
    if (session->file_stream)
        return 0;
    output_say("weir: ", error.message);
    return EXIT_OPEN;
}

/* The exit status. A newer process may have taken over while this one was still opening. */
static int main_open(const Options *options, Session *session) {
    WeirError error;
    patience_of(options->server ? PATIENCE_OPENING_SERVER : PATIENCE_OPENING);
    WeirStatus status = weir_open(options->folder, &options->weir, &session->weir, &error);
    patience_over();
    if (status == WEIR_OK)
        return 0;
    bool fenced = strcmp(error.code, "fenced") == 0;
    output_say(fenced ? "weir: fenced: " : "weir: ", error.message);
    if (session_stop)
        return session_stop_status();
    return fenced ? SESSION_EXIT_FENCED : EXIT_OPEN;
}

static int main_weir(int argc, char **argv) {
    Options options = {.format = OUTPUT_TABLE, .colour = "auto",
                       .weir = {.notice = main_notice,
                                .progress = progress_work,
                                .waits = patience_waits}};
    int status = main_parse(&options, argc, argv);
    if (status != 0)
        return status;
    Session session = {.format = options.format,
                       .timing = true,
                       .colour = options.colour,
                       .rows_max = options.rows_max,
                       .go_on = options.go_on,
                       .no_start_file = options.no_start_file,
                       .only_new = options.server};
    WeirError error;
    session_catch_signals(&session);
    main_limit(&options);
    if ((status = main_open(&options, &session)) != 0)
        return status;
    session_catch_signals(&session);
    status = main_file(&options, &session);
    if (status == 0)
        status = main_statements(&options, &session);
    if (session.file_stream && !file_stream_close(session.file_stream, true, &error))
        output_say("weir: ", error.message);
    Weir *weir = session.weir;
    session.weir = NULL;
    session_catch_signals(&session);
    weir_close(weir);
    return status;
}

static bool main_report(const char *value, TestReport *report) {
    static const char *const names[] = {"text", "tap", "junit"};
    for (size_t i = 0; value && i < sizeof names / sizeof names[0]; i++) {
        *report = (TestReport)i;
        if (strcmp(value, names[i]) == 0)
            return true;
    }
    return false;
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
        } else if (strcmp(argv[at], "--kafka") == 0 && value) {
            cases.kafka = argv[++at];
        } else if (strcmp(argv[at], "--restart") == 0 && value) {
            cases.restart_folder = argv[++at];
        } else if (strcmp(argv[at], "--sample") == 0 &&
                   number_of(value, UINT32_MAX, &cases.sample)) {
            at++;
        } else if (strcmp(argv[at], "--seed") == 0 && number_of(value, UINT32_MAX, &cases.seed)) {
            at++;
        } else if (strcmp(argv[at], "--update") == 0) {
            files.update = true;
        } else if (strcmp(argv[at], "--coverage") == 0) {
            files.coverage = true;
        } else if (strcmp(argv[at], "--jobs") == 0 && number_of(value, JOBS_MAX, &files.jobs)) {
            at++;
        } else if (strcmp(argv[at], "--report") == 0 && main_report(value, &files.report)) {
            at++;
        } else if (strcmp(argv[at], "--steps") == 0 &&
                   number_of(value, 1 << 20, &cases.step_rows)) {
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
    if (argc > 2 && strcmp(argv[1], "manual") == 0)
        return manual_write(argv[2]);
    return main_weir(argc, argv);
}
