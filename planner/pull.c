/*
 * pull.c - lookups: SELECT without EMIT.
 */
#include "planner/planner_impl.h"

ErrCode plan_pull(Planner *planner, Planned *planned, Err *err) {
    (void)planner;
    (void)planned;
    return err_set(err, ERR_UNSUPPORTED, "Lookups are not supported yet.");
}
