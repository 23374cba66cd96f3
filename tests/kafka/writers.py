#!/usr/bin/env python3
"""writers.py WEIR - who else writes into a cluster: generated sources, COPY, INSERT in the FILE of a
server. Each row once, whatever kills the process; read by an independent consumer in read_committed.

See world.py for how it runs.
"""
import random

from world import *

TXN = 'weir.transaction.timeout.ms=4000\n'
GENERATED = "CREATE STREAM %s (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='%s', PARTITIONS=3, " \
    "RETENTION_MS=-1, VALUE_FORMAT='JSON', SOURCE='datagen', ROWS=%d, ROWS_PER_SECOND=%d, SEED=7, " \
    "START='2020-01-01T00:00:00');"
POINTS = ['after_begin', 'after_produce', 'before_commit', 'during_commit', 'before_accept',
          'in_take']


def committed(topic, partitions=3):
    """Values of all committed records, partition by partition."""
    consumer = confluent_kafka.Consumer({
        'bootstrap.servers': World.bootstrap, 'group.id': 'test', 'isolation.level':
        'read_committed', 'enable.auto.commit': False, 'auto.offset.reset': 'earliest',
        'enable.partition.eof': True, 'log_level': 2})
    consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in range(partitions)])
    found, ended, end = [[] for _ in range(partitions)], set(), time.time() + 60
    while len(ended) < partitions and time.time() < end:
        for message in consumer.consume(1000, 0.2):
            if not message.error():
                found[message.partition()].append((message.key(), message.value(),
                                                   message.timestamp()[1]))
            elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    if len(ended) < partitions:
        raise AssertionError('%s: the ends of %d partitions in 60 s, with %r records'
                             % (topic, len(ended), [len(part) for part in found]))
    return found


def wait_count(topic, wanted, seconds=60, partitions=3):
    end = time.time() + seconds
    while True:
        found = sum(map(len, committed(topic, partitions)))
        if found >= wanted:
            return
        if time.time() > end:
            raise AssertionError('%s has %d records of %d' % (topic, found, wanted))
        time.sleep(0.5)


class Killed(Live):
    """Ends at a kill point, or by kill()."""

    def __init__(self, data, config, point=None):
        if point:
            os.environ['WEIR_KILL_POINT'] = point
        try:
            super().__init__(data, config=config)
        finally:
            os.environ.pop('WEIR_KILL_POINT', None)

    def ask(self, sql):
        out = super().ask(sql)
        assert 'error (' not in out, out
        return out

    def kill(self):
        self.process.kill()
        self.process.wait()

    def dies(self, seconds=15):
        end = time.time() + seconds
        while self.process.poll() is None and time.time() < end:
            time.sleep(0.05)
        died = self.process.poll() == -signal.SIGKILL
        self.kill()
        return died


def undisturbed(sql, topic, rows, partitions=3):
    """What a service that nothing happens to writes."""
    live = Live(tempfile.mkdtemp(dir=World.dir))
    assert 'error (' not in live.ask(sql)
    wait_count(topic, rows, partitions=partitions)
    live.end()
    return committed(topic, partitions)


def test_generator_goes_on():
    config, data, rows = service(TXN), tempfile.mkdtemp(dir=World.dir), 12000
    live = Killed(data, config)
    live.ask(GENERATED % ('g', 'gen', rows, 1500))
    time.sleep(1)
    killed = 0
    for turn in range(9):
        live.kill()
        if turn % 4 == 1:
            shutil.rmtree(data)
            os.mkdir(data)
        point = '%s:%d' % (POINTS[turn % len(POINTS)], 1 + turn // 6 * 3) if turn % 3 else None
        live = Killed(data, config, point)
        if point:
            killed += live.dies(6)
            live = Killed(data, config)
        else:
            time.sleep(1 + random.random())
    assert killed >= 4, killed
    wait_count('gen', rows)
    live.wait('SHOW STREAMS;', 'gen')
    time.sleep(0.5)
    live.end()
    wanted = undisturbed(GENERATED % ('g', 'gen2', rows, 100000), 'gen2', rows)
    same(*([[record[:2] for record in part] for part in found]
           for found in (committed('gen'), wanted))) # times are by the rate


def test_generator_again():
    config, data = service(TXN), tempfile.mkdtemp(dir=World.dir)
    live = Killed(data, config)
    live.ask("CREATE STREAM other (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='again', PARTITIONS=3, "
             "RETENTION_MS=-1, VALUE_FORMAT='JSON');")
    for turn in range(2): # the topic stays, and has the id that it had
        live.ask(GENERATED % ('g', 'again', 100, 100000))
        wait_count('again', 100 * (turn + 1))
        live.ask('DROP STREAM g;')
    live.end()
    same(sum(map(len, committed('again'))), 200)


def numbers(path, count, size=20):
    with open(path, 'w') as file:
        for i in range(count):
            file.write('{"k": "k%d", "n": %d, "pad": "%s"}\n' % (i % 50, i, 'x' * size))
    return path


COPIED = "CREATE STREAM IF NOT EXISTS c (k STRING KEY, n BIGINT, pad STRING) WITH (KAFKA_TOPIC='%s', " \
    "PARTITIONS=3, RETENTION_MS=-1, VALUE_FORMAT='JSON');"


def copied(topic):
    return sorted(json.loads(value)['N'] for part in committed(topic) for _, value, _ in part)


def once(topic, rows):
    found = copied(topic)
    twice = [n for at, n in enumerate(found) if at and found[at - 1] == n]
    same((len(found), len(set(found)), twice[:5]), (rows, rows, []))


def test_copy_all_or_nothing():
    path = numbers(World.dir + '/small.ndjson', 3000)
    for turn, point in enumerate(('after_produce', 'before_commit', 'before_accept')):
        config, data, topic = service(TXN), tempfile.mkdtemp(dir=World.dir), 'small%d' % turn
        live = Live(data, config=config)
        live.ask(COPIED % topic)
        live.end()
        live = Killed(data, config, point + ':1')
        live.process.stdin.write("COPY c FROM '%s';\n" % path)
        live.process.stdin.flush()
        assert live.dies(), point
        if turn == 1:
            shutil.rmtree(data)
        live = Live(data, config=config)
        time.sleep(0.3)
        assert copied(topic) in ([], list(range(3000)))
        live.ask("COPY c FROM '%s';" % path)
        live.end()
        same(copied(topic), list(range(3000)))


def test_copy_goes_on():
    path = numbers(World.dir + '/large.ndjson', 120000, 300)
    config, data = service(TXN), tempfile.mkdtemp(dir=World.dir)
    live = Live(data, config=config)
    live.ask(COPIED % 'large')
    live.end()
    killed = 0
    for turn, point in enumerate(('after_begin', 'after_produce', 'during_commit', 'before_accept',
                                  'before_commit:2', 'during_commit')):
        live = Killed(data, config, point)
        live.process.stdin.write("COPY c FROM '%s' WITH (ON_ERROR='skip');\n" % path)
        live.process.stdin.flush()
        killed += live.dies(8)
        if turn == 3:
            shutil.rmtree(data)
    live = Live(data, config=config)
    out = live.ask("COPY c FROM '%s' WITH (ON_ERROR='skip');" % path)
    once('large', 120000)
    has(out, 'COPY 120000')
    assert killed >= 5, killed
    # Then it is another COPY, which adds its rows.
    small = numbers(World.dir + '/more.ndjson', 10)
    for _ in range(2):
        live.ask("COPY c FROM '%s';" % small)
    live.end()
    same(len(copied('large')), 120020)


def test_copy_outlives_a_broker():
    path = numbers(World.dir + '/outlives.ndjson', 100000, 300)
    live = Live(tempfile.mkdtemp(dir=World.dir), config=service(TXN))
    live.ask(COPIED % 'outlives')
    live.process.stdin.write("COPY c FROM '%s' WITH (ON_ERROR='skip');\n" % path)
    live.process.stdin.flush()
    time.sleep(0.8)
    broker('kill')
    time.sleep(1)
    broker('start')
    has(live.ask('SHOW STREAMS;'), 'COPY 100000')
    live.end()
    once('outlives', 100000)


# -- The FILE of a server -----------------------------------------------------------------------

def serve(data, path, config, point=None):
    if point:
        os.environ['WEIR_KILL_POINT'] = point
    try:
        return start('server', '--data', data, '-f', path, config=config)
    finally:
        os.environ.pop('WEIR_KILL_POINT', None)


def test_file_writes_once():
    config, data = service(TXN), tempfile.mkdtemp(dir=World.dir)
    small, path = numbers(World.dir + '/filed.ndjson', 500), World.dir + '/filed.sql'
    with open(path, 'w') as file:
        file.write(COPIED % 'filed' + "INSERT INTO c VALUES ('a', 1000, 'x');\n"
                   "-- twice\nINSERT INTO c VALUES ('b', 1001, 'x');\n"
                   "insert into c VALUES ('b', 1002, 'x'); INSERT INTO c VALUES ('b', 1001, 'x');\n"
                   "COPY c FROM '%s';\nCREATE STREAM d WITH (KAFKA_TOPIC='filed2', RETENTION_MS=-1) "
                   "AS SELECT * FROM c;" % small)
    wanted = list(range(500)) + [1000, 1001, 1001, 1002]
    for turn, point in enumerate(('after_produce', 'before_accept:2', 'before_commit:3', None,
                                  'before_accept', None, None)):
        server = serve(data, path, config, point)
        if point:
            try:
                server.wait(6)
            except subprocess.TimeoutExpired:
                server.kill()
        else:
            line = server.stdout.readline()
            if turn == 3: # d has had its time
                until_has(lambda: str(len(copied('filed2'))), str(len(wanted)))
            server.send_signal(signal.SIGTERM)
        done = Done(server)
        if not point:
            same((line, done.code, done.err if line == b'' else ''), (b'ready\n', 0, ''))
        if turn % 3 == 1:
            shutil.rmtree(data)
        if turn == 5: # who has dropped it means it
            good(data, '-e', 'DROP STREAM d; DROP STREAM c;', config=config)
    same(copied('filed'), wanted)
    same(copied('filed2'), wanted)


if __name__ == '__main__':
    sys.exit(run_tests(globals(), 'log.retention.check.interval.ms=500'))
