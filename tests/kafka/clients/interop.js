/* interop.js - kafkajs as one of the programs that tests/kafka/interop.py calls. It has gzip only. */
'use strict';
const { Kafka, CompressionTypes, Partitioners, logLevel } = require('kafkajs');

const decode = (text) => (text === '-' ? null : Buffer.from(text.slice(1), 'base64'));
const encode = (data) => (data === null || data === undefined ? '-'
    : '=' + Buffer.from(data).toString('base64'));

/* Headers are an object: a name that is there twice has an array. */
function headersOf(text) {
    const headers = {};
    for (const part of text.split(',').filter((piece) => piece)) {
        const [name, value] = part.split(':').map(decode);
        const before = headers[name];
        headers[name] = before === undefined ? value : [].concat(before, value);
    }
    return headers;
}

async function produce(kafka, topic, codec) {
    const lines = require('fs').readFileSync(0, 'utf8').split('\n');
    const transactional = lines.includes('B');
    const producer = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner, maxInFlightRequests: 1,
        ...(transactional ? { transactionalId: 'interop-' + topic, idempotent: true } : {}) });
    await producer.connect();
    let messages = [], sender = producer;
    const flush = async () => {
        if (messages.length > 0)
            await sender.send({ topic, messages, acks: -1,
                compression: codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None });
        messages = [];
    };
    for (const line of lines) {
        if (line === 'B') {
            await flush();
            sender = await producer.transaction();
        } else if (line === 'C' || line === 'A') {
            await flush();
            await (line === 'C' ? sender.commit() : sender.abort());
            sender = producer;
        } else if (line) {
            const [partition, timestamp, key, value, headers] = line.split('\t');
            messages.push({ timestamp, key: decode(key), value: decode(value),
                headers: headersOf(headers),
                ...(partition === '-1' ? {} : { partition: Number(partition) }) });
            if (messages.length >= 20 || value.length > 100000)
                await flush();
        }
    }
    await flush();
    await producer.disconnect();
}

async function consume(kafka, topic, count) {
    const consumer = kafka.consumer({ groupId: 'interop-js-' + topic, readUncommitted: false });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    let left = count;
    await new Promise((done) => {
        setTimeout(done, 40000).unref();
        consumer.run({ eachMessage: async ({ partition, message }) => {
            const headers = Object.entries(message.headers || {}).flatMap(([name, values]) =>
                [].concat(values).map((value) => encode(name) + ':' + encode(value)));
            console.log([partition, message.offset, message.timestamp, encode(message.key),
                encode(message.value), headers.join(',')].join('\t'));
            if (--left === 0)
                done();
        } });
    });
    await consumer.disconnect();
}

const [what, bootstrap, topic, last] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
(what === 'produce' ? produce(kafka, topic, last) : consume(kafka, topic, Number(last)))
    .catch((error) => { console.error(error); process.exit(1); });
