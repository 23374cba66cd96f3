"""nexmark_duckdb.py - the same queries in DuckDB, one thread, for bench/nexmark.sh.

    nexmark_duckdb.py EXPECTED.json BIDS.ndjson QUERY...

Prints "QUERY HOW EVENTS CPU-SECONDS WALL-SECONDS", the best of three runs. HOW: text = straight from
the file with read_json, result dropped (EXPLAIN ANALYZE); json = the same, written to a file of
JSON; memory = over a table that was parsed before, result dropped.
"""
import json
import os
import resource
import sys
import time

import duckdb

COLUMNS = {'auction': 'BIGINT', 'bidder': 'BIGINT', 'price': 'BIGINT', 'channel': 'VARCHAR',
           'url': 'VARCHAR', 'dateTime': 'BIGINT', 'extra': 'VARCHAR'}


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
    bids, queries = sys.argv[2], sys.argv[3:]
    events = sum(expected['input']['rows'].values())
    con = duckdb.connect(':memory:')
    con.execute("SET TimeZone='UTC'")
    con.execute('SET threads=1')
    reader = (f"read_json('{bids}', format='newline_delimited', columns={COLUMNS!r}, "
              "maximum_object_size=65536)")
    out = bids + '.duckdb.json'
    con.execute(f'CREATE TABLE bid AS SELECT * FROM {reader}')
    for query in queries:
        sql = expected['sql'][query]
        text = sql.replace('FROM bid', f'FROM {reader} bid')
        for how, run in (('text', 'EXPLAIN ANALYZE ' + text),
                         ('json', f"COPY ({text}) TO '{out}' (FORMAT json)"),
                         ('memory', 'EXPLAIN ANALYZE ' + sql)):
            used, wall = best(con, run)
            print(query, how, events, f'{used:.6f} {wall:.6f}', flush=True)
    os.remove(out)


main()
