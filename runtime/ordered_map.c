/*
 * ordered_map.c - see ordered_map.h: a skip list whose levels come from the keys' hashes, so that
 * the same keys make the same list.
 *
 * Changes are noted in order and undone in reverse. A removed node keeps its place in memory, and
 * is linked again where its key belongs when the removal is undone.
 */
#include "runtime/ordered_map.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* -- The list ---------------------------------------------------------------------------------- */

/* Where a key belongs: on each level the link that leads to the first node not before it. */
typedef struct OrderedPlace {
    OrderedNode **links[ORDERED_LEVELS];
} OrderedPlace;

static void find_place(const OrderedMap *map, Bytes key, OrderedPlace *place) {
    assert(map && place);
    OrderedNode *const *links = map->first;
    for (uint32_t level = ORDERED_LEVELS; level-- > 0;) {
        while (links[level] && bytes_compare(ordered_key(links[level]), key) < 0)
            links = links[level]->next;
        place->links[level] = (OrderedNode **)(uintptr_t)&links[level];
    }
}

OrderedNode *ordered_map_seek(const OrderedMap *map, Bytes key) {
    assert(map);
    if (key.size == 0)
        return map->first[0];
    OrderedPlace place;
    find_place(map, key, &place);
    return *place.links[0];
}

/* One node in four is on the next level too. */
static uint8_t level_count(Bytes key) {
    uint64_t bits = hash_bytes(key) | (uint64_t)1 << (2 * (ORDERED_LEVELS - 1));
    return (uint8_t)(1 + __builtin_ctzll(bits) / 2);
}

static uint32_t node_size(uint32_t levels, uint32_t key_size, uint32_t value_size) {
    assert(levels > 0 && levels <= ORDERED_LEVELS);
    return (uint32_t)(sizeof(OrderedNode) + levels * sizeof(OrderedNode *)) + key_size +
           value_size;
}

static OrderedNode *new_node(OrderedMap *map, Bytes key, Bytes value) {
    uint8_t levels = level_count(key);
    assert(key.size > 0);
    OrderedNode *node = blob_heap_alloc(&map->heap, node_size(levels, key.size, value.size));
    *node = (OrderedNode){.key_size = key.size, .value_size = value.size, .level_count = levels};
    uint8_t *bytes = (uint8_t *)&node->next[levels];
    memcpy(bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(bytes + key.size, value.data, value.size);
    return node;
}

static void free_node(OrderedMap *map, OrderedNode *node) {
    assert(!node->linked);
    blob_heap_free(&map->heap, node,
                   node_size(node->level_count, node->key_size, node->value_size));
}

static void link_node(OrderedMap *map, OrderedNode *node, const OrderedPlace *place) {
    assert(!node->linked);
    for (uint32_t level = 0; level < node->level_count; level++) {
        node->next[level] = *place->links[level];
        *place->links[level] = node;
    }
    node->linked = true;
    map->count++;
}

static void unlink_node(OrderedMap *map, OrderedNode *node) {
    OrderedPlace place;
    find_place(map, ordered_key(node), &place);
    assert(node->linked && *place.links[0] == node && map->count > 0);
    for (uint32_t level = 0; level < node->level_count; level++)
        *place.links[level] = node->next[level];
    node->linked = false;
    map->count--;
}

/* -- Changes ----------------------------------------------------------------------------------- */

static void note_change(OrderedMap *map, OrderedNode *node, bool removed) {
    OrderedChanges *changes = &map->running;
    assert(node);
    changes->items = mem_grow(changes->items, &changes->capacity, changes->count + 1,
                              sizeof *changes->items);
    changes->items[changes->count++] = (OrderedChange){node, removed};
}

void ordered_map_remove(OrderedMap *map, OrderedNode *node) {
    assert(node->linked);
    unlink_node(map, node);
    note_change(map, node, true);
}

OrderedNode *ordered_map_put(OrderedMap *map, Bytes key, Bytes value) {
    OrderedPlace place;
    find_place(map, key, &place);
    OrderedNode *there = *place.links[0];
    assert(!there || bytes_compare(ordered_key(there), key) >= 0);
    if (there && bytes_equal(ordered_key(there), key)) {
        ordered_map_remove(map, there);
        find_place(map, key, &place);
    }
    OrderedNode *node = new_node(map, key, value);
    link_node(map, node, &place);
    note_change(map, node, false);
    return node;
}

void ordered_map_load(OrderedMap *map, Bytes key, Bytes value) {
    OrderedPlace place;
    assert(map->running.count == 0 && map->earlier.count == 0);
    find_place(map, key, &place);
    OrderedNode *node = new_node(map, key, value);
    node->saved = true;
    link_node(map, node, &place);
}

/* -- Epochs ------------------------------------------------------------------------------------ */

void ordered_map_init(OrderedMap *map) {
    assert(map);
    *map = (OrderedMap){0};
    blob_heap_init(&map->heap);
}

void ordered_map_close(OrderedMap *map) {
    assert(map);
    blob_heap_close(&map->heap);
    mem_free(map->running.items);
    mem_free(map->earlier.items);
}

void ordered_map_save(OrderedMap *map, Commit *commit, uint32_t store_id, Bytes prefix) {
    assert(!map->submitted && map->earlier.count == 0);
    Buf key = {0};
    for (size_t i = 0; i < map->running.count; i++) {
        OrderedChange change = map->running.items[i];
        bool wanted = change.removed ? change.node->saved : change.node->linked;
        if (commit && wanted) {
            buf_reset(&key);
            buf_bytes(&key, prefix);
            buf_bytes(&key, ordered_key(change.node));
            if (change.removed)
                commit_remove(commit, store_id, buf_view(&key));
            else
                commit_put(commit, store_id, buf_view(&key), ordered_value(change.node));
        }
        if (!change.removed && change.node->linked)
            change.node->saved = true;
    }
    buf_free(&key);
    OrderedChanges swap = map->earlier;
    map->earlier = map->running;
    map->running = swap;
    map->submitted = true;
}

void ordered_map_settle(OrderedMap *map) {
    assert(map->submitted);
    for (size_t i = 0; i < map->earlier.count; i++) {
        if (map->earlier.items[i].removed)
            free_node(map, map->earlier.items[i].node);
    }
    map->earlier.count = 0;
    map->submitted = false;
}

static void undo_changes(OrderedMap *map, OrderedChanges *changes) {
    assert(changes == &map->running || changes == &map->earlier);
    while (changes->count > 0) {
        OrderedChange change = changes->items[--changes->count];
        if (change.removed) {
            OrderedPlace place;
            find_place(map, ordered_key(change.node), &place);
            link_node(map, change.node, &place);
        } else {
            unlink_node(map, change.node);
            free_node(map, change.node);
        }
    }
}

void ordered_map_undo(OrderedMap *map, bool submitted_too) {
    assert(map->submitted || map->earlier.count == 0);
    undo_changes(map, &map->running);
    if (!submitted_too)
        return;
    undo_changes(map, &map->earlier);
    map->submitted = false;
}
