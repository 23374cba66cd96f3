#!/usr/bin/env python3
"""shell.py WEIR [TRANSCRIPT] - drives the shell in a pseudo-terminal of 80 x 24 and checks what the
screen shows, through a terminal emulator (pyte). With a second argument the scenes are written
there as a transcript. Ends with a count; exit status 1 and "FAILED ..." where a scene is wrong."""
import os
import re
import sys
import tempfile
import time

try:
    import pyte
except ImportError:
    sys.path.append('/usr/lib/python3/dist-packages')
    import pyte
import pexpect

WEIR = os.path.abspath(sys.argv[1])
SLOW = 6 if 'release' not in WEIR else 1
UP, DOWN, LEFT, RIGHT, HOME, END = '\x1b[A', '\x1b[B', '\x1b[D', '\x1b[C', '\x1b[H', '\x1b[F'
CTRL = {letter: chr(ord(letter) & 31) for letter in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'}
TAB, ENTER = '\t', '\r'
SCENES = []


class Terminal:
    """A shell and the screen it draws on."""

    def __init__(self, *args, columns=80, lines=24, **env):
        self.screen = pyte.HistoryScreen(columns, lines, history=5000)
        self.stream = pyte.Stream(self.screen)
        all_env = {'HOME': os.path.abspath('home'), 'TERM': 'xterm-256color', 'LANG': 'C.UTF-8',
                   'PATH': os.environ['PATH'], **env}
        self.child = pexpect.spawn(WEIR, list(args), env=all_env, encoding='utf-8',
                                   dimensions=(lines, columns))
        self.child.delaybeforesend = 0
        self.raw = ''

    def feed(self, seconds=0.02):
        try:
            text = self.child.read_nonblocking(65536, seconds)
            self.raw += text
            self.stream.feed(text)
            return True
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return '\n'.join(self.lines()).rstrip()

    def wait(self, what, seconds=8):
        """Until the screen has the text (or matches the function)."""
        end = time.time() + seconds * SLOW
        seen = what if callable(what) else lambda: what in self.text()
        while time.time() < end:
            self.feed()
            if seen():
                return self
        raise AssertionError('the screen never showed %r; it shows\n%s' % (what, self.text()))

    def type(self, text):
        """In pieces, reading in between as terminals do: neither side may wait for the other."""
        for at in range(0, len(text), 256):
            self.child.send(text[at:at + 256])
            if len(text) > 256:
                self.feed(0.001)
        return self

    def settle(self):
        """Until nothing more is drawn for a moment (a live line never ends)."""
        end = time.time() + 2 * SLOW
        while self.feed(0.1 * SLOW) and time.time() < end:
            pass
        return self

    def line(self):
        """The text of the row that the cursor is in."""
        return self.lines()[self.screen.cursor.y]

    def colour(self, word):
        """Colour of the last place where the word stands."""
        for y in range(self.screen.lines - 1, -1, -1):
            x = self.screen.display[y].rfind(word)
            if x >= 0:
                return self.screen.buffer[y][x].fg
        raise AssertionError('no %r on the screen' % word)

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)
        return self

    def scene(self, title):
        SCENES.append((title, self.text()))

    def end(self):
        self.child.close(force=True)


def same(got, want):
    assert got == want, '\n--- wanted\n%s\n--- got\n%s' % (want, got)


CREATE = ("CREATE STREAM readings (sensor STRING KEY, value DOUBLE, place STRUCT<room STRING, "
          "floor INT>) WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='JSON');")


def opened(*args, **more):
    terminal = Terminal(*args, **more).wait('weir>')
    terminal.type(CREATE + ENTER).wait('Stream created').settle()
    return terminal


def fresh(terminal):
    """An empty prompt on an empty screen."""
    terminal.type(CTRL['C']).settle().type(CTRL['L']).wait(lambda: terminal.text() == 'weir>')
    return terminal


# == Scenes ========================================================================================

def scene_completion():
    t = fresh(opened())
    t.type('sel' + TAB).wait('weir> select')
    t.type(' * from read' + TAB).wait('from readings')
    t.scene('A name behind FROM, completed')
    fresh(t).type('SELECT  FROM readings r' + LEFT * 16 + 'r.pl' + TAB).wait('SELECT r.place FROM')
    t.type('->ro' + TAB).wait('place->room')
    t.scene('A column behind its alias, a field behind ->')
    fresh(t).type('SELECT SUBSTR' + TAB).wait('SUBSTRING(')
    fresh(t).type('SELECT REGEXP' + TAB + TAB).wait('REGEXP_REPLACE(')
    t.scene('Functions with their signatures')
    fresh(t).type("SET 'auto.off" + TAB).wait("'auto.offset.reset")
    fresh(t).type("CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='re" + TAB).wait("'readings")
    fresh(t).type("CREATE STREAM x (a INT) WITH (VALUE_FORMAT='DEL" + TAB).wait('DELIMITED')
    open('rows.ndjson', 'w').close()
    fresh(t).type("COPY readings FROM 'row" + TAB).wait('rows.ndjson')
    fresh(t).type('\\wa' + TAB).wait('\\watch')
    fresh(t).type('DROP STREAM ' + TAB).wait('DROP STREAM READINGS')
    t.end()


def scene_editing():
    t = fresh(opened())
    t.type('SELECT sensor,' + ENTER).wait('   ->')
    t.type("value FROM readings WHERE sensor = 'a" + ENTER).wait("   '>")
    t.type("b' AND (value > 1" + ENTER).wait('   (>')
    t.type(')').settle()
    t.scene('A statement over several lines: the prompt says what is open')
    t.type(UP * 3 + HOME).settle()
    same(t.screen.cursor.y, 0)
    t.type(CTRL['K'] + 'SELECT place,').wait('weir> SELECT place,')
    t.type(DOWN * 3 + END + ' EMIT CHANGES LIMIT 1;').wait(') EMIT CHANGES LIMIT 1;')
    fresh(t).type('one two three' + CTRL['W'] + CTRL['A'] + 'zero ').wait('weir> zero one two')
    t.type('\x1f').wait(lambda: t.line() == 'weir> one two')  # undo
    t.type(CTRL['E'] + CTRL['U']).wait(lambda: t.line() == 'weir>')
    t.type(CTRL['Y']).wait(lambda: 'one two' in t.line())
    fresh(t).type('SELECT `x').settle()
    t.type(CTRL['C']).settle()
    same(t.line(), 'weir>')
    t.end()


def scene_history():
    t = fresh(opened())
    for value in range(3):
        t.type("INSERT INTO readings (sensor, value) VALUES ('s%d', %d);" % (value, value) + ENTER)
        t.settle()
    t.type('SHOW TOPICS;' + ENTER).wait('Topic').settle()
    fresh(t).type(UP).wait('SHOW TOPICS;')
    t.type(UP).wait("'s2', 2")
    t.type(DOWN + DOWN).wait(lambda: t.line() == 'weir>')
    t.type(CTRL['R'] + "'s1").wait("(search `'s1') INSERT")
    t.scene('Ctrl-R searches what was typed before')
    t.type(CTRL['R']).settle().type(CTRL['G']).wait(lambda: t.line() == 'weir>')
    t.type(CTRL['R'] + 'topics' + ENTER).wait('| readings')
    fresh(t).type('SHOW T').wait('SHOW TOPICS;')  # a hint, in grey
    assert t.colour('OPICS') != 'default'
    t.scene('What was typed before, as a hint')
    t.type(RIGHT + ENTER).wait('| readings')
    t.end()
    t = Terminal().wait('weir>')
    t.type(UP).wait('SHOW TOPICS;')  # it outlives the shell
    t.end()


def scene_push_query():
    t = fresh(opened())
    t.type("INSERT INTO readings (sensor, value) VALUES ('s1', 20.5);" + ENTER).settle()
    t.type('SELECT sensor, value FROM readings EMIT CHANGES;' + ENTER).wait('| s1').wait('1 row, ')
    t.scene('A push query waits for rows')
    t.type(' ').wait('paused')
    t.type(' ').wait(lambda: 'paused' not in t.text())
    t.type(CTRL['C']).wait(lambda: re.search(r'^1 row \(', t.text(), re.M)).settle()
    same(t.line(), 'weir>')
    fresh(t).type("SELECT sensor FROM readings WHERE value > 99 EMIT CHANGES;" + ENTER)
    t.wait('No rows yet. Topic readings holds 1 record.')
    t.scene('A hint when nothing comes')
    t.type('q').wait('0 rows')
    t.end()


def scene_analyze():
    t = opened(columns=110)
    for statement in ("CREATE TABLE rooms (id STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC="
                      "'rooms', VALUE_FORMAT='JSON', PARTITIONS=1);",
                      "INSERT INTO rooms (id, name) VALUES ('s1', 'hall');",
                      'CREATE STREAM named AS SELECT r.sensor, value, name FROM readings r LEFT JOIN '
                      'rooms ON r.sensor = rooms.id WHERE value > 1;',
                      "INSERT INTO readings (sensor, value) VALUES ('s1', 20.5);",
                      "INSERT INTO readings (sensor, value) VALUES ('s2', 21);",
                      "INSERT INTO readings (sensor, value) VALUES ('s1', 0.5);"):
        t.type(statement + ENTER).settle()
    fresh(t).type('EXPLAIN ANALYZE CSAS_NAMED_0;' + ENTER).wait('q ends')
    t.wait('1 row without a match').wait('1 row filtered')
    t.scene('Where rows and time go, drawn anew every second')
    first = re.search(r'RUNNING for (\S+ \S+)', t.text()).group(1)
    t.wait(lambda: first not in t.text() and 'RUNNING for' in t.text())
    same(t.text().count('RUNNING for'), 1)  # in the place of the one before
    t.type('q').wait(lambda: t.line() == 'weir>')
    assert 'q ends' not in t.text()
    fresh(t).type('SELECT r.sensor, name FROM readings r LEFT JOIN rooms ON r.sensor = rooms.id EMIT '
                  'CHANGES LIMIT 3;' + ENTER)
    t.wait('warning: 1 row without a match in ROOMS (NULLs)').settle()
    t.scene('What was left out, or has NULLs for the other side, is told')
    t.end()


def scene_resize():
    t = fresh(opened())
    t.type("INSERT INTO readings (sensor, value) VALUES ('%s', 1);" % ('long ' * 30) + ENTER).settle()
    fresh(t).type('SELECT sensor, value FROM readings EMIT CHANGES;' + ENTER).wait('\u2026')
    assert max(len(line) for line in t.lines()) <= 80
    t.resize(40, 24).settle()
    t.type(CTRL['C']).wait('weir>').settle()
    fresh(t).type('SELECT sensor, value FROM readings EMIT CHANGES LIMIT 1;' + ENTER)
    t.wait('1 row (').settle()
    assert max(len(line) for line in t.lines()) <= 40
    t.scene('The same on a terminal of 40 columns')
    fresh(t).type('SELECT sensor, value, place FROM readings').settle()
    t.resize(80, 24).settle().type(' r').settle()
    assert 'readings r' in t.text(), t.text()
    t.end()


def scene_paste():
    t = fresh(opened())
    lines = ["INSERT INTO readings (sensor, value) VALUES ('p%d', %d);" % (i, i) for i in range(500)]
    t.type('\x1b[200~' + '\r'.join(lines) + '\x1b[201~')
    t.wait("VALUES ('p499', 499);", 20)
    assert t.screen.cursor.y <= 23
    t.scene('500 lines pasted: nothing runs before Enter')
    t.type(UP * 3 + DOWN * 3).settle()
    t.type(ENTER).wait(lambda: t.line() == 'weir>', 30).settle()
    fresh(t).type('CREATE TABLE n AS SELECT 1 AS k, COUNT(*) AS c FROM readings GROUP BY 1;' + ENTER)
    t.wait('Created query').settle()
    fresh(t).type('SELECT c FROM n;' + ENTER).wait('| 500 |')
    t.end()


def scene_wide_characters():
    t = fresh(opened())
    t.type("INSERT INTO readings (sensor) VALUES ('\u6f22\u5b57 e\u0301');").settle()
    same(t.screen.cursor.x, len("weir> INSERT INTO readings (sensor) VALUES ('") + 4 + 1 + 1 + 3)
    t.type(LEFT * 4 + '\x7f').settle()
    t.type('x' + ENTER).settle()
    fresh(t).type('SELECT sensor FROM readings EMIT CHANGES LIMIT 1;' + ENTER).wait('1 row (').settle()
    assert '\u6f22\u5b57xe\u0301' in t.text() or '\u6f22\u5b57x\u00e9' in t.text(), t.text()
    ends = {max(x for x in range(80) if t.screen.buffer[y][x].data in '|+')
            for y in range(24) if t.screen.buffer[y][0].data in '|+'}
    same(len(ends), 1)
    t.scene('Wide characters')
    t.end()


def scene_colours():
    t = fresh(opened())
    t.type("SELECT 'text', 12, UCASE(sensor) -- why").settle()
    same((t.colour('SELECT'), t.colour("'text'"), t.colour('12')), ('blue', 'green', 'cyan'))
    t.end()
    for more in ({'NO_COLOR': '1'}, {'args': ('--color', 'never')}):
        args = more.pop('args', ())
        t = fresh(opened(*args, **more))
        t.type("SELECT 'text', 12").settle()
        same(t.colour('SELECT'), 'default')
        assert not re.search('\x1b\\[[0-9;]*m', t.raw), 'colours although they are off'
        t.end()
    t = Terminal(TERM='dumb').wait('weir>')
    t.type('SHOW TOPICS;' + ENTER).wait('Topic')
    assert '\x1b' not in t.raw
    t.end()


def scene_safety():
    t = fresh(opened())
    evil = "\x1b]0;owned\x07\x1b[2J\u202egnirts\x00x"
    row = {'sensor': 'e', 'value': 1, 'place': {'room': evil, 'floor': 1}}
    import json
    with open('evil.ndjson', 'w') as file:
        file.write(json.dumps(row) + '\n')
        file.write(json.dumps({'sensor': 'big', 'place': {'room': 'y' * 1000000}}) + '\n')
    t.type("COPY readings FROM 'evil.ndjson';" + ENTER).wait('COPY 2').settle()
    fresh(t)
    before = len(t.raw)
    t.type('SELECT sensor, place->room AS room FROM readings EMIT CHANGES LIMIT 2;' + ENTER)
    t.wait('2 rows (', 20)
    seen = t.raw[before:]
    for part in ('\x1b]0;', '\x07', '\x1b[2J', '\u202e', '\x00'):
        assert part not in seen, repr(part)
    assert '\\x1b' in t.text() and '\\u202e' in t.text(), t.text()
    t.scene('Rows cannot command the terminal')
    t.end()


def main():
    base = os.getcwd()
    count = 0
    for name, scene in list(globals().items()):
        if not name.startswith('scene_'):
            continue
        with tempfile.TemporaryDirectory(prefix='weir-shell-') as folder:
            os.chdir(folder)
            try:
                scene()
            except AssertionError as error:
                print(error)
                print('FAILED in ' + name)
                return 1
            finally:
                os.chdir(base)
        count += 1
        print('ok %s' % name[6:].replace('_', ' '))
    if len(sys.argv) > 2:
        with open(sys.argv[2], 'w') as file:
            file.write('# The shell, scene by scene\n\nWhat the screen showed; written by\n'
                       '`make prove-shell WRITE=docs/shell.md`.\n')
            for title, text in SCENES:
                file.write('\n%s:\n\n```\n%s\n```\n' % (title, text))
    print('%d scenes, %d screens' % (count, len(SCENES)))
    return 0


sys.exit(main())
