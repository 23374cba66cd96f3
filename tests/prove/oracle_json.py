# oracle_json.py - random JSON texts through every JSON function, compared with python.
#
# Texts come from a small grammar: white space, escapes, members that come twice, numbers of every
# shape; some are broken afterwards. What counts as JSON is what Jackson takes: one value, and
# after it whatever lets that value stand. Expected results come from python's json with numbers
# kept as decimal.Decimal, whose text is that of Java's BigDecimal.
import json
import random
import re
import subprocess
import sys
import tempfile
from decimal import Decimal

ROWS = 5000  # rows in one run of weir
SPACES = ['', '', '', ' ', '\n', '\t\r ']
WORDS = ['a', 'b', 'key', 'Key', 'é', '😀', 'a"b', 'x\\y', 'tab\t', '\u0001', '', '0', '1', 'a b', ':c', '\x7f', '/']
ESCAPES = ['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0041', '\\u00e9', '\\ud83d\\ude00', '\\ud83d', '\\udE00x', '\\u001F']
NUMBERS = ['0', '-0', '1', '-1', '12', '2147483648', '-9223372036854775809', '1.0', '1.50', '-0.0', '0.000001', '0.0000001', '1e3', '1E+3',
           '12.5e-3', '1.25E-20', '0e5', '1e-7', '123456789012345678901234567890', '9.99e20', '-1.5e2', '0.5', '100e-2', '1e9999']
PATHS = ['$', '$.a', '$.b', '$.key', '$[0]', '$[1]', '$.a[0]', '$.a.b', '$["a\\"b"]', '$["a b"]', '$.key[1].a', '$.0', '$["0"]', '$[00]', '$.:c', '$.é',
         '$[""]', '$.', 'a', '$a', '$[-1]', '$["a', '$[a]', '$["x\\\\y"]', '$["x\\y"]', '', '$.a-b', '$[:c]']
PROBES = ['a', 'é', 'a"b', '', 'key']


class Broken(Exception):
    pass


class Number:
    def __init__(self, text):
        self.text, self.float = text, any(c in text for c in '.eE')


# == Texts ==

def string_text(dice):
    if dice.random() < 0.2:
        return '"' + ''.join(dice.choice([dice.choice(ESCAPES), dice.choice('abc é😀')]) for _ in range(dice.randrange(5))) + '"'
    return json.dumps(dice.choice(WORDS), ensure_ascii=dice.random() < 0.3)


def value_text(dice, depth):
    space = lambda: dice.choice(SPACES)
    kind = dice.randrange(8 if depth > 0 else 5)
    if kind < 2:
        return string_text(dice)
    if kind < 4:
        return dice.choice(NUMBERS)
    if kind == 4:
        return dice.choice(['true', 'false', 'null'])
    count = dice.choice([0, 1, 2, 3, 3, 20]) if depth > 1 else dice.randrange(4)
    if kind == 5:
        return '[' + space() + (',' + space()).join(value_text(dice, depth - 1) + space() for _ in range(count)) + ']'
    return '{' + space() + (space() + ',' + space()).join(
        string_text(dice) + space() + ':' + space() + value_text(dice, depth - 1) + space() for _ in range(count)) + '}'


def text(dice):
    made = dice.choice(SPACES) + value_text(dice, 3) + dice.choice(SPACES)
    roll = dice.random()
    if roll < 0.15:
        at = dice.randrange(len(made) + 1)
        made = made[:at] + dice.choice(['', ',', '}', '"', '\\', 'x', '0', ' ', '\u0002', '-', '.']) + made[at + dice.randrange(2):]
    elif roll < 0.2:
        made += dice.choice(['x', ' x', ',', '"', ']', '1'])
    elif roll < 0.22:
        made = dice.choice(['', ' ', '\n\t', '[' * 1001 + ']' * 1001, '[' * 1000 + ']' * 1000, '{"a":' * 300 + '1' + '}' * 300])
    return made


# == What python makes of them ==

def no_constant(name):
    raise ValueError(name)


sys.setrecursionlimit(10000)
DECODER = json.JSONDecoder(object_pairs_hook=dict, parse_int=Number, parse_float=Number, parse_constant=no_constant)


def parse(made):
    """The value; Broken; None for a text without any."""
    start = made.lstrip(' \t\r\n')
    if not start:
        return None
    depth = longest = 0
    for c in re.sub(r'"(\\.|[^"\\])*"', '""', start):
        depth += (c in '[{') - (c in ']}')
        longest = max(longest, depth)
    if longest > 1000:
        raise Broken()
    try:
        value, end = DECODER.raw_decode(start)
    except ValueError:
        raise Broken()
    behind = start[end:end + 1]
    if isinstance(value, Number) and behind and behind not in ' \t\r\n':
        raise Broken()
    if (value is True or value is False or value is None) and behind and (behind.isalnum() or behind in '_$'):
        raise Broken()
    return [value]


def half_pairs(made):
    return re.sub('[\ud800-\udfff]', '?', made.encode('utf-16', 'surrogatepass').decode('utf-16', 'surrogatepass')) if made else made


def quote(made):
    names = {'"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'}
    return '"' + ''.join(names.get(c) or ('\\u%04X' % ord(c) if c < ' ' else c) for c in half_pairs(made)) + '"'


def number(value, plain):
    if not value.float:
        return str(int(value.text))
    made = Decimal(value.text)
    if made.is_zero():
        made = abs(made)
    if plain and abs(made.as_tuple().exponent) > 9999:
        raise OverflowError()
    return format(made, 'f') if plain else str(made)


def written(value, plain=False):
    if isinstance(value, Number):
        return number(value, plain)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return '[' + ','.join(written(v, plain) for v in value) + ']'
    if isinstance(value, dict):
        return '{' + ','.join(quote(k) + ':' + written(v, plain) for k, v in value.items()) + '}'
    return 'null' if value is None else 'true' if value else 'false'


def as_text(value):
    return half_pairs(value) if isinstance(value, str) else written(value)


def path_steps(path):
    if not path.startswith('$'):
        return None
    steps, rest = [], path[1:]
    while rest:
        found = re.match(r'\.([\w:]+)|\[(\w+)\]|\["((?:[^"\\]|\\["\\])*)"\]', rest)
        if not found:
            return None
        steps.append(found[1] if found[1] is not None else found[2] if found[2] is not None else re.sub(r'\\(.)', r'\1', found[3]))
        rest = rest[found.end():]
    return steps


def extract(root, path):
    steps = path_steps(path)
    if steps is None:
        return None
    if root is None:
        return None if steps else ''
    value = root[0]
    for step in steps:
        if isinstance(value, list):
            if not re.fullmatch('[0-9]+', step) or int(step) >= len(value):
                return None
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    return as_text(value)


def contains(root, wanted):
    if root is None or not isinstance(root[0], list):
        return False
    return any(isinstance(v, str) and half_pairs(v) == wanted for v in root[0])


def concat(first, second):
    if first is None or second is None:
        return None
    first, second = first[0], second[0]
    if isinstance(first, dict) and isinstance(second, dict):
        return written({**first, **second}, True)
    whole = lambda v: v if isinstance(v, list) else [v]
    return written(whole(first) + whole(second), True)


def or_null(compute):
    try:
        return compute()
    except (Broken, OverflowError):
        return None


def expect(row):
    root = lambda: parse(row['t'])
    value = lambda: (root() or [None])[0]
    made = {}
    made['OK'] = or_null(lambda: root() is not None) is True
    made['FOUND'] = or_null(lambda: extract(root(), row['p']))
    made['HOME'] = or_null(lambda: extract(root(), '$'))
    made['N'] = or_null(lambda: len(value()) if isinstance(value(), list) else None)
    made['ITEMS'] = or_null(lambda: [written(v) for v in value()] if isinstance(value(), list) else None)
    made['KEYS'] = or_null(lambda: [half_pairs(k) for k in value()] if isinstance(value(), dict) else None)
    made['RECORDS'] = or_null(lambda: {half_pairs(k): as_text(v) for k, v in value().items()} if isinstance(value(), dict) else None)
    made['BOTH'] = or_null(lambda: concat(root(), parse(row['u'])))
    made['ONE'] = or_null(lambda: None if root() is None else written(value(), True))
    return made


SELECT = '''SELECT i, IS_JSON_STRING(t) AS ok, EXTRACTJSONFIELD(t, p) AS found, EXTRACTJSONFIELD(t, '$') AS home, JSON_ARRAY_LENGTH(t) AS n,
  JSON_ITEMS(t) AS items, JSON_KEYS(t) AS keys, JSON_RECORDS(t) AS records, JSON_CONCAT(t, u) AS both, JSON_CONCAT(t) AS one,
  JSON_ARRAY_CONTAINS(t, w) AS has FROM s EMIT CHANGES LIMIT %d;'''


def run(weir, rows):
    with tempfile.NamedTemporaryFile('w', suffix='.ndjson') as file:
        for row in rows:
            file.write(json.dumps(row) + '\n')
        file.flush()
        made = "CREATE STREAM s (i INT, t STRING, u STRING, p STRING, w STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);" \
               f"COPY s FROM '{file.name}';" + SELECT % len(rows)
        done = subprocess.run([weir, '-e', made, '--format', 'ndjson'], capture_output=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode()[-500:])
    return {row['I']: row for row in (json.loads(line) for line in done.stdout.decode().split('\n') if line)}


def check(row, got):
    want = expect(row)
    for name, value in want.items():
        if got[name] != value:
            return f'{name} of {row!r}\nweir   {got[name]!r}\npython {value!r}'[:2000]
    try: # a list is searched up to what is found, or to where it breaks
        has = contains(parse(row['t']), row['w'])
        if got['HAS'] != has:
            return f'HAS of {row!r}: weir {got["HAS"]}, python {has}'
    except Broken:
        pass
    return None


def prove(weir, count, seed):
    dice = random.Random(seed)
    good = 0
    for first in range(0, count, ROWS):
        rows = [{'i': i, 't': text(dice), 'u': text(dice), 'p': dice.choice(PATHS), 'w': dice.choice(PROBES)}
                for i in range(first, min(first + ROWS, count))]
        got = run(weir, rows)
        for row in rows:
            why = check(row, got[row['i']])
            if why:
                print(f'{why}\nFAILED seed {seed}')
                return 1
            good += got[row['i']]['OK']
    print(f'{count} texts, {good} of them JSON: ten functions answer as python does')
    print('PROVED')
    return 0


if __name__ == '__main__':
    sys.exit(prove(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
