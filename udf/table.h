/*
 * table.h - table functions: they make any number of rows out of one. One row of udf/table.def
 * each.
 *
 * A kernel first says how many values each row of a batch makes, and gives any of them when it is
 * asked: number 0, 1, ... of a row. So a row that makes a million values costs nothing until they
 * are wanted, and then only as many as are wanted at once.
 */
#ifndef UDF_TABLE_H
#define UDF_TABLE_H

#include "udf/function.h"

/* One evaluation over a batch; kept from count() to the last values(). */
typedef struct TableCall {
    const Column *const *args;
    uint32_t arg_count;
    const uint16_t *rows; /* physical rows without a NULL argument */
    uint32_t row_count;
    uint32_t *counts; /* [physical row]: zero at first */
    Arena *arena;     /* of this part of the work: each values() may have another one */
    /* Reports that one row failed: it makes no values. */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} TableCall;

/* Value i is number numbers[i] of physical row rows[i]; rows[i] TABLE_NO_ROW: NULL. */
typedef struct TableWanted {
    const uint32_t *rows;
    const uint32_t *numbers;
    uint32_t count;
} TableWanted;

#define TABLE_NO_ROW UINT32_MAX

typedef struct TableFunction {
    const char *name;
    const char *signature;
    void (*count)(const TableCall *call);
    /* Makes *result a column of wanted->count values of type `type`, in call->arena. */
    void (*values)(const TableCall *call, const TableWanted *wanted, const Type *type,
                   Column *result);
    const char *help;
} TableFunction;

/* As function_resolve(). */
typedef struct TableMatch {
    const TableFunction *function;
    const Type *result; /* of one value */
    const Type **cast_types;
} TableMatch;

ErrCode table_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                      TableMatch *match, Err *err);
bool table_exists(const char *name);
const TableFunction *table_at(uint32_t index); /* NULL at the end */
const TableFunction *table_by_signature(const char *name, const char *signature);

#endif
