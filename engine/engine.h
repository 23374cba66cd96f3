/*
 * engine.h - the engine for programs of this project: weir.h plus where it runs.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/io.h"
#include "engine/weir.h"
#include "runtime/runtime.h"
#include "storage/cluster.h"

/* A log elsewhere: how it is opened for a storage. Kafka's (kafka.c), or a test's. */
typedef struct EngineCluster {
    ErrCode (*open)(void *context, Storage *storage, Cluster **cluster, Err *err);
    void (*stop)(void *context, Cluster *cluster);  /* before the storage closes; NULL: nothing */
    void (*close)(void *context, Cluster *cluster); /* afterwards; NULL: nothing */
    /* Something to be told to the user, once; NULL: nothing ever. */
    bool (*notice)(void *context, Cluster *cluster, char *text, size_t size);
    void *context;
    const char *service_id;
    bool at_least_once;
} EngineCluster;

typedef struct EngineOptions {
    uint32_t workers;   /* 0: none, engine_pump() does the work (tests) */
    uint32_t step_rows; /* 0: BATCH_ROWS_MAX */
    bool single_partition;
    bool os_durability;
    bool from_latest;
    bool manual_queries; /* new queries wait for engine_run_script() (conformance cases) */
    uint64_t checkpoint_bytes;
    const char *udf_dir; /* NULL: no native functions */
    const struct KafkaConfig *edges; /* named clusters for BROKER='name'; NULL: none */
    const EngineCluster *cluster; /* NULL: the log is in the folder */
    bool in_memory; /* files are memory: what a checkpoint makes superfluous is worth more */
    void (*notice)(void *context, const char *text);
    void *notice_context;
    void (*progress)(void *context, const WeirWork *work);
    void *progress_context;
    bool (*waits)(void *context, const char *why);
    void *waits_context;
} EngineOptions;

/* As weir_open(), on a given Io that must outlive the engine. */
ErrCode engine_open(Io *io, const char *folder, const EngineOptions *options, Weir **weir,
                    Err *err);

/* Without workers: runs until there is nothing left to do. */
ErrCode engine_pump(Weir *weir, Err *err);

/* Executes the next statement of a script; *done at its end. On failure the position is in *err
 * and the script stands behind the statement. */
ErrCode engine_execute_next(Weir *weir, WeirScript *script, WeirResult **result, bool *done,
                            Err *err);

/* SET without a statement: the `properties` of a case. */
ErrCode engine_set(Weir *weir, const char *name, const char *value, Err *err);

Storage *engine_storage(Weir *weir);
Runtime *engine_runtime(Weir *weir);

#endif
