/* manifest.c - see manifest_impl.h. */
#include "storage/manifest_impl.h"

#include <assert.h>

#include "base/hash.h"
#include "base/reader.h"

void manifest_encode(const Manifest *manifest, Buf *target) {
    assert(target);
    assert(manifest->table_count <= MANIFEST_TABLES_MAX);
    size_t start = target->size;
    assert(manifest->generation > 0);
    assert(manifest->epoch >> EPOCH_SHIFT <= manifest->generation);
    buf_u32_le(target, MANIFEST_MAGIC);
    buf_u32_le(target, MANIFEST_VERSION);
    buf_u64_le(target, manifest->generation);
    buf_u64_le(target, manifest->epoch);
    buf_u64_le(target, manifest->redo_seq);
    buf_u64_le(target, manifest->redo_lsn);
    buf_u64_le(target, manifest->redo_sum);
    buf_u64_le(target, (uint64_t)manifest->wall_ms);
    buf_u64_le(target, manifest->next_file_id);
    buf_u32_le(target, manifest->next_id);
    buf_u32_le(target, manifest->table_count);
    for (uint32_t i = 0; i < manifest->table_count; i++) {
        assert(manifest->tables[i].id > 0 && manifest->tables[i].size > 0);
        buf_u64_le(target, manifest->tables[i].id);
        buf_u64_le(target, manifest->tables[i].size);
        buf_u64_le(target, manifest->tables[i].sum);
    }
    Bytes summed = {target->data + start, (uint32_t)(target->size - start)};
    buf_u64_le(target, hash_bytes(summed));
}

bool manifest_decode(Bytes bytes, Manifest *manifest) {
    assert(manifest);
    Reader reader = reader_of(bytes);
    if (reader_u32_le(&reader) != MANIFEST_MAGIC || reader_u32_le(&reader) != MANIFEST_VERSION)
        return false;
    *manifest = (Manifest){0};
    manifest->generation = reader_u64_le(&reader);
    manifest->epoch = reader_u64_le(&reader);
    manifest->redo_seq = reader_u64_le(&reader);
    manifest->redo_lsn = reader_u64_le(&reader);
    manifest->redo_sum = reader_u64_le(&reader);
    manifest->wall_ms = (int64_t)reader_u64_le(&reader);
    manifest->next_file_id = reader_u64_le(&reader);
    manifest->next_id = reader_u32_le(&reader);
    uint32_t tables = reader_u32_le(&reader);
    if (tables > MANIFEST_TABLES_MAX)
        return false;
    manifest->table_count = tables;
    for (uint32_t i = 0; i < tables; i++) {
        manifest->tables[i].id = reader_u64_le(&reader);
        manifest->tables[i].size = reader_u64_le(&reader);
        manifest->tables[i].sum = reader_u64_le(&reader);
    }
    uint32_t size = MANIFEST_FIXED_SIZE + tables * MANIFEST_TABLE_SIZE;
    uint64_t sum = reader_u64_le(&reader);
    return reader_ok(&reader) && sum == hash_bytes((Bytes){bytes.data, size}) &&
           manifest->generation > 0;
}

bool manifest_names(const Manifest *manifest, uint64_t table_id) {
    assert(manifest->table_count <= MANIFEST_TABLES_MAX);
    for (uint32_t i = 0; i < manifest->table_count; i++)
        if (manifest->tables[i].id == table_id)
            return true;
    return false;
}

uint64_t manifest_table_bytes(const Manifest *manifest) {
    assert(manifest->table_count <= MANIFEST_TABLES_MAX);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < manifest->table_count; i++)
        bytes += manifest->tables[i].size;
    return bytes;
}

static void slot_path(Buf *path, const char *folder, uint64_t generation) {
    assert(folder[0] != '\0');
    buf_reset(path);
    buf_printf(path, "%s/ckpt/%c", folder, generation % 2 == 1 ? 'A' : 'B');
}

static ErrCode slot_read(Io *io, const char *path, Manifest *best, Err *err) {
    assert(best);
    IoFile *file;
    ErrCode code = io->ops->open(io, path, IO_READ, &file, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(code);
    for (uint64_t copy = 0; copy < 2 && code == ERR_OK; copy++) {
        uint8_t bytes[MANIFEST_COPY_SIZE];
        uint32_t got;
        Manifest manifest;
        code = file->ops->read(file, copy * MANIFEST_COPY_AT, bytes, sizeof bytes, &got, err);
        if (code == ERR_OK && manifest_decode((Bytes){bytes, got}, &manifest) &&
            manifest.generation > best->generation)
            *best = manifest;
    }
    file->ops->close(file);
    return code;
}

ErrCode manifest_read(Io *io, const char *folder, Manifest *manifest, Err *err) {
    assert(folder && manifest);
    assert(io);
    *manifest = (Manifest){.next_id = 1, .next_file_id = 1};
    Buf path = {0};
    ErrCode code = ERR_OK;
    for (uint64_t slot = 0; slot < 2 && code == ERR_OK; slot++) {
        slot_path(&path, folder, slot);
        code = slot_read(io, buf_cstr(&path), manifest, err);
    }
    buf_free(&path);
    return code;
}

/* Writes copies [first, 2) of the manifest's slot and syncs. */
static ErrCode slot_write(Io *io, const char *folder, const Manifest *manifest, uint64_t first,
                          Err *err) {
    assert(first < 2);
    assert(manifest->generation > 0);
    Buf path = {0}, copy = {0};
    IoFile *file = NULL;
    ErrCode code = ERR_OK;
    slot_path(&path, folder, manifest->generation);
    manifest_encode(manifest, &copy);
    assert(copy.size <= MANIFEST_COPY_SIZE);
    size_t padding = MANIFEST_COPY_SIZE - copy.size;
    memset(buf_room(&copy, padding), 0, padding);
    copy.size += padding;
    TRY_DONE(io->ops->open(io, buf_cstr(&path), IO_WRITE, &file, err));
    for (uint64_t i = first; i < 2; i++)
        TRY_DONE(file->ops->write(file, i * MANIFEST_COPY_AT, buf_view(&copy), err));
    TRY_DONE(file->ops->sync(file, err));
done:
    if (file)
        file->ops->close(file);
    buf_free(&path);
    buf_free(&copy);
    return code;
}

ErrCode manifest_write(Io *io, const char *folder, const Manifest *manifest, Err *err) {
    return slot_write(io, folder, manifest, 0, err);
}

ErrCode manifest_confirm(Io *io, const char *folder, const Manifest *manifest, Err *err) {
    assert(manifest);
    return manifest->generation == 0 ? ERR_OK : slot_write(io, folder, manifest, 1, err);
}

ErrCode manifest_make(Io *io, const char *folder, Err *err) {
    assert(folder[0] != '\0');
    Buf path = {0};
    ErrCode code = ERR_OK;
    for (uint64_t slot = 0; slot < 2; slot++) {
        IoFile *file;
        slot_path(&path, folder, slot);
        TRY_DONE(io->ops->open(io, buf_cstr(&path), IO_WRITE, &file, err));
        code = file->ops->allocate(file, MANIFEST_COPY_AT + MANIFEST_COPY_SIZE, err);
        file->ops->close(file);
        TRY_DONE(code);
    }
done:
    buf_free(&path);
    return code;
}
