/*
 * command_impl.h - a statement that changes the catalog, as a record of `_<id>-commands`.
 *
 *   key   := "command", nonce u64 le      (each its own: compaction would lose none)
 *   value := version u8 = 1, kind u8, based_on u64 le, author (16 bytes), nonce u64 le, rest
 *   kind 1, the service:  slots u32 le
 *   kind 2, a change:     size of the statement varint, its text, the commit (commit_save())
 *
 * A record with another key, or without one, is nobody's: it does not count.
 */
#ifndef KAFKA_COMMAND_IMPL_H
#define KAFKA_COMMAND_IMPL_H

#include "base/buf.h"
#include "kafka/positions_impl.h"

enum { COMMAND_SERVICE = 1, COMMAND_CHANGE = 2, COMMAND_SLOTS_MAX = 1024, COMMAND_KEY_SIZE = 15 };

typedef struct Command {
    uint8_t kind;
    int64_t based_on; /* offset of the last command that its author knew; -1: none */
    Bytes author;     /* AUTHOR_SIZE */
    uint64_t nonce;   /* not 0 */
    uint32_t slots;   /* SERVICE */
    Bytes statement;  /* CHANGE: text */
    Bytes change;     /* CHANGE: for commit_load() */
} Command;

void command_record_key(uint64_t nonce, uint8_t key[COMMAND_KEY_SIZE]);
bool command_record_is(const LogRecord *record);

/* Of a record that is a command; parts of it are borrowed. CORRUPT: what is wrong, and where in
 * `topic`. */
ErrCode command_record_decode(const char *topic, const LogRecord *record, Command *command,
                              Err *err);
void command_record_encode(const Command *command, Buf *value);

#endif
