#!/usr/bin/env python3
"""run.py WEIR - Weir over a real Kafka: what others write is read right, what Weir writes is read by
them, security. One broker; how it runs, and -k WORD: world.py."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from world import *

CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']


# -- What others write --------------------------------------------------------------------------

def test_kcat_every_codec():
    need('kcat')
    make('kcat')
    wanted = []
    for codec in CODECS:
        lines = ['%s%d:%s' % (codec, i, 'value ' * (i % 50) + str(i)) for i in range(200)]
        subprocess.run(['kcat', '-b', World.bootstrap, '-P', '-t', 'kcat', '-K:', '-z', codec],
                       input='\n'.join(lines).encode() + b'\n', check=True)
        wanted += [{'K': line.split(':')[0], 'V': line.split(':')[1]} for line in lines]
    same(stream_rows('kcat', 1000), wanted)


def test_kcat_headers_and_nulls():
    need('kcat')
    make('heads')
    for args, text in ((['-H', 'a=1', '-H', 'b=two'], 'x:y'), ([], 'p:q'), (['-Z'], 'gone:'),
                       ([], 'end:r')):
        subprocess.run(['kcat', '-b', World.bootstrap, '-P', '-t', 'heads', '-K:', *args],
                       input=text.encode() + b'\n', check=True)
    found = stream_rows('heads', 3, "k STRING KEY, v STRING, h ARRAY<STRUCT<key STRING, "
                        "value BYTES>> HEADERS", 'k, v, h')
    same([row['K'] for row in found], ['x', 'p', 'end'])
    same(found[0]['H'], [{'KEY': 'a', 'VALUE': 'MQ=='}, {'KEY': 'b', 'VALUE': 'dHdv'}])
    same(found[1]['H'], [])
    has(good('-e', "PRINT heads FROM BEGINNING LIMIT 4;").out, 'key: gone, value: <null>')


def test_console_producer():
    make('console')
    tool('produce', '--topic', 'console', '--property', 'parse.key=true', '--property',
         'key.separator=:', '--compression-codec', 'zstd', data=b'a:1\nb:2\nc:\n')
    same(stream_rows('console', 3), [{'K': 'a', 'V': '1'}, {'K': 'b', 'V': '2'},
                                     {'K': 'c', 'V': ''}])


def test_python_every_codec():
    make('python', retention_ms=-1)
    for codec in CODECS:
        one = producer(compression_type=codec, linger_ms=50)
        for i in range(300):
            one.produce('python', key='%s%d' % (codec, i), value='v' * (i % 100) + str(i),
                        headers=[('h', str(i).encode()), ('empty', b''), ('null', None)],
                        timestamp=1000 + i)
        one.flush()
    found = stream_rows('python', 1500, "k STRING KEY, v STRING, h BYTES HEADER('h')",
                        'k, v, ROWTIME AS t, ROWOFFSET AS o, from_bytes(h, \'utf8\') AS h')
    same(found, [{'K': '%s%d' % (codec, i), 'V': 'v' * (i % 100) + str(i), 'T': 1000 + i,
                  'O': at * 300 + i, 'H': str(i)}
                 for at, codec in enumerate(CODECS) for i in range(300)])


def test_python_nulls():
    make('nulls')
    one = producer()
    for key, value in ((None, b'no key'), (b'', b'empty key'), (b'k', None), (b'e', b''),
                       (None, None), (b'z', b'last')):
        one.produce('nulls', key=key, value=value)
    one.flush()
    lines = good('-e', 'PRINT nulls FROM BEGINNING LIMIT 6;').out.split('\n')
    lines = [line.split('key: ')[1].split(', partition')[0] for line in lines if 'key: ' in line]
    same(lines, ['<null>, value: no key', ', value: empty key', 'k, value: <null>', 'e, value: ',
                 '<null>, value: <null>', 'z, value: last'])


def test_python_transactions():
    make('txn')
    one = producer(transactional_id='test-txn')
    one.init_transactions(20)
    for turn in range(20):
        one.begin_transaction()
        for i in range(25):
            one.produce('txn', key=str(turn), value='%d-%d' % (turn, i))
        one.flush()
        if turn % 3 == 1:
            one.abort_transaction(20)
        else:
            one.commit_transaction(20)
    wanted = ['%d-%d' % (turn, i) for turn in range(20) if turn % 3 != 1 for i in range(25)]
    found = stream_rows('txn', len(wanted), select='v, ROWOFFSET AS o')
    same([row['V'] for row in found], wanted)
    same(found[-1]['O'], 18 * 26 + 24)  # a marker behind each transaction
    # An open transaction is not read, and what comes behind it waits for it.
    one.begin_transaction()
    one.produce('txn', key='open', value='open')
    one.flush()
    producer().produce('txn', key='behind', value='behind')
    one.commit_transaction(20)
    same(stream_rows('txn', len(wanted) + 1)[-1]['V'], 'open')


def test_append_time():
    make('appended', message_timestamp_type='LogAppendTime')
    one = producer()
    one.produce('appended', key='k', value='v', timestamp=1000)
    one.flush()
    now = time.time() * 1000
    found = stream_rows('appended', 1, select='ROWTIME AS t')
    assert abs(found[0]['T'] - now) < 60000, found


def test_compacted_topic():
    make('compact', cleanup_policy='compact', segment_ms=100, min_cleanable_dirty_ratio=0.01,
         delete_retention_ms=100, segment_bytes=1 << 20)
    one = producer(linger_ms=5)
    for i in range(3000):
        one.produce('compact', key='k%d' % (i % 10), value=str(i))
        if i % 500 == 0:
            one.flush()
            time.sleep(0.15)
    one.flush()
    end = time.time() + 30
    while ', value: 0,' in good('-e', 'PRINT compact FROM BEGINNING LIMIT 1;').out:
        one.produce('compact', key='more', value='x')
        one.flush()
        if time.time() > end:
            raise Skip('the broker did not compact in 30 s')
        time.sleep(0.5)
    table = rows("CREATE TABLE t (k STRING PRIMARY KEY, v STRING) %s; CREATE TABLE q AS SELECT * "
                 "FROM t; SELECT * FROM q WHERE k LIKE 'k%%';" % (TEXT % 'compact'))
    same(sorted((row['K'], row['V']) for row in table), [('k%d' % i, str(2990 + i)) for i in range(10)])


def test_records_are_deleted_below():
    make('cut')
    one = producer()
    for i in range(100):
        one.produce('cut', key='k', value=str(i))
    one.flush()
    path = World.dir + '/delete.json'
    with open(path, 'w') as file:
        json.dump({'partitions': [{'topic': 'cut', 'partition': 0, 'offset': 60}], 'version': 1}, file)
    tool('org.apache.kafka.tools.DeleteRecordsCommand', '--offset-json-file', path)
    same([row['V'] for row in stream_rows('cut', 40)], [str(i) for i in range(60, 100)])


# -- What Weir writes ---------------------------------------------------------------------------

def test_ours_are_read_byte_for_byte():
    config = service()
    good('-e', "CREATE STREAM o (k STRING KEY, v STRING, n INT) WITH (KAFKA_TOPIC='ours', "
         "PARTITIONS=1, RETENTION_MS=-1, VALUE_FORMAT='JSON'); INSERT INTO o (ROWTIME, k, v, n) VALUES (0, 'a', "
         "'\u00e4\u20ac', 1); INSERT INTO o (ROWTIME, k, v, n) VALUES (1234567890123, 'b', NULL, NULL);"
         "INSERT INTO o (ROWTIME, v, n) VALUES (5, 'x', 2);", config=config)
    same(read_all('ours', 3), [
        (b'a', '{"V":"\u00e4\u20ac","N":1}'.encode(), None, 0),
        (b'b', b'{"V":null,"N":null}', None, 1234567890123),
        (None, b'{"V":"x","N":2}', None, 5)])
    if shutil.which('kcat'):
        out = subprocess.run(['kcat', '-b', World.bootstrap, '-C', '-t', 'ours', '-e', '-q', '-J'],
                             stdout=subprocess.PIPE, check=True, timeout=30).stdout
        first = json.loads(out.split(b'\n')[0])
        same((first['key'], first['ts']), ('a', 0))
    out = tool('consume', '--topic', 'ours', '--from-beginning', '--max-messages', '3',
               '--isolation-level', 'read_committed', '--timeout-ms', '50000')
    same(out.decode().split('\n')[1], '{"V":null,"N":null}')


def test_query_output_is_transactional():
    make('in', 4)
    one = producer()
    for i in range(1000):
        one.produce('in', key='k%d' % (i % 50), value=str(i))
    one.flush()
    config = service()
    data = tempfile.mkdtemp(dir=World.dir)
    good(data, '--format', 'ndjson', '-e',
         "CREATE STREAM s (k STRING KEY, v STRING) %s; CREATE TABLE counts WITH (KAFKA_TOPIC="
         "'counts', VALUE_FORMAT='JSON') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k; "
         "SELECT * FROM counts WHERE k = 'k1';" % ("WITH (KAFKA_TOPIC='in', "
                                                   "VALUE_FORMAT='DELIMITED')"), config=config)
    end = time.time() + 20
    while time.time() < end:
        found = rows('SELECT * FROM counts;', config=config)
        if len(found) == 50 and all(row['N'] == 20 for row in found):
            break
    same({row['N'] for row in found}, {20})
    same(rows("SELECT k, n FROM counts WHERE k='k7';", config=config), [{'K': 'k7', 'N': 20}])


# -- The process --------------------------------------------------------------------------------

def test_server():
    make('served')
    config, data = service(), tempfile.mkdtemp(dir=World.dir)
    path = World.dir + '/server.sql'
    with open(path, 'w') as file:
        file.write("-- the whole\nCREATE STREAM s (k STRING KEY, v STRING) %s;\n"
                   "CREATE STREAM big WITH (KAFKA_TOPIC='big') AS\n  SELECT * FROM s WHERE v > '5';\n"
                   % (TEXT % 'served'))
    first = start('server', '--data', data, '-f', path, config=config)
    ready(first)
    one = producer()
    for i in range(10):
        one.produce('served', key='k', value=str(i))
    one.flush()
    same([value for _, value, _, _ in read_all('big', 4)], [b'6', b'7', b'8', b'9'])
    first.send_signal(signal.SIGTERM)
    done = Done(first)
    same((done.code, done.out), (0, ''))
    has(done.err, 'Stream created')
    # Again, with another folder: nothing is made twice; and the next one fences it.
    second = start('server', '--data', data + '2', '-f', path, config=config)
    ready(second)
    third = start('server', '--data', data + '3', '-f', path, config=config)
    ready(third)
    done = Done(second)
    same(done.code, 5)
    has(done.err, 'fenced')
    one.produce('served', key='k', value='99')
    one.flush()
    same(read_all('big', 5)[4][1], b'99')
    third.send_signal(signal.SIGTERM)
    done = Done(third)
    same((done.code, done.err), (0, ''))


def test_wrong_usage():
    for args in (['server'], ['server', '--data', 'x'], ['kafka://'], ['kafka://a', '--kafka', 'b'],
                 ['server', '--kafka', 'h:1', '--data', 'x', '-e', 'SHOW TOPICS']):
        done = subprocess.run([World.weir, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20)
        same((args, done.returncode, done.stdout), (args, 2, b''))
    done = weir('-e', 'SHOW TOPICS', bootstrap='nowhere')
    same(done.code, 3)
    has(done.err, 'wants HOST:PORT')
    done = weir('-e', 'SHOW TOPICS', config=service('sasl.pasword=hunter2\n'))
    same(done.code, 3)
    has(done.err, ':2: sasl.pasword is not known. Did you mean sasl.password?')
    assert 'hunter2' not in done.err


# -- Trouble ------------------------------------------------------------------------------------

def test_broker_dies_and_comes_back():
    make('dying')
    live = Live()
    live.ask("CREATE STREAM s (k STRING KEY, v STRING) %s; CREATE STREAM d WITH (KAFKA_TOPIC="
             "'dead') AS SELECT * FROM s;" % (TEXT % 'dying'))
    one = producer()
    one.produce('dying', key='k', value='1')
    one.flush()
    same(len(read_all('dead', 1)), 1)
    broker('kill')
    out = live.wait('SHOW QUERIES;', 'broker_down')
    has(live.ask('EXPLAIN CSAS_D_0;'), 'broker_down')
    del out
    broker('start')
    one.produce('dying', key='k', value='2')
    one.flush(30)
    same([value for _, value, _, _ in read_all('dead', 2)], [b'1', b'2'])
    end = time.time() + 20
    while 'broker_down' in live.ask('SHOW QUERIES;'):
        assert time.time() < end, 'it does not say that it is over'
        time.sleep(0.3)
    live.end()


def test_topic_is_deleted():
    make('mortal')
    live = Live()
    live.ask("CREATE STREAM s (k STRING KEY, v STRING) %s; CREATE STREAM d WITH (KAFKA_TOPIC="
             "'survivor') AS SELECT * FROM s;" % (TEXT % 'mortal'))
    one = producer()
    one.produce('mortal', key='k', value='1')
    one.flush()
    same(len(read_all('survivor', 1)), 1)
    tool('topics', '--delete', '--topic', 'mortal')
    live.wait('SHOW QUERIES;', 'topic_')
    live.end()


# -- Programs of the library --------------------------------------------------------------------

def program(name, *args):
    path = os.path.join(os.path.dirname(World.weir), 'tests', 'kafka', name)
    if not os.path.exists(path):
        raise Skip('%s is not built' % path)
    done = subprocess.run([path, World.bootstrap, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=100)
    same((done.returncode, [line for line in done.stdout.split('\n') if 'FAILED' in line]), (0, []))


def test_clients():
    program('client')


def test_reader():
    program('reader', '50000')


# -- Security -----------------------------------------------------------------------------------

def tls(name):
    return '%s/tls/%s' % (World.broker, name)


def test_security():
    ca = 'ssl.ca.location=%s\n' % tls('ca.pem')
    own = 'ssl.certificate.location=%s\nssl.key.location=%s\n' % (tls('client.crt'), tls('client.key'))
    for add, config in ((2, 'security.protocol=SASL_PLAINTEXT\n' + SASL % SECRET),
                        (3, 'security.protocol=SASL_SSL\n' + SASL % SECRET + ca),
                        (4, 'security.protocol=SSL\n' + ca),
                        (5, 'security.protocol=SSL\n' + ca + own)):
        name = 'secure%d' % add
        data = tempfile.mkdtemp(dir=World.dir)
        config = service(config)
        done = good(data, '-e', "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s', "
                    "PARTITIONS=1, FORMAT='KAFKA'); INSERT INTO s VALUES ('a', 'b'); "
                    "CREATE STREAM c AS SELECT * FROM s; SHOW ALL TOPICS; SHOW PROPERTIES; "
                    "SHOW QUERIES; EXPLAIN CSAS_C_0;" % name, config=config, bootstrap=secure_port(add))
        assert SECRET not in done.out + done.err
        same(subprocess.run(['grep', '-rl', SECRET, data], stdout=subprocess.PIPE).stdout, b'')
        same([value for _, value, _, _ in read_all(name, 1)], [b'b'])
    for topic in ('_test%d_-commands' % World.number, '_test%d_-members' % World.number):
        out = tool('consume', '--topic', topic, '--from-beginning', '--timeout-ms', '3000')
        assert SECRET.encode() not in out


def test_security_refused():
    ca = 'ssl.ca.location=%s\n' % tls('ca.pem')
    other = 'ssl.ca.location=%s\n' % tls('other-ca.pem')
    plain = 'security.protocol=SASL_PLAINTEXT\n'
    cases = [(2, plain + SASL % 'weir-wrong', 'Invalid username or password'),
             (3, 'security.protocol=SASL_SSL\n' + SASL % SECRET + other, 'certificate verify failed'),
             (4, 'security.protocol=SSL\n' + other, 'certificate verify failed'),
             (5, 'security.protocol=SSL\n' + ca, 'SSL')]
    for mechanism in ('OAUTHBEARER', 'GSSAPI', 'SCRAM-SHA-1'):
        other = (plain + SASL % SECRET).replace('PLAIN\n', mechanism + '\n')
        cases.append((2, other, 'SCRAM-SHA-256 or SCRAM-SHA-512; %s is not supp' % mechanism))
    for add, config, why in cases:
        refused(add, config, why)


def refused(add, config, why):
    """By the broker or by us: the reason is said soon, and no password."""
    began = time.time()
    done = weir('-e', 'SHOW TOPICS;', config=service(config), bootstrap=secure_port(add))
    same(done.code, 3)
    has(done.err, why)
    assert time.time() - began < 15, 'it took too long to say so'
    for secret in ('weir-wrong', SECRET):
        assert secret not in done.out + done.err


def library():
    """The version of librdkafka that Weir runs with."""
    said = subprocess.run([World.weir, '--version'], stdout=subprocess.PIPE, text=True).stdout
    return tuple(int(part) for part in said.split('librdkafka ')[1].rstrip(')\n').split('.'))


def test_scram():
    tls_config = 'security.protocol=SASL_SSL\nssl.ca.location=%s\n' % tls('ca.pem')
    for name in ('SCRAM-SHA-256', 'SCRAM-SHA-512'):
        for add, config in ((2, 'security.protocol=SASL_PLAINTEXT\n'), (3, tls_config)):
            config += SASL.replace('PLAIN', name)
            if library() < (2, 6, 1):
                refused(add, config % SECRET, 'librdkafka 2.6.1 can, or use PLAIN over TLS')
                continue
            topic = '%s-%d' % (name, add)
            done = good('-e', "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s', "
                        "PARTITIONS=1, FORMAT='KAFKA'); INSERT INTO s VALUES ('a', 'b'); "
                        "SHOW PROPERTIES;" % topic, config=service(config % SECRET),
                        bootstrap=secure_port(add))
            assert SECRET not in done.out + done.err
            same([value for _, value, _, _ in read_all(topic, 1)], [b'b'])
            refused(add, config % 'weir-wrong', 'Authentication failed')
            refused(add, (config % SECRET).replace('=weir\n', '=nobody\n'), 'Authentication failed')


def test_secret_from_the_environment():
    os.environ['WEIR_KAFKA_SASL_PASSWORD'] = SECRET
    try:
        config = service('security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=weir\n')
        has(good('-e', 'SHOW ALL TOPICS;', config=config, bootstrap=secure_port(2)).out, 'commands')
    finally:
        del os.environ['WEIR_KAFKA_SASL_PASSWORD']


if __name__ == '__main__':
    sys.exit(run_tests(globals(), 'secure', 'log.cleaner.backoff.ms=300',
                       'log.retention.check.interval.ms=500'))
