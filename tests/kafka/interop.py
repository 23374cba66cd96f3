#!/usr/bin/env python3
"""interop.py WEIR - other clients' records are read as they were written, ours are read by them.

The clients are Java's of today and an old one, franz-go, kafka-python and kafkajs. Each is a program

    produce BOOTSTRAP TOPIC CODEC < LINES      LINES: a record, or B, C, A for a transaction
    consume BOOTSTRAP TOPIC COUNT > RECORDS    committed ones

    a record to write: PARTITION(-1: of the key) TIMESTAMP KEY VALUE HEADERS
    a record read:     PARTITION OFFSET TIMESTAMP KEY VALUE HEADERS

with a tab between two parts; bytes are '=' and base64, or '-' for null; headers NAME:VALUE,... What
registries cannot give is skipped. Packages are kept in ~/.cache/weir.
"""
import base64
import random
import re

from world import *

CLIENTS = os.path.join(HERE, 'clients')
CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache')), 'weir')
CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
COLUMNS = ('k BYTES KEY, v BYTES, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS')
OLD_JAVA = '2.8.2'


def quietly(args, why, **more):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=400, **more)
    if done.returncode != 0:
        raise Skip('%s: %s' % (why, done.stdout.decode()[-300:].strip()))


# -- The clients --------------------------------------------------------------------------------

def java_of(libraries):
    need('java')
    return ['java', '-Xmx200m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC',
            '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', libraries + '/*',
            CLIENTS + '/Interop.java']


def new_java():
    done = subprocess.run(['bash', BROKER, 'jars', World.dir + '/broker'], stdout=subprocess.PIPE,
                          text=True)
    return java_of(done.stdout.strip())


def old_java():
    folder = '%s/java-client-%s' % (CACHE, OLD_JAVA)
    if not os.path.exists(folder + '/complete'):
        need('mvn')
        quietly(['mvn', '-q', '-B', '-f', CLIENTS + '/pom.xml', '-Dclient=' + OLD_JAVA,
                 'dependency:copy-dependencies', '-DoutputDirectory=' + folder], 'no old client')
        open(folder + '/complete', 'w').close()
    return java_of(folder)


def go():
    need('go')
    program = CACHE + '/interop-go'
    if not os.path.exists(program) or \
            os.path.getmtime(program) < os.path.getmtime(CLIENTS + '/interop.go'):
        quietly(['go', 'build', '-o', program, '.'], 'no franz-go', cwd=CLIENTS)
    return [program]


def python():
    folder = CACHE + '/kafka-python'
    if not os.path.exists(folder + '/complete'):
        quietly([sys.executable, '-m', 'pip', 'install', '-q', '--target', folder,
                 'kafka-python==3.0.12', 'lz4', 'python-snappy', 'zstandard'], 'no kafka-python')
        open(folder + '/complete', 'w').close()
    return ['env', 'PYTHONPATH=' + folder, sys.executable, CLIENTS + '/interop_python.py']


def script():
    need('node')
    need('npm')
    folder = CACHE + '/kafkajs'
    if not os.path.exists(folder + '/complete'):
        os.makedirs(folder, exist_ok=True)
        quietly(['npm', 'install', '--silent', '--prefix', folder, 'kafkajs@2.2.4'], 'no kafkajs')
        open(folder + '/complete', 'w').close()
    return ['env', 'NODE_PATH=%s/node_modules' % folder, 'KAFKAJS_NO_PARTITIONER_WARNING=1', 'node',
            CLIENTS + '/interop.js']


def call(client, what, *args, data=None):
    done = subprocess.run(client + [what, World.bootstrap] + [str(arg) for arg in args],
                          input=data and data.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=110)
    if done.returncode != 0 or (what == 'produce' and done.stderr):
        raise AssertionError('%s: %s' % (what, done.stderr.decode()[-1000:]))
    return done.stdout.decode()


# -- Records ------------------------------------------------------------------------------------

def text_of(data):
    return '-' if data is None else '=' + base64.b64encode(data).decode()


class Wrote:
    """A record: what a client is to write."""

    def __init__(self, key, value, headers=(), timestamp=1000, partition=-1):
        self.key, self.value, self.headers = key, value, list(headers)
        self.timestamp, self.partition = timestamp, partition

    def line(self):
        headers = ','.join(text_of(name.encode()) + ':' + text_of(value)
                           for name, value in self.headers)
        return '\t'.join([str(self.partition), str(self.timestamp), text_of(self.key),
                          text_of(self.value), headers])

    def content(self):
        return (self.timestamp, text_of(self.key), text_of(self.value),
                [(name, text_of(value)) for name, value in self.headers])


def taken(line):
    """A line of `consume`: (partition, offset), content."""
    partition, offset, timestamp, key, value, headers = line.split('\t')
    pairs = [part.split(':') for part in headers.split(',') if part]
    headers = [(base64.b64decode(name[1:]).decode(), value_) for name, value_ in pairs]
    return (int(partition), int(offset)), (int(timestamp), key, value, headers)


def some_records(rng, count):
    """Of all kinds: null and empty, headers twice and null, UTF-8, one of 900 KB; before 1970 not."""
    kinds = [(None, b'no key', []), (b'', b'empty key', []), (b'k', b'', []), (b'k', None, []),
             (None, None, []), (b'h', b'1', [('a', b'1'), ('a', b'2'), ('', b'no name')]),
             (b'h', b'2', [('null', None), ('empty', b''), ('\u00e4\u20ac', b'\x00\xff')]),
             ('\u00fc\U0001f600'.encode(), '\u4e2d'.encode(), []), (b'\x00\xff', b'\xff\x00' * 9, []),
             (b'x' * 127, b'y' * 127, []), (b'x' * 128, b'y' * 128, []), (b'x' * 8192, b'z', []),
             (b'big', rng.randbytes(900 * 1000), []), (b'many', b'', [('n%d' % i, b'v')
                                                                      for i in range(70)])]
    made = [Wrote(key, value, headers, rng.randrange(1, 1700000000000))
            for key, value, headers in kinds]
    for i in range(count):
        made.append(Wrote(rng.randbytes(rng.randrange(1, 40)), rng.randbytes(rng.randrange(300)),
                          [('n', str(i).encode())] * rng.randrange(3), 1500000000000 + i))
    rng.shuffle(made)
    return made


def transactions(rng, records):
    """The lines for them, and those that are seen."""
    lines, seen = [], []
    while records:
        size = rng.randrange(1, 30)
        part, records = records[:size], records[size:]
        good_end = rng.random() < 0.6
        lines += ['B'] + [record.line() for record in part] + ['C' if good_end else 'A']
        seen += part if good_end else []
    return lines, seen


def by_weir(topic, seen):
    """What Weir reads: {(partition, offset): content}. Streams have no rows of null values."""
    count = len([record for record in seen if record.value is not None])
    rows_ = stream_rows(topic, count, COLUMNS, 'k, v, h, ROWTIME AS t, ROWPARTITION AS p, '
                        'ROWOFFSET AS o')
    def text(value):
        return '-' if value is None else '=' + value
    return {(row['P'], row['O']): (row['T'], text(row['K']), text(row['V']),
                                   [(one['KEY'], text(one['VALUE'])) for one in row['H']])
            for row in rows_}


def alike(found, wanted):
    """As same(), of large values the first that differ."""
    if found != wanted:
        pairs = [(left, right) for left, right in zip(found, wanted) if left != right][:3]
        raise AssertionError('%d and %d; %.3000s' % (len(found), len(wanted), pairs))


def reads(client, topic, lines, seen, codec, append_time=False):
    """Weir sees what the client has written, where the client sees it."""
    call(client, 'produce', topic, codec, data='\n'.join(lines) + '\n')
    theirs = dict(taken(line) for line in call(client, 'consume', topic, len(seen)).split('\n')
                  if line)
    wanted = sorted(record.content()[append_time:] for record in seen)
    alike(sorted(content[append_time:] for content in theirs.values()), wanted)
    ours = by_weir(topic, seen)
    alike(sorted(ours.items()),
          sorted((at, content) for at, content in theirs.items() if content[2] != '-'))
    nulls = sorted(at for at, content in theirs.items() if content[2] == '-')
    out = good('-e', 'PRINT %s FROM BEGINNING LIMIT %d;' % (topic, len(seen))).out
    same(out.count('value: <null>'), len(nulls))


def written(client, topic, source, seen, codec):
    """What a query of ours writes, by the client: as it was read, headers too. {key: partition}"""
    live = Live(config=service('compression.type=%s\n' % codec))
    live.ask("CREATE STREAM s (k BYTES KEY, v BYTES) %s; CREATE STREAM c WITH (KAFKA_TOPIC='%s', "
             "PARTITIONS=5, RETENTION_MS=-1) AS SELECT * FROM s;" % (TEXT % source, topic))
    found = [taken(line) for line in call(client, 'consume', topic, len(seen)).split('\n') if line]
    live.end()
    alike(sorted(content for _, content in found), sorted(one.content() for one in seen))
    return {content[1]: at[0] for at, content in found if content[1] != '-'}


def both_ways(client, name, codecs=CODECS, records=some_records, topic_codec='zstd'):
    rng = random.Random(name)
    for codec in codecs:
        topic = '%s_%s' % (name, codec)
        make(topic, 2, retention_ms=-1)
        seen = records(rng, 150)
        lines = [record.line() for record in seen]
        if codec in ('none', codecs[-1]):
            lines, seen = transactions(rng, seen)
        reads(client, topic, lines, seen, codec)
        written(client, topic + '_ours', topic, seen, codec)
    topic = name + '_append_time'
    make(topic, message_timestamp_type='LogAppendTime', compression_type=topic_codec)
    seen = records(rng, 20)
    reads(client, topic, [record.line() for record in seen], seen, 'none', append_time=True)


def test_java():
    both_ways(new_java(), 'java')


def test_old_java():
    both_ways(old_java(), 'oldjava', ['gzip', 'lz4'])


def test_go():
    both_ways(go(), 'go', ['snappy', 'zstd'])


def simple_records(rng, count):
    """kafka-python has no records without key and value, and no null headers; kafkajs no names of
    headers that are empty."""
    made = [one for one in some_records(rng, count) if (one.key, one.value) != (None, None)]
    for record in made:
        record.headers = [(name, value or b'') for name, value in record.headers if name != '']
    return made


def test_python():
    both_ways(python(), 'python', ['lz4', 'zstd'], simple_records)


def test_script():
    both_ways(script(), 'kafkajs', ['none', 'gzip'], simple_records, 'gzip')


def test_partitions_are_javas():
    """Keys of all lengths: each client's own partitioner, and ours."""
    rng = random.Random(1)
    keys = [b'', b'\x00', b'\xff' * 3, '\u00e4\u20ac\U0001f600'.encode(), b'x' * 127, b'x' * 128,
            b'y' * 5000] + [rng.randbytes(size) for size in range(1, 60) for _ in range(6)]
    seen = [Wrote(key, b'v') for key in keys]
    lines = '\n'.join(record.line() for record in seen) + '\n'
    java = new_java()
    make('keys', 5, retention_ms=-1)
    call(java, 'produce', 'keys', 'none', data=lines)
    wanted = dict((content[1], at[0]) for at, content in (
        taken(line) for line in call(java, 'consume', 'keys', len(keys)).split('\n') if line))
    same(written(java, 'keys_ours', 'keys', seen, 'none'), wanted)
    for name, other in (('go', go), ('python', python), ('script', script), ('old', old_java)):
        try:
            client = other()
        except Skip as why:
            print('skipped: partitions by %s: %s' % (name, why))
            continue
        make('keys_' + name, 5, retention_ms=-1)
        call(client, 'produce', 'keys_' + name, 'none', data=lines)
        found = dict((content[1], at[0]) for at, content in (
            taken(line) for line in call(java, 'consume', 'keys_' + name, len(keys)).split('\n')
            if line))
        same((name, found), (name, wanted))


# -- What tools say -----------------------------------------------------------------------------

def groups_by_tool():
    """{topic: (members, groups, lag)} as kafka-consumer-groups says it."""
    groups, members, lags = {}, {}, {}
    for line in tool('groups', '--describe', '--all-groups', '--offsets').decode().split('\n'):
        part = line.split()
        if len(part) > 5 and part[2].isdigit():
            groups.setdefault(part[1], set()).add(part[0])
            lags[part[1]] = lags.get(part[1], 0) + (int(part[5]) if part[5].isdigit() else 0)
    out = tool('groups', '--describe', '--all-groups', '--members', '--verbose').decode()
    for line in out.split('\n'):
        for topic in set(re.findall(r'([\w.-]+)[:(][\d,]+', line)):
            members[topic] = members.get(topic, 0) + 1
    return {topic: (members.get(topic, 0), len(of), lags[topic]) for topic, of in groups.items()}


def topics_by_tool():
    """{topic: (partitions, replicas)} as kafka-topics says it."""
    out = tool('topics', '--describe').decode()
    return {name: (int(count), int(replicas)) for name, count, replicas in re.findall(
        r'Topic: (\S+).*PartitionCount: (\d+)\s+ReplicationFactor: (\d+)', out)}


def test_topics_as_tools_say():
    consumers = []
    for topic, partitions in (('tools_a', 3), ('tools_b', 1), ('tools_c', 2)):
        make(topic, partitions, retention_ms=-1)
        one = producer()
        for i in range(100):
            one.produce(topic, key='k%d' % i, value='v')
        one.flush()
    for group, topics, count in (('left', ['tools_a'], 30), ('here', ['tools_a', 'tools_b'], 50),
                                 ('here', ['tools_c'], 10), ('fresh', ['tools_c'], 20)):
        consumer = confluent_kafka.Consumer({
            'bootstrap.servers': World.bootstrap, 'group.id': group, 'auto.offset.reset': 'earliest',
            'enable.auto.commit': False})
        consumer.subscribe(topics)
        consumers.append((group, consumer))
        end = time.time() + 30
        while count > 0 and time.time() < end:
            message = consumer.poll(0.2)
            count -= bool(message and not message.error())
            for _, other in consumers[:-1]:
                other.poll(0)
        consumer.commit(asynchronous=False)
        if group == 'left':
            consumer.close()
            consumers.pop()
    wanted = groups_by_tool()
    shown = {row['Topic']: row for row in rows('SHOW ALL TOPICS EXTENDED;')}
    for topic, counts in topics_by_tool().items():
        row = shown.get(topic)
        if row:
            same((topic, row['Partitions'], row['Partition Replicas']), (topic, *counts))
    for topic in ('tools_a', 'tools_b', 'tools_c'):
        row = shown[topic]
        same((topic, row['Consumers'], row['Consumer Groups'], row['Lag']), (topic, *wanted[topic]))
    for _, consumer in consumers:
        consumer.close()


if __name__ == '__main__':
    sys.exit(run_tests(globals(), 'log.retention.check.interval.ms=600000'))
