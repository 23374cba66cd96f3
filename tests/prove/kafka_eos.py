"""kafka_eos.py WEIR N FAULTS SEED WORK - exactly once over a real Kafka, under faults.

Keyed records go through a filter, a repartition, aggregates and a join with a table. Input comes in
pieces, one for each fault, so that there is always work under way when a fault strikes. What came
out is read by another client (confluent_kafka, read_committed) and compared with what a few lines
of Python make of the input topic as it stands.
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

WEIR, N, FAULTS, SEED, WORK = (sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]),
                               os.path.abspath(sys.argv[5]))
BROKER = os.path.join("tests", "kafka", "broker")
PARTITIONS, CUSTOMERS, TIMEOUT_MS = 4, 500, 6000
IN_TRANSACTION = ["after_begin", "after_produce", "before_commit", "during_commit"]
ELSEWHERE = ["before_accept", "in_take", "in_restore"]
SQL = """
SET 'cache.max.bytes.buffering' = '0';
CREATE STREAM orders (k STRING KEY, id BIGINT, cust STRING, amount BIGINT)
  WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');
CREATE TABLE customers (cust STRING PRIMARY KEY, factor BIGINT)
  WITH (KAFKA_TOPIC='customers', VALUE_FORMAT='JSON');
CREATE STREAM kept WITH (KAFKA_TOPIC='kept', PARTITIONS=4) AS
  SELECT cust, id, amount FROM orders WHERE amount >= 10 PARTITION BY cust;
CREATE TABLE totals WITH (KAFKA_TOPIC='totals') AS
  SELECT cust, COUNT(*) AS n, SUM(amount) AS total FROM kept GROUP BY cust;
CREATE TABLE spent WITH (KAFKA_TOPIC='spent') AS
  SELECT cust, COUNT(*) AS n, SUM(amount) AS total FROM orders WHERE amount >= 10 GROUP BY cust;
CREATE STREAM joined WITH (KAFKA_TOPIC='joined') AS
  SELECT k.cust AS cust, k.id AS id, k.amount * c.factor AS price
  FROM kept k JOIN customers c ON k.cust = c.cust;
"""
OUTPUTS = ["kept", "joined", "totals", "spent"]
rng = random.Random(SEED)


class Failed(Exception):
    pass


def say(text):
    print("%7.1f s  %s" % (time.time() - begin, text), flush=True)


def broker(command, *args):
    done = subprocess.run([BROKER, command, os.path.join(WORK, "broker"), *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed("broker %s: %s" % (command, done.stderr.strip()))
    return done.stdout.strip()


def factor_of(customer):
    return customer * 7 % 31 + 1


# == Input =========================================================================================

class Feeder(threading.Thread):
    """Produces orders up to `allowed`, no faster than `rate` a second; survives the broker."""

    def __init__(self, bootstrap, rate):
        super().__init__(daemon=True)
        self.bootstrap, self.rate, self.allowed, self.sent, self.acked = bootstrap, rate, 0, 0, 0
        self.again, self.over, self.error = [], False, None
        self.random = random.Random(SEED * 1000003)
        self.orders = [(self.random.randrange(CUSTOMERS), self.random.randrange(100))
                       for _ in range(N)]

    def delivered(self, number):
        def report(error, _message):
            if error is None:
                self.acked += 1
            else:
                self.again.append(number)
        return report

    def send(self, producer, number):
        customer, amount = self.orders[number]
        value = '{"ID":%d,"CUST":"c%d","AMOUNT":%d}' % (number, customer, amount)
        while True:
            try:
                producer.produce("orders", value.encode(), b"k%d" % (number % 1000),
                                 on_delivery=self.delivered(number))
                return
            except BufferError:
                producer.poll(0.1)

    def run(self):
        try:
            self.feed()
        except Exception as error:  # shown by the main thread
            self.error = error

    def feed(self):
        options = {"bootstrap.servers": self.bootstrap, "acks": "all", "linger.ms": 5, "log_level": 0,
                   "enable.idempotence": True, "message.timeout.ms": 0}
        producer = Producer(options)
        due = time.time()
        while not self.over:
            producer.poll(0)
            if self.again:  # what a broker that died has left open: the input may have it twice
                numbers, self.again = self.again, []
                producer = Producer(options)
                for number in numbers:
                    self.send(producer, number)
            if self.sent >= self.allowed:
                producer.poll(0.01)
                due = time.time()
                continue
            for number in range(self.sent, min(self.sent + 100, self.allowed)):
                self.send(producer, number)
                self.sent = number + 1
            due += 100 / self.rate
            time.sleep(max(0, due - time.time()))
        producer.flush(30)


def load(bootstrap):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all",
                         "partitioner": "murmur2_random"})  # as Java's: the join needs it
    old = int(time.time() * 1000) - 86400000
    for customer in range(CUSTOMERS):
        producer.produce("customers", b'{"FACTOR":%d}' % factor_of(customer), b"c%d" % customer,
                         timestamp=old)
    producer.flush(30)


# == Output ========================================================================================

def consumer_of(bootstrap, topics, isolation):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "proof",
                         "enable.auto.commit": False, "isolation.level": isolation,
                         "log_level": 0,
                         "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, p, 0) for topic in topics for p in range(PARTITIONS)])
    return consumer


def read_all(bootstrap, topics, isolation="read_committed"):
    """{topic: [message, ...]} up to the ends of now; a partition's messages are in order."""
    consumer = consumer_of(bootstrap, topics, isolation)
    ends, got, quiet = set(), {topic: [] for topic in topics}, time.time()
    while len(ends) < len(topics) * PARTITIONS:
        for message in consumer.consume(10000, 0.5):
            quiet = time.time()
            if message.error() is None:
                got[message.topic()].append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ends.add((message.topic(), message.partition()))
        if time.time() - quiet > 60:
            raise Failed("the reader of %s gets neither records nor an end" % topics)
    consumer.close()
    return got


class Watcher(threading.Thread):
    """Counts what is committed to the outputs: only to see that it goes on."""

    def __init__(self, bootstrap):
        super().__init__(daemon=True)
        self.bootstrap, self.over, self.counts = bootstrap, False, collections.Counter()

    def run(self):
        consumer = consumer_of(self.bootstrap, OUTPUTS, "read_committed")
        while not self.over:
            for message in consumer.consume(10000, 0.2):
                if message.error() is None:
                    self.counts[message.topic()] += 1
        consumer.close()

    def total(self):
        return sum(self.counts.values())


def value_of(message):
    return json.loads(message.value())


def runs_up(messages, name):
    """The updates of a table: per key, counts 1, 2, 3, ... Returns the totals by key, in order."""
    totals = collections.defaultdict(list)
    for message in messages:
        value, key = value_of(message), message.key().decode()
        if value["N"] != len(totals[key]) + 1:
            raise Failed("%s: %s has N=%d behind N=%d (offset %d of partition %d)" % (
                name, key, value["N"], len(totals[key]), message.offset(), message.partition()))
        totals[key].append(value["TOTAL"])
    return totals


def verify(bootstrap):
    got = read_all(bootstrap, ["orders"] + OUTPUTS)
    wanted = collections.Counter()
    for message in got["orders"]:
        value = value_of(message)
        if value["AMOUNT"] >= 10:
            wanted[(value["CUST"], value["ID"], value["AMOUNT"])] += 1
    if len({v["ID"] for v in map(value_of, got["orders"])}) != N:
        raise Failed("the input topic has not every order: a fault of this test")
    kept = [(m.key().decode(), value_of(m)["ID"], value_of(m)["AMOUNT"]) for m in got["kept"]]
    compare("kept", wanted, collections.Counter(kept))
    joined = collections.Counter((m.key().decode(), value_of(m)["ID"], value_of(m)["PRICE"])
                                 for m in got["joined"])
    compare("joined", collections.Counter({
        (c, i, a * factor_of(int(c[1:]))): n for (c, i, a), n in wanted.items()}), joined)
    sums = collections.defaultdict(list)
    for customer, _, amount in kept:
        sums[customer].append(amount + (sums[customer][-1] if sums[customer] else 0))
    totals, spent = runs_up(got["totals"], "totals"), runs_up(got["spent"], "spent")
    for customer, running in sums.items():
        if totals[customer] != running:
            raise Failed("totals: the sums of %s are not those of its records" % customer)
        if len(spent[customer]) != len(running) or spent[customer][-1] != running[-1]:
            raise Failed("spent: %s ends with %d records, %s; wanted %d, %d" % (
                customer, len(spent[customer]), spent[customer][-1:], len(running), running[-1]))
    if len(totals) != len(sums) or len(spent) != len(sums):
        raise Failed("totals or spent have keys that no record has")
    return {topic: len(messages) for topic, messages in got.items()}


def compare(name, wanted, got):
    missing, more = wanted - got, got - wanted
    if missing or more:
        raise Failed("%s: %d missing %s, %d too many %s" % (
            name, sum(missing.values()), list(missing)[:3], sum(more.values()), list(more)[:3]))


# == The engine and its faults =====================================================================

class Engine:
    number = 0

    def __init__(self, bootstrap, folder, point=None):
        Engine.number += 1
        self.folder, self.log = folder, os.path.join(WORK, "engine-%03d.log" % Engine.number)
        environment = dict(os.environ)
        environment.pop("WEIR_KILL_POINT", None)
        if point:
            environment["WEIR_KILL_POINT"] = point
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [WEIR, "server", "--kafka", bootstrap, "--data", folder, "-f",
                 os.path.join(WORK, "queries.sql"), "--config", os.path.join(WORK, "config")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def tail(self):
        with open(self.log) as log:
            return log.read()[-1500:]


class Proof:
    def __init__(self, bootstrap):
        self.bootstrap, self.engine, self.folders = bootstrap, None, 0
        chunk = max(1, N // (FAULTS + 1))
        self.feeder, self.watcher = Feeder(bootstrap, max(500, chunk / 2)), Watcher(bootstrap)
        self.done = collections.Counter()
        self.in_transaction = 0
        self.fresh_folder()

    def fresh_folder(self):
        self.folders += 1
        self.folder = os.path.join(WORK, "data-%d" % self.folders)

    def start(self, point=None):
        self.engine = Engine(self.bootstrap, self.folder, point)

    def healthy(self):
        if self.feeder.error:
            raise Failed("feeder: %s" % self.feeder.error)
        if not self.engine.alive():
            raise Failed("the engine has ended with %s: %s" % (
                self.engine.process.returncode, self.engine.tail()))

    def await_progress(self, why, seconds=60):
        """Something new must be committed."""
        before, deadline = self.watcher.total(), time.time() + seconds
        while self.watcher.total() <= before:
            self.healthy()
            if time.time() > deadline:
                raise Failed("nothing is committed any more %s: %s; %s" % (
                    why, dict(self.watcher.counts), self.engine.tail()))
            time.sleep(0.02)

    def await_ready(self):
        deadline = time.time() + 60
        while "ready" not in self.engine.tail():
            self.healthy()
            if time.time() > deadline:
                raise Failed("the engine does not get ready: %s" % self.engine.tail())
            time.sleep(0.02)

    def allow(self, fault):
        self.feeder.allowed = min(N, N * (fault + 1) // (FAULTS + 1))

    def running(self):
        if not self.engine.alive():
            self.start()
        self.await_progress("before a fault")

    def lose_folder(self, lost):
        if lost:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.done["folder lost"] += 1

    def kill(self, lost):
        self.running()
        time.sleep(rng.random())
        self.engine.kill()
        self.done["killed"] += 1
        self.lose_folder(lost)

    def kill_at(self, point, lost):
        """Dies by its own hand at the point's n-th pass."""
        if self.engine.alive():
            self.await_ready()
            self.engine.process.terminate()
            if self.engine.process.wait(60) != 0:
                raise Failed("SIGTERM: status %d, %s" % (
                    self.engine.process.returncode, self.engine.tail()))
        if point == "in_restore":
            self.lose_folder(True)
        times = 1 if point in ("in_restore", "in_take") else rng.randrange(1, 12)
        self.start("%s:%d" % (point, times))
        deadline = time.time() + 30
        while self.engine.alive() and time.time() < deadline:
            time.sleep(0.02)
        if self.engine.alive():
            self.engine.kill()
            self.done["killed (%s was not passed)" % point] += 1
        elif self.engine.process.returncode != -signal.SIGKILL:
            raise Failed("the engine has ended with %s on its way to %s: %s" % (
                self.engine.process.returncode, point, self.engine.tail()))
        else:
            self.in_transaction += point in IN_TRANSACTION
            self.done["killed at " + point] += 1
        self.lose_folder(lost)

    def kill_broker(self, _lost):
        self.running()
        time.sleep(rng.random())
        broker("kill")
        time.sleep(rng.random() * 3)
        broker("start")
        self.done["broker killed"] += 1
        self.await_progress("after the broker was killed", 90)

    def zombie(self, _lost):
        self.running()
        time.sleep(rng.random() / 2)
        old = self.engine
        old.process.send_signal(signal.SIGSTOP)
        stopped = time.time()
        try:
            self.fresh_folder()
            self.start()
            self.await_progress("while a zombie stands still")
            time.sleep(max(0, TIMEOUT_MS / 1000 + 1 - (time.time() - stopped)))
        finally:
            old.process.send_signal(signal.SIGCONT)
        try:
            status = old.process.wait(30)
        except subprocess.TimeoutExpired:
            if os.environ.get("GDB"):
                subprocess.run("gdb -p %d -batch -ex 'thread apply all bt 14' > %s/gdb 2>&1" % (old.process.pid, WORK), shell=True)
            old.kill()
            raise Failed("a zombie lives on: %s" % old.tail())
        if status == 0 or "fenced" not in old.tail():
            raise Failed("a zombie has ended with %d: %s" % (status, old.tail()))
        self.done["zombie"] += 1
        shutil.rmtree(old.folder, ignore_errors=True)

    def schedule(self):
        share = lambda of60: max(1, round(FAULTS * of60 / 60))
        faults = [(self.kill_at_any(IN_TRANSACTION, i)) for i in range(share(24))]
        faults += [(self.kill_at_any(ELSEWHERE, i)) for i in range(share(6))]
        faults += [self.kill_broker] * share(10) + [self.zombie] * share(8)
        faults += [self.kill] * max(1, FAULTS - len(faults))
        faults = faults[:max(FAULTS, 1)] if FAULTS >= 6 else faults
        rng.shuffle(faults)
        if os.environ.get("ONLY"):
            faults = [getattr(self, os.environ["ONLY"])] * FAULTS
        can_lose = [i for i, f in enumerate(faults) if f not in (self.kill_broker, self.zombie)]
        lost = set(rng.sample(can_lose, min(len(can_lose), share(5))))
        return [(fault, i in lost) for i, fault in enumerate(faults)]

    def kill_at_any(self, points, i):
        return lambda lost: self.kill_at(points[i % len(points)], lost)

    def end(self):
        """All input, and everything that comes of it."""
        self.feeder.allowed = N
        if not self.engine.alive():
            self.start()
        while self.feeder.acked < N:
            self.healthy()
            time.sleep(0.1)
        last, since = -1, time.time()
        wanted = 4 * sum(1 for _, amount in self.feeder.orders if amount >= 10)
        while self.watcher.total() < wanted:
            self.healthy()
            if self.watcher.total() != last:
                last, since = self.watcher.total(), time.time()
            if time.time() - since > 60:
                break  # what is missing is said by verify()
            time.sleep(0.1)
        time.sleep(3)  # and what is too much has time to come

    def run(self):
        load(self.bootstrap)
        self.feeder.start()
        self.watcher.start()
        self.start()
        self.allow(0)
        for i, (fault, lost) in enumerate(self.schedule()):
            self.allow(i + 1)
            before = collections.Counter(self.done)
            fault(lost)
            say("fault %d of %d: %s" % (i + 1, FAULTS, ", ".join(self.done - before)))
        self.end()
        say("all input is done: %s" % dict(self.watcher.counts))
        counts = verify(self.bootstrap)
        self.feeder.over = self.watcher.over = True
        raw = read_all(self.bootstrap, OUTPUTS, "read_uncommitted")
        aborted = sum(map(len, raw.values())) - sum(counts[topic] for topic in OUTPUTS)
        self.engine.process.terminate()
        if self.engine.process.wait(60) != 0:
            raise Failed("SIGTERM: status %d" % self.engine.process.returncode)
        say("records: %s; of transactions that were aborted: %d" % (counts, aborted))
        for name, count in sorted(self.done.items()):
            print("  %3d %s" % (count, name))
        print("  %3d of them inside an open transaction" % self.in_transaction)
        least = max(1, FAULTS // 3)
        if self.in_transaction < least:
            raise Failed("only %d faults hit an open transaction, %d are wanted" % (
                self.in_transaction, least))


begin = time.time()
shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
with open(os.path.join(WORK, "queries.sql"), "w") as file:
    file.write(SQL)
with open(os.path.join(WORK, "config"), "w") as file:
    file.write("ksql.service.id=proof_\nweir.transaction.timeout.ms=%d\n" % TIMEOUT_MS)
proof = None
try:
    address = broker("start", "num.partitions=%d" % PARTITIONS)
    for name in ["orders", "customers"]:
        broker("tool", "topics", "--create", "--topic", name, "--partitions", str(PARTITIONS),
               "--config", "retention.ms=-1")
    proof = Proof(address)
    proof.run()
    print("PROVED")
except Failed as failure:
    print("FAILED %s" % failure)
    sys.exitcode = 1
finally:
    if proof and proof.engine:
        proof.engine.kill()
    broker("wipe")
    sys.stdout.flush()
    os._exit(getattr(sys, "exitcode", 0))
