"""batch.py WEIR N SEED [SMALL] - generated queries over rows out of order, killed in the middle, end where
sqlite3 does.

Cases of chains.BatchCase: windows (EMIT FINAL, GRACE, late rows), joins, aggregates over a slice of
the flights and over two generated streams, all out of order; runs with 1, 3, 8 partitions and 1 and
2 workers, that commit at random moments and are killed at random moments; a fifth of them with the
binary SMALL, whose limits are shrunken.
"""
import sys

from chains import BatchCase
from loads import Proof

if __name__ == '__main__':
    sys.exit(Proof(sys.argv[1], int(sys.argv[3]), BatchCase, True, 'batch', *sys.argv[4:5]).prove(int(sys.argv[2])))
