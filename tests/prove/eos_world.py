"""eos_world.py - what the parts of kafka_eos.py share: what is to be proved, the queries, the broker.

From the environment: GUARANTEE is exactly_once_v2 (default) or at_least_once; NET=1 puts a bad
network between engine and brokers; BROKERS is how many (1).
"""
import os
import random
import subprocess
import sys
import time

WEIR, N, FAULTS, SEED, WORK = (sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]),
                               os.path.abspath(sys.argv[5]))
GUARANTEE = os.environ.get("GUARANTEE") or "exactly_once_v2"
NET = os.environ.get("NET", "") not in ("", "0")
BROKERS = int(os.environ.get("BROKERS") or 1)
ONCE = GUARANTEE != "at_least_once"
BROKER = os.path.join("tests", "kafka", "broker")
PARTITIONS, CUSTOMERS, TIMEOUT_MS = 4, 500, 6000
CHUNK = max(1, N // (FAULTS + 1))  # of input that comes between two faults
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
begin = time.time()


class Failed(Exception):
    pass


def say(text):
    print("%7.1f s  %s" % (time.time() - begin, text), flush=True)


def broker_folders():
    """Of each broker."""
    whole = os.path.join(WORK, "broker")
    return [os.path.join(whole, str(i + 1)) for i in range(BROKERS)] if BROKERS > 1 else [whole]


def broker(command, *args, folder=os.path.join(WORK, "broker")):
    done = subprocess.run([BROKER, command, folder, *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed("broker %s: %s" % (command, done.stderr.strip()))
    return done.stdout.strip()


def factor_of(customer):
    return customer * 7 % 31 + 1
