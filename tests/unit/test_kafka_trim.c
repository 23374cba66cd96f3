/* test_kafka_trim.c - which topics lose records: those that the service's queries have made to move
 * rows, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kafka/cluster_impl.h"

static void test_only_the_queries_own(void **state) {
    (void)state;
    KafkaConfig config = {.service_id = (char *)(uintptr_t)"mine_"};
    KafkaCluster *cluster = mem_alloc(sizeof *cluster);
    cluster->config = &config;
    static const struct {
        const char *name;
        bool trimmed;
    } cases[] = {
        {"_confluent-ksql-mine_query_CTAS_T_3-Aggregate-GroupBy-repartition", true},
        {"_confluent-ksql-mine_query_CTAS_T_3-Aggregate-GroupBy-repartition-17", true},
        {"_confluent-ksql-mine_query_CTAS_T_3-Aggregate-GroupBy-repartition-", false},
        {"_confluent-ksql-mine_query_CTAS_T_3-Aggregate-GroupBy-repartition-1x", false},
        {"_confluent-ksql-mine_query_CTAS_T_3-repartition-changelog", false},
        {"_confluent-ksql-mine_query_CTAS_T_3-Aggregate-Aggregate-Materialize-changelog", false},
        {"_confluent-ksql-other_query_CTAS_T_3-Aggregate-GroupBy-repartition", false},
        {"orders-repartition", false},
        {"repartition", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(trim_is_repartition(cluster, cases[i].name), cases[i].trimmed);
    mem_free(cluster);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_the_queries_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
