/*
 * topic_cluster.c - ALTER, DROP, SHOW and DESCRIBE of topics that a Kafka cluster has: what it says
 * of them, and what it is asked to change. See topic.c for those in the folder.
 */
#include "engine/topic_impl.h"

#include "engine/result_impl.h"

static ErrCode topic_cannot(const AstStatement *statement, const char *what, Err *err) {
    return err_set_at(err, ERR_UNSUPPORTED, statement->name_pos.line, statement->name_pos.column,
                      "Topics of this cluster cannot be %s from here.", what);
}

ErrCode topic_cluster_alter(Call *call, const LogTopic *topic, const TopicChange *change,
                            Err *err) {
    Cluster *cluster = call->weir->cluster;
    if (!cluster->ops->alter)
        return topic_cannot(call->statement, "altered", err);
    TRY(cluster->ops->alter(cluster, topic->name, change->partitions, &change->config, err));
    if (change->partitions > 0 && !log_topic_is_borrowed(topic)) {
        /* Nothing reads or writes it: whoever declares it next sees what it has now. */
        Commit *commit = engine_commit(call);
        commit_topic_forget(commit, topic->id);
        TRY(commit_wait(commit, NULL, err));
    }
    result_message(call->result, "Topic %s altered.", topic->name);
    return ERR_OK;
}

ErrCode topic_cluster_drop(Call *call, const LogTopic *topic, Err *err) {
    Cluster *cluster = call->weir->cluster;
    if (!cluster->ops->remove)
        return topic_cannot(call->statement, "dropped", err);
    TRY(cluster->ops->remove(cluster, topic->name, err));
    result_message(call->result, "Topic %s was dropped.", topic->name);
    return ERR_OK;
}

/* -- Showing ----------------------------------------------------------------------------------- */

/* NULL: the cluster does not say. */
static ClusterTopic *topic_figures(Call *call, const LogTopic *topics, uint32_t count, Err *err) {
    Cluster *cluster = call->weir->cluster;
    const char **names = arena_array(call->arena, count, sizeof *names);
    ClusterTopic *figures = arena_array(call->arena, count, sizeof *figures);
    for (uint32_t i = 0; i < count; i++)
        names[i] = topics[i].name;
    err->code = ERR_OK;
    if (!cluster->ops->describe ||
        cluster->ops->describe(cluster, names, count, call->statement->extended, figures,
                               err) != ERR_OK)
        return NULL;
    return figures;
}

static void number_cell(WeirResult *result, int64_t number) {
    if (number < 0)
        result_cell(result, NULL);
    else
        result_cell_printf(result, "%lld", (long long)number);
}

static void topic_row(Call *call, const LogTopic *topic, const ClusterTopic *figures) {
    WeirResult *result = call->result;
    result_cell(result, topic->name);
    number_cell(result, topic->partition_count);
    number_cell(result, figures ? figures->replicas : -1);
    if (!call->statement->extended)
        return;
    number_cell(result, figures ? figures->members : -1);
    number_cell(result, figures ? figures->groups : -1);
    number_cell(result, figures ? figures->lag : -1);
    number_cell(result, figures ? figures->retention_ms : -1);
    result_cell(result, !figures           ? NULL
                        : figures->expires ? "compact,delete"
                        : figures->compact ? "compact"
                                           : "delete");
    topic_users_cell(call, topic->name);
}

ErrCode topic_cluster_show(Call *call, Err *err) {
    static const char *const names[] = {"Topic",           "Partitions", "Partition Replicas",
                                        "Consumers",       "Consumer Groups", "Lag",
                                        "Retention ms",    "Cleanup Policy",  "Used By"};
    WeirResult *result = call->result;
    LogTopic *topics;
    uint32_t count, shown = 0;
    result_columns(result, names, call->statement->extended ? 9 : 3);
    for (uint32_t i = 1; i < (call->statement->extended ? 7 : 3); i++)
        result_numbers(result, i);
    log_topics(call->weir->storage, call->arena, &topics, &count);
    for (uint32_t i = 0; i < count; i++)
        if (call->statement->all || !engine_topic_is_hidden(call->weir, topics[i].name))
            topics[shown++] = topics[i];
    ClusterTopic *figures = topic_figures(call, topics, shown, err);
    if (!figures && err->code != ERR_OK)
        return err->code;
    for (uint32_t i = 0; i < shown; i++) {
        bool gone = figures && figures[i].partitions == 0; /* since we asked for all of them */
        if (!gone || !log_topic_is_borrowed(&topics[i]))
            topic_row(call, &topics[i], gone || !figures ? NULL : &figures[i]);
    }
    return ERR_OK;
}

static void describe_row(WeirResult *result, const char *name, int64_t number, const char *none) {
    result_cell(result, name);
    if (number < 0)
        result_cell(result, none);
    else
        result_cell_printf(result, "%lld", (long long)number);
}

static void describe_figures(Call *call, const ClusterTopic *figures) {
    WeirResult *result = call->result;
    describe_row(result, "Partition replicas", figures->replicas, NULL);
    describe_row(result, "Consumers", figures->members, NULL);
    describe_row(result, "Consumer groups", figures->groups, NULL);
    describe_row(result, "Lag", figures->lag, "not known");
    describe_row(result, "Retention ms", figures->retention_ms, "none: all is kept");
    describe_row(result, "Retention bytes of a partition", figures->retention_bytes,
                 "none: all is kept");
    result_cell(result, "Cleanup policy");
    result_cell(result, figures->expires   ? "compact,delete"
                        : figures->compact ? "compact"
                                           : "delete");
}

ErrCode topic_cluster_describe(Call *call, const LogTopic *topic, Err *err) {
    static const char *const names[] = {"Property", "Value"};
    WeirResult *result = call->result;
    ClusterTopic *figures = topic_figures(call, topic, 1, err);
    if (!figures && err->code != ERR_OK)
        return err->code;
    result_columns(result, names, 2);
    result_cell(result, "Topic");
    result_cell(result, topic->name);
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        int64_t start, end;
        TRY(log_offsets_now(call->weir->storage, (TopicPartition){topic->id, p}, &start, &end,
                            err));
        result_cell_printf(result, "Partition %u", p);
        result_cell_printf(result, "offsets %lld to %lld", (long long)start, (long long)end);
    }
    if (figures)
        describe_figures(call, figures);
    result_cell(result, "Used by");
    topic_users_cell(call, topic->name);
    result_done(result);
    return ERR_OK;
}
