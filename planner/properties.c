/*
 * properties.c - the WITH clause: which properties there are, and what their values must be.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "data/number_text.h"
#include "planner/planner_impl.h"

typedef enum PropertyKind { PROPERTY_TEXT, PROPERTY_COUNT_1, PROPERTY_NUMBER, PROPERTY_FLAG }
    PropertyKind;

/* The short words of property.def. */
enum {
    C = PROPERTY_IN_CREATE,
    A = PROPERTY_IN_CREATE_AS,
    I = PROPERTY_IN_INSERT,
    X = PROPERTY_IN_EXTENSION,
    Y = PROPERTY_IN_EXTENSION_AS,
    KIND_TEXT = PROPERTY_TEXT,
    KIND_COUNT = PROPERTY_COUNT_1,
    KIND_NUMBER = PROPERTY_NUMBER,
    KIND_FLAG = PROPERTY_FLAG,
};

static const struct PropertyRow {
    const char *name;
    PropertyKind kind;
    unsigned where;
} property_rows[] = {
#define PROPERTY(name, kind, where) {#name, (PropertyKind)KIND_##kind, where},
#include "planner/property.def"
#undef PROPERTY
};

_Static_assert(sizeof property_rows / sizeof *property_rows <=
                   sizeof((Properties *)0)->set / sizeof(AstProperty *),
               "Properties has room for all");

/* "A", "'a'": any literal that reads as a number. */
static bool property_i64(const AstProperty *property, int64_t *value) {
    const AstExpr *literal = property->value;
    if (literal->kind == AST_NEGATE && literal->args[0]->kind == AST_INTEGER) {
        bool fits = number_parse_i64(literal->args[0]->text, value);
        *value = fits ? -*value : 0;
        return fits;
    }
    return (literal->kind == AST_INTEGER || literal->kind == AST_STRING) &&
           number_parse_i64(literal->text, value);
}

static bool property_flag(const AstProperty *property, bool *value) {
    const AstExpr *literal = property->value;
    if (literal->kind == AST_BOOLEAN) {
        *value = literal->boolean;
        return true;
    }
    if (literal->kind != AST_STRING)
        return false;
    const char *text = (const char *)literal->text.data;
    *value = strcasecmp(text, "true") == 0;
    return *value || strcasecmp(text, "false") == 0;
}

static ErrCode property_fails(const AstProperty *property, const char *rule, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                      "Invalid value for configuration %s: %s.", property->name, rule);
}

static ErrCode property_check(const AstProperty *property, PropertyKind kind, Err *err) {
    int64_t number;
    bool flag;
    switch (kind) {
    case PROPERTY_TEXT:
        return property->value->kind == AST_STRING
                   ? ERR_OK
                   : property_fails(property, "a text in single quotes is expected", err);
    case PROPERTY_COUNT_1:
        return property_i64(property, &number) && number >= 1 && number <= INT32_MAX
                   ? ERR_OK
                   : property_fails(property, "a number of at least 1 is expected", err);
    case PROPERTY_NUMBER:
        return property_i64(property, &number)
                   ? ERR_OK
                   : property_fails(property, "a whole number is expected", err);
    case PROPERTY_FLAG:
        return property_flag(property, &flag)
                   ? ERR_OK
                   : property_fails(property, "true or false is expected", err);
    }
    return ERR_OK;
}

static ErrCode property_unknown(const Planner *planner, const AstProperty *property, unsigned where,
                                Err *err) {
    const char *names[PROPERTY_COUNT];
    uint32_t count = 0;
    if (strcasecmp(property->name, "CLEANUP_POLICY") == 0)
        return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                          "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nIt follows "
                          "from the kind of source: delete for a STREAM, compact for a TABLE.");
    for (int i = 0; i < PROPERTY_COUNT; i++) {
        if (property_rows[i].where & where)
            names[count++] = property_rows[i].name;
    }
    return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                      "Invalid config variable(s) in the WITH clause: %s.%s", property->name,
                      planner_nearest(planner, property->name, names, count));
}

ErrCode properties_read(const Planner *planner, unsigned where, Properties *properties, Err *err) {
    const AstStatement *statement = planner->statement;
    *properties = (Properties){0};
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        int id = 0;
        while (id < PROPERTY_COUNT && (strcasecmp(property_rows[id].name, property->name) != 0 ||
                                       !(property_rows[id].where & where)))
            id++;
        if (id == PROPERTY_COUNT)
            return property_unknown(planner, property, where, err);
        if (properties->set[id])
            return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                              "%s is given twice in the WITH clause.", property_rows[id].name);
        TRY(property_check(property, property_rows[id].kind, err));
        properties->set[id] = property;
    }
    return ERR_OK;
}

const char *properties_text(const Properties *properties, PropertyId id) {
    assert(property_rows[id].kind == PROPERTY_TEXT);
    const AstProperty *property = properties->set[id];
    return property ? (const char *)property->value->text.data : NULL;
}

int64_t properties_i64(const Properties *properties, PropertyId id) {
    int64_t value = 0;
    bool fits = properties->set[id] && property_i64(properties->set[id], &value);
    assert(fits);
    return fits ? value : 0;
}

bool properties_on(const Properties *properties, PropertyId id) {
    bool value = false;
    assert(properties->set[id]);
    return property_flag(properties->set[id], &value) && value;
}

AstPos properties_pos(const Properties *properties, PropertyId id) {
    return properties->set[id] ? properties->set[id]->pos : (AstPos){0};
}
