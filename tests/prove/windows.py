"""windows.py - windows of GROUP BY in both dialects, late rows and EMIT FINAL included.

A Window is made for rows of which it is known how far they are out of order (ms), or not. `late`: the order of
arrival and the partition of every row are known, so that GRACE may be short: rows are left out as
ksql_semantics says, by the time of their partition at that moment. Otherwise GRACE is at least the
disorder, and no row is late. FINAL windows are closed by the last time of their group's partition.
"""

LONG = 1000 * 86400000
SIZES = {'days': [('90 MINUTES', 5400000), ('6 HOURS', 6 * 3600000), ('1 DAYS', 86400000), ('7 DAYS', 7 * 86400000)],
         'seconds': [('20 SECONDS', 20000), ('90 SECONDS', 90000), ('5 MINUTES', 300000), ('1 HOURS', 3600000)]}


class Window:
    def __init__(self, dice, scale, known, late, closes):
        self.kind = dice.choice(['TUMBLING', 'TUMBLING', 'HOPPING', 'HOPPING', 'SESSION'])
        text, self.size = dice.choice(SIZES[scale][:2 if late else 4])
        self.final = bool(closes)
        # A session that was given out may grow again by a late row: FINAL ones have none.
        self.late = late and (self.kind != 'SESSION' or not self.final)
        self.advance = self.size
        disorder = LONG if known is None else known
        if self.late:
            self.grace = dice.choice([0, 0, dice.randint(0, self.size), dice.randint(0, disorder + 1)])
        elif self.final:
            self.grace = disorder + dice.choice([0, dice.randint(0, self.size)])
        else:
            self.grace = dice.choice([LONG, disorder + dice.randint(0, self.size)])
        if scale == 'days' and dice.random() < 0.7:
            self.grace -= self.grace % 60000  # as the rows' times: windows end exactly when a row comes
        if self.kind == 'SESSION':
            self.size = dice.choice([self.size // 20, self.size // 4]) // 60000 * 60000 or self.size // 4
            inside = f'{self.size} MILLISECONDS'
        elif self.kind == 'HOPPING':
            self.advance = dice.choice([self.size // 2, self.size // 3, self.size // 4, self.size * 2 // 5, self.size * 3 // 4])
            inside = f'SIZE {text}, ADVANCE BY {self.advance} MILLISECONDS'
        else:
            inside = f'SIZE {text}'
        # Without the clause: FINAL has no grace, others a day less the size.
        clause = f', GRACE PERIOD {self.grace} MILLISECONDS'
        if self.final and self.grace == 0 and dice.random() < 0.5:
            clause = ''
        self.weir = f' WINDOW {self.kind} ({inside}, RETENTION 2000 DAYS{clause})'

    def rows(self, base, keys):
        """Of rows `base`: with w and e, the bounds of each window that a row counts in."""
        if self.kind == 'SESSION' and self.late:
            return f'(SELECT * FROM {base} b JOIN {base}_sessions s ON b.rowid = s.row)'
        if self.kind == 'SESSION':
            by = ', '.join(keys)
            return (f"(SELECT *, min(ts_) OVER (PARTITION BY {by}, session_) AS w, max(ts_) OVER (PARTITION BY {by}, session_) AS e FROM "
                    f"(SELECT *, sum(new_) OVER (PARTITION BY {by} ORDER BY ts_, seq_ ROWS UNBOUNDED PRECEDING) AS session_ FROM "
                    f"(SELECT *, coalesce(ts_ - lag(ts_) OVER (PARTITION BY {by} ORDER BY ts_, seq_) > {self.size}, 1) AS new_ "
                    f"FROM {base})))")
        last = f"(SELECT *, max(ts_) OVER (PARTITION BY part_ ORDER BY seq_ ROWS UNBOUNDED PRECEDING) AS now_ FROM {base})" if self.late else base
        kept = f' AND w + {self.size} + {self.grace} > now_' if self.late else ''
        return (f"(SELECT *, w + {self.size} AS e FROM (SELECT b.*, (ts_ / {self.advance} - n.i) * {self.advance} AS w "
                f"FROM {last} b JOIN nums n ON n.i <= {(self.size - 1) // self.advance}) WHERE w >= 0 AND w + {self.size} > ts_{kept})")

    def keep_sessions(self, db, base, keys):
        """Table BASE_sessions: each row's session at the end, where some rows came too late for any."""
        db.execute(f'create table {base}_sessions (row, w, e)')
        now, sessions = {}, {}
        for row, part, time, *key in db.execute(f"SELECT rowid, part_, ts_, {', '.join(keys)} FROM {base} ORDER BY part_, seq_"):
            now[part] = max(now.get(part, time), time)
            there = sessions.setdefault(tuple(key), [])  # of [begin, end, rows]
            met = [s for s in there if s[1] >= time - self.size and s[0] <= time + self.size]
            begin, end = min([time] + [s[0] for s in met]), max([time] + [s[1] for s in met])
            if end < now[part] - self.grace - self.size:
                continue
            sessions[tuple(key)] = [s for s in there if s not in met] + [[begin, end, sum((s[2] for s in met), [row])]]
        db.executemany(f'insert into {base}_sessions values (?, ?, ?)',
                       ((row, s[0], s[1]) for there in sessions.values() for s in there for row in s[2]))

    def closed(self):
        """Whether a window is over by the partition's last time end_."""
        if self.kind == 'SESSION':
            return f'e + {self.size} + {self.grace} < end_'
        return f'e + {self.grace} <= end_'
