/*
 * config.c - reads the configuration: which keys there are, what they mean, whose they are.
 *
 * The syntax of the file is config_file.c's. A key that is given twice counts with its last value;
 * a later source overrides an earlier one the same way.
 */
#include "kafka/config.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "kafka/config_impl.h"

typedef enum PropertyKind {
    PROPERTY_SERVICE,
    PROPERTY_TEXT,
    PROPERTY_PATH,
    PROPERTY_SECRET,
    PROPERTY_JAAS,
    PROPERTY_JAVA,
} PropertyKind;

typedef struct PropertyRow {
    const char *name;
    PropertyKind kind;
    const char *value, *help;
} PropertyRow;

static const PropertyRow rows[] = {
#define KAFKA_PROPERTY(name, kind, value, help) {name, PROPERTY_##kind, value, help},
#include "kafka/client_property.def"
#undef KAFKA_PROPERTY
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };
enum { SLOTS_MAX = 1024, INTERVAL_MS_MAX = 60 * 1000, TRANSACTION_MS_MAX = 15 * 60 * 1000,
       PURGE_MS_MAX = 24 * 60 * 60 * 1000 };
enum { SERVICE_ID_SIZE_MAX = 100 };

bool kafka_config_help(uint32_t index, KafkaPropertyHelp *help) {
    if (index >= ROW_COUNT)
        return false;
    *help = (KafkaPropertyHelp){rows[index].name, rows[index].value, rows[index].help};
    return true;
}

/* -- Values ------------------------------------------------------------------------------------ */

static ErrCode config_number(const ConfigLine *line, uint32_t least, uint32_t most,
                             uint32_t *number, Err *err) {
    char *end;
    unsigned long value = strtoul(line->value, &end, 10);
    if (!isdigit((unsigned char)*line->value) || *end || value < least || value > most)
        return kafka_config_bad(line, err, "wants a number from %u to %u", least, most);
    *number = (uint32_t)value;
    return ERR_OK;
}

static void config_text(char **target, const char *value) {
    kafka_config_wipe(*target);
    *target = mem_strdup(value);
}

/* What is part of names of topics. */
static ErrCode config_service_id(KafkaConfig *config, const ConfigLine *line, Err *err) {
    size_t size = strlen(line->value);
    for (const char *next = line->value; *next; next++)
        if (!isalnum((unsigned char)*next) && !strchr("._-", *next))
            return kafka_config_bad(line, err, "wants letters, digits, '.', '_' and '-'");
    if (size == 0 || size > SERVICE_ID_SIZE_MAX)
        return kafka_config_bad(line, err, "wants 1 to %d characters", SERVICE_ID_SIZE_MAX);
    config_text(&config->service_id, line->value);
    return ERR_OK;
}

static ErrCode config_guarantee(KafkaConfig *config, const ConfigLine *line, Err *err) {
    bool exactly = strcmp(line->value, "exactly_once_v2") == 0 ||
                   strcmp(line->value, "exactly_once") == 0;
    if (!exactly && strcmp(line->value, "at_least_once") != 0)
        return kafka_config_bad(line, err, "wants exactly_once_v2 or at_least_once");
    config->at_least_once = !exactly;
    return ERR_OK;
}

static ErrCode config_bootstrap(KafkaConfig *config, const ConfigLine *line, Err *err) {
    if (!kafka_config_is_bootstrap(line->value))
        return kafka_config_bad(line, err, "wants HOST:PORT[,HOST:PORT...], not \"%s\"",
                                line->value);
    config_text(&config->bootstrap, line->value);
    return ERR_OK;
}

static ErrCode config_service(KafkaConfig *config, const char *name, const ConfigLine *line,
                              Err *err) {
    uint32_t number = 0;
    if (strcmp(name, "bootstrap.servers") == 0)
        return config_bootstrap(config, line, err);
    if (config->name)
        return kafka_config_bad(line, err, "belongs to the service, not to a named cluster");
    if (strcmp(name, "ksql.service.id") == 0)
        return config_service_id(config, line, err);
    if (strstr(name, "processing.guarantee"))
        return config_guarantee(config, line, err);
    if (strcmp(name, "weir.slots") == 0)
        return config_number(line, 1, SLOTS_MAX, &config->slots, err);
    if (strcmp(name, "weir.commit.interval.ms") == 0)
        return config_number(line, 0, INTERVAL_MS_MAX, &config->commit_interval_ms, err);
    if (strcmp(name, "weir.transaction.timeout.ms") == 0)
        return config_number(line, 1000, TRANSACTION_MS_MAX, &config->transaction_timeout_ms, err);
    if (strstr(name, "repartition.purge.interval.ms"))
        return config_number(line, 1, PURGE_MS_MAX, &config->purge_interval_ms, err);
    assert(strstr(name, "replic"));
    TRY(config_number(line, 1, INT16_MAX, &number, err));
    config->replicas = (int32_t)number;
    return ERR_OK;
}

static void config_put(KafkaConfig *config, const char *name, const char *value, bool secret) {
    for (size_t i = 0; i < config->property_count; i++)
        if (strcmp(config->properties[i].name, name) == 0) {
            config_text(&config->properties[i].value, value);
            return;
        }
    config->properties = mem_grow(config->properties, &config->property_capacity,
                                  config->property_count + 1, sizeof *config->properties);
    config->properties[config->property_count++] =
        (KafkaProperty){name, mem_strdup(value), secret};
}

/* The text behind `word="`, up to the next quote, as a copy; NULL: it is not there. */
static char *config_quoted(const char *text, const char *word) {
    const char *at = strstr(text, word), *end;
    if (!at)
        return NULL;
    at += strlen(word);
    at += strspn(at, " \t");
    if (*at++ != '=')
        return NULL;
    at += strspn(at, " \t");
    char quote = *at++;
    if ((quote != '"' && quote != '\'') || !(end = strchr(at, quote)))
        return NULL;
    char *copy = mem_alloc((size_t)(end - at) + 1);
    memcpy(copy, at, (size_t)(end - at));
    return copy;
}

static ErrCode config_jaas(KafkaConfig *config, const ConfigLine *line, Err *err) {
    char *user = config_quoted(line->value, "username");
    char *password = config_quoted(line->value, "password");
    bool good = user && password;
    if (good) {
        config_put(config, "sasl.username", user, false);
        config_put(config, "sasl.password", password, true);
    }
    kafka_config_wipe(user);
    kafka_config_wipe(password);
    return good ? ERR_OK
                : kafka_config_bad(line, err,
                                   "wants ...LoginModule required username=\"...\" "
                                   "password=\"...\"; or give sasl.username and sasl.password");
}

static ErrCode config_path(KafkaConfig *config, const char *name, const ConfigLine *line,
                           Err *err) {
    if (access(line->value, R_OK) != 0)
        return kafka_config_bad(line, err, "names a file that cannot be read: %s", line->value);
    config_put(config, name, line->value, false);
    return ERR_OK;
}

static ErrCode config_set(KafkaConfig *config, const PropertyRow *row, const ConfigLine *line,
                          Err *err) {
    switch (row->kind) {
    case PROPERTY_SERVICE:
        return config_service(config, row->name, line, err);
    case PROPERTY_JAVA:
        return kafka_config_bad(line, err, "is not supported: %s", row->help);
    case PROPERTY_JAAS:
        return config_jaas(config, line, err);
    case PROPERTY_PATH:
        return config_path(config, row->name, line, err);
    case PROPERTY_TEXT:
    case PROPERTY_SECRET:
        break;
    }
    /* Java's clients say no endpoint identification by an empty text. */
    const char *value = line->value;
    if (!*value && strcmp(row->name, "ssl.endpoint.identification.algorithm") == 0)
        value = "none";
    config_put(config, row->name, value, row->kind == PROPERTY_SECRET);
    return ERR_OK;
}

/* -- Keys -------------------------------------------------------------------------------------- */

static const PropertyRow *config_find(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static ErrCode config_unknown(const ConfigLine *line, const char *name, Err *err) {
    const char *names[ROW_COUNT];
    for (size_t i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].name;
    const char *near = nearest_name(name, names, ROW_COUNT);
    return near ? kafka_config_bad(line, err, "is not known. Did you mean %s?", near)
                : kafka_config_bad(line, err, "is not known (docs/kafka.md has the list)");
}

static KafkaConfig *config_named(KafkaConfig *config, const char *name, size_t size) {
    for (size_t i = 0; i < config->cluster_count; i++)
        if (strncasecmp(config->clusters[i].name, name, size) == 0 &&
            config->clusters[i].name[size] == '\0')
            return &config->clusters[i];
    config->clusters = mem_grow(config->clusters, &config->cluster_capacity,
                                config->cluster_count + 1, sizeof *config->clusters);
    KafkaConfig *cluster = &config->clusters[config->cluster_count++];
    *cluster = (KafkaConfig){.name = mem_alloc(size + 1)};
    for (size_t i = 0; i < size; i++)
        cluster->name[i] = (char)toupper((unsigned char)name[i]);
    return cluster;
}

static ErrCode config_take(void *context, const ConfigLine *line, Err *err) {
    static const char prefix[] = "broker.";
    KafkaConfig *config = context;
    const char *key = line->key;
    const PropertyRow *row = config_find(key);
    if (!row && strncmp(key, prefix, sizeof prefix - 1) == 0) {
        const char *name = key + sizeof prefix - 1, *dot = strchr(name, '.');
        if (!dot || dot == name)
            return kafka_config_bad(line, err, "wants a name: broker.NAME.bootstrap.servers");
        if (!(row = config_find(dot + 1)))
            return config_unknown(line, dot + 1, err);
        config = config_named(config, name, (size_t)(dot - name));
    }
    return row ? config_set(config, row, line, err) : config_unknown(line, key, err);
}

/* -- The environment --------------------------------------------------------------------------- */

/* Whether `entry` is "prefix + NAME in upper case with '_'" + "=": its value. */
static const char *config_entry(const char *entry, const char *prefix, const char *name) {
    size_t size = strlen(prefix);
    if (strncmp(entry, prefix, size) != 0)
        return NULL;
    for (entry += size; *name; name++, entry++)
        if (*entry != (isalnum((unsigned char)*name) ? toupper((unsigned char)*name) : '_'))
            return NULL;
    return *entry == '=' ? entry + 1 : NULL;
}

static ErrCode config_environment(KafkaConfig *config, const char *const *environment, Err *err) {
    char prefix[300];
    (void)snprintf(prefix, sizeof prefix, "WEIR_KAFKA_%s%s%s", config->name ? "BROKER_" : "",
                   config->name ? config->name : "", config->name ? "_" : "");
    for (size_t i = 0; environment[i]; i++)
        for (size_t k = 0; k < ROW_COUNT; k++) {
            const char *value = config_entry(environment[i], prefix, rows[k].name);
            if (!value)
                continue;
            ConfigLine line = {.where = "environment", .key = rows[k].name, .value = value};
            TRY(config_set(config, &rows[k], &line, err));
        }
    return ERR_OK;
}

/* -- All of it --------------------------------------------------------------------------------- */

const char *kafka_config_property(const KafkaConfig *config, const char *name) {
    for (size_t i = 0; i < config->property_count; i++)
        if (strcmp(config->properties[i].name, name) == 0)
            return config->properties[i].value;
    return NULL;
}

/* Tokens (OAUTHBEARER) and Kerberos (GSSAPI) would want more than a name and a password. */
static bool config_is_mechanism(const char *text) {
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (strcasecmp(text, mechanisms[i]) == 0)
            return true;
    return false;
}

/* What only all of it together can tell. */
static ErrCode config_check(const KafkaConfig *config, Err *err) {
    const char *name = config->name ? config->name : "the service's cluster";
    const char *protocol = kafka_config_property(config, "security.protocol");
    const char *mechanism = kafka_config_property(config, "sasl.mechanism");
    bool sasl = protocol && strncasecmp(protocol, "SASL_", 5) == 0;
    if (!config->bootstrap)
        return err_set(err, ERR_SEMANTIC, "Kafka configuration, %s: bootstrap.servers is missing",
                       name);
    if (mechanism && !config_is_mechanism(mechanism))
        return err_set(err, ERR_SEMANTIC,
                       "Kafka configuration, %s: sasl.mechanism wants PLAIN, SCRAM-SHA-256 or "
                       "SCRAM-SHA-512; %s is not supported",
                       name, mechanism);
    if (mechanism && !sasl)
        return err_set(err, ERR_SEMANTIC,
                       "Kafka configuration, %s: with sasl.mechanism, security.protocol must be "
                       "SASL_SSL or SASL_PLAINTEXT",
                       name);
    if (sasl && (!mechanism || !kafka_config_property(config, "sasl.username") ||
                 !kafka_config_property(config, "sasl.password")))
        return err_set(err, ERR_SEMANTIC,
                       "Kafka configuration, %s: security.protocol %s needs sasl.mechanism, "
                       "sasl.username and sasl.password",
                       name, protocol);
    return ERR_OK;
}

/* What a named cluster does not say itself is the service's. */
static void config_inherit(KafkaConfig *named, const KafkaConfig *service) {
    assert(named->name && service->service_id);
    if (!named->service_id)
        named->service_id = mem_strdup(service->service_id);
    if (named->transaction_timeout_ms == 0)
        named->transaction_timeout_ms = service->transaction_timeout_ms;
    if (named->replicas == 0)
        named->replicas = service->replicas;
}

static ErrCode config_load(const KafkaConfigSource *source, KafkaConfig *config, Err *err) {
    const char *const *environment =
        source->environment ? source->environment : (const char *const *)environ;
    if (source->file)
        TRY(kafka_config_read(source->file, config_take, config, err));
    TRY(config_environment(config, environment, err));
    for (size_t i = 0; i < config->cluster_count; i++) {
        config_inherit(&config->clusters[i], config);
        TRY(config_environment(&config->clusters[i], environment, err));
        TRY(config_check(&config->clusters[i], err));
    }
    if (source->bootstrap) {
        ConfigLine line = {.where = "command line", .key = "address", .value = source->bootstrap};
        TRY(config_bootstrap(config, &line, err));
    }
    if (source->named_only && !config->bootstrap)
        return ERR_OK;
    return config_check(config, err);
}

ErrCode kafka_config_load(const KafkaConfigSource *source, KafkaConfig **config, Err *err) {
    KafkaConfig *loaded = mem_alloc(sizeof *loaded);
    loaded->service_id = mem_strdup("default_");
    loaded->slots = 16;
    loaded->replicas = -1;
    loaded->commit_interval_ms = 50;
    loaded->purge_interval_ms = 30 * 1000;
    loaded->transaction_timeout_ms = 10 * 1000;
    ErrCode code = config_load(source, loaded, err);
    if (code != ERR_OK)
        kafka_config_free(loaded);
    else
        *config = loaded;
    return code;
}

static void config_close(KafkaConfig *config) {
    for (size_t i = 0; i < config->property_count; i++)
        kafka_config_wipe(config->properties[i].value);
    for (size_t i = 0; i < config->cluster_count; i++)
        config_close(&config->clusters[i]);
    mem_free(config->properties);
    mem_free(config->clusters);
    mem_free(config->name);
    mem_free(config->bootstrap);
    mem_free(config->service_id);
}

void kafka_config_free(KafkaConfig *config) {
    if (!config)
        return;
    config_close(config);
    mem_free(config);
}

const KafkaConfig *kafka_config_cluster(const KafkaConfig *config, const char *name) {
    for (size_t i = 0; i < config->cluster_count; i++)
        if (strcasecmp(config->clusters[i].name, name) == 0)
            return &config->clusters[i];
    return NULL;
}
