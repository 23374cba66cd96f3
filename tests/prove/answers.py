"""answers.py WEIR N SEED - generated queries over real flights give sqlite3's answers.

Each query is a CREATE TABLE AS SELECT: a random filter over the flights, maybe joined with the
airports, grouped by a column, two columns, an expression or a day, with random aggregates and maybe
HAVING. It runs with 1, 3 and 8 partitions and 1 and 2 workers, and the table must hold the rows that
sqlite3 computes over the same files. Last line: PROVED, or FAILED and why.
"""
import csv
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

FLIGHTS = 'examples/flights/flights.ndjson'
AIRPORTS = 'examples/flights/airports.csv'
SHAPES = [(1, 1), (1, 2), (3, 1), (3, 2), (8, 1), (8, 2)]
QUERIES_PER_LOAD = 10


def load_sqlite():
    db = sqlite3.connect(':memory:')
    db.execute('create table flights (origin, destination, date, delay int, distance int)')
    db.execute('create table airports (iata primary key, name, city, state, country, latitude real, longitude real)')
    with open(FLIGHTS, encoding='utf8') as lines:
        rows = [json.loads(line) for line in lines]
    db.executemany('insert into flights values (:origin, :destination, :date, :delay, :distance)', rows)
    with open(AIRPORTS, encoding='utf8') as lines:
        db.executemany('insert or replace into airports values (:iata, :name, :city, :state, :country, :latitude, :longitude)',
                       list(csv.DictReader(lines)))
    db.execute('pragma case_sensitive_like = on')
    return db


class Query:
    """One query in both dialects."""

    def __init__(self, dice, number):
        self.name = f'Q{number}'
        self.join = dice.choice([None, None, 'origin', 'destination'])
        self.left = self.join and dice.random() < 0.4
        self.where = self.filter(dice) if dice.random() < 0.8 else None
        self.keys, self.day = self.group(dice)
        self.aggregates = dice.sample(
            ['COUNT(*)', 'SUM(f.delay)', 'MIN(f.distance)', 'MAX(f.delay)', 'AVG(f.delay)', 'COUNT(f.delay)',
             'SUM(f.distance + f.delay)', 'MIN(f.destination)', 'MAX(f.origin)', 'AVG(f.distance)'], dice.randint(1, 4))
        self.having = f'COUNT(*) > {dice.randint(1, 60)}' if dice.random() < 0.4 else None

    def filter(self, dice):
        atoms = [lambda: f'f.delay > {dice.randint(-20, 120)}', lambda: f'f.distance <= {dice.randint(100, 2500)}',
                 lambda: f'f.delay BETWEEN {dice.randint(-10, 5)} AND {dice.randint(6, 60)}',
                 lambda: "f.origin IN ('JFK', 'SEA', 'DEN', 'LAX', 'ATL')",
                 lambda: f"f.destination LIKE '{dice.choice('ABCDLMOPS')}%'",
                 lambda: f'f.delay * 2 + f.distance / 3 > {dice.randint(50, 900)}',
                 lambda: f'f.distance % {dice.randint(2, 9)} = 0', lambda: 'f.origin <> f.destination']
        if self.join and not self.left:
            atoms += [lambda: f"a.state = '{dice.choice(['CA', 'TX', 'NY', 'FL', 'CO'])}'",
                      lambda: f'a.latitude > {dice.randint(28, 45)}.5']
        parts = [dice.choice(atoms)() for _ in range(dice.randint(1, 3))]
        parts = [f'NOT ({p})' if dice.random() < 0.2 else p for p in parts]
        text = parts[0]
        for part in parts[1:]:
            text = f"({text}) {dice.choice(['AND', 'OR'])} ({part})"
        return text

    def group(self, dice):
        choices = [[('f.origin', 'g0')], [('f.destination', 'g0')], [('f.origin', 'g0'), ('f.destination', 'g1')],
                   [('f.distance / 400', 'g0')], [('UCASE(f.destination)', 'g0')],
                   [('f.delay % 7', 'g0'), ('f.origin', 'g1')]]
        if self.join:
            choices += [[('a.state', 'g0')], [('a.city', 'g0'), ('f.destination', 'g1')]]
        return dice.choice(choices), dice.random() < 0.25

    def source(self):
        if not self.join:
            return 'flights f'
        return f"flights f {'LEFT ' if self.left else ''}JOIN airports a ON f.{self.join} = a.iata"

    def columns(self, window):
        items = [f'{expr} AS {name}' for expr, name in self.keys] + window
        return ', '.join(items + [f'{call} AS c{i}' for i, call in enumerate(self.aggregates)])

    def weir(self):
        text = f"CREATE TABLE {self.name} WITH (FORMAT='JSON') AS SELECT {self.columns([])} FROM {self.source()}"
        if self.day:
            text += ' WINDOW TUMBLING (SIZE 1 DAYS, GRACE PERIOD 1000 DAYS)'
        if self.where:
            text += f' WHERE {self.where}'
        text += ' GROUP BY ' + ', '.join(expr for expr, _ in self.keys)
        return text + (f' HAVING {self.having}' if self.having else '') + ';'

    def weir_lookup(self):
        names = [name for _, name in self.keys] + (['WINDOWSTART AS w'] if self.day else [])
        return f"SELECT {', '.join(names + [f'c{i}' for i in range(len(self.aggregates))])} FROM {self.name};"

    def sqlite(self):
        day = "cast(strftime('%s', replace(substr(f.date, 1, 10), '/', '-')) as int) * 1000"
        text = f"SELECT {self.columns([f'{day} AS w'] if self.day else [])} FROM {self.source()}"
        text = text.replace('UCASE(', 'upper(')
        groups = [expr.replace('UCASE(', 'upper(') for expr, _ in self.keys]
        text += ' WHERE ' + ' AND '.join([f'({g}) IS NOT NULL' for g in groups] + ([f'({self.where})'] if self.where else []))
        text += ' GROUP BY ' + ', '.join(groups + ([day] if self.day else []))
        return text + (f' HAVING {self.having}' if self.having else '')


def key(row):
    return tuple(round(v, 6) if isinstance(v, float) else v for v in row)


def sort_key(row):
    return tuple((v is None, str(type(v) is str), v if v is not None else 0) for v in row)


def same(left, right):
    if len(left) != len(right):
        return False
    for a, b in zip(sorted(left, key=sort_key), sorted(right, key=sort_key)):
        for x, y in zip(a, b):
            if isinstance(x, float) or isinstance(y, float):
                if x is None or y is None or abs(x - y) > 1e-6 * max(1, abs(y)):
                    return False
            elif x != y:
                return False
    return True


SOURCES = """CREATE STREAM flights (origin STRING KEY, destination STRING, date STRING, delay INT, distance INT)
  WITH (KAFKA_TOPIC='flights', PARTITIONS={p}, VALUE_FORMAT='JSON', TIMESTAMP='date', TIMESTAMP_FORMAT='yyyy/MM/dd HH:mm');
CREATE TABLE airports (iata STRING PRIMARY KEY, name STRING, city STRING, state STRING, country STRING, latitude DOUBLE,
  longitude DOUBLE) WITH (KAFKA_TOPIC='airports', PARTITIONS={p}, VALUE_FORMAT='JSON');
COPY airports FROM '{a}'; COPY flights FROM '{f}' (FORMAT ndjson);
"""


def run(weir, folder, workers, sql):
    done = subprocess.run([weir, folder, '--workers', str(workers), '--format', 'ndjson', '--os-durability'],
                          input=sql, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f'exit {done.returncode}: {done.stderr[-1500:]}')
    return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]


def prove_shape(weir, queries, db, partitions, workers):
    with tempfile.TemporaryDirectory() as folder:
        run(weir, folder, workers, SOURCES.format(p=partitions, a=AIRPORTS, f=FLIGHTS) +
            '\n'.join(q.weir() for q in queries))
        for query in queries:
            got = run(weir, folder, workers, query.weir_lookup())
            want = db.execute(query.sqlite()).fetchall()
            if not same(got, want):
                odd = [r for r in got if key(r) not in set(map(key, want))][:3]
                missing = [r for r in want if key(r) not in set(map(key, got))][:3]
                return (f'{partitions} partitions, {workers} workers: {query.weir()} gave {len(got)} rows, sqlite3 '
                        f'{len(want)}; too many {odd}, missing {missing}')
    return None


def main():
    weir, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    db, dice, ran = load_sqlite(), random.Random(seed), 0
    for first in range(0, count, QUERIES_PER_LOAD):
        queries = [Query(dice, i) for i in range(first, min(first + QUERIES_PER_LOAD, count))]
        shapes = SHAPES if count > QUERIES_PER_LOAD else [SHAPES[0], SHAPES[3], SHAPES[5]]
        for partitions, workers in shapes:
            try:
                why = prove_shape(weir, queries, db, partitions, workers)
            except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
                why = f'{partitions} partitions, {workers} workers, queries {first} to {first + len(queries) - 1}: {error}'
            if why:
                print(f'FAILED seed {seed}: {why}')
                return 1
            ran += len(queries)
    print(f'{count} queries, {ran} runs, all equal to sqlite3')
    print('PROVED')
    return 0


if __name__ == '__main__':
    sys.exit(main())
