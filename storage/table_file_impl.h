/*
 * table_file_impl.h - a sorted file of keys and values: the whole state as of one LSN, or what
 * changed from there to another.
 *
 *   table := head block* index footer                      little-endian; sums are XXH3-64
 *   head  := magic "WTB1" u32, version u32, file id u64, lsn u64, sum of these u64
 *   block := entry count u32, entry bytes u32, entry*, sum of all before in the block u64
 *   entry := kind u8, key size varint, value size varint, key, value
 *            1 put; 3 remove: no value; 4 remove a range: the value is its end, of size 0: none
 *   index := block count u32, {offset u64, size u32, the block's sum u64, last key size u32,
 *            last key}*
 *   footer:= index offset u64, index size u64, index sum u64, entry count u64, file id u64,
 *            version u32, magic "WTB1" u32, sum of these u64
 *
 * Keys are store id (u32 big-endian) and bytes. Ranges come first, in blocks of their own; then all
 * others, strictly increasing. The footer's sum stands in the checkpoint and covers, through the
 * index, every byte. Written whole by a checkpoint, never changed; kind 2 is kept for puts with
 * expiry.
 */
#ifndef STORAGE_TABLE_FILE_IMPL_H
#define STORAGE_TABLE_FILE_IMPL_H

#include "base/buf.h"
#include "base/io.h"
#include "storage/manifest_impl.h"

enum {
    TABLE_MAGIC = 0x31425457, /* "WTB1" */
    TABLE_VERSION = 1,
    TABLE_HEAD_SIZE = 32,
    TABLE_FOOTER_SIZE = 56,
    TABLE_BLOCK_BYTES = 16 << 10, /* then a block is closed */
};

typedef enum TableEntryKind {
    TABLE_PUT = 1,
    TABLE_REMOVE = 3,
    TABLE_REMOVE_RANGE = 4,
} TableEntryKind;

typedef struct TableEntry {
    TableEntryKind kind;
    Bytes key, value; /* of a range: where it begins and ends */
} TableEntry;

typedef struct TableWriter {
    Io *io;
    char *folder; /* of table files */
    IoFile *file;
    uint64_t id, offset;  /* offset: of what is in `out` */
    Buf out;              /* whole blocks that are not written yet, then the open one */
    size_t block_start;   /* in `out`: of the open block's head */
    Buf index, last_key;
    uint32_t block_entries, blocks;
    TableEntryKind block_kind; /* of its last entry */
    uint64_t entries;
} TableWriter;

/* folder: of the data; the file is <folder>/tables/<id>.tab. */
ErrCode table_writer_open(TableWriter *writer, Io *io, const char *folder, uint64_t id, Err *err);
void table_writer_head(TableWriter *writer, uint64_t lsn);
/* Ranges first; other keys come in order. */
ErrCode table_writer_add(TableWriter *writer, const TableEntry *entry, Err *err);
/* Syncs file and folder. */
ErrCode table_writer_finish(TableWriter *writer, TableRef *ref, Err *err);
/* Follows every open(); a file that is not finished is removed. */
void table_writer_close(TableWriter *writer);

/* Called for each entry, in the file's order. */
typedef ErrCode TableEntryFn(void *context, const TableEntry *entry, Err *err);

/* Reads a whole table. CORRUPT, with file and offset, when a byte is not what was written. */
ErrCode table_read(Io *io, const char *folder, const TableRef *ref, TableEntryFn *each,
                   void *context, Err *err);

char *table_path(const char *folder, uint64_t id); /* mem_free() */

#endif
