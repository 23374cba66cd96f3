/*
 * state_given.c - see state_given.h.
 */
#include "runtime/state_given.h"

#include <assert.h>

static void mark_set(GivenMark *mark, int64_t until, Bytes key) {
    assert(until >= -1);
    mark->until = until;
    buf_reset(&mark->key);
    buf_bytes(&mark->key, key);
}

static void mark_copy(GivenMark *mark, const GivenMark *from) {
    assert(mark != from);
    mark_set(mark, from->until, buf_view(&from->key));
}

void state_given_init(StateGiven *given, int64_t until) {
    assert(until >= -1);
    mark_set(&given->now, until, (Bytes){0});
    mark_set(&given->submitted, until, (Bytes){0});
    mark_set(&given->settled, until, (Bytes){0});
}

void state_given_close(StateGiven *given) {
    assert(given);
    buf_free(&given->now.key);
    buf_free(&given->submitted.key);
    buf_free(&given->settled.key);
}

void state_given_move(StateGiven *given, int64_t until) {
    assert(until >= given->now.until);
    mark_set(&given->now, until, (Bytes){0});
}

void state_given_key(StateGiven *given, Bytes key) {
    assert(key.size > 0);
    mark_set(&given->now, given->now.until, key);
}

bool state_given_changed(const StateGiven *given) {
    assert(given);
    return given->now.until != given->submitted.until ||
           !bytes_equal(buf_view(&given->now.key), buf_view(&given->submitted.key));
}

void state_given_submit(StateGiven *given) {
    assert(given->now.until >= given->submitted.until);
    mark_copy(&given->submitted, &given->now);
}

void state_given_settle(StateGiven *given) {
    assert(given->submitted.until >= given->settled.until);
    mark_copy(&given->settled, &given->submitted);
}

void state_given_undo(StateGiven *given, bool submitted_too) {
    assert(given);
    if (submitted_too)
        mark_copy(&given->submitted, &given->settled);
    mark_copy(&given->now, &given->submitted);
}

void state_given_put(const StateGiven *given, Buf *out) {
    assert(out);
    buf_zigzag(out, given->now.until);
    buf_varint(out, given->now.key.size);
    buf_bytes(out, buf_view(&given->now.key));
}

bool state_given_get(StateGiven *given, Reader *in) {
    assert(given);
    int64_t until = reader_zigzag(in);
    uint64_t size = reader_varint(in);
    if (!reader_ok(in) || until < -1 || size > reader_left(in))
        return false;
    Bytes key = reader_bytes(in, (uint32_t)size);
    state_given_init(given, until);
    mark_set(&given->now, until, key);
    mark_copy(&given->submitted, &given->now);
    mark_copy(&given->settled, &given->now);
    return reader_ok(in);
}
