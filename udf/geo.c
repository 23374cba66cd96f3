/*
 * geo.c - GEO_DISTANCE: along a great circle, by the haversine formula.
 */
#include <math.h>

#include "base/utf8.h"
#include "udf/function_impl.h"

static const double geo_radius_km = 6371, geo_radius_miles = 3959;

static double geo_radians(double degrees) {
    return degrees * (3.14159265358979323846 / 180.0);
}

static double geo_haversine(double angle) {
    double sine = sin(angle / 2);
    return sine * sine;
}

static bool geo_unit_is(Bytes unit, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (bytes_is_word(unit, names[i]))
            return true;
    return false;
}

/* The earth's radius in the unit that the fifth argument names; 0: no such unit. */
static double geo_radius(const FunctionCall *call, uint32_t row) {
    static const char *const miles[] = {"mi", "mile", "miles"};
    static const char *const kms[] = {"km", "kilometer", "kilometers", "kilometre", "kilometres"};
    const Column *column = call->arg_count > 4 ? call->args[4] : NULL;
    if (!column || column->type->kind == TYPE_NULL || column_is_null(column, row))
        return geo_radius_km;
    Bytes unit = utf8_trim(column->bytes[row]);
    if (unit.size == 0 || geo_unit_is(unit, kms, sizeof kms / sizeof kms[0]))
        return geo_radius_km;
    return geo_unit_is(unit, miles, sizeof miles / sizeof miles[0]) ? geo_radius_miles : 0;
}

void geo_distance(const FunctionCall *call) {
    assert(call->arg_count >= 4);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        double at[4];
        bool missing = false;
        for (uint32_t k = 0; k < 4; k++) {
            const Column *column = call->args[k];
            bool null = column->type->kind == TYPE_NULL || column_is_null(column, row);
            missing |= null;
            at[k] = null ? 0 : column->f64[row];
        }
        if (missing)
            continue;
        double radius = geo_radius(call, row);
        if (at[0] < -90 || at[0] > 90 || at[2] < -90 || at[2] > 90) {
            call->fail(call->context, row, "latitudes are from -90 to 90 degrees");
        } else if (at[1] < -180 || at[1] > 180 || at[3] < -180 || at[3] > 180) {
            call->fail(call->context, row, "longitudes are from -180 to 180 degrees");
        } else if (radius == 0) {
            call->fail(call->context, row, "the unit of GEO_DISTANCE is kilometres or miles");
        } else {
            double square = geo_haversine(geo_radians(at[2] - at[0])) +
                            geo_haversine(geo_radians(at[3] - at[1])) *
                                cos(geo_radians(at[0])) * cos(geo_radians(at[2]));
            function_put_f64(call, row, 2 * asin(sqrt(square)) * radius);
        }
    }
}
