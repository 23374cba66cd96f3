"""kafka_proxy.py SEED - a bad network between clients and brokers of Kafka, on 127.0.0.1.

Reads commands from standard input, a line of JSON each, and answers each with a line of JSON:

  {"do": "listen", "lane": "A"}                 a port of this lane; answer {"port": P}
  {"do": "target", "port": P, "to": Q}          where the port leads to
  {"do": "noise", "cut": S, "delay": D}         from now on: a connection is cut about every S
                                                seconds (0: none), every hundredth frame is D late
  {"do": "cut", "lane": "A"}                    all connections of a lane are cut
  {"do": "lose", "lane": "A", "api": 26, "count": 1}   the next answers to requests of this kind are
                                                lost: the broker has done it, the connection is cut
  {"do": "stall", "lane": "A", "way": "up" | "down", "seconds": S}   nothing comes through one way
  {"do": "split", "lane": "A"}                  nothing comes through, nobody is told
  {"do": "heal", "lane": "A", "late": true}     what was held arrives (late), or the connections
                                                break
  {"do": "rate", "lane": "A", "bytes": N}       a lane carries N bytes a second, each way; 0: all
  {"do": "counts"}                              how often each of it has happened

It ends with its standard input. Requests are never passed on after their sender has closed the
connection: so none of them arrives after a later one of the same client.
"""
import asyncio
import collections
import json
import random
import sys
import time

rng = random.Random(int(sys.argv[1]))
FRAME_MAX, PIECE = 128 << 20, 16 << 10


class Lane:
    def __init__(self):
        self.links, self.lose = set(), collections.Counter()
        self.open = asyncio.Event()
        self.open.set()
        self.until = {"up": 0.0, "down": 0.0}
        self.rate, self.free = 0, {"up": 0.0, "down": 0.0}

    async def carry(self, way, size):
        """Waits as long as so many bytes take, behind those that came before."""
        if self.rate:
            self.free[way] = max(time.time(), self.free[way]) + size / self.rate
            await asyncio.sleep(self.free[way] - time.time())


class Network:
    def __init__(self):
        self.lanes, self.targets, self.servers = collections.defaultdict(Lane), {}, []
        self.counts, self.cut_every, self.delay = collections.Counter(), 0, 0

    async def noise(self):
        while True:
            await asyncio.sleep(rng.expovariate(1 / self.cut_every) if self.cut_every else 0.2)
            links = [link for lane in self.lanes.values() for link in lane.links]
            if self.cut_every and links:
                self.counts["cut"] += 1
                rng.choice(links).cut()


network = Network()


class Link:
    """One connection of a client and ours to the broker."""

    def __init__(self, lane, client):
        self.lane, self.streams, self.asked, self.over = lane, [client], {}, False

    def cut(self):
        self.over = True
        for _, writer in self.streams:
            writer.transport.abort()

    async def frames(self, way, reader, writer):
        while True:
            head = await reader.readexactly(4)
            size = int.from_bytes(head, "big")
            if size > FRAME_MAX:
                return
            body = await reader.readexactly(size)
            await self.hold(way)
            if self.over or self.is_lost(way, body):
                return
            frame = head + body
            for start in range(0, len(frame), PIECE):
                await self.lane.carry(way, min(PIECE, len(frame) - start))
                writer.write(frame[start:start + PIECE])
                await writer.drain()

    async def hold(self, way):
        if network.delay and rng.random() < 0.01:
            network.counts["late"] += 1
            await asyncio.sleep(rng.random() * network.delay)
        while not self.lane.open.is_set() or time.time() < self.lane.until[way]:
            await self.lane.open.wait()
            await asyncio.sleep(max(0.0, self.lane.until[way] - time.time()))

    def is_lost(self, way, body):
        if way == "up":
            self.asked[body[4:8]] = int.from_bytes(body[:2], "big")
            return False
        api = self.asked.pop(body[:4], -1)
        if self.lane.lose[api] < 1:
            return False
        self.lane.lose[api] -= 1
        network.counts["answer lost: %d" % api] += 1
        return True

    async def carry(self, port):
        tasks = []
        self.lane.links.add(self)
        try:
            self.streams.append(await asyncio.open_connection("127.0.0.1", network.targets[port]))
            (down, back), (up, forth) = self.streams
            tasks = [asyncio.ensure_future(self.frames("up", down, forth)),
                     asyncio.ensure_future(self.frames("down", up, back))]
            gone = asyncio.ensure_future(self.client_gone(down))
            await asyncio.wait(tasks + [gone], return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.lane.links.discard(self)
        self.cut()

    async def client_gone(self, reader):
        """A client that has gone while a frame of it is held is seen here."""
        while not (reader.at_eof() or reader.exception() or reader._eof):
            await asyncio.sleep(0.05)


async def listen(command):
    lane, ports = network.lanes[command["lane"]], []

    async def connected(reader, writer):
        await Link(lane, (reader, writer)).carry(ports[0])

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    network.servers.append(server)
    ports.append(server.sockets[0].getsockname()[1])
    return {"port": ports[0]}


async def execute(command):
    what, lane = command["do"], network.lanes[command["lane"]] if "lane" in command else None
    if what == "listen":
        return await listen(command)
    if what == "counts":
        return dict(network.counts)
    if what == "target":
        network.targets[command["port"]] = command["to"]
    elif what == "noise":
        network.cut_every, network.delay = command["cut"], command["delay"]
    elif what == "lose":
        lane.lose[command["api"]] += command["count"]
    elif what == "rate":
        lane.rate, lane.free = command["bytes"], {"up": 0.0, "down": 0.0}
    elif what == "stall":
        network.counts["stalled " + command["way"]] += 1
        lane.until[command["way"]] = time.time() + command["seconds"]
    elif what == "split":
        network.counts["split"] += 1
        lane.open.clear()
    elif what == "cut" or (what == "heal" and not command["late"]):
        network.counts["all cut"] += 1
        for link in list(lane.links):
            link.cut()
    if what == "heal":
        lane.open.set()
    return {}


async def main():
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    noise = asyncio.ensure_future(network.noise())
    while True:
        line = await commands.readline()
        if not line:
            break
        print(json.dumps(await execute(json.loads(line))), flush=True)
    noise.cancel()


asyncio.run(main())
