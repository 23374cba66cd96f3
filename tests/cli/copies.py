#!/usr/bin/env python3
"""copies.py WEIR - COPY from files and to them: formats, errors, goes on after any end.

As run.py, whose tools it uses.
"""
import csv
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import run
from run import Lines, SLOW, STREAM, TABLE, TYPES, finish, good, has, same, start, weir, write


def copy(statement, *before, data=''):
    return weir('--format', 'ndjson', *[w for b in before for w in ('-e', b)], '-e', statement, '-e',
                'SHOW TOPICS', data=data)


def count(done):
    return sum(row['Records'] for row in done.rows() if 'Records' in row)


def rows_of(source, number, *args):
    return good(*args, '--format', 'ndjson', '-e',
                'SELECT * FROM %s EMIT CHANGES LIMIT %d' % (source, number)).rows()


def test_copy_ndjson():
    write('r.ndjson', '\ufeff{"k":"a","V":1}\r\n\n  \n{"K":"b","v":2,"other":[{}]}\n{"v":null,"k":"c"}')
    good('d', '-e', STREAM, '-e', "COPY s FROM 'r.ndjson'")
    same(rows_of('s', 3, 'd'), [{'K': 'a', 'V': 1}, {'K': 'b', 'V': 2}, {'K': 'c', 'V': None}])


def test_copy_csv():
    write('r.csv', '\ufeffV , k ,extra \r\n1,a,x\r\n,"b ""q"",\r\nnext",\r\n\r\n007,,""\r\n'
                   '" 5 ",\u00e9,')
    done = good('d', '-e', STREAM, '-e', "COPY s FROM 'r.csv'")
    has(done.err, 'r.csv: the source does not have extra; this column is left out\nCOPY 4\n')
    same(rows_of('s', 4, 'd'), [{'K': 'a', 'V': 1}, {'K': 'b "q",\r\nnext', 'V': None},
                                {'K': None, 'V': 7}, {'K': '\u00e9', 'V': 5}])


def test_copy_csv_by_place():
    write('r.txt', 'a,1\n"",2\n')
    good('d', '-e', STREAM, '-e', "COPY s FROM 'r.txt' (FORMAT csv, HEADER false)")
    same(rows_of('s', 2, 'd'), [{'K': 'a', 'V': 1}, {'K': '', 'V': 2}])


def test_copy_csv_types():
    write('r.csv', 'k,b,i,l,d,m,t,ts,da,ti,ar\n'
                   'x,TRUE,+5,-9007199254740993,1e3,1.5,"a,b",2001-02-03T04:05:06.007,2001-02-03,'
                   '04:05,"[1,2]"\n'
                   'y,false,,,.5,0.25,,981173106007,11356,1000,\n')
    done = good('--format', 'ndjson', '-e', TYPES, '-e', "COPY a FROM 'r.csv'", '-e',
                'SELECT * FROM a EMIT CHANGES LIMIT 2')
    same(done.rows(), [
        {'K': 'x', 'B': True, 'I': 5, 'L': -9007199254740993, 'D': 1000.0, 'M': 1.5, 'T': 'a,b',
         'TS': '2001-02-03T04:05:06.007', 'DA': '2001-02-03', 'TI': '04:05', 'AR': [1, 2]},
        {'K': 'y', 'B': False, 'I': None, 'L': None, 'D': 0.5, 'M': 0.25, 'T': None,
         'TS': '2001-02-03T04:05:06.007', 'DA': '2001-02-03', 'TI': '00:00:01', 'AR': None}])


def test_copy_csv_as_python_writes_it():
    random.seed(7)
    pieces = ['a', '"', ',', '\n', '\r\n', ' ', '\u00e9', '\u6f22', '\U0001f600', 'x' * 300, "'", '\\']
    for terminator, quoting in (('\n', csv.QUOTE_MINIMAL), ('\r\n', csv.QUOTE_ALL)):
        rows = [(''.join(random.choices(pieces, k=random.randrange(8))), random.randrange(-9, 9))
                for _ in range(20000)]
        with open('r.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator=terminator, quoting=quoting)
            writer.writerow(['k', 'v'])
            writer.writerows(rows)
        shutil.rmtree('d', ignore_errors=True)
        has(good('d', '-e', STREAM, '-e', "COPY s FROM 'r.csv'").err, 'COPY %d\n' % len(rows))
        got = [(row['K'], row['V']) for row in rows_of('s', len(rows), 'd')]
        missing = '' if quoting == csv.QUOTE_ALL else None  # empty without quotes: NULL
        want = [(k or missing, v) for k, v in rows]
        assert got == want, next(pair for pair in zip(got, want) if pair[0] != pair[1])
        out = good('d', '--format', 'csv', '-e',
                   'SELECT * FROM s EMIT CHANGES LIMIT %d' % len(rows)).out
        back = list(csv.reader(io.StringIO(out, newline='')))[1:]
        assert back == [[k or '', str(v)] for k, v in want]


def test_copy_ndjson_as_python_writes_it():
    random.seed(8)
    pieces = ['a', '"', '\\', '\n', '\x00', '\x1f', '\u00e9', '\u2028', '\U0001f600', 'y' * 5000]
    rows = [{'k': ''.join(random.choices(pieces, k=random.randrange(6))), 'v': i}
            for i in range(5000)]
    write('r.ndjson', '\n'.join(json.dumps(row, ensure_ascii=row['v'] % 2 == 0) for row in rows))
    good('d', '-e', STREAM, '-e', "COPY s FROM 'r.ndjson'")
    assert rows_of('s', len(rows), 'd') == [{'K': row['k'], 'V': row['v']} for row in rows]


def test_copy_csv_errors():
    for text, why in (('x,y\n1,2\n', 'r.csv:1: the header names no column of the source, which has: K, V'),
                      ('k,v,K\na,1,b\n', 'r.csv:1: the header names column K twice'),
                      ('k,v\na,1\nb\n', 'r.csv:3: 1 cells where 2 are wanted'),
                      ('k,v\n"a\nb",1\n"c,2\n\n', 'r.csv:4: a quote is not closed'),
                      ('k,v\n"a"b,1\n', 'r.csv:2: text follows a closing quote'),
                      ('k,v\na,1\nb,x1\n', 'r.csv:3: column V: '),
                      ('', 'r.csv:1: the header names no column')):
        write('r.csv', text)
        done = copy("COPY s FROM 'r.csv'", STREAM)
        same(done.code, 1)
        has(done.err, why)
        has(done.err, 'error (format): ')


def test_copy_stop_appends_nothing():
    rows = ['{"k":"a","v":%d}' % i for i in range(5000)]
    rows[4000] = '{"k":"a","v":"x"}'
    write('r.ndjson', '\n'.join(rows))
    done = weir('d', '-e', STREAM, '-e', "COPY s FROM 'r.ndjson'")
    same(done.code, 1)
    has(done.err, 'r.ndjson:4001: ')
    same(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS').rows()[0]['Records'], 0)


def test_copy_skip():
    rows = ['{"k":"a","v":%d}' % i for i in range(3000)]
    rows[0] = '{"k":"a",'
    rows[1500] = 'null'
    rows[2999] = '{"k":"a","v":"3e"}'
    write('r.ndjson', '\n'.join(rows))
    done = copy("COPY s FROM 'r.ndjson' (ON_ERROR 'skip')", STREAM)
    same((done.code, count(done)), (0, 2997))
    for line in (1, 1501, 3000):
        has(done.err, 'r.ndjson:%d: ' % line)
    has(done.err, 'COPY 2997\n3 rows left out\n')


def test_copy_skip_names_a_hundred():
    write('r.ndjson', '{"k":"a","v":1}\n' + 'x\n' * 500)
    done = copy("COPY s FROM 'r.ndjson' (ON_ERROR 'skip')", STREAM)
    same((done.code, count(done)), (0, 1))
    same(done.err.count('(row left out)'), 100)
    has(done.err, '500 rows left out')


def test_copy_table_needs_its_key():
    write('r.ndjson', '{"k":"a","v":1}\n{"v":2}\n')
    done = copy("COPY t FROM 'r.ndjson'", TABLE)
    same(done.code, 1)
    has(done.err, 'r.ndjson:2: The primary key is missing.')
    done = copy("COPY t FROM 'r.ndjson' (ON_ERROR skip)", TABLE)
    same((done.code, count(done)), (0, 1))


def test_copy_rows_with_other_columns():
    write('r.ndjson', '{"key":"a","value":1}\n' * 3)
    done = copy("COPY s FROM 'r.ndjson'", STREAM)
    same(done.code, 1)
    has(done.err, 'r.ndjson:1: no row has a value for a column of S, which has: K, V')


def test_copy_large_rows():
    write('r.ndjson', '{"k":"a","v":1}\n{"k":"%s","v":2}\n' % ('x' * (1 << 20)))
    done = copy("COPY s FROM 'r.ndjson'", STREAM)
    same(done.code, 1)
    has(done.err, 'r.ndjson:2: The record has ')
    write('r.ndjson', '{"k":"a","v":1}\n' + 'x' * (18 << 20))
    has(copy("COPY s FROM 'r.ndjson'", STREAM).err, 'r.ndjson:2: a row has more than 16 MiB')
    write('r.ndjson', '{"k":"%s","v":2}\n' % ('x' * 900000) * 20)
    same(count(copy("COPY s FROM 'r.ndjson'", STREAM)), 20)


def test_copy_files_that_are_none():
    os.mkdir('folder')
    for name, why in (('nope', 'No such file or directory'), ('folder', 'Is a directory')):
        done = copy("COPY s FROM '%s'" % name, STREAM)
        same(done.code, 1)
        has(done.err, "Cannot open '%s': %s" % (name, why))
    write('empty.ndjson', '')
    same(count(copy("COPY s FROM 'empty.ndjson'", STREAM)), 0)


def test_copy_options():
    write('r', '{"k":"a"}')
    for options, why in (("FORMAT xml", "ndjson or csv, not 'xml'"), ("FORMAT", "ndjson or csv"),
                         ("ON_ERROR 'go'", "'stop' or 'skip', not 'go'"),
                         ("HEADER 7", 'true or false'), ("HEADER", 'HEADER is for csv'),
                         ("NAMES true", 'it takes FORMAT, HEADER, ON_ERROR')):
        done = copy("COPY s FROM 'r' (%s)" % options, STREAM)
        same(done.code, 1)
        has(done.err, why)
    write('r.csv', 'k\na\n')
    for options in ('FORMAT csv, HEADER', "FORMAT='csv', HEADER=true", "HEADER true, ON_ERROR stop"):
        same(count(copy("COPY s FROM 'r.csv' (%s)" % options, STREAM)), 1)


def test_copy_targets():
    write('r.ndjson', '{"k":"a","v":1}')
    done = copy("COPY x FROM 'r.ndjson'", STREAM.replace('STREAM s', 'SOURCE STREAM x'))
    has(done.err, 'Cannot insert values into read-only stream: X')
    has(copy("COPY x FROM 'r.ndjson'").err, 'unknown_name')


def test_copy_standard_input():
    done = copy("COPY s FROM '-'", STREAM, data='{"k":"a","v":1}\n{"k":"b","v":2}')
    same((done.code, count(done)), (0, 2))
    done = copy("COPY s FROM '-' (FORMAT csv)", STREAM, data='v,k\n1,a\n2,"b\nc"\n')
    same((done.code, count(done)), (0, 2))
    done = copy("COPY s FROM '-'", STREAM, data='{"k":"a"}\n' * 5 + '{"k":"b"\n')
    same(done.code, 1)
    has(done.err, 'standard input:6: ')
    has(done.err, '5 rows in front of it are loaded.')


def test_copy_file_as_standard_input():
    write('r', '{"k":"a","v":1}\n' * 3000)
    with open('r', 'rb') as data:
        process = start('--format', 'ndjson', '-e', STREAM, '-e', "COPY s FROM '-'", '-e',
                        'SHOW TOPICS', stdin=data)
        same(count(finish(process)), 3000)


def test_copy_is_refused_where_statements_come_from_standard_input():
    done = weir(data=STREAM + "COPY s FROM '-';\n{\"k\":\"a\"}\n")
    same(done.code, 1)
    has(done.err, "Standard input ('-') is being read already.")


def test_copy_rows_are_seen_as_they_come():
    copier = start('d', '-e', STREAM, '-e', "COPY s FROM '-'")
    err = Lines(copier.stderr)
    err.wait(1)
    for i in range(3):
        copier.stdin.write(b'{"k":"a","v":%d}\n' % i)
        copier.stdin.flush()
        time.sleep(0.1 * SLOW)
    copier.kill()  # what came is there: it was committed before more was waited for
    copier.wait()
    same([row['V'] for row in rows_of('s', 3, 'd')], [0, 1, 2])


def test_copy_fifo():
    os.mkfifo('fifo')
    process = start('--format', 'ndjson', '-e', STREAM, '-e', "COPY s FROM 'fifo'", '-e',
                    'SHOW TOPICS')
    with open('fifo', 'w') as fifo:
        fifo.write('{"k":"a","v":1}\n' * 2000)
    same(count(finish(process)), 2000)


def test_copy_interrupted():
    process = start('d', '-e', STREAM, '-e', "COPY s FROM '-'")
    err = Lines(process.stderr)
    err.wait(1)
    process.stdin.write(b'{"k":"a","v":1}\n')
    process.stdin.flush()
    time.sleep(0.2 * SLOW)
    process.send_signal(signal.SIGINT)
    same(process.wait(10 * SLOW), 130)
    has('\n'.join(err.wait(3)), 'error (cancelled)')
    has('\n'.join(err.lines), '1 row in front of it is loaded.')


PAD = 'x' * 300  # many commits with few rows


def whole_copy(statement, source):
    """Seconds that the COPY takes when nobody disturbs it, in a folder of its own."""
    good('whole', '-e', source)
    begin = time.time()
    good('whole', '-e', statement)
    return time.time() - begin


def killed_copy(statement, source, seconds):
    """A COPY into a new folder, ended with -9 at a random moment; records it got in, by topic."""
    shutil.rmtree('d', ignore_errors=True)
    good('d', '-e', source)
    process = start('d', '-e', statement)
    try:
        process.wait(random.uniform(0.3, 0.95) * seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    finish(process)
    return count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS'))


def cut_copy(statement, rows, source):
    """Cuts a COPY off somewhere between its first row and its last."""
    random.seed(1)
    seconds = whole_copy(statement, source)
    for _ in range(60):
        if 0 < killed_copy(statement, source, seconds) < rows:
            return
    raise AssertionError('no COPY was cut off in the middle')


LONG = 200000  # rows of a file that is loaded as segments, in several portions
SHORT = 30000  # rows of a file that is loaded through the journal


def write_rows(name, rows):
    write(name, ''.join('{"k":"%d%s","v":%d}\n' % (i % 97, PAD, i) for i in range(rows)))


def test_copy_goes_on_after_kill_9():
    for rows, partitions in ((SHORT, 3), (LONG, 3), (LONG, 1)):
        shutil.rmtree('whole', ignore_errors=True)
        statement = "COPY s FROM 'r.ndjson' (ON_ERROR skip)"
        write_rows('r.ndjson', rows)
        cut_copy(statement, rows, STREAM.replace('PARTITIONS=1', 'PARTITIONS=%d' % partitions))
        done = good('d', '-e', statement)
        assert re.search('COPY goes on behind row [1-9]', done.err), done
        has(done.err, 'COPY %d\n' % rows)
        seen = sorted(row['V'] for row in rows_of('s', rows, 'd'))
        assert seen == list(range(rows)), 'rows are missing or doubled'
        same(count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS')), rows)
        has(good('d', '-e', statement).err, 'COPY %d\n' % rows)  # it was done: begins anew
        same(count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS')), 2 * rows)


def test_copy_of_all_or_nothing_after_kill_9():
    for rows in (SHORT, LONG):
        shutil.rmtree('whole', ignore_errors=True)
        statement, source = "COPY s FROM 'r.ndjson'", STREAM.replace('PARTITIONS=1', 'PARTITIONS=3')
        write_rows('r.ndjson', rows)
        seconds, seen, kills = whole_copy(statement, source), rows, 0
        while seen == rows and kills < 60:
            seen, kills = killed_copy(statement, source, seconds), kills + 1
        same(seen, 0)
        has(good('d', '-e', statement).err, 'COPY %d\n' % rows)
        got = sorted(row['V'] for row in rows_of('s', rows, 'd'))
        assert got == list(range(rows)), 'rows are missing or doubled'
        same(count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS')), rows)


def test_copy_csv_goes_on_after_kill_9():
    rows = LONG
    statement = "COPY s FROM 'r.csv' (ON_ERROR skip)"
    write('r.csv', 'v,k\n' + ''.join('%d,"a\n%s"\n' % (i, PAD) for i in range(rows)))
    cut_copy(statement, rows, STREAM)
    done = good('d', '-e', statement)
    has(done.err, 'COPY goes on behind row ')
    assert [row['V'] for row in rows_of('s', rows, 'd')] == list(range(rows))


def test_copy_goes_on_after_several_kills():
    rows = LONG
    statement = "COPY s FROM 'r.ndjson' (ON_ERROR skip)"
    write_rows('r.ndjson', rows)
    cut_copy(statement, rows, STREAM)
    for kill in range(10):
        process = start('d', '-e', statement)
        if kill < 9:
            time.sleep(random.uniform(0.02, 0.1))
            process.send_signal(signal.SIGKILL)
        if 'COPY %d\n' % rows in finish(process).err:
            break
    assert [row['V'] for row in rows_of('s', rows, 'd')] == list(range(rows))


GENERATED = ("CREATE STREAM g (seq BIGINT, word STRING) "
             "WITH (SOURCE='datagen', PARTITIONS=3, %s);")


def test_generators_go_on_after_several_kills():
    rows = 200000 // SLOW
    kills = 0
    good('d', '-e', GENERATED % ('ROWS=%d' % rows))
    while count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS')) < rows and kills < 8:
        process = start('d')
        time.sleep(random.uniform(0.02, 0.1))
        process.send_signal(signal.SIGKILL)
        finish(process)
        kills += 1
    assert kills > 0
    done = good('d', '--format', 'ndjson', '-e', 'CREATE TABLE t AS SELECT 1 AS one, COUNT(*) AS n, '
                'SUM(seq) AS total, SUM(seq * ROWPARTITION) AS placed FROM g GROUP BY 1;'
                'SELECT n, total, placed FROM t;')
    same(done.rows(), [{'N': rows, 'TOTAL': rows * (rows - 1) // 2,
                        'PLACED': sum(i * (i % 3) for i in range(rows))}])
    has(good('d', '-e', 'DESCRIBE g;').err,
        'G is generated: datagen, seed 1, %d of %d rows, finished.' % (rows, rows))


def test_generators_keep_their_pace():
    good('d', '-e', GENERATED % "ROWS_PER_SECOND=200, START='now'")
    process = start('d')
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    finish(process)
    made = count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS'))
    assert 20 < made < 400 * SLOW, made
    has(good('d', '-e', 'SHOW STREAMS;').err, 'G is generated: datagen, seed 1, 200 a second, ')
    has(good('d', '-e', 'PAUSE g;').err, 'Generator of G paused.')
    paused = count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS'))
    process = start('d')
    time.sleep(0.3)
    finish(process)
    same(count(good('d', '--format', 'ndjson', '-e', 'SHOW TOPICS')), paused)
    done = good('d', '--format', 'ndjson', '-e', 'RESUME g; SELECT seq, ROWTIME AS ms FROM g '
                'EMIT CHANGES LIMIT %d;' % (paused + 20))
    same(sorted(row['SEQ'] for row in done.rows()), list(range(paused + 20)))
    assert abs(done.rows()[0]['MS'] - time.time() * 1000) < 120000


def test_copy_goes_on_after_ctrl_c():
    for rows in (SHORT, LONG):
        shutil.rmtree('whole', ignore_errors=True)
        statement = "COPY s FROM 'r.ndjson' (ON_ERROR skip)"
        write_rows('r.ndjson', rows)
        seconds = whole_copy(statement, STREAM)
        for _ in range(30):
            shutil.rmtree('d', ignore_errors=True)
            good('d', '-e', STREAM)
            process = start('d', '-e', statement)
            time.sleep(random.uniform(0.3, 0.9) * seconds)
            process.send_signal(signal.SIGINT)
            done = finish(process)
            if 'the same COPY goes on behind them' in done.err:
                break
        same(done.code, 130)
        has(done.err, 'error (cancelled)')
        has(good('d', '-e', statement).err, 'COPY %d\n' % rows)
        assert [row['V'] for row in rows_of('s', rows, 'd')] == list(range(rows))


def test_copy_note_belongs_to_the_topic():
    rows = LONG
    statement = "COPY s FROM 'r.ndjson' (ON_ERROR skip)"
    write_rows('r.ndjson', rows)
    cut_copy(statement, rows, STREAM)
    good('d', '-e', 'DROP STREAM s DELETE TOPIC', '-e', STREAM)
    done = good('d', '--format', 'ndjson', '-e', statement, '-e', 'SHOW TOPICS')
    same(count(done), rows)


def test_copy_beside_inserts():
    """Others append to the same partition while a long file is loaded as segments."""
    rows = LONG
    write_rows('r.ndjson', rows)
    for options in ('', ' (ON_ERROR skip)'):
        shutil.rmtree('d', ignore_errors=True)
        process = start('d', '-e', STREAM, '-e', "CREATE STREAM o (k STRING KEY, v INT) WITH (KAFKA_TOPIC='o',"
                        " PARTITIONS=1, VALUE_FORMAT='JSON'); INSERT INTO s SELECT * FROM o;",
                        '-e', "COPY o FROM 'r.ndjson'", '-e', "COPY s FROM 'r.ndjson'" + options)
        done = finish(process, timeout=60)
        same(done.code, 0)
        has(done.err, 'COPY %d\n' % rows)
        seen = sorted(row['V'] for row in rows_of('s', 2 * rows, 'd'))
        assert seen == sorted(list(range(rows)) * 2), 'rows are missing or doubled'


if __name__ == '__main__':
    sys.exit(run.main(globals()))
