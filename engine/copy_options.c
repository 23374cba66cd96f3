/* copy_options.c - the words in the brackets of COPY: FORMAT, HEADER, ON_ERROR. */
#include <strings.h>

#include "engine/copy_impl.h"
#include "grammar/parse.h"

const char *copy_text(const AstProperty *property) {
    return property->value && property->value->text.data ? (const char *)property->value->text.data
                                                         : "";
}

ErrCode copy_bad_value(const AstProperty *property, const char *want, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, property->pos.line, property->pos.column,
                      "%s of COPY takes %s%s%s%s", property->name, want,
                      *copy_text(property) ? ", not '" : "", copy_text(property),
                      *copy_text(property) ? "'" : "");
}

static ErrCode copy_format(Copy *copy, const AstProperty *property, Err *err) {
    const char *text = copy_text(property);
    copy->format = strcasecmp(text, "csv") == 0 ? ROW_FORMAT_CSV : ROW_FORMAT_NDJSON;
    if (copy->format == ROW_FORMAT_CSV || strcasecmp(text, "ndjson") == 0)
        return ERR_OK;
    return copy_bad_value(property, "ndjson or csv", err);
}

ErrCode copy_flag(const AstProperty *property, bool *flag, Err *err) {
    const AstExpr *value = property->value;
    bool yes = !value || (value->kind == AST_BOOLEAN && value->boolean) ||
               strcasecmp(copy_text(property), "true") == 0;
    bool no = value && ((value->kind == AST_BOOLEAN && !value->boolean) ||
                        strcasecmp(copy_text(property), "false") == 0);
    *flag = yes;
    return yes || no ? ERR_OK : copy_bad_value(property, "true or false", err);
}

static ErrCode copy_on_error(Copy *copy, const AstProperty *property, Err *err) {
    const char *text = copy_text(property);
    copy->skip_errors = strcasecmp(text, "skip") == 0;
    if (copy->skip_errors || strcasecmp(text, "stop") == 0)
        return ERR_OK;
    return copy_bad_value(property, "'stop' or 'skip'", err);
}

static ErrCode copy_unknown(const AstProperty *property, Err *err) {
    static const char *const names[] = {"FORMAT", "HEADER", "ON_ERROR"};
    const char *near = parse_nearest(property->name, names, 3);
    return err_set_at(err, ERR_UNKNOWN_NAME, property->pos.line, property->pos.column,
                      "Unknown option %s of COPY: it takes FORMAT, HEADER, ON_ERROR.%s%s%s",
                      property->name, near ? "\nDid you mean " : "", near ? near : "",
                      near ? "?" : "");
}

static bool copy_ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcasecmp(text + size - end_size, end) == 0;
}

ErrCode copy_options(Copy *copy, Err *err) {
    const AstStatement *statement = copy->call->statement;
    const AstProperty *header = NULL;
    copy->format = copy_ends_with(copy->path, ".csv") ? ROW_FORMAT_CSV : ROW_FORMAT_NDJSON;
    for (uint32_t i = 0; i < statement->property_count; i++) {
        const AstProperty *property = &statement->properties[i];
        if (strcmp(property->name, "FORMAT") == 0) {
            TRY(copy_format(copy, property, err));
        } else if (strcmp(property->name, "HEADER") == 0) {
            TRY(copy_flag(property, &copy->header, err));
            header = property;
        } else if (strcmp(property->name, "ON_ERROR") == 0) {
            TRY(copy_on_error(copy, property, err));
        } else {
            return copy_unknown(property, err);
        }
    }
    if (!header)
        copy->header = copy->format == ROW_FORMAT_CSV;
    if (header && copy->header && copy->format != ROW_FORMAT_CSV)
        return err_set_at(err, ERR_SEMANTIC, header->pos.line, header->pos.column,
                          "HEADER is for csv; lines of ndjson name their columns themselves.");
    return ERR_OK;
}
