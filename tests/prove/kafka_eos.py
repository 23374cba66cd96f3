"""kafka_eos.py WEIR N FAULTS SEED WORK - what a guarantee promises, over a real Kafka, under faults.

Keyed records go through a filter, a repartition, aggregates and a join with a table. Input comes in
pieces, one for each fault, so that there is always work under way when a fault strikes. What came
out is read by another client (confluent_kafka, read_committed) and compared with what a few lines
of Python make of the input topic as it stands (eos_check.py).
"""
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback

from eos_check import verify
from eos_input import Feeder, load
from eos_net import APIS, Net
from eos_output import Watcher, read_all
from eos_trim import check_trimmed, keep_short
from eos_world import (BROKERS, CHUNK, FAULTS, GUARANTEE, N, NET, ONCE, OUTPUTS, PARTITIONS, SEED,
                       SQL, TIMEOUT_MS, WEIR, WORK, Failed, begin, broker, broker_folders, rng, say)

IN_TRANSACTION = ["after_begin", "after_produce", "before_commit", "during_commit"]
SLOW = 300000  # bytes a second
ELSEWHERE = ["before_accept", "in_take", "in_restore"]

# == The engine and its faults =====================================================================

Usage = collections.namedtuple("Usage", "files threads mib")


class Engine:
    """A process of the service. `survived`: faults; `first`: its usage when all went well."""
    number = 0

    def __init__(self, bootstrap, folder, point=None):
        Engine.number += 1
        self.survived, self.first = 0, None
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

    def text(self):
        with open(self.log) as log:
            return log.read()

    def tail(self):
        return self.text()[-1500:]

    def usage(self):
        """Open files, threads, MiB."""
        process = "/proc/%d/" % self.process.pid
        with open(process + "status") as file:
            status = dict(line.split(":", 1) for line in file)
        return Usage(len(os.listdir(process + "fd")), int(status["Threads"]),
                     int(status["VmRSS"].split()[0]) // 1024)


class Proof:
    def __init__(self, bootstrap, net):
        self.bootstrap, self.net, self.engine, self.folders = bootstrap, net, None, 0
        self.feeder, self.watcher = Feeder(bootstrap, max(500, CHUNK / 2)), Watcher(bootstrap)
        self.done = collections.Counter()
        self.in_transaction, self.slowest = 0, 0
        self.fresh_folder()

    def fresh_folder(self):
        self.folders += 1
        self.folder = os.path.join(WORK, "data-%d" % self.folders)

    def start(self, point=None):
        address = self.net.bootstrap() if self.net else self.bootstrap
        self.engine = Engine(address, self.folder, point)

    def healthy(self):
        if self.feeder.error:
            raise Failed("feeder: %s" % self.feeder.error)
        if not self.engine.alive():
            raise Failed("the engine has ended with %s: %s" % (
                self.engine.process.returncode, self.engine.tail()))

    def await_progress(self, why, seconds=150):
        """Something new must be committed."""
        before, since = self.watcher.total(), time.time()
        deadline, more = since + seconds, since + 1
        while self.watcher.total() <= before:
            self.healthy()
            if self.feeder.acked >= N and time.time() > since + 10:
                return  # there is nothing left to come; end() sees that it came
            if self.feeder.acked >= self.feeder.allowed and time.time() > more:
                self.feeder.allowed = min(N, self.feeder.allowed + CHUNK // 8 + 1)
                more = time.time() + 1
            if time.time() > deadline:
                if os.environ.get("HOLD"):  # for a look
                    say("held: %s, engine %d" % (why, self.engine.process.pid))
                    time.sleep(float(os.environ["HOLD"]))
                raise Failed("nothing is committed any more %s: %s of %d orders (%d are allowed); %s"
                             % (why, dict(self.watcher.counts), self.feeder.acked,
                                self.feeder.allowed, self.engine.tail()))
            time.sleep(0.02)

    def await_ready(self):
        deadline = time.time() + 150
        while "ready" not in self.engine.text():
            self.healthy()
            if time.time() > deadline:
                raise Failed("the engine does not get ready: %s" % self.engine.tail())
            time.sleep(0.02)

    def allow(self, fault):
        self.feeder.allowed = max(self.feeder.allowed, min(N, N * (fault + 1) // (FAULTS + 1)))

    def running(self):
        if not self.engine.alive():
            self.start()
        self.await_ready()  # a member: who joins later is newer, and no zombie
        self.await_progress("before a fault")
        self.engine.first = self.engine.first or self.engine.usage()

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
            self.terminate()
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
        folder = rng.choice(broker_folders())
        broker("kill", folder=folder)
        time.sleep(rng.random() * (8 if BROKERS > 1 else 3))
        broker("start", folder=folder)
        self.done["broker killed"] += 1
        self.await_progress("after the broker was killed")
        self.engine.survived += 1

    def pause_broker(self, _lost):
        """Longer than its session, so that others lead where there are others."""
        self.running()
        time.sleep(rng.random())
        folder = rng.choice(broker_folders())
        broker("pause", folder=folder)
        time.sleep(1 + rng.random() * 7)
        broker("resume", folder=folder)
        self.done["broker paused"] += 1
        self.await_progress("after the broker was paused")
        self.engine.survived += 1

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
        self.await_fenced(old)
        self.done["zombie"] += 1

    def await_fenced(self, old):
        """It may take seconds; more is for a machine that is busy. Who was stopped before it was a
        member is the newer one of the two: then it goes on, and the other ends."""
        since = time.time()
        while old.alive() and self.engine.alive() and time.time() < since + 60:
            time.sleep(0.01)
        if old.alive() and not self.engine.alive():
            old, self.engine = self.engine, old
            self.folder = self.engine.folder
        try:
            status = old.process.wait(1)
            self.slowest = max(self.slowest, time.time() - since)
        except subprocess.TimeoutExpired:
            if os.environ.get("HOLD"):
                say("held: zombie %d, engine %d" % (old.process.pid, self.engine.process.pid))
                time.sleep(float(os.environ["HOLD"]))
            if os.environ.get("GDB"):
                with open(os.path.join(WORK, "gdb"), "w") as file:
                    subprocess.run(["gdb", "-p", str(old.process.pid), "-batch", "-ex",
                                    "thread apply all bt 14"], stdout=file, stderr=file)
            old.kill()
            raise Failed("a zombie lives on: %s" % old.tail())
        if status == 0 or "fenced" not in old.tail():
            raise Failed("a zombie has ended with %d: %s" % (status, old.tail()))
        shutil.rmtree(old.folder, ignore_errors=True)

    # -- The network ------------------------------------------------------------------------------

    def survive(self, what):
        self.done[what] += 1
        self.await_progress("after: " + what)
        self.engine.survived += 1

    def net_lose(self, _lost):
        self.running()
        api = rng.choice(sorted(APIS))
        self.net.do("lose", lane=self.net.lane, api=api, count=rng.randrange(1, 4))
        self.survive("answers lost: " + APIS[api])

    def net_cut(self, _lost):
        self.running()
        self.net.do("cut", lane=self.net.lane)
        self.survive("all connections cut")

    def net_stall(self, _lost):
        self.running()
        seconds, way = 1 + rng.random() * 5, rng.choice(["up", "down"])
        self.net.do("stall", lane=self.net.lane, way=way, seconds=seconds)
        time.sleep(seconds)
        self.survive("nothing went " + way)

    def net_slow(self, _lost):
        """More than gets through in the time of a transaction."""
        self.running()
        self.net.do("rate", lane=self.net.lane, bytes=SLOW)
        self.allow(FAULTS * 4 // 5)
        for _ in range(3):
            self.await_progress("over a slow link")
            time.sleep(10)
        self.net.do("rate", lane=self.net.lane, bytes=0)
        self.survive("a slow link")

    def net_split(self, _lost):
        """As a zombie, but that it runs all the time, and does not get through."""
        self.running()
        time.sleep(rng.random() / 2)
        old = self.engine
        self.net.do("split", lane=self.net.lane)
        split, lane = time.time(), self.net.change()
        self.fresh_folder()
        self.start()
        self.await_progress("while another one is cut off")
        time.sleep(max(0, TIMEOUT_MS / 1000 + 1 - (time.time() - split)))
        self.net.do("heal", lane=lane, late=rng.random() < 0.5)
        self.await_fenced(old)
        self.done["cut off"] += 1

    def schedule(self):
        share = lambda of60: max(1, round(FAULTS * of60 / 60))
        faults = [(self.kill_at_any(IN_TRANSACTION, i)) for i in range(share(22))]
        faults += [(self.kill_at_any(ELSEWHERE, i)) for i in range(share(6))]
        if self.net:
            faults += [self.kill_broker, self.zombie] * share(2) + [self.net_lose] * share(12)
            faults += [self.net_cut, self.net_stall] * share(3) + [self.net_split] * share(6)
        else:
            faults += [self.kill_broker] * share(8) + [self.pause_broker] * share(3)
            faults += [self.zombie] * share(8)
        faults += [self.kill] * max(1, FAULTS - len(faults))
        if not ONCE and SEED % 2:  # strict: see eos_check.py
            faults = [self.kill if f in (self.zombie, self.net_split) else f for f in faults]
        faults = faults[:max(FAULTS, 1)] if FAULTS >= 6 else faults
        rng.shuffle(faults)
        if os.environ.get("ONLY"):
            names = os.environ["ONLY"].split(",")
            faults = [getattr(self, names[i % len(names)]) for i in range(FAULTS)]
        can_lose = [i for i, f in enumerate(faults) if f.__name__ in ("kill", "<lambda>")]
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
        quiet = 3 if ONCE else 10  # what is too much has time to come, too
        while time.time() - since < (quiet if self.watcher.total() >= wanted else 60):
            self.healthy()
            if self.watcher.total() != last:
                last, since = self.watcher.total(), time.time()
            time.sleep(0.1)  # what is missing is said by verify()

    def terminate(self):
        self.engine.process.terminate()
        try:
            status = self.engine.process.wait(60)
        except subprocess.TimeoutExpired:
            raise Failed("SIGTERM: it goes on: %s" % self.engine.tail())
        if status != 0:
            raise Failed("SIGTERM: status %d, %s" % (status, self.engine.tail()))

    def state_of(self, table):
        """As a process tells it that has nothing but the cluster."""
        folder = os.path.join(WORK, "state-" + table)
        done = subprocess.run(
            [WEIR, "kafka://" + self.bootstrap, folder, "--config", os.path.join(WORK, "config"),
             "--format", "ndjson", "-e", "SELECT * FROM %s;" % table],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        if done.returncode != 0:
            raise Failed("SELECT: status %d, %s" % (done.returncode, done.stderr))
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return {row["CUST"]: (row["N"], row["TOTAL"]) for row in rows}

    def check_usage(self):
        """What a process has after the faults that it survived is what it had before."""
        first, now = self.engine.first, self.engine.usage()
        if first and self.engine.survived:
            say("survived %d faults: %s, before: %s" % (self.engine.survived, now, first))
            if now.files > first.files + 16 or now.threads > first.threads + 8:
                raise Failed("files or threads leak")
            if now.mib > 2 * first.mib + 200:
                raise Failed("memory leaks")

    def run(self):
        load(self.bootstrap)
        self.feeder.start()
        self.watcher.start()
        self.start()
        self.await_ready()
        keep_short(self.bootstrap)
        if self.net:
            self.net.do("noise", cut=0.4, delay=0.3)
        self.allow(0)
        for i, (fault, lost) in enumerate(self.schedule()):
            self.allow(i + 1)
            before = collections.Counter(self.done)
            fault(lost)
            say("fault %d of %d: %s" % (i + 1, FAULTS, ", ".join(self.done - before)))
        self.end()
        say("all input is done: %s" % dict(self.watcher.counts))
        self.feeder.over = self.watcher.over = True
        check_trimmed(self.bootstrap, os.path.join(broker_folders()[0], "data"))
        raw = read_all(self.bootstrap, OUTPUTS, "read_uncommitted")
        self.check_usage()
        self.terminate()
        counts, again = verify(self.bootstrap, sum(self.done.values()),
                               {table: self.state_of(table) for table in ["totals", "spent"]},
                               not ONCE and self.done["zombie"] + self.done["cut off"] > 0)
        aborted = sum(map(len, raw.values())) - sum(counts[topic] for topic in OUTPUTS)
        say("records: %s; of transactions that were aborted: %d; again: %s" % (
            counts, aborted, again))
        if self.net:
            say("network: %s" % self.net.do("counts"))
        for name, count in sorted(self.done.items()):
            print("  %3d %s" % (count, name))
        print("  %3d of them inside an open transaction" % self.in_transaction)
        if self.slowest:
            print("  %.1f s at most until a zombie knew that it was over" % self.slowest)
        least = 0 if os.environ.get("ONLY") else max(1, FAULTS // 3)
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
    file.write("processing.guarantee=%s\n" % GUARANTEE)
    file.write("ksql.streams.repartition.purge.interval.ms=2000\n")
proof, net, status = None, None, 1
try:
    net = Net() if NET else None
    count = ["brokers=%d" % BROKERS] if BROKERS > 1 else []
    address = broker("start", *count, *(net.arguments() if net else []),
                     "num.partitions=%d" % PARTITIONS,
                     "log.retention.check.interval.ms=2000", "log.segment.delete.delay.ms=1000",
                     "log.initial.task.delay.ms=1000")
    if net:
        net.connect()
    for name in ["orders", "customers"]:
        broker("tool", "topics", "--create", "--topic", name, "--partitions", str(PARTITIONS),
               "--config", "retention.ms=-1")
    proof = Proof(address, net)
    proof.run()
    print("PROVED")
    status = 0
except Failed as failure:
    print("FAILED %s" % failure)
except BaseException:
    print("FAILED\n" + traceback.format_exc())
finally:
    if proof and proof.engine:
        proof.engine.kill()
    broker("wipe")
    if net:
        net.end()
    sys.stdout.flush()
    os._exit(status)
