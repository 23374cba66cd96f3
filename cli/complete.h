/*
 * complete.h - what could stand at the cursor: keywords, sources, columns, functions with their
 * signatures, topics, queries, settings, formats, files, commands of the shell.
 *
 * What is known comes from the engine by the statements that a user would type (SHOW ...,
 * DESCRIBE ...), so completion sees what the user would see, on any kind of engine.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/edit.h"
#include "engine/weir.h"

/* Fills *choices for the cursor (bytes) in `text`. */
void complete_sql(Weir *weir, const char *text, size_t cursor, EditChoices *choices);

#endif
