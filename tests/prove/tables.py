"""tables.py WEIR N SEED - tables joined with tables give what SQL says of the final rows.

A case: three tables are changed at random (rows put, changed, deleted through a filter, foreign
keys moved, made NULL) by COPYs in any interleaving; a query joins them, on primary keys (two or
three tables, INNER, LEFT, RIGHT, FULL) or on a foreign key, maybe with WHERE. It runs with 1, 3 and
8 partitions (those of a foreign key's table differ) and 1 and 2 workers, on a folder, and with
kill -9 in between: then the COPY at hand is done again; keys are in formats of any kind. The joined table, and a table made from its
topic, must hold what sqlite3 says of the final rows. Last line: PROVED, or FAILED and why.
"""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

KEYS = 40
SHAPES = [(1, 1), (1, 2), (3, 1), (3, 2), (8, 1), (8, 2)]
KINDS = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL OUTER JOIN']


class Case:
    """The statements of one case, and the question to sqlite3."""

    def __init__(self, dice):
        self.foreign = dice.random() < 0.5
        three = dice.random() < 0.4
        if self.foreign:
            first = dice.choice(['JOIN', 'LEFT JOIN'])
            self.on = dice.choice(['l.fk = r.id', 'l.fk + 1 = r.id', 'r.id = l.fk'])
            key = 'l.id'
        else:
            first = dice.choice(KINDS[:3] if three else KINDS)
            self.on = 'l.id = r.id'
            key = 'r.id' if first == 'RIGHT JOIN' else 'l.id'
        self.joins = f'l {first} r ON {self.on}'
        columns = ['l.id AS lid', 'a', 'l.fk AS fk', 'r.id AS rid', 'b']
        last = first
        if three:
            last = dice.choice(KINDS)
            self.joins += f' {last} t ON {key} = t.id'
            columns += ['t.id AS tid', 'c']
        self.columns = columns
        self.where = ''
        if dice.random() < 0.3:
            self.where = ' WHERE ' + dice.choice(["b > 'm'", 'l.fk < 20', "a <> 'a3'", "b > 'd' AND l.fk > 5"])
        self.key = 'ROWKEY' if last == 'FULL OUTER JOIN' else 'l.id'
        self.three = three
        if self.key != 'ROWKEY':
            columns.remove('l.id AS lid')  # the key is the join's: not NULL where the left row is missing

    def weir(self):
        return f'CREATE TABLE j AS SELECT {self.key} AS k, {", ".join(self.columns)} FROM {self.joins}{self.where};'

    def shown(self):
        return [column.split(' AS ')[-1] for column in self.columns]

    def sqlite(self):
        ids = ['l.id'] + ['r.id'] * (not self.foreign) + ['t.id'] * self.three
        key = f'coalesce({", ".join(ids)})' if len(ids) > 1 else ids[0]
        return f'select {key} as k, {", ".join(self.columns)} from {self.joins}{self.where}'


def changes(dice, count):
    """COPYs: (table, rows); and the final rows by table."""
    final = {'l0': {}, 'r0': {}, 't0': {}}
    copies = []
    for _ in range(count):
        table = dice.choice(['l0', 'l0', 'r0', 't0'])
        rows = []
        for _ in range(dice.randint(1, 30)):
            row = {'id': dice.randint(1, KEYS), 'gone': dice.random() < 0.25}
            if table == 'l0':
                row['a'] = f'a{dice.randint(0, 5)}'
                row['fk'] = None if dice.random() < 0.1 else dice.randint(1, KEYS)
            else:
                row['b' if table == 'r0' else 'c'] = dice.choice('abcdefghijklmnopqrstuvwxyz')
            rows.append(row)
            final[table][row['id']] = row
        copies.append((table, rows))
    return copies, final


def answer(case, final):
    db = sqlite3.connect(':memory:')
    db.execute('create table l (id int, a text, fk int)')
    db.execute('create table r (id int, b text)')
    db.execute('create table t (id int, c text)')
    for table, columns in (('l', ['id', 'a', 'fk']), ('r', ['id', 'b']), ('t', ['id', 'c'])):
        rows = [[row[c] for c in columns] for row in final[table + '0'].values() if not row['gone']]
        db.executemany(f'insert into {table} values ({", ".join("?" * len(columns))})', rows)
    return sorted(map(tuple, db.execute(case.sqlite())), key=repr)


def setup(case, partitions, dice):
    right = dice.choice([1, 2, 5]) if case.foreign else partitions
    third = partitions
    # Keys in different formats lie in different partitions: one side is moved.
    formats = iter([dice.choice(['KAFKA', 'KAFKA', 'JSON', 'DELIMITED']) for _ in range(3)])
    with_ = "WITH (KAFKA_TOPIC='{0}', VALUE_FORMAT='JSON', PARTITIONS={1}, KEY_FORMAT='{2}');"
    return [
        f"CREATE TABLE l0 (id INT PRIMARY KEY, a STRING, fk INT, gone BOOLEAN) {with_.format('l0', partitions, next(formats))}",
        f"CREATE TABLE r0 (id INT PRIMARY KEY, b STRING, gone BOOLEAN) {with_.format('r0', right, next(formats))}",
        f"CREATE TABLE t0 (id INT PRIMARY KEY, c STRING, gone BOOLEAN) {with_.format('t0', third, next(formats))}",
        "CREATE TABLE l AS SELECT id, a, fk FROM l0 WHERE gone = FALSE;",
        "CREATE TABLE r AS SELECT id, b FROM r0 WHERE gone = FALSE;",
        "CREATE TABLE t AS SELECT id, c FROM t0 WHERE gone = FALSE;",
        case.weir(),
        "CREATE TABLE again AS SELECT * FROM j;",
    ]


def run(weir, folder, workers, statements, kill_after=None):
    """True: it ended by itself. What it wrote, and whether it was killed."""
    command = [weir, folder, '--no-rc', '--workers', str(workers), '--format', 'ndjson', '--os-durability', '-f', '-']
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if kill_after is not None:
        process.stdin.write('\n'.join(statements) + '\n')
        process.stdin.flush()
        time.sleep(kill_after)
        process.kill()
        process.communicate()
        return None
    out, err = process.communicate('\n'.join(statements) + '\n', timeout=120)
    if process.returncode != 0:
        raise RuntimeError(f'exit {process.returncode}: {err.strip()}')
    return out


def rows_of(text, shown):
    got = []
    for line in text.splitlines():
        row = {k.lower(): v for k, v in json.loads(line).items()}
        got.append(tuple(row[name] for name in ['k'] + shown))
    return sorted(got, key=repr)


def prove(weir, seed, shape, crash):
    dice = random.Random(seed)
    case = Case(dice)
    copies, final = changes(dice, dice.randint(4, 30))
    want = answer(case, final)
    partitions, workers = shape
    folder = tempfile.mkdtemp(prefix='weir-tables-')
    try:
        paths = []
        for number, (table, rows) in enumerate(copies):
            path = os.path.join(folder, f'{number}.ndjson')
            with open(path, 'w', encoding='utf8') as file:
                file.writelines(json.dumps(row) + '\n' for row in rows)
            paths.append(f"COPY {table} FROM '{path}';")
        data = os.path.join(folder, 'data')
        late = dice.randint(0, len(paths)) if dice.random() < 0.5 else 0
        made = setup(case, partitions, dice)
        statements = made[:3] + paths[:late] + made[3:] + paths[late:]
        if crash:
            cut = dice.randint(len(made[:3]) + late + len(made[3:]), len(statements))
            run(weir, data, workers, statements[:cut])
            at = cut
            while at < len(statements):
                # What was cut off goes on where it was: one COPY at a time, or they would change places.
                run(weir, data, workers, statements[at:at + 1], kill_after=dice.random() * 0.04)
                if dice.random() < 0.6:
                    run(weir, data, workers, statements[at:at + 1])
                    at += 1
            statements = []
        out = run(weir, data, workers, statements + ['SELECT * FROM j;'])
        again = run(weir, data, workers, ['SELECT * FROM again;'])
        for name, text in (('j', out), ('again', again)):
            got = rows_of(text, case.shown())
            if got != want:
                extra = [row for row in got if row not in want][:5]
                missing = [row for row in want if row not in got][:5]
                return f'{name} of {case.weir()} shape {shape} crash {crash}: extra {extra}, missing {missing}'
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def main():
    weir, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    begin = time.time()
    for number in range(count):
        dice = random.Random(seed * 1000003 + number)
        shape = SHAPES[number % len(SHAPES)]
        crash = number % 4 == 3
        try:
            wrong = prove(weir, seed * 1000003 + number, shape, crash)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            wrong = str(error)
        if wrong:
            print(f'FAILED case {number} of seed {seed}: {wrong}')
            sys.exit(1)
    print(f'{count} joins in {time.time() - begin:.1f} s, a quarter with kill -9')
    print('PROVED')


main()
