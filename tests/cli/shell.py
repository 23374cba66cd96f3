#!/usr/bin/env python3
"""shell.py WEIR - the shell at a terminal: its editor, history, pages, what stays in place.

As run.py, whose tools it uses.
"""
import os
import re
import signal
import sys
import time

try:
    import pexpect
except ImportError:
    pexpect = None

import run
from run import SLOW, STREAM, Skip, WEIR, good, has, same


class Shell:
    def __init__(self, *args, **env):
        if pexpect is None:
            raise Skip
        home = os.path.abspath('home')
        os.makedirs(home, exist_ok=True)
        all_env = {'HOME': home, 'TERM': 'xterm', 'PATH': os.environ['PATH'], 'LANG': 'C'}
        all_env.update(env)
        self.child = pexpect.spawn(WEIR, list(args), env=all_env, encoding='utf-8',
                                   timeout=10 * SLOW, dimensions=(40, 120))
        self.child.delaybeforesend = 0.01
        self.prompt()

    def prompt(self, text='weir> '):
        """What was written up to the prompt: a new one where the editor begins (it asks for
        bracketed paste), a continued one wherever it is drawn."""
        if text == 'weir> ':
            self.child.expect_exact('\x1b[?2004h')
            before = self.child.before
            self.child.expect_exact(text)
        else:
            self.child.expect_exact(text)
            before = self.child.before
        return re.sub(r'\x1b\[[?0-9;]*[A-Za-z]', '', before).replace('\r\n', '\n')

    def run(self, line, prompt='weir> '):
        self.child.sendline(line)
        return self.prompt(prompt)

    def leave(self, how=None):
        if how is None:
            self.child.sendeof()
        else:
            self.child.sendline(how)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus

    history = 'home/.local/state/weir/history'


def test_shell_statements():
    shell = Shell('d')
    shell.run('CREATE STREAM s (k STRING KEY, v INT)', '-> ')
    shell.run("WITH (KAFKA_TOPIC='s', PARTITIONS=1,", '(> ')
    has(shell.run("VALUE_FORMAT='JSON');"), 'Stream created')
    shell.run("INSERT INTO s VALUES ('\u00e9\u6f22", "'> ")
    shell.run("x', 1); INSERT INTO s VALUES ('b', 2); /* more", '*> ')
    shell.run('*/')
    text = shell.run('SELECT * FROM s EMIT CHANGES LIMIT 2;')
    has(text, '| \u00e9\u6f22\\nx | 1 |')
    has(text, '2 rows (')
    shell.run('SHOW TOPICS; SHOW', '-> ')
    text = shell.run('STREAMS;')
    has(text, '| s ')
    has(text, '| S ')
    has(shell.run('SELECT x FROM s EMIT CHANGES; SHOW TOPICS;'), 'error (unknown_name): line 1:8: ')
    has(shell.run('SHOW TOPICS;'), '1 row (')
    same(shell.leave(), 0)


def test_shell_interrupts():
    shell = Shell()
    shell.run("SELECT 'open", "'> ")
    shell.child.sendintr()
    shell.prompt()
    shell.child.send('never run')
    time.sleep(0.1)
    shell.child.sendintr()
    shell.prompt()
    shell.run(STREAM)
    shell.run("INSERT INTO s VALUES ('row', 1);")
    shell.child.sendline('SELECT * FROM s EMIT CHANGES;')
    shell.child.expect_exact('| row |')
    shell.child.sendintr()
    has(shell.prompt(), '1 row (')
    shell.child.sendline("COPY s FROM '-';")
    time.sleep(0.2)
    shell.child.sendintr()
    has(shell.prompt(), 'error (cancelled)')
    has(shell.run('SHOW TOPICS;'), '| s ')
    same(shell.leave('exit'), 0)


def test_shell_copies_what_is_typed():
    shell = Shell()
    shell.run(STREAM)
    shell.child.sendline("COPY s FROM '-';")
    time.sleep(0.2)
    shell.child.sendline('{"k":"typed","v":1}')
    time.sleep(0.1)
    shell.child.sendeof()
    has(shell.prompt(), 'COPY 1')
    has(shell.run('SELECT * FROM s EMIT CHANGES LIMIT 1;'), '| typed | 1 |')
    same(shell.leave('\\q'), 0)


def test_shell_history():
    shell = Shell()
    shell.run('SHOW', '-> ')
    shell.run('TOPICS;')
    shell.run("SET 'a.password'='hunter2';")
    shell.run("SET 'a.b'='my Secret';")
    shell.child.kill(signal.SIGKILL)  # it is kept at once
    shell.child.close()
    same(os.stat(Shell.history).st_mode & 0o777, 0o600)
    same(os.stat(os.path.dirname(Shell.history)).st_mode & 0o777, 0o700)
    with open(Shell.history) as file:
        text = file.read()
    has(text, 'SHOW\\nTOPICS;')
    assert 'hunter2' not in text and 'Secret' not in text, text
    shell = Shell()
    shell.child.send('\x1b[A')
    has(shell.run(''), '| Topic ')
    same(shell.leave('quit'), 0)


def test_shell_without_a_home():
    shell = Shell(HOME='/nonexistent', XDG_STATE_HOME='')
    has(shell.run('SHOW TOPICS;'), '| Topic ')
    same(shell.leave(), 0)


def test_shell_help_and_words():
    shell = Shell()
    for word in ('help', '\\?', 'HELP;'):
        has(shell.run(word), 'CREATE STREAM s')
    has(shell.run('\\nope'), 'No command')
    has(shell.run('.help'), '\\watch')
    shell.run('')
    shell.run('helper', '-> ')
    has(shell.run(';'), 'error (syntax)')
    same(shell.leave('EXIT;'), 0)


def test_shell_pages_long_results():
    """Finite and longer than the screen: through $PAGER, uncut; it may be left early."""
    shell = Shell(PAGER="sed 's/^/P: /'")
    text = shell.run('SHOW FUNCTIONS;')
    has(text, 'P: | ABS ')
    has(text, ' to keep some elements of an array and make the others NULL.')
    has(shell.run('SELECT 1 AS one;'), '\n| ONE |')
    has(shell.run('\\pager'), 'The pager is off.')
    has(shell.run('SHOW FUNCTIONS;'), '\n| ABS ')
    has(shell.run('.pager on'), 'The pager is on.')
    shell.run('\\x')
    has(shell.run('SHOW FUNCTIONS;'), 'P: Function  | ABS')
    same(shell.leave(), 0)
    shell = Shell(PAGER='head -2')
    text = shell.run('SHOW FUNCTIONS;')
    assert 'ABS' not in text, text
    has(shell.run('SELECT 1 AS one;'), '| ONE |')
    same(shell.leave(), 0)


def test_shell_shows_a_table_in_place():
    shell = Shell('--live')
    shell.run("CREATE STREAM s (k INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
    shell.run('CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k HAVING COUNT(*) < 3;')
    shell.run(' '.join('INSERT INTO s VALUES (%d, 1);' % k for k in (1, 2, 10, 1, 2, 2)))
    shell.child.sendline('SELECT * FROM t EMIT CHANGES;')
    time.sleep(1)
    shell.child.send('q')
    text = shell.prompt()
    last = text[text.rindex('|  K | N |'):]
    same(last.splitlines()[:5],
         ['|  K | N |', '+----+---+', '|  1 | 2 |', '| 10 | 1 |', '+----+---+'])
    shell.run('\\f table')
    has(shell.run('SELECT * FROM s EMIT CHANGES LIMIT 1;'), '| K | V |')
    same(shell.leave(), 0)
    done = good('--live', '-e', STREAM + "INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 2);"
                'SELECT * FROM s EMIT CHANGES LIMIT 2;')
    same(done.out.count('| K | V |'), 1)
    has(done.out, '| b | 2 |')


def test_shell_ends_by_sigterm():
    shell = Shell('d')
    shell.child.kill(signal.SIGTERM)
    shell.child.expect(pexpect.EOF)
    shell.child.close()
    same(shell.child.exitstatus, 128 + signal.SIGTERM)


def test_shell_rows_are_alone_on_standard_output():
    if pexpect is None:
        raise Skip
    env = {'HOME': os.getcwd(), 'TERM': 'xterm', 'PATH': os.environ['PATH']}
    child = pexpect.spawn('/bin/sh', ['-c', '"$0" --format csv > out', WEIR], env=env,
                          encoding='utf-8', timeout=10 * SLOW)
    child.expect_exact('weir> ')
    child.sendline('SHOW TOPICS;')
    child.expect_exact('0 rows')
    child.expect_exact('weir> ')
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    with open('out') as file:
        same(file.read(), 'Topic,Partitions,Records\n')


def test_shell_wide_line_editing():
    shell = Shell(LANG='C.UTF-8')
    shell.run(STREAM)
    shell.child.send("INSERT INTO s VALUES ('\u6f22x\u5b57', 1);")
    shell.child.send('\x1b[D' * 6)        # to behind the second character of three
    shell.child.send('\x7f' * 2 + '\u00e9')  # and away with two of them
    shell.child.send('\x05')
    shell.run('')
    has(shell.run('SELECT k FROM s EMIT CHANGES LIMIT 1;'), '\u00e9')
    same(shell.leave(), 0)


if __name__ == '__main__':
    sys.exit(run.main(globals()))
