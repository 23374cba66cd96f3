#!/usr/bin/env python3
"""observe.py WEIR - seeing what a query does: EXPLAIN ANALYZE, SHOW QUERIES, DESCRIBE EXTENDED,
warnings, progress, and the live views of a terminal.

As run.py, whose tools it uses.
"""
import re
import signal
import sys

import run
from run import STREAM, Shell, good, has, same, start, weir, write

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


def test_analyze_statements():
    steps = analyze(STREAM, ROWS, 'EXPLAIN ANALYZE SELECT k FROM s WHERE v > 2 EMIT CHANGES;')
    has(steps['SELECT']['Step'], 'SELECT, done in ')
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


if __name__ == '__main__':
    sys.exit(run.main(globals()))
