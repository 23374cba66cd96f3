/*
 * url_impl.h - the inside of the URL functions: the parts of a URI as java.net.URI finds them.
 */
#ifndef UDF_URL_IMPL_H
#define UDF_URL_IMPL_H

#include "udf/function_impl.h"

/* Parts as they are written; data NULL: there is none. All borrow the text. */
typedef struct Url {
    Bytes scheme, host, path, query, fragment;
    int32_t port; /* -1: none */
} Url;

/* RFC 2396 with Java's deviations: characters beyond ASCII where %XX may stand, an empty
 * authority before a path. false: not a URI. */
bool url_parse(Bytes text, Url *url);

#endif
