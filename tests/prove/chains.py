"""chains.py - cases: chains of statements made at random, and questions about what they come to.

A case begins with a source of its load (flights, the generated streams, two of them joined), makes
up to two streams of it (filtered, computed, joined with a table, partitioned by something else, fed
by a second INSERT INTO), then mostly a table per group, maybe in windows, maybe EMIT FINAL, maybe
HAVING; maybe a table made from that table, or a stream that reads its topic back; or tables are
joined. sqlite3 gets the same chain as tables, whose rows also carry ts_ (the row's time), seq_ (its
place in the order of arrival) and part_ (the partition of its topic), as far as they are known.
Questions ask for the last one: lookups of all rows, by key, WHERE, window bounds, ORDER BY, LIMIT,
GROUP BY; push queries of streams.
"""
import re

from dialects import E, Scope, column
from windows import Window

AIRPORT_COLUMNS = [('name', 'text'), ('city', 'text'), ('state', 'text'), ('latitude', 'double')]
HIDDEN = ', f.ts_ AS ts_, f.seq_ AS seq_'
TYPES = {'text': 'STRING', 'int': 'INT', 'big': 'BIGINT', 'double': 'DOUBLE'}
END = 77777  # in `a` of the generated streams: rows that only move stream time, of every partition
JITTER = 20000


class Source:
    """What stands behind FROM: in sqlite3 a table of the same name, alias f.

    columns are (name, kind, null); disorder: no row comes more ms behind an earlier time of its
    partition (None: not known); ordered: in a partition rows come in order of seq_;
    cells: by column, of arrays and maps, how they are compared.
    """

    def __init__(self, name, columns, **more):
        self.name, self.columns = name, columns
        self.key, self.form, self.partitions, self.scale = None, 'KAFKA', 1, 'days'
        self.disorder, self.ordered, self.window, self.cells = None, False, None, {}
        self.__dict__.update(more)

    def scope(self):
        return [column(f'f.{name}', kind, null) for name, kind, null in self.columns if kind not in ('list', 'map')]


class Question:
    """A statement with rows, and what they must be; cells: what is an array or a map."""

    def __init__(self, weir, lite, ordered=False, cells=()):
        self.weir, self.lite, self.ordered, self.cells = weir, lite, ordered, cells


class Call:
    """An aggregate: Weir's text, the arguments' texts and the call of v0, v1, ... in sqlite3."""

    def __init__(self, weir, args, lite, kind='int', null=False, cell=None):
        self.weir, self.args, self.lite, self.kind, self.null, self.cell = weir, args, lite, kind, null, cell


class Case:
    focus = False  # on windows that rows may be late for

    def __init__(self, dice, number, load):
        self.dice, self.number, self.load, self.db = dice, number, load, load.db
        self.statements, self.questions, self.made = [], [], 0
        self.make()

    def make(self):
        source = self.load.sources['flights']
        for _ in range(self.dice.choice([0, 0, 1, 1, 2])):
            source = self.stream(source)
        if source.name != 'flights' and self.dice.random() < 0.25:
            self.ask_stream(source)
        else:
            self.table(source)

    def name(self, letter):
        self.made += 1
        return f'{letter}{self.number}_{self.made}'

    def keep(self, name, lite):
        """sqlite3's table of this name."""
        self.db.execute(f'create table {name} as {lite}')

    # -- Streams ----------------------------------------------------------------------------------

    def joined(self, source):
        """FROM ... in both dialects, the scope, and by what it is joined ('': it is not)."""
        if self.dice.random() < 0.45:
            return f'{source.name} f', f'{source.name} f', Scope(source.scope()), ''
        if source.scale == 'seconds':
            return self.joined_names(source)
        left = self.dice.random() < 0.4
        on = self.dice.choice(['f.origin', 'f.destination', 'f.origin', 'SUBSTRING(f.destination, 1, 3)'])
        join = f"{'LEFT ' if left else ''}JOIN airports a ON"
        columns = [E(f'a.{name}', kind=kind, null=left) for name, kind in AIRPORT_COLUMNS]
        lite = on.replace('SUBSTRING', 'substr')
        return f'{source.name} f {join} {on} = a.iata', f'{source.name} f {join} {lite} = a.iata', Scope(source.scope() + columns), lite

    def joined_names(self, source):
        texts = [c[0] for c in source.columns if c[1] == 'text' and not c[2]]
        if not texts:
            return f'{source.name} f', f'{source.name} f', Scope(source.scope()), ''
        left, on = self.dice.choice(['', 'LEFT ']), self.dice.choice(texts)
        join = f'{source.name} f {left}JOIN names n ON f.{on} = n.k'
        columns = [column('n.n', 'text', bool(left)), column('n.w', 'int', bool(left))]
        return join, join, Scope(source.scope() + columns), f'f.{on}'

    def stream(self, source):
        dice, name = self.dice, self.name('s')
        weir_from, lite_from, scope, on = self.joined(source)
        columns = list(source.columns)
        items = [f'f.{c[0]} AS {c[0]}' for c in columns]
        lite_items = list(items)
        by, key = '', on[2:] if on.startswith('f.') else source.key
        if dice.random() < 0.4:
            key = dice.choice([c[0] for c in source.columns if c[1] in ('text', 'int', 'big')])
            by = f' PARTITION BY f.{key}'
        if 'SUBSTRING' in weir_from:  # the key of such a join is named as the table's, and must be there
            items.insert(0, f'a.iata AS k{self.made}')
            lite_items.insert(0, f"{'a.iata' if by else on} AS k{self.made}")
            columns = [(f'k{self.made}', 'text', bool(by))] + columns
            key = key if by else f'k{self.made}'
        for i in range(dice.randint(0, 2)):
            extra = scope.value(dice, 2)
            item = f'x{self.made}_{i}'
            columns.append((item, extra.kind, extra.null))
            items.append(f'{extra.weir} AS {item}')
            lite_items.append(f'{extra.lite} AS {item}')
        test = scope.test(dice, 2) if dice.random() < 0.6 else E('1 = 1')
        more_items = []
        if not on and not by and dice.random() < 0.15:
            more_items = self.explode(scope, columns, items, lite_items)
        lite = f"SELECT {', '.join(lite_items)}{HIDDEN} FROM {lite_from} WHERE {test.lite}"
        form = dice.choice([source.form, 'JSON'])
        count = dice.choice([source.partitions, source.partitions, source.partitions, 2])
        with_ = f"KEY_FORMAT='{form}', VALUE_FORMAT='JSON'" + (f', PARTITIONS={count}' if count != source.partitions else '')
        self.statements.append(f"CREATE STREAM {name} WITH ({with_}) AS SELECT {', '.join(items)} FROM {weir_from} "
                               f'WHERE {test.weir}{by};')
        for other in more_items:
            lite += f" UNION ALL SELECT {', '.join(other)}{HIDDEN} FROM {lite_from} WHERE {test.lite}"
        twice = not more_items and dice.random() < 0.2
        if twice:
            more = scope.test(dice, 2)
            self.statements.append(f"INSERT INTO {name} WITH (QUERY_ID='insert_{name}') SELECT {', '.join(items)} FROM {weir_from} "
                                   f'WHERE {more.weir}{by};')
            lite += f" UNION ALL SELECT {', '.join(lite_items)}{HIDDEN} FROM {lite_from} WHERE {more.lite}"
        kind, null = next(((c[1], c[2]) for c in columns if c[0] == key), ('text', True))
        if kind in ('text', 'int', 'big'):
            part = f"partition_of({key}, '{kind}', '{form}', {count})"
        else:
            part, null = 'NULL', True
        self.keep(name, f'SELECT *, {part} AS part_ FROM ({lite})')
        moved = key != source.key or form != source.form or count != source.partitions or (on and count != self.load.partitions)
        one = source.partitions == 1 and (not on or self.load.partitions == 1)
        alone = not twice and (one or not moved)  # one task writes a partition
        return Source(name, columns, key=key, form=form, partitions=count, scale=source.scale,
                      disorder=source.disorder if alone and not self.load.parts else None,
                      ordered=source.ordered and alone and not more_items and (count == 1 or not null))

    def explode(self, scope, columns, items, lite_items):
        """A row for each of some numbers; sqlite3's items of all rows but the first."""
        values = [scope.pick(self.dice, 'int') for _ in range(self.dice.randint(2, 3))]
        kind = 'big' if any(v.kind == 'big' for v in values) else 'int'
        item = f'y{self.made}'
        columns.append((item, kind, any(v.null for v in values)))
        items.append(f"EXPLODE(ARRAY[{', '.join(v.weir if v.kind == kind else f'CAST({v.weir} AS BIGINT)' for v in values)}]) AS {item}")
        others = [lite_items + [f'{v.lite} AS {item}'] for v in values[1:]]
        lite_items.append(f'{values[0].lite} AS {item}')
        return others

    def ask_stream(self, source):
        """A push query over the whole stream."""
        dice, scope = self.dice, Scope(source.scope())
        items = [scope.any(dice, 2) for _ in range(dice.randint(1, 4))]
        test = scope.test(dice, 1)
        lite = f"SELECT {', '.join(i.lite for i in items)} FROM {source.name} f WHERE {test.lite}"
        count = len(self.db.execute(lite).fetchall())
        emit = f'EMIT CHANGES LIMIT {count}' if dice.random() < 0.6 else ''
        if count > 0 or not emit:
            self.ask(f"SELECT {{}} FROM {source.name} f WHERE {test.weir} {emit};", [i.weir for i in items], lite)
        if dice.random() < 0.5:
            self.ask_groups(source, ' f', scope, self.group(scope, []))

    # -- Tables -----------------------------------------------------------------------------------

    def table(self, source):
        """A table per group of a stream."""
        dice, name = self.dice, self.name('t')
        weir_from, lite_from, scope, on = self.joined(source)
        keys = []
        for _ in range(dice.choice([1, 1, 1, 2, 2, 3])):
            keys.append(self.group(scope, [k.weir for k in keys]))
        if self.focus or dice.random() < 0.35:  # nothing moves then: what comes late is known
            keys = [c for c in scope.columns if c.weir == f'f.{source.key}' and c.kind != 'double'] or keys
        part, exact, disorder = self.parts(source, on, keys)
        window = None
        if self.focus or dice.random() < 0.65:
            often = (0.9, 0.4) if self.focus else (0.6, 0.6)
            window = Window(dice, source.scale, disorder, exact and disorder is not None and dice.random() < often[0],
                            part and disorder is not None and dice.random() < often[1])
        exact = 'merged' if exact and window and window.kind == 'SESSION' else exact
        calls = [self.aggregate(scope, exact) for _ in range(dice.randint(1, 4))]
        test = scope.test(dice, 2) if dice.random() < 0.6 else E('1 = 1')
        having = self.having(calls)
        form = dice.choice(['JSON', 'JSON', source.form]) if len(keys) == 1 and keys[0].kind in TYPES else 'JSON'
        weir = ', '.join([f'{e.weir} AS g{i}' for i, e in enumerate(keys)] + [f'{c.weir} AS c{i}' for i, c in enumerate(calls)])
        self.statements.append(f"CREATE TABLE {name} WITH (KEY_FORMAT='{form}', VALUE_FORMAT='JSON') AS SELECT {weir} FROM {weir_from}"
                               f"{window.weir if window else ''} WHERE {test.weir} GROUP BY {', '.join(k.weir for k in keys)}"
                               f"{having[0]}{' EMIT FINAL' if window and window.final else ''};")
        self.base(name, lite_from, keys, calls, test, part)
        self.grouped_rows(name, len(keys), calls, window, having[1])
        columns = [(f'g{i}', e.kind, False) for i, e in enumerate(keys)] + [(f'c{i}', c.kind, c.null) for i, c in enumerate(calls)]
        cells = {f'c{i}': c.cell for i, c in enumerate(calls) if c.cell}
        table = Source(name, columns, key='g0', form=form, partitions=source.partitions, scale=source.scale,
                       window=window, cells=cells)
        self.after(table, len(keys))

    def parts(self, source, on, keys):
        """sqlite3's text of the partition in which rows of a group meet (None: not known), whether
        they come there in order of seq_, and how far out of the order of time."""
        count = self.load.partitions if on else source.partitions  # a join moves rows to those of the table
        own = len(keys) == 1 and keys[0].weir == f'f.{source.key}'
        if source.partitions == count == 1:
            return '0', source.ordered, source.disorder
        if own and source.partitions == count and on in ('', keys[0].lite):
            return 'f.part_' if source.ordered else None, source.ordered, source.disorder
        # Of a stream that queries write one partition may be in front of another.
        disorder = source.disorder if source.name in self.load.sources or source.partitions == 1 else None
        if own and on == keys[0].lite or any(k.kind not in ('text', 'int', 'big') for k in keys):
            return None, False, disorder
        return f"group_partition({count}, '{' '.join(k.kind for k in keys)}', {', '.join(k.lite for k in keys)})", False, disorder

    def base(self, name, lite_from, keys, calls, test, part):
        """Table b_NAME: the rows that count, with the groups' keys and the calls' arguments."""
        items = [f'{k.lite} AS g{i}' for i, k in enumerate(keys)]
        items += [f'{arg} AS v{i}_{j}' for i, c in enumerate(calls) for j, arg in enumerate(c.args)]
        there = ' AND '.join(f'({k.lite}) IS NOT NULL' for k in keys)
        self.keep(f'b_{name}', f"SELECT {', '.join(items)}{HIDDEN}, {part or 'NULL'} AS part_ FROM {lite_from} "
                               f'WHERE ({test.lite}) AND {there}')

    def grouped_rows(self, name, key_count, calls, window, having):
        keys = [f'g{i}' for i in range(key_count)]
        aggregates = [self.call_text(c, i) + f' AS c{i}' for i, c in enumerate(calls)]
        if not window:
            self.keep(name, f"SELECT {', '.join(keys + aggregates)}, max(ts_) AS rt_ FROM b_{name} GROUP BY {', '.join(keys)}{having}")
            return
        if window.kind == 'SESSION' and window.late:
            window.keep_sessions(self.db, f'b_{name}', keys)
        items = ', '.join(keys + ['w', 'e'] + aggregates)
        self.keep(name, f"SELECT {items}, max(ts_) AS rt_, max(part_) AS part_ FROM {window.rows(f'b_{name}', keys)} "
                        f"GROUP BY {', '.join(keys)}, w, e{having}")
        if window.final:
            self.keep(f'f_{name}', f"SELECT t.* FROM {name} t JOIN (SELECT part_ AS p_, max(ts_) AS end_ FROM b_{name} GROUP BY part_) "
                                   f'ON part_ = p_ WHERE {window.closed()}')

    @staticmethod
    def call_text(call, i):
        return re.sub(r'\bv(\d)\b', rf'v{i}_\1', call.lite)

    def having(self, calls):
        dice = self.dice
        if dice.random() >= 0.35:
            return '', ''
        call, i = dice.choice([(c, i) for i, c in enumerate(calls) if c.kind in ('int', 'big')] or [(Call('COUNT(*)', [], 'COUNT(*)'), 0)])
        if call.null:
            return f' HAVING {call.weir} IS NOT NULL', f' HAVING {self.call_text(call, i)} IS NOT NULL'
        test = f"{dice.choice(['>', '<=', '<>'])} {dice.randint(1, 60)}"
        return f' HAVING {call.weir} {test}', f' HAVING {self.call_text(call, i)} {test}'

    def group(self, scope, taken):
        """Not of doubles that were summed up: their last digits are by chance."""
        inexact = [c.weir for c in scope.columns if c.kind == 'double']
        for _ in range(100):
            key = self.dice.choice([scope.pick(self.dice, 'text'), scope.pick(self.dice, 'int'), scope.any(self.dice, 2)])
            if key.weir not in taken and any(c.weir in key.weir for c in scope.columns) and not any(c in key.weir for c in inexact):
                return key
        rest = [c for c in scope.columns if c.weir not in taken]
        return next((c for c in rest if c.weir not in inexact), rest[0])

    def aggregate(self, scope, exact, table=False):
        """Of a stream's rows, or a table's; exact: rows come in order of seq_; 'merged': but lists of
        sessions that become one are put one behind the other."""
        dice = self.dice
        if dice.random() < 0.45:
            return self.rare_aggregate(scope, exact, table)
        how = dice.randrange(7)
        number = dice.choice([scope.number, scope.fraction])(dice, 2)
        if how == 0:
            return Call('COUNT(*)', [], 'COUNT(*)', 'big')
        if how == 1:
            value = scope.any(dice, 2)
            return Call(f'COUNT({value.weir})', [value.lite], 'COUNT(v0)', 'big')
        if how in (2, 3):
            return Call(f'SUM({number.weir})', [number.lite], 'coalesce(SUM(v0), 0)', number.kind)
        if how == 4:
            return Call(f'AVG({number.weir})', [number.lite], 'coalesce(AVG(v0), 0)', 'double')
        value, name = scope.any(dice, 2), dice.choice(['MIN', 'MAX'])
        return Call(f'{name}({value.weir})', [value.lite], f'{name}(v0)', value.kind, value.null)

    def rare_aggregate(self, scope, exact, table):
        dice = self.dice
        value = dice.choice([scope.number, scope.text])(dice, 1)
        number = scope.number(dice, 1)
        count = dice.randint(1, 4)
        some = [Call(f'COLLECT_LIST({value.weir})', [value.lite], 'collected(v0)', 'list', cell='set'),
                Call(f'HISTOGRAM({value.weir})', [value.lite], 'histogram(v0)', 'map', cell='map') if value.kind == 'text' else None,
                Call(f'ATTR({value.weir})', [value.lite], 'attr(v0)', value.kind, True),
                Call(f'STDDEV_SAMP({number.weir})', [number.lite], 'variance(v0)', 'double')]
        if not table:  # a root makes what taking back leaves of a variance (1e-12) visible (1e-6)
            some += [Call(f'STDDEV_SAMPLE({number.weir})', [number.lite], 'deviation(v0)', 'double')]
            one, nulls = dice.choice([('COUNT_DISTINCT({})', 'COUNT(DISTINCT {})')] * 2), ''
            some += [Call(one[0].format(value.weir), [value.lite], 'COUNT(DISTINCT v0)', 'big'),
                     Call(f'COUNT(DISTINCT {value.weir})', [value.lite], 'COUNT(DISTINCT v0)', 'big'),
                     Call(f'COLLECT_SET({value.weir})', [value.lite], 'collected_set(v0)', 'list', cell='set'),
                     Call(f'TOPK({value.weir}, {count})', [value.lite], f'top(v0, {count}, 0)', 'list', cell='list'),
                     Call(f'TOPKDISTINCT({value.weir}, {count})', [value.lite], f'top(v0, {count}, 1)', 'list', cell='list')]
        if exact and not table:
            nulls = dice.choice([('', 0), (', true', 0), (', false', 1)])
            name, sign = dice.choice([('EARLIEST', ''), ('LATEST', '-')])
            some += [Call(f'{name}_BY_OFFSET({value.weir}{nulls[0]})', [value.lite, 'f.seq_'], f'nth(v0, v1, {sign}1, {nulls[1]}, 1)',
                          value.kind, True)] * 2
        if exact is True and not table:
            some += [Call(f'{name}_BY_OFFSET({value.weir}, {count}{nulls[0]})', [value.lite, 'f.seq_'],
                          f'nth(v0, v1, {sign}{count}, {nulls[1]}, 0)', 'list', cell='list'),
                     Call(f'COLLECT_LIST({value.weir})', [value.lite, 'f.seq_'], 'collected(v0, v1)', 'list', cell='list')] * 2
        return dice.choice([call for call in some if call])

    def after(self, table, key_count):
        """What is made of a table, and the questions."""
        dice, window = self.dice, table.window
        if window and window.final:
            table, key_count = self.read_back(table, key_count)
            if not table:
                return
        if dice.random() < 0.35:
            if dice.random() < 0.5:
                table = self.table_of_table(table, key_count)
            else:
                table = self.table_of_groups(table)
                key_count = 1
        self.ask_table(table, key_count)

    def read_back(self, table, key_count):
        """The topic of final results as a stream: each once. Then maybe a table of that."""
        dice, name, window = self.dice, self.name('v'), table.window
        final = Source(f'f_{table.name}', table.columns, **{k: v for k, v in table.__dict__.items() if k not in ('name', 'columns')})
        keys = table.columns[:key_count]
        if any(k[1] not in TYPES for k in keys):
            self.ask_table(table, key_count)
            return None, 0
        columns = [c for c in table.columns[key_count:] if c[1] in TYPES]
        typed = ', '.join([f'{c[0]} {TYPES[c[1]]} KEY' for c in keys] + [f'{c[0]} {TYPES[c[1]]}' for c in columns])
        size = '' if window.kind == 'SESSION' else f", WINDOW_SIZE='{window.size} MILLISECONDS'"
        self.statements.append(f"CREATE STREAM {name} ({typed}) WITH (KAFKA_TOPIC='{table.name.upper()}', WINDOW_TYPE='{window.kind}'{size}, "
                               f"KEY_FORMAT='{table.form}', VALUE_FORMAT='JSON');")
        items = [c[0] for c in keys + columns]
        lite = f"SELECT {', '.join(items)}, w, e, rt_ FROM {final.name}"
        self.ask(f'SELECT {{}} FROM {name};', items + ['WINDOWSTART', 'WINDOWEND', 'ROWTIME'], lite)
        if key_count == 1 and columns and dice.random() < 0.5:
            self.join_windows(name, size, typed, keys + columns, table)
        if dice.random() < 0.4:
            self.ask_table(table, key_count)  # lookups see windows that are still open
            return None, 0
        if dice.random() < 0.5:
            self.keep(name, f"SELECT {', '.join(items)}, w, e FROM {final.name}")
            return self.table_of_groups(Source(name, keys + columns, window=window), 'stream'), 1
        # Tables made of it hold what is final.
        made = self.name('u')
        self.statements.append(f"CREATE TABLE {made} AS SELECT {', '.join(c[0] for c in table.columns)} FROM {table.name};")
        self.keep(made, f'SELECT * FROM {final.name}')
        final.name = made
        return final, key_count

    def join_windows(self, name, size, typed, columns, table):
        """Streams with windows, joined by key and window: the topic with itself."""
        other, joined = self.name('v'), self.name('w')
        self.statements.append(f"CREATE STREAM {other} ({typed}) WITH (KAFKA_TOPIC='{table.name.upper()}', WINDOW_TYPE='{table.window.kind}'"
                               f"{size}, KEY_FORMAT='{table.form}', VALUE_FORMAT='JSON');")
        key, values = columns[0][0], [c[0] for c in columns[1:]]
        items = ', '.join([f'l.{key} AS {key}'] + [f'{side}.{c} AS {side}{c}' for side in 'lr' for c in values])
        kind = self.dice.choice(['INNER', 'LEFT'])
        self.statements.append(f'CREATE STREAM {joined} AS SELECT {items} FROM {name} l {kind} JOIN {other} r WITHIN 1000 DAYS '
                               f'GRACE PERIOD 1000 DAYS ON l.{key} = r.{key};')
        shown = [key] + [f'{side}{c}' for side in 'lr' for c in values]
        rows = f'f_{table.name}'
        self.ask(f'SELECT {{}} FROM {joined};', shown + ['WINDOWSTART', 'WINDOWEND'],
                 f'SELECT {items}, l.w, l.e FROM {rows} l JOIN {rows} r ON l.{key} = r.{key} AND l.w = r.w AND l.e = r.e')

    def table_of_table(self, table, key_count):
        """The same keys, fewer rows, other values."""
        dice, name, scope = self.dice, self.name('u'), Scope(table.scope())
        test, extra = scope.test(dice, 2), scope.value(dice, 2)
        keys = table.columns[:key_count]
        items = ', '.join(f'f.{c[0]} AS {c[0]}' for c in keys)
        self.statements.append(f'CREATE TABLE {name} AS SELECT {items}, {extra.weir} AS c0 FROM {table.name} f WHERE {test.weir};')
        bounds = ', f.w AS w, f.e AS e' if table.window else ''
        self.keep(name, f'SELECT {items}, {extra.lite} AS c0{bounds} FROM {table.name} f WHERE {test.lite}')
        return Source(name, keys + [('c0', extra.kind, extra.null)], window=table.window)

    def table_of_groups(self, table, of='table'):
        """GROUP BY over a table: what changes is taken from its group; or over windows read back."""
        dice, name, scope = self.dice, self.name('u'), Scope(table.scope())
        key = self.group(scope, [])
        calls = [self.aggregate(scope, False, of == 'table') for _ in range(dice.randint(1, 3))]
        test = scope.test(dice, 1)
        # A group that is empty again stays, with its aggregates of nothing.
        self.statements.append(f"CREATE TABLE {name} WITH (FORMAT='JSON') AS SELECT {key.weir} AS g0, "
                               f"{', '.join(f'{c.weir} AS c{i}' for i, c in enumerate(calls))} FROM {table.name} f "
                               f'WHERE {test.weir} GROUP BY {key.weir} HAVING COUNT(*) > 0;')
        items = [f'{key.lite} AS g0'] + [f'{arg} AS v{i}_{j}' for i, c in enumerate(calls) for j, arg in enumerate(c.args)]
        self.keep(f'b_{name}', f"SELECT {', '.join(items)} FROM {table.name} f WHERE ({test.lite}) AND ({key.lite}) IS NOT NULL")
        self.keep(name, f"SELECT g0, {', '.join(f'{self.call_text(c, i)} AS c{i}' for i, c in enumerate(calls))} FROM b_{name} GROUP BY g0")
        return Source(name, [('g0', key.kind, False)] + [(f'c{i}', c.kind, c.null) for i, c in enumerate(calls)],
                      cells={f'c{i}': c.cell for i, c in enumerate(calls) if c.cell})

    # -- Questions --------------------------------------------------------------------------------

    def ask_table(self, table, key_count):
        dice, window = self.dice, table.window
        names = [c[0] for c in table.columns]
        items, lites = list(names), list(names)
        if window:
            items, lites = items + ['WINDOWSTART', 'WINDOWEND'], lites + ['w', 'e']
        cells = [table.cells.get(name) for name in lites]
        self.ask(f'SELECT {{}} FROM {table.name};', items, f"SELECT {', '.join(lites)} FROM {table.name}", cells=cells)
        self.ask_where(table)
        columns = [E(name, kind=kind, null=null) for name, kind, null in table.columns]
        groupable = [c for c in columns if c.kind in ('int', 'big', 'text')]
        if groupable and dice.random() < 0.4:
            self.ask_groups(table, '', Scope(columns), dice.choice(groupable))
        rows = self.db.execute(f"SELECT {', '.join(lites)} FROM {table.name}").fetchall()
        if rows:
            self.ask_keys(table, key_count, items, lites, rows, cells)
        keys = names[:key_count] + (['WINDOWSTART'] if window else [])
        lite_keys = names[:key_count] + (['w'] if window else [])
        if all(c[1] != 'double' for c in table.columns[:key_count]) and dice.random() < 0.6:
            down, count = dice.choice(['', ' DESC']), dice.randint(1, 30)
            self.ask(f"SELECT {{}} FROM {table.name} ORDER BY {', '.join(k + down for k in keys)} LIMIT {count};", items,
                     f"SELECT {', '.join(lites)} FROM {table.name} ORDER BY {', '.join(k + down for k in lite_keys)} LIMIT {count}",
                     True, cells)

    def ask_where(self, table):
        dice = self.dice
        scope = Scope([column(name, kind, null) for name, kind, null in table.columns if kind not in ('list', 'map')])
        item, test = scope.any(dice, 2), scope.test(dice, 2)
        weir, lite = test.weir, test.lite
        if table.window:
            start = self.db.execute(f'SELECT coalesce(avg(w), 0) FROM {table.name}').fetchone()[0]
            op, start = dice.choice(['>=', '<', '>', '<=', '=']), int(start)
            weir, lite = f'({weir}) AND WINDOWSTART {op} {start}', f'({lite}) AND w {op} {start}'
        self.ask(f'SELECT {{}} FROM {table.name} WHERE {weir};', [item.weir, table.columns[0][0]],
                 f'SELECT {item.lite}, {table.columns[0][0]} FROM {table.name} WHERE {lite}')

    def ask_groups(self, source, alias, scope, key):
        """Aggregates over the rows as they are."""
        dice = self.dice
        calls = [self.aggregate(scope, False) for _ in range(dice.randint(1, 3))]
        test = scope.test(dice, 1)
        args = ', '.join([f'{key.lite} AS g'] + [f'{arg} AS v{i}_{j}' for i, c in enumerate(calls) for j, arg in enumerate(c.args)])
        self.ask(f'SELECT {{}} FROM {source.name}{alias} WHERE {test.weir} GROUP BY {key.weir};',
                 [key.weir] + [c.weir for c in calls],
                 f"SELECT {', '.join(['g'] + [self.call_text(c, i) for i, c in enumerate(calls)])} FROM (SELECT {args} FROM "
                 f'{source.name}{alias} WHERE ({test.lite}) AND ({key.lite}) IS NOT NULL) GROUP BY g',
                 cells=[None] + [c.cell for c in calls])

    def ask_keys(self, table, key_count, items, lites, rows, cells):
        dice = self.dice

        def text(value, kind):
            return "'" + value.replace("'", "''") + "'" if kind == 'text' else str(value)
        columns = table.columns[:key_count]
        chosen = [dice.choice(rows) for _ in range(dice.randint(1, 4))]
        if any(c[1] in ('double', 'decimal') for c in columns):
            return
        if key_count == 1:
            values = ', '.join(text(row[0], columns[0][1]) for row in chosen)
            where = f'g0 IN ({values})' if len(chosen) > 1 or dice.random() < 0.3 else f'g0 = {values}'
        else:
            where = ' AND '.join(f'{c[0]} = {text(v, c[1])}' for c, v in zip(columns, chosen[0]))
        if key_count == 1 and columns[0][1] in ('int', 'big') and dice.random() < 0.3:
            low, high = sorted(row[0] for row in (chosen * 2)[:2])
            where = dice.choice([f'g0 BETWEEN {low} AND {high}', f'g0 > {low}', f'{high} >= g0 AND g0 <> {low}'])
        weir = lite = where
        if table.window and dice.random() < 0.6:
            start = chosen[0][-2]
            how = dice.choice(['= {0}', '>= {0}', 'BETWEEN {0} AND {1}']).format(start, start + 3 * table.window.size)
            weir, lite = f'{where} AND WINDOWSTART {how}', f'{where} AND w {how}'
        self.ask(f'SELECT {{}} FROM {table.name} WHERE {weir};', items, f"SELECT {', '.join(lites)} FROM {table.name} WHERE {lite}",
                 cells=cells)

    def ask(self, weir, items, lite, ordered=False, cells=()):
        """Columns are named after the question, so that rows of one run can be told apart."""
        name = f'a{self.number}_{len(self.questions)}'
        columns = ', '.join(f'{item} AS {name}_{i}' for i, item in enumerate(items))
        self.questions.append(Question(weir.format(columns), lite, ordered, cells))


class BatchCase(Case):
    """A case over the generated streams, or over the flights."""

    def make(self):
        dice = self.dice
        how = dice.random()
        if how < 0.2 and not self.load.late:
            super().make()
        elif how < 0.35 and not self.load.late:
            self.tables()
        elif how < 0.5 or self.load.late:
            self.focus = True
            source = self.load.sources[dice.choice(['flights', 'flights', 'lefts', 'rights'])]
            self.table(self.stream(source) if dice.random() < 0.2 else source)
        else:
            source = self.meet() if how < 0.75 else self.load.sources[dice.choice(['lefts', 'rights'])]
            for _ in range(dice.choice([0, 0, 0, 1, 2])):
                source = self.stream(source)
            self.table(source)

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
        # Both sides of ON may be the key, of a RIGHT JOIN too, whose left one may be missing.
        items = ', '.join(f'AS_VALUE({c}) AS {n}' if c in sides else f'{c} AS {n}' for c, n in names)
        lite_items = ', '.join(f'{c} AS {n}' for c, n in names)
        test = f'COALESCE(l.a, 0) <> {END} AND COALESCE(r.a, 0) <> {END}'
        self.statements.append(
            f"CREATE STREAM {name} WITH (FORMAT='JSON') AS SELECT {weir_key} AS {jk}, {items} FROM {left} l {kind} JOIN "
            f'{right} r WITHIN ({before} MILLISECONDS, {after} MILLISECONDS) GRACE PERIOD {grace} MILLISECONDS '
            f'ON {sides[0]} = {sides[1]} WHERE {test};')
        count = self.load.sources[left].partitions
        time = 'max(coalesce(l.ts, r.ts), coalesce(r.ts, l.ts))'
        self.keep(name, f"SELECT {key} AS {jk}, {lite_items}, {time} AS ts_, 0 AS seq_, "
                        f"partition_of({key}, 'text', 'JSON', {count}) AS part_ FROM {left} l {kind} JOIN {right} r "
                        f'ON {lites[0]} = {lites[1]} AND r.ts BETWEEN l.ts - {before} AND l.ts + {after} WHERE {test}')
        l_null, r_null = kind in ('RIGHT', 'FULL'), kind in ('LEFT', 'FULL')
        # An outer row without a match comes when its window and GRACE are over.
        bound = 7 * JITTER + (max(before, after) + grace if l_null or r_null else 0)
        if count > 1 or self.load.sources[right].partitions > 1:
            bound = None  # several tasks write a partition
        return Source(name, [(jk, 'text', True), ('lx', 'text', True), ('la', 'int', l_null), ('lts', 'big', l_null),
                             ('rx', 'text', True), ('ra', 'int', r_null), ('rts', 'big', r_null)],
                      key=jk, form='JSON', partitions=count, scale='seconds', disorder=bound)

    def grouped(self, source):
        """A table of a stream, by one column."""
        dice, name = self.dice, self.name('g')
        key = dice.choice(['k', 'x'])
        weir = f'f.{key} AS g, COUNT(*) AS c, SUM(f.a) AS s, MAX(f.x) AS m'
        lite = f'f.{key} AS g, COUNT(*) AS c, coalesce(SUM(f.a), 0) AS s, MAX(f.x) AS m'
        test = f'f.a <> {END} AND f.a > {dice.randint(-20, 30)}'
        self.statements.append(f"CREATE TABLE {name} WITH (FORMAT='JSON', PARTITIONS=3) AS SELECT {weir} FROM {source} f "
                               f'WHERE {test} GROUP BY f.{key};')
        self.keep(name, f'SELECT {lite} FROM {source} f WHERE {test} AND f.{key} IS NOT NULL GROUP BY f.{key}')
        return name

    def tables(self):
        """Tables of both streams, joined by their keys or by a foreign one."""
        dice = self.dice
        one, two = self.grouped('lefts'), self.grouped('rights')
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
        self.keep(name, f'SELECT {key} AS g0, {items} FROM {one} l {kind} JOIN {two} r ON {on}')
        l_null, r_null = kind in ('RIGHT', 'FULL'), kind in ('LEFT', 'FULL')
        columns = [('g0', 'text', False), ('lc', 'big', l_null), ('ls', 'int', l_null), ('lm', 'text', True), ('rc', 'big', r_null),
                   ('rs', 'int', r_null)]
        table = Source(name, columns)
        if dice.random() < 0.4:
            table = self.table_of_groups(table)
        self.ask_table(table, 1)
