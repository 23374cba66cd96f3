#!/usr/bin/env python3
"""topics.py WEIR - topics from the command line: PRINT, CREATE and DROP TOPIC, COPY to files.

As run.py, whose tools it uses.
"""
import csv
import json
import os
import signal
import sys
import time

import run
from run import STREAM, good, has, same, start, weir, write
from shell import Shell

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
    write('rows.ndjson', ''.join('{"k":"%08d","v":1}\n' % i for i in range(600)) +
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
    shell = Shell('d')
    shell.run(STREAM)
    shell.run("INSERT INTO s VALUES ('a', 1);")
    shell.child.sendline('PRINT s FROM BEGINNING;')
    shell.child.expect_exact('key: a, value: {"V":1}, partition: 0')
    shell.child.send('\x03')
    has(shell.prompt(), '1 row')
    same(shell.leave(), 0)


def test_topics_are_completed():
    shell = Shell()
    shell.run("CREATE TOPIC noisy; CREATE TOPIC other;")
    shell.child.send('DROP TOPIC no\t')
    has(shell.run(';'), 'Topic noisy was dropped.')
    shell.child.send("PRINT 'ot\t")
    shell.child.send("' LIMIT 0;\r")
    shell.prompt()
    shell.child.send('ALTER TOPIC other SET (RETENTION_B\t')
    has(shell.run('5);'), 'Topic other altered.')
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


def test_a_table_over_a_topic_that_drops_records_is_told():
    made = "CREATE TOPIC t WITH (RETENTION_MS = 1000);"
    table = ("CREATE TABLE t (k STRING PRIMARY KEY, v INT) "
             "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');")
    has(good('-e', made + table).err, 'Topic t does not keep all of its records')
    assert 'does not keep' not in good('-e', 'CREATE TOPIC t;' + table).err


def test_shorter_retention_takes_effect_at_once():
    process = start('--format', 'ndjson')
    process.stdin.write((STREAM + "INSERT INTO s (ROWTIME, k, v) VALUES (1, 'old', 1);"
                         'ALTER TOPIC s SET (RETENTION_MS=1000); SHOW TYPES;').encode())
    process.stdin.flush()
    time.sleep(1 * run.SLOW)
    out, _ = process.communicate(b'SHOW TOPICS;')
    has(out.decode(), '{"Topic":"s","Partitions":1,"Records":0}')


# == COPY ... TO ===================================================================================

ODD = ['a,b', '"q"', '', 'line\nend', '\t\\', 'x\r', '\u00e9\u6f22', "it's"]


def odd_rows():
    write('odd.ndjson', ''.join(json.dumps({'k': str(i), 't': text, 'v': i, 'a': [i, None],
                                            'd': i / 3, 'x': None}) + '\n'
                                for i, text in enumerate(ODD)))
    return ('CREATE STREAM o (k STRING KEY, t STRING, v INT, a ARRAY<INT>, d DOUBLE, x STRING) '
            "WITH (KAFKA_TOPIC='o', PARTITIONS=1, VALUE_FORMAT='JSON'); COPY o FROM 'odd.ndjson';")


def test_copy_to_what_copy_from_reads():
    for form in 'ndjson', 'csv':
        again = odd_rows().replace(' o ', ' p ').replace("'o'", "'p'")
        again = again[:again.index('COPY')]
        done = good('--format', 'ndjson', '-e', odd_rows() + "COPY o TO 'out.%s' (OVERWRITE);" % form +
                    again + "COPY p FROM 'out.%s';" % form + 'SELECT * FROM o; SELECT * FROM p;')
        rows = done.rows()
        same(len(rows), 2 * len(ODD))
        same(rows[:len(ODD)], rows[len(ODD):])
        same([row['T'] for row in rows[:len(ODD)]], ODD)


def test_copy_to_what_python_reads():
    good('-e', odd_rows() + "COPY o TO 'out.csv'; COPY o TO 'out.json'; COPY o TO 'out.tsv';"
         "COPY o TO 'bare.csv' WITH (HEADER=FALSE); COPY o TO 'any' (FORMAT csv);")
    with open('out.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    same(rows[0], ['K', 'T', 'V', 'A', 'D', 'X'])
    same([row[1] for row in rows[1:]], ODD)
    with open('out.json', encoding='utf-8') as file:
        same([row['T'] for row in json.load(file)], ODD)
    with open('out.tsv', encoding='utf-8', newline='') as file:
        lines = file.read().split('\n')
    same(lines[0], 'K\tT\tV\tA\tD\tX')
    same(lines[5], '4\t\\t\\\\\t4\t[4,null]\t1.3333333333333333\t\\N')
    with open('bare.csv', 'rb') as bare, open('out.csv', 'rb') as whole, open('any', 'rb') as other:
        text = whole.read()
        same(text, b'K,T,V,A,D,X\n' + bare.read())
        same(other.read(), text)
    same(sorted(os.listdir('.')),
         ['any', 'bare.csv', 'odd.ndjson', 'out.csv', 'out.json', 'out.tsv'])


def test_copy_to_replaces_nothing_unasked():
    write('out', 'mine')
    done = weir('-e', STREAM + "COPY s TO 'out';")
    same(done.code, 1)
    has(done.err, "'out' exists already: OVERWRITE replaces it.")
    with open('out', encoding='utf-8') as file:
        same(file.read(), 'mine')
    done = good('-e', STREAM + "INSERT INTO s VALUES ('a', 1); COPY s TO 'out' (OVERWRITE);")
    has(done.err, 'COPY 1')
    with open('out', encoding='utf-8') as file:
        same(file.read(), '{"K":"a","V":1}\n')
    done = weir('-e', "CREATE TABLE u (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='u', "
                "PARTITIONS=1, VALUE_FORMAT='JSON'); COPY u TO 'out' (OVERWRITE);")
    same(done.code, 1)  # not a table that can be asked
    with open('out', encoding='utf-8') as file:
        same(file.read(), '{"K":"a","V":1}\n')
    same(os.listdir('.'), ['out'])


def test_copy_to_standard_output_is_in_order():
    done = good('--format', 'csv', '-e', STREAM + "INSERT INTO s VALUES ('a', 1);"
                "SHOW TOPICS; COPY s TO '-'; SHOW TOPICS;")
    same(done.out, 'Topic,Partitions,Records\ns,1,1\n{"K":"a","V":1}\n'
         'Topic,Partitions,Records\ns,1,1\n')


def test_copy_to_reads_from_the_beginning_to_the_present_end():
    write('many.ndjson', ''.join('{"k":"k%d","v":%d}\n' % (i % 7, i) for i in range(50000)))
    done = good('d', '-e', "SET 'auto.offset.reset'='latest';" + STREAM.replace('=1', '=4') +
                "COPY s FROM 'many.ndjson'; COPY s TO 'out'; "
                "CREATE STREAM e AS SELECT * FROM s WHERE v < 0; COPY e TO 'empty.csv';"
                "SET 'auto.offset.reset'='earliest'; CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s "
                "GROUP BY k; COPY (SELECT k, n FROM c) TO 'counts';")
    has(done.err, 'COPY 50000\nCOPY 50000\n')
    with open('out', encoding='utf-8') as file:
        same(sorted(json.loads(line)['V'] for line in file), list(range(50000)))
    with open('empty.csv', encoding='utf-8') as file:
        same(file.read(), 'K,V\n')
    with open('counts', encoding='utf-8') as file:
        same(sum(json.loads(line)['N'] for line in file), 50000)


def test_copy_to_that_is_cut_off_leaves_nothing():
    write('many.ndjson', ''.join('{"k":"k","v":%d}\n' % i for i in range(200000)))
    good('d', '-e', STREAM + "COPY s FROM 'many.ndjson';")
    os.mkfifo('pipe')
    process = start('d', '-e', "COPY s TO 'pipe'; ")  # nobody reads: it waits in the open
    time.sleep(0.3)
    process.kill()
    process.wait()
    slow = 'SELECT ' + ', '.join('REGEXP_REPLACE(k || CAST(v AS STRING), \'[0-9]\', \'x\') AS c%d' % i
                                 for i in range(40)) + ' FROM s'
    process = start('d', '-e', "COPY (%s) TO 'out';" % slow)
    run.wait_for(lambda: any('.part' in name for name in os.listdir('.')), 20)
    process.send_signal(signal.SIGINT)
    same(run.finish(process).code, 130)
    same(sorted(os.listdir('.')), ['d', 'many.ndjson', 'pipe'])


if __name__ == '__main__':
    sys.exit(run.main(globals()))
