"""loads.py - runs generated cases (chains.py) in loads, and compares what they give with sqlite3.

A load is a folder with sources and the queries of some twenty cases: one number of partitions and
workers, one way to commit, one slice of the rows. With crashes it is killed at random moments while
statements run and queries work, and goes on: a statement that was not answered may have happened or
not. Loads run side by side; each is made from the seed and its number alone, and each case from the
seed and its own number, so that any of them can be run again: CASE=n alone, LOAD=n as it was.
"""
import concurrent.futures
import csv
import json
import os
import random
import subprocess
import tempfile
import threading
import time

from chains import END, JITTER, Source
from oracle import connect, partition_of, same, shaped

FLIGHTS = 'examples/flights/flights.ndjson'
AIRPORTS = 'examples/flights/airports.csv'
SHAPES = [(1, 1), (3, 2), (8, 2), (1, 2), (3, 1), (8, 1)]
COLUMNS = {'flights': 'origin destination date delay distance', 'lefts': 'k x a ts', 'rights': 'k x a ts', 'names': 'k n w',
           'airports': 'iata name city state country latitude longitude'}
SQL = """CREATE STREAM flights (origin STRING KEY, destination STRING, date STRING, delay INT, distance INT)
  WITH (KAFKA_TOPIC='flights', PARTITIONS={p}, VALUE_FORMAT='JSON', TIMESTAMP='date', TIMESTAMP_FORMAT='yyyy/MM/dd HH:mm');
CREATE TABLE airports (iata STRING PRIMARY KEY, name STRING, city STRING, state STRING, country STRING, latitude DOUBLE,
  longitude DOUBLE) WITH (KAFKA_TOPIC='airports', PARTITIONS={p}, VALUE_FORMAT='JSON');
CREATE STREAM lefts (k STRING KEY, x STRING, a INT, ts BIGINT)
  WITH (KAFKA_TOPIC='lefts', PARTITIONS={p}, VALUE_FORMAT='JSON', TIMESTAMP='ts');
CREATE STREAM rights (k STRING KEY, x STRING, a INT, ts BIGINT)
  WITH (KAFKA_TOPIC='rights', PARTITIONS={q}, VALUE_FORMAT='JSON', TIMESTAMP='ts');
CREATE TABLE names (k STRING PRIMARY KEY, n STRING, w INT)
  WITH (KAFKA_TOPIC='names', PARTITIONS={p}, VALUE_FORMAT='JSON');
"""


PACE = {}  # Load.pace() by kind and shape: kills come before


class Wrong(Exception):
    """The engine failed, or gave something else than sqlite3."""


# == Rows =========================================================================================

def read_flights():
    """Columns and time of every flight, in order of time."""
    rows = []
    days = {}
    with open(FLIGHTS, encoding='utf8') as lines:
        for row in map(json.loads, lines):
            day, at = row['date'].split(' ')
            if day not in days:
                days[day] = int(time.mktime(time.strptime(day + ' UTC', '%Y/%m/%d %Z'))) - time.timezone
            ms = (days[day] + int(at[:2]) * 3600 + int(at[3:]) * 60) * 1000
            rows.append((row['origin'], row['destination'], row['date'], row['delay'], row['distance'], ms))
    return rows


def read_airports():
    """But for some states: joins miss at times."""
    with open(AIRPORTS, encoding='utf8') as lines:
        return [tuple(row[c] for c in COLUMNS['airports'].split()) for row in csv.DictReader(lines) if row['state'] not in ('TX', 'FL', 'OR')]


class Rows:
    """What all loads draw from; read once a process."""
    flights = airports = None

    @classmethod
    def read(cls):
        if not cls.flights:
            cls.flights, cls.airports = read_flights(), read_airports()


def shuffled(dice, rows, jitter):
    """Rows (..., time) in order of arrival: none comes more than `jitter` after a later one."""
    return sorted(rows, key=lambda row: row[-1] + dice.randint(0, jitter))


def generated(dice, count):
    """A stream out of order, and the rows that end every window of every partition."""
    rows, clock = [], 1000000
    for _ in range(count):
        clock += dice.randint(0, 4000)
        key, x = f'k{dice.randint(0, 30)}', None if dice.random() < 0.05 else f'k{dice.randint(0, 15)}'
        rows.append((key, x, dice.randint(-20, 50), clock))
    rows = shuffled(dice, rows, JITTER)
    end = 1000000 + count * 4000 + 40 * 86400000
    return rows + [(f'e{i:02d}', f'e{i:02d}', END, end + i % 2) for i in range(100)]  # also by their digits


# == The engine ===================================================================================

class Shell:
    """A running `weir`: statements one by one."""

    def __init__(self, load):
        self.work = subprocess.Popen(load.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True, bufsize=1 << 16)
        self.killed, self.clock = False, None

    def arm(self, seconds):
        """After that it is killed."""
        self.clock = threading.Timer(seconds, self.kill)
        self.clock.start()

    def kill(self):
        self.killed = True
        self.work.kill()

    def ask(self, sql):
        """Its rows; None: it was killed before it had answered."""
        rows = []
        try:
            self.work.stdin.write(sql + '\nSELECT 1 AS marker;\n')
            self.work.stdin.flush()
            for line in self.work.stdout:
                if line == '{"MARKER":1}\n':
                    return rows
                rows.append(json.loads(line))
        except (BrokenPipeError, ValueError):
            pass
        if self.killed:
            return None
        told = self.work.stderr.read()
        raise Wrong(f"{sql}\nexit {self.work.wait()}: {told[max(told.find('error ('), 0):][-1500:]}")

    def end(self):
        if self.clock:
            self.clock.cancel()
        self.work.kill()
        self.work.communicate()


def run(command, sql):
    done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise Wrong(f'exit {done.returncode}: {done.stderr[-1500:]}')
    return [json.loads(line) for line in done.stdout.splitlines()]


# == A load =======================================================================================

class Load:
    """The cases of these numbers, and how they are run: made from the seed and `number`."""

    def __init__(self, proof, number, cases):
        Rows.read()
        self.proof, self.number, self.db = proof, number, connect()
        self.dice = dice = random.Random(f'{proof.seed} load {number}')
        self.partitions, self.workers = SHAPES[number % len(SHAPES)]
        self.uneven = dice.choice([self.partitions, self.partitions, 2, 5])
        self.kills = dice.choice([1, 2, 2, 3, 4]) if proof.crash else 0
        self.weir = proof.small if proof.small and number % 5 == 4 else proof.weir
        self.parts = proof.crash and self.weir == proof.weir and dice.random() < 0.3  # flights come in two parts, the second behind the statements
        self.late = proof.crash and dice.random() < 0.15  # only windows that rows are late for: what a crash must not forget
        self.together = proof.crash and (self.late or dice.random() < 0.6)  # queries wait for each other, so that a kill meets them all
        self.settings = ["SET 'weir.lookup.wait.ms'='120000';"]
        if proof.crash:
            self.settings += [f"SET 'commit.interval.ms'='{0 if self.late else dice.choice([0, 0, 1, 5, 30, 100])}';",
                              f"SET 'max.poll.records'='{dice.choice([1024, 300, dice.randint(20, 200), dice.randint(5, 60)])}';",
                              f"SET 'cache.max.bytes.buffering'='{dice.choice([0, 10000000, 10000000])}';"]
        self.folder, self.sources, self.loaded = None, {}, []
        self.killed, self.kill_count, self.hit_count, self.kill_kind = False, 0, 0, None
        self.make_rows(dice)
        self.cases = [proof.case(random.Random(f'{proof.seed} case {n}'), n, self) for n in cases]

    def command(self):
        return [self.weir, f'{self.folder}/data', '--no-rc', '--workers', str(self.workers), '--format', 'ndjson', '--os-durability']

    def make_rows(self, dice):
        flights, jitter = Rows.flights, 0
        less = 1 if self.weir == self.proof.weir else 5  # a row's output is limited too, lists of hundreds of rows are not much
        if self.proof.crash:
            begin, jitter = dice.randint(0, 15000), dice.choice([0, 1, 6, 24]) * 3600000
            flights = shuffled(dice, flights[begin:begin + dice.randint(500, 4000) // less], jitter)
        self.cut = dice.randint(0, len(flights)) if self.parts else len(flights)
        self.add('flights', flights, self.partitions, 'origin')
        names = [('origin', 'text'), ('destination', 'text'), ('date', 'text'), ('delay', 'int'), ('distance', 'int')]
        self.sources['flights'] = Source('flights', [(n, k, False) for n, k in names], key='origin', partitions=self.partitions,
                                         ordered=True, disorder=None if self.parts and self.partitions > 1 else jitter)
        self.db.execute('create table airports (iata primary key, name, city, state, country, latitude real, longitude real)')
        self.db.executemany('insert or replace into airports values (?, ?, ?, ?, ?, ?, ?)', Rows.airports)
        for name, count in (('lefts', self.partitions), ('rights', self.uneven)):
            rows = generated(dice, dice.randint(300, 1500) // less)
            self.add(name, [row + (row[-1],) for row in rows], count, 'k')
            self.sources[name] = Source(name, [('k', 'text', False), ('x', 'text', True), ('a', 'int', False), ('ts', 'big', False)], key='k',
                                        partitions=count, ordered=True, disorder=JITTER, scale='seconds')
        names = [(f'k{i}', f'name {i % 7}', i * 3) for i in range(31) if i % 4]
        self.db.execute('create table names (k primary key, n, w)')
        self.db.executemany('insert into names values (?, ?, ?)', names)
        self.loaded.append(('names', names))

    def add(self, name, rows, count, key):
        """A stream of rows (columns..., time)."""
        columns = COLUMNS[name].split()
        at = columns.index(key)
        self.db.execute(f"create table {name} ({', '.join(columns)}, ts_, seq_, part_)")
        self.db.executemany(f"insert into {name} values ({', '.join('?' * (len(columns) + 3))})",
                            (row + (i, partition_of(row[at], 'text', 'KAFKA', count)) for i, row in enumerate(rows)))
        self.loaded.append((name, [row[:-1] for row in rows]))

    def write_file(self, name, rows, tag=''):
        columns = COLUMNS[name].split()
        with open(f'{self.folder}/{name}{tag}', 'w', encoding='utf8') as file:
            file.writelines(json.dumps(dict(zip(columns, row))) + '\n' for row in rows)
        return f"COPY {name} FROM '{self.folder}/{name}{tag}' (FORMAT ndjson);"

    def begin(self):
        """Sources and their rows."""
        airports = [row for row in self.db.execute('select * from airports')]
        copies = [self.write_file('airports', airports)]
        for name, rows in self.loaded:
            copies.append(self.write_file(name, rows[:self.cut] if name == 'flights' else rows))
        run(self.command(), SQL.format(p=self.partitions, q=self.uneven) + '\n'.join(copies))

    def steps(self):
        """The statements; the second part of the flights."""
        steps = [s for case in self.cases for s in case.statements]
        if self.cut < len(self.loaded[0][1]):
            steps.append(self.write_file('flights', self.loaded[0][1][self.cut:], '2'))
        if self.together:
            steps = [f'{s}\nPAUSE ALL;' if 'AS SELECT' in s or s.startswith('INSERT') else s for s in steps] + ['RESUME ALL;']
        return steps

    def happened(self, shell, step):
        """After a crash: whether the step that was not answered is done. None: killed again."""
        if step == 'RESUME ALL;':
            return False
        if step.startswith('COPY'):
            rows = shell.ask('SELECT COUNT(*) AS n FROM flights;')
            return rows if rows is None else rows[0]['N'] > self.cut
        rows = shell.ask('SHOW QUERIES;' if 'AS SELECT' in step or step.startswith('INSERT') else 'SHOW STREAMS;')
        name = step.split("QUERY_ID='")[1].split("'")[0] if step.startswith('INSERT') else step.split()[2]
        if rows is None:
            return None
        ids = {(row.get('Query ID') or row['Name']).upper() for row in rows}
        return name.upper() in ids if step.startswith('INSERT') or 'AS SELECT' not in step else \
            name.upper() in {row['Sink'].upper() for row in rows if not row['Query ID'].upper().startswith('INSERT')}

    def go_on(self, shell, steps, at, kill_after=None):
        """From the step at which an earlier shell was killed; how far this one came. `kill_after`
        seconds from the moment when all queries work."""
        if shell.ask('\n'.join(self.settings)) is None:
            return at
        if self.killed:
            queries = shell.ask('SHOW QUERIES;')
            self.note_kill(at < len(steps) or not queries or any(row['Lag'] for row in queries))
            done = self.happened(shell, steps[at]) if at < len(steps) else False
            if queries is None or done is None:
                return at
            at += done
        while at < len(steps) and not (kill_after is not None and at == len(steps) - 1) and shell.ask(steps[at]) is not None:
            at += 1
        if kill_after is not None:
            shell.arm(kill_after)
            at += at < len(steps) and shell.ask(steps[at]) is not None
        return at

    def note_kill(self, hit):
        """Whether work was left when it was killed: the next ones come sooner or later."""
        PACE[self.kill_kind] = max(0.01, self.pace() * (1.04 if hit else 0.8))
        self.kill_count += 1
        self.hit_count += hit

    @staticmethod
    def resume(shell):
        """Two kills at one record look as if the record had done it: its query has stopped."""
        for _ in range(100):
            stopped = [row['Query ID'] for row in shell.ask('SHOW QUERIES;') if row['Status'] == 'ERROR']
            if stopped:
                shell.ask('\n'.join(f'RESUME {query};' for query in stopped))
                return
            time.sleep(0.05)

    def pace(self):
        """Seconds until all is done, about: from the first statement, or when all queries work."""
        return PACE.get(self.kill_kind, 0.08 if self.kill_kind[0] else 0.3)

    def crash(self, steps, at):
        """Is killed at some moment until all should be done."""
        work = self.together and self.dice.random() < 0.8
        self.kill_kind = work, self.partitions, self.workers
        delay = self.dice.random() * self.pace()
        shell = Shell(self)
        try:
            if work:
                at = self.go_on(shell, steps, at, delay)
            else:
                shell.arm(delay)
                at = self.go_on(shell, steps, at)
            shell.clock.join()
            self.killed = True
            return at
        finally:
            shell.end()

    def answers(self):
        """Rows by question."""
        steps, at = self.steps(), 0
        for _ in range(self.kills):
            at = self.crash(steps, at)
        for again in range(4):
            shell = Shell(self)
            try:
                if again:
                    self.resume(shell)
                at = self.go_on(shell, steps, at)
                got = [[shell.ask(q.weir) for q in case.questions] for case in self.cases]
                break
            except Wrong as error:
                if again == 3 or not self.kills or 'the process ended twice while' not in str(error):
                    raise
            finally:
                shell.end()
        return [[[tuple(row.values()) for row in rows] for rows in answers] for answers in got]

    def prove(self):
        """Figures: cases, questions, kills, kills while there was work to do."""
        with tempfile.TemporaryDirectory() as self.folder:
            self.begin()
            got = self.answers()
        for case, answers in zip(self.cases, got):
            for question, rows in zip(case.questions, answers):
                self.compare(case, question, rows)
        return len(self.cases), sum(len(case.questions) for case in self.cases), self.kill_count, self.hit_count

    def compare(self, case, question, got):
        want = self.db.execute(question.lite).fetchall()
        if got == want:
            return
        got, want = shaped(got, question.cells), shaped(want, question.cells)
        if same(got, want, question.ordered):
            return
        odd = [row for row in got if row not in want][:3]
        missing = [row for row in want if row not in got][:3]
        made = '\n'.join(case.statements)
        raise Wrong(f'case {case.number}\n{made}\n{question.weir}\ngave {len(got)} rows, sqlite3 {len(want)}; '
                    f'too many {odd}, missing {missing}\n{question.lite}')

    def told(self):
        """How it was run."""
        return (f'{self.partitions} partitions ({self.uneven} of rights), {self.workers} workers, {self.kills} kills, load {self.number}, {self.weir}\n'
                + '\n'.join(self.settings))


# == A proof ======================================================================================

class Proof:
    """Which cases, and whether with crashes. `own`: the one case, or load, that is run again."""

    def __init__(self, weir, seed, case, crash, name, small=None, per_load=20):
        self.small = small  # a binary with shrunken limits, for some loads
        self.weir, self.seed, self.case, self.crash, self.name, self.per_load = weir, seed, case, crash, name, per_load

    def load(self, number, cases):
        """Figures, or a text: what is wrong."""
        load = None
        try:
            load = Load(self, number, cases)
            return load.prove()
        except (Wrong, subprocess.TimeoutExpired) as error:
            return f'{load.told() if load else number}\n{error}'

    def loads(self, count):
        """Numbers of loads and their cases; few loads when a case or load is run again."""
        size = max(1, min(self.per_load, -(-count // len(SHAPES))))
        loads = [(i // size, range(i, min(i + size, count))) for i in range(0, count, size)]
        times = int(os.environ.get('TIMES') or 10) if self.crash else 1
        if os.environ.get('CASE'):
            case = int(os.environ['CASE'])
            return [(case // size, [case])] * times
        return [loads[int(os.environ['LOAD'])]] * times if os.environ.get('LOAD') else loads

    def results(self, count):
        jobs = int(os.environ.get('JOBS') or os.cpu_count())
        with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
            waiting = [pool.submit(self.load, *load) for load in self.loads(count)]
            for done in concurrent.futures.as_completed(waiting):
                if isinstance(done.result(), str):
                    pool.shutdown(cancel_futures=True)
                yield done.result()

    def prove(self, count):
        total, begin = [0, 0, 0, 0], time.time()
        for result in self.results(count):
            if isinstance(result, str):
                print(result)
                print(f'FAILED seed {self.seed}; again: make prove-{self.name} N={count} SEED={self.seed} and CASE= or LOAD=')
                return 1
            total = [a + b for a, b in zip(total, result)]
        killed = f', {total[2]} kills, {total[3]} of them in the middle of work' if self.crash else ''
        print(f'{total[0]} cases, {total[1]} questions, all answered like sqlite3{killed}, {time.time() - begin:.0f} s')
        print('PROVED')
        return 0
