/*
 * catalog_impl.h - what catalog.c and catalog_load.c share: entries shown from their stored form.
 */
#ifndef ENGINE_CATALOG_IMPL_H
#define ENGINE_CATALOG_IMPL_H

#include "engine/catalog.h"

ErrCode catalog_show_source_json(Catalog *catalog, Bytes json, Err *err);
ErrCode catalog_show_type_text(Catalog *catalog, Bytes name, Bytes text, Err *err);
ErrCode catalog_show_topic_bytes(Catalog *catalog, Bytes id, Bytes value, Err *err);
ErrCode catalog_show_function_json(Catalog *catalog, Bytes json, Err *err);

#endif
