# oracle_double.py WEIR N SEED - doubles to text and back, against python's repr.
#
# Random bit patterns, neighbours of powers of two and of ten, decimals of every length, halves
# between two doubles: each is read from JSON, from DELIMITED and by CAST of a text, and printed by
# CAST, by concatenation of an array and by the JSON and DELIMITED sinks.
import json
import math
import random
import struct
import subprocess
import sys
import tempfile
from decimal import Decimal

from java_double import java_double

ROWS = 50000  # in one run of weir


def from_bits(bits):
    return struct.unpack('<d', struct.pack('<Q', bits))[0]


def to_bits(value):
    return struct.unpack('<Q', struct.pack('<d', value))[0]


def near(dice, value):
    return from_bits(max(0, min(to_bits(value) + dice.randrange(-2, 3), 0x7FEFFFFFFFFFFFFF)))


def halfway(dice):
    """Just in the middle between two doubles, now and then a hair beside it."""
    low = from_bits(dice.randrange(1, 0x7FEFFFFFFFFFFFFF))
    if not 1e-290 < low < 1e290:
        low = dice.uniform(1e-5, 1e20)
    middle = (Decimal(low) + Decimal(math.nextafter(low, math.inf))) / 2
    text = format(middle, 'e')
    return text if dice.random() < 0.7 else text.replace('e', dice.choice(['1e', '0000000001e']))


def number_text(dice):
    kind = dice.randrange(8)
    sign = dice.choice(['', '-'])
    if kind == 0:
        return sign + repr(from_bits(dice.randrange(0x7FF0000000000000)))
    if kind == 1:
        return sign + repr(near(dice, 2.0 ** dice.randrange(-1070, 1024)))
    if kind == 2:
        return sign + repr(near(dice, float('1e%d' % dice.randrange(-307, 309))))
    if kind == 3:
        return sign + str(dice.randrange(10 ** dice.randrange(1, 25)))
    if kind == 4:
        return sign + '%d.%0*d' % (dice.randrange(10 ** dice.randrange(1, 10)), dice.randrange(1, 20), dice.randrange(10))
    if kind == 5:
        return sign + '%d.%de%d' % (dice.randrange(10), dice.randrange(10 ** dice.randrange(1, 25)), dice.randrange(-340, 300))
    if kind == 6:
        return sign + halfway(dice)
    return sign + repr(dice.choice([0.0, 5e-324, 1e-323, 2e-323, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993.0,
                                    0.001, 0.00099999999999, 9999999.999999, 1e7, 0.1, 0.3, 1e22, 1e23, 123456.789, 4.35, 2e23]))


SCRIPT = '''CREATE STREAM s (d DOUBLE, t STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
CREATE STREAM j WITH (KAFKA_TOPIC='j', VALUE_FORMAT='JSON', PARTITIONS=1) AS SELECT d, t FROM s;
CREATE STREAM c WITH (KAFKA_TOPIC='c', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='|', PARTITIONS=1) AS SELECT 'x' AS x, d FROM s;
CREATE STREAM jr (v STRING) WITH (KAFKA_TOPIC='j', VALUE_FORMAT='KAFKA');
CREATE STREAM cr (v STRING) WITH (KAFKA_TOPIC='c', VALUE_FORMAT='KAFKA');
CREATE STREAM b (x STRING, d DOUBLE) WITH (KAFKA_TOPIC='c', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='|');
COPY s FROM '%(folder)s/rows.ndjson';
SELECT CAST(d AS STRING) AS a, CAST(CAST(t AS DOUBLE) AS STRING) AS b, CAST(ARRAY[d] AS STRING) AS c FROM s EMIT CHANGES LIMIT %(rows)d;
SELECT v FROM jr EMIT CHANGES LIMIT %(rows)d;
SELECT v FROM cr EMIT CHANGES LIMIT %(rows)d;
SELECT CAST(d AS STRING) AS a FROM b EMIT CHANGES LIMIT %(rows)d;
'''


def compare(weir, texts):
    """How many differ, the first few shown."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/rows.ndjson', 'w') as file:
            for text in texts:
                file.write('{"d":%s,"t":"%s"}\n' % (text, text))
        done = subprocess.run([weir, '-e', SCRIPT % {'folder': folder, 'rows': len(texts)}, '--format', 'ndjson'],
                              capture_output=True, text=True, timeout=600)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != 4 * len(texts):
        sys.exit('FAILED: weir ended with %d and %d rows of %d: %s' % (done.returncode, len(lines), 4 * len(texts), done.stderr[-500:]))
    differ, count = 0, len(texts)
    for i, text in enumerate(texts):
        value = float(text)
        java = java_double(value or 0.0)  # JSON has no minus zero for Java
        wanted = [{'A': java, 'B': java_double(value), 'C': '[%s]' % java}, {'V': '{"D":%s,"T":"%s"}' % (java, text)}, {'V': 'x|%s' % java}, {'A': java}]
        got = [json.loads(lines[part * count + i]) for part in range(4)]
        if got != wanted:
            differ += 1
            if differ <= 5:
                print('  %s\n    weir   %s\n    python %s' % (text, got, wanted))
    return differ


def main():
    weir, count, dice = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    differ = 0
    texts = [text for text in (number_text(dice) for _ in range(count)) if not math.isinf(float(text))]
    for start in range(0, len(texts), ROWS):
        differ += compare(weir, texts[start:start + ROWS])
    if differ:
        sys.exit('FAILED: %d of %d doubles differ (N=%d SEED=%s)' % (differ, len(texts), count, sys.argv[3]))
    print('%d doubles read and printed seven ways as python does' % len(texts))
    print('PROVED')


main()
