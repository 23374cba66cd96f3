#!/usr/bin/env python3
"""examples.py WEIR [NAME...] - every example gives what it promises, also when it is killed.

An example is a folder of examples/ with expected.csv: its numbered .sql files are run in order, and
what the last one (its questions) answers as csv must be expected.csv, byte for byte:

  straight   all files in one process
  killed     the process dies by SIGKILL when some of the records have come, and others go on:
             generators by themselves, a COPY from a pipe with the rest of the file
  oracle     expected.py computes the answers without Weir; on its standard input are the rows of
             generated sources, one {"source": NAME, "row": {COLUMN: VALUE, ...}} a line

--update writes expected.csv. The last line is "N passed, N failed, N skipped".
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRIES = 6  # until a kill comes in the middle
TIMEOUT = 120


class Failed(Exception):
    pass


def weir(*args):
    done = subprocess.run([WEIR, *args], cwd=ROOT, stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failed('weir %s: exit %d\n%s' % (' '.join(args), done.returncode,
                                               done.stderr.decode()))
    return done.stdout


def files(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if re.match(r'\d.*\.sql$', name))


def listed(paths):
    return [word for path in paths for word in ('-f', path)]


def straight(folder, data):
    *before, ask = files(folder)
    weir(data, *listed(before))
    return weir(data, '--format', 'csv', '-f', ask)


def records(shown):
    """Of SHOW TOPICS as csv: all records of topics that no query writes."""
    rows = [line.split(',') for line in shown.split('\n')]
    return sum(int(row[2]) for row in rows if len(row) == 3 and row[0] in ASKED)


def topics(folder):
    """The topics of its sources, by the statements that make them."""
    text = ''.join(open(path).read() for path in files(folder))
    names = set()
    for made in re.finditer(r'CREATE (?:STREAM|TABLE) (\w+)\s*(?:\([^;]*?\)\s*)?WITH \(([^;]*)\);',
                            text):
        topic = re.search(r"KAFKA_TOPIC='([^']*)'", made.group(2))
        names.add(topic.group(1) if topic else made.group(1).upper())
    return names


def total(data):
    return records(weir(data, '--format', 'csv', '-e', 'SHOW TOPICS;').decode())


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            pipe.close()
        except BrokenPipeError:
            pass


STREAM = re.compile(r"CREATE STREAM (\w+)\s*(?:\([^;]*?\)\s*)?WITH \(\s*SOURCE='datagen'[^;]*;")


def make_paused(data, paths):
    """Makes everything, with the generators of streams held back. Their names."""
    names = []
    for path in paths:
        text = open(path).read()
        names += STREAM.findall(text)
        text = STREAM.sub(lambda made: '%s PAUSE %s;' % (made.group(0), made.group(1)), text)
        weir(data, '-e', text)
    return names


def kill_generators(data, names):
    """Lets the generators go on, and kills the process when there is more than before."""
    process = subprocess.Popen([WEIR, data, '--format', 'csv'], cwd=ROOT, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    begin, deadline = None, time.time() + TIMEOUT
    process.stdin.write(''.join('RESUME %s;' % name for name in names).encode())
    while time.time() < deadline:
        process.stdin.write(b"SHOW TOPICS; SELECT 'end' AS e;\n")
        process.stdin.flush()
        shown = b''
        while b'\nend' not in b'\n' + shown:
            line = process.stdout.readline()
            if not line:
                raise Failed('the process ended by itself')
            shown += line
        now = records(shown.decode())
        begin = now if begin is None else begin
        if now > begin:
            break
    kill(process)


def kill_copy(data, path, source):
    """Feeds a part of the file to a COPY through a pipe, and kills it."""
    process = subprocess.Popen([WEIR, data, '-e', "COPY %s FROM '-';" % source], cwd=ROOT,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    lines = open(path, 'rb').readlines()
    process.stdin.write(b''.join(lines[:len(lines) // 2]))
    process.stdin.flush()
    time.sleep(0.5)
    kill(process)
    arrived = total(data)
    rest = subprocess.run([WEIR, data, '-e', "COPY %s FROM '-';" % source], cwd=ROOT,
                          input=b''.join(lines[arrived:]), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIMEOUT)
    if rest.returncode != 0:
        raise Failed('the rest of the COPY: %s' % rest.stderr.decode())
    return arrived


def killed(folder, data):
    """Answers, and how many records there were at the kill and in the end."""
    *before, ask = files(folder)
    copies = [copy for path in before
              for copy in re.findall(r"COPY (\w+) FROM '([^']*)'", open(path).read())]
    names = make_paused(data, [path for path in before if 'COPY' not in open(path).read()])
    if copies:
        (source, path), = copies
        arrived = kill_copy(data, os.path.join(ROOT, path), source)
    else:
        kill_generators(data, names)
        process = subprocess.Popen([WEIR, data, '-e', 'SHOW TOPICS;', '--format', 'csv'], cwd=ROOT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        arrived = records(process.communicate(timeout=TIMEOUT)[0].decode())
    answers = weir(data, '--format', 'csv', '-f', ask)
    return answers, arrived, total(data)


GENERATED = re.compile(r"CREATE (?:STREAM|TABLE) (\w+)\s*(?:\([^;]*?\)\s*)?"
                       r"WITH \(\s*SOURCE='datagen'[^;]*;")


def generated(folder, data):
    """The rows of its generated sources, for expected.py."""
    text = ''.join(open(path).read() for path in files(folder))
    counts = weir(data, '--format', 'csv', '-e', 'SHOW TOPICS;').decode().split('\n')
    counts = {row.split(',')[0]: row.split(',')[2] for row in counts if row.count(',') == 2}
    lines = []
    for name in GENERATED.findall(text):
        shown = weir(data, '--format', 'ndjson', '-e', 'SELECT ROWTIME AS at_ms, * FROM %s '
                     'EMIT CHANGES LIMIT %s;' % (name, counts[name.upper()]))
        lines += ['{"source": "%s", "row": %s}' % (name.upper(), line)
                  for line in shown.decode().split('\n') if line]
    return '\n'.join(lines).encode()


def same(what, got, want):
    if got != want:
        raise Failed('%s: wanted\n%s\ngot\n%s' % (what, want.decode(), got.decode()))


def check(name, folder):
    expected_path = os.path.join(folder, 'expected.csv')
    with tempfile.TemporaryDirectory() as scratch:
        got = straight(folder, os.path.join(scratch, 'straight'))
        if UPDATE:
            open(expected_path, 'wb').write(got)
        expected = open(expected_path, 'rb').read()
        same('straight', got, expected)
        rows = generated(folder, os.path.join(scratch, 'straight'))
        print('%s: straight' % name)
        for attempt in range(TRIES):
            data = os.path.join(scratch, 'killed')
            shutil.rmtree(data, ignore_errors=True)
            got, arrived, end = killed(folder, data)
            same('killed at %d of %d records' % (arrived, end), got, expected)
            if 0 < arrived < end:
                break
        else:
            raise Failed('no kill came in the middle: %d of %d' % (arrived, end))
        print('%s: killed with about %d of %d records' % (name, arrived, end))
    oracle = os.path.join(folder, 'expected.py')
    if os.path.exists(oracle):
        computed = subprocess.run([sys.executable, oracle], cwd=ROOT, input=rows,
                                  stdout=subprocess.PIPE, check=True).stdout
        same('computed without Weir', expected, computed)
        print('%s: as computed without Weir' % name)


UPDATE = '--update' in sys.argv
ARGS = [arg for arg in sys.argv[1:] if not arg.startswith('-')]
WEIR = os.path.abspath(ARGS[0] if ARGS else 'build/release/weir')
ASKED = set()


def main():
    here = os.path.join(ROOT, 'examples')
    names = ARGS[1:] or sorted(name for name in os.listdir(here)
                               if os.path.exists(os.path.join(here, name, '1-make.sql')))
    failed = 0
    for name in names:
        folder = os.path.join(here, name)
        ASKED.clear()
        ASKED.update(topics(folder))
        try:
            check(name, folder)
        except (Failed, subprocess.SubprocessError) as error:
            failed += 1
            print('FAILED %s: %s' % (name, error))
    print('%d passed, %d failed, 0 skipped' % (len(names) - failed, failed))
    sys.exit(1 if failed else 0)


main()
