"""answers.py - what the programs that compute answers of examples without Weir have in common."""
import json
import sys
from collections import defaultdict
from datetime import datetime, timezone


def sources(**how):
    """The rows of generated sources, from standard input: {NAME: [row, ...]} in order of time."""
    rows = defaultdict(list)
    for line in sys.stdin:
        item = json.loads(line, **how)
        rows[item['source']].append(item['row'])
    return rows


def clock(ms, pattern, zone=timezone.utc):
    return datetime.fromtimestamp(ms // 1000, zone).strftime(pattern)


def table(names, rows):
    """As Weir writes csv."""
    print(','.join(names))
    for row in rows:
        print(','.join(str(cell) for cell in row))
