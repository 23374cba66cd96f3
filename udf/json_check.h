/*
 * json_check.h - whether a text is JSON as the JSON functions take it.
 */
#ifndef UDF_JSON_CHECK_H
#define UDF_JSON_CHECK_H

#include <stdbool.h>

#include "base/bytes.h"

/* Jackson's tree reader takes it: its first value is whole (what follows is not looked at), or
 * there is only white space. The text is UTF-8. */
bool json_check_text(Bytes text);

#endif
