"""eos_input.py - the records that kafka_eos.py sends."""
import random
import threading
import time

from confluent_kafka import Producer

from eos_world import CUSTOMERS, N, SEED, factor_of


class Feeder(threading.Thread):
    """Produces orders up to `allowed`, no faster than `rate` a second; survives the broker."""

    def __init__(self, bootstrap, rate):
        super().__init__(daemon=True)
        self.bootstrap, self.rate, self.allowed, self.sent, self.acked = bootstrap, rate, 0, 0, 0
        self.again, self.over, self.error = [], False, None
        self.random = random.Random(SEED * 1000003)
        self.orders = [(self.random.randrange(CUSTOMERS), self.random.randrange(100))
                       for _ in range(N)]

    def delivered(self, number):
        def report(error, _message):
            if error is None:
                self.acked += 1
            else:
                self.again.append(number)
        return report

    def send(self, producer, number):
        customer, amount = self.orders[number]
        value = '{"ID":%d,"CUST":"c%d","AMOUNT":%d}' % (number, customer, amount)
        while True:
            try:
                producer.produce("orders", value.encode(), b"k%d" % (number % 1000),
                                 on_delivery=self.delivered(number))
                return
            except BufferError:
                producer.poll(0.1)

    def run(self):
        try:
            self.feed()
        except Exception as error:  # shown by the main thread
            self.error = error

    def feed(self):
        options = {"bootstrap.servers": self.bootstrap, "acks": "all", "linger.ms": 5, "log_level": 0,
                   "enable.idempotence": True, "message.timeout.ms": 0}
        producer = Producer(options)
        due = time.time()
        while not self.over:
            producer.poll(0)
            if self.again:  # what a broker that died has left open: the input may have it twice
                numbers, self.again = self.again, []
                producer = Producer(options)
                for number in numbers:
                    self.send(producer, number)
            if self.sent >= self.allowed:
                producer.poll(0.01)
                due = time.time()
                continue
            for number in range(self.sent, min(self.sent + 100, self.allowed)):
                self.send(producer, number)
                self.sent = number + 1
            due += 100 / self.rate
            time.sleep(max(0, due - time.time()))
        producer.flush(30)


def load(bootstrap):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all",
                         "partitioner": "murmur2_random"})  # as Java's: the join needs it
    old = int(time.time() * 1000) - 86400000
    for customer in range(CUSTOMERS):
        producer.produce("customers", b'{"FACTOR":%d}' % factor_of(customer), b"c%d" % customer,
                         timestamp=old)
    producer.flush(30)
