/*
 * dice.h - numbers by chance, the same in every run.
 */
#ifndef TESTS_UNIT_DICE_H
#define TESTS_UNIT_DICE_H

#include <stdint.h>

static uint64_t dice_state;

static inline uint32_t below(uint32_t limit) {
    uint64_t value = dice_state += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return (uint32_t)((value ^ value >> 31) >> 33) % limit;
}

#endif
