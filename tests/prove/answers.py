"""answers.py WEIR N SEED - generated queries over real flights give sqlite3's answers.

A case is a chain of statements: maybe streams made from the flights (filtered, joined with the
airports, computed, partitioned by something else, fed by a second INSERT INTO), then a table per
group (plain or per window, maybe HAVING) or nothing, maybe a table made from that table, and
questions about the last one: lookups (all rows, by key, WHERE, window bounds, ORDER BY, LIMIT,
GROUP BY) of the table or the stream, or a push query. All cases run with 1, 3 and 8 partitions and 1 and 2 workers, and every question must
have the rows that sqlite3 computes over the same files. Last line: PROVED, or FAILED and why.

Each expression is made in both dialects at once (class E). Where they differ, sqlite3's text says
what Weir means: a comparison with NULL is false, SUM of nothing is 0, CONCAT leaves NULLs out.
"""
import csv
import json
import random
import sqlite3
import subprocess
import sys
import tempfile

FLIGHTS = 'examples/flights/flights.ndjson'
AIRPORTS = 'examples/flights/airports.csv'
SHAPES = [(1, 1), (1, 2), (3, 1), (3, 2), (8, 1), (8, 2)]
CASES_PER_LOAD = 10
MS = "(cast(strftime('%s', replace({0}.date, '/', '-')) as int) * 1000)"
SIZES = [('6 HOURS', 6 * 3600000), ('1 DAYS', 86400000), ('7 DAYS', 7 * 86400000), ('90 MINUTES', 90 * 60000)]


def load_sqlite(airports):
    """Reads the files; writes the airports but for some states to `airports`: joins miss at times."""
    db = sqlite3.connect(':memory:')
    db.execute('create table flights (origin, destination, date, delay int, distance int)')
    db.execute('create table airports (iata primary key, name, city, state, country, latitude real, longitude real)')
    with open(FLIGHTS, encoding='utf8') as lines:
        rows = [json.loads(line) for line in lines]
    db.executemany('insert into flights values (:origin, :destination, :date, :delay, :distance)', rows)
    with open(AIRPORTS, encoding='utf8') as lines:
        there = [row for row in csv.DictReader(lines) if row['state'] not in ('TX', 'FL', 'OR')]
    db.executemany('insert or replace into airports values (:iata, :name, :city, :state, :country, :latitude, :longitude)', there)
    with open(airports, 'w', encoding='utf8', newline='') as file:
        writer = csv.DictWriter(file, there[0].keys())
        writer.writeheader()
        writer.writerows(there)
    db.execute('pragma case_sensitive_like = on')
    return db


# == Expressions in both dialects =================================================================

class E:
    """kind: int, big (BIGINT), double, decimal or text; null: may be NULL."""

    def __init__(self, weir, lite=None, kind='int', null=False):
        self.weir, self.lite, self.kind, self.null = weir, lite or weir, kind, null


def column(text, kind='int', null=False):
    """How expressions read a column."""
    return E(text, kind=kind, null=null)


def wider(*parts):
    return 'big' if any(p.kind == 'big' for p in parts) else 'int'


def as_big(part):
    return part.weir if part.kind == 'big' else f'CAST({part.weir} AS BIGINT)'


def literal(dice, kind):
    if kind == 'text':
        return E(f"'{dice.choice(['JFK', 'SEA', 'CA', 'TX', 'Boston', 'x', '', 'it''s'])}'", kind=kind)
    if kind == 'decimal':
        return E(f"{dice.randint(0, 300)}.{dice.choice(['5', '25', '75', '0', '50'])}", kind=kind)
    if kind == 'double':
        return E(f"{dice.randint(-50, 90)}.{dice.choice(['5', '25'])}E0", kind=kind)
    return E(str(dice.randint(-30, 400)))


class Scope:
    """The columns that an expression may use."""

    def __init__(self, columns):
        self.columns = columns

    def pick(self, dice, kind):
        kinds = ('int', 'big') if kind == 'int' else (kind,)
        return dice.choice([c for c in self.columns if c.kind in kinds] or [literal(dice, kind)])

    def number(self, dice, depth):
        """An int or big expression."""
        def child():
            return self.number(dice, depth - 1)
        if depth <= 0 or dice.random() < 0.3:
            return self.pick(dice, 'int')
        how = dice.randrange(9)
        if how == 0:
            a, b = child(), child()
            op = dice.choice('+-')
            return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})', wider(a, b), a.null or b.null)
        if how == 1:
            a, n, op = child(), dice.randint(2, 9), dice.choice('/%')
            return E(f'({a.weir} {op} {n})', f'({a.lite} {op} {n})', a.kind, a.null)
        if how == 2:
            a = self.pick(dice, 'int')
            n = dice.randint(2, 4)
            return E(f'({a.weir} * {n})', f'({a.lite} * {n})', a.kind, a.null)
        if how == 3:
            a = self.text(dice, depth - 1)
            return E(f'LEN({a.weir})', f'length({a.lite})', 'int', a.null)
        if how == 4:
            test, a, b = self.test(dice, depth - 1), child(), child()
            if dice.random() < 0.3:
                return E(f'CASE WHEN {test.weir} THEN {a.weir} END', f'CASE WHEN {test.lite} THEN {a.lite} END', a.kind, True)
            one, two = (a.weir, b.weir) if a.kind == b.kind else (as_big(a), as_big(b))
            return E(f'CASE WHEN {test.weir} THEN {one} ELSE {two} END',
                     f'CASE WHEN {test.lite} THEN {a.lite} ELSE {b.lite} END', wider(a, b), a.null or b.null)
        if how == 5:
            a = child()
            return E(f'ABS({a.weir})', f'abs({a.lite})', a.kind, a.null)
        if how == 6:
            a, n = child(), dice.randint(-3, 20)
            other = as_big(E(str(n))) if a.kind == 'big' else n
            return E(f'COALESCE({a.weir}, {other})', f'coalesce({a.lite}, {n})', a.kind)
        if how == 7:
            a = self.fraction(dice, depth - 1)
            return E(f'CAST({a.weir} AS INT)', f'cast({a.lite} as int)', 'int', a.null)
        a, n = child(), dice.randint(0, 20)
        other = as_big(E(str(n))) if a.kind == 'big' else n
        return E(f'NULLIF({a.weir}, {other})', f'nullif({a.lite}, {n})', a.kind, True)

    def fraction(self, dice, depth):
        """A double or decimal expression; decimals have fractions that are exact in binary."""
        how = dice.randrange(5)
        a = self.number(dice, depth - 1)
        if how == 0 and any(c.kind == 'double' for c in self.columns):
            return self.pick(dice, 'double')
        if how <= 1:
            return E(f'CAST({a.weir} AS DOUBLE)', f'cast({a.lite} as real)', 'double', a.null)
        if how == 2:
            scale = dice.randint(0, 3)
            return E(f'CAST({a.weir} AS DECIMAL(14, {scale}))', f'cast({a.lite} as real)', 'decimal', a.null)
        b, op = literal(dice, 'decimal'), dice.choice('+-*')
        return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})', 'decimal', a.null)

    def text(self, dice, depth):
        def child():
            return self.text(dice, depth - 1)
        if depth <= 0 or dice.random() < 0.3:
            return self.pick(dice, 'text')
        how = dice.randrange(8)
        a = child()
        if how == 0:
            code = self.pick(dice, 'text')
            return E(f'LCASE({code.weir})', f'lower({code.lite})', 'text', code.null)
        if how == 1:
            start, size = dice.randint(1, 3), dice.randint(1, 3)
            return E(f'SUBSTRING({a.weir}, {start}, {size})', f'substr({a.lite}, {start}, {size})', 'text', a.null)
        if how == 2:
            b = child()
            return E(f"CONCAT({a.weir}, '-', {b.weir})", f"(coalesce({a.lite}, '') || '-' || coalesce({b.lite}, ''))", 'text')
        if how == 3:
            b = child()
            return E(f'({a.weir} + {b.weir})', f'({a.lite} || {b.lite})', 'text', a.null or b.null)
        if how == 4:
            return E(f"REPLACE({a.weir}, 'A', 'bb')", f"replace({a.lite}, 'A', 'bb')", 'text', a.null)
        if how == 5:
            n = self.number(dice, depth - 1)
            return E(f'CAST({n.weir} AS STRING)', f'cast({n.lite} as text)', 'text', n.null)
        if how == 6:
            test, b = self.test(dice, depth - 1), child()
            return E(f'CASE WHEN {test.weir} THEN {a.weir} ELSE {b.weir} END',
                     f'CASE WHEN {test.lite} THEN {a.lite} ELSE {b.lite} END', 'text', a.null or b.null)
        return E(f"COALESCE({a.weir}, 'none')", f"coalesce({a.lite}, 'none')", 'text')

    def test(self, dice, depth):
        """A boolean expression, never NULL."""
        if depth > 0 and dice.random() < 0.5:
            a, b, op = self.test(dice, depth - 1), self.test(dice, depth - 1), dice.choice(['AND', 'OR'])
            if dice.random() < 0.2:
                return E(f'NOT ({a.weir})', f'NOT ({a.lite})')
            return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})')
        how = dice.randrange(8)
        a = self.number(dice, depth - 1)
        if how == 0:
            low = dice.randint(-10, 100)
            no = dice.choice(['', 'NOT '])
            test = f'BETWEEN {low} AND {low + dice.randint(5, 500)}'
            return E(f'{a.weir} {no}{test}', f'{no}coalesce({a.lite} {test}, 0)')
        if how == 1:
            items = ', '.join(str(dice.randint(-9, 60)) for _ in range(dice.randint(1, 6)))
            return E(f'{a.weir} IN ({items})', f'coalesce({a.lite} IN ({items}), 0)')
        if how == 2:
            t = self.text(dice, depth - 1)
            items = "'JFK', 'SEA', 'DEN', 'LAX', 'ATL', 'CA', 'TX', 'S'"
            return E(f'{t.weir} IN ({items})', f'coalesce({t.lite} IN ({items}), 0)')
        if how == 3:
            t = self.text(dice, depth - 1)
            like = dice.choice(["'A%'", "'%A'", "'%O%'", "'_A%'", "'S__'", "'D%N'", "'%'"])
            t = E(f"COALESCE({t.weir}, '')", f"coalesce({t.lite}, '')") if t.null else t
            return E(f'{t.weir} LIKE {like}', f'{t.lite} LIKE {like}')
        if how == 4:
            t, no = dice.choice([a, self.text(dice, depth - 1)]), dice.choice(['', 'NOT '])
            return E(f'{t.weir} IS {no}NULL', f'{t.lite} IS {no}NULL')
        op = dice.choice(['=', '<>', '<', '<=', '>', '>='])
        if how == 5:
            a, b = self.fraction(dice, depth), literal(dice, 'decimal')
        elif how == 6:
            a, b = self.text(dice, depth - 1), self.text(dice, depth - 1)
        else:
            b = dice.choice([self.number(dice, depth - 1), literal(dice, 'int')])
        return E(f'{a.weir} {op} {b.weir}', f'coalesce({a.lite} {op} {b.lite}, 0)')

    def any(self, dice, depth):
        return dice.choice([self.number, self.number, self.text, self.fraction])(dice, depth)

    def value(self, dice, depth):
        """For a projection: a bare column may be a key, which may not be there twice."""
        made = self.any(dice, depth)
        bare = any(c.weir == made.weir for c in self.columns)
        return E(f'AS_VALUE({made.weir})', made.lite, made.kind, made.null) if bare else made


# == A case =======================================================================================

FLIGHT_COLUMNS = [('origin', 'text'), ('destination', 'text'), ('date', 'text'), ('delay', 'int'), ('distance', 'int')]
AIRPORT_COLUMNS = [('name', 'text'), ('city', 'text'), ('state', 'text'), ('latitude', 'double')]


class Source:
    """What stands behind FROM: in sqlite3 a subquery, alias f; columns are (name, kind, null)."""

    def __init__(self, name, lite, columns):
        self.name, self.lite, self.columns = name, lite, columns

    def scope(self):
        return [column(f'f.{name}', kind, null) for name, kind, null in self.columns]


class Question:
    """A statement with rows, and what they must be."""

    def __init__(self, weir, lite, ordered=False):
        self.weir, self.lite, self.ordered = weir, lite, ordered


class Case:
    def __init__(self, dice, number, db):
        self.dice, self.number, self.db = dice, number, db
        self.statements, self.questions, self.made = [], [], 0
        source = Source('flights', 'flights', [(n, k, False) for n, k in FLIGHT_COLUMNS])
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            source = self.stream(source)
        if source.name != 'flights' and dice.random() < 0.25:
            self.ask_stream(source)
        else:
            self.table(source)

    def time(self, alias):
        """The time of a row, in sqlite3."""
        return MS.format(alias)

    def name(self, letter):
        self.made += 1
        return f'{letter}{self.number}_{self.made}'

    def joined(self, source):
        """FROM ... in both dialects, and the scope."""
        dice = self.dice
        if dice.random() < 0.45:
            return f'{source.name} f', f'{source.lite} f', Scope(source.scope())
        left = dice.random() < 0.4
        on = dice.choice(['f.origin', 'f.destination', 'f.origin', 'SUBSTRING(f.destination, 1, 3)'])
        join = f"{'LEFT ' if left else ''}JOIN airports a ON"
        columns = [E(f'a.{name}', kind=kind, null=left) for name, kind in AIRPORT_COLUMNS]
        return (f'{source.name} f {join} {on} = a.iata', f"{source.lite} f {join} {on.replace('SUBSTRING', 'substr')} = a.iata",
                Scope(source.scope() + columns))

    def stream(self, source):
        dice, name = self.dice, self.name('s')
        columns = [c for c in source.columns]
        weir_from, lite_from, scope = self.joined(source)
        items = [f'f.{c[0]} AS {c[0]}' for c in columns]
        lite_items = list(items)
        by = ''
        if dice.random() < 0.4:
            by = ' PARTITION BY f.' + dice.choice([c[0] for c in source.columns if c[1] in ('text', 'int', 'big')])
        if 'SUBSTRING' in weir_from:  # the key of such a join is named as the table's, and must be there
            items.insert(0, f'a.iata AS k{self.made}')
            lite_items.insert(0, f"{'a.iata' if by else 'substr(f.destination, 1, 3)'} AS k{self.made}")
            columns = [(f'k{self.made}', 'text', bool(by))] + columns
        for i in range(dice.randint(0, 2)):
            extra = scope.value(dice, 2)
            column = f'x{self.made}_{i}'
            columns.append((column, extra.kind, extra.null))
            items.append(f'{extra.weir} AS {column}')
            lite_items.append(f'{extra.lite} AS {column}')
        test = scope.test(dice, 2) if dice.random() < 0.6 else E('1 = 1')
        lite = f"SELECT {', '.join(lite_items)} FROM {lite_from} WHERE {test.lite}"
        self.statements.append(f"CREATE STREAM {name} WITH (FORMAT='JSON') AS SELECT {', '.join(items)} FROM {weir_from} "
                               f'WHERE {test.weir}{by};')
        if dice.random() < 0.25:
            more = scope.test(dice, 2)
            self.statements.append(f"INSERT INTO {name} SELECT {', '.join(items)} FROM {weir_from} WHERE {more.weir}{by};")
            lite += f" UNION ALL SELECT {', '.join(lite_items)} FROM {lite_from} WHERE {more.lite}"
        return Source(name, f'({lite})', columns)

    def ask_stream(self, source):
        """A push query over the whole stream."""
        dice, scope = self.dice, Scope(source.scope())
        items = [scope.any(dice, 2) for _ in range(dice.randint(1, 4))]
        test = scope.test(dice, 1)
        lite = f"SELECT {', '.join(i.lite for i in items)} FROM {source.lite} f WHERE {test.lite}"
        count = len(self.db.execute(lite).fetchall())
        emit = f'EMIT CHANGES LIMIT {count}' if dice.random() < 0.6 else ''
        if count > 0 or not emit:
            self.ask(f"SELECT {{}} FROM {source.name} f WHERE {test.weir} {emit};", [i.weir for i in items], lite)
        if dice.random() < 0.5:
            self.ask_groups(source, ' f', scope, self.group(scope, []))

    def table(self, source):
        dice, name = self.dice, self.name('t')
        weir_from, lite_from, scope = self.joined(source)
        keys = []
        for _ in range(dice.choice([1, 1, 1, 2, 2, 3])):
            keys.append(self.group(scope, [k.weir for k in keys]))
        calls = [self.aggregate(scope) for _ in range(dice.randint(1, 4))]
        window = dice.choice(SIZES) if dice.random() < 0.3 else None
        test = scope.test(dice, 2) if dice.random() < 0.6 else E('1 = 1')
        having = ''
        if dice.random() < 0.35:
            call = dice.choice([c for c in calls if c.kind in ('int', 'big')] or [E('COUNT(*)')])
            having = f" HAVING {{}} {dice.choice(['>', '<=', '<>'])} {dice.randint(1, 60)}"
            having = having.format(call.weir), having.format(f'coalesce({call.lite}, -99999)')
            if call.null:
                having = f' HAVING {call.weir} IS NOT NULL', f' HAVING {call.lite} IS NOT NULL'
        weir = ', '.join(f'{e.weir} AS g{i}' for i, e in enumerate(keys))
        weir += ', ' + ', '.join(f'{e.weir} AS c{i}' for i, e in enumerate(calls))
        size = f' WINDOW TUMBLING (SIZE {window[0]}, RETENTION 2000 DAYS, GRACE PERIOD 1000 DAYS)' if window else ''
        self.statements.append(f"CREATE TABLE {name} WITH (FORMAT='JSON') AS SELECT {weir} FROM {weir_from}{size} "
                               f"WHERE {test.weir} GROUP BY {', '.join(k.weir for k in keys)}{having[0] if having else ''};")
        start = f"({self.time('f')} / {window[1]} * {window[1]})" if window else None
        lite = ', '.join([f'{e.lite} AS g{i}' for i, e in enumerate(keys)] + ([f'{start} AS w'] if window else []) +
                         [f'{e.lite} AS c{i}' for i, e in enumerate(calls)])
        there = ' AND '.join([f'({k.lite}) IS NOT NULL' for k in keys])
        groups = ', '.join([f'({k.lite})' for k in keys] + ([start] if window else []))
        lite = f"SELECT {lite} FROM {lite_from} WHERE ({test.lite}) AND {there} GROUP BY {groups}{having[1] if having else ''}"
        columns = [(f'g{i}', e.kind, False) for i, e in enumerate(keys)] + [(f'c{i}', e.kind, e.null) for i, e in enumerate(calls)]
        table = Source(name, f'({lite})', columns)
        if not window and dice.random() < 0.3:
            table = self.table_of_table(table, len(keys))
        self.ask_table(table, len(keys), window)

    def group(self, scope, taken):
        for _ in range(100):
            key = self.dice.choice([scope.pick(self.dice, 'text'), scope.pick(self.dice, 'int'), scope.any(self.dice, 2)])
            if key.weir not in taken and not key.weir.lstrip("(-'").lstrip().replace('.', '').replace("'", '').isdigit() and 'f.' in key.weir + key.weir.replace('a.', 'f.'):
                return key
        return E('f.origin', kind='text')

    def aggregate(self, scope):
        dice = self.dice
        how = dice.randrange(7)
        number = dice.choice([scope.number, scope.fraction])(dice, 2)
        if how == 0:
            return E('COUNT(*)', kind='big')
        if how == 1:
            value = scope.any(dice, 2)
            return E(f'COUNT({value.weir})', f'COUNT({value.lite})', 'big')
        if how in (2, 3):
            return E(f'SUM({number.weir})', f'coalesce(SUM({number.lite}), 0)', number.kind)
        if how == 4:
            return E(f'AVG({number.weir})', f'coalesce(AVG({number.lite}), 0)', 'double')
        value, name = scope.any(dice, 2), dice.choice(['MIN', 'MAX'])
        return E(f'{name}({value.weir})', f'{name}({value.lite})', value.kind, value.null)

    def table_of_table(self, table, key_count):
        """The same keys, fewer rows, other values."""
        dice, name, scope = self.dice, self.name('u'), Scope(table.scope())
        test, extra = scope.test(dice, 2), scope.value(dice, 2)
        keys = table.columns[:key_count]
        items = ', '.join(f'f.{c[0]} AS {c[0]}' for c in keys)
        self.statements.append(f'CREATE TABLE {name} AS SELECT {items}, {extra.weir} AS c0 FROM {table.name} f WHERE {test.weir};')
        return Source(name, f'(SELECT {items}, {extra.lite} AS c0 FROM {table.lite} f WHERE {test.lite})',
                      keys + [('c0', extra.kind, extra.null)])

    def ask_table(self, table, key_count, window):
        dice = self.dice
        names = [c[0] for c in table.columns]
        items, lites = list(names), list(names)
        if window:
            items, lites = items + ['WINDOWSTART'], lites + ['w']
        self.ask(f'SELECT {{}} FROM {table.name};', items, f"SELECT {', '.join(lites)} FROM {table.lite}")
        self.ask_where(table, window)
        columns = [E(name, kind=kind, null=null) for name, kind, null in table.columns]
        groupable = [column for column in columns if column.kind in ('int', 'big', 'text')]
        if groupable and dice.random() < 0.5:
            self.ask_groups(table, '', Scope(columns), dice.choice(groupable))
        rows = self.db.execute(f"SELECT {', '.join(lites)} FROM {table.lite}").fetchall()
        if rows:
            self.ask_keys(table, key_count, window, items, lites, rows)
        keys = names[:key_count] + (['WINDOWSTART'] if window else [])
        lite_keys = names[:key_count] + (['w'] if window else [])
        if all(c[1] != 'double' for c in table.columns[:key_count]):
            down, count = dice.choice(['', ' DESC']), dice.randint(1, 30)
            self.ask(f"SELECT {{}} FROM {table.name} ORDER BY {', '.join(k + down for k in keys)} LIMIT {count};", items,
                     f"SELECT {', '.join(lites)} FROM {table.lite} ORDER BY {', '.join(k + down for k in lite_keys)} LIMIT {count}",
                     True)

    def ask_where(self, table, window):
        dice = self.dice
        scope = Scope([column(name, kind, null) for name, kind, null in table.columns])
        item, test = scope.any(dice, 2), scope.test(dice, 2)
        weir, lite = test.weir, test.lite
        if window:
            day = 978307200000 + dice.randint(0, 60) * 86400000
            op = dice.choice(['>=', '<', '>', '<=', '='])
            weir, lite = f'({weir}) AND WINDOWSTART {op} {day}', f'({lite}) AND w {op} {day}'
        self.ask(f'SELECT {{}} FROM {table.name} WHERE {weir};', [item.weir, table.columns[0][0]],
                 f'SELECT {item.lite}, {table.columns[0][0]} FROM {table.lite} WHERE {lite}')

    def ask_groups(self, source, alias, scope, key):
        """Aggregates over the rows as they are."""
        dice = self.dice
        calls = [self.aggregate(scope) for _ in range(dice.randint(1, 3))]
        test = scope.test(dice, 1)
        self.ask(f'SELECT {{}} FROM {source.name}{alias} WHERE {test.weir} GROUP BY {key.weir};',
                 [key.weir] + [c.weir for c in calls],
                 f"SELECT {', '.join([key.lite] + [c.lite for c in calls])} FROM {source.lite}{alias} "
                 f'WHERE ({test.lite}) AND ({key.lite}) IS NOT NULL GROUP BY {key.lite}')

    def ask_keys(self, table, key_count, window, items, lites, rows):
        dice = self.dice
        def text(value, column):
            if column[1] == 'text':
                return "'" + value.replace("'", "''") + "'"
            return repr(value) + ('E0' if column[1] == 'double' else '')
        columns = table.columns[:key_count]
        chosen = [dice.choice(rows) for _ in range(dice.randint(1, 4))]
        if any(c[1] in ('double', 'decimal') for c in columns):
            return
        if key_count == 1:
            values = ', '.join(text(row[0], columns[0]) for row in chosen)
            where = f'g0 IN ({values})' if len(chosen) > 1 or dice.random() < 0.3 else f'g0 = {values}'
        else:
            where = ' AND '.join(f'{c[0]} = {text(v, c)}' for c, v in zip(columns, chosen[0]))
        ranged = key_count == 1 and columns[0][1] in ('int', 'big') and dice.random() < 0.3
        if ranged:
            low, high = sorted(row[0] for row in (chosen * 2)[:2])
            where = dice.choice([f'g0 BETWEEN {low} AND {high}', f'g0 > {low}', f'{high} >= g0 AND g0 <> {low}'])
        weir = lite = where
        if window and dice.random() < 0.6:
            start = chosen[0][-1]
            how = dice.choice(['= {0}', '>= {0}', 'BETWEEN {0} AND {1}']).format(start, start + 86400000)
            weir, lite = f'{where} AND WINDOWSTART {how}', f'{where} AND w {how}'
        self.ask(f'SELECT {{}} FROM {table.name} WHERE {weir};', items, f"SELECT {', '.join(lites)} FROM {table.lite} WHERE {lite}")

    def ask(self, weir, items, lite, ordered=False):
        """Columns are named after the question, so that rows of one run can be told apart."""
        name = f'a{self.number}_{len(self.questions)}'
        columns = ', '.join(f'{item} AS {name}_{i}' for i, item in enumerate(items))
        self.questions.append(Question(weir.format(columns), lite, ordered))


# == Comparing ====================================================================================

def sort_key(row):
    return tuple((v is None, isinstance(v, str), round(v, 4) if isinstance(v, float) else v if v is not None else 0) for v in row)


def same(left, right, ordered):
    if len(left) != len(right):
        return False
    if not ordered:
        left, right = sorted(left, key=sort_key), sorted(right, key=sort_key)
    for a, b in zip(left, right):
        for x, y in zip(a, b):
            if isinstance(x, (int, float)) and isinstance(y, (int, float)):
                if abs(x - y) > 1e-6 * max(1, abs(y)):
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
    return [json.loads(line) for line in done.stdout.splitlines()]


def prove_shape(weir, cases, db, airports, partitions, workers):
    with tempfile.TemporaryDirectory() as folder:
        run(weir, folder, workers, SOURCES.format(p=partitions, a=airports, f=FLIGHTS) +
            '\n'.join('\n'.join(c.statements) for c in cases))
        rows = {}
        for row in run(weir, folder, workers, '\n'.join(q.weir for c in cases for q in c.questions)):
            name = next(iter(row)).rsplit('_', 1)[0]
            rows.setdefault(name, []).append(tuple(row.values()))
    for case in cases:
        for i, question in enumerate(case.questions):
            got = rows.get(f'A{case.number}_{i}', [])
            want = db.execute(question.lite).fetchall()
            if not same(got, want, question.ordered):
                odd = [r for r in got if r not in set(want)][:3]
                missing = [r for r in want if r not in set(got)][:3]
                made = '\n'.join(case.statements)
                return (f'{partitions} partitions, {workers} workers:\n{made}\n{question.weir}\ngave {len(got)} rows, sqlite3 '
                        f'{len(want)}; too many {odd}, missing {missing}\n{question.lite}')
    return None


def prove(weir, count, seed, airports):
    db, dice, asked = load_sqlite(airports), random.Random(seed), 0
    for first in range(0, count, CASES_PER_LOAD):
        cases = [Case(dice, i, db) for i in range(first, min(first + CASES_PER_LOAD, count))]
        shapes = SHAPES if count > CASES_PER_LOAD else [SHAPES[0], SHAPES[3], SHAPES[5]]
        for partitions, workers in shapes:
            try:
                why = prove_shape(weir, cases, db, airports, partitions, workers)
            except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
                why = f'{partitions} partitions, {workers} workers, cases {first} to {first + len(cases) - 1}: {error}'
            if why:
                print(f'{why}\nFAILED seed {seed}')
                return 1
            asked += sum(len(c.questions) for c in cases)
    print(f'{count} cases, {asked} questions, all answered like sqlite3')
    print('PROVED')
    return 0


if __name__ == '__main__':
    with tempfile.NamedTemporaryFile(suffix='.csv') as file:
        sys.exit(prove(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), file.name))
