/*
 * formats.c - which formats a topic has: names, delimiters, wrapping, what they can carry.
 *
 * A single key column is bare where the format can; a single value column is wrapped unless the
 * WITH clause or a setting says otherwise.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "data/time_pattern.h"
#include "planner/planner_impl.h"

/* One side of a topic while its format is chosen. */
typedef struct FormatSide {
    bool is_key;
    const SchemaColumn *columns;
    uint32_t column_count;
    PropertyId name_id, delimiter_id, full_name_id, schema_id, nullable_id;
    const char *word; /* "Key", "Value" */
    AstPos pos;       /* where the WITH clause names the format; line 0: nowhere */
} FormatSide;

static FormatSide format_side(const Planner *planner, const Schema *schema, bool is_key) {
    assert(schema);
    FormatSide side = {.is_key = is_key, .word = is_key ? "Key" : "Value"};
    side.name_id = is_key ? PROPERTY_KEY_FORMAT : PROPERTY_VALUE_FORMAT;
    side.delimiter_id = is_key ? PROPERTY_KEY_DELIMITER : PROPERTY_VALUE_DELIMITER;
    side.full_name_id = is_key ? PROPERTY_KEY_SCHEMA_FULL_NAME : PROPERTY_VALUE_SCHEMA_FULL_NAME;
    side.schema_id = is_key ? PROPERTY_KEY_SCHEMA_ID : PROPERTY_VALUE_SCHEMA_ID;
    side.nullable_id = is_key ? PROPERTY_KEY_PROTOBUF_NULLABLE_REPRESENTATION
                              : PROPERTY_VALUE_PROTOBUF_NULLABLE_REPRESENTATION;
    SchemaColumn *columns = arena_array(planner->arena, schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == (is_key ? COLUMN_KEY : COLUMN_VALUE))
            columns[side.column_count++] = schema->columns[i];
    }
    side.columns = columns;
    return side;
}

/* -- Names ------------------------------------------------------------------------------------- */

static ErrCode format_by_name(const Planner *planner, const char *name, AstPos pos,
                              const Format **format, Err *err) {
    assert(format);
    *format = format_find(name);
    if (*format)
        return ERR_OK;
    if (format_is_known_name(name))
        return err_set_at(err, ERR_UNSUPPORTED, pos.line, pos.column,
                          "The format %s is not supported yet. Use JSON, DELIMITED or KAFKA.",
                          name);
    static const char *const names[] = {"JSON", "DELIMITED", "KAFKA", "NONE"};
    char upper[NAME_BYTES_MAX + 1] = {0};
    for (size_t i = 0; name[i] && i < NAME_BYTES_MAX; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column, "Unknown format: %s.%s", upper,
                      planner_nearest(planner, upper, names, 4));
}

static ErrCode format_both(const Properties *properties, PropertyId id, const char *name,
                           Err *err) {
    if (!properties->set[id] || !properties->set[PROPERTY_FORMAT])
        return ERR_OK;
    AstPos pos = properties_pos(properties, PROPERTY_FORMAT);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Cannot supply both '%s' and 'FORMAT' properties, as 'FORMAT' sets both key "
                      "and value formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and "
                      "'VALUE_FORMAT'.",
                      name);
}

static ErrCode format_missing(const Planner *planner, Err *err) {
    AstPos pos = planner->statement->pos;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. "
                      "Either provide one or set a default via the "
                      "'ksql.persistence.default.format.value' config.");
}

/* The name that the WITH clause gives; NULL where none. */
static const char *format_given(const Properties *properties, const FormatSide *side,
                                AstPos *pos) {
    assert(side);
    assert(pos);
    assert(side->name_id == PROPERTY_KEY_FORMAT || side->name_id == PROPERTY_VALUE_FORMAT);
    PropertyId id = properties->set[side->name_id] ? side->name_id : PROPERTY_FORMAT;
    *pos = properties_pos(properties, id);
    return properties_text(properties, id);
}

static ErrCode format_pick(const Planner *planner, const Properties *properties,
                           const FormatSide *side, const PlanFormat *inherited,
                           const Format **format, Err *err) {
    assert(side);
    AstPos pos;
    const char *name = format_given(properties, side, &pos);
    bool explicit_key = side->is_key && properties->set[PROPERTY_KEY_FORMAT];
    if (side->is_key && side->column_count == 0) {
        if (inherited && explicit_key && strcasecmp(name, "NONE") != 0)
            return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                              "Key format specified for stream without key columns.");
        if (inherited || !name) {
            if (name)
                TRY(format_by_name(planner, name, pos, format, err));
            *format = &format_none;
            return ERR_OK;
        }
    }
    if (!name && inherited && !(side->is_key && inherited->format == &format_none)) {
        *format = inherited->format;
        return ERR_OK;
    }
    if (!name && side->is_key)
        name = planner_setting(planner, "ksql.persistence.default.format.key", "KAFKA");
    if (!name)
        name = planner_setting(planner, "ksql.persistence.default.format.value", NULL);
    if (!name)
        return format_missing(planner, err);
    return format_by_name(planner, name, pos, format, err);
}

/* -- Properties of formats --------------------------------------------------------------------- */

static ErrCode delimiter_fails(AstPos pos, const char *name, const char *rule, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Configuration %s is invalid: %s\nExample valid value: ';'", name, rule);
}

static ErrCode delimiter_check(const Planner *planner, const Properties *properties,
                               PropertyId id, const char *name, Err *err) {
    const char *text = properties_text(properties, id);
    AstPos pos = properties_pos(properties, id);
    if (!text || strlen(text) == 1) {
        if (text && (*text == ' ' || *text == '\t'))
            text = "";
        else
            return ERR_OK;
    }
    if (!*text)
        return delimiter_fails(pos, name,
                               "Delimiter cannot be empty, if you meant to have a tab or space for "
                               "delimiter, please use the special values 'TAB' or 'SPACE'",
                               err);
    if (strcmp(text, "TAB") == 0 || strcmp(text, "SPACE") == 0)
        return ERR_OK;
    return delimiter_fails(pos, name,
                           arena_printf(planner->arena,
                                        "Invalid delimiter value: '%s'. Delimiter must be a single "
                                        "character or TAB,SPACE",
                                        text),
                           err);
}

/* The text has been checked. */
static ErrCode format_delimiter(const Properties *properties, const FormatSide *side,
                                const PlanFormat *inherited, PlanFormat *chosen, Err *err) {
    assert(chosen);
    const char *text = properties_text(properties, side->delimiter_id);
    AstPos pos = properties_pos(properties, side->delimiter_id);
    if (text && chosen->format != &format_delimited)
        return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                          "%s does not support the following configs: [delimiter]",
                          chosen->format->name);
    if (chosen->format != &format_delimited)
        return ERR_OK;
    chosen->delimiter = ',';
    if (inherited && inherited->format == chosen->format)
        chosen->delimiter = inherited->delimiter;
    if (text)
        chosen->delimiter = strcmp(text, "TAB") == 0     ? '\t'
                            : strcmp(text, "SPACE") == 0 ? ' '
                                                         : *text;
    return ERR_OK;
}

/* Properties of the formats with schemas: none of ours takes them. */
static ErrCode format_schema_properties(const Properties *properties, const FormatSide *side,
                                        const Format *format, Err *err) {
    PropertyId name_id = side->full_name_id;
    if (!side->is_key && !properties->set[name_id])
        name_id = PROPERTY_VALUE_AVRO_SCHEMA_FULL_NAME;
    const char *name = properties_text(properties, name_id);
    AstPos pos = properties_pos(properties, name_id);
    if (name && !*name)
        return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                          "fullSchemaName cannot be empty. Format configuration: "
                          "{fullSchemaName=}");
    if (name)
        return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                          "%s does not support the following configs: [fullSchemaName]",
                          format->name);
    const char *word = side->is_key ? "KEY" : "VALUE";
    AstPos schema_pos = properties_pos(properties, side->schema_id);
    if (properties->set[side->schema_id])
        return err_set_at(err, ERR_FORMAT, schema_pos.line, schema_pos.column,
                          "%s_FORMAT should support schema inference when %s_SCHEMA_ID is "
                          "provided. Current format is %s.",
                          word, word, format->name);
    pos = properties_pos(properties, side->nullable_id);
    if (properties->set[side->nullable_id])
        return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                          "Property %s_PROTOBUF_NULLABLE_REPRESENTATION can only be enabled with "
                          "protobuf format",
                          word);
    return ERR_OK;
}

/* -- Wrapping ---------------------------------------------------------------------------------- */

static ErrCode format_wrapping(const Planner *planner, const Properties *properties,
                               const FormatSide *side, PlanFormat *chosen, Err *err) {
    assert(chosen);
    const Format *format = chosen->format;
    assert(format);
    bool single = side->column_count == 1;
    if (side->is_key) {
        chosen->unwrapped = single && (format->can_unwrap || !format->can_wrap);
        return ERR_OK;
    }
    if (properties->set[PROPERTY_WRAP_SINGLE_VALUE]) {
        bool wrap = properties_on(properties, PROPERTY_WRAP_SINGLE_VALUE);
        AstPos pos = properties_pos(properties, PROPERTY_WRAP_SINGLE_VALUE);
        bool bare = !format->can_wrap; /* by nature */
        if (wrap && bare)
            return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                              "Format '%s' does not support 'WRAP_SINGLE_VALUE' set to 'true'.",
                              format->name);
        if (!single)
            return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                              "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
        chosen->unwrapped = !wrap;
        return ERR_OK;
    }
    const char *setting = planner_setting(planner, "ksql.persistence.wrap.single.values", NULL);
    bool wrap = format->can_wrap && !(setting && strcasecmp(setting, "false") == 0 &&
                                      format->can_unwrap);
    chosen->unwrapped = single && !wrap;
    return ERR_OK;
}

/* -- What a format can carry ------------------------------------------------------------------- */

static const char *format_columns_text(const Planner *planner, const FormatSide *side) {
    assert(side);
    Schema schema = {side->columns, side->column_count, 0};
    Buf buf = {0};
    schema_print(&buf, &schema);
    const char *text = arena_text(planner->arena, buf_view(&buf));
    buf_free(&buf);
    return text;
}

ErrCode format_map_key(const Planner *planner, const char *name, const Type *type, Err *err) {
    if (!type_contains(type, TYPE_MAP))
        return ERR_OK;
    return err_set(err, ERR_FORMAT,
                   "Map keys, including types that contain maps, are not supported as they may "
                   "lead to unexpected behavior due to inconsistent serialization. Key column "
                   "name: `%s`. Column type: %s. See "
                   "https://github.com/confluentinc/ksql/issues/6621 for more.",
                   name, type_text(planner->arena, type));
}

static ErrCode format_check(const Planner *planner, const FormatSide *side,
                            const PlanFormat *chosen, Err *err) {
    assert(chosen);
    AstPos pos = side->pos.line > 0 ? side->pos : planner->statement->name_pos;
    for (uint32_t i = 0; side->is_key && i < side->column_count; i++)
        TRY(format_map_key(planner, side->columns[i].name, side->columns[i].type, err));
    if (side->column_count == 0)
        return ERR_OK;
    SerdeSpec spec = {.format = chosen->format, .columns = side->columns,
                      .column_count = side->column_count, .is_key = side->is_key,
                      .unwrapped = chosen->unwrapped, .delimiter = chosen->delimiter};
    Err cause;
    ErrCode code = chosen->format->check(&spec, &cause);
    if (code == ERR_OK)
        return ERR_OK;
    return err_set_at(err, code, pos.line, pos.column,
                      "%s format does not support schema.\nformat: %s\n"
                      "schema: Persistence{columns=[%s], features=[]}\nreason: %s",
                      side->word, chosen->format->name, format_columns_text(planner, side),
                      cause.message);
}

ErrCode formats_names(const Planner *planner, const Properties *properties, Err *err) {
    TRY(format_both(properties, PROPERTY_KEY_FORMAT, "KEY_FORMAT", err));
    TRY(format_both(properties, PROPERTY_VALUE_FORMAT, "VALUE_FORMAT", err));
    TRY(delimiter_check(planner, properties, PROPERTY_KEY_DELIMITER, "KEY_DELIMITER", err));
    TRY(delimiter_check(planner, properties, PROPERTY_VALUE_DELIMITER, "VALUE_DELIMITER", err));
    static const PropertyId ids[] = {PROPERTY_FORMAT, PROPERTY_KEY_FORMAT, PROPERTY_VALUE_FORMAT};
    for (uint32_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const Format *format;
        if (properties->set[ids[i]])
            TRY(format_by_name(planner, properties_text(properties, ids[i]),
                               properties_pos(properties, ids[i]), &format, err));
    }
    return ERR_OK;
}

ErrCode formats_choose(const Planner *planner, const Properties *properties,
                       const PlanTopic *inherited, PlanTopic *topic, Err *err) {
    assert(topic);
    assert(topic->schema);
    for (int i = 0; i < 2; i++) {
        bool is_key = i == 0;
        FormatSide side = format_side(planner, topic->schema, is_key);
        PlanFormat *chosen = is_key ? &topic->key : &topic->value;
        const PlanFormat *from = !inherited ? NULL : is_key ? &inherited->key : &inherited->value;
        *chosen = (PlanFormat){0};
        (void)format_given(properties, &side, &side.pos);
        TRY(format_pick(planner, properties, &side, from, &chosen->format, err));
        TRY(format_delimiter(properties, &side, from, chosen, err));
        TRY(format_schema_properties(properties, &side, chosen->format, err));
        TRY(format_wrapping(planner, properties, &side, chosen, err));
        TRY(format_check(planner, &side, chosen, err));
    }
    return ERR_OK;
}

ErrCode formats_recheck(const Planner *planner, PlanTopic *topic, Err *err) {
    for (int i = 0; i < 2; i++) {
        FormatSide side = format_side(planner, topic->schema, i == 0);
        PlanFormat *chosen = i == 0 ? &topic->key : &topic->value;
        if (side.column_count > 1 && chosen->unwrapped && chosen->format->can_wrap)
            return err_set(err, ERR_SEMANTIC,
                           "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
        chosen->unwrapped = chosen->unwrapped && side.column_count == 1;
        TRY(format_check(planner, &side, chosen, err));
    }
    return ERR_OK;
}

/* -- TIMESTAMP --------------------------------------------------------------------------------- */

/* A column named by a text: upper case unless it is quoted inside. */
static const char *column_of_text(const Planner *planner, const char *text) {
    size_t size = strlen(text);
    bool quoted = size >= 2 && (text[0] == '`' || text[0] == '"') && text[size - 1] == text[0];
    char *name = quoted ? arena_text(planner->arena, (Bytes){(const uint8_t *)text + 1,
                                                             (uint32_t)size - 2})
                        : arena_strdup(planner->arena, text);
    for (char *at = name; !quoted && *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return name;
}

/* Letters that Java knows but we do not are not done yet; others are faults. */
static ErrCode timestamp_pattern(const Planner *planner, const Properties *properties,
                                 const char *format, Err *err) {
    const TimePattern *pattern;
    AstPos pos = properties_pos(properties, PROPERTY_TIMESTAMP_FORMAT);
    Err cause;
    ErrCode code = time_pattern_new(bytes_of(format), planner->arena, &pattern, &cause);
    if (code == ERR_OK)
        return ERR_OK;
    bool quoted = false, known = true;
    for (const char *at = format; *at; at++) {
        quoted = quoted != (*at == '\'');
        if (!quoted && isalpha((unsigned char)*at))
            known = known && strchr("GuyDMLdQqYwWEecFaBhKkHmsSAnNVvzOXxZp", *at);
    }
    return err_set_at(err, known ? ERR_UNSUPPORTED : code, pos.line, pos.column, "%s",
                      cause.message);
}

ErrCode formats_timestamp(const Planner *planner, const Properties *properties, PlanTopic *topic,
                          Err *err) {
    assert(topic);
    const char *text = properties_text(properties, PROPERTY_TIMESTAMP);
    const char *format = properties_text(properties, PROPERTY_TIMESTAMP_FORMAT);
    AstPos pos = properties_pos(properties, PROPERTY_TIMESTAMP);
    topic->timestamp_column = -1;
    topic->timestamp_format = NULL;
    if (!text)
        return ERR_OK;
    const char *name = column_of_text(planner, text);
    int32_t column = schema_find(topic->schema, name);
    if (column < 0)
        return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                          "The TIMESTAMP column set in the WITH clause does not exist in the "
                          "schema: '%s'",
                          name);
    TypeKind kind = topic->schema->columns[column].type->kind;
    bool fits = kind == TYPE_STRING ? format != NULL
                                    : !format && (kind == TYPE_BIGINT || kind == TYPE_TIMESTAMP);
    if (!fits)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Timestamp column, `%s`, should be LONG(INT64), TIMESTAMP, or a String "
                          "with a timestamp_format specified",
                          name);
    topic->timestamp_column = column;
    if (!format)
        return ERR_OK;
    TRY(timestamp_pattern(planner, properties, format, err));
    topic->timestamp_format = arena_strdup(planner->arena, format);
    return ERR_OK;
}

/* -- Schema ids, retention --------------------------------------------------------------------- */

ErrCode formats_schema_ids(const Planner *planner, const Properties *properties, Err *err) {
    for (int i = 0; i < 2; i++) {
        bool is_key = i == 0;
        PropertyId id = is_key ? PROPERTY_KEY_SCHEMA_ID : PROPERTY_VALUE_SCHEMA_ID;
        const char *word = is_key ? "KEY" : "VALUE", *name;
        AstPos pos = properties_pos(properties, id), ignored;
        FormatSide side = {.name_id = is_key ? PROPERTY_KEY_FORMAT : PROPERTY_VALUE_FORMAT};
        if (!properties->set[id])
            continue;
        name = format_given(properties, &side, &ignored);
        if (!name)
            name = is_key ? planner_setting(planner, "ksql.persistence.default.format.key", "KAFKA")
                          : planner_setting(planner, "ksql.persistence.default.format.value", "?");
        return err_set_at(err, ERR_FORMAT, pos.line, pos.column,
                          "%s_FORMAT should support schema inference when %s_SCHEMA_ID is "
                          "provided. Current format is %s.",
                          word, word, name);
    }
    return ERR_OK;
}

ErrCode formats_retention(const Properties *properties, const Source *source, Err *err) {
    PropertyId id = properties->set[PROPERTY_RETENTION_MS] ? PROPERTY_RETENTION_MS
                                                           : PROPERTY_RETENTION_BYTES;
    AstPos pos = properties_pos(properties, id);
    if (!properties->set[id] || !source->is_table || source->topic.window != WINDOW_NONE)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Invalid config variable in the WITH clause: %s. Non-windowed tables do not "
                      "support retention.",
                      properties->set[id]->name);
}

/* -- Partitions -------------------------------------------------------------------------------- */

/* Whether CREATE makes topics that nobody said how many partitions have: an addition. */
static ErrCode partitions_made(const Planner *planner, const char *topic, Err *err) {
    const AstStatement *statement = planner->statement;
    bool extensions = planner_setting_on(planner, "weir.extensions", true);
    if (planner_setting_on(planner, "weir.topics.auto", extensions))
        return ERR_OK;
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "Topic '%s' does not exist. If you want to create a new topic for the "
                      "stream/table please re-run the statement providing the required "
                      "'PARTITIONS' configuration in the WITH clause (and optionally 'REPLICAS'), "
                      "for example WITH (KAFKA_TOPIC='%s', PARTITIONS=2, ...).",
                      topic, topic);
}

static uint32_t partitions_default(const Planner *planner) {
    const char *text = planner_setting(planner, "weir.topics.partitions", "1");
    unsigned long count = strtoul(text, NULL, 10);
    return count >= 1 && count <= PARTITIONS_MAX ? (uint32_t)count : 1;
}

ErrCode formats_partitions(const Planner *planner, const Properties *properties, Source *source,
                           Planned *planned, Err *err) {
    assert(source);
    assert(planned);
    const PlannerHost *host = planner->host;
    bool given = properties->set[PROPERTY_PARTITIONS] != NULL;
    AstPos pos = properties_pos(properties, PROPERTY_PARTITIONS);
    int64_t wanted = given ? properties_i64(properties, PROPERTY_PARTITIONS) : 0;
    if (wanted > PARTITIONS_MAX)
        return err_set_at(err, ERR_LIMIT, pos.line, pos.column,
                          "A topic has %d partitions at most.", PARTITIONS_MAX);
    uint32_t there;
    TRY(host->topic_partitions(host->context, source->topic.topic, &there, err));
    if (there > 0 && given && there != (uint32_t)wanted)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "A Kafka topic with the name '%s' already exists, with different "
                          "partition/replica configuration than required. It has %u partitions, "
                          "not %u.",
                          source->topic.topic, there, (uint32_t)wanted);
    planned->create_topic = there == 0;
    if (there == 0 && plan_topic_is_internal(source->topic.topic))
        return err_set_at(err, ERR_SEMANTIC, planner->statement->name_pos.line,
                          planner->statement->name_pos.column, PLAN_TOPIC_RESERVED,
                          source->topic.topic);
    if (there > 0)
        source->partition_count = there;
    else if (given)
        source->partition_count = (uint32_t)wanted;
    else if (source->partition_count == 0) {
        TRY(partitions_made(planner, source->topic.topic, err));
        source->partition_count = partitions_default(planner);
        planned->notice_partitions = true;
    }
    return ERR_OK;
}
