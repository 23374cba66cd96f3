/*
 * value_order.h - order and hash of single values, as Java's compareTo() and hashCode() have them.
 */
#ifndef UDF_VALUE_ORDER_H
#define UDF_VALUE_ORDER_H

#include "data/column.h"

/* Types that have an order: all but ARRAY, MAP, STRUCT. */
bool value_has_order(const Type *type);

/* <0, 0, >0 of two present values of one such type (DECIMAL: of one scale). STRING by UTF-16
 * unit, BYTES by unsigned byte, DOUBLE with -0.0 before 0.0 and NaN last. */
int value_compare(const Column *left, uint32_t left_row, const Column *right, uint32_t right_row);

/* Java's Double.compare. */
int value_compare_f64(double left, double right);

/* Equal for values that column_value_equal() holds equal; of any type, missing ones too. */
uint64_t value_hash(const Column *column, uint32_t row);

#endif
