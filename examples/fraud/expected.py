#!/usr/bin/env python3
"""expected.py - the answers of this example, computed from the generated rows without Weir."""
import os
import sys
from collections import defaultdict
from decimal import Decimal

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from answers import clock, sources, table  # noqa: E402

HOUR = 3600 * 1000


def points(payment, home):
    far = 30 if payment['COUNTRY'] != home else 0
    much = 30 if payment['AMOUNT'] > 2000 else 15 if payment['AMOUNT'] > 500 else 0
    shop = 20 if payment['MERCHANT'] in ('Gold & Gems', 'Game Vault') else 0
    return far + much + shop


def main():
    rows = sources(parse_float=Decimal)
    homes = {card['CARD']: card['COUNTRY'] for card in rows['CARDS']}
    merchants, windows = defaultdict(list), defaultdict(list)
    at_home, abroad = defaultdict(list), defaultdict(list)
    for payment in rows['PAYMENTS']:
        card, ms = payment['CARD'], payment['AT_MS']
        score = points(payment, homes[card])
        if score >= 60:
            merchants[payment['MERCHANT']].append((payment['AMOUNT'], score))
        for start in range(ms // HOUR * HOUR, ms // HOUR * HOUR - 3 * HOUR, -HOUR):
            windows[card, start].append(payment['AMOUNT'])
        side = at_home if payment['COUNTRY'] == homes[card] else abroad
        side[card].append((ms, payment['AMOUNT']))
    travels = {card: [amount for ms, amount in away for other, _ in at_home[card]
                      if abs(ms - other) <= HOUR // 6] for card, away in abroad.items()}
    cents = Decimal('0.01')

    table(['MERCHANT', 'PAYMENTS', 'AMOUNT', 'POINTS'],
          sorted(((name, len(group), sum(amount for amount, _ in group).quantize(cents),
                   max(score for _, score in group)) for name, group in merchants.items()),
                 key=lambda row: (-row[1], row[0])))
    spent = [(card, start, len(amounts), sum(amounts).quantize(cents))
             for (card, start), amounts in windows.items() if sum(amounts) > 20000]
    spent.sort(key=lambda row: -row[3])
    table(['CARD', 'SINCE', 'PAYMENTS', 'AMOUNT'],
          [(card, clock(start, '%Y-%m-%d %H:%M'), count, amount)
           for card, start, count, amount in spent[:6]])
    table(['CARD', 'TIMES', 'MOST'],
          sorted(((card, len(amounts), max(amounts).quantize(cents))
                  for card, amounts in travels.items() if amounts),
                 key=lambda row: (-row[1], row[0]))[:6])


main()
