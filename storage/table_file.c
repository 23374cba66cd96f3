/* table_file.c - see table_file_impl.h. */
#include "storage/table_file_impl.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/reader.h"

enum {
    TABLE_WRITE_BYTES = 256 << 10, /* in one write */
    TABLE_BLOCK_HEAD = 8,          /* of a block: entry count, entry bytes */
    TABLE_ALIGN = 4096,            /* of writes past the page cache: nobody reads the file soon */
};

char *table_path(const char *folder, uint64_t id) {
    assert(id > 0);
    Buf buf = {0};
    buf_printf(&buf, "%s/tables/%016llx.tab", folder, (unsigned long long)id);
    char *path = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    return path;
}

/* == Writing ================================================================================== */

ErrCode table_writer_open(TableWriter *writer, Io *io, const char *folder, uint64_t id, Err *err) {
    assert(id > 0);
    assert(folder);
    *writer = (TableWriter){.io = io, .id = id, .folder = mem_strdup(folder)};
    char *path = table_path(folder, id);
    ErrCode code = io->ops->open(io, path, IO_DIRECT, &writer->file, err);
    if (code == ERR_OK) /* a crash may have left one */
        code = writer->file->ops->resize(writer->file, 0, err);
    mem_free(path);
    assert(code != ERR_OK || writer->file);
    return code;
}

static void put_sum(Buf *buf) {
    assert(buf->size > 0);
    buf_u64_le(buf, hash_bytes(buf_view(buf)));
}

void table_writer_head(TableWriter *writer, uint64_t lsn) {
    assert(writer->file);
    assert(writer->offset == 0);
    assert(writer->out.size == 0);
    buf_u32_le(&writer->out, TABLE_MAGIC);
    buf_u32_le(&writer->out, TABLE_VERSION);
    buf_u64_le(&writer->out, writer->id);
    buf_u64_le(&writer->out, lsn);
    put_sum(&writer->out);
    assert(writer->out.size == TABLE_HEAD_SIZE);
}

/* Writes whole sectors, and what is left when it is the end. */
static ErrCode table_flush(TableWriter *writer, bool end, Err *err) {
    assert(writer->file);
    assert(writer->offset % TABLE_ALIGN == 0);
    IoFile *file = writer->file;
    Buf *out = &writer->out;
    if (!end && out->size < TABLE_WRITE_BYTES)
        return ERR_OK;
    uint32_t rest = (uint32_t)(out->size % TABLE_ALIGN), whole = (uint32_t)out->size - rest;
    if (whole > 0)
        TRY(file->ops->write(file, writer->offset, (Bytes){out->data, whole}, err));
    writer->offset += whole;
    memmove(out->data, out->data + whole, rest);
    out->size = rest;
    if (!end || rest == 0)
        return ERR_OK;
    TRY(file->ops->write(file, writer->offset, buf_view(out), err));
    writer->offset += rest;
    buf_reset(out);
    return ERR_OK;
}

static ErrCode table_end_block(TableWriter *writer, Err *err) {
    assert(writer->file);
    if (writer->block_entries == 0)
        return ERR_OK;
    assert(writer->block_start <= writer->out.size);
    Buf *out = &writer->out, *index = &writer->index;
    size_t start = writer->block_start;
    uint32_t head[2] = {writer->block_entries, (uint32_t)(out->size - start - TABLE_BLOCK_HEAD)};
    for (uint32_t i = 0; i < TABLE_BLOCK_HEAD; i++)
        out->data[start + i] = (uint8_t)(head[i / 4] >> 8 * (i % 4));
    uint64_t sum = hash_bytes((Bytes){out->data + start, (uint32_t)(out->size - start)});
    buf_u64_le(out, sum);
    buf_u64_le(index, writer->offset + start);
    buf_u32_le(index, (uint32_t)(out->size - start));
    buf_u64_le(index, sum);
    buf_u32_le(index, (uint32_t)writer->last_key.size);
    buf_bytes(index, buf_view(&writer->last_key));
    writer->blocks++;
    writer->entries += writer->block_entries;
    writer->block_entries = 0;
    return table_flush(writer, false, err);
}

ErrCode table_writer_add(TableWriter *writer, const TableEntry *entry, Err *err) {
    assert(writer->file);
    assert(entry->key.size >= 4);
    bool range = entry->kind == TABLE_REMOVE_RANGE;
    bool after_range = writer->block_kind == TABLE_REMOVE_RANGE;
    if (after_range && !range)
        TRY(table_end_block(writer, err));
    assert(!range || after_range || writer->entries + writer->block_entries == 0);
    assert(range || after_range || writer->entries + writer->block_entries == 0 ||
           bytes_compare(buf_view(&writer->last_key), entry->key) < 0);
    Buf *block = &writer->out;
    if (writer->block_entries == 0) {
        writer->block_start = block->size;
        buf_u64_le(block, 0); /* the head, when the block ends */
    }
    buf_u8(block, (uint8_t)entry->kind);
    buf_varint(block, entry->key.size);
    buf_varint(block, entry->value.size);
    buf_bytes(block, entry->key);
    buf_bytes(block, entry->value);
    buf_reset(&writer->last_key);
    buf_bytes(&writer->last_key, entry->key);
    writer->block_kind = entry->kind;
    writer->block_entries++;
    size_t size = block->size - writer->block_start - TABLE_BLOCK_HEAD;
    return size >= TABLE_BLOCK_BYTES ? table_end_block(writer, err) : ERR_OK;
}

ErrCode table_writer_finish(TableWriter *writer, TableRef *ref, Err *err) {
    assert(writer->file);
    assert(ref);
    TRY(table_end_block(writer, err));
    Buf index = {0}, footer = {0};
    buf_u32_le(&index, writer->blocks);
    buf_bytes(&index, buf_view(&writer->index));
    buf_u64_le(&footer, writer->offset + writer->out.size);
    buf_u64_le(&footer, index.size);
    buf_u64_le(&footer, hash_bytes(buf_view(&index)));
    buf_u64_le(&footer, writer->entries);
    buf_u64_le(&footer, writer->id);
    buf_u32_le(&footer, TABLE_VERSION);
    buf_u32_le(&footer, TABLE_MAGIC);
    ref->sum = hash_bytes(buf_view(&footer));
    buf_u64_le(&footer, ref->sum);
    assert(footer.size == TABLE_FOOTER_SIZE);
    buf_bytes(&writer->out, buf_view(&index));
    buf_bytes(&writer->out, buf_view(&footer));
    buf_free(&index);
    buf_free(&footer);
    TRY(table_flush(writer, true, err));
    TRY(writer->file->ops->sync(writer->file, err));
    ref->id = writer->id;
    ref->size = writer->offset;
    writer->file->ops->close(writer->file);
    writer->file = NULL;
    Buf path = {0};
    buf_printf(&path, "%s/tables", writer->folder);
    ErrCode code = writer->io->ops->sync_folder(writer->io, buf_cstr(&path), err);
    buf_free(&path);
    return code;
}

void table_writer_close(TableWriter *writer) {
    assert(!writer->file || writer->id > 0);
    if (writer->file) {
        Err ignored; /* what stays is removed at the next start */
        char *path = table_path(writer->folder, writer->id);
        writer->file->ops->close(writer->file);
        (void)!writer->io->ops->remove(writer->io, path, &ignored);
        mem_free(path);
    }
    buf_free(&writer->out);
    buf_free(&writer->index);
    buf_free(&writer->last_key);
    mem_free(writer->folder);
    *writer = (TableWriter){0};
}

/* == Reading ================================================================================== */

typedef struct TableReader {
    const char *path;
    IoFile *file;
    const TableRef *ref;
    Buf bytes;
    TableEntryFn *each;
    void *context;
    uint64_t entries;
    Err *err;
} TableReader;

static ErrCode table_damaged(const TableReader *table, uint64_t offset, const char *what) {
    return err_set(table->err, ERR_CORRUPT, "%s: offset %llu: damaged %s", table->path,
                   (unsigned long long)offset, what);
}

/* Reads a part, which is valid memory until the next part. */
static ErrCode table_part(TableReader *table, uint64_t offset, uint64_t size, const char *what) {
    assert(table->file);
    if (offset > table->ref->size || size > table->ref->size - offset || size > UINT32_MAX)
        return table_damaged(table, offset, what);
    buf_reset(&table->bytes);
    uint32_t got;
    TRY(table->file->ops->read(table->file, offset, buf_room(&table->bytes, (size_t)size),
                               (uint32_t)size, &got, table->err));
    table->bytes.size = got;
    return got == size ? ERR_OK : table_damaged(table, offset, what);
}

/* An entry that is not whole has kind 0. */
static TableEntry table_next_entry(Reader *reader) {
    uint8_t kind = reader_u8(reader);
    uint32_t key_size = (uint32_t)reader_varint(reader);
    uint32_t value_size = (uint32_t)reader_varint(reader);
    Bytes key = reader_bytes(reader, key_size);
    Bytes value = reader_bytes(reader, value_size);
    bool known = kind == TABLE_PUT || kind == TABLE_REMOVE || kind == TABLE_REMOVE_RANGE;
    if (!reader_ok(reader) || !known || key.size < 4)
        return (TableEntry){0};
    return (TableEntry){(TableEntryKind)kind, key, value};
}

static ErrCode table_read_block(TableReader *table, uint64_t offset, uint32_t size, uint64_t sum) {
    assert(table->each);
    TRY(table_part(table, offset, size, "block"));
    if (size < 16)
        return table_damaged(table, offset, "block");
    Reader tail = reader_of((Bytes){table->bytes.data + size - 8, 8});
    if (reader_u64_le(&tail) != sum || hash_bytes((Bytes){table->bytes.data, size - 8}) != sum)
        return table_damaged(table, offset, "block");
    Reader reader = reader_of((Bytes){table->bytes.data, size - 8});
    uint32_t count = reader_u32_le(&reader);
    bool whole = reader_u32_le(&reader) == size - 16;
    for (uint32_t i = 0; i < count && reader_ok(&reader) && whole; i++) {
        TableEntry entry = table_next_entry(&reader);
        if (entry.kind == 0)
            return table_damaged(table, offset, "entry");
        table->entries++;
        TRY(table->each(table->context, &entry, table->err));
    }
    if (!whole || !reader_ok(&reader) || reader_left(&reader) > 0)
        return table_damaged(table, offset, "block");
    return ERR_OK;
}

static ErrCode table_read_index(TableReader *table, Bytes index) {
    Reader reader = reader_of(index);
    uint32_t count = reader_u32_le(&reader);
    for (uint32_t i = 0; i < count && reader_ok(&reader); i++) {
        uint64_t offset = reader_u64_le(&reader);
        uint32_t size = reader_u32_le(&reader);
        uint64_t sum = reader_u64_le(&reader);
        (void)reader_bytes(&reader, reader_u32_le(&reader));
        if (reader_ok(&reader))
            TRY(table_read_block(table, offset, size, sum));
    }
    return reader_ok(&reader) && reader_left(&reader) == 0 ? ERR_OK
                                                           : table_damaged(table, 0, "index");
}

static ErrCode table_read_parts(TableReader *table) {
    assert(table->file);
    assert(table->entries == 0);
    const TableRef *ref = table->ref;
    if (ref->size < TABLE_HEAD_SIZE + TABLE_FOOTER_SIZE)
        return table_damaged(table, 0, "length");
    TRY(table_part(table, 0, TABLE_HEAD_SIZE, "head"));
    Reader head = reader_of((Bytes){table->bytes.data, TABLE_HEAD_SIZE});
    bool good = reader_u32_le(&head) == TABLE_MAGIC && reader_u32_le(&head) == TABLE_VERSION;
    good = good && reader_u64_le(&head) == ref->id;
    (void)reader_u64_le(&head);
    if (!good || reader_u64_le(&head) != hash_bytes((Bytes){table->bytes.data, 24}))
        return table_damaged(table, 0, "head");
    uint64_t footer_at = ref->size - TABLE_FOOTER_SIZE;
    TRY(table_part(table, footer_at, TABLE_FOOTER_SIZE, "footer"));
    Reader footer = reader_of(buf_view(&table->bytes));
    uint64_t index_at = reader_u64_le(&footer), index_size = reader_u64_le(&footer);
    uint64_t index_sum = reader_u64_le(&footer), entries = reader_u64_le(&footer);
    (void)reader_u64_le(&footer);
    bool same_version = reader_u32_le(&footer) == TABLE_VERSION;
    bool same_magic = reader_u32_le(&footer) == TABLE_MAGIC;
    uint64_t sum = reader_u64_le(&footer);
    if (sum != ref->sum || sum != hash_bytes((Bytes){table->bytes.data, TABLE_FOOTER_SIZE - 8}) ||
        !same_version || !same_magic)
        return table_damaged(table, footer_at, "footer");
    TRY(table_part(table, index_at, index_size, "index"));
    if (hash_bytes(buf_view(&table->bytes)) != index_sum)
        return table_damaged(table, index_at, "index");
    Buf index = table->bytes;
    table->bytes = (Buf){0};
    ErrCode code = table_read_index(table, buf_view(&index));
    buf_free(&index);
    TRY(code);
    return table->entries == entries ? ERR_OK : table_damaged(table, footer_at, "entry count");
}

ErrCode table_read(Io *io, const char *folder, const TableRef *ref, TableEntryFn *each,
                   void *context, Err *err) {
    assert(each);
    assert(ref->id > 0);
    char *path = table_path(folder, ref->id);
    TableReader table = {
        .path = path, .ref = ref, .each = each, .context = context, .err = err};
    ErrCode code = io->ops->open(io, path, IO_READ, &table.file, err);
    if (code == ERR_NOT_FOUND)
        code = err_set(err, ERR_CORRUPT, "%s: the checkpoint names it, but it is missing", path);
    if (code == ERR_OK) {
        code = table_read_parts(&table);
        table.file->ops->close(table.file);
    }
    buf_free(&table.bytes);
    mem_free(path);
    return code;
}
