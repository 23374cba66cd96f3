/*
 * config.h - how a cluster is reached and what the service is called there: from a file of
 * properties, from the environment, and from the command line.
 *
 *   command line > environment (WEIR_KAFKA_SASL_PASSWORD is sasl.password) > file > default
 *
 * File: lines `key=value` as Java's properties; keys are ksqlDB's and librdkafka's, as far as they
 * are in client_property.def. `broker.NAME.KEY=value` is of the cluster that WITH (BROKER='NAME')
 * means. What is not known is refused with the nearest name.
 *
 * Secrets are in here, in the clients made of it, and nowhere else: no text of an error has them,
 * and kafka_config_free() wipes them.
 */
#ifndef KAFKA_CONFIG_H
#define KAFKA_CONFIG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* A property of the client library. */
typedef struct KafkaProperty {
    const char *name; /* of client_property.def */
    char *value;
    bool secret;
} KafkaProperty;

typedef struct KafkaConfig KafkaConfig;
struct KafkaConfig {
    char *name;      /* of BROKER='name', in upper case; NULL: the service's own cluster */
    char *bootstrap; /* HOST:PORT,... */
    KafkaProperty *properties;
    size_t property_count, property_capacity;

    /* The service. */
    char *service_id;    /* "default_" */
    uint32_t slots;      /* of a new service; an old one has what its first command says */
    int32_t replicas;    /* of the topics that the service makes; -1: the cluster's default */
    bool at_least_once;  /* processing.guarantee */
    bool keeps_all;      /* tests: no topic that statements make is compacted or expires */
    uint32_t commit_interval_ms, transaction_timeout_ms;
    uint32_t purge_interval_ms; /* of repartition topics */

    KafkaConfig *clusters; /* the named ones */
    size_t cluster_count, cluster_capacity;
};

typedef struct KafkaConfigSource {
    const char *bootstrap;  /* of the command line; NULL: the file or the environment says it */
    const char *file;       /* NULL: none */
    bool named_only;        /* there need be no cluster of the service's own */
    const char *const *environment; /* "NAME=value"..., NULL; NULL: the process's own */
} KafkaConfigSource;

/* SEMANTIC with file, line and key for what is wrong; NOT_FOUND for a file that cannot be read. */
ErrCode kafka_config_load(const KafkaConfigSource *source, KafkaConfig **config, Err *err);
void kafka_config_free(KafkaConfig *config); /* NULL is allowed; wipes the secrets */

/* The cluster of BROKER='name', in any case; NULL: there is none. */
const KafkaConfig *kafka_config_cluster(const KafkaConfig *config, const char *name);

/* NULL: not given. */
const char *kafka_config_property(const KafkaConfig *config, const char *name);

/* Of librdkafka. */
const char *kafka_library_version(void);

/* What may be given, in order of name: for --help and documents; false behind the last. */
typedef struct KafkaPropertyHelp {
    const char *name, *value, *help;
} KafkaPropertyHelp;
bool kafka_config_help(uint32_t index, KafkaPropertyHelp *help);

#endif
