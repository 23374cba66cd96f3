/*
 * json_tree.h - JSON text as a tree that keeps what was written.
 *
 * Test cases need numbers to the last digit and the bytes of a value as they stand, which a tree of
 * doubles loses: every node has its raw text. For tests and guesses; records go through
 * data/serde_json.
 */
#ifndef ENGINE_JSON_TREE_H
#define ENGINE_JSON_TREE_H

#include "base/arena.h"
#include "base/err.h"

typedef enum JsonKind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
} JsonKind;

typedef struct JsonNode JsonNode;

struct JsonNode {
    JsonKind kind;
    Bytes raw;        /* as written */
    Bytes text;       /* STRING: unescaped, ends in a NUL */
    const char *name; /* as a member */
    JsonNode *first;  /* child */
    JsonNode *next;   /* sibling */
};

/* The tree lives in `arena` and borrows `json`. FORMAT error with the byte. */
ErrCode json_tree_parse(Bytes json, Arena *arena, const JsonNode **root, Err *err);

const JsonNode *json_node_member(const JsonNode *object, const char *name); /* NULL: none */
const char *json_node_text(const JsonNode *node);                          /* NULL: no string */
int64_t json_node_integer(const JsonNode *node, int64_t otherwise);

#endif
