"""batch.py WEIR N SEED - generated queries over streams out of order end where sqlite3 does.

Beside the cases of answers.py (real flights) there are two generated streams, whose rows come up to
JITTER out of order, and a table: joined stream with stream (all kinds, WITHIN and GRACE PERIOD wide
enough that no row is late), with the table, with themselves, several in a row; tables with tables,
and by a foreign key. What comes out is grouped, filtered and looked up as in answers.py. Runs with
1, 3 and 8 partitions and 1 and 2 workers. The rows are there before the queries, so that both sides
of a join are read by their times; then each run is killed at random moments and begun again.

Conditions and expressions see no NULL of the joined rows (guarded): what fails on one is NULL in
Weir, with all around it, and that has proofs of its own.
"""
import json
import random
import signal
import subprocess
import sys
import tempfile
import time

import answers
from answers import CASES_PER_LOAD, FLIGHTS, SHAPES, SOURCES, Case, E, Scope, Source, load_sqlite, run, same

JITTER = 20000
END = 7777777  # in `a`: rows that only move stream time, of every partition
ROWS = 1500
SQL = SOURCES.split('COPY ')[0] + """CREATE STREAM lefts (k STRING KEY, x STRING, a INT, ts BIGINT)
  WITH (KAFKA_TOPIC='lefts', PARTITIONS={p}, VALUE_FORMAT='JSON', TIMESTAMP='ts');
CREATE STREAM rights (k STRING KEY, x STRING, a INT, ts BIGINT)
  WITH (KAFKA_TOPIC='rights', PARTITIONS={q}, VALUE_FORMAT='JSON', TIMESTAMP='ts');
CREATE TABLE names (k STRING PRIMARY KEY, n STRING, w INT)
  WITH (KAFKA_TOPIC='names', PARTITIONS={p}, VALUE_FORMAT='JSON');
"""
ROWS_SQL = f"COPY flights FROM '{FLIGHTS}' (FORMAT ndjson);" + """
COPY airports FROM '{airports}'; COPY names FROM '{names}' (FORMAT ndjson);
COPY lefts FROM '{lefts}' (FORMAT ndjson); COPY rights FROM '{rights}' (FORMAT ndjson);
"""


def generate(dice):
    """Both streams: in order of arrival; then the rows that end every window of every partition."""
    streams, clock = {}, 1000000
    for name in ('lefts', 'rights'):
        rows, clock = [], 1000000
        for i in range(ROWS):
            clock += dice.randint(0, 4000)
            key, x = f'k{dice.randint(0, 30)}', None if dice.random() < 0.05 else f'k{dice.randint(0, 15)}'
            rows.append((key, x, dice.randint(-20, 50), clock))
        rows.sort(key=lambda row: row[3] + dice.randint(0, JITTER))
        end = 1000000 + ROWS * 4000 + 40 * 86400000
        rows += [(f'e{i:02d}', f'e{i:02d}', END, end + i % 2) for i in range(100)]  # also by their digits
        streams[name] = rows
    streams['names'] = [(f'k{i}', f'name {i % 7}', i * 3) for i in range(31) if i % 4]
    return streams


def guarded(text, kind='int', null=False):
    if not null:
        return E(text, kind=kind)
    other = {'text': "'none'", 'int': '-1', 'big': 'CAST(-1 AS BIGINT)', 'double': '-1.0E0'}.get(kind)
    return E(f'COALESCE({text}, {other})', f"coalesce({text}, {other.replace('BIGINT', 'INT')})", kind) if other else E('-1')


COLUMNS = {'lefts': 'k, x, a, ts', 'rights': 'k, x, a, ts', 'names': 'k, n, w'}


def load(db, streams, folder):
    for name, rows in streams.items():
        columns = COLUMNS[name].split(', ')
        db.execute(f"create table {name} ({COLUMNS[name]})")
        db.executemany(f"insert into {name} values ({', '.join('?' * len(columns))})", rows)
        with open(f'{folder}/{name}', 'w', encoding='utf8') as file:
            file.writelines(json.dumps(dict(zip(columns, row))) + '\n' for row in rows)


class BatchCase(Case):
    """A case over the generated streams."""

    def __init__(self, dice, number, db):
        self.dice, self.number, self.db = dice, number, db
        self.statements, self.questions, self.made = [], [], 0
        how = dice.randrange(10)
        if how < 2:
            self.tables()
            return
        source = self.meet()
        for _ in range(dice.choice([0, 0, 1, 2])):
            source = self.stream(source)
        self.table(source)

    def time(self, alias):
        return f'max(coalesce({alias}.lts, {alias}.rts), coalesce({alias}.rts, {alias}.lts))'

    def joined(self, source):
        """Maybe with the table of names."""
        dice = self.dice
        texts = [c[0] for c in source.columns if c[1] == 'text' and not c[0].startswith('x')]
        if dice.random() < 0.5 or not texts:
            return f'{source.name} f', f'{source.lite} f', Scope(source.scope())
        left = 'LEFT ' if dice.random() < 0.5 else ''
        join = f'{left}JOIN names n ON f.{dice.choice(texts)} = n.k'
        columns = [guarded('n.n', 'text', bool(left)), guarded('n.w', 'int', bool(left))]
        return f'{source.name} f {join}', f'{source.lite} f {join}', Scope(source.scope() + columns)

    def meet(self):
        """A stream of two streams."""
        dice, name = self.dice, self.name('j')
        kind = dice.choice(['INNER', 'INNER', 'LEFT', 'RIGHT', 'FULL'])
        left, right = dice.choice([('lefts', 'rights')] * 3 + [('rights', 'lefts'), ('lefts', 'lefts')])
        before, after = (dice.randint(2 * JITTER, 6 * JITTER) for _ in range(2))
        grace = dice.randint(2 * JITTER, 4 * JITTER)
        on = [dice.choice(['k', 'k', 'x']), dice.choice(['k', 'x'])]
        sides = [f'l.{on[0]}', f'r.{on[1]}']
        whole = kind == 'FULL'
        if dice.random() < 0.2:
            sides = [f'SUBSTRING({side}, 2, 2)' for side in sides]
            whole = True
        lites = [side.replace('SUBSTRING', 'substr') for side in sides]
        key = {'INNER': lites[0], 'LEFT': lites[0], 'RIGHT': lites[1], 'FULL': f'coalesce({lites[0]}, {lites[1]})'}[kind]
        jk = f'jk{self.made}'
        weir_key = 'ROWKEY' if whole else sides[1] if kind == 'RIGHT' else sides[0]
        names = [('l.x', 'lx'), ('l.a', 'la'), ('l.ts', 'lts'), ('r.x', 'rx'), ('r.a', 'ra'), ('r.ts', 'rts')]
        items = ', '.join(f'AS_VALUE({c}) AS {n}' if c == weir_key else f'{c} AS {n}' for c, n in names)
        lite_items = ', '.join(f'{c} AS {n}' for c, n in names)
        test = f'COALESCE(l.a, 0) <> {END} AND COALESCE(r.a, 0) <> {END}'
        self.statements.append(
            f"CREATE STREAM {name} WITH (FORMAT='JSON') AS SELECT {weir_key} AS {jk}, {items} FROM {left} l {kind} JOIN "
            f'{right} r WITHIN ({before} MILLISECONDS, {after} MILLISECONDS) GRACE PERIOD {grace} MILLISECONDS '
            f'ON {sides[0]} = {sides[1]} WHERE {test};')
        lite = (f'SELECT {key} AS {jk}, {lite_items} FROM {left} l {kind} JOIN {right} r ON {lites[0]} = {lites[1]} '
                f'AND r.ts BETWEEN l.ts - {before} AND l.ts + {after} WHERE {test}')
        l_null, r_null = kind in ('RIGHT', 'FULL'), kind in ('LEFT', 'FULL')
        lite += ' LIMIT -1'  # sqlite is not to flatten it: with RIGHT inside it then refuses the join around
        return Source(name, f'({lite})', [(jk, 'text', True), ('lx', 'text', True), ('la', 'int', l_null), ('lts', 'big', l_null),
                                          ('rx', 'text', True), ('ra', 'int', r_null), ('rts', 'big', r_null)])

    def grouped(self, source):
        """A table of a stream, by one column."""
        dice, name = self.dice, self.name('g')
        key = dice.choice(['k', 'x'])
        weir = f'f.{key} AS g, COUNT(*) AS c, SUM(f.a) AS s, MAX(f.x) AS m'
        lite = f'f.{key} AS g, COUNT(*) AS c, coalesce(SUM(f.a), 0) AS s, MAX(f.x) AS m'
        test = f'f.a <> {END} AND f.a > {dice.randint(-20, 30)}'
        self.statements.append(f"CREATE TABLE {name} WITH (FORMAT='JSON', PARTITIONS=3) AS SELECT {weir} FROM {source} f "
                               f'WHERE {test} GROUP BY f.{key};')
        return name, f'(SELECT {lite} FROM {source} f WHERE {test} AND f.{key} IS NOT NULL GROUP BY f.{key})'

    def tables(self):
        """Tables of both streams, joined by their keys or by a foreign one."""
        dice = self.dice
        (one, one_lite), (two, two_lite) = self.grouped('lefts'), self.grouped('rights')
        name = self.name('t')
        if dice.random() < 0.5:
            kind, on, key, weir_key = dice.choice(['INNER', 'LEFT']), 'l.m = r.g', 'l.g', 'l.g'
        else:
            kind, on = dice.choice(['INNER', 'LEFT', 'RIGHT', 'FULL']), 'l.g = r.g'
            key = {'INNER': 'l.g', 'LEFT': 'l.g', 'RIGHT': 'r.g', 'FULL': 'coalesce(l.g, r.g)'}[kind]
            weir_key = 'ROWKEY' if kind == 'FULL' else key
        items = 'l.c AS lc, l.s AS ls, l.m AS lm, r.c AS rc, r.s AS rs'
        self.statements.append(f'CREATE TABLE {name} AS SELECT {weir_key} AS g0, {items} FROM {one} l {kind} JOIN {two} r '
                               f'ON {on};')
        lite = f'(SELECT {key} AS g0, {items} FROM {one_lite} l {kind} JOIN {two_lite} r ON {on} LIMIT -1)'
        l_null, r_null = kind in ('RIGHT', 'FULL'), kind in ('LEFT', 'FULL')
        columns = [('g0', 'text', False), ('lc', 'big', l_null), ('ls', 'int', l_null), ('lm', 'text', True), ('rc', 'big', r_null),
                   ('rs', 'int', r_null)]
        self.ask_table(Source(name, lite, columns), 1, None)


def killed(weir, folder, workers, sql, dice):
    """Runs it, and is killed some moment later: what queries have still to do is cut off."""
    work = subprocess.Popen([weir, folder, '--workers', str(workers), '--format', 'ndjson', '--os-durability'], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    work.stdin.write(sql + 'SELECT 1 AS done;\n')
    work.stdin.flush()
    ended = 'DONE' not in work.stdout.readline()
    time.sleep(dice.random() ** 2 * 0.5)
    work.send_signal(signal.SIGKILL)
    work.wait()
    work.stdin.close()
    work.stdout.close()
    if ended:
        raise RuntimeError('it ended before it was killed')


def prove_shape(weir, cases, db, files, shape, dice):
    partitions, workers = shape
    uneven = dice.choice([partitions, partitions, 2, 5])
    with tempfile.TemporaryDirectory() as folder:
        run(weir, folder, workers, SQL.format(p=partitions, q=uneven) + ROWS_SQL.format(**files))
        killed(weir, folder, workers, '\n'.join('\n'.join(c.statements) for c in cases) + '\n', dice)
        for _ in range(dice.randint(0, 2)):
            killed(weir, folder, workers, '', dice)
        got = {}
        for row in run(weir, folder, workers, '\n'.join(q.weir for c in cases for q in c.questions)):
            got.setdefault(next(iter(row)).rsplit('_', 1)[0], []).append(tuple(row.values()))
    for case in cases:
        for i, question in enumerate(case.questions):
            why = differs(case, question, got.get(f'A{case.number}_{i}', []), db)
            if why:
                return f'{partitions} partitions ({uneven} of rights), {workers} workers:\n{why}'
    return None


def differs(case, question, got, db):
    want = db.execute(question.lite).fetchall()
    if same(got, want, question.ordered):
        return None
    odd = [row for row in got if row not in set(want)][:3]
    missing = [row for row in want if row not in set(got)][:3]
    made = '\n'.join(case.statements)
    return f'{made}\n{question.weir}\ngave {len(got)} rows, sqlite3 {len(want)}; too many {odd}, missing {missing}\n{question.lite}'


def prove(weir, count, seed, folder):
    dice, asked = random.Random(seed), 0
    answers.column = guarded
    files = {name: f'{folder}/{name}' for name in ('airports.csv', 'lefts', 'rights', 'names')}
    files['airports'] = files.pop('airports.csv')
    db = load_sqlite(files['airports'])
    load(db, generate(dice), folder)
    for first in range(0, count, CASES_PER_LOAD):
        cases = [(BatchCase if dice.random() < 0.8 else Case)(dice, i, db) for i in range(first, min(first + CASES_PER_LOAD, count))]
        shapes = SHAPES if count > CASES_PER_LOAD else [SHAPES[0], SHAPES[3], SHAPES[5]]
        for shape in shapes:
            try:
                why = prove_shape(weir, cases, db, files, shape, dice)
            except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
                made = '\n'.join('\n'.join(c.statements) for c in cases)
                why = f'{shape[0]} partitions, {shape[1]} workers:\n{made}\n{error}'
            if why:
                print(f'{why}\nFAILED seed {seed}')
                return 1
            asked += sum(len(c.questions) for c in cases)
    print(f'{count} cases, {asked} questions, all answered like sqlite3')
    print('PROVED')
    return 0


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as work:
        sys.exit(prove(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), work))
