#!/usr/bin/env python3
"""expected.py - the answers of this example, computed from the file without Weir."""
import json
import math
import os
import sys
from collections import defaultdict
from datetime import timedelta, timezone

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from answers import clock, table  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
HOUR = 3600 * 1000
TAIPEI = timezone(timedelta(hours=8))


def km(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = map(math.radians, (lat1, lon1, lat2, lon2))
    chord = (math.sin((lat2 - lat1) / 2) ** 2
             + math.sin((lon2 - lon1) / 2) ** 2 * math.cos(lat1) * math.cos(lat2))
    return 2 * 6371 * math.asin(math.sqrt(chord))


def main():
    with open(os.path.join(HERE, 'earthquakes.ndjson')) as file:
        quakes = [json.loads(line) for line in file]
    regions, weekdays, networks, hualien = (defaultdict(list) for _ in range(4))
    for quake in quakes:
        region = quake['place'].split(', ')[-1]
        regions['California' if region == 'CA' else region].append(quake)
        weekdays[clock(quake['time'], '%A')].append(quake)
        for network in quake['sources']:
            networks[network].append(quake)
        place = quake['location']
        if km(place['lat'], place['lon'], 24.0, 121.6) < 100:
            hualien[quake['time'] // (6 * HOUR) * 6 * HOUR].append(quake)

    def strongest(group):
        return max(float(quake['mag']) for quake in group)

    def most(groups):
        return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))

    table(['REGION', 'QUAKES', 'STRONGEST', 'SHALLOWEST'],
          [(name, len(group), strongest(group),
            min(float(quake['location']['depth_km']) for quake in group))
           for name, group in most(regions) if len(group) >= 20][:8])
    table(['WEEKDAY', 'QUAKES', 'REPORTS'],
          [(name, len(group), sum(quake['felt'] or 0 for quake in group))
           for name, group in sorted(weekdays.items())])
    table(['NETWORK', 'QUAKES', 'STRONGEST'],
          [(name, len(group), strongest(group)) for name, group in most(networks)][:6])
    table(['UTC', 'SHOCKS', 'STRONGEST', 'EARLIEST_CLOCK'],
          [(clock(start, '%Y-%m-%d %H:%M'), len(group), strongest(group),
            min(clock(quake['time'], '%H:%M', TAIPEI) for quake in group))
           for start, group in sorted(hualien.items())])


main()
