/*
 * blame.h - the record that a query cannot get over: what is made of it is refused by the
 * cluster, or it cannot be read there.
 *
 * A refused commit is undone, and what it held is handed over again row by row, each in a commit
 * of its own, so that all before the record is kept and the record is known. The query waits at it
 * and tries it again; who does not want to wait skips it (ALTER QUERY ... SKIP), or has said
 * before that such rows are to be left out (QUERY_SKIP_FAILED).
 */
#ifndef RUNTIME_BLAME_H
#define RUNTIME_BLAME_H

#include "runtime/group.h"

/* A step went well; a commit is handed over: whether it holds one row alone. */
void blame_step(Group *group);
void blame_hand_over(Group *group);

/* The commit was not taken for this cause, and all is undone. Waiting: until the next try, at the
 * record in *stop if it is known. */
typedef enum BlameWay { BLAME_WAIT, BLAME_ROW_BY_ROW, BLAME_LEAVE_OUT } BlameWay;
BlameWay blame_commit(Group *group, QueryStop *stop);

/* Whose commits the position is in. */
void blame_group(const Group *group, QueryStop *stop);

/* Where reading cannot go on; stop->known false: it is something else that failed. */
void blame_read(const Group *group, const Err *err, QueryStop *stop);

#endif
