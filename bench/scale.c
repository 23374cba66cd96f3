/*
 * scale.c - many queries on one topic, and one query on many partitions, measured.
 *
 *   scale FILE filter|count QUERIES PARTITIONS WORKERS live|loaded
 *
 * live: the bids of FILE (nexgen's) are loaded while the queries run; loaded: before that. The time
 * is taken until every query has processed every row. filter: each query keeps twenty of the 20,000
 * bidders; count: rows per auction. Prints one line: rows per second of each query, and the CPU
 * seconds of the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "engine/weir.h"

static double scale_cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int scale_failed(const WeirError *error) {
    fprintf(stderr, "scale: %s\n", error->message);
    return 1;
}

static WeirStatus scale_create(Weir *weir, char **argv, WeirError *error) {
    char sql[1024];
    unsigned long queries = strtoul(argv[3], NULL, 10);
    snprintf(sql, sizeof sql,
             "CREATE STREAM s (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING,"
             " url STRING, dateTime BIGINT, extra STRING)"
             " WITH (KAFKA_TOPIC='s', PARTITIONS=%s, VALUE_FORMAT='JSON');", argv[4]);
    WeirStatus status = weir_execute(weir, sql, NULL, error);
    for (unsigned long i = 0; status == WEIR_OK && i < queries; i++) {
        if (strcmp(argv[2], "filter") == 0)
            snprintf(sql, sizeof sql,
                     "CREATE STREAM q%lu AS SELECT auction, price FROM s"
                     " WHERE bidder BETWEEN %lu AND %lu;", i, 1000 + 20 * i, 1019 + 20 * i);
        else
            snprintf(sql, sizeof sql,
                     "CREATE TABLE q%lu AS SELECT auction, COUNT(*) AS n FROM s GROUP BY auction;",
                     i);
        status = weir_execute(weir, sql, NULL, error);
    }
    return status == WEIR_OK ? WEIR_OK : status;
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: scale FILE filter|count QUERIES PARTITIONS WORKERS live|loaded\n");
        return 2;
    }
    WeirOptions options = {.workers = (uint32_t)strtoul(argv[5], NULL, 10)};
    Weir *weir;
    WeirError error;
    WeirResult *result;
    char copy[1024];
    Io *io = io_posix();
    snprintf(copy, sizeof copy, "COPY s FROM '%s' (FORMAT ndjson);", argv[1]);
    if (weir_open(NULL, &options, &weir, &error) != WEIR_OK ||
        scale_create(weir, argv, &error) != WEIR_OK)
        return scale_failed(&error);
    bool loaded = strcmp(argv[6], "loaded") == 0;
    if (loaded && (weir_execute(weir, "PAUSE ALL;", NULL, &error) != WEIR_OK ||
                   weir_execute(weir, copy, &result, &error) != WEIR_OK))
        return scale_failed(&error);
    double cpu = scale_cpu_seconds();
    int64_t begin_us = io->ops->mono_us(io);
    WeirStatus status = loaded ? weir_execute(weir, "RESUME ALL;", NULL, &error)
                               : weir_execute(weir, copy, &result, &error);
    if (status != WEIR_OK || weir_catch_up(weir, 600000, &error) != WEIR_OK)
        return scale_failed(&error);
    double rows = strtod(weir_message(result) + strlen("COPY "), NULL);
    double seconds = (double)(io->ops->mono_us(io) - begin_us) / 1e6;
    printf("%s queries %s partitions %s workers %s rows/s %.0f cpu %.4f\n", argv[2],
           argv[3], argv[4], argv[5], rows / seconds, scale_cpu_seconds() - cpu);
    weir_result_free(result);
    weir_close(weir);
    return 0;
}
