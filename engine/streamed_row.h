/*
 * streamed_row.h - rows of a SELECT as JSON, as ksqlDB's REST answers have them.
 *
 * An answer is a list of objects with one member each: a header, then rows, then (push queries,
 * and lookups of streams) a final message.
 *
 *   {"header":{"queryId":"query_1","schema":"`ID` INTEGER KEY, `N` BIGINT"}}
 *   {"row":{"columns":[1,2]}}            deleted: {"row":{"columns":[1,null],"tombstone":true}}
 *   {"finalMessage":"Limit Reached"}
 */
#ifndef ENGINE_STREAMED_ROW_H
#define ENGINE_STREAMED_ROW_H

#include "base/buf.h"
#include "engine/weir.h"

/* Before the first row. */
void streamed_header_put(Buf *out, const WeirResult *result);

/* The present row: the last weir_next() said WEIR_ROW. */
void streamed_row_put(Buf *out, const WeirResult *result);

/* After weir_next() said WEIR_END; false: there is no final message, and nothing was put. */
bool streamed_final_put(Buf *out, const WeirResult *result);

/* {"errorMessage":{...}}: the rows end here. */
void streamed_error_put(Buf *out, const WeirError *error);

#endif
