"""eos_net.py - the bad network between engine and brokers: tests/tools/kafka_proxy.py.

There are two lanes, so that an engine can be cut off while another one goes on.
"""
import json
import os
import subprocess
import sys

from eos_world import BROKERS, SEED, Failed, broker_folders

LANES = ["A", "B"]
PROXY = os.path.join("tests", "tools", "kafka_proxy.py")
# Requests whose answers are lost: what is not known then is what transactions are about.
APIS = {0: "produce", 1: "fetch", 3: "metadata", 22: "init", 24: "add partitions", 26: "end"}


class Net:
    def __init__(self):
        self.proxy = subprocess.Popen([sys.executable, PROXY, str(SEED)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.ports = {lane: [self.do("listen", lane=lane)["port"] for _ in range(BROKERS)]
                      for lane in LANES}
        self.lane = "A"

    def do(self, what, **rest):
        print(json.dumps(dict(rest, do=what)), file=self.proxy.stdin, flush=True)
        line = self.proxy.stdout.readline()
        if not line:
            raise Failed("the proxy has ended")
        return json.loads(line)

    def arguments(self):
        """Of `broker start`."""
        return ["lane=" + ",".join(map(str, self.ports[lane])) for lane in LANES]

    def connect(self):
        """To the brokers, which have started."""
        for i, folder in enumerate(broker_folders()):
            with open(os.path.join(folder, "port")) as file:
                port = int(file.read())
            for number, lane in enumerate(LANES):
                self.do("target", port=self.ports[lane][i], to=port + 6 + number)

    def bootstrap(self):
        return ",".join("127.0.0.1:%d" % port for port in self.ports[self.lane])

    def change(self):
        """Who starts from now on takes the other lane. Returns the one before."""
        before, self.lane = self.lane, LANES[1 - LANES.index(self.lane)]
        return before

    def end(self):
        self.proxy.stdin.close()
        self.proxy.wait()
