#!/usr/bin/env python3
"""topics.py WEIR - topics from the command line: PRINT, CREATE and DROP TOPIC, COPY to files.

As run.py, whose tools it uses.
"""
import signal
import sys
import time

import run
from run import STREAM, good, has, same, start, weir

TEXTS = ("CREATE STREAM x (k STRING KEY, v STRING) "
         "WITH (KAFKA_TOPIC='x', PARTITIONS=1, VALUE_FORMAT='KAFKA');")


# == PRINT =========================================================================================

def test_print_lines():
    done = good('-e', STREAM + "INSERT INTO s (ROWTIME, k, v) VALUES (1586460165123, 'a', 1);"
                "INSERT INTO s (ROWTIME, v) VALUES (0, 2); PRINT s FROM BEGINNING LIMIT 2;")
    same(done.out, 'Key format: KAFKA_STRING\n'
         'Value format: JSON or KAFKA_STRING\n'
         'rowtime: 2020/04/09 19:22:45.123 Z, key: a, value: {"V":1}, partition: 0\n'
         'rowtime: 1970/01/01 00:00:00.000 Z, key: <null>, value: {"V":2}, partition: 0\n')
    done = good('--format', 'csv', '-e', STREAM + "INSERT INTO s (ROWTIME, k, v) VALUES "
                "(5, 'a', 1); PRINT s FROM BEGINNING LIMIT 1;")
    same(done.out, 'ROWTIME,KEY,VALUE,PARTITION,OFFSET,HEADERS\n5,a,"{""V"":1}",0,0,\n')


def test_print_is_safe_for_terminals():
    done = good('-e', TEXTS + "INSERT INTO x (ROWTIME, k, v) VALUES "
                "(0, 'a' || CHR(27), 'b' || CHR(27) || '[2J' || CHR(10) || CHR(8238) || CHR(0));"
                'PRINT x FROM BEGINNING LIMIT 1;')
    has(done.out, 'key: a\\x1b, value: b\\x1b[2J\\n\\u202e\\x00, partition: 0\n')
    assert '\x1b' not in done.out and '\u202e' not in done.out


def test_print_tells_formats_again_when_they_narrow():
    key = "INSERT INTO s (ROWTIME, k, v) VALUES (0, '%s', 1);"
    process = start()
    process.stdin.write((STREAM + key % 'Die Hard' + 'PRINT s FROM BEGINNING INTERVAL 1;').encode())
    process.stdin.flush()
    lines = [process.stdout.readline().decode() for _ in range(3)]
    same(lines[0], 'Key format: KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING\n')
    same(lines[1], 'Value format: JSON or KAFKA_STRING\n')
    has(lines[2], 'key: 4929582456461423204, ')
    process.send_signal(signal.SIGINT)
    same(run.finish(process).code, 130)
    lines = good('-e', STREAM + key % 'Die Hard' + key % 'Alien' + 'PRINT s FROM BEGINNING '
                 'LIMIT 2;').out.split('\n')
    same(lines[0], 'Key format: KAFKA_STRING')
    has(lines[2], 'key: Die Hard, ')


def test_print_tells_formats_of_later_records():
    run.write('rows.ndjson', ''.join('{"k":"%08d","v":1}\n' % i for i in range(600)) +
              '{"k":"short","v":1}\n')
    lines = good('-e', STREAM + "COPY s FROM 'rows.ndjson'; PRINT s FROM BEGINNING LIMIT 601;"
                 ).out.split('\n')
    same([(i, line) for i, line in enumerate(lines) if line.startswith('Key format')],
         [(0, 'Key format: KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING'),
          (502, 'Key format: KAFKA_STRING')])
    has(lines[2], 'key: 3472328296227680304, ')
    has(lines[503], 'key: 00000500, ')


def test_print_goes_on_until_interrupted():
    process = start('-e', STREAM + "INSERT INTO s (ROWTIME, k, v) VALUES (0, 'a', 1);"
                    'PRINT s FROM BEGINNING;')
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    same(run.finish(process).code, 130)
    same(weir('--timeout', '1', '-e', STREAM + 'PRINT s;').code, 4)


def test_print_in_the_shell_follows_the_topic():
    shell = run.Shell('d')
    shell.run(STREAM)
    shell.run("INSERT INTO s VALUES ('a', 1);")
    shell.child.sendline('PRINT s FROM BEGINNING;')
    shell.child.expect_exact('key: a, value: {"V":1}, partition: 0')
    shell.child.send('\x03')
    has(shell.prompt(), '1 row')
    same(shell.leave(), 0)


# == Retention =====================================================================================

def records(folder, *statements):
    out = good('--format', 'ndjson', folder, '-e', ''.join(statements) + 'SHOW TOPICS;')
    return {row['Topic']: row['Records'] for row in out.rows()}


def test_retention_in_the_background():
    made = ("CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, "
            "VALUE_FORMAT='JSON', RETENTION_MS=300000);")
    same(records('d', made, "INSERT INTO s (ROWTIME, k, v) VALUES (1, 'old', 1);"
                 "INSERT INTO s (k, v) VALUES ('new', 2);"), {'s': 2})
    process = start('d')  # it waits for statements
    time.sleep(1.5 * run.SLOW)
    process.kill()
    process.wait()
    same(records('d'), {'s': 1})
    done = good('--format', 'ndjson', 'd', '-e', 'PRINT s FROM BEGINNING LIMIT 1;')
    same([row['KEY'] for row in done.rows()], ['new'])


def test_shorter_retention_takes_effect_at_once():
    process = start('--format', 'ndjson')
    process.stdin.write((STREAM + "INSERT INTO s (ROWTIME, k, v) VALUES (1, 'old', 1);"
                         'ALTER TOPIC s SET (RETENTION_MS=1000); SHOW TYPES;').encode())
    process.stdin.flush()
    time.sleep(1 * run.SLOW)
    out, _ = process.communicate(b'SHOW TOPICS;')
    has(out.decode(), '{"Topic":"s","Partitions":1,"Records":0}')


if __name__ == '__main__':
    sys.exit(run.main(globals()))
