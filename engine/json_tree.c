/* json_tree.c - see json_tree.h. A recursive parser with a depth limit. */
#include "engine/json_tree.h"

#include <assert.h>
#include <ctype.h>

#include "base/limits.h"
#include "data/number_text.h"

typedef struct JsonText {
    Bytes json;
    uint32_t at;
    Arena *arena;
    Err *err;
} JsonText;

static ErrCode json_fail(JsonText *in, const char *why) {
    return err_set(in->err, ERR_FORMAT, "JSON: %s at byte %u", why, in->at);
}

static void json_blank(JsonText *in) {
    while (in->at < in->json.size && isspace(in->json.data[in->at]))
        in->at++;
}

static uint8_t json_peek(const JsonText *in) {
    return in->at < in->json.size ? in->json.data[in->at] : 0;
}

static uint32_t json_hex(JsonText *in) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t digit = json_peek(in);
        in->at++;
        value = value << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
    }
    return value & 0xffff;
}

static void json_put_utf8(uint8_t *out, uint32_t *size, uint32_t code) {
    if (code < 0x80) {
        out[(*size)++] = (uint8_t)code;
        return;
    }
    if (code >= 0x10000) {
        out[(*size)++] = (uint8_t)(0xF0 | code >> 18);
        out[(*size)++] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    } else if (code >= 0x800) {
        out[(*size)++] = (uint8_t)(0xE0 | code >> 12);
    } else {
        out[(*size)++] = (uint8_t)(0xC0 | code >> 6);
        out[(*size)++] = (uint8_t)(0x80 | (code & 0x3F));
        return;
    }
    out[(*size)++] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[(*size)++] = (uint8_t)(0x80 | (code & 0x3F));
}

static uint32_t json_escape(JsonText *in) {
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    uint8_t letter = json_peek(in);
    in->at++;
    if (letter != 'u') {
        const char *found = letter ? strchr(letters, letter) : NULL;
        return found ? (uint8_t)values[found - letters] : '?';
    }
    uint32_t code = json_hex(in);
    if (code >= 0xD800 && code < 0xDC00 && json_peek(in) == '\\' &&
        in->at + 1 < in->json.size && in->json.data[in->at + 1] == 'u') {
        in->at += 2;
        code = 0x10000 + ((code - 0xD800) << 10) + (json_hex(in) - 0xDC00);
    }
    return code;
}

static ErrCode json_string(JsonText *in, Bytes *text) {
    uint32_t end = ++in->at;
    while (end < in->json.size && in->json.data[end] != '"')
        end += in->json.data[end] == '\\' ? 2 : 1;
    if (end >= in->json.size)
        return json_fail(in, "a string is not closed");
    uint8_t *out = arena_raw(in->arena, (size_t)(end - in->at) + 4);
    uint32_t size = 0;
    while (in->at < end) {
        uint8_t byte = in->json.data[in->at++];
        if (byte == '\\')
            json_put_utf8(out, &size, json_escape(in));
        else
            out[size++] = byte;
    }
    in->at = end + 1;
    out[size] = '\0';
    *text = (Bytes){out, size};
    return ERR_OK;
}

static ErrCode json_value(JsonText *in, uint32_t depth, JsonNode **node);

static ErrCode json_children(JsonText *in, uint32_t depth, JsonNode *parent) {
    uint8_t close = parent->kind == JSON_OBJECT ? '}' : ']';
    JsonNode **tail = &parent->first;
    in->at++;
    json_blank(in);
    while (json_peek(in) != close) {
        Bytes name = {0};
        if (parent->kind == JSON_OBJECT) {
            if (json_peek(in) != '"')
                return json_fail(in, "a member name is missing");
            TRY(json_string(in, &name));
            json_blank(in);
            if (json_peek(in) != ':')
                return json_fail(in, "':' is missing");
            in->at++;
        }
        TRY(json_value(in, depth + 1, tail));
        (*tail)->name = (const char *)name.data;
        tail = &(*tail)->next;
        json_blank(in);
        if (json_peek(in) == ',')
            in->at++;
        else if (json_peek(in) != close)
            return json_fail(in, "',' or a closing bracket is missing");
        json_blank(in);
    }
    in->at++;
    return ERR_OK;
}

static ErrCode json_word(JsonText *in, JsonNode *node) {
    uint32_t from = in->at;
    while (in->at < in->json.size && strchr(",]} \t\r\n", in->json.data[in->at]) == NULL)
        in->at++;
    Bytes word = {in->json.data + from, in->at - from};
    if (word.size == 0)
        return json_fail(in, "a value is missing");
    if (bytes_equal(word, bytes_of("null")))
        node->kind = JSON_NULL;
    else if (bytes_equal(word, bytes_of("true")) || bytes_equal(word, bytes_of("false")))
        node->kind = JSON_BOOLEAN;
    else
        node->kind = JSON_NUMBER;
    return ERR_OK;
}

static ErrCode json_value(JsonText *in, uint32_t depth, JsonNode **node) {
    if (depth > ROW_NESTING_MAX + 16)
        return json_fail(in, "nested too deeply");
    json_blank(in);
    JsonNode *made = arena_alloc(in->arena, sizeof *made);
    uint32_t from = in->at;
    *node = made;
    switch (json_peek(in)) {
    case '{':
        made->kind = JSON_OBJECT;
        TRY(json_children(in, depth, made));
        break;
    case '[':
        made->kind = JSON_ARRAY;
        TRY(json_children(in, depth, made));
        break;
    case '"':
        made->kind = JSON_STRING;
        TRY(json_string(in, &made->text));
        break;
    default:
        TRY(json_word(in, made));
    }
    made->raw = (Bytes){in->json.data + from, in->at - from};
    return ERR_OK;
}

ErrCode json_tree_parse(Bytes json, Arena *arena, const JsonNode **root, Err *err) {
    JsonText in = {json, 0, arena, err};
    JsonNode *node = NULL;
    TRY(json_value(&in, 0, &node));
    json_blank(&in);
    if (in.at < json.size)
        return json_fail(&in, "text follows the value");
    *root = node;
    return ERR_OK;
}

const JsonNode *json_node_member(const JsonNode *object, const char *name) {
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const JsonNode *child = object->first; child; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child;
    return NULL;
}

const char *json_node_text(const JsonNode *node) {
    return node && node->kind == JSON_STRING ? (const char *)node->text.data : NULL;
}

int64_t json_node_integer(const JsonNode *node, int64_t otherwise) {
    int64_t value;
    if (node && node->kind == JSON_NUMBER && number_parse_i64(node->raw, &value))
        return value;
    return otherwise;
}
