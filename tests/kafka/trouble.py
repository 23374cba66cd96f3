#!/usr/bin/env python3
"""trouble.py WEIR - each trouble of kafka/trouble.def that one broker can make: provoked, seen by its
name in SHOW QUERIES and EXPLAIN, healed when the cluster heals, with nothing lost or doubled.

Weir is user `weir` of a broker with access control; the tests themselves may do everything. Batches are
damaged in the broker's own files, and made whole again. See world.py for how it runs.
"""
import re
import struct

from world import *

with open(os.path.join(HERE, '../../kafka/trouble.def')) as file:
    DEFINED = file.read()
USER = 'security.protocol=SASL_PLAINTEXT\n' + SASL % SECRET
RETRIED = dict(re.findall(r'^KAFKA_TROUBLE\((\w+),\s*"[^"]*",\s*"([^"]*)"', DEFINED, re.M))
RETRIED = {name.lower(): text for name, text in RETRIED.items()}
CORRUPT_BYTE, CODEC = 'a byte', 'the codec'
INPUT = "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='%s-in', FORMAT='KAFKA'); "
COPY = ("CREATE STREAM d WITH (KAFKA_TOPIC='%s-out', PARTITIONS=1, RETENTION_MS=-1) AS "
        "SELECT k, v FROM s;")


class Case(Live):
    """A query of user weir that copies NAME-in to NAME-out, and what came out of it."""

    def __init__(self, name, config='', sql=COPY, before=lambda case: None):
        make(name + '-in')
        self.name = name
        self.config = service(USER + config)
        self.sent = []
        before(self)
        Live.__init__(self, config=self.config, bootstrap=secure_port(2))
        said = self.ask((INPUT + sql) % (name, name))
        has(said, 'Created query')

    def send(self, *values, **more):
        one = producer(**more)
        for value in values:
            one.produce(self.name + '-in', key='k', value=value, partition=0)
        one.flush(30)
        self.sent += values

    def arrive(self, wanted=None):
        """All that was sent, each once, in order."""
        wanted = self.sent if wanted is None else wanted
        found = read_all(self.name + '-out', len(wanted), behind=1)
        same([value.decode() for _, value, _, _ in found], wanted)

    def trouble(self, name, *parts, seconds=40):
        """It has this name in SHOW QUERIES and in EXPLAIN, with the cause, since when, and when it is
        tried again."""
        told = self.wait('SHOW QUERIES;', name, seconds)
        has(told, 'since ')
        has(told, RETRIED[name])
        for part in parts:
            has(told, part)
        has(self.wait('EXPLAIN CSAS_D_0;', name, seconds), name)
        return told

    def heals(self, name, seconds=40):
        """Without being told to, and then says nothing of it any more."""
        self.arrive()
        end = time.time() + seconds
        while name in (told := self.ask('SHOW QUERIES;')) or 'RUNNING' not in told:
            assert time.time() < end, 'it does not say that it is over: ' + told
            time.sleep(0.3)


# -- Access ---------------------------------------------------------------------------------------

def acl(change, *what):
    tool('acls', '--' + change, *what, *(['--force'] if change == 'remove' else []))


def deny(operation, *resource):
    acl('add', '--deny-principal', 'User:weir', '--operation', operation, *resource)


def allow_again(operation, *resource):
    acl('remove', '--deny-principal', 'User:weir', '--operation', operation, *resource)


def denied(name, operation, *resource, parts=()):
    """Denied while the query runs, and allowed again."""
    case = Case(name)
    case.send('1', '2')
    case.arrive()
    deny(operation, *resource)
    try:
        case.send('3')
        case.trouble('authorisation_denied', *parts)
        case.send('4')
    finally:
        allow_again(operation, *resource)
    case.send('5')
    case.heals('authorisation_denied')
    case.end()


def test_reading_is_denied():
    denied('read', 'READ', '--topic', 'read-in', parts=['read-in'])


def test_writing_is_denied():
    denied('write', 'WRITE', '--topic', 'write-out', parts=['write-out'])


def test_transactions_are_denied():
    denied('transact', 'WRITE', '--transactional-id', '*')


def test_denied_from_the_start():
    deny('READ', '--topic', 'start-in')
    try:
        case = Case('start')
        case.send('1')
        case.trouble('authorisation_denied', 'start-in')
    finally:
        allow_again('READ', '--topic', 'start-in')
    case.heals('authorisation_denied')
    case.end()


# -- Records --------------------------------------------------------------------------------------

def crc32c(data):
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    crc = 0xffffffff
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xffffffff


def damage(topic, offset, how):
    """In the batch with this offset: where it begins, where it ends, and what makes it whole."""
    path = '%s/data/%s-0/%020d.log' % (World.broker, topic, 0)
    with open(path, 'r+b') as file:
        data, at = file.read(), 0
        while True:
            base, size = struct.unpack_from('>qi', data, at)
            last, = struct.unpack_from('>i', data, at + 23)
            if offset <= base + last:
                break
            at += size + 12
        batch = bytearray(data[at:at + size + 12])
        if how == CODEC:
            batch[22] = batch[22] & ~7 | 6
            batch[17:21] = struct.pack('>I', crc32c(batch[21:]))
        else:
            batch[-2] ^= 0xff
        file.seek(at)
        file.write(batch)

    def mend():
        with open(path, 'r+b') as again:
            again.seek(at)
            again.write(data[at:at + size + 12])
    return base, base + last + 1, mend


def unreadable(name, how, trouble):
    """A batch in the middle."""
    batch = []

    def begin(case):
        case.send('1', '2')
        case.send('3', '4', '5', linger_ms=500)
        case.send('6')
        batch.extend(damage(name + '-in', 3, how))

    case = Case(name, before=begin)
    told = case.trouble(trouble, '%s-in, partition 0, offset %d' % (name, batch[0]))
    case.arrive(case.sent[:batch[0]])
    return case, batch, told


def test_bad_record_is_mended():
    case, (_, _, mend), _ = unreadable('bad', CORRUPT_BYTE, 'bad_record')
    mend()
    case.heals('bad_record')
    case.end()


def test_unknown_codec_is_mended():
    case, (_, _, mend), _ = unreadable('codec', CODEC, 'unknown_codec')
    mend()
    case.heals('unknown_codec')
    case.end()


def skipped(name, how, trouble):
    case, (first, end, _), told = unreadable(name, how, trouble)
    has(told, 'ALTER QUERY CSAS_D_0 SKIP')
    has(case.ask('ALTER QUERY CSAS_D_0 SKIP %d;' % (end - first)), 'from offset %d' % end)
    case.sent = case.sent[:first] + case.sent[end:]
    case.send('7')
    case.heals(trouble)
    case.end()


def test_bad_record_is_skipped():
    skipped('badskip', CORRUPT_BYTE, 'bad_record')


def test_unknown_codec_is_skipped():
    skipped('codecskip', CODEC, 'unknown_codec')


# -- Size -----------------------------------------------------------------------------------------

LARGE = 'x' * 400000
SMALL_SINK = COPY.replace('SELECT k, v', "SELECT k, REPEAT(v, 3) AS v")


def test_message_too_large_until_it_may_be():
    case = Case('large')
    tool('configs', '--alter', '--topic', 'large-out', '--add-config', 'max.message.bytes=100000')
    case.send('1', LARGE, '2')
    case.trouble('message_too_large', 'large-out', 'offset 1')
    tool('configs', '--alter', '--topic', 'large-out', '--add-config', 'max.message.bytes=4000000')
    case.heals('message_too_large')
    case.end()


def test_message_too_large_is_skipped():
    case = Case('largeskip')
    tool('configs', '--alter', '--topic', 'largeskip-out', '--add-config', 'max.message.bytes=100000')
    case.send('1', '2', LARGE, '3')
    told = case.trouble('message_too_large', 'offset 2')
    has(told, 'ALTER QUERY CSAS_D_0 SKIP 1')
    has(case.ask('ALTER QUERY CSAS_D_0 SKIP 1;'), 'from offset 3')
    case.sent = ['1', '2', '3']
    case.heals('message_too_large')
    case.end()


def test_message_too_large_is_left_out():
    """As the user has asked for, with the reason."""
    case = Case('largeout', sql="SET 'weir.failed.record.skip'='true'; " + COPY)
    tool('configs', '--alter', '--topic', 'largeout-out', '--add-config', 'max.message.bytes=100000')
    case.send('1', LARGE, '2')
    case.sent = ['1', '2']
    case.heals('message_too_large')
    has(case.ask('SHOW QUERIES;'), 'large')
    case.end()


if __name__ == '__main__':
    sys.exit(run_tests(
        globals(), 'secure',
        'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users=User:ANONYMOUS', prepare=lambda: [
            acl('add', '--allow-principal', 'User:weir', '--operation', 'ALL', '--topic', '*',
                '--group', '*', '--cluster'),
            acl('add', '--allow-principal', 'User:weir', '--operation', 'ALL', '--transactional-id',
                '*')]))
