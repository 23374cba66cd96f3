# oracle_time.py WEIR N SEED - clocks of 40 zones, printed, read and converted, against python.
#
# N instants from 1902 to 2200 in each of 40 zones (half of them near changes of the clocks) go
# through FORMAT_TIMESTAMP, PARSE_TIMESTAMP and CONVERT_TZ of the binary WEIR. Offsets and calendar
# come from python's zoneinfo and datetime; what a local time means that clocks showed twice or
# never is worked out here from ksqlDB's rule: date and time are put into 1970-01-01 part by part,
# and an offset stays as long as it can.
import datetime
import json
import random
import subprocess
import sys
import tempfile
import zoneinfo

ZONES = '''Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos America/Anchorage America/Argentina/Buenos_Aires America/Bogota
America/Caracas America/Chicago America/Denver America/Halifax America/Havana America/Los_Angeles America/New_York America/Nuuk America/Santiago
America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Beirut Asia/Dhaka Asia/Gaza Asia/Kathmandu Asia/Kolkata Asia/Pyongyang Asia/Shanghai
Asia/Tehran Asia/Tokyo Atlantic/Azores Australia/Adelaide Australia/Lord_Howe Europe/Berlin Europe/Dublin Europe/Istanbul Europe/London
Europe/Moscow Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Kiritimati'''.split()
PATTERN = "yyyy-MM-dd'T'HH:mm:ss.SSS"
PRINTED = "EEE, d MMM yyyy h:mm:ss a xxx DDD e w Y"
EPOCH = datetime.datetime(1970, 1, 1)
DAY = datetime.timedelta(days=1)
ROWS = 50000  # in one run of weir


def offsets(local, zone):
    """The offsets before and after a change that a local time falls into; the same one elsewhere."""
    return [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]


def settle(local, offset, zone):
    before, after = offsets(local, zone)
    if before < after:
        return local + (after - before), after
    return local, after if offset == after else before


def put_together(text, zone):
    """ksqlDB's order: the time, weekday, aligned weekdays, day of month, day of year, the date, and what is then a no-op but for a gap."""
    target = datetime.datetime.fromisoformat(text)
    local, offset = settle(EPOCH, None, zone)

    def move(to):
        nonlocal local, offset
        if to != local:
            local, offset = settle(to, offset, zone)

    def set_time():
        move(datetime.datetime.combine(local.date(), target.time()))

    def shift(days):
        move(local + days * DAY)

    move(local.replace(microsecond=target.microsecond))
    set_time()
    for part in ('second', 'minute', 'hour'):
        move(local.replace(**{part: getattr(target, part)}))
    shift(target.isoweekday() - local.isoweekday())
    shift((target.day - 1) % 7 - (local.day - 1) % 7)
    day_of_year = lambda d: d.timetuple().tm_yday
    shift((day_of_year(target) - 1) % 7 - (day_of_year(local) - 1) % 7)
    move(local.replace(day=target.day))
    if day_of_year(target) == 366:
        move(local.replace(year=target.year, day=min(local.day, 28) if local.month == 2 else local.day))
    shift(day_of_year(target) - day_of_year(local))
    shift((target.date() - local.date()).days)
    shift(7 * ((target.day - 1) // 7 - (local.day - 1) // 7))
    shift(7 * ((day_of_year(target) - 1) // 7 - (day_of_year(local) - 1) // 7))
    for part in ('month', 'year'):
        move(local.replace(**{part: getattr(target, part)}))
    return (local - EPOCH - offset) // datetime.timedelta(milliseconds=1)


def sign(offset):
    total = int(offset.total_seconds())
    return '%s%02d:%02d' % ('-' if total < 0 else '+', abs(total) // 3600, abs(total) // 60 % 60)


def printed(local, offset):
    weekday = local.isoweekday() % 7  # Sunday is 0
    january = datetime.datetime(local.year, 1, 1)
    next_january = datetime.datetime(local.year + 1, 1, 1)
    first = january - january.isoweekday() % 7 * DAY
    next_first = next_january - next_january.isoweekday() % 7 * DAY
    late = local >= next_first
    week = 1 if late else (local - first) // DAY // 7 + 1
    return '%s, %d %s %04d %d:%02d:%02d %s %s %03d %d %d %d' % (
        local.strftime('%a'), local.day, local.strftime('%b'), local.year, local.hour % 12 or 12, local.minute, local.second,
        'PM' if local.hour >= 12 else 'AM', sign(offset), local.timetuple().tm_yday, weekday + 1, week, local.year + late)


def instants(dice, zone, count):
    """Half of them within two hours of a change of the clocks, where there is one."""
    made = []
    while len(made) < count:
        at = dice.randrange(-2145916800, 7258118400)
        if len(made) % 2 == 0:
            low, high = at, at + 200 * 86400
            offset_at = lambda s: (EPOCH + datetime.timedelta(seconds=s)).replace(tzinfo=datetime.timezone.utc).astimezone(zone).utcoffset()
            if offset_at(low) != offset_at(high):
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if offset_at(middle) == offset_at(low) else (low, middle)
                at = high + dice.choice([0, -1, 1, dice.randrange(-7200, 7200)])
        made.append(at * 1000 + dice.randrange(1000))
    return made


def row(name, zone, ms):
    utc = (EPOCH + datetime.timedelta(milliseconds=ms)).replace(tzinfo=datetime.timezone.utc)
    aware = utc.astimezone(zone)
    local, offset = aware.replace(tzinfo=None, fold=0), aware.utcoffset()
    # The text to be read: what the clocks would show at this moment of UTC, so that gaps come too.
    wall = (EPOCH + datetime.timedelta(milliseconds=ms) + offsets(local, zone)[0])
    text = wall.isoformat(timespec='milliseconds')
    first = offsets(wall, zone)[0]
    return {'ms': ms, 'zone': name, 'text': text}, [
        local.isoformat(timespec='milliseconds'),
        printed(local, offset),
        put_together(text, zone),
        (wall - EPOCH - first) // datetime.timedelta(milliseconds=1),
        ms + offset // datetime.timedelta(milliseconds=1)]


def compare(weir, cases):
    """How many differ, the first few shown."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/rows.ndjson', 'w') as file:
            for given, _ in cases:
                file.write(json.dumps(given) + '\n')
        quote = lambda pattern: "'" + pattern.replace("'", "''") + "'"
        script = '''CREATE STREAM s (ms BIGINT, zone STRING, text STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
COPY s FROM '%s/rows.ndjson';
SELECT FORMAT_TIMESTAMP(FROM_UNIXTIME(ms), %s, zone) AS a, FORMAT_TIMESTAMP(FROM_UNIXTIME(ms), %s, zone) AS b,
       UNIX_TIMESTAMP(PARSE_TIMESTAMP(text, %s, zone)) AS c, STRINGTOTIMESTAMP(text || ' ' || zone, %s) AS d,
       UNIX_TIMESTAMP(CONVERT_TZ(FROM_UNIXTIME(ms), 'UTC', zone)) AS e FROM s EMIT CHANGES LIMIT %d;
''' % (folder, quote(PATTERN), quote(PRINTED), quote(PATTERN), quote(PATTERN + ' VV'), len(cases))
        done = subprocess.run([weir, '-e', script, '--format', 'ndjson'], capture_output=True, text=True, timeout=600)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(cases):
        sys.exit('FAILED: weir ended with %d and %d rows of %d: %s' % (done.returncode, len(lines), len(cases), done.stderr[-500:]))
    differ = 0
    for (given, wanted), line in zip(cases, lines):
        got = list(json.loads(line).values())
        if got != wanted:
            differ += 1
            if differ <= 5:
                print('  %s\n    weir   %s\n    python %s' % (given, got, wanted))
    return differ


def main():
    weir, count, dice = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    differ, done, cases = 0, 0, []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        cases += [row(name, zone, ms) for ms in instants(dice, zone, count)]
        while len(cases) >= ROWS or (cases and name == ZONES[-1]):
            differ += compare(weir, cases[:ROWS])
            done += len(cases[:ROWS])
            cases = cases[ROWS:]
    if differ:
        sys.exit('FAILED: %d of %d rows differ (N=%d SEED=%s)' % (differ, done, count, sys.argv[3]))
    print('%d instants in %d zones printed, read and converted as python does' % (done, len(ZONES)))
    print('PROVED')


main()
