"""eos_trim.py - whether the queries' own topics keep only what is not done with."""
import os
import time

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from eos_world import PARTITIONS, Failed, say

SEGMENT = 1 << 20


def repartition_topics(admin):
    return [name for name in admin.list_topics(timeout=30).topics if name.endswith("-repartition")]


def keep_short(bootstrap):
    """Small segments, so that what is deleted is gone from the disk."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = repartition_topics(admin)
    if not topics:
        raise Failed("there is no repartition topic")
    for name in topics:
        resource = ConfigResource("topic", name, {
            "cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": str(SEGMENT)})
        for done in admin.alter_configs([resource]).values():
            done.result(30)


def left(bootstrap, topics):
    """Records in them, and records that were ever in them."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "proof", "log_level": 0})
    kept = ever = 0
    for name in topics:
        for partition in range(PARTITIONS):
            low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=30)
            kept, ever = kept + high - low, ever + high
    consumer.close()
    return kept, ever


def check_trimmed(bootstrap, folder):
    """With all done, nothing is left but markers; the disk has what a few segments have."""
    topics = repartition_topics(AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}))
    deadline = time.time() + 30
    while True:
        kept, ever = left(bootstrap, topics)
        size = sum(os.path.getsize(os.path.join(folder, partition, file))
                   for partition in os.listdir(folder) if partition.rpartition("-")[0] in topics
                   for file in os.listdir(os.path.join(folder, partition))
                   if file.endswith(".log"))
        if kept <= ever // 10 + 100 and size <= 3 * SEGMENT * len(topics) * PARTITIONS:
            break
        if time.time() > deadline:
            raise Failed("repartition topics keep %d of %d records, %d bytes" % (kept, ever, size))
        time.sleep(0.5)
    say("repartition topics keep %d of %d records, %d KiB" % (kept, ever, size >> 10))
