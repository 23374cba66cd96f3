/*
 * reader.c - reading a real broker's topics as the runtime does: what was written comes, once, in
 * order, for several readers in several places; and how fast.
 *
 *   reader BOOTSTRAP [RECORDS]     "N passed, M failed", and a line of figures
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "kafka/reader.h"
#include "tests/kafka/check.h"

static uint32_t notified;

static void notify(void *context, TopicPartition where) {
    (void)context;
    (void)where;
    __atomic_fetch_add(&notified, 1, __ATOMIC_RELAXED);
}

/* One who reads on. */
typedef struct Place {
    const char *topic;
    TopicPartition where;
    int64_t offset;
    uint64_t records, bytes;
    int64_t last; /* number in the last record's value */
    bool in_order, sums;
} Place;

/* The batches of one block; false: something is wrong with it. */
static void place_block(Place *place, LogBlock *block) {
    Bytes rest = log_block_bytes(block);
    RecordBatchInfo info;
    RecordIter iter;
    LogRecord record;
    Err err;
    while (rest.size > 0) {
        uint32_t size = 0;
        check_ok(record_batch_size(rest, &size, &err), &err, "a batch's size");
        if (size == 0)
            return;
        if (place->sums && record_batch_check(rest, &info, &err) != ERR_OK)
            check(false, err.message);
        record_iter_init(&iter, (Bytes){rest.data, size});
        while (record_iter_next(&iter, &record)) {
            if (record.offset < place->offset)
                continue;
            int64_t number = atoll((const char *)record.value.data + 1);
            place->in_order &= number > place->last;
            place->last = number;
            place->offset = record.offset + 1;
            place->records++;
            place->bytes += record.value.size + record.key.size;
        }
        record_batch_peek(rest, &info);
        Reader head = reader_of(rest);
        int64_t base = (int64_t)reader_u64_be(&head);
        reader_bytes(&head, 15);
        int64_t end = base + reader_u32_be(&head) + 1;
        if (end > place->offset)
            place->offset = end;
        rest.data += size;
        rest.size -= size;
    }
}

/* Up to `end`, or what comes in 10 s. */
static void place_read(KafkaReader *reader, Place *place, int64_t end, uint32_t steps) {
    int64_t until_us = io_posix_mono_us() + 10 * 1000 * 1000;
    Err err;
    while (place->offset < end && steps > 0 && io_posix_mono_us() < until_us) {
        LogBlock *block;
        ErrCode code = kafka_reader_fetch(reader, place->topic, place->where, place->offset,
                                          &block, &err);
        if (code != ERR_OK) {
            check_ok(code, &err, "fetch");
            return;
        }
        if (!block) {
            (void)usleep(200);
            continue;
        }
        place_block(place, block);
        log_block_unref(block);
        steps--;
    }
}

static Place place_at(const char *topic, int64_t offset) {
    return (Place){.topic = topic, .where = {7, 0}, .offset = offset, .last = -1,
                   .in_order = true, .sums = true};
}

static void produce(const KafkaConfig *config, const char *topic, uint32_t from, uint32_t count) {
    KafkaClientOptions options = {.role = KAFKA_WRITE};
    KafkaClient *client = NULL;
    Err err;
    char value[128], key[16];
    check_ok(kafka_client_open(config, &options, &client, &err), &err, "producer");
    for (uint32_t i = from; client && i < from + count; i++) {
        int size = snprintf(value, sizeof value, "#%u,%090u", i, i * 7);
        int key_size = snprintf(key, sizeof key, "k%u", i % 1000);
        while (rd_kafka_producev(client->handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_KEY(key, (size_t)key_size),
                                 RD_KAFKA_V_VALUE(value, (size_t)size),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            (void)rd_kafka_poll(client->handle, 10);
    }
    check(rd_kafka_flush(client->handle, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR, "flush");
    kafka_client_close(client);
}

static double cpu_seconds(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The whole topic, from the start, with what it took. */
static void measure(KafkaReader *reader, const char *topic, uint32_t count) {
    Place place = place_at(topic, 0);
    place.sums = false;
    int64_t begin_us = io_posix_mono_us();
    double begin = cpu_seconds();
    place_read(reader, &place, count, UINT32_MAX);
    double seconds = (double)(io_posix_mono_us() - begin_us) / 1e6, cpu = cpu_seconds() - begin;
    check(place.records == count && place.in_order, "all of them, in order");
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("read %llu records, %.0f MB: %.2f s, %.2f s of CPU, %.0f ns each, %ld MB resident\n",
           (unsigned long long)place.records, (double)place.bytes / 1e6, seconds, cpu,
           cpu / count * 1e9, usage.ru_maxrss / 1024);
}

static void check_places(KafkaReader *reader, const KafkaConfig *config, const char *topic,
                         uint32_t count) {
    Place first = place_at(topic, 0), second = place_at(topic, 0), middle = place_at(topic, 0);
    ClusterOffsets offsets;
    LogBlock *block;
    Err err;
    check_ok(kafka_reader_offsets(reader, topic, first.where, true, &offsets, &err), &err,
             "offsets");
    check(offsets.start == 0 && offsets.end == count, "where it begins and ends");
    place_read(reader, &first, 5000, UINT32_MAX);
    middle.offset = count / 2;
    middle.last = count / 2 - 1;
    place_read(reader, &middle, count / 2 + 1000, UINT32_MAX);
    place_read(reader, &second, count, 3);
    place_read(reader, &first, count, UINT32_MAX);
    place_read(reader, &middle, count, UINT32_MAX);
    place_read(reader, &second, count, UINT32_MAX);
    check(first.records == count && first.in_order, "the first has all");
    check(second.records == count && second.in_order, "the second has all");
    check(middle.records == count - count / 2 && middle.in_order, "one in the middle: the rest");
    check_ok(kafka_reader_fetch(reader, topic, first.where, first.offset, &block, &err), &err,
             "at the end");
    check(!block, "nothing more");
    uint32_t before = __atomic_load_n(&notified, __ATOMIC_RELAXED);
    produce(config, topic, count, 10);
    place_read(reader, &first, count + 10, UINT32_MAX);
    check(__atomic_load_n(&notified, __ATOMIC_RELAXED) > before, "who waits is told");
    check(first.records == count + 10, "what came later");
    place_read(reader, &second, count + 10, UINT32_MAX);
    check(second.records == count + 10 && second.in_order, "for both");
}

static void check_wrong(KafkaReader *reader, const char *topic, uint32_t count) {
    Place far = place_at(topic, 0);
    LogBlock *block = NULL;
    ErrCode code = ERR_OK;
    Err err;
    for (int i = 0; i < 100 && code == ERR_OK; i++) {
        code = kafka_reader_fetch(reader, topic, far.where, count * 10LL, &block, &err);
        (void)usleep(20 * 1000);
    }
    check(code == ERR_TOPIC_DELETED, "far beyond the end");
    code = ERR_OK;
    for (int i = 0; i < 500 && code == ERR_OK; i++) {
        code = kafka_reader_fetch(reader, "there-is-none", (TopicPartition){9, 0}, 0, &block, &err);
        (void)usleep(20 * 1000);
    }
    check(code == ERR_TOPIC_MISSING, "no such topic");
}

static void check_all(const KafkaConfig *config, uint32_t count) {
    Err err;
    char name[64];
    KafkaTrouble trouble;
    KafkaAdmin *admin;
    KafkaReader *reader;
    kafka_trouble_init(&trouble);
    (void)snprintf(name, sizeof name, "reader-%d", (int)getpid());
    check_ok(kafka_admin_open(config, &trouble, 10000, &admin, &err), &err, "admin");
    KafkaNewTopic topic = {.name = name, .partitions = 1};
    check_ok(kafka_admin_create(admin, &topic, 1, &err), &err, "create");
    produce(config, name, 0, count);
    KafkaReaderOptions options = {.admin = admin, .trouble = &trouble, .notify = notify};
    check_ok(kafka_reader_open(config, &options, &reader, &err), &err, "reader");
    measure(reader, name, count);
    check_places(reader, config, name, count);
    check_wrong(reader, name, count);
    kafka_reader_tick(reader);
    kafka_reader_close(reader);
    const char *gone = name;
    check_ok(kafka_admin_delete(admin, &gone, 1, &err), &err, "delete");
    kafka_admin_close(admin);
    kafka_trouble_close(&trouble);
}

int main(int argc, char **argv) {
    Err err;
    KafkaConfig *config;
    KafkaConfigSource source = {.bootstrap = argc > 1 ? argv[1] : "127.0.0.1:9092"};
    if (kafka_config_load(&source, &config, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    check_all(config, argc > 2 ? (uint32_t)atol(argv[2]) : 100000);
    kafka_config_free(config);
    printf("kafka: %u passed, %u failed\n", passed, failed);
    return failed > 0;
}
