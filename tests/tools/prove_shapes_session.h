/*
 * prove_shapes_session.h - the shape "session" beside an array of sessions.
 */
#ifndef TESTS_TOOLS_PROVE_SHAPES_SESSION_H
#define TESTS_TOOLS_PROVE_SHAPES_SESSION_H

#include "tests/tools/prove_shapes_group.h"

enum { SESSION_GAP = 10, SESSION_GRACE = 25, SESSION_MODELS = 256 };

typedef struct SessionModelRow {
    bool there, closed;
    uint32_t key;
    int64_t start, end;
    GroupModel group;
} SessionModelRow;

typedef struct SessionModel {
    int64_t stream_time;
    SessionModelRow rows[SESSION_MODELS]; /* in any order */
} SessionModel;

static inline StateSession *sessions_of(const ShapeWorld *world) {
    return (StateSession *)world->state;
}

static inline const StoreLayout *session_layout(ShapeWorld *world, uint32_t variant) {
    static const WindowFinal finals[] = {FINAL_NONE, FINAL_COMPLETE, FINAL_KSQLDB, FINAL_NONE};
    ((SessionModel *)world->now)->stream_time = INT64_MIN;
    memcpy(world->settled, world->now, world->shape->model_size);
    return group_layout(world, (PlanWindow){
        .kind = WINDOW_SESSION, .size_ms = SESSION_GAP, .advance_ms = SESSION_GAP,
        .grace_ms = SESSION_GRACE, .retention_ms = variant == 3 ? 90 : 0,
        .final = finals[variant]});
}

static inline ErrCode session_open(ShapeWorld *world, Snapshot *snapshot, Err *err) {
    StateSpec spec = {world->layout, SHAPE_STORE, snapshot};
    StateSession *sessions;
    TRY(state_session_new(&spec, &sessions, err));
    world->state = &sessions->state;
    return ERR_OK;
}

static inline int compare_rows(const void *left_void, const void *right_void) {
    const SessionModelRow *left = *(SessionModelRow *const *)left_void;
    const SessionModelRow *right = *(SessionModelRow *const *)right_void;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left->key < right->key ? -1 : left->key > right->key;
}

/* The sessions a row finds, by the rules, in order of end. */
static inline uint32_t model_find(SessionModel *model, const StateSession *sessions, uint32_t key,
                                  int64_t times[2], SessionModelRow **found) {
    uint32_t count = 0;
    int64_t rowtime = times[0], before = times[1];
    for (uint32_t i = 0; i < SESSION_MODELS; i++) {
        SessionModelRow *row = &model->rows[i];
        bool near = row->there && row->key == key && row->end >= rowtime - SESSION_GAP &&
                    row->start <= rowtime + SESSION_GAP;
        bool kept = before == INT64_MIN || row->end > before - sessions->retention_ms;
        bool open = row->end >= model->stream_time - SESSION_GRACE - SESSION_GAP;
        if (near && (sessions->final == FINAL_COMPLETE || kept) &&
            (sessions->final == FINAL_NONE || open))
            found[count++] = row;
    }
    qsort(found, count, sizeof *found, compare_rows);
    return count;
}

static inline void same_found(ShapeWorld *world, const SessionList *list,
                              SessionModelRow *const *found, uint32_t count) {
    SHAPE_CHECK(world, list->count == count);
    for (uint32_t i = 0; i < count; i++) {
        SHAPE_CHECK(world, session_of(list->slots[i])->start == found[i]->start);
        SHAPE_CHECK(world, session_of(list->slots[i])->end == found[i]->end);
    }
}

static inline SessionModelRow *model_room(ShapeWorld *world, SessionModel *model) {
    for (uint32_t i = 0; i < SESSION_MODELS; i++) {
        if (!model->rows[i].there)
            return &model->rows[i];
    }
    shape_fail(world, "the model is full");
}

/* The row's session, in both: what was found becomes one. */
static inline void session_join(ShapeWorld *world, const SessionList *list,
                                SessionModelRow **found, uint32_t key, int64_t rowtime) {
    SessionModel *model = world->now;
    StateSession *sessions = sessions_of(world);
    AggregateHeap *heap = &sessions->slots.blobs;
    SessionModelRow *row = list->count > 0 ? found[0] : model_room(world, model);
    GroupKey group = group_keys(world)[key];
    Slot *slot;
    if (list->count == 0) {
        *row = (SessionModelRow){.there = true, .key = key, .start = rowtime, .end = rowtime};
        slot = state_session_add(sessions, (SessionKey){group.key, group.hash}, rowtime, rowtime);
    } else {
        slot = list->slots[0];
        for (size_t i = 0; i < list->count; i++)
            slot_table_retouch(&sessions->slots, list->slots[i]);
        for (size_t i = 1; i < list->count; i++) {
            group_merge(world, heap, slot, list->slots[i]);
            state_session_remove(sessions, list->slots[i]);
            row->start = found[i]->start < row->start ? found[i]->start : row->start;
            row->end = found[i]->end > row->end ? found[i]->end : row->end;
            row->group.count += found[i]->group.count;
            if (strcmp(found[i]->group.max, row->group.max) > 0)
                memcpy(row->group.max, found[i]->group.max, SHAPE_TEXT);
            found[i]->there = false;
        }
        row->start = rowtime < row->start ? rowtime : row->start;
        row->end = rowtime > row->end ? rowtime : row->end;
        state_session_grow(sessions, slot, row->start, row->end);
    }
    for (uint32_t i = 0; i < SESSION_MODELS; i++) { /* one that is not found any more */
        SessionModelRow *twin = &model->rows[i];
        if (twin != row && twin->key == key && twin->start == row->start && twin->end == row->end)
            twin->there = false;
    }
    group_row(world, heap, slot, &row->group);
    row->group.rowtime = row->end;
}

static inline void session_close_due(ShapeWorld *world) {
    SessionModel *model = world->now;
    int64_t close_time = model->stream_time - SESSION_GRACE - SESSION_GAP;
    SessionModelRow *due[SESSION_MODELS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < SESSION_MODELS; i++) {
        SessionModelRow *row = &model->rows[i];
        if (row->there && !row->closed && row->end < close_time)
            due[count++] = row;
    }
    qsort(due, count, sizeof *due, compare_rows);
    SessionList closed = {0};
    SHAPE_CHECK(world, state_session_closes(sessions_of(world), close_time) == (count > 0));
    for (size_t before = SIZE_MAX; before != closed.count;) {
        before = closed.count;
        state_session_close(sessions_of(world), close_time, 1, &closed);
    }
    if (count > 0)
        state_given_move(&sessions_of(world)->given, due[count - 1]->end);
    same_found(world, &closed, due, count);
    for (uint32_t i = 0; i < count; i++) {
        group_check(world, closed.slots[i], &due[i]->group);
        due[i]->closed = true;
    }
    mem_free(closed.slots);
}

static inline void session_change(ShapeWorld *world) {
    SessionModel *model = world->now;
    StateSession *sessions = sessions_of(world);
    SHAPE_CHECK(world, sessions->stream_time == model->stream_time);
    int64_t before = model->stream_time, now = before < 0 ? 0 : before;
    int64_t rowtime = now + (int64_t)shape_dice(world, 4) -
                      (int64_t)(shape_dice(world, 2) * shape_dice(world, 45));
    rowtime = rowtime < 0 ? 0 : shape_dice(world, 300) == 0 ? now + 70 : rowtime;
    if (rowtime > before)
        sessions->stream_time = model->stream_time = rowtime;
    uint32_t key = (uint32_t)shape_dice(world, SHAPE_KEYS);
    GroupKey group = group_keys(world)[key];
    SessionList list = {0};
    SessionModelRow *found[SESSION_MODELS];
    state_session_find(sessions, (SessionKey){group.key, group.hash}, rowtime, before, &list);
    uint32_t count = model_find(model, sessions, key, (int64_t[2]){rowtime, before}, found);
    same_found(world, &list, found, count);
    int64_t end = count > 0 && found[count - 1]->end > rowtime ? found[count - 1]->end : rowtime;
    if (end >= model->stream_time - SESSION_GRACE - SESSION_GAP)
        session_join(world, &list, found, key, rowtime);
    mem_free(list.slots);
    if (sessions->final != FINAL_NONE)
        session_close_due(world);
    state_session_expire(sessions);
    for (uint32_t i = 0; i < SESSION_MODELS; i++) {
        SessionModelRow *row = &model->rows[i];
        bool waits = sessions->final != FINAL_NONE && !row->closed;
        row->there = row->there &&
                     (waits || row->end > model->stream_time - sessions->retention_ms);
    }
}

static inline void session_check(ShapeWorld *world) {
    SessionModel *model = world->now;
    StateSession *sessions = sessions_of(world);
    SHAPE_CHECK(world, sessions->stream_time == model->stream_time);
    uint64_t there = 0;
    for (uint32_t key = 0; key < SHAPE_KEYS; key++) {
        SessionModelRow *rows[SESSION_MODELS];
        uint32_t count = 0;
        for (uint32_t i = 0; i < SESSION_MODELS; i++) {
            if (model->rows[i].there && model->rows[i].key == key)
                rows[count++] = &model->rows[i];
        }
        qsort(rows, count, sizeof *rows, compare_rows);
        there += count;
        GroupKey group = group_keys(world)[key];
        Slot *slot = state_session_last(sessions, (SessionKey){group.key, group.hash});
        for (; count-- > 0; slot = session_of(slot)->earlier) {
            SHAPE_CHECK(world, slot && session_of(slot)->start == rows[count]->start);
            SHAPE_CHECK(world, session_of(slot)->end == rows[count]->end);
            SHAPE_CHECK(world, sessions->final == FINAL_NONE ||
                                   (session_of(slot)->wait == SESSION_OPEN) !=
                                       rows[count]->closed);
            group_check(world, slot, &rows[count]->group);
        }
        SHAPE_CHECK(world, !slot);
    }
    SHAPE_CHECK(world, sessions->slots.present_count == there);
    SHAPE_CHECK(world, sessions->heaps[0].count + sessions->heaps[1].count == there);
}

#endif
