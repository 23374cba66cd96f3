/*
 * entity.h - what a statement did as JSON, as ksqlDB's REST answers have it.
 *
 *   {"@type":"currentStatus","statementText":"CREATE ...;","commandId":"stream/`S`/create",
 *    "commandStatus":{"status":"SUCCESS","message":"Stream created","queryId":null},
 *    "commandSequenceNumber":-1,"warnings":[]}
 */
#ifndef ENGINE_ENTITY_H
#define ENGINE_ENTITY_H

#include "base/buf.h"
#include "engine/weir.h"

/* Puts the entity of a statement that was executed; false: this kind of statement has none, and
 * nothing was put. */
bool entity_put(Buf *out, WeirResult *result);

/* {"@type":"generic_error",...}, or with the statement's text {"@type":"statement_error",...}. */
void entity_error_put(Buf *out, const WeirError *error, const char *statement);

#endif
