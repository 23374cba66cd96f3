/*
 * test_diff.c - what was wanted and what came, as a diff on standard output.
 *
 * The longest common subsequence over at most DIFF_LINES_MAX lines of each side; of lines that are
 * the same only those near a difference are shown.
 */
#include <stdio.h>

#include "base/mem.h"
#include "cli/test_impl.h"

enum { DIFF_LINES_MAX = 200, DIFF_CONTEXT = 3 };

void test_lines_add(TestLines *lines, const char *text) {
    lines->texts =
        mem_grow(lines->texts, &lines->capacity, lines->count + 1, sizeof *lines->texts);
    lines->texts[lines->count++] = text;
}

typedef struct Diff {
    const TestLines *wanted, *got;
    size_t wanted_count, got_count;
    uint16_t *common; /* [i][j]: longest common tail of wanted[i..] and got[j..] */
    const char *same[DIFF_CONTEXT]; /* the last lines that both have, not shown yet */
    size_t same_count;
    size_t after; /* lines that both have, still to be shown */
} Diff;

static uint16_t *diff_at(const Diff *diff, size_t i, size_t j) {
    return &diff->common[i * (diff->got_count + 1) + j];
}

static bool diff_equal(const Diff *diff, size_t i, size_t j) {
    return strcmp(diff->wanted->texts[i], diff->got->texts[j]) == 0;
}

static void diff_fill(Diff *diff) {
    for (size_t i = diff->wanted_count; i-- > 0;)
        for (size_t j = diff->got_count; j-- > 0;) {
            uint16_t down = *diff_at(diff, i + 1, j), right = *diff_at(diff, i, j + 1);
            *diff_at(diff, i, j) = diff_equal(diff, i, j)
                                       ? (uint16_t)(*diff_at(diff, i + 1, j + 1) + 1)
                                   : down > right ? down
                                                  : right;
        }
}

static void diff_same(Diff *diff, const char *text) {
    if (diff->after > 0) {
        printf("    %s\n", text);
        diff->after--;
        return;
    }
    if (diff->same_count == DIFF_CONTEXT) {
        for (size_t i = 1; i < DIFF_CONTEXT; i++)
            diff->same[i - 1] = diff->same[i];
        diff->same_count--;
    }
    diff->same[diff->same_count++] = text;
}

static void diff_other(Diff *diff, char sign, const char *text) {
    for (size_t i = 0; i < diff->same_count; i++)
        printf("    %s\n", diff->same[i]);
    printf("  %c %s\n", sign, text);
    diff->same_count = 0;
    diff->after = DIFF_CONTEXT;
}

static size_t diff_most(size_t count) {
    return count < DIFF_LINES_MAX ? count : DIFF_LINES_MAX;
}

void test_diff(const TestLines *wanted, const TestLines *got) {
    Diff diff = {.wanted = wanted,
                 .got = got,
                 .wanted_count = diff_most(wanted->count),
                 .got_count = diff_most(got->count)};
    diff.common =
        mem_array((diff.wanted_count + 1) * (diff.got_count + 1), sizeof *diff.common);
    diff_fill(&diff);
    size_t i = 0, j = 0;
    while (i < diff.wanted_count || j < diff.got_count) {
        bool both = i < diff.wanted_count && j < diff.got_count;
        if (both && diff_equal(&diff, i, j)) {
            diff_same(&diff, wanted->texts[i++]);
            j++;
        } else if (i < diff.wanted_count &&
                   (!both || *diff_at(&diff, i + 1, j) >= *diff_at(&diff, i, j + 1))) {
            diff_other(&diff, '-', wanted->texts[i++]);
        } else {
            diff_other(&diff, '+', got->texts[j++]);
        }
    }
    if (wanted->count > DIFF_LINES_MAX || got->count > DIFF_LINES_MAX)
        printf("    ... (%zu wanted, %zu got)\n", wanted->count, got->count);
    mem_free(diff.common);
}
