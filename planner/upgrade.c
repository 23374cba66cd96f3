/*
 * upgrade.c - CREATE OR REPLACE: what may differ from what is there.
 *
 * A source keeps its kind, topic, formats, timestamp column and key; value columns may be added at
 * its end. Every difference that is not allowed is named.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

/* The differences found so far, as one text. */
typedef struct Upgrade {
    const Planner *planner;
    const char *name;
    Buf text;
} Upgrade;

static void upgrade_differs(Upgrade *upgrade, const char *what, const char *from, const char *to) {
    buf_text(&upgrade->text, upgrade->text.size > 0 ? "\n\tAND " : "");
    buf_printf(&upgrade->text, "DataSource '`%s`' has %s = %s which is not upgradeable to %s",
               upgrade->name, what, from, to);
}

static const char *topic_text(const Planner *planner, const PlanTopic *topic) {
    static const char *const windows[] = {"", ", TUMBLING", ", HOPPING", ", SESSION"};
    const char *size = "";
    if (topic->window_size_ms > 0)
        size = arena_printf(planner->arena, " %lld ms", (long long)topic->window_size_ms);
    return arena_printf(planner->arena, "%s (key %s%s%s, value %s%s)", topic->topic,
                        topic->key.format->name, windows[topic->window], size,
                        topic->value.format->name, topic->value.unwrapped ? ", bare" : "");
}

static const char *timestamp_text(const Planner *planner, const PlanTopic *topic) {
    if (topic->timestamp_column < 0)
        return "none";
    return arena_printf(planner->arena, "`%s`%s%s",
                        topic->schema->columns[topic->timestamp_column].name,
                        topic->timestamp_format ? " " : "",
                        topic->timestamp_format ? topic->timestamp_format : "");
}

static const char *columns_text(const Planner *planner, const Schema *schema) {
    Buf buf = {0};
    schema_print(&buf, schema);
    const char *text = arena_text(planner->arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

static bool same_text(const char *left, const char *right) {
    return left == right || (left && right && strcmp(left, right) == 0);
}

static bool same_column(const SchemaColumn *left, const SchemaColumn *right) {
    return strcmp(left->name, right->name) == 0 && left->role == right->role &&
           same_text(left->header, right->header) && type_equal(left->type, right->type);
}

static void upgrade_topic(Upgrade *upgrade, const PlanTopic *from, const PlanTopic *to) {
    bool same = strcmp(from->topic, to->topic) == 0 && from->key.format == to->key.format &&
                from->key.delimiter == to->key.delimiter &&
                from->value.format == to->value.format &&
                from->value.delimiter == to->value.delimiter && from->window == to->window &&
                from->window_size_ms == to->window_size_ms;
    /* A second column unwraps nothing that was bare by nature. */
    same = same && (from->value.unwrapped == to->value.unwrapped || !from->value.format->can_wrap);
    if (!same)
        upgrade_differs(upgrade, "topic", topic_text(upgrade->planner, from),
                        topic_text(upgrade->planner, to));
}

static void upgrade_timestamp(Upgrade *upgrade, const PlanTopic *from, const PlanTopic *to) {
    const char *left = timestamp_text(upgrade->planner, from);
    const char *right = timestamp_text(upgrade->planner, to);
    if (strcmp(left, right) != 0)
        upgrade_differs(upgrade, "timestampColumn", left, right);
}

/* "[`A` INTEGER, ...]": columns first..last of `from` that `to` does not have in their places. */
static const char *columns_gone(const Planner *planner, const Schema *from, const Schema *to,
                                uint32_t first, uint32_t last) {
    SchemaColumn *gone = arena_array(planner->arena, last - first, sizeof *gone);
    Schema list = {gone, 0, 0};
    for (uint32_t i = first; i < last; i++) {
        if (i >= to->column_count || !same_column(&from->columns[i], &to->columns[i]))
            gone[list.column_count++] = from->columns[i];
    }
    return list.column_count > 0
               ? arena_printf(planner->arena, "[%s]", columns_text(planner, &list))
               : NULL;
}

static void upgrade_schema(Upgrade *upgrade, const Schema *from, const Schema *to) {
    const Planner *planner = upgrade->planner;
    const char *gone = columns_gone(planner, from, to, 0, from->key_count);
    const char *reason = NULL;
    if (gone)
        reason = arena_printf(planner->arena, "Key columns must be identical. The following key "
                              "columns are changed, missing or reordered: %s", gone);
    else if (from->key_count != to->key_count)
        reason = "Key columns must be identical.";
    else if ((gone = columns_gone(planner, from, to, from->key_count, from->column_count)) != NULL)
        reason = arena_printf(planner->arena, "The following columns are changed, missing or "
                              "reordered: %s", gone);
    if (!reason)
        return;
    upgrade_differs(upgrade, "schema", columns_text(planner, from), columns_text(planner, to));
    buf_printf(&upgrade->text, ". (%s)", reason);
}

ErrCode upgrade_source(const Planner *planner, const Source *old, const Source *source, Err *err) {
    assert(strcmp(old->name, source->name) == 0);
    Upgrade upgrade = {.planner = planner, .name = old->name};
    AstPos pos = planner->statement->name_pos;
    if (old->is_table != source->is_table)
        upgrade_differs(&upgrade, "type", old->is_table ? "KTABLE" : "KSTREAM",
                        source->is_table ? "KTABLE" : "KSTREAM");
    upgrade_topic(&upgrade, &old->topic, &source->topic);
    upgrade_timestamp(&upgrade, &old->topic, &source->topic);
    upgrade_schema(&upgrade, old->topic.schema, source->topic.schema);
    ErrCode code = ERR_OK;
    if (upgrade.text.size > 0)
        code = err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Cannot upgrade data source: %s", buf_cstr(&upgrade.text));
    buf_free(&upgrade.text);
    return code;
}
