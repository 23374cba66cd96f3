"""oracle.py - what sqlite3 must know beyond itself: partitions of keys, and Weir's aggregates.

partition_of(key, kind, format, n) is where Kafka's partitioner puts a key, group_partition where
rows of a group meet. Aggregates that sqlite3
lacks are python's; arrays and maps come as JSON text. `same` compares answers.
"""
import functools
import json
import math
import sqlite3
import struct


# == Partitions ===================================================================================

def murmur2(data):
    """org.apache.kafka.common.utils.Utils.murmur2."""
    m, mask = 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(data)
    whole = len(data) & ~3
    for (k,) in struct.iter_unpack('<I', data[:whole]):
        k = k * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, 'little')) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


@functools.lru_cache(maxsize=100000)
def partition_of(key, kind, form, count):
    """None: rows without a key go round."""
    if count == 1:
        return 0
    if key is None:
        return None
    if kind == 'text':
        data = (json.dumps(key) if form == 'JSON' else key).encode()
    elif form == 'JSON':
        data = str(key).encode()
    else:
        data = struct.pack('>i' if kind == 'int' else '>q', key)
    return (murmur2(data) & 0x7fffffff) % count


@functools.lru_cache(maxsize=100000)
def group_partition(count, kinds, *key):
    """Where Weir brings the rows of a group together: by its row key (data/row_key.h)."""
    data = b''
    for kind, value in zip(kinds.split(), key):
        if value is None:
            return None
        if kind == 'text':
            data += b'\1' + value.encode().replace(b'\0', b'\0\xff') + b'\0\1'
        else:
            bits = 32 if kind == 'int' else 64
            data += b'\1' + (value + (1 << bits - 1)).to_bytes(bits // 8, 'big')
    return (murmur2(data) & 0x7fffffff) % count


# == Aggregates ===================================================================================

class Values:
    """Collects (value, ...) rows; finalize() of the children says what they come to."""

    def __init__(self):
        self.rows = []

    def step(self, *row):
        self.rows.append(row)


class Collected(Values):
    """collected(x): all, sorted: who compares sorts too. In order: (x, seq)."""

    def finalize(self):
        if self.rows and len(self.rows[0]) == 2:
            self.rows.sort(key=lambda row: row[1])
        return json.dumps([row[0] for row in self.rows])


class CollectedSet(Values):
    def finalize(self):
        return json.dumps(list(dict.fromkeys(row[0] for row in self.rows)))


class Top(Values):
    """top(x, k, distinct)."""

    def finalize(self):
        values = [row[0] for row in self.rows if row[0] is not None]
        if self.rows[0][2]:
            values = list(set(values))
        return json.dumps(sorted(values, reverse=True)[:self.rows[0][1]])


class Histogram(Values):
    def finalize(self):
        counts = {}
        for (x,) in self.rows:
            if x is not None:
                counts[x] = counts.get(x, 0) + 1
        return json.dumps(counts)


class Attr(Values):
    def finalize(self):
        values = {row[0] for row in self.rows}
        return values.pop() if len(values) == 1 else None


class Variance(Values):
    """variance(x): of a sample."""

    def finalize(self):
        values = [row[0] for row in self.rows if row[0] is not None]
        if len(values) < 2:
            return 0.0
        mean = math.fsum(values) / len(values)
        return math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)


class Deviation(Variance):
    def finalize(self):
        return math.sqrt(super().finalize())


class Nth(Values):
    """nth(x, seq, n, nulls): the first n, with n < 0 the last; one: NULL or the value itself."""

    def finalize(self):
        _, _, n, nulls, one = self.rows[0]
        rows = sorted((row for row in self.rows if nulls or row[0] is not None), key=lambda row: row[1])
        values = [row[0] for row in (rows[:n] if n > 0 else rows[n:])]
        if one:
            return values[0] if values else None
        return json.dumps(values)


AGGREGATES = [('collected', 1, Collected), ('collected', 2, Collected), ('collected_set', 1, CollectedSet), ('top', 3, Top),
              ('histogram', 1, Histogram), ('attr', 1, Attr), ('variance', 1, Variance), ('deviation', 1, Deviation), ('nth', 5, Nth)]


def connect():
    db = sqlite3.connect(':memory:')
    db.execute('pragma case_sensitive_like = on')
    db.create_function('partition_of', 4, partition_of, deterministic=True)
    db.create_function('group_partition', -1, group_partition, deterministic=True)
    for name, count, made in AGGREGATES:
        db.create_aggregate(name, count, made)
    db.execute('create table nums (i int)')
    db.executemany('insert into nums values (?)', [(i,) for i in range(64)])
    return db


# == Comparing ====================================================================================

def sort_key(value):
    """An order of values of any kind."""
    if isinstance(value, (tuple, list)):
        return (3, tuple(sort_key(v) for v in value))
    if isinstance(value, dict):
        return (4, tuple((k, sort_key(value[k])) for k in sorted(value)))
    if value is None:
        return (0,)
    if isinstance(value, str):
        return (2, value)
    return (1, round(value, 4) if isinstance(value, float) else value)


def close(left, right):
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right or abs(left - right) <= 1e-6 * max(1, abs(right))
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(close, left, right))
    return left == right


def shaped(rows, kinds):
    """Rows of sqlite3 or Weir: texts of arrays and maps parsed, arrays without an order sorted."""
    if not any(kinds):
        return rows
    made = []
    for row in rows:
        cells = list(row)
        for i, kind in enumerate(kinds):
            if kind and isinstance(cells[i], str):
                cells[i] = json.loads(cells[i])
            if kind == 'set' and cells[i] is not None:
                cells[i] = sorted(cells[i], key=sort_key)
        made.append(tuple(cells))
    return made


def same(left, right, ordered):
    """Rows, in any order if they are not `ordered`; doubles nearly."""
    if len(left) != len(right):
        return False
    if left == right:
        return True
    if not ordered:
        left, right = sorted(left, key=sort_key), sorted(right, key=sort_key)
    return all(close(a, b) for a, b in zip(left, right))
