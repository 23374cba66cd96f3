/*
 * testkit_answer.c - statements answered as ksqlDB's REST interface would, without a network.
 *
 * A query may be asked before its rows exist: testkit_ask() starts it, testkit_answer() takes
 * what it gives.
 */
#include "engine/entity.h"
#include "engine/result_impl.h"
#include "engine/streamed_row.h"
#include "engine/testkit_impl.h"

bool testkit_is_query(const char *sql) {
    size_t size = strlen(sql), from = 0;
    WeirToken token;
    while (weir_token(sql, size, from, &token)) {
        if (token.kind != WEIR_TOKEN_BLANK && token.kind != WEIR_TOKEN_COMMENT)
            return token.end - from == 6 && strncasecmp(sql + from, "SELECT", 6) == 0;
        from = token.end;
    }
    return false;
}

ErrCode testkit_ask(Testkit *kit, const char *sql, WeirResult **result, Err *err) {
    WeirScript script = {.sql = sql};
    bool done;
    return engine_execute_next(kit->weir, &script, result, &done, err);
}

bool testkit_answer_admin(WeirResult *result, Buf *out) {
    Buf entity = {0};
    bool has = entity_put(&entity, result);
    if (has) {
        buf_text(out, "{\"admin\":");
        buf_bytes(out, buf_view(&entity));
        buf_u8(out, '}');
    }
    buf_free(&entity);
    return has;
}

ErrCode testkit_answer_query(Testkit *kit, WeirResult *result, Buf *out, Err *err) {
    WeirError error;
    WeirStatus status;
    buf_text(out, "{\"query\":[");
    streamed_header_put(out, result);
    if (weir_is_push(result))
        TRY(engine_pump(kit->weir, err));
    while ((status = weir_next(result, 0, &error)) == WEIR_ROW) {
        buf_u8(out, ',');
        streamed_row_put(out, result);
    }
    if (status == WEIR_FAILED)
        return err_set(err, ERR_RUNTIME, "%s", error.message);
    Buf last = {0};
    if (status == WEIR_END && streamed_final_put(&last, result)) {
        buf_u8(out, ',');
        buf_bytes(out, buf_view(&last));
    }
    buf_free(&last);
    buf_text(out, "]}");
    return ERR_OK;
}
