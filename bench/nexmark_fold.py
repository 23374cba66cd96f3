"""nexmark_fold.py - the changes of a nexmark query as the final rows that expected.json knows.

    nexmark_fold.py EXPECTED.json QUERY < rows.ndjson > rows

Reads SELECT * FROM <query> EMIT CHANGES. How a result is folded stands beside each query in
nexmark.sql: the last value of a key, or the entries of its TOPK. Columns are taken by name, or by
their place where expected.json's names are expressions.
"""
import decimal
import json
import sys


def text(value):
    if isinstance(value, decimal.Decimal):  # with the digits it has
        return format(value, 'f')
    return '' if value is None else str(value)


def last(rows, *key):
    kept = {}
    for row in rows:
        name = tuple(row[column] for column in key)
        kept.pop(name, None)
        kept[name] = row
    return kept.values()


def by_place(rows, *key):
    for row in last(rows, *key):
        yield '|'.join(text(value) for value in row.values())


def entry(top, *names):
    """A struct of TOPK: SORT_COL is `price`, then the columns in their order."""
    return dict(zip(names, list(top.values())))


def q5(rows):
    for row in last(rows, 'WS'):
        for top in row['TOP']:
            num, auction = list(top.values())[:2]
            if num == list(row['TOP'][0].values())[0]:
                yield {'auction': auction, 'num': num}


def q7(rows):
    for row in rows:
        yield entry(row['TOP'][0], 'price', 'auction', 'bidder', 'dateTime', 'extra')


def q8(rows):
    return [dict(row) for row in sorted({tuple(row.items()) for row in rows})]


def q9(rows):
    for row in last(rows, 'ID'):
        bid = entry(row['BID'][0], 'price', 'auction', 'bidder', 'bid_dateTime', 'bid_extra')
        yield {**row, **bid}


def q11(rows):
    for row in last(rows, 'BIDDER', 'WINDOWSTART'):
        yield {'bidder': row['BIDDER'], 'n': row['N'], 's': row['WINDOWSTART'],
               'e': row['WINDOWEND'] + 10000}


def q19(rows):
    for row in last(rows, 'AUCTION'):
        for rank, top in enumerate(row['TOP'], 1):
            bid = entry(top, 'price', 'bidder', 'channel', 'url', 'dateTime', 'extra')
            yield {'auction': row['AUCTION'], 'rank_number': rank, **bid}


FOLDS = {
    'q4': lambda rows: last(rows, 'CATEGORY'), 'q5': q5, 'q7': q7, 'q8': q8, 'q9': q9, 'q11': q11,
    'q12': lambda rows: last(rows, 'BIDDER'), 'q15': lambda rows: by_place(rows, 'DAY'),
    'q16': lambda rows: by_place(rows, 'CHANNEL', 'DAY'),
    'q17': lambda rows: by_place(rows, 'AUCTION', 'DAY'),
    'q18': lambda rows: last(rows, 'BIDDER', 'AUCTION'), 'q19': q19,
}


def main():
    columns = json.load(open(sys.argv[1]))['expected'][sys.argv[2]]['columns']
    rows = (json.loads(line, parse_float=decimal.Decimal) for line in sys.stdin)
    for row in FOLDS.get(sys.argv[2], lambda rows: rows)(rows):
        if isinstance(row, str):
            print(row)
            continue
        row = {name.lower(): value for name, value in row.items()}
        missing = [name for name in columns if name.lower() not in row]
        if missing:
            sys.exit('%s: no column %s in %s' % (sys.argv[2], missing, list(row)))
        print('|'.join(text(row[name.lower()]) for name in columns))


main()
