/*
 * io_library.h - shared objects of users, from one folder and no other place.
 *
 * The folder belongs to the process: it is said once, by who starts it, and never by SQL.
 */
#ifndef BASE_IO_LIBRARY_H
#define BASE_IO_LIBRARY_H

#include "base/err.h"

/* Says where libraries may come from; a second folder is refused (SEMANTIC). NOT_FOUND where there
 * is no such folder, SEMANTIC where others may write to it. */
ErrCode io_library_allow(const char *folder, Err *err);

/* The folder, or NULL where none was said. */
const char *io_library_folder(void);

/* The address of a symbol of the file `name` in the folder. The file must be a plain one, no link,
 * not writable by others; `name` is no path. Libraries stay loaded. SEMANTIC: not allowed;
 * NOT_FOUND: no such file or symbol. */
ErrCode io_library_symbol(const char *name, const char *symbol, void **address, Err *err);

#endif
