"""dialects.py - random expressions in Weir's dialect and in sqlite3's at once.

Class E is one expression, Scope makes them from the columns it may use. Where the dialects differ,
sqlite3's text says what Weir means: a comparison with NULL is false, CONCAT leaves NULLs out.
"""

class E:
    """kind: int, big (BIGINT), double, decimal or text; null: may be NULL."""

    def __init__(self, weir, lite=None, kind='int', null=False):
        self.weir, self.lite, self.kind, self.null = weir, lite or weir, kind, null


def column(text, kind='int', null=False):
    return E(text, kind=kind, null=null)


def solid(part):
    """The same but never NULL: arithmetic fails on one, and with it all around it is NULL."""
    other = {'text': "'none'", 'int': '-1', 'big': 'CAST(-1 AS BIGINT)'}.get(part.kind)
    if not part.null or not other:
        return part
    return E(f'COALESCE({part.weir}, {other})', f"coalesce({part.lite}, {other.replace('BIGINT', 'INT')})", part.kind)


def wider(*parts):
    return 'big' if any(p.kind == 'big' for p in parts) else 'int'


def as_big(part):
    return part.weir if part.kind == 'big' else f'CAST({part.weir} AS BIGINT)'


def literal(dice, kind):
    if kind == 'text':
        return E(f"'{dice.choice(['JFK', 'SEA', 'CA', 'TX', 'Boston', 'x', '', 'it''s'])}'", kind=kind)
    if kind == 'decimal':
        return E(f"{dice.randint(0, 300)}.{dice.choice(['5', '25', '75', '0', '50'])}", kind=kind)
    if kind == 'double':
        return E(f"{dice.randint(-50, 90)}.{dice.choice(['5', '25'])}E0", kind=kind)
    return E(str(dice.randint(-30, 400)))


class Scope:
    """The columns that an expression may use."""

    def __init__(self, columns):
        self.columns = [c for c in columns if c.kind not in ('list', 'map')]

    def pick(self, dice, kind):
        kinds = ('int', 'big') if kind == 'int' else (kind,)
        return dice.choice([c for c in self.columns if c.kind in kinds] or [literal(dice, kind)])

    def number(self, dice, depth):
        """An int or big expression."""
        def child():
            return self.number(dice, depth - 1)
        if depth <= 0 or dice.random() < 0.3:
            return self.pick(dice, 'int')
        how = dice.randrange(9)
        if how == 0:
            a, b = solid(child()), solid(child())
            op = dice.choice('+-')
            return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})', wider(a, b), a.null or b.null)
        if how == 1:
            a, n, op = solid(child()), dice.randint(2, 9), dice.choice('/%')
            return E(f'({a.weir} {op} {n})', f'({a.lite} {op} {n})', a.kind, a.null)
        if how == 2:
            a = solid(self.pick(dice, 'int'))
            n = dice.randint(2, 4)
            return E(f'({a.weir} * {n})', f'({a.lite} * {n})', a.kind, a.null)
        if how == 3:
            a = self.text(dice, depth - 1)
            return E(f'LEN({a.weir})', f'length({a.lite})', 'int', a.null)
        if how == 4:
            test, a, b = self.test(dice, depth - 1), child(), child()
            if dice.random() < 0.3:
                return E(f'CASE WHEN {test.weir} THEN {a.weir} END', f'CASE WHEN {test.lite} THEN {a.lite} END', a.kind, True)
            one, two = (a.weir, b.weir) if a.kind == b.kind else (as_big(a), as_big(b))
            return E(f'CASE WHEN {test.weir} THEN {one} ELSE {two} END',
                     f'CASE WHEN {test.lite} THEN {a.lite} ELSE {b.lite} END', wider(a, b), a.null or b.null)
        if how == 5:
            a = child()
            return E(f'ABS({a.weir})', f'abs({a.lite})', a.kind, a.null)
        if how == 6:
            a, n = child(), dice.randint(-3, 20)
            other = as_big(E(str(n))) if a.kind == 'big' else n
            return E(f'COALESCE({a.weir}, {other})', f'coalesce({a.lite}, {n})', a.kind)
        if how == 7:
            a = self.fraction(dice, depth - 1)
            kind, name = ('big', 'BIGINT') if any(c.kind in ('big', 'double') for c in self.columns) else ('int', 'INT')
            return E(f'CAST({a.weir} AS {name})', f'cast({a.lite} as int)', kind, a.null)
        a, n = child(), dice.randint(0, 20)
        other = as_big(E(str(n))) if a.kind == 'big' else n
        return E(f'NULLIF({a.weir}, {other})', f'nullif({a.lite}, {n})', a.kind, True)

    def fraction(self, dice, depth):
        """A double or decimal expression; decimals have fractions that are exact in binary."""
        how = dice.randrange(5)
        a = self.number(dice, depth - 1)
        if how == 0 and any(c.kind == 'double' for c in self.columns):
            return self.pick(dice, 'double')
        if how <= 1:
            return E(f'CAST({a.weir} AS DOUBLE)', f'cast({a.lite} as real)', 'double', a.null)
        if how == 2:
            scale = dice.randint(0, 3)
            return E(f'CAST({a.weir} AS DECIMAL(28, {scale}))', f'cast({a.lite} as real)', 'decimal', a.null)
        a, b, op = solid(a), literal(dice, 'decimal'), dice.choice('+-*')
        return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})', 'decimal', a.null)

    def text(self, dice, depth):
        def child():
            return self.text(dice, depth - 1)
        if depth <= 0 or dice.random() < 0.3:
            return self.pick(dice, 'text')
        how = dice.randrange(8)
        a = child()
        if how == 0:
            code = self.pick(dice, 'text')
            return E(f'LCASE({code.weir})', f'lower({code.lite})', 'text', code.null)
        if how == 1:
            start, size = dice.randint(1, 3), dice.randint(1, 3)
            return E(f'SUBSTRING({a.weir}, {start}, {size})', f'substr({a.lite}, {start}, {size})', 'text', a.null)
        if how == 2:
            b = child()
            return E(f"CONCAT({a.weir}, '-', {b.weir})", f"(coalesce({a.lite}, '') || '-' || coalesce({b.lite}, ''))", 'text')
        if how == 3:
            a, b = solid(a), solid(child())
            return E(f'({a.weir} + {b.weir})', f'({a.lite} || {b.lite})', 'text', a.null or b.null)
        if how == 4:
            return E(f"REPLACE({a.weir}, 'A', 'bb')", f"replace({a.lite}, 'A', 'bb')", 'text', a.null)
        if how == 5:
            n = self.number(dice, depth - 1)
            return E(f'CAST({n.weir} AS STRING)', f'cast({n.lite} as text)', 'text', n.null)
        if how == 6:
            test, b = self.test(dice, depth - 1), child()
            return E(f'CASE WHEN {test.weir} THEN {a.weir} ELSE {b.weir} END',
                     f'CASE WHEN {test.lite} THEN {a.lite} ELSE {b.lite} END', 'text', a.null or b.null)
        return E(f"COALESCE({a.weir}, 'none')", f"coalesce({a.lite}, 'none')", 'text')

    def test(self, dice, depth):
        """A boolean expression, never NULL."""
        if depth > 0 and dice.random() < 0.5:
            a, b, op = self.test(dice, depth - 1), self.test(dice, depth - 1), dice.choice(['AND', 'OR'])
            if dice.random() < 0.2:
                return E(f'NOT ({a.weir})', f'NOT ({a.lite})')
            return E(f'({a.weir} {op} {b.weir})', f'({a.lite} {op} {b.lite})')
        how = dice.randrange(8)
        a = self.number(dice, depth - 1)
        if how == 0:
            low = dice.randint(-10, 100)
            no = dice.choice(['', 'NOT '])
            test = f'BETWEEN {low} AND {low + dice.randint(5, 500)}'
            return E(f'{a.weir} {no}{test}', f'{no}coalesce({a.lite} {test}, 0)')
        if how == 1:
            items = ', '.join(str(dice.randint(-9, 60)) for _ in range(dice.randint(1, 6)))
            return E(f'{a.weir} IN ({items})', f'coalesce({a.lite} IN ({items}), 0)')
        if how == 2:
            t = self.text(dice, depth - 1)
            items = "'JFK', 'SEA', 'DEN', 'LAX', 'ATL', 'CA', 'TX', 'S'"
            return E(f'{t.weir} IN ({items})', f'coalesce({t.lite} IN ({items}), 0)')
        if how == 3:
            t = self.text(dice, depth - 1)
            like = dice.choice(["'A%'", "'%A'", "'%O%'", "'_A%'", "'S__'", "'D%N'", "'%'"])
            t = E(f"COALESCE({t.weir}, '')", f"coalesce({t.lite}, '')") if t.null else t
            return E(f'{t.weir} LIKE {like}', f'{t.lite} LIKE {like}')
        if how == 4:
            t, no = dice.choice([a, self.text(dice, depth - 1)]), dice.choice(['', 'NOT '])
            return E(f'{t.weir} IS {no}NULL', f'{t.lite} IS {no}NULL')
        op = dice.choice(['=', '<>', '<', '<=', '>', '>='])
        if how == 5:
            a, b = self.fraction(dice, depth), literal(dice, 'decimal')
        elif how == 6:
            a, b = self.text(dice, depth - 1), self.text(dice, depth - 1)
        else:
            b = dice.choice([self.number(dice, depth - 1), literal(dice, 'int')])
        return E(f'{a.weir} {op} {b.weir}', f'coalesce({a.lite} {op} {b.lite}, 0)')

    def any(self, dice, depth):
        return dice.choice([self.number, self.number, self.text, self.fraction])(dice, depth)

    def value(self, dice, depth):
        """For a projection: a bare column may be a key, which may not be there twice."""
        made = self.any(dice, depth)
        bare = any(c.weir == made.weir for c in self.columns)
        return E(f'AS_VALUE({made.weir})', made.lite, made.kind, made.null) if bare else made
