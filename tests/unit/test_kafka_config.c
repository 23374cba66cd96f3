/*
 * test_kafka_config.c - configuration files and the environment: what is understood, what is
 * refused and how, and that no error has a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kafka/client.h"

static char path[64];
static const char *const nothing[] = {NULL};

static ErrCode load(const char *text, const char *const *environment, KafkaConfig **config,
                    Err *err) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    KafkaConfigSource source = {.file = path, .environment = environment};
    return kafka_config_load(&source, config, err);
}

static void refused(const char *text, const char *why) {
    KafkaConfig *config;
    Err err;
    assert_int_equal(load(text, nothing, &config, &err), ERR_SEMANTIC);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
    assert_null(strstr(err.message, "hunter2"));
}

static void test_defaults(void **state) {
    (void)state;
    KafkaConfig *config;
    Err err;
    KafkaConfigSource source = {.bootstrap = "a:1,[::1]:2", .environment = nothing};
    assert_int_equal(kafka_config_load(&source, &config, &err), ERR_OK);
    assert_string_equal(config->bootstrap, "a:1,[::1]:2");
    assert_string_equal(config->service_id, "default_");
    assert_int_equal(config->slots, 16);
    assert_int_equal(config->replicas, -1);
    assert_false(config->at_least_once);
    assert_int_equal(config->commit_interval_ms, 50);
    assert_int_equal(config->purge_interval_ms, 30000);
    kafka_config_free(config);
}

static void test_file(void **state) {
    (void)state;
    KafkaConfig *config;
    Err err;
    assert_int_equal(load("# a service\n"
                          "! so\r\n"
                          "bootstrap.servers=one:9092\n\n"
                          "  ksql.service.id : orders_\n"
                          "processing.guarantee at_least_once is wrong\n",
                          nothing, &config, &err),
                     ERR_SEMANTIC);
    assert_int_equal(load("bootstrap.servers=one:9092,\\\n"
                          "    two:9092\n"
                          "ksql.service.id: orders_  \n"
                          "processing.guarantee = at_least_once\n"
                          "ksql.internal.topic.replicas=3\n"
                          "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
                          "sasl.jaas.config=org.apache.kafka.common.security.plain."
                          "PlainLoginModule required username=\"me\" password=\"h=#!\";\n"
                          "broker.east.bootstrap.servers=east:1\n"
                          "broker.EAST.client.id=w\\u\n",
                          nothing, &config, &err),
                     ERR_OK);
    assert_string_equal(config->bootstrap, "one:9092,two:9092");
    assert_string_equal(config->service_id, "orders_");
    assert_true(config->at_least_once);
    assert_int_equal(config->replicas, 3);
    assert_string_equal(kafka_config_property(config, "sasl.username"), "me");
    assert_string_equal(kafka_config_property(config, "sasl.password"), "h=#!");
    assert_null(kafka_config_cluster(config, "west"));
    const KafkaConfig *east = kafka_config_cluster(config, "East");
    assert_non_null(east);
    assert_string_equal(east->name, "EAST");
    assert_string_equal(east->bootstrap, "east:1");
    kafka_config_free(config);
}

static void test_environment(void **state) {
    (void)state;
    KafkaConfig *config;
    Err err;
    static const char *const environment[] = {
        "HOME=/", "WEIR_KAFKA_BOOTSTRAP_SERVERS=e:1", "WEIR_KAFKA_KSQL_SERVICE_ID=env_",
        "WEIR_KAFKA_BROKER_EAST_SASL_PASSWORD=p", "WEIR_KAFKA_DIR=/elsewhere", NULL};
    assert_int_equal(load("bootstrap.servers=f:1\nbroker.east.bootstrap.servers=x:1\n",
                          environment, &config, &err),
                     ERR_OK);
    assert_string_equal(config->bootstrap, "e:1");
    assert_string_equal(config->service_id, "env_");
    assert_string_equal(kafka_config_property(kafka_config_cluster(config, "east"),
                                              "sasl.password"),
                        "p");
    kafka_config_free(config);
    KafkaConfigSource source = {.bootstrap = "line:1", .environment = environment};
    assert_int_equal(kafka_config_load(&source, &config, &err), ERR_OK);
    assert_string_equal(config->bootstrap, "line:1");
    kafka_config_free(config);
}

static void test_only_named(void **state) {
    (void)state;
    KafkaConfig *config;
    Err err;
    assert_int_equal(load("broker.east.bootstrap.servers=x:1\n", nothing, &config, &err),
                     ERR_SEMANTIC);
    KafkaConfigSource source = {.file = path, .environment = nothing, .named_only = true};
    assert_int_equal(kafka_config_load(&source, &config, &err), ERR_OK);
    assert_null(config->bootstrap);
    assert_non_null(kafka_config_cluster(config, "EAST"));
    kafka_config_free(config);
}

static void test_refused(void **state) {
    (void)state;
    refused("ksql.service.id=a_\n", "bootstrap.servers is missing");
    refused("bootstrap.servers=nowhere\n", ":1: bootstrap.servers wants HOST:PORT");
    refused("bootstrap.servers=http://a:1\n", "wants HOST:PORT");
    refused("bootstrap.servers=a:99999\n", "wants HOST:PORT");
    refused("# x\nbootstrap.server=a:1\n", ":2: bootstrap.server is not known. Did you mean "
                                           "bootstrap.servers?");
    refused("sasl.pasword=hunter2\n", "Did you mean sasl.password?");
    refused("enable.idempotence=false\n", "is not known");
    refused("isolation.level=read_uncommitted\n", "is not known");
    refused("weir.slots=0\n", "wants a number from 1 to 1024");
    refused("weir.slots=1x\n", "wants a number");
    refused("ksql.service.id=a b\n", "wants letters");
    refused("processing.guarantee=twice\n", "exactly_once_v2 or at_least_once");
    refused("ssl.ca.location=/there/is/none\n", "cannot be read");
    refused("ssl.truststore.location=/x.jks\n", "ssl.ca.location takes a PEM file");
    refused("bootstrap.servers=a:1\nsasl.mechanism=GSSAPI\n", "wants PLAIN");
    refused("bootstrap.servers=a:1\nsasl.mechanism=PLAIN\nsasl.password=hunter2\n",
            "security.protocol must be");
    refused("bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.password=hunter2\n",
            "needs sasl.mechanism, sasl.username and sasl.password");
    refused("sasl.jaas.config=required username=me password=hunter2\n", "LoginModule required");
    refused("broker.=x\n", "wants a name");
    refused("broker.east.weir.slots=3\n", "belongs to the service");
    refused("broker.east.client.id=a\nbootstrap.servers=a:1\n", "EAST: bootstrap.servers");
    refused("bootstrap.servers\n", "is not followed by '='");
}

/* librdkafka's texts about wrong values have the values. */
static void test_client_secrets(void **state) {
    (void)state;
    KafkaConfig *config;
    KafkaClient *client;
    KafkaClientOptions options = {.role = KAFKA_READ};
    Err err;
    assert_int_equal(load("bootstrap.servers=localhost:1\nsasl.password=hunter2\n", nothing,
                          &config, &err),
                     ERR_OK);
    assert_int_equal(kafka_client_open(config, &options, &client, &err), ERR_OK);
    kafka_client_close(client);
    kafka_config_free(config);
    assert_int_equal(load("bootstrap.servers=localhost:1\nsecurity.protocol=SECRETIVE\n", nothing,
                          &config, &err),
                     ERR_OK);
    assert_int_equal(kafka_client_open(config, &options, &client, &err), ERR_SEMANTIC);
    assert_non_null(strstr(err.message, "security.protocol=SECRETIVE"));
    kafka_config_free(config);
}

static void test_help(void **state) {
    (void)state;
    KafkaPropertyHelp help;
    const char *before = "";
    uint32_t count = 0;
    for (; kafka_config_help(count, &help); count++) {
        assert_true(strcmp(before, help.name) < 0);
        before = help.name;
    }
    assert_true(count > 30);
}

static void test_troubles(void **state) {
    (void)state;
    KafkaTrouble trouble;
    Err err;
    int64_t since_ms, again_ms;
    assert_int_equal(kafka_error_code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN), ERR_BROKER_DOWN);
    assert_int_equal(kafka_error_code(RD_KAFKA_RESP_ERR__FENCED), ERR_FENCED);
    assert_int_equal(err_action(ERR_COORDINATOR_LOST), ERR_ACTION_RETRY);
    assert_int_equal(err_action(ERR_FENCED), ERR_ACTION_STOP_ENGINE);
    assert_int_equal(kafka_error_code(RD_KAFKA_RESP_ERR_NO_ERROR), ERR_OK);
    assert_string_not_equal(kafka_trouble_meaning(ERR_BROKER_DOWN), "");
    assert_string_equal(kafka_trouble_retried(ERR_SYNTAX), "");
    kafka_trouble_init(&trouble);
    assert_int_equal(kafka_trouble_now(&trouble, &since_ms, &err), ERR_OK);
    kafka_trouble_note(&trouble, ERR_BROKER_DOWN, "gone");
    assert_int_equal(kafka_trouble_now(&trouble, &since_ms, &err), ERR_BROKER_DOWN);
    kafka_trouble_note(&trouble, ERR_BROKER_DOWN, "still");
    assert_int_equal(kafka_trouble_now(&trouble, &again_ms, &err), ERR_BROKER_DOWN);
    assert_int_equal(since_ms, again_ms);
    assert_string_equal(err.message, "still");
    kafka_trouble_over(&trouble);
    assert_int_equal(kafka_trouble_now(&trouble, &since_ms, &err), ERR_OK);
    kafka_trouble_close(&trouble);
}

int main(void) {
    (void)snprintf(path, sizeof path, "/tmp/weir_kafka_config_%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_file),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_only_named),
        cmocka_unit_test(test_client_secrets), cmocka_unit_test(test_help),
        cmocka_unit_test(test_troubles),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return status;
}
