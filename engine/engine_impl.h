/*
 * engine_impl.h - the inside of the engine: one Weir, and the statements as functions.
 *
 * engine.c executes: parse, then one function per kind of statement. Each statement function gets
 * a Call: where the statement is, its arena, and the result to fill.
 *
 * Lock: `lock` guards catalog, settings and variables. Statements that only look (lookups, inserts,
 * SHOW, ...) share it, so they run beside each other; the others have it alone. COPY takes it only
 * to find its source, ASSERT to read its setting. A push query's rows flow without it.
 */
#ifndef ENGINE_ENGINE_IMPL_H
#define ENGINE_ENGINE_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "engine/catalog.h"
#include "engine/datagen.h"
#include "engine/edge.h"
#include "engine/engine.h"
#include "engine/retention.h"
#include "engine/settings.h"
#include "engine/tally.h"
#include "engine/weir.h"
#include "grammar/ast.h"
#include "planner/planner.h"
#include "runtime/note.h"

typedef struct Variable {
    char *name;
    char *value;
} Variable;

struct Weir {
    Io *io;
    bool owns_io;
    EngineOptions options;
    Storage *storage;
    Cluster *cluster; /* NULL: the log is in the folder */
    struct EngineKafka *kafka; /* NULL: no Kafka */
    _Atomic int64_t revive_us; /* not before */
    char *log_name;   /* with a cluster: of the processing log's topic, if nothing is said */
    Runtime *runtime;
    Note *note; /* NULL: in memory */
    SharedLock lock;
    Catalog catalog;
    Retention *retention;
    Settings settings;
    Variable *variables; /* DEFINE */
    size_t variable_count, variable_capacity;
    DatagenJobs *datagen;
    Edges *edges; /* NULL: there are no named clusters */
    uint64_t push_count; /* names of transient queries */
    Lock push_lock;      /* of the next three; taken after `lock` */
    WeirResult **pushes; /* push queries whose results are not freed, in order */
    size_t push_open, push_capacity;
    _Atomic uint32_t interrupts; /* calls of weir_interrupt() */
    struct Testkit *kit; /* this engine is one of a test; NULL */
};

/* One statement being executed. */
typedef struct Call {
    Weir *weir;
    const AstStatement *statement;
    Bytes text; /* of the statement */
    Arena *arena; /* the statement's; what the result needs is copied */
    WeirResult *result;
    uint32_t interrupts; /* the weir's when the statement began */
    CatalogTopic topic; /* made by it; id 0: none */
    uint64_t once; /* who it is, if its rows are to be written once in the service's life; or 0 */
} Call;

/* -- One function per kind of statement: create.c, drop.c, insert.c, show.c, ... --------------- */

ErrCode engine_create(Call *call, Err *err); /* CREATE STREAM/TABLE [AS], INSERT INTO ... SELECT */
ErrCode engine_insert_values(Call *call, const Planned *planned, Err *err);
ErrCode engine_push(Call *call, const Planned *planned, Err *err);
ErrCode engine_pull(Call *call, const Planned *planned, Err *err);
ErrCode engine_select(Call *call, Err *err); /* lookups and push queries */

/* A push query of call->result. bounded: it begins at the beginning, whatever auto.offset.reset
 * says, and ends at the end its sources have now. */
ErrCode engine_push_start(Call *call, const Planned *planned, bool bounded, Err *err);

/* A lookup's plan, in `arena`, and the store it reads, whose queries have caught up. */
typedef struct EngineLookup {
    const Plan *plan;
    LookupStore store;
    bool has_store;
    bool scans_stream; /* it reads a topic */
} EngineLookup;
ErrCode engine_lookup_prepare(Call *call, const Planned *planned, Arena *arena,
                              EngineLookup *lookup, Err *err);
ErrCode engine_drop(Call *call, Err *err);
ErrCode engine_explain_drop(Call *call, const AstStatement *statement, Err *err); /* dry run */
ErrCode engine_terminate(Call *call, Err *err);
ErrCode engine_pause(Call *call, Err *err); /* PAUSE, RESUME, ALTER QUERY */
ErrCode engine_type(Call *call, Err *err); /* CREATE TYPE, DROP TYPE */
ErrCode engine_create_function(Call *call, Err *err);
ErrCode engine_drop_function(Call *call, Err *err);
ErrCode engine_show_errors(Call *call, Err *err);
ErrCode engine_session(Call *call, Err *err); /* SET UNSET DEFINE UNDEFINE */
ErrCode engine_show(Call *call, Err *err);
ErrCode engine_describe(Call *call, Err *err);
/* describe_query.c: rows of property and value. All of a query that reads or writes a source;
 * DESCRIBE of a query; what flows through the source's topic. */
void engine_describe_query(Call *call, CatalogQuery *query, const char *what);
void engine_describe_running(Call *call, CatalogQuery *query);
void engine_describe_traffic(Call *call, const Source *source);
ErrCode engine_explain(Call *call, Err *err);
ErrCode engine_analyze(Call *call, Err *err);
ErrCode engine_copy(Call *call, Err *err);
ErrCode engine_copy_to(Call *call, Err *err);
ErrCode engine_print(Call *call, Err *err);
ErrCode engine_topic(Call *call, Err *err); /* CREATE, ALTER, DROP, DESCRIBE TOPIC */
ErrCode engine_show_topics(Call *call, Err *err);
ErrCode engine_assert(Call *call, Err *err); /* ASSERT TOPIC, ASSERT SCHEMA: without the lock */
/* ASSERT of values and sources, in tests only: without the lock. */
ErrCode testkit_assert(Call *call, Err *err);

/* entity.c: notes in the result what its entity tells of the statement, which was executed. */
void entity_note(Call *call);

/* -- processing_log.c ---------------------------------------------------------------------- */

/* After a SET: makes the topic and the stream of the processing log where settings want them. */
ErrCode engine_log_make(Call *call, Err *err);

/* Tells the runtime which topic is the log, and which queries do not write to it. After whatever
 * may have changed one of them. */
void engine_log_refresh(Weir *weir);

/* Whether the topic is the log. */
bool engine_log_is(const Weir *weir, const char *topic);

/* Whether errors of a query that starts are logged. */
bool engine_log_takes(const Weir *weir, const CatalogQuery *query);

/* Before this topic is deleted: nothing is logged to it any more. */
void engine_log_leave(Weir *weir, const char *topic);

/* For the caller of weir.h. */
WeirStatus engine_status(ErrCode code, const Err *err, WeirError *error);

/* -- cluster.c: a Kafka cluster as the log ----------------------------------------------------- */

bool engine_has_cluster(const Weir *weir);
const char *engine_service_id(const Weir *weir);
ErrCode engine_cluster_open(Weir *weir, Err *err);
/* Why a query could not start. A folder whose state does not fit is damaged; over a cluster others
 * can write where state comes from, and it is the query's error alone. */
ErrCode engine_cluster_doubt(Weir *weir, const CatalogQuery *query, Err *err);
void engine_cluster_notice(Weir *weir); /* what the cluster has to tell, if anything */
void engine_cluster_stop(Weir *weir); /* nothing runs any more: the storage may close */
void engine_cluster_close(Weir *weir);

/* A commit of the catalog, for the statement. */
Commit *engine_commit(const Call *call);

/* Topics that SHOW TOPICS leaves out: queries' own, Kafka's, the service's. */
bool engine_topic_is_hidden(const Weir *weir, const char *name);

/* The service's own are not for statements. SEMANTIC. */
ErrCode engine_check_own_topic(const Call *call, const char *name, Err *err);

/* A topic that only the cluster knows becomes the service's too, with the commit. */
void engine_adopt_topic(Weir *weir, const char *name, Commit *commit);

/* How the topic of planned->source is to be made. */
void engine_configure_topic(Weir *weir, const Planned *planned, uint32_t topic_id,
                            Commit *commit);

/* The tally, of one figure, that a statement has when its rows are written once: call->once. */
ErrCode engine_once_open(Weir *weir, uint64_t once, Tally *tally, Err *err);

/* The edge of a source with a BROKER. replicas: of the topic there, if it is made; 0: not said. */
ErrCode engine_start_edge(Weir *weir, const Source *source, int32_t replicas, Err *err);

/* A topic of a query's own: what is there of that name was somebody else's, and stays. Its id. */
uint32_t engine_make_query_topic(Weir *weir, const char *name, uint32_t partitions,
                                 const TopicConfig *config, Commit *commit);

/* Topics for the stores of a query: query->changelogs. */
void engine_make_changelogs(Weir *weir, CatalogQuery *query, Commit *commit);

/* Whether sources of a query have more partitions now than the service knows of. May wait. */
void engine_note_growth(const Weir *weir, CatalogQuery *query);

/* Queries that the cluster's trouble kept from starting are tried again, now and then. Without the
 * lock. */
void engine_revive(Weir *weir);
bool engine_query_waits(const CatalogQuery *query); /* it could not start, and is to be revived */
void engine_query_later(const Weir *weir, CatalogQuery *query); /* nobody waited for its start */

/* Another process has changed the catalog: here it is done too, queries and all. */
ErrCode engine_catalog_refresh(Weir *weir, Err *err);

/* -- datagen_show.c ------------------------------------------------------------------------- */

void engine_show_quickstarts(Call *call);
/* "datagen orders, seed 1, 12 of 1000 rows, running", of a generated source. */
void engine_put_generated(Weir *weir, const Source *source, Buf *text);
void engine_tell_generated(Call *call, const Source *source); /* as a message, where it is one */

/* -- topic.c ----------------------------------------------------------------------------------- */

/* What topics are to keep has changed. */
void engine_retention_refresh(Weir *weir);

/* Adds the deletion of a topic, and of what the catalog has of it, to a commit; nothing is logged
 * to it any more. engine_topic_hide(): afterwards, when the commit is there. */
void engine_topic_delete(Weir *weir, const LogTopic *topic, Commit *commit);
void engine_topic_hide(Weir *weir, const LogTopic *topic);

/* -- push.c ------------------------------------------------------------------------------------ */

/* A push query is there from here on, until push_forget(): SHOW QUERIES and TERMINATE see it. */
void push_register(Weir *weir, WeirResult *result);
void push_forget(WeirResult *result); /* where it is there */
/* Calls show for each, which must not take long. */
void push_each(Weir *weir, void (*show)(void *context, const CatalogQuery *query), void *context);
/* Ends the one of this id, in any case; NULL: all. false: there is none. */
bool push_cancel(Weir *weir, const char *id);

/* -- Shared ------------------------------------------------------------------------------------ */

/* CANCELLED after weir_interrupt(). */
ErrCode engine_interrupted(const Call *call, Err *err);

void engine_notice(Weir *weir, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Progress of a long statement: whether it is to be told now (*told_us: of the last time, 0 at the
 * start; over: in any case), and telling it. */
bool engine_tells(const Weir *weir, bool over, int64_t *told_us);
void engine_tell(const Weir *weir, const WeirWork *work);
PlannerHost engine_host(Weir *weir);

/* A topic whose name is like the statement's; NULL: none is. */
const char *engine_nearest_topic(const Call *call);

/* The source of this name, or UNKNOWN_NAME in ksqlDB's words with a hint. */
ErrCode engine_find_source(Weir *weir, const char *name, AstPos pos, const Source **source,
                           Err *err);

/* Whether a query reads or writes a topic. */
bool engine_query_uses(const CatalogQuery *query, const char *topic);

/* Whether the source is in its FROM; whether it writes it; whether `other` is in the FROM of the
 * query that made the source. */
bool engine_query_reads(const CatalogQuery *query, const char *source);
bool engine_query_writes(const CatalogQuery *query, const char *source);
bool engine_source_reads(const Source *source, const char *other);

/* "RUNNING", "PAUSED", "ERROR", ...; figures are zero for a query that does not run. */
const char *show_query_state(const CatalogQuery *query, const QueryFigures *figures);
/* Why it is in ERROR, or what it waits for: "message (USER); ..."; nothing where it runs. */
void show_query_reason(Buf *out, const Weir *weir, const CatalogQuery *query,
                       const QueryFigures *figures);

/* Prints "Q_1, F(INTEGER)": the queries and functions that use a user's function; false: none. */
bool engine_function_users(Weir *weir, const UserFunction *function, Buf *out);

/* Starts a query of the catalog; on failure it stays there with start_error. */
ErrCode engine_start_query(Weir *weir, CatalogQuery *query, Err *err);

/* Stops it and removes state, internal topics and catalog entry, in one commit with what `commit`
 * has already; the commit is used up. */
ErrCode engine_end_query(Weir *weir, CatalogQuery *query, Commit *commit, Err *err);

/* Waits for the queries that feed `topic`, and the ones that feed them. */
ErrCode engine_catch_up_topic(Weir *weir, const char *topic, int64_t timeout_ms, Err *err);

/* The same for what a query keeps of `topic`: of its own sink, or, of a source table, of what
 * others write. */
ErrCode engine_catch_up_query(Weir *weir, const CatalogQuery *query, const char *topic,
                              int64_t timeout_ms, Err *err);

/* Adds "line L:C: " and the picture of err's position to its message, where it has a position and
 * no picture yet. `start`: of the statement in the script (which may begin in the middle of a text:
 * the line of its first byte is what `start` says). */
void engine_add_caret(Err *err, Bytes script, AstPos start);

#endif
