"""answers.py WEIR N SEED - generated queries over real flights give sqlite3's answers.

Cases of chains.Case: chains of statements, lookups and push queries over all flights; runs with
1, 3, 8 partitions and 1 and 2 workers. Last line: PROVED, or FAILED and why.
"""
import sys

from chains import Case
from loads import Proof

if __name__ == '__main__':
    sys.exit(Proof(sys.argv[1], int(sys.argv[3]), Case, False, 'answers').prove(int(sys.argv[2])))
