/* command_record.c - see command_impl.h. */
#include "kafka/command_impl.h"

#include <assert.h>
#include <inttypes.h>

#include "base/reader.h"

enum { COMMAND_VERSION = 1 };

static const uint8_t key_head[] = {'c', 'o', 'm', 'm', 'a', 'n', 'd'};

void command_record_key(uint64_t nonce, uint8_t key[COMMAND_KEY_SIZE]) {
    memcpy(key, key_head, sizeof key_head);
    for (size_t i = sizeof key_head; i < COMMAND_KEY_SIZE; i++)
        key[i] = (uint8_t)(nonce >> (8 * (i - sizeof key_head)));
}

bool command_record_is(const LogRecord *record) {
    return record->key.data && record->key.size == COMMAND_KEY_SIZE &&
           memcmp(record->key.data, key_head, sizeof key_head) == 0;
}

/* What is wrong with the rest; NULL: nothing. */
static const char *command_rest(Reader *reader, Command *command) {
    assert(command->kind == COMMAND_SERVICE || command->kind == COMMAND_CHANGE);
    if (command->kind == COMMAND_SERVICE) {
        command->slots = reader_u32_le(reader);
        if (!reader_ok(reader) || reader_left(reader) > 0)
            return "of a wrong size";
        return command->slots == 0 || command->slots > COMMAND_SLOTS_MAX
                   ? "of a wrong number of slots" : NULL;
    }
    uint64_t size = reader_varint(reader);
    if (!reader_ok(reader) || size > reader_left(reader))
        return "of a statement that is cut off";
    command->statement = reader_bytes(reader, (uint32_t)size);
    command->change = (Bytes){reader->next, reader_left(reader)};
    return NULL;
}

/* The same of all of it. */
static const char *command_parts(Reader *reader, const LogRecord *record, Command *command) {
    uint8_t key[COMMAND_KEY_SIZE];
    assert(record->offset >= 0);
    command->kind = reader_u8(reader);
    command->based_on = (int64_t)reader_u64_le(reader);
    command->author = reader_bytes(reader, AUTHOR_SIZE);
    command->nonce = reader_u64_le(reader);
    if (!reader_ok(reader))
        return "cut off";
    if (command->kind != COMMAND_SERVICE && command->kind != COMMAND_CHANGE)
        return "of an unknown kind";
    if (command->based_on < -1 || command->based_on >= record->offset)
        return "based on a command that is not before it";
    command_record_key(command->nonce, key);
    if (command->nonce == 0 || memcmp(key, record->key.data, sizeof key) != 0)
        return "of another key";
    return command_rest(reader, command);
}

ErrCode command_record_decode(const char *topic, const LogRecord *record, Command *command,
                              Err *err) {
    assert(command_record_is(record));
    Reader reader = reader_of(record->value);
    *command = (Command){0};
    uint8_t version = record->value.size > 0 ? reader_u8(&reader) : 0;
    if (version > COMMAND_VERSION)
        return err_set(err, ERR_CORRUPT,
                       "Topic %s, partition 0, offset %" PRId64 ": a command of version %u, and "
                       "this Weir knows version %d: it was written by a newer one, or not by Weir",
                       topic, record->offset, version, COMMAND_VERSION);
    const char *wrong = version == 0 ? "without a version"
                                     : command_parts(&reader, record, command);
    if (!wrong)
        return ERR_OK;
    return err_set(err, ERR_CORRUPT,
                   "Topic %s, partition 0, offset %" PRId64 ": a command is %s; statements of "
                   "the service cannot be told without it",
                   topic, record->offset, wrong);
}

void command_record_encode(const Command *command, Buf *value) {
    assert(command->author.size == AUTHOR_SIZE && command->nonce != 0);
    buf_u8(value, COMMAND_VERSION);
    buf_u8(value, command->kind);
    buf_u64_le(value, (uint64_t)command->based_on);
    buf_bytes(value, command->author);
    buf_u64_le(value, command->nonce);
    if (command->kind == COMMAND_SERVICE) {
        buf_u32_le(value, command->slots);
        return;
    }
    buf_varint(value, command->statement.size);
    buf_bytes(value, command->statement);
    buf_bytes(value, command->change); /* or it is appended */
}
