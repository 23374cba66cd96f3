#!/usr/bin/env python3
"""poison.py WEIR - records that end the process: quarantine, RESUME, ALTER QUERY ... SKIP.

The poison is a user's function in C that kills its own process at 13. As run.py, whose tools it
uses.
"""
import os
import shutil
import signal
import subprocess
import sys

import run
from run import Skip, has, same, start, weir, write

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(ROOT, 'tests/cli/deadly.c')) as file:
    CODE = file.read()
HARMLESS = CODE.replace('== 13', '== -13')
MAKE = ("CREATE FUNCTION deadly(x INT) RETURNS INT LANGUAGE C AS 'deadly.so', 'deadly_int';"
        "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, "
        "VALUE_FORMAT='JSON');"
        "CREATE STREAM other AS SELECT k, v + 1 AS v FROM s;"
        "CREATE TABLE bad AS SELECT k, COUNT(*) AS n, SUM(deadly(v)) AS total FROM s GROUP BY k;"
        "CREATE STREAM more AS SELECT k, v + 2 AS v FROM s;")
QUERY = 'CTAS_BAD_1'
RESUME = 'RESUME CSAS_OTHER_0; RESUME CSAS_MORE_2; RESUME CTAS_BAD_1;'


def compile_function(code):
    if not shutil.which('cc'):
        raise Skip
    os.makedirs('udf', mode=0o755, exist_ok=True)
    write('deadly.c', code)
    subprocess.check_call(['cc', '-w', '-shared', '-fPIC', '-I', ROOT, '-o', 'udf/new.so', 'deadly.c'])
    os.chmod('udf/new.so', 0o755)
    os.replace('udf/new.so', 'udf/deadly.so')


def values(numbers):
    return ''.join("INSERT INTO s VALUES ('k%d', %d);" % (n % 2, n) for n in numbers)


def sql(text, code=0):
    done = weir('--udf-dir', 'udf', 'd', '--format', 'ndjson', '-e', text)
    assert done.code == code, done
    return done


def dies(text):
    return sql(text, -signal.SIGKILL)


def queries():
    return {row['Query ID']: row for row in sql('SHOW QUERIES;').rows()}


def stopped():
    found = queries()[QUERY]
    same(found['Status'], 'ERROR')
    return found['Warnings']


def poisoned():
    """A folder whose query has died twice at offset 3, then two records more."""
    compile_function(CODE)
    sql(MAKE + 'PAUSE ALL;' + values([1, 2, 3, 13, 4]))
    dies(RESUME + 'SELECT * FROM bad;')
    dies('SELECT * FROM bad;')


def totals():
    rows = sql('SELECT k, n, total FROM bad;').rows()
    return sorted((row['K'], row['N'], row['TOTAL']) for row in rows)


def test_the_query_alone_is_quarantined():
    poisoned()
    warnings = stopped()
    has(warnings, 'the process ended twice while this query ran the record at offset 3 of topic s, '
        'partition 0')
    has(warnings, 'ALTER QUERY CTAS_BAD_1 SKIP 1;')
    same({name: row['Status'] for name, row in queries().items() if name != QUERY},
         {'CSAS_OTHER_0': 'RUNNING', 'CSAS_MORE_2': 'RUNNING'})
    same(len(sql(values([5]) + 'SELECT * FROM more;').rows()), 6)  # the others go on
    stopped()                                                     # and it stays where it is


def test_skip_leaves_the_record_out():
    poisoned()
    has(sql('ALTER QUERY ctas_bad_1 SKIP 1;').err, 'goes on behind 1 record of topic s, partition '
        '0, from offset 4')
    same(totals(), [('k0', 2, 6), ('k1', 2, 4)])
    same(queries()[QUERY]['Status'], 'RUNNING')
    sql(values([6]))
    same(totals(), [('k0', 3, 12), ('k1', 2, 4)])


def test_resume_tries_again():
    poisoned()
    dies('RESUME %s; SELECT * FROM bad;' % QUERY)  # it is still deadly: two more ends
    dies('SHOW QUERIES;')
    stopped()
    compile_function(HARMLESS)
    sql('RESUME %s;' % QUERY)
    same(totals(), [('k0', 2, 6), ('k1', 3, 17)])


def test_one_record_among_many():
    compile_function(CODE)
    sql(MAKE)
    numbers = [n if n != 13 else 0 for n in range(3000)]
    numbers[2345] = 13
    write('rows.ndjson', ''.join('{"k":"k","v":%d}\n' % n for n in numbers))
    sql('PAUSE ALL; COPY s FROM \'rows.ndjson\';')
    dies(RESUME + 'SELECT * FROM bad;')
    dies('SHOW QUERIES;')
    has(stopped(), 'ran the record at offset 2345 of topic s')
    sql('ALTER QUERY %s SKIP 1;' % QUERY)
    same(totals(), [('k', 2999, sum(numbers) - 13)])


def test_two_poisons_and_skip_of_several():
    compile_function(CODE)
    sql(MAKE + values([1]) + 'PAUSE ALL;' + values([13, 13, 13, 2]))
    dies(RESUME + 'SELECT * FROM bad;')
    dies('SHOW QUERIES;')
    sql('ALTER QUERY %s SKIP 3;' % QUERY)
    same(totals(), [('k0', 1, 2), ('k1', 1, 1)])


def test_skip_is_refused_where_nothing_stopped():
    compile_function(CODE)
    sql(MAKE)
    has(sql('ALTER QUERY %s SKIP 1;' % QUERY, 1).err, 'has not stopped at a record')
    has(sql('ALTER QUERY nobody SKIP 1;', 1).err, 'Unknown queryId: NOBODY')
    has(sql('ALTER QUERY %s SKIP;' % QUERY, 1).err, 'SKIP')


def test_kills_from_outside_stop_nothing():
    compile_function(CODE)
    sql(MAKE + values(range(12)))
    for turn in range(8):
        process = start('--udf-dir', 'udf', 'd')
        process.stdin.write((values([100 + turn] * 50) + 'SELECT 1;').encode())
        process.stdin.flush()
        process.stdout.readline()
        process.kill()
        process.communicate()
    same({row['Status'] for row in queries().values()}, {'RUNNING'})


def test_a_damaged_note_harms_nothing():
    poisoned()
    for junk in (b'', b'x' * 4096, os.urandom(4096), b'weir-note 1\n' + bytes(52) + os.urandom(4032)):
        write('d/running', junk)
        dies('SELECT * FROM bad;')
        dies('SHOW QUERIES;')
        stopped()
    write('d/running', b'')  # a lost quarantine is found again
    compile_function(HARMLESS)
    same(len(totals()), 2)


if __name__ == '__main__':
    sys.exit(run.main(globals()))
