/*
 * streamed_row.c - see streamed_row.h.
 */
#include "engine/streamed_row.h"

#include "engine/entity.h"
#include "engine/result_impl.h"
#include "engine/value_text.h"

void streamed_header_put(Buf *out, const WeirResult *result) {
    assert(result->schema);
    Schema visible = *result->schema;
    visible.column_count = result->visible_count;
    Buf text = {0};
    schema_print(&text, &visible);
    buf_text(out, "{\"header\":{\"queryId\":");
    if (result->query_id)
        value_json_string(out, bytes_of(result->query_id));
    else
        buf_text(out, "null");
    buf_text(out, ",\"schema\":");
    value_json_string(out, buf_view(&text));
    buf_text(out, "}}");
    buf_free(&text);
}

void streamed_row_put(Buf *out, const WeirResult *result) {
    assert(result->row < result->rows.count);
    buf_text(out, "{\"row\":{\"columns\":[");
    for (uint32_t i = 0; i < result->visible_count; i++) {
        if (i > 0)
            buf_u8(out, ',');
        value_json_put(out, result->rows.columns[i], result->row);
    }
    buf_u8(out, ']');
    if (weir_is_delete(result))
        buf_text(out, ",\"tombstone\":true");
    buf_text(out, "}}");
}

bool streamed_final_put(Buf *out, const WeirResult *result) {
    const char *message = result->push             ? "Limit Reached"
                          : !result->scans_stream  ? NULL
                          : result->limit_reached  ? "Limit Reached"
                                                   : "Query Completed";
    if (message)
        buf_printf(out, "{\"finalMessage\":\"%s\"}", message);
    return message != NULL;
}

void streamed_error_put(Buf *out, const WeirError *error) {
    buf_text(out, "{\"errorMessage\":");
    entity_error_put(out, error, NULL);
    buf_u8(out, '}');
}
