/*
 * admin_config.c - configs of topics.
 *
 * librdkafka before 2.2 can only set all configs of a topic at once: what was set before is read
 * first and given again. Two who change one topic at the same time can undo one another's change.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kafka/admin_impl.h"
#include "kafka/patience.h"

static ErrCode config_describe(KafkaAdmin *admin, const char *name, AdminRequest *request,
                               const rd_kafka_ConfigResource_t **found, Err *err) {
    char what[300];
    size_t count = 0;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_DescribeConfigs(admin->handle, &resource, 1, request->options, request->queue);
    rd_kafka_ConfigResource_destroy(resource);
    (void)snprintf(what, sizeof what, "Configs of topic %s", name);
    TRY(kafka_admin_wait(admin, request, what, err));
    const rd_kafka_ConfigResource_t **all = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(request->event), &count);
    if (count != 1)
        return err_set(err, ERR_RUNTIME, "%s: no answer", what);
    *found = all[0];
    return kafka_error(err, rd_kafka_ConfigResource_error(all[0]), "%s", what);
}

static ErrCode configs_once(KafkaAdmin *admin, const char *name, Arena *arena,
                            KafkaTopicConfig **configs, uint32_t *count, Err *err) {
    AdminRequest request;
    const rd_kafka_ConfigResource_t *found;
    size_t entries = 0;
    ErrCode code;
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, &request, err));
    TRY_DONE(config_describe(admin, name, &request, &found, err));
    const rd_kafka_ConfigEntry_t **all = rd_kafka_ConfigResource_configs(found, &entries);
    KafkaTopicConfig *made = arena_array(arena, entries, sizeof *made);
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(all[i]);
        made[i].name = arena_strdup(arena, rd_kafka_ConfigEntry_name(all[i]));
        made[i].value = value ? arena_strdup(arena, value) : NULL;
        made[i].is_default =
            rd_kafka_ConfigEntry_source(all[i]) != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
    }
    *configs = made;
    *count = (uint32_t)entries;
done:
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_configs(KafkaAdmin *admin, const char *name, Arena *arena,
                            KafkaTopicConfig **configs, uint32_t *count, Err *err) {
    int64_t end_us = kafka_admin_end_us(admin->timeout_ms);
    ErrCode code;
    assert(configs && count);
    do {
        TRY(patience_check(err));
        code = configs_once(admin, name, arena, configs, count, err);
    } while (kafka_admin_again(admin, code, end_us));
    return code;
}

static bool config_is_among(const char *name, const KafkaPair *configs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(configs[i].name, name) == 0)
            return true;
    return false;
}

static ErrCode config_alter(KafkaAdmin *admin, rd_kafka_ConfigResource_t *resource, Err *err) {
    AdminRequest request;
    size_t count = 0;
    ErrCode code;
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, &request, err));
    rd_kafka_AlterConfigs(admin->handle, &resource, 1, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Changing configs", err));
    const rd_kafka_ConfigResource_t **all = rd_kafka_AlterConfigs_result_resources(
        rd_kafka_event_AlterConfigs_result(request.event), &count);
    if (count == 1 && rd_kafka_ConfigResource_error(all[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *text = rd_kafka_ConfigResource_error_string(all[0]);
        code = kafka_error_code(rd_kafka_ConfigResource_error(all[0]));
        code = err_set(err, code == ERR_RUNTIME ? ERR_SEMANTIC : code, "Configs of topic %s: %s",
                       rd_kafka_ConfigResource_name(all[0]), text ? text : "refused");
    }
done:
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_configure(KafkaAdmin *admin, const char *name, const KafkaPair *configs,
                              uint32_t count, Err *err) {
    assert(count > 0);
    AdminRequest request;
    const rd_kafka_ConfigResource_t *found;
    size_t entries = 0;
    ErrCode code;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, &request, err));
    TRY_DONE(config_describe(admin, name, &request, &found, err));
    const rd_kafka_ConfigEntry_t **all = rd_kafka_ConfigResource_configs(found, &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *key = rd_kafka_ConfigEntry_name(all[i]);
        if (rd_kafka_ConfigEntry_source(all[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            !config_is_among(key, configs, count))
            (void)rd_kafka_ConfigResource_set_config(resource, key,
                                                     rd_kafka_ConfigEntry_value(all[i]));
    }
    for (uint32_t i = 0; i < count; i++)
        if (configs[i].value)
            (void)rd_kafka_ConfigResource_set_config(resource, configs[i].name, configs[i].value);
    code = config_alter(admin, resource, err);
done:
    kafka_admin_end(&request);
    rd_kafka_ConfigResource_destroy(resource);
    return code;
}
