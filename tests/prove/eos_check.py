"""eos_check.py - whether what came out is what the guarantee promises.

exactly_once_v2: `kept` and `joined` have each record as often as the input; the counts of a table
go up by one, its sums are those of the records in their order.

at_least_once: each record as often as the input or more, and none that is not of the input. A table
counts each of its records once or more: what a key has beyond the input are some of the key's own
amounts again. How much comes again is bounded: a fault repeats what was under way, not the past.

Both: the last row of a key in the topic of a table is the row that the state has.

A process that stood still while another one took over may, at least once, put an old row behind
newer ones: then of tables only their keys and the bounds of their rows are checked.
"""
import collections
import json

from eos_output import read_all
from eos_world import CHUNK, N, ONCE, OUTPUTS, Failed, factor_of

Record = collections.namedtuple("Record", "customer id amount")


def value_of(message):
    return json.loads(message.value())


def compare(name, wanted, got):
    missing, more = wanted - got, got - wanted
    strangers = [record for record in more if record not in wanted]
    if missing or strangers or (ONCE and more):
        raise Failed("%s: %d missing %s, %d too many %s" % (
            name, sum(missing.values()), list(missing)[:3], sum(more.values()),
            (strangers or list(more))[:3]))
    return sum(more.values())


def rows_of(messages):
    """{customer: [(count, sum), ...]} in order."""
    rows = collections.defaultdict(list)
    for message in messages:
        value = value_of(message)
        rows[message.key().decode()].append((value["N"], value["TOTAL"]))
    return rows


def check_once(name, rows, amounts, in_order):
    """`amounts` are the key's records, in the order in which the table has read them if in_order."""
    for customer, got in rows.items():
        if [n for n, _ in got] != list(range(1, len(got) + 1)):
            raise Failed("%s: the counts of %s are not 1, 2, 3, ...: %s" % (
                name, customer, [n for n, _ in got][:100]))
        sums = [0]
        for amount in amounts[customer]:
            sums.append(sums[-1] + amount)
        if in_order and [total for _, total in got] != sums[1:]:
            raise Failed("%s: the sums of %s are not those of its records" % (name, customer))
        if got[-1] != (len(amounts[customer]), sums[-1]):
            raise Failed("%s: %s ends with %s; wanted %d, %d" % (
                name, customer, got[-1], len(amounts[customer]), sums[-1]))


def check_at_least(name, rows, amounts):
    """Returns how many records were counted again."""
    again = 0
    for customer, got in rows.items():
        count, total = got[-1]
        more = count - len(amounts[customer])
        rest = total - sum(amounts[customer])
        if more < 0 or not min(amounts[customer]) * more <= rest <= max(amounts[customer]) * more:
            raise Failed("%s: %s ends with %d records, %d; at least %d, %d are wanted" % (
                name, customer, count, total, len(amounts[customer]), sum(amounts[customer])))
        again += more
    return again


def check_bounds(name, rows, amounts):
    for customer, got in rows.items():
        least, most = min(amounts[customer]), max(amounts[customer])
        if any(not least * count <= total <= most * count for count, total in got):
            raise Failed("%s: %s has sums that no records make: %s" % (name, customer, got[:100]))


def check_table(name, messages, amounts, in_order, stale):
    rows = rows_of(messages)
    check_bounds(name, rows, amounts)
    if set(rows) != set(amounts):
        raise Failed("%s has not the keys of its records" % name)
    if ONCE:
        check_once(name, rows, amounts, in_order)
        return 0
    return 0 if stale else check_at_least(name, rows, amounts)


def amounts_of(records):
    amounts = collections.defaultdict(list)
    for record in records:
        amounts[record.customer].append(record.amount)
    return amounts


def verify(bootstrap, faults, states, stale):
    """faults: how many there were; states: {table: {key: (count, sum)}}; stale: processes came
    back. Returns figures."""
    got = read_all(bootstrap, ["orders"] + OUTPUTS)
    orders = [value_of(message) for message in got["orders"]]
    if len({order["ID"] for order in orders}) != N:
        raise Failed("the input topic has not every order: a fault of this test")
    wanted = [Record(o["CUST"], o["ID"], o["AMOUNT"]) for o in orders if o["AMOUNT"] >= 10]
    kept = [Record(m.key().decode(), value_of(m)["ID"], value_of(m)["AMOUNT"])
            for m in got["kept"]]
    joined = [(m.key().decode(), value_of(m)["ID"], value_of(m)["PRICE"]) for m in got["joined"]]
    prices = collections.Counter((r.customer, r.id, r.amount * factor_of(int(r.customer[1:])))
                                 for r in kept)
    again = {
        "kept": compare("kept", collections.Counter(wanted), collections.Counter(kept)),
        "joined": compare("joined", prices, collections.Counter(joined)),
        "totals": check_table("totals", got["totals"], amounts_of(kept), True, stale),
        "spent": check_table("spent", got["spent"], amounts_of(wanted), False, stale),
    }
    for table, state in states.items():
        last = {key: rows[-1] for key, rows in rows_of(got[table]).items()}
        if state != last and not stale:
            key = sorted(k for k in set(state) | set(last) if state.get(k) != last.get(k))[0]
            raise Failed("%s: the state of %s is %s, and its topic has %s" % (
                table, key, state.get(key), last.get(key)))
    for name, count in again.items():
        if count > 2 * CHUNK * (faults + 1):
            raise Failed("%s: %d records came again by %d faults" % (name, count, faults))
    return {topic: len(messages) for topic, messages in got.items()}, again
