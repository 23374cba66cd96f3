"""nexmark_duckdb.py - the same queries in DuckDB, one thread, for bench/nexmark.sh.

    nexmark_duckdb.py EXPECTED.json FOLDER QUERY...

Prints "QUERY HOW EVENTS CPU-SECONDS WALL-SECONDS", the best of three runs. HOW: text = straight from
the files with read_json, result dropped (EXPLAIN ANALYZE); json = the same, written to a file of
JSON; memory = over tables that were parsed before, result dropped. What needs the order of lines
(rowid) has memory only.
"""
import json
import os
import resource
import sys
import time

import duckdb

NUMBERS = {'id', 'auction', 'bidder', 'price', 'dateTime', 'initialBid', 'reserve', 'expires', 'seller', 'category'}
TABLES = {'person': 'id name emailAddress creditCard city state dateTime extra',
          'auction': 'id itemName description initialBid reserve dateTime expires seller category extra',
          'bid': 'auction bidder price channel url dateTime extra'}


def reader(folder, table):
    columns = {name: 'BIGINT' if name in NUMBERS else 'VARCHAR' for name in TABLES[table].split()}
    return (f"read_json('{folder}/{table}.ndjson', format='newline_delimited', columns={columns!r}, "
            'maximum_object_size=65536)')


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def best(con, sql, runs=3):
    times = []
    for _ in range(runs):
        begin, wall = cpu(), time.perf_counter()
        con.execute(sql).fetchall()
        times.append((cpu() - begin, time.perf_counter() - wall))
    return min(times)


def main():
    expected = json.load(open(sys.argv[1]))
    folder, queries = sys.argv[2], sys.argv[3:]
    events = sum(expected['input']['rows'].values())
    con = duckdb.connect(':memory:')
    con.execute("SET TimeZone='UTC'")
    con.execute('SET threads=1')
    con.execute('CREATE SCHEMA text')
    for table in TABLES:
        con.execute(f'CREATE VIEW text.{table} AS SELECT * FROM {reader(folder, table)}')
        con.execute(f'CREATE TABLE {table} AS SELECT * FROM text.{table}')
    out = folder + '/duckdb.json'
    for query in queries:
        sql = expected['sql'][query]
        ways = [('memory', 'main', 'EXPLAIN ANALYZE ' + sql)]
        if 'rowid' not in sql:
            ways += [('text', 'text', 'EXPLAIN ANALYZE ' + sql),
                     ('json', 'text', f"COPY ({sql}) TO '{out}' (FORMAT json)")]
        for how, schema, run in ways:
            con.execute(f"SET schema='{schema}'")
            used, wall = best(con, run)
            print(query, how, events, f'{used:.6f} {wall:.6f}', flush=True)
    os.remove(out)


main()
