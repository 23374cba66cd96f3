/*
 * nexmark.c - one query over a topic that is there already, measured.
 *
 *   nexmark load  FOLDER 'CREATE STREAM bid ...; COPY bid FROM ...;'
 *   nexmark null  FOLDER 'SELECT ... FROM bid EMIT CHANGES;' TIMES
 *   nexmark json  FOLDER 'CREATE STREAM q AS SELECT ... EMIT CHANGES;'
 *   nexmark rows  FOLDER 'SELECT * FROM q EMIT CHANGES;' COUNT
 *
 * null: from the records in the topic to the columns of the result, which are then dropped. json:
 * to the records of another topic, durable. Both print rows, CPU seconds of the whole process and
 * wall seconds, from the statement's text until the query has seen the last record; one worker.
 * Exit 3: the query is refused, and why. rows prints COUNT rows as NDJSON, for checking.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "engine/weir.h"

enum { NEXMARK_WAIT_MS = 600000, NEXMARK_REFUSED = 3 };

typedef struct Clocks {
    double cpu, wall;
} Clocks;

static Clocks clocks_now(void) {
    struct rusage usage;
    Io *io = io_posix();
    getrusage(RUSAGE_SELF, &usage);
    return (Clocks){(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
                    (double)io->ops->mono_us(io) / 1e6};
}

static int nexmark_failed(const WeirError *error) {
    fprintf(stderr, "%s\n", error->message);
    return NEXMARK_REFUSED;
}

static int nexmark_null_once(Weir *weir, const char *sql) {
    WeirError error;
    WeirResult *result;
    uint64_t rows;
    Clocks begin = clocks_now();
    if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
        return nexmark_failed(&error);
    if (weir_discard(result, NEXMARK_WAIT_MS, &rows, &error) != WEIR_OK)
        return nexmark_failed(&error);
    Clocks end = clocks_now();
    printf("%llu %.6f %.6f\n", (unsigned long long)rows, end.cpu - begin.cpu,
           end.wall - begin.wall);
    weir_result_free(result);
    return 0;
}

static int nexmark_null(Weir *weir, const char *sql, long times) {
    int code = 0;
    for (long i = 0; i < times && code == 0; i++)
        code = nexmark_null_once(weir, sql);
    return code;
}

static int nexmark_json(Weir *weir, const char *sql) {
    WeirError error;
    Clocks begin = clocks_now();
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK ||
        weir_catch_up(weir, NEXMARK_WAIT_MS, &error) != WEIR_OK)
        return nexmark_failed(&error);
    Clocks end = clocks_now();
    printf("- %.6f %.6f\n", end.cpu - begin.cpu, end.wall - begin.wall);
    return 0;
}

static int nexmark_load(Weir *weir, const char *sql) {
    WeirError error;
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK)
        return nexmark_failed(&error);
    return 0;
}

static int nexmark_rows(Weir *weir, const char *sql, long count) {
    WeirError error;
    WeirResult *result;
    if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
        return nexmark_failed(&error);
    WeirStatus status = WEIR_ROW;
    while (count-- > 0 && (status = weir_next(result, 2000, &error)) == WEIR_ROW)
        puts(weir_json_row(result));
    weir_result_free(result);
    return status == WEIR_FAILED ? nexmark_failed(&error) : 0;
}

int main(int argc, char **argv) {
    long count = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
    if (argc < 4) {
        fprintf(stderr, "usage: nexmark load|null|json|rows FOLDER SQL [TIMES|COUNT]\n");
        return 2;
    }
    WeirOptions options = {.workers = 1};
    Weir *weir;
    WeirError error;
    if (weir_open(argv[2], &options, &weir, &error) != WEIR_OK)
        return nexmark_failed(&error);
    int code = 2;
    if (strcmp(argv[1], "load") == 0)
        code = nexmark_load(weir, argv[3]);
    else if (strcmp(argv[1], "null") == 0)
        code = nexmark_null(weir, argv[3], count);
    else if (strcmp(argv[1], "json") == 0)
        code = nexmark_json(weir, argv[3]);
    else if (strcmp(argv[1], "rows") == 0)
        code = nexmark_rows(weir, argv[3], count);
    weir_close(weir);
    return code;
}
