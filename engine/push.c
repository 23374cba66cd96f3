/*
 * push.c - the push queries that somebody reads now.
 *
 * They belong to their results, which come and go without the engine's lock: the list has a lock of
 * its own, and who is in it is not freed while that is held.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"

void push_register(Weir *weir, WeirResult *result) {
    assert(result->push && result->queue);
    lock_take(&weir->push_lock);
    weir->pushes = mem_grow(weir->pushes, &weir->push_capacity, weir->push_open + 1,
                            sizeof *weir->pushes);
    weir->pushes[weir->push_open++] = result;
    lock_release(&weir->push_lock);
}

void push_forget(WeirResult *result) {
    Weir *weir = result->weir;
    lock_take(&weir->push_lock);
    size_t at = 0;
    while (at < weir->push_open && weir->pushes[at] != result)
        at++;
    if (at < weir->push_open) {
        weir->push_open--;
        memmove(weir->pushes + at, weir->pushes + at + 1,
                (weir->push_open - at) * sizeof *weir->pushes);
    }
    lock_release(&weir->push_lock);
}

void push_each(Weir *weir, void (*show)(void *context, const CatalogQuery *query),
               void *context) {
    assert(show);
    lock_take(&weir->push_lock);
    for (size_t i = 0; i < weir->push_open; i++)
        show(context, weir->pushes[i]->push);
    lock_release(&weir->push_lock);
}

bool push_cancel(Weir *weir, const char *id) {
    bool found = false;
    lock_take(&weir->push_lock);
    for (size_t i = 0; i < weir->push_open; i++) {
        const WeirResult *result = weir->pushes[i];
        if (id && strcasecmp(result->push->id, id) != 0)
            continue;
        result_queue_cancel(result->queue);
        found = true;
    }
    lock_release(&weir->push_lock);
    return found;
}
