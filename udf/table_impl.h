/*
 * table_impl.h - the inside of the table functions: their kernels.
 */
#ifndef UDF_TABLE_IMPL_H
#define UDF_TABLE_IMPL_H

#include "udf/table.h"

#define UDF_TABLE(name, signature, kernel, help)                                       \
    void kernel##_count(const TableCall *call);                                        \
    void kernel##_values(const TableCall *call, const TableWanted *wanted, const Type *type, \
                         Column *result);
#include "udf/table.def"

#define TESTING_SCALAR(name, signature, kernel, flags, prepare)
#define TESTING_TABLE(name, signature, kernel) UDF_TABLE(name, signature, kernel, "")
#define TESTING_AGGREGATE(name, signature, State, kernel, undo)
#include "udf/testing.def"
#undef TESTING_AGGREGATE
#undef TESTING_SCALAR
#undef TESTING_TABLE
#undef UDF_TABLE

#endif
