#!/usr/bin/env python3
"""run.py WEIR - the weir command as people and scripts use it: pipes, files, signals, a terminal.

Every test gets an empty folder and ends what it started. Prints what failed, then
"N passed, N failed, N skipped". An argument -k WORD runs the tests whose names have the word.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

WEIR = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build/release/weir')
SLOW = 6 if 'release' not in WEIR else 1  # sanitizers
STREAM = ("CREATE STREAM s (k STRING KEY, v INT) "
          "WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');")
TABLE = ("CREATE TABLE t (k STRING PRIMARY KEY, v INT) "
         "WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');")
TYPES = ("CREATE STREAM a (k STRING KEY, b BOOLEAN, i INT, l BIGINT, d DOUBLE, m DECIMAL(9,2), "
         "t STRING, ts TIMESTAMP, da DATE, ti TIME, ar ARRAY<INT>) "
         "WITH (KAFKA_TOPIC='a', PARTITIONS=1, VALUE_FORMAT='JSON');")


class Skip(Exception):
    pass


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def rows(self):
        return [json.loads(line) for line in self.out.split('\n') if line]

    def __repr__(self):
        return 'exit %s\n--- out\n%s\n--- err\n%s' % (self.code, self.out, self.err)


def start(*args, **more):
    return subprocess.Popen([WEIR, *args], stdin=more.get('stdin', subprocess.PIPE),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, data=None, timeout=20):
    try:
        out, err = process.communicate(data, timeout * SLOW)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError('did not end; out %r err %r' % (out[-500:], err[-500:]))
    return Done(process.returncode, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace'))


def weir(*args, data=''):
    return finish(start(*args), data.encode() if isinstance(data, str) else data)


def good(*args, data=''):
    done = weir(*args, data=data)
    assert done.code == 0, done
    return done


def same(got, want):
    assert got == want, '\n--- wanted\n%s\n--- got\n%s' % (want, got)


def has(text, part):
    assert part in text, '%r is not in\n%s' % (part, text)


def write(path, text):
    with open(path, 'wb') as file:
        file.write(text.encode() if isinstance(text, str) else text)
    return path


def wait_for(what, seconds=10):
    end = time.time() + seconds * SLOW
    while time.time() < end:
        if what():
            return
        time.sleep(0.01)
    raise AssertionError('waited in vain')


class Lines:
    """Lines of a pipe as they come."""

    def __init__(self, pipe):
        self.lines, self.end = [], False
        self.thread = threading.Thread(target=self.read, args=(pipe,), daemon=True)
        self.thread.start()

    def read(self, pipe):
        for line in pipe:
            self.lines.append(line.decode('utf-8', 'replace').rstrip('\n'))
        self.end = True

    def wait(self, count, seconds=10):
        wait_for(lambda: len(self.lines) >= count, seconds)
        return self.lines


# == Words of the command line =====================================================================

def test_help_and_version():
    has(good('--help').out, 'usage: weir')
    has(good('--version').out, 'weir 0.')
    same(good('--help').err, '')
    has(good('d', '--help').out, 'usage: weir')


def test_wrong_usage_is_2():
    for args in (['--nope'], ['--format', 'xml', 'd'], ['--format'], ['--workers', '0'],
                 ['--workers', 'x'], ['-e'], ['-f'], ['a', 'b'], ['server'], ['kafka://'],
                 ['test'], ['test', '--steps', '0', 'x'], ['']):
        done = weir(*args)
        same((done.code, done.out), (2, ''))
        has(done.err, 'usage: weir')
    assert os.listdir('.') == [], os.listdir('.')


def test_options_take_an_equals_sign():
    same(good('--format=ndjson', '--workers=1', '-e', STREAM, '-e', 'SHOW STREAMS').rows(),
         [{'Name': 'S', 'Topic': 's', 'Key Format': 'KAFKA', 'Value Format': 'JSON',
           'Windowed': 'false'}])


def test_scripts_run_in_order_and_stop_at_a_failure():
    write('one.sql', STREAM)
    write('two.sql', "INSERT INTO s VALUES ('a', 1);\n\n  SELECT nothing FROM s EMIT CHANGES;\n")
    done = weir('d', '-f', 'one.sql', '-e', "INSERT INTO s VALUES ('b', 2)", '-f', 'two.sql',
                '-e', "INSERT INTO s VALUES ('c', 3)")
    same(done.code, 1)
    has(done.err, 'error (unknown_name) in two.sql: line 3:10: ')
    same(good('d', '--format', 'csv', '-e', 'SHOW TOPICS').out,
         'Topic,Partitions,Records\ns,1,2\n')


def test_missing_script_is_1():
    done = weir('-f', 'nope.sql')
    same(done.code, 1)
    has(done.err, "Cannot open 'nope.sql': No such file or directory")
    os.mkdir('folder')
    has(weir('-f', 'folder').err, 'Is a directory')


def test_folder_that_cannot_be_opened_is_3():
    write('file', 'x')
    done = weir('file', '-e', 'SHOW TOPICS')
    same((done.code, done.out), (3, ''))
    has(done.err, 'weir: ')


def test_second_process_is_told():
    first = start('d', '-e', STREAM, '-e', 'SELECT * FROM s EMIT CHANGES', '--format', 'ndjson')
    try:
        wait_for(lambda: os.path.isdir('d') and len(os.listdir('d')) > 1)
        done = weir('d', '-e', 'SHOW TOPICS')
        same((done.code, done.out), (3, ''))
        assert re.search('process|in use|opened', done.err), done
        first.send_signal(signal.SIGINT)
        same(finish(first).code, 130)
        same(weir('d', '-e', 'SHOW TOPICS').code, 0)
    finally:
        first.poll() is None and first.kill()


def test_data_stays():
    good('d', '-e', STREAM, '-e', "INSERT INTO s VALUES ('a', 1)")
    same(good('d', '--format', 'ndjson', '-e', 'SELECT * FROM s EMIT CHANGES LIMIT 1').rows(),
         [{'K': 'a', 'V': 1}])


# == Standard input ================================================================================

def test_statements_run_as_they_come():
    process = start('--format', 'ndjson')
    out, err = Lines(process.stdout), Lines(process.stderr)
    def send(text):
        process.stdin.write(text.encode())
        process.stdin.flush()
    send(STREAM + '\n')
    same(err.wait(1), ['Stream created'])
    send("INSERT INTO s VALUES ('a;\nb', 1); SELECT * FROM s EMIT CHANGES LIMIT 1; -- and; so\nSH")
    same(out.wait(1), ['{"K":"a;\\nb","V":1}'])
    send('OW TOPICS;')
    same(json.loads(out.wait(2)[1]), {'Topic': 's', 'Partitions': 1, 'Records': 1})
    send("\nSHOW STREAMS /* ; */ ")  # the last one has no ';'
    process.stdin.close()
    same(process.wait(10 * SLOW), 0)
    same(len(out.wait(3)), 3)


def test_line_numbers_count_over_standard_input():
    done = weir(data='\n' + STREAM + " SHOW\nTOPICS;\n\n INSERT INTO s VALUES ('a', 1); SELECT w\n"
                'FROM s EMIT CHANGES;\nSHOW TOPICS;')
    same(done.code, 1)
    has(done.err, 'line 5:40: ')
    has(done.err, '\n   INSERT INTO s VALUES (\'a\', 1); SELECT w\n' + ' ' * 41 + '^')


def test_many_statements_are_quick():
    text = STREAM + "\n" + "SET 'auto.offset.reset'='earliest';\n" * 20000
    begin = time.time()
    same(weir(data=text).code, 0)
    write('many.sql', text)
    same(weir('-f', 'many.sql').code, 0)
    assert time.time() - begin < 10 * SLOW


def test_long_statements():
    long = "x''; -- /* \n" * 60000
    begin = time.time()
    done = weir('--format', 'ndjson', data=STREAM + "INSERT INTO s (k) VALUES ('" + long + "'); /*" +
                'y;' * 200000 + "*/ SELECT * FROM s EMIT CHANGES LIMIT 1;")
    same(done.rows()[0]['K'], long.replace("''", "'"))
    for text in ("SELECT '" + 'x;' * (1 << 20), 'SELECT ' + 'x,' * (3 << 20)):
        done = weir(data=text)
        same(done.code, 1)
        has(done.err, 'error (')
    assert time.time() - begin < 15 * SLOW


def test_input_byte_by_byte():
    text = (STREAM + "/*;'*/--;\"\n;INSERT INTO s VALUES ('a''-;--/*',2-1)--;\n;"
            "/**;*/INSERT INTO `S` (\"K\",v) VALUES ('*/;',4/2);/***/SELECT*FROM s EMIT CHANGES LIMIT 2")
    process = start('--format', 'ndjson')
    for byte in text.encode():
        process.stdin.write(bytes([byte]))
        process.stdin.flush()
    same(finish(process).rows(), [{'K': "a'-;--/*", 'V': 1}, {'K': '*/;', 'V': 2}])


def test_closed_streams():
    for closed in ('<&-', '2>&-', '<&- 2>&-'):
        done = subprocess.run(['/bin/sh', '-c', '"$0" d --format csv -e "SHOW TOPICS" ' + closed, WEIR],
                              stdout=subprocess.PIPE)
        same(done.stdout, b'Topic,Partitions,Records\n')


def test_empty_inputs():
    for text in ('', '\n', ';', ';;\n;', '-- nothing', '/* nothing */ ;', '\ufeffSHOW TOPICS;'):
        same(weir(data=text).code, 0)
        same(weir('-e', text).code, 0)


def test_input_that_ends_inside_a_statement():
    done = weir(data="SHOW TOPICS; SELECT 'abc")
    same(done.code, 1)
    has(done.err, 'error (syntax)')


def test_sigint_while_waiting_for_statements():
    process = start('d')
    process.stdin.write(STREAM.encode())
    process.stdin.flush()
    err = Lines(process.stderr)
    err.wait(1)
    process.send_signal(signal.SIGINT)
    same(process.wait(10 * SLOW), 130)


def test_sigterm_ends_in_order():
    process = start('d', '-e', STREAM, '-e', 'SELECT * FROM s EMIT CHANGES')
    Lines(process.stderr).wait(1)
    process.send_signal(signal.SIGTERM)
    same(process.wait(10 * SLOW), 128 + signal.SIGTERM)


# == Output ========================================================================================

ROWS = [
    '{"k":"a","b":true,"i":-7,"l":9007199254740993,"d":1.5,"m":12.30,"t":"x","ts":0,"da":1,"ti":1000,'
    '"ar":[1,null]}',
    '{"k":"b","t":""}',
    '{"k":"c","t":"q\\"u,o\\nte\\u001b[31m","d":1e300}',
    '{"k":"d","t":"\u6f22\u5b57"}',
    '{"k":"e","t":"e\\u0301\\u202ex\\u0085"}',
]


def types(form):
    write('rows.ndjson', '\n'.join(ROWS))
    return good('--format', form, '-e', TYPES, '-e', "COPY a FROM 'rows.ndjson'", '-e',
                'SELECT * FROM a EMIT CHANGES LIMIT 5')


def test_ndjson():
    done = types('ndjson')
    same(done.out.splitlines()[0],
         '{"K":"a","B":true,"I":-7,"L":9007199254740993,"D":1.5,"M":12.30,"T":"x",'
         '"TS":"1970-01-01T00:00:00.000","DA":"1970-01-02","TI":"00:00:01","AR":[1,null]}')
    same(done.rows()[2]['T'], 'q"u,o\nte\x1b[31m')
    same([row['B'] for row in done.rows()], [True, None, None, None, None])
    has(done.err, 'Stream created\nCOPY 5\n')


def test_json_is_one_array():
    rows = json.loads(types('json').out)
    same([row['K'] for row in rows], ['a', 'b', 'c', 'd', 'e'])
    same(good('--format', 'json', '-e', 'SHOW STREAMS').out, '[]\n')


def test_csv():
    lines = types('csv').out.split('\n')
    same(lines[0], 'K,B,I,L,D,M,T,TS,DA,TI,AR')
    same(lines[1], 'a,true,-7,9007199254740993,1.5,12.30,x,1970-01-01T00:00:00.000,1970-01-02,'
                   '00:00:01,"[1,null]"')
    same(lines[2], 'b,,,,,,"",,,,')
    same(lines[3], 'c,,,,1.0E300,,"q""u,o')


def test_table():
    write('rows.ndjson', '\n'.join(ROWS))
    done = good('-e', TYPES, '-e', "COPY a FROM 'rows.ndjson'", '-e',
                'SELECT k, i, m, t FROM a EMIT CHANGES LIMIT 5')
    same(done.out,
         '+---+------+-------+-------------------+\n'
         '| K |    I |     M | T                 |\n'
         '+---+------+-------+-------------------+\n'
         '| a |   -7 | 12.30 | x                 |\n'
         '| b | NULL |  NULL |                   |\n'
         '| c | NULL |  NULL | q"u,o\\nte\\x1b[31m |\n'
         '| d | NULL |  NULL | \u6f22\u5b57              |\n'
         '| e | NULL |  NULL | e\u0301\\u202ex\\u0085    |\n'
         '+---+------+-------+-------------------+\n')


def test_table_keeps_its_widths():
    process = start('-e', STREAM)
    process.kill()
    finish(process)
    process = start()
    out = Lines(process.stdout)
    process.stdin.write((STREAM + "INSERT INTO s VALUES ('ab', 1);"
                         "SELECT * FROM s EMIT CHANGES LIMIT 2;").encode())
    process.stdin.flush()
    same(out.wait(4), ['+----+---+', '| K  | V |', '+----+---+', '| ab | 1 |'])
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    same(process.wait(10 * SLOW), 130)
    same(out.wait(5)[4], '+----+---+')


def test_messages_are_not_rows():
    done = good('-e', STREAM, '-e', "INSERT INTO s VALUES ('a', 1)", '-e', "SET 'auto.offset.reset'"
                "='latest'", '-e', 'DROP STREAM s')
    same(done.out, '')
    same(len(done.err.splitlines()), 3)


def test_messages_are_escaped():
    done = weir('-e', 'SELECT "\x1b[31m" FROM \x9b;')
    assert '\x1b' not in done.err and '\x9b' not in done.err, repr(done.err)


def test_explain_is_rows():
    done = good('--format', 'csv', '-e', STREAM, '-e', 'EXPLAIN SELECT k FROM s WHERE v > 1 '
                'EMIT CHANGES')
    lines = done.out.splitlines()
    same(lines[0], 'Execution plan')
    assert len(lines) >= 4, done
    has(done.out, 'Filter')


def test_numbers_of_show():
    same(good('--format', 'ndjson', '-e', STREAM, '-e', 'SHOW TOPICS').rows(),
         [{'Topic': 's', 'Partitions': 1, 'Records': 0}])


def test_describe_extended_tells_bad_rows():
    raw = STREAM.replace('STREAM s', 'STREAM raw').replace('k STRING KEY, v INT', 'x STRING').replace(
        'JSON', 'KAFKA')
    done = good('--format', 'ndjson', '-e', STREAM + raw + 'CREATE STREAM o AS SELECT * FROM s;'
                "INSERT INTO raw VALUES ('{bad'); INSERT INTO s VALUES ('k', 1);"
                'SELECT * FROM o EMIT CHANGES LIMIT 1; DESCRIBE s EXTENDED;')
    facts = {row['Property']: row['Value'] for row in done.rows()[1:]}
    same((facts['Name'], facts['Kind'], facts['Column V']), ('S', 'STREAM', 'INTEGER'))
    same(facts['Partition 0'], 'offsets 0 to 2')
    same(facts['Read by CSAS_O_0'], 'RUNNING')
    has(facts['Rows of CSAS_O_0'], 'in 2, out 1, errors 1')
    has(facts['Error of CSAS_O_0'], ' at s[0] offset 0: ')


def test_describe_extended_after_a_restart():
    good('d', '-e', STREAM + "CREATE TABLE n AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;"
         "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 1);"
         "SELECT * FROM n EMIT CHANGES LIMIT 2;")
    def state():
        rows = good('d', '--format', 'ndjson', '-e', 'DESCRIBE n EXTENDED;').rows()
        return [row['Value'] for row in rows if row['Property'].startswith('State of')]
    same(len(state()), 1)
    wait_for(lambda: state()[0].startswith('2 rows'))


def test_reader_that_goes_ends_the_query():
    write('rows.ndjson', ''.join('{"k":"a","v":%d}\n' % i for i in range(5000)))
    process = start('--format', 'ndjson', '-e', STREAM, '-e', "COPY s FROM 'rows.ndjson'", '-e',
                    'SELECT * FROM s EMIT CHANGES')
    same(json.loads(process.stdout.readline()), {'K': 'a', 'V': 0})
    process.stdout.close()
    same(process.wait(10 * SLOW), 1)
    has(process.stderr.read().decode(), 'COPY 5000')


def test_full_disk_is_a_failure():
    if not os.path.exists('/dev/full'):
        raise Skip
    with open('/dev/full', 'w') as full:
        process = subprocess.Popen([WEIR, '-e', 'SHOW PROPERTIES'], stdout=full,
                                   stderr=subprocess.PIPE)
        process.stderr.read()
        same(process.wait(10 * SLOW), 1)


def test_interrupted_push_query_is_130():
    process = start('--format', 'json', '-e', STREAM, '-e', "INSERT INTO s VALUES ('a', 1)", '-e',
                    'SELECT * FROM s EMIT CHANGES', '-e', 'SHOW TOPICS')
    out = Lines(process.stdout)
    time.sleep(0.4 * SLOW)
    process.send_signal(signal.SIGINT)
    same(process.wait(10 * SLOW), 130)
    wait_for(lambda: out.end)
    same(json.loads('\n'.join(out.lines)), [{'K': 'a', 'V': 1}])  # closed, and nothing behind it


# == Errors ========================================================================================

def error_of(*scripts):
    args = [word for script in scripts for word in ('-e', script)]
    done = weir(*args)
    same((done.code, done.out), (1, ''))
    return done.err[done.err.index('error ('):]


def test_pictures():
    same(error_of(STREAM, 'SELECT v FORM s EMIT CHANGES'),
         'error (syntax): line 1:10: Syntax error at or near "FORM"\n'
         '  SELECT v FORM s EMIT CHANGES\n'
         '           ^\n' + error_of(STREAM, 'SELECT v FORM s EMIT CHANGES').split('\n', 3)[3])
    text = error_of(STREAM, "SELECT k,\n\t'\u6f22\u00e9' AS x,\tw\nFROM s EMIT CHANGES;")
    lines = text.splitlines()
    assert lines[0].startswith('error (unknown_name): line 2:13: '), text
    same(lines[1:3], ["   '\u6f22\u00e9' AS x, w", ' ' * 15 + '^'])
    same(text.count('^'), 1)


def test_pictures_of_all_roads_are_alike():
    for sql in ('SELECT * FROM nope EMIT CHANGES', 'SELECT nope FROM s EMIT CHANGES', 'DROP STREAM x',
                'DROP TABLE s', 'DESCRIBE y', 'TERMINATE q', 'EXPLAIN q', 'SELECT FROM s',
                "COPY s FROM 'x' (FORMT csv)", "COPY y FROM 'x'", 'INSERT INTO s VALUES (1, 2, 3)',
                "SELECT k FROM s WHERE v = 'a' EMIT CHANGES", "INSERT INTO y VALUES (1)"):
        text = error_of(STREAM, sql)
        place = re.match(r'error \(\w+\): line 1:(\d+): ', text)
        if place is None:
            assert '^' not in text, text
            continue
        lines = text.splitlines()
        at = [i for i, line in enumerate(lines) if line.strip() == '^']
        same(len(at), 1)
        same(lines[at[0] - 1], '  ' + sql)
        same(lines[at[0]].index('^'), int(place.group(1)) + 1)


def test_did_you_mean():
    has(error_of(STREAM.replace('STREAM s', 'STREAM scores'), 'SELECT * FROM scoers EMIT CHANGES'),
        'SCORES')
    has(error_of(STREAM.replace('STREAM s', 'STREAM scores'), 'DESCRIBE score'),
        'Did you mean SCORES?')
    has(error_of('SELEC 1;'), 'SELECT')
    has(error_of(STREAM, "COPY s FROM 'x' (FORMT csv)"), 'Did you mean FORMAT?')
    has(error_of("SET 'auto.ofset.reset'='latest'"), 'auto.offset.reset')


def test_what_only_test_runners_know():
    for sql in ("ASSERT VALUES s (k, v) VALUES ('a', 1)", "ASSERT NULL VALUES s (k) KEY ('a')"):
        has(error_of(STREAM, sql), 'error (semantic): line 1:1: ')
    has(error_of(STREAM, "ASSERT SCHEMA SUBJECT s"), 'error (unsupported)')


def test_assert_topic_waits_until_it_is_so():
    same(good('-e', STREAM, '-e', "ASSERT TOPIC s WITH (PARTITIONS=1)").out, '')
    has(error_of(STREAM, "ASSERT TOPIC nope TIMEOUT 200 MILLISECONDS"),
        'error (assertion): Topic nope does not exist')
    has(error_of(STREAM, "ASSERT NOT EXISTS TOPIC s TIMEOUT 1 MILLISECOND"),
        'error (assertion): Topic s exists')


# == weir test =====================================================================================

TEST = """# t.test - a count
sql    CREATE STREAM s (k STRING KEY, v INT)
         WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
sql    CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
in     s @5 a | {"v":1}
in     s @7 a | {"v":2}
out    C a | {"N":1} @5
out    C a | {"N":2}       # any time
rows   SELECT * FROM c;
row    a | 2
restart
rows   SELECT n FROM c WHERE k = 'a';
row    2
sql    SELECT x FROM c;
error  unknown_name X
"""


def test_test_files_pass():
    write('t.test', TEST)
    os.mkdir('more')
    shutil.copy('t.test', 'more/u.test')
    write('more/readme.txt', 'no test')
    same(good('test', 't.test').out, '1 passed, 0 failed, 0 skipped\n')
    same(good('test', '.').out, '2 passed, 0 failed, 0 skipped\n')
    same(good('test', '--steps', '7', '.').out, '2 passed, 0 failed, 0 skipped\n')


def test_test_files_show_differences():
    write('t.test', TEST.replace('{"N":2}', '{"N":3}'))
    done = weir('test', 't.test')
    same((done.code, done.out),
         (1, 't.test:8: topic C from its record 1 on (- wanted, + got)\n  - a | {"N":3}\n'
             '  + a | {"N":2}\n  (with steps of 1)\n0 passed, 1 failed, 0 skipped\n'))
    write('t.test', TEST.replace('row    a | 2', 'row    a | 2\nrow    b | 1'))
    has(weir('test', 't.test').out,
        't.test:9: the rows are others (- wanted, + got)\n    a | 2\n  - b | 1\n')
    write('t.test', TEST.replace('out    C a | {"N":2}', '#'))
    has(weir('test', 't.test').out, 'more records than \'out\' lines (+ got)\n  + a | {"N":2} @7\n')
    write('t.test', TEST.replace('unknown_name X', 'syntax X'))
    has(weir('test', 't.test').out, 't.test:15: the error is another one\n  - syntax X\n  + unkno')
    write('t.test', TEST.replace('error  unknown_name X\n', ''))
    has(weir('test', 't.test').out, 't.test:14: error (unknown_name): line 14:15: ')


def test_test_files_name_wrong_lines():
    write('t.test', TEST + 'foo bar\nin s x\nclock now\nrow 1\n')
    out = weir('test', 't.test').out
    for line, why in ((16, "unknown command 'foo'"), (17, "'in TOPIC KEY | VALUE' is wanted"),
                      (18, "'clock MILLISECONDS' is wanted"), (19, "'row' stands behind")):
        has(out, 't.test:%d: %s' % (line, why))
    write('t.test', '# nothing\n')
    has(weir('test', 't.test').out, 'the file has no commands')
    done = weir('test', 'nope.test')
    same(done.code, 1)
    has(done.out, "Cannot open 'nope.test'")


# == The shell =====================================================================================

def test_limits_of_scripts():
    rows = STREAM + "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 2);"
    select = 'SELECT k FROM s EMIT CHANGES'
    same(good('--format', 'csv', '--rows', '1', '-e', rows + select).out, 'K\na\n')
    begin = time.time()
    done = weir('--format', 'csv', '--timeout', '0.3', '-e', rows + select)
    same((done.code, done.out), (4, 'K\na\nb\n'))
    waiting = start('--timeout=0.3', '-e', STREAM + "COPY s FROM '-'")
    same(waiting.wait(10 * SLOW), 4)
    finish(waiting)
    assert time.time() - begin < 5 * SLOW
    done = weir('--on-error', 'continue', '-e', 'SELECT 1 FROM x; SHOW TOPICS')
    same(done.code, 1)
    has(done.out, 'Partitions')
    for args in (['--rows', '0'], ['--timeout', 'x'], ['--timeout', '-1'], ['--on-error', 'no'],
                 ['-v', 'x'], ['--color', 'red']):
        same(weir(*args).code, 2)


def test_variables_and_output_files():
    select = "SELECT k, '${word}' AS w FROM s EMIT CHANGES LIMIT 1"
    done = good('-v', "word=it's", '--format', 'tsv', '--output', 'rows.tsv', '-e',
                STREAM + "INSERT INTO s VALUES ('a\tb\\', 1); " + select)
    same(done.out, '')
    with open('rows.tsv') as file:
        same(file.read(), "K\tW\na\\tb\\\\\tit's\n")
    same(weir('--output', 'no/folder', '-e', 'SHOW TOPICS').code, 1)


def test_values_that_fail_are_told():
    done = good('--format', 'ndjson', '-e', 'SELECT 1/0 AS a, 2 AS b')
    same(done.rows(), [{'A': None, 'B': 2}])
    has(done.err, '1 value could not be computed: ')


def test_manuals():
    for name, word in (('sql', '## CREATE STREAM'), ('functions', 'SUBSTRING'), ('man', '.SH OPTIONS'),
                       ('settings', 'auto.offset.reset'), ('extensions', 'COPY'), ('datagen', 'clickstream'),
                       ('zsh', '--format=['), ('bash', '--format')):
        has(good('manual', name).out, word)
    same(weir('manual', 'nope').code, 2)
    done = subprocess.run(['bash', '-c', 'source /dev/stdin; COMP_WORDS=(weir --fo); COMP_CWORD=1; '
                           '_weir; echo ${COMPREPLY[0]}'], input=good('manual', 'bash').out,
                          capture_output=True, text=True, check=True)
    same(done.stdout, '--format\n')


def test_examples_of_the_manual_run():
    """Every statement's example, one behind the other, as the manual shows them."""
    write('readings.ndjson', '{"sensor":"s1","value":40}\n')
    write('more.sql', 'SHOW TOPICS;')
    text = good('manual', 'sql').out
    examples = dict(zip(re.findall('^## (.*)$', text, re.M), re.findall('```sql\n(.*?)```', text, re.S)))
    order = ['CREATE STREAM', 'CREATE TABLE', 'ALTER STREAM | TABLE'] + sorted(
        examples, key=lambda name: (name.split()[0] in ('DROP', 'TERMINATE', 'ALTER'), name))
    for name in dict.fromkeys(order):
        define = examples['DEFINE'] if name == 'UNDEFINE' else ''
        done = weir('d', '-e', define + examples[name])
        fits = name == 'ALTER QUERY' and 'has not stopped at a record' in done.err
        assert done.code == 0 or fits or 'error (unsupported)' in done.err, (name, done)


def test_scripts_run_scripts():
    write('inner.sql', "SHOW TOPICS; SELECT nothing;")
    write("it's.sql", "RUN SCRIPT 'inner.sql'; SHOW STREAMS;")
    done = weir('--format', 'csv', '-e', "RUN SCRIPT 'it''s.sql'; SHOW TABLES")
    same((done.code, done.out), (1, 'Topic,Partitions,Records\n'))
    has(done.err, ' in inner.sql: line 1:')
    write('round.sql', "RUN SCRIPT 'round.sql'")
    has(weir('-f', 'round.sql').err, 'error (limit)')
    has(weir('-e', "RUN SCRIPT 'none.sql'").err, 'none.sql')
    done = good('--format', 'csv', '-e', "SPOOL 'rows.txt'; SHOW TOPICS; SPOOL OFF; SHOW TABLES")
    has(done.out, 'Topic,Partitions,Records\nName,')
    with open('rows.txt') as file:
        same(file.read(), 'Topic,Partitions,Records\n')


def test_rows_as_statements():
    create = ("CREATE STREAM n (k STRING KEY, a ARRAY<STRING>, m MAP<STRING, INT>, "
              "t STRUCT<x INT, y ARRAY<STRUCT<z DOUBLE>>>, d DECIMAL(4,2), b BOOLEAN, l BIGINT) "
              "WITH (KAFKA_TOPIC='n', PARTITIONS=1, VALUE_FORMAT='JSON');")
    insert = ("INSERT INTO n (k, a, m, t, d, b, l) VALUES ('it''s', ARRAY['a\"b', 'c,d'], "
              "MAP('x>' := 1, 'y' := 2), STRUCT(x := 7, y := ARRAY[STRUCT(z := 1.5E0)]), 12.50, "
              "true, NULL);")
    select = 'SELECT * FROM n EMIT CHANGES LIMIT 1;'
    made = good('--format', 'insert', '-e', create + insert + select).out
    again = good('--format', 'ndjson', '-e', create + made.replace('RESULT', 'N') + select).rows()
    same(again, good('--format', 'ndjson', '-e', create + insert + select).rows())


def test_markdown():
    done = good('--format', 'markdown', '-e', STREAM + "INSERT INTO s VALUES ('a|b', 1);"
                'SELECT * FROM s EMIT CHANGES LIMIT 1;')
    same(done.out, '| K | V |\n| --- | ---: |\n| a\\|b | 1 |\n')


# == weir test =====================================================================================

TOTALS = """# totals.test - sums
sql    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
sql    CREATE TABLE t AS
         SELECT k, SUM(v) AS n FROM s GROUP BY k;
in     s a | {"v":1}
in     s @5 a | {"v":2}
%s
# what stays
rows   SELECT *
         FROM t;
%s
"""
GOOD = TOTALS % ('out    T a | {"N":1} @0\nout    T a | {"N":3} @5', 'row    a | 3')


def test_reports_of_tests():
    os.mkdir('tests')
    write('tests/good.test', GOOD)
    write('tests/bad.test', GOOD.replace('a | 3', 'a | <4>'))
    done = weir('test', 'tests', '--jobs', '4')
    same((done.code, done.out.split('\n')[-2]), (1, '1 passed, 1 failed, 0 skipped'))
    has(done.out, '- a | <4>')
    done = weir('test', 'tests', '--report', 'tap')
    has(done.out, 'TAP version 13\n1..2\nnot ok 1 - tests/bad.test\n# tests/bad.test:10: ')
    has(done.out, 'ok 2 - tests/good.test\n')
    from xml.etree import ElementTree
    suite = ElementTree.fromstring(weir('test', 'tests', '--report', 'junit').out)
    same([(case.get('name'), case.find('failure') is not None) for case in suite],
         [('tests/bad.test', True), ('tests/good.test', False)])
    has(suite[0].find('failure').text, '<4>')
    done = good('test', 'tests/good.test', '--coverage')
    has(done.out, '     1  CREATE TABLE AS SELECT\n')
    has(done.out, '     1  SELECT (lookup)\n')
    has(done.out, '     0  CREATE TABLE\n')
    same(weir('test', 'tests', '--report', 'x').code, 2)


def test_update_of_tests():
    short = GOOD.replace('out    T a | {"N":3} @5\n', '')
    for text, wanted in (
            (TOTALS % ('out    T b | {"N":9} @1', ''), GOOD + '\n'),
            (GOOD.replace('"N":3', '"N":2').replace('a | 3', 'a | 2\nrow    b'), GOOD),
            (short, short + 'out    T a | {"N":3} @5\n')):
        write('t.test', text)
        same(weir('test', 't.test').code, 1)
        has(good('test', 't.test', '--update').out, 'updated')
        with open('t.test') as file:
            same(file.read(), wanted)
    same(good('test', 't.test', '--update').out, '1 passed, 0 failed, 0 skipped\n')


# == A file as a stream ============================================================================

def test_file_as_a_stream():
    write("it's 2 rows.ndjson", '{"n":1,"d":1,"t":"2001/01/01 00:47","a":[{"x":true}],"B-c":null}\n'
          '{"n":2,"d":1.5,"t":"2001/01/02 00:47","seen":1517363399650}\n')
    done = good('--format', 'ndjson', "it's 2 rows.ndjson", '-e',
                'SELECT n, d, a[1]->x AS x, seen, `B-c`, ROWTIME AS r FROM it_s_2_rows EMIT CHANGES;'
                'SELECT SUM(n) AS s FROM it_s_2_rows GROUP BY 1 EMIT CHANGES')
    same(done.rows(), [
        {'N': 1, 'D': 1.0, 'X': True, 'SEEN': None, 'B-c': None, 'R': 978310020 * 1000},
        {'N': 2, 'D': 1.5, 'X': None, 'SEEN': '2018-01-31T01:49:59.650', 'B-c': None,
         'R': 978396420 * 1000}, {'S': 1}, {'S': 3}])


def test_csv_file_as_a_stream():
    write('2.csv', 'id,"my name",at,price\n1,"a, ""b""",2020-01-01 10:00:00,1.50\n2,,2020-01-02 10:00:00,3\n')
    done = good('--format', 'ndjson', '2.csv', '-e',
                'SELECT id, `my name` AS m, price FROM _2 EMIT CHANGES')
    same(done.rows(), [{'ID': 1, 'M': 'a, "b"', 'PRICE': 1.5}, {'ID': 2, 'M': None, 'PRICE': 3.0}])


def test_standard_input_as_a_stream():
    """Rows come out as they come in, and the query ends with them."""
    process = start('-', '--format', 'csv', '-e', 'SELECT v * 2 AS w FROM input EMIT CHANGES')
    lines = Lines(process.stdout)
    for value in range(3):
        process.stdin.write(b'{"v":%d}\n' % value)
        process.stdin.flush()
        lines.wait(2 + value)
    process.stdin.close()
    same(process.wait(10 * SLOW), 0)
    same(lines.lines, ['W', '0', '2', '4'])


def test_files_that_are_no_rows():
    write('text.ndjson', 'hello\n')
    write('empty.csv', '')
    for name in ('text.ndjson', 'empty.csv'):
        done = weir(name, '-e', 'SHOW STREAMS')
        same((done.code, done.out), (3, ''))
        has(done.err, name)
    same(weir('-', data='{"a":1}\n').code, 2)
    assert not os.path.isdir('text.ndjson')


# == Running them ==================================================================================

def main(tests=None):
    word = sys.argv[sys.argv.index('-k') + 1] if '-k' in sys.argv else ''
    passed = failed = skipped = 0
    for name, test in sorted((tests or globals()).items(), key=lambda item: getattr(
            getattr(item[1], '__code__', None), 'co_firstlineno', 0)):
        if not name.startswith('test_') or word not in name:
            continue
        before, folder = os.getcwd(), tempfile.mkdtemp(prefix='weir-cli-')
        os.chdir(folder)
        begin = time.time()
        try:
            test()
            passed += 1
        except Skip:
            skipped += 1
        except Exception:
            failed += 1
            print('FAIL %s' % name)
            traceback.print_exc(limit=-2, file=sys.stdout)
        finally:
            os.chdir(before)
            shutil.rmtree(folder, ignore_errors=True)
        if '-v' in sys.argv:
            print('%6.2f s %s' % (time.time() - begin, name), flush=True)
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
