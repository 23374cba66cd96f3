/*
 * json_impl.h - the inside of the JSON functions: walking over JSON texts without making trees.
 *
 *   json_walk.c    where values begin and end, and whether it is JSON
 *   json_text.c    a value written anew: no white space, each member once
 *   json_path.c    $.a[0]["b"]
 *   json.c         the functions
 *   json_print.c   TO_JSON_STRING
 *
 * What counts as JSON is what Jackson takes: what follows a whole value is not looked at.
 */
#ifndef UDF_JSON_IMPL_H
#define UDF_JSON_IMPL_H

#include "base/buf.h"
#include "udf/function_impl.h"

enum { JSON_WALK_DEPTH_MAX = 1000 }; /* of objects and arrays: Jackson's */

/* == Walking == */

typedef enum JsonRoot {
    JSON_ROOT_BROKEN,
    JSON_ROOT_BLANK, /* no value at all */
    JSON_ROOT_VALUE,
} JsonRoot;

/* The value that a text is; all of it is checked. */
JsonRoot json_walk_root(Bytes text, Bytes *value);

/* The items of an object or array one after the other; each is checked when it is passed. */
typedef struct JsonWalk {
    const uint8_t *at; /* behind the last item; behind the whole once next() was false */
    const uint8_t *end;
    uint32_t depth; /* objects and arrays that are open around its items */
    bool object;
    bool started;
    bool broken;
} JsonWalk;

typedef struct JsonItem {
    Bytes name; /* of a member, as it is written between the quotes */
    Bytes value;
} JsonItem;

/* `value` begins with '{' or '[' and may be followed by more; `depth` others are open around it. */
void json_walk_open(JsonWalk *walk, Bytes value, uint32_t depth);
bool json_walk_next(JsonWalk *walk, JsonItem *item); /* false: the end, or broken */

/* The first value of a text that may be more; where it begins. NULL: blank. */
const uint8_t *json_walk_begin(Bytes text);
/* Whether what follows a root value lets it stand: 1x is no number. */
bool json_walk_end_ok(const uint8_t *value, const uint8_t *at, const uint8_t *end);

static inline bool json_is_container(uint8_t byte) {
    return byte == '{' || byte == '[';
}

/* == Names == */

/* Finds equal names. Scratch that is kept from row to row; json_names_free() at the end. */
typedef struct JsonNames {
    uint32_t *first; /* of each name: the index of the first equal one */
    uint32_t *table;
    size_t capacity, table_capacity;
} JsonNames;

/* Sets names->first for each; returns whether any two are equal. */
bool json_names_merge(JsonNames *names, const Bytes *texts, uint32_t count);
void json_names_free(JsonNames *names);

/* == Writing anew == */

typedef struct JsonFrame JsonFrame;   /* an open object or array */
typedef struct JsonMember JsonMember; /* of an open object */

typedef struct JsonText {
    Buf out;
    bool plain; /* numbers without exponents */
    JsonFrame *frames;
    JsonMember *members;
    Bytes *texts;
    size_t frame_capacity, member_capacity, text_capacity;
    uint32_t frame_count, member_count;
    JsonNames names;
    Buf scratch;
} JsonText;

/* Appends a value that is known to be JSON; false: a number has no plain form. */
bool json_text_put(JsonText *text, Bytes value);
void json_text_free(JsonText *text);

/* A string's text: the value with its quotes, in the room where it has escapes. */
Bytes json_text_inside(FunctionRoom *room, Bytes inside);

/* == Paths == */

typedef struct JsonPath JsonPath;

/* In `arena`; NULL: it is none. */
const JsonPath *json_path_new(Bytes text, Arena *arena);

/* What the path leads to; false: nothing, or *broken. Of members of one name the last counts. */
bool json_path_find(const JsonPath *path, Bytes text, Bytes *found, bool *broken);

#endif
