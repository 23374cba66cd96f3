# oracle_regex.py - the REGEXP functions over the cases of a table that Java made.
#
# regexp_table.txt says what java.util.regex gives; RegexpTable.java makes it and describes a line.
# Its grammar of patterns leaves out what docs/regexp.md lists as different from Java.
import json
import re
import subprocess
import sys
import tempfile

NAMES = {'\\': '\\', 'c': ',', 'w': '~', 't': '\t', 'n': '\n', 'r': '\r'}
ROWS = 20000  # rows in one run of weir
SELECT = '''SELECT i, REGEXP_EXTRACT_ALL(p, t) AS g0, REGEXP_EXTRACT_ALL(p, t, 1) AS g1, REGEXP_REPLACE(t, p, r) AS made, REGEXP_SPLIT_TO_ARRAY(t, p) AS parts,
  REGEXP_EXTRACT(p, t) AS first FROM s EMIT CHANGES LIMIT %d;'''


def shown(field):
    return None if field == '~' else re.sub(r'\\(.)', lambda m: NAMES[m[1]], field)


def listed(field):
    return None if field == '~' else [shown(item) for item in field.split(',')[:-1]]


def read(path):
    with open(path, encoding='utf-8', newline='\n') as file:
        for i, line in enumerate(file.read().split('\n')[:-1]):
            f = line.split('\t')
            yield {'i': i, 'p': shown(f[0]), 't': shown(f[1]), 'r': shown(f[2])}, [listed(f[3]), listed(f[4]), shown(f[5]), listed(f[6])]


def run(weir, rows):
    with tempfile.NamedTemporaryFile('w', suffix='.ndjson') as file:
        for row in rows:
            file.write(json.dumps(row) + '\n')
        file.flush()
        made = "CREATE STREAM s (i INT, p STRING, t STRING, r STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);" \
               f"COPY s FROM '{file.name}';" + SELECT % len(rows)
        done = subprocess.run([weir, '-e', made, '--format', 'ndjson'], capture_output=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode()[-500:])
    return {row['I']: row for row in (json.loads(line) for line in done.stdout.decode().split('\n') if line)}


def prove(weir, path, count, show):
    cases, bad = list(read(path))[:count], 0
    for first in range(0, len(cases), ROWS):
        part = cases[first:first + ROWS]
        got = run(weir, [row for row, _ in part])
        for row, want in part:
            have = [got[row['i']][name] for name in ('G0', 'G1', 'MADE', 'PARTS')]
            once = want[0][0] if want[0] else None
            if have == want and got[row['i']]['FIRST'] == once:
                continue
            bad += 1
            if bad <= show:
                print(f'{row!r}\n  java {want!r}\n  weir {have!r}')
    if bad:
        print(f'FAILED {bad} of {len(cases)} cases differ')
    else:
        print(f'{len(cases)} cases: matches, groups, replacements and parts as in Java\nPROVED')
    return bad > 0


if __name__ == '__main__':
    sys.exit(prove(sys.argv[1], sys.argv[2], int(sys.argv[3]), 10))
