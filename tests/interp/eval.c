/*
 * eval.c - evaluation of expressions, one node and one row at a time.
 */
#include <math.h>
#include <string.h>

#include "tests/interp/tree.h"

bool ref_throw(RefRun *run) {
    run->soft = false;
    return false;
}

bool ref_throw_null(RefRun *run) {
    run->soft = true;
    return false;
}

/* Where what was thrown ends. */
static void caught(RefRun *run) {
    run->failed |= !run->soft;
    run->unsure = true;
}

/* The value, or NULL where it throws. */
static void eval_guarded(RefRun *run, const RefNode *node, RefValue *out) {
    if (!ref_eval(run, node, out)) {
        caught(run);
        *out = ref_missing();
    }
}

/* What the engine may look at though its value is not asked for. */
static void eval_unasked(RefRun *run, const RefNode *node) {
    RefRun other = {.row = run->row};
    RefValue ignored;
    if (!ref_eval(&other, node, &ignored))
        caught(&other);
    run->unsure |= other.failed || other.unsure || other.vague;
}

/* == Arithmetic == */

static bool whole_arithmetic(RefRun *run, char op, int64_t left, int64_t right, RefValue *out) {
    uint64_t a = (uint64_t)left, b = (uint64_t)right;
    if ((op == '/' || op == '%') && right == 0)
        return ref_throw(run);
    switch (op) {
    case '+': out->integer = (int64_t)(a + b); break;
    case '-': out->integer = (int64_t)(a - b); break;
    case '*': out->integer = (int64_t)(a * b); break;
    case '/': out->integer = right == -1 ? (int64_t)(0 - a) : left / right; break;
    default: out->integer = right == -1 ? 0 : left % right; break;
    }
    return true;
}

static double real_arithmetic(char op, double left, double right) {
    switch (op) {
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    case '/': return left / right;
    default: return fmod(left, right);
    }
}

static double real_of(const RefType *type, const RefValue *value) {
    if (type->kind == REF_DOUBLE)
        return value->real;
    return type->kind == REF_DECIMAL ? ref_exact_double(ref_exact_of(type, value))
                                     : (double)value->integer;
}

static bool eval_arithmetic(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue left, right;
    const RefType *a = node->args[0]->type, *b = node->args[1]->type;
    if (!ref_eval(run, node->args[0], &left))
        return false;
    if (!ref_eval(run, node->args[1], &right))
        return false;
    if (!left.present || !right.present)
        return ref_throw_null(run);
    *out = ref_of_integer(0);
    if (node->type->kind == REF_DOUBLE) {
        out->real = real_arithmetic(node->op, real_of(a, &left), real_of(b, &right));
        return true;
    }
    if (node->type->kind == REF_DECIMAL)
        return ref_decimal_arithmetic(node->op, ref_exact_of(a, &left), ref_exact_of(b, &right),
                                      node->type, out) ||
               ref_throw(run);
    if (!whole_arithmetic(run, node->op, left.integer, right.integer, out))
        return false;
    if (node->type->kind == REF_INT)
        out->integer = (int32_t)(uint32_t)(uint64_t)out->integer;
    return true;
}

static bool eval_negate(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue value;
    if (!ref_eval(run, node->args[0], &value))
        return false;
    if (!value.present)
        return ref_throw_null(run);
    *out = value;
    if (node->type->kind == REF_DOUBLE) {
        out->real = -value.real;
    } else if (node->type->kind == REF_DECIMAL) {
        mpz_ptr negative = ref_mpz();
        mpz_neg(negative, value.decimal);
        *out = ref_of_decimal(negative);
    } else {
        out->integer = (int64_t)(0 - (uint64_t)value.integer);
        if (node->type->kind == REF_INT)
            out->integer = (int32_t)(uint32_t)(uint64_t)out->integer;
    }
    return true;
}

static bool eval_append(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue left, right;
    if (!ref_eval(run, node->args[0], &left) || !ref_eval(run, node->args[1], &right))
        return false;
    if (!left.present || !right.present)
        return ref_throw_null(run);
    uint32_t size = left.text.size + right.text.size;
    uint16_t *units = ref_alloc((size_t)size * 2);
    memcpy(units, left.text.units, (size_t)left.text.size * 2);
    memcpy(units + left.text.size, right.text.units, (size_t)right.text.size * 2);
    *out = (RefValue){.present = true, .text = {.units = units, .size = size}};
    return true;
}

/* == Comparison == */

enum { UNORDERED = 2 };

static bool is_time(const RefType *type) {
    return type->kind >= REF_TIME && type->kind <= REF_TIMESTAMP;
}

static bool time_of(RefRun *run, const RefType *type, const RefType *wanted,
                    const RefValue *value, int64_t *time) {
    if (type->kind != REF_STRING) {
        bool days = type->kind == REF_DATE && wanted->kind == REF_TIMESTAMP;
        *time = value->integer * (days ? 86400000 : 1);
        return true;
    }
    RefText trimmed = ref_trim(value->text);
    run->vague |= trimmed.size != value->text.size;
    bool fits = wanted->kind == REF_DATE   ? ref_parse_date(trimmed, time, &run->vague)
                : wanted->kind == REF_TIME ? ref_parse_time(trimmed, time, &run->vague)
                                           : ref_parse_timestamp(trimmed, time, &run->vague);
    return fits || ref_throw(run);
}

static bool order_times(RefRun *run, const RefType *const types[2], const RefValue *values,
                        int *order) {
    int64_t times[2];
    const RefType *wanted = types[0]->kind == REF_STRING ? types[1] : types[0];
    if (types[1]->kind == REF_TIMESTAMP)
        wanted = types[1];
    for (int i = 0; i < 2; i++) {
        if (!time_of(run, types[i], wanted, &values[i], &times[i]))
            return false;
    }
    *order = (times[0] > times[1]) - (times[0] < times[1]);
    return true;
}

/* -1, 0, 1, or UNORDERED: neither less nor more nor equal. */
static bool order_numbers(RefRun *run, const RefType *const types[2], const RefValue *values,
                          int *order) {
    if (types[0]->kind == REF_DECIMAL || types[1]->kind == REF_DECIMAL) {
        for (int i = 0; i < 2; i++) {
            if (types[i]->kind == REF_DOUBLE && !isfinite(values[i].real))
                return ref_throw(run);
        }
        int found = ref_compare_exact(ref_exact_of(types[0], &values[0]),
                                      ref_exact_of(types[1], &values[1]));
        *order = (found > 0) - (found < 0);
    } else if (types[0]->kind == REF_DOUBLE || types[1]->kind == REF_DOUBLE) {
        double a = real_of(types[0], &values[0]), b = real_of(types[1], &values[1]);
        *order = isnan(a) || isnan(b) ? UNORDERED : (a > b) - (a < b);
    } else {
        int64_t a = values[0].integer, b = values[1].integer;
        *order = (a > b) - (a < b);
    }
    return true;
}

static bool order_of(RefRun *run, const RefType *const types[2], const RefValue *values,
                     int *order) {
    const RefType *type = types[0];
    if (is_time(types[0]) || is_time(types[1]))
        return order_times(run, types, values, order);
    if (ref_is_number(type))
        return order_numbers(run, types, values, order);
    if (type->kind == REF_STRING)
        *order = ref_compare_text(values[0].text, values[1].text);
    else if (type->kind == REF_BYTES)
        *order = ref_compare_bytes(values[0].text, values[1].text);
    else
        *order = ref_same(type, &values[0], &values[1]) ? 0 : 1;
    return true;
}

static bool holds(char op, int order) {
    switch (op) {
    case '=':
    case 'n': return order == 0;
    case '!':
    case 'd': return order == 1 || order == -1;
    case '<': return order == -1;
    case 'l': return order == -1 || order == 0;
    case '>': return order == 1;
    default: return order == 1 || order == 0;
    }
}

static bool compare(RefRun *run, char op, const RefNode *const args[2], RefValue *out) {
    RefValue values[2];
    const RefType *types[2] = {args[0]->type, args[1]->type};
    bool distinct = op == 'd' || op == 'n';
    int order;
    if (!ref_eval(run, args[0], &values[0]))
        return false;
    if (!values[0].present && !distinct) {
        eval_unasked(run, args[1]);
        run->unsure |= is_time(types[0]) || is_time(types[1]); /* a text may be read in vain */
        *out = ref_of_boolean(false);
        return true;
    }
    if (!ref_eval(run, args[1], &values[1]))
        return false;
    if (!values[0].present || !values[1].present) {
        run->unsure |= is_time(types[0]) || is_time(types[1]);
        bool differ = values[0].present != values[1].present;
        *out = ref_of_boolean(distinct && differ == (op == 'd'));
        return true;
    }
    if (!order_of(run, types, values, &order))
        return false;
    /* IS NOT DISTINCT FROM is NOT of the other: true for NaN. */
    *out = ref_of_boolean(op == 'n' ? !holds('d', order) : holds(op, order));
    return true;
}

static bool eval_between(RefRun *run, const RefNode *node, RefValue *out) {
    const RefNode *low[] = {node->args[0], node->args[1]};
    const RefNode *high[] = {node->args[0], node->args[2]};
    if (!compare(run, 'g', low, out))
        return false;
    if (out->boolean && !compare(run, 'l', high, out))
        return false;
    out->boolean = out->boolean != node->negated;
    return true;
}

static RefValue item_of(RefRun *run, const RefNode *node, const RefType *type);

/* An item of a list as the type that all have: a cast where it is not of it already. */
static bool eval_common(RefRun *run, const RefNode *node, const RefType *type, RefValue *out) {
    if (ref_type_equal(node->type, type))
        return ref_eval(run, node, out);
    *out = item_of(run, node, type);
    return true;
}

static bool eval_in(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue value, item;
    bool found = false;
    if (!eval_common(run, node->args[0], node->common, &value))
        return false;
    for (uint32_t i = 1; i < node->count; i++) {
        if (!eval_common(run, node->args[i], node->common, &item))
            return false;
        found |= value.present && item.present && ref_same(node->common, &value, &item);
    }
    *out = ref_of_boolean(found != node->negated);
    return true;
}

/* == LIKE == */

static uint32_t character_at(RefText text, uint32_t at) {
    bool pair = at + 1 < text.size && text.units[at] >= 0xD800 && text.units[at] < 0xDC00 &&
                text.units[at + 1] >= 0xDC00 && text.units[at + 1] < 0xE000;
    return pair ? 2 : 1;
}

/* What Java's '.' does not match. */
static bool ends_line(RefText text, uint32_t at) {
    uint16_t unit = text.units[at];
    return unit == '\n' || unit == '\r' || unit == 0x85 || unit == 0x2028 || unit == 0x2029;
}

/* One step of the pattern at `by` and the text at `at`: what stands behind it, by `rest`, whose
 * rows are texts and whose columns are patterns from there on. */
static bool like_step(const RefNode *node, RefText text, uint32_t at, RefText pattern,
                      const uint8_t *rest, uint32_t by) {
    size_t width = (size_t)pattern.size + 1;
    uint16_t unit = pattern.units[by];
    bool escaped = node->escape && unit == (uint16_t)node->escape && by + 1 < pattern.size;
    uint32_t next = at == text.size ? at : at + character_at(text, at);
    if (escaped)
        unit = pattern.units[++by];
    else if (unit == '%')
        return rest[at * width + by + 1] ||
               (at < text.size && !ends_line(text, at) && rest[next * width + by]);
    if (at == text.size)
        return false;
    if (!escaped && unit == '_')
        return !ends_line(text, at) && rest[next * width + by + 1];
    return text.units[at] == unit && rest[(at + 1) * width + by + 1];
}

static bool like(RefRun *run, const RefNode *node, RefText text, RefText pattern) {
    size_t width = (size_t)pattern.size + 1;
    if (text.size * width > 1 << 20) { /* takes too long */
        run->vague = true;
        return false;
    }
    uint8_t *fits = ref_alloc((text.size + 1) * width);
    fits[text.size * width + pattern.size] = 1;
    for (uint32_t at = text.size + 1; at-- > 0;) {
        for (uint32_t by = pattern.size; by-- > 0;)
            fits[at * width + by] = like_step(node, text, at, pattern, fits, by);
    }
    return fits[0];
}

static bool eval_like(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue text, pattern;
    if (!ref_eval(run, node->args[1], &pattern) || !ref_eval(run, node->args[0], &text))
        return false;
    if (!text.present || !pattern.present)
        return ref_throw_null(run);
    bool open = false;
    for (uint32_t i = 0; node->escape && i < pattern.text.size; i++)
        open = !open && pattern.text.units[i] == (uint16_t)node->escape;
    if (open)
        return ref_throw(run);
    *out = ref_of_boolean(like(run, node, text.text, pattern.text) != node->negated);
    return true;
}

/* == Logic == */

static bool eval_truth(RefRun *run, const RefNode *node, bool *truth) {
    RefValue value;
    if (!ref_eval(run, node, &value))
        return false;
    if (!value.present)
        return ref_throw_null(run);
    *truth = value.boolean;
    return true;
}

static bool eval_logic(RefRun *run, const RefNode *node, RefValue *out) {
    bool truth = false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!eval_truth(run, node->args[i], &truth))
            return false;
        if (node->kind == NODE_NOT)
            truth = !truth;
        else if (truth == (node->kind == NODE_OR))
            break;
    }
    *out = ref_of_boolean(truth);
    return true;
}

static bool eval_case(RefRun *run, const RefNode *node, RefValue *out) {
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        bool truth;
        if (!eval_truth(run, node->args[i], &truth))
            return false;
        if (truth)
            return ref_eval(run, node->args[i + 1], out);
    }
    *out = ref_missing();
    return node->count % 2 == 0 || ref_eval(run, node->args[node->count - 1], out);
}

/* == Nested values == */

static bool eval_subscript(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue base, key;
    *out = ref_missing();
    if (!ref_eval(run, node->args[0], &base))
        return false;
    if (!base.present) {
        eval_unasked(run, node->args[1]);
        return true;
    }
    if (!ref_eval(run, node->args[1], &key))
        return false;
    if (node->args[0]->type->kind == REF_MAP) {
        const RefType *type = node->args[0]->type->parts[0];
        for (uint32_t i = 0; i < base.list.size; i += 2) {
            if (ref_same(type, &base.list.items[i], &key))
                *out = base.list.items[i + 1];
        }
        return true;
    }
    if (!key.present)
        return ref_throw_null(run);
    int64_t size = base.list.size, index = (int32_t)(uint32_t)(uint64_t)key.integer;
    int64_t at = index >= 0 ? index - 1 : size + index;
    if (at >= 0 && at < size)
        *out = base.list.items[at];
    return true;
}

static bool eval_deref(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue base;
    if (!ref_eval(run, node->args[0], &base))
        return false;
    *out = base.present ? base.list.items[node->index] : base;
    return true;
}

/* An item that throws is NULL. */
static RefValue item_of(RefRun *run, const RefNode *node, const RefType *type) {
    RefValue value, cast;
    if (ref_eval(run, node, &value) && ref_cast(run, &value, node->type, type, &cast))
        return cast;
    caught(run);
    return ref_missing();
}

static bool eval_items(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue *items = ref_alloc(node->count * sizeof *items);
    uint32_t size = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        const RefType *type = node->type;
        uint32_t part = type->kind == REF_ARRAY ? 0 : type->kind == REF_MAP ? i % 2 : i;
        items[size++] = item_of(run, node->args[i], type->parts[part]);
        if (type->kind != REF_MAP || part == 0)
            continue;
        /* The last of equal keys counts. */
        for (uint32_t j = 0; j + 2 < size; j += 2) {
            if (!ref_same(type->parts[0], &items[j], &items[size - 2]))
                continue;
            items[j + 1] = items[size - 1];
            size -= 2;
            break;
        }
    }
    *out = ref_of_list(items, size);
    return true;
}

/* == Functions == */

/* An argument that is itself a call or a field, or that is cast, does not throw on. */
static bool eval_argument(RefRun *run, const RefNode *node, const RefType *type, RefValue *out) {
    bool guarded = node->kind == NODE_CALL || node->kind == NODE_DEREF;
    RefValue value;
    if (!ref_type_equal(node->type, type) && node->type->kind != REF_NULL) {
        *out = item_of(run, node, type);
        return true;
    }
    if (guarded)
        eval_guarded(run, node, &value);
    else if (!ref_eval(run, node, &value))
        return false;
    *out = value;
    return true;
}

/* No half of a pair of UTF-16 units stands alone: UTF-8 has no form for it. */
static bool is_whole(const RefType *type, const RefValue *value) {
    if (!value->present)
        return true;
    for (uint32_t i = 0; ref_is_nested(type) && i < value->list.size; i++) {
        uint32_t part = type->kind == REF_STRUCT ? i : i % type->count;
        if (!is_whole(type->parts[part], &value->list.items[i]))
            return false;
    }
    for (uint32_t i = 0; type->kind == REF_STRING && i < value->text.size; i++) {
        bool surrogate = value->text.units[i] >= 0xD800 && value->text.units[i] < 0xE000;
        if (surrogate && character_at(value->text, i++) == 1)
            return false;
    }
    return true;
}

static bool eval_call(RefRun *run, const RefNode *node, RefValue *out) {
    RefValue *args = ref_alloc((node->count + 1) * sizeof *args);
    bool missing = false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!eval_argument(run, node->args[i], node->params[i], &args[i]))
            return false;
        missing |= !args[i].present;
    }
    *out = ref_missing();
    if (missing && !node->function->sees_nulls)
        return true;
    RefCall call = {run, node->type, node->params, args, node->count};
    if (!node->function->call(&call, out))
        return false;
    run->vague |= !is_whole(node->type, out);
    return true;
}

/* == All == */

bool ref_eval(RefRun *run, const RefNode *node, RefValue *out) {
    switch (node->kind) {
    case NODE_LITERAL: *out = node->value; return true;
    case NODE_COLUMN: *out = run->row[node->index]; return true;
    case NODE_NEGATE: return eval_negate(run, node, out);
    case NODE_ARITHMETIC: return eval_arithmetic(run, node, out);
    case NODE_APPEND: return eval_append(run, node, out);
    case NODE_COMPARE: return compare(run, node->op, node->args, out);
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT: return eval_logic(run, node, out);
    case NODE_BETWEEN: return eval_between(run, node, out);
    case NODE_IN: return eval_in(run, node, out);
    case NODE_LIKE: return eval_like(run, node, out);
    case NODE_IS_NULL: {
        RefValue value;
        if (!ref_eval(run, node->args[0], &value))
            return false;
        *out = ref_of_boolean(value.present == node->negated);
        return true;
    }
    case NODE_CASE: return eval_case(run, node, out);
    case NODE_CAST: *out = item_of(run, node->args[0], node->type); return true;
    case NODE_SUBSCRIPT: return eval_subscript(run, node, out);
    case NODE_DEREF: return eval_deref(run, node, out);
    case NODE_ARRAY:
    case NODE_MAP:
    case NODE_STRUCT: return eval_items(run, node, out);
    case NODE_CALL: return eval_call(run, node, out);
    }
    return false;
}

RefValue ref_evaluate(RefRun *run, const RefNode *node) {
    RefValue value;
    eval_guarded(run, node, &value);
    return value;
}
