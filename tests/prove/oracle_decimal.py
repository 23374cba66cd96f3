# oracle_decimal.py WEIR N SEED - DECIMAL arithmetic, casts and functions, against python's decimal.
#
# Each round draws the precision and scale of three DECIMAL columns, makes rows of them (zeros, ends
# of the range, few and many digits, NULL) beside INT, BIGINT, DOUBLE and text, and compares every
# operator, comparison, cast, rounding function and aggregate with exact arithmetic under ksqlDB's
# rules: a result of more digits than its type has, or one that would need rounding, is NULL.
import decimal
import json
import math
import random
import subprocess
import sys
import tempfile
from decimal import Decimal

from java_double import java_double

ROWS = 1000  # in one round
GROUPED = (40, 9)  # of the column that is summed; its values leave room for ROWS of them
LARGEST = 76
decimal.setcontext(decimal.Context(prec=1000, Emin=-9999, Emax=9999, traps=[decimal.InvalidOperation, decimal.DivisionByZero]))


class Null(Exception):
    """The value of a row that fails."""


# == ksqlDB's rules ==

def shape(name, columns):
    return {'i': (10, 0), 'l': (19, 0)}.get(name) or columns[name]


def result_shape(op, left, right):
    (p1, s1), (p2, s2) = left, right
    if op in '+-':
        scale = max(s1, s2)
        return scale + max(p1 - s1, p2 - s2) + 1, scale
    if op == '*':
        return p1 + p2 + 1, s1 + s2
    if op == '/':
        scale = max(6, s1 + p2 + 1)
        return p1 - s1 + s2 + scale, scale
    if op == '%':
        return min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2)
    scale = max(s1, s2)  # of a list
    return scale + max(p1 - s1, p2 - s2), scale


def digits(value):
    """How many digits it takes, zeros at the end not counted."""
    text = str(abs(value.normalize()).as_tuple().digits and int(''.join(map(str, value.normalize().as_tuple().digits))))
    return len(text)


def exact(value, precision, scale):
    quantum = Decimal(1).scaleb(-scale)
    fixed = value.quantize(quantum)
    if fixed != value or digits(value) > precision:
        raise Null
    return fixed


def arithmetic(op, a, b, kind):
    precision, scale = kind
    if op == '+':
        return exact(a + b, precision, scale)
    if op == '-':
        return exact(a - b, precision, scale)
    if op == '*':
        return exact(a * b, precision, scale)
    if b == 0:
        raise Null
    if op == '/':
        quotient = a / b
        if quotient * b != a:
            raise Null
        return exact(quotient, precision, scale)
    whole = (a / b).to_integral_value(decimal.ROUND_DOWN)
    if abs(whole) >= 10 ** LARGEST ** 2 or digits(whole) > precision:
        raise Null
    return exact(a - whole * b, precision, scale)


def to_decimal(value, precision, scale):
    """CAST: half up, and the whole part must fit."""
    fixed = value.quantize(Decimal(1).scaleb(-scale), decimal.ROUND_HALF_UP)
    if abs(fixed) >= Decimal(10) ** (precision - scale):
        raise Null
    return fixed


def wrap(value, bits):
    value = int(value) & (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def rounded(value, places, scale, mode):
    if mode == 'ROUND':
        mode = decimal.ROUND_HALF_UP if value >= 0 else decimal.ROUND_HALF_DOWN
    result = value.quantize(Decimal(1).scaleb(-places), mode).quantize(Decimal(1).scaleb(-scale))
    if abs(result.scaleb(scale)) >= 10 ** LARGEST:
        raise Null  # no decimal of ours has so many digits
    return result


def plain(value):
    text = format(value, 'f')
    return text[1:] if value == 0 and text.startswith('-') else text


# == Expressions: (SQL, row -> text) ==

def text_of(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, float):
        return java_double(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def operand(row, name):
    if row[name] is None:
        raise Null
    return Decimal(row[name]) if isinstance(row[name], int) else row[name]


def expressions(dice, columns):
    made = []

    def add(sql, make):
        made.append((sql, make))

    names = list(columns) + ['i', 'l']
    for left in names:
        for right in names:
            if left in 'il' and right in 'il':
                continue
            kinds = shape(left, columns), shape(right, columns)
            for op in '+-*/%':
                kind = result_shape(op, *kinds)
                if 1 <= kind[0] <= LARGEST:
                    add('%s %s %s' % (left, op, right),
                        lambda r, l=left, o=op, x=right, k=kind: arithmetic(o, operand(r, l), operand(r, x), k))
            for op, compare in (('<', Decimal.__lt__), ('=', Decimal.__eq__), ('>=', Decimal.__ge__), ('<>', Decimal.__ne__)):
                add('%s %s %s' % (left, op, right),
                    lambda r, l=left, c=compare, x=right: r[l] is not None and r[x] is not None and bool(c(Decimal(r[l]), Decimal(r[x]))))
    for name, (precision, scale) in columns.items():
        add('-' + name, lambda r, n=name: -operand(r, n))
        for op, compare in (('<', Decimal.__lt__), ('=', Decimal.__eq__), ('>=', Decimal.__ge__)):
            add('%s %s d' % (name, op),
                lambda r, n=name, c=compare: r[n] is not None and r['d'] is not None and bool(c(r[n], Decimal(repr(r['d'])))))
        for op, compute in (('+', float.__add__), ('*', float.__mul__)):
            add('%s %s d' % (name, op), lambda r, n=name, c=compute: c(float(operand(r, n)), float(operand(r, 'd'))))
        add('CAST(%s AS INT)' % name, lambda r, n=name: wrap(operand(r, n), 32))
        add('CAST(%s AS BIGINT)' % name, lambda r, n=name: wrap(operand(r, n), 64))
        add('CAST(%s AS DOUBLE)' % name, lambda r, n=name: float(operand(r, n)))
        add('ABS(%s)' % name, lambda r, n=name: abs(operand(r, n)))
        for function, mode in (('CEIL', decimal.ROUND_CEILING), ('FLOOR', decimal.ROUND_FLOOR)):
            add('%s(%s)' % (function, name), lambda r, n=name, s=scale, m=mode: rounded(operand(r, n), 0, s, m))
        for function, mode in (('ROUND', 'ROUND'), ('TRUNC', decimal.ROUND_DOWN)):
            if precision > scale:
                add('%s(%s)' % (function, name), lambda r, n=name, m=mode: rounded(operand(r, n), 0, 0, m))
            places = dice.randrange(-4, scale + 3)
            add('%s(%s, %d)' % (function, name, places),
                lambda r, n=name, m=mode, s=scale, p=places: rounded(operand(r, n), p, s, m) if p < s else operand(r, n))
        for other, (p, s) in columns.items():
            add('CAST(%s AS DECIMAL(%d, %d))' % (name, p, s), lambda r, n=name, p=p, s=s: to_decimal(operand(r, n), p, s))
            widest = result_shape('|', (precision, scale), (p, s))
            if other != name and widest[0] <= LARGEST:
                for function, pick in (('GREATEST', max), ('LEAST', min)):
                    add('%s(%s, %s)' % (function, name, other), lambda r, n=name, o=other, f=pick, w=widest: widest_of(r, n, o, f, w))
        add('CAST(CAST(%s AS STRING) AS DECIMAL(%d, %d))' % (name, precision, scale), lambda r, n=name: operand(r, n))
    precision, scale = columns['a']
    for name, make in (('i', lambda r: operand(r, 'i')), ('l', lambda r: operand(r, 'l')), ('d', lambda r: Decimal(repr(operand(r, 'd')))),
                       ('t', lambda r: Decimal(operand(r, 't').strip()))):
        add('CAST(%s AS DECIMAL(%d, %d))' % (name, precision, scale), lambda r, m=make: to_decimal(m(r), precision, scale))
    return made


def widest_of(row, left, right, pick, kind):
    found = [row[name] for name in (left, right) if row[name] is not None]
    if not found:
        raise Null
    return pick(found).quantize(Decimal(1).scaleb(-kind[1]))


# == Rows ==

def random_decimal(dice, precision, scale):
    kind = dice.randrange(8)
    if kind == 0:
        unscaled = 0
    elif kind == 1:
        unscaled = 10 ** precision - 1
    elif kind == 2:
        unscaled = 5 * 10 ** dice.randrange(precision)  # ties
    elif kind == 3:
        unscaled = dice.randrange(1, 10) * 10 ** dice.randrange(precision)
    else:
        unscaled = dice.randrange(10 ** dice.randrange(1, precision + 1))
    if unscaled >= 10 ** precision:
        unscaled = 1
    return Decimal(unscaled * dice.choice([1, -1])).scaleb(-scale)


def random_row(dice, columns):
    row = {name: random_decimal(dice, *kind) if dice.random() < 0.95 else None for name, kind in columns.items()}
    row['i'] = dice.choice([0, 1, -1, 3, 2 ** 31 - 1, -2 ** 31, dice.randrange(-1000, 1000)])
    row['l'] = dice.choice([0, 2, -7, 2 ** 63 - 1, -2 ** 63, dice.randrange(-10 ** 12, 10 ** 12)])
    row['k'] = dice.randrange(3)
    row['e'] = random_decimal(dice, GROUPED[0] - 4, GROUPED[1]) if dice.random() < 0.9 else None
    precision, scale = columns['a']
    row['d'] = dice.choice([0.5, 1e-7, 123.455, 1e22, float(random_decimal(dice, min(precision, 17), min(scale, 17))), dice.uniform(-1000, 1000)])
    row['t'] = dice.choice(['%s', ' %s ', '%se0', '%s0', '%s5', '+%s']) % plain(abs(random_decimal(dice, precision, scale)))
    if '.' not in row['t'] and row['t'].strip('+ ')[-1] in '05':
        row['t'] = dice.choice(['7', '-0.5', '1e2', '.5', '12345678901234567890.123456789'])
    return row


def random_shape(dice):
    precision = dice.choice([1, 2, 5, 9, 18, 19, 30, 38, 39, 60, 76, dice.randrange(1, 77)])
    return precision, dice.choice([0, precision, dice.randrange(precision + 1), min(2, precision)])


# == Comparing ==

def evaluate(make, row):
    try:
        return text_of(make(row))
    except (Null, decimal.InvalidOperation):
        return None


def run_weir(weir, columns, rows, made):
    declared = ', '.join(['%s DECIMAL(%d, %d)' % (name, *kind) for name, kind in columns.items()] +
                         ['i INT', 'l BIGINT', 'k INT', 'e DECIMAL(%d, %d)' % GROUPED, 'd DOUBLE', 't STRING'])
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/rows.ndjson', 'w') as file:
            for row in rows:
                members = ['"%s":%s' % (name, 'null' if value is None else json.dumps(value) if isinstance(value, str) else
                                        plain(value) if isinstance(value, Decimal) else repr(value)) for name, value in row.items()]
                file.write('{%s}\n' % ','.join(members))
        items = ', '.join('CAST(%s AS STRING) AS c%d' % (sql, i) for i, (sql, _) in enumerate(made))
        script = '''CREATE STREAM s (%s) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE TABLE g AS SELECT k, SUM(e) AS s, MIN(e) AS m, MAX(e) AS x, SUM(k * e) AS t, COUNT(e) AS c FROM s GROUP BY k;
COPY s FROM '%s/rows.ndjson';
SELECT %s FROM s EMIT CHANGES LIMIT %d;
SELECT k, CAST(s AS STRING) AS s, CAST(m AS STRING) AS m, CAST(x AS STRING) AS x, CAST(t AS STRING) AS t, c FROM g;
''' % (declared, folder, items, len(rows))
        done = subprocess.run([weir, '-e', script, '--format', 'ndjson'], capture_output=True, text=True, timeout=600)
    lines = done.stdout.splitlines()
    if len(lines) < len(rows):
        sys.exit('FAILED: weir ended with %d and %d rows of %d: %s\n%s' % (done.returncode, len(lines), len(rows), done.stderr[-800:], declared))
    return lines[:len(rows)], lines[len(rows):]


def groups_of(rows):
    """What the table must hold, by k."""
    made = {}
    for k in {row['k'] for row in rows}:
        values = [row['e'] for row in rows if row['k'] == k and row['e'] is not None]
        texts = [plain(f(values)) if values else None for f in (min, max)]
        made[k] = {'K': k, 'S': plain(sum(values, Decimal(0).scaleb(-GROUPED[1]))), 'M': texts[0], 'X': texts[1],
                   'T': plain(sum((k * value for value in values), Decimal(0).scaleb(-GROUPED[1]))), 'C': len(values)}
    return made


def compare(weir, dice, count):
    columns = {name: random_shape(dice) for name in 'abc'}
    rows = [random_row(dice, columns) for _ in range(count)]
    made = expressions(dice, columns)
    lines, groups = run_weir(weir, columns, rows, made)
    found = {group['K']: group for group in map(json.loads, groups)}
    wanted = groups_of(rows)
    checked, differ = len(wanted), sum(found.get(k) != wanted[k] for k in wanted)
    if differ:
        print('  groups\n    weir   %s\n    python %s' % (found, wanted))
    for row, line in zip(rows, lines):
        for (sql, make), got in zip(made, json.loads(line).values()):
            checked += 1
            wanted = evaluate(make, row)
            if got != wanted:
                differ += 1
                if differ <= 5:
                    print('  %s with %s\n    weir   %s\n    python %s' % (sql, {k: text_of(v) if v is not None else None for k, v in row.items()}, got, wanted))
                    print('    ' + str(columns))
    return checked, differ


def main():
    weir, count, dice = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    checked = differ = 0
    while checked < count:
        more, wrong = compare(weir, dice, ROWS)
        checked, differ = checked + more, differ + wrong
        if differ > 20:
            break
    if differ:
        sys.exit('FAILED: %d of %d results differ (N=%d SEED=%s)' % (differ, checked, count, sys.argv[3]))
    print('%d results of DECIMAL operators, casts and functions as python has them' % checked)
    print('PROVED')


main()
