/*
 * element.c - see element.h: elements, lists and sets.
 *
 * A set is a hash with linear probing, at most half full; removal moves the cluster back.
 */
#include "udf/element.h"

#include "base/hash.h"

enum { ELEMENT_CAPACITY_FIRST = 4, ELEMENT_SET_FIRST = 8 };

Bytes element_number_key(uint8_t key[ELEMENT_NUMBER_SIZE], int64_t number) {
    assert(number >= 0);
    for (int i = 0; i < ELEMENT_NUMBER_SIZE; i++)
        key[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    return (Bytes){key, ELEMENT_NUMBER_SIZE};
}

bool element_number_of(Bytes key, int64_t *number) {
    Reader in = reader_of(key);
    *number = (int64_t)reader_u64_be(&in);
    return reader_ok(&in) && reader_left(&in) == 0 && *number >= 0;
}

void element_save_id(uint64_t id, Buf *out) {
    assert(out);
    buf_varint(out, id);
}

bool element_load_id(Reader *in, uint64_t *id, AggregateHeap *heap) {
    *id = reader_varint(in);
    if (!reader_ok(in) || *id >= UINT64_MAX / 2)
        return false;
    heap->ops->seen(heap, *id);
    return true;
}

Element *element_new(AggregateHeap *heap, Bytes bytes, int64_t number) {
    assert(bytes.size < UINT32_MAX - sizeof(Element));
    Element *element = heap->ops->reserve(heap, (uint32_t)sizeof *element + bytes.size);
    element->number = number;
    element->size = bytes.size;
    memcpy(element->bytes, bytes.data, bytes.size);
    return element;
}

void element_set_number(AggregateHeap *heap, Element *element, int64_t number) {
    assert(element);
    heap->ops->keep(heap, &element->number, sizeof element->number);
    element->number = number;
}

/* -- Lists ------------------------------------------------------------------------------------- */

static void list_room(AggregateHeap *heap, ElementList *list) {
    if (list->count < list->capacity)
        return;
    uint32_t capacity = list->capacity == 0 ? ELEMENT_CAPACITY_FIRST : list->capacity * 2;
    assert(capacity > list->count && capacity < UINT32_MAX / sizeof *list->items);
    Element **items = heap->ops->reserve(heap, capacity * (uint32_t)sizeof *items);
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    heap->ops->drop(heap, list->items);
    list->items = items;
    list->capacity = capacity;
}

void element_list_insert(AggregateHeap *heap, ElementList *list, uint32_t index,
                         Element *element) {
    assert(index <= list->count);
    list_room(heap, list);
    uint32_t moved = list->count - index;
    heap->ops->keep(heap, &list->items[index], (moved + 1) * (uint32_t)sizeof *list->items);
    memmove(&list->items[index + 1], &list->items[index], moved * sizeof *list->items);
    list->items[index] = element;
    list->count++;
}

void element_list_push(AggregateHeap *heap, ElementList *list, Element *element) {
    element_list_insert(heap, list, list->count, element);
}

void element_list_remove(AggregateHeap *heap, ElementList *list, uint32_t index) {
    assert(index < list->count);
    uint32_t moved = list->count - index - 1;
    heap->ops->keep(heap, &list->items[index], (moved + 1) * (uint32_t)sizeof *list->items);
    memmove(&list->items[index], &list->items[index + 1], moved * sizeof *list->items);
    list->count--;
}

void element_list_drop(AggregateHeap *heap, ElementList *list, bool elements_too) {
    for (uint32_t i = 0; i < list->count && elements_too; i++)
        heap->ops->drop(heap, list->items[i]);
    heap->ops->drop(heap, list->items);
    *list = (ElementList){0};
}

/* -- Sets -------------------------------------------------------------------------------------- */

static uint32_t set_find(const ElementSet *set, uint64_t hash, Bytes bytes) {
    assert(set->mask > 0);
    uint32_t at = (uint32_t)hash & set->mask;
    for (; set->entries[at].element; at = (at + 1) & set->mask) {
        if (set->entries[at].hash == hash &&
            bytes_equal(element_bytes(set->entries[at].element), bytes))
            break;
    }
    return at;
}

Element *element_set_find(const ElementSet *set, Bytes bytes) {
    assert(bytes.data);
    return set->mask == 0 ? NULL : set->entries[set_find(set, hash_bytes(bytes), bytes)].element;
}

static void set_place(ElementEntry *entries, uint32_t mask, ElementEntry entry) {
    uint32_t at = (uint32_t)entry.hash & mask;
    assert(entry.element);
    while (entries[at].element)
        at = (at + 1) & mask;
    entries[at] = entry;
}

static void set_resize(AggregateHeap *heap, ElementSet *set, uint32_t size) {
    assert(size > set->count && size < UINT32_MAX / sizeof(ElementEntry));
    ElementEntry *entries = heap->ops->reserve(heap, size * (uint32_t)sizeof *entries);
    for (uint32_t i = 0; set->mask > 0 && i <= set->mask; i++) {
        if (set->entries[i].element)
            set_place(entries, size - 1, set->entries[i]);
    }
    heap->ops->drop(heap, set->entries);
    set->entries = entries;
    set->mask = size - 1;
}

static void set_write(AggregateHeap *heap, ElementSet *set, uint32_t at, ElementEntry entry) {
    assert(at <= set->mask);
    heap->ops->keep(heap, &set->entries[at], sizeof set->entries[at]);
    set->entries[at] = entry;
}

void element_set_add(AggregateHeap *heap, ElementSet *set, Element *element) {
    if (set->mask == 0)
        set_resize(heap, set, ELEMENT_SET_FIRST);
    else if (set->count >= (set->mask + 1) / 2)
        set_resize(heap, set, (set->mask + 1) * 2);
    uint64_t hash = hash_bytes(element_bytes(element));
    uint32_t at = set_find(set, hash, element_bytes(element));
    assert(!set->entries[at].element);
    set_write(heap, set, at, (ElementEntry){hash, element});
    set->count++;
}

void element_set_remove(AggregateHeap *heap, ElementSet *set, Bytes bytes) {
    assert(set->count > 0);
    uint32_t at = set_find(set, hash_bytes(bytes), bytes);
    assert(set->entries[at].element);
    for (uint32_t next = (at + 1) & set->mask; set->entries[next].element;
         next = (next + 1) & set->mask) {
        uint32_t home = (uint32_t)set->entries[next].hash & set->mask;
        if (((next - home) & set->mask) >= ((next - at) & set->mask)) {
            set_write(heap, set, at, set->entries[next]);
            at = next;
        }
    }
    set_write(heap, set, at, (ElementEntry){0});
    set->count--;
    uint32_t size = set->mask + 1;
    if (size > ELEMENT_SET_FIRST && set->count < size / 8)
        set_resize(heap, set, size / 2);
}

Element *element_set_next(const ElementSet *set, uint32_t *at) {
    assert(at);
    while (set->mask > 0 && *at <= set->mask) {
        Element *element = set->entries[(*at)++].element;
        if (element)
            return element;
    }
    return NULL;
}

void element_set_drop(AggregateHeap *heap, ElementSet *set, bool elements_too) {
    uint32_t at = 0;
    for (Element *element; elements_too && (element = element_set_next(set, &at)) != NULL;)
        heap->ops->drop(heap, element);
    heap->ops->drop(heap, set->entries);
    *set = (ElementSet){0};
}
