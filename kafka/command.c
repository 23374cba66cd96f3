/*
 * command.c - statements that change the catalog, as records that every folder of the service can
 * repeat.
 *
 *   value := version u8 = 1, kind u8, based_on u64 le, author (16 bytes), nonce u64 le, rest
 *   kind 1, the service:  slots u32 le
 *   kind 2, a change:     size of the statement varint, its text, the commit (commit_save())
 *
 * based_on is the offset of the last command that its author knew (-1: none). A command counts if
 * and only if that is the last one that counts before it; so all who read agree, without a lock. An
 * author that had no answer may write the same again: the second one does not count. One that was
 * given up and comes after all counts like any other; its process is over then, for its engine does
 * not know it.
 *
 *   topics are made -> the command is written -> read to the end -> it counts: commit_accept()
 *                                                                -> topics are deleted
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"
#include "storage/log.h"

enum { COMMAND_VERSION = 1, COMMAND_SERVICE = 1, COMMAND_CHANGE = 2 };
enum { COMMAND_TIMEOUT_MS = 60000, COMMAND_AGAIN_US = 200000, COMMAND_TOPICS_MAX = 1024 };

static const char note_command[] = "command", note_cluster[] = "cluster", note_slots[] = "slots";

static void put_u64(uint8_t *target, uint64_t value) {
    for (int i = 0; i < 8; i++)
        target[i] = (uint8_t)(value >> (8 * i));
}

/* == Reading ================================================================================== */

typedef struct Command {
    uint8_t kind;
    int64_t based_on;
    Bytes author, rest;
    uint64_t nonce;
} Command;

static ErrCode command_decode(const LogRecord *record, Command *command, Err *err) {
    Reader reader = reader_of(record->value);
    uint8_t version = reader_u8(&reader);
    command->kind = reader_u8(&reader);
    command->based_on = (int64_t)reader_u64_le(&reader);
    command->author = reader_bytes(&reader, AUTHOR_SIZE);
    command->nonce = reader_u64_le(&reader);
    command->rest = (Bytes){reader.next, reader_left(&reader)};
    if (!reader_ok(&reader) || version != COMMAND_VERSION ||
        (command->kind != COMMAND_SERVICE && command->kind != COMMAND_CHANGE))
        return err_set(err, ERR_CORRUPT,
                       "command %" PRId64 " of the service is damaged, or of a newer version (%u)",
                       record->offset, version);
    return ERR_OK;
}

static void note_applied(Commit *commit, int64_t offset) {
    uint8_t value[8];
    assert(offset >= 0);
    put_u64(value, (uint64_t)offset);
    note_put(commit, bytes_of(note_command), value, sizeof value);
}

static ErrCode apply_service(KafkaCluster *cluster, const Command *command, int64_t offset,
                             Err *err) {
    Reader reader = reader_of(command->rest);
    uint32_t slots = reader_u32_le(&reader);
    if (!reader_ok(&reader) || slots == 0 || slots > KAFKA_SLOTS_MAX)
        return err_set(err, ERR_CORRUPT, "the service's first command is damaged");
    cluster->slot_count = slots;
    Commit *commit = commit_new(cluster->storage, 0);
    note_put(commit, bytes_of(note_slots), command->rest.data, 4);
    note_applied(commit, offset);
    return commit_local_wait(commit, err);
}

static ErrCode apply_change(KafkaCluster *cluster, const Command *command, int64_t offset,
                            Err *err) {
    Reader reader = reader_of(command->rest);
    uint64_t size = reader_varint(&reader);
    (void)reader_bytes(&reader, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
    if (!reader_ok(&reader))
        return err_set(err, ERR_CORRUPT, "command %" PRId64 " of the service is damaged", offset);
    Commit *commit = commit_load(cluster->storage, (Bytes){reader.next, reader_left(&reader)},
                                 err);
    if (!commit)
        return err->code;
    note_applied(commit, offset);
    return commit_local_wait(commit, err);
}

/* A KafkaRecordFn. */
static ErrCode command_seen(void *context, const LogRecord *record, Err *err) {
    KafkaCluster *cluster = context;
    Commands *commands = &cluster->commands;
    Command command;
    TRY(command_decode(record, &command, err));
    if (command.based_on != commands->applied)
        return ERR_OK; /* another one came first */
    bool mine = memcmp(command.author.data, cluster->uuid, AUTHOR_SIZE) == 0;
    if (mine && commands->nonce != 0 && command.nonce == commands->nonce) {
        commands->found = true;
    } else {
        commands->foreign = commands->foreign || commands->running;
        if (command.kind == COMMAND_SERVICE)
            TRY(apply_service(cluster, &command, record->offset, err));
        else
            TRY(apply_change(cluster, &command, record->offset, err));
    }
    commands->applied = record->offset;
    return ERR_OK;
}

/* Everything up to the end is applied; one that our engine does not know ends this process. */
static ErrCode commands_read(KafkaCluster *cluster, Err *err) {
    TRY(kafka_tail_to_end(cluster->commands.tail, err));
    if (!cluster->commands.foreign)
        return ERR_OK;
    TRY(members_check(cluster, err));
    return err_set(err, ERR_FENCED,
                   "fenced: a statement of another process of the service '%s', or one that was "
                   "given up, has taken effect: start again",
                   cluster->config->service_id);
}

/* == Writing ================================================================================== */

static void command_head(KafkaCluster *cluster, uint8_t kind, Buf *value) {
    Commands *commands = &cluster->commands;
    do
        commands->nonce = io_posix()->ops->random_u64(io_posix());
    while (commands->nonce == 0);
    commands->found = false;
    buf_u8(value, COMMAND_VERSION);
    buf_u8(value, kind);
    buf_u64_le(value, (uint64_t)commands->applied);
    buf_put(value, cluster->uuid, AUTHOR_SIZE);
    buf_u64_le(value, commands->nonce);
}

static bool may_be_there(ErrCode code) {
    return code == ERR_OK || code == ERR_BROKER_DOWN || code == ERR_LEADER_MOVED;
}

/* Writes it until it is there, and reads to the end: commands.found says whether it counts. */
static ErrCode command_write(KafkaCluster *cluster, Bytes value, Err *err) {
    Commands *commands = &cluster->commands;
    int64_t end_us = io_posix_mono_us() + COMMAND_TIMEOUT_MS * (int64_t)1000;
    int64_t based_on = commands->applied;
    SentRecord record = {.topic = cluster->commands_topic, .value = value};
    for (;;) {
        ErrCode written = send_record(cluster, &record, NULL, err);
        if (!may_be_there(written))
            return written;
        Err read_err;
        ErrCode code = commands_read(cluster, &read_err);
        if (code == ERR_FENCED || (code != ERR_OK && err_action(code) != ERR_ACTION_RETRY))
            return *err = read_err, code;
        if (code == ERR_OK && (commands->found || commands->applied != based_on))
            return ERR_OK;
        if (io_posix_mono_us() > end_us)
            return written == ERR_OK ? (*err = read_err, code) : written;
        lock_take(&cluster->lock);
        (void)signal_wait_for(&cluster->changed, &cluster->lock, COMMAND_AGAIN_US);
        lock_release(&cluster->lock);
    }
}

/* == Topics of a command ====================================================================== */

/* false: it is there already. */
static ErrCode topic_wanted(KafkaCluster *cluster, const CommitItem *item, bool *wanted,
                            Err *err) {
    KafkaTopic there;
    Err why;
    ErrCode code = kafka_admin_topic(cluster->admin, item->name, &there, &why);
    *wanted = code == ERR_TOPIC_MISSING;
    if (*wanted)
        return ERR_OK;
    if (code != ERR_OK)
        return *err = why, code;
    if (there.partitions != item->where.partition)
        return err_set(err, ERR_SEMANTIC,
                       "topic %s is there already, with %u partitions instead of %u", item->name,
                       there.partitions, item->where.partition);
    return ERR_OK;
}

static ErrCode command_topics(KafkaCluster *cluster, const Commit *commit, Arena *arena,
                              Err *err) {
    CommitItems items;
    CommitItem item;
    KafkaNewTopic *topics = NULL;
    size_t count = 0, capacity = 0;
    commit_items(commit, &items);
    while (commit_item_next(&items, &item)) {
        bool wanted;
        if (item.kind != COMMIT_ITEM_TOPIC_CREATE)
            continue;
        TRY(topic_wanted(cluster, &item, &wanted, err));
        if (!wanted)
            continue;
        topics = arena_grow(arena, topics, &capacity, count + 1, sizeof *topics);
        topics[count] = (KafkaNewTopic){
            .name = arena_strdup(arena, item.name),
            .partitions = item.where.partition,
            .replicas = item.config && item.config->replicas > 0 ? item.config->replicas
                                                                 : cluster->config->replicas,
        };
        KafkaPair *pairs = arena_array(arena, TOPIC_CONFIGS_MAX, sizeof *pairs);
        topics[count].configs = pairs;
        topics[count].config_count = topic_configs(item.config, arena, pairs);
        if (trim_is_repartition(cluster, item.name)) /* whole segments are deleted */
            pairs[topics[count].config_count++] = (KafkaPair){"segment.bytes", "52428800"};
        count++;
    }
    return count > 0 ? kafka_admin_create(cluster->admin, topics, (uint32_t)count, err) : ERR_OK;
}

/* == A commit that is a command =============================================================== */

/* What is to be done when it counts; the commit is gone then. */
typedef struct CommandEnd {
    const char **topics;
    uint32_t *tasks;
    size_t topic_count, topic_capacity, task_count, task_capacity;
} CommandEnd;

static ErrCode command_look(const Commit *commit, Arena *arena, CommandEnd *end, Err *err) {
    CommitItems items;
    CommitItem item;
    commit_items(commit, &items);
    while (commit_item_next(&items, &item)) {
        if (item.kind == COMMIT_ITEM_APPEND)
            return err_set(err, ERR_INTERNAL, "a change of the catalog with records");
        if (item.kind == COMMIT_ITEM_TOPIC_DELETE) {
            end->topics = arena_grow(arena, end->topics, &end->topic_capacity,
                                     end->topic_count + 1, sizeof *end->topics);
            end->topics[end->topic_count++] = arena_strdup(arena, item.name);
        }
        if (item.kind == COMMIT_ITEM_REMOVE_RANGE && item.id == STORE_SYSTEM &&
            item.key.size >= 5) { /* type u8, task u32 be */
            Reader reader = reader_of(item.key);
            (void)reader_u8(&reader);
            end->tasks = arena_grow(arena, end->tasks, &end->task_capacity, end->task_count + 1,
                                    sizeof *end->tasks);
            end->tasks[end->task_count++] = reader_u32_be(&reader);
        }
    }
    return ERR_OK;
}

static void command_finish(KafkaCluster *cluster, const CommandEnd *end) {
    Err ignored; /* topics that stay are seen by SHOW TOPICS, and harm nobody */
    if (end->topic_count > 0)
        (void)!kafka_admin_delete(cluster->admin, end->topics, (uint32_t)end->topic_count,
                                  &ignored);
    lock_take(&cluster->lock);
    for (size_t i = 0; i < end->task_count; i++) {
        cluster->drops = mem_grow(cluster->drops, &cluster->drop_capacity,
                                  cluster->drop_count + 1, sizeof *cluster->drops);
        cluster->drops[cluster->drop_count++] = end->tasks[i];
    }
    lock_release(&cluster->lock);
    if (end->task_count > 0)
        thread_kick(cluster);
}

static ErrCode command_run(KafkaCluster *cluster, const Commit *commit, Arena *arena, Err *err) {
    Buf value = {0};
    ErrCode code;
    TRY(cluster_check(cluster, err));
    TRY(members_check(cluster, err));
    TRY(commands_read(cluster, err));
    TRY(command_topics(cluster, commit, arena, err));
    kill_point_pass(KILL_BEFORE_COMMAND);
    Bytes statement = commit_statement_of(commit);
    command_head(cluster, COMMAND_CHANGE, &value);
    buf_varint(&value, statement.size);
    buf_bytes(&value, statement);
    commit_save(commit, &value);
    TRY_DONE(command_write(cluster, buf_view(&value), err));
    if (!cluster->commands.found)
        code = err_set(err, ERR_CONFLICT, "another process of the service has changed the "
                       "catalog meanwhile: give the statement again");
done:
    cluster->commands.nonce = 0;
    buf_free(&value);
    return code;
}

static void command_job(KafkaCluster *cluster, void *arg) {
    Commit *commit = arg;
    Arena *arena = arena_new("kafka command", 0);
    CommandEnd end = {0};
    Err err;
    ErrCode code = command_look(commit, arena, &end, &err);
    if (code == ERR_OK)
        code = command_run(cluster, commit, arena, &err);
    if (code == ERR_OK) {
        uint8_t value[8];
        kill_point_pass(KILL_AFTER_COMMAND);
        put_u64(value, (uint64_t)cluster->commands.applied);
        ClusterNote note = {bytes_of(note_command), {value, sizeof value}};
        commit_accept(commit, NULL, &note, 1);
        command_finish(cluster, &end);
    } else {
        if (code == ERR_FENCED)
            cluster_over(cluster, &err);
        commit_reject(commit, &err);
    }
    arena_free(arena);
}

void commands_submit(KafkaCluster *cluster, Commit *commit) {
    assert(commit);
    if (control_post(cluster, command_job, commit))
        return;
    Err err;
    err_report(&err, ERR_CANCELLED, 0, 0, "the connection to the cluster is being closed");
    commit_reject(commit, &err);
}

/* == At the start ============================================================================= */

static ErrCode check_cluster(KafkaCluster *cluster, Bytes known, Err *err) {
    char id[KAFKA_CLUSTER_ID_SIZE];
    TRY(kafka_client_connect(kafka_admin_client(cluster->admin), cluster->config,
                             KAFKA_ADMIN_TIMEOUT_MS, id, err));
    if (known.size > 0 && !bytes_equal(known, bytes_of(id)))
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "the folder belongs to cluster %.*s, and this one is %s: use another folder",
                       (int)known.size, (const char *)known.data, id);
    if (known.size > 0)
        return ERR_OK;
    Commit *commit = commit_new(cluster->storage, 0);
    note_put(commit, bytes_of(note_cluster), (const uint8_t *)id, (uint32_t)strlen(id));
    return commit_local_wait(commit, err);
}

/* A folder without a note of a cluster must have nothing of its own. */
static ErrCode check_folder(KafkaCluster *cluster, Arena *arena, Err *err) {
    Bytes known;
    LogTopic *topics;
    uint32_t count;
    TRY(note_read(cluster->storage, bytes_of(note_cluster), arena, &known, err));
    log_topics(cluster->storage, arena, &topics, &count);
    if (known.size == 0 && count > 0)
        return err_set(err, ERR_SEMANTIC,
                       "the folder has topics of its own (%s): with a cluster it must be another "
                       "one", topics[0].name);
    return check_cluster(cluster, known, err);
}

static ErrCode command_topic_make(KafkaCluster *cluster, Err *err) {
    KafkaPair keep[] = {{"cleanup.policy", "delete"}, {"retention.ms", "-1"},
                        {"retention.bytes", "-1"}};
    KafkaPair compact[] = {{"cleanup.policy", "compact"}};
    KafkaNewTopic topics[] = {
        {.name = cluster->commands_topic, .partitions = 1, .configs = keep, .config_count = 3},
        {.name = cluster->members_topic, .partitions = 1, .configs = compact, .config_count = 1},
    };
    for (int i = 0; i < 2; i++)
        topics[i].replicas = cluster->config->replicas;
    return kafka_admin_create(cluster->admin, topics, 2, err);
}

static ErrCode positions_topic_make(KafkaCluster *cluster, Err *err) {
    KafkaPair compact[] = {{"cleanup.policy", "compact"}};
    KafkaNewTopic topic = {.name = cluster->positions_topic, .partitions = cluster->slot_count,
                           .replicas = cluster->config->replicas, .configs = compact,
                           .config_count = 1};
    KafkaTopic there;
    TRY(kafka_admin_create(cluster->admin, &topic, 1, err));
    TRY(kafka_admin_topic(cluster->admin, cluster->positions_topic, &there, err));
    if (there.partitions != cluster->slot_count)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "topic %s has %u partitions, and the service has %u slots",
                       cluster->positions_topic, there.partitions, cluster->slot_count);
    return ERR_OK;
}

static ErrCode command_first(KafkaCluster *cluster, Err *err) {
    Buf value = {0};
    assert(cluster->commands.applied == -1);
    command_head(cluster, COMMAND_SERVICE, &value);
    buf_u32_le(&value, cluster->config->slots);
    cluster->commands.nonce = 0; /* applied as anybody's */
    ErrCode code = command_write(cluster, buf_view(&value), err);
    buf_free(&value);
    return code;
}

static ErrCode commands_catch_up(KafkaCluster *cluster, Arena *arena, Err *err) {
    Commands *commands = &cluster->commands;
    Bytes value;
    TRY(note_read(cluster->storage, bytes_of(note_slots), arena, &value, err));
    Reader reader = reader_of(value);
    cluster->slot_count = value.size > 0 ? reader_u32_le(&reader) : 0;
    TRY(note_read(cluster->storage, bytes_of(note_command), arena, &value, err));
    reader = reader_of(value);
    commands->applied = value.size > 0 ? (int64_t)reader_u64_le(&reader) : -1;
    KafkaTailOptions options = {.topic = cluster->commands_topic, .from = commands->applied + 1,
                                .record = command_seen, .context = cluster};
    ErrCode code = kafka_tail_open(cluster->admin, &options, &commands->tail, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "topic %s is not the one that the folder was made with: use another folder",
                       cluster->commands_topic);
    TRY(code);
    TRY(commands_read(cluster, err));
    if (commands->applied < 0)
        TRY(command_first(cluster, err));
    assert(cluster->slot_count > 0);
    return positions_topic_make(cluster, err);
}

ErrCode commands_open(KafkaCluster *cluster, Err *err) {
    Arena *arena = arena_new("kafka commands", 0);
    ErrCode code;
    TRY_DONE(check_folder(cluster, arena, err));
    TRY_DONE(command_topic_make(cluster, err));
    TRY_DONE(members_join(cluster, err));
    TRY_DONE(commands_catch_up(cluster, arena, err));
    cluster->commands.running = true;
done:
    arena_free(arena);
    return code;
}

void commands_close(KafkaCluster *cluster) {
    kafka_tail_close(cluster->commands.tail);
    cluster->commands.tail = NULL;
}

/* == Looking back ============================================================================= */

typedef struct Statements {
    int64_t applied;
    KafkaStatementFn *seen;
    void *context;
} Statements;

/* A KafkaRecordFn: as command_seen(), without doing anything. */
static ErrCode statement_record(void *context, const LogRecord *record, Err *err) {
    Statements *statements = context;
    Command command;
    TRY(command_decode(record, &command, err));
    if (command.based_on != statements->applied)
        return ERR_OK;
    statements->applied = record->offset;
    if (command.kind != COMMAND_CHANGE)
        return ERR_OK;
    Reader reader = reader_of(command.rest);
    uint64_t size = reader_varint(&reader);
    Bytes text = reader_bytes(&reader, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
    if (reader_ok(&reader))
        statements->seen(statements->context, text);
    return ERR_OK;
}

ErrCode kafka_cluster_statements(Cluster *base, KafkaStatementFn *seen, void *context,
                                 Err *err) {
    KafkaCluster *cluster = (KafkaCluster *)base;
    Statements statements = {.applied = -1, .seen = seen, .context = context};
    KafkaTailOptions options = {.topic = cluster->commands_topic,
                                .from = -1,
                                .timeout_ms = COMMAND_TIMEOUT_MS,
                                .record = statement_record,
                                .context = &statements};
    KafkaAdmin *admin; /* its own: the service's tail of the same partition goes on */
    TRY(kafka_admin_open(cluster->config, &cluster->trouble, KAFKA_ADMIN_TIMEOUT_MS, &admin, err));
    ErrCode code = kafka_tail_read(admin, &options, NULL, err);
    kafka_admin_close(admin);
    return code;
}
