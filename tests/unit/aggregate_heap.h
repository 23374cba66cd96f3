/*
 * aggregate_heap.h - a heap for kernels under test: counts what is alive, keeps elements.
 *
 * Dropped blocks stay readable until the test ends. Elements are what a store would hold.
 */
#ifndef TESTS_AGGREGATE_HEAP_H
#define TESTS_AGGREGATE_HEAP_H

#include "tests/unit/expr_build.h"
#include "udf/aggregate.h"

enum { HEAP_ELEMENTS_MAX = 4096 };

typedef struct HeapElement {
    uint64_t id;
    Bytes key, value;
} HeapElement;

typedef struct TestHeap {
    AggregateHeap heap;
    int alive;
    uint64_t number;
    HeapElement elements[HEAP_ELEMENTS_MAX];
    uint32_t element_count;
} TestHeap;

static TestHeap test_heap;

static void *test_heap_put(AggregateHeap *heap, Bytes bytes) {
    ((TestHeap *)heap)->alive++;
    return (void *)(uintptr_t)arena_bytes(build_arena, bytes).data;
}

static void *test_heap_reserve(AggregateHeap *heap, uint32_t size) {
    ((TestHeap *)heap)->alive++;
    return arena_alloc(build_arena, size);
}

static void test_heap_drop(AggregateHeap *heap, void *block) {
    ((TestHeap *)heap)->alive -= block != NULL;
}

static void test_heap_keep(AggregateHeap *heap, void *memory, uint32_t size) {
    (void)heap;
    assert_non_null(memory);
    assert_true(size > 0);
}

static uint64_t test_heap_number(AggregateHeap *heap) {
    return ++((TestHeap *)heap)->number;
}

static void test_heap_seen(AggregateHeap *heap, uint64_t number) {
    TestHeap *test = (TestHeap *)heap;
    if (number > test->number)
        test->number = number;
}

static void test_heap_note(AggregateHeap *heap, uint64_t id, Bytes key, const Bytes *value) {
    TestHeap *test = (TestHeap *)heap;
    uint32_t i = 0;
    while (i < test->element_count &&
           (test->elements[i].id != id || !bytes_equal(test->elements[i].key, key)))
        i++;
    if (!value) {
        if (i < test->element_count)
            test->elements[i] = test->elements[--test->element_count];
        return;
    }
    assert_true(i < HEAP_ELEMENTS_MAX);
    if (i == test->element_count)
        test->elements[test->element_count++] = (HeapElement){id, arena_bytes(build_arena, key),
                                                              {0}};
    test->elements[i].value = arena_bytes(build_arena, *value);
}

static const AggregateHeapOps test_heap_ops = {
    .put = test_heap_put,
    .drop = test_heap_drop,
    .reserve = test_heap_reserve,
    .keep = test_heap_keep,
    .number = test_heap_number,
    .seen = test_heap_seen,
    .note = test_heap_note,
};

static TestHeap test_heap = {.heap = {&test_heap_ops}};

#endif
