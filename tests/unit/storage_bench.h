/*
 * storage_bench.h - what the tests of storage/ share: a storage on files in memory, driven by hand.
 */
#ifndef TESTS_UNIT_STORAGE_BENCH_H
#define TESTS_UNIT_STORAGE_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/io_mem.h"
#include "base/mem.h"
#include "storage/commit.h"
#include "storage/log.h"
#include "storage/store.h"

/* Fails the test with the message of the error. */
#define CHECK_OK(call)                                 \
    do {                                               \
        Err check_err_ = {0};                          \
        Err *err = &check_err_;                        \
        if ((call) != ERR_OK)                          \
            fail_msg("%s: %s", #call, err->message);   \
    } while (0)

#define CHECK_CODE(expected, call)                                              \
    do {                                                                        \
        Err check_err_ = {0};                                                   \
        Err *err = &check_err_;                                                 \
        ErrCode check_code_ = (call);                                           \
        if (check_code_ != (expected))                                          \
            fail_msg("%s: %s %s", #call, err_name(check_code_), err->message);  \
    } while (0)

static inline Storage *bench_open(Io *io, const StorageOptions *options) {
    Storage *storage = NULL;
    CHECK_OK(storage_open(io, "data", options, &storage, err));
    return storage;
}

static inline void bench_topic(Storage *storage, uint32_t *id, const char *name,
                               uint32_t partitions) {
    *id = storage_new_id(storage);
    Commit *commit = commit_new(storage, 0);
    commit_topic_create(commit, *id, name, partitions);
    CHECK_OK(commit_wait(commit, NULL, err));
}

/* A batch of `count` records whose values are text0, text1, ... */
static inline void bench_append(Commit *commit, TopicPartition where, const char *text,
                                uint32_t count) {
    RecordBatch batch = {0};
    for (uint32_t i = 0; i < count; i++) {
        Buf value = {0};
        buf_printf(&value, "%s%u", text, i);
        record_batch_add(&batch, &(LogRecord){.timestamp = 1000 + i, .value = buf_view(&value)});
        buf_free(&value);
    }
    record_batch_seal(&batch);
    commit_append(commit, where, &batch);
    record_batch_free(&batch);
}

/* The value of a key as text, "-" when it is absent; valid until the next call. */
static inline const char *bench_get(Snapshot *snapshot, uint32_t store_id, const char *key) {
    static char text[4096];
    Bytes value, wanted = bytes_of(key);
    CHECK_OK(store_get(snapshot, store_id, &wanted, 1, &value, err));
    if (!value.data)
        return "-";
    assert_true(value.size < sizeof text);
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return text;
}

/* All records of a partition from `offset` on, as "offset:value ..." */
static inline const char *bench_log(Storage *storage, TopicPartition where, int64_t offset) {
    static char text[65536];
    size_t used = 0;
    text[0] = '\0';
    for (;;) {
        LogBlock *block;
        CHECK_OK(log_fetch(storage, where, offset, 1 << 16, &block, err));
        if (!block)
            return text;
        Bytes left = log_block_bytes(block);
        while (left.size > 0) {
            RecordBatchInfo info;
            CHECK_OK(record_batch_check(left, &info, err));
            RecordIter iter;
            LogRecord record;
            record_iter_init(&iter, (Bytes){left.data, info.size});
            while (record_iter_next(&iter, &record)) {
                if (record.offset < offset)
                    continue;
                assert_int_equal(record.offset, offset);
                offset++;
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld:%.*s",
                                         used ? " " : "", (long long)record.offset,
                                         (int)record.value.size, (const char *)record.value.data);
                assert_true(used < sizeof text);
            }
            left = (Bytes){left.data + info.size, left.size - info.size};
        }
        log_block_unref(block);
    }
}

#endif
