/*
 * broker.c - WITH (BROKER='name'): a source whose topic is here and in a named Kafka cluster.
 *
 * Ours must be new: what is in it comes from there, or is ours from its first record on.
 */
#include <assert.h>

#include "planner/planner_impl.h"

static ErrCode broker_fails(const Properties *properties, PropertyId id, const Err *cause,
                            Err *err) {
    AstPos pos = properties_pos(properties, id);
    return err_set_at(err, cause->code, pos.line, pos.column, "%s", cause->message);
}

ErrCode broker_plan(const Planner *planner, const Properties *properties, Source *source,
                    bool reads, Err *err) {
    const PlannerHost *host = planner->host;
    const char *broker = properties_text(properties, PROPERTY_BROKER);
    const char *topic = source->topic.topic;
    uint32_t partitions = 0;
    Err cause;
    assert(topic);
    if (!broker)
        return ERR_OK;
    AstPos pos = properties_pos(properties, PROPERTY_BROKER);
    if (!host->broker_topic)
        return err_set_at(err, ERR_UNSUPPORTED, pos.line, pos.column,
                          "There are no other clusters here.");
    if (source->datagen)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Rows come from a generator or from a BROKER, not from both.");
    TRY(host->topic_partitions(host->context, topic, &partitions, err));
    if (partitions > 0)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Topic %s is here already: what a BROKER has needs a topic of its own. "
                          "DROP TOPIC %s removes it.",
                          topic, topic);
    if (host->broker_topic(host->context, broker, reads ? topic : NULL, &partitions, &cause) !=
        ERR_OK)
        return broker_fails(properties, PROPERTY_BROKER, &cause, err);
    source->broker = broker;
    if (!reads)
        return ERR_OK;
    bool given = properties->set[PROPERTY_PARTITIONS] != NULL;
    if (given && properties_i64(properties, PROPERTY_PARTITIONS) != partitions) {
        pos = properties_pos(properties, PROPERTY_PARTITIONS);
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Topic %s of cluster %s has %u partition%s: leave PARTITIONS out.", topic,
                          broker, partitions, partitions == 1 ? "" : "s");
    }
    source->partition_count = partitions;
    return ERR_OK;
}
