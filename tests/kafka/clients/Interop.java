/* Interop.java - Java's client as one of the programs that tests/kafka/interop.py calls (it has their
 * protocol). Runs as source: java -cp JARS Interop.java ... */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

public class Interop {
    static byte[] bytes(String text) {
        return text.equals("-") ? null : Base64.getDecoder().decode(text.substring(1));
    }

    static String text(byte[] bytes) {
        return bytes == null ? "-" : "=" + Base64.getEncoder().encodeToString(bytes);
    }

    static List<Header> headers(String text) {
        List<Header> found = new ArrayList<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",")) {
            int colon = part.indexOf(':');
            found.add(new RecordHeader(
                new String(bytes(part.substring(0, colon)), StandardCharsets.UTF_8),
                bytes(part.substring(colon + 1))));
        }
        return found;
    }

    static void produce(String bootstrap, String topic, String codec) throws Exception {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("compression.type", codec);
        config.put("linger.ms", "20");
        config.put("batch.size", "100000");
        config.put("transactional.id", "interop-" + topic);
        config.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        config.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        boolean transactional = false;
        List<String> lines = new ArrayList<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            lines.add(line);
            transactional |= line.equals("B");
        }
        if (!transactional)
            config.remove("transactional.id");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config)) {
            if (transactional)
                producer.initTransactions();
            for (String line : lines) {
                if (line.equals("B")) {
                    producer.beginTransaction();
                } else if (line.equals("C")) {
                    producer.commitTransaction();
                } else if (line.equals("A")) {
                    producer.flush();
                    producer.abortTransaction();
                } else {
                    String[] part = line.split("\t", -1);
                    int partition = Integer.parseInt(part[0]);
                    producer.send(new ProducerRecord<>(topic, partition < 0 ? null : partition,
                        Long.parseLong(part[1]), bytes(part[2]), bytes(part[3]), headers(part[4])),
                        (metadata, error) -> {
                            if (error != null)
                                System.err.println(error);
                        });
                }
            }
            producer.flush();
        }
    }

    static String line(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder headers = new StringBuilder();
        for (Header header : record.headers())
            headers.append(headers.length() > 0 ? "," : "")
                .append(text(header.key().getBytes(StandardCharsets.UTF_8))).append(':')
                .append(text(header.value()));
        return record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t" +
            text(record.key()) + "\t" + text(record.value()) + "\t" + headers;
    }

    static void consume(String bootstrap, String topic, int count) {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("isolation.level", "read_committed");
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.put("key.deserializer",
            "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        config.put("value.deserializer",
            "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config)) {
            List<TopicPartition> all = new ArrayList<>();
            for (PartitionInfo info : consumer.partitionsFor(topic))
                all.add(new TopicPartition(topic, info.partition()));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long end = System.currentTimeMillis() + 40000;
            for (int got = 0; got < count && System.currentTimeMillis() < end;)
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    System.out.println(line(record));
                    got++;
                }
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("produce"))
            produce(args[1], args[2], args[3]);
        else
            consume(args[1], args[2], Integer.parseInt(args[3]));
    }
}
