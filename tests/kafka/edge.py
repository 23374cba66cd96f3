#!/usr/bin/env python3
"""edge.py WEIR - BROKER='name' over a real Kafka: topics of a cluster copied into the own log, own
topics copied into a cluster, each record once, while engine and broker are killed.

What was written is compared with what an independent consumer reads in read_committed, partition by
partition. See world.py for how it runs.
"""
import random
import threading

from world import *

PARTITIONS = 5


def cluster_file(more='', name='prod', number=None, bootstrap=None):
    World.number += 1
    path = '%s/%d.properties' % (World.dir, World.number)
    with open(path, 'w') as file:
        file.write('ksql.service.id=edge%d_\nweir.transaction.timeout.ms=4000\n'
                   'broker.%s.bootstrap.servers=%s\n%s'
                   % (number or World.number, name, bootstrap or World.bootstrap, more))
    return path


class Local(Live):
    """A shell over an own log."""

    def __init__(self, data, config, kill=None):
        env = dict(os.environ)
        if kill:
            env['WEIR_KILL_POINT'] = kill
        self.process = subprocess.Popen(
            [World.weir, data, '--config', config, '--format', 'ndjson', '--timeout', '400',
             '--on-error', 'continue'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1, env=env)

    def ask(self, sql):
        out = super().ask(sql)
        if 'error (' in out:
            raise AssertionError('%s\n%s' % (sql, out))
        return out

    def kill(self):
        self.process.kill()
        self.process.wait()

    def rows(self, sql):
        return [json.loads(line) for line in self.ask(sql).split('\n') if line.startswith('{')]

    def broker(self, name):
        """The row "Broker" of DESCRIBE EXTENDED."""
        for row in self.rows('DESCRIBE %s EXTENDED;' % name):
            if row.get('PROPERTY', row.get('Property')) == 'Broker':
                return row.get('VALUE', row.get('Value'))
        raise AssertionError('no row Broker for ' + name)

    def wait_broker(self, name, part, seconds=40):
        return until_has(lambda: self.broker(name), part, seconds)


def text(value):
    return None if value is None else value.encode()


def folder():
    return tempfile.mkdtemp(dir=World.dir) + '/data'


def committed(topic, partitions=PARTITIONS, **more):
    """All committed records of a topic, by partition: (key, value, headers, timestamp)."""
    config = {'bootstrap.servers': World.bootstrap, 'group.id': 'edge', 'isolation.level':
              'read_committed', 'enable.auto.commit': False, 'auto.offset.reset': 'earliest',
              'enable.partition.eof': True, 'log_level': 2}
    config.update(more)
    consumer = confluent_kafka.Consumer(config)
    consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in range(partitions)])
    found, ended = [[] for _ in range(partitions)], set()
    end = time.time() + 60
    while len(ended) < partitions and time.time() < end:
        for message in consumer.consume(1000, 0.2):
            if message.error():
                if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                continue
            found[message.partition()].append((message.key(), message.value(),
                                               message.headers(), message.timestamp()[1]))
    consumer.close()
    return found


def count(topic, **more):
    return sum(len(part) for part in committed(topic, **more))


def wait_count(topic, wanted, seconds=60):
    end = time.time() + seconds
    while True:
        found = count(topic)
        if found >= wanted:
            return found
        if time.time() > end:
            raise AssertionError('%s has %d records of %d' % (topic, found, wanted))
        time.sleep(0.5)


def fill(topic, first, number, aborts=True, partitions=PARTITIONS, pause=0.0):
    """Records first, first + 1, ... in transactions, of which some are aborted (their records have
    numbers of their own); in every codec."""
    made, at = 0, first
    while made < number:
        codec = random.choice(CODECS)
        one = producer(transactional_id='fill-%s' % topic, compression_type=codec)
        one.init_transactions(30)
        for _ in range(5):
            abort = aborts and random.random() < 0.3
            one.begin_transaction()
            size = min(random.randrange(1, 400), number - made)
            for i in range(size):
                value = ('aborted %d' if abort else '%d') % (at + i)
                one.produce(topic, key='k%d' % ((at + i) % 97), value=value,
                            partition=(at + i) % 97 % partitions, timestamp=1600000000000 + at + i)
            if abort:
                one.flush(30)
                one.abort_transaction(30)
            else:
                one.commit_transaction(30)
                made += size
                at += size
            time.sleep(pause)


CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
SOURCE = "CREATE STREAM %s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s', BROKER='prod', " \
    "FORMAT='KAFKA');"


def check_copy(source, target):
    """Every record of source once in target, those of each key in order."""
    wanted, got = {}, {}
    for part in committed(source):
        for key, value, _, stamp in part:
            wanted.setdefault(key, []).append((value, stamp))
    for part in committed(target):
        for key, value, _, stamp in part:
            got.setdefault(key, []).append((value, stamp))
    wrong = []
    for key in set(wanted) | set(got):
        if wanted.get(key) != got.get(key):
            w, g = wanted.get(key, []), got.get(key, [])
            wrong.append('%r: wanted %d, got %d, missing %s, twice %s' % (
                key, len(w), len(g), sorted(set(w) - set(g))[:3],
                sorted({x for x in g if g.count(x) > 1})[:3]))
    if wrong:
        raise AssertionError('%s -> %s: %d keys wrong: %s' % (source, target, len(wrong),
                                                              '; '.join(wrong[:5])))


# -- What is kept -------------------------------------------------------------------------------

def test_import_keeps_everything():
    make('kept', PARTITIONS, retention_ms=-1)
    one = producer()
    shapes = [(None, b'no key', None), (b'', b'empty key', [('h', b'x')]), (b'k', None, None),
              (b'e', b'', [('a', b'1'), ('a', b'2'), ('b', b'')]), (None, None, None),
              (b'big', b'x' * 700000, None)]
    for i in range(60):
        key, value, headers = shapes[i % len(shapes)]
        one.produce('kept', key=key, value=value, headers=headers, partition=i % PARTITIONS,
                    timestamp=i * 1000 + 1)
        one.poll(0)
    one.flush()
    fill('kept', 0, 2000)
    wanted = committed('kept')
    live = Local(folder(), cluster_file())
    live.ask(SOURCE % ('s', 'kept'))
    got = [[] for _ in range(PARTITIONS)]
    for row in live.rows('PRINT kept FROM BEGINNING LIMIT %d;' % sum(map(len, wanted))):
        same(row['OFFSET'], len(got[row['PARTITION']]))
        got[row['PARTITION']].append((text(row['KEY']), text(row['VALUE']), row['HEADERS'],
                                      row['ROWTIME']))
    same(got, [[(key, value, None if not headers else '{%s}' % ', '.join(
        name + '=' + head.decode() for name, head in headers), stamp)
        for key, value, headers, stamp in part] for part in wanted])
    live.end()


def test_tombstones_both_ways():
    make('cities', 3, cleanup_policy='compact')
    one = producer()
    for i in range(300):
        one.produce('cities', key='c%d' % (i % 30), value=None if i % 30 < 10 and i >= 270 else str(i))
    one.flush()
    live = Local(folder(), cluster_file())
    live.ask("CREATE TABLE t (k STRING PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='cities', "
             "BROKER='prod', FORMAT='KAFKA'); CREATE TABLE towns WITH (KAFKA_TOPIC='towns', "
             "BROKER='prod') AS SELECT * FROM t WHERE v <> '280';")
    same(len(live.rows('SELECT * FROM towns;')), 19)
    live.wait_broker('towns', 'lag 0')
    last = {}
    for part in committed('towns', 3):
        last.update((key, value) for key, value, _, _ in part)
    same({key: value for key, value in last.items() if value is not None},
         {b'c%d' % i: b'%d' % (270 + i) for i in range(11, 30)})
    live.end()


# -- Faults -------------------------------------------------------------------------------------

class Filler(threading.Thread):
    """Writes meanwhile."""

    def __init__(self, *args, **more):
        super().__init__()
        self.args, self.more, self.error = args, more, None
        self.start()

    def run(self):
        try:
            fill(*self.args, **self.more)
        except Exception as error:
            self.error = error

    def end(self):
        self.join()
        if self.error:
            raise self.error


COPY = SOURCE + " CREATE STREAM %s WITH (KAFKA_TOPIC='%s', BROKER='prod', RETENTION_MS=-1) AS " \
    "SELECT * FROM %s;"


def begin(name, config=None):
    """A folder that copies topic NAME to NAME-copy."""
    make(name, PARTITIONS, retention_ms=-1)
    data, config = folder(), config or cluster_file()
    live = Local(data, config)
    live.ask(COPY % ('s', name, 'c', name + '-copy', 's'))
    return data, config, live


def settle(data, config, name):
    live = Local(data, config)
    live.wait_broker('s', 'lag 0', 60)
    number = count(name)
    end = time.time() + 60
    while live.rows('SELECT COUNT(*) AS n FROM c;')[0]['N'] < number and time.time() < end:
        time.sleep(0.3)
    wait_count(name + '-copy', number)
    live.end()
    check_copy(name, name + '-copy')


def test_killed_at_any_moment():
    data, config, live = begin('fired')
    filler = Filler('fired', 0, 15000, pause=0.05)
    for _ in range(10):
        time.sleep(random.random() * 1.5)
        live.kill()
        live = Local(data, config)
    filler.end()
    live.kill()
    settle(data, config, 'fired')


def test_killed_at_kill_points():
    data, config, live = begin('points')
    live.end()
    at = killed = 0
    for point in ('export_opened', 'export_sent', 'export_flushed', 'export_committed',
                  'import_read', 'import_committed'):
        for passes in (1, 2):
            fill('points', at, 200)
            at += 200
            live = Local(data, config, '%s:%d' % (point, passes))
            end = time.time() + 15
            while live.process.poll() is None and time.time() < end:
                if time.time() > end - 13:
                    fill('points', at, 50)
                    at += 50
                time.sleep(0.2)
            killed += live.process.poll() == -signal.SIGKILL
            live.kill()
    assert killed >= 10, killed
    settle(data, config, 'points')


def test_broker_dies():
    data, config, live = begin('dies')
    fill('dies', 0, 1000)
    live.wait_broker('s', 'taken 1000')
    broker('kill')
    live.wait_broker('s', 'broker_down since', 30)
    live.ask("INSERT INTO s (k, v) VALUES ('x', 'y');")
    live.wait_broker('c', 'broker_down since', 30)
    began = time.time()
    same(live.rows('SELECT COUNT(*) AS n FROM s;')[0]['N'], 1001)
    assert time.time() - began < 8, 'a lookup waits for a broker that is down'
    began = time.time()
    live.end()
    assert time.time() - began < 8, 'it cannot end while the broker is down'
    live = Local(data, config)
    live.wait_broker('s', 'broker_down since', 30)
    broker('start')
    for turn in range(2):
        filler = Filler('dies', 1000 + 1000 * turn, 1000, pause=0.02)
        time.sleep(random.random())
        if turn < 1:
            filler.join(3)
            filler.end()
            broker('kill')
            time.sleep(random.random() * 2)
            broker('start')
        else:
            filler.end()
    for name in 'sc':
        end = time.time() + 40
        while ' since ' in live.broker(name):
            assert time.time() < end, live.broker(name)
            time.sleep(0.3)
    wait_count('dies-copy', 3001)
    live.end()
    found = sorted(value for part in committed('dies-copy') for _, value, _, _ in part)
    same(found, sorted([b'y'] + [b'%d' % i for i in range(3000)]))


def test_stopped_for_longer_than_a_transaction():
    data, config, live = begin('stopped')
    filler = Filler('stopped', 0, 8000, pause=0.05)
    for _ in range(3):
        time.sleep(1 + random.random())
        live.process.send_signal(signal.SIGSTOP)
        time.sleep(6)
        live.process.send_signal(signal.SIGCONT)
    filler.end()
    wait_count('stopped-copy', 8000)
    live.end()
    settle(data, config, 'stopped')


# -- Life ---------------------------------------------------------------------------------------

def test_two_services_export_to_one_topic():
    make('both', PARTITIONS, retention_ms=-1)
    # The same service.id in two folders: each is somebody of its own.
    lives = [Local(folder(), cluster_file(number=7)) for _ in range(2)]
    for i, live in enumerate(lives):
        live.ask("CREATE STREAM src (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='src', "
                 "PARTITIONS=5, FORMAT='KAFKA'); CREATE STREAM out WITH (KAFKA_TOPIC='both', "
                 "BROKER='prod') AS SELECT * FROM src;")
    for turn in range(200):
        for i, live in enumerate(lives):
            live.ask("INSERT INTO src VALUES ('k%d', '%d-%d');" % (turn % 7, i, turn))
    wait_count('both', 400)
    for live in lives:
        live.end()
    for i in range(2):
        for key in range(7):
            same([value for part in committed('both') for k, value, _, _ in part
                  if k == b'k%d' % key and value.startswith(b'%d-' % i)],
                 [b'%d-%d' % (i, turn) for turn in range(200) if turn % 7 == key])


def test_a_new_folder_begins_anew():
    make('anew', PARTITIONS)
    config = cluster_file()
    for life in range(2):
        live = Local(folder(), config)
        live.ask("CREATE STREAM src (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='src', "
                 "PARTITIONS=5, FORMAT='KAFKA'); CREATE STREAM out WITH (KAFKA_TOPIC='anew', "
                 "BROKER='prod') AS SELECT * FROM src; INSERT INTO src VALUES ('a', '%d');" % life)
        wait_count('anew', life + 1)
        live.end()


def test_name_is_missing_and_comes_back():
    data, config, live = begin('named')
    live.end()
    fill('named', 0, 100, aborts=False)
    other = cluster_file(name='other')
    live = Local(data, other)
    has(live.broker('s'), 'which the configuration lacks')
    has(live.broker('c'), 'which the configuration lacks')
    same(live.rows('SELECT COUNT(*) AS n FROM c;')[0]['N'], 0)
    live.end()
    settle(data, config, 'named')


def test_drop_and_again():
    data, config, live = begin('dropped')
    fill('dropped', 0, 500)
    live.wait_broker('c', 'given 500')
    live.ask('DROP STREAM c; DROP STREAM s DELETE TOPIC;')
    fill('dropped', 500, 100)
    time.sleep(1)
    same(count('dropped-copy'), 500)
    live.ask(SOURCE % ('s', 'dropped'))
    same(live.rows('SELECT COUNT(*) AS n FROM s;')[0]['N'], 600)
    live.end()


def test_topic_grows_and_goes():
    data, config, live = begin('grows')
    fill('grows', 0, 500)
    live.wait_broker('c', 'given 500')
    tool('topics', '--alter', '--topic', 'grows', '--partitions', '7')
    live.wait_broker('s', 'partitions_grown since')
    fill('grows', 500, 500)
    wait_count('grows-copy', 1000)
    live.end()
    live = Local(data, config)
    live.wait_broker('s', 'partitions_grown since')
    fill('grows', 1000, 100)
    wait_count('grows-copy', 1100)
    tool('topics', '--delete', '--topic', 'grows')
    live.wait_broker('s', 'topic_')
    live.end()
    make('grows', PARTITIONS)
    live = Local(data, config)
    live.wait_broker('s', 'topic_deleted since')
    live.end()


def test_secured():
    ca = 'broker.prod.ssl.ca.location=%s/broker/tls/ca.pem\n' % World.dir
    sasl = 'broker.prod.sasl.mechanism=PLAIN\nbroker.prod.sasl.username=weir\n' \
        'broker.prod.sasl.password=%s\n'
    port = int(World.bootstrap.split(':')[1])
    for add, protocol, more in ((2, 'SASL_PLAINTEXT', sasl), (3, 'SASL_SSL', sasl + ca),
                                (4, 'SSL', ca)):
        name = 'safe%d' % add
        more = 'broker.prod.security.protocol=%s\n%s' % (protocol, more)
        config = cluster_file(more % 'weir-secret' if '%s' in more else more,
                              bootstrap='localhost:%d' % (port + add))
        data, _, live = begin(name, config)
        fill(name, 0, 100)
        live.wait_broker('c', 'given 100')
        live.end()
        check_copy(name, name + '-copy')
        same(subprocess.run(['grep', '-rl', 'weir-secret', data], stdout=subprocess.PIPE).stdout,
             b'')
        if '%s' not in more:
            continue
        wrong = cluster_file(more % 'weir-wrong', number=World.number,
                             bootstrap='localhost:%d' % (port + add))
        live = Local(data, wrong)
        live.wait_broker('s', 'authentication since')
        assert 'weir-wrong' not in live.broker('s')
        live.end()


def main():
    return run_tests(globals(), 'secure', 'log.cleaner.backoff.ms=300',
                     'log.retention.check.interval.ms=500')


if __name__ == '__main__':
    sys.exit(main())
