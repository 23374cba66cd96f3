/*
 * complete.c - see complete.h.
 *
 * The statement around the cursor is cut into words; the word in front of the cursor's and what is
 * behind FROM and JOIN decide. A guess that fits nothing offers nothing.
 */
#include "cli/complete.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "cli/command.h"

enum { WORDS_MAX = 2048, NAME_SIZE = 256 };

/* A word of the statement: blanks and comments are left out. */
typedef struct Word {
    WeirTokenKind kind;
    const char *text;
    size_t size;
} Word;

typedef struct Complete {
    Weir *weir;
    EditChoices *choices;
    Word words[WORDS_MAX]; /* of the statement at the cursor */
    size_t count;
    size_t at;             /* words in front of the one at the cursor */
    char prefix[NAME_SIZE]; /* what is typed of it, without an opening quote */
    char quote;            /* that was typed in front of it, or NUL */
    bool lower;            /* names are written as the prefix is */
} Complete;

/* -- Words ------------------------------------------------------------------------------------- */

static bool word_is(const Word *word, const char *text) {
    return word->size == strlen(text) && strncasecmp(word->text, text, word->size) == 0;
}

/* The word `back` places in front of the cursor's (1: next to it). */
static const Word *word_back(const Complete *complete, size_t back) {
    static const Word none = {.text = ""};
    return back <= complete->at ? &complete->words[complete->at - back] : &none;
}

static bool word_back_is(const Complete *complete, size_t back, const char *text) {
    return word_is(word_back(complete, back), text);
}

static void complete_cut(Complete *complete, const char *text, size_t cursor) {
    size_t size = strlen(text);
    WeirToken token;
    bool found = false;
    for (size_t from = 0; weir_token(text, size, from, &token); from = token.end) {
        bool statement_ends = token.kind == WEIR_TOKEN_SYMBOL && text[from] == ';';
        bool here = !found && token.end >= cursor && from < cursor &&
                    token.kind != WEIR_TOKEN_BLANK && token.kind != WEIR_TOKEN_SYMBOL;
        if (!found && (here || from >= cursor)) {
            found = true;
            complete->at = complete->count;
            complete->choices->from = here ? from : cursor;
        }
        if (token.kind == WEIR_TOKEN_BLANK || token.kind == WEIR_TOKEN_COMMENT)
            continue;
        if (statement_ends && found)
            break;
        if (statement_ends)
            complete->count = 0;
        else if (complete->count < WORDS_MAX)
            complete->words[complete->count++] = (Word){token.kind, text + from, token.end - from};
    }
    if (!found) {
        complete->at = complete->count;
        complete->choices->from = cursor;
    }
}

static void complete_take_prefix(Complete *complete, const char *text, size_t cursor) {
    size_t from = complete->choices->from;
    if (from < cursor && strchr("'\"`", text[from])) {
        complete->quote = text[from];
        complete->choices->from = ++from;
    }
    size_t size = cursor - from < NAME_SIZE - 1 ? cursor - from : NAME_SIZE - 1;
    memcpy(complete->prefix, text + from, size);
    complete->prefix[size] = '\0';
    const char *sample = *complete->prefix || complete->count == 0 ? complete->prefix
                                                                   : complete->words[0].text;
    complete->lower = islower((unsigned char)*sample) != 0;
}

/* -- Offers ------------------------------------------------------------------------------------ */

static void offer_exact(Complete *complete, const char *word, const char *note) {
    EditChoices *choices = complete->choices;
    if (strncasecmp(word, complete->prefix, strlen(complete->prefix)) != 0)
        return;
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->words[i], word) == 0)
            return;
    edit_choices_add(choices, word, note);
}

/* A name that may be written in any case. */
static void offer(Complete *complete, const char *word, const char *note) {
    char name[NAME_SIZE];
    size_t size = strlen(word);
    if (size >= sizeof name)
        return;
    for (size_t i = 0; i <= size; i++)
        name[i] = complete->lower ? (char)tolower((unsigned char)word[i]) : word[i];
    offer_exact(complete, name, note);
}

static bool name_is_plain(const char *name) {
    for (const char *at = name; *at; at++)
        if (!isupper((unsigned char)*at) && *at != '_' &&
            (at == name || !isdigit((unsigned char)*at)))
            return false;
    return *name != '\0';
}

/* A name of the catalog: in back-ticks where it needs them, closed where they are open. */
static void offer_name(Complete *complete, const char *name, const char *note) {
    char quoted[NAME_SIZE];
    if (name_is_plain(name) && !complete->quote) {
        offer(complete, name, note);
        return;
    }
    const char *begin = complete->quote ? "" : "`";
    char end = complete->quote ? complete->quote : '`';
    if ((size_t)snprintf(quoted, sizeof quoted, "%s%s%c", begin, name, end) < sizeof quoted)
        offer_exact(complete, quoted, note);
}

/* Offers column `word` of the rows of a statement, with column `note` (or none: UINT32_MAX). */
static void offer_rows(Complete *complete, const char *sql, uint32_t word, uint32_t note,
                       void (*put)(Complete *, const char *, const char *)) {
    WeirResult *result = NULL;
    WeirError error;
    char kept[NAME_SIZE];
    if (weir_execute(complete->weir, sql, &result, &error) != WEIR_OK)
        return;
    while (weir_next(result, 0, &error) == WEIR_ROW) {
        const char *text = weir_text(result, word);
        snprintf(kept, sizeof kept, "%s", text ? text : "");
        put(complete, kept, note == UINT32_MAX ? NULL : weir_text(result, note));
    }
    weir_result_free(result);
}

static void offer_sources(Complete *complete) {
    offer_rows(complete, "SHOW STREAMS;", 0, UINT32_MAX, offer_name);
    offer_rows(complete, "SHOW TABLES;", 0, UINT32_MAX, offer_name);
}

static void offer_keywords(Complete *complete) {
    if (!*complete->prefix)
        return;
    const char *word;
    for (uint32_t i = 0; (word = weir_keyword(i)) != NULL; i++)
        offer(complete, word, NULL);
}

static void offer_list(Complete *complete, const char *const *words) {
    for (; *words; words++)
        offer(complete, *words, NULL);
}

static void offer_function(Complete *complete, const char *name, const char *signature) {
    char call[NAME_SIZE];
    if ((size_t)snprintf(call, sizeof call, "%s(", name) >= sizeof call)
        return;
    offer(complete, call, signature);
}

static void offer_functions(Complete *complete) {
    if (*complete->prefix)
        offer_rows(complete, "SHOW FUNCTIONS;", 0, 2, offer_function);
}

/* -- Columns ----------------------------------------------------------------------------------- */

/* The columns of a source, as it is written. */
static void offer_columns(Complete *complete, const Word *source) {
    char sql[NAME_SIZE * 2];
    int size = snprintf(sql, sizeof sql, "DESCRIBE %.*s;", (int)source->size, source->text);
    if (size > 0 && (size_t)size < sizeof sql)
        offer_rows(complete, sql, 0, 1, offer_name);
}

static bool word_is_name(const Word *word) {
    return word->kind == WEIR_TOKEN_NAME || word->kind == WEIR_TOKEN_QUOTED;
}

/* Calls for each source of the statement: its name and its alias (or the name again). */
static bool sources_next(const Complete *complete, size_t *at, const Word **name,
                         const Word **alias) {
    for (; *at + 1 < complete->count; (*at)++) {
        const Word *word = &complete->words[*at];
        if (!word_is(word, "FROM") && !word_is(word, "JOIN") && !word_is(word, "INTO"))
            continue;
        *name = *alias = &complete->words[++*at];
        if (!word_is_name(*name))
            continue;
        size_t next = *at + 1;
        if (next < complete->count && word_is(&complete->words[next], "AS"))
            next++;
        if (next < complete->count && word_is_name(&complete->words[next]))
            *alias = &complete->words[next];
        return true;
    }
    return false;
}

static void offer_all_columns(Complete *complete) {
    const Word *name, *alias;
    for (size_t at = 0; sources_next(complete, &at, &name, &alias);)
        offer_columns(complete, name);
}

/* Behind "alias.": that source's columns. */
static void offer_columns_of(Complete *complete, const Word *qualifier) {
    const Word *name, *alias;
    for (size_t at = 0; sources_next(complete, &at, &name, &alias);) {
        bool same = (alias->size == qualifier->size &&
                     strncasecmp(alias->text, qualifier->text, alias->size) == 0) ||
                    (name->size == qualifier->size &&
                     strncasecmp(name->text, qualifier->text, name->size) == 0);
        if (same)
            offer_columns(complete, name);
    }
}

/* Names of the fields in "STRUCT<`A` INTEGER, `B` STRING>": what is in back-ticks at depth 0. */
static void offer_fields(Complete *complete, const char *type) {
    int depth = 0;
    char field[NAME_SIZE];
    if (!type || strncmp(type, "STRUCT<", 7) != 0)
        return;
    for (const char *at = type + 7; *at; at++) {
        depth += (*at == '<' || *at == '(') - (*at == '>' || *at == ')');
        if (*at != '`')
            continue;
        size_t size = strcspn(++at, "`");
        snprintf(field, sizeof field, "%.*s", (int)size, at);
        if (depth == 0)
            offer_name(complete, field, NULL);
        at += size;
        if (!*at)
            return;
    }
}

/* Behind "column->": the fields of that column, looked up in all sources. */
static void offer_struct_fields(Complete *complete, const Word *column) {
    const Word *name, *alias;
    char sql[NAME_SIZE * 2];
    for (size_t at = 0; sources_next(complete, &at, &name, &alias);) {
        WeirResult *result = NULL;
        WeirError error;
        snprintf(sql, sizeof sql, "DESCRIBE %.*s;", (int)name->size, name->text);
        if (weir_execute(complete->weir, sql, &result, &error) != WEIR_OK)
            continue;
        while (weir_next(result, 0, &error) == WEIR_ROW) {
            const char *field = weir_text(result, 0);
            if (field && strlen(field) == column->size &&
                strncasecmp(field, column->text, column->size) == 0)
                offer_fields(complete, weir_text(result, 1));
        }
        weir_result_free(result);
    }
}

/* -- Files ------------------------------------------------------------------------------------- */

static void offer_files(Complete *complete) {
    char folder[NAME_SIZE], path[NAME_SIZE * 3];
    const char *slash = strrchr(complete->prefix, '/');
    size_t size = slash ? (size_t)(slash - complete->prefix) + 1 : 0;
    memcpy(folder, complete->prefix, size);
    folder[size] = '\0';
    DIR *opened = opendir(size > 0 ? folder : ".");
    if (!opened)
        return;
    struct dirent *entry;
    while ((entry = readdir(opened)) != NULL) {
        if (entry->d_name[0] == '.' && complete->prefix[size] != '.')
            continue;
        bool is_folder = entry->d_type == DT_DIR;
        snprintf(path, sizeof path, "%s%s%s", folder, entry->d_name, is_folder ? "/" : "");
        if (strncmp(path, complete->prefix, strlen(complete->prefix)) == 0)
            offer_exact(complete, path, NULL);
    }
    closedir(opened);
}

/* -- What the place asks for ------------------------------------------------------------------- */

static const char *const statement_begins[] = {
    "ALTER",  "ASSERT", "COPY",   "CREATE", "DEFINE", "DESCRIBE", "DROP",      "EXPLAIN",
    "INSERT", "LIST",   "PAUSE",  "PRINT",  "RESUME", "RUN SCRIPT", "SELECT",  "SET",
    "SHOW",   "SPOOL",  "TERMINATE", "UNDEFINE", "UNSET", NULL};
static const char *const shown[] = {
    "ALL TOPICS", "CONNECTORS", "ERRORS FOR", "EXTENSIONS", "FUNCTIONS", "PROPERTIES", "QUERIES",
    "QUICKSTARTS",
    "STREAMS",    "TABLES",     "TOPICS",     "TYPES",      "VARIABLES", NULL};
static const char *const formats[] = {"AVRO", "DELIMITED", "JSON", "JSON_SR", "KAFKA", "NONE",
                                      "PROTOBUF", "PROTOBUF_NOSR", NULL};
static const char *const with_names[] = {
    "FORMAT = '",     "KAFKA_TOPIC = '",  "KEY_FORMAT = '", "PARTITIONS = ",  "QUICKSTART = '",
    "REPLICAS = ",    "RETENTION_BYTES = ", "RETENTION_MS = ", "ROWS = ",
    "ROWS_PER_SECOND = ", "SEED = ",
    "SOURCE = 'datagen'", "START = '",    "STEP_MS = ",     "TIMESTAMP = '",
    "TIMESTAMP_FORMAT = '", "VALUE_DELIMITER = '", "VALUE_FORMAT = '", "WINDOW_SIZE = '",
    "WINDOW_TYPE = '", "WRAP_SINGLE_VALUE = ", NULL};

static bool is_behind(const Complete *complete, const char *const *words) {
    for (; *words; words++)
        if (word_back_is(complete, 1, *words))
            return true;
    return false;
}

/* Behind PRINT, and behind TOPIC where one is meant that is there. */
static bool is_behind_topic(const Complete *complete) {
    return word_back_is(complete, 1, "PRINT") ||
           (word_back_is(complete, 1, "TOPIC") &&
            (word_back_is(complete, 2, "ALTER") || word_back_is(complete, 2, "DROP") ||
             word_back_is(complete, 2, "DESCRIBE") || word_back_is(complete, 2, "ASSERT")));
}

/* Inside quotes: what the word in front of them names. */
static void offer_quoted(Complete *complete) {
    static const char *const files[] = {"FROM", "TO", "SCRIPT", "SPOOL", NULL};
    bool property = word_back_is(complete, 1, "=");
    const Word *name = word_back(complete, property ? 2 : 1);
    if (property && (word_is(name, "VALUE_FORMAT") || word_is(name, "KEY_FORMAT") ||
                     word_is(name, "FORMAT")))
        offer_list(complete, formats);
    else if ((property && word_is(name, "KAFKA_TOPIC")) || is_behind_topic(complete))
        offer_rows(complete, "SHOW TOPICS;", 0, UINT32_MAX, offer_exact);
    else if (word_is(name, "SET") || word_is(name, "UNSET"))
        offer_rows(complete, "SHOW PROPERTIES;", 0, UINT32_MAX, offer_exact);
    else if (!property && is_behind(complete, files))
        offer_files(complete);
}

/* Whether the cursor stands in the brackets of WITH (...). */
static bool is_in_with(const Complete *complete) {
    for (size_t i = complete->at; i-- > 1;) {
        if (word_is(&complete->words[i], ")"))
            return false;
        if (word_is(&complete->words[i], "("))
            return word_is(&complete->words[i - 1], "WITH") ||
                   word_is(&complete->words[i - 1], "SET");
    }
    return false;
}

static void offer_place(Complete *complete) {
    static const char *const sources[] = {"FROM", "JOIN", "INTO", "DESCRIBE", "COPY", NULL};
    static const char *const queries[] = {"TERMINATE", "PAUSE", "RESUME", "EXPLAIN", "ANALYZE",
                                          "FOR", NULL};
    bool dropped = word_back_is(complete, 2, "DROP") || word_back_is(complete, 2, "ALTER");
    bool function = word_back_is(complete, 1, "FUNCTION");
    if (complete->at == 0)
        offer_list(complete, statement_begins);
    else if (word_back_is(complete, 1, "."))
        offer_columns_of(complete, word_back(complete, 2));
    else if (word_back_is(complete, 1, "->"))
        offer_struct_fields(complete, word_back(complete, 2));
    else if (word_back_is(complete, 1, "SHOW") || word_back_is(complete, 1, "LIST"))
        offer_list(complete, shown);
    else if (dropped && word_back_is(complete, 1, "STREAM"))
        offer_rows(complete, "SHOW STREAMS;", 0, UINT32_MAX, offer_name);
    else if (dropped && word_back_is(complete, 1, "TABLE"))
        offer_rows(complete, "SHOW TABLES;", 0, UINT32_MAX, offer_name);
    else if (function)
        offer_rows(complete, "SHOW FUNCTIONS;", 0, 3, offer);
    else if (is_behind_topic(complete))
        offer_rows(complete, "SHOW TOPICS;", 0, UINT32_MAX, offer_exact);
    else if (is_behind(complete, queries))
        offer_rows(complete, "SHOW QUERIES;", 0, UINT32_MAX, offer_exact);
    else if (is_behind(complete, sources))
        offer_sources(complete);
    else if (is_in_with(complete))
        offer_list(complete, with_names);
    else {
        offer_all_columns(complete);
        offer_functions(complete);
        offer_keywords(complete);
    }
    if (word_back_is(complete, 1, "EXPLAIN") || word_back_is(complete, 1, "DESCRIBE"))
        offer_keywords(complete);
}

static int order_words(const void *left, const void *right) {
    return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

/* Sorts words and their notes together. */
static void choices_sort(EditChoices *choices) {
    typedef const char *Pair[2];
    Pair *pairs = arena_array(choices->arena, choices->count, sizeof *pairs);
    for (size_t i = 0; i < choices->count; i++) {
        pairs[i][0] = choices->words[i];
        pairs[i][1] = choices->notes[i];
    }
    qsort(pairs, choices->count, sizeof *pairs, order_words);
    for (size_t i = 0; i < choices->count; i++) {
        choices->words[i] = pairs[i][0];
        choices->notes[i] = pairs[i][1];
    }
}

/* A command of the shell: its name, then what it takes. */
static void complete_command(Complete *complete, const char *text, size_t cursor) {
    size_t space = strcspn(text, " \t");
    if (cursor <= space) {
        complete->choices->from = 0;
        snprintf(complete->prefix, sizeof complete->prefix, "%.*s", (int)cursor, text);
        for (uint32_t i = 0; command_at(i); i++)
            if (command_at(i)->name[0] == text[0] || text[0] == '\\')
                offer_exact(complete, command_name(command_at(i), text[0]), command_at(i)->help);
        return;
    }
    complete->choices->from = space + strspn(text + space, " \t");
    if (complete->choices->from > cursor)
        complete->choices->from = cursor;
    complete_take_prefix(complete, text, cursor);
    const Command *command = command_find(text, space);
    if (!command)
        return;
    if (command->takes == COMMAND_TAKES_SOURCE)
        offer_sources(complete);
    else if (command->takes == COMMAND_TAKES_FUNCTION)
        offer_rows(complete, "SHOW FUNCTIONS;", 0, 3, offer);
    else if (command->takes == COMMAND_TAKES_FILE)
        offer_files(complete);
    else if (command->takes == COMMAND_TAKES_STATEMENT)
        offer_list(complete, statement_begins);
}

void complete_sql(Weir *weir, const char *text, size_t cursor, EditChoices *choices) {
    assert(cursor <= strlen(text));
    Complete complete = {.weir = weir, .choices = choices};
    if (*text == '\\' || *text == '.') {
        complete_command(&complete, text, cursor);
    } else {
        complete_cut(&complete, text, cursor);
        complete_take_prefix(&complete, text, cursor);
        if (complete.quote == '\'')
            offer_quoted(&complete);
        else
            offer_place(&complete);
    }
    choices_sort(choices);
}
