/*
 * generator_value.c - values of scalar types by their recipes.
 *
 * A recipe gives a number, a time or a text; the column's type takes it as it can. Numbers are
 * rounded to few digits: what differs in the last bit between mathematical libraries does not show.
 */
#include <math.h>
#include <stdio.h>

#include "data/decimal.h"
#include "data/number_text.h"
#include "data/time_text.h"
#include "engine/generator_impl.h"

static const int64_t day_ms = (int64_t)86400 * 1000;

int64_t generator_time(const Datagen *datagen, int64_t row) {
    if (datagen->step_ms > 0) /* unsigned: a far row of a large step wraps */
        return (int64_t)((uint64_t)datagen->start_ms + (uint64_t)row * (uint64_t)datagen->step_ms);
    int64_t rate = datagen->per_second;
    if (rate == 0)
        return datagen->start_ms;
    return datagen->start_ms + row / rate * 1000 + row % rate * 1000 / rate;
}

/* One value to be made. */
typedef struct Cell {
    const Field *field;
    int64_t row;
    uint64_t key; /* an id of its row's key */
    uint32_t shift;
} Cell;

/* -- Taking ------------------------------------------------------------------------------------ */

static double rounded(double value, uint32_t digits) {
    double scale = 1;
    while (digits-- > 0)
        scale *= 10;
    return floor(value * scale + 0.5) / scale;
}

/* The empty buffer that texts are put together in. */
static Buf *text_begin(const Generator *generator) {
    buf_reset(generator->text);
    return generator->text;
}

static Bytes text_end(const Generator *generator) {
    return arena_bytes(generator->row_arena, buf_view(generator->text));
}

static void put_decimal(Column *column, uint32_t slot, double value) {
    const Type *type = column->type;
    Decimal decimal;
    double limit = pow(10, type->precision - type->scale);
    if (fabs(value) >= limit)
        value = fmod(value, limit);
    if (decimal_from_double(value, type->precision, type->scale, &decimal))
        decimal_store((uint8_t *)column->data + (size_t)slot * decimal_width(type->precision),
                      type->precision, decimal);
}

static void put_number(const Generator *generator, const Field *field, Column *column,
                       uint32_t slot, double value) {
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        column->boolean[slot] = value != 0;
        break;
    case TYPE_INT:
        column->i32[slot] = value > INT32_MAX   ? INT32_MAX
                            : value < INT32_MIN ? INT32_MIN
                                                : (int32_t)floor(value + 0.5);
        break;
    case TYPE_BIGINT:
        column->i64[slot] = (int64_t)floor(value + 0.5);
        break;
    case TYPE_DOUBLE:
        column->f64[slot] = rounded(value, field->digits);
        break;
    case TYPE_DECIMAL:
        put_decimal(column, slot, rounded(value, column->type->scale));
        break;
    default:
        buf_printf(text_begin(generator), "%.*f", (int)field->digits, value);
        column->bytes[slot] = text_end(generator);
    }
}

static int64_t days_of(int64_t ms) {
    return ms / day_ms - (ms % day_ms < 0);
}

static void put_time(const Generator *generator, const Field *field, Column *column, uint32_t slot,
                     int64_t ms) {
    Buf *buf;
    const char *reason;
    switch (column->type->kind) {
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        column->i64[slot] = ms;
        break;
    case TYPE_DATE:
        column->i32[slot] = (int32_t)days_of(ms);
        break;
    case TYPE_TIME:
        column->i32[slot] = (int32_t)(ms - days_of(ms) * day_ms);
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
        buf = text_begin(generator);
        if (!field->pattern ||
            !time_pattern_print(buf, field->pattern, &generator->utc, ms, &reason))
            time_print_timestamp(buf, ms);
        column->bytes[slot] = text_end(generator);
        break;
    default:
        put_number(generator, field, column, slot, (double)(ms / 1000)); /* seconds */
    }
}

static void put_text(const Generator *generator, const Field *field, Column *column, uint32_t slot,
                     Bytes text) {
    double number = 0;
    if (column->type->kind == TYPE_STRING || column->type->kind == TYPE_BYTES) {
        column->bytes[slot] = text;
        return;
    }
    bool reads = number_parse_double(text, &number);
    assert(reads);
    put_number(generator, field, column, slot, reads ? number : 0);
}

/* -- Giving ------------------------------------------------------------------------------------ */

static double in_range(const Field *field, Chance *chance, int64_t row) {
    if (field->counts)
        return field->low + (double)row;
    double part = chance_part(chance);
    if (field->digits > 0)
        return field->low + part * (field->high - field->low);
    return floor(field->low + part * (field->high - field->low + 1));
}

static double skewed(const Field *field, Chance *chance, int64_t row) {
    if (field->counts)
        return field->low + (double)row;
    double part = chance_part(chance);
    return floor(field->low + part * part * (field->high - field->low + 1));
}

static double wave(const Field *field, Chance *chance, uint64_t key, int64_t ms) {
    double middle = (field->low + field->high) / 2, swing = (field->high - field->low) / 2;
    double day = (double)(ms - days_of(ms) * day_ms) / (double)day_ms;
    double noise = chance_part(chance) + chance_part(chance) - 1;
    Chance of_key = {chance_mix(key ^ field->salt)};
    double level = 2 * chance_part(&of_key) - 1;
    if (chance_below(chance, 200) == 0)
        return field->high + swing * (0.5 + chance_part(chance));
    double sun = sin(6.283185307179586 * (day - 0.25));
    return middle + swing * (0.6 * sun + 0.2 * level + 0.2 * noise);
}

static double number_of(const Generator *generator, const Cell *cell, Chance *chance) {
    const Field *field = cell->field;
    int64_t row = cell->row;
    switch (field->recipe) {
    case RECIPE_COUNT:
        return field->low + (double)row * field->high;
    case RECIPE_SKEW:
        return skewed(field, chance, row);
    case RECIPE_LOG:
        return field->low * exp(chance_part(chance) * log(field->high / field->low));
    case RECIPE_WAVE:
        return wave(field, chance, cell->key, generator_time(generator->datagen, row));
    case RECIPE_CHANCE:
        return chance_below(chance, (uint32_t)field->high) == 0;
    default:
        return in_range(field, chance, row);
    }
}

/* -- Texts ------------------------------------------------------------------------------------- */

static Bytes choose(const Choice *choice, Chance *chance, uint32_t shift) {
    uint32_t point = chance_below(chance, choice->weight), at = 0;
    while (choice->weights[at] <= point)
        at++;
    return choice->texts[(at + shift) % choice->count];
}

static void put_letters(Buf *buf, Chance *chance, char kind, uint32_t count) {
    static const char *const letters[] = {"0123456789", "0123456789abcdef",
                                          "abcdefghijklmnopqrstuvwxyz"};
    const char *set = letters[kind == 'd' ? 0 : kind == 'x' ? 1 : 2];
    for (uint32_t i = 0; i < count; i++)
        buf_u8(buf, (uint8_t)set[chance_below(chance, (uint32_t)strlen(set))]);
}

/* What stands between '{' and '}'. */
static void put_place(const Generator *generator, const Cell *cell, Buf *buf, Bytes place,
                      Chance *chance) {
    const Field *field = cell->field;
    const Choice *list = generator_list(generator, place);
    int64_t count = 0;
    if (list)
        buf_bytes(buf, choose(list, chance, 0));
    else if (bytes_equal(place, bytes_of("COLUMN")))
        buf_text(buf, field->name);
    else if (bytes_equal(place, bytes_of("n")))
        number_print_i64(buf, (int64_t)in_range(field, chance, cell->row));
    else if (bytes_equal(place, bytes_of("s")))
        number_print_i64(buf, (int64_t)skewed(field, chance, cell->row));
    else if (number_parse_i64((Bytes){place.data + 1, place.size - 1}, &count))
        put_letters(buf, chance, (char)place.data[0], (uint32_t)count);
    else
        assert(0 && "datagen.def has such a place");
}

static Bytes text_by(const Generator *generator, const Cell *cell, Chance *chance) {
    Bytes text = choose(&cell->field->choice, chance, cell->shift);
    if (!memchr(text.data, '{', text.size))
        return text;
    Buf *buf = text_begin(generator);
    for (uint32_t at = 0; at < text.size; at++) {
        if (text.data[at] != '{') {
            buf_u8(buf, text.data[at]);
            continue;
        }
        uint32_t from = ++at;
        while (text.data[at] != '}')
            at++;
        put_place(generator, cell, buf, (Bytes){text.data + from, at - from}, chance);
    }
    return text_end(generator);
}

/* -- A column ---------------------------------------------------------------------------------- */

/* A time some days before the first row, a whole second. */
static int64_t past(const Generator *generator, const Field *field, Chance *chance) {
    int64_t seconds = (int64_t)(chance_part(chance) * field->high * 86400);
    return generator->datagen->start_ms - seconds * 1000;
}

static void put_nexmark(const Generator *generator, const Field *field, Column *column,
                        uint32_t slot) {
    const NexmarkValue *value =
        &generator->nexmark_rows[(size_t)slot * NEXMARK_VALUES_MAX + field->slot];
    if (column->type->kind == TYPE_STRING)
        column->bytes[slot] = value->text;
    else
        column->i64[slot] = value->number;
}

static void put_cell(const Generator *generator, const Cell *cell, Chance *chance, Column *column,
                     uint32_t slot) {
    const Field *field = cell->field;
    switch (field->recipe) {
    case RECIPE_NEXMARK:
        put_nexmark(generator, field, column, slot);
        break;
    case RECIPE_TIME:
        put_time(generator, field, column, slot, generator_time(generator->datagen, cell->row));
        break;
    case RECIPE_PAST:
        put_time(generator, field, column, slot, past(generator, field, chance));
        break;
    case RECIPE_CODE:
        put_text(generator, field, column, slot,
                 field->choice.texts[(uint64_t)cell->row % field->choice.count]);
        break;
    case RECIPE_TEXT:
    case RECIPE_KEYED:
    case RECIPE_HOME:
        put_text(generator, field, column, slot, text_by(generator, cell, chance));
        break;
    default:
        put_number(generator, field, column, slot, number_of(generator, cell, chance));
    }
}

/* Where the chance of a value begins. */
static uint64_t cell_id(const Field *field, const Cells *cells, uint32_t index) {
    enum { AWAY = 25 };
    Chance away = {chance_mix(cells->ids[index] + field->salt)};
    bool keyed = field->recipe == RECIPE_KEYED ||
                 (field->recipe == RECIPE_HOME && chance_below(&away, AWAY) > 0);
    return chance_mix((keyed ? cells->keys[index] : cells->ids[index]) ^ field->salt);
}

void generator_values(const Generator *generator, const Field *field, const Cells *cells,
                      Column *column) {
    assert(column->length == cells->count);
    bool alternates = field->choice.count > 1;
    column->validity = NULL;
    for (uint32_t i = 0; i < cells->count; i++) {
        Cell cell = {field, cells->rows[i], cells->keys[i], cells->shifts ? cells->shifts[i] : 0};
        Chance chance = {cell_id(field, cells, i)};
        if (!alternates) /* alternatives of neighbours differ by the shift itself */
            chance.state += (uint64_t)cell.shift * 1000003;
        put_cell(generator, &cell, &chance, column, i);
    }
}
