/* datagen_show.c - generated sources and quickstarts in words: SHOW, DESCRIBE. */
#include "engine/engine_impl.h"
#include "engine/result_impl.h"

static const struct KindRow {
    const char *name, *help;
} kind_rows[] = {
#define DATAGEN_KIND(name, rows, per_second, start, help) {name, help},
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)
#define DATAGEN_FIELD(kind, path, recipe, low, high, text)
#define DATAGEN_NAME(word, types, recipe, low, high, text)
#define DATAGEN_LIST(name, text)
#include "planner/datagen.def"
};

static const struct ColumnRow {
    const char *kind, *name, *type;
    ColumnRole role;
} column_rows[] = {
#undef DATAGEN_KIND
#undef DATAGEN_COLUMN
#define DATAGEN_KIND(name, rows, per_second, start, help)
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)                           \
    {kind, name, type, COLUMN_##role},
#include "planner/datagen.def"
};

enum {
    KIND_ROWS = sizeof kind_rows / sizeof *kind_rows,
    COLUMN_ROWS = sizeof column_rows / sizeof *column_rows,
};

void engine_show_quickstarts(Call *call) {
    static const char *const names[] = {"Quickstart", "Columns", "Help"};
    result_columns(call->result, names, 3);
    for (uint32_t i = 0; i < KIND_ROWS; i++) {
        Buf columns = {0};
        for (uint32_t k = 0; k < COLUMN_ROWS; k++) {
            const struct ColumnRow *row = &column_rows[k];
            if (strcmp(row->kind, kind_rows[i].name) == 0)
                buf_printf(&columns, "%s%s %s%s", columns.size > 0 ? ", " : "", row->name,
                           row->type, row->role == COLUMN_KEY ? " KEY" : "");
        }
        result_cell(call->result, kind_rows[i].name);
        result_cell(call->result, buf_cstr(&columns));
        result_cell(call->result, kind_rows[i].help);
        buf_free(&columns);
    }
}

static void put_state(const DatagenFigures *figures, Buf *text) {
    static const char *const states[] = {"running", "paused", "finished", "waits: "};
    buf_printf(text, ", %s%s", states[figures->state],
               figures->state == DATAGEN_ERROR ? figures->error.message : "");
}

void engine_put_generated(Weir *weir, const Source *source, Buf *text) {
    const Datagen *datagen = source->datagen;
    DatagenFigures figures;
    assert(datagen);
    buf_text(text, "datagen");
    if (datagen->kind)
        buf_printf(text, " %s", datagen->kind);
    buf_printf(text, ", seed %lld", (long long)datagen->seed);
    if (datagen->rows_per_second > 0)
        buf_printf(text, ", %lld a second", (long long)datagen->rows_per_second);
    if (!datagen_figures(weir->datagen, source->name, &figures)) {
        buf_text(text, ", stopped");
        return;
    }
    buf_printf(text, ", %lld", (long long)figures.rows);
    if (datagen->rows > 0)
        buf_printf(text, " of %lld", (long long)datagen->rows);
    buf_text(text, " rows");
    put_state(&figures, text);
}

void engine_tell_generated(Call *call, const Source *source) {
    if (!source->datagen)
        return;
    Buf text = {0};
    engine_put_generated(call->weir, source, &text);
    result_message(call->result, "%s is generated: %s.", source->name, buf_cstr(&text));
    buf_free(&text);
}
