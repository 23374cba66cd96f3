#!/usr/bin/env python3
"""slots.py DRIVE - ends a small query over slots (tests/tools/drive_kafka_slots.c) in every way, and
reads with kcat, read_committed, what is left: each record once, in order, and the sums right.

  kill points   WEIR_KILL_POINT at each place of kafka/kill_point.def, half of them with the folder lost
  broker        killed -9 and started again while transactions are open
  frozen        the broker stopped for longer than the transaction time-out
  zombie        the process stopped, a second one takes over, the first goes on: fenced
  fenced        another producer with the slots' transactional ids, over and over: decided each time
  alo           at_least_once: nothing missing
Prints one line for each; exit status 77 without Java."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from world import HERE, Skip, World, broker, confluent_kafka, wipe

SLOTS = 3
failures = 0


class Run:
    def __init__(self, drive, bootstrap, work, service, count, *more):
        self.drive, self.bootstrap, self.service, self.count = drive, bootstrap, service, count
        self.folder = os.path.join(work, service)
        self.more = more

    def start(self, kill=None, folder=None):
        env = dict(os.environ, WEIR_KAFKA_WEIR_TRANSACTION_TIMEOUT_MS="4000")
        if kill:
            env["WEIR_KILL_POINT"] = kill
        folder = folder or self.folder
        os.makedirs(folder, exist_ok=True)
        return subprocess.Popen([self.drive, self.bootstrap, folder, self.service,
                                 str(self.count), str(SLOTS), *self.more], env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process, timeout=90):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += "\nTIMEOUT"
        self.out, self.err = out, err
        return process.returncode

    def read(self):
        out = subprocess.run(["kcat", "-b", self.bootstrap, "-X", "isolation.level=read_committed",
                              "-C", "-e", "-q", "-t", self.service + "-out", "-f", "%s %T\n"],
                             capture_output=True, text=True, timeout=60).stdout
        tasks = {}
        for line in out.split("\n")[:-1]:
            task, number, time_ms = map(int, line.split())
            assert time_ms == number, line
            tasks.setdefault(task, []).append(number)
        return tasks

    def verdict(self, name, exact=True):
        global failures
        tasks, wrong = self.read(), []
        for task in range(SLOTS):
            numbers = tasks.get(task, [])
            if not exact:
                numbers = sorted(set(numbers))
            if numbers != list(range(self.count)):
                wrong.append(f"task {task}: {len(numbers)} records, {len(set(numbers))} different")
            done = f"done {task} {self.count} "
            if exact:
                done += str(self.count * (self.count - 1) // 2)
            if done not in self.out:
                wrong.append(f"no '{done}'")
        if "WRONG" in self.out:
            wrong.append(self.out.strip())
        failures += bool(wrong)
        print(f"slots {name}: {'WRONG ' + '; '.join(wrong) if wrong else 'ok'}", flush=True)
        if wrong:
            print(self.out[-500:], self.err[-800:], sep="\n", flush=True)


def fence(run):
    for slot in range(SLOTS):
        producer = confluent_kafka.Producer({
            "bootstrap.servers": run.bootstrap, "log_level": 2,
            "transactional.id": f"{run.service}-slot-{slot}"})
        producer.init_transactions(20)


def kill_point(run, name, passes):
    if name.endswith("COMMAND"): # the first statement of a service
        run = Run(run.drive, run.bootstrap, os.path.dirname(run.folder),
                  f"{name.lower()}{passes}", 300)
        code = run.finish(run.start(f"{name.lower()}:1"))
        run.finish(run.start())
        run.verdict(f"{name.lower()}, exit {code}")
        return code == -signal.SIGKILL
    process = run.start(f"{name.lower()}:{passes}")
    if name == "IN_DECIDE" and confluent_kafka:
        time.sleep(2)
        while process.poll() is None:
            fence(run)
    return run.finish(process) == -signal.SIGKILL


def kill_points(run):
    names = re.findall(r"^KILL_POINT\((?!EXPORT|IMPORT)(\w+)", open(os.path.join(HERE, "../../kafka/kill_point.def"))
                       .read(), re.M)
    killed = 0
    for number, name in enumerate(names):
        for passes in (1, 5):
            killed += kill_point(run, name, passes)
            if "WRONG" in run.out:
                print(name, run.out)
            if number % 2 or name == "IN_TAKE":
                shutil.rmtree(run.folder, ignore_errors=True)
        run.count += 600 # so that there is work for each
    if run.finish(run.start()) != 0:
        print("does not end", run.err[-500:])
    run.verdict(f"kill points ({killed} kills at {len(names)} places)")
    return killed


def broker_killed(run):
    process = run.start()
    for _ in range(3):
        time.sleep(1.5)
        broker("kill")
        time.sleep(0.5)
        broker("start")
    run.finish(process)
    run.verdict("broker killed 3 times")


def broker_frozen(run):
    process = run.start()
    time.sleep(1.5)
    broker("pause")
    time.sleep(12)
    broker("resume")
    run.finish(process)
    run.verdict("broker frozen for 12 s")


def zombie(run):
    first = run.start()
    time.sleep(1.5)
    first.send_signal(signal.SIGSTOP)
    time.sleep(6)
    second = run.start(folder=run.folder + "-2")
    time.sleep(2)
    first.send_signal(signal.SIGCONT)
    code = run.finish(first)
    fenced = "fenced" in run.err
    run.finish(second)
    run.verdict("zombie" + ("" if fenced and code == 3 else f" NOT FENCED (exit {code})"))
    global failures
    failures += not (fenced and code == 3)


def fenced(run):
    process = run.start()
    time.sleep(3)
    times = 0
    while process.poll() is None and times < 15:
        fence(run)
        times += 1
        time.sleep(0.2)
    run.finish(process)
    run.verdict(f"fenced {times} times in each slot")


def main():
    drive, work, only = World.weir, World.dir, sys.argv[2:]
    try:
        bootstrap = broker("start").split()[-1]
        def want(name):
            return not only or name in only
        if want("kill"):
            kill_points(Run(drive, bootstrap, work, "kill", 2000))
        if want("broker"):
            broker_killed(Run(drive, bootstrap, work, "brokers", 8000))
        if want("frozen"):
            broker_frozen(Run(drive, bootstrap, work, "frozen", 6000))
        if want("zombie"):
            zombie(Run(drive, bootstrap, work, "zombie", 8000))
        if want("fenced") and confluent_kafka:
            fenced(Run(drive, bootstrap, work, "fenced", 15000))
        if want("alo"):
            run = Run(drive, bootstrap, work, "alo", 1500, "alo")
            for passes in (3, 6):
                run.finish(run.start(f"after_produce:{passes}"))
            run.finish(run.start())
            run.verdict("at least once", exact=False)
    except Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    finally:
        wipe()
    sys.exit(1 if failures else 0)


main()
