/*
 * stranger.c - records in the service's own topics that none of its processes has written: a
 * producer that was pointed to the wrong topic. They are left out, and the user is told.
 */
#include <assert.h>
#include <stdio.h>

#include "kafka/cluster_impl.h"

void cluster_stranger(KafkaCluster *cluster, const char *topic, uint32_t partition,
                      int64_t offset) {
    assert(topic);
    lock_take(&cluster->lock);
    if (cluster->strangers++ == 0)
        (void)snprintf(cluster->stranger_text, sizeof cluster->stranger_text,
                       "Topic %s, partition %u, offset %lld", topic, partition,
                       (long long)offset);
    lock_release(&cluster->lock);
}

bool kafka_cluster_notice(Cluster *base, char *text, size_t size) {
    KafkaCluster *cluster = (KafkaCluster *)base;
    assert(size > 0);
    lock_take(&cluster->lock);
    uint64_t count = cluster->strangers;
    if (count == 1)
        (void)snprintf(text, size, "%s: a record that is none of Weir's is left out. This topic is "
                       "the service's own: who writes there?", cluster->stranger_text);
    else if (count > 1)
        (void)snprintf(text, size, "%s: a record that is none of Weir's is left out, and %llu "
                       "more. These topics are the service's own: who writes there?",
                       cluster->stranger_text, (unsigned long long)(count - 1));
    cluster->strangers = 0;
    lock_release(&cluster->lock);
    return count > 0;
}
