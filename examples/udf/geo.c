/*
 * geo.c - two functions in C for Weir: an example of udf/weir_udf.h.
 *
 *   cc -shared -fPIC -O2 -o geo.so geo.c      (after `make install`, or with -I and this folder's
 *                                              parent's parent)
 *   mkdir ~/udf && chmod 755 ~/udf && cp geo.so ~/udf && weir --udf-dir ~/udf
 *
 *   CREATE FUNCTION geohash(lat DOUBLE, lon DOUBLE, digits INT) RETURNS STRING
 *       LANGUAGE C AS 'geo.so', 'geohash';
 *   CREATE FUNCTION total(xs ARRAY<INT>) RETURNS BIGINT LANGUAGE C AS 'geo.so', 'total';
 */
#include "udf/weir_udf.h"

enum { DIGITS_MAX = 12 };

/* Halves the interval: the bit says which half the value is in. */
static unsigned halve(double *low, double *high, double value) {
    double middle = (*low + *high) / 2;
    unsigned upper = value >= middle;
    if (upper)
        *low = middle;
    else
        *high = middle;
    return upper;
}

/* The geohash of a place: each digit is five bits, longitude and latitude in turn. */
static void geohash_print(double lat, double lon, uint32_t digits, uint8_t *out) {
    static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    double south = -90, north = 90, west = -180, east = 180;
    int even = 1;
    for (uint32_t i = 0; i < digits; i++) {
        unsigned digit = 0;
        for (int bit = 0; bit < 5; bit++, even = !even)
            digit = digit * 2 + (even ? halve(&west, &east, lon) : halve(&south, &north, lat));
        out[i] = (uint8_t)alphabet[digit];
    }
}

static void geohash_call(const WeirUdfCall *call) {
    const double *lat = call->args[0].data, *lon = call->args[1].data;
    const int32_t *digits = call->args[2].data;
    WeirUdfBytes *result = call->result.data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (!(lat[row] >= -90 && lat[row] <= 90 && lon[row] >= -180 && lon[row] <= 180)) {
            call->fail(call, row, "no such place on earth");
            continue;
        }
        if (digits[row] < 1 || digits[row] > DIGITS_MAX) {
            call->fail(call, row, "a geohash has 1 to 12 digits");
            continue;
        }
        uint8_t *text = call->allocate(call, (size_t)digits[row]);
        geohash_print(lat[row], lon[row], (uint32_t)digits[row], text);
        result[row] = (WeirUdfBytes){text, (uint32_t)digits[row]};
        weir_udf_set_present(call, row);
    }
}

WEIR_UDF_EXPORT const WeirUdf geohash;
const WeirUdf geohash = {.abi = WEIR_UDF_ABI,
                         .signature = "(DOUBLE, DOUBLE, INTEGER) -> STRING",
                         .call = geohash_call};

/* The sum of an array's elements; missing ones count as 0, and so does a missing array. */
static void total_call(const WeirUdfCall *call) {
    const WeirUdfColumn *array = &call->args[0];
    const int32_t *elements = array->children[0].data;
    int64_t *result = call->result.data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (!weir_udf_is_null(array, row))
            for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++)
                result[row] += elements[at];
        weir_udf_set_present(call, row);
    }
}

WEIR_UDF_EXPORT const WeirUdf total;
const WeirUdf total = {.abi = WEIR_UDF_ABI,
                       .flags = WEIR_UDF_SEES_NULLS,
                       .signature = "(ARRAY<INTEGER>) -> BIGINT",
                       .call = total_call};
