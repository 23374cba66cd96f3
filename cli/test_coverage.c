/* test_coverage.c - which statements of the manual .test files have. */
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/test_impl.h"

enum { FORMS_MAX = 128, WORDS_MAX = 64 };

typedef struct StatementWords {
    const char *text[WORDS_MAX];
    size_t size[WORDS_MAX];
    uint32_t count;
} StatementWords;

/* The place of the word at or behind `from`; -1: none. */
static int words_find(const StatementWords *words, const char *word, size_t size, int from) {
    for (uint32_t i = (uint32_t)from; i < words->count; i++)
        if (words->size[i] == size && strncasecmp(words->text[i], word, size) == 0)
            return (int)i;
    return -1;
}

/* Whether the form's words stand in the statement in their order, the first in front; "A | B" is
 * either. */
static bool form_fits(const char *name, const StatementWords *words) {
    int at = 0;
    bool either = false, found = true;
    for (size_t size; *name && *name != '('; name += size + strspn(name + size, " ")) {
        size = strcspn(name, " ");
        if (*name == '|') {
            either = true;
            continue;
        }
        int place = words_find(words, name, size, at);
        bool here = place >= 0 && (at > 0 || place == 0);
        found = either ? found || here : found && here;
        at = here ? place + 1 : at;
        either = false;
    }
    return found;
}

/* The form with the longest name that fits: CREATE STREAM AS SELECT before CREATE STREAM. */
static int form_of(const StatementWords *words) {
    WeirStatement form;
    int best = -1;
    size_t best_size = 0;
    bool emits = words_find(words, "EMIT", 4, 0) >= 0;
    for (uint32_t i = 0; weir_statement(i, &form); i++) {
        bool lookup = strchr(form.name, '(') != NULL;
        bool select = strncmp(form.name, "SELECT", 6) == 0;
        if ((select && lookup == emits) || !form_fits(form.name, words))
            continue;
        size_t size = strcspn(form.name, "(");
        if (size > best_size)
            best = (int)i;
        best_size = size > best_size ? size : best_size;
    }
    return best;
}

static void coverage_sql(const char *sql, uint32_t *uses) {
    StatementWords words = {0};
    WeirToken token;
    size_t size = strlen(sql);
    for (size_t from = 0; weir_token(sql, size, from, &token); from = token.end) {
        bool word = token.kind == WEIR_TOKEN_KEYWORD || token.kind == WEIR_TOKEN_NAME;
        if (word && words.count < WORDS_MAX) {
            words.text[words.count] = sql + from;
            words.size[words.count++] = token.end - from;
        }
        bool ends = token.end == size || (token.kind == WEIR_TOKEN_SYMBOL && sql[from] == ';');
        int form = ends && words.count > 0 ? form_of(&words) : -1;
        if (form >= 0 && form < FORMS_MAX)
            uses[form]++;
        words.count = ends ? 0 : words.count;
    }
}

void test_coverage(const char *const *paths, size_t count) {
    uint32_t uses[FORMS_MAX] = {0}, forms = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        TestFile file = {.path = paths[i], .arena = arena_new("coverage", 0)};
        bool good = test_read(&file);
        for (size_t c = 0; good && c < file.count; c++)
            if (file.commands[c].verb == TEST_SQL || file.commands[c].verb == TEST_ROWS)
                coverage_sql(file.commands[c].text, uses);
        mem_free(file.commands);
        arena_free(file.arena);
    }
    WeirStatement form;
    for (; weir_statement(forms, &form) && forms < FORMS_MAX; forms++) {
        printf("%6u  %s\n", uses[forms], form.name);
        used += uses[forms] > 0;
    }
    printf("%u of %u statements are tested\n", used, forms);
}
