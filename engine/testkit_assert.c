/*
 * testkit_assert.c - ASSERT VALUES, NULL VALUES, STREAM and TABLE of test files.
 *
 * Values are compared with the next record of the source's topic that no test has looked at yet,
 * column by column where one is named, as JSON: what would be printed is what is compared. The
 * queries have done all they can before. Sources are compared by what CREATE says of them.
 */
#include <strings.h>

#include "base/mem.h"
#include "engine/engine_impl.h"
#include "engine/testkit_impl.h"
#include "engine/value_text.h"
#include "runtime/expr.h"

/* -- Values ------------------------------------------------------------------------------------ */

static void assert_differs(Buf *out, const char *name, Bytes wanted, Bytes got) {
    buf_printf(out, "\n  %s: expected %.*s, got %.*s", name, (int)wanted.size,
               (const char *)wanted.data, (int)got.size, (const char *)got.data);
}

static bool assert_same(Bytes left, Bytes right) {
    return left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
}

static void assert_print(Buf *out, const Column *column) {
    if (!column || column_is_null(column, 0))
        buf_text(out, "null");
    else
        value_json_put(out, column, 0);
}

/* Adds a line to `out` where the constant is not the value. `got` NULL: null. */
static ErrCode assert_column(const char *name, const Expr *wanted, const Column *got, Arena *arena,
                             Buf *out, Err *err) {
    const Column *value;
    if (!wanted)
        return ERR_OK;
    TRY(expr_constant(&wanted, 1, arena, &value, err));
    Buf left = {0}, right = {0};
    assert_print(&left, value);
    assert_print(&right, got);
    if (!assert_same(buf_view(&left), buf_view(&right)))
        assert_differs(out, name, buf_view(&left), buf_view(&right));
    buf_free(&left);
    buf_free(&right);
    return ERR_OK;
}

static ErrCode assert_number(const char *name, const Expr *wanted, int64_t got, Arena *arena,
                             Buf *out, Err *err) {
    Column column = {.type = &type_bigint, .length = 1, .i64 = &got};
    return assert_column(name, wanted, &column, arena, out, err);
}

static ErrCode assert_row(const Planned *planned, const TestkitRow *row, bool null_value, Buf *out,
                          Err *err) {
    const Schema *schema = planned->target->topic.schema;
    if (row->is_tombstone != null_value && planned->target->topic.value.format != &format_none)
        buf_printf(out, "\n  value: expected %s, got %s", null_value ? "null" : "one",
                   null_value ? "one" : "null");
    for (uint32_t i = 0, value = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        Column **columns = column->role == COLUMN_KEY ? row->key : row->value;
        uint32_t at = column->role == COLUMN_KEY ? i : value;
        value += column->role == COLUMN_VALUE;
        if (column->role != COLUMN_HEADERS)
            TRY(assert_column(column->name, planned->values[i], columns ? columns[at] : NULL,
                              row->arena, out, err));
    }
    TRY(assert_number("ROWTIME", planned->rowtime, row->record.timestamp, row->arena, out, err));
    TRY(assert_number("WINDOWSTART", planned->window_start, row->record.window_start, row->arena,
                      out, err));
    return assert_number("WINDOWEND", planned->window_end, row->record.window_end, row->arena, out,
                         err);
}

static ErrCode assert_values(Call *call, const Planned *planned, Err *err) {
    Testkit *kit = call->weir->kit;
    const char *topic = planned->target->topic.topic;
    uint32_t *next = testkit_unread(kit, topic);
    AstPos pos = call->statement->pos;
    TestkitRow row = {.arena = call->arena};
    TRY(testkit_row(kit, planned->target, *next, &row, err));
    if (!row.found)
        return err_set_at(err, ERR_ASSERTION, pos.line, pos.column,
                          "Expected another record, but all records have already been read: topic "
                          "%s has %u", topic, *next);
    Buf text = {0};
    ErrCode code = assert_row(planned, &row, call->statement->kind == AST_ASSERT_NULL_VALUES, &text,
                              err);
    if (code == ERR_OK && text.size > 0)
        code = err_set_at(err, ERR_ASSERTION, pos.line, pos.column,
                          "Expected record does not match actual: record %u of topic %s%s", *next,
                          topic, buf_cstr(&text));
    *next += code == ERR_OK;
    buf_free(&text);
    return code;
}

/* -- Sources ----------------------------------------------------------------------------------- */

/* Adds a line to `out` where the texts differ. */
static void assert_text(const char *what, const char *wanted, const char *got, Buf *out) {
    Bytes left = bytes_of(wanted ? wanted : "none"), right = bytes_of(got ? got : "none");
    if (!assert_same(left, right))
        assert_differs(out, what, left, right);
}

static void assert_format(const char *what, const PlanFormat *wanted, const PlanFormat *got,
                          Buf *out) {
    char left[2] = {wanted->delimiter}, right[2] = {got->delimiter};
    assert_text(what, wanted->format->name, got->format->name, out);
    assert_text("delimiter", left, right, out);
    assert_text("WRAP_SINGLE_VALUE", wanted->unwrapped ? "false" : "true",
                got->unwrapped ? "false" : "true", out);
}

static const char *assert_timestamp(const PlanTopic *topic) {
    int32_t column = topic->timestamp_column;
    return column < 0 ? NULL : topic->schema->columns[column].name;
}

static const char *assert_window(const PlanTopic *topic, Arena *arena) {
    static const char *const kinds[] = {"none", "TUMBLING", "HOPPING", "SESSION"};
    return arena_printf(arena, "%s of %lld ms", kinds[topic->window],
                        (long long)topic->window_size_ms);
}

static void assert_schema(const Schema *wanted, const Schema *got, Buf *out) {
    Buf left = {0}, right = {0};
    schema_print(&left, wanted);
    schema_print(&right, got);
    if (!assert_same(buf_view(&left), buf_view(&right)))
        assert_differs(out, "schema", buf_view(&left), buf_view(&right));
    buf_free(&left);
    buf_free(&right);
}

static ErrCode assert_source(Call *call, const Planned *planned, Err *err) {
    const Source *wanted = planned->source, *got = planned->target;
    Buf text = {0};
    assert_text("kind", wanted->is_table ? "TABLE" : "STREAM", got->is_table ? "TABLE" : "STREAM",
                &text);
    assert_schema(wanted->topic.schema, got->topic.schema, &text);
    assert_text("topic", wanted->topic.topic, got->topic.topic, &text);
    assert_format("key format", &wanted->topic.key, &got->topic.key, &text);
    assert_format("value format", &wanted->topic.value, &got->topic.value, &text);
    assert_text("timestamp", assert_timestamp(&wanted->topic), assert_timestamp(&got->topic),
                &text);
    assert_text("timestamp format", wanted->topic.timestamp_format, got->topic.timestamp_format,
                &text);
    assert_text("window", assert_window(&wanted->topic, call->arena),
                assert_window(&got->topic, call->arena), &text);
    ErrCode code = ERR_OK;
    if (text.size > 0)
        code = err_set_at(err, ERR_ASSERTION, call->statement->pos.line,
                          call->statement->pos.column, "%s is not as it is expected%s", got->name,
                          buf_cstr(&text));
    buf_free(&text);
    return code;
}

ErrCode testkit_assert(Call *call, Err *err) {
    Planned planned;
    PlannerHost host = engine_host(call->weir);
    TRY(testkit_run(call->weir->kit, err));
    TRY(plan_statement(&host, call->statement, call->arena, &planned, err));
    return planned.kind == PLANNED_ASSERT_SOURCE ? assert_source(call, &planned, err)
                                                 : assert_values(call, &planned, err);
}
