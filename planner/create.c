/*
 * create.c - CREATE STREAM and CREATE TABLE over a topic.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "data/number_text.h"
#include "planner/planner_impl.h"

/* -- Columns ----------------------------------------------------------------------------------- */

/* ARRAY<STRUCT<KEY STRING, VALUE BYTES>>, or BYTES for the header of one name. */
static ErrCode create_header(const Planner *planner, const AstColumnDef *def, const Type *type,
                             Err *err) {
    if (!planner_setting_on(planner, "ksql.headers.columns.enabled", true))
        return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                          "HEADERS columns are turned off: ksql.headers.columns.enabled is false.");
    if (def->header) {
        if (type->kind == TYPE_BYTES)
            return ERR_OK;
        return err_set_at(err, ERR_TYPE, def->pos.line, def->pos.column,
                          "Invalid type for HEADER('%s') column: expected BYTES, got %s",
                          def->header, type_text(planner->arena, type));
    }
    const TypeField fields[] = {{"KEY", &type_string}, {"VALUE", &type_bytes}};
    const Type *expected = type_array(planner->arena, type_struct(planner->arena, fields, 2));
    if (type_equal(type, expected))
        return ERR_OK;
    return err_set_at(err, ERR_TYPE, def->pos.line, def->pos.column,
                      "Invalid type for HEADERS column: expected %s, got %s",
                      type_text(planner->arena, expected), type_text(planner->arena, type));
}

ErrCode create_column_name(const AstColumnDef *def, Err *err) {
    assert(def);
    if (!planner_reserved_name(def->name))
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                      "'%s' is a reserved column name. You cannot use it as a name for a column.",
                      def->name);
}

static ErrCode create_role(const AstColumnDef *def, bool is_table, Err *err) {
    assert(def);
    TRY(create_column_name(def, err));
    if (def->role == AST_COLUMN_KEY && is_table)
        return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                          "Column `%s` is a 'KEY' column: please use 'PRIMARY KEY' for tables.\n"
                          "Tables have PRIMARY KEYs, which are unique and NON NULL.",
                          def->name);
    if (def->role == AST_COLUMN_PRIMARY_KEY && !is_table)
        return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                          "Column `%s` is a 'PRIMARY KEY' column: please use 'KEY' for streams.\n"
                          "Streams have KEYs, which are neither unique nor NON NULL.",
                          def->name);
    return ERR_OK;
}

/* One HEADERS column, or several HEADER('x') of different names. */
static ErrCode create_headers_once(const Schema *schema, const SchemaColumn *added,
                                   const AstColumnDef *def, Err *err) {
    assert(schema);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *other = &schema->columns[i];
        if (added->role != COLUMN_HEADERS || other->role != COLUMN_HEADERS)
            continue;
        if (!added->header || !other->header)
            return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                              "Schema already contains a HEADERS column.");
        if (strcmp(added->header, other->header) == 0)
            return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                              "Schema already contains a HEADER('%s') column.", added->header);
    }
    return ERR_OK;
}

static ErrCode create_column(const Planner *planner, const AstColumnDef *def, Schema *schema,
                             SchemaColumn *columns, Err *err) {
    assert(schema && columns);
    TRY(create_role(def, planner->statement->kind == AST_CREATE_TABLE, err));
    SchemaColumn column = {.name = def->name, .header = def->header};
    TRY(type_resolve(planner, def->type, &column.type, err));
    column.role = def->role == AST_COLUMN_HEADERS ? COLUMN_HEADERS
                  : def->role == AST_COLUMN_VALUE ? COLUMN_VALUE
                                                  : COLUMN_KEY;
    if (column.role == COLUMN_HEADERS)
        TRY(create_header(planner, def, column.type, err));
    TRY(create_headers_once(schema, &column, def, err));
    int32_t other = schema_find(schema, column.name);
    if (other >= 0)
        return err_set_at(err, ERR_SEMANTIC, def->pos.line, def->pos.column,
                          "Duplicate %s columns found in schema: `%s` %s",
                          schema->columns[other].role == column.role
                              ? column.role == COLUMN_KEY ? "key" : "value"
                              : "key and value",
                          column.name, type_text(planner->arena, column.type));
    columns[schema->column_count++] = column;
    return ERR_OK;
}

/* The declared columns: keys first, then the others as they come. */
static ErrCode create_schema(const Planner *planner, const Schema **result, Err *err) {
    assert(result);
    const AstStatement *statement = planner->statement;
    if (statement->column_count == 0)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "No columns supplied. The statement does not define any columns.");
    if (statement->column_count > COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "A source has %d columns at most.", COLUMNS_MAX);
    Schema *schema = arena_alloc(planner->arena, sizeof *schema);
    SchemaColumn *columns = arena_array(planner->arena, statement->column_count, sizeof *columns);
    schema->columns = columns;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < statement->column_count; i++) {
            const AstColumnDef *def = &statement->columns[i];
            bool key = def->role == AST_COLUMN_KEY || def->role == AST_COLUMN_PRIMARY_KEY;
            if (key == (pass == 0))
                TRY(create_column(planner, def, schema, columns, err));
        }
        if (pass == 0)
            schema->key_count = schema->column_count;
    }
    if (statement->kind == AST_CREATE_TABLE && schema->key_count == 0)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Tables require a PRIMARY KEY. Please define the PRIMARY KEY.");
    *result = schema;
    return ERR_OK;
}

/* -- Windows ----------------------------------------------------------------------------------- */

static const struct CreateUnit {
    const char *name;
    AstUnit unit;
} create_units[] = {
    {"MILLISECOND", AST_UNIT_MILLISECONDS}, {"SECOND", AST_UNIT_SECONDS},
    {"MINUTE", AST_UNIT_MINUTES},           {"HOUR", AST_UNIT_HOURS},
    {"DAY", AST_UNIT_DAYS},
};

/* "10 SECONDS" */
static ErrCode create_duration(const char *text, AstPos pos, int64_t *ms, Err *err) {
    const char *space = strchr(text, ' ');
    AstDuration duration = {.present = true};
    if (!space || !number_parse_i64((Bytes){(const uint8_t *)text, (uint32_t)(space - text)},
                                    &duration.count) || duration.count < 0)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Configuration WINDOW_SIZE is invalid: Invalid duration: '%s'. Expected "
                          "a number and a unit, such as '10 SECONDS'.",
                          text);
    const char *unit = space + strspn(space, " ");
    for (uint32_t i = 0; i < sizeof create_units / sizeof *create_units; i++) {
        size_t size = strlen(create_units[i].name);
        if (strncasecmp(unit, create_units[i].name, size) == 0 &&
            (!unit[size] || strcasecmp(unit + size, "S") == 0)) {
            duration.unit = create_units[i].unit;
            *ms = ast_duration_ms(duration);
            return *ms > 0 ? ERR_OK
                           : err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                                        "Configuration WINDOW_SIZE is invalid: '%s' is no span of "
                                        "time.",
                                        text);
        }
    }
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Configuration WINDOW_SIZE is invalid: Invalid duration: '%s'. Unknown time "
                      "unit: '%s'",
                      text, unit);
}

static ErrCode create_window(const Properties *properties, PlanTopic *topic, Err *err) {
    assert(topic);
    const char *type = properties_text(properties, PROPERTY_WINDOW_TYPE);
    const char *size = properties_text(properties, PROPERTY_WINDOW_SIZE);
    AstPos pos = properties_pos(properties, PROPERTY_WINDOW_TYPE);
    if (!type && size) {
        pos = properties_pos(properties, PROPERTY_WINDOW_SIZE);
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "WINDOW_SIZE needs a WINDOW_TYPE.");
    }
    if (!type)
        return ERR_OK;
    topic->window = strcasecmp(type, "TUMBLING") == 0  ? WINDOW_TUMBLING
                    : strcasecmp(type, "HOPPING") == 0 ? WINDOW_HOPPING
                    : strcasecmp(type, "SESSION") == 0 ? WINDOW_SESSION
                                                       : WINDOW_NONE;
    if (topic->window == WINDOW_NONE)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Configuration WINDOW_TYPE is invalid: Unknown window type: '%s'. It is "
                          "one of SESSION, HOPPING, TUMBLING.",
                          type);
    if (topic->window == WINDOW_SESSION && size)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "'WINDOW_SIZE' should not be set for SESSION windows.");
    if (topic->window != WINDOW_SESSION && !size)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "'WINDOW_SIZE' should be set for %s windows.", type);
    if (topic->schema->key_count == 0)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Windowed sources require a key column.");
    return size ? create_duration(size, properties_pos(properties, PROPERTY_WINDOW_SIZE),
                                  &topic->window_size_ms, err)
                : ERR_OK;
}

/* -- Over one that exists ---------------------------------------------------------------------- */

ErrCode create_existing(const Planner *planner, const Source **old, Planned *planned, Err *err) {
    const AstStatement *statement = planner->statement;
    const PlannerHost *host = planner->host;
    const char *word = statement->kind == AST_CREATE_TABLE ? "table" : "stream";
    *old = host->find_source(host->context, statement->name);
    if (statement->or_replace && (statement->is_source || (*old && (*old)->is_read_only)))
        return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Cannot add %s '%s': CREATE OR REPLACE is not supported on source %ss.",
                          word, statement->name, word);
    if (statement->or_replace && !planner_setting_on(planner, "ksql.create.or.replace.enabled",
                                                     true))
        return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "CREATE OR REPLACE is turned off: ksql.create.or.replace.enabled is "
                          "false.");
    if (!*old || statement->or_replace)
        return ERR_OK;
    const char *there = (*old)->is_table ? "table" : "stream";
    if (statement->if_not_exists) {
        planned->kind = PLANNED_NOTHING;
        planned->message = arena_printf(planner->arena, "Cannot add %s `%s`: A %s with the same "
                                        "name already exists.", word, statement->name, there);
        return ERR_OK;
    }
    return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                      "Cannot add %s '%s': A %s with the same name already exists\n"
                      "CREATE OR REPLACE changes it, IF NOT EXISTS leaves it as it is.", word,
                      statement->name, there);
}

/* -- The statement ----------------------------------------------------------------------------- */

ErrCode create_name(const Planner *planner, Err *err) {
    const AstStatement *statement = planner->statement;
    const char *name = statement->name;
    if (strlen(name) > NAME_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "A name has %d bytes at most.", NAME_BYTES_MAX);
    for (const char *at = name; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
            return err_set_at(err, ERR_SYNTAX, statement->name_pos.line,
                              statement->name_pos.column,
                              "Illegal argument. Source names may only contain alphanumeric "
                              "values, '_' or '-'. Got: '%s'",
                              name);
    }
    return ERR_OK;
}

ErrCode create_topic_name(const char *topic, Err *err) {
    size_t size = strlen(topic);
    bool good = size > 0 && strcmp(topic, ".") != 0 && strcmp(topic, "..") != 0;
    for (const char *at = topic; *at; at++)
        good = good && (isalnum((unsigned char)*at) || strchr("._-", *at));
    if (!good)
        return err_set(err, ERR_SEMANTIC,
                       "'%s' is no name of a topic: letters, digits, '.', '_' and '-' are allowed.",
                       topic);
    return size <= TOPIC_NAME_BYTES_MAX
               ? ERR_OK
               : err_set(err, ERR_LIMIT, "The name of a topic has %d bytes at most.",
                         TOPIC_NAME_BYTES_MAX);
}

/* CREATE SOURCE TABLE is kept in a store of its own, for lookups. */
static ErrCode create_source_table(Planner *planner, Source *source, Planned *planned, Err *err) {
    assert(source);
    if (!source->is_table || !source->is_read_only || source->topic.window != WINDOW_NONE ||
        !planner_setting_on(planner, "ksql.source.table.materialization.enabled", true))
        return ERR_OK;
    const PlannerHost *host = planner->host;
    source->query_id =
        arena_printf(planner->arena, "CST_%s_%llu", source->name,
                     (unsigned long long)host->next_query_number(host->context));
    Draft draft = {.planner = planner, .kind = PLAN_PERSISTENT, .sink_name = source->name,
                   .limit = -1};
    draft_source_nodes(&draft, source, "KsqlTopic");
    Plan *plan = arena_alloc(planner->arena, sizeof *plan);
    plan->query_id = source->query_id;
    plan->sink_source = source->name;
    plan->partition_count = source->partition_count;
    draft.materialized = draft.top;
    TRY(draft_finish(&draft, plan, err));
    planned->plan = plan;
    return ERR_OK;
}

static ErrCode create_properties(const Planner *planner, Properties *properties, Err *err) {
    bool extensions = planner_setting_on(planner, "weir.extensions", true);
    return properties_read(planner, PROPERTY_IN_CREATE | (extensions ? PROPERTY_IN_EXTENSION : 0u),
                           properties, err);
}

/* What a generated source need not be told. */
static ErrCode create_generated(const Planner *planner, const Properties *properties,
                                Source *source, Err *err) {
    const PlannerHost *host = planner->host;
    uint32_t there = 1;
    if (!source->topic.topic)
        source->topic.topic = source->name;
    if (!properties->set[PROPERTY_PARTITIONS])
        TRY(host->topic_partitions(host->context, source->topic.topic, &there, err));
    if (there == 0)
        source->partition_count = 1;
    return ERR_OK;
}

/* JSON, where nobody says otherwise. */
static const PlanTopic *create_default_formats(const Planner *planner, const Source *source) {
    static const PlanTopic formats = {.key = {.format = &format_none},
                                      .value = {.format = &format_json}};
    bool set = planner_setting(planner, "ksql.persistence.default.format.value", NULL) != NULL;
    return source->datagen && !set ? &formats : NULL;
}

/* What the statement says of the source alone, whatever the world has. */
static ErrCode create_described(const Planner *planner, const Properties *properties,
                                Source *source, Err *err) {
    assert(source);
    const AstStatement *statement = planner->statement;
    source->name = statement->name;
    source->is_table = statement->kind == AST_CREATE_TABLE;
    source->is_read_only = statement->is_source;
    source->statement = planner_statement(planner);
    source->topic.topic = properties_text(properties, PROPERTY_KAFKA_TOPIC);
    TRY(formats_names(planner, properties, err));
    TRY(formats_schema_ids(planner, properties, err));
    TRY(datagen_read(planner, properties, &source->datagen, err));
    if (source->datagen)
        TRY(create_generated(planner, properties, source, err));
    if (source->datagen && statement->column_count == 0)
        TRY(datagen_schema(planner, source->datagen, &source->topic.schema, err));
    else
        TRY(create_schema(planner, &source->topic.schema, err));
    TRY(formats_choose(planner, properties, create_default_formats(planner, source),
                       &source->topic, err));
    TRY(datagen_check(planner, properties, source, err));
    if (!source->topic.topic)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "Missing required property \"KAFKA_TOPIC\" which has no default value.");
    TRY(create_topic_name(source->topic.topic, err));
    TRY(create_window(properties, &source->topic, err));
    TRY(formats_retention(properties, source, err));
    return formats_timestamp(planner, properties, &source->topic, err);
}

ErrCode plan_create(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    Properties properties;
    const Source *old;
    TRY(create_name(planner, err));
    TRY(create_properties(planner, &properties, err));
    TRY(create_existing(planner, &old, planned, err));
    if (planned->kind == PLANNED_NOTHING)
        return ERR_OK;
    Source *source = arena_alloc(planner->arena, sizeof *source);
    TRY(create_described(planner, &properties, source, err));
    TRY(broker_plan(planner, &properties, source, true, err));
    TRY(formats_partitions(planner, &properties, source, planned, err));
    AstPos pos = planner->statement->name_pos;
    if (old && (old->broker || source->broker))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "A source with a BROKER cannot be replaced: DROP it, and CREATE it "
                          "anew.");
    if (old && (old->datagen || source->datagen))
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "A generated source cannot be replaced: DROP it, and CREATE it anew.");
    if (old)
        TRY(upgrade_source(planner, old, source, err));
    if (old)
        source->query_id = old->query_id; /* it goes on writing */
    TRY(create_source_table(planner, source, planned, err));
    planned->kind = PLANNED_CREATE_SOURCE;
    planned->source = source;
    return retention_plan(planner, &properties, NULL, planned, err);
}

ErrCode plan_assert_source(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    AstStatement *create = arena_alloc(planner->arena, sizeof *create);
    *create = *planner->statement;
    create->kind = create->kind == AST_ASSERT_TABLE ? AST_CREATE_TABLE : AST_CREATE_STREAM;
    Planner described = *planner;
    described.statement = create;
    Properties properties;
    Source *source = arena_alloc(planner->arena, sizeof *source);
    TRY(planner_source(planner, create->name, create->name_pos, &planned->target, err));
    TRY(properties_read(&described, PROPERTY_IN_CREATE, &properties, err));
    TRY(create_described(&described, &properties, source, err));
    planned->kind = PLANNED_ASSERT_SOURCE;
    planned->source = source;
    return ERR_OK;
}
