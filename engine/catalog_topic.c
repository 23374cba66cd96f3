/*
 * catalog_topic.c - how long topics keep their records. Keys of entries: "o/ID", the topic's.
 *
 * value := retention in ms i64 LE, retention in bytes i64 LE; below 0: no limit. A topic that keeps
 * everything has no entry.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/reader.h"
#include "data/number_text.h"
#include "engine/catalog_impl.h"

enum { TOPIC_KEY_SIZE = 16, TOPIC_VALUE_SIZE = 16 };

static bool topic_keeps_all(const CatalogTopic *topic) {
    return topic->retention.ms < 0 && topic->retention.bytes < 0;
}

static size_t topic_slot(const Catalog *catalog, uint32_t id, bool *found) {
    size_t slot = 0;
    while (slot < catalog->topic_count && catalog->topics[slot].id < id)
        slot++;
    *found = slot < catalog->topic_count && catalog->topics[slot].id == id;
    return slot;
}

const CatalogTopic *catalog_topic(const Catalog *catalog, uint32_t id) {
    assert(id > 0);
    bool found;
    size_t slot = topic_slot(catalog, id, &found);
    return found ? &catalog->topics[slot] : NULL;
}

static Bytes topic_key(char key[TOPIC_KEY_SIZE], uint32_t id) {
    snprintf(key, TOPIC_KEY_SIZE, "o/%" PRIu32, id);
    return bytes_of(key);
}

void catalog_put_topic(Commit *commit, const CatalogTopic *topic) {
    assert(topic->id > 0);
    if (topic_keeps_all(topic)) {
        catalog_remove_topic(commit, topic->id);
        return;
    }
    char key[TOPIC_KEY_SIZE];
    Buf value = {0};
    buf_u64_le(&value, (uint64_t)topic->retention.ms);
    buf_u64_le(&value, (uint64_t)topic->retention.bytes);
    commit_catalog_put(commit, topic_key(key, topic->id), buf_view(&value));
    buf_free(&value);
}

void catalog_remove_topic(Commit *commit, uint32_t id) {
    char key[TOPIC_KEY_SIZE];
    commit_catalog_remove(commit, topic_key(key, id));
}

void catalog_show_topic(Catalog *catalog, const CatalogTopic *topic) {
    catalog_hide_topic(catalog, topic->id);
    if (topic_keeps_all(topic))
        return;
    bool found;
    size_t slot = topic_slot(catalog, topic->id, &found);
    assert(!found);
    catalog->topics = mem_grow(catalog->topics, &catalog->topic_capacity,
                               catalog->topic_count + 1, sizeof *catalog->topics);
    memmove(catalog->topics + slot + 1, catalog->topics + slot,
            (catalog->topic_count - slot) * sizeof *catalog->topics);
    catalog->topics[slot] = *topic;
    catalog->topic_count++;
}

void catalog_hide_topic(Catalog *catalog, uint32_t id) {
    bool found;
    size_t slot = topic_slot(catalog, id, &found);
    if (!found)
        return;
    catalog->topic_count--;
    memmove(catalog->topics + slot, catalog->topics + slot + 1,
            (catalog->topic_count - slot) * sizeof *catalog->topics);
}

ErrCode catalog_show_topic_bytes(Catalog *catalog, Bytes id, Bytes value, Err *err) {
    int64_t number;
    if (!number_parse_i64(id, &number) || number <= 0 || number > UINT32_MAX ||
        value.size != TOPIC_VALUE_SIZE)
        return err_set(err, ERR_CORRUPT, "the catalog entry of a topic's retention is damaged");
    Reader reader = reader_of(value);
    CatalogTopic topic = {.id = (uint32_t)number};
    topic.retention.ms = (int64_t)reader_u64_le(&reader);
    topic.retention.bytes = (int64_t)reader_u64_le(&reader);
    catalog_show_topic(catalog, &topic);
    return ERR_OK;
}
