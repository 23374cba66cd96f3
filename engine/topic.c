/*
 * topic.c - topics in SQL: CREATE, ALTER, DROP and DESCRIBE TOPIC, SHOW TOPICS.
 *
 * A topic is the log's; what the catalog adds is how long its records are kept (catalog_topic.c).
 */
#include <ctype.h>
#include <strings.h>

#include "base/limits.h"
#include "data/number_text.h"
#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"
#include "engine/topic_impl.h"
#include "grammar/parse.h"
#include "storage/log.h"

void engine_retention_refresh(Weir *weir) {
    if (!weir->retention)
        return; /* the cluster keeps to it */
    retention_set(weir->retention, weir->catalog.topics, weir->catalog.topic_count);
}

void engine_topic_delete(Weir *weir, const LogTopic *topic, Commit *commit) {
    engine_log_leave(weir, topic->name);
    commit_topic_delete(commit, topic->id);
    if (catalog_topic(&weir->catalog, topic->id))
        catalog_remove_topic(commit, topic->id);
}

void engine_topic_hide(Weir *weir, const LogTopic *topic) {
    if (!catalog_topic(&weir->catalog, topic->id))
        return;
    catalog_hide_topic(&weir->catalog, topic->id);
    engine_retention_refresh(weir);
}

/* -- Who uses it ------------------------------------------------------------------------------- */

static void users_add(Buf *users, const char *name) {
    buf_printf(users, "%s%s", users->size > 0 ? ", " : "", name);
}

bool engine_query_uses(const CatalogQuery *query, const char *topic) {
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        const PlanTopic *used = query->plan->nodes[i]->topic;
        if (used && used->topic && strcmp(used->topic, topic) == 0)
            return true;
    }
    return false;
}

/* "S, T" and "Q_1": sources over the topic, queries that read or write it. */
static void topic_users(const Catalog *catalog, const char *topic, Buf *sources, Buf *queries) {
    for (size_t i = 0; i < catalog->source_count; i++)
        if (strcmp(catalog->sources[i].source->topic.topic, topic) == 0)
            users_add(sources, catalog->sources[i].source->name);
    for (size_t i = 0; i < catalog->query_count; i++)
        if (engine_query_uses(catalog->queries[i], topic))
            users_add(queries, catalog->queries[i]->id);
}

/* A table whose rows are the topic's last records of each key; NULL: none. */
static const Source *topic_table(const Catalog *catalog, const char *topic) {
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *source = catalog->sources[i].source;
        if (source->is_table && source->topic.window == WINDOW_NONE &&
            strcmp(source->topic.topic, topic) == 0)
            return source;
    }
    return NULL;
}

/* -- Properties -------------------------------------------------------------------------------- */

typedef struct TopicWish {
    int64_t partitions; /* 0: not said */
    LogRetention retention;
    const AstProperty *partitions_at, *retention_at; /* NULL: not said */
    int64_t replicas;   /* with a cluster; 0: not said */
    bool in_cluster, policy, compact, expires; /* likewise */
} TopicWish;

static ErrCode wish_fails(const AstProperty *property, const char *rule, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                      "Invalid value for configuration %s: %s.", property->name, rule);
}

static ErrCode wish_number(const AstProperty *property, int64_t least, int64_t most,
                           int64_t *value, Err *err) {
    const AstExpr *literal = property->value;
    Buf rule = {0};
    if ((literal->kind == AST_INTEGER || literal->kind == AST_STRING) &&
        number_parse_i64(literal->text, value) && *value >= least && *value <= most)
        return ERR_OK;
    buf_printf(&rule, least < 0 ? "at least 0 is expected, or -1 for no limit"
                                : "a number of 1 to %lld is expected",
               (long long)most);
    ErrCode code = wish_fails(property, buf_cstr(&rule), err);
    buf_free(&rule);
    return code;
}

/* What can be had: records go when they are old; a cluster can compact. */
static ErrCode wish_policy(const AstProperty *property, TopicWish *wish, Err *err) {
    const AstExpr *value = property->value;
    if (value->kind != AST_STRING)
        return wish_fails(property, "a text in single quotes is expected", err);
    const char *text = (const char *)value->text.data;
    wish->policy = true;
    if (strcasecmp(text, "delete") == 0)
        return ERR_OK;
    wish->compact = strcasecmp(text, "compact") == 0;
    wish->expires = strcasecmp(text, "compact,delete") == 0 ||
                    strcasecmp(text, "delete,compact") == 0;
    if (wish->in_cluster && (wish->compact || wish->expires))
        return ERR_OK;
    if (strcasestr(text, "compact"))
        return err_set_at(err, ERR_UNSUPPORTED, property->pos.line, property->pos.column,
                          "Weir does not compact topics yet: leave %s out, and the topic keeps "
                          "every record.",
                          property->name);
    return wish_fails(property, "'delete' is expected", err);
}

/* The name as ksqlDB's WITH has it: retention.ms is RETENTION_MS. */
static bool wish_is(const AstProperty *property, const char *name) {
    const char *given = property->name;
    for (; *given && *name; given++, name++) {
        char upper = *given >= 'a' && *given <= 'z' ? (char)(*given - 'a' + 'A') : *given;
        if (upper != *name && !(upper == '.' && *name == '_'))
            return false;
    }
    return *given == *name;
}

static ErrCode wish_unknown(const AstProperty *property, Err *err) {
    static const char *const names[] = {"PARTITIONS", "REPLICAS", "RETENTION_MS",
                                        "RETENTION_BYTES", "CLEANUP_POLICY"};
    const char *near = parse_nearest(property->name, names, 5);
    return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                      "Unknown property %s of a topic: it takes PARTITIONS, RETENTION_MS, "
                      "RETENTION_BYTES, CLEANUP_POLICY.%s%s%s",
                      property->name, near ? "\nDid you mean " : "", near ? near : "",
                      near ? "?" : "");
}

/* What is not said stays as it is in *wish. */
static ErrCode wish_read(const AstStatement *statement, TopicWish *wish, Err *err) {
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        if (wish_is(property, "PARTITIONS")) {
            TRY(wish_number(property, 1, PARTITIONS_MAX, &wish->partitions, err));
            wish->partitions_at = property;
        } else if (wish_is(property, "RETENTION_MS")) {
            TRY(wish_number(property, -1, INT64_MAX, &wish->retention.ms, err));
            wish->retention_at = property;
        } else if (wish_is(property, "RETENTION_BYTES")) {
            TRY(wish_number(property, -1, INT64_MAX, &wish->retention.bytes, err));
            wish->retention_at = property;
        } else if (wish_is(property, "CLEANUP_POLICY")) {
            TRY(wish_policy(property, wish, err));
        } else if (wish_is(property, "REPLICAS")) {
            TRY(wish_number(property, 1, INT16_MAX, &wish->replicas, err));
        } else {
            return wish_unknown(property, err);
        }
    }
    return ERR_OK;
}

/* -- CREATE, ALTER, DROP ----------------------------------------------------------------------- */

static ErrCode topic_check_name(const Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const char *name = statement->name;
    AstPos pos = statement->name_pos;
    size_t size = strlen(name), plain = 0;
    while (isalnum((unsigned char)name[plain]) || (name[plain] && strchr("._-", name[plain])))
        plain++;
    if (size == 0 || plain < size || size > TOPIC_NAME_BYTES_MAX || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "'%s' is no name for a topic: those have 1 to %d letters, digits, '.', "
                          "'_' and '-'.",
                          name, TOPIC_NAME_BYTES_MAX);
    if (!plan_topic_is_internal(name))
        return engine_check_own_topic(call, name, err);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column, PLAN_TOPIC_RESERVED, name);
}

/* With a cluster what is not said is its default. */
static TopicWish wish_begin(const Weir *weir, int64_t partitions) {
    bool in_cluster = engine_has_cluster(weir);
    int64_t unsaid = in_cluster ? CONFIG_DEFAULT : -1;
    return (TopicWish){.partitions = partitions, .retention = {unsaid, unsaid},
                       .in_cluster = in_cluster};
}

static TopicConfig wish_config(const TopicWish *wish) {
    return (TopicConfig){
        .replicas = wish->replicas > 0 ? (int32_t)wish->replicas : -1,
        .retention_ms = wish->retention.ms,
        .retention_bytes = wish->retention.bytes,
        .compact = wish->compact,
        .expires = wish->expires,
    };
}

static ErrCode topic_create(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    Weir *weir = call->weir;
    AstPos pos = statement->name_pos;
    TopicWish wish = wish_begin(weir, 1);
    LogTopic topic;
    TRY(topic_check_name(call, err));
    TRY(wish_read(statement, &wish, err));
    if (log_topic_find(weir->storage, statement->name, &topic)) {
        if (!statement->if_not_exists)
            return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                              "Topic %s already exists, with %u partition%s.", topic.name,
                              topic.partition_count, topic.partition_count == 1 ? "" : "s");
        result_message(call->result, "Topic %s already exists.", topic.name);
        return ERR_OK;
    }
    call->topic = (CatalogTopic){storage_new_id(weir->storage), wish.retention};
    Commit *commit = engine_commit(call);
    commit_topic_create(commit, call->topic.id, statement->name, (uint32_t)wish.partitions);
    if (wish.in_cluster) {
        TopicConfig config = wish_config(&wish);
        commit_topic_config(commit, call->topic.id, &config);
        call->topic.id = 0; /* the cluster keeps to it by itself */
    } else if (wish.retention_at)
        catalog_put_topic(commit, &call->topic);
    TRY(commit_wait(commit, NULL, err));
    engine_show_topic(call);
    result_message(call->result, "Topic %s created", statement->name);
    return ERR_OK;
}

const char *engine_nearest_topic(const Call *call) {
    LogTopic *topics;
    uint32_t count;
    log_topics(call->weir->storage, call->arena, &topics, &count);
    const char **names = arena_array(call->arena, count, sizeof *names);
    for (uint32_t i = 0; i < count; i++)
        names[i] = topics[i].name;
    return parse_nearest(call->statement->name, names, count);
}

static ErrCode topic_find(Call *call, LogTopic *topic, Err *err) {
    const AstStatement *statement = call->statement;
    if (log_topic_find(call->weir->storage, statement->name, topic))
        return ERR_OK;
    const char *near = engine_nearest_topic(call);
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "Topic %s does not exist. Names of topics are case-sensitive.%s%s%s",
                      statement->name, near ? "\nDid you mean '" : "", near ? near : "",
                      near ? "'?" : "");
}

static ErrCode topic_check_internal(Call *call, const char *what, Err *err) {
    const AstStatement *statement = call->statement;
    if (!engine_topic_is_hidden(call->weir, statement->name))
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                      "%s is %s own topic and cannot be %s.", statement->name,
                      plan_topic_is_internal(statement->name) ? "a query's" : "the service's",
                      what);
}

static ErrCode topic_check_unused(Call *call, const char *what, Err *err) {
    const AstStatement *statement = call->statement;
    Buf sources = {0}, queries = {0};
    ErrCode code = ERR_OK;
    topic_users(&call->weir->catalog, statement->name, &sources, &queries);
    if (sources.size > 0 || queries.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Cannot %s topic %s.\nThe following streams and/or tables are over "
                          "it: [%s].\nThe following queries read or write it: [%s].\nDROP STREAM "
                          "or TABLE ... DELETE TOPIC drops a source together with its topic.",
                          what, statement->name, buf_cstr(&sources), buf_cstr(&queries));
    buf_free(&sources);
    buf_free(&queries);
    return code;
}

static ErrCode topic_check_growth(Call *call, const TopicWish *wish, const LogTopic *topic,
                                  Err *err) {
    if (!wish->partitions_at || wish->partitions == topic->partition_count)
        return ERR_OK;
    if (wish->in_cluster && wish->partitions > topic->partition_count)
        return topic_check_unused(call, "alter", err);
    AstPos pos = wish->partitions_at->pos;
    return err_set_at(err, ERR_UNSUPPORTED, pos.line, pos.column,
                      "Topic %s has %u partition%s, and their number cannot be changed%s. CREATE "
                      "STREAM ... WITH (PARTITIONS = %lld) AS SELECT makes a copy that has %lld.",
                      topic->name, topic->partition_count, topic->partition_count == 1 ? "" : "s",
                      wish->partitions > topic->partition_count
                          ? ": keys would move to others, away from what came before"
                          : "",
                      (long long)wish->partitions, (long long)wish->partitions);
}

static ErrCode topic_alter(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    Weir *weir = call->weir;
    LogTopic topic;
    TRY(topic_check_internal(call, "altered", err));
    TRY(topic_find(call, &topic, err));
    const CatalogTopic *present = catalog_topic(&weir->catalog, topic.id);
    TopicWish wish = wish_begin(weir, 0);
    if (present)
        wish.retention = present->retention;
    TRY(wish_read(statement, &wish, err));
    TRY(topic_check_growth(call, &wish, &topic, err));
    const Source *table = topic_table(&weir->catalog, topic.name);
    bool limited = wish.retention.ms >= 0 || wish.retention.bytes >= 0;
    if (wish.retention_at && limited && table)
        return err_set_at(err, ERR_SEMANTIC, wish.retention_at->pos.line,
                          wish.retention_at->pos.column,
                          "Table %s is what topic %s has: its rows would go with its records. "
                          "Tables without windows keep all.",
                          table->name, topic.name);
    if (wish.in_cluster) {
        bool grows = wish.partitions > topic.partition_count;
        TopicChange change = {grows ? (uint32_t)wish.partitions : 0, wish_config(&wish)};
        return topic_cluster_alter(call, &topic, &change, err);
    }
    call->topic = (CatalogTopic){topic.id, wish.retention};
    Commit *commit = engine_commit(call);
    catalog_put_topic(commit, &call->topic);
    TRY(commit_wait(commit, NULL, err));
    engine_show_topic(call);
    result_message(call->result, "Topic %s altered.", topic.name);
    return ERR_OK;
}

static ErrCode topic_drop(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    LogTopic topic;
    TRY(topic_check_internal(call, "dropped", err));
    if (statement->if_exists && !log_topic_find(call->weir->storage, statement->name, &topic)) {
        result_message(call->result, "Topic %s does not exist.", statement->name);
        return ERR_OK;
    }
    TRY(topic_find(call, &topic, err));
    TRY(topic_check_unused(call, "drop", err));
    if (log_topic_is_borrowed(&topic))
        return topic_cluster_drop(call, &topic, err);
    Commit *commit = engine_commit(call);
    engine_topic_delete(call->weir, &topic, commit);
    TRY(commit_wait(commit, NULL, err));
    engine_topic_hide(call->weir, &topic);
    result_message(call->result, "Topic %s was dropped.", topic.name);
    return ERR_OK;
}

/* -- SHOW, DESCRIBE ---------------------------------------------------------------------------- */

typedef struct TopicFigures {
    int64_t records;
    uint64_t bytes;
} TopicFigures;

static TopicFigures topic_figures(const Weir *weir, const LogTopic *topic) {
    TopicFigures figures = {0};
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        TopicPartition where = {topic->id, p};
        int64_t start, end;
        uint64_t bytes;
        Err ignored; /* it goes just now */
        if (log_offsets(weir->storage, where, &start, &end, &ignored) == ERR_OK)
            figures.records += end - start;
        if (log_bytes(weir->storage, where, &bytes, &ignored) == ERR_OK)
            figures.bytes += bytes;
    }
    return figures;
}

static void topic_limit_cell(WeirResult *result, int64_t limit) {
    if (limit < 0)
        result_cell(result, NULL);
    else
        result_cell_printf(result, "%lld", (long long)limit);
}

void topic_users_cell(Call *call, const char *topic) {
    Buf sources = {0}, queries = {0};
    topic_users(&call->weir->catalog, topic, &sources, &queries);
    if (sources.size > 0 && queries.size > 0)
        buf_text(&sources, ", ");
    buf_bytes(&sources, buf_view(&queries));
    result_cell(call->result, sources.size > 0 ? buf_cstr(&sources) : NULL);
    buf_free(&sources);
    buf_free(&queries);
}

ErrCode engine_show_topics(Call *call, Err *err) {
    static const char *const names[] = {"Topic",        "Partitions",      "Records", "Bytes",
                                        "Retention ms", "Retention bytes", "Used By"};
    Weir *weir = call->weir;
    if (engine_has_cluster(weir))
        return topic_cluster_show(call, err);
    WeirResult *result = call->result;
    bool extended = call->statement->extended;
    LogTopic *topics;
    uint32_t count;
    result_columns(result, names, extended ? 7 : 3);
    for (uint32_t i = 1; i < (extended ? 6 : 3); i++)
        result_numbers(result, i);
    log_topics(weir->storage, call->arena, &topics, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (plan_topic_is_internal(topics[i].name) && !call->statement->all)
            continue;
        TopicFigures figures = topic_figures(weir, &topics[i]);
        result_cell(result, topics[i].name);
        result_cell_printf(result, "%u", topics[i].partition_count);
        result_cell_printf(result, "%lld", (long long)figures.records);
        if (!extended)
            continue;
        const CatalogTopic *kept = catalog_topic(&weir->catalog, topics[i].id);
        result_cell_printf(result, "%llu", (unsigned long long)figures.bytes);
        topic_limit_cell(result, kept ? kept->retention.ms : -1);
        topic_limit_cell(result, kept ? kept->retention.bytes : -1);
        topic_users_cell(call, topics[i].name);
    }
    return ERR_OK;
}

static void topic_limit_row(WeirResult *result, const char *name, int64_t limit) {
    result_cell(result, name);
    if (limit < 0)
        result_cell(result, "none: all is kept");
    else
        result_cell_printf(result, "%lld", (long long)limit);
}

static ErrCode topic_describe(Call *call, Err *err) {
    static const char *const names[] = {"Property", "Value"};
    WeirResult *result = call->result;
    Weir *weir = call->weir;
    LogTopic topic;
    TRY(topic_find(call, &topic, err));
    if (engine_has_cluster(weir))
        return topic_cluster_describe(call, &topic, err);
    TopicFigures figures = topic_figures(weir, &topic);
    const CatalogTopic *kept = catalog_topic(&weir->catalog, topic.id);
    result_columns(result, names, 2);
    result_cell(result, "Topic");
    result_cell(result, topic.name);
    for (uint32_t p = 0; p < topic.partition_count; p++) {
        int64_t start = 0, end = 0;
        Err ignored;
        (void)!log_offsets(weir->storage, (TopicPartition){topic.id, p}, &start, &end, &ignored);
        result_cell_printf(result, "Partition %u", p);
        result_cell_printf(result, "offsets %lld to %lld", (long long)start, (long long)end);
    }
    result_cell(result, "Records");
    result_cell_printf(result, "%lld", (long long)figures.records);
    result_cell(result, "Bytes");
    result_cell_printf(result, "%llu", (unsigned long long)figures.bytes);
    topic_limit_row(result, "Retention ms", kept ? kept->retention.ms : -1);
    topic_limit_row(result, "Retention bytes of a partition", kept ? kept->retention.bytes : -1);
    result_cell(result, "Used by");
    topic_users_cell(call, topic.name);
    result_done(result);
    return ERR_OK;
}

ErrCode engine_topic(Call *call, Err *err) {
    switch (call->statement->kind) {
    case AST_CREATE_TOPIC:
        return topic_create(call, err);
    case AST_ALTER_TOPIC:
        return topic_alter(call, err);
    case AST_DROP_TOPIC:
        return topic_drop(call, err);
    default:
        return topic_describe(call, err);
    }
}
