/*
 * test_case.c - see test_case.h.
 *
 * query: statements, inputs, then the queries one after the other. rest: all statements but
 * SELECT, inputs, queries, then each SELECT; where a case says so, they are begun before the
 * inputs come.
 */
#include "cli/test_case_impl.h"

#include "base/base64.h"
#include "base/hash.h"
#include "engine/value_text.h"
#include "storage/record_batch.h"

static void case_put_error(Buf *out, uint32_t statement, const Err *err) {
    buf_printf(out, "{\"statement\":%u,\"code\":\"%s\",\"message\":", statement,
               err_name(err->code));
    value_json_string(out, bytes_of(err->message));
    buf_u8(out, '}');
}

static ErrCode case_settings(Testkit *kit, const JsonNode *test, Err *err) {
    const JsonNode *properties = json_node_member(test, "properties");
    for (const JsonNode *p = properties ? properties->first : NULL; p; p = p->next) {
        Err ignored; /* unknown properties and odd values of a case are ignored */
        Buf value = {0};
        buf_bytes(&value, p->kind == JSON_STRING ? p->text : p->raw);
        ErrCode code = engine_set(testkit_weir(kit), p->name, buf_cstr(&value), &ignored);
        buf_free(&value);
        if (code == ERR_STORAGE_FAILED)
            return err_set(err, code, "%s", ignored.message);
    }
    return ERR_OK;
}

static ErrCode case_topics(Testkit *kit, const JsonNode *test, Err *err) {
    const JsonNode *topics = json_node_member(test, "topics");
    for (const JsonNode *t = topics ? topics->first : NULL; t; t = t->next) {
        int64_t partitions = json_node_integer(json_node_member(t, "partitions"), 1);
        const char *name = json_node_text(json_node_member(t, "name"));
        if (name)
            TRY(testkit_topic(kit, name, (uint32_t)partitions, err));
    }
    return ERR_OK;
}

static Bytes case_base64(Bytes text, Arena *arena) {
    uint32_t size;
    uint8_t *bytes = arena_raw(arena, base64_room(text.size));
    return base64_parse(text, bytes, &size) ? (Bytes){bytes, size} : (Bytes){NULL, 0};
}

static Bytes case_headers(const JsonNode *list, Arena *arena) {
    RecordHeader headers[64];
    uint32_t count = 0;
    if (!list || list->kind != JSON_ARRAY)
        return (Bytes){NULL, 0};
    for (const JsonNode *h = list->first; h && count < 64; h = h->next) {
        const JsonNode *key = json_node_member(h, "KEY"), *value = json_node_member(h, "VALUE");
        headers[count].key = key && key->kind == JSON_STRING ? key->text : (Bytes){NULL, 0};
        headers[count].value = (Bytes){NULL, 0};
        if (value && value->kind == JSON_STRING)
            headers[count].value = case_base64(value->text, arena);
        count++;
    }
    Buf encoded = {0};
    record_headers_put(&encoded, headers, count);
    Bytes copy = arena_bytes(arena, buf_view(&encoded));
    buf_free(&encoded);
    return copy;
}

static Bytes case_tree(const JsonNode *node) {
    return node && node->kind != JSON_NULL ? node->raw : (Bytes){NULL, 0};
}

static int64_t case_integer(const JsonNode *object, const char *name) {
    return json_node_integer(json_node_member(object, name), 0);
}

static ErrCode case_inputs(Testkit *kit, const JsonNode *test, Arena *arena, Err *err) {
    const JsonNode *inputs = json_node_member(test, "inputs");
    for (const JsonNode *i = inputs ? inputs->first : NULL; i; i = i->next) {
        const JsonNode *window = json_node_member(i, "window");
        const char *type = json_node_text(json_node_member(window, "type"));
        TestkitRecord record = {.topic = json_node_text(json_node_member(i, "topic")),
                                .key = case_tree(json_node_member(i, "key")),
                                .value = case_tree(json_node_member(i, "value")),
                                .timestamp = case_integer(i, "timestamp"),
                                .window_start = case_integer(window, "start"),
                                .window_end = case_integer(window, "end"),
                                .headers = case_headers(json_node_member(i, "headers"), arena)};
        record.window = !type ? '\0' : type[0] == 's' || type[0] == 'S' ? 's' : 't';
        if (!record.topic)
            return err_set(err, ERR_INTERNAL, "an input has no topic");
        TRY(testkit_append(kit, &record, false, err));
    }
    return ERR_OK;
}

/* -- The two suites ---------------------------------------------------------------------------- */

ErrCode case_begin(CaseRun *run, Err *err) {
    run->statement = 0;
    TRY(case_settings(run->kit, run->test, err));
    return case_topics(run->kit, run->test, err);
}

static bool case_is_rest(const JsonNode *test) {
    const char *suite = json_node_text(json_node_member(test, "suite"));
    return suite && strcmp(suite, "rest") == 0;
}

/* Statement by statement: those that are no queries (queries false), or only the queries, each
 * answered when `answer` is set and otherwise begun. `results` has room for all statements. */
typedef struct CasePass {
    bool queries, ask, answer;
    WeirResult **results;
} CasePass;

static void case_comma(Buf *out) {
    if (out->size > 0)
        buf_u8(out, ',');
}

static ErrCode case_pass_one(CaseRun *run, const CasePass *pass, const char *sql, Err *err) {
    WeirResult **result = &pass->results[run->statement];
    if (!*result && pass->ask)
        TRY(testkit_ask(run->kit, sql, result, err));
    if (!pass->answer || !*result)
        return ERR_OK;
    Buf text = {0};
    ErrCode code = ERR_OK;
    bool has = true;
    if (pass->queries)
        code = testkit_answer_query(run->kit, *result, &text, err);
    else
        has = testkit_answer_admin(*result, &text);
    if (has) {
        case_comma(&run->responses);
        buf_bytes(&run->responses, buf_view(&text));
    }
    buf_free(&text);
    weir_result_free(*result);
    *result = NULL;
    return code;
}

static ErrCode case_pass(CaseRun *run, const CasePass *pass, Err *err) {
    const JsonNode *statements = json_node_member(run->test, "statements");
    uint32_t count = 0;
    for (const JsonNode *s = statements ? statements->first : NULL; s; s = s->next) {
        const char *sql = (const char *)s->text.data;
        run->statement = count++;
        if (testkit_is_query(sql) == pass->queries)
            TRY(case_pass_one(run, pass, sql, err));
    }
    return ERR_OK;
}

ErrCode case_prepare(CaseRun *run, Err *err) {
    CasePass others = {.ask = true, .answer = true, .results = run->results};
    TRY(case_begin(run, err));
    if (case_is_rest(run->test))
        return case_pass(run, &others, err);
    uint32_t count = 0;
    const JsonNode *statements = json_node_member(run->test, "statements");
    for (const JsonNode *s = statements ? statements->first : NULL; s; s = s->next) {
        run->statement = count++;
        TRY(testkit_execute(run->kit, (const char *)s->text.data, NULL, err));
    }
    return ERR_OK;
}

bool case_asks_first(const JsonNode *test) {
    const JsonNode *wait = json_node_member(json_node_member(test, "inputConditions"),
                                            "waitForActivePushQuery");
    return wait && wait->kind == JSON_BOOLEAN && bytes_equal(wait->raw, bytes_of("true"));
}

ErrCode case_feed(CaseRun *run, Err *err) {
    CasePass begin = {.queries = true, .ask = true, .results = run->results};
    if (case_asks_first(run->test))
        TRY(case_pass(run, &begin, err));
    return case_inputs(run->kit, run->test, run->arena, err);
}

ErrCode case_finish(CaseRun *run, Err *err) {
    uint32_t query;
    TRY(testkit_run_queries(run->kit, &query, err));
    if (!case_is_rest(run->test))
        return ERR_OK;
    CasePass answer = {.queries = true, .ask = !case_asks_first(run->test), .answer = true,
                       .results = run->results};
    return case_pass(run, &answer, err);
}

static uint32_t case_statement_count(const JsonNode *test) {
    const JsonNode *statements = json_node_member(test, "statements");
    uint32_t count = 0;
    for (const JsonNode *s = statements ? statements->first : NULL; s; s = s->next)
        count++;
    return count;
}

ErrCode case_open(CaseRun *run, const TestkitOptions *options, Err *err) {
    run->statement_count = case_statement_count(run->test);
    run->results = arena_array(run->arena, run->statement_count, sizeof *run->results);
    return testkit_new(options, &run->kit, err);
}

void case_close(CaseRun *run) {
    for (uint32_t i = 0; run->results && i < run->statement_count; i++)
        weir_result_free(run->results[i]);
    buf_free(&run->responses);
    testkit_free(run->kit);
}

void case_put(const CaseRun *run, ErrCode code, const Err *err, Buf *out) {
    Buf topics = {0};
    Err own;
    buf_text(out, "{\"id\":");
    const JsonNode *id = json_node_member(run->test, "id");
    buf_bytes(out, id ? id->raw : bytes_of("null"));
    if (code == ERR_OK) {
        code = testkit_topics_json(run->kit, &topics, &own);
        err = &own;
    }
    buf_text(out, ",\"error\":");
    if (code != ERR_OK) {
        case_put_error(out, run->statement, err);
    } else {
        buf_text(out, "null,\"topics\":");
        buf_bytes(out, buf_view(&topics));
        buf_text(out, ",\"sources\":");
        testkit_sources_json(run->kit, out);
        buf_text(out, ",\"responses\":[");
        buf_bytes(out, buf_view(&run->responses));
        buf_u8(out, ']');
    }
    buf_u8(out, '}');
    buf_free(&topics);
}

/* A service of the case's own, where its topics are in a cluster. */
static const char *case_service(const JsonNode *id, Arena *arena) {
    Buf name = {0};
    buf_printf(&name, "case_%016llx_",
               (unsigned long long)hash_bytes(id ? id->raw : bytes_of("")));
    const char *text = arena_text(arena, buf_view(&name));
    buf_free(&name);
    return text;
}

void test_case_result(const TestCasesOptions *options, const JsonNode *test, Arena *arena,
                      Buf *out) {
    if (options->restart_folder) {
        test_case_restarted(options, test, arena, out);
        return;
    }
    const JsonNode *id = json_node_member(test, "id");
    TestkitOptions kit_options = {.step_rows = options->step_rows,
                                  .conformance = true,
                                  .kafka = options->kafka,
                                  .kafka_service = case_service(id, arena)};
    CaseRun run = {.test = test, .arena = arena};
    Err err;
    ErrCode code;
    TRY_DONE(case_open(&run, &kit_options, &err));
    TRY_DONE(case_prepare(&run, &err));
    TRY_DONE(case_feed(&run, &err));
    TRY_DONE(case_finish(&run, &err));
done:
    case_put(&run, code, &err, out);
    case_close(&run);
}
