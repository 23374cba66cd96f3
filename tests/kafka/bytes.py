#!/usr/bin/env python3
"""bytes.py - records and topics that are none of Weir's where a service expects its own: named with
topic, partition and offset, or left out and told of; nothing is counted twice, nothing is lost.

usage: bytes.py WEIR [-k WORD]
"""
import struct
import sys

from world import *

ASK = 'SELECT * FROM c;'
WANTED = [{'K': 'a', 'N': 2}, {'K': 'b', 'N': 1}]


class Counted:
    """A service that has counted three records, and its folder."""

    def __init__(self, config='weir.slots=4\n'):
        self.config = service(config)
        self.number = World.number
        self.id = 'test%d_' % self.number
        self.topic = 'in%d' % self.number
        self.folder = '%s/f%d' % (World.dir, self.number)
        same(self.sorted(
            "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s', FORMAT='JSON', PARTITIONS=1);"
            "CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"
            "INSERT INTO s VALUES ('a', '1'); INSERT INTO s VALUES ('b', '1');"
            "INSERT INTO s VALUES ('a', '2');" % self.topic + ASK), WANTED)
        self.changelog = ('_confluent-ksql-%squery_CTAS_C_0-Aggregate-Aggregate-Materialize-changelog'
                          % self.id)

    def name(self, what):
        return '_%s-%s' % (self.id, what)

    def run(self, sql, code=0):
        done = weir(self.folder, '--format', 'ndjson', '-e', sql, config=self.config)
        if done.code != code:
            raise AssertionError('exit %d: %s' % (done.code, done.err))
        return done

    def sorted(self, sql):
        rows = [row for row in self.run(sql).rows() if 'K' in row]
        return sorted(rows, key=lambda row: row['K'])

    def told(self, sql=ASK):
        """What is said while it answers as if nothing had been."""
        done = self.run(sql)
        same(sorted(done.rows(), key=lambda row: row['K']), WANTED)
        return done.err

    def lose(self):
        shutil.rmtree(self.folder)

    def slot(self):
        """The partition of positions that has transactions."""
        return next(p for p in range(4) if end_of(self.name('positions'), p) > 0)


def end_of(topic, partition):
    consumer = confluent_kafka.Consumer({'bootstrap.servers': World.bootstrap, 'group.id': 'end'})
    low, high = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), 20)
    consumer.close()
    return high


def put(topic, *records, partition=0):
    """(key, value)...; returns the first one's offset."""
    offsets = []
    writer = producer(**{'acks': 'all'})
    for key, value in records:
        writer.produce(topic, key=key, value=value, partition=partition,
                       on_delivery=lambda error, message: offsets.append(
                           error if error else message.offset()))
    writer.flush(20)
    if any(not isinstance(offset, int) for offset in offsets) or not offsets:
        raise AssertionError('not written: %r' % offsets)
    return offsets[0]


def delete_topic(topic):
    tool('topics', '--delete', '--topic', topic)
    end = time.time() + 20
    while topic in tool('topics', '--list').decode().split() and time.time() < end:
        time.sleep(0.2)


def last_of(topic, partition):
    """Key and value of the last record."""
    consumer = confluent_kafka.Consumer({
        'bootstrap.servers': World.bootstrap, 'group.id': 'last', 'enable.partition.eof': True,
        'isolation.level': 'read_committed'})
    consumer.assign([confluent_kafka.TopicPartition(topic, partition, 0)])
    found = None
    while True:
        message = consumer.poll(10)
        if message is None or message.error():
            break
        found = (message.key(), message.value())
    consumer.close()
    return found


def test_records_of_others_are_left_out():
    counted = Counted()
    first = put(counted.name('commands'), (None, b'garbage'), (b'', b''), (b'key', None),
                (b'x' * 500, b'\0' * 500000), (b'command', b'no nonce'))
    has(counted.told(), 'Topic %s, partition 0, offset %d: a record that is none of Weir'
        % (counted.name('commands'), first))
    put(counted.name('members'), (b'somebody', b'{}'), (b'x', b''))
    slot = counted.slot()
    put(counted.name('positions'), (b'customer', b'17'), (b'123456789', None), partition=slot)
    put(counted.changelog, (b'customer', b'17'), (b'x', None))
    counted.told()
    counted.lose()
    told = counted.told()
    has(told, 'and ')
    same(counted.sorted("INSERT INTO s VALUES ('b', '2');" + ASK)[1], {'K': 'b', 'N': 2})


def test_members_of_others_do_not_end_a_process():
    counted = Counted()
    live = Live(counted.folder, config=counted.config)
    has(live.ask(ASK), '"N":2')
    put(counted.name('members'), (b'somebody', b'{"uuid":"somebody"}'), (b'k', b'\xff\xfe'))
    time.sleep(2.5)
    has(live.ask(ASK), '"N":2')
    live.end()


def test_a_damaged_command_is_named():
    counted = Counted()
    key, value = last_of(counted.name('commands'), 0)
    offset = put(counted.name('commands'), (key, value[:20]))
    done = counted.run(ASK, code=3)
    has(done.err, 'Topic %s, partition 0, offset %d' % (counted.name('commands'), offset))
    has(done.err, 'cut off')


def test_a_command_of_a_newer_version_is_named():
    counted = Counted()
    key, value = last_of(counted.name('commands'), 0)
    put(counted.name('commands'), (key, b'\x07' + value[1:]))
    has(counted.run(ASK, code=3).err, 'version 7')


def test_a_statement_twice_counts_once():
    counted = Counted()
    put(counted.name('commands'), last_of(counted.name('commands'), 0))
    counted.lose()
    counted.told()


def test_damaged_positions_are_named_and_healed():
    counted = Counted()
    slot = counted.slot()
    key, value = last_of(counted.name('positions'), slot)
    for wrong in (b'garbage', value[:-3], b'\x02' + value[1:], value + b'x', b''):
        offset = put(counted.name('positions'), (key, wrong), partition=slot)
        done = counted.run('SHOW QUERIES;')
        has(done.err, 'Topic %s, partition %d, offset %d' % (counted.name('positions'), slot, offset))
    put(counted.name('positions'), (key, value), partition=slot)
    counted.told()


def test_positions_behind_the_end_have_a_name():
    counted = Counted()
    slot = counted.slot()
    key, value = last_of(counted.name('positions'), slot)
    far = value[:-8] + struct.pack('<Q', 1 << 40)
    put(counted.name('positions'), (key, far), partition=slot)
    live = Live(counted.folder, config=counted.config)
    live.wait('EXPLAIN CTAS_C_0;', 'topic_deleted')
    live.end()


def test_a_damaged_state_fails_its_query_alone():
    counted = Counted()
    counted.run("CREATE STREAM other AS SELECT * FROM s EMIT CHANGES;")
    key, value = last_of(counted.changelog, 0)
    put(counted.changelog, (key, b'\xff' * 3), (b'K', b'x'))
    counted.lose()
    done = counted.run('SHOW QUERIES;')
    has(done.err, 'CTAS_C_0')
    if 'CSAS_OTHER_1' in done.err:
        raise AssertionError(done.err)


def test_topics_made_anew_are_not_trusted():
    counted = Counted()
    delete_topic(counted.name('commands'))
    done = counted.run(ASK, code=3)
    has(done.err, 'Topic %s is gone' % counted.name('commands'))
    make(counted.name('commands'), 1, cleanup_policy='delete', retention_ms='-1', retention_bytes='-1')
    has(counted.run(ASK, code=3).err, counted.name('commands'))


def test_commands_that_were_cut_off():
    counted = Counted()
    with open(World.dir + '/cut', 'w') as file:
        json.dump({'version': 1, 'partitions': [
            {'topic': counted.name('commands'), 'partition': 0, 'offset': 2}]}, file)
    tool('org.apache.kafka.tools.DeleteRecordsCommand', '--offset-json-file', World.dir + '/cut')
    counted.told()
    counted.lose()
    has(counted.run(ASK, code=3).err, 'first statements were deleted')


def test_positions_that_are_gone():
    counted = Counted()
    delete_topic(counted.name('positions'))
    has(counted.run('SHOW QUERIES;').err, 'has lost records')
    counted.lose()
    has(counted.run('SHOW QUERIES;').err, 'has no transaction')


def test_a_changelog_that_was_made_anew():
    counted = Counted()
    delete_topic(counted.changelog)
    has(counted.run('SHOW QUERIES;').err, counted.changelog)
    make(counted.changelog, 1, cleanup_policy='compact')
    done = counted.run('SHOW QUERIES;')
    has(done.err, counted.changelog)
    has(done.err, 'made anew')


def test_topics_that_would_lose_records():
    config = service()
    id = 'test%d_' % World.number
    make('_%s-commands' % id, 3)
    has(weir('-e', 'SHOW TOPICS;', config=config).err, '3 partitions')
    config = service()
    make('_test%d_-commands' % World.number, 1)
    done = weir('-e', 'SHOW TOPICS;', config=config)
    same(done.code, 3)
    has(done.err, 'retention.ms=')
    config = service()
    make('_test%d_-positions' % World.number, 16)
    has(weir('-e', 'SHOW TOPICS;', config=config).err, 'cleanup.policy=delete')


def test_names_of_services():
    for wrong in ('a b', 'a/b', 'ä', '', 'x' * 300):
        path = World.dir + '/wrong.properties'
        with open(path, 'w') as file:
            file.write('ksql.service.id=%s\n' % wrong)
        done = weir('-e', 'SHOW TOPICS;', config=path)
        same(done.code, 3)
        has(done.err, 'ksql.service.id')


def test_services_that_begin_alike():
    rows = []
    for id in ('like', 'like-', 'like-slot', 'like_query_', 'like' + 50 * 'x'):
        path = '%s/%s.properties' % (World.dir, id)
        with open(path, 'w') as file:
            file.write('ksql.service.id=%s\nweir.slots=2\n' % id)
        folder = '%s/%s' % (World.dir, id)
        sql = ("CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='alike', FORMAT='JSON', PARTITIONS=1);"
               "CREATE TABLE c WITH (KAFKA_TOPIC='c-%s') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"
               "INSERT INTO s VALUES ('a', '1'); SELECT * FROM c;" % id)
        done = weir(folder, '--format', 'ndjson', '-e', sql, config=path)
        same(done.code, 0)
        rows.append([row['N'] for row in done.rows() if 'N' in row])
    same(rows, [[1], [2], [3], [4], [5]])


if __name__ == '__main__':
    sys.exit(run_tests(globals()))
