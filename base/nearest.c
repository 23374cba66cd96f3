/*
 * nearest.c - edit distances: insertions, deletions, changes and swaps of neighbours.
 */
#include "base/nearest.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { NEAR_SIZE_MAX = 64 };

static uint8_t upper(uint8_t byte) {
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 0x20) : byte;
}

static uint32_t least(uint32_t left, uint32_t right) {
    return left < right ? left : right;
}

/* Insertions, deletions, changes and swaps of neighbours that turn one into the other. */
static uint32_t near_distance(const char *left, const char *right) {
    uint32_t rows[3][NEAR_SIZE_MAX + 1];
    uint32_t left_size = (uint32_t)strlen(left);
    uint32_t right_size = (uint32_t)strlen(right);
    if (left_size > NEAR_SIZE_MAX || right_size > NEAR_SIZE_MAX)
        return UINT32_MAX;
    for (uint32_t j = 0; j <= right_size; j++)
        rows[0][j] = j;
    for (uint32_t i = 1; i <= left_size; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *second = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= right_size; j++) {
            uint8_t a = upper((uint8_t)left[i - 1]);
            uint8_t b = upper((uint8_t)right[j - 1]);
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + (a != b));
            if (i > 1 && j > 1 && a == upper((uint8_t)right[j - 2]) &&
                b == upper((uint8_t)left[i - 2]))
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[left_size % 3][right_size];
}

const char *nearest_name(const char *word, const char *const *names, uint32_t count) {
    assert(word);
    /* A third of the word may be wrong: one letter of FORM, two of SELECT, none of X. */
    uint32_t size = (uint32_t)strlen(word);
    uint32_t best = size < 3 ? 0 : (size + 2) / 3;
    const char *nearest = NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t distance = near_distance(word, names[i]);
        if (distance < best || (distance == best && !nearest)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
