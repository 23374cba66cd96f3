/*
 * function.h - the scalar functions of the interpreter, by file.
 */
#ifndef TESTS_INTERP_FUNCTION_H
#define TESTS_INTERP_FUNCTION_H

#include "tests/interp/tree.h"

typedef bool RefFunctionFn(const RefCall *call, RefValue *out);

/* Java's order of two present values of one type. */
int ref_order(const RefType *type, const RefValue *left, const RefValue *right);

/* NULL for a parameter that is a primitive in Java: the call throws there. Here it is NULL; whether
 * what stands around it goes on is left open. */
bool ref_null_argument(const RefCall *call);

/* function_text.c */
RefFunctionFn ref_text_concat, ref_bytes_concat, ref_text_len, ref_text_substring,
    ref_bytes_substring, ref_text_trim, ref_text_replace;

/* function_find.c */
RefFunctionFn ref_text_instr, ref_text_field, ref_text_elt, ref_text_ucase, ref_text_lcase,
    ref_text_initcap, ref_text_lpad, ref_text_rpad, ref_text_split, ref_text_concat_ws,
    ref_text_mask, ref_text_mask_left, ref_text_mask_right, ref_text_mask_keep_left,
    ref_text_mask_keep_right;

/* function_number.c */
RefFunctionFn ref_number_round, ref_number_trunc, ref_number_log, ref_number_cot, ref_bytes_int,
    ref_bytes_bigint, ref_bytes_double, ref_time_add, ref_time_subtract, ref_geo_distance;

/* function_list.c */
RefFunctionFn ref_array_length, ref_array_concat, ref_array_contains, ref_array_distinct,
    ref_array_except, ref_array_intersect, ref_array_union, ref_array_remove, ref_array_slice,
    ref_array_max, ref_array_min, ref_array_sort, ref_array_join, ref_map_keys, ref_map_values,
    ref_map_union, ref_map_as_map;

#endif
