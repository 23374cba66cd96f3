#!/usr/bin/env python3
"""several.py WEIR - over three brokers: the leader of a source moves, the coordinator of transactions
is lost, all brokers are killed and started again one after the other, and a topic grows; every output
once. See world.py for how it runs.
"""
from world import *

MAKE = ("CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s-in', FORMAT='KAFKA'); "
        "CREATE STREAM d WITH (KAFKA_TOPIC='%s-out', PARTITIONS=1, RETENTION_MS=-1) AS "
        "SELECT k, v FROM s;")


def state(topic):
    """[(leader, replicas)] of each partition."""
    lines = tool('topics', '--describe', '--topic', topic).decode().split('\n')
    found = [line for line in lines if 'Leader:' in line and 'Partition:' in line]
    return [int(line.split('Leader: ')[1].split()[0]) for line in found]


class Copy(Live):
    """A query that copies NAME-in to NAME-out; records are 0, 1, 2, ..."""

    def __init__(self, name, partitions=1, replicas=3):
        tool('topics', '--create', '--topic', name + '-in', '--partitions', str(partitions),
             '--replication-factor', str(replicas))
        self.name, self.sent = name, 0
        Live.__init__(self)
        has(self.ask(MAKE % (name, name)), 'Created query')

    def send(self, count=20):
        one = producer(acks='all', enable_idempotence=True)
        for _ in range(count):
            one.produce(self.name + '-in', key='k%d' % self.sent, value=str(self.sent))
            self.sent += 1
        assert one.flush(100) == 0

    def arrive(self):
        found = read_all(self.name + '-out', self.sent, 100, behind=1)
        same(sorted(int(value) for _, value, _, _ in found), list(range(self.sent)))

    def calm(self, name):
        end = time.time() + 60
        while name in self.ask('SHOW QUERIES;'):
            assert time.time() < end, 'it does not say that it is over'
            time.sleep(0.3)


def test_leader_is_gone():
    """A partition with one copy, whose broker is dead: nobody leads it."""
    copy = Copy('led', replicas=1)
    copy.send()
    copy.arrive()
    node = str(state('led-in')[0])
    broker('kill', node=node)
    try:
        told = copy.wait('SHOW QUERIES;', 'leader_moved', 100)
        has(told, 'led-in')
        has(copy.ask('EXPLAIN CSAS_D_0;'), 'leader_moved')
    finally:
        broker('start', node=node)
    copy.send()
    copy.arrive()
    copy.calm('leader_moved')
    copy.end()


def test_leader_moves():
    """Of three copies: nothing is lost, and nobody needs to be told."""
    copy = Copy('moved', partitions=3)
    copy.send()
    copy.arrive()
    node = str(state('moved-in')[0])
    broker('kill', node=node)
    try:
        copy.send()
        copy.arrive()
    finally:
        broker('start', node=node)
    copy.send()
    copy.arrive()
    copy.end()


def test_coordinator_is_lost():
    """Two of three brokers are dead: transactions have too few copies of their log."""
    copy = Copy('coordinated')
    copy.send()
    copy.arrive()
    first = str(state('coordinated-in')[0])
    others = [node for node in '123' if node != first]
    copy.send()
    for node in others:
        broker('pause', node=node)
    try:
        told = copy.wait('SHOW QUERIES;', 'since', 100)
        assert any(name in told for name in ('coordinator_lost', 'broker_down', 'leader_moved')), told
    finally:
        for node in others:
            broker('resume', node=node)
    copy.send()
    copy.arrive()
    copy.end()


def test_rolling_restart():
    copy = Copy('rolled', partitions=3)
    for node in '123':
        copy.send()
        broker('kill', node=node)
        copy.send()
        broker('start', node=node)
        copy.send()
    copy.arrive()
    copy.end()


if __name__ == '__main__':
    sys.exit(run_tests(globals(), 'brokers=3'))
