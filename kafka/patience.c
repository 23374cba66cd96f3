/* patience.c - see patience.h. */
#include "kafka/patience.h"

#include <assert.h>

#include "base/io.h"

enum { SLICE_FIRST_MS = 300, SLICE_MS_MAX = 5000 };

/* Of the thread; storage NULL: nobody may stop it. */
static _Thread_local struct {
    Storage *storage;
    KafkaTrouble *trouble;
    uint32_t memory;
} patience;

void patience_begin(Storage *storage, KafkaTrouble *trouble, uint32_t memory) {
    assert(storage && trouble);
    assert(!patience.storage);
    patience.storage = storage;
    patience.trouble = trouble;
    patience.memory = memory;
}

void patience_end(void) {
    patience.storage = NULL;
}

ErrCode patience_check(Err *err) {
    int64_t since_ms;
    Err why;
    if (!patience.storage)
        return ERR_OK;
    bool troubled = kafka_trouble_now(patience.trouble, &since_ms, &why) != ERR_OK;
    if (storage_wait_on(patience.storage, troubled ? &why : NULL, since_ms, &patience.memory))
        return ERR_OK;
    return err_set(err, ERR_CANCELLED, "The statement was interrupted while it waited for the "
                   "cluster%s%s", troubled ? ": " : "", troubled ? why.message : "");
}

int patience_slice(int64_t end_us, int *slice_ms) {
    int64_t left_ms = (end_us - io_posix_mono_us()) / 1000;
    assert(*slice_ms >= 0);
    if (!patience.storage)
        *slice_ms = SLICE_MS_MAX * 100;
    else
        *slice_ms = *slice_ms == 0 ? SLICE_FIRST_MS : *slice_ms * 2;
    if (patience.storage && *slice_ms > SLICE_MS_MAX)
        *slice_ms = SLICE_MS_MAX;
    return left_ms <= 0 ? 0 : left_ms < *slice_ms ? (int)left_ms : *slice_ms;
}
