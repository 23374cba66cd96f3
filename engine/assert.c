/*
 * assert.c - ASSERT TOPIC and ASSERT SCHEMA: waits until the world is as the statement says.
 *
 * Runs without the engine's lock, since who makes the topic needs it. It looks every 100 ms until
 * TIMEOUT is over; in an engine without workers nothing changes meanwhile, so one look is all.
 */
#include <strings.h>

#include "base/thread.h"
#include "data/number_text.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "storage/log.h"

enum { ASSERT_LOOK_US = 100000 };

/* What the topic must be like; 0: anything. */
typedef struct AssertTopic {
    const char *name;
    int64_t partitions, replicas;
} AssertTopic;

static ErrCode assert_count(const AstProperty *property, int64_t *count, Err *err) {
    const AstExpr *value = property->value;
    if ((value->kind == AST_INTEGER || value->kind == AST_STRING) &&
        number_parse_i64(value->text, count) && *count > 0)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                      "Invalid value for configuration %s: a number of at least 1 is expected.",
                      property->name);
}

static ErrCode assert_wanted(const AstStatement *statement, AssertTopic *wanted, Err *err) {
    *wanted = (AssertTopic){.name = statement->name};
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        if (strcasecmp(property->name, "PARTITIONS") == 0)
            TRY(assert_count(property, &wanted->partitions, err));
        else if (strcasecmp(property->name, "REPLICAS") == 0)
            TRY(assert_count(property, &wanted->replicas, err));
        else
            return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                              "Cannot assert unknown topic property: '%s'.", property->name);
    }
    return ERR_OK;
}

static ErrCode assert_config(const AssertTopic *wanted, const char *config, int64_t expected,
                             int64_t actual, Err *err) {
    if (expected == 0 || expected == actual)
        return ERR_OK;
    return err_set(err, ERR_ASSERTION,
                   "Mismatched configuration for topic %s: For config %s, expected %lld got %lld",
                   wanted->name, config, (long long)expected, (long long)actual);
}

/* One look. */
static ErrCode assert_topic_now(const Call *call, const AssertTopic *wanted, Err *err) {
    LogTopic topic;
    bool there = log_topic_find(call->weir->storage, wanted->name, &topic);
    if (call->statement->not_exists)
        return there ? err_set(err, ERR_ASSERTION, "Topic %s exists", wanted->name) : ERR_OK;
    if (!there)
        return err_set(err, ERR_ASSERTION, "Topic %s does not exist", wanted->name);
    TRY(assert_config(wanted, "partitions", wanted->partitions, topic.partition_count, err));
    return assert_config(wanted, "replicas", wanted->replicas, 1, err);
}

static void assert_nap(void) {
    Lock lock;
    Signal signal;
    lock_init(&lock);
    signal_init(&signal);
    lock_take(&lock);
    signal_wait_for(&signal, &lock, ASSERT_LOOK_US);
    lock_release(&lock);
    signal_close(&signal);
    lock_close(&lock);
}

static int64_t assert_timeout_ms(const Call *call) {
    if (call->statement->timeout.present)
        return ast_duration_ms(call->statement->timeout);
    Weir *weir = call->weir;
    shared_lock_read(&weir->lock);
    int64_t ms = settings_number(&weir->settings, "ksql.assert.topic.default.timeout.ms");
    shared_lock_release(&weir->lock);
    return ms;
}

static ErrCode assert_topic(Call *call, Err *err) {
    Weir *weir = call->weir;
    AssertTopic wanted;
    TRY(assert_wanted(call->statement, &wanted, err));
    int64_t begin_us = weir->io->ops->mono_us(weir->io), timeout_ms = assert_timeout_ms(call);
    ErrCode code = assert_topic_now(call, &wanted, err);
    while (code != ERR_OK && weir->options.workers > 0 &&
           (weir->io->ops->mono_us(weir->io) - begin_us) / 1000 < timeout_ms) {
        TRY(engine_interrupted(call, err));
        assert_nap();
        code = assert_topic_now(call, &wanted, err);
    }
    if (code == ERR_OK)
        result_message(call->result, "Topic %s %s", wanted.name,
                       call->statement->not_exists ? "does not exist" : "exists");
    return code;
}

ErrCode engine_assert(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    if (statement->kind == AST_ASSERT_TOPIC)
        return assert_topic(call, err);
    return err_set_at(err, ERR_UNSUPPORTED, statement->pos.line, statement->pos.column,
                      "ASSERT SCHEMA asks a schema registry, which Weir does not have yet");
}
