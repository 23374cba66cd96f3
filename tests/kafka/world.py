#!/usr/bin/env python3
"""world.py - what tests over a real Kafka share: the broker, services, processes of Weir, records by
confluent_kafka, and a runner of the test_ functions of a file.

    from world import *
    if __name__ == '__main__':
        sys.exit(run_tests(globals(), 'KEY=VALUE of the broker', ...))

The first argument of the program is WEIR (World.weir); -k WORD runs the tests whose names have the
word, -b DIR over a broker that runs there. Prints what failed, then "N passed, N failed, N skipped"; "skipped: why" where there can be no
broker. Only the interpreter of the system may have confluent_kafka: then it takes over.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

try:
    import confluent_kafka
except ImportError:
    if os.path.exists('/usr/bin/python3') and sys.executable != '/usr/bin/python3':
        os.execv('/usr/bin/python3', ['/usr/bin/python3'] + sys.argv)
    confluent_kafka = None

HERE = os.path.dirname(os.path.abspath(__file__))
BROKER = os.path.join(HERE, 'broker')
SECRET = 'weir-secret'
SASL = 'sasl.mechanism=PLAIN\nsasl.username=weir\nsasl.password=%s\n'
TEXT = "WITH (KAFKA_TOPIC='%s', FORMAT='KAFKA')"


class Skip(Exception):
    pass


class World:
    """The broker, a folder, and a service's name for each test."""
    weir = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build/release/weir')
    dir = tempfile.mkdtemp(prefix='weir-kafka-')
    broker = sys.argv[sys.argv.index('-b') + 1] if '-b' in sys.argv else dir + '/broker'
    bootstrap = None
    number = 0


def need(what):
    if not shutil.which(what):
        raise Skip('no ' + what)


def same(got, wanted):
    if got != wanted:
        raise AssertionError('got    %r\nwanted %r' % (got, wanted))


def has(text, part):
    if part not in text:
        raise AssertionError('no %r in %r' % (part, text))


def broker(command, *args, node=''):
    """`node`: one of several brokers, 1 to N."""
    done = subprocess.run(['bash', BROKER, command, '%s/%s' % (World.broker, node), *args],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    if done.returncode == 77:
        raise Skip(done.stdout.strip().split('\n')[-1].replace('skipped: ', ''))
    if done.returncode != 0:
        raise AssertionError('broker %s: %s' % (command, done.stdout))
    return done.stdout


def tool(name, *args, data=None):
    done = subprocess.run(['bash', BROKER, 'tool', World.broker, name, *args], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise AssertionError('%s: %s' % (name, done.stderr.decode()))
    return done.stdout


def make(topic, partitions=1, **configs):
    args = ['--create', '--topic', topic, '--partitions', str(partitions)]
    for name, value in configs.items():
        args += ['--config', '%s=%s' % (name.replace('_', '.'), value)]
    tool('topics', *args)


def secure_port(add):
    return 'localhost:%d' % (int(World.bootstrap.split(':')[1]) + add)


def service(config=''):
    """A configuration file with a service of its own."""
    World.number += 1
    path = '%s/%d.properties' % (World.dir, World.number)
    with open(path, 'w') as file:
        file.write('ksql.service.id=test%d_\n%s' % (World.number, config))
    return path


class Done:
    def __init__(self, process):
        self.out, self.err = (text.decode() for text in process.communicate(timeout=60))
        self.code = process.returncode

    def rows(self):
        return [json.loads(line) for line in self.out.split('\n') if line]


def start(*args, config=None, bootstrap=None):
    at = 'kafka://' + (bootstrap or World.bootstrap)
    first = ['server', '--kafka', at[8:]] if args[:1] == ('server',) else [at]
    rest = args[1:] if args[:1] == ('server',) else args
    return subprocess.Popen([World.weir, *first, '--config', config or service(), '--timeout', '50', *rest],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def weir(*args, **more):
    return Done(start(*args, **more))


def good(*args, **more):
    done = weir(*args, **more)
    if done.code != 0:
        raise AssertionError('exit %d: %s' % (done.code, done.err))
    return done


def rows(sql, **more):
    return good('--format', 'ndjson', '-e', sql, **more).rows()


def stream_rows(topic, count, columns='k STRING KEY, v STRING', select='*', **more):
    """The first `count` records, by a push query."""
    return rows("CREATE STREAM s (%s) %s; SELECT %s FROM s EMIT CHANGES LIMIT %d;"
                % (columns, TEXT % topic, select, count), **more)


def producer(**more):
    if not confluent_kafka:
        raise Skip('no confluent_kafka')
    config = {'bootstrap.servers': World.bootstrap}
    config.update({name.replace('_', '.'): value for name, value in more.items()})
    return confluent_kafka.Producer(config)


def read_all(topic, count, seconds=60, behind=0):
    """Records as confluent_kafka reads them: (key, value, headers, timestamp). `behind`: how long it
    looks for more of them."""
    if not confluent_kafka:
        raise Skip('no confluent_kafka')
    consumer = confluent_kafka.Consumer({
        'bootstrap.servers': World.bootstrap, 'group.id': 'test', 'isolation.level':
        'read_committed', 'enable.auto.commit': False, 'auto.offset.reset': 'earliest'})
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    found, end = [], time.time() + seconds
    while time.time() < end:
        if len(found) >= count and not behind:
            break
        if len(found) >= count:
            end, count = min(end, time.time() + behind), sys.maxsize
        message = consumer.poll(0.2)
        if message and not message.error():
            found.append((message.key(), message.value(), message.headers(),
                          message.timestamp()[1]))
    consumer.close()
    return found


def ready(process):
    same(process.stdout.readline(), b'ready\n')


def until_has(ask, part, seconds=40):
    """What ask() says as soon as it has the part."""
    end = time.time() + seconds
    while True:
        text = ask()
        if part in text:
            return text
        if time.time() > end:
            raise AssertionError('no %r in %r' % (part, text))
        time.sleep(0.2)


class Live:
    """A process that is asked while it runs, by its standard input."""

    def __init__(self, *args, **more):
        at = 'kafka://' + (more.get('bootstrap') or World.bootstrap)
        self.process = subprocess.Popen(
            [World.weir, at, '--config', more.get('config') or service(), '--format', 'ndjson',
             '--timeout', '400', '--on-error', 'continue', *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def ask(self, sql):
        """What it says, up to a row that is asked for behind it."""
        World.number += 1
        mark = 'mark%d' % World.number
        self.process.stdin.write("%s\nDEFINE m='%s'; SHOW VARIABLES;\n" % (sql, mark))
        self.process.stdin.flush()
        out = ''
        for line in self.process.stdout:
            if mark in line:
                return out
            out += line
        raise AssertionError('it has ended: ' + out)

    def wait(self, sql, part, seconds=40):
        return until_has(lambda: self.ask(sql), part, seconds)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


def begin(*settings):
    if '-b' in sys.argv:
        with open(World.broker + '/port') as file:
            World.bootstrap = '127.0.0.1:' + file.read().strip()
    else:
        World.bootstrap = broker('start', *settings).strip().split('\n')[-1]


def wipe():
    if '-b' not in sys.argv:
        subprocess.run(['bash', BROKER, 'wipe', World.broker])
    shutil.rmtree(World.dir, ignore_errors=True)


def run_tests(names, *settings, prepare=None):
    """All functions test_... of `names` over one cluster that is started with the settings."""
    word = sys.argv[sys.argv.index('-k') + 1] if '-k' in sys.argv else ''
    tests = [(name, test) for name, test in names.items()
             if name.startswith('test_') and word in name]
    passed = failed = skipped = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the broker is ended too
    try:
        begin(*settings)
        if prepare:
            prepare()
        for name, test in tests:
            try:
                test()
                passed += 1
            except Skip as why:
                skipped += 1
                print('skipped: %s: %s' % (name, why))
            except Exception:
                failed += 1
                print('FAILED: ' + name)
                traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
    except Skip as why:
        print('skipped: %s' % why)
        skipped = len(tests)
    finally:
        wipe()
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    return failed != 0
