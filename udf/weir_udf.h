/*
 * weir_udf.h - what a shared object offers so that Weir can call it: functions of users in C.
 *
 * This header stands alone: copy it, include it, link nothing. A function is one constant that the
 * shared object exports; its name is the symbol that SQL gives:
 *
 *   #include "weir_udf.h"
 *   static void twice(const WeirUdfCall *call) {
 *       const int64_t *x = call->args[0].data;
 *       int64_t *result = call->result.data;
 *       for (uint32_t i = 0; i < call->row_count; i++) {
 *           result[call->rows[i]] = 2 * x[call->rows[i]];
 *           weir_udf_set_present(call, call->rows[i]);
 *       }
 *   }
 *   WEIR_UDF_EXPORT const WeirUdf twice_bigint = {
 *       .abi = WEIR_UDF_ABI, .signature = "(BIGINT) -> BIGINT", .call = twice};
 *
 *   cc -shared -fPIC -O2 -o twice.so twice.c      and put it into the folder of weir --udf-dir
 *   CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT LANGUAGE C AS 'twice.so', 'twice_bigint';
 *
 * A native function runs in Weir's process with all its rights and without a budget: it must not
 * crash, block or write to what it is not given. The same `state` is never used by two threads at
 * once, but different ones are.
 */
#ifndef WEIR_UDF_H
#define WEIR_UDF_H

#include <stddef.h>
#include <stdint.h>

/* Grows only when members get another meaning; new ones are added at the ends of the structs,
 * behind what `abi` and the sizes below say is there. */
#define WEIR_UDF_ABI 1

typedef enum WeirUdfType {
    WEIR_UDF_BOOLEAN = 1,   /* uint8_t: 0 or 1 */
    WEIR_UDF_INTEGER = 2,   /* int32_t */
    WEIR_UDF_BIGINT = 3,    /* int64_t */
    WEIR_UDF_DOUBLE = 4,    /* double */
    WEIR_UDF_DECIMAL = 5,   /* unscaled two's complement, little-endian, of 8, 16 or 32 bytes: up
                               to 18, 38, 76 digits; `scale` digits are behind the point */
    WEIR_UDF_STRING = 6,    /* WeirUdfBytes, UTF-8 */
    WEIR_UDF_BYTES = 7,     /* WeirUdfBytes */
    WEIR_UDF_DATE = 8,      /* int32_t: days since 1970-01-01 */
    WEIR_UDF_TIME = 9,      /* int32_t: milliseconds of the day */
    WEIR_UDF_TIMESTAMP = 10, /* int64_t: milliseconds since 1970-01-01 UTC */
    WEIR_UDF_ARRAY = 11,    /* offsets[length + 1] into children[0] */
    WEIR_UDF_MAP = 12,      /* the same into children[0] (keys) and children[1] (values) */
    WEIR_UDF_STRUCT = 13    /* children: a column of this length for each field */
} WeirUdfType;

typedef struct WeirUdfBytes {
    const uint8_t *data;
    uint32_t size;
} WeirUdfBytes;

/* Values of one type. Row i is missing (NULL) where validity is not NULL and has bit i not set. */
typedef struct WeirUdfColumn WeirUdfColumn;
struct WeirUdfColumn {
    uint32_t type; /* WeirUdfType */
    uint32_t length;
    const uint64_t *validity;
    void *data; /* of an argument: read only. NULL for ARRAY, MAP and STRUCT */
    const uint32_t *offsets;
    const WeirUdfColumn *children;
    uint32_t child_count;
    uint16_t precision, scale; /* DECIMAL */
};

/* One evaluation: rows[0..row_count) are wanted, others must not be written. */
typedef struct WeirUdfCall WeirUdfCall;
struct WeirUdfCall {
    uint32_t abi;
    uint32_t arg_count;
    const WeirUdfColumn *args;
    const uint16_t *rows;
    uint32_t row_count;
    /* All missing; the function writes values and marks them. Not an ARRAY, MAP or STRUCT. */
    WeirUdfColumn result;
    uint64_t *result_validity;
    void *state; /* what open() returned */
    /* Memory for texts of the result; freed by Weir, never NULL. */
    void *(*allocate)(const WeirUdfCall *call, size_t size);
    /* The row failed: it stays missing, and the text is in the query's errors. */
    void (*fail)(const WeirUdfCall *call, uint32_t row, const char *text);
    void *host; /* Weir's own */
};

/* The function sees rows with missing arguments too; otherwise their result is NULL at once. */
#define WEIR_UDF_SEES_NULLS 1u

typedef struct WeirUdf {
    uint32_t abi;          /* WEIR_UDF_ABI */
    uint32_t flags;
    const char *signature; /* as DESCRIBE FUNCTION shows it; must fit CREATE FUNCTION */
    void (*call)(const WeirUdfCall *call);
    void *(*open)(void);        /* a state per thread that calls; NULL: none is needed */
    void (*close)(void *state); /* NULL: nothing to do */
} WeirUdf;

#define WEIR_UDF_EXPORT extern __attribute__((visibility("default")))

static inline int weir_udf_is_null(const WeirUdfColumn *column, uint32_t row) {
    return column->validity && !(column->validity[row / 64] >> (row % 64) & 1);
}

static inline void weir_udf_set_present(const WeirUdfCall *call, uint32_t row) {
    call->result_validity[row / 64] |= (uint64_t)1 << (row % 64);
}

#endif
