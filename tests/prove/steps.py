"""steps.py N SEED WEIR... - random statements give the same bytes for any cut into steps.

N cases of random statements over all types and all built-in functions (read from udf/scalar.def,
called with arguments that fit, now and then with ones that do not), with random records, some of
them bad. Each WEIR binary runs them in steps of 1, 7 and 1,024 records: all results must be equal,
and no case may end in a crash or an `internal` error. Last line: PROVED, or FAILED and why.
"""
import base64
import json
import random
import re
import subprocess
import sys
import tempfile

COLUMNS = {'I': 'INT', 'I2': 'INT', 'B': 'BIGINT', 'D': 'DOUBLE', 'C': 'DECIMAL(9, 2)', 'E': 'DECIMAL(25, 7)', 'L': 'BOOLEAN',
           'S': 'STRING', 'S2': 'STRING', 'Z': 'TIMESTAMP', 'A': 'DATE', 'M': 'TIME', 'Y': 'BYTES', 'AI': 'ARRAY<INT>',
           'AS2': 'ARRAY<STRING>', 'MI': 'MAP<STRING, INT>', 'R': 'STRUCT<X INT, Y STRING>'}
TABLE = {'TI': 'INT', 'TS': 'STRING', 'TD': 'DOUBLE', 'TC': 'DECIMAL(12, 3)'}
SIMPLE = ['INT', 'BIGINT', 'DOUBLE', 'DECIMAL', 'BOOLEAN', 'STRING', 'TIMESTAMP', 'DATE', 'TIME', 'BYTES']
TYPES = SIMPLE + ['ARRAY<INT>', 'ARRAY<STRING>', 'MAP<STRING, INT>', 'STRUCT']
TEXTS = ['', 'a', 'ab', 'Abc def', 'ä€𝄞', '12', '-7.5', 'true', '2020-02-29', 'a,b,,c', "it's", '%_', ' x ', '\\u0041', 'yyyy-MM-dd']
CASTS = {'INT': ['BIGINT', 'DECIMAL', 'DOUBLE', 'STRING'], 'BIGINT': ['INT', 'DECIMAL', 'DOUBLE', 'STRING'],
         'DECIMAL': ['INT', 'BIGINT', 'DOUBLE', 'STRING'], 'DOUBLE': ['INT', 'BIGINT', 'DECIMAL', 'STRING'],
         'STRING': ['INT', 'BIGINT', 'DOUBLE', 'DECIMAL', 'BOOLEAN', 'TIMESTAMP', 'DATE', 'TIME'],
         'BOOLEAN': ['STRING'], 'TIMESTAMP': ['STRING', 'DATE'], 'DATE': ['STRING', 'TIMESTAMP'], 'TIME': ['STRING']}


def kind_of(declared):
    return 'DECIMAL' if declared.startswith('DECIMAL') else 'STRUCT' if declared.startswith('STRUCT') else declared


def read_functions():
    with open('udf/scalar.def', encoding='utf8') as file:
        found = re.findall(r'^UDF_SCALAR\((\w+),\s*"\((.*?)\) -> ([^"]+)"', file.read(), re.M)
    functions = []
    for name, args, result in found:
        if name in ('RANDOM', 'UNIX_TIMESTAMP', 'UNIX_DATE'):
            continue  # differ by themselves
        depth, parts, part = 0, [], ''
        for c in args:
            depth += (c == '<') - (c == '>')
            if c == ',' and depth == 0:
                parts, part = parts + [part.strip()], ''
            else:
                part += c
        functions.append((name, [p for p in parts + [part.strip()] if p], result.replace('INTEGER', 'INT').split('_')[0]))
    return functions


FUNCTIONS = read_functions()


class Maker:
    """Random expressions over the columns {name: type}."""

    def __init__(self, dice, columns):
        self.dice, self.columns = dice, {name: kind_of(t) for name, t in columns.items()}

    def literal(self, kind):
        d = self.dice
        quoted = "'" + d.choice(TEXTS).replace("'", "''") + "'"
        return {'INT': lambda: str(d.choice([0, 1, 2, 3, 7, -1, 100, 2147483647])),
                'BIGINT': lambda: str(d.choice([2147483648, 9223372036854775807, 10000000000])),
                'DOUBLE': lambda: d.choice(['0E0', '1.5E0', '-2.25E1', '1E300']), 'DECIMAL': lambda: d.choice(['0.0', '1.5', '123.456', '-0.01']),
                'BOOLEAN': lambda: d.choice(['TRUE', 'FALSE']), 'STRING': lambda: quoted,
                'TIMESTAMP': lambda: "CAST('2020-02-29T12:34:56.789' AS TIMESTAMP)", 'DATE': lambda: "CAST('2001-12-31' AS DATE)",
                'TIME': lambda: "CAST('23:59:58' AS TIME)", 'BYTES': lambda: f'TO_BYTES({quoted}, \'utf8\')' if d.random() < 0.01 else 'Y',
                'ARRAY<INT>': lambda: 'ARRAY[1, 2, NULL, 2]', 'ARRAY<STRING>': lambda: "ARRAY['a', '', NULL]",
                'MAP<STRING, INT>': lambda: "MAP('a' := 1, 'b' := 2)", 'STRUCT': lambda: "STRUCT(X := 1, Y := 'q')"}[kind]()

    def make(self, kind, depth):
        d = self.dice
        if d.random() < 0.01:
            kind = d.choice(TYPES)  # what does not fit must be refused, not crash
        here = [name for name, t in self.columns.items() if t == kind]
        if depth <= 0 or d.random() < 0.2:
            return d.choice(here) if here and d.random() < 0.75 else self.literal(kind)
        ways = [self.call, self.call, self.case, self.special, self.special, self.cast]
        return d.choice(ways)(kind, depth - 1) or (d.choice(here) if here else self.literal(kind))

    def same(self, kind, depth):
        """Of one type with others: decimals have many."""
        made = self.make(kind, depth)
        return f'CAST({made} AS DECIMAL(13, 4))' if kind == 'DECIMAL' else made

    def case(self, kind, depth):
        whens = ' '.join(f"WHEN {self.make('BOOLEAN', depth)} THEN {self.same(kind, depth)}" for _ in range(self.dice.randint(1, 3)))
        other = f' ELSE {self.same(kind, depth)}' if self.dice.random() < 0.6 else ''
        return f'CASE {whens}{other} END'

    def cast(self, kind, depth):
        sources = [s for s, targets in CASTS.items() if kind in targets]
        if not sources:
            return None
        name = 'DECIMAL(11, 3)' if kind == 'DECIMAL' else kind
        if self.dice.random() < 0.05:
            return f'CAST(NULL AS {name})'
        return f'CAST({self.make(self.dice.choice(sources), depth)} AS {name})'

    def call(self, kind, depth):
        d = self.dice
        fit = [f for f in FUNCTIONS if f[2] in (kind, 'T', 'V') or (f[2] == 'ARRAY<T>' and kind.startswith('ARRAY'))
               or (f[2] == 'ARRAY<V>' and kind == 'ARRAY<INT>') or (f[2] == 'MAP<STRING, V>' and kind.startswith('MAP'))
               or (f[2] == 'STRUCT' and kind == 'STRUCT')]
        if not fit:
            return None
        name, params, result = d.choice(fit)
        bound = kind if result in ('T', 'V') else kind[6:-1] if result == 'ARRAY<T>' else 'INT' if 'V' in result else d.choice(['INT', 'STRING'])
        args = []
        for param in params:
            optional, param = param.startswith('['), param.strip('[]')
            times = d.randint(0, 2) if param.endswith('...') else 0 if optional and d.random() < 0.5 else 1
            if times == 0 and optional:
                break
            for _ in range(times):
                args.append(self.argument(name, param.rstrip('.'), bound, depth))
        if None in args:
            return None
        return f"{name}({', '.join(args)})"

    def argument(self, name, param, bound, depth):
        d = self.dice
        if param == 'UNIT':
            return d.choice(['DAYS', 'HOURS', 'MINUTES', 'MILLISECONDS'])
        kind = {'INTEGER': 'INT', 'T': bound, 'V': bound, 'ARRAY<T>': f'ARRAY<{bound}>', 'MAP<STRING, V>': 'MAP<STRING, INT>',
                'MAP<STRING, T>': 'MAP<STRING, INT>'}.get(param, param)
        if kind not in TYPES:
            return None
        if kind == 'STRING' and ('PARSE' in name or 'FORMAT' in name or 'STRINGTO' in name or 'TOSTRING' in name) and d.random() < 0.7:
            return d.choice(["'yyyy-MM-dd'", "'HH:mm:ss'", "'yyyy-MM-dd HH:mm:ss.SSS'", "'UTC'", 'S'])
        if kind == 'INT' and d.random() < 0.5:
            return str(d.randint(-3, 9))
        return self.same(kind, depth) if param == 'T' else self.make(kind, depth)

    def special(self, kind, depth):
        """Operators."""
        d = self.dice
        if kind == 'BOOLEAN':
            how = d.randrange(8)
            if how == 0:
                return f"({self.make(kind, depth)} {d.choice(['AND', 'OR'])} {self.make(kind, depth)})"
            if how == 1:
                return f'(NOT {self.make(kind, depth)})'
            of = d.choice(['INT', 'BIGINT', 'DOUBLE', 'DECIMAL', 'STRING', 'TIMESTAMP', 'DATE', 'TIME'])
            a = self.make(of, depth)
            if how == 2:
                return f"({self.make(d.choice(TYPES), depth)} IS {d.choice(['', 'NOT '])}NULL)"
            if how == 3:
                return f"({a} {d.choice(['', 'NOT '])}BETWEEN {self.make(of, depth)} AND {self.make(of, depth)})"
            if how == 4:
                return f"({a} {d.choice(['', 'NOT '])}IN ({', '.join(self.make(of, 0) for _ in range(d.randint(1, 4)))}))"
            if how == 5:
                return f"({self.make('STRING', depth)} {d.choice(['', 'NOT '])}LIKE {d.choice(['S', repr('%a%'), repr('_b%'), repr('')])})"
            op = d.choice(['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'])
            if of in ('INT', 'BIGINT', 'DOUBLE', 'DECIMAL'):
                of = d.choice(['INT', 'BIGINT', 'DOUBLE', 'DECIMAL'])
            return f'({a} {op} {self.make(of, depth)})'
        if kind in ('INT', 'BIGINT', 'DOUBLE', 'DECIMAL'):
            of = {'INT': ['INT'], 'BIGINT': ['INT', 'BIGINT'], 'DOUBLE': ['INT', 'DOUBLE', 'DECIMAL'], 'DECIMAL': ['INT', 'DECIMAL']}[kind]
            if kind == 'INT' and d.random() < 0.2:
                return d.choice([f"AI[{self.make('INT', depth)}]", f"MI[{self.make('STRING', depth)}]", 'R->X', f"-{self.make('INT', depth)}"])
            a, b = self.make(kind, depth), self.make(d.choice(of), depth)
            return f"({a} {d.choice('+-*/%')} {b})"
        if kind == 'STRING':
            return d.choice([f"({self.make(kind, depth)} + {self.make(kind, depth)})", f"AS2[{self.make('INT', depth)}]", 'R->Y'])
        if kind.startswith('ARRAY'):
            return f"ARRAY[{', '.join(self.make(kind[6:-1], depth) for _ in range(d.randint(1, 3)))}]"
        if kind.startswith('MAP'):
            return f"MAP('a' := {self.make('INT', depth)}, {self.make('STRING', depth)} := {self.make('INT', depth)})"
        if kind == 'STRUCT':
            return f"STRUCT(X := {self.make('INT', depth)}, Y := {self.make('STRING', depth)})"
        return None


# == Cases ========================================================================================

def value_of(dice, kind):
    if dice.random() < 0.12:
        return None
    number = dice.choice([0, 1, -1, 3, 7, 100, 2147483647, -2147483648, dice.randint(-1000, 1000)])
    return {'INT': lambda: number, 'BIGINT': lambda: number * dice.choice([1, 1, 4000000001]), 'BOOLEAN': lambda: dice.random() < 0.5,
            'DOUBLE': lambda: dice.choice([0.0, -1.5, 1e18, 0.1, 2.5, -1e-7]), 'DECIMAL': lambda: dice.choice([0, 1.25, -99.9, 1234567.89]),
            'STRING': lambda: dice.choice(TEXTS), 'TIMESTAMP': lambda: dice.randint(0, 1 << 41), 'DATE': lambda: dice.randint(-1000, 30000),
            'TIME': lambda: dice.randint(0, 86399999), 'BYTES': lambda: base64.b64encode(dice.choice(TEXTS).encode()).decode(),
            'ARRAY<INT>': lambda: [value_of(dice, 'INT') for _ in range(dice.randint(0, 4))],
            'ARRAY<STRING>': lambda: [value_of(dice, 'STRING') for _ in range(dice.randint(0, 3))],
            'MAP<STRING, INT>': lambda: {dice.choice(['a', 'b', '12', '']): value_of(dice, 'INT') for _ in range(dice.randint(0, 3))},
            'STRUCT': lambda: {'X': value_of(dice, 'INT'), 'Y': value_of(dice, 'STRING')}}[kind]()


def record(dice, topic, columns, now):
    key = dice.choice(['k1', 'k2', 'k3', 'k4', None] if topic == 's' else ['k1', 'k2', 'k3'])
    value = {name: value_of(dice, kind_of(t)) for name, t in columns.items() if dice.random() < 0.95}
    if dice.random() < 0.04:
        value = None
    elif dice.random() < 0.04:
        value[dice.choice(list(columns))] = 'wrong'
    return {'topic': topic, 'key': key, 'value': value, 'timestamp': max(0, now + dice.choice([0, 0, 10, -900, 70]))}


def statement(dice):
    join = dice.random() < 0.25
    columns = {**COLUMNS, **TABLE} if join else COLUMNS
    make = Maker(dice, columns)
    source = f"s {dice.choice(['', 'LEFT '])}JOIN t ON s.k = t.tk" if join else 's'
    key = 's.k' if join else 'k'
    where = f" WHERE {make.make('BOOLEAN', 3)}" if dice.random() < 0.5 else ''
    if dice.random() < 0.5:
        items = [f'{key} AS k'] + [f'{make.make(dice.choice(TYPES), 3)} AS x{i}' for i in range(dice.randint(1, 4))]
        if dice.random() < 0.25:
            by = make.make(dice.choice(['INT', 'STRING', 'BIGINT', 'DECIMAL', 'DOUBLE']), 1)
            items[0] = f'{by} AS g'
            where += f' PARTITION BY {by}'
        return f"CREATE STREAM o WITH (FORMAT='JSON') AS SELECT {', '.join(items)} FROM {source}{where};"
    groups = []
    while not groups or (dice.random() < 0.3 and len(groups) < 3):
        group = make.make(dice.choice(['INT', 'STRING', 'BIGINT', 'DECIMAL', 'BOOLEAN', 'DOUBLE']), dice.choice([0, 0, 1, 2]))
        if group not in groups:
            groups.append(group)
    calls = [dice.choice([lambda: 'COUNT(*)', lambda: f'COUNT({make.make(dice.choice(TYPES), 2)})',
                          lambda: f"{dice.choice(['SUM', 'AVG'])}({make.make(dice.choice(['INT', 'BIGINT', 'DOUBLE', 'DECIMAL']), 2)})",
                          lambda: f"{dice.choice(['MIN', 'MAX'])}({make.make(dice.choice([t for t in SIMPLE if t != 'BOOLEAN']), 2)})"])() for _ in range(dice.randint(1, 4))]
    items = [f'{g} AS g{i}' for i, g in enumerate(groups)] + [f'{c} AS c{i}' for i, c in enumerate(calls)]
    window = f" WINDOW TUMBLING (SIZE 100 MILLISECONDS, GRACE PERIOD {dice.choice([0, 500, 1000000])} MILLISECONDS)" if dice.random() < 0.4 else ''
    having = f' HAVING COUNT(*) {dice.choice(["> 1", "<> 2", "< 3"])}' if dice.random() < 0.3 else ''
    return f"CREATE TABLE o WITH (FORMAT='JSON') AS SELECT {', '.join(items)} FROM {source}{window}{where} GROUP BY {', '.join(groups)}{having};"


def case(dice, number):
    declared = ', '.join(f'{name} {t}' for name, t in COLUMNS.items())
    table = ', '.join(f'{name} {t}' for name, t in TABLE.items())
    statements = [f"CREATE STREAM s (k STRING KEY, {declared}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
                  f"CREATE TABLE t (tk STRING PRIMARY KEY, {table}) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');", statement(dice)]
    inputs = [record(dice, *dice.choice([('s', COLUMNS)] * 4 + [('t', TABLE)]), now * 20) for now in range(dice.randint(1, 40))]
    return {'id': str(number), 'suite': 'query', 'statements': statements, 'inputs': inputs}


def run(weir, path, steps):
    done = subprocess.run([weir, 'test', '--cases', path, '--steps', str(steps)], capture_output=True, text=True, timeout=1800)
    return {result['id']: result for result in map(json.loads, done.stdout.splitlines())}, done.stderr


def prove(count, seed, weirs):
    dice = random.Random(seed)
    cases = [case(dice, i) for i in range(count)]
    with tempfile.NamedTemporaryFile('w', suffix='.ndjson', encoding='utf8') as file:
        file.writelines(json.dumps(c) + '\n' for c in cases)
        file.flush()
        first, refused, records = None, 0, 0
        for weir in weirs:
            for steps in (1, 7, 1024):
                results, errors = run(weir, file.name, steps)
                first = first or results
                for c in cases:
                    result = results.get(c['id'])
                    internal = not result or (result['error'] or {}).get('code') == 'internal'
                    if internal or result != first[c['id']]:
                        print(json.dumps(c, ensure_ascii=False), '\n', json.dumps(first[c['id']])[:3000], '\n', json.dumps(result)[:3000], errors[-3000:])
                        print(f"FAILED seed {seed}, {weir}, steps {steps}: {'a crash or internal error' if internal else 'another result'}")
                        return 1
    for result in first.values():
        refused += result['error'] is not None
        records += len((result.get('topics') or {}).get('O', []))
    print(f'{count} cases, {refused} of them refused, {records} records made, the same for steps of 1, 7 and 1,024')
    if refused * 2 > count:
        print('FAILED too many are refused for this to prove anything')
        return 1
    print('PROVED')
    return 0


if __name__ == '__main__':
    sys.exit(prove(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
