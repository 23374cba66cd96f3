/*
 * suggest.c - a ready CREATE STREAM for a file or a topic that nobody has described.
 *
 * The first rows are read (of a file its first bytes, of standard input what is there) and their
 * types guessed (guess.h). Bytes taken from standard input are given back for who reads it next.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/io_input.h"
#include "engine/engine_impl.h"
#include "engine/guess.h"
#include "engine/result_impl.h"
#include "engine/row_reader.h"
#include "storage/log.h"
#include "storage/record_batch.h"

enum {
    SUGGEST_BYTES_MAX = 1 << 20,
    SUGGEST_READ_BYTES = 1 << 16,
    SUGGEST_WAIT_MS = 100, /* for more of what comes slowly */
    SUGGEST_COLUMNS_MAX = 1024,
};

typedef struct Suggest {
    Weir *weir;
    Arena *arena;
    const char *what;
    const char *name; /* of the stream; NULL: from `what` */
    Guess *guess;
    Buf head; /* of a file */
} Suggest;

/* -- Reading ----------------------------------------------------------------------------------- */

static bool suggest_has_line(const Buf *head) {
    return head->size > 0 && memchr(head->data, '\n', head->size);
}

/* The first bytes. Waits for a whole line, not for a thousand. */
static ErrCode suggest_read(Suggest *suggest, IoInput *input, Err *err) {
    uint32_t got = 1;
    while (got > 0 && suggest->head.size < SUGGEST_BYTES_MAX) {
        if (suggest_has_line(&suggest->head) && !io_input_ready(input, SUGGEST_WAIT_MS))
            break;
        TRY(io_input_read(input, buf_room(&suggest->head, SUGGEST_READ_BYTES), SUGGEST_READ_BYTES,
                          &got, err));
        suggest->head.size += got;
    }
    return ERR_OK;
}

/* The next line without its end; false: there is none. A last one that was cut counts only where
 * it is the only one. */
static bool suggest_line(Bytes *left, Bytes *line, bool first) {
    if (left->size == 0)
        return false;
    const uint8_t *end = memchr(left->data, '\n', left->size);
    if (!end && !first)
        return false;
    uint32_t size = end ? (uint32_t)(end - left->data) : left->size;
    *line = (Bytes){left->data, size};
    size += end != NULL;
    *left = (Bytes){left->data + size, left->size - size};
    return true;
}

static ErrCode suggest_ndjson(Suggest *suggest, Err *err) {
    Bytes left = buf_view(&suggest->head), line;
    const JsonNode *node;
    for (uint32_t i = 0; i < GUESS_ROWS_MAX && suggest_line(&left, &line, i == 0); i++) {
        Err ignored;
        if (json_tree_parse(line, suggest->arena, &node, &ignored) == ERR_OK)
            guess_row(suggest->guess, node);
    }
    if (guess_rows(suggest->guess) == 0)
        return err_set(err, ERR_FORMAT, "'%s' has no JSON object in its first lines.",
                       suggest->what);
    return ERR_OK;
}

/* Names of the head line of csv; quotes are taken off. */
static uint32_t suggest_csv_names(Suggest *suggest, Bytes line, const char **names) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < line.size && count < SUGGEST_COLUMNS_MAX; at++) {
        Buf name = {0};
        bool quoted = line.data[at] == '"';
        for (at += quoted; at < line.size; at++) {
            uint8_t byte = line.data[at];
            bool doubled = quoted && byte == '"' && at + 1 < line.size && line.data[at + 1] == '"';
            if (!doubled && byte == (quoted ? '"' : ','))
                break;
            at += doubled;
            if (byte != '\r')
                buf_u8(&name, byte);
        }
        while (at < line.size && line.data[at] != ',')
            at++;
        names[count++] = arena_text(suggest->arena, buf_view(&name));
        buf_free(&name);
    }
    return count;
}

static ErrCode suggest_csv_rows(Suggest *suggest, const Schema *schema, const char **names,
                                Err *err) {
    Bytes text = buf_view(&suggest->head);
    while (text.size > 0 && text.data[text.size - 1] != '\n')
        text.size--;
    RowReaderOptions options = {.schema = schema, .format = ROW_FORMAT_CSV, .header = true,
                                .skip_errors = true, .text = text, .name = suggest->what};
    RowReader *reader = NULL;
    RowChunk chunk;
    Bytes *cells = arena_array(suggest->arena, schema->column_count, sizeof *cells);
    bool more = true;
    ErrCode code = row_reader_new(&options, &reader, err);
    while (code == ERR_OK && more && guess_rows(suggest->guess) < GUESS_ROWS_MAX) {
        code = row_reader_next(reader, &chunk, &more, err);
        for (uint32_t row = 0; code == ERR_OK && row < chunk.count; row++) {
            for (uint32_t i = 0; i < schema->column_count; i++)
                cells[i] = !column_is_null(chunk.columns[i], row) ? chunk.columns[i]->bytes[row]
                                                                    : (Bytes){0};
            guess_texts(suggest->guess, names, cells, schema->column_count);
        }
    }
    row_reader_free(reader);
    return code;
}

static ErrCode suggest_csv(Suggest *suggest, Err *err) {
    Bytes left = buf_view(&suggest->head), line;
    const char **names = arena_array(suggest->arena, SUGGEST_COLUMNS_MAX, sizeof *names);
    uint32_t count = suggest_line(&left, &line, true) ? suggest_csv_names(suggest, line, names) : 0;
    if (count == 0)
        return err_set(err, ERR_FORMAT, "'%s' has no first line that names its columns.",
                       suggest->what);
    SchemaColumn *columns = arena_array(suggest->arena, count, sizeof *columns);
    for (uint32_t i = 0; i < count; i++)
        columns[i] = (SchemaColumn){.name = names[i], .type = &type_string, .role = COLUMN_VALUE};
    Schema schema = {.columns = columns, .column_count = count};
    return suggest_csv_rows(suggest, &schema, names, err);
}

/* -- Topics ------------------------------------------------------------------------------------ */

static void suggest_batch(Suggest *suggest, Bytes batch) {
    RecordIter iter;
    LogRecord record;
    const JsonNode *node;
    record_iter_init(&iter, batch);
    while (guess_rows(suggest->guess) < GUESS_ROWS_MAX && record_iter_next(&iter, &record)) {
        Err ignored;
        if (record.value.data &&
            json_tree_parse(record.value, suggest->arena, &node, &ignored) == ERR_OK)
            guess_row(suggest->guess, node);
    }
}

static ErrCode suggest_partition(Suggest *suggest, TopicPartition where, Err *err) {
    int64_t offset, end;
    LogBlock *block;
    TRY(log_offsets_now(suggest->weir->storage, where, &offset, &end, err));
    TRY(log_fetch_wait(suggest->weir->storage, where, offset, SUGGEST_BYTES_MAX, &block, err));
    if (!block)
        return ERR_OK;
    ErrCode code = ERR_OK;
    uint32_t size;
    for (Bytes left = log_block_bytes(block); code == ERR_OK && left.size > 0;
         left = (Bytes){left.data + size, left.size - size}) {
        code = record_batch_size(left, &size, err);
        if (code == ERR_OK)
            suggest_batch(suggest, (Bytes){left.data, size});
    }
    log_block_unref(block);
    return code;
}

static ErrCode suggest_topic(Suggest *suggest, const LogTopic *topic, Err *err) {
    for (uint32_t i = 0; i < topic->partition_count; i++)
        TRY(suggest_partition(suggest, (TopicPartition){topic->id, i}, err));
    if (guess_rows(suggest->guess) == 0)
        return err_set(err, ERR_FORMAT,
                       "The first records of topic '%s' are no JSON objects: say what they are "
                       "with CREATE STREAM.",
                       topic->name);
    return ERR_OK;
}

/* -- The statement ----------------------------------------------------------------------------- */

/* "data/My flights.ndjson" is MY_FLIGHTS; what begins with a digit gets a '_'; "-" is INPUT. */
static const char *suggest_name(const Suggest *suggest) {
    const char *slash = strrchr(suggest->what, '/');
    const char *base = slash ? slash + 1 : suggest->what;
    Buf name = {0};
    if (suggest->name || strcmp(suggest->what, "-") == 0)
        return suggest->name ? suggest->name : "INPUT";
    if (isdigit((unsigned char)*base))
        buf_u8(&name, '_');
    for (; *base && (*base != '.' || name.size == 0); base++) {
        bool fits = isalnum((unsigned char)*base) != 0 && (unsigned char)*base < 0x80;
        buf_u8(&name, (uint8_t)(fits ? toupper((unsigned char)*base) : '_'));
    }
    const char *text = arena_text(suggest->arena, buf_view(&name));
    buf_free(&name);
    return *text ? text : "ROWS";
}

static bool suggest_is_csv(const Suggest *suggest) {
    const char *point = strrchr(suggest->what, '.');
    if (point && strcasecmp(point, ".csv") == 0)
        return true;
    const char *head = (const char *)suggest->head.data;
    return strcmp(suggest->what, "-") == 0 && head[strspn(head, " \t\r\n")] != '{';
}

static ErrCode suggest_file(Suggest *suggest, bool *is_csv, Err *err) {
    IoInput *input;
    TRY(io_input_open(suggest->what, &input, err));
    ErrCode code = suggest_read(suggest, input, err);
    if (strcmp(suggest->what, "-") == 0)
        io_input_give_back(buf_view(&suggest->head));
    io_input_close(input);
    TRY(code);
    (void)buf_cstr(&suggest->head);
    *is_csv = suggest_is_csv(suggest);
    return *is_csv ? suggest_csv(suggest, err) : suggest_ndjson(suggest, err);
}

static ErrCode suggest_all(Suggest *suggest, WeirResult *result, Err *err) {
    LogTopic topic;
    bool is_csv = false, is_topic = log_topic_find(suggest->weir->storage, suggest->what, &topic);
    if (is_topic)
        TRY(suggest_topic(suggest, &topic, err));
    else
        TRY(suggest_file(suggest, &is_csv, err));
    const char *name = suggest_name(suggest);
    GuessStatement statement = {.name = name, .topic = is_topic ? topic.name : name,
                                .format = "JSON", .is_text = is_csv};
    Buf text = {0};
    guess_print(suggest->guess, &statement, &text);
    result_message(result, "%s", buf_cstr(&text));
    buf_free(&text);
    return ERR_OK;
}

WeirStatus weir_suggest(Weir *weir, const char *what, const char *name, WeirResult **result,
                        WeirError *error) {
    assert(weir && what && result);
    Suggest suggest = {.weir = weir, .arena = arena_new("suggest", 0), .what = what, .name = name};
    Err err;
    suggest.guess = guess_new(suggest.arena);
    *result = result_new(weir);
    ErrCode code = suggest_all(&suggest, *result, &err);
    buf_free(&suggest.head);
    arena_free(suggest.arena);
    if (code == ERR_OK)
        return WEIR_OK;
    weir_result_free(*result);
    *result = NULL;
    result_error(error, &err, 0);
    return WEIR_FAILED;
}
