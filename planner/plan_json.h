/*
 * plan_json.h - a plan as JSON and back: the catalog's form.
 *
 * Every plan goes through it before it runs, so what is stored is what runs. A node version or
 * member that is not known fails with UNSUPPORTED (an old binary reading a newer plan).
 */
#ifndef PLANNER_PLAN_JSON_H
#define PLANNER_PLAN_JSON_H

#include "base/buf.h"
#include "planner/source.h"

void plan_json_put(Buf *out, const Plan *plan);
ErrCode plan_json_get(Bytes json, Arena *arena, const Plan **plan, Err *err);
void source_json_put(Buf *out, const Source *source);
ErrCode source_json_get(Bytes json, Arena *arena, const Source **source, Err *err);

/* A user's function as the catalog keeps it. */
void function_json_put(Buf *out, const UserFunction *function);
ErrCode function_json_get(Bytes json, Arena *arena, const UserFunction **function, Err *err);

#endif
