/*
 * lambda.c - TRANSFORM, FILTER and REDUCE: functions over the elements of arrays and maps.
 *
 * The elements of all rows lie one after the other and the lambda is applied to them at once;
 * REDUCE applies it to the first elements of all rows, then to the second ones, and so on. Where
 * it throws for one element the whole value is NULL.
 */
#include "udf/array_impl.h"
#include "udf/pick.h"

/* Elements of call->rows, and where they lie in the collection's children. */
typedef struct LambdaElements {
    uint32_t *rows;   /* physical row of each */
    uint32_t *places; /* in the children */
    uint32_t count;
    const Column *params[2]; /* element, or key and value */
} LambdaElements;

static uint32_t lambda_size(const Column *list, uint32_t row) {
    return list->offsets[row + 1] - list->offsets[row];
}

static const Column *lambda_pick(const Column *source, const uint32_t *places, uint32_t count,
                                 Arena *arena) {
    Column *picked = arena_alloc(arena, sizeof *picked);
    Pick pick = {&source, 1, NULL, places, count};
    pick_values(&pick, source->type, arena, picked);
    return picked;
}

/* Elements that lie in order from the first on need no copy. */
static const Column *lambda_param(const Column *child, const LambdaElements *elements,
                                  bool in_place, Arena *arena) {
    if (!in_place)
        return lambda_pick(child, elements->places, elements->count, arena);
    Column *part = arena_alloc(arena, sizeof *part);
    *part = *child;
    part->length = elements->count;
    return part;
}

static LambdaElements lambda_elements(const FunctionCall *call) {
    const Column *list = call->args[0];
    LambdaElements elements = {0};
    uint32_t total = 0;
    for (uint32_t i = 0; i < call->row_count; i++)
        total += lambda_size(list, call->rows[i]);
    elements.rows = arena_raw(call->arena, (size_t)total * sizeof *elements.rows);
    elements.places = arena_raw(call->arena, (size_t)total * sizeof *elements.places);
    bool in_place = true;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        for (uint32_t at = list->offsets[row]; at < list->offsets[row + 1]; at++) {
            in_place = in_place && at == elements.count;
            elements.rows[elements.count] = row;
            elements.places[elements.count++] = at;
        }
    }
    assert(elements.count == total);
    for (uint32_t i = 0; i < list->type->field_count; i++)
        elements.params[i] = lambda_param(&list->children[i], &elements, in_place, call->arena);
    return elements;
}

/* The lambda's value for each element. */
static Column *lambda_apply(const FunctionCall *call, uint32_t arg,
                            const LambdaElements *elements, const uint8_t **failed) {
    Column *result = arena_alloc(call->arena, sizeof *result);
    FunctionElements given = {elements->params, elements->rows, elements->count, call->arena};
    call->apply(call, arg, &given, result, failed);
    assert(result->length == elements->count);
    return result;
}

static void lambda_fail(const FunctionCall *call, uint32_t row) {
    call->fail(call->context, row, "its lambda failed for an element");
}

/* Index of the first of elements [from, to) that failed; `to`: none. */
static uint32_t lambda_failed(const uint8_t *failed, uint32_t from, uint32_t to) {
    uint32_t at = failed ? from : to;
    while (at < to && !failed[at])
        at++;
    return at;
}

/* -- TRANSFORM --------------------------------------------------------------------------------- */

void lambda_transform_array(const FunctionCall *call) {
    LambdaElements elements = lambda_elements(call);
    const uint8_t *failed;
    const Column *made = lambda_apply(call, 1, &elements, &failed);
    ArrayList list = {.result = call->result, .arena = call->arena};
    for (uint32_t i = 0, at = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], end = at + lambda_size(call->args[0], row);
        if (lambda_failed(failed, at, end) < end) {
            lambda_fail(call, row);
            at = end;
            continue;
        }
        array_list_row(&list, row);
        for (; at < end; at++)
            array_list_add(&list, 0, at);
    }
    array_list_finish(&list, &made, 1);
}

/* Why entries [from, to) are no map; NULL: they are one. */
static const char *lambda_bad_map(const Column *keys, const Column *values, uint32_t from,
                                  uint32_t to, ArraySet *set) {
    array_set_start(set, to - from);
    for (uint32_t at = from; at < to; at++) {
        if (column_is_null(keys, at) || column_is_null(values, at))
            return "an entry of a map became NULL";
        if (!array_set_add(set, 0, at))
            return "two entries of a map got the same key";
    }
    return NULL;
}

void lambda_transform_map(const FunctionCall *call) {
    LambdaElements elements = lambda_elements(call);
    const uint8_t *key_failed, *value_failed;
    const Column *keys = lambda_apply(call, 1, &elements, &key_failed);
    const Column *values = lambda_apply(call, 2, &elements, &value_failed);
    ArrayList list = {.result = call->result, .arena = call->arena};
    ArraySet set = {.sources = &keys, .arena = call->arena};
    for (uint32_t i = 0, at = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], end = at + lambda_size(call->args[0], row);
        bool bad = lambda_failed(key_failed, at, end) < end ||
                   lambda_failed(value_failed, at, end) < end;
        const char *reason = bad ? NULL : lambda_bad_map(keys, values, at, end, &set);
        if (bad)
            lambda_fail(call, row);
        else if (reason)
            call->fail(call->context, row, "%s", reason);
        else
            array_list_row(&list, row);
        for (; at < end; at++) {
            if (!bad && !reason)
                array_list_add(&list, 0, at);
        }
    }
    map_list_finish(&list, &keys, &values);
}

/* -- FILTER ------------------------------------------------------------------------------------ */

/* Whether the lambda said TRUE or FALSE for all of [from, to). */
static bool lambda_decided(const Column *truth, const uint8_t *failed, uint32_t from,
                           uint32_t to) {
    if (lambda_failed(failed, from, to) < to)
        return false;
    while (from < to && !column_is_null(truth, from))
        from++;
    return from == to;
}

static void lambda_filter(const FunctionCall *call, ArrayList *list, const Column *values) {
    LambdaElements elements = lambda_elements(call);
    const uint8_t *failed;
    const Column *truth = lambda_apply(call, 1, &elements, &failed);
    for (uint32_t i = 0, at = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], end = at + lambda_size(call->args[0], row);
        bool good = lambda_decided(truth, failed, at, end);
        for (uint32_t k = at; values && good && k < end; k++)
            good = !truth->boolean[k] || !column_is_null(values, elements.places[k]);
        if (good)
            array_list_row(list, row);
        else
            lambda_fail(call, row);
        for (; at < end; at++) {
            if (good && truth->boolean[at])
                array_list_add(list, 0, elements.places[at]);
        }
    }
}

void lambda_filter_array(const FunctionCall *call) {
    const Column *children = &call->args[0]->children[0];
    ArrayList list = {.result = call->result, .arena = call->arena};
    lambda_filter(call, &list, NULL);
    array_list_finish(&list, &children, 1);
}

/* An entry whose value is NULL cannot be put into the new map, as in ksqlDB. */
void lambda_filter_map(const FunctionCall *call) {
    const Column *keys = &call->args[0]->children[0], *values = &call->args[0]->children[1];
    ArrayList list = {.result = call->result, .arena = call->arena};
    lambda_filter(call, &list, values);
    map_list_finish(&list, &keys, &values);
}

/* -- REDUCE ------------------------------------------------------------------------------------ */

/* Rows that are not through, and their states. A state lives in the arena of the pass that made
 * it, and is copied into the next one's; finished ones are copied out. */
typedef struct LambdaReduce {
    const FunctionCall *call;
    const Column *list;
    uint32_t *rows;   /* physical rows */
    uint32_t *states; /* place of each one's state in `state` */
    uint32_t count;
    const Column *state;
    Arena *arenas[2];
    const Column **done; /* columns of finished states; the first is the initial ones */
    size_t done_count, done_capacity;
    uint32_t *which, *places; /* [physical row]: in which of done[] its result is, and where */
} LambdaReduce;

static uint32_t reduce_done(LambdaReduce *reduce, const Column *states) {
    reduce->done = arena_grow(reduce->call->arena, reduce->done, &reduce->done_capacity,
                              reduce->done_count + 1, sizeof *reduce->done);
    reduce->done[reduce->done_count] = states;
    return (uint32_t)reduce->done_count++;
}

static void reduce_start(LambdaReduce *reduce) {
    const FunctionCall *call = reduce->call;
    const Column *list = reduce->list;
    uint32_t length = call->result->length;
    reduce->rows = arena_raw(call->arena, call->row_count * sizeof *reduce->rows);
    reduce->states = arena_raw(call->arena, call->row_count * sizeof *reduce->states);
    reduce->which = arena_array(call->arena, length, sizeof *reduce->which);
    reduce->places = arena_raw(call->arena, length * sizeof *reduce->places);
    memset(reduce->places, 0xFF, length * sizeof *reduce->places);
    reduce->state = call->args[1];
    reduce_done(reduce, call->args[1]);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(call->args[1], row))
            continue;
        bool through = column_is_null(list, row) || lambda_size(list, row) == 0;
        if (through) {
            reduce->places[row] = row;
            continue;
        }
        reduce->rows[reduce->count] = row;
        reduce->states[reduce->count++] = row;
    }
}

/* Keeps the states of the rows that are through after `position`; the others go on. */
static void reduce_next(LambdaReduce *reduce, uint32_t position, const uint8_t *failed) {
    Arena *arena = reduce->call->arena;
    uint32_t going = 0, through = 0;
    uint32_t *finished = arena_raw(arena, reduce->count * sizeof *finished);
    for (uint32_t i = 0; i < reduce->count; i++) {
        uint32_t row = reduce->rows[i];
        if (failed && failed[i]) {
            lambda_fail(reduce->call, row);
        } else if (lambda_size(reduce->list, row) == position + 1) {
            reduce->which[row] = (uint32_t)reduce->done_count;
            reduce->places[row] = through;
            finished[through++] = i;
        } else {
            reduce->rows[going] = row;
            reduce->states[going++] = i;
        }
    }
    reduce->count = going;
    if (through == 0)
        return;
    Column *kept = arena_alloc(arena, sizeof *kept);
    Pick pick = {&reduce->state, 1, NULL, finished, through};
    pick_values(&pick, reduce->state->type, arena, kept);
    pick_own(kept, arena);
    reduce_done(reduce, kept);
}

static void reduce_pass(LambdaReduce *reduce, uint32_t position) {
    Arena *arena = reduce->arenas[position % 2];
    const Column *list = reduce->list, *params[3];
    arena_reset(arena);
    Column *state = arena_alloc(arena, sizeof *state), *made = arena_alloc(arena, sizeof *made);
    Pick pick = {&reduce->state, 1, NULL, reduce->states, reduce->count};
    pick_values(&pick, reduce->state->type, arena, state);
    pick_own(state, arena);
    params[0] = state;
    uint32_t *places = arena_raw(arena, reduce->count * sizeof *places);
    for (uint32_t i = 0; i < reduce->count; i++)
        places[i] = list->offsets[reduce->rows[i]] + position;
    for (uint32_t i = 0; i < list->type->field_count; i++)
        params[1 + i] = lambda_pick(&list->children[i], places, reduce->count, arena);
    const uint8_t *failed;
    FunctionElements elements = {params, reduce->rows, reduce->count, arena};
    reduce->call->apply(reduce->call, 2, &elements, made, &failed);
    reduce->state = made;
    reduce_next(reduce, position, failed);
}

void lambda_reduce(const FunctionCall *call) {
    LambdaReduce reduce = {.call = call, .list = call->args[0]};
    reduce_start(&reduce);
    reduce.arenas[0] = arena_new("reduce", 0);
    reduce.arenas[1] = arena_new("reduce", 0);
    for (uint32_t position = 0; reduce.count > 0; position++)
        reduce_pass(&reduce, position);
    Pick pick = {reduce.done, (uint32_t)reduce.done_count, reduce.which, reduce.places,
                 call->result->length};
    const Type *type = call->result->type;
    pick_values(&pick, type, call->arena, call->result);
    arena_free(reduce.arenas[0]);
    arena_free(reduce.arenas[1]);
}
