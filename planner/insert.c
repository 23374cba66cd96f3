/*
 * insert.c - INSERT INTO ... SELECT and ... VALUES.
 */
#include "planner/planner_impl.h"

ErrCode plan_insert_select(Planner *planner, Planned *planned, Err *err) {
    (void)planner;
    (void)planned;
    return err_set(err, ERR_UNSUPPORTED, "INSERT INTO ... SELECT is not supported yet.");
}

ErrCode plan_insert_values(Planner *planner, Planned *planned, Err *err) {
    (void)planner;
    (void)planned;
    return err_set(err, ERR_UNSUPPORTED, "INSERT INTO ... VALUES is not supported yet.");
}
