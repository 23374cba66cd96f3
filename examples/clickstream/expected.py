#!/usr/bin/env python3
"""expected.py - the answers of this example, computed from the generated rows without Weir."""
import os
import sys
from collections import defaultdict

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from answers import clock, sources, table  # noqa: E402

MINUTE, REST = 60 * 1000, 10 * 1000


def most(groups, names):
    table(names, sorted(groups, key=lambda row: (-row[1], row[0]))[:6])


def sessions(times):
    """[first, last, count] of runs without a rest."""
    found = []
    for ms in sorted(times):
        if found and ms - found[-1][1] <= REST:
            found[-1][1:] = [ms, found[-1][2] + 1]
        else:
            found.append([ms, ms, 1])
    return found


def main():
    rows = sources()
    words = {code['CODE']: code['DEFINITION'] for code in rows['CODES']}
    homes = {user['USER_ID']: user['CITY'] for user in rows['USERS']}
    failures, cities = defaultdict(int), defaultdict(list)
    minutes, times = defaultdict(int), defaultdict(list)
    for click in rows['CLICKSTREAM']:
        if int(click['STATUS']) >= 400:
            failures[words[int(click['STATUS'])]] += 1
        if 'Bot' not in click['AGENT']:
            cities[homes[click['USERID']]].append(int(click['BYTES']))
        minutes[click['IP'], click['AT_MS'] // MINUTE * MINUTE] += 1
        times[click['USERID']].append(click['AT_MS'])

    most(failures.items(), ['DEFINITION', 'FAILURES'])
    most([(city, len(group), sum(group)) for city, group in cities.items()],
         ['CITY', 'CLICKS', 'BYTES'])
    busy = [(ip, clock(start, '%H:%M'), count) for (ip, start), count in minutes.items()
            if count > 40]
    table(['IP', 'MINUTE', 'CLICKS'], sorted(busy, key=lambda row: (-row[2], row[1]))[:6])
    found = [(user, first, (last - first) // 1000, count)
             for user, group in times.items() for first, last, count in sessions(group)]
    found.sort(key=lambda row: (-row[3], row[1]))
    table(['USERID', 'SINCE', 'LASTED', 'CLICKS'],
          [(user, clock(first, '%H:%M:%S'), length, count)
           for user, first, length, count in found[:6]])


main()
