/*
 * command.c - statements that change the catalog, as records that every folder of the service can
 * repeat.
 *
 * The record is in command_impl.h. based_on is the offset of the last command that its author knew
 * (-1: none). A command counts if
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
#include "kafka/command_impl.h"
#include "kafka/kill_point.h"
#include "kafka/patience.h"
#include "storage/log.h"

enum { COMMAND_TIMEOUT_MS = 60000, COMMAND_AGAIN_US = 200000, COMMAND_TOPICS_MAX = 1024 };

static const char note_command[] = "command", note_cluster[] = "cluster", note_slots[] = "slots";

/* == Reading ================================================================================== */

/* How far the folder is, and of which command that is: another one at the same offset is of a topic
 * that was made anew. */
static void command_note(int64_t offset, uint64_t nonce, Buf *value) {
    assert(offset >= 0);
    buf_u64_le(value, (uint64_t)offset);
    buf_u64_le(value, nonce);
}

static void note_applied(Commit *commit, int64_t offset, uint64_t nonce) {
    Buf value = {0};
    command_note(offset, nonce, &value);
    note_put(commit, bytes_of(note_command), value.data, (uint32_t)value.size);
    buf_free(&value);
}

static ErrCode apply_service(KafkaCluster *cluster, const Command *command, int64_t offset,
                             Err *err) {
    uint8_t slots[4];
    for (int i = 0; i < 4; i++)
        slots[i] = (uint8_t)(command->slots >> (8 * i));
    cluster->slot_count = command->slots;
    Commit *commit = commit_new(cluster->storage, 0);
    note_put(commit, bytes_of(note_slots), slots, sizeof slots);
    note_applied(commit, offset, command->nonce);
    return commit_local_wait(commit, err);
}

static ErrCode apply_change(KafkaCluster *cluster, const Command *command, int64_t offset,
                            Err *err) {
    Err why;
    Commit *commit = commit_load(cluster->storage, command->change, &why);
    if (!commit)
        return err_set(err, why.code, "Topic %s, partition 0, offset %" PRId64 ": %.700s",
                       cluster->commands_topic, offset, why.message);
    note_applied(commit, offset, command->nonce);
    return commit_local_wait(commit, err);
}

/* The last one that the folder has: is it still the same? */
static ErrCode command_known(KafkaCluster *cluster, const Command *command, Err *err) {
    const Commands *commands = &cluster->commands;
    if (commands->applied_nonce == 0 || (command && command->nonce == commands->applied_nonce))
        return ERR_OK;
    return err_set(err, ERR_CLUSTER_CHANGED,
                   "Topic %s was made anew: its offset %" PRId64 " is not the statement that the "
                   "folder has from there. The folder's queries are none of this service any more: "
                   "use another folder",
                   cluster->commands_topic, commands->applied);
}

/* A KafkaRecordFn. */
static ErrCode command_seen(void *context, const LogRecord *record, Err *err) {
    KafkaCluster *cluster = context;
    Commands *commands = &cluster->commands;
    Command command;
    bool ours = command_record_is(record), known = record->offset <= commands->applied;
    if (ours)
        TRY(command_record_decode(cluster->commands_topic, record, &command, err));
    else
        cluster_stranger(cluster, cluster->commands_topic, 0, record->offset);
    if (known)
        return command_known(cluster, ours ? &command : NULL, err);
    if (!ours || command.based_on != commands->applied)
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
    commands->applied_nonce = command.nonce;
    return ERR_OK;
}

/* Everything up to the end is applied; one that our engine does not know ends this process. */
static ErrCode commands_read(KafkaCluster *cluster, Err *err) {
    TRY(kafka_tail_to_end(cluster->commands.tail, err));
    if (!cluster->commands.foreign)
        return ERR_OK;
    TRY(members_check(cluster, err));
    return err_set(err, ERR_FENCED,
                   "a statement of another process of the service '%s', or one that was "
                   "given up, has taken effect: start again",
                   cluster->config->service_id);
}

/* == Writing ================================================================================== */

static Command command_of(KafkaCluster *cluster, uint8_t kind) {
    Commands *commands = &cluster->commands;
    do
        commands->nonce = io_posix()->ops->random_u64(io_posix());
    while (commands->nonce == 0);
    commands->found = false;
    return (Command){.kind = kind,
                     .based_on = commands->applied,
                     .author = {cluster->uuid, AUTHOR_SIZE},
                     .nonce = commands->nonce};
}

static bool may_be_there(ErrCode code) {
    return code == ERR_OK || code == ERR_BROKER_DOWN || code == ERR_LEADER_MOVED;
}

/* Writes it until it is there, and reads to the end: commands.found says whether it counts. */
static ErrCode command_write(KafkaCluster *cluster, const Command *command, Bytes value,
                             Err *err) {
    Commands *commands = &cluster->commands;
    int64_t end_us = io_posix_mono_us() + COMMAND_TIMEOUT_MS * (int64_t)1000;
    int64_t based_on = commands->applied;
    uint8_t key[COMMAND_KEY_SIZE];
    SentRecord record = {cluster->commands_topic, {key, sizeof key}, value};
    command_record_key(command->nonce, key);
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
        topics[count].config_count =
            cluster->config->keeps_all ? topic_configs_keep(pairs)
                                       : topic_configs(item.config, arena, pairs);
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

/* All that comes before the command is written: people may give it up. */
static ErrCode command_prepare(KafkaCluster *cluster, const Commit *commit, Arena *arena,
                               Err *err) {
    ErrCode code;
    patience_begin(cluster->storage, &cluster->trouble, 0);
    TRY_DONE(cluster_check(cluster, err));
    TRY_DONE(members_check(cluster, err));
    TRY_DONE(commands_read(cluster, err));
    TRY_DONE(command_topics(cluster, commit, arena, err));
done:
    patience_end();
    return code;
}

static ErrCode command_run(KafkaCluster *cluster, const Commit *commit, Arena *arena, Err *err) {
    Buf value = {0};
    ErrCode code;
    TRY(command_prepare(cluster, commit, arena, err));
    kill_point_pass(KILL_BEFORE_COMMAND);
    Command command = command_of(cluster, COMMAND_CHANGE);
    command.statement = commit_statement_of(commit);
    command_record_encode(&command, &value);
    commit_save(commit, &value);
    TRY_DONE(command_write(cluster, &command, buf_view(&value), err));
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
        Buf value = {0};
        kill_point_pass(KILL_AFTER_COMMAND);
        command_note(cluster->commands.applied, cluster->commands.applied_nonce, &value);
        ClusterNote note = {bytes_of(note_command), buf_view(&value)};
        commit_accept(commit, NULL, &note, 1);
        buf_free(&value);
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

static ErrCode command_first(KafkaCluster *cluster, Err *err) {
    Buf value = {0};
    assert(cluster->commands.applied == -1);
    Command command = command_of(cluster, COMMAND_SERVICE);
    command.slots = cluster->config->slots;
    command_record_encode(&command, &value);
    cluster->commands.nonce = 0; /* applied as anybody's */
    ErrCode code = command_write(cluster, &command, buf_view(&value), err);
    buf_free(&value);
    return code;
}

/* How far the folder is. */
static ErrCode commands_noted(KafkaCluster *cluster, Arena *arena, Err *err) {
    Commands *commands = &cluster->commands;
    Bytes value;
    TRY(note_read(cluster->storage, bytes_of(note_slots), arena, &value, err));
    Reader reader = reader_of(value);
    cluster->slot_count = value.size > 0 ? reader_u32_le(&reader) : 0;
    TRY(note_read(cluster->storage, bytes_of(note_command), arena, &value, err));
    reader = reader_of(value);
    commands->applied = value.size > 0 ? (int64_t)reader_u64_le(&reader) : -1;
    commands->applied_nonce = value.size > 0 ? reader_u64_le(&reader) : 0;
    return ERR_OK;
}

/* Reads from the last one that the folder has, or from the first. */
static ErrCode commands_tail(KafkaCluster *cluster, Err *err) {
    Commands *commands = &cluster->commands;
    bool fresh = commands->applied < 0;
    Err why;
    KafkaTailOptions options = {.topic = cluster->commands_topic,
                                .from = fresh ? 0 : commands->applied,
                                .record = command_seen, .context = cluster};
    ErrCode code = kafka_tail_open(cluster->admin, &options, &commands->tail, &why);
    if (code == ERR_NOT_FOUND && fresh)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "%.500s: the service's first statements were deleted, and its queries "
                       "cannot be told without them", why.message);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "%.500s: statements that the folder has were deleted, or the topic was made "
                       "anew: use another folder", why.message);
    if (code != ERR_OK)
        *err = why;
    return code;
}

static ErrCode commands_catch_up(KafkaCluster *cluster, Err *err) {
    Commands *commands = &cluster->commands;
    TRY(commands_tail(cluster, err));
    TRY(commands_read(cluster, err));
    if (commands->applied < 0)
        TRY(command_first(cluster, err));
    if (cluster->slot_count == 0)
        return err_set(err, ERR_CORRUPT,
                       "Topic %s: its first command does not say how many slots the service has",
                       cluster->commands_topic);
    return service_positions_topic(cluster, err);
}

ErrCode commands_open(KafkaCluster *cluster, Err *err) {
    Arena *arena = arena_new("kafka commands", 0);
    ErrCode code;
    TRY_DONE(check_folder(cluster, arena, err));
    TRY_DONE(commands_noted(cluster, arena, err));
    TRY_DONE(service_topics(cluster, err));
    TRY_DONE(members_join(cluster, err));
    TRY_DONE(commands_catch_up(cluster, err));
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
    const char *topic;
    int64_t applied;
    KafkaStatementFn *seen;
    void *context;
} Statements;

/* A KafkaRecordFn: as command_seen(), without doing anything. */
static ErrCode statement_record(void *context, const LogRecord *record, Err *err) {
    Statements *statements = context;
    Command command;
    if (!command_record_is(record))
        return ERR_OK;
    TRY(command_record_decode(statements->topic, record, &command, err));
    if (command.based_on != statements->applied)
        return ERR_OK;
    statements->applied = record->offset;
    if (command.kind == COMMAND_CHANGE)
        statements->seen(statements->context, command.statement);
    return ERR_OK;
}

ErrCode kafka_cluster_statements(Cluster *base, KafkaStatementFn *seen, void *context,
                                 Err *err) {
    KafkaCluster *cluster = (KafkaCluster *)base;
    Statements statements = {.topic = cluster->commands_topic, .applied = -1, .seen = seen,
                             .context = context};
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
