/*
 * function.h - the scalar functions of the interpreter, by file.
 */
#ifndef TESTS_INTERP_FUNCTION_H
#define TESTS_INTERP_FUNCTION_H

#include "tests/interp/tree.h"

typedef bool RefFunctionFn(const RefCall *call, RefValue *out);

/* Java's order of two present values of one type. */
int ref_order(const RefType *type, const RefValue *left, const RefValue *right);

/* function_text.c */
RefFunctionFn ref_text_concat, ref_bytes_concat, ref_text_len, ref_text_substring,
    ref_bytes_substring, ref_text_trim, ref_text_replace;

/* function_list.c */
RefFunctionFn ref_array_length, ref_array_concat, ref_array_contains, ref_array_distinct,
    ref_array_except, ref_array_intersect, ref_array_union, ref_array_remove, ref_array_slice,
    ref_map_keys, ref_map_values, ref_map_union, ref_map_as_map;

#endif
