#!/usr/bin/env python3
"""observe.py WEIR - seeing what a query does: EXPLAIN ANALYZE, SHOW QUERIES, DESCRIBE EXTENDED,
warnings, progress, and the live views of a terminal.

As run.py, whose tools it uses.
"""
import os
import re
import sys
import time

import run
from run import SLOW, STREAM, finish, good, has, same, start, weir, write
from shell import Shell

USERS = ("CREATE TABLE users (id STRING PRIMARY KEY, name STRING) "
         "WITH (KAFKA_TOPIC='users', PARTITIONS=1, VALUE_FORMAT='JSON');")
A = "INSERT INTO users (id, name) VALUES ('a', 'A');"
ROWS = ("INSERT INTO s (ROWTIME, k, v) VALUES (100000, 'a', 1);"
        "INSERT INTO s (ROWTIME, k, v) VALUES (100000, 'a', 2);"
        "INSERT INTO s (ROWTIME, k, v) VALUES (1, 'b', 3);")
JOIN = 'SELECT s.k, v, name FROM s %s JOIN users ON s.k = users.id WHERE v > 1'
BAD = ("CREATE STREAM raw (k STRING KEY, t STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='KAFKA');"
       "INSERT INTO raw (k, t) VALUES ('c', '{broken');")


def analyze(*statements):
    """Steps by the first words of their lines."""
    args = [word for sql in statements for word in ('-e', sql)]
    rows = good('--format', 'ndjson', *args).rows()
    steps = {}
    for row in rows:
        if 'Step' in row:
            steps[re.match(r'[ <-]*(\w+)', row['Step']).group(1) + (
                '2' if 'table users' in row['Step'] else '')] = row
    return steps


# == EXPLAIN ANALYZE ===============================================================================

def test_analyze_a_running_query():
    steps = analyze(STREAM, USERS, A, BAD, ROWS, 'CREATE STREAM o AS ' + JOIN % 'LEFT',
                    'CREATE TABLE seen AS SELECT k, COUNT(*) AS n FROM o GROUP BY k;',
                    "SELECT * FROM seen WHERE k = 'a';", 'EXPLAIN ANALYZE CSAS_O_0;')
    same([(steps[name]['In'], steps[name]['Out']) for name in
          ('CSAS_O_0', 'Sink', 'Filter', 'JoinTable')], [(5, 2), (2, 2), (3, 2), (4, 3)])
    same(steps['Filter']['Notes'], '1 row filtered')
    same(steps['JoinTable']['Notes'], '1 row without a match in USERS (NULLs)')
    has(steps['JoinTable']['State'], '1 row, ')
    same(steps['Source']['Notes'], 'lag 0, 1 record of S could not be read')
    assert steps['CSAS_O_0']['%'] == 100 and steps['CSAS_O_0']['ms'] > 0
    assert 95 <= sum(row['%'] for row in steps.values()) - 100 <= 105


def test_analyze_late_rows():
    steps = analyze(STREAM, ROWS, 'EXPLAIN ANALYZE SELECT k, COUNT(*) FROM s WINDOW TUMBLING '
                    '(SIZE 10 SECONDS, GRACE PERIOD 2 SECONDS) GROUP BY k EMIT CHANGES;')
    same(steps['Aggregate']['Notes'], '1 row late (grace 2 s)')
    same((steps['Aggregate']['In'], steps['Aggregate']['Out']), (3, 2))


def test_analyze_a_join_of_streams():
    other = STREAM.replace('STREAM s', 'STREAM o').replace("'s'", "'o'")
    rows = ("INSERT INTO o (ROWTIME, k, v) VALUES (1000, 'b', 1);"
            "INSERT INTO o (ROWTIME, k, v) VALUES (200000, 'c', 1);")
    join = ('EXPLAIN ANALYZE SELECT s.k FROM s %s JOIN o WITHIN 5 SECONDS GRACE PERIOD 1 SECOND '
            'ON s.k = o.k EMIT CHANGES;')
    steps = analyze(STREAM, other, ROWS, rows, join % 'LEFT')
    step = next(row for row in steps.values() if 'LEFT' in row['Step'])
    same((step['In'], step['Notes']), (5, '1 row late, 2 rows without a match in O (NULLs)'))
    step = next(row for row in analyze(STREAM, other, ROWS, rows, join % 'INNER').values()
                if 'INNER' in row['Step'])
    same((step['In'], step['Out'], step['Notes']), (5, 1, '1 row late, 2 rows without a match in O '
                                                '(left out)'))


def test_analyze_statements():
    steps = analyze(STREAM, ROWS, 'EXPLAIN ANALYZE SELECT k FROM s WHERE v > 2 EMIT CHANGES;')
    has(steps['SELECT']['Notes'], 'done in ')
    same((steps['SELECT']['In'], steps['SELECT']['Out']), (3, 1))
    steps = analyze(STREAM, ROWS, 'EXPLAIN ANALYZE SELECT k FROM s EMIT CHANGES LIMIT 2;')
    same(steps['SELECT']['Out'], 2)
    steps = analyze(STREAM, 'EXPLAIN ANALYZE SELECT k FROM s EMIT CHANGES;')
    same((steps['SELECT']['In'], steps['SELECT']['Rows/s']), (0, 0))
    table = 'CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;'
    steps = analyze(STREAM, ROWS, table, 'EXPLAIN ANALYZE SELECT * FROM n WHERE n > 1;')
    same((steps['Store']['Out'], steps['Filter']['Notes'], steps['SELECT']['Out']),
         (2, '1 row filtered', 1))
    same(analyze('EXPLAIN ANALYZE SELECT 1 + 1 AS two;')['SELECT']['Out'], 1)


def test_analyze_is_refused():
    done = weir('-e', STREAM, '-e', 'EXPLAIN ANALYZE CREATE STREAM x AS SELECT * FROM s;')
    same(done.code, 1)
    has(done.err, 'it takes a SELECT only')
    has(weir('-e', 'EXPLAIN ANALYZE nope_1;').err, 'Query with id:NOPE_1 does not exist')


def test_a_file_is_read_before_it_is_looked_at():
    write('rows.ndjson', ''.join('{"k":"a","v":%d}\n' % i for i in range(20000)))
    done = good('rows.ndjson', '--format', 'ndjson', '-e',
                'EXPLAIN ANALYZE SELECT v FROM rows EMIT CHANGES;', '-e',
                'CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM rows GROUP BY k;', '-e',
                "SELECT * FROM n; COPY (SELECT v FROM rows) TO 'out.csv'")
    same(done.rows()[0]['Out'], 20000)
    same(done.rows()[-1], {'K': 'a', 'N': 20000})
    with open('out.csv') as out:
        same(len(out.read().split('\n')), 20002)


# == SHOW QUERIES, DESCRIBE ========================================================================

def test_show_queries_has_figures():
    done = good('--format', 'ndjson', '-e', STREAM, '-e', ROWS + BAD, '-e',
                'CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS, '
                "GRACE PERIOD 0 SECONDS) GROUP BY k HAVING COUNT(*) > 1;", '-e',
                "SELECT * FROM t WHERE k = 'a';", '-e', 'SHOW QUERIES; SHOW QUERIES EXTENDED;')
    short, long = done.rows()[-2:]
    same((short['Query ID'], short['Lag'], short['Rows/s'] > 0), ('CTAS_T_0', 0, True))
    same(short['Warnings'], '1 record of S could not be read, 1 row late (grace 0 s): SHOW ERRORS '
         'FOR CTAS_T_0;')
    same([long[name] for name in ('Rows In', 'Row Errors', 'Filtered', 'Late', 'No Match',
                                  'State Rows')], [4, 1, 1, 1, 0, 1])


def test_show_queries_says_why_one_stopped():
    done = good('--format', 'ndjson', '-e', "SET 'ksql.fail.on.deserialization.error'='true';" +
                STREAM, '-e', 'CREATE STREAM o AS SELECT * FROM s;' + BAD, '-e',
                "DEFINE wait = '1'; SHOW QUERIES;")
    row = done.rows()[-1]
    if row['Status'] == 'ERROR':  # it may not have come to it yet
        has(row['Warnings'], 'of the record at offset 0 of topic s')


def test_describe_counts_messages():
    done = good('--format', 'ndjson', '-e', STREAM, '-e', ROWS + BAD, '-e',
                'CREATE STREAM o AS SELECT * FROM s; CREATE TABLE n AS SELECT k, COUNT(*) AS n '
                "FROM o GROUP BY k; SELECT * FROM n WHERE k = 'a';", '-e',
                'DESCRIBE s EXTENDED; DESCRIBE o EXTENDED; DESCRIBE csas_o_0;')
    rows = [(row['Property'], row['Value']) for row in done.rows()[1:]]
    source, sink, query = [dict(part) for part in (
        rows[:rows.index(('Name', 'O'))], rows[rows.index(('Name', 'O')):],
        rows[rows.index(('Status of CSAS_O_0', 'RUNNING')):])]
    has(source['Messages'], '4, the last of 20')
    assert re.match(r'4 messages, \d+/s, 1 failed$', source['Consumed by queries']), source
    assert 'Produced by queries' not in source
    assert re.match(r'3 messages, \d+/s, 0 failed$', sink['Produced by queries']), sink
    same((query['Sources'], query['Sink']), ('S', 'O'))
    has(query['Warnings of CSAS_O_0'], '1 record of S could not be read: SHOW ERRORS FOR CSAS_O_0;')


# == No silent nothing =============================================================================

def test_a_push_query_tells_what_it_left_out():
    done = good('-e', STREAM + USERS, '-e', A + ROWS + BAD, '-e',
                JOIN % 'LEFT' + ' EMIT CHANGES LIMIT 2;')
    has(done.err, 'warning: 1 record of S could not be read (Not JSON: member name expected at byte 1), '
        '1 row without a match in USERS (NULLs)')
    done = good('-e', STREAM, '-e', ROWS, '-e', 'SELECT k, COUNT(*) FROM s WINDOW TUMBLING (SIZE 1 '
                'SECONDS, GRACE PERIOD 500 MILLISECONDS) GROUP BY k EMIT CHANGES LIMIT 2;')
    has(done.err, 'warning: 1 row late (grace 500 ms)')
    done = good('-e', STREAM, '-e', ROWS, '-e', 'SELECT * FROM s WHERE v > 2 EMIT CHANGES LIMIT 1;')
    assert 'warning' not in done.err  # a WHERE is meant so


# == On a terminal =================================================================================

def test_analyze_is_drawn_again():
    shell = Shell()
    for statement in (STREAM, 'CREATE STREAM o AS SELECT * FROM s;'):
        shell.run(statement)
    shell.child.sendline('EXPLAIN ANALYZE CSAS_O_0;')
    for _ in range(2):
        shell.child.expect_exact('| RUNNING for ')
        shell.child.expect_exact('q ends')
    shell.child.expect(r'\x1b\[\d+A\r\x1b\[J')  # over the one before
    shell.child.send('q')
    shell.prompt()
    text = shell.run('EXPLAIN ANALYZE SELECT * FROM s EMIT CHANGES;')  # it ends by itself
    has(text, '| done in ')
    shell.child.sendline('EXPLAIN ANALYZE CSAS_O_0;')
    shell.child.expect_exact('q ends')
    shell.child.sendintr()
    shell.prompt()
    same(shell.leave(), 0)


def test_analyze_ends_with_whole_warnings():
    shell = Shell()
    for statement in (STREAM, USERS, ROWS):
        shell.run(statement)
    has(shell.run('EXPLAIN ANALYZE SELECT s.k, name FROM s JOIN users ON s.k = users.id EMIT '
                  'CHANGES;'), 'warning: 3 rows without a match in USERS (left out)')
    same(shell.leave(), 0)


def test_copy_shows_how_far_it_is():
    os.mkfifo('rows')
    shell = Shell()
    shell.run(STREAM)
    shell.child.sendline("COPY s FROM 'rows' (FORMAT ndjson);")
    with open('rows', 'w') as rows:
        for _ in range(30 * SLOW):
            rows.write('{"k":"a","v":1}\n' * 20)
            rows.flush()
            time.sleep(0.04)
    text = shell.prompt()
    assert re.search(r'COPY S: \d+ rows, [0-9.]+ rows/s', text), text
    has(text, 'COPY %d' % (600 * SLOW))
    same(shell.leave(), 0)


def test_copy_is_quiet_in_scripts():
    os.mkfifo('rows')
    process = start('-e', STREAM, '-e', "COPY s FROM 'rows' (FORMAT ndjson);")
    with open('rows', 'w') as rows:
        for _ in range(30):
            rows.write('{"k":"a","v":1}\n')
            rows.flush()
            time.sleep(0.03)
    same(finish(process).err, 'Stream created\nCOPY 30\n')


def test_a_new_query_shows_how_far_it_is():
    shell = Shell()
    shell.run(STREAM)
    shell.run("CREATE FUNCTION slow(x INT) RETURNS INT LANGUAGE LUA AS "
              "'local n = 0 for i = 1, 200000 do n = n + i end return x';")
    write('rows.ndjson', '{"k":"a","v":1}\n' * 300)
    shell.run("COPY s FROM 'rows.ndjson';")
    text = shell.run('CREATE STREAM o AS SELECT k, slow(v) AS v FROM s;')
    assert re.search(r'CSAS_O_\d+ catches up: \d+ %', text), text
    shell.child.sendline('CREATE STREAM p AS SELECT k, slow(v) AS v FROM s;')
    shell.child.expect_exact('catches up')
    shell.child.send('S')  # goes on behind the prompt, and the key is not lost
    shell.prompt()
    has(shell.run('HOW QUERIES;'), 'CSAS_P_')
    same(shell.leave(), 0)


if __name__ == '__main__':
    sys.exit(run.main(globals()))
