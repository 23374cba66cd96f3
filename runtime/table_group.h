/*
 * table_group.h - GROUP BY of a table: its changes under the keys of their groups.
 *
 * Each row of the result speaks of one group: `old` of what it loses, the new value (kind VALUE) of
 * what it gains; key columns hold the group in both. A change that stays in its group is one row,
 * one that moves two, the loss first. What has no group is left out.
 */
#ifndef RUNTIME_TABLE_GROUP_H
#define RUNTIME_TABLE_GROUP_H

#include "runtime/op_project.h"

/* The projected changes of a batch that has `old` with its columns. NULL: nothing is left. */
Batch *table_group_run(const Projection *projection, const Batch *batch, Buf *scratch);

#endif
