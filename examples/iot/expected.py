#!/usr/bin/env python3
"""expected.py - the answers of this example, computed from the generated rows without Weir."""
import os
import sys
from collections import defaultdict
from math import floor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from answers import clock, sources, table  # noqa: E402

SIX_HOURS = 6 * 3600 * 1000


def average(values):
    return floor(sum(values) / len(values) * 10 + 0.5) / 10


def main():
    rows = sources()
    cities = {sensor['SENSOR']: sensor['CITY'] for sensor in rows['SENSORS']}
    alarms, berlin = defaultdict(list), defaultdict(list)
    for reading in rows['READINGS']:
        city = cities[reading['SENSOR']]
        if reading['TEMPERATURE'] > 30:
            alarms[city].append(reading['TEMPERATURE'])
        if city == 'Berlin':
            berlin[reading['AT_MS'] // SIX_HOURS * SIX_HOURS].append(reading)
    table(['CITY', 'ALARMS', 'HIGHEST'],
          sorted(((city, len(group), max(group)) for city, group in alarms.items()),
                 key=lambda row: (-row[1], row[0])))
    table(['SINCE', 'READINGS', 'TEMPERATURE', 'HUMIDITY'],
          [(clock(start, '%Y-%m-%d %H:%M'), len(group),
            average([reading['TEMPERATURE'] for reading in group]),
            average([reading['HUMIDITY'] for reading in group]))
           for start, group in sorted(berlin.items())])


main()
