/* manual.c - see manual.h. */
#include "cli/manual.h"

#include <string.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/output.h"

typedef struct Option {
    const char *name, *value, *help;
} Option;

static const Option options[] = {
#define OPTION(name, value, take, help) {name, value, help},
#include "cli/option.def"
#undef OPTION
};

enum { OPTION_COUNT = sizeof options / sizeof options[0], HELP_INDENT = 22, HELP_WIDTH = 96 };

static const char exits[] = "0 done, 1 a statement or test failed, 2 wrong usage, 3 the data "
                            "cannot be opened, 4 the time was over, 5 fenced (a newer process "
                            "has the service), 130 interrupted.";

/* -- --help ------------------------------------------------------------------------------------ */

/* Words in lines of at most HELP_WIDTH columns, the later lines indented. */
static void wrap(FILE *out, const char *text, int indent) {
    size_t column = (size_t)indent, size;
    for (; *text; text += size + (text[size] == ' ')) {
        size = strcspn(text, " ");
        if (column + size + 1 > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = (size_t)indent;
        }
        fprintf(out, "%s%.*s", column > (size_t)indent ? " " : "", (int)size, text);
        column += size + 1;
    }
    fputc('\n', out);
}

void manual_usage(FILE *out) {
    fputs("usage: weir [DIR | FILE.ndjson | FILE.csv | -] [-e SQL] [-f FILE] [options]\n"
          "       weir kafka://HOST:PORT[,HOST:PORT...] [DIR] [-e SQL] [-f FILE] [options]\n"
          "       weir server --kafka HOST:PORT[,HOST:PORT...] --data DIR [-f FILE] [options]\n"
          "       weir test FILE|DIR... [--steps N] [--jobs N] [--report text|tap|junit]\n"
          "                             [--update] [--coverage]\n"
          "       weir test --cases FILE [--steps N] [--only PREFIX] [--sample N] [--seed N]\n"
          "                             [--restart DIR] [--kafka HOST:PORT]\n"
          "       weir manual sql|functions|settings|extensions|datagen|man|bash|zsh\n"
          "\n"
          "Without DIR everything lives in memory; FILE (-: standard input) is a stream then, its\n"
          "columns guessed, and queries of -e and -f end when they have read it. Without -e\n"
          "or -f: a shell, or the statements of standard input where that is no terminal. Rows go\n"
          "to standard output, all else to standard error.\n"
          "\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        int used = fprintf(out, "  %s %s", options[i].name, options[i].value);
        fprintf(out, "%*s", used < HELP_INDENT ? HELP_INDENT - used : 1, "");
        wrap(out, options[i].help, HELP_INDENT);
    }
    fputs("\nExit status: ", out);
    wrap(out, exits, (int)strlen("Exit status: "));
}

/* -- The language ------------------------------------------------------------------------------ */

static void manual_sql(void) {
    WeirStatement statement;
    puts("# Statements\n\n"
         "`[x]` may be left out, `{a | b}` is one of them, `...` may be repeated. In the shell "
         "`\\h NAME` shows the same.\n");
    for (uint32_t i = 0; weir_statement(i, &statement); i++)
        printf("## %s\n\n%s.\n\n```\n%s\n```\n\nFor example:\n\n```sql\n%s\n```\n\n",
               statement.name, statement.help, statement.syntax, statement.example);
}

/* The rows of a SHOW statement as a markdown table under a head. */
static int manual_show(const char *head, const char *sql) {
    WeirOptions in_memory = {.workers = 1};
    Weir *weir;
    WeirResult *result;
    WeirError error;
    OutputOptions output = {.format = OUTPUT_MARKDOWN};
    if (weir_open(NULL, &in_memory, &weir, &error) != WEIR_OK)
        return 1;
    puts(head);
    WeirStatus status = weir_execute(weir, sql, &result, &error);
    if (status == WEIR_OK) {
        (void)output_result(result, &output, &error);
        weir_result_free(result);
    }
    weir_close(weir);
    return status == WEIR_OK ? 0 : 1;
}

/* -- The manual page --------------------------------------------------------------------------- */

/* Text as roff takes it: '-' and '\' are their own, a '.' at a line's begin is text. */
static void roff(const char *text) {
    for (bool begin = true; *text; begin = *text++ == '\n') {
        if (begin && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void roff_item(const char *name, const char *value, const char *help) {
    fputs(".TP\n.B ", stdout);
    roff(name);
    fputs(*value ? " " : "", stdout);
    roff(value);
    putchar('\n');
    roff(help);
    putchar('\n');
}

static void manual_man(void) {
    printf(".TH WEIR 1 \"\" \"Weir " WEIR_VERSION "\"\n.SH NAME\nweir \\- streaming SQL\n"
           ".SH SYNOPSIS\n.B weir\n[DIR] [\\-e SQL] [\\-f FILE] [options]\n.SH DESCRIPTION\n"
           "Runs SQL over streams and tables kept in DIR, or in memory without one. Without \\-e "
           "and \\-f it is a shell, or it runs the statements of standard input where that is no "
           "terminal.\n.SH OPTIONS\n");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        roff_item(options[i].name, options[i].value, options[i].help);
    puts(".SH COMMANDS OF THE SHELL");
    for (uint32_t i = 0; command_at(i); i++)
        roff_item(command_name(command_at(i), '\\'), command_at(i)->arguments,
                  command_at(i)->help);
    puts(".SH STATEMENTS");
    WeirStatement statement;
    for (uint32_t i = 0; weir_statement(i, &statement); i++) {
        printf(".SS %s\n", statement.name);
        roff(statement.help);
        fputs("\n.PP\n.nf\n", stdout);
        roff(statement.syntax);
        puts("\n.fi");
    }
    printf(".SH EXIT STATUS\n%s\n", exits);
    puts(".SH FILES\n.I ~/.config/weir/shellrc\nstatements that the shell runs first\n.br\n"
         ".I ~/.local/state/weir/history\nwhat was typed");
}

/* -- Completion for shells --------------------------------------------------------------------- */

static void manual_bash(void) {
    fputs("# Completion of weir for bash.\n_weir() {\n    case ${COMP_WORDS[COMP_CWORD-1]} in\n"
          "    -f|--output) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
          "    --format) COMPREPLY=($(compgen -W 'table expanded auto csv tsv json ndjson markdown "
          "insert' -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
          "    --color) COMPREPLY=($(compgen -W 'auto always never' -- "
          "\"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n    esac\n    COMPREPLY=($(compgen -W '",
          stdout);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        printf("%s ", options[i].name);
    puts("' -- \"${COMP_WORDS[COMP_CWORD]}\") $(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o filenames -F _weir weir");
}

static void manual_zsh(void) {
    puts("#compdef weir\n_arguments \\");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        printf("  '%s%s[", options[i].name, *options[i].value ? "=" : "");
        for (const char *at = options[i].help; *at; at++) {
            if (*at == '\'')
                fputs("'\\'", stdout);
            if (strchr("[]:", *at))
                putchar('\\');
            putchar(*at);
        }
        printf("]%s%s' \\\n", *options[i].value ? ":" : "", options[i].value);
    }
    puts("  '*:file:_files'");
}

int manual_write(const char *name) {
    if (strcmp(name, "sql") == 0)
        manual_sql();
    else if (strcmp(name, "functions") == 0)
        return manual_show("# Functions\n", "SHOW FUNCTIONS;");
    else if (strcmp(name, "settings") == 0)
        return manual_show("# Settings\n", "SHOW PROPERTIES;");
    else if (strcmp(name, "extensions") == 0)
        return manual_show("# Beyond ksqlDB\n\nAdditions to ksqlDB's language. "
                           "`SET 'weir.extensions'='false';` turns them off.\n",
                           "SHOW EXTENSIONS;");
    else if (strcmp(name, "datagen") == 0)
        return manual_show("# Generated data\n\nQuickstarts of `WITH (SOURCE='datagen', "
                           "QUICKSTART='...')`: their columns and what they are.\n",
                           "SHOW QUICKSTARTS;");
    else if (strcmp(name, "man") == 0)
        manual_man();
    else if (strcmp(name, "bash") == 0)
        manual_bash();
    else if (strcmp(name, "zsh") == 0)
        manual_zsh();
    else {
        fprintf(stderr, "weir: no manual '%s'\n", name);
        return 2;
    }
    return 0;
}
