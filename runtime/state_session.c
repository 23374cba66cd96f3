/*
 * state_session.c - see state_session.h: finding and changing sessions.
 */
#include "runtime/state_session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "runtime/state_session_impl.h"

enum { SERIAL_SIZE = 8, CHAINS_MIN = 16 };

Bytes session_row_key(const Slot *slot) {
    assert(slot->key_size > SERIAL_SIZE);
    return (Bytes){slot->key, slot->key_size - SERIAL_SIZE};
}

/* -- The sessions of a key -------------------------------------------------------------------- */

static bool chain_is(const SessionChain *chain, SessionKey key) {
    assert(chain->last);
    return chain->hash == key.hash && bytes_equal(session_row_key(chain->last), key.key);
}

/* The key's chain, or the free place for it. */
static SessionChain *chain_find(const StateSession *sessions, SessionKey key) {
    assert(key.key.size > 0 && sessions->chain_count <= sessions->mask);
    uint64_t at = key.hash & sessions->mask;
    while (sessions->chains[at].last && !chain_is(&sessions->chains[at], key))
        at = (at + 1) & sessions->mask;
    return &sessions->chains[at];
}

Slot *state_session_last(const StateSession *sessions, SessionKey key) {
    assert(key.key.data);
    return chain_find(sessions, key)->last;
}

static void chains_grow(StateSession *sessions) {
    uint32_t size = (sessions->mask + 1) * 2;
    assert(size > sessions->mask);
    SessionChain *chains = mem_array(size, sizeof *chains);
    for (uint32_t i = 0; i <= sessions->mask; i++) {
        const SessionChain *chain = &sessions->chains[i];
        uint64_t at = chain->hash & (size - 1);
        while (chain->last && chains[at].last)
            at = (at + 1) & (size - 1);
        if (chain->last)
            chains[at] = *chain;
    }
    mem_free(sessions->chains);
    sessions->chains = chains;
    sessions->mask = size - 1;
}

/* Chains behind it move up unless they would leave the cluster of their own place. */
static void chain_remove(StateSession *sessions, SessionChain *chain) {
    uint64_t at = (uint64_t)(chain - sessions->chains), mask = sessions->mask;
    assert(at <= mask && sessions->chain_count > 0);
    for (uint64_t next = (at + 1) & mask; sessions->chains[next].last; next = (next + 1) & mask) {
        uint64_t home = sessions->chains[next].hash & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            sessions->chains[at] = sessions->chains[next];
            at = next;
        }
    }
    sessions->chains[at] = (SessionChain){0};
    sessions->chain_count--;
}

static bool comes_after(const Session *left, const Session *right) {
    return left->end != right->end ? left->end > right->end : left->start > right->start;
}

/* Into its key's chain, at its place by end. */
static void chain_link(StateSession *sessions, Slot *slot) {
    if (sessions->chain_count * 2 >= sessions->mask)
        chains_grow(sessions);
    SessionKey key = {session_row_key(slot), slot->hash};
    SessionChain *chain = chain_find(sessions, key);
    Session *session = session_of(slot);
    Slot *later = NULL, *earlier = chain->last;
    sessions->chain_count += !chain->last;
    while (earlier && comes_after(session_of(earlier), session)) {
        later = earlier;
        earlier = session_of(earlier)->earlier;
    }
    assert(slot != earlier && slot != later);
    session->earlier = earlier;
    session->later = later;
    if (earlier)
        session_of(earlier)->later = slot;
    if (later)
        session_of(later)->earlier = slot;
    else
        *chain = (SessionChain){slot->hash, slot};
}

static void chain_unlink(StateSession *sessions, Slot *slot) {
    Session *session = session_of(slot);
    Slot *earlier = session->earlier, *later = session->later;
    if (!later) {
        SessionChain *chain =
            chain_find(sessions, (SessionKey){session_row_key(slot), slot->hash});
        assert(chain->last == slot);
        if (earlier)
            chain->last = earlier;
        else
            chain_remove(sessions, chain);
    } else {
        session_of(later)->earlier = earlier;
    }
    if (earlier)
        session_of(earlier)->later = later;
    session->earlier = session->later = NULL;
}

/* -- Heaps by end ----------------------------------------------------------------------------- */

static void heap_set(SessionHeap *heap, size_t index, Slot *slot) {
    assert(index < heap->count && heap->count <= UINT32_MAX);
    heap->slots[index] = slot;
    session_of(slot)->place = (uint32_t)index + 1;
}

static void heap_up(SessionHeap *heap, size_t index) {
    Slot *slot = heap->slots[index];
    for (; index > 0; index = (index - 1) / 2) {
        Slot *parent = heap->slots[(index - 1) / 2];
        if (session_of(parent)->due <= session_of(slot)->due)
            break;
        heap_set(heap, index, parent);
    }
    heap_set(heap, index, slot);
}

static void heap_down(SessionHeap *heap, size_t index) {
    Slot *slot = heap->slots[index];
    for (size_t child; (child = index * 2 + 1) < heap->count; index = child) {
        if (child + 1 < heap->count && session_of(heap->slots[child + 1])->due <
                                           session_of(heap->slots[child])->due)
            child++;
        if (session_of(slot)->due <= session_of(heap->slots[child])->due)
            break;
        heap_set(heap, index, heap->slots[child]);
    }
    heap_set(heap, index, slot);
}

static void heap_add(StateSession *sessions, Slot *slot) {
    Session *session = session_of(slot);
    assert(session->place == 0 && session->wait < SESSION_WAITS);
    SessionHeap *heap = &sessions->heaps[session->wait];
    heap->slots = mem_grow(heap->slots, &heap->capacity, heap->count + 1, sizeof *heap->slots);
    heap->slots[heap->count++] = slot;
    heap_up(heap, heap->count - 1);
}

static void heap_remove(StateSession *sessions, Slot *slot) {
    Session *session = session_of(slot);
    SessionHeap *heap = &sessions->heaps[session->wait];
    size_t index = session->place - 1u;
    assert(session->place > 0 && heap->slots[index] == slot);
    session->place = 0;
    Slot *last = heap->slots[--heap->count];
    if (last == slot)
        return;
    heap_set(heap, index, last);
    heap_up(heap, index);
    heap_down(heap, session_of(last)->place - 1u);
}

/* The session that is due first with due < limit, queued under its present end; NULL: none. */
static Slot *heap_due(SessionHeap *heap, int64_t limit) {
    while (heap->count > 0) {
        Slot *slot = heap->slots[0];
        Session *session = session_of(slot);
        assert(session->due <= session->end);
        if (session->due >= limit)
            return NULL;
        if (session->due == session->end)
            return slot;
        session->due = session->end;
        heap_down(heap, 0);
    }
    return NULL;
}

/* -- Changes ---------------------------------------------------------------------------------- */

void session_link(StateSession *sessions, Slot *slot) {
    Session *session = session_of(slot);
    assert(slot->present);
    session->place = 0;
    session->due = session->end;
    chain_link(sessions, slot);
    heap_add(sessions, slot);
}

void session_unlink(StateSession *sessions, Slot *slot) {
    assert(session_of(slot)->place > 0);
    chain_unlink(sessions, slot);
    heap_remove(sessions, slot);
}

/* Ends before it are gone at this stream time. */
static int64_t expired_before(const StateSession *sessions, int64_t stream_time) {
    assert(sessions->retention_ms > 0);
    return stream_time < sessions->retention_ms ? 0 : stream_time - sessions->retention_ms + 1;
}

void state_session_find(StateSession *sessions, SessionKey key, int64_t rowtime, int64_t before,
                        SessionList *found) {
    assert(rowtime >= 0);
    assert(found->count == 0);
    int64_t end_min = rowtime - sessions->gap_ms;
    int64_t kept = expired_before(sessions, before);
    int64_t open = sessions->stream_time - sessions->grace_ms - sessions->gap_ms;
    if (sessions->final != FINAL_NONE && end_min < open)
        end_min = open;
    if (sessions->final != FINAL_COMPLETE && end_min < kept)
        end_min = kept;
    Slot *slot = state_session_last(sessions, key);
    for (; slot && session_of(slot)->end >= end_min; slot = session_of(slot)->earlier) {
        if (session_of(slot)->start > rowtime && session_of(slot)->start - rowtime >
                                                     sessions->gap_ms)
            continue;
        found->slots = mem_grow(found->slots, &found->capacity, found->count + 1,
                                sizeof *found->slots);
        found->slots[found->count++] = slot;
    }
    for (size_t i = 0; i < found->count / 2; i++) {
        Slot *swap = found->slots[i];
        found->slots[i] = found->slots[found->count - 1 - i];
        found->slots[found->count - 1 - i] = swap;
    }
}

/* The slot of a session that is not there yet: its key ends in a number of its own. */
static Slot *make_slot(StateSession *sessions, SessionKey key, bool load) {
    assert(key.key.size > 0);
    assert(key.key.size < UINT32_MAX - SERIAL_SIZE);
    uint8_t small[256];
    uint8_t *bytes = key.key.size + SERIAL_SIZE > sizeof small
                         ? mem_alloc(key.key.size + SERIAL_SIZE)
                         : small;
    memcpy(bytes, key.key.data, key.key.size);
    memcpy(bytes + key.key.size, &sessions->next_serial, SERIAL_SIZE);
    sessions->next_serial++;
    Bytes whole = {bytes, key.key.size + SERIAL_SIZE};
    Slot *slot = load ? slot_table_load(&sessions->slots, key.hash, whole)
                      : slot_table_touch(&sessions->slots, key.hash, whole);
    if (bytes != small)
        mem_free(bytes);
    return slot;
}

static void forget(StateSession *sessions, Slot *slot) {
    assert(slot->present);
    slot_table_retouch(&sessions->slots, slot);
    store_layout_forget(sessions->spec.layout, &sessions->slots, slot);
    state_session_remove(sessions, slot);
}

/* One that is not found any more may lie where another has come to: that one replaces it. */
static void replace_twin(StateSession *sessions, Slot *slot) {
    const Session *session = session_of(slot);
    Slot *others[] = {session->earlier, session->later};
    for (uint32_t i = 0; i < 2; i++) {
        if (others[i] && session_of(others[i])->start == session->start &&
            session_of(others[i])->end == session->end)
            forget(sessions, others[i]);
    }
    assert(slot->present);
}

Slot *state_session_add(StateSession *sessions, SessionKey key, int64_t start, int64_t end) {
    assert(start >= 0 && start <= end);
    Slot *slot = make_slot(sessions, key, false);
    slot_table_set_present(&sessions->slots, slot, true);
    Session *session = session_of(slot);
    session->start = start;
    session->end = slot->rowtime = end;
    session->changed = sessions->log.epoch;
    session->wait = sessions->final ? SESSION_OPEN : SESSION_KEPT;
    session_link(sessions, slot);
    replace_twin(sessions, slot);
    return slot;
}

Slot *session_load(StateSession *sessions, SessionKey key, int64_t start, int64_t end) {
    assert(start <= end);
    Slot *slot = make_slot(sessions, key, true);
    Session *session = session_of(slot);
    session->start = start;
    session->end = end;
    return slot;
}

void state_session_grow(StateSession *sessions, Slot *slot, int64_t start, int64_t end) {
    assert(slot->present && start <= session_of(slot)->start);
    slot_table_retouch(&sessions->slots, slot);
    Session *session = session_of(slot);
    assert(end >= session->end);
    session->changed = sessions->log.epoch;
    session->start = start;
    session->end = slot->rowtime = end;
    Slot *later = session->later, *earlier = session->earlier;
    if ((later && comes_after(session, session_of(later))) ||
        (earlier && comes_after(session_of(earlier), session))) {
        chain_unlink(sessions, slot); /* it passed one that is not found any more */
        chain_link(sessions, slot);
    }
    replace_twin(sessions, slot);
}

void state_session_remove(StateSession *sessions, Slot *slot) {
    assert(slot->present);
    slot_table_retouch(&sessions->slots, slot);
    session_unlink(sessions, slot);
    slot_table_set_present(&sessions->slots, slot, false);
}

static int compare_closed(const void *left_void, const void *right_void) {
    Slot *left_slot = *(Slot *const *)left_void, *right_slot = *(Slot *const *)right_void;
    const Session *left = session_of(left_slot), *right = session_of(right_slot);
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return bytes_compare(session_row_key(left_slot), session_row_key(right_slot));
}

void state_session_close(StateSession *sessions, int64_t close_time, size_t wanted,
                         SessionList *closed) {
    assert(sessions->final && wanted > 0);
    size_t before = closed->count;
    for (Slot *slot; (slot = heap_due(&sessions->heaps[SESSION_OPEN], close_time)) != NULL;) {
        if (closed->count - before >= wanted &&
            session_of(slot)->end > session_of(closed->slots[closed->count - 1])->end)
            break;
        slot_table_retouch(&sessions->slots, slot);
        heap_remove(sessions, slot);
        session_of(slot)->wait = SESSION_KEPT;
        heap_add(sessions, slot);
        closed->slots = mem_grow(closed->slots, &closed->capacity, closed->count + 1,
                                 sizeof *closed->slots);
        closed->slots[closed->count++] = slot;
    }
    assert(closed->count >= before);
    if (closed->count > before)
        qsort(closed->slots + before, closed->count - before, sizeof *closed->slots,
              compare_closed);
}

bool state_session_closes(StateSession *sessions, int64_t close_time) {
    assert(sessions->final);
    return heap_due(&sessions->heaps[SESSION_OPEN], close_time) != NULL;
}

int64_t state_session_first_end(StateSession *sessions) {
    assert(sessions->final != FINAL_NONE);
    Slot *slot = heap_due(&sessions->heaps[SESSION_OPEN], INT64_MAX);
    return slot ? session_of(slot)->end : INT64_MAX;
}

void state_session_expire(StateSession *sessions) {
    if (sessions->stream_time == INT64_MIN)
        return;
    int64_t gone = expired_before(sessions, sessions->stream_time);
    assert(gone >= 0);
    for (Slot *slot; (slot = heap_due(&sessions->heaps[SESSION_KEPT], gone)) != NULL;)
        forget(sessions, slot);
}

void session_init(StateSession *sessions) {
    const PlanWindow *plan = &sessions->spec.layout->node->window;
    assert(plan->kind == WINDOW_SESSION && plan->size_ms > 0);
    sessions->gap_ms = plan->size_ms;
    sessions->grace_ms = plan->grace_ms;
    sessions->final = plan->final;
    int64_t kept_ms = plan->size_ms + plan->grace_ms;
    sessions->retention_ms = plan->retention_ms > kept_ms ? plan->retention_ms : kept_ms;
    sessions->stream_time = INT64_MIN;
    sessions->stream_time_submitted = sessions->stream_time_settled = INT64_MIN;
    state_given_init(&sessions->given, -1);
    sessions->mask = CHAINS_MIN - 1;
    sessions->chains = mem_array(CHAINS_MIN, sizeof *sessions->chains);
    state_log_init(&sessions->log, sessions->spec.layout->fixed_size);
    slot_table_init(&sessions->slots, &sessions->log);
}
