/*
 * admin_offset.c - where partitions begin and end, and where consumer groups are.
 */
#include <assert.h>

#include "base/mem.h"
#include "kafka/admin_impl.h"
#include "kafka/patience.h"

typedef struct OffsetAsk {
    const KafkaPartition *partitions;
    uint32_t count;
    int64_t what; /* a time, or RD_KAFKA_OFFSET_BEGINNING, _END */
    const char *failed; /* topic */
} OffsetAsk;

/* One request to each leader. */
static ErrCode offsets_request(KafkaAdmin *admin, OffsetAsk *ask, int timeout_ms,
                               rd_kafka_topic_partition_list_t **answer, Err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)ask->count);
    for (uint32_t i = 0; i < ask->count; i++)
        rd_kafka_topic_partition_list_add(list, ask->partitions[i].topic,
                                          (int32_t)ask->partitions[i].partition)
            ->offset = ask->what;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(admin->handle, list, timeout_ms);
    (void)rd_kafka_poll(admin->handle, 0);
    ask->failed = ask->partitions[0].topic;
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        ask->failed = ask->partitions[i].topic;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = list->elems[i].err;
        break;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_trouble_over(admin->client->trouble);
        *answer = list;
        return ERR_OK;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return kafka_error(err, code, "Offsets of topic %s", ask->failed);
}

/* The same; what librdkafka believes of a topic that has changed is asked for anew, and a partition
 * that is so new that its leader does not know yet is waited for. */
static ErrCode offsets_ask(KafkaAdmin *admin, OffsetAsk *ask,
                           rd_kafka_topic_partition_list_t **answer, Err *err) {
    KafkaTopic topic;
    int64_t end_us = kafka_admin_end_us(admin->timeout_ms);
    int slice_ms = 0;
    for (bool asked = false;; asked = true) {
        TRY(patience_check(err));
        ErrCode code = offsets_request(admin, ask, patience_slice(end_us, &slice_ms), answer, err);
        /* Of a topic that is there it passes: its partitions have no leader for a moment. */
        bool unknown = code == ERR_TOPIC_MISSING;
        if (!(unknown && !asked) &&
            !kafka_admin_again(admin, unknown ? ERR_LEADER_MOVED : code, end_us))
            return code;
        TRY(kafka_admin_topic(admin, ask->failed, &topic, err));
    }
}

static int64_t offset_of(rd_kafka_topic_partition_list_t *list, uint32_t index,
                         const KafkaPartition *where) {
    rd_kafka_topic_partition_t *found = &list->elems[index];
    if ((uint32_t)found->partition != where->partition || strcmp(found->topic, where->topic) != 0)
        found = rd_kafka_topic_partition_list_find(list, where->topic,
                                                   (int32_t)where->partition);
    assert(found);
    return found->offset;
}

ErrCode kafka_admin_offsets_of(KafkaAdmin *admin, KafkaPartition *partitions, uint32_t count,
                               Err *err) {
    assert(count > 0);
    OffsetAsk ask = {.partitions = partitions, .count = count, .what = RD_KAFKA_OFFSET_BEGINNING};
    rd_kafka_topic_partition_list_t *starts, *ends;
    TRY(offsets_ask(admin, &ask, &starts, err));
    ask.what = RD_KAFKA_OFFSET_END;
    ErrCode code = offsets_ask(admin, &ask, &ends, err);
    if (code == ERR_OK) {
        assert(starts->cnt == (int)count && ends->cnt == (int)count);
        for (uint32_t i = 0; i < count; i++)
            partitions[i].offsets = (KafkaOffsets){offset_of(starts, i, &partitions[i]),
                                                   offset_of(ends, i, &partitions[i])};
        rd_kafka_topic_partition_list_destroy(ends);
    }
    rd_kafka_topic_partition_list_destroy(starts);
    return code;
}

ErrCode kafka_admin_offsets(KafkaAdmin *admin, const char *name, uint32_t count,
                            KafkaOffsets *offsets, Err *err) {
    assert(count > 0);
    KafkaPartition *partitions = mem_array(count, sizeof *partitions);
    for (uint32_t i = 0; i < count; i++)
        partitions[i] = (KafkaPartition){.topic = name, .partition = i};
    ErrCode code = kafka_admin_offsets_of(admin, partitions, count, err);
    for (uint32_t i = 0; code == ERR_OK && i < count; i++)
        offsets[i] = partitions[i].offsets;
    mem_free(partitions);
    return code;
}

static ErrCode offset_one(KafkaAdmin *admin, OffsetAsk *ask, int64_t *offset, Err *err) {
    rd_kafka_topic_partition_list_t *list;
    assert(ask->count == 1);
    TRY(offsets_ask(admin, ask, &list, err));
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return ERR_OK;
}

ErrCode kafka_admin_offset_of_time(KafkaAdmin *admin, const char *name, uint32_t partition,
                                   int64_t timestamp, int64_t *offset, Err *err) {
    const KafkaPartition where = {.topic = name, .partition = partition};
    OffsetAsk ask = {.partitions = &where, .count = 1, .what = timestamp < 0 ? 0 : timestamp};
    TRY(offset_one(admin, &ask, offset, err));
    if (*offset >= 0)
        return ERR_OK;
    ask.what = RD_KAFKA_OFFSET_END;
    return offset_one(admin, &ask, offset, err);
}

/* -- Consumer groups --------------------------------------------------------------------------- */

typedef struct GroupCall {
    KafkaAdmin *admin;
    const KafkaTopic *topic;
    const KafkaOffsets *offsets;
    Arena *arena;
    KafkaGroup *groups;
    uint32_t count;
} GroupCall;

/* What the group has not read of the topic; below 0: it has no offset of it. */
static ErrCode group_lag(GroupCall *call, const char *id, int64_t *lag, Err *err) {
    AdminRequest request;
    size_t count = 0;
    ErrCode code;
    rd_kafka_ListConsumerGroupOffsets_t *ask = rd_kafka_ListConsumerGroupOffsets_new(id, NULL);
    *lag = -1;
    TRY_DONE(kafka_admin_begin(call->admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, &request,
                               err));
    rd_kafka_ListConsumerGroupOffsets(call->admin->handle, &ask, 1, request.options,
                                      request.queue);
    TRY_DONE(kafka_admin_wait(call->admin, &request, "Offsets of a consumer group", err));
    const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(request.event), &count);
    const rd_kafka_topic_partition_list_t *list =
        count > 0 ? rd_kafka_group_result_partitions(results[0]) : NULL;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        if (strcmp(at->topic, call->topic->name) != 0 || at->offset < 0 ||
            (uint32_t)at->partition >= call->topic->partitions)
            continue;
        int64_t left = call->offsets[at->partition].end - at->offset;
        *lag = (*lag < 0 ? 0 : *lag) + (left > 0 ? left : 0);
    }
done:
    rd_kafka_ListConsumerGroupOffsets_destroy(ask);
    kafka_admin_end(&request);
    return code;
}

/* Who of the group reads the topic now. */
static uint32_t group_readers(const rd_kafka_ConsumerGroupDescription_t *group,
                              const char *topic) {
    uint32_t readers = 0;
    size_t members = rd_kafka_ConsumerGroupDescription_member_count(group);
    for (size_t i = 0; i < members; i++) {
        const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(
            rd_kafka_ConsumerGroupDescription_member(group, i));
        const rd_kafka_topic_partition_list_t *list =
            assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
        bool reads = false;
        for (int k = 0; list && k < list->cnt; k++)
            reads = reads || strcmp(list->elems[k].topic, topic) == 0;
        readers += reads;
    }
    return readers;
}

static ErrCode groups_described(GroupCall *call, const char **ids, size_t id_count, Err *err) {
    AdminRequest request;
    size_t count = 0;
    ErrCode code;
    TRY_DONE(kafka_admin_begin(call->admin, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, &request,
                               err));
    rd_kafka_DescribeConsumerGroups(call->admin->handle, ids, id_count, request.options,
                                    request.queue);
    TRY_DONE(kafka_admin_wait(call->admin, &request, "Consumer groups", err));
    const rd_kafka_ConsumerGroupDescription_t **all =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(request.event), &count);
    call->groups = arena_array(call->arena, count, sizeof *call->groups);
    for (size_t i = 0; i < count; i++) {
        const char *id = rd_kafka_ConsumerGroupDescription_group_id(all[i]);
        int64_t lag;
        uint32_t readers = group_readers(all[i], call->topic->name);
        TRY_DONE(group_lag(call, id, &lag, err));
        if (lag < 0 && readers == 0)
            continue;
        call->groups[call->count++] = (KafkaGroup){
            .id = arena_strdup(call->arena, id),
            .state = rd_kafka_consumer_group_state_name(
                rd_kafka_ConsumerGroupDescription_state(all[i])),
            .members = readers,
            .lag = lag < 0 ? 0 : lag};
    }
done:
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_groups(KafkaAdmin *admin, const KafkaTopic *topic, Arena *arena,
                           KafkaGroup **groups, uint32_t *count, Err *err) {
    assert(topic->partitions > 0);
    AdminRequest request;
    size_t listed = 0;
    ErrCode code;
    KafkaOffsets *offsets = arena_array(arena, topic->partitions, sizeof *offsets);
    GroupCall call = {.admin = admin, .topic = topic, .offsets = offsets, .arena = arena};
    TRY(kafka_admin_offsets(admin, topic->name, topic->partitions, offsets, err));
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, &request, err));
    rd_kafka_ListConsumerGroups(admin->handle, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Consumer groups", err));
    const rd_kafka_ConsumerGroupListing_t **all = rd_kafka_ListConsumerGroups_result_valid(
        rd_kafka_event_ListConsumerGroups_result(request.event), &listed);
    const char **ids = arena_array(arena, listed, sizeof *ids);
    for (size_t i = 0; i < listed; i++)
        ids[i] = rd_kafka_ConsumerGroupListing_group_id(all[i]);
    if (listed > 0)
        TRY_DONE(groups_described(&call, ids, listed, err));
    *groups = call.groups;
    *count = call.count;
done:
    kafka_admin_end(&request);
    return code;
}

static rd_kafka_topic_partition_list_t *position_list(const KafkaPosition *positions,
                                                      uint32_t count) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (uint32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, positions[i].topic,
                                          (int32_t)positions[i].partition)
            ->offset = positions[i].offset;
    return list;
}

ErrCode kafka_admin_group_set(KafkaAdmin *admin, const char *group, const KafkaPosition *positions,
                              uint32_t count, Err *err) {
    assert(count > 0);
    AdminRequest request;
    size_t answered = 0;
    ErrCode code;
    rd_kafka_topic_partition_list_t *list = position_list(positions, count);
    rd_kafka_AlterConsumerGroupOffsets_t *alter = rd_kafka_AlterConsumerGroupOffsets_new(group,
                                                                                         list);
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, &request, err));
    rd_kafka_AlterConsumerGroupOffsets(admin->handle, &alter, 1, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Offsets of a consumer group", err));
    const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(request.event), &answered);
    const rd_kafka_error_t *error =
        answered > 0 ? rd_kafka_group_result_error(results[0]) : NULL;
    if (error)
        code = kafka_error(err, rd_kafka_error_code(error), "Offsets of consumer group %s", group);
done:
    rd_kafka_AlterConsumerGroupOffsets_destroy(alter);
    rd_kafka_topic_partition_list_destroy(list);
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_trim(KafkaAdmin *admin, const KafkaPosition *positions, uint32_t count,
                         Err *err) {
    assert(count > 0);
    AdminRequest request;
    ErrCode code;
    rd_kafka_topic_partition_list_t *list = position_list(positions, count);
    rd_kafka_DeleteRecords_t *trim = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS, &request, err));
    rd_kafka_DeleteRecords(admin->handle, &trim, 1, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Deleting records", err));
    const rd_kafka_topic_partition_list_t *results = rd_kafka_DeleteRecords_result_offsets(
        rd_kafka_event_DeleteRecords_result(request.event));
    for (int i = 0; i < results->cnt && code == ERR_OK; i++)
        code = kafka_error(err, results->elems[i].err, "Deleting records of topic %s",
                           results->elems[i].topic);
done:
    rd_kafka_DeleteRecords_destroy(trim);
    kafka_admin_end(&request);
    return code;
}
