"""kafka.py WEIR PEERS BOOTSTRAP WORK BIDS WIDE - Weir and Kafka Streams on one broker, query by query.

CPU seconds are of the whole process with all its threads, librdkafka's too. Ours count from the
start of the process to the last record of the sink; theirs are the second half of the records,
when the Java machine is warm. Prints one line a run and a table of ratios.
"""
import os
import re
import shutil
import subprocess
import sys
import time

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

WEIR, PEERS, BOOTSTRAP, WORK, BIDS, WIDE = (*sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6]))
LIBS = os.environ["KAFKA_LIBS"]
TICKS = os.sysconf("SC_CLK_TCK")
BID = "bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime BIGINT, extra STRING"
SOURCES = """
CREATE STREAM bids (auction BIGINT KEY, %s) WITH (KAFKA_TOPIC='bids', VALUE_FORMAT='JSON');
CREATE TABLE auctions (id BIGINT PRIMARY KEY, itemName STRING, description STRING,
  initialBid BIGINT, reserve BIGINT, dateTime BIGINT, expires BIGINT, seller BIGINT,
  category BIGINT, extra STRING) WITH (KAFKA_TOPIC='auctions', VALUE_FORMAT='JSON');
CREATE STREAM wide (n BIGINT KEY, auction BIGINT, %s) WITH (KAFKA_TOPIC='wide', VALUE_FORMAT='JSON');
""" % (BID, BID)
QUERIES = {
    "q2": "CREATE STREAM o %s AS SELECT auction, price FROM bids WHERE auction %% 123 = 0;",
    "agg": "CREATE TABLE o %s AS SELECT auction, COUNT(*) AS n, SUM(price) AS total,"
           " MAX(price) AS most FROM bids GROUP BY auction;",
    "hop": "CREATE TABLE o %s AS SELECT auction, COUNT(*) AS n FROM bids WINDOW HOPPING"
           " (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY auction;",
    "stjoin": "CREATE STREAM o %s AS SELECT b.auction AS auction, b.bidder AS bidder,"
              " b.price AS price, b.dateTime AS dateTime, a.seller AS seller,"
              " a.category AS category, a.itemName AS itemName"
              " FROM bids b JOIN auctions a ON b.auction = a.id;",
    "wide": "CREATE TABLE o %s AS SELECT n, LATEST_BY_OFFSET(auction) AS auction,"
            " LATEST_BY_OFFSET(bidder) AS bidder, LATEST_BY_OFFSET(price) AS price,"
            " LATEST_BY_OFFSET(channel) AS channel, LATEST_BY_OFFSET(url) AS url,"
            " LATEST_BY_OFFSET(dateTime) AS dateTime, LATEST_BY_OFFSET(extra) AS extra"
            " FROM wide GROUP BY n;",
}
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
watchers = {}


def end_of(topic):
    """Of its one partition; a client that has once not found a topic is not asked again."""
    if topic not in watchers:
        watchers[topic] = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "bench",
                                    "allow.auto.create.topics": False})
    try:
        return watchers[topic].get_watermark_offsets(TopicPartition(topic, 0), timeout=5)[1]
    except Exception:
        watchers.pop(topic).close()
        return 0


def cpu_of(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1)) // 1024


def delete_topics(wanted):
    names = [n for n in admin.list_topics(timeout=10).topics if wanted(n)]
    for future in admin.delete_topics(names).values() if names else []:
        try:
            future.result(10)
        except Exception:
            pass


class Weir:
    number = 0

    def __init__(self, query, guarantee):
        Weir.number += 1
        self.service, self.sink = "bench%d_" % Weir.number, "o_%d" % Weir.number
        self.folder = os.path.join(WORK, "weir-%d" % Weir.number)
        with open(self.folder + ".sql", "w") as file:
            file.write(SOURCES + QUERIES[query] % (
                "WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON')" % self.sink))
        with open(self.folder + ".config", "w") as file:
            file.write("ksql.service.id=%s\nprocessing.guarantee=%s\n" % (self.service, guarantee))
        self.start()

    def start(self):
        self.began = time.time()
        self.process = subprocess.Popen(
            [WEIR, "server", "--kafka", BOOTSTRAP, "--data", self.folder, "-f",
             self.folder + ".sql", "--config", self.folder + ".config"],
            stdin=subprocess.DEVNULL, stdout=open(self.folder + ".log", "a"),
            stderr=subprocess.STDOUT)

    def watch(self, end, quiet_s=3, seconds=200):
        """Until the sink has so many records, or more than none and nothing new for a while:
        seconds since the start, and CPU seconds."""
        last, at = 0, None
        while time.time() - self.began < seconds:
            if self.process.poll() is not None:
                raise SystemExit("weir has ended: " + open(self.folder + ".log").read()[-2000:])
            with open(self.folder + ".log") as log:
                now = end_of(self.sink) if "ready" in log.read() else 0
            if now > last:
                last, at = now, (time.time(), cpu_of(self.process.pid))
            if end and last >= end or at and not end and time.time() - at[0] > quiet_s:
                return at[0] - self.began, at[1]
            time.sleep(0.02)
        raise SystemExit("weir has not come to the end: %d" % last)

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        delete_topics(lambda n: n == self.sink or self.service in n)


def streams(query, records, guarantee, state, app, **options):
    return subprocess.Popen(
        ["java", "-Xmx2g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
         PEERS + "/kstreams/classes:" + LIBS + "/*", "peers.Bench", query, BOOTSTRAP, str(records),
         state, "app=" + app, "processing.guarantee=" + guarantee,
         *("%s=%s" % (k.replace("_", "."), v) for k, v in options.items())],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def run_theirs(query, records, guarantee):
    state = os.path.join(WORK, "streams")
    shutil.rmtree(state, ignore_errors=True)
    out = streams(query, records, guarantee, state, "bench-%s-%s" % (query, guarantee)).communicate()[0]
    print("  " + out.strip().splitlines()[-1], flush=True)
    value = lambda name: float(re.search(r"\b%s=([0-9.]+)" % name, out).group(1))
    return {"cpu_rate": records / 2 / value("second_half_cpu"),
            "rate": value("second_half_ev/s"), "memory": value("peak_rss_MB")}


def run_ours(query, records, guarantee):
    weir = Weir(query, guarantee)
    try:
        seconds, cpu = weir.watch(0)
        memory = memory_of(weir.process.pid)
    finally:
        weir.close()
    print("  weir %s n=%d s=%.2f ev/s=%.0f cpu=%.2f sink=%s peak_rss_MB=%d" % (
        query, records, seconds, records / seconds, cpu, weir.sink, memory), flush=True)
    return {"cpu_rate": records / cpu, "rate": records / seconds, "memory": memory}


def restart_theirs(guarantee):
    state, app = os.path.join(WORK, "streams"), "restart-" + guarantee
    shutil.rmtree(state, ignore_errors=True)
    first = streams("wide", 0, guarantee, state, app, group_instance_id="one")
    for line in first.stdout:
        if line.startswith("processed") and int(line.split()[1]) >= WIDE * 6 // 10:
            break
    first.kill()
    first.wait()
    again = streams("wide", 0, guarantee, state, app, group_instance_id="one")
    for line in again.stdout:
        if line.startswith("first record"):
            seconds = float(line.split()[2])
            break
    again.kill()
    again.wait()
    delete_topics(lambda n: n == "out" or n.startswith(app))
    return seconds


def restart_ours(guarantee):
    weir = Weir("wide", guarantee)
    try:
        weir.watch(WIDE * 6 // 10)
        weir.process.kill()
        weir.process.wait()
        time.sleep(1)
        before = end_of(weir.sink)
        weir.start()
        while end_of(weir.sink) <= before + 1: # what was open is ended with a marker: no record
            if time.time() - weir.began > 300:
                raise SystemExit("weir does not go on after a kill")
            time.sleep(0.01)
        return time.time() - weir.began
    finally:
        weir.close()


GUARANTEES = ["at_least_once", "exactly_once_v2"]


def compare_queries():
    bids, rows = end_of("bids"), []
    for guarantee in GUARANTEES:
        for query in ["q2", "agg", "hop", "stjoin"]:
            theirs = run_theirs(query, bids, guarantee)
            rows.append((query, guarantee, theirs, run_ours(query, bids, guarantee)))
    print("\n%-8s %-16s %28s %28s %20s" % (
        "query", "guarantee", "events/CPU s: Streams, Weir", "events/s: Streams, Weir",
        "MB: Streams, Weir"))
    for query, guarantee, theirs, ours in rows:
        print("%-8s %-16s %9.0f %9.0f %5.1f x %9.0f %9.0f %6.1f x %9.0f %8.0f" % (
            query, guarantee, theirs["cpu_rate"], ours["cpu_rate"],
            ours["cpu_rate"] / theirs["cpu_rate"], theirs["rate"], ours["rate"],
            ours["rate"] / theirs["rate"], theirs["memory"], ours["memory"]))
    print("worst of events per CPU second: %.1f times theirs" % min(
        ours["cpu_rate"] / theirs["cpu_rate"] for _, _, theirs, ours in rows))


if BIDS:
    compare_queries()
for guarantee in GUARANTEES:
    theirs, ours = restart_theirs(guarantee), restart_ours(guarantee)
    print("restart after kill -9, %-16s first record after %.2f s, Weir %.2f s: %.1f times" % (
        guarantee, theirs, ours, theirs / ours), flush=True)
