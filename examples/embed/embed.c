/* embed.c - Weir inside a C program: a stream, a table over it, a lookup and a push query.
 *
 *   cc embed.c -lweir ... && ./embed          (make check builds and runs it)
 */
#include <stdio.h>

#include "engine/weir.h"

static int fail(const WeirError *error) {
    fprintf(stderr, "%s at line %u: %s\n", error->code, error->line, error->message);
    return 1;
}

/* Prints every row of one statement. */
static int show(Weir *weir, const char *sql) {
    WeirError error;
    WeirResult *result;
    WeirStatus status = weir_execute(weir, sql, &result, &error);
    if (status != WEIR_OK)
        return fail(&error);
    printf("%s\n", sql);
    while ((status = weir_next(result, 5000, &error)) == WEIR_ROW) {
        for (uint32_t i = 0; i < weir_column_count(result); i++) {
            const char *text = weir_text(result, i);
            printf("  %s=%s", weir_column_name(result, i), text ? text : "NULL");
        }
        printf("\n");
    }
    weir_result_free(result);
    return status == WEIR_END ? 0 : status == WEIR_FAILED ? fail(&error) : 1;
}

int main(int argc, char **argv) {
    Weir *weir;
    WeirError error;
    if (weir_open(argc > 1 ? argv[1] : NULL, NULL, &weir, &error) != WEIR_OK)
        return fail(&error);
    WeirStatus status =
        weir_execute(weir,
                     "CREATE STREAM scores (player STRING KEY, points INT)"
                     "  WITH (KAFKA_TOPIC='scores', PARTITIONS=2, VALUE_FORMAT='JSON');"
                     "CREATE TABLE totals AS"
                     "  SELECT player, SUM(points) AS total, COUNT(*) AS games FROM scores"
                     "  GROUP BY player;",
                     NULL, &error);
    if (status == WEIR_OK)
        status = weir_insert(weir, "SCORES",
                             "{\"player\":\"ann\",\"points\":3}\n"
                             "{\"player\":\"bob\",\"points\":5}\n"
                             "{\"player\":\"ann\",\"points\":4}\n",
                             &error);
    int failed = status != WEIR_OK ? fail(&error) : 0;
    failed = failed || show(weir, "SELECT * FROM totals WHERE player = 'ann';");
    failed = failed || show(weir, "SELECT player, points FROM scores EMIT CHANGES LIMIT 3;");
    weir_close(weir);
    return failed;
}
