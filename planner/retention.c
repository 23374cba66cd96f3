/*
 * retention.c - what a statement that makes a topic says of how long its records are kept.
 *
 * As in ksqlDB a topic that AS SELECT makes is kept like the one it is made from, unless WITH says
 * otherwise, and one of windows at least as long as they are; other than there nothing goes by
 * itself where nobody has asked for it. Tables without windows keep everything: what they hold is
 * the last record of each key.
 */
#include <assert.h>

#include "planner/planner_impl.h"

static ErrCode retention_value(const Properties *properties, PropertyId id, int64_t *value,
                               Err *err) {
    if (!properties->set[id])
        return ERR_OK;
    AstPos pos = properties_pos(properties, id);
    *value = properties_i64(properties, id);
    if (*value >= PLANNED_KEEPS_ALL)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Invalid value for configuration %s: at least 0 is expected, or -1 for no "
                      "limit.",
                      properties->set[id]->name);
}

static PlannedRetention retention_of_topic(const Planner *planner, const char *topic) {
    const PlannerHost *host = planner->host;
    PlannedRetention retention = {PLANNED_KEEPS_ALL, PLANNED_KEEPS_ALL};
    if (host->topic_retention)
        host->topic_retention(host->context, topic, &retention);
    return retention;
}

/* A topic that is there has to be kept as the statement says. */
static ErrCode retention_compare(const Planner *planner, const Properties *properties,
                                 const Source *source, PlannedRetention wanted, Err *err) {
    PlannedRetention there = retention_of_topic(planner, source->topic.topic);
    bool ms = properties->set[PROPERTY_RETENTION_MS] && wanted.ms != there.ms;
    bool bytes = properties->set[PROPERTY_RETENTION_BYTES] && wanted.bytes != there.bytes;
    if ((!ms && !bytes) || !planner->host->topic_retention)
        return ERR_OK;
    PropertyId id = ms ? PROPERTY_RETENTION_MS : PROPERTY_RETENTION_BYTES;
    AstPos pos = properties_pos(properties, id);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "A Kafka topic with the name '%s' already exists, with different retention "
                      "configuration than required. Its %s is %lld, not %lld.",
                      source->topic.topic, properties->set[id]->name,
                      (long long)(ms ? there.ms : there.bytes),
                      (long long)(ms ? wanted.ms : wanted.bytes));
}

ErrCode retention_plan(const Planner *planner, const Properties *properties, const Source *left,
                       Planned *planned, Err *err) {
    const Source *source = planned->source;
    assert(source);
    PlannedRetention kept = {PLANNED_KEEPS_ALL, PLANNED_KEEPS_ALL};
    bool whole = source->is_table && source->topic.window == WINDOW_NONE;
    if (left && !whole)
        kept = retention_of_topic(planner, left->topic.topic);
    TRY(retention_value(properties, PROPERTY_RETENTION_MS, &kept.ms, err));
    TRY(retention_value(properties, PROPERTY_RETENTION_BYTES, &kept.bytes, err));
    if (!planned->create_topic)
        return retention_compare(planner, properties, source, kept, err);
    const Plan *plan = planned->plan;
    for (uint32_t i = 0; left && i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        if (kept.ms >= 0 && kept.ms < node->window.retention_ms)
            kept.ms = node->window.retention_ms;
    }
    planned->retention = kept;
    planned->says_ms = properties->set[PROPERTY_RETENTION_MS] != NULL;
    planned->says_bytes = properties->set[PROPERTY_RETENTION_BYTES] != NULL;
    if (properties->set[PROPERTY_REPLICAS])
        planned->replicas = (int32_t)properties_i64(properties, PROPERTY_REPLICAS);
    return ERR_OK;
}
