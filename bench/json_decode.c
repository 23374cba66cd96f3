/*
 * json_decode.c - how fast the JSON decoder and encoder are, on one core.
 *
 *   json_decode flights|bids|bids-count FILE.ndjson [ROUNDS]
 *
 * Reads the file whole, then decodes it in batches of 1,024 lines, as a scan does, ROUNDS times,
 * and prints the best round. `bids` converts five of the seven columns, `bids-count` none: what
 * checking alone costs. bench/json.sh prints simdjson's rates on the same bytes beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/mem.h"
#include "data/serde.h"

enum { BENCH_COLUMNS_MAX = 8, BENCH_BATCH = 1024 };

typedef struct BenchSchema {
    const char *name;
    uint32_t column_count;
    SchemaColumn columns[BENCH_COLUMNS_MAX];
    bool used[BENCH_COLUMNS_MAX];
} BenchSchema;

#define BENCH_COLUMN(name, kind) {name, &type_##kind, COLUMN_VALUE, NULL}
#define BENCH_BID                                                                              \
    {                                                                                          \
        BENCH_COLUMN("AUCTION", bigint), BENCH_COLUMN("BIDDER", bigint),                       \
        BENCH_COLUMN("PRICE", bigint), BENCH_COLUMN("CHANNEL", string),                        \
        BENCH_COLUMN("URL", string), BENCH_COLUMN("DATETIME", bigint),                         \
        BENCH_COLUMN("EXTRA", string),                                                         \
    }

static const BenchSchema bench_schemas[] = {
    {"flights", 5,
     {BENCH_COLUMN("DATE", string), BENCH_COLUMN("DELAY", int), BENCH_COLUMN("DISTANCE", int),
      BENCH_COLUMN("ORIGIN", string), BENCH_COLUMN("DESTINATION", string)},
     {true, true, true, true, true}},
    {"bids", 7, BENCH_BID, {true, true, true, true, false, true, false}},
    {"bids-count", 7, BENCH_BID, {false}},
};

typedef struct Bench {
    const BenchSchema *schema;
    SerdeSpec spec;
    Bytes *records;
    size_t count;
    uint64_t bytes;
    Arena *arena; /* of the decoder and the encoder */
    Arena *batch_arena;
    Buf out;
    uint64_t bad;
    uint64_t encoded_bytes;
} Bench;

static void bench_error(void *context, uint32_t record, const char *text) {
    Bench *bench = context;
    if (bench->bad++ == 0)
        fprintf(stderr, "json_decode: record %u of its batch: %s\n", record, text);
}

/* CPU time, so that what else runs on the machine counts little. */
static int64_t bench_cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* Decodes all records, encodes them again if asked; returns the microseconds it took. */
static int64_t bench_round(Bench *bench, Decoder *decoder, Encoder *encoder) {
    int64_t start = bench_cpu_us();
    for (size_t at = 0; at < bench->count; at += BENCH_BATCH) {
        size_t left = bench->count - at;
        uint32_t count = left < BENCH_BATCH ? (uint32_t)left : BENCH_BATCH;
        DecodeInput input = {bench->records + at, count, bench->batch_arena, bench_error, bench};
        Column *columns[BENCH_COLUMNS_MAX];
        uint8_t status[BENCH_BATCH];
        bench->spec.format->decode(decoder, &input, columns, status);
        bool is_null;
        const char *reason;
        buf_reset(&bench->out);
        for (uint32_t row = 0; encoder && row < count; row++)
            if (!bench->spec.format->encode(encoder, (const Column *const *)columns, row,
                                            &bench->out, &is_null, &reason))
                bench->bad++;
        bench->encoded_bytes += bench->out.size;
        arena_reset(bench->batch_arena);
    }
    return bench_cpu_us() - start;
}

static int64_t bench_best(Bench *bench, Decoder *decoder, Encoder *encoder, int rounds) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < rounds; i++) {
        bench->encoded_bytes = 0;
        int64_t us = bench_round(bench, decoder, encoder);
        best = us < best ? us : best;
    }
    return best > 0 ? best : 1;
}

static void bench_print(const char *what, const Bench *bench, uint64_t bytes, int64_t us) {
    printf("weir %-10s %-7s %8.1f MB/s %8.3f M rows/s %7.1f ns a row\n", bench->schema->name, what,
           (double)bytes / (double)us, (double)bench->count / (double)us,
           (double)us * 1000.0 / (double)bench->count);
}

static void bench_split(Bench *bench, uint8_t *data, uint64_t size) {
    const uint8_t *end = data + size;
    size_t capacity = 0;
    for (uint8_t *at = data; at < end;) {
        uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            break;
        bench->records = mem_grow(bench->records, &capacity, bench->count + 1, sizeof(Bytes));
        bench->records[bench->count++] = (Bytes){at, (uint32_t)(line_end - at)};
        at = line_end + 1;
    }
    bench->bytes = size;
}

static ErrCode bench_read(const char *path, uint8_t **data, uint64_t *size, Err *err) {
    Io *io = io_posix();
    IoFile *file = NULL;
    ErrCode code;
    uint64_t at = 0;
    TRY(io->ops->open(io, path, IO_READ, &file, err));
    TRY_DONE(file->ops->size(file, size, err));
    *data = mem_alloc(*size);
    while (at < *size) {
        uint64_t left = *size - at;
        uint32_t got;
        TRY_DONE(file->ops->read(file, at, *data + at,
                                 left < (1U << 30) ? (uint32_t)left : 1U << 30, &got, err));
        if (got == 0)
            break;
        at += got;
    }
    *size = at;
done:
    file->ops->close(file);
    return code;
}

static void bench_run(Bench *bench, int rounds) {
    const Format *format = bench->spec.format;
    bool used[BENCH_COLUMNS_MAX];
    memset(used, true, sizeof used);
    Decoder *decoder = format->decoder_new(&bench->spec, bench->schema->used, bench->arena);
    int64_t decode_us = bench_best(bench, decoder, NULL, rounds);
    bench_print("decode", bench, bench->bytes, decode_us);
    decoder = format->decoder_new(&bench->spec, used, bench->arena);
    Encoder *encoder = format->encoder_new(&bench->spec, bench->arena);
    int64_t all_us = bench_best(bench, decoder, NULL, rounds);
    int64_t both_us = bench_best(bench, decoder, encoder, rounds);
    bench_print("all", bench, bench->bytes, all_us);
    bench_print("encode", bench, bench->encoded_bytes, both_us > all_us ? both_us - all_us : 1);
}

int main(int argc, char **argv) {
    Bench bench = {0};
    for (size_t i = 0; argc > 2 && i < sizeof bench_schemas / sizeof *bench_schemas; i++)
        if (strcmp(argv[1], bench_schemas[i].name) == 0)
            bench.schema = &bench_schemas[i];
    if (!bench.schema) {
        fprintf(stderr, "usage: json_decode flights|bids|bids-count FILE.ndjson [ROUNDS]\n");
        return 2;
    }
    uint8_t *data = NULL;
    uint64_t size = 0;
    Err err;
    if (bench_read(argv[2], &data, &size, &err) != ERR_OK) {
        fprintf(stderr, "json_decode: %s\n", err.message);
        return 1;
    }
    bench.spec = (SerdeSpec){.format = &format_json, .columns = bench.schema->columns,
                             .column_count = bench.schema->column_count};
    bench.arena = arena_new("bench", 0);
    bench.batch_arena = arena_new("batch", 0);
    bench_split(&bench, data, size);
    if (bench.count > 0)
        bench_run(&bench, argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5);
    buf_free(&bench.out);
    arena_free(bench.batch_arena);
    arena_free(bench.arena);
    mem_free(bench.records);
    mem_free(data);
    return bench.bad > 0;
}
