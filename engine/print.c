/*
 * print.c - see print.h.
 *
 * Up to PRINT_ROWS_MAX records are taken together: first all of them are looked at, then they are
 * written, so a format that the last one rules out is not used for the first one either.
 */
#include "engine/print.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"
#include "data/column.h"
#include "data/time_text.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "grammar/parse.h"
#include "storage/log.h"
#include "storage/record_batch.h"

enum {
    PRINT_ROWS_MAX = 500,        /* at once */
    PRINT_BYTES_MAX = 1 << 20,   /* and about so many bytes of them */
    PRINT_FETCH_BYTES = 64 << 10,
    PRINT_LOOK_US = 20000,
    PRINT_HEADERS_MAX = 256,
    DAY_MS = 86400000,
};

/* One partition being read. */
typedef struct PrintPart {
    TopicPartition where;
    int64_t offset; /* of the next record to be read */
    LogBlock *block;
    Bytes rest; /* batches of the block not begun */
    RecordIter iter;
    int64_t batch_end; /* the offset behind it */
    bool has_head;
    LogRecord head; /* read, not taken */
} PrintPart;

typedef struct PrintRow {
    LogRecord record; /* bytes in the arena */
    uint32_t partition;
} PrintRow;

struct Print {
    Storage *storage;
    PrintOptions options;
    PrintPart *parts;
    PrintFormat key, value;
    Buf told_key, told_value; /* what print_formats() said last */
    int64_t polled, shown;
    int64_t gone; /* records that retention dropped in front of us */
    Arena *arena; /* of the rows */
    PrintRow *rows;
    uint32_t row_count;
    _Atomic bool cancelled;
};

static const SchemaColumn print_columns[] = {
    {"ROWTIME", &type_bigint, COLUMN_VALUE, NULL},
    {"KEY", &type_string, COLUMN_VALUE, NULL},
    {"VALUE", &type_string, COLUMN_VALUE, NULL},
    {"PARTITION", &type_int, COLUMN_VALUE, NULL},
    {"OFFSET", &type_bigint, COLUMN_VALUE, NULL},
    {"HEADERS", &type_string, COLUMN_VALUE, NULL},
};
enum { PRINT_COLUMN_COUNT = sizeof print_columns / sizeof print_columns[0] };
static const Schema print_rows_schema = {print_columns, PRINT_COLUMN_COUNT, 0};

const Schema *print_schema(const Print *print) {
    assert(print);
    (void)print;
    return &print_rows_schema;
}

ErrCode print_new(Storage *storage, const PrintOptions *options, Print **print, Err *err) {
    assert(options->interval > 0);
    Print *made = mem_alloc(sizeof *made);
    made->storage = storage;
    made->options = *options;
    made->key = print_format_new(true);
    made->value = print_format_new(false);
    made->arena = arena_new("print", 0);
    made->parts = mem_array(options->topic.partition_count, sizeof *made->parts);
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < options->topic.partition_count && code == ERR_OK; i++) {
        PrintPart *part = &made->parts[i];
        int64_t start, end;
        part->where = (TopicPartition){options->topic.id, i};
        code = log_offsets_now(storage, part->where, &start, &end, err);
        if (code == ERR_OK)
            part->offset = options->from_beginning ? start : end;
    }
    if (code == ERR_OK)
        *print = made;
    else
        print_free(made);
    return code;
}

void print_free(Print *print) {
    if (!print)
        return;
    for (uint32_t i = 0; i < print->options.topic.partition_count; i++)
        if (print->parts[i].block)
            log_block_unref(print->parts[i].block);
    mem_free(print->parts);
    buf_free(&print->told_key);
    buf_free(&print->told_value);
    arena_free(print->arena);
    mem_free(print);
}

void print_cancel(Print *print) {
    atomic_store(&print->cancelled, true);
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* Goes over what the log has dropped meanwhile. */
static ErrCode part_fetch(Print *print, PrintPart *part, Err *err) {
    int64_t start, end;
    if (part->block)
        log_block_unref(part->block);
    part->block = NULL;
    part->rest = (Bytes){NULL, 0};
    if (log_offsets(print->storage, part->where, &start, &end, err) != ERR_OK)
        return err_set(err, ERR_NOT_FOUND, "Topic %s is gone.", print->options.topic.name);
    if (part->offset < start) {
        print->gone += start - part->offset;
        part->offset = start;
    }
    if (part->offset >= end)
        return ERR_OK;
    ErrCode code = log_fetch(print->storage, part->where, part->offset, PRINT_FETCH_BYTES,
                             &part->block, err);
    if (code == ERR_NOT_FOUND) /* dropped between the two calls: the next look goes over it */
        return ERR_OK;
    TRY(code);
    if (part->block)
        part->rest = log_block_bytes(part->block);
    return ERR_OK;
}

/* Makes part->head the next record, where there is one. */
static ErrCode part_load(Print *print, PrintPart *part, Err *err) {
    for (bool fetched = false; !part->has_head;) {
        uint32_t size;
        if (record_iter_next(&part->iter, &part->head)) {
            part->has_head = part->head.offset >= part->offset;
            continue;
        }
        if (part->offset < part->batch_end)
            part->offset = part->batch_end; /* over what others' markers take */
        if (part->rest.size > 0) {
            TRY(record_batch_size(part->rest, &size, err));
            part->batch_end = record_batch_end(part->rest);
            record_iter_init(&part->iter, (Bytes){part->rest.data, size});
            part->rest = (Bytes){part->rest.data + size, part->rest.size - size};
        } else if (!fetched) {
            fetched = true;
            TRY(part_fetch(print, part, err));
        } else {
            return ERR_OK;
        }
    }
    return ERR_OK;
}

/* The part whose record is the next in time; NULL: none is there. */
static ErrCode print_next_part(Print *print, PrintPart **next, Err *err) {
    *next = NULL;
    for (uint32_t i = 0; i < print->options.topic.partition_count; i++) {
        PrintPart *part = &print->parts[i];
        TRY(part_load(print, part, err));
        if (part->has_head && (!*next || part->head.timestamp < (*next)->head.timestamp))
            *next = part;
    }
    return ERR_OK;
}

static bool print_is_over(const Print *print) {
    return print->options.limit >= 0 && print->shown >= print->options.limit;
}

static Bytes print_keep(Print *print, Bytes bytes) {
    if (!bytes.data)
        return bytes;
    return (Bytes){(const uint8_t *)arena_text(print->arena, bytes), bytes.size};
}

/* What is there now, up to a chunk. */
static ErrCode print_collect(Print *print, Err *err) {
    uint64_t bytes = 0;
    arena_reset(print->arena);
    print->rows = arena_array(print->arena, PRINT_ROWS_MAX, sizeof *print->rows);
    print->row_count = 0;
    while (print->row_count < PRINT_ROWS_MAX && bytes < PRINT_BYTES_MAX && !print_is_over(print)) {
        PrintPart *part;
        TRY(print_next_part(print, &part, err));
        if (!part)
            break;
        part->has_head = false;
        part->offset = part->head.offset + 1;
        if (print->polled++ % print->options.interval != 0)
            continue;
        PrintRow *row = &print->rows[print->row_count++];
        *row = (PrintRow){part->head, part->where.partition};
        row->record.key = print_keep(print, part->head.key);
        row->record.value = print_keep(print, part->head.value);
        row->record.headers = print_keep(print, part->head.headers);
        bytes += row->record.key.size + (uint64_t)row->record.value.size;
        print_format_see(&print->key, row->record.key);
        print_format_see(&print->value, row->record.value);
        print->shown++;
    }
    return ERR_OK;
}

uint64_t print_polled(const Print *print) {
    return (uint64_t)print->polled;
}

int64_t print_lag(const Print *print) {
    int64_t lag = 0, start, end;
    for (uint32_t i = 0; i < print->options.topic.partition_count; i++) {
        Err ignored;
        if (log_offsets(print->storage, print->parts[i].where, &start, &end, &ignored) == ERR_OK)
            lag += end - print->parts[i].offset;
    }
    return lag;
}

bool print_began_at_end(const Print *print) {
    return !print->options.from_beginning;
}

const char *print_topic(const Print *print) {
    return print->options.topic.name;
}

static void print_nap(void) {
    Lock lock;
    Signal signal;
    lock_init(&lock);
    signal_init(&signal);
    lock_take(&lock);
    signal_wait_for(&signal, &lock, PRINT_LOOK_US);
    lock_release(&lock);
    signal_close(&signal);
    lock_close(&lock);
}

/* -- Rows -------------------------------------------------------------------------------------- */

static void print_header_part(Bytes part, Buf *out) {
    PrintFormat format = print_format_new(false);
    print_format_see(&format, part);
    print_format_put(&format, part, out);
}

/* {k=v, k=<null>}; false: there are none. */
static bool print_headers(const PrintRow *row, Buf *out) {
    RecordHeader headers[PRINT_HEADERS_MAX];
    uint32_t count = 0;
    if (row->record.headers.data)
        count = record_headers_get(row->record.headers, headers, PRINT_HEADERS_MAX);
    if (count == 0)
        return false;
    buf_u8(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        buf_text(out, i > 0 ? ", " : "");
        print_header_part(headers[i].key, out);
        buf_u8(out, '=');
        print_header_part(headers[i].value, out);
    }
    buf_u8(out, '}');
    return true;
}

static Bytes print_cell(Print *print, const Buf *text) {
    return (Bytes){(const uint8_t *)arena_text(print->arena, buf_view(text)),
                   (uint32_t)text->size};
}

static void print_fill(Print *print, Column *const *columns) {
    Buf text = {0};
    for (uint32_t i = 0; i < print->row_count; i++) {
        const PrintRow *row = &print->rows[i];
        columns[0]->i64[i] = row->record.timestamp;
        columns[3]->i32[i] = (int32_t)row->partition;
        columns[4]->i64[i] = row->record.offset;
        for (uint32_t c = 0; c < PRINT_COLUMN_COUNT - 1; c++)
            if (c != 1 && c != 2)
                column_set_present(columns[c], i);
        const Bytes sides[] = {row->record.key, row->record.value};
        for (uint32_t side = 0; side < 2; side++) {
            if (!sides[side].data)
                continue;
            buf_reset(&text);
            print_format_put(side == 0 ? &print->key : &print->value, sides[side], &text);
            columns[1 + side]->bytes[i] = print_cell(print, &text);
            column_set_present(columns[1 + side], i);
        }
        buf_reset(&text);
        if (!print_headers(row, &text))
            continue;
        columns[5]->bytes[i] = print_cell(print, &text);
        column_set_present(columns[5], i);
    }
    buf_free(&text);
}

static void print_rows(Print *print, ResultRows *rows) {
    Column **columns = arena_array(print->arena, PRINT_COLUMN_COUNT, sizeof *columns);
    for (uint32_t i = 0; i < PRINT_COLUMN_COUNT; i++)
        columns[i] = column_new(print->arena, print_columns[i].type, print->row_count);
    print_fill(print, columns);
    *rows = (ResultRows){.schema = &print_rows_schema,
                         .columns = (const Column *const *)columns,
                         .count = print->row_count};
}

ErrCode print_take(Print *print, int64_t timeout_us, ResultRows *rows, bool *ended, Err *err) {
    assert(rows && ended);
    *rows = (ResultRows){.schema = &print_rows_schema};
    *ended = print_is_over(print);
    if (*ended)
        return ERR_OK;
    for (;; timeout_us -= PRINT_LOOK_US) {
        if (atomic_load(&print->cancelled))
            return err_set(err, ERR_CANCELLED, "PRINT was cancelled.");
        TRY(print_collect(print, err));
        if (print->row_count > 0 || timeout_us <= 0)
            break;
        print_nap();
    }
    if (print->row_count > 0)
        print_rows(print, rows);
    return ERR_OK;
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void print_tell(const char *what, const PrintFormat *format, Buf *told, Buf *out) {
    Buf names = {0};
    print_format_names(format, &names);
    if (names.size != told->size || memcmp(names.data, told->data, names.size) != 0) {
        buf_printf(out, "%s%s: %s", out->size > 0 ? "\n" : "", what, buf_cstr(&names));
        buf_reset(told);
        buf_bytes(told, buf_view(&names));
    }
    buf_free(&names);
}

void print_formats(Print *print, Buf *out) {
    if (print->gone > 0)
        buf_printf(out, "%lld record%s dropped by retention before PRINT came to them",
                   (long long)print->gone, print->gone == 1 ? " was" : "s were");
    print->gone = 0;
    print_tell("Key format", &print->key, &print->told_key, out);
    print_tell("Value format", &print->value, &print->told_value, out);
}

/* 2020/04/09 19:22:45.123 Z */
static void print_time(int64_t ms, Buf *out) {
    if (ms == -1) { /* Kafka's "no timestamp" */
        buf_text(out, "N/A");
        return;
    }
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0), of_day = ms - days * DAY_MS, year;
    uint32_t month, day;
    time_civil_from_days(days, &year, &month, &day);
    unsigned left = (unsigned)of_day;
    buf_printf(out, "%04lld/%02u/%02u %02u:%02u:%02u.%03u Z", (long long)year, month, day,
               left / 3600000, left / 60000 % 60, left / 1000 % 60, left % 1000);
}

void print_line(const Print *print, uint32_t row, Buf *out) {
    assert(row < print->row_count);
    const PrintRow *shown = &print->rows[row];
    Buf headers = {0};
    buf_text(out, "rowtime: ");
    print_time(shown->record.timestamp, out);
    buf_text(out, ", key: ");
    print_format_put(&print->key, shown->record.key, out);
    buf_text(out, ", value: ");
    print_format_put(&print->value, shown->record.value, out);
    buf_printf(out, ", partition: %u", shown->partition);
    if (print_headers(shown, &headers))
        buf_printf(out, ", headers: %s", buf_cstr(&headers));
    buf_free(&headers);
}

/* -- The statement ----------------------------------------------------------------------------- */

static ErrCode print_no_topic(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const Source *source = catalog_source(&call->weir->catalog, statement->name);
    const char *near = source ? source->topic.topic : engine_nearest_topic(call);
    return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line, statement->name_pos.column,
                      "Could not find topic '%s'. Names of topics are case-sensitive.%s%s%s",
                      statement->name, near ? "\nDid you mean PRINT '" : "", near ? near : "",
                      near ? "'?" : "");
}

ErrCode engine_print(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    PrintOptions options = {.from_beginning = statement->from_beginning,
                            .interval = statement->has_interval ? statement->interval : 1,
                            .limit = statement->has_limit ? statement->limit : -1};
    if (options.interval < 1)
        return err_set_at(err, ERR_SEMANTIC, statement->pos.line, statement->pos.column,
                          "INTERVAL of PRINT is a number of at least 1, not %lld",
                          (long long)options.interval);
    if (!log_topic_find(call->weir->storage, statement->name, &options.topic))
        return print_no_topic(call, err);
    TRY(print_new(call->weir->storage, &options, &call->result->print, err));
    call->result->schema = print_schema(call->result->print);
    call->result->visible_count = call->result->schema->column_count;
    return ERR_OK;
}
