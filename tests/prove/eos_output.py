"""eos_output.py - what came out, as another client reads it."""
import collections
import threading
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

from eos_world import OUTPUTS, PARTITIONS, Failed


def consumer_of(bootstrap, topics, isolation):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "proof",
                         "enable.auto.commit": False, "isolation.level": isolation,
                         "log_level": 0,
                         "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, p, 0) for topic in topics for p in range(PARTITIONS)])
    return consumer


def read_all(bootstrap, topics, isolation="read_committed"):
    """{topic: [message, ...]} up to the ends of now; a partition's messages are in order."""
    consumer = consumer_of(bootstrap, topics, isolation)
    ends, got, quiet = set(), {topic: [] for topic in topics}, time.time()
    while len(ends) < len(topics) * PARTITIONS:
        for message in consumer.consume(10000, 0.5):
            quiet = time.time()
            if message.error() is None:
                got[message.topic()].append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ends.add((message.topic(), message.partition()))
        if time.time() - quiet > 60:
            raise Failed("the reader of %s gets neither records nor an end" % topics)
    consumer.close()
    return got


class Watcher(threading.Thread):
    """Counts what is committed to the outputs: only to see that it goes on."""

    def __init__(self, bootstrap):
        super().__init__(daemon=True)
        self.bootstrap, self.over, self.counts = bootstrap, False, collections.Counter()

    def run(self):
        consumer = consumer_of(self.bootstrap, OUTPUTS, "read_committed")
        while not self.over:
            for message in consumer.consume(10000, 0.2):
                if message.error() is None:
                    self.counts[message.topic()] += 1
        consumer.close()

    def total(self):
        return sum(self.counts.values())
