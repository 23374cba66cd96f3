#!/usr/bin/env python3
"""errors.py WEIR [--write] - mistakes that beginners make, and what Weir says to each.

Each must be refused with a place and a line that says what would be right (for each, a word of it is
named here). The whole table is docs/errors.md: written with --write, compared without."""
import os
import re
import subprocess
import sys

WEIR = os.path.abspath(sys.argv[1])
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/errors.md')
BEGIN = """
CREATE STREAM readings (sensor STRING KEY, value DOUBLE, at BIGINT)
  WITH (KAFKA_TOPIC='readings', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE sensors (sensor STRING PRIMARY KEY, room STRING)
  WITH (KAFKA_TOPIC='sensors', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE counts AS SELECT sensor, COUNT(*) AS n FROM readings GROUP BY sensor;
""".replace(' at BIGINT', ' seen BIGINT')

# (the mistake, the statement, what the answer must have)
MISTAKES = [
    ('A misspelled keyword', 'SELEC * FROM readings EMIT CHANGES;', 'SELECT'),
    ('A misspelled keyword later on', 'SELECT * FORM readings EMIT CHANGES;', 'FROM'),
    ('A misspelled stream', 'SELECT * FROM reading EMIT CHANGES;', 'READINGS'),
    ('A misspelled column', 'SELECT valeu FROM readings EMIT CHANGES;', 'VALUE'),
    ('A misspelled function', 'SELECT UCAS(sensor) FROM readings EMIT CHANGES;', 'UCASE'),
    ('A misspelled type', 'CREATE STREAM s (a STIRNG) WITH (KAFKA_TOPIC=\'t\', VALUE_FORMAT=\'JSON\');',
     'STRING'),
    ('A misspelled property', "CREATE STREAM s (a INT) WITH (KAFKA_TOPC='t', VALUE_FORMAT='JSON');",
     'KAFKA_TOPIC'),
    ('A misspelled format', "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSN');",
     'JSON'),
    ('A misspelled setting', "SET 'auto.ofset.reset'='earliest';", 'auto.offset.reset'),
    ('A misspelled query', 'TERMINATE CTAS_COUNT_0;', 'CTAS_COUNTS_0'),
    ('A missing quote', "SELECT * FROM readings WHERE sensor = 'a EMIT CHANGES;", "' is missing"),
    ('Text in double quotes', 'SELECT * FROM readings WHERE sensor = "a" EMIT CHANGES;', "'a'"),
    ('A missing bracket', 'SELECT UCASE(sensor FROM readings EMIT CHANGES;', ')'),
    ('A missing comma', 'SELECT sensor value seen FROM readings EMIT CHANGES;', "','"),
    ('A comma too many', 'SELECT sensor, FROM readings EMIT CHANGES;', 'FROM'),
    ('A reserved word as a name', "CREATE STREAM s (from INT) WITH (KAFKA_TOPIC='t', "
     "VALUE_FORMAT='JSON');", '`FROM`'),
    ('No EMIT CHANGES on a join',
     'SELECT r.sensor, room FROM readings r JOIN sensors s ON r.sensor = s.sensor;', 'EMIT CHANGES'),
    ('Text and number compared', "SELECT * FROM readings WHERE value = 'high' EMIT CHANGES;",
     'DOUBLE'),
    ('Text and number added', "SELECT value + 'x' FROM readings EMIT CHANGES;", 'DOUBLE'),
    ('A wrong number of arguments', 'SELECT SUBSTRING(sensor) FROM readings EMIT CHANGES;',
     'SUBSTRING('),
    ('A column that is neither grouped nor aggregated',
     'SELECT sensor, value, COUNT(*) FROM readings GROUP BY sensor EMIT CHANGES;', 'GROUP BY'),
    ('An aggregate in WHERE', 'SELECT sensor FROM readings WHERE COUNT(*) > 1 GROUP BY sensor '
     'EMIT CHANGES;', 'HAVING'),
    ('HAVING without GROUP BY', 'SELECT sensor FROM readings HAVING value > 1 EMIT CHANGES;',
     'GROUP BY'),
    ('A table without a key', "CREATE TABLE s (a INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
     'PRIMARY KEY'),
    ('KEY for a table', "CREATE TABLE s (a INT KEY) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');",
     'PRIMARY KEY'),
    ('PRIMARY KEY for a stream', "CREATE STREAM s (a INT PRIMARY KEY) WITH (KAFKA_TOPIC='t', "
     "VALUE_FORMAT='JSON');", 'KEY'),
    ('No topic', "CREATE STREAM s (a INT) WITH (VALUE_FORMAT='JSON');", 'KAFKA_TOPIC'),
    ('No format', "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='t');", 'VALUE_FORMAT'),
    ('A name that is taken', "CREATE STREAM readings (a INT) WITH (KAFKA_TOPIC='t', "
     "VALUE_FORMAT='JSON');", 'OR REPLACE'),
    ('DROP of what is used', 'DROP STREAM readings;', 'TERMINATE'),
    ('DROP STREAM of a table', 'DROP STREAM counts;', 'TABLE'),
    ('An insert with too few values', "INSERT INTO readings (sensor, value) VALUES ('a');", '2'),
    ('An insert into a column that is not there', "INSERT INTO readings (sensr) VALUES ('a');",
     'SENSOR'),
    ('An insert of the wrong type', "INSERT INTO readings (sensor, value) VALUES ('a', 'b');",
     'DOUBLE'),
    ('A window without a unit', 'SELECT sensor, COUNT(*) FROM readings WINDOW TUMBLING (SIZE 5) '
     'GROUP BY sensor EMIT CHANGES;', 'SECONDS'),
    ('A join without its condition', 'SELECT * FROM readings r JOIN sensors s EMIT CHANGES;', 'ON'),
    ('A file that is not there', "COPY readings FROM 'nothing.ndjson';", 'nothing.ndjson'),
    ('What ksqlDB cannot say', 'SELECT DISTINCT sensor FROM readings EMIT CHANGES;', 'GROUP BY'),
    ('UPDATE', "UPDATE readings SET value = 1;", 'INSERT'),
]


def answer(statement):
    done = subprocess.run([WEIR, '-e', BEGIN, '-e', statement], capture_output=True, text=True,
                          timeout=30, check=False)
    if done.returncode != 1 or 'error (' not in done.stderr:
        return done.returncode, done.stderr + done.stdout
    return 1, done.stderr[done.stderr.index('error ('):].rstrip()


def main():
    out = ['# Mistakes, and what Weir says\n\nWritten by the tests (`tests/cli/errors.py --write`), which '
           'also check it. The statements run after:\n\n```sql' + BEGIN + '```\n']
    bad = 0
    for title, statement, wanted in MISTAKES:
        code, text = answer(statement)
        placed = re.search(r'line \d+:\d+', text) or 'nothing.ndjson' in text
        if code != 1 or wanted not in text or not placed or 'error (unsupported)' in text:
            bad += 1
            print('%s: wanted %r and a place\n  %s\n%s\n' % (title, wanted, statement, text))
        out.append('\n## %s\n\n```sql\n%s\n```\n\n```\n%s\n```\n' % (title, statement, text))
    page = ''.join(out)
    if '--write' in sys.argv:
        with open(DOCS, 'w') as file:
            file.write(page)
    with open(DOCS) as file:
        if file.read() != page:
            bad += 1
            print('docs/errors.md is not what Weir says now: run tests/cli/errors.py WEIR --write')
    print('errors: %d passed, %d failed, 0 skipped' % (len(MISTAKES) + 1 - bad, bad))
    return bad > 0


sys.exit(main())
