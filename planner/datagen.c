/*
 * datagen.c - SOURCE='datagen' in a WITH clause: its options, and the columns of its kinds.
 *
 * What the columns hold is the engine's (generator.c), from the same table.
 */
#include "planner/datagen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "data/number_text.h"
#include "data/time_text.h"
#include "planner/planner_impl.h"

enum { DATAGEN_PER_SECOND_MAX = 1000 * 1000, DATAGEN_PER_SECOND = 10 };

static const int64_t datagen_rows_max = (int64_t)1 << 53; /* times stay within BIGINT */

typedef struct DatagenKind {
    const char *name;
    int64_t rows, per_second;
    const char *start;
} DatagenKind;

typedef struct DatagenColumn {
    const char *kind, *name, *type;
    ColumnRole role;
} DatagenColumn;

#define DATAGEN_NAME(word, types, recipe, low, high, text)
#define DATAGEN_FIELD(kind, path, recipe, low, high, text)
#define DATAGEN_LIST(name, text)

static const DatagenKind datagen_kinds[] = {
#define DATAGEN_KIND(name, rows, per_second, start, help) {name, rows, per_second, start},
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)
#include "planner/datagen.def"
#undef DATAGEN_KIND
#undef DATAGEN_COLUMN
};

static const DatagenColumn datagen_columns[] = {
#define DATAGEN_KIND(name, rows, per_second, start, help)
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)                           \
    {kind, name, type, COLUMN_##role},
#include "planner/datagen.def"
#undef DATAGEN_KIND
#undef DATAGEN_COLUMN
};

enum {
    KIND_COUNT = sizeof datagen_kinds / sizeof *datagen_kinds,
    COLUMN_COUNT = sizeof datagen_columns / sizeof *datagen_columns,
};

const Datagen *datagen_copy(Arena *arena, const Datagen *datagen) {
    if (!datagen)
        return NULL;
    Datagen *copy = arena_alloc(arena, sizeof *copy);
    *copy = *datagen;
    if (datagen->kind)
        copy->kind = arena_strdup(arena, datagen->kind);
    return copy;
}

/* -- Options ----------------------------------------------------------------------------------- */

static ErrCode datagen_fails(const Properties *properties, PropertyId id, const char *text,
                             Err *err) {
    AstPos pos = properties_pos(properties, id);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column, "%s", text);
}

static const PropertyId datagen_options[] = {PROPERTY_QUICKSTART, PROPERTY_ROWS,
                                             PROPERTY_ROWS_PER_SECOND, PROPERTY_SEED,
                                             PROPERTY_START, PROPERTY_STEP_MS};

/* Without SOURCE: none of its options either. */
static ErrCode datagen_absent(const Planner *planner, const Properties *properties, Err *err) {
    for (uint32_t i = 0; i < sizeof datagen_options / sizeof *datagen_options; i++) {
        const AstProperty *property = properties->set[datagen_options[i]];
        if (property)
            return datagen_fails(properties, datagen_options[i],
                                 arena_printf(planner->arena,
                                              "%s is an option of generated sources: say "
                                              "SOURCE='datagen' too.",
                                              property->name),
                                 err);
    }
    return ERR_OK;
}

static const DatagenKind *datagen_find(const char *name) {
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        if (strcasecmp(datagen_kinds[i].name, name) == 0)
            return &datagen_kinds[i];
    return NULL;
}

static ErrCode datagen_kind(const Planner *planner, const Properties *properties,
                            const DatagenKind **kind, Err *err) {
    const char *name = properties_text(properties, PROPERTY_QUICKSTART);
    const char *names[KIND_COUNT];
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        names[i] = datagen_kinds[i].name;
    const char *list = planner_list(planner, names, KIND_COUNT, "and");
    const char *near = name ? parse_nearest(name, names, KIND_COUNT) : NULL;
    *kind = name ? datagen_find(name) : NULL;
    if (name && !*kind)
        return datagen_fails(properties, PROPERTY_QUICKSTART,
                             arena_printf(planner->arena,
                                          "There is no QUICKSTART '%s'.%s%s%s\nThere are %s.",
                                          name, near ? " Did you mean '" : "", near ? near : "",
                                          near ? "'?" : "", list),
                             err);
    if (!name && planner->statement->column_count == 0)
        return datagen_fails(properties, PROPERTY_SOURCE,
                             arena_printf(planner->arena,
                                          "A generated source needs columns, or a QUICKSTART that "
                                          "has them: %s.",
                                          list),
                             err);
    return ERR_OK;
}

/* A whole number of [min, max]; `otherwise` where it is not given. */
static ErrCode datagen_number(const Planner *planner, const Properties *properties, PropertyId id,
                              const int64_t range[2], int64_t *value, Err *err) {
    if (!properties->set[id])
        return ERR_OK;
    *value = properties_i64(properties, id);
    if (*value >= range[0] && *value <= range[1])
        return ERR_OK;
    return datagen_fails(properties, id,
                         arena_printf(planner->arena,
                                      "Invalid value for configuration %s: a number of %lld to "
                                      "%lld is expected.",
                                      properties->set[id]->name, (long long)range[0],
                                      (long long)range[1]),
                         err);
}

static ErrCode datagen_start(const Planner *planner, const Properties *properties,
                             const DatagenKind *kind, Datagen *datagen, Err *err) {
    const char *text = properties_text(properties, PROPERTY_START);
    const PlannerHost *host = planner->host;
    if (text && strcasecmp(text, "now") == 0 && host->now_ms) {
        datagen->start_ms = host->now_ms(host->context);
        return ERR_OK;
    }
    const char *used = text ? text : kind ? kind->start : "2024-01-01";
    if (time_parse_timestamp(bytes_of(used), &datagen->start_ms))
        return ERR_OK;
    return datagen_fails(properties, PROPERTY_START,
                         "Invalid value for configuration START: a time such as "
                         "'2024-01-01T12:00:00' is expected, or 'now'.",
                         err);
}

static ErrCode datagen_numbers(const Planner *planner, const Properties *properties,
                               Datagen *datagen, Err *err) {
    const int64_t rows[] = {1, datagen_rows_max}, rate[] = {1, DATAGEN_PER_SECOND_MAX};
    const int64_t seed[] = {INT64_MIN, INT64_MAX}, step[] = {0, (int64_t)365 * 86400 * 1000};
    TRY(datagen_number(planner, properties, PROPERTY_ROWS, rows, &datagen->rows, err));
    TRY(datagen_number(planner, properties, PROPERTY_ROWS_PER_SECOND, rate,
                       &datagen->rows_per_second, err));
    TRY(datagen_number(planner, properties, PROPERTY_SEED, seed, &datagen->seed, err));
    TRY(datagen_number(planner, properties, PROPERTY_STEP_MS, step, &datagen->step_ms, err));
    if (properties->set[PROPERTY_STEP_MS] && datagen->step_ms == 0)
        datagen->per_second = 0; /* all at once */
    else if (datagen->rows_per_second > 0 && datagen->step_ms == 0)
        datagen->per_second = datagen->rows_per_second;
    if (datagen->rows == 0 && datagen->rows_per_second == 0)
        datagen->rows_per_second = DATAGEN_PER_SECOND; /* it would fill the disk */
    return ERR_OK;
}

ErrCode datagen_read(const Planner *planner, const Properties *properties,
                     const Datagen **datagen, Err *err) {
    const char *source = properties_text(properties, PROPERTY_SOURCE);
    *datagen = NULL;
    if (!source)
        return datagen_absent(planner, properties, err);
    if (strcasecmp(source, "datagen") != 0)
        return datagen_fails(properties, PROPERTY_SOURCE,
                             arena_printf(planner->arena,
                                          "There is no SOURCE '%s'. It is 'datagen', or not given.",
                                          source),
                             err);
    const DatagenKind *kind;
    TRY(datagen_kind(planner, properties, &kind, err));
    Datagen *made = arena_alloc(planner->arena, sizeof *made);
    *made = (Datagen){.kind = kind ? kind->name : NULL,
                      .rows = kind ? kind->rows : 0,
                      .seed = 1,
                      .per_second = kind ? kind->per_second : DATAGEN_PER_SECOND};
    TRY(datagen_numbers(planner, properties, made, err));
    TRY(datagen_start(planner, properties, kind, made, err));
    *datagen = made;
    return ERR_OK;
}

/* -- Columns ----------------------------------------------------------------------------------- */

ErrCode datagen_schema(const Planner *planner, const Datagen *datagen, const Schema **schema,
                       Err *err) {
    assert(datagen->kind);
    const AstStatement *statement = planner->statement;
    Schema *made = arena_alloc(planner->arena, sizeof *made);
    SchemaColumn *columns = arena_array(planner->arena, COLUMN_COUNT, sizeof *columns);
    made->columns = columns;
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        const DatagenColumn *row = &datagen_columns[i];
        const AstType *type;
        if (strcmp(row->kind, datagen->kind) != 0)
            continue;
        SchemaColumn *column = &columns[made->column_count++];
        *column = (SchemaColumn){.name = row->name, .role = row->role};
        TRY(parse_type(bytes_of(row->type), planner->arena, &type, err));
        TRY(type_resolve(planner, type, &column->type, err));
        made->key_count += row->role == COLUMN_KEY;
    }
    assert(made->column_count > 0);
    if (statement->kind == AST_CREATE_TABLE && made->key_count == 0)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Rows of %s have no key: it makes a STREAM. For a table declare columns, "
                          "one of them PRIMARY KEY.",
                          datagen->kind);
    *schema = made;
    return ERR_OK;
}

/* A column that is one of the kind's must have its type. */
static ErrCode datagen_check_column(const Planner *planner, const Datagen *datagen,
                                    const SchemaColumn *column, Err *err) {
    AstPos pos = planner->statement->name_pos;
    for (uint32_t i = 0; i < planner->statement->column_count; i++)
        if (strcmp(planner->statement->columns[i].name, column->name) == 0)
            pos = planner->statement->columns[i].pos;
    if (column->role == COLUMN_HEADERS)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Generated records have no headers: leave the column %s out.",
                          column->name);
    for (uint32_t i = 0; datagen->kind && i < COLUMN_COUNT; i++) {
        const DatagenColumn *row = &datagen_columns[i];
        const AstType *ast;
        const Type *type;
        if (strcmp(row->kind, datagen->kind) != 0 || strcmp(row->name, column->name) != 0)
            continue;
        TRY(parse_type(bytes_of(row->type), planner->arena, &ast, err));
        TRY(type_resolve(planner, ast, &type, err));
        if (!type_equal(type, column->type))
            return err_set_at(err, ERR_TYPE, pos.line, pos.column,
                              "%s of the quickstart %s is %s, not %s.", column->name,
                              datagen->kind, type_text(planner->arena, type),
                              type_text(planner->arena, column->type));
    }
    return ERR_OK;
}

ErrCode datagen_check(const Planner *planner, const Properties *properties,
                      const Source *source, Err *err) {
    const Schema *schema = source->topic.schema;
    if (!source->datagen)
        return ERR_OK;
    if (properties->set[PROPERTY_WINDOW_TYPE])
        return datagen_fails(properties, PROPERTY_WINDOW_TYPE,
                             "Generated keys have no windows: leave WINDOW_TYPE out.", err);
    if (plan_topic_is_internal(source->topic.topic))
        return datagen_fails(properties, PROPERTY_KAFKA_TOPIC,
                             "Topics of queries' own are only read by others.", err);
    for (uint32_t i = 0; i < schema->column_count; i++)
        TRY(datagen_check_column(planner, source->datagen, &schema->columns[i], err));
    return ERR_OK;
}
