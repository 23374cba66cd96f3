/*
 * plan_json_getter.c - members of one stored object, read with distrust.
 *
 * Members that a Getter was not asked for make the whole unreadable (UNSUPPORTED: written by a
 * newer Weir), members of a wrong shape are damage (CORRUPT).
 */
#include <assert.h>
#include <string.h>

#include "planner/plan_json_impl.h"

ErrCode get_corrupt(const Getter *getter, const char *member, Err *err) {
    return err_set(err, ERR_CORRUPT, "stored %s: member '%s' is missing or damaged", getter->what,
                   member);
}

ErrCode getter_open(json_t *object, Arena *arena, const char *what, Getter *getter,
                           Err *err) {
    *getter = (Getter){.object = object, .arena = arena, .what = what};
    if (!json_is_object(object))
        return err_set(err, ERR_CORRUPT, "stored %s: an object is expected", what);
    return ERR_OK;
}

json_t *getter_member(Getter *getter, const char *name) {
    assert(getter->asked_count < GETTER_MEMBERS_MAX);
    getter->asked[getter->asked_count++] = name;
    return json_object_get(getter->object, name);
}

/* All members there are were asked for. */
ErrCode getter_close(const Getter *getter, Err *err) {
    const char *name;
    json_t *value;
    json_object_foreach(getter->object, name, value) {
        uint32_t i = 0;
        while (i < getter->asked_count && strcmp(getter->asked[i], name) != 0)
            i++;
        if (i == getter->asked_count)
            return err_set(err, ERR_UNSUPPORTED,
                           "stored %s: member '%s' is not known: it was written by a newer Weir",
                           getter->what, name);
    }
    return ERR_OK;
}

/* -- Members ----------------------------------------------------------------------------------- */

ErrCode get_text(Getter *getter, const char *name, bool required, const char **text,
                        Err *err) {
    json_t *value = getter_member(getter, name);
    *text = NULL;
    if (!value && !required)
        return ERR_OK;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return get_corrupt(getter, name, err);
    *text = arena_strdup(getter->arena, json_string_value(value));
    return ERR_OK;
}

ErrCode get_flag(Getter *getter, const char *name, bool *flag, Err *err) {
    json_t *value = getter_member(getter, name);
    *flag = json_is_true(value);
    return !value || json_is_boolean(value) ? ERR_OK : get_corrupt(getter, name, err);
}

ErrCode get_i64(Getter *getter, const char *name, int64_t otherwise, int64_t *number,
                       Err *err) {
    json_t *value = getter_member(getter, name);
    *number = value ? json_integer_value(value) : otherwise;
    return !value || json_is_integer(value) ? ERR_OK : get_corrupt(getter, name, err);
}

ErrCode get_u32(Getter *getter, const char *name, int64_t otherwise, uint32_t *number,
                       Err *err) {
    int64_t wide;
    TRY(get_i64(getter, name, otherwise, &wide, err));
    if (wide < 0 || wide > UINT32_MAX)
        return get_corrupt(getter, name, err);
    *number = (uint32_t)wide;
    return ERR_OK;
}

/* A word of a list: its index. `otherwise` < 0: it must be there. */
ErrCode get_word(Getter *getter, const char *name, const char *const *words, int otherwise,
                        int *index, Err *err) {
    const char *word;
    TRY(get_text(getter, name, otherwise < 0, &word, err));
    *index = otherwise;
    for (int i = 0; word && words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            *index = i;
            return ERR_OK;
        }
    }
    if (!word)
        return ERR_OK;
    return err_set(err, ERR_UNSUPPORTED, "stored %s: %s '%s' is not known: it was written by a "
                   "newer Weir", getter->what, name, word);
}

ErrCode get_array(Getter *getter, const char *name, uint32_t max, json_t **array,
                         uint32_t *count, Err *err) {
    *array = getter_member(getter, name);
    *count = 0;
    if (!*array)
        return ERR_OK;
    if (!json_is_array(*array) || json_array_size(*array) > max)
        return get_corrupt(getter, name, err);
    *count = (uint32_t)json_array_size(*array);
    return ERR_OK;
}
