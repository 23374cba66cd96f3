"""interop_python.py - kafka-python as one of the programs that tests/kafka/interop.py calls."""
import base64
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def decode(text):
    return None if text == '-' else base64.b64decode(text[1:])


def encode(data):
    return '-' if data is None else '=' + base64.b64encode(data).decode()


def headers_of(text):
    pairs = [part.split(':') for part in text.split(',') if part]
    return [(decode(name).decode(), decode(value)) for name, value in pairs]


def produce(bootstrap, topic, codec):
    lines = sys.stdin.read().split('\n')
    more = {'transactional_id': 'interop-' + topic} if 'B' in lines else {}
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=100000,
                             compression_type=None if codec == 'none' else codec, **more)
    if more:
        producer.init_transactions()
    for line in lines:
        if line == 'B':
            producer.begin_transaction()
        elif line == 'C':
            producer.commit_transaction()
        elif line == 'A':
            producer.flush()
            producer.abort_transaction()
        elif line:
            partition, timestamp, key, value, headers = line.split('\t')
            producer.send(topic, key=decode(key), value=decode(value), headers=headers_of(headers),
                          partition=None if partition == '-1' else int(partition),
                          timestamp_ms=int(timestamp)).add_errback(print, file=sys.stderr)
    producer.flush()
    producer.close()


def consume(bootstrap, topic, count):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level='read_committed',
                             enable_auto_commit=False, auto_offset_reset='earliest')
    consumer.assign([TopicPartition(topic, number)
                     for number in consumer.partitions_for_topic(topic)])
    end = time.time() + 40
    while count > 0 and time.time() < end:
        for records in consumer.poll(200).values():
            for record in records:
                headers = ','.join(encode(name.encode()) + ':' + encode(value)
                                   for name, value in record.headers)
                print(record.partition, record.offset, record.timestamp, encode(record.key),
                      encode(record.value), headers, sep='\t')
                count -= 1
    consumer.close()


if sys.argv[1] == 'produce':
    produce(*sys.argv[2:])
else:
    consume(sys.argv[2], sys.argv[3], int(sys.argv[4]))
