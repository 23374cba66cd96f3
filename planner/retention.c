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

/* What a topic that is there has; false: not known. */
static bool retention_of_topic(const Planner *planner, const char *topic,
                               PlannedRetention *retention, int32_t *replicas) {
    const PlannerHost *host = planner->host;
    *retention = (PlannedRetention){PLANNED_KEEPS_ALL, PLANNED_KEEPS_ALL};
    *replicas = 0;
    return host->topic_retention &&
           host->topic_retention(host->context, topic, retention, replicas);
}

static ErrCode retention_differs(const Properties *properties, PropertyId id, const Source *source,
                                 long long there, Err *err) {
    AstPos pos = properties_pos(properties, id);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "A Kafka topic with the name '%s' already exists, with different %s "
                      "configuration than required. Its %s is %lld, not %lld.",
                      source->topic.topic, id == PROPERTY_REPLICAS ? "replica" : "retention",
                      properties->set[id]->name, there, (long long)properties_i64(properties, id));
}

/* A topic that is there has to be as the statement says. */
static ErrCode retention_compare(const Planner *planner, const Properties *properties,
                                 const Source *source, Err *err) {
    static const PropertyId ids[] = {PROPERTY_RETENTION_MS, PROPERTY_RETENTION_BYTES,
                                     PROPERTY_REPLICAS};
    enum { IDS = sizeof ids / sizeof ids[0] };
    PlannedRetention there;
    int32_t replicas;
    bool any = false;
    for (size_t i = 0; i < IDS; i++)
        any = any || properties->set[ids[i]];
    if (!any || !retention_of_topic(planner, source->topic.topic, &there, &replicas))
        return ERR_OK;
    const int64_t values[] = {there.ms, there.bytes, replicas};
    for (size_t i = 0; i < IDS; i++) {
        bool counts = properties->set[ids[i]] && (ids[i] != PROPERTY_REPLICAS || replicas > 0);
        if (counts && properties_i64(properties, ids[i]) != values[i])
            return retention_differs(properties, ids[i], source, values[i], err);
    }
    return ERR_OK;
}

/* What is not said is taken from the source's topic. */
static void retention_inherit(const Planner *planner, const char *topic, bool whole,
                              Planned *planned) {
    PlannedRetention kept;
    int32_t replicas;
    if ((planned->says_ms && planned->replicas > 0) ||
        !retention_of_topic(planner, topic, &kept, &replicas))
        return;
    if (planned->replicas == 0)
        planned->replicas = replicas;
    if (!planned->says_ms && !whole)
        planned->retention.ms = kept.ms;
    if (!planned->says_bytes && !whole)
        planned->retention.bytes = kept.bytes;
    planned->says_ms |= !whole;
    planned->says_bytes |= !whole;
}

ErrCode retention_plan(const Planner *planner, const Properties *properties, const Source *left,
                       Planned *planned, Err *err) {
    const Source *source = planned->source;
    assert(source);
    PlannedRetention *kept = &planned->retention;
    bool whole = source->is_table && source->topic.window == WINDOW_NONE;
    *kept = (PlannedRetention){PLANNED_KEEPS_ALL, PLANNED_KEEPS_ALL};
    TRY(retention_value(properties, PROPERTY_RETENTION_MS, &kept->ms, err));
    TRY(retention_value(properties, PROPERTY_RETENTION_BYTES, &kept->bytes, err));
    if (!planned->create_topic)
        return retention_compare(planner, properties, source, err);
    planned->says_ms = properties->set[PROPERTY_RETENTION_MS] != NULL;
    planned->says_bytes = properties->set[PROPERTY_RETENTION_BYTES] != NULL;
    if (properties->set[PROPERTY_REPLICAS])
        planned->replicas = (int32_t)properties_i64(properties, PROPERTY_REPLICAS);
    if (left)
        retention_inherit(planner, left->topic.topic, whole, planned);
    const Plan *plan = planned->plan;
    for (uint32_t i = 0; left && i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        if (kept->ms >= 0 && kept->ms < node->window.retention_ms)
            kept->ms = node->window.retention_ms;
    }
    return ERR_OK;
}
