#!/usr/bin/env python3
"""shell.py WEIR - the shell and the server as people use them over a real Kafka: the same answers as
over the own log, what is said while a broker is down, who is fenced.

As world.py says.
"""
import re

from world import *

try:
    import pexpect
except ImportError:
    pexpect = None


class Terminal:
    """The shell at a terminal."""

    def __init__(self, *args, **more):
        if pexpect is None:
            raise Skip('no pexpect')
        env = {'HOME': World.dir, 'TERM': 'xterm', 'PATH': os.environ['PATH'], 'LANG': 'C'}
        at = 'kafka://' + World.bootstrap
        self.child = pexpect.spawn(World.weir, [at, '--config', more.get('config') or service(),
                                                *args], env=env, encoding='utf-8', timeout=30,
                                   dimensions=(40, 160))
        self.child.delaybeforesend = 0.01
        self.wait('weir> ')

    def wait(self, text, seconds=30):
        self.child.expect_exact(text, timeout=seconds)
        return re.sub(r'\x1b\[[?0-9;]*[A-Za-z]', '', self.child.before).replace('\r\n', '\n')

    def run(self, line, text='\x1b[?2004h'):
        self.child.sendline(line)
        return self.wait(text)

    def end(self, seconds=10):
        """What it says until it ends by itself; its exit status."""
        self.child.expect(pexpect.EOF, timeout=seconds)
        said = self.child.before
        self.child.close()
        return said, self.child.exitstatus

    def leave(self):
        self.child.sendeof()
        return self.end(30)[1]


def name(word='s'):
    World.number += 1
    return '%s%d' % (word, World.number)


def stream(topic, **more):
    properties = ''.join(", %s='%s'" % pair for pair in more.items())
    return ("CREATE STREAM %s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='%s', PARTITIONS=1, "
            "FORMAT='JSON'%s);" % (topic, topic, properties))


# -- While no broker answers ----------------------------------------------------------------------

def test_no_broker_at_start():
    begin = time.time()
    done = weir('-e', 'SHOW TOPICS;', bootstrap='127.0.0.1:1')
    same(done.code, 3)
    has(done.err, 'waiting for the cluster: broker_down since ')
    has(done.err, 'weir: Kafka at 127.0.0.1:1: ')
    has(done.err, 'Connection refused')
    assert time.time() - begin < 12, 'it took %.1f s' % (time.time() - begin)
    begin = time.time()
    same(weir('--timeout', '1', '-e', 'SHOW TOPICS;', bootstrap='127.0.0.1:1').code, 4)
    process = start('server', '--data', World.dir + '/none', bootstrap='127.0.0.1:1')
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    done = Done(process)
    has(done.err, 'waiting for the cluster: ')
    same(done.code, 128 + signal.SIGTERM)
    assert time.time() - begin < 10, 'it took %.1f s' % (time.time() - begin)


def test_statements_while_the_broker_is_down():
    config, s = service(), name()
    shell = Terminal(config=config)
    has(shell.run(stream(s)), 'Stream created')
    shell.run("INSERT INTO %s VALUES ('a', 1); CREATE TABLE t AS SELECT k, SUM(v) AS n FROM %s "
              "GROUP BY k;" % (s, s))
    has(shell.run('SELECT * FROM t;'), '| a | 1 |')
    broker('kill')
    try:
        begin = time.time()
        has(shell.run("SELECT * FROM t WHERE k = 'a';"), '| a | 1 |')
        assert time.time() - begin < 5, 'a lookup took %.1f s' % (time.time() - begin)
        for sql in ('DROP TABLE t;', "INSERT INTO %s VALUES ('a', 1);" % s,
                    'TERMINATE ALL;', stream(name())):
            begin = time.time()
            shell.run(sql, 'waiting for the cluster: broker_down since ')
            shell.child.sendintr()
            said = shell.wait('\x1b[?2004h')
            assert 'error (cancelled): ' in said or 'error (broker_down): ' in said, said
            assert time.time() - begin < 8, '%s took %.1f s' % (sql, time.time() - begin)
        has(shell.run('SHOW QUERIES;'), 'broker_down')
    finally:
        broker('start')
    has(shell.run(stream(name())), 'Stream created')
    for _ in range(40):
        if 'RUNNING' in shell.run('SHOW QUERIES;'):
            break
        time.sleep(0.5)
    has(shell.run("INSERT INTO %s VALUES ('b', 5); SELECT * FROM t WHERE k = 'b';" % s),
        '| b | 5 |')
    same(shell.leave(), 0)


# -- Who is fenced --------------------------------------------------------------------------------

def test_an_idle_shell_says_that_it_is_fenced():
    config = service()
    shell = Terminal(config=config)
    live = Live(config=config)
    said, status = shell.end()
    has(said, 'weir: fenced: a newer process of the service ')
    same(status, 5)
    watching = Terminal(config=config)
    same(live.process.wait(10), 5)  # it waited for standard input
    has(live.process.stdout.read(), 'error (fenced): a newer process ')
    watching.run(stream('pushed'))
    watching.child.sendline('SELECT * FROM pushed EMIT CHANGES;')
    time.sleep(1)
    good('-e', 'SHOW STREAMS;', config=config)
    said, status = watching.end()
    has(said, 'error (fenced): a newer process ')
    same(said.count('a newer process'), 1)
    same(status, 5)


# -- The server -----------------------------------------------------------------------------------

def script(*statements):
    World.number += 1
    path = '%s/%d.sql' % (World.dir, World.number)
    with open(path, 'w') as file:
        file.write('\n'.join(statements) + '\n')
    return path


def serve(path, config, *args, how=signal.SIGTERM):
    """A server that is ended when it is ready; what it said."""
    process = start('server', '--data', config + '.data', '-f', path, *args, config=config)
    line = process.stdout.readline()
    if line:
        same(line, b'ready\n')
        process.send_signal(how)
    return Done(process)


def test_server_files():
    s, config = name(), service()
    path = script('-- what is to be there', stream(s), 'CREATE STREAM o1 AS SELECT k,',
                  '  nope FROM %s;' % s, 'CREATE STREAM o2 AS SELECT * FROM %s;' % s)
    done = serve(path, config)
    same(done.code, 1)
    has(done.err, 'Stream created')
    has(done.err, 'line 4:3: SELECT column')
    same([row['Name'] for row in rows('SHOW STREAMS;', config=config)], [s.upper()])
    good_path = script(*open(path).read().replace('nope', 'v').split('\n'))
    done = serve(good_path, config, how=signal.SIGINT)
    same(done.code, 0)
    has(done.err, 'CSAS_O2')
    same(serve(good_path, config, how=signal.SIGHUP).err, '')
    more = script(open(good_path).read(), '/* new */ CREATE STREAM o3 AS SELECT * FROM o2;')
    done = serve(more, config)
    has(done.err, 'CSAS_O3')
    assert 'CSAS_O2' not in done.err, done.err
    changed = script(open(more).read().replace('k,\n', 'k, \n 1 + '))
    done = serve(changed, config)
    same(done.code, 1)
    has(done.err, "line 3:15: Cannot add stream 'O1'")
    same(serve(World.dir + '/none.sql', config).code, 2)


def test_server_configuration():
    config = service('ksql.streams.auto.offset.resett=latest\n')
    done = serve(script("DEFINE a = 'b';"), config)
    same(done.code, 3)
    has(done.err, '.properties:2: ')
    config = service('sasl.usernam=weir\n')
    has(serve(script("DEFINE a = 'b';"), config).err, 'sasl.username')
    config = service()
    with open(config) as file:
        text = file.read()
    with open(config, 'wb') as file:
        file.write(text.replace('\n', '\r\n').encode() + b'security.protocol=PLAINTEXT\r\n')
    same(serve(script("DEFINE a = 'b';"), config).code, 0)
    process = start('server', '--data', config + '.data', config=config)
    ready(process)
    second = weir('server', '--data', config + '.data', config=config)
    same(second.code, 3)
    has(second.err, 'is locked by process %d' % process.pid)
    process.send_signal(signal.SIGTERM)
    same(Done(process).code, 0)


def test_server_logs_an_outage_in_a_few_lines():
    s, config = name(), service()
    path = script(stream(s), 'CREATE STREAM o AS SELECT * FROM %s;' % s)
    process = start('server', '--data', config + '.data', '-f', path, config=config)
    ready(process)
    broker('kill')
    try:
        time.sleep(9)
    finally:
        broker('start')
    said, end = [], time.time() + 30
    while time.time() < end and not (said and b'Z the cluster: answers' in said[-1]):
        said.append(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    same(Done(process).code, 0)
    text = b''.join(said).decode()
    has(text, 'Z the cluster: broker_down: since ')
    has(text, 'Z the cluster: answers\n')
    assert len(said) < 12, text


def test_server_ends_in_the_middle_of_work():
    s, config = name(), service()
    make(s, partitions=4)
    write, count = producer(linger_ms=50), 200000
    for i in range(count):
        while True:
            try:
                write.produce(s, b'{"v":1}', key=b'"%d"' % (i % 100))
                break
            except BufferError:
                write.poll(0.1)
    write.flush()
    path = script(stream(s).replace('PARTITIONS=1', 'PARTITIONS=4'),
                  'CREATE STREAM o AS SELECT * FROM %s;' % s, 'CREATE TABLE t AS SELECT 1 AS one, '
                  'COUNT(*) AS n FROM o GROUP BY 1;')
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        process = start('server', '--data', config + '.data', '-f', path, config=config)
        ready(process)
        time.sleep(0.3)
        process.send_signal(how)
        begin = time.time()
        same(Done(process).code, 0)
        assert time.time() - begin < 8, 'it took %.1f s' % (time.time() - begin)
    same(rows("SET 'weir.lookup.wait.ms'='60000'; SELECT n FROM t;", config=config),
         [{'N': count}])


# -- The same as over the own log -----------------------------------------------------------------

def answers(place, config):
    """All that it says of alike.sql, without times; sorted, since partitions have no order."""
    done = subprocess.run([World.weir, *place, '--config', config, '--format', 'ndjson', '--timeout',
                           '100', '--on-error', 'continue', '-f', os.path.join(HERE, 'alike.sql')],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=110)
    same(done.returncode, 1)
    said = re.sub(r'"ROWTIME":\d+', '', done.stdout).split('\n')
    return sorted(line for line in said if not line.startswith('waiting for the cluster: '))


def test_the_same_as_over_the_own_log():
    config = service()
    theirs = answers(['kafka://' + World.bootstrap, World.dir + '/alike'], config)
    with open(World.dir + '/empty', 'w'):
        pass
    ours = answers([World.dir + '/own'], World.dir + '/empty')
    assert len(ours) > 100, ours
    same([line for line in theirs if line not in ours], [])
    same([line for line in ours if line not in theirs], [])


def test_internal_topics_are_only_read():
    config, s = service(), name()
    with open(config) as file:
        id = file.read().split('=')[1].strip()
    rows(stream(s).replace('PARTITIONS=1', 'PARTITIONS=2') +
         'CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM %s GROUP BY v;' % s, config=config)
    inside = '_confluent-ksql-%squery_CTAS_T_0-Aggregate-GroupBy-repartition' % id
    done = weir('--on-error', 'continue', '-e', "CREATE STREAM i (b BYTES) WITH (KAFKA_TOPIC='%s', "
                "VALUE_FORMAT='KAFKA'); INSERT INTO i VALUES ('AAAA'); DROP STREAM i DELETE TOPIC; "
                "DROP TOPIC '%s'; CREATE STREAM c (b BYTES) WITH (KAFKA_TOPIC='_%s-commands', "
                "VALUE_FORMAT='KAFKA'); DROP TOPIC '_%s-members';" % (inside, inside, id, id),
                config=config)
    for part in ('Stream created', 'Cannot insert values into read-only topic: ' + inside,
                 'Cannot delete read-only topic: ' + inside, "is a query's own topic and cannot",
                 "_%s-commands is the service's own topic" % id,
                 "_%s-members is the service's own topic and cannot be dropped" % id):
        has(done.err, part)


def test_topics_are_kept_like_their_source():
    s, config = name(), service()
    sql = (stream(s).replace('PARTITIONS', 'RETENTION_MS=-1, PARTITIONS') +
           "CREATE STREAM $_o AS SELECT * FROM $; CREATE TABLE $_t AS SELECT k, COUNT(*) AS n "
           "FROM $ GROUP BY k; CREATE TABLE $_w AS SELECT k, COUNT(*) AS n FROM $ WINDOW "
           "TUMBLING (SIZE 10 DAYS) GROUP BY k; CREATE STREAM $_p WITH (RETENTION_MS=1000000) "
           "AS SELECT * FROM $_o; CREATE STREAM $_q AS SELECT * FROM $_p; CREATE TABLE $_v AS "
           "SELECT k, COUNT(*) AS n FROM $_p WINDOW TUMBLING (SIZE 10 DAYS) GROUP BY k; "
           "SHOW TOPICS EXTENDED;")
    kept = {row['Topic'].lower(): (row['Retention ms'], row['Cleanup Policy'])
            for row in rows(sql.replace('$', s), config=config)}
    same(kept[s + '_o'], (None, 'delete'))
    same(kept[s + '_t'][1], 'compact')
    same(kept[s + '_w'], (None, 'compact,delete'))
    same(kept[s + '_p'], (1000000, 'delete'))
    same(kept[s + '_q'], (1000000, 'delete'))
    same(kept[s + '_v'], (864000000, 'compact,delete'))
    for more in ('RETENTION_MS=5', 'REPLICAS=2'):
        done = weir('-e', stream(s).replace('STREAM s', 'STREAM x').replace(
            'PARTITIONS', more + ', PARTITIONS'), config=config)
        has(done.err, 'already exists, with different ')


if __name__ == '__main__':
    sys.exit(run_tests(globals()))
