/*
 * load.c - one load through SQL, measured: COPY of a file into a stream with a query behind it.
 *
 *   load flights|bids none|filter|count FILE FOLDER WORKERS
 *
 * FOLDER "-" keeps everything in memory. Prints one line: rows/s and MB/s from the start of the
 * COPY until the query has processed every row, CPU seconds of the whole process, peak memory, and
 * the rate per CPU second (what one core does).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/weir.h"

typedef struct Load {
    const char *name, *create, *filter, *count;
} Load;

static const Load loads[] = {
    {"flights",
     "CREATE STREAM s (origin STRING KEY, destination STRING, date STRING, delay INT,"
     " distance INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');",
     "CREATE STREAM q AS SELECT origin, destination, delay FROM s WHERE delay > 60;",
     "CREATE TABLE q AS SELECT destination, COUNT(*) AS n FROM s GROUP BY destination;"},
    {"bids",
     "CREATE STREAM s (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,"
     " dateTime BIGINT, extra STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');",
     "CREATE STREAM q AS SELECT auction, bidder, price, channel, dateTime FROM s"
     " WHERE price > 10000000;",
     "CREATE TABLE q AS SELECT auction, COUNT(*) AS n FROM s GROUP BY auction;"},
};

static double load_cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int load_failed(const WeirError *error) {
    fprintf(stderr, "load: %s\n", error->message);
    return 1;
}

static int load_run(const Load *load, char **argv) {
    WeirOptions options = {.workers = (uint32_t)strtoul(argv[5], NULL, 10)};
    Weir *weir;
    WeirError error;
    char copy[1024];
    WeirResult *result;
    Io *io = io_posix();
    if (weir_open(strcmp(argv[4], "-") == 0 ? NULL : argv[4], &options, &weir, &error) != WEIR_OK)
        return load_failed(&error);
    const char *query = strcmp(argv[2], "filter") == 0  ? load->filter
                        : strcmp(argv[2], "count") == 0 ? load->count
                                                        : "";
    snprintf(copy, sizeof copy, "COPY s FROM '%s' (FORMAT ndjson, ON_ERROR 'skip');", argv[3]);
    if (weir_execute(weir, load->create, NULL, &error) != WEIR_OK ||
        weir_execute(weir, query, NULL, &error) != WEIR_OK)
        return load_failed(&error);
    int64_t begin_us = io->ops->mono_us(io);
    if (weir_execute(weir, copy, &result, &error) != WEIR_OK)
        return load_failed(&error);
    int64_t copied_us = io->ops->mono_us(io);
    if (weir_catch_up(weir, 600000, &error) != WEIR_OK)
        return load_failed(&error);
    double seconds = (double)(io->ops->mono_us(io) - begin_us) / 1e6;
    double rows = strtod(weir_message(result) + strlen("COPY "), NULL), cpu = load_cpu_seconds();
    struct stat facts = {0};
    struct rusage usage;
    stat(argv[3], &facts);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-8s %-7s %9.0f rows/s %7.1f MB/s  (COPY alone %.2f s of %.2f)  CPU %.2f s  peak %ld "
           "MiB  per core %9.0f rows/s %7.1f MB/s\n",
           load->name, argv[2], rows / seconds, (double)facts.st_size / 1e6 / seconds,
           (double)(copied_us - begin_us) / 1e6, seconds, cpu, usage.ru_maxrss >> 10, rows / cpu,
           (double)facts.st_size / 1e6 / cpu);
    weir_result_free(result);
    weir_close(weir);
    return 0;
}

int main(int argc, char **argv) {
    for (size_t i = 0; argc == 6 && i < sizeof loads / sizeof loads[0]; i++)
        if (strcmp(loads[i].name, argv[1]) == 0)
            return load_run(&loads[i], argv);
    fprintf(stderr, "usage: load flights|bids none|filter|count FILE FOLDER|- WORKERS\n");
    return 2;
}
