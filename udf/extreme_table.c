/*
 * extreme_table.c - MIN and MAX that can take values back: they keep all of them, in order.
 *
 * A treap in blocks of the heap: a search tree by the order of values that is a heap by priorities,
 * which are hashes of the values. A node counts how often its value is there.
 * Elements: bytes in the order of values -> how often, a zig-zag varint, and the value's bytes.
 */
#include "base/hash.h"
#include "udf/aggregate_impl.h"

struct ExtremeNode {
    struct ExtremeNode *left, *right;
    uint64_t priority;
    int64_t count;
    uint32_t order_size, size;
    uint8_t bytes[]; /* order, then value */
};

typedef struct ExtremeNode Node;

/* What is changed: a value, and where blocks lie. */
typedef struct TreeChange {
    AggregateHeap *heap;
    Bytes order, value;
    int64_t count;
    Node *changed; /* the value's node; NULL: it went */
} TreeChange;

static Bytes node_order(const Node *node) {
    return (Bytes){node->bytes, node->order_size};
}

static Bytes node_value(const Node *node) {
    return (Bytes){node->bytes + node->order_size, node->size - node->order_size};
}

static void set_link(AggregateHeap *heap, Node **link, Node *node) {
    if (*link == node)
        return;
    heap->ops->keep(heap, link, sizeof *link);
    *link = node;
}

static Node *node_new(TreeChange *change) {
    uint32_t size = change->order.size + change->value.size;
    Node *node = change->heap->ops->reserve(change->heap, (uint32_t)sizeof *node + size);
    node->priority = hash_bytes(change->order);
    node->count = change->count;
    node->order_size = change->order.size;
    node->size = size;
    if (change->order.size > 0)
        memcpy(node->bytes, change->order.data, change->order.size);
    memcpy(node->bytes + node->order_size, change->value.data, change->value.size);
    change->changed = node;
    return node;
}

/* Two trees, all of the left one in front, as one. */
static Node *join_trees(AggregateHeap *heap, Node *left, Node *right) {
    if (!left || !right)
        return left ? left : right;
    if (left->priority > right->priority) {
        set_link(heap, &left->right, join_trees(heap, left->right, right));
        return left;
    }
    set_link(heap, &right->left, join_trees(heap, left, right->left));
    return right;
}

/* The child went up by a rotation where its priority is the greater one. */
static Node *raise_left(AggregateHeap *heap, Node *node) {
    Node *child = node->left;
    if (!child || child->priority <= node->priority)
        return node;
    set_link(heap, &node->left, child->right);
    set_link(heap, &child->right, node);
    return child;
}

static Node *raise_right(AggregateHeap *heap, Node *node) {
    Node *child = node->right;
    if (!child || child->priority <= node->priority)
        return node;
    set_link(heap, &node->right, child->left);
    set_link(heap, &child->left, node);
    return child;
}

/* Adds the count to the value's node; a node that counts nothing goes, one that is missing is made
 * for what is added. Returns the new root. */
static Node *change_tree(TreeChange *change, Node *node) {
    AggregateHeap *heap = change->heap;
    if (!node)
        return change->count > 0 ? node_new(change) : NULL;
    int order = bytes_compare(change->order, node_order(node));
    if (order < 0) {
        set_link(heap, &node->left, change_tree(change, node->left));
        return raise_left(heap, node);
    }
    if (order > 0) {
        set_link(heap, &node->right, change_tree(change, node->right));
        return raise_right(heap, node);
    }
    if (node->count + change->count > 0) {
        heap->ops->keep(heap, &node->count, sizeof node->count);
        node->count += change->count;
        change->changed = node;
        return node;
    }
    Node *joined = join_trees(heap, node->left, node->right);
    heap->ops->drop(heap, node);
    return joined;
}

static void tree_note(AggregateHeap *heap, uint64_t id, const Node *node) {
    Buf value = {0};
    buf_zigzag(&value, node->count);
    buf_bytes(&value, node_value(node));
    Bytes view = buf_view(&value);
    heap->ops->note(heap, id, node_order(node), &view);
    buf_free(&value);
}

static void tree_take(ExtremeTreeState *state, AggregateHeap *heap, Bytes order, Bytes value,
                      int64_t count) {
    TreeChange change = {heap, order, value, count, NULL};
    if (state->id == 0)
        state->id = heap->ops->number(heap);
    state->root = change_tree(&change, state->root);
    if (change.changed)
        tree_note(heap, state->id, change.changed);
    else
        heap->ops->note(heap, state->id, order, NULL);
}

static void tree_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    uint32_t row = call->rows[i];
    if (column_is_null(call->args[0], row))
        return;
    element_order_put(scratch, call->args[0], row);
    uint32_t order_size = (uint32_t)scratch->size;
    element_put(scratch, call->args[0], row, call->arena);
    Bytes order = {scratch->data, order_size};
    Bytes value = {scratch->data + order_size, (uint32_t)scratch->size - order_size};
    tree_take(memory, aggregate_heap(call, i), order, value, aggregate_sign(call, i));
}

static void tree_put(ElementColumn *target, const ExtremeTreeState *state, bool max) {
    const Node *node = state->root;
    while (node && (max ? node->right : node->left))
        node = max ? node->right : node->left;
    if (node)
        element_column_item(target, node_value(node), 0);
}

static void tree_save(const void *memory, Buf *out) {
    const ExtremeTreeState *state = memory;
    element_save_id(state->id, out);
}

static bool tree_load(Reader *in, void *memory, AggregateHeap *heap) {
    ExtremeTreeState *state = memory;
    return element_load_id(in, &state->id, heap);
}

static uint64_t tree_id(const void *memory) {
    const ExtremeTreeState *state = memory;
    return state->id;
}

static bool tree_load_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    ExtremeTreeState *state = memory;
    Reader in = reader_of(value);
    int64_t count = reader_zigzag(&in);
    Bytes own = reader_bytes(&in, reader_left(&in));
    if (!reader_ok(&in) || count <= 0 || own.size == 0)
        return false;
    TreeChange change = {heap, key, own, count, NULL};
    state->root = change_tree(&change, state->root);
    return true;
}

static void forget_tree(const ExtremeTreeState *state, AggregateHeap *heap, Node *node) {
    if (!node)
        return;
    forget_tree(state, heap, node->left);
    forget_tree(state, heap, node->right);
    heap->ops->note(heap, state->id, node_order(node), NULL);
    heap->ops->drop(heap, node);
}

static void tree_forget(void *memory, AggregateHeap *heap) {
    ExtremeTreeState *state = memory;
    forget_tree(state, heap, state->root);
    *state = (ExtremeTreeState){0};
}

static void merge_tree(const AggregateMerge *merge, const Node *node) {
    if (!node)
        return;
    merge_tree(merge, node->left);
    tree_take(merge->into, merge->heap, node_order(node), node_value(node), node->count);
    merge_tree(merge, node->right);
}

static void tree_merge(const AggregateMerge *merge) {
    const ExtremeTreeState *from = merge->from;
    merge_tree(merge, from->root);
    tree_forget(merge->from, merge->heap);
}

static void extreme_tree_min_put(ElementColumn *target, const void *memory,
                                 const AggregateCall *call) {
    (void)call;
    tree_put(target, memory, false);
}

static void extreme_tree_max_put(ElementColumn *target, const void *memory,
                                 const AggregateCall *call) {
    (void)call;
    tree_put(target, memory, true);
}

#define extreme_tree_min_step tree_step
#define extreme_tree_max_step tree_step
ELEMENT_LOOPS(extreme_tree_min, true)
ELEMENT_LOOPS(extreme_tree_max, true)

#define EXTREME_TREE_OPS(kernel)                                                          \
    const AggregateOps kernel##_ops = {                                                   \
        .update = kernel##_update, .result = kernel##_result, .save = tree_save,          \
        .load = tree_load, .merge = tree_merge, .forget = tree_forget, .id = tree_id,     \
        .load_element = tree_load_element};

EXTREME_TREE_OPS(extreme_tree_min)
EXTREME_TREE_OPS(extreme_tree_max)
