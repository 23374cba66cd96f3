/*
 * generator_field.c - which recipe a column has: its kind's, or one for its name and type.
 */
#include <ctype.h>

#include "base/hash.h"
#include "data/number_text.h"
#include "engine/generator_impl.h"

/* A row of datagen.def: kind NULL: by name. */
typedef struct RecipeRow {
    const char *kind, *path, *types;
    Recipe recipe;
    double low, high;
    const char *text;
} RecipeRow;

static const RecipeRow recipe_rows[] = {
#define DATAGEN_KIND(name, rows, per_second, start, help)
#define DATAGEN_LIST(name, text)
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)                           \
    {kind, name, NULL, RECIPE_##recipe, low, high, text},
#define DATAGEN_FIELD(kind, path, recipe, low, high, text)                                        \
    {kind, path, NULL, RECIPE_##recipe, low, high, text},
#define DATAGEN_NAME(word, types, recipe, low, high, text)                                        \
    {NULL, word, types, RECIPE_##recipe, low, high, text},
#include "planner/datagen.def"
#undef DATAGEN_LIST
};

static const struct ListRow {
    const char *name, *text;
} list_rows[] = {
#undef DATAGEN_COLUMN
#undef DATAGEN_FIELD
#undef DATAGEN_NAME
#define DATAGEN_COLUMN(kind, name, type, role, recipe, low, high, text)
#define DATAGEN_FIELD(kind, path, recipe, low, high, text)
#define DATAGEN_NAME(word, types, recipe, low, high, text)
#define DATAGEN_LIST(name, text) {name, text},
#include "planner/datagen.def"
};

enum {
    RECIPE_ROWS = sizeof recipe_rows / sizeof *recipe_rows,
    LIST_ROWS = sizeof list_rows / sizeof *list_rows,
};

/* -- Alternatives ------------------------------------------------------------------------------ */

/* "b*9": the weight behind a '*', at the end. */
static uint32_t choice_weight(Bytes *text) {
    int64_t weight;
    uint32_t star = text->size;
    while (star > 0 && text->data[star - 1] != '*')
        star--;
    Bytes digits = {text->data + star, text->size - star};
    if (star == 0 || digits.size == 0 || !number_parse_i64(digits, &weight))
        return 1;
    assert(weight > 0);
    text->size = star - 1;
    return (uint32_t)weight;
}

static Choice choice_read(Arena *arena, const char *text) {
    Choice choice = {.count = 1};
    for (const char *at = text; *at; at++)
        choice.count += *at == '|';
    Bytes *texts = arena_array(arena, choice.count, sizeof *texts);
    uint32_t *weights = arena_array(arena, choice.count, sizeof *weights);
    for (uint32_t i = 0; i < choice.count; i++) {
        size_t size = strcspn(text, "|");
        texts[i] = (Bytes){(const uint8_t *)text, (uint32_t)size};
        choice.weight += choice_weight(&texts[i]);
        weights[i] = choice.weight;
        text += size + 1;
    }
    choice.texts = texts;
    choice.weights = weights;
    return choice;
}

const Choice *generator_list(const Generator *generator, Bytes name) {
    for (uint32_t i = 0; i < LIST_ROWS; i++)
        if (bytes_equal(bytes_of(list_rows[i].name), name))
            return &generator->lists[i];
    return NULL;
}

/* -- Recipes ----------------------------------------------------------------------------------- */

static char type_letter(const Type *type) {
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return 'B';
    case TYPE_STRING:
    case TYPE_BYTES:
        return 'T';
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return 'D';
    default:
        return 'N';
    }
}

/* Whether a column's name is the word, ends in it behind '_', or (word "*X") just ends in X. */
static bool name_fits(const char *name, const char *word) {
    bool anywhere = *word == '*';
    word += anywhere;
    size_t size = strlen(name), tail = strlen(word);
    if (size < tail || strcmp(name + size - tail, word) != 0)
        return false;
    return anywhere || size == tail || name[size - tail - 1] == '_';
}

static const RecipeRow *recipe_of(const Generator *generator, const char *path, const Type *type) {
    const char *dot = strrchr(path, '.');
    const char *name = dot ? dot + 1 : path;
    const char *kind = generator->datagen->kind;
    for (uint32_t i = 0; i < RECIPE_ROWS; i++) {
        const RecipeRow *row = &recipe_rows[i];
        bool fits = row->kind ? kind && strcmp(row->kind, kind) == 0 && strcmp(row->path, path) == 0
                              : strchr(row->types, type_letter(type)) && name_fits(name, row->path);
        if (fits)
            return row;
    }
    assert(0 && "each type has a row for any name");
    return NULL;
}

/* Of the columns of its kind, which one. */
static uint32_t column_slot(const RecipeRow *row) {
    uint32_t slot = 0;
    while (row > recipe_rows && row[-1].kind && strcmp(row[-1].kind, row->kind) == 0) {
        row--;
        slot++;
    }
    assert(slot < NEXMARK_VALUES_MAX || row->recipe != RECIPE_NEXMARK);
    return slot;
}

static const TimePattern *field_pattern(Arena *arena, const char *text) {
    const TimePattern *pattern = NULL;
    Err err;
    if (!*text)
        return NULL;
    ErrCode code = time_pattern_new(bytes_of(text), arena, &pattern, &err);
    assert(code == ERR_OK);
    return code == ERR_OK ? pattern : NULL;
}

static void field_recipe(Generator *generator, Field *field, const RecipeRow *row) {
    field->recipe = row->recipe;
    field->low = row->low;
    field->high = row->high;
    field->digits = isdigit((unsigned char)*row->text) ? (uint32_t)(*row->text - '0') : 0;
    if (row->recipe == RECIPE_TEXT || row->recipe == RECIPE_KEYED || row->recipe == RECIPE_HOME ||
        row->recipe == RECIPE_CODE)
        field->choice = choice_read(generator->arena, row->text);
    if (row->recipe == RECIPE_TIME)
        field->pattern = field_pattern(generator->arena, row->text);
    if (row->recipe == RECIPE_NEXMARK)
        field->slot = column_slot(row);
}

static void field_init(Generator *generator, Field *field, const char *path, const Type *type);

static void field_struct(Generator *generator, Field *field, Field *children, const char *path) {
    for (uint32_t i = 0; i < field->child_count; i++) {
        const TypeField *inner = &field->type->fields[i];
        field_init(generator, &children[i],
                   arena_printf(generator->arena, "%s.%s", path, inner->name), inner->type);
    }
}

/* The keys are always the same: those of contacts, or a, b and c. */
static void field_map(Generator *generator, Field *field, Field *children, const char *path) {
    static const char *const plain[] = {"a", "b", "c"};
    static const char *const contact[] = {"phone", "city", "state", "zipcode"};
    static const char *const names[] = {"PHONE", "CITY", "STATE", "ZIPCODE"};
    bool is_contact = field->child_count > 3;
    field->keys = is_contact ? contact : plain;
    for (uint32_t i = 0; i < field->child_count; i++) {
        const char *inner = is_contact ? arena_printf(generator->arena, "%s.%s", path, names[i])
                                       : path;
        field_init(generator, &children[i], inner, field->type->fields[1].type);
        children[i].salt += i;
    }
}

static void field_children(Generator *generator, Field *field, const char *path) {
    const Type *type = field->type;
    field->child_count = type->kind == TYPE_STRUCT        ? type->field_count
                         : type->kind == TYPE_ARRAY       ? 1
                         : strstr(path, "CONTACT") == NULL ? 3
                                                          : 4;
    Field *children = arena_array(generator->arena, field->child_count, sizeof *children);
    if (type->kind == TYPE_STRUCT)
        field_struct(generator, field, children, path);
    else if (type->kind == TYPE_MAP)
        field_map(generator, field, children, path);
    else
        field_init(generator, children, path, type->fields[0].type);
    field->children = children;
}

static void field_init(Generator *generator, Field *field, const char *path, const Type *type) {
    Arena *arena = generator->arena;
    const char *dot = strrchr(path, '.');
    char *name = arena_strdup(arena, dot ? dot + 1 : path);
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    field->type = type;
    field->name = name;
    field->salt = hash_bytes(bytes_of(path));
    if (type_is_nested(type))
        field_children(generator, field, path);
    else
        field_recipe(generator, field, recipe_of(generator, path, type));
}

static bool column_is_of_kind(const Generator *generator, const char *name) {
    const char *kind = generator->datagen->kind;
    for (uint32_t i = 0; kind && i < RECIPE_ROWS; i++) {
        const RecipeRow *row = &recipe_rows[i];
        if (row->kind && strcmp(row->kind, kind) == 0 && strcmp(row->path, name) == 0)
            return true;
    }
    return false;
}

void generator_fields(Generator *generator, const Source *source) {
    const Schema *schema = schema_copy(generator->arena, source->topic.schema);
    Choice *lists = arena_array(generator->arena, LIST_ROWS, sizeof *lists);
    for (uint32_t i = 0; i < LIST_ROWS; i++)
        lists[i] = choice_read(generator->arena, list_rows[i].text);
    generator->lists = lists;
    generator->field_count = schema->column_count;
    generator->key_count = schema->key_count;
    generator->fields = arena_array(generator->arena, schema->column_count, sizeof(Field));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        Field *field = &generator->fields[i];
        field_init(generator, field, column->name, column->type);
        field->counts = source->is_table && column->role == COLUMN_KEY &&
                        !column_is_of_kind(generator, column->name);
    }
}
