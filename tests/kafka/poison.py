#!/usr/bin/env python3
"""poison.py WEIR - records that end the process, over a real Kafka: the query alone is quarantined,
ALTER QUERY ... SKIP leaves the record out, and what it has written stays exactly once.

The poison is the one of tests/cli/poison.py: tests/cli/deadly.c.
See world.py for how it runs.
"""
from world import *

ROOT = os.path.dirname(os.path.dirname(HERE))
with open(os.path.join(ROOT, 'tests/cli/deadly.c')) as file:
    CODE = file.read()
MAKE = ("CREATE FUNCTION deadly(x INT) RETURNS INT LANGUAGE C AS 'deadly.so', 'deadly_int';"
        "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='%s', PARTITIONS=1, "
        "VALUE_FORMAT='JSON');"
        "CREATE STREAM other AS SELECT k, v + 1 AS v FROM s;"
        "CREATE TABLE bad WITH (KAFKA_TOPIC='%s-bad') AS SELECT k, COUNT(*) AS n, SUM(deadly(v)) AS "
        "total FROM s GROUP BY k;")
QUERY = 'CTAS_BAD_1'


class Poisoned:
    """A service whose query has died twice at offset 3, and stands still."""

    def __init__(self, topic):
        need('cc')
        self.topic, self.config = topic, service('weir.transaction.timeout.ms=4000\n')
        self.data = tempfile.mkdtemp(dir=World.dir)
        self.udf = tempfile.mkdtemp(dir=World.dir)
        with open(self.udf + '/deadly.c', 'w') as file:
            file.write(CODE)
        subprocess.check_call(['cc', '-w', '-shared', '-fPIC', '-I', ROOT, '-o',
                               self.udf + '/deadly.so', self.udf + '/deadly.c'])
        self.sql(MAKE % (topic, topic))
        one = producer()
        for n in (1, 2, 3, 13, 4):
            one.produce(topic, key='k%d' % (n % 2), value='{"V":%d}' % n)
        one.flush()
        for _ in range(2):
            server = self.start('server', '--data', self.data)
            server.wait(50)
            server.communicate()
            same(server.returncode, -signal.SIGKILL)
        row = self.query()
        same(row['Status'], 'ERROR')
        has(row['Warnings'], 'the process ended twice while this query ran the record at offset 3 of '
            'topic %s, partition 0' % topic)

    def start(self, *args):
        return start(*args, '--udf-dir', self.udf, config=self.config)

    def sql(self, text, code=0):
        done = Done(self.start(self.data, '--format', 'ndjson', '-e', text))
        same((done.code, done.err if done.code != code else ''), (code, ''))
        return done

    def query(self):
        return {row['Query ID']: row for row in self.sql('SHOW QUERIES;').rows()}[QUERY]

    def totals(self, wanted):
        end = time.time() + 30
        while True:
            rows = sorted((row['K'], row['N'], row['TOTAL']) for row in
                          self.sql('SELECT k, n, total FROM bad;').rows())
            if rows == wanted or time.time() > end:
                same(rows, wanted)
                return



def test_skip_leaves_the_record_out():
    world = Poisoned('deadly')
    has(world.sql('ALTER QUERY %s SKIP 1;' % QUERY).err, 'goes on behind 1 record of topic deadly, '
        'partition 0, from offset 4')
    world.totals([('k0', 2, 6), ('k1', 2, 4)])
    same(world.query()['Status'], 'RUNNING')
    # With another folder it stays skipped: the position is in the cluster.
    shutil.rmtree(world.data)
    world.totals([('k0', 2, 6), ('k1', 2, 4)])
    one = producer()
    one.produce('deadly', key='k0', value='{"V":6}')
    one.flush()
    world.totals([('k0', 3, 12), ('k1', 2, 4)])
    counts = {}
    for key, value, _, _ in read_all('deadly-bad', 4): # of one commit the last of each key
        counts.setdefault(key, []).append(json.loads(value)['N'])
    same({key: (found == sorted(set(found)), found[-1]) for key, found in counts.items()},
         {b'k0': (True, 3), b'k1': (True, 2)})


def test_others_go_on():
    world = Poisoned('quarantined')
    one = producer()
    one.produce('quarantined', key='k0', value='{"V":6}')
    one.flush()
    end = time.time() + 30
    while len(world.sql('SELECT * FROM other;').rows()) < 6:
        assert time.time() < end
    same(world.query()['Status'], 'ERROR')


if __name__ == '__main__':
    sys.exit(run_tests(globals()))
