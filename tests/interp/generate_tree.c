/*
 * generate_tree.c - random expressions: for a wanted type, one of the ways to come by it.
 */
#include "tests/interp/generate.h"

#include <string.h>

static const RefNode *typed(RefWorld *world, const RefType *type, int depth);

static const RefNode *cast_to(const RefNode *node, const RefType *type) {
    return ref_type_equal(node->type, type) ? node : ref_node(NODE_CAST, type, &node, 1);
}

static const RefNode *leaf(RefWorld *world, const RefType *type) {
    uint32_t start = ref_chance(world, world->column_count);
    for (uint32_t i = 0; i < world->column_count && ref_chance(world, 8) > 0; i++) {
        uint32_t index = (start + i) % world->column_count;
        if (!ref_type_equal(world->columns[index], type))
            continue;
        RefNode *node = ref_node(NODE_COLUMN, type, NULL, 0);
        node->index = index;
        return node;
    }
    return ref_random_literal(world, type);
}

static const RefType *number_type(RefWorld *world) {
    static const RefKind kinds[] = {REF_INT, REF_BIGINT, REF_DOUBLE};
    uint32_t choice = ref_chance(world, 6);
    if (choice < 3)
        return ref_scalar_type(kinds[choice]);
    for (uint32_t i = 0; i < 20; i++) {
        const RefType *type = world->columns[ref_chance(world, world->column_count)];
        if (type->kind == REF_DECIMAL)
            return type;
    }
    return ref_random_decimal(world);
}

/* == Numbers == */

static const RefNode *arithmetic(RefWorld *world, const RefNode *left, const RefNode *right) {
    static const char ops[] = "++--**//%%";
    char op = ops[ref_chance(world, sizeof ops - 1)];
    const RefNode *args[] = {left, right};
    const RefType *type = ref_arithmetic_type(op, left->type, right->type);
    if (!type)
        return left;
    RefNode *node = ref_node(NODE_ARITHMETIC, type, args, 2);
    node->op = op;
    return node;
}

/* Of any numeric type. */
static const RefNode *number(RefWorld *world, int depth) {
    if (depth == 0 || ref_chance(world, 3) > 0)
        return typed(world, number_type(world), depth);
    const RefNode *left = number(world, depth - 1);
    if (ref_chance(world, 6) == 0)
        return ref_node(NODE_NEGATE, left->type, &left, 1);
    return arithmetic(world, left, number(world, depth - 1));
}

/* A number of just this type. */
static const RefNode *number_of(RefWorld *world, const RefType *type, int depth) {
    const RefNode *left = typed(world, type, depth - 1), *right;
    if (ref_chance(world, 6) == 0)
        return ref_node(NODE_NEGATE, type, &left, 1);
    if (type->kind == REF_DECIMAL)
        return cast_to(number(world, depth - 1), type);
    if (type->kind == REF_DOUBLE)
        right = number(world, depth - 1);
    else if (type->kind == REF_BIGINT && ref_chance(world, 2) == 0)
        right = typed(world, &ref_int, depth - 1);
    else
        right = typed(world, type, depth - 1);
    bool exchange = ref_chance(world, 2) == 0;
    return arithmetic(world, exchange ? right : left, exchange ? left : right);
}

/* == Lists of one type == */

/* An item of a list whose type is `type`: also narrower numbers, and literals of other kinds. */
static const RefNode *list_item(RefWorld *world, const RefType *type, int depth) {
    const RefNode *item;
    const RefType *wider;
    switch (ref_chance(world, 10)) {
    case 0: return ref_null_literal();
    case 1:
        item = typed(world, ref_is_number(type) ? number_type(world) : type, depth);
        wider = ref_is_number(type) ? ref_wider(item->type, type) : type;
        return wider && ref_type_equal(wider, type) ? item : typed(world, type, depth);
    case 2: {
        if (type->kind != REF_STRING)
            break;
        item = ref_random_literal(world, ref_chance(world, 4) == 0 ? &ref_boolean
                                                                   : number_type(world));
        return item->kind == NODE_LITERAL ? item : typed(world, type, depth);
    }
    default: break;
    }
    return typed(world, type, depth);
}

/* Not a literal. */
static const RefNode *list_first(RefWorld *world, const RefType *type, int depth) {
    const RefNode *item = typed(world, type, depth);
    const RefNode *twice[] = {item, item};
    if (item->kind != NODE_LITERAL)
        return item;
    RefNode *call = ref_node(NODE_CALL, type, twice, 1);
    const RefType **params = ref_alloc(sizeof *params);
    params[0] = type;
    call->params = params;
    for (uint32_t i = 0; i < ref_function_count; i++) {
        if (strcmp(ref_functions[i].name, "AS_VALUE") == 0)
            call->function = &ref_functions[i];
    }
    return call;
}

static const RefNode *in_list(RefWorld *world, int depth) {
    const RefNode *args[8];
    const RefType *type = ref_random_type(world, 1);
    uint32_t count = 2 + ref_chance(world, 5);
    args[0] = list_first(world, type, depth);
    for (uint32_t i = 1; i < count; i++)
        args[i] = list_item(world, type, depth);
    RefNode *node = ref_node(NODE_IN, &ref_boolean, args, count);
    node->common = type;
    node->negated = ref_chance(world, 3) == 0;
    return node;
}

/* == Truth == */

static const RefNode *null_of_any(RefWorld *world, const RefType *type, int depth) {
    return ref_chance(world, 5) == 0 ? ref_null_literal() : typed(world, type, depth);
}

/* Two values that may be compared. */
static void comparable(RefWorld *world, int depth, const RefNode *args[2], bool *ordered) {
    static const RefKind times[] = {REF_TIME, REF_DATE, REF_TIMESTAMP};
    const RefType *type = ref_random_type(world, 1);
    bool exchange = ref_chance(world, 2) == 0;
    *ordered = true;
    switch (ref_chance(world, 6)) {
    case 0:
    case 1:
        args[0] = number(world, depth);
        args[1] = number(world, depth);
        return;
    case 2:
        args[exchange] = typed(world, ref_scalar_type(times[ref_chance(world, 3)]), depth);
        args[!exchange] = typed(world, &ref_string, depth);
        return;
    case 3:
        args[exchange] = typed(world, &ref_date, depth);
        args[!exchange] = typed(world, &ref_timestamp, depth);
        return;
    default: break;
    }
    *ordered = type->kind != REF_BOOLEAN && !ref_is_nested(type);
    args[0] = typed(world, type, depth);
    args[1] = typed(world, type, depth);
}

static const RefNode *comparison(RefWorld *world, int depth) {
    const RefNode *args[3];
    bool ordered;
    comparable(world, depth, args, &ordered);
    if (ordered && ref_chance(world, 5) == 0) {
        args[2] = ref_chance(world, 2) ? args[1] : typed(world, args[1]->type, depth);
        RefNode *between = ref_node(NODE_BETWEEN, &ref_boolean, args, 3);
        between->negated = ref_chance(world, 3) == 0;
        return between;
    }
    static const char ops[] = "=!dn<l>g";
    RefNode *node = ref_node(NODE_COMPARE, &ref_boolean, args, 2);
    node->op = ops[ref_chance(world, ordered ? 8 : 4)];
    if ((node->op == 'd' || node->op == 'n') && ref_chance(world, 5) == 0) {
        args[ref_chance(world, 2)] = ref_null_literal();
        RefNode *distinct = ref_node(NODE_COMPARE, &ref_boolean, args, 2);
        distinct->op = node->op;
        return distinct;
    }
    return node;
}

static const RefNode *like(RefWorld *world, int depth) {
    static const char *const patterns[] = {"%", "a%", "%c", "%b%", "_", "a_c", "%a%b%", "a!%",
                                           "!_%", "", "A\\%%", "__%", "_%_", "%\xF0\x9F\x98\x80%"};
    static const char escapes[] = {0, 0, '!', '\\'};
    enum { PATTERN_COUNT = sizeof patterns / sizeof patterns[0] };
    const RefNode *args[2] = {typed(world, &ref_string, depth), NULL};
    char escape = escapes[ref_chance(world, sizeof escapes)];
    if (ref_chance(world, 3) == 0) {
        args[1] = typed(world, &ref_string, depth);
    } else {
        const char *text = patterns[ref_chance(world, PATTERN_COUNT)];
        RefOut quoted = {0};
        RefNode *pattern = ref_node(NODE_LITERAL, &ref_string, NULL, 0);
        ref_out(&quoted, "'%s'", text);
        pattern->value = ref_of_ascii(text);
        pattern->text = quoted.text;
        args[1] = pattern;
    }
    /* A literal that ends in the escape is refused when it is planned. */
    if (args[1]->kind == NODE_LITERAL && escape && args[1]->value.present &&
        args[1]->value.text.size > 0 &&
        args[1]->value.text.units[args[1]->value.text.size - 1] == (uint16_t)escape)
        escape = 0;
    RefNode *node = ref_node(NODE_LIKE, &ref_boolean, args, 2);
    node->escape = escape;
    node->negated = ref_chance(world, 3) == 0;
    return node;
}

static const RefNode *truth(RefWorld *world, int depth) {
    const RefNode *args[3];
    uint32_t count = 2 + (ref_chance(world, 4) == 0);
    switch (ref_chance(world, 12)) {
    case 0:
    case 1:
    case 2:
        for (uint32_t i = 0; i < count; i++)
            args[i] = typed(world, &ref_boolean, depth - 1);
        return ref_node(ref_chance(world, 2) ? NODE_AND : NODE_OR, &ref_boolean, args, count);
    case 3:
        args[0] = typed(world, &ref_boolean, depth - 1);
        return ref_node(NODE_NOT, &ref_boolean, args, 1);
    case 4:
    case 5: {
        args[0] = null_of_any(world, ref_random_type(world, 1), depth - 1);
        RefNode *node = ref_node(NODE_IS_NULL, &ref_boolean, args, 1);
        node->negated = ref_chance(world, 2) == 0;
        return node;
    }
    case 6: return in_list(world, depth - 1);
    case 7: return like(world, depth - 1);
    default: return comparison(world, depth - 1);
    }
}

/* == Ways that lead to every type == */

static const RefNode *case_of(RefWorld *world, const RefType *type, int depth) {
    const RefNode *args[7];
    uint32_t count = 0, branches = 1 + ref_chance(world, 3);
    for (uint32_t i = 0; i < branches; i++) {
        args[count++] = typed(world, &ref_boolean, depth - 1);
        args[count++] = i > 0 && ref_chance(world, 8) == 0 ? ref_null_literal()
                                                           : typed(world, type, depth - 1);
    }
    if (ref_chance(world, 3) > 0)
        args[count++] = ref_chance(world, 8) == 0 ? ref_null_literal()
                                                  : typed(world, type, depth - 1);
    return ref_node(NODE_CASE, type, args, count);
}

/* Texts of times inside nested values, and of BYTES, are not told. */
static bool has_plain_text(const RefType *type, bool inside) {
    if (type->kind == REF_BYTES)
        return false;
    if (inside && type->kind >= REF_TIME && type->kind <= REF_TIMESTAMP)
        return false;
    for (uint32_t i = 0; i < type->count; i++) {
        if (!has_plain_text(type->parts[i], true))
            return false;
    }
    return true;
}

static const RefNode *cast_of(RefWorld *world, const RefType *type, int depth) {
    for (int i = 0; i < 12; i++) {
        const RefType *from = ref_chance(world, 3) == 0 ? &ref_string : ref_random_type(world, 1);
        if (!ref_castable(from, type) || ref_type_equal(from, type) ||
            (type->kind == REF_STRING && !has_plain_text(from, false)))
            continue;
        return cast_to(typed(world, from, depth - 1), type);
    }
    return leaf(world, type);
}

static const RefNode *subscript(RefWorld *world, const RefType *type, int depth) {
    const RefNode *args[2];
    if (ref_chance(world, 2) == 0) {
        args[0] = typed(world, ref_array_type(type), depth - 1);
        args[1] = typed(world, ref_chance(world, 4) == 0 ? &ref_bigint : &ref_int, depth - 1);
    } else {
        args[0] = typed(world, ref_map_type(&ref_string, type), depth - 1);
        args[1] = typed(world, &ref_string, depth - 1);
    }
    return ref_node(NODE_SUBSCRIPT, type, args, 2);
}

static const RefNode *field(RefWorld *world, const RefType *type, int depth) {
    static const char *const names[] = {"A", "B"};
    const RefType *parts[] = {type, ref_random_type(world, 0)};
    const RefType *record = ref_struct_type(parts, names, 1 + ref_chance(world, 2));
    uint32_t index = 0;
    for (uint32_t i = 0; i < world->column_count; i++) {
        const RefType *column = world->columns[i];
        for (uint32_t j = 0; column->kind == REF_STRUCT && j < column->count; j++) {
            if (ref_type_equal(column->parts[j], type) && ref_chance(world, 2)) {
                record = column;
                index = j;
            }
        }
    }
    const RefNode *base = typed(world, record, depth - 1);
    RefNode *node = ref_node(NODE_DEREF, type, &base, 1);
    node->index = index;
    return node;
}

/* == Calls == */

typedef struct Binding {
    const RefType *generic, *decimal, *result;
} Binding;

/* Whether a result of this letter can be of the type; binds what follows from that. */
static bool result_fits(char letter, const RefType *type, Binding *binding) {
    static const char letters[] = ".BILMFSYTDW";
    binding->result = type;
    switch (letter) {
    case 'X': binding->generic = type; return true;
    case 'A': binding->generic = type->count > 0 ? type->parts[0] : NULL;
        return type->kind == REF_ARRAY;
    case 'P': binding->generic = type->kind == REF_MAP ? type->parts[1] : NULL;
        return type->kind == REF_MAP && type->parts[0]->kind == REF_STRING;
    case 'Z': return type->kind == REF_ARRAY && type->parts[0]->kind == REF_STRING;
    case 'y': return type->kind == REF_ARRAY && type->parts[0]->kind == REF_BYTES;
    case 'M':
    case 'm': binding->decimal = type; return type->kind == REF_DECIMAL;
    case 'w': /* of a DECIMAL with some more digits behind the point */
        if (type->kind != REF_DECIMAL || type->scale != 0 || type->precision > 60)
            return false;
        binding->decimal = ref_decimal_type(type->precision + 6, 6);
        return true;
    default: break;
    }
    return type->kind < REF_ARRAY && letters[type->kind] == letter;
}

static const RefType *param_type(RefWorld *world, char letter, Binding *binding) {
    static const RefKind kinds[] = {['B'] = REF_BOOLEAN, ['I'] = REF_INT,  ['L'] = REF_BIGINT,
                                    ['F'] = REF_DOUBLE,  ['S'] = REF_STRING, ['Y'] = REF_BYTES,
                                    ['u'] = REF_STRING,  ['T'] = REF_TIME, ['D'] = REF_DATE,
                                    ['W'] = REF_TIMESTAMP};
    if (letter == 'X' || letter == 'A' || letter == 'P') {
        if (!binding->generic)
            binding->generic = ref_random_type(world, 1);
        return letter == 'X'   ? binding->generic
               : letter == 'A' ? ref_array_type(binding->generic)
                               : ref_map_type(&ref_string, binding->generic);
    }
    if (letter == 'Z')
        return ref_array_type(&ref_string);
    if (letter == 'M')
        return binding->decimal ? binding->decimal : ref_random_decimal(world);
    return ref_scalar_type(kinds[(int)letter]);
}

static const RefFunction *function_for(RefWorld *world, const RefType *type, Binding *binding) {
    const RefFunction *found = NULL;
    uint32_t total = 0;
    for (uint32_t i = 0; i < ref_function_count; i++) {
        const RefFunction *function = &ref_functions[i];
        Binding candidate = {0};
        if (!result_fits(function->result[0], type, &candidate))
            continue;
        bool ordered = strncmp(function->name, "ARRAY_M", 7) == 0 ||
                       strcmp(function->name, "ARRAY_SORT") == 0;
        if (ordered && ref_is_nested(candidate.generic))
            continue;
        uint32_t weight = (uint32_t)function->weight;
        if (world->only && strcmp(world->only, function->name) == 0)
            weight = 500;
        total += weight;
        if (ref_chance(world, total) < weight) {
            found = function;
            *binding = candidate;
        }
    }
    return found;
}

static const RefNode *unit_word(RefWorld *world) {
    static const char *const words[] = {"MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"};
    RefNode *node = ref_node(NODE_LITERAL, &ref_string, NULL, 0);
    node->text = words[ref_chance(world, 5)];
    node->value = ref_of_ascii(node->text);
    return node;
}

static const RefNode *call(RefWorld *world, const RefType *type, int depth) {
    Binding binding = {0};
    const RefNode *args[8];
    const RefType *params[8], **copy = ref_alloc(sizeof params);
    const RefFunction *function = function_for(world, type, &binding);
    uint32_t count = 0;
    if (!function)
        return leaf(world, type);
    for (const char *at = function->params; *at; at++) {
        char letter = *at;
        bool optional = at[1] == '?', many = at[1] == '*' || at[1] == '+';
        at += optional || many;
        if (optional && ref_chance(world, 2) == 0)
            break;
        uint32_t times = many ? (at[0] == '+') + ref_chance(world, 3) : 1;
        for (; times > 0 && count < 7; times--, count++) {
            params[count] = param_type(world, letter, &binding);
            args[count] = letter == 'u' ? unit_word(world) : typed(world, params[count], depth - 1);
        }
    }
    memcpy(copy, params, sizeof params);
    RefNode *node = ref_node(NODE_CALL, type, args, count);
    node->function = function;
    node->params = copy;
    return node;
}

/* == All == */

static const RefNode *constructor(RefWorld *world, const RefType *type, int depth) {
    const RefNode *args[8];
    bool array = type->kind == REF_ARRAY, map = type->kind == REF_MAP;
    uint32_t count = array ? 1 + ref_chance(world, 4)
                     : map ? 2 + 2 * ref_chance(world, 3)
                           : type->count;
    for (uint32_t i = 0; i < count; i++) {
        const RefType *part = type->parts[array ? 0 : map ? i % 2 : i];
        bool first = i == 0 || (map && i == 1);
        args[i] = type->kind == REF_STRUCT ? typed(world, part, depth - 1)
                  : first                  ? list_first(world, part, depth - 1)
                                           : list_item(world, part, depth - 1);
    }
    return ref_node(array ? NODE_ARRAY : map ? NODE_MAP : NODE_STRUCT, type, args, count);
}

static const RefNode *append(RefWorld *world, int depth) {
    const RefNode *args[2] = {typed(world, &ref_string, depth), typed(world, &ref_string, depth)};
    RefNode *node = ref_node(NODE_APPEND, &ref_string, args, 2);
    node->op = '+';
    return node;
}

static const RefNode *known(RefWorld *world, const RefType *type) {
    for (uint32_t i = 0; i < 8 && world->pool_count > 0; i++) {
        const RefNode *node = world->pool[ref_chance(world, world->pool_count)];
        if (ref_type_equal(node->type, type))
            return node;
    }
    return NULL;
}

static const RefNode *made(RefWorld *world, const RefType *type, int depth) {
    uint32_t way = ref_chance(world, 16);
    if (way < 3)
        return leaf(world, type);
    if (way == 3)
        return case_of(world, type, depth);
    if (way < 6)
        return cast_of(world, type, depth);
    if (way == 6)
        return subscript(world, type, depth);
    if (way == 7)
        return field(world, type, depth);
    if (way < 11)
        return call(world, type, depth);
    if (ref_is_number(type))
        return number_of(world, type, depth);
    if (type->kind == REF_BOOLEAN)
        return truth(world, depth);
    if (ref_is_nested(type))
        return constructor(world, type, depth);
    if (type->kind == REF_STRING && way == 11)
        return append(world, depth - 1);
    return call(world, type, depth);
}

static const RefNode *typed(RefWorld *world, const RefType *type, int depth) {
    const RefNode *node = ref_chance(world, 10) == 0 ? known(world, type) : NULL;
    if (node)
        return node;
    node = depth <= 0 ? leaf(world, type) : made(world, type, depth);
    uint32_t place = world->pool_count < WORLD_POOL ? world->pool_count++
                                                    : ref_chance(world, WORLD_POOL);
    world->pool[place] = node;
    return node;
}

const RefNode *ref_random_tree(RefWorld *world) {
    const RefType *type = ref_chance(world, 3) == 0 ? &ref_boolean : ref_random_type(world, 2);
    int depth = 1 + (int)ref_chance(world, 4);
    return ref_chance(world, 5) == 0 ? number(world, depth) : typed(world, type, depth);
}
